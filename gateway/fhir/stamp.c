#include "fhir/stamp.h"

#include <stdio.h>

#include "base/date.h"
#include "base/json_text.h"

/* --- what to change -------------------------------------------------------------------------- */

#define EDITS_MAX 3

struct edit {
    size_t from, to; /* bytes that go */
    struct slice text;
};

struct stamp {
    struct slice body, id, version, updated;
    struct json_member resource_type, own_id, meta; /* value.at is NULL where there is none */
    size_t first;                                   /* behind the opening brace */
    bool is_empty;
    struct arena *arena;
    struct edit edits[EDITS_MAX];
    unsigned edit_count;
};

static bool find_members(struct stamp *stamp)
{
    struct json_cursor cursor = { .text = stamp->body };
    struct json_member member;
    if (slice_starts(stamp->body, SLICE("\xef\xbb\xbf")))
        cursor.at = 3;
    if (!json_take(&cursor, '{'))
        return false;
    stamp->first = cursor.at;
    stamp->is_empty = true;
    for (; json_next_member(&cursor, &member); stamp->is_empty = false) {
        if (json_key_is(member.key, "id"))
            stamp->own_id = member;
        else if (json_key_is(member.key, "meta"))
            stamp->meta = member;
        else if (json_key_is(member.key, "resourceType"))
            stamp->resource_type = member;
    }
    json_skip_blanks(&cursor);
    return !cursor.is_bad && cursor.at == stamp->body.len;
}

static size_t offset_of(const struct stamp *stamp, const char *at)
{
    return (size_t)(at - stamp->body.at);
}

/* Edits are kept in the order of the text; of two at one place the first added stays first. */
static void add_edit(struct stamp *stamp, size_t from, size_t to, struct slice text)
{
    CHECK(stamp->edit_count < EDITS_MAX);
    unsigned at = stamp->edit_count++;
    for (; at > 0 && stamp->edits[at - 1].from > from; at--)
        stamp->edits[at] = stamp->edits[at - 1];
    stamp->edits[at] = (struct edit){ from, to, text };
}

static void replace(struct stamp *stamp, struct slice value, struct slice with)
{
    size_t from = offset_of(stamp, value.at);
    struct slice quoted = arena_format(stamp->arena, "\"%.*s\"", SLICE_ARGS(with));
    add_edit(stamp, from, from + value.len, quoted);
}

/* A new member behind `before`, or first in the object when there is none to stand behind. */
static void insert(struct stamp *stamp, const struct json_member *before, struct slice member)
{
    bool is_behind = before->value.at != NULL;
    size_t at = is_behind ? offset_of(stamp, before->value.at + before->value.len) : stamp->first;
    const char *head = is_behind ? "," : "", *tail = is_behind || stamp->is_empty ? "" : ",";
    add_edit(stamp, at, at, arena_format(stamp->arena, "%s%.*s%s", head, SLICE_ARGS(member), tail));
}

/* versionId and lastUpdated inside a meta that is there. */
static bool stamp_meta(struct stamp *stamp)
{
    struct json_cursor cursor = { .text = stamp->meta.value };
    struct json_member member, version = { 0 }, updated = { 0 };
    bool is_empty = true;
    if (!json_take(&cursor, '{'))
        return false;
    size_t first = offset_of(stamp, stamp->meta.value.at) + cursor.at;
    for (; json_next_member(&cursor, &member); is_empty = false) {
        if (json_key_is(member.key, "versionId"))
            version = member;
        else if (json_key_is(member.key, "lastUpdated"))
            updated = member;
    }
    if (cursor.is_bad)
        return false;
    if (version.value.at != NULL)
        replace(stamp, version.value, stamp->version);
    if (updated.value.at != NULL)
        replace(stamp, updated.value, stamp->updated);
    bool lacks_version = version.value.at == NULL, lacks_update = updated.value.at == NULL;
    if (!lacks_version && !lacks_update)
        return true;
    struct slice added = arena_format(
        stamp->arena, "%s%.*s%s%s%s%.*s%s%s", lacks_version ? "\"versionId\":\"" : "",
        lacks_version ? (int)stamp->version.len : 0, stamp->version.at, lacks_version ? "\"" : "",
        lacks_version && lacks_update ? "," : "", lacks_update ? "\"lastUpdated\":\"" : "",
        lacks_update ? (int)stamp->updated.len : 0, stamp->updated.at, lacks_update ? "\"" : "",
        is_empty ? "" : ",");
    add_edit(stamp, first, first, added);
    return true;
}

static bool stamp_members(struct stamp *stamp)
{
    bool has_id = stamp->own_id.value.at != NULL;
    if (has_id)
        replace(stamp, stamp->own_id.value, stamp->id);
    if (stamp->meta.value.at != NULL) {
        if (!has_id)
            insert(stamp, &stamp->resource_type,
                   arena_format(stamp->arena, "\"id\":\"%.*s\"", SLICE_ARGS(stamp->id)));
        return stamp_meta(stamp);
    }
    struct slice meta = arena_format(
        stamp->arena, "%s%.*s%s\"meta\":{\"versionId\":\"%.*s\",\"lastUpdated\":\"%.*s\"}",
        has_id ? "" : "\"id\":\"", has_id ? 0 : (int)stamp->id.len, stamp->id.at,
        has_id ? "" : "\",", SLICE_ARGS(stamp->version), SLICE_ARGS(stamp->updated));
    insert(stamp, has_id ? &stamp->own_id : &stamp->resource_type, meta);
    return true;
}

static struct slice apply(const struct stamp *stamp)
{
    size_t len = stamp->body.len;
    for (unsigned i = 0; i < stamp->edit_count; i++)
        len += stamp->edits[i].text.len - (stamp->edits[i].to - stamp->edits[i].from);
    char *out = arena_alloc_raw(stamp->arena, len + 1);
    if (out == NULL || arena_overflowed(stamp->arena))
        return SLICE("");
    size_t used = 0, from = 0;
    for (unsigned i = 0; i <= stamp->edit_count; i++) {
        bool is_last = i == stamp->edit_count;
        size_t to = is_last ? stamp->body.len : stamp->edits[i].from;
        memcpy(out + used, stamp->body.at + from, to - from);
        used += to - from;
        if (is_last)
            break;
        memcpy(out + used, stamp->edits[i].text.at, stamp->edits[i].text.len);
        used += stamp->edits[i].text.len;
        from = stamp->edits[i].to;
    }
    out[used] = '\0';
    return (struct slice){ out, used };
}

bool fhir_stamp(struct slice body, struct slice id, uint32_t version, int64_t updated_ms,
                struct arena *arena, struct slice *out, struct err *err)
{
    char instant[INSTANT_TEXT_SIZE], number[12];
    snprintf(number, sizeof number, "%u", version);
    struct stamp stamp = { .body = body,
                           .id = id,
                           .version = slice_of(number),
                           .updated = slice_of(instant_format(updated_ms, instant)),
                           .arena = arena };
    if (!find_members(&stamp) || !stamp_members(&stamp))
        return err_fail(err, ERR_CORRUPT, "", "the stored bytes are not a resource");
    struct slice stamped = apply(&stamp);
    if (stamped.len == 0)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    *out = stamped;
    return true;
}
