/* Patients that nobody would invent: whatever is ordered, the answer keeps its promises. */
#include "support/therapy/story_case.h"
#include "therapy/report.h"

#define PATIENTS 400

static uint64_t seed = 7;

static unsigned below(unsigned limit)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % limit;
}

static const char *pick(const char *const *words, size_t count)
{
    return words[below((unsigned)count)];
}

static void random_day(char *out, size_t size)
{
    snprintf(out, size, "20%02u-%02u-%02u", 18 + below(6), 1 + below(12), 1 + below(28));
}

/* What became of the orders, and of the disease. */
static void random_tellings(struct story *story, const char *const *drugs, size_t drug_count)
{
    static const char *const proofs[] = { "given", "given", "dispensed", "told" };
    static const char *const words[] = { "",
                                         "",
                                         "based:m1",
                                         "based:m2",
                                         "based:m7",
                                         "from:g1",
                                         "stopped",
                                         "not-done",
                                         "not-done progression",
                                         "stopped progression",
                                         "unknown",
                                         "error",
                                         "undated",
                                         "supply:30",
                                         "for:c1" };
    static const char *const states[] = { "worsened", "stable", "improved", "undetermined",
                                          "complete_remission" };
    unsigned count = below(24), observations = below(4);
    char text[256], day[16];
    for (unsigned i = 0; i < count; i++) {
        random_day(day, sizeof day);
        const char *drug = pick(drugs, drug_count);
        if (below(6) == 0)
            day[7] = '\0'; /* a month */
        if (below(6) == 0)
            snprintf(text, sizeof text, "%s %s %s..open", pick(proofs, COUNT_OF(proofs)), drug,
                     day);
        else if (strlen(day) == 7)
            snprintf(text, sizeof text, "%s %s %s %s", pick(proofs, COUNT_OF(proofs)), drug, day,
                     pick(words, COUNT_OF(words)));
        else
            snprintf(text, sizeof text, "%s %s %s x%u/%u %s", pick(proofs, COUNT_OF(proofs)), drug,
                     day, 1 + below(5), 7 * (1 + below(4)), pick(words, COUNT_OF(words)));
        story_tell(story, text);
    }
    for (unsigned i = 0; i < observations; i++) {
        random_day(day, sizeof day);
        snprintf(text, sizeof text, "?%s %s %s", pick(states, COUNT_OF(states)), day,
                 below(2) == 0 ? "focus:c1" : "");
        story_tell(story, text);
    }
}

static void random_patient(struct story *story)
{
    static const char *const codes[] = { "C83.30", "C34.90", "C18.9", "C50.911",
                                         "C90.00", "C92.00", "C56.9", "C61",
                                         "C62.90", "C81.90", "C78.7", "C80.1" };
    static const char *const states[] = { "",           "",          "relapse",
                                          "recurrence", "remission", "resolved",
                                          "refuted",    "error",     "text:progressive_disease" };
    static const char *const drugs[] = {
        "rituximab",    "cyclophosphamide", "doxorubicin", "vincristine", "carboplatin",
        "cisplatin",    "etoposide",        "ifosfamide",  "gemcitabine", "pembrolizumab",
        "lenalidomide", "bortezomib",       "melphalan",   "fludarabine", "axicabtagene ciloleucel",
        "letrozole",    "olaparib",         "bevacizumab", "cytarabine",  "azacitidine",
        "prednisone",   "ondansetron",      "study drug",  "metforminol", "leuprorelin",
        "capecitabine", "erlotinib",        "busulfan",    "docetaxel",   "pemetrexed"
    };
    static const char *const words[] = { "",
                                         "",
                                         "",
                                         "stopped",
                                         "hold",
                                         "active",
                                         "cancelled",
                                         "stopped progression",
                                         "stopped toxicity",
                                         "reported",
                                         "curative",
                                         "palliative",
                                         "authored",
                                         "timing",
                                         "no-end supply:30",
                                         "plan:A",
                                         "intent:filler based:m1",
                                         "prior:m2",
                                         "for:c1",
                                         "undated" };
    static const char *const procedures[] = { "sct", "allo", "apheresis", "cart", "axi-cel" };
    unsigned conditions = 1 + below(4), orders = below(40), transplants = below(3);
    char text[256], day[16], end[16];
    for (unsigned i = 0; i < conditions; i++) {
        random_day(day, sizeof day);
        snprintf(text, sizeof text, "@%s %s %s", pick(codes, COUNT_OF(codes)), day,
                 pick(states, COUNT_OF(states)));
        story_tell(story, text);
    }
    for (unsigned i = 0; i < orders; i++) {
        random_day(day, sizeof day);
        random_day(end, sizeof end);
        const char *drug = pick(drugs, COUNT_OF(drugs));
        const char *word = pick(words, COUNT_OF(words));
        if (below(4) == 0 && strcmp(day, end) < 0)
            snprintf(text, sizeof text, "%s %s..%s %s", drug, day, end, word);
        else if (below(8) == 0)
            snprintf(text, sizeof text, "%s %s..open", drug, day);
        else
            snprintf(text, sizeof text, "%s %s x%u/%u %s", drug, day, 1 + below(6),
                     7 * (1 + below(4)), word);
        story_tell(story, text);
    }
    for (unsigned i = 0; i < transplants; i++) {
        random_day(day, sizeof day);
        snprintf(text, sizeof text, "!%s %s", pick(procedures, COUNT_OF(procedures)), day);
        story_tell(story, text);
    }
    if (below(2) == 0)
        random_tellings(story, drugs, COUNT_OF(drugs));
}

