#include "fhir/message.h"

#include <stdio.h>

#include "base/date.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/json_text.h"
#include "base/text.h"

/* --- in -------------------------------------------------------------------------------------- */

static struct slice text_of(struct slice object, const char *key, struct arena *arena)
{
    return json_value_text(json_find_member(object, key), arena);
}

static bool read_event(struct slice header, struct arena *arena, struct fhir_message *out,
                       struct err *err)
{
    struct slice coding = json_find_member(header, "eventCoding");
    struct slice uri = json_find_member(header, "eventUri");
    if ((coding.len > 0) == (uri.len > 0))
        return err_fail(err, ERR_REQUIRED, "Bundle.entry[0].resource.event",
                        "a message has eventCoding or eventUri, and not both");
    bool is_coding = coding.len > 0;
    out->event_key = is_coding ? SLICE("eventCoding") : SLICE("eventUri");
    out->raw_event = is_coding ? coding : uri;
    if (is_coding)
        out->event = arena_format(arena, "%.*s|%.*s", SLICE_ARGS(text_of(coding, "system", arena)),
                                  SLICE_ARGS(text_of(coding, "code", arena)));
    else
        out->event = text_of(header, "eventUri", arena);
    return true;
}

bool fhir_message_read(struct slice body, const struct fhir_bundle *bundle, struct arena *arena,
                       struct fhir_message *out, struct err *err)
{
    const struct fhir_resource *first = bundle->count > 0 ? bundle->entries[0].resource : NULL;
    struct fhir_message message = { .id = SLICE("") };
    if (first == NULL || !slice_is(first->type_name, "MessageHeader"))
        return err_fail(err, ERR_INVALID, "Bundle.entry[0].resource",
                        "the first entry of a message must be a MessageHeader");
    message.id = text_of(first->source, "id", arena);
    if (!fhir_id_is_valid(message.id))
        return err_fail(err, ERR_REQUIRED, "Bundle.entry[0].resource.id",
                        "a MessageHeader needs an id: the reply names it");
    struct slice identifier = json_find_member(body, "identifier");
    struct slice value = text_of(identifier, "value", arena);
    if (value.len > 0)
        message.bundle_identifier =
            arena_format(arena, "%.*s|%.*s", SLICE_ARGS(text_of(identifier, "system", arena)),
                         SLICE_ARGS(value));
    message.endpoint = text_of(json_find_member(first->source, "source"), "endpoint", arena);
    if (!read_event(first->source, arena, &message, err))
        return false;
    *out = message;
    return !arena_overflowed(arena) ||
           err_fail(err, ERR_TOO_LARGE, "Bundle", "the request needs too much memory");
}

/* --- out ------------------------------------------------------------------------------------- */

/* "urn:uuid:..": names what only this reply holds. */
#define URN_SIZE (9 + UUID_TEXT_SIZE)

static const char *urn_of(struct slice id, const char *what, char out[URN_SIZE])
{
    struct slice parts[] = { id, slice_of(what) };
    struct sha256 digest = sha256_of(parts, COUNT_OF(parts));
    char uuid[UUID_TEXT_SIZE];
    snprintf(out, URN_SIZE, "urn:uuid:%s", sha256_uuid(&digest, uuid));
    return out;
}

static const char *response_code(enum fhir_response response)
{
    static const char *const codes[] = { "ok", "transient-error", "fatal-error" };
    CHECK((size_t)response < COUNT_OF(codes));
    return codes[response];
}

static void put_endpoint(struct json_writer *writer, const char *key, bool is_list,
                         struct slice endpoint)
{
    json_key(writer, key);
    if (is_list)
        json_array(writer);
    json_object(writer);
    json_put(writer, "endpoint", endpoint);
    json_object_end(writer);
    if (is_list)
        json_array_end(writer);
}

static void put_header(struct json_writer *writer, const struct fhir_message_reply *reply)
{
    char endpoint[600], event_key[16], urn[URN_SIZE];
    struct text text = TEXT(endpoint);
    text_add(&text, "%.*s/$process-message", SLICE_ARGS(reply->base_url));
    snprintf(event_key, sizeof event_key, "%.*s", SLICE_ARGS(reply->to->event_key));
    json_object(writer);
    json_put_text(writer, "resourceType", "MessageHeader");
    json_put(writer, "id", reply->id);
    json_key(writer, event_key);
    json_raw(writer, reply->to->raw_event);
    if (reply->to->endpoint.len > 0)
        put_endpoint(writer, "destination", true, reply->to->endpoint);
    put_endpoint(writer, "source", false, text_slice(&text));
    json_key(writer, "response");
    json_object(writer);
    json_put(writer, "identifier", reply->to->id);
    json_put_text(writer, "code", response_code(reply->response));
    json_key(writer, "details");
    json_object(writer);
    json_put_text(writer, "reference", urn_of(reply->id, "outcome", urn));
    json_object_end(writer);
    json_object_end(writer);
    json_object_end(writer);
}

void fhir_write_message_reply(const struct fhir_message_reply *reply, struct buffer *out)
{
    char date[INSTANT_TEXT_SIZE], urn[URN_SIZE];
    struct json_writer writer;
    json_writer_init(&writer, out, false);
    json_object(&writer);
    json_put_text(&writer, "resourceType", "Bundle");
    json_key(&writer, "identifier");
    json_object(&writer);
    json_put(&writer, "system", reply->base_url);
    json_put(&writer, "value", reply->id);
    json_object_end(&writer);
    json_put_text(&writer, "type", "message");
    json_put_text(&writer, "timestamp", instant_format(reply->now_ms, date));
    json_key(&writer, "entry");
    json_array(&writer);
    json_object(&writer);
    json_put_text(&writer, "fullUrl", urn_of(reply->id, "header", urn));
    json_key(&writer, "resource");
    put_header(&writer, reply);
    json_object_end(&writer);
    json_object(&writer);
    json_put_text(&writer, "fullUrl", urn_of(reply->id, "outcome", urn));
    json_key(&writer, "resource");
    json_raw(&writer, reply->outcome);
    json_object_end(&writer);
    json_array_end(&writer);
    json_object_end(&writer);
}
