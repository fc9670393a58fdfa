/* The clinical numbers: pinned in tests/golden/therapy_parameters.txt, and asked of the engine on both
 * sides of each window and gap.  With UPDATE=1 the file is rewritten, to be read with git diff. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/therapy/limits.h"

#define FILE_NAME "tests/golden/therapy_parameters.txt"

static void numbers_are_those_that_were_signed(void **state)
{
    struct buffer found;
    struct arena arena;
    struct slice expected = SLICE("");
    (void)state;
    arena_init(&arena, 1 << 20);
    buffer_init(&found, 1 << 20);
    limits_text(story_mapping(), &found);
    if (getenv("UPDATE") != NULL) {
        FILE *file = fopen(SOURCE_DIR "/" FILE_NAME, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(found.at, 1, found.len, file), found.len);
        fclose(file);
    }
    assert_true(story_file(FILE_NAME, &arena, &expected));
    struct slice have = buffer_slice(&found);
    while (expected.len > 0 || have.len > 0) {
        struct slice a = slice_take_until(&expected, '\n'), b = slice_take_until(&have, '\n');
        if (!slice_eq(a, b))
            fail_msg("the tables say\n  %.*s\nand what was signed is\n  %.*s", SLICE_ARGS(b),
                     SLICE_ARGS(a));
    }
    buffer_fini(&found);
    arena_fini(&arena);
}

static void every_profile_keeps_its_window_and_gap(void **state)
{
    struct buffer faults;
    (void)state;
    buffer_init(&faults, 1 << 16);
    bool holds = limits_probe(story_mapping(), &faults);
    print_message("%.*s", SLICE_ARGS(buffer_slice(&faults)));
    buffer_fini(&faults);
    assert_true(holds);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(numbers_are_those_that_were_signed),
                                        cmocka_unit_test(every_profile_keeps_its_window_and_gap) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
