/* outbox/run.c -- carries one delivery through its exchanges.
 *
 *   FREE -> run_claim() -> QUEUED -> run_start() ->
 *   advance() -> SENDING -> on_answer() -> advance() -> SAVING -> on_saved()
 *       |                                                 ^
 *       +-- nothing to send, or the store must know first +
 *   on_saved(): the next request -> SENDING, or the end -> FREE
 *
 * After every answer the row and the audit record of the exchange are written in one transaction,
 * before the next request leaves.  A full queue of the lane only delays; an error of the store too.
 */
#include "base/text.h"
#include "outbox/outbox_int.h"
#include "store/ledger.h"

/* clang-format off */
static const struct sm_row run_rows[] = {
    [RUN_FREE]    = { "free",    SM_TO(RUN_QUEUED) },
    [RUN_QUEUED]  = { "queued",  SM_TO(RUN_SENDING) | SM_TO(RUN_SAVING) | SM_TO(RUN_WAITING) |
                                 SM_TO(RUN_FREE) },
    [RUN_SENDING] = { "sending", SM_TO(RUN_SAVING) | SM_TO(RUN_FREE) },
    [RUN_SAVING]  = { "saving",  SM_TO(RUN_SENDING) | SM_TO(RUN_FREE) | SM_TO(RUN_WAITING) },
    [RUN_WAITING] = { "waiting", SM_TO(RUN_SENDING) | SM_TO(RUN_SAVING) },
};
/* clang-format on */

static void run_check(const struct sm *sm)
{
    const struct run *run = CONTAINER_OF(sm, struct run, sm);
    if (sm->state == RUN_SENDING)
        CHECK(!run->has_record); /* the exchange before is in the log */
}

static void advance(struct run *run);
static void save(struct run *run);

static void release(struct run *run)
{
    struct destination *destination = run->destination;
    run->has_record = false;
    sm_move(&run->sm, RUN_FREE);
    arena_reset(&run->arena);
    destination_unburden(destination, run);
    destination_run_ended(destination);
}

/* --- saving (the lane) --------------------------------------------------------------------- */

static bool save_row(struct run *run, struct store_tx *tx, struct err *err)
{
    struct delivery *delivery = &run->delivery;
    struct outbox_row now;
    bool found = false;
    if (!store_outbox_get(tx, delivery->row.key, &run->arena, &now, &found, err))
        return false;
    run->is_superseded = !found || now.revision != delivery->row.revision;
    if (run->is_superseded && run->action == DELIVERY_SAVE)
        delivery_unmark(delivery); /* the POST will not be sent: it says something old */
    return !found || store_outbox_settle(tx, &delivery->row, err);
}

static bool save_job(struct job *job, struct store_tx *tx, struct err *err)
{
    struct run *run = CONTAINER_OF(job, struct run, job);
    if (!save_row(run, tx, err))
        return false;
    return !run->has_record || ledger_append(tx, &run->record, err);
}

/* --- saved --------------------------------------------------------------------------------- */

static void count_end(struct run *run)
{
    struct outbox *outbox = run->destination->outbox;
    const struct delivery *delivery = &run->delivery;
    if (run->is_check) {
        outbox->checked++;
        outbox->edited += delivery->drift == DRIFT_EDITED;
        outbox->deleted += delivery->drift == DRIFT_DELETED;
        return;
    }
    switch (delivery->row.state) {
    case OUTBOX_SETTLED:
        outbox->settled++;
        break;
    case OUTBOX_DEAD:
        outbox->dead++;
        break;
    case OUTBOX_PENDING:
    case OUTBOX_UNKNOWN:
        if (delivery->requests > 0)
            outbox->retried++;
        break;
    }
    if (delivery->is_reconciled)
        outbox->reconciled++;
    outbox->duplicates += delivery->duplicates;
}

/* False while a new token is fetched: the run waits for it.  Whoever else was refused with the same
 * old token waits for the same fetch. */
