/* Published rule sets: what each does that another does not, on the same patient, and what the
 * rules that only they have (LOT-034 to LOT-036) do and do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/therapy/story.h"

#define LUNG "@C34.90 2020-01-01; "
#define MERKEL "@C4A.9 2020-01-01; "
#define MYELOMA "@C90.00 2020-01-01; "
#define LYMPHOMA "@C83.30 2020-01-01; "
#define PROSTATE "@C61 2020-01-01; "

static const struct ruleset_case {
    const char *name, *rules, *story, *lines, *notes;
} rows[] = {
    /* gap 120, 180, 60 */
    { "merck19: 121 days are a gap", "merck19",
      LUNG "pembrolizumab 2020-02-03; pembrolizumab 2020-06-03",
      "1 2020-02-03..2020-02-03 pembrolizumab FIRST_EXPOSURE\n"
      "2 2020-06-03..2020-06-03 pembrolizumab GAP\n",
      NULL },
    { "merck19: 120 days are none", "merck19",
      LUNG "pembrolizumab 2020-02-03; pembrolizumab 2020-06-02",
      "1 2020-02-03..2020-06-02 pembrolizumab FIRST_EXPOSURE\n", NULL },
    { "merck21: nor are 121", "merck21", LUNG "pembrolizumab 2020-02-03; pembrolizumab 2020-06-03",
      "1 2020-02-03..2020-06-03 pembrolizumab FIRST_EXPOSURE\n", NULL },
    { "hess21: 61 days are", "hess21", LUNG "pembrolizumab 2020-02-03; pembrolizumab 2020-04-04",
      "1 2020-02-03..2020-02-03 pembrolizumab FIRST_EXPOSURE\n"
      "2 2020-04-04..2020-04-04 pembrolizumab GAP\n",
      NULL },
    { "merck21: gaps of a listed kinase inhibitor do not count", "merck21",
      LUNG "osimertinib 2020-02-03; osimertinib 2021-06-01",
      "1 2020-02-03..2021-06-01 osimertinib FIRST_EXPOSURE\n", "LOT-006" },
    /* maintenance and additions */
    { "merck19: docetaxel is maintenance by the list alone", "merck19",
      LUNG "erlotinib 2020-02-03..2020-04-30; docetaxel 2020-05-11 x2/21",
      "1 2020-02-03..2020-06-01 docetaxel+erlotinib FIRST_EXPOSURE\n", "LOT-012" },
    { "lifeline: not without a platinum before it", "lifeline",
      LUNG "erlotinib 2020-02-03..2020-04-30; docetaxel 2020-05-11 x2/21",
      "1 2020-02-03..2020-04-30 erlotinib FIRST_EXPOSURE\n"
      "2 2020-05-11..2020-06-01 docetaxel NEW_AGENT\n",
      NULL },
    { "hess21: a biologic joins while the regimen goes on", "hess21",
      LUNG "carboplatin + pemetrexed 2020-02-03 x6/21; bevacizumab 2020-04-06 x4/21",
      "1 2020-02-03..2020-06-08 bevacizumab+carboplatin+pemetrexed FIRST_EXPOSURE\n",
      "LOT-009 LOT-012" },
    { "merck19: it opens a line, the table of additions is empty", "merck19",
      LUNG "carboplatin + pemetrexed 2020-02-03 x6/21; bevacizumab 2020-04-06 x4/21",
      "1 2020-02-03..2020-03-16 carboplatin+pemetrexed FIRST_EXPOSURE\n"
      "2 2020-04-06..2020-06-08 bevacizumab+carboplatin+pemetrexed NEW_AGENT\n",
      NULL },
    /* what published sets do not know */
    { "merck21: relapse on record opens no line", "merck21",
      LUNG "pembrolizumab 2020-02-03 x3/21; @C34.90 2020-05-01 relapse; pembrolizumab 2020-06-01",
      "1 2020-02-03..2020-06-01 pembrolizumab FIRST_EXPOSURE\n", NULL },
    { "lifeline: it does", "lifeline",
      LUNG "pembrolizumab 2020-02-03 x3/21; @C34.90 2020-05-01 relapse; pembrolizumab 2020-06-01",
      "1 2020-02-03..2020-03-16 pembrolizumab FIRST_EXPOSURE\n"
      "2 2020-06-01..2020-06-01 pembrolizumab RELAPSE\n",
      NULL },
    { "merck21: a swap for toxicity opens a line", "merck21",
      LUNG "erlotinib 2020-02-03..2020-04-01 stopped toxicity; gefitinib 2020-04-08..2020-08-01",
      "1 2020-02-03..2020-04-01 erlotinib FIRST_EXPOSURE\n"
      "2 2020-04-08..2020-08-01 gefitinib NEW_AGENT\n",
      NULL },
    { "merck21 has no rules for myeloma: ours apply", "merck21",
      MYELOMA "lenalidomide 2020-02-03..2020-04-06; bortezomib 2020-03-16 x4/7",
      "1 2020-02-03..2020-04-06 bortezomib+lenalidomide FIRST_EXPOSURE\n", "LOT-009" },
    /* myeloma */
    { "raj15: an addition opens a line", "raj15",
      MYELOMA "lenalidomide 2020-02-03..2020-06-06; bortezomib 2020-03-16 x4/7",
      "1 2020-02-03..2020-03-15 lenalidomide FIRST_EXPOSURE\n"
      "2 2020-03-16..2020-04-06 bortezomib+lenalidomide NEW_AGENT\n",
      NULL },
    { "omop_mm: within 90 days it joins, when its class is absent", "omop_mm",
      MYELOMA "lenalidomide 2020-02-03..2020-06-06; bortezomib 2020-03-16 x4/7",
      "1 2020-02-03..2020-06-06 bortezomib+lenalidomide FIRST_EXPOSURE\n", "LOT-009 LOT-012" },
    { "raj15: what one plan names stays", "raj15",
      MYELOMA "bortezomib 2020-02-03 x4/21 plan:A; daratumumab 2020-05-11 x4/7 plan:A",
      "1 2020-02-03..2020-06-01 bortezomib+daratumumab FIRST_EXPOSURE\n", "LOT-015" },
    { "omop_mm: planned or not, it does not ask", "omop_mm",
      MYELOMA "bortezomib 2020-02-03 x4/21 plan:A; daratumumab 2020-05-11 x4/7 plan:A",
      "1 2020-02-03..2020-04-06 bortezomib FIRST_EXPOSURE\n"
      "2 2020-05-11..2020-06-01 daratumumab NEW_AGENT\n",
      NULL },
    /* Merkel cell: cycles */
    { "LOT-034 merckmcc: a new agent after unlike cycles renames the line", "merckmcc",
      MERKEL "pembrolizumab 2020-02-03; pembrolizumab + avelumab 2020-02-24; carboplatin "
             "2020-03-16",
      "1 2020-02-03..2020-03-16 carboplatin FIRST_EXPOSURE\n", "LOT-034" },
    { "LOT-034 merckmcc: after two like cycles it opens a line", "merckmcc",
      MERKEL "pembrolizumab 2020-02-03 x2/21; carboplatin 2020-03-16",
      "1 2020-02-03..2020-02-24 pembrolizumab FIRST_EXPOSURE\n"
      "2 2020-03-16..2020-03-16 carboplatin NEW_AGENT\n",
      NULL },
    { "LOT-034 merckmcc: and after a gap, whatever the cycles were", "merckmcc",
      MERKEL "pembrolizumab 2020-02-03; carboplatin 2020-04-06",
      "1 2020-02-03..2020-02-03 pembrolizumab FIRST_EXPOSURE\n"
      "2 2020-04-06..2020-04-06 carboplatin NEW_AGENT\n",
      NULL },
    { "merckmcc: a substitute is not named", "merckmcc",
      MERKEL "carboplatin 2020-02-03 x2/21; cisplatin 2020-03-16",
      "1 2020-02-03..2020-03-16 carboplatin FIRST_EXPOSURE\n", "LOT-004" },
    /* prostate: every start counts */
    { "LOT-035 ironer: the same two drugs again are a line", "ironer",
      PROSTATE "leuprolide + bicalutamide 2020-02-03..2020-08-01; leuprolide + bicalutamide "
               "2021-02-01..2021-08-01",
      "1 2020-02-03..2020-08-01 bicalutamide+leuprorelin FIRST_EXPOSURE\n"
      "2 2021-02-01..2021-08-01 bicalutamide+leuprorelin RESTART\n",
      NULL },
    { "LOT-035 ironer: one drug and the same again are one line", "ironer",
      PROSTATE "leuprolide 2020-02-03..2020-08-01; leuprolide 2021-02-01..2021-08-01",
      "1 2020-02-03..2021-08-01 leuprorelin FIRST_EXPOSURE\n", "LOT-032" },
    { "LOT-035 ironer: a renewal within an era is no start", "ironer",
      PROSTATE "leuprolide + bicalutamide 2020-02-03..2020-08-01; leuprolide + bicalutamide "
               "2020-08-15..2021-08-01",
      "1 2020-02-03..2021-08-01 bicalutamide+leuprorelin FIRST_EXPOSURE\n", "" },
    { "ironer: line 1 takes day 30, a later one does not", "ironer",
      PROSTATE "docetaxel 2020-02-03; abiraterone 2020-03-04..2020-05-01; cabazitaxel 2020-09-01; "
               "enzalutamide 2020-10-01..2021-01-01",
      "1 2020-02-03..2020-05-01 abiraterone+docetaxel FIRST_EXPOSURE\n"
      "2 2020-09-01..2020-09-01 cabazitaxel NEW_AGENT\n"
      "3 2020-10-01..2021-01-01 enzalutamide NEW_AGENT\n",
      NULL },
    { "ironer_prepared: androgen deprivation is no line", "ironer_prepared",
      PROSTATE "leuprolide 2020-02-03..2020-08-01; abiraterone 2020-10-01..2021-01-01",
      "1 2020-10-01..2021-01-01 abiraterone FIRST_EXPOSURE\n", NULL },
    /* lymphoma: only evidence */
    { "LOT-036 cibmtr: without evidence a new agent stays", "cibmtr",
      LYMPHOMA "rituximab + doxorubicin 2020-02-03 x4/21; gemcitabine 2020-06-01 x2/21",
      "1 2020-02-03..2020-06-22 doxorubicin+gemcitabine+rituximab FIRST_EXPOSURE\n", "LOT-036" },
    { "LOT-036 cibmtr: with it, it does not", "cibmtr",
      LYMPHOMA "rituximab + doxorubicin 2020-02-03 x4/21; @C83.30 2020-05-20 relapse; gemcitabine "
               "2020-06-01 x2/21",
      "1 2020-02-03..2020-04-06 doxorubicin+rituximab FIRST_EXPOSURE\n"
      "2 2020-06-01..2020-06-22 gemcitabine NEW_AGENT_AFTER_RELAPSE\n",
      NULL },
    { "lifeline: a new agent opens a line without evidence", "lifeline",
      LYMPHOMA "rituximab + doxorubicin 2020-02-03 x4/21; gemcitabine 2020-06-01 x2/21",
      "1 2020-02-03..2020-04-06 doxorubicin+rituximab FIRST_EXPOSURE\n"
      "2 2020-06-01..2020-06-22 gemcitabine NEW_AGENT\n",
      NULL },
};

