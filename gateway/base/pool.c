#include "base/pool.h"

#include <stdlib.h>

#define POOL_KEPT_MAX 64 /* blocks per thread: 4 MiB */

struct free_block {
    struct free_block *next;
};

static _Thread_local struct free_block *free_blocks;
static _Thread_local unsigned free_count;

void *pool_take(void)
{
    struct free_block *block = free_blocks;
    if (block != NULL) {
        free_blocks = block->next;
        free_count--;
        return block;
    }
    void *memory = malloc(POOL_BLOCK_BYTES);
    CHECK(memory != NULL);
    return memory;
}

void pool_give(void *block)
{
    if (block == NULL)
        return;
    if (free_count >= POOL_KEPT_MAX) {
        free(block);
        return;
    }
    struct free_block *head = block;
    head->next = free_blocks;
    free_blocks = head;
    free_count++;
}

void pool_drain(void)
{
    while (free_blocks != NULL) {
        struct free_block *next = free_blocks->next;
        free(free_blocks);
        free_blocks = next;
    }
    free_count = 0;
}

void *pool_new(size_t size)
{
    void *memory = calloc(1, size);
    CHECK(memory != NULL);
    return memory;
}

void *pool_resize(void *memory, size_t size)
{
    void *resized = realloc(memory, size);
    CHECK(resized != NULL);
    return resized;
}

void pool_free(void *memory) { free(memory); }
