/* store/body.h -- how a resource body lies in the store: compressed with a dictionary of FHIR JSON.
 *
 * What      the first byte says how (0 as is, 1 zstd with dictionary 1); dictionaries are only ever
 *           added, so old rows stay readable.
 * Thread    any; a compression context per thread.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

/* Into `arena`; never fails for lack of compression. */
bool body_pack(struct slice body, struct arena *arena, struct slice *out, struct err *err) MUST_USE;
bool body_unpack(struct slice packed, struct arena *arena, struct slice *out,
                 struct err *err) MUST_USE; /* ERR_CORRUPT */
