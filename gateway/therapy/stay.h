/* therapy/stay.h -- what lets a new agent stay in the current line.
 *
 * What      the exemptions of RULES_SPEC 4.3d, tested in their order; the caller has already seen
 *           that no evidence of relapse or progression forbids them.
 * Rules     LOT-009 to LOT-015, LOT-037.
 */
#pragma once

#include "therapy/boundary.h"

/* The rule by which `slot`, new in `batch`, stays; RULE_NONE when it opens a line.  Fills the
 * numbers that were compared. */
enum rule stay_rule(struct course *course, const struct line_state *line, const struct batch *batch,
                    unsigned slot, struct finding *finding);

/* LOT-037, also for drugs that the line knows. */
bool stay_is_perioperative(const struct course *course, const struct line_state *line,
                           const struct batch *batch, struct finding *finding);

/* The gap past which a line is over; RULE_OFF when no gap ends it. */
int32_t stay_gap_limit(const struct course *course, const struct line_state *line);

/* Remembers a gap that the contrasting profile would judge differently. */
void stay_note_contrast(struct course *course, const struct line_state *line, int32_t gap);

/* LOT-012: every drug of a batch of known drugs continues as maintenance. */
bool stay_continues_maintenance(const struct course *course, const struct line_state *line,
                                uint64_t slots, int32_t gap);
/* Slots that some continuation rule allows as maintenance of this line. */
uint64_t stay_continuation_slots(const struct course *course, const struct line_state *line);
const struct maintenance_rule *stay_continuation_rule(const struct course *course,
                                                      const struct line_state *line, unsigned slot);

/* Why the drugs of the line before were given up: the reason of the orders nearest to `batch`. */
enum stop_reason stay_change_reason(const struct course *course, const struct line_state *line,
                                    const struct batch *batch);
/* True when an order of `batch` belongs to the same plan or protocol as an order of the line. */
bool stay_is_planned(const struct course *course, const struct line_state *line,
                     const struct batch *batch, unsigned slot);
bool stay_same_plan(const struct event *a, const struct event *b);
