/* outbox/exchange.h -- one HTTP exchange with one destination, over TLS that cannot be turned off.
 *
 * What      an easy handle of libcurl that is used again and again: TLS 1.2 or newer, peer and name
 *           verified, no redirects, no proxy of the environment, bounded answers.
 * Owns      the bodies and headers of the last answer, until the next exchange_start().
 * Errors    a peer that cannot be reached is no error of exchange_start(): it is an answer.
 * Thread    the outbox loop; exchange_open() and exchange_close() while it does not run.
 */
#pragma once

#include "base/buffer.h"
#include "outbox/delivery.h"
#include "outbox/outbox.h"
#include "outbox/transport.h"

struct exchange {
    struct transport_call call;
    const struct destination_settings *settings;
    struct curl_slist *headers;
    struct slice upload; /* of the request's body, what is not yet sent */
    struct buffer body;  /* of the answer */
    bool is_truncated;
    char etag[160], location[1024], retry_after[64], date[64];
};

struct exchange_extra {
    const char *user_agent, *request_id;
    const char *bearer; /* NULL: none */
};

bool exchange_open(struct exchange *exchange, const struct destination_settings *settings,
                   struct err *err) MUST_USE;
void exchange_close(struct exchange *exchange);
/* Everything but the start; for a caller that performs call.easy itself. */
bool exchange_prepare(struct exchange *exchange, const struct delivery_request *request,
                      const struct exchange_extra *extra, struct err *err) MUST_USE;
/* To a URL of its own, without the headers of FHIR: POST of a form, or GET without a body. */
struct exchange_form {
    const char *url;
    struct slice body; /* must live until the answer */
    const char *user_agent;
    const char *user, *password; /* HTTP Basic; NULL: none */
};
bool exchange_prepare_form(struct exchange *exchange, const struct exchange_form *form,
                           struct err *err) MUST_USE;
/* The request's slices must live until the answer. */
bool exchange_start(struct exchange *exchange, struct transport *transport,
                    const struct delivery_request *request, const struct exchange_extra *extra,
                    struct err *err) MUST_USE;
/* In `done`: what came back; borrowed from the exchange. */
struct delivery_answer exchange_answer(const struct exchange *exchange, CURLcode code);
/* One word from a file into `out`, which has room for OUTBOX_TOKEN_MAX bytes. */
bool token_file_read(const char *path, char *out, struct err *err) MUST_USE;
/* The peer's address as TCP saw it; "" when there was no connection. */
const char *exchange_address(const struct exchange *exchange);
