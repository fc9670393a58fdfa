/* net/server.h -- listeners, TLS and connections: requests come out, replies go in.
 *
 * What      one listener per I/O loop on the same port (SO_REUSEPORT).  A connection gathers one
 *           request, hands it over as an exchange, stops reading until exchange_finish(), then goes
 *           on with what was pipelined.
 * Owns      the exchange belongs to the connection; the handler borrows it from the call until
 *           exchange_finish(), even when the peer has gone meanwhile.
 * Thread    the handler is called on the connection's loop and must finish there, exactly once,
 *           inside the call or later.
 */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"
#include "http/message.h"
#include "loop/loop.h"

enum client_auth { CLIENT_AUTH_OFF, CLIENT_AUTH_REQUEST, CLIENT_AUTH_REQUIRE };

struct tls_settings {
    const char *certificate_file, *key_file; /* PEM, chain included */
    const char *client_ca_file;              /* PEM; needed unless CLIENT_AUTH_OFF */
    enum client_auth client_auth;
    bool is_plain; /* no TLS: the admin listener on loopback only */
};

struct net_limits {
    unsigned connections_max;  /* per loop */
    unsigned header_bytes_max; /* request line and headers together */
    size_t body_bytes_max;
    unsigned handshake_ms, header_ms, body_ms, idle_ms; /* 0: no limit; body_ms also for writing */
    size_t arena_bytes_max;                             /* per request */
};

/* Who is on the other side, from the verified client certificate; empty without one. */
struct net_peer {
    char address[64]; /* "127.0.0.1:49152" */
    char subject_cn[128];
    char san_uri[256], san_dns[256]; /* the first of each */
    char fingerprint[65];            /* SHA-256 of the certificate, lower-case hex */
    bool has_certificate;
};

struct exchange {
    struct http_request request;
    struct http_reply reply;
    struct arena *arena; /* reset after the reply was sent */
    const struct net_peer *peer;
    struct loop *loop;
    int64_t started_ns;
    void *user; /* the handler's own */
    /* More of the body will come (server_settings.is_in_lines): with a reply.status of 0 the
     * handler asks for it and is called again; the arena is reset in between. */
    bool goes_on;
    void (*on_end)(struct exchange *exchange); /* before the exchange is forgotten; may be NULL */
};

typedef void exchange_handler(void *ctx, struct exchange *exchange);
/* The reply is complete; on the exchange's loop. */
void exchange_finish(struct exchange *exchange);

struct server;
struct server_settings {
    const char *address; /* "0.0.0.0", "::", "127.0.0.1" */
    uint16_t port;       /* 0: any; see server_port() */
    struct tls_settings tls;
    struct net_limits limits;
    exchange_handler *handler;
    void *ctx;
    /* Requests whose body is handed over in parts of whole lines, each of about lines_bytes, while
     * it arrives, so that it may be longer than body_bytes_max; NULL: none. */
    bool (*is_in_lines)(const struct http_request *request);
    size_t lines_bytes;
    /* Writes the body of a refusal that never reached the handler (broken HTTP, a limit, a
     * timeout), sent as application/fhir+json; NULL leaves such bodies empty. */
    void (*write_refusal)(const struct err *err, struct buffer *out);
    /* Such a refusal is about to be sent; on the connection's loop.  For counting and audit. */
    void (*on_refusal)(void *ctx, const struct net_peer *peer, const struct err *err);
    /* A TLS handshake failed; on the connection's loop.  `reason` is the library's, in English. */
    void (*on_handshake_failure)(void *ctx, const char *address, const char *reason);
};

struct server_counts {
    uint64_t accepted, open, handshake_failures, requests, refused_busy, timeouts;
};

/* Binds one listener per loop and starts accepting once the loops run. */
bool server_open(const struct server_settings *settings, struct loop **loops, unsigned loop_count,
                 struct server **out, struct err *err) MUST_USE;
uint16_t server_port(const struct server *server);
/* From any thread, once.  Stops accepting; idle connections close at once, busy ones after their
 * reply (Connection: close).  `done` is called on loop 0, exactly once, when no connection is left
 * or `grace_ms` has passed. */
void server_drain(struct server *server, unsigned grace_ms, void (*done)(void *arg), void *arg);
/* From any thread.  Reads certificates anew for later handshakes; on failure the old ones stay. */
bool server_reload_tls(struct server *server, struct err *err) MUST_USE;
struct server_counts server_counts(const struct server *server);
/* After the drain is done and the loops have ended (loop_join()), or when they never ran. */
void server_close(struct server *server);
