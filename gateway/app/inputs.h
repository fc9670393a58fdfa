/* app/inputs.h -- the files an offline command was given, as texts that are read one after another.
 *
 * What      files, folders (every .json, .ndjson, .jsonl below, also with .gz behind, in order of
 *           name; hidden ones and links to folders are left alone) and "-", standard input.
 *           A file of lines comes in pieces of whole lines, so that its size does not matter; any
 *           other comes whole.  What is compressed with gzip is recognised by its first bytes.
 * Owns      inputs_next() fills the caller's buffer; source names live until inputs_close().
 * Errors    what cannot be read is told through `refused`, and the next file follows.
 * Thread    one; blocking.
 */
#pragma once

#include "base/buffer.h"
#include "base/err.h"

#define INPUT_PIECE_BYTES ((size_t)256 * 1024)
#define INPUT_TEXT_BYTES_MAX ((size_t)4 * 1024 * 1024 * 1024)

/* `line` counts from 1; 0 where a file is one text. */
typedef void inputs_refused(void *ctx, const char *source, unsigned line, const struct err *err);

struct input_piece {
    const char *source;
    unsigned file; /* number of the file, from 1 */
    unsigned line; /* of its first line; 0: the whole file is one text */
};

struct inputs;
struct inputs *inputs_open(char *const *names, unsigned count, inputs_refused *refused,
                           void *ctx) MUST_USE;
void inputs_close(struct inputs *inputs);
/* False: nothing is left. */
bool inputs_next(struct inputs *inputs, struct buffer *text, struct input_piece *piece) MUST_USE;
unsigned inputs_refused_count(const struct inputs *inputs);
/* Bytes of files read so far, and of all; `total` is 0 where it is not known (pipes). */
void inputs_position(const struct inputs *inputs, uint64_t *done, uint64_t *total);
