/* Input that is grouped by patient: a patient is complete when a document (a Bundle, a line) speaks
 * of others only.  Open are the patients of the last document, nearly always one. */
#include "app/offline_int.h"
#include "base/pool.h"

struct group {
    struct arena arena; /* of all that is kept here */
    struct slice name;
    struct offline_item *items;
    unsigned count, room;
    struct slice *aliases; /* of its Patient resource */
    unsigned alias_count;
    unsigned document; /* the last one that spoke of it */
};

struct groups {
    struct gatherer *gatherer;
    struct group **open; /* in order of first appearance */
    unsigned open_count, open_room;
    struct group **spare; /* with their memory, to be used again */
    unsigned spare_count, spare_room;
    struct offline_names names; /* to `open`; made when more than one is open */
    unsigned document;
    struct group loose; /* Medications since the last resource of a patient */
    struct batch *filling;
    struct batch **full; /* complete batches, in order */
    unsigned full_count, full_room, full_next;
    uint64_t *seen; /* hashes of the patients that are complete; 0 is free */
    unsigned seen_count, seen_room;
    bool has_begun;
};

/* --- a group --------------------------------------------------------------------------------- */

static void group_init(struct group *group) { arena_init(&group->arena, OFFLINE_ARENA_BYTES); }

static void group_add(struct group *group, const struct offline_item *item)
{
    group->items = array_grow(group->items, group->count, &group->room, sizeof group->items[0]);
    group->items[group->count++] = item_keep(item, &group->arena);
}

static void group_add_aliases(struct group *group, const struct offline_item *item)
{
    group->aliases = ARENA_ARRAY(&group->arena, struct slice, item->alias_count + 1);
    CHECK(group->aliases != NULL);
    for (unsigned i = 0; i < item->alias_count; i++)
        group->aliases[i] = arena_copy(&group->arena, item->aliases[i]);
    group->alias_count = item->alias_count;
}

static void group_empty(struct group *group)
{
    arena_reset(&group->arena);
    group->count = group->alias_count = 0;
}

static void group_free(struct group *group)
{
    arena_fini(&group->arena);
    pool_free(group->items);
}

struct groups *groups_open(struct gatherer *gatherer)
{
    struct groups *groups = pool_new(sizeof *groups);

    groups->gatherer = gatherer;
    group_init(&groups->loose);
    return groups;
}

void groups_close(struct groups *groups)
{
    for (unsigned i = 0; i < groups->open_count; i++) {
        group_free(groups->open[i]);
        pool_free(groups->open[i]);
    }
    for (unsigned i = 0; i < groups->spare_count; i++) {
        group_free(groups->spare[i]);
        pool_free(groups->spare[i]);
    }
    group_free(&groups->loose);
    for (unsigned i = groups->full_next; i < groups->full_count; i++)
        batch_free(groups->full[i]);
    if (groups->filling != NULL)
        batch_free(groups->filling);
    names_free(&groups->names);
    pool_free(groups->open);
    pool_free(groups->spare);
    pool_free(groups->full);
    pool_free(groups->seen);
    pool_free(groups);
}

/* --- patients that are complete -------------------------------------------------------------- */

static uint64_t *seen_slot(const struct groups *groups, uint64_t hash)
{
    unsigned at = (unsigned)(hash >> 20) & (groups->seen_room - 1);

    while (groups->seen[at] != 0 && groups->seen[at] != hash)
        at = (at + 1) & (groups->seen_room - 1);
    return &groups->seen[at];
}

static uint64_t hash_of(struct slice name)
{
    uint64_t hash = table_hash(name);
    return hash != 0 ? hash : 1;
}

static bool was_seen(const struct groups *groups, struct slice name)
{
    return groups->seen_room > 0 && *seen_slot(groups, hash_of(name)) != 0;
}

static void see(struct groups *groups, struct slice name)
{
    if (groups->seen_count * 4 >= groups->seen_room * 3) {
        uint64_t *before = groups->seen;
        unsigned room = groups->seen_room;
        groups->seen_room = room > 0 ? room * 2 : 1024;
        groups->seen = pool_new(groups->seen_room * sizeof groups->seen[0]);
        for (unsigned i = 0; i < room; i++)
            if (before[i] != 0)
                *seen_slot(groups, before[i]) = before[i];
        pool_free(before);
    }
    *seen_slot(groups, hash_of(name)) = hash_of(name);
    groups->seen_count++;
}

static void hand_out_filling(struct groups *groups)
{
    if (groups->filling == NULL)
        return;
    groups->full =
        array_grow(groups->full, groups->full_count, &groups->full_room, sizeof groups->full[0]);
    groups->full[groups->full_count++] = groups->filling;
    groups->filling = NULL;
}

/* The group's memory is used again: the batch has copies. */
static void complete(struct groups *groups, struct group *group)
{
    if (groups->filling == NULL)
        groups->filling = batch_new();
    struct batch *batch = groups->filling;
    batch_add_patient(batch, arena_copy(&batch->arena, group->name));
    for (unsigned i = 0; i < group->count; i++) {
        struct offline_item kept = item_keep(&group->items[i], &batch->arena);
        batch_add_item(batch, &kept);
    }
    see(groups, group->name);
    group_empty(group);
    groups->spare = array_grow(groups->spare, groups->spare_count, &groups->spare_room,
                               sizeof groups->spare[0]);
    groups->spare[groups->spare_count++] = group;
    if (batch_is_full(batch))
        hand_out_filling(groups);
}

