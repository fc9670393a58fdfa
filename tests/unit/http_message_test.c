/* Headers, percent-decoding, queries and replies as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "http/reply.h"

static const struct decode_case {
    const char *name, *text;
    bool is_query;
    const char *expected; /* NULL: refused */
} decode_cases[] = {
    { "plain text stays", "Patient", false, "Patient" },
    { "escapes of both cases", "a%2Fb%2f%C3%A9", false, "a/b/\xc3\xa9" },
    { "a plus in a path is a plus", "a+b", false, "a+b" },
    { "a plus in a query is a blank", "a+b%2B", true, "a b+" },
    { "nothing", "", true, "" },
    { "an escape cut short", "a%2", false, NULL },
    { "an escape that is not hex", "%zz", false, NULL },
    { "a sign is not hex", "%-1", false, NULL },
    { "a NUL", "a%00b", false, NULL },
};

static void decodes_as(void **state)
{
    const struct decode_case *c = *state;
    struct arena arena;
    struct slice out = SLICE("untouched");
    struct err err;
    arena_init(&arena, 1024);
    bool ok = http_decode(slice_of(c->text), c->is_query, &arena, &out, &err);
    assert_int_equal(c->expected != NULL, ok);
    if (ok)
        assert_string_equal(c->expected, out.at);
    else
        assert_true(slice_is(out, "untouched") && err.code == ERR_VALUE);
    arena_fini(&arena);
}

static void a_query_is_read_part_by_part(void **state)
{
    (void)state;
    struct arena arena;
    struct slice query = SLICE("_id=1&&name=a%20b+c&flag&x=%zz&=v"), name, value;
    char text[128] = "";
    struct text out = TEXT(text);
    arena_init(&arena, 4096);
    while (http_query_next(&query, &arena, &name, &value))
        text_add(&out, "%.*s:%.*s;", SLICE_ARGS(name), SLICE_ARGS(value));
    assert_string_equal("_id:1;name:a b c;flag:;x:%zz;:v;", text);
    arena_fini(&arena);
}

static void a_header_is_found_in_any_case(void **state)
{
    (void)state;
    static struct http_request request = {
        .headers = { { { "If-Match", 8 }, { "W/\"1\"", 5 } }, { { "if-match", 8 }, { "2", 1 } } },
        .header_count = 2,
    };
    assert_true(slice_is(http_header_find(&request, "IF-MATCH"), "W/\"1\""));
    assert_null(http_header_find(&request, "If").at);
}

static const struct reply_case {
    const char *name;
    int status;
    enum http_verb verb;
    bool keeps_alive, has_header;
    const char *expected;
    bool sends_body;
} reply_cases[] = {
    { "a body is announced", 201, VERB_POST, true, true,
      "HTTP/1.1 201 Created\r\nETag: W/\"1\"\r\nContent-Length: 4\r\nDate: D\r\n"
      "Connection: keep-alive\r\n\r\n",
      true },
    { "HEAD keeps the length and drops the body", 200, VERB_HEAD, true, false,
      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nDate: D\r\nConnection: keep-alive\r\n\r\n", false },
    { "204 has no body to announce", 204, VERB_DELETE, true, false,
      "HTTP/1.1 204 No Content\r\nDate: D\r\nConnection: keep-alive\r\n\r\n", false },
    { "304 neither", 304, VERB_GET, true, false,
      "HTTP/1.1 304 Not Modified\r\nDate: D\r\nConnection: keep-alive\r\n\r\n", false },
    { "the last reply says so", 503, VERB_GET, false, false,
      "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nDate: D\r\nConnection: "
      "close\r\n\r\n",
      true },
    { "a status without a name of ours", 299, VERB_GET, true, false,
      "HTTP/1.1 299 Unknown\r\nContent-Length: 4\r\nDate: D\r\nConnection: keep-alive\r\n\r\n",
      true },
};

static void reply_reads_as(void **state)
{
    const struct reply_case *c = *state;
    struct http_reply reply = { .status = c->status, .body = SLICE("body") };
    struct http_reply_frame frame = { c->verb, c->keeps_alive, "D" };
    struct buffer out;
    buffer_init(&out, 4096);
    if (c->has_header)
        http_reply_header(&reply, "ETag", SLICE("W/\"1\""));
    http_reply_write_head(&reply, &frame, &out);
    buffer_add_char(&out, '\0');
    assert_string_equal(c->expected, out.at);
    assert_int_equal(c->sends_body, http_reply_sends_body(&reply, c->verb));
    buffer_fini(&out);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(decode_cases) + COUNT_OF(reply_cases) + 2];
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(decode_cases); i++) /* one reported test per row */
        tests[n++] = (struct CMUnitTest){ .name = decode_cases[i].name,
                                          .test_func = decodes_as,
                                          .initial_state = (void *)(uintptr_t)&decode_cases[i] };
    for (size_t i = 0; i < COUNT_OF(reply_cases); i++)
        tests[n++] = (struct CMUnitTest){ .name = reply_cases[i].name,
                                          .test_func = reply_reads_as,
                                          .initial_state = (void *)(uintptr_t)&reply_cases[i] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_query_is_read_part_by_part);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_header_is_found_in_any_case);
    return cmocka_run_group_tests_name("http_message", tests, NULL, NULL);
}
