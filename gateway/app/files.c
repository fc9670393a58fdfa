#include "app/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"

#define FILE_CHUNK ((size_t)256 * 1024)

static bool read_all(int fd, const char *path, struct buffer *into, struct err *err)
{
    for (;;) {
        char *room = buffer_room(into, FILE_CHUNK);
        if (room == NULL)
            return err_fail(err, ERR_TOO_LARGE, path, "the file is larger than the limit");
        ssize_t got = read(fd, room, FILE_CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_fail(err, ERR_NOT_FOUND, path, "cannot be read: %s", strerror(errno));
        if (got == 0)
            return true;
        buffer_grew(into, (size_t)got);
    }
}

bool file_read(const char *path, size_t max, struct arena *arena, struct slice *out,
               struct err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_fail(err, ERR_NOT_FOUND, path, "cannot be opened: %s", strerror(errno));

    struct buffer bytes;
    buffer_init(&bytes, max + FILE_CHUNK);
    bool ok = read_all(fd, is_stdin ? "standard input" : path, &bytes, err);
    if (ok && bytes.len > max)
        ok = err_fail(err, ERR_TOO_LARGE, path, "the file is larger than the limit");
    if (ok) {
        struct slice copy = arena_copy(arena, buffer_slice(&bytes));
        if (arena_overflowed(arena))
            ok = err_fail(err, ERR_TOO_LARGE, path, "the file does not fit into memory's limit");
        else
            *out = copy;
    }
    buffer_fini(&bytes);
    if (!is_stdin)
        close(fd);
    return ok;
}

const char *file_beside(const char *beside, const char *path, struct arena *arena)
{
    const char *slash = beside != NULL ? strrchr(beside, '/') : NULL;
    int folder = slash != NULL ? (int)(slash - beside) : 0;

    if (path[0] == '/' || slash == NULL)
        return arena_copy(arena, slice_of(path)).at;
    return arena_format(arena, "%.*s/%s", folder, beside, path).at;
}

enum file_state file_state(const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return FILE_MISSING;
    if (access(path, R_OK) != 0)
        return FILE_UNREADABLE;
    return S_ISDIR(status.st_mode) ? FILE_IS_FOLDER : FILE_PRESENT;
}
