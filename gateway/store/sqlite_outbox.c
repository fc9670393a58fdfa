/* The outbox in SQLite: rows in, rows out.  What a row becomes is decided in store_outbox.c. */
#include "store/sqlite_int.h"

/* Columns of SQL_OUTBOX_ROW, from 0; a statement's parameter is one more. */
enum {
    KEY,
    TENANT,
    PATIENT,
    KIND,
    WISH,
    STATE,
    ATTEMPTS,
    DUE,
    CREATED,
    CHANGED,
    LAST_STATUS,
    REVISION,
    WANTED,
    HELD,
    PATIENT_NAME,
    DESTINATION,
    DISEASE,
    IDENTITY,
    BODY,
    TARGET_ID,
    TARGET_ETAG,
    LAST_ERROR
};

static bool write_row(struct sqlite_tx *tx, enum sqlite_sql which, const struct outbox_row *row,
                      struct err *err)
{
    const struct {
        int column;
        int64_t value;
    } numbers[] = {
        { TENANT, row->tenant },      { PATIENT, row->patient },
        { KIND, row->kind },          { WISH, row->wish },
        { STATE, row->state },        { ATTEMPTS, row->attempts },
        { DUE, row->due_ms },         { CREATED, row->created_ms },
        { CHANGED, row->changed_ms }, { LAST_STATUS, row->last_status },
        { REVISION, row->revision },
    };
    const struct {
        int column;
        struct slice text;
    } texts[] = {
        { PATIENT_NAME, row->patient_name }, { DESTINATION, row->destination },
        { DISEASE, row->disease },           { IDENTITY, row->identity },
        { TARGET_ID, row->target_id },       { TARGET_ETAG, row->target_etag },
        { LAST_ERROR, row->last_error },
    };
    sqlite3_stmt *statement = sqlite_use(tx, which, err);
    if (statement == NULL)
        return false;
    if (row->key != 0)
        sqlite_put_integer(statement, KEY + 1, row->key);
    else
        sqlite3_bind_null(statement, KEY + 1); /* SQLite gives the next one */
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        sqlite_put_integer(statement, numbers[i].column + 1, numbers[i].value);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        sqlite_put_text(statement, texts[i].column + 1, texts[i].text);
    sqlite_put_hash(statement, WANTED + 1, &row->wanted);
    sqlite_put_hash(statement, HELD + 1, &row->held);
    sqlite_put_blob(statement, BODY + 1, row->body);
    return sqlite_run(tx, which, err);
}

bool sqlite_outbox_insert(struct store_tx *base, const struct outbox_row *row, struct err *err)
{
    return write_row(sqlite_of(base), SQL_OUTBOX_INSERT, row, err);
}

bool sqlite_outbox_write(struct store_tx *base, const struct outbox_row *row, struct err *err)
{
    CHECK(row->key != 0);
    return write_row(sqlite_of(base), SQL_OUTBOX_WRITE, row, err);
}

/* --- reading ------------------------------------------------------------------------------ */

static bool read_texts(sqlite3_stmt *from, struct arena *arena, struct outbox_row *row,
                       struct err *err)
{
    return store_copy(arena, sqlite_slice(from, PATIENT_NAME), &row->patient_name, err) &&
           store_copy(arena, sqlite_slice(from, DESTINATION), &row->destination, err) &&
           store_copy(arena, sqlite_slice(from, DISEASE), &row->disease, err) &&
           store_copy(arena, sqlite_slice(from, IDENTITY), &row->identity, err) &&
           store_copy(arena, sqlite_slice(from, BODY), &row->body, err) &&
           store_copy(arena, sqlite_slice(from, TARGET_ID), &row->target_id, err) &&
           store_copy(arena, sqlite_slice(from, TARGET_ETAG), &row->target_etag, err) &&
           store_copy(arena, sqlite_slice(from, LAST_ERROR), &row->last_error, err);
}

static bool read_row(sqlite3_stmt *from, struct arena *arena, struct outbox_row *out,
                     struct err *err)
{
    struct outbox_row row = {
        .key = sqlite3_column_int64(from, KEY),
        .tenant = sqlite3_column_int(from, TENANT),
        .patient = sqlite3_column_int64(from, PATIENT),
        .kind = (enum posting_kind)sqlite3_column_int(from, KIND),
        .wish = (enum posting_wish)sqlite3_column_int(from, WISH),
        .state = (enum outbox_state)sqlite3_column_int(from, STATE),
        .attempts = (uint32_t)sqlite3_column_int64(from, ATTEMPTS),
        .due_ms = sqlite3_column_int64(from, DUE),
        .created_ms = sqlite3_column_int64(from, CREATED),
        .changed_ms = sqlite3_column_int64(from, CHANGED),
        .last_status = sqlite3_column_int(from, LAST_STATUS),
        .revision = (uint32_t)sqlite3_column_int64(from, REVISION),
    };
    if (!sqlite_hash(from, WANTED, &row.wanted, err) || !sqlite_hash(from, HELD, &row.held, err) ||
        !read_texts(from, arena, &row, err))
        return false;
    *out = row;
    return true;
}

