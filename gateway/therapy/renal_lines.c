/* The marks in the order of their days move a state machine; every move opens a line.
 *
 *   (none) -> DIALYSIS -> TRANSPLANT -> GRAFT_FAILURE -> RETRANSPLANT -> GRAFT_FAILURE ...
 *   (none) -> PREEMPTIVE_TRANSPLANT -> GRAFT_FAILURE
 *   DIALYSIS (peritoneal) -> HAEMODIALYSIS_AFTER_PD -> TRANSPLANT_AFTER_FAILURE
 *
 * What moves nothing is a note on the line: a technique that failed for less than 180 days, a
 * complication of the access, dialysis while a new graft is slow. */
#include "therapy/renal_int.h"

static struct renal_line *current_of(struct renal_course *course)
{
    return course->line_count > 0 ? &course->lines[course->line_count - 1] : NULL;
}

static bool is_graft(enum renal_state state)
{
    return state == RENAL_PREEMPTIVE_TRANSPLANT || state == RENAL_TRANSPLANT ||
           state == RENAL_TRANSPLANT_AFTER_FAILURE || state == RENAL_RETRANSPLANT;
}

static void note(struct renal_course *course, const struct finding *finding, int32_t day)
{
    struct renal_line *line = current_of(course);
    struct arena *arena = course->engine->arena;
    if (line->notes == NULL)
        line->notes = arena_alloc_raw(arena, LOT_REASONS_MAX * sizeof(struct line_note));
    note_add(line->notes, &line->note_count, finding, day, arena);
}

static void note_mark(struct renal_course *course, enum rule rule, const struct renal_mark *mark)
{
    struct finding finding = { .rule = rule };
    finding_evidence(&finding, mark->event);
    note(course, &finding, mark->day);
}

static bool is_partial(const struct event *event)
{
    struct date_span day = event->type == FHIR_PROCEDURE ? event->effective : event->onset;
    return is_one_of(day.precision, ONE(DATE_YEAR) | ONE(DATE_MONTH));
}

static bool open_line(struct renal_course *course, enum renal_state state,
                      const struct renal_mark *mark, struct finding *finding, struct err *err)
{
    if (course->line_count == LOT_LINES_MAX)
        return err_fail(err, ERR_TOO_LARGE, "therapy", "more than %d lines of therapy",
                        LOT_LINES_MAX);
    finding_evidence(finding, mark->event);
    course->lines[course->line_count++] =
        (struct renal_line){ .state = state,
                             .start = mark->day,
                             .is_partial = is_partial(mark->event),
                             .opened_by = finding_boundary(finding, course->engine->arena) };
    return true;
}

/* --- dialysis -------------------------------------------------------------------------------- */

/* How long haemodialysis that follows peritoneal dialysis has lasted, before that came back: from
 * its first day to its last one on record. */
static int32_t days_of_haemodialysis(const struct renal_course *course, unsigned at)
{
    int32_t start = course->marks[at].day, last = start;
    for (unsigned i = at; i < course->mark_count; i++) {
        const struct renal_mark *mark = &course->marks[i];
        if (mark->kind == RENAL_MARK_PERITONEAL || mark->kind == RENAL_MARK_TRANSPLANT)
            break;
        if (mark->kind == RENAL_MARK_HAEMODIALYSIS && mark->end > last)
            last = mark->end;
    }
    return last - start;
}

static const struct renal_mark *peritoneal_before(const struct renal_course *course, unsigned at,
                                                  int32_t from)
{
    for (unsigned i = at; i-- > 0 && course->marks[i].day >= from;) {
        if (course->marks[i].kind == RENAL_MARK_HAEMODIALYSIS)
            return NULL;
        if (course->marks[i].kind == RENAL_MARK_PERITONEAL)
            return &course->marks[i];
    }
    return NULL;
}

