/* http/head.c -- what a request's head must be beyond llhttp's grammar. */
#include <strings.h>

#include "http/parse_int.h"

static bool is_named(struct slice name, struct slice wanted)
{
    return name.len == wanted.len && strncasecmp(name.at, wanted.at, wanted.len) == 0;
}

/* The characters of a header name (RFC 9110, token). */
static bool is_token(struct slice text)
{
    static const bool is_extra[128] = {
        ['!'] = true,  ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true,
        ['\''] = true, ['*'] = true, ['+'] = true, ['-'] = true, ['.'] = true,
        ['^'] = true,  ['_'] = true, ['`'] = true, ['|'] = true, ['~'] = true
    };
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        unsigned char lower = c | 0x20;
        bool is_letter = lower >= 'a' && lower <= 'z';
        bool is_digit = c >= '0' && c <= '9';
        if (!is_letter && !is_digit && (c >= 128 || !is_extra[c]))
            return false;
    }
    return text.len > 0;
}

static enum http_verb verb_of(uint8_t method)
{
    /* clang-format off */
    switch (method) {
    case HTTP_GET:     return VERB_GET;
    case HTTP_HEAD:    return VERB_HEAD;
    case HTTP_POST:    return VERB_POST;
    case HTTP_PUT:     return VERB_PUT;
    case HTTP_DELETE:  return VERB_DELETE;
    case HTTP_PATCH:   return VERB_PATCH;
    case HTTP_OPTIONS: return VERB_OPTIONS;
    default:           return VERB_OTHER;
    }
    /* clang-format on */
}

static bool first_line_is_plain(const struct http_parser *parser)
{
    const char *head = parser->head.at;
    struct slice target = parser->request->target;
    const char *line_end = memchr(head, '\r', parser->head.len);
    const char *method_end = memchr(head, ' ', parser->head.len);
    size_t version_len = sizeof " HTTP/1.1" - 1;
    return target.len > 0 && target.at == method_end + 1 &&
           line_end == target.at + target.len + version_len;
}

/* origin-form, absolute-form or "*"; visible ASCII only, no fragment. */
static bool split_target(struct http_request *request)
{
    struct slice rest = request->target;
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.at[i] <= ' ' || rest.at[i] > '~' || rest.at[i] == '#')
            return false;
    }
    if (rest.at[0] != '/' && !slice_is(rest, "*")) {
        bool is_http = rest.len > 7 && strncasecmp(rest.at, "http://", 7) == 0;
        bool is_https = rest.len > 8 && strncasecmp(rest.at, "https://", 8) == 0;
        if (!is_http && !is_https)
            return false;
        rest = slice_skip(rest, is_https ? 8 : 7);
        while (rest.len > 0 && rest.at[0] != '/' && rest.at[0] != '?')
            rest = slice_skip(rest, 1);
    }
    request->path = slice_take_until(&rest, '?');
    request->query = rest;
    if (request->path.len == 0)
        request->path = SLICE("/");
    return true;
}

static bool is_host(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] <= ' ' || value.at[i] > '~' || strchr("/\\?#@\"<>,;", value.at[i]) != NULL)
            return false;
    }
    return value.len > 0;
}

static bool is_length(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return false;
    }
    return value.len > 0 && value.len <= 18;
}

/* The headers that decide who is asked and where the request ends. */
struct framing {
    unsigned hosts, lengths, codings;
    struct slice host, length, coding, expectation;
};

static bool take_framing(const struct http_request *request, struct framing *out, struct err *err)
{
    for (unsigned i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        if (!is_token(header->name) || header->name.at[header->name.len] != ':')
            return err_fail(err, ERR_INVALID, "headers", "a header name is malformed");
        if (is_named(header->name, SLICE("Host"))) {
            out->hosts++;
            out->host = header->value;
        } else if (is_named(header->name, SLICE("Content-Length"))) {
            out->lengths++;
            out->length = header->value;
        } else if (is_named(header->name, SLICE("Transfer-Encoding"))) {
            out->codings++;
            out->coding = header->value;
        } else if (is_named(header->name, SLICE("Expect"))) {
            out->expectation = header->value;
        }
    }
    return true;
}

static bool check_length(struct http_parser *parser, const struct framing *framing, struct err *err)
{
    if (framing->lengths > 1 || framing->codings > 1 || framing->lengths + framing->codings > 1)
        return err_fail(err, ERR_INVALID, "headers", "the length of the body is told twice");
    if (framing->lengths == 1 && !is_length(framing->length))
        return err_fail(err, ERR_INVALID, "header Content-Length", "the length is not a number");
    if (framing->codings == 1 && parser->machine.http_minor == 0)
        return err_fail(err, ERR_INVALID, "header Transfer-Encoding",
                        "HTTP/1.0 has no transfer codings");
    if (framing->codings == 1 && !is_named(framing->coding, SLICE("chunked")))
        return err_fail(err, ERR_UNKNOWN_VERB, "header Transfer-Encoding",
                        "the only transfer coding spoken is chunked");
    if (framing->lengths == 1 && !parser->is_in_lines &&
        parser->machine.content_length > parser->limits.body_bytes_max)
        return err_fail(err, ERR_TOO_LARGE, "body", "the body is longer than %zu bytes",
                        parser->limits.body_bytes_max);
    return true;
}

bool http_head_check(struct http_parser *parser, struct err *err)
{
    const llhttp_t *machine = &parser->machine;
    struct http_request *request = parser->request;
    struct framing framing = { 0 };

    if (machine->http_major != 1 || machine->http_minor > 1)
        return err_fail(err, ERR_HTTP_VERSION, "request line", "only HTTP/1.1 and 1.0 are spoken");
    if (machine->method == HTTP_CONNECT)
        return err_fail(err, ERR_UNKNOWN_VERB, "request line", "this is not a proxy");
    if (!first_line_is_plain(parser) || !split_target(request))
        return err_fail(err, ERR_INVALID, "request line", "the request line is malformed");
    request->verb = verb_of(machine->method);
    if (!take_framing(request, &framing, err))
        return false;
    if (framing.hosts > 1 || (framing.hosts == 0 && machine->http_minor == 1))
        return err_fail(err, ERR_INVALID, "header Host", "exactly one Host is needed");
    if (framing.hosts == 1 && !is_host(framing.host))
        return err_fail(err, ERR_INVALID, "header Host", "the host is malformed");
    parser->is_in_lines = parser->limits.is_in_lines != NULL && parser->limits.is_in_lines(request);
    if (!check_length(parser, &framing, err))
        return false;
    if (framing.expectation.at != NULL && machine->http_minor == 1) {
        if (!is_named(framing.expectation, SLICE("100-continue")))
            return err_fail(err, ERR_EXPECTATION, "header Expect",
                            "the only expectation understood is 100-continue");
        parser->awaits_continue = true;
    }
    parser->keeps_alive = llhttp_should_keep_alive(machine) != 0;
    return true;
}
