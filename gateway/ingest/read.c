/* ingest/read.c -- what is asked of the store: one resource, a search, the lines of therapy. */
#include <stdio.h>

#include "base/json.h"
#include "fhir/stamp.h"
#include "ingest/ingest_int.h"
#include "store/body.h"
#include "therapy/report.h"

/* The stored bytes with id, version and time. */
static bool resource_body(struct ingest *ingest, const struct store_resource *row,
                          struct arena *arena, struct slice *out, struct err *err)
{
    struct slice body;
    return body_unpack(row->body, arena, &body, err) &&
           fhir_stamp(body, resource_id_of(ingest, row, arena), row->version, row->updated_ms,
                      arena, out, err);
}

static bool read_version(const struct slice text, uint32_t *out)
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

/* If-None-Match with the current tag, or If-Modified-Since with its second. */
static bool is_known_to_caller(const struct ingest_call *call, const struct ingest_op *op,
                               const struct store_resource *row)
{
    if (call->work->is_bundle)
        return false;
    if (op->if_none_match.len > 0) {
        char tag[24];
        snprintf(tag, sizeof tag, "W/\"%u\"", row->version);
        return slice_is(op->if_none_match, tag);
    }
    int64_t since_ms;
    struct slice since = http_header_find(call->request, "if-modified-since");
    return since.len > 0 && http_date_parse(since, &since_ms) &&
           row->updated_ms / 1000 <= since_ms / 1000;
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
    op->action = "read";
    op->answer_id = op->route.id;
    if (!resource_key_of(ingest, tx, call->work->tenant->tenant.number, op->route.type,
                         op->route.id, &key, &found, err))
        return false;
    if (!found)
        return op_refuse(op, ERR_NOT_FOUND, "", "there is no such resource");
    if (op->route.version.len > 0) {
        if (!read_version(op->route.version, &version))
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
    return resource_body(ingest, &row, call->arena, &op->answer.resource, err);
}

/* --- search -------------------------------------------------------------------------------- */

struct matches {
    struct fhir_match *list;
    unsigned count, total, limit;
};

static bool match_key(struct ingest_call *call, const struct ingest_op *op, struct store_tx *tx,
                      int64_t key, struct matches *out, struct err *err)
{
    struct store_resource row;
    bool found;
    if (!store_resource_get(tx, key, true, call->arena, &row, &found, err))
        return false;
    if (!found || row.is_deleted || row.type != op->route.type ||
        row.tenant != call->work->tenant->tenant.number)
        return true;
    out->total++;
    if (out->count == out->limit)
        return true;
    struct fhir_match *match = &out->list[out->count++];
    match->full_url = arena_format(call->arena, "%s/%s/%.*s", call->ingest->settings.base_url,
                                   fhir_type_name(row.type),
                                   SLICE_ARGS(resource_id_of(call->ingest, &row, call->arena)));
    return resource_body(call->ingest, &row, call->arena, &match->resource, err);
}

static bool match_patient(struct ingest_call *call, const struct ingest_op *op, struct store_tx *tx,
                          struct slice patient, struct matches *out, struct err *err)
{
    struct slice name = patient, row;
    struct state state;
    int64_t key;
    bool found;
    if (!slice_starts(patient, SLICE("Patient/")))
        name = arena_format(call->arena, "Patient/%.*s", SLICE_ARGS(patient));
    if (!store_patient_key(tx, call->work->tenant->tenant.number, name, false, &key, &found, err))
        return false;
    if (!found)
        return true;
    if (!store_patient_load(tx, key, call->arena, &row, err) ||
        !state_read(row, call->arena, &state, err))
        return false;
    for (unsigned i = 0; i < state.count; i++)
        if (state.entries[i].type == op->route.type &&
            !match_key(call, op, tx, state.entries[i].resource_key, out, err))
            return false;
    return true;
}

static bool match_identifier(struct ingest_call *call, const struct ingest_op *op,
                             struct store_tx *tx, struct slice identifier, struct matches *out,
                             struct err *err)
{
    int64_t keys[16];
    unsigned count;
    if (!store_identifier_find(tx, call->work->tenant->tenant.number, op->route.type, identifier,
                               keys, COUNT_OF(keys), &count, err))
        return false;
    for (unsigned i = 0; i < count; i++)
        if (!match_key(call, op, tx, keys[i], out, err))
            return false;
    return true;
}

static bool match_id(struct ingest_call *call, const struct ingest_op *op, struct store_tx *tx,
                     struct slice id, struct matches *out, struct err *err)
{
    int64_t key;
    bool found;
    if (!resource_key_of(call->ingest, tx, call->work->tenant->tenant.number, op->route.type, id,
                         &key, &found, err))
        return false;
    return !found || match_key(call, op, tx, key, out, err);
}

/* The one parameter that selects; parameters of form (_format, _count ...) are not among them. */
struct selection {
    struct slice name, value;
    unsigned count, limit;
};

static bool read_selection(struct ingest_call *call, struct ingest_op *op, struct selection *out)
{
    struct slice query = op->query, name, value;
    *out = (struct selection){ .limit = INGEST_SEARCH_MAX };
    while (http_query_next(&query, call->arena, &name, &value)) {
        if (slice_is(name, "_count")) {
            uint32_t limit;
            if (!read_version(value, &limit))
                return !op_refuse(op, ERR_INVALID, "_count", "expected a number");
            out->limit = limit < INGEST_SEARCH_MAX ? limit : INGEST_SEARCH_MAX;
        } else if (slice_is(name, "_id") || slice_is(name, "identifier") ||
                   slice_is(name, "patient") || slice_is(name, "subject")) {
            if (!fhir_search_offers(op->route.type, name))
                return !op_refuse(op, ERR_UNSUPPORTED, "",
                                  "this type is not searched by this parameter: see /metadata");
            *out = (struct selection){ name, value, out->count + 1, out->limit };
        } else if (!slice_is(name, "_format") && !slice_is(name, "_pretty")) {
            return !op_refuse(op, ERR_UNSUPPORTED, "",
                              "the search parameter is not offered: see /metadata");
        }
    }
    if (out->count != 1)
        return !op_refuse(op, ERR_UNSUPPORTED, "",
                          "a search needs exactly one of _id, identifier and patient");
    return true;
}

bool op_search(struct ingest_call *call, struct ingest_op *op, struct store_tx *tx, struct err *err)
{
    struct selection by;
    op->action = "search";
    if (!read_selection(call, op, &by))
        return true;
    struct matches matches = { .limit = by.limit };
    matches.list = ARENA_ARRAY(call->arena, struct fhir_match, matches.limit + 1);
    if (matches.list == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    bool is_searched = slice_is(by.name, "_id") ? match_id(call, op, tx, by.value, &matches, err)
                       : slice_is(by.name, "identifier")
                           ? match_identifier(call, op, tx, by.value, &matches, err)
                           : match_patient(call, op, tx, by.value, &matches, err);
    if (!is_searched)
        return false;
    struct buffer *scratch = &call->ingest->lane_buffer;
    buffer_reset(scratch);
    struct slice self = arena_format(call->arena, "%s/%s?%.*s", call->ingest->settings.base_url,
                                     fhir_type_name(op->route.type), SLICE_ARGS(op->query));
    fhir_write_searchset(self, matches.list, matches.count, matches.total, scratch);
    op->answer.resource = arena_copy(call->arena, buffer_slice(scratch));
    op->answer.status = 200;
    if (buffer_overflowed(scratch) || arena_overflowed(call->arena))
        return err_fail(err, ERR_TOO_COSTLY, "", "the answer is too large: ask for less");
    return true;
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
           patient_derive(call->ingest, &state, as_of, &call->ingest->lane_arena, therapy, err) &&
           write_lines(call, op, name, therapy, err);
}
