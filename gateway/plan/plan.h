/* plan/plan.h -- from a verdict to what a destination should hold now.
 *
 * What      pure: therapy (today's answer) and what was posted before -> what must be sent now: a
 *           Flag and a CarePlan per salvage verdict of sufficient grade, a Provenance for each, a
 *           message and a document where a destination may need them, and
 *           the end (inactive) or withdrawal (entered-in-error) of what was posted and no longer
 *           holds.  The same therapy gives the same bytes on every day: `today` is only read at the
 *           moment when something ends.
 *           A Provenance cannot know the id that the destination gives to what it speaks of, so its
 *           body holds tokens that the outbox replaces before it sends: PLAN_TOKEN_FLAG (by
 *           "Flag/<id>") or PLAN_TOKEN_CARE_PLAN (by "CarePlan/<id>") in target[0].reference, and
 *           PLAN_TOKEN_RECORDED (by the time of delivery).
 * Owns      bodies live in `arena`; `after` borrows from `before`, `therapy` and `arena`.
 * Errors    ERR_TOO_LARGE when the arena's limit is reached.
 * Thread    any.
 * Rules     standards/writeback 4 (profiles); RULES_SPEC 11.4 (withdrawal).
 */
#pragma once

#include "base/arena.h"
#include "domain/line.h"
#include "domain/posting.h"
#include "plan/texts.h"

/* Six postings of each of LOT_HISTORIES_MAX diseases may come, and as many end, in one step. */
#define PLAN_POSTINGS_MAX (12 * LOT_HISTORIES_MAX)
#define PLAN_EVIDENCE_MAX 64    /* references that one posting rests on */
#define PLAN_NARRATIVE_MAX 2048 /* bytes of text.div */
#define PLAN_NOTE_MAX 4000      /* bytes of the text of a message or document */

/* The way bodies are written: goes up when the same values give another body, so that destinations
 * get the new one.  A test holds it against the bodies. */
#define PLAN_FORM 2

#define PLAN_TOKEN_FLAG "{{flag}}"
#define PLAN_TOKEN_CARE_PLAN "{{careplan}}"
#define PLAN_TOKEN_RECORDED "{{recorded}}"

/* What is remembered of a posting between derivations; kept in the patient's state, packed by
 * plan/posted_pack.h. */
struct posted {
    enum posting_kind kind;
    enum posting_kind target; /* of a Provenance: POSTING_FLAG or POSTING_CARE_PLAN; else = kind */
    enum posting_wish wish;
    struct slice disease;
    struct slice line_id;      /* the line it speaks of */
    struct sha256 digest;      /* of what it says, or of what its target says: meaning.c */
    struct slice evidence_ids; /* "Condition/c9 MedicationRequest/m7", sorted: what it rested on */
    struct slice text;         /* the words it was known by; they stay when it ends */
    struct date start;
    struct date end; /* chosen once, when it ended; date_none() while it holds */
};

struct plan_input {
    struct slice tenant;
    struct slice patient; /* "Patient/p1": subject as the destination knows it */
    const struct therapy *therapy;
    const struct posted *before;
    unsigned before_count;
    /* ids ("Type/id") of events that were entered in error, deleted or refuted since */
    const struct slice *retracted;
    unsigned retracted_count;
    const struct sha256 *rule_set;
    struct slice instance;          /* URI of this gateway: identifier system and meta.source */
    struct slice device;            /* "Lifeline 0.1.0": display and version of our Device */
    const struct plan_texts *texts; /* mappings/outputs.tsv; NULL: no prompts */
    enum grade grade_min;           /* GRADE_NONE means the default, GRADE_MEDIUM */
    bool is_deceased;
    struct date deceased; /* day of death; date_none() when only the fact is known */
    unsigned extra_kinds; /* POSTING_BIT() of COMMUNICATION and DOCUMENT, where they are wanted */
    unsigned idle_kinds;  /* POSTING_BIT() of what nobody takes: remembered, but never written */
    bool with_extensions; /* line number and flag-detail: off by default (4.1.4) */
    struct date today;
};

struct plan {
    struct posting postings[PLAN_POSTINGS_MAX]; /* those whose digest differs from `before` */
    unsigned posting_count;
    struct posted after[PLAN_POSTINGS_MAX]; /* to remember */
    unsigned after_count;
};

bool plan_make(const struct plan_input *input, struct arena *arena, struct plan *out,
               struct err *err) MUST_USE;
