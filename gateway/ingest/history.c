/* ingest/history.c -- the versions of one resource, the newest first (checklist A2.5). */
#include "base/date.h"
#include "ingest/ingest_int.h"

#define HISTORY_COUNT_MAX 100

bool history_page_read(struct ingest_call *call, struct ingest_op *op, struct history_page *out)
{
    struct slice query = op->query, name, value;
    *out = (struct history_page){ .limit = HISTORY_COUNT_MAX, .since_ms = INT64_MIN };
    while (http_query_next(&query, call->arena, &name, &value)) {
        if (slice_is(name, "_count")) {
            if (!read_number(value, &out->limit))
                return !op_refuse(op, ERR_INVALID, "_count", "expected a number");
            if (out->limit > HISTORY_COUNT_MAX)
                out->limit = HISTORY_COUNT_MAX;
        } else if (slice_is(name, "_page")) {
            out->place = arena_copy(call->arena, value);
        } else if (slice_is(name, "_since")) {
            if (!instant_parse(value, &out->since_ms, &op->answer.err))
                return !op_refuse(op, ERR_INVALID, "_since", "expected an instant");
        }
    }
    op->answer.err.code = ERR_OK;
    return true;
}

bool history_add(struct ingest_call *call, const struct store_resource *row, struct slice id,
                 struct fhir_version *out, struct err *err)
{
    const char *base = call->ingest->settings.base_url;
    const char *type = fhir_type_name(row->type);
    bool is_first = row->version == 1;
    bool is_ours = row->id.len == 0;
    out->full_url = arena_format(call->arena, "%s/%s/%.*s", base, type, SLICE_ARGS(id));
    out->verb = row->is_deleted ? VERB_DELETE : is_first && is_ours ? VERB_POST : VERB_PUT;
    out->url = out->verb == VERB_POST ? slice_of(type)
                                      : arena_format(call->arena, "%s/%.*s", type, SLICE_ARGS(id));
    out->answer.status = row->is_deleted ? 204 : is_first ? 201 : 200;
    out->answer.version = row->version;
    out->answer.updated_ms = row->updated_ms;
    return row->is_deleted ||
           resource_body(call->ingest, row, call->arena, &out->answer.resource, err);
}

static struct slice page_link(struct ingest_call *call, const struct ingest_op *op,
                              const struct history_page *page, uint32_t before)
{
    char since[INSTANT_TEXT_SIZE];
    bool has_since = page->since_ms != INT64_MIN;
    struct slice url =
        arena_format(call->arena, "%s/%s/%.*s/_history?_count=%u", call->ingest->settings.base_url,
                     fhir_type_name(op->route.type), SLICE_ARGS(op->route.id), page->limit);
    if (has_since)
        url = arena_format(call->arena, "%.*s&_since=%s", SLICE_ARGS(url),
                           instant_format(page->since_ms, since));
    return before == 0 ? url : arena_format(call->arena, "%.*s&_page=%u", SLICE_ARGS(url), before);
}

bool history_write(struct ingest_call *call, struct ingest_op *op,
                   const struct fhir_history *history, struct err *err)
{
    struct buffer *scratch = &call->ingest->lane_buffer;
    buffer_reset(scratch);
    fhir_write_history(history, scratch);
    op->answer.resource = arena_copy(call->arena, buffer_slice(scratch));
    op->answer.status = 200;
    return (!buffer_overflowed(scratch) && !arena_overflowed(call->arena)) ||
           err_fail(err, ERR_TOO_COSTLY, "", "the answer is too large: ask for less");
}

/* Versions are numbered without gaps, so a page is a run of numbers. */
static bool collect(struct ingest_call *call, struct ingest_op *op, struct store_tx *tx,
                    const struct store_resource *current, const struct history_page *page,
                    uint32_t before, struct err *err)
{
    struct slice id = resource_id_of(call->ingest, current, call->arena);
    uint32_t version = before > 0 && before <= current->version ? before - 1 : current->version;
    struct fhir_version *versions = ARENA_ARRAY(call->arena, struct fhir_version, page->limit + 1);
    struct fhir_history history = { .versions = versions, .total = current->version };
    history.has_total = page->since_ms == INT64_MIN;
    history.self = page_link(call, op, page, before);
    if (versions == NULL)
        return err_fail(err, ERR_TOO_COSTLY, "", "the answer is too large: ask for less");
    for (; version > 0 && history.count < page->limit; version--) {
        struct store_resource row;
        bool found;
        if (!store_resource_version(tx, current->key, version, call->arena, &row, &found, err))
            return false;
        if (!found || row.updated_ms < page->since_ms)
            return history_write(call, op, &history, err);
        if (!history_add(call, &row, id, &versions[history.count++], err))
            return false;
    }
    if (version > 0 && page->limit > 0)
        history.next = page_link(call, op, page, version + 1);
    return history_write(call, op, &history, err);
}

bool op_history(struct ingest_call *call, struct ingest_op *op, struct store_tx *tx,
                struct err *err)
{
    struct history_page page;
    uint32_t before = 0; /* versions below this one; 0 for the first page */
    struct store_resource current;
    int64_t key;
    bool found;
    op->action = "read";
    op->answer_id = op->route.id;
    if (!history_page_read(call, op, &page))
        return true;
    if (page.place.len > 0 && (!read_number(page.place, &before) || before == 0))
        return op_refuse(op, ERR_INVALID, "_page", "this is not a page of ours");
    if (!resource_key_of(call->ingest, tx, call->work->tenant->tenant.number, op->route.type,
                         op->route.id, &key, &found, err))
        return false;
    if (!found)
        return op_refuse(op, ERR_NOT_FOUND, "", "there is no such resource");
    return store_resource_get(tx, key, false, call->arena, &current, &found, err) &&
           collect(call, op, tx, &current, &page, before, err);
}
