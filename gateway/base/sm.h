/* base/sm.h -- a state machine whose legal moves are data.
 *
 * What      one table row per state names it and lists its successors; sm_move() refuses the rest
 *           and is the only writer of `state`.
 */
#pragma once

#include "base/check.h"

struct sm_row {
    const char *name;
    uint32_t next; /* SM_TO() of every legal successor; 0 marks a final state */
};

struct sm {
    const char *what; /* "conn", "delivery" */
    const struct sm_row *rows;
    void (*check)(const struct sm *sm); /* CHECKs what each state promises; after every move */
    uint8_t state;
};

#define SM_TO(state) (UINT32_C(1) << (state))

static inline void sm_move(struct sm *sm, uint8_t next)
{
    CHECK((sm->rows[sm->state].next & SM_TO(next)) != 0);
    sm->state = next;
    sm->check(sm);
}
