/* The bodies for the sample patients, against tests/golden/plan/, which people review.  After a
 * wanted change, run this test with LIFELINE_GOLDEN_UPDATE=1 and read the difference. */
#include "plan_story.h"

#include <stdlib.h>

#include "base/json.h"

struct printer {
    struct json_writer json;
};

static void put_key(struct printer *printer, struct json_reader *reader)
{
    struct slice path = json_path(reader), key = path;
    if (path.len == 0 || path.at[path.len - 1] == ']')
        return;
    while (path.len > 0)
        key = slice_take_until(&path, '.');
    char text[64];
    assert_true(key.len < sizeof text);
    memcpy(text, key.at, key.len);
    text[key.len] = '\0';
    json_key(&printer->json, text);
}

static bool on_value(void *ctx, struct json_reader *reader, enum json_kind kind, struct slice text)
{
    struct printer *printer = ctx;
    put_key(printer, reader);
    if (kind == JSON_STRING)
        json_string(&printer->json, text);
    else
        json_raw(&printer->json, text);
    return true;
}

static bool on_open(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct printer *printer = ctx;
    put_key(printer, reader);
    if (kind == JSON_OBJECT)
        json_object(&printer->json);
    else
        json_array(&printer->json);
    return true;
}

static bool on_close(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct printer *printer = ctx;
    (void)reader;
    if (kind == JSON_OBJECT)
        json_object_end(&printer->json);
    else
        json_array_end(&printer->json);
    return true;
}

static void print_pretty(struct slice body, struct arena *arena, struct buffer *out)
{
    static const struct json_events events = { on_value, on_open, on_close };
    struct printer printer;
    struct err err;
    json_writer_init(&printer.json, out, true);
    if (!json_read(body, NULL, &events, &printer, arena, &err))
        fail_msg("%s: %s", err.where, err.what);
    buffer_add_char(out, '\n');
}

static void compare_file(const char *path, struct slice body)
{
    static char bytes[1 << 16];
    if (getenv("LIFELINE_GOLDEN_UPDATE") != NULL) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(body.at, 1, body.len, file), body.len);
        fclose(file);
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s is missing", path);
    size_t len = fread(bytes, 1, sizeof bytes - 1, file);
    bytes[len] = '\0';
    fclose(file);
    assert_string_equal(body.at, bytes);
}

static void compare(const struct plan *plan, const char *name, struct arena *arena)
{
    for (unsigned i = 0; i < plan->posting_count; i++) {
        const struct posting *posting = &plan->postings[i];
        char path[512];
        struct buffer pretty;
        const char *target = "";
        if (posting->kind == POSTING_PROVENANCE)
            target = story_has(posting->body, PLAN_TOKEN_FLAG) ? "-of-flag" : "-of-careplan";
        snprintf(path, sizeof path, "%s/tests/golden/plan/%s-%s%s.json", SOURCE_DIR, name,
                 posting_kind_name(posting->kind), target);
        buffer_init(&pretty, 1 << 16);
        print_pretty(posting->body, arena, &pretty);
        buffer_add_char(&pretty, '\0');
        compare_file(path, (struct slice){ pretty.at, pretty.len - 1 });
        buffer_fini(&pretty);
    }
}

static void bodies_are_as_reviewed(void **state)
{
    enum fixture_patient patient = (enum fixture_patient)(uintptr_t)*state;
    static struct fixture fixture;
    static struct plan plan;
    static struct plan_texts texts;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    story_read_texts(&arena, &texts);
    fixture_patient(&fixture, patient);
    struct plan_input input = story_input(&fixture);
    input.texts = &texts;
    story_make(&input, &arena, &plan);
    assert_int_equal(plan.posting_count, patient == FIXTURE_NSCLC ? 0 : 4);
    compare(&plan, fixture_patient_name(patient), &arena);
    arena_fini(&arena);
}

/* What the Hodgkin patient's postings become when the verdict falls. */
static void ended_bodies_are_as_reviewed(void **state)
{
    bool is_error = *state != NULL;
    static struct fixture fixture;
    static struct plan plan, ended;
    static const struct slice retracted[] = { SLICE("Condition/c1") };
    struct arena arena;
    arena_init(&arena, 1 << 20);
    fixture_patient(&fixture, FIXTURE_HODGKIN);
    struct plan_input input = story_input(&fixture);
    story_make(&input, &arena, &plan);
    fixture.histories[0].verdict.salvage = false;
    input.before = plan.after;
    input.before_count = plan.after_count;
    input.retracted = retracted;
    input.retracted_count = is_error ? 1 : 0;
    story_make(&input, &arena, &ended);
    assert_int_equal(ended.posting_count, 4);
    compare(&ended, is_error ? "hodgkin-in-error" : "hodgkin-ended", &arena);
    arena_fini(&arena);
}

int main(void)
{
    struct CMUnitTest tests[FIXTURE_PATIENT_COUNT + 2];
    for (uintptr_t i = 0; i < FIXTURE_PATIENT_COUNT; i++) /* one reported test per patient */
        tests[i] = (struct CMUnitTest){ .name = fixture_patient_name((enum fixture_patient)i),
                                        .test_func = bodies_are_as_reviewed,
                                        .initial_state = (void *)i };
    tests[FIXTURE_PATIENT_COUNT] =
        (struct CMUnitTest){ .name = "hodgkin-ended", .test_func = ended_bodies_are_as_reviewed };
    tests[FIXTURE_PATIENT_COUNT + 1] =
        (struct CMUnitTest){ .name = "hodgkin-in-error",
                             .test_func = ended_bodies_are_as_reviewed,
                             .initial_state = (void *)(uintptr_t)1 };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
