/* therapy/derive.h -- from a patient's events to lines of therapy and a verdict.
 *
 * What      a pure function: the same events, rules and day give the same bytes, in any order of
 *           arrival and on every machine.  No clock, no store, no log; `as_of` is the only today.
 *           Steps: orders -> exposures (exposure.h), events -> evidence (evidence.h), attribution
 *           to diseases, lines (lines.h), verdict (verdict.h).
 * Owns      nothing; the result lives in `arena` and borrows from `events` and the mapping.
 * Errors    ERR_TOO_LARGE past a limit of domain/line.h or the arena's.
 * Thread    any.
 * Rules     gateway/therapy/RULES.md.
 */
#pragma once

#include "base/arena.h"
#include "domain/line.h"
#include "domain/rules.h"

/* `events` have been through mapping_resolve(); their order does not matter. */
bool therapy_derive(const struct rules *rules, const struct event *events, size_t count,
                    struct date as_of, struct arena *arena, struct therapy *out,
                    struct err *err) MUST_USE;
