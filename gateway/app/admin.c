#include "app/admin.h"

#include "base/arena.h"

#define ADMIN_BODY_MAX ((size_t)256 * 1024)
#define TEXT_TYPE "text/plain; charset=utf-8"
#define JSON_TYPE "application/json"
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

static const char *const state_names[] = { "starting", "ready", "draining" };

void admin_set_state(struct admin *admin, enum admin_state state)
{
    atomic_store(&admin->state, (int)state);
}

bool admin_wants_sources(struct slice path) { return slice_is(path, "/metrics"); }

static struct admin_reply ready_answer(enum admin_state state, struct buffer *out)
{
    int status = state == ADMIN_READY ? 200 : 503;

    buffer_format(out, "{\"status\":\"%s\"}\n", state_names[state]);
    return (struct admin_reply){ status, JSON_TYPE };
}

struct admin_reply admin_answer(enum http_verb verb, struct slice path, enum admin_state state,
                                const struct metrics *metrics,
                                const struct metrics_sources *sources, struct buffer *out)
{
    bool is_known = slice_is(path, "/health/live") || slice_is(path, "/health/ready") ||
                    admin_wants_sources(path);

    if (!is_known) {
        buffer_add(out, SLICE("try /health/live, /health/ready or /metrics\n"));
        return (struct admin_reply){ 404, TEXT_TYPE };
    }
    if (verb != VERB_GET && verb != VERB_HEAD) {
        buffer_add(out, SLICE("only GET is offered here\n"));
        return (struct admin_reply){ 405, TEXT_TYPE };
    }
    if (slice_is(path, "/health/ready"))
        return ready_answer(state, out);
    if (slice_is(path, "/health/live")) {
        buffer_add(out, SLICE("{\"status\":\"live\"}\n"));
        return (struct admin_reply){ 200, JSON_TYPE };
    }
    metrics_write(metrics, sources, out);
    return (struct admin_reply){ 200, METRICS_TYPE };
}

void admin_handle(void *ctx, struct exchange *exchange)
{
    struct admin *admin = ctx;
    const struct http_request *request = &exchange->request;
    enum admin_state state = (enum admin_state)atomic_load(&admin->state);
    struct metrics_sources sources = { .version = "" };
    struct buffer body;

    if (operators_wants(request->path)) {
        operators_handle(&admin->operators, exchange);
        return;
    }
    buffer_init(&body, ADMIN_BODY_MAX);
    if (admin_wants_sources(request->path))
        admin->gather(admin->ctx, &sources);
    sources.is_ready = state == ADMIN_READY;
    struct admin_reply answer =
        admin_answer(request->verb, request->path, state, admin->metrics, &sources, &body);

    exchange->reply.status = answer.status;
    exchange->reply.body = arena_copy(exchange->arena, buffer_slice(&body));
    http_reply_header(&exchange->reply, "Content-Type", slice_of(answer.content_type));
    http_reply_header(&exchange->reply, "Cache-Control", SLICE("no-store"));
    if (answer.status == 405)
        http_reply_header(&exchange->reply, "Allow", SLICE("GET, HEAD"));
    buffer_fini(&body);
    exchange_finish(exchange);
}
