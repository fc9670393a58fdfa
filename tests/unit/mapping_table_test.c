/* The table reader: what it accepts from editors and spreadsheets, and what it says of each fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "mapping/table.h"

static const char *const colours[] = { "red", "green", "blue", NULL };
static const char *const long_list[] = { "platinum",   "taxane",          "anthracycline",
                                         "antifolate", "alkylator",       "fluoropyrimidine",
                                         "vinca",      "podophyllotoxin", "checkpoint",
                                         "proteasome", "immunomodulator", "antibody",
                                         NULL };

struct row {
    struct slice name, note;
    int32_t days, gap;
    uint8_t colour, drug_class;
    uint32_t colours;
    bool is_on;
};

static const struct column columns[] = {
    { "name", CELL_TEXT, offsetof(struct row, name), NULL },
    { "days", CELL_DAYS, offsetof(struct row, days), NULL },
    { "gap", CELL_OPTIONAL_DAYS, offsetof(struct row, gap), NULL },
    { "colour", CELL_WORD, offsetof(struct row, colour), colours },
    { "class", CELL_WORD, offsetof(struct row, drug_class), long_list },
    { "on", CELL_YES_NO, offsetof(struct row, is_on), NULL },
    { "colours", CELL_WORDS, offsetof(struct row, colours), colours },
    { "note", CELL_OPTIONAL_TEXT, offsetof(struct row, note), NULL },
};
static const struct table_schema schema = { "mappings/things.tsv", sizeof(struct row), columns,
                                            COUNT_OF(columns) };

#define HEADER "name\tdays\tgap\tcolour\tclass\ton\tcolours\tnote\n"

/* Rows as "line name days gap colour class on colours note;", faults as "where column: what;". */
static const struct table_case {
    const char *name, *text, *reads_as;
} cases[] = {
    { "a row of every kind of cell", HEADER "a\t28\t90\tgreen\ttaxane\tyes\tred,blue\thello\n",
      "2 a 28 90 1 1 1 5 hello;" },
    { "comments and empty lines are passed over, and lines keep their numbers",
      "# what this is\n\n" HEADER "# a remark\n\t\t\na\t1\t-\tred\tvinca\tno\t\t\n",
      "6 a 1 -1 0 6 0 0 ;" },
    { "optional cells may be empty, a dash, or cut off by the editor",
      HEADER "a\t1\t\tred\tvinca\tno\nb\t0\t-\tred\tvinca\tno\t\t\n",
      "2 a 1 -1 0 6 0 0 ;3 b 0 -1 0 6 0 0 ;" },
    { "byte-order mark, CRLF, spaces and quotes of a spreadsheet",
      "\xef\xbb\xbf" HEADER "a \t 1\t\tred\tvinca\tno\t\"red, blue\"\t\"one, two\"\r\n",
      "2 a 1 -1 0 6 0 5 one, two;" },
    { "no newline at the end of the file", HEADER "a\t1\t\tred\tvinca\tno", "2 a 1 -1 0 6 0 0 ;" },
    { "a header and no rows", HEADER, "" },
    { "an empty file", "",
      "mappings/things.tsv:0 header: '' is missing: the file names no columns;" },
    { "a header in another order is told once, not for every row",
      "days\tname\tgap\tcolour\tclass\ton\tcolours\tnote\nx\nx\n",
      "mappings/things.tsv:1 name: 'days' is in the place of this column;"
      "mappings/things.tsv:1 days: 'name' is in the place of this column;" },
    { "a column that the file does not have",
      "name\tdays\tgap\tcolour\tclass\ton\tcolours\tnote\tmore\n",
      "mappings/things.tsv:1 header: 'more' is not a column of this file;" },
    { "days that are no number, too many, or negative",
      HEADER "a\t3x\t\tred\tvinca\tno\nb\t36501\t\tred\tvinca\tno\nc\t-1\t\tred\tvinca\tno\n",
      "mappings/things.tsv:2 days: '3x' is not a number of days from 0 to 36500;"
      "mappings/things.tsv:3 days: '36501' is not a number of days from 0 to 36500;"
      "mappings/things.tsv:4 days: '-1' is not a number of days from 0 to 36500;" },
    { "optional days must still be days", HEADER "a\t1\tsoon\tred\tvinca\tno\n",
      "mappings/things.tsv:2 gap: 'soon' is not a number of days from 0 to 36500;" },
    { "an unknown word lists the words of a short list", HEADER "a\t1\t\tpink\tvinca\tno\n",
      "mappings/things.tsv:2 colour: 'pink' is not one of: red green blue;" },
    { "of a long list it suggests the nearest", HEADER "a\t1\t\tred\tantracyclin\tno\n",
      "mappings/things.tsv:2 class: 'antracyclin' is not a word of this column; the nearest is "
      "'anthracycline';" },
    { "each unknown word of a list of words", HEADER "a\t1\t\tred\tvinca\tno\tred,pink,grey\n",
      "mappings/things.tsv:2 colours: 'pink' is not one of: red green blue;"
      "mappings/things.tsv:2 colours: 'grey' is not one of: red green blue;" },
    { "a word twice", HEADER "a\t1\t\tred\tvinca\tno\tred,red\n",
      "mappings/things.tsv:2 colours: 'red' is there twice;" },
    { "neither yes nor no", HEADER "a\t1\t\tred\tvinca\tmaybe\n",
      "mappings/things.tsv:2 on: 'maybe' is neither yes nor no;" },
    { "a cell that must not be empty", HEADER "\t1\t\tred\tvinca\tno\n",
      "mappings/things.tsv:2 name: '' is empty;" },
    { "a row that ends too early", HEADER "a\t1\t\tred\n",
      "mappings/things.tsv:2 class: '' is missing: the row ends here;" },
    { "a row that goes on too long", HEADER "a\t1\t\tred\tvinca\tno\tred\tnote\tmore\n",
      "mappings/things.tsv:2 end of row: 'more' is one cell too many;" },
    { "all faults of a file at once",
      HEADER "a\tx\t\tpink\tvinca\tno\nb\t1\t\tred\tvinca\tno\n\t1\t\tred\tvinca\tno\n",
      "mappings/things.tsv:2 days: 'x' is not a number of days from 0 to 36500;"
      "mappings/things.tsv:2 colour: 'pink' is not one of: red green blue;"
      "mappings/things.tsv:4 name: '' is empty;" },
    { "a file of another encoding", HEADER "a\x01\t1\t\tred\tvinca\tno\n",
      "mappings/things.tsv:2 line: '' holds a control character: save the file as UTF-8 text;" },
};

