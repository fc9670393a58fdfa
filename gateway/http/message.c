#include "http/message.h"

#include <strings.h>

/* clang-format off */
static const char *const verb_names[] = {
#define X(name) [VERB_##name] = #name,
    HTTP_METHOD_TABLE(X)
#undef X
};
/* clang-format on */

const char *http_verb_name(enum http_verb verb)
{
    CHECK((size_t)verb < COUNT_OF(verb_names));
    return verb_names[verb];
}

struct slice http_header_find(const struct http_request *request, const char *name)
{
    size_t len = strlen(name);
    for (unsigned i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        if (header->name.len == len && strncasecmp(header->name.at, name, len) == 0)
            return header->value;
    }
    return (struct slice){ NULL, 0 };
}

static bool is_one_line(struct slice text)
{
    return text.len == 0 ||
           (memchr(text.at, '\r', text.len) == NULL && memchr(text.at, '\n', text.len) == NULL);
}

void http_reply_header(struct http_reply *reply, const char *name, struct slice value)
{
    CHECK(reply->header_count < COUNT_OF(reply->headers));
    CHECK(is_one_line(slice_of(name)));
    CHECK(is_one_line(value)); /* a second line would be a header of the sender's choice */
    reply->headers[reply->header_count++] = (struct http_header){ slice_of(name), value };
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* -1 when no two hex digits follow the '%' at text.at[i]. */
static int escaped_byte(struct slice text, size_t i)
{
    if (text.len - i < 3)
        return -1;
    int high = hex_digit(text.at[i + 1]);
    int low = hex_digit(text.at[i + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool http_decode(struct slice text, bool is_query, struct arena *arena, struct slice *out,
                 struct err *err)
{
    char *decoded = arena_alloc_raw(arena, text.len + 1);
    size_t len = 0;
    if (decoded == NULL)
        return err_fail(err, ERR_TOO_LARGE, "request line", "the target is too long to decode");
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '%') {
            int byte = escaped_byte(text, i);
            if (byte <= 0) /* also %00: no name or value of ours holds a NUL */
                return err_fail(err, ERR_VALUE, "request line",
                                "the target holds a percent sign without two hex digits");
            c = (char)byte;
            i += 2;
        } else if (c == '+' && is_query) {
            c = ' ';
        }
        decoded[len++] = c;
    }
    decoded[len] = '\0';
    *out = (struct slice){ decoded, len };
    return true;
}

bool http_query_next(struct slice *query, struct arena *arena, struct slice *name,
                     struct slice *value)
{
    while (query->len > 0) {
        struct slice raw_value = slice_take_until(query, '&');
        if (raw_value.len == 0)
            continue; /* "a=1&&b=2" */
        struct slice raw_name = slice_take_until(&raw_value, '=');
        struct err ignored;
        if (!http_decode(raw_name, true, arena, name, &ignored))
            *name = raw_name;
        if (!http_decode(raw_value, true, arena, value, &ignored))
            *value = raw_value;
        return true;
    }
    return false;
}
