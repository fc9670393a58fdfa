/* ingest/patient.c -- the patients that a job touches: loaded once, changed in memory, derived and
 * saved once at the end, however many resources of theirs the job holds. */
#include "base/json.h"
#include "ingest/derived.h"
#include "ingest/ingest_int.h"
#include "ingest/merge.h"
#include "plan/posted_pack.h"
#include "store/body.h"
#include "therapy/derive.h"

static bool out_of_memory(struct err *err)
{
    return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
}

/* --- the set ------------------------------------------------------------------------------- */

bool patient_set_init(struct patient_set *set, unsigned expected, struct err *err)
{
    set->slot_count = 16;
    while (set->slot_count < expected * 2 + 2)
        set->slot_count *= 2;
    set->slots = ARENA_ARRAY(set->arena, struct patient_work *, set->slot_count);
    return set->slots != NULL || out_of_memory(err);
}

static struct patient_work **slot_of(const struct patient_set *set, int64_t key)
{
    uint64_t hash = (uint64_t)key * UINT64_C(0x9e3779b97f4a7c15);
    unsigned at = (unsigned)(hash >> 32) & (set->slot_count - 1);
    while (set->slots[at] != NULL && set->slots[at]->key != key)
        at = (at + 1) & (set->slot_count - 1);
    return &set->slots[at];
}

static bool set_grow(struct patient_set *set, struct err *err)
{
    struct patient_work **old = set->slots;
    unsigned old_count = set->slot_count;
    set->slot_count *= 2;
    set->slots = ARENA_ARRAY(set->arena, struct patient_work *, set->slot_count);
    if (set->slots == NULL)
        return out_of_memory(err);
    for (unsigned i = 0; i < old_count; i++)
        if (old[i] != NULL)
            *slot_of(set, old[i]->key) = old[i];
    return true;
}

bool patient_touch_key(struct patient_set *set, int64_t key, struct slice name,
                       struct patient_work **out, struct err *err)
{
    struct patient_work **slot = slot_of(set, key);
    if (*slot != NULL) {
        *out = *slot;
        return true;
    }
    struct slice row;
    struct patient_work *patient = ARENA_NEW(set->arena, struct patient_work);
    if (patient == NULL)
        return out_of_memory(err);
    patient->key = key;
    patient->name = name;
    if (!store_patient_load(set->tx, key, set->arena, &row, err) ||
        !state_read(row, set->arena, &patient->state, err))
        return false;
    *slot = patient;
    if (set->last != NULL)
        set->last->next = patient;
    else
        set->first = patient;
    set->last = patient;
    if (++set->count * 2 > set->slot_count && !set_grow(set, err))
        return false;
    *out = patient;
    return true;
}

bool patient_touch(struct patient_set *set, struct slice name, bool create,
                   struct patient_work **out, struct err *err)
{
    int64_t key;
    bool found;
    if (!store_patient_key(set->tx, set->tenant->tenant.number, name, create, &key, &found, err))
        return false;
    if (!found) {
        *out = NULL;
        return true;
    }
    return patient_touch_key(set, key, name, out, err);
}

/* --- events -------------------------------------------------------------------------------- */

static bool entry_pack(const struct event *event, struct arena *arena, struct state_entry *entry,
                       struct err *err)
{
    struct buffer *scratch = &(struct buffer){ 0 };
    buffer_init(scratch, 1 << 20);
    event_pack(event, scratch);
    entry->resource_key = event->resource_key;
    entry->type = event->type;
    entry->packed = arena_copy(arena, buffer_slice(scratch));
    bool is_whole = !buffer_overflowed(scratch) && !arena_overflowed(arena);
    buffer_fini(scratch);
    return is_whole || out_of_memory(err);
}

/* Codes of the Medication an order refers to, when it is already here. */
static bool resolve_medication(struct patient_set *set, struct event *event, struct err *err)
{
    struct slice reference = event->medication_reference;
    struct slice type = slice_take_until(&reference, '/');
    int32_t tenant = set->tenant->tenant.number;
    struct store_resource row;
    struct fhir_resource medication;
    struct slice body;
    struct err ignored;
    int64_t key;
    bool found;
    if (!slice_is(type, "Medication") || reference.len == 0)
        return true;
    if (!resource_key_of(set->ingest, set->tx, tenant, FHIR_MEDICATION, reference, &key, &found,
                         err))
        return false;
    if (!found)
        return true;
    if (!store_resource_get(set->tx, key, true, set->arena, &row, &found, err))
        return false;
    if (!found || row.is_deleted)
        return true;
    if (!body_unpack(row.body, set->arena, &body, err))
        return false;
    if (fhir_read(body, FHIR_MEDICATION, set->arena, &medication, &ignored)) {
        event->medication = medication.event.medication;
        event->medication_resolved = true;
    }
    return true;
}

