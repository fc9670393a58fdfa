#include "audit/audit_int.h"
#include "base/date.h"
#include "base/utf8.h"

/* A record is written on the way of every request, so bytes gather in a small block here and reach
 * the buffer in few pieces. */
struct pen {
    struct buffer *out;
    size_t used;
    char block[1024];
};

static const char hex_digits[] = "0123456789abcdef";

static const char *const kind_names[] = {
#define X(name, word) [AUDIT_##name] = word,
    AUDIT_KIND_TABLE(X)
#undef X
};

const char *audit_kind_name(enum audit_kind kind)
{
    CHECK((size_t)kind < COUNT_OF(kind_names));
    return kind_names[kind];
}

static void pen_flush(struct pen *pen)
{
    buffer_add(pen->out, (struct slice){ pen->block, pen->used });
    pen->used = 0;
}

static void pen_raw(struct pen *pen, const char *at, size_t len)
{
    if (len > sizeof pen->block - pen->used)
        pen_flush(pen);
    if (len > sizeof pen->block) {
        buffer_add(pen->out, (struct slice){ at, len });
        return;
    }
    if (len > 0)
        memcpy(pen->block + pen->used, at, len);
    pen->used += len;
}

#define PEN_TEXT(pen, literal) pen_raw((pen), (literal), sizeof(literal) - 1)

static void pen_number(struct pen *pen, int64_t number)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        digits[--at] = '-';
    pen_raw(pen, digits + at, sizeof digits - at);
}

