/* The contract of a store: transactions, resources and their versions.  Patients are in
 * store_patient_test.c, the outbox and the audit log in store_log_test.c. */
#include "store_fixture.h"

/* --- words -------------------------------------------------------------------------------- */

static struct store_resource resource(struct fixture *fixture, const char *id, const char *body)
{
    return (struct store_resource){ .key = store_key_reserve(fixture->store, 1),
                                    .tenant = fixture->tenant,
                                    .type = FHIR_MEDICATION_REQUEST,
                                    .version = 1,
                                    .patient = 7,
                                    .updated_ms = 1700000000123,
                                    .id = slice_of(id),
                                    .body = slice_of(body) };
}

static int64_t insert(struct fixture *fixture, const char *id, const char *body)
{
    struct store_resource row = resource(fixture, id, body);
    MUST(store_resource_insert(fixture->tx, &row, &fixture->err));
    return row.key;
}

static void update(struct fixture *fixture, int64_t key, uint32_t version, const char *body)
{
    struct store_resource row = resource(fixture, "", body);
    row.key = key;
    row.version = version;
    row.updated_ms += version;
    MUST(store_resource_update(fixture->tx, &row, &fixture->err));
}

static bool is_there(struct fixture *fixture, int64_t key)
{
    struct store_resource row;
    bool found = false;
    MUST(store_resource_get(fixture->tx, key, true, &fixture->arena, &row, &found, &fixture->err));
    return found;
}

static void assert_body(struct fixture *fixture, int64_t key, uint32_t version, const char *body)
{
    struct store_resource row;
    bool found = false;
    MUST(store_resource_version(fixture->tx, key, version, &fixture->arena, &row, &found,
                                &fixture->err));
    assert_true(found);
    assert_int_equal(row.version, version);
    assert_slice(row.body, body);
}

/* --- transactions ------------------------------------------------------------------------- */

static void committed_is_durable(struct fixture *fixture)
{
    int64_t key = insert(fixture, "", "body");
    reopen(fixture);
    assert_body(fixture, key, 1, "body");
}

static void rolled_back_is_gone(struct fixture *fixture)
{
    int64_t kept = insert(fixture, "kept", "kept");
    commit(fixture);
    begin(fixture);
    int64_t lost = insert(fixture, "lost", "lost");
    update(fixture, kept, 2, "changed");
    int64_t unborn = patient(fixture, "Patient/unborn");
    store_rollback(fixture->tx);
    begin(fixture);
    assert_false(is_there(fixture, lost));
    assert_body(fixture, kept, 1, "kept");
    bool found = true;
    MUST(store_patient_key(fixture->tx, fixture->tenant, SLICE("Patient/unborn"), false, &unborn,
                           &found, &fixture->err));
    assert_false(found);
}

static void undone_job_leaves_nothing(struct fixture *fixture)
{
    int64_t first = insert(fixture, "a", "first");
    MUST(store_savepoint(fixture->tx, &fixture->err));
    int64_t second = insert(fixture, "b", "second");
    int64_t key = patient(fixture, "Patient/p1");
    save(fixture, key, "state", 5);
    MUST(store_identifier_put(fixture->tx, fixture->tenant, FHIR_PATIENT, SLICE("s|1"), second,
                              &fixture->err));
    update(fixture, first, 2, "changed");
    store_savepoint_undo(fixture->tx);
    int64_t third = insert(fixture, "b", "third"); /* the id is free again */
    reopen(fixture);
    assert_false(is_there(fixture, second));
    assert_body(fixture, first, 1, "first");
    assert_body(fixture, third, 1, "third");
    struct store_figures figures;
    MUST(store_figures(fixture->tx, &figures, &fixture->err));
    assert_int_equal(figures.resources, 2);
    assert_int_equal(figures.patients, 0);
    unsigned count = 9;
    int64_t keys[4];
    MUST(store_identifier_find(fixture->tx, fixture->tenant, FHIR_PATIENT, SLICE("s|1"), keys, 4,
                               &count, &fixture->err));
    assert_int_equal(count, 0);
}

