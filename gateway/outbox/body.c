#include "outbox/body.h"

static const char *find(struct slice text, const char *token)
{
    return text.len > 0 ? memmem(text.at, text.len, token, strlen(token)) : NULL;
}

bool body_has(struct slice body, const char *token) { return find(body, token) != NULL; }

struct slice body_replace(struct slice body, const char *token, struct slice text,
                          struct arena *arena)
{
    size_t token_len = strlen(token), count = 0;
    struct slice rest = body;
    for (const char *at; (at = find(rest, token)) != NULL; count++)
        rest = slice_skip(rest, (size_t)(at - rest.at) + token_len);
    if (count == 0)
        return body;

    size_t len = body.len - count * token_len + count * text.len;
    char *out = arena_alloc_raw(arena, len + 1);
    if (out == NULL)
        return SLICE("");
    size_t used = 0;
    rest = body;
    for (const char *at; (at = find(rest, token)) != NULL;) {
        size_t before = (size_t)(at - rest.at);
        memcpy(out + used, rest.at, before);
        memcpy(out + used + before, text.at, text.len);
        used += before + text.len;
        rest = slice_skip(rest, before + token_len);
    }
    memcpy(out + used, rest.at, rest.len);
    out[len] = '\0';
    return (struct slice){ out, len };
}

struct slice body_with_id(struct slice body, struct slice id, struct arena *arena)
{
    struct slice rest = body;
    (void)slice_take_until(&rest, '{');
    return arena_format(arena, "{\"id\":\"%.*s\",%.*s", SLICE_ARGS(id), SLICE_ARGS(rest));
}

static bool is_unreserved(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static size_t escape(struct slice text, char *out)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t used = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (is_unreserved(text.at[i])) {
            out[used++] = text.at[i];
            continue;
        }
        out[used++] = '%';
        out[used++] = digits[c >> 4];
        out[used++] = digits[c & 15];
    }
    return used;
}

struct slice body_query_token(struct slice system, struct slice value, struct arena *arena)
{
    char *out = arena_alloc_raw(arena, 3 * (system.len + value.len + 1) + 1);
    if (out == NULL)
        return SLICE("");
    size_t used = escape(system, out);
    used += escape(SLICE("|"), out + used);
    used += escape(value, out + used);
    out[used] = '\0';
    return (struct slice){ out, used };
}
