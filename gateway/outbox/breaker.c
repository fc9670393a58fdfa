#include "outbox/breaker.h"

#include "outbox/limits.h"

static const int64_t open_s[] = { 5, 15, 30, 60, 120 };

/* clang-format off */
static const struct sm_row breaker_rows[] = {
    [BREAKER_CLOSED]    = { "closed",    SM_TO(BREAKER_OPEN) },
    [BREAKER_OPEN]      = { "open",      SM_TO(BREAKER_HALF_OPEN) | SM_TO(BREAKER_CLOSED) },
    [BREAKER_HALF_OPEN] = { "half-open", SM_TO(BREAKER_OPEN) | SM_TO(BREAKER_CLOSED) },
};
/* clang-format on */

static void breaker_check(const struct sm *sm)
{
    const struct breaker *breaker = CONTAINER_OF(sm, struct breaker, sm);
    if (sm->state == BREAKER_CLOSED)
        CHECK(breaker->failures == 0);
    if (sm->state == BREAKER_OPEN)
        CHECK(breaker->opened > 0);
}

void breaker_init(struct breaker *breaker, unsigned pace_permille)
{
    *breaker = (struct breaker){
        .sm = { "breaker", breaker_rows, breaker_check, BREAKER_CLOSED },
        .pace_permille = pace_permille,
    };
}

unsigned breaker_limit(struct breaker *breaker, int64_t now_ms, unsigned usual)
{
    if (breaker->sm.state == BREAKER_CLOSED)
        return usual;
    if (breaker->sm.state == BREAKER_OPEN) {
        if (now_ms < breaker->until_ms)
            return 0;
        sm_move(&breaker->sm, BREAKER_HALF_OPEN);
    }
    return 1;
}

static void turn_window(struct breaker *breaker, int64_t now_ms)
{
    int64_t age_ms = now_ms - breaker->window_ms;
    if (age_ms >= 0 && age_ms < BREAKER_WINDOW_MS)
        return;
    breaker->window_ms = now_ms;
    breaker->window_answers = breaker->window_failures = 0;
}

void breaker_answered(struct breaker *breaker, int64_t now_ms)
{
    turn_window(breaker, now_ms);
    breaker->window_answers++;
    breaker->failures = 0;
    breaker->opened = 0;
    if (breaker->sm.state != BREAKER_CLOSED)
        sm_move(&breaker->sm, BREAKER_CLOSED);
}

void breaker_trip(struct breaker *breaker, int64_t now_ms)
{
    if (breaker->sm.state == BREAKER_OPEN)
        return; /* what was under way when it opened fails too, and teaches nothing */
    size_t row = breaker->opened < COUNT_OF(open_s) ? breaker->opened : COUNT_OF(open_s) - 1;
    breaker->until_ms = now_ms + open_s[row] * breaker->pace_permille;
    breaker->opened++;
    breaker->failures = 0;
    breaker->window_answers = breaker->window_failures = 0;
    sm_move(&breaker->sm, BREAKER_OPEN);
}

void breaker_failed(struct breaker *breaker, int64_t now_ms)
{
    turn_window(breaker, now_ms);
    breaker->failures++;
    breaker->window_failures++;
    unsigned total = breaker->window_answers + breaker->window_failures;
    bool is_flaky = total >= BREAKER_WINDOW_LEAST && 2 * breaker->window_failures >= total;
    bool is_enough = breaker->failures >= BREAKER_FAILURES_MAX || is_flaky;
    if (is_enough || breaker->sm.state == BREAKER_HALF_OPEN)
        breaker_trip(breaker, now_ms);
}
