/* A record is one line of JSON with keys in fixed order, whatever peers put into names. */
#include "audit_chain.h"
#include "base/date.h"
#include "base/json.h"

static const struct audit_entry two[] = {
    { "update", FHIR_CONDITION, { "c1", 2 }, 2, 200 },
    { "search", FHIR_FLAG, { "", 0 }, 0, 0 },
};
static const struct audit_entry odd[] = { { "read", FHIR_FLAG, { "a\"b", 3 }, 0, 404 } };

static const struct write_case {
    const char *name;
    struct audit_record record;
    const char *line; /* behind `"mono":7,` */
} cases[] = {
    { "empty members are left out",
      { .kind = AUDIT_START, .outcome = "success" },
      "\"kind\":\"start\",\"outcome\":\"success\"}" },
    { "all members come in their order",
      { .kind = AUDIT_REQUEST,
        .tenant = SLICE("north"),
        .actor = SLICE("ehr.example"),
        .address = SLICE("192.0.2.7"),
        .request_id = SLICE("r-1"),
        .method = SLICE("PUT"),
        .path = SLICE("/fhir/Condition/c1"),
        .status = 200,
        .outcome = "success",
        .patient = SLICE("Patient/p1"),
        .entries = two,
        .entry_count = 2,
        .request_digest = { { 0xab, 1 } },
        .response_digest = { { 0xcd, 2 } },
        .detail = SLICE("{\"lines\":2}") },
      "\"kind\":\"request\",\"tenant\":\"north\",\"actor\":\"ehr.example\",\"address\":\"192.0.2."
      "7\","
      "\"requestId\":\"r-1\",\"method\":\"PUT\",\"path\":\"/fhir/Condition/c1\",\"status\":200,"
      "\"outcome\":\"success\",\"patient\":\"Patient/p1\",\"entries\":["
      "{\"action\":\"update\",\"resource\":\"Condition/c1\",\"version\":2,\"status\":200},"
      "{\"action\":\"search\",\"resource\":\"Flag\"}],"
      "\"requestDigest\":\"ab01000000000000000000000000000000000000000000000000000000000000\","
      "\"responseDigest\":\"cd02000000000000000000000000000000000000000000000000000000000000\","
      "\"detail\":{\"lines\":2}}" },
    { "a query never reaches the log",
      { .kind = AUDIT_REQUEST, .path = SLICE("/fhir/Patient?name=Chalmers") },
      "\"kind\":\"request\",\"path\":\"/fhir/Patient\"}" },
    { "a name cannot break out of its string",
      { .kind = AUDIT_SECURITY, .actor = SLICE("a\"b\\c\nd\x7f\x1b[2J") },
      "\"kind\":\"security\",\"actor\":\"a\\\"b\\\\c\\u000ad\\u007f\\u001b[2J\"}" },
    { "UTF-8 stays and what is not UTF-8 is marked",
      { .kind = AUDIT_SECURITY,
        .actor = SLICE("M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x98\x80 "
                       "\xff \xc3 \xed\xa0\x80 \xc0\xaf \xf4\x90\x80\x80") },
      "\"kind\":\"security\",\"actor\":\"M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x98\x80 \\ufffd "
      "\\ufffd "
      "\\ufffd\\ufffd\\ufffd \\ufffd\\ufffd \\ufffd\\ufffd\\ufffd\\ufffd\"}" },
    { "an id that is none is not written",
      { .kind = AUDIT_REQUEST, .entries = odd, .entry_count = 1 },
      "\"kind\":\"request\",\"entries\":[{\"action\":\"read\",\"resource\":\"Flag\","
      "\"status\":404}]}" },
    { "a line break between tokens of the detail becomes a space",
      { .kind = AUDIT_CONFIG, .detail = SLICE("{\n\"a\":1\n}") },
      "\"kind\":\"config\",\"detail\":{ \"a\":1 }}" },
};

static bool ignore_value(void *ctx, struct json_reader *json, enum json_kind kind,
                         struct slice text)
{
    (void)ctx, (void)json, (void)kind, (void)text;
    return true;
}

