/* The line that `lifeline audit list` prints of a record. */
#include "audit_chain.h"

static const struct audit_entry five[] = {
    { "create", FHIR_MEDICATION_REQUEST, SLICE("l0001"), 1, 201 },
    { "update", FHIR_CONDITION, SLICE("c1"), 4, 200 },
    { "read", FHIR_PATIENT, SLICE("p1"), 0, 200 },
    { "create", FHIR_FLAG, SLICE("f1"), 1, 201 },
    { "create", FHIR_FLAG, SLICE("f2"), 1, 201 },
};

static const struct describe_case {
    const char *name;
    struct audit_record record;
    const char *text;
} cases[] = {
    { "a request with what it touched",
      { .kind = AUDIT_REQUEST,
        .actor = SLICE("ehr.example"),
        .method = SLICE("POST"),
        .path = SLICE("/fhir"),
        .status = 201,
        .outcome = "success",
        .entries = five,
        .entry_count = 1 },
      "request  POST /fhir  201  by ehr.example: create MedicationRequest/l0001 v1" },
    { "of many entries the first three and how many more",
      { .kind = AUDIT_REQUEST,
        .actor = SLICE("ehr.example"),
        .method = SLICE("POST"),
        .path = SLICE("/fhir"),
        .status = 200,
        .outcome = "success",
        .entries = five,
        .entry_count = 5 },
      "request  POST /fhir  200  by ehr.example: create MedicationRequest/l0001 v1, "
      "update Condition/c1 v4, read Patient/p1 and 2 more" },
    { "a start of the gateway",
      { .kind = AUDIT_START, .actor = SLICE("gateway"), .outcome = "success" },
      "start  by gateway" },
    { "an outcome that is not success is said",
      { .kind = AUDIT_SECURITY, .actor = SLICE("mallory"), .status = 403, .outcome = "serious" },
      "security  403  (serious)  by mallory" },
    { "a derivation names its patient by reference",
      { .kind = AUDIT_DERIVE, .outcome = "success", .patient = SLICE("Patient/p1") },
      "derive: Patient/p1" },
    { "a name cannot steer the terminal",
      { .kind = AUDIT_SECURITY,
        .actor = SLICE("a\x1b[2Jb\nc\xc2\x9b"
                       "d\xc3\xa9") },
      "security  by a?[2Jb?c?d\xc3\xa9" },
};

static void record_is_described_as(void **state)
{
    const struct describe_case *row = *state;
    struct audit_record record = row->record;
    struct audit_head head = { 11, { { 0 } } };
    struct buffer line, out;
    struct arena arena;
    struct err err;
    char expected[512];
    record.time_ms = CHAIN_START_MS;
    buffer_init(&line, 4096);
    buffer_init(&out, 4096);
    arena_init(&arena, 1 << 20);
    audit_write(&record, &head, &line);
    assert_true(audit_describe(buffer_slice(&line), &arena, &out, &err));
    buffer_add_char(&out, '\0');
    snprintf(expected, sizeof expected, "2026-11-23T08:30:00.123Z  #12  %s", row->text);
    assert_string_equal(out.at, expected);
    arena_fini(&arena);
    buffer_fini(&line);
    buffer_fini(&out);
}

static void a_damaged_line_is_an_error(void **state)
{
    (void)state;
    struct buffer out;
    struct arena arena;
    struct err err;
    buffer_init(&out, 4096);
    arena_init(&arena, 1 << 20);
    assert_false(audit_describe(SLICE("{\"seq\":1"), &arena, &out, &err));
    assert_int_equal(out.len, 0);
    arena_fini(&arena);
    buffer_fini(&out);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + 1] = {
        cmocka_unit_test(a_damaged_line_is_an_error),
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) /* one reported test per row */
        tests[1 + i] = (struct CMUnitTest){ .name = cases[i].name,
                                            .test_func = record_is_described_as,
                                            .initial_state = (void *)(uintptr_t)&cases[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
