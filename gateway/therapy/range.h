/* therapy/range.h -- how sure a line's number is: the same orders under a second convention.
 *
 * What      finds the lines once more with the contrasting rule set and tells each number as the
 *           range of both.  A salvage verdict that only one of them reaches is at most MEDIUM.
 *           The second sweep is left out where no decision of the first can come out differently.
 * Errors    ERR_TOO_LARGE past LOT_LINES_MAX lines or the arena.
 * Rules     SAL-023; RULES_SPEC 8.6.
 */
#pragma once

#include "therapy/engine.h"

/* `lines` and out->verdict are those of the swept `course`; both are adjusted. */
bool range_find(struct course *course, unsigned cancer, struct line *lines, struct history *out,
                struct err *err) MUST_USE;

/* The profile that the course is checked against; NULL when there is none, or it is the same. */
const struct profile *range_other_profile(const struct course *course);
