/* fhir/read.h -- FHIR R4 JSON in: one resource, or a Bundle of them, in one pass.
 *
 * What      a table of paths fills a neutral draft; the closing brace decides by resourceType.
 *           Unknown elements are ignored here and preserved in the stored bytes.  Contained
 *           Medications are resolved; modifierExtension and implicitRules are refused.
 * Owns      slices live in `arena` or borrow from `body`.
 * Errors    ERR_STRUCTURE, ERR_INVALID, ERR_REQUIRED, ERR_VALUE, ERR_EXTENSION, ERR_TOO_LARGE,
 *           with the element's path; never a value of the resource.
 * Thread    any.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "domain/event.h"
#include "http/message.h"

#define FHIR_IDENTIFIERS_MAX 16

/* A string in the source that may have to be replaced once the Bundle is known. */
struct fhir_patch {
    size_t offset, len;   /* of the characters between the quotes, within `source` */
    struct slice value;   /* as read */
    struct slice *target; /* the slice of the event (or subject) that holds it; may be NULL */
};

struct fhir_resource {
    enum fhir_type type;             /* FHIR_NONE when Lifeline does not know the type */
    struct slice type_name;          /* as sent */
    struct slice id;                 /* empty when absent */
    struct slice source;             /* the bytes of the resource, within the body */
    struct event event;              /* reduced; for Medication the codes are in event.medication */
    struct slice subject;            /* subject/patient reference as sent; empty when absent */
    struct slice subject_identifier; /* "system|value" */
    struct slice identifiers[FHIR_IDENTIFIERS_MAX]; /* "system|value" of the resource's own */
    unsigned identifier_count;
    struct fhir_patch *patches;
    unsigned patch_count;
};

/* A resource that stands alone; `expected` is checked when it is not FHIR_NONE. */
bool fhir_read(struct slice body, enum fhir_type expected, struct arena *arena,
               struct fhir_resource *out, struct err *err) MUST_USE;

enum bundle_type {
    BUNDLE_OTHER,
    BUNDLE_TRANSACTION,
    BUNDLE_BATCH,
    BUNDLE_COLLECTION,
    BUNDLE_SEARCHSET,
    BUNDLE_MESSAGE,
    BUNDLE_DOCUMENT,
    BUNDLE_HISTORY,
};

struct fhir_entry {
    struct slice full_url;
    bool has_request, has_resource;
    enum http_verb verb;
    struct slice url; /* request.url: "Patient/p1", "MedicationRequest", "Flag?identifier=.." */
    struct slice if_match, if_none_match, if_none_exist, if_modified_since;
    struct fhir_resource *resource; /* NULL without one */
    struct err fault; /* what is wrong with this entry alone (batch); code ERR_OK when nothing */
};

struct fhir_bundle {
    enum bundle_type type;
    struct fhir_entry *entries;
    unsigned count;
};

/* Faults inside an entry's resource that are not about JSON itself are kept in entry.fault, so that
 * a batch can answer entry by entry; the caller of a transaction fails on the first one. */
bool fhir_read_bundle(struct slice body, unsigned entries_max, struct arena *arena,
                      struct fhir_bundle *out, struct err *err) MUST_USE;

/* Asked for each patch: the text that should stand there, or an empty slice to leave it alone. */
typedef struct slice fhir_lookup(void *ctx, struct slice value);
/* Replaces strings in resource->source (a new copy in `arena`) and in the event. */
bool fhir_rewrite(struct fhir_resource *resource, fhir_lookup *lookup, void *ctx,
                  struct arena *arena, struct err *err) MUST_USE;

/* "Patient/1" from "Patient/1", "Patient/1/_history/2", or an absolute URL under one of `bases`;
 * empty when it is none of these (urn:..., another server, '#contained'). */
struct slice fhir_local_reference(struct slice reference, const struct slice *bases,
                                  unsigned base_count);
/* True when the slice is a legal FHIR id: [A-Za-z0-9\-.]{1,64}. */
bool fhir_id_is_valid(struct slice id);
