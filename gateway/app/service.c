#include "app/service_int.h"

#include "app/files.h"
#include "app/process.h"
#include "app/upload.h"
#include "base/pool.h"
#include "base/text.h"
#include "fhir/route.h"
#include "fhir/write.h"

#define SERVICE_ARENA_MAX ((size_t)32 * 1024 * 1024)
#define REPLY_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define DAILY_BATCH 500
#define PASS_BATCH 32 /* what a request may have to wait for */

/* --- requests ------------------------------------------------------------------------------ */

struct request {
    struct ingest_call call;
    struct service *service;
    struct exchange *exchange;
};

static void on_call_finished(struct ingest_call *call)
{
    struct request *mine = CONTAINER_OF(call, struct request, call);
    struct exchange *exchange = mine->exchange;
    struct service *service = mine->service;
    int interaction = call->outcome.interaction;
    metrics_request(&service->metrics, interaction >= 0 ? (unsigned)interaction : METRICS_NO_ROUTE,
                    call->outcome.status, clock_monotonic_ns() - exchange->started_ns);
    atomic_fetch_add_explicit(&service->metrics.resources, call->outcome.resources,
                              memory_order_relaxed);
    upload_end_part(exchange, call);
    exchange_finish(exchange);
}

static void on_request(void *ctx, struct exchange *exchange)
{
    struct service *service = ctx;
    if (service_answers_jwks(service, exchange))
        return;
    const struct net_peer *peer = exchange->peer;
    struct request *mine = ARENA_NEW(exchange->arena, struct request);
    CHECK(mine != NULL); /* the first thing in a fresh arena */
    struct ingest_call *call = &mine->call;
    mine->service = service;
    mine->exchange = exchange;
    call->lines_before = upload_begin_part(exchange, service->upload_folder);
    call->request = &exchange->request;
    call->reply = &exchange->reply;
    call->arena = exchange->arena;
    call->caller = (struct caller){ .fingerprint = slice_of(peer->fingerprint),
                                    .san_uri = slice_of(peer->san_uri),
                                    .san_dns = slice_of(peer->san_dns),
                                    .common_name = slice_of(peer->subject_cn),
                                    .has_certificate = peer->has_certificate };
    call->address = slice_of(peer->address);
    call->loop = exchange->loop;
    call->now_ms = clock_wall_ms();
    call->now_ns = exchange->started_ns;
    call->finish = on_call_finished;
    ingest_handle(service->ingest, call);
}

/* A peer that was turned away before there was a request to handle: a failed handshake, broken
 * HTTP, a limit, a timeout.  Recorded like any other exchange. */
struct peer_note {
    struct ingest_note note;
    struct service *service;
    char address[64], actor[256], detail[400];
};

static void on_peer_noted(struct ingest_note *note, const struct err *err)
{
    struct peer_note *mine = CONTAINER_OF(note, struct peer_note, note);
    (void)err; /* a batch that failed was logged where it failed */
    atomic_fetch_sub(&mine->service->peer_notes, 1);
    pool_free(mine);
}

/* `reason` is a library's or our own words; characters that JSON minds never help. */
static void note_peer(struct service *service, const char *key, const char *reason, int status,
                      const char *address, const char *actor)
{
    struct err err;
    if (atomic_fetch_add(&service->peer_notes, 1) >= SERVICE_NOTES_MAX) {
        atomic_fetch_sub(&service->peer_notes, 1);
        return;
    }
    struct peer_note *mine = pool_new(sizeof *mine);
    struct text detail = TEXT(mine->detail);
    mine->service = service;
    snprintf(mine->address, sizeof mine->address, "%s", address);
    snprintf(mine->actor, sizeof mine->actor, "%s", actor[0] != '\0' ? actor : "anonymous");
    text_add(&detail, "{\"status\":%d,\"%s\":\"", status, key);
    for (const char *at = reason; *at != '\0' && detail.used < sizeof mine->detail - 8; at++)
        text_add(&detail, "%c", *at == '"' || *at == '\\' || *at < ' ' ? ' ' : *at);
    text_add(&detail, "\"}");
    mine->note = (struct ingest_note){ .ingest = service->ingest,
                                       .kind = AUDIT_SECURITY,
                                       .now_ms = clock_wall_ms(),
                                       .now_ns = clock_monotonic_ns(),
                                       .actor = slice_of(mine->actor),
                                       .address = slice_of(mine->address),
                                       .detail = text_slice(&detail),
                                       .outcome = "minor",
                                       .done = on_peer_noted };
    if (!ingest_note_submit(&mine->note, service->loops[0], &err)) {
        atomic_fetch_sub(&service->peer_notes, 1);
        pool_free(mine);
    }
}

