#include "support/store_fault.h"

static struct store_fault *fault_of(struct store_tx *tx)
{
    return CONTAINER_OF(tx->ops, struct store_fault, ops);
}

static const struct store_ops *real_of(struct store_tx *tx) { return fault_of(tx)->real; }

static bool may_go_on(struct store_tx *tx, const char *name, struct err *err)
{
    struct store_fault *fault = fault_of(tx);
    if (fault->only != NULL && strcmp(fault->only, name) != 0)
        return true;
    if (++fault->calls != fault->fail_at)
        return true;
    fault->failed = name;
    return err_fail(err, fault->code, "store", "a fault was asked for");
}

/* --- one function per operation ----------------------------------------------------------- */

static bool fail_begin(struct store_tx *tx, struct err *err)
{
    return may_go_on(tx, "begin", err) && real_of(tx)->begin(tx, err);
}

static bool fail_savepoint(struct store_tx *tx, struct err *err)
{
    return may_go_on(tx, "savepoint", err) && real_of(tx)->savepoint(tx, err);
}

static bool fail_savepoint_keep(struct store_tx *tx, struct err *err)
{
    return may_go_on(tx, "savepoint_keep", err) && real_of(tx)->savepoint_keep(tx, err);
}

static bool fail_savepoint_undo(struct store_tx *tx, struct err *err)
{
    return may_go_on(tx, "savepoint_undo", err) && real_of(tx)->savepoint_undo(tx, err);
}

static bool fail_commit(struct store_tx *tx, struct err *err)
{
    return may_go_on(tx, "commit", err) && real_of(tx)->commit(tx, err);
}

static bool fail_tenant_find(struct store_tx *tx, struct slice name, int32_t *out, bool *found,
                             struct err *err)
{
    return may_go_on(tx, "tenant_find", err) && real_of(tx)->tenant_find(tx, name, out, found, err);
}

static bool fail_tenant_create(struct store_tx *tx, struct slice name, int32_t *out,
                               struct err *err)
{
    return may_go_on(tx, "tenant_create", err) && real_of(tx)->tenant_create(tx, name, out, err);
}

static bool fail_resource_insert(struct store_tx *tx, const struct store_resource *row,
                                 struct err *err)
{
    return may_go_on(tx, "resource_insert", err) && real_of(tx)->resource_insert(tx, row, err);
}

static bool fail_resource_update(struct store_tx *tx, const struct store_resource *row,
                                 struct err *err)
{
    return may_go_on(tx, "resource_update", err) && real_of(tx)->resource_update(tx, row, err);
}

static bool fail_resource_get(struct store_tx *tx, int64_t key, bool with_body, struct arena *arena,
                              struct store_resource *out, bool *found, struct err *err)
{
    return may_go_on(tx, "resource_get", err) &&
           real_of(tx)->resource_get(tx, key, with_body, arena, out, found, err);
}

static bool fail_resource_find(struct store_tx *tx, int32_t tenant, enum fhir_type type,
                               struct slice id, int64_t *key, bool *found, struct err *err)
{
    return may_go_on(tx, "resource_find", err) &&
           real_of(tx)->resource_find(tx, tenant, type, id, key, found, err);
}

static bool fail_resource_version(struct store_tx *tx, int64_t key, uint32_t version,
                                  struct arena *arena, struct store_resource *out, bool *found,
                                  struct err *err)
{
    return may_go_on(tx, "resource_version", err) &&
           real_of(tx)->resource_version(tx, key, version, arena, out, found, err);
}

static bool fail_resource_scan(struct store_tx *tx, int32_t tenant, enum fhir_type type,
                               int64_t after, unsigned limit, struct arena *arena,
                               struct store_resource **rows, unsigned *count, struct err *err)
{
    return may_go_on(tx, "resource_scan", err) &&
           real_of(tx)->resource_scan(tx, tenant, type, after, limit, arena, rows, count, err);
}

static bool fail_resource_changes(struct store_tx *tx, enum store_changes which, int32_t tenant,
                                  enum fhir_type type, int64_t before, unsigned max,
                                  struct store_change *out, unsigned *count, struct err *err)
{
    return may_go_on(tx, "resource_changes", err) &&
           real_of(tx)->resource_changes(tx, which, tenant, type, before, max, out, count, err);
}

static bool fail_identifier_put(struct store_tx *tx, int32_t tenant, enum fhir_type type,
                                struct slice identifier, int64_t key, struct err *err)
{
    return may_go_on(tx, "identifier_put", err) &&
           real_of(tx)->identifier_put(tx, tenant, type, identifier, key, err);
}

static bool fail_identifier_clear(struct store_tx *tx, int32_t tenant, enum fhir_type type,
                                  int64_t key, struct err *err)
{
    return may_go_on(tx, "identifier_clear", err) &&
           real_of(tx)->identifier_clear(tx, tenant, type, key, err);
}

