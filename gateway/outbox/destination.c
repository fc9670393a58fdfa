/* outbox/destination.c -- one destination: what it is sent, how fast, and when to try again.
 *
 * destination_pump() is called whenever something may have changed: rows were written, a run ended,
 * time has passed.  It asks the store for the rows that may be sent now and for some ahead, so that
 * the next is at hand when one has been answered; the answer to "when is the next one due?" sets
 * the timer.  One claim is under way at a time.
 */
#include <stdio.h>

#include "base/pool.h"
#include "outbox/operate.h"
#include "outbox/outbox_int.h"

/* --- claiming (the lane) ------------------------------------------------------------------- */

static bool find_sibling(struct claim *claim, struct store_tx *tx, unsigned index, struct err *err)
{
    struct destination *destination = CONTAINER_OF(claim, struct destination, claim);
    const struct outbox_row *row = &claim->rows[index];
    enum posting_kind kind = delivery_sibling_kind(row);
    char identity[SHA256_HEX_SIZE];
    struct outbox_row sibling;
    bool found = false;
    claim->has_sibling[index] = kind != 0;
    if (kind == 0)
        return true;
    posting_identity(slice_of(destination->settings.tenant), row->patient_name, row->disease, kind,
                     identity);
    if (!store_outbox_find(tx, row->tenant, row->destination, slice_of(identity), &claim->arena,
                           &sibling, &found, err))
        return false;
    claim->siblings[index] = (struct delivery_sibling){ 0 };
    if (found)
        claim->siblings[index] =
            (struct delivery_sibling){ true, sibling.state, sibling.due_ms, sibling.target_id };
    return true;
}

static bool claim_job(struct job *job, struct store_tx *tx, struct err *err)
{
    struct claim *claim = CONTAINER_OF(job, struct claim, job);
    struct destination *destination = CONTAINER_OF(claim, struct destination, claim);
    struct slice name = slice_of(destination->settings.name);
    struct slice paused;
    claim->count = 0;
    claim->next_due_ms = INT64_MAX;
    if (!operate_paused(tx, name, &claim->arena, &paused, err))
        return false;
    claim->is_paused = paused.len > 0;
    if (claim->is_paused)
        return true;
    if (!store_outbox_claim(tx, name, claim->now_ms, claim->busy, claim->busy_count, claim->limit,
                            &claim->arena, &claim->rows, &claim->count, err) ||
        !store_outbox_next_due(tx, name, &claim->next_due_ms, err))
        return false;
    claim->siblings = ARENA_ARRAY(&claim->arena, struct delivery_sibling, claim->count + 1);
    claim->has_sibling = ARENA_ARRAY(&claim->arena, bool, claim->count + 1);
    if (claim->siblings == NULL || claim->has_sibling == NULL)
        return err_fail(err, ERR_TOO_LARGE, "outbox", "the rows do not fit into memory");
    for (unsigned i = 0; i < claim->count; i++)
        if (!find_sibling(claim, tx, i, err))
            return false;
    return true;
}

/* --- the timer ----------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    destination_pump(CONTAINER_OF(timer, struct destination, timer));
}

static void pump_at(struct destination *destination, int64_t due_ms)
{
    int64_t wait_ms = due_ms - clock_wall_ms();
    if (wait_ms < 1)
        wait_ms = 1;
    if (wait_ms > OUTBOX_SLEEP_MAX_MS)
        wait_ms = OUTBOX_SLEEP_MAX_MS;
    uv_timer_start(&destination->timer, on_timer, (uint64_t)wait_ms, 0);
}

/* --- claimed ------------------------------------------------------------------------------- */

static struct run *free_run(struct destination *destination)
{
    for (unsigned i = 0; i < destination->run_count; i++)
        if (destination->runs[i].sm.state == RUN_FREE)
            return &destination->runs[i];
    return NULL;
}

static void plan_next(struct destination *destination, int64_t next_due_ms)
{
    int64_t now_ms = clock_wall_ms();
    if (next_due_ms == INT64_MAX)
        return;
    /* Rows under way are still due in the store, so they can hide the one that falls due next. */
    bool is_hidden = next_due_ms <= now_ms;
    pump_at(destination, is_hidden ? now_ms + OUTBOX_LOOK_AGAIN_MS : next_due_ms);
}

