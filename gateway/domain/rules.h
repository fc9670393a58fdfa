/* domain/rules.h -- the clinical parameters of mappings/profiles.tsv and its neighbours, loaded.
 *
 * What      plain data: the engine has no number of its own.  Days unless a name says otherwise;
 *           RULE_OFF means that the rule never fires.  `line` is where a row stands in its table,
 *           as mapping/table.h counts; the engine does not look at it.
 * Owns      the mapping; immutable.
 * Rules     RULES_SPEC 4 and 8; every row of the tables names its source.
 */
#pragma once

#include "base/hash.h"
#include "domain/disease.h"
#include "domain/drug.h"
#include "domain/hiv_rules.h"
#include "domain/renal_rules.h"
#include "domain/rule_ids.h"

#define RULE_OFF (-1)
#define PROFILE_RULES_MAX 16 /* add-on or maintenance rows of one profile that the engine reads */

/* Which drugs a rule speaks of: drugs by name, or all with one of the traits, less exceptions.
 * Lists of drugs are sorted by index. */
struct drug_set {
    const struct drug *const *drugs;
    unsigned drug_count;
    uint32_t traits; /* any of them */
    const struct drug *const *except;
    unsigned except_count;
};

bool drug_set_has(const struct drug_set *set, const struct drug *drug);

struct substitution_group {
    struct drug_set set;
    uint32_t line;
};

struct addon_rule {
    struct drug_set set;
    int32_t max_days;      /* since the start of the line; RULE_OFF: no limit */
    bool needs_continuing; /* the backbone must go on */
    bool if_absent_class;  /* only if the line has no drug of the same class yet */
    struct slice source;   /* keys of mappings/sources.tsv */
    uint32_t line;
};

enum maintenance_kind {
    MAINTENANCE_CONTINUATION,
    MAINTENANCE_SWITCH,
    MAINTENANCE_EITHER,
    MAINTENANCE_POST_TRANSPLANT,
};

struct maintenance_rule {
    struct drug_set set;
    enum maintenance_kind kind;
    uint32_t lines; /* bit n: allowed in line n; 0 means any */
    int32_t max_gap;
    bool needs_platinum; /* induction contained a platinum */
    bool needs_poly;     /* induction had at least two agents */
    int32_t min_prior;   /* the induction lasted at least so long */
    int32_t min_length;  /* the maintenance lasts at least so long to count */
    struct slice source; /* keys of mappings/sources.tsv */
    uint32_t line;
};

enum salvage_basis {
    BASIS_ANY_LINE,
    BASIS_ADVANCED_LINE,
    BASIS_ADVANCED_OR_EARLY_RECURRENCE,
    BASIS_CASTRATION_RESISTANT,
    BASIS_NONE,
};

struct profile {
    struct slice key; /* "nsclc" */
    int32_t window;
    int32_t gap;           /* RULE_OFF: a gap never advances */
    int32_t gap_line3plus; /* RULE_OFF: as gap */
    struct drug_set gap_exempt;
    struct drug_set backbone; /* never opens or closes a line */
    bool ignore_backbone_for_lines;
    bool merge_identical;
    bool any_change_advances;
    bool phases_same_line;
    bool two_cycle_rule;
    int32_t cycle_gap;
    const struct substitution_group *substitutions;
    unsigned substitution_count;
    const struct addon_rule *addons;
    unsigned addon_count;
    const struct maintenance_rule *maintenance;
    unsigned maintenance_count;
    bool parpi_after_bevacizumab; /* maintenance_chain bevacizumab -> parpi */
    bool infer_relapse;           /* a remission code followed by an active one means relapse */
    struct drug_set supplement_base;
    int32_t supplement_days;
    struct drug_set rechallenge;
    int32_t rechallenge_after;
    int32_t platinum_refractory, platinum_resistant;
    bool transplant_bundle, cart_bundle;
    int32_t post_transplant_maintenance; /* sct.post_maint_days */
    int32_t second_transplant_same_line;
    int32_t planned_tandem;
    bool second_transplant_is_line;
    int32_t refractory_days, early_failure_days, perioperative_failure_days;
    enum salvage_basis basis;
    struct slice basis_text; /* "any_line>=2" */
    struct slice source;     /* keys of mappings/sources.tsv */
    uint32_t line;

