/* The salvage verdict: SAL-001 to SAL-023, the setting (LOT-031) and the names of regimens
 * (LOT-033). */
#include "support/therapy/story_case.h"

#define LYMPHOMA "@C83.30 2020-01-01; "
#define RCHOP "rituximab + cyclophosphamide + doxorubicin + vincristine 2020-01-06 x6/21; "
#define COLON "@C18.9 2020-01-01; "
#define FOLFOX "fluorouracil + oxaliplatin 2020-01-06 x6/14; "
#define BREAST "@C50.911 2020-01-01; "
#define OVARY "@C56.9 2020-01-01; "
#define CARBO "carboplatin + paclitaxel 2020-01-06 x6/21; " /* until 2020-04-20 */

static const struct story_case rows[] = {
    { "SAL-001 a first line is never salvage", LYMPHOMA RCHOP, NULL, NULL, NULL, "no NONE line 1" },
    { "SAL-001 the basis any line: the second is", LYMPHOMA RCHOP "gemcitabine 2020-10-05 x3/21",
      NULL, NULL, NULL, "salvage MEDIUM line 2 unknown SAL-001 SAL-004" },
    { "SAL-002 evidence makes it HIGH",
      LYMPHOMA RCHOP "@C83.30 2020-09-20 relapse; gemcitabine 2020-10-05 x3/21", NULL, NULL, NULL,
      "salvage HIGH line 2 relapsed SAL-001 SAL-002 SAL-004" },
    { "SAL-002 who was in salvage therapy stays in it",
      LYMPHOMA RCHOP "@C83.30 2020-09-20 relapse; gemcitabine 2020-10-05 x3/21; "
                     "lenalidomide 2021-06-01..2021-12-01",
      NULL, NULL, NULL, "salvage HIGH line 3" },
    { "SAL-005 SAL-012 a regimen of later lines only makes a switch HIGH",
      LYMPHOMA RCHOP "rituximab + cisplatin + cytarabine + dexamethasone 2020-10-05 x3/21", NULL,
      NULL, NULL, "salvage HIGH line 2 unknown SAL-001 SAL-004 SAL-005" },
    { "SAL-005 SAL-012 one with earlier uses does not",
      LYMPHOMA RCHOP "rituximab + ifosfamide + carboplatin + etoposide 2020-10-05 x3/21", NULL,
      NULL, NULL, "salvage MEDIUM line 2 unknown SAL-001 SAL-004 SAL-005" },
    { "SAL-006 a transplant after the switch is told",
      LYMPHOMA RCHOP "rituximab + ifosfamide + carboplatin + etoposide 2020-10-05 x3/21; "
                     "carmustine + thiotepa 2020-12-28; !sct 2021-01-04",
      NULL, NULL, NULL, "salvage MEDIUM line 2 unknown SAL-001 SAL-004 SAL-005 SAL-006" },
    { "SAL-007 a gap alone is LOW", LYMPHOMA RCHOP "rituximab 2021-01-05", NULL, NULL, NULL,
      "salvage LOW line 2 unknown SAL-001 SAL-007" },
    { "SAL-007 an added drug alone is LOW",
      "@C90.00 2020-01-01; lenalidomide 2020-01-06..2020-12-01; bortezomib 2020-05-20 x4/21", NULL,
      NULL, NULL, "salvage LOW line 2" },
    { "SAL-008 maintenance of a first line is none",
      "@C34.90 2020-01-01; carboplatin + pemetrexed 2020-01-06 x4/21; pemetrexed 2020-03-30 x10/21",
      NULL, NULL, NULL, "no NONE line 1 unknown !SAL-008" },
    { "SAL-008 maintenance of a salvage line is salvage still",
      OVARY CARBO "@C56.9 2021-05-20 recurrence; carboplatin + gemcitabine 2021-06-01 x6/21; "
                  "olaparib 2021-10-15..2022-10-15",
      NULL, NULL, NULL, "salvage HIGH line 2" },
    { "SAL-009 first remission vetoes",
      LYMPHOMA RCHOP "@C83.30 2020-06-01 remission; gemcitabine 2020-10-05 x3/21", NULL, NULL, NULL,
      "no NONE line 2 in-remission SAL-001 SAL-004 !SAL-009" },
    { "SAL-010 a change for tolerance vetoes",
      COLON "fluorouracil + oxaliplatin 2020-01-06..2020-03-01 stopped toxicity; "
            "irinotecan 2020-03-20 x4/14",
      NULL, NULL, NULL, "no NONE line 2 unknown SAL-001 SAL-004 !SAL-010" },
    { "SAL-010 not when the disease progressed too",
      COLON "fluorouracil + oxaliplatin 2020-01-06..2020-03-01 stopped toxicity; "
            "@C18.9 2020-03-10 recurrence; irinotecan 2020-03-20 x4/14",
      NULL, NULL, NULL, "salvage HIGH line 2" },
    { "SAL-010 not in myeloma, where any change is a line",
      "@C90.00 2020-01-01; lenalidomide 2020-01-06..2020-03-01 stopped toxicity; "
      "bortezomib + cyclophosphamide 2020-03-10 x4/21",
      NULL, NULL, NULL, "salvage MEDIUM line 2 unknown SAL-001 SAL-004" },
    { "SAL-011 LOT-031 the first palliative line after curative therapy is none",
      COLON "fluorouracil + oxaliplatin 2020-01-06 x6/14 curative; @C18.9 2022-01-01 recurrence; "
            "fluorouracil + irinotecan 2022-01-10 x6/14",
      NULL, NULL, NULL, "no NONE line 2 relapsed SAL-002" },
    { "SAL-011 LOT-031 the second one is",
      COLON "fluorouracil + oxaliplatin 2020-01-06 x6/14 curative; @C18.9 2022-01-01 recurrence; "
            "fluorouracil + irinotecan 2022-01-10 x6/14; trifluridine + tipiracil 2022-09-01 x3/28",
      NULL, NULL, NULL, "salvage HIGH line 3" },
    { "LOT-031 curative is not believed when metastases were known",
      COLON "@C78.7 2020-01-01; fluorouracil + oxaliplatin 2020-01-06 x6/14 curative; "
            "fluorouracil + irinotecan 2022-01-10 x6/14",
      NULL, NULL, NULL, "salvage" },
    { "SAL-013 the first regimen on record is one for later lines",
      "@C90.00 2015-01-01; teclistamab 2023-01-02 x4/7", NULL, NULL, NULL,
      "salvage MEDIUM line 1 unknown SAL-013 SAL-001" },
    { "SAL-013 relapse is recorded before the first order",
      LYMPHOMA "@C83.30 2020-09-20 relapse; gemcitabine 2020-10-05 x3/21", NULL, NULL, NULL,
      "salvage MEDIUM line 1 relapsed SAL-013 SAL-001" },
    { "SAL-013 a solid tumour may recur after surgery alone: that is no missing line",
      COLON "@C18.9 2020-09-20 recurrence; fluorouracil + irinotecan 2020-10-05 x6/14", NULL, NULL,
      NULL, "no NONE line 1" },
    { "SAL-017 ovarian: 27 days after platinum is refractory",
      OVARY CARBO "@C56.9 2020-05-17 recurrence; doxorubicin liposomal 2020-05-20 x4/28", NULL,
      NULL, NULL, "salvage HIGH line 2 refractory" },
    { "SAL-017 ovarian: 28 days is resistant",
      OVARY CARBO "@C56.9 2020-05-18 recurrence; doxorubicin liposomal 2020-05-20 x4/28", NULL,
      NULL, NULL, "salvage HIGH line 2 resistant" },
    { "SAL-017 ovarian: 181 days is resistant",
      OVARY CARBO "@C56.9 2020-10-18 recurrence; doxorubicin liposomal 2020-10-20 x4/28", NULL,
      NULL, NULL, "salvage HIGH line 2 resistant" },
    { "SAL-017 ovarian: 182 days is sensitive",
      OVARY CARBO "@C56.9 2020-10-19 recurrence; doxorubicin liposomal 2020-10-20 x4/28", NULL,
      NULL, NULL, "salvage HIGH line 2 sensitive" },
    { "SAL-017 ovarian: a later line without platinum does not make it sensitive",
      OVARY CARBO "@C56.9 2020-08-10 recurrence; doxorubicin liposomal 2020-08-20 x4/28; "
                  "topotecan 2021-01-11 x6/21",
      NULL, NULL, NULL, "salvage HIGH line 3 resistant" },
    { "SAL-017 small cell: 89 days is refractory",
      "@C34.90 2020-01-01; carboplatin + etoposide 2020-01-06 x4/21; @C34.90 2020-06-06 relapse; "
      "topotecan 2020-06-10 x3/21",
      NULL, NULL, NULL, "salvage HIGH line 2 refractory" },
    { "SAL-017 small cell: 90 days is sensitive",
      "@C34.90 2020-01-01; carboplatin + etoposide 2020-01-06 x4/21; @C34.90 2020-06-07 relapse; "
      "topotecan 2020-06-10 x3/21",
      NULL, NULL, NULL, "salvage HIGH line 2 sensitive" },
    { "SAL-017 myeloma: progression 60 days after the last order is refractory",
      "@C90.00 2020-01-01; bortezomib + lenalidomide 2020-01-06..2020-06-01; @C90.02 2020-07-31; "
      "carfilzomib 2020-08-03 x4/7",
      NULL, NULL, NULL, "salvage HIGH line 2 refractory" },
    { "SAL-017 myeloma: 61 days is relapsed",
      "@C90.00 2020-01-01; bortezomib + lenalidomide 2020-01-06..2020-06-01; @C90.02 2020-08-01; "
      "carfilzomib 2020-08-03 x4/7",
      NULL, NULL, NULL, "salvage HIGH line 2 relapsed" },
    { "SAL-017 SAL-021 relapse without a new line: relapsed, no salvage, LOW",
      LYMPHOMA RCHOP "@C83.30 2021-02-01 relapse", NULL, NULL, NULL, "no LOW line 1 relapsed" },
    { "SAL-019 breast: recurrence 182 days after curative therapy counts as failed",
      BREAST "carboplatin + docetaxel + trastuzumab 2020-02-03 x6/21 curative; "
             "@C50.911 2020-11-16 recurrence; trastuzumab deruxtecan 2020-11-20 x4/21",
      NULL, NULL, NULL, "salvage HIGH line 2 relapsed SAL-019 SAL-001" },
    { "SAL-019 breast: one day later it is a first palliative line",
      BREAST "carboplatin + docetaxel + trastuzumab 2020-02-03 x6/21 curative; "
             "@C50.911 2020-11-17 recurrence; trastuzumab deruxtecan 2020-11-20 x4/21",
      NULL, NULL, NULL, "no NONE line 2 relapsed" },
    { "SAL-019 breast: adjuvant hormones do not move the end of therapy",
      BREAST "doxorubicin + cyclophosphamide 2020-02-03 x4/21 curative; "
             "letrozole 2020-05-01..2023-05-01 curative; @C50.911 2023-05-20 recurrence; "
             "fulvestrant + palbociclib 2023-06-01..2024-06-01",
      NULL, NULL, NULL, "no NONE line 2 relapsed" },
    { "SAL-022 a short line before is told",
      COLON "fluorouracil 2020-01-06; irinotecan 2020-03-16 x6/14", NULL, NULL, NULL,
      "salvage LOW line 2 unknown SAL-001 SAL-004 SAL-022" },
    { "SAL-023 a line that only one convention knows is at most MEDIUM",
      "@C56.9 2019-12-01; carboplatin + paclitaxel 2020-01-06 x6/21; carboplatin + paclitaxel "
      "2020-08-19 x3/21; @C56.9 2020-09-01 recurrence",
      NULL, NULL, NULL,
      "salvage MEDIUM line 2 resistant SAL-001 SAL-002 SAL-005 SAL-007 SAL-017 SAL-023" },
    { "SAL-023 a line that both know keeps its grade",
      "@C56.9 2019-12-01; carboplatin + paclitaxel 2020-01-06 x6/21; carboplatin + paclitaxel "
      "2020-11-19 x3/21; @C56.9 2020-12-01 recurrence",
      NULL, NULL, NULL, "salvage HIGH line 2 sensitive SAL-001 SAL-002 SAL-005 SAL-007 SAL-017" },
    { "SAL-023 salvage only by the other convention is told, not graded",
      "@C90.00 2019-12-01; lenalidomide 2020-02-03..2020-06-06; bortezomib 2020-03-16 x4/7", NULL,
      NULL, NULL, "no NONE line 1 unknown SAL-023" },
};

