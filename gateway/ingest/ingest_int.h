/* ingest/ingest_int.h -- what the files of ingest/ share. */
#pragma once

#include "audit/audit.h"
#include "fhir/read.h"
#include "fhir/route.h"
#include "fhir/search.h"
#include "fhir/shape.h"
#include "fhir/write.h"
#include "ingest/ingest.h"
#include "ingest/state.h"

#define INGEST_LANE_ARENA_MAX ((size_t)512 * 1024 * 1024)
#define INGEST_PATIENTS_PER_LINK_PAGE 256

struct ingest {
    struct ingest_settings settings;
    struct ingest_tenant *tenants; /* a copy whose numbers are filled */
    struct tenant *auth_tenants;   /* the same tenants, as auth wants them */
    const struct tenant *fallback;
    uint64_t salt;
    struct arena arena;      /* of the tenants */
    struct arena lane_arena; /* scratch of the job that runs; lane thread only */
    struct buffer lane_buffer, lane_record;
};

enum prefer_return { RETURN_REPRESENTATION, RETURN_MINIMAL, RETURN_OUTCOME };

/* One thing to do to one resource: a whole request, or an entry of a Bundle. */
struct ingest_op {
    unsigned index; /* place in the Bundle */
    struct fhir_route route;
    struct slice query;
    struct fhir_shape shape;              /* of what is read */
    struct fhir_resource *resource;       /* NULL for reads and deletions */
    int64_t new_key;                      /* reserved for what this may create */
    char new_id[17];                      /* id_format(new_key) */
    struct slice packed;                  /* body for the store */
    struct ingest_validation *validation; /* validate.c */
    struct slice patch;                   /* a JSON Patch; the resource is made on the lane */
    struct slice patient_name; /* "Patient/p1"; empty when the resource belongs to nobody */
    struct slice if_match, if_none_match, if_none_exist, if_modified_since;
    /* Of an entry with a condition (bundle_resolve.c): what it means, found out before anything is
     * written. */
    bool is_conditional, is_resolved;
    struct slice full_url;
    struct slice meant; /* "Type/id"; empty when a deletion fits nothing */
    unsigned finds;
    int64_t found_key;
    struct fhir_answer answer;
    struct slice answer_id; /* of the resource that was written or read */
    const char *action;     /* for the audit record; NULL when nothing was touched */
    bool is_unchanged;      /* an identical resend: no new version */
};

/* A request under way. */
struct ingest_work {
    const struct ingest_tenant *tenant;
    struct fhir_route route;
    enum prefer_return prefer;
    bool is_pretty, is_routed, is_bundle, is_transaction;
    bool is_lines;                  /* a batch that came as NDJSON: lines.c */
    bool is_strict;                 /* Prefer: handling=strict */
    bool is_body_asked;             /* Prefer: return=representation, said and not the default */
    bool is_version_asked;          /* Accept names a fhirVersion: the answer says which it has */
    bool is_deferred;               /* a transaction with conditions: prepared on the lane */
    struct full_urls *urls;         /* of a Bundle: bundle_int.h */
    struct ingest_cds *cds;         /* a call of CDS Hooks: cds.c */
    struct ingest_message *message; /* a FHIR message: message.c */
    struct ingest_op *ops;          /* in the order of execution */
    unsigned op_count;
    struct date as_of;
    struct slice request_id;
    struct sha256 request_digest;
    struct err refusal; /* ERR_OK, or why the request as a whole is refused */
    struct slice allow; /* for 405 */
    bool wrote_outbox;
    struct slice body; /* of the reply */
    struct sha256 body_digest;
    bool has_body_digest;
};

/* --- a patient while its job runs (patient.c) ---------------------------------------------- */

struct patient_work {
    int64_t key;
    struct slice name;
    struct state state;
    bool is_dirty;
    bool is_merged; /* into another: says nothing itself */
    struct patient_work *next;
};

struct patient_set {
    struct ingest *ingest;
    const struct ingest_tenant *tenant;
    struct store_tx *tx;
    struct arena *arena;
    struct patient_work **slots; /* open addressing by key */
    unsigned slot_count, count;
    struct patient_work *first, *last; /* in order of touch */
    int64_t now_ms;
    bool wrote_outbox;
    struct buffer *detail; /* the record's detail: what was derived */
};

bool patient_set_init(struct patient_set *set, unsigned expected, struct err *err) MUST_USE;
/* Loads the patient's state once; *out is NULL when `create` is false and there is none. */
bool patient_touch(struct patient_set *set, struct slice name, bool create,
                   struct patient_work **out, struct err *err) MUST_USE;
