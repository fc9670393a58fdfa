/* ingest/everything.c -- Patient/{id}/$everything: the patient, what is about the patient, and the
 * Medications that it refers to (checklist A5.9, A7.3).  Observations that no timeline keeps are
 * not among them.
 *
 * What      keys come from the patient's row in the store, so no type is looked through.  Pages go
 *           by key, like those of a search.
 */
#include <stdlib.h>

#include "base/date.h"
#include "domain/event.h"
#include "ingest/ingest_int.h"

struct everything {
    struct ingest_call *call;
    struct patient_set *set;
    uint64_t types; /* 1 << type; 0: all */
    uint32_t limit;
    int64_t since_ms, after, until;
    int64_t *keys;
    unsigned count, room;
};

static bool read_types(struct ingest_op *op, struct slice value, struct everything *all)
{
    while (value.len > 0) {
        enum fhir_type type = fhir_type_of(slice_take_until(&value, ','));
        if (type == FHIR_NONE)
            return !op_refuse(op, ERR_VALUE, "_type", "expected resource types of this server");
        all->types |= UINT64_C(1) << type;
    }
    return true;
}

static bool read_place(struct ingest_op *op, struct slice value, struct everything *all)
{
    char text[40], *end = text;
    if (value.len < sizeof text) {
        memcpy(text, value.at, value.len);
        text[value.len] = '\0';
        all->after = strtoll(text, &end, 16);
        if (*end == '-')
            all->until = strtoll(end + 1, &end, 16);
    }
    return (end > text && *end == '\0' && all->until > 0) ||
           !op_refuse(op, ERR_INVALID, "_page", "this is not a page of ours");
}

static bool read_query(struct ingest_call *call, struct ingest_op *op, struct everything *all)
{
    struct slice query = op->query, name, value;
    while (http_query_next(&query, call->arena, &name, &value)) {
        if (slice_is(name, "_count") && !read_number(value, &all->limit))
            return !op_refuse(op, ERR_INVALID, "_count", "expected a number");
        if (slice_is(name, "_since") && !instant_parse(value, &all->since_ms, &op->answer.err))
            return !op_refuse(op, ERR_INVALID, "_since", "expected an instant");
        if (slice_is(name, "_type") && !read_types(op, value, all))
            return false;
        if (slice_is(name, "_page") && !read_place(op, value, all))
            return false;
    }
    if (all->limit > FHIR_COUNT_MAX)
        all->limit = FHIR_COUNT_MAX;
    op->answer.err.code = ERR_OK;
    return true;
}

static void add(struct everything *all, int64_t key)
{
    if (all->count < all->room)
        all->keys[all->count++] = key;
}

/* The Medication that an event of the timeline refers to. */
static bool add_medication(struct everything *all, const struct state_entry *entry, struct err *err)
{
    struct event event;
    int64_t key;
    bool found;
    if (!fhir_type_is_timeline(entry->type))
        return true;
    if (!event_unpack(entry->packed, all->set->arena, &event, err))
        return false;
    struct slice id = event.medication_reference, type = slice_take_until(&id, '/');
    if (!slice_is(type, "Medication") || id.len == 0)
        return true;
    if (!resource_key_of(all->call->ingest, all->set->tx, all->set->tenant->tenant.number,
                         FHIR_MEDICATION, id, &key, &found, err))
        return false;
    if (found)
        add(all, key);
    return true;
}

