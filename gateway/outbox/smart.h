/* outbox/smart.h -- the words of SMART Backend Services: discovery, the token request, its answer.
 *
 * What      pure.  The shell around it is token.c: one fetch at a time per destination, renewed
 *           before it expires.
 * Owns      results live in `arena`.
 * Errors    ERR_INVALID for what is not such an answer; ERR_UNSUPPORTED for an endpoint that is not
 *           https, because the assertion would be shown to whoever listens.
 * Thread    pure.
 * Rules     SMART App Launch 2.2, Backend Services.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#define SMART_TOKEN_SECONDS 300 /* where the answer does not say how long it is good */
#define SMART_TOKEN_SECONDS_MAX 86400

struct smart_token {
    struct slice token;
    int64_t seconds; /* that it is good for */
};

/* token_endpoint of /.well-known/smart-configuration. */
bool smart_read_configuration(struct slice body, struct arena *arena, struct slice *token_url,
                              struct err *err) MUST_USE;
/* application/x-www-form-urlencoded.  Without an assertion, for a client with a secret; with a
 * client_id, for one that is known by its certificate; each may be empty. */
struct slice smart_write_request(struct slice scope, struct slice client_id, struct slice assertion,
                                 struct arena *arena);
bool smart_read_token(struct slice body, struct arena *arena, struct smart_token *out,
                      struct err *err) MUST_USE;
/* When to ask for the next one: at four fifths of its life. */
int64_t smart_renew_at_ms(int64_t got_ms, int64_t seconds);
/* From when on it is not used any more: a request that is under way must still be good. */
int64_t smart_expires_ms(int64_t got_ms, int64_t seconds);
