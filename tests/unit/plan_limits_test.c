/* Very long, very short and missing: what is posted stays valid and whole, or nothing is. */
#include "plan_story.h"

#include "domain/rules.h"

static struct fixture fixture;
static struct plan plan;
static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 8 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct plan_input patient(enum fixture_patient which)
{
    fixture_patient(&fixture, which);
    return story_input(&fixture);
}

static struct history *history_of_fixture(void) { return &fixture.histories[0]; }

static struct line *salvage_line(void)
{
    return &fixture.diseases[0].lines[history_of_fixture()->line_count - 1];
}

static unsigned count_of(struct slice body, const char *text)
{
    unsigned count = 0;
    const char *at = body.at, *end = body.at + body.len;
    while ((at = memmem(at, (size_t)(end - at), text, strlen(text))) != NULL) {
        at += strlen(text);
        count++;
    }
    return count;
}

static struct slice body_of(const struct plan_input *input, enum posting_kind kind)
{
    story_make(input, &arena, &plan);
    return story_posting(&plan, kind)->body;
}

/* --- what there is too much of ------------------------------------------------------------------- */

static void of_many_orders_the_first_are_named(void **state)
{
    (void)state;
    enum { ORDERS = PLAN_EVIDENCE_MAX + 6 };
    static struct event orders[ORDERS];
    static const struct event *sources[ORDERS];
    static char ids[ORDERS][8];
    struct plan_input input = patient(FIXTURE_HODGKIN);
    for (unsigned i = 0; i < ORDERS; i++) {
        snprintf(ids[i], sizeof ids[i], "n%02u", i);
        orders[i] = (struct event){ .type = FHIR_MEDICATION_REQUEST, .id = slice_of(ids[i]) };
        sources[i] = &orders[i];
    }
    salvage_line()->sources = sources;
    salvage_line()->source_count = ORDERS;
    struct slice body = body_of(&input, POSTING_CARE_PLAN);
    assert_int_equal(count_of(body, "{\"reference\":\"MedicationRequest/n"), PLAN_EVIDENCE_MAX);
    body = story_posting(&plan, POSTING_PROVENANCE)->body;
    assert_int_equal(count_of(body, "\"role\":\"source\""), PLAN_EVIDENCE_MAX);
    assert_true(story_has(body, "Condition/c1")); /* what the verdict names is never cut */
}

static struct slice many_bytes(size_t count)
{
    char *bytes = arena_alloc(&arena, count);
    memset(bytes, 'x', count);
    return (struct slice){ bytes, count };
}

