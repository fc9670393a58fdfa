/* therapy/bundle.h -- transplants and cell therapies: drugs that only prepare for one.
 *
 * What      answers for a batch whether it is conditioning, lymphodepletion, bridging or the
 *           infusion itself.  A transplant shows as a Procedure or, without one, as a short course
 *           of exactly the drugs of a conditioning regimen.
 * Rules     LOT-018 to LOT-021; RULES_SPEC 5.
 */
#pragma once

#include "therapy/boundary.h"

/* The cell therapy that a batch leads to. */
struct infusion {
    int32_t day;       /* of the infusion; DATE_NONE when the batch leads to none */
    int32_t depletion; /* first day of lymphodepletion, or the infusion's when there is none */
    bool is_bridging;
};
struct infusion bundle_infusion(const struct course *course, const struct batch *batch);

/* The transplant that a batch conditions for. */
struct conditioning {
    bool is_conditioning;
    int32_t transplant; /* DATE_NONE when only the drugs show it */
    const struct event *event;
};
struct conditioning bundle_conditioning(const struct course *course, const struct batch *batch);

/* LOT-021: this transplant is a second one that opens a line of its own. */
bool bundle_is_second(const struct course *course, const struct line_state *line,
                      const struct conditioning *conditioning, int32_t day, int32_t *since);
