/* net/deadline.h -- who has to be done by when, at the price of two pointer swaps.
 *
 * What      all waits of one kind last equally long, so a list per kind that is appended to at its
 *           end is sorted by due time; one timer per loop looks at the heads.
 * Owns      entries are embedded in what waits; an entry is in exactly one list.
 * Thread    one loop.
 */
#pragma once

#include "base/check.h"

/* clang-format off */
enum deadline_kind {
    DEADLINE_NONE,      /* the handler works: not the peer's fault */
    DEADLINE_HANDSHAKE,
    DEADLINE_HEADER,
    DEADLINE_BODY,
    DEADLINE_IDLE,
    DEADLINE_WRITE,     /* the peer does not read */
    DEADLINE_LINGER,    /* the peer does not close */
    DEADLINE_CLOSING,   /* nobody waits any more */
    DEADLINE_KINDS,
};
/* clang-format on */

struct deadline {
    struct deadline *next, *previous;
    uint64_t since_ms;
    enum deadline_kind kind;
};

struct deadlines {
    struct deadline heads[DEADLINE_KINDS]; /* rings */
    unsigned limit_ms[DEADLINE_KINDS];     /* 0: no limit */
};

void deadlines_init(struct deadlines *deadlines);
void deadline_add(struct deadlines *deadlines, struct deadline *deadline, enum deadline_kind kind,
                  uint64_t now_ms);
void deadline_remove(struct deadline *deadline);
/* Restarts the wait, as `kind`. */
void deadline_set(struct deadlines *deadlines, struct deadline *deadline, enum deadline_kind kind,
                  uint64_t now_ms);
/* The first of that kind, or NULL. */
struct deadline *deadline_first(const struct deadlines *deadlines, enum deadline_kind kind);
/* One that is due, or NULL; the caller moves it before it asks again. */
struct deadline *deadline_due(const struct deadlines *deadlines, uint64_t now_ms);
