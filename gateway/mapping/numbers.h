/* mapping/numbers.h -- a table of named numbers with their units: mappings/hiv.tsv, renal.tsv.
 *
 * What      the loader says which names there must be, in which unit, and where they go; a name
 *           that is missing, unknown, given twice or in another unit is a complaint.
 * Owns      nothing.
 */
#pragma once

#include "mapping/mapping_int.h"

struct number_name {
    const char *name; /* "regimen_stable" */
    const char *unit; /* "days" */
    size_t offset;    /* of an int32_t in what is filled */
};

bool numbers_load(struct mapping_build *build, struct mapping_files files, const char *file,
                  const struct number_name *names, unsigned count, void *out,
                  struct table_errors *errors) MUST_USE;
