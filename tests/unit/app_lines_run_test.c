/* `lifeline lines` inside: threads that share work without a race (run it under ThreadSanitizer), the
 * line on the terminal, and texts of any shape as pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "app/crew.h"
#include "app/inputs.h"
#include "app/lines_run.h"
#include "app/mapping_files.h"
#include "app/progress.h"

/* --- the crew --------------------------------------------------------------------------------- */

struct sum {
    struct crew_task task;
    unsigned from, total;
};

static void add_up(struct crew_task *task)
{
    struct sum *sum = CONTAINER_OF(task, struct sum, task);
    for (unsigned i = 0; i < 1000; i++)
        sum->total += sum->from + i;
}

static void every_task_runs_once_whoever_waits(void **state)
{
    (void)state;
    static struct sum sums[500];
    for (unsigned size = 1; size <= 8; size *= 2) {
        struct crew *crew = crew_open(size);
        assert_int_equal(crew_size(crew), size);
        for (unsigned i = 0; i < COUNT_OF(sums); i++) {
            sums[i] = (struct sum){ .task = { .run = add_up }, .from = i };
            crew_submit(crew, &sums[i].task);
        }
        for (unsigned i = 0; i < COUNT_OF(sums); i++) {
            crew_wait(crew, &sums[i].task);
            assert_int_equal(sums[i].total, 1000 * i + 499500);
        }
        crew_close(crew);
    }
}

/* --- the terminal ----------------------------------------------------------------------------- */

static void the_line_says_how_far_and_how_long(void **state)
{
    (void)state;
    static const struct {
        struct progress_numbers numbers;
        const char *text;
    } rows[] = {
        { { "reading", 450000000, 1000000000, true, 3400, 3812 },
          "reading    45 % [==========>             ]  118.0 MB/s  3,400 patients  5 s left" },
        { { "reading", 1000000, 0, true, 0, 2000 }, "reading   1 MB  0.5 MB/s" },
        { { "deriving", 20000, 20000, false, 0, 4000 },
          "deriving  100 % [========================]  5,000 patients/s  1 s left" },
        { { "deriving", 0, 20000, false, 0, 0 }, "deriving    0 % [>                       ]" },
        { { "reading", 10000000, 100000000000, true, 0, 1000 },
          "reading     0 % [>                       ]  10.0 MB/s  3 h left" },
        { { "reading", 12, 10, true, 0, 0 }, "reading   0 MB" }, /* the file grew meanwhile */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char line[PROGRESS_TEXT_SIZE];
        assert_string_equal(progress_text(&rows[i].numbers, line), rows[i].text);
    }
}

/* --- pieces ----------------------------------------------------------------------------------- */

static char place[] = "/tmp/lifeline-lines-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", place, name);
    return path;
}

static void put_file(const char *name, const char *text, size_t len)
{
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    fclose(file);
}

static void no_refusal(void *ctx, const char *source, unsigned line, const struct err *err)
{
    (void)ctx;
    fail_msg("%s:%u: %s: %s", source, line, err->where, err->what);
}

/* "line 1: 3 lines; " of each piece. */
static void read_pieces(const char *name, char *found, size_t size)
{
    char path[128];
    char *names[] = { path };
    struct buffer text;
    struct input_piece piece;
    size_t used = 0;

    snprintf(path, sizeof path, "%s", path_of(name));
    struct inputs *inputs = inputs_open(names, 1, no_refusal, NULL);
    buffer_init(&text, INPUT_TEXT_BYTES_MAX);
    found[0] = '\0';
    while (inputs_next(inputs, &text, &piece)) {
        unsigned lines = 0;
        for (size_t i = 0; i < text.len; i++)
            lines += text.at[i] == '\n' ? 1 : 0;
        assert_string_equal(piece.source, path);
        used +=
            (size_t)snprintf(found + used, size - used, "line %u: %u ends; ", piece.line, lines);
    }
    assert_int_equal(inputs_refused_count(inputs), 0);
    buffer_fini(&text);
    inputs_close(inputs);
}

static void a_file_is_lines_or_one_text(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *pieces;
    } rows[] = {
        { "a.json", "{\n \"a\": 1\n}\n", "line 0: 3 ends; " },
        { "b.json", "{}\n{}\n", "line 1: 2 ends; " },
        { "c.json", "{\"a\":1}\n{\"a\":2}\n\n{\"a\":3}", "line 1: 3 ends; " },
        { "d.json", "\xef\xbb\xbf{\"a\":1}\r\n{\"a\":2}\r\n", "line 1: 2 ends; " },
        { "e.json", "{\"a\":1}", "line 0: 0 ends; " },
        { "f.json", "{\"a\":1}\n", "line 0: 1 ends; " },
        { "g.ndjson", "{\"a\":\n{\"a\":2}\n", "line 1: 2 ends; " }, /* the name says lines */
        { "h.ndjson", "", "" },
        { "i.json", "", "line 0: 0 ends; " },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char found[256];
        put_file(rows[i].name, rows[i].text, strlen(rows[i].text));
        read_pieces(rows[i].name, found, sizeof found);
        if (strcmp(found, rows[i].pieces) != 0)
            fail_msg("%s: %s", rows[i].name, found);
    }
}

