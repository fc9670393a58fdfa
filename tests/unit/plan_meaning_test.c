/* The digest of a posting is of what it says, taken before its body is written.  So nothing that a
 * body is made of may be missed: each member of what the planner is handed is changed, one by one,
 * in several situations, and where a body then differs its digest must. */
#include "plan_members.h"

static struct fixture fixture;
static struct verdict_reason veto;
static struct plan_texts texts;
static struct plan_input input;
static struct posted before[PLAN_POSTINGS_MAX];
static struct arena kept, arena;

static const struct drug other_drug = { .name = SLICE("another drug"), .traits = TRAIT_PLATINUM };
static const struct drug *other_drugs[FIXTURE_DRUGS_MAX];
static const struct event other_event = { .type = FHIR_MEDICATION_REQUEST, .id = SLICE("other") };
static const struct event *other_events[FIXTURE_DRUGS_MAX];
static const struct sha256 other_digest = { { 0x77 } };

enum situation { HOLDS, EXTENDED, TRUNCATED, GOES_ON, FALLS, IN_ERROR, DIES, SITUATION_COUNT };

static const char *const situations[] = {
    [HOLDS] = "every member that a body is made of is in its digest",
    [EXTENDED] = "the same with extensions",
    [TRUNCATED] = "the same when the history is truncated",
    [GOES_ON] = "the same while the line goes on",
    [FALLS] = "the same when the verdict falls",
    [IN_ERROR] = "the same when its evidence was withdrawn",
    [DIES] = "the same when the patient has died",
};

/* --- what is changed ------------------------------------------------------------------------- */

static void *object_of(enum of of)
{
    struct fixture_disease *own = &fixture.diseases[0];
    switch (of) {
    case INPUT:
        return &input;
    case THERAPY:
        return &fixture.therapy;
    case HISTORY:
        return &fixture.histories[0];
    case DISEASE:
        return &own->disease;
    case CONDITION:
        return &fixture.events[0];
    case VERDICT:
        return &fixture.histories[0].verdict;
    case REASON:
        return &own->reasons[0];
    case VETO:
        return &veto;
    case LINE:
        return &own->lines[1];
    case EARLIER:
        return &own->lines[0];
    case DRUG:
        return &fixture.drugs[0];
    case ORDER:
        return &fixture.events[3];
    case CLASS:
        return &own->classes[0];
    case BEFORE:
    case OF_COUNT:
        break;
    }
    return before;
}

static void change(const struct member *member, unsigned char *object)
{
    void *at = object + member->at;
    uint32_t *number = at;
    switch (member->how) {
    case NUMBER:
        *number = *number > 0 ? *number - 1 : 1;
        break;
    case LOGIC:
        *(bool *)at = !*(bool *)at;
        break;
    case DAY:
        *(struct date *)at = date_add(*(struct date *)at, 1);
        break;
    case WORDS:
        *(struct slice *)at = SLICE("other words");
        break;
    case LETTER:
        *(char *)at = '?';
        break;
    case DRUGS:
        *(const struct drug *const **)at = other_drugs;
        break;
    case EVENTS:
        *(const struct event *const **)at = other_events;
        break;
    case DIGEST:
        *(const struct sha256 **)at = &other_digest;
        break;
    case MISSING:
        memset(at, 0, sizeof(void *));
        break;
    case LINE_NUMBER:
        *number = fixture.histories[0].verdict.line = 7;
        break;
    case EVIDENCE:
        *(struct boundary *)at = (struct boundary){ .evidence = other_events, .evidence_count = 1 };
        break;
    case ROWS:
        break;
    }
}

/* --- situations ------------------------------------------------------------------------------ */

static void make(struct plan *plan) { story_make(&input, &arena, plan); }

