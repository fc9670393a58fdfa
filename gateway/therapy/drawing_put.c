#include "base/text.h"
#include "therapy/drawing.h"
#include "therapy/markup.h"

#define LEFT 1900
#define RIGHT 9820
#define LANE 190

/* --- small pieces ---------------------------------------------------------------------------- */

void drawing_length(struct buffer *out, int tenths)
{
    buffer_format(out, tenths % 10 == 0 ? "%d" : "%d.%d", tenths / 10, tenths % 10);
}

static void attribute(struct buffer *out, const char *name, int tenths)
{
    buffer_format(out, " %s=\"", name);
    drawing_length(out, tenths);
    buffer_add_char(out, '"');
}

struct box {
    int x, y, width, height;
};

/* Left open, so that a title may follow. */
static void rect_open(struct buffer *out, const char *style, struct box box)
{
    buffer_format(out, "<rect class=\"%s\"", style);
    attribute(out, "x", box.x);
    attribute(out, "y", box.y);
    attribute(out, "width", box.width);
    attribute(out, "height", box.height);
}

static void rect(struct buffer *out, const char *style, struct box box)
{
    rect_open(out, style, box);
    buffer_add(out, SLICE("/>"));
}

struct stroke {
    int x1, y1, x2, y2;
};

static void line(struct buffer *out, const char *style, struct stroke stroke)
{
    buffer_format(out, "<line class=\"%s\"", style);
    attribute(out, "x1", stroke.x1);
    attribute(out, "y1", stroke.y1);
    attribute(out, "x2", stroke.x2);
    attribute(out, "y2", stroke.y2);
    buffer_add(out, SLICE("/>"));
}

/* `anchor` is NULL (start), "middle" or "end". */
static void text_open(struct buffer *out, const char *style, int x, int y, const char *anchor)
{
    buffer_format(out, "<text class=\"%s\"", style);
    attribute(out, "x", x);
    attribute(out, "y", y);
    if (anchor != NULL)
        buffer_format(out, " text-anchor=\"%s\"", anchor);
    buffer_add_char(out, '>');
}

static void text_close(struct buffer *out) { buffer_add(out, SLICE("</text>")); }

static void plain_text(struct buffer *out, const char *style, int x, int y, const char *text)
{
    text_open(out, style, x, y, NULL);
    buffer_add(out, slice_of(text));
    text_close(out);
}

static bool is_salvage(const struct drawing *drawing, const struct line *one)
{
    const struct verdict *verdict = &drawing->history->verdict;
    return verdict->salvage && one->number == verdict->line;
}

static int end_x(const struct drawing *drawing, const struct line *one)
{
    /* the end of its last day, and never so narrow that it cannot be seen */
    int from = drawing_x(drawing, one->start.day), to = drawing_x(drawing, one->end.day + 1);
    return to - from < 30 ? from + 30 : to;
}

/* --- for those who cannot see it ------------------------------------------------------------- */

static void put_span(struct buffer *out, struct date start, struct date end, bool is_open)
{
    markup_day(out, start);
    buffer_add(out, SLICE(" to "));
    if (is_open)
        buffer_add(out, SLICE("ongoing"));
    else
        markup_day(out, end);
}

/* As it was sent: "<50", "8700", "4.2" (a logarithm, which its unit says). */
static void put_load(struct buffer *out, const struct event *event)
{
    static const char *const signs[] = { "", "&lt;", "&lt;=", "&gt;=", "&gt;" };
    const struct quantity *value = &event->value;
    if (!value->is_stated) {
        buffer_add(out, SLICE("not detected "));
        return;
    }
    if (event->observation == OBSERVATION_HIV_VIRAL_LOAD_LOG)
        buffer_add(out, SLICE("log10 "));
    int64_t power = 1;
    for (int32_t i = 0; i < value->scale; i++)
        power *= 10;
    buffer_format(out, "%s%lld", signs[value->comparator], (long long)(value->digits / power));
    if (value->digits % power != 0)
        buffer_format(out, ".%0*lld", value->scale, (long long)(value->digits % power));
    buffer_add_char(out, ' ');
}

static void put_mark_text(struct buffer *out, const struct drawn_mark *mark)
{
    buffer_format(out, "%s ", mark->name);
    if (mark->load != NULL)
        put_load(out, mark->load);
    markup_day(out, (struct date){ mark->day });
    if (mark->count > 1) {
        buffer_add(out, SLICE(" to "));
        markup_day(out, (struct date){ mark->last });
    }
}

