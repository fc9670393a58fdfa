/* OperationOutcome, CapabilityStatement and answers: exact text, and nothing declared that is not
 * done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "fhir/read.h"
#include "fhir/route_table.h"
#include "fhir/write.h"

/* --- OperationOutcome ------------------------------------------------------------------------ */

#define OUTCOME(text) "{\"resourceType\":\"OperationOutcome\",\"issue\":[{" text "}]}"

static const struct outcome_row {
    const char *name;
    struct err err;
    const char *outcome;
} outcomes[] = {
    { "an element",
      { ERR_VALUE, "Bundle.entry[3].resource.status", "expected a string" },
      OUTCOME("\"severity\":\"error\",\"code\":\"value\",\"diagnostics\":\"Expected a string.\","
              "\"expression\":[\"Bundle.entry[3].resource.status\"]") },
    { "no place",
      { ERR_NOT_FOUND, "", "there is nothing at this path" },
      OUTCOME("\"severity\":\"error\",\"code\":\"not-found\",\"diagnostics\":\"There is nothing at "
              "this path.\"") },
    { "a header",
      { ERR_MEDIA_TYPE, "Content-Type", "expected JSON" },
      OUTCOME("\"severity\":\"error\",\"code\":\"not-supported\",\"diagnostics\":\"Content-Type: "
              "expected JSON.\"") },
    { "a file",
      { ERR_INVALID, "mappings/drugs.tsv:14", "\"x\" is wrong" },
      OUTCOME(
          "\"severity\":\"error\",\"code\":\"invalid\",\"diagnostics\":\"Mappings/drugs.tsv:14: "
          "\\\"x\\\" is wrong.\"") },
    { "our own store keeps its secrets",
      { ERR_STORAGE, "/var/lib/x.db", "disk I/O error 10" },
      OUTCOME(
          "\"severity\":\"fatal\",\"code\":\"exception\",\"diagnostics\":\"The gateway could not "
          "read or write its store; its log says why.\"") },
    { "busy",
      { ERR_BUSY, "", "the queue is full" },
      OUTCOME(
          "\"severity\":\"fatal\",\"code\":\"throttled\",\"diagnostics\":\"The queue is full.\"") },
};

static void outcome_reads(void **state)
{
    const struct outcome_row *row = *state;
    struct buffer out;
    buffer_init(&out, 4096);
    fhir_write_outcome(&row->err, &out);
    buffer_add_char(&out, '\0');
    assert_string_equal(out.at, row->outcome);
    buffer_fini(&out);
}

static void all_ok_is_information(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 4096);
    fhir_write_outcome_ok("The resource is stored.", &out);
    buffer_add_char(&out, '\0');
    assert_string_equal(out.at, OUTCOME("\"severity\":\"information\",\"code\":\"informational\","
                                        "\"diagnostics\":\"The resource is stored.\""));
    buffer_fini(&out);
}

/* --- answers --------------------------------------------------------------------------------- */

static void a_transaction_is_answered_entry_by_entry(void **state)
{
    (void)state;
    const struct fhir_answer answers[] = {
        { .status = 201,
          .location = SLICE("Patient/p1/_history/1"),
          .version = 1,
          .updated_ms = 1732350600123 },
        { .status = 204 },
        { .status = 200,
          .version = 3,
          .updated_ms = 0,
          .resource = SLICE("{\"resourceType\":\"Patient\"}") },
    };
    struct buffer out;
    buffer_init(&out, 4096);
    fhir_write_bundle_response(true, answers, 3, &out);
    buffer_add_char(&out, '\0');
    assert_string_equal(
        out.at,
        "{\"resourceType\":\"Bundle\",\"type\":\"transaction-response\",\"entry\":["
        "{\"response\":{\"status\":\"201 Created\",\"location\":\"Patient/p1/_history/1\",\"etag\":"
        "\"W/\\\"1\\\"\",\"lastModified\":\"2024-11-23T08:30:00.123Z\"}},"
        "{\"response\":{\"status\":\"204 No Content\"}},"
        "{\"resource\":{\"resourceType\":\"Patient\"},\"response\":{\"status\":\"200 OK\",\"etag\":"
        "\"W/\\\"3\\\"\",\"lastModified\":\"1970-01-01T00:00:00.000Z\"}}]}");
    buffer_fini(&out);
}

