/* Two answers about one patient, and what is said about their difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "support/therapy/story.h"
#include "therapy/difference.h"

#define LUNG "@C34.90 2020-01-01; "
#define LYMPHOMA "@C83.30 2020-01-01; "
#define CHEMO "carboplatin + pemetrexed 2020-02-03 x4/21"

struct answer {
    const char *story, *rules, *as_of;
};

static const struct difference_case {
    const char *name;
    struct answer before, after;
    const char *says;
} rows[] = {
    { "the same orders on the same day: no difference",
      { LUNG CHEMO, "lifeline", "2021-01-01" },
      { LUNG CHEMO, "lifeline", "2021-01-01" },
      "Patient/p on 2021-01-01 (lifeline), compared with 2021-01-01 (lifeline)\n"
      "  no difference\n" },
    { "a later day alone: no difference, the line stays as open as it was",
      { LUNG "pembrolizumab 2020-02-03..open", "lifeline", "2020-06-01" },
      { LUNG "pembrolizumab 2020-02-03..open", "lifeline", "2020-07-01" },
      "Patient/p on 2020-07-01 (lifeline), compared with 2020-06-01 (lifeline)\n"
      "  no difference\n" },
    { "a new order opens a line, closes the one before and turns the verdict",
      { LUNG CHEMO, "lifeline", "2020-06-01" },
      { LUNG CHEMO "; docetaxel 2020-07-06 x2/21", "lifeline", "2020-09-01" },
      "Patient/p on 2020-09-01 (lifeline), compared with 2020-06-01 (lifeline)\n"
      "  non-small cell lung cancer\n"
      "    changed line 1  2020-02-03 to 2020-04-06  carboplatin + pemetrexed\n"
      "        was line 1  2020-02-03 to 2020-04-06  carboplatin + pemetrexed\n"
      "        differs in: closedBy\n"
      "        closed by LOT-016 NEW_AGENT gapDays=91 ageDays=154 windowDays=28\n"
      "        new: MedicationRequest/m9/_history/1\n"
      "    added line 2  2020-07-06 to 2020-07-27  docetaxel\n"
      "        opened by LOT-016 NEW_AGENT gapDays=91 ageDays=154 windowDays=28\n"
      "        new: MedicationRequest/m9/_history/1\n"
      "        new: MedicationRequest/m10/_history/1\n"
      "    verdict: salvage MEDIUM, line 2; was: not salvage, line 1\n"
      "        since then: SAL-001 line 2 meets the basis advanced_line>=2\n"
      "        since then: SAL-004 the drugs of the line before were replaced after its window\n"
      "        since then: SAL-005 docetaxel was ordered, which alone does not speak of a later "
      "line\n"
      "        new: MedicationRequest/m9/_history/1\n"
      "        new: MedicationRequest/m10/_history/1\n" },
    { "an earlier order found late renumbers what follows",
      { LUNG "docetaxel 2020-09-07 x3/21", "lifeline", "2021-01-01" },
      { LUNG "docetaxel 2020-09-07 x3/21; carboplatin 2020-02-03 x4/21", "lifeline", "2021-01-01" },
      "Patient/p on 2021-01-01 (lifeline), compared with 2021-01-01 (lifeline)\n"
      "  lung cancer, kind not told\n"
      "    added line 1  2020-02-03 to 2020-04-06  carboplatin\n"
      "        opened by LOT-001 FIRST_EXPOSURE\n"
      "        new: MedicationRequest/m4/_history/1\n"
      "        new: MedicationRequest/m5/_history/1\n"
      "        new: MedicationRequest/m6/_history/1\n"
      "        new: MedicationRequest/m7/_history/1\n"
      "    changed line 2  2020-09-07 to 2020-10-19  docetaxel\n"
      "        was line 1  2020-09-07 to 2020-10-19  docetaxel\n"
      "        differs in: number range openedBy\n"
      "        opened by LOT-016 NEW_AGENT gapDays=154 ageDays=217 windowDays=28\n"
      "        nothing that this line rests on: another line or the verdict moved it\n"
      "    verdict: salvage MEDIUM, line 2; was: not salvage, line 1\n"
      "        since then: SAL-001 line 2 meets the basis advanced_line>=2\n"
      "        since then: SAL-004 the drugs of the line before were replaced after its window\n"
      "        new: MedicationRequest/m4/_history/1\n"
      "        new: MedicationRequest/m5/_history/1\n"
      "        new: MedicationRequest/m6/_history/1\n"
      "        new: MedicationRequest/m7/_history/1\n" },
    { "two rule sets: what one calls a line is a note of the other",
      { LUNG "osimertinib 2020-02-03; osimertinib 2020-10-05", "merck21", "2021-01-01" },
      { LUNG "osimertinib 2020-02-03; osimertinib 2020-10-05", "hess21", "2021-01-01" },
      "Patient/p on 2021-01-01 (hess21), compared with 2021-01-01 (merck21)\n"
      "  non-small cell lung cancer\n"
      "    changed line 1  2020-02-03 to 2020-02-03  osimertinib\n"
      "        was line 1  2020-02-03 to 2020-10-05  osimertinib\n"
      "        differs in: end closedBy\n"
      "        closed by LOT-005 GAP gapDays=245 limitDays=60\n"
      "        the rules made the difference\n"
      "    added line 2  2020-10-05 to 2020-10-05  osimertinib\n"
      "        opened by LOT-005 GAP gapDays=245 limitDays=60\n"
      "        was in its line by LOT-006 GAP_EXEMPT gapDays=245 limitDays=180\n"
      "        the rules made the difference\n"
      "    verdict: salvage LOW, line 2; was: not salvage, line 1\n"
      "        since then: SAL-001 line 2 meets the basis advanced_line>=2\n"
      "        since then: SAL-005 osimertinib was ordered, which alone does not speak of a later "
      "line\n"
      "        since then: SAL-007 the line rests on a gap between orders alone\n"
      "        since then: SAL-023 by the rules of lifeline this is line 1 and no salvage therapy: "
      "at most MEDIUM\n"
      "        the rules made the difference\n" },
};

/* The answer to a story; the stories of one test stay until it ends. */
static const struct therapy *answer_of(struct story *story, const struct answer *answer)
{
    story_begin(story);
    story_tell(story, answer->story);
    return story_derive_with(story, mapping_ruleset(story_mapping(), slice_of(answer->rules)),
                             answer->as_of);
}

