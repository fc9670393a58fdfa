/* Tenants, resource versions and business identifiers in SQLite. */
#include "store/sqlite_int.h"

/* --- tenants ------------------------------------------------------------------------------ */

bool sqlite_tenant_find(struct store_tx *base, struct slice name, int32_t *out, bool *found,
                        struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_TENANT_FIND, err);
    if (statement == NULL)
        return false;
    sqlite_put_text(statement, 1, name);
    int64_t number = 0;
    unsigned count = 0;
    if (!sqlite_keys(tx, SQL_TENANT_FIND, &number, 1, &count, err))
        return false;
    *found = count == 1;
    *out = (int32_t)number;
    return true;
}

bool sqlite_tenant_create(struct store_tx *base, struct slice name, int32_t *out, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_TENANT_CREATE, err);
    if (statement == NULL)
        return false;
    sqlite_put_text(statement, 1, name);
    if (!sqlite_run(tx, SQL_TENANT_CREATE, err))
        return false;
    *out = (int32_t)sqlite3_last_insert_rowid(tx->db);
    return true;
}

/* --- writing ------------------------------------------------------------------------------ */

static bool put_name(struct sqlite_tx *tx, const struct store_resource *row, struct err *err)
{
    sqlite3_stmt *statement = sqlite_use(tx, SQL_RESOURCE_NAME, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, row->tenant);
    sqlite_put_integer(statement, 2, row->type);
    sqlite_put_text(statement, 3, row->id);
    sqlite_put_integer(statement, 4, row->key);
    return sqlite_run(tx, SQL_RESOURCE_NAME, err);
}

bool sqlite_resource_insert(struct store_tx *base, const struct store_resource *row,
                            struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_RESOURCE_INSERT, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, row->key);
    sqlite_put_integer(statement, 2, row->tenant);
    sqlite_put_integer(statement, 3, row->type);
    sqlite_put_integer(statement, 4, row->version);
    sqlite_put_integer(statement, 5, row->patient);
    sqlite_put_integer(statement, 6, row->updated_ms);
    sqlite_put_integer(statement, 7, row->is_deleted);
    if (row->id.len > 0)
        sqlite_put_text(statement, 8, row->id);
    else
        sqlite3_bind_null(statement, 8);
    sqlite_put_blob(statement, 9, row->body);
    return sqlite_run(tx, SQL_RESOURCE_INSERT, err) && (row->id.len == 0 || put_name(tx, row, err));
}

/* The current version moves to the history; none does when it is not the one before. */
static bool archive(struct sqlite_tx *tx, const struct store_resource *row, struct err *err)
{
    sqlite3_stmt *statement = sqlite_use(tx, SQL_RESOURCE_ARCHIVE, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, row->key);
    sqlite_put_integer(statement, 2, (int64_t)row->version - 1);
    if (!sqlite_run(tx, SQL_RESOURCE_ARCHIVE, err))
        return false;
    return sqlite3_changes(tx->db) == 1 ||
           err_fail(err, ERR_CONFLICT, "store.resource", "the version before is not the current");
}

bool sqlite_resource_update(struct store_tx *base, const struct store_resource *row,
                            struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    if (!archive(tx, row, err))
        return false;
    sqlite3_stmt *statement = sqlite_use(tx, SQL_RESOURCE_UPDATE, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, row->key);
    sqlite_put_integer(statement, 2, row->version);
    sqlite_put_integer(statement, 3, row->patient);
    sqlite_put_integer(statement, 4, row->updated_ms);
    sqlite_put_integer(statement, 5, row->is_deleted);
    sqlite_put_blob(statement, 6, row->body);
    return sqlite_run(tx, SQL_RESOURCE_UPDATE, err);
}

/* --- reading ------------------------------------------------------------------------------ */

