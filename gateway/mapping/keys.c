#include "mapping/mapping_int.h"

#define NDC_DIGITS 11

static struct slice copy_plain(struct slice code, char out[CODE_KEY_MAX])
{
    if (code.len == 0 || code.len > CODE_KEY_MAX)
        return (struct slice){ out, 0 };
    memcpy(out, code.at, code.len);
    return (struct slice){ out, code.len };
}

static struct slice trimmed(struct slice code)
{
    while (code.len > 0 && code.at[0] == ' ')
        code = slice_skip(code, 1);
    while (code.len > 0 && code.at[code.len - 1] == ' ')
        code.len--;
    return code;
}

/* ICD and ATC: capitals, without dots, spaces and the dagger, asterisk or dash behind a code. */
static struct slice copy_capitals(struct slice code, char out[CODE_KEY_MAX])
{
    size_t used = 0;
    for (size_t i = 0; i < code.len && used < CODE_KEY_MAX; i++) {
        char c = code.at[i];
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/')
            out[used++] = c;
    }
    return (struct slice){ out, used };
}

/* OpenMRS pads CIEL numbers with the letter A to 36 characters. */
static struct slice copy_ciel(struct slice code, char out[CODE_KEY_MAX])
{
    while (code.len > 0 && (code.at[code.len - 1] == 'A' || code.at[code.len - 1] == ' '))
        code.len--;
    return copy_plain(code, out);
}

static bool is_digits(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    return text.len > 0;
}

/* One segment of a hyphenated NDC, with leading zeros to its full length. */
static bool add_segment(struct slice segment, size_t length, char *out, size_t *used)
{
    if (!is_digits(segment) || segment.len > length)
        return false;
    for (size_t i = segment.len; i < length; i++)
        out[(*used)++] = '0';
    memcpy(out + *used, segment.at, segment.len);
    *used += segment.len;
    return true;
}

/* 4-4-2, 5-3-2, 5-4-1 and 5-4-2 all become 5-4-2 without hyphens. */
static struct slice copy_ndc(struct slice code, char out[CODE_KEY_MAX])
{
    static const size_t lengths[] = { 5, 4, 2 };
    struct slice none = { out, 0 };
    if (code.len == 0 || code.len > NDC_DIGITS + 2)
        return none;
    if (memchr(code.at, '-', code.len) == NULL)
        return is_digits(code) && code.len >= NDC_DIGITS - 1 && code.len <= NDC_DIGITS
                   ? copy_plain(code, out)
                   : none;
    size_t used = 0;
    struct slice rest = code;
    for (size_t i = 0; i < COUNT_OF(lengths); i++)
        if (!add_segment(slice_take_until(&rest, '-'), lengths[i], out, &used))
            return none;
    return rest.len == 0 ? (struct slice){ out, used } : none;
}

struct slice code_key(enum code_system system, struct slice code, char out[CODE_KEY_MAX])
{
    code = trimmed(code);
    if (system == CODE_NDC)
        return copy_ndc(code, out);
    if (system == CODE_CIEL)
        return copy_ciel(code, out);
    if (system == CODE_ATC || system == CODE_ICD10CM || system == CODE_ICD10 ||
        system == CODE_ICD10GM || system == CODE_ICDO3)
        return copy_capitals(code, out);
    return copy_plain(code, out);
}

static bool is_same_list(const struct drug_code *a, const struct drug_code *b)
{
    return a->count == b->count && a->is_exposure == b->is_exposure &&
           memcmp(a->drugs, b->drugs, a->count * sizeof a->drugs[0]) == 0;
}

/* Ten digits without hyphens hide where the missing zero belongs.  All three readings are tried;
 * when they disagree, the code tells nothing. */
static const struct drug_code *find_ten_digits(const struct code_index *codes, struct slice code)
{
    static const size_t zero_at[] = { 0, 5, 9 };
    const struct drug_code *found = NULL;
    for (size_t i = 0; i < COUNT_OF(zero_at); i++) {
        char full[NDC_DIGITS];
        memcpy(full, code.at, zero_at[i]);
        full[zero_at[i]] = '0';
        memcpy(full + zero_at[i] + 1, code.at + zero_at[i], code.len - zero_at[i]);
        const struct drug_code *known =
            index_find(codes, CODE_NDC, (struct slice){ full, NDC_DIGITS });
        if (known == NULL)
            continue;
        if (found != NULL && !is_same_list(found, known))
            return NULL;
        found = known;
    }
    return found;
}

const struct drug_code *ndc_find(const struct code_index *codes, struct slice code)
{
    char buffer[CODE_KEY_MAX];
    struct slice key = code_key(CODE_NDC, code, buffer);
    if (key.len == NDC_DIGITS - 1)
        return find_ten_digits(codes, key);
    return key.len > 0 ? index_find(codes, CODE_NDC, key) : NULL;
}

struct slice stop_key(struct slice system_uri, struct slice code, char out[STOP_KEY_MAX])
{
    enum code_system system = code_system_of(system_uri);
    if (system != CODE_OTHER)
        system_uri = slice_of(code_system_uri(system));
    if (slice_starts(system_uri, SLICE("https://")))
        system_uri = slice_skip(system_uri, 8);
    else if (slice_starts(system_uri, SLICE("http://")))
        system_uri = slice_skip(system_uri, 7);
    size_t len = system_uri.len + 1 + code.len;
    if (code.len == 0 || len > STOP_KEY_MAX)
        return (struct slice){ out, 0 };
    if (system_uri.len > 0)
        memcpy(out, system_uri.at, system_uri.len);
    out[system_uri.len] = '|';
    memcpy(out + system_uri.len + 1, code.at, code.len);
    return (struct slice){ out, len };
}
