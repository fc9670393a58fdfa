/* The lane under load: jobs from several loops, some of which fail, and a commit that fails; every
 * job is completed exactly once, on the loop it came from, and what it was told is true. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <uv.h>

#include "base/pool.h"
#include "store/lane.h"
#include "store/ledger.h"
#include "support/store_fault.h"

#define LOOPS 4
#define JOBS_PER_LOOP 2500
#define JOBS (LOOPS * JOBS_PER_LOOP)
#define IN_FLIGHT 50 /* per loop */

enum kind { WRITES, FAILS_FIRST, FAILS_LATE, READS };

struct order {
    struct job job;
    struct source *source;
    enum kind kind;
    int64_t key;
    unsigned completions;
    enum err_code told;
};

/* One loop and its jobs. */
struct source {
    struct hall *hall;
    struct loop *loop;
    struct order *orders;
    unsigned submitted, completed, refused;
    uv_thread_t thread;
    bool is_foreign; /* a completion came on another thread */
};

struct hall {
    char folder[64], path[96];
    struct store *store;
    struct store_fault fault;
    struct lane *lane;
    struct source sources[LOOPS];
};

/* --- jobs --------------------------------------------------------------------------------- */

static bool write_row(struct order *order, struct store_tx *tx, struct err *err)
{
    const struct store_resource row = {
        .key = order->key, .tenant = 1, .type = FHIR_CONDITION, .version = 1, .body = SLICE("body")
    };
    const struct audit_record record = { .kind = AUDIT_REQUEST, .outcome = "success" };
    return store_resource_insert(tx, &row, err) && ledger_append(tx, &record, err);
}

static bool run_order(struct job *job, struct store_tx *tx, struct err *err)
{
    struct order *order = CONTAINER_OF(job, struct order, job);
    struct store_figures figures;
    switch (order->kind) {
    case FAILS_FIRST:
        return err_fail(err, ERR_INVALID, "test", "refused before it wrote");
    case FAILS_LATE:
        return write_row(order, tx, err) &&
               err_fail(err, ERR_INVALID, "test", "refused after it wrote");
    case READS:
        return store_figures(tx, &figures, err);
    case WRITES:
    default:
        /* What it got over on its way must not count against it. */
        (void)err_fail(err, ERR_NOT_FOUND, "test", "looked in vain");
        return write_row(order, tx, err);
    }
}

static void submit_next(struct source *source);

static void on_done(struct job *job, const struct err *err)
{
    struct order *order = CONTAINER_OF(job, struct order, job);
    struct source *source = order->source;
    uv_thread_t here = uv_thread_self();
    if (!uv_thread_equal(&here, &source->thread))
        source->is_foreign = true;
    order->completions++;
    order->told = err->code;
    if (++source->completed == JOBS_PER_LOOP)
        loop_stop(source->loop);
    else
        submit_next(source);
}

static void submit_next(struct source *source)
{
    struct err err;
    if (source->submitted == JOBS_PER_LOOP)
        return;
    struct order *order = &source->orders[source->submitted++];
    if (!lane_submit(source->hall->lane, source->loop, &order->job, &err)) {
        source->refused++;
        source->submitted--;
    }
}

static void on_start(void *arg)
{
    struct source *source = arg;
    source->thread = uv_thread_self();
    for (unsigned i = 0; i < IN_FLIGHT; i++)
        submit_next(source);
}

/* --- the hall ----------------------------------------------------------------------------- */

static void open_hall(struct hall *hall, bool is_durable, const struct lane_settings *settings)
{
    struct err err;
    memset(hall, 0, sizeof *hall);
    snprintf(hall->folder, sizeof hall->folder, "/tmp/lifeline-lane-XXXXXX");
    assert_non_null(mkdtemp(hall->folder));
    snprintf(hall->path, sizeof hall->path, "%s/store.db", hall->folder);
    const struct store_settings store = { .path = is_durable ? hall->path : NULL };
    assert_true(store_open(&store, &hall->store, &err));
    store_fault_install(&hall->fault, hall->store);
    assert_true(lane_start(hall->store, settings, &hall->lane, &err));
}

