#include "app/offline_int.h"
#include "base/pool.h"

struct offline {
    struct gatherer gatherer;
    struct rows *rows;     /* in any order */
    struct groups *groups; /* grouped */
    bool is_finished;
};

void *array_grow(void *array, unsigned count, unsigned *room, size_t size)
{
    if (count < *room)
        return array;
    *room = *room > 0 ? *room * 2 : 64;
    return pool_resize(array, *room * size);
}

/* --- batches --------------------------------------------------------------------------------- */

struct batch *batch_new(void)
{
    struct batch *batch = pool_new(sizeof *batch);
    arena_init(&batch->arena, OFFLINE_ARENA_BYTES);
    return batch;
}

void batch_add_patient(struct batch *batch, struct slice name)
{
    struct offline_batch *public = &batch->public;

    public->patients = array_grow(public->patients, public->count, &batch->patient_room,
                                  sizeof public->patients[0]);
    public->patients[public->count++] = (struct offline_patient){ .name = name };
}

void batch_add_item(struct batch *batch, const struct offline_item *item)
{
    CHECK(batch->public.count > 0);
    batch->items =
        array_grow(batch->items, batch->item_count, &batch->item_room, sizeof batch->items[0]);
    batch->items[batch->item_count++] = *item;
    batch->public.patients[batch->public.count - 1].count++;
}

bool batch_is_full(const struct batch *batch)
{
    return batch->public.count >= BATCH_PATIENTS_MAX || batch->item_count >= BATCH_ITEMS_MAX;
}

void batch_free(struct batch *batch)
{
    arena_fini(&batch->arena);
    pool_free(batch->items);
    pool_free(batch->public.patients);
    pool_free(batch);
}

struct offline_item item_keep(const struct offline_item *item, struct arena *arena)
{
    return (struct offline_item){ .type = item->type,
                                  .id = arena_copy(arena, item->id),
                                  .packed = arena_copy(arena, item->packed) };
}

/* --- what both ways share -------------------------------------------------------------------- */

void gatherer_refuse(struct gatherer *gatherer, const char *source, unsigned line,
                     const struct err *err)
{
    gatherer->refused_count++;
    gatherer->options.refused(gatherer->options.ctx, source, line, err);
}

void gatherer_add_medication(struct gatherer *gatherer, const struct offline_item *item)
{
    struct arena *arena = &gatherer->arena;
    struct offline_item kept = item_keep(item, arena);

    gatherer->medication_items =
        array_grow(gatherer->medication_items, gatherer->medication_count,
                   &gatherer->medication_room, sizeof gatherer->medication_items[0]);
    unsigned number = gatherer->medication_count++;
    gatherer->medication_items[number] = kept;
    names_put(&gatherer->medications, arena_format(arena, "Medication/%.*s", SLICE_ARGS(kept.id)),
              number, true);
}

struct offline *offline_open(const struct offline_options *options)
{
    struct offline *offline = pool_new(sizeof *offline);

    offline->gatherer.options = *options;
    arena_init(&offline->gatherer.arena, OFFLINE_ARENA_BYTES);
    if (options->is_grouped)
        offline->groups = groups_open(&offline->gatherer);
    else
        offline->rows = rows_open(&offline->gatherer);
    return offline;
}

void offline_close(struct offline *offline)
{
    if (offline->groups != NULL)
        groups_close(offline->groups);
    if (offline->rows != NULL)
        rows_close(offline->rows);
    names_free(&offline->gatherer.medications);
    pool_free(offline->gatherer.medication_items);
    arena_fini(&offline->gatherer.arena);
    pool_free(offline);
}

void offline_take(struct offline *offline, const struct offline_chunk *chunk)
{
    for (const struct offline_refusal *one = chunk->refusals; one != NULL; one = one->next)
        gatherer_refuse(&offline->gatherer, chunk->source.name, one->line, &one->err);
    if (offline->groups != NULL)
        groups_take(offline->groups, chunk);
    else
        rows_take(offline->rows, chunk);
}

void offline_add(struct offline *offline, const struct offline_source *source, struct slice text)
{
    struct offline_chunk *chunk = offline_chunk_new(source, text);
    offline_read(chunk);
    offline_take(offline, chunk);
    offline_chunk_free(chunk);
}

void offline_finish(struct offline *offline)
{
    if (offline->groups != NULL)
        groups_finish(offline->groups);
    else
        rows_finish(offline->rows);
    offline->is_finished = true;
}

struct offline_batch *offline_next(struct offline *offline)
{
    struct gatherer *gatherer = &offline->gatherer;
    struct batch *batch = NULL;

