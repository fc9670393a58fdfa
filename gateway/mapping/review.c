/* How the engine reads the rules is told in gateway/therapy/RULES.md; what is unreachable here
 * follows from it: the first row of a profile that applies decides, the window comes before all of
 * them, supportive drugs and a backbone make no line, a disease's regimens come before those of the
 * disease above it. */
#include "mapping/review.h"

#include "base/text.h"
#include "mapping/mapping_int.h"

#define ADDONS_FILE "mappings/addons.tsv"
#define MAINTENANCE_FILE "mappings/maintenance.tsv"
#define SUBSTITUTIONS_FILE "mappings/substitutions.tsv"
#define REGIMENS_FILE "mappings/regimens.tsv"
#define PROFILES_FILE "mappings/profiles.tsv"
#define DISEASES_FILE "mappings/diseases.tsv"

/* "17", or "overlay 3": the row that a finding compares with. */
struct line_text {
    char text[24];
};

static struct line_text line_text(unsigned line)
{
    struct line_text out;
    snprintf(out.text, sizeof out.text, "%s%u", (line & TABLE_LINE_OVERLAY) != 0 ? "overlay " : "",
             line & ~TABLE_LINE_OVERLAY);
    return out;
}

/* --- which drugs a rule can meet ------------------------------------------------------------- */

static bool is_backbone(const struct profile *profile, const struct drug *drug)
{
    return profile->ignore_backbone_for_lines && drug_set_has(&profile->backbone, drug);
}

static bool can_be_in_line(const struct profile *profile, const struct drug *drug)
{
    return drug_makes_lines(drug) && !is_backbone(profile, drug);
}

static bool set_meets_drug(const struct mapping *mapping, const struct profile *profile,
                           const struct drug_set *set)
{
    for (unsigned i = 0; i < mapping->drug_count; i++)
        if (drug_set_has(set, &mapping->drugs[i].drug) &&
            can_be_in_line(profile, &mapping->drugs[i].drug))
            return true;
    return false;
}

/* Every drug that `part` speaks of, `whole` speaks of too. */
static bool set_is_within(const struct mapping *mapping, const struct drug_set *part,
                          const struct drug_set *whole)
{
    for (unsigned i = 0; i < mapping->drug_count; i++)
        if (drug_set_has(part, &mapping->drugs[i].drug) &&
            !drug_set_has(whole, &mapping->drugs[i].drug))
            return false;
    return true;
}

/* --- add-ons --------------------------------------------------------------------------------- */

static bool addon_covers(const struct mapping *mapping, const struct addon_rule *wide,
                         const struct addon_rule *rule)
{
    return set_is_within(mapping, &rule->set, &wide->set) &&
           (wide->max_days == RULE_OFF ||
            (rule->max_days != RULE_OFF && rule->max_days <= wide->max_days)) &&
           (!wide->needs_continuing || rule->needs_continuing) &&
           (!wide->if_absent_class || rule->if_absent_class);
}

static void review_addon(const struct mapping *mapping, const struct profile *profile, unsigned at,
                         struct table_errors *findings)
{
    const struct addon_rule *rule = &profile->addons[at];
    if (at >= PROFILE_RULES_MAX)
        table_complain(findings, ADDONS_FILE, rule->line, "profile",
                       "is never read: '%.*s' has %d rows before it", SLICE_ARGS(profile->key),
                       PROFILE_RULES_MAX);
    if (!set_meets_drug(mapping, profile, &rule->set))
        table_complain(findings, ADDONS_FILE, rule->line, "ingredients",
                       "never applies: none of its drugs makes a line of '%.*s'",
                       SLICE_ARGS(profile->key));
    if (rule->max_days != RULE_OFF && rule->max_days <= profile->window)
        table_complain(findings, ADDONS_FILE, rule->line, "max_days",
                       "never applies: %d days are within the window of '%.*s' (%d)",
                       rule->max_days, SLICE_ARGS(profile->key), profile->window);
    for (unsigned i = 0; i < profile->addon_count; i++) {
        const struct addon_rule *other = &profile->addons[i];
        bool is_twin = i > at && addon_covers(mapping, rule, other);
        if (i == at || is_twin || !addon_covers(mapping, other, rule))
            continue;
        table_complain(findings, ADDONS_FILE, rule->line, "ingredients",
                       "never decides: line %s allows all that it allows",
                       line_text(other->line).text);
        return;
    }
}

