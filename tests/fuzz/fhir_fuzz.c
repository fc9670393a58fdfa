/* FHIR JSON: any bytes are read as a resource and as a Bundle.  What is accepted must survive being
 * stamped: the same reading again, but for id and meta. */
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "fhir/read.h"
#include "fhir/stamp.h"
#include "fhir/write.h"

#define ARENA_MAX ((size_t)64 << 20)
#define NEW_ID SLICE("l0000000000abcd")

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena arena;
static struct buffer before, after;

/* The event as the store would keep it, without what stamping changes. */
static void pack(const struct event *event, struct buffer *out)
{
    struct event copy = *event;
    copy.id = NEW_ID;
    copy.status_changed = (struct date_span){ { 0 }, { 0 }, DATE_ABSENT };
    buffer_reset(out);
    event_pack(&copy, out);
    CHECK(!buffer_overflowed(out));
}

static void check_same(const struct fhir_resource *a, const struct fhir_resource *b)
{
    CHECK(a->type == b->type);
    CHECK(slice_eq(a->type_name, b->type_name));
    CHECK(slice_eq(b->id, NEW_ID));
    CHECK(slice_eq(a->subject, b->subject));
    CHECK(slice_eq(a->subject_identifier, b->subject_identifier));
    CHECK(a->identifier_count == b->identifier_count);
    for (unsigned i = 0; i < a->identifier_count; i++)
        CHECK(slice_eq(a->identifiers[i], b->identifiers[i]));
    CHECK(a->patch_count == b->patch_count);
    for (unsigned i = 0; i < a->patch_count; i++)
        CHECK(slice_eq(a->patches[i].value, b->patches[i].value));
    pack(&a->event, &before);
    pack(&b->event, &after);
    CHECK(slice_eq(buffer_slice(&before), buffer_slice(&after)));
}

/* Deeper nesting than is allowed may be reached only together with the Bundle around it, never by
 * stamping, so a resource that was read once is read again. */
static void check_stamped(const struct fhir_resource *resource)
{
    struct fhir_resource again;
    struct slice stamped;
    struct err err;
    CHECK(fhir_stamp(resource->source, NEW_ID, 3, 1732350600123, &arena, &stamped, &err));
    CHECK(fhir_read(stamped, resource->type, &arena, &again, &err));
    check_same(resource, &again);
}

/* A refusal is an OperationOutcome that is itself sound FHIR JSON. */
static void check_refusal(const struct err *err)
{
    struct fhir_resource outcome;
    struct err unused;
    CHECK(err->code != ERR_OK);
    buffer_reset(&after);
    fhir_write_outcome(err, &after);
    CHECK(fhir_read(buffer_slice(&after), FHIR_OPERATION_OUTCOME, &arena, &outcome, &unused));
}

static struct slice upper(void *ctx, struct slice value)
{
    (void)ctx;
    return value.len % 2 == 0 ? SLICE("Patient/\"re\\written\"") : SLICE("");
}

/* Every string that was noted can be replaced, and the result is read again. */
static void check_rewritten(struct fhir_resource *resource)
{
    struct fhir_resource again;
    struct err err;
    unsigned patches = resource->patch_count;
    CHECK(fhir_rewrite(resource, upper, NULL, &arena, &err));
    CHECK(fhir_read(resource->source, resource->type, &arena, &again, &err));
    CHECK(again.type == resource->type);
    CHECK(resource->patch_count == patches);
}

static void try_resource(struct slice body)
{
    struct fhir_resource resource;
    struct err err = { .code = ERR_OK };
    if (!fhir_read(body, FHIR_NONE, &arena, &resource, &err)) {
        check_refusal(&err);
        return;
    }
    check_stamped(&resource);
    check_rewritten(&resource);
}

static void try_bundle(struct slice body)
{
    struct fhir_bundle bundle;
    struct err err = { .code = ERR_OK };
    if (!fhir_read_bundle(body, 50, &arena, &bundle, &err)) {
        check_refusal(&err);
        return;
    }
    for (unsigned i = 0; i < bundle.count; i++) {
        struct fhir_entry *entry = &bundle.entries[i];
        if (entry->fault.code != ERR_OK)
            check_refusal(&entry->fault);
        else if (entry->resource != NULL)
            check_stamped(entry->resource);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice body = { (const char *)data, size };
    arena_init(&arena, ARENA_MAX);
    buffer_init(&before, 1 << 24);
    buffer_init(&after, 1 << 24);
    try_resource(body);
    try_bundle(body);
    buffer_fini(&before);
    buffer_fini(&after);
    arena_fini(&arena);
    return 0;
}
