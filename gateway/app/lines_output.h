/* app/lines_output.h -- where the reports of `lifeline lines` go: standard output or a file, in one
 * of the formats of therapy/report.h.
 *
 * What      reports come in pieces, made on any thread, and are put in order of patients.  SVG and
 *           HTML begin with sums that are known only at the end: their bodies wait in temporary
 *           files, so that memory does not grow with the number of patients.
 *           A file appears under its name only once it is whole.
 * Errors    what cannot be written: ERR_STORAGE, once, at the end.
 * Thread    pieces on any thread, one at a time; the output on one.
 */
#pragma once

#include "therapy/report.h"

enum lines_format { LINES_TEXT, LINES_JSON, LINES_CSV, LINES_SVG, LINES_HTML };

#define LINES_PIECE_MAX 64 /* patients */

/* The reports of some patients. */
struct lines_piece {
    struct buffer bodies, rows; /* rows: of the overview of HTML */
    struct report_sums sums;
    unsigned count;
    struct {
        size_t end; /* in `bodies` */
        unsigned height;
    } drawings[LINES_PIECE_MAX];
};
void lines_piece_init(struct lines_piece *piece);
void lines_piece_fini(struct lines_piece *piece);

struct lines_report {
    enum lines_format format;
    bool explain;
    struct report_head head;
    unsigned number; /* of the patient, from 1 */
};
void lines_piece_add(struct lines_piece *piece, const struct lines_report *report,
                     const struct therapy *therapy);

struct lines_output;
/* `path` NULL: standard output. */
bool lines_output_open(const char *path, enum lines_format format, struct lines_output **out,
                       struct err *err) MUST_USE;
void lines_output_put(struct lines_output *output, const struct lines_piece *piece);
/* Bytes as they are, for what is no report. */
void lines_output_raw(struct lines_output *output, struct slice bytes);
/* Writes what begins and ends the document and puts the file in its place; `page->sums` is filled
 * here.  False: something could not be written. */
bool lines_output_close(struct lines_output *output, struct report_page *page,
                        struct err *err) MUST_USE;
