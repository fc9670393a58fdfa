/* The stories of tests/golden/therapy: prose for people, blocks for this test.  With UPDATE=1 in the
 * environment the blocks are rewritten with what the engine answers, to be read with git diff. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/therapy/golden.h"

/* The block of the story of this title; the rest of the file stays as it is. */
static void rewrite(const struct golden *golden, struct slice answer)
{
    char path[512];
    struct buffer out;
    struct arena arena;
    struct slice text;
    snprintf(path, sizeof path, GOLDEN_FOLDER "/%s", golden->file);
    arena_init(&arena, (size_t)16 << 20);
    buffer_init(&out, 1 << 24);
    CHECK(story_file(path, &arena, &text));
    const char *title = strstr(text.at, golden->name + strlen(golden->file) + 2);
    CHECK(title != NULL);
    const char *from = strstr(title, "```lines\n");
    CHECK(from != NULL);
    from += strlen("```lines\n");
    const char *to = strstr(from, "```");
    CHECK(to != NULL);
    buffer_add(&out, (struct slice){ text.at, (size_t)(from - text.at) });
    buffer_add(&out, answer);
    buffer_add(&out, slice_of(to));
    snprintf(path, sizeof path, SOURCE_DIR "/" GOLDEN_FOLDER "/%s", golden->file);
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL);
    CHECK(fwrite(out.at, 1, out.len, file) == out.len);
    fclose(file);
    buffer_fini(&out);
    arena_fini(&arena);
}

static void story_holds(void **state)
{
    const struct golden *golden = *state;
    struct buffer out;
    buffer_init(&out, 1 << 16);
    golden_answer(golden, &out);
    bool holds = slice_eq(buffer_slice(&out), golden->lines);
    if (!holds && getenv("UPDATE") != NULL) {
        rewrite(golden, buffer_slice(&out));
    } else if (!holds) {
        print_message("the engine answers:\n%.*s", SLICE_ARGS(buffer_slice(&out)));
        print_message("the story expects:\n%.*s", SLICE_ARGS(golden->lines));
        fail();
    }
    buffer_fini(&out);
}

int main(void)
{
    unsigned count;
    const struct golden *stories = golden_load(&count);
    struct CMUnitTest *tests = calloc(count, sizeof *tests);
    for (unsigned i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){ .name = stories[i].name,
                                        .test_func = story_holds,
                                        .initial_state = (void *)(uintptr_t)&stories[i] };
    int failed = _cmocka_run_group_tests("therapy_stories", tests, count, NULL, NULL);
    free(tests);
    return failed;
}
