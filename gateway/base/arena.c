#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/pool.h"

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

void *arena_alloc_more(struct arena *arena, size_t size)
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

/* --- formatted text -------------------------------------------------------------------------- */

#define PLAIN_MAX 256

struct plain {
    char text[PLAIN_MAX];
    size_t used;
    bool fits;
};

static void plain_add(struct plain *plain, const char *text, size_t len)
{
    plain->fits = plain->fits && len <= sizeof plain->text - plain->used;
    if (!plain->fits || len == 0)
        return;
    memcpy(plain->text + plain->used, text, len);
    plain->used += len;
}

static void plain_add_number(struct plain *plain, unsigned number, bool is_negative)
{
    char digits[12];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    if (is_negative)
        digits[--at] = '-';
    plain_add(plain, digits + at, sizeof digits - at);
}

/* %s, %.*s, %u and %d, of which nearly all our texts are made, without the machinery of printf;
 * false for anything else, and for a text that is too long. */
static bool format_plainly(struct plain *plain, const char *format, va_list args)
{
    plain->used = 0;
    plain->fits = true;
    while (plain->fits) {
        size_t len = strcspn(format, "%");
        plain_add(plain, format, len);
        format += len;
        if (*format == '\0')
            break;
        if (format[1] == 's') {
            const char *text = va_arg(args, const char *);
            if (text == NULL)
                return false;
            plain_add(plain, text, strlen(text));
        } else if (format[1] == 'u') {
            plain_add_number(plain, va_arg(args, unsigned), false);
        } else if (format[1] == 'd') {
            int number = va_arg(args, int);
            plain_add_number(plain, number < 0 ? 0 - (unsigned)number : (unsigned)number,
                             number < 0);
        } else if (strncmp(format, "%.*s", 4) == 0) {
            int most = va_arg(args, int);
            const char *text = va_arg(args, const char *);
            if (most < 0)
                return false;
            plain_add(plain, text, most > 0 ? strnlen(text, (size_t)most) : 0);
            format += 2;
        } else {
            return false;
        }
        format += 2;
    }
    return plain->fits;
}

struct slice arena_format(struct arena *arena, const char *format, ...)
{
    struct plain plain;
    va_list args;
    va_start(args, format);
    bool is_done = format_plainly(&plain, format, args);
    va_end(args);
    if (is_done)
        return arena_copy(arena, (struct slice){ plain.text, plain.used });
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
