/* domain/disease.h -- a disease of mappings/diseases.tsv and what a Condition code says about it.
 *
 * Owns      the mapping; immutable, alive as long as the loaded mapping.
 */
#pragma once

#include "base/check.h"
#include "base/slice.h"
#include "domain/drug.h"

enum disease_family {
    DISEASE_SOLID,
    DISEASE_HEMATOLOGIC,
    DISEASE_ANY_CANCER, /* a code that names cancer but not which one */
    DISEASE_HIV,
    DISEASE_RENAL,
    DISEASE_TRANSPLANT,
    DISEASE_PREGNANCY,   /* no therapy of ours, but rules ask for it */
    DISEASE_HEPATITIS_B, /* the same */
    DISEASE_OTHER,       /* not ours: mapped so that it does not count as unmapped */
};

struct profile; /* domain/rules.h */

struct disease {
    uint32_t index;
    struct slice key;  /* "dlbcl" */
    struct slice name; /* "diffuse large B-cell lymphoma" */
    enum disease_family family;
    const struct profile *profile; /* the rules that apply; NULL when no lines are derived */
    const struct disease *within;  /* "nsclc" is within "lung"; NULL at the top */
    const uint64_t *listed;        /* bit n: drug of index n; see disease_lists_drug() */
    const uint64_t *identifying;
    uint32_t listed_traits; /* of all drugs that it lists, or-ed */
};

/* Whether the drug is established treatment of this disease (mappings/disease_drugs.tsv; a disease
 * above lists what those within it list, one without rows lists what the disease above lists).
 * Attribution (RULES_SPEC 3.6) asks this only when a patient has several cancers: with exactly one,
 * every antineoplastic belongs to it, listed or not.  False for DRUG_UNKNOWN. */
static inline bool disease_lists_drug(const struct disease *disease, const struct drug *drug)
{
    return drug->group != DRUG_UNKNOWN && disease->listed != NULL &&
           (disease->listed[drug->index / 64] >> drug->index % 64 & 1) != 0;
}

/* Whether the drug tells that a patient whose codes name only the disease above (`within`) has this
 * one: pemetrexed makes "lung" "nsclc", lurbinectedin "sclc".  Drugs of both tell nothing. */
static inline bool disease_identified_by(const struct disease *disease, const struct drug *drug)
{
    return drug->group != DRUG_UNKNOWN && disease->identifying != NULL &&
           (disease->identifying[drug->index / 64] >> drug->index % 64 & 1) != 0;
}

/* What a code means beyond naming the disease; the words of mappings/conditions.tsv. */
enum condition_meaning {
    MEANS_PRIMARY,
    MEANS_IN_RELAPSE,
    MEANS_IN_REMISSION,
    MEANS_RECURRENT,
    MEANS_REFRACTORY,
    MEANS_METASTATIC,
    MEANS_CASTRATION_RESISTANT,
    MEANS_IN_SITU,
    MEANS_HISTORY,
    MEANS_ASSOCIATED,
    MEANS_DIALYSIS,
    MEANS_TRANSPLANT,
    MEANS_TRANSPLANT_FAILURE,
    MEANS_TREATMENT_ENCOUNTER,
    MEANS_IN_PREGNANCY,        /* the disease, in a pregnant patient */
    MEANS_ACCESS_FAILURE,      /* a complication of the access for dialysis */
    MEANS_VIROLOGICAL_FAILURE, /* of antiretroviral therapy; the next two are weaker */
    MEANS_CLINICAL_FAILURE,
    MEANS_IMMUNOLOGICAL_FAILURE,
};

/* What a coding resolves to. */
struct condition_code {
    const struct disease *disease;
    enum condition_meaning meaning;
};
