#include "therapy/drawing.h"

#include "therapy/markup.h"

#define GUTTER 1900 /* names of drugs stand left of it */
#define RIGHT 9820
#define CHARACTER 66   /* width of one in labels, a little more than the fonts take */
#define LABEL_MAX 44   /* characters */
#define SIGN_WIDTH 130 /* marks of one kind that are nearer become one */

/* --- the days shown -------------------------------------------------------------------------- */

static void see(struct drawing *drawing, int32_t from, int32_t to)
{
    if (drawing->first == DATE_NONE || from < drawing->first)
        drawing->first = from;
    if (drawing->last == DATE_NONE || to > drawing->last)
        drawing->last = to;
}

static bool is_drawn(const struct drawing *drawing, const struct exposure *exposure)
{
    return (exposure->diseases & drawing->bit) != 0;
}

/* What was done about the disease.  Sessions without a drug would only crowd the row of a cancer,
 * as would each dialysis, which the lines of the kidneys show already. */
static bool is_about(const struct drawing *drawing, enum procedure_kind kind)
{
    enum disease_family family = drawing->history->disease->family;
    if (family == DISEASE_RENAL || family == DISEASE_TRANSPLANT)
        return kind == PROCEDURE_KIDNEY_TRANSPLANT || kind == PROCEDURE_DIALYSIS_ACCESS;
    bool is_cancer =
        family == DISEASE_SOLID || family == DISEASE_HEMATOLOGIC || family == DISEASE_ANY_CANCER;
    return is_cancer && kind != PROCEDURE_NONE && kind <= PROCEDURE_SURGERY &&
           kind != PROCEDURE_CHEMOTHERAPY;
}

static bool is_procedure_drawn(const struct drawing *drawing, const struct event *event)
{
    return is_about(drawing, event->procedure) && event->effective.precision != DATE_ABSENT &&
           event_was_done(event) && event->effective.first.day <= drawing->therapy->as_of.day;
}

static bool is_load_drawn(const struct drawing *drawing, const struct event *event)
{
    return drawing->history->disease->family == DISEASE_HIV &&
           (event->observation == OBSERVATION_HIV_VIRAL_LOAD ||
            event->observation == OBSERVATION_HIV_VIRAL_LOAD_LOG) &&
           event_was_done(event) && event->effective.precision != DATE_ABSENT &&
           event->effective.first.day <= drawing->therapy->as_of.day &&
           (event->value.is_stated || event->finding == FINDING_NOT_DETECTED);
}

static void see_all(struct drawing *drawing)
{
    const struct therapy *therapy = drawing->therapy;
    const struct history *history = drawing->history;
    drawing->first = drawing->last = DATE_NONE;
    for (unsigned i = 0; i < history->line_count; i++)
        see(drawing, history->lines[i].start.day, history->lines[i].end.day);
    for (unsigned i = 0; i < therapy->exposure_count; i++)
        if (is_drawn(drawing, &therapy->exposures[i]))
            see(drawing, therapy->exposures[i].start.day, therapy->exposures[i].end.day);
    for (unsigned i = 0; i < therapy->atom_count; i++)
        if ((therapy->atoms[i].diseases & drawing->bit) != 0)
            see(drawing, therapy->atoms[i].day, therapy->atoms[i].day);
    for (unsigned i = 0; i < therapy->procedure_count && drawing->first != DATE_NONE; i++) {
        const struct event *event = therapy->procedures[i];
        if (is_procedure_drawn(drawing, event))
            see(drawing, event->effective.first.day, event->effective.first.day);
    }
    for (unsigned i = 0; i < therapy->observation_count && drawing->first != DATE_NONE; i++) {
        const struct event *event = therapy->observations[i];
        if (is_load_drawn(drawing, event))
            see(drawing, event->effective.first.day, event->effective.first.day);
    }
}

/* A margin on both sides; today is shown when it is near, or when something goes on until then. */
static void frame(struct drawing *drawing)
{
    int32_t as_of = drawing->therapy->as_of.day;
    int32_t span = drawing->last - drawing->first;
    if (as_of - drawing->last <= span / 4) { /* nothing that is drawn lies behind it */
        drawing->shows_as_of = true;
        drawing->last = as_of;
        span = drawing->last - drawing->first;
    }
    int32_t margin = span / 40 > 4 ? span / 40 : 4;
    drawing->first -= margin;
    drawing->last += margin;
}

