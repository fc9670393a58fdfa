/* The memory of postings survives its bytes, and bytes that are not ours are refused. */
#include <stdlib.h>

#include "plan_story.h"

static void pack(struct buffer *out)
{
    static struct fixture fixture;
    static struct plan plan;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    fixture_patient(&fixture, FIXTURE_OVARIAN);
    struct plan_input input = story_input(&fixture);
    story_make(&input, &arena, &plan);
    plan.after[1].start = fixture_date("2024-10-22");
    plan.after[3].end = fixture_date("2025-01-01");
    plan.after[3].wish = WISH_INACTIVE;
    buffer_init(out, 1 << 16);
    posted_pack(plan.after, plan.after_count, out);
    arena_fini(&arena);
}

static void the_memory_survives_its_bytes(void **state)
{
    (void)state;
    struct buffer packed, again;
    struct arena arena;
    struct posted *list;
    struct err err;
    unsigned count;
    pack(&packed);
    arena_init(&arena, 1 << 16);
    assert_true(posted_unpack(buffer_slice(&packed), &arena, &list, &count, &err));
    assert_int_equal(count, 4);
    assert_int_equal(list[1].kind, POSTING_PROVENANCE);
    assert_int_equal(list[1].target, POSTING_FLAG);
    assert_true(slice_is(list[2].disease, "ovarian"));
    assert_true(
        slice_is(list[3].evidence_ids,
                 "Condition/c1 MedicationRequest/m2 MedicationRequest/m3 MedicationRequest/m4"));
    assert_int_equal(list[2].start.day, fixture_date("2024-10-21").day);
    assert_true(date_is_none(list[2].end));
    assert_int_equal(list[3].end.day, fixture_date("2025-01-01").day);
    assert_int_equal(list[3].wish, WISH_INACTIVE);
    buffer_init(&again, 1 << 16);
    posted_pack(list, count, &again);
    assert_int_equal(again.len, packed.len);
    assert_memory_equal(again.at, packed.at, packed.len);
    print_message("the memory of one disease takes %zu bytes\n", packed.len);
    buffer_fini(&packed);
    buffer_fini(&again);
    arena_fini(&arena);
}

static void an_empty_memory_has_no_bytes(void **state)
{
    (void)state;
    struct buffer packed;
    struct arena arena;
    struct posted *list;
    struct err err;
    unsigned count = 7;
    buffer_init(&packed, 64);
    posted_pack(NULL, 0, &packed);
    assert_int_equal(packed.len, 0);
    arena_init(&arena, 1 << 16);
    assert_true(posted_unpack(SLICE(""), &arena, &list, &count, &err));
    assert_int_equal(count, 0);
    arena_fini(&arena);
    buffer_fini(&packed);
}

static void damaged_bytes_are_refused_and_never_overrun(void **state)
{
    (void)state;
    struct buffer packed;
    struct posted *list;
    struct err err;
    unsigned count, refused = 0;
    pack(&packed);
    for (size_t len = 1; len < packed.len; len++) { /* cut anywhere */
        struct arena arena;
        char *exact = malloc(len);
        memcpy(exact, packed.at, len);
        arena_init(&arena, 1 << 16);
        assert_false(posted_unpack((struct slice){ exact, len }, &arena, &list, &count, &err));
        assert_int_equal(err.code, ERR_CORRUPT);
        arena_fini(&arena);
        free(exact);
    }
    for (size_t i = 0; i < packed.len; i++) /* changed anywhere: refused, or other text */
        for (unsigned bit = 0; bit < 8; bit++) {
            struct arena arena;
            packed.at[i] = (char)(packed.at[i] ^ (char)(1 << bit));
            arena_init(&arena, 1 << 16);
            refused += !posted_unpack(buffer_slice(&packed), &arena, &list, &count, &err);
            arena_fini(&arena);
            packed.at[i] = (char)(packed.at[i] ^ (char)(1 << bit));
        }
    assert_true(refused > 50);
    buffer_fini(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_memory_survives_its_bytes),
        cmocka_unit_test(an_empty_memory_has_no_bytes),
        cmocka_unit_test(damaged_bytes_are_refused_and_never_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
