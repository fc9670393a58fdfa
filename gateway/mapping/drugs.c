#include <stdlib.h>

#include "mapping/mapping_int.h"

#define DRUG_FILE "mappings/drugs.tsv"

const char *const drug_trait_words[] = {
#define X(name, word) word,
    DRUG_TRAIT_TABLE(X)
#undef X
        NULL
};

const char *const drug_group_words[] = {
    "antineoplastic", "endocrine", "supportive", "immunosuppressant",
    "antiretroviral", "dialysis",  NULL
};

/* The class of hyaluronidases: they carry an antibody under the skin and name no therapy. */
#define CARRIER_CLASS "SC permeation enhancer"

struct drug_row {
    struct slice name, drug_class, rxnorm, rolls_up_to, source;
    uint8_t group;
    uint32_t traits;
    int32_t tail_days;
};

static const struct column drug_columns[] = {
    { "ingredient", CELL_TEXT, offsetof(struct drug_row, name), NULL },
    { "group", CELL_WORD, offsetof(struct drug_row, group), drug_group_words },
    { "class", CELL_TEXT, offsetof(struct drug_row, drug_class), NULL },
    { "traits", CELL_WORDS, offsetof(struct drug_row, traits), drug_trait_words },
    { "tail_days", CELL_DAYS, offsetof(struct drug_row, tail_days), NULL },
    { "rxnorm", CELL_TEXT, offsetof(struct drug_row, rxnorm), NULL },
    { "rolls_up_to", CELL_TEXT, offsetof(struct drug_row, rolls_up_to), NULL },
    { "source", CELL_TEXT, offsetof(struct drug_row, source), NULL },
};

static const struct table_schema drug_schema = { DRUG_FILE, sizeof(struct drug_row), drug_columns,
                                                 COUNT_OF(drug_columns), 1 };

/* A row and the line it came from, to be sorted by name. */
struct sorted_row {
    const struct drug_row *row;
    unsigned line;
};

static int by_name(const void *a, const void *b)
{
    return slice_cmp(((const struct sorted_row *)a)->row->name,
                     ((const struct sorted_row *)b)->row->name);
}

static struct sorted_row *sort_rows(const struct mapping_build *build, const struct table *table)
{
    struct sorted_row *sorted = ARENA_ARRAY(build->arena, struct sorted_row, table->count + 1);
    const struct drug_row *rows = table->rows;
    for (size_t i = 0; sorted != NULL && i < table->count; i++)
        sorted[i] = (struct sorted_row){ &rows[i], table->lines[i] };
    if (sorted != NULL)
        qsort(sorted, table->count, sizeof sorted[0], by_name);
    return sorted;
}

static void fill_drug(struct known_drug *known, uint32_t index, const struct drug_row *row)
{
    known->drug = (struct drug){
        .index = index,
        .name = row->name,
        .group = (enum drug_group)row->group,
        .drug_class = row->drug_class,
        .traits = row->traits,
        .tail_days = (uint16_t)row->tail_days,
    };
    known->is_carrier = slice_is(row->drug_class, CARRIER_CLASS);
}

static bool put_rxnorm(struct mapping_build *build, const struct sorted_row *sorted,
                       const struct known_drug *known, struct table_errors *errors)
{
    struct slice rxcui = sorted->row->rxnorm;
    if (slice_is(rxcui, "-"))
        return true;
    struct drug_code *code = ARENA_NEW(build->arena, struct drug_code);
    const struct drug **drugs = ARENA_ARRAY(build->arena, const struct drug *, 1);
    if (code == NULL || drugs == NULL)
        return true; /* mapping_load() looks at the arena at its end */
    drugs[0] = &known->drug;
    *code = (struct drug_code){ drugs, 1, RANK_INGREDIENT, true };
    if (index_put(&build->mapping->drug_codes, CODE_RXNORM, rxcui, code))
        return true;
    table_complain(errors, DRUG_FILE, sorted->line, "rxnorm", "'%.*s' is in an earlier row already",
                   SLICE_ARGS(rxcui));
    return false;
}

