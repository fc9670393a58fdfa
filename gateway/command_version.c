#include <uv.h>

#include "base/json.h"
#include "command.h"

struct part {
    const char *name, *version;
};

static void print_json(const struct part *parts, unsigned count)
{
    struct buffer out;
    struct json_writer json;

    buffer_init(&out, 4096);
    json_writer_init(&json, &out, false);
    json_object(&json);
    for (unsigned i = 0; i < count; i++)
        json_put_text(&json, parts[i].name, parts[i].version);
    json_object_end(&json);
    printf("%.*s\n", SLICE_ARGS(buffer_slice(&out)));
    buffer_fini(&out);
}

int command_version(int argc, char **argv)
{
    bool as_json = false;
    const struct option_row rows[] = {
        { "--json", NULL, OPTION_FLAG, &as_json, NULL, "one JSON object, for programs" },
    };
    const struct command_page page = {
        .name = "lifeline version",
        .about = "Says which version this is, and which libraries it runs with.",
        .options = rows,
        .option_count = COUNT_OF(rows),
    };
    const struct part parts[] = {
        { "lifeline", LIFELINE_VERSION },
        { "compiler", __VERSION__ },
        { "libuv", uv_version_string() },
        { "openssl", LIFELINE_OPENSSL }, /* as built against; the rest of the binary owns them */
        { "sqlite", LIFELINE_SQLITE },
        { "libcurl", LIFELINE_CURL },
    };
    struct operands operands;
    int status = EXIT_DONE;

    if (!options_read(&page, argc, argv, &operands, &status))
        return status;
    if (as_json) {
        print_json(parts, COUNT_OF(parts));
        return EXIT_DONE;
    }
    for (unsigned i = 0; i < COUNT_OF(parts); i++)
        printf("%-10s %s\n", parts[i].name, parts[i].version);
    return EXIT_DONE;
}