static void on_handshake_failure(void *ctx, const char *address, const char *reason)
{
    LOG(LOG_WARNING, "tls.handshake_failed", log_word("reason", reason));
    note_peer(ctx, "handshake", reason, 0, address, "");
}

static void on_refusal(void *ctx, const struct net_peer *peer, const struct err *err)
{
    struct service *service = ctx;
    int status = err_http_status(err->code);
    const char *actor = peer->san_uri[0] != '\0'   ? peer->san_uri
                        : peer->san_dns[0] != '\0' ? peer->san_dns
                                                   : peer->subject_cn;
    metrics_request(&service->metrics, METRICS_NO_ROUTE, status, 0);
    note_peer(service, "refused", err->what, status, peer->address, actor);
}

static void on_outbox(void *ctx)
{
    struct service *service = ctx;
    if (service->outbox != NULL)
        outbox_wake(service->outbox);
}

/* On the admin loop, while the main thread may be draining. */
static void on_operated(void *ctx)
{
    struct service *service = ctx;
    uv_mutex_lock(&service->figures_lock);
    if (service->outbox != NULL)
        outbox_wake(service->outbox);
    uv_mutex_unlock(&service->figures_lock);
}

/* --- the admin page ------------------------------------------------------------------------ */

static void gather(void *ctx, struct metrics_sources *out)
{
    struct service *service = ctx;
    struct process_figures process = process_figures();
    *out = (struct metrics_sources){
        .version = service->version,
        .started_s = service->started_ms / 1000,
        .is_ready = atomic_load(&service->admin.state) == ADMIN_READY,
        .server = server_counts(service->server),
        .lane = lane_counts(service->lane),
        .queue_max = service->config->lane.queue_max,
        .log_dropped = log_dropped(),
        .resident_bytes = process.resident_bytes,
        .open_files = process.open_files,
    };
    if (service->config->store.path != NULL)
        out->store_bytes = process_file_bytes(service->config->store.path);
    uv_mutex_lock(&service->figures_lock);
    out->store = service->figures;
    if (service->outbox != NULL)
        out->outbox = outbox_counts(service->outbox);
    uv_mutex_unlock(&service->figures_lock);
}

struct figures_job {
    struct job job;
    struct service *service;
    struct store_figures figures;
};

static bool run_figures(struct job *job, struct store_tx *tx, struct err *err)
{
    struct figures_job *mine = CONTAINER_OF(job, struct figures_job, job);
    return store_figures(tx, &mine->figures, err);
}

static void done_figures(struct job *job, const struct err *err)
{
    struct figures_job *mine = CONTAINER_OF(job, struct figures_job, job);
    if (err->code == ERR_OK) {
        uv_mutex_lock(&mine->service->figures_lock);
        mine->service->figures = mine->figures;
        uv_mutex_unlock(&mine->service->figures_lock);
    }
    uv_sem_post(&mine->service->done);
}

void service_refresh_figures(struct service *service)
{
    struct figures_job mine = {
        .job = { .run = run_figures, .done = done_figures, .is_read_only = true },
        .service = service
    };
    struct err err;
    if (lane_submit(service->lane, service->loops[0], &mine.job, &err))
        uv_sem_wait(&service->done);
}

/* --- work without a request ---------------------------------------------------------------- */

struct waited_note {
    struct ingest_note note;
    struct service *service;
    struct err err;
};

static void on_waited_note(struct ingest_note *note, const struct err *err)
{
    struct waited_note *mine = CONTAINER_OF(note, struct waited_note, note);
    mine->err = *err;
    uv_sem_post(&mine->service->done);
}

