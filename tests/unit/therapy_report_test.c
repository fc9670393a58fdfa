/* The answer: the same bytes in any order of events, line ids that outlive what arrives later
 * (LOT-028), segments, and the two reports. */
#include "support/therapy/story_case.h"
#include "therapy/derive.h"
#include "therapy/report.h"

static const char *const patients[] = {
    "@C83.30 2020-01-01; rituximab + cyclophosphamide + doxorubicin + vincristine + prednisone "
    "2020-01-06 x6/21; @C83.30 2020-09-20 relapse; rituximab + ifosfamide + carboplatin + "
    "etoposide "
    "2020-10-05 x3/21; !apheresis 2021-01-20; cyclophosphamide + fludarabine 2021-02-01; "
    "axicabtagene ciloleucel 2021-02-06",
    "@C50.911 2015-01-01; @C56.9 2020-01-01; carboplatin + paclitaxel 2020-02-03 x6/21; olaparib "
    "2020-07-01..open; letrozole 2015-03-01..2020-03-01; methotrexate 2020-03-03; ondansetron "
    "2020-03-03; unheard-of 2020-04-01; study drug A 2020-05-01",
    "@C90.00 2020-01-01; bortezomib + lenalidomide + dexamethasone 2020-01-06 x8/21; melphalan "
    "2020-07-18; !sct 2020-07-20; lenalidomide 2020-10-01..2021-05-20 stopped progression; @C90.02 "
    "2021-05-20; daratumumab + pomalidomide 2021-06-10 x3/28 reported",
    "@C18.9 2019-01-01; @C78.7 2019-01-01; bevacizumab + fluorouracil + oxaliplatin 2019-01-07 "
    "x6/14; "
    "fluorouracil 2019-01-07 intent:filler based:m2; capecitabine 2019-05; irinotecan 2019-10-01 "
    "x6/14; trifluridine + tipiracil 2020-09-01 x2/28",
};

static void write_json(struct story *story, struct buffer *out)
{
    struct sha256 digest = { { 0 } };
    struct report_head head = { SLICE("Patient/p1"), &digest };
    report_json(&head, story_derive(story, "2026-01-01"), out);
    assert_false(buffer_overflowed(out));
}

/* Fisher-Yates with a fixed generator: a failure can be repeated. */
static void shuffle(struct event *events, size_t count, uint64_t *state)
{
    for (size_t i = count; i > 1; i--) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        size_t k = (size_t)(*state >> 33) % i;
        struct event swap = events[i - 1];
        events[i - 1] = events[k];
        events[k] = swap;
    }
}

static void any_order_gives_the_same_bytes(void **state)
{
    uint64_t seed = 2024;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(patients); i++) {
        struct story story;
        struct buffer first, again;
        story_begin(&story);
        story_tell(&story, patients[i]);
        buffer_init(&first, 1 << 20);
        buffer_init(&again, 1 << 20);
        write_json(&story, &first);
        for (int round = 0; round < 60; round++) {
            shuffle(story.events, story.count, &seed);
            buffer_reset(&again);
            write_json(&story, &again);
            assert_int_equal(again.len, first.len);
            assert_memory_equal(again.at, first.at, first.len);
        }
        buffer_fini(&first);
        buffer_fini(&again);
        story_end(&story);
    }
}

/* Lines of one text, copied out of the story. */
static unsigned ids_of(const char *text, char ids[8][33])
{
    struct story story;
    story_begin(&story);
    story_tell(&story, text);
    const struct history *history = story_history(story_derive(&story, "2026-01-01"), NULL);
    for (unsigned i = 0; i < history->line_count; i++)
        memcpy(ids[i], history->lines[i].id, 33);
    unsigned count = history->line_count;
    story_end(&story);
    return count;
}

#define SECOND "docetaxel 2021-08-01 x4/21; "
#define FIRST "carboplatin + paclitaxel 2021-01-04 x4/21; "

/* LOT-028: an earlier line that arrives later renumbers the line and does not rename it. */
static void ids_do_not_depend_on_earlier_lines(void **state)
{
    char alone[8][33], renumbered[8][33];
    (void)state;
    assert_int_equal(ids_of("@C34.90 2020-12-01; " SECOND, alone), 1);
    /* the late orders come behind in the text, so that the ids of the first ones stay */
    assert_int_equal(ids_of("@C34.90 2020-12-01; " SECOND FIRST, renumbered), 2);
    assert_string_equal(alone[0], renumbered[1]);
    assert_string_not_equal(renumbered[0], renumbered[1]);
    assert_int_equal(strlen(alone[0]), 32);
}

