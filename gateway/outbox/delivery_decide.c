#include "base/date.h"
#include "outbox/body.h"
#include "outbox/delivery_int.h"

const struct capability_type *delivery_offer(const struct delivery *delivery)
{
    CHECK(delivery->capability != NULL);
    return &delivery->capability->types[delivery->row.kind];
}

bool delivery_has_target(const struct delivery *delivery)
{
    return delivery->row.target_id.len > 0;
}

bool delivery_is_wanted(const struct delivery *delivery) { return delivery->row.wish == WISH_HOLD; }

/* The same on every machine and after every restart; short enough for any server. */
struct slice delivery_own_id(const struct outbox_row *row)
{
    return (struct slice){ row->identity.at, row->identity.len < 32 ? row->identity.len : 32 };
}

/* --- the write ----------------------------------------------------------------------------- */

/* By which neither the identifier nor the mark in the text is found as ours again. */
static struct slice repair_name(const struct delivery *delivery)
{
    return arena_format(delivery->arena, "duplicate-%.22s", delivery_identity(delivery).at);
}

struct slice delivery_body(const struct delivery *delivery, int64_t now_ms)
{
    struct slice body = delivery_for_survivor(delivery, delivery->row.body);
    if (delivery_is_note(delivery)) {
        struct message message = { .kind = delivery->row.kind,
                                   .note = body,
                                   .system = delivery->site->system,
                                   .identity = delivery->is_repairing ? repair_name(delivery)
                                                                      : delivery_identity(delivery),
                                   .replaces = delivery->replaces,
                                   .now_ms = now_ms };
        struct err ignored; /* an empty body: delivery_decide() gives it up */
        return message_write(&message, &delivery->site->message, delivery->arena, &body, &ignored)
                   ? body
                   : SLICE("");
    }
    if (delivery->row.kind != POSTING_PROVENANCE)
        return body;
    char recorded[INSTANT_TEXT_SIZE];
    struct slice reference = delivery->target_reference;
    body = body_replace(body, BODY_TOKEN_FLAG, reference, delivery->arena);
    body = body_replace(body, BODY_TOKEN_CARE_PLAN, reference, delivery->arena);
    return body_replace(body, BODY_TOKEN_RECORDED, slice_of(instant_format(now_ms, recorded)),
                        delivery->arena);
}

static void request_put(const struct delivery *delivery, struct slice id,
                        struct delivery_request *out)
{
    out->path = arena_format(delivery->arena, "%s/%.*s", delivery->type, SLICE_ARGS(id));
    out->audit_path = arena_format(delivery->arena, "%s/{id}", delivery->type);
    out->body = body_with_id(out->body, id, delivery->arena);
}

/* What was wanted, as an error, and under a name by which it is not found as ours again. */
static void request_repair(const struct delivery *delivery, struct delivery_request *out)
{
    static const char *const statuses[] = { "active", "inactive", "completed", "current" };
    const struct answer_record *copy = &delivery->ours[delivery->repair];
    struct slice name = delivery_identity(delivery);
    char status[40];
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        snprintf(status, sizeof status, "\"status\":\"%s\"", statuses[i]);
        out->body = body_replace(out->body, status, SLICE("\"status\":\"entered-in-error\""),
                                 delivery->arena);
    }
    struct slice word = arena_format(delivery->arena, "\"%.*s\"", SLICE_ARGS(name));
    struct slice other =
        arena_format(delivery->arena, "\"%.*s\"", SLICE_ARGS(repair_name(delivery)));
    out->body = body_replace(out->body, word.at, other, delivery->arena);
    if (copy->version.len > 0)
        out->if_match = arena_format(delivery->arena, "W/\"%.*s\"", SLICE_ARGS(copy->version));
    request_put(delivery, copy->id, out);
}

void delivery_request_write(const struct delivery *delivery, const struct delivery_moment *moment,
                            struct delivery_request *out)
{
    const struct outbox_row *row = &delivery->row;
    struct slice token =
        body_query_token(delivery->site->system, delivery_identity(delivery), delivery->arena);
    out->body = delivery_body(delivery, moment->now_ms);
    out->method = delivery->write == WRITE_CREATE ? "POST" : "PUT";
    out->action = delivery->write == WRITE_CREATE ? "create" : "update";
    out->ask = delivery->write == WRITE_CREATE ? RETRY_CREATE : RETRY_WRITE;
    switch (delivery->write) {
    case WRITE_KNOWN:
        out->if_match = row->target_etag;
        request_put(delivery, row->target_id, out);
        break;
    case WRITE_OWN_ID:
        request_put(delivery, delivery_own_id(row), out);
        break;
    case WRITE_CONDITIONAL:
        out->path =
            arena_format(delivery->arena, "%s?identifier=%.*s", delivery->type, SLICE_ARGS(token));
        out->audit_path = arena_format(delivery->arena, "%s?identifier", delivery->type);
        break;
    case WRITE_REPAIR:
        request_repair(delivery, out);
        break;
    case WRITE_CREATE:
        out->path = out->audit_path = slice_of(delivery->type);
        if (delivery_offer(delivery)->conditional_create && row->kind != POSTING_PROVENANCE)
            out->if_none_exist =
                arena_format(delivery->arena, "identifier=%.*s", SLICE_ARGS(token));
        break;
    }
}

