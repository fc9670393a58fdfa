#include "mapping/mapping_int.h"

#define DISEASE_FILE "mappings/diseases.tsv"
#define DISEASE_DRUGS_FILE "mappings/disease_drugs.tsv"
#define WITHIN_DEPTH_MAX 8

static const char *const family_words[] = { "solid", "hematologic", "any_cancer", "hiv",
                                            "renal", "transplant",  "pregnancy",  "hepatitis_b",
                                            "other", NULL };
static const char *const use_words[] = { "lists", "identifies", NULL };

struct disease_row {
    struct slice key, name, within, profile, source;
    uint8_t family;
};

static const struct column disease_columns[] = {
    { "key", CELL_TEXT, offsetof(struct disease_row, key), NULL },
    { "name", CELL_TEXT, offsetof(struct disease_row, name), NULL },
    { "family", CELL_WORD, offsetof(struct disease_row, family), family_words },
    { "within", CELL_TEXT, offsetof(struct disease_row, within), NULL },
    { "profile", CELL_TEXT, offsetof(struct disease_row, profile), NULL },
    { "source", CELL_TEXT, offsetof(struct disease_row, source), NULL },
};

static const struct table_schema disease_schema = { DISEASE_FILE, sizeof(struct disease_row),
                                                    disease_columns, COUNT_OF(disease_columns), 1 };

struct disease_drugs_row {
    struct slice disease, ingredients, source;
    uint8_t use;
};

static const struct column disease_drugs_columns[] = {
    { "disease", CELL_TEXT, offsetof(struct disease_drugs_row, disease), NULL },
    { "use", CELL_WORD, offsetof(struct disease_drugs_row, use), use_words },
    { "ingredients", CELL_TEXT, offsetof(struct disease_drugs_row, ingredients), NULL },
    { "source", CELL_TEXT, offsetof(struct disease_drugs_row, source), NULL },
};

static const struct table_schema disease_drugs_schema = { DISEASE_DRUGS_FILE,
                                                          sizeof(struct disease_drugs_row),
                                                          disease_drugs_columns,
                                                          COUNT_OF(disease_drugs_columns), 2 };

const struct disease *build_disease(const struct mapping_build *build, struct slice key)
{
    return index_find(&build->mapping->disease_keys, 0, key);
}

bool build_one_disease(const struct mapping_build *build, struct cell_place place,
                       struct slice cell, const struct disease **out, struct table_errors *errors)
{
    const struct disease *disease = build_disease(build, cell);
    if (disease == NULL) {
        int shown = cell.len > 60 ? 60 : (int)cell.len;
        table_complain(errors, place.file, place.line, place.column,
                       "'%.*s' is not a key of diseases.tsv", shown, cell.at);
        return false;
    }
    *out = disease;
    return true;
}

/* "within" must lead to a top in a few steps, or the engine would walk in a circle. */
static bool reaches_top(const struct disease *disease)
{
    for (unsigned depth = 0; depth < WITHIN_DEPTH_MAX; depth++) {
        if (disease->within == NULL)
            return true;
        disease = disease->within;
    }
    return false;
}

static bool tie_within(struct mapping_build *build, const struct table *table,
                       struct table_errors *errors)
{
    const struct disease_row *rows = table->rows;
    bool ok = true;
    for (size_t i = 0; i < table->count; i++) {
        struct cell_place place = { DISEASE_FILE, table->lines[i], "within" };
        if (!slice_is(rows[i].within, "-"))
            ok = build_one_disease(build, place, rows[i].within,
                                   &build->mapping->diseases[i].within, errors) &&
                 ok;
    }
    for (size_t i = 0; ok && i < table->count; i++) {
        if (reaches_top(&build->mapping->diseases[i]))
            continue;
        table_complain(errors, DISEASE_FILE, table->lines[i], "within", "'%.*s' leads in a circle",
                       SLICE_ARGS(rows[i].within));
        ok = false;
    }
    return ok;
}

static bool fill_diseases(struct mapping_build *build, const struct table *table,
                          struct table_errors *errors)
{
    struct mapping *mapping = build->mapping;
    const struct disease_row *rows = table->rows;
    bool ok = true;
    for (unsigned i = 0; i < mapping->disease_count; i++) {
        mapping->diseases[i] = (struct disease){ .index = i,
                                                 .key = rows[i].key,
                                                 .name = rows[i].name,
                                                 .family = (enum disease_family)rows[i].family };
        mapping->profile_keys[i] = rows[i].profile;
        if (index_put(&mapping->disease_keys, 0, rows[i].key, &mapping->diseases[i]))
            continue;
        table_complain(errors, DISEASE_FILE, table->lines[i], "key",
                       "'%.*s' is in an earlier row already", SLICE_ARGS(rows[i].key));
        ok = false;
    }
    return tie_within(build, table, errors) && ok;
}

