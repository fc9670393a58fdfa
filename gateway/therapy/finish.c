#include "therapy/finish.h"

#include "base/hash.h"
#include "therapy/regimen.h"
#include "therapy/stay.h"

/* --- continuation maintenance ---------------------------------------------------------------- */

struct continuation {
    uint64_t slots;
    int32_t rest_end; /* last day of the drugs that were given up */
    int32_t start, end;
};

/* Whether `slots` alone go on after the rest of the induction has ended. */
static bool outlasts(const struct course *course, const struct line_state *line, uint64_t slots,
                     struct continuation *out)
{
    int32_t cycle_gap = course->profile->cycle_gap;
    uint64_t rest = line->taken & ~(line->switched | line->conditioned | line->carried | slots);
    int32_t transplant = line->transplant != DATE_NONE ? line->transplant : line->conditioning;
    *out = (struct continuation){ slots, transplant, DATE_NONE, DATE_NONE };
    if (slots == 0 || (rest == 0 && transplant == DATE_NONE))
        return false;
    for (unsigned i = line->first_use; i < line->use_end; i++)
        if ((rest & slot_bit(course->uses[i].slot)) != 0 && course->uses[i].end > out->rest_end)
            out->rest_end = course->uses[i].end;
    for (unsigned i = line->first_use; i < line->use_end && out->rest_end != DATE_NONE; i++) {
        const struct use *use = &course->uses[i];
        if ((slots & slot_bit(use->slot)) == 0 || use->end <= out->rest_end + cycle_gap)
            continue;
        bool starts_after = use->start > out->rest_end + cycle_gap;
        if (!starts_after && use->exposure->is_assumed_end)
            continue;
        int32_t start = use->start > out->rest_end ? use->start : out->rest_end + 1;
        if (out->start == DATE_NONE)
            out->start = start;
        if (use->end > out->end)
            out->end = use->end;
    }
    return out->start != DATE_NONE;
}

/* LOT-023: dropping a drug never opens a line; what remains may be maintenance: all the drugs that
 * may continue, or one of them alone. */
static bool find_continuation(const struct course *course, const struct line_state *line,
                              struct continuation *out)
{
    uint64_t slots = stay_continuation_slots(course, line) &
                     ~(line->switched | line->conditioned | line->carried);
    if (outlasts(course, line, slots, out))
        return true;
    for (unsigned s = 0; s < course->drug_count; s++)
        if ((slots & slot_bit(s)) != 0 && outlasts(course, line, slot_bit(s), out))
            return true;
    return false;
}

/* LOT-012: the same conditions as for a switch, seen from behind. */
static void mark_continuation(struct course *course, struct line_state *line, int32_t line_end)
{
    struct continuation found;
    if (!find_continuation(course, line, &found) || !RULE_ON(MAINTENANCE))
        return;
    if (found.start > line_end) /* an order may run on into the next line */
        return;
    for (unsigned i = 0; i < line->mark_count; i++)
        if (line->marks[i].kind == SEGMENT_MAINTENANCE && line->marks[i].start <= found.start)
            return;
    const struct maintenance_rule *rule =
        stay_continuation_rule(course, line, (unsigned)__builtin_ctzll(found.slots));
    uint64_t induction = line->taken & ~line->switched;
    engine_changes_on(course->engine, found.start + rule->min_length);
    bool is_open = (course->open & found.slots) != 0 && line == course_line(course);
    if (found.start - found.rest_end > rule->max_gap ||
        (rule->needs_platinum && (induction & course->platinum) == 0) ||
        found.rest_end - line->start < rule->min_prior ||
        (found.end - found.start < rule->min_length && !is_open))
        return;
    unsigned at = line->mark_count;
    if (at == LOT_SEGMENTS_MAX)
        return;
    for (; at > 0 && line->marks[at - 1].start > found.start; at--)
        line->marks[at] = line->marks[at - 1];
    line->marks[at] = (struct mark){ SEGMENT_MAINTENANCE, found.start };
    line->mark_count++;
    struct finding finding = { .rule = RULE_MAINTENANCE, .source = rule->source };
    finding_gap(&finding, found.start - found.rest_end);
    finding_operand(&finding, "maxGapDays", rule->max_gap);
    line_note(course, line, &finding, found.start);
}

/* --- segments -------------------------------------------------------------------------------- */

/* Slots ordered at any time from `start` to `end`. */
static uint64_t slots_between(const struct course *course, const struct line_state *line,
                              int32_t start, int32_t end)
{
    uint64_t slots = 0;
    for (unsigned i = line->first_use; i < line->use_end; i++) {
        const struct use *use = &course->uses[i];
        bool is_there =
            use->start <= end &&
            (use->start >= start || (use->end >= start && !use->exposure->is_assumed_end));
        if (is_there)
            slots |= slot_bit(use->slot);
    }
    return slots;
}