bool patient_touch_key(struct patient_set *set, int64_t key, struct slice name,
                       struct patient_work **out, struct err *err) MUST_USE;
/* Puts the event of a resource version in the place of the one before it. */
bool patient_put(struct patient_set *set, struct patient_work *patient, struct event *event,
                 struct err *err) MUST_USE;
/* A deleted resource leaves a tombstone, so that what rested on it can be withdrawn. */
bool patient_remove(struct patient_set *set, struct patient_work *patient,
                    const struct event *tombstone, struct err *err) MUST_USE;
/* Derives, plans and saves every dirty patient. */
bool patient_set_save(struct patient_set *set, struct err *err) MUST_USE;
/* A Medication was written (or deleted: codes NULL): every order that refers to it is read anew. */
bool patient_medication_changed(struct patient_set *set, struct slice reference,
                                const struct concept *codes, struct err *err) MUST_USE;
/* The events of a state, with codes resolved. */
bool patient_events(struct ingest *ingest, const struct state *state, struct arena *arena,
                    struct event **out, size_t *count, struct err *err) MUST_USE;

/* One patient derived, planned and saved without news; ingest.c. */
struct again {
    struct ingest *ingest;
    int64_t now_ms;
    bool only_changes_are_noted; /* in the audit log */
    unsigned derived;            /* counts up */
    bool wrote_outbox;
};
bool ingest_derive_again(struct again *again, struct store_tx *tx, int64_t key,
                         struct err *err) MUST_USE;

/* --- lane side ----------------------------------------------------------------------------- */

/* Applies one operation.  False: the store failed.  A fault of the request itself is left in
 * op->answer.err and nothing was written. */
bool op_write(struct ingest_call *call, struct ingest_op *op, struct patient_set *set,
              struct err *err) MUST_USE;
bool op_read(struct ingest_call *call, struct ingest_op *op, struct store_tx *tx,
             struct err *err) MUST_USE;
bool op_search(struct ingest_call *call, struct ingest_op *op, struct patient_set *set,
               struct err *err) MUST_USE;
/* How many resources of op's type fit the query of a condition, and the key of the first.  A query
 * that cannot serve as a condition is left as a fault in op->answer. */
bool search_resolve(struct ingest_call *call, struct ingest_op *op, struct slice query,
                    struct patient_set *set, int64_t *key, unsigned *count,
                    struct err *err) MUST_USE;
bool op_history(struct ingest_call *call, struct ingest_op *op, struct store_tx *tx,
                struct err *err) MUST_USE;
/* The history of a type or of everything. */
bool op_changes(struct ingest_call *call, struct ingest_op *op, struct store_tx *tx,
                struct err *err) MUST_USE;
/* What history.c and changes.c share: what a page is asked to be, an entry, the Bundle. */
struct history_page {
    uint32_t limit;
    int64_t since_ms;   /* INT64_MIN: from the beginning */
    struct slice place; /* where the page before ended; empty on the first one */
};
bool history_page_read(struct ingest_call *call, struct ingest_op *op, struct history_page *out);
bool history_add(struct ingest_call *call, const struct store_resource *row, struct slice id,
                 struct fhir_version *out, struct err *err) MUST_USE;
bool history_write(struct ingest_call *call, struct ingest_op *op,
                   const struct fhir_history *history, struct err *err) MUST_USE;
bool op_everything(struct ingest_call *call, struct ingest_op *op, struct patient_set *set,
                   struct err *err) MUST_USE;
/* $validate: what is wrong with the resource is the answer.  Prepared on the loop, and on the lane
 * held against what is stored. */
bool validate_prepare(struct ingest_call *call, struct ingest_op *op, struct err *err) MUST_USE;
bool op_validate(struct ingest_call *call, struct ingest_op *op, struct store_tx *tx,
                 struct err *err) MUST_USE;
bool op_lines(struct ingest_call *call, struct ingest_op *op, struct store_tx *tx,
              struct err *err) MUST_USE;
/* Leaves a fault of the request in op->answer; returns true, because the store is fine. */
bool op_refuse(struct ingest_op *op, enum err_code code, const char *where, const char *what);
/* A reference such as "Patient?identifier=..": only a transaction resolves it. */
bool has_conditional_reference(const struct fhir_resource *resource);
/* Settles conditions and references of a deferred transaction; false also for a fault of it. */
bool bundle_resolve(struct ingest_call *call, struct patient_set *set, struct err *err) MUST_USE;
/* Fails an atomic request with the fault of one entry, under the entry's name; returns false. */
bool op_fail_bundle(const struct ingest_op *op, struct err *err);
/* Types whose identifiers are only mentioned in the store: there are many, and candidates are
 * judged anyway.  The others have an index that is exact. */
