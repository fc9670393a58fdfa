/* fhir/parameters.h -- what a Parameters resource carries, as it stands in the text.
 *
 * What      operations take few parameters: they are looked up by name, and nothing is built.
 * Owns      slices borrow from the body or live in `arena`.
 * Errors    what is not there is empty; the text must have been read by json_read() before.
 * Thread    any.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

/* ERR_STRUCTURE when the body is not JSON of FHIR. */
bool fhir_check_json(struct slice body, struct arena *arena, struct err *err) MUST_USE;
bool fhir_is_parameters(struct slice body, struct arena *arena);
/* A member ("resource", "valueDate") of the first parameter of that name: raw JSON, or empty. */
struct slice fhir_parameter(struct slice body, const char *name, const char *member,
                            struct arena *arena);
/* The same as text, for strings, codes, dates and URIs. */
struct slice fhir_parameter_text(struct slice body, const char *name, const char *member,
                                 struct arena *arena);
