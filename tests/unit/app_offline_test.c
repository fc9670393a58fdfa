/* FHIR files without a server: which patients come out of which texts, and with how many events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/offline.h"

#define ORDER(id, subject, medication)                                                          \
    "{\"resourceType\":\"MedicationRequest\"," id "\"status\":\"active\",\"intent\":\"order\"," \
    "\"subject\":{\"reference\":\"" subject "\"},\"authoredOn\":\"2024-01-08\"," medication "}"
#define DRUG "\"medicationCodeableConcept\":{\"text\":\"carboplatin\"}"
#define PATIENT(id) "{\"resourceType\":\"Patient\",\"id\":\"" id "\"}"
#define MEDICATION(id)                                                                      \
    "{\"resourceType\":\"Medication\",\"id\":\"" id "\",\"code\":{\"coding\":[{\"system\":" \
    "\"http://www.nlm.nih.gov/research/umls/rxnorm\",\"code\":\"40048\"}]}}"
#define BUNDLE(entries) \
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[" entries "]}"
#define ENTRY(url, resource) "{\"fullUrl\":\"" url "\",\"resource\":" resource "}"

struct story {
    const char *name;
    const char *texts[3];
    const char *patients; /* "Patient/p1: events; ..." in order */
    unsigned refused;
};

static const struct story stories[] = {
    { "a single resource names its patient",
      { ORDER("\"id\":\"m1\",", "Patient/p1", DRUG) },
      "Patient/p1: 1; ",
      0 },
    { "lines of NDJSON are resources",
      { PATIENT("p1") "\n" ORDER("\"id\":\"m1\",", "Patient/p1",
                                 DRUG) "\r\n\n" PATIENT("p2") "\n" },
      "Patient/p1: 2; Patient/p2: 1; ",
      0 },
    { "several files are one input",
      { PATIENT("p1"), ORDER("\"id\":\"m1\",", "Patient/p1", DRUG),
        ORDER("\"id\":\"m2\",", "Patient/p1", DRUG) },
      "Patient/p1: 3; ",
      0 },
    { "urn:uuid references are followed, also to an entry that comes later",
      { BUNDLE(ENTRY("urn:uuid:11111111-1111-4111-8111-111111111111",
                     ORDER("", "urn:uuid:22222222-2222-4222-8222-222222222222",
                           DRUG)) "," ENTRY("urn:uuid:22222222-2222-4222-8222-222222222222",
                                            PATIENT("p9"))) },
      "Patient/p9: 2; ",
      0 },
    { "an absolute reference means the resource it ends with",
      { ORDER("\"id\":\"m1\",", "https://ehr.example/fhir/Patient/p1/_history/3", DRUG) },
      "Patient/p1: 1; ",
      0 },
    { "a patient known only by identifier is one patient",
      { "{\"resourceType\":\"MedicationRequest\",\"id\":\"m1\",\"status\":\"active\",\"intent\":"
        "\"order\",\"subject\":{\"identifier\":{\"system\":\"urn:mrn\",\"value\":\"7\"}}," DRUG
        "}" },
      "identifier urn:mrn|7: 1; ",
      0 },
    { "a resource that comes twice counts once: the last one",
      { ORDER("\"id\":\"m1\",", "Patient/p1", DRUG), ORDER("\"id\":\"m1\",", "Patient/p2", DRUG) },
      "Patient/p2: 1; ",
      0 },
    { "broken JSON is refused, the rest is used",
      { "{\"resourceType\":", ORDER("\"id\":\"m1\",", "Patient/p1", DRUG) },
      "Patient/p1: 1; ",
      1 },
    { "one bad line of NDJSON costs only itself",
      { PATIENT("p1") "\n{\"resourceType\":\"Patient\",\"id\":7}\n" PATIENT("p2") },
      "Patient/p1: 1; Patient/p2: 1; ",
      1 },
    { "types that tell nothing about therapy are left alone",
      { "{\"resourceType\":\"Practitioner\",\"id\":\"d1\"}" },
      "",
      0 },
    { "resources of DSTU2, STU3 and R5 are read as R4, alone or in a Bundle",
      { "{\"resourceType\":\"MedicationOrder\",\"id\":\"m1\",\"status\":\"active\",\"patient\":"
        "{\"reference\":\"Patient/p1\"}," DRUG "}",
        BUNDLE(ENTRY("urn:uuid:1",
                     "{\"resourceType\":\"Condition\",\"id\":\"c1\",\"subject\":"
                     "{\"reference\":\"Patient/p1\"},\"clinicalStatus\":\"active\"}")),
        "{\"resourceType\":\"MedicationRequest\",\"id\":\"m2\",\"status\":\"active\",\"intent\":"
        "\"order\",\"subject\":{\"reference\":\"Patient/p1\"},\"medication\":{\"concept\":"
        "{\"text\":\"cisplatin\"}}}" },
      "Patient/p1: 3; ",
      0 },
    { "Bundles inside a Bundle are opened",
      { BUNDLE(ENTRY("urn:uuid:1", BUNDLE(ENTRY("urn:uuid:2", PATIENT("p1"))))) },
      "Patient/p1: 1; ",
      0 },
    { "what is wrong with a type that tells nothing about therapy is nobody's business",
      { BUNDLE(ENTRY("urn:uuid:1", "{\"resourceType\":\"MeasureReport\",\"modifierExtension\":"
                                   "[{\"url\":\"x\"}]}")) },
      "",
      0 },
    { "a byte order mark is no fault", { "\xef\xbb\xbf" PATIENT("p1") }, "Patient/p1: 1; ", 0 },
    { "nothing is nothing to read", { "  \n" }, "", 1 },
};