static void pen_escape(struct pen *pen, unsigned char byte)
{
    char escape[6] = { '\\', 'u', '0', '0', hex_digits[byte >> 4], hex_digits[byte & 15] };
    if (byte == '"' || byte == '\\')
        pen_raw(pen, (const char[]){ '\\', (char)byte }, 2);
    else if (byte >= 0x80) /* not UTF-8: a name in a certificate may hold anything */
        PEN_TEXT(pen, "\\ufffd");
    else
        pen_raw(pen, escape, sizeof escape);
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

static bool is_plain_all(struct slice text)
{
    bool is_clean = true;
    for (size_t i = 0; i < text.len; i++)
        is_clean = is_clean && is_plain((unsigned char)text.at[i]);
    return is_clean;
}

static void pen_string(struct pen *pen, struct slice text)
{
    const unsigned char *at = (const unsigned char *)text.at;
    PEN_TEXT(pen, "\"");
    for (size_t i = 0, run; i < text.len; i += run) {
        for (run = 0; i + run < text.len && is_plain(at[i + run]);)
            run++;
        if (run == 0 && at[i] >= 0x80)
            run = utf8_len(text.at + i, text.len - i);
        if (run > 0) {
            pen_raw(pen, text.at + i, run);
        } else {
            pen_escape(pen, at[i]);
            run = 1;
        }
    }
    PEN_TEXT(pen, "\"");
}

static void pen_hash(struct pen *pen, const struct sha256 *hash)
{
    char hex[SHA256_HEX_SIZE];
    pen_raw(pen, sha256_hex(hash, hex), SHA256_HEX_SIZE - 1);
}

static void pen_two(char *at, unsigned number)
{
    at[0] = (char)('0' + number / 10 % 10);
    at[1] = (char)('0' + number % 10);
}

/* The time of day by hand and the day through base/date.h, of which a thread asks the same all
 * day long. */
static void pen_instant(struct pen *pen, int64_t ms)
{
    static _Thread_local int32_t day_cached = DATE_NONE;
    static _Thread_local char day_text[DATE_TEXT_SIZE];
    struct date day = date_of_ms(ms);
    if (day.day != day_cached) {
        date_format(day, day_text);
        day_cached = day.day;
    }
    unsigned rest = (unsigned)(ms - (int64_t)day.day * 86400000);
    char text[] = "YYYY-MM-DDThh:mm:ss.mmmZ";
    memcpy(text, day_text, 10);
    pen_two(text + 11, rest / 3600000);
    pen_two(text + 14, rest / 60000 % 60);
    pen_two(text + 17, rest / 1000 % 60);
    text[20] = (char)('0' + rest / 100 % 10);
    pen_two(text + 21, rest % 100);
    pen_raw(pen, text, sizeof text - 1);
}

/* `key` is the text between the member before and the value: `,"tenant":` */
static void pen_member(struct pen *pen, struct slice key, struct slice value)
{
    if (value.len == 0)
        return;
    pen_raw(pen, key.at, key.len);
    pen_string(pen, value);
}

static void pen_digest(struct pen *pen, struct slice key, const struct sha256 *digest)
{
    static const struct sha256 none;
    if (sha256_equal(digest, &none))
        return;
    pen_raw(pen, key.at, key.len);
    PEN_TEXT(pen, "\"");
    pen_hash(pen, digest);
    PEN_TEXT(pen, "\"");
}

static void pen_entry(struct pen *pen, const struct audit_entry *entry)
{
    PEN_TEXT(pen, "{\"action\":");
    pen_string(pen, slice_of(entry->action));
    PEN_TEXT(pen, ",\"resource\":\"");
    struct slice type = slice_of(fhir_type_name(entry->type));
    pen_raw(pen, type.at, type.len);
    if (entry->id.len > 0 && is_plain_all(entry->id)) { /* what is not plain is no id */
        PEN_TEXT(pen, "/");
        pen_raw(pen, entry->id.at, entry->id.len);
    }
    PEN_TEXT(pen, "\"");
    if (entry->version > 0) {
        PEN_TEXT(pen, ",\"version\":");
        pen_number(pen, entry->version);
    }
    if (entry->status > 0) {
        PEN_TEXT(pen, ",\"status\":");
        pen_number(pen, entry->status);
    }
    PEN_TEXT(pen, "}");
}

static void pen_entries(struct pen *pen, const struct audit_record *record)
{
    if (record->entry_count == 0)
        return;
    PEN_TEXT(pen, ",\"entries\":[");
    for (unsigned i = 0; i < record->entry_count; i++) {
        if (i > 0)
            PEN_TEXT(pen, ",");
        pen_entry(pen, &record->entries[i]);
    }
    PEN_TEXT(pen, "]");
}

/* A record is one line, so a line break between the tokens of `detail` becomes a space. */
static void pen_detail(struct pen *pen, struct slice detail)
{
    if (detail.len == 0)
        return;
    CHECK(detail.at[0] == '{');
    PEN_TEXT(pen, ",\"detail\":");
    while (detail.len > 0) {
        size_t before = detail.len;
        struct slice part = slice_take_until(&detail, '\n');
        pen_raw(pen, part.at, part.len);
        if (part.len < before)
            PEN_TEXT(pen, " ");
    }
}

static void pen_exchange(struct pen *pen, const struct audit_record *record)
{
    struct slice path = record->path;
    path = slice_take_until(&path, '?');
    pen_member(pen, SLICE(",\"tenant\":"), record->tenant);
    pen_member(pen, SLICE(",\"actor\":"), record->actor);
    pen_member(pen, SLICE(",\"address\":"), record->address);
    pen_member(pen, SLICE(",\"requestId\":"), record->request_id);
    pen_member(pen, SLICE(",\"method\":"), record->method);
    pen_member(pen, SLICE(",\"path\":"), path);
    if (record->status > 0) {
        PEN_TEXT(pen, ",\"status\":");
        pen_number(pen, record->status);
    }
    pen_member(pen, SLICE(",\"outcome\":"), slice_of(record->outcome));
    pen_member(pen, SLICE(",\"patient\":"), record->patient);
}

struct sha256 audit_hash(const struct sha256 *before, struct slice line)
{
    const struct slice parts[] = { { (const char *)before->bytes, SHA256_BYTES }, line };
    return sha256_of(parts, COUNT_OF(parts));
}

void audit_write(const struct audit_record *record, struct audit_head *head, struct buffer *out)
{
    struct pen pen;
    pen.out = out;
    pen.used = 0;
    size_t start = out->len;
    PEN_TEXT(&pen, "{\"seq\":");
    pen_number(&pen, head->seq + 1);
    PEN_TEXT(&pen, ",\"prev\":\"");
    pen_hash(&pen, &head->hash);
    PEN_TEXT(&pen, "\",\"time\":\"");
    pen_instant(&pen, record->time_ms);
    PEN_TEXT(&pen, "\",\"mono\":");
    pen_number(&pen, record->monotonic_ns > 0 ? record->monotonic_ns : 0);
    PEN_TEXT(&pen, ",\"kind\":\"");
    struct slice kind = slice_of(audit_kind_name(record->kind));
    pen_raw(&pen, kind.at, kind.len);
    PEN_TEXT(&pen, "\"");
    pen_exchange(&pen, record);
    pen_entries(&pen, record);
    pen_digest(&pen, SLICE(",\"requestDigest\":"), &record->request_digest);
    pen_digest(&pen, SLICE(",\"responseDigest\":"), &record->response_digest);
    pen_detail(&pen, record->detail);
    PEN_TEXT(&pen, "}");
    pen_flush(&pen);
    if (buffer_overflowed(out))
        return;
    struct slice line = { out->at + start, out->len - start };
    head->hash = audit_hash(&head->hash, line);
    head->seq++;
}
