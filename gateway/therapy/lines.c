/* The sweep.  All orders of one day are one batch; each batch either joins the current line or
 * opens the next.  The questions are asked in this order, the first answer is the recorded reason:
 *
 *   cell therapy -> conditioning -> window -> known drugs only (relapse, re-challenge, gap)
 *                -> a new agent (relapse, then the exemptions of stay.h, then a new line)
 */
#include "therapy/lines.h"

#include "therapy/bundle.h"
#include "therapy/lines_int.h"
#include "therapy/stay.h"

/* --- what the sweep remembers ---------------------------------------------------------------- */

static void see_batch(struct course *course, const struct batch *batch)
{
    for (unsigned i = batch->first; i < batch->end; i++) {
        const struct use *use = &course->uses[i];
        if (use->end > course->seen_end[use->slot])
            course->seen_end[use->slot] = use->end;
        int32_t stated = use->exposure->stated_end.day;
        if (!use->exposure->is_assumed_end && stated > course->stated_end[use->slot])
            course->stated_end[use->slot] = stated;
        if (use->exposure->is_open)
            course->open |= slot_bit(use->slot);
        course->seen_last[use->slot] = use;
    }
}

/* LOT-003: drugs within `cycle_gap` days of the first of a cycle are one cycle. */
static void count_cycle(const struct course *course, struct line_state *line,
                        const struct batch *batch)
{
    if (line->cycles > 0 && batch->day - line->cycle_start <= course->profile->cycle_gap) {
        line->cycle_slots |= batch->slots;
        return;
    }
    line->cycles++;
    line->cycle_start = batch->day;
    line->cycle_before = line->cycle_slots;
    line->cycle_slots = batch->slots;
}

void lines_join(struct course *course, struct line_state *line, const struct batch *batch)
{
    line->taken |= batch->slots;
    line->use_end = batch->end;
    if (batch->last > line->own_end)
        line->own_end = batch->last;
    if (batch->last > line->last)
        line->last = batch->last;
    count_cycle(course, line, batch);
    see_batch(course, batch);
}

void lines_join_noted(struct course *course, struct line_state *line, const struct batch *batch,
                      struct finding *finding)
{
    finding_batch(finding, course, batch);
    line_note(course, line, finding, batch->day);
    lines_join(course, line, batch);
}

/* Transplants that fall into the line up to `until` belong to it. */
static void take_transplants(const struct course *course, struct line_state *line, int32_t until)
{
    for (unsigned i = 0; i < course->transplant_count; i++) {
        int32_t day = course->transplants[i].day;
        if (day < line->start || day > until)
            continue;
        line->transplant = day;
        if (day > line->own_end)
            line->own_end = day;
        if (day > line->last)
            line->last = day;
    }
}

/* LOT-007 and LOT-017 ask for evidence only where the rule set knows any. */
static const struct atom *asked_relapse(const struct course *course, const struct line_state *line,
                                        int32_t until)
{
    bool is_asked = profile_has(course->profile, RULE_NEW_AGENT_AFTER_RELAPSE);
    return is_asked ? course_relapse(course, line, until) : NULL;
}

/* --- opening a line -------------------------------------------------------------------------- */

/* LOT-024: what the old line still orders beyond the new start goes on in the new line. */
static void carry_over(struct course *course, const struct line_state *old, struct line_state *line,
                       const struct batch *batch)
{
    bool carries = old != NULL && profile_has(course->profile, RULE_CARRY);
    for (unsigned s = 0; carries && s < course->drug_count; s++) {
        bool goes_on = (old->taken & slot_bit(s)) != 0 && course->stated_end[s] > batch->day;
        if (!goes_on || (batch->slots & slot_bit(s)) != 0 || !RULE_ON(CARRY))
            continue;
        line->carried |= slot_bit(s);
        if (course->seen_end[s] > line->last)
            line->last = course->seen_end[s];
    }
    line->taken |= line->carried;
}

/* EVD-009: what is recorded up to this day explains the start of the line.  When a later new agent
 * is nearer, that one will be asked. */
