/* ingest/search.c -- searches, and which resource a conditional request means.
 *
 * What      candidates come from an index where the query names one (ids, identifiers, a patient's
 *           own row) and else from the type in order of creation; fhir/search judges each by its
 *           bytes.  Pages go by key: what is created while a client turns pages is on none of them,
 *           and nothing comes twice.
 * Limits    a request looks at SEARCH_SCAN_MAX resources of a type at most: the writer runs here,
 *           and so a page of a search without an index may hold less than was asked and say "next".
 */
#include <stdlib.h>

#include "fhir/stamp.h"
#include "ingest/ingest_int.h"
#include "store/body.h"

#define SEARCH_SCAN_MAX 4096
#define SEARCH_SCAN_PAGE 128
#define SEARCH_KEYS_MAX 100000
#define SEARCH_SCRATCH_MAX ((size_t)64 * 1024 * 1024)

struct keys {
    int64_t *list;
    unsigned count, room;
};

struct finder {
    struct ingest_call *call;
    const struct fhir_search *search;
    struct fhir_shape shape;
    struct patient_set *set;
    struct fhir_search_bases bases;
    struct arena scratch;       /* of one candidate */
    struct keys keys;           /* candidates, or what has been found */
    struct fhir_match *matches; /* NULL: only keys are wanted */
    unsigned count, total, limit;
    int64_t last; /* key of the last match on the page */
    bool is_more, is_partial;
};

static int32_t tenant_of(const struct finder *finder)
{
    return finder->call->work->tenant->tenant.number;
}

static bool out_of_memory(struct err *err)
{
    return err_fail(err, ERR_TOO_COSTLY, "", "the search needs too much memory: ask for less");
}

static bool add_key(struct finder *finder, int64_t key, struct err *err)
{
    struct keys *keys = &finder->keys;
    if (keys->count == SEARCH_KEYS_MAX)
        return out_of_memory(err);
    if (keys->count == keys->room) {
        unsigned room = keys->room == 0 ? 64 : keys->room * 2;
        int64_t *list = arena_alloc_raw(finder->call->arena, sizeof *list * room);
        if (list == NULL)
            return out_of_memory(err);
        if (keys->count > 0)
            memcpy(list, keys->list, sizeof *list * keys->count);
        keys->list = list;
        keys->room = room;
    }
    keys->list[keys->count++] = key;
    return true;
}

/* --- candidates by index --------------------------------------------------------------------- */

static bool keys_by_id(struct finder *finder, const struct fhir_criterion *criterion,
                       struct err *err)
{
    for (unsigned i = 0; i < criterion->count; i++) {
        int64_t key;
        bool found;
        if (!resource_key_of(finder->call->ingest, finder->set->tx, tenant_of(finder),
                             finder->search->type, criterion->alternatives[i].code, &key, &found,
                             err))
            return false;
        if (found && !add_key(finder, key, err))
            return false;
    }
    return true;
}

static bool identifier_keys(struct finder *finder, enum fhir_type type,
                            const struct fhir_alternative *wanted, int64_t keys[], unsigned max,
                            unsigned *count, struct err *err)
{
    struct slice identifier = arena_format(finder->call->arena, "%.*s|%.*s",
                                           SLICE_ARGS(wanted->system), SLICE_ARGS(wanted->code));
    if (is_mentioned_type(type))
        return store_mention_find(finder->set->tx,
                                  store_mention_hash(tenant_of(finder), type, identifier), keys,
                                  max, count, err);
    return store_identifier_find(finder->set->tx, tenant_of(finder), type, identifier, keys, max,
                                 count, err);
}

static bool keys_by_identifier(struct finder *finder, const struct fhir_criterion *criterion,
                               struct err *err)
{
    int64_t keys[FHIR_COUNT_MAX];
    for (unsigned i = 0; i < criterion->count; i++) {
        unsigned count;
        if (!identifier_keys(finder, finder->search->type, &criterion->alternatives[i], keys,
                             COUNT_OF(keys), &count, err))
            return false;
        for (unsigned k = 0; k < count; k++)
            if (!add_key(finder, keys[k], err))
                return false;
    }
    return true;
}

static bool keys_of_patient(struct finder *finder, struct slice name, struct err *err)
{
    struct patient_work *patient;
    if (!patient_touch(finder->set, name, false, &patient, err))
        return false;
    for (unsigned i = 0; patient != NULL && i < patient->state.count; i++)
        if (patient->state.entries[i].type == finder->search->type &&
            !add_key(finder, patient->state.entries[i].resource_key, err))
            return false;
    return true;
}