static void check_boundary(const struct boundary *boundary)
{
    assert_non_null(boundary->reason);
    assert_true(boundary->evidence_count > 0);
    assert_true(boundary->evidence_count <= LOT_EVIDENCE_MAX);
    assert_string_equal(boundary->reason, rule_reason(boundary->rule));
}

/* LOT-025: lines and segments follow one another; each line says why it was opened. */
static void check_line(const struct line *line, const struct line *before, struct date as_of)
{
    assert_true(line->drug_count > 0);
    assert_true(line->start.day <= line->end.day);
    assert_true(line->end.day <= as_of.day);
    if (before != NULL) {
        assert_true(before->end.day < line->start.day);
        assert_int_equal(line->number, before->number + 1);
        assert_false(before->is_open);
        assert_int_equal(before->closed_by.rule, line->opened_by.rule);
        assert_string_not_equal(before->id, line->id);
    }
    check_boundary(&line->opened_by);
    assert_true(line->segment_count > 0);
    assert_int_equal(line->segments[0].start.day, line->start.day);
    for (unsigned i = 0; i < line->segment_count; i++) {
        assert_true(line->segments[i].start.day <= line->segments[i].end.day);
        if (i > 0)
            assert_true(line->segments[i - 1].end.day < line->segments[i].start.day);
    }
    for (unsigned i = 1; i < line->drug_count; i++)
        assert_true(slice_cmp(line->drugs[i - 1]->name, line->drugs[i]->name) < 0);
}

static void check_history(const struct history *history, struct date as_of)
{
    const struct verdict *verdict = &history->verdict;
    for (unsigned i = 0; i < history->line_count; i++)
        check_line(&history->lines[i], i > 0 ? &history->lines[i - 1] : NULL, as_of);
    assert_int_equal(verdict->line, history->line_count);
    if (verdict->salvage) {
        assert_true(verdict->grade >= GRADE_LOW);
        assert_int_equal(verdict->veto_count, 0);
        assert_true(history->line_count > 1 || verdict->history_truncated);
    } else {
        assert_true(verdict->grade <= GRADE_LOW);
    }
    if (history->is_ambiguous)
        assert_true(verdict->grade <= GRADE_LOW); /* SAL-014 */
}

static void any_patient_keeps_the_promises(void **state)
{
    unsigned lines = 0, salvage = 0;
    (void)state;
    for (int i = 0; i < PATIENTS; i++) {
        struct story story;
        struct buffer out;
        struct sha256 digest = { { 0 } };
        struct report_head head = { SLICE("Patient/p"), &digest };
        story_begin(&story);
        random_patient(&story);
        buffer_init(&out, 1 << 22);
        const struct therapy *therapy = story_derive(&story, "2022-06-01");
        for (unsigned k = 0; k < therapy->history_count; k++) {
            check_history(&therapy->histories[k], therapy->as_of);
            lines += therapy->histories[k].line_count;
            salvage += therapy->histories[k].verdict.salvage;
        }
        if (!date_is_none(therapy->next_change))
            assert_true(therapy->next_change.day > therapy->as_of.day);
        report_json(&head, therapy, &out);
        report_text(&head, therapy, true, &out);
        assert_false(buffer_overflowed(&out));
        buffer_fini(&out);
        story_end(&story);
    }
    print_message("%d patients, %u lines, %u in salvage therapy\n", PATIENTS, lines, salvage);
    assert_true(lines > PATIENTS);
    assert_true(salvage > 0);
}

/* SAL-023: ours with a contrasting set that is never taken to come to the same lines. */
static const struct rules *always_asked(struct rules *ours, struct rules *contrast)
{
    static struct profile profiles[64];
    static const struct profile *of[256];
    const struct rules *from = mapping_rules(story_mapping());
    *ours = *from;
    *contrast = *from->contrast;
    CHECK(from->profile_count <= COUNT_OF(profiles) && from->disease_count <= COUNT_OF(of));
    for (unsigned i = 0; i < from->profile_count; i++) {
        profiles[i] = contrast->profiles[i];
        profiles[i].differs |= DIFFERS_OTHERWISE;
    }
    for (unsigned i = 0; i < from->disease_count; i++)
        of[i] = contrast->profile_of[i] != NULL
                    ? &profiles[contrast->profile_of[i] - contrast->profiles]
                    : NULL;
    contrast->profile_of = of;
    ours->contrast = contrast;
    return ours;
}

