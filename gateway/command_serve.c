#include "app/serve.h"
#include "command.h"

int command_serve(int argc, char **argv)
{
    const char *file = NULL;
    const struct option_row rows[] = { COMMAND_CONFIG_OPTION(&file) };
    const struct command_page page = {
        .name = "lifeline serve",
        .about =
            "Runs the gateway until SIGTERM or SIGINT, then answers what is under way and ends\n"
            "without losing anything.  SIGHUP reads the certificates anew.  The log is one JSON\n"
            "object per line on standard output.",
        .options = rows,
        .option_count = COUNT_OF(rows),
        .examples =
            "  lifeline check --config lifeline.json && lifeline serve --config lifeline.json",
    };
    struct operands operands;
    struct config config;
    struct arena arena;
    int status = EXIT_DONE;

    if (!options_read(&page, argc, argv, &operands, &status))
        return status;
    arena_init(&arena, CONFIG_ARENA_BYTES);
    status =
        command_config(file, &arena, &config) ? serve_run(&config, LIFELINE_VERSION) : EXIT_REFUSED;
    arena_fini(&arena);
    return status;
}