static void kept_job_stands_between_undone_ones(struct fixture *fixture)
{
    int64_t keys[6];
    for (unsigned i = 0; i < COUNT_OF(keys); i++) {
        MUST(store_savepoint(fixture->tx, &fixture->err));
        keys[i] = insert(fixture, "", "body");
        if (i % 2 == 0)
            store_savepoint_undo(fixture->tx);
        else
            MUST(store_savepoint_keep(fixture->tx, &fixture->err));
    }
    reopen(fixture);
    for (unsigned i = 0; i < COUNT_OF(keys); i++)
        assert_int_equal(is_there(fixture, keys[i]), i % 2 == 1);
}

static void reading_job_may_be_undone(struct fixture *fixture)
{
    int64_t key = insert(fixture, "", "body");
    MUST(store_savepoint(fixture->tx, &fixture->err));
    assert_true(is_there(fixture, key));
    store_savepoint_undo(fixture->tx);
    assert_true(is_there(fixture, key));
}

static void update_may_be_undone_twice(struct fixture *fixture)
{
    int64_t key = patient(fixture, "Patient/p1");
    save(fixture, key, "one", 10);
    for (unsigned i = 0; i < 2; i++) {
        MUST(store_savepoint(fixture->tx, &fixture->err));
        save(fixture, key, "two", 5);
        save(fixture, key, "three", 4);
        store_savepoint_undo(fixture->tx);
        assert_state(fixture, key, "one");
    }
    int64_t keys[2];
    unsigned count = 9;
    MUST(store_patients_due(fixture->tx, 5, 2, keys, &count, &fixture->err));
    assert_int_equal(count, 0);
    MUST(store_patients_due(fixture->tx, 10, 2, keys, &count, &fixture->err));
    assert_keys(keys, count, KEYS(key));
}

static void assert_setting(struct fixture *fixture, const char *name, const char *wanted)
{
    struct slice value;
    MUST(store_setting_get(fixture->tx, slice_of(name), &fixture->arena, &value, &fixture->err));
    assert_true(slice_is(value, wanted));
}

static void settings_read_as_written(struct fixture *fixture)
{
    assert_setting(fixture, "paused.ehr", "");
    MUST(store_setting_put(fixture->tx, SLICE("paused.ehr"), SLICE("A. Moor"), &fixture->err));
    MUST(store_setting_put(fixture->tx, SLICE("paused.other"), SLICE("B. Vale"), &fixture->err));
    reopen(fixture);
    assert_setting(fixture, "paused.ehr", "A. Moor");
    MUST(store_savepoint(fixture->tx, &fixture->err));
    MUST(store_setting_put(fixture->tx, SLICE("paused.ehr"), SLICE(""), &fixture->err));
    assert_setting(fixture, "paused.ehr", "");
    store_savepoint_undo(fixture->tx);
    assert_setting(fixture, "paused.ehr", "A. Moor");
    MUST(store_setting_put(fixture->tx, SLICE("paused.ehr"), SLICE(""), &fixture->err));
    reopen(fixture);
    assert_setting(fixture, "paused.ehr", "");
    assert_setting(fixture, "paused.other", "B. Vale");
}

/* --- resources ---------------------------------------------------------------------------- */

static void resource_reads_as_written(struct fixture *fixture)
{
    struct store_resource row = resource(fixture, "m1", "a body"), got;
    bool found = false;
    MUST(store_resource_insert(fixture->tx, &row, &fixture->err));
    MUST(store_resource_get(fixture->tx, row.key, true, &fixture->arena, &got, &found,
                            &fixture->err));
    assert_true(found);
    assert_int_equal(got.key, row.key);
    assert_int_equal(got.tenant, row.tenant);
    assert_int_equal(got.type, row.type);
    assert_int_equal(got.version, 1);
    assert_int_equal(got.patient, 7);
    assert_int_equal(got.updated_ms, 1700000000123);
    assert_false(got.is_deleted);
    assert_slice(got.id, "m1");
    assert_slice(got.body, "a body");
    MUST(store_resource_get(fixture->tx, row.key, false, &fixture->arena, &got, &found,
                            &fixture->err));
    assert_slice(got.id, "m1");
    assert_slice(got.body, "");
}

