/* app/progress.h -- one line on the terminal that says how far a long command is.
 *
 * What      appears on standard error after a second, when that is a terminal, and goes away at the
 *           end; progress_text() is the line itself, a pure function of the numbers.
 * Thread    one.
 */
#pragma once

#include "base/check.h"

#define PROGRESS_TEXT_SIZE 120

struct progress_numbers {
    const char *what;     /* "reading" */
    uint64_t done, total; /* bytes or patients; total 0: not known */
    bool is_bytes;
    uint64_t patients;  /* so far; 0: not shown */
    int64_t elapsed_ms; /* since `what` began */
};
/* "reading   45 % [=====>     ]  118 MB/s  12 s left" */
const char *progress_text(const struct progress_numbers *numbers, char out[PROGRESS_TEXT_SIZE]);

struct progress;
struct progress *progress_open(void) MUST_USE;
void progress_close(struct progress *progress);
/* Call it often: it looks at the clock and seldom prints. */
void progress_show(struct progress *progress, const struct progress_numbers *numbers);
/* Clears the line, so that something else can be printed. */
void progress_hide(struct progress *progress);
