/* The SQLite backend: connections, transactions and the table of operations.
 *
 * One connection writes (the lane's), with a write-ahead log and a sync per commit; the
 * checkpointer has one of its own.  Offline commands may read the same file from another process at
 * any time. */
#include "store/sqlite_int.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/pool.h"

#define PAGE_BYTES 8192
#define BUSY_TIMEOUT_MS 5000 /* another process may hold the write lock for an administrative act */
#define CACHE_MAX_BYTES ((size_t)1 << 40)

/* --- connections -------------------------------------------------------------------------- */

static bool set_up(sqlite3 *db, bool is_read_only, size_t cache_bytes, struct err *err)
{
    size_t cache = cache_bytes > 0 ? cache_bytes : STORE_CACHE_DEFAULT_BYTES;
    char pragmas[160];
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
    snprintf(pragmas, sizeof pragmas,
             "PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -%zu;",
             (cache < CACHE_MAX_BYTES ? cache : CACHE_MAX_BYTES) / 1024);
    if (!sqlite_exec(db, pragmas, "store.open", err))
        return false;
    if (is_read_only)
        return true;
    /* The page size counts only for a file that is still empty. */
    snprintf(pragmas, sizeof pragmas,
             "PRAGMA page_size = %d; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
             "PRAGMA wal_autocheckpoint = 0;",
             PAGE_BYTES);
    return sqlite_exec(db, pragmas, "store.open", err);
}

/* Counting its memory would lock a mutex around each allocation, and nobody asks. */
static void configure(void) { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

bool sqlite_connect(const char *path, bool is_read_only, size_t cache_bytes, sqlite3 **out,
                    struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    sqlite3 *db = NULL;
    CHECK(pthread_once(&once, configure) == 0);
    int flags = SQLITE_OPEN_NOMUTEX | (is_read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    if (sqlite3_open_v2(path, &db, flags, sqlite_vfs_name()) != SQLITE_OK)
        sqlite_failed(db, "store.open", err);
    else if (set_up(db, is_read_only, cache_bytes, err)) {
        *out = db;
        return true;
    }
    sqlite3_close(db);
    return false;
}

/* SQLite would make the file readable for all; its log files take over what we choose here. */
static bool make_file(const char *path, struct err *err)
{
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file >= 0)
        close(file);
    else if (errno != EEXIST)
        return err_fail(err, ERR_STORAGE, path, "cannot create the store: %s", strerror(errno));
    return true;
}

/* --- the store ---------------------------------------------------------------------------- */

static bool read_number(sqlite3 *db, const char *sql, int64_t *out, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    bool is_read = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
                   sqlite3_step(statement) == SQLITE_ROW;
    if (is_read && sqlite3_column_type(statement, 0) == SQLITE_BLOB) /* the salt */
        memcpy(out, sqlite3_column_blob(statement, 0), sizeof *out);
    else if (is_read)
        *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return is_read || sqlite_failed(db, "store.open", err);
}

static bool read_start(struct sqlite_store *store, sqlite3 *db, struct err *err)
{
    int64_t salt = 0, last_key = 0;
    if (!sqlite_migrate(db, store->base.is_read_only, err) ||
        !read_number(db,
                     "SELECT value FROM meta WHERE name = 'salt' AND length(value) = 8 "
                     "AND typeof(value) = 'blob'",
                     &salt, err) ||
        !read_number(db, "SELECT max(key) FROM resource", &last_key, err))
        return false;
    store->base.salt = (uint64_t)salt;
    atomic_store(&store->base.next_key, last_key + 1);
    return true;
}

static void free_store(struct sqlite_store *store)
{
    checkpointer_stop(store->checkpointer);
    pool_free(store->path);
    pool_free(store);
}

static void sqlite_store_close(struct store *base)
{
    free_store(CONTAINER_OF(base, struct sqlite_store, base));
}

bool sqlite_open(const struct store_settings *settings, struct store **out, struct err *err)
{
    if (!settings->is_read_only && !make_file(settings->path, err))
        return false;

    struct sqlite_store *store = pool_new(sizeof *store);
    size_t path_size = strlen(settings->path) + 1;
    store->path = pool_new(path_size);
    memcpy(store->path, settings->path, path_size);
    store->cache_bytes = settings->cache_bytes;
    store->base.ops = &sqlite_ops;
    store->base.is_read_only = settings->is_read_only;

    sqlite3 *db = NULL;
    bool is_open =
        sqlite_connect(store->path, settings->is_read_only, 0, &db, err) &&
        read_start(store, db, err) &&
        (settings->is_read_only || checkpointer_start(store->path, &store->checkpointer, err));
    sqlite3_close(db);
    if (!is_open) {
        free_store(store);
        return false;
    }
    *out = &store->base;
    return true;
}

/* --- transactions ------------------------------------------------------------------------- */

static int on_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    struct sqlite_tx *tx = arg;
    tx->wal_pages = pages;
    return SQLITE_OK;
}

