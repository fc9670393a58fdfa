#include "base/json_int.h"

#include "base/pool.h"

/* Happy path: the bytes are checked in one fast pass, then yajl walks them and each of its
 * callbacks moves the path and tells the caller.  Nothing is copied: yajl points into the text
 * unless a string has escapes.  Failure: a callback stops yajl with the err filled, or yajl refuses
 * and json_find_fault() says why. */

#define TEXT_MAX ((size_t)1 << 30) /* yajl's buffers double, and must not wrap */
#define BOM SLICE("\xef\xbb\xbf")

/* --- moving about ---------------------------------------------------------------------------- */

/* The path of a container's next item, or the container's own for an object that awaits a key. */
static inline void go_to_item(struct json_reader *reader, const struct json_level *level)
{
    if (level->is_array) {
        reader->here.path_len = (size_t)level->cut + 2;
        reader->here.step = level->step != NULL ? level->step->items : NULL;
    } else {
        reader->here.path_len = level->cut;
        reader->here.step = level->step;
    }
}

static inline void value_done(struct json_reader *reader)
{
    if (reader->here.top->is_array)
        reader->here.top->items++;
}

static bool level_open(struct json_reader *reader, bool is_array)
{
    if (json_depth(reader) >= reader->depth_max)
        return json_fail(reader, ERR_TOO_LARGE, "nested more than %u levels deep",
                         reader->depth_max);
    if (reader->here.path_len + 2 > JSON_PATH_MAX)
        return json_fail(reader, ERR_TOO_LARGE, "the path of this element is too long");
    uint16_t root = reader->here.top->root, depth = (uint16_t)(reader->here.top->depth + 1);
    struct json_level *level = ++reader->here.top;
    *level = (struct json_level){ .step = reader->here.step,
                                  .first_key = reader->key_count,
                                  .cut = (uint16_t)reader->here.path_len,
                                  .root = root,
                                  .depth = depth,
                                  .is_array = is_array };
    if (!reader->events->open(reader->ctx, reader, is_array ? JSON_ARRAY : JSON_OBJECT))
        return false;
    if (is_array)
        go_to_item(reader, level);
    return true;
}