/* Texts that fit into no body: the whole plan is refused, and not half of it is posted. */
static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct err err;
    struct plan_input input = patient(FIXTURE_HODGKIN);
    fixture.diseases[0].reasons[0].text = many_bytes(300 * 1024);
    assert_false(plan_make(&input, &arena, &plan, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);

    input = patient(FIXTURE_HODGKIN);
    input.device = many_bytes(300 * 1024); /* in the bodies alone */
    assert_false(plan_make(&input, &arena, &plan, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);

    const struct posted before = { .kind = POSTING_FLAG,
                                   .target = POSTING_FLAG,
                                   .wish = WISH_HOLD,
                                   .disease = SLICE("dlbcl"),
                                   .text = many_bytes(300 * 1024) };
    input = patient(FIXTURE_NSCLC); /* what was posted ends */
    input.before = &before;
    input.before_count = 1;
    assert_false(plan_make(&input, &arena, &plan, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
}

static void remember_many(struct posted *before, enum posting_wish wish)
{
    static char names[PLAN_POSTINGS_MAX][8];
    for (unsigned i = 0; i < PLAN_POSTINGS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "d%u", i);
        before[i] = (struct posted){ .kind = POSTING_FLAG,
                                     .target = POSTING_FLAG,
                                     .wish = wish,
                                     .disease = slice_of(names[i]),
                                     .text = SLICE("Salvage therapy"),
                                     .end = date_none() };
    }
}

static void more_than_can_be_remembered_is_refused(void **state)
{
    (void)state;
    static struct posted before[PLAN_POSTINGS_MAX];
    struct err err;
    struct plan_input input = patient(FIXTURE_HODGKIN);
    remember_many(before, WISH_HOLD);
    input.before = before;
    input.before_count = PLAN_POSTINGS_MAX;
    assert_false(plan_make(&input, &arena, &plan, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    input.idle_kinds = POSTING_BIT(POSTING_FLAG);
    assert_false(plan_make(&input, &arena, &plan, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
}

static void what_ended_long_ago_makes_room(void **state)
{
    (void)state;
    static struct posted before[PLAN_POSTINGS_MAX];
    struct plan_input input = patient(FIXTURE_HODGKIN);
    remember_many(before, WISH_INACTIVE);
    input.before = before;
    input.before_count = PLAN_POSTINGS_MAX;
    story_make(&input, &arena, &plan);
    assert_int_equal(plan.posting_count, 4);
    assert_int_equal(plan.after_count, PLAN_POSTINGS_MAX);
    assert_true(slice_is(plan.after[0].disease, "hodgkin"));
    assert_true(slice_is(plan.after[4].disease, "d0"));
}

/* --- what there is too little of ----------------------------------------------------------------- */

/* FHIR has no empty arrays. */
static void a_verdict_without_resources_has_no_empty_arrays(void **state)
{
    (void)state;
    struct plan_input input = patient(FIXTURE_HODGKIN);
    struct history *history = history_of_fixture();
    input.with_extensions = true;
    for (unsigned i = 0; i < history->line_count; i++)
        fixture.diseases[0].lines[i].source_count = 0;
    history->condition = NULL;
    history->verdict.evidence_count = 0;
    story_make(&input, &arena, &plan);
    assert_int_equal(plan.posting_count, 4);
    for (unsigned i = 0; i < plan.posting_count; i++) {
        struct slice body = plan.postings[i].body;
        assert_false(story_has(body, "[]"));
        assert_false(story_has(body, "supportingInfo"));
        assert_false(story_has(body, "\"entity\""));
        assert_false(story_has(body, "flag-detail"));
    }
}

static void a_care_plan_with_nothing_to_ask_has_no_notes(void **state)
{
    (void)state;
    fixture_init(&fixture, "2025-03-01");
    struct history *history = fixture_disease(&fixture, "mm", "multiple myeloma");
    fixture_line(&fixture, history,
                 &(struct fixture_line){ "DPd", "daratumumab", "2025-01-06", NULL });
    fixture_salvage(&fixture, history, GRADE_HIGH, DISEASE_STATUS_UNKNOWN);
    struct plan_input input = story_input(&fixture);
    assert_false(story_has(body_of(&input, POSTING_CARE_PLAN), "\"note\""));
    history->verdict.history_truncated = true;
    assert_int_equal(count_of(body_of(&input, POSTING_CARE_PLAN), "\"note\":[{\"text\":"), 1);
}

static void a_line_without_drugs_names_none(void **state)
{
    (void)state;
    struct plan_input input = patient(FIXTURE_ESRD);
    salvage_line()->drug_count = 0; /* dialysis */
    input.extra_kinds = POSTING_BIT(POSTING_COMMUNICATION);
    history_of_fixture()->verdict.basis = SLICE("");
    story_make(&input, &arena, &plan);
    assert_false(story_has(story_posting(&plan, POSTING_FLAG)->body, "Ingredients ordered"));
    assert_false(story_has(story_posting(&plan, POSTING_FLAG)->body, "Basis: "));
    assert_false(
        story_has(story_posting(&plan, POSTING_COMMUNICATION)->body, "Ingredients ordered"));
}

static void what_was_remembered_without_a_start_ends_without_one(void **state)
{
    (void)state;
    const struct posted before = { .kind = POSTING_FLAG,
                                   .target = POSTING_FLAG,
                                   .wish = WISH_HOLD,
                                   .disease = SLICE("dlbcl"),
                                   .text = SLICE("Salvage therapy ordered"),
                                   .start = date_none(),
                                   .end = date_none() };
    struct plan_input input = patient(FIXTURE_NSCLC);
    input.before = &before;
    input.before_count = 1;
    struct slice body = body_of(&input, POSTING_FLAG);
    assert_true(story_has(body, "\"status\":\"inactive\""));
    assert_false(story_has(body, "\"period\""));
}

static void a_slash_at_the_end_of_the_instance_is_not_doubled(void **state)
{
    (void)state;
    struct plan_input input = patient(FIXTURE_HODGKIN);
    input.instance = SLICE("https://gateway.example/lifeline//");
    assert_true(story_has(body_of(&input, POSTING_FLAG),
                          "\"https://gateway.example/lifeline/CodeSystem/rule-set\""));
    input.instance = SLICE("/"); /* never told whose they are, but still valid */
    assert_true(story_has(body_of(&input, POSTING_FLAG), "\"/CodeSystem/rule-set\""));
}

/* A name of the mappings that is cut or holds a control: viewers would refuse the whole narrative. */
static void what_is_no_character_is_a_question_mark(void **state)
{
    (void)state;
    struct plan_input input = patient(FIXTURE_HODGKIN);
    salvage_line()->regimen = SLICE("I\x01"
                                    "C\xed\xa0\x80"
                                    "E \xe2\x82");
    assert_true(story_has(body_of(&input, POSTING_FLAG), "<li>Regimen: I?C?"
                                                         "??E </li>")); /* the end was cut */
}

static void an_open_range_of_numbers_is_told(void **state)
{
    (void)state;
    struct plan_input input = patient(FIXTURE_HODGKIN);
    salvage_line()->number_max = 0;
    assert_true(story_has(body_of(&input, POSTING_FLAG), "line 2 or later, ICE"));
}

/* --- notes of a CarePlan ------------------------------------------------------------------------- */

static void three_steps_of_the_kidneys_are_told_in_order(void **state)
{
    (void)state;
    fixture_init(&fixture, "2025-03-01");
    struct history *history = fixture_disease(&fixture, "esrd", "end-stage kidney disease");
    fixture.diseases[0].disease.family = DISEASE_RENAL;
    static const struct fixture_line steps[] = {
        { "hemodialysis", "heparin", "2019-02-04", "2020-05-01" },
        { "kidney transplant", "tacrolimus", "2020-05-02", "2024-06-30" },
        { "peritoneal dialysis", "heparin", "2024-07-01", NULL },
    };
    for (size_t i = 0; i < COUNT_OF(steps); i++)
        fixture_line(&fixture, history, &steps[i]);
    fixture_salvage(&fixture, history, GRADE_MEDIUM, DISEASE_STATUS_UNKNOWN);
    struct plan_input input = story_input(&fixture);
    assert_true(story_has(body_of(&input, POSTING_CARE_PLAN),
                          "Earlier steps, as recorded: step 1: hemodialysis, 2019-02-04 to "
                          "2020-05-01; step 2: kidney transplant, 2020-05-02 to 2024-06-30"));
}

static void only_kinds_of_treatment_not_ordered_are_asked_about(void **state)
{
    (void)state;
    static const struct treatment_option kinds[] = { { .name = { "cell therapy", 12 } },
                                                     { .name = { "checkpoint inhibitor", 20 } },
                                                     { .name = { "transplant", 10 } } };
    static const struct option_use used[] = { { .option = &kinds[1], .is_used = true } };
    static const struct option_use uses[] = { { .option = &kinds[0] },
                                              { .option = &kinds[1], .is_used = true },
                                              { .option = &kinds[2] } };
    struct plan_input input = patient(FIXTURE_HODGKIN);
    history_of_fixture()->options = uses;
    history_of_fixture()->option_count = COUNT_OF(uses);
    assert_true(story_has(body_of(&input, POSTING_CARE_PLAN),
                          "has the team discussed them? cell therapy; transplant\""));
    history_of_fixture()->options = used;
    history_of_fixture()->option_count = COUNT_OF(used);
    assert_false(story_has(body_of(&input, POSTING_CARE_PLAN), "discussed"));
}

static const struct sum_case {
    const char *name;
    struct cumulative sum;
    const char *says;
} sums[] = {
    { "a cumulative dose of which every order is counted is exact",
      { .exposure = { "doxorubicin", 11 }, .orders = 2, .counted = 2, .total_thousandths = 100000 },
      "Cumulative doxorubicin, as ordered: 100 mg/m2\"" },
    { "a cumulative dose of which some orders are counted is a least one",
      { .exposure = { "doxorubicin", 11 },
        .orders = 3,
        .counted = 2,
        .total_thousandths = 99500,
        .why_not = { "no dose is stated", 17 } },
      "as ordered: at least 100 mg/m2; 1 of 3 orders are not counted: no dose is stated\"" },
    { "a cumulative dose of which no order is counted is not computable",
      { .exposure = { "doxorubicin", 11 }, .orders = 3, .why_not = { "no dose is stated", 17 } },
      "as ordered: not computable; 3 of 3 orders are not counted: no dose is stated\"" },
};

static void the_sum_says(void **state)
{
    const struct sum_case *row = *state;
    arena_init(&arena, 1 << 20);
    struct plan_input input = patient(FIXTURE_HODGKIN);
    fixture.therapy.cumulative = &row->sum;
    fixture.therapy.cumulative_count = 1;
    assert_true(story_has(body_of(&input, POSTING_CARE_PLAN), row->says));
    arena_fini(&arena);
}

/* --- messages ------------------------------------------------------------------------------------ */

static void a_message_has_whole_lines_only(void **state)
{
    (void)state;
    struct plan_input input = patient(FIXTURE_HODGKIN);
    input.extra_kinds = POSTING_BIT(POSTING_COMMUNICATION);
    fixture_reason(&fixture, history_of_fixture(), "tab\there, line\nend, DEL\x7f");
    fixture.diseases[0].reasons[0].text = many_bytes(PLAN_NOTE_MAX);
    input.device = SLICE("Lifeline 0.1.0 in a build whose name is longer than sixty characters");
    static struct event met;
    met = *salvage_line()->sources[0];
    met.encounter = SLICE("Encounter/e7");
    static const struct event *sources[2];
    sources[0] = salvage_line()->sources[1];
    sources[1] = &met;
    salvage_line()->sources = sources;
    salvage_line()->source_count = 2;
    struct slice body = body_of(&input, POSTING_COMMUNICATION);
    assert_false(story_has(body, "xxxx"));
    assert_true(story_has(body, "Reason: tab here, line end, DEL \\n"));
    assert_true(story_has(body, " longer than sixty ch, rule set abcdef"));
    assert_true(story_has(body, "\"encounter\":\"Encounter/e7\""));
}

static void a_message_counts_the_drugs_it_does_not_name(void **state)
{
    (void)state;
    static char names[30 * 32];
    size_t used = 0;
    for (unsigned i = 0; i < 30; i++)
        used += (size_t)snprintf(names + used, sizeof names - used,
                                 "%sa-very-long-drug-name-no%02u", i > 0 ? " " : "", i);
    fixture_init(&fixture, "2026-03-01");
    struct history *history = fixture_disease(&fixture, "dlbcl", "lymphoma");
    fixture_line(&fixture, history, &(struct fixture_line){ "", names, "2025-01-06", NULL });
    fixture_salvage(&fixture, history, GRADE_HIGH, DISEASE_STATUS_RELAPSED);
    struct plan_input input = story_input(&fixture);
    input.extra_kinds = POSTING_BIT(POSTING_DOCUMENT);
    assert_true(story_has(body_of(&input, POSTING_DOCUMENT), "no19 and 10 more\\n"));
}

/* --- every amount of memory ---------------------------------------------------------------------- */

static bool make_all(struct arena *small)
{
    static struct plan_texts texts;
    struct err err;
    struct plan_input input = story_input(&fixture);
    texts = (struct plan_texts){ 0 };
    input.texts = &texts;
    input.extra_kinds = POSTING_BIT(POSTING_COMMUNICATION) | POSTING_BIT(POSTING_DOCUMENT);
    bool fits = plan_make(&input, small, &plan, &err);
    if (!fits)
        assert_int_equal(err.code, ERR_TOO_LARGE);
    return fits;
}

static bool unpack_all(struct arena *small)
{
    static struct posted before[PLAN_POSTINGS_MAX];
    struct posted *list;
    struct buffer packed;
    struct err err;
    unsigned count;
    buffer_init(&packed, 1 << 16);
    remember_many(before, WISH_INACTIVE);
    posted_pack(before, 3, &packed);
    bool fits = posted_unpack(buffer_slice(&packed), small, &list, &count, &err);
    if (!fits)
        assert_int_equal(err.code, ERR_TOO_LARGE);
    else
        assert_int_equal(count, 3);
    buffer_fini(&packed);
    return fits;
}

static bool read_texts(struct arena *small)
{
    struct plan_texts texts = { .count = 77 };
    struct buffer faults;
    buffer_init(&faults, 1 << 12);
    bool fits = plan_texts_read(SLICE("kind\tkey\ttext\tsource\nprompt\ttrial\tA trial?\thouse\n"),
                                "f", small, &texts, &faults);
    assert_int_equal(texts.count, fits ? 1 : 77);
    assert_true(fits || story_has(buffer_slice(&faults), "text: the texts do not fit into memory"));
    buffer_fini(&faults);
    return fits;
}

static const struct sweep_case {
    const char *name;
    bool (*run)(struct arena *small);
    size_t step;
} sweeps[] = {
    { "plan_make() in too little memory is an error", make_all, 61 },
    { "posted_unpack() in too little memory is an error", unpack_all, 16 },
    { "plan_texts_read() in too little memory is a fault", read_texts, 1 },
};

/* Fits from one size on, and below it never. */
static void it_fits_or_says_so(void **state)
{
    const struct sweep_case *row = *state;
    bool has_fitted = false;
    unsigned refused = 0;
    fixture_patient(&fixture, FIXTURE_AML);
    for (size_t limit = 0; !has_fitted; limit += row->step) {
        struct arena small;
        arena_init(&small, limit);
        has_fitted = row->run(&small);
        refused += has_fitted ? 0 : 1;
        assert_true(has_fitted || limit < 1 << 20);
        arena_fini(&small);
    }
    assert_true(refused > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static struct CMUnitTest tests[COUNT_OF(sums) + COUNT_OF(sweeps) + 15] = {
        TEST(of_many_orders_the_first_are_named),
        TEST(what_does_not_fit_is_refused),
        TEST(more_than_can_be_remembered_is_refused),
        TEST(what_ended_long_ago_makes_room),
        TEST(a_verdict_without_resources_has_no_empty_arrays),
        TEST(a_care_plan_with_nothing_to_ask_has_no_notes),
        TEST(a_line_without_drugs_names_none),
        TEST(what_was_remembered_without_a_start_ends_without_one),
        TEST(a_slash_at_the_end_of_the_instance_is_not_doubled),
        TEST(what_is_no_character_is_a_question_mark),
        TEST(an_open_range_of_numbers_is_told),
        TEST(three_steps_of_the_kidneys_are_told_in_order),
        TEST(only_kinds_of_treatment_not_ordered_are_asked_about),
        TEST(a_message_has_whole_lines_only),
        TEST(a_message_counts_the_drugs_it_does_not_name),
    };
    size_t count = COUNT_OF(tests) - COUNT_OF(sums) - COUNT_OF(sweeps);
    for (size_t i = 0; i < COUNT_OF(sums); i++)
        tests[count++] = (struct CMUnitTest){ .name = sums[i].name,
                                              .test_func = the_sum_says,
                                              .initial_state = (void *)(uintptr_t)&sums[i] };
    for (size_t i = 0; i < COUNT_OF(sweeps); i++)
        tests[count++] = (struct CMUnitTest){ .name = sweeps[i].name,
                                              .test_func = it_fits_or_says_so,
                                              .initial_state = (void *)(uintptr_t)&sweeps[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
