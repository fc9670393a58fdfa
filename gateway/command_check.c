#include <inttypes.h>

#include "app/files.h"
#include "app/keys.h"
#include "app/mapping_files.h"
#include "command.h"
#include "mapping/review.h"
#include "outbox/probe.h"
#include "plan/texts.h"

static const char *const auth_names[] = { "asks for no client certificate",
                                          "asks for a client certificate, and does without",
                                          "requires a client certificate" };

static void print_listeners(const struct config *config)
{
    printf("It would listen on %s port %u (TLS; %s) with %u loop%s,\n", config->listen.address,
           config->listen.port, auth_names[config->tls.client_auth], config->loops,
           config->loops == 1 ? "" : "s");
    printf("  call itself %s,\n", config->base_url);
    printf("  and answer health and metrics on http://%s:%u\n", config->admin.address,
           config->admin.port);
    printf("It would take %u connections, bodies of %zu KiB, Bundles of %u entries,\n",
           config->connections, config->limits.body_bytes_max / 1024, config->bundle_entries_max);
    printf("  and refuse with 503 when %u requests wait (%u per transaction)\n",
           config->lane.queue_max, config->lane.batch_max);
    if (config->store_kind == CONFIG_STORE_SQLITE)
        printf("It would store in %s (SQLite, %zu MiB of cache)\n", config->store.path,
               config->store.cache_bytes / 1024 / 1024);
    else
        printf("It would store in memory: everything is gone when it stops\n");
}

static void print_destination(const struct destination_settings *settings)
{
    char bytes[256];
    struct text ladder = TEXT(bytes);

    for (unsigned i = 0; i < settings->ladder.count; i++) {
        if (i > 0)
            text_add(&ladder, ", else ");
        posting_kinds_write(settings->ladder.rungs[i], &ladder);
    }
    printf("  gets back           %s at %s (%s)\n", bytes, settings->base_url, settings->name);
}

static void print_tenants(const struct config *config)
{
    for (unsigned i = 0; i < config->tenant_count; i++) {
        const struct tenant *tenant = &config->tenants[i];
        const struct destination_settings *found[CONFIG_TENANT_DESTINATIONS_MAX];
        unsigned count = config_tenant_destinations(config, tenant->name, found, COUNT_OF(found));

        printf("Tenant %.*s%s\n", SLICE_ARGS(tenant->name),
               tenant == config->default_tenant ? " (also for callers without a certificate)" : "");
        for (unsigned j = 0; j < tenant->identity_count; j++)
            printf("  is whoever shows    %.*s\n", SLICE_ARGS(tenant->identities[j]));
        for (unsigned j = 0; j < tenant->base_url_count; j++)
            printf("  calls its resources %.*s/...\n", SLICE_ARGS(tenant->base_urls[j]));
        for (unsigned j = 0; j < count; j++)
            print_destination(found[j]);
        if (count == 0)
            printf("  gets nothing back: it has no destination\n");
    }
}

static void print_mapping(const struct config *config, const struct mapping *mapping)
{
    const struct rules *rules = mapping_rules(mapping);
    char digest[SHA256_HEX_SIZE];

    if (config->mappings_overlay != NULL)
        printf("Overlay in %s\n", config->mappings_overlay);
    printf("Mappings in %s: %u diseases, %u profiles, %u regimens\n", config->mappings_folder,
           rules->disease_count, rules->profile_count, rules->regimen_count);
    printf("  rule set sha256:%s\n", sha256_hex(mapping_digest(mapping), digest));
}

static void print_plan(const struct config *config, const struct mapping *mapping)
{
    print_listeners(config);
    print_tenants(config);
    print_mapping(config, mapping);
    printf("It would post verdicts of grade %s and above as %s,\n", grade_name(config->grade_min),
           config->instance_uri);
    if (config->signing_key_file != NULL)
        printf("  and sign the head of the audit log every %u s\n", config->sign_seconds);
    else
        printf("  and not sign the head of the audit log (audit.signing_key_file is not set)\n");
    printf("Nothing is wrong with it.\n");
}

