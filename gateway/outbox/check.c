/* outbox/check.c -- looks again at what is settled, one record after the other, all the time.
 *
 * A round goes through the rows by key; where it stands is a setting in the store, written in the
 * transaction that picks the row, so a restart goes on with the next.  A check takes a turn as a
 * delivery does, and only where none waits.  What it finds: delivery_check.c. */
#include <inttypes.h>

#include "base/text.h"
#include "outbox/operate.h"
#include "outbox/outbox_int.h"

#define PAGE_ROWS 100
#define PAGES_MAX 10 /* of one look: the lane has others to serve */
#define BUSY_MS 1000 /* a delivery goes first */
#define ROUND_OVER (-1)

struct stand {
    int64_t after; /* key of the row that was looked at last; ROUND_OVER */
    int64_t begun_ms;
};

/* --- picking (the lane) ---------------------------------------------------------------------- */

static struct slice stand_name(const struct destination *destination, struct arena *arena)
{
    return arena_format(arena, "outbox.check.%s", destination->settings.name);
}

static bool read_stand(struct destination *destination, struct store_tx *tx, struct stand *out,
                       struct err *err)
{
    struct arena *arena = &destination->check.arena;
    struct slice text;
    char copy[64];
    if (!store_setting_get(tx, stand_name(destination, arena), arena, &text, err))
        return false;
    snprintf(copy, sizeof copy, "%.*s", SLICE_ARGS(text));
    if (sscanf(copy, "%" SCNd64 " %" SCNd64, &out->after, &out->begun_ms) != 2)
        *out = (struct stand){ 0, destination->check.now_ms };
    return true;
}

static bool write_stand(struct destination *destination, struct store_tx *tx,
                        const struct stand *stand, struct err *err)
{
    char bytes[64];
    struct text text = TEXT(bytes);
    text_add(&text, "%" PRId64 " %" PRId64, stand->after, stand->begun_ms);
    return store_setting_put(tx, stand_name(destination, &destination->check.arena),
                             text_slice(&text), err);
}

/* A message was said, and nobody edits it; a Provenance speaks of another. */
static bool is_looked_at(const struct destination *destination, const struct outbox_row *row)
{
    bool is_record = row->kind == POSTING_FLAG || row->kind == POSTING_CARE_PLAN ||
                     row->kind == POSTING_DOCUMENT;
    return is_record && row->wish == WISH_HOLD && row->target_id.len > 0 &&
           slice_is(row->destination, destination->settings.name);
}

static bool pick(struct destination *destination, struct store_tx *tx, struct stand *stand,
                 struct err *err)
{
    struct check *check = &destination->check;
    unsigned count = PAGE_ROWS;
    for (unsigned page = 0; page < PAGES_MAX && count == PAGE_ROWS; page++) {
        struct outbox_row *rows;
        if (!store_outbox_list(tx, OUTBOX_SETTLED, stand->after, PAGE_ROWS, &check->arena, &rows,
                               &count, err))
            return false;
        for (unsigned i = 0; i < count; i++) {
            stand->after = rows[i].key;
            if (!is_looked_at(destination, &rows[i]))
                continue;
            check->row = rows[i];
            check->has_row = true;
            return true;
        }
    }
    if (count < PAGE_ROWS)
        stand->after = ROUND_OVER;
    return true;
}

static bool check_job(struct job *job, struct store_tx *tx, struct err *err)
{
    struct check *check = CONTAINER_OF(job, struct check, job);
    struct destination *destination = CONTAINER_OF(check, struct destination, check);
    int64_t every_ms = destination->settings.check_every_s * INT64_C(1000);
    struct stand stand;
    struct slice paused;
    check->has_row = false;
    check->next_ms = check->now_ms + OUTBOX_SLEEP_MAX_MS;
    if (!operate_paused(tx, slice_of(destination->settings.name), &check->arena, &paused, err) ||
        !read_stand(destination, tx, &stand, err))
        return false;
    if (paused.len > 0)
        return true;
    if (stand.after == ROUND_OVER && check->now_ms < stand.begun_ms + every_ms) {
        check->next_ms = stand.begun_ms + every_ms;
        return true;
    }
    if (stand.after == ROUND_OVER)
        stand = (struct stand){ 0, check->now_ms };
    check->next_ms = check->now_ms;
    return pick(destination, tx, &stand, err) && write_stand(destination, tx, &stand, err);
}

/* --- the loop -------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    destination_check(CONTAINER_OF(timer, struct destination, check_timer));
}

static void check_at(struct destination *destination, int64_t due_ms)
{
    int64_t least_ms = 60000 / destination->settings.check_per_minute;
    int64_t wait_ms = due_ms - clock_wall_ms();
    wait_ms = wait_ms < least_ms ? least_ms : wait_ms;
    wait_ms = wait_ms > OUTBOX_SLEEP_MAX_MS ? OUTBOX_SLEEP_MAX_MS : wait_ms;
    uv_timer_start(&destination->check_timer, on_timer, (uint64_t)wait_ms, 0);
}

static struct run *free_run_for(struct destination *destination, int64_t patient)
{
    struct run *found = NULL;
    for (unsigned i = 0; i < destination->run_count; i++) {
        struct run *run = &destination->runs[i];
        if (run->sm.state == RUN_FREE)
            found = run;
        else if (run->claimed.patient == patient)
            return NULL; /* the record is being written: it is looked at in the next round */
    }
    return found;
}

static void on_picked(struct job *job, const struct err *err)
{
    struct check *check = CONTAINER_OF(job, struct check, job);
    struct destination *destination = CONTAINER_OF(check, struct destination, check);
    struct outbox *outbox = destination->outbox;
    bool is_running = outbox->sm.state == PHASE_RUNNING;
    check->is_under_way = false;
    if (is_running && err->code == ERR_OK && check->has_row) {
        struct run *run = free_run_for(destination, check->row.patient);
        if (run != NULL)
            run_look_again(run, &check->row);
    }
    if (is_running) {
        check_at(destination, err->code == ERR_OK ? check->next_ms : clock_wall_ms() + BUSY_MS);
        destination_pump(destination); /* it may have waited for this */
    }
    outbox_close_if_idle(outbox);
}

static bool is_idle(struct destination *destination, int64_t now_ms)
{
    bool has_token = !destination->is_smart || token_is_good(&destination->tokens, now_ms);
    return has_token && now_ms >= destination->hold_until_ms && !destination->claim.is_under_way &&
           destination->queued == 0 && destination->borne == 0 &&
           destination->breaker.sm.state == BREAKER_CLOSED &&
           bucket_wait_until(&destination->bucket, now_ms) == 0;
}

void destination_check(struct destination *destination)
{
    struct outbox *outbox = destination->outbox;
    struct check *check = &destination->check;
    struct err ignored;
    int64_t now_ms = clock_wall_ms();
    if (outbox->sm.state != PHASE_RUNNING || destination->settings.check_every_s == 0 ||
        check->is_under_way)
        return;
    if (is_idle(destination, now_ms)) {
        arena_reset(&check->arena);
        check->now_ms = now_ms;
        check->job = (struct job){ .run = check_job, .done = on_picked };
        check->is_under_way = lane_submit(outbox->lane, outbox->loop, &check->job, &ignored);
    }
    if (!check->is_under_way)
        check_at(destination, now_ms + BUSY_MS);
}
