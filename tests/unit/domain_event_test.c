/* An event survives its stored form, and damaged rows are refused rather than misread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "domain/event.h"

static struct date_span day(int year, unsigned month, unsigned d)
{
    struct date date = date_of(year, month, d);
    return (struct date_span){ date, date, DATE_DAY };
}

static struct event full_order(void)
{
    static const struct coding codings[] = {
        { CODE_RXNORM, { "", 0 }, { "224905", 6 } },
        { CODE_OTHER, { "urn:oid:1.2.3", 13 }, { "TRZ", 3 } },
    };
    static const struct slice reasons[] = { { "Condition/c1", 12 }, { "Condition/c2", 12 } };
    static const struct slice based_on[] = { { "CarePlan/p1", 11 } };
    return (struct event){
        .type = FHIR_MEDICATION_REQUEST,
        .id = SLICE("m7"),
        .version = 3,
        .resource_key = 1234567,
        .medication = { codings, 2, SLICE("trastuzumab") },
        .status = STATUS_STOPPED,
        .intent = INTENT_ORIGINAL_ORDER,
        .reported = true,
        .authored_on = { date_of(2021, 1, 1), date_of(2021, 12, 31), DATE_YEAR },
        .bounds_start = day(2021, 3, 1),
        .bounds_days = 21,
        .status_reason = { NULL, 0, SLICE("progression") },
        .reason_references = reasons,
        .reason_reference_count = 2,
        .based_on = based_on,
        .based_on_count = 1,
        .group_identifier = SLICE("urn:x|1"),
        .treatment_intent = TREATMENT_PALLIATIVE,
        .onset = day(1969, 12, 31),
    };
}

static struct event full_observation(void)
{
    static const struct coding loinc[] = { { CODE_LOINC, { "", 0 }, { "20447-9", 7 } } };
    static const struct coding value[] = { { CODE_SNOMED, { "", 0 }, { "271299001", 9 } } };
    static const struct slice focus[] = { { "Condition/c1", 12 } };
    return (struct event){
        .type = FHIR_OBSERVATION,
        .id = SLICE("o1"),
        .version = 1,
        .status = STATUS_NOT_DONE,
        .code = { loinc, 1, SLICE("") },
        .effective = day(2024, 1, 2),
        .effective_end = day(2024, 1, 9),
        .value = { true, COMPARATOR_LESS, -205, 1, SLICE("{copies}/mL") },
        .value_concept = { value, 1, SLICE("worse") },
        .value_is_false = true,
        .focus = focus,
        .encounter = SLICE("Encounter/e1"),
        .focus_count = 1,
        .doses_per_1000_days = 2000,
        .dose = { true, COMPARATOR_NONE, INT64_C(1234567890123), 18, SLICE("mg") },
    };
}

static void pack_into(const struct event *event, struct buffer *out)
{
    buffer_init(out, 1 << 16);
    event_pack(event, out);
    assert_false(buffer_overflowed(out));
}

static void every_member_survives(void **state)
{
    (void)state;
    struct event before = full_order(), after;
    struct buffer packed;
    struct arena arena;
    struct err err;
    pack_into(&before, &packed);
    arena_init(&arena, 1 << 16);
    assert_true(event_unpack(buffer_slice(&packed), &arena, &after, &err));
    assert_int_equal(after.type, FHIR_MEDICATION_REQUEST);
    assert_true(slice_is(after.id, "m7"));
    assert_int_equal(after.version, 3);
    assert_int_equal(after.resource_key, 1234567);
    assert_int_equal(after.medication.count, 2);
    assert_int_equal(after.medication.codings[0].system, CODE_RXNORM);
    assert_true(slice_is(after.medication.codings[1].system_uri, "urn:oid:1.2.3"));
    assert_true(slice_is(after.medication.text, "trastuzumab"));
    assert_int_equal(after.status, STATUS_STOPPED);
    assert_int_equal(after.intent, INTENT_ORIGINAL_ORDER);
    assert_true(after.reported);
    assert_false(after.do_not_perform);
    assert_int_equal(after.authored_on.precision, DATE_YEAR);
    assert_int_equal(after.authored_on.last.day, before.authored_on.last.day);
    assert_int_equal(after.bounds_start.first.day, before.bounds_start.first.day);
    assert_int_equal(after.bounds_days, 21);
    assert_true(slice_is(after.status_reason.text, "progression"));
    assert_int_equal(after.reason_reference_count, 2);
    assert_true(slice_is(after.reason_references[1], "Condition/c2"));
    assert_true(slice_is(after.based_on[0], "CarePlan/p1"));
    assert_true(slice_is(after.group_identifier, "urn:x|1"));
    assert_int_equal(after.treatment_intent, TREATMENT_PALLIATIVE);
    assert_int_equal(after.onset.first.day, -1);
    arena_fini(&arena);
    buffer_fini(&packed);
}

static void what_was_measured_survives(void **state)
{
    (void)state;
    struct event before = full_observation(), after;
    struct buffer packed;
    struct arena arena;
    struct err err;
    pack_into(&before, &packed);
    arena_init(&arena, 1 << 16);
    assert_true(event_unpack(buffer_slice(&packed), &arena, &after, &err));
    assert_int_equal(after.status, STATUS_NOT_DONE);
    assert_int_equal(after.effective.first.day, before.effective.first.day);
    assert_int_equal(after.effective_end.first.day, before.effective_end.first.day);
    assert_true(after.value.is_stated);
    assert_int_equal(after.value.comparator, COMPARATOR_LESS);
    assert_int_equal(after.value.digits, -205);
    assert_int_equal(after.value.scale, 1);
    assert_true(slice_is(after.value.unit, "{copies}/mL"));
    assert_true(slice_is(after.value_concept.codings[0].code, "271299001"));
    assert_true(slice_is(after.value_concept.text, "worse"));
    assert_true(after.value_is_false);
    assert_true(slice_is(after.encounter, "Encounter/e1"));
    assert_int_equal(after.focus_count, 1);
    assert_true(slice_is(after.focus[0], "Condition/c1"));
    assert_int_equal(after.doses_per_1000_days, 2000);
    assert_true(after.dose.digits == INT64_C(1234567890123));
    assert_int_equal(after.dose.scale, 18);
    arena_fini(&arena);
    buffer_fini(&packed);
}

static void packing_what_was_unpacked_gives_the_same_bytes(void **state)
{
    (void)state;
    struct event before = full_order(), after;
    struct buffer packed, again;
    struct arena arena;
    struct err err;
    pack_into(&before, &packed);
    arena_init(&arena, 1 << 16);
    assert_true(event_unpack(buffer_slice(&packed), &arena, &after, &err));
    pack_into(&after, &again);
    assert_int_equal(packed.len, again.len);
    assert_memory_equal(packed.at, again.at, packed.len);
    arena_fini(&arena);
    buffer_fini(&packed);
    buffer_fini(&again);
}

static void no_cut_row_is_read_beyond_its_end(void **state)
{
    (void)state;
    struct event before = full_order(), after;
    struct buffer packed;
    struct arena arena;
    struct err err;
    pack_into(&before, &packed);
    arena_init(&arena, 1 << 20);
    unsigned refused = 0;
    for (size_t len = 0; len < packed.len; len++)
        refused += !event_unpack((struct slice){ packed.at, len }, &arena, &after, &err);
    assert_true(refused > packed.len / 2); /* a cut between two members reads as fewer members */
    arena_fini(&arena);
    buffer_fini(&packed);
}

