#include <stdlib.h>

#include "base/pool.h"
#include "base/text.h"
#include "mapping/mapping_int.h"

#define MAPPING_BYTES_MAX ((size_t)512 * 1024 * 1024)

/* --- files ----------------------------------------------------------------------------------- */

const struct mapping_file *mapping_file_of(struct mapping_files files, const char *path,
                                           bool is_overlay)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    for (unsigned i = 0; i < files.count; i++)
        if (files.list[i].is_overlay == is_overlay && strcmp(files.list[i].name, name) == 0)
            return &files.list[i];
    return NULL;
}

bool mapping_table(const struct mapping_build *build, const struct table_schema *schema,
                   struct mapping_files files, struct table *out, struct table_errors *errors)
{
    const struct mapping_file *ours = mapping_file_of(files, schema->file, false);
    const struct mapping_file *overlay = mapping_file_of(files, schema->file, true);
    if (ours == NULL) {
        table_complain(errors, schema->file, 0, "file", "is missing");
        return false;
    }
    return table_read(schema, ours->text, overlay != NULL ? overlay->text : (struct slice){ 0 },
                      build->arena, out, errors);
}

/* A misspelt name would be a table that nobody reads. */
static bool check_overlay_names(struct mapping_files files, struct table_errors *errors)
{
    bool ok = true;
    for (unsigned i = 0; i < files.count; i++) {
        const char *name = files.list[i].name;
        if (!files.list[i].is_overlay || mapping_file_of(files, name, false) != NULL ||
            ruleset_is_file(&files.list[i])) /* a rule set of the site's own */
            continue;
        table_complain(errors, name, TABLE_LINE_OVERLAY, "file", "is not a table of mappings/");
        ok = false;
    }
    return ok;
}

static int by_file_name(const void *a, const void *b)
{
    const struct mapping_file *first = a, *second = b;
    int order = strcmp(first->name, second->name);
    return order != 0 ? order : first->is_overlay - second->is_overlay;
}

/* Published rule sets that nobody chose have no part in an answer; the contrasting one has. */
static bool is_effective(const struct mapping_file *file)
{
    return !ruleset_is_file(file) || strcmp(file->name, "rules_contrast.tsv") == 0;
}

/* Names and lengths go in too, so that moving a row to another file changes the digest. */
static struct sha256 digest_of(struct mapping_files files, struct arena *arena)
{
    struct mapping_file *sorted = ARENA_ARRAY(arena, struct mapping_file, files.count + 1);
    struct slice *parts = ARENA_ARRAY(arena, struct slice, 2 * files.count + 1);
    if (sorted == NULL || parts == NULL)
        return (struct sha256){ { 0 } }; /* mapping_load() looks at the arena at its end */
    unsigned count = 0;
    for (unsigned i = 0; i < files.count; i++)
        if (is_effective(&files.list[i]))
            sorted[count++] = files.list[i];
    qsort(sorted, count, sizeof sorted[0], by_file_name);
    for (unsigned i = 0; i < count; i++) {
        parts[2 * i] = arena_format(arena, "%s%s %zu\n", sorted[i].is_overlay ? "overlay/" : "",
                                    sorted[i].name, sorted[i].text.len);
        parts[2 * i + 1] = sorted[i].text;
    }
    return sha256_of(parts, 2 * count);
}

/* --- loading --------------------------------------------------------------------------------- */

static const struct profile *find_profile(const struct rules *rules, struct slice key)
{
    for (unsigned i = 0; i < rules->profile_count; i++)
        if (slice_eq(rules->profiles[i].key, key))
            return &rules->profiles[i];
    return NULL;
}

static bool tie_profiles(struct mapping *mapping, struct table_errors *errors)
{
    bool ok = true;
    for (unsigned i = 0; i < mapping->disease_count; i++) {
        struct slice key = mapping->profile_keys[i];
        if (slice_is(key, "-"))
            continue;
        mapping->diseases[i].profile = find_profile(&mapping->rules, key);
        if (mapping->diseases[i].profile != NULL)
            continue;
        table_complain(errors, "mappings/diseases.tsv", mapping->disease_lines[i], "profile",
                       "'%.*s' of disease '%.*s' is not a row of profiles.tsv", SLICE_ARGS(key),
                       SLICE_ARGS(mapping->diseases[i].key));
        ok = false;
    }
    return ok;
}

