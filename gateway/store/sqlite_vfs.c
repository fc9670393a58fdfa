/* A write-ahead log that is written in one piece per commit.
 *
 * SQLite writes each page of a transaction to its log with two writes, a header of 24 bytes and the
 * page; for a batch of jobs that is hundreds of system calls.  Nobody may look at those pages
 * before the sync that ends the transaction, so this layer between SQLite and the system collects
 * them and writes them in one go when SQLite asks for the sync (or reads them back, or asks for the
 * length).  What is durable when a sync returns is the same as without it.  A write that fails is
 * reported by the sync, and SQLite then rolls the transaction back. */
#include <pthread.h>

#include "base/pool.h"
#include "store/sqlite_int.h"

#define GATHER_BYTES (1024 * 1024)
#define PIECE_BYTES (64 * 1024) /* SQLite's own file layer cannot write 128 KB at once */

struct log_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct, in memory that SQLite gave */
    char *gathered;     /* GATHER_BYTES */
    sqlite3_int64 start;
    int len;
};

static sqlite3_vfs vfs;
static sqlite3_vfs *real_vfs;

static struct log_file *log_of(sqlite3_file *file)
{
    return CONTAINER_OF(file, struct log_file, base);
}

/* Drops what could not be written: the transaction will not be committed. */
static int flush(struct log_file *log)
{
    int result = SQLITE_OK, len = log->len;
    log->len = 0;
    for (int done = 0; done < len && result == SQLITE_OK; done += PIECE_BYTES) {
        int piece = len - done < PIECE_BYTES ? len - done : PIECE_BYTES;
        result =
            log->real->pMethods->xWrite(log->real, log->gathered + done, piece, log->start + done);
    }
    return result;
}

static int log_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
    struct log_file *log = log_of(file);
    bool follows = log->len > 0 && at == log->start + log->len;
    if (!follows || len > GATHER_BYTES - log->len) {
        int result = flush(log);
        if (result != SQLITE_OK)
            return result;
        log->start = at;
    }
    if (len > GATHER_BYTES)
        return log->real->pMethods->xWrite(log->real, bytes, len, at);
    memcpy(log->gathered + log->len, bytes, (size_t)len);
    log->len += len;
    return SQLITE_OK;
}

static int log_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 at)
{
    struct log_file *log = log_of(file);
    bool overlaps = at < log->start + log->len && log->start < at + len;
    int result = overlaps ? flush(log) : SQLITE_OK;
    return result == SQLITE_OK ? log->real->pMethods->xRead(log->real, bytes, len, at) : result;
}

static int log_sync(sqlite3_file *file, int flags)
{
    struct log_file *log = log_of(file);
    int result = flush(log);
    return result == SQLITE_OK ? log->real->pMethods->xSync(log->real, flags) : result;
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct log_file *log = log_of(file);
    int result = flush(log);
    return result == SQLITE_OK ? log->real->pMethods->xTruncate(log->real, size) : result;
}

static int log_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct log_file *log = log_of(file);
    int result = flush(log);
    return result == SQLITE_OK ? log->real->pMethods->xFileSize(log->real, size) : result;
}

static int log_close(sqlite3_file *file)
{
    struct log_file *log = log_of(file);
    int flushed = flush(log);
    int closed = log->real->pMethods->xClose(log->real);
    pool_free(log->gathered);
    return flushed != SQLITE_OK ? flushed : closed;
}

/* --- what a log shares with any file ------------------------------------------------------ */

static int log_lock(sqlite3_file *file, int level)
{
    return log_of(file)->real->pMethods->xLock(log_of(file)->real, level);
}

static int log_unlock(sqlite3_file *file, int level)
{
    return log_of(file)->real->pMethods->xUnlock(log_of(file)->real, level);
}

static int log_is_locked(sqlite3_file *file, int *is_locked)
{
    return log_of(file)->real->pMethods->xCheckReservedLock(log_of(file)->real, is_locked);
}

static int log_control(sqlite3_file *file, int what, void *arg)
{
    return log_of(file)->real->pMethods->xFileControl(log_of(file)->real, what, arg);
}

static int log_sector_size(sqlite3_file *file)
{
    return log_of(file)->real->pMethods->xSectorSize(log_of(file)->real);
}

static int log_device(sqlite3_file *file)
{
    return log_of(file)->real->pMethods->xDeviceCharacteristics(log_of(file)->real);
}

static const sqlite3_io_methods log_methods = {
    .iVersion = 1,
    .xClose = log_close,
    .xRead = log_read,
    .xWrite = log_write,
    .xTruncate = log_truncate,
    .xSync = log_sync,
    .xFileSize = log_size,
    .xLock = log_lock,
    .xUnlock = log_unlock,
    .xCheckReservedLock = log_is_locked,
    .xFileControl = log_control,
    .xSectorSize = log_sector_size,
    .xDeviceCharacteristics = log_device,
};

/* Every other file is the system's own. */
static int open_file(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags,
                     int *out_flags)
{
    (void)self;
    if ((flags & SQLITE_OPEN_WAL) == 0)
        return real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
    struct log_file *log = log_of(file);
    memset(log, 0, sizeof *log);
    log->real = (sqlite3_file *)(log + 1);
    int result = real_vfs->xOpen(real_vfs, name, log->real, flags, out_flags);
    if (result != SQLITE_OK)
        return result;
    log->gathered = pool_new(GATHER_BYTES);
    log->base.pMethods = &log_methods;
    return SQLITE_OK;
}

/* --- making it known ---------------------------------------------------------------------- */

static void make_vfs(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    CHECK(real_vfs != NULL);
    vfs = *real_vfs;
    vfs.zName = "lifeline";
    vfs.pNext = NULL;
    vfs.szOsFile = (int)sizeof(struct log_file) + real_vfs->szOsFile;
    vfs.xOpen = open_file;
    CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
}

const char *sqlite_vfs_name(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    CHECK(pthread_once(&once, make_vfs) == 0);
    return vfs.zName;
}
