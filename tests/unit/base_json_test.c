/* What the JSON reader accepts, refuses and says; and what the writer writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"

/* --- reading: every event in one line of text ------------------------------------------------ */

struct log {
    char buffer[16384];
    struct text text;
    const char *root_at; /* path at which json_root() is called */
    const char *fail_at; /* path at which the callback refuses */
};

static const char *const marked[] = {
    "", "a", "a[]", "a[].b", "a.b", "b[][]", "abcdefghijklmnopq"
};
static struct json_paths paths;
static struct json_step *marked_paths;

/* A path of the set is known by its number, and nothing else is. */
static void log_mark(struct log *log, const struct json_reader *reader, struct slice path)
{
    unsigned expected = COUNT_OF(marked);
    while (expected > 0 && !slice_is(path, marked[expected - 1]))
        expected--;
    if (json_mark(reader) != expected)
        text_add(&log->text, "MARK %u ", json_mark(reader));
}

static bool log_value(void *ctx, struct json_reader *reader, enum json_kind kind, struct slice text)
{
    struct log *log = ctx;
    struct slice path = json_path(reader);
    text_add(&log->text, "%.*s=%s%.*s%s ", SLICE_ARGS(path), kind == JSON_STRING ? "'" : "",
             SLICE_ARGS(text), kind == JSON_STRING ? "'" : "");
    log_mark(log, reader, path);
    if (log->fail_at != NULL && slice_is(path, log->fail_at))
        return json_fail(reader, ERR_VALUE, "refused at depth %u", json_depth(reader));
    return true;
}

static bool log_open(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct log *log = ctx;
    struct slice path = json_path(reader);
    text_add(&log->text, "%.*s%c ", SLICE_ARGS(path), kind == JSON_OBJECT ? '{' : '[');
    log_mark(log, reader, path);
    if (log->root_at != NULL && slice_is(path, log->root_at))
        json_root(reader, marked_paths);
    return true;
}

static bool log_close(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct log *log = ctx;
    struct slice path = json_path(reader);
    text_add(&log->text, "%.*s%c%u ", SLICE_ARGS(path), kind == JSON_OBJECT ? '}' : ']',
             json_members(reader));
    log_mark(log, reader, path);
    return true;
}

static const struct json_events log_events = { log_value, log_open, log_close };

static void read_into(struct slice text, const struct json_options *options, struct log *log)
{
    struct arena arena;
    struct err err;
    arena_init(&arena, 1 << 20);
    log->text = TEXT(log->buffer);
    log->buffer[0] = '\0';
    struct json_options with_paths = { .depth_max = 0 };
    if (options != NULL)
        with_paths = *options;
    with_paths.paths = marked_paths;
    if (!json_read(text, &with_paths, &log_events, log, &arena, &err))
        text_add(&log->text, "! %s @%s: %s", err_name(err.code), err.where, err.what);
    arena_fini(&arena);
}

/* --- tables ---------------------------------------------------------------------------------- */

