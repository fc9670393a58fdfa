#include "outbox/message.h"

#include "base/base64.h"
#include "base/date.h"
#include "base/json.h"
#include "base/text.h"

#define BODY_MAX ((size_t)64 * 1024)
#define CATEGORY_SYSTEM "http://terminology.hl7.org/CodeSystem/communication-category"
#define NOTE_SYSTEM "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"

struct slice message_category(void) { return SLICE(CATEGORY_SYSTEM "|notification"); }

struct slice message_document_type(const struct message_site *site)
{
    return site->document_type.len > 0 ? site->document_type : SLICE("http://loinc.org|11506-3");
}

void message_mark(struct slice identity, char out[MESSAGE_MARK_SIZE])
{
    struct text text = { out, MESSAGE_MARK_SIZE, 0 };
    text_add(&text, "lifeline-%.*s", identity.len < 14 ? (int)identity.len : 14, identity.at);
}

/* --- the note ------------------------------------------------------------------------------ */

struct note {
    struct arena *arena;
    struct slice title, subject, wish, text, encounter;
};

static bool on_value(void *ctx, struct json_reader *reader, enum json_kind kind, struct slice text)
{
    struct note *note = ctx;
    const struct {
        const char *path;
        struct slice *out;
    } members[] = {
        { "title", &note->title }, { "subject", &note->subject },     { "wish", &note->wish },
        { "text", &note->text },   { "encounter", &note->encounter },
    };
    for (size_t i = 0; kind == JSON_STRING && i < COUNT_OF(members); i++)
        if (slice_is(json_path(reader), members[i].path))
            *members[i].out = arena_copy(note->arena, text);
    return true;
}

static bool on_container(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    (void)ctx;
    (void)reader;
    (void)kind;
    return true;
}

static bool read_note(struct slice text, struct arena *arena, struct note *out, struct err *err)
{
    static const struct json_events events = { on_value, on_container, on_container };
    *out = (struct note){ .arena = arena };
    if (!json_read(text, NULL, &events, out, arena, err))
        return false;
    if (out->title.len == 0 || out->subject.len == 0 || out->text.len == 0)
        return err_fail(err, ERR_INVALID, "outbox", "the note lacks its title, subject or text");
    return true;
}

/* --- parts --------------------------------------------------------------------------------- */

static void put_reference(struct json_writer *json, const char *key, struct slice reference)
{
    if (key != NULL)
        json_key(json, key);
    json_object(json);
    json_put(json, "reference", reference);
    json_object_end(json);
}

static void put_concept(struct json_writer *json, struct slice token, const char *display)
{
    struct slice code = token, system = slice_take_until(&code, '|');
    json_object(json);
    json_key(json, "coding");
    json_array(json);
    json_object(json);
    json_put(json, "system", system);
    json_put(json, "code", code);
    if (display != NULL)
        json_put_text(json, "display", display);
    json_object_end(json);
    json_array_end(json);
    json_object_end(json);
}

static void put_identifier(struct json_writer *json, const struct message *message)
{
    json_key(json, "identifier");
    json_array(json);
    json_object(json);
    json_put(json, "system", message->system);
    json_put(json, "value", message->identity);
    json_object_end(json);
    json_array_end(json);
}

static void put_attachment(struct json_writer *json, const char *key, struct slice text,
                           struct slice title, struct arena *arena)
{
    json_key(json, key);
    json_object(json);
    json_put_text(json, "contentType", "text/plain; charset=utf-8");
    json_put(json, "data", base64_encode(text, arena));
    json_put(json, "title", title);
    json_object_end(json);
}

/* --- the two resources --------------------------------------------------------------------- */

