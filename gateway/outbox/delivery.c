#include "outbox/delivery.h"

#include "base/date.h"
#include "outbox/body.h"
#include "outbox/delivery_int.h"

/* clang-format off */
static const struct sm_row delivery_rows[] = {
    [DELIVERY_DECIDING]  = { "deciding",  SM_TO(DELIVERY_ASKING) | SM_TO(DELIVERY_SEARCHING) |
                                          SM_TO(DELIVERY_READING) | SM_TO(DELIVERY_FOLLOWING) |
                                          SM_TO(DELIVERY_MARKING) | SM_TO(DELIVERY_WRITING) | SM_TO(DELIVERY_ENDED) },
    [DELIVERY_ASKING]    = { "asking",    SM_TO(DELIVERY_DECIDING) | SM_TO(DELIVERY_ENDED) },
    [DELIVERY_SEARCHING] = { "searching", SM_TO(DELIVERY_DECIDING) | SM_TO(DELIVERY_ENDED) },
    [DELIVERY_READING]   = { "reading",   SM_TO(DELIVERY_DECIDING) | SM_TO(DELIVERY_ENDED) },
    [DELIVERY_FOLLOWING] = { "following", SM_TO(DELIVERY_DECIDING) | SM_TO(DELIVERY_ENDED) },
    [DELIVERY_MARKING]   = { "marking",   SM_TO(DELIVERY_WRITING) },
    [DELIVERY_WRITING]   = { "writing",   SM_TO(DELIVERY_DECIDING) | SM_TO(DELIVERY_ENDED) },
    [DELIVERY_ENDED]     = { "ended",     0 },
};
/* clang-format on */

static void delivery_check(const struct sm *sm)
{
    const struct delivery *delivery = CONTAINER_OF(sm, struct delivery, sm);
    bool needs_target = sm->state == DELIVERY_READING;
    bool is_post = delivery->write == WRITE_CREATE;
    if (needs_target)
        CHECK(delivery_has_target(delivery));
    if (sm->state == DELIVERY_MARKING)
        CHECK(is_post);
    /* The rule that keeps duplicates away: no POST that the store does not know of. */
    if (sm->state == DELIVERY_WRITING && is_post)
        CHECK(delivery_held_is_unknown(&delivery->row.held));
}

/* --- the mark ------------------------------------------------------------------------------ */

#define MARK_BYTES 26 /* of 0xff; then how it was sent, searches, and the revision */

struct sha256 delivery_held_mark(const struct delivery_mark *mark)
{
    struct sha256 held;
    memset(held.bytes, 0xff, sizeof held.bytes);
    held.bytes[MARK_BYTES] = mark->is_create ? 1 : 0;
    held.bytes[MARK_BYTES + 1] = (unsigned char)(mark->searches < 0xff ? mark->searches : 0xff);
    memcpy(held.bytes + MARK_BYTES + 2, &mark->revision, sizeof mark->revision);
    return held;
}

bool delivery_held_is_unknown(const struct sha256 *held)
{
    for (size_t i = 0; i < MARK_BYTES; i++)
        if (held->bytes[i] != 0xff)
            return false;
    return true;
}

struct delivery_mark delivery_mark_of(const struct sha256 *held)
{
    struct delivery_mark mark = { .is_create = held->bytes[MARK_BYTES] == 1,
                                  .searches = held->bytes[MARK_BYTES + 1] };
    memcpy(&mark.revision, held->bytes + MARK_BYTES + 2, sizeof mark.revision);
    return mark;
}

/* --- life ---------------------------------------------------------------------------------- */

void delivery_start(struct delivery *delivery, const struct outbox_row *row,
                    const struct delivery_site *site, struct arena *arena)
{
    *delivery = (struct delivery){
        .sm = { "delivery", delivery_rows, delivery_check, DELIVERY_DECIDING },
        .arena = arena,
        .row = *row,
        .site = site,
        .type = fhir_type_name(posting_type(row->kind)),
    };
    struct sha256 *held = &delivery->row.held;
    if (row->state == OUTBOX_UNKNOWN && !delivery_held_is_unknown(held))
        *held = delivery_held_mark(&(struct delivery_mark){ .revision = row->revision });
    delivery->was_unknown = delivery_held_is_unknown(held);
}

enum posting_kind delivery_sibling_kind(const struct outbox_row *row)
{
    if (row->kind == POSTING_PROVENANCE && body_has(row->body, BODY_TOKEN_FLAG))
        return POSTING_FLAG;
    if (row->kind == POSTING_PROVENANCE && body_has(row->body, BODY_TOKEN_CARE_PLAN))
        return POSTING_CARE_PLAN;
    return (enum posting_kind)0;
}

