#include "therapy/report.h"

#define BAR_WIDTH 48 /* columns of the drawn timeline */

static void add_drugs(struct buffer *out, const struct drug *const *drugs, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        buffer_format(out, "%s%.*s", i > 0 ? " + " : "", SLICE_ARGS(drugs[i]->name));
}

static void add_number(struct buffer *out, const struct line *line)
{
    buffer_format(out, "line %u", line->number);
    if (line->number_max == 0 && line->number_min > line->number)
        buffer_format(out, " on record (at least line %u)", line->number_min);
    else if (line->number_max == 0)
        buffer_add(out, SLICE(" or later"));
    else if (line->number_min < line->number_max)
        buffer_format(out, " (%u to %u)", line->number_min, line->number_max);
}

static const char *end_text(const struct line *line, char *room)
{
    return line->is_open ? "ongoing" : date_format(line->end, room);
}

/* "|   ====|" : where the line lies between the first start and the last day shown. */
static void add_bar(struct buffer *out, const struct history *history, const struct line *line,
                    struct date as_of)
{
    int32_t first = history->lines[0].start.day, last = first;
    for (unsigned i = 0; i < history->line_count; i++) {
        int32_t end = history->lines[i].is_open ? as_of.day : history->lines[i].end.day;
        last = end > last ? end : last;
    }
    int64_t span = last - first + 1;
    int32_t end = line->is_open ? as_of.day : line->end.day;
    int64_t from = (int64_t)(line->start.day - first) * BAR_WIDTH / span;
    int64_t to = (int64_t)(end - first) * BAR_WIDTH / span;
    buffer_add_char(out, '|');
    for (int64_t i = 0; i < BAR_WIDTH; i++)
        buffer_add_char(out, i < from || i > to ? ' ' : '=');
    buffer_add_char(out, '|');
}

static void add_boundary(struct buffer *out, const char *what, const struct boundary *boundary)
{
    char reference[EVENT_REFERENCE_SIZE];
    if (boundary->reason == NULL)
        return;
    buffer_format(out, "      %s %s %s", what, rule_id(boundary->rule), boundary->reason);
    for (unsigned i = 0; i < boundary->operand_count; i++)
        buffer_format(out, " %s=%d", boundary->operands[i].name, boundary->operands[i].value);
    if (boundary->source.len > 0)
        buffer_format(out, " [%.*s]", SLICE_ARGS(boundary->source));
    buffer_add_char(out, '\n');
    for (unsigned i = 0; i < 64; i++)
        if ((boundary->also >> i & 1) != 0)
            buffer_format(out, "        also %s %s\n", rule_id((enum rule)i),
                          rule_reason((enum rule)i));
    for (unsigned i = 0; i < boundary->evidence_count; i++)
        buffer_format(out, "        %.*s\n",
                      SLICE_ARGS(event_reference(boundary->evidence[i], reference)));
}

static void add_segments(struct buffer *out, const struct line *line)
{
    char start[DATE_TEXT_SIZE], end[DATE_TEXT_SIZE];
    for (unsigned i = 0; line->segment_count > 1 && i < line->segment_count; i++) {
        const struct segment *segment = &line->segments[i];
        bool is_open = line->is_open && i + 1 == line->segment_count;
        buffer_format(out, "      %-13s %s to %s%s", segment_kind_name(segment->kind),
                      date_format(segment->start, start),
                      is_open ? "ongoing" : date_format(segment->end, end),
                      segment->drug_count > 0 ? ": " : "");
        add_drugs(out, segment->drugs, segment->drug_count);
        buffer_add_char(out, '\n');
    }
}

static void add_notes(struct buffer *out, const struct line *line)
{
    char day[DATE_TEXT_SIZE];
    for (unsigned i = 0; i < line->note_count; i++) {
        buffer_format(out, "      %s, same line:\n", date_format(line->notes[i].day, day));
        add_boundary(out, "  by", &line->notes[i].why);
    }
}

