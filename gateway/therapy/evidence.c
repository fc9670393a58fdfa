#include "therapy/evidence.h"

#include <strings.h>

#include "therapy/attribute.h"
#include "therapy/exposure.h"

static void add_atom(struct engine *engine, const struct atom *atom)
{
    if (atom->day == DATE_NONE || atom->diseases == 0)
        return;
    if (atom->day > engine->as_of) {
        engine_changes_on(engine, atom->day);
        return;
    }
    engine->atoms[engine->atom_count++] = *atom;
}

/* EVD-013: a month or a year is not the day it began on.  When it was recorded within it, it was
 * known by that day; else its first day stands for it, and the grade says so. */
static int32_t onset_day(const struct event *condition, bool *is_partial)
{
    const struct date_span *onset = &condition->onset, *recorded = &condition->recorded;
    *is_partial = onset->precision != DATE_DAY && RULE_ON(EVD_PARTIAL);
    if (!*is_partial || recorded->precision != DATE_DAY || recorded->first.day < onset->first.day ||
        recorded->first.day > onset->last.day)
        return onset->first.day;
    *is_partial = false;
    return recorded->first.day;
}

/* EVD-008: onset, else the day of recording.  A Condition keeps the onset of the disease when its
 * status changes to relapse; what is known then is only the day on which that was recorded. */
static int32_t state_day(const struct engine *engine, const struct event *condition,
                         uint32_t diseases, bool *is_partial)
{
    *is_partial = false;
    bool has_onset = condition->onset.precision != DATE_ABSENT;
    bool has_recorded = condition->recorded.precision != DATE_ABSENT;
    if (!has_onset)
        return has_recorded ? condition->recorded.first.day : DATE_NONE;
    int32_t onset = onset_day(condition, is_partial);
    bool is_first = true;
    for (unsigned i = 0; i < engine->cancer_count; i++)
        if ((diseases >> i & 1) != 0 && engine->cancers[i].known < onset)
            is_first = false;
    if (is_first && has_recorded && condition->recorded.first.day > onset && RULE_ON(EVD_DATE))
        return condition->recorded.first.day;
    return onset;
}

static int32_t code_day(const struct event *condition, bool *is_partial)
{
    if (condition->onset.precision != DATE_ABSENT)
        return onset_day(condition, is_partial);
    *is_partial = condition->recorded.precision != DATE_DAY && RULE_ON(EVD_PARTIAL);
    return condition->recorded.precision != DATE_ABSENT ? condition->recorded.first.day : DATE_NONE;
}

static bool has_meaning(const struct event *condition, enum condition_meaning meaning)
{
    for (unsigned i = 0; i < condition->meaning_count; i++)
        if (condition->meanings[i].meaning == meaning)
            return true;
    return false;
}

/* --- EVD-010: words of the Condition's own text ---------------------------------------------- */

static bool text_has(struct slice text, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= text.len; i++)
        if (strncasecmp(text.at + i, word, len) == 0)
            return true;
    return false;
}

static bool text_has_any(struct slice text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text_has(text, words[i]))
            return true;
    return false;
}

/* False when the text says nothing of the kind, or says it with a "no", a risk or a past. */
static bool text_evidence(struct slice text, enum evidence_kind *kind)
{
    static const char *const denials[] = { "no ",           "not ",          "without ",
                                           "risk",          "history",       "free",
                                           "rule out",      "suspected",     "possible",
                                           "refractory an", "refractory cyt" };
    static const char *const progressions[] = { "progressive disease", "progression",
                                                "progressed" };
    static const char *const relapses[] = { "relapse", "recurrent", "recurrence" };
    if (text_has_any(text, denials, COUNT_OF(denials)))
        return false;
    if (text_has(text, "refractory"))
        *kind = EVIDENCE_REFRACTORY;
    else if (text_has_any(text, progressions, COUNT_OF(progressions)))
        *kind = EVIDENCE_PROGRESSION;
    else if (text_has_any(text, relapses, COUNT_OF(relapses)))
        *kind = EVIDENCE_RELAPSE;
    else
        return false;
    return true;
}

/* --- Conditions ------------------------------------------------------------------------------ */

static bool is_in_remission(const struct event *condition)
{
    return is_one_of(condition->clinical_status,
                     ONE(CLINICAL_REMISSION) | ONE(CLINICAL_INACTIVE) | ONE(CLINICAL_RESOLVED));
}

