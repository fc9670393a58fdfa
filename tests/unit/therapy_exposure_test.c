/* What an order proves (EXP-001 to EXP-015) and which cancer it is for (EXP-016 to EXP-021). */
#include "support/therapy/story_case.h"

#define LUNG "@C34.90 2020-01-01; "
#define BREAST_AND_LUNG "@C50.911 2015-01-01; @C34.90 2020-01-01; "

static const struct story_case rows[] = {
    { "EXP-001 active, completed, stopped and on-hold orders count",
      LUNG "carboplatin 2020-02-03..2020-03-01 active; pemetrexed 2020-02-03..2020-03-01 stopped; "
           "bevacizumab 2020-02-03..2020-03-01 hold",
      NULL, "1 2020-02-03..2020-03-01 bevacizumab+carboplatin+pemetrexed FIRST_EXPOSURE\n", NULL,
      NULL },
    { "EXP-001 cancelled, draft and erroneous orders do not",
      LUNG
      "carboplatin 2020-02-03 cancelled; pemetrexed 2020-02-03 draft; docetaxel 2020-02-03 error",
      NULL, "", NULL, "no NONE line 0" },
    { "EXP-001 an order of unknown status is in no line",
      LUNG "carboplatin 2020-02-03 unknown; pemetrexed 2020-02-03", NULL,
      "1 2020-02-03..2020-02-03 pemetrexed FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-002 a plan, a proposal and an option are no exposure",
      LUNG "carboplatin 2020-02-03 intent:plan; pemetrexed 2020-02-03 intent:proposal; "
           "docetaxel 2020-02-03 intent:option",
      NULL, "", NULL, NULL },
    { "EXP-002 an original order is one", LUNG "carboplatin 2020-02-03 intent:original", NULL,
      "1 2020-02-03..2020-02-03 carboplatin FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-003 an order not to give a drug is none",
      LUNG "carboplatin 2020-02-03; docetaxel 2020-06-03 not-perform", NULL,
      "1 2020-02-03..2020-02-03 carboplatin FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-004 SAL-016 a reported order counts, one grade lower",
      LUNG "carboplatin + paclitaxel 2020-02-03 x4/21; docetaxel 2020-09-01 x4/21 reported", NULL,
      NULL, NULL, "salvage LOW line 2" },
    { "EXP-005 timing beats the day of writing, the period beats both",
      LUNG "carboplatin 2020-02-03..2020-03-16 timing authored:2020-01-20; "
           "pemetrexed 2020-02-03..2020-03-16 authored:2020-01-20",
      NULL, "1 2020-02-03..2020-03-16 carboplatin+pemetrexed FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-005 an order without any date is in no line",
      LUNG "carboplatin 2020-02-03 undated; pemetrexed 2020-03-03", NULL,
      "1 2020-03-03..2020-03-03 pemetrexed FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-006 SAL-015 a month is its days: the first orders, and the grade is LOW",
      LUNG "carboplatin + paclitaxel 2020-02-03 x4/21; docetaxel 2020-09", NULL,
      "1 2020-02-03..2020-04-06 carboplatin+paclitaxel FIRST_EXPOSURE\n"
      "2 2020-09-01..2020-09-30 docetaxel NEW_AGENT\n",
      NULL, "salvage LOW line 2" },
    { "EXP-007 a supply of 30 days", LUNG "erlotinib 2020-02-03 no-end supply:30", NULL,
      "1 2020-02-03..2020-03-04 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-007 a stated duration comes before the supply",
      LUNG "erlotinib 2020-02-03 no-end bounds:60 supply:30", NULL,
      "1 2020-02-03..2020-04-03 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-007 count times period", LUNG "erlotinib 2020-02-03 no-end repeat:14", NULL,
      "1 2020-02-03..2020-02-17 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-008 a stop ends the order early",
      LUNG "erlotinib 2020-02-03..2020-12-31 stopped changed:2020-04-01", NULL,
      "1 2020-02-03..2020-04-01 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-008 a later stop does not lengthen it",
      LUNG "erlotinib 2020-02-03..2020-03-01 stopped changed:2020-04-01", NULL,
      "1 2020-02-03..2020-03-01 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-008 stopped before it began is no exposure",
      LUNG "carboplatin 2020-02-03; docetaxel 2020-06-03..2020-07-03 stopped changed:2020-05-20",
      NULL, "1 2020-02-03..2020-02-03 carboplatin FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-009 the dispensing period never lengthens an order",
      LUNG "erlotinib 2020-02-03 no-end supply:30 validity:2021-02-03", NULL,
      "1 2020-02-03..2020-03-04 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-009 it caps one that says nothing",
      LUNG "erlotinib 2020-02-03 no-end active validity:2020-05-03", NULL,
      "1 2020-02-03..2020-05-03 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-010 a completed infusion without an end counts 28 days",
      LUNG "carboplatin 2020-02-03 authored", NULL,
      "1 2020-02-03..2020-03-02 carboplatin FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-010 a daily drug 30 days", LUNG "erlotinib 2020-02-03 authored", NULL,
      "1 2020-02-03..2020-03-04 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-010 a cell therapy none",
      "@C83.30 2020-01-01; axicabtagene ciloleucel 2020-02-03 authored", NULL,
      "1 2020-02-03..2020-02-03 axicabtagene ciloleucel FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-011 a planned order of the future is not yet exposure",
      LUNG "carboplatin 2020-02-03; docetaxel 2020-09-01", "2020-08-31",
      "1 2020-02-03..2020-02-03 carboplatin FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-011 on its day it is", LUNG "carboplatin 2020-02-03; docetaxel 2020-09-01", "2020-09-01",
      "1 2020-02-03..2020-02-03 carboplatin FIRST_EXPOSURE\n"
      "2 2020-09-01..2020-09-01 docetaxel NEW_AGENT\n",
      NULL, NULL },
    { "EXP-011 an order that runs beyond today is open", LUNG "erlotinib 2020-02-03..2020-12-31",
      "2020-06-01", "1 2020-02-03..open erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-012 SAL-016 an order left open for more than a year lowers the grade",
      LUNG "carboplatin + paclitaxel 2020-02-03 x4/21; sotorasib 2020-09-01..open", "2021-10-01",
      NULL, NULL, "salvage MEDIUM line 2" },
    { "EXP-012 for a year it does not",
      LUNG "carboplatin + paclitaxel 2020-02-03 x4/21; sotorasib 2020-09-01..open", "2021-08-01",
      NULL, NULL, "salvage HIGH line 2" },
    { "EXP-013 a renewal joins its order whatever the gap",
      LUNG "lorlatinib 2020-02-03..2020-03-01; lorlatinib 2020-12-01..2021-01-01 prior:m1", NULL,
      "1 2020-02-03..2021-01-01 lorlatinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-013 not one that was stopped",
      LUNG "lorlatinib 2020-02-03..2020-03-01 stopped; lorlatinib 2020-12-01..2021-01-01 prior:m1",
      NULL,
      "1 2020-02-03..2020-03-01 lorlatinib FIRST_EXPOSURE\n"
      "2 2020-12-01..2021-01-01 lorlatinib GAP\n",
      NULL, NULL },
    { "EXP-014 what fills a counted order adds nothing",
      LUNG
      "erlotinib 2020-02-03..2020-04-01; erlotinib 2020-02-04..2020-08-01 intent:filler based:m1",
      NULL, "1 2020-02-03..2020-04-01 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-014 by the group identifier too",
      LUNG "erlotinib 2020-02-03..2020-04-01 group:g; "
           "erlotinib 2020-02-04..2020-08-01 intent:instance group:g",
      NULL, "1 2020-02-03..2020-04-01 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-014 a filler order on its own counts",
      LUNG "erlotinib 2020-02-04..2020-08-01 intent:filler based:m77", NULL,
      "1 2020-02-04..2020-08-01 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-014 also when what it fills was cancelled",
      LUNG
      "erlotinib 2020-02-03 cancelled; erlotinib 2020-02-04..2020-08-01 intent:filler based:m1",
      NULL, "1 2020-02-04..2020-08-01 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-015 of two orders of one day the explicit stop wins",
      LUNG "erlotinib 2020-02-03..2020-12-31; erlotinib 2020-02-03..2020-05-01 stopped", NULL,
      "1 2020-02-03..2020-05-01 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
};

/* Who an order is for, told by the lines of two cancers. */
static const struct attribution_case {
    const char *name, *story, *disease, *lines;
    unsigned unattributed, unmapped;
    bool is_ambiguous;
} attributions[] = {
    { "EXP-016 the Condition that the order names", BREAST_AND_LUNG "carboplatin 2020-02-03 for:c1",
      "breast", "1 2020-02-03..2020-02-03 carboplatin FIRST_EXPOSURE\n", 0, 0, false },
    { "EXP-016 a Condition that is no cancer keeps the order out",
      LUNG "@M06.9 2018-01-01; methotrexate 2020-02-03 for:c2", NULL, "", 0, 1, false },
    { "EXP-017 the reason code", BREAST_AND_LUNG "carboplatin 2020-02-03 code:C50.912", "breast",
      "1 2020-02-03..2020-02-03 carboplatin FIRST_EXPOSURE\n", 0, 0, false },
    { "EXP-017 a reason code alone names the disease", "carboplatin 2020-02-03 code:C56.9",
      "ovarian", "1 2020-02-03..2020-02-03 carboplatin FIRST_EXPOSURE\n", 0, 0, false },
    { "EXP-018 the only cancer takes it", LUNG "trabectedin 2020-02-03", NULL,
      "1 2020-02-03..2020-02-03 trabectedin FIRST_EXPOSURE\n", 0, 0, false },
    { "EXP-018 but no hormone that it does not list", LUNG "megestrol 2020-02-03", NULL, "", 1, 0,
      false },
    { "EXP-018 of two cancers the one that lists the drug",
      BREAST_AND_LUNG "osimertinib 2020-02-03", "nsclc",
      "1 2020-02-03..2020-02-03 osimertinib FIRST_EXPOSURE\n", 0, 0, false },
    { "EXP-018 a cancer in remission gives way to an active one",
      "@C50.911 2015-01-01 remission; @C56.9 2020-01-01; carboplatin 2020-02-03", "ovarian",
      "1 2020-02-03..2020-02-03 carboplatin FIRST_EXPOSURE\n", 0, 0, false },
    { "EXP-018 a cancer found later cannot be meant",
      "@C50.911 2015-01-01; @C56.9 2022-01-01; carboplatin 2015-02-03", "breast",
      "1 2015-02-03..2015-02-03 carboplatin FIRST_EXPOSURE\n", 0, 0, false },
    { "EXP-019 two that may be meant are both told",
      "@C50.911 2015-01-01; @C56.9 2020-01-01; carboplatin 2020-02-03", "breast",
      "1 2020-02-03..2020-02-03 carboplatin FIRST_EXPOSURE\n", 0, 0, true },
    { "EXP-020 no cancer at all: the order is listed, in no line", "carboplatin 2020-02-03", NULL,
      "", 1, 0, false },
    { "EXP-021 an unmapped drug is listed, and nothing else", LUNG "metforminol 2020-02-03", NULL,
      "", 0, 1, false },
    { "EXP-021 unless its order names the cancer", LUNG "metforminol 2020-02-03 for:c1", NULL, NULL,
      0, 1, false },
    { "a less precise code is no second cancer",
      "@C34.90 2020-01-01; @C34.90 2020-02-01; erlotinib 2020-02-03", "nsclc",
      "1 2020-02-03..2020-02-03 erlotinib FIRST_EXPOSURE\n", 0, 0, false },
    { "the drugs tell small cell lung cancer", LUNG "carboplatin + etoposide 2020-02-03", "sclc",
      "1 2020-02-03..2020-02-03 carboplatin+etoposide FIRST_EXPOSURE\n", 0, 0, false },
};

static void attribution_reads_as(void **state)
{
    const struct attribution_case *row = *state;
    struct story story;
    story_begin(&story);
    story_tell(&story, row->story);
    const struct therapy *therapy = story_derive(&story, "2026-01-01");
    if (row->lines != NULL)
        assert_string_equal(story_lines(&story, therapy, row->disease), row->lines);
    assert_int_equal(therapy->unattributed_count, row->unattributed);
    assert_int_equal(therapy->unmapped_count, row->unmapped);
    const struct history *history = story_history(therapy, row->disease);
    if (row->disease != NULL)
        assert_non_null(history);
    if (history != NULL)
        assert_int_equal(history->is_ambiguous, row->is_ambiguous);
    story_end(&story);
}

/* SAL-014: an ambiguous order never makes more than LOW. */
static void ambiguous_orders_grade_low(void **state)
{
    struct story story;
    (void)state;
    story_begin(&story);
    story_tell(&story,
               "@C50.911 2015-01-01; @C56.9 2015-01-01; carboplatin + paclitaxel 2020-02-03 "
               "x4/21; gemcitabine 2020-09-01 x4/21");
    const struct therapy *therapy = story_derive(&story, "2026-01-01");
    assert_int_equal(therapy->history_count, 2);
    for (unsigned i = 0; i < therapy->history_count; i++)
        assert_int_equal(therapy->histories[i].verdict.grade, GRADE_LOW);
    story_end(&story);
}

/* The day on which the answer may change without news (EXP-011, EXP-012). */
static void next_change_is_named(void **state)
{
    static const struct {
        const char *story, *as_of, *next;
    } cases[] = {
        { LUNG "carboplatin 2020-02-03; docetaxel 2020-09-01", "2020-08-01", "2020-09-01" },
        { LUNG "erlotinib 2020-02-03..2020-12-31", "2020-08-01", "2020-12-31" },
        { LUNG "erlotinib 2020-02-03..open", "2020-08-01", "2021-02-03" },
        { LUNG "@C34.90 2020-10-01 relapse; carboplatin 2020-02-03", "2020-08-01", "2020-10-01" },
        /* the reason of an order whose end lies ahead explains a change for 30 days only */
        { "@B20 2015-01-01; efavirenz + lamivudine + tenofovir disoproxil 2016-01-01..2021-06-30 "
          "shortage; dolutegravir + lamivudine + tenofovir disoproxil 2020-01-01..open",
          "2020-01-15", "2020-02-01" },
        { "@B20 2015-01-01; efavirenz + lamivudine + tenofovir disoproxil 2016-01-01..2021-06-30 "
          "progression; dolutegravir + lamivudine + tenofovir disoproxil 2020-01-01..open",
          "2020-01-15", "2020-02-01" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct story story;
        story_begin(&story);
        story_tell(&story, cases[i].story);
        const struct therapy *therapy = story_derive(&story, cases[i].as_of);
        assert_int_equal(therapy->next_change.day, story_day(cases[i].next).day);
        story_end(&story);
    }
}

/* The same therapy, written in the ways that senders have: the lines do not show which. */
static void the_way_of_writing_does_not_show(void **state)
{
    static const char first[] = LUNG "@C34.90 2020-08-20 relapse; ";
    static const char *const ways[] = {
        /* an order per cycle; one per course; with its timing */
        "carboplatin + pemetrexed 2020-02-03 x4/21; docetaxel 2020-09-07 x4/21",
        "carboplatin + pemetrexed 2020-02-03..2020-04-06; docetaxel 2020-09-07..2020-11-09",
        "carboplatin + pemetrexed 2020-02-03..2020-04-06 timing; "
        "docetaxel 2020-09-07..2020-11-09 timing",
        /* a stated duration; repeats; an order and what was given; only what was given */
        "carboplatin + pemetrexed 2020-02-03 no-end bounds:63; docetaxel 2020-09-07 no-end "
        "bounds:63",
        "carboplatin + pemetrexed 2020-02-03 no-end repeat:63; docetaxel 2020-09-07 no-end "
        "repeat:63",
        "carboplatin + pemetrexed 2020-02-03 x4/21; docetaxel 2020-09-07 x4/21; "
        "given carboplatin + pemetrexed 2020-02-03 x4/21; given docetaxel 2020-09-07 x4/21",
        "given carboplatin + pemetrexed 2020-02-03 x4/21; given docetaxel 2020-09-07 x4/21",
        /* every order twice; each filled by an instance; renewals; salts, brands and forms */
        "carboplatin + pemetrexed 2020-02-03 x4/21; carboplatin + pemetrexed 2020-02-03 x4/21; "
        "docetaxel 2020-09-07 x4/21",
        "carboplatin + pemetrexed 2020-02-03..2020-04-06; "
        "carboplatin 2020-02-24 x3/21 intent:instance based:m1; docetaxel 2020-09-07..2020-11-09; "
        "docetaxel 2020-09-28 x3/21 intent:filler based:m6",
        "carboplatin + pemetrexed 2020-02-03..2020-02-10; carboplatin 2020-02-24..2020-04-06 "
        "prior:m1; pemetrexed 2020-02-24..2020-04-06 prior:m2; docetaxel 2020-09-07..2020-11-09",
        "Paraplatin 450 mg/45 mL + pemetrexed disodium 500 mg vial 2020-02-03 x4/21; "
        "Taxotere 80 mg/4 mL intravenous 2020-09-07 x4/21",
    };
    char expected[400] = "";
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        struct story story;
        story_begin(&story);
        story_tell(&story, first);
        story_tell(&story, ways[i]);
        const struct therapy *therapy = story_derive(&story, "2026-01-01");
        char seen[400];
        snprintf(seen, sizeof seen, "%s%s", story_lines(&story, therapy, NULL),
                 story_verdict(&story, therapy));
        if (i == 0)
            memcpy(expected, seen, sizeof seen);
        assert_string_equal(seen, expected);
        story_end(&story);
    }
    assert_non_null(strstr(expected, "2 2020-09-07..2020-11-09 docetaxel"));
}

int main(void)
{
    int failed = story_run("therapy_exposure", rows, COUNT_OF(rows));
    struct CMUnitTest tests[COUNT_OF(attributions) + 3];
    for (size_t i = 0; i < COUNT_OF(attributions); i++)
        tests[i] = (struct CMUnitTest){ .name = attributions[i].name,
                                        .test_func = attribution_reads_as,
                                        .initial_state = (void *)(uintptr_t)&attributions[i] };
    tests[COUNT_OF(attributions)] = (struct CMUnitTest)cmocka_unit_test(ambiguous_orders_grade_low);
    tests[COUNT_OF(attributions) + 1] = (struct CMUnitTest)cmocka_unit_test(next_change_is_named);
    tests[COUNT_OF(attributions) + 2] =
        (struct CMUnitTest)cmocka_unit_test(the_way_of_writing_does_not_show);
    return failed +
           _cmocka_run_group_tests("therapy_attribution", tests, COUNT_OF(tests), NULL, NULL);
}
