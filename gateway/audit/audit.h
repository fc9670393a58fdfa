/* audit/audit.h -- the tamper-evident log: records, their chain, signed heads, verification.
 *
 * What      every inbound and outbound exchange, every derivation and every administrative act is
 *           one record.  A record is one line of JSON with fixed key order; its hash covers the
 *           hash before it, so that an edit, a removal, an insertion or a reordering breaks the
 *           chain at a record that verification names.  The head (last seq and hash) is kept apart
 *           and signed at intervals, so that a cut tail and a rewritten chain show too.
 * Owns      audit_write() appends to the caller's buffer; nothing else is held.
 * Thread    pure; the lane keeps one `struct audit_head` in memory.
 * Rules     standards/checklists J1, J2, J5, J6; I (what a record says).
 */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"
#include "base/hash.h"
#include "domain/fhir_type.h"

/* clang-format off */
#define AUDIT_KIND_TABLE(X)                                                       \
    X(START,     "start")      /* the gateway started */                          \
    X(STOP,      "stop")       /* ... and stopped in order */                     \
    X(REQUEST,   "request")    /* an exchange in which we are the server */       \
    X(DELIVERY,  "delivery")   /* an exchange in which we are the client */       \
    X(DERIVE,    "derive")     /* a patient's lines were derived and changed */   \
    X(ADMIN,     "admin")      /* an operator did something */                    \
    X(CONFIG,    "config")     /* configuration, certificates or mappings changed */ \
    X(SECURITY,  "security")   /* a caller was refused */
/* clang-format on */

enum audit_kind {
#define X(name, word) AUDIT_##name,
    AUDIT_KIND_TABLE(X)
#undef X
};

struct audit_entry {          /* one resource touched by an exchange */
    const char *action;       /* "create", "update", "delete", "read", "search" */
    enum fhir_type type;
    struct slice id;
    uint32_t version;
    int status;
};

struct audit_record {
    enum audit_kind kind;
    int64_t time_ms, monotonic_ns;
    struct slice tenant;
    struct slice actor;        /* certificate name, token subject, destination, or operator */
    struct slice address;      /* as TCP saw it */
    struct slice request_id;   /* X-Request-Id */
    struct slice method, path; /* path without ids' queries: no query values */
    int status;                /* HTTP; 0 when none */
    const char *outcome;       /* "success", "minor", "serious", "major" (BALP 0, 4, 8, 12) */
    const struct audit_entry *entries;
    unsigned entry_count;
    struct slice patient;      /* "Patient/p1" */
    struct sha256 request_digest, response_digest; /* of bodies; all zero when none */
    struct slice detail;       /* one whole JSON object with what is special to the kind, or empty */
};

struct audit_head {
    int64_t seq;
    struct sha256 hash;
};

/* The record as its line of JSON, with seq and the hash before it; *head moves on. */
void audit_write(const struct audit_record *record, struct audit_head *head, struct buffer *out);
/* hash = SHA-256(hash before it || line). */
struct sha256 audit_hash(const struct sha256 *before, struct slice line);

/* --- verification -------------------------------------------------------------------------- */

enum audit_fault {
    AUDIT_OK,
    AUDIT_EDITED,      /* the record does not match its hash */
    AUDIT_REMOVED,     /* a seq is missing */
    AUDIT_INSERTED,    /* a seq is there twice, or does not continue the chain */
    AUDIT_REORDERED,
    AUDIT_TRUNCATED,   /* the head speaks of later records */
    AUDIT_REWRITTEN,   /* the chain is whole but a signed head disagrees */
    AUDIT_BAD_SIGNATURE,
    AUDIT_CLOCK_BACK,  /* wall time runs backwards by more than the tolerance: reported, not fatal */
};

struct audit_verifier {
    struct audit_head head;    /* so far */
    int64_t last_time_ms, last_monotonic_ns;
    enum audit_fault fault;
    int64_t fault_seq;
    char what[200];
    uint64_t records;
    unsigned clock_steps_back;
};

void audit_verify_start(struct audit_verifier *verifier);
/* In order of the store; false at the first fault. */
bool audit_verify_row(struct audit_verifier *verifier, int64_t seq, struct slice line,
                      const struct sha256 *hash) MUST_USE;
/* The head as the store keeps it apart from the rows. */
bool audit_verify_end(struct audit_verifier *verifier, const struct audit_head *stored) MUST_USE;

/* --- signed heads -------------------------------------------------------------------------- */

struct audit_key; /* Ed25519 */
bool audit_key_read(struct slice pem, bool is_private, struct audit_key **out,
                    struct err *err) MUST_USE;
void audit_key_free(struct audit_key *key);
/* {"seq":..,"hash":"..","time":"..","key":"<id>","signature":"<base64>"} */
bool audit_sign(const struct audit_key *key, const struct audit_head *head, int64_t time_ms,
                struct buffer *out, struct err *err) MUST_USE;
/* False with a fault when the statement's signature or its hash (against `hash_at_seq`) is wrong. */
bool audit_check_signature(const struct audit_key *key, struct slice statement,
                           const struct sha256 *hash_at_seq, struct err *err) MUST_USE;
/* seq named by a statement. */
bool audit_statement_seq(struct slice statement, int64_t *seq, struct err *err) MUST_USE;
