/* Tables and lists of the HTML report that only state what is on record. */
#include "therapy/markup.h"
#include "therapy/report_html_int.h"

static void put(struct buffer *out, const char *markup) { buffer_add(out, slice_of(markup)); }

void html_reference(struct buffer *out, const struct event *event)
{
    char room[EVENT_REFERENCE_SIZE];
    put(out, "<code>");
    markup_text(out, event_reference(event, room));
    put(out, "</code>");
}

void html_classes(const struct history *history, struct buffer *out)
{
    if (history->class_count == 0)
        return;
    put(out, "<table><caption>Ordered so far, by class</caption><thead><tr>"
             "<th scope=\"col\">Class</th><th scope=\"col\">Drugs</th>"
             "<th scope=\"col\">First order</th><th scope=\"col\">Last</th>"
             "<th scope=\"col\">Followed by failure</th></tr></thead><tbody>\n");
    for (unsigned i = 0; i < history->class_count; i++) {
        const struct class_exposure *exposure = &history->classes[i];
        put(out, "<tr><th scope=\"row\">");
        markup_text(out, exposure->drug_class);
        put(out, "</th><td>");
        markup_drugs(out, exposure->drugs, exposure->drug_count);
        put(out, "</td><td class=\"d\">");
        markup_day(out, exposure->first);
        put(out, "</td><td class=\"d\">");
        markup_day(out, exposure->last);
        put(out, exposure->failed ? "</td><td><strong>yes</strong></td></tr>\n"
                                  : "</td><td>no</td></tr>\n");
    }
    put(out, "</tbody></table>\n");
}

static void put_option(const struct option_use *use, struct buffer *out)
{
    markup_text(out, use->option->name);
    if (!use->is_used)
        return;
    put(out, " <span class=\"dim\">(last ");
    markup_day(out, use->last);
    put(out, use->failed ? ", failed)</span>" : ")</span>");
}

static void put_options(const struct history *history, bool is_used, struct buffer *out)
{
    const char *before = is_used ? "<p><strong>Kinds of treatment ordered:</strong> "
                                 : "<p><strong>Kinds not ordered so far:</strong> ";
    for (unsigned i = 0; i < history->option_count; i++) {
        if (history->options[i].is_used != is_used)
            continue;
        put(out, before);
        put_option(&history->options[i], out);
        before = ", ";
    }
    put(out, before[0] == ',' ? "</p>\n" : "");
}

void html_options(const struct history *history, struct buffer *out)
{
    if (!history->verdict.salvage)
        return;
    put_options(history, true, out);
    put_options(history, false, out);
}

void html_cumulative(const struct therapy *therapy, struct buffer *out)
{
    for (unsigned i = 0; i < therapy->cumulative_count; i++) {
        const struct cumulative *sum = &therapy->cumulative[i];
        put(out, "<p><strong>Cumulative ");
        markup_text(out, sum->exposure);
        put(out, " ordered:</strong> ");
        if (sum->counted > 0)
            buffer_format(out, "%s%lld mg/m\xc2\xb2", sum->counted < sum->orders ? "at least " : "",
                          (long long)((sum->total_thousandths + 500) / 1000));
        else
            put(out, "not computable");
        if (sum->counted < sum->orders) {
            buffer_format(out, " <span class=\"dim\">(%u of %u orders not counted: ",
                          sum->orders - sum->counted, sum->orders);
            markup_text(out, sum->why_not);
            put(out, ")</span>");
        }
        put(out, "</p>\n");
    }
}

static void put_taken_for(const struct event *event, struct buffer *out)
{
    if (!event->is_conflicting || event->drug_count == 0)
        return;
    put(out, "taken for ");
    markup_drugs(out, event->drugs, event->drug_count);
    put(out, " ");
}

static void put_events(const char *title, const struct event *const *events, unsigned count,
                       struct buffer *out)
{
    if (count == 0)
        return;
    buffer_format(out, "<h4>%s</h4><ul>", title);
    for (unsigned i = 0; i < count; i++) {
        const struct event *event = events[i];
        const struct concept *concept =
            event->type == FHIR_CONDITION ? &event->code : &event->medication;
        put(out, "<li>");
        if (concept->text.len > 0) {
            markup_text(out, concept->text);
            put(out, " ");
        }
        if (concept->count > 0) {
            const struct coding *coding = &concept->codings[0];
            put(out, "<code>");
            markup_text(out, coding->system == CODE_OTHER
                                 ? coding->system_uri
                                 : slice_of(code_system_uri(coding->system)));
            put(out, "|");
            markup_text(out, coding->code);
            put(out, "</code> ");
        }
        put_taken_for(event, out);
        html_reference(out, event);
        put(out, "</li>");
    }
    put(out, "</ul>\n");
}

/* What people are told about orders and Procedures that are in no line. */
static void put_left_out(const struct therapy *therapy, struct buffer *out)
{
    bool is_first = true;
    for (unsigned i = 0; i < therapy->left_out_count; i++) {
        const struct left_out *left_out = &therapy->left_out[i];
        const struct event *event = left_out->order;
        if (left_out->text.len == 0)
            continue;
        put(out, is_first ? "<h4>In no line</h4><ul><li>" : "<li>");
        is_first = false;
        markup_text(out, event->type == FHIR_PROCEDURE ? event->code.text : event->medication.text);
        put(out, ": ");
        markup_text(out, left_out->text);
        buffer_format(out, " <span class=\"rule\">%s</span> ", rule_id(left_out->rule));
        html_reference(out, event);
        put(out, "</li>");
    }
    if (!is_first)
        put(out, "</ul>\n");
}

void html_loose_ends(const struct therapy *therapy, struct buffer *out)
{
    put_left_out(therapy, out);
    put_events("Ordered, but for which disease is unknown", therapy->unattributed,
               therapy->unattributed_count, out);
    put_events("Codes and words name different drugs", therapy->conflicting,
               therapy->conflicting_count, out);
    put_events("Not in the mappings", therapy->unmapped, therapy->unmapped_count, out);
}
