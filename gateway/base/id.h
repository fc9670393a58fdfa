/* base/id.h -- ids that we assign: a number with a check, as 16 characters that FHIR allows.
 *
 * What      the id holds the store's key, so finding a resource that we named needs no index, and
 *           new rows land at the right edge of the tree.  The check (20 bits of a keyed hash) makes
 *           it all but impossible that a client's own id is taken for one of ours.
 */
#pragma once

#include "base/check.h"
#include "base/slice.h"

#define ID_TEXT_LEN 16 /* "l" + 11 characters of key + 4 of check, Crockford base32, lower case */

/* Writes ID_TEXT_LEN characters and a NUL. */
void id_format(int64_t key, uint64_t salt, char out[ID_TEXT_LEN + 1]);
/* True and the key when `text` is an id that id_format() made with this salt. */
bool id_parse(struct slice text, uint64_t salt, int64_t *out_key) MUST_USE;
