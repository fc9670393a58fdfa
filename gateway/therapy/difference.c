#include "therapy/difference.h"

const char *line_change_word(unsigned index)
{
    static const char *const words[] = {
#define X(name, word) word,
        LINE_CHANGE_TABLE(X)
#undef X
    };
    CHECK(index < COUNT_OF(words));
    return words[index];
}

const char *cause_kind_name(enum cause_kind kind)
{
    static const char *const names[] = { "new", "withdrawn", "version" };
    CHECK((size_t)kind < COUNT_OF(names));
    return names[kind];
}

/* --- what an answer rests on ----------------------------------------------------------------- */

/* Resources, each once. */
struct basis {
    const struct event **events;
    unsigned count, room;
};

static bool is_same_resource(const struct event *a, const struct event *b)
{
    return a->type == b->type && slice_eq(a->id, b->id);
}

static const struct event *find_resource(const struct basis *basis, const struct event *event)
{
    for (unsigned i = 0; i < basis->count; i++)
        if (is_same_resource(basis->events[i], event))
            return basis->events[i];
    return NULL;
}

static void add_events(struct basis *basis, const struct event *const *events, unsigned count)
{
    for (unsigned i = 0; i < count && basis->count < basis->room; i++)
        if (find_resource(basis, events[i]) == NULL)
            basis->events[basis->count++] = events[i];
}

static unsigned size_of_line(const struct line *line)
{
    unsigned size =
        line->source_count + line->opened_by.evidence_count + line->closed_by.evidence_count;
    for (unsigned i = 0; i < line->note_count; i++)
        size += line->notes[i].why.evidence_count;
    return size;
}

static void add_line(struct basis *basis, const struct line *line)
{
    add_events(basis, line->sources, line->source_count);
    add_events(basis, line->opened_by.evidence, line->opened_by.evidence_count);
    add_events(basis, line->closed_by.evidence, line->closed_by.evidence_count);
    for (unsigned i = 0; i < line->note_count; i++)
        add_events(basis, line->notes[i].why.evidence, line->notes[i].why.evidence_count);
}

static struct basis basis_new(struct arena *arena, unsigned room)
{
    struct basis basis = { arena_alloc_raw(arena, (room + 1) * sizeof(struct event *)), 0, room };
    if (basis.events == NULL)
        basis.room = 0;
    return basis;
}

static struct basis basis_of_line(struct arena *arena, const struct line *line)
{
    struct basis basis = basis_new(arena, line != NULL ? size_of_line(line) : 0);
    if (line != NULL)
        add_line(&basis, line);
    return basis;
}

/* A verdict rests on its evidence and on every line below it. */
static struct basis basis_of_history(struct arena *arena, const struct history *history)
{
    unsigned room = history != NULL ? history->verdict.evidence_count : 0;
    for (unsigned i = 0; history != NULL && i < history->line_count; i++)
        room += size_of_line(&history->lines[i]);
    struct basis basis = basis_new(arena, room);
    if (history == NULL)
        return basis;
    add_events(&basis, history->verdict.evidence, history->verdict.evidence_count);
    for (unsigned i = 0; i < history->line_count; i++)
        add_line(&basis, &history->lines[i]);
    return basis;
}

struct bases {
    struct basis before, after;
};

/* What of `own` the other answer, of which `whole` is all, does not know. */
static const struct cause *find_causes(struct arena *arena, const struct bases *own,
                                       const struct bases *whole, unsigned *count)
{
    const struct basis *before = &own->before, *after = &own->after;
    struct cause *causes =
        arena_alloc_raw(arena, (before->count + after->count + 1) * sizeof(*causes));
    *count = 0;
    if (causes == NULL)
        return NULL;
    for (unsigned i = 0; i < after->count; i++) {
        const struct event *event = after->events[i];
        const struct event *old = find_resource(&whole->before, event);
        if (old == NULL)
            causes[(*count)++] = (struct cause){ CAUSE_NEW, NULL, event };
        else if (old->version != event->version)
            causes[(*count)++] = (struct cause){ CAUSE_OTHER_VERSION, old, event };
    }
    for (unsigned i = 0; i < before->count; i++)
        if (find_resource(&whole->after, before->events[i]) == NULL)
            causes[(*count)++] = (struct cause){ CAUSE_WITHDRAWN, before->events[i], NULL };
    return causes;
}

/* --- what changed in a line ------------------------------------------------------------------ */

/* Drugs of two derivations under one mapping are the same pointers, unknown ones only by name. */
static bool is_same_drugs(const struct drug *const *a, unsigned a_count,
                          const struct drug *const *b, unsigned b_count)
{
    if (a_count != b_count)
        return false;
    for (unsigned i = 0; i < a_count; i++)
        if (!slice_eq(a[i]->name, b[i]->name))
            return false;
    return true;
}

