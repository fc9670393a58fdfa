/* loop/loop.c -- one uv loop, its thread and its mailbox.
 *
 *   posted tasks wait in a list under the one mutex; the first into an empty list rings the bell
 *   (uv_async); the loop takes the whole list at once and runs it in order.
 *
 * Stopping: loop_stop() lifts the bell's hold on the loop, so uv_run() returns when the last handle
 * of the loop's users has closed.  Tasks that were posted before that moment still run.
 */
#include "loop/loop.h"

#include <pthread.h>
#include <signal.h>
#include <uv.h>

#include "base/pool.h"
#include "base/text.h"

struct loop {
    uv_loop_t uv;
    uv_async_t bell;
    uv_thread_t thread;
    bool has_thread;
    char name[16];
    void (*on_start)(void *arg);
    void *arg;

    uv_mutex_t mutex; /* guards what follows */
    struct loop_task *first, **end;
    bool is_stopping;
};

/* Takes all that was posted so far; *is_stopping tells whether loop_stop() was called. */
static struct loop_task *take_tasks(struct loop *loop, bool *is_stopping)
{
    uv_mutex_lock(&loop->mutex);
    struct loop_task *tasks = loop->first;
    loop->first = NULL;
    loop->end = &loop->first;
    *is_stopping = loop->is_stopping;
    uv_mutex_unlock(&loop->mutex);
    return tasks;
}

/* True when there was something to run.  A task that posts again is served in the next round, so
 * sockets get their turn in between. */
static bool run_tasks(struct loop *loop)
{
    bool is_stopping;
    struct loop_task *task = take_tasks(loop, &is_stopping);
    bool ran = task != NULL;
    while (task != NULL) {
        struct loop_task *next = task->next; /* `run` may free or post the task again */
        task->next = NULL;
        task->run(task);
        task = next;
    }
    if (is_stopping)
        uv_unref((uv_handle_t *)&loop->bell);
    return ran;
}

static void on_bell(uv_async_t *bell) { run_tasks(CONTAINER_OF(bell, struct loop, bell)); }

void loop_run_here(struct loop *loop)
{
    run_tasks(loop); /* rings from before the start may have been lost to a stop */
    do
        uv_run(&loop->uv, UV_RUN_DEFAULT);
    while (run_tasks(loop) || uv_loop_alive(&loop->uv));
}

static void loop_thread(void *arg)
{
    struct loop *loop = arg;
    pthread_setname_np(pthread_self(), loop->name);
    if (loop->on_start != NULL)
        loop->on_start(loop->arg);
    loop_run_here(loop);
    pool_drain();
}

bool loop_open(const char *name, struct loop **out, struct err *err)
{
    struct loop *loop = pool_new(sizeof *loop);
    struct text text = TEXT(loop->name);
    text_add(&text, "%s", name);
    int status = uv_loop_init(&loop->uv);
    if (status != 0) {
        pool_free(loop);
        return err_fail(err, ERR_STORAGE, name, "the event loop does not open: %s",
                        uv_strerror(status));
    }
    CHECK(uv_async_init(&loop->uv, &loop->bell, on_bell) == 0);
    CHECK(uv_mutex_init(&loop->mutex) == 0);
    loop->end = &loop->first;
    signal(SIGPIPE, SIG_IGN); /* a peer that left is an error code, not the end of the process */
    *out = loop;
    return true;
}

bool loop_start(struct loop *loop, void (*on_start)(void *arg), void *arg, struct err *err)
{
    CHECK(!loop->has_thread);
    loop->on_start = on_start;
    loop->arg = arg;
    int status = uv_thread_create(&loop->thread, loop_thread, loop);
    if (status != 0)
        return err_fail(err, ERR_STORAGE, loop->name, "the thread does not start: %s",
                        uv_strerror(status));
    loop->has_thread = true;
    return true;
}

void loop_post(struct loop *loop, struct loop_task *task)
{
    task->next = NULL;
    uv_mutex_lock(&loop->mutex);
    bool was_empty = loop->first == NULL;
    *loop->end = task;
    loop->end = &task->next;
    uv_mutex_unlock(&loop->mutex);
    if (was_empty)
        uv_async_send(&loop->bell);
}

void loop_stop(struct loop *loop)
{
    uv_mutex_lock(&loop->mutex);
    loop->is_stopping = true;
    uv_mutex_unlock(&loop->mutex);
    uv_async_send(&loop->bell);
}

void loop_join(struct loop *loop)
{
    if (!loop->has_thread)
        return;
    CHECK(uv_thread_join(&loop->thread) == 0);
    loop->has_thread = false;
}

void loop_close(struct loop *loop)
{
    CHECK(!loop->has_thread); /* joined, or never started */
    uv_close((uv_handle_t *)&loop->bell, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop->uv) == 0); /* somebody left a handle open */
    uv_mutex_destroy(&loop->mutex);
    pool_free(loop);
}

struct uv_loop_s *loop_uv(struct loop *loop) { return &loop->uv; }
