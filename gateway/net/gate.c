/* net/gate.c -- one loop's listener, its deadlines, and its part in draining.
 *
 * server_drain() posts drain_task to every gate: the listener closes, idle connections leave, the
 * others finish.  When the last is gone, or the grace has passed, the gate closes its timer and
 * posts drained_task to gate 0, which counts.
 */
#include "base/pool.h"
#include "base/text.h"
#include "net/net_int.h"

static void gate_open(struct loop_task *task);
static void gate_drain(struct loop_task *task);
static void gate_drained(struct loop_task *task);

void gate_init(struct gate *gate, struct server *server, struct loop *loop)
{
    const struct net_limits *limits = &server->limits;
    gate->server = server;
    gate->loop = loop;
    gate->socket = -1;
    gate->read_room = pool_new(NET_READ_MAX);
    gate->plain_room = pool_new(TLS_RECORD_MAX);
    buffer_init(&gate->reply_out, NET_HEAD_MAX);
    buffer_init(&gate->wire_out, NET_OUT_MAX);
    deadlines_init(&gate->deadlines);
    gate->deadlines.limit_ms[DEADLINE_HANDSHAKE] = limits->handshake_ms;
    gate->deadlines.limit_ms[DEADLINE_HEADER] = limits->header_ms;
    gate->deadlines.limit_ms[DEADLINE_BODY] = limits->body_ms;
    gate->deadlines.limit_ms[DEADLINE_IDLE] = limits->idle_ms;
    gate->deadlines.limit_ms[DEADLINE_WRITE] = limits->body_ms;
    gate->deadlines.limit_ms[DEADLINE_LINGER] = NET_LINGER_MS;
    gate->open_task.run = gate_open;
    gate->drain_task.run = gate_drain;
    gate->drained_task.run = gate_drained;
}

void gate_fini(struct gate *gate)
{
    conn_free_all(gate);
    CHECK(gate->connections == 0); /* drain the server before its loops end */
    if (gate->socket >= 0)
        close(gate->socket);
    SSL_CTX_free(gate->tls);
    pool_free(gate->read_room);
    pool_free(gate->plain_room);
    buffer_fini(&gate->reply_out);
    buffer_fini(&gate->wire_out);
}

/* --- sockets ---------------------------------------------------------------------------------- */

static bool read_address(const char *text, uint16_t port, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    return uv_ip4_addr(text, port, v4) == 0 || uv_ip6_addr(text, port, v6) == 0;
}

/* With is_shared the port may be bound again by our next gate.  The first gate tries without, so
 * that a second process on the same port is an error and not a silent partner. */
