/* rules_NAME.tsv: published rule sets by name, and the contrasting one of the range.
 *
 * A row changes one parameter of one profile.  "base" begins a profile: "nothing" has no exemption
 * and none of our own rules, "lifeline" is ours.  What a verdict asks of a profile (basis, limits
 * of refractory disease) stays ours either way: published rule sets count lines, no more. */
#include <stdlib.h>

#include "base/hash.h"
#include "mapping/profiles_int.h"

#define RULESETS_MAX 32
#define RULES_EACH_MAX \
    PROFILE_RULES_MAX /* add-ons, maintenance rules or substitutions of one profile */

struct ruleset_row {
    struct slice profile, parameter, value, source;
};

static const struct column ruleset_columns[] = {
    { "profile", CELL_TEXT, offsetof(struct ruleset_row, profile), NULL },
    { "parameter", CELL_TEXT, offsetof(struct ruleset_row, parameter), NULL },
    { "value", CELL_TEXT, offsetof(struct ruleset_row, value), NULL },
    { "source", CELL_TEXT, offsetof(struct ruleset_row, source), NULL },
};

#define IN_PROFILE(member) \
    (offsetof(struct profile_row, profile) + offsetof(struct profile, member))

/* Parameters that only rule sets have. */
static const struct column own_columns[] = {
    { "later_window", CELL_OPTIONAL_DAYS, IN_PROFILE(later_window), NULL },
    { "start_opens", CELL_YES_NO, IN_PROFILE(start_opens), NULL },
    { "cycle_regimen", CELL_YES_NO, IN_PROFILE(cycle_regimen), NULL },
    { "omits_substitutes", CELL_YES_NO, IN_PROFILE(omits_substitutes), NULL },
};
static const struct table_schema own_schema = { "", sizeof(struct profile_row), own_columns,
                                                COUNT_OF(own_columns), 1 };

/* The rules that "off" and "on" may name. */
static const enum rule switchable[] = {
    RULE_RELAPSE,       RULE_TOXICITY,     RULE_PLANNED, RULE_NEW_AGENT_AFTER_RELAPSE,
    RULE_BRIDGING,      RULE_CONDITIONING, RULE_CARRY,   RULE_POST_TRANSPLANT,
    RULE_MAINTENANCE,   RULE_GAP_EXEMPT,   RULE_PHASE,   RULE_ADD_EXEMPT,
    RULE_SUPPLEMENT,    RULE_CELL_THERAPY, RULE_GAP,     RULE_IDENTICAL,
    RULE_RECHALLENGE,   RULE_SUBSTITUTION, RULE_WINDOW,  RULE_NEW_AGENT,
    RULE_PERIOPERATIVE,
};

/* One profile while its rows are read. */
struct building {
    struct profile_row row;
    struct addon_rule *addons;
    struct maintenance_rule *maintenance;
    struct substitution_group *substitutions;
};

struct ruleset_build {
    struct profile_build *context;
    struct rules *rules;
    struct building *profiles; /* by index of our profile; row.profile.key empty: not changed */
    struct cell_place place;
};

/* --- values ---------------------------------------------------------------------------------- */

static bool read_ids(struct ruleset_build *build, struct slice value, uint64_t *out)
{
    struct cell_place place = build->place;
    while (value.len > 0) {
        struct slice id = slice_take_until(&value, ';');
        size_t at = 0;
        while (at < COUNT_OF(switchable) && !slice_is(id, rule_id(switchable[at])))
            at++;
        if (at == COUNT_OF(switchable)) {
            table_complain(build->context->errors, place.file, place.line, "value",
                           "'%.*s' is not a rule that can be switched", SLICE_ARGS(id));
            return false;
        }
        *out |= UINT64_C(1) << switchable[at];
    }
    return true;
}

/* What a published rule set does not know unless it says so.  LOT-024 stays: an order that goes on
 * is what their administrations after the boundary are. */
#define OFF_IN_NOTHING                                                                           \
    (UINT64_C(1) << RULE_RELAPSE | UINT64_C(1) << RULE_NEW_AGENT_AFTER_RELAPSE |                 \
     UINT64_C(1) << RULE_TOXICITY | UINT64_C(1) << RULE_PLANNED | UINT64_C(1) << RULE_BRIDGING | \
     UINT64_C(1) << RULE_PERIOPERATIVE | UINT64_C(1) << RULE_CONDITIONING)

