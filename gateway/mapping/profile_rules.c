/* substitutions.tsv, addons.tsv and maintenance.tsv: the exemptions of each profile. */
#include "mapping/profiles_int.h"

#define SUBSTITUTIONS_FILE "mappings/substitutions.tsv"
#define ADDONS_FILE "mappings/addons.tsv"
#define MAINTENANCE_FILE "mappings/maintenance.tsv"
#define LINE_NUMBER_MAX 31

struct substitution_row {
    struct slice ingredients, profiles, source;
};

static const struct column substitution_columns[] = {
    { "ingredients", CELL_TEXT, offsetof(struct substitution_row, ingredients), NULL },
    { "profiles", CELL_TEXT, offsetof(struct substitution_row, profiles), NULL },
    { "source", CELL_TEXT, offsetof(struct substitution_row, source), NULL },
};

static const struct table_schema substitution_schema = { SUBSTITUTIONS_FILE,
                                                         sizeof(struct substitution_row),
                                                         substitution_columns,
                                                         COUNT_OF(substitution_columns), 1 };

struct addon_row {
    struct slice profile, ingredients, except, source;
    uint32_t traits;
    int32_t max_days;
    bool needs_continuing, if_absent_class;
};

static const struct column addon_columns[] = {
    { "profile", CELL_TEXT, offsetof(struct addon_row, profile), NULL },
    { "ingredients", CELL_TEXT, offsetof(struct addon_row, ingredients), NULL },
    { "traits", CELL_WORDS, offsetof(struct addon_row, traits), drug_trait_words },
    { "except", CELL_TEXT, offsetof(struct addon_row, except), NULL },
    { "max_days", CELL_OPTIONAL_DAYS, offsetof(struct addon_row, max_days), NULL },
    { "needs_continuing", CELL_YES_NO, offsetof(struct addon_row, needs_continuing), NULL },
    { "if_absent_class", CELL_YES_NO, offsetof(struct addon_row, if_absent_class), NULL },
    { "source", CELL_TEXT, offsetof(struct addon_row, source), NULL },
};

static const struct table_schema addon_schema = { ADDONS_FILE, sizeof(struct addon_row),
                                                  addon_columns, COUNT_OF(addon_columns), 3 };

static const char *const kind_words[] = { "continuation", "switch", "either", "post_transplant",
                                          NULL };

struct maintenance_row {
    struct slice profile, ingredients, lines, source;
    uint32_t traits;
    int32_t max_gap, min_prior, min_length;
    bool needs_platinum, needs_poly;
    uint8_t kind;
};

static const struct column maintenance_columns[] = {
    { "profile", CELL_TEXT, offsetof(struct maintenance_row, profile), NULL },
    { "ingredients", CELL_TEXT, offsetof(struct maintenance_row, ingredients), NULL },
    { "traits", CELL_WORDS, offsetof(struct maintenance_row, traits), drug_trait_words },
    { "kind", CELL_WORD, offsetof(struct maintenance_row, kind), kind_words },
    { "lines", CELL_TEXT, offsetof(struct maintenance_row, lines), NULL },
    { "max_gap", CELL_DAYS, offsetof(struct maintenance_row, max_gap), NULL },
    { "needs_platinum", CELL_YES_NO, offsetof(struct maintenance_row, needs_platinum), NULL },
    { "needs_poly", CELL_YES_NO, offsetof(struct maintenance_row, needs_poly), NULL },
    { "min_prior", CELL_DAYS, offsetof(struct maintenance_row, min_prior), NULL },
    { "min_length", CELL_DAYS, offsetof(struct maintenance_row, min_length), NULL },
    { "source", CELL_TEXT, offsetof(struct maintenance_row, source), NULL },
};

static const struct table_schema maintenance_schema = { MAINTENANCE_FILE,
                                                        sizeof(struct maintenance_row),
                                                        maintenance_columns,
                                                        COUNT_OF(maintenance_columns), 5 };

/* --- substitutions --------------------------------------------------------------------------- */

static bool names_profile(struct slice cell, struct slice key)
{
    if (slice_is(cell, "*"))
        return true;
    while (cell.len > 0)
        if (slice_eq(slice_take_until(&cell, ';'), key))
            return true;
    return false;
}