static bool sqlite_tx_open(struct store *base, struct store_tx **out, struct err *err)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, base);
    sqlite3 *db = NULL;
    if (!sqlite_connect(store->path, base->is_read_only, store->cache_bytes, &db, err))
        return false;
    struct sqlite_tx *tx = pool_new(sizeof *tx);
    tx->db = db;
    if (!base->is_read_only)
        sqlite3_wal_hook(db, on_wal, tx);
    *out = &tx->base;
    return true;
}

static void sqlite_tx_close(struct store_tx *base)
{
    struct sqlite_tx *tx = sqlite_of(base);
    for (unsigned i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(tx->statements[i]);
    sqlite3_close(tx->db);
    pool_free(tx);
}

static bool run(struct store_tx *base, enum sqlite_sql which, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    return sqlite_use(tx, which, err) != NULL && sqlite_run(tx, which, err);
}

/* Another process may have written since our last transaction: what is remembered is forgotten. */
static bool sqlite_begin(struct store_tx *base, struct err *err)
{
    memset(sqlite_of(base)->due, 0, sizeof sqlite_of(base)->due);
    return run(base, base->store->is_read_only ? SQL_BEGIN_READ : SQL_BEGIN, err);
}

static bool sqlite_savepoint(struct store_tx *tx, struct err *err)
{
    return run(tx, SQL_SAVEPOINT, err);
}

static bool sqlite_savepoint_keep(struct store_tx *tx, struct err *err)
{
    return run(tx, SQL_SAVEPOINT_KEEP, err);
}

static bool sqlite_savepoint_undo(struct store_tx *tx, struct err *err)
{
    memset(sqlite_of(tx)->due, 0, sizeof sqlite_of(tx)->due);
    return run(tx, SQL_SAVEPOINT_UNDO, err) && run(tx, SQL_SAVEPOINT_KEEP, err);
}

static bool add_figures(struct store_tx *base, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    if (base->tally.resources == 0 && base->tally.patients == 0)
        return true;
    sqlite3_stmt *statement = sqlite_use(tx, SQL_FIGURES_ADD, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, base->tally.resources);
    sqlite_put_integer(statement, 2, base->tally.patients);
    return sqlite_run(tx, SQL_FIGURES_ADD, err);
}

static bool sqlite_commit(struct store_tx *base, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    struct sqlite_store *store = CONTAINER_OF(base->store, struct sqlite_store, base);
    tx->wal_pages = 0;
    if (!add_figures(base, err) || !run(base, SQL_COMMIT, err))
        return false;
    if (tx->wal_pages > 0)
        checkpointer_after_commit(store->checkpointer, tx->db, tx->wal_pages);
    return true;
}

static void sqlite_rollback(struct store_tx *base)
{
    struct err ignored; /* a rollback that fails leaves the log without a commit: the same */
    if (sqlite3_get_autocommit(sqlite_of(base)->db) == 0 && !run(base, SQL_ROLLBACK, &ignored))
        return;
}

/* clang-format off */
const struct store_ops sqlite_ops = {
    .store_close = sqlite_store_close, .tx_open = sqlite_tx_open, .tx_close = sqlite_tx_close,
    .begin = sqlite_begin, .commit = sqlite_commit, .rollback = sqlite_rollback,
    .savepoint = sqlite_savepoint, .savepoint_keep = sqlite_savepoint_keep,
    .savepoint_undo = sqlite_savepoint_undo,
#define SAME(name) .name = sqlite_##name
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
