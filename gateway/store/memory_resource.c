/* Tenants, resource versions, identifiers, patients and links in memory. */
#include "base/date.h"
#include "store/memory_int.h"

/* --- tenants ------------------------------------------------------------------------------ */

bool memory_tenant_find(struct store_tx *base, struct slice name, int32_t *out, bool *found,
                        struct err *err)
{
    (void)err;
    struct memory_tx *tx = memory_of(base);
    int64_t number = 0;
    memory_key(tx, TABLE_TENANT);
    memory_key_text(tx, name);
    *found = memory_number(tx, &number);
    *out = (int32_t)number;
    return true;
}

bool memory_tenant_create(struct store_tx *base, struct slice name, int32_t *out, struct err *err)
{
    (void)err;
    struct memory_tx *tx = memory_of(base);
    const char table = TABLE_TENANT;
    const struct slice prefix = { &table, 1 };
    int32_t number = 1;
    for (const struct map_node *node = map_seek(tx->map, prefix); memory_is_in(node, prefix);
         node = map_next(node))
        number++; /* tenants are few and never go */
    memory_key(tx, TABLE_TENANT);
    memory_key_text(tx, name);
    encode_signed(&tx->value, number);
    memory_put(tx);
    *out = number;
    return true;
}

/* --- resource versions -------------------------------------------------------------------- */

static void encode_row(struct buffer *out, const struct store_resource *row)
{
    encode_signed(out, row->key);
    encode_signed(out, row->tenant);
    encode_varint(out, (uint64_t)row->type);
    encode_varint(out, row->version);
    encode_signed(out, row->patient);
    encode_signed(out, row->updated_ms);
    encode_varint(out, row->is_deleted);
    encode_slice(out, row->id);
    encode_slice(out, row->body);
}

/* Slices are borrowed from the map. */
static struct store_resource decode_row(struct slice value)
{
    struct decoder from = decoder_of(value);
    struct store_resource row = { .key = decode_signed(&from) };
    row.tenant = (int32_t)decode_signed(&from);
    row.type = (enum fhir_type)decode_varint(&from);
    row.version = (uint32_t)decode_varint(&from);
    row.patient = decode_signed(&from);
    row.updated_ms = decode_signed(&from);
    row.is_deleted = decode_varint(&from) != 0;
    row.id = decode_slice(&from);
    row.body = decode_slice(&from);
    CHECK(!from.bad);
    return row;
}

static bool copy_row(const struct map_node *node, bool with_body, struct arena *arena,
                     struct store_resource *out, struct err *err)
{
    struct store_resource row = decode_row(node->value);
    if (!with_body)
        row.body = SLICE("");
    if (!store_copy(arena, row.id, &row.id, err) || !store_copy(arena, row.body, &row.body, err))
        return false;
    *out = row;
    return true;
}

static const struct map_node *current(struct memory_tx *tx, int64_t key)
{
    memory_key(tx, TABLE_RESOURCE);
    memory_key_number(tx, key);
    return map_get(tx->map, memory_key_now(tx));
}

static void key_of_id(struct memory_tx *tx, int32_t tenant, enum fhir_type type, struct slice id)
{
    memory_key(tx, TABLE_RESOURCE_ID);
    memory_key_number(tx, tenant);
    memory_key_number(tx, type);
    memory_key_text(tx, id);
}

bool memory_resource_insert(struct store_tx *base, const struct store_resource *row,
                            struct err *err)
{
    struct memory_tx *tx = memory_of(base);
    if (current(tx, row->key) != NULL)
        return err_fail(err, ERR_CONFLICT, "store.resource", "the key is taken");
    encode_row(&tx->value, row);
    memory_put(tx);
    if (row->id.len == 0)
        return true;
    key_of_id(tx, row->tenant, row->type, row->id);
    if (map_get(tx->map, memory_key_now(tx)) != NULL)
        return err_fail(err, ERR_CONFLICT, "store.resource", "the id is taken");
    encode_signed(&tx->value, row->key);
    memory_put(tx);
    return true;
}

bool memory_resource_update(struct store_tx *base, const struct store_resource *row,
                            struct err *err)
{
    struct memory_tx *tx = memory_of(base);
    const struct map_node *node = current(tx, row->key);
    struct store_resource old = { 0 };
    if (node != NULL)
        old = decode_row(node->value);
    if (old.version + 1 != row->version)
        return err_fail(err, ERR_CONFLICT, "store.resource",
                        "the version before is not the current");
    memory_key(tx, TABLE_HISTORY);
    memory_key_number(tx, row->key);
    memory_key_number(tx, old.version);
    encode_row(&tx->value, &old);
    memory_put(tx);