static void add_line(struct buffer *out, const struct history *history, const struct line *line,
                     struct date as_of, bool explain)
{
    char start[DATE_TEXT_SIZE], end[DATE_TEXT_SIZE], notation[LINE_NOTATION_SIZE];
    buffer_add(out, SLICE("    "));
    add_number(out, line);
    buffer_format(out, "  %s to %s  ", date_format(line->start, start), end_text(line, end));
    if (line->regimen.len > 0)
        buffer_format(out, "%.*s%s", SLICE_ARGS(line->regimen), line->drug_count > 0 ? ": " : "");
    add_drugs(out, line->drugs, line->drug_count);
    if (line->proof != 0 && line->proof != PROOF_ORDERED) /* the rule: it needs no word */
        buffer_format(out, " (%s)", proof_words(line->proof));
    if (line->setting != SETTING_UNKNOWN)
        buffer_format(out, " (%s, %s)", line_setting_name(line->setting),
                      line_notation(history, (unsigned)(line - history->lines), notation));
    if (line->is_short)
        buffer_add(out, SLICE(" (shorter than one cycle)"));
    buffer_add(out, SLICE("\n      "));
    add_bar(out, history, line, as_of);
    buffer_add_char(out, '\n');
    add_segments(out, line);
    if (!explain)
        return;
    add_boundary(out, "opened by", &line->opened_by);
    add_notes(out, line);
    add_boundary(out, "closed by", &line->closed_by);
}

static void add_reasons(struct buffer *out, const char *what, const struct verdict_reason *reasons,
                        unsigned count, bool explain)
{
    for (unsigned i = 0; i < count; i++) {
        buffer_format(out, "      %s", what);
        if (explain)
            buffer_format(out, "%s ", rule_id(reasons[i].rule));
        buffer_format(out, "%.*s\n", SLICE_ARGS(reasons[i].text));
    }
}

static void add_verdict(struct buffer *out, const struct verdict *verdict, bool explain)
{
    if (verdict->salvage)
        buffer_format(out, "    SALVAGE THERAPY, grade %s (basis %.*s)", grade_name(verdict->grade),
                      SLICE_ARGS(verdict->basis));
    else
        buffer_format(out, "    not salvage therapy (basis %.*s)", SLICE_ARGS(verdict->basis));
    if (verdict->status >= DISEASE_STATUS_SUPPRESSED) /* of the virus, of the kidneys */
        buffer_format(out, ", %s", disease_status_name(verdict->status));
    else if (verdict->status != DISEASE_STATUS_UNKNOWN)
        buffer_format(out, ", disease %s", disease_status_name(verdict->status));
    buffer_add_char(out, '\n');
    add_reasons(out, "- ", verdict->reasons, verdict->reason_count, explain);
    add_reasons(out, "- vetoed: ", verdict->vetoes, verdict->veto_count, explain);
}

static void add_classes(struct buffer *out, const struct history *history)
{
    char last[DATE_TEXT_SIZE];
    if (history->class_count == 0)
        return;
    buffer_add(out, SLICE("    ordered so far, by class:\n"));
    for (unsigned i = 0; i < history->class_count; i++) {
        const struct class_exposure *exposure = &history->classes[i];
        buffer_format(out, "      %.*s: ", SLICE_ARGS(exposure->drug_class));
        add_drugs(out, exposure->drugs, exposure->drug_count);
        buffer_format(out, ", last %s%s\n", date_format(exposure->last, last),
                      exposure->failed ? ", failed" : "");
    }
}

/* SAL-026: which kinds of treatment of the disease nobody has ordered. */
static void add_options(struct buffer *out, const struct history *history)
{
    const char *join = "    not ordered so far: ";
    for (unsigned i = 0; history->verdict.salvage && i < history->option_count; i++) {
        if (history->options[i].is_used)
            continue;
        buffer_format(out, "%s%.*s", join, SLICE_ARGS(history->options[i].option->name));
        join = ", ";
    }
    if (join[0] == ',')
        buffer_add_char(out, '\n');
}

/* SAL-027 */
static void add_cumulative(struct buffer *out, const struct therapy *therapy)
{
    for (unsigned i = 0; i < therapy->cumulative_count; i++) {
        const struct cumulative *sum = &therapy->cumulative[i];
        buffer_format(out, "  cumulative %.*s ordered: ", SLICE_ARGS(sum->exposure));
        if (sum->counted > 0)
            buffer_format(out, "%s%lld mg/m2", sum->counted < sum->orders ? "at least " : "",
                          (long long)((sum->total_thousandths + 500) / 1000));
        else
            buffer_add(out, SLICE("not computable"));
        if (sum->counted < sum->orders)
            buffer_format(out, ", %u of %u orders not counted: %.*s", sum->orders - sum->counted,
                          sum->orders, SLICE_ARGS(sum->why_not));
        buffer_add_char(out, '\n');
    }
}

