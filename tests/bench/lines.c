/* What a patient's lines cost, on one core:
 *
 *   engine  lines and verdicts per second from resolved events, from the packed rows of the store,
 *           and with the JSON answer; patients with 40 orders each, of mixed diseases
 *   ndjson  the same patients end to end, from NDJSON to the JSON answer, next to yajl alone over
 *           the same bytes
 *   growth  the cost of an order in patients with 10 to 10,000 of them
 *
 * `lines PART ROUNDS` does one part so many times, for a profiler. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <yajl/yajl_parse.h>

#include "app/offline.h"
#include "fhir/read.h"
#include "support/therapy/ndjson.h"
#include "therapy/report.h"

#define PATIENTS 64
#define ROUNDS 9
#define ROUND_SECONDS 0.15
#define AS_OF "2026-01-01"

/* Forty orders or a few more: cycles of published regimens. */
static const char *const stories[] = {
    /* R-CHOP, relapse, R-DHAP, CAR-T */
    "@C83.30 2021-01-01; rituximab + cyclophosphamide + doxorubicin + vincristine + prednisone "
    "2021-01-11 x5/21; @C83.30 2021-11-20 relapse; rituximab + cisplatin + cytarabine + "
    "dexamethasone 2021-12-01 x3/21; cyclophosphamide + fludarabine 2022-03-01; "
    "axicabtagene ciloleucel 2022-03-06",
    /* NSCLC with maintenance and a second line */
    "@C34.90 2020-01-01; carboplatin + pemetrexed 2020-01-06 x4/21; pemetrexed 2020-03-30 x20/21; "
    "docetaxel + ramucirumab 2021-07-01 x6/21",
    /* colorectal, three lines */
    "@C18.9 2019-01-01; bevacizumab + fluorouracil + oxaliplatin 2019-01-07 x6/14; bevacizumab + "
    "fluorouracil + irinotecan 2020-01-06 x6/14; trifluridine + tipiracil 2020-09-01 x2/28",
    /* myeloma */
    "@C90.00 2020-01-01; bortezomib + lenalidomide + dexamethasone 2020-01-06 x8/21; lenalidomide "
    "2020-09-01 x6/28; @C90.02 2021-06-01; daratumumab + pomalidomide + dexamethasone 2021-06-10 "
    "x3/28",
    /* ovarian, platinum-resistant */
    "@C56.9 2020-01-01; carboplatin + paclitaxel 2020-01-06 x6/21; bevacizumab 2020-01-27 x12/21; "
    "doxorubicin liposomal 2020-11-20 x8/28; topotecan 2021-09-01 x8/21",
    /* breast: a long single line */
    "@C50.911 2018-01-01; doxorubicin + cyclophosphamide 2018-01-08 x4/21; paclitaxel 2018-04-02 "
    "x12/7; trastuzumab 2018-04-02 x17/21; letrozole 2019-05-01 x3/90",
};

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof values[0], by_size);
    return values[ROUNDS / 2];
}

/* --- what is measured ------------------------------------------------------------------------ */

struct patient {
    struct story story;
    struct slice *rows; /* the events as the store packs them */
};

struct cohort {
    struct patient *patients;
    unsigned count;
    size_t orders;      /* of all */
    struct buffer text; /* of all, as NDJSON */
    struct arena arena; /* of one derivation */
    struct buffer out;
};

typedef void work(struct cohort *cohort);

/* Seconds for one pass, the mean over a round. */
static double time_round(work *run, struct cohort *cohort)
{
    unsigned passes = 0;
    double start = now_s(), spent = 0;
    for (; spent < ROUND_SECONDS; passes++, spent = now_s() - start)
        run(cohort);
    return spent / passes;
}

/* Rounds of all contestants in turn, so that a slower minute of the machine is everybody's;
 * seconds[i] is the median of contestant i. */
