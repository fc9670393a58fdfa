#include "therapy/verdict.h"

/* What the lines and the evidence add up to. */
struct weighing {
    struct course *course;
    struct line_state *current;
    struct line *lines;
    struct verdict *out;
    struct verdict_reason reasons[LOT_REASONS_MAX], vetoes[LOT_REASONS_MAX];
    unsigned advanced; /* lines that count for the basis */
    bool is_met;       /* the basis */
    bool has_evidence; /* E1 */
    bool has_inferred; /* E1 at lower weight */
    bool has_stop;     /* E2 */
    bool is_exclusive; /* E4, exclusive */
    bool is_early;     /* recurrence inside perioperative_failure_days */
    bool is_truncated;
};

static void add_reason(struct weighing *weighing, enum rule rule, struct slice text)
{
    if (weighing->out->reason_count < LOT_REASONS_MAX)
        weighing->reasons[weighing->out->reason_count++] = (struct verdict_reason){ rule, text };
}

static void add_veto(struct weighing *weighing, enum rule rule, struct slice text)
{
    if (weighing->out->veto_count < LOT_REASONS_MAX)
        weighing->vetoes[weighing->out->veto_count++] = (struct verdict_reason){ rule, text };
}

static struct arena *arena_of(const struct weighing *weighing)
{
    return weighing->course->engine->arena;
}

/* --- SAL-013: is the beginning missing? ------------------------------------------------------ */

static void find_truncation(struct weighing *weighing)
{
    struct course *course = weighing->course;
    const struct line_state *first = course->lines[0];
    bool is_later_agent = first->regimen != NULL && first->regimen->is_exclusive;
    bool is_relapse_first =
        first->first_relapse != NULL && course->profile->basis == BASIS_ANY_LINE;
    if ((!is_later_agent && !is_relapse_first) || !RULE_ON(SAL_TRUNCATED))
        return;
    weighing->is_truncated = weighing->out->history_truncated = true;
    for (unsigned i = 0; i < course->line_count; i++) {
        weighing->lines[i].number_min = weighing->lines[i].number + 1;
        weighing->lines[i].number_max = 0;
    }
    add_reason(weighing, RULE_SAL_TRUNCATED,
               is_later_agent
                   ? SLICE("the first regimen on record is one for later lines: earlier "
                           "lines are missing")
                   : SLICE("relapse is recorded before the first order on record: earlier "
                           "lines are missing"));
}

/* --- SAL-001, SAL-019: the basis ------------------------------------------------------------- */

/* E.g. breast: a recurrence within six months of completing (neo)adjuvant therapy. */
static void find_early_recurrence(struct weighing *weighing)
{
    const struct course *course = weighing->course;
    const struct line_state *current = weighing->current;
    int32_t limit = course->profile->perioperative_failure_days;
    if (course->profile->basis != BASIS_ADVANCED_OR_EARLY_RECURRENCE || limit == RULE_OFF ||
        current->number < 2)
        return;
    const struct line_state *before = course->lines[current->number - 2];
    bool is_curative_still = weighing->lines[current->number - 1].setting == SETTING_CURATIVE &&
                             current->first_relapse == NULL;
    if (weighing->lines[before->number - 1].setting != SETTING_CURATIVE || is_curative_still)
        return;
    int32_t day = current->first_relapse != NULL && current->first_relapse->day < current->start
                      ? current->first_relapse->day
                      : current->start;
    int32_t interval = day - before->induction_end;
    weighing->is_early = interval <= limit && RULE_ON(SAL_EARLY);
    if (weighing->is_early)
        add_reason(weighing, RULE_SAL_EARLY,
                   arena_format(arena_of(weighing),
                                "recurrence %d days after curative therapy, within %d days",
                                interval, limit));
}

