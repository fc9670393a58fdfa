#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/keys.h"
#include "base/date.h"
#include "command.h"

static const char *const algorithm_words[] = { "RS384", "ES384", NULL };

struct keys_at {
    struct arena arena;
    struct config config;
    struct keys keys;
};

static bool open_keys(const char *file, struct keys_at *out)
{
    struct err err;

    arena_init(&out->arena, CONFIG_ARENA_BYTES);
    bool ok = command_config(file, &out->arena, &out->config);
    if (ok && out->config.keys_folder == NULL) {
        fputs("keys_folder is not set\n", stderr);
        ok = false;
    } else if (ok && !keys_open(out->config.keys_folder, &out->keys, &err)) {
        command_print_err(&err);
        ok = false;
    }
    if (!ok)
        arena_fini(&out->arena);
    return ok;
}

static void close_keys(struct keys_at *at)
{
    keys_close(&at->keys);
    arena_fini(&at->arena);
}

static int keys_list(int argc, char **argv)
{
    const char *file = NULL;
    const struct option_row rows[] = { COMMAND_CONFIG_OPTION(&file) };
    const struct command_page page = {
        .name = "lifeline keys list",
        .about = "Lists the keys of keys_folder, oldest first, and which one signs.  All of them\n"
                 "are published at /.well-known/jwks.json; a new one signs after a day.",
        .options = rows,
        .option_count = COUNT_OF(rows),
    };
    struct operands operands;
    struct keys_at at;
    int status = EXIT_DONE;

    if (!options_read(&page, argc, argv, &operands, &status))
        return status;
    if (!open_keys(file, &at))
        return EXIT_REFUSED;
    for (unsigned i = 0; i < at.keys.count; i++) {
        const struct jose_key *key = at.keys.list[i];
        enum jose_algorithm algorithm = jose_key_algorithm(key);
        char made[INSTANT_TEXT_SIZE];
        bool signs = keys_signing(&at.keys, algorithm, clock_wall_ms() / 1000) == key;
        printf("%s  %s  %.10s  %s%s\n", jose_key_id(key), jose_algorithm_name(algorithm),
               instant_format(at.keys.made_s[i] * 1000, made), at.keys.names[i],
               signs ? "  signs" : "");
    }
    if (at.keys.count == 0)
        fputs("There are none: 'lifeline keys new' makes one.\n", stderr);
    close_keys(&at);
    return EXIT_DONE;
}

static int keys_jwks(int argc, char **argv)
{
    const char *file = NULL;
    const struct option_row rows[] = { COMMAND_CONFIG_OPTION(&file) };
    const struct command_page page = {
        .name = "lifeline keys jwks",
        .about = "Prints the public halves as a JWK Set: what the gateway answers at\n"
                 "/.well-known/jwks.json, for a site that hosts it elsewhere.",
        .options = rows,
        .option_count = COUNT_OF(rows),
    };
    struct operands operands;
    struct keys_at at;
    struct buffer out;
    int status = EXIT_DONE;

    if (!options_read(&page, argc, argv, &operands, &status))
        return status;
    if (!open_keys(file, &at))
        return EXIT_REFUSED;
    buffer_init(&out, 1 << 20);
    bool ok = jose_write_jwks(at.keys.list, at.keys.count, &out);
    if (ok)
        printf("%.*s\n", SLICE_ARGS(buffer_slice(&out)));
    buffer_fini(&out);
    close_keys(&at);
    return ok ? EXIT_DONE : EXIT_REFUSED;
}

static bool write_file(const char *path, struct slice bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    bool is_written =
        fd >= 0 && write(fd, bytes.at, bytes.len) == (ssize_t)bytes.len && fsync(fd) == 0;
    if (!is_written)
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return is_written;
}

static bool make_key(const char *folder, enum jose_algorithm algorithm)
{
    char path[4096], today[INSTANT_TEXT_SIZE];
    struct jose_key *key = NULL;
    struct buffer pem;
    struct err err;

    buffer_init(&pem, 1 << 16);
    bool ok = jose_key_make(algorithm, &key, &err) && jose_key_write(key, &pem, &err);
    if (ok) {
        snprintf(path, sizeof path, "%s/%.10s-%s-%.8s.pem", folder,
                 instant_format(clock_wall_ms(), today), jose_algorithm_name(algorithm),
                 jose_key_id(key));
        ok = write_file(path, buffer_slice(&pem));
        if (ok)
            printf("%s  %s\n", jose_key_id(key), path);
    } else {
        command_print_err(&err);
    }
    memset(pem.at, 0, pem.len);
    buffer_fini(&pem);
    jose_key_free(key);
    return ok;
}

static int keys_new(int argc, char **argv)
{
    const char *file = NULL;
    int algorithm = JOSE_ES384;
    const struct option_row rows[] = {
        COMMAND_CONFIG_OPTION(&file),
        { "--algorithm", "NAME", OPTION_WORD, &algorithm, algorithm_words,
          "ES384 (the usual one) or RS384" },
    };
    const struct command_page page = {
        .name = "lifeline keys new",
        .about = "Makes a private key in keys_folder that only its owner can read.  The gateway\n"
                 "publishes it when it is started again, and signs with it a day later, when\n"
                 "authorization servers have seen it.  Remove the old file some days after that.",
        .options = rows,
        .option_count = COUNT_OF(rows),
    };
    struct operands operands;
    struct keys_at at;
    int status = EXIT_DONE;

    if (!options_read(&page, argc, argv, &operands, &status))
        return status;
    if (!open_keys(file, &at))
        return EXIT_REFUSED;
    bool ok = make_key(at.config.keys_folder, (enum jose_algorithm)algorithm);
    close_keys(&at);
    return ok ? EXIT_DONE : EXIT_REFUSED;
}

int command_keys(int argc, char **argv)
{
    static const struct command commands[] = {
        { "list", "the keys, and which one signs", keys_list },
        { "new", "makes a key", keys_new },
        { "jwks", "the public halves as a JWK Set", keys_jwks },
    };

    return command_choose(
        "lifeline keys",
        "The keys by which authorization servers know this gateway (SMART Backend\n"
        "Services, private_key_jwt).",
        commands, COUNT_OF(commands), argc, argv);
}
