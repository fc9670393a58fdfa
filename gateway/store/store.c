#include "store/store_int.h"

#include "base/pool.h"

#define LINE_MAX_BYTES ((size_t)16 * 1024 * 1024) /* one audit record: a Bundle's entries */

/* --- what every call has in common -------------------------------------------------------- */

bool store_may_read(struct store_tx *tx, struct err *err)
{
    CHECK(tx->is_begun);
    return !tx->is_lost || err_fail(err, ERR_STORAGE, "store", "the transaction was lost");
}

bool store_may_write(struct store_tx *tx, struct err *err)
{
    if (!store_may_read(tx, err))
        return false;
    if (tx->store->is_read_only)
        return err_fail(err, ERR_STORAGE, "store", "the store was opened for reading only");
    if (tx->savepoint != SAVEPOINT_WANTED)
        return true;
    if (!store_done(tx, tx->ops->savepoint(tx, err), err))
        return false;
    tx->savepoint = SAVEPOINT_OPEN;
    return true;
}

bool store_done(struct store_tx *tx, bool is_done, const struct err *err)
{
    if (!is_done && err->code == ERR_STORAGE)
        tx->is_lost = true;
    return is_done;
}

bool store_no_room(struct err *err)
{
    return err_fail(err, ERR_TOO_LARGE, "store", "the rows do not fit into the request's memory");
}

bool store_copy(struct arena *arena, struct slice from, struct slice *out, struct err *err)
{
    struct slice copy = from.len > 0 ? arena_copy(arena, from) : SLICE("");
    if (copy.len != from.len)
        return store_no_room(err);
    *out = copy;
    return true;
}

void *store_row_room(struct arena *arena, void **rows, unsigned count, size_t row_size)
{
    bool is_full = count == 0 || (count >= 8 && (count & (count - 1)) == 0);
    if (is_full) {
        size_t room = count == 0 ? 8 : (size_t)count * 2;
        void *grown = arena_alloc(arena, room * row_size);
        if (grown == NULL)
            return NULL;
        if (count > 0)
            memcpy(grown, *rows, count * row_size);
        *rows = grown;
    }
    return (char *)*rows + count * row_size;
}

/* --- life --------------------------------------------------------------------------------- */

bool store_open(const struct store_settings *settings, struct store **out, struct err *err)
{
    return settings->path != NULL ? sqlite_open(settings, out, err)
                                  : memory_open(settings, out, err);
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    mentions_free(&store->mentions);
    store->ops->store_close(store);
}

bool store_tx_open(struct store *store, struct store_tx **out, struct err *err)
{
    struct store_tx *tx;
    if (!store->ops->tx_open(store, &tx, err))
        return false;
    tx->ops = store->ops;
    tx->store = store;
    buffer_init(&tx->line, LINE_MAX_BYTES);
    buffer_init(&tx->mentioned, MENTIONS_ROW_BYTES);
    if (!mentions_load(tx, err)) {
        store_tx_close(tx);
        return false;
    }
    *out = tx;
    return true;
}

void store_tx_close(struct store_tx *tx)
{
    if (tx == NULL)
        return;
    if (tx->is_begun)
        store_rollback(tx);
    buffer_fini(&tx->line);
    buffer_fini(&tx->mentioned);
    tx->ops->tx_close(tx);
}

int64_t store_key_reserve(struct store *store, unsigned count)
{
    return atomic_fetch_add_explicit(&store->next_key, count, memory_order_relaxed);
}

uint64_t store_salt(const struct store *store) { return store->salt; }

/* --- transactions ------------------------------------------------------------------------- */

bool store_begin(struct store_tx *tx, struct err *err)
{
    CHECK(!tx->is_begun);
    if (!tx->ops->begin(tx, err))
        return false;
    tx->is_begun = true;
    tx->is_lost = false;
    tx->savepoint = SAVEPOINT_NONE;
    tx->tally = (struct store_tally){ 0 };
    return true;
}

