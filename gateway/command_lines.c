#include <string.h>

#include "app/lines_run.h"
#include "app/mapping_files.h"
#include "command.h"
#include "loop/loop.h"

#define NAMES_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct choices {
    int format;
    const char *as_of, *mappings, *overlay, *rules, *profile, *since, *compare, *output;
    unsigned threads;
    bool explain, unmapped, grouped;
};

static bool read_day(const char *option, const char *text, struct date *out)
{
    struct date_span span;
    struct err err;

    if (text == NULL) {
        *out = date_of_ms(clock_wall_ms());
        return true;
    }
    if (date_parse(slice_of(text), &span, &err) && span.precision == DATE_DAY) {
        *out = span.first;
        return true;
    }
    fprintf(stderr, "lifeline lines: %s '%s' is not a day like 2026-03-01\n", option, text);
    return false;
}

static const struct rules *find_rules(const struct mapping *mapping, const char *name)
{
    const struct rules *found = mapping_ruleset(mapping, slice_of(name));

    if (found != NULL)
        return found;
    fprintf(stderr, "lifeline lines: '%s' is not a rule set; there are:\n", name);
    for (unsigned i = 0; (found = mapping_ruleset_at(mapping, i)) != NULL; i++)
        fprintf(stderr, "  %-16.*s %.*s\n", SLICE_ARGS(found->name), SLICE_ARGS(found->title));
    return NULL;
}

/* The rule set, and of it one profile for every cancer when --profile names one. */
static const struct rules *choose_rules(const struct choices *choices,
                                        const struct mapping *mapping, struct arena *arena)
{
    const char *name = choices->rules != NULL ? choices->rules : "lifeline";
    const struct rules *rules = find_rules(mapping, name);

    if (rules == NULL || choices->profile == NULL)
        return rules;
    const struct rules *one =
        mapping_one_profile(mapping, rules, slice_of(choices->profile), arena);
    if (one == NULL)
        fprintf(stderr, "lifeline lines: --profile '%s' is not a row of profiles.tsv\n",
                choices->profile);
    return one;
}

static bool wrong(const char *what)
{
    fprintf(stderr, "lifeline lines: %s\n", what);
    return false;
}

/* Options that do not go together. */
static bool check_choices(const struct choices *choices)
{
    bool is_difference = choices->since != NULL || choices->compare != NULL;

    if (choices->since != NULL && choices->compare != NULL)
        return wrong("--since and --compare are two questions: ask one");
    if (choices->unmapped && is_difference)
        return wrong("--unmapped goes with neither --since nor --compare");
    if (is_difference && choices->format != LINES_TEXT && choices->format != LINES_JSON)
        return wrong("--since and --compare answer in text and json");
    if (choices->unmapped && choices->format > LINES_CSV)
        return wrong("--unmapped answers in text, json and csv");
    return true;
}

static int run_with(const struct choices *choices, const struct operands *files,
                    struct lines_options *options, struct arena *arena)
{
    options->rules = choose_rules(choices, options->mapping, arena);
    if (options->rules == NULL)
        return EXIT_USAGE;
    if (choices->compare != NULL) {
        options->compare = find_rules(options->mapping, choices->compare);
        if (options->compare == NULL)
            return EXIT_USAGE;
    }
    return lines_run(options, files->items, files->count) == 0 ? EXIT_DONE : EXIT_REFUSED;
}

static int run(const struct choices *choices, const struct operands *files)
{
    struct lines_options options = { .format = (enum lines_format)choices->format,
                                     .explain = choices->explain,
                                     .unmapped = choices->unmapped,
                                     .is_grouped = choices->grouped,
                                     .since = date_none(),
                                     .threads = choices->threads,
                                     .output = choices->output };
    struct table_errors errors = { .count = 0 };
    struct mapping *mapping = NULL;
    struct arena arena;
    int status = EXIT_USAGE;

    if (!read_day("--as-of", choices->as_of, &options.as_of) ||
        (choices->since != NULL && !read_day("--since", choices->since, &options.since)) ||
        !check_choices(choices))
        return EXIT_USAGE;
    arena_init(&arena, NAMES_BYTES_MAX);
    if (mapping_open(command_find_mappings(choices->mappings, &arena), choices->overlay, &mapping,
                     &errors)) {
        options.mapping = mapping;
        status = run_with(choices, files, &options, &arena);
        mapping_close(mapping);
    } else {
        command_print_errors(&errors);
    }
    arena_fini(&arena);
    return status;
}

static const char *const formats[] = { "text", "json", "csv", "svg", "html", NULL };