static int32_t answered_until(const struct course *course, const struct line_state *old,
                              const struct line_state *line, const struct batch *batch)
{
    int32_t until = line->start + course->engine->rules->relapse_lookahead;
    bool is_left_to_another = old != NULL &&
                              course_relapse_between(course, line->start, until) != NULL &&
                              course_late_evidence(course, old, batch) == NULL;
    return is_left_to_another ? line->start : until;
}

/* The strongest and the earliest evidence that the line answers: since the line before started, up
 * to shortly after this one did. */
static void find_relapse(const struct course *course, const struct line_state *old,
                         struct line_state *line)
{
    int32_t after = old != NULL ? old->start : INT32_MIN;
    int32_t until = old != NULL ? line->answered : line->start;
    for (unsigned i = 0; i < course->stop_count && old != NULL; i++)
        if (course->stops[i]->day > after && course->stops[i]->day <= line->start &&
            (line->relapse == NULL || course->stops[i]->strength > line->relapse->strength))
            line->relapse = line->first_relapse = course->stops[i];
    for (unsigned i = 0; i < course->relapse_count; i++) {
        const struct atom *atom = course->relapses[i];
        if (atom->day <= after || atom->day > until)
            continue;
        if (line->relapse == NULL || atom->strength > line->relapse->strength)
            line->relapse = atom;
        if (line->first_relapse == NULL || atom->day < line->first_relapse->day)
            line->first_relapse = atom;
    }
}

/* What is ordered again within an era of the batch had only waited for its own day. */
static uint64_t slots_that_return(const struct course *course, const struct batch *batch)
{
    int32_t until = batch->day + course->engine->rules->era_persistence;
    uint64_t slots = 0;
    for (unsigned i = batch->end; i < course->use_count && course->uses[i].start <= until; i++)
        slots |= slot_bit(course->uses[i].slot);
    return slots;
}

/* E3: drugs of the old line are gone.  While it was running, only those in use within an era of its
 * end are asked: what had been dropped long before says nothing.  After a pause all of them are. */
static bool drops_drug(const struct course *course, const struct line_state *old,
                       const struct line_state *line, const struct batch *batch)
{
    int32_t persistence = course->engine->rules->era_persistence;
    int32_t recent = (old->own_end < line->start ? old->own_end : line->start) - persistence;
    bool has_paused = line->start - old->last > persistence;
    uint64_t gone = old->taken & ~line->taken & ~slots_that_return(course, batch);
    for (unsigned s = 0; s < course->drug_count; s++)
        if ((gone & slot_bit(s)) != 0 && (has_paused || course->seen_end[s] >= recent))
            return true;
    return false;
}

static void judge_opening(struct course *course, const struct line_state *old,
                          struct line_state *line, const struct batch *batch)
{
    line->answered = answered_until(course, old, line, batch);
    find_relapse(course, old, line);
    if (old == NULL && line->relapse == NULL)
        line->answered = line->start;
    line->is_unknown_only = (line->opening & ~course->unknown) == 0;
    if (old == NULL)
        return;
    bool is_new_agent = (line->opening & ~old->taken) != 0;
    line->is_switch = is_new_agent && drops_drug(course, old, line, batch) && RULE_ON(SAL_SWITCH);
    line->change_reason = stay_change_reason(course, old, batch);
    bool is_one_batch = course->uses[old->first_use].start == course->uses[old->use_end - 1].start;
    int32_t old_end = old->own_end < line->start ? old->own_end : line->start;
    line->is_short_before = is_one_batch && is_new_agent &&
                            old_end - old->start < course->engine->rules->short_line &&
                            RULE_ON(SHORT_LINE);
}