static void count_refusal(void *ctx, const char *source, unsigned line, const struct err *err)
{
    unsigned *count = ctx;

    (void)line;
    assert_non_null(source);
    assert_true(err->what[0] != '\0');
    *count += 1;
}

static void input_reads_as(void **state)
{
    const struct story *story = *state;
    unsigned refused = 0;
    char found[512] = "";
    size_t used = 0;
    struct offline *offline = offline_open(count_refusal, &refused);

    for (unsigned i = 0; i < COUNT_OF(story->texts) && story->texts[i] != NULL; i++)
        offline_add(offline, "a-file", slice_of(story->texts[i]));
    offline_finish(offline);
    for (unsigned i = 0; i < offline_patient_count(offline); i++) {
        const struct offline_patient *patient = offline_patient(offline, i);
        used += (size_t)snprintf(found + used, sizeof found - used, "%.*s: %u; ",
                                 SLICE_ARGS(patient->name), patient->count);
    }
    assert_string_equal(found, story->patients);
    assert_int_equal(refused, story->refused);
    assert_int_equal(offline_refused_count(offline), story->refused);
    offline_close(offline);
}

/* The order may come before the Medication it refers to, in another file. */
static void a_medication_lends_its_codes(void **state)
{
    (void)state;
    unsigned refused = 0;
    struct offline *offline = offline_open(count_refusal, &refused);

    offline_add(offline, "a",
                SLICE(ORDER("\"id\":\"m1\",", "Patient/p1",
                            "\"medicationReference\":{\"reference\":\"Medication/d1\"}")));
    offline_add(offline, "b", SLICE(MEDICATION("d1")));
    offline_finish(offline);
    assert_int_equal(refused, 0);
    assert_int_equal(offline_patient_count(offline), 1);
    const struct event *event = offline_patient(offline, 0)->events[0];
    assert_true(event->medication_resolved);
    assert_int_equal(event->medication.count, 1);
    assert_true(slice_is(event->medication.codings[0].code, "40048"));
    offline_close(offline);
}

static void thousands_of_patients_find_their_events(void **state)
{
    (void)state;
    enum { PATIENTS = 3000 };
    static char text[PATIENTS * 2 * 256];
    unsigned refused = 0;
    size_t used = 0;
    struct offline *offline = offline_open(count_refusal, &refused);

    for (unsigned i = 0; i < 2 * PATIENTS; i++)
        used +=
            (size_t)snprintf(text + used, sizeof text - used,
                             ORDER("\"id\":\"m%u\",", "Patient/p%u", DRUG) "\n", i, i % PATIENTS);
    offline_add(offline, "many", (struct slice){ text, used });
    offline_finish(offline);
    assert_int_equal(offline_patient_count(offline), PATIENTS);
    for (unsigned i = 0; i < PATIENTS; i++)
        assert_int_equal(offline_patient(offline, i)->count, 2);
    offline_close(offline);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(stories) + 2];
    size_t count = 0;

    for (; count < COUNT_OF(stories); count++)
        tests[count] = (struct CMUnitTest){ .name = stories[count].name,
                                            .test_func = input_reads_as,
                                            .initial_state = (void *)(uintptr_t)&stories[count] };
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(a_medication_lends_its_codes);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(thousands_of_patients_find_their_events);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
