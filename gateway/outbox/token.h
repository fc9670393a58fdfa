/* outbox/token.h -- the access token of one destination: fetched once for all, renewed early.
 *
 *   IDLE --> DISCOVERING --> FETCHING --> IDLE        the token is there, or when to try again is
 *     +--------- the endpoint is known ----^
 *
 * What      one fetch at a time, whoever asks; what is good is used while the next one is fetched.
 *           The token goes to the destination's own base URL and nowhere else, the assertion to the
 *           token endpoint: redirects are not followed, and neither is ever written to a log.
 * Owns      the token; `destination` and its settings outlive it.
 * Errors    a failure is remembered (fault) and tried again by the usual schedule.
 * Thread    the outbox loop; token_fetch_now() blocks, and needs none.
 */
#pragma once

#include "outbox/exchange.h"
#include "outbox/jose.h"
#include "outbox/smart.h"

enum token_state { TOKEN_IDLE, TOKEN_DISCOVERING, TOKEN_FETCHING };

struct token_source {
    struct sm sm;
    const struct destination_settings *settings;
    struct transport *transport;
    const char *user_agent;
    struct exchange exchange;
    struct arena arena; /* of one fetch */
    char token_url[OUTBOX_URL_MAX];
    char *token; /* OUTBOX_TOKEN_MAX bytes; empty: none */
    int64_t renew_ms, expires_ms, next_try_ms;
    unsigned attempts, generation; /* grows with each token */
    uint64_t fetched, failed;
    char fault[160];
    void (*on_done)(struct token_source *source); /* a token is there, or is not to be had now */
};

bool token_source_open(struct token_source *source, const struct destination_settings *settings,
                       const char *user_agent, struct err *err) MUST_USE;
void token_source_close(struct token_source *source);
bool token_is_good(const struct token_source *source, int64_t now_ms);
/* Starts a fetch when none is under way and it is time for one. */
void token_refresh(struct token_source *source, int64_t now_ms);
/* The destination refused it. */
void token_forget(struct token_source *source);
/* Breaks a fetch off. */
void token_abort(struct token_source *source);
/* For `lifeline check --probe`: false with source->fault. */
bool token_fetch_now(struct token_source *source);
