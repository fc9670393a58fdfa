/* A body is 4 KiB of JSON and says some 400 bytes' worth.  Those are written first and hashed: when
 * the digest is the remembered one, nothing else is done, and so most derivations end.
 *
 * The rule of this file: whatever a body's words are made of is here too.  Not here is what a body
 * names without saying it: the software, the rule set, how many resources and which versions a
 * verdict rests on.  plan_meaning_test.c changes every member of the engine's answer, one by one,
 * and compares bodies with digests; what is written otherwise from the same values is PLAN_FORM. */
#include "base/codec.h"
#include "plan/plan_int.h"

#define USUAL_BYTES 2048

static void put_date(struct buffer *out, struct date date) { encode_signed(out, date.day); }

static void put_bool(struct buffer *out, bool value) { encode_varint(out, value); }

static void put_drugs(struct buffer *out, const struct drug *const *drugs, unsigned count)
{
    encode_varint(out, count);
    for (unsigned i = 0; i < count; i++)
        encode_slice(out, drugs[i]->name);
}

static void put_event(struct buffer *out, const struct event *event)
{
    encode_varint(out, (uint64_t)event->type);
    encode_slice(out, event->id);
}

static void put_line(struct buffer *out, const struct line *line)
{
    encode_varint(out, line->number);
    encode_varint(out, line->number_min);
    encode_varint(out, line->number_max);
    put_date(out, line->start);
    encode_slice(out, line->regimen);
    put_drugs(out, line->drugs, line->drug_count);
    encode_varint(out, line->proof);
}

static void put_verdict(struct buffer *out, const struct verdict *verdict)
{
    put_bool(out, verdict->history_truncated);
    encode_varint(out, (uint64_t)verdict->grade);
    encode_slice(out, verdict->basis);
    encode_varint(out, (uint64_t)verdict->status);
    encode_varint(out, verdict->reason_count);
    for (unsigned i = 0; i < verdict->reason_count; i++)
        encode_slice(out, verdict->reasons[i].text);
}

/* Which of the evidence was withdrawn is told when that is why it ends. */
static void put_end(struct buffer *out, const struct subject *subject)
{
    struct slice ids = subject->before->evidence_ids;
    encode_slice(out, subject->before->text);
    put_date(out, subject->before->start);
    put_date(out, subject->end);
    put_bool(out, subject->is_death);
    while (subject->wish == WISH_IN_ERROR && ids.len > 0) {
        struct slice id = slice_take_until(&ids, ' ');
        if (is_retracted(subject->input, id))
            encode_slice(out, id);
    }
}

/* What the Flag and the CarePlan both say. */
static void put_shared(struct buffer *out, const struct subject *subject)
{
    const struct plan_input *input = subject->input;
    encode_varint(out, PLAN_FORM);
    encode_varint(out, (uint64_t)subject->wish);
    encode_slice(out, input->tenant);
    encode_slice(out, input->patient);
    encode_slice(out, subject->disease);
    encode_slice(out, input->instance);
    if (subject->wish != WISH_HOLD) {
        put_end(out, subject);
        return;
    }
    put_bool(out, input->with_extensions);
    encode_slice(out, subject->history->disease->name);
    if (subject_field(subject) != FIELD_CANCER)
        encode_varint(out, (uint64_t)subject_field(subject));
    put_line(out, subject->line);
    put_verdict(out, &subject->history->verdict);
}

static void put_flag(struct buffer *out, const struct subject *subject)
{
    encode_varint(out, POSTING_FLAG);
    if (subject->wish == WISH_HOLD && subject->input->with_extensions)
        encode_slice(out, subject->evidence_ids);
}

static void put_earlier_lines(struct buffer *out, const struct subject *subject)
{
    const struct line *line = subject->history->lines;
    encode_varint(out, (uint64_t)(subject->line - line));
    for (; line != subject->line; line++) {
        encode_varint(out, line->number);
        encode_slice(out, line->regimen);
        if (line->regimen.len == 0)
            put_drugs(out, line->drugs, line->drug_count);
        put_date(out, line->start);
        put_date(out, words_end_day(subject, line->end, line->is_open));
    }
}

static void put_classes(struct buffer *out, const struct subject *subject)
{
    const struct history *history = subject->history;
    encode_varint(out, history->class_count);
    for (unsigned i = 0; i < history->class_count; i++) {
        const struct class_exposure *exposure = &history->classes[i];
        encode_slice(out, exposure->drug_class);
        put_drugs(out, exposure->drugs, exposure->drug_count);
        put_date(out, exposure->first);
        put_date(out, words_end_day(subject, exposure->last, false));
        put_bool(out, exposure->failed);
    }
}

/* What the notes on kinds of treatment and on cumulative exposure say. */
static void put_extras(struct buffer *out, const struct subject *subject)
{
    const struct history *history = subject->history;
    const struct therapy *therapy = subject->input->therapy;
    if (subject_field(subject) != FIELD_CANCER)
        return;
    for (unsigned i = 0; i < history->option_count; i++)
        if (!history->options[i].is_used)
            encode_slice(out, history->options[i].option->name);
    for (unsigned i = 0; i < therapy->cumulative_count; i++) {
        const struct cumulative *sum = &therapy->cumulative[i];
        encode_slice(out, sum->exposure);
        encode_varint(out, sum->orders);
        encode_varint(out, sum->counted);
        encode_signed(out, (sum->total_thousandths + 500) / 1000);
        encode_slice(out, sum->why_not);
    }
}

static void put_texts(struct buffer *out, const struct subject *subject)
{
    const struct plan_texts *texts = subject->input->texts;
    for (unsigned i = 0; texts != NULL && i < texts->count; i++)
        if (care_plan_has_text(subject, &texts->list[i]))
            buffer_add(out, (struct slice){ texts->list[i].mark, PLAN_TEXT_MARK_BYTES });
}

static void put_care_plan(struct buffer *out, const struct subject *subject)
{
    const struct line *line = subject->line;
    encode_varint(out, POSTING_CARE_PLAN);
    if (subject->wish != WISH_HOLD)
        return;
    put_date(out, words_end_day(subject, line->end, line->is_open));
    put_bool(out, subject->history->condition != NULL);
    if (subject->history->condition != NULL)
        put_event(out, subject->history->condition);
    encode_varint(out, line->source_count);
    for (unsigned i = 0; i < line->source_count && i < PLAN_EVIDENCE_MAX; i++)
        put_event(out, line->sources[i]);
    put_earlier_lines(out, subject);
    put_classes(out, subject);
    put_extras(out, subject);
    put_texts(out, subject);
}

static struct slice part(const struct buffer *bytes, size_t from, size_t to)
{
    return (struct slice){ bytes->at + from, to - from };
}

bool meaning_read(const struct subject *subject, struct buffer *scratch, struct meaning *out)
{
    buffer_reset(scratch);
    CHECK(buffer_room(scratch, USUAL_BYTES) != NULL); /* at once, not doubling from little */
    put_shared(scratch, subject);
    size_t shared = scratch->len;
    put_flag(scratch, subject);
    size_t flag = scratch->len;
    put_care_plan(scratch, subject);
    if (buffer_overflowed(scratch))
        return false;
    const struct slice care_plan[] = { part(scratch, 0, shared),
                                       part(scratch, flag, scratch->len) };
    out->flag = sha256_of_one(part(scratch, 0, flag));
    out->care_plan = sha256_of(care_plan, COUNT_OF(care_plan));
    return true;
}