static const struct reading {
    const char *name, *text, *events;
} readings[] = {
    { "an empty object", "{}", "{ }0 " },
    { "an empty array", "[]", "[ ]0 " },
    { "all kinds of values", "{\"a\":1,\"b\":\"x\",\"c\":true,\"d\":null}",
      "{ a=1 b='x' c=true d=null }4 " },
    { "objects in an array", "{\"a\":[{\"b\":1},{\"b\":2}]}",
      "{ a[ a[]{ a[].b=1 a[]}1 a[]{ a[].b=2 a[]}1 a]2 }1 " },
    { "arrays in an array", "[[1],[2,3]]", "[ [][ [][]=1 []]1 [][ [][]=2 [][]=3 []]2 ]2 " },
    { "numbers keep their text", "[1.10,-0,1.1E+2]", "[ []=1.10 []=-0 []=1.1E+2 ]3 " },
    { "a scalar document", "12", "=12 " },
    { "escapes are resolved", "[\"\\u00e9\\n\\/\\ud83d\\ude00\"]",
      "[ []='\xc3\xa9\n/\xf0\x9f\x98\x80' ]1 " },
    { "a byte-order mark is skipped", "\xef\xbb\xbf{\"a\":1}", "{ a=1 }1 " },
    { "CRLF and tabs are blanks", "\r\n{\t\"a\" :\r\n1 }\r\n", "{ a=1 }1 " },
    { "the same key in two objects", "{\"a\":{\"x\":1},\"b\":{\"x\":1}}",
      "{ a{ a.x=1 a}1 b{ b.x=1 b}1 }2 " },
    { "the same key in an outer and an inner object", "{\"x\":{\"x\":{\"x\":1}}}",
      "{ x{ x.x{ x.x.x=1 x.x}1 x}1 }1 " },
    { "a four-byte character", "[\"\xf0\x9f\x98\x80\"]", "[ []='\xf0\x9f\x98\x80' ]1 " },
    { "the last code point", "[\"\xf4\x8f\xbf\xbf\"]", "[ []='\xf4\x8f\xbf\xbf' ]1 " },
    { "the character behind the surrogates", "[\"\xee\x80\x80\"]", "[ []='\xee\x80\x80' ]1 " },
    { "keys of several lengths, the empty one on a path of its own",
      "{\"\":1,\"ab\":2,\"abcd\":3,\"abcdefgh\":4,\"abcdefghijklmnopq\":5}",
      "{ =1 MARK 0 ab=2 abcd=3 abcdefgh=4 abcdefghijklmnopq=5 }5 " },
};