static bool has_credential(struct run *run)
{
    struct destination *destination = run->destination;
    struct err err;
    bool is_new = run->delivery.needs_token;
    run->delivery.needs_token = false;
    if (!destination->is_smart) {
        if (is_new && !destination_read_token(destination, &err))
            destination->token[0] = '\0'; /* the peer will say 401 again, and that is on record */
        return true;
    }
    struct token_source *tokens = &destination->tokens;
    if (is_new && tokens->generation == run->token_generation)
        token_forget(tokens);
    if (token_is_good(tokens, clock_wall_ms()))
        return true;
    sm_move(&run->sm, RUN_WAITING);
    token_refresh(tokens, clock_wall_ms());
    if (tokens->sm.state == TOKEN_IDLE && run->sm.state == RUN_WAITING)
        run_go_on(run); /* it has just failed, and is not tried again yet */
    return false;
}

static void send_request(struct run *run)
{
    struct destination *destination = run->destination;
    struct outbox *outbox = destination->outbox;
    struct err err;
    if (!has_credential(run))
        return;
    const char *token = destination->is_smart ? destination->tokens.token : destination->token;
    run->token_generation = destination->tokens.generation;
    struct text id = TEXT(run->request_id);
    text_add(&id, "%016llx-%llu", (unsigned long long)outbox_random(outbox),
             (unsigned long long)++outbox->request_number);
    bool has_token = token != NULL && token[0] != '\0';
    struct exchange_extra extra = { .user_agent = outbox->user_agent,
                                    .request_id = run->request_id,
                                    .bearer = has_token ? token : NULL };
    if (run->request.ask == RETRY_WRITE || run->request.ask == RETRY_CREATE)
        outbox->sent++;
    bucket_charge(&destination->bucket, clock_wall_ms());
    run->sent_ns = clock_monotonic_ns();
    sm_move(&run->sm, RUN_SENDING);
    if (exchange_start(&run->exchange, &outbox->transport, &run->request, &extra, &err))
        return;
    /* Not even begun: the destination's address is of no use. */
    struct delivery_moment moment = outbox_moment(destination);
    delivery_answered(&run->delivery,
                      &(struct delivery_answer){ .transport = TRANSPORT_UNREACHABLE }, &moment);
    advance(run);
}

static void on_saved(struct job *job, const struct err *err)
{
    struct run *run = CONTAINER_OF(job, struct run, job);
    struct outbox *outbox = run->destination->outbox;
    if (err->code == ERR_DRAINING) { /* the store has closed; it knows what it must */
        release(run);
        return;
    }
    if (err->code != ERR_OK) {
        outbox_wait_for_lane(outbox, run);
        return;
    }
    run->has_record = false;
    if (run->action == DELIVERY_END || run->is_superseded) {
        if (run->action == DELIVERY_END)
            count_end(run);
        release(run);
    } else if (outbox->sm.state == PHASE_ABORTING) {
        release(run);
    } else if (run->action == DELIVERY_SAVE) {
        delivery_saved(&run->delivery);
        advance(run);
    } else {
        send_request(run);
    }
}

static void save(struct run *run)
{
    struct outbox *outbox = run->destination->outbox;
    struct err err;
    run->job = (struct job){ .run = save_job, .done = on_saved };
    if (lane_submit(outbox->lane, outbox->loop, &run->job, &err))
        return;
    if (err.code == ERR_DRAINING)
        release(run);
    else
        outbox_wait_for_lane(outbox, run);
}

void run_save_again(struct run *run) { save(run); }

/* --- going on ------------------------------------------------------------------------------ */

/* Answers of many megabytes: what was read from them may be cut, so the row goes back as it came,
 * but for what is known of the destination's copy. */
static void give_up_for_now(struct run *run, const struct delivery_moment *moment)
{
    struct outbox_row row = run->claimed;
    run->delivery.row = row;
    run->action = DELIVERY_END;
    if (run->is_check)
        return;
    row.held = run->delivery.row.held;
    row.state = delivery_held_is_unknown(&row.held) ? OUTBOX_UNKNOWN : OUTBOX_PENDING;
    row.attempts++;
    row.due_ms =
        moment->now_ms + retry_wait_ms(row.attempts, moment->jitter, moment->pace_permille);
    row.last_error = SLICE("transient answers-too-large");
    run->delivery.row = row;
}

