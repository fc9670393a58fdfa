#include "base/json.h"

#include <stdio.h>

void json_writer_init(struct json_writer *writer, struct buffer *out, bool is_pretty)
{
    *writer = (struct json_writer){ .out = out, .is_pretty = is_pretty };
}

static void new_line(struct json_writer *writer)
{
    buffer_add_char(writer->out, '\n');
    for (unsigned i = 0; i < writer->depth; i++)
        buffer_add(writer->out, SLICE("  "));
}

/* What comes before a key, or before a value that has none. */
static void separate(struct json_writer *writer)
{
    if (writer->after_key) {
        writer->after_key = false;
        return;
    }
    if (writer->depth == 0)
        return;
    bool *needs_comma = &writer->needs_comma[writer->depth - 1];
    if (*needs_comma)
        buffer_add_char(writer->out, ',');
    *needs_comma = true;
    if (writer->is_pretty)
        new_line(writer);
}

static void container_open(struct json_writer *writer, char bracket)
{
    CHECK(writer->depth < JSON_DEPTH_MAX);
    separate(writer);
    buffer_add_char(writer->out, bracket);
    writer->needs_comma[writer->depth++] = false;
}

static void container_close(struct json_writer *writer, char bracket)
{
    CHECK(writer->depth > 0);
    CHECK(!writer->after_key);
    bool has_content = writer->needs_comma[--writer->depth];
    if (writer->is_pretty && has_content)
        new_line(writer);
    buffer_add_char(writer->out, bracket);
}

void json_object(struct json_writer *writer) { container_open(writer, '{'); }
void json_object_end(struct json_writer *writer) { container_close(writer, '}'); }
void json_array(struct json_writer *writer) { container_open(writer, '['); }
void json_array_end(struct json_writer *writer) { container_close(writer, ']'); }

static void add_escape(struct buffer *out, unsigned char c)
{
    switch (c) {
    case '"':
        buffer_add(out, SLICE("\\\""));
        break;
    case '\\':
        buffer_add(out, SLICE("\\\\"));
        break;
    case '\n':
        buffer_add(out, SLICE("\\n"));
        break;
    case '\r':
        buffer_add(out, SLICE("\\r"));
        break;
    case '\t':
        buffer_add(out, SLICE("\\t"));
        break;
    default:
        buffer_format(out, "\\u%04x", (unsigned)c);
        break;
    }
}

static bool is_plain(unsigned char c) { return c >= 0x20 && c != '"' && c != '\\'; }

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define HIGH_BITS UINT64_C(0x8080808080808080)

/* Of eight characters, not 0 when one of them needs an escape.  In each byte the high bit is the
 * usual test for a value below a bound: a control character, or a quotation mark or a backslash
 * that was made zero first.  A borrow can mark a byte wrongly, but only beside one that is marked
 * rightly. */
static inline uint64_t special_of(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t quote = word ^ EACH_BYTE * '"', backslash = word ^ EACH_BYTE * '\\';
    return (((word - EACH_BYTE * 0x20) & ~word) | ((quote - EACH_BYTE) & ~quote) |
            ((backslash - EACH_BYTE) & ~backslash)) &
           HIGH_BITS;
}

/* How many characters from the start need no escape. */
static inline size_t plain_run(struct slice text)
{
    size_t i = 0;
    for (; i + 8 <= text.len && special_of(text.at + i) == 0; i += 8)
        continue;
    if (i > 0 && i + 8 > text.len && special_of(text.at + text.len - 8) == 0)
        return text.len; /* the rest, looked at together with what comes before it */
    while (i < text.len && is_plain((unsigned char)text.at[i]))
        i++;
    return i;
}

static void add_escaped(struct buffer *out, struct slice text, size_t plain)
{
    buffer_add_char(out, '"');
    for (;;) {
        buffer_add(out, (struct slice){ text.at, plain });
        text = slice_skip(text, plain);
        if (text.len == 0)
            break;
        add_escape(out, (unsigned char)text.at[0]);
        text = slice_skip(text, 1);
        plain = plain_run(text);
    }
    buffer_add_char(out, '"');
}

static inline void add_quoted(struct buffer *out, struct slice text)
{
    size_t plain = plain_run(text);
    char *room = plain == text.len ? buffer_room(out, text.len + 2) : NULL;
    if (room == NULL) {
        add_escaped(out, text, plain);
        return;
    }
    room[0] = '"';
    if (text.len > 0)
        memcpy(room + 1, text.at, text.len);
    room[text.len + 1] = '"';
    out->len += text.len + 2;
}

void json_key(struct json_writer *writer, const char *key)
{
    CHECK(!writer->after_key);
    separate(writer);
    add_quoted(writer->out, slice_of(key));
    if (writer->is_pretty)
        buffer_add(writer->out, SLICE(": "));
    else
        buffer_add_char(writer->out, ':');
    writer->after_key = true;
}

void json_string(struct json_writer *writer, struct slice text)
{
    separate(writer);
    add_quoted(writer->out, text);
}

void json_text(struct json_writer *writer, const char *text)
{
    json_string(writer, slice_of(text));
}

void json_raw(struct json_writer *writer, struct slice json)
{
    separate(writer);
    buffer_add(writer->out, json);
}

void json_integer(struct json_writer *writer, int64_t number)
{
    char digits[24];
    size_t first = sizeof digits;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do
        digits[--first] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (number < 0)
        digits[--first] = '-';
    json_raw(writer, (struct slice){ digits + first, sizeof digits - first });
}

void json_bool(struct json_writer *writer, bool value)
{
    json_raw(writer, value ? SLICE("true") : SLICE("false"));
}

void json_null(struct json_writer *writer) { json_raw(writer, SLICE("null")); }

void json_put(struct json_writer *writer, const char *key, struct slice text)
{
    json_key(writer, key);
    json_string(writer, text);
}

void json_put_text(struct json_writer *writer, const char *key, const char *text)
{
    json_put(writer, key, slice_of(text));
}

void json_put_integer(struct json_writer *writer, const char *key, int64_t number)
{
    json_key(writer, key);
    json_integer(writer, number);
}

void json_put_bool(struct json_writer *writer, const char *key, bool value)
{
    json_key(writer, key);
    json_bool(writer, value);
}
