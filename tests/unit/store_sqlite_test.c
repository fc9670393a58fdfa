/* What only the SQLite backend promises: its file, its schema, readers beside the writer, and plans
 * that use indexes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit_keys.h"

#include "base/date.h"
#include "base/pool.h"
#include "store/ledger.h"
#include "store/sqlite_int.h"

struct place {
    char folder[64], path[96];
    struct err err;
};

#define MUST(call)                                                            \
    do {                                                                      \
        if (!(call))                                                          \
            fail_msg("%s: %s: %s", #call, place->err.where, place->err.what); \
    } while (0)

static int make_place(void **state)
{
    struct place *place = pool_new(sizeof *place);
    snprintf(place->folder, sizeof place->folder, "/tmp/lifeline-sqlite-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof place->path, "%s/store.db", place->folder);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    static const char *const suffixes[] = { "", "-wal", "-shm" };
    struct place *place = *state;
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        char name[112];
        snprintf(name, sizeof name, "%s%s", place->path, suffixes[i]);
        unlink(name);
    }
    rmdir(place->folder);
    pool_free(place);
    return 0;
}

/* --- words -------------------------------------------------------------------------------- */

struct opened {
    struct store *store;
    struct store_tx *tx;
};

static struct opened open_as(struct place *place, bool is_read_only)
{
    struct opened opened;
    const struct store_settings settings = { .path = place->path, .is_read_only = is_read_only };
    MUST(store_open(&settings, &opened.store, &place->err));
    MUST(store_tx_open(opened.store, &opened.tx, &place->err));
    return opened;
}

static void close_both(struct opened *opened)
{
    store_tx_close(opened->tx);
    store_close(opened->store);
}

static void insert(struct place *place, struct opened *opened, struct slice body)
{
    const struct store_resource row = { .key = store_key_reserve(opened->store, 1),
                                        .tenant = 1,
                                        .type = FHIR_CONDITION,
                                        .version = 1,
                                        .body = body };
    const struct audit_record record = { .kind = AUDIT_REQUEST,
                                         .time_ms = row.key,
                                         .outcome = "success" };
    MUST(store_begin(opened->tx, &place->err));
    MUST(store_resource_insert(opened->tx, &row, &place->err));
    MUST(ledger_append(opened->tx, &record, &place->err));
    MUST(store_commit(opened->tx, &place->err));
}

static int64_t resources(struct place *place, struct opened *opened)
{
    struct store_figures figures;
    MUST(store_begin(opened->tx, &place->err));
    MUST(store_figures(opened->tx, &figures, &place->err));
    store_rollback(opened->tx);
    return figures.resources;
}

