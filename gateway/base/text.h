/* base/text.h -- builds bounded text in a caller's buffer; truncates, never overruns. */
#pragma once

#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "base/slice.h"

struct text {
    char *at;
    size_t size, used;
};

#define TEXT(buffer) ((struct text){ (buffer), sizeof(buffer), 0 })

static inline void text_add(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
static inline void text_add(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int wrote = vsnprintf(text->at + text->used, text->size - text->used, format, args);
    va_end(args);
    CHECK(wrote >= 0);
    size_t room = text->size - text->used - 1;
    text->used += (size_t)wrote < room ? (size_t)wrote : room;
}

static inline void text_add_slice(struct text *text, struct slice bytes)
{
    size_t room = text->size - text->used - 1;
    size_t count = bytes.len < room ? bytes.len : room;
    if (count > 0)
        memcpy(text->at + text->used, bytes.at, count);
    text->used += count;
    text->at[text->used] = '\0';
}

static inline void text_add_number(struct text *text, unsigned number)
{
    char digits[12];
    size_t first = sizeof digits;
    do
        digits[--first] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    text_add_slice(text, (struct slice){ digits + first, sizeof digits - first });
}

static inline struct slice text_slice(const struct text *text)
{
    return (struct slice){ text->at, text->used };
}