bool store_savepoint(struct store_tx *tx, struct err *err)
{
    CHECK(tx->savepoint == SAVEPOINT_NONE);
    if (!store_may_read(tx, err))
        return false;
    tx->savepoint = SAVEPOINT_WANTED;
    tx->kept = tx->tally;
    return true;
}

bool store_savepoint_keep(struct store_tx *tx, struct err *err)
{
    CHECK(tx->savepoint != SAVEPOINT_NONE);
    bool is_open = tx->savepoint == SAVEPOINT_OPEN;
    tx->savepoint = SAVEPOINT_NONE;
    if (!store_may_read(tx, err))
        return false;
    /* A job that failed only here must not be committed with its neighbours, whatever the error. */
    if (is_open && !tx->ops->savepoint_keep(tx, err))
        tx->is_lost = true;
    return !tx->is_lost;
}

void store_savepoint_undo(struct store_tx *tx)
{
    CHECK(tx->savepoint != SAVEPOINT_NONE);
    struct err ignored;
    bool is_open = tx->savepoint == SAVEPOINT_OPEN;
    tx->savepoint = SAVEPOINT_NONE;
    tx->tally = tx->kept;
    /* What cannot be undone must not be committed. */
    if (is_open && !tx->is_lost && !tx->ops->savepoint_undo(tx, &ignored))
        tx->is_lost = true;
}

/* The head of the chain is one small row: once per commit, not once per record. */
static bool commit(struct store_tx *tx, struct err *err)
{
    if (!store_may_read(tx, err))
        return false;
    const struct store_tally *tally = &tx->tally;
    if (tally->head_is_changed &&
        !tx->ops->audit_set_head(tx, tally->head.seq, &tally->head.hash, err))
        return false;
    return mentions_log(tx, err) && tx->ops->commit(tx, err);
}

bool store_commit(struct store_tx *tx, struct err *err)
{
    CHECK(tx->is_begun);
    CHECK(tx->savepoint == SAVEPOINT_NONE);
    if (!commit(tx, err)) {
        tx->is_lost = true;
        return false;
    }
    tx->is_begun = false;
    return true;
}

void store_rollback(struct store_tx *tx)
{
    if (!tx->is_begun)
        return;
    tx->ops->rollback(tx);
    buffer_reset(&tx->mentioned);
    tx->is_begun = false;
    tx->savepoint = SAVEPOINT_NONE;
}

/* --- tenants, resources, versions --------------------------------------------------------- */

bool store_tenant(struct store_tx *tx, struct slice name, int32_t *out, struct err *err)
{
    bool found = false;
    if (!store_may_read(tx, err) ||
        !store_done(tx, tx->ops->tenant_find(tx, name, out, &found, err), err))
        return false;
    return found || (store_may_write(tx, err) &&
                     store_done(tx, tx->ops->tenant_create(tx, name, out, err), err));
}

bool store_resource_insert(struct store_tx *tx, const struct store_resource *row, struct err *err)
{
    CHECK(row->key > 0);
    CHECK(row->version == 1);
    if (!store_may_write(tx, err) || !store_done(tx, tx->ops->resource_insert(tx, row, err), err))
        return false;
    tx->tally.resources++;
    return true;
}

bool store_resource_update(struct store_tx *tx, const struct store_resource *row, struct err *err)
{
    CHECK(row->version > 1);
    return store_may_write(tx, err) && store_done(tx, tx->ops->resource_update(tx, row, err), err);
}

bool store_resource_get(struct store_tx *tx, int64_t key, bool with_body, struct arena *arena,
                        struct store_resource *out, bool *found, struct err *err)
{
    return store_may_read(tx, err) &&
           store_done(tx, tx->ops->resource_get(tx, key, with_body, arena, out, found, err), err);
}

bool store_resource_find(struct store_tx *tx, int32_t tenant, enum fhir_type type, struct slice id,
                         int64_t *key, bool *found, struct err *err)
{
    return store_may_read(tx, err) &&
           store_done(tx, tx->ops->resource_find(tx, tenant, type, id, key, found, err), err);
}

