/* Which bytes are characters: for what goes into JSON, XHTML, the audit and the mappings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/utf8.h"

static const struct utf8_case {
    const char *name, *bytes;
    size_t len; /* of the first character */
    bool is_printable;
} cases[] = {
    { "a letter", "abc", 1, true },
    { "a control is one, and not printable", "\x07", 1, false },
    { "DEL is one, and not printable", "\x7f", 1, false },
    { "two bytes", "\xc2\xb2x", 2, true },
    { "three bytes", "\xe2\x82\xacx", 3, true },
    { "three bytes, the least", "\xe0\xa0\x80", 3, true },
    { "the last before the surrogates", "\xed\x9f\xbf", 3, true },
    { "U+FFFD is printable", "\xef\xbf\xbd", 3, true },
    { "U+FFFE is no character", "\xef\xbf\xbe", 3, false },
    { "U+FFFF is no character", "\xef\xbf\xbf", 3, false },
    { "four bytes, the least", "\xf0\x90\x80\x80", 4, true },
    { "four bytes, the most", "\xf4\x8f\xbf\xbf", 4, true },
    { "a lone continuation", "\x82", 0, false },
    { "an overlong form of two bytes", "\xc0\x80", 0, false },
    { "an overlong form of three bytes", "\xe0\x9f\xbf", 0, false },
    { "an overlong form of four bytes", "\xf0\x8f\xbf\xbf", 0, false },
    { "a surrogate", "\xed\xa0\x80", 0, false },
    { "past U+10FFFF", "\xf4\x90\x80\x80", 0, false },
    { "a lead that no character has", "\xf5\x80\x80\x80", 0, false },
    { "cut before its end", "\xe2\x82", 0, false },
    { "the second byte is none", "\xc3(", 0, false },
    { "the third byte is none", "\xe2\x82(", 0, false },
    { "the third byte is a lead", "\xe2\x82\xc3", 0, false },
};

static void the_first_character_is(void **state)
{
    const struct utf8_case *row = *state;
    size_t len = utf8_len(row->bytes, strlen(row->bytes));
    assert_int_equal(len, row->len);
    if (len > 0)
        assert_int_equal(utf8_is_printable((struct slice){ row->bytes, len }), row->is_printable);
}

/* Whatever the cut, what is left are whole characters, and no whole one is lost. */
static void a_cut_leaves_whole_characters(void **state)
{
    (void)state;
    static const char text[] = "a\xc2\xb2\xe2\x82\xac\xf0\x9f\x92\x8a"
                               "b";
    static const size_t ends[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11 };
    for (size_t cut = 0; cut < sizeof text; cut++)
        assert_int_equal(utf8_whole((struct slice){ text, cut }).len, ends[cut]);
    assert_int_equal(utf8_whole((struct slice){ NULL, 0 }).len, 0);
    assert_int_equal(utf8_whole(SLICE("\x82\x82\x82\x82")).len, 4); /* no character was cut */
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + 1] = {
        cmocka_unit_test(a_cut_leaves_whole_characters),
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        tests[1 + i] = (struct CMUnitTest){ .name = cases[i].name,
                                            .test_func = the_first_character_is,
                                            .initial_state = (void *)(uintptr_t)&cases[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
