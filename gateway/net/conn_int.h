/* net/conn_int.h -- one client connection: conn.c decides, conn_io.c moves bytes. */
#pragma once

#include "net/net_int.h"

enum conn_state {
    CONN_HANDSHAKE, /* TLS is not up yet */
    CONN_READING,   /* gathering one request */
    CONN_WORKING,   /* the request is with the handler */
    CONN_WRITING,   /* the reply is going out */
    CONN_LINGERING, /* the last reply is out; what still comes is thrown away */
    CONN_CLOSING,   /* waiting for libuv and, maybe, the handler to let go */
    CONN_CLOSED,
};

enum conn_event_type {
    EV_BYTES,
    EV_END, /* the peer sends no more; it may still read */
    EV_REPLY,
    EV_SENT, /* all that was to be sent is with the kernel */
    EV_TIMEOUT,
    EV_GONE,
};

struct conn_event {
    enum conn_event_type type;
    struct slice bytes; /* EV_BYTES: as received, borrowed for the call */
};

struct conn;

struct conn_exchange {
    struct exchange exchange;
    struct conn *conn;
};

struct conn {
    struct sm sm;
    struct gate *gate;
    struct deadline deadline;
    uv_tcp_t tcp;
    uv_write_t write;
    uv_shutdown_t shutdown;
    unsigned open_handles; /* libuv handles not yet closed */
    bool is_handled;       /* the handler still points at us */
    bool is_pumping;    /* conn_pump() is on the stack: whoever finishes inside it returns to it */
    bool is_reading;    /* libuv reads for us */
    bool is_sending;    /* `write` is with libuv */
    bool tls_has_begun; /* a first byte has come, and it was that of TLS */
    bool has_ended;     /* nothing more will be read */
    bool stays;         /* after the reply being written comes another request */

    struct tls tls;
    struct slice plain_in;         /* plain connections: received, not yet parsed */
    struct buffer held;            /* decrypted while a request was being worked on */
    size_t held_at;                /* of it, what has been parsed */
    struct buffer sending, queued; /* with libuv, and next */
    struct slice reply_rest;       /* of the reply's body, not yet encrypted */

    struct http_parser *parser;
    struct conn_exchange *work; /* NULL between requests */
    struct arena arena;         /* of the exchange */
    struct net_peer peer;
};

/* From accept.c: the socket is ours, let it begin. */
void conn_start(struct conn *conn);
void conn_step(struct conn *conn, const struct conn_event *event);

/* --- conn_io.c -------------------------------------------------------------------------------- */

void conn_read_start(struct conn *conn);
void conn_read_stop(struct conn *conn);
/* Something has arrived that is not yet plaintext. */
bool conn_has_more(const struct conn *conn);
/* Plaintext that has arrived: first what was held, then what libuv has just read.  False when there
 * is none; has_ended may have become true. */
bool conn_next(struct conn *conn, struct slice *piece) MUST_USE;
/* Keeps `piece` (from conn_next) and all that follows for after the reply. */
void conn_hold(struct conn *conn, struct slice piece);
/* Hands the gate's wire_out to the socket, at once if it takes it.  False: the peer is gone. */
bool conn_flush(struct conn *conn) MUST_USE;
/* Starts the reply of conn->work; conn_send_more() goes on with a long one.  False: gone. */
bool conn_send_reply(struct conn *conn) MUST_USE;
bool conn_send_more(struct conn *conn) MUST_USE;
/* Ends our direction. */
bool conn_send_end(struct conn *conn) MUST_USE;
