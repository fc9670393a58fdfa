/* ingest/message.c -- FHIR messages: a transaction that a MessageHeader stands before.
 *
 * What      a message carries resources in their present state: one with an id is put under it, one
 *           without is created.  Types that are not offered are passed over and counted.  Either
 *           all is taken or nothing is.
 * Rules     checklist B1 to B4 and B6.  The reliable cache is the store: each answer is kept under
 *           the identifier of the Bundle and the id of the header, for as long as the store is.
 *           A header that comes again in a new Bundle is worked again, which changes nothing that
 *           has not changed.  A message without Bundle.identifier is not remembered.
 */
#include "fhir/message.h"
#include "base/id.h"
#include "ingest/bundle_int.h"
#include "store/body.h"

#define OUTCOME_BYTES_MAX ((size_t)1 << 16)
#define REPLY_BYTES_MAX ((size_t)1 << 18)

struct ingest_message {
    struct fhir_message header;
    unsigned passed_over;
};

/* --- in -------------------------------------------------------------------------------------- */

static bool check_event(const struct ingest_call *call, struct err *err)
{
    const struct tenant *tenant = &call->work->tenant->tenant;
    for (unsigned i = 0; i < tenant->message_event_count; i++)
        if (slice_eq(tenant->message_events[i], call->work->message->header.event))
            return true;
    return err_fail(err, ERR_UNSUPPORTED, "Bundle.entry[0].resource.event",
                    "messages of this event are not taken: message_events of the configuration "
                    "lists those that are");
}

static bool check_query(struct ingest_call *call, struct err *err)
{
    struct slice query = call->request->query, name, value;
    while (http_query_next(&query, call->arena, &name, &value)) {
        bool is_async = slice_is(name, "async") && !slice_is(value, "false");
        if (is_async || slice_is(name, "response-url"))
            return err_fail(err, ERR_UNSUPPORTED, "",
                            "messages are answered in the reply: neither async nor response-url "
                            "is offered");
    }
    return true;
}

/* What an entry of a transaction would say of the resource. */
static void give_request(struct ingest_call *call, struct fhir_entry *entry)
{
    const struct fhir_resource *resource = entry->resource;
    const char *type = fhir_type_name(resource->type);
    bool is_named = resource->id.len > 0;
    entry->has_request = true;
    entry->verb = is_named ? VERB_PUT : VERB_POST;
    entry->url = is_named ? arena_format(call->arena, "%s/%.*s", type, SLICE_ARGS(resource->id))
                          : slice_of(type);
    entry->if_match = entry->if_none_match = entry->if_none_exist = entry->if_modified_since =
        SLICE("");
}

static bool is_offered(const struct fhir_entry *entry)
{
    struct fhir_route route;
    struct slice allow;
    struct err unused;
    struct arena scratch;
    if (entry->resource == NULL || entry->resource->type == FHIR_NONE)
        return false;
    arena_init(&scratch, 256);
    bool is_known = fhir_route(VERB_POST, slice_of(fhir_type_name(entry->resource->type)),
                               SLICE(""), &scratch, &route, &allow, &unused);
    arena_fini(&scratch);
    return is_known;
}

/* Moves what is taken to the front; `places` tells where it stood. */
static unsigned choose_entries(struct ingest_call *call, struct fhir_bundle *bundle,
                               unsigned *places)
{
    unsigned used = 0;
    for (unsigned i = 1; i < bundle->count; i++) {
        if (!is_offered(&bundle->entries[i])) {
            call->work->message->passed_over++;
            continue;
        }
        places[used] = i;
        bundle->entries[used] = bundle->entries[i];
        give_request(call, &bundle->entries[used++]);
    }
    return used;
}

bool message_prepare(struct ingest_call *call, struct err *err)
{
    struct fhir_bundle bundle;
    struct fhir_message header;
    if (!check_query(call, err) ||
        !fhir_read_bundle(call->request->body, call->ingest->settings.bundle_entries_max,
                          call->arena, &bundle, err))
        return false;
    if (bundle.type != BUNDLE_MESSAGE)
        return err_fail(err, ERR_UNSUPPORTED, "Bundle.type",
                        "only Bundles of type message are taken here");
    if (!fhir_message_read(call->request->body, &bundle, call->arena, &header, err))
        return false;
    struct ingest_message *message = ARENA_NEW(call->arena, struct ingest_message);
    unsigned *places = ARENA_ARRAY(call->arena, unsigned, bundle.count);
    if (message == NULL || places == NULL)
        return err_fail(err, ERR_TOO_LARGE, "Bundle", "the request needs too much memory");
    message->header = header;
    call->work->message = message; /* from here on a refusal is a message, too */
    if (!check_event(call, err))
        return false;
    bundle.count = choose_entries(call, &bundle, places);
    return bundle_take(call, &bundle, places, err);
}

/* --- the reliable cache ---------------------------------------------------------------------- */

static struct slice name_of(struct ingest_call *call, bool with_header)
{
    const struct fhir_message *header = &call->work->message->header;
    if (with_header)
        return arena_format(call->arena, "message %.*s %.*s", SLICE_ARGS(header->id),
                            SLICE_ARGS(header->bundle_identifier));
    return arena_format(call->arena, "message Bundle %.*s", SLICE_ARGS(header->bundle_identifier));
}

