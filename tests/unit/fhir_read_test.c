/* Reading beyond what the golden files show: references, rewriting, memory, types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "fhir/read_int.h"

/* --- local references ------------------------------------------------------------------------ */

static const struct reference_row {
    const char *name, *reference, *local;
} references[] = {
    { "relative", "Patient/1", "Patient/1" },
    { "with a version", "Patient/1/_history/2", "Patient/1" },
    { "under the base", "https://ehr.example/fhir/Patient/p-1.x", "Patient/p-1.x" },
    { "under the base with a version", "https://ehr.example/fhir/Patient/1/_history/2",
      "Patient/1" },
    { "under another base", "http://old.example/r4/Condition/9", "Condition/9" },
    { "on another server", "https://elsewhere.example/fhir/Patient/1", "" },
    { "under a base that only starts alike", "https://ehr.example/fhir2/Patient/1", "" },
    { "the base itself", "https://ehr.example/fhir", "" },
    { "a urn", "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7", "" },
    { "contained", "#p1", "" },
    { "conditional", "Patient?identifier=1", "" },
    { "no id", "Patient/", "" },
    { "no type", "/1", "" },
    { "type in lower case", "patient/1", "" },
    { "an id with a blank", "Patient/a b", "" },
    { "an id that is too long",
      "Patient/12345678901234567890123456789012345678901234567890123456789012345", "" },
    { "something behind the id", "Patient/1/name", "" },
    { "history without a version", "Patient/1/_history/", "" },
    { "two slashes", "Patient//1", "" },
    { "nothing", "", "" },
};

static void reference_is_local(void **state)
{
    const struct reference_row *row = *state;
    static const struct slice bases[] = { { "https://ehr.example/fhir", 24 },
                                          { "http://old.example/r4/", 22 },
                                          { "", 0 } };
    struct slice local = fhir_local_reference(slice_of(row->reference), bases, COUNT_OF(bases));
    assert_true(slice_is(local, row->local));
}

/* --- rewriting ------------------------------------------------------------------------------- */

struct replacement {
    const char *from, *to;
};

static struct slice replace(void *ctx, struct slice value)
{
    const struct replacement *list = ctx;
    for (; list->from != NULL; list++)
        if (slice_is(value, list->from))
            return slice_of(list->to);
    return SLICE("");
}

