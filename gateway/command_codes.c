#include "app/inputs.h"
#include "app/mapping_files.h"
#include "app/offline.h"
#include "app/tally_print.h"
#include "command.h"

#define CODES_BYTES_MAX ((size_t)1024 * 1024 * 1024)

struct codes_choices {
    const char *mappings, *overlay;
    bool each, unmapped;
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

static void print_cell(struct slice text, char end)
{
    command_print_text(stdout, text);
    putchar(end);
}

/* --- resource by resource --------------------------------------------------------------------- */

static void print_event(const struct offline_patient *patient, const struct event *event,
                        struct arena *arena)
{
    const struct concept *concept =
        event->type == FHIR_CONDITION ? &event->code : &event->medication;

    print_cell(patient->name, '\t');
    printf("%s/%.*s\t", fhir_type_name(event->type), SLICE_ARGS(event->id));
    for (unsigned i = 0; i < concept->count; i++) {
        const struct coding *coding = &concept->codings[i];
        print_cell(coding->system == CODE_OTHER ? coding->system_uri
                                                : slice_of(code_system_uri(coding->system)),
                   '|');
        print_cell(coding->code, i + 1 < concept->count ? ' ' : '\t');
    }
    if (concept->count == 0)
        putchar('\t');
    print_cell(concept->text, '\t');
    print_cell(tally_read_as(event, arena), '\n');
}

static bool is_coded(const struct event *event)
{
    const struct concept *concept =
        event->type == FHIR_CONDITION ? &event->code : &event->medication;

    return event->type == FHIR_CONDITION || concept->count > 0 || concept->text.len > 0;
}

static bool look_at(const struct codes_choices *choices, const struct offline_patient *patient,
                    const struct mapping *mapping, struct tally *tally, struct err *err)
{
    struct arena arena;
    unsigned count = 0;

    arena_init(&arena, CODES_BYTES_MAX);
    struct event *events = offline_events(patient, &arena, &count, err);
    for (unsigned i = 0; i < count; i++) {
        struct event *event = &events[i];
        mapping_resolve(mapping, event, &arena);
        if (!is_coded(event) || (choices->unmapped && !event->is_unmapped))
            continue;
        if (choices->each)
            print_event(patient, event, &arena);
        else
            tally_add(tally, event);
    }
    arena_fini(&arena);
    return events != NULL;
}

/* --- by frequency ----------------------------------------------------------------------------- */

static void print_tally(struct tally *tally)
{
    struct buffer text;

    buffer_init(&text, CODES_BYTES_MAX);
    tally_print(tally, TALLY_TEXT, &text);
    if (text.len > 0)
        fwrite(text.at, 1, text.len, stdout);
    buffer_fini(&text);
}

static unsigned read_all(struct offline *offline, const struct operands *files)
{
    struct inputs *inputs = inputs_open(files->items, files->count, print_refused, NULL);
    struct input_piece piece;
    struct buffer text;

    buffer_init(&text, INPUT_TEXT_BYTES_MAX);
    while (inputs_next(inputs, &text, &piece))
        offline_add(offline, &(struct offline_source){ piece.source, piece.file, piece.line },
                    buffer_slice(&text));
    offline_finish(offline);
    unsigned failed = inputs_refused_count(inputs);
    buffer_fini(&text);
    inputs_close(inputs);
    return failed;
}

static int run(const struct codes_choices *choices, const struct operands *files,
               const struct mapping *mapping, struct arena *codes)
{
    struct offline *offline = offline_open(&(struct offline_options){ .refused = print_refused });
    unsigned failed = read_all(offline, files);
    struct tally tally;

    tally_init(&tally, codes);
    if (choices->each)
        fputs("patient\tresource\tcodes\ttext\tread_as\n", stdout);
    for (struct offline_batch *batch; (batch = offline_next(offline)) != NULL;) {
        for (unsigned i = 0; i < batch->count; i++) {
            struct err err;
            if (look_at(choices, &batch->patients[i], mapping, &tally, &err))
                continue;
            failed++;
            command_print_err(&err);
        }
        offline_batch_free(offline, batch);
    }
    if (!choices->each)
        print_tally(&tally);
    failed += offline_refused_count(offline);
    offline_close(offline);
    return failed > 0 ? EXIT_REFUSED : EXIT_DONE;
}

int command_codes(int argc, char **argv)
{
    struct codes_choices choices = { .each = false };
    const struct option_row rows[] = {
        { "--unmapped", NULL, OPTION_FLAG, &choices.unmapped, NULL, "only what no mapping knows" },
        { "--each", NULL, OPTION_FLAG, &choices.each, NULL,
          "a row for each resource, with all of its codes" },
        { "--mappings", "FOLDER", OPTION_TEXT, &choices.mappings, NULL,
          "default: LIFELINE_MAPPINGS_FOLDER, ./mappings, or those\ninstalled with the binary" },
        { "--overlay", "FOLDER", OPTION_TEXT, &choices.overlay, NULL,
          "the site's own tables, whose rows add to, replace or\nremove ours" },
    };
    const struct command_page page = {
        .name = "lifeline codes",
        .operands = "FILE...",
        .about =
            "Reads FHIR files as 'lifeline lines' does and prints, tab-separated and the most\n"
            "frequent first, every code (or text) of a drug or a Condition, how often it came\n"
            "and what the mappings read it as.  What no mapping knows is read as nothing.",
        .options = rows,
        .option_count = COUNT_OF(rows),
        .examples = "  lifeline codes --unmapped export.ndjson\n"
                    "  lifeline codes --each --overlay site bundle.json",
        .operands_min = 1,
        .operands_max = 100000,
    };
    struct table_errors errors = { .count = 0 };
    struct mapping *mapping = NULL;
    struct operands files;
    struct arena texts;
    int status = EXIT_DONE;

    if (!options_read(&page, argc, argv, &files, &status))
        return status;
    status = EXIT_USAGE;
    arena_init(&texts, OFFLINE_ARENA_BYTES);
    if (mapping_open(command_find_mappings(choices.mappings, &texts), choices.overlay, &mapping,
                     &errors)) {
        status = run(&choices, &files, mapping, &texts);
        mapping_close(mapping);
    } else {
        command_print_errors(&errors);
    }
    arena_fini(&texts);
    return status;
}
