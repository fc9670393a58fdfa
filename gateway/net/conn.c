/* net/conn.c -- one client connection: what happens, and what then.
 *
 *   HANDSHAKE -> READING -> WORKING -> WRITING -> READING ...   (keep-alive)
 *       |         |    \_______________/  |  \--> LINGERING     (the last reply)
 *       |         |       (a refusal)     |         |
 *       +---------+------------+----------+---------+----> CLOSING -> CLOSED
 *
 * A body in lines goes from WORKING back to READING after each part but the last.
 *
 * Every libuv callback is an adapter of a few lines (conn_io.c): it turns what happened into an
 * event and calls conn_step(), the only function that decides.  Nothing else moves the state.
 *
 * A handler may finish inside the call.  Then conn_pump(), which made the call, goes on with what
 * was pipelined: the stack does not grow with the number of requests.
 *
 * The peer can leave at any time, also while the handler works: then the connection waits in
 * CLOSING for exchange_finish().  LINGERING reads on after the last reply, because closing a socket
 * with unread bytes resets it, and the reply could be lost on its way.
 */
#include "net/conn_int.h"

#include "base/pool.h"

/* clang-format off */
static const struct sm_row conn_rows[] = {
    [CONN_HANDSHAKE] = { "handshake", SM_TO(CONN_READING) | SM_TO(CONN_CLOSING) },
    [CONN_READING]   = { "reading",   SM_TO(CONN_WORKING) | SM_TO(CONN_WRITING) | SM_TO(CONN_CLOSING) },
    [CONN_WORKING]   = { "working",   SM_TO(CONN_WRITING) | SM_TO(CONN_READING) | SM_TO(CONN_CLOSING) },
    [CONN_WRITING]   = { "writing",   SM_TO(CONN_READING) | SM_TO(CONN_LINGERING) | SM_TO(CONN_CLOSING) },
    [CONN_LINGERING] = { "lingering", SM_TO(CONN_CLOSING) },
    [CONN_CLOSING]   = { "closing",   SM_TO(CONN_CLOSED) },
    [CONN_CLOSED]    = { "closed",    0 },
};
/* clang-format on */

/* What each state promises. */
static void conn_check(const struct sm *sm)
{
    const struct conn *conn = CONTAINER_OF(sm, struct conn, sm);
    if (sm->state == CONN_WORKING)
        CHECK(conn->is_handled);
    if (sm->state < CONN_WORKING || sm->state == CONN_WRITING || sm->state == CONN_LINGERING)
        CHECK(!conn->is_handled);
    if (sm->state == CONN_WORKING || sm->state == CONN_WRITING)
        CHECK(conn->work != NULL);
    if (sm->state == CONN_CLOSED)
        CHECK(conn->open_handles == 0);
}

static void conn_wait(struct conn *conn, enum deadline_kind kind)
{
    deadline_set(&conn->gate->deadlines, &conn->deadline, kind, gate_now_ms(conn->gate));
}

/* --- closing ---------------------------------------------------------------------------------- */

static void end_exchange(struct conn *conn)
{
    if (conn->work != NULL && conn->work->exchange.on_end != NULL)
        conn->work->exchange.on_end(&conn->work->exchange);
    http_parser_begin(conn->parser, NULL);
    arena_reset(&conn->arena);
    pool_free(conn->work);
    conn->work = NULL;
}

static void conn_free(struct conn *conn)
{
    end_exchange(conn);
    deadline_remove(&conn->deadline);
    gate_count_open(conn->gate, -1);
    tls_close(&conn->tls);
    http_parser_free(conn->parser);
    arena_fini(&conn->arena);
    buffer_fini(&conn->held);
    buffer_fini(&conn->sending);
    buffer_fini(&conn->queued);
    pool_free(conn);
}

/* libuv closes handles when it likes, and a handler may outlive the peer: the last of them to let
 * go frees the connection, whichever it is. */
static void conn_release_if_idle(struct conn *conn)
{
    if (conn->open_handles > 0 || conn->is_handled)
        return;
    sm_move(&conn->sm, CONN_CLOSED);
    conn_free(conn);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct conn *conn = handle->data;
    conn->open_handles--;
    conn_release_if_idle(conn);
}

static void conn_close(struct conn *conn)
{
    if (conn->sm.state >= CONN_CLOSING)
        return;
    sm_move(&conn->sm, CONN_CLOSING);
    conn_wait(conn, DEADLINE_CLOSING);
    buffer_reset(&conn->gate->wire_out); /* what is left there can only be ours */
    uv_close((uv_handle_t *)&conn->tcp, on_handle_closed);
}

