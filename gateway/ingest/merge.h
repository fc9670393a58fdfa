/* ingest/merge.h -- patients that were merged: who survives, and of whom a patient is made.
 *
 * Owns      what is gathered lives in the arena given, or in the set.
 * Errors    as store.h; ERR_TOO_LARGE when the arena is full.
 * Thread    the lane.
 */
#pragma once

#include "ingest/ingest_int.h"

#define MERGE_STATES_MAX 32 /* one patient and all that were merged into it */

struct merged {
    const struct state *states[MERGE_STATES_MAX]; /* the patient's own first */
    struct slice names[MERGE_STATES_MAX];
    unsigned count;
};

/* Where states come from: the set of the job, or, where it is NULL, the store. */
struct merge_from {
    struct patient_set *set;
    struct store_tx *tx;
    struct arena *arena;
};

/* Before dirty patients are saved: whoever survives one of them is dirty too, and knows of it. */
bool merge_link(struct patient_set *set, struct err *err) MUST_USE;
/* A Patient that says otherwise than before: whom it was merged into is dirty. */
bool merge_left(struct patient_set *set, const struct state_entry *old, const struct event *event,
                struct err *err) MUST_USE;
bool merge_gather(const struct merge_from *from, struct slice name, const struct state *state,
                  struct merged *out, struct err *err) MUST_USE;
/* The events of all, with codes resolved. */
bool merge_events(struct ingest *ingest, const struct merged *merged, struct arena *arena,
                  struct event **out, size_t *count, struct err *err) MUST_USE;
/* A posting of the survivor that was just wanted: takes over the record of one that was merged. */
bool merge_move(struct patient_set *set, const struct merged *merged, const struct posting *posting,
                struct err *err) MUST_USE;
