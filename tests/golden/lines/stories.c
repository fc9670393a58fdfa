/* Every story of tests/golden/therapy as a patient of one report, for tests of the formats and for
 * people who change them:
 *
 *     stories json|csv|svg|html [WORD]     those whose file or title has WORD in it */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/therapy/golden.h"
#include "therapy/report.h"

#define REPORT_BYTES_MAX ((size_t)1 << 30)

struct output {
    const char *format;
    struct buffer rows, bodies;
    struct report_page page;
    unsigned bottom;
};

static const struct therapy *derive(const struct golden *golden, struct story *story)
{
    char day[16] = "2026-01-01";
    const struct rules *rules = mapping_rules(story_mapping());
    story_begin(story);
    for (struct slice told = golden->exposures; told.len > 0;) {
        struct slice row = slice_take_until(&told, '\n');
        if (slice_starts(row, SLICE("as of ")))
            snprintf(day, sizeof day, "%.*s", SLICE_ARGS(slice_skip(row, 6)));
        else if (slice_starts(row, SLICE("rules ")))
            rules = mapping_ruleset(story_mapping(), slice_skip(row, 6));
        else if (!slice_starts(row, SLICE("tell ")) && !slice_is(row, "later:"))
            story_tell(story, arena_copy(&story->arena, row).at);
    }
    return story_derive_with(story, rules, day);
}

static void add(struct output *output, const struct golden *golden)
{
    struct story story;
    const struct therapy *therapy = derive(golden, &story);
    const struct report_head head = { slice_of(golden->name), output->page.rule_set };
    unsigned number = output->page.sums.patients + 1;
    report_sums_add(&output->page.sums, therapy);
    if (strcmp(output->format, "json") == 0) {
        report_json(&head, therapy, &output->bodies);
        buffer_add_char(&output->bodies, '\n');
    } else if (strcmp(output->format, "csv") == 0) {
        report_csv(&head, therapy, &output->bodies);
    } else if (strcmp(output->format, "svg") == 0) {
        struct buffer drawing;
        buffer_init(&drawing, REPORT_BYTES_MAX);
        unsigned height = report_svg(&head, therapy, number, &drawing);
        report_svg_place(output->bottom, buffer_slice(&drawing), &output->bodies);
        output->bottom += height;
        buffer_fini(&drawing);
    } else {
        report_html_row(&head, therapy, number, &output->rows);
        report_html(&head, therapy, &(struct report_section){ number, false }, &output->bodies);
    }
    story_end(&story);
}

static void print(struct output *output)
{
    struct buffer head, end;
    buffer_init(&head, REPORT_BYTES_MAX);
    buffer_init(&end, REPORT_BYTES_MAX);
    if (strcmp(output->format, "csv") == 0) {
        report_csv_head(&head);
    } else if (strcmp(output->format, "svg") == 0) {
        report_svg_begin(output->bottom, &head);
        report_svg_end(&end);
    } else if (strcmp(output->format, "html") == 0) {
        report_html_begin(&output->page, &head);
        buffer_add(&head, buffer_slice(&output->rows));
        report_html_middle(&head);
        report_html_end(&end);
    }
    buffer_add(&head, buffer_slice(&output->bodies));
    buffer_add(&head, buffer_slice(&end));
    fwrite(head.at, 1, head.len, stdout);
    buffer_fini(&head);
    buffer_fini(&end);
}

int main(int argc, char **argv)
{
    unsigned count;
    const struct golden *stories = golden_load(&count);
    struct output output = { .format = argc > 1 ? argv[1] : "html" };
    output.page.as_of = story_day("2026-01-01");
    output.page.rule_set = mapping_digest(story_mapping());
    buffer_init(&output.rows, REPORT_BYTES_MAX);
    buffer_init(&output.bodies, REPORT_BYTES_MAX);
    for (unsigned i = 0; i < count; i++)
        if (argc < 3 || strstr(stories[i].name, argv[2]) != NULL)
            add(&output, &stories[i]);
    print(&output);
    buffer_fini(&output.rows);
    buffer_fini(&output.bodies);
    return 0;
}
