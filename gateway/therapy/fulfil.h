/* therapy/fulfil.h -- what became of the orders: administrations, dispenses and statements, and
 * Procedures that gave a drug.
 *
 * What      each belongs to the order that it names, or to the order of the same drug in whose time
 *           it lies; then it confirms that exposure and may correct its end, and adds none.  What
 *           belongs to no order is an exposure of its own, with its own word and weight.  The
 *           stronger proof is asked first: order, administration, dispense, statement.
 * Owns      everything is in the arena of the derivation.
 * Errors    ERR_TOO_LARGE when the arena is full.
 * Rules     EXP-022 to EXP-029; house, needs clinical sign-off.
 */
#pragma once

#include "therapy/engine.h"

/* Needs engine->exposures of the orders, by start; they are no longer sorted afterwards. */
bool fulfil_orders(struct engine *engine, struct err *err) MUST_USE;
