/* ingest/write.c -- one resource written, inside the transaction of its job.
 *
 * What      first everything that may refuse the request is checked, then rows are written: a
 *           refused operation has written nothing, so a batch needs no savepoint per entry.
 */
#include <stdio.h>

#include "base/id.h"
#include "fhir/json_patch.h"
#include "fhir/stamp.h"
#include "ingest/ingest_int.h"
#include "store/body.h"

bool resource_key_of(struct ingest *ingest, struct store_tx *tx, int32_t tenant,
                     enum fhir_type type, struct slice id, int64_t *key, bool *found,
                     struct err *err)
{
    struct store_resource row;
    if (!id_parse(id, ingest->salt, key))
        return store_resource_find(tx, tenant, type, id, key, found, err);
    struct arena unused;
    arena_init(&unused, 256);
    bool is_read = store_resource_get(tx, *key, false, &unused, &row, found, err);
    arena_fini(&unused);
    if (is_read && *found && (row.tenant != tenant || row.type != type || row.id.len > 0))
        *found = false;
    return is_read;
}

struct slice resource_id_of(struct ingest *ingest, const struct store_resource *row,
                            struct arena *arena)
{
    char id[ID_TEXT_LEN + 1];
    if (row->id.len > 0)
        return arena_copy(arena, row->id);
    id_format(row->key, ingest->salt, id);
    return arena_copy(arena, slice_of(id));
}

bool op_refuse(struct ingest_op *op, enum err_code code, const char *where, const char *what)
{
    err_fail(&op->answer.err, code, where, "%s", what);
    return true;
}

/* W/"3" or "3" against a version; several tags may be listed. */
static bool tag_matches(struct slice tags, uint32_t version)
{
    char number[16];
    snprintf(number, sizeof number, "%u", version);
    while (tags.len > 0) {
        struct slice tag = slice_take_until(&tags, ',');
        while (tag.len > 0 && tag.at[0] == ' ')
            tag = slice_skip(tag, 1);
        if (slice_starts(tag, SLICE("W/")))
            tag = slice_skip(tag, 2);
        if (tag.len >= 2 && tag.at[0] == '"' && tag.at[tag.len - 1] == '"')
            tag = (struct slice){ tag.at + 1, tag.len - 2 };
        if (slice_is(tag, number))
            return true;
    }
    return false;
}

/* Whether the version that the caller names is the current one; left as a fault otherwise. */
static bool version_is_meant(struct ingest_call *call, struct ingest_op *op,
                             const struct store_resource *old)
{
    if (op->if_match.len == 0 && call->ingest->settings.if_match_required && !old->is_deleted)
        return !op_refuse(op, ERR_REQUIRED, "If-Match",
                          "this server changes nothing without the version that is meant");
    return op->if_match.len == 0 || tag_matches(op->if_match, old->version) ||
           !op_refuse(op, ERR_PRECONDITION, "If-Match", "the resource has another version by now");
}

static void answer(struct ingest_call *call, struct ingest_op *op, int status, struct slice id,
                   uint32_t version, int64_t updated_ms)
{
    op->answer.status = status;
    op->answer.version = version;
    op->answer.updated_ms = updated_ms;
    op->answer.location = arena_format(call->arena, "%s/%.*s/_history/%u",
                                       fhir_type_name(op->route.type), SLICE_ARGS(id), version);
    op->answer_id = id;
}

/* The wanted representation of what was just written; creations had it made on the loop. */
static bool answer_body(struct ingest_call *call, struct ingest_op *op, struct err *err)
{
    if (call->work->prefer != RETURN_REPRESENTATION || op->answer.resource.len > 0)
        return true;
    if (call->work->is_bundle && !call->work->is_body_asked)
        return true; /* entries answer with status, location and etag unless asked for more */
    return fhir_stamp(op->resource->source, op->answer_id, op->answer.version,
                      op->answer.updated_ms, call->arena, &op->answer.resource, err);
}

static bool mention_identifiers(const struct ingest_op *op, struct patient_set *set, int64_t key,
                                struct err *err)
{
    uint64_t hashes[FHIR_IDENTIFIERS_MAX];
    const struct fhir_resource *resource = op->resource;
    for (unsigned i = 0; i < resource->identifier_count; i++)
        hashes[i] = store_mention_hash(set->tenant->tenant.number, op->route.type,
                                       resource->identifiers[i]);
    return store_mention_put(set->tx, key, hashes, resource->identifier_count, err);
}

