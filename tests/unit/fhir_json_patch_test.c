/* JSON Patch (RFC 6902): what a patch makes of a document, byte for byte, or why it is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "fhir/json_patch.h"

static const struct row {
    const char *name, *document, *patch, *result;
} rows[] = {
    /* RFC 6902, appendix A */
    { "A.1 a member is added", "{\"foo\":\"bar\"}",
      "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
      "{\"foo\":\"bar\",\"baz\":\"qux\"}" },
    { "A.2 an item is added", "{\"foo\":[\"bar\",\"baz\"]}",
      "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]",
      "{\"foo\":[\"bar\",\"qux\",\"baz\"]}" },
    { "A.3 a member is removed", "{\"baz\":\"qux\",\"foo\":\"bar\"}",
      "[{\"op\":\"remove\",\"path\":\"/baz\"}]", "{\"foo\":\"bar\"}" },
    { "A.4 an item is removed", "{\"foo\":[\"bar\",\"qux\",\"baz\"]}",
      "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]", "{\"foo\":[\"bar\",\"baz\"]}" },
    { "A.5 a value is replaced", "{\"baz\":\"qux\",\"foo\":\"bar\"}",
      "[{\"op\":\"replace\",\"path\":\"/baz\",\"value\":\"boo\"}]",
      "{\"baz\":\"boo\",\"foo\":\"bar\"}" },
    { "A.6 a value is moved",
      "{\"foo\":{\"bar\":\"baz\",\"waldo\":\"fred\"},\"qux\":{\"corge\":\"grault\"}}",
      "[{\"op\":\"move\",\"from\":\"/foo/waldo\",\"path\":\"/qux/thud\"}]",
      "{\"foo\":{\"bar\":\"baz\"},\"qux\":{\"corge\":\"grault\",\"thud\":\"fred\"}}" },
    { "A.7 an item is moved", "{\"foo\":[\"all\",\"grass\",\"cows\",\"eat\"]}",
      "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]",
      "{\"foo\":[\"all\",\"cows\",\"eat\",\"grass\"]}" },
    { "A.8 values are tested", "{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}",
      "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"qux\"},"
      "{\"op\":\"test\",\"path\":\"/foo/1\",\"value\":2}]",
      "{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}" },
    { "A.9 a test fails", "{\"baz\":\"qux\"}",
      "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"bar\"}]", "BUSINESS [0].value" },
    { "A.10 a member object is added", "{\"foo\":\"bar\"}",
      "[{\"op\":\"add\",\"path\":\"/child\",\"value\":{\"grandchild\":{}}}]",
      "{\"foo\":\"bar\",\"child\":{\"grandchild\":{}}}" },
    { "A.11 unknown members of an operation are ignored", "{\"foo\":\"bar\"}",
      "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\",\"xyz\":123}]",
      "{\"foo\":\"bar\",\"baz\":\"qux\"}" },
    { "A.12 the parent must be there", "{\"foo\":\"bar\"}",
      "[{\"op\":\"add\",\"path\":\"/baz/bat\",\"value\":\"qux\"}]", "BUSINESS [0].path" },
    { "A.14 ~0 and ~1", "{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":10}]",
      "{\"/\":9,\"~1\":10}" },
    { "A.15 a string is no number", "{\"/\":9,\"~1\":10}",
      "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":\"10\"}]", "BUSINESS [0].value" },
    { "A.16 an array is added to an array", "{\"foo\":[\"bar\"]}",
      "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":[\"abc\",\"def\"]}]",
      "{\"foo\":[\"bar\",[\"abc\",\"def\"]]}" },
    /* what is easily got wrong */
    { "an empty patch changes nothing", "{\"a\":1}", "[]", "{\"a\":1}" },
    { "white space and numbers stay as they are", " { \"a\" : 1.50 , \"b\" : [ 1 , 2 ] } ",
      "[{\"op\":\"remove\",\"path\":\"/b/0\"}]", "{ \"a\" : 1.50 , \"b\" : [ 2 ] }" },
    { "the last member goes with the comma before it", "{\"a\":1, \"b\":2}",
      "[{\"op\":\"remove\",\"path\":\"/b\"}]", "{\"a\":1}" },
    { "the only member goes alone", "{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/a\"}]", "{}" },
    { "the only item goes alone", "{\"a\":[ {\"b\":[1,2]} ]}",
      "[{\"op\":\"remove\",\"path\":\"/a/0\"}]", "{\"a\":[ ]}" },
    { "a comma inside a value before is not the comma", "{\"x\":\"1,2\",\"a\":1}",
      "[{\"op\":\"remove\",\"path\":\"/a\"}]", "{\"x\":\"1,2\"}" },
    { "to an empty object", "{\"a\":{}}", "[{\"op\":\"add\",\"path\":\"/a/b\",\"value\":1}]",
      "{\"a\":{\"b\":1}}" },
    { "to an empty array", "{\"a\":[]}", "[{\"op\":\"add\",\"path\":\"/a/0\",\"value\":1}]",
      "{\"a\":[1]}" },
    { "behind the last item", "{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/1\",\"value\":2}]",
      "{\"a\":[1,2]}" },
    { "adding what is there replaces it", "{\"a\":1}",
      "[{\"op\":\"add\",\"path\":\"/a\",\"value\":2}]", "{\"a\":2}" },
    { "the whole document", "{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":{\"b\":2}}]",
      "{\"b\":2}" },
    { "a copy", "{\"a\":{\"b\":1}}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/c\"}]",
      "{\"a\":{\"b\":1},\"c\":{\"b\":1}}" },
    { "a key that needs escapes", "{\"a\":1}",
      "[{\"op\":\"add\",\"path\":\"/q\\\"\\u00e9\",\"value\":2}]",
      "{\"a\":1,\"q\\\"\xc3\xa9\":2}" },
    { "a key spelt with escapes is found", "{\"\\u0061\":1}",
      "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":2}]", "{\"\\u0061\":2}" },
    { "objects are the same in any order", "{\"a\":{\"x\":1,\"y\":[true,null]}}",
      "[{\"op\":\"test\",\"path\":\"/a\",\"value\":{\"y\":[true,null],\"x\":1.0}}]",
      "{\"a\":{\"x\":1,\"y\":[true,null]}}" },
    { "numbers are the same by value", "{\"a\":[100,0.10,-0,1e2]}",
      "[{\"op\":\"test\",\"path\":\"/a\",\"value\":[1E2,0.1,0,100.00]}]",
      "{\"a\":[100,0.10,-0,1e2]}" },
    { "an exponent beyond counting is its own text", "{\"a\":[1.5e-9223372036854775808,0e99]}",
      "[{\"op\":\"test\",\"path\":\"/"
      "a\",\"value\":[1.5e-9223372036854775808,0e-9999999999999999999]}]",
      "{\"a\":[1.5e-9223372036854775808,0e99]}" },
    { "and is no other number, however near", "{\"a\":1e9223372036854775807}",
      "[{\"op\":\"test\",\"path\":\"/a\",\"value\":10e9223372036854775806}]",
      "BUSINESS [0].value" },
    { "an exponent has a sign and leading zeros", "{\"a\":[1e+0000000000000000000000002,1e-2]}",
      "[{\"op\":\"test\",\"path\":\"/a\",\"value\":[100,0.01]}]",
      "{\"a\":[1e+0000000000000000000000002,1e-2]}" },
    { "objects of different size differ", "{\"a\":{\"x\":1}}",
      "[{\"op\":\"test\",\"path\":\"/a\",\"value\":{\"x\":1,\"y\":2}}]", "BUSINESS [0].value" },
    { "arrays of different length differ", "{\"a\":[1]}",
      "[{\"op\":\"test\",\"path\":\"/a\",\"value\":[1,2]}]", "BUSINESS [0].value" },
    { "nothing happens before a later failure", "{\"a\":1}",
      "[{\"op\":\"remove\",\"path\":\"/a\"},{\"op\":\"remove\",\"path\":\"/a\"}]",
      "BUSINESS [1].path" },
    /* refusals */
    { "an index with a leading zero", "{\"a\":[1,2]}", "[{\"op\":\"remove\",\"path\":\"/a/01\"}]",
      "BUSINESS [0].path" },
    { "an index behind the end", "{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/3\",\"value\":1}]",
      "BUSINESS [0].path" },
    { "a pointer without a slash", "{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"a\"}]",
      "BUSINESS [0].path" },
    { "a pointer into a string", "{\"a\":\"x\"}", "[{\"op\":\"remove\",\"path\":\"/a/0\"}]",
      "BUSINESS [0].path" },
    { "replacing what is not there", "{}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":1}]",
      "BUSINESS [0].path" },
    { "a value moved into itself", "{\"a\":{\"b\":1}}",
      "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", "INVALID [0].from" },
    { "an unknown operation", "{}", "[{\"op\":\"paint\",\"path\":\"/a\"}]", "INVALID [0].op" },
    { "no operation", "{}", "[{\"path\":\"/a\"}]", "INVALID [0]" },
    { "no value", "{}", "[{\"op\":\"add\",\"path\":\"/a\"}]", "INVALID [0]" },
    { "no from", "{}", "[{\"op\":\"copy\",\"path\":\"/a\"}]", "INVALID [0]" },
    { "a path that is no string", "{}", "[{\"op\":\"remove\",\"path\":1}]", "INVALID [0].path" },
    { "an operation that is no object", "{}", "[1]", "INVALID [0]" },
    { "a patch that is no array", "{}", "{\"op\":\"remove\",\"path\":\"/a\"}", "INVALID" },
    { "broken JSON", "{}", "[{\"op\":", "STRUCTURE" },
};

