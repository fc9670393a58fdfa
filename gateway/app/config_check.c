/* What only shows between keys: names that must meet, settings that contradict each other. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/config_int.h"
#include "app/nearest.h"

#define MEGABYTE ((size_t)1024 * 1024)

static bool is_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.");
    return len > 0 && len <= 64 && name[len] == '\0';
}

static bool is_loopback(struct slice rest)
{
    static const char *const hosts[] = { "127.0.0.1", "localhost", "[::1]" };

    for (unsigned i = 0; i < COUNT_OF(hosts); i++) {
        struct slice host = slice_of(hosts[i]);
        if (slice_starts(rest, host) &&
            (rest.len == host.len || rest.at[host.len] == ':' || rest.at[host.len] == '/'))
            return true;
    }
    return false;
}

/* An http or https URL without query or fragment; NULL when it is fine, else what is wrong. */
static const char *url_fault(struct slice url, bool is_contacted)
{
    struct slice rest = url;

    if (slice_starts(url, SLICE("https://")))
        rest = slice_skip(url, 8);
    else if (slice_starts(url, SLICE("http://")))
        rest = slice_skip(url, 7);
    else
        return "must begin with https://";
    if (rest.len == 0 || rest.at[0] == '/')
        return "names no host";
    if (memchr(url.at, '?', url.len) != NULL || memchr(url.at, '#', url.len) != NULL)
        return "must not have a query or a fragment";
    if (url.at[url.len - 1] == '/')
        return "must not end with a slash";
    if (is_contacted && slice_starts(url, SLICE("http://")) && !is_loopback(rest))
        return "must begin with https:// (http:// is for loopback only)";
    return NULL;
}

/* --- tenants ---------------------------------------------------------------------------------- */

static bool identity_is_valid(struct slice identity)
{
    static const char *const kinds[] = { "san-dns:", "san-uri:", "cn:" };

    for (unsigned i = 0; i < COUNT_OF(kinds); i++) {
        if (slice_starts(identity, slice_of(kinds[i])))
            return identity.len > strlen(kinds[i]);
    }
    if (!slice_starts(identity, SLICE("fingerprint:")) || identity.len != 12 + 64)
        return false;
    return strspn(identity.at + 12, "0123456789abcdef") == 64;
}

static void check_identities(struct config_draft *draft, unsigned index)
{
    const struct draft_tenant *tenant = &draft->tenants[index];

    for (unsigned i = 0; i < tenant->identities.count; i++) {
        struct slice identity = tenant->identities.items[i];
        if (!identity_is_valid(identity))
            config_complain(draft, tenant->line, "identities",
                            "'%.*s' is not san-dns:..., san-uri:..., cn:... or fingerprint: and "
                            "64 lower-case hex digits",
                            SLICE_ARGS(identity));
        for (unsigned t = 0; t <= index; t++) {
            const struct draft_tenant *other = &draft->tenants[t];
            unsigned count = t == index ? i : other->identities.count;
            for (unsigned j = 0; j < count; j++) {
                if (slice_eq(other->identities.items[j], identity))
                    config_complain(draft, tenant->line, "identities",
                                    "'%.*s' is there twice: a certificate speaks for one tenant",
                                    SLICE_ARGS(identity));
            }
        }
    }
}

static bool is_default(const struct config_draft *draft, const struct draft_tenant *tenant)
{
    return draft->default_tenant != NULL && tenant->name != NULL &&
           strcmp(draft->default_tenant, tenant->name) == 0;
}

