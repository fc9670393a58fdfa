/* ingest/merge.c -- patients that were merged into another (Patient.link of type replaced-by).
 *
 * What a patient was sent stays with that patient; whoever survives is derived from the events of
 * all that were merged into it, and they themselves from nothing.  So a merge that is taken back
 * needs no special path.  Both sides know of it: the one that was replaced by its own Patient, the
 * survivor by a list of keys in its state, which are candidates: each is asked again.
 *
 * Postings move: where a destination holds the old patient's record at rest, it becomes the record
 * of the survivor, and is written with another subject; where that is not so, it ends, and the
 * survivor gets its own. */
#include "ingest/merge.h"

#include "plan/posted_pack.h"

#define HOPS_MAX 8

static bool survivor_of(const struct state *state, struct arena *arena, struct slice *out,
                        struct err *err)
{
    *out = SLICE("");
    for (unsigned i = 0; i < state->count; i++) {
        struct event event;
        if (state->entries[i].type != FHIR_PATIENT)
            continue;
        if (!event_unpack(state->entries[i].packed, arena, &event, err))
            return false;
        if (slice_starts(event.replaced_by, SLICE("Patient/")))
            *out = event.replaced_by;
    }
    return true;
}

/* --- who survives whom ----------------------------------------------------------------------- */

/* A ring of links names no survivor: then nobody is merged. */
static bool leads_back(struct patient_set *set, struct patient_work *from,
                       const struct patient_work *to, bool *out, struct err *err)
{
    *out = from == to;
    for (unsigned hop = 0; hop < HOPS_MAX && !*out && from != NULL; hop++) {
        struct slice name;
        if (!survivor_of(&from->state, set->arena, &name, err))
            return false;
        if (name.len == 0)
            return true;
        if (!patient_touch(set, name, false, &from, err))
            return false;
        *out = from == to;
    }
    return true;
}

static void remember(struct state *survivor, int64_t key)
{
    for (unsigned i = 0; i < survivor->merged_count; i++)
        if (survivor->merged[i] == key)
            return;
    if (survivor->merged_count < STATE_MERGED_MAX)
        survivor->merged[survivor->merged_count++] = key;
}

static bool link_one(struct patient_set *set, struct patient_work *patient, struct err *err)
{
    struct patient_work *survivor;
    struct slice name;
    bool is_ring = false;
    patient->is_merged = false;
    if (!survivor_of(&patient->state, set->arena, &name, err))
        return false;
    if (name.len == 0 || slice_eq(name, patient->name))
        return true;
    if (!patient_touch(set, name, true, &survivor, err) ||
        !leads_back(set, survivor, patient, &is_ring, err))
        return false;
    if (is_ring)
        return true;
    remember(&survivor->state, patient->key);
    for (unsigned i = 0; i < survivor->state.merged_count; i++)
        patient->is_merged |= survivor->state.merged[i] == patient->key;
    survivor->is_dirty = true;
    return true;
}

bool merge_link(struct patient_set *set, struct err *err)
{
    /* Survivors that come in are at the end of the list, so they have their turn. */
    for (struct patient_work *patient = set->first; patient != NULL; patient = patient->next)
        if (patient->is_dirty && !link_one(set, patient, err))
            return false;
    return true;
}

bool merge_left(struct patient_set *set, const struct state_entry *old, const struct event *event,
                struct err *err)
{
    struct patient_work *survivor = NULL;
    struct event before;
    if (!event_unpack(old->packed, set->arena, &before, err))
        return false;
    if (before.replaced_by.len == 0 || slice_eq(before.replaced_by, event->replaced_by))
        return true;
    if (!patient_touch(set, before.replaced_by, false, &survivor, err))
        return false;
    if (survivor != NULL)
        survivor->is_dirty = true;
    return true;
}

/* --- of whom a patient is made --------------------------------------------------------------- */

struct gatherer {
    struct merge_from from;
    struct merged *out;
};

