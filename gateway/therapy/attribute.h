/* therapy/attribute.h -- which cancer an order is for.
 *
 * What      first the list of the patient's cancers, then for each order the ones it may belong to:
 *           by the Condition it names, by its reason code, or by the drug.  Never a guess: two
 *           plausible cancers are both told that the order is ambiguous.
 * Rules     EXP-016 to EXP-021; RULES_SPEC 3.6.
 */
#pragma once

#include "therapy/engine.h"

enum attribution_how {
    ATTRIBUTED_NOT_TOLD,  /* the order itself says nothing; only inside attribute.c */
    ATTRIBUTED_NOWHERE,   /* nobody can tell: reported */
    ATTRIBUTED_ELSEWHERE, /* for something that is no cancer */
    ATTRIBUTED,
};

struct attribution {
    enum attribution_how how;
    uint32_t diseases; /* bit n: cancer n */
    bool is_ambiguous;
    enum rule rule; /* that kept it out, when it did */
};

/* Fills engine->cancers from Conditions and reason codes. */
bool cancers_collect(struct engine *engine, struct err *err) MUST_USE;

/* `drug` of `order`, ordered from `start` on. */
struct attribution attribute_order(const struct engine *engine, const struct event *order,
                                   const struct drug *drug, int32_t start);

/* The cancers that a Condition speaks of; a code for "some cancer" speaks of the only one. */
uint32_t cancers_of_condition(const struct engine *engine, const struct event *condition);

/* The cancers that an Observation speaks of: of its focus, else the only one of the patient. */
uint32_t cancers_of_observation(const struct engine *engine, const struct event *observation);

/* False for Conditions that were refuted or entered in error. */
bool condition_counts(const struct event *condition);
bool disease_is_cancer(const struct disease *disease);
