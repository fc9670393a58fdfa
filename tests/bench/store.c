/* What one lane's store can do: the sequence of a real job, without HTTP, FHIR and derivation.
 *
 *   store [--path FILE] [--fill RESOURCES] [--seconds S] [--batch N]
 *
 * A job is: savepoint, patient key, patient state loaded, one version of 500 bytes inserted, state
 * of about 4 KB saved, one audit record appended, savepoint kept.  A job of 100 resources is a Bundle
 * of the orders of three patients, with one audit record.  First on an empty file, then
 * with --fill resources (of 40 per patient) present: for all patients at once, and for 1,000 of them.  --batch measures only that batch size, without
 * a lane: for a profiler.  Figures are printed, nothing is asserted. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/pool.h"
#include "loop/loop.h"
#include "store/lane.h"
#include "store/ledger.h"

#define BODY_BYTES 500
#define STATE_ENTRIES 40 /* orders in a state */
#define STATE_ENTRY_BYTES 110
#define STATES 64
#define RESOURCES_PER_PATIENT 40
#define BUNDLE_RESOURCES 100
#define ACTIVE_PATIENTS 1000
#define IN_FLIGHT_MAX 256

struct bench {
    struct store *store;
    struct store_tx *tx;
    int64_t patients; /* known names: Patient/0 ... */
    int64_t written;
    uint64_t chance;
    double seconds;
    unsigned only_batch; /* 0: all sizes, and the lane */
    struct arena arena;
};

struct result {
    double per_second, cpu_us;
};

static uint64_t next_chance(uint64_t *chance)
{
    *chance ^= *chance << 13;
    *chance ^= *chance >> 7;
    *chance ^= *chance << 17;
    return *chance;
}

static char noise[64 * 1024];
static char states[STATES][STATE_ENTRIES * STATE_ENTRY_BYTES];

/* As ingest/ packs them: much the same from order to order but for ids and dates. */
static void make_states(uint64_t *chance)
{
    static const char *const drugs[] = { "224905 trastuzumab", "56946 paclitaxel",
                                         "40048 carboplatin", "72962 docetaxel",
                                         "12574 gemcitabine" };
    for (unsigned i = 0; i < STATES; i++)
        for (unsigned j = 0; j < STATE_ENTRIES; j++) {
            char entry[STATE_ENTRY_BYTES + 1];
            snprintf(entry, sizeof entry,
                     "%06llx l%015llx %04llx %-20s %06llx %06llx C50.911 "
                     "breast cancer, right%13s",
                     (unsigned long long)next_chance(chance) & 0xffffff,
                     (unsigned long long)next_chance(chance) & 0xfffffffffffff,
                     (unsigned long long)next_chance(chance) & 0xffff, drugs[j / 8],
                     (unsigned long long)next_chance(chance) & 0xfff,
                     (unsigned long long)next_chance(chance) & 0xfff, "");
            memcpy(states[i] + j * STATE_ENTRY_BYTES, entry, STATE_ENTRY_BYTES);
        }
}

