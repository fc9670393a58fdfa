/* store/sqlite_int.h -- the SQLite backend's inside: one connection, its kept statements.
 *
 * What      every statement is prepared once, at first use, and kept for the life of the
 *           connection; values are bound without copying and statements are reset as soon as they
 *           are done, so nothing borrowed is read later.
 * Errors    sqlite_failed() turns a result into ERR_STORAGE, ERR_CORRUPT, ERR_CONFLICT or
 *           ERR_TOO_LARGE.  Messages name the statement, never a value.
 */
#pragma once

#include <sqlite3.h>

#include "store/sqlite_sql.h"
#include "store/store_int.h"

struct checkpointer;

struct sqlite_store {
    struct store base;
    char *path;
    size_t cache_bytes;
    struct checkpointer *checkpointer; /* NULL when read-only */
};

/* What the last patient_load() saw, so that a save need not look again. */
struct sqlite_due {
    int64_t patient;
    int32_t due_day;
};

#define SQLITE_DUE_COUNT 256 /* a power of two */

struct sqlite_tx {
    struct store_tx base;
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_COUNT];
    struct sqlite_due due[SQLITE_DUE_COUNT];
    int wal_pages; /* after the last commit */
};

extern const struct store_ops sqlite_ops;

static inline struct sqlite_tx *sqlite_of(struct store_tx *tx)
{
    return CONTAINER_OF(tx, struct sqlite_tx, base);
}

/* --- statements --------------------------------------------------------------------------- */

/* The kept statement, ready to be bound; NULL and *err when it cannot be prepared. */
sqlite3_stmt *sqlite_use(struct sqlite_tx *tx, enum sqlite_sql which, struct err *err) MUST_USE;
/* Runs a statement that returns no rows. */
bool sqlite_run(struct sqlite_tx *tx, enum sqlite_sql which, struct err *err) MUST_USE;
/* The next row; at the end, or on failure, the statement is reset. */
bool sqlite_next(struct sqlite_tx *tx, enum sqlite_sql which, bool *has_row,
                 struct err *err) MUST_USE;
/* No more rows are wanted. */
void sqlite_end(struct sqlite_tx *tx, enum sqlite_sql which);
/* Runs SQL of our own text (pragmas, migrations). */
bool sqlite_exec(sqlite3 *db, const char *sql, const char *where, struct err *err) MUST_USE;
/* Fills *err; returns false. */
bool sqlite_failed(sqlite3 *db, const char *where, struct err *err);

void sqlite_put_integer(sqlite3_stmt *statement, int at, int64_t value);
void sqlite_put_text(sqlite3_stmt *statement, int at, struct slice text);
void sqlite_put_blob(sqlite3_stmt *statement, int at, struct slice bytes);
void sqlite_put_hash(sqlite3_stmt *statement, int at, const struct sha256 *hash);
/* Borrowed until the statement's next step. */
struct slice sqlite_slice(sqlite3_stmt *statement, int column);
bool sqlite_hash(sqlite3_stmt *statement, int column, struct sha256 *out, struct err *err) MUST_USE;
/* Runs a bound query whose first column is a key, up to `max` of them. */
bool sqlite_keys(struct sqlite_tx *tx, enum sqlite_sql which, int64_t *keys, unsigned max,
                 unsigned *count, struct err *err) MUST_USE;

/* --- files of the backend ----------------------------------------------------------------- */

/* sqlite_schema.c: brings the file to the schema of this program. */
bool sqlite_migrate(sqlite3 *db, bool is_read_only, struct err *err) MUST_USE;
/* Only as far as `target`: tests make old files with it. */
bool sqlite_migrate_to(sqlite3 *db, unsigned target, struct err *err) MUST_USE;

/* sqlite_checkpoint.c: moves the write-ahead log into the file beside the lane. */
bool checkpointer_start(const char *path, struct checkpointer **out, struct err *err) MUST_USE;
void checkpointer_stop(struct checkpointer *checkpointer);
/* Lane thread, after a commit: `wal_pages` pages are in the log of `db`. */
void checkpointer_after_commit(struct checkpointer *checkpointer, sqlite3 *db, int wal_pages);

/* sqlite_vfs.c: files whose write-ahead log is written in one piece per commit. */
const char *sqlite_vfs_name(void);

/* sqlite.c: a connection with this store's settings. */
bool sqlite_connect(const char *path, bool is_read_only, size_t cache_bytes, sqlite3 **out,
                    struct err *err) MUST_USE;

