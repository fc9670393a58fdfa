/* What is on record: dialysis, transplants, failed grafts and accesses, each on its day. */
#include "therapy/renal_int.h"

#include "therapy/attribute.h"

bool renal_is_dialysis(const struct renal_mark *mark)
{
    return is_one_of(mark->kind, ONE(RENAL_MARK_HAEMODIALYSIS) | ONE(RENAL_MARK_PERITONEAL) |
                                     ONE(RENAL_MARK_DIALYSIS));
}

static void add_mark(struct renal_course *course, const struct renal_mark *mark)
{
    if (mark->day == DATE_NONE)
        return;
    if (mark->day > course->engine->as_of)
        engine_changes_on(course->engine, mark->day);
    else
        course->marks[course->mark_count++] = *mark;
}

/* --- Procedures ------------------------------------------------------------------------------ */

static bool is_done(const struct event *procedure)
{
    return !is_one_of(procedure->status, ONE(STATUS_ENTERED_IN_ERROR) | ONE(STATUS_NOT_DONE) |
                                             ONE(STATUS_DRAFT) | ONE(STATUS_CANCELLED));
}

static void add_procedure(struct renal_course *course, const struct event *procedure)
{
    static const struct {
        enum procedure_kind procedure;
        enum renal_kind kind;
    } kinds[] = { { PROCEDURE_HAEMODIALYSIS, RENAL_MARK_HAEMODIALYSIS },
                  { PROCEDURE_PERITONEAL_DIALYSIS, RENAL_MARK_PERITONEAL },
                  { PROCEDURE_DIALYSIS, RENAL_MARK_DIALYSIS },
                  { PROCEDURE_KIDNEY_TRANSPLANT, RENAL_MARK_TRANSPLANT } };
    struct renal_mark mark = { .event = procedure,
                               .is_procedure = true,
                               .rule = RULE_RRT_TRANSPLANT };
    size_t at = 0;
    while (at < COUNT_OF(kinds) && kinds[at].procedure != procedure->procedure)
        at++;
    if (at == COUNT_OF(kinds))
        return;
    mark.kind = kinds[at].kind;
    if (procedure->effective.precision == DATE_ABSENT || !is_done(procedure))
        return;
    mark.day = mark.end = procedure->effective.first.day;
    if (procedure->effective_end.precision != DATE_ABSENT)
        mark.end = procedure->effective_end.last.day;
    else if (procedure->status == STATUS_ACTIVE)
        mark.end = course->engine->as_of;
    if (mark.end > course->engine->as_of)
        mark.end = course->engine->as_of;
    add_mark(course, &mark);
}

/* --- orders ---------------------------------------------------------------------------------- */

static void add_fluid(struct renal_course *course, const struct exposure *exposure)
{
    const struct renal_drug *drug = renal_drug_of(course->rules, exposure->drug);
    if ((exposure->diseases & course->engine->renal.bit) == 0 || drug == NULL ||
        drug->role != RENAL_PERITONEAL_FLUID)
        return;
    add_mark(course, &(struct renal_mark){ .day = exposure->start.day,
                                           .end = exposure->end.day,
                                           .kind = RENAL_MARK_PERITONEAL,
                                           .is_procedure = true,
                                           .event = exposure->order });
}

/* --- Conditions ------------------------------------------------------------------------------ */

static void add_condition(struct renal_course *course, const struct event *condition)
{
    struct renal_mark mark = { .day = condition_known(condition), .event = condition };
    if (!condition_counts(condition))
        return;
    mark.end = mark.day;
    if (condition_means(condition, DISEASE_RENAL, MEANS_TRANSPLANT_FAILURE) &&
        RULE_ON(RRT_GRAFT_FAILURE)) {
        mark.kind = RENAL_MARK_FAILURE;
        mark.rule = RULE_RRT_GRAFT_FAILURE;
    } else if (condition_means(condition, DISEASE_RENAL, MEANS_ACCESS_FAILURE)) {
        mark.kind = RENAL_MARK_ACCESS;
    } else if (condition_means(condition, DISEASE_RENAL, MEANS_DIALYSIS)) {
        mark.kind = RENAL_MARK_DIALYSIS;
    } else {
        return;
    }
    add_mark(course, &mark);
}

/* --- transplants without a Procedure --------------------------------------------------------- */

static bool is_induction(const struct renal_course *course, const struct exposure *exposure,
                         bool is_alone)
{
    const struct renal_drug *drug = renal_drug_of(course->rules, exposure->drug);
    bool is_ours = (exposure->diseases & course->engine->renal.bit) != 0 && drug != NULL;
    return is_ours &&
           (drug->role == RENAL_INDUCTION_ONLY || (!is_alone && drug->role == RENAL_INDUCTION));
}

static int32_t last_of(const struct renal_course *course, enum renal_kind kind, int32_t until)
{
    int32_t last = DATE_NONE;
    for (unsigned i = 0; i < course->mark_count; i++)
        if (course->marks[i].kind == kind && course->marks[i].day <= until &&
            course->marks[i].day > last)
            last = course->marks[i].day;
    return last;
}

/* RRT-007: the induction that dates a transplant known from a code; the last before the code, and
 * after the graft before has failed. */
static const struct exposure *find_induction(const struct renal_course *course, int32_t after,
                                             int32_t until)
{
    const struct engine *engine = course->engine;
    const struct exposure *found = NULL;
    for (unsigned i = 0; i < engine->exposure_count; i++) {
        const struct exposure *exposure = &engine->exposures[i];
        if (exposure->start.day > after && exposure->start.day <= until &&
            is_induction(course, exposure, false) && (found == NULL || after == DATE_NONE))
            found = exposure;
    }
    return found;
}

