#include "mapping/table.h"

#include "base/text.h"
#include "mapping/index_int.h"

/* A list of words longer than this is not printed whole; the nearest word is suggested instead. */
#define WORD_LIST_SHOWN_MAX 110
#define WORD_LEN_MAX 48
#define DAYS_MAX 36500
#define CHANGE_COLUMN "change"

struct cursor {
    const struct table_schema *schema;
    unsigned line;
    unsigned faults; /* also those that no longer fit into the list */
    struct table_errors *errors;
};

/* The rows of a table while its texts are read. */
struct reading {
    struct cursor at;
    struct arena *arena;
    unsigned char *rows;
    unsigned *lines; /* 0: taken away by the overlay */
    size_t used;
    struct code_index keys;  /* of our rows: -> &lines[row]; only beside an overlay */
    struct code_index twice; /* keys that several of our rows have */
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
    const char *slash = strrchr(file, '/');
    if ((line & TABLE_LINE_OVERLAY) != 0)
        text_add(&where, "overlay/%s:%u", slash != NULL ? slash + 1 : file,
                 line & ~TABLE_LINE_OVERLAY);
    else
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

/* `has_change`: the overlay's last column was read already. */
static void read_row(struct cursor *at, struct slice line, bool has_change, void *out)
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
    if (has_change && !row.is_at_end)
        (void)take_cell(&row);
    while (!row.is_at_end) {
        struct slice cell = take_cell(&row);
        if (cell.len > 0) {
            report(at, "end of row", "is one cell too many", cell);
            return;
        }
    }
}

