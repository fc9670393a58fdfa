/* base/json.h -- the only door to yajl: a strict streaming reader with a path, and a writer.
 *
 * What      one SAX pass that refuses what FHIR must refuse and yajl lets through: bad UTF-8, lone
 *           surrogates, \u0000, duplicate keys, too deep nesting, trailing content.  Numbers stay
 *           text.  The reader follows a set of paths ("a.b[].c") and says on which one it is; the
 *           path is rendered when somebody asks, with indices ("a.b[2].c") for people.  No tree is
 *           ever built.
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

/* --- sets of paths ---------------------------------------------------------------------------- */

#define JSON_STEPS_MAX 1024
#define JSON_PLACES_MAX 4096

/* One step of a path: a key, or the items of an array.  Each step knows its members by hash, no two
 * in one place, so that the reader follows the paths of a set with one look-up per key, and stops
 * looking where none of them leads. */
struct json_step {
    struct slice key;
    uint64_t hash;
    unsigned mark;                          /* the number of the path that ends here, or 0 */
    const struct json_step *const *members; /* mask + 1 of them, NULL where there is none */
    uint64_t mask;
    unsigned shift;                 /* which bits of a hash choose among the members */
    struct json_step *items;        /* "[]" */
    struct json_step *first, *next; /* its members as a list, and the next of its parent's */
};

/* Static, filled before threads start, then only read. */
struct json_paths {
    struct json_step steps[JSON_STEPS_MAX];
    unsigned step_count;
    const struct json_step *places[JSON_PLACES_MAX];
};

/* A new, empty set among `paths`. */
struct json_step *json_paths_root(struct json_paths *paths);
/* Adds a path such as "entry[].resource" under a number from 1; keys have no '.' and no '['. */
void json_paths_add(struct json_paths *paths, struct json_step *root, const char *path,
                    unsigned mark);
/* Once, when all paths are in. */
void json_paths_finish(struct json_paths *paths);

/* --- reading ---------------------------------------------------------------------------------- */

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
    const struct json_step
        *paths; /* root of the set of paths that json_mark() knows; may be NULL */
};

/* Reads all of `text`.  `arena` serves the keys of open objects; NULL options are defaults. */
bool json_read(struct slice text, const struct json_options *options,
               const struct json_events *events, void *ctx, struct arena *arena,
               struct err *err) MUST_USE;

/* Line and column (in characters, both from 1) of a byte of the text. */
void json_position(struct slice text, size_t offset, unsigned *line, unsigned *column);

/* --- inside callbacks --------------------------------------------------------------------- */

/* Path since the last root, e.g. "medicationCodeableConcept.coding[].code"; NUL-terminated, until
 * the callback returns.  It is put together when asked for: a set of paths is the faster way. */
struct slice json_path(const struct json_reader *reader);
/* From here on (until the current container closes) paths are relative to the current container,
 * and belong to `paths` (which may be NULL): call in open().  Used for Bundle.entry[].resource and
 * for contained[]. */
void json_root(struct json_reader *reader, const struct json_step *paths);
/* Index of the current item in the innermost array around it (`outward` 0), or in the array that
 * many arrays further out; 0 where there is none. */
unsigned json_index(const struct json_reader *reader, unsigned outward);
/* Byte offset in the text just behind what has been read: in open() behind the bracket, in close()
 * behind the closing bracket. */
size_t json_offset(const struct json_reader *reader);
/* Fails at the current value: where = full path with indices. */
bool json_fail(struct json_reader *reader, enum err_code code, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The full path with indices, e.g. "Bundle.entry[3].resource.status". */
void json_where(const struct json_reader *reader, char *out, size_t size);

/* --- inside callbacks, for every element ------------------------------------------------------ */

/* An open container.  Its path is not kept as text: the keys of the levels are enough to render it
 * when somebody asks, which for most elements nobody does. */
struct json_level {
    uint64_t seen;                /* one bit per key so far: a clear bit proves that a key is new */
    const struct json_step *step; /* the container's own; NULL where no path of the set leads */
    struct slice key;             /* of the member at hand */
    uint32_t items;               /* members or items begun; in an array also the index */
    uint32_t first_key;
    uint16_t cut;  /* length of the container's own path */
    uint16_t root; /* where paths of its members start */
    uint16_t depth;
    bool is_array;
};

/* What a reader begins with: where it is.  Only read, and only by what follows. */
struct json_here {
    const struct json_step *step; /* of the current path */
    struct json_level *top;       /* the innermost container */
    size_t path_len;              /* of the current path */
};

static inline const struct json_here *json_here(const struct json_reader *reader)
{
    return (const struct json_here *)reader;
}
/* The level that the last part of the current path belongs to. */
static inline const struct json_level *json_level_here(const struct json_reader *reader)
{
    const struct json_here *here = json_here(reader);
    return here->path_len > here->top->cut ? here->top : here->top - 1;
}

/* The number of the current path in the set of paths that options->paths or json_root() named; 0
 * when it is not in it. */
static inline unsigned json_mark(const struct json_reader *reader)
{
    const struct json_step *step = json_here(reader)->step;
    return step != NULL ? step->mark : 0;
}
/* The key of the member at hand; empty for an item of an array. */
static inline struct slice json_member_key(const struct json_reader *reader)
{
    const struct json_level *level = json_level_here(reader);
    return level->is_array ? (struct slice){ NULL, 0 } : level->key;
}
/* The same, and for an item of an array the key of the array. */
static inline struct slice json_element(const struct json_reader *reader)
{
    const struct json_level *level = json_level_here(reader);
    if (level->is_array)
        level--;
    return level->is_array ? (struct slice){ NULL, 0 } : level->key;
}
/* True for an item of an array. */
static inline bool json_is_item(const struct json_reader *reader)
{
    return json_level_here(reader)->is_array;
}
/* How many containers are open; in open() and close() the one at hand counts. */
static inline unsigned json_depth(const struct json_reader *reader)
{
    return json_here(reader)->top->depth;
}
/* In close(): how many members or items the container had. */
static inline unsigned json_members(const struct json_reader *reader)
{
    return json_here(reader)->top->items;
}

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
