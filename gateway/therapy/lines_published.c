/* What only published rule sets ask of the sweep: cycles (LOT-034) and starts (LOT-035). */
#include "therapy/lines_int.h"
#include "therapy/stay.h"

/* LOT-034: a new agent opens a line once the last two cycles held the same drugs; before that, the
 * line goes on under the drugs of the new cycle. */
bool lines_take_cycle(struct sweep *sweep, const struct batch *batch)
{
    struct course *course = sweep->course;
    struct line_state *line = course_line(course);
    int32_t limit = stay_gap_limit(course, line);
    bool is_next = batch->day - line->cycle_start > course->profile->cycle_gap;
    bool is_gap = limit != RULE_OFF && batch->day - line->last > limit;
    if (is_gap || (is_next && line->cycles >= 2 && line->cycle_slots == line->cycle_before))
        return lines_open(sweep, batch, RULE_NEW_AGENT);
    struct finding finding = { .rule = RULE_CYCLE_REGIMEN };
    finding_operand(&finding, "cycles", (int32_t)line->cycles);
    lines_join_noted(course, line, batch, &finding);
    line->taken = line->cycle_slots;
    return true;
}

/* A drug that was ordered within an era of its last order goes on; it does not start. */
static bool goes_on(const struct course *course, const struct batch *batch)
{
    int32_t persistence = course->engine->rules->era_persistence;
    for (unsigned s = 0; s < course->drug_count; s++)
        if ((batch->slots & slot_bit(s)) != 0 &&
            (course->seen_end[s] == DATE_NONE || batch->day > course->seen_end[s] + persistence))
            return false;
    return true;
}

/* LOT-032 of such a set: this line and the one that would begin are one and the same drug. */
static bool is_same_single(const struct course *course, const struct line_state *line,
                           const struct batch *batch)
{
    uint64_t slots = batch->slots;
    int32_t until =
        batch->day + (course->profile->later_window != RULE_OFF ? course->profile->later_window
                                                                : course->profile->window);
    for (unsigned i = batch->first; i < course->use_count && course->uses[i].start <= until; i++)
        slots |= slot_bit(course->uses[i].slot);
    return slots == line->taken && (slots & (slots - 1)) == 0;
}

bool lines_take_start(struct sweep *sweep, const struct batch *batch)
{
    struct course *course = sweep->course;
    struct line_state *line = course_line(course);
    if (goes_on(course, batch)) {
        lines_join(course, line, batch);
    } else if (is_same_single(course, line, batch) && RULE_ON(IDENTICAL)) {
        struct finding finding = { .rule = RULE_IDENTICAL };
        lines_join_noted(course, line, batch, &finding);
    } else {
        bool is_new = (batch->slots & ~line->taken) != 0;
        return lines_open(sweep, batch, is_new ? RULE_NEW_AGENT : RULE_RESTART);
    }
    return true;
}