static void advance(struct run *run)
{
    struct destination *destination = run->destination;
    struct delivery_moment moment = outbox_moment(destination);
    run->delivery.must_verify = !destination->has_verified[run->delivery.row.kind];
    if (run->delivery.sm.state == DELIVERY_DECIDING)
        run->delivery.capability = destination_capability(destination);
    run->action = delivery_next(&run->delivery, &moment, &run->request);
    if (arena_overflowed(&run->arena))
        give_up_for_now(run, &moment);
    if (run->action == DELIVERY_SEND && !run->has_record) {
        send_request(run);
        return;
    }
    if (run->sm.state != RUN_SAVING)
        sm_move(&run->sm, RUN_SAVING);
    save(run);
    if (run->action != DELIVERY_END || !run->is_borne)
        return;
    destination_unburden(destination, run); /* another one may be sent while this one is saved */
    destination_pump(destination);
}

/* --- answers ------------------------------------------------------------------------------- */

static void take_capability(struct run *run, const struct delivery_answer *answer)
{
    struct destination *destination = run->destination;
    struct arena scratch; /* a statement can be large, and none of it is kept */
    struct err ignored;
    arena_init(&scratch, OUTBOX_SCRATCH_MAX);
    bool is_read = capability_read(answer->body, &scratch, &destination->capability, &ignored);
    arena_fini(&scratch);
    destination->capability_read_ms = is_read ? clock_wall_ms() : 0;
    run->delivery.capability = is_read ? &destination->capability : NULL;
    if (is_read)
        destination_note_channels(destination);
}

static void inform_destination(struct run *run, const struct delivery_answer *answer)
{
    struct destination *destination = run->destination;
    int64_t now_ms = clock_wall_ms();
    bool asks_for_pause = answer->status == 429 || answer->status == 503;
    if (run->delivery.capability_is_stale)
        destination->capability_read_ms = 0;
    run->delivery.capability_is_stale = false;
    if (run->delivery.has_verified)
        destination->has_verified[run->delivery.row.kind] = true;
    if (run->delivery.is_refused)
        breaker_trip(&destination->breaker, now_ms);
    else if (answer->transport == TRANSPORT_ANSWERED)
        breaker_answered(&destination->breaker, now_ms);
    else if (answer->transport != TRANSPORT_STOPPED)
        breaker_failed(&destination->breaker, now_ms);
    bool is_late = answer->transport == TRANSPORT_LATE || answer->transport == TRANSPORT_LOST;
    if (asks_for_pause || is_late)
        crowd_note(&destination->crowd, CROWD_REFUSED, 0);
    else if (answer->transport == TRANSPORT_ANSWERED && run->sm.state == RUN_SENDING &&
             run->request.is_about_patient)
        crowd_note(&destination->crowd, CROWD_GOOD, (clock_monotonic_ns() - run->sent_ns) / 1000);
    if (asks_for_pause && answer->retry_after.len > 0)
        destination->hold_until_ms = now_ms + retry_after_ms(answer->retry_after, now_ms);
}

static void on_answer(struct run *run, const struct delivery_answer *answer)
{
    struct delivery *delivery = &run->delivery;
    struct delivery_moment moment = outbox_moment(run->destination);
    bool is_good = answer->status >= 200 && answer->status < 300;
    bool has_asked = delivery->sm.state == DELIVERY_ASKING && is_good;
    if (has_asked) {
        delivery->class = RETRY_CLASS_NONE;
        delivery->row.last_status = answer->status;
        take_capability(run, answer);
        delivery_asked(delivery, &moment);
    } else {
        delivery_answered(delivery, answer, &moment);
    }
    inform_destination(run, answer);
    struct text address = TEXT(run->address);
    text_add(&address, "%s", exchange_address(&run->exchange));
    record_exchange(run, answer);
    advance(run);
    if (has_asked)
        destination_pump(run->destination); /* the others need not wait for this delivery */
}

