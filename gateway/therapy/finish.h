/* therapy/finish.h -- lines as the world sees them: ends, segments, names, identities.
 *
 * Errors    an overfull arena is reported once, at the end of the derivation.
 * Rules     LOT-012 (continuation), LOT-023, LOT-025, LOT-026, LOT-028, LOT-031, LOT-033.
 */
#pragma once

#include "therapy/boundary.h"

/* The lines of a swept course, `course->line_count` of them. */
struct line *lines_finish(struct course *course);
