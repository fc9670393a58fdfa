/* The pass over all patients after the mappings changed: everybody of every tenant once, wherever it
 * was interrupted, and a patient that cannot be read holds up nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <uv.h>

#include "app/files.h"
#include "app/mapping_files.h"
#include "base/text.h"
#include "ingest/ingest.h"
#include "ingest/state.h"
#include "store/ledger.h"

#define PATIENTS 100 /* of each tenant */
#define NOW_MS INT64_C(1767225600000)

static struct mapping *mapping;
static struct plan_texts texts;
static struct arena texts_arena;

struct gateway {
    struct store *store;
    struct lane *lane;
    struct loop *loop;
    struct ingest *ingest;
    uv_sem_t done;
    struct err err;
};

static void must(bool is_done, const struct err *err)
{
    if (!is_done)
        fail_msg("%s: %s", err->where, err->what);
}

static void gateway_open(struct gateway *gateway)
{
    static const struct ingest_tenant tenants[] = { { .tenant = { .name = { "north", 5 } } },
                                                    { .tenant = { .name = { "empty", 5 } } },
                                                    { .tenant = { .name = { "south", 5 } } } };
    struct err err;
    struct store_settings memory = { 0 };
    struct lane_settings lane = { .queue_max = 100, .batch_max = 16 };
    *gateway = (struct gateway){ 0 };
    must(store_open(&memory, &gateway->store, &err), &err);
    struct ingest_settings settings = { .mapping = mapping,
                                        .texts = &texts,
                                        .store = gateway->store,
                                        .tenants = tenants,
                                        .tenant_count = COUNT_OF(tenants),
                                        .base_url = "https://localhost/fhir",
                                        .instance = "https://localhost/lifeline",
                                        .version = "test",
                                        .security = "none",
                                        .bundle_entries_max = 1000,
                                        .reply_bytes_max = 1 << 24,
                                        .grade_min = GRADE_MEDIUM };
    must(ingest_open(&settings, &gateway->ingest, &err), &err);
    must(lane_start(gateway->store, &lane, &gateway->lane, &err), &err);
    ingest_set_lane(gateway->ingest, gateway->lane);
    must(loop_open("pass", &gateway->loop, &err), &err);
    must(loop_start(gateway->loop, NULL, NULL, &err), &err);
    uv_sem_init(&gateway->done, 0);
}

static void gateway_close(struct gateway *gateway)
{
    lane_stop(gateway->lane);
    loop_stop(gateway->loop);
    loop_join(gateway->loop);
    loop_close(gateway->loop);
    ingest_close(gateway->ingest);
    store_close(gateway->store);
    uv_sem_destroy(&gateway->done);
}

/* Patients as an older gateway left them: nothing derived yet; `bad` cannot be read. */
static void put_patients(struct gateway *gateway, unsigned bad)
{
    static const char *const tenants[] = { "north", "south" };
    struct store_tx *tx;
    struct buffer row;
    struct err err;
    buffer_init(&row, 1000);
    state_write(&(struct state){ .count = 0 }, &row);
    must(store_tx_open(gateway->store, &tx, &err), &err);
    must(store_begin(tx, &err), &err);
    for (unsigned t = 0; t < COUNT_OF(tenants); t++) {
        int32_t tenant;
        must(store_tenant(tx, slice_of(tenants[t]), &tenant, &err), &err);
        for (unsigned i = 0; i < PATIENTS; i++) {
            char name[40];
            int64_t key;
            bool found, is_bad = t == 1 && i < bad;
            snprintf(name, sizeof name, "Patient/%s-%u", tenants[t], i);
            must(store_patient_key(tx, tenant, slice_of(name), true, &key, &found, &err), &err);
            must(store_patient_save(tx, key, is_bad ? SLICE("\xff\xff") : buffer_slice(&row),
                                    INT32_MIN, &err),
                 &err);
        }
    }
    must(store_commit(tx, &err), &err);
    store_tx_close(tx);
    buffer_fini(&row);
}

static struct gateway *waiting;

static void on_batch(struct ingest_pass *pass, const struct err *err)
{
    (void)pass;
    waiting->err = *err;
    uv_sem_post(&waiting->done);
}

/* One batch; false when it failed. */
static bool step(struct gateway *gateway, struct ingest_pass *pass)
{
    struct err err;
    waiting = gateway;
    pass->ingest = gateway->ingest;
    pass->now_ms = NOW_MS;
    pass->max = 7;
    pass->done = on_batch;
    must(ingest_pass_submit(pass, gateway->loop, &err), &err);
    uv_sem_wait(&gateway->done);
    return gateway->err.code == ERR_OK;
}

