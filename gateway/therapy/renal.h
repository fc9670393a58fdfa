/* therapy/renal.h -- renal replacement, for a patient with end-stage renal disease.
 *
 * What      no publication defines lines of therapy here, so this is a sequence of states, each a
 *           line: dialysis, transplant, graft failure, re-transplant (RULES_SPEC 10).  What is
 *           reported as salvage is a table that a site makes its own (mappings/renal_states.tsv).
 * Owns      everything is in the arena of the derivation.
 * Errors    ERR_TOO_LARGE past the limits of domain/line.h.
 * Rules     RRT-001 to RRT-019.
 */
#pragma once

#include "therapy/engine.h"

/* Whether the patient has end-stage renal disease or a kidney transplant; fills engine->renal. */
void renal_find(struct engine *engine);

/* The history, when the patient has; needs engine->exposures. */
bool renal_derive(struct engine *engine, struct history *out, struct err *err) MUST_USE;

/* Dialysis of a patient who has none is for an acute injury, as far as anybody can tell. */
void renal_set_aside(struct engine *engine);
