#include "app/options.h"

#include <stdlib.h>
#include <string.h>

#include "app/nearest.h"

/* --- help ------------------------------------------------------------------------------------- */

static void print_indented(FILE *to, const char *text, int indent)
{
    for (const char *line = text; *line != '\0';) {
        const char *end = strchr(line, '\n');
        int len = end != NULL ? (int)(end - line) : (int)strlen(line);
        fprintf(to, "%*s%.*s\n", line == text ? 0 : indent, "", len, line);
        line += len + (end != NULL ? 1 : 0);
    }
}

static void print_option(FILE *to, const struct option_row *row)
{
    char left[40];

    snprintf(left, sizeof left, "%s%s%s", row->name, row->argument != NULL ? " " : "",
             row->argument != NULL ? row->argument : "");
    fprintf(to, "  %-20s  ", left);
    print_indented(to, row->help, 24);
}

void options_print_page(const struct command_page *page, FILE *to)
{
    fprintf(to, "Usage: %s%s%s%s\n\n%s\n", page->name, page->option_count > 0 ? " [OPTION]..." : "",
            page->operands != NULL ? " " : "", page->operands != NULL ? page->operands : "",
            page->about);
    fprintf(to, "\nOptions:\n");
    for (unsigned i = 0; i < page->option_count; i++)
        print_option(to, &page->options[i]);
    fprintf(to, "  %-20s  show this page\n", "--help");
    if (page->examples != NULL)
        fprintf(to, "\nExamples:\n%s\n", page->examples);
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool wrong(const struct command_page *page, int *status)
{
    fprintf(stderr, "Try '%s --help'.\n", page->name);
    *status = EXIT_USAGE;
    return false;
}

static bool unknown_option(const struct command_page *page, const char *given, size_t len,
                           int *status)
{
    struct nearest nearest = { .wanted = { given, len } };

    for (unsigned i = 0; i < page->option_count; i++)
        nearest_offer(&nearest, page->options[i].name);
    nearest_offer(&nearest, "--help");
    fprintf(stderr, "%s: there is no option '%.*s'", page->name, (int)len, given);
    if (nearest.name != NULL)
        fprintf(stderr, "; did you mean '%s'?", nearest.name);
    fputc('\n', stderr);
    return wrong(page, status);
}

static bool keep_word(const struct command_page *page, const struct option_row *row,
                      const char *value, int *status)
{
    for (int i = 0; row->words[i] != NULL; i++) {
        if (strcmp(value, row->words[i]) == 0) {
            *(int *)row->target = i;
            return true;
        }
    }
    fprintf(stderr, "%s: %s '%s' is not one of:", page->name, row->name, value);
    for (int i = 0; row->words[i] != NULL; i++)
        fprintf(stderr, " %s", row->words[i]);
    fputc('\n', stderr);
    return wrong(page, status);
}

static bool keep_value(const struct command_page *page, const struct option_row *row,
                       const char *value, int *status)
{
    char *end = NULL;

    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)row->target = true;
        return true;
    case OPTION_TEXT:
        *(const char **)row->target = value;
        return true;
    case OPTION_WORD:
        return keep_word(page, row, value, status);
    case OPTION_NUMBER:
        break;
    }
    unsigned long number = strtoul(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || number > 1000000000) {
        fprintf(stderr, "%s: %s '%s' is not a whole number\n", page->name, row->name, value);
        return wrong(page, status);
    }
    *(unsigned *)row->target = (unsigned)number;
    return true;
}

static const struct option_row *find_row(const struct command_page *page, const char *given,
                                         size_t len)
{
    for (unsigned i = 0; i < page->option_count; i++) {
        const char *name = page->options[i].name;
        if (strlen(name) == len && memcmp(name, given, len) == 0)
            return &page->options[i];
    }
    return NULL;
}

/* One option at argv[*at]; moves *at past its value. */
static bool read_option(const struct command_page *page, int argc, char **argv, int *at,
                        int *status)
{
    const char *given = argv[*at], *equals = strchr(given, '=');
    size_t len = equals != NULL ? (size_t)(equals - given) : strlen(given);
    const struct option_row *row = find_row(page, given, len);
    const char *value = equals != NULL ? equals + 1 : NULL;

    if (row == NULL)
        return unknown_option(page, given, len, status);
    if (row->kind == OPTION_FLAG && value != NULL) {
        fprintf(stderr, "%s: %s takes no value\n", page->name, row->name);
        return wrong(page, status);
    }
    if (row->kind != OPTION_FLAG && value == NULL) {
        if (*at + 1 >= argc) {
            fprintf(stderr, "%s: %s needs a value: %s\n", page->name, row->name, row->argument);
            return wrong(page, status);
        }
        value = argv[++*at];
    }
    return keep_value(page, row, value, status);
}

static bool check_operands(const struct command_page *page, const struct operands *operands,
                           int *status)
{
    if (operands->count < page->operands_min) {
        fprintf(stderr, "%s: %s is missing\n", page->name,
                page->operands != NULL ? page->operands : "an argument");
        return wrong(page, status);
    }
    if (operands->count > page->operands_max) {
        fprintf(stderr, "%s: '%s' is one argument too many\n", page->name,
                operands->items[page->operands_max]);
        return wrong(page, status);
    }
    return true;
}

bool options_read(const struct command_page *page, int argc, char **argv, struct operands *out,
                  int *status)
{
    struct operands operands = { argv + 1, 0 };
    bool options_ended = false;

    for (int i = 1; i < argc; i++) {
        bool is_option = argv[i][0] == '-' && argv[i][1] != '\0' && !options_ended;
        if (!is_option) {
            operands.items[operands.count++] = argv[i]; /* never ahead of i */
        } else if (strcmp(argv[i], "--") == 0) {
            options_ended = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            options_print_page(page, stdout);
            *status = EXIT_DONE;
            return false;
        } else if (!read_option(page, argc, argv, &i, status)) {
            return false;
        }
    }
    if (!check_operands(page, &operands, status))
        return false;
    *out = operands;
    return true;
}