static void binary_bodies_survive(struct fixture *fixture)
{
    char bytes[300];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7);
    struct store_resource row = resource(fixture, "", ""), got;
    bool found = false;
    row.body = (struct slice){ bytes, sizeof bytes };
    MUST(store_resource_insert(fixture->tx, &row, &fixture->err));
    reopen(fixture);
    MUST(store_resource_get(fixture->tx, row.key, true, &fixture->arena, &got, &found,
                            &fixture->err));
    assert_true(slice_eq(got.body, row.body));
}

static void large_bodies_survive(struct fixture *fixture)
{
    struct store_resource row = resource(fixture, "", ""), got;
    bool found = false;
    char *bytes = pool_new(3000000);
    for (unsigned i = 0; i < 3000000; i++)
        bytes[i] = (char)(i % 251);
    row.body = (struct slice){ bytes, 3000000 };
    MUST(store_resource_insert(fixture->tx, &row, &fixture->err));
    reopen(fixture);
    MUST(store_resource_get(fixture->tx, row.key, true, &fixture->arena, &got, &found,
                            &fixture->err));
    assert_true(slice_eq(got.body, row.body));
    pool_free(bytes);
}

static void old_versions_are_kept(struct fixture *fixture)
{
    int64_t key = insert(fixture, "m1", "one"), other = insert(fixture, "m2", "other");
    update(fixture, key, 2, "two");
    reopen(fixture);
    update(fixture, key, 3, "three");
    assert_body(fixture, key, 1, "one");
    assert_body(fixture, key, 2, "two");
    assert_body(fixture, key, 3, "three");
    assert_body(fixture, other, 1, "other");
    struct store_resource row;
    bool found = true;
    MUST(store_resource_version(fixture->tx, key, 4, &fixture->arena, &row, &found, &fixture->err));
    assert_false(found);
    MUST(store_resource_get(fixture->tx, key, true, &fixture->arena, &row, &found, &fixture->err));
    assert_int_equal(row.version, 3);
    assert_int_equal(row.updated_ms, 1700000000126);
    assert_slice(row.id, "m1"); /* an update does not name the resource again */
}

static void deletion_is_a_version(struct fixture *fixture)
{
    int64_t key = insert(fixture, "m1", "one");
    struct store_resource row = resource(fixture, "", "");
    bool found = false;
    row.key = key;
    row.version = 2;
    row.is_deleted = true;
    MUST(store_resource_update(fixture->tx, &row, &fixture->err));
    MUST(store_resource_get(fixture->tx, key, true, &fixture->arena, &row, &found, &fixture->err));
    assert_true(found);
    assert_true(row.is_deleted);
    assert_slice(row.body, "");
    assert_body(fixture, key, 1, "one");
}

