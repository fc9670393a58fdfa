/* property/reports.h -- every way to print an answer, for every answer.
 *
 * What      the reports must be whole: no overflow, marks that close, one CSV row per line, and no
 *           difference between an answer and itself.
 */
#pragma once

#include "base/arena.h"
#include "domain/line.h"

/* NULL when the reports of `therapy` are whole, else what is not.  `before` is another answer about
 * the same patient. */
const char *reports_fault(const struct therapy *therapy, const struct therapy *before,
                          struct arena *arena);
