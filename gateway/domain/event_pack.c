/* domain/event_pack.c -- the stored form of an event: a format byte, the fixed members, then a tag
 * and a value for each member that is present.  Tags are only ever added; an unknown tag is skipped
 * by its length, so that an older program can read a newer row. */
#include "base/codec.h"
#include "domain/event.h"

#define FORMAT 1

/* Numbers below are stored: never renumber. */
enum tag {
    TAG_MEDICATION = 1,
    TAG_MEDICATION_REFERENCE = 2,
    TAG_FLAGS = 3,
    TAG_AUTHORED_ON = 4,
    TAG_BOUNDS_START = 5,
    TAG_BOUNDS_END = 6,
    TAG_FIRST_TIMING = 7,
    TAG_LAST_TIMING = 8,
    TAG_BOUNDS_DAYS = 9,
    TAG_REPEAT_DAYS = 10,
    TAG_SUPPLY_DAYS = 11,
    TAG_VALIDITY_END = 12,
    TAG_STATUS_CHANGED = 13,
    TAG_STATUS_REASON = 14,
    TAG_REASON_CODE = 15,
    TAG_REASON_REFERENCE = 16,
    TAG_BASED_ON = 17,
    TAG_GROUP = 18,
    TAG_PRIOR = 19,
    TAG_PROTOCOL = 20,
    TAG_TREATMENT_INTENT = 21,
    TAG_CODE = 22,
    TAG_CLINICAL = 23,
    TAG_VERIFICATION = 24,
    TAG_ONSET = 25,
    TAG_ABATEMENT = 26,
    TAG_RECORDED = 27,
    TAG_DECEASED = 28,
    TAG_REPLACED_BY = 29,
    TAG_DOSES = 30,
    TAG_DOSE = 31,
    TAG_EFFECTIVE = 32,
    TAG_EFFECTIVE_END = 33,
    TAG_VALUE = 34,
    TAG_VALUE_CONCEPT = 35,
    TAG_FOCUS = 36,
    TAG_ENCOUNTER = 37,
    TAG_COUNT
};

/* Which member a tag stands for, and how it is written. */
enum form { FORM_SPAN, FORM_TEXT, FORM_CONCEPT, FORM_DAYS, FORM_WORD, FORM_QUANTITY };

#define AT(member) offsetof(struct event, member)
/* clang-format off */
static const struct member {
    enum tag tag;
    enum form form;
    size_t offset;
} members[] = {
    { TAG_MEDICATION,           FORM_CONCEPT, AT(medication) },
    { TAG_MEDICATION_REFERENCE, FORM_TEXT,    AT(medication_reference) },
    { TAG_AUTHORED_ON,          FORM_SPAN,    AT(authored_on) },
    { TAG_BOUNDS_START,         FORM_SPAN,    AT(bounds_start) },
    { TAG_BOUNDS_END,           FORM_SPAN,    AT(bounds_end) },
    { TAG_FIRST_TIMING,         FORM_SPAN,    AT(first_timing_event) },
    { TAG_LAST_TIMING,          FORM_SPAN,    AT(last_timing_event) },
    { TAG_BOUNDS_DAYS,          FORM_DAYS,    AT(bounds_days) },
    { TAG_REPEAT_DAYS,          FORM_DAYS,    AT(repeat_days) },
    { TAG_SUPPLY_DAYS,          FORM_DAYS,    AT(supply_days) },
    { TAG_VALIDITY_END,         FORM_SPAN,    AT(validity_end) },
    { TAG_STATUS_CHANGED,       FORM_SPAN,    AT(status_changed) },
    { TAG_STATUS_REASON,        FORM_CONCEPT, AT(status_reason) },
    { TAG_REASON_CODE,          FORM_CONCEPT, AT(reason_code) },
    { TAG_GROUP,                FORM_TEXT,    AT(group_identifier) },
    { TAG_PRIOR,                FORM_TEXT,    AT(prior_prescription) },
    { TAG_ENCOUNTER,            FORM_TEXT,    AT(encounter) },
    { TAG_PROTOCOL,             FORM_TEXT,    AT(protocol) },
    { TAG_TREATMENT_INTENT,     FORM_WORD,    AT(treatment_intent) },
    { TAG_CODE,                 FORM_CONCEPT, AT(code) },
    { TAG_CLINICAL,             FORM_WORD,    AT(clinical_status) },
    { TAG_VERIFICATION,         FORM_WORD,    AT(verification_status) },
    { TAG_ONSET,                FORM_SPAN,    AT(onset) },
    { TAG_ABATEMENT,            FORM_SPAN,    AT(abatement) },
    { TAG_RECORDED,             FORM_SPAN,    AT(recorded) },
    { TAG_DECEASED,             FORM_SPAN,    AT(deceased) },
    { TAG_REPLACED_BY,          FORM_TEXT,    AT(replaced_by) },
    { TAG_DOSES,                FORM_DAYS,    AT(doses_per_1000_days) },
    { TAG_DOSE,                 FORM_QUANTITY, AT(dose) },
    { TAG_EFFECTIVE,            FORM_SPAN,    AT(effective) },
    { TAG_EFFECTIVE_END,        FORM_SPAN,    AT(effective_end) },
    { TAG_VALUE,                FORM_QUANTITY, AT(value) },
    { TAG_VALUE_CONCEPT,        FORM_CONCEPT, AT(value_concept) },
};
/* clang-format on */

