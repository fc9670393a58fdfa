#include "base/json_int.h"

#include <stdarg.h>
#include <stdio.h>

/* --- where the reader is --------------------------------------------------------------------- */

/* The first level of the open containers. */
static const struct json_level *outermost(const struct json_reader *reader)
{
    return &reader->levels[2];
}

/* True when the current path names something inside the container, not the container itself. */
static bool is_inside(const struct json_reader *reader, const struct json_level *level)
{
    return reader->here.path_len > level->cut;
}

/* Writes the current path into reader->path.  An escaped key lies there already, in its place. */
static void render(const struct json_reader *reader)
{
    char *path = ((struct json_reader *)(uintptr_t)reader)->path; /* a cache, not a change */
    for (const struct json_level *level = outermost(reader); level <= reader->here.top; level++) {
        size_t at = level->cut;
        if (!is_inside(reader, level))
            break;
        if (level->is_array) {
            memcpy(path + at, "[]", 2);
            continue;
        }
        if (at > 0)
            path[at++] = '.';
        if (level->key.len > 0)
            memmove(path + at, level->key.at, level->key.len);
    }
    path[reader->here.path_len] = '\0';
}

struct slice json_path(const struct json_reader *reader)
{
    size_t from = reader->here.top->root;
    render(reader);
    if (from < reader->here.path_len && from > 0 && reader->path[from] == '.')
        from++;
    return (struct slice){ reader->path + from, reader->here.path_len - from };
}

void json_root(struct json_reader *reader, const struct json_step *paths)
{
    CHECK(json_depth(reader) > 0);
    reader->here.top->root = reader->here.top->cut;
    reader->here.top->step = reader->here.step = paths;
}

unsigned json_index(const struct json_reader *reader, unsigned outward)
{
    for (const struct json_level *level = reader->here.top; level >= outermost(reader); level--)
        if (level->is_array && is_inside(reader, level) && outward-- == 0)
            return level->items;
    return 0;
}

size_t json_offset(const struct json_reader *reader)
{
    size_t used = yajl_get_bytes_consumed(reader->parser);
    return reader->skipped + (used < reader->text.len ? used : reader->text.len);
}

/* --- in words -------------------------------------------------------------------------------- */

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
    const struct json_level *level = outermost(reader);

    render(reader);
    if (used > 0 && reader->here.path_len > 0 && reader->path[0] != '[')
        full[used++] = '.';
    for (size_t i = 0; i < reader->here.path_len;) {
        while (level <= reader->here.top && !level->is_array)
            level++;
        if (level <= reader->here.top && i == level->cut) {
            used += (size_t)snprintf(full + used, 13, "[%u]", level++->items);
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

/* --- sets of paths --------------------------------------------------------------------------- */

static struct json_step *new_step(struct json_paths *paths)
{
    CHECK(paths->step_count < JSON_STEPS_MAX);
    return &paths->steps[paths->step_count++];
}

struct json_step *json_paths_root(struct json_paths *paths) { return new_step(paths); }

static struct json_step *member_of(struct json_paths *paths, struct json_step *step,
                                   struct slice key)
{
    for (struct json_step *child = step->first; child != NULL; child = child->next)
        if (slice_eq(child->key, key))
            return child;
    struct json_step *child = new_step(paths);
    child->key = key;
    child->hash = json_hash_key(key.at, key.len);
    child->next = step->first;
    step->first = child;
    return child;
}

void json_paths_add(struct json_paths *paths, struct json_step *root, const char *path,
                    unsigned mark)
{
    struct json_step *step = root;
    while (*path != '\0') {
        size_t len = strcspn(path, ".[");
        if (len > 0)
            step = member_of(paths, step, (struct slice){ path, len });
        path += len;
        for (; path[0] == '['; path += 2) {
            if (step->items == NULL)
                step->items = new_step(paths);
            step = step->items;
        }
        if (*path == '.')
            path++;
    }
    CHECK(step->mark == 0);
    step->mark = mark;
}

/* True when the members of `step` lie in `size` places without sharing one. */
static bool place_members(struct json_step *step, const struct json_step **places, size_t size)
{
    memset(places, 0, size * sizeof places[0]);
    for (const struct json_step *child = step->first; child != NULL; child = child->next) {
        const struct json_step **place = &places[child->hash >> step->shift & (size - 1)];
        if (*place != NULL)
            return false;
        *place = child;
    }
    step->members = places;
    step->mask = size - 1;
    return true;
}

/* Which bits of the hash tell the members apart is tried out, so that the tables stay small. */
static bool find_places(struct json_step *step, const struct json_step **places, size_t size)
{
    for (step->shift = 0; step->shift < 48; step->shift++)
        if (place_members(step, places, size))
            return true;
    return false;
}

void json_paths_finish(struct json_paths *paths)
{
    size_t used = 0;
    for (unsigned i = 0; i < paths->step_count; i++) {
        size_t size = 1;
        while (used + size <= JSON_PLACES_MAX &&
               !find_places(&paths->steps[i], &paths->places[used], size))
            size *= 2;
        used += size;
        CHECK(used <= JSON_PLACES_MAX);
    }
}