static bool level_close(struct json_reader *reader)
{
    const struct json_level *level = reader->here.top;
    reader->here.path_len = level->cut;
    reader->here.step = level->step;
    if (!reader->events->close(reader->ctx, reader, level->is_array ? JSON_ARRAY : JSON_OBJECT))
        return false;
    reader->key_count = level->first_key;
    reader->here.top--;
    go_to_item(reader, reader->here.top);
    value_done(reader);
    if (json_depth(reader) == 0)
        reader->end = yajl_get_bytes_consumed(reader->parser);
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
static inline bool key_is_new(const struct json_reader *reader, struct json_level *level,
                              uint64_t hash)
{
    uint64_t bit = UINT64_C(1) << (hash >> 58);
    if ((level->seen & bit) != 0)
        for (uint32_t i = level->first_key; i < reader->key_count; i++)
            if (reader->keys[i] == hash)
                return false;
    level->seen |= bit;
    return true;
}

/* A key that yajl has unescaped lives only for the call: it is kept where its path will be. */
static inline struct slice keep_key(struct json_reader *reader, const char *key, size_t len)
{
    uintptr_t offset = (uintptr_t)key - (uintptr_t)reader->text.at;
    if (offset < reader->text.len)
        return (struct slice){ key, len };
    char *place = reader->path + reader->here.path_len - len;
    memcpy(place, key, len);
    return (struct slice){ place, len };
}

/* --- yajl adapters --------------------------------------------------------------------------- */

/* Why a key is not taken, or the room for it; out of the way of all the others. */
static __attribute__((noinline)) bool take_unusual_key(struct json_reader *reader, uint64_t hash,
                                                       bool is_too_long, bool is_new)
{
    struct json_level *level = reader->here.top;
    if (is_too_long) {
        reader->here.path_len = level->cut;
        return json_fail(reader, ERR_TOO_LARGE, "a key or its path is too long");
    }
    if (!is_new)
        return json_fail(reader, ERR_STRUCTURE, "the same key twice in one object");
    if (level->items > JSON_KEYS_MAX)
        return json_fail(reader, ERR_TOO_LARGE, "more than %d keys in one object", JSON_KEYS_MAX);
    if (!keys_grow(reader))
        return false;
    reader->keys[reader->key_count++] = hash;
    return true;
}

static int on_map_key(void *ctx, const unsigned char *bytes, size_t len)
{
    struct json_reader *reader = ctx;
    struct json_level *level = reader->here.top;
    const char *key = (const char *)bytes;
    size_t start = (size_t)level->cut + (level->cut > 0);

    if (len > JSON_PATH_MAX || level->cut + 1 + len > JSON_PATH_MAX)
        return take_unusual_key(reader, 0, true, true);
    uint64_t hash = json_hash_key(key, len);
    reader->here.path_len = start + len;
    level->key = keep_key(reader, key, len);
    reader->here.step = level->step != NULL ? json_step_member(level->step, key, len, hash) : NULL;
    bool is_new = key_is_new(reader, level, hash);
    if (!is_new || level->items++ >= JSON_KEYS_MAX || reader->key_count == reader->key_room)
        return take_unusual_key(reader, hash, false, is_new);
    reader->keys[reader->key_count++] = hash;
    return true;
}

static inline int take(struct json_reader *reader, enum json_kind kind, struct slice text)
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

/* What yajl needs for one text is small and ends with it: it comes from the reader itself, and from
 * the heap once a text nests deeply or has long strings with escapes.  yajl does not test its
 * allocations; the pool stops the process when memory is gone. */
struct yajl_block {
    _Alignas(16) size_t size; /* of the bytes behind it */
};

static bool is_inline(const struct json_reader *reader, const void *memory)
{
    return (uintptr_t)memory - (uintptr_t)reader->yajl_bytes < sizeof reader->yajl_bytes;
}

static void *take_memory(void *ctx, size_t size)
{
    struct json_reader *reader = ctx;
    size_t wanted = sizeof(struct yajl_block) + (size + 15) / 16 * 16;
    if (wanted < size || wanted > sizeof reader->yajl_bytes - reader->yajl_used)
        return pool_resize(NULL, size);
    struct yajl_block *block = (void *)(reader->yajl_bytes + reader->yajl_used);
    reader->yajl_used += wanted;
    block->size = size;
    return block + 1;
}

static void *resize_memory(void *ctx, void *memory, size_t size)
{
    if (memory == NULL)
        return take_memory(ctx, size);
    if (!is_inline(ctx, memory))
        return pool_resize(memory, size);
    const struct yajl_block *block = (const struct yajl_block *)memory - 1;
    if (size <= block->size)
        return memory;
    void *larger = take_memory(ctx, size);
    memcpy(larger, memory, block->size);
    return larger;
}

static void give_memory(void *ctx, void *memory)
{
    if (!is_inline(ctx, memory))
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
    yajl_alloc_funcs memory = { take_memory, resize_memory, give_memory, reader };
    reader->parser = yajl_alloc(&callbacks, &memory, reader);
    CHECK(reader->parser != NULL);
    yajl_config(reader->parser, yajl_dont_validate_strings, 1); /* done, and better, before */

    yajl_status status =
        yajl_parse(reader->parser, (const unsigned char *)reader->text.at, reader->text.len);
    struct json_fault fault = { yajl_get_bytes_consumed(reader->parser), "not well-formed JSON" };
    if (status == yajl_status_ok && reader->end == 0) /* a scalar may wait for its end */
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
    /* The arrays fill as they are used. */
    memset(&reader, 0, offsetof(struct json_reader, levels) + 2 * sizeof reader.levels[0]);
    reader.events = events;
    reader.ctx = ctx;
    reader.arena = arena;
    reader.err = err;
    reader.root_name = options->root;
    reader.string_max = options->string_max;
    reader.depth_max = options->depth_max > 0 ? options->depth_max : JSON_DEPTH_MAX;
    reader.here.top = &reader.levels[1];
    reader.here.top->step = reader.here.step = options->paths;
    reader.keys = reader.keys_inline;
    reader.key_room = JSON_KEYS_INLINE;
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