/* Closes with TLS's goodbye, where nobody waits for a reply. */
static void conn_leave(struct conn *conn)
{
    tls_notify_end(&conn->tls);
    conn->has_ended = !conn_flush(conn) || conn->has_ended;
    conn_close(conn);
}

static void conn_linger(struct conn *conn)
{
    sm_move(&conn->sm, CONN_LINGERING);
    conn_wait(conn, DEADLINE_LINGER);
    if (!conn_send_end(conn)) {
        conn_close(conn);
        return;
    }
    conn_read_start(conn);
}

/* --- requests --------------------------------------------------------------------------------- */

static void begin_exchange(struct conn *conn)
{
    struct conn_exchange *work = pool_new(sizeof *work);
    work->conn = conn;
    work->exchange.arena = &conn->arena;
    work->exchange.peer = &conn->peer;
    work->exchange.loop = conn->gate->loop;
    work->exchange.started_ns = clock_monotonic_ns();
    conn->work = work;
    http_parser_begin(conn->parser, &work->exchange.request);
}

static void after_reply(struct conn *conn);

static void start_reply(struct conn *conn)
{
    sm_move(&conn->sm, CONN_WRITING);
    conn_wait(conn, DEADLINE_WRITE);
    if (!conn_send_reply(conn))
        conn_close(conn);
    else if (!conn->is_sending)
        after_reply(conn);
}

/* Answers what never reached the handler, and ends the connection. */
static void conn_refuse(struct conn *conn, const struct err *err)
{
    const struct server_settings *settings = &conn->gate->server->settings;
    struct http_reply *reply = &conn->work->exchange.reply;
    *reply = (struct http_reply){ .status = err_http_status(err->code), .close = true };
    if (settings->write_refusal != NULL) {
        struct buffer body;
        buffer_init(&body, NET_HEAD_MAX);
        settings->write_refusal(err, &body);
        reply->body = arena_copy(&conn->arena, buffer_slice(&body));
        buffer_fini(&body);
        http_reply_header(reply, "Content-Type", SLICE("application/fhir+json; charset=utf-8"));
    }
    if (settings->on_refusal != NULL)
        settings->on_refusal(settings->ctx, &conn->peer, err);
    start_reply(conn);
}

/* The handler may finish exchanges of other connections, too: before it is called, nothing of ours
 * may lie in the rooms that the gate's connections share. */
static void conn_handle(struct conn *conn, struct slice *piece)
{
    const struct server_settings *settings = &conn->gate->server->settings;
    if (piece->len > 0 || conn_has_more(conn)) {
        conn_hold(conn, *piece);
        *piece = SLICE("");
    }
    if (!conn_flush(conn)) {
        conn_close(conn);
        return;
    }
    conn->is_handled = true;
    sm_move(&conn->sm, CONN_WORKING);
    conn_wait(conn, DEADLINE_NONE);
    count_add(&conn->gate->counts.requests, conn->work->exchange.goes_on ? 0 : 1);
    settings->handler(settings->ctx, &conn->work->exchange);
}

static void conn_send_continue(struct conn *conn)
{
    if (tls_write(&conn->tls, SLICE("HTTP/1.1 100 Continue\r\n\r\n")) != TLS_OK ||
        !conn_flush(conn))
        conn_close(conn);
}

static void conn_feed(struct conn *conn, struct slice *piece)
{
    struct err err;
    if (conn->work == NULL)
        begin_exchange(conn);
    enum http_progress progress = http_parser_feed(conn->parser, piece, &err);
    switch (progress) {
    case PROGRESS_MORE:
        break;
    case PROGRESS_HEAD:
        if (http_parser_awaits_continue(conn->parser) && piece->len == 0)
            conn_send_continue(conn);
        break;
    case PROGRESS_PART:
    case PROGRESS_WHOLE:
        conn->work->exchange.goes_on = progress == PROGRESS_PART;
        conn_handle(conn, piece);
        break;
    case PROGRESS_BAD:
        conn_refuse(conn, &err);
        break;
    }
}

/* The wait that a connection in READING is in; one that goes on is not restarted. */
static void wait_for_request(struct conn *conn)
{
    enum deadline_kind kind = DEADLINE_IDLE;
    if (conn->work != NULL)
        kind = http_parser_is_in_body(conn->parser) ? DEADLINE_BODY : DEADLINE_HEADER;
    if (conn->deadline.kind != kind)
        conn_wait(conn, kind);
}

/* Feeds what has arrived to the parser, request after request, until there is no more or somebody
 * works on one.  Called wherever bytes may be waiting: after a read, after the handshake, and after
 * a reply. */