static void ids_do_not_depend_on_later_orders(void **state)
{
    char before[8][33], after[8][33];
    (void)state;
    assert_int_equal(ids_of("@C34.90 2020-12-01; " SECOND, before), 1);
    assert_int_equal(ids_of("@C34.90 2020-12-01; " SECOND "bevacizumab 2021-08-15 x2/21; "
                            "@C34.90 2021-07-20 relapse; pembrolizumab 2022-08-15 x2/21",
                            after),
                     2);
    assert_string_equal(before[0], after[0]);
}

static void ids_depend_on_the_opening_orders(void **state)
{
    char first[8][33], other[8][33];
    (void)state;
    ids_of("@C34.90 2020-12-01; docetaxel 2021-08-01", first);
    ids_of("@C34.90 2020-12-01; docetaxel 2021-08-02", other);
    assert_string_not_equal(first[0], other[0]);
    ids_of("@C34.90 2020-12-01; pemetrexed 2021-08-01", other);
    assert_string_not_equal(first[0], other[0]);
    ids_of("@C34.90 2020-12-01; ondansetron 2021-08-01; docetaxel 2021-08-01", other);
    assert_string_not_equal(first[0], other[0]); /* another order */
}

/* Segments follow one another without overlap, the last one ends with the line. */
static void segments_do_not_overlap(void **state)
{
    static const struct {
        const char *story, *segments;
    } cases[] = {
        { "@C34.90 2020-01-01; carboplatin + pemetrexed 2020-01-06 x4/21; pemetrexed 2020-03-30 "
          "x4/21",
          "induction 2020-01-06..2020-03-29, maintenance 2020-03-30..2020-06-01" },
        { "@C90.00 2020-01-01; bortezomib 2020-01-06 x8/21; lenalidomide 2020-01-06..2021-06-01",
          "induction 2020-01-06..2020-06-01, maintenance 2020-06-02..2021-06-01" },
        { "@C81.90 2019-01-01; ifosfamide + carboplatin + etoposide 2020-03-01 x2/21; carmustine + "
          "cytarabine + etoposide + melphalan 2020-05-01; !sct 2020-05-08; brentuximab vedotin "
          "2020-06-20 x4/21",
          "induction 2020-03-01..2020-04-30, conditioning 2020-05-01..2020-06-19, "
          "maintenance 2020-06-20..2020-08-22" },
        { "@C83.30 2020-01-01; !apheresis 2020-12-01; polatuzumab vedotin 2020-12-03; "
          "cyclophosphamide + "
          "fludarabine 2020-12-28; axicabtagene ciloleucel 2021-01-02",
          "bridging 2020-12-03..2020-12-27, conditioning 2020-12-28..2021-01-01, "
          "induction 2021-01-02..2021-01-02" },
        { "@C91.00 2020-01-01; daunorubicin + vincristine 2020-01-06 x4/7; cyclophosphamide "
          "2020-03-20 x2/28",
          "induction 2020-01-06..2020-03-19, consolidation 2020-03-20..2020-04-17" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct story story;
        struct buffer out;
        story_begin(&story);
        buffer_init(&out, 4096);
        story_tell(&story, cases[i].story);
        const struct history *history = story_history(story_derive(&story, "2026-01-01"), NULL);
        const struct line *line = &history->lines[0];
        for (unsigned k = 0; k < line->segment_count; k++) {
            char start[DATE_TEXT_SIZE], end[DATE_TEXT_SIZE];
            buffer_format(&out, "%s%s %s..%s", k > 0 ? ", " : "",
                          segment_kind_name(line->segments[k].kind),
                          date_format(line->segments[k].start, start),
                          date_format(line->segments[k].end, end));
        }
        buffer_add_char(&out, '\0');
        assert_string_equal(out.at, cases[i].segments);
        buffer_fini(&out);
        story_end(&story);
    }
}

static void json_has_the_keys_in_order(void **state)
{
    static const char *const keys[] = {
        "\"patient\":\"Patient/p1\"",
        "\"asOf\":\"2026-01-01\"",
        "\"ruleSet\":\"sha256:00",
        "\"histories\":[",
        "\"disease\":\"dlbcl\"",
        "\"lines\":[",
        "\"number\":1",
        "\"numberMin\":1",
        "\"numberMax\":1",
        "\"id\":\"",
        "\"start\":\"2020-01-06\"",
        "\"end\":\"2020-04-20\"",
        "\"ingredients\":[\"cyclophosphamide\",\"doxorubicin\",\"rituximab\",\"vincristine\"]",
        "\"regimen\":\"R-CHOP\"",
        "\"setting\":\"unknown\"",
        "\"short\":false",
        "\"segments\":[",
        "\"openedBy\":{\"rule\":\"LOT-001\",\"reason\":\"FIRST_EXPOSURE\"",
        "\"operands\":{}",
        "\"evidence\":[\"MedicationRequest/m2/_history/1\"",
        "\"closedBy\":{\"rule\":\"LOT-017\",\"reason\":\"NEW_AGENT_AFTER_RELAPSE\"",
        "\"gapDays\":168",
        "\"evidence\":[\"Condition/c2/_history/1\"",
        "\"sources\":[\"MedicationRequest/m",
        "\"number\":2",
        "\"regimen\":\"R-ICE\"",
        "\"end\":null",
        "\"closedBy\":null",
        "\"verdict\":{\"salvage\":true,\"grade\":\"MEDIUM\",\"line\":2",
        "\"basis\":\"any_line>=2\"",
        "\"status\":\"relapsed\"",
        "\"reasons\":[{\"rule\":\"SAL-001\"",
        "\"vetoes\":[]",
        "\"historyTruncated\":false",
        "\"classes\":[{\"class\":",
        "\"failed\":",
        "\"unmapped\":[{\"resource\":\"MedicationRequest/",
        "\"text\":\"unheard-of\"",
        "\"unattributed\":[]",
        "\"notInLine\":[]}"
    };
    struct story story;
    struct buffer out;
    (void)state;
    story_begin(&story);
    story_tell(
        &story,
        "@C83.30 2020-01-01; rituximab + cyclophosphamide + doxorubicin + vincristine + prednisone "
        "2020-01-06 x6/21; @C83.30 2020-09-20 relapse; rituximab + ifosfamide + carboplatin + "
        "etoposide 2020-10-05..open; unheard-of 2020-01-06");
    buffer_init(&out, 1 << 20);
    write_json(&story, &out);
    buffer_add_char(&out, '\0');
    const char *at = out.at;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        const char *found = strstr(at, keys[i]);
        if (found == NULL)
            fail_msg("%s is not behind the key before it in %s", keys[i], at);
        at = found;
    }
    buffer_fini(&out);
    story_end(&story);
}

