/* outbox/outbox_int.h -- the shell around the pure parts: outbox, destinations, runs.
 *
 * What      an outbox has destinations; a destination claims rows and has a fixed number of runs; a
 *           run carries one delivery from claim to settled, one row at a time.
 *
 *   destination_pump() -- claim job --> rows --> run_start() --> exchange --> save job --> ...
 *         ^                                                                      |
 *         +------------------------------ run is free again <--------------------+
 *
 * Thread    all of it on the outbox loop, but for `run` of jobs (the lane) and the counters.
 */
#pragma once

#include <stdatomic.h>
#include <uv.h>

#include "audit/audit.h"
#include "outbox/breaker.h"
#include "outbox/bucket.h"
#include "outbox/crowd.h"
#include "outbox/exchange.h"
#include "outbox/outbox.h"
#include "outbox/token.h"

/* --- one delivery under way ---------------------------------------------------------------- */

enum run_state {
    RUN_FREE,
    RUN_QUEUED,  /* has a row, and waits for its turn */
    RUN_SENDING, /* the exchange is with curl */
    RUN_SAVING,  /* the row is with the lane, or waits for room in its queue */
    RUN_WAITING, /* for an access token */
};

struct run {
    struct sm sm;
    struct destination *destination;
    struct exchange exchange;
    struct arena arena; /* of one delivery */
    struct outbox_row claimed;
    bool is_check; /* of a settled row */
    struct delivery_sibling sibling;
    bool has_sibling;
    uint64_t turn; /* the lowest goes first */
    struct delivery delivery;
    struct delivery_request request;
    enum delivery_action action; /* what follows once the row is saved */
    bool is_superseded;          /* something else is wanted by now */
    bool is_borne;               /* counts among destination.borne */

    int64_t sent_ns;           /* the last request, by the monotonic clock */
    unsigned token_generation; /* of the last request */
    bool has_record;           /* an exchange that is not yet in the audit log */
    struct audit_record record;
    struct audit_entry entry;
    char request_id[40], address[64];

    struct job job;
    struct run *next_waiting;
};

/* Takes the row over (copied).  The sibling is NULL unless the row speaks of another. */
void run_claim(struct run *run, const struct outbox_row *row,
               const struct delivery_sibling *sibling);
/* Its turn has come. */
void run_start(struct run *run);
/* Looks again at a settled row, at once. */
void run_look_again(struct run *run, const struct outbox_row *row);
/* It has not, for so long that the row may be another by now: the store still has it. */
void run_put_back(struct run *run);
/* A token is there, or is not to be had. */
void run_go_on(struct run *run);
/* The grace is over: breaks the exchange off, as an answer that was lost. */
void run_abort(struct run *run);
/* The lane may have room again. */
void run_save_again(struct run *run);
bool run_init(struct run *run, struct destination *destination, struct err *err) MUST_USE;
void run_fini(struct run *run);

/* record.c: what the audit log says about the exchange that has just ended. */
void record_exchange(struct run *run, const struct delivery_answer *answer);

/* --- destination --------------------------------------------------------------------------- */

struct claim {
    struct job job;
    bool is_under_way;
    bool is_woken;  /* something has changed since it was submitted */
    bool is_paused; /* by an operator */
    struct arena arena;
    int64_t now_ms;
    int64_t busy[OUTBOX_RUNS_MAX]; /* patients */
    unsigned busy_count, limit;
    struct outbox_row *rows;
    struct delivery_sibling *siblings;
    bool *has_sibling;
    unsigned count;
    int64_t next_due_ms;
};

/* The next settled row to be looked at again. */
struct check {
    struct job job;
    bool is_under_way;
    struct arena arena;
    int64_t now_ms, next_ms;
    struct outbox_row row;
    bool has_row;
};

/* The store is told by which channels a destination can be told now. */
struct channels_job {
    struct job job;
    bool is_under_way;
    struct arena arena;
    unsigned channels, count;
    int64_t now_ms;
};

struct destination {
    struct outbox *outbox;
    struct channels_job channels_job;
    unsigned channels; /* as the store knows them */
    bool has_channels;
    struct destination_settings settings;
    struct delivery_site site;
    struct run runs[OUTBOX_RUNS_MAX];
    unsigned run_count; /* more than settings.in_flight_max: the last save burdens nobody else */
    unsigned under_way; /* runs that are not free */
    unsigned queued;    /* ... that wait for their turn */
    uint64_t next_turn;
    bool is_starting;   /* rows that end at once must not start the next from within */
    int64_t claimed_ms; /* when those were claimed */
    unsigned borne;     /* ... whose exchanges the destination has still to bear */
    struct claim claim;
    struct check check;
    uv_timer_t timer, check_timer;
    struct breaker breaker;
    bool is_smart;
    struct token_source tokens; /* where is_smart */
    struct bucket bucket;
    struct crowd crowd;
    int64_t hold_until_ms; /* it asked for a pause with Retry-After */
    struct capability capability;
    int64_t capability_read_ms;       /* 0: must be read */
    bool has_verified[POSTING_KINDS]; /* what it keeps of this kind was looked at */
    char *token;                      /* OUTBOX_TOKEN_MAX bytes; NULL: none */
};

bool destination_open(struct destination *destination, struct outbox *outbox,
                      const struct destination_settings *settings, struct err *err) MUST_USE;
/* On the loop, before anything else. */
void destination_start(struct destination *destination);
void destination_close(struct destination *destination);
/* Claims what may be sent now, or arranges to be called when there may be something. */
void destination_pump(struct destination *destination);
/* Looks again at what is settled, or arranges to be called (check.c). */
void destination_check(struct destination *destination);
/* A statement was read: the channels may be others than before. */
void destination_note_channels(struct destination *destination);
/* NULL when it must be read first. */
const struct capability *destination_capability(struct destination *destination);
/* Reads the bearer token from its file. */
bool destination_read_token(struct destination *destination, struct err *err) MUST_USE;
/* Nothing more will be sent: puts back what waits for its turn. */
void destination_put_back(struct destination *destination);
/* A run has nothing more to send. */
void destination_unburden(struct destination *destination, struct run *run);
/* A run has ended. */
void destination_run_ended(struct destination *destination);

/* --- outbox -------------------------------------------------------------------------------- */

enum outbox_phase {
    PHASE_RUNNING,
    PHASE_DRAINING, /* claims no more */
    PHASE_ABORTING, /* sends no more */
    PHASE_CLOSING,  /* nothing under way; handles close */
};

struct outbox {
    struct sm sm;
    struct loop *loop;
    struct lane *lane;
    struct arena arena; /* the settings */
    const char *instance, *user_agent;
    unsigned pace_permille;
    uint64_t random;
    struct transport transport;
    struct destination *destinations;
    unsigned destination_count;
    uv_timer_t grace_timer, lane_timer;
    struct run *waiting; /* for room in the lane's queue */
    uint64_t request_number;

    struct loop_task wake_task, stop_task;
    atomic_flag is_woken;
    unsigned grace_ms;
    _Atomic uint64_t sent, settled, retried, dead, reconciled, duplicates;
    _Atomic uint64_t tokens, token_failures;
    _Atomic uint64_t checked, edited, deleted;
};

uint64_t outbox_random(struct outbox *outbox);
struct delivery_moment outbox_moment(const struct destination *destination);
void outbox_wait_for_lane(struct outbox *outbox, struct run *run);
/* When stopping and nothing is under way: closes. */
void outbox_close_if_idle(struct outbox *outbox);
