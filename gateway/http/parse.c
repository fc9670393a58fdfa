/* http/parse.c -- gathers the head line by line, then lets llhttp read it in one go.
 *
 *   START -> HEAD -> BODY -> DONE        any of them -> BAD
 *
 * The head is a complete run of bytes before anybody interprets it, so its slices are never cut,
 * and how the bytes were split on their way cannot matter.  The body goes through llhttp as it
 * comes; what is not data (chunk sizes, extensions, trailers) passes guard_framing() too, because
 * llhttp forgives bare LF there.
 */
#include "http/parse_int.h"

#include "base/pool.h"

#define HEAD_ROOM_FIRST 1000 /* most heads fit; malloc serves this size without a lock */
#define LINES_SLACK ((size_t)512 * 1024)
#define BODY_ROOM_FIRST ((size_t)64 * 1024) /* an announced length is not yet a reason to reserve */

/* --- llhttp's callbacks ----------------------------------------------------------------------- */

static int on_url(llhttp_t *machine, const char *at, size_t len)
{
    struct http_parser *parser = machine->data;
    parser->request->target = (struct slice){ at, len };
    return 0;
}

static int on_header_field(llhttp_t *machine, const char *at, size_t len)
{
    struct http_parser *parser = machine->data;
    struct http_request *request = parser->request;
    if (parser->stage != STAGE_HEAD)
        return 0; /* trailers are read past */
    if (request->header_count >= HTTP_HEADERS_MAX) {
        err_fail(parser->err, ERR_HEADERS, "headers", "there are more than %d headers",
                 HTTP_HEADERS_MAX);
        return HPE_USER;
    }
    request->headers[request->header_count++] =
        (struct http_header){ { at, len }, { at + len, 0 } };
    return 0;
}

static int on_header_value(llhttp_t *machine, const char *at, size_t len)
{
    struct http_parser *parser = machine->data;
    if (parser->stage != STAGE_HEAD)
        return 0;
    while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
        len--;
    CHECK(parser->request->header_count > 0);
    parser->request->headers[parser->request->header_count - 1].value = (struct slice){ at, len };
    return 0;
}

static int on_headers_complete(llhttp_t *machine)
{
    struct http_parser *parser = machine->data;
    if (!http_head_check(parser, parser->err))
        return HPE_USER;
    parser->head_is_read = true;
    machine->upgrade = 0; /* an offer to change protocols may be ignored, and is */
    return 0;
}

static bool framing_fail(struct err *err)
{
    return err_fail(err, ERR_INVALID, "body", "the chunked body is malformed");
}

/* Lines between pieces of data end in CR LF, none is folded, and together they are bounded. */
static bool guard_framing(struct http_parser *parser, const char *end, struct err *err)
{
    if (parser->framing_at == end)
        return true;
    for (const char *at = parser->framing_at; at < end; at++) {
        char last = parser->framing_last;
        bool is_bare = (*at == '\n') != (last == '\r');
        bool is_folded = last == '\n' && (*at == ' ' || *at == '\t');
        if (is_bare || is_folded || ++parser->framing_run > parser->limits.header_bytes_max)
            return framing_fail(err);
        parser->framing_last = *at;
    }
    parser->framing_at = end;
    return true;
}

static int on_body(llhttp_t *machine, const char *at, size_t len)
{
    struct http_parser *parser = machine->data;
    if ((machine->flags & F_CHUNKED) != 0) {
        if (!guard_framing(parser, at, parser->err))
            return HPE_USER;
        parser->framing_at = at + len;
        parser->framing_run = 0;
        parser->framing_last = '\0';
    }
    buffer_add(&parser->body, (struct slice){ at, len });
    if (buffer_overflowed(&parser->body)) {
        err_fail(parser->err, ERR_TOO_LARGE, "body", "%s is longer than %zu bytes",
                 parser->is_in_lines ? "a line of the body" : "the body",
                 parser->limits.body_bytes_max);
        return HPE_USER;
    }
    return 0;
}

static int on_message_complete(llhttp_t *machine)
{
    struct http_parser *parser = machine->data;
    parser->stage = STAGE_DONE;
    return HPE_PAUSED; /* what follows is the next request, for a fresh machine */
}