static bool note_unmapped(struct patient_set *set, const struct event *event, struct err *err)
{
    struct event copy = *event;
    mapping_resolve(set->ingest->settings.mapping, &copy, set->arena);
    if (!copy.is_unmapped)
        return true;
    const struct concept *concept =
        event->type == FHIR_CONDITION ? &event->code : &event->medication;
    struct unmapped_row row = { .tenant = set->tenant->tenant.number,
                                .type = event->type,
                                .text = concept->text,
                                .count = 1,
                                .first_ms = set->now_ms,
                                .last_ms = set->now_ms };
    if (concept->count > 0) {
        const struct coding *coding = &concept->codings[0];
        row.system = coding->system == CODE_OTHER ? coding->system_uri
                                                  : slice_of(code_system_uri(coding->system));
        row.code = coding->code;
        row.text = SLICE(""); /* a code says enough; texts may hold more than a drug */
    }
    return store_unmapped_count(set->tx, &row, err);
}

/* Vital signs and most laboratory values tell nothing about therapy: they are stored, but on the
 * timeline they would only make every later event of the patient slower. */
static bool is_on_timeline(struct patient_set *set, const struct event *event)
{
    if (event->type != FHIR_OBSERVATION)
        return true;
    struct event copy = *event;
    mapping_resolve(set->ingest->settings.mapping, &copy, set->arena);
    return copy.observation != OBSERVATION_NONE;
}

bool patient_put(struct patient_set *set, struct patient_work *patient, struct event *event,
                 struct err *err)
{
    if (event->medication_reference.len > 0 && event->type != FHIR_MEDICATION) {
        if (!resolve_medication(set, event, err) ||
            !store_link_put(set->tx, set->tenant->tenant.number, event->medication_reference,
                            patient->key, err))
            return false;
    }
    bool has_code = event->type == FHIR_MEDICATION_REQUEST || event->type == FHIR_CONDITION ||
                    event_is_drug_use(event);
    if (has_code && !note_unmapped(set, event, err))
        return false;
    struct state_entry entry;
    struct state_entry *old =
        event->version > 1 ? state_find(&patient->state, event->resource_key) : NULL;
    if (old == NULL && !is_on_timeline(set, event))
        return true;
    if (old != NULL && event->type == FHIR_PATIENT && !merge_left(set, old, event, err))
        return false;
    if (!entry_pack(event, set->arena, &entry, err))
        return false;
    patient->is_dirty = true;
    if (old == NULL)
        return state_add(&patient->state, &entry, set->arena, err);
    *old = entry;
    return true;
}

bool patient_remove(struct patient_set *set, struct patient_work *patient,
                    const struct event *tombstone, struct err *err)
{
    struct state_entry *old = state_find(&patient->state, tombstone->resource_key);
    patient->is_dirty = true;
    return old == NULL || entry_pack(tombstone, set->arena, old, err);
}

/* --- Medications that change under their orders --------------------------------------------- */

static bool reread_orders(struct patient_set *set, struct patient_work *patient,
                          struct slice reference, const struct concept *codes, struct err *err)
{
    for (unsigned i = 0; i < patient->state.count; i++) {
        struct state_entry *entry = &patient->state.entries[i];
        struct event event;
        if (!fhir_type_is_timeline(entry->type))
            continue;
        if (!event_unpack(entry->packed, set->arena, &event, err))
            return false;
        if (!slice_eq(event.medication_reference, reference))
            continue;
        event.medication = codes != NULL ? *codes : (struct concept){ 0 };
        event.medication_resolved = codes != NULL;
        patient->is_dirty = true;
        if (!entry_pack(&event, set->arena, entry, err))
            return false;
    }
    return true;
}

bool patient_medication_changed(struct patient_set *set, struct slice reference,
                                const struct concept *codes, struct err *err)
{
    int64_t keys[INGEST_PATIENTS_PER_LINK_PAGE], after = 0;
    unsigned count;
    do {
        if (!store_link_scan(set->tx, set->tenant->tenant.number, reference, after, COUNT_OF(keys),
                             keys, &count, err))
            return false;
        for (unsigned i = 0; i < count; i++) {
            struct patient_work *patient;
            int32_t tenant;
            struct slice name;
            bool found;
            if (!store_patient_name(set->tx, keys[i], set->arena, &tenant, &name, &found, err))
                return false;
            if (found && (!patient_touch_key(set, keys[i], name, &patient, err) ||
                          !reread_orders(set, patient, reference, codes, err)))
                return false;
            after = keys[i];
        }
    } while (count == COUNT_OF(keys));
    return true;
}

