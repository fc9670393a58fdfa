/* Each change of regimen is judged once, in the order of the regimens:
 *
 *   drugs of late lines, a dose against resistance, INSTI with boosted PI    line 3 at least
 *   failure since the line began                                             next line
 *   a reason that makes it a substitution; the same classes                  same line
 *   to a boosted PI with another backbone                                    next line
 *   any other change of class                                                same line
 *
 * A substitution with a reason and without failure stays in its line even with the first row. */
#include "therapy/hiv_int.h"

/* A change of regimen, with what is asked of it. */
struct change {
    const struct art *from, *to;
    int32_t day;
    uint64_t before, after, added; /* drugs */
    bool is_dual, is_signal, is_dose, is_pair, is_same_class, is_pi_switch;
    bool has_failure;
    struct hiv_failure failure, undone;
    enum stop_reason reason;
    const struct event *reason_event;
};

/* --- writing down ---------------------------------------------------------------------------- */

const struct drug *const *hiv_drug_list(const struct hiv_course *course, uint64_t slots,
                                        unsigned *count)
{
    const struct drug **list =
        arena_alloc_raw(course->engine->arena, (LOT_DRUGS_MAX + 1) * sizeof(*list));
    *count = 0;
    for (unsigned s = 0; list != NULL && s < course->slot_count; s++) {
        if ((hiv_drugs(course, slots) & slot_bit(s)) == 0)
            continue;
        const struct drug *drug = course->slots[s].arv->drug;
        unsigned at = (*count)++;
        for (; at > 0 && slice_cmp(drug->name, list[at - 1]->name) < 0; at--)
            list[at] = list[at - 1];
        list[at] = drug;
    }
    return list;
}

void hiv_add_orders(const struct hiv_course *course, struct finding *finding, int32_t from,
                    int32_t until)
{
    for (unsigned i = 0; i < course->use_count; i++)
        if (course->uses[i]->start.day >= from && course->uses[i]->start.day <= until)
            finding_evidence(finding, course->uses[i]->order);
}

static void add_failure(struct finding *finding, const struct hiv_failure *failure)
{
    finding_evidence(finding, failure->event);
    if (failure->before != NULL)
        finding_evidence(finding, failure->before);
    if (failure->copies >= 0)
        finding_operand(finding, "copiesPerMl", failure->copies);
}

/* The numbers that a viral load was held against. */
static void add_thresholds(const struct hiv_course *course, struct finding *finding,
                           const struct hiv_failure *failure, int32_t line_start)
{
    if (failure->rule != RULE_HIV_LOAD_WHO && failure->rule != RULE_HIV_LOAD_DHHS)
        return;
    bool is_who = failure->rule == RULE_HIV_LOAD_WHO;
    finding_operand(finding, "limitCopiesPerMl",
                    is_who ? course->rules->failure_copies : course->rules->confirmed_copies);
    finding_operand(finding, "daysOnLine", failure->day - line_start);
}

static void note(struct hiv_course *course, struct hiv_line *line, const struct finding *finding,
                 int32_t day)
{
    struct arena *arena = course->engine->arena;
    if (line->notes == NULL)
        line->notes = arena_alloc_raw(arena, LOT_REASONS_MAX * sizeof(struct line_note));
    note_add(line->notes, &line->note_count, finding, day, arena);
}

/* --- what a change is ------------------------------------------------------------------------ */

/* Bit n: an anchor of kind n. */
static unsigned classes_of(const struct hiv_course *course, uint64_t slots)
{
    unsigned classes = 0;
    for (unsigned kind = ARV_NNRTI; kind < ARV_BOOSTER; kind++)
        if ((slots & course->kinds[kind]) != 0)
            classes |= 1u << kind;
    return classes;
}

static bool is_dual(const struct hiv_course *course, const struct art *art)
{
    return (art->slots & course->kinds[ARV_INSTI]) != 0 && hiv_has_boosted_pi(course, art) &&
           RULE_ON(HIV_DUAL_ANCHOR);
}

/* HIV-016: raltegravir and lopinavir are all of its anchors. */
static bool is_pair(const struct hiv_course *course, const struct art *art)
{
    uint64_t anchors = art->slots & course->anchors;
    return anchors == course->pair && __builtin_popcountll(anchors) == 2 &&
           RULE_ON(HIV_SECOND_LINE_PAIR);
}