/* EVD-002 and EVD-003: the status, the code, then the words. */
static void add_relapse(struct engine *engine, const struct event *condition, struct atom atom)
{
    bool is_relapse_state = (condition->clinical_status == CLINICAL_RELAPSE ||
                             condition->clinical_status == CLINICAL_RECURRENCE) &&
                            RULE_ON(EVD_CLINICAL_STATUS);
    bool is_refractory_code = has_meaning(condition, MEANS_REFRACTORY) && RULE_ON(EVD_CODE);
    bool is_relapse_code =
        (has_meaning(condition, MEANS_IN_RELAPSE) || has_meaning(condition, MEANS_RECURRENT)) &&
        RULE_ON(EVD_CODE);
    enum evidence_kind worded;
    atom.day = code_day(condition, &atom.is_partial);
    if (is_refractory_code) {
        atom.kind = EVIDENCE_REFRACTORY;
        atom.strength = is_relapse_state ? STRENGTH_STATUS : STRENGTH_CODE;
    } else if (is_relapse_state) {
        atom.kind = EVIDENCE_RELAPSE;
        atom.strength = STRENGTH_STATUS;
        if (!is_relapse_code)
            atom.day = state_day(engine, condition, atom.diseases, &atom.is_partial);
    } else if (is_relapse_code) {
        atom.kind = EVIDENCE_RELAPSE;
        atom.strength = STRENGTH_CODE;
    } else if (!is_in_remission(condition) && text_evidence(condition->code.text, &worded) &&
               RULE_ON(EVD_TEXT)) {
        atom.kind = worded;
        atom.strength = STRENGTH_CODE;
        atom.day = state_day(engine, condition, atom.diseases, &atom.is_partial);
    } else {
        return;
    }
    add_atom(engine, &atom);
}

/* EVD-004 */
static void add_remission(struct engine *engine, const struct event *condition, struct atom atom)
{
    if (has_meaning(condition, MEANS_IN_REMISSION))
        atom.day = code_day(condition, &atom.is_partial);
    else if (!is_in_remission(condition))
        return;
    else if (condition->abatement.precision != DATE_ABSENT)
        atom.day = condition->abatement.first.day;
    else
        atom.day = state_day(engine, condition, atom.diseases, &atom.is_partial);
    if (!RULE_ON(EVD_REMISSION))
        return;
    atom.kind = EVIDENCE_REMISSION;
    atom.strength = STRENGTH_CODE;
    add_atom(engine, &atom);
}

/* EVD-006: a metastasis code is a candidate only, and with the primary it is the stage. */
static void add_metastasis(struct engine *engine, const struct event *condition, struct atom atom)
{
    if (!has_meaning(condition, MEANS_METASTATIC) || !RULE_ON(EVD_METASTASIS))
        return;
    atom.day = code_day(condition, &atom.is_partial);
    for (unsigned i = 0; i < engine->cancer_count; i++) {
        int32_t known = engine->cancers[i].known;
        bool is_stage = known != DATE_NONE && atom.day != DATE_NONE &&
                        atom.day - known <= engine->rules->metastasis_with_primary;
        if (is_stage)
            atom.diseases &= ~(UINT32_C(1) << i);
    }
    atom.kind = EVIDENCE_METASTASIS;
    atom.strength = STRENGTH_METASTASIS;
    add_atom(engine, &atom);
}

static void add_condition(struct engine *engine, const struct event *condition)
{
    if (!condition_counts(condition)) /* EVD-007 */
        return;
    struct atom atom = { .event = condition,
                         .diseases = cancers_of_condition(engine, condition),
                         .day = DATE_NONE };
    if (atom.diseases == 0 || (atom.diseases & (atom.diseases - 1)) != 0)
        return; /* evidence about an unclear disease is evidence about none */
    add_relapse(engine, condition, atom);
    add_remission(engine, condition, atom);
    add_metastasis(engine, condition, atom);
    if (has_meaning(condition, MEANS_CASTRATION_RESISTANT) && RULE_ON(EVD_CASTRATION)) {
        atom.kind = EVIDENCE_CASTRATION;
        atom.strength = STRENGTH_CODE;
        atom.day = code_day(condition, &atom.is_partial);
        add_atom(engine, &atom);
    }
}