static bool ignore_container(void *ctx, struct json_reader *json, enum json_kind kind)
{
    (void)ctx, (void)json, (void)kind;
    return true;
}

static void assert_is_json(struct slice line)
{
    static const struct json_events events = { ignore_value, ignore_container, ignore_container };
    struct arena arena;
    struct err err;
    arena_init(&arena, 1 << 20);
    if (!json_read(line, NULL, &events, NULL, &arena, &err))
        fail_msg("%s: %s", err.where, err.what);
    arena_fini(&arena);
}

static void record_reads_as(void **state)
{
    const struct write_case *row = *state;
    struct audit_record record = row->record;
    struct audit_head head = { 11, { { 0x5a } } };
    struct sha256 before = head.hash;
    struct buffer out;
    record.time_ms = CHAIN_START_MS;
    record.monotonic_ns = 7;
    buffer_init(&out, 1 << 16);
    buffer_add(&out, SLICE("what was there before"));
    size_t start = out.len;
    audit_write(&record, &head, &out);
    assert_int_equal(head.seq, 12);
    struct slice line = { out.at + start, out.len - start };
    char expected[2048];
    snprintf(expected, sizeof expected,
             "{\"seq\":12,\"prev\":\"5a%062d\",\"time\":\"2026-11-23T08:30:00.123Z\",\"mono\":7,%s",
             0, row->line);
    buffer_add_char(&out, '\0');
    assert_string_equal(out.at + start, expected);
    struct sha256 hash = audit_hash(&before, line);
    assert_true(sha256_equal(&hash, &head.hash));
    assert_is_json(line);
    buffer_fini(&out);
}

static void a_record_that_does_not_fit_leaves_the_head(void **state)
{
    (void)state;
    static struct audit_entry entries[200];
    for (size_t i = 0; i < COUNT_OF(entries); i++)
        entries[i] = (struct audit_entry){ "create", FHIR_CONDITION, SLICE("c1"), 1, 201 };
    struct audit_record record = { .kind = AUDIT_REQUEST,
                                   .entries = entries,
                                   .entry_count = COUNT_OF(entries) };
    struct buffer out;
    buffer_init(&out, 1 << 16);
    struct audit_head head = { 0 };
    audit_write(&record, &head, &out);
    assert_false(buffer_overflowed(&out));
    assert_int_equal(head.seq, 1);
    assert_is_json(buffer_slice(&out));
    size_t needed = out.len;
    buffer_fini(&out);
    for (size_t max = 0; max < needed; max += 97) {
        buffer_init(&out, max);
        head = (struct audit_head){ 0 };
        audit_write(&record, &head, &out);
        assert_true(buffer_overflowed(&out));
        assert_int_equal(head.seq, 0);
        buffer_fini(&out);
    }
}

static void times_read_as_dates_do(void **state)
{
    (void)state;
    static const int64_t times[] = { 0,
                                     1,
                                     999,
                                     86399999,
                                     86400000,
                                     -1,
                                     CHAIN_START_MS,
                                     INT64_C(951827696789),
                                     INT64_C(4102444799999) };
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        struct audit_record record = { .kind = AUDIT_ADMIN, .time_ms = times[i] };
        struct audit_head head = { 0 };
        struct buffer out;
        char expected[64] = "\"time\":\"";
        buffer_init(&out, 4096);
        audit_write(&record, &head, &out);
        instant_format(times[i], expected + strlen(expected));
        assert_non_null(memmem(out.at, out.len, expected, strlen(expected)));
        buffer_fini(&out);
    }
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + 2] = {
        cmocka_unit_test(a_record_that_does_not_fit_leaves_the_head),
        cmocka_unit_test(times_read_as_dates_do),
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) /* one reported test per row */
        tests[2 + i] = (struct CMUnitTest){ .name = cases[i].name,
                                            .test_func = record_reads_as,
                                            .initial_state = (void *)(uintptr_t)&cases[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
