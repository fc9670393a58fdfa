/* mapping/index_int.h -- codes and words to what they mean, in a hash table.
 *
 * What      filled once, read for ever.  Keys are (space, text): a space is a code system or a kind
 *           of name.  Open addressing, at most half full, so that a look-up touches one or two
 *           cache lines.
 * Owns      slots live in the arena; keys and values are borrowed from it.
 * Thread    any number of readers once it is filled.
 */
#pragma once

#include "base/arena.h"

struct index_slot {
    uint64_t hash; /* 0: free */
    struct slice key;
    const void *value;
};

struct code_index {
    struct arena *arena;
    struct index_slot *slots;
    size_t size, used; /* size is a power of two, or 0 */
};

/* False when the key is there already (the old value stays), or past the arena's limit. */
bool index_put(struct code_index *index, unsigned space, struct slice key,
               const void *value) MUST_USE;
/* Puts or replaces. */
void index_set(struct code_index *index, unsigned space, struct slice key, const void *value);
/* NULL when the key is unknown. */
const void *index_find(const struct code_index *index, unsigned space, struct slice key);
