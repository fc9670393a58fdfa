/* loop/loop.h -- a thread with a libuv loop and a mailbox: the only thing that crosses threads.
 *
 * What      the process has one loop per core for I/O and one for the outbox; each owns its sockets
 *           and timers.  Other threads may only post tasks.
 * Owns      the task is the poster's (embed it in the request); the loop borrows it from
 *           loop_post() until `run` is called.
 * Thread    loop_post() from any thread; everything else on the loop's own thread or while it is
 *           not running.
 */
#pragma once

#include "base/err.h"

struct uv_loop_s;
struct loop;

struct loop_task {
    void (*run)(struct loop_task *task); /* on the loop's thread, exactly once per post */
    struct loop_task *next;              /* private */
};

bool loop_open(const char *name, struct loop **out, struct err *err) MUST_USE;
/* Starts the thread; `on_start` runs on it first (may be NULL). */
bool loop_start(struct loop *loop, void (*on_start)(void *arg), void *arg,
                struct err *err) MUST_USE;
/* Runs the loop on the calling thread instead (tests, main). */
void loop_run_here(struct loop *loop);
/* Never fails and never waits; tasks run in order of posting. */
void loop_post(struct loop *loop, struct loop_task *task);
/* From any thread: the loop ends once the handles of its users are closed and what was posted until
 * then has run; loop_join() waits for it.  Nobody may post to a loop that has ended. */
void loop_stop(struct loop *loop);
void loop_join(struct loop *loop);
void loop_close(struct loop *loop);

struct uv_loop_s *loop_uv(struct loop *loop);
/* Wall clock and monotonic clock; the shell reads them here and passes them on as arguments. */
int64_t clock_wall_ms(void);
int64_t clock_monotonic_ns(void);
