/* How our own record is found again, and what messages need beyond that. */
#include "outbox/body.h"
#include "outbox/delivery_int.h"

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

/* "patient=p1", narrowed by what the destination can narrow by. */
static struct slice patient_query(const struct delivery *delivery)
{
    const struct capability_type *offer = delivery_offer(delivery);
    struct arena *arena = delivery->arena;
    struct slice id = delivery->row.patient_name;
    (void)slice_take_until(&id, '/');
    struct slice narrow = SLICE("");
    if (delivery->row.kind == POSTING_DOCUMENT && offer->search_type)
        narrow = arena_format(
            arena, "&type=%.*s",
            SLICE_ARGS(token_of(message_document_type(&delivery->site->message), arena)));
    if (delivery->row.kind == POSTING_COMMUNICATION && offer->search_category)
        narrow =
            arena_format(arena, "&category=%.*s", SLICE_ARGS(token_of(message_category(), arena)));
    return arena_format(arena, "patient=%.*s%.*s", SLICE_ARGS(id), SLICE_ARGS(narrow));
}

void delivery_request_search(const struct delivery *delivery, struct delivery_request *request)
{
    static const char *const names[] = { "", "identifier", "patient", "target" };
    enum delivery_search by = delivery_search_by(delivery);
    struct slice query;
    if (by == SEARCH_PATIENT)
        query = patient_query(delivery);
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
