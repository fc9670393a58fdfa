#include "fhir/json_patch.h"

#include <stdio.h>

#include "base/json.h"
#include "base/json_text.h"

struct patcher {
    struct slice document;
    struct arena *arena;
    struct err *err;
    unsigned index; /* of the operation at hand */
};

enum verb { OP_ADD, OP_REMOVE, OP_REPLACE, OP_MOVE, OP_COPY, OP_TEST };
static const char *const verbs[] = {
    [OP_ADD] = "add",   [OP_REMOVE] = "remove", [OP_REPLACE] = "replace",
    [OP_MOVE] = "move", [OP_COPY] = "copy",     [OP_TEST] = "test"
};

struct operation {
    enum verb verb;
    bool has_op, has_path, has_from, has_value;
    struct slice path, from, value; /* value raw */
};

static bool fails(struct patcher *patcher, enum err_code code, const char *member, const char *what)
{
    char where[32];
    snprintf(where, sizeof where, "[%u]%s%s", patcher->index, member[0] != '\0' ? "." : "", member);
    return err_fail(patcher->err, code, where, "%s", what);
}

/* --- places ---------------------------------------------------------------------------------- */

/* Where a pointer leads: a value, or the place where one would stand. */
struct place {
    struct slice parent; /* the object or array around it; empty for the whole document */
    struct slice token;  /* unescaped, the last of the pointer */
    struct slice value;  /* at is NULL when nothing stands there */
    const char *start;   /* of the member (its key) or item; where it would be inserted */
    bool is_array, is_empty;
};

static struct slice pointer_token(struct slice raw, struct arena *arena)
{
    if (raw.len == 0 || memchr(raw.at, '~', raw.len) == NULL)
        return raw;
    char *out = arena_alloc_raw(arena, raw.len);
    size_t len = 0;
    for (size_t i = 0; out != NULL && i < raw.len; i++) {
        char c = raw.at[i];
        if (c == '~' && i + 1 < raw.len)
            c = raw.at[++i] == '1' ? '/' : '~';
        out[len++] = c;
    }
    return out != NULL ? (struct slice){ out, len } : SLICE("");
}

/* Digits without a leading zero; "-" is behind the last item. */
static bool array_index(struct slice token, size_t *out)
{
    *out = 0;
    if (token.len == 0 || token.len > 9 || (token.len > 1 && token.at[0] == '0'))
        return false;
    for (size_t i = 0; i < token.len; i++) {
        if (token.at[i] < '0' || token.at[i] > '9')
            return false;
        *out = *out * 10 + (size_t)(token.at[i] - '0');
    }
    return true;
}

static bool step_array(struct place *place)
{
    struct json_cursor cursor = { .text = place->parent, .at = 1 };
    struct slice item;
    size_t index = SIZE_MAX, count = 0;
    bool is_end = slice_is(place->token, "-");
    if (!is_end && !array_index(place->token, &index))
        return false;
    for (; json_next_item(&cursor, &item); count++) {
        place->is_empty = false;
        if (count == index) {
            place->value = item;
            place->start = item.at;
            return true;
        }
    }
    place->start = place->parent.at + place->parent.len - 1;
    return is_end || index == count;
}

static bool step_object(struct place *place, struct arena *arena)
{
    struct json_cursor cursor = { .text = place->parent, .at = 1 };
    struct json_member member;
    while (json_next_member(&cursor, &member)) {
        place->is_empty = false;
        if (slice_eq(json_unescape(member.key, arena), place->token)) {
            place->value = member.value;
            place->start = member.key.at - 1;
            return true;
        }
    }
    place->start = place->parent.at + place->parent.len - 1;
    return true;
}

/* True when the pointer names a place: its parent is there, the value itself perhaps not. */
static bool find_place(const struct patcher *patcher, struct slice pointer, struct place *out)
{
    *out = (struct place){ .value = patcher->document, .start = patcher->document.at };
    if (pointer.len > 0 && pointer.at[0] != '/')
        return false;
    while (pointer.len > 0) {
        pointer = slice_skip(pointer, 1);
        size_t len = 0;
        while (len < pointer.len && pointer.at[len] != '/')
            len++;
        struct place next = { .parent = out->value, .is_empty = true };
        next.token = pointer_token((struct slice){ pointer.at, len }, patcher->arena);
        if (next.parent.at == NULL || next.parent.len == 0)
            return false;
        next.is_array = next.parent.at[0] == '[';
        if (!next.is_array && next.parent.at[0] != '{')
            return false;
        if (next.is_array ? !step_array(&next) : !step_object(&next, patcher->arena))
            return false;
        pointer = slice_skip(pointer, len);
        *out = next;
    }
    return true;
}

