/* ingest/bundle_resolve.c -- references between the entries of a Bundle, and on the lane what only
 * the store can tell: which resources conditional entries and conditional references mean.
 *
 * Rules     every condition is judged by what was stored before the transaction (A4.4, A4.6); a
 *           conditional reference may also mean a resource that the transaction writes.
 */
#include <stdio.h>

#include "ingest/bundle_int.h"

/* --- fullUrls -------------------------------------------------------------------------------- */

struct full_url *full_url_find(const struct full_urls *urls, struct slice url)
{
    unsigned at = (unsigned)(table_hash(url) & (urls->slot_count - 1));
    while (urls->slots[at].url.len > 0 && !slice_eq(urls->slots[at].url, url))
        at = (at + 1) & (urls->slot_count - 1);
    return &urls->slots[at];
}

struct full_urls *full_urls_new(unsigned count, struct arena *arena, struct err *err)
{
    struct full_urls *urls = ARENA_NEW(arena, struct full_urls);
    if (urls != NULL) {
        urls->slot_count = 16;
        while (urls->slot_count < count * 2)
            urls->slot_count *= 2;
        urls->slots = ARENA_ARRAY(arena, struct full_url, urls->slot_count);
    }
    if (urls == NULL || urls->slots == NULL) {
        err_fail(err, ERR_TOO_LARGE, "Bundle", "the request needs too much memory");
        return NULL;
    }
    return urls;
}

/* "Patient?identifier=system|value": a type, then a query. */
static bool is_conditional_reference(struct slice value)
{
    struct slice rest = value, type = slice_take_until(&rest, '?');
    return type.len < value.len && fhir_type_of(type) != FHIR_NONE;
}

bool has_conditional_reference(const struct fhir_resource *resource)
{
    for (unsigned i = 0; i < resource->patch_count; i++)
        if (is_conditional_reference(resource->patches[i].value))
            return true;
    return false;
}

bool bundle_must_wait(const struct ingest_work *work)
{
    for (unsigned i = 0; i < work->op_count; i++) {
        const struct ingest_op *op = &work->ops[i];
        if (op->is_conditional || (op->resource != NULL && has_conditional_reference(op->resource)))
            return true;
    }
    return false;
}

bool check_identities(struct ingest_call *call, struct err *err)
{
    struct ingest_work *work = call->work;
    struct full_urls *seen = full_urls_new(work->op_count, call->arena, err);
    if (seen == NULL)
        return false;
    for (unsigned i = 0; i < work->op_count; i++) {
        const struct ingest_op *op = &work->ops[i];
        bool is_named = op->route.interaction == FHIR_DO_UPDATE ||
                        op->route.interaction == FHIR_DO_DELETE || op->is_conditional;
        struct slice name = op->is_conditional ? op->meant
                            : is_named         ? entry_reference(call, op)
                                               : SLICE("");
        if (name.len == 0)
            continue;
        struct full_url *slot = full_url_find(seen, name);
        char where[48];
        snprintf(where, sizeof where, "Bundle.entry[%u].request.url", op->index);
        if (slot->url.len > 0)
            return err_fail(err, ERR_INVALID, where,
                            "entry %u of this transaction writes the same resource", slot->entry);
        *slot = (struct full_url){ name, name, op->index };
    }
    return true;
}

/* --- conditional references ------------------------------------------------------------------ */

struct bundle_resolver {
    struct ingest_call *call;
    struct patient_set *set;
    struct ingest_op *op; /* whose references are being rewritten */
    bool is_failed;       /* the store */
    struct err err;
};