static bool begin_profile(struct ruleset_build *build, const struct profile *ours,
                          struct building *out, struct slice base)
{
    struct arena *arena = build->context->build->arena;
    bool is_ours = slice_is(base, "lifeline");
    struct cell_place place = build->place;
    if (!is_ours && !slice_is(base, "nothing")) {
        table_complain(build->context->errors, place.file, place.line, "value",
                       "'%.*s' is not one of: nothing lifeline", SLICE_ARGS(base));
        return false;
    }
    out->addons = ARENA_ARRAY(arena, struct addon_rule, RULES_EACH_MAX);
    out->maintenance = ARENA_ARRAY(arena, struct maintenance_rule, RULES_EACH_MAX);
    out->substitutions = ARENA_ARRAY(arena, struct substitution_group, RULES_EACH_MAX);
    if (arena_overflowed(arena))
        return false; /* mapping_load() tells of a full arena */
    out->row = (struct profile_row){ .profile = *ours, .basis = (uint8_t)ours->basis };
    struct profile *profile = &out->row.profile;
    profile->rules = build->rules->name;
    profile->differs = is_ours ? 0 : DIFFERS_OTHERWISE;
    if (is_ours)
        return true;
    *profile = (struct profile){
        .key = ours->key,
        .rules = build->rules->name,
        .differs = DIFFERS_OTHERWISE,
        .window = ours->window,
        .gap = RULE_OFF,
        .gap_line3plus = RULE_OFF,
        .later_window = RULE_OFF,
        .cycle_gap = ours->cycle_gap,
        .infer_relapse = ours->infer_relapse,
        .supplement_days = RULE_OFF,
        .rechallenge_after = RULE_OFF,
        .platinum_refractory = ours->platinum_refractory,
        .platinum_resistant = ours->platinum_resistant,
        .post_transplant_maintenance = RULE_OFF,
        .second_transplant_same_line = RULE_OFF,
        .planned_tandem = RULE_OFF,
        .refractory_days = ours->refractory_days,
        .early_failure_days = ours->early_failure_days,
        .perioperative_failure_days = ours->perioperative_failure_days,
        .basis = ours->basis,
        .basis_text = ours->basis_text,
        .off = OFF_IN_NOTHING,
    };
    return true;
}

/* The rules of ours that the profile still has, copied so that another one can be added. */
static bool own_lists(struct ruleset_build *build, struct building *at)
{
    struct profile *profile = &at->row.profile;
    if (profile->addon_count >= RULES_EACH_MAX || profile->maintenance_count >= RULES_EACH_MAX ||
        profile->substitution_count >= RULES_EACH_MAX) {
        table_complain(build->context->errors, build->place.file, build->place.line, "value",
                       "is one rule too many: the limit is %d", RULES_EACH_MAX - 1);
        return false;
    }
    if (profile->addons != at->addons && profile->addon_count > 0)
        memcpy(at->addons, profile->addons, profile->addon_count * sizeof at->addons[0]);
    if (profile->maintenance != at->maintenance && profile->maintenance_count > 0)
        memcpy(at->maintenance, profile->maintenance,
               profile->maintenance_count * sizeof at->maintenance[0]);
    if (profile->substitutions != at->substitutions && profile->substitution_count > 0)
        memcpy(at->substitutions, profile->substitutions,
               profile->substitution_count * sizeof at->substitutions[0]);
    profile->addons = at->addons;
    profile->maintenance = at->maintenance;
    profile->substitutions = at->substitutions;
    return true;
}

/* "addon", "maintenance" and "substitution" add a rule; "-" takes all of them away. */
static bool read_list_rule(struct ruleset_build *build, struct building *at,
                           const struct ruleset_row *row, bool *is_list)
{
    struct profile *profile = &at->row.profile;
    bool is_none = slice_is(row->value, "-");
    bool is_addon = slice_is(row->parameter, "addon");
    bool is_maintenance = slice_is(row->parameter, "maintenance");
    bool is_substitution = slice_is(row->parameter, "substitution");
    *is_list = is_addon || is_maintenance || is_substitution;
    if (!*is_list)
        return true;
    if (is_none) {
        unsigned *count = is_addon         ? &profile->addon_count
                          : is_maintenance ? &profile->maintenance_count
                                           : &profile->substitution_count;
        *count = 0;
        return true;
    }
    if (!own_lists(build, at))
        return false;
    if (is_addon)
        return profile_addon_read(build->context, build->place, row->value, row->source,
                                  &at->addons[profile->addon_count++]);
    if (is_maintenance)
        return profile_maintenance_read(build->context, build->place, row->value, row->source,
                                        &at->maintenance[profile->maintenance_count++]);
    return profile_drugs(build->context, build->place, row->value,
                         &at->substitutions[profile->substitution_count++].set);
}

