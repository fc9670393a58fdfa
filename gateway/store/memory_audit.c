/* The audit log, the list of what no mapping knew, and the figures, in memory. */
#include <stdlib.h>

#include "store/memory_int.h"

static struct slice table_prefix(const char *table) { return (struct slice){ table, 1 }; }

static struct slice hash_slice(const struct sha256 *hash)
{
    return (struct slice){ (const char *)hash->bytes, SHA256_BYTES };
}

/* --- the chain ---------------------------------------------------------------------------- */

bool memory_audit_append(struct store_tx *base, const struct audit_row *row, struct err *err)
{
    struct memory_tx *tx = memory_of(base);
    memory_key(tx, TABLE_AUDIT);
    memory_key_number(tx, row->seq);
    if (map_get(tx->map, memory_key_now(tx)) != NULL)
        return err_fail(err, ERR_CONFLICT, "store.audit", "the sequence number is taken");
    buffer_add(&tx->value, hash_slice(&row->hash));
    buffer_add(&tx->value, row->record);
    memory_put(tx);
    return true;
}

bool memory_audit_head(struct store_tx *base, int64_t *seq, struct sha256 *hash, struct err *err)
{
    (void)err;
    struct memory_tx *tx = memory_of(base);
    memory_key(tx, TABLE_HEAD);
    const struct map_node *node = map_get(tx->map, memory_key_now(tx));
    *seq = 0;
    memset(hash, 0, sizeof *hash);
    if (node == NULL)
        return true;
    memcpy(hash->bytes, node->value.at, SHA256_BYTES);
    struct decoder from = decoder_of(slice_skip(node->value, SHA256_BYTES));
    *seq = decode_signed(&from);
    return true;
}

bool memory_audit_set_head(struct store_tx *base, int64_t seq, const struct sha256 *hash,
                           struct err *err)
{
    (void)err;
    struct memory_tx *tx = memory_of(base);
    memory_key(tx, TABLE_HEAD);
    buffer_add(&tx->value, hash_slice(hash));
    encode_signed(&tx->value, seq);
    memory_put(tx);
    return true;
}

/* Rows of the log begin with their hash; signatures have none. */
static bool read_row(const struct map_node *node, bool has_hash, struct arena *arena,
                     struct audit_row *out, struct err *err)
{
    struct audit_row row = { .seq = memory_last_number(node), .record = node->value };
    if (has_hash) {
        memcpy(row.hash.bytes, node->value.at, SHA256_BYTES);
        row.record = slice_skip(node->value, SHA256_BYTES);
    }
    if (!store_copy(arena, row.record, &row.record, err))
        return false;
    *out = row;
    return true;
}

static bool scan(struct memory_tx *tx, enum memory_table which, int64_t after, unsigned limit,
                 struct arena *arena, struct audit_row **rows, unsigned *count, struct err *err)
{
    const char table = (char)which;
    void *all = NULL;
    unsigned got = 0;
    memory_key(tx, which);
    memory_key_number(tx, after + 1);
    for (const struct map_node *node = map_seek(tx->map, memory_key_now(tx));
         got < limit && memory_is_in(node, table_prefix(&table)); node = map_next(node), got++) {
        struct audit_row *room = store_row_room(arena, &all, got, sizeof *room);
        if (room == NULL)
            return store_no_room(err);
        if (!read_row(node, which == TABLE_AUDIT, arena, room, err))
            return false;
    }
    *rows = all;
    *count = got;
    return true;
}

bool memory_audit_scan(struct store_tx *base, int64_t after, unsigned limit, struct arena *arena,
                       struct audit_row **rows, unsigned *count, struct err *err)
{
    return scan(memory_of(base), TABLE_AUDIT, after, limit, arena, rows, count, err);
}

bool memory_audit_sign(struct store_tx *base, int64_t seq, struct slice statement, struct err *err)
{
    (void)err;
    struct memory_tx *tx = memory_of(base);
    memory_key(tx, TABLE_SIGNATURE);
    memory_key_number(tx, seq);
    buffer_add(&tx->value, statement);
    memory_put(tx);
    return true;
}

bool memory_audit_signatures(struct store_tx *base, int64_t after, unsigned limit,
                             struct arena *arena, struct audit_row **rows, unsigned *count,
                             struct err *err)
{
    return scan(memory_of(base), TABLE_SIGNATURE, after, limit, arena, rows, count, err);
}

/* --- what no mapping knew ----------------------------------------------------------------- */

static struct unmapped_row decode_unmapped(struct slice value)
{
    struct decoder from = decoder_of(value);
    struct unmapped_row row = { .tenant = (int32_t)decode_signed(&from) };
    row.type = (enum fhir_type)decode_varint(&from);
    row.count = decode_signed(&from);
    row.first_ms = decode_signed(&from);
    row.last_ms = decode_signed(&from);
    row.system = decode_slice(&from);
    row.code = decode_slice(&from);
    row.text = decode_slice(&from);
    CHECK(!from.bad);
    return row;
}