static bool read_row(sqlite3_stmt *statement, bool with_body, struct arena *arena,
                     struct store_resource *out, struct err *err)
{
    struct store_resource row = {
        .key = sqlite3_column_int64(statement, 0),
        .tenant = sqlite3_column_int(statement, 1),
        .version = (uint32_t)sqlite3_column_int64(statement, 3),
        .patient = sqlite3_column_int64(statement, 4),
        .updated_ms = sqlite3_column_int64(statement, 5),
        .is_deleted = sqlite3_column_int(statement, 6) != 0,
    };
    int type = sqlite3_column_int(statement, 2);
    if (type < 0 || type >= FHIR_TYPE_COUNT)
        return err_fail(err, ERR_CORRUPT, "store.resource", "a stored resource type is unknown");
    row.type = (enum fhir_type)type;
    if (!store_copy(arena, sqlite_slice(statement, 7), &row.id, err))
        return false;
    row.body = SLICE("");
    if (with_body && !store_copy(arena, sqlite_slice(statement, 8), &row.body, err))
        return false;
    *out = row;
    return true;
}

/* One row or none of a statement that is bound. */
static bool read_one(struct sqlite_tx *tx, enum sqlite_sql which, struct arena *arena,
                     struct store_resource *out, bool *found, struct err *err)
{
    bool has_row = false;
    if (!sqlite_next(tx, which, &has_row, err))
        return false;
    bool is_read =
        !has_row || read_row(tx->statements[which], which != SQL_RESOURCE_HEAD, arena, out, err);
    sqlite_end(tx, which);
    if (is_read)
        *found = has_row;
    return is_read;
}

bool sqlite_resource_get(struct store_tx *base, int64_t key, bool with_body, struct arena *arena,
                         struct store_resource *out, bool *found, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    enum sqlite_sql which = with_body ? SQL_RESOURCE_GET : SQL_RESOURCE_HEAD;
    sqlite3_stmt *statement = sqlite_use(tx, which, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, key);
    return read_one(tx, which, arena, out, found, err);
}

bool sqlite_resource_version(struct store_tx *base, int64_t key, uint32_t version,
                             struct arena *arena, struct store_resource *out, bool *found,
                             struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    struct store_resource current = { 0 };
    bool is_there = false;
    if (!sqlite_resource_get(base, key, true, arena, &current, &is_there, err))
        return false;
    if (!is_there || current.version == version) {
        *found = is_there;
        if (is_there)
            *out = current;
        return true;
    }
    sqlite3_stmt *statement = sqlite_use(tx, SQL_RESOURCE_VERSION, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, key);
    sqlite_put_integer(statement, 2, version);
    return read_one(tx, SQL_RESOURCE_VERSION, arena, out, found, err);
}

bool sqlite_resource_find(struct store_tx *base, int32_t tenant, enum fhir_type type,
                          struct slice id, int64_t *key, bool *found, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_RESOURCE_FIND, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, tenant);
    sqlite_put_integer(statement, 2, type);
    sqlite_put_text(statement, 3, id);
    unsigned count = 0;
    int64_t first = 0;
    if (!sqlite_keys(tx, SQL_RESOURCE_FIND, &first, 1, &count, err))
        return false;
    *found = count == 1;
    if (*found)
        *key = first;
    return true;
}

/* By primary key with a filter: no index is kept for it, since each costs every insert. */
bool sqlite_resource_scan(struct store_tx *base, int32_t tenant, enum fhir_type type, int64_t after,
                          unsigned limit, struct arena *arena, struct store_resource **rows,
                          unsigned *count, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_RESOURCE_SCAN, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, after);
    sqlite_put_integer(statement, 2, tenant);
    sqlite_put_integer(statement, 3, type);
    sqlite_put_integer(statement, 4, limit);
    void *all = NULL;
    unsigned got = 0;
    for (bool has_row = true;; got++) {
        if (!sqlite_next(tx, SQL_RESOURCE_SCAN, &has_row, err))
            return false;
        if (!has_row)
            break;
        struct store_resource *room = store_row_room(arena, &all, got, sizeof *room);
        if (room == NULL ? !store_no_room(err) : !read_row(statement, true, arena, room, err)) {
            sqlite_end(tx, SQL_RESOURCE_SCAN);
            return false;
        }
    }
    *rows = all;
    *count = got;
    return true;
}

