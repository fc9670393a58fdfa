/* Asks the admin listener of the same configuration that the gateway runs with, so that a changed
 * port cannot make the answer a lie. */
#include "app/admin_client.h"
#include "command.h"

static int check_health(const struct config *config, unsigned timeout_ms)
{
    const struct admin_request request = { .method = "GET",
                                           .path = "/health/ready",
                                           .timeout_ms = timeout_ms };
    struct buffer body;
    struct err err;
    int status = 0;

    buffer_init(&body, (size_t)128 * 1024);
    if (!admin_ask(&config->admin, &request, &status, &body, &err))
        command_print_err(&err);
    else if (status == 200)
        puts("ready");
    else
        fprintf(stderr, "not ready: HTTP %d\n", status);
    buffer_fini(&body);
    return status == 200 ? EXIT_DONE : EXIT_REFUSED;
}

int command_healthcheck(int argc, char **argv)
{
    const char *file = NULL;
    unsigned timeout_ms = 2000;
    const struct option_row rows[] = {
        COMMAND_CONFIG_OPTION(&file),
        { "--timeout-ms", "N", OPTION_NUMBER, &timeout_ms, NULL,
          "how long to wait for the answer (default: 2000)" },
    };
    const struct command_page page = {
        .name = "lifeline healthcheck",
        .about = "Asks a running gateway whether it is ready, at the admin address of the same\n"
                 "configuration.  Exit status: 0 ready, 1 not.",
        .options = rows,
        .option_count = COUNT_OF(rows),
    };
    struct operands operands;
    struct config config;
    struct arena arena;
    int status = EXIT_DONE;

    if (!options_read(&page, argc, argv, &operands, &status))
        return status;
    arena_init(&arena, CONFIG_ARENA_BYTES);
    status =
        command_config(file, &arena, &config) ? check_health(&config, timeout_ms) : EXIT_REFUSED;
    arena_fini(&arena);
    return status;
}