/* RRT-010, RRT-011: the technique has failed when haemodialysis has come to stay. */
static bool step_technique(struct renal_course *course, unsigned at, struct err *err)
{
    const struct renal_mark *mark = &course->marks[at];
    const struct renal_line *line = current_of(course);
    const struct renal_mark *before = peritoneal_before(course, at, line->start);
    if (mark->kind != RENAL_MARK_HAEMODIALYSIS || before == NULL)
        return true;
    int32_t days = days_of_haemodialysis(course, at);
    engine_changes_on(course->engine, mark->day + course->rules->technique_short);
    engine_changes_on(course->engine, mark->day + course->rules->technique_long);
    bool is_long = days >= course->rules->technique_long && RULE_ON(RRT_TECHNIQUE_LONG);
    bool is_short = days >= course->rules->technique_short && RULE_ON(RRT_TECHNIQUE_SHORT);
    if (!is_long && !is_short)
        return true;
    struct finding finding = { .rule =
                                   is_long ? RULE_RRT_TECHNIQUE_LONG : RULE_RRT_TECHNIQUE_SHORT };
    finding_operand(&finding, "daysOfHaemodialysis", days);
    finding_operand(&finding, "limitDays",
                    is_long ? course->rules->technique_long : course->rules->technique_short);
    finding_evidence(&finding, before->event);
    course->has_failed_before = true;
    if (is_long)
        return open_line(course, RENAL_HAEMODIALYSIS_AFTER_PD, mark, &finding, err);
    finding_evidence(&finding, mark->event);
    note(course, &finding, mark->day);
    return true;
}

/* RRT-014: dialysis that goes on after a transplant is the end of the graft, even without a code.
 * The code may follow within the same time: then it is not asked for. */
static bool has_resumed(const struct renal_course *course, unsigned at)
{
    const struct renal_mark *first = &course->marks[at];
    int32_t days = course->rules->dialysis_again;
    if (!first->is_procedure || !RULE_ON(RRT_RESUMED))
        return false;
    engine_changes_on(course->engine, first->day + days);
    for (unsigned i = at; i < course->mark_count; i++) {
        const struct renal_mark *mark = &course->marks[i];
        if (mark->kind == RENAL_MARK_TRANSPLANT)
            return false;
        if (renal_is_dialysis(mark) && mark->is_procedure && mark->end - first->day >= days)
            return true;
    }
    return false;
}

static bool step_dialysis(struct renal_course *course, unsigned at, struct err *err)
{
    const struct renal_mark *mark = &course->marks[at];
    const struct renal_line *line = current_of(course);
    struct finding finding = { .rule = RULE_RRT_DIALYSIS };
    if (line == NULL)
        return !RULE_ON(RRT_DIALYSIS) || open_line(course, RENAL_DIALYSIS, mark, &finding, err);
    if (!is_graft(line->state))
        return step_technique(course, at, err);
    if (!mark->is_procedure)
        return true; /* a code may be carried along from before the transplant */
    int32_t since = mark->day - line->start;
    if (since <= course->rules->delayed_function && RULE_ON(RRT_DELAYED)) {
        if (line->note_count == 0)
            note_mark(course, RULE_RRT_DELAYED, mark);
        return true;
    }
    if (!has_resumed(course, at))
        return true;
    finding.rule = RULE_RRT_RESUMED;
    finding_operand(&finding, "daysAfterTransplant", since);
    course->has_failed_before = false;
    if (!open_line(course, RENAL_GRAFT_FAILURE, mark, &finding, err))
        return false;
    current_of(course)->is_weak = true;
    return true;
}

/* --- transplants ----------------------------------------------------------------------------- */

