#include "support/therapy/limits.h"

#include <stdio.h>

/* --- all parameters as text ------------------------------------------------------------------- */

static void add_number(struct buffer *out, const char *name, int32_t value)
{
    if (value == RULE_OFF)
        buffer_format(out, " %s=-", name);
    else
        buffer_format(out, " %s=%d", name, value);
}

static void add_set(struct buffer *out, const char *name, const struct drug_set *set)
{
    if (set->drug_count == 0 && set->traits == 0)
        return;
    buffer_format(out, " %s=", name);
    for (unsigned i = 0; i < set->drug_count; i++)
        buffer_format(out, "%s%.*s", i > 0 ? ";" : "", SLICE_ARGS(set->drugs[i]->name));
    if (set->traits != 0)
        buffer_format(out, " traits:%x", set->traits);
    for (unsigned i = 0; i < set->except_count; i++)
        buffer_format(out, " but:%.*s", SLICE_ARGS(set->except[i]->name));
}

/* clang-format off */
#define NUMBERS(X) \
    X(window) X(gap) X(gap_line3plus) X(cycle_gap) X(supplement_days) X(rechallenge_after) \
    X(platinum_refractory) X(platinum_resistant) X(post_transplant_maintenance) \
    X(second_transplant_same_line) X(planned_tandem) X(refractory_days) X(early_failure_days) \
    X(perioperative_failure_days)
#define FLAGS(X) \
    X(ignore_backbone_for_lines) X(merge_identical) X(any_change_advances) X(phases_same_line) \
    X(two_cycle_rule) X(parpi_after_bevacizumab) X(infer_relapse) X(transplant_bundle) \
    X(cart_bundle) X(second_transplant_is_line)
/* clang-format on */

