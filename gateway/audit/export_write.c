#include "audit/export.h"
#include "base/date.h"
#include "base/json.h"

void audit_export_line(struct slice line, struct buffer *file)
{
    buffer_add(file, line);
    buffer_add_char(file, '\n');
}

struct audit_export_entry audit_export_entry(const struct audit_export_file *file)
{
    struct audit_export_entry entry = { .name = file->name,
                                        .digest = sha256_of_one(file->text),
                                        .bytes = file->text.len };
    for (size_t i = 0; i < file->text.len; i++)
        entry.records += file->text.at[i] == '\n';
    return entry;
}

static void put_hash(struct json_writer *writer, const char *key, const struct sha256 *hash)
{
    char hex[SHA256_HEX_SIZE];
    json_put_text(writer, key, sha256_hex(hash, hex));
}

bool audit_export_manifest(const struct audit_export *export, struct buffer *out, struct err *err)
{
    char created[INSTANT_TEXT_SIZE];
    struct json_writer writer;
    json_writer_init(&writer, out, true);
    json_object(&writer);
    json_put_text(&writer, "format", AUDIT_EXPORT_FORMAT);
    json_put_text(&writer, "software", export->software);
    json_put(&writer, "instance", export->instance);
    json_put_text(&writer, "created", instant_format(export->created_ms, created));
    json_put_integer(&writer, "count", export->head.seq - export->before.seq);
    json_put_integer(&writer, "first", export->before.seq + 1);
    json_put_integer(&writer, "last", export->head.seq);
    put_hash(&writer, "before", &export->before.hash);
    put_hash(&writer, "head", &export->head.hash);
    json_key(&writer, "files");
    json_array(&writer);
    for (unsigned i = 0; i < export->file_count; i++) {
        const struct audit_export_entry *file = &export->files[i];
        json_object(&writer);
        json_put(&writer, "name", file->name);
        json_put_integer(&writer, "records", (int64_t)file->records);
        json_put_integer(&writer, "bytes", (int64_t)file->bytes);
        put_hash(&writer, "sha256", &file->digest);
        json_object_end(&writer);
    }
    json_array_end(&writer);
    json_key(&writer, "signatures");
    json_array(&writer);
    for (unsigned i = 0; i < export->signature_count; i++)
        json_raw(&writer, export->signatures[i]);
    json_array_end(&writer);
    json_object_end(&writer);
    buffer_add_char(out, '\n');
    if (buffer_overflowed(out))
        return err_fail(err, ERR_TOO_LARGE, "manifest", "the manifest is too large");
    return true;
}
