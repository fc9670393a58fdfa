/* lifeline: FHIR in, lines of therapy and salvage flags out.  This file only chooses the command.
 * */
#include <stdio.h>
#include <string.h>

#include "app/nearest.h"
#include "command.h"

static const struct command commands[] = {
    { "serve", "run the gateway", command_serve },
    { "lines", "lines of therapy of FHIR files, without a server", command_lines },
    { "codes", "codes and texts of FHIR files, and what they are read as", command_codes },
    { "check", "explain what is wrong with a configuration, or what it would do", command_check },
    { "audit", "list, verify or export the audit log", command_audit },
    { "outbox", "what was posted to EHRs, and what waits", command_outbox },
    { "keys", "the keys by which authorization servers know this gateway", command_keys },
    { "unmapped", "drugs and conditions that no mapping knew", command_unmapped },
    { "healthcheck", "ask a running gateway whether it is ready", command_healthcheck },
    { "version", "what this binary is and was built with", command_version },
};

static void print_help(FILE *to)
{
    fputs("Usage: lifeline COMMAND [OPTION]...\n"
          "\n"
          "Lifeline takes FHIR resources from EHRs, derives each patient's lines of therapy from\n"
          "what was ordered, and posts a Flag and a CarePlan back when a patient is on salvage\n"
          "therapy.  Everything it takes, derives and sends is in a tamper-evident audit log.\n"
          "\n"
          "Commands:\n",
          to);
    for (unsigned i = 0; i < COUNT_OF(commands); i++)
        fprintf(to, "  %-12s  %s\n", commands[i].name, commands[i].summary);
    fputs("\n"
          "'lifeline COMMAND --help' explains each.  A first thing to try, no server needed:\n"
          "\n"
          "  lifeline lines gateway/samples/*.json\n",
          to);
}

static int unknown_command(const char *given)
{
    struct nearest nearest = { .wanted = slice_of(given) };

    for (unsigned i = 0; i < COUNT_OF(commands); i++)
        nearest_offer(&nearest, commands[i].name);
    fprintf(stderr, "lifeline: there is no command '%s'", given);
    if (nearest.name != NULL)
        fprintf(stderr, "; did you mean 'lifeline %s'?", nearest.name);
    fputs("\nTry 'lifeline --help'.\n", stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        (strcmp(argv[1], "help") == 0 && argc == 2)) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0)
        argv[1] += 2;
    for (unsigned i = 0; i < COUNT_OF(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    return unknown_command(argv[1]);
}
