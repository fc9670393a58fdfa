#include "plan/posted_pack.h"

#include "base/codec.h"

#define FORMAT 1

/* A bit per member that is the same as in the entry before. */
enum shared { SAME_DISEASE = 1, SAME_LINE = 2, SAME_EVIDENCE = 4, SAME_TEXT = 8, SAME_DAYS = 16 };
#define SHARED_ALL 31

static unsigned shared_of(const struct posted *posted, const struct posted *before)
{
    if (before == NULL)
        return 0;
    bool are_days_same =
        posted->start.day == before->start.day && posted->end.day == before->end.day;
    return (slice_eq(posted->disease, before->disease) ? SAME_DISEASE : 0U) |
           (slice_eq(posted->line_id, before->line_id) ? SAME_LINE : 0U) |
           (slice_eq(posted->evidence_ids, before->evidence_ids) ? SAME_EVIDENCE : 0U) |
           (slice_eq(posted->text, before->text) ? SAME_TEXT : 0U) |
           (are_days_same ? SAME_DAYS : 0U);
}

void posted_pack(const struct posted *list, unsigned count, struct buffer *out)
{
    if (count == 0)
        return;
    CHECK(count <= PLAN_POSTINGS_MAX);
    buffer_add_char(out, FORMAT);
    encode_varint(out, count);
    for (unsigned i = 0; i < count; i++) {
        const struct posted *posted = &list[i];
        unsigned shared = shared_of(posted, i > 0 ? &list[i - 1] : NULL);
        encode_varint(out, (uint64_t)posted->kind);
        encode_varint(out, (uint64_t)posted->target);
        encode_varint(out, (uint64_t)posted->wish);
        encode_varint(out, shared);
        if ((shared & SAME_DISEASE) == 0)
            encode_slice(out, posted->disease);
        if ((shared & SAME_LINE) == 0)
            encode_slice(out, posted->line_id);
        if ((shared & SAME_EVIDENCE) == 0)
            encode_slice(out, posted->evidence_ids);
        if ((shared & SAME_TEXT) == 0)
            encode_slice(out, posted->text);
        if ((shared & SAME_DAYS) == 0) {
            encode_signed(out, posted->start.day);
            encode_signed(out, posted->end.day);
        }
        buffer_add(out, (struct slice){ (const char *)posted->digest.bytes, SHA256_BYTES });
    }
}

static struct date take_date(struct decoder *from)
{
    int64_t day = decode_signed(from);
    if (day < INT32_MIN || day > INT32_MAX)
        from->bad = true;
    return (struct date){ from->bad ? DATE_NONE : (int32_t)day };
}

static uint64_t take_below(struct decoder *from, uint64_t least, uint64_t most)
{
    uint64_t value = decode_varint(from);
    if (value < least || value > most)
        from->bad = true;
    return from->bad ? least : value;
}

static void take_posted(struct decoder *from, const struct posted *before, struct posted *out)
{
    *out = before != NULL ? *before : (struct posted){ 0 };
    out->kind = (enum posting_kind)take_below(from, POSTING_FLAG, POSTING_KINDS - 1);
    out->target = (enum posting_kind)take_below(from, POSTING_FLAG, POSTING_KINDS - 1);
    out->wish = (enum posting_wish)take_below(from, WISH_HOLD, WISH_IN_ERROR);
    uint64_t shared = take_below(from, 0, SHARED_ALL);
    if (before == NULL && shared != 0)
        from->bad = true;
    if ((shared & SAME_DISEASE) == 0)
        out->disease = decode_slice(from);
    if ((shared & SAME_LINE) == 0)
        out->line_id = decode_slice(from);
    if ((shared & SAME_EVIDENCE) == 0)
        out->evidence_ids = decode_slice(from);
    if ((shared & SAME_TEXT) == 0)
        out->text = decode_slice(from);
    if ((shared & SAME_DAYS) == 0) {
        out->start = take_date(from);
        out->end = take_date(from);
    }
    if (from->bad || (size_t)(from->end - from->at) < SHA256_BYTES) {
        from->bad = true;
        return;
    }
    memcpy(out->digest.bytes, from->at, SHA256_BYTES);
    from->at += SHA256_BYTES;
}

bool posted_unpack(struct slice packed, struct arena *arena, struct posted **out, unsigned *count,
                   struct err *err)
{
    if (packed.len == 0) {
        *out = NULL;
        *count = 0;
        return true;
    }
    struct decoder from = decoder_of(packed);
    (void)take_below(&from, FORMAT, FORMAT);
    uint64_t entries = take_below(&from, 0, PLAN_POSTINGS_MAX);
    if (from.bad)
        return err_fail(err, ERR_CORRUPT, "posted", "the memory of postings has an unknown format");
    struct posted *list = ARENA_ARRAY(arena, struct posted, entries + 1);
    if (list == NULL)
        return err_fail(err, ERR_TOO_LARGE, "posted", "no room for the memory of postings");
    for (uint64_t i = 0; i < entries && !from.bad; i++)
        take_posted(&from, i > 0 ? &list[i - 1] : NULL, &list[i]);
    if (from.bad || from.at != from.end)
        return err_fail(err, ERR_CORRUPT, "posted", "the memory of postings cannot be read");
    *out = list;
    *count = (unsigned)entries;
    return true;
}