/* Whatever the order of the rows, indexes follow the names: so an edit that moves rows changes
 * nothing else. */
static bool fill_drugs(struct mapping_build *build, const struct sorted_row *sorted,
                       struct table_errors *errors)
{
    struct mapping *mapping = build->mapping;
    bool ok = true;
    for (unsigned i = 0; i < mapping->drug_count; i++) {
        struct known_drug *known = &mapping->drugs[i];
        fill_drug(known, i, sorted[i].row);
        if (!index_put(&mapping->drug_names, 0, known->drug.name, known)) {
            table_complain(errors, DRUG_FILE, sorted[i].line, "ingredient",
                           "'%.*s' is in another row too", SLICE_ARGS(known->drug.name));
            ok = false;
        }
        ok = put_rxnorm(build, &sorted[i], known, errors) && ok;
    }
    for (unsigned i = 0; i < mapping->drug_count; i++) {
        struct slice parent = sorted[i].row->rolls_up_to;
        if (slice_is(parent, "-"))
            continue;
        struct cell_place place = { DRUG_FILE, sorted[i].line, "rolls_up_to" };
        ok = build_one_drug(build, place, parent, &mapping->drugs[i].rolls_up_to, errors) && ok;
    }
    return ok;
}

static bool name_ends(const struct drug *drug, struct slice end)
{
    struct slice name = drug->name;
    return name.len > end.len && slice_eq(slice_skip(name, name.len - end.len), end);
}

/* "doxorubicin liposomal" rolls up to doxorubicin: the text look-up needs the way back. */
static void tie_forms(struct mapping *mapping)
{
    for (unsigned i = 0; i < mapping->drug_count; i++) {
        const struct drug *form = &mapping->drugs[i].drug;
        if (mapping->drugs[i].rolls_up_to == NULL)
            continue;
        struct known_drug *plain = &mapping->drugs[mapping->drugs[i].rolls_up_to->index];
        if (name_ends(form, SLICE(" liposomal")))
            plain->liposomal = form;
        if (name_ends(form, SLICE(" protein-bound")))
            plain->protein_bound = form;
        if (name_ends(form, SLICE(" oral")))
            plain->oral_form = form;
    }
}

/* Two names with one stem would tell nothing in another language: neither is found by it. */
static void put_stem(struct mapping_build *build, const struct drug_code *code)
{
    static const struct drug_code ambiguous = { .count = 0 };
    struct code_index *stems = &build->mapping->drug_stems;
    char room[WORD_STEM_MAX];
    struct words words;
    words_split(code->drugs[0]->name, &words);
    struct slice stem = words.count == 1 ? word_stem(words_span(&words, 0, 1), room) : SLICE("");
    if (stem.len == 0)
        return;
    if (!index_put(stems, 0, arena_copy(build->arena, stem), code))
        index_set(stems, 0, stem, &ambiguous);
}

/* An ingredient's own name is an alias of it. */
static void put_names(struct mapping_build *build)
{
    struct mapping *mapping = build->mapping;
    for (unsigned i = 0; i < mapping->drug_count; i++) {
        struct drug_code *code = ARENA_NEW(build->arena, struct drug_code);
        const struct drug **drugs = ARENA_ARRAY(build->arena, const struct drug *, 1);
        if (code == NULL || drugs == NULL)
            return;
        drugs[0] = &mapping->drugs[i].drug;
        *code = (struct drug_code){ drugs, 1, RANK_INGREDIENT, true };
        /* Names that differ in punctuation only are a fault of the table that a test finds. */
        (void)!words_put(&mapping->drug_words, build->arena, drugs[0]->name, code);
        put_stem(build, code);
    }
}

