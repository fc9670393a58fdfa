/* How our own record is found again, and what messages need beyond that. */
#include "base/date.h"
#include "outbox/body.h"
#include "outbox/delivery_int.h"

#define RECEIVED_MARGIN_MS (INT64_C(24) * 3600 * 1000) /* clocks, and days without a zone */

bool delivery_is_note(const struct delivery *delivery)
{
    enum posting_kind kind = delivery->row.kind;
    return kind == POSTING_COMMUNICATION || kind == POSTING_DOCUMENT;
}

bool delivery_is_message(const struct delivery *delivery)
{
    bool is_document = delivery->row.kind == POSTING_DOCUMENT;
    return delivery->row.kind == POSTING_COMMUNICATION ||
           (is_document && !delivery_offer(delivery)->can_update);
}

/* Each message is a fact of its own.  The same content has the same name after every restart, so it
 * can be looked for; something new has another name, so it is not taken for the old. */
struct slice delivery_identity(const struct delivery *delivery)
{
    const struct outbox_row *row = &delivery->row;
    char hex[SHA256_HEX_SIZE];
    if (!delivery_is_note(delivery) || !delivery_is_message(delivery))
        return row->identity;
    const struct slice parts[] = { row->identity,
                                   { (const char *)row->wanted.bytes, sizeof row->wanted.bytes } };
    struct sha256 digest = sha256_of(parts, COUNT_OF(parts));
    return arena_format(delivery->arena, "%.32s", sha256_hex(&digest, hex));
}

/* A server that takes conditions by identifier really has an index of it.  Others name the
 * parameter in their statement and ignore it (Epic), or drop the identifier itself (Oracle Health,
 * MEDITECH), so that notes are looked for among all of the patient's. */
enum delivery_search delivery_search_by(const struct delivery *delivery)
{
    const struct capability_type *offer = delivery_offer(delivery);
    bool is_sure = offer->conditional_create || offer->conditional_update;
    if (delivery->row.kind == POSTING_PROVENANCE)
        return offer->search_target ? SEARCH_TARGET : SEARCH_NONE;
    if (offer->search_identifier && (is_sure || !delivery_is_note(delivery)))
        return SEARCH_IDENTIFIER;
    if (offer->search_patient)
        return SEARCH_PATIENT;
    if (delivery->row.kind == POSTING_COMMUNICATION && offer->search_recipient &&
        delivery->site->message.recipient_count > 0)
        return SEARCH_RECIPIENT;
    return offer->search_identifier ? SEARCH_IDENTIFIER : SEARCH_NONE;
}

struct answer_want delivery_want(const struct delivery *delivery)
{
    struct answer_want want = { .type = delivery->type, .system = delivery->site->system };
    char mark[MESSAGE_MARK_SIZE];
    if (delivery->row.kind == POSTING_PROVENANCE)
        return want; /* has no identifier */
    want.value = delivery_identity(delivery);
    message_mark(want.value, mark);
    if (delivery_is_note(delivery))
        want.mark = arena_copy(delivery->arena, slice_of(mark));
    return want;
}

void delivery_forget_search(struct delivery *delivery)
{
    delivery->is_searched = delivery->is_endless = false;
    delivery->next_page = SLICE("");
    delivery->best = (struct answer_record){ 0 };
    delivery->pages = delivery->ours_count = delivery->others_count = 0;
}

static struct slice token_of(struct slice text, struct arena *arena)
{
    struct slice code = text, system = slice_take_until(&code, '|');
    return body_query_token(system, code, arena);
}

static struct slice category_query(struct arena *arena)
{
    return arena_format(arena, "&category=%.*s", SLICE_ARGS(token_of(message_category(), arena)));
}

/* "patient=p1", narrowed by what the destination can narrow by. */
static struct slice patient_query(const struct delivery *delivery)
{
    const struct capability_type *offer = delivery_offer(delivery);
    struct arena *arena = delivery->arena;
    struct slice id = delivery_patient(delivery);
    (void)slice_take_until(&id, '/');
    struct slice narrow = SLICE("");
    if (delivery->row.kind == POSTING_DOCUMENT && offer->search_type)
        narrow = arena_format(
            arena, "&type=%.*s",
            SLICE_ARGS(token_of(message_document_type(&delivery->site->message), arena)));
    if (delivery->row.kind == POSTING_COMMUNICATION && offer->search_category)
        narrow = category_query(arena);
    return arena_format(arena, "patient=%.*s%.*s", SLICE_ARGS(id), SLICE_ARGS(narrow));
}

/* A pool gets many messages, so only those are looked through that it has got since shortly before
 * this came to be wanted. */
static struct slice recipient_query(const struct delivery *delivery)
{
    const struct capability_type *offer = delivery_offer(delivery);
    struct arena *arena = delivery->arena;
    struct slice category = offer->search_category ? category_query(arena) : SLICE("");
    struct slice since = SLICE("");
    char instant[INSTANT_TEXT_SIZE];
    instant_format(delivery->row.changed_ms - RECEIVED_MARGIN_MS, instant);
    if (offer->search_received)
        since = arena_format(arena, "&received=ge%.10s", instant);
    return arena_format(arena, "recipient=%.*s%.*s%.*s",
                        SLICE_ARGS(delivery->site->message.recipients[0]), SLICE_ARGS(category),
                        SLICE_ARGS(since));
}

void delivery_request_search(const struct delivery *delivery, struct delivery_request *request)
{
    static const char *const names[] = { "", "identifier", "patient", "recipient", "target" };
    enum delivery_search by = delivery_search_by(delivery);
    struct slice query;
    if (by == SEARCH_PATIENT)
        query = patient_query(delivery);
    else if (by == SEARCH_RECIPIENT)
        query = recipient_query(delivery);
    else if (by == SEARCH_TARGET)
        query =
            arena_format(delivery->arena, "target=%.*s", SLICE_ARGS(delivery->target_reference));
    else
        query = arena_format(
            delivery->arena, "identifier=%.*s",
            SLICE_ARGS(body_query_token(delivery->site->system, delivery_identity(delivery),
                                        delivery->arena)));
    request->action = "search";
    request->path = delivery->next_page.len > 0 ? delivery->next_page
                                                : arena_format(delivery->arena, "%s?%.*s",
                                                               delivery->type, SLICE_ARGS(query));
    request->audit_path = arena_format(delivery->arena, "%s?%s", delivery->type, names[by]);
}