static void check_tenant(struct config_draft *draft, unsigned index)
{
    struct draft_tenant *tenant = &draft->tenants[index];
    enum client_auth auth = draft->config.tls.client_auth;

    if (tenant->name == NULL) {
        config_complain(draft, tenant->line, "name", "this tenant has no name");
        return;
    }
    if (!is_name(tenant->name))
        config_complain(draft, tenant->line, "name",
                        "'%.64s' may hold a-z, 0-9, '-', '_' and '.' only", tenant->name);
    for (unsigned i = 0; i < index; i++) {
        if (draft->tenants[i].name != NULL && strcmp(draft->tenants[i].name, tenant->name) == 0)
            config_complain(draft, tenant->line, "name", "tenant '%.64s' is there twice",
                            tenant->name);
    }
    if (tenant->identities.count == 0 &&
        (auth == CLIENT_AUTH_REQUIRE ||
         (auth == CLIENT_AUTH_REQUEST && !is_default(draft, tenant))))
        config_complain(draft, tenant->line, "identities",
                        "tenant '%.64s' has none, so no client certificate can speak for it",
                        tenant->name);
    for (unsigned i = 0; i < tenant->base_urls.count; i++) {
        const char *fault = url_fault(tenant->base_urls.items[i], false);
        if (fault != NULL)
            config_complain(draft, tenant->line, "base_urls", "'%.*s' %s",
                            SLICE_ARGS(tenant->base_urls.items[i]), fault);
    }
    check_identities(draft, index);
}

/* A destination belongs to the tenant that names it, and to one only: nothing crosses tenants. */
static void claim_destination(struct config_draft *draft, const struct draft_tenant *tenant,
                              struct slice name)
{
    struct nearest nearest = { .wanted = name };

    for (unsigned i = 0; i < draft->destination_count; i++) {
        struct destination_settings *settings = &draft->destinations[i].settings;
        if (settings->name == NULL)
            continue;
        nearest_offer(&nearest, settings->name);
        if (!slice_is(name, settings->name))
            continue;
        if (settings->tenant != NULL)
            config_complain(draft, tenant->line, "destinations",
                            "'%.64s' is named twice: postings of one tenant must not reach "
                            "another's EHR",
                            settings->name);
        settings->tenant = tenant->name;
        return;
    }
    config_complain(draft, tenant->line, "destinations", "no destination is called '%.*s'%s%s%s",
                    SLICE_ARGS(name), nearest.name != NULL ? "; did you mean '" : "",
                    nearest.name != NULL ? nearest.name : "", nearest.name != NULL ? "'?" : "");
}

static void check_tenants(struct config_draft *draft)
{
    if (draft->tenant_count == 0)
        config_complain(draft, config_line(draft, "tenants"), "tenants",
                        "at least one tenant is needed: who pushes data here?");
    for (unsigned i = 0; i < draft->tenant_count; i++) {
        const struct draft_tenant *tenant = &draft->tenants[i];
        check_tenant(draft, i);
        for (unsigned j = 0; tenant->name != NULL && j < tenant->destinations.count; j++)
            claim_destination(draft, tenant, tenant->destinations.items[j]);
    }
}

/* --- destinations ----------------------------------------------------------------------------- */

/* Its own, else those of its tenant, else the usual ones. */
static void fill_channels(struct config_draft *draft, struct draft_destination *destination)
{
    struct ladder *ladder = &destination->settings.ladder;
    const struct texts *channels = &destination->channels;

    for (unsigned i = 0; channels->count == 0 && i < draft->tenant_count; i++) {
        const char *tenant = destination->settings.tenant;
        if (tenant != NULL && draft->tenants[i].name == tenant &&
            draft->tenants[i].channels.count > 0)
            channels = &draft->tenants[i].channels;
    }
    *ladder = ladder_default();
    if (channels->count > 0)
        ladder->count = 0;
    for (unsigned i = 0; i < channels->count; i++) {
        if (ladder_read_rung(channels->items[i], &ladder->rungs[ladder->count]))
            ladder->count++;
        else
            config_complain(draft, destination->line, "channels",
                            "'%.*s' is not one or several of flag, careplan, communication and "
                            "document, joined by '+'",
                            SLICE_ARGS(channels->items[i]));
    }
}

static bool is_reference(struct slice text, const char *const *types)
{
    struct slice id = text, type = slice_take_until(&id, '/');

    for (; *types != NULL; types++) {
        if (slice_is(type, *types))
            return id.len > 0 && id.len <= 64 && memchr(id.at, '/', id.len) == NULL;
    }
    return false;
}

