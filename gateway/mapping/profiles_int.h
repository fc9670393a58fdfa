/* mapping/profiles_int.h -- what profiles.c and profile_rules.c share.
 *
 * Owns      everything lives in build->arena.
 */
#pragma once

#include "mapping/mapping_int.h"

/* Loading context of the profile tables. */
struct profile_build {
    struct mapping_build *build;
    struct mapping_files files;
    struct table_errors *errors;
    struct profile *profiles;
    unsigned profile_count;
};

/* The drugs of a cell; "-" is the empty set. */
bool profile_drugs(struct profile_build *context, struct cell_place place, struct slice cell,
                   struct drug_set *out) MUST_USE;
/* Complains about keys that sources.tsv does not have. */
bool profile_sources(struct profile_build *context, struct cell_place place,
                     struct slice cell) MUST_USE;
/* A row of profiles.tsv; NULL, and a complaint, when there is none. */
struct profile *profile_by_key(struct profile_build *context, struct cell_place place,
                               struct slice key);

/* substitutions.tsv, addons.tsv, maintenance.tsv -> the rules of each profile. */
bool profile_rules_load(struct profile_build *context) MUST_USE;
