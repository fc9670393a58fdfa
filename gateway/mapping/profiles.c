/* profiles.tsv, parameters.tsv and sources.tsv: the numbers of the engine. */
#include "mapping/profiles_int.h"

#define PROFILES_FILE "mappings/profiles.tsv"
#define PARAMETERS_FILE "mappings/parameters.tsv"
#define SOURCES_FILE "mappings/sources.tsv"

static const char *const basis_words[] = { "any_line",
                                           "advanced_line",
                                           "advanced_line_or_early_recurrence",
                                           "castration_resistant_line",
                                           "none",
                                           NULL };
static const char *const basis_texts[] = { "any_line>=2", "advanced_line>=2",
                                           "advanced_line>=2_or_early_recurrence",
                                           "castration_resistant_line>=2", "none" };

#define IN_PROFILE(member) \
    (offsetof(struct profile_row, profile) + offsetof(struct profile, member))
#define IN_ROW(member) offsetof(struct profile_row, member)

/* clang-format off */
static const struct column profile_columns[] = {
    { "key", CELL_TEXT, IN_PROFILE(key), NULL },
    { "window", CELL_DAYS, IN_PROFILE(window), NULL },
    { "gap", CELL_OPTIONAL_DAYS, IN_PROFILE(gap), NULL },
    { "gap_line3plus", CELL_OPTIONAL_DAYS, IN_PROFILE(gap_line3plus), NULL },
    { "gap_exempt", CELL_TEXT, IN_ROW(gap_exempt), NULL },
    { "backbone", CELL_TEXT, IN_ROW(backbone), NULL },
    { "merge_identical", CELL_YES_NO, IN_PROFILE(merge_identical), NULL },
    { "any_change_advances", CELL_YES_NO, IN_PROFILE(any_change_advances), NULL },
    { "phases_same_line", CELL_YES_NO, IN_PROFILE(phases_same_line), NULL },
    { "two_cycle_rule", CELL_YES_NO, IN_PROFILE(two_cycle_rule), NULL },
    { "cycle_gap", CELL_DAYS, IN_PROFILE(cycle_gap), NULL },
    { "parpi_after_bevacizumab", CELL_YES_NO, IN_PROFILE(parpi_after_bevacizumab), NULL },
    { "infer_relapse", CELL_YES_NO, IN_PROFILE(infer_relapse), NULL },
    { "supplement_base", CELL_TEXT, IN_ROW(supplement_base), NULL },
    { "supplement_days", CELL_OPTIONAL_DAYS, IN_PROFILE(supplement_days), NULL },
    { "rechallenge", CELL_TEXT, IN_ROW(rechallenge), NULL },
    { "rechallenge_after", CELL_OPTIONAL_DAYS, IN_PROFILE(rechallenge_after), NULL },
    { "platinum_refractory", CELL_OPTIONAL_DAYS, IN_PROFILE(platinum_refractory), NULL },
    { "platinum_resistant", CELL_OPTIONAL_DAYS, IN_PROFILE(platinum_resistant), NULL },
    { "transplant_bundle", CELL_YES_NO, IN_PROFILE(transplant_bundle), NULL },
    { "cart_bundle", CELL_YES_NO, IN_PROFILE(cart_bundle), NULL },
    { "post_transplant", CELL_OPTIONAL_DAYS, IN_PROFILE(post_transplant_maintenance), NULL },
    { "second_transplant_is_line", CELL_YES_NO, IN_PROFILE(second_transplant_is_line), NULL },
    { "second_transplant_same_line", CELL_OPTIONAL_DAYS,
      IN_PROFILE(second_transplant_same_line), NULL },
    { "planned_tandem", CELL_OPTIONAL_DAYS, IN_PROFILE(planned_tandem), NULL },
    { "refractory_days", CELL_OPTIONAL_DAYS, IN_PROFILE(refractory_days), NULL },
    { "early_failure_days", CELL_OPTIONAL_DAYS, IN_PROFILE(early_failure_days), NULL },
    { "perioperative_failure_days", CELL_OPTIONAL_DAYS,
      IN_PROFILE(perioperative_failure_days), NULL },
    { "basis", CELL_WORD, IN_ROW(basis), basis_words },
    { "source", CELL_TEXT, IN_PROFILE(source), NULL },
};
/* clang-format on */

const struct table_schema profile_schema = { PROFILES_FILE, sizeof(struct profile_row),
                                             profile_columns, COUNT_OF(profile_columns), 1 };