static struct change change_of(const struct hiv_course *course, const struct hiv_line *line,
                               const struct art *from, const struct art *to)
{
    struct change change = { .from = from, .to = to, .day = to->start };
    change.before = hiv_drugs(course, from->slots);
    change.after = hiv_drugs(course, to->slots);
    change.added = change.after & ~change.before;
    change.is_dual = is_dual(course, to) && !is_dual(course, from);
    change.is_pair = change.is_dual && is_pair(course, to);
    change.is_signal = (change.added & course->signals) != 0;
    change.is_dose = (to->slots & ~from->slots & course->doses) != 0;
    change.is_same_class = classes_of(course, change.before) == classes_of(course, change.after);
    uint64_t nrti = course->kinds[ARV_NRTI];
    change.is_pi_switch = hiv_has_boosted_pi(course, to) && !hiv_has_boosted_pi(course, from) &&
                          (change.before & nrti) != (change.after & nrti) && RULE_ON(HIV_PI_SWITCH);
    change.has_failure = hiv_find_failure(course, line, line->evidence_from, change.day,
                                          &change.failure, &change.undone);
    change.reason = hiv_substitution(course, change.day, &change.reason_event);
    return change;
}

/* --- what it comes to ------------------------------------------------------------------------ */

struct decision {
    enum rule rule;
    bool is_new_line, is_third; /* third: line 3 at least */
};

static struct decision decide(const struct hiv_line *line, const struct change *change)
{
    bool is_substitution = change->reason != STOP_NONE && !change->has_failure;
    bool is_late = (change->is_dual || change->is_signal || change->is_dose) && !is_substitution;
    bool is_more = change->is_signal || change->is_dose;
    if (is_late && change->is_pair && !is_more && line->number == 1)
        return (struct decision){ RULE_HIV_SECOND_LINE_PAIR, true, false };
    if (is_late)
        return (struct decision){ change->is_signal ? RULE_HIV_SIGNAL
                                  : change->is_dose ? RULE_HIV_DOSE
                                                    : RULE_HIV_DUAL_ANCHOR,
                                  true, true };
    if (change->has_failure)
        return (struct decision){ change->failure.rule, true, false };
    if (is_substitution)
        return (struct decision){ RULE_HIV_SUBSTITUTION, false, false };
    if (change->is_same_class && RULE_ON(HIV_SAME_CLASS))
        return (struct decision){ RULE_HIV_SAME_CLASS, false, false };
    if (change->is_pi_switch)
        return (struct decision){ RULE_HIV_PI_SWITCH, true, false };
    bool is_other_class = !change->is_same_class;
    return (struct decision){ RULE_HIV_TRANSITION, is_other_class && !RULE_ON(HIV_TRANSITION),
                              false };
}

/* HIV-025: failure on record is HIGH; a failure that foretells resistance poorly is LOW, one that
 * the reason given denies MEDIUM, and so is a regimen that speaks for itself. */
static enum grade grade_of(const struct change *change)
{
    if (!change->has_failure)
        return GRADE_MEDIUM;
    bool is_late = change->is_dual || change->is_signal || change->is_dose;
    if (change->failure.is_weak)
        return is_late ? GRADE_MEDIUM : GRADE_LOW;
    return change->reason != STOP_NONE && RULE_ON(HIV_CONTRADICTED) ? GRADE_MEDIUM : GRADE_HIGH;
}

static struct hiv_line *add_line(struct hiv_course *course, struct err *err)
{
    if (course->line_count < LOT_LINES_MAX)
        return &course->lines[course->line_count++];
    err_fail(err, ERR_TOO_LARGE, "therapy", "more than %d lines of therapy", LOT_LINES_MAX);
    return NULL;
}

static void number_line(const struct hiv_course *course, const struct hiv_line *before,
                        const struct change *change, struct decision decision,
                        struct hiv_line *line)
{
    unsigned next = before->number + 1, third = (unsigned)course->rules->late_line;
    bool is_certain = change->has_failure && !change->failure.is_weak;
    line->number = decision.is_third && next < third ? third : next;
    line->least = before->least + (is_certain || decision.is_third);
    if (decision.is_third && line->least < third)
        line->least = third;
    bool is_jump = line->number > next;
    line->most = before->most == 0 || is_jump ? 0 : before->most + 1;
}

static bool open_line(struct hiv_course *course, unsigned at, const struct change *change,
                      struct decision decision, struct err *err)
{
    const struct hiv_line *before = &course->lines[course->line_count - 1];
    struct hiv_line *line = add_line(course, err);
    if (line == NULL)
        return false;
    struct finding finding = { .rule = decision.rule };
    *line = (struct hiv_line){ .start = change->day, .first = at, .end = at + 1 };
    number_line(course, before, change, decision, line);
    line->grade = grade_of(change);
    line->is_failure = change->has_failure;
    line->evidence_from = change->day;
    finding_operand(&finding, "lineBefore", (int32_t)before->number);
    if (change->has_failure) {
        if (change->failure.day > line->evidence_from)
            line->evidence_from = change->failure.day;
        hiv_tell_failure(course, &change->failure);
        add_failure(&finding, &change->failure);
        add_thresholds(course, &finding, &change->failure, before->start);
    }
    hiv_add_orders(course, &finding, change->day, change->to->start + 1);
    line->opened_by = finding_boundary(&finding, course->engine->arena);
    if (line->number > before->number + 1)
        course->is_truncated = true;
    if (change->has_failure && change->reason != STOP_NONE && RULE_ON(HIV_CONTRADICTED)) {
        struct finding contradicted = { .rule = RULE_HIV_CONTRADICTED };
        finding_evidence(&contradicted, change->reason_event);
        note(course, line, &contradicted, change->day);
    }
    return true;
}