/* Without --format the name of the output decides: report.html is HTML. */
static int format_of(const struct choices *choices)
{
    const char *dot = choices->output != NULL ? strrchr(choices->output, '.') : NULL;

    if (choices->format >= 0)
        return choices->format;
    for (int i = 0; dot != NULL && formats[i] != NULL; i++)
        if (strcmp(dot + 1, formats[i]) == 0)
            return i;
    return dot != NULL && strcmp(dot, ".ndjson") == 0 ? LINES_JSON : LINES_TEXT;
}

/* What the command line says. */
static struct choices given = { .format = -1 };

static const struct option_row rows[] = {
    { "--format", "FORMAT", OPTION_WORD, &given.format, formats,
      "text  a timeline for people (default)\n"
      "json  one object per patient, one per line (NDJSON)\n"
      "csv   one row per line of therapy, for R, pandas, SQL\n"
      "svg   swim lanes: drugs, lines, evidence\n"
      "html  a report for the tumour board: one file, prints well" },
    { "--output", "FILE", OPTION_TEXT, &given.output, NULL,
      "where to write (default: standard output); its ending\n"
      "chooses the format when --format does not" },
    { "--as-of", "DATE", OPTION_TEXT, &given.as_of, NULL,
      "the day to answer for, as 2026-03-01 (default: today)" },
    { "--explain", NULL, OPTION_FLAG, &given.explain, NULL,
      "with the rule, the numbers compared and the evidence\nof every boundary" },
    { "--rules", "NAME", OPTION_TEXT, &given.rules, NULL,
      "a published rule set: merck21, hess21, raj15 ...\n(default: lifeline; a wrong name "
      "lists them)" },
    { "--profile", "KEY", OPTION_TEXT, &given.profile, NULL,
      "the rules of this row of profiles.tsv for every cancer" },
    { "--compare", "NAME", OPTION_TEXT, &given.compare, NULL,
      "side by side with another rule set, and why they differ\n(text and json)" },
    { "--since", "DATE", OPTION_TEXT, &given.since, NULL,
      "what changed from this day to --as-of, and which resources\nmade the difference (text "
      "and json)" },
    { "--unmapped", NULL, OPTION_FLAG, &given.unmapped, NULL,
      "instead of lines: which drugs and conditions no mapping\n"
      "knows, the most frequent first (text, json, csv; see also\n'lifeline codes')" },
    { "--grouped", NULL, OPTION_FLAG, &given.grouped, NULL,
      "the input has all of one patient before the next: memory\n"
      "stays the same for any number of patients" },
    { "--threads", "N", OPTION_NUMBER, &given.threads, NULL,
      "default: one for each processor; the output is the same" },
    { "--mappings", "FOLDER", OPTION_TEXT, &given.mappings, NULL,
      "default: LIFELINE_MAPPINGS_FOLDER, ./mappings, or those\ninstalled with the binary" },
    { "--overlay", "FOLDER", OPTION_TEXT, &given.overlay, NULL,
      "the site's own tables, whose rows add to, replace or\nremove ours" },
};

static const struct command_page page = {
    .name = "lifeline lines",
    .operands = "FILE...",
    .about =
        "Reads FHIR and prints each patient's lines of therapy, the salvage verdict and why.\n"
        "It is the code that the gateway runs, without a server, a network or a database.\n"
        "Everything rests on what was ordered; an order does not prove that a drug was taken.\n"
        "\n"
        "FILE is a Bundle, a resource, NDJSON of either, any of them with .gz, a folder of\n"
        "them, or '-' for standard input.  A bulk export (a file per type) needs no sorting;\n"
        "without --grouped everything is kept, packed, until the last file is read.\n"
        "\n"
        "Exit status: 0 done; 1 some input was refused, each named with file and line on\n"
        "standard error, the rest was used; 2 the command line was not understood.",
    .options = rows,
    .option_count = COUNT_OF(rows),
    .examples = "  lifeline lines gateway/samples                   # what it is about\n"
                "  lifeline lines gateway/samples --output board.html\n"
                "  lifeline lines export/ --output lines.csv --as-of 2024-06-30\n"
                "  lifeline lines --grouped --format json cohort.ndjson.gz | jq .patient\n"
                "  zcat *.ndjson.gz | lifeline lines --unmapped - | head",
    .operands_min = 1,
    .operands_max = 1000000,
};

int command_lines(int argc, char **argv)
{
    struct operands files;
    int status = EXIT_DONE;

    if (!options_read(&page, argc, argv, &files, &status))
        return status;
    given.format = format_of(&given);
    return run(&given, &files);
}
