#include "mapping/mapping_int.h"

#define STOP_FILE "mappings/stop_reasons.tsv"

/* In the order of enum stop_reason, without STOP_NONE. */
static const char *const reason_words[] = {
    "progression", "toxicity",    "shortage", "simplification", "interaction",
    "pregnancy",   "coinfection", "new_drug", "completed",      "patient",
    "death",       "other",       NULL
};

struct stop_row {
    struct slice system, code, source;
    uint8_t reason;
};

static const struct column stop_columns[] = {
    { "system", CELL_TEXT, offsetof(struct stop_row, system), NULL },
    { "code", CELL_TEXT, offsetof(struct stop_row, code), NULL },
    { "reason", CELL_WORD, offsetof(struct stop_row, reason), reason_words },
    { "source", CELL_TEXT, offsetof(struct stop_row, source), NULL },
};

static const struct table_schema stop_schema = { STOP_FILE, sizeof(struct stop_row), stop_columns,
                                                 COUNT_OF(stop_columns), 2 };

static bool put_row(struct mapping_build *build, const struct stop_row *row, unsigned line,
                    struct table_errors *errors)
{
    enum stop_reason *reason = ARENA_NEW(build->arena, enum stop_reason);
    if (reason == NULL)
        return true; /* mapping_load() looks at the arena at its end */
    *reason = (enum stop_reason)(STOP_PROGRESSION + row->reason);
    bool is_new;
    if (slice_is(row->system, "text")) {
        is_new = words_put(&build->mapping->stop_words, build->arena, row->code, reason);
    } else {
        char buffer[STOP_KEY_MAX];
        struct slice key = stop_key(row->system, row->code, buffer);
        is_new = key.len > 0 &&
                 index_put(&build->mapping->stop_codes, 0, arena_copy(build->arena, key), reason);
    }
    if (!is_new)
        table_complain(errors, STOP_FILE, line, "code",
                       "'%.*s' has another row already, or is too long", SLICE_ARGS(row->code));
    return is_new;
}

bool stop_reasons_load(struct mapping_build *build, struct mapping_files files,
                       struct table_errors *errors)
{
    struct table table;
    if (!mapping_table(build, &stop_schema, files, &table, errors))
        return false;
    const struct stop_row *rows = table.rows;
    bool ok = true;
    for (size_t i = 0; i < table.count; i++)
        ok = put_row(build, &rows[i], table.lines[i], errors) && ok;
    return ok;
}
