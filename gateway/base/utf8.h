/* base/utf8.h -- where a character ends.
 *
 * What      the one place that says which bytes are UTF-8: no overlong forms, no surrogates,
 *           nothing past U+10FFFF.
 * Thread    any; pure.
 */
#pragma once

#include "base/slice.h"

/* Bytes of the character that begins at `at`, of which `room` bytes (1 or more) may be read; 0 when
 * they are not UTF-8. */
static inline size_t utf8_len(const char *at, size_t room)
{
    const unsigned char *bytes = (const unsigned char *)at;
    unsigned char lead = bytes[0], low = 0x80, high = 0xbf;
    size_t len = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4 || room < len)
        return 0;
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xed)
        high = 0x9f;
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;
    if (bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if (bytes[i] < 0x80 || bytes[i] > 0xbf)
            return 0;
    return len;
}

/* True when the character may stand in XML 1.0 and be seen: no control, no noncharacter. */
static inline bool utf8_is_printable(struct slice one)
{
    unsigned char first = (unsigned char)one.at[0];
    if (one.len == 1)
        return first >= 0x20 && first != 0x7f;
    return !slice_is(one, "\xef\xbf\xbe") && !slice_is(one, "\xef\xbf\xbf");
}

/* The text without half a character where it was cut. */
static inline struct slice utf8_whole(struct slice text)
{
    for (size_t back = 1; back <= 3 && back <= text.len; back++) {
        const char *at = text.at + text.len - back;
        if (((unsigned char)*at & 0xc0) == 0x80)
            continue;
        if (utf8_len(at, back) == 0)
            text.len -= back;
        break;
    }
    return text;
}
