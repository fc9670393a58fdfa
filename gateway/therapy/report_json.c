#include "base/json.h"
#include "base/text.h"
#include "therapy/report.h"

static void put_day(struct json_writer *json, const char *key, struct date day)
{
    char text[DATE_TEXT_SIZE];
    json_key(json, key);
    if (date_is_none(day))
        json_null(json);
    else
        json_text(json, date_format(day, text));
}

/* "MedicationRequest/m4", without the version. */
static void put_resource(struct json_writer *json, const struct event *event)
{
    char room[EVENT_REFERENCE_SIZE];
    struct text text = TEXT(room);
    text_add_slice(&text, slice_of(fhir_type_name(event->type)));
    text_add_slice(&text, SLICE("/"));
    text_add_slice(&text, event->id);
    json_string(json, text_slice(&text));
}

static void put_events(struct json_writer *json, const char *key, const struct event *const *events,
                       unsigned count)
{
    char text[EVENT_REFERENCE_SIZE];
    json_key(json, key);
    json_array(json);
    for (unsigned i = 0; i < count; i++)
        json_string(json, event_reference(events[i], text));
    json_array_end(json);
}

static void put_drugs(struct json_writer *json, const char *key, const struct drug *const *drugs,
                      unsigned count)
{
    json_key(json, key);
    json_array(json);
    for (unsigned i = 0; i < count; i++)
        json_string(json, drugs[i]->name);
    json_array_end(json);
}

/* The ids of a set of rules; nothing at all for an empty one. */
static void put_rules(struct json_writer *json, const char *key, uint64_t rules)
{
    if (rules == 0)
        return;
    json_key(json, key);
    json_array(json);
    for (unsigned i = 0; i < 64; i++)
        if ((rules >> i & 1) != 0)
            json_text(json, rule_id((enum rule)i));
    json_array_end(json);
}

static void put_boundary_members(struct json_writer *json, const struct boundary *boundary)
{
    json_put_text(json, "rule", rule_id(boundary->rule));
    json_put_text(json, "reason", boundary->reason);
    json_key(json, "operands");
    json_object(json);
    for (unsigned i = 0; i < boundary->operand_count; i++)
        json_put_integer(json, boundary->operands[i].name, boundary->operands[i].value);
    json_object_end(json);
    put_events(json, "evidence", boundary->evidence, boundary->evidence_count);
    json_put(json, "source", boundary->source);
    put_rules(json, "also", boundary->also);
}

static void put_boundary(struct json_writer *json, const char *key, const struct boundary *boundary)
{
    json_key(json, key);
    if (boundary->reason == NULL) {
        json_null(json);
        return;
    }
    json_object(json);
    put_boundary_members(json, boundary);
    json_object_end(json);
}