static bool open_line(struct sweep *sweep, const struct batch *batch, struct finding *finding)
{
    struct course *course = sweep->course;
    struct line_state *old = course_line(course);
    if (course->line_count == LOT_LINES_MAX)
        return err_fail(sweep->err, ERR_TOO_LARGE, "therapy", "more than %d lines of one disease",
                        LOT_LINES_MAX);
    struct line_state *line = ARENA_NEW(course->engine->arena, struct line_state);
    if (line == NULL)
        return err_fail(sweep->err, ERR_TOO_LARGE, "therapy", "too many lines for one derivation");
    if (old != NULL)
        take_transplants(course, old, batch->day - 1);
    line->number = ++course->line_count;
    course->lines[line->number - 1] = line;
    line->start = batch->day;
    line->own_end = line->last = batch->last;
    line->first_use = batch->first;
    line->opening = line->taken = batch->slots;
    line->earlier = old != NULL ? old->earlier | old->taken : 0;
    line->transplant = line->conditioning = line->infusion = DATE_NONE;
    carry_over(course, old, line, batch);
    judge_opening(course, old, line, batch);
    line_mark(line, SEGMENT_INDUCTION, batch->day);
    if (old != NULL)
        finding_atoms(finding, course, old->start, line->answered);
    finding_batch(finding, course, batch);
    if (finding->source.len == 0)
        finding->source = course->profile->source;
    line->opened_by = finding_boundary(finding, course->engine->arena);
    lines_join(course, line, batch);
    return true;
}

bool lines_open(struct sweep *sweep, const struct batch *batch, enum rule rule)
{
    const struct course *course = sweep->course;
    const struct line_state *old = course_line(sweep->course);
    struct finding finding = { .rule = rule };
    if (old != NULL) {
        finding_gap(&finding, batch->day - old->last);
        finding_operand(&finding, "ageDays", batch->day - old->start);
        finding_operand(&finding, "windowDays", course->profile->window);
    }
    return open_line(sweep, batch, &finding);
}

/* --- cell therapy and conditioning ----------------------------------------------------------- */

/* LOT-018, LOT-019.  Bridging with drugs of the current line only is the current line. */
static bool take_cell_therapy(struct sweep *sweep, const struct batch *batch,
                              const struct infusion *infusion, bool *taken)
{
    struct course *course = sweep->course;
    struct line_state *line = course_line(course);
    bool is_known = line != NULL && (batch->slots & ~line->taken) == 0;
    *taken = true;
    bool is_split_dose = is_known && line->infusion != DATE_NONE &&
                         batch->day - line->start <= course->profile->window;
    if (line != NULL && (line->infusion == infusion->day || is_split_dose)) {
        lines_join(course, line, batch);
    } else if (infusion->is_bridging && is_known) {
        *taken = false;
        return true;
    } else if (!lines_open(sweep, batch, line == NULL ? RULE_FIRST_EXPOSURE : RULE_CELL_THERAPY)) {
        return false;
    }
    line = course_line(course);
    bool is_first_bridging = infusion->is_bridging && line->infusion != infusion->day;
    line->infusion = infusion->day;
    if (is_first_bridging) {
        line->marks[0].kind = SEGMENT_BRIDGING;
        struct finding bridging = { .rule = RULE_BRIDGING };
        finding_batch(&bridging, course, batch);
        line_note(course, line, &bridging, batch->day);
    } else if (!infusion->is_bridging && batch->day < infusion->day) {
        line_mark(line, SEGMENT_CONDITIONING, batch->day);
        line->conditioned |= batch->slots;
    } else if (batch->day == infusion->day) {
        line_mark(line, SEGMENT_INDUCTION, batch->day);
    }
    return true;
}

/* LOT-020, LOT-021: conditioning is no line of its own. */
static bool take_conditioning(struct sweep *sweep, const struct batch *batch,
                              const struct conditioning *conditioning)
{
    struct course *course = sweep->course;
    struct line_state *line = course_line(course);
    int32_t since = 0;
    if (bundle_is_second(course, line, conditioning, batch->day, &since) &&
        RULE_ON(SECOND_TRANSPLANT)) {
        struct finding finding = { .rule = RULE_SECOND_TRANSPLANT };
        finding_operand(&finding, "sinceTransplantDays", since);
        finding_operand(&finding, "limitDays", course->profile->second_transplant_same_line);
        if (conditioning->event != NULL)
            finding_evidence(&finding, conditioning->event);
        if (!open_line(sweep, batch, &finding))
            return false;
    } else if (asked_relapse(course, line, batch->day) != NULL) {
        if (!lines_open(sweep, batch, RULE_NEW_AGENT_AFTER_RELAPSE))
            return false;
    } else {
        struct finding finding = { .rule = RULE_CONDITIONING };
        if (conditioning->transplant != DATE_NONE)
            finding_operand(&finding, "beforeTransplantDays",
                            conditioning->transplant - batch->day);
        if (conditioning->event != NULL)
            finding_evidence(&finding, conditioning->event);
        lines_join_noted(course, line, batch, &finding);
    }
    line = course_line(course);
    line->conditioning = batch->day;
    line->conditioned |= batch->slots;
    line_mark(line, SEGMENT_CONDITIONING, batch->day);
    if (conditioning->transplant != DATE_NONE)
        take_transplants(course, line, conditioning->transplant);
    return true;
}

