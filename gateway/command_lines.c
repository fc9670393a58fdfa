#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/files.h"
#include "app/mapping_files.h"
#include "app/offline.h"
#include "command.h"
#include "mapping/tally.h"
#include "therapy/difference.h"
#include "therapy/report.h"

#define INPUT_BYTES_MAX ((size_t)4 * 1024 * 1024 * 1024)
#define REPORT_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define DERIVE_BYTES_MAX ((size_t)256 * 1024 * 1024)

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV, FORMAT_SVG, FORMAT_HTML };

struct choices {
    int format;
    const char *as_of, *mappings, *overlay, *rules, *profile, *since, *compare;
    bool explain, unmapped;
};

static void print_refused(void *ctx, const char *source, unsigned line, const struct err *err)
{
    (void)ctx;
    if (line > 0)
        fprintf(stderr, "%s:%u: ", source, line);
    else
        fprintf(stderr, "%s: ", source);
    command_print_err(err);
}

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

/* --- the work --------------------------------------------------------------------------------- */

/* The parts of the output: SVG and HTML begin with sums that are known at the end. */
struct parts {
    struct buffer rows, bodies;
    struct report_sums sums;
    unsigned bottom; /* of the last drawing */
};

static void add_patient(const struct choices *choices, const struct report_head *head,
                        const struct therapy *therapy, struct parts *parts)
{
    unsigned number = parts->sums.patients + 1;

    report_sums_add(&parts->sums, therapy);
    switch ((enum format)choices->format) {
    case FORMAT_TEXT:
        if (number > 1)
            buffer_add_char(&parts->bodies, '\n');
        report_text(head, therapy, choices->explain, &parts->bodies);
        break;
    case FORMAT_JSON:
        report_json(head, therapy, &parts->bodies);
        buffer_add_char(&parts->bodies, '\n');
        break;
    case FORMAT_CSV:
        report_csv(head, therapy, &parts->bodies);
        break;
    case FORMAT_SVG:
        parts->bottom = report_svg(head, therapy, parts->bottom, &parts->bodies);
        break;
    case FORMAT_HTML:
        report_html_row(head, therapy, number, &parts->rows);
        report_html(head, therapy, &(struct report_section){ number, choices->explain },
                    &parts->bodies);
        break;
    }
}

static void print_parts(const struct choices *choices, const struct report_page *page,
                        struct parts *parts)
{
    struct buffer head;

    buffer_init(&head, REPORT_BYTES_MAX);
    if (choices->format == FORMAT_CSV)
        report_csv_head(&head);
    if (choices->format == FORMAT_SVG)
        report_svg_begin(parts->bottom, &head);
    if (choices->format == FORMAT_HTML) {
        report_html_begin(page, &head);
        buffer_add(&head, buffer_slice(&parts->rows));
        report_html_middle(&head);
    }
    if (choices->format == FORMAT_SVG)
        report_svg_end(&parts->bodies);
    if (choices->format == FORMAT_HTML)
        report_html_end(&parts->bodies);
    fwrite(head.at, 1, head.len, stdout);
    fwrite(parts->bodies.at, 1, parts->bodies.len, stdout);
    buffer_fini(&head);
}

/* What all patients of one run share. */
struct lines_job {
    const struct choices *choices;
    struct date as_of, since; /* since: none without --since */
    const struct mapping *mapping;
    const struct rules *rules, *compare; /* compare: NULL without --compare */
};

static bool is_difference(const struct lines_job *job)
{
    return job->compare != NULL || !date_is_none(job->since);
}

/* --since: what changed from then to now; --compare: the other rule set on the right. */
static bool add_difference(const struct lines_job *job, const struct offline_patient *patient,
                           const struct therapy *now, struct arena *arena, struct buffer *out,
                           struct err *err)
{
    struct therapy other;
    struct difference difference;
    bool is_compare = job->compare != NULL;

