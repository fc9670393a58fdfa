#include "fhir/parameters.h"

#include "base/json.h"
#include "base/json_text.h"

static bool on_value(void *ctx, struct json_reader *reader, enum json_kind kind, struct slice text)
{
    (void)ctx, (void)reader, (void)kind, (void)text;
    return true;
}

static bool on_bracket(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    (void)ctx, (void)reader, (void)kind;
    return true;
}

bool fhir_check_json(struct slice body, struct arena *arena, struct err *err)
{
    static const struct json_events events = { on_value, on_bracket, on_bracket };
    return json_read(body, NULL, &events, NULL, arena, err);
}

bool fhir_is_parameters(struct slice body, struct arena *arena)
{
    return slice_is(json_value_text(json_find_member(body, "resourceType"), arena), "Parameters");
}

struct slice fhir_parameter(struct slice body, const char *name, const char *member,
                            struct arena *arena)
{
    struct json_cursor cursor = { .text = json_find_member(body, "parameter") };
    struct slice item;
    if (cursor.text.at == NULL || !json_take(&cursor, '['))
        return SLICE("");
    while (json_next_item(&cursor, &item)) {
        if (!slice_is(json_value_text(json_find_member(item, "name"), arena), name))
            continue;
        struct slice value = json_find_member(item, member);
        return value.at != NULL ? value : SLICE("");
    }
    return SLICE("");
}

struct slice fhir_parameter_text(struct slice body, const char *name, const char *member,
                                 struct arena *arena)
{
    return json_value_text(fhir_parameter(body, name, member, arena), arena);
}