static bool put_identifiers(struct ingest_op *op, struct patient_set *set, int64_t key,
                            bool is_update, struct err *err)
{
    enum fhir_type type = op->route.type;
    int32_t tenant = set->tenant->tenant.number;
    if (is_mentioned_type(type))
        return mention_identifiers(op, set, key, err);
    if (!fhir_type_is_identified(type))
        return true;
    if (is_update && !store_identifier_clear(set->tx, tenant, type, key, err))
        return false;
    for (unsigned i = 0; i < op->resource->identifier_count; i++)
        if (!store_identifier_put(set->tx, tenant, type, op->resource->identifiers[i], key, err))
            return false;
    return true;
}

/* Who was the subject before an update may have to forget the resource. */
static bool leave_old_patient(struct patient_set *set, const struct store_resource *row,
                              const struct patient_work *patient, struct slice id, uint32_t version,
                              struct err *err)
{
    struct patient_work *old;
    int32_t tenant;
    struct slice name;
    bool found;
    if (row->patient == 0 || (patient != NULL && patient->key == row->patient))
        return true;
    if (!store_patient_name(set->tx, row->patient, set->arena, &tenant, &name, &found, err))
        return false;
    if (!found)
        return true;
    struct event tombstone = { .type = row->type,
                               .id = id,
                               .version = version,
                               .resource_key = row->key,
                               .status = STATUS_ENTERED_IN_ERROR,
                               .verification_status = VERIFICATION_ENTERED_IN_ERROR };
    return patient_touch_key(set, row->patient, name, &old, err) &&
           patient_remove(set, old, &tombstone, err);
}

/* The version that the answer names is in the timeline of its patient from now on. */
static bool join_patient(struct ingest_op *op, struct patient_set *set,
                         struct patient_work *patient, int64_t key, struct err *err)
{
    struct event *event = &op->resource->event;
    event->type = op->route.type;
    event->id = arena_copy(set->arena, op->answer_id);
    event->version = op->answer.version;
    event->resource_key = key;
    if (patient != NULL && !patient_put(set, patient, event, err))
        return false;
    if (op->route.type != FHIR_MEDICATION)
        return true;
    struct slice reference = arena_format(set->arena, "Medication/%.*s", SLICE_ARGS(op->answer_id));
    return patient_medication_changed(set, reference, &event->medication, err);
}

static bool write_new(struct ingest_call *call, struct ingest_op *op, struct patient_set *set,
                      struct slice client_id, struct err *err)
{
    struct patient_work *patient = NULL;
    if (op->patient_name.len > 0 && !patient_touch(set, op->patient_name, true, &patient, err))
        return false;
    struct store_resource row = { .key = op->new_key,
                                  .tenant = set->tenant->tenant.number,
                                  .type = op->route.type,
                                  .version = 1,
                                  .patient = patient != NULL ? patient->key : 0,
                                  .updated_ms = call->now_ms,
                                  .id = client_id,
                                  .body = op->packed };
    answer(call, op, 201, client_id.len > 0 ? client_id : slice_of(op->new_id), 1, call->now_ms);
    op->action = "create";
    return store_resource_insert(set->tx, &row, err) &&
           put_identifiers(op, set, row.key, false, err) &&
           join_patient(op, set, patient, row.key, err) && answer_body(call, op, err);
}

static bool write_over(struct ingest_call *call, struct ingest_op *op, struct patient_set *set,
                       const struct store_resource *old, struct err *err)
{
    struct slice id = resource_id_of(set->ingest, old, call->arena);
    if (slice_is(op->if_none_match, "*"))
        return op_refuse(op, ERR_PRECONDITION, "If-None-Match", "the resource exists already");
    if (op->route.interaction != FHIR_DO_PATCH && !version_is_meant(call, op, old))
        return true;
    if (!old->is_deleted && slice_eq(old->body, op->packed)) {
        op->is_unchanged = true; /* a resend: the first answer once more, no new version */
        answer(call, op, 200, id, old->version, old->updated_ms);
        op->action = "update";
        return answer_body(call, op, err);
    }
    struct patient_work *patient = NULL;
    if (op->patient_name.len > 0 && !patient_touch(set, op->patient_name, true, &patient, err))
        return false;
    struct store_resource row = *old;
    row.version = old->version + 1;
    row.patient = patient != NULL ? patient->key : 0;
    row.updated_ms = call->now_ms > old->updated_ms ? call->now_ms : old->updated_ms;
    row.is_deleted = false;
    row.body = op->packed;
    answer(call, op, old->is_deleted ? 201 : 200, id, row.version, row.updated_ms);
    op->action = "update";
    return store_resource_update(set->tx, &row, err) &&
           put_identifiers(op, set, row.key, true, err) &&
           leave_old_patient(set, old, patient, id, row.version, err) &&
           join_patient(op, set, patient, row.key, err) && answer_body(call, op, err);
}

