#include "app/serve.h"

#include "app/process.h"
#include "app/service.h"
#include "base/pool.h"

#define TICK_MS 1000
#define TICK_NS (TICK_MS * INT64_C(1000000))
#define PASS_PAUSE_MS 1
#define FIGURES_SECONDS 5
#define DAILY_SECONDS 60

static void reload(struct service *service)
{
    struct err err;
    if (!server_reload_tls(service->server, &err)) {
        LOG(LOG_ERROR, "tls.reload_failed", log_err(&err));
        return;
    }
    LOG(LOG_INFO, "tls.reloaded", log_word("files", "server"));
    if (!service_note(service, AUDIT_CONFIG, "{\"reloaded\":\"certificates\"}", false, &err))
        LOG(LOG_ERROR, "audit.failed", log_err(&err));
}

/* What happens by the clock; `second` counts the ticks since the start. */
static void tick(struct service *service, unsigned second)
{
    struct err err;
    unsigned sign_seconds = service->config->sign_seconds;
    if (second % FIGURES_SECONDS == 0)
        service_refresh_figures(service);
    if (second % DAILY_SECONDS == 1) {
        unsigned derived = service_daily(service);
        if (derived > 0)
            LOG(LOG_INFO, "daily.derived", log_number("patients", derived));
    }
    if (service->signing_key != NULL && sign_seconds > 0 && second % sign_seconds == 0 &&
        second > 0 && !service_note(service, AUDIT_ADMIN, "{\"signed\":\"head\"}", true, &err))
        LOG(LOG_ERROR, "audit.failed", log_err(&err));
}

/* Between two ticks the pass over all patients goes on, a batch at a time, so that signals and what
 * happens by the clock wait no longer than a batch. */
static void run(struct service *service)
{
    enum service_pass pass = SERVICE_PASS_MORE;
    int64_t due_ns = 0;
    for (unsigned second = 0;;) {
        int64_t now_ns = clock_monotonic_ns();
        if (now_ns >= due_ns) {
            tick(service, second++);
            due_ns = now_ns + TICK_NS;
        }
        if (pass != SERVICE_PASS_DONE)
            pass = service_pass(service);
        switch (process_wait(pass == SERVICE_PASS_MORE ? PASS_PAUSE_MS : TICK_MS)) {
        case PROCESS_STOP:
            return;
        case PROCESS_RELOAD:
            reload(service);
            break;
        case PROCESS_TIMEOUT:
            break;
        }
    }
}

int serve_run(const struct config *config, const char *version)
{
    struct service *service = pool_new(sizeof *service);
    struct err err;
    process_prepare();
    log_open(1, config->log_level, version);
    service->config = config;
    service->version = version;
    if (!service_open(service, &err)) {
        fprintf(stderr, "lifeline: %s%s%s\n", err.where, err.where[0] != '\0' ? ": " : "",
                err.what);
        service_close(service);
        pool_free(service);
        return 1;
    }
    admin_set_state(&service->admin, ADMIN_READY);
    LOG(LOG_INFO, "server.ready", log_setting("address", config->listen.address),
        log_number("port", server_port(service->server)),
        log_number("admin_port", server_port(service->admin_server)),
        log_number("loops", service->loop_count));
    run(service);
    LOG(LOG_INFO, "server.draining", log_number("grace_ms", config->shutdown_grace_ms));
    process_die_on_next_signal();
    service_drain(service);
    int status = 0;
    if (!service_note(service, AUDIT_STOP, "", service->signing_key != NULL, &err)) {
        LOG(LOG_ERROR, "audit.failed", log_err(&err));
        status = 1;
    }
    service_close(service);
    pool_free(service);
    LOG(LOG_INFO, "server.stopped", log_number("status", status));
    return status;
}