static const struct reading refusals[] = {
    { "nothing at all", "", "! STRUCTURE @R: line 1, column 1: expected a JSON document" },
    { "only blanks", " \n ", "! STRUCTURE @R: line 2, column 2: expected a JSON document" },
    { "a word", "hello", "! STRUCTURE @R: line 1, column 1: expected a value" },
    { "NaN", "[NaN]", "[ ! STRUCTURE @R[0]: line 1, column 2: expected a value or ']'" },
    { "text behind the document", "{} x",
      "{ }0 ! STRUCTURE @R: line 1, column 4: expected nothing more behind the document" },
    { "a string that begins behind the document", "{} \"x",
      "{ }0 ! STRUCTURE @R: line 1, column 4: expected nothing more behind the document" },
    { "a word that begins behind the document", "[]\nt",
      "[ ]0 ! STRUCTURE @R: line 2, column 1: expected nothing more behind the document" },
    { "a string behind a scalar document", "\"a\"\"b",
      "='a' ! STRUCTURE @R: line 1, column 4: expected nothing more behind the document" },
    { "two documents", "{}{}",
      "{ }0 ! STRUCTURE @R: line 1, column 3: expected nothing more behind the document" },
    { "a trailing comma in an object", "{\"a\":1,}",
      "{ a=1 ! STRUCTURE @R.a: line 1, column 8: expected a key in double quotes" },
    { "a trailing comma in an array", "[1,\n]",
      "[ []=1 ! STRUCTURE @R[1]: line 2, column 1: expected a value" },
    { "a missing comma", "{\"a\":1 \"b\":2}",
      "{ a=1 ! STRUCTURE @R.a: line 1, column 8: expected ',' or '}'" },
    { "a missing colon", "{\"a\" 1}",
      "{ ! STRUCTURE @R.a: line 1, column 6: expected ':' behind the key" },
    { "a key without quotes", "{a:1}",
      "{ ! STRUCTURE @R: line 1, column 2: expected a key in double quotes or '}'" },
    { "single quotes", "{'a':1}",
      "{ ! STRUCTURE @R: line 1, column 2: expected a key in double quotes or '}'" },
    { "the wrong bracket", "{\"a\":[1}}",
      "{ a[ a[]=1 ! STRUCTURE @R.a[1]: line 1, column 8: expected ',' or ']'" },
    { "an open object", "{\"a\":1",
      "{ a=1 ! STRUCTURE @R.a: line 1, column 7: the document ends before its last bracket is "
      "closed" },
    { "an open string", "{\"a\":\"xyz",
      "{ ! STRUCTURE @R.a: line 1, column 6: the string that starts here is not closed" },
    { "a line break in a string", "[\"a\nb\"]",
      "[ ! STRUCTURE @R[0]: line 1, column 4: control characters must be escaped in a string" },
    { "a tab in a string", "[\"a\tb\"]",
      "[ ! STRUCTURE @R[0]: line 1, column 4: control characters must be escaped in a string" },
    { "an unknown escape", "[\"\\x41\"]",
      "[ ! STRUCTURE @R[0]: line 1, column 3: unknown escape in a string" },
    { "a short unicode escape", "[\"\\u12\"]",
      "[ ! STRUCTURE @R[0]: line 1, column 3: expected four hexadecimal digits behind \\u" },
    { "a leading zero", "[01]",
      "[ []=0 ! STRUCTURE @R[1]: line 1, column 2: a number does not start with a zero and another "
      "digit" },
    { "a point without digits", "[1.]", "[ ! STRUCTURE @R[0]: line 1, column 4: expected a digit" },
    { "a plus sign", "[+1]", "[ ! STRUCTURE @R[0]: line 1, column 2: expected a value or ']'" },
    { "an exponent without digits", "[1e]",
      "[ ! STRUCTURE @R[0]: line 1, column 4: expected a digit" },
    { "columns count characters", "[\"\xc3\xa9\" x]",
      "[ []='\xc3\xa9' ! STRUCTURE @R[1]: line 1, column 6: expected ',' or ']'" },
    { "a comment where none is allowed", "[1] // x",
      "[ []=1 ]1 ! STRUCTURE @R: line 1, column 5: expected nothing more behind the document" },
    { "the same key twice", "{\"a\":1,\"b\":2,\"a\":3}",
      "{ a=1 b=2 ! STRUCTURE @R.a: the same key twice in one object" },
    { "the same key twice, once escaped", "{\"ab\":1,\"\\u0061b\":3}",
      "{ ab=1 ! STRUCTURE @R.ab: the same key twice in one object" },
    { "the same key twice, deep inside", "{\"a\":[{},{\"k\":1,\"k\":1}]}",
      "{ a[ a[]{ a[]}0 a[]{ a[].k=1 ! STRUCTURE @R.a[1].k: the same key twice in one object" },
    { "a form feed is no blank", "{\"a\"\f:1}",
      "! STRUCTURE @R: line 1, column 5: a control character is not allowed" },
    { "a vertical tab is no blank", "[\v]",
      "! STRUCTURE @R: line 1, column 2: a control character is not allowed" },
    { "an overlong form", "[\"\xc0\xaf\"]",
      "! STRUCTURE @R: line 1, column 3: the text is not valid UTF-8" },
    { "an overlong form of three bytes", "[\"\xe0\x80\xaf\"]",
      "! STRUCTURE @R: line 1, column 3: the text is not valid UTF-8" },
    { "a surrogate in UTF-8", "[\"\xed\xa0\x80\"]",
      "! STRUCTURE @R: line 1, column 3: the text is not valid UTF-8" },
    { "past the last code point", "[\"\xf4\x90\x80\x80\"]",
      "! STRUCTURE @R: line 1, column 3: the text is not valid UTF-8" },
    { "Latin-1", "[\"caf\xe9\"]", "! STRUCTURE @R: line 1, column 6: the text is not valid UTF-8" },
    { "a cut character", "[\"\xe2\x82\"]",
      "! STRUCTURE @R: line 1, column 3: the text is not valid UTF-8" },
    { "UTF-16", "\xff\xfe{", "! STRUCTURE @R: line 1, column 1: the text is not valid UTF-8" },
    { "an escaped NUL", "[\"a\\u0000\"]",
      "! STRUCTURE @R: line 1, column 4: the escape \\u0000 is not allowed" },
    { "a lone high surrogate", "[\"\\ud800\"]",
      "! STRUCTURE @R: line 1, column 3: an escape is half of a surrogate pair" },
    { "a lone low surrogate", "[\"\\udc00\"]",
      "! STRUCTURE @R: line 1, column 3: an escape is half of a surrogate pair" },
    { "two high surrogates", "[\"\\ud800\\ud800\"]",
      "! STRUCTURE @R: line 1, column 3: an escape is half of a surrogate pair" },
    { "a key that could name somebody is not shown", "{\"J\xc3\xb6rg (born 1960)\":1,}",
      "{ J\xc3\xb6rg (born 1960)=1 ! STRUCTURE @R.J??rg??born?1960?: line 1, column 23: expected a "
      "key "
      "in "
      "double quotes" },
    { "an opened comment", "/* {}", "! STRUCTURE @R: line 1, column 1: expected a value" },
};