    int64_t place = memory_greatest(tx, TABLE_REPLACED) + 1;
    memory_key(tx, TABLE_REPLACED);
    memory_key_number(tx, place);
    encode_signed(&tx->value, row->key);
    encode_varint(&tx->value, row->version);
    encode_signed(&tx->value, old.tenant);
    encode_varint(&tx->value, (uint64_t)old.type);
    memory_put(tx);

    struct store_resource next = *row;
    next.tenant = old.tenant;
    next.type = old.type;
    next.id = old.id;
    memory_key(tx, TABLE_RESOURCE);
    memory_key_number(tx, row->key);
    encode_row(&tx->value, &next);
    memory_put(tx);
    return true;
}

bool memory_resource_get(struct store_tx *base, int64_t key, bool with_body, struct arena *arena,
                         struct store_resource *out, bool *found, struct err *err)
{
    const struct map_node *node = current(memory_of(base), key);
    if (node != NULL && !copy_row(node, with_body, arena, out, err))
        return false;
    *found = node != NULL;
    return true;
}

bool memory_resource_find(struct store_tx *base, int32_t tenant, enum fhir_type type,
                          struct slice id, int64_t *key, bool *found, struct err *err)
{
    (void)err;
    key_of_id(memory_of(base), tenant, type, id);
    *found = memory_number(memory_of(base), key);
    return true;
}

bool memory_resource_version(struct store_tx *base, int64_t key, uint32_t version,
                             struct arena *arena, struct store_resource *out, bool *found,
                             struct err *err)
{
    struct memory_tx *tx = memory_of(base);
    const struct map_node *node = current(tx, key);
    if (node != NULL && decode_row(node->value).version != version) {
        memory_key(tx, TABLE_HISTORY);
        memory_key_number(tx, key);
        memory_key_number(tx, version);
        node = map_get(tx->map, memory_key_now(tx));
    }
    if (node != NULL && !copy_row(node, true, arena, out, err))
        return false;
    *found = node != NULL;
    return true;
}

bool memory_resource_scan(struct store_tx *base, int32_t tenant, enum fhir_type type, int64_t after,
                          unsigned limit, struct arena *arena, struct store_resource **rows,
                          unsigned *count, struct err *err)
{
    struct memory_tx *tx = memory_of(base);
    const char table = TABLE_RESOURCE;
    const struct slice prefix = { &table, 1 };
    memory_key(tx, TABLE_RESOURCE);
    memory_key_number(tx, after + 1);
    void *all = NULL;
    unsigned got = 0;
    for (const struct map_node *node = map_seek(tx->map, memory_key_now(tx));
         got < limit && memory_is_in(node, prefix); node = map_next(node)) {
        struct store_resource row = decode_row(node->value);
        if (row.tenant != tenant || row.type != type)
            continue;
        struct store_resource *room = store_row_room(arena, &all, got, sizeof *room);
        if (room == NULL)
            return store_no_room(err);
        if (!copy_row(node, true, arena, room, err))
            return false;
        got++;
    }
    *rows = all;
    *count = got;
    return true;
}

/* What a row of either table says of a change; false when it is of somebody or something else. */
static bool read_change(const struct map_node *node, enum store_changes which, int32_t tenant,
                        enum fhir_type type, struct store_change *out)
{
    struct store_resource row = { 0 };
    if (which == STORE_CREATIONS) {
        row = decode_row(node->value);
        row.version = 1;
    } else {
        struct decoder from = decoder_of(node->value);
        row.key = decode_signed(&from);
        row.version = (uint32_t)decode_varint(&from);
        row.tenant = (int32_t)decode_signed(&from);
        row.type = (enum fhir_type)decode_varint(&from);
        CHECK(!from.bad);
    }
    *out = (struct store_change){ memory_last_number(node), row.key, row.version };
    return row.tenant == tenant && (type == FHIR_NONE || row.type == type);
}

