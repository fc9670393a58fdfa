/* app/admin.h -- the admin listener: health and metrics.
 *
 * What      GET /health/live   the loop that answers is alive; touches nothing else
 *           GET /health/ready  the store is open and the gateway is not draining; nothing about
 *                              destinations, because a dead EHR must not take us out of service
 *           GET /metrics       Prometheus text
 *           What operators need of the outbox is in operators.h; everything else is 404 or 405.
 *           The listener is plain HTTP on loopback by default.
 * Owns      the caller's struct, alive as long as the server that calls admin_handle().
 * Thread    admin_handle() on the admin server's loop; admin_set_state() from any.
 */
#pragma once

#include "app/metrics.h"
#include "app/operators.h"

enum admin_state { ADMIN_STARTING, ADMIN_READY, ADMIN_DRAINING };

struct admin {
    _Atomic int state; /* enum admin_state */
    const struct metrics *metrics;
    /* Fills what the modules count; called on the admin loop, must not wait. */
    void (*gather)(void *ctx, struct metrics_sources *out);
    void *ctx;
    struct operators operators;
};

void admin_set_state(struct admin *admin, enum admin_state state);
/* Matches exchange_handler of net/server.h; ctx is the struct admin. */
void admin_handle(void *admin, struct exchange *exchange);

/* The pure half: status, type and body for a path.  `sources` may be NULL unless it is /metrics. */
struct admin_reply {
    int status;
    const char *content_type;
};
bool admin_wants_sources(struct slice path);
struct admin_reply admin_answer(enum http_verb verb, struct slice path, enum admin_state state,
                                const struct metrics *metrics,
                                const struct metrics_sources *sources, struct buffer *out);
