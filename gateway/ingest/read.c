/* ingest/read.c -- what is asked of the store: one resource, the lines of therapy. */
#include <stdio.h>

#include "base/date.h"
#include "base/json.h"
#include "fhir/stamp.h"
#include "ingest/ingest_int.h"
#include "ingest/merge.h"
#include "store/body.h"
#include "therapy/derive.h"
#include "therapy/report.h"

bool resource_body(struct ingest *ingest, const struct store_resource *row, struct arena *arena,
                   struct slice *out, struct err *err)
{
    struct slice body;
    return body_unpack(row->body, arena, &body, err) &&
           fhir_stamp(body, resource_id_of(ingest, row, arena), row->version, row->updated_ms,
                      arena, out, err);
}

bool read_number(const struct slice text, uint32_t *out)
{
    uint32_t version = 0;
    if (text.len == 0 || text.len > 9)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        version = version * 10 + (uint32_t)(text.at[i] - '0');
    }
    *out = version;
    return true;
}

/* If-None-Match with the current tag, or If-Modified-Since with its second; in an entry of a Bundle
 * the time is an instant. */
static bool is_known_to_caller(const struct ingest_call *call, const struct ingest_op *op,
                               const struct store_resource *row)
{
    struct err unused;
    int64_t since_ms;
    if (op->if_none_match.len > 0) {
        char tag[24];
        snprintf(tag, sizeof tag, "W/\"%u\"", row->version);
        return slice_is(op->if_none_match, tag);
    }
    if (op->if_modified_since.len == 0)
        return false;
    bool is_time = call->work->is_bundle ? instant_parse(op->if_modified_since, &since_ms, &unused)
                                         : http_date_parse(op->if_modified_since, &since_ms);
    return is_time && row->updated_ms / 1000 <= since_ms / 1000;
}

static bool read_definition(struct ingest_call *call, struct ingest_op *op, struct err *err)
{
    struct buffer text;
    buffer_init(&text, 1 << 16);
    bool is_ours = fhir_write_operation_definition(
        op->route.id, slice_of(call->ingest->settings.base_url), &text);
    op->answer.resource = arena_copy(call->arena, buffer_slice(&text));
    op->answer.status = 200;
    buffer_fini(&text);
    if (!is_ours)
        return op_refuse(op, ERR_NOT_FOUND, "", "there is no such resource");
    return !arena_overflowed(call->arena) ||
           err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
}

bool op_read(struct ingest_call *call, struct ingest_op *op, struct store_tx *tx, struct err *err)
{
    struct ingest *ingest = call->ingest;
    struct store_resource row;
    int64_t key;
    bool found;
    uint32_t version = 0;
    if (op->route.interaction == FHIR_DO_CAPABILITIES) {
        op->answer.status = 200;
        return true; /* reply_prepare_body() writes it: it needs no store */
    }
    if (op->route.interaction == FHIR_DO_OPTIONS) {
        op->answer.status = 204;
        return true;
    }
    if (op->route.type == FHIR_OPERATION_DEFINITION)
        return read_definition(call, op, err);
    op->action = "read";
    op->answer_id = op->route.id;
    if (!resource_key_of(ingest, tx, call->work->tenant->tenant.number, op->route.type,
                         op->route.id, &key, &found, err))
        return false;
    if (!found)
        return op_refuse(op, ERR_NOT_FOUND, "", "there is no such resource");
    if (op->route.version.len > 0) {
        if (!read_number(op->route.version, &version))
            return op_refuse(op, ERR_NOT_FOUND, "", "there is no such version");
        if (!store_resource_version(tx, key, version, call->arena, &row, &found, err))
            return false;
        if (!found)
            return op_refuse(op, ERR_NOT_FOUND, "", "there is no such version");
    } else if (!store_resource_get(tx, key, true, call->arena, &row, &found, err)) {
        return false;
    }
    op->answer.version = row.version;
    op->answer.updated_ms = row.updated_ms;
    if (row.is_deleted)
        return op_refuse(op, ERR_DELETED, "", "the resource has been deleted");
    op->answer.status = 200;
    if (is_known_to_caller(call, op, &row)) {
        op->answer.status = 304;
        return true;
    }
    struct slice body;
    return resource_body(ingest, &row, call->arena, &body, err) &&
           fhir_shape_apply(&op->shape, row.type, body, call->arena, &op->answer.resource, err);
}

