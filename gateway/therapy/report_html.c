/* A patient's section of the HTML report, and the row of the overview that leads to it. */
#include "base/text.h"
#include "therapy/drawing.h"
#include "therapy/markup.h"
#include "therapy/report.h"
#include "therapy/report_html_int.h"

static void put(struct buffer *out, const char *markup) { buffer_add(out, slice_of(markup)); }

static void put_end(struct buffer *out, const struct line *line)
{
    if (line->is_open)
        put(out, "ongoing");
    else
        markup_day(out, line->end);
}

/* --- overview -------------------------------------------------------------------------------- */

static void put_remarks(const struct therapy *therapy, const struct history *history,
                        struct buffer *out)
{
    const char *before = "";
    if (history != NULL && history->verdict.history_truncated) {
        put(out, "earlier therapy may be missing");
        before = "; ";
    }
    if (history != NULL && history->is_ambiguous) {
        buffer_format(out, "%sorders of unclear disease", before);
        before = "; ";
    }
    if (therapy->unmapped_count > 0) {
        buffer_format(out, "%s%u not in the mappings", before, therapy->unmapped_count);
        before = "; ";
    }
    if (therapy->unattributed_count > 0)
        buffer_format(out, "%s%u without a disease", before, therapy->unattributed_count);
}

static void put_row(const struct report_head *head, const struct therapy *therapy,
                    const struct history *history, unsigned number, struct buffer *out)
{
    bool salvage = history != NULL && history->verdict.salvage;
    const struct line *last = history != NULL && history->line_count > 0
                                  ? &history->lines[history->line_count - 1]
                                  : NULL;
    buffer_format(out, "<tr%s><th scope=\"row\"><a href=\"#p%u\">",
                  salvage ? " class=\"salvage\"" : "", number);
    markup_text(out, head->patient);
    put(out, "</a></th><td>");
    if (history != NULL)
        markup_text(out, history->disease->name);
    else
        put(out, "none on record");
    put(out, "</td><td class=\"n\">");
    if (last != NULL)
        markup_number(out, last);
    else
        put(out, "0");
    put(out, "</td><td>");
    if (last != NULL)
        markup_regimen(out, last);
    put(out, "</td><td class=\"d\">");
    if (last != NULL) {
        markup_day(out, last->start);
        put(out, " to ");
        put_end(out, last);
    }
    put(out, "</td><td>");
    if (salvage)
        buffer_format(out, "<strong class=\"badge\">SALVAGE</strong> %s",
                      grade_name(history->verdict.grade));
    else
        put(out, "no");
    put(out, "</td><td>");
    if (history != NULL)
        markup_status(out, history->verdict.status);
    put(out, "</td><td>");
    put_remarks(therapy, history, out);
    put(out, "</td></tr>\n");
}

void report_html_row(const struct report_head *head, const struct therapy *therapy, unsigned number,
                     struct buffer *out)
{
    for (unsigned i = 0; i < therapy->history_count; i++)
        put_row(head, therapy, &therapy->histories[i], number, out);
    if (therapy->history_count == 0)
        put_row(head, therapy, NULL, number, out);
}

/* --- lines ----------------------------------------------------------------------------------- */

static void put_why(struct buffer *out, const struct boundary *boundary)
{
    markup_reason(out, boundary->reason);
    for (unsigned i = 0; i < boundary->operand_count; i++) {
        put(out, i == 0 ? " <span class=\"dim\">(" : ", ");
        markup_operand(out, &boundary->operands[i]);
    }
    put(out, boundary->operand_count > 0 ? ")</span>" : "");
}

static void put_line_row(const struct history *history, const struct line *line, struct buffer *out)
{
    bool salvage = history->verdict.salvage && history->verdict.line == line->number;
    buffer_format(out, "<tr%s><th scope=\"row\">", salvage ? " class=\"salvage\"" : "");
    markup_number(out, line);
    put(out, salvage ? " <strong class=\"badge\">SALVAGE</strong></th><td>" : "</th><td>");
    if (line->regimen.len > 0) {
        put(out, "<strong>");
        markup_text(out, line->regimen);
        put(out, "</strong><br>");
    }
    markup_drugs(out, line->drugs, line->drug_count);
    for (unsigned i = 0; line->segment_count > 1 && i < line->segment_count; i++) {
        const struct segment *segment = &line->segments[i];
        buffer_format(out, "<br><span class=\"dim\">%s ", segment_kind_name(segment->kind));
        markup_day(out, segment->start);
        put(out, " to ");
        if (line->is_open && i + 1 == line->segment_count)
            put(out, "ongoing");
        else
            markup_day(out, segment->end);
        put(out, ": ");
        markup_drugs(out, segment->drugs, segment->drug_count);
        put(out, "</span>");
    }
    put(out, "</td><td class=\"d\">");
    markup_day(out, line->start);
    put(out, "</td><td class=\"d\">");
    put_end(out, line);
    buffer_format(out, "</td><td class=\"n\">%d</td><td>",
                  date_days_between(line->start, line->end) + 1);
    put(out, line_setting_name(line->setting));
    put(out, line->is_short ? ", shorter than a cycle</td><td>" : "</td><td>");
    put_why(out, &line->opened_by);
    put(out, "</td></tr>\n");
}

