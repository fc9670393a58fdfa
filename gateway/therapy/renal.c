#include "therapy/renal.h"

#include "therapy/attribute.h"
#include "therapy/evidence.h"
#include "therapy/left_out.h"
#include "therapy/renal_int.h"

/* --- RRT-001: the disease -------------------------------------------------------------------- */

static bool names_renal(const struct event *condition, enum condition_meaning meaning)
{
    return condition_means(condition, DISEASE_RENAL, meaning);
}

static const struct disease *renal_disease(const struct event *condition)
{
    for (unsigned i = 0; i < condition->meaning_count; i++)
        if (condition->meanings[i].disease->family == DISEASE_RENAL)
            return condition->meanings[i].disease;
    return NULL;
}

/* The disease by its own code, or a graft, which nobody has without it.  Dialysis alone may be for
 * an acute injury. */
static bool proves_disease(const struct event *condition)
{
    return names_renal(condition, MEANS_PRIMARY) || names_renal(condition, MEANS_TRANSPLANT) ||
           names_renal(condition, MEANS_TRANSPLANT_FAILURE);
}

static bool has_transplant_procedure(const struct engine *engine)
{
    for (unsigned i = 0; i < engine->procedure_count; i++) {
        const struct event *procedure = engine->procedures[i];
        if (procedure->procedure == PROCEDURE_KIDNEY_TRANSPLANT &&
            !is_one_of(procedure->status,
                       ONE(STATUS_ENTERED_IN_ERROR) | ONE(STATUS_NOT_DONE) | ONE(STATUS_DRAFT)))
            return true;
    }
    return false;
}

/* The disease of a family, where only a Procedure names it. */
static const struct disease *any_renal(const struct rules *rules)
{
    for (unsigned i = 0; i < rules->disease_count; i++)
        if (rules->diseases[i]->family == DISEASE_RENAL)
            return rules->diseases[i];
    return NULL;
}

void renal_find(struct engine *engine)
{
    struct chronic *renal = &engine->renal;
    *renal = (struct chronic){ .known = DATE_NONE, .bit = DISEASES_NONE };
    for (unsigned i = 0; i < engine->condition_count; i++) {
        const struct event *condition = engine->conditions[i];
        if (!condition_counts(condition) || (!proves_disease(condition) && RULE_ON(RRT_DIAGNOSIS)))
            continue;
        const struct disease *disease = renal_disease(condition);
        int32_t day = condition_known(condition);
        if (disease == NULL)
            continue;
        bool is_earlier = day != DATE_NONE && (renal->known == DATE_NONE || day < renal->known);
        renal->disease = renal->disease != NULL ? renal->disease : disease;
        if (renal->condition == NULL || is_earlier)
            renal->condition = condition;
        if (is_earlier)
            renal->known = day;
    }
    if (renal->disease == NULL && has_transplant_procedure(engine))
        renal->disease = any_renal(engine->rules);
}

/* --- lines ----------------------------------------------------------------------------------- */

static bool is_graft(enum renal_state state)
{
    return state == RENAL_PREEMPTIVE_TRANSPLANT || state == RENAL_TRANSPLANT ||
           state == RENAL_TRANSPLANT_AFTER_FAILURE || state == RENAL_RETRANSPLANT;
}

/* RRT-016: what was ordered around a transplant, and to keep the graft. */
static void add_drugs(const struct renal_course *course, const struct renal_line *line, int32_t end,
                      struct line *out)
{
    const struct engine *engine = course->engine;
    int32_t from = line->start - course->rules->induction_near;
    const struct drug **drugs =
        arena_alloc_raw(engine->arena, (LOT_DRUGS_MAX + 1) * sizeof(*drugs));
    const struct event **sources =
        arena_alloc_raw(engine->arena, (engine->exposure_count + 1) * sizeof(*sources));
    if (drugs == NULL || sources == NULL)
        return;
    for (unsigned i = 0; i < engine->exposure_count; i++) {
        const struct exposure *exposure = &engine->exposures[i];
        const struct renal_drug *role = renal_drug_of(course->rules, exposure->drug);
        bool is_there =
            exposure->start.day <= end && (exposure->is_open || exposure->end.day >= from) &&
            (exposure->start.day >= from || exposure->is_open || exposure->end.day >= line->start);
        if ((exposure->diseases & engine->renal.bit) == 0 || role == NULL ||
            role->role == RENAL_PERITONEAL_FLUID || !is_there || !RULE_ON(RRT_DRUGS))
            continue;
        out->proof |= exposure->proof;
        unsigned at = 0;
        while (at < out->drug_count && slice_cmp(drugs[at]->name, exposure->drug->name) < 0)
            at++;
        if ((at == out->drug_count || drugs[at] != exposure->drug) &&
            out->drug_count < LOT_DRUGS_MAX) {
            memmove(&drugs[at + 1], &drugs[at], (out->drug_count - at) * sizeof(*drugs));
            drugs[at] = exposure->drug;
            out->drug_count++;
        }
        if (exposure->start.day >= from &&
            (out->source_count == 0 || sources[out->source_count - 1] != exposure->order))
            sources[out->source_count++] = exposure->order;
    }
    out->drugs = drugs;
    out->sources = sources;
}

