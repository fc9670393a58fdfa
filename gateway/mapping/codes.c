#include "base/text.h"
#include "mapping/mapping_int.h"

/* Codes of drugs: every file is a column of codes, a column of ingredients and a route. */

static const char *const route_words[] = { "systemic", "local", "other", NULL };
static const char *const kind_words[] = { "IN",   "PIN",  "MIN",  "BN",   "SCD",  "SBD", "SCDC",
                                          "SBDC", "SCDF", "SBDF", "GPCK", "BPCK", NULL };

struct code_row {
    struct slice code, name, ingredients, source;
    uint8_t kind, route;
};

#define CODE_COLUMN(title)                                      \
    {                                                           \
        title, CELL_TEXT, offsetof(struct code_row, code), NULL \
    }
#define REST_COLUMNS                                                            \
    { "ingredients", CELL_TEXT, offsetof(struct code_row, ingredients), NULL }, \
        { "route", CELL_WORD, offsetof(struct code_row, route), route_words },  \
    {                                                                           \
        "source", CELL_TEXT, offsetof(struct code_row, source), NULL            \
    }

static const struct column product_columns[] = {
    CODE_COLUMN("rxcui"),
    { "kind", CELL_WORD, offsetof(struct code_row, kind), kind_words },
    { "name", CELL_TEXT, offsetof(struct code_row, name), NULL },
    REST_COLUMNS,
};
static const struct column rxcui_columns[] = { CODE_COLUMN("rxcui"), REST_COLUMNS };
static const struct column ndc_columns[] = { CODE_COLUMN("ndc"), REST_COLUMNS };
static const struct column plain_columns[] = { CODE_COLUMN("code"), REST_COLUMNS };

#define CODE_SCHEMA(file, columns)                                               \
    {                                                                            \
        "mappings/" file, sizeof(struct code_row), columns, COUNT_OF(columns), 1 \
    }

static const struct code_file {
    struct table_schema schema;
    enum code_system system;
    enum code_rank rank;
} code_files[] = {
    { CODE_SCHEMA("rxnorm_products.tsv", product_columns), CODE_RXNORM, RANK_PRODUCT },
    { CODE_SCHEMA("rxnorm_other.tsv", rxcui_columns), CODE_RXNORM, RANK_PRODUCT },
    { CODE_SCHEMA("ndc.tsv", ndc_columns), CODE_NDC, RANK_PRODUCT },
    { CODE_SCHEMA("atc.tsv", plain_columns), CODE_ATC, RANK_SUBSTANCE },
    { CODE_SCHEMA("ciel.tsv", plain_columns), CODE_CIEL, RANK_SUBSTANCE },
    { CODE_SCHEMA("snomed_drugs.tsv", plain_columns), CODE_SNOMED, RANK_SUBSTANCE },
};

struct drug_list without_carriers(struct drug_list list, struct arena *arena)
{
    const struct drug **kept = NULL;
    unsigned count = 0, carriers = 0;
    for (unsigned i = 0; i < list.count; i++)
        carriers += ((const struct known_drug *)list.drugs[i])->is_carrier;
    if (carriers == 0 || carriers == list.count)
        return list;
    kept = ARENA_ARRAY(arena, const struct drug *, list.count - carriers);
    for (unsigned i = 0; kept != NULL && i < list.count; i++)
        if (!((const struct known_drug *)list.drugs[i])->is_carrier)
            kept[count++] = list.drugs[i];
    return (struct drug_list){ kept, count };
}

struct target_text target_of_drugs(const struct drug_code *code)
{
    struct target_text out;
    struct text text = TEXT(out.text);
    text_add(&text, "%s", code == NULL || code->count == 0 ? "nothing" : "");
    for (unsigned i = 0; code != NULL && i < code->count; i++)
        text_add(&text, "%s%.*s", i > 0 ? ";" : "", SLICE_ARGS(code->drugs[i]->name));
    text_add(&text, "%s", code != NULL && !code->is_exposure ? " (no exposure)" : "");
    return out;
}

static bool put_row(struct mapping_build *build, const struct code_file *file,
                    const struct code_row *row, unsigned line, struct table_errors *errors)
{
    char buffer[CODE_KEY_MAX];
    struct cell_place place = { file->schema.file, line, "ingredients" };
    struct slice key = code_key(file->system, row->code, buffer);
    if (key.len == 0) {
        table_complain(errors, place.file, line, file->schema.columns[0].name,
                       "'%.*s' is not a code of this system", SLICE_ARGS(row->code));
        return false;
    }
    struct drug_list list;
    if (!build_drug_list(build, place, row->ingredients, &list, errors))
        return false;
    if (list.count > EVENT_DRUGS_MAX) {
        table_complain(errors, place.file, line, place.column, "%u ingredients are more than %d",
                       list.count, EVENT_DRUGS_MAX);
        return false;
    }
    struct drug_code *code = ARENA_NEW(build->arena, struct drug_code);
    if (code == NULL)
        return true; /* mapping_load() looks at the arena at its end */
    list = without_carriers(list, build->arena);
    enum code_rank rank =
        row->kind == 0 && file->schema.columns == product_columns ? RANK_INGREDIENT : file->rank;
    *code = (struct drug_code){ list.drugs, list.count, rank, row->route == 0 };
    struct slice kept = arena_copy(build->arena, key);
    if (index_put(&build->mapping->drug_codes, file->system, kept, code))
        return true;
    struct target_text other =
        target_of_drugs(index_find(&build->mapping->drug_codes, file->system, kept));
    table_complain(errors, place.file, line, file->schema.columns[0].name,
                   "'%.*s' maps twice: an earlier row, here or in another table, says %s",
                   SLICE_ARGS(row->code), other.text);
    return false;
}

bool codes_load(struct mapping_build *build, struct mapping_files files,
                struct table_errors *errors)
{
    bool ok = true;
    for (size_t i = 0; i < COUNT_OF(code_files); i++) {
        const struct code_file *file = &code_files[i];
        struct table table;
        if (!mapping_table(build, &file->schema, files, &table, errors)) {
            ok = false;
            continue;
        }
        const struct code_row *rows = table.rows;
        for (size_t k = 0; k < table.count; k++)
            ok = put_row(build, file, &rows[k], table.lines[k], errors) && ok;
    }
    return ok;
}
