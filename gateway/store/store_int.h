/* store/store_int.h -- what a backend provides, and what every backend's transaction carries.
 *
 * What      store.c checks the order of calls, opens savepoints only when they are needed and keeps
 *           the audit head; a backend only reads and writes rows.  One const table per backend.
 *           Tests put their own table in front of it (tests/support/store_fault.h).
 * Owns      backends embed struct store and struct store_tx as their first member.
 */
#pragma once

#include <stdatomic.h>

#include "audit/audit.h" /* struct audit_head */
#include "base/buffer.h"
#include "store/store.h"

#define STORE_CACHE_DEFAULT_BYTES ((size_t)256 * 1024 * 1024)
#define STORE_NAME_MAX 4096 /* bytes of a text that is part of a key */

struct store_ops;

/* Hashes of identifiers and who carries them (store_mentions.c): from a hash to the newest mention
 * (open addressing, newest 0 is free), from each to the one before it. */
struct mentions {
    struct mention {
        int64_t key;
        uint32_t older; /* 0: none */
    } * list;           /* from 1 on */
    uint32_t count, room;
    struct mention_slot {
        uint64_t hash;
        uint32_t newest;
    } * slots;
    size_t size, used;
    bool is_loaded;
};
/* A line of the log; a row of it holds as many as fit. */
#define MENTIONS_ROW_BYTES ((size_t)1024 * 1024)
struct mentioned {
    uint64_t hash;
    int64_t key;
};
void mentions_free(struct mentions *mentions);
void mentions_add(struct mentions *mentions, uint64_t hash, int64_t key);
/* What this transaction mentioned, before it is committed. */
bool mentions_log(struct store_tx *tx, struct err *err) MUST_USE;
bool mentions_load(struct store_tx *tx, struct err *err) MUST_USE;

struct store {
    const struct store_ops *ops;
    _Atomic int64_t next_key;
    uint64_t salt;
    bool is_read_only;
    struct mentions mentions;
};

/* A savepoint costs a statement and a copy of each page touched; a job that only reads, or fails
 * before it writes, never pays for one. */
enum savepoint { SAVEPOINT_NONE, SAVEPOINT_WANTED, SAVEPOINT_OPEN };

/* What is written once per commit, and goes back with a savepoint. */
struct store_tally {
    struct audit_head head;
    bool head_is_changed;
    int64_t resources, patients; /* created in this transaction */
};

/* Candidates of store_outbox_claim(), at most one per patient. */
struct outbox_pick {
    const int64_t *busy; /* patients that have a delivery under way */
    unsigned busy_count;
    struct outbox_candidate {
        int64_t key, patient;
    } * at;
    unsigned count, max;
};
/* Offers a row that is due; false when no more are needed. */
bool outbox_pick_offer(struct outbox_pick *pick, int64_t key, int64_t patient);

struct store_tx {
    const struct store_ops *ops;
    struct store *store;
    bool is_begun;
    bool is_lost; /* the medium failed: nothing of this transaction can be kept */
    enum savepoint savepoint;
    struct store_tally tally, kept; /* kept: as it was at the savepoint */
    struct buffer line;             /* the audit record being written */
    struct buffer mentioned;        /* struct mentioned of this transaction */
};

/* The functions of store.h and nothing else; what they mean is said there. */
struct store_ops {
    void (*store_close)(struct store *store);
    bool (*tx_open)(struct store *store, struct store_tx **out, struct err *err);
    void (*tx_close)(struct store_tx *tx);

    bool (*begin)(struct store_tx *tx, struct err *err);
    bool (*savepoint)(struct store_tx *tx, struct err *err);
    bool (*savepoint_keep)(struct store_tx *tx, struct err *err);
    bool (*savepoint_undo)(struct store_tx *tx, struct err *err);
    /* Adds tally.resources and tally.patients to the figures, then makes all durable. */
    bool (*commit)(struct store_tx *tx, struct err *err);
    void (*rollback)(struct store_tx *tx);

    bool (*tenant_find)(struct store_tx *tx, struct slice name, int32_t *out, bool *found,
                        struct err *err);
    bool (*tenant_create)(struct store_tx *tx, struct slice name, int32_t *out, struct err *err);

    bool (*resource_insert)(struct store_tx *tx, const struct store_resource *row, struct err *err);
    bool (*resource_update)(struct store_tx *tx, const struct store_resource *row, struct err *err);
    bool (*resource_get)(struct store_tx *tx, int64_t key, bool with_body, struct arena *arena,
                         struct store_resource *out, bool *found, struct err *err);
    bool (*resource_find)(struct store_tx *tx, int32_t tenant, enum fhir_type type, struct slice id,
                          int64_t *key, bool *found, struct err *err);
    bool (*resource_version)(struct store_tx *tx, int64_t key, uint32_t version,
                             struct arena *arena, struct store_resource *out, bool *found,
                             struct err *err);
    bool (*resource_scan)(struct store_tx *tx, int32_t tenant, enum fhir_type type, int64_t after,
                          unsigned limit, struct arena *arena, struct store_resource **rows,
                          unsigned *count, struct err *err);

    bool (*resource_changes)(struct store_tx *tx, enum store_changes which, int32_t tenant,
                             enum fhir_type type, int64_t before, unsigned max,
                             struct store_change *out, unsigned *count, struct err *err);

