#include "app/offline.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/pool.h"
#include "fhir/to_r4.h"

struct item {
    struct fhir_resource *resource;
    struct slice name; /* "Condition/c1" */
    const char *source;
    unsigned line;
    bool is_replaced; /* a later one has the same name */
};

/* Texts to numbers, open addressing; keys are names, full URLs and identifiers of patients. */
struct names {
    struct slot {
        struct slice text;
        unsigned number; /* + 1; 0 is free */
    } * slots;
    unsigned room, used;
};

struct offline {
    struct arena arena;
    offline_refused *refused;
    void *ctx;
    unsigned refused_count;
    struct item *items;
    unsigned count, room;
    struct names items_by_name, patients_by_name;
    struct offline_patient *patients;
    unsigned patient_count, patient_room;
};

/* --- names ------------------------------------------------------------------------------------ */

static struct slot *slot_of(const struct names *names, struct slice text)
{
    unsigned at = (unsigned)table_hash(text) & (names->room - 1);

    while (names->slots[at].number != 0 && !slice_eq(names->slots[at].text, text))
        at = (at + 1) & (names->room - 1);
    return &names->slots[at];
}

static void names_grow(struct names *names)
{
    struct names larger = { .room = names->room > 0 ? names->room * 2 : 1024 };

    larger.slots = pool_new(larger.room * sizeof larger.slots[0]);
    for (unsigned i = 0; i < names->room; i++) {
        if (names->slots[i].number == 0)
            continue;
        *slot_of(&larger, names->slots[i].text) = names->slots[i];
        larger.used++;
    }
    pool_free(names->slots);
    *names = larger;
}

/* The number kept under `text`; it becomes `number` when the text is new or `replaces` is true. */
static unsigned names_put(struct names *names, struct slice text, unsigned number, bool replaces)
{
    if (names->used * 2 >= names->room)
        names_grow(names);
    struct slot *slot = slot_of(names, text);
    unsigned before = slot->number;
    if (before == 0)
        names->used++;
    if (before == 0 || replaces)
        *slot = (struct slot){ text, number + 1 };
    return before != 0 ? before - 1 : number;
}

static bool names_find(const struct names *names, struct slice text, unsigned *number)
{
    if (names->room == 0 || text.len == 0)
        return false;
    const struct slot *slot = slot_of(names, text);
    if (slot->number != 0)
        *number = slot->number - 1;
    return slot->number != 0;
}

/* --- input ------------------------------------------------------------------------------------ */

struct offline *offline_open(offline_refused *refused, void *ctx)
{
    struct offline *offline = pool_new(sizeof *offline);

    arena_init(&offline->arena, OFFLINE_ARENA_BYTES);
    offline->refused = refused;
    offline->ctx = ctx;
    return offline;
}

void offline_close(struct offline *offline)
{
    for (unsigned i = 0; i < offline->patient_count; i++)
        pool_free(offline->patients[i].events);
    pool_free(offline->patients);
    pool_free(offline->items);
    pool_free(offline->items_by_name.slots);
    pool_free(offline->patients_by_name.slots);
    arena_fini(&offline->arena);
    pool_free(offline);
}

static void refuse(struct offline *offline, const char *source, unsigned line,
                   const struct err *err)
{
    offline->refused_count++;
    offline->refused(offline->ctx, source, line, err);
}

/* Bundles from systems that assign ids later have only a fullUrl: its last part serves as id. */
static struct slice id_from_url(struct slice url)
{
    size_t start = url.len;

    while (start > 0 && url.at[start - 1] != '/' && url.at[start - 1] != ':')
        start--;
    return slice_skip(url, start);
}

static void add_item(struct offline *offline, const char *source, unsigned line,
                     struct slice full_url, struct fhir_resource *resource)
{
    struct slice id = resource->id;