/* LOT-033 */
static const struct name_case {
    const char *name, *story, *regimens;
} names[] = {
    { "LOT-033 by its drugs; steroids may be missing", LYMPHOMA RCHOP, "R-CHOP" },
    { "LOT-033 steroids tell two names apart: with dexamethasone",
      "@C90.00 2020-01-01; lenalidomide 2020-01-06..2020-06-01; dexamethasone 2020-01-06 x4/7",
      "Rd" },
    { "LOT-033 and without", "@C90.00 2020-01-01; lenalidomide 2020-01-06..2020-06-01",
      "lenalidomide" },
    { "LOT-033 a regimen with one drug more has no name",
      LYMPHOMA "rituximab + cyclophosphamide + "
               "doxorubicin + vincristine + lenalidomide 2020-01-06 x6/21",
      "" },
    { "LOT-033 what is added later does not change the name",
      "@C34.90 2020-01-01; carboplatin + pemetrexed 2020-01-06 x4/21; bevacizumab 2020-02-17 x2/21",
      "carboplatin-pemetrexed" },
    { "LOT-033 a cell therapy is named by its product",
      LYMPHOMA RCHOP
      "cyclophosphamide + fludarabine 2020-12-20; axicabtagene ciloleucel 2020-12-26",
      "R-CHOP,axi-cel" },
    { "LOT-033 conditioning does not hide the salvage regimen",
      LYMPHOMA RCHOP "cisplatin + cytarabine + rituximab + dexamethasone 2020-10-05 x3/21; "
                     "carmustine + thiotepa 2020-12-28; !sct 2021-01-04",
      "R-CHOP,R-DHAP" },
};

