/* outbox/breaker.h -- leaves a destination alone that does not answer, without forgetting it.
 *
 *   CLOSED -- 5 transport failures in a row, half of 10 or more within 30 s, or a refused
 *             credential --> OPEN
 *   OPEN -- its wait is over --> HALF_OPEN (one delivery may try, and it asks for /metadata first)
 *   HALF_OPEN -- any answer --> CLOSED;  a failure --> OPEN, for longer
 *
 * Thread    pure; one per destination, so that one dead EHR never stops another.
 */
#pragma once

#include "base/sm.h"

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

struct breaker {
    struct sm sm;
    unsigned failures; /* in a row */
    unsigned opened;   /* times in a row */
    int64_t until_ms;  /* while open */
    unsigned pace_permille;
    int64_t window_ms; /* where the current count of answers and failures began */
    unsigned window_answers, window_failures;
};

void breaker_init(struct breaker *breaker, unsigned pace_permille);
/* How many deliveries may be under way: all, one, or none. */
unsigned breaker_limit(struct breaker *breaker, int64_t now_ms, unsigned usual);
void breaker_answered(struct breaker *breaker, int64_t now_ms);
void breaker_failed(struct breaker *breaker, int64_t now_ms);
/* Opens at once: what is wrong would be wrong with every request. */
void breaker_trip(struct breaker *breaker, int64_t now_ms);
