/* gateway/fhir/ERRORS.md tells integrators what each refusal means: it has a row for every error of
 * the table, with the status, the issue type and the advice that are really sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/slice.h"

#define PAGE_MAX 65536

static const char *const names[] = {
#define X(code, http, issue, retry) #code,
    ERR_TABLE(X)
#undef X
};

static struct slice page(void)
{
    static char text[PAGE_MAX];
    FILE *file = fopen(SOURCE_DIR "/gateway/fhir/ERRORS.md", "rb");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    assert_in_range(len, 1000, PAGE_MAX - 1);
    return (struct slice){ text, len };
}

/* The row "| NAME | 400 | structure | no | What it means. |" stands once. */
static void row_is_told(void **state)
{
    size_t code = (size_t)(uintptr_t)*state;
    struct slice rest = page();
    char wanted[128];
    unsigned rows = 0;
    snprintf(wanted, sizeof wanted, "| %s | %d | %s | %s | ", names[code],
             err_http_status((enum err_code)code), err_fhir_issue((enum err_code)code),
             err_is_retryable((enum err_code)code) ? "yes" : "no");
    while (rest.len > 0) {
        struct slice line = slice_take_until(&rest, '\n');
        bool is_row = slice_starts(line, slice_of(wanted));
        rows += is_row;
        if (is_row)
            assert_in_range(line.len, strlen(wanted) + 20, 400); /* and it says something */
    }
    assert_int_equal(rows, 1);
}

/* No row is left of an error that is gone. */
static void there_are_no_other_rows(void **state)
{
    (void)state;
    struct slice rest = page();
    unsigned rows = 0;
    while (rest.len > 0) {
        struct slice line = slice_take_until(&rest, '\n');
        rows += slice_starts(line, SLICE("| ")) && !slice_starts(line, SLICE("| error "));
    }
    assert_int_equal(rows, COUNT_OF(names) - 1); /* all but OK */
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(names)];
    for (size_t i = 1; i < COUNT_OF(names); i++)
        tests[i - 1] = (struct CMUnitTest){ .name = names[i],
                                            .test_func = row_is_told,
                                            .initial_state = (void *)(uintptr_t)i };
    tests[COUNT_OF(names) - 1] = (struct CMUnitTest)cmocka_unit_test(there_are_no_other_rows);
    return cmocka_run_group_tests_name("fhir_errors", tests, NULL, NULL);
}
