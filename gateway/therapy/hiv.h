/* therapy/hiv.h -- lines of antiretroviral therapy, for a patient with HIV.
 *
 * What      orders of antiretrovirals become regimens (what is ordered together for long enough),
 *           and each change of regimen is judged: failure, substitution, transition, or a regimen
 *           that is ordered in late lines only.  A patient without HIV has no history; what was
 *           ordered is then told apart: prophylaxis, or hepatitis B.
 * Owns      everything is in the arena of the derivation.
 * Errors    ERR_TOO_LARGE past the limits of domain/line.h.
 * Rules     HIV-001 to HIV-029; RULES_SPEC 9.
 */
#pragma once

#include "therapy/engine.h"

/* Whether the patient has HIV, from Conditions and reason codes; fills engine->hiv. */
void hiv_find(struct engine *engine);

/* The history, when the patient has HIV; needs engine->exposures. */
bool hiv_derive(struct engine *engine, struct history *out, struct err *err) MUST_USE;

/* What antiretrovirals were ordered for, when the patient has none. */
void hiv_set_aside(struct engine *engine);
