#include "support/mapping_folder.h"

#include <dirent.h>
#include <stdio.h>

#define FOLDER_BYTES_MAX ((size_t)256 * 1024 * 1024)

struct slice support_read_file(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return (struct slice){ NULL, 0 };
    CHECK(fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    CHECK(size >= 0);
    rewind(file);
    char *text = arena_alloc_raw(arena, (size_t)size + 1);
    CHECK(text != NULL);
    CHECK(fread(text, 1, (size_t)size, file) == (size_t)size);
    fclose(file);
    return (struct slice){ text, (size_t)size };
}

void mapping_folder_read(struct mapping_folder *folder, const char *path)
{
    arena_init(&folder->arena, FOLDER_BYTES_MAX);
    folder->count = 0;
    DIR *entries = opendir(path);
    CHECK(entries != NULL);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        struct slice name = slice_of(entry->d_name);
        if (name.len < 5 || !slice_is(slice_skip(name, name.len - 4), ".tsv"))
            continue;
        CHECK(folder->count < MAPPING_FOLDER_FILES_MAX);
        struct slice full = arena_format(&folder->arena, "%s/%s", path, entry->d_name);
        folder->files[folder->count++] =
            (struct mapping_file){ arena_copy(&folder->arena, name).at,
                                   support_read_file(&folder->arena, full.at), false };
    }
    closedir(entries);
}

void mapping_folder_fini(struct mapping_folder *folder) { arena_fini(&folder->arena); }

static unsigned place_of(const struct mapping_folder *folder, const char *name)
{
    unsigned i = 0;
    while (i < folder->count && strcmp(folder->files[i].name, name) != 0)
        i++;
    return i;
}

void mapping_folder_put(struct mapping_folder *folder, const char *name, struct slice text)
{
    unsigned i = place_of(folder, name);
    CHECK(i < MAPPING_FOLDER_FILES_MAX);
    if (i == folder->count)
        folder->files[folder->count++].name = arena_copy(&folder->arena, slice_of(name)).at;
    folder->files[i].text = text;
}

void mapping_folder_overlay(struct mapping_folder *folder, const char *name, struct slice text)
{
    CHECK(folder->count < MAPPING_FOLDER_FILES_MAX);
    folder->files[folder->count++] =
        (struct mapping_file){ arena_copy(&folder->arena, slice_of(name)).at, text, true };
}

void mapping_folder_remove(struct mapping_folder *folder, const char *name)
{
    unsigned i = place_of(folder, name);
    CHECK(i < folder->count);
    folder->files[i] = folder->files[--folder->count];
}