/* Patients that carry the identifier, and the one that resources name by nothing else. */
static bool keys_of_identified(struct finder *finder, const struct fhir_alternative *wanted,
                               struct err *err)
{
    struct arena *arena = finder->call->arena;
    int64_t keys[16];
    unsigned count;
    if (!identifier_keys(finder, FHIR_PATIENT, wanted, keys, COUNT_OF(keys), &count, err))
        return false;
    for (unsigned i = 0; i < count; i++) {
        struct store_resource row;
        bool found;
        if (!store_resource_get(finder->set->tx, keys[i], false, arena, &row, &found, err))
            return false;
        struct slice name = arena_format(
            arena, "Patient/%.*s", SLICE_ARGS(resource_id_of(finder->call->ingest, &row, arena)));
        if (found && !keys_of_patient(finder, name, err))
            return false;
    }
    return keys_of_patient(finder,
                           arena_format(arena, "identifier %.*s|%.*s", SLICE_ARGS(wanted->system),
                                        SLICE_ARGS(wanted->code)),
                           err);
}

static bool keys_by_patient(struct finder *finder, const struct fhir_criterion *criterion,
                            struct err *err)
{
    for (unsigned i = 0; i < criterion->count; i++) {
        const struct fhir_alternative *wanted = &criterion->alternatives[i];
        if (criterion->by_patient_identifier) {
            if (!keys_of_identified(finder, wanted, err))
                return false;
            continue;
        }
        bool has_type = memchr(wanted->code.at, '/', wanted->code.len) != NULL;
        struct slice name =
            has_type ? wanted->code
                     : arena_format(finder->call->arena, "Patient/%.*s", SLICE_ARGS(wanted->code));
        if (!keys_of_patient(finder, name, err))
            return false;
    }
    return true;
}

