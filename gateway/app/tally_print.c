#include "app/tally_print.h"

#include <inttypes.h>

#include "base/json.h"

#define COLUMNS 5

static const char *const columns[COLUMNS] = { "kind", "system", "code", "text", "read_as" };

/* A control character in a terminal could be anything. */
static void put_plain(struct slice text, struct buffer *out)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        buffer_add_char(out, c < 0x20 || c == 0x7f ? '?' : text.at[i]);
    }
}

static void put_quoted(struct slice text, struct buffer *out)
{
    buffer_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"')
            buffer_add_char(out, '"');
        buffer_add_char(out, text.at[i]);
    }
    buffer_add_char(out, '"');
}

static void put_json(int64_t count, const struct slice cells[COLUMNS], struct buffer *out)
{
    struct json_writer json;

    json_writer_init(&json, out, false);
    json_object(&json);
    json_put_integer(&json, "count", count);
    for (unsigned i = 0; i < COLUMNS; i++)
        json_put(&json, columns[i], cells[i]);
    json_object_end(&json);
}

static void put_row(const struct tally_row *row, enum tally_format format, struct buffer *out)
{
    const struct slice cells[COLUMNS] = { row->is_condition ? SLICE("condition") : SLICE("drug"),
                                          row->system, row->code, row->text, row->read_as };

    if (format == TALLY_JSON) {
        put_json(row->count, cells, out);
    } else {
        buffer_format(out, "%" PRId64, row->count);
        for (unsigned i = 0; i < COLUMNS; i++) {
            buffer_add_char(out, format == TALLY_CSV ? ',' : '\t');
            if (format == TALLY_CSV)
                put_quoted(cells[i], out);
            else
                put_plain(cells[i], out);
        }
    }
    buffer_add_char(out, '\n');
}

void tally_print(struct tally *tally, enum tally_format format, struct buffer *out)
{
    tally_sort(tally);
    if (format != TALLY_JSON) {
        buffer_add(out, SLICE("count"));
        for (unsigned i = 0; i < COLUMNS; i++)
            buffer_format(out, "%c%s", format == TALLY_CSV ? ',' : '\t', columns[i]);
        buffer_add_char(out, '\n');
    }
    for (unsigned i = 0; i < tally->count; i++)
        put_row(tally->rows[i], format, out);
}
