/* app/process.h -- what the process asks of the system: signals, open files, its own size.
 *
 * What      signals are blocked in every thread and taken by the main thread, which has nothing
 *           else to do while the loops run.  The second SIGTERM or SIGINT ends the process at once,
 *           which is as safe as a crash and as a kill -9: nothing acknowledged is lost.
 * Thread    process_prepare() before any other thread exists; process_wait() on the main thread.
 */
#pragma once

#include "base/err.h"

enum process_signal {
    PROCESS_TIMEOUT, /* nothing happened within the time given */
    PROCESS_STOP,    /* SIGTERM or SIGINT */
    PROCESS_RELOAD,  /* SIGHUP: read certificates anew */
};

/* Blocks the signals, ignores SIGPIPE, raises the limit of open files as far as allowed; umask 027.
 * */
void process_prepare(void);
enum process_signal process_wait(unsigned timeout_ms);
/* From here on another SIGTERM or SIGINT ends the process with status 130. */
void process_die_on_next_signal(void);

struct process_figures {
    int64_t resident_bytes, open_files;
};
struct process_figures process_figures(void);
/* Size of a file, 0 when there is none. */
int64_t process_file_bytes(const char *path);
