/* app/options.h -- command lines as tables: the same rows read the options and print the help.
 *
 * What      --name value, --name=value, flags, "--" and operands in any order.  --help and -h print
 *           a page; an unknown option is answered with the nearest known one.
 * Owns      values borrow from argv.
 * Thread    start-up.
 */
#pragma once

#include <stdio.h>

#include "base/check.h"

enum exit_status { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

enum option_kind {
    OPTION_FLAG,   /* bool: true when given */
    OPTION_TEXT,   /* const char * */
    OPTION_WORD,   /* int: index into words */
    OPTION_NUMBER, /* unsigned */
};

struct option_row {
    const char *name;     /* "--as-of" */
    const char *argument; /* "DATE"; NULL for flags */
    enum option_kind kind;
    void *target;
    const char *const *words; /* OPTION_WORD, NULL-terminated */
    const char *help;         /* may have several lines */
};

struct command_page {
    const char *name;     /* "lifeline lines" */
    const char *operands; /* "FILE...", or NULL when there are none */
    const char *about;    /* sentences, wrapped */
    const struct option_row *options;
    unsigned option_count;
    const char *examples; /* lines, or NULL */
    unsigned operands_min, operands_max;
};

struct operands {
    char **items;
    unsigned count;
};

/* argv[0] is the command's own word.  False: the answer is printed already (help, or what is wrong
 * with the line) and *status is what to end with. */
bool options_read(const struct command_page *page, int argc, char **argv, struct operands *out,
                  int *status) MUST_USE;
void options_print_page(const struct command_page *page, FILE *to);