static void put_description(const struct drawing *drawing, const char *id, struct buffer *out)
{
    const struct history *history = drawing->history;
    buffer_format(out, "<title id=\"%s-t\">Lines of therapy of ", id);
    markup_text(out, drawing->head->patient);
    buffer_add(out, SLICE(", "));
    markup_text(out, history->disease->name);
    buffer_format(out, "</title><desc id=\"%s-d\">", id);
    markup_verdict(out, history);
    buffer_add_char(out, '.');
    for (unsigned i = 0; i < history->line_count; i++) {
        const struct line *one = &history->lines[i];
        buffer_add(out, SLICE(" Line "));
        markup_number(out, one);
        buffer_add(out, SLICE(", "));
        markup_regimen(out, one);
        buffer_add(out, SLICE(", "));
        put_span(out, one->start, one->end, one->is_open);
        buffer_add_char(out, '.');
    }
    for (unsigned i = 0; i < drawing->mark_count; i++) {
        buffer_add_char(out, ' ');
        put_mark_text(out, &drawing->marks[i]);
        buffer_add_char(out, '.');
    }
    buffer_add(out, SLICE("</desc>\n"));
}

/* --- head ------------------------------------------------------------------------------------ */

static void put_head(const struct drawing *drawing, struct buffer *out)
{
    const struct history *history = drawing->history;
    text_open(out, "ll-title", 60, 190, NULL);
    unsigned length = markup_cut(out, drawing->head->patient, 40);
    text_close(out);
    text_open(out, "ll", 60 + (int)length * 88 + 120, 190, NULL);
    markup_cut(out, history->disease->name, 60);
    text_close(out);
    if (history->verdict.salvage) {
        rect(out, "ll-label-salvage", (struct box){ 7260, 50, 2560, 200 });
        text_open(out, "ll-white", 8540, 190, "middle");
        buffer_format(out, "SALVAGE: line %u, grade %s", history->verdict.line,
                      grade_name(history->verdict.grade));
    } else {
        text_open(out, "ll", RIGHT, 190, "end");
        buffer_add(out, SLICE("not salvage therapy"));
    }
    text_close(out);
    buffer_add_char(out, '\n');
}

/* --- time ------------------------------------------------------------------------------------ */

struct calendar {
    int year, month;
};

static struct calendar calendar_of(int32_t day)
{
    char text[DATE_TEXT_SIZE];
    const char *at = date_format((struct date){ day }, text);
    struct calendar found = { 0, 0 };
    for (; *at != '-'; at++)
        found.year = found.year * 10 + (*at - '0');
    found.month = (at[1] - '0') * 10 + (at[2] - '0');
    return found;
}

/* Months between ticks, so that no more than ten stand in the drawing. */
static int tick_months(const struct drawing *drawing)
{
    static const int steps[] = { 1, 2, 3, 6, 12, 24, 60, 120, 240, 600 };
    int64_t months = ((int64_t)drawing->last - drawing->first) / 30;
    size_t i = 0;
    while (i + 1 < COUNT_OF(steps) && months / steps[i] > 10)
        i++;
    return steps[i];
}

static void put_ticks(const struct drawing *drawing, struct buffer *out)
{
    int step = tick_months(drawing);
    struct calendar at = calendar_of(drawing->first);
    int month = at.year * 12 + at.month - 1;
    month -= month % step;
    for (;; month += step) {
        int32_t day = date_of(month / 12, (unsigned)(month % 12) + 1, 1).day;
        if (day < drawing->first)
            continue;
        if (day > drawing->last)
            break;
        int x = drawing_x(drawing, day);
        line(out, "ll-tick", (struct stroke){ x, drawing->strip, x, drawing->axis + 50 });
        text_open(out, "ll ll-small", x, drawing->axis + 170, "middle");
        if (step >= 12)
            buffer_format(out, "%d", month / 12);
        else
            buffer_format(out, "%d-%02d", month / 12, month % 12 + 1);
        text_close(out);
    }
    line(out, "ll-axis", (struct stroke){ LEFT, drawing->axis, RIGHT, drawing->axis });
    if (drawing->shows_as_of) {
        int x = drawing_x(drawing, drawing->therapy->as_of.day);
        line(out, "ll-now", (struct stroke){ x, drawing->strip, x, drawing->axis + 190 });
        text_open(out, "ll ll-small", x + 30, drawing->axis + 290, "end");
    } else {
        text_open(out, "ll ll-small ll-dim", RIGHT, drawing->axis + 290, "end");
    }
    buffer_add(out, SLICE("as of "));
    markup_day(out, drawing->therapy->as_of);
    text_close(out);
    buffer_add_char(out, '\n');
}

