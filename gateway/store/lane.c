/* The happy path: jobs gather while the previous batch is being committed; the thread takes what
 * has gathered, runs each inside one transaction, commits, and posts each job home.  The busier we
 * are, the larger the batch; no timer is needed.
 *
 * What can go wrong: a job fails (its savepoint is undone, its neighbours go on); the medium fails
 * (the whole batch goes back, and every job of it that had succeeded fails too); the queue is full
 * (the submitter is told at once).  The next batch always tries again. */
#include "store/lane.h"

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "base/pool.h"

struct lane {
    struct store_tx *tx;
    struct lane_settings settings;
    uv_thread_t thread;
    uv_mutex_t lock; /* guards the five below */
    uv_cond_t wake;
    struct job *head, **tail;
    unsigned queued;
    bool is_stopping;
    _Atomic uint64_t jobs, batches, failed_batches, refused;
};

/* --- the queue ---------------------------------------------------------------------------- */

bool lane_submit(struct lane *lane, struct loop *home, struct job *job, struct err *err)
{
    CHECK(home != NULL);
    job->home = home;
    job->next = NULL;
    job->err = (struct err){ .code = ERR_OK };

    uv_mutex_lock(&lane->lock);
    bool is_stopping = lane->is_stopping;
    bool is_accepted = !is_stopping && lane->queued < lane->settings.queue_max;
    if (is_accepted) {
        *lane->tail = job;
        lane->tail = &job->next;
        lane->queued++;
        uv_cond_signal(&lane->wake);
    }
    uv_mutex_unlock(&lane->lock);
    if (is_accepted)
        return true;
    atomic_fetch_add_explicit(&lane->refused, 1, memory_order_relaxed);
    return is_stopping ? err_fail(err, ERR_DRAINING, "store", "the gateway is stopping")
                       : err_fail(err, ERR_BUSY, "store", "the write queue is full");
}

/* Blocks for work; NULL once stopped and drained. */
static struct job *take_batch(struct lane *lane)
{
    uv_mutex_lock(&lane->lock);
    while (lane->head == NULL && !lane->is_stopping)
        uv_cond_wait(&lane->wake, &lane->lock);

    struct job *batch = lane->head;
    struct job **end = &lane->head;
    for (unsigned n = 0; *end != NULL && n < lane->settings.batch_max; n++) {
        end = &(*end)->next;
        lane->queued--;
    }
    lane->head = *end;
    if (lane->head == NULL)
        lane->tail = &lane->head;
    if (batch != NULL)
        *end = NULL;
    uv_mutex_unlock(&lane->lock);
    return batch;
}

/* Takes the jobs that only read out of the batch; both keep their order. */
static struct job *take_reads(struct job **batch)
{
    struct job *reads = NULL, **end = &reads;
    for (struct job **at = batch; *at != NULL;) {
        struct job *job = *at;
        if (!job->is_read_only) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        job->next = NULL;
        *end = job;
        end = &job->next;
    }
    return reads;
}

/* --- running ------------------------------------------------------------------------------ */

static bool run(struct lane *lane, struct job *job)
{
    bool is_done = job->run(job, lane->tx, &job->err);
    if (is_done)
        job->err.code = ERR_OK; /* whatever it met and got over on its way */
    CHECK(is_done == (job->err.code == ERR_OK));
    return is_done;
}

/* One bad job must not cost its neighbours their commit. */
static void run_among_others(struct lane *lane, struct job *job)
{
    if (!store_savepoint(lane->tx, &job->err))
        return;
    if (!run(lane, job))
        store_savepoint_undo(lane->tx);
    else if (store_savepoint_keep(lane->tx, &job->err))
        job->err.code = ERR_OK;
}

static void fail_batch(struct lane *lane, struct job *batch, const struct err *err)
{
    atomic_fetch_add_explicit(&lane->failed_batches, 1, memory_order_relaxed);
    for (struct job *job = batch; job != NULL; job = job->next)
        if (job->err.code == ERR_OK)
            job->err = *err;
}

