/* therapy/drawing.h -- where everything of one swim-lane drawing stands.
 *
 * What      one disease of one patient: lines as bands, drugs as bars in a lane each, evidence as
 *           marks below.  The layout is numbers only; drawing_put() writes them as SVG.
 *           Lengths are tenths of a pixel of a drawing 1000 pixels wide; days are since 1970-01-01.
 * Owns      nothing; borrows from the therapy.
 * Thread    any; pure.
 */
#pragma once

#include "base/buffer.h"
#include "domain/line.h"
#include "therapy/report.h"

#define DRAWING_WIDTH 10000
#define DRAWING_LANES_MAX 72
#define DRAWING_MARKS_MAX 64
#define DRAWING_STAGGER_MAX 6 /* rows that labels may take */
#define DRAWING_NO_ROW DRAWING_STAGGER_MAX

struct lane {
    const struct drug *drug;
    int32_t first;   /* day of its first order */
    bool is_counted; /* opens, closes or names lines; the others stand below, hollow */
};

/* A label that moves to another row where it would cover the one before it. */
struct label {
    int x, width, row; /* DRAWING_NO_ROW: there was no room */
};

struct drawn_mark {
    unsigned shape; /* of mark_shapes */
    const char *name;
    int32_t day, last; /* several of one kind within the width of the sign are one mark */
    unsigned count;
    const struct event *load; /* a viral load: its value is part of the label; else NULL */
    int x;
    struct label label;
};

struct drawing {
    const struct report_head *head;
    const struct therapy *therapy;
    const struct history *history;
    uint32_t bit; /* of the history in exposure.diseases and atom.diseases */
    int32_t first, last;
    struct lane lanes[DRAWING_LANES_MAX];
    unsigned lane_count, lanes_left_out;
    struct label line_labels[LOT_LINES_MAX];
    unsigned line_rows;
    struct drawn_mark marks[DRAWING_MARKS_MAX];
    unsigned mark_count, marks_left_out, mark_rows;
    bool shows_as_of;
    int strip, lanes_top, marks_top, axis, height; /* y */
};

/* False when there is nothing to draw: no line, no order, no evidence. */
bool drawing_lay_out(struct drawing *drawing, const struct report_head *head,
                     const struct therapy *therapy, unsigned history);
/* Of a day that is shown. */
int drawing_x(const struct drawing *drawing, int32_t day);
/* One <svg> element; `id` makes the ids of its title and description unique in the document. */
void drawing_put(const struct drawing *drawing, const char *id, int top, struct buffer *out);
/* Style rules and patterns that drawings use, once per document. */
void drawing_put_style(struct buffer *out);
void drawing_put_patterns(struct buffer *out);
/* What the signs mean, one row. */
#define DRAWING_LEGEND_HEIGHT 640
void drawing_put_legend(int top, struct buffer *out);

/* Signs of drawing_signs.c. */
unsigned sign_of_evidence(enum evidence_kind kind);
unsigned sign_of_procedure(enum procedure_kind kind);
unsigned sign_of_load(void);
const char *procedure_name(enum procedure_kind kind);
void sign_put(unsigned sign, int x, int y, struct buffer *out);

/* Tenths of a pixel, never negative, as "12.5". */
void drawing_length(struct buffer *out, int tenths);
