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

/* A row of profiles.tsv: what a cell fills as it is, and the lists of drugs still as text. */
struct profile_row {
    struct profile profile;
    struct slice gap_exempt, backbone, supplement_base, rechallenge;
    uint8_t basis;
};
extern const struct table_schema profile_schema;

/* The lists and the basis of `row` into `out`; lists that the row does not name stay. */
bool profile_take_row(struct profile_build *context, struct cell_place place,
                      const struct profile_row *row, struct profile *out) MUST_USE;

/* One rule written as "column=value | column=value", columns as in its own table; for rule sets. */
bool profile_addon_read(struct profile_build *context, struct cell_place place, struct slice value,
                        struct slice source, struct addon_rule *out) MUST_USE;
bool profile_maintenance_read(struct profile_build *context, struct cell_place place,
                              struct slice value, struct slice source,
                              struct maintenance_rule *out) MUST_USE;

/* The drugs of a cell; "-" is the empty set. */
bool profile_drugs(struct profile_build *context, struct cell_place place, struct slice cell,
                   struct drug_set *out) MUST_USE;
/* "1,2" -> bits of line numbers; "-" -> 0, any line. */
bool profile_lines(struct profile_build *context, struct cell_place place, struct slice cell,
                   uint32_t *out) MUST_USE;
/* Complains about keys that sources.tsv does not have. */
bool profile_sources(struct profile_build *context, struct cell_place place,
                     struct slice cell) MUST_USE;
/* A row of profiles.tsv; NULL, and a complaint, when there is none. */
struct profile *profile_by_key(struct profile_build *context, struct cell_place place,
                               struct slice key);

/* substitutions.tsv, addons.tsv, maintenance.tsv -> the rules of each profile. */
bool profile_rules_load(struct profile_build *context) MUST_USE;
