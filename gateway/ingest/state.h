/* ingest/state.h -- what the store keeps of a patient between events: one row, read and written
 * whole, so that a derivation costs one look-up.
 *
 * What      the events of the timeline (and the keys of other resources of the patient), the lines
 *           as they were last derived, and what has been posted.
 * Owns      slices borrow from the row that was read, or live in the arena of the job.
 * Errors    ERR_CORRUPT for a row that cannot be read; ERR_TOO_LARGE past STATE_ENTRIES_MAX.
 */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "domain/event.h"

#define STATE_ENTRIES_MAX 100000
#define STATE_MERGED_MAX 16

struct state_entry {
    int64_t resource_key;
    enum fhir_type type;
    struct slice packed; /* event_pack() */
};

struct state {
    struct state_entry *entries; /* in order of first arrival */
    unsigned count, room;
    struct slice derived;             /* derived_pack(): the lines and verdicts, compact */
    struct slice posted;              /* posted_pack() */
    int64_t merged[STATE_MERGED_MAX]; /* keys of patients that were merged into this one: merge.h */
    unsigned merged_count;
};

bool state_read(struct slice row, struct arena *arena, struct state *out, struct err *err) MUST_USE;
void state_write(const struct state *state, struct buffer *out);
/* The entry of a resource, or NULL. */
struct state_entry *state_find(const struct state *state, int64_t resource_key);
bool state_add(struct state *state, const struct state_entry *entry, struct arena *arena,
               struct err *err) MUST_USE;
