#include "base/json_int.h"
#include "base/utf8.h"

/* --- bytes ----------------------------------------------------------------------------------- */

/* Sixteen bytes at once, in whatever vectors the machine has (a feature of gcc and clang). */
typedef signed char bytes16 __attribute__((vector_size(16)));

static inline bytes16 load16(const unsigned char *at)
{
    bytes16 bytes;
    memcpy(&bytes, at, sizeof bytes);
    return bytes;
}

static inline bool is_none(bytes16 marks)
{
    uint64_t halves[2];
    memcpy(halves, &marks, sizeof halves);
    return (halves[0] | halves[1]) == 0;
}

/* Sixty-four bytes of nothing but printable ASCII without a backslash: most of any text. */
static inline bool is_plain64(const unsigned char *at)
{
    bytes16 a = load16(at), b = load16(at + 16), c = load16(at + 32), d = load16(at + 48);
    bytes16 low = (a < ' ') | (b < ' ') | (c < ' ') | (d < ' '); /* beyond ASCII is negative */
    return is_none(low | (a == '\\') | (b == '\\') | (c == '\\') | (d == '\\'));
}

/* How many of sixteen bytes come before the first that is NUL, a backslash, beyond ASCII, or one of
 * the two control characters that yajl takes for blanks and JSON does not. */
static inline size_t plain_len(const unsigned char *at)
{
    uint64_t halves[2];
    bytes16 bytes = load16(at);
    bytes16 marks = (bytes <= 0) | (bytes == '\\') | (bytes == '\v') | (bytes == '\f');
    memcpy(halves, &marks, sizeof halves);
    if ((halves[0] | halves[1]) == 0)
        return 16;
    if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
        return 0; /* the caller looks byte by byte */
    return halves[0] != 0 ? (size_t)__builtin_ctzll(halves[0]) / 8
                          : 8 + (size_t)__builtin_ctzll(halves[1]) / 8;
}