static void fill_message(struct config_draft *draft, struct draft_destination *destination)
{
    static const char *const readers[] = { "Practitioner", "PractitionerRole", "Group",
                                           "CareTeam",     "Organization",     NULL };
    static const char *const senders[] = { "Practitioner", "PractitionerRole", "Organization",
                                           "Device", NULL };
    struct message_site *message = &destination->settings.message;
    const struct {
        const char *key, *value;
        struct slice *out;
    } persons[] = { { "sender", destination->sender, &message->sender },
                    { "author", destination->author, &message->author } };

    for (unsigned i = 0; i < destination->recipients.count; i++) {
        struct slice recipient = destination->recipients.items[i];
        if (!is_reference(recipient, readers))
            config_complain(
                draft, destination->line, "recipients",
                "'%.*s' is not Practitioner/<id>, Group/<id>, CareTeam/<id> or the like",
                SLICE_ARGS(recipient));
        message->recipients[message->recipient_count++] = recipient;
    }
    for (unsigned i = 0; i < COUNT_OF(persons); i++) {
        if (persons[i].value != NULL && !is_reference(slice_of(persons[i].value), senders))
            config_complain(draft, destination->line, persons[i].key,
                            "'%.64s' is not Practitioner/<id>, Organization/<id> or the like",
                            persons[i].value);
        *persons[i].out = slice_of(persons[i].value);
    }
    if (destination->document_type != NULL && strchr(destination->document_type, '|') == NULL)
        config_complain(draft, destination->line, "document_type",
                        "'%.64s' is not system|code, as http://loinc.org|11506-3",
                        destination->document_type);
    message->document_type = slice_of(destination->document_type);
    message->is_string_payload = destination->payload == PAYLOAD_STRING;
    message->is_urgent = destination->priority == PRIORITY_URGENT;
}

/* "22:00-06:00" and "-05:00" */
static void fill_rate(struct config_draft *draft, struct draft_destination *destination)
{
    struct bucket_plan *rate = &destination->settings.rate;
    unsigned from_h, from_m, to_h, to_m;
    char sign, rest;

    if (destination->night != NULL) {
        bool is_read = sscanf(destination->night, "%2u:%2u-%2u:%2u%c", &from_h, &from_m, &to_h,
                              &to_m, &rest) == 4;
        if (!is_read || from_h > 23 || to_h > 23 || from_m > 59 || to_m > 59)
            config_complain(draft, destination->line, "night", "'%.32s' is not as 22:00-06:00",
                            destination->night);
        else
            rate->night_from = from_h * 60 + from_m, rate->night_to = to_h * 60 + to_m;
    }
    if (destination->utc_offset != NULL) {
        bool is_read =
            sscanf(destination->utc_offset, "%c%2u:%2u%c", &sign, &from_h, &from_m, &rest) == 3;
        if (!is_read || (sign != '+' && sign != '-') || from_h > 14 || from_m > 59)
            config_complain(draft, destination->line, "utc_offset", "'%.32s' is not as -05:00",
                            destination->utc_offset);
        else
            rate->utc_offset_minutes = (sign == '-' ? -1 : 1) * (int)(from_h * 60 + from_m);
    }
    if (rate->night_per_minute > 0 && destination->night == NULL)
        config_complain(draft, destination->line, "night_rate_per_minute",
                        "needs 'night', as in \"22:00-06:00\"");
}

