#include "therapy/derive.h"

#include "therapy/attribute.h"
#include "therapy/evidence.h"
#include "therapy/exposure.h"
#include "therapy/extras.h"
#include "therapy/finish.h"
#include "therapy/hiv.h"
#include "therapy/left_out.h"
#include "therapy/lines.h"
#include "therapy/range.h"
#include "therapy/renal.h"
#include "therapy/verdict.h"

/* --- the patient's events by type ------------------------------------------------------------ */

static bool is_reference_before(const struct event *a, const struct event *b)
{
    if (a->type != b->type)
        return a->type < b->type;
    int order = slice_cmp(a->id, b->id);
    return order != 0 ? order < 0 : a->version < b->version;
}

static void sift_down(const struct event **events, unsigned from, unsigned count)
{
    for (unsigned child; (child = 2 * from + 1) < count; from = child) {
        if (child + 1 < count && is_reference_before(events[child], events[child + 1]))
            child++;
        if (!is_reference_before(events[from], events[child]))
            return;
        const struct event *swap = events[from];
        events[from] = events[child];
        events[child] = swap;
    }
}

/* By type, then id: the order in which lists are printed, whatever order events came in. */
static void sort_references(const struct event **events, unsigned count)
{
    bool is_sorted = true;
    for (unsigned i = 1; i < count && is_sorted; i++)
        is_sorted = !is_reference_before(events[i], events[i - 1]);
    if (is_sorted)
        return;
    for (unsigned i = count / 2; i-- > 0;)
        sift_down(events, i, count);
    for (unsigned left = count; left-- > 1;) {
        const struct event *swap = events[0];
        events[0] = events[left];
        events[left] = swap;
        sift_down(events, 0, left);
    }
}

/* Orders that were taken back are of no interest to anybody; drafts are nobody's order yet. */
static bool is_listed(const struct event *event)
{
    return (event->type == FHIR_MEDICATION_REQUEST || event_is_drug_use(event)) &&
           !is_one_of(event->status,
                      ONE(STATUS_ENTERED_IN_ERROR) | ONE(STATUS_DRAFT) | ONE(STATUS_NOT_DONE));
}

static bool is_listed_unmapped(const struct event *event)
{
    if (!event->is_unmapped)
        return false;
    return event->type == FHIR_CONDITION ? condition_counts(event) : is_listed(event);
}

static bool split_events(struct engine *engine, const struct event *events, size_t count,
                         struct therapy *out)
{
    const struct event **lists = arena_alloc_raw(engine->arena, (7 * count + 1) * sizeof(*lists));
    if (lists == NULL)
        return false;
    engine->orders = lists;
    engine->conditions = lists + count;
    engine->procedures = lists + 2 * count;
    engine->given = lists + 3 * count;
    engine->observations = lists + 4 * count;
    const struct event **unmapped = lists + 5 * count, **conflicting = lists + 6 * count;
    unsigned unmapped_count = 0, conflicting_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct event *event = &events[i];
        if (event->type == FHIR_PROCEDURE && event->drug_count > 0) /* one that gave a drug */
            engine->given[engine->given_count++] = event;
        if (event->type == FHIR_MEDICATION_REQUEST)
            engine->orders[engine->order_count++] = event;
        else if (event->type == FHIR_CONDITION)
            engine->conditions[engine->condition_count++] = event;
        else if (event->type == FHIR_PROCEDURE)
            engine->procedures[engine->procedure_count++] = event;
        else if (event_is_drug_use(event))
            engine->given[engine->given_count++] = event;
        else if (event->type == FHIR_OBSERVATION)
            engine->observations[engine->observation_count++] = event;
        if (is_listed_unmapped(event) && RULE_ON(EXP_UNKNOWN))
            unmapped[unmapped_count++] = event;
        if (event->is_conflicting && is_listed(event) && RULE_ON(EXP_CONFLICT))
            conflicting[conflicting_count++] = event;
    }
    sort_references(engine->conditions, engine->condition_count);
    sort_references(engine->procedures, engine->procedure_count);
    sort_references(engine->given, engine->given_count);
    sort_references(engine->observations, engine->observation_count);
    sort_references(unmapped, unmapped_count);
    out->unmapped = unmapped;
    out->unmapped_count = unmapped_count;
    sort_references(conflicting, conflicting_count);
    out->conflicting = conflicting;
    out->conflicting_count = conflicting_count;
    return true;
}

