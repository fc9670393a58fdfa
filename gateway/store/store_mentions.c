/* Who may carry an identifier: hashes in memory, a log on disk.  A random text index costs a page
 * per row once a million are there (README.md); a log costs its bytes.  Nothing is ever taken out:
 * what is found is judged by whoever asked. */
#include "base/pool.h"
#include "store/store_int.h"

#define MENTIONS_FIRST_SIZE 1024 /* a power of two */
#define SHARED_LOOKED_AT 8

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

void mentions_free(struct mentions *mentions)
{
    pool_free(mentions->list);
    pool_free(mentions->slots);
}

/* The slot of a hash, or the free one where it belongs. */
static struct mention_slot *slot_of(const struct mentions *mentions, uint64_t hash)
{
    size_t at = (size_t)hash & (mentions->size - 1);
    while (mentions->slots[at].newest != 0 && mentions->slots[at].hash != hash)
        at = (at + 1) & (mentions->size - 1);
    return &mentions->slots[at];
}

static void grow_slots(struct mentions *mentions)
{
    struct mentions old = *mentions;
    mentions->size = old.size == 0 ? MENTIONS_FIRST_SIZE : old.size * 2;
    mentions->slots = pool_new(sizeof *mentions->slots * mentions->size);
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i].newest != 0)
            *slot_of(mentions, old.slots[i].hash) = old.slots[i];
    pool_free(old.slots);
}

static void grow_list(struct mentions *mentions)
{
    CHECK(mentions->room < UINT32_MAX / 2);
    mentions->room = mentions->room == 0 ? MENTIONS_FIRST_SIZE : mentions->room * 2;
    mentions->list = pool_resize(mentions->list, sizeof *mentions->list * mentions->room);
}

/* An update mentions what its creation did; among as many who share the identifier it is looked
 * for, so that one identifier that everybody carries costs no more than any other. */
static bool is_among_newest(const struct mentions *mentions, uint32_t newest, int64_t key)
{
    for (unsigned i = 0; newest != 0 && i < SHARED_LOOKED_AT; i++) {
        if (mentions->list[newest].key == key)
            return true;
        newest = mentions->list[newest].older;
    }
    return false;
}

void mentions_add(struct mentions *mentions, uint64_t hash, int64_t key)
{
    CHECK(key != 0);
    if (mentions->used * 3 >= mentions->size * 2)
        grow_slots(mentions);
    struct mention_slot *slot = slot_of(mentions, hash);
    if (is_among_newest(mentions, slot->newest, key))
        return;
    if (mentions->count + 1 >= mentions->room)
        grow_list(mentions);
    mentions->used += slot->newest == 0;
    mentions->list[++mentions->count] = (struct mention){ key, slot->newest };
    *slot = (struct mention_slot){ hash, mentions->count };
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
    if (!store_may_write(tx, err))
        return false;
    /* Logged even when memory knows it already: that may be of a transaction that was undone. */
    for (unsigned i = 0; i < count; i++) {
        struct mentioned line = { hashes[i], key };
        mentions_add(&tx->store->mentions, hashes[i], key);
        if (tx->mentioned.len + sizeof line > MENTIONS_ROW_BYTES &&
            !store_done(tx, mentions_log(tx, err), err))
            return false;
        buffer_add(&tx->mentioned, (struct slice){ (const char *)&line, sizeof line });
    }
    return true;
}

bool mentions_log(struct store_tx *tx, struct err *err)
{
    struct buffer *mentioned = &tx->mentioned;
    if (mentioned->len == 0)
        return true;
    bool is_logged = tx->ops->mention_append(tx, buffer_slice(mentioned), err);
    buffer_reset(mentioned);
    return is_logged;
}

static bool is_listed(const int64_t *keys, unsigned count, int64_t key)
{
    while (count > 0)
        if (keys[--count] == key)
            return true;
    return false;
}

bool store_mention_find(struct store_tx *tx, uint64_t hash, int64_t *keys, unsigned max,
                        unsigned *count, struct err *err)
{
    const struct mentions *mentions = &tx->store->mentions;
    unsigned found = 0;
    if (!store_may_read(tx, err))
        return false;
    uint32_t at = mentions->size > 0 ? slot_of(mentions, hash)->newest : 0;
    for (; at != 0 && found < max; at = mentions->list[at].older)
        if (!is_listed(keys, found, mentions->list[at].key))
            keys[found++] = mentions->list[at].key;
    *count = found;
    return true;
}
