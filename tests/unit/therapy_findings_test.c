/* What Procedures and Observations say: procedures.tsv, observations.tsv, observation_values.tsv. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/therapy/story.h"

#define SCT "http://snomed.info/sct"
#define PCS "http://hl7.org/fhir/sid/icd-10-pcs"

static struct concept concept_of(const char *uri, const char *code, const char *text,
                                 struct coding *coding)
{
    *coding = (struct coding){ code_system_of(slice_of(uri)), slice_of(uri), slice_of(code) };
    return (struct concept){ coding, code[0] != '\0', slice_of(text) };
}

static const struct procedure_case {
    const char *name, *uri, *code, *text;
    enum procedure_kind kind;
    const char *drug; /* NULL: none */
} procedures[] = {
    { "an autologous transplant by SNOMED CT", SCT, "58776007", "", PROCEDURE_TRANSPLANT_AUTOLOGOUS,
      NULL },
    { "an allogeneic one by ICD-10-PCS, under the older URI",
      "http://www.cms.gov/Medicare/Coding/ICD10", "30243Y2", "", PROCEDURE_TRANSPLANT_ALLOGENEIC,
      NULL },
    { "a code that names the product gives it", PCS, "XW033H7", "", PROCEDURE_CELL_THERAPY,
      "axicabtagene ciloleucel" },
    { "one that does not gives an unspecified one", SCT, "1156961008", "", PROCEDURE_CELL_THERAPY,
      "unspecified cell therapy" },
    { "a known code comes before the words", SCT, "71192002", "haemodialysis",
      PROCEDURE_PERITONEAL_DIALYSIS, NULL },
    { "an unknown code leaves the words", SCT, "12345", "Autologous stem cell transplantation",
      PROCEDURE_TRANSPLANT_AUTOLOGOUS, NULL },
    { "the longest words count: whose cells they are", "", "",
      "Allogeneic stem cell transplant, matched sibling", PROCEDURE_TRANSPLANT_ALLOGENEIC, NULL },
    { "words without that say only that there was one", "", "", "stem cell transplant day 0",
      PROCEDURE_TRANSPLANT_CELLS, NULL },
    { "no transplant", "", "", "no kidney transplant", PROCEDURE_NONE, NULL },
    { "a transplant of long ago", "", "", "history of kidney transplant", PROCEDURE_NONE, NULL },
    { "a transplant that was declined", "", "", "kidney transplant declined", PROCEDURE_NONE,
      NULL },
    { "a mammography", SCT, "71651007", "Mammography (procedure)", PROCEDURE_NONE, NULL },
};

static void procedure_resolves_to(void **state)
{
    const struct procedure_case *row = *state;
    struct arena arena;
    struct coding coding;
    struct event event = { .type = FHIR_PROCEDURE,
                           .code = concept_of(row->uri, row->code, row->text, &coding) };
    arena_init(&arena, 1 << 16);
    mapping_resolve(story_mapping(), &event, &arena);
    assert_int_equal(event.procedure, row->kind);
    assert_int_equal(event.drug_count, row->drug != NULL);
    if (row->drug != NULL)
        assert_true(slice_is(event.drugs[0]->name, row->drug));
    assert_false(event.is_unmapped); /* most Procedures are none of our business */
    arena_fini(&arena);
}

static const struct observation_case {
    const char *name, *uri, *code, *text, *value_code, *value_text;
    enum observation_kind kind;
    enum finding_value finding;
} observations[] = {
    { "mCODE: worsened", "http://loinc.org", "97509-4", "", "271299001", "",
      OBSERVATION_DISEASE_STATUS, FINDING_WORSENED },
    { "mCODE: improved, in words", "urn:oid:2.16.840.1.113883.6.1", "97509-4", "", "",
      "Partial response", OBSERVATION_DISEASE_STATUS, FINDING_IMPROVED },
    { "no evidence of disease is a finding, though it begins with no", "http://loinc.org",
      "97509-4", "", "", "No evidence of disease", OBSERVATION_DISEASE_STATUS, FINDING_REMISSION },
    { "no progression is none", "http://loinc.org", "97509-4", "", "", "no progression",
      OBSERVATION_DISEASE_STATUS, FINDING_NONE },
    { "a value that no table knows", "http://loinc.org", "97509-4", "", "12345", "",
      OBSERVATION_DISEASE_STATUS, FINDING_NONE },
    { "a viral load below what can be measured", "http://loinc.org", "20447-9", "", "260415000", "",
      OBSERVATION_HIV_VIRAL_LOAD, FINDING_NOT_DETECTED },
    { "a body weight is none of our business, whatever it says", "http://loinc.org", "29463-7", "",
      "271299001", "", OBSERVATION_NONE, FINDING_NONE },
};

static void observation_resolves_to(void **state)
{
    const struct observation_case *row = *state;
    struct arena arena;
    struct coding coding, value;
    struct event event = { .type = FHIR_OBSERVATION,
                           .code = concept_of(row->uri, row->code, row->text, &coding),
                           .value_concept =
                               concept_of(SCT, row->value_code, row->value_text, &value) };
    arena_init(&arena, 1 << 16);
    mapping_resolve(story_mapping(), &event, &arena);
    assert_int_equal(event.observation, row->kind);
    assert_int_equal(event.finding, row->finding);
    assert_false(event.is_unmapped);
    arena_fini(&arena);
}

/* A site's table with a mistake is told where it is. */
static void a_wrong_row_is_told(void **state)
{
    static const struct {
        const char *file, *from, *to, *where;
    } edits[] = {
        { "procedures.tsv", "transplant_autologous\t-", "transplant_of_hope\t-", "kind" },
        { "procedures.tsv", "cell_therapy\taxicabtagene ciloleucel", "cell_therapy\taxi",
          "ingredient" },
        { "observations.tsv", "disease_status\tFHIRIG", "disease_state\tFHIRIG", "kind" },
        { "observation_values.tsv", "worsened\tFHIRIG", "wors\tFHIRIG", "meaning" },
        { "observation_values.tsv", "359746009", "268910001", "code" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(edits); i++) {
        static struct table_errors errors;
        errors.count = 0;
        assert_false(story_load_edited(edits[i].file, edits[i].from, edits[i].to, &errors));
        assert_true(errors.count > 0);
        assert_non_null(strstr(errors.list[0].where, edits[i].file));
        if (strstr(errors.list[0].where, edits[i].where) == NULL &&
            strncmp(errors.list[0].what, edits[i].where, strlen(edits[i].where)) != 0)
            fail_msg("%s %s", errors.list[0].where, errors.list[0].what);
    }
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(procedures) + COUNT_OF(observations) + 1];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(procedures); i++)
        tests[count++] = (struct CMUnitTest){ .name = procedures[i].name,
                                              .test_func = procedure_resolves_to,
                                              .initial_state = (void *)(uintptr_t)&procedures[i] };
    for (size_t i = 0; i < COUNT_OF(observations); i++)
        tests[count++] =
            (struct CMUnitTest){ .name = observations[i].name,
                                 .test_func = observation_resolves_to,
                                 .initial_state = (void *)(uintptr_t)&observations[i] };
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(a_wrong_row_is_told);
    return _cmocka_run_group_tests("therapy_findings", tests, count, NULL, NULL);
}
