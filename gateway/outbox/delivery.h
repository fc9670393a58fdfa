/* outbox/delivery.h -- one delivery as a pure state machine: facts in, the next request out.
 *
 *   DECIDING --> ASKING     what can the destination do?        GET metadata
 *            --> SEARCHING  is our record there?                GET Flag?identifier=
 *            --> READING    what does it look like now?         GET Flag/1
 *            --> FOLLOWING  into whom was the patient merged?   GET Patient/1
 *            --> WRITING    PUT Flag/1 | PUT Flag?identifier= | PUT Flag/<own id>
 *            --> MARKING --> WRITING   POST Flag, once the store has been told that it may be there
 *            --> ENDED
 *   ASKING, SEARCHING, READING, FOLLOWING, WRITING --> DECIDING | ENDED
 *
 * What      row is a working copy of the outbox row.  It always holds what the store should know:
 *           save it after every answer, and before a request when DELIVERY_SAVE is asked for.  A
 *           process that dies at any instant then finds a row from which it can go on without
 *           sending a second copy.
 *           While it is not known what the destination holds, row.held is a mark instead of a
 *           digest (delivery_held_is_unknown()).
 * Owns      row's slices are borrowed; what the machine adds lives in `arena`, which outlives it.
 * Thread    pure.
 * Rules     standards/writeback 4.1, 5, 6.  Edits: delivery_judge.c.
 */
#pragma once

#include "base/sm.h"
#include "outbox/answer.h"
#include "outbox/capability.h"
#include "outbox/ladder.h"
#include "outbox/retry.h"
#include "store/store.h"

enum delivery_state {
    DELIVERY_DECIDING,
    DELIVERY_ASKING,
    DELIVERY_SEARCHING,
    DELIVERY_READING,
    DELIVERY_FOLLOWING,
    DELIVERY_MARKING,
    DELIVERY_WRITING,
    DELIVERY_ENDED,
};

/* How WRITING writes. */
enum delivery_write {
    WRITE_KNOWN,       /* PUT Flag/1, If-Match */
    WRITE_CONDITIONAL, /* PUT Flag?identifier= */
    WRITE_OWN_ID,      /* PUT Flag/<id made of the identity> */
    WRITE_CREATE,      /* POST Flag, with If-None-Exist where that is offered */
    WRITE_REPAIR,      /* PUT of a second copy, as entered in error and under another name */
};

/* What a Provenance speaks of, as the outbox knows it. */
struct delivery_sibling {
    bool exists;
    enum outbox_state state;
    int64_t due_ms;
    struct slice target_id;
};

/* What is configured of the destination. */
struct delivery_site {
    struct slice system;  /* of our identifiers */
    struct slice base;    /* the base URL, without a slash at its end */
    struct ladder ladder; /* without rungs, each row is sent whatever else is */
    struct message_site message;
    int64_t message_delay_ms; /* what changes again within it is one message, not two */
};

/* How SEARCHING looks for a record. */
enum delivery_search {
    SEARCH_NONE,
    SEARCH_IDENTIFIER,
    SEARCH_PATIENT,   /* all of the patient's; ours are known by identifier or mark */
    SEARCH_RECIPIENT, /* all that the recipient got since this was wanted (Oracle Health) */
    SEARCH_TARGET,    /* of a Provenance */
};

struct delivery_moment {
    int64_t now_ms, horizon_ms;
    int64_t next_day_ms; /* of the destination's own calendar; 0: not known */
    uint32_t jitter;
    unsigned pace_permille;
};

struct delivery_answer {
    enum transport_error transport;
    int status;
    struct slice body, location, etag, retry_after;
    int64_t date_ms; /* of the peer's clock; 0 when it sent none */
};

struct delivery_request {
    const char *method;
    const char *action;      /* for the audit: "read", "search", "create", "update" */
    struct slice path;       /* relative to the base URL */
    struct slice audit_path; /* the same without values */
    struct slice if_match, if_none_match, if_none_exist, body;
    enum retry_ask ask;
    bool is_about_patient;
};

/* What a look at a settled record found. */
enum delivery_drift { DRIFT_NONE, DRIFT_EDITED, DRIFT_DELETED };
const char *delivery_drift_name(enum delivery_drift drift);

