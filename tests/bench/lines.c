/* Lines and verdicts per second on one core: patients with 40 orders each, of mixed diseases,
 * derived from resolved events, and once more from the packed rows of the store. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "support/therapy/story.h"
#include "therapy/derive.h"
#include "therapy/report.h"

#define SECONDS 3.0
#define PATIENTS 64

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

struct patient {
    const struct event *events;
    size_t count;
    struct slice *rows;
};

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void make_patients(struct story *keep, struct patient *patients, size_t *orders)
{
    *orders = 0;
    for (size_t i = 0; i < PATIENTS; i++) {
        story_begin(&keep[i]);
        story_tell(&keep[i], stories[i % COUNT_OF(stories)]);
        patients[i].events = keep[i].events;
        patients[i].count = keep[i].count;
        patients[i].rows = ARENA_ARRAY(&keep[i].arena, struct slice, keep[i].count);
        *orders += keep[i].orders;
        for (size_t k = 0; k < keep[i].count; k++) {
            struct buffer row;
            buffer_init(&row, 1 << 16);
            event_pack(&keep[i].events[k], &row);
            patients[i].rows[k] = arena_copy(&keep[i].arena, buffer_slice(&row));
            buffer_fini(&row);
        }
    }
}

static const struct event *unpack(const struct patient *patient, struct arena *arena)
{
    struct err err;
    struct event *events = ARENA_ARRAY(arena, struct event, patient->count);
    for (size_t i = 0; i < patient->count; i++) {
        CHECK(event_unpack(patient->rows[i], arena, &events[i], &err));
        mapping_resolve(story_mapping(), &events[i], arena);
    }
    return events;
}

/* Timelines per second, mean over SECONDS; `mode` 0 from resolved events, 1 from packed rows, 2
 * with the JSON answer. */
static double measure(const struct patient *patients, int mode)
{
    struct arena arena;
    struct buffer out;
    struct err err;
    size_t done = 0;
    arena_init(&arena, (size_t)64 << 20);
    buffer_init(&out, (size_t)16 << 20);
    const struct rules *rules = mapping_rules(story_mapping());
    struct date as_of = story_day("2026-01-01");
    double start = now_s(), spent = 0;
    while (spent < SECONDS) {
        for (size_t i = 0; i < PATIENTS; i++, done++) {
            struct therapy therapy;
            const struct event *events =
                mode == 1 ? unpack(&patients[i], &arena) : patients[i].events;
            CHECK(therapy_derive(rules, events, patients[i].count, as_of, &arena, &therapy, &err));
            if (mode == 2) {
                struct report_head head = { SLICE("Patient/p"), &rules->digest };
                report_json(&head, &therapy, &out);
                buffer_reset(&out);
            }
            arena_reset(&arena);
        }
        spent = now_s() - start;
    }
    arena_fini(&arena);
    buffer_fini(&out);
    return (double)done / spent;
}

int main(void)
{
    static struct story keep[PATIENTS];
    static struct patient patients[PATIENTS];
    size_t orders;
    make_patients(keep, patients, &orders);
    printf("patients %d, orders each %.1f\n", PATIENTS, (double)orders / PATIENTS);
    printf("lines and verdict from resolved events: %.0f timelines/s per core\n",
           measure(patients, 0));
    printf("with event_unpack and mapping_resolve:  %.0f timelines/s per core\n",
           measure(patients, 1));
    printf("with the JSON answer:                   %.0f timelines/s per core\n",
           measure(patients, 2));
    for (size_t i = 0; i < PATIENTS; i++)
        story_end(&keep[i]);
    return 0;
}
