/* Whether the regimen ordered now is salvage therapy (HIV-024, HIV-025), and what else a reader
 * should know: HIV-027 to HIV-029. */
#include "therapy/hiv_int.h"

static const struct hiv_line *current_of(const struct hiv_course *course)
{
    return &course->lines[course->line_count - 1];
}

static struct slice basis_of(const struct hiv_course *course)
{
    return arena_format(course->engine->arena, "art_line>=%d", course->rules->salvage_line);
}

/* What the opening of a line says; printed behind "line 3, ordered on 2023-01-01, ". */
static const struct {
    enum rule rule;
    const char *text;
} openings[] = {
    { RULE_HIV_FAILURE, "follows treatment failure on record" },
    { RULE_HIV_LOAD_WHO, "follows virological failure by viral load (WHO)" },
    { RULE_HIV_LOAD_DHHS, "follows virological failure by viral load (DHHS)" },
    { RULE_HIV_WEAK_FAILURE,
      "follows clinical or immunological failure, which foretells resistance poorly" },
    { RULE_HIV_SIGNAL, "has a drug that is ordered as a rule after resistance only" },
    { RULE_HIV_DOSE, "has a dose against resistance" },
    { RULE_HIV_DUAL_ANCHOR, "joins an integrase inhibitor and a boosted protease inhibitor" },
    { RULE_HIV_SECOND_LINE_PAIR,
      "is raltegravir with boosted lopinavir, an alternative second line" },
    { RULE_HIV_PI_SWITCH, "changes to a boosted protease inhibitor with another backbone, and no "
                          "reason is on record" },
    { RULE_HIV_TRUNCATED, "is the first on record, and its regimen is one of late lines: at least "
                          "this number" },
    { RULE_HIV_FAILED_BEFORE, "is the first on record, and treatment failure is recorded before "
                              "it: at least this number" },
};

/* What there is for the drugs that the line began with: "ordered", "dispensed". */
static const char *proof_of(const struct hiv_course *course, const struct hiv_line *line)
{
    unsigned proof = 0;
    for (unsigned i = 0; i < course->use_count; i++)
        if ((course->regimens[line->first].slots & slot_bit(course->use_slots[i])) != 0 &&
            course->uses[i]->start.day >= line->start &&
            course->uses[i]->start.day <= line->start + 1)
            proof |= course->uses[i]->proof;
    return proof_words(proof != 0 ? proof : PROOF_ORDERED);
}

/* The regimen speaks for itself, and failure is on record as well. */
static bool is_after_failure(const struct hiv_line *line)
{
    enum rule rule = line->opened_by.rule;
    return line->is_failure && (rule == RULE_HIV_SIGNAL || rule == RULE_HIV_DOSE ||
                                rule == RULE_HIV_DUAL_ANCHOR || rule == RULE_HIV_SECOND_LINE_PAIR);
}

static void tell_line(struct hiv_course *course, const struct hiv_line *line)
{
    struct arena *arena = course->engine->arena;
    char day[DATE_TEXT_SIZE];
    for (size_t i = 0; i < COUNT_OF(openings); i++)
        if (openings[i].rule == line->opened_by.rule)
            telling_reason(
                &course->telling, openings[i].rule,
                arena_format(arena, "line %u, %s on %s, %s%s", line->number, proof_of(course, line),
                             date_format((struct date){ line->start }, day), openings[i].text,
                             is_after_failure(line) ? ", after failure on record" : ""));
}

/* --- the grade ------------------------------------------------------------------------------- */

struct doubt {
    bool is_reported, is_stale, is_partial;
};

static struct doubt doubt_of(const struct hiv_course *course, const struct hiv_line *line)
{
    struct doubt doubt = { .is_reported = true };
    const struct art *first = &course->regimens[line->first];
    for (unsigned i = 0; i < course->use_count; i++) {
        const struct exposure *exposure = course->uses[i];
        bool is_of_line = (first->slots & slot_bit(course->use_slots[i])) != 0;
        if (!is_of_line || exposure->start.day < line->start)
            continue;
        doubt.is_stale = doubt.is_stale || exposure->is_stale_open;
        if (exposure->start.day > line->start + 1)
            continue;
        doubt.is_reported = doubt.is_reported && exposure->is_reported;
        doubt.is_partial = doubt.is_partial || exposure->start_span.precision != DATE_DAY;
    }
    return doubt;
}

