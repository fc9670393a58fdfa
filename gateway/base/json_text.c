#include "base/json_text.h"

#include <stdint.h>

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

void json_skip_blanks(struct json_cursor *cursor)
{
    while (cursor->at < cursor->text.len && is_blank(cursor->text.at[cursor->at]))
        cursor->at++;
}

bool json_take(struct json_cursor *cursor, char c)
{
    json_skip_blanks(cursor);
    if (cursor->at >= cursor->text.len || cursor->text.at[cursor->at] != c)
        return false;
    cursor->at++;
    return true;
}

/* Stands at the opening quote; ends behind the closing one, which no backslash escapes. */
static bool skip_string(struct json_cursor *cursor)
{
    const char *open = cursor->text.at + cursor->at, *end = cursor->text.at + cursor->text.len;
    for (const char *at = open + 1; at < end; at++) {
        at = memchr(at, '"', (size_t)(end - at));
        if (at == NULL)
            return false;
        const char *slash = at;
        while (slash - 1 > open && slash[-1] == '\\')
            slash--;
        if ((at - slash) % 2 == 0) {
            cursor->at = (size_t)(at + 1 - cursor->text.at);
            return true;
        }
    }
    return false;
}

static bool skip_value(struct json_cursor *cursor)
{
    struct slice text = cursor->text;
    size_t depth = 0;
    while (cursor->at < text.len) {
        char c = text.at[cursor->at];
        if (c == '"') {
            if (!skip_string(cursor))
                return false;
            if (depth == 0)
                return true;
            continue;
        }
        bool is_close = c == '}' || c == ']';
        if (depth == 0 && (is_close || c == ',' || is_blank(c)))
            return true;
        cursor->at++;
        if (c == '{' || c == '[')
            depth++;
        else if (is_close && --depth == 0)
            return true;
    }
    return depth == 0;
}

/* Between two members or items stands a comma. */
static bool begin_next(struct json_cursor *cursor, char close)
{
    if (json_take(cursor, close))
        return false;
    cursor->is_bad = cursor->is_begun && !json_take(cursor, ',');
    cursor->is_begun = true;
    return !cursor->is_bad;
}

static bool take_value(struct json_cursor *cursor, struct slice *out)
{
    json_skip_blanks(cursor);
    size_t value = cursor->at;
    if (!skip_value(cursor) || cursor->at == value)
        return false;
    *out = (struct slice){ cursor->text.at + value, cursor->at - value };
    return true;
}

bool json_next_member(struct json_cursor *cursor, struct json_member *out)
{
    if (!begin_next(cursor, '}'))
        return false;
    cursor->is_bad = true;
    json_skip_blanks(cursor);
    size_t key = cursor->at;
    if (key >= cursor->text.len || cursor->text.at[key] != '"' || !skip_string(cursor))
        return false;
    out->key = (struct slice){ cursor->text.at + key + 1, cursor->at - key - 2 };
    if (!json_take(cursor, ':') || !take_value(cursor, &out->value))
        return false;
    cursor->is_bad = false;
    return true;
}

bool json_next_item(struct json_cursor *cursor, struct slice *out)
{
    if (!begin_next(cursor, ']'))
        return false;
    cursor->is_bad = !take_value(cursor, out);
    return !cursor->is_bad;
}

/* --- strings --------------------------------------------------------------------------------- */

static unsigned hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a') + 10 : 0;
}

static unsigned hex4(const char *at)
{
    return hex_value(at[0]) << 12 | hex_value(at[1]) << 8 | hex_value(at[2]) << 4 |
           hex_value(at[3]);
}

static size_t put_utf8(char *out, unsigned point)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

/* "\u0069" or a surrogate pair at raw[at]; returns how many bytes of raw it took. */
static size_t take_unicode(struct slice raw, size_t at, char *out, size_t *wrote)
{
    if (at + 6 > raw.len)
        return 1;
    unsigned point = hex4(raw.at + at + 2);
    size_t used = 6;
    if (point >= 0xd800 && point < 0xdc00 && at + 12 <= raw.len) {
        point = 0x10000 + ((point - 0xd800) << 10) + (hex4(raw.at + at + 8) - 0xdc00);
        used = 12;
    }
    *wrote = put_utf8(out, point);
    return used;
}

