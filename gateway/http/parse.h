/* http/parse.h -- HTTP/1.x requests out of bytes; no sockets.
 *
 * What      a push parser: feed it what arrived, cut anywhere, and it says when the headers and
 *           when the body are complete.  llhttp reads the grammar; what llhttp tolerates and a
 *           proxy in front might read differently is refused before or after it (README.md has the
 *           list), so that two parsers never disagree about where a request ends.
 * Owns      the bytes of the head and the body: slices of the request stay good until the next
 *           http_parser_begin() or http_parser_free().  The request itself is the caller's.
 * Errors    every refusal ends the connection, because what follows cannot be trusted:
 *           ERR_INVALID 400, ERR_TOO_LARGE 413, ERR_EXPECTATION 417, ERR_HEADERS 431,
 *           ERR_UNKNOWN_VERB 501, ERR_HTTP_VERSION 505.  Messages never quote what was sent.
 * Thread    one at a time.
 */
#pragma once

#include "base/buffer.h"
#include "http/message.h"

struct http_parser;

struct http_parser_limits {
    size_t header_bytes_max; /* request line and headers together; also trailers */
    size_t body_bytes_max;   /* of a body in lines: of what is held of it at a time */
    /* True for a request whose body is worked on line by line while it arrives; NULL: for none. */
    bool (*is_in_lines)(const struct http_request *request);
    size_t lines_bytes; /* as many bytes of whole lines make a part */
};

enum http_progress {
    PROGRESS_MORE,  /* all bytes are taken, the request is not complete */
    PROGRESS_HEAD,  /* headers are complete and acceptable, and a body is coming; feed on */
    PROGRESS_PART,  /* request->body is whole lines of a body that goes on: http_parser_drop() */
    PROGRESS_WHOLE, /* the request is complete; bytes behind it are left */
    PROGRESS_BAD,   /* *err says why; feed no more */
};

struct http_parser *http_parser_new(const struct http_parser_limits *limits) MUST_USE;
void http_parser_free(struct http_parser *parser);
/* Forgets the last request, gives its memory back, and reads the next one into *request, which must
 * stay until then.  NULL only gives the memory back. */
void http_parser_begin(struct http_parser *parser, struct http_request *request);
/* Takes what it needs off the front of *bytes. */
enum http_progress http_parser_feed(struct http_parser *parser, struct slice *bytes,
                                    struct err *err) MUST_USE;

/* After PROGRESS_PART: its lines are done with; feed on. */
void http_parser_drop(struct http_parser *parser);

/* A byte of the request has arrived. */
bool http_parser_has_begun(const struct http_parser *parser);
bool http_parser_is_in_body(const struct http_parser *parser);
/* From PROGRESS_HEAD or PROGRESS_WHOLE on: what the request asked for. */
bool http_parser_keeps_alive(const struct http_parser *parser);
bool http_parser_awaits_continue(const struct http_parser *parser);
