/* However little memory a derivation is given, it gives the answer or says that the answer does not
 * fit: never another answer, and never half of one.  Each story of tests/golden/therapy is asked
 * again with every limit, in small steps, from nothing to what it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/therapy/golden.h"
#include "therapy/derive.h"
#include "therapy/report.h"

#define STEPS 160 /* of one story; where they begin differs from story to story */

struct asked {
    struct story story;
    const struct rules *rules;
    struct date as_of;
};

/* The answer as JSON, or nothing when it does not fit into `limit`; returns the memory it took. */
static size_t ask(const struct asked *asked, size_t limit, struct buffer *out)
{
    struct arena arena;
    struct therapy therapy;
    struct err err = { 0 };
    struct sha256 digest = { { 0 } };
    struct report_head head = { SLICE("Patient/p"), &digest };
    buffer_reset(out);
    arena_init(&arena, limit);
    if (therapy_derive(asked->rules, asked->story.events, asked->story.count, asked->as_of, &arena,
                       &therapy, &err))
        report_json(&head, &therapy, out);
    else
        assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_false(buffer_overflowed(out));
    size_t used = arena.used;
    arena_fini(&arena);
    return used;
}

static void an_answer_or_an_error(void **state)
{
    (void)state;
    unsigned count;
    const struct golden *stories = golden_load(&count);
    struct buffer expected, found;
    buffer_init(&expected, 1 << 22);
    buffer_init(&found, 1 << 22);
    for (unsigned i = 0; i < count; i++) {
        struct asked asked;
        story_begin(&asked.story);
        asked.rules = golden_tell(&stories[i], &asked.story, &asked.as_of);
        size_t needed = ask(&asked, SIZE_MAX / 2, &expected);
        assert_true(expected.len > 0);
        size_t step = needed / STEPS + 1;
        for (size_t limit = i % step; limit < needed; limit += step) {
            ask(&asked, limit, &found);
            if (found.len > 0)
                print_message("%s: answered in %zu of %zu bytes\n", stories[i].name, limit, needed);
            assert_int_equal(found.len, 0);
        }
        ask(&asked, needed, &found);
        assert_true(slice_eq(buffer_slice(&expected), buffer_slice(&found)));
        story_end(&asked.story);
    }
    buffer_fini(&expected);
    buffer_fini(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(an_answer_or_an_error) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
