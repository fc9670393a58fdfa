#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/json.h"
#include "command.h"

#define PAGE_ROWS 500

static const char *const state_names[] = { "any", "pending", "settled", "dead", "unknown", NULL };
static const char *const wish_names[] = { "", "hold", "inactive", "in-error" };

static void print_text(const struct outbox_row *row)
{
    char changed[INSTANT_TEXT_SIZE];

    printf("%-8s  %.19s  %-9s %-8s  ", state_names[row->state],
           instant_format(row->changed_ms, changed), posting_kind_name(row->kind),
           wish_names[row->wish]);
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
        printf("  (%u attempts, last HTTP %d, ", row->attempts, row->last_status);
    if (row->attempts > 0) {
        command_print_text(stdout, row->last_error);
        putchar(')');
    }
    putchar('\n');
}

static void print_json(const struct outbox_row *row)
{
    struct buffer out;
    struct json_writer json;
    char time[INSTANT_TEXT_SIZE];

    buffer_init(&out, (size_t)64 * 1024);
    json_writer_init(&json, &out, false);
    json_object(&json);
    json_put_integer(&json, "key", row->key);
    json_put_text(&json, "state", state_names[row->state]);
    json_put(&json, "destination", row->destination);
    json_put(&json, "patient", row->patient_name);
    json_put(&json, "disease", row->disease);
    json_put_text(&json, "kind", posting_kind_name(row->kind));
    json_put_text(&json, "wish", wish_names[row->wish]);
    json_put(&json, "identity", row->identity);
    json_put_integer(&json, "attempts", row->attempts);
    json_put_text(&json, "changed", instant_format(row->changed_ms, time));
    json_put(&json, "target", row->target_id);
    json_put_integer(&json, "lastStatus", row->last_status);
    json_put(&json, "lastError", row->last_error);
    json_object_end(&json);
    printf("%.*s\n", SLICE_ARGS(buffer_slice(&out)));
    buffer_fini(&out);
}

static bool list_rows(struct store_tx *tx, enum outbox_state state, bool as_json, unsigned *total,
                      struct err *err)
{
    struct arena arena;
    int64_t after = 0;
    unsigned count = PAGE_ROWS;
    bool ok = true;

    arena_init(&arena, (size_t)256 * 1024 * 1024);
    while (ok && count == PAGE_ROWS) {
        struct outbox_row *rows = NULL;
        ok = store_outbox_list(tx, state, after, PAGE_ROWS, &arena, &rows, &count, err);
        for (unsigned i = 0; ok && i < count; i++) {
            if (as_json)
                print_json(&rows[i]);
            else
                print_text(&rows[i]);
            after = rows[i].key;
            *total += 1;
        }
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return ok;
}

static int outbox_list(int argc, char **argv)
{
    const char *file = NULL;
    int state = 0;
    bool as_json = false;
    const struct option_row rows[] = {
        COMMAND_CONFIG_OPTION(&file),
        { "--state", "STATE", OPTION_WORD, &state, state_names,
          "only pending, settled, dead or unknown ones" },
        { "--json", NULL, OPTION_FLAG, &as_json, NULL, "one JSON object per line" },
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
    if (!list_rows(from.tx, (enum outbox_state)state, as_json, &total, &err)) {
        command_print_err(&err);
        status = EXIT_REFUSED;
    } else if (total == 0) {
        fputs("There are none.\n", stderr);
    }
    command_store_close(&from);
    return status;
}

int command_outbox(int argc, char **argv)
{
    static const struct command commands[] = {
        { "list", "what each destination should hold, and how far that is", outbox_list },
    };

    return command_choose(
        "lifeline outbox",
        "The outbox holds what Lifeline wants EHRs to know.  It is read here, never\n"
        "changed, beside a gateway that may be running.",
        commands, COUNT_OF(commands), argc, argv);
}