/* All open groups that the document at hand does not speak of. */
static void complete_others(struct groups *groups)
{
    unsigned kept = 0;

    names_free(&groups->names);
    for (unsigned i = 0; i < groups->open_count; i++) {
        struct group *group = groups->open[i];
        if (group->document == groups->document)
            groups->open[kept++] = group;
        else
            complete(groups, group);
    }
    groups->open_count = kept;
    for (unsigned i = 0; kept > 1 && i < kept; i++)
        names_put(&groups->names, groups->open[i]->name, i, true);
}

/* --- one document ---------------------------------------------------------------------------- */

static bool bears(const struct group *group, struct slice patient)
{
    if (slice_starts(patient, SLICE("identifier ")))
        patient = slice_skip(patient, sizeof "identifier " - 1);
    for (unsigned i = 0; i < group->alias_count; i++)
        if (slice_eq(group->aliases[i], patient))
            return true;
    return slice_eq(group->name, patient);
}

static struct group *find(const struct groups *groups, struct slice patient)
{
    unsigned number = 0;

    if (groups->open_count > 0 && bears(groups->open[groups->open_count - 1], patient))
        return groups->open[groups->open_count - 1];
    if (groups->open_count > 1 && names_find(&groups->names, patient, &number))
        return groups->open[number];
    return NULL;
}

static struct group *begin(struct groups *groups, struct slice patient)
{
    bool has_spare = groups->spare_count > 0;
    struct group *group =
        has_spare ? groups->spare[--groups->spare_count] : pool_new(sizeof *group);

    if (!has_spare)
        group_init(group);
    group->name = arena_copy(&group->arena, patient);
    groups->open =
        array_grow(groups->open, groups->open_count, &groups->open_room, sizeof groups->open[0]);
    groups->open[groups->open_count++] = group;
    if (groups->open_count > 1) {
        for (unsigned i = groups->names.used; i < groups->open_count; i++)
            names_put(&groups->names, groups->open[i]->name, i, true);
    }
    for (unsigned i = 0; i < groups->loose.count; i++)
        group_add(group, &groups->loose.items[i]);
    groups->has_begun = true;
    return group;
}

/* False: the patient is complete already, and what was written of it cannot be taken back. */
static bool add_item(struct groups *groups, const struct offline_item *item)
{
    struct group *group = find(groups, item->patient);

    if (group == NULL && was_seen(groups, item->patient))
        return false;
    if (group == NULL)
        group = begin(groups, item->patient);
    group_add(group, item);
    group->document = groups->document;
    if (item->type == FHIR_PATIENT && item->alias_count > 0)
        group_add_aliases(group, item);
    return true;
}

/* A Medication by itself serves the patients before and behind it; before all, everybody.  In a
 * Bundle it has been given to the orders there, and is kept for the patient whose Bundle it is. */
static void add_medication(struct groups *groups, const struct offline_item *item, bool is_alone)
{
    if (is_alone && !groups->has_begun) {
        gatherer_add_medication(groups->gatherer, item);
        return;
    }
    if (is_alone)
        group_add(&groups->loose, item);
    for (unsigned i = 0; i < groups->open_count && (is_alone || groups->open_count == 1); i++)
        group_add(groups->open[i], item);
}

static void take_document(struct groups *groups, const struct offline_chunk *chunk, unsigned first,
                          unsigned end)
{
    unsigned patients = 0, refused = 0;

    groups->document++;
    for (unsigned i = first; i < end; i++) {
        const struct offline_item *item = &chunk->items[i];
        if (item->type == FHIR_MEDICATION)
            continue;
        patients++;
        if (add_item(groups, item) || refused++ > 0)
            continue;
        struct err err;
        err_fail(&err, ERR_CONFLICT, "",
                 "its patient came before others: the input is not grouped by patient; this is "
                 "left out");
        gatherer_refuse(groups->gatherer, chunk->source.name, item->line, &err);
    }
    if (patients > refused) {
        complete_others(groups);
        group_empty(&groups->loose);
    }
    for (unsigned i = first; i < end; i++)
        if (chunk->items[i].type == FHIR_MEDICATION)
            add_medication(groups, &chunk->items[i], patients == 0);
}

void groups_take(struct groups *groups, const struct offline_chunk *chunk)
{
    for (unsigned first = 0, end; first < chunk->count; first = end) {
        for (end = first + 1; end < chunk->count; end++)
            if (chunk->items[end].document != chunk->items[first].document)
                break;
        take_document(groups, chunk, first, end);
    }
}

void groups_finish(struct groups *groups)
{
    groups->document++;
    complete_others(groups);
    hand_out_filling(groups);
}

struct batch *groups_next(struct groups *groups)
{
    if (groups->full_next < groups->full_count)
        return groups->full[groups->full_next++];
    groups->full_next = groups->full_count = 0;
    return NULL;
}