bool drugs_load(struct mapping_build *build, struct mapping_files files,
                struct table_errors *errors)
{
    struct table table;
    if (!mapping_table(build, &drug_schema, files, &table, errors))
        return false;
    struct mapping *mapping = build->mapping;
    mapping->drug_count = (unsigned)table.count;
    mapping->drugs = ARENA_ARRAY(build->arena, struct known_drug, table.count + 1);
    struct sorted_row *sorted = sort_rows(build, &table);
    if (mapping->drugs == NULL || sorted == NULL)
        return true; /* mapping_load() looks at the arena at its end */
    if (!fill_drugs(build, sorted, errors))
        return false;
    tie_forms(mapping);
    put_names(build);
    return true;
}

/* --- look-up for the other loaders ----------------------------------------------------------- */

const struct drug *build_drug(const struct mapping_build *build, struct slice name)
{
    const struct known_drug *known = index_find(&build->mapping->drug_names, 0, name);
    return known != NULL ? &known->drug : NULL;
}

/* How many bytes two names share at their beginning: enough to suggest what was meant. */
static size_t common_start(struct slice a, struct slice b)
{
    size_t n = 0;
    while (n < a.len && n < b.len && a.at[n] == b.at[n])
        n++;
    return n;
}

bool build_one_drug(const struct mapping_build *build, struct cell_place place, struct slice cell,
                    const struct drug **out, struct table_errors *errors)
{
    const struct drug *drug = build_drug(build, cell);
    if (drug != NULL) {
        *out = drug;
        return true;
    }
    const struct drug *nearest = NULL;
    size_t best = 2; /* sharing two letters suggests nothing */
    for (unsigned i = 0; i < build->mapping->drug_count; i++) {
        const struct drug *candidate = &build->mapping->drugs[i].drug;
        size_t shared = common_start(cell, candidate->name);
        if (shared > best) {
            best = shared;
            nearest = candidate;
        }
    }
    int shown = cell.len > 60 ? 60 : (int)cell.len;
    if (nearest != NULL)
        table_complain(errors, place.file, place.line, place.column,
                       "'%.*s' is not an ingredient of drugs.tsv; the nearest is '%.*s'", shown,
                       cell.at, SLICE_ARGS(nearest->name));
    else
        table_complain(errors, place.file, place.line, place.column,
                       "'%.*s' is not an ingredient of drugs.tsv", shown, cell.at);
    return false;
}

/* Sorted insert; a name given twice stands once. */
static void add_sorted(const struct drug **drugs, unsigned *count, const struct drug *drug)
{
    unsigned at = *count;
    for (; at > 0 && drugs[at - 1]->index > drug->index; at--)
        continue;
    if (at > 0 && drugs[at - 1] == drug)
        return;
    memmove(&drugs[at + 1], &drugs[at], (*count - at) * sizeof drugs[0]);
    drugs[at] = drug;
    (*count)++;
}

static unsigned count_names(struct slice cell)
{
    unsigned count = cell.len > 0 ? 1 : 0;
    for (size_t i = 0; i < cell.len; i++)
        count += cell.at[i] == ';';
    return count;
}

bool build_drug_list(const struct mapping_build *build, struct cell_place place, struct slice cell,
                     struct drug_list *out, struct table_errors *errors)
{
    /* Thousands of products have the same few lists: each is made once. */
    const struct drug_list *seen = index_find(&build->mapping->lists, 0, cell);
    if (seen != NULL) {
        *out = *seen;
        return true;
    }
    struct drug_list *list = ARENA_NEW(build->arena, struct drug_list);
    const struct drug **drugs =
        ARENA_ARRAY(build->arena, const struct drug *, count_names(cell) + 1);
    if (list == NULL || drugs == NULL)
        return false;
    bool ok = true;
    unsigned count = 0;
    for (struct slice rest = cell; rest.len > 0;) {
        struct slice name = slice_take_until(&rest, ';');
        while (name.len > 0 && name.at[0] == ' ')
            name = slice_skip(name, 1);
        const struct drug *drug;
        if (build_one_drug(build, place, name, &drug, errors))
            add_sorted(drugs, &count, drug);
        else
            ok = false;
    }
    if (!ok)
        return false;
    *list = (struct drug_list){ drugs, count };
    index_set(&build->mapping->lists, 0, cell, list);
    *out = *list;
    return true;
}