static void reads_as(void **state)
{
    const struct reading *row = *state;
    struct log log = { .root_at = NULL };
    read_into(slice_of(row->text), NULL, &log);
    assert_string_equal(log.buffer, row->events);
}

static void is_refused_as(void **state)
{
    const struct reading *row = *state;
    struct log log = { .root_at = NULL };
    struct json_options options = { .root = "R" };
    read_into(slice_of(row->text), &options, &log);
    assert_string_equal(log.buffer, row->events);
}

/* --- what a table row cannot say ------------------------------------------------------------- */

static void a_nul_byte_is_refused(void **state)
{
    (void)state;
    struct log log = { .root_at = NULL };
    read_into(SLICE("[\"a\0b\"]"), NULL, &log);
    assert_string_equal(log.buffer, "! STRUCTURE @: line 1, column 4: a NUL byte is not allowed");
}

static void special_bytes_are_found_at_every_position(void **state)
{
    (void)state;
    static const struct {
        char byte;
        const char *what;
    } specials[] = {
        { '\xff', "the text is not valid UTF-8" },
        { '\0', "a NUL byte is not allowed" },
        { '\f', "a control character is not allowed" },
        { '\x1f', "control characters must be escaped in a string" },
        { '\\', "unknown escape in a string" },
    };
    for (size_t at = 0; at < 150 * COUNT_OF(specials); at++) {
        char text[160], expected[120];
        size_t column = at / COUNT_OF(specials) + 2;
        memset(text, 'x', sizeof text);
        text[0] = text[155] = '"';
        text[column - 1] = specials[at % COUNT_OF(specials)].byte;
        struct log log = { .root_at = NULL };
        read_into((struct slice){ text, 156 }, NULL, &log);
        snprintf(expected, sizeof expected, "! STRUCTURE @: line 1, column %zu: %s", column,
                 specials[at % COUNT_OF(specials)].what);
        assert_string_equal(log.buffer, expected);
    }
}

static void depth_has_a_limit(void **state)
{
    (void)state;
    char text[2 * JSON_DEPTH_MAX + 4];
    size_t max = JSON_DEPTH_MAX;
    memset(text, '[', max);
    memset(text + max, ']', max);
    struct log log = { .root_at = NULL };
    read_into((struct slice){ text, 2 * max }, NULL, &log);
    assert_null(strchr(log.buffer, '!'));
    memset(text, '[', max + 1);
    memset(text + max + 1, ']', max + 1);
    read_into((struct slice){ text, 2 * max + 2 }, NULL, &log);
    assert_non_null(strstr(log.buffer, "! TOO_LARGE"));
    assert_non_null(strstr(log.buffer, ": nested more than 64 levels deep"));
}

static void options_set_lower_limits(void **state)
{
    (void)state;
    struct log log = { .root_at = NULL };
    read_into(SLICE("[[[1]]]"), &(struct json_options){ .depth_max = 2, .root = "R" }, &log);
    assert_string_equal(log.buffer, "[ [][ ! TOO_LARGE @R[0][0]: nested more than 2 levels deep");
    read_into(SLICE("[\"abc\",\"abcd\"]"), &(struct json_options){ .string_max = 3 }, &log);
    assert_string_equal(log.buffer, "[ []='abc' ! TOO_LARGE @[1]: a string is longer than 3 bytes");
}

static void comments_are_allowed_in_configuration(void **state)
{
    (void)state;
    struct json_options options = { .allow_comments = true };
    struct log log = { .root_at = NULL };
    read_into(SLICE("// C:\\users\n{ /* a\nb */ \"a\": \"// not one /* \\\" */\" }\n// end"),
              &options, &log);
    assert_string_equal(log.buffer, "{ a='// not one /* \" */' }1 ");
    read_into(SLICE("/* one\ntwo */ {\n  \"a\": x }"), &options, &log);
    assert_string_equal(log.buffer, "{ ! STRUCTURE @a: line 3, column 8: expected a value");
    read_into(SLICE("{} /* open"), &options, &log);
    assert_string_equal(
        log.buffer,
        "{ }0 ! STRUCTURE @: line 1, column 4: expected nothing more behind the document");
}