static void find_basis(struct weighing *weighing)
{
    struct course *course = weighing->course;
    const struct rules *rules = course->engine->rules;
    for (unsigned i = 0; i < course->line_count; i++) {
        enum salvage_basis basis = course->profile->basis;
        if (basis == BASIS_ANY_LINE)
            weighing->advanced++;
        else if (basis == BASIS_CASTRATION_RESISTANT)
            weighing->advanced += course_is_castration_resistant(
                course, course->lines[i]->start + rules->relapse_lookahead);
        else if (basis != BASIS_NONE)
            weighing->advanced += weighing->lines[i].setting != SETTING_CURATIVE;
    }
    find_early_recurrence(weighing);
    const uint32_t uncounted = ONE(BASIS_NONE) | ONE(BASIS_CASTRATION_RESISTANT);
    unsigned missing = weighing->is_truncated && !is_one_of(course->profile->basis, uncounted);
    bool is_current_counted =
        is_one_of(course->profile->basis, ONE(BASIS_ANY_LINE) | ONE(BASIS_CASTRATION_RESISTANT)) ||
        weighing->lines[weighing->current->number - 1].setting != SETTING_CURATIVE;
    weighing->is_met =
        ((is_current_counted && weighing->advanced + missing >= 2) || weighing->is_early) &&
        RULE_ON(SAL_BASIS);
    if (weighing->is_met)
        add_reason(weighing, RULE_SAL_BASIS,
                   arena_format(arena_of(weighing), "line %u%s meets the basis %.*s",
                                weighing->current->number + missing, missing > 0 ? " or later" : "",
                                SLICE_ARGS(course->profile->basis_text)));
}

/* --- the evidence ---------------------------------------------------------------------------- */

/* E1 and E2, for any later line: who was in salvage therapy stays in it. */
static void find_evidence(struct weighing *weighing)
{
    const struct course *course = weighing->course;
    for (unsigned i = weighing->is_truncated ? 0 : 1; i < course->line_count; i++) {
        const struct atom *relapse = course->lines[i]->relapse;
        if (relapse == NULL)
            continue;
        char day[DATE_TEXT_SIZE];
        struct date when = { relapse->day };
        bool is_stop = relapse->strength == STRENGTH_STOP;
        if (!(is_stop ? RULE_ON(SAL_STOP_REASON) : RULE_ON(SAL_EVIDENCE)))
            continue;
        if (relapse->is_partial) { /* EVD-013 */
            weighing->has_inferred = true;
            add_reason(weighing, is_stop ? RULE_SAL_STOP_REASON : RULE_SAL_EVIDENCE,
                       arena_format(arena_of(weighing),
                                    "line %u follows relapse or progression dated without a day, "
                                    "taken for %s",
                                    i + 1, date_format(when, day)));
        } else if (is_stop) {
            weighing->has_stop = true;
            add_reason(weighing, RULE_SAL_STOP_REASON,
                       arena_format(arena_of(weighing),
                                    "line %u follows an order stopped for progression on %s", i + 1,
                                    date_format(when, day)));
        } else if (relapse->strength == STRENGTH_INFERRED) {
            weighing->has_inferred = true;
            add_reason(weighing, RULE_SAL_EVIDENCE,
                       arena_format(arena_of(weighing),
                                    "line %u follows an active code after remission on %s", i + 1,
                                    date_format(when, day)));
        } else {
            weighing->has_evidence = true;
            add_reason(weighing, RULE_SAL_EVIDENCE,
                       arena_format(arena_of(weighing),
                                    "line %u follows relapse or progression recorded for %s", i + 1,
                                    date_format(when, day)));
        }
    }
}