struct parameter_row {
    struct slice name, source;
    int32_t days;
};

static const struct column parameter_columns[] = {
    { "name", CELL_TEXT, offsetof(struct parameter_row, name), NULL },
    { "days", CELL_DAYS, offsetof(struct parameter_row, days), NULL },
    { "source", CELL_TEXT, offsetof(struct parameter_row, source), NULL },
};

static const struct table_schema parameter_schema = { PARAMETERS_FILE, sizeof(struct parameter_row),
                                                      parameter_columns,
                                                      COUNT_OF(parameter_columns), 1 };

static const struct {
    const char *name;
    size_t offset;
} parameters[] = {
    { "era_persistence", offsetof(struct rules, era_persistence) },
    { "stale_open", offsetof(struct rules, stale_open) },
    { "fulfil_slack", offsetof(struct rules, fulfil_slack) },
    { "cell_order_lookback", offsetof(struct rules, cell_order_lookback) },
    { "relapse_lookahead", offsetof(struct rules, relapse_lookahead) },
    { "conditioning_lookahead", offsetof(struct rules, conditioning_lookahead) },
    { "diagnosis_lookback", offsetof(struct rules, diagnosis_lookback) },
    { "metastasis_with_primary", offsetof(struct rules, metastasis_with_primary) },
    { "short_line", offsetof(struct rules, short_line) },
    { "perioperative_gap", offsetof(struct rules, perioperative_gap) },
};

struct source_row {
    struct slice key, citation;
};

static const struct column source_columns[] = {
    { "key", CELL_TEXT, offsetof(struct source_row, key), NULL },
    { "citation", CELL_TEXT, offsetof(struct source_row, citation), NULL },
};

static const struct table_schema source_schema = { SOURCES_FILE, sizeof(struct source_row),
                                                   source_columns, COUNT_OF(source_columns), 1 };

/* --- shared with profile_rules.c ------------------------------------------------------------- */

bool profile_drugs(struct profile_build *context, struct cell_place place, struct slice cell,
                   struct drug_set *out)
{
    struct drug_list list;
    if (slice_is(cell, "-"))
        return true;
    if (!build_drug_list(context->build, place, cell, &list, context->errors))
        return false;
    out->drugs = list.drugs;
    out->drug_count = list.count;
    return true;
}

struct profile *profile_by_key(struct profile_build *context, struct cell_place place,
                               struct slice key)
{
    for (unsigned i = 0; i < context->profile_count; i++)
        if (slice_eq(context->profiles[i].key, key))
            return &context->profiles[i];
    table_complain(context->errors, place.file, place.line, place.column,
                   "'%.*s' is not a key of profiles.tsv", SLICE_ARGS(key));
    return NULL;
}

/* The keys are few and the rows too: sources.tsv is read again instead of kept. */
static bool has_source(const struct table *sources, struct slice key)
{
    const struct source_row *rows = sources->rows;
    for (size_t i = 0; i < sources->count; i++)
        if (slice_eq(rows[i].key, key))
            return true;
    return false;
}

bool profile_sources(struct profile_build *context, struct cell_place place, struct slice cell)
{
    struct table sources;
    struct table_errors ignored = { .count = 0 };
    if (!mapping_table(context->build, &source_schema, context->files, &sources, &ignored))
        return true; /* told once, by profiles_load() */
    bool ok = true;
    while (cell.len > 0) {
        struct slice key = slice_take_until(&cell, ';');
        if (has_source(&sources, key))
            continue;
        table_complain(context->errors, place.file, place.line, place.column,
                       "'%.*s' is not a key of sources.tsv", SLICE_ARGS(key));
        ok = false;
    }
    return ok;
}

/* --- profiles -------------------------------------------------------------------------------- */

static bool take_drugs(struct profile_build *context, struct cell_place place, const char *column,
                       struct slice cell, struct drug_set *out)
{
    place.column = column;
    if (cell.len == 0)
        return true;
    *out = (struct drug_set){ .drug_count = 0 };
    return profile_drugs(context, place, cell, out);
}