/* The end of a line's last segment is the line's; the others end the day before the next starts. */
static void make_segments(struct course *course, struct line_state *line, struct line *out)
{
    struct segment *segments = ARENA_ARRAY(course->engine->arena, struct segment, line->mark_count);
    if (segments == NULL)
        return;
    unsigned count = 0;
    for (unsigned i = 0; i < line->mark_count; i++) {
        bool is_last = i + 1 == line->mark_count;
        int32_t start = line->marks[i].start;
        int32_t end = is_last ? out->end.day : line->marks[i + 1].start - 1;
        if (end < start)
            continue;
        struct segment *segment = &segments[count++];
        segment->kind = line->marks[i].kind;
        segment->start.day = start;
        segment->end.day = end;
        uint64_t slots = slots_between(course, line, start, end);
        segment->drugs =
            course_drugs(course, i == 0 ? slots | line->carried : slots, &segment->drug_count);
    }
    out->segments = segments;
    out->segment_count = count;
}

static int32_t find_induction_end(const struct course *course, const struct line_state *line,
                                  const struct line *out)
{
    int32_t until = out->end.day, last = line->start;
    for (unsigned i = line->mark_count; i-- > 0;)
        if (line->marks[i].kind == SEGMENT_MAINTENANCE)
            until = line->marks[i].start - 1;
    for (unsigned i = line->first_use; i < line->use_end; i++) {
        const struct use *use = &course->uses[i];
        int32_t end = use->end < until ? use->end : until;
        if (use->start <= until && end > last)
            last = end;
    }
    return last;
}

/* --- names and identity ---------------------------------------------------------------------- */

/* LOT-033: the regimen of the line's beginning.  In a cell therapy line the product names it. */
static const struct regimen *find_regimen(const struct course *course,
                                          const struct line_state *line)
{
    int32_t until = line->start + course->profile->window;
    uint64_t slots = line->carried;
    for (unsigned i = line->first_use; i < line->use_end; i++)
        if (course->uses[i].start <= until)
            slots |= slot_bit(course->uses[i].slot);
    if ((line->taken & course->cell) != 0 && line->infusion != DATE_NONE)
        return regimen_of(course, line->taken & course->cell, line->start, until);
    uint64_t plain = slots & ~line->conditioned & ~line->switched;
    const struct regimen *found =
        regimen_of(course, plain != 0 ? plain : slots, line->start, until);
    return found != NULL ? found : regimen_of(course, line->opening, line->start, line->start);
}

/* LOT-028: the disease, the day, the drugs and the orders of the first batch; not the ordinal, so
 * that an earlier line found later does not change it. */
static void make_identity(const struct course *course, const struct line_state *line,
                          struct line *out)
{
    struct slice parts[2 + 4 * LOT_DRUGS_MAX];
    size_t count = 0;
    char day[DATE_TEXT_SIZE], hex[SHA256_HEX_SIZE];
    const struct slice stop = SLICE("\n");
    parts[count++] = course->cancer->disease->key; /* as Conditions name it, not as drugs do */
    parts[count++] = stop;
    parts[count++] = slice_of(date_format((struct date){ line->start }, day));
    unsigned drug_count;
    const struct drug *const *drugs = course_drugs(course, line->opening, &drug_count);
    for (unsigned i = 0; i < drug_count; i++) {
        parts[count++] = stop;
        parts[count++] = drugs[i]->name;
    }
    struct slice ids[LOT_DRUGS_MAX];
    unsigned id_count = 0;
    for (unsigned i = line->first_use;
         i < line->use_end && course->uses[i].start == line->start && id_count < LOT_DRUGS_MAX;
         i++) {
        struct slice id = course->uses[i].exposure->order->id;
        unsigned at = id_count++;
        for (; at > 0 && slice_cmp(id, ids[at - 1]) < 0; at--)
            ids[at] = ids[at - 1];
        ids[at] = id;
    }
    for (unsigned i = 0; i < id_count && count + 2 <= COUNT_OF(parts); i++) {
        parts[count++] = stop;
        parts[count++] = ids[i];
    }
    struct sha256 digest = sha256_of(parts, count);
    sha256_hex(&digest, hex);
    memcpy(out->id, hex, sizeof out->id - 1);
    out->id[sizeof out->id - 1] = '\0';
}

/* LOT-031: palliative when an order says so; curative only when an order says so and no metastasis
 * is known by then; else unknown. */
