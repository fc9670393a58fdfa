/* A real server on a loopback port, and a client of a few lines: what the net_*_test.c share. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/text.h"
#include "net/server.h"

/* --- certificates ------------------------------------------------------------------------------ */

static char certificate_dir[64];

/* A CA with a server (two, for the reload) and a client, and a stranger from another CA. */
static const char certificate_script[] =
    "set -e; cd '%s'; exec >/dev/null 2>&1\n"
    "new='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
    "ca() { openssl req -x509 $new -keyout $1.key -out $1.pem -days 2 -subj /CN=$1; }\n"
    "leaf() { openssl req $new -keyout $1.key -out $1.csr -subj \"$3\"\n"
    "  printf \"$4\" > $1.ext\n"
    "  openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -out $1.pem -days 2 "
    "-extfile $1.ext; }\n"
    "ca ca; ca other\n"
    "leaf server ca /CN=localhost 'subjectAltName=DNS:localhost\\nextendedKeyUsage=serverAuth'\n"
    "leaf server2 ca /CN=second 'subjectAltName=DNS:localhost\\nextendedKeyUsage=serverAuth'\n"
    "leaf client ca '/O=Clinic/CN=ehr one' 'subjectAltName=email:a@b.example,DNS:ehr.example,"
    "URI:urn:ehr:1,DNS:second.example,URI:urn:ehr:2\\nextendedKeyUsage=clientAuth'\n"
    "leaf bare ca /O=Nameless 'extendedKeyUsage=clientAuth'\n"
    "leaf stranger other '/CN=ehr one' 'extendedKeyUsage=clientAuth'\n";

static inline const char *certificate_path(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", certificate_dir, name);
    return path;
}

static inline int make_certificates(void **state)
{
    char script[4096];
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    snprintf(certificate_dir, sizeof certificate_dir, "/tmp/lifeline-net-XXXXXX");
    if (mkdtemp(certificate_dir) == NULL)
        return -1;
    snprintf(script, sizeof script, certificate_script, certificate_dir);
    return system(script) == 0 ? 0 : -1;
}

static inline int remove_certificates(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r '%s'", certificate_dir);
    return system(command);
}

/* The tests need the openssl command; without it they say so. */
static inline bool has_openssl_command(void)
{
    bool has = system("openssl version >/dev/null 2>&1") == 0;
    if (!has)
        printf("SKIPPED: the openssl command is not installed\n");
    return has;
}

/* --- the server -------------------------------------------------------------------------------- */

#define FIXTURE_LOOPS_MAX 2

struct fixture {
    struct server_settings settings;
    struct loop *loops[FIXTURE_LOOPS_MAX];
    unsigned loop_count;
    struct server *server;
    atomic_int drained;
    atomic_int failures; /* on_handshake_failure calls */
    char failure[128];   /* the last reason; read after `failures` */
    atomic_int held;     /* exchanges that came for /hold */
    struct exchange *on_hold;
    struct loop_task release;
};

struct later {
    struct loop_task task;
    struct exchange *exchange;
};

static inline void finish_echo(struct exchange *exchange)
{
    const struct http_request *request = &exchange->request;
    exchange->reply.status = 200;
    exchange->reply.body =
        arena_format(exchange->arena, "%s %.*s %.*s", http_verb_name(request->verb),
                     SLICE_ARGS(request->path), SLICE_ARGS(request->body));
    exchange_finish(exchange);
}

static inline void on_later(struct loop_task *task)
{
    finish_echo(CONTAINER_OF(task, struct later, task)->exchange);
}

static inline void on_release(struct loop_task *task)
{
    finish_echo(CONTAINER_OF(task, struct fixture, release)->on_hold);
}

static inline void finish_peer(struct exchange *exchange)
{
    const struct net_peer *peer = exchange->peer;
    exchange->reply.status = 200;
    exchange->reply.body =
        arena_format(exchange->arena, "%d|%s|%s|%s|%zu", peer->has_certificate, peer->subject_cn,
                     peer->san_uri, peer->san_dns, strlen(peer->fingerprint));
    exchange_finish(exchange);
}

#define BIG_BYTES ((size_t)3 * 1024 * 1024)

static inline void finish_big(struct exchange *exchange)
{
    char *body = arena_alloc(exchange->arena, BIG_BYTES);
    assert_non_null(body);
    for (size_t i = 0; i < BIG_BYTES; i++)
        body[i] = (char)('a' + i % 23);
    exchange->reply.status = 200;
    exchange->reply.body = (struct slice){ body, BIG_BYTES };
    exchange_finish(exchange);
}

