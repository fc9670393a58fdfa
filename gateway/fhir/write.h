/* fhir/write.h -- FHIR R4 JSON out: OperationOutcome, CapabilityStatement, Bundles of answers.
 *
 * Owns      text is appended to the caller's buffer.
 */
#pragma once

#include "base/buffer.h"
#include "base/err.h"
#include "domain/fhir_type.h"
#include "http/message.h"

/* severity "error" (or "fatal" for 5xx), code, expression, diagnostics from `err`. */
void fhir_write_outcome(const struct err *err, struct buffer *out);
/* The "all ok" outcome of Prefer: return=OperationOutcome. */
void fhir_write_outcome_ok(const char *text, struct buffer *out);

/* The answer of $validate: what is wrong, or that the resource would be taken; `remark` is a
 * warning beside it, NULL for none. */
void fhir_write_verdict(const struct err *fault, const char *remark, struct buffer *out);

/* OperationDefinition of an operation of ours ("lines-of-therapy"); false when there is none. */
bool fhir_write_operation_definition(struct slice name, struct slice base_url,
                                     struct buffer *out) MUST_USE;

struct fhir_capability_settings {
    const char *version; /* software version */
    struct slice base_url;
    int64_t date_ms;      /* when the software was built or started */
    bool update_creates;  /* PUT of an unknown id creates it */
    const char *security; /* "client certificates", ... */
};
void fhir_write_capability(const struct fhir_capability_settings *settings, struct buffer *out);

/* One entry of a batch-response or transaction-response. */
struct fhir_answer {
    int status;
    struct slice location; /* relative: "Patient/p1/_history/1"; empty when none */
    uint32_t version;      /* 0: no etag */
    int64_t updated_ms;
    struct slice resource; /* whole JSON; empty when none */
    struct err err;        /* ERR_OK, or what went wrong: becomes response.outcome */
};
void fhir_write_bundle_response(bool is_transaction, const struct fhir_answer *answers,
                                unsigned count, struct buffer *out);

struct fhir_match {
    struct slice full_url;
    struct slice resource;
    const char *mode; /* "match" or "include" */
};
struct fhir_searchset {
    struct slice self, next; /* URLs; next empty on the last page */
    const struct fhir_match *matches;
    unsigned count, total;
    bool has_total;
    const char *warning; /* becomes an OperationOutcome in the set; NULL when there is none */
};
void fhir_write_searchset(const struct fhir_searchset *set, struct buffer *out);

/* One version of a resource: how it came about, and what it was. */
struct fhir_version {
    struct slice full_url, url; /* url: of the request, "Patient/p1" */
    enum http_verb verb;
    struct fhir_answer answer; /* status, version, time; resource empty for a deletion */
};
struct fhir_history {
    struct slice self, next;
    const struct fhir_version *versions; /* the newest first */
    unsigned count, total;
    bool has_total;
};
void fhir_write_history(const struct fhir_history *history, struct buffer *out);