/* EVD-005: an active Condition that is later than a remission, where codes cannot say relapse. */
static void add_inferred(struct engine *engine)
{
    unsigned known = engine->atom_count;
    int32_t remission[LOT_CANCERS_MAX];
    for (unsigned i = 0; i < engine->cancer_count; i++)
        remission[i] = DATE_NONE;
    for (unsigned i = 0; i < known; i++) {
        const struct atom *atom = &engine->atoms[i];
        if (atom->kind != EVIDENCE_REMISSION)
            continue;
        unsigned cancer = (unsigned)__builtin_ctz(atom->diseases);
        if (remission[cancer] == DATE_NONE || atom->day < remission[cancer])
            remission[cancer] = atom->day;
    }
    for (unsigned i = 0; i < engine->condition_count; i++) {
        const struct event *condition = engine->conditions[i];
        uint32_t diseases = cancers_of_condition(engine, condition);
        if (diseases == 0 || (diseases & (diseases - 1)) != 0 || !condition_counts(condition) ||
            condition->clinical_status != CLINICAL_ACTIVE ||
            !has_meaning(condition, MEANS_PRIMARY) || has_meaning(condition, MEANS_IN_REMISSION))
            continue;
        unsigned cancer = (unsigned)__builtin_ctz(diseases);
        const struct profile *profile =
            rules_profile(engine->rules, engine->cancers[cancer].disease);
        bool is_partial;
        int32_t day = code_day(condition, &is_partial);
        if (profile == NULL || !profile->infer_relapse || remission[cancer] == DATE_NONE ||
            day == DATE_NONE || day <= remission[cancer] || !RULE_ON(EVD_INFERRED))
            continue;
        add_atom(engine, &(struct atom){ .kind = EVIDENCE_RELAPSE,
                                         .strength = STRENGTH_INFERRED,
                                         .day = day,
                                         .is_partial = is_partial,
                                         .diseases = diseases,
                                         .event = condition });
    }
}

/* --- Observations ---------------------------------------------------------------------------- */

/* EVD-012: mCODE's cancer disease status, once it is final. */
static void add_observed(struct engine *engine, const struct event *observation)
{
    static const struct {
        bool is_told;
        enum evidence_kind kind;
        enum evidence_strength strength;
    } kinds[FINDING_VALUE_COUNT] = {
        [FINDING_WORSENED] = { true, EVIDENCE_PROGRESSION, STRENGTH_STATUS },
        [FINDING_REMISSION] = { true, EVIDENCE_REMISSION, STRENGTH_CODE },
        [FINDING_NOT_DETECTED] = { true, EVIDENCE_REMISSION, STRENGTH_CODE },
        [FINDING_IMPROVED] = { true, EVIDENCE_RESPONSE, STRENGTH_CODE },
        [FINDING_STABLE] = { true, EVIDENCE_STABLE, STRENGTH_CODE },
    };
    struct date_span day = observation->effective.precision != DATE_ABSENT ? observation->effective
                                                                           : observation->recorded;
    if (observation->observation != OBSERVATION_DISEASE_STATUS ||
        observation->status != STATUS_COMPLETED || !kinds[observation->finding].is_told ||
        day.precision == DATE_ABSENT || !RULE_ON(EVD_OBSERVED))
        return;
    uint32_t diseases = cancers_of_observation(engine, observation);
    if ((diseases & (diseases - 1)) != 0)
        return; /* evidence about an unclear disease is evidence about none */
    add_atom(engine, &(struct atom){ .kind = kinds[observation->finding].kind,
                                     .strength = kinds[observation->finding].strength,
                                     .day = day.first.day,
                                     .is_partial = day.precision != DATE_DAY,
                                     .diseases = diseases,
                                     .event = observation });
}

/* --- orders ---------------------------------------------------------------------------------- */

/* EVD-001: an order stopped for progression dates it to its end; an order that goes on and names
 * progression was made because of it. */
static void add_stopped(struct engine *engine)
{
    const struct event *last = NULL;
    for (unsigned i = 0; i < engine->exposure_count; i++) {
        const struct exposure *exposure = &engine->exposures[i];
        if (exposure->order->stop_reason != STOP_PROGRESSION || exposure->is_ambiguous ||
            exposure->order == last || !RULE_ON(EVD_STOP_REASON))
            continue;
        last = exposure->order;
        bool is_new_order = exposure->order->status == STATUS_ACTIVE;
        add_atom(
            engine,
            &(struct atom){ .kind = EVIDENCE_PROGRESSION,
                            .strength = STRENGTH_STOP,
                            .day = is_new_order ? exposure->start.day : exposure_stop_day(exposure),
                            .order_start = is_new_order ? INT32_MIN : exposure->start.day,
                            .diseases = exposure->diseases,
                            .event = exposure->order });
    }
}

