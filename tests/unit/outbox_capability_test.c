/* CapabilityStatements, and what is read from the answers of a destination. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/date.h"
#include "base/text.h"
#include "outbox/answer.h"
#include "outbox/body.h"
#include "outbox/capability.h"

#define STATEMENT(rest) "{\"resourceType\":\"CapabilityStatement\",\"rest\":[" rest "]}"
#define SERVER(resources) "{\"mode\":\"server\",\"resource\":[" resources "]}"
#define CODES(a, b) "\"interaction\":[{\"code\":\"" a "\"},{\"code\":\"" b "\"}]"

/* create read update, Conditional-create, Conditional-Update, upsert, identifier, target */
static const struct capability_case {
    const char *name, *text, *flag, *provenance; /* flag NULL: refused */
} cases[] = {
    { "nothing is offered", STATEMENT(""), "--------", "--------" },
    { "a server that can do all",
      STATEMENT(SERVER("{\"type\":\"Flag\"," CODES(
          "create", "update") ",\"conditionalCreate\":true,"
                              "\"conditionalUpdate\":true,\"updateCreate\":true}")),
      "c-uCU+--", "--------" },
    { "search needs the interaction and the parameter",
      STATEMENT(SERVER("{\"type\":\"Flag\"," CODES(
          "read",
          "search-type") ","
                         "\"searchParam\":[{\"name\":\"patient\"},{\"name\":\"identifier\"}]}")),
      "-r----i-", "--------" },
    { "a parameter without the interaction is not search",
      STATEMENT(SERVER("{\"type\":\"Flag\"," CODES(
          "read", "vread") ","
                           "\"searchParam\":[{\"name\":\"identifier\"}]}")),
      "-r------", "--------" },
    { "the type may come last",
      STATEMENT(SERVER("{" CODES("read", "create") ",\"type\":\"Flag\"}")), "cr------",
      "--------" },
    { "types do not mix",
      STATEMENT(SERVER("{\"type\":\"Flag\"," CODES(
          "read",
          "read") "},"
                  "{\"type\":\"Patient\"," CODES(
                      "create",
                      "update") "},"
                                "{\"type\":\"Provenance\"," CODES(
                                    "create",
                                    "search-type") ","
                                                   "\"searchParam\":[{\"name\":\"target\"}]}")),
      "-r------", "c------t" },
    { "what it can do as a client does not count",
      STATEMENT(
          "{\"resource\":[{\"type\":\"Flag\"," CODES("create", "update") "}],"
                                                                         "\"mode\":\"client\"}"),
      "--------", "--------" },
    { "false is not offered",
      STATEMENT(
          SERVER("{\"type\":\"Flag\"," CODES("create", "update") ",\"conditionalUpdate\":false}")),
      "c-u-----", "--------" },
    { "another resource is refused", "{\"resourceType\":\"Patient\"}", NULL, NULL },
    { "a proxy's page is refused", "<html>Welcome</html>", NULL, NULL },
    { "half an answer is refused", "{\"resourceType\":\"CapabilityStatement\",\"rest\":[", NULL,
      NULL },
};

static const char *as_text(const struct capability_type *type, char *out)
{
    const struct {
        bool is_set;
        char letter;
    } all[] = { { type->can_create, 'c' },         { type->can_read, 'r' },
                { type->can_update, 'u' },         { type->conditional_create, 'C' },
                { type->conditional_update, 'U' }, { type->update_create, '+' },
                { type->search_identifier, 'i' },  { type->search_target, 't' } };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        out[i] = all[i].is_set ? all[i].letter : '-';
    out[COUNT_OF(all)] = '\0';
    return out;
}

static void statement_reads_as(void **state)
{
    const struct capability_case *c = *state;
    struct capability capability;
    struct arena arena;
    struct err err;
    char text[16];
    arena_init(&arena, 1024 * 1024);
    bool ok = capability_read(slice_of(c->text), &arena, &capability, &err);
    assert_int_equal(c->flag != NULL, ok);
    if (ok) {
        assert_string_equal(c->flag, as_text(&capability.types[POSTING_FLAG], text));
        assert_string_equal(c->provenance, as_text(&capability.types[POSTING_PROVENANCE], text));
    }
    arena_fini(&arena);
}

/* --- records ----------------------------------------------------------------------------------- */

static const struct answer_want want = { "Flag", { "urn:x", 5 }, { "abc", 3 }, { NULL, 0 } };
#define OURS "\"identifier\":[{\"system\":\"urn:x\",\"value\":\"abc\"}]"