static void put_segments(struct json_writer *json, const struct line *line)
{
    json_key(json, "segments");
    json_array(json);
    for (unsigned i = 0; i < line->segment_count; i++) {
        const struct segment *segment = &line->segments[i];
        bool is_open = line->is_open && i + 1 == line->segment_count;
        json_object(json);
        json_put_text(json, "kind", segment_kind_name(segment->kind));
        put_day(json, "start", segment->start);
        put_day(json, "end", is_open ? date_none() : segment->end);
        put_drugs(json, "ingredients", segment->drugs, segment->drug_count);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_notes(struct json_writer *json, const struct line *line)
{
    json_key(json, "notes");
    json_array(json);
    for (unsigned i = 0; i < line->note_count; i++) {
        json_object(json);
        put_day(json, "day", line->notes[i].day);
        put_boundary_members(json, &line->notes[i].why);
        json_object_end(json);
    }
    json_array_end(json);
}

/* What is on record for the drugs of the line, the weightiest word for a reader first. */
static void put_proof(struct json_writer *json, unsigned proof)
{
    static const unsigned bits[] = { PROOF_ORDERED, PROOF_ADMINISTERED, PROOF_DISPENSED,
                                     PROOF_REPORTED };
    json_key(json, "proof");
    json_array(json);
    for (size_t i = 0; i < COUNT_OF(bits); i++)
        if ((proof & bits[i]) != 0)
            json_text(json, proof_words(bits[i]));
    json_array_end(json);
}

static void put_line(struct json_writer *json, const struct history *history, unsigned at)
{
    const struct line *line = &history->lines[at];
    char notation[LINE_NOTATION_SIZE];
    json_object(json);
    json_put_integer(json, "number", line->number);
    json_put_integer(json, "numberMin", line->number_min);
    json_key(json, "numberMax");
    if (line->number_max == 0)
        json_null(json);
    else
        json_integer(json, line->number_max);
    json_put_text(json, "id", line->id);
    put_day(json, "start", line->start);
    put_day(json, "end", line->is_open ? date_none() : line->end);
    put_drugs(json, "ingredients", line->drugs, line->drug_count);
    json_key(json, "regimen");
    if (line->regimen.len == 0)
        json_null(json);
    else
        json_string(json, line->regimen);
    put_proof(json, line->proof);
    json_put_text(json, "setting", line_setting_name(line->setting));
    json_put_bool(json, "short", line->is_short);
    put_segments(json, line);
    put_boundary(json, "openedBy", &line->opened_by);
    put_boundary(json, "closedBy", &line->closed_by);
    put_notes(json, line);
    put_events(json, "sources", line->sources, line->source_count);
    if (history->disease->family <= DISEASE_ANY_CANCER)
        json_put_text(json, "notation", line_notation(history, at, notation));
    json_object_end(json);
}

static void put_reasons(struct json_writer *json, const char *key,
                        const struct verdict_reason *reasons, unsigned count)
{
    json_key(json, key);
    json_array(json);
    for (unsigned i = 0; i < count; i++) {
        json_object(json);
        json_put_text(json, "rule", rule_id(reasons[i].rule));
        json_put(json, "text", reasons[i].text);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_labels(struct json_writer *json, const struct verdict *verdict)
{
    json_key(json, "labels");
    json_array(json);
    for (unsigned i = 0; i < verdict->label_count; i++) {
        const struct verdict_label *label = &verdict->labels[i];
        char text[EVENT_REFERENCE_SIZE];
        json_object(json);
        json_put(json, "label", label->label->label);
        json_put_integer(json, "days", label->days);
        json_put_integer(json, "limitDays", label->label->to_days);
        json_put(json, "evidence", event_reference(label->evidence, text));
        json_put(json, "source", label->label->source);
        json_object_end(json);
    }
    json_array_end(json);
}

/* Kinds of treatment that the disease has: ordered, and with what end; or not yet. */
static void put_options(struct json_writer *json, const struct history *history)
{
    json_key(json, "options");
    json_array(json);
    for (unsigned i = 0; i < history->option_count; i++) {
        const struct option_use *use = &history->options[i];
        json_object(json);
        json_put(json, "option", use->option->key);
        json_put(json, "name", use->option->name);
        json_put_bool(json, "ordered", use->is_used);
        put_day(json, "first", use->first);
        put_day(json, "last", use->last);
        json_put_bool(json, "failed", use->failed);
        json_object_end(json);
    }
    json_array_end(json);
}

/* A total is a least one while some orders could not be counted; null when none could. */
static void put_cumulative(struct json_writer *json, const struct therapy *therapy)
{
    json_key(json, "cumulative");
    json_array(json);
    for (unsigned i = 0; i < therapy->cumulative_count; i++) {
        const struct cumulative *sum = &therapy->cumulative[i];
        json_object(json);
        json_put(json, "exposure", sum->exposure);
        json_put_text(json, "unit", "mg/m2");
        json_key(json, "total");
        if (sum->counted == 0)
            json_null(json);
        else
            json_integer(json, (sum->total_thousandths + 500) / 1000);
        json_put_bool(json, "complete", sum->counted == sum->orders);
        json_put_integer(json, "orders", sum->orders);
        json_put_integer(json, "counted", sum->counted);
        json_put(json, "reason", sum->why_not);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_verdict(struct json_writer *json, const struct verdict *verdict)
{
    json_key(json, "verdict");
    json_object(json);
    json_put_bool(json, "salvage", verdict->salvage);
    json_put_text(json, "grade", grade_name(verdict->grade));
    json_key(json, "line");
    if (verdict->line == 0)
        json_null(json);
    else
        json_integer(json, verdict->line);
    json_put(json, "basis", verdict->basis);
    json_put_text(json, "status", disease_status_name(verdict->status));
    put_reasons(json, "reasons", verdict->reasons, verdict->reason_count);
    put_reasons(json, "vetoes", verdict->vetoes, verdict->veto_count);
    put_labels(json, verdict);
    json_put_bool(json, "historyTruncated", verdict->history_truncated);
    put_events(json, "evidence", verdict->evidence, verdict->evidence_count);
    json_object_end(json);
}

static void put_classes(struct json_writer *json, const struct history *history)
{
    json_key(json, "classes");
    json_array(json);
    for (unsigned i = 0; i < history->class_count; i++) {
        const struct class_exposure *exposure = &history->classes[i];
        json_object(json);
        json_put(json, "class", exposure->drug_class);
        put_drugs(json, "ingredients", exposure->drugs, exposure->drug_count);
        put_day(json, "first", exposure->first);
        put_day(json, "last", exposure->last);
        json_put_bool(json, "failed", exposure->failed);
        json_object_end(json);
    }
    json_array_end(json);
}

/* The second opinion behind numberMin and numberMax; null when there is none. */
static void put_contrast(struct json_writer *json, const struct contrast *contrast)
{
    json_key(json, "contrast");
    if (contrast->rules.len == 0) {
        json_null(json);
        return;
    }
    json_object(json);
    json_put(json, "rules", contrast->rules);
    json_put_integer(json, "lines", contrast->line_count);
    json_put_bool(json, "salvage", contrast->salvage);
    json_put_text(json, "grade", grade_name(contrast->grade));
    json_object_end(json);
}

static void put_history(struct json_writer *json, const struct history *history)
{
    json_object(json);
    json_put(json, "disease", history->disease->key);
    json_put(json, "rules", history->rules);
    json_key(json, "lines");
    json_array(json);
    for (unsigned i = 0; i < history->line_count; i++)
        put_line(json, history, i);
    json_array_end(json);
    put_verdict(json, &history->verdict);
    put_classes(json, history);
    json_put_bool(json, "ambiguous", history->is_ambiguous);
    put_contrast(json, &history->contrast);
    put_options(json, history);
    json_object_end(json);
}

static void put_coding(struct json_writer *json, const struct coding *coding)
{
    json_object(json);
    if (coding->system == CODE_OTHER)
        json_put(json, "system", coding->system_uri);
    else
        json_put_text(json, "system", code_system_uri(coding->system));
    json_put(json, "code", coding->code);
    json_object_end(json);
}

static void put_unmapped(struct json_writer *json, const struct therapy *therapy)
{
    json_key(json, "unmapped");
    json_array(json);
    for (unsigned i = 0; i < therapy->unmapped_count; i++) {
        const struct event *event = therapy->unmapped[i];
        const struct concept *concept =
            event->type == FHIR_CONDITION ? &event->code : &event->medication;
        const struct coding none = { .system = CODE_OTHER };
        const struct coding *coding = concept->count > 0 ? &concept->codings[0] : &none;
        json_object(json);
        json_key(json, "resource");
        put_resource(json, event);
        if (coding->system == CODE_OTHER)
            json_put(json, "system", coding->system_uri);
        else
            json_put_text(json, "system", code_system_uri(coding->system));
        json_put(json, "code", coding->code);
        json_put(json, "text", concept->text);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_left_out(struct json_writer *json, const struct therapy *therapy)
{
    json_key(json, "notInLine");
    json_array(json);
    for (unsigned i = 0; i < therapy->left_out_count; i++) {
        const struct left_out *left_out = &therapy->left_out[i];
        json_object(json);
        json_key(json, "resource");
        put_resource(json, left_out->order);
        json_put_text(json, "rule", rule_id(left_out->rule));
        json_put_text(json, "reason", rule_reason(left_out->rule));
        if (left_out->text.len > 0)
            json_put(json, "text", left_out->text);
        json_object_end(json);
    }
    json_array_end(json);
}

/* Resources whose codes, or code and words, name different drugs; "taken" is what counts. */
static void put_conflicts(struct json_writer *json, const struct therapy *therapy)
{
    json_key(json, "conflicts");
    json_array(json);
    for (unsigned i = 0; i < therapy->conflicting_count; i++) {
        const struct event *event = therapy->conflicting[i];
        json_object(json);
        json_key(json, "resource");
        put_resource(json, event);
        json_key(json, "codes");
        json_array(json);
        for (unsigned k = 0; k < event->medication.count; k++)
            put_coding(json, &event->medication.codings[k]);
        json_array_end(json);
        json_put(json, "text", event->medication.text);
        put_drugs(json, "taken", event->drugs, event->drug_count);
        json_object_end(json);
    }
    json_array_end(json);
}

void report_json(const struct report_head *head, const struct therapy *therapy, struct buffer *out)
{
    struct json_writer writer, *json = &writer;
    char hex[SHA256_HEX_SIZE];
    struct text rule_set = { (char[SHA256_HEX_SIZE + 8]){ 0 }, SHA256_HEX_SIZE + 8, 0 };
    json_writer_init(json, out, false);
    json_object(json);
    json_put(json, "patient", head->patient);
    put_day(json, "asOf", therapy->as_of);
    text_add(&rule_set, "sha256:%s", sha256_hex(head->rule_set, hex));
    json_put(json, "ruleSet", text_slice(&rule_set));
    json_put(json, "rules", therapy->rules);
    json_key(json, "histories");
    json_array(json);
    for (unsigned i = 0; i < therapy->history_count; i++)
        put_history(json, &therapy->histories[i]);
    json_array_end(json);
    put_unmapped(json, therapy);
    put_conflicts(json, therapy);
    put_cumulative(json, therapy);
    json_key(json, "unattributed");
    json_array(json);
    for (unsigned i = 0; i < therapy->unattributed_count; i++)
        put_resource(json, therapy->unattributed[i]);
    json_array_end(json);
    put_left_out(json, therapy);
    json_object_end(json);
}