static bool is_given_up(const struct event *event)
{
    return event->stop_reason == STOP_PROGRESSION &&
           is_one_of(event->status, ONE(STATUS_STOPPED) | ONE(STATUS_NOT_DONE)) &&
           event->effective.precision != DATE_ABSENT && RULE_ON(EVD_GIVEN);
}

static void add_given_up(struct engine *engine, const struct event *event, int32_t order_start,
                         uint32_t diseases)
{
    const struct date_span *day =
        event->effective_end.precision != DATE_ABSENT ? &event->effective_end : &event->effective;
    if ((diseases & (diseases - 1)) == 0)
        add_atom(engine, &(struct atom){ .kind = EVIDENCE_PROGRESSION,
                                         .strength = STRENGTH_STOP,
                                         .day = day->last.day,
                                         .order_start = order_start,
                                         .is_partial = day->precision != DATE_DAY,
                                         .diseases = diseases,
                                         .event = event });
}

/* EVD-014: an administration (or a dispense) that was stopped for progression, or not done because
 * of it, says so of its day, also where its order says nothing. */
static void add_given(struct engine *engine)
{
    for (unsigned i = 0; i < engine->exposure_count; i++) {
        const struct exposure *exposure = &engine->exposures[i];
        for (unsigned k = 0; k < exposure->fulfilment_count; k++)
            if (is_given_up(exposure->fulfilments[k]))
                add_given_up(engine, exposure->fulfilments[k], exposure->start.day,
                             exposure->diseases);
    }
    for (unsigned i = 0; i < engine->given_count; i++) {
        const struct event *event = engine->given[i];
        if (event->status != STATUS_NOT_DONE || event->drug_count == 0 || !is_given_up(event))
            continue;
        struct attribution found =
            attribute_order(engine, event, event->drugs[0], event->effective.first.day);
        if (found.how == ATTRIBUTED)
            add_given_up(engine, event, INT32_MIN, found.diseases);
    }
}

/* Day, strength, then type and id, which only print and never decide (RULES_SPEC 4.1.7). */
static bool atom_before(const struct atom *a, const struct atom *b)
{
    if (a->day != b->day)
        return a->day < b->day;
    if (a->strength != b->strength)
        return a->strength > b->strength;
    if (a->kind != b->kind)
        return a->kind < b->kind;
    if (a->event->type != b->event->type)
        return a->event->type < b->event->type;
    return slice_cmp(a->event->id, b->event->id) < 0;
}

static void sift_down(struct atom *atoms, unsigned from, unsigned count)
{
    for (unsigned child; (child = 2 * from + 1) < count; from = child) {
        if (child + 1 < count && atom_before(&atoms[child], &atoms[child + 1]))
            child++;
        if (!atom_before(&atoms[from], &atoms[child]))
            return;
        struct atom swap = atoms[from];
        atoms[from] = atoms[child];
        atoms[child] = swap;
    }
}

static void sort_atoms(struct atom *atoms, unsigned count)
{
    for (unsigned i = count / 2; i-- > 0;)
        sift_down(atoms, i, count);
    for (unsigned left = count; left-- > 1;) {
        struct atom swap = atoms[0];
        atoms[0] = atoms[left];
        atoms[left] = swap;
        sift_down(atoms, 0, left);
    }
}

bool evidence_collect(struct engine *engine, struct err *err)
{
    size_t most = (size_t)engine->condition_count * 7 + (size_t)engine->exposure_count * 2 +
                  (size_t)engine->observation_count * 3 + engine->given_count + 1;
    for (unsigned i = 0; i < engine->exposure_count; i++)
        most += engine->exposures[i].fulfilment_count;
    engine->atoms = arena_alloc_raw(engine->arena, most * sizeof(struct atom));
    if (engine->atoms == NULL)
        return err_fail(err, ERR_TOO_LARGE, "therapy", "too much evidence for one derivation");
    for (unsigned i = 0; i < engine->condition_count; i++)
        add_condition(engine, engine->conditions[i]);
    add_inferred(engine);
    for (unsigned i = 0; i < engine->observation_count; i++)
        add_observed(engine, engine->observations[i]);
    add_stopped(engine);
    add_given(engine);
    sort_atoms(engine->atoms, engine->atom_count);
    return true;
}

void evidence_add(struct engine *engine, const struct atom *atom)
{
    unsigned at = engine->atom_count++;
    for (; at > 0 && atom_before(atom, &engine->atoms[at - 1]); at--)
        engine->atoms[at] = engine->atoms[at - 1];
    engine->atoms[at] = *atom;
}