static void a_batch_tells_what_went_wrong(void **state)
{
    (void)state;
    const struct fhir_answer answers[] = {
        { .status = 200,
          .location = SLICE("not/shown"),
          .resource = SLICE("{}"),
          .err = { ERR_PRECONDITION, "", "the version is not the current one" } },
    };
    struct buffer out;
    buffer_init(&out, 4096);
    fhir_write_bundle_response(false, answers, 1, &out);
    buffer_add_char(&out, '\0');
    assert_string_equal(
        out.at,
        "{\"resourceType\":\"Bundle\",\"type\":\"batch-response\",\"entry\":[{\"response\":{"
        "\"status\":"
        "\"412 Precondition Failed\",\"outcome\":" OUTCOME(
            "\"severity\":\"error\",\"code\":\"conflict\",\"diagnostics\":\"The version is not the "
            "current one.\"") "}}]}");
    buffer_reset(&out);
    fhir_write_bundle_response(false, answers, 0, &out);
    buffer_add_char(&out, '\0');
    assert_string_equal(out.at, "{\"resourceType\":\"Bundle\",\"type\":\"batch-response\"}");
    buffer_fini(&out);
}

static void a_search_lists_its_matches(void **state)
{
    (void)state;
    const struct fhir_match match = { SLICE("https://g/fhir/Flag/1"),
                                      SLICE("{\"resourceType\":\"Flag\"}"), "match" };
    const struct fhir_searchset set = { .self = SLICE("https://g/fhir/Flag?_id=1"),
                                        .matches = &match,
                                        .count = 1,
                                        .total = 4,
                                        .has_total = true };
    struct buffer out;
    buffer_init(&out, 4096);
    fhir_write_searchset(&set, &out);
    buffer_add_char(&out, '\0');
    assert_string_equal(
        out.at, "{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"total\":4,\"link\":[{"
                "\"relation\":\"self\",\"url\":\"https://g/fhir/Flag?_id=1\"}],\"entry\":[{"
                "\"fullUrl\":\"https://g/fhir/Flag/1\",\"resource\":{\"resourceType\":"
                "\"Flag\"},\"search\":{\"mode\":\"match\"}}]}");
    buffer_reset(&out);
    fhir_write_searchset(&(struct fhir_searchset){ .self = SLICE("u"), .has_total = true }, &out);
    buffer_add_char(&out, '\0');
    assert_string_equal(out.at, "{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"total\":0,"
                                "\"link\":[{\"relation\":\"self\",\"url\":\"u\"}]}");
    buffer_reset(&out);
    fhir_write_searchset(&(struct fhir_searchset){ .self = SLICE("u"),
                                                   .next = SLICE("v"),
                                                   .warning = "Passed over." },
                         &out);
    buffer_add_char(&out, '\0');
    assert_string_equal(
        out.at, "{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"link\":[{\"relation\":"
                "\"self\",\"url\":\"u\"},{\"relation\":\"next\",\"url\":\"v\"}],\"entry\":[{"
                "\"resource\":" OUTCOME("\"severity\":\"warning\",\"code\":\"informational\","
                                        "\"diagnostics\":\"Passed over.\"") ",\"search\":{\"mode\":"
                                                                            "\"outcome\"}}]}");
    buffer_fini(&out);
}

