/* Texts to items, one document after another, each alone: chunks can be read on any thread. */
#include "app/offline_int.h"
#include "base/json.h"
#include "base/pool.h"
#include "fhir/to_r4.h"

/* One Bundle, or one resource, while it is read. */
struct document {
    struct offline_chunk *chunk;
    unsigned line;
    unsigned first;             /* item */
    struct offline_names names; /* of a Bundle: full URLs, names and identifiers to items */
    unsigned entry;             /* number of the entry, from 1; 0 outside of Bundles */
};

struct offline_chunk *offline_chunk_new(const struct offline_source *source, struct slice text)
{
    struct offline_chunk *chunk = pool_new(sizeof *chunk);

    chunk->source = *source;
    chunk->text = text;
    chunk->last_refusal = &chunk->refusals;
    buffer_init(&chunk->own, OFFLINE_ARENA_BYTES);
    buffer_init(&chunk->packed, OFFLINE_ARENA_BYTES);
    arena_init(&chunk->arena, OFFLINE_ARENA_BYTES);
    return chunk;
}

struct buffer *offline_chunk_buffer(struct offline_chunk *chunk) { return &chunk->own; }

void offline_chunk_source(struct offline_chunk *chunk, const struct offline_source *source)
{
    chunk->source = *source;
}

void offline_chunk_free(struct offline_chunk *chunk)
{
    pool_free(chunk->items);
    buffer_fini(&chunk->own);
    buffer_fini(&chunk->packed);
    arena_fini(&chunk->arena);
    pool_free(chunk);
}

static void refuse(struct offline_chunk *chunk, unsigned line, const struct err *err)
{
    struct offline_refusal *refusal = ARENA_NEW(&chunk->arena, struct offline_refusal);

    CHECK(refusal != NULL);
    *refusal = (struct offline_refusal){ line, *err, NULL };
    *chunk->last_refusal = refusal;
    chunk->last_refusal = &refusal->next;
}

/* --- one resource ---------------------------------------------------------------------------- */

/* Bundles from systems that assign ids later have only a fullUrl: its last part serves as id. */
static struct slice id_from_url(struct slice url)
{
    size_t start = url.len;

    while (start > 0 && url.at[start - 1] != '/' && url.at[start - 1] != ':')
        start--;
    return slice_skip(url, start);
}

static struct slice id_of(const struct document *document, const struct fhir_resource *resource,
                          struct slice full_url)
{
    struct offline_chunk *chunk = document->chunk;
    struct slice id = resource->id;

    if (id.len == 0)
        id = id_from_url(full_url);
    if (id.len == 0)
        id = arena_format(&chunk->arena, "unnamed-%u-%u-%u", chunk->source.file, document->line,
                          document->entry);
    return id;
}

static struct slice name_of(const struct offline_item *item, struct arena *arena)
{
    return arena_format(arena, "%s/%.*s", fhir_type_name(item->type), SLICE_ARGS(item->id));
}

static struct offline_item *new_item(struct offline_chunk *chunk)
{
    if (chunk->count == chunk->room) {
        chunk->room = chunk->room > 0 ? chunk->room * 2 : 64;
        chunk->items = pool_resize(chunk->items, chunk->room * sizeof chunk->items[0]);
    }
    struct offline_item *item = &chunk->items[chunk->count++];
    *item = (struct offline_item){ .document = chunk->documents };
    return item;
}

/* Where a Bundle's entry stands: on a line of its own in files for people, else in one line. */
static unsigned line_of(const struct document *document, const struct fhir_resource *resource)
{
    unsigned line = 0, column = 0;
    const struct slice whole = document->chunk->text;

    if (document->line > 0 || resource == NULL || resource->source.at == NULL)
        return document->line;
    if (resource->source.at < whole.at || resource->source.at > whole.at + whole.len)
        return 0;
    json_position(whole, (size_t)(resource->source.at - whole.at), &line, &column);
    return line;
}

static void keep_aliases(struct offline_item *item, const struct fhir_resource *resource,
                         struct slice full_url, struct arena *arena)
{
    item->aliases = ARENA_ARRAY(arena, struct slice, resource->identifier_count + 1);
    if (item->aliases == NULL)
        return;
    if (full_url.len > 0)
        item->aliases[item->alias_count++] = full_url;
    for (unsigned i = 0; i < resource->identifier_count; i++)
        item->aliases[item->alias_count++] = resource->identifiers[i];
}