static void text_tells_the_story(void **state)
{
    static const char *const words[] = { "Patient/p1 on 2026-01-01",
                                         "diffuse large B-cell lymphoma",
                                         "line 1  2020-01-06 to 2020-04-20  R-CHOP",
                                         "opened by LOT-001 FIRST_EXPOSURE",
                                         "SALVAGE THERAPY, grade HIGH",
                                         "SAL-002",
                                         "ordered so far, by class",
                                         "ordered, but for which cancer is unknown" };
    struct story story;
    struct buffer out;
    struct sha256 digest = { { 0 } };
    struct report_head head = { SLICE("Patient/p1"), &digest };
    (void)state;
    story_begin(&story);
    story_tell(&story,
               "@C83.30 2020-01-01; rituximab + cyclophosphamide + doxorubicin + vincristine "
               "2020-01-06 x6/21; @C83.30 2020-09-20 relapse; gemcitabine 2020-10-05; "
               "megestrol 2020-10-05");
    buffer_init(&out, 1 << 20);
    report_text(&head, story_derive(&story, "2026-01-01"), true, &out);
    buffer_add_char(&out, '\0');
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strstr(out.at, words[i]) == NULL)
            fail_msg("'%s' is missing in\n%s", words[i], out.at);
    assert_null(strstr(out.at, "given"));
    buffer_fini(&out);
    story_end(&story);
}

/* A patient without any disease of ours, and one without anything. */
static void nothing_is_an_answer(void **state)
{
    struct story story;
    (void)state;
    story_begin(&story);
    assert_int_equal(story_derive(&story, "2026-01-01")->history_count, 0);
    story_tell(&story, "@E11.9 2015-01-01; metforminol 2015-01-01..open");
    assert_int_equal(story_derive(&story, "2026-01-01")->history_count, 0);
    story_end(&story);
}

/* Past a limit the derivation fails as a whole: no half answer. */
static void too_much_is_refused(void **state)
{
    struct story story;
    struct therapy therapy;
    struct err err;
    struct arena small;
    (void)state;
    story_begin(&story);
    story_tell(&story, patients[0]);
    for (size_t limit = 0; limit < 20000; limit += 500) {
        arena_init(&small, limit);
        bool fits = therapy_derive(mapping_rules(story_mapping()), story.events, story.count,
                                   story_day("2026-01-01"), &small, &therapy, &err);
        if (!fits)
            assert_int_equal(err.code, ERR_TOO_LARGE);
        else
            assert_int_equal(therapy.histories[0].line_count, 3);
        arena_fini(&small);
    }
    story_end(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_gives_the_same_bytes),
        cmocka_unit_test(ids_do_not_depend_on_earlier_lines),
        cmocka_unit_test(ids_do_not_depend_on_later_orders),
        cmocka_unit_test(ids_depend_on_the_opening_orders),
        cmocka_unit_test(segments_do_not_overlap),
        cmocka_unit_test(json_has_the_keys_in_order),
        cmocka_unit_test(text_tells_the_story),
        cmocka_unit_test(nothing_is_an_answer),
        cmocka_unit_test(too_much_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