enum delivery_action {
    DELIVERY_SEND, /* the request */
    DELIVERY_SAVE, /* row first; then delivery_saved() */
    DELIVERY_END,  /* row says how it went; save it */
};

struct delivery {
    struct sm sm;
    struct arena *arena;
    struct outbox_row row;
    const struct delivery_site *site;
    const char *type;                    /* "Flag" */
    struct slice target_reference;       /* of a Provenance: "Flag/1" */
    const struct capability *capability; /* NULL: must be read; set before delivery_next() */
    enum delivery_write write;

    /* What this delivery has learnt. */
    struct slice replaces;     /* the id of the document that a new one supersedes */
    struct slice survivor;     /* "Patient/2": into whom the patient was merged there */
    bool is_merged;            /* ... which must be asked */
    unsigned merges;           /* that were followed */
    struct slice next_page;    /* of the search, relative to the base; empty: its first */
    unsigned pages;            /* that were read */
    struct answer_record best; /* of the records of ours; id empty: none yet */
    struct answer_record ours[OUTBOX_RECORDS_MAX]; /* each once */
    unsigned ours_count, others_count;
    bool is_endless;  /* more pages than we read */
    unsigned repair;  /* of `ours`, the next that may need one */
    bool is_checking; /* set after the start: only looks again (delivery_check.c) */
    enum delivery_drift drift;
    bool is_repairing;   /* settled; only second copies are left to do */
    bool is_verifying;   /* READING what has just been written */
    bool must_verify;    /* set before delivery_next(): what it keeps of this kind is not known */
    bool has_verified;   /* ... and now is */
    bool says_duplicate; /* the last answer: by its issue code or its vendor's number */
    bool is_duplicate;   /* a create was refused because it is there already */
    bool was_unknown;    /* an earlier request may have been carried out */
    bool is_conflicted;  /* the record is not the one we knew */
    bool is_searched;    /* ... and nothing of ours was found */
    bool is_written;     /* accepted; only the id is missing */
    bool asked_again;    /* the capability was read again because of a 404 or 405 */
    bool needs_token;    /* fetch the credential again before the next request */
    bool has_new_token;
    unsigned conflicts, requests;

    /* For the audit and for the destination. */
    enum retry_class class;             /* of the last answer */
    char issue[ANSWER_ISSUE_SIZE + 12]; /* "business-rule", "processing 59141" */
    unsigned repaired;                  /* of the duplicates, marked as entered in error */
    unsigned duplicates;                /* records of ours beyond the one that was adopted */
    bool is_reconciled;                 /* a lost answer turned out well */
    bool is_refused;                    /* the credential was refused twice */
    bool capability_is_stale;
};

/* `site` outlives the delivery. */
void delivery_start(struct delivery *delivery, const struct outbox_row *row,
                    const struct delivery_site *site, struct arena *arena);
/* The kind of record that a row's body speaks of; 0: none. */
enum posting_kind delivery_sibling_kind(const struct outbox_row *row);
/* For such a row, before the first delivery_next(): it waits for what it speaks of. */
void delivery_set_sibling(struct delivery *delivery, const struct delivery_sibling *sibling,
                          int64_t now_ms);
enum delivery_action delivery_next(struct delivery *delivery, const struct delivery_moment *moment,
                                   struct delivery_request *request);
/* The store has been told that the POST may be there. */
void delivery_saved(struct delivery *delivery);
/* Before a POST that will not be sent after all. */
void delivery_unmark(struct delivery *delivery);
void delivery_answered(struct delivery *delivery, const struct delivery_answer *answer,
                       const struct delivery_moment *moment);
/* The answer to ASKING could not be read as a CapabilityStatement, or could: then set `capability`
 * first.  Called instead of delivery_answered() for a 2xx in that state. */
void delivery_asked(struct delivery *delivery, const struct delivery_moment *moment);

/* --- the mark in held ---------------------------------------------------------------------- */

struct delivery_mark {
    uint32_t revision; /* that was under way */
    bool is_create;    /* by POST, after a search had found nothing */
    unsigned searches; /* that have found nothing since */
};

struct sha256 delivery_held_mark(const struct delivery_mark *mark);
bool delivery_held_is_unknown(const struct sha256 *held);
struct delivery_mark delivery_mark_of(const struct sha256 *held);
