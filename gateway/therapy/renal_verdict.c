/* What the state of today is worth, by mappings/renal_states.tsv, in words that say no more than
 * what is on record (RRT-017 to RRT-019). */
#include "therapy/renal_int.h"

static void tell_planned(struct telling *telling, const struct renal_line *line)
{
    if (line->state == RENAL_TRANSPLANT)
        telling_reason(telling, RULE_RRT_TRANSPLANT,
                       SLICE("a transplant is often planned from the start: nothing on record says "
                             "that dialysis has failed"));
}

static void tell_state(struct renal_course *course, const struct renal_line *line, bool is_salvage)
{
    struct telling *telling = &course->telling;
    const struct renal_state_rule *rule = &course->rules->states[line->state];
    char day[DATE_TEXT_SIZE];
    struct slice text = arena_format(telling->arena, "%.*s, since %s", SLICE_ARGS(rule->name),
                                     date_format((struct date){ line->start }, day));
    if (is_salvage && RULE_ON(RRT_BASIS))
        telling_reason(telling, RULE_RRT_BASIS, text);
    if (is_salvage) {
        tell_planned(telling, line);
        return;
    }
    if (line->state == RENAL_PREEMPTIVE_TRANSPLANT)
        telling_veto(telling, RULE_RRT_PREEMPTIVE,
                     SLICE("a transplant before any dialysis is the preferred therapy"));
    else if (RULE_ON(RRT_NOT_SALVAGE))
        telling_reason(telling, RULE_RRT_NOT_SALVAGE, text);
}

static bool has_note(const struct renal_line *line, enum rule rule)
{
    for (unsigned i = 0; i < line->note_count; i++)
        if (line->notes[i].why.rule == rule)
            return true;
    return false;
}

static void tell_before(struct renal_course *course, const struct renal_line *before)
{
    struct telling *telling = &course->telling;
    if (before->state == RENAL_HAEMODIALYSIS_AFTER_PD)
        telling_reason(telling, RULE_RRT_TECHNIQUE_LONG,
                       SLICE("peritoneal dialysis had given way to haemodialysis for 180 days or "
                             "longer"));
    if (has_note(before, RULE_RRT_TECHNIQUE_SHORT))
        telling_reason(telling, RULE_RRT_TECHNIQUE_SHORT,
                       SLICE("peritoneal dialysis had given way to haemodialysis for 30 days or "
                             "longer"));
    if (has_note(before, RULE_RRT_ACCESS))
        telling_reason(telling, RULE_RRT_ACCESS,
                       SLICE("a complication of the access for dialysis is on record before it"));
    if (before->state == RENAL_GRAFT_FAILURE)
        telling_reason(telling, before->opened_by.rule,
                       before->is_weak
                           ? SLICE("dialysis went on after the transplant before, which no code "
                                   "calls a failure")
                           : SLICE("the graft before has failed"));
}

static enum grade grade_of(struct renal_course *course, const struct renal_line *line)
{
    struct telling *telling = &course->telling;
    int grade = course->rules->states[line->state].grade;
    const struct renal_line *before = line > course->lines ? line - 1 : NULL;
    bool is_failed = before != NULL &&
                     (before->state == RENAL_GRAFT_FAILURE ? !before->is_weak
                                                           : has_note(before, RULE_RRT_TRUNCATED));
    bool is_inferred = line->state == RENAL_RETRANSPLANT && !is_failed;
    if ((line->is_weak || is_inferred) && grade > GRADE_LOW && RULE_ON(RRT_GRADE)) {
        grade--;
        telling_reason(telling, RULE_RRT_GRADE,
                       line->is_weak ? SLICE("the day of the transplant is not on record, only a "
                                             "code for it: one grade lower")
                                     : SLICE("no code says that the graft before has failed: one "
                                             "grade lower"));
    }
    if (line->is_partial && RULE_ON(SAL_PARTIAL)) {
        grade = GRADE_LOW;
        telling_reason(telling, RULE_SAL_PARTIAL, SLICE("the line begins on a date without a day"));
    }
    return (enum grade)grade;
}

void renal_reach_verdict(struct renal_course *course, struct verdict *out)
{
    *out = (struct verdict){ .basis = SLICE("renal_state") };
    course->telling.arena = course->engine->arena;
    if (course->line_count > 0) {
        const struct renal_line *line = &course->lines[course->line_count - 1];
        struct finding finding = { .rule = RULE_NONE };
        bool is_on_dialysis = line->state == RENAL_DIALYSIS ||
                              line->state == RENAL_HAEMODIALYSIS_AFTER_PD ||
                              line->state == RENAL_GRAFT_FAILURE;
        out->status = is_on_dialysis ? DISEASE_STATUS_ON_DIALYSIS : DISEASE_STATUS_GRAFT;
        out->line = course->line_count + course->is_truncated;
        out->history_truncated = course->is_truncated;
        out->salvage = course->rules->states[line->state].grade > GRADE_NONE;
        tell_state(course, line, out->salvage);
        if (course->line_count > 1)
            tell_before(course, line - 1);
        out->grade = out->salvage ? grade_of(course, line) : GRADE_NONE;
        for (unsigned i = course->line_count; i-- > 0;)
            for (unsigned k = 0; k < course->lines[i].opened_by.evidence_count; k++)
                finding_evidence(&finding, course->lines[i].opened_by.evidence[k]);
        struct boundary kept = finding_boundary(&finding, course->engine->arena);
        out->evidence = kept.evidence;
        out->evidence_count = kept.evidence_count;
    }
    if (course->is_truncated)
        telling_reason(&course->telling, RULE_RRT_TRUNCATED,
                       SLICE("a graft has failed whose transplant is not on record"));
    telling_keep(&course->telling, out);
}
