/* command.h -- the commands of the binary: one function and one file each.
 *
 * What      main.c has the table; a command reads its own line with app/options.h, so that each has
 *           a help page of its own.  argv[0] is the command's word.
 * Errors    a command returns the exit status: 0 done, 1 something was refused or is wrong with the
 *           data, 2 the command line was not understood.
 */
#pragma once

#include "app/config.h"
#include "app/options.h"
#include "store/store.h"

struct command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
};

int command_serve(int argc, char **argv);
int command_lines(int argc, char **argv);
int command_codes(int argc, char **argv);
int command_check(int argc, char **argv);
int command_audit(int argc, char **argv);
int command_outbox(int argc, char **argv);
int command_keys(int argc, char **argv);
int command_unmapped(int argc, char **argv);
int command_healthcheck(int argc, char **argv);
int command_version(int argc, char **argv);

/* --- shared by commands (command.c) ----------------------------------------------------------- */

/* Prints the complaints of a load to standard error, one per line. */
void command_print_errors(const struct table_errors *errors);
/* The configuration of --config (NULL: LIFELINE_CONFIG or the default file), or complaints. */
bool command_config(const char *file, struct arena *arena, struct config *out) MUST_USE;
void command_print_err(const struct err *err);
/* One of several words follows the command: audit list, outbox list. */
int command_choose(const char *name, const char *about, const struct command *commands,
                   unsigned count, int argc, char **argv);

/* The store of the configuration, read-only, beside a gateway that may be running on it. */
struct command_store {
    struct arena arena;
    struct config config;
    struct store *store;
    struct store_tx *tx;
};
bool command_store_open(const char *config_file, struct command_store *out) MUST_USE;
void command_store_close(struct command_store *store);

/* `chosen` by --mappings; without it LIFELINE_MAPPINGS_FOLDER, the working directory, or what was
 * installed with the binary. */
const char *command_find_mappings(const char *chosen, struct arena *arena);

/* Text of a store for a terminal: control characters become '?'. */
void command_print_text(FILE *to, struct slice text);

#define COMMAND_CONFIG_OPTION(target)                        \
    {                                                        \
        "--config", "FILE", OPTION_TEXT, (target), NULL,     \
            "the configuration; without it the file that\n"  \
            "LIFELINE_CONFIG names, or " CONFIG_DEFAULT_FILE \
    }
