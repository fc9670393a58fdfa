/* tests/contract/store_fixture.h -- one suite, every backend: each case runs on a fresh store of
 * each, as a test of its own named "memory: ..." or "sqlite: ...".
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/date.h"
#include "base/pool.h"
#include "store/store.h"

struct fixture {
    bool is_durable; /* what was committed is there after closing and opening */
    char folder[64], path[96];
    struct store *store;
    struct store_tx *tx;
    struct arena arena;
    struct err err;
    int32_t tenant;
};

struct story {
    const char *name;
    void (*tell)(struct fixture *fixture);
};

static const char *const backends[] = { "memory", "sqlite" };

struct telling {
    const struct story *story;
    bool is_durable;
    char name[160];
};

#define MUST(call)                                                                \
    do {                                                                          \
        if (!(call))                                                              \
            fail_msg("%s: %s: %s", #call, fixture->err.where, fixture->err.what); \
    } while (0)

static void open_store(struct fixture *fixture)
{
    struct store_settings settings = { .path = fixture->is_durable ? fixture->path : NULL,
                                       .cache_bytes = (size_t)4 << 20 };
    MUST(store_open(&settings, &fixture->store, &fixture->err));
    MUST(store_tx_open(fixture->store, &fixture->tx, &fixture->err));
}

static void close_store(struct fixture *fixture)
{
    store_tx_close(fixture->tx);
    store_close(fixture->store);
}

static void begin(struct fixture *fixture) { MUST(store_begin(fixture->tx, &fixture->err)); }

static void commit(struct fixture *fixture) { MUST(store_commit(fixture->tx, &fixture->err)); }

/* In a transaction of its own, as every story starts. */
static void set_up(struct fixture *fixture, bool is_durable)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->is_durable = is_durable;
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/lifeline-store-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->path, sizeof fixture->path, "%s/store.db", fixture->folder);
    arena_init(&fixture->arena, (size_t)64 << 20);
    open_store(fixture);
    begin(fixture);
    MUST(store_tenant(fixture->tx, SLICE("north"), &fixture->tenant, &fixture->err));
}

static void tear_down(struct fixture *fixture)
{
    static const char *const suffixes[] = { "", "-wal", "-shm" };
    close_store(fixture);
    arena_fini(&fixture->arena);
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        char name[112];
        snprintf(name, sizeof name, "%s%s", fixture->path, suffixes[i]);
        unlink(name);
    }
    rmdir(fixture->folder);
}

static void tell(void **state)
{
    const struct telling *telling = *state;
    struct fixture fixture;
    set_up(&fixture, telling->is_durable);
    telling->story->tell(&fixture);
    tear_down(&fixture);
}

static int tell_all(const char *title, const struct story *stories, size_t count)
{
    size_t total = count * COUNT_OF(backends);
    struct CMUnitTest *tests = pool_new(total * sizeof *tests);
    struct telling *tellings = pool_new(total * sizeof *tellings);
    for (size_t i = 0; i < total; i++) {
        struct telling *telling = &tellings[i];
        telling->story = &stories[i % count];
        telling->is_durable = i >= count;
        snprintf(telling->name, sizeof telling->name, "%s: %s", backends[i / count],
                 telling->story->name);
        tests[i] = (struct CMUnitTest){ .name = telling->name,
                                        .test_func = tell,
                                        .initial_state = telling };
    }
    int failed = _cmocka_run_group_tests(title, tests, total, NULL, NULL);
    pool_free(tests);
    pool_free(tellings);
    return failed;
}

/* --- what stories are made of ------------------------------------------------------------- */

static inline void assert_slice(struct slice actual, const char *expected)
{
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.at, expected, actual.len);
}

/* After what would undo all that is not on disk. */
static inline void reopen(struct fixture *fixture)
{
    commit(fixture);
    if (fixture->is_durable) {
        close_store(fixture);
        open_store(fixture);
    }
    begin(fixture);
}

static inline int64_t patient(struct fixture *fixture, const char *name)
{
    int64_t key = 0;
    bool found = false;
    MUST(store_patient_key(fixture->tx, fixture->tenant, slice_of(name), true, &key, &found,
                           &fixture->err));
    assert_true(found);
    return key;
}

static inline void save(struct fixture *fixture, int64_t key, const char *state, int32_t next_day)
{
    MUST(store_patient_save(fixture->tx, key, slice_of(state), next_day, &fixture->err));
}

static inline void assert_state(struct fixture *fixture, int64_t key, const char *state)
{
    struct slice got = SLICE("?");
    MUST(store_patient_load(fixture->tx, key, &fixture->arena, &got, &fixture->err));
    assert_slice(got, state);
}

static inline void assert_keys(const int64_t *keys, unsigned count, size_t expected_count,
                               const int64_t *expected)
{
    assert_int_equal(count, expected_count);
    for (size_t i = 0; i < expected_count; i++)
        assert_int_equal(keys[i], expected[i]);
}

#define KEYS(...) \
    COUNT_OF(((const int64_t[]){ __VA_ARGS__ })), (const int64_t[]) { __VA_ARGS__ }