_Static_assert(sizeof(enum treatment_intent) == sizeof(int), "FORM_WORD copies an int");

enum flag {
    FLAG_DO_NOT_PERFORM = 1,
    FLAG_REPORTED = 2,
    FLAG_RESOLVED = 4,
    FLAG_DECEASED = 8,
    FLAG_VALUE_FALSE = 16,
};

/* --- writing ------------------------------------------------------------------------------- */

static void pack_concept(const struct concept *concept, struct buffer *out)
{
    encode_varint(out, concept->count);
    for (unsigned i = 0; i < concept->count; i++) {
        const struct coding *coding = &concept->codings[i];
        encode_varint(out, (uint64_t)coding->system);
        if (coding->system == CODE_OTHER)
            encode_slice(out, coding->system_uri);
        encode_slice(out, coding->code);
    }
    encode_slice(out, concept->text);
}

static void pack_span(const struct date_span *span, struct buffer *out)
{
    encode_varint(out, (uint64_t)span->precision);
    encode_signed(out, span->first.day);
    if (span->precision != DATE_DAY)
        encode_signed(out, span->last.day - span->first.day);
}

static void pack_quantity(const struct quantity *quantity, struct buffer *out)
{
    encode_varint(out, (uint64_t)quantity->comparator);
    encode_signed(out, quantity->digits);
    encode_varint(out, (uint64_t)quantity->scale);
    encode_slice(out, quantity->unit);
}

static bool member_is_set(const struct member *member, const void *at)
{
    switch (member->form) {
    case FORM_SPAN:
        return ((const struct date_span *)at)->precision != DATE_ABSENT;
    case FORM_TEXT:
        return ((const struct slice *)at)->len > 0;
    case FORM_CONCEPT:
        return ((const struct concept *)at)->count > 0 ||
               ((const struct concept *)at)->text.len > 0;
    case FORM_DAYS:
        return *(const int32_t *)at != 0;
    case FORM_WORD:
        return *(const int *)at != 0;
    case FORM_QUANTITY:
        return ((const struct quantity *)at)->is_stated;
    }
    return false;
}

static void pack_value(const struct member *member, const void *at, struct buffer *out)
{
    switch (member->form) {
    case FORM_SPAN:
        pack_span(at, out);
        break;
    case FORM_TEXT:
        buffer_add(out, *(const struct slice *)at);
        break;
    case FORM_CONCEPT:
        pack_concept(at, out);
        break;
    case FORM_DAYS:
        encode_signed(out, *(const int32_t *)at);
        break;
    case FORM_WORD:
        encode_varint(out, (uint64_t) * (const int *)at);
        break;
    case FORM_QUANTITY:
        pack_quantity(at, out);
        break;
    }
}

/* Writes tag, length and what `start` marks as the value's first byte: the value is written first
 * behind three bytes kept free, which is enough for 2 MiB. */
