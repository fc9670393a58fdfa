#include "command_outbox.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/date.h"
#include "outbox/explain.h"
#include "outbox/operate.h"

#define PAGE_ROWS 500
#define SCRATCH_MAX ((size_t)256 * 1024 * 1024)

const char *const outbox_state_words[] = { "any", "pending", "settled", "dead", "unknown", NULL };

bool outbox_key_read(const char *text, int64_t *out)
{
    char *end = NULL;
    long long key = strtoll(text, &end, 10);

    if (key > 0 && end != text && *end == '\0') {
        *out = key;
        return true;
    }
    fprintf(stderr, "'%s' is no key of a row; 'lifeline outbox list' shows them\n", text);
    return false;
}

static void print_line(const struct outbox_row *row)
{
    char changed[INSTANT_TEXT_SIZE];

    printf("%6" PRId64 "  %-8s  %.19s  %-13s %-8s  ", row->key, outbox_state_name(row->state),
           instant_format(row->changed_ms, changed), posting_kind_name(row->kind),
           outbox_wish_name(row->wish));
    command_print_text(stdout, row->destination);
    fputs("  ", stdout);
    command_print_text(stdout, row->patient_name);
    fputs("  ", stdout);
    command_print_text(stdout, row->disease);
    if (row->target_id.len > 0) {
        printf("  -> %s/", fhir_type_name(posting_type(row->kind)));
        command_print_text(stdout, row->target_id);
    }
    if (row->attempts > 0)
        printf("  (%u attempts, last HTTP %d)", row->attempts, row->last_status);
    if (row->last_error.len > 0) {
        fputs("  ", stdout);
        command_print_text(stdout, row->last_error);
    }
    putchar('\n');
}

static void print_json(const struct outbox_row *row, struct slice paused, bool with_body)
{
    struct buffer out;
    struct json_writer json;

    buffer_init(&out, (size_t)16 * 1024 * 1024);
    json_writer_init(&json, &out, false);
    explain_json(row, paused, clock_wall_ms(), with_body, &json);
    printf("%.*s\n", SLICE_ARGS(buffer_slice(&out)));
    buffer_fini(&out);
}

