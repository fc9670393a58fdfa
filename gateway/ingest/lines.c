/* ingest/lines.c -- resources as lines (application/fhir+ndjson), posted to the base: one result a
 * line.
 *
 * What      a line with an id is put under it, one without is created, in the order of the lines.
 *           A long body comes in parts: each is a call, a transaction and a record of its own.
 * Rules     checklist D2.3 and D2.4: what is wrong with a line is told of that line, and costs no
 *           other; empty lines are passed over.
 */
#include <inttypes.h>

#include "base/id.h"
#include "base/json.h"
#include "ingest/ingest_int.h"

#define RESULTS_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* --- in -------------------------------------------------------------------------------------- */

/* The next line that is not empty, and which it is in the part; false behind the last. */
static bool next_line(struct slice *rest, uint64_t *number, struct slice *line)
{
    while (rest->len > 0) {
        *line = slice_take_until(rest, '\n');
        ++*number;
        while (line->len > 0 && strchr(" \t\r", line->at[line->len - 1]) != NULL)
            line->len--;
        if (line->len > 0)
            return true;
    }
    return false;
}

static unsigned count_lines(struct slice body)
{
    struct slice line;
    uint64_t number = 0;
    unsigned count = 0;
    while (next_line(&body, &number, &line))
        count++;
    return count;
}

/* What is wrong is left in op->answer.err. */
static bool read_line(struct ingest_call *call, struct slice line, struct ingest_op *op)
{
    struct err *err = &op->answer.err;
    struct slice url, query;
    size_t max = call->ingest->settings.line_bytes_max;
    if (line.len > max)
        return err_fail(err, ERR_TOO_LARGE, "", "the line is longer than %zu bytes", max);
    op->resource = ARENA_NEW(call->arena, struct fhir_resource);
    if (op->resource == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    if (!fhir_read(line, FHIR_NONE, call->arena, op->resource, err))
        return false;
    const struct fhir_resource *resource = op->resource;
    bool is_named = resource->id.len > 0;
    url = is_named ? arena_format(call->arena, "%.*s/%.*s", SLICE_ARGS(resource->type_name),
                                  SLICE_ARGS(resource->id))
                   : resource->type_name;
    if (!fhir_route_entry(is_named ? VERB_PUT : VERB_POST, url, call->arena, &op->route, &query,
                          err))
        return false;
    if (has_conditional_reference(resource))
        return err_fail(err, ERR_INVALID, "",
                        "conditional references are resolved in a transaction only");
    return op_prepare(call, op, err);
}

bool lines_prepare(struct ingest_call *call, struct err *err)
{
    struct ingest_work *work = call->work;
    struct slice rest = call->request->body, line;
    uint64_t number = 0;
    unsigned count = count_lines(rest);
    work->is_bundle = work->is_lines = true;
    work->ops = ARENA_ARRAY(call->arena, struct ingest_op, (size_t)count + 1);
    if (work->ops == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    int64_t key = count > 0 ? store_key_reserve(call->ingest->settings.store, count) : 0;
    for (; next_line(&rest, &number, &line); work->op_count++) {
        struct ingest_op *op = &work->ops[work->op_count];
        CHECK(work->op_count < count);
        op->index = (unsigned)number;
        op->new_key = key + work->op_count;
        id_format(op->new_key, call->ingest->salt, op->new_id);
        if (read_line(call, line, op))
            op->answer.err.code = ERR_OK;
        else
            op->resource = NULL;
    }
    call->lines_done = (uint64_t)number;
    return true;
}

/* --- out ------------------------------------------------------------------------------------- */

static void write_result(const struct ingest_op *op, uint64_t line, struct buffer *out)
{
    const struct fhir_answer *answer = &op->answer;
    bool is_fault = answer->err.code != ERR_OK;
    buffer_format(out, "{\"line\":%" PRIu64 ",\"status\":%d", line,
                  is_fault ? err_http_status(answer->err.code) : answer->status);
    if (is_fault) {
        buffer_add(out, SLICE(",\"outcome\":"));
        fhir_write_outcome(&answer->err, out);
    } else {
        buffer_format(out, ",\"location\":\"%.*s\"", SLICE_ARGS(answer->location));
    }
    buffer_add(out, SLICE("}\n"));
}

bool lines_answer(struct ingest_call *call, struct slice *out, struct err *err)
{
    const struct ingest_work *work = call->work;
    struct buffer text;
    buffer_init(&text, RESULTS_BYTES_MAX);
    for (unsigned i = 0; i < work->op_count; i++)
        write_result(&work->ops[i], call->lines_before + work->ops[i].index, &text);
    bool is_whole = !buffer_overflowed(&text);
    *out = arena_copy(call->arena, buffer_slice(&text));
    buffer_fini(&text);
    return (is_whole && !arena_overflowed(call->arena)) ||
           err_fail(err, ERR_TOO_COSTLY, "", "the answer is too large");
}

struct slice lines_detail(struct ingest_call *call, struct slice detail)
{
    return arena_format(call->arena, "{\"lines\":[%" PRIu64 ",%" PRIu64 "]%s%.*s",
                        call->lines_before + 1, call->lines_before + call->lines_done,
                        detail.len > 0 ? "," : "}",
                        SLICE_ARGS(detail.len > 0 ? slice_skip(detail, 1) : detail));
}
