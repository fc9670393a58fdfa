/* ingest/validate.c -- $validate: would this be taken, and if not, why not (checklist A7.1).
 *
 * What      the same reader and the same rules as for a create, an update or a deletion; nothing is
 *           stored.  What is wrong with the resource is the answer, with status 200; only a request
 *           that cannot be understood is refused.
 * Limits    profiles are not judged, and the answer says so when one is named.
 */
#include "base/json_text.h"
#include "fhir/parameters.h"
#include "ingest/ingest_int.h"
#include "store/body.h"

#define OUTCOME_BYTES_MAX ((size_t)65536)

enum validate_mode { MODE_NONE, MODE_CREATE, MODE_UPDATE, MODE_DELETE };

struct ingest_validation {
    enum validate_mode mode;
    bool has_profile, has_resource;
    struct err fault; /* of the resource; ERR_OK when it would be taken */
};

static bool read_mode(struct ingest_validation *validation, struct slice text, struct err *err)
{
    static const struct {
        const char *word;
        enum validate_mode mode;
    } modes[] = { { "create", MODE_CREATE },
                  { "update", MODE_UPDATE },
                  { "delete", MODE_DELETE },
                  { "profile", MODE_NONE } };
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        if (!slice_is(text, modes[i].word))
            continue;
        validation->mode = modes[i].mode;
        return true;
    }
    return err_fail(err, ERR_VALUE, "mode", "expected create, update, delete or profile");
}

/* Parameters may stand in the URL or in the body; the resource may be the body itself. */
static bool read_parameters(struct ingest_call *call, struct ingest_op *op, struct slice *resource,
                            struct err *err)
{
    struct ingest_validation *validation = op->validation;
    struct slice body = call->request->body, query = op->query, name, value, mode = SLICE("");
    *resource = body;
    while (http_query_next(&query, call->arena, &name, &value)) {
        if (slice_is(name, "mode"))
            mode = value;
        validation->has_profile |= slice_is(name, "profile");
    }
    if (body.len > 0 && !fhir_check_json(body, call->arena, err))
        return false;
    if (body.len > 0 && fhir_is_parameters(body, call->arena)) {
        struct slice said = fhir_parameter_text(body, "mode", "valueCode", call->arena);
        mode = said.len > 0 ? said : mode;
        validation->has_profile |=
            fhir_parameter(body, "profile", "valueUri", call->arena).len > 0 ||
            fhir_parameter(body, "profile", "valueCanonical", call->arena).len > 0;
        *resource = fhir_parameter(body, "resource", "resource", call->arena);
    }
    return mode.len == 0 || read_mode(validation, mode, err);
}

static void judge(struct ingest_call *call, struct ingest_op *op, struct slice body)
{
    struct ingest_validation *validation = op->validation;
    struct err *fault = &validation->fault;
    struct fhir_resource *resource = ARENA_NEW(call->arena, struct fhir_resource);
    validation->has_resource = true;
    if (resource == NULL) {
        err_fail(fault, ERR_TOO_LARGE, "", "the request needs too much memory");
        return;
    }
    if (!fhir_read(body, op->route.type, call->arena, resource, fault))
        return;
    fault->code = ERR_OK;
    if (validation->mode == MODE_UPDATE && op->route.id.len > 0 &&
        !slice_eq(resource->id, op->route.id))
        err_fail(fault, ERR_INVALID, "id",
                 "the id in the body must be there and equal the id in the URL");
    else if (has_conditional_reference(resource))
        err_fail(fault, ERR_INVALID, "",
                 "conditional references are resolved in a transaction only");
}

bool validate_prepare(struct ingest_call *call, struct ingest_op *op, struct err *err)
{
    struct slice resource;
    op->validation = ARENA_NEW(call->arena, struct ingest_validation);
    if (op->validation == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    if (!read_parameters(call, op, &resource, err))
        return false;
    if (resource.len > 0)
        judge(call, op, resource);
    else if (op->route.id.len == 0)
        return err_fail(err, ERR_REQUIRED, "resource",
                        "there is no resource to validate: send it, or name one that is stored");
    return true;
}

/* Without a resource, the one that is stored is judged; a change or a deletion needs it there. */
static bool judge_stored(struct ingest_call *call, struct ingest_op *op, struct store_tx *tx,
                         struct err *err)
{
    struct ingest_validation *validation = op->validation;
    struct store_resource row;
    struct slice body;
    int64_t key;
    bool found;
    if (!resource_key_of(call->ingest, tx, call->work->tenant->tenant.number, op->route.type,
                         op->route.id, &key, &found, err))
        return false;
    if (found && !store_resource_get(tx, key, true, call->arena, &row, &found, err))
        return false;
    if (!found || row.is_deleted) {
        bool creates =
            validation->mode == MODE_UPDATE && call->ingest->settings.update_creates && !found;
        if (!creates)
            err_fail(&validation->fault, found ? ERR_DELETED : ERR_NOT_FOUND, "",
                     found ? "the resource has been deleted" : "there is no such resource");
        return true;
    }
    if (validation->has_resource || validation->mode == MODE_DELETE)
        return true;
    if (!body_unpack(row.body, call->arena, &body, err))
        return false;
    judge(call, op, body);
    return true;
}

bool op_validate(struct ingest_call *call, struct ingest_op *op, struct store_tx *tx,
                 struct err *err)
{
    struct ingest_validation *validation = op->validation;
    struct buffer text;
    if (validation->fault.code == ERR_OK && op->route.id.len > 0 &&
        (validation->mode != MODE_NONE || !validation->has_resource) &&
        !judge_stored(call, op, tx, err))
        return false;
    if (op->route.id.len > 0) {
        op->action = "read";
        op->answer_id = op->route.id;
    }
    buffer_init(&text, OUTCOME_BYTES_MAX);
    fhir_write_verdict(&validation->fault,
                       validation->has_profile
                           ? "Profiles are not judged here: the resource was held against what "
                             "this server asks of every resource."
                           : NULL,
                       &text);
    op->answer.resource = arena_copy(call->arena, buffer_slice(&text));
    op->answer.status = 200;
    buffer_fini(&text);
    return !arena_overflowed(call->arena) ||
           err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
}
