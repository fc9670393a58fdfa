/* base/json_int.h -- what the files of the JSON reader share.
 *
 * What      json_check_bytes() looks at what yajl does not: UTF-8, escapes, NUL.  json_find_fault()
 *           reads text again that yajl refused, only to say where and what was expected: yajl's own
 *           message would quote the text.  The reader itself is json.c; json_path.c says where it
 *           is, in words and as a step of a set of paths.
 */
#pragma once

#include <yajl/yajl_parse.h>

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

/* --- the reader's state ---------------------------------------------------------------------- */

#define JSON_KEYS_INLINE 192
#define JSON_YAJL_BYTES 1024

struct json_reader {
    struct json_here here; /* first */
    struct slice text;     /* as yajl gets it */
    size_t skipped;        /* bytes of the caller's text before it */
    yajl_handle parser;
    const struct json_events *events;
    void *ctx;
    struct arena *arena;
    struct err *err;
    const char *root_name;
    size_t string_max;
    unsigned depth_max;
    size_t end; /* of the outermost container, once it has closed */
    uint32_t key_count, key_room;
    uint64_t *keys; /* of all open objects: the innermost last */
    size_t yajl_used;
    /* Two levels lie below the outermost container: the nothing around it, and the nothing around
     * that, so that what asks for a container's surroundings needs no test. */
    struct json_level levels[JSON_DEPTH_MAX + 2];
    uint64_t keys_inline[JSON_KEYS_INLINE];
    char path[JSON_PATH_MAX + 4];
    _Alignas(16) unsigned char yajl_bytes[JSON_YAJL_BYTES]; /* for the little that yajl allocates */
};

/* --- keys and steps -------------------------------------------------------------------------- */

static inline uint64_t json_fold(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
    return hash ^ hash >> 32;
}

/* Of one key; overlapping loads, so that short keys need no loop.  Two keys of the same length up
 * to eight bytes never share a hash: each step of it can be undone. */
static inline uint64_t json_hash_key(const char *at, size_t len)
{
    uint64_t hash = len * UINT64_C(0xc4ceb9fe1a85ec53), word = 0;
    if (len >= 8) {
        for (size_t i = 0; i + 8 < len; i += 8) {
            memcpy(&word, at + i, 8);
            hash = json_fold(hash, word);
        }
        memcpy(&word, at + len - 8, 8);
    } else if (len >= 4) {
        uint32_t head, tail;
        memcpy(&head, at, 4);
        memcpy(&tail, at + len - 4, 4);
        word = (uint64_t)head << 32 | tail;
    } else {
        for (size_t i = 0; i < len; i++)
            word = word << 8 | (unsigned char)at[i];
    }
    return json_fold(hash, word);
}

/* Where a key leads; NULL when no path of the set goes on with it. */
static inline const struct json_step *json_step_member(const struct json_step *step,
                                                       const char *key, size_t len, uint64_t hash)
{
    const struct json_step *found = step->members[hash >> step->shift & step->mask];
    if (found == NULL || found->hash != hash || found->key.len != len)
        return NULL;
    return len <= 8 || memcmp(found->key.at, key, len) == 0 ? found : NULL;
}
