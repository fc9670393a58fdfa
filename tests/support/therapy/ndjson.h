/* support/therapy/ndjson.h -- a story as a hospital would export it: NDJSON of realistic size.
 *
 * What      one Patient, then the story's Conditions and orders, a resource a line.  Orders come in
 *           three sizes, in turn, with what real ones carry that nobody here reads (profiles,
 *           categories, encounters, requesters, narrative); templates are in tests/bench/ndjson.
 * Owns      the templates, loaded once per program.
 */
#pragma once

#include "support/therapy/story.h"

/* Appends the lines of `story` as patient "p<number>"; ids are unique over patients. */
void ndjson_write(const struct story *story, unsigned number, struct buffer *out);
