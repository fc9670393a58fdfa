/* therapy/telling.h -- the reasons of a verdict that is not about cancer, while they are gathered.
 *
 * Owns      what is kept is in the arena of the derivation.
 */
#pragma once

#include "therapy/boundary.h"

struct telling {
    struct arena *arena;
    struct verdict_reason reasons[LOT_REASONS_MAX], vetoes[LOT_REASONS_MAX];
    unsigned reason_count, veto_count;
};

/* Past LOT_REASONS_MAX they are dropped. */
void telling_reason(struct telling *telling, enum rule rule, struct slice text);
void telling_veto(struct telling *telling, enum rule rule, struct slice text);
void telling_keep(const struct telling *telling, struct verdict *out);

/* A note on a line: a decision that opened none.  `notes` has room for LOT_REASONS_MAX. */
void note_add(struct line_note *notes, unsigned *count, const struct finding *finding, int32_t day,
              struct arena *arena);

/* LOT-028 for any disease: a hash of disease, day, and what the line began with. */
void identity_make(struct slice disease, int32_t day, const struct slice *words, unsigned count,
                   char out[33]);

/* The earliest known day of a Condition: its onset, else its recording; DATE_NONE. */
int32_t condition_known(const struct event *condition);
bool condition_means(const struct event *condition, enum disease_family family,
                     enum condition_meaning meaning);
