/* outbox/transport.h -- libcurl's multi interface on a libuv loop.
 *
 * What      curl names the sockets it waits for and the time it wants to be called; libuv waits.
 *           Many exchanges, one thread, nothing blocks.
 * Owns      a transport_call belongs to the caller from transport_add() until `done`.
 * Thread    the loop's, except transport_open() before the loop runs.
 */
#pragma once

#include <curl/curl.h>
#include <uv.h>

#include "base/err.h"

struct transport_call {
    CURL *easy;
    void (*done)(struct transport_call *call, CURLcode code); /* once, unless removed before */
};

struct transport {
    CURLM *multi;
    uv_loop_t *uv;
    uv_timer_t timer;
};

bool transport_open(struct transport *transport, uv_loop_t *uv, struct err *err) MUST_USE;
bool transport_add(struct transport *transport, struct transport_call *call,
                   struct err *err) MUST_USE;
/* Breaks off; `done` will not be called. */
void transport_remove(struct transport *transport, struct transport_call *call);
/* When no call is left; the handles close on the loop afterwards. */
void transport_close(struct transport *transport);
