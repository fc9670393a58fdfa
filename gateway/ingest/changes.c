/* ingest/changes.c -- the history of a type and of everything, the newest first (checklist A2.6).
 *
 * What      two streams of the store are merged by time: creations and replacements.  A page's
 *           place in each goes into the link of the next, so pages hold still while others write.
 */
#include <stdlib.h>

#include "base/date.h"
#include "ingest/ingest_int.h"

#define CHUNK 64
/* Clocks of the loops may differ from the order of commits, but not by more. */
#define DISORDER_MS 60000

struct stream {
    enum store_changes which;
    struct store_change list[CHUNK];
    unsigned at, count;
    int64_t before; /* nothing from here on was told on this page or an earlier one */
    bool is_begun, is_done;
    bool has_row;
    struct store_resource row; /* of list[at] */
};

struct changes {
    struct ingest_call *call;
    struct store_tx *tx;
    enum fhir_type type; /* FHIR_NONE: any */
    int64_t since_ms;
    struct stream streams[2];
};

static bool read_places(struct ingest_op *op, struct slice value, struct changes *changes)
{
    char text[40], *end = text;
    if (value.len < sizeof text) {
        memcpy(text, value.at, value.len);
        text[value.len] = '\0';
        changes->streams[0].before = strtoll(text, &end, 16);
        if (*end == '-')
            changes->streams[1].before = strtoll(end + 1, &end, 16);
    }
    changes->streams[0].is_begun = changes->streams[1].is_begun = true;
    return (end > text && *end == '\0') ||
           !op_refuse(op, ERR_INVALID, "_page", "this is not a page of ours");
}

/* The next chunk; the first one fixes where a reader of all pages began. */
static bool fetch(struct changes *changes, struct stream *stream, struct err *err)
{
    stream->at = 0;
    if (!store_resource_changes(
            changes->tx, stream->which, changes->call->work->tenant->tenant.number, changes->type,
            stream->count > 0 ? stream->list[stream->count - 1].place : stream->before, CHUNK,
            stream->list, &stream->count, err))
        return false;
    if (!stream->is_begun)
        stream->before = stream->count > 0 ? stream->list[0].place + 1 : 0;
    stream->is_begun = true;
    stream->is_done = stream->count == 0;
    return true;
}

/* Brings the stream to its next change that is not older than wanted. */
static bool settle(struct changes *changes, struct stream *stream, struct err *err)
{
    while (!stream->is_done && !stream->has_row) {
        bool found;
        if (stream->at == stream->count) {
            if (!fetch(changes, stream, err))
                return false;
            continue;
        }
        const struct store_change *change = &stream->list[stream->at];
        if (!store_resource_version(changes->tx, change->key, change->version, changes->call->arena,
                                    &stream->row, &found, err))
            return false;
        stream->has_row = found && stream->row.updated_ms >= changes->since_ms;
        stream->is_done = found && changes->since_ms != INT64_MIN &&
                          stream->row.updated_ms < changes->since_ms - DISORDER_MS;
        if (!stream->has_row)
            stream->at++;
    }
    return true;
}

static struct slice link_of(const struct changes *changes, const struct history_page *page,
                            bool is_next)
{
    struct arena *arena = changes->call->arena;
    char since[INSTANT_TEXT_SIZE];
    const char *type = fhir_type_name(changes->type);
    struct slice url =
        arena_format(arena, "%s%s%s/_history?_count=%u", changes->call->ingest->settings.base_url,
                     type[0] != '\0' ? "/" : "", type, page->limit);
    if (page->since_ms != INT64_MIN)
        url = arena_format(arena, "%.*s&_since=%s", SLICE_ARGS(url),
                           instant_format(page->since_ms, since));
    if (!is_next)
        return url;
    return arena_format(arena, "%.*s&_page=%llx-%llx", SLICE_ARGS(url),
                        (unsigned long long)changes->streams[0].before,
                        (unsigned long long)changes->streams[1].before);
}

/* Of one moment, the replacement is the later: what it replaced was created before. */
static struct stream *newest(struct changes *changes)
{
    struct stream *created = &changes->streams[STORE_CREATIONS];
    struct stream *replaced = &changes->streams[STORE_REPLACEMENTS];
    if (!created->has_row || !replaced->has_row)
        return created->has_row ? created : replaced->has_row ? replaced : NULL;
    return created->row.updated_ms > replaced->row.updated_ms ? created : replaced;
}

static bool collect(struct changes *changes, struct ingest_op *op, const struct history_page *page,
                    struct err *err)
{
    struct ingest_call *call = changes->call;
    struct fhir_version *versions = ARENA_ARRAY(call->arena, struct fhir_version, page->limit + 1);
    struct fhir_history history = { .versions = versions, .self = link_of(changes, page, false) };
    if (versions == NULL)
        return err_fail(err, ERR_TOO_COSTLY, "", "the answer is too large: ask for less");
    for (;;) {
        if (!settle(changes, &changes->streams[0], err) ||
            !settle(changes, &changes->streams[1], err))
            return false;
        struct stream *next = newest(changes);
        if (next == NULL)
            break;
        if (history.count == page->limit) {
            history.next = page->limit > 0 ? link_of(changes, page, true) : SLICE("");
            break;
        }
        struct slice id = resource_id_of(call->ingest, &next->row, call->arena);
        if (!history_add(call, &next->row, id, &versions[history.count++], err))
            return false;
        next->before = next->list[next->at++].place;
        next->has_row = false;
    }
    return history_write(call, op, &history, err);
}

bool op_changes(struct ingest_call *call, struct ingest_op *op, struct store_tx *tx,
                struct err *err)
{
    struct history_page page;
    struct changes *changes = ARENA_NEW(call->arena, struct changes);
    op->action = "search";
    if (changes == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    changes->call = call;
    changes->tx = tx;
    changes->type = op->route.type;
    changes->streams[STORE_REPLACEMENTS].which = STORE_REPLACEMENTS;
    changes->streams[0].before = changes->streams[1].before = INT64_MAX;
    if (!history_page_read(call, op, &page))
        return true;
    changes->since_ms = page.since_ms;
    if (page.place.len > 0 && !read_places(op, page.place, changes))
        return true;
    op->answer.err.code = ERR_OK;
    return collect(changes, op, &page, err);
}
