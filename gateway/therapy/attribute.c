#include "therapy/attribute.h"

#include <strings.h>

bool condition_counts(const struct event *condition)
{
    return (condition->verification_status != VERIFICATION_REFUTED &&
            condition->verification_status != VERIFICATION_ENTERED_IN_ERROR) ||
           !RULE_ON(EVD_REFUTED);
}

bool disease_is_cancer(const struct disease *disease)
{
    return is_one_of(disease->family,
                     ONE(DISEASE_SOLID) | ONE(DISEASE_HEMATOLOGIC) | ONE(DISEASE_ANY_CANCER));
}

/* Codes that say which cancer the patient has; "history of" and "in situ" do not. */
static bool meaning_names_disease(enum condition_meaning meaning)
{
    return is_one_of(meaning, ONE(MEANS_PRIMARY) | ONE(MEANS_IN_RELAPSE) | ONE(MEANS_IN_REMISSION) |
                                  ONE(MEANS_RECURRENT) | ONE(MEANS_REFRACTORY) |
                                  ONE(MEANS_METASTATIC) | ONE(MEANS_CASTRATION_RESISTANT));
}

static bool is_within(const struct disease *disease, const struct disease *above)
{
    for (; disease != NULL; disease = disease->within)
        if (disease == above)
            return true;
    return false;
}

/* The most precise disease of the codes, when they lie on one branch; else the first. */
static const struct disease *named_disease(const struct condition_code *codes, unsigned count)
{
    const struct disease *found = NULL;
    for (unsigned i = 0; i < count; i++) {
        const struct disease *disease = codes[i].disease;
        if (!meaning_names_disease(codes[i].meaning) || !disease_is_cancer(disease))
            continue;
        bool is_better = found == NULL || (found->family == DISEASE_ANY_CANCER &&
                                           disease->family != DISEASE_ANY_CANCER);
        if (is_better || (is_within(disease, found) && disease != found))
            found = disease;
    }
    return found;
}

static int32_t condition_day(const struct event *condition)
{
    if (condition->onset.precision != DATE_ABSENT)
        return condition->onset.first.day;
    return condition->recorded.precision != DATE_ABSENT ? condition->recorded.first.day : DATE_NONE;
}

/* Relapse codes and relapse states are not the diagnosis, whatever their date. */
static bool is_diagnosis(const struct event *condition)
{
    if (condition->onset.precision == DATE_ABSENT ||
        condition->clinical_status == CLINICAL_RECURRENCE ||
        condition->clinical_status == CLINICAL_RELAPSE)
        return false;
    for (unsigned i = 0; i < condition->meaning_count; i++)
        if (condition->meanings[i].meaning == MEANS_PRIMARY)
            return true;
    return false;
}

static bool is_active(const struct event *condition)
{
    return is_one_of(condition->clinical_status, ONE(CLINICAL_ABSENT) | ONE(CLINICAL_ACTIVE) |
                                                     ONE(CLINICAL_RECURRENCE) |
                                                     ONE(CLINICAL_RELAPSE) | ONE(CLINICAL_UNKNOWN));
}

static void earliest(int32_t *day, int32_t candidate)
{
    if (candidate != DATE_NONE && (*day == DATE_NONE || candidate < *day))
        *day = candidate;
}

static struct cancer *add_cancer(struct engine *engine, const struct disease *disease)
{
    for (unsigned i = 0; i < engine->cancer_count; i++)
        if (engine->cancers[i].disease == disease)
            return &engine->cancers[i];
    if (engine->cancer_count == LOT_CANCERS_MAX)
        return NULL;
    struct cancer *cancer = &engine->cancers[engine->cancer_count++];
    *cancer = (struct cancer){ .disease = disease, .diagnosed = DATE_NONE, .known = DATE_NONE };
    return cancer;
}

static bool add_condition(struct engine *engine, const struct event *condition)
{
    const struct disease *disease = named_disease(condition->meanings, condition->meaning_count);
    if (disease == NULL || !condition_counts(condition))
        return true;
    struct cancer *cancer = add_cancer(engine, disease);
    if (cancer == NULL)
        return false;
    if (cancer->condition == NULL || condition_day(condition) < condition_day(cancer->condition))
        cancer->condition = condition;
    if (is_diagnosis(condition))
        earliest(&cancer->diagnosed, condition->onset.first.day);
    earliest(&cancer->known, condition_day(condition));
    cancer->is_active = cancer->is_active || is_active(condition);
    return true;
}

