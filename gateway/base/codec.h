/* base/codec.h -- little pieces of binary rows: varints and length-prefixed bytes.
 *
 * Errors    a reader that runs off its end stays `bad`; test it once at the end.
 */
#pragma once

#include "base/buffer.h"

struct decoder {
    const unsigned char *at, *end;
    bool bad;
};

static inline struct decoder decoder_of(struct slice bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.at;
    return (struct decoder){ at, at + bytes.len, false };
}

static inline uint64_t decode_varint(struct decoder *from)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (from->at >= from->end)
            break;
        unsigned char byte = *from->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    from->bad = true;
    return 0;
}

static inline int64_t decode_signed(struct decoder *from)
{
    uint64_t zigzag = decode_varint(from);
    return (int64_t)(zigzag >> 1) ^ -(int64_t)(zigzag & 1);
}

/* Borrowed from the bytes being decoded. */
static inline struct slice decode_slice(struct decoder *from)
{
    uint64_t len = decode_varint(from);
    if (from->bad || len > (uint64_t)(from->end - from->at)) {
        from->bad = true;
        return SLICE("");
    }
    struct slice out = { (const char *)from->at, (size_t)len };
    from->at += len;
    return out;
}

static inline void encode_varint(struct buffer *out, uint64_t value)
{
    char *room = buffer_room(out, 10);
    if (room == NULL)
        return;
    size_t used = 0;
    while (value >= 0x80) {
        room[used++] = (char)(unsigned char)(value | 0x80);
        value >>= 7;
    }
    room[used++] = (char)(unsigned char)value;
    buffer_grew(out, used);
}

static inline void encode_signed(struct buffer *out, int64_t value)
{
    encode_varint(out, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

static inline void encode_slice(struct buffer *out, struct slice bytes)
{
    encode_varint(out, bytes.len);
    buffer_add(out, bytes);
}