static const struct rewriting {
    const char *name, *source;
    struct replacement replacements[4];
    const char *rewritten;
} rewritings[] = {
    { "references everywhere",
      "{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"urn:uuid:1\"},\"x\":[{"
      "\"reference\":"
      "\"urn:uuid:2\"}],\"y\":{\"reference\":\"urn:uuid:1\"}}",
      { { "urn:uuid:1", "Patient/a" }, { "urn:uuid:2", "Practitioner/a-longer-name" } },
      "{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Patient/"
      "a\"},\"x\":[{\"reference\":"
      "\"Practitioner/a-longer-name\"}],\"y\":{\"reference\":\"Patient/a\"}}" },
    { "escaped slashes",
      "{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"http:\\/\\/a\\/Patient\\/1\"}}",
      { { "http://a/Patient/1", "Patient/1" } },
      "{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Patient/1\"}}" },
    { "escapes before the string",
      "{\"resourceType\":\"Condition\",\"a\":\"\\\\\",\"subject\":{\"reference\":\"urn:uuid:"
      "\\u0031\"}}",
      { { "urn:uuid:1", "Patient/1" } },
      "{\"resourceType\":\"Condition\",\"a\":\"\\\\\",\"subject\":{\"reference\":\"Patient/1\"}}" },
    { "an escaped quote inside",
      "{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"urn:uuid:a\\\\\\\"b\"}}",
      { { "urn:uuid:a\\\"b", "Patient/1" } },
      "{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Patient/1\"}}" },
    { "what must be escaped is",
      "{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"urn:uuid:1\"}}",
      { { "urn:uuid:1", "a\"b\\c\n" } },
      "{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"a\\u0022b\\u005cc\\u000a\"}}" },
    { "url and uri elements, but no canonical and no identifier",
      "{\"resourceType\":\"DocumentReference\",\"identifier\":[{\"system\":\"http://s\",\"value\":"
      "\"urn:uuid:1\"}],\"content\":[{\"attachment\":{\"url\":\"urn:uuid:1\"}}],\"extension\":[{"
      "\"url\":"
      "\"urn:uuid:1\",\"valueUri\":\"urn:uuid:1\"},{\"url\":\"x\",\"valueCanonical\":\"urn:uuid:"
      "1\"},"
      "{\"url\":\"x\",\"valueOid\":\"urn:oid:1\"},{\"url\":\"x\",\"valueUuid\":\"urn:uuid:1\"}]}",
      { { "urn:uuid:1", "A/1" }, { "urn:oid:1", "B/1" } },
      "{\"resourceType\":\"DocumentReference\",\"identifier\":[{\"system\":\"http://s\",\"value\":"
      "\"urn:uuid:1\"}],\"content\":[{\"attachment\":{\"url\":\"A/1\"}}],\"extension\":[{\"url\":"
      "\"urn:uuid:1\",\"valueUri\":\"A/1\"},{\"url\":\"x\",\"valueCanonical\":\"urn:uuid:1\"},"
      "{\"url\":\"x\",\"valueOid\":\"B/1\"},{\"url\":\"x\",\"valueUuid\":\"A/1\"}]}" },
    { "links in the narrative",
      "{\"resourceType\":\"Condition\",\"text\":{\"div\":\"<div><a href=\\\"urn:uuid:1\\\">a</a><a "
      "title='x=' href='urn:uuid:2'>urn:uuid:1</a><img src=\\\"http://h/1\\\"/></div>\"},"
      "\"subject\":{\"reference\":\"urn:uuid:1\"}}",
      { { "urn:uuid:1", "P/1" }, { "urn:uuid:2", "P/2" }, { "http://h/1", "B/1" } },
      "{\"resourceType\":\"Condition\",\"text\":{\"div\":\"<div><a href=\\\"P/1\\\">a</a><a "
      "title='x=' href='P/2'>urn:uuid:1</a><img src=\\\"B/1\\\"/></div>\"},"
      "\"subject\":{\"reference\":\"P/1\"}}" },
    { "nothing to change",
      "{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Patient/1\"}}",
      { { "urn:uuid:1", "P/1" } },
      "{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Patient/1\"}}" },
};

static void is_rewritten_as(void **state)
{
    const struct rewriting *row = *state;
    struct fhir_resource resource;
    struct arena arena;
    struct err err;
    arena_init(&arena, 1 << 16);
    assert_true(fhir_read(slice_of(row->source), FHIR_NONE, &arena, &resource, &err) ||
                err.code == ERR_REQUIRED);
    void *list = (void *)(uintptr_t)row->replacements;
    assert_true(fhir_rewrite(&resource, replace, list, &arena, &err));
    assert_true(slice_is(resource.source, row->rewritten));
    for (unsigned i = 0; i < resource.patch_count; i++) { /* the patches moved along */
        const struct fhir_patch *patch = &resource.patches[i];
        assert_true(patch->offset + patch->len <= resource.source.len);
        assert_true(patch->target == NULL || slice_eq(*patch->target, patch->value));
    }
    struct slice once = resource.source;
    assert_true(fhir_rewrite(&resource, replace, list, &arena, &err));
    assert_true(slice_eq(resource.source, once));
    arena_fini(&arena);
}