static void set_scene(enum situation situation)
{
    static const struct slice retracted[] = { SLICE("Condition/c1"),
                                              SLICE("MedicationRequest/m4") };
    static const struct fixture_line first = { "", "carboplatin doxorubicin", "2024-01-08",
                                               "2024-05-06" };
    static const struct fixture_line second = { "R-ICE", "carboplatin etoposide", "2025-06-16",
                                                "2025-08-11" };
    fixture_init(&fixture, "2025-09-01");
    struct history *history = fixture_disease(&fixture, "dlbcl", "lymphoma");
    fixture_line(&fixture, history, &first);
    fixture_line(&fixture, history, &second);
    fixture_class(&fixture, history, "platinum", "carboplatin", true);
    fixture_extras(&fixture, history);
    fixture_reason(&fixture, history, "new agents after a relapse");
    fixture_salvage(&fixture, history, GRADE_HIGH, DISEASE_STATUS_RELAPSED);
    veto = (struct verdict_reason){ .text = SLICE("a veto") };
    history->verdict.vetoes = &veto;
    history->verdict.veto_count = 1;
    input = story_input(&fixture);
    input.texts = &texts;
    input.retracted = retracted;
    input.deceased = fixture_date("2025-08-11"); /* when the line ended: only the reason differs */
    if (situation == EXTENDED)
        input.with_extensions = true;
    if (situation == TRUNCATED)
        history->verdict.history_truncated = true;
    if (situation == GOES_ON) {
        fixture.diseases[0].lines[0].regimen = SLICE("R-CHOP");
        fixture.diseases[0].lines[1].is_open = true;
        fixture.diseases[0].lines[1].end = fixture.therapy.as_of;
        fixture.diseases[0].classes[0].last = fixture.therapy.as_of;
    }
}

/* What held is remembered, and then ends. */
static void set_end(enum situation situation)
{
    static struct plan plan;
    if (situation < FALLS)
        return;
    make(&plan);
    memcpy(before, plan.after, sizeof(before[0]) * plan.after_count);
    input.before = before;
    input.before_count = plan.after_count;
    input.is_deceased = situation == DIES;
    fixture.histories[0].verdict.salvage = situation == DIES;
    input.retracted_count = situation == IN_ERROR ? 2 : 0;
}

/* --- what is compared ------------------------------------------------------------------------ */

static const struct posting *posting_of(const struct plan *plan, enum posting_kind kind,
                                        const char *token)
{
    for (unsigned i = 0; i < plan->posting_count; i++)
        if (plan->postings[i].kind == kind &&
            (token == NULL || story_has(plan->postings[i].body, token)))
            return &plan->postings[i];
    return NULL;
}

/* Without the two places that may differ while the same is said. */
static struct slice meaning_part(struct slice body, struct slice *rest)
{
    const char *evidence = memmem(body.at, body.len, "<p>Evidence: ", 13);
    const char *end = memmem(body.at, body.len, "</p></div>", 10);
    const char *entity = memmem(body.at, body.len, ",\"entity\":", 10);
    *rest = SLICE("");
    if (evidence != NULL && end > evidence) {
        *rest = slice_skip(body, (size_t)(end - body.at));
        return (struct slice){ body.at, (size_t)(evidence - body.at) };
    }
    return entity != NULL ? (struct slice){ body.at, (size_t)(entity - body.at) } : body;
}

static bool is_body_same(const struct posting *a, const struct posting *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    struct slice a_rest, b_rest;
    struct slice a_part = meaning_part(a->body, &a_rest), b_part = meaning_part(b->body, &b_rest);
    return slice_eq(a_part, b_part) && slice_eq(a_rest, b_rest) && a->wish == b->wish;
}

static bool is_digest_same(const struct posting *a, const struct posting *b)
{
    return a == NULL || b == NULL ? a == b : sha256_equal(&a->digest, &b->digest);
}

static const struct {
    char letter;
    enum posting_kind kind;
    const char *token;
} kinds[] = {
    { 'F', POSTING_FLAG, NULL },
    { 'F', POSTING_PROVENANCE, PLAN_TOKEN_FLAG },
    { 'C', POSTING_CARE_PLAN, NULL },
    { 'C', POSTING_PROVENANCE, PLAN_TOKEN_CARE_PLAN },
};

