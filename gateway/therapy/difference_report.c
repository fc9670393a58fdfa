/* A difference as JSON for programs and as text for people. */
#include "base/json.h"
#include "base/text.h"
#include "therapy/difference.h"

#define CELL_WIDTH 46 /* of one side of the table */

/* --- JSON ------------------------------------------------------------------------------------ */

static void put_day(struct json_writer *json, const char *key, struct date day)
{
    char text[DATE_TEXT_SIZE];
    json_put_text(json, key, date_format(day, text));
}

static void put_reference(struct json_writer *json, const char *key, const struct event *event)
{
    char text[EVENT_REFERENCE_SIZE];
    json_put(json, key, event_reference(event, text));
}

static void put_causes(struct json_writer *json, const struct cause *causes, unsigned count)
{
    json_key(json, "causes");
    json_array(json);
    for (unsigned i = 0; i < count; i++) {
        json_object(json);
        json_put_text(json, "kind", cause_kind_name(causes[i].kind));
        if (causes[i].before != NULL)
            put_reference(json, "before", causes[i].before);
        if (causes[i].after != NULL)
            put_reference(json, "after", causes[i].after);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_why(struct json_writer *json, const char *key, const struct boundary *why)
{
    json_key(json, key);
    json_object(json);
    json_put_text(json, "rule", rule_id(why->rule));
    json_put_text(json, "reason", why->reason);
    json_key(json, "operands");
    json_object(json);
    for (unsigned i = 0; i < why->operand_count; i++)
        json_put_integer(json, why->operands[i].name, why->operands[i].value);
    json_object_end(json);
    json_object_end(json);
}

/* One side of a pair; null when that answer has no such line. */
static void put_side(struct json_writer *json, const char *key, const struct line *line)
{
    json_key(json, key);
    if (line == NULL) {
        json_null(json);
        return;
    }
    json_object(json);
    json_put_integer(json, "number", line->number);
    json_put_text(json, "id", line->id);
    put_day(json, "start", line->start);
    json_key(json, "end");
    if (line->is_open) {
        json_null(json);
    } else {
        char end[DATE_TEXT_SIZE];
        json_text(json, date_format(line->end, end));
    }
    json_key(json, "ingredients");
    json_array(json);
    for (unsigned i = 0; i < line->drug_count; i++)
        json_string(json, line->drugs[i]->name);
    json_array_end(json);
    put_why(json, "openedBy", &line->opened_by);
    json_object_end(json);
}

static const char *change_of(const struct line_pair *pair)
{
    if (pair->before == NULL)
        return "added";
    if (pair->after == NULL)
        return "removed";
    if (pair->changes == LINE_CHANGE_NUMBER ||
        pair->changes == (LINE_CHANGE_NUMBER | LINE_CHANGE_RANGE))
        return "renumbered";
    return pair->changes != 0 ? "changed" : "same";
}

static void put_pair(struct json_writer *json, const struct line_pair *pair)
{
    json_object(json);
    json_put_text(json, "change", change_of(pair));
    json_key(json, "what");
    json_array(json);
    for (unsigned i = 0; i < LINE_CHANGE_COUNT; i++)
        if ((pair->changes >> i & 1) != 0)
            json_text(json, line_change_word(i));
    json_array_end(json);
    put_side(json, "before", pair->before);
    put_side(json, "after", pair->after);
    if (pair->instead != NULL)
        put_why(json, "instead", &pair->instead->why);
    put_causes(json, pair->causes, pair->cause_count);
    json_object_end(json);
}

static void put_verdict(struct json_writer *json, const char *key, const struct history *history)
{
    json_key(json, key);
    if (history == NULL) {
        json_null(json);
        return;
    }
    const struct verdict *verdict = &history->verdict;
    json_object(json);
    json_put_bool(json, "salvage", verdict->salvage);
    json_put_text(json, "grade", grade_name(verdict->grade));
    json_put_integer(json, "line", verdict->line);
    json_put_text(json, "status", disease_status_name(verdict->status));
    json_key(json, "rules");
    json_array(json);
    for (unsigned i = 0; i < verdict->reason_count; i++)
        json_text(json, rule_id(verdict->reasons[i].rule));
    json_array_end(json);
    json_key(json, "vetoes");
    json_array(json);
    for (unsigned i = 0; i < verdict->veto_count; i++)
        json_text(json, rule_id(verdict->vetoes[i].rule));
    json_array_end(json);
    json_object_end(json);
}

static void put_head(struct json_writer *json, const char *key, const struct therapy *therapy)
{
    json_key(json, key);
    json_object(json);
    put_day(json, "asOf", therapy->as_of);
    json_put(json, "rules", therapy->rules);
    json_object_end(json);
}

void difference_json(struct slice patient, const struct difference *difference, struct buffer *out)
{
    struct json_writer writer, *json = &writer;
    json_writer_init(json, out, false);
    json_object(json);
    json_put(json, "patient", patient);
    put_head(json, "before", difference->before);
    put_head(json, "after", difference->after);
    json_put_bool(json, "changed", difference->is_any);
    json_key(json, "histories");
    json_array(json);
    for (unsigned i = 0; i < difference->history_count; i++) {
        const struct history_difference *history = &difference->histories[i];
        json_object(json);
        json_put(json, "disease", history->disease->key);
        json_key(json, "lines");
        json_array(json);
        for (unsigned k = 0; k < history->pair_count; k++)
            put_pair(json, &history->pairs[k]);
        json_array_end(json);
        json_key(json, "verdict");
        json_object(json);
        json_put_bool(json, "changed", history->is_verdict_changed);
        put_verdict(json, "before", history->before);
        put_verdict(json, "after", history->after);
        put_causes(json, history->causes, history->cause_count);
        json_object_end(json);
        json_object_end(json);
    }
    json_array_end(json);
    json_object_end(json);
}

/* --- text ------------------------------------------------------------------------------------ */

static void add_drugs(struct buffer *out, const struct line *line)
{
    for (unsigned i = 0; i < line->drug_count; i++)
        buffer_format(out, "%s%.*s", i > 0 ? " + " : "", SLICE_ARGS(line->drugs[i]->name));
}

static void add_why(struct buffer *out, const char *what, const struct boundary *why)
{
    buffer_format(out, "        %s %s %s", what, rule_id(why->rule), why->reason);
    for (unsigned i = 0; i < why->operand_count; i++)
        buffer_format(out, " %s=%d", why->operands[i].name, why->operands[i].value);
    buffer_add_char(out, '\n');
}

static void add_causes(struct buffer *out, const struct cause *causes, unsigned count,
                       const char *none)
{
    static const char *const words[] = { "new:", "no longer counted:", "another version:" };
    char text[EVENT_REFERENCE_SIZE];
    for (unsigned i = 0; i < count; i++) {
        const struct cause *cause = &causes[i];
        const struct event *event = cause->after != NULL ? cause->after : cause->before;
        buffer_format(out, "        %s %.*s", words[cause->kind],
                      SLICE_ARGS(event_reference(event, text)));
        if (cause->kind == CAUSE_OTHER_VERSION)
            buffer_format(out, ", was version %u", cause->before->version);
        buffer_add_char(out, '\n');
    }
    if (count == 0)
        buffer_format(out, "        %s\n", none);
}

/* What made a difference that no resource made. */
static const char *other_cause(const struct difference *difference)
{
    if (!slice_eq(difference->before->rules, difference->after->rules))
        return "the rules made the difference";
    if (difference->before->as_of.day != difference->after->as_of.day)
        return "the day made the difference";
    return "nothing that this line rests on: another line or the verdict moved it";
}

static void add_line(struct buffer *out, const char *what, const struct line *line)
{
    char start[DATE_TEXT_SIZE], end[DATE_TEXT_SIZE];
    buffer_format(out, "    %s line %u  %s to %s  ", what, line->number,
                  date_format(line->start, start),
                  line->is_open ? "ongoing" : date_format(line->end, end));
    add_drugs(out, line);
    buffer_add_char(out, '\n');
}

static void add_changes(struct buffer *out, uint32_t changes)
{
    buffer_add(out, SLICE("        differs in:"));
    for (unsigned i = 0; i < LINE_CHANGE_COUNT; i++)
        if ((changes >> i & 1) != 0)
            buffer_format(out, " %s", line_change_word(i));
    buffer_add_char(out, '\n');
}

static void add_pair(struct buffer *out, const struct difference *difference,
                     const struct line_pair *pair)
{
    char start[DATE_TEXT_SIZE], end[DATE_TEXT_SIZE];
    if (pair->before != NULL && pair->after != NULL) {
        const struct line *before = pair->before;
        add_line(out, change_of(pair), pair->after);
        buffer_format(out, "        was line %u  %s to %s  ", before->number,
                      date_format(before->start, start),
                      before->is_open ? "ongoing" : date_format(before->end, end));
        add_drugs(out, before);
        buffer_add_char(out, '\n');
        add_changes(out, pair->changes);
        if ((pair->changes & LINE_CHANGE_OPENING) != 0)
            add_why(out, "opened by", &pair->after->opened_by);
        if ((pair->changes & LINE_CHANGE_CLOSING) != 0 && pair->after->closed_by.reason != NULL)
            add_why(out, "closed by", &pair->after->closed_by);
    } else {
        const struct line *line = pair->after != NULL ? pair->after : pair->before;
        add_line(out, change_of(pair), line);
        add_why(out, pair->after != NULL ? "opened by" : "had been opened by", &line->opened_by);
        if (pair->instead != NULL)
            add_why(out, pair->after != NULL ? "was in its line by" : "is in its line by",
                    &pair->instead->why);
    }
    add_causes(out, pair->causes, pair->cause_count, other_cause(difference));
}

static void add_verdict_words(struct buffer *out, const struct history *history)
{
    if (history == NULL)
        buffer_add(out, SLICE("none"));
    else if (history->verdict.salvage)
        buffer_format(out, "salvage %s, line %u", grade_name(history->verdict.grade),
                      history->verdict.line);
    else
        buffer_format(out, "not salvage, line %u", history->verdict.line);
    if (history != NULL && history->verdict.status != DISEASE_STATUS_UNKNOWN)
        buffer_format(out, ", %s", disease_status_name(history->verdict.status));
}

/* The reasons that only one of the verdicts has. */
static void add_only(struct buffer *out, const char *what, const struct history *of,
                     const struct history *other)
{
    for (unsigned i = 0; of != NULL && i < of->verdict.reason_count + of->verdict.veto_count; i++) {
        bool is_veto = i >= of->verdict.reason_count;
        const struct verdict_reason *reason =
            is_veto ? &of->verdict.vetoes[i - of->verdict.reason_count] : &of->verdict.reasons[i];
        bool is_there = false;
        for (unsigned k = 0; other != NULL && k < other->verdict.reason_count; k++)
            is_there = is_there || (!is_veto && other->verdict.reasons[k].rule == reason->rule);
        for (unsigned k = 0; other != NULL && k < other->verdict.veto_count; k++)
            is_there = is_there || (is_veto && other->verdict.vetoes[k].rule == reason->rule);
        if (!is_there)
            buffer_format(out, "        %s: %s %s%.*s\n", what, rule_id(reason->rule),
                          is_veto ? "(veto) " : "", SLICE_ARGS(reason->text));
    }
}

static void add_verdict(struct buffer *out, const struct difference *difference,
                        const struct history_difference *history)
{
    if (!history->is_verdict_changed)
        return;
    buffer_add(out, SLICE("    verdict: "));
    add_verdict_words(out, history->after);
    buffer_add(out, SLICE("; was: "));
    add_verdict_words(out, history->before);
    buffer_add_char(out, '\n');
    add_only(out, "since then", history->after, history->before);
    add_only(out, "no longer", history->before, history->after);
    add_causes(out, history->causes, history->cause_count, other_cause(difference));
}

static void add_heads(struct buffer *out, struct slice patient, const struct difference *difference)
{
    char before[DATE_TEXT_SIZE], after[DATE_TEXT_SIZE];
    buffer_format(
        out, "%.*s on %s (%.*s), compared with %s (%.*s)\n", SLICE_ARGS(patient),
        date_format(difference->after->as_of, after), SLICE_ARGS(difference->after->rules),
        date_format(difference->before->as_of, before), SLICE_ARGS(difference->before->rules));
}

void difference_text(struct slice patient, const struct difference *difference, struct buffer *out)
{
    add_heads(out, patient, difference);
    if (!difference->is_any)
        buffer_add(out, SLICE("  no difference\n"));
    for (unsigned i = 0; i < difference->history_count; i++) {
        const struct history_difference *history = &difference->histories[i];
        if (!history->is_line_changed && !history->is_verdict_changed)
            continue;
        buffer_format(out, "  %.*s\n", SLICE_ARGS(history->disease->name));
        for (unsigned k = 0; k < history->pair_count; k++) {
            const struct line_pair *pair = &history->pairs[k];
            if (pair->changes != 0 || pair->before == NULL || pair->after == NULL)
                add_pair(out, difference, pair);
        }
        add_verdict(out, difference, history);
    }
}

/* --- side by side ---------------------------------------------------------------------------- */

/* "line 2 to 2020-05-02  carboplatin + pemetrexed", cut to the width of the column. */
static void add_cell(struct buffer *out, const struct line *line, bool is_padded)
{
    char room[CELL_WIDTH + 1] = "", end[DATE_TEXT_SIZE];
    struct text cell = TEXT(room);
    if (line != NULL) {
        text_add(&cell, "line %u to %s ", line->number,
                 line->is_open ? "ongoing   " : date_format(line->end, end));
        if (line->regimen.len > 0)
            text_add(&cell, "%.*s", SLICE_ARGS(line->regimen));
        for (unsigned i = 0; line->regimen.len == 0 && i < line->drug_count; i++)
            text_add(&cell, "%s%.*s", i > 0 ? "+" : "", SLICE_ARGS(line->drugs[i]->name));
        if (cell.used == CELL_WIDTH)
            memcpy(room + CELL_WIDTH - 2, "..", 2);
    }
    buffer_format(out, is_padded ? "%-*s" : "%.*s", CELL_WIDTH, room);
}

static void add_rows(struct buffer *out, const struct history_difference *history)
{
    char start[DATE_TEXT_SIZE];
    for (unsigned i = 0; i < history->pair_count; i++) {
        const struct line_pair *pair = &history->pairs[i];
        const struct line *line = pair->after != NULL ? pair->after : pair->before;
        bool is_same = pair->before != NULL && pair->after != NULL && pair->changes == 0;
        buffer_format(out, "  %s %s ", is_same ? " " : "*", date_format(line->start, start));
        add_cell(out, pair->before, true);
        buffer_add(out, SLICE(" | "));
        add_cell(out, pair->after, false);
        buffer_add_char(out, '\n');
        if (pair->changes != 0)
            add_changes(out, pair->changes);
        if (pair->before != NULL && pair->after != NULL && !is_same &&
            pair->before->start.day != pair->after->start.day)
            buffer_format(out, "        starts %s on the left\n",
                          date_format(pair->before->start, start));
        if (pair->before == NULL || pair->after == NULL) {
            add_why(out, pair->before == NULL ? "right: opened by" : "left: opened by",
                    &line->opened_by);
            if (pair->instead != NULL)
                add_why(out, pair->before == NULL ? "left: same line by" : "right: same line by",
                        &pair->instead->why);
        }
    }
}

void difference_table(struct slice patient, const struct difference *difference, struct buffer *out)
{
    char day[DATE_TEXT_SIZE];
    buffer_format(out, "%.*s on %s, %.*s | %.*s\n", SLICE_ARGS(patient),
                  date_format(difference->after->as_of, day), SLICE_ARGS(difference->before->rules),
                  SLICE_ARGS(difference->after->rules));
    for (unsigned i = 0; i < difference->history_count; i++) {
        const struct history_difference *history = &difference->histories[i];
        buffer_format(out, "  %.*s\n", SLICE_ARGS(history->disease->name));
        add_rows(out, history);
        buffer_add(out, SLICE("    verdict: "));
        add_verdict_words(out, history->before);
        buffer_add(out, SLICE(" | "));
        add_verdict_words(out, history->after);
        buffer_add_char(out, '\n');
    }
    if (difference->history_count == 0)
        buffer_add(out, SLICE("  no cancer on record: no lines are derived\n"));
}
