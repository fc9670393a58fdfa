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
                                            COUNT_OF(columns), 1 };

#define CHANGE "name\tdays\tgap\tcolour\tclass\ton\tcolours\tnote\tchange\n"
#define A_ROW "a\t1\t\tred\tvinca\tno\n"
#define B_ROW "b\t2\t\tred\tvinca\tno\n"
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

/* The same with a site's own text; "o" before the line of a row that it gave. */
static const struct overlay_case {
    struct table_case base;
    const char *overlay;
} overlay_cases[] = {
    { { "an overlay replaces the row of the same key in its place, and adds others behind ours",
        HEADER A_ROW B_ROW "c\t3\t\tred\tvinca\tno\n",
        "2 a 1 -1 0 6 0 0 ;o3 b 9 5 2 1 1 0 ;"
        "4 c 3 -1 0 6 0 0 ;o2 z 4 -1 0 6 0 0 new;" },
      HEADER "z\t4\t\tred\tvinca\tno\t\tnew\nb\t9\t5\tblue\ttaxane\tyes\n" },
    { { "an overlay takes a row away, and needs no more of it than its key", HEADER A_ROW B_ROW,
        "3 b 2 -1 0 6 0 0 ;" },
      CHANGE "a\t\t\t\t\t\t\t\tremoved\n" },
    { { "a row without a change in the last column is read like any other", HEADER A_ROW,
        "o2 a 7 -1 0 6 0 0 note;" },
      CHANGE "a\t7\t\tred\tvinca\tno\t\tnote\t\n" },
    { { "an overlay without rows changes nothing", HEADER A_ROW, "2 a 1 -1 0 6 0 0 ;" }, HEADER },
    { { "what is not there cannot be removed", HEADER A_ROW,
        "overlay/things.tsv:2 name: 'b' cannot be removed: we have no such row;" },
      CHANGE "b\t\t\t\t\t\t\t\tremoved\n" },
    { { "an overlay says one thing about one row", HEADER A_ROW,
        "overlay/things.tsv:3 name: 'a' is in an earlier row of the overlay already;"
        "overlay/things.tsv:5 name: 'n' is in an earlier row of the overlay already;" },
      CHANGE "a\t\t\t\t\t\t\t\tremoved\n" A_ROW "n\t1\t\tred\tvinca\tno\n"
             "n\t1\t\tred\tvinca\tno\n" },
    { { "a key that two of our rows have does not say which one is meant", HEADER A_ROW A_ROW,
        "overlay/things.tsv:2 name: 'a' is the key of several rows of ours: which one is meant?;" },
      HEADER A_ROW },
    { { "a change that is no change", HEADER A_ROW,
        "overlay/things.tsv:2 change: 'gone' is neither removed nor empty;" },
      CHANGE "a\t\t\t\t\t\t\t\tgone\n" },
    { { "faults of both texts are told at once, and ours cannot have a column of changes",
        CHANGE A_ROW,
        "mappings/things.tsv:1 header: 'change' is not a column of this file;"
        "overlay/things.tsv:2 days: 'x' is not a number of days from 0 to 36500;" },
      HEADER "a\tx\t\tred\tvinca\tno\n" },
};

#define NONE ((struct slice){ NULL, 0 })

static void check_table(const struct table_case *c, const char *overlay)
{
    char buffer[2000];
    struct text seen = TEXT(buffer);
    struct arena arena;
    struct table table;
    struct table_errors errors = { .count = 0 };
    buffer[0] = '\0';
    arena_init(&arena, 1 << 20);

    if (table_read(&schema, slice_of(c->text), slice_of(overlay), &arena, &table, &errors)) {
        assert_int_equal(errors.count, 0);
        for (size_t i = 0; i < table.count; i++) {
            const struct row *row = &((const struct row *)table.rows)[i];
            text_add(&seen, "%s%u %.*s %d %d %u %u %d %u %.*s;",
                     (table.lines[i] & TABLE_LINE_OVERLAY) != 0 ? "o" : "",
                     table.lines[i] & ~TABLE_LINE_OVERLAY, SLICE_ARGS(row->name), row->days,
                     row->gap, row->colour, row->drug_class, row->is_on, row->colours,
                     SLICE_ARGS(row->note));
        }
    } else {
        assert_true(errors.count > 0);
        for (unsigned i = 0; i < errors.count; i++)
            text_add(&seen, "%s %s;", errors.list[i].where, errors.list[i].what);
    }
    assert_string_equal(buffer, c->reads_as);
    arena_fini(&arena);
}

static void table_reads_as(void **state) { check_table(*state, NULL); }

static void overlaid_table_reads_as(void **state)
{
    const struct overlay_case *c = *state;
    check_table(&c->base, c->overlay);
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

    assert_false(table_read(&schema, text_slice(&text), NONE, &arena, &table, &errors));
    assert_int_equal(errors.count, TABLE_ERRORS_MAX);
    assert_false(table_read(&schema, text_slice(&text), NONE, &arena, &table, &errors));
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
    assert_false(table_read(&schema, slice_of(HEADER), NONE, &arena, &table, &errors));
    assert_string_equal(errors.list[0].what, "file: '' is larger than its limit");
    arena_fini(&arena);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + COUNT_OF(overlay_cases) + 2];
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        tests[n++] = (struct CMUnitTest){ .name = cases[i].name,
                                          .test_func = table_reads_as,
                                          .initial_state = (void *)(uintptr_t)&cases[i] };
    for (size_t i = 0; i < COUNT_OF(overlay_cases); i++)
        tests[n++] = (struct CMUnitTest){ .name = overlay_cases[i].base.name,
                                          .test_func = overlaid_table_reads_as,
                                          .initial_state = (void *)(uintptr_t)&overlay_cases[i] };
    tests[n++] =
        (struct CMUnitTest)cmocka_unit_test(faults_stop_at_fifty_and_the_table_still_fails);
    tests[n++] =
        (struct CMUnitTest)cmocka_unit_test(a_table_past_the_limit_of_the_arena_is_refused);
    return _cmocka_run_group_tests("tables", tests, n, NULL, NULL);
}
