/* How fast a MedicationRequest of about 3 KB is read, next to yajl alone in the same run: MB/s and
 * microseconds per document, on one core, median of several rounds.
 *
 * `fhir_read N TIMES` runs contestant N (from 0) so many times, for a profiler. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <yajl/yajl_parse.h>

#include "base/json.h"
#include "fhir/read.h"
#include "fhir/stamp.h"

#define ROUNDS 9
#define DOCUMENTS 20000

static char text[16384];
static struct slice body;
static struct arena arena;
static volatile size_t sink; /* keeps the work from being optimised away */

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- contestants ----------------------------------------------------------------------------- */

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

static void run_yajl(void)
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
    bool ok = yajl_parse(parser, (const unsigned char *)body.at, body.len) == yajl_status_ok &&
              yajl_complete_parse(parser) == yajl_status_ok;
    CHECK(ok);
    yajl_free(parser);
    sink++;
}

static bool no_value(void *ctx, struct json_reader *reader, enum json_kind kind, struct slice value)
{
    (void)ctx, (void)reader, (void)kind, (void)value;
    return true;
}
static bool no_bracket(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    (void)ctx, (void)reader, (void)kind;
    return true;
}

static void run_json(void)
{
    static const struct json_events events = { no_value, no_bracket, no_bracket };
    struct err err;
    bool ok = json_read(body, NULL, &events, NULL, &arena, &err);
    CHECK(ok);
    sink++;
}

static void run_fhir(void)
{
    struct fhir_resource resource;
    struct err err;
    bool ok = fhir_read(body, FHIR_MEDICATION_REQUEST, &arena, &resource, &err);
    CHECK(ok);
    sink += resource.event.medication.count;
    arena_reset(&arena);
}

static void run_stamp(void)
{
    struct slice out;
    struct err err;
    bool ok = fhir_stamp(body, SLICE("l0000000000abcd"), 7, 1714634400000, &arena, &out, &err);
    CHECK(ok);
    sink += out.len;
    arena_reset(&arena);
}

static const struct contestant {
    const char *name;
    void (*run)(void);
} contestants[] = {
    { "yajl, empty callbacks", run_yajl },
    { "base/json, empty callbacks", run_json },
    { "fhir_read", run_fhir },
    { "fhir_stamp", run_stamp },
};

/* --- measuring ------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

int main(int argc, char **argv)
{
    double seconds[COUNT_OF(contestants)][ROUNDS];
    FILE *file = fopen(SOURCE_DIR "/tests/bench/medication_request.json", "rb");
    if (file == NULL)
        return 1;
    body = (struct slice){ text, fread(text, 1, sizeof text, file) };
    fclose(file);
    arena_init(&arena, 1 << 20);

    if (argc == 3 && strtoul(argv[1], NULL, 10) < COUNT_OF(contestants)) {
        for (unsigned long n = strtoul(argv[2], NULL, 10); n > 0; n--)
            contestants[strtoul(argv[1], NULL, 10)].run();
        return 0;
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < COUNT_OF(contestants); i++) {
            double start = now_s();
            for (unsigned n = 0; n < DOCUMENTS; n++)
                contestants[i].run();
            seconds[i][round] = now_s() - start;
        }
    }
    printf("one MedicationRequest of %zu bytes, %d times in each of %d rounds, medians\n", body.len,
           DOCUMENTS, ROUNDS);
    for (size_t i = 0; i < COUNT_OF(contestants); i++) {
        qsort(seconds[i], ROUNDS, sizeof(double), by_size);
        double each_us = seconds[i][ROUNDS / 2] * 1e6 / DOCUMENTS;
        printf("%-28s %7.2f us per document %8.0f MB/s\n", contestants[i].name, each_us,
               (double)body.len / each_us);
    }
    arena_fini(&arena);
    return 0;
}