bool service_note(struct service *service, enum audit_kind kind, const char *detail, bool is_signed,
                  struct err *err)
{
    struct waited_note mine = { .note = { .ingest = service->ingest,
                                          .kind = kind,
                                          .now_ms = clock_wall_ms(),
                                          .now_ns = clock_monotonic_ns(),
                                          .actor = SLICE("lifeline"),
                                          .detail = slice_of(detail),
                                          .outcome = "success",
                                          .sign = is_signed ? service->signing_key : NULL,
                                          .done = on_waited_note },
                                .service = service };
    if (!ingest_note_submit(&mine.note, service->loops[0], err))
        return false;
    uv_sem_wait(&service->done);
    if (mine.err.code != ERR_OK)
        *err = mine.err;
    return mine.err.code == ERR_OK;
}

struct waited_daily {
    struct ingest_daily daily;
    struct service *service;
    struct err err;
};

static void on_waited_daily(struct ingest_daily *daily, const struct err *err)
{
    struct waited_daily *mine = CONTAINER_OF(daily, struct waited_daily, daily);
    mine->err = *err;
    uv_sem_post(&mine->service->done);
}

unsigned service_daily(struct service *service)
{
    unsigned total = 0;
    for (unsigned batch = DAILY_BATCH; batch == DAILY_BATCH;) {
        struct waited_daily mine = { .daily = { .ingest = service->ingest,
                                                .now_ms = clock_wall_ms(),
                                                .max = DAILY_BATCH,
                                                .done = on_waited_daily },
                                     .service = service };
        struct err err;
        if (!ingest_daily_submit(&mine.daily, service->loops[0], &err))
            break; /* busy: the next minute will do */
        uv_sem_wait(&service->done);
        if (mine.err.code != ERR_OK) {
            LOG(LOG_ERROR, "daily.failed", log_err(&mine.err));
            break;
        }
        batch = mine.daily.derived;
        total += batch;
    }
    return total;
}

static void on_waited_pass(struct ingest_pass *pass, const struct err *err)
{
    struct service *service = CONTAINER_OF(pass, struct service, pass);
    service->pass_err = *err;
    uv_sem_post(&service->done);
}

enum service_pass service_pass(struct service *service)
{
    struct ingest_pass *pass = &service->pass;
    struct err err;
    pass->ingest = service->ingest;
    pass->now_ms = clock_wall_ms();
    pass->max = PASS_BATCH;
    pass->done = on_waited_pass;
    if (!ingest_pass_submit(pass, service->loops[0], &err))
        return SERVICE_PASS_LATER; /* requests come first */
    uv_sem_wait(&service->done);
    if (service->pass_err.code != ERR_OK) {
        LOG(LOG_ERROR, "pass.failed", log_err(&service->pass_err));
        return SERVICE_PASS_LATER;
    }
    if (!pass->is_done)
        return SERVICE_PASS_MORE;
    if (pass->derived + pass->failed > 0)
        LOG(LOG_INFO, "pass.derived", log_number("patients", pass->derived),
            log_number("failed", pass->failed));
    return SERVICE_PASS_DONE;
}

static void on_drained(void *arg)
{
    struct service *service = arg;
    uv_sem_post(&service->done);
}

static void drain(struct service *service, struct server *server)
{
    server_drain(server, service->config->shutdown_grace_ms, on_drained, service);
    uv_sem_wait(&service->done);
}

void service_drain(struct service *service)
{
    admin_set_state(&service->admin, ADMIN_DRAINING);
    if (service->server_is_running)
        drain(service, service->server);
    service->server_is_running = false;
    uv_mutex_lock(&service->figures_lock); /* the admin loop may be counting */
    struct outbox *outbox = service->outbox;
    service->outbox = NULL;
    uv_mutex_unlock(&service->figures_lock);
    if (outbox != NULL)
        outbox_stop(outbox, service->config->shutdown_grace_ms / 2);
}

/* --- opening ------------------------------------------------------------------------------- */

static bool open_texts(struct service *service, struct err *err)
{
    struct slice tsv;
    struct buffer faults;
    const char *path =
        mapping_whole_file(service->config->mappings_folder, service->config->mappings_overlay,
                           "outputs.tsv", &service->arena);
    if (!file_read(path, (size_t)1 << 20, &service->arena, &tsv, err))
        return false;
    buffer_init(&faults, 1 << 16);
    bool is_sound = plan_texts_read(tsv, path, &service->arena, &service->texts, &faults);
    if (faults.len > 0)
        fwrite(faults.at, 1, faults.len, stderr);
    buffer_fini(&faults);
    return is_sound || err_fail(err, ERR_INVALID, path, "has faults");
}

