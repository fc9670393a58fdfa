#include "therapy/report.h"

/* RFC 4180: a cell with a comma, a quote or a line end stands in quotes, quotes are doubled. */
static void put_text(struct buffer *out, struct slice text)
{
    bool is_quoted = false;
    for (size_t i = 0; i < text.len && !is_quoted; i++)
        is_quoted = memchr(",\"\r\n", text.at[i], 4) != NULL;
    if (!is_quoted) {
        buffer_add(out, text);
        return;
    }
    buffer_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"')
            buffer_add_char(out, '"');
        buffer_add_char(out, text.at[i]);
    }
    buffer_add_char(out, '"');
}

static void next_text(struct buffer *out, struct slice text)
{
    buffer_add_char(out, ',');
    put_text(out, text);
}

static void next_number(struct buffer *out, unsigned number) { buffer_format(out, ",%u", number); }

static void next_day(struct buffer *out, struct date day)
{
    char text[DATE_TEXT_SIZE];
    next_text(out, date_is_none(day) ? SLICE("") : slice_of(date_format(day, text)));
}

/* Names of drugs hold neither quotes nor semicolons, but a comma may come. */
static void next_drugs(struct buffer *out, const struct line *line)
{
    struct buffer names;
    buffer_init(&names, 64 * 1024);
    for (unsigned i = 0; i < line->drug_count; i++) {
        if (i > 0)
            buffer_add_char(&names, ';');
        buffer_add(&names, line->drugs[i]->name);
    }
    next_text(out, buffer_slice(&names));
    buffer_fini(&names);
}

static void next_boundary(struct buffer *out, const struct boundary *boundary)
{
    buffer_add_char(out, ',');
    if (boundary->reason != NULL)
        buffer_format(out, "%s %s", rule_id(boundary->rule), boundary->reason);
}

static void put_line(const struct report_head *head, const struct history *history,
                     const struct line *line, struct buffer *out)
{
    const struct verdict *verdict = &history->verdict;
    put_text(out, head->patient);
    next_text(out, history->disease->key);
    next_number(out, line->number);
    next_number(out, line->number_min);
    if (line->number_max == 0)
        buffer_add_char(out, ',');
    else
        next_number(out, line->number_max);
    next_day(out, line->start);
    next_day(out, line->is_open ? date_none() : line->end);
    next_drugs(out, line);
    next_text(out, line->regimen);
    next_text(out, slice_of(line_setting_name(line->setting)));
    next_boundary(out, &line->opened_by);
    next_boundary(out, &line->closed_by);
    if (line->number == verdict->line)
        buffer_format(out, ",%s,%s\n", verdict->salvage ? "true" : "false",
                      grade_name(verdict->grade));
    else
        buffer_add(out, SLICE(",,\n"));
}

void report_csv_head(struct buffer *out)
{
    buffer_add(out,
               SLICE("patient,disease,number,numberMin,numberMax,start,end,ingredients,regimen,"
                     "setting,opened_by,closed_by,salvage,grade\n"));
}

void report_csv(const struct report_head *head, const struct therapy *therapy, struct buffer *out)
{
    for (unsigned i = 0; i < therapy->history_count; i++) {
        const struct history *history = &therapy->histories[i];
        for (unsigned k = 0; k < history->line_count; k++)
            put_line(head, history, &history->lines[k], out);
    }
}
