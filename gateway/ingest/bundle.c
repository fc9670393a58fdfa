/* ingest/bundle.c -- a transaction or batch: entries become operations, fullUrls become references.
 *
 * Rules     FHIR order inside a transaction: DELETE, POST, PUT, GET; the outcome does not depend on
 *           the order of the entries; one identity twice fails the whole (checklist A4.2 to A4.5).
 */
#include <stdio.h>

#include "base/id.h"
#include "ingest/bundle_int.h"

bool entry_fails(struct ingest_op *op, enum err_code code, const char *where, const char *what)
{
    return err_fail(&op->answer.err, code, where, "%s", what);
}

/* The operation of one entry; what is wrong with it is left in op->answer.err. */
static bool entry_read(struct ingest_call *call, const struct fhir_entry *entry,
                       struct ingest_op *op)
{
    if (entry->fault.code != ERR_OK) {
        op->answer.err = entry->fault;
        return false;
    }
    if (!entry->has_request)
        return entry_fails(op, ERR_REQUIRED, "request", "an entry needs request.method and url");
    if (!fhir_route_entry(entry->verb, entry->url, call->arena, &op->route, &op->query,
                          &op->answer.err) ||
        !fhir_shape_read(op->query, call->arena, &op->shape, &op->answer.err))
        return false;
    if (slice_is(op->route.operation, FHIR_VALIDATE))
        return entry_fails(op, ERR_UNSUPPORTED, "request.url", "not offered inside a Bundle");
    if (op->route.interaction == FHIR_DO_PATCH)
        return entry_fails(op, ERR_UNSUPPORTED, "request.method",
                           "a patch is not offered inside a Bundle: send it alone");
    op->if_match = entry->if_match;
    op->if_none_match = entry->if_none_match;
    op->if_none_exist = entry->if_none_exist;
    op->if_modified_since = entry->if_modified_since;
    op->resource = entry->resource;
    enum fhir_interaction interaction = op->route.interaction;
    if (interaction != FHIR_DO_CREATE && interaction != FHIR_DO_UPDATE &&
        interaction != FHIR_DO_CONDITIONAL_UPDATE) {
        op->resource = NULL;
        return true;
    }
    if (op->resource == NULL)
        return entry_fails(op, ERR_REQUIRED, "resource", "POST and PUT need a resource");
    if (op->resource->type != op->route.type)
        return entry_fails(op, ERR_INVALID, "resource.resourceType",
                           "the resource is not of the type that request.url names");
    if (interaction == FHIR_DO_UPDATE && !slice_eq(op->resource->id, op->route.id))
        return entry_fails(op, ERR_INVALID, "resource.id",
                           "the id in the resource must be there and equal the id in request.url");
    return true;
}

static void entry_number(struct ingest_call *call, struct ingest_op *op, int64_t key)
{
    op->new_key = key;
    id_format(key, call->ingest->salt, op->new_id);
}

struct slice entry_reference(struct ingest_call *call, const struct ingest_op *op)
{
    struct slice id = op->route.interaction == FHIR_DO_CREATE ? slice_of(op->new_id) : op->route.id;
    return arena_format(call->arena, "%s/%.*s", fhir_type_name(op->route.type), SLICE_ARGS(id));
}

/* Which resource a conditional entry means is known on the lane only; what refers to it waits. */
static bool is_conditional(const struct ingest_op *op)
{
    return op->route.interaction == FHIR_DO_CONDITIONAL_UPDATE ||
           op->route.interaction == FHIR_DO_CONDITIONAL_DELETE || op->if_none_exist.len > 0;
}

static bool entry_register(struct ingest_call *call, struct full_urls *urls,
                           const struct fhir_entry *entry, struct ingest_op *op)
{
    op->is_conditional = is_conditional(op);
    op->full_url = entry->full_url;
    if (entry->full_url.len == 0)
        return true;
    struct full_url *slot = full_url_find(urls, entry->full_url);
    if (slot->url.len > 0)
        return entry_fails(op, ERR_INVALID, "fullUrl", "another entry has the same fullUrl");
    struct slice reference = op->is_conditional ? SLICE("") : entry_reference(call, op);
    *slot = (struct full_url){ entry->full_url, reference, op->index };
    return true;
}

/* --- transactions --------------------------------------------------------------------------- */

static unsigned rank_of(const struct ingest_op *op)
{
    switch (op->route.interaction) {
    case FHIR_DO_DELETE:
    case FHIR_DO_CONDITIONAL_DELETE:
        return 0;
    case FHIR_DO_CREATE:
        return 1;
    case FHIR_DO_UPDATE:
    case FHIR_DO_PATCH:
    case FHIR_DO_CONDITIONAL_UPDATE:
        return 2;
    case FHIR_DO_CAPABILITIES:
    case FHIR_DO_BUNDLE:
    case FHIR_DO_READ:
    case FHIR_DO_VREAD:
    case FHIR_DO_HISTORY:
    case FHIR_DO_HISTORY_TYPE:
    case FHIR_DO_HISTORY_SYSTEM:
    case FHIR_DO_SEARCH:
    case FHIR_DO_OPERATION:
    case FHIR_DO_OPTIONS:
        return 3;
    }
    return 3;
}

