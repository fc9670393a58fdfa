#include "app/metrics.h"

#include <inttypes.h>

/* Upper bounds in microseconds: a hundredth of a millisecond to ten seconds. */
static const uint64_t bounds_us[METRICS_BUCKETS - 1] = {
    50,    100,   250,    500,    1000,    2500,    5000,    10000,
    25000, 50000, 100000, 250000, 1000000, 5000000, 10000000
};

static const char *const interaction_names[METRICS_INTERACTIONS] = {
#define X(name, code) #name,
    FHIR_INTERACTION_TABLE(X)
#undef X
        "NONE",
};

static const char *const class_names[METRICS_CLASSES] = {
    "none", "1xx", "2xx", "3xx", "4xx", "5xx"
};

static void add(_Atomic uint64_t *counter, uint64_t count)
{
    atomic_fetch_add_explicit(counter, count, memory_order_relaxed);
}

static uint64_t load(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void metrics_request(struct metrics *metrics, unsigned interaction, int status, int64_t duration_ns)
{
    unsigned row = interaction < METRICS_INTERACTIONS ? interaction : METRICS_NO_ROUTE;
    unsigned class = status >= 100 && status < 600 ? (unsigned)status / 100 : 0;
    uint64_t took_us = duration_ns > 0 ? (uint64_t)duration_ns / 1000 : 0;
    unsigned bucket = 0;

    while (bucket < COUNT_OF(bounds_us) && took_us > bounds_us[bucket])
        bucket++;
    add(&metrics->requests[row][class], 1);
    add(&metrics->buckets[bucket], 1);
    add(&metrics->duration_count, 1);
    add(&metrics->duration_sum_us, took_us);
}

/* --- the writer ------------------------------------------------------------------------------- */

static void head(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(struct buffer *out, const char *name, const char *type, const char *help,
                int64_t value)
{
    head(out, name, type, help);
    buffer_format(out, "%s %" PRId64 "\n", name, value);
}

static void counter(struct buffer *out, const char *name, const char *help, uint64_t value)
{
    one(out, name, "counter", help, (int64_t)value);
}

static void gauge(struct buffer *out, const char *name, const char *help, int64_t value)
{
    one(out, name, "gauge", help, value);
}

/* "CONDITIONAL_UPDATE" of the table as the label "conditional_update". */
static void add_lower(struct buffer *out, const char *name)
{
    for (; *name != '\0'; name++)
        buffer_add_char(out, *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name);
}

static void write_requests(const struct metrics *metrics, struct buffer *out)
{
    head(out, "lifeline_http_requests_total", "counter",
         "Requests answered, by FHIR interaction and class of status.");
    for (unsigned i = 0; i < METRICS_INTERACTIONS; i++) {
        for (unsigned c = 0; c < METRICS_CLASSES; c++) {
            uint64_t value = load(&metrics->requests[i][c]);
            if (value == 0)
                continue;
            buffer_add(out, SLICE("lifeline_http_requests_total{interaction=\""));
            add_lower(out, interaction_names[i]);
            buffer_format(out, "\",code=\"%s\"} %" PRIu64 "\n", class_names[c], value);
        }
    }
}

static void write_durations(const struct metrics *metrics, struct buffer *out)
{
    static const char name[] = "lifeline_http_request_duration_seconds";
    uint64_t below = 0;

    head(out, name, "histogram", "From the last byte of a request to the end of its reply.");
    for (unsigned i = 0; i < COUNT_OF(bounds_us); i++) {
        below += load(&metrics->buckets[i]);
        buffer_format(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, (double)bounds_us[i] / 1e6,
                      below);
    }
    below += load(&metrics->buckets[METRICS_BUCKETS - 1]);
    buffer_format(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, below);
    buffer_format(out, "%s_sum %.6f\n%s_count %" PRIu64 "\n", name,
                  (double)load(&metrics->duration_sum_us) / 1e6, name, below);
}

static void write_process(const struct metrics_sources *sources, struct buffer *out)
{
    head(out, "lifeline_build_info", "gauge", "Constant 1; the label says which version runs.");
    buffer_format(out, "lifeline_build_info{version=\"%s\"} 1\n", sources->version);
    gauge(out, "process_start_time_seconds", "Start of the process, Unix time.",
          sources->started_s);
    gauge(out, "process_resident_memory_bytes", "Memory in use.", sources->resident_bytes);
    gauge(out, "process_open_fds", "Open files and sockets.", sources->open_files);
    gauge(out, "lifeline_ready", "1 while the gateway takes requests.", sources->is_ready);
    counter(out, "lifeline_log_dropped_total", "Log lines that nobody took in time.",
            sources->log_dropped);
    if (sources->certificate_expires_s != 0)
        gauge(out, "lifeline_certificate_expiry_timestamp_seconds",
              "End of the server certificate, Unix time.", sources->certificate_expires_s);
}

static void write_server(const struct server_counts *server, struct buffer *out)
{
    counter(out, "lifeline_connections_accepted_total", "Connections taken.", server->accepted);
    gauge(out, "lifeline_connections_open", "Connections open now.", (int64_t)server->open);
    counter(out, "lifeline_tls_handshake_failures_total", "Handshakes that failed.",
            server->handshake_failures);
    counter(out, "lifeline_requests_received_total", "Requests read whole.", server->requests);
    counter(out, "lifeline_connections_refused_total", "Connections refused for lack of room.",
            server->refused_busy);
    counter(out, "lifeline_timeouts_total", "Connections ended by a time limit.", server->timeouts);
}

static void write_lane(const struct metrics_sources *sources, struct buffer *out)
{
    const struct lane_counts *lane = &sources->lane;

    counter(out, "lifeline_lane_jobs_total", "Jobs run by the lane.", lane->jobs);
    counter(out, "lifeline_lane_commits_total", "Transactions; jobs by commits is the batch.",
            lane->batches);
    counter(out, "lifeline_lane_failed_commits_total", "Transactions that failed as a whole.",
            lane->failed_batches);
    counter(out, "lifeline_lane_refused_total", "Jobs answered 503 because the queue was full.",
            lane->refused);
    gauge(out, "lifeline_lane_queued", "Jobs waiting now.", lane->queued);
    gauge(out, "lifeline_lane_queue_limit", "Jobs that may wait.", sources->queue_max);
}

static void write_outbox(const struct metrics_sources *sources, struct buffer *out)
{
    const struct outbox_counts *outbox = &sources->outbox;

    counter(out, "lifeline_deliveries_sent_total", "Requests sent to destinations.", outbox->sent);
    counter(out, "lifeline_deliveries_settled_total", "Postings a destination took.",
            outbox->settled);
    counter(out, "lifeline_deliveries_retried_total", "Postings put off after a failure.",
            outbox->retried);
    counter(out, "lifeline_deliveries_dead_total", "Postings given up.", outbox->dead);
    counter(out, "lifeline_deliveries_reconciled_total",
            "Postings found at the destination after a lost answer.", outbox->reconciled);
    counter(out, "lifeline_duplicates_total",
            "Records of ours at destinations beyond the one that is kept.", outbox->duplicates);
    counter(out, "lifeline_records_checked_total", "Settled records that were looked at again.",
            outbox->checked);
    head(out, "lifeline_records_drifted_total", "counter",
         "Settled records that somebody had changed at the destination.");
    buffer_format(out, "lifeline_records_drifted_total{how=\"edited\"} %" PRIu64 "\n",
                  outbox->edited);
    buffer_format(out, "lifeline_records_drifted_total{how=\"deleted\"} %" PRIu64 "\n",
                  outbox->deleted);
    head(out, "lifeline_token_requests_total", "counter", "Access tokens that were asked for.");
    buffer_format(out, "lifeline_token_requests_total{result=\"success\"} %" PRIu64 "\n",
                  outbox->tokens);
    buffer_format(out, "lifeline_token_requests_total{result=\"failure\"} %" PRIu64 "\n",
                  outbox->token_failures);
    head(out, "lifeline_outbox_depth", "gauge", "Postings by state.");
    buffer_format(out, "lifeline_outbox_depth{state=\"pending\"} %" PRId64 "\n",
                  sources->store.outbox_pending);
    buffer_format(out, "lifeline_outbox_depth{state=\"unknown\"} %" PRId64 "\n",
                  sources->store.outbox_unknown);
    buffer_format(out, "lifeline_outbox_depth{state=\"dead\"} %" PRId64 "\n",
                  sources->store.outbox_dead);
}

static void write_store(const struct metrics *metrics, const struct metrics_sources *sources,
                        struct buffer *out)
{
    gauge(out, "lifeline_resources", "Resources stored.", sources->store.resources);
    gauge(out, "lifeline_patients_tracked", "Patients with a timeline.", sources->store.patients);
    gauge(out, "lifeline_audit_records", "Records of the audit chain.",
          sources->store.audit_records);
    gauge(out, "lifeline_store_bytes", "Size of the database file.", sources->store_bytes);
    counter(out, "lifeline_resources_ingested_total", "Resource versions accepted.",
            load(&metrics->resources));
    counter(out, "lifeline_unmapped_codes_total", "Drugs and conditions that no mapping knew.",
            load(&metrics->unmapped));
    counter(out, "lifeline_lines_derived_total", "Derivations of a patient's lines.",
            load(&metrics->derivations));
}

void metrics_write(const struct metrics *metrics, const struct metrics_sources *sources,
                   struct buffer *out)
{
    write_process(sources, out);
    write_requests(metrics, out);
    write_durations(metrics, out);
    write_server(&sources->server, out);
    write_lane(sources, out);
    write_outbox(sources, out);
    write_store(metrics, sources, out);
}
