/* The outbox, the audit log, the list of what no mapping knew and the figures, in memory. */
#include <stdlib.h>

#include "store/memory_int.h"

static struct slice table_prefix(const char *table) { return (struct slice){ table, 1 }; }

/* --- outbox ------------------------------------------------------------------------------- */

static void encode_hash(struct buffer *out, const struct sha256 *hash)
{
    buffer_add(out, (struct slice){ (const char *)hash->bytes, SHA256_BYTES });
}

static void decode_hash(struct decoder *from, struct sha256 *out)
{
    CHECK(from->end - from->at >= SHA256_BYTES);
    memcpy(out->bytes, from->at, SHA256_BYTES);
    from->at += SHA256_BYTES;
}

static void encode_row(struct buffer *out, const struct outbox_row *row)
{
    const int64_t numbers[] = { row->key,        row->tenant,     row->patient,     row->kind,
                                row->wish,       row->state,      row->attempts,    row->due_ms,
                                row->created_ms, row->changed_ms, row->last_status, row->revision };
    const struct slice texts[] = { row->patient_name, row->destination, row->disease,
                                   row->identity,     row->body,        row->target_id,
                                   row->target_etag,  row->last_error };
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        encode_signed(out, numbers[i]);
    encode_hash(out, &row->wanted);
    encode_hash(out, &row->held);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        encode_slice(out, texts[i]);
}

/* Slices are borrowed from the map. */
static struct outbox_row decode_row(struct slice value)
{
    struct decoder from = decoder_of(value);
    struct outbox_row row = { .key = decode_signed(&from) };
    row.tenant = (int32_t)decode_signed(&from);
    row.patient = decode_signed(&from);
    row.kind = (enum posting_kind)decode_signed(&from);
    row.wish = (enum posting_wish)decode_signed(&from);
    row.state = (enum outbox_state)decode_signed(&from);
    row.attempts = (uint32_t)decode_signed(&from);
    row.due_ms = decode_signed(&from);
    row.created_ms = decode_signed(&from);
    row.changed_ms = decode_signed(&from);
    row.last_status = (int32_t)decode_signed(&from);
    row.revision = (uint32_t)decode_signed(&from);
    decode_hash(&from, &row.wanted);
    decode_hash(&from, &row.held);
    struct slice *const texts[] = { &row.patient_name, &row.destination, &row.disease,
                                    &row.identity,     &row.body,        &row.target_id,
                                    &row.target_etag,  &row.last_error };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *texts[i] = decode_slice(&from);
    CHECK(!from.bad);
    return row;
}

static bool copy_row(const struct map_node *node, struct arena *arena, struct outbox_row *out,
                     struct err *err)
{
    struct outbox_row row = decode_row(node->value);
    struct slice *const texts[] = { &row.patient_name, &row.destination, &row.disease,
                                    &row.identity,     &row.body,        &row.target_id,
                                    &row.target_etag,  &row.last_error };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (!store_copy(arena, *texts[i], texts[i], err))
            return false;
    *out = row;
    return true;
}

static void key_of_identity(struct memory_tx *tx, int32_t tenant, struct slice destination,
                            struct slice identity)
{
    memory_key(tx, TABLE_OUTBOX_ID);
    memory_key_number(tx, tenant);
    memory_key_text(tx, destination);
    memory_key_text(tx, identity);
}

bool memory_outbox_write(struct store_tx *base, const struct outbox_row *row, struct err *err)
{
    (void)err;
    struct memory_tx *tx = memory_of(base);
    memory_key(tx, TABLE_OUTBOX);
    memory_key_number(tx, row->key);
    encode_row(&tx->value, row);
    memory_put(tx);
    return true;
}

bool memory_outbox_insert(struct store_tx *base, const struct outbox_row *row, struct err *err)
{
    struct memory_tx *tx = memory_of(base);
    struct outbox_row copy = *row;
    copy.key = memory_greatest(tx, TABLE_OUTBOX) + 1;
    key_of_identity(tx, row->tenant, row->destination, row->identity);
    encode_signed(&tx->value, copy.key);
    memory_put(tx);
    return memory_outbox_write(base, &copy, err);
}