static void compare(work *const *runs, size_t count, struct cohort *cohort, double *seconds)
{
    double all[8][ROUNDS];
    CHECK(count <= COUNT_OF(all));
    for (unsigned round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < count; i++)
            all[i][round] = time_round(runs[i], cohort);
    for (size_t i = 0; i < count; i++)
        seconds[i] = median(all[i]);
}

static void pack_rows(struct patient *patient)
{
    struct story *story = &patient->story;
    patient->rows = ARENA_ARRAY(&story->arena, struct slice, story->count);
    for (size_t i = 0; i < story->count; i++) {
        struct buffer row;
        buffer_init(&row, 1 << 16);
        event_pack(&story->events[i], &row);
        patient->rows[i] = arena_copy(&story->arena, buffer_slice(&row));
        buffer_fini(&row);
    }
}

/* tell() adds what patient number `number` has lived through. */
static void cohort_init(struct cohort *cohort, unsigned count, size_t events_max,
                        void (*tell)(struct story *story, unsigned number))
{
    memset(cohort, 0, sizeof *cohort);
    cohort->patients = calloc(count, sizeof cohort->patients[0]);
    CHECK(cohort->patients != NULL);
    cohort->count = count;
    buffer_init(&cohort->text, (size_t)1 << 30);
    buffer_init(&cohort->out, (size_t)64 << 20);
    arena_init(&cohort->arena, (size_t)1 << 30);
    for (unsigned i = 0; i < count; i++) {
        struct patient *patient = &cohort->patients[i];
        story_begin_long(&patient->story, events_max);
        tell(&patient->story, i);
        pack_rows(patient);
        ndjson_write(&patient->story, i, &cohort->text);
        cohort->orders += patient->story.orders;
    }
    CHECK(!buffer_overflowed(&cohort->text));
}

static void cohort_fini(struct cohort *cohort)
{
    for (unsigned i = 0; i < cohort->count; i++)
        story_end(&cohort->patients[i].story);
    free(cohort->patients);
    buffer_fini(&cohort->text);
    buffer_fini(&cohort->out);
    arena_fini(&cohort->arena);
}

/* --- contestants ----------------------------------------------------------------------------- */

static void derive(struct cohort *cohort, const struct event *events, size_t count, bool is_printed)
{
    struct therapy therapy;
    struct err err;
    const struct rules *rules = mapping_rules(story_mapping());
    struct date as_of = story_day(AS_OF);
    CHECK(therapy_derive(rules, events, count, as_of, &cohort->arena, &therapy, &err));
    if (is_printed) {
        struct report_head head = { SLICE("Patient/p"), &rules->digest };
        buffer_reset(&cohort->out);
        report_json(&head, &therapy, &cohort->out);
    }
    arena_reset(&cohort->arena);
}

static void run_resolved(struct cohort *cohort)
{
    for (unsigned i = 0; i < cohort->count; i++) {
        const struct story *story = &cohort->patients[i].story;
        derive(cohort, story->events, story->count, false);
    }
}

static void run_printed(struct cohort *cohort)
{
    for (unsigned i = 0; i < cohort->count; i++) {
        const struct story *story = &cohort->patients[i].story;
        derive(cohort, story->events, story->count, true);
    }
}

static void run_packed(struct cohort *cohort)
{
    for (unsigned i = 0; i < cohort->count; i++) {
        const struct patient *patient = &cohort->patients[i];
        struct err err;
        struct event *events = ARENA_ARRAY(&cohort->arena, struct event, patient->story.count);
        for (size_t k = 0; k < patient->story.count; k++) {
            CHECK(event_unpack(patient->rows[k], &cohort->arena, &events[k], &err));
            mapping_resolve(story_mapping(), &events[k], &cohort->arena);
        }
        derive(cohort, events, patient->story.count, false);
    }
}

static void on_refused(void *ctx, const char *source, unsigned line, const struct err *err)
{
    (void)ctx;
    fprintf(stderr, "%s:%u: %s: %s\n", source, line, err->where, err->what);
    exit(1);
}

