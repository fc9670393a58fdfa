/* app/operators.h -- the outbox over the admin listener, for those who look after it.
 *
 * What      GET  /outbox?state=&destination=&patient=&word=&after=&limit=   a JSON object per line
 *           GET  /outbox/<key>                          one row with its body and an explanation
 *           POST /outbox/<key>/replay|edit|drop         {"by":..,"reason":..}; edit has a "body"
 *           POST /outbox/replay|drop                    the same with a filter: {"state":"dead",..}
 *           POST /destinations/<name>/pause|resume      {"by":..,"reason":..}
 *           Rows name patients, and what is done here goes into charts: so there is none of this
 *           without admin.token_file, and every request carries it as a bearer token.
 * Owns      a call lives in the arena of its exchange.
 * Errors    401, 404, 405, 422, 503 with {"error":..}; what is refused has changed nothing.
 * Thread    the admin loop; the store is asked on the lane.
 */
#pragma once

#include "net/server.h"
#include "store/lane.h"

struct operators {
    struct lane *lane;
    const char *token_file;       /* NULL: no endpoints */
    void (*on_change)(void *ctx); /* rows may have become due */
    void *ctx;
};

bool operators_wants(struct slice path);
void operators_handle(struct operators *operators, struct exchange *exchange);