/* --- drugs that the line knows --------------------------------------------------------------- */

/* Slots of the batch that are new to the line; substitutes of its drugs are not (LOT-004). */
static uint64_t new_slots(const struct course *course, const struct line_state *line,
                          const struct batch *batch, uint64_t *substituted)
{
    uint64_t fresh = batch->slots & ~line->taken;
    *substituted = 0;
    if (!profile_has(course->profile, RULE_SUBSTITUTION))
        return fresh;
    for (unsigned s = 0; s < course->drug_count; s++)
        if ((fresh & slot_bit(s)) != 0 && (course->substitutes[s] & line->taken) != 0 &&
            RULE_ON(SUBSTITUTION))
            *substituted |= slot_bit(s);
    return fresh & ~*substituted;
}

/* LOT-007: the same drugs again after a relapse.  A profile without a gap rule keeps a resumed
 * regimen in its line, and evidence inside a running era is about that era. */
static bool is_relapse(const struct course *course, const struct line_state *line,
                       const struct batch *batch)
{
    const struct rules *rules = course->engine->rules;
    if (course->profile->gap == RULE_OFF || batch->day - line->last <= rules->era_persistence ||
        !profile_has(course->profile, RULE_RELAPSE))
        return false;
    int32_t after = line->last > line->answered ? line->last : line->answered;
    if (course_relapse_between(course, after, batch->day) != NULL)
        return true;
    /* A stop for progression is dated to the end of its order, which is `last` itself. */
    const struct atom *relapse = course_relapse(course, line, batch->day);
    return relapse != NULL && relapse->strength == STRENGTH_STOP && relapse->day >= line->last;
}

/* RULES_SPEC 5: the first therapy after a transplant is maintenance, or after a relapse a new
 * line. */
static bool is_relapse_after_transplant(const struct course *course, const struct line_state *line,
                                        const struct batch *batch)
{
    int32_t since = line->transplant != DATE_NONE ? line->transplant : line->conditioning;
    if (since == DATE_NONE || course->uses[line->use_end - 1].start > since ||
        !profile_has(course->profile, RULE_RELAPSE))
        return false;
    const struct atom *relapse = course_relapse_between(course, since, batch->day);
    return relapse != NULL;
}

/* LOT-008: drugs of the first line again, long after their own last order, though others went
 * on. */
static bool is_rechallenge(const struct course *course, const struct batch *batch, int32_t *gap)
{
    int32_t last = DATE_NONE;
    if (course->profile->rechallenge_after == RULE_OFF || course->rechallenge == 0 ||
        !profile_has(course->profile, RULE_RECHALLENGE) ||
        (batch->slots & course->rechallenge) == 0)
        return false;
    for (unsigned s = 0; s < course->drug_count; s++)
        if ((course->rechallenge & slot_bit(s)) != 0 && course->seen_end[s] > last)
            last = course->seen_end[s];
    *gap = last != DATE_NONE ? batch->day - last : 0;
    return last != DATE_NONE && *gap > course->profile->rechallenge_after;
}

static bool open_gap(struct sweep *sweep, const struct batch *batch, enum rule rule, int32_t gap,
                     int32_t limit)
{
    struct finding finding = { .rule = rule };
    finding_gap(&finding, gap);
    finding_operand(&finding, "limitDays", limit);
    return open_line(sweep, batch, &finding);
}