static bool is_same_segments(const struct line *a, const struct line *b)
{
    if (a->segment_count != b->segment_count)
        return false;
    for (unsigned i = 0; i < a->segment_count; i++) {
        const struct segment *x = &a->segments[i], *y = &b->segments[i];
        if (x->kind != y->kind || x->start.day != y->start.day ||
            !is_same_drugs(x->drugs, x->drug_count, y->drugs, y->drug_count))
            return false;
    }
    return true;
}

/* The day of the answer moves the end of what is still open; that alone is no change. */
static bool is_same_end(const struct line *a, const struct line *b)
{
    return a->is_open == b->is_open && (a->is_open || a->end.day == b->end.day);
}

static uint32_t changes_between(const struct line *a, const struct line *b)
{
    const struct {
        bool is_changed;
        enum line_change change;
    } rows[] = {
        { a->number != b->number, LINE_CHANGE_NUMBER },
        { a->number_min != b->number_min || a->number_max != b->number_max, LINE_CHANGE_RANGE },
        { a->start.day != b->start.day, LINE_CHANGE_START },
        { !is_same_end(a, b), LINE_CHANGE_END },
        { !is_same_drugs(a->drugs, a->drug_count, b->drugs, b->drug_count),
          LINE_CHANGE_INGREDIENTS },
        { !slice_eq(a->regimen, b->regimen), LINE_CHANGE_REGIMEN },
        { a->setting != b->setting, LINE_CHANGE_SETTING },
        { !is_same_segments(a, b), LINE_CHANGE_SEGMENTS },
        { a->opened_by.rule != b->opened_by.rule, LINE_CHANGE_OPENING },
        { a->closed_by.rule != b->closed_by.rule, LINE_CHANGE_CLOSING },
    };
    uint32_t changes = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        changes |= rows[i].is_changed ? (uint32_t)rows[i].change : 0;
    return changes;
}

/* --- pairs ----------------------------------------------------------------------------------- */

struct pairing {
    const struct history *before, *after;
    unsigned partner[LOT_LINES_MAX]; /* of each later line: the earlier one + 1, or 0 */
    bool is_taken[LOT_LINES_MAX];    /* earlier lines that have one */
};

static bool overlaps(const struct line *a, const struct line *b)
{
    return a->start.day <= b->end.day && b->start.day <= a->end.day;
}

static bool shares_drug(const struct line *a, const struct line *b)
{
    for (unsigned i = 0; i < a->drug_count; i++)
        for (unsigned k = 0; k < b->drug_count; k++)
            if (slice_eq(a->drugs[i]->name, b->drugs[k]->name))
                return true;
    return false;
}

static bool is_same_line(const struct line *a, const struct line *b)
{
    return strcmp(a->id, b->id) == 0;
}

static bool is_same_start(const struct line *a, const struct line *b)
{
    return a->start.day == b->start.day;
}

/* A line whose first orders were corrected has another identity, and is the same to people. */
static bool is_like(const struct line *a, const struct line *b)
{
    return overlaps(a, b) && shares_drug(a, b);
}

static void pair_by(struct pairing *pairing,
                    bool (*is_pair)(const struct line *a, const struct line *b))
{
    for (unsigned i = 0; i < pairing->after->line_count; i++)
        for (unsigned k = 0; pairing->partner[i] == 0 && k < pairing->before->line_count; k++) {
            if (pairing->is_taken[k] ||
                !is_pair(&pairing->before->lines[k], &pairing->after->lines[i]))
                continue;
            pairing->partner[i] = k + 1;
            pairing->is_taken[k] = true;
        }
}

/* What `history` says about the first day of a line that it does not have. */
static const struct line_note *note_on(const struct history *history, int32_t day)
{
    for (unsigned i = 0; history != NULL && i < history->line_count; i++)
        for (unsigned k = 0; k < history->lines[i].note_count; k++)
            if (history->lines[i].notes[k].day.day == day)
                return &history->lines[i].notes[k];
    return NULL;
}

static int32_t first_day(const struct line_pair *pair)
{
    return pair->after != NULL ? pair->after->start.day : pair->before->start.day;
}

/* A resource that moved from one line to another is no news: causes are what the whole of the
 * other answer does not know. */
static void insert_pair(struct arena *arena, const struct bases *whole, struct line_pair *pairs,
                        unsigned *count, struct line_pair pair)
{
    if (pair.before != NULL && pair.after != NULL)
        pair.changes = changes_between(pair.before, pair.after);
    if (pair.changes != 0 || pair.before == NULL || pair.after == NULL) {
        struct bases own = { basis_of_line(arena, pair.before), basis_of_line(arena, pair.after) };
        pair.causes = find_causes(arena, &own, whole, &pair.cause_count);
    }
    unsigned at = (*count)++;
    for (; at > 0 && first_day(&pair) < first_day(&pairs[at - 1]); at--)
        pairs[at] = pairs[at - 1];
    pairs[at] = pair;
}

