#include "cds/request.h"

#include <stdio.h>

#include "base/date.h"
#include "base/json.h"
#include "base/json_text.h"

struct reader {
    struct arena *arena;
    struct err *err;
};

static bool fails(struct reader *reader, enum err_code code, const char *where, const char *what)
{
    return err_fail(reader->err, code, where, "%s", what);
}

static bool ignore_value(void *ctx, struct json_reader *json, enum json_kind kind,
                         struct slice text)
{
    (void)ctx, (void)json, (void)kind, (void)text;
    return true;
}

static bool ignore_bracket(void *ctx, struct json_reader *json, enum json_kind kind)
{
    (void)ctx, (void)json, (void)kind;
    return true;
}

/* Strict JSON first; afterwards glances are enough. */
static bool open_body(struct slice body, struct reader *reader, struct json_cursor *out)
{
    static const struct json_events events = { ignore_value, ignore_bracket, ignore_bracket };
    *out = (struct json_cursor){ .text = body };
    if (!json_read(body, NULL, &events, NULL, reader->arena, reader->err))
        return false;
    if (slice_starts(body, SLICE("\xef\xbb\xbf")))
        out->at = 3;
    return json_take(out, '{') || fails(reader, ERR_STRUCTURE, "", "expected a JSON object");
}

const char *cds_hook_name(enum cds_hook hook)
{
    static const char *const names[] = {
#define X(name, text) [CDS_##name] = text,
        CDS_HOOK_TABLE(X)
#undef X
    };
    CHECK((size_t)hook < COUNT_OF(names));
    return names[hook];
}

static bool take_text(struct reader *reader, struct slice raw, const char *where, struct slice *out)
{
    if (raw.len < 2 || raw.at[0] != '"')
        return fails(reader, ERR_INVALID, where, "expected a string");
    *out = json_unescape((struct slice){ raw.at + 1, raw.len - 2 }, reader->arena);
    return out->len > 0 || fails(reader, ERR_INVALID, where, "expected a string");
}

/* --- resources ------------------------------------------------------------------------------- */

struct collector {
    struct slice **list;
    unsigned *count;
};

static bool add_resource(struct reader *reader, struct collector *into, struct slice resource)
{
    if (*into->list == NULL) {
        *into->list = ARENA_ARRAY(reader->arena, struct slice, CDS_RESOURCES_MAX);
        if (*into->list == NULL)
            return fails(reader, ERR_TOO_LARGE, "", "the request needs too much memory");
    }
    if (*into->count == CDS_RESOURCES_MAX)
        return fails(reader, ERR_TOO_COSTLY, "", "too many resources in one call");
    (*into->list)[(*into->count)++] = resource;
    return true;
}

static struct slice member_of(struct slice object, const char *name)
{
    struct json_cursor cursor = { .text = object };
    struct json_member member;
    if (!json_take(&cursor, '{'))
        return (struct slice){ NULL, 0 };
    while (json_next_member(&cursor, &member))
        if (json_key_is(member.key, name))
            return member.value;
    return (struct slice){ NULL, 0 };
}

/* A resource alone, or those of a Bundle; null is what a client had nothing for. */
static bool collect(struct reader *reader, struct slice value, struct collector *into)
{
    if (value.len == 0 || value.at[0] != '{')
        return true;
    if (!slice_is(member_of(value, "resourceType"), "\"Bundle\""))
        return add_resource(reader, into, value);
    struct json_cursor entries = { .text = member_of(value, "entry") };
    struct slice entry;
    if (entries.text.len == 0 || !json_take(&entries, '['))
        return true;
    while (json_next_item(&entries, &entry)) {
        struct slice resource = member_of(entry, "resource");
        if (resource.len > 0 && !add_resource(reader, into, resource))
            return false;
    }
    return true;
}

/* --- a call ---------------------------------------------------------------------------------- */

static bool take_hook(struct reader *reader, struct slice raw, struct cds_request *out)
{
    struct slice name;
    if (!take_text(reader, raw, "hook", &name))
        return false;
    for (unsigned i = 0; i < CDS_HOOK_COUNT; i++)
        if (slice_is(name, cds_hook_name((enum cds_hook)i))) {
            out->hook = (enum cds_hook)i;
            return true;
        }
    return fails(reader, ERR_INVALID, "hook", "this hook is not served: see /cds-services");
}

static bool take_context(struct reader *reader, struct slice context, struct cds_request *out)
{
    struct collector drafts = { &out->drafts, &out->draft_count };
    struct slice patient = member_of(context, "patientId");
    if (context.len == 0 || context.at[0] != '{')
        return fails(reader, ERR_INVALID, "context", "expected an object");
    if (patient.at == NULL)
        return fails(reader, ERR_REQUIRED, "context.patientId", "the member is required");
    if (!take_text(reader, patient, "context.patientId", &out->patient))
        return false;
    if (slice_starts(out->patient, SLICE("Patient/")))
        out->patient = slice_skip(out->patient, 8);
    return collect(reader, member_of(context, "draftOrders"), &drafts);
}

static bool take_prefetch(struct reader *reader, struct slice prefetch, struct cds_request *out)
{
    struct collector into = { &out->prefetch, &out->prefetch_count };
    struct json_cursor cursor = { .text = prefetch };
    struct json_member member;
    if (!json_take(&cursor, '{'))
        return true; /* null */
    while (json_next_member(&cursor, &member)) {
        out->has_prefetch |= member.value.at[0] == '{';
        if (!collect(reader, member.value, &into))
            return false;
    }
    return true;
}