static void add_profile(const struct profile *profile, struct buffer *out)
{
    buffer_format(out, "%.*s %.*s:", SLICE_ARGS(profile->key), SLICE_ARGS(profile->basis_text));
#define X(name) add_number(out, #name, profile->name);
    NUMBERS(X)
#undef X
#define X(name)        \
    if (profile->name) \
        buffer_format(out, " " #name);
    FLAGS(X)
#undef X
    add_set(out, "gap_exempt", &profile->gap_exempt);
    add_set(out, "backbone", &profile->backbone);
    add_set(out, "supplement", &profile->supplement_base);
    add_set(out, "rechallenge", &profile->rechallenge);
    buffer_add_char(out, '\n');
    for (unsigned i = 0; i < profile->substitution_count; i++) {
        add_set(out, " substitution", &profile->substitutions[i].set);
        buffer_add_char(out, '\n');
    }
    for (unsigned i = 0; i < profile->addon_count; i++) {
        const struct addon_rule *rule = &profile->addons[i];
        add_set(out, " addon", &rule->set);
        add_number(out, "max_days", rule->max_days);
        buffer_format(out, "%s%s\n", rule->needs_continuing ? " continuing" : "",
                      rule->if_absent_class ? " absent_class" : "");
    }
    for (unsigned i = 0; i < profile->maintenance_count; i++) {
        const struct maintenance_rule *rule = &profile->maintenance[i];
        add_set(out, " maintenance", &rule->set);
        buffer_format(out, " kind=%d lines=%x", rule->kind, rule->lines);
        add_number(out, "max_gap", rule->max_gap);
        add_number(out, "min_prior", rule->min_prior);
        add_number(out, "min_length", rule->min_length);
        buffer_format(out, "%s%s\n", rule->needs_platinum ? " platinum" : "",
                      rule->needs_poly ? " poly" : "");
    }
}

/* clang-format off */
#define SHARED(X) \
    X(era_persistence) X(stale_open) X(cell_order_lookback) X(fulfil_slack) X(relapse_lookahead) \
    X(conditioning_lookahead) X(diagnosis_lookback) X(metastasis_with_primary) X(short_line) \
    X(perioperative_gap) X(hiv.regimen_stable) X(hiv.regimen_drugs) X(hiv.pep) X(hiv.late_line) \
    X(hiv.salvage_line) X(hiv.failure_copies) X(hiv.failure_after) X(hiv.failure_apart) \
    X(hiv.confirmed_copies) X(hiv.confirmed_after) X(hiv.leftover) X(hiv.pregnancy) \
    X(hiv.doses_twice) X(renal.technique_short) X(renal.technique_long) X(renal.same_transplant) \
    X(renal.delayed_function) X(renal.dialysis_again) X(renal.induction_near)
/* clang-format on */

void limits_text(const struct mapping *mapping, struct buffer *out)
{
    const struct rules *rules = mapping_rules(mapping);
#define X(name) buffer_format(out, #name " %d\n", rules->name);
    SHARED(X)
#undef X
    for (unsigned i = 0; i < RENAL_STATE_COUNT; i++)
        buffer_format(out, "renal state %.*s: %s\n", SLICE_ARGS(rules->renal.states[i].name),
                      grade_name((enum grade)rules->renal.states[i].grade));
    for (unsigned i = 0; i < rules->profile_count; i++)
        add_profile(&rules->profiles[i], out);
    for (unsigned i = 0; rules->contrast != NULL && i < rules->contrast->profile_count; i++) {
        buffer_add(out, SLICE("contrast "));
        add_profile(&rules->contrast->profiles[i], out);
    }
}

/* --- both sides of window and gap -------------------------------------------------------------- */

/* By the specification, section 4 ("Default choices") and its parameters; -1: no gap rule. */
static const struct limit {
    const char *profile, *code, *first, *other;
    int window, gap;
} limits[] = {
    { "nsclc", "C34.90", "carboplatin + pemetrexed", "nivolumab", 28, 180 },
    { "crc", "C18.9", "fluorouracil + oxaliplatin", "irinotecan", 28, 180 },
    { "gastric", "C16.9", "fluorouracil + oxaliplatin", "paclitaxel", 28, 90 },
    { "melanoma", "C43.9", "dacarbazine", "nivolumab", 28, 180 },
    { "hnscc", "C10.9", "cisplatin + fluorouracil", "cetuximab", 28, 180 },
    { "sclc", "C34.90", "carboplatin + etoposide", "topotecan", 28, 90 },
    { "ovarian", "C56.9", "carboplatin + paclitaxel", "gemcitabine", 30, 120 },
    { "prostate", "C61", "docetaxel", "abiraterone", 30, -1 },
    { "breast", "C50.911", "doxorubicin + cyclophosphamide", "capecitabine", 28, 180 },
    { "urothelial", "C67.9", "cisplatin + gemcitabine", "pembrolizumab", 28, 180 },
    { "mm", "C90.00", "lenalidomide", "cyclophosphamide", 30, -1 },
    { "dlbcl", "C83.30", "rituximab + cyclophosphamide", "gemcitabine", 28, 180 },
    { "hodgkin", "C81.90", "doxorubicin + bleomycin", "gemcitabine", 28, 180 },
    { "fl", "C82.90", "cyclophosphamide + vincristine", "gemcitabine", 28, 180 },
    { "mcl", "C83.10", "cyclophosphamide + vincristine", "gemcitabine", 28, 180 },
    { "aml", "C92.00", "cytarabine + daunorubicin", "gilteritinib", 60, 60 },
    { "all", "C91.00", "vincristine + daunorubicin", "inotuzumab ozogamicin", 60, 120 },
    { "apl", "C92.40", "tretinoin + idarubicin", "gilteritinib", 60, 120 },
    { "germcell", "C62.90", "bleomycin + etoposide + cisplatin", "paclitaxel", 28, 90 },
    { "generic", "C84.40", "cyclophosphamide + vincristine", "gemcitabine", 28, 180 },
    { "generic_solid", "C25.9", "gemcitabine", "capecitabine", 28, 180 },
};

/* Lines after `first` on day 0 and `then` so many days later. */
static unsigned lines_of(const struct mapping *mapping, const struct limit *limit, const char *then,
                         int days)
{
    struct story story;
    char text[300], day[DATE_TEXT_SIZE];
    story_begin_long(&story, 16);
    story.mapping = mapping;
    snprintf(text, sizeof text, "@%s 2020-01-01; %s 2020-01-06; %s %s", limit->code, limit->first,
             then, date_format((struct date){ story_day("2020-01-06").day + days }, day));
    story_tell(&story, text);
    const struct history *history = story_history(story_derive(&story, "2026-01-01"), NULL);
    unsigned lines = history != NULL ? history->line_count : 0;
    story_end(&story);
    return lines;
}

bool limits_probe(const struct mapping *mapping, struct buffer *faults)
{
    size_t before = faults->len;
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        const struct limit *limit = &limits[i];
        int gap = limit->gap < 0 ? 1500 : limit->gap;
        /* a pause inside the window is no pause, and one as long as the window hides the gap */
        bool has_gap = gap > limit->window || limit->gap < 0;
        if (lines_of(mapping, limit, limit->other, limit->window) != 1)
            buffer_format(faults, "%s: a new drug on day %d is a line\n", limit->profile,
                          limit->window);
        if (lines_of(mapping, limit, limit->other, limit->window + 1) != 2)
            buffer_format(faults, "%s: a new drug on day %d is no line\n", limit->profile,
                          limit->window + 1);
        if (has_gap && lines_of(mapping, limit, limit->first, gap) != 1)
            buffer_format(faults, "%s: a pause of %d days is a line\n", limit->profile, gap);
        if (limit->gap >= 0 && lines_of(mapping, limit, limit->first, gap + 1) != 2)
            buffer_format(faults, "%s: a pause of %d days is no line\n", limit->profile, gap + 1);
    }
    return faults->len == before;
}