static bool check_substitution(struct profile_build *context, const struct substitution_row *row,
                               unsigned line)
{
    struct cell_place place = { SUBSTITUTIONS_FILE, line, "ingredients" };
    struct drug_set set = { .drug_count = 0 };
    bool ok = profile_drugs(context, place, row->ingredients, &set);
    if (ok && set.drug_count < 2) {
        table_complain(context->errors, place.file, line, place.column,
                       "names fewer than two drugs");
        ok = false;
    }
    place.column = "source";
    ok = profile_sources(context, place, row->source) && ok;
    place.column = "profiles";
    for (struct slice rest = row->profiles; !slice_is(row->profiles, "*") && rest.len > 0;)
        ok = profile_by_key(context, place, slice_take_until(&rest, ';')) != NULL && ok;
    return ok;
}

static bool load_substitutions(struct profile_build *context)
{
    struct table table;
    if (!mapping_table(context->build, &substitution_schema, context->files, &table,
                       context->errors))
        return false;
    const struct substitution_row *rows = table.rows;
    bool ok = true;
    for (size_t i = 0; i < table.count; i++)
        ok = check_substitution(context, &rows[i], table.lines[i]) && ok;
    for (unsigned p = 0; ok && p < context->profile_count; p++) {
        struct substitution_group *groups =
            ARENA_ARRAY(context->build->arena, struct substitution_group, table.count + 1);
        if (groups == NULL)
            return false; /* mapping_load() tells of a full arena */
        unsigned count = 0;
        for (size_t i = 0; i < table.count; i++) {
            struct cell_place place = { SUBSTITUTIONS_FILE, table.lines[i], "ingredients" };
            if (!names_profile(rows[i].profiles, context->profiles[p].key))
                continue;
            groups[count].line = table.lines[i];
            ok = profile_drugs(context, place, rows[i].ingredients, &groups[count++].set) && ok;
        }
        context->profiles[p].substitutions = groups;
        context->profiles[p].substitution_count = count;
    }
    return ok;
}

/* --- add-ons --------------------------------------------------------------------------------- */

static bool read_addon(struct profile_build *context, const struct addon_row *row,
                       struct cell_place place, struct addon_rule *out)
{
    struct drug_set except = { .drug_count = 0 };
    place.column = "ingredients";
    *out = (struct addon_rule){ .set = { .traits = row->traits },
                                .max_days = row->max_days,
                                .needs_continuing = row->needs_continuing,
                                .if_absent_class = row->if_absent_class,
                                .source = row->source,
                                .line = place.line };
    bool ok = profile_drugs(context, place, row->ingredients, &out->set);
    if (ok && out->set.drug_count == 0 && row->traits == 0) {
        table_complain(context->errors, place.file, place.line, place.column,
                       "names no drug, and there is no trait");
        ok = false;
    }
    place.column = "except";
    ok = profile_drugs(context, place, row->except, &except) && ok;
    out->set.except = except.drugs;
    out->set.except_count = except.drug_count;
    place.column = "source";
    return profile_sources(context, place, row->source) && ok;
}

static bool load_addons(struct profile_build *context)
{
    struct table table;
    if (!mapping_table(context->build, &addon_schema, context->files, &table, context->errors))
        return false;
    const struct addon_row *rows = table.rows;
    bool ok = true;
    for (unsigned p = 0; p < context->profile_count; p++) {
        struct addon_rule *rules =
            ARENA_ARRAY(context->build->arena, struct addon_rule, table.count + 1);
        if (rules == NULL)
            return false; /* mapping_load() tells of a full arena */
        unsigned count = 0;
        for (size_t i = 0; i < table.count; i++) {
            struct cell_place place = { ADDONS_FILE, table.lines[i], "ingredients" };
            if (slice_eq(rows[i].profile, context->profiles[p].key))
                ok = read_addon(context, &rows[i], place, &rules[count++]) && ok;
        }
        context->profiles[p].addons = rules;
        context->profiles[p].addon_count = count;
    }
    for (size_t i = 0; i < table.count; i++) {
        struct cell_place place = { ADDONS_FILE, table.lines[i], "profile" };
        ok = profile_by_key(context, place, rows[i].profile) != NULL && ok;
    }
    return ok;
}

/* --- maintenance ----------------------------------------------------------------------------- */

/* "1,2" -> bits; "-" -> 0, any line. */
bool profile_lines(struct profile_build *context, struct cell_place place, struct slice cell,
                   uint32_t *out)
{
    *out = 0;
    if (slice_is(cell, "-"))
        return true;
    for (struct slice rest = cell; rest.len > 0;) {
        struct slice word = slice_take_until(&rest, ',');
        unsigned number = 0;
        bool is_number = word.len > 0 && word.len <= 2;
        for (size_t i = 0; i < word.len; i++) {
            is_number = is_number && word.at[i] >= '0' && word.at[i] <= '9';
            number = number * 10 + (unsigned)(word.at[i] - '0');
        }
        if (!is_number || number == 0 || number > LINE_NUMBER_MAX) {
            table_complain(context->errors, place.file, place.line, place.column,
                           "'%.*s' is not a number of a line from 1 to %d", SLICE_ARGS(word),
                           LINE_NUMBER_MAX);
            return false;
        }
        *out |= UINT32_C(1) << number;
    }
    return true;
}

