/* domain/renal_rules.h -- the rules of renal replacement, loaded from mappings/renal.tsv,
 * mappings/renal_drugs.tsv and mappings/renal_states.tsv.
 *
 * Owns      the mapping; immutable.
 * Rules     RRT-001 to RRT-020; RULES_SPEC 10.
 */
#pragma once

#include "domain/drug.h"

/* Column `role` of renal_drugs.tsv. */
enum renal_role {
    RENAL_INDUCTION,        /* ordered within days of a transplant */
    RENAL_INDUCTION_ONLY,   /* and for nothing else: shows one by itself */
    RENAL_MAINTENANCE,      /* keeps a graft */
    RENAL_PERITONEAL_FLUID, /* shows peritoneal dialysis */
};

struct renal_drug {
    const struct drug *drug;
    enum renal_role role;
};

/* The ways to be on renal replacement; the rows of renal_states.tsv, in this order. */
/* clang-format off */
#define RENAL_STATE_TABLE(X)                                                            \
    X(DIALYSIS,                 "dialysis")                                             \
    X(HAEMODIALYSIS_AFTER_PD,   "haemodialysis_after_pd")                               \
    X(PREEMPTIVE_TRANSPLANT,    "preemptive_transplant")                                \
    X(TRANSPLANT,               "transplant")                                           \
    X(TRANSPLANT_AFTER_FAILURE, "transplant_after_failure")                             \
    X(GRAFT_FAILURE,            "graft_failure")                                        \
    X(RETRANSPLANT,             "retransplant")
/* clang-format on */

enum renal_state {
#define X(name, word) RENAL_##name,
    RENAL_STATE_TABLE(X)
#undef X
        RENAL_STATE_COUNT
};

struct renal_state_rule {
    int grade;         /* enum grade of the salvage verdict; 0: no salvage */
    struct slice name; /* "transplant after dialysis": what lines and reports print */
};

struct renal_rules {
    const struct renal_drug *drugs; /* by index of the drug */
    unsigned drug_count;
    struct renal_state_rule states[RENAL_STATE_COUNT];
    /* mappings/renal.tsv, days */
    int32_t technique_short, technique_long;
    int32_t same_transplant, delayed_function, dialysis_again, induction_near;
};

/* NULL for a drug that has no role. */
static inline const struct renal_drug *renal_drug_of(const struct renal_rules *rules,
                                                     const struct drug *drug)
{
    for (unsigned low = 0, high = rules->drug_count; low < high;) {
        unsigned middle = low + (high - low) / 2;
        if (rules->drugs[middle].drug == drug)
            return &rules->drugs[middle];
        if (rules->drugs[middle].drug->index < drug->index)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
