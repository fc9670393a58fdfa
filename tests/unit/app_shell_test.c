/* The small parts of the shell: names that are meant, command lines, log lines, metrics, health. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/admin.h"
#include "app/log.h"
#include "app/nearest.h"
#include "app/options.h"

/* --- names ------------------------------------------------------------------------------------ */

static void nearest_finds(const char *wanted, const char *expected)
{
    static const char *const known[] = { "serve", "lines", "check", "audit", "version" };
    struct nearest nearest = { .wanted = slice_of(wanted) };

    for (unsigned i = 0; i < COUNT_OF(known); i++)
        nearest_offer(&nearest, known[i]);
    if (expected == NULL)
        assert_null(nearest.name);
    else
        assert_string_equal(nearest.name, expected);
}

static void a_swap_of_letters_is_one_slip(void **state)
{
    (void)state;
    assert_int_equal(nearest_distance(SLICE("serve"), SLICE("sevre")), 1);
    nearest_finds("sevre", "serve");
}

static void a_missing_letter_is_found(void **state)
{
    (void)state;
    nearest_finds("line", "lines");
}

static void a_strange_word_gets_no_hint(void **state)
{
    (void)state;
    nearest_finds("frobnicate", NULL);
    nearest_finds("x", NULL);
}

/* --- command lines ---------------------------------------------------------------------------- */

static const char *const formats[] = { "text", "json", NULL };

struct line_story {
    const char *name;
    const char *line[6];
    int status; /* -1: goes on */
    int format;
    const char *day, *first;
    unsigned operands;
};

static const struct line_story line_stories[] = {
    { "options and operands mix",
      { "a.json", "--format", "json", "b.json" },
      -1,
      1,
      NULL,
      "a.json",
      2 },
    { "a value may follow an equals sign",
      { "--as-of=2024-01-01", "a" },
      -1,
      0,
      "2024-01-01",
      "a",
      1 },
    { "a lone dash is an operand", { "-" }, -1, 0, NULL, "-", 1 },
    { "behind two dashes all is operands", { "--", "--format" }, -1, 0, NULL, "--format", 1 },
    { "an unknown option is refused", { "--fromat", "json", "a" }, EXIT_USAGE, 0, NULL, NULL, 0 },
    { "a word must be one of the words", { "--format", "xml", "a" }, EXIT_USAGE, 0, NULL, NULL, 0 },
    { "a value must be there", { "a", "--as-of" }, EXIT_USAGE, 0, NULL, NULL, 0 },
    { "a flag takes no value", { "--explain=yes", "a" }, EXIT_USAGE, 0, NULL, NULL, 0 },
    { "too few operands", { "--explain" }, EXIT_USAGE, 0, NULL, NULL, 0 },
    { "too many operands", { "a", "b", "c" }, EXIT_USAGE, 0, NULL, NULL, 0 },
    { "a number is digits", { "--limit", "ten", "a" }, EXIT_USAGE, 0, NULL, NULL, 0 },
};

static void line_reads_as(void **state)
{
    const struct line_story *story = *state;
    char words[6][32];
    char *argv[8] = { words[0] };
    int argc = 1, format = 0, status = -1;
    const char *day = NULL;
    unsigned limit = 0;
    bool explain = false;
    const struct option_row rows[] = {
        { "--format", "text|json", OPTION_WORD, &format, formats, "how" },
        { "--as-of", "DATE", OPTION_TEXT, &day, NULL, "when" },
        { "--limit", "N", OPTION_NUMBER, &limit, NULL, "how many" },
        { "--explain", NULL, OPTION_FLAG, &explain, NULL, "why" },
    };
    const struct command_page page = { "lifeline lines", "FILE...", "About.", rows,
                                       COUNT_OF(rows),   NULL,      1,        2 };
    struct operands operands = { NULL, 0 };

    snprintf(words[0], sizeof words[0], "lines");
    for (; argc < 6 && story->line[argc - 1] != NULL; argc++) {
        snprintf(words[argc], sizeof words[argc], "%s", story->line[argc - 1]);
        argv[argc] = words[argc];
    }
    bool goes_on = options_read(&page, argc, argv, &operands, &status);
    assert_int_equal(goes_on, story->status == -1);
    assert_int_equal(status, story->status);
    if (!goes_on)
        return;
    assert_int_equal(format, story->format);
    assert_int_equal(operands.count, story->operands);
    assert_string_equal(operands.items[0], story->first);
    assert_string_equal(day != NULL ? day : "", story->day != NULL ? story->day : "");
}

