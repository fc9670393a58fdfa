/* All or nothing: a transaction of two jobs, as the lane runs it, with its n-th store call failing,
 * for every n.  Afterwards the store holds exactly the jobs that were reported as done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/date.h"
#include "store/ledger.h"
#include "support/store_fault.h"

#define JOBS 2
#define CALLS_MAX 200 /* more than the transaction makes */

struct world {
    char folder[64], path[96];
    struct store *store;
    struct store_tx *tx;
    struct store_fault fault;
    struct arena arena;
    struct err err;
    int64_t old_key, old_patient;
    bool is_done[JOBS];
};

/* --- two jobs ----------------------------------------------------------------------------- */

static bool audit(struct store_tx *tx, const char *actor, struct err *err)
{
    const struct audit_record record = {
        .kind = AUDIT_REQUEST, .time_ms = 5000, .actor = slice_of(actor), .outcome = "success"
    };
    return ledger_append(tx, &record, err);
}

static bool want(struct store_tx *tx, int64_t patient, const char *identity, const char *body,
                 struct err *err)
{
    const struct outbox_row row = { .tenant = 1,
                                    .patient = patient,
                                    .patient_name = SLICE("Patient/p"),
                                    .destination = SLICE("ehr"),
                                    .kind = POSTING_FLAG,
                                    .wish = WISH_HOLD,
                                    .disease = SLICE("dlbcl"),
                                    .identity = slice_of(identity),
                                    .body = slice_of(body),
                                    .wanted = sha256_of_one(slice_of(body)) };
    return store_outbox_want(tx, &row, err);
}

/* A new resource of a new patient. */
static bool create(struct world *world, struct err *err)
{
    struct store_tx *tx = world->tx;
    struct store_resource row = { .key = 100,
                                  .tenant = 1,
                                  .type = FHIR_PATIENT,
                                  .version = 1,
                                  .id = SLICE("new"),
                                  .body = SLICE("new body") };
    struct unmapped_row unmapped = { .tenant = 1, .type = FHIR_CONDITION, .text = SLICE("?") };
    struct slice state;
    int32_t tenant;
    bool found;
    return store_tenant(tx, SLICE("south"), &tenant, err) &&
           store_patient_key(tx, 1, SLICE("Patient/new"), true, &row.patient, &found, err) &&
           store_patient_load(tx, row.patient, &world->arena, &state, err) &&
           store_resource_insert(tx, &row, err) &&
           store_identifier_put(tx, 1, FHIR_PATIENT, SLICE("mrn|1"), row.key, err) &&
           store_link_put(tx, 1, SLICE("Medication/m1"), row.patient, err) &&
           store_patient_save(tx, row.patient, SLICE("new state"), 100, err) &&
           want(tx, row.patient, "flag-new", "new flag", err) &&
           store_unmapped_count(tx, &unmapped, err) && audit(tx, "create", err);
}

/* The next version of a resource that is there. */
static bool change(struct world *world, struct err *err)
{
    struct store_tx *tx = world->tx;
    struct store_resource row = {
        .key = world->old_key, .version = 2, .body = SLICE("changed"), .patient = world->old_patient
    };
    struct store_resource old;
    struct slice state;
    bool found;
    return store_resource_get(tx, row.key, true, &world->arena, &old, &found, err) &&
           store_resource_update(tx, &row, err) &&
           store_identifier_clear(tx, 1, FHIR_CONDITION, row.key, err) &&
           store_patient_load(tx, row.patient, &world->arena, &state, err) &&
           store_patient_save(tx, row.patient, SLICE("changed state"), 5, err) &&
           want(tx, row.patient, "flag-old", "changed flag", err) && audit(tx, "change", err);
}

static bool (*const jobs[JOBS])(struct world *world, struct err *err) = { create, change };

/* As the lane does: a failed job is undone, a failed transaction is rolled back. */
static void run_transaction(struct world *world, unsigned wanted_jobs)
{
    struct err err;
    memset(world->is_done, 0, sizeof world->is_done);
    if (!store_begin(world->tx, &err))
        return;
    for (unsigned i = 0; i < JOBS; i++) {
        if ((wanted_jobs & 1u << i) == 0 || !store_savepoint(world->tx, &err))
            continue;
        if (jobs[i](world, &err))
            world->is_done[i] = store_savepoint_keep(world->tx, &err);
        else
            store_savepoint_undo(world->tx);
    }
    if (!store_commit(world->tx, &err)) {
        memset(world->is_done, 0, sizeof world->is_done);
        store_rollback(world->tx);
    }
}

/* --- a world with a past ------------------------------------------------------------------ */

