/* net/conn_io.c -- bytes in and out of one connection; decides nothing.
 *
 * In: libuv reads into the gate's room, TLS decrypts record by record into another, the parser
 * takes what it needs.  What arrives while a request is worked on is decrypted once, held, and
 * reading stops: at most one read's worth per connection.  Out: TLS appends to the gate's wire_out,
 * which is tried on the socket at once; only what the kernel does not take is copied and left to
 * uv_write().
 */
#include "base/pool.h"
#include "http/reply.h"
#include "net/conn_int.h"

/* --- in --------------------------------------------------------------------------------------- */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    const struct conn *conn = CONTAINER_OF(handle, struct conn, tcp);
    (void)suggested;
    *buffer = uv_buf_init(conn->gate->read_room, (unsigned)NET_READ_MAX);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct conn *conn = CONTAINER_OF(stream, struct conn, tcp);
    CHECK(conn->gate->wire_out.len == 0); /* nothing of another connection */
    if (count > 0)
        conn_step(conn, &(struct conn_event){ EV_BYTES, { buffer->base, (size_t)count } });
    else if (count == UV_EOF)
        conn_step(conn, &(struct conn_event){ .type = EV_END });
    else if (count < 0) /* 0 is libuv's EAGAIN */
        conn_step(conn, &(struct conn_event){ .type = EV_GONE });
}

void conn_read_start(struct conn *conn)
{
    if (conn->is_reading || conn->has_ended)
        return;
    conn->is_reading = uv_read_start((uv_stream_t *)&conn->tcp, on_room, on_read) == 0;
}

void conn_read_stop(struct conn *conn)
{
    uv_read_stop((uv_stream_t *)&conn->tcp);
    conn->is_reading = false;
}

bool conn_has_more(const struct conn *conn)
{
    return conn->tls.in.len > 0 || conn->plain_in.len > 0;
}

/* A record is decrypted whole (the room holds the largest), so OpenSSL keeps no plaintext back and
 * an empty `in` means that there is none. */
static bool next_received(struct conn *conn, struct slice *piece)
{
    if (conn->tls.ssl == NULL) {
        *piece = conn->plain_in;
        conn->plain_in = SLICE("");
        return piece->len > 0;
    }
    if (conn->has_ended || conn->tls.in.len == 0)
        return false;
    enum tls_status status = tls_read(&conn->tls, conn->gate->plain_room, piece);
    if (status == TLS_END || status == TLS_FAILED)
        conn->has_ended = true;
    return status == TLS_OK;
}

bool conn_next(struct conn *conn, struct slice *piece)
{
    if (conn->held_at < conn->held.len) {
        *piece = slice_skip(buffer_slice(&conn->held), conn->held_at);
        conn->held_at = conn->held.len;
        return true;
    }
    return next_received(conn, piece);
}

void conn_hold(struct conn *conn, struct slice piece)
{
    const struct buffer *held = &conn->held;
    bool is_from_held = piece.len > 0 && held->at != NULL && piece.at >= held->at &&
                        piece.at < held->at + held->len;
    if (is_from_held) {
        conn->held_at -= piece.len;
    } else {
        if (conn->held_at == conn->held.len) {
            buffer_reset(&conn->held);
            conn->held_at = 0;
        }
        buffer_add(&conn->held, piece);
    }
    while (next_received(conn, &piece))
        buffer_add(&conn->held, piece);
    CHECK(!buffer_overflowed(&conn->held)); /* one read, and reading stops */
    if (conn->held_at == conn->held.len) {
        buffer_fini(&conn->held);
        conn->held_at = 0;
    }
}

/* --- out -------------------------------------------------------------------------------------- */

static void on_written(uv_write_t *write, int status);

static bool write_queued(struct conn *conn)
{
    buffer_fini(&conn->sending);
    conn->sending = conn->queued;
    buffer_init(&conn->queued, NET_OUT_MAX);
    uv_buf_t bytes = uv_buf_init(conn->sending.at, (unsigned)conn->sending.len);
    conn->is_sending =
        uv_write(&conn->write, (uv_stream_t *)&conn->tcp, &bytes, 1, on_written) == 0;
    return conn->is_sending;
}

