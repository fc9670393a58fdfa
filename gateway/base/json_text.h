/* base/json_text.h -- glances over JSON that json_read() has accepted: members, items and values as
 * they stand in the text, found by their brackets and strings.
 *
 * What      for changes that must leave every other byte alone: stamps and patches.  Nothing is
 *           interpreted that the caller does not ask for, and no tree is built.
 * Owns      nothing: slices borrow from the text.
 * Errors    broken text ends an iteration with `is_bad` set; the caller says what broke.
 * Thread    any.
 */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"

struct json_cursor {
    struct slice text;
    size_t at;
    bool is_bad;   /* the text is not JSON here */
    bool is_begun; /* a member or an item has been seen */
};

struct json_member {
    struct slice key;   /* raw, without its quotes */
    struct slice value; /* raw; at is NULL where there is none */
};

void json_skip_blanks(struct json_cursor *cursor);
/* Passes blanks and `c`; false (and only blanks passed) when something else stands there. */
bool json_take(struct json_cursor *cursor, char c);
/* The next member of the object whose '{' was taken; false behind its '}' or on broken text. */
bool json_next_member(struct json_cursor *cursor, struct json_member *out);
/* The next item of the array whose '[' was taken; false behind its ']' or on broken text. */
bool json_next_item(struct json_cursor *cursor, struct slice *out);
/* The raw member of a raw object; `at` is NULL when it has none, or is no object. */
struct slice json_find_member(struct slice object, const char *key);
/* The text of a raw string value, unescaped; empty for any other value. */
struct slice json_value_text(struct slice value, struct arena *arena);
/* True when the raw key spells `name`: "\u0069d" is "id". */
bool json_key_is(struct slice key, const char *name);
/* The text of a raw string (without its quotes), unescaped into `arena` where it has escapes. */
struct slice json_unescape(struct slice raw, struct arena *arena);
/* Same value: members in any order, numbers by value, strings by their text. */
bool json_is_same(struct slice a, struct slice b, struct arena *arena);
/* The same value, one member or item a line, for people; strings and numbers as they were. */
void json_indent(struct slice text, struct buffer *out);
