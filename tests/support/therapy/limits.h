/* support/therapy/limits.h -- the clinical numbers, once more, and the days on both sides of them.
 *
 * What      `limits_text` is every parameter of our rules as text, which a golden file pins: a number
 *           that a clinician has signed is changed in two places or not at all.  `limits_probe` asks
 *           the engine for each profile on the last day of its window and its gap and on the day
 *           after, by the numbers of the specification.
 */
#pragma once

#include "support/therapy/story.h"

void limits_text(const struct mapping *mapping, struct buffer *out);

/* One sentence for each profile that does not keep its limits; true when all do. */
bool limits_probe(const struct mapping *mapping, struct buffer *faults);
