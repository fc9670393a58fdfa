/* The keys of the configuration.  To add one: a member in struct config, a row here, a sentence in
 * docker/lifeline.example.json. */
#include "app/config_int.h"

static const char *const client_auth_words[] = { "off", "request", "require", NULL };
static const char *const store_words[] = { "sqlite", "memory", NULL };
static const char *const grade_words[] = { "none", "low", "medium", "high", NULL };
static const char *const algorithm_words[] = { "RS384", "ES384", NULL };
static const char *const payload_words[] = { "attachment", "string", NULL };
static const char *const priority_words[] = { "routine", "urgent", NULL };
static const char *const level_words[] = { "error", "warning", "info", "debug", NULL };

#define MEMBER(type, member) offsetof(type, member), sizeof(((type *)NULL)->member)
#define CONFIG(member) OF_DRAFT, MEMBER(struct config_draft, config.member)
#define DRAFT(member) OF_DRAFT, MEMBER(struct config_draft, member)
#define TENANT(member) OF_TENANT, MEMBER(struct draft_tenant, member)
#define DEST(member) OF_DESTINATION, MEMBER(struct draft_destination, settings.member)
#define DRAFT_DEST(member) OF_DESTINATION, MEMBER(struct draft_destination, member)
#define NOWHERE OF_DRAFT, 0, 0
#define DAY_MS ((uint64_t)24 * 60 * 60 * 1000)
#define MB ((uint64_t)1024 * 1024)