static bool fail_identifier_find(struct store_tx *tx, int32_t tenant, enum fhir_type type,
                                 struct slice identifier, int64_t *keys, unsigned max,
                                 unsigned *count, struct err *err)
{
    return may_go_on(tx, "identifier_find", err) &&
           real_of(tx)->identifier_find(tx, tenant, type, identifier, keys, max, count, err);
}

static bool fail_patient_find(struct store_tx *tx, int32_t tenant, struct slice name, int64_t *key,
                              bool *found, struct err *err)
{
    return may_go_on(tx, "patient_find", err) &&
           real_of(tx)->patient_find(tx, tenant, name, key, found, err);
}

static bool fail_patient_create(struct store_tx *tx, int32_t tenant, struct slice name,
                                int64_t *key, struct err *err)
{
    return may_go_on(tx, "patient_create", err) &&
           real_of(tx)->patient_create(tx, tenant, name, key, err);
}

static bool fail_patient_load(struct store_tx *tx, int64_t key, struct arena *arena,
                              struct slice *state, struct err *err)
{
    return may_go_on(tx, "patient_load", err) &&
           real_of(tx)->patient_load(tx, key, arena, state, err);
}

static bool fail_patient_save(struct store_tx *tx, int64_t key, struct slice state,
                              int32_t next_day, struct err *err)
{
    return may_go_on(tx, "patient_save", err) &&
           real_of(tx)->patient_save(tx, key, state, next_day, err);
}

static bool fail_patient_name(struct store_tx *tx, int64_t key, struct arena *arena,
                              int32_t *tenant, struct slice *name, bool *found, struct err *err)
{
    return may_go_on(tx, "patient_name", err) &&
           real_of(tx)->patient_name(tx, key, arena, tenant, name, found, err);
}

static bool fail_patients_due(struct store_tx *tx, int32_t day, unsigned max, int64_t *keys,
                              unsigned *count, struct err *err)
{
    return may_go_on(tx, "patients_due", err) &&
           real_of(tx)->patients_due(tx, day, max, keys, count, err);
}

static bool fail_patients(struct store_tx *tx, int32_t tenant, int64_t after, unsigned max,
                          int64_t *keys, unsigned *count, struct err *err)
{
    return may_go_on(tx, "patients", err) &&
           real_of(tx)->patients(tx, tenant, after, max, keys, count, err);
}

static bool fail_link_put(struct store_tx *tx, int32_t tenant, struct slice target, int64_t patient,
                          struct err *err)
{
    return may_go_on(tx, "link_put", err) &&
           real_of(tx)->link_put(tx, tenant, target, patient, err);
}

static bool fail_link_scan(struct store_tx *tx, int32_t tenant, struct slice target, int64_t after,
                           unsigned max, int64_t *patients, unsigned *count, struct err *err)
{
    return may_go_on(tx, "link_scan", err) &&
           real_of(tx)->link_scan(tx, tenant, target, after, max, patients, count, err);
}

static bool fail_outbox_insert(struct store_tx *tx, const struct outbox_row *row, struct err *err)
{
    return may_go_on(tx, "outbox_insert", err) && real_of(tx)->outbox_insert(tx, row, err);
}

static bool fail_outbox_write(struct store_tx *tx, const struct outbox_row *row, struct err *err)
{
    return may_go_on(tx, "outbox_write", err) && real_of(tx)->outbox_write(tx, row, err);
}

static bool fail_outbox_get(struct store_tx *tx, int64_t key, struct arena *arena,
                            struct outbox_row *out, bool *found, struct err *err)
{
    return may_go_on(tx, "outbox_get", err) &&
           real_of(tx)->outbox_get(tx, key, arena, out, found, err);
}

static bool fail_outbox_find(struct store_tx *tx, int32_t tenant, struct slice destination,
                             struct slice identity, int64_t *key, bool *found, struct err *err)
{
    return may_go_on(tx, "outbox_find", err) &&
           real_of(tx)->outbox_find(tx, tenant, destination, identity, key, found, err);
}

static bool fail_outbox_due(struct store_tx *tx, struct slice destination, int64_t now_ms,
                            struct outbox_pick *pick, struct err *err)
{
    return may_go_on(tx, "outbox_due", err) &&
           real_of(tx)->outbox_due(tx, destination, now_ms, pick, err);
}

static bool fail_outbox_list(struct store_tx *tx, enum outbox_state state, int64_t after,
                             unsigned limit, struct arena *arena, struct outbox_row **rows,
                             unsigned *count, struct err *err)
{
    return may_go_on(tx, "outbox_list", err) &&
           real_of(tx)->outbox_list(tx, state, after, limit, arena, rows, count, err);
}

static bool fail_outbox_next_due(struct store_tx *tx, struct slice destination, int64_t *due_ms,
                                 struct err *err)
{
    return may_go_on(tx, "outbox_next_due", err) &&
           real_of(tx)->outbox_next_due(tx, destination, due_ms, err);
}

static bool fail_audit_append(struct store_tx *tx, const struct audit_row *row, struct err *err)
{
    return may_go_on(tx, "audit_append", err) && real_of(tx)->audit_append(tx, row, err);
}

