#include "plan/plan_int.h"

#define LINE_NUMBER_URL \
    "http://hl7.org/fhir/us/pedcan/StructureDefinition/pedcan-line-of-therapy-number"

static const char *const statuses[] = {
    [WISH_HOLD] = "active", [WISH_INACTIVE] = "completed", [WISH_IN_ERROR] = "entered-in-error"
};

static void write_line_number(struct body *body, const struct subject *subject)
{
    const struct verdict *verdict = &subject->history->verdict;
    if (!subject->input->with_extensions || verdict->history_truncated)
        return; /* a number that is not known is not given */
    json_key(&body->json, "extension");
    json_array(&body->json);
    json_object(&body->json);
    json_put_text(&body->json, "url", LINE_NUMBER_URL);
    json_put_integer(&body->json, "valuePositiveInt", subject->line->number);
    json_object_end(&body->json);
    json_array_end(&body->json);
}

static void write_description(struct body *body, const struct subject *subject)
{
    char bytes[1024], day[DATE_TEXT_SIZE];
    struct text text = TEXT(bytes);
    if (subject->wish == WISH_HOLD && subject_field(subject) == FIELD_RENAL) {
        words_regimen(subject->line, &text);
        text_add_slice(&text, SLICE(", on record since "));
        text_add_slice(&text, slice_of(date_format(subject->line->start, day)));
        text_add_slice(&text, SLICE(". Inferred from procedures, orders and conditions; the notes "
                                    "are prompts for the team, not advice to treat."));
    } else if (subject->wish == WISH_HOLD) {
        text_add_slice(&text, subject_field(subject) == FIELD_HIV
                                  ? SLICE("Salvage antiretroviral therapy for ")
                                  : SLICE("Salvage therapy for "));
        words_disease(subject, &text);
        text_add_slice(&text, SLICE(", "));
        text_add_slice(&text, slice_of(proof_words(subject->line->proof)));
        text_add_slice(&text, SLICE(" from "));
        text_add_slice(&text, slice_of(date_format(subject->line->start, day)));
        text_add_slice(&text, SLICE(" on: "));
        for (unsigned i = 0; i < subject->line->drug_count && text.used < sizeof bytes / 2; i++) {
            text_add_slice(&text, i > 0 ? SLICE(", ") : SLICE(""));
            text_add_slice(&text, subject->line->drugs[i]->name);
        }
        text_add_slice(&text, SLICE(". Inferred from orders and conditions; the notes are prompts "
                                    "for the team, not advice to treat."));
    } else {
        words_end(subject, &text);
    }
    json_put(&body->json, "description", words_slice(&text));
}

static void write_supporting(struct body *body, const struct subject *subject)
{
    const struct history *history = subject->history;
    if (history->condition != NULL) {
        json_key(&body->json, "addresses");
        json_array(&body->json);
        body_reference(body, history->condition, false);
        json_array_end(&body->json);
    }
    unsigned count = subject->line->source_count;
    if (count == 0)
        return;
    json_key(&body->json, "supportingInfo");
    json_array(&body->json);
    for (unsigned i = 0; i < count && i < PLAN_EVIDENCE_MAX; i++)
        body_reference(body, subject->line->sources[i], false);
    json_array_end(&body->json);
}

/* --- notes ----------------------------------------------------------------------------------- */

typedef void note_put(struct body *body, struct slice text);

static void write_note(struct body *body, struct slice text)
{
    if (body->notes++ == 0) {
        json_key(&body->json, "note");
        json_array(&body->json);
    }
    json_object(&body->json);
    json_put(&body->json, "text", text);
    json_object_end(&body->json);
}

static void note_earlier_lines(struct body *body, const struct subject *subject, note_put *put)
{
    struct buffer *note = &body->scratch;
    const struct history *history = subject->history;
    unsigned written = 0;
    buffer_reset(note);
    for (const struct line *line = history->lines; line != subject->line; line++) {
        char bytes[PLAN_TEXT_BYTES];
        struct text text = TEXT(bytes);
        bool is_renal = subject_field(subject) == FIELD_RENAL;
        text_add_slice(&text, written++ > 0 ? (is_renal ? SLICE("; step ") : SLICE("; line "))
                              : is_renal    ? SLICE("Earlier steps, as recorded: step ")
                                            : SLICE("Earlier lines, as ordered: line "));
        text_add_number(&text, line->number);
        text_add_slice(&text, SLICE(": "));
        words_regimen(line, &text);
        text_add_slice(&text, SLICE(", "));
        words_days(subject, line->start, line->is_open ? date_none() : line->end, &text);
        buffer_add(note, words_slice(&text));
    }
    if (history->verdict.history_truncated)
        buffer_add(note, written > 0 ? SLICE("; there may be earlier lines that are not on record")
                                     : SLICE("There may be earlier lines that are not on record"));
    if (note->len > 0)
        put(body, buffer_slice(note));
}