    /* What only published rule sets ask for (mappings/rules_*.tsv); off in our own profiles. */
    struct slice rules;     /* the rule set it is of: "lifeline", "merck21" */
    uint64_t off;           /* bit n: `enum rule` n does not apply; see profile_has() */
    int32_t later_window;   /* the window of later lines; RULE_OFF: as `window` */
    bool start_opens;       /* every start after the window opens a line, also of known drugs */
    bool cycle_regimen;     /* LOT-034: the last two cycles must agree before a new agent counts */
    bool omits_substitutes; /* a substitute is not named among the line's drugs */
    uint8_t differs;        /* enum profile_difference: from our profile of the same key */
};

/* In what a rule set's profile departs from ours: tells when both must come to the same lines. */
enum profile_difference { DIFFERS_IN_GAP = 1, DIFFERS_IN_ADDONS = 2, DIFFERS_OTHERWISE = 4 };

/* False when a rule set switched the rule off.  Only rules of enum rule below 64 can be. */
static inline bool profile_has(const struct profile *profile, enum rule rule)
{
    return (profile->off >> rule & 1) == 0;
}

enum regimen_use {
    REGIMEN_FIRST_LINE = 1,
    REGIMEN_CONSOLIDATION = 2,
    REGIMEN_MAINTENANCE = 4,
    REGIMEN_SALVAGE = 8,
    REGIMEN_CONDITIONING = 16,
};

struct regimen {
    struct slice name;               /* "R-ICE" */
    const struct disease *disease;   /* NULL: any */
    const struct drug *const *drugs; /* sorted by index; supportive ones (steroids) optional */
    unsigned drug_count;
    uint64_t bits;     /* drug_bit() of those that make lines */
    uint32_t uses;     /* enum regimen_use, or-ed */
    bool is_exclusive; /* a salvage signature with no first-line or consolidation use */
    struct slice source;
    uint32_t line;
};

/* From what a named state of the disease is counted (mappings/status_labels.tsv). */
enum label_since { SINCE_DRUG, SINCE_TRANSPLANT, SINCE_LINE };

struct status_label {
    struct slice profile, label;
    enum label_since since;
    struct drug_set set; /* SINCE_DRUG */
    uint32_t lines;      /* SINCE_LINE: bit n: line n */
    int32_t to_days;
    struct slice source;
};

/* What one mg/m2 of a drug adds to an exposure (mappings/cumulative.tsv). */
struct cumulative_rule {
    struct slice exposure; /* "doxorubicin-equivalent" */
    const struct drug *drug;
    int32_t factor_hundredths; /* RULE_OFF: it counts, and nobody knows how much */
};

/* A kind of treatment (mappings/options.tsv). */
struct treatment_option {
    struct slice key, name; /* "immunotherapy", "checkpoint inhibitors" */
    uint32_t traits;        /* 0: transplant */
};

/* One rule set: ours ("lifeline"), or a published one in its place where it has rules. */
struct rules {
    struct slice name, title; /* "merck21", "JMIR Med Inform 2021 ..." */
    const struct profile *profiles;
    unsigned profile_count;
    const struct profile *generic;
    /* By index of the disease; NULL: of a disease without lines.  Ask rules_profile(). */
    const struct profile *const *profile_of;
    const struct rules *contrast; /* the second set of RULES_SPEC 8.6; NULL: no range */
    const struct status_label *labels;
    unsigned label_count;
    const struct cumulative_rule *cumulative; /* rows of one exposure are neighbours */
    unsigned cumulative_count;
    const uint64_t *cumulative_drugs; /* bit n: drug of index n is in one of the rows */
    const struct treatment_option *options;
    unsigned option_count;
    const struct regimen *regimens; /* by disease, then by number of drugs, the largest first */
    unsigned regimen_count;
    const struct disease *const *diseases; /* by index */
    unsigned disease_count;
    struct sha256 digest;
    int32_t era_persistence;         /* join exposures of one drug up to this gap */
    int32_t stale_open;              /* 365 */
    int32_t cell_order_lookback;     /* an ordered cell therapy may be given so much later */
    int32_t fulfil_slack;            /* how far from its order an administration may lie */
    int32_t relapse_lookahead;       /* evidence recorded up to 30 d after a start explains it */
    int32_t conditioning_lookahead;  /* 14 */
    int32_t diagnosis_lookback;      /* 30 */
    int32_t metastasis_with_primary; /* 60 */
    int32_t short_line;              /* 21 */
    int32_t perioperative_gap;       /* 180 */
    struct hiv_rules hiv;
    struct renal_rules renal;
};

/* The profile whose rules a disease has in this rule set; NULL when no lines are derived. */
static inline const struct profile *rules_profile(const struct rules *rules,
                                                  const struct disease *disease)
{
    return rules->profile_of != NULL ? rules->profile_of[disease->index] : disease->profile;
}
