/* net/net_int.h -- what server, gates and connections know of each other.
 *
 * What      a server has one gate per loop; a gate has a listener and its connections.  Nothing is
 *           shared between gates but the settings (never written) and, with client certificates,
 *           OpenSSL's own session cache.
 * Owns      server -> gates -> connections.  A connection frees itself once libuv and the handler
 *           have both let go of it.
 * Thread    a gate and its connections live on the gate's loop; only the counts are read by others.
 */
#pragma once

#include <stdatomic.h>
#include <uv.h>

#include "base/date.h"
#include "base/sm.h"
#include "http/parse.h"
#include "net/deadline.h"
#include "net/tls_int.h"

#define NET_BACKLOG 1024
#define NET_READ_MAX ((size_t)64 * 1024)
#define NET_TICK_MS 50
#define NET_LINGER_MS 2000                  /* for the peer to read our last reply */
#define NET_FLUSH_BYTES ((size_t)64 * 1024) /* ciphertext per write of a long reply */
#define NET_HELD_MAX (4 * NET_READ_MAX)     /* plaintext that waits for a handler */
#define NET_OUT_MAX ((size_t)1024 * 1024)   /* ciphertext waiting for one socket */
#define NET_HEAD_MAX ((size_t)256 * 1024)   /* headers of one of our replies */
#define NET_TICKET_KEY_S 21600              /* a ticket key is used for six hours */

struct gate_counts {
    _Atomic uint64_t accepted, open, handshake_failures, requests, refused_busy, timeouts;
};

/* Written by the gate's loop only, so no locked instruction is needed. */
static inline void count_add(_Atomic uint64_t *count, int64_t step)
{
    uint64_t now = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, now + (uint64_t)step, memory_order_relaxed);
}

struct gate {
    struct server *server;
    struct loop *loop;
    uv_thread_t thread;
    int socket; /* -1 once the listener owns it */
    uv_tcp_t listener;
    uv_timer_t tick;
    SSL_CTX *tls; /* for new handshakes; NULL: plain */
    struct deadlines deadlines;
    uint64_t connections;
    struct gate_counts counts;

    /* Shared by all connections of the loop, because only one of them runs at a time. */
    char *read_room;         /* NET_READ_MAX: ciphertext just received */
    char *plain_room;        /* TLS_RECORD_MAX: one record just decrypted */
    struct buffer reply_out; /* a reply before encryption */
    struct buffer wire_out;  /* what goes to the socket next */
    int64_t date_s;          /* of date_text */
    char date_text[HTTP_DATE_SIZE];

    bool is_draining, is_forced;
    uint64_t force_at_ms;
    struct loop_task open_task, drain_task, drained_task;
};

struct server {
    struct server_settings settings;
    struct net_limits limits;
    char *address, *certificate_file, *key_file, *client_ca_file; /* what settings points to */
    BIO_METHOD *bio_method;
    struct gate *gates;
    unsigned gate_count;
    uint16_t port;

    uv_timer_t rotation; /* of ticket keys; gate 0's loop only */

    unsigned drain_grace_ms;
    void (*drained)(void *arg);
    void *drained_arg;
    unsigned gates_drained; /* gate 0's loop only */
};

/* conn.c */
void conn_accept(struct gate *gate);
void conn_time_out(struct deadline *deadline);
/* Idle and handshaking connections go; others are told to close after their reply. */
void conn_drain_idle(struct gate *gate);
void conn_close_all(struct gate *gate);
/* After the loop has ended: what a handler never finished. */
void conn_free_all(struct gate *gate);

/* server.c, on gate 0's loop */
void server_rotation_start(struct server *server);
void server_rotation_stop(struct server *server);

/* gate.c */
void gate_init(struct gate *gate, struct server *server, struct loop *loop);
void gate_fini(struct gate *gate);
bool gate_bind(struct gate *gate, uint16_t port, struct err *err) MUST_USE;
uint16_t gate_port(const struct gate *gate);
void gate_count_open(struct gate *gate, int step);
void gate_watch(struct gate *gate); /* a connection has come: deadlines matter */
const char *gate_date(struct gate *gate);
static inline uint64_t gate_now_ms(const struct gate *gate) { return uv_now(loop_uv(gate->loop)); }
