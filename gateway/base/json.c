#include "base/json_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <yajl/yajl_parse.h>

#include "base/pool.h"

/* Happy path: the bytes are checked in one fast pass, then yajl walks them and each of its
 * callbacks moves the path and tells the caller.  Nothing is copied: yajl points into the text
 * unless a string has escapes.  Failure: a callback stops yajl with the err filled, or yajl refuses
 * and json_find_fault() says why. */

#define TEXT_MAX ((size_t)1 << 30) /* yajl's buffers double, and must not wrap */
#define BOM SLICE("\xef\xbb\xbf")
#define KEYS_INLINE 192

struct level {
    uint64_t seen;  /* one bit per key so far: a clear bit proves that a key is new */
    uint32_t hash;  /* of the container's own path */
    uint32_t items; /* members or items begun; in an array also the index */
    uint32_t first_key;
    uint16_t cut;  /* length of the container's own path */
    uint16_t root; /* where paths of its members start */
    bool is_array;
};

struct json_reader {
    struct slice text; /* as yajl gets it */
    size_t skipped;    /* bytes of the caller's text before it */
    yajl_handle parser;
    const struct json_events *events;
    void *ctx;
    struct arena *arena;
    struct err *err;
    const char *root_name;
    size_t string_max;
    unsigned depth, depth_max;
    size_t end;    /* of the outermost container, once it has closed */
    uint32_t hash; /* of the current path */
    uint16_t path_len, root;
    uint32_t key_count, key_room;
    uint64_t *keys; /* of all open objects: the innermost last */
    struct level levels[JSON_DEPTH_MAX];
    uint64_t keys_inline[KEYS_INLINE];
    char path[JSON_PATH_MAX + 4];
};

/* --- hashing --------------------------------------------------------------------------------- */

#define HASH_START UINT32_C(0x9e3779b9)
#define HASH_ARRAY UINT64_C(0x5bd1e9955bd1e995)

static inline uint64_t fold(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
    return hash ^ hash >> 32;
}

/* Of one key; overlapping loads, so that short keys need no loop. */
static inline uint64_t hash_key(const char *at, size_t len)
{
    uint64_t hash = len * UINT64_C(0xc4ceb9fe1a85ec53), word = 0;
    if (len >= 8) {
        for (size_t i = 0; i + 8 < len; i += 8) {
            memcpy(&word, at + i, 8);
            hash = fold(hash, word);
        }
        memcpy(&word, at + len - 8, 8);
    } else if (len >= 4) {
        uint32_t head, tail;
        memcpy(&head, at, 4);
        memcpy(&tail, at + len - 4, 4);
        word = (uint64_t)head << 32 | tail;
    } else {
        for (size_t i = 0; i < len; i++)
            word = word << 8 | (unsigned char)at[i];
    }
    return fold(hash, word);
}

static inline uint32_t hash_step(uint32_t hash, uint64_t segment)
{
    return (uint32_t)(fold(segment, (uint64_t)hash << 7 | 1) >> 11);
}

uint32_t json_path_hash_of(const char *path)
{
    uint32_t hash = HASH_START;
    while (*path != '\0') {
        size_t len = strcspn(path, ".[");
        if (len > 0)
            hash = hash_step(hash, hash_key(path, len));
        path += len;
        for (; path[0] == '['; path += 2)
            hash = hash_step(hash, HASH_ARRAY);
        if (*path == '.')
            path++;
    }
    return hash;
}

/* --- inside callbacks ------------------------------------------------------------------------ */

struct slice json_path(const struct json_reader *reader)
{
    size_t from = reader->root;
    if (from < reader->path_len && from > 0 && reader->path[from] == '.')
        from++;
    return (struct slice){ reader->path + from, reader->path_len - from };
}

uint32_t json_path_hash(const struct json_reader *reader) { return reader->hash; }

bool json_path_is(const struct json_reader *reader, const char *path)
{
    return slice_is(json_path(reader), path) && reader->hash == json_path_hash_of(path);
}

void json_root(struct json_reader *reader)
{
    CHECK(reader->depth > 0);
    struct level *level = &reader->levels[reader->depth - 1];
    level->root = reader->root = level->cut;
    level->hash = reader->hash = HASH_START;
}

