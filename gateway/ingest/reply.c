/* ingest/reply.c -- from what was done to the HTTP reply. */
#include "base/json_text.h"
#include "ingest/ingest_int.h"

static struct slice json_type(const struct ingest_work *work)
{
    return work->is_version_asked ? SLICE("application/fhir+json; fhirVersion=4.0; charset=utf-8")
                                  : SLICE("application/fhir+json; charset=utf-8");
}

static struct slice kept(struct ingest_call *call, struct buffer *text)
{
    struct slice body = arena_copy(call->arena, buffer_slice(text));
    buffer_fini(text);
    return body;
}

static void write_fault(struct ingest_call *call, const struct err *err, struct slice *out)
{
    struct buffer text;
    buffer_init(&text, 1 << 16);
    fhir_write_outcome(err, &text);
    *out = kept(call, &text);
}

int reply_refusal_status(const struct ingest_work *work, const struct err *err)
{
    return work->message != NULL ? message_status(err) : err_http_status(err->code);
}

void reply_refuse(struct ingest_call *call, const struct err *err)
{
    struct http_reply *reply = call->reply;
    struct err unused;
    *reply = (struct http_reply){ .status = reply_refusal_status(call->work, err) };
    if (call->work->message == NULL || !message_answer(call, err, &reply->body, &unused))
        write_fault(call, err, &reply->body);
    http_reply_header(reply, "Content-Type", json_type(call->work));
    http_reply_header(reply, "X-Request-Id", call->work->request_id);
    if (err_http_status(err->code) == 503)
        http_reply_header(reply, "Retry-After", SLICE("1"));
    if (err->code == ERR_METHOD && call->work->allow.len > 0)
        http_reply_header(reply, "Allow", call->work->allow);
    if (err->code == ERR_DRAINING)
        reply->close = true;
    int interaction = call->work->is_routed ? (int)call->work->route.interaction : INGEST_NO_ROUTE;
    call->outcome =
        (struct ingest_outcome){ interaction, call->work->route.type, reply->status, 0 };
}

static bool write_capability(struct ingest_call *call, struct slice *out, struct err *err)
{
    const struct ingest_settings *settings = &call->ingest->settings;
    struct fhir_capability_settings capability = { .version = settings->version,
                                                   .base_url = slice_of(settings->base_url),
                                                   .date_ms = settings->started_ms,
                                                   .update_creates = settings->update_creates,
                                                   .security = settings->security };
    struct buffer text;
    buffer_init(&text, 1 << 20);
    fhir_write_capability(&capability, &text);
    *out = kept(call, &text);
    return !arena_overflowed(call->arena) ||
           err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
}

