/* Reading goes in three steps: the JSON reader walks the file and each value finds its row of the
 * table; then the environment overrides keys outside of lists through the same rows; then
 * config_check.c looks at what only shows between keys.  A wrong value is a complaint and the walk
 * goes on, so that one run shows all mistakes; only broken JSON ends it. */
#include "app/config.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/config_int.h"
#include "app/files.h"
#include "app/nearest.h"
#include "base/json.h"
#include "base/text.h"

extern char **environ;

struct walk {
    struct config_draft *draft;
    struct slice text;
    size_t counted;   /* line numbers: newlines are counted up to here ... */
    unsigned line;    /* ... and this many lines have begun */
    unsigned skipped; /* depth of an unknown object or array whose inside is not looked at */
};

void config_complain(struct config_draft *draft, unsigned line, const char *key, const char *format,
                     ...)
{
    char what[200];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    table_complain(draft->errors, draft->file, line, key, "%s", what);
}

unsigned config_line(const struct config_draft *draft, const char *path)
{
    const struct config_key *key = config_key_find(slice_of(path));
    CHECK(key != NULL);
    unsigned line = draft->lines[key - config_keys];
    return line > 0 ? line : 1;
}

bool config_is_set(const struct config_draft *draft, const char *path)
{
    const struct config_key *key = config_key_find(slice_of(path));
    CHECK(key != NULL);
    return draft->lines[key - config_keys] > 0;
}

/* --- one value -------------------------------------------------------------------------------- */

/* Where a value came from, for complaints: a line of the file or a variable. */
struct source {
    struct config_draft *draft;
    unsigned line;
    const char *name; /* key with index, or the variable */
    bool is_environment;
};

static void refuse(const struct source *source, const char *format, ...) PRINTF_LIKE(2, 3);
static void refuse(const struct source *source, const char *format, ...)
{
    char what[200];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (!source->is_environment)
        config_complain(source->draft, source->line, source->name, "%s", what);
    else if (source->draft->errors->count < TABLE_ERRORS_MAX)
        err_fail(&source->draft->errors->list[source->draft->errors->count++], ERR_INVALID,
                 "environment", "%s: %s", source->name, what);
}

static void keep_number(const struct source *source, const struct config_key *key,
                        struct slice text, char *into)
{
    uint64_t number = 0;
    bool ok = text.len > 0 && text.len <= 18;

    for (size_t i = 0; ok && i < text.len; i++) {
        ok = text.at[i] >= '0' && text.at[i] <= '9';
        number = number * 10 + (uint64_t)(text.at[i] - '0');
    }
    if (!ok || number < key->min || number > key->max) {
        refuse(source, "'%.*s' is not a whole number from %" PRIu64 " to %" PRIu64,
               (int)(text.len < 40 ? text.len : 40), text.at, key->min, key->max);
        return;
    }
    if (key->size == sizeof(uint16_t))
        *(uint16_t *)(void *)into = (uint16_t)number;
    else if (key->size == sizeof(uint32_t))
        *(uint32_t *)(void *)into = (uint32_t)number;
    else
        *(uint64_t *)(void *)into = number;
}

static void keep_word(const struct source *source, const struct config_key *key, struct slice text,
                      char *into)
{
    char list[120];
    struct text words = TEXT(list);

    CHECK(key->size == sizeof(int));
    for (int i = 0; key->words[i] != NULL; i++) {
        if (slice_is(text, key->words[i])) {
            *(int *)(void *)into = i;
            return;
        }
        text_add(&words, "%s%s", i > 0 ? ", " : "", key->words[i]);
    }
    refuse(source, "'%.*s' is not one of: %s", (int)(text.len < 40 ? text.len : 40), text.at, list);
}

