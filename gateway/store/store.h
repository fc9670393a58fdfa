/* store/store.h -- the contract of a database: what one transaction can do.
 *
 * What      rows are addressed by integer keys that grow with time, so inserts land at the right
 *           edge of their trees; only what is looked up by text on the hot path has a text index.
 *           Bodies and patient states are opaque bytes here.  Rows are read and written between
 *           store_begin() and store_commit() or store_rollback().
 * Owns      rows that are read live in the arena given; rows that are written are borrowed.
 * Errors    ERR_STORAGE (the medium failed; the transaction is lost: every later call of it fails
 *           too, roll it back), ERR_CORRUPT (a row cannot be read), ERR_CONFLICT (a key, an id or a
 *           version is taken), ERR_TOO_LARGE (the arena is full).  "Not found" is not an error:
 *           *found is false; but writing to what is not there is ERR_NOT_FOUND.
 * Thread    a tx belongs to one lane thread.  store_key_reserve() may be called from any thread.
 * Backends  memory (tests, offline) and SQLite; one contract suite runs on each
 *           (tests/contract/store_test.c).
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "domain/fhir_type.h"
#include "domain/posting.h"

struct store;
struct store_tx;

struct store_settings {
    const char *path;   /* SQLite file; NULL for memory */
    size_t cache_bytes; /* SQLite page cache; 0 means a default of 256 MiB */
    bool is_read_only;  /* offline commands on a live file */
};

/* --- life -------------------------------------------------------------------------------- */

bool store_open(const struct store_settings *settings, struct store **out,
                struct err *err) MUST_USE;
void store_close(struct store *store);
/* One connection; SQLite has one writer. */
bool store_tx_open(struct store *store, struct store_tx **out, struct err *err) MUST_USE;
void store_tx_close(struct store_tx *tx);
/* `count` fresh resource keys, the first of them; gaps are harmless. */
int64_t store_key_reserve(struct store *store, unsigned count);
/* A random number of this store, made when it was created: the salt of ids (base/id.h). */
uint64_t store_salt(const struct store *store);

bool store_begin(struct store_tx *tx, struct err *err) MUST_USE;
bool store_savepoint(struct store_tx *tx, struct err *err) MUST_USE;
bool store_savepoint_keep(struct store_tx *tx, struct err *err) MUST_USE;
void store_savepoint_undo(struct store_tx *tx);
bool store_commit(struct store_tx *tx, struct err *err) MUST_USE; /* durable when it returns true */
void store_rollback(struct store_tx *tx);

/* --- tenants, resources, versions --------------------------------------------------------- */

/* The number of a tenant, made on first use. */
bool store_tenant(struct store_tx *tx, struct slice name, int32_t *out, struct err *err) MUST_USE;

struct store_resource {
    int64_t key;
    int32_t tenant;
    enum fhir_type type;
    uint32_t version;   /* 1, 2, ... */
    int64_t patient;    /* patient key; 0 when none */
    int64_t updated_ms; /* meta.lastUpdated */
    bool is_deleted;    /* this version is a deletion; the body is empty */
    struct slice id;    /* the client's id; empty when ours: id_format(key, salt) */
    struct slice body;  /* packed: store/body.h */
};

/* Version 1 under row->key (from store_key_reserve()). */
bool store_resource_insert(struct store_tx *tx, const struct store_resource *row,
                           struct err *err) MUST_USE;
/* The next version of row->key: the current one moves to the history. */
bool store_resource_update(struct store_tx *tx, const struct store_resource *row,
                           struct err *err) MUST_USE;
/* Current version by key, or by a client's id.  `with_body` false leaves body empty. */
bool store_resource_get(struct store_tx *tx, int64_t key, bool with_body, struct arena *arena,
                        struct store_resource *out, bool *found, struct err *err) MUST_USE;
bool store_resource_find(struct store_tx *tx, int32_t tenant, enum fhir_type type, struct slice id,
                         int64_t *key, bool *found, struct err *err) MUST_USE;
bool store_resource_version(struct store_tx *tx, int64_t key, uint32_t version, struct arena *arena,
                            struct store_resource *out, bool *found, struct err *err) MUST_USE;
/* Current resources of a type in order of key, from `after` on; deleted ones included. */
bool store_resource_scan(struct store_tx *tx, int32_t tenant, enum fhir_type type, int64_t after,
                         unsigned limit, struct arena *arena, struct store_resource **rows,
                         unsigned *count, struct err *err) MUST_USE;

/* What was changed, the newest first: creations in order of their keys, and replacements of a
 * version by the next in order of their places.  Both only grow at their new end, so a reader that
 * remembers a place misses nothing and sees nothing twice, whatever is written meanwhile. */
struct store_change {
    int64_t place;    /* of a creation: its key */
    int64_t key;      /* of the resource */
    uint32_t version; /* that came about */
};
enum store_changes { STORE_CREATIONS, STORE_REPLACEMENTS };
/* Those below `before`; of any type with FHIR_NONE. */
bool store_resource_changes(struct store_tx *tx, enum store_changes which, int32_t tenant,
                            enum fhir_type type, int64_t before, unsigned max,
                            struct store_change *out, unsigned *count, struct err *err) MUST_USE;

