/* Every order of a drug that makes lines is in a line or is listed with the rule that kept it out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "support/therapy/story.h"

#define LUNG "@C34.90 2020-01-01; "

static const struct left_out_case {
    const char *name, *story, *says; /* "m1 EXP-001;..." as of 2025-01-01 */
} cases[] = {
    { "an order in a line is not listed", LUNG "carboplatin 2020-02-03", "" },
    { "orders that were taken back, or whose status nobody knows",
      LUNG "carboplatin 2020-02-03 cancelled; pemetrexed 2020-02-03 error; docetaxel 2020-02-03 "
           "unknown; bevacizumab 2020-02-03 draft",
      "m1 EXP-001;m2 EXP-001;m3 EXP-001;m4 EXP-001;" },
    { "plans, proposals and options",
      LUNG "carboplatin 2020-02-03 intent:plan; pemetrexed 2020-02-03 intent:proposal; docetaxel "
           "2020-02-03 intent:option",
      "m1 EXP-002;m2 EXP-002;m3 EXP-002;" },
    { "an order not to give the drug", LUNG "docetaxel 2020-02-03 not-perform", "m1 EXP-003;" },
    { "a filler of an order that counts",
      LUNG "docetaxel 2020-02-03; docetaxel 2020-02-03 intent:filler based:m1", "m2 EXP-014;" },
    { "without a date", LUNG "docetaxel 2020-02-03 undated", "m1 EXP-005;" },
    { "after the day of the answer", LUNG "docetaxel 2026-02-03", "m1 EXP-011;" },
    { "stopped before it began", LUNG "docetaxel 2020-06-03..2020-07-03 stopped changed:2020-05-20",
      "m1 EXP-008;" },
    { "for a Condition that is no cancer", LUNG "@I10 2020-01-01; docetaxel 2020-02-03 for:c2",
      "m1 EXP-016;" },
    { "nobody tells which cancer", "docetaxel 2020-02-03", "m1 EXP-020;" },
    { "a hormone that the only cancer does not list", LUNG "letrozole 2020-02-03", "m1 EXP-018;" },
    { "long before the diagnosis", LUNG "docetaxel 2010-02-03..2010-03-03", "m1 LOT-027;" },
    { "the backbone of the disease", "@C61 2020-01-01; leuprorelin 2020-02-03", "m1 LOT-022;" },
    { "supportive and unknown drugs make no line and are not listed",
      LUNG "filgrastim 2020-02-03 cancelled; unheard-of 2020-02-03", "" },
    { "a cream of a drug that makes lines by mouth or vein", LUNG "fluorouracil-cream 2020-02-03",
      "m1 LOT-030;" },
    { "of two cancers, the order that one of them takes is not listed for the other",
      "@C34.90 2020-01-01; @C50.911 2024-01-01; carboplatin 2020-02-03; letrozole 2024-02-03", "" },
};

static void orders_are_left_out(void **state)
{
    const struct left_out_case *c = *state;
    char buffer[1000];
    struct text seen = TEXT(buffer);
    struct story story;
    buffer[0] = '\0';
    story_begin(&story);
    story_tell(&story, c->story);
    const struct therapy *therapy = story_derive(&story, "2025-01-01");
    for (unsigned i = 0; i < therapy->left_out_count; i++)
        text_add(&seen, "%.*s %s;", SLICE_ARGS(therapy->left_out[i].order->id),
                 rule_id(therapy->left_out[i].rule));
    assert_string_equal(buffer, c->says);
    story_end(&story);
}

int main(void)
{
    static struct CMUnitTest tests[COUNT_OF(cases)];
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        tests[i] = (struct CMUnitTest){ .name = cases[i].name,
                                        .test_func = orders_are_left_out,
                                        .initial_state = (void *)(uintptr_t)&cases[i] };
    return _cmocka_run_group_tests("left out", tests, COUNT_OF(cases), NULL, NULL);
}
