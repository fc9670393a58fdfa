#include "audit/export.h"
#include "base/json.h"

#define ENTRIES_SHOWN 3

struct described_entry {
    struct slice action, resource, version;
};

struct description {
    struct arena *arena;
    struct slice time, seq, kind, method, path, status, outcome, actor, patient;
    struct described_entry entries[ENTRIES_SHOWN];
    unsigned entry_count;
};

/* What a path of the line fills; the rest is for programs. */
static struct slice *member_of(struct description *said, struct slice path)
{
    const struct {
        const char *path;
        struct slice *member;
    } members[] = {
        { "time", &said->time },       { "seq", &said->seq },     { "kind", &said->kind },
        { "method", &said->method },   { "path", &said->path },   { "status", &said->status },
        { "outcome", &said->outcome }, { "actor", &said->actor }, { "patient", &said->patient },
    };
    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (slice_is(path, members[i].path))
            return members[i].member;
    if (said->entry_count == 0 || said->entry_count > ENTRIES_SHOWN)
        return NULL;
    struct described_entry *entry = &said->entries[said->entry_count - 1];
    if (slice_is(path, "entries[].action"))
        return &entry->action;
    if (slice_is(path, "entries[].resource"))
        return &entry->resource;
    return slice_is(path, "entries[].version") ? &entry->version : NULL;
}

static bool on_value(void *ctx, struct json_reader *json, enum json_kind kind, struct slice text)
{
    struct description *said = ctx;
    struct slice *member = member_of(said, json_path(json));
    (void)kind;
    if (member != NULL)
        *member = arena_copy(said->arena, text);
    return true;
}

static bool on_open(void *ctx, struct json_reader *json, enum json_kind kind)
{
    struct description *said = ctx;
    if (kind == JSON_OBJECT && slice_is(json_path(json), "entries[]"))
        said->entry_count++;
    return true;
}

static bool on_close(void *ctx, struct json_reader *json, enum json_kind kind)
{
    (void)ctx, (void)json, (void)kind;
    return true;
}

/* A name that a peer chose must not steer a terminal. */
static void add_clean(struct buffer *out, const char *before, struct slice text)
{
    if (text.len == 0)
        return;
    buffer_add(out, slice_of(before));
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool is_c1 = c == 0xc2 && i + 1 < text.len && (unsigned char)text.at[i + 1] < 0xa0;
        buffer_add_char(out, c < 0x20 || c == 0x7f || is_c1 ? '?' : text.at[i]);
        i += is_c1 ? 1 : 0;
    }
}

static void add_entries(const struct description *said, struct buffer *out)
{
    unsigned shown = said->entry_count < ENTRIES_SHOWN ? said->entry_count : ENTRIES_SHOWN;
    for (unsigned i = 0; i < shown; i++) {
        const struct described_entry *entry = &said->entries[i];
        add_clean(out, i == 0 ? ": " : ", ", entry->action);
        add_clean(out, " ", entry->resource);
        add_clean(out, " v", entry->version);
    }
    if (said->entry_count > shown)
        buffer_format(out, " and %u more", said->entry_count - shown);
    if (shown == 0)
        add_clean(out, ": ", said->patient);
}

bool audit_describe(struct slice line, struct arena *arena, struct buffer *out, struct err *err)
{
    static const struct json_events events = { on_value, on_open, on_close };
    struct description said = { .arena = arena };
    if (!json_read(line, NULL, &events, &said, arena, err))
        return false;
    add_clean(out, "", said.time);
    add_clean(out, "  #", said.seq);
    add_clean(out, "  ", said.kind);
    add_clean(out, "  ", said.method);
    add_clean(out, " ", said.path);
    add_clean(out, "  ", said.status);
    if (said.outcome.len > 0 && !slice_is(said.outcome, "success")) {
        add_clean(out, "  (", said.outcome);
        buffer_add_char(out, ')');
    }
    add_clean(out, "  by ", said.actor);
    add_entries(&said, out);
    if (buffer_overflowed(out) || arena_overflowed(arena))
        return err_fail(err, ERR_TOO_LARGE, "audit record", "no room to describe the record");
    return true;
}