void delivery_set_sibling(struct delivery *delivery, const struct delivery_sibling *sibling,
                          int64_t now_ms)
{
    const char *type = fhir_type_name(posting_type(delivery_sibling_kind(&delivery->row)));
    bool is_settled = sibling->exists && sibling->state == OUTBOX_SETTLED;
    if (!sibling->exists || (is_settled && sibling->target_id.len == 0)) {
        delivery_settle_empty(delivery, "nothing-to-speak-of");
        return;
    }
    if (!is_settled) {
        /* Waiting is not failing: it costs no attempt. */
        bool is_dead = sibling->state == OUTBOX_DEAD;
        int64_t due_ms = is_dead ? now_ms + OUTBOX_SIBLING_WAIT_MS : sibling->due_ms + 1;
        delivery_note(delivery, "waiting", type);
        delivery_put_off(delivery, due_ms > now_ms ? due_ms : now_ms + OUTBOX_LOOK_AGAIN_MS);
        return;
    }
    delivery->target_reference =
        arena_format(delivery->arena, "%s/%.*s", type, SLICE_ARGS(sibling->target_id));
}

void delivery_saved(struct delivery *delivery) { sm_move(&delivery->sm, DELIVERY_WRITING); }

void delivery_unmark(struct delivery *delivery)
{
    delivery->row.held = (struct sha256){ { 0 } };
    delivery->row.state = OUTBOX_PENDING;
}

/* --- ends ---------------------------------------------------------------------------------- */

void delivery_note(struct delivery *delivery, const char *class, const char *detail)
{
    const char *space = class[0] != '\0' && detail[0] != '\0' ? " " : "";
    delivery->row.last_error = arena_format(delivery->arena, "%s%s%s", class, space, detail);
}

/* A second copy is not deleted, since who has seen it must be able to find it. */
static bool needs_repair(const struct delivery *delivery, const struct answer_record *copy)
{
    bool is_kept = slice_eq(copy->id, delivery->row.target_id);
    return !is_kept && copy->id.len > 0 && delivery_offer(delivery)->can_update;
}

void delivery_repair_next(struct delivery *delivery)
{
    while (delivery->repair < delivery->ours_count &&
           !needs_repair(delivery, &delivery->ours[delivery->repair]))
        delivery->repair++;
    bool is_done =
        delivery->repair >= delivery->ours_count || delivery->requests >= OUTBOX_EXCHANGES_MAX;
    if (!is_done) {
        delivery->write = WRITE_REPAIR;
        sm_move(&delivery->sm, DELIVERY_WRITING);
        return;
    }
    if (delivery->repaired > 0)
        delivery->row.last_error = arena_format(delivery->arena, "repaired %u", delivery->repaired);
    delivery->row.state = OUTBOX_SETTLED;
    sm_move(&delivery->sm, DELIVERY_ENDED);
}

static void on_repaired(struct delivery *delivery, const struct delivery_answer *answer)
{
    bool is_good =
        answer->transport == TRANSPORT_ANSWERED && answer->status >= 200 && answer->status < 300;
    delivery->repaired += is_good;
    delivery->repair++; /* one that fails is tried again when something new is wanted */
    delivery->class = RETRY_CLASS_NONE;
    sm_move(&delivery->sm, DELIVERY_DECIDING);
}

static void settle(struct delivery *delivery, struct sha256 held, const char *note)
{
    delivery->row.state = OUTBOX_SETTLED;
    delivery->row.held = held;
    delivery->row.attempts = 0;
    if (delivery->survivor.len > 0)
        note = arena_format(delivery->arena, "followed-merge%s%s", note[0] != '\0' ? " " : "", note)
                   .at;
    delivery_note(delivery, "", note);
    if (delivery->duplicates > 0)
        delivery->row.last_error = arena_format(delivery->arena, "%s%sduplicates %u", note,
                                                note[0] != '\0' ? ", " : "", delivery->duplicates);
    delivery->is_repairing = delivery->duplicates > 0;
    if (delivery->is_repairing)
        delivery->row.state = OUTBOX_PENDING; /* it is still under way */
    if (!delivery->is_repairing)
        sm_move(&delivery->sm, DELIVERY_ENDED);
    else if (delivery->sm.state == DELIVERY_DECIDING)
        delivery_repair_next(delivery);
    else
        sm_move(&delivery->sm, DELIVERY_DECIDING);
}

void delivery_settle(struct delivery *delivery, const char *note)
{
    settle(delivery, delivery->row.wanted, note);
}