/* --- lines ----------------------------------------------------------------------------------- */

static void put_bands(const struct drawing *drawing, struct buffer *out)
{
    const struct history *history = drawing->history;
    int top = drawing->strip, bottom = drawing->axis;
    for (unsigned i = 0; i < history->line_count; i++) {
        const struct line *one = &history->lines[i];
        int from = drawing_x(drawing, one->start.day), to = end_x(drawing, one);
        bool salvage = is_salvage(drawing, one);
        rect(out, salvage ? "ll-salvage" : "ll-band",
             (struct box){ from, top, to - from, bottom - top });
        const char *edge = salvage ? "ll-salvage-edge" : "ll-edge";
        line(out, edge, (struct stroke){ from, top, from, bottom });
        line(out, edge, (struct stroke){ to, top, to, bottom });
    }
    buffer_add_char(out, '\n');
}

static const char *segment_style(enum segment_kind kind)
{
    static const char *const styles[] = { "induction",    "consolidation", "maintenance",
                                          "conditioning", "bridging",      "regimen",
                                          "induction",    "consolidation", "bridging",
                                          "maintenance" };
    _Static_assert(COUNT_OF(styles) == SEGMENT_GRAFT + 1, "every kind has a style");
    return styles[kind];
}

static void put_segments(const struct drawing *drawing, const struct line *one, struct buffer *out)
{
    for (unsigned i = 0; i < one->segment_count; i++) {
        const struct segment *segment = &one->segments[i];
        bool is_last = i + 1 == one->segment_count;
        char style[48];
        struct text room = TEXT(style);
        text_add(&room, "ll-segment ll-%s%s", segment_style(segment->kind),
                 segment->kind == SEGMENT_REGIMEN && i % 2 != 0 ? "-next" : "");
        int from = drawing_x(drawing, segment->start.day);
        int to = is_last ? end_x(drawing, one) : drawing_x(drawing, segment->end.day + 1);
        rect_open(out, style, (struct box){ from, drawing->strip + 60, to - from, 150 });
        buffer_format(out, "><title>line %u, %s, ", one->number, segment_kind_name(segment->kind));
        put_span(out, segment->start, segment->end, is_last && one->is_open);
        buffer_add(out, segment->drug_count > 0 ? SLICE(": ") : SLICE(""));
        markup_drugs(out, segment->drugs, segment->drug_count);
        buffer_add(out, SLICE("</title></rect>"));
    }
    if (one->segment_count == 0) {
        int from = drawing_x(drawing, one->start.day);
        rect(out, "ll-segment ll-induction",
             (struct box){ from, drawing->strip + 60, end_x(drawing, one) - from, 150 });
    }
}

static void put_line_label(const struct drawing *drawing, unsigned index, struct buffer *out)
{
    const struct line *one = &drawing->history->lines[index];
    const struct label *label = &drawing->line_labels[index];
    bool salvage = is_salvage(drawing, one);
    int top = drawing->strip - 30 - (label->row + 1) * 200;
    if (label->row == DRAWING_NO_ROW)
        return;
    rect_open(out, salvage ? "ll-label-salvage" : "ll-label",
              (struct box){ label->x, top, label->width, 170 });
    buffer_add(out, SLICE(" rx=\"3\"/>"));
    text_open(out, salvage ? "ll ll-white" : "ll", label->x + 50, top + 128, NULL);
    buffer_format(out, salvage ? "%u SALVAGE " : "%u  ", one->number);
    struct buffer name;
    buffer_init(&name, 64 * 1024);
    if (one->regimen.len > 0)
        buffer_add(&name, one->regimen);
    for (unsigned i = 0; one->regimen.len == 0 && i < one->drug_count; i++) {
        buffer_add(&name, i > 0 ? SLICE(" + ") : SLICE(""));
        buffer_add(&name, one->drugs[i]->name);
    }
    markup_cut(out, buffer_slice(&name), 44);
    buffer_fini(&name);
    text_close(out);
}

static void put_lines(const struct drawing *drawing, struct buffer *out)
{
    const struct history *history = drawing->history;
    text_open(out, "ll", LEFT - 80, drawing->strip + 175, "end");
    buffer_add(out, SLICE("lines of therapy"));
    text_close(out);
    for (unsigned i = 0; i < history->line_count; i++) {
        const struct label *label = &drawing->line_labels[i];
        int x = drawing_x(drawing, history->lines[i].start.day);
        if (label->row < DRAWING_NO_ROW)
            line(out, "ll-edge",
                 (struct stroke){ x, drawing->strip - 100 - label->row * 200, x,
                                  drawing->strip + 60 });
        put_segments(drawing, &history->lines[i], out);
    }
    for (unsigned i = 0; i < history->line_count; i++)
        put_line_label(drawing, i, out);
    buffer_add_char(out, '\n');
}

