/* Tasks posted to a loop: order, threads, start and stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <uv.h>

#include "loop/loop.h"

#define TASKS 2000
#define POSTERS 4

struct numbered {
    struct loop_task task;
    struct record *record;
    int poster, number;
};

struct record {
    int last[POSTERS]; /* the last number seen of each poster */
    int ran, out_of_order;
    pthread_t thread;
    bool has_started;
};

static void note(struct loop_task *task)
{
    struct numbered *numbered = CONTAINER_OF(task, struct numbered, task);
    struct record *record = numbered->record;
    if (numbered->number != record->last[numbered->poster] + 1)
        record->out_of_order++;
    if (!pthread_equal(record->thread, pthread_self()))
        record->out_of_order++;
    record->last[numbered->poster] = numbered->number;
    record->ran++;
}

static void note_start(void *arg)
{
    struct record *record = arg;
    record->thread = pthread_self();
    record->has_started = record->ran == 0; /* nothing ran before us */
}

struct poster {
    struct loop *loop;
    struct numbered *tasks;
};

static void *post_all(void *arg)
{
    struct poster *poster = arg;
    for (int i = 0; i < TASKS; i++)
        loop_post(poster->loop, &poster->tasks[i].task);
    return NULL;
}

static struct numbered *numbered_tasks(struct record *record, int poster)
{
    struct numbered *tasks = calloc(TASKS, sizeof *tasks);
    for (int i = 0; i < TASKS; i++)
        tasks[i] = (struct numbered){ { note, NULL }, record, poster, i + 1 };
    return tasks;
}

static void tasks_of_each_poster_run_in_order(void **state)
{
    (void)state;
    struct record record = { 0 };
    struct poster posters[POSTERS];
    pthread_t threads[POSTERS];
    struct loop *loop;
    struct err err;

    assert_true(loop_open("test", &loop, &err));
    for (int i = 0; i < POSTERS; i++)
        posters[i] = (struct poster){ loop, numbered_tasks(&record, i) };
    post_all(&posters[0]); /* before the start */
    assert_true(loop_start(loop, note_start, &record, &err));
    for (int i = 1; i < POSTERS; i++)
        assert_int_equal(0, pthread_create(&threads[i], NULL, post_all, &posters[i]));
    for (int i = 1; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    loop_stop(loop); /* what was posted before still runs */
    loop_join(loop);
    loop_close(loop);

    assert_true(record.has_started);
    assert_int_equal(POSTERS * TASKS, record.ran);
    assert_int_equal(0, record.out_of_order);
    for (int i = 0; i < POSTERS; i++)
        free(posters[i].tasks);
}

struct again {
    struct loop_task task;
    struct loop *loop;
    int left;
};

static void run_again(struct loop_task *task)
{
    struct again *again = CONTAINER_OF(task, struct again, task);
    if (--again->left > 0)
        loop_post(again->loop, task); /* its own poster: it may be posted from its run */
    else
        loop_stop(again->loop);
}

static void a_task_may_post_itself_again(void **state)
{
    (void)state;
    struct again again = { { run_again, NULL }, NULL, 100 };
    struct err err;
    assert_true(loop_open("a name longer than a thread's", &again.loop, &err));
    loop_post(again.loop, &again.task);
    loop_run_here(again.loop);
    assert_int_equal(0, again.left);
    loop_close(again.loop);
}

static void on_timer(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
    uv_close((uv_handle_t *)timer, NULL);
}

static void a_stopped_loop_waits_for_its_handles(void **state)
{
    (void)state;
    bool has_fired = false;
    uv_timer_t timer = { .data = &has_fired };
    struct loop *loop;
    struct err err;
    assert_true(loop_open("test", &loop, &err));
    assert_int_equal(0, uv_timer_init(loop_uv(loop), &timer));
    timer.data = &has_fired;
    uv_timer_start(&timer, on_timer, 20, 0);
    loop_stop(loop);
    loop_run_here(loop);
    assert_true(has_fired);
    loop_close(loop);
}

static void a_loop_that_never_ran_can_be_closed(void **state)
{
    (void)state;
    struct loop *loop;
    struct err err;
    assert_true(loop_open("test", &loop, &err));
    loop_close(loop);
}

static void clocks_run(void **state)
{
    (void)state;
    int64_t before = clock_monotonic_ns();
    assert_true(clock_wall_ms() > INT64_C(1700000000000));
    assert_true(clock_monotonic_ns() >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_of_each_poster_run_in_order),
        cmocka_unit_test(a_task_may_post_itself_again),
        cmocka_unit_test(a_stopped_loop_waits_for_its_handles),
        cmocka_unit_test(a_loop_that_never_ran_can_be_closed),
        cmocka_unit_test(clocks_run),
    };
    return cmocka_run_group_tests_name("loop_post", tests, NULL, NULL);
}
