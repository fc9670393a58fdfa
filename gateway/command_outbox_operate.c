/* What changes the outbox is done by the gateway that is running: it alone writes to the store and
 * to the audit chain. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "app/admin_client.h"
#include "app/files.h"
#include "base/json.h"
#include "command_outbox.h"

#define TIMEOUT_MS 30000
#define BODY_MAX ((size_t)8 * 1024 * 1024)

/* What the command line said. */
struct order {
    const char *config_file, *operation;
    const char *by, *reason, *body_file;
    const char *destination, *patient, *word;
    int state;
    int64_t key;
    char path[128];
};

static void write_order(const struct order *order, struct slice body, struct buffer *out)
{
    const struct {
        const char *name, *value;
    } texts[] = { { "by", order->by },
                  { "reason", order->reason },
                  { "destination", order->destination },
                  { "patient", order->patient },
                  { "word", order->word } };
    struct json_writer json;

    json_writer_init(&json, out, false);
    json_object(&json);
    for (unsigned i = 0; i < COUNT_OF(texts); i++) {
        if (texts[i].value != NULL)
            json_put_text(&json, texts[i].name, texts[i].value);
    }
    if (order->state != 0)
        json_put_text(&json, "state", outbox_state_words[order->state]);
    if (body.len > 0) {
        json_key(&json, "body");
        json_raw(&json, body);
    }
    json_object_end(&json);
}

static struct slice trimmed(struct slice text)
{
    while (text.len > 0 && (unsigned char)text.at[text.len - 1] <= ' ')
        text.len--;
    return text;
}

static bool prepare(const struct order *order, const struct config *config, struct arena *arena,
                    struct slice *token, struct slice *body)
{
    struct err err;

    if (config->admin_token_file == NULL) {
        fputs("admin.token_file is not set: nobody may do this\n", stderr);
        return false;
    }
    if (!file_read(config->admin_token_file, 4096, arena, token, &err) ||
        (order->body_file != NULL && !file_read(order->body_file, BODY_MAX, arena, body, &err))) {
        command_print_err(&err);
        return false;
    }
    *token = trimmed(*token);
    return true;
}

static int ask(const struct order *order, const struct config *config, struct arena *arena)
{
    struct slice token = SLICE(""), body = SLICE("");
    struct buffer sent, answer;
    struct err err;
    int http = 0, status = EXIT_REFUSED;

    if (!prepare(order, config, arena, &token, &body))
        return EXIT_REFUSED;
    buffer_init(&sent, BODY_MAX + 8192);
    buffer_init(&answer, BODY_MAX);
    write_order(order, body, &sent);
    const struct admin_request request = { .method = "POST",
                                           .path = order->path,
                                           .token = token,
                                           .body = buffer_slice(&sent),
                                           .timeout_ms = TIMEOUT_MS };
    if (!admin_ask(&config->admin, &request, &http, &answer, &err)) {
        command_print_err(&err);
        fputs("The gateway must be running: it alone changes its outbox.\n", stderr);
    } else {
        command_print_text(http == 200 ? stdout : stderr, trimmed(buffer_slice(&answer)));
        fputc('\n', http == 200 ? stdout : stderr);
        status = http == 200 ? EXIT_DONE : EXIT_REFUSED;
    }
    buffer_fini(&sent);
    buffer_fini(&answer);
    return status;
}

static int carry_out(const struct order *order)
{
    struct config config;
    struct arena arena;
    int status = EXIT_REFUSED;

    if (order->by == NULL || order->reason == NULL) {
        fputs("--by and --reason are needed: the audit log says who did it, and why\n", stderr);
        return EXIT_USAGE;
    }
    arena_init(&arena, CONFIG_ARENA_BYTES + BODY_MAX);
    if (command_config(order->config_file, &arena, &config))
        status = ask(order, &config, &arena);
    arena_fini(&arena);
    return status;
}

#define WHO_AND_WHY(order)                                                                   \
    { "--by", "NAME", OPTION_TEXT, &(order).by, NULL, "who does it, for the audit log" },    \
    {                                                                                        \
        "--reason", "SENTENCE", OPTION_TEXT, &(order).reason, NULL, "why, for the audit log" \
    }