bool store_resource_version(struct store_tx *tx, int64_t key, uint32_t version, struct arena *arena,
                            struct store_resource *out, bool *found, struct err *err)
{
    return store_may_read(tx, err) &&
           store_done(tx, tx->ops->resource_version(tx, key, version, arena, out, found, err), err);
}

bool store_resource_scan(struct store_tx *tx, int32_t tenant, enum fhir_type type, int64_t after,
                         unsigned limit, struct arena *arena, struct store_resource **rows,
                         unsigned *count, struct err *err)
{
    return store_may_read(tx, err) &&
           store_done(
               tx, tx->ops->resource_scan(tx, tenant, type, after, limit, arena, rows, count, err),
               err);
}

bool store_resource_changes(struct store_tx *tx, enum store_changes which, int32_t tenant,
                            enum fhir_type type, int64_t before, unsigned max,
                            struct store_change *out, unsigned *count, struct err *err)
{
    return store_may_read(tx, err) &&
           store_done(
               tx, tx->ops->resource_changes(tx, which, tenant, type, before, max, out, count, err),
               err);
}

bool store_identifier_put(struct store_tx *tx, int32_t tenant, enum fhir_type type,
                          struct slice identifier, int64_t key, struct err *err)
{
    return store_may_write(tx, err) &&
           store_done(tx, tx->ops->identifier_put(tx, tenant, type, identifier, key, err), err);
}

bool store_identifier_clear(struct store_tx *tx, int32_t tenant, enum fhir_type type, int64_t key,
                            struct err *err)
{
    return store_may_write(tx, err) &&
           store_done(tx, tx->ops->identifier_clear(tx, tenant, type, key, err), err);
}

bool store_identifier_find(struct store_tx *tx, int32_t tenant, enum fhir_type type,
                           struct slice identifier, int64_t *keys, unsigned max, unsigned *count,
                           struct err *err)
{
    return store_may_read(tx, err) &&
           store_done(tx,
                      tx->ops->identifier_find(tx, tenant, type, identifier, keys, max, count, err),
                      err);
}

/* --- patients ----------------------------------------------------------------------------- */

bool store_patient_key(struct store_tx *tx, int32_t tenant, struct slice name, bool create,
                       int64_t *key, bool *found, struct err *err)
{
    bool is_known = false;
    if (!store_may_read(tx, err) ||
        !store_done(tx, tx->ops->patient_find(tx, tenant, name, key, &is_known, err), err))
        return false;
    if (!is_known && create) {
        if (!store_may_write(tx, err) ||
            !store_done(tx, tx->ops->patient_create(tx, tenant, name, key, err), err))
            return false;
        tx->tally.patients++;
        is_known = true;
    }
    *found = is_known;
    return true;
}

bool store_patient_load(struct store_tx *tx, int64_t key, struct arena *arena, struct slice *state,
                        struct err *err)
{
    return store_may_read(tx, err) &&
           store_done(tx, tx->ops->patient_load(tx, key, arena, state, err), err);
}

bool store_patient_save(struct store_tx *tx, int64_t key, struct slice state, int32_t next_day,
                        struct err *err)
{
    return store_may_write(tx, err) &&
           store_done(tx, tx->ops->patient_save(tx, key, state, next_day, err), err);
}

bool store_patient_name(struct store_tx *tx, int64_t key, struct arena *arena, int32_t *tenant,
                        struct slice *name, bool *found, struct err *err)
{
    return store_may_read(tx, err) &&
           store_done(tx, tx->ops->patient_name(tx, key, arena, tenant, name, found, err), err);
}

bool store_patients_due(struct store_tx *tx, int32_t day, unsigned max, int64_t *keys,
                        unsigned *count, struct err *err)
{
    return store_may_read(tx, err) &&
           store_done(tx, tx->ops->patients_due(tx, day, max, keys, count, err), err);
}

bool store_patients(struct store_tx *tx, int32_t tenant, int64_t after, unsigned max, int64_t *keys,
                    unsigned *count, struct err *err)
{
    return store_may_read(tx, err) &&
           store_done(tx, tx->ops->patients(tx, tenant, after, max, keys, count, err), err);
}

