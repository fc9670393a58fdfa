#include "app/operators.h"

#include "app/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "outbox/explain.h"
#include "outbox/operate.h"

#define ROWS_DEFAULT 100
#define ROWS_MAX 1000
#define SCRATCH_MAX ((size_t)64 * 1024 * 1024)
#define REPLY_MAX ((size_t)32 * 1024 * 1024)
#define JSON_TYPE "application/json"
#define LINES_TYPE "application/x-ndjson"

struct operators_call {
    struct operators *operators;
    struct exchange *exchange;
    struct job job;
    struct arena scratch;
    struct operate operate;
    bool is_read, is_one;
    int64_t after;
    unsigned limit, count;
    struct buffer out;
};

/* --- answers ------------------------------------------------------------------------------- */

static void answer(struct exchange *exchange, int status, const char *type, struct slice body)
{
    exchange->reply.status = status;
    exchange->reply.body = arena_copy(exchange->arena, body);
    http_reply_header(&exchange->reply, "Content-Type", slice_of(type));
    http_reply_header(&exchange->reply, "Cache-Control", SLICE("no-store"));
    exchange_finish(exchange);
}

static void refuse(struct exchange *exchange, int status, const char *where, const char *what)
{
    struct buffer out;
    struct json_writer json;
    buffer_init(&out, 4096);
    json_writer_init(&json, &out, false);
    json_object(&json);
    json_put(&json, "error",
             arena_format(exchange->arena, "%s%s%s", where, where[0] != '\0' ? ": " : "", what));
    json_object_end(&json);
    buffer_add_char(&out, '\n');
    answer(exchange, status, JSON_TYPE, buffer_slice(&out));
    buffer_fini(&out);
}

/* --- who asks ------------------------------------------------------------------------------ */

/* Digests are compared, so that the time it takes says nothing of how much was right. */
static bool is_operator(const struct operators *operators, struct exchange *exchange)
{
    struct slice header = http_header_find(&exchange->request, "Authorization");
    struct slice token;
    struct err ignored;
    if (operators->token_file == NULL ||
        !file_read(operators->token_file, 4096, exchange->arena, &token, &ignored))
        return false;
    while (token.len > 0 && (unsigned char)token.at[token.len - 1] <= ' ')
        token.len--;
    if (token.len == 0 || !slice_starts(header, SLICE("Bearer ")))
        return false;
    struct sha256 shown = sha256_of_one(slice_skip(header, 7)), wanted = sha256_of_one(token);
    return sha256_equal(&shown, &wanted);
}

/* --- the lane ------------------------------------------------------------------------------ */

static bool write_row(struct operators_call *call, struct store_tx *tx,
                      const struct outbox_row *row, struct err *err)
{
    struct json_writer json;
    struct slice paused;
    if (!operate_paused(tx, row->destination, &call->scratch, &paused, err))
        return false;
    json_writer_init(&json, &call->out, false);
    explain_json(row, paused, call->operate.now_ms, call->is_one, &json);
    buffer_add_char(&call->out, '\n');
    call->count++;
    return true;
}

static bool read_rows(struct operators_call *call, struct store_tx *tx, struct err *err)
{
    unsigned got = ROWS_MAX;
    while (got == ROWS_MAX && call->count < call->limit) {
        struct outbox_row *rows;
        if (!store_outbox_list(tx, call->operate.filter.state, call->after, ROWS_MAX,
                               &call->scratch, &rows, &got, err))
            return false;
        for (unsigned i = 0; i < got && call->count < call->limit; i++) {
            call->after = rows[i].key;
            if (outbox_filter_fits(&call->operate.filter, &rows[i]) &&
                !write_row(call, tx, &rows[i], err))
                return false;
        }
        arena_reset(&call->scratch);
    }
    return true;
}

static bool read_one(struct operators_call *call, struct store_tx *tx, struct err *err)
{
    struct outbox_row row;
    bool found = false;
    if (!store_outbox_get(tx, call->operate.key, &call->scratch, &row, &found, err))
        return false;
    return found ? write_row(call, tx, &row, err)
                 : err_fail(err, ERR_NOT_FOUND, "outbox", "there is no such row");
}

static bool run(struct job *job, struct store_tx *tx, struct err *err)
{
    struct operators_call *call = CONTAINER_OF(job, struct operators_call, job);
    if (!call->is_read)
        return operate_apply(tx, &call->operate, &call->scratch, &call->count, err);
    return call->is_one ? read_one(call, tx, err) : read_rows(call, tx, err);
}

static void done(struct job *job, const struct err *err)
{
    struct operators_call *call = CONTAINER_OF(job, struct operators_call, job);
    struct exchange *exchange = call->exchange;
    struct buffer out = call->out; /* the call is gone with its exchange, once that is answered */
    arena_fini(&call->scratch);
    if (err->code != ERR_OK) {
        int status = err->code == ERR_INVALID ? 422 : err_http_status(err->code);
        refuse(exchange, status, err->where, err->what);
    } else if (buffer_overflowed(&out)) {
        refuse(exchange, 413, "", "too many rows: use limit and after");
    } else if (call->is_read) {
        answer(exchange, 200, call->is_one ? JSON_TYPE : LINES_TYPE, buffer_slice(&out));
    } else {
        call->operators->on_change(call->operators->ctx);
        buffer_format(&out, "{\"changed\":%u}\n", call->count);
        answer(exchange, 200, JSON_TYPE, buffer_slice(&out));
    }
    buffer_fini(&out);
}

/* --- what is asked ------------------------------------------------------------------------- */

static enum outbox_state state_of(struct slice text)
{
    for (enum outbox_state state = OUTBOX_PENDING; state <= OUTBOX_UNKNOWN; state++)
        if (slice_is(text, outbox_state_name(state)))
            return state;
    return (enum outbox_state)0;
}