static void the_event_follows_the_rewriting(void **state)
{
    (void)state;
    static const struct replacement list[] = {
        { "urn:uuid:p", "Patient/new" },   { "urn:uuid:m", "Medication/new" },
        { "urn:uuid:c", "Condition/new" }, { "urn:uuid:o", "MedicationRequest/new" },
        { "urn:uuid:e", "Encounter/new" }, { NULL, NULL }
    };
    struct slice body = SLICE(
        "{\"resourceType\":\"MedicationRequest\",\"status\":\"active\",\"intent\":\"order\","
        "\"subject\":{\"reference\":\"urn:uuid:p\"},\"medicationReference\":{\"reference\":"
        "\"urn:uuid:m\"},\"reasonReference\":[{\"reference\":\"Condition/1\"},{\"reference\":"
        "\"urn:uuid:c\"}],\"basedOn\":[{\"reference\":\"urn:uuid:o\"}],\"priorPrescription\":{"
        "\"reference\":\"urn:uuid:o\"},\"encounter\":{\"reference\":\"urn:uuid:e\"}}");
    struct fhir_resource resource;
    struct arena arena;
    struct err err;
    arena_init(&arena, 1 << 16);
    assert_true(fhir_read(body, FHIR_MEDICATION_REQUEST, &arena, &resource, &err));
    assert_true(fhir_rewrite(&resource, replace, (void *)(uintptr_t)list, &arena, &err));
    assert_true(slice_is(resource.subject, "Patient/new"));
    assert_true(slice_is(resource.event.medication_reference, "Medication/new"));
    assert_true(slice_is(resource.event.reason_references[0], "Condition/1"));
    assert_true(slice_is(resource.event.reason_references[1], "Condition/new"));
    assert_true(slice_is(resource.event.based_on[0], "MedicationRequest/new"));
    assert_true(slice_is(resource.event.prior_prescription, "MedicationRequest/new"));
    assert_true(slice_is(resource.event.encounter, "Encounter/new"));
    arena_fini(&arena);
}

/* --- the rest -------------------------------------------------------------------------------- */

