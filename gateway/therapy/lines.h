/* therapy/lines.h -- one pass over a disease's orders, in the order of their days, into lines.
 *
 * Errors    ERR_TOO_LARGE past LOT_LINES_MAX lines or the arena.
 * Rules     LOT-001 to LOT-032; RULES_SPEC 4.
 */
#pragma once

#include "therapy/boundary.h"

bool lines_sweep(struct course *course, struct err *err) MUST_USE;