static void pack_tagged(enum tag tag, const struct member *member, const void *at,
                        struct buffer *out)
{
    size_t start = out->len;
    char *room = buffer_room(out, 4);
    if (room == NULL)
        return;
    buffer_grew(out, 4);
    pack_value(member, at, out);
    if (buffer_overflowed(out))
        return;
    size_t len = out->len - start - 4;
    CHECK(len < (size_t)1 << 21);
    if (len < 0x80) { /* nearly always: one byte of length is enough, close the hole */
        memmove(out->at + start + 2, out->at + start + 4, len);
        out->at[start] = (char)tag;
        out->at[start + 1] = (char)len;
        out->len -= 2;
        return;
    }
    out->at[start] = (char)tag;
    out->at[start + 1] = (char)(unsigned char)(len | 0x80);
    out->at[start + 2] = (char)(unsigned char)(len >> 7 | 0x80);
    out->at[start + 3] = (char)(unsigned char)(len >> 14);
}

static void pack_references(enum tag tag, const struct slice *references, unsigned count,
                            struct buffer *out)
{
    for (unsigned i = 0; i < count; i++) {
        buffer_add_char(out, (char)tag);
        encode_slice(out, references[i]);
    }
}

void event_pack(const struct event *event, struct buffer *out)
{
    unsigned flags =
        (event->do_not_perform ? FLAG_DO_NOT_PERFORM : 0u) |
        (event->reported ? FLAG_REPORTED : 0u) | (event->medication_resolved ? FLAG_RESOLVED : 0u) |
        (event->is_deceased ? FLAG_DECEASED : 0u) | (event->value_is_false ? FLAG_VALUE_FALSE : 0u);
    encode_varint(out, FORMAT);
    encode_varint(out, (uint64_t)event->type);
    encode_varint(out, (uint64_t)event->resource_key);
    encode_varint(out, event->version);
    encode_slice(out, event->id);
    encode_varint(out, (uint64_t)event->status);
    encode_varint(out, (uint64_t)event->intent);
    encode_varint(out, flags);
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const void *at = (const char *)event + members[i].offset;
        if (member_is_set(&members[i], at))
            pack_tagged(members[i].tag, &members[i], at, out);
    }
    pack_references(TAG_REASON_REFERENCE, event->reason_references, event->reason_reference_count,
                    out);
    pack_references(TAG_BASED_ON, event->based_on, event->based_on_count, out);
    pack_references(TAG_FOCUS, event->focus, event->focus_count, out);
}

/* --- reading ------------------------------------------------------------------------------- */

static void unpack_concept(struct decoder *from, struct arena *arena, struct concept *out)
{
    uint64_t count = decode_varint(from);
    if (count > EVENT_CODINGS_MAX) {
        from->bad = true;
        return;
    }
    struct coding *codings =
        count > 0 ? arena_alloc_raw(arena, sizeof(struct coding) * (size_t)count) : NULL;
    if (count > 0 && codings == NULL) {
        from->bad = true;
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t system = decode_varint(from);
        if (system >= CODE_SYSTEM_COUNT)
            from->bad = true;
        codings[i].system = from->bad ? CODE_OTHER : (enum code_system)system;
        codings[i].system_uri = codings[i].system == CODE_OTHER ? decode_slice(from) : SLICE("");
        codings[i].code = decode_slice(from);
    }
    *out = (struct concept){ codings, (unsigned)count, decode_slice(from) };
}

static void unpack_span(struct decoder *from, struct date_span *out)
{
    uint64_t precision = decode_varint(from);
    if (precision > DATE_DAY)
        from->bad = true;
    out->precision = from->bad ? DATE_ABSENT : (enum date_precision)precision;
    out->first.day = (int32_t)decode_signed(from);
    out->last.day =
        out->first.day + (out->precision != DATE_DAY ? (int32_t)decode_signed(from) : 0);
}

#define SCALE_MAX 18

static void unpack_quantity(struct decoder *from, struct quantity *out)
{
    uint64_t comparator = decode_varint(from);
    int64_t digits = decode_signed(from);
    uint64_t scale = decode_varint(from);
    struct slice unit = decode_slice(from);
    if (comparator > COMPARATOR_GREATER || scale > SCALE_MAX)
        from->bad = true;
    if (!from->bad)
        *out = (struct quantity){ .is_stated = true,
                                  .comparator = (enum comparator)comparator,
                                  .digits = digits,
                                  .scale = (int32_t)scale,
                                  .unit = unit };
}