static inline bool is_mentioned_type(enum fhir_type type)
{
    const uint32_t types = UINT32_C(1) << FHIR_MEDICATION_REQUEST | UINT32_C(1) << FHIR_CONDITION |
                           UINT32_C(1) << FHIR_MEDICATION_ADMINISTRATION |
                           UINT32_C(1) << FHIR_MEDICATION_STATEMENT |
                           UINT32_C(1) << FHIR_MEDICATION_DISPENSE |
                           UINT32_C(1) << FHIR_OBSERVATION | UINT32_C(1) << FHIR_PROCEDURE;
    return (types >> type & 1) != 0;
}
/* The key of a resource by the id in a URL, ours or the client's. */
bool resource_key_of(struct ingest *ingest, struct store_tx *tx, int32_t tenant,
                     enum fhir_type type, struct slice id, int64_t *key, bool *found,
                     struct err *err) MUST_USE;
/* Query values that are numbers: false when `text` is none, or has more than nine digits. */
bool read_number(struct slice text, uint32_t *out) MUST_USE;
/* The stored bytes with id, version and time. */
bool resource_body(struct ingest *ingest, const struct store_resource *row, struct arena *arena,
                   struct slice *out, struct err *err) MUST_USE;
/* The id of a stored row: the client's or ours. */
struct slice resource_id_of(struct ingest *ingest, const struct store_resource *row,
                            struct arena *arena);

/* --- loop side ----------------------------------------------------------------------------- */

bool request_prepare(struct ingest_call *call, struct err *err) MUST_USE;
bool bundle_prepare(struct ingest_call *call, struct err *err) MUST_USE;
/* Completes an op that carries a resource: ids, references, patient, packed body. */
bool op_prepare(struct ingest_call *call, struct ingest_op *op, struct err *err) MUST_USE;

/* Who calls, and for which tenant. */
bool find_caller(struct ingest_call *call, struct slice path_tenant, struct err *err) MUST_USE;
/* References of the event become local ones. */
bool localise_event(const struct ingest_call *call, struct event *event, struct err *err) MUST_USE;

/* --- FHIR messages (message.c) -------------------------------------------------------------- */

bool message_prepare(struct ingest_call *call, struct err *err) MUST_USE;
/* The reliable cache: *answered when the message was answered before; work->body is that answer
 * then.  False also for a message that reuses the identifier of another one. */
bool message_recall(struct ingest_call *call, struct store_tx *tx, bool *answered,
                    struct err *err) MUST_USE;
/* The answer in work->body is kept for the next time the message comes. */
bool message_keep(struct ingest_call *call, struct store_tx *tx, struct err *err) MUST_USE;
/* A refusal is an answer as well: the one that was given before, or kept from now on. */
bool message_settle_refusal(struct ingest_call *call, struct store_tx *tx,
                            struct err *err) MUST_USE;
/* The reply to a message that was taken, or refused with `fault`. */
bool message_answer(struct ingest_call *call, const struct err *fault, struct slice *out,
                    struct err *err) MUST_USE;
/* Of the HTTP reply that tells of the fault. */
int message_status(const struct err *fault);

/* --- NDJSON (lines.c) ----------------------------------------------------------------------- */

bool lines_prepare(struct ingest_call *call, struct err *err) MUST_USE;
/* One result a line. */
bool lines_answer(struct ingest_call *call, struct slice *out, struct err *err) MUST_USE;
/* The record's detail, and which lines it is about. */
struct slice lines_detail(struct ingest_call *call, struct slice detail);

/* --- CDS Hooks (cds.c) --------------------------------------------------------------------- */

/* True for a path of CDS Hooks; `rest` is what follows "cds-services/". */
bool cds_path(struct slice path, struct slice *tenant, struct slice *rest);
bool cds_prepare(struct ingest_call *call, struct slice tenant, struct slice rest,
                 struct err *err) MUST_USE;
bool cds_run(struct ingest_call *call, struct patient_set *set, struct err *err) MUST_USE;

/* --- replies and records ------------------------------------------------------------------- */

/* Status, headers and body from the ops (or the refusal) of the call. */
void reply_build(struct ingest_call *call);
void reply_refuse(struct ingest_call *call, const struct err *err);
/* The HTTP status that a refusal has. */
int reply_refusal_status(const struct ingest_work *work, const struct err *err);
/* Body of the reply, when it can be known before the commit: part of the record. */
bool reply_prepare_body(struct ingest_call *call, struct err *err) MUST_USE;
/* Appends the record of the call to the audit chain. */
bool record_call(struct ingest_call *call, struct store_tx *tx, struct slice detail,
                 struct slice patient, struct err *err) MUST_USE;
