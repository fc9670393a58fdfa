/* plan/posted_pack.h -- the memory of postings as bytes of the patient's state.
 *
 * What      the first byte is the version of the format.  What an entry shares with the one before
 *           it (disease, line, evidence, days) is a bit, not a copy.
 * Owns      unpacked slices borrow from the bytes; the array lives in `arena`.
 * Errors    ERR_CORRUPT for bytes that posted_pack() did not write; ERR_TOO_LARGE past the arena.
 */
#pragma once

#include "base/buffer.h"
#include "plan/plan.h"

void posted_pack(const struct posted *list, unsigned count, struct buffer *out);
/* Empty bytes are an empty memory. */
bool posted_unpack(struct slice packed, struct arena *arena, struct posted **out, unsigned *count,
                   struct err *err) MUST_USE;
