/* What the bodies say, whatever names and texts the engine hands over. */
#include "plan_story.h"

#include "base/json.h"

static struct fixture fixture;
static struct plan plan;
static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 4 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

/* text.div of a body, unescaped. */
struct finder {
    const char *path;
    char value[4096];
    size_t len;
    unsigned count;
};

static bool on_value(void *ctx, struct json_reader *json, enum json_kind kind, struct slice text)
{
    struct finder *finder = ctx;
    (void)kind;
    if (slice_is(json_path(json), finder->path) && finder->count++ == 0) {
        assert_true(text.len < sizeof finder->value);
        memcpy(finder->value, text.at, text.len);
        finder->value[text.len] = '\0';
        finder->len = text.len;
    }
    return true;
}

static bool on_container(void *ctx, struct json_reader *json, enum json_kind kind)
{
    (void)ctx, (void)json, (void)kind;
    return true;
}

static struct finder *find(struct slice body, const char *path)
{
    static const struct json_events events = { on_value, on_container, on_container };
    static struct finder finder;
    struct err err;
    finder = (struct finder){ .path = path };
    if (!json_read(body, NULL, &events, &finder, &arena, &err))
        fail_msg("%s: %s", err.where, err.what);
    return &finder;
}

/* Tags closed in order, no markup but what we write, no control characters. */
static void assert_is_xhtml(const char *div)
{
    static const char *const tags[] = { "div", "p", "b", "ul", "li" };
    const char *open[16];
    unsigned depth = 0;
    for (const char *at = div; *at != '\0'; at++) {
        assert_true((unsigned char)*at >= 0x20);
        assert_int_not_equal(*at, '>');
        if (*at == '&')
            assert_true(strncmp(at, "&lt;", 4) == 0 || strncmp(at, "&gt;", 4) == 0 ||
                        strncmp(at, "&amp;", 5) == 0 || strncmp(at, "&quot;", 6) == 0);
        if (*at != '<')
            continue;
        const char *name = at[1] == '/' ? at + 2 : at + 1, *tag = NULL;
        size_t len = strcspn(name, " >");
        for (size_t i = 0; i < COUNT_OF(tags); i++)
            if (strlen(tags[i]) == len && strncmp(tags[i], name, len) == 0)
                tag = tags[i];
        assert_non_null(tag);
        if (at[1] == '/') {
            assert_true(depth > 0);
            assert_ptr_equal(open[--depth], tag);
        } else {
            assert_true(depth < COUNT_OF(open));
            open[depth++] = tag;
        }
        at = strchr(at, '>');
        assert_non_null(at);
    }
    assert_int_equal(depth, 0);
}

static void make(enum fixture_patient patient)
{
    fixture_patient(&fixture, patient);
    struct plan_input input = story_input(&fixture);
    story_make(&input, &arena, &plan);
}

static void a_flag_says_what_a_reader_must_know(void **state)
{
    (void)state;
    make(FIXTURE_HODGKIN);
    struct slice body = story_posting(&plan, POSTING_FLAG)->body;
    static const char *const parts[] = {
        "{\"resourceType\":\"Flag\",\"meta\":{\"source\":\"https://gateway.example/lifeline\"",
        "\"system\":\"https://gateway.example/lifeline/CodeSystem/rule-set\",\"code\":\"abcdef",
        "\"status\":\"active\"",
        "\"system\":\"http://terminology.hl7.org/CodeSystem/flag-category\",\"code\":\"clinical\"",
        "/CodeSystem/salvage-therapy\",\"code\":\"salvage-therapy\",",
        "\"display\":\"Salvage therapy\"",
        "\"text\":\"Salvage therapy ordered: line 2, ICE (relapsed Hodgkin lymphoma), grade HIGH\"",
        "\"subject\":{\"reference\":\"Patient/p1\"}",
        "\"period\":{\"start\":\"2024-10-07\"}",
        "\"author\":{\"display\":\"Lifeline 0.1.0\"}",
    };
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (!story_has(body, parts[i]))
            fail_msg("missing %s in %.*s", parts[i], SLICE_ARGS(body));
    assert_false(story_has(body, "\"id\""));
    assert_false(story_has(body, "extension"));
    assert_false(story_has(body, "given"));
}