/* True when the header ends with the overlay's column `change`. */
static bool check_header(struct cursor *at, struct slice line)
{
    bool may_change = (at->line & TABLE_LINE_OVERLAY) != 0, has_change = false;
    struct row_rest row = { line, false };
    for (unsigned i = 0; i < at->schema->column_count; i++) {
        const char *name = at->schema->columns[i].name;
        struct slice cell = row.is_at_end ? SLICE("") : take_cell(&row);
        if (!slice_is(cell, name))
            report(at, name, "is in the place of this column", cell);
    }
    while (!row.is_at_end) {
        struct slice cell = take_cell(&row);
        if (may_change && !has_change && slice_is(cell, CHANGE_COLUMN))
            has_change = true;
        else if (cell.len > 0)
            report(at, "header", "is not a column of this file", cell);
    }
    return has_change;
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

/* --- ours and the site's --------------------------------------------------------------------- */

/* The cells that tell rows apart, joined; empty past the arena's limit. */
static struct slice key_of(struct reading *reading, struct slice line)
{
    struct row_rest row = { line, false };
    char *key = arena_alloc_raw(reading->arena, line.len + reading->at.schema->key_columns);
    size_t used = 0;
    for (unsigned i = 0; key != NULL && i < reading->at.schema->key_columns; i++) {
        struct slice cell = row.is_at_end ? SLICE("") : take_cell(&row);
        if (cell.len > 0)
            memcpy(key + used, cell.at, cell.len);
        used += cell.len;
        key[used++] = '\t';
    }
    return (struct slice){ key, used };
}

static struct slice change_of(const struct reading *reading, struct slice line)
{
    struct row_rest row = { line, false };
    for (unsigned i = 0; i < reading->at.schema->column_count && !row.is_at_end; i++)
        (void)take_cell(&row);
    return row.is_at_end ? SLICE("") : take_cell(&row);
}

static void add_row(struct reading *reading, struct slice line, bool has_change)
{
    size_t row = reading->used++;
    reading->lines[row] = reading->at.line;
    read_row(&reading->at, line, has_change, reading->rows + reading->at.schema->row_size * row);
}

static void add_our_row(struct reading *reading, struct slice line, bool is_overlaid)
{
    size_t row = reading->used;
    add_row(reading, line, false);
    if (!is_overlaid)
        return;
    struct slice key = key_of(reading, line);
    if (!index_put(&reading->keys, 0, key, &reading->lines[row]))
        index_set(&reading->twice, 0, key, &reading->lines[row]);
}

static void report_key(struct reading *reading, struct slice key, const char *what)
{
    key.len -= key.len > 0 ? 1 : 0;
    for (char *tab; (tab = memchr(key.at, '\t', key.len)) != NULL;)
        *tab = ' ';
    report(&reading->at, reading->at.schema->columns[0].name, what, key);
}

static void add_overlay_row(struct reading *reading, struct slice line, bool has_change)
{
    struct slice change = has_change ? change_of(reading, line) : SLICE("");
    struct slice key = key_of(reading, line);
    const unsigned *ours = index_find(&reading->keys, 0, key);
    if (change.len > 0 && !slice_is(change, "removed")) {
        report(&reading->at, CHANGE_COLUMN, "is neither removed nor empty", change);
    } else if (index_find(&reading->twice, 0, key) != NULL) {
        report_key(reading, key, "is the key of several rows of ours: which one is meant?");
    } else if (ours == NULL && change.len > 0) {
        report_key(reading, key, "cannot be removed: we have no such row");
    } else if (ours == NULL) {
        size_t row = reading->used;
        add_row(reading, line, has_change);
        index_set(&reading->keys, 0, key, &reading->lines[row]);
    } else if (*ours == 0 || (*ours & TABLE_LINE_OVERLAY) != 0) {
        report_key(reading, key, "is in an earlier row of the overlay already");
    } else {
        size_t row = (size_t)(ours - reading->lines);
        unsigned char *cells = reading->rows + reading->at.schema->row_size * row;
        reading->lines[row] = change.len > 0 ? 0 : reading->at.line;
        memset(cells, 0, reading->at.schema->row_size);
        if (change.len == 0)
            read_row(&reading->at, line, has_change, cells);
    }
}

static void read_lines(struct reading *reading, struct slice text, bool is_overlaid)
{
    struct cursor *at = &reading->at;
    bool is_overlay = (at->line & TABLE_LINE_OVERLAY) != 0;
    bool seen_header = false, has_change = false;
    while (text.len > 0) {
        struct slice line = slice_take_until(&text, '\n');
        at->line++;
        if (is_blank(line) || line.at[0] == '#' || !is_readable(at, line))
            continue;
        if (seen_header && is_overlay) {
            add_overlay_row(reading, line, has_change);
        } else if (seen_header) {
            add_our_row(reading, line, is_overlaid);
        } else {
            unsigned faults = at->faults;
            has_change = check_header(at, line);
            seen_header = true;
            if (at->faults > faults) /* every row would be wrong in the same way */
                return;
        }
    }
    if (!seen_header)
        report(at, "header", "is missing: the file names no columns", SLICE(""));
}

static void drop_removed(struct reading *reading)
{
    size_t kept = 0, size = reading->at.schema->row_size;
    for (size_t i = 0; i < reading->used; i++) {
        if (reading->lines[i] == 0)
            continue;
        if (kept < i)
            memcpy(reading->rows + kept * size, reading->rows + i * size, size);
        reading->lines[kept++] = reading->lines[i];
    }
    reading->used = kept;
}

static struct slice without_mark(struct slice text)
{
    return slice_starts(text, SLICE("\xef\xbb\xbf")) ? slice_skip(text, 3) : text;
}

bool table_read(const struct table_schema *schema, struct slice text, struct slice overlay,
                struct arena *arena, struct table *out, struct table_errors *errors)
{
    struct reading reading = { .at = { .schema = schema, .errors = errors }, .arena = arena };
    reading.keys.arena = reading.twice.arena = arena;
    text = without_mark(text);
    overlay = overlay.at != NULL ? without_mark(overlay) : overlay;
    struct slice ours = arena_copy(arena, text), theirs = arena_copy(arena, overlay);
    size_t room = count_lines(text) + count_lines(overlay);
    reading.rows = arena_alloc(arena, room * schema->row_size);
    reading.lines = ARENA_ARRAY(arena, unsigned, room);
    if (arena_overflowed(arena)) {
        report(&reading.at, "file", "is larger than its limit", SLICE(""));
        return false;
    }
    read_lines(&reading, ours, overlay.at != NULL);
    if (overlay.at != NULL) {
        reading.at.line = TABLE_LINE_OVERLAY;
        read_lines(&reading, theirs, true);
        drop_removed(&reading);
    }
    if (reading.at.faults > 0)
        return false;
    *out = (struct table){ reading.rows, reading.lines, reading.used };
    return true;
}

bool table_read_cell(const struct table_schema *schema, const char *file, unsigned line,
                     struct slice column, struct slice cell, void *row, struct table_errors *errors)
{
    struct table_schema here = *schema;
    here.file = file;
    struct cursor at = { .schema = &here, .line = line, .errors = errors };
    const char *nearest = schema->columns[0].name;
    unsigned distance = WORD_LEN_MAX + 1;
    for (unsigned i = 0; i < schema->column_count; i++) {
        const char *name = schema->columns[i].name;
        if (slice_is(column, name)) {
            read_cell(&at, &schema->columns[i], trim(cell), row);
            return at.faults == 0;
        }
        unsigned d = edit_distance(column, slice_of(name));
        if (d < distance) {
            distance = d;
            nearest = name;
        }
    }
    table_complain(errors, file, line, "parameter",
                   "'%.*s' is not a parameter; the nearest is '%s'", SLICE_ARGS(column), nearest);
    return false;
}