static int by_key(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void sort_keys(struct keys *keys)
{
    if (keys->count == 0)
        return;
    qsort(keys->list, keys->count, sizeof keys->list[0], by_key);
    unsigned kept = 1;
    for (unsigned i = 1; i < keys->count; i++)
        if (keys->list[i] != keys->list[kept - 1])
            keys->list[kept++] = keys->list[i];
    keys->count = kept;
}

/* --- judging --------------------------------------------------------------------------------- */

static bool add_match(struct finder *finder, const struct store_resource *row, struct slice id,
                      struct slice body, struct err *err)
{
    struct arena *arena = finder->call->arena;
    struct fhir_match *match = &finder->matches[finder->count++];
    finder->last = row->key;
    match->full_url = arena_format(arena, "%s/%s/%.*s", finder->call->ingest->settings.base_url,
                                   fhir_type_name(row->type), SLICE_ARGS(id));
    match->mode = "match";
    struct slice whole;
    return fhir_stamp(body, id, row->version, row->updated_ms, arena, &whole, err) &&
           fhir_shape_apply(&finder->shape, row->type, whole, arena, &match->resource, err);
}

/* What comes before the page counts in the total only. */
static bool keep(struct finder *finder, const struct store_resource *row, struct slice id,
                 struct slice body, struct err *err)
{
    const struct fhir_search *search = finder->search;
    finder->total++;
    if (finder->matches == NULL)
        return add_key(finder, row->key, err);
    if (row->key <= search->after || (search->until > 0 && row->key > search->until))
        return true;
    if (finder->count == finder->limit) {
        finder->is_more = finder->limit > 0; /* a count goes on to the end */
        return true;
    }
    return add_match(finder, row, id, body, err);
}

static bool judge(struct finder *finder, const struct store_resource *row, struct err *err)
{
    struct slice body;
    bool is_match;
    if (row->is_deleted || row->type != finder->search->type || row->tenant != tenant_of(finder))
        return true;
    struct slice id = resource_id_of(finder->call->ingest, row, &finder->scratch);
    if (!body_unpack(row->body, &finder->scratch, &body, err))
        return false;
    struct fhir_candidate candidate = { id, row->updated_ms, body };
    return fhir_search_matches(finder->search, &candidate, &finder->bases, &finder->scratch,
                               &is_match, err) &&
           (!is_match || keep(finder, row, id, body, err));
}

static bool judge_keys(struct finder *finder, struct err *err)
{
    struct keys candidates = finder->keys;
    finder->keys = (struct keys){ .count = 0 };
    for (unsigned i = 0; i < candidates.count; i++) {
        struct store_resource row;
        bool found;
        arena_reset(&finder->scratch);
        if (!store_resource_get(finder->set->tx, candidates.list[i], true, &finder->scratch, &row,
                                &found, err) ||
            (found && !judge(finder, &row, err)))
            return false;
    }
    return true;
}

/* The type in order of creation, until the page is full or enough has been looked at. */
static bool judge_type(struct finder *finder, struct err *err)
{
    int64_t after = finder->search->after;
    for (unsigned seen = 0; seen < SEARCH_SCAN_MAX;) {
        struct store_resource *rows;
        unsigned count;
        arena_reset(&finder->scratch);
        if (!store_resource_scan(finder->set->tx, tenant_of(finder), finder->search->type, after,
                                 SEARCH_SCAN_PAGE, &finder->scratch, &rows, &count, err))
            return false;
        for (unsigned i = 0; i < count; i++) {
            if (!judge(finder, &rows[i], err))
                return false;
            if (finder->is_more)
                return true;
        }
        if (count < SEARCH_SCAN_PAGE)
            return true;
        after = rows[count - 1].key;
        seen += count;
    }
    finder->is_partial = finder->is_more = true;
    finder->last = after;
    return true;
}

static bool find(struct finder *finder, struct err *err)
{
    const struct fhir_criterion *by;
    enum fhir_anchor anchor = fhir_search_anchor(finder->search, &by);
    bool is_found = false;
    arena_init(&finder->scratch, SEARCH_SCRATCH_MAX);
    switch (anchor) {
    case ANCHOR_NONE:
        is_found = judge_type(finder, err);
        break;
    case ANCHOR_ID:
        is_found = keys_by_id(finder, by, err);
        break;
    case ANCHOR_IDENTIFIER:
        is_found = keys_by_identifier(finder, by, err);
        break;
    case ANCHOR_PATIENT:
        is_found = keys_by_patient(finder, by, err);
        break;
    }
    if (is_found && anchor != ANCHOR_NONE) {
        sort_keys(&finder->keys);
        is_found = judge_keys(finder, err);
    }
    arena_fini(&finder->scratch);
    return is_found;
}

static struct finder finder_of(struct ingest_call *call, const struct fhir_search *search,
                               struct patient_set *set)
{
    const struct tenant *tenant = &call->work->tenant->tenant;
    return (struct finder){ .call = call,
                            .search = search,
                            .set = set,
                            .bases = { tenant->base_urls, tenant->base_url_count } };
}

/* --- what a conditional request means -------------------------------------------------------- */

bool search_resolve(struct ingest_call *call, struct ingest_op *op, struct slice query,
                    struct patient_set *set, int64_t *key, unsigned *count, struct err *err)
{
    struct fhir_search search;
    const struct fhir_criterion *by;
    struct finder finder = finder_of(call, &search, set);
    *count = 0;
    if (!fhir_search_parse(op->route.type, query, true, &finder.bases, call->arena, &search,
                           &op->answer.err))
        return true;
    op->answer.err.code = ERR_OK;
    if (fhir_search_anchor(&search, &by) == ANCHOR_NONE)
        return op_refuse(op, ERR_UNSUPPORTED, "",
                         "a condition needs identifier=system|value, patient or _id among its "
                         "parameters");
    if (!find(&finder, err))
        return false;
    *count = finder.keys.count;
    if (*count > 0)
        *key = finder.keys.list[0];
    return true;
}

/* --- the answer to a search ------------------------------------------------------------------ */

static const char ignored_text[] =
    "A search parameter that is not offered was passed over; the self link shows what was used, "
    "and /metadata what is offered.";

/* The Medications that matches refer to, once each. */
static bool add_included(struct finder *finder, unsigned *included, struct err *err)
{
    unsigned matches = finder->count;
    struct keys seen = { .count = 0 };
    finder->keys = seen;
    for (unsigned i = 0; i < matches; i++) {
        struct fhir_resource order;
        struct store_resource row;
        struct slice body;
        struct err unread;
        int64_t key;
        bool found;
        if (!fhir_read(finder->matches[i].resource, FHIR_MEDICATION_REQUEST, finder->call->arena,
                       &order, &unread))
            continue;
        struct slice local = fhir_local_reference(order.event.medication_reference,
                                                  finder->bases.urls, finder->bases.count);
        struct slice type = slice_take_until(&local, '/');
        if (!slice_is(type, "Medication"))
            continue;
        if (!resource_key_of(finder->call->ingest, finder->set->tx, tenant_of(finder),
                             FHIR_MEDICATION, local, &key, &found, err))
            return false;
        for (unsigned k = 0; found && k < finder->keys.count; k++)
            found = finder->keys.list[k] != key;
        if (!found)
            continue;
        if (!add_key(finder, key, err) ||
            !store_resource_get(finder->set->tx, key, true, finder->call->arena, &row, &found, err))
            return false;
        if (!found || row.is_deleted)
            continue;
        if (!body_unpack(row.body, finder->call->arena, &body, err) ||
            !add_match(finder, &row,
                       resource_id_of(finder->call->ingest, &row, finder->call->arena), body, err))
            return false;
        finder->matches[finder->count - 1].mode = "include";
    }
    *included = finder->count - matches;
    return true;
}

static struct slice link_of(struct finder *finder, struct slice used, bool is_next, int64_t last)
{
    struct arena *arena = finder->call->arena;
    const char *base = finder->call->ingest->settings.base_url;
    const char *type = fhir_type_name(finder->search->type);
    int64_t until = finder->search->until;
    if (!is_next)
        return arena_format(arena, "%s/%s%s%.*s", base, type, used.len > 0 ? "?" : "",
                            SLICE_ARGS(used));
    if (until == 0)
        until = store_key_reserve(finder->call->ingest->settings.store, 1);
    return arena_format(arena, "%s/%s?%.*s%s_page=%.*s", base, type, SLICE_ARGS(used),
                        used.len > 0 ? "&" : "",
                        SLICE_ARGS(fhir_search_page_format(last, until, arena)));
}

static bool write_page(struct finder *finder, struct ingest_op *op, struct err *err)
{
    const struct fhir_search *search = finder->search;
    const struct fhir_criterion *by;
    struct buffer *scratch = &finder->call->ingest->lane_buffer;
    int64_t last = finder->last;
    unsigned included = 0;
    bool is_scan = fhir_search_anchor(search, &by) == ANCHOR_NONE;
    if (search->include_medication && !add_included(finder, &included, err))
        return false;
    struct fhir_searchset set = {
        .self = link_of(finder, search->used, false, 0),
        .next = finder->is_more && search->count > 0 ? link_of(finder, search->used, true, last)
                                                     : SLICE(""),
        .matches = finder->matches,
        .count = finder->count,
        .total = finder->total,
        .has_total = !is_scan || (!finder->is_more && search->after == 0),
        .warning = search->ignored.len > 0 ? ignored_text : NULL,
    };
    buffer_reset(scratch);
    fhir_write_searchset(&set, scratch);
    op->answer.resource = arena_copy(finder->call->arena, buffer_slice(scratch));
    op->answer.status = 200;
    if (buffer_overflowed(scratch) || arena_overflowed(finder->call->arena))
        return err_fail(err, ERR_TOO_COSTLY, "", "the answer is too large: ask for less");
    return true;
}

bool op_search(struct ingest_call *call, struct ingest_op *op, struct patient_set *set,
               struct err *err)
{
    struct fhir_search search;
    struct finder finder = finder_of(call, &search, set);
    op->action = "search";
    if (!fhir_search_parse(op->route.type, op->query, call->work->is_strict, &finder.bases,
                           call->arena, &search, &op->answer.err)) {
        if (op->answer.err.code == ERR_UNSUPPORTED) /* A5.7 wants 400 of a strict search */
            op->answer.err.code = ERR_INVALID;
        return true;
    }
    op->answer.err.code = ERR_OK;
    finder.shape = op->shape;
    bool is_count = op->shape.summary == SUMMARY_COUNT;
    if (is_count)
        search.count = 0;
    finder.limit = search.count;
    /* As many Medications may be included as there are matches. */
    finder.matches = ARENA_ARRAY(call->arena, struct fhir_match, finder.limit * 2 + 1);
    if (finder.matches == NULL)
        return out_of_memory(err);
    if (!find(&finder, err))
        return false;
    if (is_count && finder.is_partial)
        return op_refuse(op, ERR_TOO_COSTLY, "_summary",
                         "there is too much to count without an index: name a patient");
    return write_page(&finder, op, err);
}
