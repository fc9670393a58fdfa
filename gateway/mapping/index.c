#include "base/hash.h"
#include "mapping/index_int.h"

static uint64_t key_hash(unsigned space, struct slice key)
{
    uint64_t hash = table_hash(key) ^ (space + 1) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= hash >> 31;
    return hash != 0 ? hash : 1;
}

/* The slot of the key, or the free one where it would go.  The table is never full. */
static struct index_slot *slot_of(const struct code_index *index, uint64_t hash, struct slice key)
{
    for (size_t at = hash & (index->size - 1);; at = (at + 1) & (index->size - 1)) {
        struct index_slot *slot = &index->slots[at];
        if (slot->hash == 0 || (slot->hash == hash && slice_eq(slot->key, key)))
            return slot;
    }
}

static bool grow(struct code_index *index)
{
    struct code_index bigger = { .arena = index->arena,
                                 .size = index->size == 0 ? 64 : index->size * 2,
                                 .used = index->used };
    bigger.slots = ARENA_ARRAY(index->arena, struct index_slot, bigger.size);
    if (bigger.slots == NULL)
        return false;
    for (size_t i = 0; i < index->size; i++)
        if (index->slots[i].hash != 0)
            *slot_of(&bigger, index->slots[i].hash, index->slots[i].key) = index->slots[i];
    *index = bigger;
    return true;
}

static struct index_slot *room_for(struct code_index *index, uint64_t hash, struct slice key)
{
    if (2 * (index->used + 1) > index->size && !grow(index))
        return NULL;
    struct index_slot *slot = slot_of(index, hash, key);
    if (slot->hash == 0) {
        *slot = (struct index_slot){ .hash = hash, .key = key };
        index->used++;
    }
    return slot;
}

bool index_put(struct code_index *index, unsigned space, struct slice key, const void *value)
{
    struct index_slot *slot = room_for(index, key_hash(space, key), key);
    if (slot == NULL || slot->value != NULL)
        return false;
    slot->value = value;
    return true;
}

void index_set(struct code_index *index, unsigned space, struct slice key, const void *value)
{
    struct index_slot *slot = room_for(index, key_hash(space, key), key);
    if (slot != NULL)
        slot->value = value;
}

const void *index_find(const struct code_index *index, unsigned space, struct slice key)
{
    if (index->size == 0)
        return NULL;
    return slot_of(index, key_hash(space, key), key)->value;
}
