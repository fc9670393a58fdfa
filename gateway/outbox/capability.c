#include "outbox/capability.h"

#include "base/json.h"

/* A statement of rest[].resource[] may come before the type that it is about, and a rest[] may say
 * at its end that it speaks of a client, so both are drafts until they close. */
struct reader_state {
    struct capability whole, rest;
    struct capability_type type;
    enum posting_kind kind; /* 0: not one of ours */
    bool has_search;
    bool is_client;
    bool is_statement;
    enum vendor vendor;
};

static bool read_interaction(struct reader_state *state, struct slice text)
{
    if (slice_is(text, "create"))
        state->type.can_create = true;
    else if (slice_is(text, "read"))
        state->type.can_read = true;
    else if (slice_is(text, "update"))
        state->type.can_update = true;
    else if (slice_is(text, "search-type"))
        state->has_search = true;
    return true;
}

static enum posting_kind kind_of(struct slice name)
{
    for (enum posting_kind kind = POSTING_FLAG; kind < POSTING_KINDS; kind++)
        if (slice_is(name, fhir_type_name(posting_type(kind))))
            return kind;
    return (enum posting_kind)0;
}

static bool on_value(void *ctx, struct json_reader *reader, enum json_kind kind, struct slice text)
{
    struct reader_state *state = ctx;
    struct slice path = json_path(reader);
    bool is_true = kind == JSON_BOOL && slice_is(text, "true");

    if (slice_is(path, "resourceType"))
        state->is_statement = slice_is(text, "CapabilityStatement");
    else if (slice_is(path, "software.name") || slice_is(path, "publisher"))
        state->vendor = vendor_of(text, state->vendor);
    else if (slice_is(path, "rest[].mode"))
        state->is_client = slice_is(text, "client");
    else if (slice_is(path, "rest[].resource[].type"))
        state->kind = kind_of(text);
    else if (slice_is(path, "rest[].resource[].interaction[].code"))
        return read_interaction(state, text);
    else if (slice_is(path, "rest[].resource[].conditionalCreate"))
        state->type.conditional_create = is_true;
    else if (slice_is(path, "rest[].resource[].conditionalUpdate"))
        state->type.conditional_update = is_true;
    else if (slice_is(path, "rest[].resource[].updateCreate"))
        state->type.update_create = is_true;
    else if (slice_is(path, "rest[].resource[].searchParam[].name")) {
        state->type.search_identifier |= slice_is(text, "identifier");
        state->type.search_target |= slice_is(text, "target");
        state->type.search_patient |= slice_is(text, "patient");
        state->type.search_category |= slice_is(text, "category");
        state->type.search_type |= slice_is(text, "type");
        state->type.search_recipient |= slice_is(text, "recipient");
        state->type.search_received |= slice_is(text, "received");
    } else if (slice_is(path, "rest[].resource[].operation[].name")) {
        state->type.recipient_choices |= slice_is(text, "get-recipient-choices");
    }
    return true;
}

static bool on_open(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct reader_state *state = ctx;
    if (kind != JSON_OBJECT)
        return true;
    if (slice_is(json_path(reader), "rest[].resource[]")) {
        state->type = (struct capability_type){ 0 };
        state->kind = (enum posting_kind)0;
        state->has_search = false;
    } else if (slice_is(json_path(reader), "rest[]")) {
        state->rest = (struct capability){ 0 };
        state->is_client = false;
    }
    return true;
}

static bool on_close(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct reader_state *state = ctx;
    if (kind != JSON_OBJECT)
        return true;
    if (slice_is(json_path(reader), "rest[].resource[]") && state->kind != 0) {
        state->type.search_identifier &= state->has_search;
        state->type.search_target &= state->has_search;
        state->type.search_patient &= state->has_search;
        state->type.search_recipient &= state->has_search;
        state->rest.types[state->kind] = state->type;
    } else if (slice_is(json_path(reader), "rest[]") && !state->is_client) {
        state->whole = state->rest;
    }
    return true;
}

bool capability_read(struct slice text, struct arena *arena, struct capability *out,
                     struct err *err)
{
    static const struct json_events events = { on_value, on_open, on_close };
    static const struct json_options options = { .root = "CapabilityStatement" };
    struct reader_state state = { 0 };
    if (!json_read(text, &options, &events, &state, arena, err))
        return false;
    if (!state.is_statement)
        return err_fail(err, ERR_INVALID, "CapabilityStatement", "this is another resource");
    *out = state.whole;
    out->vendor = state.vendor;
    return true;
}