/* LOT-005 applies unless LOT-006, LOT-012 or LOT-032 keeps the line together. */
static enum rule gap_exemption(const struct course *course, const struct line_state *line,
                               const struct batch *batch, int32_t gap, struct finding *finding)
{
    if ((batch->slots & course->exempt & ~course->unknown) != 0 &&
        profile_has(course->profile, RULE_GAP_EXEMPT) && RULE_ON(GAP_EXEMPT))
        return RULE_GAP_EXEMPT;
    if (stay_continues_maintenance(course, line, batch->slots, gap) && RULE_ON(MAINTENANCE))
        return RULE_MAINTENANCE;
    if (course->profile->merge_identical && batch->slots == line->taken &&
        profile_has(course->profile, RULE_IDENTICAL) && RULE_ON(IDENTICAL))
        return RULE_IDENTICAL;
    if (profile_has(course->profile, RULE_PERIOPERATIVE) &&
        stay_is_perioperative(course, line, batch, finding) && RULE_ON(PERIOPERATIVE))
        return RULE_PERIOPERATIVE;
    return RULE_NONE;
}

static bool take_known(struct sweep *sweep, const struct batch *batch, uint64_t substituted)
{
    struct course *course = sweep->course;
    struct line_state *line = course_line(course);
    int32_t gap = batch->day - line->last, limit = stay_gap_limit(course, line);
    int32_t rechallenge_gap;
    if ((is_relapse(course, line, batch) || is_relapse_after_transplant(course, line, batch)) &&
        RULE_ON(RELAPSE))
        return lines_open(sweep, batch, RULE_RELAPSE);
    if (is_rechallenge(course, batch, &rechallenge_gap) && RULE_ON(RECHALLENGE))
        return open_gap(sweep, batch, RULE_RECHALLENGE, rechallenge_gap,
                        course->profile->rechallenge_after);
    bool is_late = limit != RULE_OFF && gap > limit;
    if (!is_late && substituted == 0) { /* nearly always: the next cycle of the same drugs */
        lines_join(course, line, batch);
        return true;
    }
    struct finding finding = { .rule = RULE_SUBSTITUTION };
    if (is_late) {
        finding.rule = gap_exemption(course, line, batch, gap, &finding);
        if (finding.rule == RULE_NONE && RULE_ON(GAP))
            return open_gap(sweep, batch, RULE_GAP, gap, limit);
        if (finding.operand_count == 0) {
            finding_gap(&finding, gap);
            finding_operand(&finding, "limitDays", limit);
        }
    }
    lines_join_noted(course, line, batch, &finding);
    if (course->profile->omits_substitutes)
        line->taken &= ~substituted;
    return true;
}

/* --- new agents ------------------------------------------------------------------------------ */

static void mark_stay(struct course *course, struct line_state *line, const struct batch *batch,
                      enum rule rule, uint64_t fresh)
{
    if (rule == RULE_MAINTENANCE || rule == RULE_POST_TRANSPLANT) {
        line_mark(line, SEGMENT_MAINTENANCE, batch->day);
        line->switched |= fresh;
    } else if (rule == RULE_PHASE || rule == RULE_PERIOPERATIVE ||
               (rule == RULE_PLANNED && course->cytotoxic != 0 &&
                (fresh & course->cytotoxic) == 0)) {
        line_mark(line, SEGMENT_CONSOLIDATION, batch->day);
    }
}

/* LOT-017: evidence is asked first; what would have kept the agent in its line is listed. */
static bool open_despite(struct sweep *sweep, const struct batch *batch, uint64_t fresh)
{
    struct course *course = sweep->course;
    struct finding finding = { .rule = RULE_NONE };
    unsigned slot = (unsigned)__builtin_ctzll(fresh);
    enum rule rule = stay_rule(course, course_line(course), batch, slot, &finding);
    if (!lines_open(sweep, batch, RULE_NEW_AGENT_AFTER_RELAPSE))
        return false;
    if (rule != RULE_NONE)
        course_line(course)->opened_by.also = finding.also | UINT64_C(1) << rule;
    return true;
}

