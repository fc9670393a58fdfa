/* outbox/outbox.h -- delivers what the store says a destination should hold.
 *
 * What      a loop of its own with libcurl multi.  Claims rows through the lane, sends, settles
 *           through the lane (with its audit record in the same transaction).  At most one row per
 *           (destination, patient) is under way; a row is an intention, so the newest wish wins.
 * Errors    never lost: what cannot be delivered is retried by the classes of retry.h or parked as
 *           OUTBOX_DEAD with a reason.
 * Owns      copies its settings; the lane is borrowed until outbox_stop() has returned.
 * Thread    outbox_start()/outbox_stop() from the main thread; outbox_wake() from any thread.
 */
#pragma once

#include "base/err.h"
#include "loop/loop.h"
#include "outbox/bucket.h"
#include "outbox/jose.h"
#include "outbox/ladder.h"
#include "store/lane.h"

/* A client of SMART Backend Services; client_id NULL: it is none. */
struct smart_settings {
    const char *client_id, *scope;
    const char *token_url;         /* NULL: by discovery */
    const char *secret_file;       /* NULL: private_key_jwt with `key` */
    bool is_by_certificate;        /* neither: the TLS certificate says who we are (RFC 8705) */
    enum jose_algorithm algorithm; /* enum jose_algorithm, by which `key` is chosen */
    const struct jose_key *key;    /* borrowed */
};

struct destination_settings {
    const char *name;
    const char *tenant;                      /* the tenant whose postings go there */
    const char *base_url;                    /* "https://ehr.example/fhir" */
    const char *ca_file;                     /* PEM; NULL: the system's */
    const char *certificate_file, *key_file; /* mutual TLS; NULL: none */
    const char *bearer_file;                 /* file with a static token; NULL: none */
    unsigned in_flight_max;                  /* default 4 */
    struct bucket_plan rate;
    struct smart_settings smart;
    unsigned timeout_ms;      /* whole exchange; default 30000 */
    int64_t horizon_ms;       /* give up after; 0 = never; default 7 days */
    int64_t message_delay_ms; /* a message is due so long after what it says; default a minute */
    struct ladder ladder;     /* without rungs: every row that is wanted is sent */
    struct message_site message;
    bool wants_provenance;
    unsigned check_every_s;    /* a round through what is settled there; 0: never */
    unsigned check_per_minute; /* records; default 10 */
    /* Where not NULL: the channels in use, as a set, for whoever writes rows; written on the lane.
     * 0 while not known, and where there is none. */
    _Atomic unsigned *channels;
};

struct outbox_settings {
    const struct destination_settings *destinations;
    unsigned destination_count;
    struct lane *lane;
    const char *instance;   /* identifier system: URI of this gateway */
    const char *user_agent; /* "Lifeline/0.1.0" */
    uint64_t jitter_seed;
    unsigned pace_permille; /* of the retry schedule; 0 means 1000, real time; tests hurry */
};

/* POSTING_BIT() of the postings that rows are needed for: what of the ladder can ever be used. */
unsigned outbox_kinds(const struct destination_settings *settings);

struct outbox_counts {
    uint64_t sent, settled, retried, dead, reconciled;
    uint64_t duplicates; /* records of ours at destinations beyond the one we keep */
    uint64_t tokens, token_failures;
    uint64_t checked, edited, deleted; /* settled records that were looked at again */
};

struct outbox;
bool outbox_start(const struct outbox_settings *settings, struct outbox **out,
                  struct err *err) MUST_USE;
/* Rows may have become due (a commit wrote some); cheap, coalesced. */
void outbox_wake(struct outbox *outbox);
/* Takes no more rows, lets what is under way end (up to grace_ms), marks the rest UNKNOWN, returns
 * when all is settled in the store.  The lane must still run. */
void outbox_stop(struct outbox *outbox, unsigned grace_ms);
struct outbox_counts outbox_counts(struct outbox *outbox);
