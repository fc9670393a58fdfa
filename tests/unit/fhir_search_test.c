/* Searches: which resources a query means, and how a query that cannot be answered is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fhir/search.h"

static const char order[] =
    "{\"resourceType\":\"MedicationRequest\",\"id\":\"m1\",\"status\":\"active\",\"intent\":"
    "\"order\","
    "\"statusReason\":{\"coding\":[{\"system\":\"urn:r\",\"code\":\"completed\"}]},"
    "\"identifier\":[{\"system\":\"urn:a\",\"value\":\"1\"},{\"value\":\"2\"}],"
    "\"medicationCodeableConcept\":{\"coding\":[{\"system\":\"urn:rx\",\"code\":\"3041\"},"
    "{\"system\":\"urn:atc\",\"code\":\"L01\"}],\"text\":\"carboplatin\"},"
    "\"subject\":{\"reference\":\"https://ehr.example/fhir/Patient/p1\","
    "\"identifier\":{\"system\":\"urn:mrn\",\"value\":\"77\"}},\"authoredOn\":\"2024-03\"}";
static const char condition[] =
    "{\"resourceType\":\"Condition\",\"id\":\"c1\",\"code\":{\"text\":\"x\"},"
    "\"category\":[{\"coding\":[{\"code\":\"problem-list-item\"}]}],"
    "\"subject\":{\"reference\":\"Patient/p1\"},\"recordedDate\":\"2024-03-05T10:00:00+02:00\","
    "\"onsetPeriod\":{\"start\":\"2024-01-10\"}}";

/* Updated on 2024-06-01T00:00:00Z. */
#define UPDATED_MS INT64_C(1717200000000)

static const struct row {
    const char *query;
    enum fhir_type type;
    const char *body;
    const char *answer; /* "yes", "no", or the error */
} rows[] = {
#define ORDER(query, answer)                          \
    {                                                 \
        query, FHIR_MEDICATION_REQUEST, order, answer \
    }
#define CONDITION(query, answer)                 \
    {                                            \
        query, FHIR_CONDITION, condition, answer \
    }
    ORDER("", "yes"),
    ORDER("_id=m1", "yes"),
    ORDER("_id=m2,m1", "yes"),
    ORDER("_id=m2", "no"),
    ORDER("status=active", "yes"),
    ORDER("status=stopped,active", "yes"),
    ORDER("status=stopped", "no"),
    ORDER("status=completed", "no"), /* statusReason is another element */
    ORDER("status:not=stopped", "yes"),
    ORDER("status:not=active", "no"),
    ORDER("status=http%3A%2F%2Fhl7.org%2Ffhir%2FCodeSystem%2Fmedicationrequest-status|active",
          "yes"),
    ORDER("status=urn:other|active", "no"),
    ORDER("identifier=urn:a|1", "yes"),
    ORDER("identifier=1", "yes"),
    ORDER("identifier=urn:a|", "yes"),
    ORDER("identifier=|2", "yes"), /* an identifier without a system */
    ORDER("identifier=|1", "no"),
    ORDER("identifier=urn:a|2", "no"), /* system and value of two identifiers */
    ORDER("identifier=urn:b|1", "no"),
    ORDER("code=urn:rx|3041", "yes"),
    ORDER("code=L01", "yes"),
    ORDER("code=urn:rx|L01", "no"),
    ORDER("patient=p1", "yes"),
    ORDER("patient=Patient/p1", "yes"),
    ORDER("patient=https://ehr.example/fhir/Patient/p1", "yes"),
    ORDER("patient=https://other.example/fhir/Patient/p1", "no"),
    ORDER("patient=p2", "no"),
    ORDER("subject=Patient/p1", "yes"),
    ORDER("subject:Patient=p1", "yes"),
    ORDER("subject:Group=p1", "INVALID"),
    ORDER("patient:identifier=urn:mrn|77", "yes"),
    ORDER("patient:identifier=urn:mrn|78", "no"),
    ORDER("encounter:missing=true", "yes"),
    ORDER("encounter:missing=false", "no"),
    ORDER("subject:missing=false", "yes"),
    ORDER("subject:missing=perhaps", "INVALID"),
    ORDER("authoredon=2024", "yes"),
    ORDER("authoredon=2024-03", "yes"),
    ORDER("authoredon=2024-03-10", "no"), /* a month is not inside one of its days */
    ORDER("authoredon=ne2024-03-10", "yes"),
    ORDER("authoredon=ge2024-03-10", "yes"), /* part of it is later */
    ORDER("authoredon=gt2024-03-31", "no"),
    ORDER("authoredon=lt2024-03-10", "yes"),
    ORDER("authoredon=lt2024-03-01", "no"),
    ORDER("authoredon=sa2024-02", "yes"),
    ORDER("authoredon=sa2024-03-01", "no"),
    ORDER("authoredon=eb2024-04", "yes"),
    ORDER("authoredon=ap2024-04-01", "yes"),
    ORDER("authoredon=ge2024-01-01&authoredon=le2024-12-31", "yes"), /* both must hold */
    ORDER("authoredon=ge2024-01-01&authoredon=lt2024-02-01", "no"),
    ORDER("authoredon=tomorrow", "INVALID"),
    ORDER("_lastUpdated=2024-06-01", "yes"),
    ORDER("_lastUpdated=gt2024-06-01", "no"),
    ORDER("_lastUpdated=ge2024-06-01T00:00:00Z", "yes"),
    ORDER("status=active&intent=order&patient=p1", "yes"),
    ORDER("status=active&intent=plan&patient=p1", "no"),
    ORDER("status:text=act", "INVALID"),
    ORDER("status=", "INVALID"),
    ORDER("onset-date=2024", "UNSUPPORTED"),
    ORDER("name=x", "UNSUPPORTED"),
    ORDER("_count=x", "INVALID"),
    ORDER("_page=zz", "INVALID"),
    ORDER("_format=json&_pretty=true&_count=5", "yes"),
    CONDITION("onset-date=ge2024-06-01", "yes"), /* a period without an end goes on */
    CONDITION("onset-date=2024-01", "no"),
    CONDITION("onset-date=lt2024-01-10", "no"),
    CONDITION("recorded-date=2024-03-05", "yes"),
    CONDITION("recorded-date=2024-03-05T08:00:00Z", "yes"), /* the same moment in another zone */
    CONDITION("recorded-date=2024-03-05T10:00:00Z", "no"),
    CONDITION("category=problem-list-item", "yes"),
    CONDITION("category=|problem-list-item", "yes"),
    CONDITION("clinical-status:missing=true", "yes"),
    CONDITION("clinical-status:not=http%3A%2F%2Fx|active", "yes"),
    CONDITION("code=x", "no"), /* a text is no code */
};