/* `resource` is kept in `event` until the document is whole: references may point forward. */
static void add_item(struct document *document, struct slice full_url,
                     struct fhir_resource *resource)
{
    struct offline_chunk *chunk = document->chunk;

    if (!fhir_type_is_timeline(resource->type) && resource->type != FHIR_MEDICATION)
        return; /* a type that tells nothing about therapy */
    unsigned number = chunk->count;
    struct offline_item *item = new_item(chunk);
    item->type = resource->type;
    item->id = id_of(document, resource, full_url);
    item->event = &resource->event;
    item->line = document->line;
    resource->event.id = item->id;
    if (resource->event.version == 0)
        resource->event.version = 1;
    if (item->type == FHIR_PATIENT)
        keep_aliases(item, resource, full_url, &chunk->arena);
    if (document->entry == 0)
        return;
    names_put(&document->names, name_of(item, &chunk->arena), number, true);
    if (full_url.len > 0)
        names_put(&document->names, full_url, number, true);
    for (unsigned i = 0; i < item->alias_count; i++)
        names_put(&document->names, item->aliases[i], number, true);
}

/* --- references ------------------------------------------------------------------------------ */

static struct slice meant(const struct document *document, struct slice reference)
{
    unsigned number = 0;

    if (names_find(&document->names, reference, &number))
        return name_of(&document->chunk->items[number], &document->chunk->arena);
    return offline_tail_of_url(reference);
}

static struct slice patient_of(const struct document *document, const struct offline_item *item,
                               const struct fhir_resource *resource)
{
    struct arena *arena = &document->chunk->arena;
    unsigned number = 0;

    if (item->type == FHIR_MEDICATION)
        return SLICE("");
    if (item->type == FHIR_PATIENT)
        return name_of(item, arena);
    if (resource->subject.len > 0) {
        struct slice subject = meant(document, resource->subject);
        return subject.len > 0 ? subject : resource->subject;
    }
    if (names_find(&document->names, resource->subject_identifier, &number))
        return name_of(&document->chunk->items[number], arena);
    return resource->subject_identifier.len == 0
               ? SLICE("")
               : arena_format(arena, "identifier %.*s", SLICE_ARGS(resource->subject_identifier));
}

/* The Medication that an order points to lends it its codes. */
static void take_medication(const struct document *document, struct event *event)
{
    unsigned number = 0;

    if (event->medication_reference.len == 0 || event->medication_resolved ||
        !names_find(&document->names, event->medication_reference, &number))
        return;
    const struct offline_item *found = &document->chunk->items[number];
    if (found->type != FHIR_MEDICATION)
        return;
    event->medication = found->event->medication;
    event->medication_resolved = true;
}

static void rewrite(const struct document *document, struct fhir_resource *resource)
{
    for (unsigned i = 0; i < resource->patch_count; i++) {
        const struct fhir_patch *patch = &resource->patches[i];
        struct slice target = patch->target != NULL ? meant(document, patch->value) : SLICE("");
        if (target.len > 0)
            *patch->target = target;
    }
}

static void pack(struct offline_chunk *chunk, struct offline_item *item)
{
    buffer_reset(&chunk->packed);
    event_pack(item->event, &chunk->packed);
    item->packed = arena_copy(&chunk->arena, buffer_slice(&chunk->packed));
    item->event = NULL;
}

/* The whole document is known: what its references mean can be told. */
static void finish_document(struct document *document)
{
    struct offline_chunk *chunk = document->chunk;
    unsigned kept = document->first;

    for (unsigned i = document->first; i < chunk->count; i++) {
        struct offline_item *item = &chunk->items[i];
        struct fhir_resource *resource = CONTAINER_OF(item->event, struct fhir_resource, event);
        take_medication(document, item->event);
        rewrite(document, resource);
        item->patient = patient_of(document, item, resource);
        if (item->patient.len == 0 && item->type != FHIR_MEDICATION) {
            struct err err;
            err_fail(&err, ERR_REQUIRED, fhir_type_name(item->type), "names no patient");
            refuse(chunk, line_of(document, resource), &err);
            item->type = FHIR_NONE;
        }
    }
    for (unsigned i = document->first; i < chunk->count; i++) {
        struct offline_item *item = &chunk->items[i];
        if (item->type == FHIR_NONE)
            continue;
        pack(chunk, item);
        chunk->items[kept++] = *item;
    }
    chunk->count = kept;
    chunk->documents++;
    names_free(&document->names);
}

