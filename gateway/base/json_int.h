/* base/json_int.h -- what the files of the JSON reader share.
 *
 * What      json_check_bytes() looks at what yajl does not: UTF-8, escapes, NUL.  json_find_fault()
 *           reads text again that yajl refused, only to say where and what was expected: yajl's own
 *           message would quote the text.
 */
#pragma once

#include "base/json.h"

struct json_fault {
    size_t offset;
    const char *what; /* static */
};

/* True when every byte is fit for JSON; else *fault. */
bool json_check_bytes(struct slice text, struct json_fault *fault) MUST_USE;
/* True and *fault when the text is not JSON. */
bool json_find_fault(struct slice text, struct json_fault *fault) MUST_USE;
/* A copy with the comments replaced by spaces; lines and columns stay.  Empty past the limit. */
struct slice json_blank_comments(struct slice text, struct arena *arena) MUST_USE;