static void check_same_range(const struct history *a, const struct history *b)
{
    assert_int_equal(a->contrast.line_count, b->contrast.line_count);
    assert_int_equal(a->contrast.salvage, b->contrast.salvage);
    assert_int_equal(a->verdict.grade, b->verdict.grade);
    assert_int_equal(a->verdict.reason_count, b->verdict.reason_count);
    for (unsigned i = 0; i < a->line_count; i++) {
        assert_int_equal(a->lines[i].number_min, b->lines[i].number_min);
        assert_int_equal(a->lines[i].number_max, b->lines[i].number_max);
    }
}

static void leaving_the_second_sweep_out_changes_nothing(void **state)
{
    static struct rules ours, contrast;
    const struct rules *always = always_asked(&ours, &contrast);
    unsigned ranges = 0;
    (void)state;
    for (int i = 0; i < PATIENTS; i++) {
        struct story story;
        story_begin(&story);
        random_patient(&story);
        const struct therapy *therapy = story_derive(&story, "2022-06-01");
        const struct therapy *asked = story_derive_with(&story, always, "2022-06-01");
        for (unsigned k = 0; k < therapy->history_count; k++) {
            const struct history *history = &therapy->histories[k];
            check_same_range(history, &asked->histories[k]);
            for (unsigned n = 0; n < history->line_count; n++)
                ranges += history->lines[n].number_max > history->lines[n].number_min;
        }
        story_end(&story);
    }
    assert_true(ranges > 0);
}

static void every_rule_set_keeps_the_promises(void **state)
{
    (void)state;
    for (int i = 0; i < PATIENTS / 8; i++) {
        struct story story;
        const struct rules *set;
        story_begin(&story);
        random_patient(&story);
        for (unsigned n = 0; (set = mapping_ruleset_at(story_mapping(), n)) != NULL; n++) {
            const struct therapy *therapy = story_derive_with(&story, set, "2022-06-01");
            for (unsigned k = 0; k < therapy->history_count; k++)
                check_history(&therapy->histories[k], therapy->as_of);
        }
        story_end(&story);
    }
}

static void write_answer(struct story *story, struct buffer *out)
{
    struct sha256 digest = { { 0 } };
    struct report_head head = { SLICE("Patient/p"), &digest };
    report_json(&head, story_derive(story, "2022-06-01"), out);
    assert_false(buffer_overflowed(out));
}

static void assert_same(const char *what, const struct buffer *a, const struct buffer *b)
{
    size_t at = 0;
    while (at < a->len && at < b->len && a->at[at] == b->at[at])
        at++;
    size_t from = at > 150 ? at - 150 : 0;
    if (at < a->len || at < b->len)
        print_message("%s: %.*s\n--- but\n%.*s\n", what,
                      (int)(a->len - from < 400 ? a->len - from : 400), a->at + from,
                      (int)(b->len - from < 400 ? b->len - from : 400), b->at + from);
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->at, b->at, a->len);
}

static void shuffle(struct story *story)
{
    for (size_t i = story->count; i > 1; i--) {
        size_t k = below((unsigned)i);
        struct event swap = story->events[i - 1];
        story->events[i - 1] = story->events[k];
        story->events[k] = swap;
    }
}

/* What deletion leaves of a resource: its name and that it is gone. */
static void delete_some(struct story *story)
{
    for (size_t i = 0; i < story->count; i++) {
        struct event *event = &story->events[i];
        if (below(4) == 0)
            *event = (struct event){ .type = event->type,
                                     .id = event->id,
                                     .version = event->version + 1,
                                     .status = STATUS_ENTERED_IN_ERROR,
                                     .verification_status = VERIFICATION_ENTERED_IN_ERROR };
    }
}

static void leave_deleted_out(struct story *story)
{
    size_t kept = 0;
    for (size_t i = 0; i < story->count; i++)
        if (story->events[i].verification_status != VERIFICATION_ENTERED_IN_ERROR ||
            story->events[i].version == 1)
            story->events[kept++] = story->events[i];
    story->count = kept;
}

/* Any order of arrival gives the same bytes; a resource that was deleted was never there. */
static void neither_arrival_nor_what_is_gone_shows(void **state)
{
    (void)state;
    for (int i = 0; i < PATIENTS; i++) {
        struct story story;
        struct buffer first, again;
        story_begin(&story);
        random_patient(&story);
        buffer_init(&first, 1 << 22);
        buffer_init(&again, 1 << 22);
        write_answer(&story, &first);
        shuffle(&story);
        write_answer(&story, &again);
        assert_same("arrival", &first, &again);
        delete_some(&story);
        buffer_reset(&first);
        write_answer(&story, &first);
        leave_deleted_out(&story);
        buffer_reset(&again);
        write_answer(&story, &again);
        assert_same("deletion", &first, &again);
        buffer_fini(&first);
        buffer_fini(&again);
        story_end(&story);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_patient_keeps_the_promises),
        cmocka_unit_test(leaving_the_second_sweep_out_changes_nothing),
        cmocka_unit_test(every_rule_set_keeps_the_promises),
        cmocka_unit_test(neither_arrival_nor_what_is_gone_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
