#include "cds/cards.h"

#include "base/json.h"
#include "base/text.h"

static const char label[] = "Lifeline: lines of therapy from orders on record";
static const char disclaimer[] =
    "Derived from what was ordered; an order does not prove that a drug was taken. "
    "Information for clinicians, not advice to treat.";

/* --- words ----------------------------------------------------------------------------------- */

/* Characters, not bytes, and never half of one. */
static void put_bounded(struct json_writer *writer, const char *key, struct slice text,
                        size_t characters)
{
    size_t at = 0, count = 0;
    for (; at < text.len; at++)
        if (((unsigned char)text.at[at] & 0xc0) != 0x80 && count++ == characters)
            break;
    json_put(writer, key, (struct slice){ text.at, at });
}

static void add_drugs(struct text *out, const struct line *line)
{
    if (line->regimen.len > 0) {
        text_add_slice(out, line->regimen);
        return;
    }
    for (unsigned i = 0; i < line->drug_count; i++)
        text_add(out, "%s%.*s", i > 0 ? ", " : "", SLICE_ARGS(line->drugs[i]->name));
    if (line->drug_count == 0)
        text_add(out, "no drug");
}

static const struct line *verdict_line(const struct history *history)
{
    for (unsigned i = 0; i < history->line_count; i++)
        if (history->lines[i].number == history->verdict.line)
            return &history->lines[i];
    return NULL;
}

static void add_number(struct text *out, const struct line *line)
{
    if (line->number_max == 0 && line->number_min > line->number)
        text_add(out, "line %u or later", line->number_min);
    else if (line->number_max > line->number_min)
        text_add(out, "line %u to %u", line->number_min, line->number_max);
    else
        text_add(out, "line %u", line->number);
}

/* A vertical bar would end a cell of the table. */
static void add_cell(struct text *out, struct slice words)
{
    for (size_t i = 0; i < words.len; i++)
        text_add(out, "%s%c", words.at[i] == '|' ? "\\" : "", words.at[i]);
}

static void add_line_row(struct text *out, const struct line *line)
{
    char start[DATE_TEXT_SIZE], end[DATE_TEXT_SIZE], drugs[400];
    struct text names = TEXT(drugs);
    add_drugs(&names, line);
    text_add(out, "| %u | %s | %s | ", line->number, date_format(line->start, start),
             line->is_open ? "open" : date_format(line->end, end));
    add_cell(out, text_slice(&names));
    text_add(out, " | %s |\n", line->opened_by.reason);
}

static void add_detail(struct text *out, const struct history *history,
                       const struct cds_card_settings *settings)
{
    const struct verdict *verdict = &history->verdict;
    text_add(out, "| Line | Ordered from | to | Ordered | Why it began |\n|---|---|---|---|---|\n");
    for (unsigned i = 0; i < history->line_count; i++)
        add_line_row(out, &history->lines[i]);
    text_add(out, "\nGrade %s, basis %.*s.\n\n", grade_name(verdict->grade),
             SLICE_ARGS(verdict->basis));
    for (unsigned i = 0; i < verdict->reason_count; i++)
        text_add(out, "- %.*s (%s)\n", SLICE_ARGS(verdict->reasons[i].text),
                 rule_id(verdict->reasons[i].rule));
    if (verdict->evidence_count > 0)
        text_add(out, "\nEvidence:");
    for (unsigned i = 0; i < verdict->evidence_count; i++) {
        char name[EVENT_REFERENCE_SIZE];
        struct slice reference = event_reference(verdict->evidence[i], name);
        text_add(out, "%s `%.*s`", i > 0 ? "," : "", SLICE_ARGS(reference));
    }
    char hex[SHA256_HEX_SIZE];
    text_add(out, "\n\n%s Rule set %.12s.", disclaimer, sha256_hex(settings->rule_set, hex));
}

/* --- a card ---------------------------------------------------------------------------------- */

/* A name-based UUID: the same call about the same verdict is the same card. */
static void card_uuid(const struct cds_request *request, const struct history *history,
                      const struct line *line, char out[UUID_TEXT_SIZE])
{
    char named[400];
    struct text name = TEXT(named);
    text_add(&name, "%.*s %.*s %s %s", SLICE_ARGS(request->hook_instance),
             SLICE_ARGS(history->disease->key), line->id, grade_name(history->verdict.grade));
    struct sha256 digest = sha256_of_one(text_slice(&name));
    sha256_uuid(&digest, out);
}

static void put_override_reasons(struct json_writer *writer)
{
    static const char *const reasons[][2] = {
        { "known", "Known and taken into account" },
        { "record-incomplete", "The record lacks earlier therapy" },
        { "not-salvage", "This is not salvage therapy" },
    };
    json_key(writer, "overrideReasons");
    json_array(writer);
    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        json_object(writer);
        json_put_text(writer, "code", reasons[i][0]);
        json_put_text(writer, "system", "urn:lifeline:override-reason");
        json_put_text(writer, "display", reasons[i][1]);
        json_object_end(writer);
    }
    json_array_end(writer);
}