/* The map is walked upwards only: what is kept moves along until the last `max` are left. */
bool memory_resource_changes(struct store_tx *base, enum store_changes which, int32_t tenant,
                             enum fhir_type type, int64_t before, unsigned max,
                             struct store_change *out, unsigned *count, struct err *err)
{
    (void)err;
    const char table = which == STORE_CREATIONS ? TABLE_RESOURCE : TABLE_REPLACED;
    const struct slice prefix = { &table, 1 };
    unsigned got = 0;
    for (const struct map_node *node = map_seek(memory_of(base)->map, prefix);
         max > 0 && memory_is_in(node, prefix) && memory_last_number(node) < before;
         node = map_next(node)) {
        struct store_change change;
        if (!read_change(node, which, tenant, type, &change))
            continue;
        if (got == max)
            got--; /* the oldest goes */
        memmove(out + 1, out, sizeof *out * got);
        out[0] = change;
        got++;
    }
    *count = got;
    return true;
}

/* --- identifiers and links ---------------------------------------------------------------- */

static void key_of_identifier(struct memory_tx *tx, int32_t tenant, enum fhir_type type,
                              struct slice value)
{
    memory_key(tx, TABLE_IDENTIFIER);
    memory_key_number(tx, tenant);
    memory_key_number(tx, type);
    memory_key_text(tx, value);
}

bool memory_identifier_put(struct store_tx *base, int32_t tenant, enum fhir_type type,
                           struct slice identifier, int64_t key, struct err *err)
{
    (void)err;
    key_of_identifier(memory_of(base), tenant, type, identifier);
    memory_key_number(memory_of(base), key);
    memory_put(memory_of(base));
    return true;
}

bool memory_identifier_find(struct store_tx *base, int32_t tenant, enum fhir_type type,
                            struct slice identifier, int64_t *keys, unsigned max, unsigned *count,
                            struct err *err)
{
    (void)err;
    key_of_identifier(memory_of(base), tenant, type, identifier);
    memory_numbers(memory_of(base), 0, max, keys, count);
    return true;
}

/* By looking at all of the type: tests are small. */
bool memory_identifier_clear(struct store_tx *base, int32_t tenant, enum fhir_type type,
                             int64_t key, struct err *err)
{
    (void)err;
    struct memory_tx *tx = memory_of(base);
    memory_key(tx, TABLE_IDENTIFIER);
    memory_key_number(tx, tenant);
    memory_key_number(tx, type);
    struct slice prefix = memory_key_now(tx);
    const struct map_node *node = map_seek(tx->map, prefix);
    while (memory_is_in(node, prefix)) {
        const struct map_node *next = map_next(node);
        if (memory_last_number(node) == key) {
            buffer_reset(&tx->value); /* the key lives in the node that goes */
            buffer_add(&tx->value, map_key(node));
            map_remove(tx->map, buffer_slice(&tx->value));
        }
        node = next;
    }
    return true;
}

bool memory_link_put(struct store_tx *base, int32_t tenant, struct slice target, int64_t patient,
                     struct err *err)
{
    (void)err;
    struct memory_tx *tx = memory_of(base);
    memory_key(tx, TABLE_LINK);
    memory_key_number(tx, tenant);
    memory_key_text(tx, target);
    memory_key_number(tx, patient);
    memory_put(tx);
    return true;
}

bool memory_link_scan(struct store_tx *base, int32_t tenant, struct slice target, int64_t after,
                      unsigned max, int64_t *patients, unsigned *count, struct err *err)
{
    (void)err;
    struct memory_tx *tx = memory_of(base);
    memory_key(tx, TABLE_LINK);
    memory_key_number(tx, tenant);
    memory_key_text(tx, target);
    memory_numbers(tx, after, max, patients, count);
    return true;
}

/* --- patients ----------------------------------------------------------------------------- */

struct patient {
    int32_t tenant, next_day;
    struct slice name, state; /* borrowed from the map */
};

static bool read_patient(struct memory_tx *tx, int64_t key, struct patient *out)
{
    memory_key(tx, TABLE_PATIENT);
    memory_key_number(tx, key);
    const struct map_node *node = map_get(tx->map, memory_key_now(tx));
    if (node == NULL)
        return false;
    struct decoder from = decoder_of(node->value);
    out->tenant = (int32_t)decode_signed(&from);
    out->next_day = (int32_t)decode_signed(&from);
    out->name = decode_slice(&from);
    out->state = decode_slice(&from);
    CHECK(!from.bad);
    return true;
}

static void write_patient(struct memory_tx *tx, int64_t key, const struct patient *patient)
{
    memory_key(tx, TABLE_PATIENT);
    memory_key_number(tx, key);
    encode_signed(&tx->value, patient->tenant);
    encode_signed(&tx->value, patient->next_day);
    encode_slice(&tx->value, patient->name);
    encode_slice(&tx->value, patient->state);
    memory_put(tx);
}