bool memory_setting_put(struct store_tx *base, struct slice name, struct slice value,
                        struct err *err)
{
    (void)err;
    struct memory_tx *tx = memory_of(base);
    memory_key(tx, TABLE_SETTING);
    memory_key_text(tx, name);
    buffer_add(&tx->value, value);
    memory_put(tx);
    return true;
}

bool memory_setting_get(struct store_tx *base, struct slice name, struct arena *arena,
                        struct slice *out, struct err *err)
{
    struct memory_tx *tx = memory_of(base);
    memory_key(tx, TABLE_SETTING);
    memory_key_text(tx, name);
    const struct map_node *node = map_get(tx->map, memory_key_now(tx));
    *out = SLICE("");
    return node == NULL || store_copy(arena, node->value, out, err);
}

bool memory_outbox_get(struct store_tx *base, int64_t key, struct arena *arena,
                       struct outbox_row *out, bool *found, struct err *err)
{
    struct memory_tx *tx = memory_of(base);
    memory_key(tx, TABLE_OUTBOX);
    memory_key_number(tx, key);
    const struct map_node *node = map_get(tx->map, memory_key_now(tx));
    if (node != NULL && !copy_row(node, arena, out, err))
        return false;
    *found = node != NULL;
    return true;
}

bool memory_outbox_find(struct store_tx *base, int32_t tenant, struct slice destination,
                        struct slice identity, int64_t *key, bool *found, struct err *err)
{
    (void)err;
    key_of_identity(memory_of(base), tenant, destination, identity);
    *found = memory_number(memory_of(base), key);
    return true;
}

static bool may_be_sent(const struct outbox_row *row, struct slice destination)
{
    return (row->state == OUTBOX_PENDING || row->state == OUTBOX_UNKNOWN) &&
           slice_eq(row->destination, destination);
}

/* In order of key instead of due time: the order of offers only matters beyond pick->max. */
bool memory_outbox_due(struct store_tx *base, struct slice destination, int64_t now_ms,
                       struct outbox_pick *pick, struct err *err)
{
    (void)err;
    const char table = TABLE_OUTBOX;
    const struct map_node *node = map_seek(memory_of(base)->map, table_prefix(&table));
    for (; memory_is_in(node, table_prefix(&table)); node = map_next(node)) {
        struct outbox_row row = decode_row(node->value);
        if (may_be_sent(&row, destination) && row.due_ms <= now_ms &&
            !outbox_pick_offer(pick, row.key, row.patient))
            break;
    }
    return true;
}

bool memory_outbox_list(struct store_tx *base, enum outbox_state state, int64_t after,
                        unsigned limit, struct arena *arena, struct outbox_row **rows,
                        unsigned *count, struct err *err)
{
    struct memory_tx *tx = memory_of(base);
    const char table = TABLE_OUTBOX;
    void *all = NULL;
    unsigned got = 0;
    memory_key(tx, TABLE_OUTBOX);
    memory_key_number(tx, after + 1);
    for (const struct map_node *node = map_seek(tx->map, memory_key_now(tx));
         got < limit && memory_is_in(node, table_prefix(&table)); node = map_next(node)) {
        if (state != 0 && decode_row(node->value).state != state)
            continue;
        struct outbox_row *room = store_row_room(arena, &all, got, sizeof *room);
        if (room == NULL)
            return store_no_room(err);
        if (!copy_row(node, arena, room, err))
            return false;
        got++;
    }
    *rows = all;
    *count = got;
    return true;
}

bool memory_outbox_next_due(struct store_tx *base, struct slice destination, int64_t *due_ms,
                            struct err *err)
{
    (void)err;
    const char table = TABLE_OUTBOX;
    const struct map_node *node = map_seek(memory_of(base)->map, table_prefix(&table));
    int64_t first = INT64_MAX;
    for (; memory_is_in(node, table_prefix(&table)); node = map_next(node)) {
        struct outbox_row row = decode_row(node->value);
        if (may_be_sent(&row, destination) && row.due_ms < first)
            first = row.due_ms;
    }
    *due_ms = first;
    return true;
}
