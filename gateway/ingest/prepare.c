/* ingest/prepare.c -- what can be done before the lane: the caller, the route, the body, ids,
 * references, compression and digests, all on the I/O loop, so that the one writer does less. */
#include "base/id.h"
#include "base/text.h"
#include "fhir/stamp.h"
#include "ingest/ingest_int.h"
#include "store/body.h"

/* "/fhir/Patient" or "/{tenant}/fhir/Patient" -> tenant and "/Patient". */
static bool split_base(struct slice path, struct slice *tenant, struct slice *rest, struct err *err)
{
    struct slice at = slice_skip(path, 1);
    struct slice first = slice_take_until(&at, '/');
    *tenant = SLICE("");
    if (!slice_is(first, "fhir")) {
        *tenant = first;
        first = slice_take_until(&at, '/');
    }
    if (path.len == 0 || path.at[0] != '/' || !slice_is(first, "fhir"))
        return err_fail(err, ERR_NOT_FOUND, "",
                        "unknown path: the FHIR API is at /fhir or /{tenant}/fhir");
    size_t used = (size_t)(at.at - path.at);
    *rest = at.len > 0 || path.at[used - 1] == '/'
                ? (struct slice){ path.at + used - 1, path.len - used + 1 }
                : SLICE("/");
    return true;
}

/* Letters, digits and ._:- are safe to echo and to log; anything else is replaced by our own. */
static struct slice request_id_of(struct ingest_call *call)
{
    struct slice sent = http_header_find(call->request, "x-request-id");
    bool is_safe = sent.len > 0 && sent.len <= 128;
    for (size_t i = 0; is_safe && i < sent.len; i++) {
        char c = sent.at[i];
        is_safe = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '.' || c == '_' || c == ':' || c == '-';
    }
    if (is_safe)
        return sent;
    char id[ID_TEXT_LEN + 1];
    id_format(store_key_reserve(call->ingest->settings.store, 1), call->ingest->salt, id);
    return arena_copy(call->arena, slice_of(id));
}

static void read_prefer(const struct http_request *request, struct ingest_work *work)
{
    struct slice prefer = http_header_find(request, "prefer");
    work->prefer = RETURN_REPRESENTATION;
    while (prefer.len > 0) {
        struct slice part = slice_take_until(&prefer, ',');
        while (part.len > 0 && part.at[0] == ' ')
            part = slice_skip(part, 1);
        if (slice_starts(part, SLICE("return=minimal")))
            work->prefer = RETURN_MINIMAL;
        else if (slice_starts(part, SLICE("return=OperationOutcome")))
            work->prefer = RETURN_OUTCOME;
        else if (slice_starts(part, SLICE("return=representation")))
            work->is_body_asked = true;
        else if (slice_starts(part, SLICE("handling=strict")))
            work->is_strict = true;
    }
}

static const struct ingest_tenant *ingest_tenant_of(const struct ingest *ingest,
                                                    const struct tenant *tenant)
{
    for (unsigned i = 0; i < ingest->settings.tenant_count; i++)
        if (&ingest->auth_tenants[i] == tenant)
            return &ingest->tenants[i];
    return NULL;
}

bool find_caller(struct ingest_call *call, struct slice path_tenant, struct err *err)
{
    struct ingest *ingest = call->ingest;
    const struct tenant *tenant;
    if (!auth_tenant(ingest->auth_tenants, ingest->settings.tenant_count, &call->caller,
                     path_tenant, ingest->fallback, &tenant, err))
        return false;
    call->work->tenant = ingest_tenant_of(ingest, tenant);
    CHECK(call->work->tenant != NULL);
    return true;
}

/* The local form of a reference, or as it was sent. */
static struct slice local_reference(const struct ingest_call *call, struct slice reference)
{
    const struct tenant *tenant = &call->work->tenant->tenant;
    struct slice local = fhir_local_reference(reference, tenant->base_urls, tenant->base_url_count);
    return local.len > 0 ? local : reference;
}