static bool load(const struct merge_from *from, int64_t key, struct slice *name,
                 const struct state **state, struct err *err)
{
    struct patient_work *patient;
    struct state *own;
    struct slice row;
    int32_t tenant;
    bool found;
    *state = NULL;
    if (!store_patient_name(from->tx, key, from->arena, &tenant, name, &found, err))
        return false;
    if (!found)
        return true;
    if (from->set != NULL) {
        if (!patient_touch_key(from->set, key, *name, &patient, err))
            return false;
        *state = &patient->state;
        return true;
    }
    own = ARENA_NEW(from->arena, struct state);
    *state = own;
    return own != NULL && store_patient_load(from->tx, key, from->arena, &row, err) &&
           state_read(row, from->arena, own, err);
}

static bool gather(struct gatherer *gatherer, struct slice name, const struct state *state,
                   struct err *err)
{
    struct merged *out = gatherer->out;
    out->states[out->count] = state;
    out->names[out->count++] = name;
    for (unsigned i = 0; i < state->merged_count && out->count < MERGE_STATES_MAX; i++) {
        const struct state *other;
        struct slice other_name, survivor = SLICE("");
        bool is_known = false;
        if (!load(&gatherer->from, state->merged[i], &other_name, &other, err))
            return false;
        if (other == NULL)
            continue;
        if (!survivor_of(other, gatherer->from.arena, &survivor, err))
            return false;
        for (unsigned k = 0; k < out->count; k++)
            is_known |= slice_eq(out->names[k], other_name);
        if (!is_known && slice_eq(survivor, name) && !gather(gatherer, other_name, other, err))
            return false;
    }
    return true;
}

bool merge_gather(const struct merge_from *from, struct slice name, const struct state *state,
                  struct merged *out, struct err *err)
{
    struct gatherer gatherer = { .from = *from, .out = out };
    out->count = 0;
    return gather(&gatherer, name, state, err);
}