/* E3 to E6, of the current line. */
static void find_signs(struct weighing *weighing)
{
    const struct course *course = weighing->course;
    const struct line_state *current = weighing->current;
    const struct regimen *regimen = current->regimen;
    if (current->is_switch)
        add_reason(weighing, RULE_SAL_SWITCH,
                   SLICE("the drugs of the line before were replaced after its window"));
    if (regimen != NULL && (regimen->uses & REGIMEN_SALVAGE) != 0 &&
        (current->number > 1 || regimen->is_exclusive) && RULE_ON(SAL_SIGNATURE)) {
        weighing->is_exclusive = regimen->is_exclusive;
        add_reason(weighing, RULE_SAL_SIGNATURE,
                   arena_format(arena_of(weighing), "%.*s was %s, %s", SLICE_ARGS(regimen->name),
                                proof_words(weighing->lines[current->number - 1].proof),
                                regimen->is_exclusive
                                    ? "a regimen of later lines only"
                                    : "which alone does not speak of a later line"));
    }
    bool has_cells = (current->taken & course->cell) != 0;
    if (current->is_switch && (has_cells || current->transplant != DATE_NONE) &&
        RULE_ON(SAL_CELL_THERAPY))
        add_reason(weighing, RULE_SAL_CELL_THERAPY,
                   has_cells ? SLICE("cell therapy followed the switch")
                             : SLICE("a transplant followed the switch"));
    enum rule rule = current->opened_by.rule;
    if ((rule == RULE_GAP || rule == RULE_RECHALLENGE) && RULE_ON(SAL_WEAK))
        add_reason(weighing, RULE_SAL_WEAK, SLICE("the line rests on a gap between orders alone"));
    else if (current->number > 1 && !current->is_switch && rule == RULE_NEW_AGENT &&
             RULE_ON(SAL_WEAK))
        add_reason(weighing, RULE_SAL_WEAK, SLICE("the line rests on an added drug"));
}

/* --- vetoes ---------------------------------------------------------------------------------- */

static void find_vetoes(struct weighing *weighing)
{
    const struct course *course = weighing->course;
    const struct line_state *current = weighing->current;
    const struct profile *profile = course->profile;
    const struct line *line = &weighing->lines[current->number - 1];
    bool is_relapsed = weighing->has_evidence || weighing->has_stop || weighing->has_inferred;
    const struct segment *segment =
        line->segment_count > 0 ? &line->segments[line->segment_count - 1] : NULL;
    /* V1: maintenance of a salvage line goes on with the salvage; of a first line it is none. */
    if (!weighing->is_met && segment != NULL &&
        (segment->kind == SEGMENT_MAINTENANCE || segment->kind == SEGMENT_CONSOLIDATION) &&
        RULE_ON(SAL_MAINTENANCE))
        add_veto(weighing, RULE_SAL_MAINTENANCE,
                 arena_format(arena_of(weighing), "the drugs ordered now are %s of line %u",
                              segment_kind_name(segment->kind), current->number));
    if (current->number == 1)
        return;
    if (!is_relapsed && course_remission(course, course->lines[0]->start, current->start) != NULL &&
        RULE_ON(SAL_REMISSION)) /* V2 */
        add_veto(weighing, RULE_SAL_REMISSION,
                 SLICE("remission is recorded after line 1, and no relapse"));
    bool is_benign = is_one_of(current->change_reason,
                               ONE(STOP_TOXICITY) | ONE(STOP_SHORTAGE) | ONE(STOP_SIMPLIFICATION));
    if (is_benign && !is_relapsed && !profile->any_change_advances &&
        RULE_ON(SAL_TOXICITY)) /* V3 */
        add_veto(weighing, RULE_SAL_TOXICITY,
                 SLICE("the change was for tolerance or supply, not for the disease"));
    bool is_adult_solid = is_one_of(profile->basis, ONE(BASIS_ADVANCED_LINE) |
                                                        ONE(BASIS_ADVANCED_OR_EARLY_RECURRENCE));
    if (is_adult_solid && weighing->advanced == 1 && !weighing->is_early &&
        line->setting != SETTING_CURATIVE && RULE_ON(SAL_FIRST_PALLIATIVE)) /* V4 */
        add_veto(weighing, RULE_SAL_FIRST_PALLIATIVE,
                 SLICE("this is the first line after curative therapy"));
}

/* --- SAL-012: the grade ---------------------------------------------------------------------- */

static enum grade first_grade(const struct weighing *weighing)
{
    const struct line_state *current = weighing->current;
    bool is_certain = weighing->has_evidence || weighing->has_stop ||
                      (weighing->is_exclusive && current->is_switch);
    bool is_beginning = current->number == 1; /* salvage only because the history is truncated */
    if (is_certain && !is_beginning)
        return GRADE_HIGH;
    if (current->is_switch || weighing->has_inferred || (is_certain && is_beginning) ||
        (weighing->is_exclusive && weighing->is_truncated))
        return GRADE_MEDIUM;
    return GRADE_LOW;
}