static void stale_update_is_refused(struct fixture *fixture)
{
    int64_t key = insert(fixture, "", "one");
    struct store_resource row = resource(fixture, "", "three");
    row.key = key;
    row.version = 3;
    assert_false(store_resource_update(fixture->tx, &row, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_CONFLICT);
    row.key = 987654;
    row.version = 2;
    assert_false(store_resource_update(fixture->tx, &row, &fixture->err));
    assert_body(fixture, key, 1, "one"); /* and the transaction goes on */
}

static void second_resource_of_an_id_is_refused(struct fixture *fixture)
{
    int64_t key = insert(fixture, "same", "one");
    struct store_resource row = resource(fixture, "same", "two");
    MUST(store_savepoint(fixture->tx, &fixture->err));
    assert_false(store_resource_insert(fixture->tx, &row, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_CONFLICT);
    assert_null(strstr(fixture->err.what, "same")); /* errors hold no values */
    store_savepoint_undo(fixture->tx);
    reopen(fixture);
    assert_false(is_there(fixture, row.key));
    assert_true(is_there(fixture, key));
}

static void ids_belong_to_tenant_and_type(struct fixture *fixture)
{
    static const struct {
        int32_t tenant_offset;
        enum fhir_type type;
        const char *id;
        bool found;
    } rows[] = { { 0, FHIR_MEDICATION_REQUEST, "m1", true },
                 { 1, FHIR_MEDICATION_REQUEST, "m1", false },
                 { 0, FHIR_CONDITION, "m1", false },
                 { 0, FHIR_MEDICATION_REQUEST, "m", false },
                 { 0, FHIR_MEDICATION_REQUEST, "m11", false } };
    int64_t inserted = insert(fixture, "m1", "body");
    reopen(fixture);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool found = !rows[i].found;
        int64_t key = 0;
        MUST(store_resource_find(fixture->tx, fixture->tenant + rows[i].tenant_offset, rows[i].type,
                                 slice_of(rows[i].id), &key, &found, &fixture->err));
        assert_int_equal(found, rows[i].found);
        if (found)
            assert_int_equal(key, inserted);
    }
}

static void scan_pages_through_a_type(struct fixture *fixture)
{
    int64_t wanted[5], after = 0;
    for (unsigned i = 0; i < 10; i++) {
        struct store_resource row = resource(fixture, "", "body");
        row.type = i % 2 == 0 ? FHIR_CONDITION : FHIR_PATIENT;
        MUST(store_resource_insert(fixture->tx, &row, &fixture->err));
        if (i % 2 == 0)
            wanted[i / 2] = row.key;
    }
    unsigned seen = 0;
    for (;;) {
        struct store_resource *rows;
        unsigned count = 0;
        MUST(store_resource_scan(fixture->tx, fixture->tenant, FHIR_CONDITION, after, 2,
                                 &fixture->arena, &rows, &count, &fixture->err));
        if (count == 0)
            break;
        for (unsigned i = 0; i < count; i++, seen++)
            assert_int_equal(rows[i].key, wanted[seen]);
        after = rows[count - 1].key;
    }
    assert_int_equal(seen, 5);
}

static void changes_are_told_the_newest_first(struct fixture *fixture)
{
    struct store_resource rows[3];
    struct store_change got[8];
    unsigned count;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        rows[i] = resource(fixture, "", "body");
        rows[i].type = i == 1 ? FHIR_CONDITION : FHIR_PATIENT;
        MUST(store_resource_insert(fixture->tx, &rows[i], &fixture->err));
    }
    for (unsigned i = 0; i < 4; i++) { /* 0, 1, 0, 1 are replaced */
        rows[i % 2].version++;
        MUST(store_resource_update(fixture->tx, &rows[i % 2], &fixture->err));
    }
    reopen(fixture);
    MUST(store_resource_changes(fixture->tx, STORE_CREATIONS, fixture->tenant, FHIR_NONE, INT64_MAX,
                                8, got, &count, &fixture->err));
    assert_int_equal(count, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(got[i].key, rows[2 - i].key);
        assert_int_equal(got[i].version, 1);
    }
    MUST(store_resource_changes(fixture->tx, STORE_REPLACEMENTS, fixture->tenant, FHIR_NONE,
                                INT64_MAX, 3, got, &count, &fixture->err));
    assert_int_equal(count, 3);
    const unsigned versions[] = { 3, 3, 2, 2 };
    int64_t before = got[2].place;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(got[i].key, rows[(i + 1) % 2].key);
        assert_int_equal(got[i].version, versions[i]);
    }
    MUST(store_resource_changes(fixture->tx, STORE_REPLACEMENTS, fixture->tenant, FHIR_NONE, before,
                                8, got, &count, &fixture->err));
    assert_int_equal(count, 1);
    assert_int_equal(got[0].key, rows[0].key);
    MUST(store_resource_changes(fixture->tx, STORE_REPLACEMENTS, fixture->tenant, FHIR_CONDITION,
                                INT64_MAX, 8, got, &count, &fixture->err));
    assert_int_equal(count, 2);
    MUST(store_resource_changes(fixture->tx, STORE_CREATIONS, fixture->tenant + 1, FHIR_NONE,
                                INT64_MAX, 8, got, &count, &fixture->err));
    assert_int_equal(count, 0);
}

