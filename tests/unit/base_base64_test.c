/* base64 by the test vectors of RFC 4648, both alphabets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"

static const struct base64_case {
    const char *plain, *encoded, *of_urls;
} cases[] = {
    { "", "", "" },
    { "f", "Zg==", "Zg" },
    { "fo", "Zm8=", "Zm8" },
    { "foo", "Zm9v", "Zm9v" },
    { "foob", "Zm9vYg==", "Zm9vYg" },
    { "fooba", "Zm9vYmE=", "Zm9vYmE" },
    { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
    { "\xfb\xff\xfe", "+//+", "-__-" },
};

static void there_and_back(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 16);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct slice plain = slice_of(cases[i].plain), back;
        assert_string_equal(cases[i].encoded, base64_encode(plain, &arena).at);
        assert_string_equal(cases[i].of_urls, base64url_encode(plain, &arena).at);
        assert_true(base64_decode(slice_of(cases[i].encoded), &arena, &back));
        assert_true(slice_eq(back, plain));
        assert_true(base64_decode(slice_of(cases[i].of_urls), &arena, &back));
        assert_true(slice_eq(back, plain));
    }
    arena_fini(&arena);
}

static void other_text_is_refused(void **state)
{
    static const char *const bad[] = { "Z", "Zg=x", "Zm9v!", "Zm 9v", "Zm9vY" };
    struct arena arena;
    struct slice out;
    (void)state;
    arena_init(&arena, 1 << 16);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(base64_decode(slice_of(bad[i]), &arena, &out));
    arena_fini(&arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(other_text_is_refused),
    };
    return cmocka_run_group_tests_name("base_base64", tests, NULL, NULL);
}