int drawing_x(const struct drawing *drawing, int32_t day)
{
    int64_t span = (int64_t)drawing->last - drawing->first;
    return GUTTER + (int)(((int64_t)day - drawing->first) * (RIGHT - GUTTER) / span);
}

/* --- lanes ----------------------------------------------------------------------------------- */

static struct lane *lane_of(struct drawing *drawing, const struct drug *drug)
{
    for (unsigned i = 0; i < drawing->lane_count; i++)
        if (slice_eq(drawing->lanes[i].drug->name, drug->name))
            return &drawing->lanes[i];
    return NULL;
}

static bool is_in_a_line(const struct history *history, const struct drug *drug)
{
    for (unsigned i = 0; i < history->line_count; i++)
        for (unsigned k = 0; k < history->lines[i].drug_count; k++)
            if (slice_eq(history->lines[i].drugs[k]->name, drug->name))
                return true;
    return false;
}

static bool is_before(const struct lane *a, const struct lane *b)
{
    if (a->is_counted != b->is_counted)
        return a->is_counted;
    if (a->first != b->first)
        return a->first < b->first;
    return slice_cmp(a->drug->name, b->drug->name) < 0;
}

/* In order of the first order of each; what names no line comes last. */
static void sort_lanes(struct drawing *drawing)
{
    for (unsigned i = 1; i < drawing->lane_count; i++) {
        struct lane lane = drawing->lanes[i];
        unsigned at = i;
        for (; at > 0 && is_before(&lane, &drawing->lanes[at - 1]); at--)
            drawing->lanes[at] = drawing->lanes[at - 1];
        drawing->lanes[at] = lane;
    }
}

static void collect_lanes(struct drawing *drawing)
{
    const struct therapy *therapy = drawing->therapy;
    for (unsigned i = 0; i < therapy->exposure_count; i++) {
        const struct exposure *exposure = &therapy->exposures[i];
        if (!is_drawn(drawing, exposure) || lane_of(drawing, exposure->drug) != NULL)
            continue;
        if (drawing->lane_count == DRAWING_LANES_MAX) {
            drawing->lanes_left_out++;
            continue;
        }
        drawing->lanes[drawing->lane_count++] =
            (struct lane){ exposure->drug, exposure->start.day,
                           is_in_a_line(drawing->history, exposure->drug) };
    }
    sort_lanes(drawing);
}

/* --- labels ---------------------------------------------------------------------------------- */

/* The first row where the label does not touch its neighbour; `ends` is where rows are taken to. */
static void place(struct label *label, int *ends, unsigned *rows)
{
    if (label->x + label->width > RIGHT)
        label->x = RIGHT - label->width;
    for (label->row = 0; label->row < DRAWING_NO_ROW; label->row++) {
        if (ends[label->row] > label->x)
            continue;
        ends[label->row] = label->x + label->width + 60;
        if ((unsigned)label->row + 1 > *rows)
            *rows = (unsigned)label->row + 1;
        return;
    }
}

static unsigned line_label_length(const struct line *line)
{
    unsigned length = markup_length(line->regimen);
    for (unsigned i = 0; line->regimen.len == 0 && i < line->drug_count; i++)
        length += markup_length(line->drugs[i]->name) + (i > 0 ? 3 : 0);
    return length < LABEL_MAX ? length : LABEL_MAX;
}

static void place_line_labels(struct drawing *drawing)
{
    const struct history *history = drawing->history;
    int ends[DRAWING_STAGGER_MAX] = { 0 };
    drawing->line_rows = 0;
    for (unsigned i = 0; i < history->line_count; i++) {
        const struct line *line = &history->lines[i];
        unsigned length = line_label_length(line) + 4;
        if (history->verdict.salvage && line->number == history->verdict.line)
            length += 10; /* "SALVAGE" */
        drawing->line_labels[i] =
            (struct label){ drawing_x(drawing, line->start.day), (int)length * CHARACTER, 0 };
        place(&drawing->line_labels[i], ends, &drawing->line_rows);
    }
}