#define MUST(call)                                                            \
    do {                                                                      \
        if (!(call))                                                          \
            fail_msg("%s: %s: %s", #call, world->err.where, world->err.what); \
    } while (0)

static void set_up(struct world *world, bool is_durable)
{
    memset(world, 0, sizeof *world);
    snprintf(world->folder, sizeof world->folder, "/tmp/lifeline-fault-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->path, sizeof world->path, "%s/store.db", world->folder);
    struct store_settings settings = { .path = is_durable ? world->path : NULL,
                                       .cache_bytes = (size_t)1 << 20 };
    struct store_resource row = { .tenant = 1,
                                  .type = FHIR_CONDITION,
                                  .version = 1,
                                  .key = 1,
                                  .id = SLICE("old"),
                                  .body = SLICE("old body") };
    bool found;
    arena_init(&world->arena, (size_t)16 << 20);
    MUST(store_open(&settings, &world->store, &world->err));
    store_fault_install(&world->fault, world->store);
    MUST(store_tx_open(world->store, &world->tx, &world->err));
    MUST(store_begin(world->tx, &world->err));
    MUST(store_patient_key(world->tx, 1, SLICE("Patient/old"), true, &row.patient, &found,
                           &world->err));
    MUST(store_resource_insert(world->tx, &row, &world->err));
    MUST(store_identifier_put(world->tx, 1, FHIR_CONDITION, SLICE("c|1"), 1, &world->err));
    MUST(store_patient_save(world->tx, row.patient, SLICE("old state"), 50, &world->err));
    MUST(want(world->tx, row.patient, "flag-old", "old flag", &world->err));
    MUST(audit(world->tx, "past", &world->err));
    MUST(store_commit(world->tx, &world->err));
    world->old_key = row.key;
    world->old_patient = row.patient;
}

static void tear_down(struct world *world)
{
    static const char *const suffixes[] = { "", "-wal", "-shm" };
    char name[112];
    store_tx_close(world->tx);
    store_fault_remove(&world->fault, world->store);
    store_close(world->store);
    arena_fini(&world->arena);
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        snprintf(name, sizeof name, "%s%s", world->path, suffixes[i]);
        unlink(name);
    }
    rmdir(world->folder);
}

/* --- all that is in the store, as text ---------------------------------------------------- */

static void describe_resources(struct world *world, struct buffer *out)
{
    static const enum fhir_type types[] = { FHIR_PATIENT, FHIR_CONDITION };
    for (size_t t = 0; t < COUNT_OF(types); t++) {
        struct store_resource *rows, first;
        unsigned count = 0;
        bool found;
        MUST(store_resource_scan(world->tx, 1, types[t], 0, 99, &world->arena, &rows, &count,
                                 &world->err));
        for (unsigned i = 0; i < count; i++) {
            MUST(store_resource_version(world->tx, rows[i].key, 1, &world->arena, &first, &found,
                                        &world->err));
            buffer_format(out, "%lld v%u '%.*s' patient %lld, first '%.*s'\n",
                          (long long)rows[i].key, rows[i].version, SLICE_ARGS(rows[i].body),
                          (long long)rows[i].patient, SLICE_ARGS(first.body));
        }
    }
}

static void describe_patients(struct world *world, struct buffer *out)
{
    static const int32_t days[] = { 5, 50, 100 };
    int64_t keys[9];
    unsigned count = 0;
    MUST(store_patients(world->tx, 1, 0, 9, keys, &count, &world->err));
    for (unsigned i = 0; i < count; i++) {
        struct slice state;
        MUST(store_patient_load(world->tx, keys[i], &world->arena, &state, &world->err));
        buffer_format(out, "patient %lld '%.*s'\n", (long long)keys[i], SLICE_ARGS(state));
    }
    for (size_t i = 0; i < COUNT_OF(days); i++) {
        MUST(store_patients_due(world->tx, days[i], 9, keys, &count, &world->err));
        buffer_format(out, "due on %d: %u\n", days[i], count);
    }
    MUST(store_link_scan(world->tx, 1, SLICE("Medication/m1"), 0, 9, keys, &count, &world->err));
    buffer_format(out, "links %u\n", count);
    MUST(store_identifier_find(world->tx, 1, FHIR_PATIENT, SLICE("mrn|1"), keys, 9, &count,
                               &world->err));
    buffer_format(out, "mrn|1 %u\n", count);
    MUST(store_identifier_find(world->tx, 1, FHIR_CONDITION, SLICE("c|1"), keys, 9, &count,
                               &world->err));
    buffer_format(out, "c|1 %u\n", count);
}

static void describe_logs(struct world *world, struct buffer *out)
{
    struct outbox_row *rows;
    struct unmapped_row *unmapped;
    struct audit_verifier verifier;
    struct store_figures figures;
    unsigned count = 0;
    MUST(store_outbox_list(world->tx, 0, 0, 99, &world->arena, &rows, &count, &world->err));
    for (unsigned i = 0; i < count; i++)
        buffer_format(out, "wish %.*s '%.*s' revision %u\n", SLICE_ARGS(rows[i].identity),
                      SLICE_ARGS(rows[i].body), rows[i].revision);
    MUST(store_unmapped_list(world->tx, 9, &world->arena, &unmapped, &count, &world->err));
    buffer_format(out, "unmapped %u\n", count);
    MUST(store_figures(world->tx, &figures, &world->err));
    buffer_format(out, "%lld resources, %lld patients, %lld records\n",
                  (long long)figures.resources, (long long)figures.patients,
                  (long long)figures.audit_records);
    MUST(ledger_verify(world->tx, NULL, &verifier, &world->err));
    buffer_format(out, "chain of %llu, fault %d\n", (unsigned long long)verifier.records,
                  (int)verifier.fault);
}

static void describe(struct world *world, struct buffer *out)
{
    store_fault_arm(&world->fault, 0, ERR_OK, NULL);
    buffer_init(out, 1 << 20);
    MUST(store_begin(world->tx, &world->err));
    describe_resources(world, out);
    describe_patients(world, out);
    describe_logs(world, out);
    store_rollback(world->tx);
}

/* What the store looks like when exactly these jobs were done. */
static void describe_expected(bool is_durable, unsigned done_jobs, struct buffer *out)
{
    struct world world;
    set_up(&world, is_durable);
    run_transaction(&world, done_jobs);
    describe(&world, out);
    tear_down(&world);
}

/* --- the test ----------------------------------------------------------------------------- */

struct run {
    const char *name;
    bool is_durable;
    enum err_code code;
};

static const struct run runs[] = {
    { "memory: the medium fails at any call: all jobs are done, or none", false, ERR_STORAGE },
    { "sqlite: the medium fails at any call: all jobs are done, or none", true, ERR_STORAGE },
    { "memory: a call of a job fails: that job leaves nothing", false, ERR_CONFLICT },
    { "sqlite: a call of a job fails: that job leaves nothing", true, ERR_CONFLICT },
};

static unsigned jobs_done(const struct world *world)
{
    return (world->is_done[0] ? 1u : 0u) | (world->is_done[1] ? 2u : 0u);
}

/* True when the fault was met: there may be later calls. */
static bool fail_once(const struct run *run, unsigned n, const struct buffer *expected)
{
    struct world world;
    struct buffer actual;
    set_up(&world, run->is_durable);
    store_fault_arm(&world.fault, n, run->code, NULL);
    run_transaction(&world, 3);
    const char *failed = world.fault.failed;
    unsigned done = jobs_done(&world);
    describe(&world, &actual);
    if (!slice_eq(buffer_slice(&actual), buffer_slice(&expected[done])))
        fail_msg("call %u (%s) failed, jobs %u were reported done, but the store holds\n%.*s", n,
                 failed != NULL ? failed : "none", done, SLICE_ARGS(buffer_slice(&actual)));
    if (run->code == ERR_STORAGE && failed != NULL)
        assert_int_equal(done, 0);
    buffer_fini(&actual);

    run_transaction(&world, 3u & ~done); /* what failed may be tried again */
    assert_int_equal(done | jobs_done(&world), 3);
    tear_down(&world);
    return failed != NULL;
}

static void every_call_fails_once(void **state)
{
    const struct run *run = *state;
    struct buffer expected[4];
    for (unsigned i = 0; i < COUNT_OF(expected); i++)
        describe_expected(run->is_durable, i, &expected[i]);
    assert_false(slice_eq(buffer_slice(&expected[0]), buffer_slice(&expected[3])));
    unsigned n = 1;
    while (fail_once(run, n, expected)) {
        n++;
        assert_in_range(n, 1, CALLS_MAX);
    }
    assert_in_range(n, 25, CALLS_MAX); /* the transaction really makes so many calls */
    print_message("  %u calls failed, one at a time\n", n - 1);
    for (unsigned i = 0; i < COUNT_OF(expected); i++)
        buffer_fini(&expected[i]);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(runs)];
    for (size_t i = 0; i < COUNT_OF(runs); i++)
        tests[i] = (struct CMUnitTest){ .name = runs[i].name,
                                        .test_func = every_call_fails_once,
                                        .initial_state = (void *)(uintptr_t)&runs[i] };
    return cmocka_run_group_tests_name("store faults", tests, NULL, NULL);
}
