/* therapy/evidence.h -- what Conditions, Observations and stopped orders say about how the
 * disease went.
 *
 * What      atoms: relapse, progression, refractory, remission, a new metastasis code, castration
 *           resistance, response; each with its day, strength and source.
 * Rules     EVD-001 to EVD-014; RULES_SPEC 6 and 4.1.4.
 */
#pragma once

#include "therapy/engine.h"

/* Needs engine->cancers and engine->exposures; fills engine->atoms. */
bool evidence_collect(struct engine *engine, struct err *err) MUST_USE;
/* One more, which what is not a cancer has found; it decides nothing, and is drawn.  Each event may
 * be told of twice. */
void evidence_add(struct engine *engine, const struct atom *atom);
