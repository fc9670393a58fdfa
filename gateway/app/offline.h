/* app/offline.h -- FHIR files without a server: who the patients are and what belongs to each.
 *
 * What      takes Bundles of any kind, single resources and NDJSON, of R4 or, as far as therapy
 *           reads them, of DSTU2, STU3 and R5 (fhir/to_r4.h); afterwards gives the events of
 *           each patient, ready for therapy_derive().  References between resources are followed
 *           inside the input (urn:uuid, absolute and relative ones), whatever order they came in.
 *           A resource that comes twice counts once: the last one, as with updates at the service.
 * Owns      all it holds; slices of the texts added are borrowed until offline_close().
 * Errors    a resource that is refused is told to `refused` and left out; the rest is used.
 * Thread    one.
 */
#pragma once

#include "base/arena.h"
#include "domain/line.h"
#include "fhir/read.h"
#include "mapping/mapping.h"
#include "therapy/derive.h"

#define OFFLINE_ARENA_BYTES ((size_t)16 * 1024 * 1024 * 1024)
#define OFFLINE_ENTRIES_MAX 1000000u

/* `source` is as given to offline_add(); `line` counts from 1 in NDJSON, else 0. */
typedef void offline_refused(void *ctx, const char *source, unsigned line, const struct err *err);

struct offline_patient {
    struct slice name; /* "Patient/p1" */
    struct event **events;
    unsigned count, room;
};

struct offline;
struct offline *offline_open(offline_refused *refused, void *ctx) MUST_USE;
void offline_close(struct offline *offline);

void offline_add(struct offline *offline, const char *source, struct slice text);
/* No more input: follows references, sorts events to patients, in order of first appearance. */
void offline_finish(struct offline *offline);

unsigned offline_patient_count(const struct offline *offline);
const struct offline_patient *offline_patient(const struct offline *offline, unsigned index);
unsigned offline_refused_count(const struct offline *offline);
/* Resolves codes and derives with `rules` of the mapping; `arena` is reset by the caller between
 * patients. */
bool offline_derive(const struct offline_patient *patient, const struct mapping *mapping,
                    const struct rules *rules, struct date as_of, struct arena *arena,
                    struct therapy *out, struct err *err) MUST_USE;