static void on_written(uv_write_t *write, int status)
{
    struct conn *conn = CONTAINER_OF(write, struct conn, write);
    conn->is_sending = false;
    if (status == 0 && conn->queued.len > 0 && conn->sm.state < CONN_CLOSING) {
        if (!write_queued(conn))
            conn_step(conn, &(struct conn_event){ .type = EV_GONE });
        return;
    }
    buffer_fini(&conn->sending);
    conn_step(conn, &(struct conn_event){ .type = status == 0 ? EV_SENT : EV_GONE });
}

bool conn_flush(struct conn *conn)
{
    struct buffer *out = &conn->gate->wire_out;
    struct slice rest = buffer_slice(out);
    bool is_good = !buffer_overflowed(out);
    if (is_good && rest.len > 0 && !conn->is_sending) {
        uv_buf_t bytes = uv_buf_init(out->at, (unsigned)rest.len);
        int wrote = uv_try_write((uv_stream_t *)&conn->tcp, &bytes, 1);
        if (wrote > 0)
            rest = slice_skip(rest, (size_t)wrote);
        is_good = wrote >= 0 || wrote == UV_EAGAIN;
    }
    if (is_good && rest.len > 0) {
        buffer_add(&conn->queued, rest);
        is_good = !buffer_overflowed(&conn->queued) && (conn->is_sending || write_queued(conn));
    }
    buffer_reset(out);
    return is_good;
}

bool conn_send_more(struct conn *conn)
{
    bool is_good = true;
    while (is_good && !conn->is_sending && conn->reply_rest.len > 0) {
        while (conn->reply_rest.len > 0 && conn->gate->wire_out.len < NET_FLUSH_BYTES) {
            struct slice piece = conn->reply_rest;
            if (piece.len > TLS_RECORD_MAX)
                piece.len = TLS_RECORD_MAX;
            conn->reply_rest = slice_skip(conn->reply_rest, piece.len);
            if (tls_write(&conn->tls, piece) != TLS_OK)
                return false;
        }
        is_good = conn_flush(conn);
    }
    return is_good;
}

/* Head and the beginning of the body share the first record; a short reply is one record and one
 * write. */
bool conn_send_reply(struct conn *conn)
{
    struct gate *gate = conn->gate;
    const struct exchange *exchange = &conn->work->exchange;
    const struct http_reply *reply = &exchange->reply;
    struct buffer *out = &gate->reply_out;
    conn->stays = http_parser_keeps_alive(conn->parser) && !reply->close && !gate->is_draining &&
                  !conn->has_ended;
    struct http_reply_frame frame = { exchange->request.verb, conn->stays, gate_date(gate) };

    buffer_reset(out);
    http_reply_write_head(reply, &frame, out);
    CHECK(!buffer_overflowed(out)); /* a handler's headers are shorter than that */
    conn->reply_rest = SLICE("");
    if (http_reply_sends_body(reply, exchange->request.verb))
        conn->reply_rest = reply->body;
    if (out->len < TLS_RECORD_MAX) {
        struct slice first = conn->reply_rest;
        if (first.len > TLS_RECORD_MAX - out->len)
            first.len = TLS_RECORD_MAX - out->len;
        buffer_add(out, first);
        conn->reply_rest = slice_skip(conn->reply_rest, first.len);
    }
    if (tls_write(&conn->tls, buffer_slice(out)) != TLS_OK)
        return false;
    if (conn->reply_rest.len == 0)
        return conn_flush(conn);
    return conn_send_more(conn);
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
    struct conn *conn = CONTAINER_OF(shutdown, struct conn, shutdown);
    conn_step(conn, &(struct conn_event){ .type = status == 0 ? EV_SENT : EV_GONE });
}

bool conn_send_end(struct conn *conn)
{
    tls_notify_end(&conn->tls);
    return conn_flush(conn) &&
           uv_shutdown(&conn->shutdown, (uv_stream_t *)&conn->tcp, on_shutdown) == 0;
}
