/* The memory backend: for tests, the simulator and offline commands; nothing survives it. */
#include "store/memory_int.h"

#include "base/pool.h"

#define ROW_MAX_BYTES ((size_t)1024 * 1024 * 1024)
#define MEMORY_SALT UINT64_C(0x6c6966656c696e65) /* fixed: a run can be repeated byte by byte */

/* --- life --------------------------------------------------------------------------------- */

bool memory_open(const struct store_settings *settings, struct store **out, struct err *err)
{
    if (settings->is_read_only)
        return err_fail(err, ERR_INVALID, "store", "a store in memory cannot be read-only");
    struct memory_store *store = pool_new(sizeof *store);
    store->base.ops = &memory_ops;
    store->base.salt = MEMORY_SALT;
    atomic_store(&store->base.next_key, 1);
    map_init(&store->map);
    CHECK(uv_mutex_init(&store->lock) == 0);
    *out = &store->base;
    return true;
}

static struct memory_store *store_of(struct store *base)
{
    return CONTAINER_OF(base, struct memory_store, base);
}

static void memory_store_close(struct store *base)
{
    struct memory_store *store = store_of(base);
    map_fini(&store->map);
    uv_mutex_destroy(&store->lock);
    pool_free(store);
}

static bool memory_tx_open(struct store *base, struct store_tx **out, struct err *err)
{
    (void)err;
    struct memory_tx *tx = pool_new(sizeof *tx);
    tx->map = &store_of(base)->map;
    buffer_init(&tx->key, ROW_MAX_BYTES);
    buffer_init(&tx->value, ROW_MAX_BYTES);
    *out = &tx->base;
    return true;
}

static void memory_tx_close(struct store_tx *base)
{
    struct memory_tx *tx = memory_of(base);
    buffer_fini(&tx->key);
    buffer_fini(&tx->value);
    pool_free(tx);
}

/* --- transactions ------------------------------------------------------------------------- */

static bool memory_begin(struct store_tx *tx, struct err *err)
{
    (void)err;
    uv_mutex_lock(&store_of(tx->store)->lock);
    return true;
}

static bool memory_savepoint(struct store_tx *tx, struct err *err)
{
    (void)err;
    memory_of(tx)->savepoint = map_mark(memory_of(tx)->map);
    return true;
}

static bool memory_savepoint_keep(struct store_tx *tx, struct err *err)
{
    (void)err;
    memory_of(tx)->savepoint = NULL;
    return true;
}

static bool memory_savepoint_undo(struct store_tx *tx, struct err *err)
{
    (void)err;
    map_undo_to(memory_of(tx)->map, memory_of(tx)->savepoint);
    return true;
}

static bool memory_commit(struct store_tx *base, struct err *err)
{
    struct memory_tx *tx = memory_of(base);
    struct store_figures figures = { 0 };
    (void)err;
    memory_totals(tx, &figures);
    memory_key(tx, TABLE_FIGURES);
    encode_signed(&tx->value, figures.resources + base->tally.resources);
    encode_signed(&tx->value, figures.patients + base->tally.patients);
    memory_put(tx);
    map_keep_all(tx->map);
    uv_mutex_unlock(&store_of(base->store)->lock);
    return true;
}

static void memory_rollback(struct store_tx *tx)
{
    map_undo_to(memory_of(tx)->map, NULL);
    uv_mutex_unlock(&store_of(tx->store)->lock);
}

/* --- keys and values ---------------------------------------------------------------------- */

void memory_key(struct memory_tx *tx, enum memory_table table)
{
    buffer_reset(&tx->key);
    buffer_reset(&tx->value);
    buffer_add_char(&tx->key, (char)table);
}

void memory_key_number(struct memory_tx *tx, int64_t number)
{
    char bytes[8];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(unsigned char)((uint64_t)number >> (56 - 8 * i));
    buffer_add(&tx->key, (struct slice){ bytes, sizeof bytes });
}