static bool open_mapping(struct service *service, struct err *err)
{
    struct table_errors errors = { .count = 0 };
    if (mapping_open(service->config->mappings_folder, service->config->mappings_overlay,
                     &service->mapping, &errors))
        return open_texts(service, err);
    for (unsigned i = 0; i < errors.count; i++)
        fprintf(stderr, "%s: %s\n", errors.list[i].where, errors.list[i].what);
    return err_fail(err, ERR_INVALID, service->config->mappings_folder, "has faults");
}

static bool open_signing_key(struct service *service, struct err *err)
{
    struct slice pem;
    const char *path = service->config->signing_key_file;
    if (path == NULL)
        return true;
    return file_read(path, 1 << 16, &service->arena, &pem, err) &&
           audit_key_read(pem, true, &service->signing_key, err);
}

static const struct ingest_tenant *ingest_tenants(struct service *service)
{
    const struct config *config = service->config;
    struct ingest_tenant *tenants =
        ARENA_ARRAY(&service->arena, struct ingest_tenant, config->tenant_count + 1);
    for (unsigned i = 0; tenants != NULL && i < config->tenant_count; i++) {
        const struct destination_settings *found[CONFIG_TENANT_DESTINATIONS_MAX];
        unsigned count = config_tenant_destinations(config, config->tenants[i].name, found,
                                                    CONFIG_TENANT_DESTINATIONS_MAX);
        struct ingest_destination *destinations =
            ARENA_ARRAY(&service->arena, struct ingest_destination, count + 1);
        for (unsigned k = 0; destinations != NULL && k < count; k++)
            destinations[k] =
                (struct ingest_destination){ slice_of(found[k]->name), outbox_kinds(found[k]),
                                             &service->channels[found[k] - config->destinations] };
        tenants[i] = (struct ingest_tenant){ config->tenants[i], destinations, count };
    }
    return tenants;
}

static bool open_ingest(struct service *service, struct err *err)
{
    const struct config *config = service->config;
    struct ingest_settings settings = {
        .mapping = service->mapping,
        .texts = &service->texts,
        .store = service->store,
        .tenants = ingest_tenants(service),
        .tenant_count = config->tenant_count,
        .base_url = config->base_url,
        .instance = config->instance_uri,
        .version = service->version,
        .security =
            config->tls.client_auth == CLIENT_AUTH_OFF ? "none" : "mutual TLS: client certificates",
        .bundle_entries_max = config->bundle_entries_max,
        .reply_bytes_max = REPLY_BYTES_MAX,
        .line_bytes_max = config->limits.body_bytes_max,
        .update_creates = config->update_creates,
        .if_match_required = config->if_match_required,
        .grade_min = config->grade_min,
        .started_ms = service->started_ms,
        .on_outbox = on_outbox,
        .ctx = service,
    };
    if (config->default_tenant != NULL)
        settings.fallback_tenant = arena_copy(&service->arena, config->default_tenant->name).at;
    if (arena_overflowed(&service->arena))
        return err_fail(err, ERR_TOO_LARGE, "tenants", "need too much memory");
    if (!ingest_open(&settings, &service->ingest, err) ||
        !lane_start(service->store, &config->lane, &service->lane, err))
        return false;
    ingest_set_lane(service->ingest, service->lane);
    service->admin.operators.lane = service->lane;
    return true;
}

static bool open_loops(struct service *service, struct err *err)
{
    unsigned wanted = service->config->loops;
    if (wanted > SERVICE_LOOPS_MAX)
        wanted = SERVICE_LOOPS_MAX;
    for (unsigned i = 0; i < wanted; i++) {
        char name[16];
        snprintf(name, sizeof name, "io-%u", i);
        if (!loop_open(name, &service->loops[i], err))
            return false;
        service->loop_count++;
    }
    return loop_open("admin", &service->admin_loop, err);
}

