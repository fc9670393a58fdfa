/* Moves the write-ahead log into the file on a thread of its own, so that no job waits for it.
 *
 *   IDLE --log is long--> WANTED --helper takes it--> RUNNING --helper done--> DONE --lane--> IDLE
 *
 * While the helper copies, the lane goes on writing, so a helper alone would never see the end of
 * the log and the log would never start again at its beginning.  The lane therefore copies the last
 * stretch itself, which is short.  A log that outgrows the helper makes the lane wait: bounded
 * disk is worth more than one slow commit.  A reader in another process that holds an old snapshot
 * can keep the log from starting again; then the next try comes one stretch later. */
#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "base/pool.h"
#include "store/sqlite_int.h"

#define PAGE_BYTES 8192
#define WAL_SOFT_PAGES (32 * 1024 * 1024 / PAGE_BYTES)  /* from here the helper works */
#define WAL_HARD_PAGES (512 * 1024 * 1024 / PAGE_BYTES) /* from here the lane waits for it */
#define REST_PAGES 256 /* 2 MB: the lane copies so much in a few milliseconds */
#define PASSES_MAX 6
#define HELPER_CACHE_BYTES ((size_t)1024 * 1024)

enum state { IDLE, WANTED, RUNNING, DONE, STOPPING };

struct checkpointer {
    sqlite3 *db;
    uv_thread_t thread;
    uv_mutex_t lock; /* guards changes of state */
    uv_cond_t changed;
    _Atomic enum state state;
    int next_pages; /* lane only: length of the log at which to ask for help */
};

static void set_state(struct checkpointer *checkpointer, enum state state)
{
    uv_mutex_lock(&checkpointer->lock);
    if (checkpointer->state != STOPPING)
        checkpointer->state = state;
    uv_cond_broadcast(&checkpointer->changed);
    uv_mutex_unlock(&checkpointer->lock);
}

static bool wait_for_work(struct checkpointer *checkpointer)
{
    uv_mutex_lock(&checkpointer->lock);
    while (checkpointer->state != WANTED && checkpointer->state != STOPPING)
        uv_cond_wait(&checkpointer->changed, &checkpointer->lock);
    bool is_wanted = checkpointer->state == WANTED;
    if (is_wanted)
        checkpointer->state = RUNNING;
    uv_mutex_unlock(&checkpointer->lock);
    return is_wanted;
}

/* Again and again, each time only what was written meanwhile, until little is left for the lane. */
static void copy_log(sqlite3 *db)
{
    int before = 0;
    for (unsigned pass = 0; pass < PASSES_MAX; pass++) {
        int in_log = 0, copied = 0;
        int result =
            sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log, &copied);
        if (result != SQLITE_OK || copied - before < REST_PAGES)
            return;
        before = copied;
    }
}

/* A failure here loses nothing: the log keeps what was not copied, and the next commit of the lane
 * meets the same disk. */
static void run(void *arg)
{
    struct checkpointer *checkpointer = arg;
    pthread_setname_np(pthread_self(), "checkpoint");
    while (wait_for_work(checkpointer)) {
        copy_log(checkpointer->db);
        set_state(checkpointer, DONE);
    }
}

bool checkpointer_start(const char *path, struct checkpointer **out, struct err *err)
{
    sqlite3 *db = NULL;
    if (!sqlite_connect(path, false, HELPER_CACHE_BYTES, &db, err))
        return false;
    struct checkpointer *checkpointer = pool_new(sizeof *checkpointer);
    checkpointer->db = db;
    checkpointer->next_pages = WAL_SOFT_PAGES;
    CHECK(uv_mutex_init(&checkpointer->lock) == 0);
    CHECK(uv_cond_init(&checkpointer->changed) == 0);
    CHECK(uv_thread_create(&checkpointer->thread, run, checkpointer) == 0);
    *out = checkpointer;
    return true;
}

void checkpointer_stop(struct checkpointer *checkpointer)
{
    if (checkpointer == NULL)
        return;
    set_state(checkpointer, STOPPING);
    uv_thread_join(&checkpointer->thread);
    uv_cond_destroy(&checkpointer->changed);
    uv_mutex_destroy(&checkpointer->lock);
    sqlite3_close(checkpointer->db);
    pool_free(checkpointer);
}

/* The stretch that was written while the helper copied. */
static void finish(struct checkpointer *checkpointer, sqlite3 *db)
{
    int in_log = 0, copied = 0;
    sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log, &copied);
    bool starts_again = in_log >= 0 && copied == in_log;
    checkpointer->next_pages = WAL_SOFT_PAGES + (starts_again ? 0 : in_log);
    set_state(checkpointer, IDLE);
}

static void wait_for_helper(struct checkpointer *checkpointer)
{
    uv_mutex_lock(&checkpointer->lock);
    while (checkpointer->state == WANTED || checkpointer->state == RUNNING)
        uv_cond_wait(&checkpointer->changed, &checkpointer->lock);
    uv_mutex_unlock(&checkpointer->lock);
}

void checkpointer_after_commit(struct checkpointer *checkpointer, sqlite3 *db, int wal_pages)
{
    enum state state = checkpointer->state;
    if (state == IDLE && wal_pages >= checkpointer->next_pages) {
        set_state(checkpointer, WANTED);
    } else if (state == DONE) {
        finish(checkpointer, db);
    } else if (state != IDLE && wal_pages >= WAL_HARD_PAGES) {
        wait_for_helper(checkpointer);
        finish(checkpointer, db);
    }
}
