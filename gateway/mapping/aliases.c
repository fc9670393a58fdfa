#include "mapping/mapping_int.h"

#define ALIAS_FILE "mappings/aliases.tsv"

static const char *const route_words[] = { "systemic", "local", "other", NULL };

struct alias_row {
    struct slice text, ingredients, source;
    uint8_t route;
};

static const struct column alias_columns[] = {
    { "text", CELL_TEXT, offsetof(struct alias_row, text), NULL },
    { "ingredients", CELL_TEXT, offsetof(struct alias_row, ingredients), NULL },
    { "route", CELL_WORD, offsetof(struct alias_row, route), route_words },
    { "source", CELL_TEXT, offsetof(struct alias_row, source), NULL },
};

static const struct table_schema alias_schema = { ALIAS_FILE, sizeof(struct alias_row),
                                                  alias_columns, COUNT_OF(alias_columns), 1 };

/* A text that look-up would not take as the row means it. */
static bool check_words(const struct alias_row *row, unsigned line, struct table_errors *errors)
{
    struct words words;
    words_split(row->text, &words);
    bool is_hidden = words_are_blinded(&words) || (row->route == 0 && words_are_local(&words));
    if (is_hidden)
        table_complain(errors, ALIAS_FILE, line, "text",
                       "'%.*s' can never be found: it holds a word of a placebo or of a form that "
                       "is no exposure",
                       SLICE_ARGS(row->text));
    return !is_hidden;
}

static bool put_alias(struct mapping_build *build, const struct alias_row *row, unsigned line,
                      struct table_errors *errors)
{
    struct cell_place place = { ALIAS_FILE, line, "ingredients" };
    struct drug_list list;
    if (!build_drug_list(build, place, row->ingredients, &list, errors) ||
        !check_words(row, line, errors))
        return false;
    struct drug_code *code = ARENA_NEW(build->arena, struct drug_code);
    if (code == NULL)
        return true; /* mapping_load() looks at the arena at its end */
    list = without_carriers(list, build->arena);
    *code = (struct drug_code){ list.drugs, list.count, RANK_INGREDIENT, row->route == 0 };
    if (words_put(&build->mapping->drug_words, build->arena, row->text, code))
        return true;
    const struct drug_code *other = words_find(&build->mapping->drug_words, row->text);
    if (other != NULL)
        table_complain(errors, ALIAS_FILE, line, "text",
                       "'%.*s' maps twice: an earlier row, or the name in drugs.tsv, says %s",
                       SLICE_ARGS(row->text), target_of_drugs(other).text);
    else
        table_complain(errors, ALIAS_FILE, line, "text", "'%.*s' has no word, or too many",
                       SLICE_ARGS(row->text));
    return false;
}

bool aliases_load(struct mapping_build *build, struct mapping_files files,
                  struct table_errors *errors)
{
    struct table table;
    if (!mapping_table(build, &alias_schema, files, &table, errors))
        return false;
    const struct alias_row *rows = table.rows;
    bool ok = true;
    for (size_t i = 0; i < table.count; i++)
        ok = put_alias(build, &rows[i], table.lines[i], errors) && ok;
    return ok;
}