bool cds_request_read(struct slice body, struct arena *arena, struct cds_request *out,
                      struct err *err)
{
    struct reader reader = { arena, err };
    struct json_cursor cursor;
    struct json_member member;
    bool has_hook = false, has_context = false;
    *out = (struct cds_request){ .hook = CDS_PATIENT_VIEW };
    if (!open_body(body, &reader, &cursor))
        return false;
    while (json_next_member(&cursor, &member)) {
        bool is_taken = true;
        if (json_key_is(member.key, "hook"))
            has_hook = is_taken = take_hook(&reader, member.value, out);
        else if (json_key_is(member.key, "hookInstance"))
            is_taken = take_text(&reader, member.value, "hookInstance", &out->hook_instance);
        else if (json_key_is(member.key, "context"))
            has_context = is_taken = take_context(&reader, member.value, out);
        else if (json_key_is(member.key, "prefetch"))
            is_taken = take_prefetch(&reader, member.value, out);
        if (!is_taken)
            return false;
    }
    if (!has_hook || out->hook_instance.len == 0 || !has_context)
        return fails(&reader, ERR_REQUIRED,
                     !has_hook     ? "hook"
                     : has_context ? "hookInstance"
                                   : "context",
                     "the member is required");
    return true;
}

/* --- feedback -------------------------------------------------------------------------------- */

static bool take_outcome(struct reader *reader, struct slice raw, struct cds_feedback *out)
{
    if (slice_is(raw, "\"accepted\""))
        out->outcome = CDS_ACCEPTED;
    else if (slice_is(raw, "\"overridden\""))
        out->outcome = CDS_OVERRIDDEN;
    else
        return fails(reader, ERR_INVALID, "feedback.outcome", "expected accepted or overridden");
    return true;
}

static bool take_reason(struct reader *reader, struct slice value, struct cds_feedback *out)
{
    struct slice code = member_of(member_of(value, "reason"), "code");
    out->has_comment = member_of(value, "userComment").len > 2;
    return code.at == NULL ||
           take_text(reader, code, "feedback.overrideReason.reason.code", &out->reason);
}

static void count_suggestions(struct slice list, struct cds_feedback *out)
{
    struct json_cursor cursor = { .text = list };
    struct slice item;
    if (json_take(&cursor, '['))
        while (json_next_item(&cursor, &item))
            out->suggestion_count++;
}

static bool take_time(struct reader *reader, struct slice raw, struct cds_feedback *out)
{
    int64_t ms;
    struct err unused;
    return take_text(reader, raw, "feedback.outcomeTimestamp", &out->time) &&
           (instant_parse(out->time, &ms, &unused) ||
            fails(reader, ERR_INVALID, "feedback.outcomeTimestamp", "expected an instant"));
}

static bool take_item(struct reader *reader, struct slice item, struct cds_feedback *out)
{
    struct json_cursor cursor = { .text = item };
    struct json_member member;
    bool has_outcome = false;
    if (!json_take(&cursor, '{'))
        return fails(reader, ERR_INVALID, "feedback", "expected an object");
    while (json_next_member(&cursor, &member)) {
        bool is_taken = true;
        if (json_key_is(member.key, "card"))
            is_taken = take_text(reader, member.value, "feedback.card", &out->card);
        else if (json_key_is(member.key, "outcome"))
            has_outcome = is_taken = take_outcome(reader, member.value, out);
        else if (json_key_is(member.key, "overrideReason"))
            is_taken = take_reason(reader, member.value, out);
        else if (json_key_is(member.key, "acceptedSuggestions"))
            count_suggestions(member.value, out);
        else if (json_key_is(member.key, "outcomeTimestamp"))
            is_taken = take_time(reader, member.value, out);
        if (!is_taken)
            return false;
    }
    bool is_whole = out->card.len > 0 && has_outcome && out->time.len > 0;
    return is_whole || fails(reader, ERR_REQUIRED, "feedback",
                             "card, outcome and outcomeTimestamp are required");
}

bool cds_feedback_read(struct slice body, struct arena *arena, struct cds_feedback **out,
                       unsigned *count, struct err *err)
{
    struct reader reader = { arena, err };
    struct json_cursor cursor, items;
    struct slice item;
    if (!open_body(body, &reader, &cursor))
        return false;
    items = (struct json_cursor){ .text = member_of(body, "feedback") };
    if (items.text.len == 0 || !json_take(&items, '['))
        return fails(&reader, ERR_REQUIRED, "feedback", "expected an array");
    struct cds_feedback *list = ARENA_ARRAY(arena, struct cds_feedback, CDS_FEEDBACK_MAX);
    if (list == NULL)
        return fails(&reader, ERR_TOO_LARGE, "", "the request needs too much memory");
    for (*count = 0; json_next_item(&items, &item); ++*count) {
        if (*count == CDS_FEEDBACK_MAX)
            return fails(&reader, ERR_TOO_COSTLY, "feedback", "too many items in one call");
        if (!take_item(&reader, item, &list[*count]))
            return false;
    }
    *out = list;
    return *count > 0 || fails(&reader, ERR_REQUIRED, "feedback", "expected at least one item");
}
