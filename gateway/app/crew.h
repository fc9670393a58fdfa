/* app/crew.h -- worker threads of an offline command, and the tasks they share.
 *
 * What      tasks run in any order on any thread; the owner waits for them in the order it likes,
 *           which is how output stays in order.  Whoever waits works meanwhile, so a crew of one
 *           has no thread of its own and runs everything in crew_wait().
 * Owns      the task is the owner's (embed it), untouched by the crew once crew_wait() returns.
 * Errors    threads that the system does not give are done without.
 * Thread    one owner submits, waits and closes.
 */
#pragma once

#include "base/check.h"

#define CREW_MAX 256

struct crew_task {
    void (*run)(struct crew_task *task);
    /* private */
    struct crew_task *next;
    bool is_done;
};

struct crew;
/* `size` counts the owner; 0 means one for each processor that this process may use. */
struct crew *crew_open(unsigned size) MUST_USE;
unsigned crew_size(const struct crew *crew);
void crew_submit(struct crew *crew, struct crew_task *task);
void crew_wait(struct crew *crew, struct crew_task *task);
/* Every task has been waited for. */
void crew_close(struct crew *crew);