bool sqlite_resource_changes(struct store_tx *base, enum store_changes which, int32_t tenant,
                             enum fhir_type type, int64_t before, unsigned max,
                             struct store_change *out, unsigned *count, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    enum sqlite_sql sql =
        which == STORE_CREATIONS ? SQL_RESOURCE_CREATIONS : SQL_RESOURCE_REPLACEMENTS;
    sqlite3_stmt *statement = sqlite_use(tx, sql, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, before);
    sqlite_put_integer(statement, 2, tenant);
    sqlite_put_integer(statement, 3, type);
    sqlite_put_integer(statement, 4, max);
    unsigned got = 0;
    for (bool has_row = true;; got++) {
        if (!sqlite_next(tx, sql, &has_row, err))
            return false;
        if (!has_row)
            break;
        out[got] = (struct store_change){ sqlite3_column_int64(statement, 0),
                                          sqlite3_column_int64(statement, 1),
                                          (uint32_t)sqlite3_column_int64(statement, 2) };
    }
    *count = got;
    return true;
}

/* --- identifiers -------------------------------------------------------------------------- */

bool sqlite_identifier_put(struct store_tx *base, int32_t tenant, enum fhir_type type,
                           struct slice identifier, int64_t key, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_IDENTIFIER_PUT, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, tenant);
    sqlite_put_integer(statement, 2, type);
    sqlite_put_text(statement, 3, identifier);
    sqlite_put_integer(statement, 4, key);
    return sqlite_run(tx, SQL_IDENTIFIER_PUT, err);
}

bool sqlite_identifier_clear(struct store_tx *base, int32_t tenant, enum fhir_type type,
                             int64_t key, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_IDENTIFIER_CLEAR, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, key);
    sqlite_put_integer(statement, 2, tenant);
    sqlite_put_integer(statement, 3, type);
    return sqlite_run(tx, SQL_IDENTIFIER_CLEAR, err);
}

bool sqlite_identifier_find(struct store_tx *base, int32_t tenant, enum fhir_type type,
                            struct slice identifier, int64_t *keys, unsigned max, unsigned *count,
                            struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_IDENTIFIER_FIND, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, tenant);
    sqlite_put_integer(statement, 2, type);
    sqlite_put_text(statement, 3, identifier);
    sqlite_put_integer(statement, 4, max);
    return sqlite_keys(tx, SQL_IDENTIFIER_FIND, keys, max, count, err);
}

bool sqlite_mention_append(struct store_tx *base, struct slice mentioned, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_MENTION_APPEND, err);
    if (statement == NULL)
        return false;
    sqlite_put_blob(statement, 1, mentioned);
    return sqlite_run(tx, SQL_MENTION_APPEND, err);
}

/* A row is a transaction's, with key 0; older ones are of one resource, whose key stands beside its
 * hashes. */
static void read_mentions(struct mentions *into, int64_t key, struct slice bytes)
{
    struct mentioned line = { .key = key };
    size_t size = key == 0 ? sizeof line : sizeof line.hash;
    for (; bytes.len >= size; bytes = slice_skip(bytes, size)) {
        memcpy(&line, bytes.at, size);
        mentions_add(into, line.hash, line.key);
    }
}

bool sqlite_mention_scan(struct store_tx *base, struct mentions *into, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_MENTION_SCAN, err);
    bool has_row = true;
    while (statement != NULL && has_row) {
        if (!sqlite_next(tx, SQL_MENTION_SCAN, &has_row, err))
            return false;
        if (has_row)
            read_mentions(into, sqlite3_column_int64(statement, 0), sqlite_slice(statement, 1));
    }
    return statement != NULL;
}
