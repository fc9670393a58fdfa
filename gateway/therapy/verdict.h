/* therapy/verdict.h -- is the current line salvage therapy, how sure is that, and why.
 *
 * What      the basis of the profile decides whether a line can be salvage at all; evidence E1 to
 *           E6 gives the grade; a veto overrules.  The verdict rests on the last line of the
 *           disease.
 * Rules     SAL-001 to SAL-022; RULES_SPEC 6 and 8.
 */
#pragma once

#include "therapy/boundary.h"

/* `lines` are those of lines_finish(). */
void verdict_reach(struct course *course, struct line *lines, struct verdict *out);

/* What is known of the disease at its last turn. */
struct disease_turn {
    enum disease_status status;
    bool is_early; /* sooner than the profile's early-failure limit */
    bool has_interval;
    int32_t interval; /* days from the last relevant drug to the evidence or the next line */
    int32_t limit;    /* that it was compared with; RULE_OFF when with none */
    bool is_platinum; /* the interval is measured from the last platinum */
};
struct disease_turn status_find(const struct course *course);

/* Prior exposure by drug class, by class name. */
const struct class_exposure *classes_collect(const struct course *course, bool is_salvage,
                                             unsigned *count);