static void a_care_plan_asks_and_never_advises(void **state)
{
    (void)state;
    static struct plan_texts texts;
    story_read_texts(&arena, &texts);
    assert_true(texts.count >= 6);
    fixture_patient(&fixture, FIXTURE_DLBCL);
    struct plan_input input = story_input(&fixture);
    input.texts = &texts;
    story_make(&input, &arena, &plan);
    struct slice body = story_posting(&plan, POSTING_CARE_PLAN)->body;
    static const char *const parts[] = {
        "\"intent\":\"proposal\"",
        "\"code\":\"assess-plan\"",
        "\"title\":\"Line 3 (salvage): axicabtagene ciloleucel\"",
        "\"period\":{\"start\":\"2025-09-29\",\"end\":\"2025-09-29\"}",
        "\"addresses\":[{\"reference\":\"Condition/c1\"}]",
        "\"supportingInfo\":[{\"reference\":\"MedicationRequest/m10\"}]",
        "Earlier lines, as ordered: line 1: R-CHOP, 2025-01-06 to 2025-05-12; line 2: R-ICE, ",
        "R-ICE, 2025-06-16 to 2025-08-11",
        "anthracycline (doxorubicin) 2025-01-06 to 2025-05-12, followed by relapse, progression or",
        "An anthracycline was ordered: is the cumulative dose on record",
        "A platinum drug was ordered",
        "A cell therapy was ordered",
        "Response to earlier lines",
        "Trial eligibility",
        "Quality of life",
        "Goals of care",
    };
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (!story_has(body, parts[i]))
            fail_msg("missing %s in %.*s", parts[i], SLICE_ARGS(body));
    assert_false(story_has(body, "Conditioning was ordered"));
    assert_false(story_has(body, "given"));
    assert_false(story_has(body, "recommend"));
    assert_false(story_has(body, "activity"));
}

static void a_provenance_names_versions_and_leaves_tokens(void **state)
{
    (void)state;
    make(FIXTURE_AML);
    unsigned seen = 0;
    for (unsigned i = 0; i < plan.posting_count; i++) {
        struct slice body = plan.postings[i].body;
        if (plan.postings[i].kind != POSTING_PROVENANCE)
            continue;
        seen++;
        assert_true(story_has(body, seen == 1 ? "\"target\":[{\"reference\":\"{{flag}}\"}]"
                                              : "\"target\":[{\"reference\":\"{{careplan}}\"}]"));
        assert_true(story_has(body, "\"recorded\":\"{{recorded}}\""));
        assert_true(story_has(body, "\"policy\":[\"urn:sha256:abcdef0000"));
        assert_true(story_has(body, "{\"role\":\"source\",\"what\":{\"reference\":"
                                    "\"Condition/c1/_history/1\"}}"));
        assert_true(story_has(body, "MedicationRequest/m4/_history/1"));
        assert_true(story_has(body, "\"code\":\"assembler\""));
    }
    assert_int_equal(seen, 2);
}

static void a_truncated_history_gives_no_exact_number(void **state)
{
    (void)state;
    fixture_patient(&fixture, FIXTURE_MYELOMA);
    struct plan_input input = story_input(&fixture);
    input.with_extensions = true;
    story_make(&input, &arena, &plan);
    struct slice body = story_posting(&plan, POSTING_CARE_PLAN)->body;
    assert_true(story_has(body, "\"title\":\"Line 2 or later (salvage): DPd\""));
    assert_true(story_has(body, "There may be earlier lines that are not on record"));
    assert_false(story_has(body, "valuePositiveInt"));
}

static void extensions_come_only_when_they_are_asked_for(void **state)
{
    (void)state;
    fixture_patient(&fixture, FIXTURE_HODGKIN);
    struct plan_input input = story_input(&fixture);
    input.with_extensions = true;
    story_make(&input, &arena, &plan);
    assert_true(
        story_has(story_posting(&plan, POSTING_CARE_PLAN)->body,
                  "\"extension\":[{\"url\":\"http://hl7.org/fhir/us/pedcan/StructureDefinition/"
                  "pedcan-line-of-therapy-number\",\"valuePositiveInt\":2}]"));
    assert_true(story_has(story_posting(&plan, POSTING_FLAG)->body,
                          "{\"url\":\"http://hl7.org/fhir/StructureDefinition/flag-detail\","
                          "\"valueReference\":{\"reference\":\"Condition/c1\"}}"));
}

