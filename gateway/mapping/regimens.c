/* regimens.tsv: names of regimens and what they are used for. */
#include "mapping/mapping_int.h"

#define REGIMENS_FILE "mappings/regimens.tsv"

static const char *const use_words[] = { "first_line", "consolidation", "maintenance",
                                         "salvage",    "conditioning",  NULL };

struct regimen_row {
    struct slice name, disease, components, source;
    uint32_t uses;
    bool is_exclusive;
};

static const struct column regimen_columns[] = {
    { "name", CELL_TEXT, offsetof(struct regimen_row, name), NULL },
    { "disease", CELL_TEXT, offsetof(struct regimen_row, disease), NULL },
    { "components", CELL_TEXT, offsetof(struct regimen_row, components), NULL },
    { "uses", CELL_WORDS, offsetof(struct regimen_row, uses), use_words },
    { "exclusive", CELL_YES_NO, offsetof(struct regimen_row, is_exclusive), NULL },
    { "source", CELL_TEXT, offsetof(struct regimen_row, source), NULL },
};

static const struct table_schema regimen_schema = { REGIMENS_FILE, sizeof(struct regimen_row),
                                                    regimen_columns, COUNT_OF(regimen_columns), 2 };

/* A regimen with a first-line use cannot speak of a later line alone. */
static bool check_uses(const struct regimen_row *row, unsigned line, struct table_errors *errors)
{
    bool has_early_use = (row->uses & (REGIMEN_FIRST_LINE | REGIMEN_CONSOLIDATION)) != 0;
    if (row->uses == 0) {
        table_complain(errors, REGIMENS_FILE, line, "uses", "names no use");
        return false;
    }
    if (row->is_exclusive && (has_early_use || (row->uses & REGIMEN_SALVAGE) == 0)) {
        table_complain(errors, REGIMENS_FILE, line, "exclusive",
                       "'yes' needs the use salvage and none in first line or consolidation");
        return false;
    }
    return true;
}

static uint64_t drug_bits(const struct drug_list *list)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < list->count; i++)
        if (drug_makes_lines(list->drugs[i]))
            bits |= drug_bit(list->drugs[i]);
    return bits;
}

static bool read_regimen(struct mapping_build *build, const struct regimen_row *row, unsigned line,
                         struct regimen *out, struct table_errors *errors)
{
    struct cell_place place = { REGIMENS_FILE, line, "components" };
    struct drug_list list = { .count = 0 };
    bool ok = build_drug_list(build, place, row->components, &list, errors);
    *out = (struct regimen){ .name = row->name,
                             .drugs = list.drugs,
                             .drug_count = list.count,
                             .bits = drug_bits(&list),
                             .uses = row->uses,
                             .is_exclusive = row->is_exclusive,
                             .source = row->source,
                             .line = line };
    place.column = "disease";
    if (!slice_is(row->disease, "*"))
        ok = build_one_disease(build, place, row->disease, &out->disease, errors) && ok;
    return check_uses(row, line, errors) && ok;
}

/* By disease, then the largest first, then the order of the file. */
static bool comes_before(const struct regimen *a, const struct regimen *b)
{
    unsigned disease_a = a->disease != NULL ? a->disease->index : UINT32_MAX;
    unsigned disease_b = b->disease != NULL ? b->disease->index : UINT32_MAX;
    return disease_a != disease_b ? disease_a < disease_b : a->drug_count > b->drug_count;
}

static void sort_regimens(struct regimen *regimens, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        struct regimen regimen = regimens[i];
        unsigned at = i;
        for (; at > 0 && comes_before(&regimen, &regimens[at - 1]); at--)
            regimens[at] = regimens[at - 1];
        regimens[at] = regimen;
    }
}

bool regimens_load(struct mapping_build *build, const struct mapping_file *files, unsigned count,
                   struct table_errors *errors)
{
    struct table table;
    struct mapping_files list = { files, count };
    if (!mapping_table(build, &regimen_schema, list, &table, errors))
        return false;
    const struct regimen_row *rows = table.rows;
    struct regimen *regimens = ARENA_ARRAY(build->arena, struct regimen, table.count + 1);
    if (regimens == NULL)
        return false; /* mapping_load() tells of a full arena */
    bool ok = true;
    for (unsigned i = 0; i < table.count; i++)
        ok = read_regimen(build, &rows[i], table.lines[i], &regimens[i], errors) && ok;
    sort_regimens(regimens, (unsigned)table.count);
    build->rules->regimens = regimens;
    build->rules->regimen_count = (unsigned)table.count;
    return ok;
}