/* --- the choice ---------------------------------------------------------------------------- */

static void write_with(struct delivery *delivery, enum delivery_write write)
{
    delivery->write = write;
    if (write != WRITE_CREATE) {
        sm_move(&delivery->sm, DELIVERY_WRITING);
        return;
    }
    delivery->row.held = delivery_held_mark(
        &(struct delivery_mark){ .revision = delivery->row.revision, .is_create = true });
    delivery->row.state = OUTBOX_UNKNOWN;
    /* A message leaves the one before where it is: that something was said must not be forgotten
     * while it is not known whether this one gets through. */
    if (!delivery_is_message(delivery))
        delivery->row.target_id = delivery->row.target_etag = SLICE("");
    sm_move(&delivery->sm, DELIVERY_MARKING);
}

/* A search found nothing although a POST may have been carried out: indexes lag, and slow servers
 * commit late.  True when we must look again before we believe it.
 * How long that takes depends on the searches alone.  The destination has answered, so this is no
 * failed attempt, and a destination that was out of order for long has its records soon after it
 * is back.  Full jitter would let all the looks fall into one instant, so half of it is certain. */
static bool must_look_again(struct delivery *delivery, const struct delivery_moment *moment)
{
    if (!delivery_held_is_unknown(&delivery->row.held))
        return false;
    struct delivery_mark mark = delivery_mark_of(&delivery->row.held);
    mark.searches++;
    if (mark.searches >= OUTBOX_SEARCHES_MAX)
        return false;
    delivery->row.held = delivery_held_mark(&mark);
    delivery->class = RETRY_CLASS_UNKNOWN;
    delivery_note(delivery, retry_class_name(RETRY_CLASS_UNKNOWN), "not-found-yet");
    uint32_t jitter = UINT32_MAX / 2 + moment->jitter / 2;
    int64_t wait_ms = retry_wait_ms(mark.searches + 1, jitter, moment->pace_permille);
    delivery_put_off(delivery, moment->now_ms + wait_ms);
    return true;
}

/* Said once; what was said before stays.  A withdrawal is a message too, where there is one to
 * withdraw. */
static void decide_message(struct delivery *delivery, const struct delivery_moment *moment)
{
    const struct capability_type *offer = delivery_offer(delivery);
    bool is_unknown = delivery_held_is_unknown(&delivery->row.held);
    bool can_search = delivery_search_by(delivery) != SEARCH_NONE;
    if (delivery->row.kind == POSTING_DOCUMENT)
        delivery->replaces = delivery->row.target_id;
    if (!delivery_is_wanted(delivery) && !delivery_has_target(delivery) && !is_unknown)
        delivery_settle_empty(delivery, "nothing-there");
    else if (!offer->can_create)
        delivery_die(delivery, "permanent not-offered");
    else if (can_search && !delivery->is_searched)
        sm_move(&delivery->sm, DELIVERY_SEARCHING);
    else if (delivery->is_duplicate) /* it says so, and does not show it */
        delivery_settle(delivery, "there-already");
    else if (is_unknown && (!can_search || delivery->is_endless) && !offer->conditional_create)
        delivery_die(delivery, "unknown cannot-reconcile");
    else if (!can_search || !must_look_again(delivery, moment))
        write_with(delivery, WRITE_CREATE);
}

static void decide_provenance(struct delivery *delivery, const struct delivery_moment *moment)
{
    const struct capability_type *offer = delivery_offer(delivery);
    bool is_unknown = delivery_held_is_unknown(&delivery->row.held);
    if (offer->can_update && offer->update_create)
        write_with(delivery, WRITE_OWN_ID);
    else if (!offer->can_create)
        delivery_settle_empty(delivery, "not-offered");
    else if (!is_unknown)
        write_with(delivery, WRITE_CREATE);
    else if (!offer->search_target)
        delivery_die(delivery, "unknown cannot-reconcile");
    else if (!delivery->is_searched)
        sm_move(&delivery->sm, DELIVERY_SEARCHING);
    else if (!must_look_again(delivery, moment))
        write_with(delivery, WRITE_CREATE);
}

/* Without a target, and with nothing found or no way to look. */
static void decide_create(struct delivery *delivery, const struct delivery_moment *moment)
{
    const struct capability_type *offer = delivery_offer(delivery);
    bool is_unknown = delivery_held_is_unknown(&delivery->row.held);
    bool can_search = delivery_search_by(delivery) != SEARCH_NONE;
    if (!delivery_is_wanted(delivery)) {
        if (!must_look_again(delivery, moment))
            delivery_settle_empty(delivery, "nothing-there");
    } else if (offer->can_update && offer->conditional_update) {
        write_with(delivery, WRITE_CONDITIONAL);
    } else if (offer->can_update && offer->update_create) {
        write_with(delivery, WRITE_OWN_ID);
    } else if (!offer->can_create) {
        delivery_die(delivery, "permanent not-offered");
    } else if (is_unknown && (!can_search || delivery->is_endless) && !offer->conditional_create) {
        delivery_die(delivery, "unknown cannot-reconcile");
    } else if (!can_search || !must_look_again(delivery, moment)) {
        write_with(delivery, WRITE_CREATE);
    }
}