static void conn_pump(struct conn *conn)
{
    if (conn->is_pumping)
        return;
    conn->is_pumping = true;
    struct slice piece = SLICE("");
    while (conn->sm.state == CONN_READING && (piece.len > 0 || conn_next(conn, &piece)))
        conn_feed(conn, &piece);
    conn->is_pumping = false;

    if (conn->sm.state >= CONN_LINGERING)
        return;
    if (conn->sm.state != CONN_READING) {
        if (piece.len > 0 || conn_has_more(conn))
            conn_hold(conn, piece); /* behind a refusal */
        if (conn->held.len > 0)
            conn_read_stop(conn);
    }
    if (!conn_flush(conn) || (conn->has_ended && conn->sm.state == CONN_READING)) {
        conn_close(conn);
    } else if (conn->sm.state == CONN_READING && conn->work == NULL && conn->gate->is_draining) {
        conn_leave(conn);
    } else if (conn->sm.state == CONN_READING) {
        wait_for_request(conn);
        conn_read_start(conn);
    }
}

static void after_reply(struct conn *conn)
{
    end_exchange(conn);
    if (!conn->stays || conn->has_ended) {
        conn_linger(conn);
        return;
    }
    sm_move(&conn->sm, CONN_READING);
    conn_wait(conn, DEADLINE_IDLE);
    conn_pump(conn);
}

/* --- one function per state ------------------------------------------------------------------- */

static void conn_receive(struct conn *conn, struct slice bytes)
{
    if (conn->tls.ssl != NULL)
        conn->tls.in = bytes;
    else
        conn->plain_in = bytes;
}

static void handshake_failed(struct conn *conn, const char *reason)
{
    const struct server_settings *settings = &conn->gate->server->settings;
    count_add(&conn->gate->counts.handshake_failures, 1);
    if (settings->on_handshake_failure != NULL)
        settings->on_handshake_failure(settings->ctx, conn->peer.address, reason);
    conn_close(conn);
}

#define TLS_HANDSHAKE_BYTE 0x16 /* what every TLS connection begins with */

static void step_handshake(struct conn *conn, const struct conn_event *event)
{
    if (event->type == EV_SENT)
        return;
    if (event->type != EV_BYTES) {
        if (conn->tls_has_begun)
            handshake_failed(conn, "the peer broke the handshake off");
        else
            conn_close(conn); /* came and went, as health checks do */
        return;
    }
    if (!conn->tls_has_begun && event->bytes.at[0] != TLS_HANDSHAKE_BYTE) {
        handshake_failed(conn, "not TLS"); /* plain HTTP, as a rule: no answer, no redirect */
        return;
    }
    conn->tls_has_begun = true;
    conn_receive(conn, event->bytes);
    enum tls_status status = tls_handshake(&conn->tls);
    const char *reason = status == TLS_OK || status == TLS_MORE ? NULL : tls_reason(&conn->tls);
    if (!conn_flush(conn) && reason == NULL)
        reason = "the peer has gone";
    if (reason != NULL) {
        handshake_failed(conn, reason);
    } else if (status == TLS_OK) {
        tls_read_peer(&conn->tls, &conn->peer);
        sm_move(&conn->sm, CONN_READING);
        conn_pump(conn);
    }
}

static void step_reading(struct conn *conn, const struct conn_event *event)
{
    if (event->type == EV_BYTES) {
        conn_receive(conn, event->bytes);
        conn_pump(conn);
    } else if (event->type == EV_END) {
        conn_close(conn);
    }
}

/* Bytes behind the request are held, and reading stops: backpressure.  A peer that has only closed
 * its own direction still gets its reply. */
static void hold_input(struct conn *conn, const struct conn_event *event)
{
    if (event->type == EV_BYTES) {
        conn_receive(conn, event->bytes);
        conn_hold(conn, SLICE(""));
        if (!conn_flush(conn))
            conn_close(conn);
        else
            conn_read_stop(conn);
    } else if (event->type == EV_END) {
        conn->has_ended = true;
        conn->is_reading = false;
    }
}

/* The part is done with; the next one follows. */
static void read_on(struct conn *conn)
{
    http_parser_drop(conn->parser);
    arena_reset(&conn->arena);
    sm_move(&conn->sm, CONN_READING);
    conn_wait(conn, DEADLINE_BODY);
    conn_pump(conn);
}

static void step_working(struct conn *conn, const struct conn_event *event)
{
    if (event->type != EV_REPLY) {
        hold_input(conn, event);
        return;
    }
    struct exchange *exchange = &conn->work->exchange;
    conn->is_handled = false;
    if (exchange->goes_on && exchange->reply.status == 0) {
        read_on(conn);
        return;
    }
    exchange->reply.close |= exchange->goes_on; /* the rest of the body is not wanted */
    start_reply(conn);
}