/* In the order of the entries, whatever order they were executed in. */
static bool write_bundle(struct ingest_call *call, struct slice *out, struct err *err)
{
    struct ingest_work *work = call->work;
    struct fhir_answer *answers =
        arena_alloc_raw(call->arena, sizeof *answers * (work->op_count + 1));
    if (answers == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    for (unsigned i = 0; i < work->op_count; i++) {
        const struct ingest_op *op = &work->ops[i];
        answers[op->index] = op->answer;
        bool is_read = op->action != NULL &&
                       (strcmp(op->action, "read") == 0 || strcmp(op->action, "search") == 0);
        if (!is_read && work->prefer != RETURN_REPRESENTATION)
            answers[op->index].resource = SLICE("");
    }
    struct buffer text;
    buffer_init(&text, call->ingest->settings.reply_bytes_max);
    fhir_write_bundle_response(work->is_transaction, answers, work->op_count, &text);
    bool is_whole = !buffer_overflowed(&text);
    *out = kept(call, &text);
    return (is_whole && !arena_overflowed(call->arena)) ||
           err_fail(err, ERR_TOO_COSTLY, "", "the answer is too large");
}

static bool indent_body(struct ingest_call *call, struct err *err)
{
    struct buffer text;
    if (call->work->body.len == 0)
        return true;
    buffer_init(&text, call->ingest->settings.reply_bytes_max);
    json_indent(call->work->body, &text);
    bool is_whole = !buffer_overflowed(&text);
    call->work->body = kept(call, &text);
    return (is_whole && !arena_overflowed(call->arena)) ||
           err_fail(err, ERR_TOO_COSTLY, "", "the answer is too large to be laid out");
}

bool reply_prepare_body(struct ingest_call *call, struct err *err)
{
    struct ingest_work *work = call->work;
    struct ingest_op *op = work->ops;
    if (work->message != NULL) {
        if (!message_answer(call, NULL, &work->body, err))
            return false;
    } else if (work->is_lines) {
        if (!lines_answer(call, &work->body, err))
            return false;
    } else if (work->is_bundle) {
        if (!write_bundle(call, &work->body, err))
            return false;
    } else if (op->answer.err.code != ERR_OK) {
        write_fault(call, &op->answer.err, &work->body);
    } else if (op->route.interaction == FHIR_DO_CAPABILITIES) {
        if (!write_capability(call, &work->body, err))
            return false;
    } else if (op->answer.resource.len > 0) {
        work->body = op->answer.resource;
    } else if (work->prefer == RETURN_OUTCOME && op->answer.status < 300) {
        struct buffer text;
        buffer_init(&text, 1 << 16);
        fhir_write_outcome_ok("The resource is stored.", &text);
        work->body = kept(call, &text);
    }
    if (work->is_pretty && !work->is_lines && !indent_body(call, err))
        return false;
    work->has_body_digest = work->body.len > 0;
    if (work->has_body_digest)
        work->body_digest = sha256_of_one(work->body);
    return true;
}

static void add_version_headers(struct ingest_call *call, const struct ingest_op *op)
{
    char date[HTTP_DATE_SIZE];
    if (op->answer.version == 0)
        return;
    http_reply_header(call->reply, "ETag",
                      arena_format(call->arena, "W/\"%u\"", op->answer.version));
    http_reply_header(
        call->reply, "Last-Modified",
        arena_copy(call->arena, slice_of(http_date_format(op->answer.updated_ms, date))));
    if (op->answer.location.len > 0 && op->action != NULL && strcmp(op->action, "delete") != 0)
        http_reply_header(call->reply, "Location",
                          arena_format(call->arena, "%s/%.*s", call->ingest->settings.base_url,
                                       SLICE_ARGS(op->answer.location)));
}

void reply_build(struct ingest_call *call)
{
    struct ingest_work *work = call->work;
    struct http_reply *reply = call->reply;
    const struct ingest_op *op = work->ops;
    *reply = (struct http_reply){ .status = 200, .body = work->body };
    unsigned resources = 0;
    for (unsigned i = 0; i < work->op_count; i++)
        resources += work->ops[i].answer.status >= 200 && work->ops[i].answer.status < 300;
    if (!work->is_bundle) {
        bool is_fault = op->answer.err.code != ERR_OK;
        reply->status = is_fault ? err_http_status(op->answer.err.code) : op->answer.status;
        add_version_headers(call, op);
        if (op->route.interaction == FHIR_DO_OPTIONS)
            http_reply_header(reply, "Allow", work->allow);
    }
    bool is_fhir = work->cds == NULL || op->answer.err.code != ERR_OK;
    if (reply->body.len > 0)
        http_reply_header(reply, "Content-Type",
                          work->is_lines ? SLICE("application/fhir+ndjson")
                          : is_fhir      ? json_type(call->work)
                                         : SLICE("application/json"));
    http_reply_header(reply, "X-Request-Id", work->request_id);
    http_reply_header(reply, "Cache-Control", SLICE("no-store"));
    call->outcome = (struct ingest_outcome){ (int)work->route.interaction, work->route.type,
                                             reply->status, resources };
}
