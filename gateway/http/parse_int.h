/* http/parse_int.h -- the parser's insides, shared by parse.c (bytes) and head.c (meaning). */
#pragma once

#include <llhttp.h>

#include "http/parse.h"

enum parser_stage { STAGE_START, STAGE_HEAD, STAGE_BODY, STAGE_DONE, STAGE_BAD };

struct http_parser {
    llhttp_t machine;
    struct http_parser_limits limits;
    struct http_request *request;
    enum parser_stage stage;
    struct err *err;    /* where callbacks of the running feed say why they refuse */
    struct buffer head; /* request line and headers, as sent */
    struct buffer body;
    size_t line_at;        /* in head: where the line being gathered begins */
    bool has_skipped_line; /* one empty line before the request is forgiven (RFC 9112, 2.2) */
    bool head_is_read;
    bool keeps_alive, awaits_continue, is_in_lines;
    size_t searched; /* of body: holds no line feed behind the last part */
    const char
        *framing_at;    /* chunked: what follows the last piece of data in the bytes being fed */
    size_t framing_run; /* bytes since the last piece of data */
    char framing_last;  /* the last of them */
};

/* Judges what llhttp has read; on_headers_complete. */
bool http_head_check(struct http_parser *parser, struct err *err) MUST_USE;
