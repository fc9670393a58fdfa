/* hiv.tsv and antiretrovirals.tsv: the rules of antiretroviral therapy. */
#include <stdlib.h>

#include "mapping/numbers.h"

#define HIV_FILE "mappings/hiv.tsv"
#define ARV_FILE "mappings/antiretrovirals.tsv"

#define IN_HIV(member) offsetof(struct hiv_rules, member)
static const struct number_name hiv_numbers[] = {
    { "regimen_stable", "days", IN_HIV(regimen_stable) },
    { "regimen_drugs", "drugs", IN_HIV(regimen_drugs) },
    { "pep", "days", IN_HIV(pep) },
    { "late_line", "line", IN_HIV(late_line) },
    { "salvage_line", "line", IN_HIV(salvage_line) },
    { "failure_copies", "copies/mL", IN_HIV(failure_copies) },
    { "failure_after", "days", IN_HIV(failure_after) },
    { "failure_apart", "days", IN_HIV(failure_apart) },
    { "confirmed_copies", "copies/mL", IN_HIV(confirmed_copies) },
    { "confirmed_after", "days", IN_HIV(confirmed_after) },
    { "leftover", "days", IN_HIV(leftover) },
    { "pregnancy", "days", IN_HIV(pregnancy) },
    { "doses_twice", "doses/1000d", IN_HIV(doses_twice) },
};

static const char *const kind_words[] = { "nrti",  "nnrti",  "pi",      "insti",
                                          "entry", "capsid", "booster", NULL };
static const char *const boosted_words[] = { "never", "with_booster", "always", NULL };
static const char *const twice_words[] = { "usual", "resistance", "resistance_or_inducer", NULL };
static const char *const alone_words[] = { "-", "prep", "hepatitis_b", NULL };

struct arv_row {
    struct slice ingredient, label, source;
    uint8_t kind, boosted, twice_daily, alone;
    bool is_signal, is_pair;
};

static const struct column arv_columns[] = {
    { "ingredient", CELL_TEXT, offsetof(struct arv_row, ingredient), NULL },
    { "label", CELL_TEXT, offsetof(struct arv_row, label), NULL },
    { "kind", CELL_WORD, offsetof(struct arv_row, kind), kind_words },
    { "boosted", CELL_WORD, offsetof(struct arv_row, boosted), boosted_words },
    { "signal", CELL_YES_NO, offsetof(struct arv_row, is_signal), NULL },
    { "twice_daily", CELL_WORD, offsetof(struct arv_row, twice_daily), twice_words },
    { "alone", CELL_WORD, offsetof(struct arv_row, alone), alone_words },
    { "pair", CELL_YES_NO, offsetof(struct arv_row, is_pair), NULL },
    { "source", CELL_TEXT, offsetof(struct arv_row, source), NULL },
};

static const struct table_schema arv_schema = { ARV_FILE, sizeof(struct arv_row), arv_columns,
                                                COUNT_OF(arv_columns), 1 };

static int by_drug(const void *a, const void *b)
{
    uint32_t left = ((const struct arv *)a)->drug->index;
    uint32_t right = ((const struct arv *)b)->drug->index;
    return left < right ? -1 : left > right;
}

static bool read_arv(struct mapping_build *build, const struct arv_row *row, unsigned line,
                     struct arv *out, struct table_errors *errors)
{
    struct cell_place place = { ARV_FILE, line, "ingredient" };
    *out = (struct arv){ .kind = (enum arv_kind)row->kind,
                         .boosted = (enum arv_boosted)row->boosted,
                         .twice_daily = (enum arv_twice_daily)row->twice_daily,
                         .alone = (enum arv_alone)row->alone,
                         .is_signal = row->is_signal,
                         .is_second_line_pair = row->is_pair,
                         .label = row->label };
    if (!build_one_drug(build, place, row->ingredient, &out->drug, errors))
        return false;
    if (out->drug->group == DRUG_ANTIRETROVIRAL)
        return true;
    table_complain(errors, ARV_FILE, line, "ingredient",
                   "'%.*s' is not of group antiretroviral in drugs.tsv",
                   SLICE_ARGS(row->ingredient));
    return false;
}

/* A drug of the group without a row would be ordered and belong nowhere. */
static bool check_complete(const struct mapping_build *build, const struct hiv_rules *rules,
                           struct table_errors *errors)
{
    bool ok = true;
    for (unsigned i = 0; i < build->mapping->drug_count; i++) {
        const struct drug *drug = &build->mapping->drugs[i].drug;
        if (drug->group != DRUG_ANTIRETROVIRAL || hiv_arv(rules, drug) != NULL)
            continue;
        table_complain(errors, ARV_FILE, 0, "ingredient", "'%.*s' of drugs.tsv has no row",
                       SLICE_ARGS(drug->name));
        ok = false;
    }
    return ok;
}

bool hiv_load(struct mapping_build *build, struct mapping_files files, struct table_errors *errors)
{
    struct hiv_rules *rules = &build->rules->hiv;
    struct table table;
    bool ok =
        numbers_load(build, files, HIV_FILE, hiv_numbers, COUNT_OF(hiv_numbers), rules, errors);
    if (!mapping_table(build, &arv_schema, files, &table, errors))
        return false;
    const struct arv_row *rows = table.rows;
    struct arv *arvs = ARENA_ARRAY(build->arena, struct arv, table.count + 1);
    if (arvs == NULL)
        return false; /* mapping_load() tells of a full arena */
    unsigned count = 0;
    for (size_t i = 0; i < table.count; i++) {
        if (!read_arv(build, &rows[i], table.lines[i], &arvs[count], errors)) {
            ok = false;
            continue;
        }
        count++;
    }
    qsort(arvs, count, sizeof arvs[0], by_drug);
    for (unsigned i = 1; i < count; i++) {
        if (arvs[i].drug != arvs[i - 1].drug)
            continue;
        table_complain(errors, ARV_FILE, 0, "ingredient", "'%.*s' has two rows",
                       SLICE_ARGS(arvs[i].drug->name));
        ok = false;
    }
    rules->arvs = arvs;
    rules->arv_count = count;
    return check_complete(build, rules, errors) && ok;
}
