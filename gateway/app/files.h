/* app/files.h -- whole files into an arena.
 *
 * Errors    ERR_NOT_FOUND (no such file, or it cannot be read), ERR_TOO_LARGE past `max` or the
 *           arena's limit; where = the path.
 * Thread    any; blocking, so at start-up and in offline commands only.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

/* "-" is standard input. */
bool file_read(const char *path, size_t max, struct arena *arena, struct slice *out,
               struct err *err) MUST_USE;
/* `path` as it is when absolute, else behind the folder of `beside`; NUL-terminated, in `arena`. */
const char *file_beside(const char *beside, const char *path, struct arena *arena);

enum file_state { FILE_MISSING, FILE_UNREADABLE, FILE_PRESENT, FILE_IS_FOLDER };
enum file_state file_state(const char *path);
