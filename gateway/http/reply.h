/* http/reply.h -- a reply as the bytes that go out.
 *
 * What      writes status line and headers; the caller sends the body behind them.  Content-Length,
 *           Date and Connection are ours, a handler must not set them.
 * Thread    any.
 */
#pragma once

#include "base/buffer.h"
#include "http/message.h"

struct http_reply_frame {
    enum http_verb verb; /* of the request: HEAD is answered without its body */
    bool keeps_alive;
    const char *date; /* as http_date_format() writes it */
};

void http_reply_write_head(const struct http_reply *reply, const struct http_reply_frame *frame,
                           struct buffer *out);
/* False for HEAD, 204 and 304, whatever reply->body holds. */
bool http_reply_sends_body(const struct http_reply *reply, enum http_verb verb);
/* "Not Found"; "Unknown" for a status that is not in our table. */
const char *http_status_text(int status);