/* A line longer than a piece, and pieces that end between lines. */
static void long_files_come_in_pieces_of_whole_lines(void **state)
{
    (void)state;
    enum { LINES = 40 };
    size_t line = INPUT_PIECE_BYTES / 7, len = 0;
    char *text = malloc(LINES * line + 2 * INPUT_PIECE_BYTES);
    assert_non_null(text);
    for (unsigned i = 0; i < LINES; i++) {
        size_t wide = i == 20 ? 2 * INPUT_PIECE_BYTES : line - 1;
        memset(text + len, ' ', wide);
        text[len] = '{';
        text[len + wide - 1] = '}';
        text[len + wide] = '\n';
        len += wide + 1;
    }
    put_file("long.json", text, len);
    char found[1024], packed[1024];
    read_pieces("long.json", found, sizeof found);
    unsigned lines = 0, pieces = 0;
    for (const char *at = found; (at = strstr(at, ": ")) != NULL; at++, pieces++)
        lines += (unsigned)strtoul(at + 2, NULL, 10);
    assert_int_equal(lines, LINES);
    assert_true(pieces >= 5);
    gzFile file = gzopen(path_of("long.json.gz"), "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, text, (unsigned)len), len);
    gzclose(file);
    read_pieces("long.json.gz", packed, sizeof packed);
    assert_string_equal(packed, found);
    free(text);
}

/* --- the whole -------------------------------------------------------------------------------- */

static void put_cohort(const char *name, unsigned patients)
{
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    for (unsigned i = 0; i < patients; i++) {
        fprintf(file,
                "{\"resourceType\":\"Condition\",\"id\":\"c%u\",\"subject\":{\"reference\":"
                "\"Patient/p%u\"},"
                "\"recordedDate\":\"2022-01-01\",\"code\":{\"coding\":[{\"system\":"
                "\"http://hl7.org/fhir/sid/icd-10-cm\",\"code\":\"C83.30\"}]}}\n",
                i, i);
        for (unsigned k = 0; k < 3; k++)
            fprintf(
                file,
                "{\"resourceType\":\"MedicationRequest\",\"id\":\"m%u-%u\",\"status\":"
                "\"completed\","
                "\"intent\":\"order\",\"subject\":{\"reference\":\"Patient/p%u\"},\"authoredOn\":"
                "\"202%u-02-03\",\"medicationCodeableConcept\":{\"text\":\"%s\"}}\n",
                i, k, i, 2 + k, k == 1 ? "nobody knows this" : "rituximab");
    }
    fclose(file);
}

static char *run_to_text(const struct lines_options *options, const char *cohort)
{
    char input[128], output[128];
    char *files[] = { input };
    struct lines_options here = *options;
    snprintf(input, sizeof input, "%s", path_of(cohort));
    snprintf(output, sizeof output, "%s", path_of("output"));
    here.output = output;
    assert_int_equal(lines_run(&here, files, 1), 0);
    FILE *file = fopen(output, "rb");
    assert_non_null(file);
    static char text[1 << 22];
    size_t len = fread(text, 1, sizeof text - 1, file);
    text[len] = '\0';
    fclose(file);
    return strdup(text);
}

static void all_threads_write_what_one_writes(void **state)
{
    (void)state;
    struct table_errors errors = { .count = 0 };
    struct mapping *mapping = NULL;
    put_cohort("cohort.ndjson", 600);
    assert_true(mapping_open(SOURCE_DIR "/mappings", NULL, &mapping, &errors));
    struct lines_options options = { .format = LINES_CSV,
                                     .mapping = mapping,
                                     .rules = mapping_rules(mapping),
                                     .as_of = date_of(2026, 3, 1),
                                     .since = date_none(),
                                     .threads = 1 };
    for (unsigned round = 0; round < 3; round++) {
        options.unmapped = round == 1;
        options.compare = round == 2 ? mapping_ruleset(mapping, SLICE("merck21")) : NULL;
        options.format = round == 0 ? LINES_CSV : LINES_TEXT;
        options.threads = 1;
        options.is_grouped = false;
        char *wanted = run_to_text(&options, "cohort.ndjson");
        assert_true(strlen(wanted) > 40);
        for (options.threads = 2; options.threads <= 8; options.threads *= 2) {
            options.is_grouped = options.threads != 4;
            char *found = run_to_text(&options, "cohort.ndjson");
            assert_string_equal(found, wanted);
            free(found);
        }
        free(wanted);
    }
    mapping_close(mapping);
}

static int make_place(void **state)
{
    (void)state;
    return mkdtemp(place) == NULL;
}

static int remove_place(void **state)
{
    static const char *const names[] = { "a.json", "b.json",    "c.json",       "d.json",
                                         "e.json", "f.json",    "g.ndjson",     "h.ndjson",
                                         "i.json", "long.json", "long.json.gz", "cohort.ndjson",
                                         "output" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        unlink(path_of(names[i]));
    return rmdir(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_runs_once_whoever_waits),
        cmocka_unit_test(the_line_says_how_far_and_how_long),
        cmocka_unit_test(a_file_is_lines_or_one_text),
        cmocka_unit_test(long_files_come_in_pieces_of_whole_lines),
        cmocka_unit_test(all_threads_write_what_one_writes),
    };
    return cmocka_run_group_tests(tests, make_place, remove_place);
}
