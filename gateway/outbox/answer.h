/* outbox/answer.h -- reads what a destination answers: records, searches, OperationOutcomes.
 *
 * What      of a record only what the safe-create algorithm needs: id, version, time of change,
 *           whether it carries our identifier, and a fingerprint of its content.  Those do not
 *           depend on the order of keys, nor on what a server owns (id, meta, narrative) or on what
 *           differs with each sending (Provenance.recorded).
 * Owns      slices live in the arena given.
 * Errors    ERR_STRUCTURE or ERR_INVALID: not the answer that was asked for; treat as transient.
 * Thread    pure.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/text.h"
#include "outbox/limits.h"
#include "outbox/vendor.h"

struct fingerprint {
    uint64_t sums[4];
};

struct answer_record {
    struct slice id, version; /* empty when absent, or not what FHIR allows */
    int64_t updated_ms;       /* meta.lastUpdated; 0 when absent */
    bool is_ours;             /* carries the identifier that was looked for */
    struct fingerprint content;
};

struct answer_want {
    const char *type;           /* "Flag" */
    struct slice system, value; /* our identifier; value may be empty: then nothing is_ours */
    struct slice mark;          /* ... or a word of its text, also in base64; may be empty */
};

struct answer_search {
    struct answer_record records[OUTBOX_RECORDS_MAX];
    unsigned count;    /* records of the type that was asked for */
    bool has_others;   /* more than fit here */
    struct slice next; /* URL of the next page; empty: none */
};

bool answer_read_record(struct slice body, const struct answer_want *want, struct arena *arena,
                        struct answer_record *out, struct err *err) MUST_USE;
bool answer_read_search(struct slice body, const struct answer_want *want, struct arena *arena,
                        struct answer_search *out, struct err *err) MUST_USE;

static inline bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b)
{
    return memcmp(a->sums, b->sums, sizeof a->sums) == 0;
}

/* The reference that a Patient was replaced by; false when it names none. */
bool answer_read_survivor(struct slice body, struct arena *arena, struct slice *out) MUST_USE;

/* Names of members at the top that were sent and are not in what is held, joined by ','.  False
 * when one of the two is no JSON. */
bool answer_missing_members(struct slice sent, struct slice held, struct arena *arena,
                            struct text *out) MUST_USE;

/* issue.code of the worst issue of an OperationOutcome: lower-case letters and hyphens only, so
 * that it may be kept and logged.  Empty when the body is something else. */
#define ANSWER_ISSUE_SIZE 32
struct answer_issue {
    char code[ANSWER_ISSUE_SIZE];
    enum vendor vendor; /* whose number it is */
    unsigned number;    /* of issue.details; 0: none */
};
void answer_read_issue(struct slice body, struct arena *arena, struct answer_issue *out);

/* The id in "[base/]Flag/123[/_history/4]"; empty when there is none that FHIR allows. */
struct slice answer_location_id(struct slice location, const char *type);
/* 3 of W/"3"; 0 when the version is not a number. */
uint32_t answer_etag_version(struct slice etag);
