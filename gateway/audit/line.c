#include "audit/audit_int.h"
#include "base/date.h"

bool audit_take(struct slice *rest, struct slice what)
{
    if (!slice_starts(*rest, what))
        return false;
    *rest = slice_skip(*rest, what.len);
    return true;
}

bool audit_take_number(struct slice *rest, int64_t *out)
{
    size_t len = 0;
    int64_t number = 0;
    for (; len < rest->len && rest->at[len] >= '0' && rest->at[len] <= '9'; len++) {
        int digit = rest->at[len] - '0';
        if (number > (INT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    if (len == 0 || (len > 1 && rest->at[0] == '0'))
        return false;
    *rest = slice_skip(*rest, len);
    *out = number;
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool audit_take_hash(struct slice *rest, struct sha256 *out)
{
    struct sha256 hash;
    if (rest->len < (size_t)2 * SHA256_BYTES)
        return false;
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        int high = hex_value(rest->at[2 * i]), low = hex_value(rest->at[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        hash.bytes[i] = (unsigned char)(high * 16 + low);
    }
    *rest = slice_skip(*rest, (size_t)2 * SHA256_BYTES);
    *out = hash;
    return true;
}

bool audit_line_parse(struct slice line, struct audit_line *out)
{
    struct slice rest = line;
    struct err err;
    if (!audit_take(&rest, SLICE("{\"seq\":")) || !audit_take_number(&rest, &out->seq) ||
        !audit_take(&rest, SLICE(",\"prev\":\"")) || !audit_take_hash(&rest, &out->prev) ||
        !audit_take(&rest, SLICE("\",\"time\":\"")))
        return false;
    struct slice time = slice_take_until(&rest, '"');
    return instant_parse(time, &out->time_ms, &err) && audit_take(&rest, SLICE(",\"mono\":")) &&
           audit_take_number(&rest, &out->monotonic_ns) && audit_take(&rest, SLICE(",\"kind\":\""));
}