/* A deletion is a version of its own; deleting what is not there is no fault (A3.10). */
static bool write_deletion(struct ingest_call *call, struct ingest_op *op, struct patient_set *set,
                           const struct store_resource *old, struct err *err)
{
    if (!version_is_meant(call, op, old))
        return true;
    struct store_resource row = *old;
    row.version = old->version + 1;
    row.updated_ms = call->now_ms;
    row.is_deleted = true;
    row.body = SLICE("");
    struct slice id = resource_id_of(set->ingest, old, call->arena);
    answer(call, op, 204, id, row.version, row.updated_ms);
    op->action = "delete";
    if (!store_resource_update(set->tx, &row, err) ||
        (fhir_type_is_identified(row.type) && !is_mentioned_type(row.type) &&
         !store_identifier_clear(set->tx, row.tenant, row.type, row.key, err)) ||
        !leave_old_patient(set, old, NULL, id, row.version, err))
        return false;
    if (row.type != FHIR_MEDICATION)
        return true;
    return patient_medication_changed(
        set, arena_format(set->arena, "Medication/%.*s", SLICE_ARGS(id)), NULL, err);
}

/* --- which resource is meant ----------------------------------------------------------------- */

/* What a conditional request means: none, one, or too many to choose from (A3.7 to A3.9). */
static bool find_by_condition(struct ingest_call *call, struct ingest_op *op, struct slice query,
                              struct patient_set *set, int64_t *key, bool *found, struct err *err)
{
    unsigned count;
    if (query.len > 0 && query.at[0] == '?')
        query = slice_skip(query, 1);
    if (op->is_resolved && op->finds == 1) {
        *key = op->found_key;
        *found = true;
        return true;
    }
    if (!search_resolve(call, op, query, set, key, &count, err))
        return false;
    if (op->is_resolved && count > 0)
        return op_refuse(op, ERR_CONFLICT, "request",
                         "another entry of this transaction writes what the condition excludes");
    if (count > 1)
        return op_refuse(op, ERR_MULTIPLE, "", "more than one resource fits the condition");
    *found = count == 1;
    return true;
}

static bool find_target(struct ingest_call *call, struct ingest_op *op, struct patient_set *set,
                        int64_t *key, bool *found, struct err *err)
{
    enum fhir_interaction interaction = op->route.interaction;
    *found = false;
    if (interaction == FHIR_DO_CREATE)
        return op->if_none_exist.len == 0 ||
               find_by_condition(call, op, op->if_none_exist, set, key, found, err);
    if (interaction == FHIR_DO_CONDITIONAL_UPDATE || interaction == FHIR_DO_CONDITIONAL_DELETE)
        return find_by_condition(call, op, op->query, set, key, found, err);
    return resource_key_of(set->ingest, set->tx, set->tenant->tenant.number, op->route.type,
                           op->route.id, key, found, err);
}

/* PUT of an id that nobody has; also a conditional one that fits nothing and brings an id. */
static bool write_as_named(struct ingest_call *call, struct ingest_op *op, struct patient_set *set,
                           struct slice id, struct err *err)
{
    int64_t key;
    bool found;
    if (op->if_match.len > 0)
        return op_refuse(op, ERR_PRECONDITION, "If-Match", "there is no such resource yet");
    if (!call->ingest->settings.update_creates)
        return op_refuse(op, ERR_METHOD, "",
                         "there is no such resource, and PUT does not create here");
    if (id_parse(id, call->ingest->salt, &key))
        return op_refuse(op, ERR_INVALID, "id",
                         "this id is reserved for ids that the server assigns");
    if (op->route.interaction == FHIR_DO_CONDITIONAL_UPDATE) {
        if (!store_resource_find(set->tx, set->tenant->tenant.number, op->route.type, id, &key,
                                 &found, err))
            return false;
        if (found)
            return op_refuse(op, ERR_CONFLICT, "id",
                             "nothing fits the condition, and another resource has this id");
    }
    return write_new(call, op, set, id, err);
}

static bool is_deletion(const struct ingest_op *op)
{
    return op->route.interaction == FHIR_DO_DELETE ||
           op->route.interaction == FHIR_DO_CONDITIONAL_DELETE;
}

static bool write_unknown(struct ingest_call *call, struct ingest_op *op, struct patient_set *set,
                          struct err *err)
{
    if (is_deletion(op)) {
        op->answer.status = 204;
        op->action = "delete";
        op->answer_id = op->route.id;
        return true;
    }
    if (op->route.interaction == FHIR_DO_PATCH)
        return op_refuse(op, ERR_NOT_FOUND, "", "there is no such resource");
    if (op->route.interaction == FHIR_DO_UPDATE)
        return write_as_named(call, op, set, op->route.id, err);
    if (op->route.interaction == FHIR_DO_CONDITIONAL_UPDATE && op->resource->id.len > 0)
        return write_as_named(call, op, set, op->resource->id, err);
    return write_new(call, op, set, SLICE(""), err);
}

