/* net/accept.c -- from a listener's wake-up to a connection, or to none when the house is full. */
#include "base/pool.h"
#include "base/text.h"
#include "net/conn_int.h"

static void on_refused(uv_handle_t *handle) { pool_free(handle); }

/* Taking the connection and closing it tells the peer at once; left in the backlog it would
 * wait. */
static void refuse(struct gate *gate)
{
    uv_tcp_t *tcp = pool_new(sizeof *tcp);
    CHECK(uv_tcp_init(loop_uv(gate->loop), tcp) == 0);
    if (uv_accept((uv_stream_t *)&gate->listener, (uv_stream_t *)tcp) == 0)
        count_add(&gate->counts.refused_busy, 1);
    uv_close((uv_handle_t *)tcp, on_refused);
}

static void read_address(const uv_tcp_t *tcp, struct net_peer *peer)
{
    struct sockaddr_storage storage;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&storage;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&storage;
    int size = sizeof storage;
    char host[48] = "";
    struct text text = TEXT(peer->address);
    if (uv_tcp_getpeername(tcp, (struct sockaddr *)&storage, &size) != 0) {
        text_add(&text, "gone");
    } else if (storage.ss_family == AF_INET && uv_ip4_name(v4, host, sizeof host) == 0) {
        text_add(&text, "%s:%u", host, ntohs(v4->sin_port));
    } else if (storage.ss_family == AF_INET6 && uv_ip6_name(v6, host, sizeof host) == 0) {
        text_add(&text, "[%s]:%u", host, ntohs(v6->sin6_port));
    }
}

static struct conn *conn_new(struct gate *gate)
{
    const struct server *server = gate->server;
    const struct http_parser_limits limits = { .header_bytes_max = server->limits.header_bytes_max,
                                               .body_bytes_max = server->limits.body_bytes_max,
                                               .is_in_lines = server->settings.is_in_lines,
                                               .lines_bytes = server->settings.lines_bytes };
    struct conn *conn = pool_new(sizeof *conn);
    conn->gate = gate;
    conn->parser = http_parser_new(&limits);
    arena_init(&conn->arena, server->limits.arena_bytes_max);
    buffer_init(&conn->held, NET_HELD_MAX);
    buffer_init(&conn->sending, NET_OUT_MAX);
    buffer_init(&conn->queued, NET_OUT_MAX);
    deadline_add(&gate->deadlines, &conn->deadline, DEADLINE_NONE, gate_now_ms(gate));
    CHECK(uv_tcp_init(loop_uv(gate->loop), &conn->tcp) == 0);
    conn->tcp.data = conn;
    conn->open_handles = 1;
    return conn;
}

void conn_accept(struct gate *gate)
{
    if (gate->connections >= gate->server->limits.connections_max) {
        refuse(gate);
        return;
    }
    struct conn *conn = conn_new(gate);
    gate_count_open(gate, 1);
    bool is_there = uv_accept((uv_stream_t *)&gate->listener, (uv_stream_t *)&conn->tcp) == 0;
    if (is_there) {
        count_add(&gate->counts.accepted, 1);
        uv_tcp_nodelay(&conn->tcp, 1);
        read_address(&conn->tcp, &conn->peer);
        if (gate->tls != NULL)
            tls_open(&conn->tls, gate->tls, gate->server->bio_method, &gate->wire_out);
        else
            conn->tls.out = &gate->wire_out;
    }
    conn_start(conn);
    if (!is_there)
        conn_step(conn, &(struct conn_event){ .type = EV_GONE });
}