static void table_reads_as(void **state)
{
    const struct table_case *c = *state;
    char buffer[2000];
    struct text seen = TEXT(buffer);
    struct arena arena;
    struct table table;
    struct table_errors errors = { .count = 0 };
    buffer[0] = '\0';
    arena_init(&arena, 1 << 20);

    if (table_read(&schema, slice_of(c->text), &arena, &table, &errors)) {
        assert_int_equal(errors.count, 0);
        for (size_t i = 0; i < table.count; i++) {
            const struct row *row = &((const struct row *)table.rows)[i];
            text_add(&seen, "%u %.*s %d %d %u %u %d %u %.*s;", table.lines[i],
                     SLICE_ARGS(row->name), row->days, row->gap, row->colour, row->drug_class,
                     row->is_on, row->colours, SLICE_ARGS(row->note));
        }
    } else {
        assert_true(errors.count > 0);
        for (unsigned i = 0; i < errors.count; i++)
            text_add(&seen, "%s %s;", errors.list[i].where, errors.list[i].what);
    }
    assert_string_equal(buffer, c->reads_as);
    arena_fini(&arena);
}

static void faults_stop_at_fifty_and_the_table_still_fails(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct table table = { NULL, NULL, 77 };
    struct table_errors errors = { .count = 0 };
    char buffer[8000];
    struct text text = TEXT(buffer);
    text_add(&text, HEADER);
    for (int i = 0; i < 60; i++)
        text_add(&text, "a\tx\t\tred\tvinca\tno\n");

    assert_false(table_read(&schema, text_slice(&text), &arena, &table, &errors));
    assert_int_equal(errors.count, TABLE_ERRORS_MAX);
    assert_false(table_read(&schema, text_slice(&text), &arena, &table, &errors));
    assert_int_equal(table.count, 77); /* untouched */
    arena_fini(&arena);
}

static void a_table_past_the_limit_of_the_arena_is_refused(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64);
    struct table table;
    struct table_errors errors = { .count = 0 };
    assert_false(table_read(&schema, slice_of(HEADER), &arena, &table, &errors));
    assert_string_equal(errors.list[0].what, "file: '' is larger than its limit");
    arena_fini(&arena);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + 2];
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        tests[i] = (struct CMUnitTest){ .name = cases[i].name,
                                        .test_func = table_reads_as,
                                        .initial_state = (void *)(uintptr_t)&cases[i] };
    tests[COUNT_OF(cases)] =
        (struct CMUnitTest)cmocka_unit_test(faults_stop_at_fifty_and_the_table_still_fails);
    tests[COUNT_OF(cases) + 1] =
        (struct CMUnitTest)cmocka_unit_test(a_table_past_the_limit_of_the_arena_is_refused);
    return _cmocka_run_group_tests("mapping table", tests, COUNT_OF(tests), NULL, NULL);
}