static void key_of_name(struct memory_tx *tx, int32_t tenant, struct slice name)
{
    memory_key(tx, TABLE_PATIENT_NAME);
    memory_key_number(tx, tenant);
    memory_key_text(tx, name);
}

bool memory_patient_find(struct store_tx *base, int32_t tenant, struct slice name, int64_t *key,
                         bool *found, struct err *err)
{
    (void)err;
    key_of_name(memory_of(base), tenant, name);
    *found = memory_number(memory_of(base), key);
    return true;
}

bool memory_patient_create(struct store_tx *base, int32_t tenant, struct slice name, int64_t *key,
                           struct err *err)
{
    (void)err;
    struct memory_tx *tx = memory_of(base);
    struct patient patient = { tenant, DATE_NONE, name, SLICE("") };
    int64_t created = memory_greatest(tx, TABLE_PATIENT) + 1;
    write_patient(tx, created, &patient);
    key_of_name(tx, tenant, name);
    encode_signed(&tx->value, created);
    memory_put(tx);
    *key = created;
    return true;
}

bool memory_patient_load(struct store_tx *base, int64_t key, struct arena *arena,
                         struct slice *state, struct err *err)
{
    struct patient patient;
    bool is_there = read_patient(memory_of(base), key, &patient);
    return store_copy(arena, is_there ? patient.state : SLICE(""), state, err);
}

bool memory_patient_save(struct store_tx *base, int64_t key, struct slice state, int32_t next_day,
                         struct err *err)
{
    struct memory_tx *tx = memory_of(base);
    struct patient patient;
    if (!read_patient(tx, key, &patient))
        return err_fail(err, ERR_NOT_FOUND, "store.patient", "there is no such patient");
    patient.state = state;
    patient.next_day = next_day;
    write_patient(tx, key, &patient);
    return true;
}

bool memory_patient_name(struct store_tx *base, int64_t key, struct arena *arena, int32_t *tenant,
                         struct slice *name, bool *found, struct err *err)
{
    struct patient patient;
    if (!read_patient(memory_of(base), key, &patient)) {
        *found = false;
        return true;
    }
    if (!store_copy(arena, patient.name, name, err))
        return false;
    *tenant = patient.tenant;
    *found = true;
    return true;
}

struct patient_query {
    bool (*is_wanted)(const struct patient *patient, int32_t number);
    int32_t number;
    int64_t after;
};

static void filter_patients(struct memory_tx *tx, const struct patient_query *query, unsigned max,
                            int64_t *keys, unsigned *count)
{
    const char table = TABLE_PATIENT;
    const struct slice prefix = { &table, 1 };
    unsigned got = 0;
    memory_key(tx, TABLE_PATIENT);
    memory_key_number(tx, query->after + 1);
    const struct map_node *node = map_seek(tx->map, memory_key_now(tx));
    for (; got < max && memory_is_in(node, prefix); node = map_next(node)) {
        struct patient patient;
        int64_t key = memory_last_number(node);
        if (read_patient(tx, key, &patient) && query->is_wanted(&patient, query->number))
            keys[got++] = key;
    }
    *count = got;
}

static bool is_due(const struct patient *patient, int32_t day)
{
    return patient->next_day != DATE_NONE && patient->next_day <= day;
}

bool memory_patients_due(struct store_tx *base, int32_t day, unsigned max, int64_t *keys,
                         unsigned *count, struct err *err)
{
    (void)err;
    struct patient_query query = { is_due, day, 0 };
    filter_patients(memory_of(base), &query, max, keys, count);
    return true;
}

static bool is_of_tenant(const struct patient *patient, int32_t tenant)
{
    return patient->tenant == tenant;
}

bool memory_patients(struct store_tx *base, int32_t tenant, int64_t after, unsigned max,
                     int64_t *keys, unsigned *count, struct err *err)
{
    (void)err;
    struct patient_query query = { is_of_tenant, tenant, after };
    filter_patients(memory_of(base), &query, max, keys, count);
    return true;
}

/* Nothing of this backend outlives its store, and so there is no log to rebuild from. */
bool memory_mention_append(struct store_tx *base, struct slice mentioned, struct err *err)
{
    (void)base, (void)mentioned, (void)err;
    return true;
}

bool memory_mention_scan(struct store_tx *base, struct mentions *into, struct err *err)
{
    (void)base, (void)into, (void)err;
    return true;
}
