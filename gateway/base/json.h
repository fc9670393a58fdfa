/* base/json.h -- the only door to yajl: a strict streaming reader with a path, and a writer.
 *
 * What      one SAX pass that refuses what FHIR must refuse and yajl lets through: bad UTF-8, lone
 *           surrogates, \u0000, duplicate keys, too deep nesting, trailing content.  Numbers stay
 *           text.  The path of the current value is kept as "a.b[].c" for look-up, and rendered
 *           with indices ("a.b[2].c") for people.  No tree is ever built.
 * Owns      text handed to callbacks lives only for the call.
 * Errors    ERR_STRUCTURE for broken JSON, ERR_TOO_LARGE past a limit; or what a callback chose.
 * Thread    any; no global state.
 */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"

#define JSON_DEPTH_MAX 64
#define JSON_PATH_MAX 512
#define JSON_KEYS_MAX 1024 /* of one object */

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_OBJECT, JSON_ARRAY };

struct json_reader;

/* Each returns false to stop; it must have called json_fail() (or filled the err another way). */
struct json_events {
    /* Null, bool, number (its text as sent) or string (unescaped). */
    bool (*value)(void *ctx, struct json_reader *reader, enum json_kind kind, struct slice text);
    /* JSON_OBJECT or JSON_ARRAY.  The path is the container's own: an array is "coding", and the
     * objects in it are "coding[]". */
    bool (*open)(void *ctx, struct json_reader *reader, enum json_kind kind);
    bool (*close)(void *ctx, struct json_reader *reader, enum json_kind kind);
};

struct json_options {
    unsigned depth_max;  /* 0 means JSON_DEPTH_MAX */
    size_t string_max;   /* longest string in bytes; 0 means no limit but the text's own */
    bool allow_comments; /* configuration files only */
    const char *root;    /* prefix of rendered paths: "Bundle", "MedicationRequest"; may be NULL */
};

/* Reads all of `text`.  `arena` serves the keys of open objects; NULL options are defaults. */
bool json_read(struct slice text, const struct json_options *options,
               const struct json_events *events, void *ctx, struct arena *arena,
               struct err *err) MUST_USE;

/* Line and column (in characters, both from 1) of a byte of the text. */
void json_position(struct slice text, size_t offset, unsigned *line, unsigned *column);

/* --- inside callbacks --------------------------------------------------------------------- */

/* Path since the last root, e.g. "medicationCodeableConcept.coding[].code"; NUL-terminated. */
struct slice json_path(const struct json_reader *reader);
/* A hash of json_path(), the same as json_path_hash_of() of the same text. */
uint32_t json_path_hash(const struct json_reader *reader);
uint32_t json_path_hash_of(const char *path);
/* True when this is the path, and not just a key that is spelt like it ("a[].b"). */
bool json_path_is(const struct json_reader *reader, const char *path);
/* From here on (until the current container closes) paths are relative to the current container:
 * call in open().  Used for Bundle.entry[].resource and for contained[]. */
void json_root(struct json_reader *reader);
/* Index of the current item in the innermost array around it (`outward` 0), or in the array that
 * many arrays further out; 0 where there is none. */
unsigned json_index(const struct json_reader *reader, unsigned outward);
/* Byte offset in the text just behind what has been read: in open() behind the bracket, in close()
 * behind the closing bracket. */
size_t json_offset(const struct json_reader *reader);
/* How many containers are open; in open() and close() the one at hand counts. */
unsigned json_depth(const struct json_reader *reader);
/* In close(): how many members or items the container had. */
unsigned json_members(const struct json_reader *reader);
/* Fails at the current value: where = full path with indices. */
bool json_fail(struct json_reader *reader, enum err_code code, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The full path with indices, e.g. "Bundle.entry[3].resource.status". */
void json_where(const struct json_reader *reader, char *out, size_t size);

/* --- writer ------------------------------------------------------------------------------- */

/* Writes compact (or indented) JSON into a buffer; keys and values in call order.  Nesting errors
 * are programmer errors.  Test buffer_overflowed() once at the end. */
struct json_writer {
    struct buffer *out;
    unsigned depth;
    bool is_pretty;
    bool needs_comma[JSON_DEPTH_MAX]; /* at this depth a value has been written */
    bool after_key;
};

void json_writer_init(struct json_writer *writer, struct buffer *out, bool is_pretty);
void json_object(struct json_writer *writer);     /* { */
void json_object_end(struct json_writer *writer); /* } */
void json_array(struct json_writer *writer);      /* [ */
void json_array_end(struct json_writer *writer);  /* ] */
void json_key(struct json_writer *writer, const char *key);
void json_string(struct json_writer *writer, struct slice text); /* escaped; must be UTF-8 */
void json_text(struct json_writer *writer, const char *text);
void json_integer(struct json_writer *writer, int64_t number);
void json_bool(struct json_writer *writer, bool value);
void json_null(struct json_writer *writer);
void json_raw(struct json_writer *writer, struct slice json); /* one whole value, already JSON */
/* Key and value in one. */
void json_put(struct json_writer *writer, const char *key, struct slice text);
void json_put_text(struct json_writer *writer, const char *key, const char *text);
void json_put_integer(struct json_writer *writer, const char *key, int64_t number);
void json_put_bool(struct json_writer *writer, const char *key, bool value);