static void add_history(struct buffer *out, const struct history *history, struct date as_of,
                        bool explain)
{
    buffer_format(out, "  %.*s\n", SLICE_ARGS(history->disease->name));
    if (!slice_is(history->rules, "lifeline"))
        buffer_format(out, "    rules of %.*s\n", SLICE_ARGS(history->rules));
    if (history->is_ambiguous)
        buffer_add(out, SLICE("    some orders may belong to another cancer of the patient\n"));
    if (history->line_count == 0)
        buffer_add(out, SLICE("    no line of therapy on record\n"));
    for (unsigned i = 0; i < history->line_count; i++)
        add_line(out, history, &history->lines[i], as_of, explain);
    add_verdict(out, &history->verdict, explain);
    add_classes(out, history);
    add_options(out, history);
}

static void add_list(struct buffer *out, const char *title, const struct event *const *events,
                     unsigned count)
{
    if (count == 0)
        return;
    buffer_format(out, "  %s:\n", title);
    for (unsigned i = 0; i < count; i++) {
        const struct event *event = events[i];
        const struct concept *concept =
            event->type == FHIR_CONDITION ? &event->code : &event->medication;
        buffer_format(out, "    %s/%.*s  %.*s\n", fhir_type_name(event->type),
                      SLICE_ARGS(event->id), SLICE_ARGS(concept->text));
    }
}

/* What people are told about orders and Procedures that are in no line. */
static void add_left_out(struct buffer *out, const struct therapy *therapy)
{
    bool is_first = true;
    for (unsigned i = 0; i < therapy->left_out_count; i++) {
        const struct left_out *left_out = &therapy->left_out[i];
        const struct event *event = left_out->order;
        const struct concept *concept =
            event->type == FHIR_PROCEDURE ? &event->code : &event->medication;
        if (left_out->text.len == 0)
            continue;
        buffer_format(out, "%s    %s/%.*s  %.*s: %.*s (%s)\n", is_first ? "  in no line:\n" : "",
                      fhir_type_name(event->type), SLICE_ARGS(event->id), SLICE_ARGS(concept->text),
                      SLICE_ARGS(left_out->text), rule_id(left_out->rule));
        is_first = false;
    }
}

/* Which drugs were taken is what a reader has to check. */
static void add_conflicts(struct buffer *out, const struct therapy *therapy)
{
    if (therapy->conflicting_count > 0)
        buffer_add(out, SLICE("  codes and words that name different drugs:\n"));
    for (unsigned i = 0; i < therapy->conflicting_count; i++) {
        const struct event *event = therapy->conflicting[i];
        buffer_format(out, "    %s/%.*s  %.*s, taken for ", fhir_type_name(event->type),
                      SLICE_ARGS(event->id), SLICE_ARGS(event->medication.text));
        add_drugs(out, event->drugs, event->drug_count);
        buffer_add_char(out, '\n');
    }
}

void report_text(const struct report_head *head, const struct therapy *therapy, bool explain,
                 struct buffer *out)
{
    char day[DATE_TEXT_SIZE];
    buffer_format(out, "%.*s on %s\n", SLICE_ARGS(head->patient), date_format(therapy->as_of, day));
    if (therapy->history_count == 0)
        buffer_add(
            out,
            SLICE("  no cancer, HIV or end-stage renal disease on record: no lines are derived\n"));
    for (unsigned i = 0; i < therapy->history_count; i++)
        add_history(out, &therapy->histories[i], therapy->as_of, explain);
    add_cumulative(out, therapy);
    add_list(out, "ordered, but for which cancer is unknown", therapy->unattributed,
             therapy->unattributed_count);
    add_left_out(out, therapy);
    add_list(out, "not in the mappings", therapy->unmapped, therapy->unmapped_count);
    add_conflicts(out, therapy);
}