/* --- changes --------------------------------------------------------------------------------- */

static bool splice(struct patcher *patcher, const char *from, const char *to, struct slice text)
{
    struct slice old = patcher->document;
    struct slice head = { old.at, (size_t)(from - old.at) };
    struct slice tail = { to, (size_t)(old.at + old.len - to) };
    struct slice made = arena_format(patcher->arena, "%.*s%.*s%.*s", SLICE_ARGS(head),
                                     SLICE_ARGS(text), SLICE_ARGS(tail));
    if (arena_overflowed(patcher->arena))
        return fails(patcher, ERR_TOO_LARGE, "", "the request needs too much memory");
    patcher->document = made;
    return true;
}

static struct slice quoted(struct patcher *patcher, struct slice text)
{
    struct buffer buffer;
    struct json_writer writer;
    buffer_init(&buffer, 1 << 16);
    json_writer_init(&writer, &buffer, false);
    json_string(&writer, text);
    struct slice copy = arena_copy(patcher->arena, buffer_slice(&buffer));
    buffer_fini(&buffer);
    return copy;
}

static bool replace(struct patcher *patcher, const struct place *place, struct slice value)
{
    return splice(patcher, place->value.at, place->value.at + place->value.len, value);
}

static bool add(struct patcher *patcher, struct slice pointer, struct slice value)
{
    struct place place;
    if (!find_place(patcher, pointer, &place))
        return fails(patcher, ERR_BUSINESS, "path", "there is no such place to add to");
    bool is_there = place.value.at != NULL;
    if (is_there && !place.is_array)
        return replace(patcher, &place, value);
    struct slice text = value;
    if (!place.is_array)
        text = arena_format(patcher->arena, "%.*s:%.*s", SLICE_ARGS(quoted(patcher, place.token)),
                            SLICE_ARGS(value));
    if (is_there)
        text = arena_format(patcher->arena, "%.*s,", SLICE_ARGS(text));
    else if (!place.is_empty)
        text = arena_format(patcher->arena, ",%.*s", SLICE_ARGS(text));
    return splice(patcher, place.start, place.start, text);
}

/* A member or item goes with the comma behind it, or else with the one before it. */
static bool remove_value(struct patcher *patcher, struct slice pointer, const char *member)
{
    struct place place;
    if (!find_place(patcher, pointer, &place) || place.value.at == NULL || pointer.len == 0)
        return fails(patcher, ERR_BUSINESS, member, "there is nothing at this place");
    const char *from = place.start, *to = place.value.at + place.value.len;
    struct json_cursor behind = { .text = patcher->document,
                                  .at = (size_t)(to - patcher->document.at) };
    if (json_take(&behind, ',')) {
        json_skip_blanks(&behind);
        to = patcher->document.at + behind.at;
    } else {
        while (from > place.parent.at + 1 && from[-1] != ',')
            from--;
        from -= from[-1] == ',';
    }
    return splice(patcher, from, to, SLICE(""));
}

static bool get(struct patcher *patcher, struct slice pointer, const char *member,
                struct slice *out)
{
    struct place place;
    if (!find_place(patcher, pointer, &place) || place.value.at == NULL)
        return fails(patcher, ERR_BUSINESS, member, "there is nothing at this place");
    *out = place.value;
    return true;
}

static bool move(struct patcher *patcher, const struct operation *op)
{
    struct slice value;
    struct slice below = slice_skip(op->path, op->from.len);
    if (slice_starts(op->path, op->from) && below.len > 0 && below.at[0] == '/')
        return fails(patcher, ERR_INVALID, "from", "a value cannot be moved into itself");
    return get(patcher, op->from, "from", &value) && remove_value(patcher, op->from, "from") &&
           add(patcher, op->path, value);
}

static bool apply(struct patcher *patcher, const struct operation *op)
{
    struct slice value;
    struct place place;
    switch (op->verb) {
    case OP_ADD:
        return add(patcher, op->path, op->value);
    case OP_REMOVE:
        return remove_value(patcher, op->path, "path");
    case OP_REPLACE:
        if (!find_place(patcher, op->path, &place) || place.value.at == NULL)
            return fails(patcher, ERR_BUSINESS, "path", "there is nothing at this place");
        return replace(patcher, &place, op->value);
    case OP_MOVE:
        return move(patcher, op);
    case OP_COPY:
        return get(patcher, op->from, "from", &value) && add(patcher, op->path, value);
    case OP_TEST:
        return get(patcher, op->path, "path", &value) &&
               (json_is_same(value, op->value, patcher->arena) ||
                fails(patcher, ERR_BUSINESS, "value", "the test of the patch fails"));
    }
    return false;
}

