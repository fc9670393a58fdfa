#include "app/mapping_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/files.h"

struct folder {
    const char *path;
    struct arena arena;
    const char *names[MAPPING_FILES_MAX];
    struct mapping_file files[MAPPING_FILES_MAX];
    unsigned count;
};

static bool is_table(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && name[0] != '.' && strcmp(name + len - 4, ".tsv") == 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names first, sorted: the digest of a folder must not depend on the order of its entries. */
static bool list_tables(struct folder *folder, struct err *err)
{
    DIR *entries = opendir(folder->path);
    if (entries == NULL)
        return err_fail(err, ERR_NOT_FOUND, folder->path, "cannot be opened: %s", strerror(errno));

    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(entries)) != NULL;) {
        if (!is_table(entry->d_name))
            continue;
        if (folder->count == MAPPING_FILES_MAX)
            ok = err_fail(err, ERR_TOO_LARGE, folder->path, "holds more than %d tables",
                          MAPPING_FILES_MAX);
        else
            folder->names[folder->count++] = arena_copy(&folder->arena, slice_of(entry->d_name)).at;
    }
    closedir(entries);
    qsort(folder->names, folder->count, sizeof folder->names[0], by_name);
    return ok;
}

static bool read_tables(struct folder *folder, struct err *err)
{
    if (!list_tables(folder, err))
        return false;
    if (folder->count == 0)
        return err_fail(err, ERR_NOT_FOUND, folder->path, "holds no .tsv table");
    for (unsigned i = 0; i < folder->count; i++) {
        struct slice path = arena_format(&folder->arena, "%s/%s", folder->path, folder->names[i]);
        folder->files[i].name = folder->names[i];
        if (!file_read(path.at, MAPPING_FILE_BYTES_MAX, &folder->arena, &folder->files[i].text,
                       err))
            return false;
    }
    return true;
}

bool mapping_open(const char *path, struct mapping **out, struct table_errors *errors)
{
    struct folder folder = { .path = path };
    arena_init(&folder.arena, 4 * MAPPING_FILE_BYTES_MAX);

    struct err err;
    bool ok = read_tables(&folder, &err);
    if (!ok && errors->count < TABLE_ERRORS_MAX)
        errors->list[errors->count++] = err;
    if (ok)
        ok = mapping_load(folder.files, folder.count, out, errors);
    arena_fini(&folder.arena);
    return ok;
}