/* "Some cancer" and "lung" are no cancers of their own beside "nsclc". */
static bool is_covered(const struct engine *engine, unsigned at)
{
    const struct disease *disease = engine->cancers[at].disease;
    for (unsigned i = 0; i < engine->cancer_count; i++) {
        const struct disease *other = engine->cancers[i].disease;
        if (i != at && (is_within(other, disease) || (disease->family == DISEASE_ANY_CANCER &&
                                                      other->family != DISEASE_ANY_CANCER)))
            return true;
    }
    /* Several ways to say "some cancer" are one: the first by index stays. */
    for (unsigned i = 0; i < engine->cancer_count; i++)
        if (disease->family == DISEASE_ANY_CANCER &&
            engine->cancers[i].disease->family == DISEASE_ANY_CANCER &&
            engine->cancers[i].disease->index < disease->index)
            return true;
    return false;
}

static void merge_cancers(struct engine *engine)
{
    bool covered[LOT_CANCERS_MAX];
    for (unsigned i = 0; i < engine->cancer_count; i++)
        covered[i] = is_covered(engine, i);
    for (unsigned i = 0; i < engine->cancer_count; i++) {
        const struct cancer *from = &engine->cancers[i];
        for (unsigned k = 0; covered[i] && k < engine->cancer_count; k++) {
            struct cancer *to = &engine->cancers[k];
            if (covered[k] || !is_within(to->disease, from->disease))
                continue;
            earliest(&to->diagnosed, from->diagnosed);
            earliest(&to->known, from->known);
            to->is_active = to->is_active || from->is_active;
            to->condition = to->condition != NULL ? to->condition : from->condition;
        }
    }
    unsigned kept = 0;
    for (unsigned i = 0; i < engine->cancer_count; i++)
        if (!covered[i])
            engine->cancers[kept++] = engine->cancers[i];
    engine->cancer_count = kept;
}

static void sort_cancers(struct engine *engine)
{
    for (unsigned i = 1; i < engine->cancer_count; i++) {
        struct cancer cancer = engine->cancers[i];
        unsigned k = i;
        for (; k > 0 && slice_cmp(cancer.disease->key, engine->cancers[k - 1].disease->key) < 0;
             k--)
            engine->cancers[k] = engine->cancers[k - 1];
        engine->cancers[k] = cancer;
    }
}

bool cancers_collect(struct engine *engine, struct err *err)
{
    bool fits = true;
    for (unsigned i = 0; i < engine->condition_count; i++)
        fits = add_condition(engine, engine->conditions[i]) && fits;
    for (unsigned i = 0; i < engine->order_count + engine->given_count; i++) {
        const struct event *order =
            i < engine->order_count ? engine->orders[i] : engine->given[i - engine->order_count];
        const struct disease *disease = named_disease(order->reasons, order->reason_count);
        if (disease == NULL ||
            is_one_of(order->status, ONE(STATUS_ENTERED_IN_ERROR) | ONE(STATUS_NOT_DONE)))
            continue;
        struct cancer *cancer = add_cancer(engine, disease);
        if (cancer != NULL && cancer->condition == NULL)
            cancer->is_active = true;
        fits = fits && cancer != NULL;
    }
    if (!fits)
        return err_fail(err, ERR_TOO_LARGE, "therapy", "more than %d different cancers",
                        LOT_CANCERS_MAX);
    merge_cancers(engine);
    sort_cancers(engine);
    return true;
}

/* The cancers that are meant by a disease: itself, what lies within it, or what it lies within. */
static uint32_t cancers_of_disease(const struct engine *engine, const struct disease *disease)
{
    uint32_t found = 0;
    for (unsigned i = 0; i < engine->cancer_count; i++)
        if (is_within(engine->cancers[i].disease, disease) ||
            is_within(disease, engine->cancers[i].disease))
            found |= UINT32_C(1) << i;
    if (found != 0 || disease->family != DISEASE_ANY_CANCER)
        return found;
    if (engine->cancer_count == 1)
        return 1;
    for (unsigned i = 0; i < engine->cancer_count; i++)
        if (engine->cancers[i].disease->family == DISEASE_SOLID)
            found |= UINT32_C(1) << i;
    return (found & (found - 1)) == 0 ? found : 0; /* metastases of the only solid tumour */
}

uint32_t cancers_of_condition(const struct engine *engine, const struct event *condition)
{
    const struct disease *disease = named_disease(condition->meanings, condition->meaning_count);
    return disease != NULL ? cancers_of_disease(engine, disease) : 0;
}

/* --- orders ---------------------------------------------------------------------------------- */

/* The id in "Condition/c1", "https://ehr/fhir/Condition/c1" or ".../c1/_history/2". */
static struct slice reference_id(struct slice reference, struct slice type)
{
    for (size_t i = 0; i + type.len < reference.len; i++) {
        struct slice rest = slice_skip(reference, i);
        if ((i == 0 || reference.at[i - 1] == '/') && slice_starts(rest, type)) {
            rest = slice_skip(rest, type.len);
            return slice_take_until(&rest, '/');
        }
    }
    return (struct slice){ NULL, 0 };
}

