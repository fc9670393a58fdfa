#include "mapping/table.h"

#include "base/text.h"

/* A list of words longer than this is not printed whole; the nearest word is suggested instead. */
#define WORD_LIST_SHOWN_MAX 110
#define WORD_LEN_MAX 48
#define DAYS_MAX 36500

struct cursor {
    const struct table_schema *schema;
    unsigned line;
    unsigned faults; /* also those that no longer fit into the list */
    struct table_errors *errors;
};

/* One line of the file while its cells are taken off. */
struct row_rest {
    struct slice rest;
    bool is_at_end;
};

/* --- complaints ------------------------------------------------------------------------------ */

void table_complain(struct table_errors *errors, const char *file, unsigned line,
                    const char *column, const char *format, ...)
{
    if (errors->count == TABLE_ERRORS_MAX)
        return;
    char where_buffer[160], what_buffer[200];
    struct text where = TEXT(where_buffer);
    text_add(&where, "%s:%u", file, line);
    va_list args;
    va_start(args, format);
    vsnprintf(what_buffer, sizeof what_buffer, format, args);
    va_end(args);
    err_fail(&errors->list[errors->count++], ERR_INVALID, where_buffer, "%s: %s", column,
             what_buffer);
}

static void report(struct cursor *at, const char *column, const char *what, struct slice cell)
{
    at->faults++;
    int shown = cell.len > 60 ? 60 : (int)cell.len;
    table_complain(at->errors, at->schema->file, at->line, column, "'%.*s' %s", shown, cell.at,
                   what);
}

/* --- words ----------------------------------------------------------------------------------- */

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

/* How many letters must change to turn one word into the other. */
static unsigned edit_distance(struct slice a, struct slice b)
{
    unsigned row[WORD_LEN_MAX + 1];
    if (a.len > WORD_LEN_MAX || b.len > WORD_LEN_MAX)
        return WORD_LEN_MAX;
    for (unsigned j = 0; j <= b.len; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned above = row[j];
            unsigned change = diagonal + (a.at[i - 1] != b.at[j - 1]);
            row[j] = least(change, least(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }
    return row[b.len];
}

static const char *nearest_word(const char *const *words, struct slice cell)
{
    const char *nearest = words[0];
    unsigned distance = WORD_LEN_MAX + 1;
    for (unsigned i = 0; words[i] != NULL; i++) {
        unsigned d = edit_distance(cell, slice_of(words[i]));
        if (d < distance) {
            distance = d;
            nearest = words[i];
        }
    }
    return nearest;
}

static void report_word(struct cursor *at, const struct column *column, struct slice cell)
{
    char buffer[200];
    struct text what = TEXT(buffer);
    size_t length = 0;
    for (unsigned i = 0; column->words[i] != NULL; i++)
        length += strlen(column->words[i]) + 1;
    if (length <= WORD_LIST_SHOWN_MAX) {
        text_add(&what, "is not one of:");
        for (unsigned i = 0; column->words[i] != NULL; i++)
            text_add(&what, " %s", column->words[i]);
    } else {
        text_add(&what, "is not a word of this column; the nearest is '%s'",
                 nearest_word(column->words, cell));
    }
    report(at, column->name, buffer, cell);
}

static bool find_word(const char *const *words, struct slice cell, unsigned *out)
{
    for (unsigned i = 0; words[i] != NULL; i++) {
        if (slice_is(cell, words[i])) {
            *out = i;
            return true;
        }
    }
    return false;
}

static void read_word(struct cursor *at, const struct column *column, struct slice cell,
                      uint8_t *out)
{
    unsigned index;
    if (find_word(column->words, cell, &index))
        *out = (uint8_t)index;
    else
        report_word(at, column, cell);
}

/* Spreadsheets and people put spaces around a cell; they mean nothing. */
static struct slice trim(struct slice cell)
{
    while (cell.len > 0 && (cell.at[0] == ' ' || cell.at[0] == '\r'))
        cell = slice_skip(cell, 1);
    while (cell.len > 0 && (cell.at[cell.len - 1] == ' ' || cell.at[cell.len - 1] == '\r'))
        cell.len--;
    return cell;
}

static void read_words(struct cursor *at, const struct column *column, struct slice cell,
                       uint32_t *out)
{
    while (cell.len > 0) {
        struct slice word = trim(slice_take_until(&cell, ','));
        unsigned index;
        if (!find_word(column->words, word, &index)) {
            report_word(at, column, word);
            continue;
        }
        if ((*out & UINT32_C(1) << index) != 0)
            report(at, column->name, "is there twice", word);
        *out |= UINT32_C(1) << index;
    }
}

/* --- other cells ----------------------------------------------------------------------------- */

static void read_days(struct cursor *at, const struct column *column, struct slice cell,
                      int32_t *out)
{
    int32_t days = 0;
    bool is_number = cell.len > 0 && cell.len <= 5;
    for (size_t i = 0; is_number && i < cell.len; i++) {
        is_number = cell.at[i] >= '0' && cell.at[i] <= '9';
        days = days * 10 + (cell.at[i] - '0');
    }
    if (is_number && days <= DAYS_MAX)
        *out = days;
    else
        report(at, column->name, "is not a number of days from 0 to 36500", cell);
}

static void read_yes_no(struct cursor *at, const struct column *column, struct slice cell,
                        bool *out)
{
    if (slice_is(cell, "yes"))
        *out = true;
    else if (slice_is(cell, "no"))
        *out = false;
    else
        report(at, column->name, "is neither yes nor no", cell);
}

static bool is_optional(enum cell_kind kind)
{
    return kind == CELL_OPTIONAL_TEXT || kind == CELL_OPTIONAL_DAYS || kind == CELL_WORDS;
}

static void read_cell(struct cursor *at, const struct column *column, struct slice cell, void *row)
{
    void *member = (unsigned char *)row + column->offset;
    if (cell.len == 0 && !is_optional(column->kind)) {
        report(at, column->name, "is empty", cell);
        return;
    }
    switch (column->kind) {
    case CELL_TEXT:
    case CELL_OPTIONAL_TEXT:
        *(struct slice *)member = cell;
        break;
    case CELL_DAYS:
        read_days(at, column, cell, member);
        break;
    case CELL_OPTIONAL_DAYS:
        *(int32_t *)member = -1;
        if (cell.len > 0 && !slice_is(cell, "-"))
            read_days(at, column, cell, member);
        break;
    case CELL_WORD:
        read_word(at, column, cell, member);
        break;
    case CELL_WORDS:
        read_words(at, column, cell, member);
        break;
    case CELL_YES_NO:
        read_yes_no(at, column, cell, member);
        break;
    }
}

/* --- lines ----------------------------------------------------------------------------------- */

static struct slice take_cell(struct row_rest *row)
{
    const char *tab = row->rest.len > 0 ? memchr(row->rest.at, '\t', row->rest.len) : NULL;
    struct slice cell = row->rest;
    if (tab != NULL) {
        cell.len = (size_t)(tab - row->rest.at);
        row->rest = slice_skip(row->rest, cell.len + 1);
    } else {
        row->rest = slice_skip(row->rest, row->rest.len);
        row->is_at_end = true;
    }
    cell = trim(cell);
    /* A spreadsheet quotes a cell that holds a comma. */
    if (cell.len >= 2 && cell.at[0] == '"' && cell.at[cell.len - 1] == '"')
        cell = (struct slice){ cell.at + 1, cell.len - 2 };
    return cell;
}

static void read_row(struct cursor *at, struct slice line, void *out)
{
    struct row_rest row = { line, false };
    for (unsigned i = 0; i < at->schema->column_count; i++) {
        const struct column *column = &at->schema->columns[i];
        if (!row.is_at_end) {
            read_cell(at, column, take_cell(&row), out);
        } else if (is_optional(column->kind)) {
            read_cell(at, column, SLICE(""), out); /* editors cut empty cells off the end */
        } else {
            report(at, column->name, "is missing: the row ends here", SLICE(""));
            return;
        }
    }
    while (!row.is_at_end) {
        struct slice cell = take_cell(&row);
        if (cell.len > 0) {
            report(at, "end of row", "is one cell too many", cell);
            return;
        }
    }
}

static void check_header(struct cursor *at, struct slice line)
{
    struct row_rest row = { line, false };
    for (unsigned i = 0; i < at->schema->column_count; i++) {
        const char *name = at->schema->columns[i].name;
        struct slice cell = row.is_at_end ? SLICE("") : take_cell(&row);
        if (!slice_is(cell, name))
            report(at, name, "is in the place of this column", cell);
    }
    while (!row.is_at_end) {
        struct slice cell = take_cell(&row);
        if (cell.len > 0)
            report(at, "header", "is not a column of this file", cell);
    }
}

static bool is_blank(struct slice line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.at[i] != ' ' && line.at[i] != '\t' && line.at[i] != '\r')
            return false;
    return true;
}

static bool is_readable(struct cursor *at, struct slice line)
{
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.at[i];
        if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7f) {
            report(at, "line", "holds a control character: save the file as UTF-8 text", SLICE(""));
            return false;
        }
    }
    return true;
}

