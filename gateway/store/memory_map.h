/* store/memory_map.h -- an ordered map of bytes to bytes that can go back to an earlier moment.
 *
 * What      a skip list; every change is noted in an undo log, so that a savepoint is a place in
 *           the log and undoing is playing it backwards.
 * Owns      keys and values are copied in; what is read is borrowed until the next change.
 * Thread    one at a time.
 */
#pragma once

#include "base/slice.h"

#define MAP_LEVELS 20

struct map_node {
    struct slice value; /* owned */
    size_t key_len;
    unsigned levels;
    struct map_node *next[]; /* `levels` of them, then the key */
};

struct map_undo; /* one change, newest first */

struct memory_map {
    struct map_node *first[MAP_LEVELS];
    unsigned levels;
    struct map_undo *log;
};

void map_init(struct memory_map *map);
void map_fini(struct memory_map *map);

void map_put(struct memory_map *map, struct slice key, struct slice value);
/* Nothing happens when the key is not there. */
void map_remove(struct memory_map *map, struct slice key);
/* NULL when there is none. */
const struct map_node *map_get(const struct memory_map *map, struct slice key);
/* The first node whose key is not before `key`; NULL at the end. */
const struct map_node *map_seek(const struct memory_map *map, struct slice key);
const struct map_node *map_next(const struct map_node *node);
struct slice map_key(const struct map_node *node);

/* A moment to which map_undo_to() can go back, until map_keep_all(). */
const struct map_undo *map_mark(const struct memory_map *map);
void map_undo_to(struct memory_map *map, const struct map_undo *mark);
void map_keep_all(struct memory_map *map);