/* A job that is alone needs no savepoint: the whole transaction is its own. */
static void run_all(struct lane *lane, struct job *batch, bool *is_kept)
{
    *is_kept = true;
    if (batch->next == NULL)
        *is_kept = run(lane, batch);
    else
        for (struct job *job = batch; job != NULL; job = job->next)
            run_among_others(lane, job);
}

/* On the job's home loop.  The job may free itself in done(), so its error is handed over. */
static void on_home(struct loop_task *task)
{
    struct job *job = CONTAINER_OF(task, struct job, task);
    struct err err = job->err;
    job->done(job, &err);
}

static uint64_t complete_batch(struct job *batch)
{
    uint64_t count = 0;
    for (struct job *job = batch, *next; job != NULL; job = next, count++) {
        next = job->next; /* once posted, the job is no longer ours */
        job->task.run = on_home;
        loop_post(job->home, &job->task);
    }
    return count;
}

/* Before the first write of the batch they see what earlier batches made durable, so there is
 * nothing to wait for.  Returns how many there were. */
static uint64_t run_reads(struct lane *lane, struct job *reads)
{
    struct err err = { .code = ERR_OK };
    if (reads == NULL)
        return 0;
    if (!store_begin(lane->tx, &err)) {
        fail_batch(lane, reads, &err);
        return complete_batch(reads);
    }
    for (struct job *job = reads; job != NULL; job = job->next)
        (void)!run(lane, job);
    store_rollback(lane->tx);
    return complete_batch(reads);
}

static void run_batch(struct lane *lane, struct job *batch)
{
    struct err err = { .code = ERR_OK };
    bool is_kept;
    if (batch == NULL)
        return;
    if (!store_begin(lane->tx, &err)) {
        fail_batch(lane, batch, &err);
        return;
    }
    run_all(lane, batch, &is_kept);
    if (!is_kept) {
        store_rollback(lane->tx);
    } else if (!store_commit(lane->tx, &err)) {
        store_rollback(lane->tx);
        fail_batch(lane, batch, &err);
    }
}

static void lane_thread(void *arg)
{
    struct lane *lane = arg;
    pthread_setname_np(pthread_self(), "lane");
    for (struct job *batch; (batch = take_batch(lane)) != NULL;) {
        struct job *reads = take_reads(&batch);
        uint64_t count = run_reads(lane, reads);
        run_batch(lane, batch);
        atomic_fetch_add_explicit(&lane->batches, 1, memory_order_relaxed);
        count += complete_batch(batch);
        atomic_fetch_add_explicit(&lane->jobs, count, memory_order_relaxed);
    }
    pool_drain();
}

/* --- life --------------------------------------------------------------------------------- */

bool lane_start(struct store *store, const struct lane_settings *settings, struct lane **out,
                struct err *err)
{
    CHECK(settings->queue_max > 0);
    CHECK(settings->batch_max > 0);
    struct store_tx *tx = NULL;
    if (!store_tx_open(store, &tx, err))
        return false;
    struct lane *lane = pool_new(sizeof *lane);
    lane->tx = tx;
    lane->settings = *settings;
    lane->tail = &lane->head;
    CHECK(uv_mutex_init(&lane->lock) == 0);
    CHECK(uv_cond_init(&lane->wake) == 0);
    CHECK(uv_thread_create(&lane->thread, lane_thread, lane) == 0);
    *out = lane;
    return true;
}

void lane_stop(struct lane *lane)
{
    uv_mutex_lock(&lane->lock);
    lane->is_stopping = true;
    uv_cond_signal(&lane->wake);
    uv_mutex_unlock(&lane->lock);
    uv_thread_join(&lane->thread);
    store_tx_close(lane->tx);
    uv_cond_destroy(&lane->wake);
    uv_mutex_destroy(&lane->lock);
    pool_free(lane);
}

struct lane_counts lane_counts(struct lane *lane)
{
    uv_mutex_lock(&lane->lock);
    unsigned queued = lane->queued;
    uv_mutex_unlock(&lane->lock);
    return (struct lane_counts){ .jobs = lane->jobs,
                                 .batches = lane->batches,
                                 .failed_batches = lane->failed_batches,
                                 .refused = lane->refused,
                                 .queued = queued };
}
