/* app/mapping_files.h -- reads a mappings folder from disk for mapping/, which is pure.
 *
 * What      `overlay` is a site's own folder, or NULL: its tables bear the names of ours and change
 *           their rows (mapping/table.h has the rule).
 * Errors    all faults at once in `errors`: "file:line: column: what is wrong".
 * Thread    start-up and offline commands; blocking.
 */
#pragma once

#include "mapping/mapping.h"

#define MAPPING_FILES_MAX 64
#define MAPPING_FILE_BYTES_MAX ((size_t)64 * 1024 * 1024)

bool mapping_open(const char *folder, const char *overlay, struct mapping **out,
                  struct table_errors *errors) MUST_USE;
/* "outputs.tsv" of the overlay when it has one, else ours: a table that is replaced whole. */
const char *mapping_whole_file(const char *folder, const char *overlay, const char *name,
                               struct arena *arena);