/* --- maintenance ----------------------------------------------------------------------------- */

static bool kind_covers(enum maintenance_kind wide, enum maintenance_kind kind)
{
    return wide == kind || (wide == MAINTENANCE_EITHER && kind != MAINTENANCE_POST_TRANSPLANT);
}

static bool maintenance_covers(const struct mapping *mapping, const struct maintenance_rule *wide,
                               const struct maintenance_rule *rule)
{
    bool has_lines = wide->lines == 0 || (rule->lines != 0 && (rule->lines & ~wide->lines) == 0);
    return kind_covers(wide->kind, rule->kind) && has_lines &&
           set_is_within(mapping, &rule->set, &wide->set) && rule->max_gap <= wide->max_gap &&
           (!wide->needs_platinum || rule->needs_platinum) &&
           (!wide->needs_poly || rule->needs_poly) && rule->min_prior >= wide->min_prior &&
           rule->min_length >= wide->min_length;
}

static void review_maintenance(const struct mapping *mapping, const struct profile *profile,
                               unsigned at, struct table_errors *findings)
{
    const struct maintenance_rule *rule = &profile->maintenance[at];
    bool is_after_transplant = rule->kind == MAINTENANCE_POST_TRANSPLANT;
    if (at >= PROFILE_RULES_MAX)
        table_complain(findings, MAINTENANCE_FILE, rule->line, "profile",
                       "is never read: '%.*s' has %d rows before it", SLICE_ARGS(profile->key),
                       PROFILE_RULES_MAX);
    if (!set_meets_drug(mapping, profile, &rule->set))
        table_complain(findings, MAINTENANCE_FILE, rule->line, "ingredients",
                       "never applies: none of its drugs makes a line of '%.*s'",
                       SLICE_ARGS(profile->key));
    if (is_after_transplant && rule->max_gap <= profile->post_transplant_maintenance)
        table_complain(findings, MAINTENANCE_FILE, rule->line, "max_gap",
                       "never decides: '%.*s' allows %d days for any drug",
                       SLICE_ARGS(profile->key), profile->post_transplant_maintenance);
    if (is_after_transplant && !profile->transplant_bundle &&
        profile->post_transplant_maintenance == RULE_OFF)
        table_complain(findings, MAINTENANCE_FILE, rule->line, "kind",
                       "never applies: '%.*s' has no rule for transplants",
                       SLICE_ARGS(profile->key));
    for (unsigned i = 0; i < profile->maintenance_count; i++) {
        const struct maintenance_rule *other = &profile->maintenance[i];
        bool is_twin = i > at && maintenance_covers(mapping, rule, other);
        if (i == at || is_twin || !maintenance_covers(mapping, other, rule))
            continue;
        table_complain(findings, MAINTENANCE_FILE, rule->line, "ingredients",
                       "never decides: line %s allows all that it allows",
                       line_text(other->line).text);
        return;
    }
}

/* --- substitutions --------------------------------------------------------------------------- */

static void review_substitution(const struct mapping *mapping, const struct profile *profile,
                                unsigned at, struct table_errors *findings)
{
    const struct substitution_group *group = &profile->substitutions[at];
    unsigned met = 0;
    for (unsigned i = 0; i < group->set.drug_count; i++)
        met += can_be_in_line(profile, group->set.drugs[i]);
    if (met < 2)
        table_complain(findings, SUBSTITUTIONS_FILE, group->line, "ingredients",
                       "never applies in '%.*s': fewer than two of its drugs make lines there",
                       SLICE_ARGS(profile->key));
    for (unsigned i = 0; i < profile->substitution_count; i++) {
        const struct substitution_group *other = &profile->substitutions[i];
        bool is_twin = i > at && set_is_within(mapping, &other->set, &group->set);
        if (i != at && !is_twin && set_is_within(mapping, &group->set, &other->set))
            table_complain(findings, SUBSTITUTIONS_FILE, group->line, "ingredients",
                           "says nothing new in '%.*s': line %s holds all its drugs",
                           SLICE_ARGS(profile->key), line_text(other->line).text);
    }
}