static void the_set_reads_it_so(void **state)
{
    const struct ruleset_case *row = *state;
    struct story story;
    story_begin(&story);
    story_tell(&story, row->story);
    const struct rules *rules = mapping_ruleset(story_mapping(), slice_of(row->rules));
    assert_non_null(rules);
    const struct therapy *therapy = story_derive_with(&story, rules, "2026-01-01");
    assert_string_equal(story_lines(&story, therapy, NULL), row->lines);
    if (row->notes != NULL)
        assert_string_equal(story_notes(&story, therapy), row->notes);
    story_end(&story);
}

/* Every set has a digest of its own, and says of each history whose rules found its lines. */
static void sets_are_told_apart(void **state)
{
    (void)state;
    const struct mapping *mapping = story_mapping();
    unsigned count = 0;
    for (const struct rules *set; (set = mapping_ruleset_at(mapping, count)) != NULL; count++) {
        assert_ptr_equal(mapping_ruleset(mapping, set->name), set);
        for (unsigned i = 0; i < count; i++)
            assert_false(sha256_equal(&set->digest, &mapping_ruleset_at(mapping, i)->digest));
    }
    assert_true(count >= 11);
    assert_null(mapping_ruleset(mapping, SLICE("merck20")));

    struct story story;
    story_begin(&story);
    story_tell(&story, "@C34.90 2020-01-01 ; @C90.00 2020-01-01");
    const struct therapy *therapy =
        story_derive_with(&story, mapping_ruleset(mapping, SLICE("merck21")), "2026-01-01");
    assert_true(slice_is(therapy->rules, "merck21"));
    assert_int_equal(therapy->history_count, 2);
    for (unsigned i = 0; i < 2; i++) {
        bool is_mm = slice_is(therapy->histories[i].disease->key, "mm");
        assert_true(slice_is(therapy->histories[i].rules, is_mm ? "lifeline" : "merck21"));
    }
    story_end(&story);
}

int main(void)
{
    static struct CMUnitTest tests[COUNT_OF(rows) + 1];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        tests[count++] = (struct CMUnitTest){ .name = rows[i].name,
                                              .test_func = the_set_reads_it_so,
                                              .initial_state = (void *)(uintptr_t)&rows[i] };
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(sets_are_told_apart);
    return _cmocka_run_group_tests("therapy_rulesets", tests, count, NULL, NULL);
}