static size_t count_lines(struct slice text)
{
    size_t lines = 1;
    for (size_t i = 0; i < text.len; i++)
        lines += text.at[i] == '\n';
    return lines;
}

static size_t read_lines(struct cursor *at, struct slice text, unsigned char *rows, unsigned *lines)
{
    size_t used = 0;
    bool seen_header = false;
    while (text.len > 0) {
        struct slice line = slice_take_until(&text, '\n');
        at->line++;
        if (is_blank(line) || line.at[0] == '#')
            continue;
        if (!is_readable(at, line))
            continue;
        if (seen_header) {
            lines[used] = at->line;
            read_row(at, line, rows + at->schema->row_size * used++);
        } else {
            check_header(at, line);
            seen_header = true;
            if (at->faults > 0) /* every row would be wrong in the same way */
                break;
        }
    }
    if (!seen_header)
        report(at, "header", "is missing: the file names no columns", SLICE(""));
    return used;
}

bool table_read(const struct table_schema *schema, struct slice text, struct arena *arena,
                struct table *out, struct table_errors *errors)
{
    struct cursor at = { .schema = schema, .errors = errors };
    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        text = slice_skip(text, 3);
    struct slice kept = arena_copy(arena, text); /* the cells point into this */
    size_t room = count_lines(text);
    unsigned char *rows = arena_alloc(arena, room * schema->row_size);
    unsigned *lines = ARENA_ARRAY(arena, unsigned, room);
    if (arena_overflowed(arena)) {
        report(&at, "file", "is larger than its limit", SLICE(""));
        return false;
    }
    size_t used = read_lines(&at, kept, rows, lines);
    if (at.faults > 0)
        return false;
    *out = (struct table){ rows, lines, used };
    return true;
}