/* --- Patient/{id}/$lines-of-therapy ---------------------------------------------------------- */

static bool lines_parameters(struct ingest_call *call, struct ingest_op *op, struct date *as_of)
{
    struct slice query = op->query, name, value;
    struct date_span span;
    while (http_query_next(&query, call->arena, &name, &value)) {
        if (!slice_is(name, "asOf"))
            continue;
        if (!date_parse(value, &span, &op->answer.err))
            return false;
        if (span.precision != DATE_DAY)
            return !op_refuse(op, ERR_INVALID, "asOf", "expected a day: YYYY-MM-DD");
        *as_of = span.first;
    }
    return true;
}

static void put_parameter(struct json_writer *writer, const char *name, struct slice value)
{
    json_object(writer);
    json_put_text(writer, "name", name);
    json_put(writer, "valueString", value);
    json_object_end(writer);
}

/* The answer as a Parameters resource: the JSON of `lifeline lines` and the text timeline. */
static bool write_lines(struct ingest_call *call, struct ingest_op *op, struct slice patient,
                        const struct therapy *therapy, struct err *err)
{
    struct buffer *scratch = &call->ingest->lane_buffer;
    struct report_head head = { patient, mapping_digest(call->ingest->settings.mapping) };
    buffer_reset(scratch);
    report_json(&head, therapy, scratch);
    struct slice json = arena_copy(call->arena, buffer_slice(scratch));
    buffer_reset(scratch);
    report_text(&head, therapy, true, scratch);
    struct slice text = arena_copy(call->arena, buffer_slice(scratch));
    buffer_reset(scratch);
    struct json_writer writer;
    json_writer_init(&writer, scratch, false);
    json_object(&writer);
    json_put_text(&writer, "resourceType", "Parameters");
    json_key(&writer, "parameter");
    json_array(&writer);
    put_parameter(&writer, "lines", json);
    put_parameter(&writer, "timeline", text);
    json_array_end(&writer);
    json_object_end(&writer);
    op->answer.resource = arena_copy(call->arena, buffer_slice(scratch));
    op->answer.status = 200;
    return (!buffer_overflowed(scratch) && !arena_overflowed(call->arena)) ||
           err_fail(err, ERR_TOO_COSTLY, "", "the answer is too large");
}

bool op_lines(struct ingest_call *call, struct ingest_op *op, struct store_tx *tx, struct err *err)
{
    struct date as_of = call->work->as_of;
    struct slice row, name;
    struct state state;
    struct merged merged;
    struct event *events;
    size_t count;
    const struct merge_from from = { NULL, tx, &call->ingest->lane_arena };
    int64_t key;
    bool found;
    op->action = "read";
    op->answer_id = op->route.id;
    if (!lines_parameters(call, op, &as_of))
        return true;
    name = arena_format(call->arena, "Patient/%.*s", SLICE_ARGS(op->route.id));
    if (!store_patient_key(tx, call->work->tenant->tenant.number, name, false, &key, &found, err))
        return false;
    if (!found)
        return op_refuse(op, ERR_NOT_FOUND, "", "nothing is known of such a patient");
    struct therapy *therapy = arena_alloc_raw(&call->ingest->lane_arena, sizeof *therapy);
    if (therapy == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    return store_patient_load(tx, key, &call->ingest->lane_arena, &row, err) &&
           state_read(row, &call->ingest->lane_arena, &state, err) &&
           merge_gather(&from, name, &state, &merged, err) &&
           merge_events(call->ingest, &merged, from.arena, &events, &count, err) &&
           therapy_derive(mapping_rules(call->ingest->settings.mapping), events, count, as_of,
                          from.arena, therapy, err) &&
           write_lines(call, op, name, therapy, err);
}
