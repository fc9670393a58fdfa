/* store/memory_int.h -- the memory backend's inside: every table in one ordered map.
 *
 * What      a key is the table's letter and the columns of its primary key, integers in big-endian
 *           order so that bytes sort as numbers do; texts carry their length in front.
 * Errors    none of its own: memory that the system cannot give stops the process (base/pool.h).
 * Thread    a transaction holds the store's lock from begin to its end.
 */
#pragma once

#include <uv.h>

#include "base/codec.h"
#include "store/memory_map.h"
#include "store/store_int.h"

enum memory_table {
    TABLE_TENANT = 1,   /* name -> number */
    TABLE_RESOURCE,     /* key -> current version */
    TABLE_HISTORY,      /* key, version -> earlier version */
    TABLE_RESOURCE_ID,  /* tenant, type, id -> key */
    TABLE_IDENTIFIER,   /* tenant, type, value, key -> */
    TABLE_PATIENT,      /* key -> tenant, next_day, name, state */
    TABLE_PATIENT_NAME, /* tenant, name -> key */
    TABLE_LINK,         /* tenant, target, patient -> */
    TABLE_OUTBOX,       /* key -> row */
    TABLE_OUTBOX_ID,    /* tenant, destination, identity -> key */
    TABLE_AUDIT,        /* seq -> hash, record */
    TABLE_SIGNATURE,    /* seq -> statement */
    TABLE_HEAD,         /* -> seq, hash */
    TABLE_FIGURES,      /* -> resources, patients */
    TABLE_SETTING,      /* name -> value */
    TABLE_REPLACED,     /* place -> key, version, tenant, type */
    TABLE_UNMAPPED,     /* tenant, type, system, code, text -> count, first, last */
};

struct memory_store {
    struct store base;
    struct memory_map map;
    uv_mutex_t lock;
};

struct memory_tx {
    struct store_tx base;
    struct memory_map *map;
    const struct map_undo *savepoint;
    struct buffer key, value; /* being built */
};

extern const struct store_ops memory_ops;

static inline struct memory_tx *memory_of(struct store_tx *tx)
{
    return CONTAINER_OF(tx, struct memory_tx, base);
}

/* --- keys and values ---------------------------------------------------------------------- */

/* Starts a key (and an empty value) in tx->key. */
void memory_key(struct memory_tx *tx, enum memory_table table);
void memory_key_number(struct memory_tx *tx, int64_t number);
void memory_key_text(struct memory_tx *tx, struct slice text);
static inline struct slice memory_key_now(const struct memory_tx *tx)
{
    return buffer_slice(&tx->key);
}

/* True when `node` still belongs to the rows whose keys begin with `prefix`. */
bool memory_is_in(const struct map_node *node, struct slice prefix);
/* The last integer of a node's key. */
int64_t memory_last_number(const struct map_node *node);
/* The greatest integer key of a table, 0 when it is empty. */
int64_t memory_greatest(struct memory_tx *tx, enum memory_table table);
/* Keys that follow the prefix in tx->key from `after` on, the last integer of each. */
void memory_numbers(struct memory_tx *tx, int64_t after, unsigned max, int64_t *out,
                    unsigned *count);
/* Puts tx->value under tx->key. */
void memory_put(struct memory_tx *tx);
/* The value under tx->key as an integer. */
bool memory_number(struct memory_tx *tx, int64_t *out) MUST_USE;

/* resources and patients of the last commit. */
void memory_totals(struct memory_tx *tx, struct store_figures *out);

#define MEMORY_OP(name, ...) bool memory_##name(struct store_tx *tx, __VA_ARGS__)
MEMORY_OP(tenant_find, struct slice name, int32_t *out, bool *found, struct err *err);
MEMORY_OP(tenant_create, struct slice name, int32_t *out, struct err *err);
MEMORY_OP(resource_insert, const struct store_resource *row, struct err *err);
MEMORY_OP(resource_update, const struct store_resource *row, struct err *err);
MEMORY_OP(resource_get, int64_t key, bool with_body, struct arena *arena,
          struct store_resource *out, bool *found, struct err *err);
MEMORY_OP(resource_find, int32_t tenant, enum fhir_type type, struct slice id, int64_t *key,
          bool *found, struct err *err);