static enum segment_kind segment_of(const struct renal_mark *mark)
{
    return mark->kind == RENAL_MARK_HAEMODIALYSIS ? SEGMENT_HAEMODIALYSIS
           : mark->kind == RENAL_MARK_PERITONEAL  ? SEGMENT_PERITONEAL_DIALYSIS
                                                  : SEGMENT_DIALYSIS;
}

/* Kinds of dialysis in a row; "dialysis" on its own adds nothing to what is known. */
static void make_segments(const struct renal_course *course, const struct renal_line *line,
                          struct line *out)
{
    struct segment *segments = ARENA_ARRAY(course->engine->arena, struct segment, LOT_SEGMENTS_MAX);
    if (segments == NULL)
        return;
    unsigned count = 0;
    segments[count++] =
        (struct segment){ .kind = is_graft(line->state) ? SEGMENT_GRAFT : SEGMENT_DIALYSIS,
                          .start = out->start,
                          .drugs = out->drugs,
                          .drug_count = out->drug_count };
    for (unsigned i = 0; i < course->mark_count && !is_graft(line->state); i++) {
        const struct renal_mark *mark = &course->marks[i];
        struct segment *last = &segments[count - 1];
        if (!renal_is_dialysis(mark) || mark->kind == RENAL_MARK_DIALYSIS ||
            mark->day < line->start || mark->day > out->end.day || last->kind == segment_of(mark))
            continue;
        if (last->start.day == mark->day || last->kind == SEGMENT_DIALYSIS) {
            last->kind = segment_of(mark);
            continue;
        }
        if (count == LOT_SEGMENTS_MAX)
            break;
        last->end.day = mark->day - 1;
        segments[count++] = (struct segment){ .kind = segment_of(mark), .start = { mark->day } };
    }
    segments[count - 1].end = out->end;
    out->segments = segments;
    out->segment_count = count;
}

/* A state lasts until the next begins: renal replacement does not pause. */
static void finish_line(const struct renal_course *course, unsigned at, struct line *out)
{
    const struct renal_line *line = &course->lines[at];
    const struct renal_line *next = at + 1 < course->line_count ? &course->lines[at + 1] : NULL;
    out->number = at + 1 + course->is_truncated;
    out->number_min = out->number;
    out->number_max = course->is_truncated ? 0 : out->number;
    out->start.day = line->start;
    out->end.day = next == NULL                ? course->engine->as_of
                   : next->start > line->start ? next->start - 1
                                               : line->start;
    out->is_open = next == NULL;
    out->regimen = course->rules->states[line->state].name;
    if (is_graft(line->state))
        add_drugs(course, line, out->end.day, out);
    make_segments(course, line, out);
    out->opened_by = line->opened_by;
    if (next != NULL)
        out->closed_by = next->opened_by;
    out->notes = line->notes;
    out->note_count = line->note_count;
    const struct slice words[] = { line->opened_by.evidence_count > 0
                                       ? line->opened_by.evidence[0]->id
                                       : SLICE("") };
    identity_make(course->engine->renal.disease->key, line->start, words, COUNT_OF(words), out->id);
}

/* --- the history ----------------------------------------------------------------------------- */

bool renal_derive(struct engine *engine, struct history *out, struct err *err)
{
    struct renal_course course = { .engine = engine, .rules = &engine->rules->renal };
    if (!renal_collect(&course, err) || !renal_make_lines(&course, err))
        return false;
    for (unsigned i = 0; i < course.mark_count; i++)
        if (course.marks[i].kind == RENAL_MARK_FAILURE)
            evidence_add(engine, &(struct atom){ .kind = EVIDENCE_GRAFT_FAILURE,
                                                 .strength = STRENGTH_CODE,
                                                 .day = course.marks[i].day,
                                                 .diseases = engine->renal.bit,
                                                 .event = course.marks[i].event });
    struct line *lines = ARENA_ARRAY(engine->arena, struct line, course.line_count + 1);
    for (unsigned i = 0; lines != NULL && i < course.line_count; i++)
        finish_line(&course, i, &lines[i]);
    out->disease = engine->renal.disease;
    out->rules = SLICE("lifeline"); /* no rule set of others speaks of it */
    out->condition = engine->renal.condition;
    out->lines = lines;
    out->line_count = lines != NULL ? course.line_count : 0;
    renal_reach_verdict(&course, &out->verdict);
    return true;
}

void renal_set_aside(struct engine *engine)
{
    const struct slice text =
        SLICE("dialysis without end-stage renal disease on record: an acute injury may recover");
    for (unsigned i = 0; i < engine->procedure_count && engine->renal.disease == NULL; i++) {
        const struct event *procedure = engine->procedures[i];
        bool is_dialysis = procedure->procedure == PROCEDURE_HAEMODIALYSIS ||
                           procedure->procedure == PROCEDURE_PERITONEAL_DIALYSIS ||
                           procedure->procedure == PROCEDURE_DIALYSIS;
        if (is_dialysis && procedure->status != STATUS_ENTERED_IN_ERROR)
            left_out_tell(engine, procedure, RULE_RRT_DIAGNOSIS, text);
    }
}