bool memory_unmapped_count(struct store_tx *base, const struct unmapped_row *row, struct err *err)
{
    (void)err;
    struct memory_tx *tx = memory_of(base);
    struct unmapped_row next = *row;
    next.count = 1;
    memory_key(tx, TABLE_UNMAPPED);
    memory_key_number(tx, row->tenant);
    memory_key_number(tx, row->type);
    memory_key_text(tx, row->system);
    memory_key_text(tx, row->code);
    memory_key_text(tx, row->text);
    const struct map_node *node = map_get(tx->map, memory_key_now(tx));
    if (node != NULL) {
        struct unmapped_row old = decode_unmapped(node->value);
        next.count = old.count + 1;
        next.first_ms = old.first_ms < row->first_ms ? old.first_ms : row->first_ms;
        next.last_ms = old.last_ms > row->last_ms ? old.last_ms : row->last_ms;
    }
    encode_signed(&tx->value, next.tenant);
    encode_varint(&tx->value, (uint64_t)next.type);
    encode_signed(&tx->value, next.count);
    encode_signed(&tx->value, next.first_ms);
    encode_signed(&tx->value, next.last_ms);
    encode_slice(&tx->value, next.system);
    encode_slice(&tx->value, next.code);
    encode_slice(&tx->value, next.text);
    memory_put(tx);
    return true;
}

static int compare_unmapped(const void *a, const void *b)
{
    const struct unmapped_row *left = a, *right = b;
    int by_system = slice_cmp(left->system, right->system);
    int by_code = slice_cmp(left->code, right->code);
    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    if (left->tenant != right->tenant)
        return left->tenant < right->tenant ? -1 : 1;
    if (left->type != right->type)
        return left->type < right->type ? -1 : 1;
    if (by_system != 0)
        return by_system;
    return by_code != 0 ? by_code : slice_cmp(left->text, right->text);
}

bool memory_unmapped_list(struct store_tx *base, unsigned limit, struct arena *arena,
                          struct unmapped_row **rows, unsigned *count, struct err *err)
{
    const char table = TABLE_UNMAPPED;
    void *all = NULL;
    unsigned got = 0;
    const struct map_node *node = map_seek(memory_of(base)->map, table_prefix(&table));
    for (; memory_is_in(node, table_prefix(&table)); node = map_next(node), got++) {
        struct unmapped_row *room = store_row_room(arena, &all, got, sizeof *room);
        if (room == NULL)
            return store_no_room(err);
        *room = decode_unmapped(node->value);
        if (!store_copy(arena, room->system, &room->system, err) ||
            !store_copy(arena, room->code, &room->code, err) ||
            !store_copy(arena, room->text, &room->text, err))
            return false;
    }
    if (got > 0)
        qsort(all, got, sizeof(struct unmapped_row), compare_unmapped);
    *rows = all;
    *count = got < limit ? got : limit;
    return true;
}

/* --- figures ------------------------------------------------------------------------------ */

/* The counts kept apart, as of the last commit. */
void memory_totals(struct memory_tx *tx, struct store_figures *out)
{
    memory_key(tx, TABLE_FIGURES);
    const struct map_node *node = map_get(tx->map, memory_key_now(tx));
    if (node == NULL)
        return;
    struct decoder from = decoder_of(node->value);
    out->resources = decode_signed(&from);
    out->patients = decode_signed(&from);
}

static bool count_outbox(struct store_tx *base, struct store_figures *out, struct err *err)
{
    struct arena scratch;
    struct outbox_row *rows = NULL;
    unsigned count = 0;
    arena_init(&scratch, SIZE_MAX);
    bool is_read = memory_outbox_list(base, 0, 0, UINT32_MAX, &scratch, &rows, &count, err);
    for (unsigned i = 0; is_read && i < count; i++) {
        out->outbox_pending += rows[i].state == OUTBOX_PENDING;
        out->outbox_dead += rows[i].state == OUTBOX_DEAD;
        out->outbox_unknown += rows[i].state == OUTBOX_UNKNOWN;
    }
    arena_fini(&scratch);
    return is_read;
}

bool memory_figures(struct store_tx *base, struct store_figures *out, struct err *err)
{
    struct store_figures figures = { 0 };
    struct sha256 hash;
    memory_totals(memory_of(base), &figures);
    if (!memory_audit_head(base, &figures.audit_records, &hash, err) ||
        !count_outbox(base, &figures, err))
        return false;
    *out = figures;
    return true;
}
