/* plan/plan.h -- from a verdict to what a destination should hold now.
 *
 * What      pure: therapy (today's answer) and what was posted before -> the full list of postings
 *           wanted: a Flag and a CarePlan per salvage verdict of sufficient grade, and the end
 *           (inactive) or withdrawal (entered-in-error) of what was posted and no longer holds.
 * Owns      bodies live in `arena`.
 * Thread    any.
 * Rules     standards/writeback 4 (profiles); RULES_SPEC 11.4 (withdrawal).
 */
#pragma once

#include "base/arena.h"
#include "domain/line.h"
#include "domain/posting.h"

#define PLAN_POSTINGS_MAX 32

/* What is remembered of a posting between derivations; kept in the patient's state. */
struct posted {
    enum posting_kind kind;
    enum posting_wish wish;
    struct slice disease;
    struct slice line_id;          /* the line it speaks of */
    struct sha256 digest;
    struct slice evidence_ids;     /* "MedicationRequest/m7 Condition/c9": what it rested on */
    struct date start;
};

struct plan_input {
    struct slice tenant;
    struct slice patient;          /* "Patient/p1": subject as the destination knows it */
    const struct therapy *therapy;
    const struct posted *before;
    unsigned before_count;
    /* ids ("Type/id") of events that were entered in error, deleted or refuted since */
    const struct slice *retracted;
    unsigned retracted_count;
    const struct sha256 *rule_set;
    struct slice instance;         /* URI of this gateway: identifier system and meta.source */
    struct slice device;           /* "Device/lifeline" display and version */
    enum grade grade_min;          /* GRADE_MEDIUM by default */
    struct date today;
};

struct plan {
    struct posting postings[PLAN_POSTINGS_MAX]; /* those whose digest differs from `before` */
    unsigned posting_count;
    struct posted after[PLAN_POSTINGS_MAX];     /* to remember */
    unsigned after_count;
};

bool plan_make(const struct plan_input *input, struct arena *arena, struct plan *out,
               struct err *err) MUST_USE;
