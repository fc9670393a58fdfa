/* fhir/shape.h -- how much of a resource a reader wants: _summary and _elements.
 *
 * What      members of the top level are left out as they stand in the text; what stays keeps its
 *           bytes.  A resource that lost something is tagged SUBSETTED, so that nobody stores it as
 *           if it were whole.
 * Owns      results live in `arena`.
 * Errors    ERR_INVALID for a _summary that FHIR does not know.
 * Thread    any.
 * Rules     FHIR R4 search, "Managing returned resources"; which elements are required or belong to
 *           a summary is told by the R4 StructureDefinitions (shape_table.c).
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "domain/fhir_type.h"

enum fhir_summary { SUMMARY_FALSE, SUMMARY_TRUE, SUMMARY_TEXT, SUMMARY_DATA, SUMMARY_COUNT };

struct fhir_shape {
    enum fhir_summary summary;
    struct slice elements; /* names between commas; empty when all are wanted */
};

bool fhir_shape_read(struct slice query, struct arena *arena, struct fhir_shape *out,
                     struct err *err) MUST_USE;
bool fhir_shape_is_whole(const struct fhir_shape *shape);
/* `body` was read strictly before. */
bool fhir_shape_apply(const struct fhir_shape *shape, enum fhir_type type, struct slice body,
                      struct arena *arena, struct slice *out, struct err *err) MUST_USE;

/* Names between spaces, "medication*" for a choice of types; "" for other types. */
const char *fhir_required_elements(enum fhir_type type);
const char *fhir_summary_elements(enum fhir_type type);