/* --- profiles -------------------------------------------------------------------------------- */

static bool is_used(const struct mapping *mapping, const struct profile *profile)
{
    if (profile == mapping->rules.generic)
        return true;
    for (unsigned i = 0; i < mapping->disease_count; i++)
        if (mapping->diseases[i].profile == profile)
            return true;
    return false;
}

static void review_numbers(const struct profile *profile, struct table_errors *findings)
{
    const struct {
        bool is_given, is_read;
        const char *column, *why;
    } numbers[] = {
        { profile->gap_line3plus != RULE_OFF, profile->gap != RULE_OFF, "gap_line3plus",
          "is never read: gap is off" },
        { profile->gap_exempt.drug_count > 0,
          profile->gap != RULE_OFF || profile->gap_line3plus != RULE_OFF, "gap_exempt",
          "is never read: gap is off" },
        { profile->supplement_base.drug_count > 0, profile->supplement_days != RULE_OFF,
          "supplement_base", "is never read: supplement_days is off" },
        { profile->supplement_days != RULE_OFF, profile->supplement_base.drug_count > 0,
          "supplement_days", "is never read: supplement_base names no drug" },
        { profile->rechallenge.drug_count > 0, profile->rechallenge_after != RULE_OFF,
          "rechallenge", "is never read: rechallenge_after is off" },
        { profile->rechallenge_after != RULE_OFF, profile->rechallenge.drug_count > 0,
          "rechallenge_after", "is never read: rechallenge names no drug" },
        { profile->second_transplant_same_line != RULE_OFF, profile->second_transplant_is_line,
          "second_transplant_same_line", "is never read: second_transplant_is_line is no" },
        { profile->planned_tandem != RULE_OFF, profile->second_transplant_is_line, "planned_tandem",
          "is never read: second_transplant_is_line is no" },
        { profile->perioperative_failure_days != RULE_OFF,
          profile->basis == BASIS_ADVANCED_OR_EARLY_RECURRENCE, "perioperative_failure_days",
          "is never read: basis knows no early recurrence" },
    };
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        if (numbers[i].is_given && !numbers[i].is_read)
            table_complain(findings, PROFILES_FILE, profile->line, numbers[i].column, "%s ('%.*s')",
                           numbers[i].why, SLICE_ARGS(profile->key));
    if (profile->platinum_refractory != RULE_OFF && profile->platinum_resistant != RULE_OFF &&
        profile->platinum_refractory > profile->platinum_resistant)
        table_complain(findings, PROFILES_FILE, profile->line, "platinum_resistant",
                       "can never be found: platinum_refractory is longer ('%.*s')",
                       SLICE_ARGS(profile->key));
}

static void review_profiles(const struct mapping *mapping, struct table_errors *findings)
{
    for (unsigned p = 0; p < mapping->rules.profile_count; p++) {
        const struct profile *profile = &mapping->rules.profiles[p];
        if (!is_used(mapping, profile))
            table_complain(findings, PROFILES_FILE, profile->line, "key",
                           "no disease has the profile '%.*s'", SLICE_ARGS(profile->key));
        review_numbers(profile, findings);
        for (unsigned i = 0; i < profile->addon_count; i++)
            review_addon(mapping, profile, i, findings);
        for (unsigned i = 0; i < profile->maintenance_count; i++)
            review_maintenance(mapping, profile, i, findings);
        for (unsigned i = 0; i < profile->substitution_count; i++)
            review_substitution(mapping, profile, i, findings);
    }
}

/* --- diseases -------------------------------------------------------------------------------- */

static bool is_cancer(const struct disease *disease)
{
    return disease->family == DISEASE_SOLID || disease->family == DISEASE_HEMATOLOGIC ||
           disease->family == DISEASE_ANY_CANCER;
}