/* As `lifeline lines --grouped` does it, on one thread. */
static void report_batches(struct cohort *cohort, struct offline *offline, unsigned *count)
{
    for (struct offline_batch *batch; (batch = offline_next(offline)) != NULL;) {
        for (unsigned i = 0; i < batch->count; i++) {
            const struct offline_patient *patient = &batch->patients[i];
            struct therapy therapy;
            struct err err;
            CHECK(offline_derive(patient, story_mapping(), mapping_rules(story_mapping()),
                                 story_day(AS_OF), &cohort->arena, &therapy, &err));
            struct report_head head = { patient->name, &mapping_rules(story_mapping())->digest };
            report_json(&head, &therapy, &cohort->out);
            arena_reset(&cohort->arena);
        }
        *count += batch->count;
        offline_batch_free(offline, batch);
    }
}

static void run_ndjson(struct cohort *cohort)
{
    enum { PIECE = 1024 * 1024 };
    struct offline *offline =
        offline_open(&(struct offline_options){ .is_grouped = true, .refused = on_refused });
    unsigned count = 0;
    buffer_reset(&cohort->out);
    for (struct slice rest = buffer_slice(&cohort->text); rest.len > 0;) {
        struct slice piece = rest;
        if (piece.len > PIECE) {
            const char *end = memchr(rest.at + PIECE, '\n', rest.len - PIECE);
            piece.len = end != NULL ? (size_t)(end - rest.at) + 1 : rest.len;
        }
        offline_add(offline, &(struct offline_source){ "bench", 1, 1 }, piece);
        rest = slice_skip(rest, piece.len);
        report_batches(cohort, offline, &count);
    }
    offline_finish(offline);
    report_batches(cohort, offline, &count);
    CHECK(count == cohort->count);
    offline_close(offline);
}

/* Reading alone: each line to an event. */
static void run_read(struct cohort *cohort)
{
    for (struct slice rest = buffer_slice(&cohort->text); rest.len > 0;) {
        struct fhir_resource resource;
        struct err err;
        struct slice line = slice_take_until(&rest, '\n');
        CHECK(fhir_read(line, FHIR_NONE, &cohort->arena, &resource, &err));
        arena_reset(&cohort->arena);
    }
}

static int yajl_nothing(void *ctx)
{
    (void)ctx;
    return 1;
}
static int yajl_no_boolean(void *ctx, int value)
{
    (void)ctx, (void)value;
    return 1;
}
static int yajl_no_number(void *ctx, const char *digits, size_t len)
{
    (void)ctx, (void)digits, (void)len;
    return 1;
}
static int yajl_no_string(void *ctx, const unsigned char *at, size_t len)
{
    (void)ctx, (void)at, (void)len;
    return 1;
}

/* The whole text in one call, with one handle: as little beside tokenising as yajl allows. */
static void run_yajl(struct cohort *cohort)
{
    static const yajl_callbacks callbacks = {
        .yajl_null = yajl_nothing,
        .yajl_boolean = yajl_no_boolean,
        .yajl_number = yajl_no_number,
        .yajl_string = yajl_no_string,
        .yajl_start_map = yajl_nothing,
        .yajl_map_key = yajl_no_string,
        .yajl_end_map = yajl_nothing,
        .yajl_start_array = yajl_nothing,
        .yajl_end_array = yajl_nothing,
    };
    yajl_handle parser = yajl_alloc(&callbacks, NULL, NULL);
    yajl_config(parser, yajl_allow_multiple_values, 1);
    bool ok = yajl_parse(parser, (const unsigned char *)cohort->text.at, cohort->text.len) ==
                  yajl_status_ok &&
              yajl_complete_parse(parser) == yajl_status_ok;
    CHECK(ok);
    yajl_free(parser);
}

/* --- parts ----------------------------------------------------------------------------------- */

static void tell_mixed(struct story *story, unsigned number)
{
    story_tell(story, stories[number % COUNT_OF(stories)]);
}