static bool localise(const struct ingest_call *call, const struct slice **list, unsigned count,
                     struct err *err)
{
    if (count == 0)
        return true;
    struct slice *local = arena_alloc_raw(call->arena, sizeof *local * count);
    if (local == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    for (unsigned i = 0; i < count; i++)
        local[i] = local_reference(call, (*list)[i]);
    *list = local;
    return true;
}

bool localise_event(const struct ingest_call *call, struct event *event, struct err *err)
{
    event->medication_reference = local_reference(call, event->medication_reference);
    event->prior_prescription = local_reference(call, event->prior_prescription);
    event->encounter = local_reference(call, event->encounter);
    event->replaced_by = local_reference(call, event->replaced_by);
    return localise(call, &event->reason_references, event->reason_reference_count, err) &&
           localise(call, &event->based_on, event->based_on_count, err) &&
           localise(call, &event->focus, event->focus_count, err);
}

/* Whose resource it is: by reference, by logical identifier, or nobody's. */
static struct slice patient_name_of(struct ingest_call *call, const struct ingest_op *op)
{
    const struct fhir_resource *resource = op->resource;
    if (resource->type == FHIR_PATIENT) {
        struct slice id = op->route.id.len > 0 ? op->route.id : slice_of(op->new_id);
        return arena_format(call->arena, "Patient/%.*s", SLICE_ARGS(id));
    }
    if (resource->subject.len > 0)
        return local_reference(call, resource->subject);
    if (resource->subject_identifier.len > 0)
        return arena_format(call->arena, "identifier %.*s",
                            SLICE_ARGS(resource->subject_identifier));
    return SLICE("");
}

bool op_prepare(struct ingest_call *call, struct ingest_op *op, struct err *err)
{
    struct fhir_resource *resource = op->resource;
    if (!localise_event(call, &resource->event, err))
        return false;
    op->patient_name = patient_name_of(call, op);
    if (!body_pack(resource->source, call->arena, &op->packed, err))
        return false;
    if (arena_overflowed(call->arena))
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    return true;
}

static struct slice trimmed(struct slice value) { return value.at == NULL ? SLICE("") : value; }

/* What a created resource will look like is known before the commit, but for the commit itself. */
static bool answer_ahead(struct ingest_call *call, struct ingest_op *op, struct err *err)
{
    struct ingest_work *work = call->work;
    if (work->prefer != RETURN_REPRESENTATION)
        return true;
    return fhir_stamp(op->resource->source, slice_of(op->new_id), 1, call->now_ms, call->arena,
                      &op->answer.resource, err);
}

static bool prepare_body(struct ingest_call *call, struct ingest_op *op, struct err *err)
{
    enum fhir_interaction interaction = op->route.interaction;
    op->resource = ARENA_NEW(call->arena, struct fhir_resource);
    if (op->resource == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    if (!fhir_read(call->request->body, op->route.type, call->arena, op->resource, err))
        return false;
    if (interaction == FHIR_DO_UPDATE && !slice_eq(op->resource->id, op->route.id))
        return err_fail(err, ERR_INVALID, "id",
                        "the id in the body must be there and equal the id in the URL");
    if (has_conditional_reference(op->resource))
        return err_fail(err, ERR_INVALID, "",
                        "conditional references are resolved in a transaction only");
    op->new_key = store_key_reserve(call->ingest->settings.store, 1);
    id_format(op->new_key, call->ingest->salt, op->new_id);
    if (!op_prepare(call, op, err))
        return false;
    bool is_surely_new =
        interaction == FHIR_DO_CREATE && http_header_find(call->request, "if-none-exist").len == 0;
    return !is_surely_new || answer_ahead(call, op, err);
}

/* A posted search may have parameters in the URL as well. */
static struct slice posted_query(struct ingest_call *call)
{
    const struct http_request *request = call->request;
    if (request->query.len == 0)
        return request->body;
    return arena_format(call->arena, "%.*s&%.*s", SLICE_ARGS(request->query),
                        SLICE_ARGS(request->body));
}

static bool prepare_single(struct ingest_call *call, struct err *err)
{
    struct ingest_work *work = call->work;
    struct ingest_op *op = ARENA_NEW(call->arena, struct ingest_op);
    if (op == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    work->ops = op;
    work->op_count = 1;
    op->route = work->route;
    op->query = call->request->query;
    op->if_match = trimmed(http_header_find(call->request, "if-match"));
    op->if_none_match = trimmed(http_header_find(call->request, "if-none-match"));
    op->if_modified_since = trimmed(http_header_find(call->request, "if-modified-since"));
    bool has_body = op->route.interaction == FHIR_DO_CREATE ||
                    op->route.interaction == FHIR_DO_UPDATE ||
                    op->route.interaction == FHIR_DO_CONDITIONAL_UPDATE;
    if (op->route.interaction == FHIR_DO_CREATE)
        op->if_none_exist = trimmed(http_header_find(call->request, "if-none-exist"));
    if (op->route.interaction == FHIR_DO_SEARCH && call->request->verb == VERB_POST)
        op->query = posted_query(call);
    if (!fhir_shape_read(op->query, call->arena, &op->shape, err))
        return false;
    if (slice_is(op->route.operation, FHIR_VALIDATE))
        return validate_prepare(call, op, err);
    if (op->route.interaction == FHIR_DO_PATCH)
        op->patch = call->request->body;
    return !has_body || prepare_body(call, op, err);
}

bool request_prepare(struct ingest_call *call, struct err *err)
{
    struct ingest_work *work = call->work;
    const struct http_request *request = call->request;
    struct slice tenant, path;
    work->request_id = request_id_of(call);
    read_prefer(request, work);
    if (request->body.len > 0)
        work->request_digest = sha256_of_one(request->body);
    if (cds_path(request->path, &tenant, &path))
        return cds_prepare(call, tenant, path, err);
    if (!split_base(request->path, &tenant, &path, err))
        return false;
    bool is_open = slice_is(path, "/metadata") || slice_is(path, "/metadata/");
    if (!is_open && !find_caller(call, tenant, err))
        return false;
    if (!fhir_route(request->verb, path, request->query, call->arena, &work->route, &work->allow,
                    err))
        return false;
    work->is_routed = true;
    bool is_lines = work->route.interaction == FHIR_DO_BUNDLE && work->route.operation.len == 0 &&
                    fhir_is_in_lines(request);
    enum fhir_body body =
        is_lines ? FHIR_BODY_LINES : fhir_body_of(request->verb, work->route.interaction);
    struct fhir_format format;
    if (!fhir_negotiate(request, body, call->arena, &format, err))
        return false;
    work->is_pretty = format.is_pretty;
    work->is_version_asked = format.has_version;
    if (is_lines)
        return lines_prepare(call, err);
    if (work->route.interaction == FHIR_DO_BUNDLE)
        return work->route.operation.len > 0 ? message_prepare(call, err)
                                             : bundle_prepare(call, err);
    return prepare_single(call, err);
}