static int on_rows(struct order *order, const char *about, int argc, char **argv)
{
    const struct option_row rows[] = {
        COMMAND_CONFIG_OPTION(&order->config_file),
        WHO_AND_WHY(*order),
        { "--state", "STATE", OPTION_WORD, &order->state, outbox_state_words,
          "without KEY: all rows that are pending, settled, dead or unknown" },
        { "--destination", "NAME", OPTION_TEXT, &order->destination, NULL,
          "without KEY: all rows for it" },
        { "--patient", "PATIENT", OPTION_TEXT, &order->patient, NULL,
          "without KEY: all rows about Patient/<id>" },
        { "--word", "WORD", OPTION_TEXT, &order->word, NULL,
          "without KEY: all rows with this word in what went wrong" },
        { "--body", "FILE", OPTION_TEXT, &order->body_file, NULL,
          "replay with KEY: send this instead of what it was" },
    };
    char name[48];
    snprintf(name, sizeof name, "lifeline outbox %s", order->operation);
    const struct command_page page = {
        .name = name,
        .operands = "[KEY]",
        .about = about,
        .options = rows,
        .option_count = COUNT_OF(rows),
        .examples =
            "  lifeline outbox replay 17 --by 'A. Moor' --reason 'note type is mapped now'\n"
            "  lifeline outbox replay --state dead --word site-build --by ... --reason ...",
        .operands_max = 1,
    };
    struct operands operands;
    int status = EXIT_DONE;

    if (!options_read(&page, argc, argv, &operands, &status))
        return status;
    if (operands.count == 1 && !outbox_key_read(operands.items[0], &order->key))
        return EXIT_USAGE;
    bool is_edit = order->body_file != NULL;
    if (order->key > 0)
        snprintf(order->path, sizeof order->path, "/outbox/%" PRId64 "/%s", order->key,
                 is_edit ? "edit" : order->operation);
    else
        snprintf(order->path, sizeof order->path, "/outbox/%s", order->operation);
    return carry_out(order);
}

int outbox_replay(int argc, char **argv)
{
    struct order order = { .operation = "replay" };

    return on_rows(&order,
                   "Tries rows again now: one by its key, or all that fit.  What is settled is\n"
                   "looked at again, and written where it is missing.  Prints how many there were.",
                   argc, argv);
}

int outbox_drop(int argc, char **argv)
{
    struct order order = { .operation = "drop" };

    return on_rows(&order,
                   "Gives rows up: nothing is sent for them until something new is wanted.\n"
                   "Prints how many there were.",
                   argc, argv);
}

static bool is_path_word(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.");
    return len > 0 && len <= 64 && text[len] == '\0';
}

static int on_destination(struct order *order, const char *about, int argc, char **argv)
{
    const struct option_row rows[] = { COMMAND_CONFIG_OPTION(&order->config_file),
                                       WHO_AND_WHY(*order) };
    char name[48];
    snprintf(name, sizeof name, "lifeline outbox %s", order->operation);
    const struct command_page page = {
        .name = name,
        .operands = "DESTINATION",
        .about = about,
        .options = rows,
        .option_count = COUNT_OF(rows),
        .operands_min = 1,
        .operands_max = 1,
    };
    struct operands operands;
    int status = EXIT_DONE;

    if (!options_read(&page, argc, argv, &operands, &status))
        return status;
    if (!is_path_word(operands.items[0])) {
        fprintf(stderr, "'%s' is no name of a destination\n", operands.items[0]);
        return EXIT_USAGE;
    }
    snprintf(order->path, sizeof order->path, "/destinations/%s/%s", operands.items[0],
             order->operation);
    return carry_out(order);
}

int outbox_pause(int argc, char **argv)
{
    struct order order = { .operation = "pause" };

    return on_destination(
        &order,
        "Sends a destination nothing from now on, also after a restart, until it is\n"
        "resumed.  What is under way ends; what is wanted meanwhile waits.",
        argc, argv);
}

int outbox_resume(int argc, char **argv)
{
    struct order order = { .operation = "resume" };

    return on_destination(&order, "Ends a pause: what waited is sent, by what is wanted by then.",
                          argc, argv);
}