/* An array counts for what is inside it, not for itself. */
static bool level_is_around(const struct json_reader *reader, const struct level *level)
{
    return level->is_array && reader->path_len >= level->cut + 2;
}

unsigned json_index(const struct json_reader *reader, unsigned outward)
{
    for (unsigned i = reader->depth; i-- > 0;)
        if (level_is_around(reader, &reader->levels[i]) && outward-- == 0)
            return reader->levels[i].items;
    return 0;
}

size_t json_offset(const struct json_reader *reader)
{
    size_t used = yajl_get_bytes_consumed(reader->parser);
    return reader->skipped + (used < reader->text.len ? used : reader->text.len);
}

unsigned json_depth(const struct json_reader *reader) { return reader->depth; }

unsigned json_members(const struct json_reader *reader)
{
    CHECK(reader->depth > 0);
    return reader->levels[reader->depth - 1].items;
}

/* A key of an element that nobody knows could hold anything: only what FHIR's names are made of is
 * shown. */
static char shown(char c)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' ? c : '?';
}

void json_where(const struct json_reader *reader, char *out, size_t size)
{
    CHECK(size > 0);
    char full[JSON_PATH_MAX + JSON_DEPTH_MAX * 12 + 128];
    const char *name = reader->root_name != NULL ? reader->root_name : "";
    int start = snprintf(full, 120, "%s", name);
    size_t used = start > 119 ? 119 : (size_t)start;
    unsigned level = 0;

    if (used > 0 && reader->path_len > 0 && reader->path[0] != '[')
        full[used++] = '.';
    for (size_t i = 0; i < reader->path_len;) {
        while (level < reader->depth && !reader->levels[level].is_array)
            level++;
        if (level < reader->depth && i == reader->levels[level].cut) {
            used += (size_t)snprintf(full + used, 13, "[%u]", reader->levels[level++].items);
            i += 2;
        } else {
            full[used++] = shown(reader->path[i++]);
        }
    }
    full[used] = '\0';
    if (used >= size) { /* cut between elements: half an index would mislead */
        used = size - 1;
        while (used > 0 && full[used] != '.' && full[used] != '[')
            used--;
    }
    memcpy(out, full, used);
    out[used] = '\0';
}

bool json_fail(struct json_reader *reader, enum err_code code, const char *format, ...)
{
    char where[sizeof reader->err->where], what[sizeof reader->err->what];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    json_where(reader, where, sizeof where);
    return err_fail(reader->err, code, where, "%s", what);
}

/* --- moving about ---------------------------------------------------------------------------- */

static inline void path_cut(struct json_reader *reader, uint16_t len, uint32_t hash)
{
    reader->path_len = len;
    reader->path[len] = '\0';
    reader->hash = hash;
}

/* The path of a container's next item, or the container's own for an object that awaits a key. */
static inline void path_to_item(struct json_reader *reader, const struct level *level)
{
    if (level->is_array)
        path_cut(reader, (uint16_t)(level->cut + 2), hash_step(level->hash, HASH_ARRAY));
    else
        path_cut(reader, level->cut, level->hash);
}

static inline void value_done(struct json_reader *reader)
{
    if (reader->depth > 0 && reader->levels[reader->depth - 1].is_array)
        reader->levels[reader->depth - 1].items++;
}

static bool level_open(struct json_reader *reader, bool is_array)
{
    if (reader->depth >= reader->depth_max)
        return json_fail(reader, ERR_TOO_LARGE, "nested more than %u levels deep",
                         reader->depth_max);
    if (reader->path_len + 2 > JSON_PATH_MAX)
        return json_fail(reader, ERR_TOO_LARGE, "the path of this element is too long");
    struct level *level = &reader->levels[reader->depth++];
    *level = (struct level){ .hash = reader->hash,
                             .first_key = reader->key_count,
                             .cut = reader->path_len,
                             .root = reader->root,
                             .is_array = is_array };
    if (!reader->events->open(reader->ctx, reader, is_array ? JSON_ARRAY : JSON_OBJECT))
        return false;
    if (is_array) {
        memcpy(reader->path + level->cut, "[]", 3);
        path_to_item(reader, level);
    }
    return true;
}

