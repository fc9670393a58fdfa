/* Stamping changes id, version and time, and not one byte more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fhir/stamp.h"

#define STAMPED_MS INT64_C(1732350600123) /* 2024-11-23T08:30:00.123Z */
#define META "\"meta\":{\"versionId\":\"7\",\"lastUpdated\":\"2024-11-23T08:30:00.123Z\"}"
#define INNER "\"versionId\":\"7\",\"lastUpdated\":\"2024-11-23T08:30:00.123Z\""

static const struct stamping {
    const char *name, *body, *stamped;
} stampings[] = {
    { "neither id nor meta", "{\"resourceType\":\"Patient\"}",
      "{\"resourceType\":\"Patient\",\"id\":\"new\"," META "}" },
    { "an id but no meta", "{\"resourceType\":\"Patient\",\"id\":\"old\"}",
      "{\"resourceType\":\"Patient\",\"id\":\"new\"," META "}" },
    { "an id behind other members", "{\"resourceType\":\"Patient\",\"active\":true,\"id\":\"old\"}",
      "{\"resourceType\":\"Patient\",\"active\":true,\"id\":\"new\"," META "}" },
    { "meta before the id",
      "{\"meta\":{\"versionId\":\"1\",\"lastUpdated\":\"2020\"},\"id\":\"old\",\"resourceType\":"
      "\"X\"}",
      "{\"meta\":{" INNER "},\"id\":\"new\",\"resourceType\":\"X\"}" },
    { "meta without a version",
      "{\"resourceType\":\"X\",\"meta\":{\"source\":\"urn:a\"},\"id\":\"o\"}",
      "{\"resourceType\":\"X\",\"meta\":{" INNER ",\"source\":\"urn:a\"},\"id\":\"new\"}" },
    { "meta with a version only",
      "{\"resourceType\":\"X\",\"id\":\"o\",\"meta\":{\"versionId\":\"1\"}}",
      "{\"resourceType\":\"X\",\"id\":\"new\",\"meta\":{\"lastUpdated\":\"2024-11-23T08:30:00."
      "123Z\","
      "\"versionId\":\"7\"}}" },
    { "meta with a time only, and no id",
      "{\"resourceType\":\"X\",\"meta\":{\"lastUpdated\":\"1999\"}}",
      "{\"resourceType\":\"X\",\"id\":\"new\",\"meta\":{\"versionId\":\"7\",\"lastUpdated\":"
      "\"2024-11-23T08:30:00.123Z\"}}" },
    { "an empty meta", "{\"resourceType\":\"X\",\"id\":\"o\",\"meta\":{}}",
      "{\"resourceType\":\"X\",\"id\":\"new\",\"meta\":{" INNER "}}" },
    { "pretty-printed text keeps its blanks",
      "{\n  \"resourceType\" : \"X\",\n  \"id\" : \"old\",\n  \"meta\" : {\n    \"tag\" : [ ]\n  "
      "},\n  "
      "\"value\" : 1.10\n}",
      "{\n  \"resourceType\" : \"X\",\n  \"id\" : \"new\",\n  \"meta\" : {" INNER
      ",\n    \"tag\" : [ ]\n  },\n  \"value\" : 1.10\n}" },
    { "decimals, order and escapes stay",
      "{\"z\":1.1E+2,\"a\":[{\"id\":\"inner\"}],\"resourceType\":\"X\",\"t\":\"\\u00e9\\\\\","
      "\"id\":\"o\"}",
      "{\"z\":1.1E+2,\"a\":[{\"id\":\"inner\"}],\"resourceType\":\"X\",\"t\":\"\\u00e9\\\\\","
      "\"id\":"
      "\"new\"," META "}" },
    { "an id inside another element is not ours",
      "{\"resourceType\":\"X\",\"contained\":[{\"id\":\"c\",\"meta\":{}}]}",
      "{\"resourceType\":\"X\",\"id\":\"new\"," META
      ",\"contained\":[{\"id\":\"c\",\"meta\":{}}]}" },
    { "keys spelt with escapes",
      "{\"resourceType\":\"X\",\"\\u0069d\":\"old\",\"m\\u0065ta\":{\"a\":1}}",
      "{\"resourceType\":\"X\",\"\\u0069d\":\"new\",\"m\\u0065ta\":{" INNER ",\"a\":1}}" },
    { "strings full of brackets and quotes",
      "{\"resourceType\":\"X\",\"a\":\"}\\\"]{\\\\\",\"b\":[\"\\\\\\\"\",[{}]],\"id\":\"o\"}",
      "{\"resourceType\":\"X\",\"a\":\"}\\\"]{\\\\\",\"b\":[\"\\\\\\\"\",[{}]],\"id\":\"new\"," META
      "}" },
    { "no resourceType at all", "{\"active\":true}", "{\"id\":\"new\"," META ",\"active\":true}" },
    { "an empty object", "{}", "{\"id\":\"new\"," META "}" },
    { "blanks around", " {\"resourceType\":\"X\"} \n",
      " {\"resourceType\":\"X\",\"id\":\"new\"," META "} \n" },
};

