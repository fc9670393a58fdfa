#include "fhir/read_int.h"

/* Which strings of a resource may have to change when a transaction assigns ids, and the change
 * itself.  References always; elements of type uri, url, oid and uuid, and links in the narrative,
 * when they hold a URL.  Canonical URLs and identifiers never. */

/* --- noting ---------------------------------------------------------------------------------- */

static bool ends_with(struct slice text, const char *end)
{
    size_t len = strlen(end);
    return text.len >= len && memcmp(text.at + text.len - len, end, len) == 0;
}

static bool is_url(struct slice text)
{
    return slice_starts(text, SLICE("urn:uuid:")) || slice_starts(text, SLICE("urn:oid:")) ||
           slice_starts(text, SLICE("http://")) || slice_starts(text, SLICE("https://"));
}

/* The last letter decides for nearly all paths. */
static bool is_reference(struct slice path)
{
    return ends_with(path, "reference") &&
           (path.len == strlen("reference") || path.at[path.len - strlen(".reference")] == '.');
}

static bool is_url_element(struct slice path)
{
    if (ends_with(path, "[]"))
        path.len -= 2;
    char last = path.len > 0 ? path.at[path.len - 1] : '\0';
    if (last == 'l')
        return (ends_with(path, "Url") || ends_with(path, "url")) &&
               !ends_with(path, "xtension[].url");
    if (last == 'i')
        return ends_with(path, "Uri") || ends_with(path, "uri");
    return last == 'd' && (ends_with(path, "valueOid") || ends_with(path, "valueUuid"));
}

/* The characters between the quotes of the string that ends at `end` (its closing quote): the text
 * itself when it has no escapes, else found backwards, where every quote inside is escaped. */
static struct slice raw_string(struct slice body, struct slice text, size_t end)
{
    uintptr_t at = (uintptr_t)text.at, start = (uintptr_t)body.at;
    if (at >= start && at - start < body.len)
        return text;
    size_t from = end;
    for (;;) {
        while (from > 0 && body.at[from - 1] != '"')
            from--;
        size_t slashes = 0;
        while (from >= slashes + 2 && body.at[from - 2 - slashes] == '\\')
            slashes++;
        if (from == 0 || slashes % 2 == 0)
            break;
        from--;
    }
    return (struct slice){ body.at + from, end - from };
}

static void add_patch(struct draft *draft, struct slice raw, struct slice value,
                      struct slice *target)
{
    struct fhir_resource *resource = draft->resource;
    if (resource->patch_count == draft->patch_room) {
        unsigned room = draft->patch_room > 0 ? draft->patch_room * 2 : 8;
        struct fhir_patch *patches = arena_alloc_raw(draft->arena, sizeof *patches * (size_t)room);
        if (patches == NULL)
            return; /* the arena has overflowed, which is tested at the end */
        if (resource->patch_count > 0)
            memcpy(patches, resource->patches, sizeof *patches * resource->patch_count);
        resource->patches = patches;
        draft->patch_room = room;
    }
    size_t offset = (size_t)(raw.at - draft->body.at) - draft->start;
    resource->patches[resource->patch_count++] =
        (struct fhir_patch){ offset, raw.len, value, target };
}

/* href and src of the narrative; a quote inside JSON text stands behind a backslash. */
static void note_links(struct draft *draft, struct slice raw)
{
    struct slice rest = raw;
    while (rest.len > 0) {
        struct slice before = slice_take_until(&rest, '=');
        if (!ends_with(before, "href") && !ends_with(before, "src"))
            continue;
        if (rest.len > 0 && rest.at[0] == '\\')
            rest = slice_skip(rest, 1);
        if (rest.len == 0 || (rest.at[0] != '"' && rest.at[0] != '\''))
            continue;
        rest = slice_skip(rest, 1);
        size_t len = 0;
        while (len < rest.len && memchr("\"'\\<> ", rest.at[len], 6) == NULL)
            len++;
        struct slice url = { rest.at, len };
        if (is_url(url))
            add_patch(draft, url, url, NULL);
        rest = slice_skip(rest, len);
    }
}

/* Nearly all strings are told apart by the element's name and their own beginning. */
static bool may_be_noted(struct slice element, struct slice text)
{
    char last = element.len > 0 ? element.at[element.len - 1] : '\0';
    if (last == 'l' || last == 'i' || last == 'd')
        return is_url(text);
    return (last == 'v' || last == 'e') &&
           (slice_is(element, "div") || slice_is(element, "reference"));
}