static void full_arena_is_an_error(struct fixture *fixture)
{
    struct arena small;
    struct store_resource *rows;
    unsigned count = 0;
    for (unsigned i = 0; i < 50; i++)
        insert(fixture, "", "a body of some bytes");
    arena_init(&small, 1000);
    assert_false(store_resource_scan(fixture->tx, fixture->tenant, FHIR_MEDICATION_REQUEST, 0, 50,
                                     &small, &rows, &count, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_TOO_LARGE);
    arena_fini(&small);
    insert(fixture, "", "and the transaction goes on");
    commit(fixture);
    begin(fixture);
}

static void keys_grow_across_restarts(struct fixture *fixture)
{
    int64_t first = store_key_reserve(fixture->store, 10);
    int64_t second = store_key_reserve(fixture->store, 1);
    assert_int_equal(second, first + 10);
    int64_t used = insert(fixture, "", "body");
    reopen(fixture);
    assert_true(store_key_reserve(fixture->store, 1) > used);
}

static void salt_outlives_the_process(struct fixture *fixture)
{
    uint64_t salt = store_salt(fixture->store);
    assert_int_not_equal(salt, 0);
    reopen(fixture);
    assert_int_equal(store_salt(fixture->store), salt);
}

static void tenants_have_numbers(struct fixture *fixture)
{
    int32_t south = 0, again = 0;
    MUST(store_tenant(fixture->tx, SLICE("south"), &south, &fixture->err));
    assert_int_not_equal(south, fixture->tenant);
    reopen(fixture);
    MUST(store_tenant(fixture->tx, SLICE("south"), &again, &fixture->err));
    assert_int_equal(again, south);
    MUST(store_tenant(fixture->tx, SLICE("north"), &again, &fixture->err));
    assert_int_equal(again, fixture->tenant);
}

/* --- the table ---------------------------------------------------------------------------- */

static const struct story stories[] = {
    { "what was committed is there after a restart", committed_is_durable },
    { "what was rolled back is gone", rolled_back_is_gone },
    { "a job whose savepoint is undone leaves nothing", undone_job_leaves_nothing },
    { "a kept job stands between undone ones", kept_job_stands_between_undone_ones },
    { "a job that only read may be undone", reading_job_may_be_undone },
    { "a change may be undone twice", update_may_be_undone_twice },
    { "a setting reads as it was written, and is gone when it is set to nothing",
      settings_read_as_written },
    { "a resource reads as it was written", resource_reads_as_written },
    { "a body may hold any bytes", binary_bodies_survive },
    { "a body may be megabytes", large_bodies_survive },
    { "an updated resource keeps its old versions", old_versions_are_kept },
    { "a deletion is a version", deletion_is_a_version },
    { "an update that skips a version is refused", stale_update_is_refused },
    { "a second resource of the same id is refused", second_resource_of_an_id_is_refused },
    { "an id belongs to a tenant and a type", ids_belong_to_tenant_and_type },
    { "a scan pages through a type in order of key", scan_pages_through_a_type },
    { "changes are told the newest first, and by pages", changes_are_told_the_newest_first },
    { "rows that do not fit into the arena are an error", full_arena_is_an_error },
    { "keys grow across restarts", keys_grow_across_restarts },
    { "the salt outlives the process", salt_outlives_the_process },
    { "a tenant gets one number and keeps it", tenants_have_numbers },
};

int main(void) { return tell_all("store contract", stories, COUNT_OF(stories)); }