static void a_root_makes_paths_relative(void **state)
{
    (void)state;
    struct log log = { .root_at = "entry[].resource", .fail_at = "status" };
    read_into(
        SLICE("{\"entry\":[{\"resource\":{\"id\":\"a\"},\"x\":1},{\"resource\":{\"c\":[{\"d\":1}],"
              "\"status\":1}}]}"),
        &(struct json_options){ .root = "Bundle" }, &log);
    assert_string_equal(log.buffer,
                        "{ entry[ entry[]{ entry[].resource{ id='a' }1 entry[].x=1 entry[]}2 "
                        "entry[]{ entry[].resource{ c[ c[]{ c[].d=1 c[]}1 c]1 status=1 "
                        "! VALUE @Bundle.entry[1].resource.status: refused at depth 4");
}

static bool no_value(void *ctx, struct json_reader *reader, enum json_kind kind, struct slice text)
{
    (void)kind, (void)text;
    unsigned *seen = ctx;
    if (slice_is(json_path(reader), "a[].b[]"))
        *seen = json_index(reader, 0) * 100 + json_index(reader, 1) * 10 + json_index(reader, 2);
    return true;
}

static bool note_offset(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    (void)ctx;
    size_t offset = json_offset(reader);
    if (slice_is(json_path(reader), "a[].b") && kind == JSON_ARRAY)
        assert_true(offset == 15 || offset == 19 || offset == 29 || offset == 35);
    return true;
}

static void indices_and_offsets_are_known(void **state)
{
    (void)state;
    unsigned seen = 0;
    struct err err;
    struct arena arena;
    const struct json_events events = { no_value, note_offset, note_offset };
    arena_init(&arena, 4096);
    struct slice text = SLICE("\xef\xbb\xbf{\"a\":[{\"b\":[7,8]},  {\"b\":[7,8,9]} ]}");
    assert_true(json_read(text, NULL, &events, &seen, &arena, &err));
    assert_int_equal(seen, 210);
    arena_fini(&arena);
}