static void close_hall(struct hall *hall)
{
    store_fault_remove(&hall->fault, hall->store);
    store_close(hall->store);
    unlink(hall->path);
    rmdir(hall->folder);
}

static void run_sources(struct hall *hall)
{
    struct err err;
    for (unsigned i = 0; i < LOOPS; i++) {
        struct source *source = &hall->sources[i];
        source->hall = hall;
        source->orders = pool_new(JOBS_PER_LOOP * sizeof *source->orders);
        for (unsigned j = 0; j < JOBS_PER_LOOP; j++) {
            struct order *order = &source->orders[j];
            order->source = source;
            order->kind = j % 20 == 3    ? FAILS_FIRST
                          : j % 20 == 13 ? FAILS_LATE
                          : j % 20 == 7  ? READS
                                         : WRITES;
            order->key = store_key_reserve(hall->store, 1);
            order->job = (struct job){ .run = run_order,
                                       .done = on_done,
                                       .is_read_only = order->kind == READS };
        }
        assert_true(loop_open("source", &source->loop, &err));
        assert_true(loop_start(source->loop, on_start, source, &err));
    }
    for (unsigned i = 0; i < LOOPS; i++)
        loop_join(hall->sources[i].loop);
}

/* What each job was told, against what the store holds. */
static void check_orders(struct hall *hall, unsigned *storage_failures)
{
    struct store_tx *tx;
    struct err err;
    struct arena arena;
    int64_t written = 0;
    arena_init(&arena, (size_t)64 << 20);
    assert_true(store_tx_open(hall->store, &tx, &err));
    assert_true(store_begin(tx, &err));
    for (unsigned i = 0; i < JOBS; i++) {
        const struct order *order = &hall->sources[i / JOBS_PER_LOOP].orders[i % JOBS_PER_LOOP];
        struct store_resource row;
        bool found = false;
        assert_int_equal(order->completions, 1);
        assert_true(store_resource_get(tx, order->key, false, &arena, &row, &found, &err));
        if (order->told == ERR_STORAGE)
            (*storage_failures)++;
        else
            assert_int_equal(order->told, order->kind == FAILS_FIRST || order->kind == FAILS_LATE
                                              ? ERR_INVALID
                                              : ERR_OK);
        assert_int_equal(found, order->told == ERR_OK && order->kind == WRITES);
        written += found;
    }
    struct audit_verifier verifier;
    assert_true(ledger_verify(tx, NULL, &verifier, &err));
    assert_int_equal(verifier.fault, AUDIT_OK);
    assert_int_equal(verifier.records, written);
    store_tx_close(tx);
    arena_fini(&arena);
}

static void close_sources(struct hall *hall)
{
    for (unsigned i = 0; i < LOOPS; i++) {
        assert_false(hall->sources[i].is_foreign);
        assert_int_equal(hall->sources[i].refused, 0);
        loop_close(hall->sources[i].loop);
        pool_free(hall->sources[i].orders);
    }
}

/* --- stories ------------------------------------------------------------------------------ */

struct story {
    const char *name;
    bool is_durable;
    const char *failing; /* the call that fails once, in the middle */
    unsigned batch_max;
};

static const struct story stories[] = {
    { "memory: 10,000 jobs, one in ten failing", false, NULL, 64 },
    { "sqlite: 10,000 jobs, one in ten failing", true, NULL, 64 },
    { "sqlite: one commit fails, and its jobs with it", true, "commit", 64 },
    { "sqlite: one begin fails, and its jobs with it", true, "begin", 64 },
    { "sqlite: the disk fails one write, and the batch with it", true, "resource_insert", 64 },
    { "memory: one commit fails, and its jobs with it", false, "commit", 64 },
    { "memory: jobs that are alone need no savepoint", false, NULL, 1 },
    { "memory: one commit of one job fails", false, "commit", 1 },
};