/* --- derivation, plan, save ----------------------------------------------------------------- */

bool patient_events(struct ingest *ingest, const struct state *state, struct arena *arena,
                    struct event **out, size_t *count, struct err *err)
{
    struct event *events = arena_alloc_raw(arena, sizeof *events * (state->count + 1));
    if (events == NULL)
        return out_of_memory(err);
    size_t used = 0;
    for (unsigned i = 0; i < state->count; i++) {
        if (!fhir_type_is_timeline(state->entries[i].type))
            continue;
        if (!event_unpack(state->entries[i].packed, arena, &events[used], err))
            return false;
        mapping_resolve(ingest->settings.mapping, &events[used++], arena);
    }
    *out = events;
    *count = used;
    return true;
}

static bool is_retracted(const struct event *event)
{
    return event->status == STATUS_ENTERED_IN_ERROR ||
           event->verification_status == VERIFICATION_ENTERED_IN_ERROR ||
           event->verification_status == VERIFICATION_REFUTED;
}

static bool retracted_ids(const struct event *events, size_t count, struct arena *arena,
                          const struct slice **out, unsigned *out_count, struct err *err)
{
    struct slice *ids = NULL;
    unsigned used = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_retracted(&events[i]))
            continue;
        if (ids == NULL)
            ids = arena_alloc_raw(arena, sizeof *ids * count);
        if (ids == NULL)
            return out_of_memory(err);
        ids[used++] = arena_format(arena, "%s/%.*s", fhir_type_name(events[i].type),
                                   SLICE_ARGS(events[i].id));
    }
    *out = ids;
    *out_count = used;
    return true;
}

static unsigned kinds_of(const struct ingest_tenant *tenant)
{
    unsigned kinds = 0;
    for (unsigned i = 0; i < tenant->destination_count; i++)
        kinds |= tenant->destinations[i].kinds;
    return kinds;
}

/* A row that is not needed now is kept for the day on which the destination is told another way,
 * but nothing is due. */
static void leave_out(const struct ingest_destination *destination, struct outbox_row *row,
                      struct text *why)
{
    unsigned channels = destination->channels != NULL ? *destination->channels : 0;
    row->state = OUTBOX_PENDING;
    row->last_error = SLICE("");
    if (channels == 0 || (channels & POSTING_BIT(row->kind)) != 0 ||
        row->kind == POSTING_PROVENANCE)
        return;
    text_add(why, "told-by ");
    posting_kinds_write(channels, why);
    row->state = OUTBOX_SETTLED;
    row->last_error = text_slice(why);
}

static bool want_postings(struct patient_set *set, const struct patient_work *patient,
                          const struct merged *merged, const struct plan *plan, struct err *err)
{
    for (unsigned i = 0; i < plan->posting_count; i++) {
        const struct posting *posting = &plan->postings[i];
        struct outbox_row row = { .tenant = set->tenant->tenant.number,
                                  .patient = patient->key,
                                  .patient_name = patient->name,
                                  .kind = posting->kind,
                                  .wish = posting->wish,
                                  .disease = posting->disease,
                                  .identity = slice_of(posting->identity),
                                  .body = posting->body,
                                  .wanted = posting->digest,
                                  .due_ms = set->now_ms,
                                  .created_ms = set->now_ms,
                                  .changed_ms = set->now_ms };
        for (unsigned k = 0; k < set->tenant->destination_count; k++) {
            const struct ingest_destination *destination = &set->tenant->destinations[k];
            if ((destination->kinds & POSTING_BIT(posting->kind)) == 0)
                continue;
            char bytes[80];
            struct text why = TEXT(bytes);
            row.destination = destination->name;
            leave_out(destination, &row, &why);
            if (!store_outbox_want(set->tx, &row, err))
                return false;
            set->wrote_outbox = true;
        }
        if (!merge_move(set, merged, posting, err))
            return false;
    }
    return true;
}

static void note_death(const struct event *events, size_t count, struct plan_input *input)
{
    for (size_t i = 0; i < count; i++) {
        if (events[i].type != FHIR_PATIENT || !events[i].is_deceased)
            continue;
        input->is_deceased = true;
        input->deceased =
            events[i].deceased.precision == DATE_DAY ? events[i].deceased.first : date_none();
    }
}

