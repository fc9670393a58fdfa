#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/pool.h"

void buffer_init(struct buffer *buffer, size_t max) { *buffer = (struct buffer){ .max = max }; }

void buffer_fini(struct buffer *buffer)
{
    pool_free(buffer->at);
    *buffer = (struct buffer){ .max = buffer->max };
}

void buffer_reset(struct buffer *buffer)
{
    buffer->len = 0;
    buffer->overflowed = false;
}

char *buffer_grow(struct buffer *buffer, size_t count)
{
    if (buffer->overflowed || count > buffer->max || buffer->len > buffer->max - count) {
        buffer->overflowed = true;
        return NULL;
    }
    size_t wanted = buffer->len + count;
    if (wanted > buffer->size) {
        size_t size = buffer->size > 0 ? buffer->size : 256;
        while (size < wanted)
            size *= 2;
        if (size > buffer->max)
            size = buffer->max;
        buffer->at = pool_resize(buffer->at, size);
        buffer->size = size;
    }
    return buffer->at + buffer->len;
}

void buffer_grew(struct buffer *buffer, size_t count)
{
    CHECK(count <= buffer->size - buffer->len);
    buffer->len += count;
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(len >= 0);
    char *room = buffer_room(buffer, (size_t)len + 1);
    if (room == NULL)
        return;
    va_start(args, format);
    vsnprintf(room, (size_t)len + 1, format, args);
    va_end(args);
    buffer->len += (size_t)len;
}
