/* Counting codes: what makes a row, in which order rows stand, and that it does not matter how the
 * events were spread over tallies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "mapping/tally.h"
#include "support/mapping_folder.h"

static struct mapping *mapping;

/* What came, event by event. */
static const struct seen {
    bool is_condition;
    enum code_system system;
    const char *uri, *code, *text;
} seen[] = {
    { false, CODE_RXNORM, "", "2555", "Cisplatin" },
    { false, CODE_RXNORM, "", "2555", "CISplatin 50 mg" },
    { false, CODE_OTHER, "urn:ours", "X1", "unheard-of" },
    { false, CODE_OTHER, "urn:ours", "X1", "" },
    { false, CODE_OTHER, "urn:ours", "X1", "an earlier text" },
    { false, CODE_OTHER, "urn:theirs", "X1", "unheard-of" },
    { false, CODE_OTHER, "", "", "unheard-of" },
    { true, CODE_ICD10CM, "", "C90.02", "" },
    { true, CODE_ICD10CM, "", "C90.02", "" },
    { true, CODE_OTHER, "urn:ours", "X1", "a condition" },
    { false, CODE_OTHER, "", "", "fluorouracil cream" },
    { false, CODE_OTHER, "", "", "" },
};

static const char expected[] = "3 drug urn:ours X1 'an earlier text' -> ''\n"
                               "2 drug http://www.nlm.nih.gov/research/umls/rxnorm 2555 "
                               "'CISplatin 50 mg' -> 'cisplatin'\n"
                               "2 condition http://hl7.org/fhir/sid/icd-10-cm C90.02 '' -> 'mm "
                               "in_relapse'\n"
                               "1 drug   'fluorouracil cream' -> 'no exposure'\n"
                               "1 drug   'unheard-of' -> ''\n"
                               "1 drug urn:theirs X1 'unheard-of' -> ''\n"
                               "1 condition urn:ours X1 'a condition' -> ''\n";

static void add(struct tally *tally, const struct seen *one, struct arena *arena)
{
    struct coding coding = { one->system, slice_of(one->uri), slice_of(one->code) };
    struct concept concept = { &coding, one->code[0] != '\0', slice_of(one->text) };
    struct event event = { .type = one->is_condition ? FHIR_CONDITION : FHIR_MEDICATION_REQUEST };
    *(one->is_condition ? &event.code : &event.medication) = concept;
    mapping_resolve(mapping, &event, arena);
    tally_add(tally, &event);
}

static void check_rows(struct tally *tally)
{
    char buffer[2000];
    struct text text = TEXT(buffer);
    tally_sort(tally);
    for (unsigned i = 0; i < tally->count; i++) {
        const struct tally_row *row = tally->rows[i];
        text_add(&text, "%d %s %.*s %.*s '%.*s' -> '%.*s'\n", (int)row->count,
                 row->is_condition ? "condition" : "drug", SLICE_ARGS(row->system),
                 SLICE_ARGS(row->code), SLICE_ARGS(row->text), SLICE_ARGS(row->read_as));
    }
    assert_string_equal(buffer, expected);
}

static void the_frequent_come_first(void **state)
{
    (void)state;
    struct arena arena;
    struct tally tally;
    arena_init(&arena, 1 << 20);
    tally_init(&tally, &arena);
    for (size_t i = 0; i < COUNT_OF(seen); i++)
        add(&tally, &seen[i], &arena);
    check_rows(&tally);
    arena_fini(&arena);
}

/* Every cut of the events in two, either half first, and each half backwards. */
static void any_split_and_order_gives_the_same_rows(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= COUNT_OF(seen); cut++) {
        for (unsigned way = 0; way < 4; way++) {
            struct arena arena;
            struct tally halves[2];
            arena_init(&arena, 1 << 20);
            tally_init(&halves[0], &arena);
            tally_init(&halves[1], &arena);
            for (size_t i = 0; i < COUNT_OF(seen); i++) {
                size_t at = (way & 1) != 0 ? COUNT_OF(seen) - 1 - i : i;
                add(&halves[at < cut], &seen[at], &arena);
            }
            tally_merge(&halves[way / 2], &halves[1 - way / 2]);
            check_rows(&halves[way / 2]);
            arena_fini(&arena);
        }
    }
}

static void many_codes_keep_their_counts(void **state)
{
    (void)state;
    struct arena arena;
    struct tally tally;
    arena_init(&arena, 1 << 24);
    tally_init(&tally, &arena);
    for (unsigned i = 0; i < 5000; i++) {
        char code[16];
        snprintf(code, sizeof code, "%u", i % 1000);
        add(&tally, &(struct seen){ false, CODE_OTHER, "urn:many", code, "" }, &arena);
    }
    tally_sort(&tally);
    assert_int_equal(tally.count, 1000);
    for (unsigned i = 0; i < tally.count; i++)
        assert_int_equal(tally.rows[i]->count, 5);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_frequent_come_first),
        cmocka_unit_test(any_split_and_order_gives_the_same_rows),
        cmocka_unit_test(many_codes_keep_their_counts),
    };
    struct mapping_folder folder;
    struct table_errors errors = { .count = 0 };
    mapping_folder_read(&folder, SOURCE_DIR "/mappings");
    if (!mapping_load(folder.files, folder.count, &mapping, &errors))
        return 2;
    int failed = cmocka_run_group_tests_name("mapping tally", tests, NULL, NULL);
    mapping_close(mapping);
    mapping_folder_fini(&folder);
    return failed;
}