    if (resource->type == FHIR_NONE)
        return; /* a type that tells nothing about therapy */
    if (id.len == 0)
        id = id_from_url(full_url);
    if (id.len == 0)
        id = arena_format(&offline->arena, "unnamed-%u", offline->count + 1);
    resource->event.id = id;
    if (resource->event.version == 0)
        resource->event.version = 1;

    if (offline->count == offline->room) {
        offline->room = offline->room > 0 ? offline->room * 2 : 256;
        offline->items = pool_resize(offline->items, offline->room * sizeof offline->items[0]);
    }
    struct slice name =
        arena_format(&offline->arena, "%s/%.*s", fhir_type_name(resource->type), SLICE_ARGS(id));
    unsigned number = offline->count++;
    offline->items[number] = (struct item){ resource, name, source, line, false };
    unsigned before = names_put(&offline->items_by_name, name, number, true);
    if (before != number)
        offline->items[before].is_replaced = true;
    if (full_url.len > 0)
        names_put(&offline->items_by_name, full_url, number, true);
    for (unsigned i = 0; resource->type == FHIR_PATIENT && i < resource->identifier_count; i++)
        names_put(&offline->items_by_name, resource->identifiers[i], number, true);
}

/* Sound as R4, but with what another version calls otherwise: nothing would be read of it. */
static bool looks_foreign(const struct fhir_resource *resource)
{
    const struct event *event = &resource->event;
    return slice_is(resource->type_name, "MedicationOrder") ||
           (resource->type == FHIR_PROCEDURE && event->effective.precision == DATE_ABSENT) ||
           (resource->type == FHIR_CONDITION && event->onset.precision == DATE_ABSENT &&
            event->recorded.precision == DATE_ABSENT);
}

/* Once more, in the form of R4; the resource stays what it was when that does not help. */
static bool read_as_r4(struct offline *offline, struct slice text, struct fhir_resource *resource)
{
    struct slice changed;
    struct err ignored; /* the first fault is the one to tell */

    return fhir_to_r4(text, &offline->arena, &changed) &&
           fhir_read(changed, FHIR_NONE, &offline->arena, resource, &ignored);
}

#define BUNDLES_DEEP_MAX 4

static void add_bundle(struct offline *offline, const char *source, unsigned line,
                       struct slice text, unsigned depth);

static void add_entry(struct offline *offline, const char *source, unsigned line,
                      const struct fhir_entry *entry, unsigned depth)
{
    struct fhir_resource *resource = entry->resource;
    bool is_sound = entry->fault.code == ERR_OK;
    if (resource == NULL) {
        if (!is_sound)
            refuse(offline, source, line, &entry->fault);
        return;
    }
    if (resource->type == FHIR_BUNDLE && depth < BUNDLES_DEEP_MAX) {
        add_bundle(offline, source, line, resource->source, depth + 1);
        return;
    }
    bool tells_nothing = resource->type == FHIR_NONE && resource->type_name.len > 0;
    if (!is_sound || looks_foreign(resource))
        is_sound = read_as_r4(offline, resource->source, resource) || is_sound;
    if (is_sound)
        add_item(offline, source, line, entry->full_url, resource);
    else if (!tells_nothing)
        refuse(offline, source, line, &entry->fault);
}

static void add_bundle(struct offline *offline, const char *source, unsigned line,
                       struct slice text, unsigned depth)
{
    struct fhir_bundle bundle;
    struct err err;

    if (!fhir_read_bundle(text, OFFLINE_ENTRIES_MAX, &offline->arena, &bundle, &err)) {
        refuse(offline, source, line, &err);
        return;
    }
    for (unsigned i = 0; i < bundle.count; i++)
        add_entry(offline, source, line, &bundle.entries[i], depth);
}

/* --- one text: a Bundle, a resource, or lines of them ----------------------------------------- */

struct probe {
    bool is_found, is_bundle;
};

static bool probe_value(void *ctx, struct json_reader *reader, enum json_kind kind,
                        struct slice text)
{
    struct probe *probe = ctx;