MEMORY_OP(resource_version, int64_t key, uint32_t version, struct arena *arena,
          struct store_resource *out, bool *found, struct err *err);
MEMORY_OP(resource_scan, int32_t tenant, enum fhir_type type, int64_t after, unsigned limit,
          struct arena *arena, struct store_resource **rows, unsigned *count, struct err *err);
MEMORY_OP(resource_changes, enum store_changes which, int32_t tenant, enum fhir_type type,
          int64_t before, unsigned max, struct store_change *out, unsigned *count, struct err *err);
MEMORY_OP(identifier_put, int32_t tenant, enum fhir_type type, struct slice identifier, int64_t key,
          struct err *err);
MEMORY_OP(identifier_clear, int32_t tenant, enum fhir_type type, int64_t key, struct err *err);
MEMORY_OP(identifier_find, int32_t tenant, enum fhir_type type, struct slice identifier,
          int64_t *keys, unsigned max, unsigned *count, struct err *err);
MEMORY_OP(mention_append, struct slice mentioned, struct err *err);
MEMORY_OP(mention_scan, struct mentions *into, struct err *err);
MEMORY_OP(patient_find, int32_t tenant, struct slice name, int64_t *key, bool *found,
          struct err *err);
MEMORY_OP(patient_create, int32_t tenant, struct slice name, int64_t *key, struct err *err);
MEMORY_OP(patient_load, int64_t key, struct arena *arena, struct slice *state, struct err *err);
MEMORY_OP(patient_save, int64_t key, struct slice state, int32_t next_day, struct err *err);
MEMORY_OP(patient_name, int64_t key, struct arena *arena, int32_t *tenant, struct slice *name,
          bool *found, struct err *err);
MEMORY_OP(patients_due, int32_t day, unsigned max, int64_t *keys, unsigned *count, struct err *err);
MEMORY_OP(patients, int32_t tenant, int64_t after, unsigned max, int64_t *keys, unsigned *count,
          struct err *err);
MEMORY_OP(setting_get, struct slice name, struct arena *arena, struct slice *out, struct err *err);
MEMORY_OP(setting_put, struct slice name, struct slice value, struct err *err);
MEMORY_OP(link_put, int32_t tenant, struct slice target, int64_t patient, struct err *err);
MEMORY_OP(link_scan, int32_t tenant, struct slice target, int64_t after, unsigned max,
          int64_t *patients, unsigned *count, struct err *err);
MEMORY_OP(outbox_insert, const struct outbox_row *row, struct err *err);
MEMORY_OP(outbox_write, const struct outbox_row *row, struct err *err);
MEMORY_OP(outbox_get, int64_t key, struct arena *arena, struct outbox_row *out, bool *found,
          struct err *err);
MEMORY_OP(outbox_find, int32_t tenant, struct slice destination, struct slice identity,
          int64_t *key, bool *found, struct err *err);
MEMORY_OP(outbox_due, struct slice destination, int64_t now_ms, struct outbox_pick *pick,
          struct err *err);
MEMORY_OP(outbox_list, enum outbox_state state, int64_t after, unsigned limit, struct arena *arena,
          struct outbox_row **rows, unsigned *count, struct err *err);
MEMORY_OP(outbox_next_due, struct slice destination, int64_t *due_ms, struct err *err);
MEMORY_OP(audit_append, const struct audit_row *row, struct err *err);
MEMORY_OP(audit_head, int64_t *seq, struct sha256 *hash, struct err *err);
MEMORY_OP(audit_set_head, int64_t seq, const struct sha256 *hash, struct err *err);
MEMORY_OP(audit_scan, int64_t after, unsigned limit, struct arena *arena, struct audit_row **rows,
          unsigned *count, struct err *err);
MEMORY_OP(audit_sign, int64_t seq, struct slice statement, struct err *err);
MEMORY_OP(audit_signatures, int64_t after, unsigned limit, struct arena *arena,
          struct audit_row **rows, unsigned *count, struct err *err);
MEMORY_OP(unmapped_count, const struct unmapped_row *row, struct err *err);
MEMORY_OP(unmapped_list, unsigned limit, struct arena *arena, struct unmapped_row **rows,
          unsigned *count, struct err *err);
MEMORY_OP(figures, struct store_figures *out, struct err *err);