/* Business identifiers ("system|value") of the types that are looked up by them. */
bool store_identifier_put(struct store_tx *tx, int32_t tenant, enum fhir_type type,
                          struct slice identifier, int64_t key, struct err *err) MUST_USE;
/* Removes all identifiers of a resource. */
bool store_identifier_clear(struct store_tx *tx, int32_t tenant, enum fhir_type type, int64_t key,
                            struct err *err) MUST_USE;
/* Up to `max` keys in order; *count tells how many there are up to max. */
bool store_identifier_find(struct store_tx *tx, int32_t tenant, enum fhir_type type,
                           struct slice identifier, int64_t *keys, unsigned max, unsigned *count,
                           struct err *err) MUST_USE;

/* Resources whose identifiers are too many for an index of texts, which would cost more than the
 * resource (orders, Conditions): the store keeps a hash of each in memory, 40 bytes, and a log on
 * disk that it is rebuilt from when the first writer opens the store.  What is found are
 * candidates: a resource may have lost the identifier since, or its transaction may have been
 * undone.  Judge each.  One writer at a time. */
uint64_t store_mention_hash(int32_t tenant, enum fhir_type type, struct slice identifier);
bool store_mention_put(struct store_tx *tx, int64_t key, const uint64_t *hashes, unsigned count,
                       struct err *err) MUST_USE;
/* Up to `max` keys, the newest first; *count tells how many there are up to max. */
bool store_mention_find(struct store_tx *tx, uint64_t hash, int64_t *keys, unsigned max,
                        unsigned *count, struct err *err) MUST_USE;

/* --- patients ----------------------------------------------------------------------------- */

/* The key of a patient by name ("Patient/p1" or "identifier system|value"); `create` makes one. */
bool store_patient_key(struct store_tx *tx, int32_t tenant, struct slice name, bool create,
                       int64_t *key, bool *found, struct err *err) MUST_USE;
/* The packed state (timeline, lines, postings); empty for a patient that has none yet. */
bool store_patient_load(struct store_tx *tx, int64_t key, struct arena *arena, struct slice *state,
                        struct err *err) MUST_USE;
/* `next_day`: the day on which the patient must be derived again without news, or DATE_NONE. */
bool store_patient_save(struct store_tx *tx, int64_t key, struct slice state, int32_t next_day,
                        struct err *err) MUST_USE;
/* Tenant and name of a patient. */
bool store_patient_name(struct store_tx *tx, int64_t key, struct arena *arena, int32_t *tenant,
                        struct slice *name, bool *found, struct err *err) MUST_USE;
/* Patients with next_day <= day, in order of key. */
bool store_patients_due(struct store_tx *tx, int32_t day, unsigned max, int64_t *keys,
                        unsigned *count, struct err *err) MUST_USE;
/* All patients of a tenant in order of key, from `after` on. */
bool store_patients(struct store_tx *tx, int32_t tenant, int64_t after, unsigned max, int64_t *keys,
                    unsigned *count, struct err *err) MUST_USE;

/* Who depends on another resource: "Medication/m1" -> patients whose orders refer to it. */
bool store_link_put(struct store_tx *tx, int32_t tenant, struct slice target, int64_t patient,
                    struct err *err) MUST_USE;
bool store_link_scan(struct store_tx *tx, int32_t tenant, struct slice target, int64_t after,
                     unsigned max, int64_t *patients, unsigned *count, struct err *err) MUST_USE;

/* --- outbox ------------------------------------------------------------------------------- */

/* A row of the outbox holds an intention, so ten changes while a destination is down become one
 * delivery.  (tenant, destination, identity) is unique. */
enum outbox_state {
    OUTBOX_PENDING = 1, /* something must be sent; due_ms says when it may */
    OUTBOX_SETTLED = 2, /* the destination holds what is wanted */
    OUTBOX_DEAD = 3,    /* given up: an operator must look */
    OUTBOX_UNKNOWN = 4, /* sent, answer lost: reconcile before anything is sent again */
};

struct outbox_row {
    int64_t key; /* in order of creation */
    int32_t tenant;
    int64_t patient;
    struct slice patient_name; /* "Patient/p1" */
    struct slice destination;  /* name in the configuration */
    enum posting_kind kind;
    enum posting_wish wish;
    struct slice disease;
    struct slice identity;
    struct slice body;
    struct sha256 wanted; /* digest of wish and meaning */
    /* Digest that the destination holds; all zero when none; a mark that begins with 0xff while
     * that is not known (outbox/delivery.h). */
    struct sha256 held;
    enum outbox_state state;
    uint32_t attempts; /* since the last success or change */
    int64_t due_ms;
    int64_t created_ms, changed_ms;
    struct slice target_id, target_etag; /* as the destination answered */
    int32_t last_status;                 /* HTTP, 0 when there was no answer */
    struct slice last_error;             /* class and issue code only: no patient data */
    uint32_t revision;                   /* grows with each change of what is wanted */
};