    if (kind != JSON_STRING || !slice_is(json_path(reader), "resourceType"))
        return true;
    probe->is_found = true;
    probe->is_bundle = slice_is(text, "Bundle");
    return json_fail(reader, ERR_INVALID, "found"); /* nothing more is wanted */
}

static bool probe_nothing(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    (void)ctx;
    (void)reader;
    (void)kind;
    return true;
}

static bool is_bundle(struct offline *offline, struct slice text)
{
    static const struct json_events events = { probe_value, probe_nothing, probe_nothing };
    struct probe probe = { false, false };
    struct err ignored; /* what is wrong with the text is told by the reader that follows */

    return !json_read(text, NULL, &events, &probe, &offline->arena, &ignored) && probe.is_bundle;
}

static void add_one(struct offline *offline, const char *source, unsigned line, struct slice text)
{
    struct err err;

    if (is_bundle(offline, text)) {
        add_bundle(offline, source, line, text, 1);
        return;
    }
    struct fhir_resource *resource = ARENA_NEW(&offline->arena, struct fhir_resource);
    bool is_sound = false;
    if (resource == NULL)
        err_fail(&err, ERR_TOO_LARGE, source, "the input is larger than memory's limit");
    else
        is_sound = fhir_read(text, FHIR_NONE, &offline->arena, resource, &err);
    if (resource != NULL && (!is_sound || looks_foreign(resource)))
        is_sound = read_as_r4(offline, text, resource) || is_sound;
    if (is_sound)
        add_item(offline, source, line, SLICE(""), resource);
    else
        refuse(offline, source, line, &err);
}

static struct slice trimmed(struct slice text)
{
    while (text.len > 0 && memchr(" \t\r\n", text.at[0], 4) != NULL)
        text = slice_skip(text, 1);
    while (text.len > 0 && memchr(" \t\r\n", text.at[text.len - 1], 4) != NULL)
        text.len--;
    return text;
}

/* NDJSON: the first line closes what it opens, and another one begins behind it. */
static bool is_lines(struct slice text)
{
    struct slice rest = text;
    struct slice first = trimmed(slice_take_until(&rest, '\n'));
    rest = trimmed(rest);
    return first.len > 1 && first.at[0] == '{' && first.at[first.len - 1] == '}' && rest.len > 0 &&
           rest.at[0] == '{';
}

void offline_add(struct offline *offline, const char *source, struct slice text)
{
    text = trimmed(slice_starts(text, SLICE("\xef\xbb\xbf")) ? slice_skip(text, 3) : text);
    if (!is_lines(text)) {
        add_one(offline, source, 0, text);
        return;
    }
    for (unsigned line = 1; text.len > 0; line++) {
        struct slice one = trimmed(slice_take_until(&text, '\n'));
        if (one.len > 0)
            add_one(offline, source, line, one);
    }
}

/* --- references ------------------------------------------------------------------------------- */

/* "https://ehr/fhir/Patient/1/_history/2" -> "Patient/1"; empty when it does not look like it. */
static struct slice tail_of_url(struct slice url)
{
    const char *history = url.len > 0 ? memmem(url.at, url.len, "/_history/", 10) : NULL;
    if (history != NULL)
        url.len = (size_t)(history - url.at);

    size_t slash = url.len;
    while (slash > 0 && url.at[slash - 1] != '/')
        slash--;
    if (slash < 2 || slash == url.len)
        return SLICE("");
    size_t start = slash - 1;
    while (start > 0 && url.at[start - 1] != '/')
        start--;
    struct slice type = { url.at + start, slash - 1 - start };
    return fhir_type_of(type) != FHIR_NONE ? slice_skip(url, start) : SLICE("");
}

/* What a reference means inside this input: the name of a resource we have, or "Type/id". */
static struct slice meant(void *ctx, struct slice reference)
{
    const struct offline *offline = ctx;
    unsigned number = 0;

