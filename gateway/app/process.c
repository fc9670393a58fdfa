#include "app/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static sigset_t handled_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

void process_prepare(void)
{
    sigset_t set = handled_signals();
    struct rlimit files;

    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    umask(027);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

enum process_signal process_wait(unsigned timeout_ms)
{
    sigset_t set = handled_signals();
    struct timespec limit = { timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000 };
    int got = sigtimedwait(&set, NULL, &limit);

    if (got == SIGHUP)
        return PROCESS_RELOAD;
    return got == SIGTERM || got == SIGINT ? PROCESS_STOP : PROCESS_TIMEOUT;
}

static void *second_signal(void *unused)
{
    (void)unused;
    while (process_wait(1000) != PROCESS_STOP) {
    }
    _exit(130);
}

void process_die_on_next_signal(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, second_signal, NULL) == 0)
        pthread_detach(thread);
}

static int64_t count_entries(const char *folder)
{
    DIR *entries = opendir(folder);
    int64_t count = 0;

    if (entries == NULL)
        return 0;
    while (readdir(entries) != NULL)
        count++;
    closedir(entries);
    return count > 3 ? count - 3 : 0; /* ".", ".." and the folder itself */
}

struct process_figures process_figures(void)
{
    struct process_figures out = { 0, count_entries("/proc/self/fd") };
    FILE *statm = fopen("/proc/self/statm", "re");
    int64_t pages = 0;

    if (statm == NULL)
        return out;
    if (fscanf(statm, "%*d %" SCNd64, &pages) == 1)
        out.resident_bytes = pages * sysconf(_SC_PAGESIZE);
    fclose(statm);
    return out;
}

int64_t process_file_bytes(const char *path)
{
    struct stat status;

    return path != NULL && stat(path, &status) == 0 ? (int64_t)status.st_size : 0;
}