void delivery_settle_empty(struct delivery *delivery, const char *note)
{
    delivery->row.target_id = delivery->row.target_etag = SLICE("");
    settle(delivery, (struct sha256){ { 0 } }, note);
}

void delivery_die(struct delivery *delivery, const char *reason)
{
    delivery->row.state = OUTBOX_DEAD;
    delivery->row.attempts++;
    delivery_note(delivery, reason, delivery->issue);
    sm_move(&delivery->sm, DELIVERY_ENDED);
}

void delivery_put_off(struct delivery *delivery, int64_t due_ms)
{
    bool is_unknown = delivery_held_is_unknown(&delivery->row.held);
    delivery->row.state = is_unknown ? OUTBOX_UNKNOWN : OUTBOX_PENDING;
    delivery->row.due_ms = due_ms;
    sm_move(&delivery->sm, DELIVERY_ENDED);
}

void delivery_put_off_for(struct delivery *delivery, enum retry_class class, const char *why,
                          const struct delivery_moment *moment)
{
    struct outbox_row *row = &delivery->row;
    int64_t age_ms = moment->now_ms - row->changed_ms;
    delivery->class = class;
    if (moment->horizon_ms > 0 && row->attempts > 0 && age_ms >= moment->horizon_ms) {
        delivery_die(delivery, "horizon");
        delivery_note(delivery, "horizon", why);
        return;
    }
    row->attempts++;
    delivery_note(delivery, retry_class_name(class), why);
    int64_t wait_ms = retry_wait_ms(row->attempts, moment->jitter, moment->pace_permille);
    delivery_put_off(delivery, moment->now_ms + wait_ms);
}

/* --- requests ------------------------------------------------------------------------------ */

static void request_state(const struct delivery *delivery, const struct delivery_moment *moment,
                          struct delivery_request *out)
{
    const struct outbox_row *row = &delivery->row;
    *out = (struct delivery_request){ .method = "GET", .is_about_patient = true };
    if (delivery->sm.state == DELIVERY_ASKING) {
        out->action = "read";
        out->path = out->audit_path = SLICE("metadata");
        out->is_about_patient = false;
    } else if (delivery->sm.state == DELIVERY_READING) {
        out->action = "read";
        out->path =
            arena_format(delivery->arena, "%s/%.*s", delivery->type, SLICE_ARGS(row->target_id));
        out->if_none_match = delivery->is_checking ? row->target_etag : SLICE("");
        out->audit_path = arena_format(delivery->arena, "%s/{id}", delivery->type);
    } else if (delivery->sm.state == DELIVERY_FOLLOWING) {
        out->action = "read";
        out->path = delivery_patient(delivery);
        out->audit_path = SLICE("Patient/{id}");
    } else if (delivery->sm.state == DELIVERY_SEARCHING) {
        delivery_request_search(delivery, out);
    } else {
        delivery_request_write(delivery, moment, out);
    }
}

enum delivery_action delivery_next(struct delivery *delivery, const struct delivery_moment *moment,
                                   struct delivery_request *request)
{
    if (delivery->sm.state == DELIVERY_DECIDING) {
        if (delivery->is_repairing)
            delivery_repair_next(delivery);
        else if (delivery->requests >= OUTBOX_EXCHANGES_MAX)
            delivery_put_off_for(delivery, RETRY_CLASS_CONFLICT, "too-many-exchanges", moment);
        else
            delivery_decide(delivery, moment);
    }
    if (delivery->sm.state == DELIVERY_ENDED)
        return DELIVERY_END;
    if (delivery->sm.state == DELIVERY_MARKING)
        return DELIVERY_SAVE;
    delivery->requests++;
    request_state(delivery, moment, request);
    return DELIVERY_SEND;
}

/* --- answers ------------------------------------------------------------------------------- */

static void learn_target(struct delivery *delivery, const struct delivery_answer *answer)
{
    struct outbox_row *row = &delivery->row;
    struct answer_record record = { 0 };
    struct err ignored;
    struct answer_want want = delivery_want(delivery);
    bool has_record = answer->body.len > 0 &&
                      answer_read_record(answer->body, &want, delivery->arena, &record, &ignored);
    struct slice id = answer_location_id(answer->location, delivery->type);
    if (id.len == 0 && has_record)
        id = record.id;
    if (delivery->write == WRITE_KNOWN)
        id = row->target_id;
    if (delivery->write == WRITE_OWN_ID)
        id = delivery_own_id(row);
    row->target_id = arena_copy(delivery->arena, id);
    row->target_etag = arena_copy(delivery->arena, answer->etag);
    if (answer->etag.len == 0 && has_record && record.version.len > 0)
        row->target_etag = arena_format(delivery->arena, "W/\"%.*s\"", SLICE_ARGS(record.version));
}