    if (offline->groups != NULL)
        batch = groups_next(offline->groups);
    else if (offline->is_finished)
        batch = rows_next(offline->rows);
    if (batch == NULL)
        return NULL;
    const struct offline_item *items = batch->items;
    for (unsigned i = 0; i < batch->public.count; i++) {
        struct offline_patient *patient = &batch->public.patients[i];
        patient->items = items;
        patient->medications = gatherer;
        items += patient->count;
    }
    batch->public.first = gatherer->handed_out;
    gatherer->handed_out += batch->public.count;
    return &batch->public;
}

void offline_batch_free(struct offline *offline, struct offline_batch *batch)
{
    (void)offline;
    batch_free(CONTAINER_OF(batch, struct batch, public));
}

unsigned offline_refused_count(const struct offline *offline)
{
    return offline->gatherer.refused_count;
}

unsigned offline_patient_count(const struct offline *offline)
{
    return offline->rows != NULL ? rows_patient_count(offline->rows) : offline->gatherer.handed_out;
}

/* --- one patient ----------------------------------------------------------------------------- */

/* Of one patient, small, in an arena: type and id to the last resource of that name. */
struct index {
    uint32_t *slots;
    unsigned mask;
};

static unsigned slot_of(const struct index *index, const struct offline_item *items,
                        enum fhir_type type, struct slice id)
{
    unsigned at = ((unsigned)table_hash(id) + (unsigned)type) & index->mask;

    for (; index->slots[at] != 0; at = (at + 1) & index->mask) {
        const struct offline_item *item = &items[index->slots[at] - 1];
        if (item->type == type && slice_eq(item->id, id))
            break;
    }
    return at;
}

static bool index_items(const struct offline_patient *patient, struct arena *arena,
                        struct index *index)
{
    unsigned room = 16;
    while (room < patient->count * 2)
        room *= 2;
    index->slots = ARENA_ARRAY(arena, uint32_t, room);
    index->mask = room - 1;
    for (unsigned i = 0; index->slots != NULL && i < patient->count; i++) {
        const struct offline_item *item = &patient->items[i];
        index->slots[slot_of(index, patient->items, item->type, item->id)] = i + 1;
    }
    return index->slots != NULL;
}

/* The Medication that an order points to lends it its codes. */
static bool lend_medication(const struct offline_patient *patient, const struct index *index,
                            struct arena *arena, struct event *event, struct err *err)
{
    const struct gatherer *gatherer = patient->medications;
    const struct offline_item *found = NULL;
    struct slice name = event->medication_reference;
    struct event medication;
    unsigned number = 0;

    if (name.len == 0 || event->medication_resolved)
        return true;
    if (slice_starts(name, SLICE("Medication/"))) {
        struct slice id = slice_skip(name, sizeof "Medication/" - 1);
        unsigned slot = index->slots[slot_of(index, patient->items, FHIR_MEDICATION, id)];
        found = slot != 0 ? &patient->items[slot - 1] : NULL;
    }
    if (found == NULL && names_find(&gatherer->medications, name, &number))
        found = &gatherer->medication_items[number];
    if (found == NULL)
        return true;
    if (!event_unpack(found->packed, arena, &medication, err))
        return false;
    event->medication = medication.medication;
    event->medication_resolved = true;
    return true;
}

struct event *offline_events(const struct offline_patient *patient, struct arena *arena,
                             unsigned *count, struct err *err)
{
    struct event *events = ARENA_ARRAY(arena, struct event, patient->count + 1);
    struct index index;

    *count = 0;
    if (events == NULL || !index_items(patient, arena, &index)) {
        err_fail(err, ERR_TOO_LARGE, "timeline", "larger than memory's limit");
        return NULL;
    }
    for (unsigned i = 0; i < patient->count; i++) {
        const struct offline_item *item = &patient->items[i];
        unsigned slot = slot_of(&index, patient->items, item->type, item->id);
        if (item->type == FHIR_MEDICATION || index.slots[slot] != i + 1)
            continue; /* a later one has the same name */
        struct event *event = &events[*count];
        if (!event_unpack(item->packed, arena, event, err) ||
            !lend_medication(patient, &index, arena, event, err))
            return NULL;
        *count += 1;
    }
    return events;
}

bool offline_derive(const struct offline_patient *patient, const struct mapping *mapping,
                    const struct rules *rules, struct date as_of, struct arena *arena,
                    struct therapy *out, struct err *err)
{
    unsigned count = 0;
    struct event *events = offline_events(patient, arena, &count, err);

    if (events == NULL)
        return false;
    for (unsigned i = 0; i < count; i++)
        mapping_resolve(mapping, &events[i], arena);
    return therapy_derive(rules, events, count, as_of, arena, out, err);
}