/* clang-format off */
const struct config_key config_keys[] = {
    { "listen",                            KEY_SECTION, NOWHERE, 0, 0, NULL },
    { "listen.address",                    KEY_TEXT,    CONFIG(listen.address), 0, 0, NULL },
    { "listen.port",                       KEY_NUMBER,  CONFIG(listen.port), 0, 65535, NULL },
    { "listen.base_url",                   KEY_TEXT,    CONFIG(base_url), 0, 0, NULL },
    { "tls",                               KEY_SECTION, NOWHERE, 0, 0, NULL },
    { "tls.certificate_file",              KEY_FILE,    CONFIG(tls.certificate_file), 0, 0, NULL },
    { "tls.key_file",                      KEY_FILE,    CONFIG(tls.key_file), 0, 0, NULL },
    { "tls.client_ca_file",                KEY_FILE,    CONFIG(tls.client_ca_file), 0, 0, NULL },
    { "tls.client_auth",                   KEY_WORD,    CONFIG(tls.client_auth), 0, 0, client_auth_words },
    { "limits",                            KEY_SECTION, NOWHERE, 0, 0, NULL },
    { "limits.connections",                KEY_NUMBER,  CONFIG(connections), 1, 1000000, NULL },
    { "limits.header_bytes",               KEY_NUMBER,  CONFIG(limits.header_bytes_max), 1024, MB, NULL },
    { "limits.body_bytes",                 KEY_NUMBER,  CONFIG(limits.body_bytes_max), 1024, 1024 * MB, NULL },
    { "limits.bundle_entries",             KEY_NUMBER,  CONFIG(bundle_entries_max), 1, 1000000, NULL },
    { "limits.queue",                      KEY_NUMBER,  CONFIG(lane.queue_max), 1, 1000000, NULL },
    { "limits.batch",                      KEY_NUMBER,  CONFIG(lane.batch_max), 1, 100000, NULL },
    { "limits.handshake_ms",               KEY_NUMBER,  CONFIG(limits.handshake_ms), 100, 600000, NULL },
    { "limits.header_ms",                  KEY_NUMBER,  CONFIG(limits.header_ms), 100, 600000, NULL },
    { "limits.body_ms",                    KEY_NUMBER,  CONFIG(limits.body_ms), 100, 3600000, NULL },
    { "limits.idle_ms",                    KEY_NUMBER,  CONFIG(limits.idle_ms), 100, 3600000, NULL },
    { "limits.arena_bytes",                KEY_NUMBER,  CONFIG(limits.arena_bytes_max), MB, 16384 * MB, NULL },
    { "loops",                             KEY_NUMBER,  CONFIG(loops), 0, 256, NULL },
    { "store",                             KEY_SECTION, NOWHERE, 0, 0, NULL },
    { "store.kind",                        KEY_WORD,    CONFIG(store_kind), 0, 0, store_words },
    { "store.path",                        KEY_PATH,    CONFIG(store.path), 0, 0, NULL },
    { "store.cache_mb",                    KEY_NUMBER,  DRAFT(cache_mb), 1, 1048576, NULL },
    { "keys_folder",                       KEY_FOLDER,  CONFIG(keys_folder), 0, 0, NULL },
    { "mappings_folder",                   KEY_FOLDER,  CONFIG(mappings_folder), 0, 0, NULL },
    { "mappings_overlay",                  KEY_FOLDER,  CONFIG(mappings_overlay), 0, 0, NULL },
    { "tenants",                           KEY_LIST,    NOWHERE, 0, CONFIG_TENANTS_MAX, NULL },
    { "tenants[].name",                    KEY_TEXT,    TENANT(name), 0, 0, NULL },
    { "tenants[].identities",              KEY_TEXTS,   TENANT(identities), 0, CONFIG_IDENTITIES_MAX, NULL },
    { "tenants[].base_urls",               KEY_TEXTS,   TENANT(base_urls), 0, CONFIG_IDENTITIES_MAX, NULL },
    { "tenants[].message_events",          KEY_TEXTS,   TENANT(message_events), 0, CONFIG_IDENTITIES_MAX, NULL },
    { "tenants[].destinations",            KEY_TEXTS,   TENANT(destinations), 0, CONFIG_TENANT_DESTINATIONS_MAX, NULL },
    { "tenants[].channels",                KEY_TEXTS,   TENANT(channels), 0, LADDER_RUNGS_MAX, NULL },
    { "default_tenant",                    KEY_TEXT,    DRAFT(default_tenant), 0, 0, NULL },
    { "destinations",                      KEY_LIST,    NOWHERE, 0, CONFIG_DESTINATIONS_MAX, NULL },
    { "destinations[].name",               KEY_TEXT,    DEST(name), 0, 0, NULL },
    { "destinations[].base_url",           KEY_TEXT,    DEST(base_url), 0, 0, NULL },
    { "destinations[].ca_file",            KEY_FILE,    DEST(ca_file), 0, 0, NULL },
    { "destinations[].certificate_file",   KEY_FILE,    DEST(certificate_file), 0, 0, NULL },
    { "destinations[].key_file",           KEY_FILE,    DEST(key_file), 0, 0, NULL },
    { "destinations[].bearer_file",        KEY_FILE,    DEST(bearer_file), 0, 0, NULL },
    { "destinations[].in_flight_max",      KEY_NUMBER,  DEST(in_flight_max), 1, 256, NULL },
    { "destinations[].timeout_ms",         KEY_NUMBER,  DEST(timeout_ms), 100, 600000, NULL },
    { "destinations[].horizon_ms",         KEY_NUMBER,  DEST(horizon_ms), 0, 3650 * DAY_MS, NULL },
    { "destinations[].smart_client_id",    KEY_TEXT,    DEST(smart.client_id), 0, 0, NULL },
    { "destinations[].smart_scope",        KEY_TEXT,    DEST(smart.scope), 0, 0, NULL },
    { "destinations[].smart_token_url",    KEY_TEXT,    DEST(smart.token_url), 0, 0, NULL },
    { "destinations[].smart_secret_file",  KEY_FILE,    DEST(smart.secret_file), 0, 0, NULL },
    { "destinations[].smart_by_certificate", KEY_BOOL,  DEST(smart.is_by_certificate), 0, 0, NULL },
    { "destinations[].smart_algorithm",    KEY_WORD,    DRAFT_DEST(algorithm), 0, 0, algorithm_words },
    { "destinations[].rate_per_minute",    KEY_NUMBER,  DEST(rate.per_minute), 0, 1000000, NULL },
    { "destinations[].night_rate_per_minute", KEY_NUMBER, DEST(rate.night_per_minute), 0, 1000000, NULL },
    { "destinations[].night",              KEY_TEXT,    DRAFT_DEST(night), 0, 0, NULL },
    { "destinations[].utc_offset",         KEY_TEXT,    DRAFT_DEST(utc_offset), 0, 0, NULL },
    { "destinations[].check_every_s",      KEY_NUMBER,  DEST(check_every_s), 0, 366 * 24 * 3600, NULL },
    { "destinations[].check_per_minute",   KEY_NUMBER,  DEST(check_per_minute), 1, 60000, NULL },
    { "destinations[].message_delay_ms",   KEY_NUMBER,  DEST(message_delay_ms), 0, DAY_MS, NULL },
    { "destinations[].channels",           KEY_TEXTS,   DRAFT_DEST(channels), 0, LADDER_RUNGS_MAX, NULL },
    { "destinations[].recipients",         KEY_TEXTS,   DRAFT_DEST(recipients), 0, MESSAGE_RECIPIENTS_MAX, NULL },
    { "destinations[].sender",             KEY_TEXT,    DRAFT_DEST(sender), 0, 0, NULL },
    { "destinations[].author",             KEY_TEXT,    DRAFT_DEST(author), 0, 0, NULL },
    { "destinations[].document_type",      KEY_TEXT,    DRAFT_DEST(document_type), 0, 0, NULL },
    { "destinations[].payload",            KEY_WORD,    DRAFT_DEST(payload), 0, 0, payload_words },
    { "destinations[].priority",           KEY_WORD,    DRAFT_DEST(priority), 0, 0, priority_words },
    { "destinations[].wants_provenance",   KEY_BOOL,    DEST(wants_provenance), 0, 0, NULL },
    { "posting",                           KEY_SECTION, NOWHERE, 0, 0, NULL },
    { "posting.grade_min",                 KEY_WORD,    CONFIG(grade_min), 0, 0, grade_words },
    { "posting.instance_uri",              KEY_TEXT,    CONFIG(instance_uri), 0, 0, NULL },
    { "audit",                             KEY_SECTION, NOWHERE, 0, 0, NULL },
    { "audit.signing_key_file",            KEY_FILE,    CONFIG(signing_key_file), 0, 0, NULL },
    { "audit.sign_seconds",                KEY_NUMBER,  CONFIG(sign_seconds), 1, 86400, NULL },
    { "admin",                             KEY_SECTION, NOWHERE, 0, 0, NULL },
    { "admin.address",                     KEY_TEXT,    CONFIG(admin.address), 0, 0, NULL },
    { "admin.port",                        KEY_NUMBER,  CONFIG(admin.port), 0, 65535, NULL },
    { "admin.token_file",                  KEY_FILE,    CONFIG(admin_token_file), 0, 0, NULL },
    { "log",                               KEY_SECTION, NOWHERE, 0, 0, NULL },
    { "log.level",                         KEY_WORD,    CONFIG(log_level), 0, 0, level_words },
    { "shutdown_grace_ms",                 KEY_NUMBER,  CONFIG(shutdown_grace_ms), 0, 600000, NULL },
    { "update_creates",                    KEY_BOOL,    CONFIG(update_creates), 0, 0, NULL },
    { "if_match_required",                 KEY_BOOL,    CONFIG(if_match_required), 0, 0, NULL },
};
/* clang-format on */

const unsigned config_key_count = COUNT_OF(config_keys);

const struct config_key *config_key_find(struct slice path)
{
    for (unsigned i = 0; i < config_key_count; i++) {
        if (slice_is(path, config_keys[i].path))
            return &config_keys[i];
    }
    return NULL;
}
