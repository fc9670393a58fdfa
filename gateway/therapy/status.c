/* Relapsed, refractory, sensitive: what dates can say (SAL-017, RULES_SPEC 6). */
#include "therapy/verdict.h"

static int32_t last_end_before(const struct course *course, uint64_t slots, int32_t day)
{
    int32_t last = DATE_NONE;
    for (unsigned i = 0; i < course->use_count && course->uses[i].start < day; i++) {
        const struct use *use = &course->uses[i];
        int32_t end = use->end < day ? use->end : day;
        if ((slots & slot_bit(use->slot)) != 0 && end > last)
            last = end;
    }
    return last;
}

/* The evidence that speaks about the present: after the last line began, else what it answered. */
static const struct atom *latest_turn(const struct course *course, const struct line_state **line)
{
    const struct line_state *last = course->lines[course->line_count - 1];
    const struct atom *after = course_relapse(course, last, course->engine->as_of);
    *line = last;
    return after != NULL ? after : last->first_relapse;
}

/* The platinum-free interval ends with the first turn after the last platinum: later lines do not
 * make a disease sensitive again. */
static int32_t platinum_turn_day(const struct course *course, const struct atom *after)
{
    unsigned at = course->line_count;
    while (at > 0 && (course->lines[at - 1]->taken & course->platinum) == 0)
        at--;
    if (at == course->line_count) { /* the last line has platinum */
        if (after != NULL)
            return after->day;
        at--;
        while (at > 0 && (course->lines[at - 1]->taken & course->platinum) == 0)
            at--;
    }
    if (at == 0)
        return DATE_NONE;
    const struct line_state *next = course->lines[at];
    bool is_before = next->first_relapse != NULL && next->first_relapse->day < next->start;
    return is_before ? next->first_relapse->day : next->start;
}

static struct disease_turn platinum_turn(const struct course *course, const struct atom *after)
{
    const struct profile *profile = course->profile;
    struct disease_turn turn = { .is_platinum = true };
    int32_t day = platinum_turn_day(course, after);
    int32_t last = day != DATE_NONE ? last_end_before(course, course->platinum, day) : DATE_NONE;
    if (last == DATE_NONE)
        return (struct disease_turn){ .status = DISEASE_STATUS_UNKNOWN };
    turn.has_interval = true;
    turn.interval = day - last;
    turn.limit = profile->platinum_resistant;
    if (turn.interval < profile->platinum_refractory) {
        turn.status = DISEASE_STATUS_REFRACTORY;
        turn.limit = profile->platinum_refractory;
    } else {
        turn.status = turn.interval < profile->platinum_resistant ? DISEASE_STATUS_RESISTANT
                                                                  : DISEASE_STATUS_SENSITIVE;
    }
    return turn;
}

static struct disease_turn relapse_turn(const struct course *course, const struct atom *relapse)
{
    const struct profile *profile = course->profile;
    uint64_t all = ~UINT64_C(0);
    int32_t last = last_end_before(course, all, relapse->day);
    struct disease_turn turn = { .status = relapse->kind == EVIDENCE_PROGRESSION
                                               ? DISEASE_STATUS_PROGRESSED
                                               : DISEASE_STATUS_RELAPSED,
                                 .limit = RULE_OFF };
    if (last != DATE_NONE) {
        turn.has_interval = true;
        turn.interval = relapse->day - last;
    }
    if (turn.has_interval && profile->early_failure_days != RULE_OFF) {
        turn.is_early = turn.interval <= profile->early_failure_days;
        turn.limit = profile->early_failure_days;
    }
    if (turn.has_interval && profile->refractory_days != RULE_OFF) {
        turn.limit = profile->refractory_days;
        if (turn.interval <= profile->refractory_days)
            turn.status = DISEASE_STATUS_REFRACTORY;
    }
    if (relapse->kind == EVIDENCE_REFRACTORY)
        turn.status = DISEASE_STATUS_REFRACTORY;
    return turn;
}

struct disease_turn status_find(const struct course *course)
{
    struct disease_turn unknown = { .status = DISEASE_STATUS_UNKNOWN };
    int32_t as_of = course->engine->as_of;
    const struct atom *remission = NULL;
    for (const struct atom *next = course_remission(course, INT32_MIN, as_of); next != NULL;
         next = course_remission(course, next->day, as_of))
        remission = next;
    if (course->line_count == 0) {
        if (course->relapse_count > 0)
            unknown.status = DISEASE_STATUS_RELAPSED;
        return unknown;
    }
    const struct line_state *line;
    const struct atom *turn = latest_turn(course, &line);
    if (remission != NULL && (turn == NULL || remission->day > turn->day) &&
        remission->day >= line->start) {
        unknown.status = DISEASE_STATUS_IN_REMISSION;
        return unknown;
    }
    bool has_platinum_rule = course->profile->platinum_resistant != RULE_OFF;
    if (turn != NULL && turn->kind == EVIDENCE_REFRACTORY)
        return relapse_turn(course, turn);
    if (has_platinum_rule) {
        bool is_after = turn != NULL && turn != line->first_relapse;
        struct disease_turn found = platinum_turn(course, is_after ? turn : NULL);
        if (found.has_interval)
            return found;
    }
    if (turn != NULL)
        return relapse_turn(course, turn);
    if (remission != NULL && remission->day > course->lines[0]->start)
        unknown.status = DISEASE_STATUS_IN_REMISSION;
    return unknown;
}