/* Two diseases below one that have identifying drugs in common: those drugs tell nothing. */
static void review_identifying(const struct mapping *mapping, unsigned at,
                               struct table_errors *findings)
{
    const struct disease *disease = &mapping->diseases[at];
    for (unsigned i = 0; i < at; i++) {
        const struct disease *other = &mapping->diseases[i];
        if (disease->within == NULL || other->within != disease->within)
            continue;
        for (unsigned d = 0; d < mapping->drug_count; d++) {
            const struct drug *drug = &mapping->drugs[d].drug;
            if (disease_identified_by(disease, drug) && disease_identified_by(other, drug))
                table_complain(findings, DISEASES_FILE, mapping->disease_lines[at], "key",
                               "'%.*s' and '%.*s' are both identified by %.*s: it tells nothing",
                               SLICE_ARGS(disease->key), SLICE_ARGS(other->key),
                               SLICE_ARGS(drug->name));
        }
    }
}

static void review_diseases(const struct mapping *mapping, struct table_errors *findings)
{
    for (unsigned i = 0; i < mapping->disease_count; i++) {
        const struct disease *disease = &mapping->diseases[i];
        if (is_cancer(disease) && disease->profile == NULL)
            table_complain(findings, DISEASES_FILE, mapping->disease_lines[i], "profile",
                           "'%.*s' is a cancer without a profile: it gets the generic rules",
                           SLICE_ARGS(disease->key));
        review_identifying(mapping, i, findings);
    }
}

/* --- regimens -------------------------------------------------------------------------------- */

static bool is_below(const struct disease *disease, const struct disease *above)
{
    for (; disease != NULL; disease = disease->within)
        if (disease == above)
            return true;
    return above == NULL;
}

/* All its drugs that make lines can be in one line of this profile, and there is at least one. */
static bool fits_profile(const struct regimen *regimen, const struct profile *profile)
{
    unsigned met = 0;
    for (unsigned i = 0; i < regimen->drug_count; i++) {
        if (drug_makes_lines(regimen->drugs[i]) && is_backbone(profile, regimen->drugs[i]))
            return false;
        met += drug_makes_lines(regimen->drugs[i]);
    }
    return met > 0;
}

static bool can_match(const struct mapping *mapping, const struct regimen *regimen)
{
    if (regimen->disease != NULL && !is_cancer(regimen->disease))
        return regimen->disease->profile != NULL; /* its drugs are not those of a cancer */
    for (unsigned i = 0; i < mapping->disease_count; i++) {
        const struct disease *disease = &mapping->diseases[i];
        if (is_cancer(disease) && is_below(disease, regimen->disease) &&
            fits_profile(regimen,
                         disease->profile != NULL ? disease->profile : mapping->rules.generic))
            return true;
    }
    return false;
}

static bool has_same_drugs(const struct regimen *a, const struct regimen *b)
{
    return a->drug_count == b->drug_count &&
           memcmp(a->drugs, b->drugs, a->drug_count * sizeof a->drugs[0]) == 0;
}

static void review_regimens(const struct mapping *mapping, struct table_errors *findings)
{
    for (unsigned i = 0; i < mapping->rules.regimen_count; i++) {
        const struct regimen *regimen = &mapping->rules.regimens[i];
        if (!can_match(mapping, regimen))
            table_complain(findings, REGIMENS_FILE, regimen->line, "components",
                           "'%.*s' can never be found: its drugs make no line of its disease",
                           SLICE_ARGS(regimen->name));
        for (unsigned k = 0; k < i; k++) {
            const struct regimen *other = &mapping->rules.regimens[k];
            if (other->disease != regimen->disease || !has_same_drugs(other, regimen))
                continue;
            table_complain(findings, REGIMENS_FILE, regimen->line, "components",
                           "'%.*s' is never found: '%.*s' (line %s) has the same drugs%s",
                           SLICE_ARGS(regimen->name), SLICE_ARGS(other->name),
                           line_text(other->line).text,
                           other->uses != regimen->uses ? ", and other uses" : "");
        }
    }
}

void mapping_review(const struct mapping *mapping, struct table_errors *findings)
{
    review_profiles(mapping, findings);
    review_diseases(mapping, findings);
    review_regimens(mapping, findings);
}