/* --- drugs ----------------------------------------------------------------------------------- */

/* Orders of one drug that touch in the drawing are one bar: what cannot be told apart by eye need
 * not be written. */
struct bar {
    int from, to;
    bool is_open, is_hollow, is_unclear;
    const char *style; /* by what proves it */
};

static const char *style_of(const struct exposure *exposure)
{
    if (exposure->is_reported)
        return "ll-reported";
    return (exposure->proof & (PROOF_ADMINISTERED | PROOF_DISPENSED)) != 0 ? "ll-given" : "ll-bar";
}

static bool bar_joins(const struct bar *bar, const struct bar *next)
{
    return next->from <= bar->to + 3 && bar->style == next->style &&
           bar->is_unclear == next->is_unclear;
}

static void put_bar(const struct bar *bar, int y, struct buffer *out)
{
    char style[48];
    struct text room = TEXT(style);
    text_add(&room, "%s%s", bar->is_hollow ? "ll-hollow" : bar->style,
             bar->is_unclear ? " ll-unclear" : "");
    int height = bar->is_hollow ? 60 : 100, top = y + (LANE - height) / 2;
    if (!bar->is_open) {
        rect(out, style, (struct box){ bar->from, top, bar->to - bar->from, height });
        return;
    }
    buffer_format(out, "<path class=\"%s\" d=\"M", style); /* goes on: an arrow */
    int half = height / 2, points[5][2] = { { bar->from, top },
                                            { bar->to, top },
                                            { bar->to + 90, top + half },
                                            { bar->to, top + height },
                                            { bar->from, top + height } };
    for (unsigned i = 0; i < 5; i++) {
        buffer_add(out, i > 0 ? SLICE("L") : SLICE(""));
        drawing_length(out, points[i][0]);
        buffer_add_char(out, ' ');
        drawing_length(out, points[i][1]);
    }
    buffer_add(out, SLICE("Z\"/>"));
}

static void put_bars(const struct drawing *drawing, const struct lane *lane, int y,
                     struct buffer *out)
{
    const struct therapy *therapy = drawing->therapy;
    struct bar bar = { .to = -1 };
    for (unsigned i = 0; i < therapy->exposure_count; i++) {
        const struct exposure *exposure = &therapy->exposures[i];
        if ((exposure->diseases & drawing->bit) == 0 ||
            !slice_eq(exposure->drug->name, lane->drug->name))
            continue;
        struct bar next = { .from = drawing_x(drawing, exposure->start.day),
                            .to = drawing_x(drawing, exposure->end.day + 1),
                            .is_open = exposure->is_open,
                            .is_hollow = !lane->is_counted,
                            .style = style_of(exposure),
                            .is_unclear = exposure->is_ambiguous };
        if (next.to - next.from < 25)
            next.to = next.from + 25;
        if (bar.to >= 0 && bar_joins(&bar, &next)) {
            bar.to = next.to > bar.to ? next.to : bar.to;
            bar.is_open = bar.is_open || next.is_open;
            continue;
        }
        if (bar.to >= 0)
            put_bar(&bar, y, out);
        bar = next;
    }
    put_bar(&bar, y, out); /* a lane is there for the orders in it */
}

static void put_lanes(const struct drawing *drawing, struct buffer *out)
{
    for (unsigned i = 0; i < drawing->lane_count; i++) {
        const struct lane *lane = &drawing->lanes[i];
        int y = drawing->lanes_top + (int)i * LANE;
        line(out, "ll-row", (struct stroke){ LEFT, y + LANE / 2, RIGHT, y + LANE / 2 });
        text_open(out, lane->is_counted ? "ll" : "ll ll-dim", LEFT - 80, y + 133, "end");
        markup_cut(out, lane->drug->name, 27);
        text_close(out);
        put_bars(drawing, lane, y, out);
        buffer_add_char(out, '\n');
    }
    if (drawing->lanes_left_out > 0) {
        text_open(out, "ll ll-small", LEFT - 80, drawing->axis - 20, "end");
        buffer_format(out, "%u more orders not drawn", drawing->lanes_left_out);
        text_close(out);
    }
}

/* --- evidence -------------------------------------------------------------------------------- */

