/* app/mapping_files.h -- reads a mappings folder from disk and hands it to mapping/, which is pure.
 *
 * Errors    all faults at once in `errors`: "file:line: column: what is wrong".
 * Thread    start-up and offline commands; blocking.
 */
#pragma once

#include "mapping/mapping.h"

#define MAPPING_FILES_MAX 64
#define MAPPING_FILE_BYTES_MAX ((size_t)64 * 1024 * 1024)

bool mapping_open(const char *folder, struct mapping **out, struct table_errors *errors) MUST_USE;
