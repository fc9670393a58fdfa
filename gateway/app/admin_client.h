/* app/admin_client.h -- asks the admin listener of a running gateway, for commands.
 *
 * What      one request of HTTP/1.1 on a connection of its own, at the admin address of the same
 *           configuration that the gateway runs with, so that a changed port cannot make the answer
 *           a lie.
 * Errors    ERR_STORAGE when nobody answers there, or not wholly in time.
 * Thread    blocks the caller.
 */
#pragma once

#include "app/config.h"
#include "base/buffer.h"

struct admin_request {
    const char *method, *path;
    struct slice token, body; /* empty: none */
    unsigned timeout_ms;
};

/* The body of the answer goes to `out`. */
bool admin_ask(const struct config_address *admin, const struct admin_request *request, int *status,
               struct buffer *out, struct err *err) MUST_USE;