static bool open_listeners(struct service *service, struct err *err)
{
    const struct config *config = service->config;
    size_t part_bytes = config->limits.body_bytes_max; /* a request's memory goes by this */
    struct server_settings settings = { .address = config->listen.address,
                                        .port = config->listen.port,
                                        .tls = config->tls,
                                        .limits = config->limits,
                                        .handler = on_request,
                                        .ctx = service,
                                        .is_in_lines = fhir_is_in_lines,
                                        .lines_bytes = part_bytes < UPLOAD_PART_BYTES
                                                           ? part_bytes
                                                           : UPLOAD_PART_BYTES,
                                        .write_refusal = fhir_write_outcome,
                                        .on_refusal = on_refusal,
                                        .on_handshake_failure = on_handshake_failure };
    struct server_settings admin = { .address = config->admin.address,
                                     .port = config->admin.port,
                                     .tls = { .is_plain = true },
                                     .limits = config->limits,
                                     .handler = admin_handle,
                                     .ctx = &service->admin };
    return server_open(&settings, service->loops, service->loop_count, &service->server, err) &&
           server_open(&admin, &service->admin_loop, 1, &service->admin_server, err);
}

/* Beside the database, where there is room for what an upload brings. */
static const char *upload_folder(struct service *service)
{
    const char *path = service->config->store.path;
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    if (path == NULL)
        return "/tmp";
    return slash != NULL
               ? arena_copy(&service->arena, (struct slice){ path, (size_t)(slash - path) + 1 }).at
               : ".";
}

static bool start_loops(struct service *service, struct err *err)
{
    for (; service->started_count < service->loop_count; service->started_count++)
        if (!loop_start(service->loops[service->started_count], NULL, NULL, err))
            return false;
    service->server_is_running = true;
    service->admin_is_running = loop_start(service->admin_loop, NULL, NULL, err);
    return service->admin_is_running;
}

bool service_open(struct service *service, struct err *err)
{
    arena_init(&service->arena, SERVICE_ARENA_MAX);
    service->started_ms = clock_wall_ms();
    service->upload_folder = upload_folder(service);
    service->has_semaphore = uv_sem_init(&service->done, 0) == 0;
    CHECK(service->has_semaphore);
    CHECK(uv_mutex_init(&service->figures_lock) == 0);
    service->admin.metrics = &service->metrics;
    service->admin.gather = gather;
    service->admin.ctx = service;
    service->admin.operators = (struct operators){ .token_file = service->config->admin_token_file,
                                                   .on_change = on_operated,
                                                   .ctx = service };
    return open_mapping(service, err) && open_signing_key(service, err) &&
           service_open_keys(service, err) &&
           store_open(&service->config->store, &service->store, err) && open_ingest(service, err) &&
           open_loops(service, err) && service_open_outbox(service, err) &&
           open_listeners(service, err) && start_loops(service, err) &&
           service_note(service, AUDIT_START, "", service->signing_key != NULL, err);
}

/* A listener keeps its loop alive, so every server is drained before its loops can end; and while
 * the lane still runs, because what they are answering may be waiting for it. */
static void drain_servers(struct service *service)
{
    if (service->server_is_running)
        drain(service, service->server);
    if (service->admin_is_running)
        drain(service, service->admin_server);
}

static void close_loops(struct service *service)
{
    for (unsigned i = 0; i < service->started_count; i++)
        loop_stop(service->loops[i]);
    if (service->admin_is_running)
        loop_stop(service->admin_loop);
    for (unsigned i = 0; i < service->started_count; i++)
        loop_join(service->loops[i]);
    if (service->admin_is_running)
        loop_join(service->admin_loop);
}

void service_close(struct service *service)
{
    if (service->outbox != NULL)
        outbox_stop(service->outbox, 0);
    drain_servers(service);
    if (service->lane != NULL)
        lane_stop(service->lane); /* its last jobs complete on loops that still run */
    close_loops(service);
    if (service->server != NULL)
        server_close(service->server);
    if (service->admin_server != NULL)
        server_close(service->admin_server);
    for (unsigned i = 0; i < service->loop_count; i++)
        loop_close(service->loops[i]);
    if (service->admin_loop != NULL)
        loop_close(service->admin_loop);
    if (service->ingest != NULL)
        ingest_close(service->ingest);
    if (service->store != NULL)
        store_close(service->store);
    if (service->mapping != NULL)
        mapping_close(service->mapping);
    keys_close(&service->keys);
    if (service->signing_key != NULL)
        audit_key_free(service->signing_key);
    uv_sem_destroy(&service->done);
    uv_mutex_destroy(&service->figures_lock);
    arena_fini(&service->arena);
    pool_drain();
}