static void decide_record(struct delivery *delivery, const struct delivery_moment *moment)
{
    const struct capability_type *offer = delivery_offer(delivery);
    bool is_unknown = delivery_held_is_unknown(&delivery->row.held);
    bool must_look = delivery->is_conflicted || delivery->is_written || is_unknown ||
                     !delivery_is_wanted(delivery) ||
                     !(offer->can_update && offer->conditional_update);

    if (delivery_has_target(delivery)) {
        bool must_read =
            delivery->is_conflicted || is_unknown || delivery->row.target_etag.len == 0;
        if (must_read && offer->can_read && !delivery->is_searched)
            sm_move(&delivery->sm, DELIVERY_READING);
        else if (offer->can_update)
            write_with(delivery, WRITE_KNOWN);
        else
            delivery_die(delivery, "permanent not-offered");
    } else if (must_look && delivery_search_by(delivery) != SEARCH_NONE && !delivery->is_searched) {
        sm_move(&delivery->sm, DELIVERY_SEARCHING);
    } else if (delivery->conflicts > 1 && !delivery->is_searched &&
               delivery->write == WRITE_CONDITIONAL) {
        /* Several records answer to our identifier, and there is no way to look at them. */
        delivery_die(delivery, "conflict");
    } else {
        decide_create(delivery, moment);
    }
}

/* The destination is told another way.  What it holds by this one is still looked after. */
static bool is_off_ladder(struct delivery *delivery, unsigned *chosen)
{
    const struct ladder *ladder = &delivery->site->ladder;
    static const struct sha256 nothing;
    bool is_held = delivery_has_target(delivery) || !sha256_equal(&delivery->row.held, &nothing);
    if (delivery->row.kind == POSTING_PROVENANCE || ladder->count == 0 || is_held)
        return false;
    *chosen = ladder_choose(ladder, delivery->capability, &delivery->site->message);
    return (*chosen & POSTING_BIT(delivery->row.kind)) == 0;
}

/* When it can be told in no way, somebody must know: by the rows of the first rung, since four
 * dead rows would say no more than one. */
static void leave_out(struct delivery *delivery, unsigned chosen)
{
    bool is_first = (delivery->site->ladder.rungs[0] & POSTING_BIT(delivery->row.kind)) != 0;
    char bytes[80];
    struct text note = TEXT(bytes);
    if (chosen == 0 && is_first && delivery_is_wanted(delivery)) {
        delivery_die(delivery, "permanent no-channel");
        return;
    }
    text_add(&note, "told-by ");
    posting_kinds_write(chosen, &note);
    delivery_settle_empty(delivery, bytes);
}

/* Corrections come one after the other; whoever reads a message should read how they end. */
static bool is_too_early(const struct delivery *delivery, const struct delivery_moment *moment)
{
    int64_t due_ms = delivery->row.changed_ms + delivery->site->message_delay_ms;
    return delivery_is_note(delivery) && moment->now_ms < due_ms &&
           !delivery_held_is_unknown(&delivery->row.held);
}

static void wait_for_more(struct delivery *delivery)
{
    delivery_note(delivery, "waiting", "for-more");
    delivery_put_off(delivery, delivery->row.changed_ms + delivery->site->message_delay_ms);
}

void delivery_decide(struct delivery *delivery, const struct delivery_moment *moment)
{
    const struct outbox_row *row = &delivery->row;
    bool is_provenance = row->kind == POSTING_PROVENANCE;
    bool is_held = sha256_equal(&row->held, &row->wanted);
    unsigned chosen = 0;
    if (delivery->is_checking)
        delivery_decide_check(delivery);
    else if (is_held && delivery->requests == 0 && delivery->row.state == OUTBOX_PENDING)
        delivery_settle(delivery, "held-already"); /* it was wanted otherwise in between */
    else if (delivery->is_verifying)
        sm_move(&delivery->sm, DELIVERY_READING);
    else if (delivery->is_written && delivery->is_searched)
        delivery_settle(delivery, "");
    else if (delivery->capability == NULL)
        sm_move(&delivery->sm, DELIVERY_ASKING);
    else if (delivery->is_merged)
        sm_move(&delivery->sm, DELIVERY_FOLLOWING);
    else if (is_off_ladder(delivery, &chosen))
        leave_out(delivery, chosen);
    else if (is_too_early(delivery, moment))
        wait_for_more(delivery);
    else if (is_provenance)
        decide_provenance(delivery, moment);
    else if (delivery_is_note(delivery) && delivery_body(delivery, moment->now_ms).len == 0)
        delivery_die(delivery, "permanent body-unreadable");
    else if (delivery_is_note(delivery) && delivery_is_message(delivery))
        decide_message(delivery, moment);
    else
        decide_record(delivery, moment);
}
