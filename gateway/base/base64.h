/* base/base64.h -- base64 (RFC 4648): the ordinary alphabet with padding, and the one of URLs
 * without.
 *
 * Owns      results live in `arena`; empty when it is full (arena_overflowed()).
 * Thread    any.
 */
#pragma once

#include "base/arena.h"

struct slice base64_encode(struct slice bytes, struct arena *arena);
struct slice base64url_encode(struct slice bytes, struct arena *arena);
/* Takes both alphabets, with or without padding.  False when it is something else. */
bool base64_decode(struct slice text, struct arena *arena, struct slice *out) MUST_USE;