    if (!offline_derive(patient, job->mapping, is_compare ? job->compare : job->rules,
                        is_compare ? job->as_of : job->since, arena, &other, err))
        return false;
    difference_find(is_compare ? now : &other, is_compare ? &other : now, arena, &difference);
    if (arena_overflowed(arena))
        return err_fail(err, ERR_TOO_LARGE, "difference", "larger than memory's limit");
    if (job->choices->format == FORMAT_JSON)
        difference_json(patient->name, &difference, out);
    else if (is_compare)
        difference_table(patient->name, &difference, out);
    else
        difference_text(patient->name, &difference, out);
    buffer_add_char(out, '\n');
    return true;
}

static unsigned report_all(const struct lines_job *job, const struct offline *offline)
{
    const struct choices *choices = job->choices;
    struct parts parts = { .bottom = 0 };
    struct arena arena, codes;
    struct tally tally;
    unsigned failed = 0;

    arena_init(&arena, DERIVE_BYTES_MAX);
    arena_init(&codes, DERIVE_BYTES_MAX);
    tally_init(&tally, &codes);
    buffer_init(&parts.rows, INPUT_BYTES_MAX);
    buffer_init(&parts.bodies, INPUT_BYTES_MAX);
    for (unsigned i = 0; i < offline_patient_count(offline); i++) {
        const struct offline_patient *patient = offline_patient(offline, i);
        const struct report_head head = { patient->name, &job->rules->digest };
        struct therapy therapy;
        struct err err;

        if (!offline_derive(patient, job->mapping, job->rules, job->as_of, &arena, &therapy,
                            &err)) {
            failed++;
            print_refused(NULL, patient->name.at, 0, &err);
        } else if (choices->unmapped) {
            for (unsigned k = 0; k < therapy.unmapped_count; k++)
                tally_add(&tally, therapy.unmapped[k]);
        } else if (is_difference(job)) {
            if (!add_difference(job, patient, &therapy, &arena, &parts.bodies, &err)) {
                failed++;
                print_refused(NULL, patient->name.at, 0, &err);
            }
        } else {
            add_patient(choices, &head, &therapy, &parts);
        }
        arena_reset(&arena);
    }
    if (choices->unmapped)
        command_print_tally(&tally);
    else
        print_parts(choices, &(struct report_page){ job->as_of, &job->rules->digest, parts.sums },
                    &parts);
    buffer_fini(&parts.rows);
    buffer_fini(&parts.bodies);
    arena_fini(&codes);
    arena_fini(&arena);
    return failed;
}

static int derive_files(const struct lines_job *job, const struct operands *files,
                        struct arena *texts)
{
    struct offline *offline = offline_open(print_refused, NULL);
    unsigned failed = 0;