/* Fewer add-ons differ only where one was used; more of them may differ anywhere. */
static uint8_t difference_of(const struct ruleset_row *row)
{
    if (slice_is(row->parameter, "gap") || slice_is(row->parameter, "gap_line3plus"))
        return DIFFERS_IN_GAP;
    bool is_fewer = slice_is(row->parameter, "addon") && slice_is(row->value, "-");
    return is_fewer ? DIFFERS_IN_ADDONS : DIFFERS_OTHERWISE;
}

static bool read_parameter(struct ruleset_build *build, struct building *at,
                           const struct ruleset_row *row)
{
    bool is_list = false;
    if (!read_list_rule(build, at, row, &is_list))
        return false;
    if (is_list)
        return true;
    uint64_t ids = 0;
    if (slice_is(row->parameter, "off") || slice_is(row->parameter, "on")) {
        bool ok = read_ids(build, row->value, &ids);
        at->row.profile.off = slice_is(row->parameter, "off") ? at->row.profile.off | ids
                                                              : at->row.profile.off & ~ids;
        return ok;
    }
    for (size_t i = 0; i < COUNT_OF(own_columns); i++)
        if (slice_is(row->parameter, own_columns[i].name))
            return table_read_cell(&own_schema, build->place.file, build->place.line,
                                   row->parameter, row->value, &at->row, build->context->errors);
    return table_read_cell(&profile_schema, build->place.file, build->place.line, row->parameter,
                           row->value, &at->row, build->context->errors);
}

/* --- rows ------------------------------------------------------------------------------------ */

static bool read_row(struct ruleset_build *build, const struct ruleset_row *row)
{
    struct profile_build *context = build->context;
    build->place.column = "source";
    bool ok = profile_sources(context, build->place, row->source);
    if (slice_is(row->profile, "*") && slice_is(row->parameter, "title")) {
        build->rules->title = row->value;
        return ok;
    }
    build->place.column = "profile";
    const struct profile *ours = profile_by_key(context, build->place, row->profile);
    if (ours == NULL)
        return false;
    struct building *at = &build->profiles[ours - context->profiles];
    build->place.column = "value";
    if (slice_is(row->parameter, "base"))
        return begin_profile(build, ours, at, row->value) && ok;
    if (at->row.profile.key.len == 0) {
        table_complain(context->errors, build->place.file, build->place.line, "parameter",
                       "'base' must be the first row of '%.*s'", SLICE_ARGS(row->profile));
        return false;
    }
    at->row.profile.source = row->source;
    at->row.profile.differs |= difference_of(row);
    return read_parameter(build, at, row) && ok;
}

/* The profiles of the set: ours, with those in their places that it has rules for. */
static bool finish_profiles(struct ruleset_build *build)
{
    struct profile_build *context = build->context;
    struct arena *arena = context->build->arena;
    struct mapping *mapping = context->build->mapping;
    struct profile *profiles = ARENA_ARRAY(arena, struct profile, context->profile_count);
    const struct profile **of = ARENA_ARRAY(arena, const struct profile *, mapping->disease_count);
    bool ok = true;
    if (arena_overflowed(arena))
        return false; /* mapping_load() tells of a full arena */
    for (unsigned i = 0; i < context->profile_count; i++) {
        struct building *at = &build->profiles[i];
        profiles[i] = context->profiles[i];
        if (at->row.profile.key.len == 0)
            continue;
        profiles[i] = at->row.profile;
        ok = profile_take_row(context, build->place, &at->row, &profiles[i]) && ok;
    }
    for (unsigned i = 0; i < mapping->disease_count; i++)
        if (mapping->diseases[i].profile != NULL)
            of[i] = &profiles[mapping->diseases[i].profile - context->profiles];
    build->rules->profiles = profiles;
    build->rules->profile_of = of;
    build->rules->generic = &profiles[context->build->rules->generic - context->profiles];
    return ok;
}