/* A stable counting sort by rank. */
static bool order_ops(struct ingest_work *work, struct arena *arena, struct err *err)
{
    struct ingest_op *sorted = arena_alloc_raw(arena, sizeof *sorted * work->op_count);
    if (sorted == NULL)
        return err_fail(err, ERR_TOO_LARGE, "Bundle", "the request needs too much memory");
    unsigned used = 0;
    for (unsigned rank = 0; rank <= 3; rank++)
        for (unsigned i = 0; i < work->op_count; i++)
            if (rank_of(&work->ops[i]) == rank)
                sorted[used++] = work->ops[i];
    work->ops = sorted;
    return true;
}

bool op_fail_bundle(const struct ingest_op *op, struct err *err)
{
    const struct err *fault = &op->answer.err;
    if (strncmp(fault->where, "Bundle.", 7) == 0) {
        *err = *fault;
        return false;
    }
    char where[sizeof err->where];
    snprintf(where, sizeof where, "Bundle.entry[%u]%s%.120s", op->index,
             fault->where[0] != '\0' ? "." : "", fault->where);
    return err_fail(err, fault->code, where, "%s", fault->what);
}

static bool entries_are_sound(const struct ingest_work *work, struct err *err)
{
    for (unsigned i = 0; i < work->op_count; i++)
        if (work->ops[i].answer.err.code != ERR_OK)
            return op_fail_bundle(&work->ops[i], err);
    return true;
}

static bool entries_prepare(struct ingest_call *call, const struct fhir_bundle *bundle,
                            const unsigned *places, struct err *err)
{
    struct ingest_work *work = call->work;
    struct full_urls *urls = full_urls_new(bundle->count, call->arena, err);
    if (urls == NULL)
        return false;
    urls->is_batch = !work->is_transaction;
    int64_t key =
        bundle->count > 0 ? store_key_reserve(call->ingest->settings.store, bundle->count) : 0;
    for (unsigned i = 0; i < bundle->count; i++) {
        struct ingest_op *op = &work->ops[i];
        op->index = places != NULL ? places[i] : i;
        entry_number(call, op, key + (int64_t)i);
        if (entry_read(call, &bundle->entries[i], op) &&
            entry_register(call, urls, &bundle->entries[i], op))
            op->answer.err.code = ERR_OK;
    }
    work->is_deferred = work->is_transaction && bundle_must_wait(work);
    work->urls = urls;
    for (unsigned i = 0; i < bundle->count && !work->is_deferred; i++)
        if (work->ops[i].answer.err.code == ERR_OK && work->ops[i].resource != NULL)
            entry_rewrite(call, urls, &work->ops[i]);
    if (arena_overflowed(call->arena))
        return err_fail(err, ERR_TOO_LARGE, "Bundle", "the request needs too much memory");
    return true;
}

bool bundle_take(struct ingest_call *call, const struct fhir_bundle *bundle, const unsigned *places,
                 struct err *err)
{
    struct ingest_work *work = call->work;
    work->is_bundle = true;
    work->is_transaction = bundle->type != BUNDLE_BATCH;
    work->op_count = bundle->count;
    work->ops = ARENA_ARRAY(call->arena, struct ingest_op, bundle->count + 1);
    if (work->ops == NULL)
        return err_fail(err, ERR_TOO_LARGE, "Bundle", "the request needs too much memory");
    if (!entries_prepare(call, bundle, places, err))
        return false;
    if (!work->is_transaction)
        return true;
    return entries_are_sound(work, err) && check_identities(call, err) &&
           order_ops(work, call->arena, err);
}

bool bundle_prepare(struct ingest_call *call, struct err *err)
{
    struct fhir_bundle bundle;
    if (!fhir_read_bundle(call->request->body, call->ingest->settings.bundle_entries_max,
                          call->arena, &bundle, err))
        return false;
    if (bundle.type == BUNDLE_MESSAGE)
        return err_fail(err, ERR_UNSUPPORTED, "Bundle.type",
                        "a message is sent to " FHIR_PROCESS_MESSAGE);
    if (bundle.type != BUNDLE_TRANSACTION && bundle.type != BUNDLE_BATCH)
        return err_fail(err, ERR_UNSUPPORTED, "Bundle.type",
                        "only Bundles of type transaction or batch are taken here");
    return bundle_take(call, &bundle, NULL, err);
}