static void on_exchange_done(struct transport_call *call, CURLcode code)
{
    struct exchange *exchange = CONTAINER_OF(call, struct exchange, call);
    struct delivery_answer answer = exchange_answer(exchange, code);
    on_answer(CONTAINER_OF(exchange, struct run, exchange), &answer);
}

/* Without a token nothing is sent: an open server would take what was meant to be refused. */
void run_go_on(struct run *run)
{
    if (run->sm.state != RUN_WAITING)
        return;
    if (token_is_good(&run->destination->tokens, clock_wall_ms())) {
        send_request(run);
        return;
    }
    struct delivery_moment moment = outbox_moment(run->destination);
    const struct delivery_answer refused = { .transport = TRANSPORT_ANSWERED, .status = 401 };
    run->delivery.has_new_token = true;
    delivery_answered(&run->delivery, &refused, &moment);
    inform_destination(run, &refused);
    advance(run);
}

void run_abort(struct run *run)
{
    if (run->sm.state == RUN_WAITING) {
        struct delivery_moment moment = outbox_moment(run->destination);
        delivery_answered(&run->delivery,
                          &(struct delivery_answer){ .transport = TRANSPORT_STOPPED }, &moment);
        advance(run);
        return;
    }
    if (run->sm.state != RUN_SENDING)
        return;
    transport_remove(&run->destination->outbox->transport, &run->exchange.call);
    on_answer(run, &(struct delivery_answer){ .transport = TRANSPORT_STOPPED });
}

/* --- life ---------------------------------------------------------------------------------- */

static struct outbox_row row_copy(const struct outbox_row *from, struct arena *arena)
{
    struct outbox_row row = *from;
    row.patient_name = arena_copy(arena, from->patient_name);
    row.destination = arena_copy(arena, from->destination);
    row.disease = arena_copy(arena, from->disease);
    row.identity = arena_copy(arena, from->identity);
    row.body = arena_copy(arena, from->body);
    row.target_id = arena_copy(arena, from->target_id);
    row.target_etag = arena_copy(arena, from->target_etag);
    row.last_error = arena_copy(arena, from->last_error);
    return row;
}

void run_claim(struct run *run, const struct outbox_row *row,
               const struct delivery_sibling *sibling)
{
    struct destination *destination = run->destination;
    run->claimed = row_copy(row, &run->arena);
    run->has_sibling = sibling != NULL;
    if (sibling != NULL) {
        run->sibling = *sibling;
        run->sibling.target_id = arena_copy(&run->arena, sibling->target_id);
    }
    run->is_superseded = run->is_check = false;
    run->turn = destination->next_turn++;
    destination->under_way++;
    destination->queued++;
    sm_move(&run->sm, RUN_QUEUED);
}

void run_start(struct run *run)
{
    struct destination *destination = run->destination;
    CHECK(run->sm.state == RUN_QUEUED);
    destination->queued--;
    destination->borne++;
    run->is_borne = true;
    delivery_start(&run->delivery, &run->claimed, &destination->site, &run->arena);
    run->delivery.is_checking = run->is_check;
    if (run->has_sibling)
        delivery_set_sibling(&run->delivery, &run->sibling, clock_wall_ms());
    advance(run);
}

void run_look_again(struct run *run, const struct outbox_row *row)
{
    run_claim(run, row, NULL);
    run->is_check = true;
    run_start(run);
}

void run_put_back(struct run *run)
{
    CHECK(run->sm.state == RUN_QUEUED);
    run->destination->queued--;
    run->destination->under_way--;
    sm_move(&run->sm, RUN_FREE);
    arena_reset(&run->arena);
}

bool run_init(struct run *run, struct destination *destination, struct err *err)
{
    run->sm = (struct sm){ "run", run_rows, run_check, RUN_FREE };
    run->destination = destination;
    arena_init(&run->arena, OUTBOX_ARENA_MAX);
    run->exchange.call.done = on_exchange_done;
    return exchange_open(&run->exchange, &destination->settings, err);
}

void run_fini(struct run *run)
{
    exchange_close(&run->exchange);
    arena_fini(&run->arena);
}