static void check_file(const struct source *source, enum key_kind kind, const char *path)
{
    enum file_state state = file_state(path);

    if (source->draft->options->is_example)
        return;
    if (state == FILE_MISSING)
        refuse(source, "'%s' does not exist", path);
    else if (state == FILE_UNREADABLE)
        refuse(source, "'%s' cannot be read by this user", path);
    else if (kind == KEY_FILE && state == FILE_IS_FOLDER)
        refuse(source, "'%s' is a folder, not a file", path);
    else if (kind == KEY_FOLDER && state != FILE_IS_FOLDER)
        refuse(source, "'%s' is not a folder", path);
}

static void keep_path(const struct source *source, const struct config_key *key, struct slice text,
                      char *into)
{
    struct config_draft *draft = source->draft;
    struct slice copy = arena_copy(draft->arena, text);
    const char *path =
        source->is_environment ? copy.at : file_beside(draft->file, copy.at, draft->arena);

    *(const char **)(void *)into = path;
    if (key->kind != KEY_PATH) {
        check_file(source, key->kind, path);
        return;
    }
    const char *slash = strrchr(path, '/');
    struct slice folder =
        slash == NULL ? SLICE(".") : (struct slice){ path, (size_t)(slash - path) + 1 };
    check_file(source, KEY_FOLDER, arena_copy(draft->arena, folder).at);
}

static void keep_scalar(const struct source *source, const struct config_key *key,
                        struct slice text, char *into)
{
    switch (key->kind) {
    case KEY_TEXT:
        if (text.len == 0 || memchr(text.at, '\0', text.len) != NULL)
            refuse(source, "must not be empty");
        else
            *(const char **)(void *)into = arena_copy(source->draft->arena, text).at;
        break;
    case KEY_FILE:
    case KEY_PATH:
    case KEY_FOLDER:
        if (text.len == 0 || memchr(text.at, '\0', text.len) != NULL)
            refuse(source, "must name a file or folder");
        else
            keep_path(source, key, text, into);
        break;
    case KEY_NUMBER:
        keep_number(source, key, text, into);
        break;
    case KEY_WORD:
        keep_word(source, key, text, into);
        break;
    case KEY_BOOL:
        if (slice_is(text, "true") || slice_is(text, "false"))
            *(bool *)(void *)into = slice_is(text, "true");
        else
            refuse(source, "is not true or false");
        break;
    case KEY_SECTION:
    case KEY_LIST:
    case KEY_TEXTS:
        break;
    }
}

/* --- the file --------------------------------------------------------------------------------- */

static unsigned line_here(struct walk *walk, const struct json_reader *reader)
{
    size_t offset = json_offset(reader);

    if (offset > walk->text.len)
        offset = walk->text.len;
    for (; walk->counted < offset; walk->counted++)
        walk->line += walk->text.at[walk->counted] == '\n';
    return walk->line;
}

/* The struct that a row fills: the draft, or the tenant or destination being read. */
static char *owner_of(struct walk *walk, const struct config_key *key)
{
    struct config_draft *draft = walk->draft;

    if (key->owner == OF_TENANT)
        return (char *)&draft->tenants[draft->tenant_count - 1];
    if (key->owner == OF_DESTINATION)
        return (char *)&draft->destinations[draft->destination_count - 1];
    return (char *)draft;
}

static const char *expected(enum key_kind kind)
{
    switch (kind) {
    case KEY_SECTION:
        return "must be an object: { ... }";
    case KEY_LIST:
        return "must be a list of objects: [ { ... } ]";
    case KEY_TEXTS:
        return "must be a list of texts: [ \"...\" ]";
    case KEY_NUMBER:
        return "must be a whole number, without quotes";
    case KEY_BOOL:
        return "must be true or false, without quotes";
    case KEY_TEXT:
    case KEY_FILE:
    case KEY_PATH:
    case KEY_FOLDER:
    case KEY_WORD:
        break;
    }
    return "must be a text in quotes";
}

static bool fits(enum key_kind kind, enum json_kind found)
{
    if (kind == KEY_SECTION)
        return found == JSON_OBJECT;
    if (kind == KEY_LIST || kind == KEY_TEXTS)
        return found == JSON_ARRAY;
    if (kind == KEY_NUMBER)
        return found == JSON_NUMBER;
    if (kind == KEY_BOOL)
        return found == JSON_BOOL;
    return found == JSON_STRING;
}