static void many_keys_are_kept_apart(void **state)
{
    (void)state;
    char text[JSON_KEYS_MAX * 16];
    struct log *log = test_calloc(1, sizeof *log);
    struct text out = TEXT(text);
    for (unsigned i = 0; i < JSON_KEYS_MAX; i++)
        text_add(&out, "%s\"k%u\":0", i == 0 ? "{" : ",", i);
    size_t len = out.used;
    text_add(&out, "}");
    read_into(text_slice(&out), NULL, log);
    assert_null(strchr(log->buffer, '!'));

    struct err err = { .code = ERR_OK };
    struct arena arena;
    arena_init(&arena, 1 << 20);
    text[len] = ',';
    memcpy(text + len + 1, "\"k0\":0}", 8);
    assert_false(json_read(slice_of(text), NULL, &log_events, log, &arena, &err));
    assert_int_equal(err.code, ERR_STRUCTURE);
    memcpy(text + len + 1, "\"kk\":0}", 8);
    assert_false(json_read(slice_of(text), NULL, &log_events, log, &arena, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    arena_reset(&arena);
    arena_init(&arena, 100); /* too small for the keys */
    assert_false(json_read(slice_of(text), NULL, &log_events, log, &arena, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    arena_fini(&arena);
    test_free(log);
}

static void a_very_long_key_is_refused(void **state)
{
    (void)state;
    char text[700];
    struct log log = { .root_at = NULL };
    memset(text, 'k', sizeof text);
    memcpy(text, "{\"", 2);
    memcpy(text + 600, "\":1}", 4);
    read_into((struct slice){ text, 604 }, NULL, &log);
    assert_string_equal(log.buffer, "{ ! TOO_LARGE @: a key or its path is too long");
}

static void hostile_keys_do_not_pass_for_paths(void **state)
{
    (void)state;
    struct log log = { .root_at = NULL };
    read_into(SLICE("{\"a.b\":1}"), NULL, &log);
    assert_string_equal(log.buffer, "{ a.b=1 MARK 0 }1 ");
}

/* --- writer ---------------------------------------------------------------------------------- */

static void write_sample(struct json_writer *writer)
{
    json_object(writer);
    json_put_text(writer, "text", "a\"b\\c\n\x01\xc3\xa9");
    json_put_integer(writer, "number", -5);
    json_put_bool(writer, "yes", true);
    json_key(writer, "list");
    json_array(writer);
    json_integer(writer, 1);
    json_null(writer);
    json_raw(writer, SLICE("{\"x\":1.50}"));
    json_array_end(writer);
    json_key(writer, "none");
    json_object(writer);
    json_object_end(writer);
    json_object_end(writer);
}

static void integers_are_written_to_their_ends(void **state)
{
    (void)state;
    static const int64_t numbers[] = { 0, 9, 10, -1, INT64_MAX, INT64_MIN };
    struct buffer out;
    struct json_writer writer;
    buffer_init(&out, 4096);
    json_writer_init(&writer, &out, false);
    json_array(&writer);
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        json_integer(&writer, numbers[i]);
    json_array_end(&writer);
    buffer_add_char(&out, '\0');
    assert_string_equal(out.at, "[0,9,10,-1,9223372036854775807,-9223372036854775808]");
    buffer_fini(&out);
}

static void the_writer_is_compact_or_indented(void **state)
{
    (void)state;
    struct buffer out;
    struct json_writer writer;
    buffer_init(&out, 4096);
    json_writer_init(&writer, &out, false);
    write_sample(&writer);
    buffer_add_char(&out, '\0');
    assert_string_equal(out.at,
                        "{\"text\":\"a\\\"b\\\\c\\n\\u0001\xc3\xa9\",\"number\":-5,\"yes\":true,"
                        "\"list\":[1,null,{\"x\":1.50}],\"none\":{}}");
    buffer_reset(&out);
    json_writer_init(&writer, &out, true);
    write_sample(&writer);
    buffer_add_char(&out, '\0');
    assert_string_equal(
        out.at, "{\n  \"text\": \"a\\\"b\\\\c\\n\\u0001\xc3\xa9\",\n  \"number\": -5,\n"
                "  \"yes\": true,\n  \"list\": [\n    1,\n    null,\n    {\"x\":1.50}\n  ],\n"
                "  \"none\": {}\n}");
    buffer_fini(&out);
}

static size_t escape_one_by_one(const unsigned char *text, size_t len, char *out)
{
    static const char shorts[] = "\"\"\\\\\nn\rr\tt";
    size_t used = 0;
    out[used++] = '"';
    for (size_t i = 0; i < len; i++) {
        const char *kind = text[i] != '\0' ? shorts : "";
        while (*kind != '\0' && (unsigned char)*kind != text[i])
            kind += 2;
        if (*kind != '\0')
            used += (size_t)snprintf(out + used, 8, "\\%c", kind[1]);
        else if (text[i] < 0x20)
            used += (size_t)snprintf(out + used, 8, "\\u%04x", text[i]);
        else
            out[used++] = (char)text[i];
    }
    out[used++] = '"';
    return used;
}

/* The writer looks at eight characters at a time: each one, everywhere, beside each other kind. */
static void every_character_is_escaped_everywhere(void **state)
{
    (void)state;
    static const unsigned char beside[] = { 'x', '"', '\\', 0x00, 0x1f, 0x20, 0x7f, 0x80, 0xff };
    struct buffer out;
    struct json_writer writer;
    buffer_init(&out, 4096);
    for (size_t len = 1; len <= 25; len++)
        for (size_t at = 0; at < len; at++)
            for (unsigned i = 0; i < 256 * COUNT_OF(beside); i++) {
                unsigned char text[25];
                char expected[25 * 6 + 2];
                memset(text, 'x', sizeof text);
                text[(at + 1) % len] = beside[i / 256];
                text[at] = (unsigned char)i;
                size_t wanted = escape_one_by_one(text, len, expected);
                buffer_reset(&out);
                json_writer_init(&writer, &out, false);
                json_string(&writer, (struct slice){ (const char *)text, len });
                assert_int_equal(out.len, wanted);
                assert_memory_equal(out.at, expected, wanted);
            }
    buffer_fini(&out);
}

static void escaped_keys_lead_where_plain_ones_do(void **state)
{
    (void)state;
    struct log log = { .fail_at = "a[].b" };
    read_into(SLICE("{\"\\u0061\":[0,{\"c\":{\"\\u0064\":1},\"\\u0062\":2}]}"), NULL, &log);
    assert_string_equal(log.buffer, "{ a[ a[]=0 a[]{ a[].c{ a[].c.d=1 a[].c}1 a[].b=2 "
                                    "! VALUE @a[1].b: refused at depth 3");
}

/* "member/element" of each value and container; '-' for an item. */
static bool log_names(struct log *log, const struct json_reader *reader)
{
    struct slice key = json_member_key(reader), element = json_element(reader);
    text_add(&log->text, "%.*s/%.*s%s ", SLICE_ARGS(key), SLICE_ARGS(element),
             json_is_item(reader) ? "-" : "");
    return true;
}

static bool name_value(void *ctx, struct json_reader *reader, enum json_kind kind,
                       struct slice text)
{
    (void)kind, (void)text;
    return log_names(ctx, reader);
}

static bool name_bracket(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    (void)kind;
    return log_names(ctx, reader);
}

static void members_and_elements_have_names(void **state)
{
    (void)state;
    static const struct json_events events = { name_value, name_bracket, name_bracket };
    struct log log = { .root_at = NULL };
    struct err err;
    log.text = TEXT(log.buffer);
    assert_true(json_read(SLICE("{\"a\":1,\"b\":[2,{\"c\":3},[4]],\"d\":{}}"), NULL, &events, &log,
                          NULL, &err));
    assert_string_equal(log.buffer, "/ a/a b/b /b- /b- c/c /b- /b- /- /b- b/b d/d d/d / ");
    log.text = TEXT(log.buffer);
    assert_true(json_read(SLICE("5"), NULL, &events, &log, NULL, &err));
    assert_string_equal(log.buffer, "/ ");
}

int main(void)
{
    marked_paths = json_paths_root(&paths);
    for (unsigned i = 0; i < COUNT_OF(marked); i++)
        json_paths_add(&paths, marked_paths, marked[i], i + 1);
    json_paths_finish(&paths);
    enum { READINGS = COUNT_OF(readings), REFUSALS = COUNT_OF(refusals) };
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(special_bytes_are_found_at_every_position),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(options_set_lower_limits),
        cmocka_unit_test(comments_are_allowed_in_configuration),
        cmocka_unit_test(a_root_makes_paths_relative),
        cmocka_unit_test(indices_and_offsets_are_known),
        cmocka_unit_test(many_keys_are_kept_apart),
        cmocka_unit_test(a_very_long_key_is_refused),
        cmocka_unit_test(hostile_keys_do_not_pass_for_paths),
        cmocka_unit_test(escaped_keys_lead_where_plain_ones_do),
        cmocka_unit_test(members_and_elements_have_names),
        cmocka_unit_test(the_writer_is_compact_or_indented),
        cmocka_unit_test(integers_are_written_to_their_ends),
        cmocka_unit_test(every_character_is_escaped_everywhere),
    };
    struct CMUnitTest tests[READINGS + REFUSALS + COUNT_OF(others)];
    size_t count = 0;
    for (size_t i = 0; i < READINGS; i++)
        tests[count++] = (struct CMUnitTest){ .name = readings[i].name,
                                              .test_func = reads_as,
                                              .initial_state = (void *)(uintptr_t)&readings[i] };
    for (size_t i = 0; i < REFUSALS; i++)
        tests[count++] = (struct CMUnitTest){ .name = refusals[i].name,
                                              .test_func = is_refused_as,
                                              .initial_state = (void *)(uintptr_t)&refusals[i] };
    for (size_t i = 0; i < COUNT_OF(others); i++)
        tests[count++] = others[i];
    return cmocka_run_group_tests_name("base_json", tests, NULL, NULL);
}
