/* app/config.h -- one file of JSON with comments, and a few environment variables, as typed
 * settings.
 *
 * What      a table names every key, its type and its range (config_table.c); every mistake of the
 *           file, of the environment and between keys is reported at once with its line.  The
 *           modules get ready-made settings structs and never see the file.  Order of precedence:
 *           built-in defaults < file < environment.  Secrets are named by file, never written here.
 *           Environment: LIFELINE_CONFIG names the file; each key outside of lists has a variable:
 *           listen.port is LIFELINE_LISTEN__PORT.  Relative paths of the file are taken from the
 *           folder of the file, those of the environment from the working directory.
 * Owns      everything lives in the arena given to config_load().
 * Errors    table_errors: "file:line" and "key: what is wrong, and what would be right".
 * Thread    load on one thread at start; afterwards any number of readers.
 */
#pragma once

#include "app/log.h"
#include "auth/auth.h"
#include "domain/line.h"
#include "mapping/table.h"
#include "net/server.h"
#include "outbox/outbox.h"
#include "store/lane.h"

#define CONFIG_TENANTS_MAX 64
#define CONFIG_DESTINATIONS_MAX 64
#define CONFIG_IDENTITIES_MAX 16 /* per tenant; base_urls and events likewise */
#define CONFIG_TENANT_DESTINATIONS_MAX 8
#define CONFIG_BYTES_MAX ((size_t)1024 * 1024)
#define CONFIG_ARENA_BYTES ((size_t)8 * 1024 * 1024)
#define CONFIG_DEFAULT_FILE "/etc/lifeline/lifeline.json"
#define CONFIG_ENVIRONMENT "LIFELINE_CONFIG"

enum config_store { CONFIG_STORE_SQLITE, CONFIG_STORE_MEMORY };

struct config_address {
    const char *address;
    uint16_t port;
};

struct config {
    const char *file;
    struct config_address listen;
    const char *base_url; /* as clients see it, with /fhir: "https://lifeline.example:8443/fhir" */
    struct config_address admin;
    const char *admin_token_file; /* of operators; NULL: they have no endpoints */
    struct tls_settings tls;
    struct net_limits limits; /* connections_max is already the share of one loop */
    unsigned connections;     /* of the whole process, as configured */
    unsigned bundle_entries_max;
    struct lane_settings lane;
    unsigned loops; /* at least 1: 0 in the file became the number of cores */
    enum config_store store_kind;
    struct store_settings store; /* path is NULL for memory */
    const char *mappings_folder;
    const char *keys_folder;      /* of private keys for authorization servers; NULL: none */
    const char *mappings_overlay; /* the site's own tables; NULL without */
    struct tenant *tenants;       /* the number of each is filled at start */
    unsigned tenant_count;
    const struct tenant *default_tenant; /* serves callers without a certificate; may be NULL */
    const struct destination_settings *destinations;
    unsigned destination_count;
    enum grade grade_min; /* of a verdict that is posted */
    const char *instance_uri;
    const char *signing_key_file; /* Ed25519 PEM; NULL: heads are not signed */
    unsigned sign_seconds;
    enum log_level log_level;
    unsigned shutdown_grace_ms;
    bool update_creates, if_match_required;
};

struct config_options {
    bool is_example;          /* named files need not exist: the commented example and unit tests */
    char *const *environment; /* "NAME=value", NULL-terminated; NULL: none */
};

/* Reads `text`, which came from `file`.  False when anything is wrong. */
bool config_read(struct slice text, const char *file, const struct config_options *options,
                 struct arena *arena, struct config *out, struct table_errors *errors) MUST_USE;
/* The file `path`, or the one that LIFELINE_CONFIG names, or the default one, with the process's
 * environment. */
bool config_load(const char *path, struct arena *arena, struct config *out,
                 struct table_errors *errors) MUST_USE;

/* The names of a tenant's destinations are those whose `tenant` is its name. */
unsigned config_tenant_destinations(const struct config *config, struct slice tenant,
                                    const struct destination_settings **out, unsigned max);
