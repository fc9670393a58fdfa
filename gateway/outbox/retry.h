/* outbox/retry.h -- what to do after one answer, or after none.
 *
 * What      a pure decision by one table of classes (retry.c).  The table knows nothing of FHIR
 *           kinds or of curl: a status, a transport error, the issue code of an OperationOutcome
 *           and whether the request may be repeated are all it looks at.
 * Thread    pure.
 * Rules     standards/writeback 6.
 */
#pragma once

#include "base/check.h"
#include "base/slice.h"

enum transport_error {
    TRANSPORT_ANSWERED,    /* there is a status */
    TRANSPORT_UNREACHABLE, /* name, route or connection: nothing was sent */
    TRANSPORT_TLS,         /* no trust between us: nothing was sent */
    TRANSPORT_LATE,        /* no connection in time: nothing was sent */
    TRANSPORT_LOST,        /* sent, and then the connection broke or the time was up */
    TRANSPORT_STOPPED,     /* sent, and then we had to stop */
};

/* How much harm a second copy of the request can do. */
enum retry_ask {
    RETRY_PROBE,  /* none, and a refusal says nothing about the record: GET metadata */
    RETRY_READ,   /* none: nothing is written */
    RETRY_WRITE,  /* none: PUT of one record */
    RETRY_CREATE, /* a duplicate: POST */
};

/* clang-format off */
#define RETRY_CLASS_TABLE(X)                                        \
    /* class       name in rows and audit   what follows      */    \
    X(NONE,        "",                      RETRY_DONE)             \
    X(TRANSIENT,   "transient",             RETRY_LATER)            \
    X(CREDENTIAL,  "credential",            RETRY_REFRESH)          \
    X(CONFLICT,    "conflict",              RETRY_REREAD)           \
    X(UNKNOWN,     "unknown",               RETRY_RECONCILE)        \
    X(PERMANENT,   "permanent",             RETRY_DEAD)             \
    X(POLICY,      "policy",                RETRY_DEAD)             \
    X(SITE,        "site-build",            RETRY_DEAD)             \
    X(MERGED,      "merged",                RETRY_FOLLOW)           \
    X(QUOTA,       "quota",                 RETRY_LATER)
/* clang-format on */

enum retry_class {
#define X(name, word, action) RETRY_CLASS_##name,
    RETRY_CLASS_TABLE(X)
#undef X
};

enum retry_action {
    RETRY_DONE,
    RETRY_LATER,     /* send again at due_ms */
    RETRY_REFRESH,   /* fetch the credential again and resend once; else wait until due_ms */
    RETRY_FOLLOW,    /* the patient was merged: ask which record survives, now */
    RETRY_REREAD,    /* the record is not what we thought: read it and decide again, now */
    RETRY_RECONCILE, /* we do not know what happened: look at due_ms before anything is sent */
    RETRY_DEAD,      /* give up; reason says why */
};

struct retry_input {
    enum transport_error transport;
    int status;
    struct slice issue; /* OperationOutcome.issue.code, empty when there was none */
    /* What the vendor's error number means; RETRY_CLASS_NONE when there is none. */
    enum retry_class vendor_class;
    int64_t next_day_ms; /* where a quota of today is over */
    enum retry_ask ask;
    unsigned attempt;         /* 1 is the first failure */
    int64_t first_failure_ms; /* or, where that is not known, since when it is wanted */
    int64_t now_ms;
    int64_t horizon_ms;       /* 0: for ever */
    uint32_t jitter;          /* 0 .. UINT32_MAX: the share of the full wait */
    unsigned pace_permille;   /* 1000 is real time */
    struct slice retry_after; /* the header as it came */
};

struct retry_step {
    enum retry_action action;
    enum retry_class class;
    int64_t due_ms;     /* RETRY_LATER, RETRY_REFRESH, RETRY_RECONCILE */
    const char *reason; /* RETRY_DEAD: the name of the class, or "horizon" */
};

struct retry_step retry_decide(const struct retry_input *input);
const char *retry_class_name(enum retry_class class);
const char *transport_error_name(enum transport_error error);

/* The wait in front of attempt + 1: full jitter over 1 s, 5 s, 30 s, 2 m, 10 m, 30 m, 1 h ... */
int64_t retry_wait_ms(unsigned attempt, uint32_t jitter, unsigned pace_permille);
/* Retry-After as seconds or as an HTTP date, from now; 0 when it is absent, past or unreadable. */
int64_t retry_after_ms(struct slice header, int64_t now_ms);
