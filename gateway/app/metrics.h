/* app/metrics.h -- what the process counts, as Prometheus text.
 *
 * What      a small table of atomic counters that every I/O loop adds to (requests by interaction
 *           and class of status, a histogram of durations), and a pure writer that joins them with
 *           the counts of the modules.  Labels are words of our tables only: no patient, id, URL or
 *           code ever becomes a label.
 * Owns      the caller's struct; zero-initialised is empty.
 * Thread    metrics_request() from any; metrics_write() from any.
 */
#pragma once

#include <stdatomic.h>

#include "base/buffer.h"
#include "fhir/route.h"
#include "net/server.h"
#include "outbox/outbox.h"
#include "store/lane.h"

#define METRICS_CLASSES 6 /* by first digit of the status; 0 holds what has none */
#define METRICS_BUCKETS 16
#define METRICS_INTERACTIONS (FHIR_INTERACTION_COUNT + 1) /* and one for what has no route */
#define METRICS_NO_ROUTE FHIR_INTERACTION_COUNT

struct metrics {
    _Atomic uint64_t requests[METRICS_INTERACTIONS][METRICS_CLASSES];
    _Atomic uint64_t buckets[METRICS_BUCKETS]; /* not cumulative; the writer adds them up */
    _Atomic uint64_t duration_count, duration_sum_us;
    _Atomic uint64_t resources, unmapped, derivations;
};

/* `interaction` is an enum fhir_interaction or METRICS_NO_ROUTE. */
void metrics_request(struct metrics *metrics, unsigned interaction, int status,
                     int64_t duration_ns);

/* What the modules counted, gathered by the shell; a member that is not known stays zero. */
struct metrics_sources {
    const char *version;
    int64_t started_s; /* wall clock */
    bool is_ready;
    struct server_counts server;
    struct lane_counts lane;
    unsigned queue_max;
    struct outbox_counts outbox;
    struct store_figures store;
    int64_t store_bytes; /* of the database file; 0 for memory */
    uint64_t log_dropped;
    int64_t certificate_expires_s; /* of the server certificate; 0 when unknown */
    int64_t resident_bytes, open_files;
};

void metrics_write(const struct metrics *metrics, const struct metrics_sources *sources,
                   struct buffer *out);