static void a_history_tells_how_each_version_came_about(void **state)
{
    (void)state;
    const struct fhir_version versions[] = {
        { SLICE("b/Flag/f"), SLICE("Flag/f"), VERB_DELETE, { .status = 204, .version = 2 } },
        { SLICE("b/Flag/f"),
          SLICE("Flag"),
          VERB_POST,
          { .status = 201, .version = 1, .resource = SLICE("{}") } },
    };
    const struct fhir_history history = { .self = SLICE("u"), .versions = versions, .count = 2 };
    struct buffer out;
    buffer_init(&out, 4096);
    fhir_write_history(&history, &out);
    buffer_add_char(&out, '\0');
    assert_string_equal(
        out.at,
        "{\"resourceType\":\"Bundle\",\"type\":\"history\",\"link\":[{\"relation\":\"self\","
        "\"url\":\"u\"}],\"entry\":[{\"fullUrl\":\"b/Flag/f\",\"request\":{\"method\":"
        "\"DELETE\",\"url\":\"Flag/f\"},\"response\":{\"status\":\"204 No Content\",\"etag\":"
        "\"W/\\\"2\\\"\",\"lastModified\":\"1970-01-01T00:00:00.000Z\"}},{\"fullUrl\":"
        "\"b/Flag/f\",\"resource\":{},\"request\":{\"method\":\"POST\",\"url\":\"Flag\"},"
        "\"response\":{\"status\":\"201 Created\",\"etag\":\"W/\\\"1\\\"\",\"lastModified\":"
        "\"1970-01-01T00:00:00.000Z\"}}]}");
    buffer_fini(&out);
}

/* --- CapabilityStatement --------------------------------------------------------------------- */

static const struct probe {
    const char *code;
    enum http_verb verb;
    const char *path; /* behind the type */
} probes[] = {
    { "read", VERB_GET, "/1" },
    { "vread", VERB_GET, "/1/_history/1" },
    { "create", VERB_POST, "" },
    { "update", VERB_PUT, "/1" },
    { "delete", VERB_DELETE, "/1" },
    { "search-type", VERB_GET, "" },
    { "history-instance", VERB_GET, "/1/_history" },
    { "history-type", VERB_GET, "/_history" },
    { "patch", VERB_PATCH, "/1" },
};

/* What /metadata says, as bits: [type][probe], and conditional updates and searches by type. */
struct declared {
    enum fhir_type type;
    bool interaction[FHIR_TYPE_COUNT][COUNT_OF(probes)];
    bool conditional_update[FHIR_TYPE_COUNT];
    bool update_create[FHIR_TYPE_COUNT];
    bool identifier[FHIR_TYPE_COUNT];
    unsigned operations;
};

static bool note_value(void *ctx, struct json_reader *reader, enum json_kind kind,
                       struct slice text)
{
    struct declared *declared = ctx;
    struct slice path = json_path(reader);
    (void)kind;
    if (slice_is(path, "rest[].resource[].type"))
        declared->type = fhir_type_of(text);
    for (size_t i = 0; i < COUNT_OF(probes); i++)
        if (slice_is(path, "rest[].resource[].interaction[].code") &&
            slice_is(text, probes[i].code))
            declared->interaction[declared->type][i] = true;
    if (slice_is(path, "rest[].resource[].conditionalUpdate"))
        declared->conditional_update[declared->type] = slice_is(text, "true");
    if (slice_is(path, "rest[].resource[].updateCreate"))
        declared->update_create[declared->type] = slice_is(text, "true");
    if (slice_is(path, "rest[].resource[].searchParam[].name") && slice_is(text, "identifier"))
        declared->identifier[declared->type] = true;
    if (slice_is(path, "rest[].resource[].operation[].name"))
        declared->operations++;
    return true;
}

static bool note_bracket(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    (void)ctx, (void)reader, (void)kind;
    return true;
}

