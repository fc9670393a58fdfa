/* domain/drug.h -- an ingredient of mappings/drugs.tsv, as the engine sees it.
 *
 * Owns      the mapping; immutable, alive as long as the loaded mapping.
 */
#pragma once

#include "base/check.h"
#include "base/slice.h"

enum drug_group {
    DRUG_ANTINEOPLASTIC,
    DRUG_ENDOCRINE,
    DRUG_SUPPORTIVE,
    DRUG_IMMUNOSUPPRESSANT,
    DRUG_ANTIRETROVIRAL,
    DRUG_DIALYSIS,
    DRUG_UNKNOWN, /* unmapped: name is "unknown:<16 hex digits>" */
};

/* What rules ask of a drug, a bit each; the words of column `traits` in mappings/drugs.tsv. */
/* clang-format off */
#define DRUG_TRAIT_TABLE(X)                                                             \
    X(STEROID,       "steroid")        /* names a regimen, never makes a line */        \
    X(GROWTH_FACTOR, "growth_factor")                                                   \
    X(BONE_AGENT,    "bone_agent")                                                      \
    X(ANTIEMETIC,    "antiemetic")                                                      \
    X(MODULATOR,     "modulator")      /* leucovorin, mesna */                          \
    X(MOBILISATION,  "mobilisation")                                                    \
    X(CONDITIONING,  "conditioning")                                                    \
    X(LYMPHODEPLETION, "lymphodepletion")                                               \
    X(CELL_THERAPY,  "cell_therapy")                                                    \
    X(PLATINUM,      "platinum")                                                        \
    X(TARGETED,      "targeted")       /* kinase inhibitors and other small molecules */\
    X(BIOLOGIC,      "biologic")       /* antibodies, conjugates, bispecifics */        \
    X(CHECKPOINT,    "checkpoint")     /* PD-1, PD-L1, CTLA-4, LAG-3 */                 \
    X(CYTOTOXIC,     "cytotoxic")                                                       \
    X(ENDOCRINE,     "endocrine")                                                       \
    X(CDK46,         "cdk46")                                                           \
    X(PARPI,         "parpi")                                                           \
    X(IMID,          "imid")                                                            \
    X(PROTEASOME,    "proteasome")                                                      \
    X(ANTHRACYCLINE, "anthracycline")                                                   \
    X(DEPOT,         "depot")          /* one order covers its label interval */        \
    X(ORAL,          "oral")           /* daily by mouth */                             \
    X(BOOSTER,       "booster")                                                         \
    X(RADIOPHARMACEUTICAL, "radiopharmaceutical")                                       \
    X(INDUCER,       "inducer")        /* of the enzymes that clear dolutegravir */
/* clang-format on */

enum drug_trait_index {
#define X(name, word) TRAIT_INDEX_##name,
    DRUG_TRAIT_TABLE(X)
#undef X
};
enum drug_trait {
#define X(name, word) TRAIT_##name = 1 << TRAIT_INDEX_##name,
    DRUG_TRAIT_TABLE(X)
#undef X
};

/* Indexes from here on are drugs that no table knows. */
#define DRUG_INDEX_UNKNOWN UINT32_C(0x80000000)

struct drug {
    uint32_t index;    /* dense, by order of name; identifies the drug inside one mapping;
                              * DRUG_UNKNOWN: from DRUG_INDEX_UNKNOWN, a hash: compare names */
    struct slice name; /* "rituximab": the ingredient as printed */
    enum drug_group group;
    struct slice drug_class; /* "anti-CD20 mAb" */
    uint32_t traits;         /* enum drug_trait, or-ed */
    uint16_t tail_days;      /* how long one order without an end counts; 0 for one-shot therapy */
};

/* One bit of 64: two drugs may share it, so it can only show that sets of drugs differ. */
static inline uint64_t drug_bit(const struct drug *drug) { return UINT64_C(1) << drug->index % 64; }

static inline bool drug_has(const struct drug *drug, enum drug_trait trait)
{
    return (drug->traits & (uint32_t)trait) != 0;
}

#define DRUG_NOT_LINE_TRAITS                                                                \
    ((uint32_t)(TRAIT_STEROID | TRAIT_GROWTH_FACTOR | TRAIT_BONE_AGENT | TRAIT_ANTIEMETIC | \
                TRAIT_MODULATOR | TRAIT_MOBILISATION | TRAIT_BOOSTER))

/* LOT-030: supportive drugs never make a line of a cancer's therapy. */
static inline bool drug_makes_lines(const struct drug *drug)
{
    return (drug->group == DRUG_ANTINEOPLASTIC || drug->group == DRUG_ENDOCRINE ||
            drug->group == DRUG_UNKNOWN) &&
           (drug->traits & DRUG_NOT_LINE_TRAITS) == 0;
}