static void stay(struct hiv_course *course, unsigned at, const struct change *change,
                 struct decision decision)
{
    struct hiv_line *line = &course->lines[course->line_count - 1];
    struct finding finding = { .rule = decision.rule };
    line->end = at + 1;
    if (decision.rule == RULE_HIV_TRANSITION && line->most > 0)
        line->most++; /* nobody says why: it may have been a switch */
    if (decision.rule == RULE_HIV_SUBSTITUTION)
        finding_evidence(&finding, change->reason_event);
    hiv_add_orders(course, &finding, change->day, change->day + 1);
    note(course, line, &finding, change->day);
    if (change->undone.rule == RULE_NONE)
        return;
    struct finding undone = { .rule = RULE_HIV_RESUPPRESSED };
    add_failure(&undone, &change->undone);
    note(course, line, &undone, change->day);
}

/* --- the first regimen ----------------------------------------------------------------------- */

/* HIV-020, HIV-021: what came before the first order is not on record. */
static bool open_first(struct hiv_course *course, struct err *err)
{
    struct hiv_line *line = add_line(course, err);
    const struct art *art = &course->regimens[0];
    uint64_t drugs = hiv_drugs(course, art->slots);
    const struct hiv_failure *failed = NULL;
    struct finding finding = { .rule = RULE_HIV_FIRST };
    if (line == NULL)
        return false;
    *line = (struct hiv_line){ .number = 1, .least = 1, .most = 1, .start = art->start, .end = 1 };
    line->evidence_from = art->start;
    for (unsigned i = 0; i < course->failure_count; i++)
        if (course->failures[i].day <= art->start && !course->failures[i].is_weak &&
            RULE_ON(HIV_FAILED_BEFORE))
            failed = &course->failures[i];
    bool is_late = (drugs & course->signals) != 0 || (art->slots & course->doses) != 0 ||
                   (is_dual(course, art) && !is_pair(course, art));
    if (is_late && RULE_ON(HIV_TRUNCATED)) {
        finding.rule = RULE_HIV_TRUNCATED;
        line->number = line->least = (unsigned)course->rules->late_line;
        line->grade = GRADE_MEDIUM;
    } else if (failed != NULL) {
        finding.rule = RULE_HIV_FAILED_BEFORE;
        line->number = line->least = 2;
    }
    if (failed != NULL)
        finding_evidence(&finding, failed->event);
    if (finding.rule != RULE_HIV_FIRST) {
        line->most = 0;
        line->is_failure = failed != NULL;
        course->is_truncated = true;
    }
    hiv_add_orders(course, &finding, art->start, art->start + 1);
    line->opened_by = finding_boundary(&finding, course->engine->arena);
    return true;
}

static void note_interruption(struct hiv_course *course, const struct art *art)
{
    struct finding finding = { .rule = RULE_HIV_INTERRUPTION };
    if (art->resumed == DATE_NONE || !RULE_ON(HIV_INTERRUPTION))
        return;
    finding_operand(&finding, "pauseDays", art->pause);
    hiv_add_orders(course, &finding, art->resumed, art->resumed);
    note(course, &course->lines[course->line_count - 1], &finding, art->resumed);
}

bool hiv_make_lines(struct hiv_course *course, struct err *err)
{
    if (course->regimen_count == 0)
        return true;
    if (!open_first(course, err))
        return false;
    if (course->lines[0].opened_by.rule == RULE_HIV_FIRST && !RULE_ON(HIV_FIRST)) {
        course->line_count = 0;
        return true;
    }
    note_interruption(course, &course->regimens[0]);
    for (unsigned i = 1; i < course->regimen_count; i++) {
        const struct hiv_line *line = &course->lines[course->line_count - 1];
        struct change change =
            change_of(course, line, &course->regimens[i - 1], &course->regimens[i]);
        struct decision decision = decide(line, &change);
        if (!decision.is_new_line)
            stay(course, i, &change, decision);
        else if (!open_line(course, i, &change, decision, err))
            return false;
        note_interruption(course, &course->regimens[i]);
    }
    return true;
}
