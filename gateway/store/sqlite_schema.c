/* The tables, as a history: each row of `migrations` brings a file from one version to the next. */
#include <stdio.h>

#include "store/sqlite_int.h"

/* Rows are addressed by integers that grow with time, so inserts land at the right edge of their
 * trees and a million rows cost no more than none.  Only what is looked up by text on the way in
 * has a text index, and those are WITHOUT ROWID so that the index is the table.  README.md says
 * more. */
static const char tables_1[] =
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "INSERT INTO meta VALUES('salt', randomblob(8));"

    "CREATE TABLE tenant(tenant INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"

    /* The current version of each resource.  id is NULL when we assigned it (base/id.h). */
    "CREATE TABLE resource(key INTEGER PRIMARY KEY, tenant INTEGER, type INTEGER,"
    " version INTEGER, patient INTEGER, updated_ms INTEGER, deleted INTEGER, id TEXT, body BLOB);"
    "CREATE TABLE resource_id(tenant INTEGER, type INTEGER, id TEXT, key INTEGER,"
    " PRIMARY KEY(tenant, type, id)) WITHOUT ROWID;"
    /* Earlier versions, in order of being replaced. */
    "CREATE TABLE history(row INTEGER PRIMARY KEY, key INTEGER, tenant INTEGER, type INTEGER,"
    " version INTEGER, patient INTEGER, updated_ms INTEGER, deleted INTEGER, id TEXT, body BLOB);"
    "CREATE UNIQUE INDEX history_version ON history(key, version);"
    "CREATE TABLE identifier(tenant INTEGER, type INTEGER, value TEXT, key INTEGER,"
    " PRIMARY KEY(tenant, type, value, key)) WITHOUT ROWID;"
    "CREATE INDEX identifier_of ON identifier(key);"

    /* due_day is never later than next_day and follows it lazily: see sqlite_patient.c. */
    "CREATE TABLE patient(key INTEGER PRIMARY KEY, tenant INTEGER, next_day INTEGER,"
    " due_day INTEGER, name TEXT, state BLOB);"
    "CREATE INDEX patient_due ON patient(due_day) WHERE due_day IS NOT NULL;"
    "CREATE TABLE patient_name(tenant INTEGER, name TEXT, key INTEGER,"
    " PRIMARY KEY(tenant, name)) WITHOUT ROWID;"
    "CREATE TABLE link(tenant INTEGER, target TEXT, patient INTEGER,"
    " PRIMARY KEY(tenant, target, patient)) WITHOUT ROWID;"

    "CREATE TABLE outbox(key INTEGER PRIMARY KEY, tenant INTEGER, patient INTEGER, kind INTEGER,"
    " wish INTEGER, state INTEGER, attempts INTEGER, due_ms INTEGER, created_ms INTEGER,"
    " changed_ms INTEGER, last_status INTEGER, revision INTEGER, wanted BLOB, held BLOB,"
    " patient_name TEXT, destination TEXT, disease TEXT, identity TEXT, body BLOB,"
    " target_id TEXT, target_etag TEXT, last_error TEXT);"
    "CREATE UNIQUE INDEX outbox_identity ON outbox(tenant, destination, identity);"
    /* Settled rows, in the end nearly all, are in neither of these. */
    "CREATE INDEX outbox_due ON outbox(destination, due_ms, patient, state)"
    " WHERE state IN (1, 4);"
    "CREATE INDEX outbox_dead ON outbox(state) WHERE state = 3;"

    "CREATE TABLE audit(seq INTEGER PRIMARY KEY, record BLOB, hash BLOB);"
    "CREATE TABLE audit_signature(seq INTEGER PRIMARY KEY, statement BLOB);"
    /* One row, written once per commit. */
    "CREATE TABLE head(one INTEGER PRIMARY KEY CHECK(one = 1), audit_seq INTEGER,"
    " audit_hash BLOB);"
    "INSERT INTO head VALUES(1, 0, zeroblob(32));"

    "CREATE TABLE unmapped(tenant INTEGER, type INTEGER, system TEXT, code TEXT, text TEXT,"
    " count INTEGER, first_ms INTEGER, last_ms INTEGER,"
    " PRIMARY KEY(tenant, type, system, code, text)) WITHOUT ROWID;";

/* Counting a million rows for a health page would hold up the lane: the counts are kept. */
static const char tables_2[] = "ALTER TABLE head ADD COLUMN resources INTEGER NOT NULL DEFAULT 0;"
                               "ALTER TABLE head ADD COLUMN patients INTEGER NOT NULL DEFAULT 0;"
                               "UPDATE head SET resources = (SELECT count(*) FROM resource),"
                               " patients = (SELECT count(*) FROM patient);";

/* Who carries which identifiers, in order of being written: store_mentions.c. */
static const char tables_3[] =
    "CREATE TABLE mention(row INTEGER PRIMARY KEY, key INTEGER, hashes BLOB);";

static const char *const migrations[] = { tables_1, tables_2, tables_3 };

static bool version_of(sqlite3 *db, unsigned *out, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        sqlite3_finalize(statement);
        return sqlite_failed(db, "store.schema", err);
    }
    int version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    if (version < 0)
        return err_fail(err, ERR_CORRUPT, "store.schema", "the schema version is negative");
    *out = (unsigned)version;
    return true;
}

/* One step of the way; another process may have taken it while we waited for the lock. */
static bool step(sqlite3 *db, unsigned from, struct err *err)
{
    char set_version[48];
    unsigned version = 0;
    snprintf(set_version, sizeof set_version, "PRAGMA user_version = %u", from + 1);
    if (!sqlite_exec(db, "BEGIN IMMEDIATE", "store.schema", err))
        return false;
    bool is_done = version_of(db, &version, err) &&
                   (version != from || (sqlite_exec(db, migrations[from], "store.schema", err) &&
                                        sqlite_exec(db, set_version, "store.schema", err))) &&
                   sqlite_exec(db, "COMMIT", "store.schema", err);
    if (!is_done)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return is_done;
}

bool sqlite_migrate_to(sqlite3 *db, unsigned target, struct err *err)
{
    unsigned version = 0;
    CHECK(target <= COUNT_OF(migrations));
    if (!version_of(db, &version, err))
        return false;
    for (; version < target; version++)
        if (!step(db, version, err))
            return false;
    return true;
}

bool sqlite_migrate(sqlite3 *db, bool is_read_only, struct err *err)
{
    const unsigned newest = COUNT_OF(migrations);
    unsigned version = 0;
    if (!version_of(db, &version, err))
        return false;
    if (version > newest)
        return err_fail(err, ERR_UNSUPPORTED, "store.schema",
                        "the file has schema %u, this program knows up to %u: use the newer "
                        "program, or a copy made before the upgrade",
                        version, newest);
    if (version < newest && is_read_only)
        return err_fail(err, ERR_UNSUPPORTED, "store.schema",
                        "the file has schema %u and must be brought to %u first: start "
                        "'lifeline serve' once",
                        version, newest);
    return sqlite_migrate_to(db, newest, err);
}