static void the_difference_says(void **state)
{
    const struct difference_case *row = *state;
    struct story before, after;
    struct difference difference;
    struct buffer out;
    difference_find(answer_of(&before, &row->before), answer_of(&after, &row->after), &after.arena,
                    &difference);
    buffer_init(&out, 1 << 20);
    difference_text(SLICE("Patient/p"), &difference, &out);
    buffer_add_char(&out, '\0');
    assert_string_equal(out.at, row->says);
    buffer_fini(&out);
    story_end(&before);
    story_end(&after);
}

/* A corrected order is another version of one resource, a withdrawn one is gone. */
static void versions_are_told(void **state)
{
    (void)state;
    static const struct answer answer = { LUNG "carboplatin 2020-02-03 x2/21", "lifeline",
                                          "2021-01-01" };
    struct story before, after;
    struct difference difference;
    const struct therapy *old = answer_of(&before, &answer);
    story_begin(&after);
    story_tell(&after, LUNG "carboplatin 2020-02-03 x2/21");
    after.events[1].status = STATUS_ENTERED_IN_ERROR;
    after.events[1].version = 2;
    after.events[2].version = 2;
    const struct therapy *new = story_derive(&after, "2021-01-01");
    difference_find(old, new, &after.arena, &difference);
    assert_int_equal(difference.history_count, 1);
    const struct history_difference *history = &difference.histories[0];
    assert_int_equal(history->pair_count, 1); /* it begins later, and is the same to people */
    const struct line_pair *pair = &history->pairs[0];
    assert_true((pair->changes & LINE_CHANGE_START) != 0);
    assert_int_equal(pair->cause_count, 2);
    assert_int_equal(pair->causes[0].kind, CAUSE_OTHER_VERSION);
    assert_int_equal(pair->causes[0].before->version, 1);
    assert_int_equal(pair->causes[0].after->version, 2);
    assert_int_equal(pair->causes[1].kind, CAUSE_WITHDRAWN);
    assert_true(slice_is(pair->causes[1].before->id, "m1"));
    struct buffer out;
    buffer_init(&out, 1 << 16);
    difference_text(SLICE("Patient/p"), &difference, &out);
    buffer_add_char(&out, '\0');
    assert_non_null(
        strstr(out.at, "another version: MedicationRequest/m2/_history/2, was version 1"));
    buffer_fini(&out);
    story_end(&before);
    story_end(&after);
}

