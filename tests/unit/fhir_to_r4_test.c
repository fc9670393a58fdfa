/* DSTU2, STU3 and R5 in the form of R4: what changes, and that nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fhir/to_r4.h"

#define CODING(system, code)                                                   \
    "{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/" system \
    "\",\"code\":\"" code "\"}]}"

/* `becomes` NULL: nothing is to be done. */
static const struct form {
    const char *name, *text, *becomes;
} forms[] = {
    { "R4 stays byte for byte",
      "{ \"resourceType\":\"Condition\", \"clinicalStatus\":{\"coding\":[{\"code\":\"active\"}]} }",
      NULL },
    { "a word of STU3 is a concept of R4, and other members keep their bytes",
      "{\"resourceType\":\"Condition\",\"id\" : \"\\u0063\",\"clinicalStatus\":\"active\","
      "\"verificationStatus\":\"confirmed\",\"x\":[ 1 ]}",
      "{\"resourceType\":\"Condition\",\"id\":\"\\u0063\",\"clinicalStatus\":" CODING(
          "condition-clinical",
          "active") ",\"verificationStatus\":" CODING("condition-ver-status",
                                                      "confirmed") ",\"x\":[ 1 ]}" },
    { "an unknown verification says nothing",
      "{\"resourceType\":\"Condition\",\"verificationStatus\":\"unknown\",\"id\":\"c\"}",
      "{\"resourceType\":\"Condition\",\"id\":\"c\"}" },
    { "patient, assertedDate and dateRecorded have other names",
      "{\"resourceType\":\"Condition\",\"patient\":{\"reference\":\"Patient/"
      "p\"},\"dateRecorded\":\"2001\"}",
      "{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Patient/"
      "p\"},\"recordedDate\":\"2001\"}" },
    { "a MedicationOrder of DSTU2 is an order",
      "{\"resourceType\":\"MedicationOrder\",\"dateWritten\":\"2015-01-15\",\"status\":\"active\","
      "\"patient\":{},\"reasonCodeableConcept\":{\"text\":\"x\"},\"reasonEnded\":{\"text\":\"y\"},"
      "\"reasonReference\":{\"reference\":\"Condition/c\"}}",
      "{\"resourceType\":\"MedicationRequest\",\"intent\":\"order\",\"authoredOn\":\"2015-01-15\","
      "\"status\":\"active\",\"subject\":{},\"reasonCode\":[{\"text\":\"x\"}],\"statusReason\":{"
      "\"text\":\"y\"},"
      "\"reasonReference\":[{\"reference\":\"Condition/c\"}]}" },
    { "one reason becomes a list, a list stays",
      "{\"resourceType\":\"MedicationRequest\",\"reasonReference\":[{}],\"patient\":{}}",
      "{\"resourceType\":\"MedicationRequest\",\"reasonReference\":[{}],\"subject\":{}}" },
    { "a medication of R5 is a concept",
      "{\"resourceType\":\"MedicationRequest\",\"medication\":{\"concept\":{\"text\":\"x\"}},"
      "\"reported\":true}",
      "{\"resourceType\":\"MedicationRequest\",\"medicationCodeableConcept\":{\"text\":\"x\"},"
      "\"reportedBoolean\":true}" },
    { "or a reference",
      "{\"resourceType\":\"MedicationDispense\",\"medication\":{\"reference\":{\"reference\":\"#"
      "m\"}}}",
      "{\"resourceType\":\"MedicationDispense\",\"medicationReference\":{\"reference\":\"#m\"}}" },
    { "the reasons of R5 are two lists",
      "{\"resourceType\":\"MedicationRequest\",\"reason\":[{\"reference\":{\"reference\":"
      "\"Condition/a\"}},"
      "{\"concept\":{\"text\":\"x\"}},{\"reference\":{\"reference\":\"Condition/b\"}}]}",
      "{\"resourceType\":\"MedicationRequest\",\"reasonCode\":[{\"text\":\"x\"}],"
      "\"reasonReference\":["
      "{\"reference\":\"Condition/a\"},{\"reference\":\"Condition/b\"}]}" },
    { "ingredients of R5",
      "{\"resourceType\":\"Medication\",\"ingredient\":[{\"item\":{\"concept\":{\"text\":\"a\"}}},"
      "{\"itemCodeableConcept\":{}},{\"item\":{\"reference\":{\"reference\":\"S/1\"}}}]}",
      "{\"resourceType\":\"Medication\",\"ingredient\":[{\"itemCodeableConcept\":{\"text\":\"a\"}},"
      "{\"itemCodeableConcept\":{}},{\"itemReference\":{\"reference\":\"S/1\"}}]}" },
    { "dates of administrations and procedures",
      "{\"resourceType\":\"Procedure\",\"occurrenceDateTime\":\"2024\"}",
      "{\"resourceType\":\"Procedure\",\"performedDateTime\":\"2024\"}" },
    { "an administration as R5 spells it",
      "{\"resourceType\":\"MedicationAdministration\",\"occurenceDateTime\":\"2024\"}",
      "{\"resourceType\":\"MedicationAdministration\",\"effectiveDateTime\":\"2024\"}" },
    { "the name must be the resource's own: patient of an Observation is nothing of ours",
      "{\"resourceType\":\"Observation\",\"patient\":{}}", NULL },
    { "the type may come last", "{\"patient\":{},\"resourceType\":\"Condition\"}",
      "{\"subject\":{},\"resourceType\":\"Condition\"}" },
    { "an empty list of reasons leaves no list behind",
      "{\"resourceType\":\"Procedure\",\"reason\":[{}]}", "{\"resourceType\":\"Procedure\"}" },
    { "no resource", "[1]", NULL },
    { "no type", "{\"clinicalStatus\":\"active\"}", NULL },
    { "broken text is left for the reader to refuse",
      "{\"resourceType\":\"Condition\",\"clinicalStatus\":\"active\",", NULL },
};

static void form_becomes(void **state)
{
    const struct form *form = *state;
    struct arena arena;
    struct slice out;
    arena_init(&arena, 1 << 20);
    bool is_changed = fhir_to_r4(slice_of(form->text), &arena, &out);
    const char *expected = form->becomes != NULL ? form->becomes : form->text;
    char *seen = strndup(out.at, out.len);
    assert_string_equal(seen, expected);
    assert_int_equal(is_changed, form->becomes != NULL);
    /* once is enough */
    assert_false(is_changed && fhir_to_r4(out, &arena, &out));
    free(seen);
    arena_fini(&arena);
}

int main(void)
{
    static struct CMUnitTest tests[COUNT_OF(forms)];
    for (size_t i = 0; i < COUNT_OF(forms); i++)
        tests[i] = (struct CMUnitTest){ .name = forms[i].name,
                                        .test_func = form_becomes,
                                        .initial_state = (void *)(uintptr_t)&forms[i] };
    return _cmocka_run_group_tests("forms of other versions", tests, COUNT_OF(forms), NULL, NULL);
}