static const struct spelling {
    const char *name, *uri;
    enum code_system system;
} spellings[] = {
    { "the URI itself", "http://www.nlm.nih.gov/research/umls/rxnorm", CODE_RXNORM },
    { "https", "https://www.nlm.nih.gov/research/umls/rxnorm", CODE_RXNORM },
    { "a slash at the end", "http://snomed.info/sct/", CODE_SNOMED },
    { "an OID", "urn:oid:2.16.840.1.113883.6.90", CODE_ICD10CM },
    { "a longer URI is another system", "http://snomed.info/sct/900000000000207008", CODE_OTHER },
    { "no URI", "", CODE_OTHER },
};

static void system_is_known(void **state)
{
    const struct spelling *row = *state;
    assert_int_equal(code_system_of(slice_of(row->uri)), row->system);
}

int main(void)
{
    struct CMUnitTest tests[3 + COUNT_OF(spellings)] = {
        cmocka_unit_test(every_member_survives),
        cmocka_unit_test(what_was_measured_survives),
        cmocka_unit_test(packing_what_was_unpacked_gives_the_same_bytes),
        cmocka_unit_test(no_cut_row_is_read_beyond_its_end),
    };
    for (size_t i = 0; i < COUNT_OF(spellings); i++)
        tests[3 + i] = (struct CMUnitTest){ .name = spellings[i].name,
                                            .test_func = system_is_known,
                                            .initial_state = (void *)(uintptr_t)&spellings[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