static const struct event *find_condition(const struct engine *engine, struct slice id)
{
    unsigned low = 0, high = engine->condition_count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        int order = slice_cmp(engine->conditions[middle]->id, id);
        if (order == 0)
            return engine->conditions[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* A focus that is no Condition of the patient (a tumour as a body structure) says nothing. */
uint32_t cancers_of_observation(const struct engine *engine, const struct event *observation)
{
    uint32_t found = 0;
    bool has_focus = false;
    for (unsigned i = 0; i < observation->focus_count; i++) {
        struct slice id = reference_id(observation->focus[i], SLICE("Condition/"));
        const struct event *condition = id.len > 0 ? find_condition(engine, id) : NULL;
        if (condition == NULL || condition->verification_status == VERIFICATION_ENTERED_IN_ERROR)
            continue; /* as if it had never been there */
        has_focus = true;
        if (condition_counts(condition))
            found |= cancers_of_condition(engine, condition);
    }
    return has_focus || engine->cancer_count != 1 ? found : 1;
}

static struct attribution one_or_many(uint32_t diseases)
{
    return (struct attribution){ .how = ATTRIBUTED,
                                 .diseases = diseases,
                                 .is_ambiguous =
                                     (diseases & (diseases - 1)) != 0 && RULE_ON(EXP_AMBIGUOUS) };
}

/* Codes that say the order is for something else: known, and no cancer, or one that only lies in
 * place.  An encounter for chemotherapy or an old cancer says neither. */
static bool say_elsewhere(const struct condition_code *codes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (disease_is_cancer(codes[i].disease) && codes[i].meaning != MEANS_IN_SITU)
            return false;
    return count > 0;
}

/* The tables hold every cancer code of ICD-10: one that they do not know is no cancer. */
static bool has_icd10(const struct concept *concept)
{
    for (unsigned i = 0; i < concept->count; i++)
        if (is_one_of(concept->codings[i].system,
                      ONE(CODE_ICD10CM) | ONE(CODE_ICD10) | ONE(CODE_ICD10GM)))
            return true;
    return false;
}

/* EXP-016: the Condition that the order names.  One that mappings do not know leaves the order
 * unattributed: it names its reason, so the drug is not asked. */
static struct attribution by_reference(const struct engine *engine, const struct event *order)
{
    struct attribution out = { .how = ATTRIBUTED_NOT_TOLD };
    uint32_t found = 0;
    for (unsigned i = 0; i < order->reason_reference_count; i++) {
        struct slice id = reference_id(order->reason_references[i], SLICE("Condition/"));
        const struct event *condition = id.len > 0 ? find_condition(engine, id) : NULL;
        if (condition == NULL || !condition_counts(condition))
            continue;
        found |= cancers_of_condition(engine, condition);
        if (condition->meaning_count == 0)
            out.how = has_icd10(&condition->code) ? ATTRIBUTED_ELSEWHERE : ATTRIBUTED_NOWHERE;
        else if (say_elsewhere(condition->meanings, condition->meaning_count))
            out.how = ATTRIBUTED_ELSEWHERE;
    }
    return found != 0 ? one_or_many(found) : out;
}

/* EXP-017: the reason code.  A reason that is no cancer keeps the order out. */
static struct attribution by_reason_code(const struct engine *engine, const struct event *order)
{
    const struct disease *disease = named_disease(order->reasons, order->reason_count);
    uint32_t found = disease != NULL ? cancers_of_disease(engine, disease) : 0;
    if (found != 0)
        return one_or_many(found);
    bool is_elsewhere = order->reason_count > 0 ? say_elsewhere(order->reasons, order->reason_count)
                                                : has_icd10(&order->reason_code);
    return (struct attribution){ .how = is_elsewhere ? ATTRIBUTED_ELSEWHERE : ATTRIBUTED_NOT_TOLD };
}

/* EXP-018, EXP-019: by the drug.  The only cancer takes every antineoplastic, and a hormone only if
 * it lists it: megestrol in lung cancer is for the appetite.  Of several, the one that lists the
 * drug, the active one first; cancers found later than the order cannot be meant. */
static struct attribution by_drug(const struct engine *engine, const struct drug *drug,
                                  int32_t start)
{
    if (engine->cancer_count == 1) {
        const struct disease *only = engine->cancers[0].disease;
        bool is_elsewhere = drug->group == DRUG_ENDOCRINE && only->listed != NULL &&
                            only->family != DISEASE_ANY_CANCER && !disease_lists_drug(only, drug);
        return is_elsewhere ? (struct attribution){ .how = ATTRIBUTED_NOWHERE } : one_or_many(1);
    }
    uint32_t listed = 0, active = 0;
    for (unsigned i = 0; i < engine->cancer_count; i++) {
        const struct cancer *cancer = &engine->cancers[i];
        bool is_later = cancer->diagnosed != DATE_NONE &&
                        cancer->diagnosed > start + engine->rules->diagnosis_lookback;
        if (is_later || !disease_lists_drug(cancer->disease, drug))
            continue;
        listed |= UINT32_C(1) << i;
        active |= cancer->is_active ? UINT32_C(1) << i : 0;
    }
    uint32_t found = active != 0 ? active : listed;
    return found != 0 ? one_or_many(found) : (struct attribution){ .how = ATTRIBUTED_NOWHERE };
}

static struct attribution to_chronic(const struct chronic *chronic)
{
    if (chronic->disease == NULL)
        return (struct attribution){ .how = ATTRIBUTED_ELSEWHERE };
    return (struct attribution){ .how = ATTRIBUTED, .diseases = chronic->bit };
}

/* Drugs that are for HIV or for the kidneys, whatever cancers there are.  Antiretrovirals without
 * HIV on record are looked at too: what they were for is told (HIV-002 to HIV-004). */
static bool is_chronic(const struct engine *engine, const struct drug *drug,
                       struct attribution *out)
{
    if (drug->group == DRUG_ANTIRETROVIRAL) {
        *out = (struct attribution){ .how = ATTRIBUTED, .diseases = engine->hiv.bit };
        return true;
    }
    if (drug->group == DRUG_SUPPORTIVE && drug_has(drug, TRAIT_INDUCER)) {
        *out = to_chronic(&engine->hiv);
        return true;
    }
    if (drug->group != DRUG_IMMUNOSUPPRESSANT && drug->group != DRUG_DIALYSIS)
        return false;
    *out = renal_drug_of(&engine->rules->renal, drug) != NULL
               ? to_chronic(&engine->renal)
               : (struct attribution){ .how = ATTRIBUTED_ELSEWHERE };
    return true;
}

/* RRT-016: sirolimus, everolimus and alemtuzumab keep a graft where no cancer lists them. */
static bool is_for_graft(const struct engine *engine, const struct drug *drug)
{
    if (engine->renal.disease == NULL || renal_drug_of(&engine->rules->renal, drug) == NULL)
        return false;
    for (unsigned i = 0; i < engine->cancer_count; i++)
        if (disease_lists_drug(engine->cancers[i].disease, drug))
            return false;
    return true;
}

static bool text_has(struct slice text, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= text.len; i++)
        if (strncasecmp(text.at + i, word, len) == 0)
            return true;
    return false;
}

/* LOT-029: an unmapped drug counts only when its order is tied to a cancer. */
static bool is_trial_agent(const struct event *order)
{
    static const char *const hints[] = { "investigational", "trial", "study drug",
                                         "study medication" };
    for (size_t i = 0; i < COUNT_OF(hints); i++)
        if (text_has(order->medication.text, hints[i]))
            return true;
    return false;
}

struct attribution attribute_order(const struct engine *engine, const struct event *order,
                                   const struct drug *drug, int32_t start)
{
    struct attribution out;
    if (is_chronic(engine, drug, &out))
        return out;
    out = by_reference(engine, order);
    out.rule = RULE_EXP_BY_REFERENCE;
    if (out.how != ATTRIBUTED_NOT_TOLD && RULE_ON(EXP_BY_REFERENCE))
        return out;
    out = by_reason_code(engine, order);
    out.rule = RULE_EXP_BY_CODE;
    if (out.how != ATTRIBUTED_NOT_TOLD && RULE_ON(EXP_BY_CODE))
        return out;
    if (is_for_graft(engine, drug))
        return to_chronic(&engine->renal);
    out = (struct attribution){ .how = ATTRIBUTED_NOWHERE, .rule = RULE_EXP_UNATTRIBUTED };
    if (engine->cancer_count == 0)
        return out;
    if (drug->group != DRUG_UNKNOWN) {
        if (RULE_ON(EXP_BY_CONDITION))
            out = by_drug(engine, drug, start);
        out.rule = RULE_EXP_BY_CONDITION;
        return out;
    }
    /* EXP-021: else it stays in the list of what mappings do not know. */
    if (is_trial_agent(order) && engine->cancer_count == 1 && RULE_ON(UNKNOWN_AGENT))
        return one_or_many(1);
    return (struct attribution){ .how = ATTRIBUTED_ELSEWHERE, .rule = RULE_EXP_UNKNOWN };
}