static inline void on_exchange(void *ctx, struct exchange *exchange)
{
    struct fixture *fixture = ctx;
    struct slice path = exchange->request.path;
    if (slice_is(path, "/later")) {
        struct later *later = arena_alloc(exchange->arena, sizeof *later);
        later->exchange = exchange;
        later->task.run = on_later;
        loop_post(exchange->loop, &later->task);
    } else if (slice_is(path, "/hold")) {
        fixture->on_hold = exchange;
        atomic_fetch_add(&fixture->held, 1);
    } else if (slice_is(path, "/peer")) {
        finish_peer(exchange);
    } else if (slice_is(path, "/big")) {
        finish_big(exchange);
    } else if (slice_is(path, "/close")) {
        exchange->reply.close = true;
        finish_echo(exchange);
    } else {
        finish_echo(exchange);
    }
}

static inline void write_refusal(const struct err *err, struct buffer *out)
{
    buffer_add(out, slice_of("refused: "));
    buffer_add(out, slice_of(err->where));
}

static inline void note_failure(void *ctx, const char *address, const char *reason)
{
    struct fixture *fixture = ctx;
    assert_non_null(strstr(address, "127.0.0.1:"));
    snprintf(fixture->failure, sizeof fixture->failure, "%s", reason);
    atomic_fetch_add(&fixture->failures, 1);
}

/* Settings that a test then changes; fixture_start() uses them. */
static inline void fixture_init(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->loop_count = 1;
    fixture->release.run = on_release;
    fixture->settings = (struct server_settings){
        .address = "127.0.0.1",
        .tls = { .certificate_file = certificate_path("server.pem"),
                 .key_file = certificate_path("server.key"),
                 .client_ca_file = certificate_path("ca.pem") },
        .limits = { .connections_max = 100,
                    .header_bytes_max = 1024,
                    .body_bytes_max = 100 * 1024,
                    .handshake_ms = 5000,
                    .header_ms = 5000,
                    .body_ms = 5000,
                    .idle_ms = 5000,
                    .arena_bytes_max = 8 * 1024 * 1024 },
        .handler = on_exchange,
        .ctx = fixture,
        .write_refusal = write_refusal,
        .on_handshake_failure = note_failure,
    };
}

static inline void fixture_start(struct fixture *fixture)
{
    struct err err;
    for (unsigned i = 0; i < fixture->loop_count; i++)
        assert_true(loop_open("test", &fixture->loops[i], &err));
    if (!server_open(&fixture->settings, fixture->loops, fixture->loop_count, &fixture->server,
                     &err))
        fail_msg("%s: %s", err.where, err.what);
    for (unsigned i = 0; i < fixture->loop_count; i++)
        assert_true(loop_start(fixture->loops[i], NULL, NULL, &err));
}

static inline void on_drained(void *arg)
{
    struct fixture *fixture = arg;
    atomic_fetch_add(&fixture->drained, 1);
    for (unsigned i = 0; i < fixture->loop_count; i++)
        loop_stop(fixture->loops[i]);
}

static inline void fixture_drain(struct fixture *fixture, unsigned grace_ms)
{
    server_drain(fixture->server, grace_ms, on_drained, fixture);
}

/* Waits for the end of a drain that was asked for, and takes everything down. */
static inline void fixture_join(struct fixture *fixture)
{
    for (unsigned i = 0; i < fixture->loop_count; i++)
        loop_join(fixture->loops[i]);
    assert_int_equal(1, atomic_load(&fixture->drained));
    server_close(fixture->server);
    for (unsigned i = 0; i < fixture->loop_count; i++)
        loop_close(fixture->loops[i]);
}

static inline void fixture_stop(struct fixture *fixture)
{
    fixture_drain(fixture, 100);
    fixture_join(fixture);
}

/* Waits, five seconds at most, until *number is `wanted`. */
static inline void await_number(atomic_int *number, int wanted)
{
    for (int i = 0; i < 1000 && atomic_load(number) != wanted; i++)
        usleep(5000);
    assert_int_equal(wanted, atomic_load(number));
}

static inline void await_open(const struct fixture *fixture, uint64_t wanted)
{
    for (int i = 0; i < 1000 && server_counts(fixture->server).open != wanted; i++)
        usleep(5000);
    assert_int_equal(wanted, server_counts(fixture->server).open);
}

/* --- the client -------------------------------------------------------------------------------- */

struct client {
    int handle;
    SSL_CTX *context;
    SSL *ssl; /* NULL: plain */
    char bytes[64 * 1024];
    size_t len;
};

struct client_options {
    bool is_plain;
    const char *certificate; /* "client": client.pem and client.key */
    int version;             /* 0: the best */
    const char *alpn;        /* wire form */
    const char *suites;      /* TLS 1.2 */
    SSL_SESSION *session;    /* to resume */
};

