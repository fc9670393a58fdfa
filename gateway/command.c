#include "command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/files.h"
#include "app/nearest.h"

void command_print_err(const struct err *err)
{
    fprintf(stderr, "%s%s%s\n", err->where, err->where[0] != '\0' ? ": " : "", err->what);
}

void command_print_errors(const struct table_errors *errors)
{
    for (unsigned i = 0; i < errors->count; i++)
        command_print_err(&errors->list[i]);
    if (errors->count == TABLE_ERRORS_MAX)
        fprintf(stderr, "... and perhaps more: %d are shown at most\n", TABLE_ERRORS_MAX);
}

bool command_config(const char *file, struct arena *arena, struct config *out)
{
    struct table_errors errors = { .count = 0 };

    if (config_load(file, arena, out, &errors))
        return true;
    command_print_errors(&errors);
    return false;
}

static void print_choices(FILE *to, const struct command *commands, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        fprintf(to, "  %-10s  %s\n", commands[i].name, commands[i].summary);
}

int command_choose(const char *name, const char *about, const struct command *commands,
                   unsigned count, int argc, char **argv)
{
    struct nearest nearest = { .wanted = slice_of(argc > 1 ? argv[1] : "") };
    bool wants_help = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);

    for (unsigned i = 0; argc > 1 && i < count; i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
        nearest_offer(&nearest, commands[i].name);
    }
    if (argc > 1 && !wants_help) {
        fprintf(stderr, "%s: there is no '%s'", name, argv[1]);
        if (nearest.name != NULL)
            fprintf(stderr, "; did you mean '%s %s'?", name, nearest.name);
        fprintf(stderr, "\nTry '%s --help'.\n", name);
        return EXIT_USAGE;
    }
    FILE *to = wants_help ? stdout : stderr;
    fprintf(to, "Usage: %s COMMAND [OPTION]...\n\n%s\n\nCommands:\n", name, about);
    print_choices(to, commands, count);
    fprintf(to, "\n'%s COMMAND --help' explains each.\n", name);
    return wants_help ? EXIT_DONE : EXIT_USAGE;
}

bool command_store_open(const char *config_file, struct command_store *out)
{
    struct err err;

    *out = (struct command_store){ .store = NULL };
    arena_init(&out->arena, CONFIG_ARENA_BYTES);
    if (!command_config(config_file, &out->arena, &out->config)) {
        arena_fini(&out->arena);
        return false;
    }
    bool ok = out->config.store_kind == CONFIG_STORE_SQLITE ||
              err_fail(&err, ERR_UNSUPPORTED, "store.kind",
                       "a memory store ends with its process: there is nothing to read");
    out->config.store.is_read_only = true;
    ok = ok && store_open(&out->config.store, &out->store, &err);
    ok = ok && store_tx_open(out->store, &out->tx, &err);
    ok = ok && store_begin(out->tx, &err);
    if (ok)
        return true;
    command_print_err(&err);
    command_store_close(out);
    return false;
}

void command_store_close(struct command_store *store)
{
    if (store->tx != NULL) {
        store_rollback(store->tx);
        store_tx_close(store->tx);
    }
    if (store->store != NULL)
        store_close(store->store);
    arena_fini(&store->arena);
}

void command_print_text(FILE *to, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        fputc(c < 0x20 || c == 0x7f ? '?' : c, to);
    }
}

/* --mappings, the environment, the working directory, or what was installed with the binary. */
const char *command_find_mappings(const char *chosen, struct arena *arena)
{
    static const char *const beside[] = { "../share/lifeline/mappings", "mappings", "../mappings" };
    char self[4096];

    if (chosen == NULL)
        chosen = getenv("LIFELINE_MAPPINGS_FOLDER");
    if (chosen != NULL || file_state("mappings") == FILE_IS_FOLDER)
        return chosen != NULL ? chosen : "mappings";
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len <= 0)
        return "mappings";
    self[len] = '\0';
    for (unsigned i = 0; i < COUNT_OF(beside); i++) {
        const char *folder = file_beside(self, beside[i], arena);
        if (file_state(folder) == FILE_IS_FOLDER)
            return folder;
    }
    return "mappings";
}