static void read_capability(bool update_creates, struct declared *declared, struct arena *arena)
{
    static const struct json_events events = { note_value, note_bracket, note_bracket };
    struct fhir_capability_settings settings = { .version = "1.2.3",
                                                 .base_url = SLICE("https://g.example/fhir"),
                                                 .date_ms = 1732350600123,
                                                 .update_creates = update_creates,
                                                 .security = "client certificates" };
    struct buffer out;
    struct err err;
    buffer_init(&out, 1 << 20);
    fhir_write_capability(&settings, &out);
    assert_false(buffer_overflowed(&out));
    assert_true(json_read(buffer_slice(&out), NULL, &events, declared, arena, &err));
    struct fhir_resource resource; /* it obeys the rules that we ask others to obey */
    assert_true(fhir_read(buffer_slice(&out), FHIR_NONE, arena, &resource, &err));
    assert_true(slice_is(resource.type_name, "CapabilityStatement"));
    buffer_fini(&out);
}

static bool is_routed(enum http_verb verb, const char *type, const char *path, const char *query,
                      struct arena *arena)
{
    struct fhir_route route;
    struct slice allow;
    struct err err;
    struct slice full = arena_format(arena, "/%s%s", type, path);
    return fhir_route(verb, full, slice_of(query), arena, &route, &allow, &err);
}

static void what_is_declared_is_routed_and_nothing_else(void **state)
{
    (void)state;
    struct declared *declared = test_calloc(1, sizeof *declared);
    struct arena arena;
    unsigned interactions = 0;
    arena_init(&arena, 1 << 20);
    read_capability(true, declared, &arena);
    for (unsigned type = 1; type < FHIR_TYPE_COUNT; type++) {
        const char *name = fhir_type_name((enum fhir_type)type);
        for (size_t i = 0; i < COUNT_OF(probes); i++) {
            assert_int_equal(declared->interaction[type][i],
                             is_routed(probes[i].verb, name, probes[i].path, "", &arena));
            interactions += declared->interaction[type][i];
        }
        assert_int_equal(declared->conditional_update[type],
                         is_routed(VERB_PUT, name, "", "identifier=x", &arena));
        assert_int_equal(declared->identifier[type], fhir_type_is_identified((enum fhir_type)type));
        assert_int_equal(declared->update_create[type], declared->interaction[type][3]);
    }
    assert_true(interactions > 50);
    unsigned operations = 0; /* each row of the table, for each of its types */
    for (unsigned i = 0; i < fhir_operation_count; i++)
        operations += (unsigned)__builtin_popcount(fhir_operations[i].types);
    assert_int_equal(declared->operations, operations);
    assert_true(operations > 2);
    arena_fini(&arena);
    test_free(declared);
}

static void update_create_follows_the_settings(void **state)
{
    (void)state;
    struct declared *declared = test_calloc(1, sizeof *declared);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    read_capability(false, declared, &arena);
    for (unsigned type = 1; type < FHIR_TYPE_COUNT; type++)
        assert_false(declared->update_create[type]);
    arena_fini(&arena);
    test_free(declared);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(all_ok_is_information),
        cmocka_unit_test(a_transaction_is_answered_entry_by_entry),
        cmocka_unit_test(a_batch_tells_what_went_wrong),
        cmocka_unit_test(a_search_lists_its_matches),
        cmocka_unit_test(a_history_tells_how_each_version_came_about),
        cmocka_unit_test(what_is_declared_is_routed_and_nothing_else),
        cmocka_unit_test(update_create_follows_the_settings),
    };
    struct CMUnitTest tests[COUNT_OF(outcomes) + COUNT_OF(others)];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(outcomes); i++)
        tests[count++] = (struct CMUnitTest){ .name = outcomes[i].name,
                                              .test_func = outcome_reads,
                                              .initial_state = (void *)(uintptr_t)&outcomes[i] };
    for (size_t i = 0; i < COUNT_OF(others); i++)
        tests[count++] = others[i];
    return cmocka_run_group_tests_name("fhir_write", tests, NULL, NULL);
}
