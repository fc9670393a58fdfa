/* therapy/lines_int.h -- what lines.c and lines_published.c share.
 *
 * Errors    false: *sweep->err tells; ERR_TOO_LARGE past LOT_LINES_MAX lines or the arena.
 */
#pragma once

#include "therapy/boundary.h"

struct sweep {
    struct course *course;
    struct err *err;
};

void lines_join(struct course *course, struct line_state *line, const struct batch *batch);
/* The same, and why. */
void lines_join_noted(struct course *course, struct line_state *line, const struct batch *batch,
                      struct finding *finding);
bool lines_open(struct sweep *sweep, const struct batch *batch, enum rule rule) MUST_USE;

/* LOT-034: a new agent under a rule set with cycles. */
bool lines_take_cycle(struct sweep *sweep, const struct batch *batch) MUST_USE;
/* LOT-035: any batch after the window under a rule set in which every start counts. */
bool lines_take_start(struct sweep *sweep, const struct batch *batch) MUST_USE;