static int bind_socket(const struct sockaddr_storage *address, bool is_shared)
{
    const int on = 1, off = 0;
    int family = address->ss_family;
    socklen_t size = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    int handle = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (handle < 0)
        return -1;
    bool is_set = setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
    if (is_shared)
        is_set = is_set && setsockopt(handle, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0;
    if (family == AF_INET6)
        is_set = is_set && setsockopt(handle, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0;
    if (is_set && bind(handle, (const struct sockaddr *)address, size) == 0)
        return handle;
    int reason = errno;
    close(handle);
    errno = reason;
    return -1;
}

bool gate_bind(struct gate *gate, uint16_t port, struct err *err)
{
    const char *address = gate->server->settings.address;
    struct sockaddr_storage storage = { 0 };
    char where[96];
    struct text text = TEXT(where);
    text_add(&text, "listen %s port %u", address, port);
    if (!read_address(address, port, &storage))
        return err_fail(err, ERR_VALUE, where, "this is not an IPv4 or IPv6 address");
    if (port != 0 && gate == &gate->server->gates[0]) {
        int probe = bind_socket(&storage, false);
        if (probe < 0)
            return err_fail(err, ERR_CONFLICT, where, "the port cannot be had: %s",
                            uv_strerror(-errno));
        close(probe);
    }
    int handle = bind_socket(&storage, true);
    if (handle < 0)
        return err_fail(err, ERR_CONFLICT, where, "the port cannot be had: %s",
                        uv_strerror(-errno));
    if (listen(handle, NET_BACKLOG) != 0) {
        int reason = errno;
        close(handle);
        return err_fail(err, ERR_CONFLICT, where, "listening fails: %s", uv_strerror(-reason));
    }
    gate->socket = handle;
    return true;
}

uint16_t gate_port(const struct gate *gate)
{
    struct sockaddr_storage storage;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&storage;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&storage;
    socklen_t size = sizeof storage;
    CHECK(getsockname(gate->socket, (struct sockaddr *)&storage, &size) == 0);
    return ntohs(storage.ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
}

/* --- on the loop ------------------------------------------------------------------------------ */

static void on_connection(uv_stream_t *listener, int status)
{
    if (status == 0)
        conn_accept(CONTAINER_OF(listener, struct gate, listener));
}

static void gate_open(struct loop_task *task)
{
    struct gate *gate = CONTAINER_OF(task, struct gate, open_task);
    uv_loop_t *uv = loop_uv(gate->loop);
    gate->thread = uv_thread_self();
    CHECK(uv_timer_init(uv, &gate->tick) == 0);
    CHECK(uv_tcp_init(uv, &gate->listener) == 0);
    CHECK(uv_tcp_open(&gate->listener, gate->socket) == 0);
    gate->socket = -1;
    CHECK(uv_listen((uv_stream_t *)&gate->listener, NET_BACKLOG, on_connection) == 0);
    if (gate == &gate->server->gates[0])
        server_rotation_start(gate->server);
}

static void gate_end(struct gate *gate)
{
    uv_close((uv_handle_t *)&gate->tick, NULL);
    loop_post(gate->server->gates[0].loop, &gate->drained_task);
}

static void on_tick(uv_timer_t *tick)
{
    struct gate *gate = CONTAINER_OF(tick, struct gate, tick);
    uint64_t now_ms = gate_now_ms(gate);
    struct deadline *due;
    while ((due = deadline_due(&gate->deadlines, now_ms)) != NULL)
        conn_time_out(due);
    if (gate->is_draining && (gate->connections == 0 || gate->is_forced)) {
        gate_end(gate);
    } else if (gate->is_draining && now_ms >= gate->force_at_ms) {
        conn_close_all(gate);
        gate->is_forced = true; /* the handles close before the next tick */
    } else if (gate->connections == 0 && !gate->is_draining) {
        uv_timer_stop(tick);
    }
}

void gate_watch(struct gate *gate)
{
    if (!uv_is_active((const uv_handle_t *)&gate->tick))
        uv_timer_start(&gate->tick, on_tick, NET_TICK_MS, NET_TICK_MS);
}

void gate_count_open(struct gate *gate, int step)
{
    gate->connections = (uint64_t)((int64_t)gate->connections + step);
    count_add(&gate->counts.open, step);
    if (step > 0)
        gate_watch(gate);
}

const char *gate_date(struct gate *gate)
{
    int64_t now_ms = clock_wall_ms();
    if (now_ms / 1000 != gate->date_s) {
        gate->date_s = now_ms / 1000;
        http_date_format(now_ms, gate->date_text);
    }
    return gate->date_text;
}

/* --- draining --------------------------------------------------------------------------------- */

static void gate_drain(struct loop_task *task)
{
    struct gate *gate = CONTAINER_OF(task, struct gate, drain_task);
    gate->is_draining = true;
    gate->force_at_ms = gate_now_ms(gate) + gate->server->drain_grace_ms;
    uv_close((uv_handle_t *)&gate->listener, NULL);
    conn_drain_idle(gate);
    gate_watch(gate);
}

static void gate_drained(struct loop_task *task)
{
    struct server *server = CONTAINER_OF(task, struct gate, drained_task)->server;
    server->gates_drained++;
    if (server->gates_drained < server->gate_count)
        return;
    server_rotation_stop(server);
    if (server->drained != NULL)
        server->drained(server->drained_arg);
}
