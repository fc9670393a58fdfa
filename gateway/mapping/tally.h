/* mapping/tally.h -- which codes and texts data used, how often, and what they were read as.
 *
 * What      counts resolved events: their medication, and the code of a Condition.  One row for
 *           each first code (or text, where there is no code).  The same events in any order, split
 *           over any number of tallies that are merged, give the same rows.
 * Owns      rows live in the arena, which must outlive the tally; they are copies.
 * Errors    past the arena's limit rows are missing: ask arena_overflowed().
 * Thread    one tally per thread, then tally_merge().
 */
#pragma once

#include "domain/event.h"
#include "mapping/index_int.h"

struct tally_row {
    bool is_condition;
    struct slice system, code, text; /* text: the least of those that came with the code */
    struct slice read_as;            /* "carboplatin;paclitaxel", "dlbcl in_relapse" */
    bool is_unmapped;
    int64_t count;
};

struct tally {
    struct arena *arena;
    struct code_index index;
    struct tally_row **rows;
    unsigned count, room;
};

void tally_init(struct tally *tally, struct arena *arena);
/* An event that mapping_resolve() filled; without a medication or a Condition it is passed over. */
void tally_add(struct tally *tally, const struct event *event);
void tally_merge(struct tally *to, const struct tally *from);
/* The most frequent first, then by kind, system, code and text.  The last thing to do. */
void tally_sort(struct tally *tally);

/* What an event was read as, in words; empty when no mapping knew it. */
struct slice tally_read_as(const struct event *event, struct arena *arena);