static void regimens_are_named(void **state)
{
    const struct name_case *row = *state;
    struct story story;
    struct buffer out;
    story_begin(&story);
    buffer_init(&out, 4096);
    story_tell(&story, row->story);
    const struct history *history = story_history(story_derive(&story, "2026-01-01"), NULL);
    for (unsigned i = 0; i < history->line_count; i++)
        buffer_format(&out, "%s%.*s", i > 0 ? "," : "", SLICE_ARGS(history->lines[i].regimen));
    buffer_add_char(&out, '\0');
    assert_string_equal(out.at, row->regimens);
    buffer_fini(&out);
    story_end(&story);
}

/* SAL-018: a class has failed when relapse or a salvage line followed its line. */
static void classes_fail(void **state)
{
    static const struct {
        const char *drug_class;
        bool failed;
    } expected[] = { { "platinum", true }, { "taxane", true }, { "PARP inhibitor", false } };
    struct story story;
    (void)state;
    story_begin(&story);
    story_tell(&story,
               OVARY CARBO "@C56.9 2020-10-18 recurrence; niraparib 2020-10-20..2021-06-01");
    const struct history *history = story_history(story_derive(&story, "2026-01-01"), NULL);
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        unsigned at = 0;
        while (at < history->class_count &&
               !slice_is(history->classes[at].drug_class, expected[i].drug_class))
            at++;
        assert_true(at < history->class_count);
        assert_int_equal(history->classes[at].failed, expected[i].failed);
    }
    story_end(&story);
}