/* --- which drugs a disease lists ------------------------------------------------------------- */

struct drug_bits {
    uint64_t *bits;
    size_t words;
};

static void add_drugs(uint64_t *bits, const struct drug_list *list)
{
    for (unsigned i = 0; i < list->count; i++)
        bits[list->drugs[i]->index / 64] |= UINT64_C(1) << list->drugs[i]->index % 64;
}

static void add_bits(uint64_t *to, const uint64_t *from, size_t words)
{
    for (size_t i = 0; i < words; i++)
        to[i] |= from[i];
}

static bool is_empty(const uint64_t *bits, size_t words)
{
    uint64_t any = 0;
    for (size_t i = 0; i < words; i++)
        any |= bits[i];
    return any == 0;
}

/* A disease above lists what those within it list; one without a row of its own has the list of
 * the disease above.  Own rows are spread upwards first, then lists downwards to the empty ones. */
static void inherit(struct mapping *mapping, struct drug_bits listed)
{
    uint64_t *own = listed.bits;
    size_t words = listed.words;
    uint64_t *spread = own + words * mapping->disease_count;
    memcpy(spread, own, words * mapping->disease_count * sizeof own[0]);
    for (unsigned i = 0; i < mapping->disease_count; i++)
        for (const struct disease *up = mapping->diseases[i].within; up != NULL; up = up->within)
            add_bits(spread + words * up->index, own + words * i, words);
    for (unsigned i = 0; i < mapping->disease_count; i++) {
        const struct disease *from = &mapping->diseases[i];
        while (is_empty(spread + words * from->index, words) && from->within != NULL)
            from = from->within;
        mapping->diseases[i].listed = spread + words * from->index;
        for (unsigned d = 0; d < mapping->drug_count; d++)
            if ((mapping->diseases[i].listed[d / 64] >> d % 64 & 1) != 0)
                mapping->diseases[i].listed_traits |= mapping->drugs[d].drug.traits;
    }
}

static bool disease_drugs_load(struct mapping_build *build, struct mapping_files files,
                               struct table_errors *errors)
{
    struct table table;
    struct mapping *mapping = build->mapping;
    if (!mapping_table(build, &disease_drugs_schema, files, &table, errors))
        return false;
    size_t words = mapping->drug_count / 64 + 1;
    uint64_t *listed = ARENA_ARRAY(build->arena, uint64_t, 2 * words * mapping->disease_count);
    uint64_t *identifying = ARENA_ARRAY(build->arena, uint64_t, words * mapping->disease_count);
    if (listed == NULL || identifying == NULL)
        return true; /* mapping_load() looks at the arena at its end */

    const struct disease_drugs_row *rows = table.rows;
    bool ok = true;
    for (size_t i = 0; i < table.count; i++) {
        struct cell_place place = { DISEASE_DRUGS_FILE, table.lines[i], "disease" };
        const struct disease *disease = NULL;
        struct drug_list list = { NULL, 0 };
        ok = build_one_disease(build, place, rows[i].disease, &disease, errors) && ok;
        place.column = "ingredients";
        ok = build_drug_list(build, place, rows[i].ingredients, &list, errors) && ok;
        if (disease != NULL)
            add_drugs((rows[i].use == 0 ? listed : identifying) + words * disease->index, &list);
    }
    for (unsigned i = 0; i < mapping->disease_count; i++)
        mapping->diseases[i].identifying = identifying + words * i;
    inherit(mapping, (struct drug_bits){ listed, words });
    return ok;
}

bool diseases_load(struct mapping_build *build, struct mapping_files files,
                   struct table_errors *errors)
{
    struct table table;
    if (!mapping_table(build, &disease_schema, files, &table, errors))
        return false;
    struct mapping *mapping = build->mapping;
    mapping->disease_count = (unsigned)table.count;
    mapping->disease_lines = table.lines;
    mapping->diseases = ARENA_ARRAY(build->arena, struct disease, table.count + 1);
    mapping->profile_keys = ARENA_ARRAY(build->arena, struct slice, table.count + 1);
    const struct disease **by_index =
        ARENA_ARRAY(build->arena, const struct disease *, table.count + 1);
    if (mapping->diseases == NULL || mapping->profile_keys == NULL || by_index == NULL)
        return true; /* mapping_load() looks at the arena at its end */
    if (!fill_diseases(build, &table, errors))
        return false;
    for (unsigned i = 0; i < mapping->disease_count; i++)
        by_index[i] = &mapping->diseases[i];
    build->rules->diseases = by_index;
    build->rules->disease_count = mapping->disease_count;
    return disease_drugs_load(build, files, errors);
}
