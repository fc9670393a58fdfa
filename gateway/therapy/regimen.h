/* therapy/regimen.h -- the names of regimens, and which of them speak of salvage.
 *
 * What      a regimen of mappings/regimens.tsv matches when its drugs that make lines are exactly
 *           those of the line's beginning; steroids only break ties between names.
 * Rules     LOT-033; RULES_SPEC 8.1 E4, 8.4.
 */
#pragma once

#include "therapy/course.h"

/* The regimen of the drugs in `slots` that started from `start` to `until`; NULL when none. */
const struct regimen *regimen_of(const struct course *course, uint64_t slots, int32_t start,
                                 int32_t until);
/* True when the drugs that start with this batch, or within a week of it, are a salvage regimen
 * that has no other use. */
bool regimen_is_salvage_batch(const struct course *course, const struct batch *batch);
/* LOT-020: exactly the drugs of a conditioning regimen of this disease. */
bool regimen_is_conditioning(const struct course *course, uint64_t slots);
