/* therapy/exposure.h -- what orders prove: "ordered from ... to ...", and what became of them.
 *
 * What      orders that count become one exposure per ingredient, sorted by start.  What does not
 *           count, what has no date and what is only planned is kept apart, never lost.
 * Errors    ERR_TOO_LARGE when the arena is full.
 * Rules     EXP-001 to EXP-015, EXP-022 to EXP-028; RULES_SPEC 3.1 to 3.4.
 */
#pragma once

#include "therapy/engine.h"
/* The day of the stop of a stopped order: it may lie ahead, when the source dates it so. */
int32_t exposure_stop_day(const struct exposure *exposure);

bool exposures_collect(struct engine *engine, struct err *err) MUST_USE;
/* By start, drug, type and id of the order; false past the arena's limit. */
bool exposures_sort(struct engine *engine) MUST_USE;

/* An order by the id of a reference such as "MedicationRequest/o"; NULL when it is not there. */
const struct event *exposures_find_order(struct engine *engine, struct slice reference);

/* True for a drug that may open, close or name a line (LOT-030). */
static inline bool exposure_makes_lines(const struct drug *drug)
{
    return drug_makes_lines(drug) || !RULE_ON(SUPPORTIVE);
}

/* --- for fulfil.c ---------------------------------------------------------------------------- */

/* When something ends by what it says; INT32_MAX and open when it goes on. */
struct told_end {
    int32_t day;
    bool is_open, is_assumed;
};

/* What an event tells of one drug. */
struct told {
    const struct event *event;
    const struct drug *drug;
    const struct event *order; /* whose reasons count where the event gives none; may be NULL */
    struct date_span start;    /* not absent */
    struct told_end end;
    unsigned proof;
};

/* One more exposure, if a disease claims it; engine->exposures has room. */
void exposure_add(struct engine *engine, const struct told *told);
/* What has no date, or an unknown status, is listed, and is in no line. */
void exposure_note_undated(struct engine *engine, const struct event *event,
                           const struct drug *drug);
/* An administration, dispense or statement by its reference; NULL when it is not there. */
const struct event *exposures_find_given(const struct engine *engine, struct slice reference);
struct date_span exposure_order_start(const struct event *order);
/* Drugs that make lines, and steroids, which name regimens. */
bool exposure_is_of_interest(const struct drug *drug);
