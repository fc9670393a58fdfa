/* support/mapping_folder.h -- a mappings folder in memory, for tests that load or damage it.
 *
 * Owns      the arena holds all names and texts, until mapping_folder_fini().
 */
#pragma once

#include "mapping/mapping.h"

#define MAPPING_FOLDER_FILES_MAX 64

struct mapping_folder {
    struct arena arena;
    struct mapping_file files[MAPPING_FOLDER_FILES_MAX];
    unsigned count;
};

/* Every .tsv file of the folder; stops the test when it cannot be read. */
void mapping_folder_read(struct mapping_folder *folder, const char *path);
void mapping_folder_fini(struct mapping_folder *folder);
/* Replaces the text of a file, or adds the file. */
void mapping_folder_put(struct mapping_folder *folder, const char *name, struct slice text);
/* Puts a file of the site's overlay beside ours. */
void mapping_folder_overlay(struct mapping_folder *folder, const char *name, struct slice text);
void mapping_folder_remove(struct mapping_folder *folder, const char *name);

/* A whole file into the arena; an empty slice with `at` NULL when there is no such file. */
struct slice support_read_file(struct arena *arena, const char *path);