static bool list_rows(struct store_tx *tx, const struct outbox_filter *filter, bool as_json,
                      unsigned *total, struct err *err)
{
    struct arena arena;
    int64_t after = 0;
    unsigned count = PAGE_ROWS;
    bool ok = true;

    arena_init(&arena, SCRATCH_MAX);
    while (ok && count == PAGE_ROWS) {
        struct outbox_row *rows = NULL;
        ok = store_outbox_list(tx, filter->state, after, PAGE_ROWS, &arena, &rows, &count, err);
        for (unsigned i = 0; ok && i < count; i++) {
            struct slice paused = SLICE("");
            after = rows[i].key;
            if (!outbox_filter_fits(filter, &rows[i]))
                continue;
            *total += 1;
            ok = !as_json || operate_paused(tx, rows[i].destination, &arena, &paused, err);
            if (ok && as_json)
                print_json(&rows[i], paused, false);
            else if (ok)
                print_line(&rows[i]);
        }
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return ok;
}

static int outbox_list(int argc, char **argv)
{
    const char *file = NULL, *destination = NULL, *patient = NULL, *word = NULL;
    int state = 0;
    bool as_json = false;
    const struct option_row rows[] = {
        COMMAND_CONFIG_OPTION(&file),
        { "--state", "STATE", OPTION_WORD, &state, outbox_state_words,
          "only pending, settled, dead or unknown ones" },
        { "--destination", "NAME", OPTION_TEXT, &destination, NULL, "only those for it" },
        { "--patient", "PATIENT", OPTION_TEXT, &patient, NULL, "only those about Patient/<id>" },
        { "--word", "WORD", OPTION_TEXT, &word, NULL,
          "only those with this word in the last column: policy,\n"
          "permanent, no-channel, 59187 ..." },
        { "--json", NULL, OPTION_FLAG, &as_json, NULL,
          "one JSON object per line, with an explanation" },
    };
    const struct command_page page = {
        .name = "lifeline outbox list",
        .about =
            "Lists what each destination should hold and how far that is.\n"
            "  pending   waits to be sent, or to be sent again\n"
            "  settled   the destination holds what is wanted\n"
            "  unknown   sent, but the answer was lost: looked up before anything is sent again\n"
            "  dead      given up; somebody must look",
        .options = rows,
        .option_count = COUNT_OF(rows),
    };
    struct command_store from;
    struct operands operands;
    struct err err;
    unsigned total = 0;
    int status = EXIT_DONE;

    if (!options_read(&page, argc, argv, &operands, &status))
        return status;
    if (!command_store_open(file, &from))
        return EXIT_REFUSED;
    const struct outbox_filter filter = { .state = (enum outbox_state)state,
                                          .destination = slice_of(destination),
                                          .patient = slice_of(patient),
                                          .word = slice_of(word) };
    if (!list_rows(from.tx, &filter, as_json, &total, &err)) {
        command_print_err(&err);
        status = EXIT_REFUSED;
    } else if (total == 0) {
        fputs("There are none.\n", stderr);
    }
    command_store_close(&from);
    return status;
}

/* --- one row ---------------------------------------------------------------------------------- */

static bool find_row(struct command_store *from, int64_t key, struct arena *arena,
                     struct outbox_row *row, struct slice *paused)
{
    struct err err;
    bool found = false;

    if (!store_outbox_get(from->tx, key, arena, row, &found, &err) ||
        (found && !operate_paused(from->tx, row->destination, arena, paused, &err))) {
        command_print_err(&err);
        return false;
    }
    if (!found)
        fprintf(stderr, "there is no row %" PRId64 "\n", key);
    return found;
}

static int with_row(const struct command_page *page, const char **file, int argc, char **argv,
                    void (*print)(const struct outbox_row *row, struct slice paused))
{
    struct command_store from;
    struct operands operands;
    struct outbox_row row;
    struct arena arena;
    struct slice paused;
    int64_t key = 0;
    int status = EXIT_DONE;

    if (!options_read(page, argc, argv, &operands, &status))
        return status;
    if (!outbox_key_read(operands.items[0], &key))
        return EXIT_USAGE;
    if (!command_store_open(*file, &from))
        return EXIT_REFUSED;
    arena_init(&arena, SCRATCH_MAX);
    bool found = find_row(&from, key, &arena, &row, &paused);
    if (found)
        print(&row, paused);
    arena_fini(&arena);
    command_store_close(&from);
    return found ? EXIT_DONE : EXIT_REFUSED;
}

static void print_whole(const struct outbox_row *row, struct slice paused)
{
    print_json(row, paused, true);
}

static void print_explanation(const struct outbox_row *row, struct slice paused)
{
    char bytes[800];
    struct text text = TEXT(bytes);

    print_line(row);
    explain_row(row, paused, clock_wall_ms(), &text);
    command_print_text(stdout, text_slice(&text));
    putchar('\n');
}

static int outbox_show(int argc, char **argv)
{
    const char *file = NULL;
    const struct option_row rows[] = { COMMAND_CONFIG_OPTION(&file) };
    const struct command_page page = {
        .name = "lifeline outbox show",
        .operands = "KEY",
        .about = "Prints one row as JSON, with what is to be sent.  It is about a patient.",
        .options = rows,
        .option_count = COUNT_OF(rows),
        .operands_min = 1,
        .operands_max = 1,
    };

    return with_row(&page, &file, argc, argv, print_whole);
}

static int outbox_explain(int argc, char **argv)
{
    const char *file = NULL;
    const struct option_row rows[] = { COMMAND_CONFIG_OPTION(&file) };
    const struct command_page page = {
        .name = "lifeline outbox explain",
        .operands = "KEY",
        .about = "Says of one row how it stands, why, what it waits for, when it is tried again,\n"
                 "and what somebody may have to do.",
        .options = rows,
        .option_count = COUNT_OF(rows),
        .operands_min = 1,
        .operands_max = 1,
    };

    return with_row(&page, &file, argc, argv, print_explanation);
}

int command_outbox(int argc, char **argv)
{
    static const struct command commands[] = {
        { "list", "what each destination should hold, and how far that is", outbox_list },
        { "show", "one row, with what is to be sent", outbox_show },
        { "explain", "one row in words: why, until when, what to do", outbox_explain },
        { "replay", "try rows again now, or one with another body", outbox_replay },
        { "drop", "give rows up until something new is wanted", outbox_drop },
        { "pause", "send a destination nothing", outbox_pause },
        { "resume", "... and go on", outbox_resume },
    };

    return command_choose(
        "lifeline outbox",
        "The outbox holds what Lifeline wants EHRs to know.  list, show and explain read it\n"
        "beside a gateway that may be running; the others ask the running gateway, at its\n"
        "admin address with the token of admin.token_file, and are audited with who and why.",
        commands, COUNT_OF(commands), argc, argv);
}
