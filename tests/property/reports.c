#include "property/reports.h"

#include "therapy/difference.h"
#include "therapy/report.h"

static unsigned count_char(struct slice text, char wanted)
{
    unsigned count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.at[i] == wanted;
    return count;
}

/* "<br>" and its like have no end. */
static bool is_void(struct slice rest)
{
    static const char *const names[] = { "<br", "<wbr", "<hr", "<input", "<col", "<meta", "<img" };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        size_t len = strlen(names[i]);
        if (slice_starts(rest, slice_of(names[i])) && rest.len > len &&
            (rest.at[len] == '>' || rest.at[len] == ' '))
            return true;
    }
    return false;
}

/* As many elements end as begin. */
static bool is_closed(struct slice text)
{
    int open = 0;
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.at[i] == '<' && text.at[i + 1] == '/')
            open--;
        else if (text.at[i] == '<' && text.at[i + 1] >= 'a' && text.at[i + 1] <= 'z')
            open += !is_void(slice_skip(text, i));
        else if (text.at[i] == '/' && text.at[i + 1] == '>')
            open--;
        if (open < 0)
            return false;
    }
    return open == 0;
}

static unsigned lines_of(const struct therapy *therapy)
{
    unsigned lines = 0;
    for (unsigned i = 0; i < therapy->history_count; i++)
        lines += therapy->histories[i].line_count;
    return lines;
}

static const char *drawings_fault(const struct report_head *head, const struct therapy *therapy,
                                  struct buffer *out)
{
    buffer_reset(out);
    if (report_svg(head, therapy, 1, out) == 0)
        return "a drawing without height";
    if (!is_closed(buffer_slice(out)))
        return "a drawing that does not close its marks";
    buffer_reset(out);
    report_html(head, therapy, &(struct report_section){ 1, true }, out);
    report_html(head, therapy, &(struct report_section){ 2, false }, out);
    if (!is_closed(buffer_slice(out)))
        return "a section that does not close its marks";
    buffer_reset(out);
    report_html_row(head, therapy, 1, out);
    return is_closed(buffer_slice(out)) ? NULL : "a row that does not close its marks";
}

static const char *differences_fault(const struct therapy *therapy, const struct therapy *before,
                                     struct arena *arena, struct buffer *out)
{
    struct difference difference;
    difference_find(therapy, therapy, arena, &difference);
    if (difference.is_any)
        return "an answer that differs from itself";
    difference_find(before, therapy, arena, &difference);
    buffer_reset(out);
    difference_json(SLICE("Patient/p"), &difference, out);
    difference_text(SLICE("Patient/p"), &difference, out);
    difference_table(SLICE("Patient/p"), &difference, out);
    return NULL;
}

const char *reports_fault(const struct therapy *therapy, const struct therapy *before,
                          struct arena *arena)
{
    struct sha256 digest = { { 0 } };
    struct report_head head = { SLICE("Patient/p"), &digest };
    struct report_sums sums = { 0 };
    struct buffer out;
    buffer_init(&out, 1 << 23);
    report_csv(&head, therapy, &out);
    const char *fault = count_char(buffer_slice(&out), '\n') != lines_of(therapy)
                            ? "not one row for each line"
                            : NULL;
    if (fault == NULL)
        fault = drawings_fault(&head, therapy, &out);
    buffer_reset(&out);
    report_text(&head, therapy, true, &out);
    report_text(&head, therapy, false, &out);
    report_sums_add(&sums, therapy);
    struct report_page page = { therapy->as_of, &digest, sums };
    report_html_begin(&page, &out);
    report_html_middle(&out);
    report_html_end(&out);
    report_csv_head(&out);
    report_svg_begin(100, &out);
    report_svg_place(10, SLICE("<g/>"), &out);
    report_svg_end(&out);
    if (fault == NULL)
        fault = differences_fault(therapy, before, arena, &out);
    if (fault == NULL && buffer_overflowed(&out))
        fault = "a report without end";
    buffer_fini(&out);
    return fault;
}
