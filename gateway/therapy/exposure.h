/* therapy/exposure.h -- what orders prove: "ordered from ... to ...", never "given".
 *
 * What      orders that count become one exposure per ingredient, sorted by start.  What does not
 *           count, what has no date and what is only planned is kept apart, never lost.
 * Errors    ERR_TOO_LARGE when the arena is full.
 * Rules     EXP-001 to EXP-015; RULES_SPEC 3.1 to 3.4.
 */
#pragma once

#include "therapy/engine.h"

bool exposures_collect(struct engine *engine, struct err *err) MUST_USE;

/* An order by the id of a reference such as "MedicationRequest/o"; NULL when it is not there. */
const struct event *exposures_find_order(struct engine *engine, struct slice reference);

/* True for a drug that may open, close or name a line (LOT-030). */
bool exposure_makes_lines(const struct drug *drug);
