#include "base/text.h"
#include "therapy/drawing.h"
#include "therapy/markup.h"
#include "therapy/report.h"

/* `disease` is NULL where the patient has none with rules. */
static unsigned put_nothing(const struct report_head *head, const struct disease *disease,
                            unsigned top, struct buffer *out)
{
    buffer_format(out, "<text class=\"ll\" x=\"6\" y=\"%u\">", top + 19);
    markup_text(out, head->patient);
    if (disease != NULL) {
        buffer_add(out, SLICE(", "));
        markup_text(out, disease->name);
    }
    buffer_add(out, SLICE(": no line of therapy is on record</text>\n"));
    return top + 30;
}

unsigned report_svg(const struct report_head *head, const struct therapy *therapy, unsigned number,
                    struct buffer *out)
{
    unsigned bottom = 0;
    for (unsigned i = 0; i < therapy->history_count; i++) {
        struct drawing drawing;
        char id[32];
        struct text room = TEXT(id);
        if (!drawing_lay_out(&drawing, head, therapy, i)) {
            bottom = put_nothing(head, therapy->histories[i].disease, bottom, out);
            continue;
        }
        text_add(&room, "p%u-%u", number, i + 1);
        drawing_put(&drawing, id, (int)bottom * 10, out);
        bottom += (unsigned)(drawing.height + 9) / 10 + 14;
    }
    return therapy->history_count > 0 ? bottom : put_nothing(head, NULL, 0, out);
}

void report_svg_place(unsigned top, struct slice drawing, struct buffer *out)
{
    buffer_format(out, "<g transform=\"translate(0 %u)\">\n", top);
    buffer_add(out, drawing);
    buffer_add(out, SLICE("</g>\n"));
}

void report_svg_begin(unsigned height, struct buffer *out)
{
    unsigned legend = DRAWING_LEGEND_HEIGHT / 10;
    buffer_add(out, SLICE("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
    buffer_format(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1000\" height=\"%u\" "
                  "viewBox=\"0 0 1000 %u\">\n<title>Lines of therapy</title>\n<style>\n",
                  height + legend, height + legend);
    drawing_put_style(out);
    buffer_add(out, SLICE("</style>\n"));
    drawing_put_patterns(out);
    buffer_format(out, "<rect width=\"1000\" height=\"%u\" fill=\"#fff\"/>\n", height + legend);
    drawing_put_legend((int)height * 10, out);
}

void report_svg_end(struct buffer *out) { buffer_add(out, SLICE("</svg>\n")); }