static bool level_close(struct json_reader *reader)
{
    struct level *level = &reader->levels[reader->depth - 1];
    path_cut(reader, level->cut, level->hash);
    if (!reader->events->close(reader->ctx, reader, level->is_array ? JSON_ARRAY : JSON_OBJECT))
        return false;
    reader->key_count = level->first_key;
    reader->depth--;
    if (reader->depth > 0) {
        const struct level *outer = level - 1;
        reader->root = outer->root;
        path_to_item(reader, outer);
    } else {
        reader->root = 0;
        reader->end = yajl_get_bytes_consumed(reader->parser);
        path_cut(reader, 0, HASH_START);
    }
    value_done(reader);
    return true;
}

/* --- keys ------------------------------------------------------------------------------------ */

static bool keys_grow(struct json_reader *reader)
{
    size_t room = (size_t)reader->key_room * 2;
    uint64_t *keys = reader->arena != NULL
                         ? arena_alloc_raw(reader->arena, room * sizeof reader->keys[0])
                         : NULL;
    if (keys == NULL)
        return json_fail(reader, ERR_TOO_LARGE, "too many keys");
    memcpy(keys, reader->keys, reader->key_count * sizeof keys[0]);
    reader->keys = keys;
    reader->key_room = (uint32_t)room;
    return true;
}

/* Hashes of 64 bits stand for the keys: the same key always meets its hash, and two keys that share
 * one by chance are as likely as a bit flip. */
static bool key_is_new(const struct json_reader *reader, struct level *level, uint64_t hash)
{
    uint64_t bit = UINT64_C(1) << (hash >> 58);
    if ((level->seen & bit) != 0)
        for (uint32_t i = level->first_key; i < reader->key_count; i++)
            if (reader->keys[i] == hash)
                return false;
    level->seen |= bit;
    return true;
}

static bool path_append_key(struct json_reader *reader, const struct level *level, const char *key,
                            size_t len)
{
    size_t at = level->cut;
    path_cut(reader, level->cut, level->hash);
    if (at + 1 + len > JSON_PATH_MAX)
        return json_fail(reader, ERR_TOO_LARGE, "a key or its path is too long");
    if (at > 0)
        reader->path[at++] = '.';
    memcpy(reader->path + at, key, len);
    reader->path_len = (uint16_t)(at + len);
    reader->path[reader->path_len] = '\0';
    return true;
}

/* --- yajl adapters --------------------------------------------------------------------------- */

static int on_map_key(void *ctx, const unsigned char *key, size_t len)
{
    struct json_reader *reader = ctx;
    struct level *level = &reader->levels[reader->depth - 1];
    uint64_t hash = hash_key((const char *)key, len);

    if (!path_append_key(reader, level, (const char *)key, len))
        return false;
    reader->hash = hash_step(level->hash, hash);
    if (!key_is_new(reader, level, hash))
        return json_fail(reader, ERR_STRUCTURE, "the same key twice in one object");
    if (level->items++ == JSON_KEYS_MAX)
        return json_fail(reader, ERR_TOO_LARGE, "more than %d keys in one object", JSON_KEYS_MAX);
    if (reader->key_count == reader->key_room && !keys_grow(reader))
        return false;
    reader->keys[reader->key_count++] = hash;
    return true;
}

static int take(struct json_reader *reader, enum json_kind kind, struct slice text)
{
    if (!reader->events->value(reader->ctx, reader, kind, text))
        return false;
    value_done(reader);
    return true;
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    struct json_reader *reader = ctx;
    if (reader->string_max > 0 && len > reader->string_max)
        return json_fail(reader, ERR_TOO_LARGE, "a string is longer than %zu bytes",
                         reader->string_max);
    return take(reader, JSON_STRING, (struct slice){ (const char *)text, len });
}

static int on_number(void *ctx, const char *digits, size_t len)
{
    return take(ctx, JSON_NUMBER, (struct slice){ digits, len });
}

static int on_boolean(void *ctx, int value)
{
    return take(ctx, JSON_BOOL, value ? SLICE("true") : SLICE("false"));
}

