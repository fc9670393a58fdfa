#include "store/ledger.h"

#include "store/store_int.h"

#define CHUNK_ROWS 1000
#define CHUNK_BYTES ((size_t)256 * 1024 * 1024)

/* --- appending ---------------------------------------------------------------------------- */

bool ledger_append(struct store_tx *tx, const struct audit_record *record, struct err *err)
{
    struct audit_head head;
    if (!store_audit_head(tx, &head.seq, &head.hash, err))
        return false;
    buffer_reset(&tx->line);
    audit_write(record, &head, &tx->line);
    if (buffer_overflowed(&tx->line))
        return err_fail(err, ERR_TOO_LARGE, "store.audit", "the audit record is too long");
    struct audit_row row = { .seq = head.seq,
                             .record = buffer_slice(&tx->line),
                             .hash = head.hash };
    return store_audit_append(tx, &row, err) && store_audit_set_head(tx, head.seq, &head.hash, err);
}

bool ledger_sign(struct store_tx *tx, const struct audit_key *key, int64_t now_ms, struct err *err)
{
    struct audit_head head;
    struct buffer statement;
    if (!store_audit_head(tx, &head.seq, &head.hash, err))
        return false;
    if (head.seq == 0)
        return true; /* nothing to vouch for yet */
    buffer_init(&statement, AUDIT_STATEMENT_MAX);
    bool is_signed = audit_sign(key, &head, now_ms, &statement, err) &&
                     store_audit_sign(tx, head.seq, buffer_slice(&statement), err);
    buffer_fini(&statement);
    return is_signed;
}

/* --- verifying ---------------------------------------------------------------------------- */

/* Rows and signed heads are read side by side, a chunk at a time. */
struct walk {
    struct store_tx *tx;
    const struct audit_key *key;
    struct audit_verifier *verifier;
    struct arena rows_arena, heads_arena;
    struct audit_row *heads; /* signed */
    unsigned head_count, head_next;
    int64_t row_after, head_after;
    bool heads_are_read; /* of this transaction, to the last */
    bool is_at_end;
};

/* The next signed head up to `seq`, NULL when there are no more. */
static bool next_head(struct walk *walk, int64_t seq, const struct audit_row **out, struct err *err)
{
    if (walk->head_next == walk->head_count && !walk->heads_are_read) {
        arena_reset(&walk->heads_arena);
        walk->head_next = walk->head_count = 0;
        if (!store_audit_signatures(walk->tx, walk->head_after, CHUNK_ROWS, &walk->heads_arena,
                                    &walk->heads, &walk->head_count, err))
            return false;
        walk->heads_are_read = walk->head_count < CHUNK_ROWS;
    }
    bool is_there = walk->head_next < walk->head_count && walk->heads[walk->head_next].seq <= seq;
    *out = is_there ? &walk->heads[walk->head_next++] : NULL;
    if (is_there)
        walk->head_after = (*out)->seq;
    return true;
}

/* False when reading failed or a fault is certain: the same for all of these. */
static bool check_heads(struct walk *walk, int64_t up_to, struct err *err)
{
    for (const struct audit_row *head;;) {
        if (!next_head(walk, up_to, &head, err))
            return false;
        if (head == NULL)
            return true;
        if (!audit_verify_statement(walk->verifier, walk->key, head->record))
            return false;
    }
}

/* After the last row: signed heads beyond it, and the head kept apart. */
static bool check_end(struct walk *walk, struct err *err)
{
    struct audit_head head;
    return store_audit_head(walk->tx, &head.seq, &head.hash, err) &&
           check_heads(walk, INT64_MAX, err) && audit_verify_end(walk->verifier, &head);
}

static bool check_chunk(struct walk *walk, struct err *err)
{
    struct audit_row *rows = NULL;
    unsigned count = 0;
    arena_reset(&walk->rows_arena);
    walk->heads_are_read = false;
    /* First heads that were signed since the last chunk, at its last record. */
    if (!check_heads(walk, walk->row_after, err) ||
        !store_audit_scan(walk->tx, walk->row_after, CHUNK_ROWS, &walk->rows_arena, &rows, &count,
                          err))
        return false;
    for (unsigned i = 0; i < count; i++)
        if (!audit_verify_row(walk->verifier, rows[i].seq, rows[i].record, &rows[i].hash) ||
            !check_heads(walk, rows[i].seq, err))
            return false;
    walk->is_at_end = count < CHUNK_ROWS;
    if (walk->is_at_end)
        return check_end(walk, err);
    walk->row_after = rows[count - 1].seq;
    return true;
}

/* Outside a transaction each chunk has one of its own, so that a long verification does not keep
 * the write-ahead log of a live store from being emptied; records never change once written. */
static bool check_all(struct walk *walk, struct err *err)
{
    bool has_own = !walk->tx->is_begun;
    bool is_whole = true;
    while (is_whole && !walk->is_at_end) {
        if (has_own && !store_begin(walk->tx, err))
            return false;
        is_whole = check_chunk(walk, err);
        if (has_own)
            store_rollback(walk->tx);
    }
    return is_whole;
}

bool ledger_verify(struct store_tx *tx, const struct audit_key *key, struct audit_verifier *out,
                   struct err *err)
{
    struct walk walk = { .tx = tx, .key = key, .verifier = out };
    *err = (struct err){ .code = ERR_OK };
    audit_verify_start(out);
    arena_init(&walk.rows_arena, CHUNK_BYTES);
    arena_init(&walk.heads_arena, CHUNK_BYTES);
    (void)!check_all(&walk, err);
    arena_fini(&walk.rows_arena);
    arena_fini(&walk.heads_arena);
    return err->code == ERR_OK;
}
