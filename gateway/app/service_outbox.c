/* What the gateway is as a client: its keys, and the outbox whose destinations sign with them. */
#include "app/service_int.h"

/* Authorization servers fetch this, some as strangers: it holds nothing that is secret. */
bool service_answers_jwks(struct service *service, struct exchange *exchange)
{
    const struct http_request *request = &exchange->request;
    if (!slice_is(request->path, "/.well-known/jwks.json") || service->jwks.len == 0)
        return false;
    bool is_read = request->verb == VERB_GET || request->verb == VERB_HEAD;
    exchange->reply.status = is_read ? 200 : 405;
    exchange->reply.body = is_read ? service->jwks : SLICE("");
    http_reply_header(&exchange->reply, "Content-Type", SLICE("application/json"));
    http_reply_header(&exchange->reply, "Cache-Control", SLICE("max-age=300"));
    exchange_finish(exchange);
    return true;
}

bool service_open_keys(struct service *service, struct err *err)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    bool ok = keys_open(service->config->keys_folder, &service->keys, err);
    if (ok && service->keys.count > 0) {
        ok = jose_write_jwks(service->keys.list, service->keys.count, &out) ||
             err_fail(err, ERR_TOO_LARGE, service->config->keys_folder, "holds too much");
        service->jwks = arena_copy(&service->arena, buffer_slice(&out));
    }
    buffer_fini(&out);
    return ok;
}

/* The destinations of the configuration, each with the key that it signs with. */
static bool with_keys(struct service *service, struct destination_settings **out, struct err *err)
{
    const struct config *config = service->config;
    struct destination_settings *copies =
        ARENA_ARRAY(&service->arena, struct destination_settings, config->destination_count);
    if (copies == NULL)
        return err_fail(err, ERR_TOO_LARGE, "destinations", "need too much memory");
    for (unsigned i = 0; i < config->destination_count; i++) {
        struct smart_settings *smart = &copies[i].smart;
        copies[i] = config->destinations[i];
        copies[i].channels = &service->channels[i];
        if (smart->client_id == NULL || smart->secret_file != NULL || smart->is_by_certificate)
            continue;
        smart->key = keys_signing(&service->keys, smart->algorithm, clock_wall_ms() / 1000);
        if (smart->key == NULL)
            return err_fail(err, ERR_INVALID, config->keys_folder,
                            "holds no key for %s: 'lifeline keys new --algorithm %s'",
                            jose_algorithm_name(smart->algorithm),
                            jose_algorithm_name(smart->algorithm));
    }
    *out = copies;
    return true;
}

bool service_open_outbox(struct service *service, struct err *err)
{
    const struct config *config = service->config;
    if (config->destination_count == 0)
        return true;
    struct destination_settings *destinations = NULL;
    if (!with_keys(service, &destinations, err))
        return false;
    char agent[64];
    snprintf(agent, sizeof agent, "Lifeline/%s", service->version);
    struct outbox_settings settings = { .destinations = destinations,
                                        .destination_count = config->destination_count,
                                        .lane = service->lane,
                                        .instance = config->instance_uri,
                                        .user_agent =
                                            arena_copy(&service->arena, slice_of(agent)).at,
                                        .jitter_seed = (uint64_t)clock_monotonic_ns() };
    return outbox_start(&settings, &service->outbox, err);
}