static void print_engine(struct cohort *cohort)
{
    work *const runs[] = { run_resolved, run_packed, run_printed };
    double seconds[COUNT_OF(runs)];
    compare(runs, COUNT_OF(runs), cohort, seconds);
    printf("engine: %u patients with %.1f orders each\n", cohort->count,
           (double)cohort->orders / cohort->count);
    printf("  lines and verdict from resolved events  %8.0f patients/s per core\n",
           cohort->count / seconds[0]);
    printf("  with event_unpack and mapping_resolve   %8.0f patients/s per core\n",
           cohort->count / seconds[1]);
    printf("  with the JSON answer                    %8.0f patients/s per core\n",
           cohort->count / seconds[2]);
}

static void print_ndjson(struct cohort *cohort)
{
    work *const runs[] = { run_yajl, run_read, run_ndjson };
    double seconds[COUNT_OF(runs)], megabytes = (double)cohort->text.len / 1e6;
    compare(runs, COUNT_OF(runs), cohort, seconds);
    printf("ndjson: the same patients, %.1f MB, %zu bytes per order\n", megabytes,
           cohort->text.len / cohort->orders);
    printf("  yajl alone                              %8.0f MB/s\n", megabytes / seconds[0]);
    printf("  fhir_read alone                         %8.0f MB/s, %.0f %% of yajl\n",
           megabytes / seconds[1], 100 * seconds[0] / seconds[1]);
    printf(
        "  NDJSON to lines and verdicts as JSON    %8.0f MB/s, %.0f %% of yajl, %.0f patients/s\n",
        megabytes / seconds[2], 100 * seconds[0] / seconds[2], cohort->count / seconds[2]);
}

/* Colorectal cancer in lines of two regimens in turn, so many orders that the cycles get closer:
 * the lines stay the same, what grows is the number of orders. */
static size_t growth_orders;

static void tell_growing(struct story *story, unsigned number)
{
    (void)number;
    char text[600];
    int cycles = (int)(growth_orders / 5), days = 360;
    snprintf(text, sizeof text,
             "@C18.9 2016-01-01; bevacizumab + fluorouracil + oxaliplatin 2016-01-07 x%d/%d; "
             "fluorouracil + irinotecan 2018-01-07 x%d/%d",
             cycles, days / cycles > 0 ? days / cycles : 1, cycles,
             days / cycles > 0 ? days / cycles : 1);
    story_tell(story, text);
}

static void print_growth(void)
{
    static const size_t sizes[] = { 10, 40, 100, 1000, 10000 };
    printf("growth: the cost of an order by how many the patient has\n");
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        work *const runs[] = { run_resolved, run_packed, run_ndjson };
        double seconds[COUNT_OF(runs)];
        struct cohort cohort;
        growth_orders = sizes[i];
        cohort_init(&cohort, sizes[i] < 1000 ? (unsigned)(2000 / sizes[i]) : 2, sizes[i] + 8,
                    tell_growing);
        compare(runs, COUNT_OF(runs), &cohort, seconds);
        printf("  %6zu orders: engine %4.0f ns, unpacked and resolved %4.0f ns, from NDJSON %5.0f "
               "ns per order\n",
               sizes[i], 1e9 * seconds[0] / (double)cohort.orders,
               1e9 * seconds[1] / (double)cohort.orders, 1e9 * seconds[2] / (double)cohort.orders);
        cohort_fini(&cohort);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        work *run;
    } parts[] = {
        { "resolved", run_resolved }, { "packed", run_packed }, { "printed", run_printed },
        { "ndjson", run_ndjson },     { "yajl", run_yajl },     { "read", run_read },
    };
    struct cohort cohort;
    cohort_init(&cohort, PATIENTS, 128, tell_mixed);
    for (size_t i = 0; argc == 3 && i < COUNT_OF(parts); i++)
        for (long n = strtol(argv[2], NULL, 10); strcmp(argv[1], parts[i].name) == 0 && n > 0; n--)
            parts[i].run(&cohort);
    if (argc == 1) {
        print_engine(&cohort);
        print_ndjson(&cohort);
        print_growth();
    }
    cohort_fini(&cohort);
    return 0;
}
