#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/pool.h"

struct arena_block {
    struct arena_block *next;
    size_t size, used; /* of bytes[] */
    bool is_pooled;
    alignas(max_align_t) unsigned char bytes[];
};

#define BLOCK_ROOM (POOL_BLOCK_BYTES - sizeof(struct arena_block))

void arena_init(struct arena *arena, size_t limit) { *arena = (struct arena){ .limit = limit }; }

void arena_reset(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        if (block->is_pooled)
            pool_give(block);
        else
            pool_free(block);
    }
    arena->used = 0;
    arena->overflowed = false;
}

void arena_fini(struct arena *arena) { arena_reset(arena); }

static struct arena_block *block_new(size_t size)
{
#ifdef ARENA_PER_ALLOC
    bool is_pooled = false;
#else
    bool is_pooled = size <= BLOCK_ROOM;
#endif
    struct arena_block *block =
        is_pooled ? pool_take() : pool_new(sizeof(struct arena_block) + size);
    block->next = NULL;
    block->size = is_pooled ? BLOCK_ROOM : size;
    block->used = 0;
    block->is_pooled = is_pooled;
    return block;
}

/* A large allocation gets a block of its own behind the current one, which keeps its room. */
static struct arena_block *block_for(struct arena *arena, size_t size)
{
    struct arena_block *head = arena->blocks;
#ifndef ARENA_PER_ALLOC
    if (head != NULL && size <= head->size - head->used)
        return head;
#endif
    struct arena_block *block = block_new(size);
    if (head != NULL && !block->is_pooled) {
        block->next = head->next;
        head->next = block;
    } else {
        block->next = head;
        arena->blocks = block;
    }
    return block;
}

void *arena_alloc_raw(struct arena *arena, size_t size)
{
    if (size > arena->limit || arena->used > arena->limit - size) {
        arena->overflowed = true;
        return NULL;
    }
#ifdef ARENA_PER_ALLOC
    size_t rounded = size;
#else
    size_t align = alignof(max_align_t);
    size_t rounded = (size + align - 1) / align * align;
#endif
    struct arena_block *block = block_for(arena, rounded);
    void *memory = block->bytes + block->used;
    block->used += rounded;
    arena->used += size;
    return memory;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    void *memory = arena_alloc_raw(arena, size);
    if (memory != NULL && size > 0)
        memset(memory, 0, size);
    return memory;
}

struct slice arena_copy(struct arena *arena, struct slice bytes)
{
    char *copy = arena_alloc_raw(arena, bytes.len + 1);
    if (copy == NULL)
        return SLICE("");
    if (bytes.len > 0)
        memcpy(copy, bytes.at, bytes.len);
    copy[bytes.len] = '\0';
    return (struct slice){ copy, bytes.len };
}

struct slice arena_format(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(len >= 0);
    char *text = arena_alloc_raw(arena, (size_t)len + 1);
    if (text == NULL)
        return SLICE("");
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return (struct slice){ text, (size_t)len };
}

bool arena_overflowed(const struct arena *arena) { return arena->overflowed; }
