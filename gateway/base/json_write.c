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

static void add_quoted(struct buffer *out, struct slice text)
{
    buffer_add_char(out, '"');
    size_t plain = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buffer_add(out, (struct slice){ text.at + plain, i - plain });
        add_escape(out, c);
        plain = i + 1;
    }
    buffer_add(out, slice_skip(text, plain));
    buffer_add_char(out, '"');
}

void json_key(struct json_writer *writer, const char *key)
{
    CHECK(!writer->after_key);
    separate(writer);
    add_quoted(writer->out, slice_of(key));
    buffer_add(writer->out, writer->is_pretty ? SLICE(": ") : SLICE(":"));
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
    char text[24];
    int len = snprintf(text, sizeof text, "%lld", (long long)number);
    json_raw(writer, (struct slice){ text, (size_t)len });
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