/* How many resources that this transaction writes fit; *out is the reference to the last. */
static bool match_entries(struct bundle_resolver *resolver, const struct fhir_search *search,
                          unsigned *count, struct slice *out)
{
    struct ingest_work *work = resolver->call->work;
    const struct tenant *tenant = &work->tenant->tenant;
    const struct fhir_search_bases bases = { tenant->base_urls, tenant->base_url_count };
    for (unsigned i = 0; i < work->op_count; i++) {
        const struct ingest_op *op = &work->ops[i];
        bool is_match;
        if (op->resource == NULL || op->route.type != search->type || op->finds > 0)
            continue;
        struct slice name = op->is_conditional ? op->meant : entry_reference(resolver->call, op);
        struct slice id = name;
        slice_take_until(&id, '/');
        struct fhir_candidate candidate = { id, resolver->call->now_ms, op->resource->source };
        if (!fhir_search_matches(search, &candidate, &bases, resolver->call->arena, &is_match,
                                 &resolver->err))
            return false;
        if (is_match) {
            *out = name;
            ++*count;
        }
    }
    return true;
}

static struct slice key_reference(struct bundle_resolver *resolver, enum fhir_type type,
                                  int64_t key, struct err *err)
{
    struct store_resource row;
    struct arena *arena = resolver->call->arena;
    bool found;
    if (!store_resource_get(resolver->set->tx, key, false, arena, &row, &found, err) || !found)
        return SLICE("");
    return arena_format(arena, "%s/%.*s", fhir_type_name(type),
                        SLICE_ARGS(resource_id_of(resolver->call->ingest, &row, arena)));
}

static struct slice resolve_reference(struct bundle_resolver *resolver, struct slice value)
{
    struct slice query = value, type = slice_take_until(&query, '?'), reference = SLICE("");
    struct ingest_op wanted = { .route = { .type = fhir_type_of(type) } };
    const struct tenant *tenant = &resolver->call->work->tenant->tenant;
    const struct fhir_search_bases bases = { tenant->base_urls, tenant->base_url_count };
    struct fhir_search search;
    struct err unused;
    int64_t key;
    unsigned count;
    if (!search_resolve(resolver->call, &wanted, query, resolver->set, &key, &count,
                        &resolver->err)) {
        resolver->is_failed = true;
        return reference;
    }
    if (wanted.answer.err.code != ERR_OK) {
        resolver->op->answer.err = wanted.answer.err;
        return reference;
    }
    if (count == 1)
        reference = key_reference(resolver, wanted.route.type, key, &resolver->err);
    if (!fhir_search_parse(wanted.route.type, query, true, &bases, resolver->call->arena, &search,
                           &unused) ||
        !match_entries(resolver, &search, &count, &reference)) {
        resolver->is_failed = true;
        return reference;
    }
    if (count != 1)
        entry_fails(resolver->op, count == 0 ? ERR_PRECONDITION : ERR_MULTIPLE, "resource",
                    count == 0 ? "a conditional reference fits no resource"
                               : "a conditional reference fits more than one resource");
    return reference;
}

/* --- rewriting ------------------------------------------------------------------------------- */

static struct slice lookup(void *ctx, struct slice value)
{
    struct full_urls *urls = ctx;
    if (is_conditional_reference(value)) {
        if (urls->resolver != NULL)
            return resolve_reference(urls->resolver, value);
        urls->saw_condition = true;
        return SLICE("");
    }
    const struct full_url *found = full_url_find(urls, value);
    if (found->url.len == 0) {
        urls->saw_unknown_urn |= slice_starts(value, SLICE("urn:uuid:"));
        return SLICE("");
    }
    if (urls->is_batch && found->entry != urls->self) {
        urls->saw_other = true;
        return SLICE("");
    }
    return found->reference;
}

static const char *fault_of(const struct full_urls *urls)
{
    if (urls->saw_other)
        return "entries of a batch are independent and may not refer to each other";
    if (urls->saw_condition)
        return "conditional references are resolved in a transaction only";
    if (urls->saw_unknown_urn)
        return "a urn:uuid reference names no entry of this Bundle";
    return NULL;
}