/* --- documents ------------------------------------------------------------------------------- */

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
static bool read_as_r4(struct arena *arena, struct slice text, struct fhir_resource *resource)
{
    struct slice changed;
    struct err ignored; /* the first fault is the one to tell */

    return fhir_to_r4(text, arena, &changed) &&
           fhir_read(changed, FHIR_NONE, arena, resource, &ignored);
}

#define BUNDLES_DEEP_MAX 4

static void add_bundle(struct document *document, struct slice text, unsigned depth);

static void add_entry(struct document *document, const struct fhir_entry *entry, unsigned depth)
{
    struct offline_chunk *chunk = document->chunk;
    struct fhir_resource *resource = entry->resource;
    bool is_sound = entry->fault.code == ERR_OK;

    document->entry++;
    if (resource == NULL) {
        if (!is_sound)
            refuse(chunk, document->line, &entry->fault);
        return;
    }
    if (resource->type == FHIR_BUNDLE && depth < BUNDLES_DEEP_MAX) {
        add_bundle(document, resource->source, depth + 1);
        return;
    }
    unsigned line = is_sound ? 0 : line_of(document, resource);
    bool tells_nothing = resource->type == FHIR_NONE && resource->type_name.len > 0;
    if (!is_sound || looks_foreign(resource))
        is_sound = read_as_r4(&chunk->arena, resource->source, resource) || is_sound;
    if (is_sound)
        add_item(document, entry->full_url, resource);
    else if (!tells_nothing)
        refuse(chunk, line, &entry->fault);
}

static void add_bundle(struct document *document, struct slice text, unsigned depth)
{
    struct offline_chunk *chunk = document->chunk;
    struct fhir_bundle bundle;
    struct err err;

    if (!fhir_read_bundle(text, OFFLINE_ENTRIES_MAX, &chunk->arena, &bundle, &err)) {
        refuse(chunk, document->line, &err);
        return;
    }
    for (unsigned i = 0; i < bundle.count; i++)
        add_entry(document, &bundle.entries[i], depth);
}

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

/* Nearly everybody writes the type first; who does not costs a reading of the text up to it. */
static bool is_bundle(struct slice text, struct arena *arena)
{
    static const struct json_events events = { probe_value, probe_nothing, probe_nothing };
    static const char first[] = "{\"resourceType\":\"";
    struct probe probe = { false, false };
    struct err ignored; /* what is wrong with the text is told by the reader that follows */

    if (slice_starts(text, SLICE(first)))
        return slice_starts(slice_skip(text, sizeof first - 1), SLICE("Bundle\""));
    return !json_read(text, NULL, &events, &probe, arena, &ignored) && probe.is_bundle;
}

static void read_document(struct offline_chunk *chunk, unsigned line, struct slice text)
{
    struct document document = { .chunk = chunk, .line = line, .first = chunk->count };
    struct err err;

    if (is_bundle(text, &chunk->arena)) {
        add_bundle(&document, text, 1);
        finish_document(&document);
        return;
    }
    struct fhir_resource *resource = ARENA_NEW(&chunk->arena, struct fhir_resource);
    CHECK(resource != NULL);
    bool is_sound = fhir_read(text, FHIR_NONE, &chunk->arena, resource, &err);
    if (!is_sound || looks_foreign(resource))
        is_sound = read_as_r4(&chunk->arena, text, resource) || is_sound;
    if (!is_sound) {
        refuse(chunk, line, &err);
        return;
    }
    add_item(&document, SLICE(""), resource);
    finish_document(&document);
}

static struct slice trimmed(struct slice text)
{
    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        text = slice_skip(text, 3);
    while (text.len > 0 && memchr(" \t\r\n", text.at[0], 4) != NULL)
        text = slice_skip(text, 1);
    while (text.len > 0 && memchr(" \t\r\n", text.at[text.len - 1], 4) != NULL)
        text.len--;
    return text;
}

void offline_read(struct offline_chunk *chunk)
{
    if (chunk->own.len > 0)
        chunk->text = buffer_slice(&chunk->own);
    struct slice rest = chunk->text;
    if (chunk->source.line == 0) {
        read_document(chunk, 0, trimmed(rest));
        return;
    }
    for (unsigned line = chunk->source.line; rest.len > 0; line++) {
        struct slice one = trimmed(slice_take_until(&rest, '\n'));
        if (one.len > 0)
            read_document(chunk, line, one);
    }
}