static void put_lines(const struct history *history, struct buffer *out)
{
    if (history->line_count == 0) {
        put(out, "<p>No line of therapy is on record.</p>\n");
        return;
    }
    put(out, "<table class=\"lines\"><caption>Lines of therapy</caption><thead><tr>"
             "<th scope=\"col\">Line</th><th scope=\"col\">Regimen and drugs ordered</th>"
             "<th scope=\"col\">Start</th><th scope=\"col\">End</th>"
             "<th scope=\"col\" class=\"n\">Days</th><th scope=\"col\">Setting</th>"
             "<th scope=\"col\">Began because</th></tr></thead><tbody>\n");
    for (unsigned i = 0; i < history->line_count; i++)
        put_line_row(history, &history->lines[i], out);
    put(out, "</tbody></table>\n");
}

/* --- verdict --------------------------------------------------------------------------------- */

static void put_reasons(const char *title, const struct verdict_reason *reasons, unsigned count,
                        struct buffer *out)
{
    if (count == 0)
        return;
    buffer_format(out, "<h4>%s</h4><ul>", title);
    for (unsigned i = 0; i < count; i++) {
        put(out, "<li>");
        markup_text(out, reasons[i].text);
        buffer_format(out, " <span class=\"rule\">%s</span></li>", rule_id(reasons[i].rule));
    }
    put(out, "</ul>\n");
}

/* "disease relapsed, rituximab-refractory": the state, and its names. */
static void put_status(const struct verdict *verdict, struct buffer *out)
{
    if (verdict->status != DISEASE_STATUS_UNKNOWN) {
        put(out, ", <strong>");
        markup_status(out, verdict->status);
        put(out, "</strong>");
    }
    for (unsigned i = 0; i < verdict->label_count; i++) {
        put(out, ", <strong>");
        markup_text(out, verdict->labels[i].label->label);
        put(out, "</strong>");
    }
}

/* The second opinion behind a range of numbers. */
static void put_contrast(const struct history *history, struct buffer *out)
{
    const struct contrast *contrast = &history->contrast;
    if (contrast->rules.len == 0)
        return;
    buffer_format(out, "<p class=\"dim\">By contrasting rules: %u line%s, %s.</p>\n",
                  contrast->line_count, contrast->line_count == 1 ? "" : "s",
                  contrast->salvage ? "salvage therapy too" : "not salvage therapy");
}

static void put_verdict(const struct history *history, struct buffer *out)
{
    const struct verdict *verdict = &history->verdict;
    const struct line *line = markup_verdict_line(history);
    buffer_format(out, "<div class=\"verdict%s\"><p class=\"call\">",
                  verdict->salvage ? " salvage" : "");
    if (verdict->salvage) {
        put(out, "<strong class=\"badge\">SALVAGE THERAPY</strong> ");
        CHECK(line != NULL); /* it is a line that is salvage therapy */
        put(out, proof_words(line->proof));
        put(out, ": line ");
        markup_number(out, line);
        put(out, ", ");
        markup_regimen(out, line);
        buffer_format(out, ". Grade <strong>%s</strong>", grade_name(verdict->grade));
    } else {
        put(out, "Not salvage therapy");
    }
    put_status(verdict, out);
    put(out, ". <span class=\"dim\">What counts: ");
    markup_basis(out, verdict->basis);
    if (!slice_is(history->rules, "lifeline")) {
        put(out, ". Rules of ");
        markup_text(out, history->rules);
    }
    put(out, "</span></p>\n");
    put_contrast(history, out);
    if (verdict->history_truncated)
        put(out,
            "<p>The record may begin after earlier therapy: the numbers of lines are the least "
            "they can be.</p>\n");
    if (history->is_ambiguous)
        put(out, "<p>Some orders may belong to another disease of the patient.</p>\n");
    put_reasons("Reasons", verdict->reasons, verdict->reason_count, out);
    put_reasons("Spoke against it", verdict->vetoes, verdict->veto_count, out);
    put(out, "</div>\n");
}