static const struct broken {
    const char *name, *body;
} broken[] = {
    { "nothing", "" },
    { "an array", "[]" },
    { "an open object", "{\"resourceType\":\"X\"" },
    { "an open string", "{\"resourceType\":\"X" },
    { "a missing colon", "{\"resourceType\" \"X\"}" },
    { "a missing comma", "{\"a\":1 \"b\":2}" },
    { "a missing value", "{\"a\":}" },
    { "meta that is no object", "{\"resourceType\":\"X\",\"meta\":[]}" },
    { "meta that is broken", "{\"resourceType\":\"X\",\"meta\":{\"a\" 1}}" },
    { "text behind", "{\"resourceType\":\"X\"}x" },
};

static void is_stamped_as(void **state)
{
    const struct stamping *row = *state;
    struct arena arena;
    struct slice out, again;
    struct err err;
    arena_init(&arena, 1 << 16);
    assert_true(fhir_stamp(slice_of(row->body), SLICE("new"), 7, STAMPED_MS, &arena, &out, &err));
    assert_string_equal(out.at, row->stamped);
    assert_true(fhir_stamp(out, SLICE("new"), 7, STAMPED_MS, &arena, &again, &err));
    assert_string_equal(again.at, row->stamped);
    arena_fini(&arena);
}

static void is_refused(void **state)
{
    const struct broken *row = *state;
    struct arena arena;
    struct slice out;
    struct err err = { .code = ERR_OK };
    arena_init(&arena, 1 << 16);
    assert_false(fhir_stamp(slice_of(row->body), SLICE("new"), 7, 0, &arena, &out, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    arena_fini(&arena);
}

static void too_little_memory_is_said(void **state)
{
    (void)state;
    struct arena arena;
    struct slice out;
    struct err err = { .code = ERR_OK };
    arena_init(&arena, 64);
    assert_false(
        fhir_stamp(SLICE("{\"resourceType\":\"X\"}"), SLICE("new"), 7, 0, &arena, &out, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    arena_fini(&arena);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(stampings) + COUNT_OF(broken) + 1];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(stampings); i++)
        tests[count++] = (struct CMUnitTest){ .name = stampings[i].name,
                                              .test_func = is_stamped_as,
                                              .initial_state = (void *)(uintptr_t)&stampings[i] };
    for (size_t i = 0; i < COUNT_OF(broken); i++)
        tests[count++] = (struct CMUnitTest){ .name = broken[i].name,
                                              .test_func = is_refused,
                                              .initial_state = (void *)(uintptr_t)&broken[i] };
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(too_little_memory_is_said);
    return cmocka_run_group_tests_name("fhir_stamp", tests, NULL, NULL);
}
