/* Who may carry an identifier: hashes in memory, a log on disk.  A random text index costs a page
 * per row once a million are there (README.md); a log costs its bytes.  Nothing is ever taken out:
 * what is found is judged by whoever asked. */
#include "base/pool.h"
#include "store/store_int.h"

#define MENTIONS_FIRST_SIZE 1024 /* slots; a power of two */

/* FNV-1a with a last mix, so that the low bits serve as a place. */
uint64_t store_mention_hash(int32_t tenant, enum fhir_type type, struct slice identifier)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)(uint32_t)tenant << 8 ^ (uint64_t)type;
    for (size_t i = 0; i < identifier.len; i++)
        hash = (hash ^ (unsigned char)identifier.at[i]) * UINT64_C(0x100000001b3);
    hash ^= hash >> 32;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static void grow(struct mentions *mentions)
{
    struct mentions old = *mentions;
    mentions->size = old.size == 0 ? MENTIONS_FIRST_SIZE : old.size * 2;
    mentions->slots = pool_new(sizeof *mentions->slots * mentions->size);
    mentions->used = 0;
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i].key != 0)
            mentions_add(mentions, old.slots[i].hash, old.slots[i].key);
    pool_free(old.slots);
}

void mentions_add(struct mentions *mentions, uint64_t hash, int64_t key)
{
    CHECK(key != 0);
    if (mentions->used * 3 >= mentions->size * 2)
        grow(mentions);
    size_t at = (size_t)hash & (mentions->size - 1);
    for (; mentions->slots[at].key != 0; at = (at + 1) & (mentions->size - 1))
        if (mentions->slots[at].hash == hash && mentions->slots[at].key == key)
            return;
    mentions->slots[at] = (struct mention){ hash, key };
    mentions->used++;
}

bool mentions_load(struct store_tx *tx, struct err *err)
{
    struct mentions *mentions = &tx->store->mentions;
    if (mentions->is_loaded || tx->store->is_read_only)
        return true;
    if (!store_begin(tx, err))
        return false;
    mentions->is_loaded = tx->ops->mention_scan(tx, mentions, err);
    store_rollback(tx);
    return mentions->is_loaded;
}

bool store_mention_put(struct store_tx *tx, int64_t key, const uint64_t *hashes, unsigned count,
                       struct err *err)
{
    struct slice bytes = { (const char *)hashes, sizeof *hashes * count };
    if (!store_may_write(tx, err))
        return false;
    if (count == 0)
        return true;
    /* Logged even when memory knows it already: that may be of a transaction that was undone. */
    for (unsigned i = 0; i < count; i++)
        mentions_add(&tx->store->mentions, hashes[i], key);
    return store_done(tx, tx->ops->mention_append(tx, key, bytes, err), err);
}

bool store_mention_find(struct store_tx *tx, uint64_t hash, int64_t *keys, unsigned max,
                        unsigned *count, struct err *err)
{
    const struct mentions *mentions = &tx->store->mentions;
    unsigned found = 0;
    if (!store_may_read(tx, err))
        return false;
    for (size_t at = (size_t)hash & (mentions->size - 1);
         found < max && mentions->size > 0 && mentions->slots[at].key != 0;
         at = (at + 1) & (mentions->size - 1))
        if (mentions->slots[at].hash == hash)
            keys[found++] = mentions->slots[at].key;
    *count = found;
    return true;
}
