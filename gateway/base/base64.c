#include "base/base64.h"

static const char ordinary[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char of_urls[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static struct slice encode(struct slice bytes, const char *alphabet, bool is_padded,
                           struct arena *arena)
{
    char *out = arena_alloc_raw(arena, (bytes.len + 2) / 3 * 4 + 1);
    size_t used = 0;
    if (out == NULL)
        return SLICE("");
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (k < left ? (unsigned char)bytes.at[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            if (k <= left)
                out[used++] = alphabet[group >> (18 - 6 * k) & 63];
            else if (is_padded)
                out[used++] = '=';
    }
    out[used] = '\0';
    return (struct slice){ out, used };
}

struct slice base64_encode(struct slice bytes, struct arena *arena)
{
    return encode(bytes, ordinary, true, arena);
}

struct slice base64url_encode(struct slice bytes, struct arena *arena)
{
    return encode(bytes, of_urls, false, arena);
}

static int value_of(char c)
{
    for (int i = 0; i < 64; i++)
        if (ordinary[i] == c || of_urls[i] == c)
            return i;
    return -1;
}

bool base64_decode(struct slice text, struct arena *arena, struct slice *out)
{
    while (text.len > 0 && text.at[text.len - 1] == '=')
        text.len--;
    char *bytes = arena_alloc_raw(arena, text.len / 4 * 3 + 4);
    size_t used = 0;
    uint32_t group = 0;
    if (bytes == NULL || text.len % 4 == 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.at[i]);
        if (value < 0)
            return false;
        group = group << 6 | (uint32_t)value;
        if (i % 4 == 3)
            for (size_t k = 0; k < 3; k++)
                bytes[used++] = (char)(group >> (16 - 8 * k) & 0xff);
    }
    if (text.len % 4 == 2) {
        bytes[used++] = (char)(group >> 4 & 0xff);
    } else if (text.len % 4 == 3) {
        bytes[used++] = (char)(group >> 10 & 0xff);
        bytes[used++] = (char)(group >> 2 & 0xff);
    }
    *out = (struct slice){ bytes, used };
    return true;
}