/* --- the log ---------------------------------------------------------------------------------- */

/* What one log call writes, through a pipe. */
static void read_back(int fd, char *out, size_t size)
{
    ssize_t got = read(fd, out, size - 1);
    assert_true(got >= 0);
    out[got] = '\0';
}

static void a_log_line_is_json_with_typed_fields(void **state)
{
    (void)state;
    char line[LOG_LINE_MAX + 1];
    struct err err;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    log_open(ends[1], LOG_INFO, "9.9");
    err_fail(&err, ERR_VALUE, "Condition.code", "is empty");
    LOG(LOG_INFO, "server.ready", log_number("port", 8443), log_setting("file", "a\"b\n\x01\xc3"),
        log_err(&err));
    read_back(ends[0], line, sizeof line);
    assert_memory_equal(line, "{\"ts\":\"20", 9);
    assert_non_null(strstr(line,
                           "Z\",\"level\":\"info\",\"event\":\"server.ready\",\"version\":\"9.9\""
                           ",\"port\":8443,\"file\":\"a\\\"b\\u000a\\u0001\\u00c3\","
                           "\"error\":\"VALUE\",\"where\":\"Condition.code\",\"what\":\"is "
                           "empty\"}\n"));
    close(ends[0]);
    close(ends[1]);
}

static void a_level_below_the_limit_says_nothing(void **state)
{
    (void)state;
    char line[LOG_LINE_MAX + 1];
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    log_open(ends[1], LOG_WARNING, "9.9");
    LOG(LOG_INFO, "quiet");
    LOG(LOG_WARNING, "loud");
    read_back(ends[0], line, sizeof line);
    assert_null(strstr(line, "quiet"));
    assert_non_null(strstr(line, "loud"));
    close(ends[0]);
    close(ends[1]);
}

static void a_full_pipe_drops_lines_and_counts_them(void **state)
{
    (void)state;
    static char sink[1 << 20];
    uint64_t before = log_dropped();
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    log_open(ends[1], LOG_INFO, "9.9");
    for (unsigned i = 0; i < 5000; i++) /* far more than a pipe holds: would hang if it waited */
        LOG(LOG_INFO, "flood", log_number("i", i));
    assert_true(log_dropped() > before);
    assert_true(read(ends[0], sink, sizeof sink) > 0);
    LOG(LOG_INFO, "after");
    read_back(ends[0], sink, sizeof sink);
    assert_non_null(strstr(sink, "\"dropped\":"));
    close(ends[0]);
    close(ends[1]);
}

static void a_line_too_long_stays_whole_json(void **state)
{
    (void)state;
    char line[LOG_LINE_MAX + 1], word[300];
    struct log_field fields[20];
    int ends[2];

    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    for (unsigned i = 0; i < COUNT_OF(fields); i++)
        fields[i] = log_word("field", word);
    assert_int_equal(pipe(ends), 0);
    log_open(ends[1], LOG_INFO, "9.9");
    log_event(LOG_INFO, "long", fields, COUNT_OF(fields));
    read_back(ends[0], line, sizeof line);
    assert_string_equal(line + strlen(line) - 3, "\"}\n");
    close(ends[0]);
    close(ends[1]);
}

/* --- metrics and health ----------------------------------------------------------------------- */

static void metrics_say(const char *expected)
{
    struct metrics metrics = { .resources = 0 };
    struct metrics_sources sources = { .version = "9.9", .store = { .outbox_dead = 3 } };
    struct buffer out;

    metrics_request(&metrics, FHIR_DO_CONDITIONAL_UPDATE, 201, 80000);
    metrics_request(&metrics, FHIR_DO_READ, 404, INT64_C(20) * 1000000000);
    metrics_request(&metrics, 99, 503, -5);
    buffer_init(&out, (size_t)1 << 20);
    metrics_write(&metrics, &sources, &out);
    buffer_add_char(&out, '\0');
    assert_false(buffer_overflowed(&out));
    if (strstr(out.at, expected) == NULL)
        fail_msg("'%s' is not in:\n%s", expected, out.at);
    buffer_fini(&out);
}