void memory_key_text(struct memory_tx *tx, struct slice text)
{
    memory_key_number(tx, (int64_t)text.len);
    buffer_add(&tx->key, text);
}

bool memory_is_in(const struct map_node *node, struct slice prefix)
{
    return node != NULL && slice_starts(map_key(node), prefix);
}

int64_t memory_last_number(const struct map_node *node)
{
    struct slice key = map_key(node);
    uint64_t number = 0;
    CHECK(key.len >= 8);
    for (const char *at = key.at + key.len - 8; at < key.at + key.len; at++)
        number = number << 8 | (unsigned char)*at;
    return (int64_t)number;
}

/* A skip list does not know its last node: the tables that ask are small or grow by one, so the
 * last key is found by halving. */
int64_t memory_greatest(struct memory_tx *tx, enum memory_table table)
{
    const char prefix_byte = (char)table;
    const struct slice prefix = { &prefix_byte, 1 };
    int64_t low = 0, high = INT64_MAX;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        memory_key(tx, table);
        memory_key_number(tx, middle + 1);
        const struct map_node *node = map_seek(tx->map, memory_key_now(tx));
        if (memory_is_in(node, prefix))
            low = memory_last_number(node);
        else
            high = middle;
    }
    return low;
}

void memory_numbers(struct memory_tx *tx, int64_t after, unsigned max, int64_t *out,
                    unsigned *count)
{
    size_t prefix_len = tx->key.len;
    memory_key_number(tx, after + 1);
    const struct map_node *node = map_seek(tx->map, memory_key_now(tx));
    const struct slice prefix = { tx->key.at, prefix_len };
    unsigned got = 0;
    for (; got < max && memory_is_in(node, prefix); node = map_next(node))
        out[got++] = memory_last_number(node);
    *count = got;
}

void memory_put(struct memory_tx *tx)
{
    CHECK(!buffer_overflowed(&tx->key));
    CHECK(!buffer_overflowed(&tx->value));
    map_put(tx->map, memory_key_now(tx), buffer_slice(&tx->value));
}

bool memory_number(struct memory_tx *tx, int64_t *out)
{
    const struct map_node *node = map_get(tx->map, memory_key_now(tx));
    if (node == NULL)
        return false;
    struct decoder from = decoder_of(node->value);
    *out = decode_signed(&from);
    return true;
}

/* clang-format off */
const struct store_ops memory_ops = {
    .store_close = memory_store_close, .tx_open = memory_tx_open, .tx_close = memory_tx_close,
    .begin = memory_begin, .commit = memory_commit, .rollback = memory_rollback,
    .savepoint = memory_savepoint, .savepoint_keep = memory_savepoint_keep,
    .savepoint_undo = memory_savepoint_undo,
#define SAME(name) .name = memory_##name
    SAME(tenant_find), SAME(tenant_create),
    SAME(resource_insert), SAME(resource_update), SAME(resource_get), SAME(resource_find),
    SAME(resource_version), SAME(resource_scan), SAME(resource_changes),
    SAME(identifier_put), SAME(identifier_clear), SAME(identifier_find),
    SAME(mention_append), SAME(mention_scan),
    SAME(patient_find), SAME(patient_create), SAME(patient_load), SAME(patient_save),
    SAME(patient_name), SAME(patients_due), SAME(patients), SAME(setting_get), SAME(setting_put), SAME(link_put), SAME(link_scan),
    SAME(outbox_insert), SAME(outbox_write), SAME(outbox_get), SAME(outbox_find),
    SAME(outbox_due), SAME(outbox_list), SAME(outbox_next_due),
    SAME(audit_append), SAME(audit_head), SAME(audit_set_head), SAME(audit_scan),
    SAME(audit_sign), SAME(audit_signatures),
    SAME(unmapped_count), SAME(unmapped_list), SAME(figures),
#undef SAME
};
/* clang-format on */
