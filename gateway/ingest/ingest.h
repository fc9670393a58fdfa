/* ingest/ingest.h -- the use case of the gateway: a FHIR request in, a durable answer out.
 *
 * What      on an I/O loop: who is calling, what is asked, read the body, assign ids, rewrite
 *           references, compress, digest.  On a lane, inside one transaction: store versions, load
 *           the patient's timeline, derive lines, plan postings, write outbox rows and the audit
 *           record.  Back on the loop, after the commit: the reply.
 * Owns      the call is the caller's (it lives in the request's arena); ingest borrows it from
 *           ingest_handle() until `finish`.
 * Errors    every refusal is an OperationOutcome and an audit record; a full queue is answered 503
 *           with Retry-After at once.
 * Thread    ingest_handle() on the call's loop; `finish` on the same loop, exactly once, perhaps
 *           inside the call.  The settings are immutable while calls are open.
 */
#pragma once

#include "audit/audit.h"
#include "auth/auth.h"
#include "base/arena.h"
#include "domain/line.h"
#include "http/message.h"
#include "loop/loop.h"
#include "mapping/mapping.h"
#include "plan/plan.h"
#include "store/lane.h"

/* Where a tenant's postings go. */
struct ingest_destination {
    struct slice name;
    unsigned kinds; /* POSTING_BIT() of what it may be told by */
    /* ... and of what it is told by now; 0: not known; NULL: all. */
    const _Atomic unsigned *channels;
};

struct ingest_tenant {
    struct tenant tenant;
    const struct ingest_destination *destinations;
    unsigned destination_count;
};

struct ingest_settings {
    const struct mapping *mapping;
    const struct plan_texts *texts;
    struct store *store;
    struct lane *lane;
    const struct ingest_tenant *tenants; /* their numbers come from ingest_open() */
    unsigned tenant_count;
    const char *fallback_tenant; /* for callers without a certificate; NULL refuses them */
    const char *base_url;        /* "https://gateway.example:8443/fhir", no slash at the end */
    const char *instance;        /* URI of this gateway */
    const char *version;         /* of the software */
    const char *security;        /* "client certificates", for the CapabilityStatement */
    unsigned bundle_entries_max;
    size_t reply_bytes_max;
    size_t line_bytes_max; /* of a resource that comes as a line */
    bool update_creates;
    bool if_match_required; /* a change of what is there must name the version it rests on */
    enum grade grade_min;
    int64_t started_ms;
    /* Any loop: a commit wrote outbox rows. */
    void (*on_outbox)(void *ctx);
    void *ctx;
};

struct ingest;
/* Registers tenants in the store; call before the lane starts, with a transaction of its own. */
bool ingest_open(const struct ingest_settings *settings, struct ingest **out,
                 struct err *err) MUST_USE;
void ingest_close(struct ingest *ingest);
/* The lane may be made after ingest_open(). */
void ingest_set_lane(struct ingest *ingest, struct lane *lane);

#define INGEST_NO_ROUTE (-1)

/* What the metrics want to know of a finished call. */
struct ingest_outcome {
    int interaction; /* enum fhir_interaction; INGEST_NO_ROUTE when the request named none */
    enum fhir_type type;
    int status;
    unsigned resources; /* accepted in this call */
};

struct ingest_op;
struct ingest_call {
    /* Filled by the caller. */
    const struct http_request *request;
    struct http_reply *reply;
    struct arena *arena;
    struct caller caller;
    struct slice address;
    struct loop *loop;
    int64_t now_ms, now_ns;
    uint64_t lines_before; /* a part of a body in lines: how many lines were before it */
    void (*finish)(struct ingest_call *call);
    void *user;

    /* Filled for the caller before `finish`. */
    struct ingest_outcome outcome;
    uint64_t lines_done; /* lines of this part */

    /* Private to ingest/ (ingest_int.h). */
    struct ingest *ingest;
    struct ingest_work *work;
    struct job job;
};

void ingest_handle(struct ingest *ingest, struct ingest_call *call);

/* --- work without a request --------------------------------------------------------------- */

/* Derives patients again whose answer may have changed with the day, and records it; `done` tells
 * how many there were (call again while there are as many as `max`). */
struct ingest_daily {
    struct ingest *ingest;
    int64_t now_ms;
    unsigned max, derived; /* max <= 1000 */
    void (*done)(struct ingest_daily *daily, const struct err *err);
    struct job job; /* private */
};
bool ingest_daily_submit(struct ingest_daily *daily, struct loop *loop, struct err *err) MUST_USE;

/* All patients once more after the mappings changed, `max` at a time, from where the last pass
 * stood (a kill repeats and forgets nothing); recorded at its begin and end, and where an answer
 * changed.
 * Submit the same struct, zeroed at first, until is_done.  A patient that cannot be derived fails
 * its batch once, is recorded and then passed over. */
#define INGEST_PASS_MAX 256
struct ingest_pass {
    struct ingest *ingest;
    int64_t now_ms;
    unsigned max; /* at most INGEST_PASS_MAX */
    bool is_done;
    int64_t derived, failed; /* since the pass began */
    void (*done)(struct ingest_pass *pass, const struct err *err);
    /* private */
    int64_t bad_key;
    enum err_code bad_code;
    bool wrote_outbox;
    struct job job;
};
bool ingest_pass_submit(struct ingest_pass *pass, struct loop *loop, struct err *err) MUST_USE;

/* An audit record of its own: start, stop, an administrative act, a failed handshake. */
struct ingest_note {
    struct ingest *ingest;
    enum audit_kind kind;
    int64_t now_ms, now_ns;
    struct slice actor, address, detail; /* must live until done */
    const char *outcome;
    const struct audit_key *sign; /* when set, the head is signed behind the record */
    void (*done)(struct ingest_note *note, const struct err *err);
    void *user;
    struct job job; /* private */
};
bool ingest_note_submit(struct ingest_note *note, struct loop *loop, struct err *err) MUST_USE;