bool profile_take_row(struct profile_build *context, struct cell_place place,
                      const struct profile_row *row, struct profile *out)
{
    out->basis = (enum salvage_basis)row->basis;
    out->basis_text = slice_of(basis_texts[row->basis]);
    bool ok = take_drugs(context, place, "gap_exempt", row->gap_exempt, &out->gap_exempt);
    ok = take_drugs(context, place, "backbone", row->backbone, &out->backbone) && ok;
    out->ignore_backbone_for_lines = out->backbone.drug_count > 0;
    ok = take_drugs(context, place, "supplement_base", row->supplement_base,
                    &out->supplement_base) &&
         ok;
    return take_drugs(context, place, "rechallenge", row->rechallenge, &out->rechallenge) && ok;
}

static bool read_profile(struct profile_build *context, const struct profile_row *row,
                         unsigned line, struct profile *out)
{
    struct cell_place place = { PROFILES_FILE, line, "source" };
    *out = row->profile;
    out->line = line;
    out->rules = SLICE("lifeline");
    out->later_window = RULE_OFF;
    bool ok = profile_take_row(context, place, row, out);
    return profile_sources(context, place, row->profile.source) && ok;
}

static bool read_profiles(struct profile_build *context, const struct table *table)
{
    const struct profile_row *rows = table->rows;
    struct rules *rules = context->build->rules;
    bool ok = true;
    context->profiles = ARENA_ARRAY(context->build->arena, struct profile, table->count + 1);
    if (context->profiles == NULL)
        return false; /* mapping_load() tells of a full arena */
    for (unsigned i = 0; i < table->count; i++) {
        struct cell_place place = { PROFILES_FILE, table->lines[i], "key" };
        for (unsigned k = 0; k < i; k++) {
            if (!slice_eq(rows[k].profile.key, rows[i].profile.key))
                continue;
            table_complain(context->errors, place.file, place.line, place.column,
                           "'%.*s' is in an earlier row already", SLICE_ARGS(rows[i].profile.key));
            ok = false;
        }
        ok = read_profile(context, &rows[i], table->lines[i], &context->profiles[i]) && ok;
        context->profile_count++;
        if (slice_is(rows[i].profile.key, "generic"))
            rules->generic = &context->profiles[i];
    }
    if (rules->generic == NULL) {
        table_complain(context->errors, PROFILES_FILE, 0, "key",
                       "'generic' is missing: it serves diseases without rules of their own");
        ok = false;
    }
    rules->name = SLICE("lifeline");
    rules->title = SLICE("the rules of profiles.tsv");
    rules->profiles = context->build->mapping->profiles = context->profiles;
    rules->profile_count = context->profile_count;
    return ok;
}

/* --- parameters ------------------------------------------------------------------------------ */

static bool read_parameters(struct profile_build *context, const struct table *table)
{
    const struct parameter_row *rows = table->rows;
    char *rules = (char *)context->build->rules;
    bool is_given[COUNT_OF(parameters)] = { false }, ok = true;
    for (size_t i = 0; i < table->count; i++) {
        struct cell_place place = { PARAMETERS_FILE, table->lines[i], "source" };
        size_t at = 0;
        while (at < COUNT_OF(parameters) && !slice_is(rows[i].name, parameters[at].name))
            at++;
        ok = profile_sources(context, place, rows[i].source) && ok;
        if (at == COUNT_OF(parameters) || is_given[at]) {
            table_complain(context->errors, PARAMETERS_FILE, table->lines[i], "name",
                           at == COUNT_OF(parameters) ? "'%.*s' is not a parameter of the engine"
                                                      : "'%.*s' is in an earlier row already",
                           SLICE_ARGS(rows[i].name));
            ok = false;
            continue;
        }
        is_given[at] = true;
        memcpy(rules + parameters[at].offset, &rows[i].days, sizeof rows[i].days);
    }
    for (size_t at = 0; at < COUNT_OF(parameters); at++) {
        if (is_given[at])
            continue;
        table_complain(context->errors, PARAMETERS_FILE, 0, "name", "'%s' is missing",
                       parameters[at].name);
        ok = false;
    }
    return ok;
}

bool profiles_load(struct mapping_build *build, const struct mapping_file *files, unsigned count,
                   struct table_errors *errors)
{
    struct profile_build context = { .build = build, .files = { files, count }, .errors = errors };
    struct table table;
    bool ok = mapping_table(build, &source_schema, context.files, &table, errors);
    if (mapping_table(build, &parameter_schema, context.files, &table, errors))
        ok = read_parameters(&context, &table) && ok;
    else
        ok = false;
    if (!mapping_table(build, &profile_schema, context.files, &table, errors))
        return false;
    ok = read_profiles(&context, &table) && ok;
    return profile_rules_load(&context) && ok;
}