/* SAL-013: no exact number is claimed for a truncated history. */
static void truncated_numbers_have_no_upper_bound(void **state)
{
    struct story story;
    (void)state;
    story_begin(&story);
    story_tell(&story, "@C90.00 2015-01-01; teclistamab 2023-01-02 x4/7");
    const struct history *history = story_history(story_derive(&story, "2026-01-01"), NULL);
    assert_true(history->verdict.history_truncated);
    assert_int_equal(history->lines[0].number, 1);
    assert_int_equal(history->lines[0].number_min, 2);
    assert_int_equal(history->lines[0].number_max, 0);
    story_end(&story);
}

int main(void)
{
    int failed = story_run("therapy_verdict", rows, COUNT_OF(rows));
    struct CMUnitTest tests[COUNT_OF(names) + 2];
    for (size_t i = 0; i < COUNT_OF(names); i++)
        tests[i] = (struct CMUnitTest){ .name = names[i].name,
                                        .test_func = regimens_are_named,
                                        .initial_state = (void *)(uintptr_t)&names[i] };
    tests[COUNT_OF(names)] = (struct CMUnitTest)cmocka_unit_test(classes_fail);
    tests[COUNT_OF(names) + 1] =
        (struct CMUnitTest)cmocka_unit_test(truncated_numbers_have_no_upper_bound);
    return failed + _cmocka_run_group_tests("therapy_names", tests, COUNT_OF(tests), NULL, NULL);
}