static void write_card(struct json_writer *writer, const struct cds_card_settings *settings,
                       const struct cds_request *request, const struct history *history,
                       bool is_drafted)
{
    const struct line *line = verdict_line(history);
    char summary_text[400], detail_text[16384], uuid[UUID_TEXT_SIZE];
    struct text summary = TEXT(summary_text), detail = TEXT(detail_text);
    if (line == NULL)
        return;
    text_add(&summary, is_drafted ? "With these orders: " : "On record: ");
    add_number(&summary, line);
    text_add(&summary, " (salvage, %s) of %.*s: ", grade_name(history->verdict.grade),
             SLICE_ARGS(history->disease->name));
    add_drugs(&summary, line);
    add_detail(&detail, history, settings);
    card_uuid(request, history, line, uuid);
    json_object(writer);
    json_put_text(writer, "uuid", uuid);
    put_bounded(writer, "summary", text_slice(&summary), CDS_SUMMARY_MAX);
    json_put(writer, "detail", text_slice(&detail));
    json_put_text(writer, "indicator", "info");
    json_key(writer, "source");
    json_object(writer);
    json_put_text(writer, "label", label);
    if (settings->source_url != NULL)
        json_put_text(writer, "url", settings->source_url);
    json_object_end(writer);
    put_override_reasons(writer);
    json_object_end(writer);
}

static bool is_shown(const struct history *history, enum grade grade_min)
{
    return history->verdict.salvage && history->verdict.grade >= grade_min;
}

static const struct history *same_disease(const struct therapy *therapy,
                                          const struct disease *disease)
{
    for (unsigned i = 0; therapy != NULL && i < therapy->history_count; i++)
        if (therapy->histories[i].disease == disease)
            return &therapy->histories[i];
    return NULL;
}

/* True when the drafts make a line that the record does not have. */
static bool is_made_by_drafts(const struct history *history, const struct therapy *now)
{
    const struct history *before = same_disease(now, history->disease);
    const struct line *line = verdict_line(history);
    if (before == NULL || line == NULL || !before->verdict.salvage)
        return true;
    for (unsigned i = 0; i < before->line_count; i++)
        if (strcmp(before->lines[i].id, line->id) == 0)
            return false;
    return true;
}

void cds_write_cards(const struct cds_card_settings *settings, const struct cds_request *request,
                     const struct therapy *now, const struct therapy *with_drafts,
                     struct buffer *out)
{
    const struct therapy *shown = with_drafts != NULL ? with_drafts : now;
    struct json_writer writer;
    json_writer_init(&writer, out, false);
    json_object(&writer);
    json_key(&writer, "cards");
    json_array(&writer);
    for (unsigned i = 0; i < shown->history_count; i++)
        if (is_shown(&shown->histories[i], settings->grade_min))
            write_card(&writer, settings, request, &shown->histories[i],
                       with_drafts != NULL && is_made_by_drafts(&shown->histories[i], now));
    json_array_end(&writer);
    json_object_end(&writer);
}

/* --- discovery ------------------------------------------------------------------------------- */

void cds_write_services(struct buffer *out)
{
    static const struct {
        const char *key, *query;
    } prefetch[] = {
        { "patient", "Patient/{{context.patientId}}" },
        { "conditions", "Condition?patient={{context.patientId}}" },
        { "orders", "MedicationRequest?patient={{context.patientId}}" },
        { "administrations", "MedicationAdministration?patient={{context.patientId}}" },
        { "procedures", "Procedure?patient={{context.patientId}}" },
    };
    struct json_writer writer;
    json_writer_init(&writer, out, false);
    json_object(&writer);
    json_key(&writer, "services");
    json_array(&writer);
    for (unsigned hook = 0; hook < CDS_HOOK_COUNT; hook++) {
        json_object(&writer);
        json_put_text(&writer, "hook", cds_hook_name((enum cds_hook)hook));
        json_put_text(&writer, "id", CDS_SERVICE_ID);
        json_put_text(&writer, "title", "Salvage therapy");
        json_put_text(&writer, "description",
                      "Tells when the orders on record, or those being written, make a line of "
                      "salvage therapy, with the lines before it and the evidence.");
        json_put_text(&writer, "usageRequirements",
                      "Prefetch is used where it comes; else what the gateway has stored.");
        json_key(&writer, "prefetch");
        json_object(&writer);
        for (size_t i = 0; i < COUNT_OF(prefetch); i++)
            json_put_text(&writer, prefetch[i].key, prefetch[i].query);
        json_object_end(&writer);
        json_object_end(&writer);
    }
    json_array_end(&writer);
    json_object_end(&writer);
}
