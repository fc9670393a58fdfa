#include "mapping/numbers.h"

#define NAMES_MAX 32

struct number_row {
    struct slice name, unit, source;
    int32_t value;
};

static const struct column number_columns[] = {
    { "name", CELL_TEXT, offsetof(struct number_row, name), NULL },
    { "value", CELL_DAYS, offsetof(struct number_row, value), NULL },
    { "unit", CELL_TEXT, offsetof(struct number_row, unit), NULL },
    { "source", CELL_TEXT, offsetof(struct number_row, source), NULL },
};

static bool complain(struct table_errors *errors, const char *file, unsigned line,
                     const char *column, struct slice cell, const char *what)
{
    table_complain(errors, file, line, column, "'%.*s' %s", SLICE_ARGS(cell), what);
    return false;
}

bool numbers_load(struct mapping_build *build, struct mapping_files files, const char *file,
                  const struct number_name *names, unsigned count, void *out,
                  struct table_errors *errors)
{
    const struct table_schema schema = { file, sizeof(struct number_row), number_columns,
                                         COUNT_OF(number_columns), 1 };
    struct table table;
    bool is_given[NAMES_MAX] = { false };
    CHECK(count <= NAMES_MAX);
    if (!mapping_table(build, &schema, files, &table, errors))
        return false;
    const struct number_row *rows = table.rows;
    bool ok = true;
    for (size_t i = 0; i < table.count; i++) {
        unsigned at = 0;
        while (at < count && !slice_is(rows[i].name, names[at].name))
            at++;
        if (at == count)
            ok = complain(errors, file, table.lines[i], "name", rows[i].name,
                          "is not a number of ours");
        else if (is_given[at])
            ok = complain(errors, file, table.lines[i], "name", rows[i].name,
                          "is in an earlier row already");
        else if (!slice_is(rows[i].unit, names[at].unit))
            ok = complain(errors, file, table.lines[i], "unit", rows[i].unit,
                          "is not the unit of this number");
        if (at == count)
            continue;
        is_given[at] = true;
        memcpy((char *)out + names[at].offset, &rows[i].value, sizeof rows[i].value);
    }
    for (unsigned at = 0; at < count; at++)
        if (!is_given[at])
            ok = complain(errors, file, 0, "name", slice_of(names[at].name), "is missing");
    return ok;
}
