/* support/therapy/story_case.h -- one row of a table of stories, and the test that it is.
 *
 * What      a member that is NULL is not compared; `verdict` and `notes` are prefixes of what the
 *           story gives, so that a row names only what it is about.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/therapy/story.h"

struct story_case {
    const char *name; /* a sentence, with the rule ids that it is about */
    const char *story;
    const char *as_of; /* NULL: 2026-01-01 */
    const char *lines;
    const char *notes;
    const char *verdict;
};

static inline void story_reads_as(void **state)
{
    const struct story_case *row = *state;
    struct story story;
    story_begin(&story);
    story_tell(&story, row->story);
    const struct therapy *therapy =
        story_derive(&story, row->as_of != NULL ? row->as_of : "2026-01-01");
    if (row->lines != NULL)
        assert_string_equal(story_lines(&story, therapy, NULL), row->lines);
    if (row->notes != NULL)
        assert_string_equal(story_notes(&story, therapy), row->notes);
    if (row->verdict != NULL) {
        const char *verdict = story_verdict(&story, therapy);
        if (strncmp(verdict, row->verdict, strlen(row->verdict)) != 0)
            assert_string_equal(verdict, row->verdict);
    }
    story_end(&story);
}

static inline int story_run(const char *group, const struct story_case *rows, size_t count)
{
    struct CMUnitTest *tests = calloc(count, sizeof *tests);
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){ .name = rows[i].name,
                                        .test_func = story_reads_as,
                                        .initial_state = (void *)(uintptr_t)&rows[i] };
    int failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
    free(tests);
    return failed;
}