static void a_range_of_numbers_is_told(void **state)
{
    (void)state;
    fixture_patient(&fixture, FIXTURE_HODGKIN);
    fixture.diseases[0].lines[1].number_max = 4;
    struct plan_input input = story_input(&fixture);
    story_make(&input, &arena, &plan);
    assert_true(story_has(story_posting(&plan, POSTING_FLAG)->body, "line 2 (2 to 4), ICE"));
}

static void names_cannot_break_out_of_the_narrative(void **state)
{
    (void)state;
    static const char nasty[] = "<script>alert(\"&\")</script>\\ \xe2\x82\xac";
    fixture_init(&fixture, "2026-03-01");
    struct history *history = fixture_disease(&fixture, "dlbcl", nasty);
    fixture_line(&fixture, history,
                 &(struct fixture_line){ nasty, "a<b&c>\"d\"", "2025-01-06", NULL });
    fixture_salvage(&fixture, history, GRADE_HIGH, DISEASE_STATUS_RELAPSED);
    fixture_reason(&fixture, history, "gap 214 > limit 180 & \"switch\" <of> agents\n");
    struct plan_input input = story_input(&fixture);
    input.device = SLICE("Lifeline \\ <\"0.1\">");
    story_make(&input, &arena, &plan);
    static const enum posting_kind kinds[] = { POSTING_FLAG, POSTING_CARE_PLAN };
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct finder *div = find(story_posting(&plan, kinds[i])->body, "text.div");
        assert_int_equal(div->count, 1);
        assert_is_xhtml(div->value);
        assert_non_null(strstr(div->value, "a&lt;b&amp;c&gt;&quot;d&quot;"));
        assert_non_null(strstr(div->value, "&lt;script&gt;"));
        assert_non_null(strstr(div->value, "\xe2\x82\xac"));
        assert_null(strstr(div->value, "<script"));
    }
}

/* 30 ingredients with names that grow fivefold when escaped, and reasons without end. */
static void a_narrative_never_grows_past_its_limit(void **state)
{
    (void)state;
    static char names[30 * 24], regimen[900], reason[900];
    size_t used = 0;
    for (unsigned i = 0; i < 30; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s&&&&ingredient%02u",
                                 i > 0 ? " " : "", i);
    memset(regimen, '&', sizeof regimen - 1);
    memset(reason, '"', sizeof reason - 1);
    for (unsigned reasons = 0; reasons <= LOT_REASONS_MAX; reasons++) {
        fixture_init(&fixture, "2026-03-01");
        struct history *history = fixture_disease(&fixture, "dlbcl", regimen);
        fixture_line(&fixture, history,
                     &(struct fixture_line){ regimen, names, "2025-01-06", NULL });
        fixture_salvage(&fixture, history, GRADE_HIGH, DISEASE_STATUS_RELAPSED);
        history->verdict.basis = slice_of(reason);
        for (unsigned i = 0; i < reasons; i++)
            fixture_reason(&fixture, history, reason + (i % 2 == 0 ? 0 : 860));
        struct plan_input input = story_input(&fixture);
        input.device = slice_of(reason);
        story_make(&input, &arena, &plan);
        struct finder *div = find(story_posting(&plan, POSTING_FLAG)->body, "text.div");
        assert_is_xhtml(div->value);
        assert_in_range(div->len, 900, PLAN_NARRATIVE_MAX);
        assert_non_null(strstr(div->value, " more</li>"));
    }
}

static void thirty_ordinary_ingredients_fit_with_the_rest(void **state)
{
    (void)state;
    static char names[30 * 16];
    size_t used = 0;
    for (unsigned i = 0; i < 30; i++)
        used +=
            (size_t)snprintf(names + used, sizeof names - used, "%sagent%02u", i > 0 ? " " : "", i);
    fixture_init(&fixture, "2026-03-01");
    struct history *history = fixture_disease(&fixture, "dlbcl", "lymphoma");
    fixture_line(&fixture, history, &(struct fixture_line){ "", names, "2025-01-06", NULL });
    fixture_salvage(&fixture, history, GRADE_HIGH, DISEASE_STATUS_RELAPSED);
    struct plan_input input = story_input(&fixture);
    story_make(&input, &arena, &plan);
    struct finder *div = find(story_posting(&plan, POSTING_FLAG)->body, "text.div");
    assert_non_null(strstr(div->value, "agent29"));
    assert_true(div->len <= PLAN_NARRATIVE_MAX);
}