static int64_t query(struct place *place, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    int64_t number =
        sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

/* --- the file ----------------------------------------------------------------------------- */

static void only_the_owner_may_read(void **state)
{
    struct place *place = *state;
    struct stat file;
    struct opened opened = open_as(place, false);
    insert(place, &opened, SLICE("body"));
    char wal[112];
    snprintf(wal, sizeof wal, "%s-wal", place->path);
    assert_int_equal(stat(place->path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    assert_int_equal(stat(wal, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    close_both(&opened);
}

static void other_files_are_refused(void **state)
{
    struct place *place = *state;
    struct store *store;
    const struct store_settings settings = { .path = place->path };
    FILE *file = fopen(place->path, "w");
    for (unsigned i = 0; i < 1000; i++)
        fputs("this is not a database\n", file);
    fclose(file);
    assert_false(store_open(&settings, &store, &place->err));
    assert_int_equal(place->err.code, ERR_CORRUPT);
}

static void missing_files_are_not_made_by_readers(void **state)
{
    struct place *place = *state;
    struct store *store;
    const struct store_settings settings = { .path = place->path, .is_read_only = true };
    assert_false(store_open(&settings, &store, &place->err));
    assert_int_equal(place->err.code, ERR_STORAGE);
    assert_int_equal(access(place->path, F_OK), -1);
    const struct store_settings nowhere = { .path = "/nowhere/at/all.db" };
    assert_false(store_open(&nowhere, &store, &place->err));
    assert_int_equal(place->err.code, ERR_STORAGE);
}

/* --- the schema --------------------------------------------------------------------------- */

static void old_file_is_brought_forward(void **state)
{
    struct place *place = *state;
    sqlite3 *db;
    FILE *file = fopen(place->path, "w");
    fclose(file);
    MUST(sqlite_connect(place->path, false, 0, &db, &place->err));
    MUST(sqlite_migrate_to(db, 1, &place->err));
    MUST(sqlite_exec(db,
                     "INSERT INTO resource VALUES(41, 1, 3, 1, 0, 5, 0, NULL, x'00');"
                     "INSERT INTO resource VALUES(42, 1, 3, 1, 0, 5, 0, NULL, x'00');"
                     "INSERT INTO patient(tenant, name) VALUES(1, 'Patient/p1')",
                     "test", &place->err));
    sqlite3_close(db);
    assert_int_equal(query(place, "PRAGMA user_version"), 1);

    struct store *store;
    const struct store_settings reading = { .path = place->path, .is_read_only = true };
    assert_false(store_open(&reading, &store, &place->err)); /* a reader changes nothing */
    assert_int_equal(place->err.code, ERR_UNSUPPORTED);
    assert_int_equal(query(place, "PRAGMA user_version"), 1);

    struct opened opened = open_as(place, false);
    assert_int_equal(query(place, "PRAGMA user_version"), 3);
    assert_int_equal(resources(place, &opened), 2); /* counted when it was brought forward */
    assert_true(store_key_reserve(opened.store, 1) > 42);
    insert(place, &opened, SLICE("body"));
    assert_int_equal(resources(place, &opened), 3);
    close_both(&opened);
}

static void newer_file_is_refused(void **state)
{
    struct place *place = *state;
    struct store *store;
    struct opened opened = open_as(place, false);
    close_both(&opened);
    query(place, "PRAGMA user_version = 99");
    const struct store_settings settings = { .path = place->path };
    assert_false(store_open(&settings, &store, &place->err));
    assert_int_equal(place->err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(place->err.what, "schema 99"));
    assert_int_equal(query(place, "PRAGMA user_version"), 99);
}

static void failed_step_leaves_the_old_schema(void **state)
{
    struct place *place = *state;
    sqlite3 *db;
    FILE *file = fopen(place->path, "w");
    fclose(file);
    MUST(sqlite_connect(place->path, false, 0, &db, &place->err));
    MUST(sqlite_migrate_to(db, 1, &place->err));
    MUST(sqlite_exec(db, "DROP TABLE patient", "test", &place->err)); /* step 2 counts it */
    assert_false(sqlite_migrate_to(db, 2, &place->err));
    sqlite3_close(db);
    assert_int_equal(query(place, "PRAGMA user_version"), 1);
    assert_int_equal(
        query(place, "SELECT count(*) FROM pragma_table_info('head') WHERE name = 'resources'"), 0);
}

/* --- readers and writers beside each other ------------------------------------------------ */

static void reader_sees_only_what_is_committed(void **state)
{
    struct place *place = *state;
    const struct store_resource row = {
        .key = 77, .tenant = 1, .type = FHIR_CONDITION, .version = 1
    };
    struct opened writer = open_as(place, false);
    insert(place, &writer, SLICE("body"));
    struct opened reader = open_as(place, true);
    MUST(store_begin(writer.tx, &place->err));
    MUST(store_resource_insert(writer.tx, &row, &place->err));
    assert_int_equal(resources(place, &reader), 1);
    MUST(store_commit(writer.tx, &place->err));
    assert_int_equal(resources(place, &reader), 2);
    MUST(store_begin(reader.tx, &place->err));
    assert_false(store_resource_insert(reader.tx, &row, &place->err));
    assert_int_equal(place->err.code, ERR_STORAGE);
    close_both(&reader);
    insert(place, &writer, SLICE("and the writer goes on"));
    close_both(&writer);
    reader = open_as(place, true); /* with the log gone */
    assert_int_equal(resources(place, &reader), 3);
    close_both(&reader);
}

static void second_writer_continues_the_chain(void **state)
{
    struct place *place = *state;
    struct opened gateway = open_as(place, false), operator= open_as(place, false);
    const struct audit_record record = { .kind = AUDIT_ADMIN, .outcome = "success" };
    insert(place, &gateway, SLICE("one"));
    MUST(store_begin(operator.tx, &place->err));
    MUST(ledger_append(operator.tx, &record, &place->err));
    MUST(store_commit(operator.tx, &place->err));
    insert(place, &gateway, SLICE("two"));
    struct audit_verifier verifier;
    MUST(ledger_verify(gateway.tx, NULL, &verifier, &place->err));
    assert_int_equal(verifier.fault, AUDIT_OK);
    assert_int_equal(verifier.records, 3);
    close_both(&operator);
    close_both(&gateway);
}

static void log_stays_bounded(void **state)
{
    struct place *place = *state;
    struct opened opened = open_as(place, false);
    struct stat file;
    char wal[112];
    const size_t size = (size_t)1 << 20;
    char *body = pool_new(size);
    memset(body, 'x', size);
    for (unsigned i = 0; i < 150; i++)
        insert(place, &opened, (struct slice){ body, size });
    snprintf(wal, sizeof wal, "%s-wal", place->path);
    assert_int_equal(stat(wal, &file), 0);
    print_message("  150 MB written, the log is %lld MB long\n", (long long)file.st_size >> 20);
    assert_in_range(file.st_size >> 20, 1, 120);
    close_both(&opened);
    pool_free(body);
}

/* --- signed heads ------------------------------------------------------------------------- */

static void signed_heads_are_verified(void **state)
{
    struct place *place = *state;
    struct opened opened = open_as(place, false);
    struct audit_key *ours = test_key(0, true), *public = test_key(0, false),
                     *foreign = test_key(1, false);
    struct audit_verifier verifier;
    for (int64_t i = 0; i < 30; i++) {
        insert(place, &opened, SLICE("body"));
        if (i % 10 != 9)
            continue;
        MUST(store_begin(opened.tx, &place->err));
        MUST(ledger_sign(opened.tx, ours, i, &place->err));
        MUST(store_commit(opened.tx, &place->err));
    }
    MUST(ledger_verify(opened.tx, public, &verifier, &place->err));
    assert_int_equal(verifier.fault, AUDIT_OK);
    assert_int_equal(verifier.signatures, 3);
    assert_int_equal(verifier.signed_seq, 30);
    MUST(ledger_verify(opened.tx, foreign, &verifier, &place->err));
    assert_int_equal(verifier.fault, AUDIT_BAD_SIGNATURE);
    query(place, "DELETE FROM audit WHERE seq > 25");
    query(place, "UPDATE head SET audit_seq = 25, "
                 "audit_hash = (SELECT hash FROM audit WHERE seq = 25)");
    MUST(ledger_verify(opened.tx, public, &verifier, &place->err));
    assert_int_equal(verifier.fault, AUDIT_TRUNCATED);
    audit_key_free(ours);
    audit_key_free(public);
    audit_key_free(foreign);
    close_both(&opened);
}

/* --- plans -------------------------------------------------------------------------------- */

/* Whole tables that may be walked: small ones, and what is documented to be. */
static bool may_scan(const char *plan)
{
    return strstr(plan, "SCAN head") != NULL || strstr(plan, "SCAN unmapped") != NULL ||
           strstr(plan, "SCAN mention") != NULL || /* once, at the start */
           strstr(plan, "USING COVERING INDEX outbox_due") != NULL ||
           strstr(plan, "USING COVERING INDEX outbox_dead") != NULL;
}

static void check_plan(sqlite3 *db, const char *name, const char *sql)
{
    char text[2048];
    sqlite3_stmt *statement;
    snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", sql);
    if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", name, sqlite3_errmsg(db));
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const char *plan = (const char *)sqlite3_column_text(statement, 3);
        if (strncmp(plan, "SCAN", 4) == 0 && !may_scan(plan))
            fail_msg("%s walks a whole table: %s", name, plan);
        if (strstr(plan, "TEMP B-TREE") != NULL && strcmp(name, "UNMAPPED_LIST") != 0)
            fail_msg("%s sorts: %s", name, plan);
    }
    sqlite3_finalize(statement);
}

static void hot_statements_use_indexes(void **state)
{
    static const struct {
        const char *name, *text;
    } statements[] = {
#define X(name, text) { #name, text },
        SQL_TABLE(X)
#undef X
    };
    struct place *place = *state;
    struct opened opened = open_as(place, false);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
    for (size_t i = 0; i < COUNT_OF(statements); i++)
        check_plan(db, statements[i].name, statements[i].text);
    sqlite3_close(db);
    close_both(&opened);
}

/* The index lags behind next_day, and is put right by those who ask. */
static void due_index_catches_up(void **state)
{
    struct place *place = *state;
    struct opened opened = open_as(place, false);
    int64_t key, keys[4];
    unsigned count = 9;
    bool found;
    MUST(store_begin(opened.tx, &place->err));
    MUST(store_patient_key(opened.tx, 1, SLICE("p"), true, &key, &found, &place->err));
    MUST(store_patient_save(opened.tx, key, SLICE("s"), 100, &place->err));
    MUST(store_patient_save(opened.tx, key, SLICE("s"), 200, &place->err));
    MUST(store_commit(opened.tx, &place->err));
    assert_int_equal(query(place, "SELECT due_day FROM patient"), 100);
    MUST(store_begin(opened.tx, &place->err));
    MUST(store_patients_due(opened.tx, 150, 4, keys, &count, &place->err));
    MUST(store_commit(opened.tx, &place->err));
    assert_int_equal(count, 0);
    assert_int_equal(query(place, "SELECT due_day FROM patient"), 200);
    close_both(&opened);
}

int main(void)
{
#define TEST(sentence, function)                                           \
    {                                                                      \
        .name = sentence, .test_func = function, .setup_func = make_place, \
        .teardown_func = remove_place                                      \
    }
    const struct CMUnitTest tests[] = {
        TEST("only its owner may read the file and its log", only_the_owner_may_read),
        TEST("a file that is no store is refused", other_files_are_refused),
        TEST("a reader makes no file", missing_files_are_not_made_by_readers),
        TEST("a file of version 1 is brought forward", old_file_is_brought_forward),
        TEST("a file of a newer program is refused and left alone", newer_file_is_refused),
        TEST("a step that fails leaves the old schema", failed_step_leaves_the_old_schema),
        TEST("a reader sees what is committed, live or closed", reader_sees_only_what_is_committed),
        TEST("a second writer's records are continued", second_writer_continues_the_chain),
        TEST("the log stays bounded under load", log_stays_bounded),
        TEST("signed heads are verified with the right key", signed_heads_are_verified),
        TEST("no hot statement walks a table", hot_statements_use_indexes),
        TEST("the index of due days catches up", due_index_catches_up),
    };
    return cmocka_run_group_tests_name("store sqlite", tests, NULL, NULL);
}