/* The words of what is posted back: the one table that mapping/ does not read. */
static bool check_texts(const char *folder, const char *overlay)
{
    struct plan_texts texts;
    struct buffer faults;
    struct arena arena;
    struct slice tsv;
    struct err err;

    arena_init(&arena, (size_t)4 << 20);
    buffer_init(&faults, 1 << 16);
    const char *path = mapping_whole_file(folder, overlay, "outputs.tsv", &arena);
    bool ok = file_read(path, (size_t)1 << 20, &arena, &tsv, &err);
    if (!ok)
        command_print_err(&err);
    ok = ok && plan_texts_read(tsv, path, &arena, &texts, &faults);
    if (faults.len > 0)
        fwrite(faults.at, 1, faults.len, stderr);
    buffer_fini(&faults);
    arena_fini(&arena);
    return ok;
}

/* What would be read and never decides anything: told, and with --strict a fault. */
static bool review(const struct mapping *mapping, bool is_strict)
{
    struct table_errors findings = { .count = 0 };

    mapping_review(mapping, &findings);
    for (unsigned i = 0; i < findings.count; i++)
        fprintf(stderr, "%s: %s\n", findings.list[i].where, findings.list[i].what);
    if (findings.count > 0)
        fprintf(stderr, "%u row%s that never decide%s anything\n", findings.count,
                findings.count == 1 ? "" : "s", findings.count == 1 ? "s" : "");
    return findings.count == 0 || !is_strict;
}

/* True when each configured recipient is among those that the destination lets us choose. */
static bool print_choices(const struct probe *probe, const struct destination_settings *settings)
{
    const struct slice *stranger = probe_stranger(probe, settings);

    if (probe->choices.count > 0)
        printf("  messages may be sent to:");
    for (unsigned i = 0; i < probe->choices.count; i++)
        printf("%s %s", i > 0 ? "," : "", probe->choices.names[i]);
    if (probe->choices.count > 0)
        printf("\n");
    if (stranger != NULL)
        printf("  Its recipient %.*s is not among them: messages would be refused.\n",
               SLICE_ARGS(*stranger));
    return stranger == NULL;
}

/* True when each destination answers and can be told somehow. */
static bool probe_destination(const struct destination_settings *settings)
{
    struct probe probe;
    struct err err;
    char bytes[200];

    if (!probe_run(settings, "Lifeline/" LIFELINE_VERSION " (check)", &probe, &err)) {
        command_print_err(&err);
        return false;
    }
    printf("Destination %s at %s\n", settings->name, settings->base_url);
    if (probe.fault[0] != '\0') {
        printf("  %s\n", probe.fault);
        return false;
    }
    printf("  answers in %" PRId64 " ms%s%s\n", probe.took_ms,
           probe.capability.vendor != VENDOR_OTHER ? ", and is " : "",
           vendor_name(probe.capability.vendor));
    if (probe.us_core[0] != '\0')
        printf("  speaks US Core %s, by its base URL\n", probe.us_core);
    for (enum posting_kind kind = POSTING_FLAG; kind < POSTING_KINDS; kind++) {
        struct text why = TEXT(bytes);
        if (kind == POSTING_PROVENANCE)
            continue;
        probe_explain(&probe, settings, kind, &why);
        printf("  %-14s %s\n", posting_kind_name(kind), bytes);
    }
    if (probe.chosen == 0)
        printf("  There is no channel: its postings would be parked. CDS Hooks need none.\n");
    return print_choices(&probe, settings) && probe.chosen != 0;
}

