/* Requests as text, and what the parser makes of them, fed whole and cut in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "http/parse.h"

#define HOST "Host: a\r\n"

/* Expected: per request "VERB path?query {name=value;...} [body] keep|close", per refusal its status. */
static const struct parse_case {
    const char *name, *bytes, *expected;
} cases[] = {
    { "a GET", "GET /fhir/Patient/1 HTTP/1.1\r\n" HOST "\r\n",
      "GET /fhir/Patient/1? {Host=a;} [] keep\n" },
    { "a query is split off, not decoded", "GET /p?a=%20b&c HTTP/1.1\r\n" HOST "\r\n",
      "GET /p?a=%20b&c {Host=a;} [] keep\n" },
    { "a POST with a length", "POST /p HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
      "POST /p? {Host=a;Content-Length=3;} [abc] keep\n" },
    { "a length of zero is a whole request",
      "POST /p HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
      "POST /p? {Host=a;Content-Length=0;} [] keep\n" },
    { "chunks are joined, extensions and trailers dropped",
      "POST /p HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
      "2;x=y\r\nab\r\n3\r\ncde\r\n0\r\nDigest: z\r\n\r\n",
      "POST /p? {Host=a;Transfer-Encoding=chunked;} [abcde] keep\n" },
    { "a body may hold line breaks of any kind",
      "POST /p HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n4\r\n\n\r\n \r\n0\r\n\r\n",
      "POST /p? {Host=a;Transfer-Encoding=chunked;} [\n\r\n ] keep\n" },
    { "pipelined requests come one by one",
      "GET /1 HTTP/1.1\r\n" HOST "\r\nPOST /2 HTTP/1.1\r\n" HOST
      "Content-Length: 1\r\n\r\nxDELETE /3 HTTP/1.1\r\n" HOST "\r\n",
      "GET /1? {Host=a;} [] keep\nPOST /2? {Host=a;Content-Length=1;} [x] keep\n"
      "DELETE /3? {Host=a;} [] keep\n" },
    { "one empty line before a request is forgiven", "\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
      "GET /? {Host=a;} [] keep\n" },
    { "two are not", "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "400 headers\n" },
    { "Connection: close is heard", "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
      "GET /? {Host=a;Connection=close;} [] close\n" },
    { "HTTP/1.0 closes and needs no Host", "GET / HTTP/1.0\r\n\r\n", "GET /? {} [] close\n" },
    { "HTTP/1.0 may ask to stay", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
      "GET /? {Connection=Keep-Alive;} [] keep\n" },
    { "an absolute target", "GET http://a/p?q HTTP/1.1\r\n" HOST "\r\n",
      "GET /p?q {Host=a;} [] keep\n" },
    { "an absolute target without a path", "GET https://a HTTP/1.1\r\n" HOST "\r\n",
      "GET /? {Host=a;} [] keep\n" },
    { "OPTIONS of the server itself", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n",
      "OPTIONS *? {Host=a;} [] keep\n" },
    { "a method that is none of ours", "TRACE / HTTP/1.1\r\n" HOST "\r\n",
      "OTHER /? {Host=a;} [] keep\n" },
    { "blanks around a value are not its own",
      "GET / HTTP/1.1\r\n" HOST "X: \t b c \t\r\nY:\r\n\r\n",
      "GET /? {Host=a;X=b c;Y=;} [] keep\n" },
    { "Expect: 100-continue",
      "POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
      "POST /? {Host=a;Expect=100-Continue;Content-Length=1;} [x] keep continue\n" },
    { "an offer to upgrade is ignored",
      "GET / HTTP/1.1\r\n" HOST
      "Connection: upgrade\r\nUpgrade: h2c\r\n\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n",
      "GET /? {Host=a;Connection=upgrade;Upgrade=h2c;} [] keep\nGET /2? {Host=a;} [] keep\n" },
    { "the longest body we take",
      "POST / HTTP/1.1\r\n" HOST "Content-Length: 16\r\n\r\n0123456789abcdef",
      "POST /? {Host=a;Content-Length=16;} [0123456789abcdef] keep\n" },

    { "any other expectation", "POST / HTTP/1.1\r\n" HOST "Expect: x\r\nContent-Length: 1\r\n\r\nx",
      "417 header Expect\n" },
    { "a body that announces too much", "POST / HTTP/1.1\r\n" HOST "Content-Length: 17\r\n\r\n",
      "413 body\n" },
    { "a chunked body that grows too long",
      "POST / HTTP/1.1\r\n" HOST
      "Transfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n9\r\n123456789\r\n",
      "413 body\n" },
    { "length and coding together",
      "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "400 header Content-Length\n|400 headers\n|400 header Transfer-Encoding\n" },
    { "coding and length together",
      "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
      "400 header Content-Length\n|400 headers\n" },
    { "two lengths that differ",
      "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
      "400 header Content-Length\n" },
    { "two lengths that agree",
      "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
      "400 header Content-Length\n" },
    { "a list of lengths", "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\nx",
      "400 header Content-Length\n" },
    { "a signed length", "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\nx",
      "400 header Content-Length\n" },
    { "an empty length", "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\nx",
      "400 header Content-Length\n" },
    { "a length past 64 bits",
      "POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551617\r\n\r\nx",
      "400 header Content-Length\n" },
    { "a coding that we lack",
      "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      "501 header Transfer-Encoding\n" },
    { "a coding that does not end in chunked",
      "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n",
      "501 header Transfer-Encoding\n" },
    { "a coding spelled oddly",
      "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
      "501 header Transfer-Encoding\n" },
    { "two codings",
      "POST / HTTP/1.1\r\n" HOST
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "400 headers\n|400 header Transfer-Encoding\n" },
    { "a coding in HTTP/1.0",
      "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "400 header Transfer-Encoding\n" },
    { "no Host", "GET / HTTP/1.1\r\n\r\n", "400 header Host\n" },
    { "two Hosts", "GET / HTTP/1.1\r\n" HOST HOST "\r\n", "400 header Host\n" },
    { "an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "400 header Host\n" },
    { "a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400 header Host\n" },
    { "bare LF behind the request line", "GET / HTTP/1.1\n" HOST "\r\n", "400 headers\n" },
    { "bare LF behind a header", "GET / HTTP/1.1\r\nHost: a\n\r\n", "400 headers\n" },
    { "bare LF as the last line", "GET / HTTP/1.1\r\n" HOST "\n", "400 headers\n" },
    { "bare CR in a value", "GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n", "400 headers\n" },
    { "a folded header", "GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", "400 headers\n" },
    { "a folded first header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400 headers\n" },
    { "a blank before the colon", "GET / HTTP/1.1\r\n" HOST "X : a\r\n\r\n", "400 headers\n" },
    { "a blank before Content-Length's colon",
      "POST / HTTP/1.1\r\n" HOST "Content-Length : 1\r\n\r\nx",
      "400 headers\n|400 header Content-Length\n" },
    { "a blank in a name", "GET / HTTP/1.1\r\n" HOST "X Y: a\r\n\r\n", "400 headers\n" },
    { "a header without a name", "GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n", "400 headers\n" },
    { "a header without a colon", "GET / HTTP/1.1\r\n" HOST "X\r\n\r\n", "400 headers\n" },
    { "a control character in a value", "GET / HTTP/1.1\r\n" HOST "X: a\x01\r\n\r\n",
      "400 headers\n" },
    { "a delete character in a value", "GET / HTTP/1.1\r\n" HOST "X: a\x7f\r\n\r\n",
      "400 headers\n" },
    { "two blanks behind the method", "GET  / HTTP/1.1\r\n" HOST "\r\n", "400 request line\n" },
    { "two blanks before the version", "GET /  HTTP/1.1\r\n" HOST "\r\n",
      "400 headers\n|400 request line\n" },
    { "a fragment", "GET /#x HTTP/1.1\r\n" HOST "\r\n", "400 request line\n" },
    { "a tab in the target", "GET /a\tb HTTP/1.1\r\n" HOST "\r\n", "400 request line\n" },
    { "a byte past ASCII in the target", "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n",
      "400 request line\n" },
    { "a target of another scheme", "GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n", "400 request line\n" },
    { "a tunnel", "CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", "501 request line\n" },
    { "an unknown method", "FETCH / HTTP/1.1\r\n" HOST "\r\n", "501 request line\n" },
    { "a method in lower case", "get / HTTP/1.1\r\n" HOST "\r\n", "501 request line\n" },
    { "HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 request line\n" },
    { "HTTP/2.0", "GET / HTTP/2.0\r\n" HOST "\r\n", "505 request line\n" },
    { "HTTP/1.2", "GET / HTTP/1.2\r\n" HOST "\r\n", "505 request line\n" },
    { "no version", "GET /\r\n\r\n", "505 request line\n|400 headers\n" },
    { "another protocol", "GET / HTTQ/1.1\r\n" HOST "\r\n", "400 headers\n" },
    { "a TLS hello", "\x16\x03\x01\x02\r\n\r\n", "501 request line\n" },
    { "a chunk size that is no number",
      "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nxy\r\n", "400 body\n" },
    { "a chunk size past 64 bits",
      "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n11111111111111111\r\n",
      "400 body\n" },
    { "bare LF behind a chunk size",
      "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
      "400 body\n" },
    { "bare LF in an extension",
      "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n",
      "400 body\n" },
    { "bare LF behind a chunk",
      "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n",
      "400 body\n" },
    { "a chunk longer than it says",
      "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n",
      "400 body\n" },
    { "bare LF in the trailers",
      "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\n\r\n",
      "400 body\n" },
    { "a folded trailer",
      "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n z\r\n\r\n",
      "400 body\n" },
    { "nothing yet", "GET / HTTP/1.1\r\nHos", "" },
};

static void show_request(struct text *out, const struct http_parser *parser,
                         const struct http_request *request)
{
    text_add(out, "%s %.*s?%.*s {", http_verb_name(request->verb), SLICE_ARGS(request->path),
             SLICE_ARGS(request->query));
    for (unsigned i = 0; i < request->header_count; i++)
        text_add(out, "%.*s=%.*s;", SLICE_ARGS(request->headers[i].name),
                 SLICE_ARGS(request->headers[i].value));
    text_add(out, "} [%.*s] %s%s\n", SLICE_ARGS(request->body),
             http_parser_keeps_alive(parser) ? "keep" : "close",
             http_parser_awaits_continue(parser) ? " continue" : "");
}

/* Parses all of `bytes` in pieces of `step`; the heap copies let ASan see a read past a piece. */
static void parse_all(struct slice bytes, size_t step, struct text *out)
{
    const struct http_parser_limits limits = { .header_bytes_max = 512, .body_bytes_max = 16 };
    struct http_parser *parser = http_parser_new(&limits);
    struct http_request request;
    struct err err = { .code = ERR_OK };
    bool is_bad = false;

    http_parser_begin(parser, &request);
    while (bytes.len > 0 && !is_bad) {
        size_t len = bytes.len < step ? bytes.len : step;
        char *copy = malloc(len);
        memcpy(copy, bytes.at, len);
        bytes = slice_skip(bytes, len);
        struct slice piece = { copy, len };
        while (piece.len > 0 && !is_bad) {
            enum http_progress progress = http_parser_feed(parser, &piece, &err);
            if (progress == PROGRESS_WHOLE) {
                show_request(out, parser, &request);
                http_parser_begin(parser, &request);
            } else if (progress == PROGRESS_BAD) {
                text_add(out, "%d %s\n", err_http_status(err.code), err.where);
                assert_true(err.what[0] != '\0');
                is_bad = true;
            }
        }
        free(copy);
    }
    http_parser_free(parser);
}

/* `expected` may name alternatives, "a|b", where releases of llhttp differ in which fault is first. */
static bool is_among(struct slice got, const char *expected)
{
    struct slice rest = slice_of(expected);
    do {
        if (slice_eq(slice_take_until(&rest, '|'), got))
            return true;
    } while (rest.len > 0);
    return false;
}

static void request_reads_as(void **state)
{
    const struct parse_case *c = *state;
    const size_t steps[] = { SIZE_MAX, 1, 2, 7 };
    char first[2048] = "", text[2048] = "";

    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        struct text out = { i == 0 ? first : text, sizeof text, 0 };
        out.at[0] = '\0';
        parse_all(slice_of(c->bytes), steps[i], &out);
        if (!is_among(text_slice(&out), c->expected))
            assert_string_equal(c->expected, out.at);
        assert_string_equal(first, out.at);
    }
}

static void too_many_headers_are_refused(void **state)
{
    (void)state;
    char bytes[4096];
    for (unsigned count = HTTP_HEADERS_MAX - 1; count <= HTTP_HEADERS_MAX; count++) {
        struct http_request request;
        struct err err = { .code = ERR_OK };
        const struct http_parser_limits limits = { .header_bytes_max = 4096, .body_bytes_max = 16 };
        struct http_parser *parser = http_parser_new(&limits);
        struct text text = TEXT(bytes);
        text_add(&text, "GET / HTTP/1.1\r\n" HOST);
        for (unsigned i = 0; i < count; i++)
            text_add(&text, "X: %u\r\n", i);
        text_add(&text, "\r\n");
        http_parser_begin(parser, &request);
        struct slice rest = text_slice(&text);
        enum http_progress progress = http_parser_feed(parser, &rest, &err);
        assert_int_equal(count < HTTP_HEADERS_MAX ? PROGRESS_WHOLE : PROGRESS_BAD, progress);
        if (progress == PROGRESS_BAD)
            assert_int_equal(431, err_http_status(err.code));
        http_parser_free(parser);
    }
}

static void a_long_head_is_refused_before_it_ends(void **state)
{
    (void)state;
    char bytes[600], text[256] = "";
    struct text out = TEXT(text);
    memset(bytes, 'a', sizeof bytes);
    memcpy(bytes, "GET /", 5);
    parse_all((struct slice){ bytes, sizeof bytes }, SIZE_MAX, &out);
    assert_string_equal("431 headers\n", text);
    out.used = 0;
    parse_all((struct slice){ bytes, sizeof bytes }, 1, &out);
    assert_string_equal("431 headers\n", text);
    out.used = 0;
    text[0] = '\0';
    parse_all((struct slice){ bytes, 511 }, 1, &out); /* one short of the limit: still waiting */
    assert_string_equal("", text);
}

static void long_trailers_are_refused(void **state)
{
    (void)state;
    char bytes[2048], out_text[256] = "";
    struct text text = TEXT(bytes), out = TEXT(out_text);
    text_add(&text, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n");
    for (int i = 0; i < 60; i++)
        text_add(&text, "Trailer: value\r\n");
    parse_all(text_slice(&text), 3, &out);
    assert_string_equal("400 body\n", out_text);
}

static void a_nul_is_refused(void **state)
{
    (void)state;
    const char value[] = "GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n";
    const char target[] = "GET /a\0b HTTP/1.1\r\n" HOST "\r\n";
    char text[256] = "";
    struct text out = TEXT(text);
    parse_all((struct slice){ value, sizeof value - 1 }, SIZE_MAX, &out);
    assert_string_equal("400 headers\n", text);
    out.used = 0;
    parse_all((struct slice){ target, sizeof target - 1 }, 1, &out);
    assert_int_equal(0, strncmp("400 ", text, 4));
}

static void a_body_announces_itself(void **state)
{
    (void)state;
    const struct http_parser_limits limits = { .header_bytes_max = 512, .body_bytes_max = 16 };
    struct http_parser *parser = http_parser_new(&limits);
    struct http_request request;
    struct err err;
    http_parser_begin(parser, &request);
    struct slice bytes = SLICE("POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab");
    assert_false(http_parser_has_begun(parser));
    assert_int_equal(PROGRESS_HEAD, http_parser_feed(parser, &bytes, &err));
    assert_true(http_parser_has_begun(parser));
    assert_true(http_parser_is_in_body(parser));
    assert_int_equal(2, bytes.len); /* the body is still the caller's */
    assert_int_equal(PROGRESS_WHOLE, http_parser_feed(parser, &bytes, &err));
    assert_true(slice_is(request.body, "ab"));
    http_parser_free(parser);
}

static bool is_post(const struct http_request *request) { return request->verb == VERB_POST; }

/* A body in lines, fed in pieces of `step` bytes: each part in brackets, then what is left. */
static void parse_lines(struct slice bytes, size_t step, struct text *out)
{
    const struct http_parser_limits limits = {
        .header_bytes_max = 512, .body_bytes_max = 8, .is_in_lines = is_post, .lines_bytes = 4
    };
    struct http_parser *parser = http_parser_new(&limits);
    struct http_request request;
    struct err err = { .code = ERR_OK };
    enum http_progress progress = PROGRESS_MORE;
    http_parser_begin(parser, &request);
    while (bytes.len > 0 && progress < PROGRESS_WHOLE) {
        struct slice piece = { bytes.at, bytes.len < step ? bytes.len : step };
        size_t before = piece.len;
        progress = http_parser_feed(parser, &piece, &err);
        bytes = slice_skip(bytes, before - piece.len);
        if (progress == PROGRESS_PART || progress == PROGRESS_WHOLE)
            text_add(out, "[%.*s]", SLICE_ARGS(request.body));
        if (progress == PROGRESS_PART)
            http_parser_drop(parser);
    }
    if (progress == PROGRESS_BAD)
        text_add(out, "%d", err_http_status(err.code));
    http_parser_free(parser);
}

static void a_body_in_lines_comes_in_parts(void **state)
{
    (void)state;
    static const struct {
        const char *name, *bytes;
        size_t step;
        const char *expected;
    } rows[] = {
        { "whole lines, and what is left at the end",
          "POST / HTTP/1.1\r\n" HOST "Content-Length: 12\r\n\r\nab\ncd\nefghij", 1,
          "[ab\n][cd\n][efghij]" },
        { "a length beyond the limit of a body is fine",
          "POST / HTTP/1.1\r\n" HOST "Content-Length: 15\r\n\r\na\nb\nc\nd\ne\nf\ng\n.", 1,
          "[a\nb\n][c\nd\n][e\nf\n][g\n.]" },
        { "chunks may be cut anywhere",
          "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
          "3\r\nabc\r\n4\r\nd\nef\r\n3\r\ngh\n\r\n0\r\n\r\n",
          2, "[abcd\n][efgh\n][]" },
        { "a part may be all that has come, and the last one empty",
          "POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nabc\n", SIZE_MAX, "[abc\n]" },
        { "no line feed, no part", "POST / HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\nabcdef", 1,
          "[abcdef]" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[200] = "";
        struct text out = TEXT(text);
        parse_lines(slice_of(rows[i].bytes), rows[i].step, &out);
        if (strcmp(rows[i].expected, text) != 0)
            fail_msg("%s: wanted %s, got %s", rows[i].name, rows[i].expected, text);
    }
}

static void a_line_without_an_end_is_refused(void **state)
{
    (void)state;
    static char bytes[(size_t)1 << 20];
    char text[64] = "";
    struct text out = TEXT(text), request = TEXT(bytes);
    text_add(&request, "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\n");
    memset(bytes + request.used, 'x', sizeof bytes - request.used);
    parse_lines((struct slice){ bytes, sizeof bytes }, 4096, &out);
    assert_string_equal("413", text);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + 7];
    for (size_t i = 0; i < COUNT_OF(cases); i++) /* one reported test per row */
        tests[i] = (struct CMUnitTest){ .name = cases[i].name,
                                        .test_func = request_reads_as,
                                        .initial_state = (void *)(uintptr_t)&cases[i] };
    size_t n = COUNT_OF(cases);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(too_many_headers_are_refused);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_long_head_is_refused_before_it_ends);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(long_trailers_are_refused);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_nul_is_refused);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_body_announces_itself);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_body_in_lines_comes_in_parts);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_line_without_an_end_is_refused);
    return cmocka_run_group_tests_name("http_parse", tests, NULL, NULL);
}
