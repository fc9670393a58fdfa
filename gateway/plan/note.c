/* What a message or a note in the chart says: plain text, since that is what every EHR shows, with
 * the same parts as the narrative and the notes of the CarePlan.
 *
 * It is a snapshot.  A Flag changes as the orders go on; a message has been read, and a new one is
 * written only when the Flag says something new. */
#include "plan/plan_int.h"

#define RULE_SET_DIGITS 12
#define TAIL_BYTES 400 /* kept free for what must not be cut */

static const char *const wishes[] = {
    [WISH_HOLD] = "hold", [WISH_INACTIVE] = "inactive", [WISH_IN_ERROR] = "in-error"
};

static void add(struct body *body, struct slice text)
{
    /* Line ends, tabs and other controls of a name must not make lines of their own. */
    for (size_t i = 0; i < text.len; i++) {
        bool is_control = (unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f;
        buffer_add_char(&body->note, is_control ? ' ' : text.at[i]);
    }
}

static void add_line(struct body *body, const char *label, struct slice text)
{
    if (text.len == 0 || body->note.len + text.len > PLAN_NOTE_MAX - TAIL_BYTES)
        return; /* whole lines or none: half a sentence may say the opposite */
    add(body, slice_of(label));
    add(body, text);
    buffer_add_char(&body->note, '\n');
}

static void add_drugs(struct body *body, const struct line *line)
{
    char bytes[600];
    struct text names = TEXT(bytes);
    for (unsigned i = 0; i < line->drug_count; i++) {
        if (names.used + line->drugs[i]->name.len + 32 > sizeof bytes) {
            text_add(&names, " and %u more", line->drug_count - i);
            break;
        }
        text_add_slice(&names, i > 0 ? SLICE(", ") : SLICE(""));
        text_add_slice(&names, line->drugs[i]->name);
    }
    add_line(body, "Ingredients ordered: ", text_slice(&names));
}

static void put_note(struct body *body, struct slice text) { add_line(body, "- ", text); }

static void add_holding(struct body *body, const struct subject *subject)
{
    const struct verdict *verdict = &subject->history->verdict;
    char numbers[48], day[DATE_TEXT_SIZE], bytes[PLAN_TEXT_BYTES];
    struct text number = TEXT(numbers), regimen = TEXT(bytes);
    words_number(subject, &number);
    words_regimen(subject->line, &regimen);
    buffer_add_char(&body->note, '\n');
    add_line(body, "Line: ", text_slice(&number));
    add_line(body, "Regimen: ", words_slice(&regimen));
    add_drugs(body, subject->line);
    add_line(body, "Start: ", slice_of(date_format(subject->line->start, day)));
    add_line(body, "Grade: ", slice_of(grade_name(verdict->grade)));
    add_line(body, "Basis: ", verdict->basis);
    add_line(body, "Status: ", slice_of(disease_status_name(verdict->status)));
    for (unsigned i = 0; i < verdict->reason_count; i++)
        add_line(body, "Reason: ", verdict->reasons[i].text);
    buffer_add(&body->note, SLICE("\nFor the team:\n"));
    care_plan_each_note(body, subject, put_note);
    buffer_add(&body->note,
               SLICE("\nInferred from orders and conditions; an order does not say that a drug "
                     "reached the patient. The questions are prompts, not advice to treat.\n"));
}

static void add_tail(struct body *body, const struct subject *subject)
{
    char hex[SHA256_HEX_SIZE];
    struct slice device = subject->input->device;
    sha256_hex(subject->input->rule_set, hex);
    if (subject->wish == WISH_HOLD)
        buffer_format(&body->note, "Evidence: %u resources. ", subject->evidence_count);
    if (device.len > 60)
        device.len = 60;
    add(body, device);
    buffer_format(&body->note, ", rule set %.*s\n", RULE_SET_DIGITS, hex);
}

/* Epic and US Core want to know to which encounter a note in the chart belongs: that of the first
 * order of the line which names one. */
static void put_encounter(struct json_writer *json, const struct line *line)
{
    for (unsigned i = 0; i < line->source_count; i++) {
        if (!slice_starts(line->sources[i]->encounter, SLICE("Encounter/")))
            continue;
        json_put(json, "encounter", line->sources[i]->encounter);
        return;
    }
}

void note_write(struct body *body, const struct subject *subject, struct slice title)
{
    buffer_reset(&body->note);
    if (subject->wish != WISH_HOLD)
        add(body, SLICE("No longer so: "));
    add(body, title);
    buffer_add_char(&body->note, '\n');
    if (subject->wish == WISH_HOLD) {
        add_holding(body, subject);
    } else {
        char bytes[512];
        struct text why = TEXT(bytes);
        words_end(subject, &why);
        add_line(body, "", words_slice(&why));
    }
    add_tail(body, subject);
    CHECK(buffer_overflowed(&body->note) || body->note.len <= PLAN_NOTE_MAX);
    json_object(&body->json);
    json_put(&body->json, "title", title);
    json_put(&body->json, "subject", subject->input->patient);
    json_put_text(&body->json, "wish", wishes[subject->wish]);
    json_put(&body->json, "text", buffer_slice(&body->note));
    if (subject->wish == WISH_HOLD)
        put_encounter(&body->json, subject->line);
    json_object_end(&body->json);
}
