#include "fhir/shape.h"

#include "base/buffer.h"
#include "base/json_text.h"
#include "http/message.h"

static const char subsetted[] = "{\"system\":\"http://terminology.hl7.org/CodeSystem/"
                                "v3-ObservationValue\",\"code\":\"SUBSETTED\"}";

static bool read_summary(struct slice value, struct fhir_shape *out, struct err *err)
{
    static const char *const words[] = { [SUMMARY_FALSE] = "false",
                                         [SUMMARY_TRUE] = "true",
                                         [SUMMARY_TEXT] = "text",
                                         [SUMMARY_DATA] = "data",
                                         [SUMMARY_COUNT] = "count" };
    for (unsigned i = 0; i < COUNT_OF(words); i++)
        if (slice_is(value, words[i])) {
            out->summary = (enum fhir_summary)i;
            return true;
        }
    return err_fail(err, ERR_INVALID, "_summary", "expected true, text, data, count or false");
}

bool fhir_shape_read(struct slice query, struct arena *arena, struct fhir_shape *out,
                     struct err *err)
{
    struct fhir_shape shape = { SUMMARY_FALSE, SLICE("") };
    struct slice name, value;
    while (http_query_next(&query, arena, &name, &value)) {
        if (slice_is(name, "_elements"))
            shape.elements = value;
        else if (slice_is(name, "_summary") && !read_summary(value, &shape, err))
            return false;
    }
    *out = shape;
    return true;
}

bool fhir_shape_is_whole(const struct fhir_shape *shape)
{
    return shape->summary == SUMMARY_FALSE && shape->elements.len == 0;
}

/* "medication*" names medicationReference too. */
static bool name_fits(struct slice name, struct slice element)
{
    if (name.len > 0 && name.at[name.len - 1] == '*')
        return slice_starts(element, (struct slice){ name.at, name.len - 1 });
    return slice_eq(name, element);
}

static bool is_among(struct slice names, char separator, enum fhir_type type, struct slice element)
{
    while (names.len > 0) {
        struct slice name = slice_take_until(&names, separator), rest = name;
        struct slice owner = slice_take_until(&rest, '.');
        bool has_owner = rest.len > 0 && slice_is(owner, fhir_type_name(type));
        if (name_fits(has_owner ? rest : name, element))
            return true;
    }
    return false;
}

/* _elements may name a choice without its type: "medication". */
static bool is_chosen(const struct fhir_shape *shape, enum fhir_type type, struct slice element)
{
    struct slice required = slice_of(fhir_required_elements(type)), names = required;
    if (is_among(shape->elements, ',', type, element))
        return true;
    while (names.len > 0) {
        struct slice name = slice_take_until(&names, ' ');
        bool is_choice = name.len > 0 && name.at[name.len - 1] == '*';
        struct slice plain = { name.at, name.len - is_choice };
        if (is_choice && name_fits(name, element) && is_among(shape->elements, ',', type, plain))
            return true;
    }
    return is_among(required, ' ', type, element);
}

static bool stays(const struct fhir_shape *shape, enum fhir_type type, struct slice element)
{
    if (element.len > 0 && element.at[0] == '_') /* "_status" goes with "status" */
        element = slice_skip(element, 1);
    if (slice_is(element, "resourceType") || slice_is(element, "id") || slice_is(element, "meta") ||
        slice_is(element, "implicitRules"))
        return true;
    if (shape->elements.len > 0)
        return is_chosen(shape, type, element);
    switch (shape->summary) {
    case SUMMARY_TRUE:
        return is_among(slice_of(fhir_summary_elements(type)), ' ', type, element) ||
               is_among(slice_of(fhir_required_elements(type)), ' ', type, element);
    case SUMMARY_TEXT:
        return slice_is(element, "text") ||
               is_among(slice_of(fhir_required_elements(type)), ' ', type, element);
    case SUMMARY_DATA:
        return !slice_is(element, "text");
    case SUMMARY_FALSE:
    case SUMMARY_COUNT:
        break;
    }
    return true;
}

/* meta with the tag among its tags. */
static void put_meta(struct slice meta, struct buffer *out)
{
    struct json_cursor cursor = { .text = meta, .at = 1 };
    struct json_member member;
    while (json_next_member(&cursor, &member)) {
        if (!json_key_is(member.key, "tag") || member.value.at[0] != '[')
            continue;
        const char *items = member.value.at + 1;
        struct json_cursor tags = { .text = member.value, .at = 1 };
        bool is_empty = json_take(&tags, ']');
        buffer_add(out, (struct slice){ meta.at, (size_t)(items - meta.at) });
        buffer_add(out, slice_of(subsetted));
        buffer_add(out, is_empty ? SLICE("") : SLICE(","));
        buffer_add(out, slice_skip(meta, (size_t)(items - meta.at)));
        return;
    }
    buffer_format(out, "{\"tag\":[%s]%s", subsetted, cursor.is_begun ? "," : "");
    buffer_add(out, slice_skip(meta, 1));
}

static bool put_members(const struct fhir_shape *shape, enum fhir_type type, struct slice body,
                        struct arena *arena, struct buffer *out)
{
    struct json_cursor cursor = { .text = body };
    struct json_member member;
    bool is_first = true;
    if (!json_take(&cursor, '{'))
        return false;
    buffer_add_char(out, '{');
    while (json_next_member(&cursor, &member)) {
        if (!stays(shape, type, json_unescape(member.key, arena)))
            continue;
        buffer_format(out, "%s\"%.*s\":", is_first ? "" : ",", SLICE_ARGS(member.key));
        if (json_key_is(member.key, "meta") && member.value.at[0] == '{')
            put_meta(member.value, out);
        else
            buffer_add(out, member.value);
        is_first = false;
    }
    buffer_add_char(out, '}');
    return !cursor.is_bad;
}

bool fhir_shape_apply(const struct fhir_shape *shape, enum fhir_type type, struct slice body,
                      struct arena *arena, struct slice *out, struct err *err)
{
    struct buffer text;
    if (fhir_shape_is_whole(shape)) {
        *out = body;
        return true;
    }
    buffer_init(&text, body.len + 4096);
    bool is_json = put_members(shape, type, body, arena, &text);
    struct slice made = arena_copy(arena, buffer_slice(&text));
    bool is_whole = !buffer_overflowed(&text) && !arena_overflowed(arena);
    buffer_fini(&text);
    if (!is_json)
        return err_fail(err, ERR_CORRUPT, "", "the stored bytes are not a resource");
    if (!is_whole)
        return err_fail(err, ERR_TOO_COSTLY, "", "the answer is too large: ask for less");
    *out = made;
    return true;
}