static void metrics_count_by_interaction_and_class(void **state)
{
    (void)state;
    metrics_say(
        "lifeline_http_requests_total{interaction=\"conditional_update\",code=\"2xx\"} 1\n");
    metrics_say("lifeline_http_requests_total{interaction=\"read\",code=\"4xx\"} 1\n");
    metrics_say("lifeline_http_requests_total{interaction=\"none\",code=\"5xx\"} 1\n");
}

static void histogram_is_cumulative(void **state)
{
    (void)state;
    metrics_say("_bucket{le=\"5e-05\"} 1\n");  /* the one without a duration */
    metrics_say("_bucket{le=\"0.0001\"} 2\n"); /* and the one of 80 us */
    metrics_say("_bucket{le=\"10\"} 2\n");
    metrics_say("_bucket{le=\"+Inf\"} 3\n");
    metrics_say("_seconds_count 3\n");
}

static void metrics_carry_the_counts_of_modules(void **state)
{
    (void)state;
    metrics_say("lifeline_outbox_depth{state=\"dead\"} 3\n");
    metrics_say("lifeline_build_info{version=\"9.9\"} 1\n");
}

struct ask_story {
    const char *name;
    enum http_verb verb;
    const char *path;
    enum admin_state state;
    int status;
};

static const struct ask_story ask_stories[] = {
    { "alive while starting", VERB_GET, "/health/live", ADMIN_STARTING, 200 },
    { "not ready while starting", VERB_GET, "/health/ready", ADMIN_STARTING, 503 },
    { "ready when ready", VERB_GET, "/health/ready", ADMIN_READY, 200 },
    { "HEAD asks the same", VERB_HEAD, "/health/ready", ADMIN_READY, 200 },
    { "alive but not ready while draining", VERB_GET, "/health/ready", ADMIN_DRAINING, 503 },
    { "metrics are there while draining", VERB_GET, "/metrics", ADMIN_DRAINING, 200 },
    { "nothing is changed through it", VERB_POST, "/health/ready", ADMIN_READY, 405 },
    { "FHIR is not here", VERB_GET, "/fhir/metadata", ADMIN_READY, 404 },
};

static void admin_answers(void **state)
{
    const struct ask_story *story = *state;
    struct metrics metrics = { .resources = 0 };
    struct metrics_sources sources = { .version = "" };
    struct buffer out;

    buffer_init(&out, (size_t)1 << 20);
    struct admin_reply reply =
        admin_answer(story->verb, slice_of(story->path), story->state, &metrics, &sources, &out);
    assert_int_equal(reply.status, story->status);
    assert_true(out.len > 0);
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest single[] = {
        cmocka_unit_test(a_swap_of_letters_is_one_slip),
        cmocka_unit_test(a_missing_letter_is_found),
        cmocka_unit_test(a_strange_word_gets_no_hint),
        cmocka_unit_test(a_log_line_is_json_with_typed_fields),
        cmocka_unit_test(a_level_below_the_limit_says_nothing),
        cmocka_unit_test(a_full_pipe_drops_lines_and_counts_them),
        cmocka_unit_test(a_line_too_long_stays_whole_json),
        cmocka_unit_test(metrics_count_by_interaction_and_class),
        cmocka_unit_test(histogram_is_cumulative),
        cmocka_unit_test(metrics_carry_the_counts_of_modules),
    };
    struct CMUnitTest tests[COUNT_OF(single) + COUNT_OF(line_stories) + COUNT_OF(ask_stories)];
    size_t count = 0;

    for (size_t i = 0; i < COUNT_OF(single); i++)
        tests[count++] = single[i];
    for (size_t i = 0; i < COUNT_OF(line_stories); i++)
        tests[count++] =
            (struct CMUnitTest){ .name = line_stories[i].name,
                                 .test_func = line_reads_as,
                                 .initial_state = (void *)(uintptr_t)&line_stories[i] };
    for (size_t i = 0; i < COUNT_OF(ask_stories); i++)
        tests[count++] = (struct CMUnitTest){ .name = ask_stories[i].name,
                                              .test_func = admin_answers,
                                              .initial_state = (void *)(uintptr_t)&ask_stories[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
