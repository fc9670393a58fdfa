/* Any bytes at all: never crash, every refusal says why, and how the bytes were cut on their way
 * makes no difference to what is read. */
#include <stdint.h>

#include "base/pool.h"
#include "base/text.h"
#include "http/parse.h"

#define RESULT_MAX (256 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bodies of these come in parts; where they are cut is up to the pieces, what they hold is not. */
static bool is_in_lines(const struct http_request *request) { return request->verb == VERB_PUT; }

static void note_request(struct buffer *out, const struct http_parser *parser,
                         const struct http_request *request, struct buffer *parts)
{
    CHECK(request->header_count <= HTTP_HEADERS_MAX);
    buffer_add(out, slice_of(http_verb_name(request->verb)));
    buffer_add(out, request->path);
    buffer_add_char(out, '?');
    buffer_add(out, request->query);
    for (unsigned i = 0; i < request->header_count; i++) {
        CHECK(request->headers[i].value.at != NULL);
        buffer_add(out, request->headers[i].name);
        buffer_add_char(out, '=');
        buffer_add(out, request->headers[i].value);
        buffer_add_char(out, ';');
    }
    buffer_add(out, buffer_slice(parts));
    buffer_reset(parts);
    buffer_add(out, request->body);
    buffer_add_char(out, http_parser_keeps_alive(parser) ? 'k' : 'c');
    buffer_add_char(out, http_parser_awaits_continue(parser) ? 'e' : '\n');
}

/* Every piece is a copy of its own, so that reading past a piece is seen. */
static bool parse_piece(struct http_parser *parser, struct http_request *request,
                        struct slice bytes, struct buffer *out, struct buffer *parts)
{
    struct slice rest = bytes;
    while (rest.len > 0) {
        struct err err = { .code = ERR_OK };
        size_t before = rest.len;
        enum http_progress progress = http_parser_feed(parser, &rest, &err);
        if (progress == PROGRESS_BAD) {
            CHECK(err.code != ERR_OK);
            CHECK(err.what[0] != '\0');
            CHECK(err_http_status(err.code) >= 400);
            buffer_add(out, slice_of(err.where));
            buffer_add(out, slice_of(err.what));
            return false;
        }
        CHECK(rest.len < before);
        CHECK(progress != PROGRESS_MORE || rest.len == 0);
        if (progress == PROGRESS_PART) {
            CHECK(request->body.at[request->body.len - 1] == '\n');
            buffer_add(parts, request->body);
            http_parser_drop(parser);
        }
        if (progress == PROGRESS_WHOLE) {
            note_request(out, parser, request, parts);
            http_parser_begin(parser, request);
        }
    }
    return true;
}

static void parse_all(struct slice bytes, unsigned step, struct buffer *out)
{
    const struct http_parser_limits limits = { .header_bytes_max = 2048,
                                               .body_bytes_max = 512,
                                               .is_in_lines = is_in_lines,
                                               .lines_bytes = 64 };
    struct buffer parts;
    struct http_parser *parser = http_parser_new(&limits);
    struct http_request request;
    bool is_good = true;

    buffer_init(&parts, RESULT_MAX);
    http_parser_begin(parser, &request);
    while (bytes.len > 0 && is_good) {
        size_t len = step == 0 || bytes.len < step ? bytes.len : step;
        char *copy = pool_new(len);
        memcpy(copy, bytes.at, len);
        is_good = parse_piece(parser, &request, (struct slice){ copy, len }, out, &parts);
        pool_free(copy);
        bytes = slice_skip(bytes, len);
        step = step > 1 ? step / 2 + 1 : step; /* uneven cuts */
    }
    buffer_fini(&parts);
    http_parser_free(parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = { (const char *)data, size };
    struct buffer whole, split;

    buffer_init(&whole, RESULT_MAX);
    buffer_init(&split, RESULT_MAX);
    parse_all(bytes, 0, &whole);
    parse_all(bytes, 1, &split);
    CHECK(slice_eq(buffer_slice(&whole), buffer_slice(&split)));
    buffer_reset(&split);
    parse_all(bytes, size > 0 ? 2 + data[size / 2] : 2, &split);
    CHECK(slice_eq(buffer_slice(&whole), buffer_slice(&split)));
    buffer_fini(&whole);
    buffer_fini(&split);
    return 0;
}