static const char *answer_of(const struct row *row, struct arena *arena, struct err *err)
{
    const struct slice urls[] = { SLICE("https://ehr.example/fhir") };
    const struct fhir_search_bases bases = { urls, 1 };
    struct fhir_search *search = ARENA_NEW(arena, struct fhir_search);
    struct slice id = row->type == FHIR_CONDITION ? SLICE("c1") : SLICE("m1");
    struct fhir_candidate candidate = { id, UPDATED_MS, slice_of(row->body) };
    bool is_match;
    assert_non_null(search);
    if (!fhir_search_parse(row->type, slice_of(row->query), true, &bases, arena, search, err))
        return err_name(err->code);
    assert_true(fhir_search_matches(search, &candidate, &bases, arena, &is_match, err));
    return is_match ? "yes" : "no";
}

static void query_means(void **state)
{
    const struct row *row = *state;
    struct arena arena;
    struct err err;
    arena_init(&arena, 1 << 20);
    assert_string_equal(answer_of(row, &arena, &err), row->answer);
    arena_fini(&arena);
}

/* --- the way in, and what a page needs -------------------------------------------------------- */

static const struct anchor_row {
    const char *query;
    enum fhir_anchor anchor;
} anchors[] = {
    { "status=active", ANCHOR_NONE },
    { "patient=p1&status=active", ANCHOR_PATIENT },
    { "subject=Patient/p1", ANCHOR_PATIENT },
    { "patient.identifier=urn:mrn|7", ANCHOR_PATIENT },
    { "patient=p1&identifier=urn:a|1", ANCHOR_IDENTIFIER },
    { "identifier=1&patient=p1", ANCHOR_PATIENT }, /* without its system it is in no index */
    { "patient=p1&_id=m1", ANCHOR_ID },
    { "_id:not=m1", ANCHOR_NONE },
    { "patient:missing=true", ANCHOR_NONE },
};

static void query_is_answered_by_index(void **state)
{
    const struct anchor_row *row = *state;
    const struct fhir_search_bases bases = { NULL, 0 };
    const struct fhir_criterion *by;
    struct fhir_search search;
    struct arena arena;
    struct err err;
    arena_init(&arena, 1 << 20);
    assert_true(fhir_search_parse(FHIR_MEDICATION_REQUEST, slice_of(row->query), true, &bases,
                                  &arena, &search, &err));
    assert_int_equal(fhir_search_anchor(&search, &by), row->anchor);
    assert_int_equal(by == NULL, row->anchor == ANCHOR_NONE);
    arena_fini(&arena);
}

static void what_is_not_offered_is_passed_over_and_told(void **state)
{
    (void)state;
    const struct fhir_search_bases bases = { NULL, 0 };
    struct fhir_search search;
    struct arena arena;
    struct err err;
    arena_init(&arena, 1 << 20);
    assert_true(fhir_search_parse(FHIR_FLAG, SLICE("name=x&patient=p1&_count=7&_page=1f-2a"), false,
                                  &bases, &arena, &search, &err));
    assert_true(slice_is(search.ignored, "name"));
    assert_true(slice_is(search.used, "patient=p1&_count=7"));
    assert_int_equal(search.count, 7);
    assert_int_equal(search.after, 0x1f);
    assert_int_equal(search.until, 0x2a);
    assert_true(slice_is(fhir_search_page_format(0x1f, 0x2a, &arena), "1f-2a"));
    arena_fini(&arena);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(rows) + COUNT_OF(anchors) + 1];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        tests[count++] = (struct CMUnitTest){ .name = rows[i].query,
                                              .test_func = query_means,
                                              .initial_state = (void *)(uintptr_t)&rows[i] };
    for (size_t i = 0; i < COUNT_OF(anchors); i++)
        tests[count++] = (struct CMUnitTest){ .name = anchors[i].query,
                                              .test_func = query_is_answered_by_index,
                                              .initial_state = (void *)(uintptr_t)&anchors[i] };
    tests[count++] =
        (struct CMUnitTest)cmocka_unit_test(what_is_not_offered_is_passed_over_and_told);
    return cmocka_run_group_tests_name("fhir_search", tests, NULL, NULL);
}
