/* status_labels.tsv, cumulative.tsv and options.tsv: what a verdict adds to its grade. */
#include "mapping/profiles_int.h"

#define LABELS_FILE "mappings/status_labels.tsv"
#define CUMULATIVE_FILE "mappings/cumulative.tsv"
#define OPTIONS_FILE "mappings/options.tsv"

static const char *const since_words[] = { "drug", "transplant", "line", NULL };

struct label_row {
    struct slice profile, label, ingredients, lines, source;
    uint32_t traits;
    int32_t to_days;
    uint8_t since;
};

static const struct column label_columns[] = {
    { "profile", CELL_TEXT, offsetof(struct label_row, profile), NULL },
    { "label", CELL_TEXT, offsetof(struct label_row, label), NULL },
    { "since", CELL_WORD, offsetof(struct label_row, since), since_words },
    { "ingredients", CELL_TEXT, offsetof(struct label_row, ingredients), NULL },
    { "traits", CELL_WORDS, offsetof(struct label_row, traits), drug_trait_words },
    { "lines", CELL_TEXT, offsetof(struct label_row, lines), NULL },
    { "to_days", CELL_DAYS, offsetof(struct label_row, to_days), NULL },
    { "source", CELL_TEXT, offsetof(struct label_row, source), NULL },
};
static const struct table_schema label_schema = { LABELS_FILE, sizeof(struct label_row),
                                                  label_columns, COUNT_OF(label_columns), 2 };

struct cumulative_row {
    struct slice exposure, ingredient, source;
    int32_t factor;
};

static const struct column cumulative_columns[] = {
    { "exposure", CELL_TEXT, offsetof(struct cumulative_row, exposure), NULL },
    { "ingredient", CELL_TEXT, offsetof(struct cumulative_row, ingredient), NULL },
    { "factor_hundredths", CELL_OPTIONAL_DAYS, offsetof(struct cumulative_row, factor), NULL },
    { "source", CELL_TEXT, offsetof(struct cumulative_row, source), NULL },
};
static const struct table_schema cumulative_schema = { CUMULATIVE_FILE,
                                                       sizeof(struct cumulative_row),
                                                       cumulative_columns,
                                                       COUNT_OF(cumulative_columns), 2 };

struct option_row {
    struct slice option, name, source;
    uint32_t traits;
};

static const struct column option_columns[] = {
    { "option", CELL_TEXT, offsetof(struct option_row, option), NULL },
    { "name", CELL_TEXT, offsetof(struct option_row, name), NULL },
    { "traits", CELL_WORDS, offsetof(struct option_row, traits), drug_trait_words },
    { "source", CELL_TEXT, offsetof(struct option_row, source), NULL },
};
static const struct table_schema option_schema = { OPTIONS_FILE, sizeof(struct option_row),
                                                   option_columns, COUNT_OF(option_columns), 1 };

/* --- labels ---------------------------------------------------------------------------------- */

static bool read_label(struct profile_build *context, const struct label_row *row, unsigned line,
                       struct status_label *out)
{
    struct cell_place place = { LABELS_FILE, line, "profile" };
    const struct profile *profile = profile_by_key(context, place, row->profile);
    *out = (struct status_label){ .profile = row->profile,
                                  .label = row->label,
                                  .since = (enum label_since)row->since,
                                  .set = { .traits = row->traits },
                                  .to_days = row->to_days,
                                  .source = row->source };
    place.column = "ingredients";
    bool ok = profile_drugs(context, place, row->ingredients, &out->set);
    bool has_drugs = out->set.drug_count > 0 || row->traits != 0;
    if (ok && has_drugs != (out->since == SINCE_DRUG)) {
        table_complain(context->errors, LABELS_FILE, line, place.column,
                       has_drugs ? "belongs to 'drug' only"
                                 : "names no drug, and there is no trait");
        ok = false;
    }
    place.column = "lines";
    ok = profile_lines(context, place, row->lines, &out->lines) && ok;
    place.column = "source";
    return profile_sources(context, place, row->source) && profile != NULL && ok;
}