static bool fail_audit_head(struct store_tx *tx, int64_t *seq, struct sha256 *hash, struct err *err)
{
    return may_go_on(tx, "audit_head", err) && real_of(tx)->audit_head(tx, seq, hash, err);
}

static bool fail_audit_set_head(struct store_tx *tx, int64_t seq, const struct sha256 *hash,
                                struct err *err)
{
    return may_go_on(tx, "audit_set_head", err) && real_of(tx)->audit_set_head(tx, seq, hash, err);
}

static bool fail_audit_scan(struct store_tx *tx, int64_t after, unsigned limit, struct arena *arena,
                            struct audit_row **rows, unsigned *count, struct err *err)
{
    return may_go_on(tx, "audit_scan", err) &&
           real_of(tx)->audit_scan(tx, after, limit, arena, rows, count, err);
}

static bool fail_audit_sign(struct store_tx *tx, int64_t seq, struct slice statement,
                            struct err *err)
{
    return may_go_on(tx, "audit_sign", err) && real_of(tx)->audit_sign(tx, seq, statement, err);
}

static bool fail_audit_signatures(struct store_tx *tx, int64_t after, unsigned limit,
                                  struct arena *arena, struct audit_row **rows, unsigned *count,
                                  struct err *err)
{
    return may_go_on(tx, "audit_signatures", err) &&
           real_of(tx)->audit_signatures(tx, after, limit, arena, rows, count, err);
}

static bool fail_unmapped_count(struct store_tx *tx, const struct unmapped_row *row,
                                struct err *err)
{
    return may_go_on(tx, "unmapped_count", err) && real_of(tx)->unmapped_count(tx, row, err);
}

static bool fail_unmapped_list(struct store_tx *tx, unsigned limit, struct arena *arena,
                               struct unmapped_row **rows, unsigned *count, struct err *err)
{
    return may_go_on(tx, "unmapped_list", err) &&
           real_of(tx)->unmapped_list(tx, limit, arena, rows, count, err);
}

static bool fail_figures(struct store_tx *tx, struct store_figures *out, struct err *err)
{
    return may_go_on(tx, "figures", err) && real_of(tx)->figures(tx, out, err);
}

/* --- in front of the store ---------------------------------------------------------------- */

void store_fault_install(struct store_fault *fault, struct store *store)
{
    *fault = (struct store_fault){ .real = store->ops, .ops = *store->ops };
    fault->ops.begin = fail_begin;
    fault->ops.savepoint = fail_savepoint;
    fault->ops.savepoint_keep = fail_savepoint_keep;
    fault->ops.savepoint_undo = fail_savepoint_undo;
    fault->ops.commit = fail_commit;
    fault->ops.tenant_find = fail_tenant_find;
    fault->ops.tenant_create = fail_tenant_create;
    fault->ops.resource_insert = fail_resource_insert;
    fault->ops.resource_update = fail_resource_update;
    fault->ops.resource_get = fail_resource_get;
    fault->ops.resource_find = fail_resource_find;
    fault->ops.resource_version = fail_resource_version;
    fault->ops.resource_scan = fail_resource_scan;
    fault->ops.resource_changes = fail_resource_changes;
    fault->ops.identifier_put = fail_identifier_put;
    fault->ops.identifier_clear = fail_identifier_clear;
    fault->ops.identifier_find = fail_identifier_find;
    fault->ops.patient_find = fail_patient_find;
    fault->ops.patient_create = fail_patient_create;
    fault->ops.patient_load = fail_patient_load;
    fault->ops.patient_save = fail_patient_save;
    fault->ops.patient_name = fail_patient_name;
    fault->ops.patients_due = fail_patients_due;
    fault->ops.patients = fail_patients;
    fault->ops.link_put = fail_link_put;
    fault->ops.link_scan = fail_link_scan;
    fault->ops.outbox_insert = fail_outbox_insert;
    fault->ops.outbox_write = fail_outbox_write;
    fault->ops.outbox_get = fail_outbox_get;
    fault->ops.outbox_find = fail_outbox_find;
    fault->ops.outbox_due = fail_outbox_due;
    fault->ops.outbox_list = fail_outbox_list;
    fault->ops.outbox_next_due = fail_outbox_next_due;
    fault->ops.audit_append = fail_audit_append;
    fault->ops.audit_head = fail_audit_head;
    fault->ops.audit_set_head = fail_audit_set_head;
    fault->ops.audit_scan = fail_audit_scan;
    fault->ops.audit_sign = fail_audit_sign;
    fault->ops.audit_signatures = fail_audit_signatures;
    fault->ops.unmapped_count = fail_unmapped_count;
    fault->ops.unmapped_list = fail_unmapped_list;
    fault->ops.figures = fail_figures;
    store->ops = &fault->ops;
}

void store_fault_remove(struct store_fault *fault, struct store *store)
{
    store->ops = fault->real;
}

void store_fault_arm(struct store_fault *fault, unsigned fail_at, enum err_code code,
                     const char *only)
{
    fault->calls = 0;
    fault->code = code;
    fault->only = only;
    fault->failed = NULL;
    fault->fail_at = fail_at;
}