static const struct same_case {
    const char *name, *a, *b;
    bool is_same;
} same_cases[] = {
    { "the order of keys does not matter",
      "{\"resourceType\":\"Flag\",\"status\":\"active\",\"code\":{\"text\":\"x\"}}",
      "{\"code\":{\"text\":\"x\"},\"status\":\"active\",\"resourceType\":\"Flag\"}", true },
    { "what the server owns does not matter", "{\"resourceType\":\"Flag\",\"status\":\"active\"}",
      "{\"resourceType\":\"Flag\",\"id\":\"7\",\"meta\":{\"versionId\":\"3\",\"tag\":[{\"code\":"
      "\"a\"}]},"
      "\"text\":{\"status\":\"generated\"},\"status\":\"active\"}",
      true },
    { "a status matters", "{\"resourceType\":\"Flag\",\"status\":\"active\"}",
      "{\"resourceType\":\"Flag\",\"status\":\"inactive\"}", false },
    { "an added element matters", "{\"resourceType\":\"Flag\",\"status\":\"active\"}",
      "{\"resourceType\":\"Flag\",\"status\":\"active\",\"note\":[{\"text\":\"by hand\"}]}",
      false },
    { "the order of a list matters", "{\"resourceType\":\"Flag\",\"x\":[\"a\",\"b\"]}",
      "{\"resourceType\":\"Flag\",\"x\":[\"b\",\"a\"]}", false },
    { "a value in another place matters",
      "{\"resourceType\":\"Flag\",\"x\":[{\"a\":\"1\"},{\"b\":\"1\"}]}",
      "{\"resourceType\":\"Flag\",\"x\":[{\"a\":\"1\",\"b\":\"1\"},{}]}", false },
    { "a number is not its text", "{\"resourceType\":\"Flag\",\"x\":1}",
      "{\"resourceType\":\"Flag\",\"x\":\"1\"}", false },
    { "the text inside of code matters", "{\"resourceType\":\"Flag\",\"code\":{\"text\":\"a\"}}",
      "{\"resourceType\":\"Flag\",\"code\":{\"text\":\"b\"}}", false },
};

static void contents_compare(void **state)
{
    const struct same_case *c = *state;
    struct answer_record a, b;
    struct arena arena;
    struct err err;
    arena_init(&arena, 1024 * 1024);
    assert_true(answer_read_record(slice_of(c->a), &want, &arena, &a, &err));
    assert_true(answer_read_record(slice_of(c->b), &want, &arena, &b, &err));
    assert_int_equal(c->is_same, fingerprint_equal(&a.content, &b.content));
    arena_fini(&arena);
}

static void a_search_keeps_what_was_asked_for(void **state)
{
    (void)state;
    static const char text[] =
        "{\"resourceType\":\"Bundle\",\"link\":[{\"relation\":\"self\"}],\"entry\":["
        "{\"resource\":{\"resourceType\":\"Flag\",\"id\":\"7\"," OURS
        ",\"meta\":{\"versionId\":\"2\","
        "\"lastUpdated\":\"2026-01-02T03:04:05Z\"}}},"
        "{\"resource\":{\"resourceType\":\"OperationOutcome\",\"id\":\"hint\"},"
        "\"search\":{\"mode\":\"outcome\"}},"
        "{\"resource\":{\"resourceType\":\"Flag\",\"id\":\"bad id\\r\\nX: y\","
        "\"meta\":{\"versionId\":\"1\\r\\n\"},"
        "\"identifier\":[{\"system\":\"urn:y\",\"value\":\"abc\"},{\"system\":\"urn:x\"}]}}]}";
    struct answer_search found;
    struct arena arena;
    struct err err;
    int64_t updated_ms;
    arena_init(&arena, 1024 * 1024);
    assert_true(answer_read_search(SLICE(text), &want, &arena, &found, &err));
    assert_int_equal(2, found.count);
    assert_false(found.has_others);
    assert_true(slice_is(found.records[0].id, "7"));
    assert_true(slice_is(found.records[0].version, "2"));
    assert_true(found.records[0].is_ours);
    assert_true(instant_parse(SLICE("2026-01-02T03:04:05Z"), &updated_ms, &err));
    assert_int_equal(updated_ms, found.records[0].updated_ms);
    assert_false(found.records[1].is_ours); /* system and value of different identifiers */
    assert_int_equal(0, found.records[1].id.len);
    assert_int_equal(0, found.records[1].version.len);
    arena_fini(&arena);
}

/* --- small things -------------------------------------------------------------------------------- */