    bool (*identifier_put)(struct store_tx *tx, int32_t tenant, enum fhir_type type,
                           struct slice identifier, int64_t key, struct err *err);
    bool (*identifier_clear)(struct store_tx *tx, int32_t tenant, enum fhir_type type, int64_t key,
                             struct err *err);
    bool (*identifier_find)(struct store_tx *tx, int32_t tenant, enum fhir_type type,
                            struct slice identifier, int64_t *keys, unsigned max, unsigned *count,
                            struct err *err);

    /* All of one transaction: struct mentioned, in this machine's order, for the log is its own. */
    bool (*mention_append)(struct store_tx *tx, struct slice mentioned, struct err *err);
    /* mentions_add() for all of the log. */
    bool (*mention_scan)(struct store_tx *tx, struct mentions *into, struct err *err);

    bool (*patient_find)(struct store_tx *tx, int32_t tenant, struct slice name, int64_t *key,
                         bool *found, struct err *err);
    bool (*patient_create)(struct store_tx *tx, int32_t tenant, struct slice name, int64_t *key,
                           struct err *err);
    bool (*patient_load)(struct store_tx *tx, int64_t key, struct arena *arena, struct slice *state,
                         struct err *err);
    bool (*patient_save)(struct store_tx *tx, int64_t key, struct slice state, int32_t next_day,
                         struct err *err);
    bool (*patient_name)(struct store_tx *tx, int64_t key, struct arena *arena, int32_t *tenant,
                         struct slice *name, bool *found, struct err *err);
    bool (*patients_due)(struct store_tx *tx, int32_t day, unsigned max, int64_t *keys,
                         unsigned *count, struct err *err);
    bool (*patients)(struct store_tx *tx, int32_t tenant, int64_t after, unsigned max,
                     int64_t *keys, unsigned *count, struct err *err);
    bool (*setting_get)(struct store_tx *tx, struct slice name, struct arena *arena,
                        struct slice *out, struct err *err);
    bool (*setting_put)(struct store_tx *tx, struct slice name, struct slice value,
                        struct err *err);
    bool (*link_put)(struct store_tx *tx, int32_t tenant, struct slice target, int64_t patient,
                     struct err *err);
    bool (*link_scan)(struct store_tx *tx, int32_t tenant, struct slice target, int64_t after,
                      unsigned max, int64_t *patients, unsigned *count, struct err *err);

    /* What a row becomes is decided in store_outbox.c: a backend inserts it or writes it back. */
    bool (*outbox_insert)(struct store_tx *tx, const struct outbox_row *row, struct err *err);
    bool (*outbox_write)(struct store_tx *tx, const struct outbox_row *row, struct err *err);
    bool (*outbox_get)(struct store_tx *tx, int64_t key, struct arena *arena,
                       struct outbox_row *out, bool *found, struct err *err);
    bool (*outbox_find)(struct store_tx *tx, int32_t tenant, struct slice destination,
                        struct slice identity, int64_t *key, bool *found, struct err *err);
    /* Keys of rows that may be sent now, oldest due first: see outbox_pick_offer(). */
    bool (*outbox_due)(struct store_tx *tx, struct slice destination, int64_t now_ms,
                       struct outbox_pick *pick, struct err *err);
    bool (*outbox_list)(struct store_tx *tx, enum outbox_state state, int64_t after, unsigned limit,
                        struct arena *arena, struct outbox_row **rows, unsigned *count,
                        struct err *err);
    bool (*outbox_next_due)(struct store_tx *tx, struct slice destination, int64_t *due_ms,
                            struct err *err);

    bool (*audit_append)(struct store_tx *tx, const struct audit_row *row, struct err *err);
    bool (*audit_head)(struct store_tx *tx, int64_t *seq, struct sha256 *hash, struct err *err);
    bool (*audit_set_head)(struct store_tx *tx, int64_t seq, const struct sha256 *hash,
                           struct err *err);
    bool (*audit_scan)(struct store_tx *tx, int64_t after, unsigned limit, struct arena *arena,
                       struct audit_row **rows, unsigned *count, struct err *err);
    bool (*audit_sign)(struct store_tx *tx, int64_t seq, struct slice statement, struct err *err);
    bool (*audit_signatures)(struct store_tx *tx, int64_t after, unsigned limit,
                             struct arena *arena, struct audit_row **rows, unsigned *count,
                             struct err *err);

    bool (*unmapped_count)(struct store_tx *tx, const struct unmapped_row *row, struct err *err);
    bool (*unmapped_list)(struct store_tx *tx, unsigned limit, struct arena *arena,
                          struct unmapped_row **rows, unsigned *count, struct err *err);
    bool (*figures)(struct store_tx *tx, struct store_figures *out, struct err *err);
};

bool memory_open(const struct store_settings *settings, struct store **out,
                 struct err *err) MUST_USE;
bool sqlite_open(const struct store_settings *settings, struct store **out,
                 struct err *err) MUST_USE;

/* The one sentence for an arena that is full. */
bool store_no_room(struct err *err);
/* Room for row number `count` (from 0) in an array that grows in the arena; NULL when that is full.
 * Rows already there move along. */
void *store_row_room(struct arena *arena, void **rows, unsigned count, size_t row_size) MUST_USE;
/* What every call does first, and last: the transaction must be alive; a failed medium ends it. */
bool store_may_read(struct store_tx *tx, struct err *err) MUST_USE;
bool store_may_write(struct store_tx *tx, struct err *err) MUST_USE;
bool store_done(struct store_tx *tx, bool is_done, const struct err *err) MUST_USE;
/* A copy in the arena; empty text needs no memory. */
bool store_copy(struct arena *arena, struct slice from, struct slice *out,
                struct err *err) MUST_USE;