static void on_claimed(struct job *job, const struct err *err)
{
    struct claim *claim = CONTAINER_OF(job, struct claim, job);
    struct destination *destination = CONTAINER_OF(claim, struct destination, claim);
    struct outbox *outbox = destination->outbox;
    bool is_running = outbox->sm.state == PHASE_RUNNING, is_to_start = false;
    if (is_running && err->code == ERR_OK) {
        plan_next(destination, claim->next_due_ms);
        for (unsigned i = 0; i < claim->count; i++) {
            struct run *run = free_run(destination);
            CHECK(run != NULL); /* the claim was limited to the free ones */
            run_claim(run, &claim->rows[i], claim->has_sibling[i] ? &claim->siblings[i] : NULL);
        }
        destination->claimed_ms = clock_wall_ms();
        is_to_start = claim->count > 0;
    } else if (is_running) {
        pump_at(destination, clock_wall_ms() + OUTBOX_LOOK_AGAIN_MS);
    }
    bool has_gone_on = claim->is_woken;
    claim->is_under_way = claim->is_woken = false; /* only now: a pump would reset the rows */
    if (has_gone_on || is_to_start)
        destination_pump(destination);
    outbox_close_if_idle(outbox);
}

/* How many deliveries may be under way now.  While it is not known what the destination can do, one
 * delivery finds it out for all. */
static unsigned allowance(struct destination *destination, int64_t now_ms)
{
    bool was_open = destination->breaker.sm.state == BREAKER_OPEN;
    unsigned limit = breaker_limit(&destination->breaker, now_ms, destination->crowd.limit);
    if (was_open && limit > 0) {
        destination->capability_read_ms = 0; /* the probe asks for /metadata first */
        bucket_empty(&destination->bucket, now_ms);
    }
    if (limit > 1 && destination_capability(destination) == NULL)
        limit = 1;
    return limit;
}

/* A good token is used while the next one is fetched; without one nothing is claimed. */
static bool ready_with_token(struct destination *destination, int64_t now_ms)
{
    struct token_source *tokens = &destination->tokens;
    token_refresh(tokens, now_ms);
    if (token_is_good(tokens, now_ms))
        return true;
    if (tokens->sm.state == TOKEN_IDLE)
        pump_at(destination, tokens->next_try_ms);
    return false;
}

static void on_token(struct token_source *source)
{
    struct destination *destination = CONTAINER_OF(source, struct destination, tokens);
    struct outbox *outbox = destination->outbox;
    bool is_there = token_is_good(source, clock_wall_ms());
    outbox->tokens += is_there;
    outbox->token_failures += !is_there;
    for (unsigned i = 0; i < destination->run_count; i++)
        run_go_on(&destination->runs[i]);
    destination_pump(destination);
}

/* --- turns ------------------------------------------------------------------------------------ */

static struct run *next_queued(struct destination *destination)
{
    struct run *next = NULL;
    for (unsigned i = 0; i < destination->run_count; i++) {
        struct run *run = &destination->runs[i];
        if (run->sm.state == RUN_QUEUED && (next == NULL || run->turn < next->turn))
            next = run;
    }
    return next;
}

void destination_put_back(struct destination *destination)
{
    for (unsigned i = 0; destination->queued > 0 && i < destination->run_count; i++)
        if (destination->runs[i].sm.state == RUN_QUEUED)
            run_put_back(&destination->runs[i]);
}

/* Ten changes are one delivery only while the row is in the store. */
static void put_back_if_old(struct destination *destination, int64_t now_ms)
{
    int64_t age_ms = now_ms - destination->claimed_ms;
    if (destination->queued > 0 && (age_ms < 0 || age_ms > OUTBOX_CLAIMED_MS))
        destination_put_back(destination);
}

/* Those whose turn it is; what they learn at once may change what is allowed. */
static void start_queued(struct destination *destination, int64_t now_ms)
{
    destination->is_starting = true;
    while (destination->queued > 0 && bucket_wait_until(&destination->bucket, now_ms) == 0 &&
           destination->borne < allowance(destination, now_ms))
        run_start(next_queued(destination));
    destination->is_starting = false;
}

/* Few at a time is one look at the store for each; many ahead are old when their turn comes. */
static unsigned rows_to_claim(const struct destination *destination, unsigned allowed)
{
    unsigned wanted = allowed > 1 ? allowed * OUTBOX_RUNS_PER_IN_FLIGHT : allowed;
    unsigned have = destination->borne + destination->queued;
    unsigned free = destination->run_count - destination->under_way;
    if (have >= wanted || destination->queued > allowed / 2)
        return 0;
    return wanted - have < free ? wanted - have : free;
}