static void find_pairs(struct arena *arena, const struct bases *whole,
                       struct history_difference *out)
{
    static const struct history none;
    struct pairing pairing = { .before = out->before != NULL ? out->before : &none,
                               .after = out->after != NULL ? out->after : &none };
    unsigned most = pairing.before->line_count + pairing.after->line_count;
    struct line_pair *pairs = ARENA_ARRAY(arena, struct line_pair, most + 1);
    if (pairs == NULL)
        return;
    pair_by(&pairing, is_same_line);
    pair_by(&pairing, is_same_start);
    pair_by(&pairing, is_like);
    for (unsigned i = 0; i < pairing.after->line_count; i++) {
        const struct line *line = &pairing.after->lines[i];
        struct line_pair pair = { .after = line };
        if (pairing.partner[i] > 0)
            pair.before = &pairing.before->lines[pairing.partner[i] - 1];
        else
            pair.instead = note_on(out->before, line->start.day);
        insert_pair(arena, whole, pairs, &out->pair_count, pair);
    }
    for (unsigned k = 0; k < pairing.before->line_count; k++) {
        const struct line *line = &pairing.before->lines[k];
        if (!pairing.is_taken[k])
            insert_pair(arena, whole, pairs, &out->pair_count,
                        (struct line_pair){ .before = line,
                                            .instead = note_on(out->after, line->start.day) });
    }
    for (unsigned i = 0; i < out->pair_count; i++)
        out->is_line_changed = out->is_line_changed || pairs[i].before == NULL ||
                               pairs[i].after == NULL || pairs[i].changes != 0;
    out->pairs = pairs;
}

/* --- verdicts -------------------------------------------------------------------------------- */

static bool has_reason(const struct verdict_reason *reasons, unsigned count, enum rule rule)
{
    for (unsigned i = 0; i < count; i++)
        if (reasons[i].rule == rule)
            return true;
    return false;
}

static bool has_same_rules(const struct verdict_reason *a, unsigned a_count,
                           const struct verdict_reason *b, unsigned b_count)
{
    for (unsigned i = 0; i < a_count; i++)
        if (!has_reason(b, b_count, a[i].rule))
            return false;
    for (unsigned i = 0; i < b_count; i++)
        if (!has_reason(a, a_count, b[i].rule))
            return false;
    return true;
}

static bool is_verdict_changed(const struct history *before, const struct history *after)
{
    if (before == NULL || after == NULL)
        return true;
    const struct verdict *a = &before->verdict, *b = &after->verdict;
    return a->salvage != b->salvage || a->grade != b->grade || a->line != b->line ||
           a->status != b->status || a->history_truncated != b->history_truncated ||
           !has_same_rules(a->reasons, a->reason_count, b->reasons, b->reason_count) ||
           !has_same_rules(a->vetoes, a->veto_count, b->vetoes, b->veto_count);
}

static const struct history *history_of(const struct therapy *therapy, struct slice key)
{
    for (unsigned i = 0; i < therapy->history_count; i++)
        if (slice_eq(therapy->histories[i].disease->key, key))
            return &therapy->histories[i];
    return NULL;
}

static void add_history(struct arena *arena, struct history_difference *out)
{
    out->disease = (out->after != NULL ? out->after : out->before)->disease;
    struct bases whole = { basis_of_history(arena, out->before),
                           basis_of_history(arena, out->after) };
    find_pairs(arena, &whole, out);
    out->is_verdict_changed = is_verdict_changed(out->before, out->after);
    if (out->is_verdict_changed)
        out->causes = find_causes(arena, &whole, &whole, &out->cause_count);
}

static void insert_history(struct arena *arena, struct difference *out,
                           struct history_difference *histories, struct history_difference history)
{
    add_history(arena, &history);
    out->is_any = out->is_any || history.is_line_changed || history.is_verdict_changed;
    unsigned at = out->history_count++;
    for (; at > 0 && slice_cmp(history.disease->key, histories[at - 1].disease->key) < 0; at--)
        histories[at] = histories[at - 1];
    histories[at] = history;
}

void difference_find(const struct therapy *before, const struct therapy *after, struct arena *arena,
                     struct difference *out)
{
    *out = (struct difference){ .before = before, .after = after };
    struct history_difference *histories = ARENA_ARRAY(
        arena, struct history_difference, before->history_count + after->history_count + 1);
    if (histories == NULL)
        return;
    for (unsigned i = 0; i < after->history_count; i++) {
        const struct history *now = &after->histories[i];
        insert_history(arena, out, histories,
                       (struct history_difference){ .before = history_of(before, now->disease->key),
                                                    .after = now });
    }
    for (unsigned i = 0; i < before->history_count; i++)
        if (history_of(after, before->histories[i].disease->key) == NULL)
            insert_history(arena, out, histories,
                           (struct history_difference){ .before = &before->histories[i] });
    out->histories = histories;
}
