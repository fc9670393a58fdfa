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
    static const char *const procedures[] = { "sct", "allo", "apheresis" };
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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(any_patient_keeps_the_promises) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