static void put_mark(const struct drawn_mark *mark, int y, struct buffer *out)
{
    buffer_add(out, SLICE("<g><title>"));
    put_mark_text(out, mark);
    buffer_add(out, SLICE("</title>"));
    sign_put(mark->shape, mark->x, y, out);
    buffer_add(out, SLICE("</g>"));
    if (mark->label.row == DRAWING_NO_ROW)
        return;
    text_open(out, "ll ll-small ll-halo", mark->label.x, y + 190 + mark->label.row * 150, NULL);
    put_mark_text(out, mark);
    text_close(out);
}

static void put_marks(const struct drawing *drawing, struct buffer *out)
{
    if (drawing->mark_count == 0)
        return;
    int y = drawing->marks_top + 110;
    text_open(out, "ll", LEFT - 80, y + 40, "end");
    buffer_add(out, SLICE("evidence"));
    text_close(out);
    line(out, "ll-row", (struct stroke){ LEFT, y, RIGHT, y });
    for (unsigned i = 0; i < drawing->mark_count; i++) {
        const struct drawn_mark *mark = &drawing->marks[i];
        if (mark->label.row < DRAWING_NO_ROW && mark->label.row > 0)
            line(out, "ll-edge",
                 (struct stroke){ mark->x, y, mark->x, y + 130 + mark->label.row * 150 });
    }
    for (unsigned i = 0; i < drawing->mark_count; i++) /* many and small: below the others */
        if (drawing->marks[i].load != NULL)
            put_mark(&drawing->marks[i], y, out);
    for (unsigned i = 0; i < drawing->mark_count; i++)
        if (drawing->marks[i].load == NULL)
            put_mark(&drawing->marks[i], y, out);
    buffer_add_char(out, '\n');
}

/* --- the whole ------------------------------------------------------------------------------- */

void drawing_put(const struct drawing *drawing, const char *id, int top, struct buffer *out)
{
    buffer_format(out, "<svg class=\"ll\" role=\"img\" aria-labelledby=\"%s-t %s-d\"", id, id);
    attribute(out, "y", top);
    attribute(out, "width", DRAWING_WIDTH);
    attribute(out, "height", drawing->height);
    buffer_add(out, SLICE(" viewBox=\"0 0 1000 "));
    drawing_length(out, drawing->height);
    buffer_add(out, SLICE("\">\n"));
    put_description(drawing, id, out);
    put_bands(drawing, out);
    put_ticks(drawing, out);
    put_lanes(drawing, out);
    put_lines(drawing, out);
    put_marks(drawing, out);
    put_head(drawing, out);
    buffer_add(out, SLICE("</svg>\n"));
}

void drawing_put_legend(int top, struct buffer *out)
{
    static const struct {
        const char *style, *text;
        int x;
    } boxes[] = {
        { "ll-segment ll-induction", "induction", 60 },
        { "ll-segment ll-consolidation", "consolidation", 960 },
        { "ll-segment ll-maintenance", "maintenance", 2080 },
        { "ll-segment ll-conditioning", "conditioning", 3160 },
        { "ll-segment ll-bridging", "bridging", 4240 },
        { "ll-bar", "ordered", 5060 },
        { "ll-given", "administered, dispensed", 5880 },
        { "ll-reported", "reported", 7480 },
        { "ll-hollow", "names no line", 8200 },
        { "ll-salvage ll-edge-box", "salvage", 9300 },
    };
    for (size_t i = 0; i < COUNT_OF(boxes); i++) {
        rect(out, boxes[i].style, (struct box){ boxes[i].x, top + 60, 220, 100 });
        plain_text(out, "ll ll-small", boxes[i].x + 270, top + 150, boxes[i].text);
    }
    static const struct {
        unsigned sign;
        const char *text;
        int x;
    } marks[] = {
        { 0, "relapse", 120 },       { 1, "progression", 1060 }, { 2, "refractory", 2250 },
        { 3, "remission", 3390 },    { 4, "metastasis", 4530 },  { 6, "transplant", 5560 },
        { 7, "cell therapy", 6620 }, { 8, "collection", 7760 },  { 9, "radiotherapy", 8760 },
    };
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        sign_put(marks[i].sign, marks[i].x, top + 330, out);
        plain_text(out, "ll ll-small", marks[i].x + 120, top + 365, marks[i].text);
    }
    plain_text(out, "ll ll-small ll-dim", 60, top + 560,
               "An order does not prove that a drug was taken.  An arrow: goes on.  A dashed "
               "outline: may belong to another disease.  Bands are lines of therapy.");
    buffer_add_char(out, '\n');
}