static void unpack_value(const struct member *member, struct slice value, struct arena *arena,
                         struct event *event, struct decoder *outer)
{
    struct decoder from = decoder_of(value);
    void *at = (char *)event + member->offset;
    switch (member->form) {
    case FORM_SPAN:
        unpack_span(&from, at);
        break;
    case FORM_TEXT:
        *(struct slice *)at = value;
        break;
    case FORM_CONCEPT:
        unpack_concept(&from, arena, at);
        break;
    case FORM_DAYS:
        *(int32_t *)at = (int32_t)decode_signed(&from);
        break;
    case FORM_WORD:
        *(int *)at = (int)decode_varint(&from);
        break;
    case FORM_QUANTITY:
        unpack_quantity(&from, at);
        break;
    }
    outer->bad |= from.bad;
}

static const struct member *member_of(uint64_t tag)
{
    static const struct member *by_tag[TAG_COUNT];
    static _Atomic bool is_built;
    if (!is_built) { /* every thread writes the same pointers */
        for (size_t i = 0; i < COUNT_OF(members); i++)
            __atomic_store_n(&by_tag[members[i].tag], &members[i], __ATOMIC_RELAXED);
        is_built = true;
    }
    return tag < COUNT_OF(by_tag) ? __atomic_load_n(&by_tag[tag], __ATOMIC_RELAXED) : NULL;
}

struct references {
    struct slice list[EVENT_REFERENCES_MAX];
    unsigned count;
};

static void add_reference(struct references *references, struct slice value)
{
    if (references->count < EVENT_REFERENCES_MAX)
        references->list[references->count++] = value;
}

static const struct slice *keep_references(const struct references *references, struct arena *arena,
                                           struct decoder *from)
{
    if (references->count == 0)
        return NULL;
    size_t size = sizeof(struct slice) * references->count;
    struct slice *kept = arena_alloc_raw(arena, size);
    if (kept == NULL)
        from->bad = true;
    else
        memcpy(kept, references->list, size);
    return kept;
}

static void unpack_tags(struct decoder *from, struct arena *arena, struct event *event)
{
    struct references reasons, based_on, focus;
    reasons.count = based_on.count = focus.count = 0;
    while (from->at < from->end && !from->bad) {
        uint64_t tag = decode_varint(from);
        struct slice value = decode_slice(from);
        if (from->bad)
            return;
        const struct member *member = member_of(tag);
        if (member != NULL)
            unpack_value(member, value, arena, event, from);
        else if (tag == TAG_REASON_REFERENCE)
            add_reference(&reasons, value);
        else if (tag == TAG_BASED_ON)
            add_reference(&based_on, value);
        else if (tag == TAG_FOCUS)
            add_reference(&focus, value);
    }
    event->reason_references = keep_references(&reasons, arena, from);
    event->reason_reference_count = reasons.count;
    event->based_on = keep_references(&based_on, arena, from);
    event->based_on_count = based_on.count;
    event->focus = keep_references(&focus, arena, from);
    event->focus_count = focus.count;
}

bool event_unpack(struct slice packed, struct arena *arena, struct event *out, struct err *err)
{
    struct decoder from = decoder_of(packed);
    *out = (struct event){ 0 };
    uint64_t format = decode_varint(&from);
    uint64_t type = decode_varint(&from);
    out->resource_key = (int64_t)decode_varint(&from);
    out->version = (uint32_t)decode_varint(&from);
    out->id = decode_slice(&from);
    uint64_t status = decode_varint(&from), intent = decode_varint(&from);
    uint64_t flags = decode_varint(&from);
    if (format != FORMAT || type >= FHIR_TYPE_COUNT || status > STATUS_NOT_DONE ||
        intent > INTENT_OPTION)
        from.bad = true;
    if (!from.bad)
        unpack_tags(&from, arena, out);
    if (from.bad)
        return err_fail(err, ERR_CORRUPT, "event", "a stored event cannot be read");
    out->type = (enum fhir_type)type;
    out->status = (enum order_status)status;
    out->intent = (enum order_intent)intent;
    out->do_not_perform = (flags & FLAG_DO_NOT_PERFORM) != 0;
    out->reported = (flags & FLAG_REPORTED) != 0;
    out->medication_resolved = (flags & FLAG_RESOLVED) != 0;
    out->is_deceased = (flags & FLAG_DECEASED) != 0;
    out->value_is_false = (flags & FLAG_VALUE_FALSE) != 0;
    return true;
}
