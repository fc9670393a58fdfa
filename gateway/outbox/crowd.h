/* outbox/crowd.h -- how many deliveries are under way at once, by how the destination bears them.
 *
 * What      EHRs publish no rate and some answer ever later instead of refusing.  The allowance
 *           begins at the configured most; it is halved when the destination says that it is too
 *           much, goes down by one when it answers late (more than twice its usual time and a tenth
 *           of a second), and up by one after as many good answers as it allows.  Its usual time is
 *           the least of the last hundred answers or so: it is learnt again when that changes.
 * Thread    pure.
 * Rules     standards/writeback 2 (Epic 3).
 */
#pragma once

#include "base/check.h"

enum crowd_answer {
    CROWD_GOOD,    /* answered */
    CROWD_REFUSED, /* 429, 503, or no answer in time */
};

struct crowd {
    unsigned most;               /* configured */
    unsigned limit;              /* 1 .. most */
    unsigned good;               /* answers in time since it last changed */
    unsigned seen;               /* answers of the half at hand */
    int64_t least_us, before_us; /* the shortest of this half and of the one before; 0: none */
};

void crowd_init(struct crowd *crowd, unsigned most);
void crowd_note(struct crowd *crowd, enum crowd_answer answer, int64_t took_us);
