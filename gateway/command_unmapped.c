#include <inttypes.h>

#include "base/date.h"
#include "command.h"

static void print_row(const struct unmapped_row *row)
{
    char last[INSTANT_TEXT_SIZE];

    printf("%8" PRId64 "  %.10s  %-18s  ", row->count, instant_format(row->last_ms, last),
           fhir_type_name(row->type));
    command_print_text(stdout, row->system.len > 0 ? row->system : SLICE("(no system)"));
    putchar(' ');
    command_print_text(stdout, row->code.len > 0 ? row->code : SLICE("(no code)"));
    if (row->text.len > 0) {
        fputs("  ", stdout);
        command_print_text(stdout, row->text);
    }
    putchar('\n');
}

int command_unmapped(int argc, char **argv)
{
    const char *file = NULL;
    unsigned limit = 100;
    const struct option_row rows[] = {
        COMMAND_CONFIG_OPTION(&file),
        { "--limit", "N", OPTION_NUMBER, &limit, NULL, "at most so many (default: 100)" },
    };
    const struct command_page page = {
        .name = "lifeline unmapped",
        .about =
            "Lists the drugs and conditions that arrived and that no mapping knew, the most\n"
            "frequent first: how often, when last, and the code.  Each is a row that mappings/\n"
            "may lack; nothing was dropped because of it.",
        .options = rows,
        .option_count = COUNT_OF(rows),
    };
    struct command_store from;
    struct operands operands;
    struct unmapped_row *found = NULL;
    struct err err;
    unsigned count = 0;
    int status = EXIT_DONE;

    if (!options_read(&page, argc, argv, &operands, &status))
        return status;
    if (!command_store_open(file, &from))
        return EXIT_REFUSED;
    struct arena arena;
    arena_init(&arena, (size_t)256 * 1024 * 1024);
    if (!store_unmapped_list(from.tx, limit, &arena, &found, &count, &err)) {
        command_print_err(&err);
        status = EXIT_REFUSED;
    }
    for (unsigned i = 0; i < count; i++)
        print_row(&found[i]);
    if (status == EXIT_DONE && count == 0)
        fputs("Everything that arrived was known to the mappings.\n", stderr);
    arena_fini(&arena);
    command_store_close(&from);
    return status;
}