static const struct small_case {
    const char *name, *kind, *text, *expected;
} small_cases[] = {
    { "a relative location", "location", "Flag/12", "12" },
    { "with a version", "location", "Flag/12/_history/3", "12" },
    { "absolute", "location", "https://ehr/fhir/Flag/a-b.c/_history/3", "a-b.c" },
    { "a base URL that holds the word", "location", "https://ehr/Flag/R4/Flag/9", "9" },
    { "another type", "location", "https://ehr/fhir/Patient/12", "" },
    { "a longer type", "location", "https://ehr/fhir/RedFlag/12", "" },
    { "an id that FHIR does not allow", "location", "https://ehr/fhir/Flag/1%202", "" },
    { "no id", "location", "https://ehr/fhir/Flag/", "" },
    { "a weak ETag", "etag", "W/\"12\"", "12" },
    { "a strong ETag", "etag", "\"3\"", "3" },
    { "an opaque ETag", "etag", "W/\"a1\"", "0" },
    { "no ETag", "etag", "", "0" },
    { "an outcome's error", "issue",
      "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"warning\",\"code\":"
      "\"value\"},"
      "{\"severity\":\"error\",\"code\":\"lock-error\",\"diagnostics\":\"Patient Jane Roe\"}]}",
      "lock-error" },
    { "the code may come first", "issue",
      "{\"issue\":[{\"code\":\"invalid\",\"severity\":\"fatal\"}],"
      "\"resourceType\":\"OperationOutcome\"}",
      "invalid" },
    { "a code that is no code is not kept", "issue",
      "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"error\",\"code\":\"Jane "
      "Roe\"}]}",
      "" },
    { "Epic's number beside the code", "issue",
      "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"fatal\",\"code\":"
      "\"processing\",\"details\":{\"coding\":[{\"system\":"
      "\"urn:oid:1.2.840.114350.1.13.0.1.7.2.657369\",\"code\":\"59141\"}]}}]}",
      "processing Epic 59141" },
    { "W2.epic.2.informational: what is only told is no error: 59109 with severity information",
      "issue",
      "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"information\",\"code\":"
      "\"informational\",\"details\":{\"coding\":[{\"system\":"
      "\"urn:oid:1.2.840.114350.1.13.0.1.7.2.657369\",\"code\":\"59109\"}]}},"
      "{\"severity\":\"error\",\"code\":\"required\"}]}",
      "required" },
    { "a number of nobody's is no number", "issue",
      "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"error\",\"code\":"
      "\"invalid\",\"details\":{\"coding\":[{\"system\":\"urn:x\",\"code\":\"4134\"}]}}]}",
      "invalid" },
    { "another resource is no outcome", "issue",
      "{\"resourceType\":\"Flag\",\"issue\":[{\"severity\":\"error\",\"code\":\"invalid\"}]}", "" },
    { "a page is no outcome", "issue", "<html>", "" },
    { "a token is replaced wherever it stands", "token", "a{{flag}}b{{flag}}", "aFlag/1bFlag/1" },
    { "no token, no change", "token", "plain", "plain" },
    { "an id is put in front", "id", "{\"resourceType\":\"Flag\"}",
      "{\"id\":\"7\",\"resourceType\":\"Flag\"}" },
    { "a query value is escaped", "query", "http://a b/", "http%3A%2F%2Fa%20b%2F%7Cv-1" },
};

static void small_thing_reads_as(void **state)
{
    const struct small_case *c = *state;
    struct slice text = slice_of(c->text), out = SLICE("");
    struct arena arena;
    struct answer_issue issue;
    char bytes[64];
    arena_init(&arena, 1024 * 1024);
    if (strcmp(c->kind, "location") == 0)
        out = answer_location_id(text, "Flag");
    else if (strcmp(c->kind, "etag") == 0)
        out = arena_format(&arena, "%u", answer_etag_version(text));
    else if (strcmp(c->kind, "issue") == 0) {
        struct text shown = TEXT(bytes);
        answer_read_issue(text, &arena, &issue);
        text_add(&shown, "%s", issue.code);
        if (issue.number > 0)
            text_add(&shown, " %s %u", vendor_name(issue.vendor), issue.number);
        out = text_slice(&shown);
    } else if (strcmp(c->kind, "token") == 0)
        out = body_replace(text, BODY_TOKEN_FLAG, SLICE("Flag/1"), &arena);
    else if (strcmp(c->kind, "id") == 0)
        out = body_with_id(text, SLICE("7"), &arena);
    else if (strcmp(c->kind, "query") == 0)
        out = body_query_token(text, SLICE("v-1"), &arena);
    else
        fail();
    char shown[256];
    struct text line = TEXT(shown);
    text_add(&line, "%.*s", SLICE_ARGS(out));
    assert_string_equal(c->expected, shown);
    arena_fini(&arena);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + COUNT_OF(same_cases) + COUNT_OF(small_cases) + 1];
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(cases); i++) /* one reported test per row */
        tests[n++] = (struct CMUnitTest){ .name = cases[i].name,
                                          .test_func = statement_reads_as,
                                          .initial_state = (void *)(uintptr_t)&cases[i] };
    for (size_t i = 0; i < COUNT_OF(same_cases); i++)
        tests[n++] = (struct CMUnitTest){ .name = same_cases[i].name,
                                          .test_func = contents_compare,
                                          .initial_state = (void *)(uintptr_t)&same_cases[i] };
    for (size_t i = 0; i < COUNT_OF(small_cases); i++)
        tests[n++] = (struct CMUnitTest){ .name = small_cases[i].name,
                                          .test_func = small_thing_reads_as,
                                          .initial_state = (void *)(uintptr_t)&small_cases[i] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_search_keeps_what_was_asked_for);
    return cmocka_run_group_tests_name("outbox_capability", tests, NULL, NULL);
}