static void make_digests(struct plan_input *input, struct sha256 out[4])
{
    story_make(input, &arena, &plan);
    assert_int_equal(plan.posting_count, 4);
    for (unsigned i = 0; i < 4; i++)
        out[i] = plan.postings[i].digest;
}

static void the_digest_is_of_what_is_said(void **state)
{
    (void)state;
    static const struct sha256 other_rules = { { 0x77 } };
    struct sha256 first[4], second[4];
    fixture_patient(&fixture, FIXTURE_HODGKIN);
    struct plan_input input = story_input(&fixture);
    make_digests(&input, first);
    for (int32_t days = 1; days < 400; days += 57) { /* another day */
        fixture.therapy.as_of = date_add(fixture.therapy.as_of, days);
        fixture.diseases[0].lines[1].end = fixture.therapy.as_of; /* an open line's end moves */
        fixture.diseases[0].classes[1].last = fixture.therapy.as_of;
        input.today = fixture.therapy.as_of;
        make_digests(&input, second);
        assert_memory_equal(first, second, sizeof first);
    }
    input.rule_set = &other_rules; /* another rule set, another version of the software */
    input.device = SLICE("Lifeline 9.9.9 build 7");
    make_digests(&input, second);
    assert_memory_equal(first, second, sizeof first);
    assert_true(story_has(story_posting(&plan, POSTING_FLAG)->body, "Lifeline 9.9.9 build 7"));

    fixture_reason(&fixture, &fixture.histories[0], "one more reason");
    make_digests(&input, second);
    assert_memory_not_equal(&first[0], &second[0], sizeof first[0]);
}

static void a_renewed_order_is_no_news_for_the_flag(void **state)
{
    (void)state;
    struct sha256 first[4], second[4];
    fixture_patient(&fixture, FIXTURE_HODGKIN);
    struct fixture_disease *own = &fixture.diseases[0];
    struct plan_input input = story_input(&fixture);
    make_digests(&input, first);
    fixture.events[fixture.event_count - 1].version = 2; /* the same order, sent again */
    make_digests(&input, second);
    assert_memory_equal(first, second, sizeof first);
    own->line_orders[1][own->lines[1].source_count++] = &fixture.events[1]; /* one more order */
    make_digests(&input, second);
    assert_memory_equal(first, second, 2 * sizeof first[0]); /* the Flag and its Provenance */
    assert_memory_not_equal(&first[2], &second[2], sizeof first[0]); /* supportingInfo */
    assert_memory_not_equal(&first[3], &second[3], sizeof first[0]);
}

static void tenants_and_patients_do_not_share_identities(void **state)
{
    (void)state;
    char first[SHA256_HEX_SIZE];
    make(FIXTURE_HODGKIN);
    memcpy(first, story_posting(&plan, POSTING_FLAG)->identity, sizeof first);
    struct plan_input input = story_input(&fixture);
    input.tenant = SLICE("south");
    story_make(&input, &arena, &plan);
    assert_string_not_equal(first, story_posting(&plan, POSTING_FLAG)->identity);
    input = story_input(&fixture);
    input.patient = SLICE("Patient/p2");
    story_make(&input, &arena, &plan);
    assert_string_not_equal(first, story_posting(&plan, POSTING_FLAG)->identity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_flag_says_what_a_reader_must_know, setup, teardown),
        cmocka_unit_test_setup_teardown(a_care_plan_asks_and_never_advises, setup, teardown),
        cmocka_unit_test_setup_teardown(a_provenance_names_versions_and_leaves_tokens, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_truncated_history_gives_no_exact_number, setup, teardown),
        cmocka_unit_test_setup_teardown(extensions_come_only_when_they_are_asked_for, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_range_of_numbers_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(names_cannot_break_out_of_the_narrative, setup, teardown),
        cmocka_unit_test_setup_teardown(a_narrative_never_grows_past_its_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(thirty_ordinary_ingredients_fit_with_the_rest, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_digest_is_of_what_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(a_renewed_order_is_no_news_for_the_flag, setup, teardown),
        cmocka_unit_test_setup_teardown(tenants_and_patients_do_not_share_identities, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