/* 200 to a conditional create: there was one already, and it is as it was. */
static void on_there_already(struct delivery *delivery, const struct delivery_answer *answer)
{
    delivery_unmark(delivery);
    bool can_search = delivery_search_by(delivery) != SEARCH_NONE;
    delivery->is_conflicted = true;
    delivery_forget_search(delivery);
    if (!can_search || delivery_is_message(delivery))
        learn_target(delivery, answer);
    if (delivery_is_message(delivery)) /* the same content under the same name */
        delivery_settle(delivery, "there-already");
    else if (delivery_has_target(delivery) || can_search)
        sm_move(&delivery->sm, DELIVERY_DECIDING);
    else
        delivery_settle(delivery, "there-already");
}

static void on_written(struct delivery *delivery, const struct delivery_answer *answer)
{
    const struct capability_type *offer = delivery_offer(delivery);
    bool is_conditional = offer->conditional_create && delivery->row.kind != POSTING_PROVENANCE;
    if (delivery->write == WRITE_CREATE && answer->status == 200 && is_conditional) {
        on_there_already(delivery, answer);
        return;
    }
    learn_target(delivery, answer);
    delivery->is_reconciled = delivery->was_unknown;
    delivery->is_verifying = delivery->must_verify && delivery_has_target(delivery) &&
                             offer->can_read && delivery->duplicates == 0;
    if (delivery->is_verifying) {
        delivery->row.held = delivery->row.wanted; /* whatever comes of reading it again */
        sm_move(&delivery->sm, DELIVERY_DECIDING);
        return;
    }
    if (delivery_has_target(delivery) || delivery_search_by(delivery) == SEARCH_NONE) {
        delivery_settle(delivery, "");
        return;
    }
    delivery->is_written = true;
    delivery_forget_search(delivery);
    sm_move(&delivery->sm, DELIVERY_DECIDING);
}

/* The record is not what we thought.  A POST was refused, so it left nothing behind. */
static void on_conflict(struct delivery *delivery, const struct delivery_moment *moment)
{
    bool is_create = delivery->sm.state == DELIVERY_WRITING && delivery->write == WRITE_CREATE;
    if (is_create)
        delivery_unmark(delivery);
    delivery->is_duplicate = is_create && delivery->says_duplicate;
    delivery->conflicts++;
    delivery->is_conflicted = true;
    delivery_forget_search(delivery);
    if (delivery->conflicts > OUTBOX_CONFLICTS_MAX || delivery->sm.state != DELIVERY_WRITING)
        delivery_put_off_for(delivery, RETRY_CLASS_CONFLICT, delivery->issue, moment);
    else
        sm_move(&delivery->sm, DELIVERY_DECIDING);
}

/* 404, 405 and 410 mean different things to a record we know and to a type. */
static bool on_gone(struct delivery *delivery, int status)
{
    bool is_known = delivery->sm.state == DELIVERY_READING ||
                    (delivery->sm.state == DELIVERY_WRITING && delivery->write == WRITE_KNOWN);
    if (is_known && (status == 404 || status == 410)) {
        delivery->row.target_id = delivery->row.target_etag = SLICE("");
        delivery_forget_search(delivery);
        delivery->is_conflicted = true;
        sm_move(&delivery->sm, DELIVERY_DECIDING);
        return true;
    }
    bool is_about_type = status == 404 || status == 405;
    if (!is_about_type || delivery->asked_again)
        return false;
    delivery->asked_again = true;
    delivery->capability_is_stale = true;
    delivery->capability = NULL;
    sm_move(&delivery->sm, DELIVERY_DECIDING);
    return true;
}

static void on_failed(struct delivery *delivery, const struct delivery_answer *answer,
                      const struct retry_step *step)
{
    bool is_post = delivery->sm.state == DELIVERY_WRITING && delivery->write == WRITE_CREATE;
    bool is_answered = answer->transport == TRANSPORT_ANSWERED;
    const char *why = is_answered ? delivery->issue : transport_error_name(answer->transport);

    if (delivery->is_written || delivery->is_verifying) { /* it is there; no more was learnt */
        delivery_settle(delivery, "");
        return;
    }
    if (step->class == RETRY_CLASS_UNKNOWN)
        delivery->row.held = delivery_held_mark(
            &(struct delivery_mark){ .revision = delivery->row.revision, .is_create = is_post });
    else if (is_post)
        delivery_unmark(delivery); /* refused or never sent: nothing is there */

    if (step->action == RETRY_REFRESH && !delivery->has_new_token) {
        delivery->needs_token = delivery->has_new_token = true;
        sm_move(&delivery->sm, DELIVERY_DECIDING);
        return;
    }
    delivery->is_refused = step->action == RETRY_REFRESH;
    bool is_dead = step->action == RETRY_DEAD;
    if (is_dead && delivery->sm.state == DELIVERY_FOLLOWING) {
        delivery_die(delivery, retry_class_name(RETRY_CLASS_MERGED));
        return;
    }
    if (is_dead && step->class == RETRY_CLASS_PERMANENT && on_gone(delivery, answer->status))
        return;
    if (is_dead) {
        bool is_class = strcmp(step->reason, retry_class_name(step->class)) == 0;
        delivery_die(delivery, step->reason);
        if (!is_class)
            delivery_note(delivery, step->reason, retry_class_name(step->class));
        return;
    }
    if (answer->transport != TRANSPORT_STOPPED)
        delivery->row.attempts++;
    delivery_note(delivery, retry_class_name(step->class), why);
    delivery_put_off(delivery, step->due_ms);
}

