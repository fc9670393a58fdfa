#include "base/id.h"

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* splitmix64's finaliser: every bit of the key reaches every bit of the check. */
static uint32_t check_of(int64_t key, uint64_t salt)
{
    uint64_t x = (uint64_t)key ^ salt;
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((x ^ (x >> 31)) & 0xfffff);
}

static void put(char *out, uint64_t value, unsigned count)
{
    while (count-- > 0) {
        out[count] = digits[value & 31];
        value >>= 5;
    }
}

static bool take(const char *in, unsigned count, uint64_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < count; i++) {
        const char *digit = in[i] != '\0' ? strchr(digits, in[i]) : NULL;
        if (digit == NULL)
            return false;
        *value = *value << 5 | (uint64_t)(digit - digits);
    }
    return true;
}

void id_format(int64_t key, uint64_t salt, char out[ID_TEXT_LEN + 1])
{
    CHECK(key > 0);
    CHECK(key < INT64_C(1) << 55);
    out[0] = 'l';
    put(out + 1, (uint64_t)key, 11);
    put(out + 12, check_of(key, salt), 4);
    out[ID_TEXT_LEN] = '\0';
}

bool id_parse(struct slice text, uint64_t salt, int64_t *out_key)
{
    uint64_t key, check;
    if (text.len != ID_TEXT_LEN || text.at[0] != 'l' || !take(text.at + 1, 11, &key) ||
        !take(text.at + 12, 4, &check))
        return false;
    if (key == 0 || check != check_of((int64_t)key, salt))
        return false;
    *out_key = (int64_t)key;
    return true;
}