bool store_setting_get(struct store_tx *tx, struct slice name, struct arena *arena,
                       struct slice *out, struct err *err)
{
    return store_may_read(tx, err) &&
           store_done(tx, tx->ops->setting_get(tx, name, arena, out, err), err);
}

bool store_setting_put(struct store_tx *tx, struct slice name, struct slice value, struct err *err)
{
    return store_may_write(tx, err) &&
           store_done(tx, tx->ops->setting_put(tx, name, value, err), err);
}

bool store_link_put(struct store_tx *tx, int32_t tenant, struct slice target, int64_t patient,
                    struct err *err)
{
    return store_may_write(tx, err) &&
           store_done(tx, tx->ops->link_put(tx, tenant, target, patient, err), err);
}

bool store_link_scan(struct store_tx *tx, int32_t tenant, struct slice target, int64_t after,
                     unsigned max, int64_t *patients, unsigned *count, struct err *err)
{
    return store_may_read(tx, err) &&
           store_done(tx, tx->ops->link_scan(tx, tenant, target, after, max, patients, count, err),
                      err);
}

/* --- audit -------------------------------------------------------------------------------- */

bool store_audit_append(struct store_tx *tx, const struct audit_row *row, struct err *err)
{
    CHECK(row->seq > 0);
    return store_may_write(tx, err) && store_done(tx, tx->ops->audit_append(tx, row, err), err);
}

bool store_audit_head(struct store_tx *tx, int64_t *seq, struct sha256 *hash, struct err *err)
{
    if (!store_may_read(tx, err))
        return false;
    if (tx->tally.head_is_changed) {
        *seq = tx->tally.head.seq;
        *hash = tx->tally.head.hash;
        return true;
    }
    return store_done(tx, tx->ops->audit_head(tx, seq, hash, err), err);
}

bool store_audit_set_head(struct store_tx *tx, int64_t seq, const struct sha256 *hash,
                          struct err *err)
{
    if (!store_may_write(tx, err))
        return false;
    tx->tally.head = (struct audit_head){ .seq = seq, .hash = *hash };
    tx->tally.head_is_changed = true; /* written by the commit */
    return true;
}

bool store_audit_scan(struct store_tx *tx, int64_t after, unsigned limit, struct arena *arena,
                      struct audit_row **rows, unsigned *count, struct err *err)
{
    return store_may_read(tx, err) &&
           store_done(tx, tx->ops->audit_scan(tx, after, limit, arena, rows, count, err), err);
}

bool store_audit_sign(struct store_tx *tx, int64_t seq, struct slice statement, struct err *err)
{
    return store_may_write(tx, err) &&
           store_done(tx, tx->ops->audit_sign(tx, seq, statement, err), err);
}

bool store_audit_signatures(struct store_tx *tx, int64_t after, unsigned limit, struct arena *arena,
                            struct audit_row **rows, unsigned *count, struct err *err)
{
    return store_may_read(tx, err) &&
           store_done(tx, tx->ops->audit_signatures(tx, after, limit, arena, rows, count, err),
                      err);
}

/* --- the rest ----------------------------------------------------------------------------- */

bool store_unmapped_count(struct store_tx *tx, const struct unmapped_row *row, struct err *err)
{
    return store_may_write(tx, err) && store_done(tx, tx->ops->unmapped_count(tx, row, err), err);
}

bool store_unmapped_list(struct store_tx *tx, unsigned limit, struct arena *arena,
                         struct unmapped_row **rows, unsigned *count, struct err *err)
{
    return store_may_read(tx, err) &&
           store_done(tx, tx->ops->unmapped_list(tx, limit, arena, rows, count, err), err);
}

bool store_figures(struct store_tx *tx, struct store_figures *out, struct err *err)
{
    if (!store_may_read(tx, err) || !store_done(tx, tx->ops->figures(tx, out, err), err))
        return false;
    out->resources += tx->tally.resources;
    out->patients += tx->tally.patients;
    if (tx->tally.head_is_changed)
        out->audit_records = tx->tally.head.seq;
    return true;
}