#define SQLITE_OP(name, ...) bool sqlite_##name(struct store_tx *tx, __VA_ARGS__)
SQLITE_OP(tenant_find, struct slice name, int32_t *out, bool *found, struct err *err);
SQLITE_OP(tenant_create, struct slice name, int32_t *out, struct err *err);
SQLITE_OP(resource_insert, const struct store_resource *row, struct err *err);
SQLITE_OP(resource_update, const struct store_resource *row, struct err *err);
SQLITE_OP(resource_get, int64_t key, bool with_body, struct arena *arena,
          struct store_resource *out, bool *found, struct err *err);
SQLITE_OP(resource_find, int32_t tenant, enum fhir_type type, struct slice id, int64_t *key,
          bool *found, struct err *err);
SQLITE_OP(resource_version, int64_t key, uint32_t version, struct arena *arena,
          struct store_resource *out, bool *found, struct err *err);
SQLITE_OP(resource_scan, int32_t tenant, enum fhir_type type, int64_t after, unsigned limit,
          struct arena *arena, struct store_resource **rows, unsigned *count, struct err *err);
SQLITE_OP(resource_changes, enum store_changes which, int32_t tenant, enum fhir_type type,
          int64_t before, unsigned max, struct store_change *out, unsigned *count, struct err *err);
SQLITE_OP(identifier_put, int32_t tenant, enum fhir_type type, struct slice identifier, int64_t key,
          struct err *err);
SQLITE_OP(identifier_clear, int32_t tenant, enum fhir_type type, int64_t key, struct err *err);
SQLITE_OP(identifier_find, int32_t tenant, enum fhir_type type, struct slice identifier,
          int64_t *keys, unsigned max, unsigned *count, struct err *err);
SQLITE_OP(mention_append, struct slice mentioned, struct err *err);
SQLITE_OP(mention_scan, struct mentions *into, struct err *err);
SQLITE_OP(patient_find, int32_t tenant, struct slice name, int64_t *key, bool *found,
          struct err *err);
SQLITE_OP(patient_create, int32_t tenant, struct slice name, int64_t *key, struct err *err);
SQLITE_OP(patient_load, int64_t key, struct arena *arena, struct slice *state, struct err *err);
SQLITE_OP(patient_save, int64_t key, struct slice state, int32_t next_day, struct err *err);
SQLITE_OP(patient_name, int64_t key, struct arena *arena, int32_t *tenant, struct slice *name,
          bool *found, struct err *err);
SQLITE_OP(patients_due, int32_t day, unsigned max, int64_t *keys, unsigned *count, struct err *err);
SQLITE_OP(patients, int32_t tenant, int64_t after, unsigned max, int64_t *keys, unsigned *count,
          struct err *err);
SQLITE_OP(setting_get, struct slice name, struct arena *arena, struct slice *out, struct err *err);
SQLITE_OP(setting_put, struct slice name, struct slice value, struct err *err);
SQLITE_OP(link_put, int32_t tenant, struct slice target, int64_t patient, struct err *err);
SQLITE_OP(link_scan, int32_t tenant, struct slice target, int64_t after, unsigned max,
          int64_t *patients, unsigned *count, struct err *err);
SQLITE_OP(outbox_insert, const struct outbox_row *row, struct err *err);
SQLITE_OP(outbox_write, const struct outbox_row *row, struct err *err);
SQLITE_OP(outbox_get, int64_t key, struct arena *arena, struct outbox_row *out, bool *found,
          struct err *err);
SQLITE_OP(outbox_find, int32_t tenant, struct slice destination, struct slice identity,
          int64_t *key, bool *found, struct err *err);
SQLITE_OP(outbox_due, struct slice destination, int64_t now_ms, struct outbox_pick *pick,
          struct err *err);
SQLITE_OP(outbox_list, enum outbox_state state, int64_t after, unsigned limit, struct arena *arena,
          struct outbox_row **rows, unsigned *count, struct err *err);
SQLITE_OP(outbox_next_due, struct slice destination, int64_t *due_ms, struct err *err);
SQLITE_OP(audit_append, const struct audit_row *row, struct err *err);
SQLITE_OP(audit_head, int64_t *seq, struct sha256 *hash, struct err *err);
SQLITE_OP(audit_set_head, int64_t seq, const struct sha256 *hash, struct err *err);
SQLITE_OP(audit_scan, int64_t after, unsigned limit, struct arena *arena, struct audit_row **rows,
          unsigned *count, struct err *err);
SQLITE_OP(audit_sign, int64_t seq, struct slice statement, struct err *err);
SQLITE_OP(audit_signatures, int64_t after, unsigned limit, struct arena *arena,
          struct audit_row **rows, unsigned *count, struct err *err);
SQLITE_OP(unmapped_count, const struct unmapped_row *row, struct err *err);
SQLITE_OP(unmapped_list, unsigned limit, struct arena *arena, struct unmapped_row **rows,
          unsigned *count, struct err *err);
SQLITE_OP(figures, struct store_figures *out, struct err *err);