static void check_smart(struct config_draft *draft, struct draft_destination *destination)
{
    struct destination_settings *settings = &destination->settings;
    struct smart_settings *smart = &settings->smart;

    smart->algorithm = destination->algorithm;
    if (smart->client_id == NULL) {
        if (smart->scope != NULL || smart->token_url != NULL || smart->secret_file != NULL)
            config_complain(draft, destination->line, "smart_client_id",
                            "is missing: the authorization server gave one");
        return;
    }
    if (settings->bearer_file != NULL)
        config_complain(draft, destination->line, "bearer_file",
                        "a destination has a fixed token or smart_client_id, not both");
    if (smart->scope == NULL)
        config_complain(draft, destination->line, "smart_scope",
                        "is missing, as \"system/Communication.c system/DocumentReference.crus\"");
    if (smart->is_by_certificate &&
        (smart->secret_file != NULL || settings->certificate_file == NULL))
        config_complain(draft, destination->line, "smart_by_certificate",
                        "needs certificate_file, and no smart_secret_file");
    if (smart->secret_file == NULL && !smart->is_by_certificate &&
        draft->config.keys_folder == NULL)
        config_complain(draft, destination->line, "smart_client_id",
                        "needs keys_folder, smart_secret_file or smart_by_certificate");
    if (smart->token_url != NULL && !slice_starts(slice_of(smart->token_url), SLICE("https://")))
        config_complain(draft, destination->line, "smart_token_url", "must begin with https://");
}

static void check_destination(struct config_draft *draft, unsigned index)
{
    unsigned line = draft->destinations[index].line;
    const struct destination_settings *settings = &draft->destinations[index].settings;

    if (settings->name == NULL) {
        config_complain(draft, line, "name", "this destination has no name");
        return;
    }
    if (!is_name(settings->name))
        config_complain(draft, line, "name", "'%.64s' may hold a-z, 0-9, '-', '_' and '.' only",
                        settings->name);
    for (unsigned i = 0; i < index; i++) {
        const char *other = draft->destinations[i].settings.name;
        if (other != NULL && strcmp(other, settings->name) == 0)
            config_complain(draft, line, "name", "destination '%.64s' is there twice", other);
    }
    if (settings->tenant == NULL)
        config_complain(draft, line, "name", "no tenant sends to destination '%.64s'",
                        settings->name);
    if (settings->base_url == NULL) {
        config_complain(draft, line, "base_url", "destination '%.64s' has none", settings->name);
    } else {
        const char *fault = url_fault(slice_of(settings->base_url), true);
        if (fault != NULL)
            config_complain(draft, line, "base_url", "'%.100s' %s", settings->base_url, fault);
    }
    if ((settings->certificate_file == NULL) != (settings->key_file == NULL))
        config_complain(draft, line, "certificate_file",
                        "certificate_file and key_file belong together");
    fill_channels(draft, &draft->destinations[index]);
    fill_message(draft, &draft->destinations[index]);
    fill_rate(draft, &draft->destinations[index]);
    check_smart(draft, &draft->destinations[index]);
}

static void check_destinations(struct config_draft *draft)
{
    for (unsigned i = 0; i < draft->destination_count; i++)
        check_destination(draft, i);
    if (draft->destination_count > 0 && draft->config.instance_uri == NULL)
        config_complain(draft, config_line(draft, "posting"), "posting.instance_uri",
                        "is needed: postings carry it as the system of their identifier");
}

/* --- the rest --------------------------------------------------------------------------------- */

static void need(struct config_draft *draft, const char *path, const void *value)
{
    if (value == NULL && !config_is_set(draft, path))
        config_complain(draft, 1, path, "is missing");
}

static void check_transport(struct config_draft *draft)
{
    const struct config *config = &draft->config;

    need(draft, "tls.certificate_file", config->tls.certificate_file);
    need(draft, "tls.key_file", config->tls.key_file);
    if (config->tls.client_auth != CLIENT_AUTH_OFF && config->tls.client_ca_file == NULL &&
        !config_is_set(draft, "tls.client_ca_file"))
        config_complain(draft, config_line(draft, "tls"), "tls.client_ca_file",
                        "is needed to check client certificates (client_auth is not \"off\")");
    if (config->base_url != NULL && url_fault(slice_of(config->base_url), false) != NULL)
        config_complain(draft, config_line(draft, "listen.base_url"), "listen.base_url", "%s",
                        url_fault(slice_of(config->base_url), false));
    if (config->listen.port != 0 && config->listen.port == config->admin.port)
        config_complain(draft, config_line(draft, "admin.port"), "admin.port",
                        "%u is the port of the FHIR listener; the admin listener needs its own",
                        config->admin.port);
    if (config->lane.batch_max > config->lane.queue_max)
        config_complain(draft, config_line(draft, "limits.batch"), "limits.batch",
                        "%u is more than limits.queue (%u) can hold", config->lane.batch_max,
                        config->lane.queue_max);
    if (config->limits.arena_bytes_max != 0 &&
        config->limits.arena_bytes_max < 2 * config->limits.body_bytes_max)
        config_complain(draft, config_line(draft, "limits.arena_bytes"), "limits.arena_bytes",
                        "must be at least twice limits.body_bytes");
}