void draft_note_patches(struct draft *draft, const struct json_reader *json, struct slice text)
{
    if (!may_be_noted(json_element(json), text))
        return;
    struct slice path = json_path(json);
    bool is_narrative = slice_is(path, "text.div");
    bool is_inside = text.at[0] == '#'; /* of a contained resource */
    bool is_noted = is_narrative || (is_reference(path) && !is_inside) ||
                    (is_url_element(path) && is_url(text));
    if (!is_noted)
        return;
    struct slice raw = raw_string(draft->body, text, json_offset(json) - 1);
    if (is_narrative)
        note_links(draft, raw);
    else
        add_patch(draft, raw, draft->target != NULL ? *draft->target : draft_keep(draft, text),
                  draft->target);
}

/* --- rewriting ------------------------------------------------------------------------------- */

/* The text as it stands in JSON; borrowed when nothing must be escaped. */
static struct slice escaped(struct slice text, struct arena *arena)
{
    static const char hex[] = "0123456789abcdef";
    size_t extra = 0;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] < 0x20 || text.at[i] == '"' || text.at[i] == '\\')
            extra += 5;
    char *out = extra > 0 ? arena_alloc_raw(arena, text.len + extra) : NULL;
    if (out == NULL)
        return text;
    size_t used = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            out[used++] = text.at[i];
            continue;
        }
        memcpy(out + used, "\\u00", 4);
        out[used + 4] = hex[c >> 4];
        out[used + 5] = hex[c & 15];
        used += 6;
    }
    return (struct slice){ out, used };
}

static void append(char *out, size_t *used, struct slice bytes)
{
    if (bytes.len > 0)
        memcpy(out + *used, bytes.at, bytes.len);
    *used += bytes.len;
}

/* What should stand at each patch, escaped; an empty slice where nothing changes.  Also the new
 * length of the source. */
static size_t look_up(const struct fhir_resource *resource, fhir_lookup *lookup, void *ctx,
                      struct arena *arena, struct slice *values, struct slice *raws)
{
    size_t len = resource->source.len;
    for (unsigned i = 0; i < resource->patch_count; i++) {
        values[i] = lookup(ctx, resource->patches[i].value);
        raws[i] = escaped(values[i], arena);
        if (values[i].len > 0)
            len = len - resource->patches[i].len + raws[i].len;
    }
    return len;
}

/* Patches are in the order of the text. */
static void apply(struct fhir_resource *resource, const struct slice *values,
                  const struct slice *raws, char *out, size_t len)
{
    struct slice source = resource->source;
    size_t used = 0, from = 0;
    for (unsigned i = 0; i < resource->patch_count; i++) {
        struct fhir_patch *patch = &resource->patches[i];
        bool is_changed = values[i].len > 0;
        CHECK(patch->offset >= from);
        append(out, &used, (struct slice){ source.at + from, patch->offset - from });
        from = patch->offset + patch->len;
        struct slice raw = { source.at + patch->offset, patch->len };
        patch->offset = used;
        append(out, &used, is_changed ? raws[i] : raw);
        if (!is_changed)
            continue;
        patch->len = raws[i].len;
        patch->value = values[i];
        if (patch->target != NULL)
            *patch->target = values[i];
    }
    append(out, &used, slice_skip(source, from));
    CHECK(used == len);
    resource->source = (struct slice){ out, len };
}

bool fhir_rewrite(struct fhir_resource *resource, fhir_lookup *lookup, void *ctx,
                  struct arena *arena, struct err *err)
{
    size_t count = resource->patch_count;
    if (count == 0)
        return true;
    struct slice *values = arena_alloc_raw(arena, sizeof *values * count * 2);
    if (values == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    struct slice *raws = values + count;
    size_t len = look_up(resource, lookup, ctx, arena, values, raws);
    bool is_changed = false;
    for (size_t i = 0; i < count; i++)
        is_changed |= values[i].len > 0;
    if (!is_changed)
        return !arena_overflowed(arena) ||
               err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    char *out = arena_alloc_raw(arena, len);
    if (out == NULL || arena_overflowed(arena))
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    apply(resource, values, raws, out, len);
    return true;
}