bool sqlite_outbox_get(struct store_tx *base, int64_t key, struct arena *arena,
                       struct outbox_row *out, bool *found, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_OUTBOX_GET, err);
    bool has_row = false;
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, key);
    if (!sqlite_next(tx, SQL_OUTBOX_GET, &has_row, err))
        return false;
    bool is_read = !has_row || read_row(statement, arena, out, err);
    sqlite_end(tx, SQL_OUTBOX_GET);
    if (is_read)
        *found = has_row;
    return is_read;
}

/* The table `meta` has a row per setting: there are as many as destinations, at most. */
bool sqlite_setting_put(struct store_tx *base, struct slice name, struct slice value,
                        struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    enum sqlite_sql which = value.len > 0 ? SQL_SETTING_PUT : SQL_SETTING_DROP;
    sqlite3_stmt *statement = sqlite_use(tx, which, err);
    if (statement == NULL)
        return false;
    sqlite_put_text(statement, 1, name);
    if (value.len > 0)
        sqlite_put_text(statement, 2, value);
    return sqlite_run(tx, which, err);
}

bool sqlite_setting_get(struct store_tx *base, struct slice name, struct arena *arena,
                        struct slice *out, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_SETTING_GET, err);
    bool has_row = false;
    if (statement == NULL)
        return false;
    sqlite_put_text(statement, 1, name);
    if (!sqlite_next(tx, SQL_SETTING_GET, &has_row, err))
        return false;
    struct slice value = has_row ? sqlite_slice(statement, 0) : SLICE("");
    bool is_read = store_copy(arena, value, out, err);
    sqlite_end(tx, SQL_SETTING_GET);
    return is_read;
}

bool sqlite_outbox_find(struct store_tx *base, int32_t tenant, struct slice destination,
                        struct slice identity, int64_t *key, bool *found, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_OUTBOX_FIND, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, tenant);
    sqlite_put_text(statement, 2, destination);
    sqlite_put_text(statement, 3, identity);
    int64_t first = 0;
    unsigned count = 0;
    if (!sqlite_keys(tx, SQL_OUTBOX_FIND, &first, 1, &count, err))
        return false;
    *found = count == 1;
    if (*found)
        *key = first;
    return true;
}

bool sqlite_outbox_due(struct store_tx *base, struct slice destination, int64_t now_ms,
                       struct outbox_pick *pick, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_OUTBOX_DUE, err);
    if (statement == NULL)
        return false;
    sqlite_put_text(statement, 1, destination);
    sqlite_put_integer(statement, 2, now_ms);
    for (bool has_row = true; has_row;) {
        if (!sqlite_next(tx, SQL_OUTBOX_DUE, &has_row, err))
            return false;
        if (has_row && !outbox_pick_offer(pick, sqlite3_column_int64(statement, 0),
                                          sqlite3_column_int64(statement, 1)))
            break;
    }
    sqlite_end(tx, SQL_OUTBOX_DUE);
    return true;
}

bool sqlite_outbox_list(struct store_tx *base, enum outbox_state state, int64_t after,
                        unsigned limit, struct arena *arena, struct outbox_row **rows,
                        unsigned *count, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    enum sqlite_sql which = state != 0 ? SQL_OUTBOX_LIST_STATE : SQL_OUTBOX_LIST;
    sqlite3_stmt *statement = sqlite_use(tx, which, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, after);
    sqlite_put_integer(statement, 2, limit);
    if (state != 0)
        sqlite_put_integer(statement, 3, state);
    void *all = NULL;
    unsigned got = 0;
    for (bool has_row = true;; got++) {
        if (!sqlite_next(tx, which, &has_row, err))
            return false;
        if (!has_row)
            break;
        struct outbox_row *room = store_row_room(arena, &all, got, sizeof *room);
        if (room == NULL ? !store_no_room(err) : !read_row(statement, arena, room, err)) {
            sqlite_end(tx, which);
            return false;
        }
    }
    *rows = all;
    *count = got;
    return true;
}

bool sqlite_outbox_next_due(struct store_tx *base, struct slice destination, int64_t *due_ms,
                            struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_OUTBOX_NEXT_DUE, err);
    if (statement == NULL)
        return false;
    sqlite_put_text(statement, 1, destination);
    int64_t first = 0;
    unsigned count = 0;
    if (!sqlite_keys(tx, SQL_OUTBOX_NEXT_DUE, &first, 1, &count, err))
        return false;
    *due_ms = count == 1 ? first : INT64_MAX;
    return true;
}
