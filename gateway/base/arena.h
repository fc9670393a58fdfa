/* base/arena.h -- memory that lives exactly as long as one request (or one loaded rule set).
 *
 * Owns      every byte it hands out; callers free nothing.
 * Errors    arena_alloc() returns NULL past `limit` and stays overflowed until reset, so a parser
 *           may test arena_overflowed() once at its end instead of after every copy.
 * Thread    one thread at a time; a request's arena moves loop -> lane -> loop with its job.
 *           Blocks of 64 KiB come from a free list of the calling thread (base/pool.h).
 * Testing   with -DARENA_PER_ALLOC each allocation is its own malloc, so ASan sees overruns.
 */
#pragma once

#include <stdalign.h>

#include "base/check.h"
#include "base/slice.h"

struct arena_block {
    struct arena_block *next;
    size_t size, used; /* of bytes[] */
    bool is_pooled;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct arena_block *blocks; /* the newest first */
    size_t used;                /* bytes handed out */
    size_t limit;
    bool overflowed;
};

void arena_init(struct arena *arena, size_t limit);
/* Gives everything back; the arena may be used again. */
void arena_reset(struct arena *arena);
void arena_fini(struct arena *arena);

/* Zeroed memory aligned for any type, or NULL past the limit. */
void *arena_alloc(struct arena *arena, size_t size) MUST_USE;
/* arena_alloc_raw() when the newest block is full, and for whatever else is out of the ordinary. */
void *arena_alloc_more(struct arena *arena, size_t size) MUST_USE;
/* The same as arena_alloc(), not zeroed: for bytes the caller fills at once. */
static inline void *arena_alloc_raw(struct arena *arena, size_t size) MUST_USE;
static inline void *arena_alloc_raw(struct arena *arena, size_t size)
{
#ifndef ARENA_PER_ALLOC
    struct arena_block *head = arena->blocks;
    size_t align = alignof(max_align_t), rounded = (size + align - 1) & ~(align - 1);
    if (head != NULL && rounded <= head->size - head->used && size <= rounded &&
        arena->used + size <= arena->limit) {
        void *memory = head->bytes + head->used;
        head->used += rounded;
        arena->used += size;
        return memory;
    }
#endif
    return arena_alloc_more(arena, size);
}
/* A NUL-terminated copy of `bytes`, or an empty slice past the limit. */
struct slice arena_copy(struct arena *arena, struct slice bytes) MUST_USE;
/* Formatted text, NUL-terminated, or an empty slice past the limit. */
struct slice arena_format(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3) MUST_USE;
bool arena_overflowed(const struct arena *arena);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (count)))