void entry_rewrite(struct ingest_call *call, struct full_urls *urls, struct ingest_op *op)
{
    urls->self = op->index;
    urls->saw_other = urls->saw_unknown_urn = urls->saw_condition = false;
    op->answer.err.code = ERR_OK;
    if (!fhir_rewrite(op->resource, lookup, urls, call->arena, &op->answer.err) ||
        op->answer.err.code != ERR_OK)
        return;
    const char *fault = fault_of(urls);
    if (fault != NULL) {
        entry_fails(op, ERR_INVALID, "resource", fault);
        return;
    }
    if (op_prepare(call, op, &op->answer.err))
        op->answer.err.code = ERR_OK;
}

/* --- on the lane ----------------------------------------------------------------------------- */

static struct slice meant_when_new(struct ingest_call *call, const struct ingest_op *op)
{
    const char *type = fhir_type_name(op->route.type);
    if (op->route.interaction == FHIR_DO_CONDITIONAL_DELETE)
        return SLICE("");
    bool brings_id =
        op->route.interaction == FHIR_DO_CONDITIONAL_UPDATE && op->resource->id.len > 0;
    return brings_id ? arena_format(call->arena, "%s/%.*s", type, SLICE_ARGS(op->resource->id))
                     : arena_format(call->arena, "%s/%s", type, op->new_id);
}

static bool resolve_entry(struct bundle_resolver *resolver, struct ingest_op *op, struct err *err)
{
    struct ingest_call *call = resolver->call;
    struct slice query = op->if_none_exist.len > 0 ? op->if_none_exist : op->query;
    if (query.len > 0 && query.at[0] == '?')
        query = slice_skip(query, 1);
    if (!search_resolve(call, op, query, resolver->set, &op->found_key, &op->finds, err))
        return false;
    if (op->answer.err.code != ERR_OK)
        return true;
    if (op->finds > 1)
        return op_refuse(op, ERR_MULTIPLE, "request", "more than one resource fits the condition");
    op->is_resolved = true;
    op->meant = op->finds == 1 ? key_reference(resolver, op->route.type, op->found_key, err)
                               : meant_when_new(call, op);
    if (op->full_url.len > 0)
        full_url_find(call->work->urls, op->full_url)->reference = op->meant;
    return true;
}

/* Two entries with one condition that nothing fits would both create. */
static bool conditions_differ(const struct ingest_work *work, struct err *err)
{
    for (unsigned i = 0; i < work->op_count; i++) {
        const struct ingest_op *a = &work->ops[i];
        for (unsigned k = i + 1; a->if_none_exist.len > 0 && k < work->op_count; k++) {
            const struct ingest_op *b = &work->ops[k];
            char where[48];
            if (b->route.type != a->route.type || !slice_eq(a->if_none_exist, b->if_none_exist))
                continue;
            snprintf(where, sizeof where, "Bundle.entry[%u].request.ifNoneExist", b->index);
            return err_fail(err, ERR_INVALID, where, "entry %u has the same condition", a->index);
        }
    }
    return true;
}

bool bundle_resolve(struct ingest_call *call, struct patient_set *set, struct err *err)
{
    struct ingest_work *work = call->work;
    struct bundle_resolver resolver = { .call = call, .set = set };
    if (!conditions_differ(work, err))
        return false;
    for (unsigned i = 0; i < work->op_count; i++) {
        if (work->ops[i].is_conditional && !resolve_entry(&resolver, &work->ops[i], err))
            return false;
        if (work->ops[i].answer.err.code != ERR_OK)
            return op_fail_bundle(&work->ops[i], err);
    }
    if (!check_identities(call, err))
        return false;
    work->urls->resolver = &resolver;
    for (unsigned i = 0; i < work->op_count; i++) {
        resolver.op = &work->ops[i];
        if (work->ops[i].resource != NULL)
            entry_rewrite(call, work->urls, &work->ops[i]);
        if (resolver.is_failed) {
            *err = resolver.err;
            return false;
        }
        if (work->ops[i].answer.err.code != ERR_OK)
            return op_fail_bundle(&work->ops[i], err);
    }
    work->urls->resolver = NULL;
    return true;
}