bool merge_events(struct ingest *ingest, const struct merged *merged, struct arena *arena,
                  struct event **out, size_t *count, struct err *err)
{
    if (merged->count == 1)
        return patient_events(ingest, merged->states[0], arena, out, count, err);
    size_t room = 1, used = 0;
    for (unsigned i = 0; i < merged->count; i++)
        room += merged->states[i]->count;
    struct event *all = arena_alloc_raw(arena, sizeof *all * room);
    if (all == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    for (unsigned i = 0; i < merged->count; i++) {
        struct event *own;
        size_t own_count;
        if (!patient_events(ingest, merged->states[i], arena, &own, &own_count, err))
            return false;
        for (size_t k = 0; k < own_count; k++)
            if (i == 0 || own[k].type != FHIR_PATIENT) /* who survives says who is who */
                all[used++] = own[k];
    }
    *out = all;
    *count = used;
    return true;
}

/* --- postings move --------------------------------------------------------------------------- */

static bool is_at_rest(const struct outbox_row *row)
{
    static const struct sha256 nothing;
    return row->state == OUTBOX_SETTLED &&
           (row->target_id.len > 0 || sha256_equal(&row->held, &nothing));
}

static bool find_row(struct patient_set *set, unsigned destination, const char *identity,
                     struct outbox_row *row, bool *found, struct err *err)
{
    return store_outbox_find(set->tx, set->tenant->tenant.number,
                             set->tenant->destinations[destination].name, slice_of(identity),
                             set->arena, row, found, err);
}

/* Everywhere, or nowhere: the old patient forgets the posting as a whole. */
static bool may_move(struct patient_set *set, const char *old, const char *new, bool *out,
                     struct err *err)
{
    struct outbox_row from, to;
    bool has_from, has_to;
    *out = true;
    for (unsigned i = 0; i < set->tenant->destination_count && *out; i++) {
        if (!find_row(set, i, old, &from, &has_from, err) ||
            !find_row(set, i, new, &to, &has_to, err))
            return false;
        bool is_new = has_to && to.revision == 1 && to.state == OUTBOX_PENDING;
        *out = !has_from || (is_at_rest(&from) && (from.target_id.len == 0 || is_new));
    }
    return true;
}

/* Nothing is wanted by the old row, so that whatever is wanted by it again is news. */
static bool leave_row(struct patient_set *set, unsigned destination, struct outbox_row *row,
                      const char *identity, struct err *err)
{
    bool found = false;
    row->wish = WISH_INACTIVE;
    row->wanted = sha256_of_one(SLICE("moved"));
    row->state = OUTBOX_PENDING;
    row->due_ms = row->changed_ms = set->now_ms;
    if (!store_outbox_want(set->tx, row, err) ||
        !find_row(set, destination, identity, row, &found, err))
        return false;
    CHECK(found);
    row->state = OUTBOX_SETTLED;
    row->target_id = row->target_etag = SLICE("");
    row->held = (struct sha256){ { 0 } };
    row->last_error = SLICE("moved");
    return store_outbox_settle(set->tx, row, err);
}

static bool move_row(struct patient_set *set, unsigned destination, const char *old,
                     const char *new, struct err *err)
{
    struct outbox_row from, to;
    bool has_from, has_to;
    if (!find_row(set, destination, old, &from, &has_from, err) ||
        !find_row(set, destination, new, &to, &has_to, err))
        return false;
    if (!has_from || from.target_id.len == 0 || !has_to)
        return true;
    to.target_id = from.target_id;
    to.target_etag = from.target_etag;
    to.held = from.held;
    return store_outbox_settle(set->tx, &to, err) && leave_row(set, destination, &from, old, err);
}

static bool forget(struct patient_set *set, struct patient_work *patient, struct posted *list,
                   unsigned count, unsigned at, struct err *err)
{
    struct buffer *scratch = &set->ingest->lane_buffer;
    memmove(&list[at], &list[at + 1], (count - at - 1) * sizeof *list);
    buffer_reset(scratch);
    posted_pack(list, count - 1, scratch);
    patient->state.posted = arena_copy(set->arena, buffer_slice(scratch));
    patient->is_dirty = true;
    return !buffer_overflowed(scratch) ||
           err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
}

static bool move_from(struct patient_set *set, struct slice name, const struct posting *posting,
                      bool *has_moved, struct err *err)
{
    char old[SHA256_HEX_SIZE];
    struct patient_work *patient;
    struct posted *list;
    unsigned count, at = 0;
    bool is_free = false;
    *has_moved = false;
    if (!patient_touch(set, name, false, &patient, err) || patient == NULL ||
        !posted_unpack(patient->state.posted, set->arena, &list, &count, err))
        return patient == NULL;
    while (at < count && !(list[at].kind == posting->kind && list[at].wish == WISH_HOLD &&
                           slice_eq(list[at].disease, posting->disease)))
        at++;
    if (at == count)
        return true;
    posting_identity(set->tenant->tenant.name, name, posting->disease, posting->kind, old);
    if (!may_move(set, old, posting->identity, &is_free, err))
        return false;
    for (unsigned i = 0; is_free && i < set->tenant->destination_count; i++)
        if (!move_row(set, i, old, posting->identity, err))
            return false;
    *has_moved = is_free;
    return !is_free || forget(set, patient, list, count, at, err);
}

bool merge_move(struct patient_set *set, const struct merged *merged, const struct posting *posting,
                struct err *err)
{
    bool has_moved = false;
    if (posting->wish != WISH_HOLD || posting->kind == POSTING_PROVENANCE)
        return true; /* a Provenance speaks of one record at one time */
    for (unsigned i = 1; i < merged->count && !has_moved; i++)
        if (!move_from(set, merged->names[i], posting, &has_moved, err))
            return false;
    return true;
}
