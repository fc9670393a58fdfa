/* base/buffer.h -- bytes that grow up to a stated maximum: bodies, replies, JSON being written.
 *
 * Owns      its bytes; buffer_fini() frees them.
 * Errors    past `max` an append is refused and the buffer stays overflowed until reset, so a
 *           writer may test buffer_overflowed() once at its end.
 * Thread    one at a time.
 */
#pragma once

#include "base/check.h"
#include "base/slice.h"

struct buffer {
    char *at;
    size_t len, size, max;
    bool overflowed;
};

void buffer_init(struct buffer *buffer, size_t max);
void buffer_fini(struct buffer *buffer);
/* Empties it and keeps the memory. */
void buffer_reset(struct buffer *buffer);

void buffer_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
void buffer_grew(struct buffer *buffer, size_t count);
/* buffer_room() when there is none yet. */
char *buffer_grow(struct buffer *buffer, size_t count) MUST_USE;

/* Room for `count` more bytes at the end, or NULL past the maximum; commit with buffer_grew(). */
static inline char *buffer_room(struct buffer *buffer, size_t count) MUST_USE;
static inline char *buffer_room(struct buffer *buffer, size_t count)
{
    if (buffer->overflowed || count > buffer->size - buffer->len)
        return buffer_grow(buffer, count);
    return buffer->at + buffer->len;
}

static inline void buffer_add(struct buffer *buffer, struct slice bytes)
{
    char *room = bytes.len > 0 ? buffer_room(buffer, bytes.len) : NULL;
    if (room == NULL)
        return;
    memcpy(room, bytes.at, bytes.len);
    buffer->len += bytes.len;
}

static inline void buffer_add_char(struct buffer *buffer, char c)
{
    char *room = buffer_room(buffer, 1);
    if (room == NULL)
        return;
    *room = c;
    buffer->len++;
}

static inline bool buffer_overflowed(const struct buffer *buffer) { return buffer->overflowed; }
static inline struct slice buffer_slice(const struct buffer *buffer)
{
    return (struct slice){ buffer->at, buffer->len };
}