static void another_type_than_asked_for_is_said_first(void **state)
{
    (void)state;
    struct fhir_resource resource;
    struct arena arena;
    struct err err;
    arena_init(&arena, 1 << 16);
    assert_false(fhir_read(SLICE("{\"resourceType\":\"Condition\",\"code\":1}"), FHIR_PATIENT,
                           &arena, &resource, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(err.where, "resourceType");
    arena_fini(&arena);
}

static void a_fault_before_the_type_is_named_with_the_type(void **state)
{
    (void)state;
    struct fhir_resource resource;
    struct arena arena;
    struct err err;
    arena_init(&arena, 1 << 16);
    assert_false(fhir_read(SLICE("{\"code\":1,\"resourceType\":\"Condition\"}"), FHIR_NONE, &arena,
                           &resource, &err));
    assert_int_equal(err.code, ERR_VALUE);
    assert_string_equal(err.where, "Condition.code");
    assert_false(fhir_read(SLICE("{\"status\":\"\",\"resourceType\":\"Condition\"}"), FHIR_NONE,
                           &arena, &resource, &err));
    assert_string_equal(err.where, "Condition.status");
    /* what is a fault of another type only is none */
    assert_true(
        fhir_read(SLICE("{\"code\":\"text\",\"id\":\"x\",\"resourceType\":\"SearchParameter\"}"),
                  FHIR_NONE, &arena, &resource, &err));
    assert_int_equal(resource.type, FHIR_NONE);
    arena_fini(&arena);
}

static void the_source_is_the_resource_without_its_surroundings(void **state)
{
    (void)state;
    struct fhir_resource resource;
    struct arena arena;
    struct err err;
    arena_init(&arena, 1 << 16);
    assert_true(fhir_read(SLICE("\xef\xbb\xbf \n{\"resourceType\":\"Patient\"} \n"), FHIR_NONE,
                          &arena, &resource, &err));
    assert_true(slice_is(resource.source, "{\"resourceType\":\"Patient\"}"));
    arena_fini(&arena);
}

/* Every limit of memory either suffices or is told as such; ASan sees the rest. */
static void memory_that_runs_out_is_said(void **state)
{
    (void)state;
    struct slice body = SLICE(
        "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{\"resource\":{"
        "\"resourceType\":"
        "\"MedicationRequest\",\"status\":\"active\",\"intent\":\"order\",\"subject\":{"
        "\"reference\":"
        "\"Patient\\/1\"},\"identifier\":[{\"system\":\"a\",\"value\":\"b\"}],\"contained\":[{"
        "\"resourceType\":\"Medication\",\"id\":\"m\",\"code\":{\"coding\":[{\"code\":\"\\u0031\"}]"
        "}}],"
        "\"medicationReference\":{\"reference\":\"#m\"},\"reasonReference\":[{\"reference\":\"C\\/"
        "1\"}]}"
        "}]}");
    unsigned refused = 0, read = 0;
    for (size_t limit = 16; limit < 12000; limit += 16) {
        struct fhir_bundle bundle;
        struct arena arena;
        struct err err = { .code = ERR_OK };
        arena_init(&arena, limit);
        if (fhir_read_bundle(body, 10, &arena, &bundle, &err)) {
            assert_int_equal(bundle.entries[0].fault.code, ERR_OK);
            assert_int_equal(bundle.entries[0].resource->event.medication.count, 1);
            read++;
        } else {
            assert_int_equal(err.code, ERR_TOO_LARGE);
            refused++;
        }
        arena_fini(&arena);
    }
    assert_true(refused > 50);
    assert_true(read > 50);
}

static void identifiers_past_the_limit_are_left(void **state)
{
    (void)state;
    char body[2048];
    struct text text = TEXT(body);
    text_add(&text, "{\"resourceType\":\"Patient\",\"identifier\":[{\"value\":\"0\"}");
    for (unsigned i = 0; i < 20; i++)
        text_add(&text, ",{\"value\":\"1\"}");
    text_add(&text, "]}");
    struct fhir_resource resource;
    struct arena arena;
    struct err err;
    arena_init(&arena, 1 << 16);
    assert_true(fhir_read(text_slice(&text), FHIR_PATIENT, &arena, &resource, &err));
    assert_int_equal(resource.identifier_count, FHIR_IDENTIFIERS_MAX);
    arena_fini(&arena);
}

/* Quantities are exact, or none. */
static void decimals_are_exact(void **state)
{
    static const struct {
        const char *text;
        int64_t digits;
        int32_t scale;
        bool is_read;
    } rows[] = {
        { "0", 0, 0, true },
        { "-0.00", 0, 0, true },
        { "50", 50, 0, true },
        { "131.50", 1315, 1, true },
        { "1.1E+2", 110, 0, true },
        { "-0.0450e1", -45, 2, true },
        { "1e3", 1000, 0, true },
        { "0.000000000000000001", 1, 18, true },
        { "0.0000000000000000001", 0, 0, false },
        { "123456789012345678", INT64_C(123456789012345678), 0, true },
        { "12345678901234567890", 0, 0, false },
        { "1e19", 0, 0, false },
        { "1e1000", 0, 0, false },
        { "1E-400", 0, 0, false },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t digits = 0;
        int32_t scale = 0;
        if (fhir_decimal(slice_of(rows[i].text), &digits, &scale) != rows[i].is_read)
            fail_msg("%s", rows[i].text);
        if (rows[i].is_read) {
            assert_true(digits == rows[i].digits);
            assert_int_equal(scale, rows[i].scale);
        }
    }
}

static void codes_say_how_often(void **state)
{
    static const struct {
        const char *code;
        int32_t doses;
    } rows[] = { { "BID", 2000 }, { "bid", 2000 }, { "QD", 1000 }, { "Q8H", 3000 },
                 { "QOD", 500 },  { "WK", 143 },   { "PRN", 0 },   { "", 0 } };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(fhir_code_doses(slice_of(rows[i].code)), rows[i].doses);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(the_event_follows_the_rewriting),
        cmocka_unit_test(decimals_are_exact),
        cmocka_unit_test(codes_say_how_often),
        cmocka_unit_test(another_type_than_asked_for_is_said_first),
        cmocka_unit_test(a_fault_before_the_type_is_named_with_the_type),
        cmocka_unit_test(the_source_is_the_resource_without_its_surroundings),
        cmocka_unit_test(memory_that_runs_out_is_said),
        cmocka_unit_test(identifiers_past_the_limit_are_left),
    };
    struct CMUnitTest tests[COUNT_OF(references) + COUNT_OF(rewritings) + COUNT_OF(others)];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(references); i++)
        tests[count++] = (struct CMUnitTest){ .name = references[i].name,
                                              .test_func = reference_is_local,
                                              .initial_state = (void *)(uintptr_t)&references[i] };
    for (size_t i = 0; i < COUNT_OF(rewritings); i++)
        tests[count++] = (struct CMUnitTest){ .name = rewritings[i].name,
                                              .test_func = is_rewritten_as,
                                              .initial_state = (void *)(uintptr_t)&rewritings[i] };
    for (size_t i = 0; i < COUNT_OF(others); i++)
        tests[count++] = others[i];
    return cmocka_run_group_tests_name("fhir_read", tests, NULL, NULL);
}