static bool probe_all(const struct config *config)
{
    struct keys keys;
    struct err err;
    bool is_fine = true;

    if (!keys_open(config->keys_folder, &keys, &err)) {
        command_print_err(&err);
        return false;
    }
    for (unsigned i = 0; i < config->destination_count; i++) {
        struct destination_settings settings = config->destinations[i];
        settings.smart.key = keys_signing(&keys, settings.smart.algorithm, clock_wall_ms() / 1000);
        is_fine = probe_destination(&settings) && is_fine;
    }
    keys_close(&keys);
    if (config->destination_count == 0)
        printf("There is no destination to ask.\n");
    return is_fine;
}

/* Both are read even when the first has faults, so that one run shows everything. */
static int check(const char *file, bool is_strict, bool is_quiet, bool is_probe)
{
    struct table_errors errors = { .count = 0 };
    struct mapping *mapping = NULL;
    struct config config = { .mappings_folder = NULL };
    struct arena arena;

    arena_init(&arena, CONFIG_ARENA_BYTES);
    bool ok = config_load(file, &arena, &config, &errors);
    if (ok)
        ok = mapping_open(config.mappings_folder, config.mappings_overlay, &mapping, &errors);
    command_print_errors(&errors);
    ok = ok && review(mapping, is_strict);
    ok = (config.mappings_folder == NULL ||
          check_texts(config.mappings_folder, config.mappings_overlay)) &&
         ok;
    if (ok && !is_quiet)
        print_plan(&config, mapping);
    if (ok && is_probe)
        ok = probe_all(&config);
    if (mapping != NULL)
        mapping_close(mapping);
    arena_fini(&arena);
    return ok ? EXIT_DONE : EXIT_REFUSED;
}

static int check_mappings(const char *folder, const char *overlay, bool is_strict, bool is_quiet)
{
    struct table_errors errors = { .count = 0 };
    struct mapping *mapping = NULL;

    bool ok = mapping_open(folder, overlay, &mapping, &errors);
    command_print_errors(&errors);
    ok = ok && review(mapping, is_strict);
    ok = check_texts(folder, overlay) && ok;
    if (ok && !is_quiet) {
        struct config config = { .mappings_folder = folder, .mappings_overlay = overlay };
        print_mapping(&config, mapping);
    }
    if (mapping != NULL)
        mapping_close(mapping);
    return ok ? EXIT_DONE : EXIT_REFUSED;
}

int command_check(int argc, char **argv)
{
    const char *file = NULL, *mappings = NULL, *overlay = NULL;
    bool is_quiet = false, is_strict = false, is_probe = false;
    const struct option_row rows[] = {
        COMMAND_CONFIG_OPTION(&file),
        { "--mappings", "FOLDER", OPTION_TEXT, &mappings, NULL,
          "look at this folder of mappings only" },
        { "--overlay", "FOLDER", OPTION_TEXT, &overlay, NULL,
          "with --mappings: and at the site's own tables" },
        { "--strict", NULL, OPTION_FLAG, &is_strict, NULL,
          "rows that never decide anything are faults too" },
        { "--probe", NULL, OPTION_FLAG, &is_probe, NULL,
          "ask each destination what it can do, and tell what it\n"
          "would be sent and why" },
        { "--quiet", NULL, OPTION_FLAG, &is_quiet, NULL, "say only what is wrong" },
    };
    const struct command_page page = {
        .name = "lifeline check",
        .about =
            "Reads a configuration and its mappings as 'serve' would, tells every mistake at\n"
            "once with its file and line, and otherwise says what the gateway would do.\n"
            "Rows of the mappings that can never decide anything are told as well.\n"
            "Nothing is opened, sent or changed; --probe reads the /metadata of each destination.",
        .options = rows,
        .option_count = COUNT_OF(rows),
        .examples = "  lifeline check --config docker/lifeline.example.json\n"
                    "  lifeline check --mappings mappings --overlay site",
    };
    struct operands operands;
    int status = EXIT_DONE;

    if (!options_read(&page, argc, argv, &operands, &status))
        return status;
    return mappings != NULL ? check_mappings(mappings, overlay, is_strict, is_quiet)
                            : check(file, is_strict, is_quiet, is_probe);
}