void destination_pump(struct destination *destination)
{
    struct outbox *outbox = destination->outbox;
    struct claim *claim = &destination->claim;
    int64_t now_ms = clock_wall_ms();
    if (outbox->sm.state != PHASE_RUNNING || destination->is_starting)
        return;
    put_back_if_old(destination, now_ms);
    if (now_ms < destination->hold_until_ms) {
        pump_at(destination, destination->hold_until_ms);
        return;
    }
    if (destination->is_smart && !ready_with_token(destination, now_ms))
        return;
    start_queued(destination, now_ms);
    if (claim->is_under_way) {
        claim->is_woken = true;
        return;
    }
    if (destination->check.is_under_way)
        return; /* two looks at the store might take the same patient; its end calls again */
    int64_t rate_until_ms = bucket_wait_until(&destination->bucket, now_ms);
    if (rate_until_ms != 0) {
        pump_at(destination, rate_until_ms);
        return;
    }
    claim->limit = rows_to_claim(destination, allowance(destination, now_ms));
    if (claim->limit == 0) {
        if (destination->breaker.sm.state == BREAKER_OPEN)
            pump_at(destination, destination->breaker.until_ms);
        return; /* otherwise the end of a run calls again */
    }
    arena_reset(&claim->arena);
    claim->now_ms = now_ms;
    claim->busy_count = 0;
    for (unsigned i = 0; i < destination->run_count; i++)
        if (destination->runs[i].sm.state != RUN_FREE)
            claim->busy[claim->busy_count++] = destination->runs[i].claimed.patient;
    claim->job = (struct job){ .run = claim_job, .done = on_claimed, .is_read_only = true };
    struct err err;
    claim->is_under_way = lane_submit(outbox->lane, outbox->loop, &claim->job, &err);
    if (!claim->is_under_way)
        pump_at(destination, now_ms + OUTBOX_LANE_RETRY_MS);
}

void destination_unburden(struct destination *destination, struct run *run)
{
    destination->borne -= run->is_borne;
    run->is_borne = false;
}

void destination_run_ended(struct destination *destination)
{
    destination->under_way--;
    if (destination->outbox->sm.state == PHASE_RUNNING)
        destination_pump(destination);
    else
        outbox_close_if_idle(destination->outbox);
}

/* --- channels (the lane) ------------------------------------------------------------------- */

static bool channels_run(struct job *job, struct store_tx *tx, struct err *err)
{
    struct channels_job *mine = CONTAINER_OF(job, struct channels_job, job);
    struct destination *destination = CONTAINER_OF(mine, struct destination, channels_job);
    if (!operate_channels(tx, slice_of(destination->settings.name), mine->channels, mine->now_ms,
                          &mine->arena, &mine->count, err))
        return false;
    /* On the lane: no row is written by the old channels after those were looked through. */
    if (destination->settings.channels != NULL)
        *destination->settings.channels = mine->channels;
    return true;
}

static void on_channels(struct job *job, const struct err *err)
{
    struct channels_job *mine = CONTAINER_OF(job, struct channels_job, job);
    struct destination *destination = CONTAINER_OF(mine, struct destination, channels_job);
    mine->is_under_way = false;
    arena_reset(&mine->arena);
    if (err->code == ERR_OK) {
        destination->channels = mine->channels;
        destination->has_channels = true;
    }
    if (err->code == ERR_OK && mine->count > 0)
        destination_pump(destination);
    outbox_close_if_idle(destination->outbox);
}

/* When the lane has no room, the next statement, in an hour at most, will do. */
void destination_note_channels(struct destination *destination)
{
    struct channels_job *mine = &destination->channels_job;
    const struct delivery_site *site = &destination->site;
    unsigned channels = ladder_choose(&site->ladder, &destination->capability, &site->message);
    bool is_known = destination->has_channels && destination->channels == channels;
    struct err ignored;
    if (site->ladder.count == 0 || is_known || mine->is_under_way)
        return;
    mine->channels = channels;
    mine->now_ms = clock_wall_ms();
    mine->job = (struct job){ .run = channels_run, .done = on_channels };
    mine->is_under_way =
        lane_submit(destination->outbox->lane, destination->outbox->loop, &mine->job, &ignored);
}

/* --- what it offers, and who we are to it -------------------------------------------------- */

