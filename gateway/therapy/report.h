/* therapy/report.h -- what the engine found, for people, programs, spreadsheets and tumour boards.
 *
 * What      writers that append to a buffer.  JSON is one object per patient (DESIGN section 7),
 *           also the payload of $lines-of-therapy; CSV one row per line; the text is a timeline a
 *           clinician can read.  SVG and HTML are documents of many patients whose parts the caller
 *           puts together: their head needs sums that are known only at the end.
 * Errors    past the buffer's maximum it stays overflowed; test once at the end.
 * Thread    any; pure.
 */
#pragma once

#include "base/buffer.h"
#include "base/hash.h"
#include "domain/line.h"

struct report_head {
    struct slice patient; /* "Patient/p1" */
    const struct sha256 *rule_set;
};

void report_json(const struct report_head *head, const struct therapy *therapy, struct buffer *out);
/* `explain` adds rule ids, operands and evidence of each boundary. */
void report_text(const struct report_head *head, const struct therapy *therapy, bool explain,
                 struct buffer *out);

/* Columns and quoting: therapy/README.md. */
void report_csv_head(struct buffer *out);
void report_csv(const struct report_head *head, const struct therapy *therapy, struct buffer *out);

/* Swim lanes: report_svg_begin(), then the drawing of each patient put in its place, then
 * report_svg_end().  A drawing begins at 0 and returns how high it is, in pixels; `number` counts
 * patients and makes its ids unique.  `height` is the sum of all. */
unsigned report_svg(const struct report_head *head, const struct therapy *therapy, unsigned number,
                    struct buffer *out) MUST_USE;
void report_svg_place(unsigned top, struct slice drawing, struct buffer *out);
void report_svg_begin(unsigned height, struct buffer *out);
void report_svg_end(struct buffer *out);

/* What the head of the HTML report sums up. */
struct report_sums {
    unsigned patients, histories, lines, salvage, unmapped, unattributed;
};
void report_sums_add(struct report_sums *sums, const struct therapy *therapy);

/* report_html_begin(), a row of the overview for each patient, report_html_middle(), a section for
 * each patient, report_html_end().  `number` counts patients from 1 and joins row and section. */
struct report_page {
    struct date as_of;
    const struct sha256 *rule_set;
    struct report_sums sums;
};
void report_html_begin(const struct report_page *page, struct buffer *out);
void report_html_row(const struct report_head *head, const struct therapy *therapy, unsigned number,
                     struct buffer *out);
void report_html_middle(struct buffer *out);
/* `explain` opens the explanations, also in print. */
struct report_section {
    unsigned number;
    bool explain;
};
void report_html(const struct report_head *head, const struct therapy *therapy,
                 const struct report_section *section, struct buffer *out);
void report_html_end(struct buffer *out);
