#include <stdio.h>

#include "store/sqlite_int.h"

static const struct {
    const char *name, *text;
} sql[SQL_COUNT] = {
#define X(name, text) { #name, text },
    SQL_TABLE(X)
#undef X
};

/* --- errors ------------------------------------------------------------------------------- */

static enum err_code code_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_CONSTRAINT:
        return ERR_CONFLICT;
    case SQLITE_TOOBIG:
        return ERR_TOO_LARGE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    default:
        return ERR_STORAGE;
    }
}

/* sqlite3_errmsg() may quote what we bound; the text of the result code never does. */
bool sqlite_failed(sqlite3 *db, const char *where, struct err *err)
{
    int result = db != NULL ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;
    return err_fail(err, code_of(result), where, "sqlite: %s (%d)", sqlite3_errstr(result), result);
}

/* SQLite gives up a whole transaction when the disk is full or fails.  What follows would then be
 * committed statement by statement: never. */
static bool failed_in(struct sqlite_tx *tx, enum sqlite_sql which, struct err *err)
{
    char where[64];
    snprintf(where, sizeof where, "store.%s", sql[which].name);
    sqlite_failed(tx->db, where, err);
    if (tx->base.is_begun && sqlite3_get_autocommit(tx->db) != 0)
        tx->base.is_lost = true;
    return false;
}

/* --- running ------------------------------------------------------------------------------ */

sqlite3_stmt *sqlite_use(struct sqlite_tx *tx, enum sqlite_sql which, struct err *err)
{
    if (tx->statements[which] == NULL &&
        sqlite3_prepare_v3(tx->db, sql[which].text, -1, SQLITE_PREPARE_PERSISTENT,
                           &tx->statements[which], NULL) != SQLITE_OK)
        failed_in(tx, which, err);
    return tx->statements[which];
}

bool sqlite_next(struct sqlite_tx *tx, enum sqlite_sql which, bool *has_row, struct err *err)
{
    sqlite3_stmt *statement = tx->statements[which];
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        *has_row = true;
        return true;
    }
    bool is_done = result == SQLITE_DONE || failed_in(tx, which, err);
    sqlite3_reset(statement);
    if (is_done)
        *has_row = false;
    return is_done;
}

bool sqlite_run(struct sqlite_tx *tx, enum sqlite_sql which, struct err *err)
{
    bool has_row = false;
    if (!sqlite_next(tx, which, &has_row, err))
        return false;
    CHECK(!has_row);
    return true;
}

void sqlite_end(struct sqlite_tx *tx, enum sqlite_sql which)
{
    sqlite3_reset(tx->statements[which]);
}

bool sqlite_exec(sqlite3 *db, const char *text, const char *where, struct err *err)
{
    return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK || sqlite_failed(db, where, err);
}

bool sqlite_keys(struct sqlite_tx *tx, enum sqlite_sql which, int64_t *keys, unsigned max,
                 unsigned *count, struct err *err)
{
    unsigned got = 0;
    bool has_row = true;
    while (got < max) {
        if (!sqlite_next(tx, which, &has_row, err))
            return false;
        if (!has_row)
            break;
        keys[got++] = sqlite3_column_int64(tx->statements[which], 0);
    }
    sqlite_end(tx, which);
    *count = got;
    return true;
}

/* --- values ------------------------------------------------------------------------------- */

/* Binding can only fail for want of memory or by our own mistake. */
void sqlite_put_integer(sqlite3_stmt *statement, int at, int64_t value)
{
    CHECK(sqlite3_bind_int64(statement, at, value) == SQLITE_OK);
}

void sqlite_put_text(sqlite3_stmt *statement, int at, struct slice text)
{
    CHECK(sqlite3_bind_text64(statement, at, text.len > 0 ? text.at : "", text.len, SQLITE_STATIC,
                              SQLITE_UTF8) == SQLITE_OK);
}

void sqlite_put_blob(sqlite3_stmt *statement, int at, struct slice bytes)
{
    CHECK(sqlite3_bind_blob64(statement, at, bytes.len > 0 ? bytes.at : "", bytes.len,
                              SQLITE_STATIC) == SQLITE_OK);
}

void sqlite_put_hash(sqlite3_stmt *statement, int at, const struct sha256 *hash)
{
    CHECK(sqlite3_bind_blob(statement, at, hash->bytes, SHA256_BYTES, SQLITE_STATIC) == SQLITE_OK);
}

struct slice sqlite_slice(sqlite3_stmt *statement, int column)
{
    const void *at = sqlite3_column_blob(statement, column);
    return (struct slice){ at != NULL ? at : "", (size_t)sqlite3_column_bytes(statement, column) };
}

bool sqlite_hash(sqlite3_stmt *statement, int column, struct sha256 *out, struct err *err)
{
    struct slice bytes = sqlite_slice(statement, column);
    if (bytes.len != SHA256_BYTES)
        return err_fail(err, ERR_CORRUPT, "store", "a stored digest has not 32 bytes");
    memcpy(out->bytes, bytes.at, SHA256_BYTES);
    return true;
}
