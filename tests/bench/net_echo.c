/* The least that net/ can do: 201 to everything, over TLS.  What it does per second, next to nginx with
 * a static reply, is what net/ and http/ cost.
 *
 *   net_echo PORT CERTIFICATE KEY LOOPS [later]
 *   wrk -t1 -c64 -d10 -s tests/bench/net_post.lua https://127.0.0.1:PORT/
 *
 * "later" finishes each exchange from a posted task, as a real handler does.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "net/server.h"

#define LOOPS_MAX 64

struct echo {
    struct loop_task task;
    struct exchange *exchange;
};

struct main_state {
    struct server *server;
    struct loop *loops[LOOPS_MAX];
    unsigned loop_count;
    bool is_later;
    uv_signal_t stop;
};

static void reply(struct exchange *exchange)
{
    exchange->reply.status = 201;
    http_reply_header(&exchange->reply, "Content-Type", SLICE("application/fhir+json"));
    http_reply_header(&exchange->reply, "Location", SLICE("/fhir/Patient/1/_history/1"));
    exchange->reply.body = SLICE("{}");
    exchange_finish(exchange);
}

static void on_task(struct loop_task *task)
{
    reply(CONTAINER_OF(task, struct echo, task)->exchange);
}

static void on_exchange(void *ctx, struct exchange *exchange)
{
    const struct main_state *state = ctx;
    if (!state->is_later) {
        reply(exchange);
        return;
    }
    struct echo *echo = arena_alloc(exchange->arena, sizeof *echo);
    CHECK(echo != NULL);
    echo->exchange = exchange;
    echo->task.run = on_task;
    loop_post(exchange->loop, &echo->task);
}

static void on_drained(void *arg)
{
    struct main_state *state = arg;
    for (unsigned i = 0; i < state->loop_count; i++)
        loop_stop(state->loops[i]);
}

static void on_signal(uv_signal_t *stop, int number)
{
    struct main_state *state = CONTAINER_OF(stop, struct main_state, stop);
    (void)number;
    uv_close((uv_handle_t *)stop, NULL);
    server_drain(state->server, 1000, on_drained, state);
}

static bool start(struct main_state *state, char **arguments, struct err *err)
{
    struct server_settings settings = {
        .address = "127.0.0.1",
        .port = (uint16_t)strtoul(arguments[1], NULL, 10),
        .tls = { .certificate_file = arguments[2], .key_file = arguments[3] },
        .limits = { 10000, 16384, (size_t)16 * 1024 * 1024, 10000, 10000, 30000, 60000,
                    (size_t)32 * 1024 * 1024 },
        .handler = on_exchange,
        .ctx = state,
    };
    for (unsigned i = 0; i < state->loop_count; i++) {
        if (!loop_open("net_echo", &state->loops[i], err))
            return false;
    }
    if (!server_open(&settings, state->loops, state->loop_count, &state->server, err))
        return false;
    for (unsigned i = 1; i < state->loop_count; i++) {
        if (!loop_start(state->loops[i], NULL, NULL, err))
            return false;
    }
    uv_signal_init(loop_uv(state->loops[0]), &state->stop);
    uv_signal_start(&state->stop, on_signal, SIGTERM);
    return true;
}

int main(int count, char **arguments)
{
    static struct main_state state;
    struct err err;
    if (count < 5) {
        fprintf(stderr, "usage: net_echo PORT CERTIFICATE KEY LOOPS [later]\n");
        return 2;
    }
    state.loop_count = (unsigned)strtoul(arguments[4], NULL, 10);
    state.is_later = count > 5;
    if (state.loop_count < 1 || state.loop_count > LOOPS_MAX)
        return 2;
    if (!start(&state, arguments, &err)) {
        fprintf(stderr, "net_echo: %s: %s\n", err.where, err.what);
        return 1;
    }
    printf("listening on %u\n", server_port(state.server));
    fflush(stdout);
    loop_run_here(state.loops[0]);
    for (unsigned i = 0; i < state.loop_count; i++)
        loop_join(state.loops[i]);
    struct server_counts counts = server_counts(state.server);
    printf("%llu requests on %llu connections\n", (unsigned long long)counts.requests,
           (unsigned long long)counts.accepted);
    server_close(state.server);
    for (unsigned i = 0; i < state.loop_count; i++)
        loop_close(state.loops[i]);
    return 0;
}