static void every_job_completes_once(void **state)
{
    const struct story *story = *state;
    const struct lane_settings settings = { .queue_max = LOOPS * IN_FLIGHT,
                                            .batch_max = story->batch_max };
    struct hall hall;
    unsigned storage_failures = 0;
    open_hall(&hall, story->is_durable, &settings);
    if (story->failing != NULL)
        store_fault_arm(&hall.fault, 20, ERR_STORAGE, story->failing);
    run_sources(&hall);
    struct lane_counts counts = lane_counts(hall.lane);
    lane_stop(hall.lane);
    store_fault_arm(&hall.fault, 0, ERR_OK, NULL);
    check_orders(&hall, &storage_failures);
    assert_int_equal(counts.queued, 0);
    assert_int_equal(counts.refused, 0);
    assert_int_equal(counts.failed_batches, story->failing != NULL);
    assert_in_range(counts.batches, JOBS / story->batch_max, JOBS);
    if (story->failing == NULL)
        assert_int_equal(storage_failures, 0);
    else
        assert_in_range(storage_failures, 1, story->batch_max);
    print_message("  %llu batches, %u jobs lost to the fault\n", (unsigned long long)counts.batches,
                  storage_failures);
    close_sources(&hall);
    close_hall(&hall);
}

/* --- a full queue, and a stop ------------------------------------------------------------- */

struct gate {
    uv_sem_t entered, open;
};

struct waiting {
    struct job job;
    struct gate *gate;
    unsigned completions;
    enum err_code told;
};

static bool wait_at_gate(struct job *job, struct store_tx *tx, struct err *err)
{
    (void)tx;
    (void)err;
    struct gate *gate = CONTAINER_OF(job, struct waiting, job)->gate;
    if (gate != NULL) {
        uv_sem_post(&gate->entered);
        uv_sem_wait(&gate->open);
    }
    return true;
}

static void on_waited(struct job *job, const struct err *err)
{
    struct waiting *waiting = CONTAINER_OF(job, struct waiting, job);
    waiting->completions++;
    waiting->told = err->code;
}

static void full_queue_is_refused_at_once(void **state)
{
    (void)state;
    const struct lane_settings settings = { .queue_max = 3, .batch_max = 10 };
    struct hall hall;
    struct gate gate;
    struct loop *loop;
    struct waiting waiting[5];
    struct err err;
    memset(waiting, 0, sizeof waiting);
    assert_int_equal(uv_sem_init(&gate.entered, 0), 0);
    assert_int_equal(uv_sem_init(&gate.open, 0), 0);
    open_hall(&hall, false, &settings);
    assert_true(loop_open("home", &loop, &err));
    assert_true(loop_start(loop, NULL, NULL, &err));
    for (unsigned i = 0; i < 5; i++) {
        waiting[i].job = (struct job){ .run = wait_at_gate, .done = on_waited };
        waiting[i].gate = i == 0 ? &gate : NULL;
        bool is_accepted = lane_submit(hall.lane, loop, &waiting[i].job, &err);
        assert_int_equal(is_accepted, i < 4); /* one runs, three wait */
        if (i == 0)
            uv_sem_wait(&gate.entered);
    }
    assert_int_equal(err.code, ERR_BUSY);
    assert_int_equal(lane_counts(hall.lane).queued, 3);
    assert_int_equal(lane_counts(hall.lane).refused, 1);
    uv_sem_post(&gate.open);
    lane_stop(hall.lane); /* runs what is queued */
    loop_stop(loop);
    loop_join(loop);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(waiting[i].completions, i < 4);
        assert_int_equal(waiting[i].told, ERR_OK);
    }
    loop_close(loop);
    close_hall(&hall);
    uv_sem_destroy(&gate.entered);
    uv_sem_destroy(&gate.open);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(stories) + 1];
    for (size_t i = 0; i < COUNT_OF(stories); i++)
        tests[i] = (struct CMUnitTest){ .name = stories[i].name,
                                        .test_func = every_job_completes_once,
                                        .initial_state = (void *)(uintptr_t)&stories[i] };
    tests[COUNT_OF(stories)] =
        (struct CMUnitTest){ .name = "a full queue refuses at once, and a stop runs what is queued",
                             .test_func = full_queue_is_refused_at_once };
    return cmocka_run_group_tests_name("store lane", tests, NULL, NULL);
}
