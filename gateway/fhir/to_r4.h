/* fhir/to_r4.h -- resources of DSTU2, STU3 and R5 in the form of R4, as far as therapy reads them.
 *
 * What      a table of what those versions call or shape otherwise: MedicationOrder, the word
 *           clinicalStatus, medication.concept, reason as one list ...  No version needs to be
 *           known: the forms are told by their names.  Everything else stays byte for byte.
 * Owns      the result lives in `arena`, or is `resource` itself when nothing is to be done.
 * Errors    none: what is no object, or not JSON, is handed back for fhir_read() to refuse.
 * Thread    any; pure.
 */
#pragma once

#include "base/arena.h"

/* True when *out differs from `resource`. */
bool fhir_to_r4(struct slice resource, struct arena *arena, struct slice *out);