static void patch_makes(void **state)
{
    const struct row *row = *state;
    struct arena arena;
    struct slice result;
    struct err err;
    char said[256];
    struct text text = TEXT(said);
    arena_init(&arena, 1 << 20);
    if (json_patch_apply(slice_of(row->document), slice_of(row->patch), &arena, &result, &err))
        text_add_slice(&text, result);
    else if (err.code == ERR_STRUCTURE)
        text_add(&text, "STRUCTURE");
    else
        text_add(&text, "%s%s%s", err_name(err.code), err.where[0] != '\0' ? " " : "", err.where);
    said[text.used] = '\0';
    assert_string_equal(said, row->result);
    arena_fini(&arena);
}

static void a_patch_cannot_eat_all_memory(void **state)
{
    (void)state;
    char patch[8192];
    struct text text = TEXT(patch);
    struct arena arena;
    struct slice result;
    struct err err;
    text_add(&text, "[");
    for (unsigned i = 0; i < 60; i++) /* each copy doubles the document */
        text_add(&text, "%s{\"op\":\"copy\",\"from\":\"\",\"path\":\"/c%u\"}", i > 0 ? "," : "", i);
    text_add(&text, "]");
    arena_init(&arena, 4 << 20);
    assert_false(json_patch_apply(SLICE("{\"a\":1}"), text_slice(&text), &arena, &result, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    arena_fini(&arena);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(rows) + 1];
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        tests[i] = (struct CMUnitTest){ .name = rows[i].name,
                                        .test_func = patch_makes,
                                        .initial_state = (void *)(uintptr_t)&rows[i] };
    tests[COUNT_OF(rows)] = (struct CMUnitTest)cmocka_unit_test(a_patch_cannot_eat_all_memory);
    return cmocka_run_group_tests_name("fhir_json_patch", tests, NULL, NULL);
}