/* A code says that there is a graft: that of the transplant before it, when one is on record. */
static void add_coded_transplant(struct renal_course *course, const struct event *condition)
{
    int32_t day = condition_known(condition);
    if (!condition_counts(condition) || day == DATE_NONE ||
        !condition_means(condition, DISEASE_RENAL, MEANS_TRANSPLANT))
        return;
    if (day > course->engine->as_of) {
        engine_changes_on(course->engine, day);
        return;
    }
    int32_t near = course->rules->induction_near;
    int32_t transplant = last_of(course, RENAL_MARK_TRANSPLANT, day + near);
    int32_t failure = last_of(course, RENAL_MARK_FAILURE, day);
    if (transplant != DATE_NONE && failure <= transplant)
        return;
    struct renal_mark mark = { .kind = RENAL_MARK_TRANSPLANT, .event = condition };
    const struct exposure *induction =
        RULE_ON(RRT_INDUCTION) ? find_induction(course, failure, day + near) : NULL;
    if (induction != NULL) {
        mark.day = mark.end = induction->start.day;
        mark.rule = RULE_RRT_INDUCTION;
        mark.event = induction->order;
    } else if (failure == DATE_NONE && RULE_ON(RRT_STATUS_CODE)) {
        mark.day = mark.end = day;
        mark.rule = RULE_RRT_STATUS_CODE;
    } else {
        return; /* after a failed graft the code is still that graft's */
    }
    add_mark(course, &mark);
}

/* Drugs that are ordered for nothing else show a transplant by themselves. */
static void add_lone_inductions(struct renal_course *course)
{
    const struct engine *engine = course->engine;
    for (unsigned i = 0; i < engine->exposure_count && RULE_ON(RRT_INDUCTION); i++) {
        const struct exposure *exposure = &engine->exposures[i];
        int32_t day = exposure->start.day;
        if (!is_induction(course, exposure, true))
            continue;
        int32_t transplant =
            last_of(course, RENAL_MARK_TRANSPLANT, day + course->rules->induction_near);
        if (transplant == DATE_NONE || last_of(course, RENAL_MARK_FAILURE, day) > transplant)
            add_mark(course, &(struct renal_mark){ .day = day,
                                                   .end = day,
                                                   .kind = RENAL_MARK_TRANSPLANT,
                                                   .rule = RULE_RRT_INDUCTION,
                                                   .is_procedure = true,
                                                   .event = exposure->order });
    }
}

/* --- all of them ----------------------------------------------------------------------------- */

static bool mark_before(const struct renal_mark *a, const struct renal_mark *b)
{
    if (a->day != b->day)
        return a->day < b->day;
    if (a->kind != b->kind)
        return a->kind < b->kind;
    if (a->event->type != b->event->type)
        return a->event->type < b->event->type;
    return slice_cmp(a->event->id, b->event->id) < 0;
}

static void sift_down(struct renal_mark *marks, unsigned from, unsigned count)
{
    for (unsigned child; (child = 2 * from + 1) < count; from = child) {
        if (child + 1 < count && mark_before(&marks[child], &marks[child + 1]))
            child++;
        if (!mark_before(&marks[from], &marks[child]))
            return;
        struct renal_mark swap = marks[from];
        marks[from] = marks[child];
        marks[child] = swap;
    }
}

static void sort_marks(struct renal_mark *marks, unsigned count)
{
    for (unsigned i = count / 2; i-- > 0;)
        sift_down(marks, i, count);
    for (unsigned left = count; left-- > 1;) {
        struct renal_mark swap = marks[0];
        marks[0] = marks[left];
        marks[left] = swap;
        sift_down(marks, 0, left);
    }
}

static int32_t known_of(const struct event *condition) { return condition_known(condition); }

/* Codes in the order of their days, so that the answer does not depend on ids. */
static void add_coded_transplants(struct renal_course *course)
{
    const struct engine *engine = course->engine;
    int32_t after = INT32_MIN;
    for (;;) {
        int32_t next = INT32_MAX;
        for (unsigned i = 0; i < engine->condition_count; i++) {
            int32_t day = known_of(engine->conditions[i]);
            if (condition_means(engine->conditions[i], DISEASE_RENAL, MEANS_TRANSPLANT) &&
                day > after && day < next)
                next = day;
        }
        if (next == INT32_MAX)
            return;
        for (unsigned i = 0; i < engine->condition_count; i++)
            if (known_of(engine->conditions[i]) == next)
                add_coded_transplant(course, engine->conditions[i]);
        after = next;
    }
}

bool renal_collect(struct renal_course *course, struct err *err)
{
    const struct engine *engine = course->engine;
    size_t most = (size_t)engine->procedure_count + 2 * (size_t)engine->exposure_count +
                  2 * (size_t)engine->condition_count + 1;
    course->marks = arena_alloc_raw(engine->arena, most * sizeof(struct renal_mark));
    if (course->marks == NULL)
        return err_fail(err, ERR_TOO_LARGE, "therapy", "too many procedures for one derivation");
    for (unsigned i = 0; i < engine->procedure_count; i++)
        add_procedure(course, engine->procedures[i]);
    for (unsigned i = 0; i < engine->exposure_count; i++)
        add_fluid(course, &engine->exposures[i]);
    for (unsigned i = 0; i < engine->condition_count; i++)
        add_condition(course, engine->conditions[i]);
    add_coded_transplants(course);
    add_lone_inductions(course);
    sort_marks(course->marks, course->mark_count);
    return true;
}