/* --- explanation ----------------------------------------------------------------------------- */

/* The rules that boundary.also has a bit for. */
#define ALSO_RULES (RULE_COUNT < 64 ? RULE_COUNT : 64)

/* What else would have applied, and where the number that decided comes from. */
static void put_also(struct buffer *out, const struct boundary *boundary)
{
    const char *before = "<br><span class=\"dim\">also ";
    for (unsigned i = 0; i < ALSO_RULES; i++) {
        if ((boundary->also >> i & 1) == 0)
            continue;
        buffer_format(out, "%s%s ", before, rule_id((enum rule)i));
        markup_reason(out, rule_reason((enum rule)i));
        before = ", ";
    }
    put(out, before[0] == ',' ? "</span>" : "");
    if (boundary->source.len > 0) {
        put(out, "<br><span class=\"dim\">source: ");
        markup_text(out, boundary->source);
        put(out, "</span>");
    }
}

static void put_boundary(const char *what, const struct boundary *boundary, struct date day,
                         struct buffer *out)
{
    if (boundary->reason == NULL)
        return;
    buffer_format(out, "<tr><th scope=\"row\">%s</th><td class=\"d\">", what);
    markup_day(out, day);
    buffer_format(out, "</td><td><span class=\"rule\">%s</span> ", rule_id(boundary->rule));
    put_why(out, boundary);
    put_also(out, boundary);
    put(out, "</td><td class=\"refs\">");
    for (unsigned i = 0; i < boundary->evidence_count; i++) {
        put(out, i > 0 ? " " : "");
        html_reference(out, boundary->evidence[i]);
    }
    put(out, "</td></tr>\n");
}

static void put_explanation(const struct history *history, bool explain, struct buffer *out)
{
    if (history->line_count == 0)
        return;
    buffer_format(out,
                  "<details%s><summary>Every boundary, with the rule, the numbers compared and "
                  "the resources it rests on</summary>\n<table><thead><tr>"
                  "<th scope=\"col\">Decision</th><th scope=\"col\">Day</th>"
                  "<th scope=\"col\">Rule</th><th scope=\"col\">Evidence</th></tr></thead>"
                  "<tbody>\n",
                  explain ? " open" : "");
    for (unsigned i = 0; i < history->line_count; i++) {
        const struct line *line = &history->lines[i];
        char what[64];
        struct text text = TEXT(what);
        text_add(&text, "line %u opened", line->number);
        put_boundary(what, &line->opened_by, line->start, out);
        text = TEXT(what);
        text_add(&text, "line %u went on", line->number);
        for (unsigned k = 0; k < line->note_count; k++)
            put_boundary(what, &line->notes[k].why, line->notes[k].day, out);
        text = TEXT(what);
        text_add(&text, "line %u closed", line->number);
        put_boundary(what, &line->closed_by, line->end, out);
    }
    put(out, "</tbody></table></details>\n");
}

static void put_history(const struct report_head *head, const struct therapy *therapy,
                        unsigned index, const struct report_section *section, struct buffer *out)
{
    const struct history *history = &therapy->histories[index];
    struct drawing drawing;
    put(out, "<h3>");
    markup_text(out, history->disease->name);
    put(out, "</h3>\n");
    put_verdict(history, out);
    if (drawing_lay_out(&drawing, head, therapy, index)) {
        char id[40];
        struct text text = TEXT(id);
        text_add(&text, "p%u-%u", section->number, index + 1);
        put(out, "<figure>");
        drawing_put(&drawing, id, 0, out);
        put(out, "</figure>\n");
    }
    put_lines(history, out);
    html_classes(history, out);
    html_options(history, out);
    put_explanation(history, section->explain, out);
}

void report_html(const struct report_head *head, const struct therapy *therapy,
                 const struct report_section *section, struct buffer *out)
{
    bool salvage = false;
    for (unsigned i = 0; i < therapy->history_count; i++)
        salvage = salvage || therapy->histories[i].verdict.salvage;
    buffer_format(out, "<section class=\"patient%s\" id=\"p%u\"><h2>", salvage ? " salvage" : "",
                  section->number);
    markup_text(out, head->patient);
    put(out, "</h2>\n");
    if (therapy->history_count == 0)
        put(out, "<p>No disease with rules is on record: no line is derived.</p>\n");
    for (unsigned i = 0; i < therapy->history_count; i++)
        put_history(head, therapy, i, section, out);
    html_cumulative(therapy, out);
    html_loose_ends(therapy, out);
    put(out, "<p class=\"back\"><a href=\"#overview\">Overview</a></p></section>\n");
}