/* Order of arguments is the only thing that tells added from removed. */
static void backwards_added_is_removed(void **state)
{
    (void)state;
    static const struct answer one = { LYMPHOMA "rituximab 2020-02-03 x4/21", "lifeline",
                                       "2021-01-01" },
                               two = { LYMPHOMA "rituximab 2020-02-03 x4/21; gemcitabine "
                                                "2020-07-06 x2/21; @C50.911 2020-08-01",
                                       "lifeline", "2021-01-01" };
    struct story first, second;
    struct difference there, back;
    const struct therapy *a = answer_of(&first, &one), *b = answer_of(&second, &two);
    difference_find(a, b, &second.arena, &there);
    difference_find(b, a, &second.arena, &back);
    assert_true(there.is_any && back.is_any);
    assert_int_equal(there.history_count, back.history_count);
    for (unsigned i = 0; i < there.history_count; i++) {
        assert_int_equal(there.histories[i].pair_count, back.histories[i].pair_count);
        for (unsigned k = 0; k < there.histories[i].pair_count; k++) {
            assert_ptr_equal(there.histories[i].pairs[k].before, back.histories[i].pairs[k].after);
            assert_int_equal(there.histories[i].pairs[k].changes,
                             back.histories[i].pairs[k].changes);
        }
    }
    story_end(&first);
    story_end(&second);
}

static void the_table_and_the_json_tell_both_sides(void **state)
{
    (void)state;
    struct story before, after;
    struct difference difference;
    struct buffer out;
    const struct difference_case *row = &rows[COUNT_OF(rows) - 1];
    difference_find(answer_of(&before, &row->before), answer_of(&after, &row->after), &after.arena,
                    &difference);
    buffer_init(&out, 1 << 20);
    difference_table(SLICE("Patient/p"), &difference, &out);
    buffer_add_char(&out, '\0');
    assert_string_equal(out.at,
                        "Patient/p on 2021-01-01, merck21 | hess21\n"
                        "  non-small cell lung cancer\n"
                        "  * 2020-02-03 line 1 to 2020-10-05 osimertinib               | line 1 to "
                        "2020-02-03 osimertinib\n"
                        "        differs in: end closedBy\n"
                        "  * 2020-10-05                                                | line 2 to "
                        "2020-10-05 osimertinib\n"
                        "        right: opened by LOT-005 GAP gapDays=245 limitDays=60\n"
                        "        left: same line by LOT-006 GAP_EXEMPT gapDays=245 limitDays=180\n"
                        "    verdict: not salvage, line 1 | salvage LOW, line 2\n");
    buffer_reset(&out);
    difference_json(SLICE("Patient/p"), &difference, &out);
    buffer_add_char(&out, '\0');
    static const char *const parts[] = {
        "{\"patient\":\"Patient/p\",\"before\":{\"asOf\":\"2021-01-01\",\"rules\":\"merck21\"},"
        "\"after\":{\"asOf\":\"2021-01-01\",\"rules\":\"hess21\"},\"changed\":true,",
        "\"change\":\"added\",\"what\":[],\"before\":null,\"after\":{\"number\":2,",
        "\"instead\":{\"rule\":\"LOT-006\",\"reason\":\"GAP_EXEMPT\",\"operands\":{\"gapDays\":245,"
        "\"limitDays\":180}},\"causes\":[]",
        "\"verdict\":{\"changed\":true,\"before\":{\"salvage\":false,\"grade\":\"NONE\",\"line\":"
        "1,",
    };
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (strstr(out.at, parts[i]) == NULL)
            assert_string_equal(out.at, parts[i]);
    buffer_fini(&out);
    story_end(&before);
    story_end(&after);
}