/* Inserts, or changes what is wanted of an existing row (state becomes PENDING, attempts 0,
 * revision + 1, target and held are kept).  A row that is UNKNOWN stays so: it is reconciled
 * before anything is sent.  Uses tenant, patient, patient_name, destination, kind, wish, disease,
 * identity, body, wanted; due_ms and changed_ms.  No change when `wanted` is equal.
 * With state OUTBOX_SETTLED nothing need be sent, and last_error says why; that holds as long as
 * the destination holds nothing, or may hold something, by this row. */
bool store_outbox_want(struct store_tx *tx, const struct outbox_row *row, struct err *err) MUST_USE;
/* Rows that may be sent now (PENDING or UNKNOWN, due_ms <= now_ms) for one destination, by key, at
 * most one per patient and none of the patients in busy[].  With a backlog of more than 4 * limit
 * patients, the oldest due are looked at first. */
bool store_outbox_claim(struct store_tx *tx, struct slice destination, int64_t now_ms,
                        const int64_t *busy, unsigned busy_count, unsigned limit,
                        struct arena *arena, struct outbox_row **rows, unsigned *count,
                        struct err *err) MUST_USE;
/* Writes back state, attempts, due_ms, target_*, held, last_* of row->key.  When the row's revision
 * has moved on meanwhile, state, attempts and due_ms stay those of the newer wish; but UNKNOWN is
 * kept.  ERR_NOT_FOUND when there is no such row. */
bool store_outbox_settle(struct store_tx *tx, const struct outbox_row *row,
                         struct err *err) MUST_USE;
bool store_outbox_get(struct store_tx *tx, int64_t key, struct arena *arena, struct outbox_row *out,
                      bool *found, struct err *err) MUST_USE;
bool store_outbox_find(struct store_tx *tx, int32_t tenant, struct slice destination,
                       struct slice identity, struct arena *arena, struct outbox_row *out,
                       bool *found, struct err *err) MUST_USE;
/* In order of key from `after` on; state 0 means any. */
bool store_outbox_list(struct store_tx *tx, enum outbox_state state, int64_t after, unsigned limit,
                       struct arena *arena, struct outbox_row **rows, unsigned *count,
                       struct err *err) MUST_USE;
/* The earliest due_ms of PENDING or UNKNOWN rows of a destination; INT64_MAX when there is none. */
bool store_outbox_next_due(struct store_tx *tx, struct slice destination, int64_t *due_ms,
                           struct err *err) MUST_USE;

/* --- settings that operators change while it runs ------------------------------------------ */

/* A text by name; empty when it was never set.  Setting it to nothing removes it. */
bool store_setting_get(struct store_tx *tx, struct slice name, struct arena *arena,
                       struct slice *out, struct err *err) MUST_USE;
bool store_setting_put(struct store_tx *tx, struct slice name, struct slice value,
                       struct err *err) MUST_USE;

/* --- audit -------------------------------------------------------------------------------- */

struct audit_row {
    int64_t seq; /* 1, 2, 3 ... without gaps */
    struct slice record;
    struct sha256 hash;
};

bool store_audit_append(struct store_tx *tx, const struct audit_row *row, struct err *err) MUST_USE;
/* The last row's seq and hash; seq 0 when the log is empty.  Kept apart from the rows, so that a
 * cut tail shows. */
bool store_audit_head(struct store_tx *tx, int64_t *seq, struct sha256 *hash,
                      struct err *err) MUST_USE;
bool store_audit_set_head(struct store_tx *tx, int64_t seq, const struct sha256 *hash,
                          struct err *err) MUST_USE;
bool store_audit_scan(struct store_tx *tx, int64_t after, unsigned limit, struct arena *arena,
                      struct audit_row **rows, unsigned *count, struct err *err) MUST_USE;
/* Signed heads, by seq. */
bool store_audit_sign(struct store_tx *tx, int64_t seq, struct slice statement,
                      struct err *err) MUST_USE;
bool store_audit_signatures(struct store_tx *tx, int64_t after, unsigned limit, struct arena *arena,
                            struct audit_row **rows, unsigned *count,
                            struct err *err) MUST_USE; /* record = the statement; hash unused */

/* --- what no mapping knew ----------------------------------------------------------------- */

struct unmapped_row {
    int32_t tenant;
    enum fhir_type type;
    struct slice system, code, text;
    int64_t count, first_ms, last_ms;
};

/* Counts one sighting. */
bool store_unmapped_count(struct store_tx *tx, const struct unmapped_row *row,
                          struct err *err) MUST_USE;
/* By count, the most frequent first. */
bool store_unmapped_list(struct store_tx *tx, unsigned limit, struct arena *arena,
                         struct unmapped_row **rows, unsigned *count, struct err *err) MUST_USE;

/* --- figures ------------------------------------------------------------------------------ */

struct store_figures {
    int64_t resources, patients, outbox_pending, outbox_dead, outbox_unknown, audit_records;
};
bool store_figures(struct store_tx *tx, struct store_figures *out, struct err *err) MUST_USE;