struct slice json_unescape(struct slice raw, struct arena *arena)
{
    if (raw.len == 0 || memchr(raw.at, '\\', raw.len) == NULL)
        return raw;
    char *out = arena_alloc_raw(arena, raw.len + 4); /* an escape is longer than what it means */
    size_t len = 0;
    for (size_t at = 0; out != NULL && at < raw.len;) {
        if (raw.at[at] != '\\' || at + 1 == raw.len) {
            out[len++] = raw.at[at++];
            continue;
        }
        static const char names[] = "bfnrt", meant[] = "\b\f\n\r\t";
        const char *named = memchr(names, raw.at[at + 1], sizeof names - 1);
        size_t wrote = 1;
        if (raw.at[at + 1] == 'u') {
            at += take_unicode(raw, at, out + len, &wrote);
        } else {
            out[len] = named != NULL ? meant[named - names] : raw.at[at + 1];
            at += 2;
        }
        len += wrote;
    }
    return out != NULL ? (struct slice){ out, len } : SLICE("");
}

bool json_key_is(struct slice key, const char *name)
{
    size_t at = 0;
    for (; *name != '\0'; name++) {
        if (at >= key.len)
            return false;
        unsigned c = (unsigned char)key.at[at++];
        if (c == '\\' && at + 5 <= key.len && key.at[at] == 'u') {
            c = hex4(key.at + at + 1);
            at += 5;
        }
        if (c != (unsigned char)*name)
            return false;
    }
    return at == key.len;
}

struct slice json_find_member(struct slice object, const char *key)
{
    struct json_cursor cursor = { .text = object };
    struct json_member member;
    if (!json_take(&cursor, '{'))
        return (struct slice){ NULL, 0 };
    while (json_next_member(&cursor, &member))
        if (json_key_is(member.key, key))
            return member.value;
    return (struct slice){ NULL, 0 };
}

struct slice json_value_text(struct slice value, struct arena *arena)
{
    if (value.len < 2 || value.at[0] != '"')
        return SLICE("");
    return json_unescape((struct slice){ value.at + 1, value.len - 2 }, arena);
}

/* --- sameness -------------------------------------------------------------------------------- */

/* A number as digits without leading or trailing zeros, times a power of ten. */
struct decimal {
    bool is_negative;
    const char *digits; /* in the arena */
    size_t count;
    int64_t exponent;
    bool is_vast; /* an exponent beyond what is counted with: only its own text is the same */
};

#define EXPONENT_MAX ((int64_t)1 << 53)

/* What stands behind an e; what is EXPONENT_MAX or more, either way, is EXPONENT_MAX. */
static int64_t exponent_of(struct slice text)
{
    bool is_negative = text.len > 0 && text.at[0] == '-';
    int64_t value = 0;
    for (size_t i = text.len > 0 && (is_negative || text.at[0] == '+'); i < text.len; i++) {
        value = value * 10 + (text.at[i] - '0');
        if (value >= EXPONENT_MAX)
            return is_negative ? -EXPONENT_MAX : EXPONENT_MAX;
    }
    return is_negative ? -value : value;
}

static struct decimal decimal_of(struct slice text, struct arena *arena)
{
    struct decimal out = { .is_negative = text.len > 0 && text.at[0] == '-' };
    char *digits = arena_alloc_raw(arena, text.len + 1);
    bool is_behind_point = false;
    for (size_t i = out.is_negative; digits != NULL && i < text.len; i++) {
        char c = text.at[i];
        if (c == '.') {
            is_behind_point = true;
        } else if (c == 'e' || c == 'E') {
            int64_t written = exponent_of((struct slice){ text.at + i + 1, text.len - i - 1 });
            out.is_vast = written == EXPONENT_MAX || written == -EXPONENT_MAX;
            out.exponent += written;
            break;
        } else {
            out.exponent -= is_behind_point;
            if (out.count > 0 || c != '0')
                digits[out.count++] = c;
        }
    }
    for (; out.count > 0 && digits[out.count - 1] == '0'; out.count--)
        out.exponent++;
    if (out.count == 0)
        return (struct decimal){ .digits = "" };
    out.digits = digits;
    return out;
}

