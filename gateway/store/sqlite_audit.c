/* The audit log, the list of what no mapping knew, and the figures, in SQLite. */
#include "store/sqlite_int.h"

/* --- the chain ---------------------------------------------------------------------------- */

bool sqlite_audit_append(struct store_tx *base, const struct audit_row *row, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_AUDIT_APPEND, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, row->seq);
    sqlite_put_blob(statement, 2, row->record);
    sqlite_put_hash(statement, 3, &row->hash);
    return sqlite_run(tx, SQL_AUDIT_APPEND, err);
}

bool sqlite_audit_head(struct store_tx *base, int64_t *seq, struct sha256 *hash, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_AUDIT_HEAD, err);
    bool has_row = false;
    if (statement == NULL || !sqlite_next(tx, SQL_AUDIT_HEAD, &has_row, err))
        return false;
    bool is_read = has_row ? sqlite_hash(statement, 1, hash, err)
                           : err_fail(err, ERR_CORRUPT, "store.audit", "the head is missing");
    if (is_read)
        *seq = sqlite3_column_int64(statement, 0);
    sqlite_end(tx, SQL_AUDIT_HEAD);
    return is_read;
}

bool sqlite_audit_set_head(struct store_tx *base, int64_t seq, const struct sha256 *hash,
                           struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_AUDIT_SET_HEAD, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, seq);
    sqlite_put_hash(statement, 2, hash);
    return sqlite_run(tx, SQL_AUDIT_SET_HEAD, err);
}

static bool read_audit_row(sqlite3_stmt *statement, bool has_hash, struct arena *arena,
                           struct audit_row *out, struct err *err)
{
    struct audit_row row = { .seq = sqlite3_column_int64(statement, 0) };
    if (has_hash && !sqlite_hash(statement, 2, &row.hash, err))
        return false;
    if (!store_copy(arena, sqlite_slice(statement, 1), &row.record, err))
        return false;
    *out = row;
    return true;
}

/* Rows of the log, or of the signatures, which have the same form but for the hash. */
static bool scan(struct sqlite_tx *tx, enum sqlite_sql which, int64_t after, unsigned limit,
                 struct arena *arena, struct audit_row **rows, unsigned *count, struct err *err)
{
    sqlite3_stmt *statement = sqlite_use(tx, which, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, after);
    sqlite_put_integer(statement, 2, limit);
    void *all = NULL;
    unsigned got = 0;
    for (bool has_row = true;; got++) {
        if (!sqlite_next(tx, which, &has_row, err))
            return false;
        if (!has_row)
            break;
        struct audit_row *room = store_row_room(arena, &all, got, sizeof *room);
        if (room == NULL ? !store_no_room(err)
                         : !read_audit_row(statement, which == SQL_AUDIT_SCAN, arena, room, err)) {
            sqlite_end(tx, which);
            return false;
        }
    }
    *rows = all;
    *count = got;
    return true;
}

bool sqlite_audit_scan(struct store_tx *base, int64_t after, unsigned limit, struct arena *arena,
                       struct audit_row **rows, unsigned *count, struct err *err)
{
    return scan(sqlite_of(base), SQL_AUDIT_SCAN, after, limit, arena, rows, count, err);
}

bool sqlite_audit_sign(struct store_tx *base, int64_t seq, struct slice statement_text,
                       struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_AUDIT_SIGN, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, seq);
    sqlite_put_blob(statement, 2, statement_text);
    return sqlite_run(tx, SQL_AUDIT_SIGN, err);
}

bool sqlite_audit_signatures(struct store_tx *base, int64_t after, unsigned limit,
                             struct arena *arena, struct audit_row **rows, unsigned *count,
                             struct err *err)
{
    return scan(sqlite_of(base), SQL_AUDIT_SIGNATURES, after, limit, arena, rows, count, err);
}

/* --- what no mapping knew ----------------------------------------------------------------- */

bool sqlite_unmapped_count(struct store_tx *base, const struct unmapped_row *row, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_UNMAPPED_COUNT, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, row->tenant);
    sqlite_put_integer(statement, 2, row->type);
    sqlite_put_text(statement, 3, row->system);
    sqlite_put_text(statement, 4, row->code);
    sqlite_put_text(statement, 5, row->text);
    sqlite_put_integer(statement, 6, row->first_ms);
    sqlite_put_integer(statement, 7, row->last_ms);
    return sqlite_run(tx, SQL_UNMAPPED_COUNT, err);
}

static bool read_unmapped(sqlite3_stmt *statement, struct arena *arena, struct unmapped_row *out,
                          struct err *err)
{
    struct unmapped_row row = {
        .tenant = sqlite3_column_int(statement, 0),
        .type = (enum fhir_type)sqlite3_column_int(statement, 1),
        .count = sqlite3_column_int64(statement, 5),
        .first_ms = sqlite3_column_int64(statement, 6),
        .last_ms = sqlite3_column_int64(statement, 7),
    };
    if (!store_copy(arena, sqlite_slice(statement, 2), &row.system, err) ||
        !store_copy(arena, sqlite_slice(statement, 3), &row.code, err) ||
        !store_copy(arena, sqlite_slice(statement, 4), &row.text, err))
        return false;
    *out = row;
    return true;
}

bool sqlite_unmapped_list(struct store_tx *base, unsigned limit, struct arena *arena,
                          struct unmapped_row **rows, unsigned *count, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_UNMAPPED_LIST, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, limit);
    void *all = NULL;
    unsigned got = 0;
    for (bool has_row = true;; got++) {
        if (!sqlite_next(tx, SQL_UNMAPPED_LIST, &has_row, err))
            return false;
        if (!has_row)
            break;
        struct unmapped_row *room = store_row_room(arena, &all, got, sizeof *room);
        if (room == NULL ? !store_no_room(err) : !read_unmapped(statement, arena, room, err)) {
            sqlite_end(tx, SQL_UNMAPPED_LIST);
            return false;
        }
    }
    *rows = all;
    *count = got;
    return true;
}

/* --- figures ------------------------------------------------------------------------------ */

static bool count_outbox(struct sqlite_tx *tx, struct store_figures *out, struct err *err)
{
    sqlite3_stmt *statement = sqlite_use(tx, SQL_OUTBOX_COUNT, err);
    if (statement == NULL)
        return false;
    bool has_row = false;
    if (!sqlite_next(tx, SQL_OUTBOX_COUNT, &has_row, err))
        return false;
    CHECK(has_row);
    out->outbox_pending = sqlite3_column_int64(statement, 0);
    out->outbox_unknown = sqlite3_column_int64(statement, 1);
    sqlite_end(tx, SQL_OUTBOX_COUNT);
    unsigned count = 0;
    return sqlite_use(tx, SQL_OUTBOX_COUNT_DEAD, err) != NULL &&
           sqlite_keys(tx, SQL_OUTBOX_COUNT_DEAD, &out->outbox_dead, 1, &count, err);
}

bool sqlite_figures(struct store_tx *base, struct store_figures *out, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    struct store_figures figures = { 0 };
    sqlite3_stmt *statement = sqlite_use(tx, SQL_FIGURES, err);
    bool has_row = false;
    if (statement == NULL || !sqlite_next(tx, SQL_FIGURES, &has_row, err))
        return false;
    if (has_row) {
        figures.resources = sqlite3_column_int64(statement, 0);
        figures.patients = sqlite3_column_int64(statement, 1);
        figures.audit_records = sqlite3_column_int64(statement, 2);
    }
    sqlite_end(tx, SQL_FIGURES);
    if (!count_outbox(tx, &figures, err))
        return false;
    *out = figures;
    return true;
}
