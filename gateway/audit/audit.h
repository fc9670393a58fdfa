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

struct audit_entry {    /* one resource touched by an exchange */
    const char *action; /* "create", "update", "delete", "read", "search" */
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
    struct slice patient;                          /* "Patient/p1" */
    struct sha256 request_digest, response_digest; /* of bodies; all zero when none */
    struct slice detail; /* one whole JSON object with what is special to the kind, or empty */
};

struct audit_head {
    int64_t seq;
    struct sha256 hash;
};

const char *audit_kind_name(enum audit_kind kind); /* "request" */

/* The record as its line of JSON, with seq and the hash before it; *head moves on.  A query in
 * `path` is cut off.  When the buffer overflows, *head stays and the bytes are of no use. */
void audit_write(const struct audit_record *record, struct audit_head *head, struct buffer *out);
/* hash = SHA-256(hash before it || line). */
struct sha256 audit_hash(const struct sha256 *before, struct slice line);

/* --- verification -------------------------------------------------------------------------- */

/* What a fault's seq means is told beside it. */
enum audit_fault {
    AUDIT_OK,
    AUDIT_EDITED,    /* the record is not what it was when its successor was written; its seq */
    AUDIT_REMOVED,   /* a record is missing; the first seq that is */
    AUDIT_INSERTED,  /* a record is there that was not written; the place where it stands */
    AUDIT_REORDERED, /* all records are there, in another order; the first place that is wrong */
    AUDIT_TRUNCATED, /* the head speaks of later records; the first missing seq */
    AUDIT_REWRITTEN, /* the chain is whole but a head disagrees; the head's seq */
    AUDIT_BAD_SIGNATURE, /* a signed head is not ours, or none covers the end; its seq */
    AUDIT_CLOCK_BACK, /* wall time runs backwards by more than the tolerance: reported, not fatal */
};
#define AUDIT_CLOCK_TOLERANCE_MS 1000

struct audit_verifier {
    struct audit_head head; /* so far */
    int64_t last_time_ms, last_monotonic_ns;
    enum audit_fault fault;
    int64_t fault_seq;
    char what[200];   /* the fault as a sentence; no patient data */
    uint64_t records; /* rows seen */
    unsigned clock_steps_back;
    int64_t clock_back_seq; /* the first record whose time runs backwards */
    int64_t signed_seq;     /* the last record that a good signature covers; 0: none */
    unsigned signatures;    /* statements whose hash agrees */

    /* Private: the first row that does not continue the chain, while later rows must still tell a
     * removal from a reordering, and an edit from an insertion. */
    struct audit_suspect {
        bool is_open;
        bool is_whole;      /* it is a genuine record, by its own account */
        bool came_again;    /* the same record stands at a later place too */
        bool has_successor; /* the record that should stand there stands at a later place */
        int64_t place, seq; /* of the row in the store; in its line, 0 when unreadable */
        struct sha256 hash; /* as stored beside it */
    } suspect;
    int64_t rewritten_seq;   /* a signed head disagrees; another fault may explain why */
    int64_t rewritten_after; /* the last signed head that agreed before it */
};

void audit_verify_start(struct audit_verifier *verifier);
/* The same in the middle of a chain, behind a head that is taken as given. */
void audit_verify_start_at(struct audit_verifier *verifier, const struct audit_head *before);
/* In order of the store.  False once a fault is known for sure: stop then, or go on, it stays the
 * first one.  A fault whose kind depends on later rows is settled by them, or by the end. */
bool audit_verify_row(struct audit_verifier *verifier, int64_t seq, struct slice line,
                      const struct sha256 *hash) MUST_USE;
/* The head as the store keeps it apart from the rows; NULL when there is none to compare with.
 * False when there is a fault, whenever it was found.  True with AUDIT_CLOCK_BACK in `fault` when
 * nothing but the clock was wrong. */
bool audit_verify_end(struct audit_verifier *verifier, const struct audit_head *stored) MUST_USE;
/* True when the records are whole: no fault, or AUDIT_CLOCK_BACK. */
bool audit_is_whole(const struct audit_verifier *verifier);
const char *audit_fault_name(enum audit_fault fault); /* "edited" */

/* --- signed heads -------------------------------------------------------------------------- */

/* Ed25519.  A private key, or up to AUDIT_KEYS_MAX public keys: a file of public keys may hold
 * several PEM blocks, so that the keys of earlier years stay with the present one. */
struct audit_key;
#define AUDIT_KEYS_MAX 16
#define AUDIT_KEY_ID_SIZE 17 /* 16 hex digits of SHA-256 of the public key, and NUL */
#define AUDIT_STATEMENT_MAX 512
bool audit_key_read(struct slice pem, bool is_private, struct audit_key **out,
                    struct err *err) MUST_USE;
void audit_key_free(struct audit_key *key);
/* Of the (first) key. */
const char *audit_key_id(const struct audit_key *key);
/* The public half as PEM, for who verifies. */
bool audit_key_public(const struct audit_key *key, struct buffer *out, struct err *err) MUST_USE;
/* {"seq":..,"hash":"..","time":"..","key":"<id>","signature":"<base64>"} */
bool audit_sign(const struct audit_key *key, const struct audit_head *head, int64_t time_ms,
                struct buffer *out, struct err *err) MUST_USE;
/* False when the statement's signature or its hash (against `hash_at_seq`) is wrong. */
bool audit_check_signature(const struct audit_key *key, struct slice statement,
                           const struct sha256 *hash_at_seq, struct err *err) MUST_USE;
/* seq named by a statement. */
bool audit_statement_seq(struct slice statement, int64_t *seq, struct err *err) MUST_USE;
/* A statement in the course of a verification: call it for each in order of its seq, when
 * verifier->head.seq has come to it, or for those of later records before audit_verify_end().
 * Finds AUDIT_REWRITTEN (told at the end), AUDIT_BAD_SIGNATURE and AUDIT_TRUNCATED.  With key NULL
 * only hashes are compared, which proves nothing against who can write to the store. */
bool audit_verify_statement(struct audit_verifier *verifier, const struct audit_key *key,
                            struct slice statement) MUST_USE;