static void check_storage(struct config_draft *draft)
{
    const struct config *config = &draft->config;

    need(draft, "mappings_folder", config->mappings_folder);
    if (config->store_kind == CONFIG_STORE_SQLITE)
        need(draft, "store.path", config->store.path);
    else if (config->store.path != NULL)
        config_complain(draft, config_line(draft, "store.path"), "store.path",
                        "is set, but store.kind is \"memory\": nothing would be written there");
    if (config->grade_min == GRADE_NONE)
        config_complain(draft, config_line(draft, "posting.grade_min"), "posting.grade_min",
                        "'none' would post verdicts without a grade; use low, medium or high");
}

static void fill_tenants(struct config_draft *draft, struct config *out)
{
    struct tenant *tenants = ARENA_ARRAY(draft->arena, struct tenant, draft->tenant_count + 1);

    for (unsigned i = 0; tenants != NULL && i < draft->tenant_count; i++) {
        const struct draft_tenant *from = &draft->tenants[i];
        tenants[i] = (struct tenant){
            .name = slice_of(from->name),
            .identities = from->identities.items,
            .identity_count = from->identities.count,
            .base_urls = from->base_urls.items,
            .base_url_count = from->base_urls.count,
            .message_events = from->message_events.items,
            .message_event_count = from->message_events.count,
        };
        if (is_default(draft, from))
            out->default_tenant = &tenants[i];
    }
    out->tenants = tenants;
    out->tenant_count = draft->tenant_count;
    if (draft->default_tenant != NULL && out->default_tenant == NULL)
        config_complain(draft, config_line(draft, "default_tenant"), "default_tenant",
                        "no tenant is called '%.64s'", draft->default_tenant);
    if (draft->config.tls.client_auth == CLIENT_AUTH_OFF && draft->default_tenant == NULL)
        config_complain(draft, config_line(draft, "tls.client_auth"), "default_tenant",
                        "is needed while client_auth is \"off\": whose data is it?");
}

static void fill_destinations(struct config_draft *draft, struct config *out)
{
    struct destination_settings *settings =
        ARENA_ARRAY(draft->arena, struct destination_settings, draft->destination_count + 1);

    for (unsigned i = 0; settings != NULL && i < draft->destination_count; i++)
        settings[i] = draft->destinations[i].settings;
    out->destinations = settings;
    out->destination_count = draft->destination_count;
}

/* What the file leaves to us: cores, the share of a loop, the memory of a request. */
static void fill_derived(struct config_draft *draft, struct config *out)
{
    if (out->loops == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        out->loops = cores < 1 ? 1 : cores > 256 ? 256 : (unsigned)cores;
    }
    out->limits.connections_max = (out->connections + out->loops - 1) / out->loops;
    if (out->limits.arena_bytes_max == 0)
        out->limits.arena_bytes_max = 6 * out->limits.body_bytes_max + 4 * MEGABYTE;
    out->store.cache_bytes = (size_t)draft->cache_mb * MEGABYTE;
    if (out->base_url == NULL)
        out->base_url =
            arena_format(draft->arena, "https://localhost:%u/fhir", out->listen.port).at;
    if (out->instance_uri == NULL)
        out->instance_uri = out->base_url;
}

void config_finish(struct config_draft *draft, struct config *out)
{
    check_transport(draft);
    check_storage(draft);
    check_tenants(draft);
    check_destinations(draft);
    fill_tenants(draft, out);
    fill_destinations(draft, out);
    fill_derived(draft, out);
}
