/* app/offline.h -- FHIR files without a server: who the patients are and what belongs to each.
 *
 * What      FHIR of R4 or, as far as therapy reads it, of DSTU2, STU3 and R5 (fhir/to_r4.h): texts
 *           become chunks (offline_read(), any thread), chunks are gathered in order, and
 *           out come the events of each patient, ready for therapy_derive().  References inside a
 *           Bundle are followed (urn:uuid, absolute and relative ones), others by "Type/id"; a
 *           Medication may come anywhere.  A resource that comes twice counts once: the last one,
 *           as with updates at the service.
 *
 *           Two ways to gather.  In any order: all events are kept, packed, until the end; about
 *           300 bytes each.
 *           Grouped: a patient ends with the first Bundle or line that speaks of another one only,
 *           and memory does not grow with their number but for some 16 bytes each, by which
 *           a patient that comes again is noticed and refused.  Medications before the first
 *           patient serve all, later ones the patients next to them.
 * Owns      a chunk owns what was read; the gatherer copies what it keeps.  Batches borrow from the
 *           gatherer until they are freed.
 * Errors    a resource that is refused is told to `refused` and left out; the rest is used.
 * Thread    offline_read() and offline_derive() on any; everything else on one.
 */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "domain/line.h"
#include "mapping/mapping.h"
#include "therapy/derive.h"

#define OFFLINE_ARENA_BYTES ((size_t)1 << 40) /* what the machine has is the limit */
#define OFFLINE_ENTRIES_MAX 1000000u

/* `line` counts from 1; 0 where the place is the whole source. */
typedef void offline_refused(void *ctx, const char *source, unsigned line, const struct err *err);

/* --- reading ---------------------------------------------------------------------------------- */

struct offline_chunk;
struct offline_source {
    const char *name; /* lives as long as the gatherer */
    unsigned file;    /* its number: names resources that have no id */
    unsigned line;    /* of the first line of the text; 0: it is one text, not lines */
};

/* `text` is borrowed until the chunk is freed. */
struct offline_chunk *offline_chunk_new(const struct offline_source *source,
                                        struct slice text) MUST_USE;
/* The chunk's own buffer, for offline_chunk_new() with an empty text; filled before reading. */
struct buffer *offline_chunk_buffer(struct offline_chunk *chunk);
void offline_chunk_source(struct offline_chunk *chunk, const struct offline_source *source);
void offline_read(struct offline_chunk *chunk);
void offline_chunk_free(struct offline_chunk *chunk);

/* --- gathering -------------------------------------------------------------------------------- */

struct offline_item;
struct gatherer;
struct offline_patient {
    struct slice name; /* "Patient/p1" */
    const struct offline_item *items;
    unsigned count;
    const struct gatherer *medications; /* of the whole input */
};

struct offline_options {
    bool is_grouped;
    offline_refused *refused;
    void *ctx;
};

struct offline;
struct offline *offline_open(const struct offline_options *options) MUST_USE;
void offline_close(struct offline *offline);
/* Takes what a chunk that has been read holds. */
void offline_take(struct offline *offline, const struct offline_chunk *chunk);
/* Reads and takes a text at once. */
void offline_add(struct offline *offline, const struct offline_source *source, struct slice text);
/* No more input. */
void offline_finish(struct offline *offline);

/* Some patients, in order of first appearance. */
struct offline_batch {
    struct offline_patient *patients;
    unsigned count;
    unsigned first; /* number of the first one, from 0 */
};
/* The next patients that are complete: grouped, as they come; else after offline_finish().  NULL:
 * none now.  Batches that are out may be freed in any order, before offline_close(). */
struct offline_batch *offline_next(struct offline *offline) MUST_USE;
void offline_batch_free(struct offline *offline, struct offline_batch *batch);

unsigned offline_refused_count(const struct offline *offline);
/* How many patients there are; in any order only: known after offline_finish(). */
unsigned offline_patient_count(const struct offline *offline);

/* Resolves codes and derives with `rules` of the mapping; `arena` is reset by the caller between
 * patients. */
bool offline_derive(const struct offline_patient *patient, const struct mapping *mapping,
                    const struct rules *rules, struct date as_of, struct arena *arena,
                    struct therapy *out, struct err *err) MUST_USE;
/* The events that offline_derive() would use, before codes are resolved; NULL past the arena's
 * limit. */
struct event *offline_events(const struct offline_patient *patient, struct arena *arena,
                             unsigned *count, struct err *err) MUST_USE;