static bool load_labels(struct profile_build *context)
{
    struct table table;
    if (!mapping_table(context->build, &label_schema, context->files, &table, context->errors))
        return false;
    struct status_label *labels =
        ARENA_ARRAY(context->build->arena, struct status_label, table.count + 1);
    if (labels == NULL)
        return true; /* mapping_load() looks at the arena at its end */
    const struct label_row *rows = table.rows;
    bool ok = true;
    for (size_t i = 0; i < table.count; i++)
        ok = read_label(context, &rows[i], table.lines[i], &labels[i]) && ok;
    context->build->rules->labels = labels;
    context->build->rules->label_count = (unsigned)table.count;
    return ok;
}

/* --- exposures that add up ------------------------------------------------------------------- */

static bool load_cumulative(struct profile_build *context)
{
    struct table table;
    if (!mapping_table(context->build, &cumulative_schema, context->files, &table, context->errors))
        return false;
    struct cumulative_rule *rules =
        ARENA_ARRAY(context->build->arena, struct cumulative_rule, table.count + 1);
    uint64_t *drugs =
        ARENA_ARRAY(context->build->arena, uint64_t, context->build->mapping->drug_count / 64 + 1);
    if (rules == NULL || drugs == NULL)
        return true; /* mapping_load() looks at the arena at its end */
    const struct cumulative_row *rows = table.rows;
    bool ok = true;
    for (size_t i = 0; i < table.count; i++) {
        struct cell_place place = { CUMULATIVE_FILE, table.lines[i], "ingredient" };
        rules[i] = (struct cumulative_rule){ .exposure = rows[i].exposure,
                                             .factor_hundredths = rows[i].factor };
        ok = build_one_drug(context->build, place, rows[i].ingredient, &rules[i].drug,
                            context->errors) &&
             ok;
        if (rules[i].drug != NULL)
            drugs[rules[i].drug->index / 64] |= UINT64_C(1) << rules[i].drug->index % 64;
        place.column = "source";
        ok = profile_sources(context, place, rows[i].source) && ok;
    }
    context->build->rules->cumulative_drugs = drugs;
    context->build->rules->cumulative = rules;
    context->build->rules->cumulative_count = (unsigned)table.count;
    return ok;
}

/* --- kinds of treatment ---------------------------------------------------------------------- */

static bool load_options(struct profile_build *context)
{
    struct table table;
    if (!mapping_table(context->build, &option_schema, context->files, &table, context->errors))
        return false;
    struct treatment_option *options =
        ARENA_ARRAY(context->build->arena, struct treatment_option, table.count + 1);
    if (options == NULL)
        return true; /* mapping_load() looks at the arena at its end */
    const struct option_row *rows = table.rows;
    bool ok = true;
    for (size_t i = 0; i < table.count; i++) {
        struct cell_place place = { OPTIONS_FILE, table.lines[i], "source" };
        options[i] = (struct treatment_option){ .key = rows[i].option,
                                                .name = rows[i].name,
                                                .traits = rows[i].traits };
        bool is_transplant = slice_is(rows[i].option, "transplant");
        if (is_transplant == (rows[i].traits != 0)) {
            table_complain(context->errors, OPTIONS_FILE, table.lines[i], "traits",
                           is_transplant ? "a transplant is no drug" : "names no trait");
            ok = false;
        }
        ok = profile_sources(context, place, rows[i].source) && ok;
    }
    context->build->rules->options = options;
    context->build->rules->option_count = (unsigned)table.count;
    return ok;
}

bool verdict_tables_load(struct mapping_build *build, struct mapping_files files,
                         struct table_errors *errors)
{
    struct profile_build context = { .build = build,
                                     .files = files,
                                     .errors = errors,
                                     .profiles = build->mapping->profiles,
                                     .profile_count = build->rules->profile_count };
    bool ok = load_labels(&context);
    ok = load_cumulative(&context) && ok;
    return load_options(&context) && ok;
}