/* Only names of the same section are offered: "listen.prot" may mean listen.port. */
static void complain_unknown(struct walk *walk, struct json_reader *reader, const char *where)
{
    struct slice path = json_path(reader);
    struct nearest nearest = { .wanted = path };
    char hint[100] = "";

    for (unsigned i = 0; i < config_key_count; i++)
        nearest_offer(&nearest, config_keys[i].path);
    if (nearest.name != NULL)
        text_add(&TEXT(hint), "; did you mean '%s'?", nearest.name);
    config_complain(walk->draft, line_here(walk, reader), where, "no such key%s", hint);
}

static void add_text(struct walk *walk, struct json_reader *reader, const char *where,
                     const struct config_key *key, struct slice text)
{
    struct texts *texts = (struct texts *)(void *)(owner_of(walk, key) + key->offset);

    if (texts->items == NULL)
        texts->items = ARENA_ARRAY(walk->draft->arena, struct slice, CONFIG_IDENTITIES_MAX);
    if (texts->count == key->max) {
        config_complain(walk->draft, line_here(walk, reader), where, "more than %" PRIu64 " items",
                        key->max);
    } else if (text.len == 0) {
        config_complain(walk->draft, line_here(walk, reader), where, "must not be empty");
    } else if (texts->items != NULL) {
        texts->items[texts->count++] = arena_copy(walk->draft->arena, text);
    }
}

/* "tenants[].identities[]" is an item of the row "tenants[].identities". */
static const struct config_key *list_of(struct slice path)
{
    if (path.len < 2 || path.at[path.len - 1] != ']')
        return NULL;
    return config_key_find((struct slice){ path.at, path.len - 2 });
}

static bool on_value(void *ctx, struct json_reader *reader, enum json_kind kind, struct slice text)
{
    struct walk *walk = ctx;
    struct slice path = json_path(reader);
    const struct config_key *key = config_key_find(path), *list = list_of(path);
    char where[200];

    if (walk->skipped > 0)
        return true;
    json_where(reader, where, sizeof where);
    unsigned line = line_here(walk, reader);
    if (list != NULL && list->kind == KEY_TEXTS && kind == JSON_STRING) {
        add_text(walk, reader, where, list, text);
    } else if (list != NULL) {
        config_complain(walk->draft, line, where, "must be %s",
                        list->kind == KEY_TEXTS ? "a text in quotes" : "an object: { ... }");
    } else if (key == NULL) {
        complain_unknown(walk, reader, where);
    } else if (!fits(key->kind, kind)) {
        config_complain(walk->draft, line, where, "%s", expected(key->kind));
    } else {
        walk->draft->lines[key - config_keys] = line;
        struct source source = { walk->draft, line, where, false };
        keep_scalar(&source, key, text, owner_of(walk, key) + key->offset);
    }
    return true;
}

/* Defaults of a destination: everything that most sites leave alone. */
static const struct destination_settings usual_destination = {
    .in_flight_max = 4,
    .timeout_ms = 30000,
    .horizon_ms = INT64_C(7) * 24 * 60 * 60 * 1000,
    .message_delay_ms = 60000,
    .check_every_s = 7 * 24 * 60 * 60,
    .check_per_minute = 10,
};

/* A new tenant or destination begins; false when there is no room for it. */
static bool begin_item(struct walk *walk, const struct config_key *list, unsigned line)
{
    struct config_draft *draft = walk->draft;

    if (slice_is(slice_of(list->path), "tenants")) {
        if (draft->tenant_count == CONFIG_TENANTS_MAX)
            return false;
        draft->tenants[draft->tenant_count++] = (struct draft_tenant){ .line = line };
        return true;
    }
    if (draft->destination_count == CONFIG_DESTINATIONS_MAX)
        return false;
    draft->destinations[draft->destination_count++] =
        (struct draft_destination){ .settings = usual_destination, .line = line };
    return true;
}