/* A set that only the overlay has is the site's own. */
static bool read_table(struct profile_build *context, const struct table_schema *schema,
                       const struct mapping_file *file, struct table *out)
{
    if (!file->is_overlay)
        return mapping_table(context->build, schema, context->files, out, context->errors);
    return table_read(schema, file->text, (struct slice){ NULL, 0 }, context->build->arena, out,
                      context->errors);
}

static bool load_one(struct profile_build *context, const struct mapping_file *file,
                     struct rules *out)
{
    struct table table;
    struct arena *arena = context->build->arena;
    struct slice path = arena_format(arena, "mappings/%s", file->name);
    struct table_schema schema = { path.at, sizeof(struct ruleset_row), ruleset_columns,
                                   COUNT_OF(ruleset_columns), 3 };
    struct slice name = arena_copy(arena, slice_skip(slice_of(file->name), strlen("rules_")));
    name.len -= strlen(".tsv");
    *out = *context->build->rules;
    out->name = out->title = name;
    if (!read_table(context, &schema, file, &table))
        return false;
    struct ruleset_build build = {
        .context = context,
        .rules = out,
        .profiles = ARENA_ARRAY(arena, struct building, context->profile_count + 1),
        .place = { path.at, 0, "value" },
    };
    if (build.profiles == NULL)
        return false; /* mapping_load() tells of a full arena */
    const struct ruleset_row *rows = table.rows;
    bool ok = true;
    for (size_t i = 0; i < table.count; i++) {
        build.place.line = table.lines[i];
        ok = read_row(&build, &rows[i]) && ok;
    }
    return finish_profiles(&build) && ok;
}

/* --- the sets -------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct mapping_file *const *first = a, *const *second = b;
    return strcmp((*first)->name, (*second)->name);
}

bool ruleset_is_file(const struct mapping_file *file)
{
    return strncmp(file->name, "rules_", strlen("rules_")) == 0;
}

static struct sha256 digest_of(const struct rules *ours, struct slice name,
                               const struct mapping_file *file, const struct mapping_file *overlay)
{
    const struct slice parts[] = { { (const char *)ours->digest.bytes, SHA256_BYTES },
                                   SLICE("\nrules "),
                                   name,
                                   SLICE("\n"),
                                   file->text,
                                   overlay != NULL ? overlay->text : SLICE("") };
    return sha256_of(parts, COUNT_OF(parts));
}

/* Ours, and what only the overlay has; an overlay of ours comes with it. */
static bool is_set(struct mapping_files files, const struct mapping_file *file)
{
    return ruleset_is_file(file) &&
           (!file->is_overlay || mapping_file_of(files, file->name, false) == NULL);
}

bool rulesets_load(struct mapping_build *build, struct mapping_files files,
                   struct table_errors *errors)
{
    struct mapping *mapping = build->mapping;
    struct profile_build context = { .build = build,
                                     .files = files,
                                     .errors = errors,
                                     .profiles = mapping->profiles,
                                     .profile_count = mapping->rules.profile_count };
    const struct mapping_file *sets[RULESETS_MAX];
    unsigned count = 0;
    bool ok = true;
    for (unsigned i = 0; i < files.count; i++) {
        if (!is_set(files, &files.list[i]))
            continue;
        if (count == RULESETS_MAX) {
            table_complain(errors, "mappings", 0, "folder", "holds more than %d rule sets",
                           RULESETS_MAX);
            return false;
        }
        sets[count++] = &files.list[i];
    }
    qsort(sets, count, sizeof sets[0], by_name);
    mapping->rulesets = ARENA_ARRAY(build->arena, struct rules, count + 1);
    if (mapping->rulesets == NULL)
        return true; /* mapping_load() looks at the arena at its end */
    for (unsigned i = 0; i < count; i++) {
        struct rules *set = &mapping->rulesets[mapping->ruleset_count++];
        ok = load_one(&context, sets[i], set) && ok;
        set->digest = digest_of(&mapping->rules, set->name, sets[i],
                                mapping_file_of(files, sets[i]->name, true));
        set->contrast = &mapping->rules;
        if (slice_is(set->name, "contrast"))
            mapping->rules.contrast = set;
    }
    return ok;
}
