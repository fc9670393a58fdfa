/* Microseconds of plan_make() on one core, as it runs on the lane with every order of a patient:
 * for a patient without salvage, for a verdict that is as it was, after a renewed order (the
 * CarePlan lists it, the Flag does not), and for verdicts that are new or fall. */
#include <stdio.h>
#include <time.h>

#include "base/id.h"
#include "plan/plan.h"
#include "plan/texts.h"
#include "support/therapy_fixture.h"

#define ROUNDS 20000
#define REPEATS 5 /* the best counts: others may be at work on the machine */
#define ORDERS_PER_LINE 8

static struct fixture fixture;
static struct plan_texts texts;
static struct plan plan, scratch;
static struct arena kept, arena;

static double now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void read_texts(void)
{
    static char bytes[1 << 16];
    struct buffer faults;
    FILE *file = fopen(SOURCE_DIR "/mappings/outputs.tsv", "rb");
    CHECK(file != NULL);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    buffer_init(&faults, 1 << 16);
    CHECK(plan_texts_read((struct slice){ bytes, len }, "outputs.tsv", &kept, &texts, &faults));
    buffer_fini(&faults);
}

/* Ids as the store assigns them. */
static const struct event *order_new(void)
{
    static struct event orders[256];
    static char ids[256][ID_TEXT_LEN + 1];
    static unsigned used;
    CHECK(used < COUNT_OF(orders));
    id_format(1000 + (int64_t)used * 37, 99, ids[used]);
    orders[used] =
        (struct event){ .type = FHIR_MEDICATION_REQUEST, .id = slice_of(ids[used]), .version = 1 };
    return &orders[used++];
}

/* Five lines of eight orders each, as tests/bench/ingest sends them. */
static void long_patient(void)
{
    static const struct fixture_line lines[] = {
        { "", "trastuzumab", "2020-01-01", "2020-08-08" },
        { "", "paclitaxel", "2020-09-09", "2021-04-16" },
        { "", "carboplatin", "2021-05-17", "2021-12-24" },
        { "", "docetaxel", "2022-01-25", "2022-08-05" },
        { "", "gemcitabine", "2022-09-06", "2023-04-13" },
    };
    fixture_init(&fixture, "2026-03-01");
    struct history *history = fixture_disease(&fixture, "breast", "breast cancer");
    history->condition = NULL;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        fixture_line(&fixture, history, &lines[i]);
        for (unsigned k = 0; k < ORDERS_PER_LINE; k++)
            fixture.diseases[0].line_orders[i][k] = order_new();
        fixture.diseases[0].lines[i].source_count = ORDERS_PER_LINE;
    }
    fixture_class(&fixture, history, "her2", "trastuzumab", true);
    fixture_class(&fixture, history, "platinum", "carboplatin", true);
    fixture_class(&fixture, history, "taxane", "docetaxel paclitaxel", true);
    fixture_reason(&fixture, history, "new agents were ordered after the line before had ended");
    fixture_salvage(&fixture, history, GRADE_MEDIUM, DISEASE_STATUS_UNKNOWN);
    fixture.diseases[0].evidence[0] = fixture.diseases[0].line_orders[4][0];
    history->verdict.evidence_count = 1;
}

static void make(const struct plan_input *input, struct arena *memory, struct plan *out)
{
    struct err err;
    CHECK(plan_make(input, memory, out, &err));
}

static void measure(const char *what, const struct plan_input *input)
{
    double best = 1e9;
    for (unsigned repeat = 0; repeat < REPEATS; repeat++) {
        double start = now_us();
        for (unsigned i = 0; i < ROUNDS; i++) {
            make(input, &arena, &scratch);
            arena_reset(&arena);
        }
        double each = (now_us() - start) / ROUNDS;
        best = each < best ? each : best;
    }
    printf("  %-40s %7.2f us, %u sent\n", what, best, scratch.posting_count);
}

static void patient(const char *name, bool is_salvage)
{
    static const struct sha256 rule_set = { { 0xab, 0xcd, 0xef } };
    struct plan_input input = { .tenant = SLICE("north"),
                                .patient = SLICE("Patient/p1"),
                                .therapy = &fixture.therapy,
                                .texts = &texts,
                                .rule_set = &rule_set,
                                .instance = SLICE("https://gateway.example/lifeline"),
                                .device = SLICE("Lifeline 0.1.0"),
                                .today = fixture.therapy.as_of };
    printf("%s\n", name);
    if (!is_salvage) {
        measure("no salvage, nothing posted", &input);
        return;
    }
    struct fixture_disease *own = &fixture.diseases[0];
    unsigned last = fixture.histories[0].line_count - 1;
    measure("new", &input);
    make(&input, &kept, &plan);
    input.before = plan.after;
    input.before_count = plan.after_count;
    measure("unchanged", &input);
    own->line_orders[last][own->lines[last].source_count++] = order_new();
    measure("renewed order: another CarePlan", &input);
    fixture.histories[0].verdict.salvage = false;
    measure("the verdict falls", &input);
}

int main(void)
{
    arena_init(&kept, 1 << 20);
    arena_init(&arena, 1 << 20);
    read_texts();
    fixture_patient(&fixture, FIXTURE_NSCLC);
    patient("one line on maintenance", false);
    fixture_patient(&fixture, FIXTURE_DLBCL);
    patient("three lines, 9 orders", true);
    long_patient();
    patient("five lines, 40 orders", true);
    arena_fini(&arena);
    arena_fini(&kept);
    return 0;
}
