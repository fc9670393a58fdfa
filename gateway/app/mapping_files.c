#include "app/mapping_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/files.h"

struct folders {
    struct arena arena;
    struct mapping_file files[2 * MAPPING_FILES_MAX];
    unsigned count;
};

struct table_names {
    const char *list[MAPPING_FILES_MAX];
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

/* Sorted: the digest of a folder must not depend on the order of its entries. */
static bool list_tables(const char *path, struct arena *arena, struct table_names *out,
                        struct err *err)
{
    DIR *entries = opendir(path);
    if (entries == NULL)
        return err_fail(err, ERR_NOT_FOUND, path, "cannot be opened: %s", strerror(errno));

    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(entries)) != NULL;) {
        if (!is_table(entry->d_name))
            continue;
        if (out->count == MAPPING_FILES_MAX)
            ok = err_fail(err, ERR_TOO_LARGE, path, "holds more than %d tables", MAPPING_FILES_MAX);
        else
            out->list[out->count++] = arena_copy(arena, slice_of(entry->d_name)).at;
    }
    closedir(entries);
    qsort(out->list, out->count, sizeof out->list[0], by_name);
    return ok;
}

static bool read_tables(struct folders *folders, const char *path, bool is_overlay, struct err *err)
{
    struct table_names names = { .count = 0 };
    if (!list_tables(path, &folders->arena, &names, err))
        return false;
    if (names.count == 0)
        return err_fail(err, ERR_NOT_FOUND, path, "holds no .tsv table");
    for (unsigned i = 0; i < names.count; i++) {
        struct mapping_file *file = &folders->files[folders->count++];
        struct slice full = arena_format(&folders->arena, "%s/%s", path, names.list[i]);
        file->name = names.list[i];
        file->is_overlay = is_overlay;
        if (!file_read(full.at, MAPPING_FILE_BYTES_MAX, &folders->arena, &file->text, err))
            return false;
    }
    return true;
}

bool mapping_open(const char *folder, const char *overlay, struct mapping **out,
                  struct table_errors *errors)
{
    struct folders folders = { .count = 0 };
    arena_init(&folders.arena, 8 * MAPPING_FILE_BYTES_MAX);

    struct err err;
    bool ok = read_tables(&folders, folder, false, &err) &&
              (overlay == NULL || read_tables(&folders, overlay, true, &err));
    if (!ok && errors->count < TABLE_ERRORS_MAX)
        errors->list[errors->count++] = err;
    if (ok)
        ok = mapping_load(folders.files, folders.count, out, errors);
    arena_fini(&folders.arena);
    return ok;
}

const char *mapping_whole_file(const char *folder, const char *overlay, const char *name,
                               struct arena *arena)
{
    if (overlay != NULL) {
        const char *theirs = arena_format(arena, "%s/%s", overlay, name).at;
        if (file_state(theirs) == FILE_PRESENT)
            return theirs;
    }
    return arena_format(arena, "%s/%s", folder, name).at;
}