static void note_issue(struct delivery *delivery, const struct answer_issue *issue)
{
    struct text text = TEXT(delivery->issue);
    text_add(&text, "%s", issue->code);
    if (issue->number > 0)
        text_add(&text, "%s%u", issue->code[0] != '\0' ? " " : "", issue->number);
}

static enum retry_ask ask_of(const struct delivery *delivery)
{
    if (delivery->sm.state == DELIVERY_ASKING)
        return RETRY_PROBE;
    if (delivery->sm.state != DELIVERY_WRITING)
        return RETRY_READ;
    return delivery->write == WRITE_CREATE ? RETRY_CREATE : RETRY_WRITE;
}

void delivery_answered(struct delivery *delivery, const struct delivery_answer *answer,
                       const struct delivery_moment *moment)
{
    struct outbox_row *row = &delivery->row;
    bool is_answered = answer->transport == TRANSPORT_ANSWERED;
    if (delivery->is_repairing) {
        on_repaired(delivery, answer);
        return;
    }
    if (delivery->is_checking) {
        delivery_judge_check(delivery, answer, moment);
        return;
    }
    bool is_good = is_answered && answer->status >= 200 && answer->status < 300;
    delivery->issue[0] = '\0';
    struct answer_issue issue = { .number = 0 };
    if (is_answered && !is_good)
        answer_read_issue(answer->body, delivery->arena, &issue);
    note_issue(delivery, &issue);
    delivery->says_duplicate = strcmp(issue.code, "duplicate") == 0 ||
                               vendor_class(issue.vendor, issue.number) == RETRY_CLASS_CONFLICT;
    row->last_status = is_answered ? answer->status : 0;

    /* That we had to stop is no failure of the destination: it costs no attempt, ends no horizon,
     * and the next start goes on soon. */
    bool is_stopped = answer->transport == TRANSPORT_STOPPED;
    struct retry_step step = retry_decide(&(struct retry_input){
        .transport = answer->transport,
        .status = answer->status,
        .issue = slice_of(issue.code),
        .vendor_class = vendor_class(issue.vendor, issue.number),
        .next_day_ms = moment->next_day_ms,
        .ask = ask_of(delivery),
        .attempt = is_stopped ? 1 : row->attempts + 1,
        .first_failure_ms = row->changed_ms,
        .now_ms = moment->now_ms,
        .horizon_ms = moment->horizon_ms,
        .jitter = moment->jitter,
        .pace_permille = moment->pace_permille,
        .retry_after = answer->retry_after,
    });
    delivery->class = step.class;
    if (step.action == RETRY_REREAD && !delivery->is_verifying)
        on_conflict(delivery, moment);
    else if (step.action == RETRY_FOLLOW && !delivery->is_verifying)
        delivery_on_merged(delivery);
    else if (step.action != RETRY_DONE)
        on_failed(delivery, answer, &step);
    else if (delivery->sm.state == DELIVERY_READING)
        delivery_judge_read(delivery, answer, moment);
    else if (delivery->sm.state == DELIVERY_SEARCHING)
        delivery_judge_search(delivery, answer, moment);
    else if (delivery->sm.state == DELIVERY_FOLLOWING)
        delivery_judge_survivor(delivery, answer);
    else
        on_written(delivery, answer);
}

void delivery_asked(struct delivery *delivery, const struct delivery_moment *moment)
{
    if (delivery->capability != NULL)
        sm_move(&delivery->sm, DELIVERY_DECIDING);
    else if (delivery->is_checking)
        delivery_end_check(delivery);
    else
        delivery_put_off_for(delivery, RETRY_CLASS_TRANSIENT, "metadata-unreadable", moment);
}
