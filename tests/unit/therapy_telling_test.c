/* What lists of reasons and notes do when they are full, and which day a Condition is known from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "therapy/telling.h"

static void past_the_most_reasons_are_dropped(void **state)
{
    (void)state;
    struct arena arena;
    struct verdict verdict = { 0 };
    arena_init(&arena, 1 << 16);
    struct telling telling = { .arena = &arena };
    for (unsigned i = 0; i < LOT_REASONS_MAX + 3; i++) {
        telling_reason(&telling, (enum rule)i, SLICE("why"));
        if (i < 2)
            telling_veto(&telling, (enum rule)i, SLICE("why not"));
    }
    telling_keep(&telling, &verdict);
    assert_int_equal(verdict.reason_count, LOT_REASONS_MAX);
    assert_int_equal(verdict.reasons[LOT_REASONS_MAX - 1].rule, LOT_REASONS_MAX - 1);
    assert_int_equal(verdict.veto_count, 2);
    arena_fini(&arena);
}

static void past_the_most_notes_are_dropped(void **state)
{
    (void)state;
    struct arena arena;
    struct line_note notes[LOT_REASONS_MAX];
    struct finding finding = { 0 };
    unsigned count = 0;
    arena_init(&arena, 1 << 16);
    for (int32_t day = 0; day < LOT_REASONS_MAX + 3; day++)
        note_add(notes, &count, &finding, day, &arena);
    assert_int_equal(count, LOT_REASONS_MAX);
    assert_int_equal(notes[LOT_REASONS_MAX - 1].day.day, LOT_REASONS_MAX - 1);
    arena_fini(&arena);
}

/* LOT-028: of a very long list of words the first tell lines apart. */
static void an_identity_is_of_the_first_words(void **state)
{
    (void)state;
    struct slice words[LOT_DRUGS_MAX + 2];
    char most[33], more[33], fewer[33];
    for (unsigned i = 0; i < COUNT_OF(words); i++)
        words[i] = SLICE("word");
    identity_make(SLICE("hiv"), 100, words, LOT_DRUGS_MAX, most);
    identity_make(SLICE("hiv"), 100, words, LOT_DRUGS_MAX + 2, more);
    identity_make(SLICE("hiv"), 100, words, LOT_DRUGS_MAX - 1, fewer);
    assert_string_equal(most, more);
    assert_string_not_equal(most, fewer);
}

static void a_condition_is_known_from_its_onset_or_else_its_recording(void **state)
{
    (void)state;
    struct event condition = { .type = FHIR_CONDITION };
    assert_int_equal(condition_known(&condition), DATE_NONE);
    condition.recorded = (struct date_span){ .precision = DATE_DAY, .first = { 20 } };
    assert_int_equal(condition_known(&condition), 20);
    condition.onset = (struct date_span){ .precision = DATE_DAY, .first = { 10 } };
    assert_int_equal(condition_known(&condition), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(past_the_most_reasons_are_dropped),
        cmocka_unit_test(past_the_most_notes_are_dropped),
        cmocka_unit_test(an_identity_is_of_the_first_words),
        cmocka_unit_test(a_condition_is_known_from_its_onset_or_else_its_recording),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