static int64_t number_of(struct slice text)
{
    int64_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || text.len > 18)
            return -1;
        number = number * 10 + (text.at[i] - '0');
    }
    return text.len > 0 ? number : -1;
}

static void take(struct operators_call *call, struct slice name, struct slice value)
{
    struct outbox_filter *filter = &call->operate.filter;
    struct slice text = arena_copy(call->exchange->arena, value);
    if (slice_is(name, "state"))
        filter->state = state_of(text);
    else if (slice_is(name, "destination"))
        filter->destination = text;
    else if (slice_is(name, "patient"))
        filter->patient = text;
    else if (slice_is(name, "word"))
        filter->word = text;
    else if (slice_is(name, "by"))
        call->operate.by = text;
    else if (slice_is(name, "reason"))
        call->operate.reason = text;
    else if (slice_is(name, "after") && number_of(text) > 0)
        call->after = number_of(text);
    else if (slice_is(name, "limit") && number_of(text) > 0)
        call->limit = number_of(text) < ROWS_MAX ? (unsigned)number_of(text) : ROWS_MAX;
}

static bool on_value(void *ctx, struct json_reader *reader, enum json_kind kind, struct slice text)
{
    struct operators_call *call = ctx;
    if (kind == JSON_STRING && json_depth(reader) == 1)
        take(call, json_path(reader), text);
    return true;
}

/* The span of "body" in the request: a resource, kept as it came. */
static bool on_open(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct operators_call *call = ctx;
    if (kind == JSON_OBJECT && slice_is(json_path(reader), "body"))
        call->operate.body.at = call->exchange->request.body.at + json_offset(reader) - 1;
    return true;
}

static bool on_close(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct operators_call *call = ctx;
    struct slice *body = &call->operate.body;
    if (kind == JSON_OBJECT && slice_is(json_path(reader), "body"))
        body->len = (size_t)(call->exchange->request.body.at + json_offset(reader) - body->at);
    return true;
}

static bool read_body(struct operators_call *call, struct err *err)
{
    static const struct json_events events = { on_value, on_open, on_close };
    struct exchange *exchange = call->exchange;
    struct slice type = http_header_find(&exchange->request, "Content-Type");
    if (!slice_starts(type, SLICE(JSON_TYPE)))
        return err_fail(err, ERR_INVALID, "", "the body must be " JSON_TYPE);
    return json_read(exchange->request.body, NULL, &events, call, exchange->arena, err);
}

static void read_query(struct operators_call *call)
{
    struct slice query = call->exchange->request.query, name, value;
    while (http_query_next(&query, call->exchange->arena, &name, &value))
        take(call, name, value);
}

/* "/outbox", "/outbox/7", "/outbox/7/replay", "/outbox/replay", "/destinations/ehr/pause" */
static bool read_path(struct operators_call *call)
{
    struct slice rest = slice_skip(call->exchange->request.path, 1), word;
    bool is_outbox = slice_is(slice_take_until(&rest, '/'), "outbox");
    word = slice_take_until(&rest, '/');
    if (!is_outbox) {
        call->operate.filter.destination = arena_copy(call->exchange->arena, word);
        word = rest;
    } else if (number_of(word) > 0) {
        call->operate.key = number_of(word);
        call->is_one = true;
        word = rest;
    }
    call->is_read = word.len == 0;
    if (call->is_read)
        return is_outbox;
    for (enum operation operation = OPERATE_REPLAY; operation <= OPERATE_RESUME; operation++) {
        bool fits = slice_is(word, operation_name(operation));
        call->operate.operation = fits ? operation : call->operate.operation;
        if (fits)
            return is_outbox == (operation < OPERATE_PAUSE);
    }
    return false;
}

static void submit(struct operators_call *call)
{
    struct err err;
    call->job = (struct job){ .run = run, .done = done, .is_read_only = call->is_read };
    if (lane_submit(call->operators->lane, call->exchange->loop, &call->job, &err))
        return;
    arena_fini(&call->scratch);
    buffer_fini(&call->out);
    refuse(call->exchange, 503, "", "busy: try again");
}

bool operators_wants(struct slice path)
{
    return slice_is(path, "/outbox") || slice_starts(path, SLICE("/outbox/")) ||
           slice_starts(path, SLICE("/destinations/"));
}

void operators_handle(struct operators *operators, struct exchange *exchange)
{
    struct operators_call *call = ARENA_NEW(exchange->arena, struct operators_call);
    struct err err;
    CHECK(call != NULL); /* the first thing in a fresh arena */
    call->operators = operators;
    call->exchange = exchange;
    call->limit = ROWS_DEFAULT;
    call->operate.now_ms = clock_wall_ms();
    call->operate.monotonic_ns = clock_monotonic_ns();
    call->operate.address = slice_of(exchange->peer->address);
    if (operators->token_file == NULL) {
        refuse(exchange, 404, "", "operators have no endpoints: admin.token_file is not set");
        return;
    }
    if (!is_operator(operators, exchange)) {
        refuse(exchange, 401, "", "the token of admin.token_file is needed");
        return;
    }
    if (!read_path(call)) {
        refuse(exchange, 404, "", "there is no such operation");
        return;
    }
    if (exchange->request.verb != (call->is_read ? VERB_GET : VERB_POST)) {
        refuse(exchange, 405, "", call->is_read ? "use GET" : "use POST");
        return;
    }
    read_query(call);
    if (!call->is_read && !read_body(call, &err)) {
        refuse(exchange, 422, err.where, err.what);
        return;
    }
    arena_init(&call->scratch, SCRATCH_MAX);
    buffer_init(&call->out, REPLY_MAX);
    submit(call);
}