static bool opens_on_partial_date(const struct course *course, const struct line_state *line)
{
    for (unsigned i = line->first_use; i < line->use_end && course->uses[i].start == line->start;
         i++)
        if (course->uses[i].exposure->start_span.precision != DATE_DAY)
            return true;
    return false;
}

/* A line of the same drugs is there only because of the evidence: so is its grade. */
static bool rests_on_partial_evidence(const struct line_state *line)
{
    return line->opened_by.rule == RULE_RELAPSE && line->relapse != NULL &&
           line->relapse->is_partial;
}

/* SAL-024: the disease was under control just before the drugs were changed. */
static const struct atom *find_control(const struct weighing *weighing)
{
    const struct line_state *current = weighing->current;
    int32_t lookback = weighing->course->engine->rules->relapse_lookahead;
    if (weighing->has_evidence || weighing->has_stop || weighing->has_inferred ||
        weighing->is_truncated || current->number == 1)
        return NULL;
    return course_control(weighing->course, current->start - lookback, current->start);
}

/* SAL-016: all that opened the line is hearsay, or it rests on an order left open for a year. */
static bool is_uncertain_source(const struct course *course, const struct line_state *line,
                                bool *is_stale)
{
    bool is_reported = true;
    *is_stale = false;
    for (unsigned i = line->first_use; i < line->use_end; i++) {
        const struct exposure *exposure = course->uses[i].exposure;
        if (exposure->start.day == line->start && !exposure->is_reported)
            is_reported = false;
        *is_stale = *is_stale || exposure->is_stale_open;
    }
    return is_reported || *is_stale;
}

static enum grade lowered(enum grade grade) { return grade > GRADE_LOW ? grade - 1 : grade; }

static enum grade find_grade(struct weighing *weighing)
{
    const struct course *course = weighing->course;
    const struct line_state *current = weighing->current;
    enum grade grade = RULE_ON(SAL_GRADE) ? first_grade(weighing) : GRADE_LOW;
    bool is_stale;
    if (is_uncertain_source(course, current, &is_stale) && RULE_ON(SAL_REPORTED)) {
        grade = lowered(grade);
        add_reason(weighing, RULE_SAL_REPORTED,
                   is_stale ? SLICE("an order has been open for more than a year: one grade lower")
                            : SLICE("what opened the line was only reported: one grade lower"));
    }
    if (course->is_ambiguous && RULE_ON(SAL_AMBIGUOUS)) {
        grade = GRADE_LOW;
        add_reason(weighing, RULE_SAL_AMBIGUOUS,
                   SLICE("orders may belong to another cancer of the patient"));
    }
    if (opens_on_partial_date(course, current) && RULE_ON(SAL_PARTIAL)) {
        grade = GRADE_LOW;
        add_reason(weighing, RULE_SAL_PARTIAL, SLICE("the line begins on a date without a day"));
    }
    if (rests_on_partial_evidence(current) && RULE_ON(SAL_PARTIAL)) {
        grade = GRADE_LOW;
        add_reason(weighing, RULE_SAL_PARTIAL,
                   SLICE("the line rests on evidence dated without a day"));
    }
    const struct atom *control = find_control(weighing);
    if (control != NULL && RULE_ON(SAL_CONTROLLED)) {
        grade = GRADE_LOW;
        add_reason(weighing, RULE_SAL_CONTROLLED,
                   arena_format(arena_of(weighing), "%s was recorded %d days before the change",
                                evidence_kind_name(control->kind), current->start - control->day));
    }
    if (current->is_unknown_only && RULE_ON(SAL_UNKNOWN_AGENT)) {
        grade = GRADE_LOW;
        add_reason(weighing, RULE_SAL_UNKNOWN_AGENT,
                   SLICE("only drugs that no mapping knows opened the line"));
    }
    if (current->is_short_before && weighing->advanced == 2 && !weighing->is_truncated &&
        !weighing->has_evidence && !weighing->has_stop && !weighing->is_exclusive &&
        RULE_ON(SAL_SHORT)) {
        grade = GRADE_LOW;
        add_reason(weighing, RULE_SAL_SHORT,
                   SLICE("the line before was shorter than one cycle: without it this is line 1"));
    }
    return grade;
}

