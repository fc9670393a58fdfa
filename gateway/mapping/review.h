/* mapping/review.h -- what a loaded rule set holds that nobody would miss.
 *
 * What      tables without a fault may still have rows that never decide anything: a rule behind a
 *           wider one, a regimen whose drugs make no line, a number whose rule is off.  Each is
 *           told like a fault, "file:line: column: why", but the tables load all the same.
 * Errors    up to TABLE_ERRORS_MAX findings.
 * Thread    any; pure.
 */
#pragma once

#include "mapping/mapping.h"

void mapping_review(const struct mapping *mapping, struct table_errors *findings);
