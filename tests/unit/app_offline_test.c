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

/* Texts with several lines of resources are lines; the shell tells by their shape too. */
static struct offline *gather(bool is_grouped, const char *const *texts, unsigned *refused)
{
    struct offline *offline =
        offline_open(&(struct offline_options){ is_grouped, count_refusal, refused });

    for (unsigned i = 0; i < 3 && texts[i] != NULL; i++) {
        bool is_lines = strstr(texts[i], "}\n{") != NULL || strstr(texts[i], "}\r\n") != NULL;
        offline_add(offline, &(struct offline_source){ "a-file", i + 1, is_lines ? 1 : 0 },
                    slice_of(texts[i]));
    }
    offline_finish(offline);
    return offline;
}

/* "Patient/p1: 2; " of all that is left to hand out. */
static void hand_out(struct offline *offline, char *found, size_t size)
{
    struct arena arena;
    size_t used = 0;
    unsigned first = 0;

    arena_init(&arena, 1 << 24);
    for (struct offline_batch *batch; (batch = offline_next(offline)) != NULL;) {
        assert_int_equal(batch->first, first);
        first += batch->count;
        for (unsigned i = 0; i < batch->count; i++) {
            const struct offline_patient *patient = &batch->patients[i];
            unsigned count = 0;
            struct err err;
            assert_non_null(offline_events(patient, &arena, &count, &err));
            used += (size_t)snprintf(found + used, size - used, "%.*s: %u; ",
                                     SLICE_ARGS(patient->name), count);
            arena_reset(&arena);
        }
        offline_batch_free(offline, batch);
    }
    arena_fini(&arena);
}

static void input_reads_as(void **state)
{
    const struct story *story = *state;
    unsigned refused = 0;
    char found[512] = "";
    struct offline *offline = gather(false, story->texts, &refused);

    hand_out(offline, found, sizeof found);
    assert_string_equal(found, story->patients);
    assert_int_equal(refused, story->refused);
    assert_int_equal(offline_refused_count(offline), story->refused);
    offline_close(offline);
}

/* --- grouped ---------------------------------------------------------------------------------- */

static const struct story grouped[] = {
    { "grouped: lines of one patient after the other",
      { PATIENT("p1") "\n" ORDER("\"id\":\"m1\",", "Patient/p1", DRUG) "\n" PATIENT(
          "p2") "\n" ORDER("\"id\":\"m2\",", "Patient/p2", DRUG) },
      "Patient/p1: 2; Patient/p2: 2; ",
      0 },
    { "grouped: a patient may go on in the next file",
      { PATIENT("p1"), ORDER("\"id\":\"m1\",", "Patient/p1", DRUG), PATIENT("p2") },
      "Patient/p1: 2; Patient/p2: 1; ",
      0 },
    { "grouped: a patient that comes again is refused and named, never counted twice",
      { PATIENT("p1") "\n" PATIENT("p2") "\n" ORDER(
          "\"id\":\"m1\",", "Patient/p1", DRUG) "\n" ORDER("\"id\":\"m2\",", "Patient/p2", DRUG) },
      "Patient/p1: 1; Patient/p2: 2; ",
      1 },
    { "grouped: the patients of one Bundle may alternate, also with the next Bundle's",
      { BUNDLE(ENTRY("http://e/Patient/p1", PATIENT("p1")) "," ENTRY(
            "http://e/Patient/p2",
            PATIENT("p2")) "," ENTRY("http://e/x", ORDER("\"id\":\"m1\",", "Patient/p1", DRUG))),
        BUNDLE(ENTRY("http://e/y", ORDER("\"id\":\"m2\",", "Patient/p2", DRUG)) "," ENTRY(
            "http://e/z", ORDER("\"id\":\"m3\",", "Patient/p1", DRUG))),
        PATIENT("p3") },
      "Patient/p1: 3; Patient/p2: 2; Patient/p3: 1; ",
      0 },
    { "grouped: a patient by identifier is the one whose resource bears it",
      { "{\"resourceType\":\"Patient\",\"id\":\"p1\",\"identifier\":[{\"system\":\"urn:mrn\","
        "\"value\":"
        "\"7\"}]}\n{\"resourceType\":\"MedicationRequest\",\"id\":\"m1\",\"status\":\"active\","
        "\"intent\":"
        "\"order\",\"subject\":{\"identifier\":{\"system\":\"urn:mrn\",\"value\":\"7\"}}," DRUG
        "}" },
      "Patient/p1: 2; ",
      0 },
    { "grouped: a resource that comes twice in its group counts once",
      { PATIENT("p1") "\n" ORDER("\"id\":\"m1\",", "Patient/p1",
                                 DRUG) "\n" ORDER("\"id\":\"m1\",", "Patient/p1", DRUG) },
      "Patient/p1: 2; ",
      0 },
};