static double now_s(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void must(bool is_done, const struct err *err)
{
    if (is_done)
        return;
    fprintf(stderr, "%s: %s\n", err->where, err->what);
    exit(EXIT_FAILURE);
}

/* --- one resource ------------------------------------------------------------------------- */

static bool audit(struct store_tx *tx, struct slice patient, unsigned entry_count, int64_t number,
                  struct err *err)
{
    static const struct audit_entry entry = { .action = "create",
                                              .type = FHIR_MEDICATION_REQUEST,
                                              .id = { "l00000000001a2b3", 16 },
                                              .version = 1,
                                              .status = 201 };
    struct audit_entry entries[BUNDLE_RESOURCES];
    for (unsigned i = 0; i < entry_count; i++)
        entries[i] = entry;
    const struct audit_record record = {
        .kind = AUDIT_REQUEST,
        .time_ms = INT64_C(1790000000000) + number,
        .monotonic_ns = number * 1000,
        .tenant = SLICE("mainehr"),
        .actor = SLICE("CN=ehr.example.org"),
        .address = SLICE("10.1.2.3:40120"),
        .request_id = SLICE("9f0c5a52-8a0f-4d43-9c1c-5b0e8a3f2a11"),
        .method = SLICE("POST"),
        .path = SLICE("/fhir/MedicationRequest"),
        .status = 201,
        .outcome = "success",
        .entries = entries,
        .entry_count = entry_count,
        .patient = patient,
        .detail = SLICE("{\"derived\":[{\"disease\":\"breast\",\"lines\":3,\"salvage\":true,"
                        "\"grade\":\"MEDIUM\",\"digest\":\"5b9da21dd66abc75bee721d2773b690b"
                        "e6758aa80a41ad03e574c1b0857daabd\"}]}"),
    };
    return ledger_append(tx, &record, err);
}

static bool insert(struct bench *bench, struct store_tx *tx, int64_t patient, struct err *err)
{
    const struct store_resource row = {
        .key = store_key_reserve(bench->store, 1),
        .tenant = 1,
        .type = FHIR_MEDICATION_REQUEST,
        .version = 1,
        .patient = patient,
        .updated_ms = INT64_C(1790000000000),
        .body = { noise + next_chance(&bench->chance) % 1024, BODY_BYTES },
    };
    bench->written++;
    return store_resource_insert(tx, &row, err);
}

/* `count` new orders of one patient, and its state once. */
static bool write_patient(struct bench *bench, struct store_tx *tx, unsigned count, struct err *err)
{
    uint64_t chance = next_chance(&bench->chance);
    char name[32];
    int length = snprintf(name, sizeof name, "Patient/%llu",
                          (unsigned long long)(chance % (uint64_t)bench->patients));
    size_t state_len = (STATE_ENTRIES - chance / 7 % 8) * STATE_ENTRY_BYTES;
    struct slice state = { states[chance / 13 % STATES], state_len };
    struct slice before = SLICE("");
    int32_t next_day = 20000 + (int32_t)(bench->written / 1000 + (int64_t)(chance / 11 % 60));
    int64_t patient = 0;
    bool found = false;
    arena_reset(&bench->arena);
    if (!store_patient_key(tx, 1, (struct slice){ name, (size_t)length }, true, &patient, &found,
                           err) ||
        !store_patient_load(tx, patient, &bench->arena, &before, err))
        return false;
    for (unsigned i = 0; i < count; i++)
        if (!insert(bench, tx, patient, err))
            return false;
    return store_patient_save(tx, patient, state, next_day, err);
}

/* A request: one order, or a Bundle of the orders of a few patients. */
static bool write_request(struct bench *bench, struct store_tx *tx, unsigned resources,
                          struct err *err)
{
    for (unsigned done = 0, count; done < resources; done += count) {
        count = resources - done < RESOURCES_PER_PATIENT ? resources - done : RESOURCES_PER_PATIENT;
        if (!write_patient(bench, tx, count, err))
            return false;
    }
    return audit(tx, SLICE("Patient/1"), resources, bench->written, err);
}

/* --- batches without a lane --------------------------------------------------------------- */

static void write_batch(struct bench *bench, unsigned batch)
{
    struct err err;
    must(store_begin(bench->tx, &err), &err);
    for (unsigned i = 0; i < batch; i++) {
        if (batch > 1)
            must(store_savepoint(bench->tx, &err), &err);
        must(write_request(bench, bench->tx, 1, &err), &err);
        if (batch > 1)
            must(store_savepoint_keep(bench->tx, &err), &err);
    }
    must(store_commit(bench->tx, &err), &err);
}

static struct result measure_batch(struct bench *bench, unsigned batch)
{
    double start = now_s(CLOCK_MONOTONIC), cpu = now_s(CLOCK_PROCESS_CPUTIME_ID);
    int64_t count = 0;
    while (now_s(CLOCK_MONOTONIC) - start < bench->seconds) {
        write_batch(bench, batch);
        count += batch;
    }
    double wall = now_s(CLOCK_MONOTONIC) - start;
    cpu = now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    return (struct result){ (double)count / wall, cpu / (double)count * 1e6 };
}

/* --- through the lane --------------------------------------------------------------------- */

struct flight {
    struct bench *bench;
    struct lane *lane;
    struct loop *loop;
    double start, end;
    unsigned per_job, in_flight;
    int64_t jobs;
    struct seat {
        struct job job;
        struct flight *flight;
        double submitted;
    } seats[IN_FLIGHT_MAX];
    double *waits;
    int64_t wait_max;
};

static bool run_job(struct job *job, struct store_tx *tx, struct err *err)
{
    struct flight *flight = CONTAINER_OF(job, struct seat, job)->flight;
    return write_request(flight->bench, tx, flight->per_job, err);
}

static void submit(struct seat *seat)
{
    struct err err;
    seat->submitted = now_s(CLOCK_MONOTONIC);
    must(lane_submit(seat->flight->lane, seat->flight->loop, &seat->job, &err), &err);
}

static void on_done(struct job *job, const struct err *err)
{
    struct seat *seat = CONTAINER_OF(job, struct seat, job);
    struct flight *flight = seat->flight;
    double now = now_s(CLOCK_MONOTONIC);
    must(err->code == ERR_OK, err);
    if (flight->jobs < flight->wait_max)
        flight->waits[flight->jobs] = now - seat->submitted;
    flight->jobs++;
    if (now - flight->start < flight->bench->seconds) {
        submit(seat);
        return;
    }
    if (--flight->in_flight == 0) {
        flight->end = now;
        loop_stop(flight->loop);
    }
}

static void on_start(void *arg)
{
    struct flight *flight = arg;
    flight->start = now_s(CLOCK_MONOTONIC);
    for (unsigned i = 0; i < flight->in_flight; i++)
        submit(&flight->seats[i]);
}

static int by_wait(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void measure_lane(struct bench *bench, unsigned in_flight, unsigned per_job)
{
    struct err err;
    struct flight *flight = pool_new(sizeof *flight);
    const struct lane_settings settings = { .queue_max = 4096, .batch_max = 512 };
    *flight = (struct flight){ .bench = bench, .per_job = per_job, .in_flight = in_flight };
    flight->wait_max = 1000000;
    flight->waits = pool_new((size_t)flight->wait_max * sizeof(double));
    for (unsigned i = 0; i < in_flight; i++)
        flight->seats[i] =
            (struct seat){ .flight = flight, .job = { .run = run_job, .done = on_done } };
    must(lane_start(bench->store, &settings, &flight->lane, &err), &err);
    must(loop_open("bench", &flight->loop, &err), &err);
    must(loop_start(flight->loop, on_start, flight, &err), &err);
    loop_join(flight->loop);
    struct lane_counts counts = lane_counts(flight->lane);
    lane_stop(flight->lane);
    loop_close(flight->loop);

    int64_t kept = flight->jobs < flight->wait_max ? flight->jobs : flight->wait_max;
    qsort(flight->waits, (size_t)kept, sizeof(double), by_wait);
    double wall = flight->end - flight->start;
    printf("  lane  %3u in flight x %3u resources  %9.0f resources/s  batch %6.1f"
           "  p50 %7.2f ms  p99 %7.2f ms\n",
           in_flight, per_job, (double)flight->jobs * per_job / wall,
           (double)counts.jobs / (double)counts.batches, flight->waits[kept / 2] * 1e3,
           flight->waits[kept * 99 / 100] * 1e3);
    pool_free(flight->waits);
    pool_free(flight);
}

/* --- the run ------------------------------------------------------------------------------ */

static void measure_one(struct bench *bench, unsigned batch)
{
    struct result result = measure_batch(bench, batch);
    printf("  store batch %3u  %9.0f resources/s  %6.1f us CPU each\n", batch, result.per_second,
           result.cpu_us);
    fflush(stdout);
}

static void measure_all(struct bench *bench, const char *title)
{
    static const unsigned batches[] = { 1, 8, 64, 512 };
    static const struct {
        unsigned in_flight, per_job;
    } flights[] = { { 1, 1 },
                    { 16, 1 },
                    { 64, 1 },
                    { 256, 1 },
                    { 4, BUNDLE_RESOURCES },
                    { 16, BUNDLE_RESOURCES } };
    printf("%s\n", title);
    fflush(stdout);
    if (bench->only_batch > 0) {
        measure_one(bench, bench->only_batch);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(batches); i++)
        measure_one(bench, batches[i]);
    for (size_t i = 0; i < COUNT_OF(flights); i++) {
        measure_lane(bench, flights[i].in_flight, flights[i].per_job);
        fflush(stdout);
    }
}

static void fill(struct bench *bench, int64_t resources)
{
    double start = now_s(CLOCK_MONOTONIC);
    int64_t count = 0;
    bench->patients = resources / RESOURCES_PER_PATIENT;
    for (; bench->written < resources; count += 1000)
        write_batch(bench, 1000);
    printf("filled to %lld resources of %lld patients: %.0f/s\n", (long long)bench->written,
           (long long)bench->patients, (double)count / (now_s(CLOCK_MONOTONIC) - start));
}

static void remove_files(const char *path)
{
    static const char *const suffixes[] = { "", "-wal", "-shm" };
    char name[512];
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        unlink(name);
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "path", required_argument, NULL, 'p' },
                                             { "fill", required_argument, NULL, 'f' },
                                             { "seconds", required_argument, NULL, 's' },
                                             { "batch", required_argument, NULL, 'b' },
                                             { NULL, 0, NULL, 0 } };
    const char *path = "bench-store.db";
    int64_t resources = 1000000;
    struct bench bench = { .patients = ACTIVE_PATIENTS,
                           .chance = 88172645463325252u,
                           .seconds = 2 };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'p')
            path = optarg;
        else if (option == 'f')
            resources = strtoll(optarg, NULL, 10);
        else if (option == 's')
            bench.seconds = strtod(optarg, NULL);
        else if (option == 'b')
            bench.only_batch = (unsigned)strtoul(optarg, NULL, 10);
        else
            return 2;
    }
    uint64_t seed = 1;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(next_chance(&seed) >> 40);
    make_states(&seed);

    struct err err;
    remove_files(path);
    must(store_open(&(struct store_settings){ .path = path }, &bench.store, &err), &err);
    must(store_tx_open(bench.store, &bench.tx, &err), &err);
    arena_init(&bench.arena, (size_t)1 << 20);
    measure_all(&bench, "empty file, 1,000 patients");
    if (resources > 0) {
        fill(&bench, resources);
        measure_all(&bench, "filled file, all its patients at once");
        bench.patients = ACTIVE_PATIENTS;
        measure_all(&bench, "filled file, 1,000 patients");
    }
    arena_fini(&bench.arena);
    store_tx_close(bench.tx);
    store_close(bench.store);
    remove_files(path);
    return 0;
}