static int hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The unit of a "\uXXXX" at `at`, or -1 when it is not one. */
static int escaped_unit(const unsigned char *at, size_t room)
{
    int unit = 0;
    if (room < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_value(at[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* Steps over one escape; what is wrong with its form is json_find_fault()'s to say. */
static size_t escape_len(const unsigned char *at, size_t room, const char **what)
{
    int unit = escaped_unit(at, room);
    if (unit < 0)
        return room < 2 ? room : 2;
    if (unit == 0)
        *what = "the escape \\u0000 is not allowed";
    if (unit < 0xd800 || unit > 0xdfff)
        return 6;
    int next = escaped_unit(at + 6, room - 6);
    if (unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff)
        return 12;
    *what = "an escape is half of a surrogate pair";
    return 6;
}

bool json_check_bytes(struct slice text, struct json_fault *fault)
{
    const unsigned char *at = (const unsigned char *)text.at;
    const char *what = NULL;
    size_t i = 0, step;

    for (; i < text.len; i += step) {
        while (i + 64 <= text.len && is_plain64(at + i))
            i += 64;
        for (size_t plain = 16; plain == 16 && i + 16 <= text.len; i += plain)
            plain = plain_len(at + i);
        if (i >= text.len)
            break;
        step = 1;
        if (at[i] == '\\')
            step = escape_len(at + i, text.len - i, &what);
        else if (at[i] >= 0x80)
            step = utf8_len(text.at + i, text.len - i);
        else if (at[i] == 0)
            what = "a NUL byte is not allowed";
        else if (at[i] == '\v' || at[i] == '\f')
            what = "a control character is not allowed";
        if (step == 0)
            what = "the text is not valid UTF-8";
        if (what != NULL) {
            *fault = (struct json_fault){ i, what };
            return false;
        }
    }
    return true;
}

/* --- comments -------------------------------------------------------------------------------- */

/* Behind the string that starts at `at`, or behind the end when it is not closed. */
static const char *string_end(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\' && at + 1 < end)
            at++;
    return at < end ? at + 1 : end;
}

struct slice json_blank_comments(struct slice text, struct arena *arena)
{
    char *copy = arena_alloc_raw(arena, text.len + 1);
    if (copy == NULL)
        return SLICE("");
    if (text.len > 0)
        memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';

    char *at = copy, *end = copy + text.len;
    while (at < end) {
        bool is_line = end - at >= 2 && at[0] == '/' && at[1] == '/';
        bool is_block = end - at >= 2 && at[0] == '/' && at[1] == '*';
        if (*at == '"') {
            at += string_end(at, end) - at;
        } else if (is_line) {
            while (at < end && *at != '\n')
                *at++ = ' ';
        } else if (is_block) {
            char *close = memmem(at + 2, (size_t)(end - at - 2), "*/", 2);
            if (close == NULL) /* left as it is: a fault at the comment's start */
                break;
            for (; at < close + 2; at++)
                if (*at != '\n')
                    *at = ' ';
        } else {
            at++;
        }
    }
    return (struct slice){ copy, text.len };
}

/* --- what is wrong --------------------------------------------------------------------------- */

enum want {
    WANT_VALUE,
    WANT_ITEM_OR_END,
    WANT_KEY,
    WANT_KEY_OR_END,
    WANT_COLON,
    WANT_NEXT,
    WANT_EOF
};

static const char *const expected[] = {
    [WANT_VALUE] = "expected a value",
    [WANT_ITEM_OR_END] = "expected a value or ']'",
    [WANT_KEY] = "expected a key in double quotes",
    [WANT_KEY_OR_END] = "expected a key in double quotes or '}'",
    [WANT_COLON] = "expected ':' behind the key",
    [WANT_NEXT] = "expected ',' or the closing bracket",
    [WANT_EOF] = "expected nothing more behind the document",
};

struct scan {
    const char *start, *at, *end;
    enum want want;
    unsigned depth;
    bool is_array[JSON_DEPTH_MAX];
    struct json_fault *fault;
};

/* Always false, so that failing is one line. */
static bool scan_fail(struct scan *scan, const char *what)
{
    *scan->fault = (struct json_fault){ (size_t)(scan->at - scan->start), what };
    return false;
}

static bool scan_string(struct scan *scan)
{
    const char *opened = scan->at++;
    for (; scan->at < scan->end && *scan->at != '"'; scan->at++) {
        if ((unsigned char)*scan->at < 0x20)
            return scan_fail(scan, "control characters must be escaped in a string");
        if (*scan->at != '\\')
            continue;
        size_t room = (size_t)(scan->end - scan->at);
        char kind = room > 1 ? scan->at[1] : '"';
        if (kind == '\0' || strchr("\"\\/bfnrtu", kind) == NULL)
            return scan_fail(scan, "unknown escape in a string");
        if (kind == 'u' && escaped_unit((const unsigned char *)scan->at, room) < 0)
            return scan_fail(scan, "expected four hexadecimal digits behind \\u");
        scan->at++;
    }
    if (scan->at >= scan->end) {
        scan->at = opened;
        return scan_fail(scan, "the string that starts here is not closed");
    }
    scan->at++;
    return true;
}

static bool scan_digits(struct scan *scan)
{
    const char *first = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
    return scan->at > first || scan_fail(scan, "expected a digit");
}

static bool scan_number(struct scan *scan)
{
    if (*scan->at == '-')
        scan->at++;
    bool is_zero_first = scan->at + 1 < scan->end && *scan->at == '0';
    if (is_zero_first && scan->at[1] >= '0' && scan->at[1] <= '9')
        return scan_fail(scan, "a number does not start with a zero and another digit");
    if (!scan_digits(scan))
        return false;
    if (scan->at < scan->end && *scan->at == '.') {
        scan->at++;
        if (!scan_digits(scan))
            return false;
    }
    if (scan->at < scan->end && (*scan->at | 0x20) == 'e') {
        scan->at++;
        if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-'))
            scan->at++;
        return scan_digits(scan);
    }
    return true;
}

static bool scan_word(struct scan *scan)
{
    static const char *const words[] = { "true", "false", "null" };
    struct slice rest = { scan->at, (size_t)(scan->end - scan->at) };
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (slice_starts(rest, slice_of(words[i]))) {
            scan->at += strlen(words[i]);
            return true;
        }
    }
    return scan_fail(scan, expected[scan->want]);
}

static void scan_value_done(struct scan *scan)
{
    scan->want = scan->depth > 0 ? WANT_NEXT : WANT_EOF;
}

static bool scan_open(struct scan *scan)
{
    if (scan->depth == JSON_DEPTH_MAX)
        return scan_fail(scan, "nested too deeply");
    bool is_array = *scan->at++ == '[';
    scan->is_array[scan->depth++] = is_array;
    scan->want = is_array ? WANT_ITEM_OR_END : WANT_KEY_OR_END;
    return true;
}

static bool scan_close(struct scan *scan)
{
    scan->at++;
    scan->depth--;
    scan_value_done(scan);
    return true;
}

static bool scan_value(struct scan *scan)
{
    char c = *scan->at;
    if (c == '{' || c == '[')
        return scan_open(scan);
    bool is_number = c == '-' || (c >= '0' && c <= '9');
    bool ok = c == '"' ? scan_string(scan) : is_number ? scan_number(scan) : scan_word(scan);
    scan_value_done(scan);
    return ok;
}

static bool scan_next(struct scan *scan)
{
    bool in_array = scan->is_array[scan->depth - 1];
    if (*scan->at == (in_array ? ']' : '}'))
        return scan_close(scan);
    if (*scan->at != ',')
        return scan_fail(scan, in_array ? "expected ',' or ']'" : "expected ',' or '}'");
    scan->at++;
    scan->want = in_array ? WANT_VALUE : WANT_KEY;
    return true;
}

static bool scan_key(struct scan *scan)
{
    if (*scan->at == '}' && scan->want == WANT_KEY_OR_END)
        return scan_close(scan);
    if (*scan->at != '"')
        return scan_fail(scan, expected[scan->want]);
    scan->want = WANT_COLON;
    return scan_string(scan);
}

static bool scan_step(struct scan *scan)
{
    switch (scan->want) {
    case WANT_ITEM_OR_END:
        return *scan->at == ']' ? scan_close(scan) : scan_value(scan);
    case WANT_VALUE:
        return scan_value(scan);
    case WANT_KEY:
    case WANT_KEY_OR_END:
        return scan_key(scan);
    case WANT_COLON:
        if (*scan->at != ':')
            return scan_fail(scan, expected[WANT_COLON]);
        scan->at++;
        scan->want = WANT_VALUE;
        return true;
    case WANT_NEXT:
        return scan_next(scan);
    case WANT_EOF:
        break;
    }
    return scan_fail(scan, expected[WANT_EOF]);
}

bool json_find_fault(struct slice text, struct json_fault *fault)
{
    struct scan scan = {
        .start = text.at, .at = text.at, .end = text.at + text.len, .fault = fault
    };

    for (;;) {
        while (scan.at < scan.end && *scan.at != '\0' && strchr(" \t\r\n", *scan.at) != NULL)
            scan.at++;
        if (scan.at >= scan.end)
            break;
        if (!scan_step(&scan))
            return true;
    }
    if (scan.want == WANT_EOF)
        return false;
    scan_fail(&scan, scan.depth > 0 ? "the document ends before its last bracket is closed"
                                    : "expected a JSON document");
    return true;
}