static const struct change_case {
    const char *name, *before, *after;
    const char *before_rules, *after_rules; /* NULL: lifeline */
    const char *tells;                      /* found in one of the three reports; may be NULL */
    const char *says; /* each pair: "1-" removed, "-1" added, "1=1 what what"; a verdict: "!" */
} changes[] = {
    { "another drug beside the same one", LYMPHOMA "rituximab + gemcitabine 2020-02-03 x2/21",
      LYMPHOMA "rituximab + bendamustine 2020-02-03 x2/21", .says = "1=1 ingredients segments" },
    { "maintenance that began later",
      LUNG "carboplatin + pemetrexed 2020-02-03 x4/21; pemetrexed 2020-04-27 x4/21",
      LUNG "carboplatin + pemetrexed 2020-02-03 x4/21; pemetrexed 2020-05-04 x4/21",
      .says = "1=1 end segments" },
    { "other drugs in the same weeks are another line", LYMPHOMA "bendamustine 2020-02-10 x3/21",
      LYMPHOMA "gemcitabine 2020-02-03 x3/21", .says = "-1, 1-" },
    { "the same drug in other years is another line", LYMPHOMA "bendamustine 2020-02-10 x3/21",
      LYMPHOMA "bendamustine 2022-02-10 x3/21", .says = "1-, -1" },
    { "the same drug in later years is another line, seen from there",
      LYMPHOMA "bendamustine 2022-02-10 x3/21", LYMPHOMA "bendamustine 2020-02-10 x3/21",
      .says = "-1, 1-" },
    { "an earlier line found late renumbers the ones that had one before them",
      LUNG CHEMO "; docetaxel 2020-09-07 x3/21",
      LUNG CHEMO "; docetaxel 2020-09-07 x3/21; gemcitabine 2020-01-02",
      .tells = "renumbered line 3", .says = "-1, 1=2 number range openedBy, 2=3 number range" },
    { "an order taken back reopens the line before and removes its own",
      LUNG CHEMO "; docetaxel 2020-09-07 x3/21", LUNG CHEMO, .tells = "removed line 2",
      .says = "1=1 closedBy, 2-" },
    { "what one rule set has no line for is in the line before by its rules",
      LUNG "osimertinib 2020-02-03; osimertinib 2020-10-05",
      LUNG "osimertinib 2020-02-03; osimertinib 2020-10-05", "hess21", "merck21",
      .tells = "is in its line by LOT-006", .says = "1=1 end closedBy, 2-" },
    { "and so says the table", LUNG "osimertinib 2020-02-03; osimertinib 2020-10-05",
      LUNG "osimertinib 2020-02-03; osimertinib 2020-10-05", "hess21", "merck21",
      .tells = "right: same line by LOT-006", .says = "1=1 end closedBy, 2-" },
    { "a line that begins earlier than was known", LYMPHOMA "bendamustine 2020-02-10 x3/21",
      LYMPHOMA "bendamustine 2020-02-10 x3/21; bendamustine 2020-02-03",
      .tells = "starts 2020-02-10 on the left", .says = "1=1 start segments" },
};