    for (unsigned i = 0; i < files->count; i++) {
        struct slice text;
        struct err err;
        if (file_read(files->items[i], INPUT_BYTES_MAX, texts, &text, &err)) {
            offline_add(offline, files->items[i], text);
        } else {
            command_print_err(&err);
            failed++;
        }
    }
    offline_finish(offline);
    failed += report_all(job, offline);
    failed += offline_refused_count(offline);
    offline_close(offline);
    return failed > 0 ? EXIT_REFUSED : EXIT_DONE;
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

static bool check_difference(const struct choices *choices)
{
    if (choices->since == NULL && choices->compare == NULL)
        return true;
    if (choices->since != NULL && choices->compare != NULL)
        fprintf(stderr, "lifeline lines: --since and --compare are two questions: ask one\n");
    else if (choices->format != FORMAT_TEXT && choices->format != FORMAT_JSON)
        fprintf(stderr, "lifeline lines: --since and --compare answer in text and json\n");
    else
        return true;
    return false;
}

static int run(const struct choices *choices, const struct operands *files)
{
    struct table_errors errors = { .count = 0 };
    struct mapping *mapping = NULL;
    struct arena texts;
    struct lines_job job = { .choices = choices, .since = date_none() };
    int status = EXIT_USAGE;

    if (!read_day("--as-of", choices->as_of, &job.as_of) ||
        (choices->since != NULL && !read_day("--since", choices->since, &job.since)) ||
        !check_difference(choices))
        return EXIT_USAGE;
    arena_init(&texts, OFFLINE_ARENA_BYTES);
    if (mapping_open(command_find_mappings(choices->mappings, &texts), choices->overlay, &mapping,
                     &errors)) {
        job.mapping = mapping;
        job.rules = choose_rules(choices, mapping, &texts);
        job.compare = choices->compare != NULL ? find_rules(mapping, choices->compare) : NULL;
        if (job.rules != NULL && (choices->compare == NULL || job.compare != NULL))
            status = derive_files(&job, files, &texts);
        mapping_close(mapping);
    } else {
        command_print_errors(&errors);
    }
    arena_fini(&texts);
    return status;
}

int command_lines(int argc, char **argv)
{
    static const char *const formats[] = { "text", "json", "csv", "svg", "html", NULL };
    struct choices choices = { .format = FORMAT_TEXT };
    const struct option_row rows[] = {
        { "--format", "FORMAT", OPTION_WORD, &choices.format, formats,
          "text: a timeline for people (default)\njson: an object per patient and line\ncsv: a row "
          "per line of therapy\nsvg: swim lanes\nhtml: a report to print, all in one file" },
        { "--as-of", "DATE", OPTION_TEXT, &choices.as_of, NULL,
          "the day to answer for (default: today)" },
        { "--explain", NULL, OPTION_FLAG, &choices.explain, NULL,
          "with the rule, the numbers compared and the evidence\nof every boundary" },
        { "--rules", "NAME", OPTION_TEXT, &choices.rules, NULL,
          "a published rule set: merck21, hess21, raj15 ...\n(default: lifeline; a wrong name "
          "lists them)" },
        { "--profile", "KEY", OPTION_TEXT, &choices.profile, NULL,
          "the rules of this row of profiles.tsv for every cancer" },
        { "--compare", "NAME", OPTION_TEXT, &choices.compare, NULL,
          "side by side with another rule set, and why they differ\n(text and json)" },
        { "--since", "DATE", OPTION_TEXT, &choices.since, NULL,
          "what changed from this day to --as-of, and which resources\nmade the difference (text "
          "and json)" },
        { "--unmapped", NULL, OPTION_FLAG, &choices.unmapped, NULL,
          "only list the drugs and conditions no mapping knows, the\nmost frequent first (see also "
          "'lifeline codes')" },
        { "--mappings", "FOLDER", OPTION_TEXT, &choices.mappings, NULL,
          "default: LIFELINE_MAPPINGS_FOLDER, ./mappings, or those\ninstalled with the binary" },
        { "--overlay", "FOLDER", OPTION_TEXT, &choices.overlay, NULL,
          "the site's own tables, whose rows add to, replace or\nremove ours" },
    };
    const struct command_page page = {
        .name = "lifeline lines",
        .operands = "FILE...",
        .about =
            "Reads FHIR R4 Bundles, single resources or NDJSON ('-' is standard input) and prints\n"
            "each patient's lines of therapy with the verdict.  It is the code that the gateway\n"
            "runs.  Everything rests on what was ordered; nothing is known of what was taken.\n"
            "\n"
            "Exit status: 0 done, 1 some input was refused (each named on standard error), 2 "
            "usage.",
        .options = rows,
        .option_count = COUNT_OF(rows),
        .examples = "  lifeline lines gateway/samples/*.json\n"
                    "  lifeline lines --format json --as-of 2024-06-30 export.ndjson\n"
                    "  zcat *.ndjson.gz | lifeline lines --unmapped -",
        .operands_min = 1,
        .operands_max = 100000,
    };
    struct operands files;
    int status = EXIT_DONE;

    if (!options_read(&page, argc, argv, &files, &status))
        return status;
    return run(&choices, &files);
}
