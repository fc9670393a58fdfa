#include "app/inputs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/pool.h"

#define READ_BYTES ((size_t)128 * 1024)
#define FOLDER_DEPTH_MAX 64
#define NAMES_BYTES_MAX ((size_t)1024 * 1024 * 1024)

struct inputs {
    inputs_refused *refused;
    void *ctx;
    unsigned refused_count;
    struct arena names;
    const char **files;
    unsigned count, room;
    uint64_t total, done; /* done: of the files before this one */
    bool is_total_known;

    /* the file being read */
    unsigned next; /* index of the file after it */
    gzFile file;
    bool is_lines, is_ended;
    unsigned line;
    uint64_t unpacked;  /* bytes read of it */
    struct buffer rest; /* read and not yet handed out */
};

static void refuse(struct inputs *inputs, const char *source, const struct err *err)
{
    inputs->refused_count++;
    inputs->refused(inputs->ctx, source, 0, err);
}

static void refuse_errno(struct inputs *inputs, const char *source, const char *what)
{
    struct err err;
    err_fail(&err, ERR_NOT_FOUND, "", "%s: %s", what, strerror(errno));
    refuse(inputs, source, &err);
}

/* --- which files ----------------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), tail = strlen(end);
    return len > tail && memcmp(name + len - tail, end, tail) == 0;
}

static bool is_lines_name(const char *name)
{
    return ends_with(name, ".ndjson") || ends_with(name, ".jsonl") ||
           ends_with(name, ".ndjson.gz") || ends_with(name, ".jsonl.gz");
}

static bool is_fhir_name(const char *name)
{
    return is_lines_name(name) || ends_with(name, ".json") || ends_with(name, ".json.gz");
}

static void add_file(struct inputs *inputs, const char *name, const struct stat *status)
{
    if (inputs->count == inputs->room) {
        inputs->room = inputs->room > 0 ? inputs->room * 2 : 64;
        inputs->files = pool_resize(inputs->files, inputs->room * sizeof inputs->files[0]);
    }
    inputs->files[inputs->count++] = name;
    if (status != NULL && S_ISREG(status->st_mode))
        inputs->total += (uint64_t)status->st_size;
    else
        inputs->is_total_known = false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_folder(struct inputs *inputs, const char *folder, unsigned depth);

static void add_entry(struct inputs *inputs, const char *path, unsigned depth)
{
    struct stat link, status;

    if (lstat(path, &link) != 0 || stat(path, &status) != 0)
        refuse_errno(inputs, path, "cannot be opened");
    else if (S_ISDIR(link.st_mode))
        add_folder(inputs, path, depth + 1);
    else if (!S_ISDIR(status.st_mode) && is_fhir_name(path))
        add_file(inputs, path, &status);
}

/* Sorted, so that the output does not depend on how the file system keeps its folders. */
static void add_folder(struct inputs *inputs, const char *folder, unsigned depth)
{
    const char **paths = NULL;
    unsigned count = 0, room = 0;
    DIR *entries = depth < FOLDER_DEPTH_MAX ? opendir(folder) : NULL;

    if (entries == NULL) {
        refuse_errno(inputs, folder, "cannot be opened");
        return;
    }
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        if (count == room) {
            room = room > 0 ? room * 2 : 64;
            paths = pool_resize(paths, room * sizeof paths[0]);
        }
        bool has_slash = ends_with(folder, "/");
        paths[count] =
            arena_format(&inputs->names, "%s%s%s", folder, has_slash ? "" : "/", entry->d_name).at;
        count++;
    }
    closedir(entries);
    if (count > 0)
        qsort(paths, count, sizeof paths[0], by_name);
    for (unsigned i = 0; i < count && !arena_overflowed(&inputs->names); i++)
        add_entry(inputs, paths[i], depth);
    pool_free(paths);
}

struct inputs *inputs_open(char *const *names, unsigned count, inputs_refused *refused, void *ctx)
{
    struct inputs *inputs = pool_new(sizeof *inputs);

