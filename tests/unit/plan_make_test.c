/* What is posted as a patient's story goes on.  A step is a day, what the engine says on it, and the
 * postings that must follow, in short: F Flag, C CarePlan, f and c their Provenances; + hold,
 * - inactive, x entered in error. */
#include "plan_story.h"

enum scene {
    NOTHING,      /* no disease is known */
    FIRST_LINE,   /* dlbcl, one line */
    SECOND_LINE,  /* dlbcl, salvage on line 2: R-ICE */
    SECOND_ENDED, /* the same, its orders have ended */
    THIRD_LINE,   /* dlbcl, salvage on line 3: CAR-T */
    NOT_SALVAGE,  /* dlbcl, two lines, but no salvage any more */
    LOW_GRADE,    /* dlbcl, salvage on line 2 of grade LOW */
    TWO_DISEASES, /* dlbcl as in SECOND_LINE, and ovarian cancer on salvage */
};

struct step {
    const char *day;
    enum scene scene;
    const char *retracted; /* "Type/id Type/id" */
    const char *death;     /* day of death; "" when it is not known */
    const char *expected;  /* NULL ends the story */
    const char *flag_says; /* found in the body of the Flag */
};

#define STEPS_MAX 8

static const struct story {
    const char *name;
    enum grade grade_min;
    struct step steps[STEPS_MAX];
} stories[] = {
    { "no salvage and nothing posted: nothing",
      GRADE_NONE,
      { { "2025-01-10", NOTHING, NULL, NULL, "", NULL },
        { "2025-01-11", FIRST_LINE, NULL, NULL, "", NULL } } },
    { "a salvage verdict is posted",
      GRADE_NONE,
      { { "2025-07-01", SECOND_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+",
          "\"status\":\"active\"" } } },
    { "what has not changed is not posted again, on any later day",
      GRADE_NONE,
      { { "2025-07-01", SECOND_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+", NULL },
        { "2025-07-01", SECOND_LINE, NULL, NULL, "", NULL },
        { "2025-07-02", SECOND_LINE, NULL, NULL, "", NULL },
        { "2026-07-02", SECOND_LINE, NULL, NULL, "", NULL } } },
    { "the end of the orders changes the CarePlan's period, not the Flag",
      GRADE_NONE,
      { { "2025-07-01", SECOND_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+", NULL },
        { "2025-08-12", SECOND_ENDED, NULL, NULL, "dlbcl:C+ dlbcl:c+", NULL },
        { "2025-12-12", SECOND_ENDED, NULL, NULL, "", NULL } } },
    { "the next line takes the place of the one before, under the same identity",
      GRADE_NONE,
      { { "2025-07-01", SECOND_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+",
          "line 2, R-ICE" },
        { "2025-10-01", THIRD_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+",
          "line 3, axicabtagene ciloleucel" } } },
    { "a verdict that falls while other orders are retracted has ended",
      GRADE_NONE,
      { { "2025-07-01", SECOND_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+", NULL },
        { "2025-07-09", NOT_SALVAGE, "MedicationRequest/m99", NULL,
          "dlbcl:F- dlbcl:f- dlbcl:C- dlbcl:c-", "\"status\":\"inactive\"" } } },
    { "a verdict that rested on a retracted order is entered in error",
      GRADE_NONE,
      { { "2025-07-01", SECOND_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+", NULL },
        { "2025-07-09", FIRST_LINE, "Condition/other MedicationRequest/m6", NULL,
          "dlbcl:Fx dlbcl:fx dlbcl:Cx dlbcl:cx", "\"status\":\"entered-in-error\"" },
        { "2025-07-10", FIRST_LINE, "MedicationRequest/m6", NULL, "", NULL } } },
    { "a verdict whose first line is retracted is entered in error",
      GRADE_NONE,
      { { "2025-07-01", SECOND_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+", NULL },
        { "2025-07-09", FIRST_LINE, "MedicationRequest/m2", NULL,
          "dlbcl:Fx dlbcl:fx dlbcl:Cx dlbcl:cx", "(MedicationRequest/m2)" } } },
    { "a disease that vanishes with its Condition is entered in error",
      GRADE_NONE,
      { { "2025-07-01", SECOND_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+", NULL },
        { "2025-07-09", NOTHING, "Condition/c1", NULL, "dlbcl:Fx dlbcl:fx dlbcl:Cx dlbcl:cx",
          "Entered in error: data that it rested on was withdrawn (Condition/c1)" } } },
    { "a verdict that falls after late data ends today, and stays ended on that day",
      GRADE_NONE,
      { { "2025-07-01", SECOND_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+", NULL },
        { "2025-07-20", NOT_SALVAGE, NULL, NULL, "dlbcl:F- dlbcl:f- dlbcl:C- dlbcl:c-",
          "\"period\":{\"start\":\"2025-06-16\",\"end\":\"2025-07-20\"}" },
        { "2025-07-21", NOT_SALVAGE, NULL, NULL, "", NULL },
        { "2025-09-21", FIRST_LINE, "MedicationRequest/m6", NULL, "", NULL } } },
    { "a verdict that falls after its line has ended ends with the line",
      GRADE_NONE,
      { { "2025-07-01", SECOND_ENDED, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+", NULL },
        { "2025-12-20", NOT_SALVAGE, NULL, NULL, "dlbcl:F- dlbcl:f- dlbcl:C- dlbcl:c-",
          "\"period\":{\"start\":\"2025-06-16\",\"end\":\"2025-08-11\"}" } } },
    { "what has ended comes back under the same identity",
      GRADE_NONE,
      { { "2025-07-01", SECOND_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+", NULL },
        { "2025-07-20", NOT_SALVAGE, NULL, NULL, "dlbcl:F- dlbcl:f- dlbcl:C- dlbcl:c-", NULL },
        { "2025-07-25", SECOND_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+",
          "\"status\":\"active\"" },
        { "2025-07-26", FIRST_LINE, "MedicationRequest/m6", NULL,
          "dlbcl:Fx dlbcl:fx dlbcl:Cx dlbcl:cx", NULL },
        { "2025-07-27", SECOND_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+", NULL } } },
    { "two diseases have postings of their own",
      GRADE_NONE,
      { { "2025-07-01", SECOND_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+", NULL },
        { "2025-07-02", TWO_DISEASES, NULL, NULL, "ovarian:F+ ovarian:f+ ovarian:C+ ovarian:c+",
          "ovarian cancer" },
        { "2025-07-03", SECOND_LINE, NULL, NULL, "ovarian:F- ovarian:f- ovarian:C- ovarian:c-",
          "ovarian cancer" },
        { "2025-07-04", NOTHING, NULL, NULL, "dlbcl:F- dlbcl:f- dlbcl:C- dlbcl:c-", NULL } } },
    { "a low grade is not posted by default",
      GRADE_NONE,
      { { "2025-07-01", LOW_GRADE, NULL, NULL, "", NULL },
        { "2025-07-02", SECOND_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+", NULL },
        { "2025-07-03", LOW_GRADE, NULL, NULL, "dlbcl:F- dlbcl:f- dlbcl:C- dlbcl:c-", NULL } } },
    { "a low grade is posted where the site asks for it",
      GRADE_LOW,
      { { "2025-07-01", LOW_GRADE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+",
          "grade LOW" } } },
    { "a medium grade is not posted where the site wants only high ones",
      GRADE_HIGH,
      { { "2025-07-01", TWO_DISEASES, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+", NULL } } },
    { "with the patient's death what holds ends on the day of death",
      GRADE_NONE,
      { { "2025-07-01", SECOND_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+", NULL },
        { "2025-09-01", SECOND_LINE, NULL, "2025-08-30", "dlbcl:F- dlbcl:f- dlbcl:C- dlbcl:c-",
          "\"end\":\"2025-08-30\"" },
        { "2025-09-02", SECOND_LINE, NULL, "2025-08-30", "", NULL },
        { "2025-09-03", SECOND_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+",
          "\"status\":\"active\"" } } },
    { "where the day of death is not known, what holds ends today",
      GRADE_NONE,
      { { "2025-07-01", SECOND_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+", NULL },
        { "2025-09-01", SECOND_LINE, NULL, "", "dlbcl:F- dlbcl:f- dlbcl:C- dlbcl:c-",
          "Ended on 2025-09-01: the patient has died" } } },
    { "a death before the line began never gives a period that runs backwards",
      GRADE_NONE,
      { { "2025-07-01", SECOND_LINE, NULL, NULL, "dlbcl:F+ dlbcl:f+ dlbcl:C+ dlbcl:c+", NULL },
        { "2025-09-01", SECOND_LINE, NULL, "2025-01-01", "dlbcl:F- dlbcl:f- dlbcl:C- dlbcl:c-",
          "\"period\":{\"start\":\"2025-06-16\",\"end\":\"2025-06-16\"}" } } },
    { "nobody who has died gets a new posting",
      GRADE_NONE,
      { { "2025-07-01", SECOND_LINE, NULL, "2025-06-30", "", NULL } } },
};

/* m2 to m5 are the first line's orders, m6 to m9 the second's. */
static void set_scene(struct fixture *fixture, const struct step *step)
{
    static const struct fixture_line first = { "R-CHOP",
                                               "cyclophosphamide doxorubicin rituximab vincristine",
                                               "2025-01-06", "2025-05-12" };
    struct fixture_line second = { "R-ICE", "carboplatin etoposide ifosfamide rituximab",
                                   "2025-06-16", NULL };
    static const struct fixture_line third = { "", "axicabtagene_ciloleucel", "2025-09-29",
                                               "2025-09-29" };
    enum scene scene = step->scene;
    fixture_init(fixture, step->day);
    if (scene == NOTHING)
        return;
    struct history *history = fixture_disease(fixture, "dlbcl", "diffuse large B-cell lymphoma");
    fixture_line(fixture, history, &first);
    if (scene == FIRST_LINE)
        return;
    if (scene == SECOND_ENDED || scene == THIRD_LINE ||
        fixture->therapy.as_of.day > fixture_date("2025-12-01").day)
        second.end = "2025-08-11";
    if (scene == SECOND_LINE)
        second.end = NULL;
    fixture_line(fixture, history, &second);
    if (scene == THIRD_LINE)
        fixture_line(fixture, history, &third);
    if (scene != NOT_SALVAGE)
        fixture_salvage(fixture, history, scene == LOW_GRADE ? GRADE_LOW : GRADE_HIGH,
                        DISEASE_STATUS_REFRACTORY);
    if (scene == TWO_DISEASES) {
        struct history *other = fixture_disease(fixture, "ovarian", "ovarian cancer");
        fixture_line(fixture, other, &first);
        fixture_line(fixture, other, &second);
        fixture_salvage(fixture, other, GRADE_MEDIUM, DISEASE_STATUS_RESISTANT);
    }
}

static unsigned split(const char *words, struct slice *out, unsigned max)
{
    struct slice rest = slice_of(words);
    unsigned count = 0;
    while (rest.len > 0) {
        assert_true(count < max);
        out[count++] = slice_take_until(&rest, ' ');
    }
    return count;
}

static void summarize(const struct plan *plan, char *out, size_t size)
{
    static const char wishes[] = {
        [WISH_HOLD] = '+', [WISH_INACTIVE] = '-', [WISH_IN_ERROR] = 'x'
    };
    struct text text = { out, size, 0 };
    out[0] = '\0';
    for (unsigned i = 0; i < plan->posting_count; i++) {
        const struct posting *posting = &plan->postings[i];
        bool is_provenance = posting->kind == POSTING_PROVENANCE;
        char kind = posting->kind == POSTING_FLAG ? 'F' : 'C';
        if (is_provenance)
            kind = story_has(posting->body, PLAN_TOKEN_FLAG) ? 'f' : 'c';
        text_add(&text, "%s%.*s:%c%c", i > 0 ? " " : "", SLICE_ARGS(posting->disease), kind,
                 wishes[posting->wish]);
    }
}

/* --- notes for those who take no Flag ------------------------------------------------------------ */

static void notes_are_written_where_they_are_asked_for(void **state)
{
    static struct fixture fixture;
    static struct plan first, second, third;
    static struct posted before[PLAN_POSTINGS_MAX];
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 20);
    set_scene(&fixture, &(struct step){ .day = "2025-07-01", .scene = SECOND_LINE });
    struct plan_input input = story_input(&fixture);
    story_make(&input, &arena, &first);
    assert_int_equal(4, first.posting_count);
    input.extra_kinds = POSTING_BIT(POSTING_COMMUNICATION) | POSTING_BIT(POSTING_DOCUMENT);
    story_make(&input, &arena, &second);
    assert_int_equal(6, second.posting_count);
    const struct posting *message = story_posting(&second, POSTING_COMMUNICATION);
    const struct posting *flag = story_posting(&second, POSTING_FLAG);
    /* A message is news when the Flag is news. */
    assert_true(sha256_equal(&message->digest, &flag->digest));
    assert_true(strcmp(message->identity, flag->identity) != 0);
    assert_true(story_has(message->body, "\"wish\":\"hold\""));
    assert_true(story_has(message->body, "Salvage therapy ordered: line 2"));
    assert_true(story_has(message->body, "Earlier lines, as ordered: line 1"));
    assert_true(story_has(message->body, "does not say that a drug reached the patient"));
    assert_true(message->body.len < PLAN_NOTE_MAX + 600);
    memcpy(before, second.after, second.after_count * sizeof before[0]);
    input.before = before;
    input.before_count = second.after_count;
    set_scene(&fixture, &(struct step){ .day = "2025-07-02", .scene = FIRST_LINE });
    story_make(&input, &arena, &third);
    message = story_posting(&third, POSTING_COMMUNICATION);
    assert_int_equal(WISH_INACTIVE, message->wish);
    assert_true(story_has(message->body, "No longer so: Salvage therapy ordered"));
    arena_fini(&arena);
}

/* What is remembered does not depend on who listens: a destination that comes later hears the end. */
static void what_nobody_takes_is_remembered_and_not_written(void **state)
{
    static struct fixture fixture;
    static struct plan all, flags;
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 20);
    set_scene(&fixture, &(struct step){ .day = "2025-07-01", .scene = SECOND_LINE });
    struct plan_input input = story_input(&fixture);
    story_make(&input, &arena, &all);
    input.idle_kinds = POSTING_BIT(POSTING_CARE_PLAN) | POSTING_BIT(POSTING_PROVENANCE);
    story_make(&input, &arena, &flags);
    assert_int_equal(1, flags.posting_count);
    assert_int_equal(POSTING_FLAG, flags.postings[0].kind);
    assert_int_equal(all.after_count, flags.after_count);
    for (unsigned i = 0; i < all.after_count; i++) {
        assert_int_equal(all.after[i].kind, flags.after[i].kind);
        assert_true(sha256_equal(&all.after[i].digest, &flags.after[i].digest));
        assert_true(slice_eq(all.after[i].text, flags.after[i].text));
    }
    arena_fini(&arena);
}

/* Each (disease, kind, target) has one identity through the whole story, and none shares it. */
static struct known {
    char what[64], identity[SHA256_HEX_SIZE];
} known[16];
static unsigned known_count;

static void check_identity(const struct posting *posting)
{
    char what[64];
    snprintf(what, sizeof what, "%.*s %s %s", SLICE_ARGS(posting->disease),
             posting_kind_name(posting->kind),
             story_has(posting->body, PLAN_TOKEN_FLAG) ? "of the flag" : "");
    for (unsigned i = 0; i < known_count; i++) {
        bool is_same = strcmp(known[i].what, what) == 0;
        assert_int_equal(strcmp(known[i].identity, posting->identity) == 0, is_same);
        if (is_same)
            return;
    }
    assert_true(known_count < COUNT_OF(known));
    snprintf(known[known_count].what, sizeof known[0].what, "%s", what);
    memcpy(known[known_count++].identity, posting->identity, SHA256_HEX_SIZE);
}

static void run_step(const struct story *story, const struct step *step, struct buffer *memory)
{
    static struct fixture fixture;
    static struct plan plan;
    struct slice retracted[8];
    struct arena arena;
    struct posted *before;
    struct err err;
    char summary[256];
    arena_init(&arena, 1 << 20);
    set_scene(&fixture, step);
    struct plan_input input = story_input(&fixture);
    input.grade_min = story->grade_min;
    if (step->retracted != NULL)
        input.retracted_count = split(step->retracted, retracted, 8);
    input.retracted = retracted;
    if (step->death != NULL) {
        input.is_deceased = true;
        input.deceased = step->death[0] != '\0' ? fixture_date(step->death) : date_none();
    }
    assert_true(posted_unpack(buffer_slice(memory), &arena, &before, &input.before_count, &err));
    input.before = before;
    story_make(&input, &arena, &plan);
    summarize(&plan, summary, sizeof summary);
    assert_string_equal(summary, step->expected);
    for (unsigned i = 0; i < plan.posting_count; i++) {
        check_identity(&plan.postings[i]);
        assert_int_equal(plan.postings[i].type, posting_type(plan.postings[i].kind));
        assert_true(plan.postings[i].body.len > 0);
    }
    if (step->flag_says != NULL &&
        !story_has(story_posting(&plan, POSTING_FLAG)->body, step->flag_says))
        fail_msg("the Flag does not say %s: %.*s", step->flag_says,
                 SLICE_ARGS(story_posting(&plan, POSTING_FLAG)->body));
    struct buffer packed;
    buffer_init(&packed, 1 << 16);
    posted_pack(plan.after, plan.after_count, &packed);
    buffer_reset(memory);
    buffer_add(memory, buffer_slice(&packed));
    buffer_fini(&packed);
    arena_fini(&arena);
}

static void story_goes(void **state)
{
    const struct story *story = *state;
    struct buffer memory;
    known_count = 0;
    buffer_init(&memory, 1 << 16);
    for (unsigned i = 0; i < STEPS_MAX && story->steps[i].expected != NULL; i++)
        run_step(story, &story->steps[i], &memory);
    buffer_fini(&memory);
}

/* More diseases than the memory has room for: what has ended is forgotten first, what holds never. */
static void a_full_memory_forgets_what_has_ended(void **state)
{
    (void)state;
    static struct fixture fixture;
    static struct plan plan;
    static struct posted before[PLAN_POSTINGS_MAX];
    static char keys[PLAN_POSTINGS_MAX][16];
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (unsigned i = 0; i < PLAN_POSTINGS_MAX; i++) {
        snprintf(keys[i], sizeof keys[i], "old-%u", i);
        before[i] = (struct posted){ .kind = POSTING_FLAG,
                                     .target = POSTING_FLAG,
                                     .wish = WISH_INACTIVE,
                                     .disease = slice_of(keys[i]),
                                     .end = fixture_date("2020-01-01") };
    }
    fixture_patient(&fixture, FIXTURE_HODGKIN);
    struct plan_input input = story_input(&fixture);
    input.before = before;
    input.before_count = PLAN_POSTINGS_MAX;
    story_make(&input, &arena, &plan);
    assert_int_equal(plan.posting_count, 4);
    assert_int_equal(plan.after_count, PLAN_POSTINGS_MAX);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(plan.after[i].wish, WISH_HOLD);
    arena_fini(&arena);
}

static void an_arena_that_is_full_is_an_error(void **state)
{
    (void)state;
    static struct fixture fixture;
    static struct plan plan;
    fixture_patient(&fixture, FIXTURE_HODGKIN);
    struct plan_input input = story_input(&fixture);
    for (size_t limit = 0; limit < 4096; limit += 511) {
        struct arena arena;
        struct err err;
        arena_init(&arena, limit);
        assert_false(plan_make(&input, &arena, &plan, &err));
        assert_int_equal(err.code, ERR_TOO_LARGE);
        arena_fini(&arena);
    }
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(stories) + 2] = {
        cmocka_unit_test(notes_are_written_where_they_are_asked_for),
        cmocka_unit_test(what_nobody_takes_is_remembered_and_not_written),
        cmocka_unit_test(a_full_memory_forgets_what_has_ended),
        cmocka_unit_test(an_arena_that_is_full_is_an_error),
    };
    for (size_t i = 0; i < COUNT_OF(stories); i++) /* one reported test per row */
        tests[2 + i] = (struct CMUnitTest){ .name = stories[i].name,
                                            .test_func = story_goes,
                                            .initial_state = (void *)(uintptr_t)&stories[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
