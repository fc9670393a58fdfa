/* ingest/write.c -- one resource written, inside the transaction of its job.
 *
 * What      first everything that may refuse the request is checked, then rows are written: a
 *           refused operation has written nothing, so a batch needs no savepoint per entry.
 */
#include <stdio.h>

#include "base/id.h"
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
    if (call->work->is_bundle)
        return true; /* entries answer with status, location and etag */
    return fhir_stamp(op->resource->source, op->answer_id, op->answer.version,
                      op->answer.updated_ms, call->arena, &op->answer.resource, err);
}

static bool put_identifiers(struct ingest_op *op, struct patient_set *set, int64_t key,
                            bool is_update, struct err *err)
{
    enum fhir_type type = op->route.type;
    int32_t tenant = set->tenant->tenant.number;
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
    if (op->if_match.len > 0 && !tag_matches(op->if_match, old->version))
        return op_refuse(op, ERR_PRECONDITION, "If-Match",
                         "the resource has another version by now");
    if (slice_is(op->if_none_match, "*"))
        return op_refuse(op, ERR_PRECONDITION, "If-None-Match", "the resource exists already");
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
    if (op->if_match.len > 0 && !tag_matches(op->if_match, old->version))
        return op_refuse(op, ERR_PRECONDITION, "If-Match",
                         "the resource has another version by now");
    struct store_resource row = *old;
    row.version = old->version + 1;
    row.updated_ms = call->now_ms;
    row.is_deleted = true;
    row.body = SLICE("");
    struct slice id = resource_id_of(set->ingest, old, call->arena);
    answer(call, op, 204, id, row.version, row.updated_ms);
    op->action = "delete";
    if (!store_resource_update(set->tx, &row, err) ||
        (fhir_type_is_identified(row.type) &&
         !store_identifier_clear(set->tx, row.tenant, row.type, row.key, err)) ||
        !leave_old_patient(set, old, NULL, id, row.version, err))
        return false;
    if (row.type != FHIR_MEDICATION)
        return true;
    return patient_medication_changed(
        set, arena_format(set->arena, "Medication/%.*s", SLICE_ARGS(id)), NULL, err);
}

/* Which resource `PUT Type?identifier=system|value` means. */
static bool find_by_identifier(struct ingest_op *op, struct patient_set *set, int64_t *key,
                               bool *found, struct err *err)
{
    struct slice query = op->query, name, value;
    int64_t keys[2];
    unsigned count = 0, parameters = 0;
    struct slice identifier = SLICE("");
    while (http_query_next(&query, set->arena, &name, &value)) {
        if (slice_starts(name, SLICE("_")))
            continue; /* _format, _pretty */
        parameters++;
        if (slice_is(name, "identifier"))
            identifier = value;
    }
    if (parameters != 1 || identifier.len == 0)
        return op_refuse(op, ERR_UNSUPPORTED, "",
                         "a conditional update is offered by identifier=system|value alone");
    if (!store_identifier_find(set->tx, set->tenant->tenant.number, op->route.type, identifier,
                               keys, 2, &count, err))
        return false;
    if (count > 1)
        return op_refuse(op, ERR_MULTIPLE, "", "more than one resource has this identifier");
    *found = count == 1;
    *key = keys[0];
    return true;
}

static bool find_target(struct ingest_op *op, struct patient_set *set, int64_t *key, bool *found,
                        struct err *err)
{
    *found = false;
    if (op->route.interaction == FHIR_DO_CREATE)
        return true;
    if (op->route.interaction == FHIR_DO_CONDITIONAL_UPDATE)
        return find_by_identifier(op, set, key, found, err);
    return resource_key_of(set->ingest, set->tx, set->tenant->tenant.number, op->route.type,
                           op->route.id, key, found, err);
}

static bool write_unknown(struct ingest_call *call, struct ingest_op *op, struct patient_set *set,
                          struct err *err)
{
    int64_t key;
    if (op->route.interaction == FHIR_DO_DELETE) {
        op->answer.status = 204;
        op->action = "delete";
        op->answer_id = op->route.id;
        return true;
    }
    if (op->route.interaction != FHIR_DO_UPDATE)
        return write_new(call, op, set, SLICE(""), err);
    if (op->if_match.len > 0)
        return op_refuse(op, ERR_PRECONDITION, "If-Match", "there is no such resource yet");
    if (!call->ingest->settings.update_creates)
        return op_refuse(op, ERR_METHOD, "",
                         "there is no such resource, and PUT does not create here");
    if (id_parse(op->route.id, call->ingest->salt, &key))
        return op_refuse(op, ERR_INVALID, "id",
                         "this id is reserved for ids that the server assigns");
    return write_new(call, op, set, op->route.id, err);
}

bool op_write(struct ingest_call *call, struct ingest_op *op, struct patient_set *set,
              struct err *err)
{
    struct store_resource old;
    int64_t key = 0;
    bool found;
    if (!find_target(op, set, &key, &found, err))
        return false;
    if (op->answer.err.code != ERR_OK)
        return true;
    if (!found)
        return write_unknown(call, op, set, err);
    bool with_body = op->route.interaction != FHIR_DO_DELETE;
    if (!store_resource_get(set->tx, key, with_body, set->arena, &old, &found, err))
        return false;
    CHECK(found);
    if (op->route.interaction != FHIR_DO_DELETE)
        return write_over(call, op, set, &old, err);
    if (!old.is_deleted)
        return write_deletion(call, op, set, &old, err);
    op->answer.status = 204;
    op->answer_id = op->route.id;
    op->action = "delete";
    return true;
}
