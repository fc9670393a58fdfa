/* mapping/table.h -- tab-separated tables that clinicians edit, read with errors they can act on.
 *
 * What      one reader for every file in mappings/; a file is its columns and a row type.  Lines
 *           that begin with '#' are comments; the first other line is the header and must name the
 *           columns in order.  Takes text, not a path, so it is pure, testable and fuzzable.
 *           A site's overlay is a second text of the same columns: a row whose key (the first
 *           `key_columns` cells, letter for letter) is one of ours replaces that row in its place,
 *           any other is added at the end.  An overlay may have one more column, `change`: a row
 *           marked "removed" takes ours away, and only its key is read.
 * Owns      rows and strings live in `arena`, as long as the loaded rule set.
 * Errors    collects up to TABLE_ERRORS_MAX, so that one edit can fix them all.
 * Thread    any; a loaded table is immutable and shared.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#define TABLE_ERRORS_MAX 50

/* How a cell is read, and the type of the row member it fills. */
enum cell_kind {
    CELL_TEXT,          /* struct slice, not empty */
    CELL_OPTIONAL_TEXT, /* struct slice, may be empty */
    CELL_DAYS,          /* int32_t, 0 to 36500 */
    CELL_OPTIONAL_DAYS, /* int32_t, -1 when the cell is empty or "-" */
    CELL_WORD,          /* uint8_t, index into `words` */
    CELL_WORDS,         /* uint32_t, or-ed bits of `words`, comma-separated, may be empty */
    CELL_YES_NO,        /* bool: "yes" or "no" */
};

struct column {
    const char *name;
    enum cell_kind kind;
    size_t offset;
    const char *const *words; /* CELL_WORD, CELL_WORDS: NULL-terminated */
};

struct table_schema {
    const char *file; /* "mappings/drugs.tsv" */
    size_t row_size;
    const struct column *columns;
    unsigned column_count;
    unsigned key_columns; /* so many of the first columns tell rows apart */
};

/* Set in the line number of a row that an overlay gave; table_complain() names the overlay then. */
#define TABLE_LINE_OVERLAY 0x80000000u

struct table {
    const void *rows;
    const unsigned *lines; /* line number of each row, for later complaints */
    size_t count;
};

struct table_errors {
    struct err list[TABLE_ERRORS_MAX];
    unsigned count; /* stops at TABLE_ERRORS_MAX */
};

/* An overlay that is empty (`at` NULL) is none. */
bool table_read(const struct table_schema *schema, struct slice text, struct slice overlay,
                struct arena *arena, struct table *out, struct table_errors *errors) MUST_USE;
/* One cell outside a row: `column` of `schema` in `row`.  For tables whose rows are pairs of a name
 * and a value; faults are told with `file` and `line`. */
bool table_read_cell(const struct table_schema *schema, const char *file, unsigned line,
                     struct slice column, struct slice cell, void *row,
                     struct table_errors *errors) MUST_USE;
/* A fault found later, across tables: "file:line: column: what". */
void table_complain(struct table_errors *errors, const char *file, unsigned line,
                    const char *column, const char *format, ...) PRINTF_LIKE(5, 6);
