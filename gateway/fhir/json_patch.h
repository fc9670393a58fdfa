/* fhir/json_patch.h -- JSON Patch (RFC 6902) on the bytes of a resource.
 *
 * What      the operations of a patch, each on the result of the one before; what they do not touch
 *           stays byte for byte.
 * Owns      the result lives in `arena`.
 * Errors    ERR_STRUCTURE (the patch is not JSON), ERR_INVALID (it is no patch), ERR_BUSINESS (a
 *           place does not exist, or a test fails: nothing is changed), ERR_TOO_LARGE.  `where`
 *           names the operation, e.g. "[2].path".
 * Thread    any.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#define JSON_PATCH_OPS_MAX 256

bool json_patch_apply(struct slice document, struct slice patch, struct arena *arena,
                      struct slice *out, struct err *err) MUST_USE;