static bool read_maintenance(struct profile_build *context, const struct maintenance_row *row,
                             struct cell_place place, struct maintenance_rule *out)
{
    place.column = "ingredients";
    *out = (struct maintenance_rule){ .set = { .traits = row->traits },
                                      .kind = (enum maintenance_kind)row->kind,
                                      .max_gap = row->max_gap,
                                      .needs_platinum = row->needs_platinum,
                                      .needs_poly = row->needs_poly,
                                      .min_prior = row->min_prior,
                                      .min_length = row->min_length,
                                      .source = row->source,
                                      .line = place.line };
    bool ok = profile_drugs(context, place, row->ingredients, &out->set);
    if (ok && out->set.drug_count == 0 && row->traits == 0) {
        table_complain(context->errors, place.file, place.line, place.column,
                       "names no drug, and there is no trait");
        ok = false;
    }
    place.column = "lines";
    ok = profile_lines(context, place, row->lines, &out->lines) && ok;
    place.column = "source";
    return profile_sources(context, place, row->source) && ok;
}

static bool load_maintenance(struct profile_build *context)
{
    struct table table;
    if (!mapping_table(context->build, &maintenance_schema, context->files, &table,
                       context->errors))
        return false;
    const struct maintenance_row *rows = table.rows;
    bool ok = true;
    for (unsigned p = 0; p < context->profile_count; p++) {
        struct maintenance_rule *rules =
            ARENA_ARRAY(context->build->arena, struct maintenance_rule, table.count + 1);
        if (rules == NULL)
            return false; /* mapping_load() tells of a full arena */
        unsigned count = 0;
        for (size_t i = 0; i < table.count; i++) {
            struct cell_place place = { MAINTENANCE_FILE, table.lines[i], "ingredients" };
            if (slice_eq(rows[i].profile, context->profiles[p].key))
                ok = read_maintenance(context, &rows[i], place, &rules[count++]) && ok;
        }
        context->profiles[p].maintenance = rules;
        context->profiles[p].maintenance_count = count;
    }
    for (size_t i = 0; i < table.count; i++) {
        struct cell_place place = { MAINTENANCE_FILE, table.lines[i], "profile" };
        ok = profile_by_key(context, place, rows[i].profile) != NULL && ok;
    }
    return ok;
}

/* --- rules of rule sets, written as pairs ---------------------------------------------------- */

static struct slice trimmed(struct slice text)
{
    while (text.len > 0 && text.at[0] == ' ')
        text = slice_skip(text, 1);
    while (text.len > 0 && text.at[text.len - 1] == ' ')
        text.len--;
    return text;
}

static bool read_pairs(struct profile_build *context, const struct table_schema *schema,
                       struct cell_place place, struct slice value, void *row)
{
    bool ok = true;
    while (value.len > 0) {
        struct slice pair = slice_take_until(&value, '|');
        struct slice name = slice_take_until(&pair, '=');
        ok = table_read_cell(schema, place.file, place.line, trimmed(name), trimmed(pair), row,
                             context->errors) &&
             ok;
    }
    return ok;
}

bool profile_addon_read(struct profile_build *context, struct cell_place place, struct slice value,
                        struct slice source, struct addon_rule *out)
{
    struct addon_row row = {
        .source = source, .ingredients = SLICE("-"), .except = SLICE("-"), .max_days = RULE_OFF
    };
    return read_pairs(context, &addon_schema, place, value, &row) &&
           read_addon(context, &row, place, out);
}

bool profile_maintenance_read(struct profile_build *context, struct cell_place place,
                              struct slice value, struct slice source, struct maintenance_rule *out)
{
    struct maintenance_row row = { .source = source,
                                   .ingredients = SLICE("-"),
                                   .lines = SLICE("-") };
    return read_pairs(context, &maintenance_schema, place, value, &row) &&
           read_maintenance(context, &row, place, out);
}

bool profile_rules_load(struct profile_build *context)
{
    bool ok = load_substitutions(context);
    ok = load_addons(context) && ok;
    return load_maintenance(context) && ok;
}
