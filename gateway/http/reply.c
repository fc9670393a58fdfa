#include "http/reply.h"

#include <strings.h>

/* clang-format off */
static const struct status_row {
    int status;
    const char *text;
} status_rows[] = {
    { 100, "Continue" },
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 303, "See Other" },
    { 304, "Not Modified" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 415, "Unsupported Media Type" },
    { 417, "Expectation Failed" },
    { 422, "Unprocessable Content" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
    { 505, "HTTP Version Not Supported" },
};
/* clang-format on */

const char *http_status_text(int status)
{
    for (size_t i = 0; i < COUNT_OF(status_rows); i++) {
        if (status_rows[i].status == status)
            return status_rows[i].text;
    }
    return "Unknown";
}

bool http_reply_sends_body(const struct http_reply *reply, enum http_verb verb)
{
    return verb != VERB_HEAD && reply->status != 204 && reply->status != 304;
}

static bool is_ours(struct slice name)
{
    static const struct slice ours[] = {
        { "Content-Length", 14 }, { "Connection", 10 }, { "Date", 4 }, { "Transfer-Encoding", 17 }
    };
    for (size_t i = 0; i < COUNT_OF(ours); i++) {
        if (name.len == ours[i].len && strncasecmp(name.at, ours[i].at, name.len) == 0)
            return true;
    }
    return false;
}

static void add_number(struct buffer *out, size_t number)
{
    char digits[24];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buffer_add(out, (struct slice){ digits + at, sizeof digits - at });
}

void http_reply_write_head(const struct http_reply *reply, const struct http_reply_frame *frame,
                           struct buffer *out)
{
    CHECK(reply->status >= 200);
    CHECK(reply->status <= 599);
    buffer_add(out, SLICE("HTTP/1.1 "));
    add_number(out, (size_t)reply->status);
    buffer_add_char(out, ' ');
    buffer_add(out, slice_of(http_status_text(reply->status)));
    for (unsigned i = 0; i < reply->header_count; i++) {
        const struct http_header *header = &reply->headers[i];
        CHECK(!is_ours(header->name));
        buffer_add(out, SLICE("\r\n"));
        buffer_add(out, header->name);
        buffer_add(out, SLICE(": "));
        buffer_add(out, header->value);
    }
    if (reply->status != 204 && reply->status != 304) {
        buffer_add(out, SLICE("\r\nContent-Length: "));
        add_number(out, reply->body.len);
    }
    buffer_add(out, SLICE("\r\nDate: "));
    buffer_add(out, slice_of(frame->date));
    buffer_add(out, frame->keeps_alive ? SLICE("\r\nConnection: keep-alive\r\n\r\n")
                                       : SLICE("\r\nConnection: close\r\n\r\n"));
}