static void the_changes_are(void **state)
{
    const struct change_case *row = *state;
    struct answer before = { row->before, "lifeline", "2023-01-01" }, after = before;
    if (row->before_rules != NULL) {
        before.rules = row->before_rules;
        after.rules = row->after_rules;
    }
    struct story first, second;
    struct difference difference;
    char words[256];
    struct text says = TEXT(words);
    words[0] = '\0';
    after.story = row->after;
    difference_find(answer_of(&first, &before), answer_of(&second, &after), &second.arena,
                    &difference);
    assert_int_equal(difference.history_count, 1);
    for (unsigned i = 0; i < difference.histories[0].pair_count; i++) {
        const struct line_pair *pair = &difference.histories[0].pairs[i];
        text_add(&says, "%s", i > 0 ? ", " : "");
        if (pair->before != NULL)
            text_add(&says, "%u%s", pair->before->number, pair->after != NULL ? "=" : "-");
        else
            text_add(&says, "-");
        if (pair->after != NULL)
            text_add(&says, "%u", pair->after->number);
        for (unsigned k = 0; k < LINE_CHANGE_COUNT; k++)
            if ((pair->changes >> k & 1) != 0)
                text_add(&says, " %s", line_change_word(k));
    }
    assert_string_equal(words, row->says);
    struct buffer out;
    buffer_init(&out, 1 << 20);
    difference_json(SLICE("Patient/p"), &difference, &out);
    difference_text(SLICE("Patient/p"), &difference, &out);
    difference_table(SLICE("Patient/p"), &difference, &out);
    buffer_add_char(&out, '\0');
    if (row->tells != NULL && strstr(out.at, row->tells) == NULL)
        assert_string_equal(out.at, row->tells);
    buffer_fini(&out);
    story_end(&first);
    story_end(&second);
}

/* Whatever does not fit, the arena says so, and what there is can be printed. */
static void in_too_little_memory_the_arena_says_so(void **state)
{
    (void)state;
    const struct difference_case *row = &rows[COUNT_OF(rows) - 1];
    struct story first, second;
    const struct therapy *before = answer_of(&first, &row->before),
                         *after = answer_of(&second, &row->after);
    struct buffer out;
    bool fits = false;
    buffer_init(&out, 1 << 20);
    for (size_t limit = 0; !fits; limit += 8) {
        struct arena small;
        struct difference difference;
        arena_init(&small, limit);
        difference_find(before, after, &small, &difference);
        fits = !arena_overflowed(&small);
        buffer_reset(&out);
        difference_text(SLICE("Patient/p"), &difference, &out);
        buffer_add_char(&out, '\0');
        assert_true(limit > 0 || strcmp(out.at, row->says) != 0);
        if (fits)
            assert_string_equal(out.at, row->says);
        assert_true(fits || limit < 1 << 16);
        arena_fini(&small);
    }
    buffer_fini(&out);
    story_end(&first);
    story_end(&second);
}

int main(void)
{
    static struct CMUnitTest tests[COUNT_OF(rows) + COUNT_OF(changes) + 4];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        tests[count++] = (struct CMUnitTest){ .name = rows[i].name,
                                              .test_func = the_difference_says,
                                              .initial_state = (void *)(uintptr_t)&rows[i] };
    for (size_t i = 0; i < COUNT_OF(changes); i++)
        tests[count++] = (struct CMUnitTest){ .name = changes[i].name,
                                              .test_func = the_changes_are,
                                              .initial_state = (void *)(uintptr_t)&changes[i] };
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(in_too_little_memory_the_arena_says_so);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(versions_are_told);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(backwards_added_is_removed);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(the_table_and_the_json_tell_both_sides);
    return _cmocka_run_group_tests("therapy_difference", tests, count, NULL, NULL);
}