static void grouped_input_reads_as(void **state)
{
    const struct story *story = *state;
    unsigned refused = 0;
    char found[512] = "";
    struct offline *offline = gather(true, story->texts, &refused);

    hand_out(offline, found, sizeof found);
    assert_string_equal(found, story->patients);
    assert_int_equal(refused, story->refused);
    offline_close(offline);
}

/* --- Medications ------------------------------------------------------------------------------ */

#define REFERS(id, patient)              \
    ORDER("\"id\":\"" id "\",", patient, \
          "\"medicationReference\":{\"reference\":\"Medication/d1\"}")

/* Wherever the Medication comes, the order has its codes; `lent` says of how many orders. */
static const struct lending {
    const char *name;
    bool is_grouped;
    const char *texts[3];
    unsigned lent;
} lendings[] = {
    { "a Medication in a later file lends its codes",
      false,
      { REFERS("m1", "Patient/p1"), MEDICATION("d1") },
      1 },
    { "a Medication of the same Bundle lends its codes",
      false,
      { BUNDLE(ENTRY("http://e/Medication/d1",
                     MEDICATION("d1")) "," ENTRY("http://e/x", REFERS("m1", "Patient/p1"))) },
      1 },
    { "grouped: Medications before the first patient serve all",
      true,
      { MEDICATION("d1"), REFERS("m1", "Patient/p1"), REFERS("m2", "Patient/p2") },
      2 },
    { "grouped: a Medication between two patients serves both",
      true,
      { REFERS("m1", "Patient/p1"), MEDICATION("d1"), REFERS("m2", "Patient/p2") },
      2 },
    { "grouped: a Medication in the Bundle of a patient serves the lines behind it",
      true,
      { BUNDLE(ENTRY("http://e/Medication/d1", MEDICATION("d1")) "," ENTRY("http://e/Patient/p1",
                                                                           PATIENT("p1"))),
        REFERS("m1", "Patient/p1") },
      1 },
};

static void a_medication_lends_its_codes(void **state)
{
    const struct lending *row = *state;
    unsigned refused = 0, lent = 0;
    struct arena arena;
    struct offline *offline = gather(row->is_grouped, row->texts, &refused);

    assert_int_equal(refused, 0);
    arena_init(&arena, 1 << 24);
    for (struct offline_batch *batch; (batch = offline_next(offline)) != NULL;) {
        for (unsigned i = 0; i < batch->count; i++) {
            unsigned count = 0;
            struct err err;
            struct event *events = offline_events(&batch->patients[i], &arena, &count, &err);
            assert_non_null(events);
            for (unsigned k = 0; k < count; k++) {
                if (events[k].type != FHIR_MEDICATION_REQUEST || !events[k].medication_resolved)
                    continue;
                assert_int_equal(events[k].medication.count, 1);
                assert_true(slice_is(events[k].medication.codings[0].code, "40048"));
                lent++;
            }
        }
        offline_batch_free(offline, batch);
    }
    assert_int_equal(lent, row->lent);
    arena_fini(&arena);
    offline_close(offline);
}

static void thousands_of_patients_find_their_events(void **state)
{
    (void)state;
    enum { PATIENTS = 3000 };
    static char text[PATIENTS * 2 * 256];
    unsigned refused = 0, patients = 0;
    size_t used = 0;
    struct offline *offline =
        offline_open(&(struct offline_options){ false, count_refusal, &refused });

    for (unsigned i = 0; i < 2 * PATIENTS; i++)
        used +=
            (size_t)snprintf(text + used, sizeof text - used,
                             ORDER("\"id\":\"m%u\",", "Patient/p%u", DRUG) "\n", i, i % PATIENTS);
    offline_add(offline, &(struct offline_source){ "many", 1, 1 }, (struct slice){ text, used });
    offline_finish(offline);
    assert_int_equal(offline_patient_count(offline), PATIENTS);
    for (struct offline_batch *batch; (batch = offline_next(offline)) != NULL;) {
        for (unsigned i = 0; i < batch->count; i++, patients++)
            assert_int_equal(batch->patients[i].count, 2);
        offline_batch_free(offline, batch);
    }
    assert_int_equal(patients, PATIENTS);
    offline_close(offline);
}

static struct CMUnitTest row_test(const char *name, CMUnitTestFunction run, const void *row)
{
    return (struct CMUnitTest){ .name = name,
                                .test_func = run,
                                .initial_state = (void *)(uintptr_t)row };
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(stories) + COUNT_OF(grouped) + COUNT_OF(lendings) + 1];
    size_t count = 0;

    for (size_t i = 0; i < COUNT_OF(stories); i++)
        tests[count++] = row_test(stories[i].name, input_reads_as, &stories[i]);
    for (size_t i = 0; i < COUNT_OF(grouped); i++)
        tests[count++] = row_test(grouped[i].name, grouped_input_reads_as, &grouped[i]);
    for (size_t i = 0; i < COUNT_OF(lendings); i++)
        tests[count++] = row_test(lendings[i].name, a_medication_lends_its_codes, &lendings[i]);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(thousands_of_patients_find_their_events);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