static inline void client_connect(struct client *client, uint16_t port)
{
    const struct timeval limit = { .tv_sec = 10 };
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    client->ssl = NULL;
    client->context = NULL;
    client->len = 0;
    client->handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(client->handle, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(0, connect(client->handle, (struct sockaddr *)&address, sizeof address));
}

static inline bool client_can_connect(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool can = connect(handle, (struct sockaddr *)&address, sizeof address) == 0;
    close(handle);
    return can;
}

/* False when the handshake fails. */
static inline bool client_open(struct client *client, const struct fixture *fixture,
                               const struct client_options *options)
{
    client_connect(client, server_port(fixture->server));
    if (options->is_plain)
        return true;
    client->context = SSL_CTX_new(TLS_client_method());
    assert_int_equal(1, SSL_CTX_load_verify_file(client->context, certificate_path("ca.pem")));
    SSL_CTX_set_verify(client->context, SSL_VERIFY_PEER, NULL);
    if (options->certificate != NULL) {
        char name[64];
        snprintf(name, sizeof name, "%s.pem", options->certificate);
        assert_int_equal(
            1, SSL_CTX_use_certificate_chain_file(client->context, certificate_path(name)));
        snprintf(name, sizeof name, "%s.key", options->certificate);
        assert_int_equal(1, SSL_CTX_use_PrivateKey_file(client->context, certificate_path(name),
                                                        SSL_FILETYPE_PEM));
    }
    if (options->version != 0) {
        SSL_CTX_set_security_level(client->context, 0);
        SSL_CTX_set_min_proto_version(client->context, options->version);
        SSL_CTX_set_max_proto_version(client->context, options->version);
    }
    if (options->suites != NULL)
        SSL_CTX_set_cipher_list(client->context, options->suites);
    client->ssl = SSL_new(client->context);
    if (options->alpn != NULL)
        SSL_set_alpn_protos(client->ssl, (const unsigned char *)options->alpn,
                            (unsigned)strlen(options->alpn));
    if (options->session != NULL)
        SSL_set_session(client->ssl, options->session);
    SSL_set_fd(client->ssl, client->handle);
    return SSL_connect(client->ssl) == 1;
}

static inline void client_close(struct client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    close(client->handle);
}

static inline void client_send(struct client *client, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = client->ssl != NULL
                           ? SSL_write(client->ssl, bytes.at, (int)bytes.len)
                           : send(client->handle, bytes.at, bytes.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* refused half-way: the reply tells */
        bytes = slice_skip(bytes, (size_t)sent);
    }
}

static inline void client_send_text(struct client *client, const char *text)
{
    client_send(client, slice_of(text));
}

/* More bytes into client->bytes; false at the end of the connection. */
static inline bool client_receive(struct client *client)
{
    size_t room = sizeof client->bytes - 1 - client->len;
    char *at = client->bytes + client->len;
    ssize_t got = client->ssl != NULL ? SSL_read(client->ssl, at, (int)room)
                                      : recv(client->handle, at, room, 0);
    if (got <= 0)
        return false;
    client->len += (size_t)got;
    client->bytes[client->len] = '\0';
    return true;
}

static inline bool client_is_at_end(struct client *client)
{
    return client->len == 0 && !client_receive(client);
}

static inline void client_drop(struct client *client, size_t count)
{
    memmove(client->bytes, client->bytes + count, client->len - count);
    client->len -= count;
    client->bytes[client->len] = '\0';
}

/* The next reply as "200 keep [body]\n", or nothing at the end; bodies past the room are counted. */
static inline bool client_reply(struct client *client, bool is_head, struct text *out)
{
    char *end;
    client->bytes[client->len] = '\0';
    while ((end = strstr(client->bytes, "\r\n\r\n")) == NULL) {
        if (!client_receive(client))
            return false;
    }
    const char *length = strstr(client->bytes, "\r\nContent-Length: ");
    size_t body_len = length != NULL && length < end ? strtoul(length + 18, NULL, 10) : 0;
    bool closes = strstr(client->bytes, "Connection: close") != NULL &&
                  strstr(client->bytes, "Connection: close") < end;
    text_add(out, "%.3s %s ", client->bytes + 9, closes ? "close" : "keep");
    client_drop(client, (size_t)(end - client->bytes) + 4);
    if (is_head) {
        text_add(out, "(%zu)\n", body_len);
        return true;
    }
    size_t taken = 0;
    while (body_len > sizeof client->bytes / 2 && taken < body_len) { /* a big one */
        if (client->len == 0 && !client_receive(client))
            return false;
        size_t part = client->len < body_len - taken ? client->len : body_len - taken;
        taken += part;
        client_drop(client, part);
    }
    while (taken == 0 && client->len < body_len) {
        if (!client_receive(client))
            return false;
    }
    if (taken > 0) {
        text_add(out, "<%zu>\n", taken);
    } else {
        text_add(out, "[%.*s]\n", (int)body_len, client->bytes);
        client_drop(client, body_len);
    }
    return true;
}

static inline void assert_reply(struct client *client, const char *expected)
{
    char text[512] = "";
    struct text out = TEXT(text);
    if (!client_reply(client, false, &out))
        text_add(&out, "no reply\n");
    assert_string_equal(expected, text);
}
