/* outbox/outbox.c -- the outbox loop: start, wake, stop.
 *
 *   RUNNING -- outbox_stop() --> DRAINING -- grace is over --> ABORTING -- all saved --> CLOSING
 *                                    +------- nothing under way --------------------------^
 */
#include "outbox/outbox.h"

#include "base/pool.h"
#include "outbox/outbox_int.h"

/* clang-format off */
static const struct sm_row phase_rows[] = {
    [PHASE_RUNNING]  = { "running",  SM_TO(PHASE_DRAINING) },
    [PHASE_DRAINING] = { "draining", SM_TO(PHASE_ABORTING) | SM_TO(PHASE_CLOSING) },
    [PHASE_ABORTING] = { "aborting", SM_TO(PHASE_CLOSING) },
    [PHASE_CLOSING]  = { "closing",  0 },
};
/* clang-format on */

static void phase_check(const struct sm *sm)
{
    const struct outbox *outbox = CONTAINER_OF(sm, struct outbox, sm);
    if (sm->state != PHASE_CLOSING)
        return;
    for (unsigned i = 0; i < outbox->destination_count; i++)
        CHECK(outbox->destinations[i].under_way == 0);
}

/* --- small services ------------------------------------------------------------------------ */

/* splitmix64: for jitter and request ids, which need not be secret. */
uint64_t outbox_random(struct outbox *outbox)
{
    uint64_t z = outbox->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

struct delivery_moment outbox_moment(const struct destination *destination)
{
    struct outbox *outbox = destination->outbox;
    return (struct delivery_moment){
        .now_ms = clock_wall_ms(),
        .horizon_ms = destination->settings.horizon_ms,
        .next_day_ms = bucket_next_day_ms(&destination->settings.rate, clock_wall_ms()),
        .jitter = (uint32_t)(outbox_random(outbox) >> 32),
        .pace_permille = outbox->pace_permille,
    };
}

static void on_lane_timer(uv_timer_t *timer)
{
    struct outbox *outbox = CONTAINER_OF(timer, struct outbox, lane_timer);
    struct run *waiting = outbox->waiting;
    outbox->waiting = NULL;
    while (waiting != NULL) {
        struct run *next = waiting->next_waiting;
        run_save_again(waiting);
        waiting = next;
    }
}

void outbox_wait_for_lane(struct outbox *outbox, struct run *run)
{
    run->next_waiting = outbox->waiting;
    outbox->waiting = run;
    uv_timer_start(&outbox->lane_timer, on_lane_timer, OUTBOX_LANE_RETRY_MS, 0);
}

/* --- wake ---------------------------------------------------------------------------------- */

static void pump_all(struct outbox *outbox)
{
    for (unsigned i = 0; i < outbox->destination_count; i++)
        destination_pump(&outbox->destinations[i]);
}

static void on_wake(struct loop_task *task)
{
    struct outbox *outbox = CONTAINER_OF(task, struct outbox, wake_task);
    atomic_flag_clear(&outbox->is_woken); /* before looking: what comes now wakes again */
    pump_all(outbox);
}

void outbox_wake(struct outbox *outbox)
{
    if (!atomic_flag_test_and_set(&outbox->is_woken))
        loop_post(outbox->loop, &outbox->wake_task);
}

/* --- stop ---------------------------------------------------------------------------------- */

void outbox_close_if_idle(struct outbox *outbox)
{
    if (outbox->sm.state != PHASE_DRAINING && outbox->sm.state != PHASE_ABORTING)
        return;
    for (unsigned i = 0; i < outbox->destination_count; i++)
        if (outbox->destinations[i].under_way > 0 || outbox->destinations[i].claim.is_under_way ||
            outbox->destinations[i].channels_job.is_under_way ||
            outbox->destinations[i].check.is_under_way)
            return;
    for (unsigned i = 0; i < outbox->destination_count; i++)
        if (outbox->destinations[i].is_smart)
            token_abort(&outbox->destinations[i].tokens);
    sm_move(&outbox->sm, PHASE_CLOSING);
    for (unsigned i = 0; i < outbox->destination_count; i++) {
        uv_close((uv_handle_t *)&outbox->destinations[i].timer, NULL);
        uv_close((uv_handle_t *)&outbox->destinations[i].check_timer, NULL);
    }
    uv_close((uv_handle_t *)&outbox->grace_timer, NULL);
    uv_close((uv_handle_t *)&outbox->lane_timer, NULL);
    transport_close(&outbox->transport);
    loop_stop(outbox->loop);
}

static void on_grace_over(uv_timer_t *timer)
{
    struct outbox *outbox = CONTAINER_OF(timer, struct outbox, grace_timer);
    if (outbox->sm.state != PHASE_DRAINING)
        return;
    sm_move(&outbox->sm, PHASE_ABORTING);
    for (unsigned i = 0; i < outbox->destination_count; i++)
        for (unsigned k = 0; k < outbox->destinations[i].run_count; k++)
            run_abort(&outbox->destinations[i].runs[k]);
}

static void on_stop(struct loop_task *task)
{
    struct outbox *outbox = CONTAINER_OF(task, struct outbox, stop_task);
    sm_move(&outbox->sm, PHASE_DRAINING);
    for (unsigned i = 0; i < outbox->destination_count; i++) {
        uv_timer_stop(&outbox->destinations[i].timer);
        uv_timer_stop(&outbox->destinations[i].check_timer);
        destination_put_back(&outbox->destinations[i]);
    }
    uv_timer_start(&outbox->grace_timer, on_grace_over, outbox->grace_ms, 0);
    outbox_close_if_idle(outbox);
}

/* --- life ---------------------------------------------------------------------------------- */

static void outbox_free(struct outbox *outbox)
{
    for (unsigned i = 0; i < outbox->destination_count; i++)
        destination_close(&outbox->destinations[i]);
    pool_free(outbox->destinations);
    arena_fini(&outbox->arena);
    if (outbox->loop != NULL)
        loop_close(outbox->loop);
    pool_free(outbox);
    curl_global_cleanup();
}

void outbox_stop(struct outbox *outbox, unsigned grace_ms)
{
    outbox->grace_ms = grace_ms;
    loop_post(outbox->loop, &outbox->stop_task);
    loop_join(outbox->loop);
    outbox_free(outbox);
}

static void on_start(void *arg)
{
    struct outbox *outbox = arg;
    pump_all(outbox);
    for (unsigned i = 0; i < outbox->destination_count; i++)
        destination_check(&outbox->destinations[i]);
}

static const char *copy_text(struct outbox *outbox, const char *text)
{
    return text != NULL ? arena_copy(&outbox->arena, slice_of(text)).at : NULL;
}

static struct destination_settings copy_settings(struct outbox *outbox,
                                                 const struct destination_settings *from)
{
    struct destination_settings copy = *from;
    copy.name = copy_text(outbox, from->name);
    copy.tenant = copy_text(outbox, from->tenant);
    copy.base_url = copy_text(outbox, from->base_url);
    copy.ca_file = copy_text(outbox, from->ca_file);
    copy.certificate_file = copy_text(outbox, from->certificate_file);
    copy.key_file = copy_text(outbox, from->key_file);
    copy.bearer_file = copy_text(outbox, from->bearer_file);
    copy.smart.client_id = copy_text(outbox, from->smart.client_id);
    copy.smart.scope = copy_text(outbox, from->smart.scope);
    copy.smart.token_url = copy_text(outbox, from->smart.token_url);
    copy.smart.secret_file = copy_text(outbox, from->smart.secret_file);
    copy.message.sender = arena_copy(&outbox->arena, from->message.sender);
    copy.message.author = arena_copy(&outbox->arena, from->message.author);
    copy.message.document_type = arena_copy(&outbox->arena, from->message.document_type);
    copy.message.device = slice_of(outbox->user_agent);
    for (unsigned i = 0; i < from->message.recipient_count; i++)
        copy.message.recipients[i] = arena_copy(&outbox->arena, from->message.recipients[i]);
    return copy;
}

static bool open_parts(struct outbox *outbox, const struct outbox_settings *settings,
                       struct err *err)
{
    outbox->destinations =
        pool_new(sizeof *outbox->destinations * (settings->destination_count + 1));
    for (unsigned i = 0; i < settings->destination_count; i++) {
        struct destination_settings copy = copy_settings(outbox, &settings->destinations[i]);
        outbox->destination_count++; /* closed with the rest if it does not open */
        if (!destination_open(&outbox->destinations[i], outbox, &copy, err))
            return false;
    }
    /* The loop comes last: until here nothing hangs on it that would have to be closed by it. */
    return loop_open("outbox", &outbox->loop, err);
}

static void start_handles(struct outbox *outbox)
{
    uv_loop_t *uv = loop_uv(outbox->loop);
    CHECK(uv_timer_init(uv, &outbox->grace_timer) == 0);
    CHECK(uv_timer_init(uv, &outbox->lane_timer) == 0);
    for (unsigned i = 0; i < outbox->destination_count; i++)
        destination_start(&outbox->destinations[i]);
    outbox->wake_task.run = on_wake;
    outbox->stop_task.run = on_stop;
}

bool outbox_start(const struct outbox_settings *settings, struct outbox **out, struct err *err)
{
    CHECK(settings->lane != NULL);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_fail(err, ERR_STORAGE, "outbox", "libcurl does not start");
    struct outbox *outbox = pool_new(sizeof *outbox);
    outbox->sm = (struct sm){ "outbox", phase_rows, phase_check, PHASE_RUNNING };
    outbox->lane = settings->lane;
    outbox->random = settings->jitter_seed;
    outbox->pace_permille = settings->pace_permille != 0 ? settings->pace_permille : 1000;
    arena_init(&outbox->arena, OUTBOX_SCRATCH_MAX);
    outbox->instance = copy_text(outbox, settings->instance);
    outbox->user_agent = copy_text(outbox, settings->user_agent);
    atomic_flag_clear(&outbox->is_woken);
    if (!open_parts(outbox, settings, err) ||
        !transport_open(&outbox->transport, loop_uv(outbox->loop), err)) {
        outbox_free(outbox);
        return false;
    }
    start_handles(outbox);
    if (!loop_start(outbox->loop, on_start, outbox, err)) {
        sm_move(&outbox->sm, PHASE_DRAINING);
        outbox_close_if_idle(outbox); /* loop_close() lets the handles end */
        outbox_free(outbox);
        return false;
    }
    *out = outbox;
    return true;
}

unsigned outbox_kinds(const struct destination_settings *settings)
{
    unsigned kinds = ladder_kinds(&settings->ladder);
    if (settings->message.recipient_count == 0)
        kinds &= ~POSTING_BIT(POSTING_COMMUNICATION);
    if (settings->wants_provenance)
        kinds |= POSTING_BIT(POSTING_PROVENANCE);
    return kinds;
}

struct outbox_counts outbox_counts(struct outbox *outbox)
{
    return (struct outbox_counts){
        .sent = outbox->sent,
        .settled = outbox->settled,
        .retried = outbox->retried,
        .dead = outbox->dead,
        .reconciled = outbox->reconciled,
        .duplicates = outbox->duplicates,
        .tokens = outbox->tokens,
        .token_failures = outbox->token_failures,
        .checked = outbox->checked,
        .edited = outbox->edited,
        .deleted = outbox->deleted,
    };
}
