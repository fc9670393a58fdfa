/* What became of the orders (EXP-022 to EXP-028): administrations, dispenses and statements confirm
 * the orders they belong to, and stand for themselves where there is none. */
#include "support/therapy/story_case.h"

#define LUNG "@C34.90 2020-01-01; "
#define ORDERED LUNG "carboplatin + pemetrexed 2020-02-03..2020-04-06; "
#define LINE(end) "1 2020-02-03.." end " carboplatin+pemetrexed FIRST_EXPOSURE\n"

static const struct story_case rows[] = {
    { "EXP-022 an administration without an order is an exposure of its day",
      LUNG "given carboplatin + pemetrexed 2020-02-03 x4/21", NULL, LINE("2020-04-06"), NULL,
      NULL },
    { "EXP-022 one over several days lasts as long",
      LUNG "given carboplatin 2020-02-03..2020-02-05", NULL,
      "1 2020-02-03..2020-02-05 carboplatin FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-022 what was not done is no exposure",
      LUNG "given carboplatin 2020-02-03; given docetaxel 2020-09-01 not-done", NULL,
      "1 2020-02-03..2020-02-03 carboplatin FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-022 nor what was entered in error, or is only planned",
      LUNG "given carboplatin 2020-02-03 error; dispensed docetaxel 2020-09-01 draft", NULL, "",
      NULL, "no NONE line 0" },
    { "EXP-022 administrations weigh like orders",
      LUNG "given carboplatin + paclitaxel 2020-02-03 x4/21; @C34.90 2020-08-20 relapse; "
           "given docetaxel 2020-09-01 x4/21",
      NULL, NULL, NULL, "salvage HIGH line 2" },
    { "EXP-022 one of the future is not there yet",
      LUNG "given carboplatin 2020-02-03; given docetaxel 2020-09-01", "2020-08-31",
      "1 2020-02-03..2020-02-03 carboplatin FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-023 a dispense lasts its supply", LUNG "dispensed erlotinib 2020-02-03 supply:30", NULL,
      "1 2020-02-03..2020-03-04 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-023 without a supply it lasts the tail of its drug",
      LUNG "dispensed erlotinib 2020-02-03", NULL,
      "1 2020-02-03..2020-03-04 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-023 what is only dispensed weighs like an order",
      LUNG "dispensed erlotinib 2020-02-03 x4/30 supply:30; @C34.90 2020-08-20 relapse; "
           "dispensed osimertinib 2020-09-01 x4/30 supply:30",
      NULL, NULL, NULL, "salvage HIGH line 2" },
    { "EXP-024 SAL-016 a statement alone is reported, one grade lower",
      LUNG "carboplatin + paclitaxel 2020-02-03 x4/21; @C34.90 2020-08-20 relapse; "
           "told erlotinib 2020-09-01..2020-12-01",
      NULL,
      "1 2020-02-03..2020-04-06 carboplatin+paclitaxel FIRST_EXPOSURE\n"
      "2 2020-09-01..2020-12-01 erlotinib NEW_AGENT_AFTER_RELAPSE\n",
      NULL, "salvage MEDIUM line 2" },
    { "EXP-024 one that says still taken goes on", LUNG "told erlotinib 2020-02-03..open",
      "2020-06-01", "1 2020-02-03..open erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-024 not taken is no exposure", LUNG "told erlotinib 2020-02-03..2020-06-01 not-done",
      NULL, "", NULL, NULL },
    { "EXP-024 SAL-016 the order behind it takes the doubt away",
      LUNG "carboplatin + paclitaxel 2020-02-03 x4/21; @C34.90 2020-08-20 relapse; "
           "erlotinib 2020-09-01..2020-12-01; told erlotinib 2020-09-01..2020-12-01",
      NULL, NULL, NULL, "salvage HIGH line 2" },
    { "SAL-016 so does an administration behind a reported order",
      LUNG "carboplatin + paclitaxel 2020-02-03 x4/21; @C34.90 2020-08-20 relapse; "
           "docetaxel 2020-09-01 reported; given docetaxel 2020-09-01",
      NULL, NULL, NULL, "salvage HIGH line 2" },
    { "EXP-025 what names its order adds nothing, however late it comes",
      ORDERED "given carboplatin 2020-02-03 based:m1; given pemetrexed 2020-02-03 based:m2", NULL,
      LINE("2020-04-06"), NULL, NULL },
    { "EXP-025 a gap between an order and its late administration is no gap in therapy",
      LUNG "erlotinib 2020-02-03..2020-03-01; given lorlatinib 2020-02-03; "
           "given lorlatinib 2020-12-01 based:m2; lorlatinib 2020-02-03",
      NULL, NULL, NULL, "no NONE line 1" },
    { "EXP-025 a statement derived from a dispense finds the order through it",
      LUNG "erlotinib 2020-02-03..2020-03-01; dispensed erlotinib 2020-02-03 based:m1 supply:27; "
           "told erlotinib 2020-12-01..2020-12-31 from:g1",
      NULL, "1 2020-02-03..2020-03-01 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-025 the order must count: one that was cancelled confirms nothing",
      LUNG "docetaxel 2020-02-03 cancelled; given docetaxel 2020-02-10 based:m1", NULL,
      "1 2020-02-10..2020-02-10 docetaxel FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-025 nor does one that was entered in error, whatever it was for",
      LUNG "@M06.9 2018-01-01; docetaxel 2020-02-03 error for:c2; given docetaxel 2020-02-10 "
           "based:m1",
      NULL, "1 2020-02-10..2020-02-10 docetaxel FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-026 the same drug in the order's time belongs to it",
      ORDERED "given carboplatin + pemetrexed 2020-02-05 x3/21", NULL, LINE("2020-04-06"), NULL,
      NULL },
    { "EXP-026 another drug does not", ORDERED "given docetaxel 2020-02-05", NULL,
      "1 2020-02-03..2020-04-06 carboplatin+docetaxel+pemetrexed FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-026 a week late it still does; EXP-027 what was given beyond the order was given",
      ORDERED "given pemetrexed 2020-04-13", NULL, LINE("2020-04-13"), NULL, NULL },
    { "EXP-026 nine months later it stands for itself", ORDERED "given pemetrexed 2021-01-13", NULL,
      LINE("2020-04-06") "2 2021-01-13..2021-01-13 pemetrexed GAP\n", NULL, NULL },
    { "EXP-027 an end that was only assumed is the last administration",
      LUNG "carboplatin 2020-02-03 authored; given carboplatin 2020-02-04 based:m1", NULL,
      "1 2020-02-03..2020-02-04 carboplatin FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-027 an end that the order states is not shortened",
      LUNG "erlotinib 2020-02-03..2020-06-01; given erlotinib 2020-02-04 based:m1", NULL,
      "1 2020-02-03..2020-06-01 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-027 refills reach as far as their supply",
      LUNG "erlotinib 2020-02-03 no-end supply:30; dispensed erlotinib 2020-02-04 x4/30 supply:30 "
           "based:m1",
      NULL, "1 2020-02-03..2020-06-03 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-027 but not beyond a stop",
      LUNG "erlotinib 2020-02-03..2020-12-31 stopped changed:2020-02-20; "
           "dispensed erlotinib 2020-02-04 supply:90 based:m1",
      NULL, "1 2020-02-03..2020-02-20 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
    { "EXP-012 EXP-027 an order left open that is still dispensed is not stale",
      LUNG "carboplatin + paclitaxel 2020-02-03 x4/21; sotorasib 2020-09-01..open; "
           "dispensed sotorasib 2021-09-01 supply:30",
      "2021-10-01", NULL, NULL, "salvage HIGH line 2" },
    { "EXP-028 an administration gives a month its day, and the grade stays",
      LUNG "carboplatin + paclitaxel 2020-02-03 x4/21; @C34.90 2020-08-20 relapse; "
           "docetaxel 2020-09; given docetaxel 2020-09-14 based:m9",
      NULL,
      "1 2020-02-03..2020-04-06 carboplatin+paclitaxel FIRST_EXPOSURE\n"
      "2 2020-09-14..2020-09-30 docetaxel NEW_AGENT_AFTER_RELAPSE\n",
      NULL, "salvage HIGH line 2" },
    { "EXP-028 one of another month does not",
      LUNG "carboplatin + paclitaxel 2020-02-03 x4/21; @C34.90 2020-08-20 relapse; "
           "docetaxel 2020-09; given docetaxel 2020-10-05 based:m9",
      NULL, NULL, NULL, "salvage LOW line 2" },
    { "a dispense in the time of administrations adds nothing, but its supply does",
      LUNG "given erlotinib 2020-02-03; dispensed erlotinib 2020-02-04 supply:30", NULL,
      "1 2020-02-03..2020-03-05 erlotinib FIRST_EXPOSURE\n", NULL, NULL },
};

/* What each line rests on, in words and in versions. */
static void the_word_says_what_is_on_record(void **state)
{
    static const struct {
        const char *story, *words;
        unsigned sources;
    } cases[] = {
        { LUNG "carboplatin 2020-02-03", "ordered", 1 },
        { LUNG "given carboplatin 2020-02-03", "administered", 1 },
        { LUNG "dispensed erlotinib 2020-02-03", "dispensed", 1 },
        { LUNG "told erlotinib 2020-02-03", "reported", 1 },
        { LUNG "erlotinib 2020-02-03 reported", "reported", 1 },
        { LUNG "carboplatin 2020-02-03; given carboplatin 2020-02-04 based:m1",
          "ordered and administered", 2 },
        { LUNG "erlotinib 2020-02-03..2020-06-01; dispensed erlotinib 2020-02-04 x3/30 supply:30; "
               "told erlotinib 2020-03-01",
          "ordered, dispensed and reported", 5 },
        { LUNG "carboplatin 2020-02-03; given pemetrexed 2020-02-04", "ordered and administered",
          2 },
        { LUNG "carboplatin 2020-02-03; given carboplatin 2020-02-03 not-done based:m1", "ordered",
          1 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct story story;
        story_begin(&story);
        story_tell(&story, cases[i].story);
        const struct therapy *therapy = story_derive(&story, "2026-01-01");
        assert_int_equal(therapy->histories[0].line_count, 1);
        assert_string_equal(proof_words(therapy->histories[0].lines[0].proof), cases[i].words);
        assert_int_equal(therapy->histories[0].lines[0].source_count, cases[i].sources);
        story_end(&story);
    }
}

/* One exposure per order, however many administrations, dispenses and statements tell of it. */
static void nothing_is_counted_twice(void **state)
{
    struct story story;
    (void)state;
    story_begin(&story);
    story_tell(&story, ORDERED "given carboplatin + pemetrexed 2020-02-03 x4/21; "
                               "dispensed pemetrexed 2020-02-03 supply:21; "
                               "told pemetrexed 2020-02-01..2020-04-10");
    const struct therapy *therapy = story_derive(&story, "2026-01-01");
    assert_int_equal(therapy->exposure_count, 2);
    assert_int_equal(
        therapy->exposures[0].fulfilment_count + therapy->exposures[1].fulfilment_count, 10);
    story_end(&story);
}

/* What no cancer claims is listed, whoever tells of it. */
static void unclaimed_is_listed(void **state)
{
    struct story story;
    (void)state;
    story_begin(&story);
    story_tell(&story, "given carboplatin 2020-02-03; dispensed erlotinib 2020-02-03 unknown; "
                       "told erlotinib 2020-02-03 undated; given metforminol 2020-02-03");
    const struct therapy *therapy = story_derive(&story, "2026-01-01");
    assert_int_equal(therapy->unattributed_count, 3);
    assert_int_equal(therapy->unmapped_count, 1);
    story_end(&story);
}

/* EXP-016 of the order speaks for what fulfils it. */
static void the_reason_of_an_order_is_that_of_what_fulfils_it(void **state)
{
    struct story story;
    (void)state;
    story_begin(&story);
    story_tell(&story, "@C50.911 2015-01-01; @C56.9 2015-01-01; carboplatin 2020-02-03 undated "
                       "for:c2; given carboplatin 2020-03-03 based:m1");
    const struct therapy *therapy = story_derive(&story, "2026-01-01");
    assert_string_equal(story_lines(&story, therapy, "ovarian"),
                        "1 2020-03-03..2020-03-03 carboplatin FIRST_EXPOSURE\n");
    assert_string_equal(story_lines(&story, therapy, "breast"), "");
    story_end(&story);
}

int main(void)
{
    int failed = story_run("therapy_fulfil", rows, COUNT_OF(rows));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_word_says_what_is_on_record),
        cmocka_unit_test(nothing_is_counted_twice), cmocka_unit_test(unclaimed_is_listed),
        cmocka_unit_test(the_reason_of_an_order_is_that_of_what_fulfils_it)
    };
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
