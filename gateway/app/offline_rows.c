/* Input in any order: every resource is kept as a packed row until the end. */
#include "app/offline_int.h"
#include "base/pool.h"

struct row {
    const char *at; /* its id, and its packed event behind it */
    uint32_t packed_len, subject;
    uint16_t id_len;
    uint8_t type;
    bool is_replaced; /* a later one has the same type and id */
};

/* What the rows call a patient; several may mean the same one. */
struct subject {
    struct slice name;
    unsigned patient; /* after finish; PATIENT_NONE: no row of it is left */
};
#define PATIENT_NONE UINT32_MAX

struct rows {
    struct gatherer *gatherer;
    struct row *list;
    unsigned count, room;
    uint32_t *slots; /* hash of type and id to row + 1 */
    unsigned slot_room;
    struct offline_names names, aliases; /* to subjects */
    struct subject *subjects;
    unsigned subject_count, subject_room;
    /* after finish: rows by patient */
    uint32_t *order, *starts;
    struct slice *patient_names;
    unsigned patient_count, next;
};

struct rows *rows_open(struct gatherer *gatherer)
{
    struct rows *rows = pool_new(sizeof *rows);

    rows->gatherer = gatherer;
    return rows;
}

void rows_close(struct rows *rows)
{
    pool_free(rows->list);
    pool_free(rows->slots);
    pool_free(rows->subjects);
    pool_free(rows->order);
    pool_free(rows->starts);
    pool_free(rows->patient_names);
    names_free(&rows->names);
    names_free(&rows->aliases);
    pool_free(rows);
}

/* --- one chunk ------------------------------------------------------------------------------- */

static struct slice row_id(const struct row *row) { return (struct slice){ row->at, row->id_len }; }

static uint32_t *slot_of(const struct rows *rows, unsigned type, struct slice id)
{
    unsigned at = ((unsigned)table_hash(id) + type) & (rows->slot_room - 1);

    for (; rows->slots[at] != 0; at = (at + 1) & (rows->slot_room - 1)) {
        const struct row *row = &rows->list[rows->slots[at] - 1];
        if (row->type == type && slice_eq(row_id(row), id))
            break;
    }
    return &rows->slots[at];
}

static void slots_grow(struct rows *rows)
{
    pool_free(rows->slots);
    rows->slot_room = rows->slot_room > 0 ? rows->slot_room * 2 : 1024;
    rows->slots = pool_new(rows->slot_room * sizeof rows->slots[0]);
    for (unsigned i = 0; i < rows->count; i++)
        *slot_of(rows, rows->list[i].type, row_id(&rows->list[i])) = i + 1;
}

static unsigned subject_of(struct rows *rows, struct slice name)
{
    unsigned number = 0;

    if (names_find(&rows->names, name, &number))
        return number;
    rows->subjects = array_grow(rows->subjects, rows->subject_count, &rows->subject_room,
                                sizeof rows->subjects[0]);
    number = rows->subject_count++;
    rows->subjects[number] =
        (struct subject){ arena_copy(&rows->gatherer->arena, name), PATIENT_NONE };
    names_put(&rows->names, rows->subjects[number].name, number, false);
    return number;
}

static void add_row(struct rows *rows, const struct offline_item *item)
{
    struct arena *arena = &rows->gatherer->arena;
    size_t id_len = item->id.len < UINT16_MAX ? item->id.len : UINT16_MAX;
    char *at = arena_alloc_raw(arena, id_len + item->packed.len);

    CHECK(at != NULL);
    memcpy(at, item->id.at, id_len);
    memcpy(at + id_len, item->packed.at, item->packed.len);
    unsigned subject = subject_of(rows, item->patient);
    for (unsigned i = 0; i < item->alias_count; i++)
        if (!names_find(&rows->aliases, item->aliases[i], &(unsigned){ 0 }))
            names_put(&rows->aliases, arena_copy(arena, item->aliases[i]), subject, true);
    if (rows->count * 2 >= rows->slot_room)
        slots_grow(rows);
    rows->list = array_grow(rows->list, rows->count, &rows->room, sizeof rows->list[0]);
    rows->list[rows->count] = (struct row){ .at = at,
                                            .packed_len = (uint32_t)item->packed.len,
                                            .subject = subject,
                                            .id_len = (uint16_t)id_len,
                                            .type = (uint8_t)item->type };
    uint32_t *slot = slot_of(rows, item->type, (struct slice){ at, id_len });
    if (*slot != 0)
        rows->list[*slot - 1].is_replaced = true;
    *slot = ++rows->count;
}

void rows_take(struct rows *rows, const struct offline_chunk *chunk)
{
    for (unsigned i = 0; i < chunk->count; i++) {
        if (chunk->items[i].type == FHIR_MEDICATION)
            gatherer_add_medication(rows->gatherer, &chunk->items[i]);
        else
            add_row(rows, &chunk->items[i]);
    }
}

/* --- the end of input ------------------------------------------------------------------------ */

/* A patient known by an identifier or a full URL is the one whose resource bears it. */
static unsigned meant(const struct rows *rows, unsigned subject)
{
    struct slice name = rows->subjects[subject].name;

    if (slice_starts(name, SLICE("identifier ")))
        name = slice_skip(name, sizeof "identifier " - 1);
    (void)names_find(&rows->aliases, name, &subject);
    return subject;
}

static void number_patients(struct rows *rows)
{
    rows->patient_names = pool_new((rows->subject_count + 1) * sizeof rows->patient_names[0]);
    rows->starts = pool_new((rows->subject_count + 2) * sizeof rows->starts[0]);
    for (unsigned i = 0; i < rows->count; i++) {
        struct row *row = &rows->list[i];
        if (row->is_replaced)
            continue;
        row->subject = meant(rows, row->subject);
        struct subject *subject = &rows->subjects[row->subject];
        if (subject->patient == PATIENT_NONE) {
            subject->patient = rows->patient_count++;
            rows->patient_names[subject->patient] = subject->name;
        }
        rows->starts[subject->patient + 1]++;
    }
}

void rows_finish(struct rows *rows)
{
    number_patients(rows);
    for (unsigned i = 0; i < rows->patient_count; i++)
        rows->starts[i + 1] += rows->starts[i];
    rows->order = pool_new((rows->count + 1) * sizeof rows->order[0]);
    uint32_t *ends = pool_new((rows->patient_count + 1) * sizeof *ends);
    memcpy(ends, rows->starts, rows->patient_count * sizeof *ends);
    for (unsigned i = 0; i < rows->count; i++)
        if (!rows->list[i].is_replaced)
            rows->order[ends[rows->subjects[rows->list[i].subject].patient]++] = i;
    pool_free(ends);
    pool_free(rows->slots);
    rows->slots = NULL;
}

struct batch *rows_next(struct rows *rows)
{
    struct batch *batch = NULL;

    for (; rows->next < rows->patient_count; rows->next++) {
        if (batch != NULL && batch_is_full(batch))
            break;
        if (batch == NULL)
            batch = batch_new();
        batch_add_patient(batch, rows->patient_names[rows->next]);
        for (uint32_t i = rows->starts[rows->next]; i < rows->starts[rows->next + 1]; i++) {
            const struct row *row = &rows->list[rows->order[i]];
            batch_add_item(batch, &(struct offline_item){
                                      .type = (enum fhir_type)row->type,
                                      .id = row_id(row),
                                      .packed = { row->at + row->id_len, row->packed_len } });
        }
    }
    return batch;
}

unsigned rows_patient_count(const struct rows *rows) { return rows->patient_count; }