static bool on_open(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct walk *walk = ctx;
    struct slice path = json_path(reader);
    const struct config_key *key = config_key_find(path), *list = list_of(path);
    char where[200];

    if (walk->skipped > 0) {
        walk->skipped++;
        return true;
    }
    if (path.len == 0 && kind == JSON_OBJECT)
        return true;
    json_where(reader, where, sizeof where);
    unsigned line = line_here(walk, reader);
    bool is_known = false;
    if (list != NULL && list->kind == KEY_LIST && kind == JSON_OBJECT) {
        is_known = begin_item(walk, list, line);
        if (!is_known)
            config_complain(walk->draft, line, where, "more than %" PRIu64 " items", list->max);
    } else if (list != NULL || path.len == 0) {
        config_complain(walk->draft, line, path.len > 0 ? where : "file", "%s",
                        path.len > 0 && list->kind == KEY_TEXTS ? "must be a text in quotes"
                                                                : expected(KEY_SECTION));
    } else if (key == NULL) {
        complain_unknown(walk, reader, where);
    } else if (!fits(key->kind, kind)) {
        config_complain(walk->draft, line, where, "%s", expected(key->kind));
    } else {
        walk->draft->lines[key - config_keys] = line;
        is_known = true;
    }
    walk->skipped = is_known ? 0 : 1;
    return true;
}

static bool on_close(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct walk *walk = ctx;

    (void)reader;
    (void)kind;
    if (walk->skipped > 0)
        walk->skipped--;
    return true;
}

/* Broken JSON ends the walk, and the checks between keys would only guess: it is told alone. */
static bool read_file(struct config_draft *draft, struct slice text)
{
    static const struct json_events events = { on_value, on_open, on_close };
    const struct json_options options = { .allow_comments = true, .depth_max = 8 };
    struct walk walk = { .draft = draft, .text = text, .line = 1 };
    unsigned line = 0, column = 0;
    int behind = 0;
    struct err err;

    if (json_read(text, &options, &events, &walk, draft->arena, &err))
        return true;
    if (sscanf(err.what, "line %u, column %u: %n", &line, &column, &behind) == 2 && behind > 0)
        config_complain(draft, line, "file", "column %u: %s", column, err.what + behind);
    else
        config_complain(draft, walk.line, err.where[0] != '\0' ? err.where : "file", "%s",
                        err.what);
    return false;
}

/* --- the environment -------------------------------------------------------------------------- */

/* "LIFELINE_LISTEN__PORT" for listen.port. */
static void variable_name(const char *path, char *out, size_t size)
{
    struct text name = { out, size, 0 };

    text_add(&name, "LIFELINE_");
    for (; *path != '\0'; path++)
        text_add(&name, *path == '.' ? "__" : "%c", toupper((unsigned char)*path));
}

static bool is_overridable(const struct config_key *key)
{
    return strchr(key->path, '[') == NULL && key->kind > KEY_TEXTS;
}

/* Only names with "__" are surely for us: orchestrators set LIFELINE_SERVICE_HOST and such. */
static void refuse_variable(struct config_draft *draft, const char *name)
{
    struct nearest nearest = { .wanted = slice_of(name) };
    char names[64][64];
    unsigned count = 0;

    if (strstr(name, "__") == NULL)
        return;
    for (unsigned i = 0; i < config_key_count && count < COUNT_OF(names); i++) {
        if (!is_overridable(&config_keys[i]))
            continue;
        variable_name(config_keys[i].path, names[count], sizeof names[count]);
        nearest_offer(&nearest, names[count++]);
    }
    struct source source = { draft, 0, name, true };
    if (nearest.name != NULL)
        refuse(&source, "sets no key; did you mean %s?", nearest.name);
    else
        refuse(&source, "sets no key");
}