/* --- status ---------------------------------------------------------------------------------- */

static void explain_status(struct weighing *weighing)
{
    struct disease_turn turn = status_find(weighing->course);
    if (turn.status != DISEASE_STATUS_UNKNOWN && !RULE_ON(SAL_STATUS))
        return;
    weighing->out->status = turn.status;
    if (!turn.has_interval)
        return;
    struct arena *arena = arena_of(weighing);
    const char *what = turn.is_platinum ? "last platinum" : "last order";
    struct slice text;
    if (turn.limit != RULE_OFF)
        text = arena_format(arena, "%s%s: %d days since the %s, limit %d",
                            turn.is_early ? "early relapse, " : "",
                            disease_status_name(turn.status), turn.interval, what, turn.limit);
    else
        text = arena_format(arena, "%s: %d days since the %s", disease_status_name(turn.status),
                            turn.interval, what);
    add_reason(weighing, RULE_SAL_STATUS, text);
}

/* --- putting it together --------------------------------------------------------------------- */

static const struct verdict_reason *keep(struct arena *arena, const struct verdict_reason *reasons,
                                         unsigned *count)
{
    struct verdict_reason *kept = arena_alloc_raw(arena, (*count + 1) * sizeof(*kept));
    if (kept == NULL)
        *count = 0;
    else
        memcpy(kept, reasons, *count * sizeof(*kept));
    return kept;
}

/* What the last boundary rests on, and what came after it. */
static void collect_evidence(struct weighing *weighing)
{
    struct finding finding = { .rule = RULE_NONE };
    const struct boundary *opened = &weighing->current->opened_by;
    for (unsigned i = 0; i < opened->evidence_count; i++)
        finding_evidence(&finding, opened->evidence[i]);
    const struct atom *after =
        course_relapse(weighing->course, weighing->current, weighing->course->engine->as_of);
    if (after != NULL)
        finding_evidence(&finding, after->event);
    struct boundary kept = finding_boundary(&finding, arena_of(weighing));
    weighing->out->evidence = kept.evidence;
    weighing->out->evidence_count = kept.evidence_count;
}

static void decide(struct weighing *weighing)
{
    const struct course *course = weighing->course;
    struct verdict *out = weighing->out;
    bool is_relapsed_since =
        course_relapse(course, weighing->current, course->engine->as_of) != NULL;
    out->salvage = weighing->is_met && out->veto_count == 0;
    out->grade = out->salvage ? find_grade(weighing) : GRADE_NONE;
    if (!is_relapsed_since || !RULE_ON(SAL_NOT_STARTED))
        return;
    add_reason(weighing, RULE_SAL_NOT_STARTED,
               SLICE("relapse or progression is recorded, and no new line has been ordered since"));
    if (!out->salvage && out->veto_count == 0)
        out->grade = GRADE_LOW;
}

void verdict_reach(struct course *course, struct line *lines, struct verdict *out)
{
    *out = (struct verdict){ .basis = course->profile->basis_text };
    if (course->line_count == 0) {
        out->status = status_find(course).status;
        return;
    }
    struct weighing weighing;
    memset(&weighing, 0, offsetof(struct weighing, reasons));
    memset(&weighing.advanced, 0, sizeof weighing - offsetof(struct weighing, advanced));
    weighing.course = course;
    weighing.lines = lines;
    weighing.out = out;
    weighing.current = course_line(course);
    out->line = weighing.current->number;
    find_truncation(&weighing);
    find_basis(&weighing);
    find_evidence(&weighing);
    find_signs(&weighing);
    find_vetoes(&weighing);
    decide(&weighing);
    explain_status(&weighing);
    collect_evidence(&weighing);
    out->reasons = keep(course->engine->arena, weighing.reasons, &out->reason_count);
    out->vetoes = keep(course->engine->arena, weighing.vetoes, &out->veto_count);
}
