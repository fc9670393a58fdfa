/* base/slice.h -- a borrowed run of bytes.  Never owns, never assumes a terminating NUL. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *at;
    size_t len;
};

#define SLICE(literal) ((struct slice){ (literal), sizeof(literal) - 1 })

static inline struct slice slice_of(const char *text)
{
    return (struct slice){ text, text != NULL ? strlen(text) : 0 };
}
static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}
static inline bool slice_is(struct slice a, const char *text)
{
    size_t len = strlen(text);
    return a.len == len && (len == 0 || memcmp(a.at, text, len) == 0);
}
static inline bool slice_starts(struct slice a, struct slice prefix)
{
    return a.len >= prefix.len && memcmp(a.at, prefix.at, prefix.len) == 0;
}
static inline struct slice slice_skip(struct slice a, size_t count)
{
    if (a.at == NULL) /* an absent slice has no end to point at */
        return a;
    return count >= a.len ? (struct slice){ a.at + a.len, 0 }
                          : (struct slice){ a.at + count, a.len - count };
}
/* Byte order; a prefix sorts first. */
static inline int slice_cmp(struct slice a, struct slice b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common > 0 ? memcmp(a.at, b.at, common) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}
/* Cuts `rest` at the first `stop`: returns what precedes it, `rest` keeps what follows it. */
static inline struct slice slice_take_until(struct slice *rest, char stop)
{
    const char *end = rest->len > 0 ? memchr(rest->at, stop, rest->len) : NULL;
    struct slice head = { rest->at, end != NULL ? (size_t)(end - rest->at) : rest->len };
    *rest = slice_skip(*rest, head.len + (end != NULL ? 1 : 0));
    return head;
}
/* For printf: "%.*s", SLICE_ARGS(s). */
#define SLICE_ARGS(s) (int)(s).len, (s).at
