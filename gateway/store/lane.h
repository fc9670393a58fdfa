/* store/lane.h -- the one thread that writes to one database, and its queue.
 *
 * What      loops submit jobs; the lane runs them in arrival order, many per transaction, and
 *           completes them on the loop they came from -- only after the commit is durable.
 *           Jobs that only read go first, see what is durable already, and are completed at once.
 *           A patient always maps to the same lane, so one patient's jobs never interleave.
 * Owns      the job is the caller's (embed it in the request); the lane borrows it from
 *           lane_submit() until `done` and touches nothing afterwards.
 * Errors    lane_submit(): ERR_BUSY when the queue is full, ERR_DRAINING when stopping -- answer
 *           503, do not wait.
 *           done(): the job's own error, or ERR_STORAGE when the whole batch failed.
 * Thread    submit from any loop; `run` on the lane thread; `done` on the submitting loop.
 */
#pragma once

#include "base/err.h"
#include "loop/loop.h"
#include "store/store.h"

struct job {
    /* Lane thread, inside a transaction.  On false the job's own writes are rolled back and the
     * rest of the batch goes on. */
    bool (*run)(struct job *job, struct store_tx *tx, struct err *err);
    /* Submitting loop, exactly once.  err->code is ERR_OK when the job is on disk. */
    void (*done)(struct job *job, const struct err *err);
    bool is_read_only; /* writes nothing */

    /* Private to the lane. */
    struct job *next;
    struct loop *home;
    struct loop_task task;
    struct err err;
};

struct lane_settings {
    unsigned queue_max; /* jobs waiting; beyond it 503 */
    unsigned batch_max; /* jobs per transaction */
};

struct lane_counts {
    uint64_t jobs, batches, failed_batches, refused;
    unsigned queued;
};

struct lane;
bool lane_start(struct store *store, const struct lane_settings *settings, struct lane **out,
                struct err *err) MUST_USE;
bool lane_submit(struct lane *lane, struct loop *home, struct job *job, struct err *err) MUST_USE;
/* Runs what is queued, refuses what comes later, waits for the thread and frees the lane. */
void lane_stop(struct lane *lane);
struct lane_counts lane_counts(struct lane *lane);
