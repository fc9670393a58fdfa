/* A patient's row: what is written is read, and a damaged row is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ingest/state.h"

struct fixture {
    struct arena arena;
    struct buffer row;
    struct err err;
};

static int setup(void **state)
{
    static struct fixture fixture;
    arena_init(&fixture.arena, 1 << 20);
    buffer_init(&fixture.row, 1 << 20);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    arena_fini(&fixture->arena);
    buffer_fini(&fixture->row);
    return 0;
}

static void add(struct fixture *fixture, struct state *state, int64_t key, const char *packed)
{
    struct state_entry entry = { key, FHIR_MEDICATION_REQUEST, slice_of(packed) };
    assert_true(state_add(state, &entry, &fixture->arena, &fixture->err));
}

static void an_empty_row_is_a_new_patient(void **state)
{
    struct fixture *fixture = *state;
    struct state read;
    assert_true(state_read(SLICE(""), &fixture->arena, &read, &fixture->err));
    assert_int_equal(read.count, 0);
    assert_null(state_find(&read, 7));
}

static void what_is_written_is_read(void **state)
{
    struct fixture *fixture = *state;
    struct state written = { 0 }, read;
    for (int64_t key = 1; key <= 100; key++)
        add(fixture, &written, key, key % 2 ? "odd" : "even");
    written.derived = SLICE("lines");
    written.posted = SLICE("postings");
    state_write(&written, &fixture->row);
    assert_true(state_read(buffer_slice(&fixture->row), &fixture->arena, &read, &fixture->err));
    assert_int_equal(read.count, 100);
    assert_true(slice_is(state_find(&read, 50)->packed, "even"));
    assert_int_equal(state_find(&read, 50)->type, FHIR_MEDICATION_REQUEST);
    assert_true(slice_is(read.derived, "lines"));
    assert_true(slice_is(read.posted, "postings"));
}

static void merged_patients_are_remembered(void **state)
{
    struct fixture *fixture = *state;
    struct state written = { .merged = { 7, INT64_C(1) << 40 }, .merged_count = 2 }, read;
    add(fixture, &written, 1, "first");
    state_write(&written, &fixture->row);
    struct slice row = buffer_slice(&fixture->row);
    assert_true(state_read(row, &fixture->arena, &read, &fixture->err));
    assert_int_equal(read.merged_count, 2);
    assert_int_equal(read.merged[0], 7);
    assert_true(read.merged[1] == INT64_C(1) << 40);
    for (size_t len = 1; len < row.len; len++)
        assert_false(
            state_read((struct slice){ row.at, len }, &fixture->arena, &read, &fixture->err));
}

static void a_read_state_can_grow(void **state)
{
    struct fixture *fixture = *state;
    struct state written = { 0 }, read;
    add(fixture, &written, 1, "first");
    state_write(&written, &fixture->row);
    assert_true(state_read(buffer_slice(&fixture->row), &fixture->arena, &read, &fixture->err));
    for (int64_t key = 2; key <= 40; key++)
        add(fixture, &read, key, "later");
    assert_int_equal(read.count, 40);
    assert_true(slice_is(state_find(&read, 1)->packed, "first"));
}

static void a_cut_row_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct state written = { 0 }, read;
    for (int64_t key = 1; key <= 3; key++)
        add(fixture, &written, key, "packed event");
    state_write(&written, &fixture->row);
    for (size_t len = 1; len < fixture->row.len; len++) {
        struct slice cut = { fixture->row.at, len };
        assert_false(state_read(cut, &fixture->arena, &read, &fixture->err));
        assert_int_equal(fixture->err.code, ERR_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_row_is_a_new_patient, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_written_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(merged_patients_are_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(a_read_state_can_grow, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cut_row_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
