#include "app/lines_output.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/pool.h"

#define PIECE_BYTES_MAX ((size_t)4 * 1024 * 1024 * 1024)

struct lines_output {
    enum lines_format format;
    struct arena names;
    const char *path, *part; /* NULL: standard output */
    FILE *to, *bodies, *rows;
    struct report_sums sums;
    unsigned bottom; /* of the drawings so far */
    int first_error; /* errno */
};

/* --- pieces ---------------------------------------------------------------------------------- */

void lines_piece_init(struct lines_piece *piece)
{
    *piece = (struct lines_piece){ .count = 0 };
    buffer_init(&piece->bodies, PIECE_BYTES_MAX);
    buffer_init(&piece->rows, PIECE_BYTES_MAX);
}

void lines_piece_fini(struct lines_piece *piece)
{
    buffer_fini(&piece->bodies);
    buffer_fini(&piece->rows);
}

void lines_piece_add(struct lines_piece *piece, const struct lines_report *report,
                     const struct therapy *therapy)
{
    const struct report_head *head = &report->head;
    unsigned height = 0;

    switch (report->format) {
    case LINES_TEXT:
        if (report->number > 1)
            buffer_add_char(&piece->bodies, '\n');
        report_text(head, therapy, report->explain, &piece->bodies);
        break;
    case LINES_JSON:
        report_json(head, therapy, &piece->bodies);
        buffer_add_char(&piece->bodies, '\n');
        break;
    case LINES_CSV:
        report_csv(head, therapy, &piece->bodies);
        break;
    case LINES_SVG:
        height = report_svg(head, therapy, report->number, &piece->bodies);
        break;
    case LINES_HTML:
        report_html_row(head, therapy, report->number, &piece->rows);
        report_html(head, therapy, &(struct report_section){ report->number, report->explain },
                    &piece->bodies);
        break;
    }
    CHECK(piece->count < LINES_PIECE_MAX);
    piece->drawings[piece->count].end = piece->bodies.len;
    piece->drawings[piece->count++].height = height;
    report_sums_add(&piece->sums, therapy);
}

/* --- output ---------------------------------------------------------------------------------- */

static bool is_assembled(const struct lines_output *output)
{
    return output->format == LINES_SVG || output->format == LINES_HTML;
}

static bool fail(const char *path, const char *what, int error, struct err *err)
{
    return err_fail(err, ERR_STORAGE, path != NULL ? path : "standard output", "%s: %s", what,
                    strerror(error));
}

static void release(struct lines_output *output)
{
    if (output->path != NULL && output->to != NULL)
        fclose(output->to);
    if (output->bodies != NULL)
        fclose(output->bodies);
    if (output->rows != NULL)
        fclose(output->rows);
    arena_fini(&output->names);
    pool_free(output);
}

bool lines_output_open(const char *path, enum lines_format format, struct lines_output **out,
                       struct err *err)
{
    struct lines_output *output = pool_new(sizeof *output);
    bool ok = true;

    output->format = format;
    output->to = stdout;
    arena_init(&output->names, PIECE_BYTES_MAX);
    if (path != NULL) {
        output->path = path;
        output->part = arena_format(&output->names, "%s.part", path).at;
        output->to = fopen(output->part, "we");
        ok = output->to != NULL || fail(output->part, "cannot be written", errno, err);
    }
    if (ok && is_assembled(output)) {
        output->bodies = tmpfile();
        output->rows = tmpfile();
        ok = (output->bodies != NULL && output->rows != NULL) ||
             fail("temporary file", "cannot be made", errno, err);
    }
    if (!ok) {
        if (output->part != NULL && output->to != NULL)
            unlink(output->part);
        release(output);
        return false;
    }
    if (format == LINES_CSV) {
        struct buffer head;
        buffer_init(&head, PIECE_BYTES_MAX);
        report_csv_head(&head);
        lines_output_raw(output, buffer_slice(&head));
        buffer_fini(&head);
    }
    *out = output;
    return true;
}

static void put(struct lines_output *output, FILE *to, struct slice bytes)
{
    if (bytes.len > 0 && output->first_error == 0 && fwrite(bytes.at, 1, bytes.len, to) < bytes.len)
        output->first_error = errno != 0 ? errno : EIO;
}

void lines_output_raw(struct lines_output *output, struct slice bytes)
{
    put(output, output->to, bytes);
}

static void put_drawings(struct lines_output *output, const struct lines_piece *piece)
{
    struct buffer placed;
    size_t from = 0;

    buffer_init(&placed, PIECE_BYTES_MAX);
    for (unsigned i = 0; i < piece->count; i++) {
        struct slice drawing = { piece->bodies.at + from, piece->drawings[i].end - from };
        report_svg_place(output->bottom, drawing, &placed);
        output->bottom += piece->drawings[i].height;
        from = piece->drawings[i].end;
    }
    put(output, output->bodies, buffer_slice(&placed));
    buffer_fini(&placed);
}

void lines_output_put(struct lines_output *output, const struct lines_piece *piece)
{
    struct report_sums *sums = &output->sums;

    if (piece->bodies.overflowed || piece->rows.overflowed)
        output->first_error = EFBIG;
    if (output->format == LINES_SVG)
        put_drawings(output, piece);
    else
        put(output, is_assembled(output) ? output->bodies : output->to,
            buffer_slice(&piece->bodies));
    if (output->rows != NULL)
        put(output, output->rows, buffer_slice(&piece->rows));
    sums->patients += piece->sums.patients;
    sums->histories += piece->sums.histories;
    sums->lines += piece->sums.lines;
    sums->salvage += piece->sums.salvage;
    sums->unmapped += piece->sums.unmapped;
    sums->unattributed += piece->sums.unattributed;
}

/* --- the end --------------------------------------------------------------------------------- */

static void copy(struct lines_output *output, FILE *from)
{
    char block[64 * 1024];

    rewind(from);
    for (size_t got; (got = fread(block, 1, sizeof block, from)) > 0;)
        put(output, output->to, (struct slice){ block, got });
    if (ferror(from) != 0 && output->first_error == 0)
        output->first_error = EIO;
}

static void assemble(struct lines_output *output, struct report_page *page)
{
    struct buffer head, end;

    buffer_init(&head, PIECE_BYTES_MAX);
    buffer_init(&end, PIECE_BYTES_MAX);
    if (output->format == LINES_SVG) {
        report_svg_begin(output->bottom, &head);
        report_svg_end(&end);
        put(output, output->to, buffer_slice(&head));
    } else {
        report_html_begin(page, &head);
        put(output, output->to, buffer_slice(&head));
        copy(output, output->rows);
        buffer_reset(&head);
        report_html_middle(&head);
        report_html_end(&end);
        put(output, output->to, buffer_slice(&head));
    }
    copy(output, output->bodies);
    put(output, output->to, buffer_slice(&end));
    buffer_fini(&head);
    buffer_fini(&end);
}

bool lines_output_close(struct lines_output *output, struct report_page *page, struct err *err)
{
    page->sums = output->sums;
    if (is_assembled(output) && output->first_error == 0)
        assemble(output, page);
    if (fflush(output->to) != 0 && output->first_error == 0)
        output->first_error = errno;
    bool ok = output->first_error == 0;
    if (!ok)
        fail(output->path, "cannot be written", output->first_error, err);
    if (ok && output->path != NULL && rename(output->part, output->path) != 0)
        ok = fail(output->path, "cannot be written", errno, err);
    if (!ok && output->part != NULL)
        unlink(output->part);
    release(output);
    return ok;
}
