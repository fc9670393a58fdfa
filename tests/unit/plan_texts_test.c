/* mappings/outputs.tsv, and what a clinician is told who made a mistake in it. */
#include "plan_story.h"

#include "domain/drug.h"

#define HEADER "kind\tkey\ttext\tsource\n"

static const struct texts_case {
    const char *name, *tsv, *faults;
    unsigned count;
} cases[] = {
    { "comments and empty lines are skipped, also with CR LF",
      "# a comment\r\n\r\n" HEADER "prompt\ttrial\tReviewed?\thouse\r\n", "", 1 },
    { "empty lines are skipped without CR too", "\n" HEADER "\n", "", 0 },
    { "an overlong form and a surrogate are not UTF-8",
      HEADER "prompt\ta\tslash \xc0\xaf\thouse\nprompt\tb\thalf \xed\xa0\x80 pair\thouse\n"
             "prompt\tc\tno character \xef\xbf\xbf\thouse\n",
      "outputs.tsv:2: text: the text has a character that is not printable UTF-8\n"
      "outputs.tsv:3: text: the text has a character that is not printable UTF-8\n"
      "outputs.tsv:4: text: the text has a character that is not printable UTF-8\n",
      0 },
    { "a file with no rows is a file without prompts", HEADER, "", 0 },
    { "an empty file lacks its header", "",
      "outputs.tsv:0: kind: the first line must be: kind, key, text, source\n", 0 },
    { "columns in another order are refused", "kind\ttext\tkey\tsource\n",
      "outputs.tsv:1: key: the first line must be: kind, key, text, source\n"
      "outputs.tsv:1: text: the first line must be: kind, key, text, source\n",
      0 },
    { "every fault of a row is told", HEADER "advice\t\t\t\n",
      "outputs.tsv:2: kind: expected prompt, hiv, renal or class\noutputs.tsv:2: key: the key is "
      "missing\n"
      "outputs.tsv:2: text: the text is missing\noutputs.tsv:2: source: the source is missing\n",
      0 },
    { "a row with three or five columns is refused, and the reading goes on",
      HEADER "prompt\ta\tText\nprompt\tb\tText\thouse\tmore\nprompt\tc\tText\t\n",
      "outputs.tsv:2: kind: expected four columns: kind, key, text, source\n"
      "outputs.tsv:3: kind: expected four columns: kind, key, text, source\n"
      "outputs.tsv:4: source: the source is missing\n",
      0 },
    { "a class must be a trait of a drug", HEADER "class\tpoison\tText\thouse\n",
      "outputs.tsv:2: key: expected a trait of mappings/drugs.tsv\n", 0 },
    { "a key is there once per kind",
      HEADER "prompt\tplatinum\tText\thouse\nclass\tplatinum\tText\thouse\n"
             "prompt\tplatinum\tText\thouse\n",
      "outputs.tsv:4: key: the key is there twice\n", 0 },
    { "a text must be printable UTF-8",
      HEADER "prompt\ta\tEuro \xe2\x82\xac\thouse\nprompt\tb\tcut \xe2\x82\thouse\n"
             "prompt\tc\tbell \x07\thouse\nprompt\td\tlone \x82\thouse\n",
      "outputs.tsv:3: text: the text has a character that is not printable UTF-8\n"
      "outputs.tsv:4: text: the text has a character that is not printable UTF-8\n"
      "outputs.tsv:5: text: the text has a character that is not printable UTF-8\n",
      0 },
};

static void file_reads_as(void **state)
{
    const struct texts_case *row = *state;
    struct plan_texts texts = { .count = 77 };
    struct buffer faults;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    buffer_init(&faults, 1 << 16);
    bool is_good = plan_texts_read(slice_of(row->tsv), "outputs.tsv", &arena, &texts, &faults);
    buffer_add_char(&faults, '\0');
    assert_string_equal(faults.at, row->faults);
    assert_int_equal(is_good, row->faults[0] == '\0');
    assert_int_equal(texts.count, is_good ? row->count : 77);
    buffer_fini(&faults);
    arena_fini(&arena);
}

static void too_many_and_too_long_texts_are_refused(void **state)
{
    (void)state;
    static char tsv[1 << 14];
    struct text text = TEXT(tsv);
    struct plan_texts texts;
    struct buffer faults;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    buffer_init(&faults, 1 << 16);
    text_add(&text, HEADER);
    for (unsigned i = 0; i < PLAN_TEXTS_MAX + 1; i++)
        text_add(&text, "prompt\tk%u\tText\thouse\n", i);
    assert_false(plan_texts_read(text_slice(&text), "f", &arena, &texts, &faults));
    assert_true(story_has(buffer_slice(&faults), "f:34: kind: more than 32 texts\n"));
    buffer_reset(&faults);
    text = TEXT(tsv);
    text_add(&text, HEADER "prompt\tk\t%0401d\thouse\n", 0);
    assert_false(plan_texts_read(text_slice(&text), "f", &arena, &texts, &faults));
    assert_true(story_has(buffer_slice(&faults), "f:2: text: the text is longer than 400 bytes\n"));
    buffer_fini(&faults);
    arena_fini(&arena);
}

static void the_real_file_asks_questions(void **state)
{
    (void)state;
    static struct plan_texts texts;
    struct arena arena;
    bool has_platinum = false;
    arena_init(&arena, 1 << 16);
    story_read_texts(&arena, &texts);
    for (unsigned i = 0; i < texts.count; i++) {
        assert_true(story_has(texts.list[i].text, "?")); /* a prompt, not advice */
        assert_false(story_has(texts.list[i].text, "given"));
        has_platinum |= texts.list[i].trait == TRAIT_PLATINUM;
    }
    assert_true(has_platinum);
    arena_fini(&arena);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + 2] = {
        cmocka_unit_test(too_many_and_too_long_texts_are_refused),
        cmocka_unit_test(the_real_file_asks_questions),
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) /* one reported test per row */
        tests[2 + i] = (struct CMUnitTest){ .name = cases[i].name,
                                            .test_func = file_reads_as,
                                            .initial_state = (void *)(uintptr_t)&cases[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