static void read_variable(struct config_draft *draft, struct slice name, struct slice value)
{
    char wanted[64];

    for (unsigned i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (!is_overridable(key))
            continue;
        variable_name(key->path, wanted, sizeof wanted);
        if (!slice_is(name, wanted))
            continue;
        struct source source = { draft, 0, wanted, true };
        draft->lines[i] = draft->lines[i] > 0 ? draft->lines[i] : 1;
        keep_scalar(&source, key, value, (char *)draft + key->offset);
        return;
    }
    if (!slice_is(name, CONFIG_ENVIRONMENT))
        refuse_variable(draft, arena_copy(draft->arena, name).at);
}

static void read_environment(struct config_draft *draft)
{
    for (char *const *entry = draft->options->environment; entry != NULL && *entry != NULL;
         entry++) {
        struct slice value = slice_of(*entry);
        struct slice name = slice_take_until(&value, '=');
        if (slice_starts(name, SLICE("LIFELINE_")))
            read_variable(draft, name, value);
    }
}

/* --- all of it -------------------------------------------------------------------------------- */

static const struct config usual = {
    .listen = { "0.0.0.0", 8443 },
    .admin = { "127.0.0.1", 8444 },
    .tls = { .client_auth = CLIENT_AUTH_REQUIRE },
    .limits = { .header_bytes_max = 16 * 1024,
                .body_bytes_max = (size_t)16 * 1024 * 1024,
                .handshake_ms = 10000,
                .header_ms = 10000,
                .body_ms = 30000,
                .idle_ms = 60000 },
    .connections = 10000,
    .bundle_entries_max = 10000,
    .lane = { .queue_max = 4096, .batch_max = 512 },
    .store_kind = CONFIG_STORE_SQLITE,
    .grade_min = GRADE_MEDIUM,
    .sign_seconds = 60,
    .log_level = LOG_INFO,
    .shutdown_grace_ms = 30000,
    .update_creates = true,
};

bool config_read(struct slice text, const char *file, const struct config_options *options,
                 struct arena *arena, struct config *out, struct table_errors *errors)
{
    unsigned faults_before = errors->count;
    struct config_draft *draft = ARENA_NEW(arena, struct config_draft);
    unsigned *lines = ARENA_ARRAY(arena, unsigned, config_key_count);

    CHECK(draft != NULL && lines != NULL); /* CONFIG_ARENA_BYTES holds them many times over */
    draft->config = usual;
    draft->config.file = arena_copy(arena, slice_of(file)).at;
    draft->cache_mb = 256;
    draft->lines = lines;
    draft->file = draft->config.file;
    draft->options = options;
    draft->arena = arena;
    draft->errors = errors;

    if (!read_file(draft, text))
        return false;
    read_environment(draft);
    struct config config = draft->config;
    config_finish(draft, &config);
    if (arena_overflowed(arena))
        config_complain(draft, 1, "file", "the configuration is larger than the limit");
    if (errors->count != faults_before)
        return false;
    *out = config;
    return true;
}

bool config_load(const char *path, struct arena *arena, struct config *out,
                 struct table_errors *errors)
{
    const struct config_options options = { .environment = environ };
    struct slice text;
    struct err err;

    if (path == NULL)
        path = getenv(CONFIG_ENVIRONMENT);
    if (path == NULL)
        path = CONFIG_DEFAULT_FILE;
    if (!file_read(path, CONFIG_BYTES_MAX, arena, &text, &err)) {
        if (errors->count < TABLE_ERRORS_MAX)
            errors->list[errors->count++] = err;
        return false;
    }
    return config_read(text, path, &options, arena, out, errors);
}

unsigned config_tenant_destinations(const struct config *config, struct slice tenant,
                                    const struct destination_settings **out, unsigned max)
{
    unsigned count = 0;

    for (unsigned i = 0; i < config->destination_count && count < max; i++) {
        if (slice_is(tenant, config->destinations[i].tenant))
            out[count++] = &config->destinations[i];
    }
    return count;
}
