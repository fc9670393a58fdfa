/* therapy/boundary.h -- the record of a decision: its rule, the numbers compared, the evidence.
 *
 * Owns      what it makes is in the arena; an overfull arena gives empty lists and is reported
 *           once, at the end of the derivation.
 */
#pragma once

#include "therapy/course.h"

struct finding {
    enum rule rule;
    struct operand operands[LOT_OPERANDS_MAX];
    unsigned operand_count;
    const struct event *evidence[LOT_EVIDENCE_MAX];
    unsigned evidence_count;
    struct slice source; /* empty: the profile's */
    uint64_t also;
};

void finding_operand(struct finding *finding, const char *name, int32_t value);
/* Adds an event once. */
/* "gapDays": none while the line goes on; how far it goes on is another matter, and may be open. */
void finding_gap(struct finding *finding, int32_t days);
void finding_evidence(struct finding *finding, const struct event *event);
/* The orders of a batch. */
void finding_batch(struct finding *finding, const struct course *course, const struct batch *batch);
/* All evidence in (after, until], the strongest first, candidates last. */
void finding_atoms(struct finding *finding, const struct course *course, int32_t after,
                   int32_t until);
struct boundary finding_boundary(const struct finding *finding, struct arena *arena);

/* Keeps a decision that did not open a line; past LOT_REASONS_MAX it is dropped. */
void line_note(struct course *course, struct line_state *line, const struct finding *finding,
               int32_t day);
/* From `day` on the line is in a segment of `kind`. */
void line_mark(struct line_state *line, enum segment_kind kind, int32_t day);