static bool is_same_number(struct slice a, struct slice b, struct arena *arena)
{
    struct decimal x = decimal_of(a, arena), y = decimal_of(b, arena);
    if (x.is_vast || y.is_vast)
        return slice_eq(a, b);
    return x.is_negative == y.is_negative && x.exponent == y.exponent && x.count == y.count &&
           memcmp(x.digits, y.digits, x.count) == 0;
}

static struct slice inner(struct slice quoted)
{
    return (struct slice){ quoted.at + 1, quoted.len - 2 };
}

static bool has_same_member(struct slice object, const struct json_member *wanted,
                            struct arena *arena)
{
    struct json_cursor cursor = { .text = object, .at = 1 };
    struct json_member member;
    struct slice key = json_unescape(wanted->key, arena);
    while (json_next_member(&cursor, &member))
        if (slice_eq(json_unescape(member.key, arena), key))
            return json_is_same(member.value, wanted->value, arena);
    return false;
}

static bool is_same_object(struct slice a, struct slice b, struct arena *arena)
{
    struct json_cursor left = { .text = a, .at = 1 }, right = { .text = b, .at = 1 };
    struct json_member member, other;
    size_t count = 0, others = 0;
    for (; json_next_member(&left, &member); count++)
        if (!has_same_member(b, &member, arena))
            return false;
    for (; json_next_member(&right, &other); others++)
        continue;
    return count == others;
}

static bool is_same_array(struct slice a, struct slice b, struct arena *arena)
{
    struct json_cursor left = { .text = a, .at = 1 }, right = { .text = b, .at = 1 };
    struct slice item, other;
    for (;;) {
        bool has_item = json_next_item(&left, &item);
        if (has_item != json_next_item(&right, &other))
            return false;
        if (!has_item)
            return true;
        if (!json_is_same(item, other, arena))
            return false;
    }
}

bool json_is_same(struct slice a, struct slice b, struct arena *arena)
{
    if (a.len == 0 || b.len == 0)
        return a.len == b.len;
    char kind = a.at[0];
    bool is_number = kind == '-' || (kind >= '0' && kind <= '9');
    if (is_number)
        return (b.at[0] == '-' || (b.at[0] >= '0' && b.at[0] <= '9')) &&
               is_same_number(a, b, arena);
    if (kind != b.at[0])
        return false;
    if (kind == '"')
        return slice_eq(json_unescape(inner(a), arena), json_unescape(inner(b), arena));
    if (kind == '{')
        return is_same_object(a, b, arena);
    return kind == '[' ? is_same_array(a, b, arena) : slice_eq(a, b);
}

/* --- for people ------------------------------------------------------------------------------ */

static void new_line(struct buffer *out, size_t depth)
{
    buffer_add_char(out, '\n');
    for (size_t i = 0; i < depth; i++)
        buffer_add(out, SLICE("  "));
}

void json_indent(struct slice text, struct buffer *out)
{
    struct json_cursor cursor = { .text = text };
    size_t depth = 0;
    while (json_skip_blanks(&cursor), cursor.at < text.len) {
        size_t start = cursor.at;
        char c = text.at[start];
        if (c == '"' && skip_string(&cursor)) {
            buffer_add(out, (struct slice){ text.at + start, cursor.at - start });
            continue;
        }
        cursor.at = start + 1;
        struct json_cursor ahead = cursor;
        bool is_empty =
            (c == '{' && json_take(&ahead, '}')) || (c == '[' && json_take(&ahead, ']'));
        if (is_empty) {
            buffer_add(out, c == '{' ? SLICE("{}") : SLICE("[]"));
            cursor = ahead;
            continue;
        }
        if (c == '}' || c == ']')
            new_line(out, --depth);
        buffer_add_char(out, c);
        if (c == '{' || c == '[')
            new_line(out, ++depth);
        else if (c == ',')
            new_line(out, depth);
        else if (c == ':')
            buffer_add_char(out, ' ');
    }
    buffer_add_char(out, '\n');
}