const struct capability *destination_capability(struct destination *destination)
{
    int64_t age_ms = clock_wall_ms() - destination->capability_read_ms;
    bool is_fresh =
        destination->capability_read_ms != 0 && age_ms >= 0 && age_ms < OUTBOX_CAPABILITY_FRESH_MS;
    return is_fresh ? &destination->capability : NULL;
}

bool destination_read_token(struct destination *destination, struct err *err)
{
    const char *path = destination->settings.bearer_file;
    if (path == NULL)
        return true;
    return token_file_read(path, destination->token, err);
}

/* --- life ---------------------------------------------------------------------------------- */

static bool file_opens(const char *path, const char *what, struct err *err)
{
    if (path == NULL)
        return true;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return err_fail(err, ERR_INVALID, path, "the %s file cannot be read", what);
    fclose(file);
    return true;
}

static bool settings_hold(const struct destination_settings *settings, struct err *err)
{
    if (!slice_starts(slice_of(settings->base_url), SLICE("https://")))
        return err_fail(err, ERR_INVALID, settings->name, "base_url must begin with https://");
    return file_opens(settings->ca_file, "CA", err) &&
           file_opens(settings->certificate_file, "certificate", err) &&
           file_opens(settings->key_file, "key", err);
}

bool destination_open(struct destination *destination, struct outbox *outbox,
                      const struct destination_settings *settings, struct err *err)
{
    struct destination_settings *own = &destination->settings;
    destination->outbox = outbox;
    *own = *settings;
    if (own->in_flight_max == 0)
        own->in_flight_max = OUTBOX_IN_FLIGHT;
    if (own->in_flight_max > OUTBOX_IN_FLIGHT_MAX)
        own->in_flight_max = OUTBOX_IN_FLIGHT_MAX;
    destination->site = (struct delivery_site){ .system = slice_of(outbox->instance),
                                                .base = slice_of(own->base_url),
                                                .ladder = own->ladder,
                                                .message = own->message,
                                                .message_delay_ms = own->message_delay_ms };
    struct slice *base = &destination->site.base;
    while (base->len > 0 && base->at[base->len - 1] == '/')
        base->len--;
    if (own->check_per_minute == 0)
        own->check_per_minute = OUTBOX_CHECKS_PER_MINUTE;
    if (own->timeout_ms == 0)
        own->timeout_ms = OUTBOX_TIMEOUT_MS;
    breaker_init(&destination->breaker, outbox->pace_permille);
    crowd_init(&destination->crowd, own->in_flight_max);
    bucket_init(&destination->bucket, &own->rate, clock_wall_ms());
    arena_init(&destination->claim.arena, OUTBOX_SCRATCH_MAX);
    arena_init(&destination->channels_job.arena, OUTBOX_SCRATCH_MAX);
    arena_init(&destination->check.arena, OUTBOX_SCRATCH_MAX);
    if (own->bearer_file != NULL)
        destination->token = pool_new(OUTBOX_TOKEN_MAX);
    if (!settings_hold(own, err) || !destination_read_token(destination, err))
        return false;
    destination->is_smart = own->smart.client_id != NULL;
    if (destination->is_smart &&
        !token_source_open(&destination->tokens, own, outbox->user_agent, err))
        return false;
    destination->tokens.transport = &outbox->transport;
    destination->tokens.on_done = on_token;
    unsigned runs = own->in_flight_max * OUTBOX_RUNS_PER_IN_FLIGHT;
    if (runs > OUTBOX_RUNS_MAX)
        runs = OUTBOX_RUNS_MAX;
    for (; destination->run_count < runs; destination->run_count++)
        if (!run_init(&destination->runs[destination->run_count], destination, err))
            return false;
    return true;
}

void destination_start(struct destination *destination)
{
    uv_loop_t *uv = loop_uv(destination->outbox->loop);
    CHECK(uv_timer_init(uv, &destination->timer) == 0);
    CHECK(uv_timer_init(uv, &destination->check_timer) == 0);
}

void destination_close(struct destination *destination)
{
    for (unsigned i = 0; i < destination->run_count; i++)
        run_fini(&destination->runs[i]);
    if (destination->is_smart)
        token_source_close(&destination->tokens);
    arena_fini(&destination->claim.arena);
    arena_fini(&destination->channels_job.arena);
    arena_fini(&destination->check.arena);
    pool_free(destination->token);
}
