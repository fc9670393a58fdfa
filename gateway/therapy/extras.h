/* therapy/extras.h -- what a salvage decision asks beside the verdict.
 *
 * What      named states of the disease that dates can tell, kinds of treatment ordered and not
 *           ordered, exposures that add up where doses allow.
 * Rules     SAL-025 to SAL-027; RULES_SPEC 6.
 */
#pragma once

#include "therapy/course.h"

/* SAL-025: appends to the verdict what holds of mappings/status_labels.tsv. */
void extras_label(const struct course *course, struct verdict *verdict);

/* SAL-026: needs out->classes. */
void extras_options(const struct course *course, struct history *out);

/* SAL-027: over all exposures of the patient. */
const struct cumulative *extras_cumulative(const struct engine *engine, unsigned *count);
