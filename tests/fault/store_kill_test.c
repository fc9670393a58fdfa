/* kill -9 on the bare store.  A child commits numbered rows in batches and tells a number only once
 * it is durable; the parent kills it at random moments.  Then every told row is there, once, with
 * its audit record, and the chain verifies.
 *
 * LIFELINE_KILL_ROUNDS sets the number of rounds, 20 by default; LIFELINE_SEED the moments. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/pool.h"
#include "store/ledger.h"

#define BODY_BYTES ((size_t)6000) /* so that the log is copied into the file now and then */
#define WAIT_MAX_MS 250

struct place {
    char folder[64], path[96];
    uint64_t chance;
};

static uint64_t next_chance(uint64_t *chance)
{
    *chance ^= *chance << 13;
    *chance ^= *chance >> 7;
    *chance ^= *chance << 17;
    return *chance;
}

static void sleep_ms(unsigned ms)
{
    struct timespec time = { ms / 1000, (long)(ms % 1000) * 1000000 };
    nanosleep(&time, NULL);
}

/* --- the child ---------------------------------------------------------------------------- */

static bool write_row(struct store *store, struct store_tx *tx, uint64_t *chance, int64_t *number,
                      struct err *err)
{
    static char body[BODY_BYTES];
    struct store_resource row = { .key = store_key_reserve(store, 1),
                                  .tenant = 1,
                                  .type = FHIR_CONDITION,
                                  .version = 1,
                                  .body = { body, BODY_BYTES } };
    const struct audit_record record = {
        .kind = AUDIT_REQUEST, .time_ms = row.key, .monotonic_ns = row.key, .outcome = "success"
    };
    char state[64], name[32];
    bool found;
    for (size_t i = 0; i + sizeof *chance <= BODY_BYTES; i += sizeof *chance) {
        uint64_t noise = next_chance(chance);
        memcpy(body + i, &noise, sizeof noise);
    }
    snprintf(name, sizeof name, "Patient/%d", (int)(row.key % 50));
    snprintf(state, sizeof state, "last %lld", (long long)row.key);
    if (!store_patient_key(tx, 1, slice_of(name), true, &row.patient, &found, err) ||
        !store_resource_insert(tx, &row, err) ||
        !store_patient_save(tx, row.patient, slice_of(state), (int32_t)(row.key % 100), err) ||
        !ledger_append(tx, &record, err))
        return false;
    *number = row.key;
    return true;
}

/* Every third batch is undone in part, as a failing job would be. */
static bool write_batch(struct store *store, struct store_tx *tx, uint64_t *chance, int64_t *number,
                        struct err *err)
{
    unsigned count = 1 + (unsigned)(next_chance(chance) % 40);
    int64_t lost;
    if (!store_begin(tx, err))
        return false;
    for (unsigned i = 0; i < count; i++)
        if (!store_savepoint(tx, err) || !write_row(store, tx, chance, number, err) ||
            !store_savepoint_keep(tx, err))
            return false;
    if (!store_savepoint(tx, err) || !write_row(store, tx, chance, &lost, err))
        return false;
    store_savepoint_undo(tx);
    return store_commit(tx, err);
}

/* Never returns: it is killed, or exits when something is wrong. */
static _Noreturn void child(const char *path, uint64_t chance, int tell)
{
    struct store *store;
    struct store_tx *tx;
    struct err err;
    int64_t number = 0;
    const struct store_settings settings = { .path = path, .cache_bytes = (size_t)8 << 20 };
    if (store_open(&settings, &store, &err) && store_tx_open(store, &tx, &err))
        while (write_batch(store, tx, &chance, &number, &err))
            if (write(tell, &number, sizeof number) != sizeof number)
                break;
    fprintf(stderr, "%s: %s\n", err.where, err.what);
    _exit(EXIT_FAILURE);
}

/* --- the parent --------------------------------------------------------------------------- */

/* The last number that was told before the child died. */
static int64_t run_and_kill(struct place *place)
{
    int pipe_ends[2], status = 0;
    int64_t told = 0, number;
    assert_int_equal(pipe(pipe_ends), 0);
    uint64_t chance = next_chance(&place->chance);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(pipe_ends[0]);
        child(place->path, chance, pipe_ends[1]);
    }
    close(pipe_ends[1]);
    sleep_ms(5 + (unsigned)(next_chance(&place->chance) % WAIT_MAX_MS));
    kill(pid, SIGKILL);
    while (read(pipe_ends[0], &number, sizeof number) == sizeof number)
        told = number;
    close(pipe_ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status)); /* not: exited by itself */
    return told;
}

struct found {
    int64_t rows, last;
};

/* Keys that were reserved for undone rows are gaps; each row that is there has one record. */
static struct found check_store(struct place *place, int64_t told)
{
    struct store *store;
    struct store_tx *tx;
    struct err err;
    struct arena arena;
    struct audit_verifier verifier;
    struct found found = { 0, 0 };
    bool told_is_there = told == 0;
    const struct store_settings settings = { .path = place->path };
    assert_true(store_open(&settings, &store, &err));
    assert_true(store_tx_open(store, &tx, &err));
    assert_true(store_begin(tx, &err));
    arena_init(&arena, (size_t)256 << 20);
    for (unsigned count = 1; count > 0;) {
        struct store_resource *rows;
        arena_reset(&arena);
        assert_true(store_resource_scan(tx, 1, FHIR_CONDITION, found.last, 1000, &arena, &rows,
                                        &count, &err));
        for (unsigned i = 0; i < count; i++) {
            assert_int_equal(rows[i].body.len, BODY_BYTES);
            told_is_there = told_is_there || rows[i].key == told;
        }
        found.rows += count;
        found.last = count > 0 ? rows[count - 1].key : found.last;
    }
    assert_true(told_is_there);
    assert_true(ledger_verify(tx, NULL, &verifier, &err));
    if (verifier.fault != AUDIT_OK)
        fail_msg("record %lld: %s", (long long)verifier.fault_seq, verifier.what);
    struct store_figures figures;
    assert_true(store_figures(tx, &figures, &err));
    assert_int_equal(verifier.records, found.rows);
    assert_int_equal(figures.resources, found.rows);
    assert_int_equal(figures.audit_records, found.rows);
    arena_fini(&arena);
    store_tx_close(tx);
    store_close(store);
    return found;
}

static unsigned number_from(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void told_rows_survive(void **state)
{
    (void)state;
    unsigned rounds = number_from("LIFELINE_KILL_ROUNDS", 20);
    struct place place = { .chance = number_from("LIFELINE_SEED", (unsigned)time(NULL)) | 1u };
    struct found found = { 0, 0 };
    print_message("  LIFELINE_SEED=%llu\n", (unsigned long long)place.chance);
    snprintf(place.folder, sizeof place.folder, "/tmp/lifeline-kill-XXXXXX");
    assert_non_null(mkdtemp(place.folder));
    snprintf(place.path, sizeof place.path, "%s/store.db", place.folder);
    for (unsigned i = 0; i < rounds; i++) {
        int64_t told = run_and_kill(&place);
        struct found now = check_store(&place, told);
        assert_true(now.rows >= found.rows); /* nothing of earlier rounds is lost */
        found = now;
    }
    print_message("  %u kills, %lld rows, none lost\n", rounds, (long long)found.rows);
    assert_true(found.rows > 0);
    unlink(place.path);
    rmdir(place.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { .name = "kill -9 at random moments: every told row is there, with its record",
          .test_func = told_rows_survive },
    };
    return cmocka_run_group_tests_name("store kill", tests, NULL, NULL);
}