static unsigned compare(const struct member *member, enum situation situation,
                        const struct plan *plain, const struct plan *changed)
{
    bool is_source = strcmp(member->news, "source") == 0;
    unsigned differing = 0;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const struct posting *a = posting_of(plain, kinds[i].kind, kinds[i].token);
        const struct posting *b = posting_of(changed, kinds[i].kind, kinds[i].token);
        bool is_target = kinds[i].kind != POSTING_PROVENANCE;
        bool differs = !is_body_same(a, b), is_news = !is_digest_same(a, b);
        bool expected = !is_source && strchr(member->news, kinds[i].letter) != NULL;
        if (differs && !is_news && !is_source)
            fail_msg("%s: the %s has another body and the same digest", member->name,
                     posting_kind_name(kinds[i].kind));
        if (situation == HOLDS &&
            (is_news != expected || (is_target && !is_source && differs != expected)))
            fail_msg("%s: the %s is %snews, its body %s", member->name,
                     posting_kind_name(kinds[i].kind), is_news ? "" : "no ",
                     differs ? "differs" : "is the same");
        if (is_source && (is_news || !differs))
            fail_msg("%s: the name of a source is in the digest, or not in the body", member->name);
        differing += differs;
    }
    return differing;
}

static void members_are_in_the_digest(void **state)
{
    enum situation situation = (enum situation)(uintptr_t)*state;
    static struct plan plain, changed;
    unsigned differing = 0;
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        arena_init(&arena, 4 << 20);
        set_scene(situation);
        set_end(situation);
        make(&plain);
        assert_int_equal(plain.posting_count, 4);
        size_t each = members[i].of == BEFORE ? sizeof(before[0]) : 0;
        for (size_t k = 0; k < (each > 0 ? 4 : 1); k++)
            change(&members[i], (unsigned char *)object_of(members[i].of) + k * each);
        make(&changed);
        differing += compare(&members[i], situation, &plain, &changed);
        arena_fini(&arena);
    }
    assert_true(differing > 8);
}

static size_t alignment_at(enum of of, size_t at)
{
    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (members[i].of == of && members[i].at == at)
            return members[i].size % 8 == 0 ? 8 : members[i].size % 4 == 0 ? 4 : 1;
    return 1;
}

/* A new member of these needs a row: what no row covers is padding. */
static void every_member_has_a_row(void **state)
{
    (void)state;
    static const size_t sizes[OF_COUNT] = {
        [INPUT] = sizeof(struct plan_input),    [THERAPY] = sizeof(struct therapy),
        [HISTORY] = sizeof(struct history),     [DISEASE] = sizeof(struct disease),
        [VERDICT] = sizeof(struct verdict),     [REASON] = sizeof(struct verdict_reason),
        [VETO] = sizeof(struct verdict_reason), [LINE] = sizeof(struct line),
        [EARLIER] = sizeof(struct line),        [CLASS] = sizeof(struct class_exposure),
        [BEFORE] = sizeof(struct posted),
    };
    for (unsigned of = 0; of < OF_COUNT; of++) {
        bool is_covered[512] = { false };
        size_t next = sizes[of], align = 8;
        assert_true(sizes[of] <= sizeof is_covered);
        for (size_t i = 0; i < COUNT_OF(members); i++)
            if (members[i].of == of && sizes[of] > 0)
                memset(&is_covered[members[i].at], true, members[i].size);
        for (size_t i = sizes[of]; i-- > 0;) { /* padding is less than what follows it aligns to */
            if (!is_covered[i] && next - i >= align)
                fail_msg("object %u has a member without a row at byte %zu", of, i);
            if (is_covered[i])
                next = i;
            if (is_covered[i] && (i == 0 || !is_covered[i - 1]))
                align = alignment_at((enum of)of, i);
        }
    }
}