static bool take_new(struct sweep *sweep, const struct batch *batch, uint64_t fresh)
{
    struct course *course = sweep->course;
    struct line_state *line = course_line(course);
    bool asks_evidence = profile_has(course->profile, RULE_NEW_AGENT_AFTER_RELAPSE);
    bool is_after_relapse = asks_evidence && (course_relapse(course, line, batch->day) != NULL ||
                                              course_late_evidence(course, line, batch) != NULL);
    if (is_after_relapse && RULE_ON(NEW_AGENT_AFTER_RELAPSE))
        return open_despite(sweep, batch, fresh);
    struct finding noted = { .rule = RULE_NONE };
    for (unsigned s = 0; s < course->drug_count; s++) {
        if ((fresh & slot_bit(s)) == 0)
            continue;
        struct finding finding = { .rule = RULE_NONE };
        finding.rule = stay_rule(course, line, batch, s, &finding);
        if (finding.rule == RULE_NONE && !profile_has(course->profile, RULE_NEW_AGENT) &&
            RULE_ON(NO_EVIDENCE))
            finding.rule = RULE_NO_EVIDENCE;
        if (finding.rule == RULE_NONE && course->profile->cycle_regimen && RULE_ON(CYCLE_REGIMEN))
            return lines_take_cycle(sweep, batch);
        if (finding.rule == RULE_NONE && RULE_ON(NEW_AGENT))
            return lines_open(sweep, batch, RULE_NEW_AGENT);
        if (noted.rule == RULE_NONE)
            noted = finding;
    }
    enum rule rule = noted.rule;
    lines_join_noted(course, line, batch, &noted);
    mark_stay(course, line, batch, rule, fresh);
    return true;
}

/* LOT-002 and LOT-003: the time in which drugs still define the line. */
static bool is_defining(const struct course *course, const struct line_state *line,
                        const struct batch *batch)
{
    const struct profile *profile = course->profile;
    bool is_later = line->number > 1 && profile->later_window != RULE_OFF;
    bool is_young =
        profile_has(profile, RULE_WINDOW) &&
        batch->day - line->start <= (is_later ? profile->later_window : profile->window) &&
        RULE_ON(WINDOW);
    bool is_first_cycles =
        course->profile->two_cycle_rule &&
        line->cycles + (batch->day - line->cycle_start > course->profile->cycle_gap) <= 2 &&
        RULE_ON(TWO_CYCLES);
    return (is_young || is_first_cycles) && asked_relapse(course, line, batch->day) == NULL;
}

static bool take_batch(struct sweep *sweep, const struct batch *batch)
{
    struct course *course = sweep->course;
    struct line_state *line = course_line(course);
    bool taken = false;
    if (line != NULL)
        take_transplants(course, line, batch->day - 1);
    struct infusion infusion = bundle_infusion(course, batch);
    if (infusion.day != DATE_NONE && RULE_ON(CELL_THERAPY)) {
        if (!take_cell_therapy(sweep, batch, &infusion, &taken))
            return false;
        if (taken)
            return true;
    }
    if (line == NULL)
        return !RULE_ON(FIRST_EXPOSURE) || lines_open(sweep, batch, RULE_FIRST_EXPOSURE);
    stay_note_contrast(course, line, batch->day - line->last);
    struct conditioning conditioning = bundle_conditioning(course, batch);
    if (conditioning.is_conditioning && RULE_ON(CONDITIONING))
        return take_conditioning(sweep, batch, &conditioning);
    if (is_defining(course, line, batch)) {
        lines_join(course, line, batch);
        return true;
    }
    if (course->profile->start_opens && RULE_ON(RESTART))
        return lines_take_start(sweep, batch);
    uint64_t substituted, fresh = new_slots(course, line, batch, &substituted);
    return fresh == 0 ? take_known(sweep, batch, substituted) : take_new(sweep, batch, fresh);
}

bool lines_sweep(struct course *course, struct err *err)
{
    struct sweep sweep = { course, err };
    for (unsigned i = 0; i < course->use_count;) {
        struct batch batch = { .day = course->uses[i].start, .first = i, .last = INT32_MIN };
        for (; i < course->use_count && course->uses[i].start == batch.day; i++) {
            batch.slots |= slot_bit(course->uses[i].slot);
            if (course->uses[i].end > batch.last)
                batch.last = course->uses[i].end;
        }
        batch.end = i;
        if (!take_batch(&sweep, &batch))
            return false;
    }
    struct line_state *line = course_line(course);
    if (line != NULL)
        take_transplants(course, line, course->engine->as_of);
    return true;
}