static bool step_transplant(struct renal_course *course, const struct renal_mark *mark,
                            struct err *err)
{
    const struct renal_line *line = current_of(course);
    struct finding finding = { .rule = RULE_RRT_TRANSPLANT };
    enum renal_state state = RENAL_TRANSPLANT;
    bool is_known = course->transplant != DATE_NONE;
    if (is_known && mark->day - course->transplant <= course->rules->same_transplant &&
        RULE_ON(RRT_SAME_TRANSPLANT)) {
        note_mark(course, RULE_RRT_SAME_TRANSPLANT, mark);
        return true;
    }
    if (line != NULL && is_graft(line->state) && mark->rule != RULE_RRT_TRANSPLANT)
        return true; /* induction treats rejection too; only a Procedure says more */
    if ((is_known || course->is_truncated) && RULE_ON(RRT_RETRANSPLANT)) {
        state = RENAL_RETRANSPLANT;
        finding.rule = RULE_RRT_RETRANSPLANT;
    } else if (line == NULL && RULE_ON(RRT_PREEMPTIVE)) {
        state = RENAL_PREEMPTIVE_TRANSPLANT;
        finding.rule = RULE_RRT_PREEMPTIVE;
    } else if (course->has_failed_before) {
        state = RENAL_TRANSPLANT_AFTER_FAILURE;
    }
    if (state == RENAL_TRANSPLANT && !RULE_ON(RRT_TRANSPLANT))
        return true;
    if (is_known)
        finding_operand(&finding, "daysAfterTransplant", mark->day - course->transplant);
    course->transplant = mark->day;
    course->has_failed_before = false;
    if (!open_line(course, state, mark, &finding, err))
        return false;
    current_of(course)->is_weak = mark->rule == RULE_RRT_STATUS_CODE;
    if (mark->rule != RULE_RRT_TRANSPLANT)
        note_mark(course, mark->rule, mark);
    return true;
}

/* --- the graft fails ------------------------------------------------------------------------- */

/* RRT-015: of a graft whose transplant is not on record; what came before is unknown. */
static bool step_unknown_graft(struct renal_course *course, const struct renal_mark *mark,
                               struct err *err)
{
    struct finding finding = { .rule = RULE_RRT_GRAFT_FAILURE };
    course->is_truncated = course->is_truncated || RULE_ON(RRT_TRUNCATED);
    if (course->line_count == 0)
        return open_line(course, RENAL_GRAFT_FAILURE, mark, &finding, err);
    note_mark(course, RULE_RRT_TRUNCATED, mark);
    return true;
}

static bool step_failure(struct renal_course *course, const struct renal_mark *mark,
                         struct err *err)
{
    struct renal_line *line = current_of(course);
    struct finding finding = { .rule = RULE_RRT_GRAFT_FAILURE };
    if (line != NULL && is_graft(line->state)) {
        course->has_failed_before = false;
        return open_line(course, RENAL_GRAFT_FAILURE, mark, &finding, err);
    }
    if (course->transplant == DATE_NONE)
        return step_unknown_graft(course, mark, err);
    if (line->state == RENAL_GRAFT_FAILURE && line->is_weak) {
        line->is_weak = false; /* the code confirms what dialysis told */
        note_mark(course, RULE_RRT_GRAFT_FAILURE, mark);
    }
    return true;
}

static bool step(struct renal_course *course, unsigned at, struct err *err)
{
    const struct renal_mark *mark = &course->marks[at];
    switch (mark->kind) {
    case RENAL_MARK_FAILURE:
        return step_failure(course, mark, err);
    case RENAL_MARK_TRANSPLANT:
        return step_transplant(course, mark, err);
    case RENAL_MARK_ACCESS: /* RRT-012: a complication, no proof that dialysis as such has failed */
        if (course->line_count > 0 && !is_graft(current_of(course)->state) && RULE_ON(RRT_ACCESS)) {
            course->has_failed_before = true;
            note_mark(course, RULE_RRT_ACCESS, mark);
        }
        return true;
    case RENAL_MARK_HAEMODIALYSIS:
    case RENAL_MARK_PERITONEAL:
    case RENAL_MARK_DIALYSIS:
        return step_dialysis(course, at, err);
    }
    return true;
}

bool renal_make_lines(struct renal_course *course, struct err *err)
{
    course->transplant = DATE_NONE;
    for (unsigned i = 0; i < course->mark_count; i++)
        if (!step(course, i, err))
            return false;
    return true;
}
