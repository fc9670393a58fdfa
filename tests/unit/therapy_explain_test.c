/* What an answer says about itself: notation (RULES_SPEC 7), secondary rules (4.1.2), the source of
 * the parameter that decided (12). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/therapy/story.h"

#define BREAST "@C50.911 2020-01-01; "
#define LUNG "@C34.90 2020-01-01; "

static const struct notation_case {
    const char *name, *story, *says;
} notations[] = {
    { "one curative line", BREAST "doxorubicin 2020-02-03 x4/21 curative", "LoT 1 (1+0)" },
    { "the first palliative line after it",
      BREAST "doxorubicin 2020-02-03 x4/21 curative; fulvestrant 2022-02-03..2022-09-01 palliative",
      "LoT 1 (1+0), LoT 2 (1+1)" },
    { "an unknown setting is never guessed",
      BREAST "doxorubicin 2020-02-03 x4/21; fulvestrant 2022-02-03..2022-09-01 palliative",
      "LoT 1 (?+?), LoT 2 (?+?)" },
    { "what was known before stays known",
      BREAST "doxorubicin 2020-02-03 x4/21 curative; fulvestrant 2022-02-03..2022-09-01",
      "LoT 1 (1+0), LoT 2 (?+?)" },
    { "a truncated history has a least number only",
      "@C90.00 2020-01-01; daratumumab + pomalidomide + dexamethasone 2020-02-03 x4/28 palliative",
      "LoT >=2 (?+?)" },
};

static void the_notation_says(void **state)
{
    const struct notation_case *row = *state;
    struct story story;
    char says[512] = "", notation[LINE_NOTATION_SIZE];
    story_begin(&story);
    story_tell(&story, row->story);
    const struct history *history = story_history(story_derive(&story, "2024-01-01"), NULL);
    for (unsigned i = 0; i < history->line_count; i++)
        snprintf(says + strlen(says), sizeof says - strlen(says), "%s%s", i > 0 ? ", " : "",
                 line_notation(history, i, notation));
    assert_string_equal(says, row->says);
    story_end(&story);
}

static const struct also_case {
    const char *name, *story;
    enum rule rule; /* of the first note, or of the last line's opening when there is no note */
    uint64_t also;
    const char *source;
} alsos[] = {
    { "evidence is asked first; what would have kept the agent is listed",
      LUNG "carboplatin + pemetrexed 2020-02-03 x8/21; @C34.90 2020-04-20 relapse; bevacizumab "
           "2020-05-04 x3/21",
      RULE_NEW_AGENT_AFTER_RELAPSE, UINT64_C(1) << RULE_ADD_EXEMPT, "merck21;hess21" },
    { "nothing else applied",
      LUNG "carboplatin + pemetrexed 2020-02-03 x4/21; docetaxel 2020-07-06", RULE_NEW_AGENT, 0,
      "merck21;hess21" },
    { "an addition that was planned too",
      LUNG "carboplatin + pemetrexed 2020-02-03 x8/21 plan:A; bevacizumab 2020-04-06 x3/21 plan:A",
      RULE_ADD_EXEMPT, UINT64_C(1) << RULE_PLANNED, "hess21" },
    { "maintenance names the source of its row",
      "@C56.9 2020-01-01; carboplatin + paclitaxel 2020-02-03 x6/21; olaparib "
      "2020-07-06..2021-07-06",
      RULE_MAINTENANCE, 0, "ovr" },
};

static void the_boundary_says(void **state)
{
    const struct also_case *row = *state;
    struct story story;
    story_begin(&story);
    story_tell(&story, row->story);
    const struct history *history = story_history(story_derive(&story, "2024-01-01"), NULL);
    const struct line *last = &history->lines[history->line_count - 1];
    const struct boundary *why =
        history->lines[0].note_count > 0 ? &history->lines[0].notes[0].why : &last->opened_by;
    assert_int_equal(why->rule, row->rule);
    assert_true(why->also == row->also);
    assert_true(slice_is(why->source, row->source));
    story_end(&story);
}

int main(void)
{
    static struct CMUnitTest tests[COUNT_OF(notations) + COUNT_OF(alsos)];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(notations); i++)
        tests[count++] = (struct CMUnitTest){ .name = notations[i].name,
                                              .test_func = the_notation_says,
                                              .initial_state = (void *)(uintptr_t)&notations[i] };
    for (size_t i = 0; i < COUNT_OF(alsos); i++)
        tests[count++] = (struct CMUnitTest){ .name = alsos[i].name,
                                              .test_func = the_boundary_says,
                                              .initial_state = (void *)(uintptr_t)&alsos[i] };
    return _cmocka_run_group_tests("therapy_explain", tests, count, NULL, NULL);
}