/* --- histories ------------------------------------------------------------------------------- */

static bool derive_history(struct engine *engine, unsigned cancer, struct history *out,
                           struct err *err)
{
    struct course course;
    if (!course_init(&course, engine, cancer, err))
        return false;
    course.other = range_other_profile(&course);
    if (!lines_sweep(&course, err))
        return false;
    struct line *lines = lines_finish(&course);
    out->disease = course.disease;
    out->rules = course.profile->rules;
    out->condition = course.cancer->condition;
    out->is_ambiguous = course.is_ambiguous;
    out->lines = lines;
    out->line_count = lines != NULL ? course.line_count : 0;
    if (out->line_count == course.line_count)
        verdict_reach(&course, lines, &out->verdict);
    if (out->line_count > 0 && !range_find(&course, cancer, lines, out, err))
        return false;
    if (out->line_count > 0)
        extras_label(&course, &out->verdict);
    out->classes = classes_collect(&course, out->verdict.salvage, &out->class_count);
    extras_options(&course, out);
    return true;
}

/* HIV and the kidneys come after the cancers: bit n of an exposure is history n. */
static void find_chronic(struct engine *engine)
{
    unsigned next = engine->cancer_count;
    hiv_find(engine);
    renal_find(engine);
    if (engine->hiv.disease != NULL)
        engine->hiv.bit = UINT32_C(1) << next++;
    if (engine->renal.disease != NULL)
        engine->renal.bit = UINT32_C(1) << next;
}

static bool derive_histories(struct engine *engine, struct therapy *out, struct err *err)
{
    struct history *histories =
        ARENA_ARRAY(engine->arena, struct history, engine->cancer_count + 2);
    unsigned count = engine->cancer_count;
    if (histories == NULL)
        return true; /* the overfull arena is told at the end */
    for (unsigned i = 0; i < engine->cancer_count; i++)
        if (!derive_history(engine, i, &histories[i], err))
            return false;
    if (engine->hiv.disease != NULL && !hiv_derive(engine, &histories[count++], err))
        return false;
    if (engine->renal.disease != NULL && !renal_derive(engine, &histories[count++], err))
        return false;
    out->histories = histories;
    out->history_count = count;
    return true;
}

bool therapy_derive(const struct rules *rules, const struct event *events, size_t count,
                    struct date as_of, struct arena *arena, struct therapy *out, struct err *err)
{
    struct engine engine;
    struct therapy therapy = { .as_of = as_of, .rules = rules->name };
    memset(&engine, 0, offsetof(struct engine, cancers));
    memset(&engine.cancer_count, 0, sizeof engine - offsetof(struct engine, cancer_count));
    engine.rules = rules;
    engine.as_of = as_of.day;
    engine.arena = arena;
    engine.next_change = DATE_NONE;
    if (!split_events(&engine, events, count, &therapy))
        return err_fail(err, ERR_TOO_LARGE, "therapy", "too many events for one derivation");
    if (!cancers_collect(&engine, err))
        return false;
    find_chronic(&engine);
    if (!exposures_collect(&engine, err) || !evidence_collect(&engine, err) ||
        !derive_histories(&engine, &therapy, err))
        return false;
    hiv_set_aside(&engine);
    renal_set_aside(&engine);
    sort_references(engine.unattributed, engine.unattributed_count);
    therapy.unattributed = engine.unattributed;
    therapy.unattributed_count = engine.unattributed_count;
    therapy.exposures = engine.exposures;
    therapy.exposure_count = engine.exposure_count;
    therapy.atoms = engine.atoms;
    therapy.atom_count = engine.atom_count;
    therapy.procedures = engine.procedures;
    therapy.procedure_count = engine.procedure_count;
    therapy.observations = engine.observations;
    therapy.observation_count = engine.observation_count;
    left_out_finish(&engine, events, count, &therapy);
    therapy.cumulative = extras_cumulative(&engine, &therapy.cumulative_count);
    therapy.next_change.day = engine.next_change;
    if (arena_overflowed(arena))
        return err_fail(err, ERR_TOO_LARGE, "therapy", "the answer does not fit into its memory");
    *out = therapy;
    return true;
}