static bool plan_postings(struct patient_set *set, struct patient_work *patient,
                          const struct merged *merged, const struct therapy *therapy,
                          const struct event *events, size_t count, struct err *err)
{
    const struct ingest_settings *settings = &set->ingest->settings;
    struct plan_input input = { .tenant = set->tenant->tenant.name,
                                .patient = patient->name,
                                .therapy = therapy,
                                .texts = settings->texts,
                                .rule_set = mapping_digest(settings->mapping),
                                .instance = slice_of(settings->instance),
                                .device =
                                    arena_format(set->arena, "Lifeline %s", settings->version),
                                .grade_min = settings->grade_min,
                                .extra_kinds = kinds_of(set->tenant),
                                .idle_kinds = ~kinds_of(set->tenant),
                                .today = therapy->as_of };
    struct posted *before;
    if (!posted_unpack(patient->state.posted, set->arena, &before, &input.before_count, err))
        return false;
    input.before = before;
    if (!retracted_ids(events, count, set->arena, &input.retracted, &input.retracted_count, err))
        return false;
    note_death(events, count, &input);
    struct plan *plan = arena_alloc_raw(set->arena, sizeof *plan);
    if (plan == NULL)
        return out_of_memory(err);
    if (!plan_make(&input, set->arena, plan, err) ||
        !want_postings(set, patient, merged, plan, err))
        return false;
    struct buffer *scratch = &set->ingest->lane_buffer;
    buffer_reset(scratch);
    posted_pack(plan->after, plan->after_count, scratch);
    patient->state.posted = arena_copy(set->arena, buffer_slice(scratch));
    return true;
}

/* What the record says of a derivation: enough to check the answer, nothing about a person. */
static void note_derivation(struct patient_set *set, const struct patient_work *patient,
                            const struct therapy *therapy)
{
    struct json_writer writer;
    char hex[SHA256_HEX_SIZE];
    struct sha256 digest = sha256_of_one(patient->state.derived);
    json_writer_init(&writer, set->detail, false);
    for (unsigned i = 0; i < therapy->history_count; i++) {
        const struct history *history = &therapy->histories[i];
        buffer_add(set->detail, set->detail->len == 0 ? SLICE("{\"derived\":[") : SLICE(","));
        writer.needs_comma[0] = false;
        json_object(&writer);
        json_put(&writer, "patient", patient->name);
        json_put(&writer, "disease", history->disease->key);
        json_put_integer(&writer, "lines", history->line_count);
        json_put_bool(&writer, "salvage", history->verdict.salvage);
        json_put_text(&writer, "grade", grade_name(history->verdict.grade));
        json_put_text(&writer, "digest", sha256_hex(&digest, hex));
        json_object_end(&writer);
    }
}

static bool patient_save(struct patient_set *set, struct patient_work *patient, struct err *err)
{
    struct buffer *scratch = &set->ingest->lane_buffer;
    struct event *events = NULL;
    size_t count = 0;
    struct merged merged = { .count = 0 };
    const struct merge_from from = { set, set->tx, set->arena };
    struct therapy *therapy = arena_alloc_raw(set->arena, sizeof *therapy);
    if (therapy == NULL)
        return out_of_memory(err);
    if (!patient->is_merged &&
        (!merge_gather(&from, patient->name, &patient->state, &merged, err) ||
         !merge_events(set->ingest, &merged, set->arena, &events, &count, err)))
        return false;
    if (!therapy_derive(mapping_rules(set->ingest->settings.mapping), events, count,
                        date_of_ms(set->now_ms), set->arena, therapy, err))
        return false;
    buffer_reset(scratch);
    derived_pack(therapy, scratch);
    bool is_changed = !slice_eq(patient->state.derived, buffer_slice(scratch));
    if (is_changed) {
        patient->state.derived = arena_copy(set->arena, buffer_slice(scratch));
        note_derivation(set, patient, therapy);
    }
    if (!plan_postings(set, patient, &merged, therapy, events, count, err))
        return false;
    buffer_reset(scratch);
    state_write(&patient->state, scratch);
    if (buffer_overflowed(scratch) || arena_overflowed(set->arena))
        return out_of_memory(err);
    return store_patient_save(set->tx, patient->key, buffer_slice(scratch),
                              therapy->next_change.day, err);
}

bool patient_set_save(struct patient_set *set, struct err *err)
{
    if (!merge_link(set, err))
        return false;
    /* Those that were merged come last: what the survivors have taken over need not end. */
    for (unsigned is_merged = 0; is_merged < 2; is_merged++)
        for (struct patient_work *patient = set->first; patient != NULL; patient = patient->next)
            if (patient->is_dirty && patient->is_merged == is_merged &&
                !patient_save(set, patient, err))
                return false;
    if (set->detail->len > 0)
        buffer_add(set->detail, SLICE("]}"));
    return true;
}
