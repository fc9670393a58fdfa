/* SAL-027: what of a dose is counted, and what is said of the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/therapy/story.h"

#define LYMPHOMA "@C83.30 2020-01-01; "

static const struct dose_case {
    const char *name, *story;
    unsigned orders, counted;
    int64_t thousandths;
    const char *why_not;
    const char *unit;            /* NULL: as told */
    int32_t doses_per_1000_days; /* of every order */
    int64_t digits;              /* of every dose, when not 0 */
    int32_t scale;
    enum comparator comparator;
} rows[] = {
    { .name = "each order of one day is one dose",
      .story = LYMPHOMA "doxorubicin 2020-01-13 x6/21 dose:50mg/m2",
      .orders = 6,
      .counted = 6,
      .thousandths = 300000 },
    { .name = "daunorubicin counts 0.6",
      .story = LYMPHOMA "daunorubicin 2020-01-13 dose:60mg/m2",
      .orders = 1,
      .counted = 1,
      .thousandths = 36000 },
    { .name = "mitoxantrone counts 10.5",
      .story = LYMPHOMA "mitoxantrone 2020-01-13 dose:12mg/m2",
      .orders = 1,
      .counted = 1,
      .thousandths = 126000 },
    { .name = "a course of days with how often",
      .story = LYMPHOMA "doxorubicin 2020-01-13..2020-01-16 dose:10mg/m2",
      .orders = 1,
      .counted = 1,
      .thousandths = 40000,
      .doses_per_1000_days = 1000 },
    { .name = "a course of days without is not counted",
      .story = LYMPHOMA "doxorubicin 2020-01-13..2020-01-16 dose:10mg/m2",
      .orders = 1,
      .why_not = "how often is not stated" },
    { .name = "decimals count",
      .story = LYMPHOMA "doxorubicin 2020-01-13 dose:1mg/m2",
      .orders = 1,
      .counted = 1,
      .thousandths = 37500,
      .digits = 375,
      .scale = 1 },
    { .name = "less than is no dose",
      .story = LYMPHOMA "doxorubicin 2020-01-13 dose:50mg/m2",
      .orders = 1,
      .why_not = "no dose is stated",
      .digits = 50,
      .comparator = COMPARATOR_LESS },
    { .name = "a dose with more decimals than thousandths",
      .story = LYMPHOMA "doxorubicin 2020-01-13 dose:50mg/m2",
      .orders = 1,
      .counted = 1,
      .thousandths = 50000,
      .digits = 500000,
      .scale = 4 },
    { .name = "a dose below nothing is no dose",
      .story = LYMPHOMA "doxorubicin 2020-01-13 dose:50mg/m2",
      .orders = 1,
      .why_not = "no dose is stated",
      .digits = -50 },
    { .name = "a dose that no patient can get is no dose",
      .story = LYMPHOMA "doxorubicin 2020-01-13 dose:50mg/m2",
      .orders = 1,
      .why_not = "no dose is stated",
      .digits = INT64_C(50000000000) },
    { .name = "an administration is one dose, however long it took",
      .story = LYMPHOMA "given doxorubicin 2020-01-13..2020-01-15 dose:50mg/m2",
      .orders = 1,
      .counted = 1,
      .thousandths = 50000,
      .doses_per_1000_days = 2000 },
    { .name = "per square metre as people write it",
      .story = LYMPHOMA "doxorubicin 2020-01-13 dose:50mg/m2",
      .orders = 1,
      .counted = 1,
      .thousandths = 50000,
      .unit = "mg/m^2" },
    { .name = "per square metre with the sign",
      .story = LYMPHOMA "doxorubicin 2020-01-13 dose:50mg/m2",
      .orders = 1,
      .counted = 1,
      .thousandths = 50000,
      .unit = "mg/m\xc2\xb2" },
    { .name = "milligrams need a body surface",
      .story = LYMPHOMA "doxorubicin 2020-01-13 dose:90mg",
      .orders = 1,
      .why_not = "the dose is not per m2, and body surface is not known" },
    { .name = "without a dose nothing is assumed",
      .story = LYMPHOMA "doxorubicin 2020-01-13 x4/21",
      .orders = 4,
      .why_not = "no dose is stated" },
    { .name = "a drug without a ratio spoils the sum, and says so",
      .story = LYMPHOMA "doxorubicin 2020-01-13 dose:50mg/m2; pirarubicin 2020-02-13 dose:40mg/m2",
      .orders = 2,
      .counted = 1,
      .thousandths = 50000,
      .why_not = "nobody knows what it is worth" },
    { .name = "no anthracycline, no sum", .story = LYMPHOMA "rituximab 2020-01-13 dose:375mg/m2" },
};

static void the_sum_is(void **state)
{
    const struct dose_case *row = *state;
    struct story story;
    story_begin(&story);
    story_tell(&story, row->story);
    for (size_t i = 0; i < story.count; i++) {
        struct event *event = &story.events[i];
        event->doses_per_1000_days = row->doses_per_1000_days;
        if (row->unit != NULL && event->dose.is_stated)
            event->dose.unit = slice_of(row->unit);
        if (row->digits != 0 && event->dose.is_stated) {
            event->dose.digits = row->digits;
            event->dose.scale = row->scale;
            event->dose.comparator = row->comparator;
        }
    }
    const struct therapy *therapy = story_derive(&story, "2022-01-01");
    assert_int_equal(therapy->cumulative_count, row->orders > 0);
    if (row->orders > 0) {
        const struct cumulative *sum = &therapy->cumulative[0];
        assert_true(slice_is(sum->exposure, "doxorubicin-equivalent"));
        assert_int_equal(sum->orders, row->orders);
        assert_int_equal(sum->counted, row->counted);
        assert_int_equal(sum->total_thousandths, row->thousandths);
        assert_true(slice_is(sum->why_not, row->why_not != NULL ? row->why_not : ""));
    }
    story_end(&story);
}

/* SAL-026: only kinds that the disease has are asked about; a transplant by its rules. */
static void kinds_follow_the_disease(void **state)
{
    (void)state;
    static const struct {
        const char *story, *has, *lacks;
    } kinds[] = { { "@C90.00 2020-01-01; lenalidomide 2020-02-03", "proteasome", "endocrine" },
                  { "@C90.00 2020-01-01; lenalidomide 2020-02-03", "transplant", "checkpoint" },
                  { "@C50.911 2020-01-01; letrozole 2020-02-03", "endocrine", "transplant" },
                  { "@C34.90 2020-01-01; pemetrexed 2020-02-03", "immunotherapy", "transplant" } };
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct story story;
        bool has = false, lacks = true;
        story_begin(&story);
        story_tell(&story, kinds[i].story);
        const struct history *history = story_history(story_derive(&story, "2022-01-01"), NULL);
        for (unsigned k = 0; k < history->option_count; k++) {
            has = has || slice_is(history->options[k].option->key, kinds[i].has);
            lacks = lacks && !slice_is(history->options[k].option->key, kinds[i].lacks);
        }
        assert_true(has);
        assert_true(lacks);
        story_end(&story);
    }
}

int main(void)
{
    static struct CMUnitTest tests[COUNT_OF(rows) + 1];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        tests[count++] = (struct CMUnitTest){ .name = rows[i].name,
                                              .test_func = the_sum_is,
                                              .initial_state = (void *)(uintptr_t)&rows[i] };
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(kinds_follow_the_disease);
    return _cmocka_run_group_tests("therapy_extras", tests, count, NULL, NULL);
}