    inputs->refused = refused;
    inputs->ctx = ctx;
    inputs->is_total_known = true;
    arena_init(&inputs->names, NAMES_BYTES_MAX);
    buffer_init(&inputs->rest, INPUT_TEXT_BYTES_MAX);
    for (unsigned i = 0; i < count; i++) {
        struct stat status;
        if (strcmp(names[i], "-") == 0)
            add_file(inputs, names[i], NULL);
        else if (stat(names[i], &status) != 0)
            refuse_errno(inputs, names[i], "cannot be opened");
        else if (S_ISDIR(status.st_mode))
            add_folder(inputs, names[i], 0);
        else
            add_file(inputs, names[i], &status);
    }
    return inputs;
}

void inputs_close(struct inputs *inputs)
{
    if (inputs->file != NULL)
        gzclose(inputs->file);
    buffer_fini(&inputs->rest);
    arena_fini(&inputs->names);
    pool_free(inputs->files);
    pool_free(inputs);
}

unsigned inputs_refused_count(const struct inputs *inputs) { return inputs->refused_count; }

/* In the file as it lies there; of a pipe nobody knows but by counting. */
static uint64_t position(const struct inputs *inputs)
{
    z_off_t at = gzoffset(inputs->file);
    return at >= 0 ? (uint64_t)at : inputs->unpacked;
}

void inputs_position(const struct inputs *inputs, uint64_t *done, uint64_t *total)
{
    *done = inputs->done + (inputs->file != NULL ? position(inputs) : 0);
    *total = inputs->is_total_known ? inputs->total : 0;
}

/* --- one file -------------------------------------------------------------------------------- */

static const char *source_name(const char *name)
{
    return strcmp(name, "-") == 0 ? "standard input" : name;
}

static const char *source_now(const struct inputs *inputs)
{
    return source_name(inputs->files[inputs->next - 1]);
}

static bool open_next(struct inputs *inputs)
{
    while (inputs->next < inputs->count) {
        const char *name = inputs->files[inputs->next++];
        bool is_stdin = strcmp(name, "-") == 0;
        int fd = is_stdin ? dup(STDIN_FILENO) : open(name, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            refuse_errno(inputs, source_name(name), "cannot be opened");
            continue;
        }
        inputs->file = gzdopen(fd, "rb");
        CHECK(inputs->file != NULL); /* memory alone can be missing */
        (void)gzbuffer(inputs->file, (unsigned)READ_BYTES);
        buffer_reset(&inputs->rest);
        inputs->is_ended = false;
        inputs->line = 0;
        inputs->unpacked = 0;
        inputs->is_lines = is_lines_name(name);
        return true;
    }
    return false;
}

static void close_file(struct inputs *inputs)
{
    inputs->done += position(inputs);
    gzclose(inputs->file);
    inputs->file = NULL;
}

/* Reads on behind `rest`.  False: nothing more of this file is to be had, and it is said why. */
static bool read_more(struct inputs *inputs)
{
    struct err err;
    int code = Z_OK;
    char *room = buffer_room(&inputs->rest, READ_BYTES);

    if (room == NULL) {
        err_fail(&err, ERR_TOO_LARGE, "", "the text is larger than the limit of 4 GiB");
        refuse(inputs, source_now(inputs), &err);
        return false;
    }
    errno = 0;
    int got = gzread(inputs->file, room, (unsigned)READ_BYTES);
    if (got > 0) {
        buffer_grew(&inputs->rest, (size_t)got);
        inputs->unpacked += (uint64_t)got;
        return true;
    }
    const char *why = gzerror(inputs->file, &code);
    if (got == 0 && (code == Z_OK || code == Z_STREAM_END)) {
        inputs->is_ended = true;
        return true;
    }
    err_fail(&err, ERR_NOT_FOUND, "", "cannot be read: %s",
             code == Z_ERRNO ? strerror(errno) : why);
    refuse(inputs, source_now(inputs), &err);
    return false;
}

/* --- texts and lines ------------------------------------------------------------------------- */

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static struct slice trimmed(struct slice text)
{
    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        text = slice_skip(text, 3);
    while (text.len > 0 && is_blank(text.at[0]))
        text = slice_skip(text, 1);
    while (text.len > 0 && is_blank(text.at[text.len - 1]))
        text.len--;
    return text;
}

enum shape { SHAPE_UNKNOWN, SHAPE_LINES, SHAPE_TEXT };