static bool find_answer(struct ingest_call *call, bool with_header, struct store_tx *tx,
                        int64_t *key, bool *found, struct err *err)
{
    unsigned count = 0;
    *found = false;
    if (call->work->message->header.bundle_identifier.len > 0 &&
        !store_identifier_find(tx, call->work->tenant->tenant.number, FHIR_BUNDLE,
                               name_of(call, with_header), key, 1, &count, err))
        return false;
    *found = count > 0;
    return true;
}

static bool load_answer(struct ingest_call *call, int64_t key, struct store_tx *tx,
                        struct slice *out, struct err *err)
{
    struct store_resource row;
    bool found;
    return store_resource_get(tx, key, true, call->arena, &row, &found, err) &&
           (found || err_fail(err, ERR_CORRUPT, "", "the answer to a message is missing")) &&
           body_unpack(row.body, call->arena, out, err);
}

bool message_recall(struct ingest_call *call, struct store_tx *tx, bool *answered, struct err *err)
{
    struct ingest_work *work = call->work;
    int64_t key;
    bool is_used;
    if (!find_answer(call, true, tx, &key, answered, err))
        return false;
    if (*answered) {
        work->has_body_digest = load_answer(call, key, tx, &work->body, err);
        work->body_digest = sha256_of_one(work->body);
        work->op_count = 0; /* nothing was done */
        return work->has_body_digest;
    }
    return find_answer(call, false, tx, &key, &is_used, err) &&
           (!is_used ||
            err_fail(err, ERR_CONFLICT, "Bundle.identifier",
                     "another message had this identifier: a new message needs a new one"));
}

static bool keep(struct ingest_call *call, struct slice answer, struct store_tx *tx,
                 struct err *err)
{
    int32_t tenant = call->work->tenant->tenant.number;
    int64_t key;
    bool is_used;
    if (!find_answer(call, false, tx, &key, &is_used, err))
        return false;
    if (is_used || call->work->message->header.bundle_identifier.len == 0)
        return true;
    struct store_resource row = { .key = store_key_reserve(call->ingest->settings.store, 1),
                                  .tenant = tenant,
                                  .type = FHIR_BUNDLE,
                                  .version = 1,
                                  .updated_ms = call->now_ms };
    return body_pack(answer, call->arena, &row.body, err) && store_resource_insert(tx, &row, err) &&
           store_identifier_put(tx, tenant, FHIR_BUNDLE, name_of(call, true), row.key, err) &&
           store_identifier_put(tx, tenant, FHIR_BUNDLE, name_of(call, false), row.key, err);
}

bool message_keep(struct ingest_call *call, struct store_tx *tx, struct err *err)
{
    return keep(call, call->work->body, tx, err);
}

bool message_settle_refusal(struct ingest_call *call, struct store_tx *tx, struct err *err)
{
    int64_t key;
    bool found;
    if (!find_answer(call, true, tx, &key, &found, err))
        return false;
    return found ? load_answer(call, key, tx, &call->reply->body, err)
                 : keep(call, call->reply->body, tx, err);
}

/* --- out ------------------------------------------------------------------------------------- */

/* What is wrong with a message is told in the reply; what is wrong with us by HTTP as well. */
int message_status(const struct err *fault)
{
    int status = err_http_status(fault->code);
    return status >= 500 ? status : 200;
}

static void write_details(struct ingest_call *call, const struct err *fault, struct buffer *out)
{
    const struct ingest_work *work = call->work;
    if (fault != NULL) {
        fhir_write_outcome(fault, out);
        return;
    }
    struct slice text =
        arena_format(call->arena,
                     "%u resources of the message are taken, %u of types that are not offered are "
                     "passed over.",
                     work->op_count, work->message->passed_over);
    fhir_write_outcome_ok(text.at, out);
}

bool message_answer(struct ingest_call *call, const struct err *fault, struct slice *out,
                    struct err *err)
{
    char id[ID_TEXT_LEN + 1];
    struct buffer details, text;
    bool is_transient = fault != NULL && message_status(fault) >= 500;
    id_format(store_key_reserve(call->ingest->settings.store, 1), call->ingest->salt, id);
    buffer_init(&details, OUTCOME_BYTES_MAX);
    buffer_init(&text, REPLY_BYTES_MAX);
    write_details(call, fault, &details);
    struct fhir_message_reply reply = { .to = &call->work->message->header,
                                        .response = fault == NULL  ? RESPONSE_OK
                                                    : is_transient ? RESPONSE_TRANSIENT_ERROR
                                                                   : RESPONSE_FATAL_ERROR,
                                        .id = slice_of(id),
                                        .base_url = slice_of(call->ingest->settings.base_url),
                                        .now_ms = call->now_ms,
                                        .outcome = buffer_slice(&details) };
    fhir_write_message_reply(&reply, &text);
    bool is_whole = !buffer_overflowed(&details) && !buffer_overflowed(&text);
    *out = arena_copy(call->arena, buffer_slice(&text));
    buffer_fini(&details);
    buffer_fini(&text);
    return (is_whole && !arena_overflowed(call->arena)) ||
           err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
}