static bool gather(struct everything *all, int64_t own_key, struct slice name, struct err *err)
{
    struct patient_work *patient;
    if (!patient_touch(all->set, name, false, &patient, err))
        return false;
    const struct state none = { .count = 0 }, *state = patient != NULL ? &patient->state : &none;
    all->room = state->count * 2 + 1;
    all->keys = arena_alloc_raw(all->set->arena, sizeof *all->keys * all->room);
    if (all->keys == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    add(all, own_key);
    for (unsigned i = 0; i < state->count; i++) {
        add(all, state->entries[i].resource_key);
        if (!add_medication(all, &state->entries[i], err))
            return false;
    }
    return true;
}

static int by_key(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static bool is_wanted(const struct everything *all, const struct store_resource *row)
{
    bool is_type = all->types == 0 || (all->types >> row->type & 1) != 0;
    return !row->is_deleted && row->tenant == all->set->tenant->tenant.number && is_type &&
           row->updated_ms >= all->since_ms;
}

static struct slice link_of(const struct everything *all, const struct ingest_op *op, int64_t after,
                            int64_t until)
{
    struct arena *arena = all->call->arena;
    struct slice query = op->query, name, value;
    struct slice url = arena_format(arena, "%s/Patient/%.*s/" FHIR_EVERYTHING,
                                    all->call->ingest->settings.base_url, SLICE_ARGS(op->route.id));
    char glue = '?', since[INSTANT_TEXT_SIZE];
    while (http_query_next(&query, arena, &name, &value)) {
        if (!slice_is(name, "_count") && !slice_is(name, "_since") && !slice_is(name, "_type"))
            continue;
        /* A number and names need no escapes; an instant may have a zone with a '+'. */
        if (slice_is(name, "_since"))
            value = slice_of(instant_format(all->since_ms, since));
        url = arena_format(arena, "%.*s%c%.*s=%.*s", SLICE_ARGS(url), glue, SLICE_ARGS(name),
                           SLICE_ARGS(value));
        glue = '&';
    }
    if (until == 0)
        return url;
    return arena_format(arena, "%.*s%c_page=%.*s", SLICE_ARGS(url), glue,
                        SLICE_ARGS(fhir_search_page_format(after, until, arena)));
}

static bool add_match(struct everything *all, const struct ingest_op *op,
                      const struct store_resource *row, struct fhir_match *match, struct err *err)
{
    struct ingest_call *call = all->call;
    struct store_resource whole;
    struct slice body, id = resource_id_of(call->ingest, row, call->arena);
    bool found;
    match->mode = row->type == FHIR_MEDICATION ? "include" : "match";
    match->full_url = arena_format(call->arena, "%s/%s/%.*s", call->ingest->settings.base_url,
                                   fhir_type_name(row->type), SLICE_ARGS(id));
    return store_resource_get(all->set->tx, row->key, true, call->arena, &whole, &found, err) &&
           resource_body(call->ingest, &whole, call->arena, &body, err) &&
           fhir_shape_apply(&op->shape, row->type, body, call->arena, &match->resource, err);
}

static bool write_page(struct everything *all, struct ingest_op *op, struct err *err)
{
    struct buffer *scratch = &all->call->ingest->lane_buffer;
    struct fhir_match *matches = ARENA_ARRAY(all->call->arena, struct fhir_match, all->limit + 1);
    struct fhir_searchset set = { .self = link_of(all, op, 0, 0), .matches = matches };
    int64_t last = all->after;
    set.has_total = all->until == 0;
    if (matches == NULL)
        return err_fail(err, ERR_TOO_COSTLY, "", "the answer is too large: ask for less");
    for (unsigned i = 0; i < all->count; i++) {
        struct store_resource row;
        bool found;
        int64_t key = all->keys[i];
        bool is_before = key <= all->after, is_behind = all->until > 0 && key > all->until;
        if ((i > 0 && key == all->keys[i - 1]) || is_before || is_behind)
            continue;
        if (!store_resource_get(all->set->tx, key, false, all->set->arena, &row, &found, err))
            return false;
        if (!found || !is_wanted(all, &row))
            continue;
        set.total++;
        if (set.count == all->limit) {
            if (set.next.len == 0 && all->limit > 0)
                set.next =
                    link_of(all, op, last, all->until > 0 ? all->until : all->keys[all->count - 1]);
            continue;
        }
        last = key;
        if (!add_match(all, op, &row, &matches[set.count++], err))
            return false;
    }
    buffer_reset(scratch);
    fhir_write_searchset(&set, scratch);
    op->answer.resource = arena_copy(all->call->arena, buffer_slice(scratch));
    op->answer.status = 200;
    return (!buffer_overflowed(scratch) && !arena_overflowed(all->call->arena)) ||
           err_fail(err, ERR_TOO_COSTLY, "", "the answer is too large: ask for less");
}

bool op_everything(struct ingest_call *call, struct ingest_op *op, struct patient_set *set,
                   struct err *err)
{
    struct everything all = {
        .call = call, .set = set, .limit = FHIR_COUNT_DEFAULT, .since_ms = INT64_MIN
    };
    struct store_resource row;
    int64_t key;
    bool found;
    op->action = "search";
    op->answer_id = op->route.id;
    if (!read_query(call, op, &all))
        return true;
    if (!resource_key_of(call->ingest, set->tx, set->tenant->tenant.number, FHIR_PATIENT,
                         op->route.id, &key, &found, err) ||
        (found && !store_resource_get(set->tx, key, false, call->arena, &row, &found, err)))
        return false;
    if (!found)
        return op_refuse(op, ERR_NOT_FOUND, "", "there is no such resource");
    if (row.is_deleted)
        return op_refuse(op, ERR_DELETED, "", "the resource has been deleted");
    struct slice name = arena_format(call->arena, "Patient/%.*s", SLICE_ARGS(op->route.id));
    if (!gather(&all, key, name, err))
        return false;
    qsort(all.keys, all.count, sizeof all.keys[0], by_key);
    return write_page(&all, op, err);
}
