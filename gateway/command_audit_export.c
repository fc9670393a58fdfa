/* An export is a folder: audit-000001.ndjson ..., and manifest.json, which is written last. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "app/files.h"
#include "audit/export.h"
#include "base/text.h"
#include "command.h"
#include "command_audit.h"

#define PAGE_ROWS 500
#define EXPORT_ARENA_BYTES ((size_t)4 * 1024 * 1024 * 1024)
#define MANIFEST "manifest.json"

bool audit_key_open(const char *public_file, const char *signing_file, struct arena *arena,
                    struct audit_key **out, struct err *err)
{
    const char *file = public_file != NULL ? public_file : signing_file;
    struct slice pem;

    if (file == NULL) {
        *out = NULL;
        return true;
    }
    return file_read(file, (size_t)64 * 1024, arena, &pem, err) &&
           audit_key_read(pem, public_file == NULL, out, err);
}

/* --- writing ---------------------------------------------------------------------------------- */

struct export_work {
    const char *folder;
    struct arena arena; /* entries, statements: as long as the export */
    struct buffer text; /* of the file being filled */
    struct audit_export_entry entries[AUDIT_EXPORT_FILES_MAX];
    struct slice *signatures;
    struct audit_export export;
};

static bool write_file(const char *folder, const char *name, struct slice text, struct err *err)
{
    char path[4096];

    text_add(&TEXT(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wxe"); /* never over something that is there */
    if (file == NULL)
        return err_fail(err, ERR_STORAGE, path, "cannot be made: %s", strerror(errno));
    bool ok = fwrite(text.at, 1, text.len, file) == text.len;
    ok = fclose(file) == 0 && ok;
    return ok || err_fail(err, ERR_STORAGE, path, "cannot be written: %s", strerror(errno));
}

static bool finish_file(struct export_work *work, struct err *err)
{
    struct audit_export *export = &work->export;

    if (work->text.len == 0)
        return true;
    if (export->file_count == AUDIT_EXPORT_FILES_MAX)
        return err_fail(err, ERR_TOO_LARGE, work->folder, "would need too many files");
    struct slice name = arena_format(&work->arena, "audit-%06u.ndjson", export->file_count + 1);
    struct audit_export_file file = { name, buffer_slice(&work->text) };
    work->entries[export->file_count++] = audit_export_entry(&file);
    bool ok = write_file(work->folder, name.at, file.text, err);
    buffer_reset(&work->text);
    return ok;
}

static bool write_records(struct store_tx *tx, struct export_work *work, struct err *err)
{
    struct arena page;
    unsigned count = PAGE_ROWS;
    bool ok = true;

    arena_init(&page, (size_t)1024 * 1024 * 1024);
    while (ok && count == PAGE_ROWS) {
        struct audit_row *rows = NULL;
        ok = store_audit_scan(tx, work->export.head.seq, PAGE_ROWS, &page, &rows, &count, err);
        for (unsigned i = 0; ok && i < count; i++) {
            audit_export_line(rows[i].record, &work->text);
            work->export.head = (struct audit_head){ rows[i].seq, rows[i].hash };
        }
        if (ok && (work->text.len >= AUDIT_EXPORT_FILE_BYTES || count < PAGE_ROWS))
            ok = finish_file(work, err);
        arena_reset(&page);
    }
    arena_fini(&page);
    return ok;
}

static bool gather_signatures(struct store_tx *tx, struct export_work *work, struct err *err)
{
    struct audit_row *rows = NULL;
    unsigned count = 0;

    if (!store_audit_signatures(tx, work->export.before.seq, AUDIT_EXPORT_SIGNATURES_MAX,
                                &work->arena, &rows, &count, err))
        return false;
    work->signatures = ARENA_ARRAY(&work->arena, struct slice, count + 1);
    if (work->signatures == NULL)
        return err_fail(err, ERR_TOO_LARGE, work->folder, "too many signed heads");
    for (unsigned i = 0; i < count && rows[i].seq <= work->export.head.seq; i++)
        work->signatures[work->export.signature_count++] = rows[i].record;
    work->export.signatures = work->signatures;
    return true;
}

static bool write_export(struct store_tx *tx, struct export_work *work, struct err *err)
{
    struct buffer manifest;

    if (mkdir(work->folder, 0750) != 0)
        return err_fail(err, ERR_STORAGE, work->folder, "cannot be made: %s", strerror(errno));
    if (!write_records(tx, work, err) || !gather_signatures(tx, work, err))
        return false;
    work->export.files = work->entries;
    buffer_init(&manifest, (size_t)256 * 1024 * 1024);
    bool ok = audit_export_manifest(&work->export, &manifest, err) &&
              write_file(work->folder, MANIFEST, buffer_slice(&manifest), err);
    buffer_fini(&manifest);
    return ok;
}

static int export_to(const char *config_file, const char *folder)
{
    static struct export_work work; /* too large for a stack */
    struct command_store from;
    struct err err;
    int status = EXIT_DONE;

    if (!command_store_open(config_file, &from))
        return EXIT_REFUSED;
    work.folder = folder;
    work.export.software = "Lifeline " LIFELINE_VERSION;
    work.export.instance = slice_of(from.config.instance_uri);
    work.export.created_ms = clock_wall_ms();
    arena_init(&work.arena, EXPORT_ARENA_BYTES);
    buffer_init(&work.text, AUDIT_EXPORT_FILE_BYTES * 4);
    if (write_export(from.tx, &work, &err)) {
        printf("%s: records up to #%" PRId64 " in %u file%s, %u signed heads\n", folder,
               work.export.head.seq, work.export.file_count, work.export.file_count == 1 ? "" : "s",
               work.export.signature_count);
    } else {
        command_print_err(&err);
        status = EXIT_REFUSED;
    }
    buffer_fini(&work.text);
    arena_fini(&work.arena);
    command_store_close(&from);
    return status;
}

int audit_export(int argc, char **argv)
{
    const char *file = NULL;
    const struct option_row rows[] = { COMMAND_CONFIG_OPTION(&file) };
    const struct command_page page = {
        .name = "lifeline audit export",
        .operands = "FOLDER",
        .about =
            "Writes the audit log into a new folder: the records exactly as they are stored, and\n"
            "a manifest with hashes and signed heads.  Who has the public key can verify it\n"
            "years later without this gateway: lifeline audit verify --export FOLDER --key FILE.",
        .options = rows,
        .option_count = COUNT_OF(rows),
        .operands_min = 1,
        .operands_max = 1,
    };
    struct operands operands;
    int status = EXIT_DONE;

    if (!options_read(&page, argc, argv, &operands, &status))
        return status;
    return export_to(file, operands.items[0]);
}

/* --- verifying -------------------------------------------------------------------------------- */

static bool read_export(const char *folder, struct arena *arena, struct slice *manifest,
                        struct audit_export_file **files, unsigned *count, struct err *err)
{
    struct slice *names = NULL;
    const char *path = arena_format(arena, "%s/" MANIFEST, folder).at;

    if (!file_read(path, (size_t)256 * 1024 * 1024, arena, manifest, err) ||
        !audit_export_names(*manifest, arena, &names, count, err))
        return false;
    *files = ARENA_ARRAY(arena, struct audit_export_file, *count + 1);
    for (unsigned i = 0; *files != NULL && i < *count; i++) {
        if (memchr(names[i].at, '/', names[i].len) != NULL)
            return err_fail(err, ERR_VALUE, path, "names a file outside of its folder");
        path = arena_format(arena, "%s/%.*s", folder, SLICE_ARGS(names[i])).at;
        (*files)[i].name = names[i];
        if (!file_read(path, (size_t)1024 * 1024 * 1024, arena, &(*files)[i].text, err))
            return false;
    }
    return *files != NULL || err_fail(err, ERR_TOO_LARGE, folder, "larger than memory's limit");
}

int audit_verify_export(const char *folder, const char *key_file)
{
    struct audit_export_file *files = NULL;
    struct audit_verifier verifier;
    struct audit_key *key = NULL;
    struct slice manifest;
    struct arena arena;
    struct err err = { .code = ERR_OK };
    unsigned count = 0;
    int status = EXIT_REFUSED;

    arena_init(&arena, (size_t)16 * 1024 * 1024 * 1024);
    bool ok = audit_key_open(key_file, NULL, &arena, &key, &err) &&
              read_export(folder, &arena, &manifest, &files, &count, &err);
    ok = ok &&
         (audit_export_verify(manifest, files, count, key, &verifier, &err) || err.code == ERR_OK);
    if (ok)
        status = audit_print_verdict(&verifier, key != NULL);
    else
        command_print_err(&err);
    if (key != NULL)
        audit_key_free(key);
    arena_fini(&arena);
    return status;
}
