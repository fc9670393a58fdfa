/* app/lines_run.h -- `lifeline lines` once its options are known: files in, reports out.
 *
 * What      texts are read and patients derived on all threads, taken and written in order, so that
 *           the output is the same for any number of threads.  Only a few texts and patients are
 *           in flight at a time.
 * Errors    what is refused is named on standard error, with file and line, and counted.
 * Thread    one; starts others (app/crew.h).
 */
#pragma once

#include "app/lines_output.h"
#include "mapping/mapping.h"

struct lines_options {
    enum lines_format format;
    bool explain, unmapped, is_grouped;
    const struct mapping *mapping;
    const struct rules *rules, *compare; /* compare: NULL, or the rule set to print beside */
    struct date as_of, since;            /* since: none, or the day whose answer to print beside */
    unsigned threads;                    /* 0: one for each processor */
    const char *output;                  /* NULL: standard output */
};

/* How much was refused or failed. */
unsigned lines_run(const struct lines_options *options, char *const *files, unsigned file_count);
