/* mapping/mapping_int.h -- what the loaders of this folder share while a mapping is being built.
 *
 * What      mapping_load() (mapping.c) runs the loaders in this order: drugs, diseases, products and
 *           codes, aliases, conditions, stop reasons; then profiles_load() and regimens_load(); then
 *           it ties each disease to its profile.  A loader reads its tables with mapping_table(),
 *           looks names up with build_drug() and build_disease(), and complains about every fault.
 * Owns      build->arena lives as long as the mapping.
 * Errors    a loader returns false when it complained; mapping_load() goes on with the next loader
 *           all the same, so that one run shows all faults of all files.
 * Thread    one, at start.
 */
#pragma once

#include "mapping/mapping.h"

struct mapping_build {
    struct mapping *mapping;
    struct arena *arena;
    struct rules *rules; /* profiles.c and regimens.c fill their members; diseases are there */
};

/* The folder's files; pass { files, count } on. */
struct mapping_files {
    const struct mapping_file *list;
    unsigned count;
};

struct drug_list {
    const struct drug *const *drugs;
    unsigned count;
};

/* --- look-up for loaders --------------------------------------------------------------------- */

/* An ingredient of drugs.tsv by its exact name; NULL when there is none. */
const struct drug *build_drug(const struct mapping_build *build, struct slice name);
/* A row of diseases.tsv by its key; NULL when there is none. */
const struct disease *build_disease(const struct mapping_build *build, struct slice key);

/* Where a cell stands, for complaints about what it names. */
struct cell_place {
    const char *file; /* "mappings/regimens.tsv" */
    unsigned line;
    const char *column;
};

/* Distinct drugs of the ';'-separated names in `cell`, sorted by index.  False, and a complaint with
 * the nearest name, for each unknown one.  An empty cell is an empty list. */
bool build_drug_list(const struct mapping_build *build, struct cell_place place, struct slice cell,
                     struct drug_list *out, struct table_errors *errors) MUST_USE;
/* The same for one name. */
bool build_one_drug(const struct mapping_build *build, struct cell_place place, struct slice cell,
                    const struct drug **out, struct table_errors *errors) MUST_USE;
bool build_one_disease(const struct mapping_build *build, struct cell_place place,
                       struct slice cell, const struct disease **out,
                       struct table_errors *errors) MUST_USE;

/* --- tables ---------------------------------------------------------------------------------- */

/* The file of `schema` among `files` ("mappings/drugs.tsv" is the file named "drugs.tsv"), read.  A
 * missing file is a complaint. */
bool mapping_table(const struct mapping_build *build, const struct table_schema *schema,
                   struct mapping_files files, struct table *out,
                   struct table_errors *errors) MUST_USE;

extern const char *const drug_trait_words[]; /* NULL-terminated, in the order of the enum */
extern const char *const drug_group_words[];

/* --- the loaders ----------------------------------------------------------------------------- */

bool drugs_load(struct mapping_build *build, struct mapping_files files,
                struct table_errors *errors) MUST_USE;
bool diseases_load(struct mapping_build *build, struct mapping_files files,
                   struct table_errors *errors) MUST_USE;
bool codes_load(struct mapping_build *build, struct mapping_files files,
                struct table_errors *errors) MUST_USE;
bool conditions_load(struct mapping_build *build, struct mapping_files files,
                     struct table_errors *errors) MUST_USE;
bool aliases_load(struct mapping_build *build, struct mapping_files files,
                  struct table_errors *errors) MUST_USE;
bool stop_reasons_load(struct mapping_build *build, struct mapping_files files,
                       struct table_errors *errors) MUST_USE;

/* profiles.c: profiles.tsv, substitutions.tsv, addons.tsv, maintenance.tsv -> rules->profiles,
 * rules->generic and the numbers of struct rules. */
bool profiles_load(struct mapping_build *build, const struct mapping_file *files, unsigned count,
                   struct table_errors *errors) MUST_USE;
/* regimens.c: regimens.tsv -> rules->regimens. */
bool regimens_load(struct mapping_build *build, const struct mapping_file *files, unsigned count,
                   struct table_errors *errors) MUST_USE;
