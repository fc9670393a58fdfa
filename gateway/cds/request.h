/* cds/request.h -- a CDS Hooks call as it comes in, and its feedback.
 *
 * What      the members that Lifeline uses; everything else is tolerated, as are nulls in prefetch.
 *           Resources of prefetch and drafts stay JSON here: reading FHIR is the caller's.
 * Owns      slices borrow from the body or live in `arena`.
 * Errors    ERR_STRUCTURE, ERR_REQUIRED, ERR_INVALID with the member's name, never a value.
 * Thread    any.
 * Rules     CDS Hooks 2.0; checklist K4, K5, K10.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#define CDS_RESOURCES_MAX 4096
#define CDS_FEEDBACK_MAX 256

/* clang-format off */
#define CDS_HOOK_TABLE(X)                    \
    X(PATIENT_VIEW, "patient-view")          \
    X(ORDER_SELECT, "order-select")          \
    X(ORDER_SIGN,   "order-sign")
/* clang-format on */

enum cds_hook {
#define X(name, text) CDS_##name,
    CDS_HOOK_TABLE(X)
#undef X
        CDS_HOOK_COUNT
};
const char *cds_hook_name(enum cds_hook hook);

struct cds_request {
    enum cds_hook hook;
    struct slice hook_instance;
    struct slice patient; /* "p1": context.patientId without a type in front */
    bool has_prefetch;    /* at least one resource (or an empty answer) came along */
    struct slice *prefetch;
    unsigned prefetch_count;
    struct slice *drafts; /* of context.draftOrders: evaluated, never stored */
    unsigned draft_count;
};

bool cds_request_read(struct slice body, struct arena *arena, struct cds_request *out,
                      struct err *err) MUST_USE;

enum cds_outcome { CDS_ACCEPTED, CDS_OVERRIDDEN };

struct cds_feedback {
    struct slice card; /* uuid */
    enum cds_outcome outcome;
    struct slice reason; /* code of overrideReason.reason; empty when none */
    bool has_comment;    /* a person's words: may name the patient, so only that they exist */
    struct slice time;   /* outcomeTimestamp as sent */
    unsigned suggestion_count;
};

bool cds_feedback_read(struct slice body, struct arena *arena, struct cds_feedback **out,
                       unsigned *count, struct err *err) MUST_USE;
