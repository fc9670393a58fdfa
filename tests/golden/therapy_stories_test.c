/* The stories of tests/golden/therapy: prose for people, blocks for this test.  With UPDATE=1 in
 * the environment it prints what the engine answers instead of comparing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <dirent.h>

#include "support/therapy/story.h"

#define FOLDER "tests/golden/therapy"
#define STORIES_MAX 64

/* What stands between "```name" and the next "```". */
static struct slice block(struct slice text, const char *name)
{
    char fence[32];
    snprintf(fence, sizeof fence, "```%s\n", name);
    const char *at = memmem(text.at, text.len, fence, strlen(fence));
    if (at == NULL)
        return (struct slice){ NULL, 0 };
    at += strlen(fence);
    const char *end = strstr(at, "```");
    return (struct slice){ at, end != NULL ? (size_t)(end - at) : 0 };
}

static void describe(struct story *story, const struct therapy *therapy, struct buffer *out)
{
    const struct history *history = story_history(therapy, NULL);
    for (unsigned i = 0; history != NULL && i < history->line_count; i++) {
        const struct line *line = &history->lines[i];
        char start[DATE_TEXT_SIZE], end[DATE_TEXT_SIZE];
        buffer_format(out, "%u  %s to %s  ", line->number, date_format(line->start, start),
                      line->is_open ? "open" : date_format(line->end, end));
        if (line->regimen.len > 0)
            buffer_format(out, "%.*s: ", SLICE_ARGS(line->regimen));
        for (unsigned k = 0; k < line->drug_count; k++)
            buffer_format(out, "%s%.*s", k > 0 ? " + " : "", SLICE_ARGS(line->drugs[k]->name));
        buffer_format(out, "  %s %s\n", rule_id(line->opened_by.rule), line->opened_by.reason);
        for (unsigned k = 0; line->segment_count > 1 && k < line->segment_count; k++)
            buffer_format(out, "   %s from %s\n", segment_kind_name(line->segments[k].kind),
                          date_format(line->segments[k].start, start));
    }
    buffer_format(out, "verdict: %s\n", story_verdict(story, therapy));
    if (history != NULL && history->is_ambiguous)
        buffer_format(out, "ambiguous\n");
}

static void story_holds(void **state)
{
    const char *name = *state;
    struct story story;
    struct slice text;
    char path[300], day[16] = "2026-01-01";
    struct buffer out;
    story_begin(&story);
    buffer_init(&out, 1 << 16);
    snprintf(path, sizeof path, FOLDER "/%s", name);
    assert_true(story_file(path, &story.arena, &text));
    struct slice told = block(text, "exposures"), expected = block(text, "lines");
    assert_true(told.len > 0);
    while (told.len > 0) {
        struct slice row = slice_take_until(&told, '\n');
        if (slice_starts(row, SLICE("as of ")))
            snprintf(day, sizeof day, "%.*s", SLICE_ARGS(slice_skip(row, 6)));
        else
            story_tell(&story, arena_copy(&story.arena, row).at);
    }
    describe(&story, story_derive(&story, day), &out);
    if (getenv("UPDATE") != NULL) {
        printf("== %s\n%.*s", name, SLICE_ARGS(buffer_slice(&out)));
    } else if (!slice_eq(buffer_slice(&out), expected)) {
        print_message("the engine answers:\n%.*s", SLICE_ARGS(buffer_slice(&out)));
        print_message("the story expects:\n%.*s", SLICE_ARGS(expected));
        fail();
    }
    buffer_fini(&out);
    story_end(&story);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(void)
{
    static char names[STORIES_MAX][128];
    char *sorted[STORIES_MAX];
    struct CMUnitTest tests[STORIES_MAX];
    size_t count = 0;
    DIR *folder = opendir(SOURCE_DIR "/" FOLDER);
    CHECK(folder != NULL);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL && count < STORIES_MAX;) {
        size_t len = strlen(entry->d_name);
        if (len < 4 || strcmp(entry->d_name + len - 3, ".md") != 0 ||
            strcmp(entry->d_name, "README.md") == 0)
            continue;
        snprintf(names[count], sizeof names[count], "%.120s", entry->d_name);
        sorted[count] = names[count];
        count++;
    }
    closedir(folder);
    qsort(sorted, count, sizeof sorted[0], by_name);
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){ .name = sorted[i],
                                        .test_func = story_holds,
                                        .initial_state = sorted[i] };
    return _cmocka_run_group_tests("therapy_stories", tests, count, NULL, NULL);
}