/* --- the patch ------------------------------------------------------------------------------- */

static bool take_text(struct patcher *patcher, const char *name, struct slice raw,
                      struct slice *out)
{
    if (raw.len < 2 || raw.at[0] != '"')
        return fails(patcher, ERR_INVALID, name, "expected a string");
    *out = json_unescape((struct slice){ raw.at + 1, raw.len - 2 }, patcher->arena);
    return true;
}

static bool take_member(struct patcher *patcher, const struct json_member *member,
                        struct operation *out)
{
    struct slice word;
    if (json_key_is(member->key, "op")) {
        if (!take_text(patcher, "op", member->value, &word))
            return false;
        for (unsigned i = 0; i < COUNT_OF(verbs); i++)
            if (slice_is(word, verbs[i])) {
                out->verb = (enum verb)i;
                out->has_op = true;
            }
        return out->has_op || fails(patcher, ERR_INVALID, "op",
                                    "expected add, remove, replace, move, copy or test");
    }
    if (json_key_is(member->key, "path"))
        return out->has_path = take_text(patcher, "path", member->value, &out->path);
    if (json_key_is(member->key, "from"))
        return out->has_from = take_text(patcher, "from", member->value, &out->from);
    if (json_key_is(member->key, "value")) {
        out->value = member->value;
        out->has_value = true;
    }
    return true;
}

static bool read_operation(struct patcher *patcher, struct slice item, struct operation *out)
{
    struct json_cursor cursor = { .text = item };
    struct json_member member;
    *out = (struct operation){ .verb = OP_ADD };
    if (!json_take(&cursor, '{'))
        return fails(patcher, ERR_INVALID, "", "expected an object");
    while (json_next_member(&cursor, &member))
        if (!take_member(patcher, &member, out))
            return false;
    bool needs_from = out->verb == OP_MOVE || out->verb == OP_COPY;
    bool needs_value = out->verb == OP_ADD || out->verb == OP_REPLACE || out->verb == OP_TEST;
    if (!out->has_op || !out->has_path)
        return fails(patcher, ERR_INVALID, "", "an operation needs op and path");
    if (needs_from && !out->has_from)
        return fails(patcher, ERR_INVALID, "", "move and copy need from");
    return !needs_value || out->has_value ||
           fails(patcher, ERR_INVALID, "", "add, replace and test need a value");
}

static bool ignore_value(void *ctx, struct json_reader *reader, enum json_kind kind,
                         struct slice text)
{
    (void)ctx, (void)reader, (void)kind, (void)text;
    return true;
}

static bool ignore_bracket(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    (void)ctx, (void)reader, (void)kind;
    return true;
}

/* Pointers start at the value, not at what stands around it. */
static struct slice trimmed(struct slice text)
{
    struct json_cursor cursor = { .text = text };
    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        cursor.at = 3;
    json_skip_blanks(&cursor);
    text = slice_skip(text, cursor.at);
    while (text.len > 0 && strchr(" \t\r\n", text.at[text.len - 1]) != NULL)
        text.len--;
    return text;
}

bool json_patch_apply(struct slice document, struct slice patch, struct arena *arena,
                      struct slice *out, struct err *err)
{
    static const struct json_events events = { ignore_value, ignore_bracket, ignore_bracket };
    struct patcher patcher = { .document = trimmed(document), .arena = arena, .err = err };
    struct json_cursor cursor = { .text = patch };
    struct operation op;
    struct slice item;
    if (!json_read(patch, NULL, &events, NULL, arena, err))
        return false;
    if (!json_take(&cursor, '['))
        return err_fail(err, ERR_INVALID, "", "a JSON Patch is an array of operations");
    for (; json_next_item(&cursor, &item); patcher.index++) {
        if (patcher.index == JSON_PATCH_OPS_MAX)
            return err_fail(err, ERR_TOO_LARGE, "", "a patch has at most %d operations",
                            JSON_PATCH_OPS_MAX);
        if (!read_operation(&patcher, item, &op) || !apply(&patcher, &op))
            return false;
    }
    *out = patcher.document;
    return true;
}
