/* fhir/stamp.h -- the stored bytes of a resource with its id, version and time set.
 *
 * What      replaces or inserts top-level id, meta.versionId and meta.lastUpdated and leaves every
 *           other byte as it came in: order, decimals, unknown elements.
 * Errors    ERR_CORRUPT when the stored bytes are not a JSON object.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

bool fhir_stamp(struct slice body, struct slice id, uint32_t version, int64_t updated_ms,
                struct arena *arena, struct slice *out, struct err *err) MUST_USE;
