#include "audit/audit_int.h"
#include "audit/export_int.h"
#include "base/json.h"

struct manifest_reader {
    struct slice text;
    struct arena *arena;
    struct manifest out;
    unsigned file_room, signature_room;
    size_t signature_start;
    int64_t first, last, count;
    bool has_format, has_before, has_head;
};

static bool grow(struct arena *arena, void **list, unsigned count, unsigned *room, size_t size)
{
    if (count < *room)
        return true;
    unsigned more = *room > 0 ? *room * 2 : 16;
    void *copy = arena_alloc(arena, size * more);
    if (copy == NULL)
        return false;
    if (count > 0)
        memcpy(copy, *list, size * count);
    *list = copy;
    *room = more;
    return true;
}

static bool take_hash(struct json_reader *json, struct slice text, struct sha256 *out)
{
    if (!audit_take_hash(&text, out) || text.len > 0)
        return json_fail(json, ERR_VALUE, "expected 64 lower-case hex digits");
    return true;
}

static bool take_number(struct json_reader *json, struct slice text, int64_t *out)
{
    if (!audit_take_number(&text, out) || text.len > 0)
        return json_fail(json, ERR_VALUE, "expected a number of records or bytes");
    return true;
}

static bool take_file_member(struct manifest_reader *reader, struct json_reader *json,
                             struct slice path, struct slice text)
{
    struct audit_export_entry *file = &reader->out.files[reader->out.file_count - 1];
    int64_t number;
    if (slice_is(path, "files[].name")) {
        file->name = arena_copy(reader->arena, text);
        return true;
    }
    if (slice_is(path, "files[].sha256"))
        return take_hash(json, text, &file->digest);
    bool is_records = slice_is(path, "files[].records");
    if (!is_records && !slice_is(path, "files[].bytes"))
        return true;
    if (!take_number(json, text, &number))
        return false;
    *(is_records ? &file->records : &file->bytes) = (uint64_t)number;
    return true;
}

static bool on_value(void *ctx, struct json_reader *json, enum json_kind kind, struct slice text)
{
    struct manifest_reader *reader = ctx;
    struct slice path = json_path(json);
    (void)kind;
    if (slice_is(path, "format")) {
        reader->has_format = slice_is(text, AUDIT_EXPORT_FORMAT);
        return reader->has_format || json_fail(json, ERR_VALUE, "not a format that is known here");
    }
    if (slice_is(path, "first"))
        return take_number(json, text, &reader->first);
    if (slice_is(path, "last"))
        return take_number(json, text, &reader->last);
    if (slice_is(path, "count"))
        return take_number(json, text, &reader->count);
    if (slice_is(path, "before")) {
        reader->has_before = true;
        return take_hash(json, text, &reader->out.before.hash);
    }
    if (slice_is(path, "head")) {
        reader->has_head = true;
        return take_hash(json, text, &reader->out.head.hash);
    }
    if (slice_starts(path, SLICE("files[].")))
        return take_file_member(reader, json, path, text);
    return true;
}

static bool on_open(void *ctx, struct json_reader *json, enum json_kind kind)
{
    struct manifest_reader *reader = ctx;
    struct slice path = json_path(json);
    if (kind != JSON_OBJECT)
        return true;
    if (slice_is(path, "signatures[]"))
        reader->signature_start = json_offset(json) - 1;
    if (!slice_is(path, "files[]"))
        return true;
    void *list = reader->out.files;
    if (reader->out.file_count >= AUDIT_EXPORT_FILES_MAX ||
        !grow(reader->arena, &list, reader->out.file_count, &reader->file_room,
              sizeof *reader->out.files))
        return json_fail(json, ERR_TOO_LARGE, "too many files");
    reader->out.files = list;
    reader->out.files[reader->out.file_count++] = (struct audit_export_entry){ 0 };
    return true;
}

static bool on_close(void *ctx, struct json_reader *json, enum json_kind kind)
{
    struct manifest_reader *reader = ctx;
    if (kind != JSON_OBJECT || !slice_is(json_path(json), "signatures[]"))
        return true;
    void *list = reader->out.signatures;
    if (reader->out.signature_count >= AUDIT_EXPORT_SIGNATURES_MAX ||
        !grow(reader->arena, &list, reader->out.signature_count, &reader->signature_room,
              sizeof *reader->out.signatures))
        return json_fail(json, ERR_TOO_LARGE, "too many signatures");
    reader->out.signatures = list;
    size_t start = reader->signature_start, end = json_offset(json);
    reader->out.signatures[reader->out.signature_count++] =
        (struct slice){ reader->text.at + start, end - start };
    return true;
}

bool manifest_read(struct slice text, struct arena *arena, struct manifest *out, struct err *err)
{
    static const struct json_events events = { on_value, on_open, on_close };
    struct manifest_reader reader = { .text = text, .arena = arena };
    struct json_options options = { .root = "manifest" };
    if (!json_read(text, &options, &events, &reader, arena, err))
        return false;
    if (!reader.has_format || !reader.has_before || !reader.has_head || reader.first < 1)
        return err_fail(err, ERR_REQUIRED, "manifest",
                        "format, first, before and head must be there");
    if (reader.last != reader.first - 1 + reader.count)
        return err_fail(err, ERR_VALUE, "manifest", "first, last and count do not agree");
    reader.out.before.seq = reader.first - 1;
    reader.out.head.seq = reader.last;
    *out = reader.out;
    return true;
}

bool audit_export_names(struct slice manifest, struct arena *arena, struct slice **names,
                        unsigned *count, struct err *err)
{
    struct manifest read;
    if (!manifest_read(manifest, arena, &read, err))
        return false;
    struct slice *list = ARENA_ARRAY(arena, struct slice, read.file_count + 1);
    if (list == NULL)
        return err_fail(err, ERR_TOO_LARGE, "manifest", "too many files");
    for (unsigned i = 0; i < read.file_count; i++)
        list[i] = read.files[i].name;
    *names = list;
    *count = read.file_count;
    return true;
}