/* Who was in salvage therapy stays in it: the strongest of the lines that are. */
static enum grade grade_of(struct hiv_course *course)
{
    const struct hiv_line *current = current_of(course);
    enum grade grade = GRADE_LOW;
    unsigned salvage = (unsigned)course->rules->salvage_line;
    for (unsigned i = 0; i < course->line_count; i++)
        if (course->lines[i].number >= salvage && course->lines[i].grade > grade)
            grade = course->lines[i].grade;
    if (current->least < salvage && grade > GRADE_MEDIUM && RULE_ON(HIV_GRADE)) {
        grade = GRADE_MEDIUM;
        telling_reason(&course->telling, RULE_HIV_GRADE,
                       arena_format(course->engine->arena,
                                    "an earlier change may have been none: line %u at least",
                                    current->least));
    }
    struct doubt doubt = doubt_of(course, current);
    if ((doubt.is_reported || doubt.is_stale) && RULE_ON(SAL_REPORTED)) {
        grade = grade > GRADE_LOW ? grade - 1 : grade;
        telling_reason(&course->telling, RULE_SAL_REPORTED,
                       doubt.is_stale
                           ? SLICE("an order has been open for more than a year: one grade lower")
                           : SLICE("the orders were reported, not made here: one grade lower"));
    }
    if (doubt.is_partial && RULE_ON(SAL_PARTIAL)) {
        grade = GRADE_LOW;
        telling_reason(&course->telling, RULE_SAL_PARTIAL,
                       SLICE("the line begins on a date without a day"));
    }
    return grade;
}

/* --- what else ------------------------------------------------------------------------------- */

static void tell_status(struct hiv_course *course, struct verdict *out)
{
    if (course->load_count == 0 || !RULE_ON(HIV_STATUS))
        return;
    const struct viral_load *last = &course->loads[course->load_count - 1];
    char day[DATE_TEXT_SIZE];
    const char *date = date_format((struct date){ last->day }, day);
    int32_t limit = course->rules->confirmed_copies;
    if (last->high < limit)
        out->status = DISEASE_STATUS_SUPPRESSED;
    else if (last->low >= limit)
        out->status = DISEASE_STATUS_VIRAEMIC;
    else
        return;
    telling_reason(
        &course->telling, RULE_HIV_STATUS,
        arena_format(course->engine->arena, "%s: the viral load of %s is %s %d copies/mL",
                     disease_status_name(out->status), date,
                     out->status == DISEASE_STATUS_SUPPRESSED ? "below" : "not below", limit));
}

/* HIV-027: three classes ordered are no three classes failed. */
static void tell_exposure(struct hiv_course *course, bool is_salvage)
{
    unsigned classes = 0;
    for (unsigned kind = ARV_NRTI; kind < ARV_BOOSTER; kind++)
        classes += course->kinds[kind] != 0;
    if (classes >= 3 && !is_salvage && RULE_ON(HIV_EXPOSURE))
        telling_reason(&course->telling, RULE_HIV_EXPOSURE,
                       arena_format(course->engine->arena,
                                    "drugs of %u classes were ordered, which is no failure of them",
                                    classes));
}

static void tell_not_switched(struct hiv_course *course, struct verdict *out)
{
    struct hiv_failure failure, undone;
    const struct hiv_line *current = current_of(course);
    if (!hiv_find_failure(course, current, current->evidence_from, course->engine->as_of, &failure,
                          &undone) ||
        !RULE_ON(HIV_NOT_SWITCHED))
        return;
    char day[DATE_TEXT_SIZE];
    hiv_tell_failure(course, &failure);
    telling_reason(&course->telling, RULE_HIV_NOT_SWITCHED,
                   arena_format(course->engine->arena,
                                "treatment failure is recorded for %s, and no new line has been "
                                "ordered since",
                                date_format((struct date){ failure.day }, day)));
    if (!out->salvage)
        out->grade = GRADE_LOW;
}

static void collect_evidence(struct hiv_course *course, struct verdict *out)
{
    struct finding finding = { .rule = RULE_NONE };
    unsigned salvage = (unsigned)course->rules->salvage_line;
    for (unsigned i = course->line_count; i-- > 0;)
        if (i + 1 == course->line_count || course->lines[i].number >= salvage)
            for (unsigned k = 0; k < course->lines[i].opened_by.evidence_count; k++)
                finding_evidence(&finding, course->lines[i].opened_by.evidence[k]);
    if (course->load_count > 0)
        finding_evidence(&finding, course->loads[course->load_count - 1].event);
    struct boundary kept = finding_boundary(&finding, course->engine->arena);
    out->evidence = kept.evidence;
    out->evidence_count = kept.evidence_count;
}

void hiv_reach_verdict(struct hiv_course *course, struct verdict *out)
{
    *out = (struct verdict){ .basis = basis_of(course) };
    course->telling.arena = course->engine->arena;
    tell_status(course, out);
    if (course->line_count > 0) {
        const struct hiv_line *current = current_of(course);
        struct telling *telling = &course->telling;
        out->line = current->number;
        out->history_truncated = course->is_truncated;
        out->salvage =
            current->number >= (unsigned)course->rules->salvage_line && RULE_ON(HIV_BASIS);
        if (out->salvage)
            telling_reason(telling, RULE_HIV_BASIS,
                           arena_format(telling->arena, "line %u%s meets the basis %.*s",
                                        current->number, current->most == 0 ? " or later" : "",
                                        SLICE_ARGS(out->basis)));
        for (unsigned i = 0; i < course->line_count; i++)
            tell_line(course, &course->lines[i]);
        out->grade = out->salvage ? grade_of(course) : GRADE_NONE;
        tell_not_switched(course, out);
        collect_evidence(course, out);
    }
    tell_exposure(course, out->salvage);
    telling_keep(&course->telling, out);
}
