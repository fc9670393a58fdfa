/* therapy/course.h -- one disease of the patient, made ready for the sweep.
 *
 * What      the orders of one cancer as uses of slots, what the profile says about each slot, and
 *           the evidence by kind.  Also the questions that the rules ask of them.
 * Errors    ERR_TOO_LARGE past LOT_DRUGS_MAX different drugs or the arena.
 * Rules     LOT-022, LOT-027, LOT-029, LOT-030, EVD-009.
 */
#pragma once

#include "therapy/engine.h"

bool course_init(struct course *course, struct engine *engine, unsigned cancer,
                 struct err *err) MUST_USE;

/* The first evidence of relapse or progression that `line` has not yet answered, in (line start,
 * until]; NULL when there is none. */
const struct atom *course_relapse(const struct course *course, const struct line_state *line,
                                  int32_t until);
/* The first such evidence among Conditions only, in (after, until]. */
const struct atom *course_relapse_between(const struct course *course, int32_t after,
                                          int32_t until);
/* Evidence recorded soon after `batch` that explains it, and no later start better. */
const struct atom *course_late_evidence(const struct course *course, const struct line_state *line,
                                        const struct batch *batch);
/* Castration resistance known by `day`. */
bool course_is_castration_resistant(const struct course *course, int32_t day);
/* The first remission in (after, until]; NULL when there is none. */
const struct atom *course_remission(const struct course *course, int32_t after, int32_t until);
/* The last response or stable disease in (after, until]; NULL when there is none. */
const struct atom *course_control(const struct course *course, int32_t after, int32_t until);

/* True when both drugs are of one class. */
bool course_same_class(const struct course *course, unsigned a, unsigned b);
/* The drugs of `slots`, sorted by name, in the arena; *count as many. */
const struct drug *const *course_drugs(const struct course *course, uint64_t slots,
                                       unsigned *count);