/* A file of lines: the first line closes what it opens, and another one begins behind it. */
static enum shape shape_of(struct slice text, bool is_ended)
{
    struct slice rest = text;
    while (rest.len > 0 && (is_blank(rest.at[0]) || (unsigned char)rest.at[0] >= 0x80))
        rest = slice_skip(rest, 1);
    bool has_line = rest.len > 0 && memchr(rest.at, '\n', rest.len) != NULL;
    struct slice first = trimmed(slice_take_until(&rest, '\n'));
    rest = trimmed(rest);
    if (first.len > 0 && first.at[0] != '{')
        return SHAPE_TEXT;
    if (has_line && (first.len < 2 || first.at[first.len - 1] != '}'))
        return SHAPE_TEXT;
    if (rest.len > 0)
        return rest.at[0] == '{' ? SHAPE_LINES : SHAPE_TEXT;
    return is_ended ? SHAPE_TEXT : SHAPE_UNKNOWN;
}

/* The first line may be long, and the look at it must not begin anew with every block. */
static bool learn_shape(struct inputs *inputs)
{
    size_t looked = 0;
    while (!inputs->is_lines) {
        if (!read_more(inputs))
            return false;
        struct slice text = buffer_slice(&inputs->rest);
        bool is_worth = inputs->is_ended || looked == 0 ||
                        memchr(text.at + looked, '\n', text.len - looked) != NULL ||
                        text.at[looked - 1] == '\n';
        looked = text.len;
        enum shape shape = is_worth ? shape_of(text, inputs->is_ended) : SHAPE_UNKNOWN;
        inputs->is_lines = shape == SHAPE_LINES;
        if (shape == SHAPE_TEXT)
            break;
    }
    return true;
}

static void hand_out(struct inputs *inputs, size_t len, struct buffer *text,
                     struct input_piece *piece)
{
    struct slice whole = buffer_slice(&inputs->rest);

    *piece = (struct input_piece){ source_now(inputs), inputs->next,
                                   inputs->is_lines ? inputs->line + 1 : 0 };
    buffer_reset(text);
    buffer_add(text, (struct slice){ whole.at, len });
    for (const char *at = whole.at; inputs->is_lines && at < whole.at + len; inputs->line++) {
        const char *end = memchr(at, '\n', (size_t)(whole.at + len - at));
        at = end != NULL ? end + 1 : whole.at + len;
    }
    memmove(inputs->rest.at, whole.at + len, whole.len - len);
    inputs->rest.len -= len;
}

/* Whole lines, about INPUT_PIECE_BYTES of them. */
static bool next_lines(struct inputs *inputs, struct buffer *text, struct input_piece *piece)
{
    for (size_t looked = 0;;) {
        struct slice have = buffer_slice(&inputs->rest);
        const char *end = have.len >= INPUT_PIECE_BYTES
                              ? memrchr(have.at + looked, '\n', have.len - looked)
                              : NULL;
        if (inputs->is_ended || end != NULL) {
            size_t len = end != NULL ? (size_t)(end - have.at) + 1 : have.len;
            if (len == 0)
                return false;
            hand_out(inputs, len, text, piece);
            return true;
        }
        looked = have.len >= INPUT_PIECE_BYTES ? have.len : 0;
        if (read_more(inputs))
            continue;
        end = have.len > 0 ? memrchr(have.at, '\n', have.len) : NULL;
        inputs->rest.len = end != NULL ? (size_t)(end - have.at) + 1 : 0; /* whole lines count */
        inputs->is_ended = true;
    }
}

static bool next_text(struct inputs *inputs, struct buffer *text, struct input_piece *piece)
{
    while (!inputs->is_ended)
        if (!read_more(inputs))
            return false;
    hand_out(inputs, inputs->rest.len, text, piece);
    return true;
}

bool inputs_next(struct inputs *inputs, struct buffer *text, struct input_piece *piece)
{
    for (;;) {
        bool is_new = inputs->file == NULL;
        if (is_new && !open_next(inputs))
            return false;
        bool is_readable = !is_new || learn_shape(inputs);
        if (is_readable && inputs->is_lines && next_lines(inputs, text, piece))
            return true;
        bool has_text = is_readable && !inputs->is_lines && next_text(inputs, text, piece);
        close_file(inputs);
        if (has_text)
            return true;
    }
}
