#include "store/memory_map.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/pool.h"

struct map_undo {
    struct map_undo *older;
    bool was_there;
    struct slice value; /* owned; as it was */
    size_t key_len;
    char key[];
};

static struct slice own(struct slice bytes)
{
    char *copy = pool_new(bytes.len + 1);
    if (bytes.len > 0)
        memcpy(copy, bytes.at, bytes.len);
    return (struct slice){ copy, bytes.len };
}

static void disown(struct slice owned) { pool_free((void *)(uintptr_t)owned.at); }

static char *key_room(struct map_node *node) { return (char *)&node->next[node->levels]; }

struct slice map_key(const struct map_node *node)
{
    return (struct slice){ (const char *)&node->next[node->levels], node->key_len };
}

/* Half as many nodes on each level; the key decides, so that a run can be repeated. */
static unsigned levels_of(struct slice key)
{
    uint64_t bits = table_hash(key) | UINT64_C(1) << (MAP_LEVELS - 1);
    return (unsigned)__builtin_ctzll(bits) + 1;
}

void map_init(struct memory_map *map) { *map = (struct memory_map){ .levels = 1 }; }

void map_fini(struct memory_map *map)
{
    map_keep_all(map);
    for (struct map_node *node = map->first[0], *next; node != NULL; node = next) {
        next = node->next[0];
        disown(node->value);
        pool_free(node);
    }
    map_init(map);
}

/* --- finding ------------------------------------------------------------------------------ */

/* On each level the link that leads to the first node not before `key`. */
static struct map_node *find(const struct memory_map *map, struct slice key,
                             struct map_node **links[MAP_LEVELS])
{
    struct map_node **level = ((struct memory_map *)(uintptr_t)map)->first;
    for (unsigned i = map->levels; i-- > 0;) {
        while (level[i] != NULL && slice_cmp(map_key(level[i]), key) < 0)
            level = level[i]->next;
        if (links != NULL)
            links[i] = &level[i];
    }
    return level[0];
}

const struct map_node *map_seek(const struct memory_map *map, struct slice key)
{
    return find(map, key, NULL);
}

const struct map_node *map_get(const struct memory_map *map, struct slice key)
{
    const struct map_node *node = find(map, key, NULL);
    return node != NULL && slice_eq(map_key(node), key) ? node : NULL;
}

const struct map_node *map_next(const struct map_node *node) { return node->next[0]; }

/* --- changing ----------------------------------------------------------------------------- */

/* Takes `value`; gives back what was there, owned by the caller. */
static bool place(struct memory_map *map, struct slice key, struct slice value,
                  struct slice *before)
{
    struct map_node **links[MAP_LEVELS];
    unsigned levels = levels_of(key);
    for (; map->levels < levels; map->levels++)
        map->first[map->levels] = NULL;
    struct map_node *node = find(map, key, links);
    if (node != NULL && slice_eq(map_key(node), key)) {
        *before = node->value;
        node->value = value;
        return true;
    }
    node = pool_new(sizeof *node + levels * sizeof node->next[0] + key.len);
    node->levels = levels;
    node->key_len = key.len;
    node->value = value;
    memcpy(key_room(node), key.at, key.len);
    for (unsigned i = 0; i < levels; i++) {
        node->next[i] = *links[i];
        *links[i] = node;
    }
    return false;
}

static bool take(struct memory_map *map, struct slice key, struct slice *before)
{
    struct map_node **links[MAP_LEVELS];
    struct map_node *node = find(map, key, links);
    if (node == NULL || !slice_eq(map_key(node), key))
        return false;
    for (unsigned i = 0; i < node->levels; i++)
        *links[i] = node->next[i];
    *before = node->value;
    pool_free(node);
    return true;
}

static void note(struct memory_map *map, struct slice key, bool was_there, struct slice value)
{
    struct map_undo *undo = pool_new(sizeof *undo + key.len);
    undo->older = map->log;
    undo->was_there = was_there;
    undo->value = value;
    undo->key_len = key.len;
    memcpy(undo->key, key.at, key.len);
    map->log = undo;
}

void map_put(struct memory_map *map, struct slice key, struct slice value)
{
    struct slice before = SLICE("");
    bool was_there = place(map, key, own(value), &before);
    note(map, key, was_there, before);
}

void map_remove(struct memory_map *map, struct slice key)
{
    struct slice before = SLICE("");
    if (take(map, key, &before))
        note(map, key, true, before);
}

/* --- going back --------------------------------------------------------------------------- */

const struct map_undo *map_mark(const struct memory_map *map) { return map->log; }

void map_undo_to(struct memory_map *map, const struct map_undo *mark)
{
    while (map->log != mark) {
        struct map_undo *undo = map->log;
        struct slice key = { undo->key, undo->key_len };
        struct slice now = SLICE("");
        bool is_there = undo->was_there ? place(map, key, undo->value, &now) : take(map, key, &now);
        if (is_there)
            disown(now);
        map->log = undo->older;
        pool_free(undo);
    }
}

void map_keep_all(struct memory_map *map)
{
    for (struct map_undo *undo = map->log, *older; undo != NULL; undo = older) {
        older = undo->older;
        if (undo->was_there)
            disown(undo->value);
        pool_free(undo);
    }
    map->log = NULL;
}