/* Each text of the table, changed by a letter. */
static void every_text_is_in_the_digest(void **state)
{
    static const char *const words[] = { [PLAN_TEXT_PROMPT] = "prompt",
                                         [PLAN_TEXT_CLASS] = "class",
                                         [PLAN_TEXT_HIV] = "hiv",
                                         [PLAN_TEXT_RENAL] = "renal" };
    (void)state;
    static struct plan plain, changed;
    static struct plan_texts edited;
    static char tsv[1 << 15];
    unsigned differing = 0;
    for (unsigned i = 0; i < texts.count; i++) {
        struct text out = TEXT(tsv);
        struct buffer faults;
        text_add(&out, "kind\tkey\ttext\tsource\n");
        for (unsigned k = 0; k < texts.count; k++)
            text_add(&out, "%s\t%.*s\t%.*s%s\tx\n", words[texts.list[k].kind],
                     SLICE_ARGS(texts.list[k].key), SLICE_ARGS(texts.list[k].text),
                     i == k ? "?" : "");
        arena_init(&arena, 4 << 20);
        buffer_init(&faults, 1 << 16);
        assert_true(plan_texts_read(text_slice(&out), "edited", &arena, &edited, &faults));
        buffer_fini(&faults);
        set_scene(HOLDS);
        make(&plain);
        input.texts = &edited;
        make(&changed);
        const struct posting *a = story_posting(&plain, POSTING_CARE_PLAN);
        const struct posting *b = story_posting(&changed, POSTING_CARE_PLAN);
        assert_int_equal(is_body_same(a, b), is_digest_same(a, b));
        differing += !is_body_same(a, b);
        arena_fini(&arena);
    }
    assert_true(differing >= 5 && differing < texts.count);
}

/* --- the form -------------------------------------------------------------------------------- */

static void add_bodies(struct buffer *all, const struct plan *plan)
{
    for (unsigned i = 0; i < plan->posting_count; i++)
        buffer_add(all, plan->postings[i].body);
}

/* The digest does not see the code that writes bodies: PLAN_FORM stands for it. */
static void bodies_of_another_form_have_another_number(void **state)
{
    (void)state;
    static const struct {
        unsigned form;
        const char *bodies;
    } forms[] = {
        { 1, "5e9aa66ce43d30d0270fe466e9b73e1b7b50580f9b7a4009fc56450011a607bc" },
        { 2, "a8ff6287b3fb1755859dc7f5534b413c8b384833dcf29a97aaa9407a09cfd887" },
    };
    static struct plan plan;
    struct buffer all;
    char hex[SHA256_HEX_SIZE];
    buffer_init(&all, 4 << 20);
    arena_init(&arena, 4 << 20);
    for (unsigned situation = 0; situation < SITUATION_COUNT; situation++) {
        set_scene((enum situation)situation);
        input.texts = NULL;
        set_end((enum situation)situation);
        make(&plan);
        add_bodies(&all, &plan);
    }
    for (unsigned patient = 0; patient < FIXTURE_PATIENT_COUNT; patient++) {
        fixture_patient(&fixture, (enum fixture_patient)patient);
        input = story_input(&fixture);
        make(&plan);
        add_bodies(&all, &plan);
    }
    struct sha256 digest = sha256_of_one(buffer_slice(&all));
    sha256_hex(&digest, hex);
    buffer_fini(&all);
    arena_fini(&arena);
    assert_int_equal(forms[COUNT_OF(forms) - 1].form, PLAN_FORM);
    if (strcmp(hex, forms[COUNT_OF(forms) - 1].bodies) != 0)
        fail_msg("bodies are written otherwise than in form %u: raise PLAN_FORM in plan/plan.h and "
                 "add { %u, \"%s\" } here",
                 PLAN_FORM, PLAN_FORM + 1, hex);
}

static int setup(void **state)
{
    (void)state;
    arena_init(&kept, 1 << 20);
    story_read_texts(&kept, &texts);
    for (unsigned i = 0; i < FIXTURE_DRUGS_MAX; i++) {
        other_drugs[i] = &other_drug;
        other_events[i] = &other_event;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_fini(&kept);
    return 0;
}

int main(void)
{
    struct CMUnitTest tests[SITUATION_COUNT + 3] = {
        cmocka_unit_test(every_member_has_a_row),
        cmocka_unit_test(every_text_is_in_the_digest),
        cmocka_unit_test(bodies_of_another_form_have_another_number),
    };
    for (uintptr_t i = 0; i < SITUATION_COUNT; i++) /* one reported test per situation */
        tests[3 + i] = (struct CMUnitTest){ .name = situations[i],
                                            .test_func = members_are_in_the_digest,
                                            .initial_state = (void *)i };
    return cmocka_run_group_tests(tests, setup, teardown);
}