static bool load_all(struct mapping_build *build, struct mapping_files files,
                     struct table_errors *errors)
{
    static bool (*const loaders[])(struct mapping_build *, struct mapping_files,
                                   struct table_errors *) = { codes_load, aliases_load,
                                                              conditions_load, stop_reasons_load,
                                                              findings_load };
    if (!drugs_load(build, files, errors) || !diseases_load(build, files, errors))
        return false;
    bool ok = check_overlay_names(files, errors);
    for (size_t i = 0; i < COUNT_OF(loaders); i++)
        ok = loaders[i](build, files, errors) && ok;
    bool has_profiles = profiles_load(build, files.list, files.count, errors);
    ok = regimens_load(build, files.list, files.count, errors) && ok;
    ok = hiv_load(build, files, errors) && ok;
    ok = renal_load(build, files, errors) && ok;
    return has_profiles && verdict_tables_load(build, files, errors) &&
           tie_profiles(build->mapping, errors) && rulesets_load(build, files, errors) && ok;
}

bool mapping_load(const struct mapping_file *list, unsigned count, struct mapping **out,
                  struct table_errors *errors)
{
    struct mapping *mapping = pool_new(sizeof *mapping);
    arena_init(&mapping->arena, MAPPING_BYTES_MAX);
    struct code_index *indexes[] = { &mapping->drug_names,       &mapping->disease_keys,
                                     &mapping->drug_codes,       &mapping->condition_codes,
                                     &mapping->stop_codes,       &mapping->lists,
                                     &mapping->procedures.codes, &mapping->observations.codes,
                                     &mapping->values.codes,     &mapping->drug_stems };
    for (size_t i = 0; i < COUNT_OF(indexes); i++)
        indexes[i]->arena = &mapping->arena;

    struct mapping_files files = { list, count };
    struct mapping_build build = { mapping, &mapping->arena, &mapping->rules };
    mapping->rules.digest = digest_of(files, &mapping->arena);
    bool ok = load_all(&build, files, errors);
    if (arena_overflowed(&mapping->arena)) {
        table_complain(errors, "mappings", 0, "folder", "is larger than its limit");
        ok = false;
    }
    if (!ok) {
        mapping_close(mapping);
        return false;
    }
    *out = mapping;
    return true;
}

void mapping_close(struct mapping *mapping)
{
    if (mapping == NULL)
        return;
    arena_fini(&mapping->arena);
    pool_free(mapping);
}

/* --- access ---------------------------------------------------------------------------------- */

const struct sha256 *mapping_digest(const struct mapping *mapping)
{
    return &mapping->rules.digest;
}

const struct rules *mapping_rules(const struct mapping *mapping) { return &mapping->rules; }

const struct rules *mapping_ruleset(const struct mapping *mapping, struct slice name)
{
    if (slice_eq(name, mapping->rules.name))
        return &mapping->rules;
    for (unsigned i = 0; i < mapping->ruleset_count; i++)
        if (slice_eq(name, mapping->rulesets[i].name))
            return &mapping->rulesets[i];
    return NULL;
}

const struct rules *mapping_ruleset_at(const struct mapping *mapping, unsigned index)
{
    if (index == 0)
        return &mapping->rules;
    return index <= mapping->ruleset_count ? &mapping->rulesets[index - 1] : NULL;
}

const struct rules *mapping_one_profile(const struct mapping *mapping, const struct rules *rules,
                                        struct slice key, struct arena *arena)
{
    const struct profile *profile = find_profile(rules, key);
    struct rules *out = ARENA_NEW(arena, struct rules);
    const struct profile **of = ARENA_ARRAY(arena, const struct profile *, mapping->disease_count);
    if (profile == NULL || out == NULL || of == NULL)
        return NULL;
    for (unsigned i = 0; i < mapping->disease_count; i++)
        if (mapping->diseases[i].profile != NULL)
            of[i] = profile;
    const struct slice parts[] = { { (const char *)rules->digest.bytes, SHA256_BYTES },
                                   SLICE("\nprofile "),
                                   key };
    *out = *rules;
    out->name = arena_format(arena, "%.*s/%.*s", SLICE_ARGS(rules->name), SLICE_ARGS(key));
    out->generic = profile;
    out->profile_of = of;
    out->contrast = NULL;
    out->digest = sha256_of(parts, COUNT_OF(parts));
    return out;
}

const struct drug *mapping_drug(const struct mapping *mapping, struct slice name)
{
    const struct known_drug *known = index_find(&mapping->drug_names, 0, name);
    if (known != NULL)
        return &known->drug;
    const struct drug_code *code = words_find(&mapping->drug_words, name);
    return code != NULL && code->count == 1 && code->is_exposure ? code->drugs[0] : NULL;
}

const struct disease *mapping_disease(const struct mapping *mapping, struct slice key)
{
    return index_find(&mapping->disease_keys, 0, key);
}