/* A conditional create that fits: what is there, and nothing is written (A3.7). */
static bool answer_existing(struct ingest_call *call, struct ingest_op *op,
                            const struct store_resource *row, struct err *err)
{
    struct slice body;
    struct slice id = resource_id_of(call->ingest, row, call->arena);
    answer(call, op, 200, id, row->version, row->updated_ms);
    op->action = "read";
    op->is_unchanged = true;
    if (call->work->prefer != RETURN_REPRESENTATION ||
        (call->work->is_bundle && !call->work->is_body_asked))
        return true;
    return body_unpack(row->body, call->arena, &body, err) &&
           fhir_stamp(body, id, row->version, row->updated_ms, call->arena, &op->answer.resource,
                      err);
}

/* What the caller would have read, patched; it is a new version of this moment. */
static bool make_patched(struct ingest_call *call, struct ingest_op *op,
                         const struct store_resource *old, struct slice id, bool *is_same,
                         struct err *err)
{
    struct slice body, before, after, stamped;
    if (!body_unpack(old->body, call->arena, &body, err) ||
        !fhir_stamp(body, id, old->version, old->updated_ms, call->arena, &before, err))
        return false;
    if (!json_patch_apply(before, op->patch, call->arena, &after, &op->answer.err))
        return true;
    *is_same = slice_eq(before, after);
    op->resource = ARENA_NEW(call->arena, struct fhir_resource);
    if (op->resource == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    /* First as patched, so that a broken id shows; then as it will be. */
    if (!fhir_read(after, op->route.type, call->arena, op->resource, &op->answer.err))
        return true;
    if (!slice_eq(op->resource->id, id))
        return op_refuse(op, ERR_INVALID, "id", "a patch may not change the id");
    op->answer.err.code = ERR_OK;
    return fhir_stamp(after, id, old->version + 1, call->now_ms, call->arena, &stamped, err) &&
           fhir_read(stamped, op->route.type, call->arena, op->resource, err) &&
           op_prepare(call, op, err);
}

static bool write_patched(struct ingest_call *call, struct ingest_op *op, struct patient_set *set,
                          const struct store_resource *old, struct err *err)
{
    struct slice id = resource_id_of(set->ingest, old, call->arena);
    bool is_same = false;
    if (old->is_deleted)
        return op_refuse(op, ERR_DELETED, "", "the resource has been deleted");
    if (!version_is_meant(call, op, old))
        return true;
    if (!make_patched(call, op, old, id, &is_same, err))
        return false;
    if (op->answer.err.code != ERR_OK)
        return true;
    if (is_same)
        op->packed = old->body; /* a patch that changes nothing makes no version */
    return write_over(call, op, set, old, err);
}

static bool write_known(struct ingest_call *call, struct ingest_op *op, struct patient_set *set,
                        const struct store_resource *old, struct err *err)
{
    if (is_deletion(op)) {
        if (!old->is_deleted)
            return write_deletion(call, op, set, old, err);
        op->answer.status = 204;
        op->answer_id = op->route.id;
        op->action = "delete";
        return true;
    }
    if (op->route.interaction == FHIR_DO_PATCH)
        return write_patched(call, op, set, old, err);
    if (op->is_resolved && old->is_deleted)
        return op_refuse(op, ERR_CONFLICT, "request",
                         "another entry of this transaction deletes what fits the condition");
    if (op->route.interaction == FHIR_DO_CREATE)
        return answer_existing(call, op, old, err);
    if (op->route.interaction == FHIR_DO_CONDITIONAL_UPDATE && op->resource->id.len > 0 &&
        !slice_eq(op->resource->id, resource_id_of(call->ingest, old, call->arena)))
        return op_refuse(op, ERR_INVALID, "id",
                         "the id in the body is not that of the resource that fits the condition");
    return write_over(call, op, set, old, err);
}

bool op_write(struct ingest_call *call, struct ingest_op *op, struct patient_set *set,
              struct err *err)
{
    struct store_resource old;
    int64_t key = 0;
    bool found;
    if (!find_target(call, op, set, &key, &found, err))
        return false;
    if (op->answer.err.code != ERR_OK)
        return true;
    if (!found)
        return write_unknown(call, op, set, err);
    if (!store_resource_get(set->tx, key, !is_deletion(op), set->arena, &old, &found, err))
        return false;
    CHECK(found);
    return write_known(call, op, set, &old, err);
}