static const llhttp_settings_t parser_callbacks = {
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* --- head ------------------------------------------------------------------------------------- */

static bool head_fail(struct err *err, llhttp_errno_t code)
{
    if (err->code != ERR_OK)
        return false; /* a callback has said it better */
    if (code == HPE_INVALID_METHOD)
        return err_fail(err, ERR_UNKNOWN_VERB, "request line", "the method is not known");
    if (code == HPE_INVALID_VERSION || code == HPE_PAUSED_H2_UPGRADE)
        return err_fail(err, ERR_HTTP_VERSION, "request line", "only HTTP/1.1 and 1.0 are spoken");
    if (code == HPE_INVALID_CONTENT_LENGTH || code == HPE_UNEXPECTED_CONTENT_LENGTH)
        return err_fail(err, ERR_INVALID, "header Content-Length",
                        "the length is repeated, not a number, or beside Transfer-Encoding");
    if (code == HPE_INVALID_TRANSFER_ENCODING)
        return err_fail(err, ERR_INVALID, "header Transfer-Encoding",
                        "the coding does not say where the body ends");
    return err_fail(err, ERR_INVALID, "headers", "the request line or a header is malformed");
}

static enum http_progress read_head(struct http_parser *parser, struct err *err)
{
    err->code = ERR_OK;
    parser->err = err;
    llhttp_errno_t code = llhttp_execute(&parser->machine, parser->head.at, parser->head.len);
    bool is_good = code == HPE_OK || (code == HPE_PAUSED && parser->stage == STAGE_DONE);
    if (is_good && !parser->head_is_read) { /* the preface of HTTP/2 goes on behind its head */
        is_good = false;
        code = HPE_PAUSED_H2_UPGRADE;
    }
    if (!is_good) {
        head_fail(err, code);
        parser->stage = STAGE_BAD;
        return PROGRESS_BAD;
    }
    if (parser->stage == STAGE_DONE)
        return PROGRESS_WHOLE;
    parser->stage = STAGE_BODY;
    return PROGRESS_HEAD;
}

enum line_kind { LINE_TEXT, LINE_EMPTY, LINE_BAD };

/* A line ends in CR LF, holds no other CR, and does not continue the one before it (obs-fold). */
static enum line_kind line_judge(const char *line, size_t len)
{
    const char *cr = memchr(line, '\r', len);
    if (len < 2 || cr != line + len - 2 || line[0] == ' ' || line[0] == '\t')
        return LINE_BAD;
    return len == 2 ? LINE_EMPTY : LINE_TEXT;
}

static enum http_progress end_line(struct http_parser *parser, struct err *err)
{
    struct buffer *head = &parser->head;
    enum line_kind kind = line_judge(head->at + parser->line_at, head->len - parser->line_at);
    bool is_first = parser->line_at == 0;
    parser->line_at = head->len;
    if (kind == LINE_TEXT)
        return PROGRESS_MORE;
    if (kind == LINE_EMPTY && !is_first)
        return read_head(parser, err);
    if (kind == LINE_EMPTY && !parser->has_skipped_line) {
        parser->has_skipped_line = true;
        parser->line_at = head->len = 0;
        return PROGRESS_MORE;
    }
    parser->stage = STAGE_BAD;
    err_fail(err, ERR_INVALID, "headers", "a line is folded, empty or not ended by CR LF");
    return PROGRESS_BAD;
}

static enum http_progress feed_head(struct http_parser *parser, struct slice *bytes,
                                    struct err *err)
{
    struct buffer *head = &parser->head;
    enum http_progress progress = PROGRESS_MORE;
    while (bytes->len > 0 && progress == PROGRESS_MORE) { /* one line, or the rest, per round */
        size_t room = parser->limits.header_bytes_max - head->len;
        size_t take = bytes->len < room ? bytes->len : room;
        const char *end = memchr(bytes->at, '\n', take);
        if (end != NULL)
            take = (size_t)(end - bytes->at) + 1;
        buffer_add(head, (struct slice){ bytes->at, take });
        *bytes = slice_skip(*bytes, take);
        if (end != NULL) {
            progress = end_line(parser, err);
        } else if (head->len == parser->limits.header_bytes_max) {
            parser->stage = STAGE_BAD;
            err_fail(err, ERR_HEADERS, "headers",
                     "request line and headers are longer than %zu bytes",
                     parser->limits.header_bytes_max);
            return PROGRESS_BAD;
        }
    }
    return progress;
}

/* --- body ------------------------------------------------------------------------------------- */

static void reserve_body(struct http_parser *parser)
{
    uint64_t announced = parser->machine.content_length;
    bool is_chunked = (parser->machine.flags & F_CHUNKED) != 0;
    size_t room = announced < BODY_ROOM_FIRST ? (size_t)announced : BODY_ROOM_FIRST;
    if (!is_chunked && room > 0)
        CHECK(buffer_room(&parser->body, room) != NULL);
}

/* A line may be as long as a body may; before it stand the lines of a part, behind it what one feed
 * brought. */
static size_t body_room(const struct http_parser *parser)
{
    const struct http_parser_limits *limits = &parser->limits;
    return parser->is_in_lines ? limits->lines_bytes + limits->body_bytes_max + LINES_SLACK
                               : limits->body_bytes_max;
}

/* Enough whole lines to work on.  What was searched once holds no line feed. */
static bool has_part(struct http_parser *parser)
{
    const struct buffer *body = &parser->body;
    if (body->len < parser->limits.lines_bytes)
        return false;
    const char *end = memrchr(body->at + parser->searched, '\n', body->len - parser->searched);
    parser->searched = body->len;
    if (end == NULL)
        return false;
    parser->request->body = (struct slice){ body->at, (size_t)(end - body->at) + 1 };
    return true;
}

static enum http_progress feed_body(struct http_parser *parser, struct slice *bytes,
                                    struct err *err)
{
    bool is_chunked = (parser->machine.flags & F_CHUNKED) != 0;
    err->code = ERR_OK;
    parser->err = err;
    parser->framing_at = bytes->at;
    if (parser->body.len == 0) {
        parser->body.max = body_room(parser);
        reserve_body(parser);
    }
    llhttp_errno_t code = llhttp_execute(&parser->machine, bytes->at, bytes->len);
    const char *end = bytes->at + bytes->len;
    if (code == HPE_PAUSED && parser->stage == STAGE_DONE)
        end = llhttp_get_error_pos(&parser->machine);
    else if (code != HPE_OK && err->code == ERR_OK)
        framing_fail(err);
    if (err->code != ERR_OK || (is_chunked && !guard_framing(parser, end, err))) {
        parser->stage = STAGE_BAD;
        return PROGRESS_BAD;
    }
    *bytes = slice_skip(*bytes, (size_t)(end - bytes->at));
    if (parser->stage == STAGE_DONE)
        return PROGRESS_WHOLE;
    return parser->is_in_lines && has_part(parser) ? PROGRESS_PART : PROGRESS_MORE;
}

void http_parser_drop(struct http_parser *parser)
{
    struct buffer *body = &parser->body;
    size_t done = parser->request->body.len;
    CHECK(parser->stage == STAGE_BODY);
    CHECK(done <= body->len);
    memmove(body->at, body->at + done, body->len - done);
    body->len -= done;
    parser->searched = body->len;
    parser->request->body = SLICE("");
}

/* --- what net/ calls -------------------------------------------------------------------------- */

struct http_parser *http_parser_new(const struct http_parser_limits *limits)
{
    CHECK(limits->header_bytes_max > 0);
    struct http_parser *parser = pool_new(sizeof *parser);
    parser->limits = *limits;
    buffer_init(&parser->head, limits->header_bytes_max);
    buffer_init(&parser->body, limits->body_bytes_max);
    return parser;
}

void http_parser_free(struct http_parser *parser)
{
    buffer_fini(&parser->head);
    buffer_fini(&parser->body);
    pool_free(parser);
}

void http_parser_begin(struct http_parser *parser, struct http_request *request)
{
    buffer_fini(&parser->head);
    buffer_fini(&parser->body);
    parser->request = request;
    parser->stage = STAGE_START;
    parser->line_at = 0;
    parser->framing_run = 0;
    parser->framing_last = '\0';
    parser->head_is_read = false;
    parser->has_skipped_line = parser->keeps_alive = parser->awaits_continue = false;
    parser->is_in_lines = false;
    parser->searched = 0;
    if (request != NULL) {
        request->verb = VERB_OTHER;
        request->target = request->path = request->query = request->body = SLICE("");
        request->header_count = 0;
    }
}

enum http_progress http_parser_feed(struct http_parser *parser, struct slice *bytes,
                                    struct err *err)
{
    enum http_progress progress = PROGRESS_MORE;
    CHECK(parser->request != NULL);
    CHECK(parser->stage < STAGE_DONE);
    if (bytes->len == 0)
        return PROGRESS_MORE;
    if (parser->stage == STAGE_START) {
        size_t max = parser->limits.header_bytes_max;
        CHECK(buffer_room(&parser->head, max < HEAD_ROOM_FIRST ? max : HEAD_ROOM_FIRST) != NULL);
        llhttp_init(&parser->machine, HTTP_REQUEST, &parser_callbacks);
        parser->machine.data = parser;
        parser->stage = STAGE_HEAD;
    }
    progress =
        parser->stage == STAGE_HEAD ? feed_head(parser, bytes, err) : feed_body(parser, bytes, err);
    if (progress == PROGRESS_WHOLE)
        parser->request->body = parser->body.len > 0 ? buffer_slice(&parser->body) : SLICE("");
    return progress;
}

bool http_parser_has_begun(const struct http_parser *parser)
{
    return parser->stage != STAGE_START;
}

bool http_parser_is_in_body(const struct http_parser *parser)
{
    return parser->stage == STAGE_BODY;
}

bool http_parser_keeps_alive(const struct http_parser *parser) { return parser->keeps_alive; }

bool http_parser_awaits_continue(const struct http_parser *parser)
{
    return parser->awaits_continue;
}