static void note_classes(struct body *body, const struct subject *subject, note_put *put)
{
    struct buffer *note = &body->scratch;
    buffer_reset(note);
    for (unsigned i = 0; i < subject->history->class_count; i++) {
        const struct class_exposure *exposure = &subject->history->classes[i];
        char bytes[512];
        struct text text = TEXT(bytes);
        text_add_slice(&text, i > 0 ? SLICE("; ") : SLICE("Ordered so far, by drug class: "));
        text_add_slice(&text, exposure->drug_class);
        text_add_slice(&text, SLICE(" ("));
        for (unsigned k = 0; k < exposure->drug_count; k++) {
            text_add_slice(&text, k > 0 ? SLICE(", ") : SLICE(""));
            text_add_slice(&text, exposure->drugs[k]->name);
        }
        text_add_slice(&text, SLICE(") "));
        words_days(subject, exposure->first, exposure->last, &text);
        if (exposure->failed)
            text_add_slice(&text,
                           subject_field(subject) == FIELD_HIV
                               ? SLICE(", followed by treatment failure")
                               : SLICE(", followed by relapse, progression or a salvage line"));
        buffer_add(note, words_slice(&text));
    }
    if (note->len > 0)
        put(body, buffer_slice(note));
}

/* SAL-026: which kinds of treatment of the disease nobody has ordered. */
static void note_options(struct body *body, const struct subject *subject, note_put *put)
{
    struct buffer *note = &body->scratch;
    const struct history *history = subject->history;
    bool is_any = false;
    buffer_reset(note);
    for (unsigned i = 0; i < history->option_count; i++) {
        if (history->options[i].is_used)
            continue;
        buffer_add(note, is_any ? SLICE("; ")
                                : SLICE("Not ordered so far, by kind of treatment; has the team "
                                        "discussed them? "));
        buffer_add(note, history->options[i].option->name);
        is_any = true;
    }
    if (is_any)
        put(body, buffer_slice(note));
}

/* SAL-027: with what is not counted, and why. */
static void note_cumulative(struct body *body, const struct subject *subject, note_put *put)
{
    const struct therapy *therapy = subject->input->therapy;
    for (unsigned i = 0; i < therapy->cumulative_count; i++) {
        const struct cumulative *sum = &therapy->cumulative[i];
        struct buffer *note = &body->scratch;
        buffer_reset(note);
        buffer_format(note, "Cumulative %.*s, as ordered: ", SLICE_ARGS(sum->exposure));
        if (sum->counted > 0)
            buffer_format(note, "%s%lld mg/m2", sum->counted < sum->orders ? "at least " : "",
                          (long long)((sum->total_thousandths + 500) / 1000));
        else
            buffer_add(note, SLICE("not computable"));
        if (sum->counted < sum->orders)
            buffer_format(note, "; %u of %u orders are not counted: %.*s",
                          sum->orders - sum->counted, sum->orders, SLICE_ARGS(sum->why_not));
        put(body, buffer_slice(note));
    }
}

static bool has_trait(const struct history *history, uint32_t trait)
{
    for (unsigned i = 0; i < history->class_count; i++)
        for (unsigned k = 0; k < history->classes[i].drug_count; k++)
            if ((history->classes[i].drugs[k]->traits & trait) != 0)
                return true;
    return false;
}

bool care_plan_has_text(const struct subject *subject, const struct plan_text *text)
{
    static const enum subject_field fields[] = { [PLAN_TEXT_PROMPT] = FIELD_CANCER,
                                                 [PLAN_TEXT_HIV] = FIELD_HIV,
                                                 [PLAN_TEXT_RENAL] = FIELD_RENAL };
    if (text->kind == PLAN_TEXT_CLASS)
        return has_trait(subject->history, text->trait);
    return fields[text->kind] == subject_field(subject);
}

static void note_texts(struct body *body, const struct subject *subject, enum plan_text_kind kind,
                       note_put *put)
{
    const struct plan_texts *texts = subject->input->texts;
    for (unsigned i = 0; texts != NULL && i < texts->count; i++)
        if (texts->list[i].kind == kind && care_plan_has_text(subject, &texts->list[i]))
            put(body, texts->list[i].text);
}

void care_plan_each_note(struct body *body, const struct subject *subject, note_put *put)
{
    note_earlier_lines(body, subject, put);
    note_classes(body, subject, put);
    if (subject_field(subject) == FIELD_CANCER) {
        note_options(body, subject, put);
        note_cumulative(body, subject, put);
    }
    note_texts(body, subject, PLAN_TEXT_CLASS, put);
    note_texts(body, subject, PLAN_TEXT_PROMPT, put);
    note_texts(body, subject, PLAN_TEXT_HIV, put);
    note_texts(body, subject, PLAN_TEXT_RENAL, put);
}

static void write_notes(struct body *body, const struct subject *subject)
{
    body->notes = 0;
    care_plan_each_note(body, subject, write_note);
    if (body->notes > 0)
        json_array_end(&body->json);
}

void care_plan_write(struct body *body, const struct subject *subject, const char *identity,
                     struct slice title)
{
    bool holds = subject->wish == WISH_HOLD;
    body_open(body, subject, "CarePlan");
    narrative_write(body, subject, title);
    if (holds)
        write_line_number(body, subject);
    body_identifier(body, subject, identity);
    json_put_text(&body->json, "status", statuses[subject->wish]);
    json_put_text(&body->json, "intent", "proposal");
    json_key(&body->json, "category");
    json_array(&body->json);
    body_concept(body, "http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "assess-plan",
                 "Assessment and Plan of Treatment", NULL);
    json_array_end(&body->json);
    json_put(&body->json, "title", title);
    write_description(body, subject);
    body_subject(body, subject);
    if (holds)
        body_period(body, subject->line->start,
                    words_end_day(subject, subject->line->end, subject->line->is_open));
    else
        body_period(body, subject->before->start, subject->end);
    json_key(&body->json, "author");
    body_device(body, subject);
    if (holds) {
        write_supporting(body, subject);
        write_notes(body, subject);
    }
    json_object_end(&body->json);
}