    if (names_find(&offline->items_by_name, reference, &number))
        return offline->items[number].name;
    return tail_of_url(reference);
}

/* The Medication that an order points to lends it its codes. */
static void take_medication(const struct offline *offline, struct event *event)
{
    unsigned number = 0;

    if (event->medication_reference.len == 0 || event->medication_resolved ||
        !names_find(&offline->items_by_name, event->medication_reference, &number))
        return;
    const struct fhir_resource *found = offline->items[number].resource;
    if (found->type != FHIR_MEDICATION)
        return;
    event->medication = found->event.medication;
    event->medication_resolved = true;
}

static struct slice patient_of(struct offline *offline, const struct item *item)
{
    unsigned number = 0;

    if (item->resource->type == FHIR_PATIENT)
        return item->name;
    struct slice subject = meant(offline, item->resource->subject);
    if (subject.len > 0)
        return subject;
    if (item->resource->subject.len > 0)
        return item->resource->subject;
    struct slice identifier = item->resource->subject_identifier;
    if (names_find(&offline->items_by_name, identifier, &number))
        return offline->items[number].name;
    return identifier.len == 0
               ? identifier
               : arena_format(&offline->arena, "identifier %.*s", SLICE_ARGS(identifier));
}

static void add_event(struct offline *offline, struct slice name, struct event *event)
{
    unsigned number = names_put(&offline->patients_by_name, name, offline->patient_count, false);

    if (number == offline->patient_count) {
        if (offline->patient_count == offline->patient_room) {
            offline->patient_room = offline->patient_room > 0 ? offline->patient_room * 2 : 64;
            offline->patients =
                pool_resize(offline->patients, offline->patient_room * sizeof *offline->patients);
        }
        offline->patients[offline->patient_count++] = (struct offline_patient){ .name = name };
    }
    struct offline_patient *patient = &offline->patients[number];
    if (patient->count == patient->room) {
        patient->room = patient->room > 0 ? patient->room * 2 : 16;
        patient->events = pool_resize(patient->events, patient->room * sizeof patient->events[0]);
    }
    patient->events[patient->count++] = event;
}

static void place(struct offline *offline, struct item *item)
{
    struct fhir_resource *resource = item->resource;
    struct err err;

    if (resource->patch_count > 0 &&
        !fhir_rewrite(resource, meant, offline, &offline->arena, &err)) {
        refuse(offline, item->source, item->line, &err);
        return;
    }
    take_medication(offline, &resource->event);
    struct slice patient = patient_of(offline, item);
    if (patient.len > 0) {
        add_event(offline, patient, &resource->event);
        return;
    }
    err_fail(&err, ERR_REQUIRED, item->name.at, "names no patient");
    refuse(offline, item->source, item->line, &err);
}

void offline_finish(struct offline *offline)
{
    for (unsigned i = 0; i < offline->count; i++) {
        struct item *item = &offline->items[i];
        if (!item->is_replaced && fhir_type_is_timeline(item->resource->type))
            place(offline, item);
    }
}

unsigned offline_patient_count(const struct offline *offline) { return offline->patient_count; }

const struct offline_patient *offline_patient(const struct offline *offline, unsigned index)
{
    CHECK(index < offline->patient_count);
    return &offline->patients[index];
}

unsigned offline_refused_count(const struct offline *offline) { return offline->refused_count; }

bool offline_derive(const struct offline_patient *patient, const struct mapping *mapping,
                    const struct rules *rules, struct date as_of, struct arena *arena,
                    struct therapy *out, struct err *err)
{
    struct event *events = ARENA_ARRAY(arena, struct event, patient->count);

    if (events == NULL)
        return err_fail(err, ERR_TOO_LARGE, "timeline", "larger than memory's limit");
    for (unsigned i = 0; i < patient->count; i++) {
        events[i] = *patient->events[i];
        mapping_resolve(mapping, &events[i], arena);
    }
    return therapy_derive(rules, events, patient->count, as_of, arena, out, err);
}