static void add_mark(struct drawing *drawing, const struct drawn_mark *mark)
{
    int32_t day = mark->day;
    int x = drawing_x(drawing, day);
    for (unsigned i = 0; mark->load == NULL && i < drawing->mark_count; i++) {
        struct drawn_mark *near = &drawing->marks[i];
        if (near->name != mark->name || x - near->x >= SIGN_WIDTH || near->x - x >= SIGN_WIDTH)
            continue;
        near->count += near->day != day && near->last != day ? 1 : 0;
        near->last = day > near->last ? day : near->last;
        return;
    }
    if (drawing->mark_count == DRAWING_MARKS_MAX) {
        drawing->marks_left_out++;
        return;
    }
    unsigned at = drawing->mark_count++;
    for (; at > 0 && drawing->marks[at - 1].day > day; at--)
        drawing->marks[at] = drawing->marks[at - 1];
    drawing->marks[at] = *mark;
    drawing->marks[at].last = day;
    drawing->marks[at].x = x;
    drawing->marks[at].count = 1;
}

static void place_marks(struct drawing *drawing)
{
    int ends[DRAWING_STAGGER_MAX] = { 0 };
    drawing->mark_rows = 0;
    for (unsigned i = 0; i < drawing->mark_count; i++) {
        struct drawn_mark *mark = &drawing->marks[i];
        size_t length =
            strlen(mark->name) + (mark->count > 1 ? 24 : 11) + (mark->load != NULL ? 10 : 0);
        mark->label = (struct label){ mark->x - 40, (int)length * 58, 0 };
        place(&mark->label, ends, &drawing->mark_rows);
    }
}

static void collect_marks(struct drawing *drawing)
{
    const struct therapy *therapy = drawing->therapy;
    for (unsigned i = 0; i < therapy->atom_count; i++) {
        const struct atom *atom = &therapy->atoms[i];
        if ((atom->diseases & drawing->bit) != 0)
            add_mark(drawing, &(struct drawn_mark){ .shape = sign_of_evidence(atom->kind),
                                                    .name = evidence_kind_name(atom->kind),
                                                    .day = atom->day });
    }
    for (unsigned i = 0; i < therapy->procedure_count; i++) {
        const struct event *event = therapy->procedures[i];
        if (is_procedure_drawn(drawing, event))
            add_mark(drawing, &(struct drawn_mark){ .shape = sign_of_procedure(event->procedure),
                                                    .name = procedure_name(event->procedure),
                                                    .day = event->effective.first.day });
    }
    for (unsigned i = 0; i < therapy->observation_count; i++) {
        const struct event *event = therapy->observations[i];
        if (is_load_drawn(drawing, event))
            add_mark(drawing, &(struct drawn_mark){ .shape = sign_of_load(),
                                                    .name = "viral load",
                                                    .day = event->effective.first.day,
                                                    .load = event });
    }
    place_marks(drawing);
}

/* --- the whole ------------------------------------------------------------------------------- */

bool drawing_lay_out(struct drawing *drawing, const struct report_head *head,
                     const struct therapy *therapy, unsigned history)
{
    *drawing = (struct drawing){ .head = head,
                                 .therapy = therapy,
                                 .history = &therapy->histories[history],
                                 .bit = UINT32_C(1) << history };
    see_all(drawing);
    if (drawing->first == DATE_NONE)
        return false;
    frame(drawing);
    collect_lanes(drawing);
    place_line_labels(drawing);
    collect_marks(drawing);
    drawing->strip = 360 + (int)drawing->line_rows * 200;
    drawing->lanes_top = drawing->strip + 300;
    drawing->marks_top = drawing->lanes_top + (int)drawing->lane_count * 190 + 60;
    drawing->axis = drawing->marks_top;
    if (drawing->mark_count > 0)
        drawing->axis += 260 + (int)drawing->mark_rows * 150;
    drawing->height = drawing->axis + 340;
    return true;
}