static void write_communication(struct json_writer *json, const struct message *message,
                                const struct message_site *site, const struct note *note,
                                struct slice text)
{
    char now[INSTANT_TEXT_SIZE];
    json_put_text(json, "resourceType", "Communication");
    put_identifier(json, message);
    json_put_text(json, "status", "completed");
    json_key(json, "category");
    json_array(json);
    put_concept(json, message_category(), NULL);
    json_array_end(json);
    json_put_text(json, "priority", site->is_urgent ? "urgent" : "routine");
    put_reference(json, "subject", note->subject);
    json_key(json, "topic");
    json_object(json);
    json_put(json, "text", note->title);
    json_object_end(json);
    json_put_text(json, "sent", instant_format(message->now_ms, now));
    json_key(json, "recipient");
    json_array(json);
    for (unsigned i = 0; i < site->recipient_count; i++)
        put_reference(json, NULL, site->recipients[i]);
    json_array_end(json);
    if (site->sender.len > 0)
        put_reference(json, "sender", site->sender);
    json_key(json, "payload");
    json_array(json);
    json_object(json);
    if (site->is_string_payload)
        json_put(json, "contentString", text);
    else
        put_attachment(json, "contentAttachment", text, note->title, note->arena);
    json_object_end(json);
    json_array_end(json);
}

static void put_author(struct json_writer *json, const struct message_site *site)
{
    json_key(json, "author");
    json_array(json);
    if (site->author.len > 0) {
        put_reference(json, NULL, site->author);
    } else {
        json_object(json);
        json_put(json, "display", site->device);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_replaces(struct json_writer *json, struct slice id, struct arena *arena)
{
    json_key(json, "relatesTo");
    json_array(json);
    json_object(json);
    json_put_text(json, "code", "replaces");
    put_reference(json, "target", arena_format(arena, "DocumentReference/%.*s", SLICE_ARGS(id)));
    json_object_end(json);
    json_array_end(json);
}

/* The time of the service is that of the assessment, which is now: the line itself has days only,
 * and no time of day is invented for it. */
static void write_document(struct json_writer *json, const struct message *message,
                           const struct message_site *site, const struct note *note,
                           struct slice text)
{
    char now[INSTANT_TEXT_SIZE];
    bool is_withdrawn = slice_is(note->wish, "in-error") && message->replaces.len == 0;
    instant_format(message->now_ms, now);
    json_put_text(json, "resourceType", "DocumentReference");
    put_identifier(json, message);
    json_put_text(json, "status", is_withdrawn ? "entered-in-error" : "current");
    json_put_text(json, "docStatus", "final");
    json_key(json, "type");
    put_concept(json, message_document_type(site), NULL);
    json_key(json, "category");
    json_array(json);
    put_concept(json, SLICE(NOTE_SYSTEM "|clinical-note"), "Clinical Note");
    json_array_end(json);
    put_reference(json, "subject", note->subject);
    json_put_text(json, "date", now);
    put_author(json, site);
    if (message->replaces.len > 0)
        put_replaces(json, message->replaces, note->arena);
    json_put(json, "description", note->title);
    json_key(json, "content");
    json_array(json);
    json_object(json);
    put_attachment(json, "attachment", text, note->title, note->arena);
    json_object_end(json);
    json_array_end(json);
    json_key(json, "context");
    json_object(json);
    if (note->encounter.len > 0) {
        json_key(json, "encounter");
        json_array(json);
        put_reference(json, NULL, note->encounter);
        json_array_end(json);
    }
    json_key(json, "period");
    json_object(json);
    json_put_text(json, "start", now);
    json_put_text(json, "end", now);
    json_object_end(json);
    json_object_end(json);
}

bool message_write(const struct message *message, const struct message_site *site,
                   struct arena *arena, struct slice *out, struct err *err)
{
    struct note note;
    struct buffer buffer;
    struct json_writer json;
    char mark[MESSAGE_MARK_SIZE];
    if (!read_note(message->note, arena, &note, err))
        return false;
    message_mark(message->identity, mark);
    struct slice text = arena_format(arena, "%.*s[%s]\n", SLICE_ARGS(note.text), mark);
    buffer_init(&buffer, BODY_MAX);
    json_writer_init(&json, &buffer, false);
    json_object(&json);
    if (message->kind == POSTING_COMMUNICATION)
        write_communication(&json, message, site, &note, text);
    else
        write_document(&json, message, site, &note, text);
    json_object_end(&json);
    bool fits = !buffer_overflowed(&buffer);
    if (fits)
        *out = arena_copy(arena, buffer_slice(&buffer));
    buffer_fini(&buffer);
    return fits || err_fail(err, ERR_TOO_LARGE, "outbox", "the message is too large");
}