static int on_null(void *ctx) { return take(ctx, JSON_NULL, SLICE("null")); }
static int on_start_map(void *ctx) { return level_open(ctx, false); }
static int on_start_array(void *ctx) { return level_open(ctx, true); }
static int on_end(void *ctx) { return level_close(ctx); }

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_map,
    .yajl_map_key = on_map_key,
    .yajl_end_map = on_end,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end,
};

/* yajl does not test its allocations; the pool stops the process when memory is gone. */
static void *take_memory(void *ctx, size_t size)
{
    (void)ctx;
    return pool_resize(NULL, size);
}

static void *resize_memory(void *ctx, void *memory, size_t size)
{
    (void)ctx;
    return pool_resize(memory, size);
}

static void give_memory(void *ctx, void *memory)
{
    (void)ctx;
    pool_free(memory);
}

/* --- reading --------------------------------------------------------------------------------- */

void json_position(struct slice text, size_t offset, unsigned *line, unsigned *column)
{
    *line = *column = 1;
    for (size_t i = slice_starts(text, BOM) ? BOM.len : 0; i < offset && i < text.len; i++) {
        if (text.at[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)text.at[i] & 0xc0) != 0x80) {
            ++*column;
        }
    }
}

static bool fail_at(struct json_reader *reader, const struct json_fault *fault)
{
    unsigned line, column;
    json_position(reader->text, fault->offset, &line, &column);
    return json_fail(reader, ERR_STRUCTURE, "line %u, column %u: %s", line, column, fault->what);
}

/* yajl overlooks the beginning of a token behind the document: `{} "x`. */
static bool ends_well(struct json_reader *reader)
{
    struct json_fault fault;
    size_t at = reader->end;
    while (at > 0 && at < reader->text.len && memchr(" \t\r\n", reader->text.at[at], 4) != NULL)
        at++;
    if (at == reader->text.len || !json_find_fault(reader->text, &fault))
        return true;
    return fail_at(reader, &fault);
}

static bool parse(struct json_reader *reader)
{
    yajl_alloc_funcs memory = { take_memory, resize_memory, give_memory, NULL };
    reader->parser = yajl_alloc(&callbacks, &memory, reader);
    CHECK(reader->parser != NULL);
    yajl_config(reader->parser, yajl_dont_validate_strings, 1); /* done, and better, before */

    yajl_status status =
        yajl_parse(reader->parser, (const unsigned char *)reader->text.at, reader->text.len);
    struct json_fault fault = { yajl_get_bytes_consumed(reader->parser), "not well-formed JSON" };
    if (status == yajl_status_ok)
        status = yajl_complete_parse(reader->parser);
    yajl_free(reader->parser);
    if (status == yajl_status_ok)
        return ends_well(reader);
    if (status == yajl_status_client_canceled)
        return false;
    struct json_fault found;
    return fail_at(reader, json_find_fault(reader->text, &found) ? &found : &fault);
}

bool json_read(struct slice text, const struct json_options *options,
               const struct json_events *events, void *ctx, struct arena *arena, struct err *err)
{
    static const struct json_options defaults;
    if (options == NULL)
        options = &defaults;
    struct json_reader reader;
    memset(&reader, 0, offsetof(struct json_reader, levels)); /* the arrays fill as they are used */
    reader.path[0] = '\0';
    reader.events = events;
    reader.ctx = ctx;
    reader.arena = arena;
    reader.err = err;
    reader.root_name = options->root;
    reader.string_max = options->string_max;
    reader.depth_max = options->depth_max > 0 ? options->depth_max : JSON_DEPTH_MAX;
    reader.hash = HASH_START;
    reader.keys = reader.keys_inline;
    reader.key_room = KEYS_INLINE;
    CHECK(reader.depth_max <= JSON_DEPTH_MAX);

    if (text.len > TEXT_MAX)
        return json_fail(&reader, ERR_TOO_LARGE, "the text is too long");
    reader.skipped = slice_starts(text, BOM) ? BOM.len : 0;
    reader.text = slice_skip(text, reader.skipped);
    if (options->allow_comments) {
        reader.text = json_blank_comments(reader.text, arena);
        if (arena_overflowed(arena))
            return json_fail(&reader, ERR_TOO_LARGE, "the text is too long");
    }
    struct json_fault fault;
    if (!json_check_bytes(reader.text, &fault))
        return fail_at(&reader, &fault);
    return parse(&reader);
}