static void step_writing(struct conn *conn, const struct conn_event *event)
{
    if (event->type != EV_SENT) {
        hold_input(conn, event);
        return;
    }
    conn_wait(conn, DEADLINE_WRITE); /* the peer reads: it may go on */
    if (!conn_send_more(conn))
        conn_close(conn);
    else if (!conn->is_sending)
        after_reply(conn);
}

static void step_lingering(struct conn *conn, const struct conn_event *event)
{
    bool is_done = event->type == EV_SENT && conn->has_ended;
    if (is_done || event->type == EV_END)
        conn_close(conn);
}

static void step_closing(struct conn *conn, const struct conn_event *event)
{
    if (event->type != EV_REPLY)
        return;
    conn->is_handled = false;
    conn_release_if_idle(conn);
}

static void step_timeout(struct conn *conn)
{
    bool is_idle = conn->sm.state == CONN_READING && conn->work == NULL;
    if (!is_idle && conn->sm.state != CONN_LINGERING)
        count_add(&conn->gate->counts.timeouts, 1);
    if (conn->sm.state == CONN_HANDSHAKE) {
        handshake_failed(conn, "the handshake took too long");
    } else if (conn->sm.state == CONN_READING && !is_idle) {
        struct err err;
        err_fail(&err, ERR_TIMEOUT, "request", "the request did not arrive in time");
        conn_refuse(conn, &err);
    } else if (is_idle) {
        conn_leave(conn);
    } else {
        conn_close(conn);
    }
}

void conn_step(struct conn *conn, const struct conn_event *event)
{
    CHECK(conn->sm.state != CONN_CLOSED);
    if (conn->sm.state > CONN_HANDSHAKE && conn->sm.state < CONN_CLOSING &&
        event->type == EV_GONE) {
        conn_close(conn);
        return;
    }
    if (conn->sm.state < CONN_CLOSING && event->type == EV_TIMEOUT) {
        step_timeout(conn);
        return;
    }
    /* clang-format off */
    switch ((enum conn_state)conn->sm.state) {
    case CONN_HANDSHAKE: step_handshake(conn, event); break;
    case CONN_READING:   step_reading(conn, event);   break;
    case CONN_WORKING:   step_working(conn, event);   break;
    case CONN_WRITING:   step_writing(conn, event);   break;
    case CONN_LINGERING: step_lingering(conn, event); break;
    case CONN_CLOSING:   step_closing(conn, event);   break;
    case CONN_CLOSED:    break;
    }
    /* clang-format on */
}

/* --- what the gate and the handler call ------------------------------------------------------- */

void exchange_finish(struct exchange *exchange)
{
    struct conn *conn = CONTAINER_OF(exchange, struct conn_exchange, exchange)->conn;
    uv_thread_t here = uv_thread_self();
    CHECK(uv_thread_equal(&here, &conn->gate->thread) != 0);
    CHECK(conn->is_handled); /* once */
    conn_step(conn, &(struct conn_event){ .type = EV_REPLY });
}

void conn_start(struct conn *conn)
{
    bool is_plain = conn->tls.ssl == NULL;
    conn->sm =
        (struct sm){ "conn", conn_rows, conn_check, is_plain ? CONN_READING : CONN_HANDSHAKE };
    conn_wait(conn, is_plain ? DEADLINE_IDLE : DEADLINE_HANDSHAKE);
    conn_read_start(conn);
}

void conn_time_out(struct deadline *deadline)
{
    conn_step(CONTAINER_OF(deadline, struct conn, deadline),
              &(struct conn_event){ .type = EV_TIMEOUT });
}

void conn_drain_idle(struct gate *gate)
{
    static const enum deadline_kind idle[] = { DEADLINE_HANDSHAKE, DEADLINE_IDLE };
    for (size_t i = 0; i < COUNT_OF(idle); i++) {
        struct deadline *first;
        while ((first = deadline_first(&gate->deadlines, idle[i])) != NULL)
            conn_leave(CONTAINER_OF(first, struct conn, deadline));
    }
}

void conn_close_all(struct gate *gate)
{
    for (unsigned kind = 0; kind < DEADLINE_CLOSING; kind++) {
        struct deadline *first;
        while ((first = deadline_first(&gate->deadlines, (enum deadline_kind)kind)) != NULL)
            conn_close(CONTAINER_OF(first, struct conn, deadline));
    }
}

void conn_free_all(struct gate *gate)
{
    struct deadline *first;
    while ((first = deadline_first(&gate->deadlines, DEADLINE_CLOSING)) != NULL) {
        struct conn *conn = CONTAINER_OF(first, struct conn, deadline);
        CHECK(conn->open_handles == 0);
        conn_free(conn);
    }
}