/* "config 2 derive 3 ..." of the audit log, and that it is whole. */
static void check_audit(struct gateway *gateway, unsigned configs, unsigned serious)
{
    struct store_tx *tx;
    struct audit_row *rows;
    struct audit_verifier verifier;
    struct arena arena;
    struct err err;
    unsigned count, begun = 0, bad = 0;
    arena_init(&arena, 1 << 26);
    must(store_tx_open(gateway->store, &tx, &err), &err);
    must(store_begin(tx, &err), &err);
    must(ledger_verify(tx, NULL, &verifier, &err), &err);
    assert_int_equal(verifier.fault, AUDIT_OK);
    must(store_audit_scan(tx, 0, 1000, &arena, &rows, &count, &err), &err);
    for (unsigned i = 0; i < count; i++) {
        struct slice record = rows[i].record;
        begun += memmem(record.at, record.len, "\"pass\":", 7) != NULL;
        bad += memmem(record.at, record.len, "serious", 7) != NULL;
    }
    assert_int_equal(begun, configs);
    assert_int_equal(bad, serious);
    store_rollback(tx);
    store_tx_close(tx);
    arena_fini(&arena);
}

static void everybody_is_derived_once(void **state)
{
    (void)state;
    struct gateway gateway;
    struct ingest_pass pass = { .max = 0 };
    gateway_open(&gateway);
    put_patients(&gateway, 0);
    unsigned steps = 0;
    do
        assert_true(step(&gateway, &pass));
    while (!pass.is_done && ++steps < 1000);
    assert_int_equal(pass.derived, 2 * PATIENTS);
    assert_int_equal(pass.failed, 0);
    check_audit(&gateway, 2, 0);
    struct ingest_pass again = { .max = 0 }; /* the next start, with the same tables */
    assert_true(step(&gateway, &again));
    assert_true(again.is_done);
    assert_int_equal(again.derived, 0);
    check_audit(&gateway, 2, 0);
    gateway_close(&gateway);
}

/* What is in memory is forgotten after every batch, as with a kill. */
static void an_interrupted_pass_goes_on_where_it_stood(void **state)
{
    (void)state;
    struct gateway gateway;
    struct ingest_pass pass;
    gateway_open(&gateway);
    put_patients(&gateway, 0);
    unsigned steps = 0;
    int64_t derived = 0;
    do {
        pass = (struct ingest_pass){ .max = 0 };
        assert_true(step(&gateway, &pass));
        assert_true(pass.derived >= derived && pass.derived <= derived + 7);
        derived = pass.derived;
    } while (!pass.is_done && ++steps < 1000);
    assert_int_equal(derived, 2 * PATIENTS);
    check_audit(&gateway, 2, 0);
    gateway_close(&gateway);
}

static void patients_that_cannot_be_read_are_told_and_passed_over(void **state)
{
    (void)state;
    struct gateway gateway;
    struct ingest_pass pass = { .max = 0 };
    gateway_open(&gateway);
    put_patients(&gateway, 3);
    unsigned steps = 0, failures = 0;
    do
        failures += !step(&gateway, &pass);
    while (!pass.is_done && ++steps < 1000);
    assert_int_equal(failures, 3);
    assert_int_equal(pass.derived, 2 * PATIENTS - 3);
    assert_int_equal(pass.failed, 3);
    check_audit(&gateway, 2, 3);
    gateway_close(&gateway);
}

static void a_new_store_has_nothing_to_do(void **state)
{
    (void)state;
    struct gateway gateway;
    struct ingest_pass pass = { .max = 0 };
    gateway_open(&gateway);
    assert_true(step(&gateway, &pass));
    assert_true(pass.is_done);
    check_audit(&gateway, 0, 0);
    gateway_close(&gateway);
}

static int load(void **state)
{
    (void)state;
    static struct table_errors errors;
    struct slice tsv;
    struct buffer faults;
    struct err err;
    arena_init(&texts_arena, 1 << 22);
    buffer_init(&faults, 1 << 16);
    bool is_read =
        mapping_open(SOURCE_DIR "/mappings", NULL, &mapping, &errors) &&
        file_read(SOURCE_DIR "/mappings/outputs.tsv", 1 << 20, &texts_arena, &tsv, &err) &&
        plan_texts_read(tsv, "outputs.tsv", &texts_arena, &texts, &faults);
    buffer_fini(&faults);
    return is_read ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    mapping_close(mapping);
    arena_fini(&texts_arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_is_derived_once),
        cmocka_unit_test(an_interrupted_pass_goes_on_where_it_stood),
        cmocka_unit_test(patients_that_cannot_be_read_are_told_and_passed_over),
        cmocka_unit_test(a_new_store_has_nothing_to_do),
    };
    return cmocka_run_group_tests_name("pass", tests, load, unload);
}