static enum line_setting find_setting(const struct course *course, const struct line_state *line)
{
    bool is_curative = false;
    for (unsigned i = line->first_use; i < line->use_end; i++) {
        const struct exposure *exposure = course->uses[i].exposure;
        for (unsigned k = 0; k <= exposure->fulfilment_count; k++) {
            const struct event *event = k == 0 ? exposure->order : exposure->fulfilments[k - 1];
            if (event->treatment_intent == TREATMENT_PALLIATIVE && RULE_ON(SETTING))
                return SETTING_PALLIATIVE;
            is_curative = is_curative || event->treatment_intent == TREATMENT_CURATIVE;
        }
    }
    const struct engine *engine = course->engine;
    for (unsigned i = 0; is_curative && i < engine->condition_count; i++) {
        const struct event *condition = engine->conditions[i];
        struct date_span day =
            condition->onset.precision != DATE_ABSENT ? condition->onset : condition->recorded;
        bool is_before = day.precision != DATE_ABSENT && day.first.day < line->start;
        for (unsigned k = 0; is_before && k < condition->meaning_count; k++)
            if (condition->meanings[k].meaning == MEANS_METASTATIC &&
                condition->verification_status != VERIFICATION_REFUTED &&
                condition->verification_status != VERIFICATION_ENTERED_IN_ERROR)
                return SETTING_UNKNOWN;
    }
    return is_curative && RULE_ON(SETTING) ? SETTING_CURATIVE : SETTING_UNKNOWN;
}

static void add_source(const struct event **sources, struct line *out, const struct event *event)
{
    /* The drugs of one order stand close together. */
    for (unsigned k = event->drug_count > 1 ? out->source_count : 0;
         k-- > 0 && out->source_count - k <= EVENT_DRUGS_MAX;)
        if (sources[k] == event)
            return;
    sources[out->source_count++] = event;
}

/* The orders first: they are what the line was opened for; then what became of them. */
static void make_sources(const struct course *course, const struct line_state *line,
                         struct line *out)
{
    size_t most = line->use_end - line->first_use;
    for (unsigned i = line->first_use; i < line->use_end; i++)
        most += course->uses[i].exposure->fulfilment_count;
    const struct event **sources =
        arena_alloc_raw(course->engine->arena, most * sizeof(struct event *));
    if (sources == NULL)
        return;
    for (unsigned i = line->first_use; i < line->use_end; i++) {
        add_source(sources, out, course->uses[i].exposure->order);
        out->proof |= course->uses[i].exposure->proof;
    }
    for (unsigned i = line->first_use; i < line->use_end; i++) {
        const struct exposure *exposure = course->uses[i].exposure;
        for (unsigned k = 0; k < exposure->fulfilment_count; k++)
            add_source(sources, out, exposure->fulfilments[k]);
    }
    out->sources = sources;
}

/* --- lines ----------------------------------------------------------------------------------- */

/* LOT-026: one batch, less than a cycle, then another regimen. */
static bool is_short(const struct course *course, unsigned at)
{
    return at + 1 < course->line_count && course->lines[at + 1]->is_short_before;
}

static bool is_open_line(const struct course *course, const struct line_state *line)
{
    for (unsigned i = line->first_use; i < line->use_end; i++)
        if (course->uses[i].exposure->is_open)
            return true;
    return (line->carried & course->open) != 0;
}

static void sort_notes(struct line_state *line)
{
    for (unsigned i = 1; i < line->note_count; i++) {
        struct line_note note = line->notes[i];
        unsigned k = i;
        for (; k > 0 && note.day.day < line->notes[k - 1].day.day; k--)
            line->notes[k] = line->notes[k - 1];
        line->notes[k] = note;
    }
}

static void finish_line(struct course *course, unsigned at, struct line *out)
{
    struct line_state *line = course->lines[at];
    const struct line_state *next = at + 1 < course->line_count ? course->lines[at + 1] : NULL;
    out->number = out->number_min = out->number_max = line->number;
    out->start.day = line->start;
    /* LOT-025: what was carried over is a drug of the line, its order's end is not the line's. */
    bool is_cut = next != NULL && line->own_end >= next->start && RULE_ON(LINE_END);
    out->end.day = is_cut ? next->start - 1 : line->own_end;
    out->is_open = next == NULL && is_open_line(course, line);
    out->is_short = is_short(course, at);
    mark_continuation(course, line, out->end.day);
    make_segments(course, line, out);
    line->induction_end = find_induction_end(course, line, out);
    out->drugs = course_drugs(course, line->taken, &out->drug_count);
    line->regimen = find_regimen(course, line);
    if (line->regimen != NULL && RULE_ON(REGIMEN))
        out->regimen = line->regimen->name;
    out->setting = find_setting(course, line);
    out->opened_by = line->opened_by;
    if (next != NULL)
        out->closed_by = next->opened_by;
    sort_notes(line);
    out->notes = line->notes;
    out->note_count = line->note_count;
    make_sources(course, line, out);
    if (!course->is_contrast && RULE_ON(IDENTITY))
        make_identity(course, line, out);
    line->out = out;
}

struct line *lines_finish(struct course *course)
{
    struct line *lines = ARENA_ARRAY(course->engine->arena, struct line, course->line_count);
    for (unsigned i = 0; lines != NULL && i < course->line_count; i++)
        finish_line(course, i, &lines[i]);
    return lines;
}
