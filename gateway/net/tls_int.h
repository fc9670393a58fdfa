/* net/tls_int.h -- TLS as a transform: ciphertext in, plaintext out; OpenSSL never sees a socket.
 *
 * What      a BIO of our own over memory: it reads from the slice `in` that the loop has just
 *           received and appends to the buffer `out` that the loop sends next, so ciphertext is not
 *           copied into a queue on its way, as OpenSSL's memory BIOs would.
 * Owns      struct tls owns its SSL; `in` is borrowed for one call, `out` is the gate's.
 * Errors    TLS_FAILED ends the connection; tls_reason() says why, in OpenSSL's words.
 * Thread    the connection's loop; contexts are built on any thread.
 */
#pragma once

#include <openssl/ssl.h>

#include "net/server.h"

#define TLS_RECORD_MAX 16384
#define TLS_TICKET_KEY_BYTES 80

struct tls_ticket_key {
    unsigned char bytes[TLS_TICKET_KEY_BYTES];
};

struct tls {
    SSL *ssl; /* NULL: plain */
    struct slice in;
    struct buffer *out;
    bool has_failed;
};

enum tls_status { TLS_OK, TLS_MORE, TLS_END, TLS_FAILED };

/* The kind of BIO described above; freed by the server with BIO_meth_free(). */
BIO_METHOD *tls_bio_method(void) MUST_USE;

void tls_open(struct tls *tls, SSL_CTX *context, const BIO_METHOD *method, struct buffer *out);
void tls_close(struct tls *tls);
enum tls_status tls_handshake(struct tls *tls) MUST_USE;
/* Decrypts one record into `room` (TLS_RECORD_MAX bytes). */
enum tls_status tls_read(struct tls *tls, char *room, struct slice *plain) MUST_USE;
/* Encrypts into `out`. */
enum tls_status tls_write(struct tls *tls, struct slice plain) MUST_USE;
/* Says goodbye into `out`. */
void tls_notify_end(struct tls *tls);
const char *tls_reason(const struct tls *tls);

/* tls_context.c: certificates, protocols and sessions. */
bool tls_context_new(const struct tls_settings *settings, SSL_CTX **out, struct err *err) MUST_USE;
/* With client certificates sessions stay in the server's memory, where all loops must find them. */
static inline bool tls_context_is_shared(const struct tls_settings *settings)
{
    return settings->client_auth != CLIENT_AUTH_OFF;
}
void tls_context_set_ticket_key(SSL_CTX *context, const struct tls_ticket_key *key);

/* tls_peer.c: names from the certificate that was verified; call once, after the handshake. */
void tls_read_peer(const struct tls *tls, struct net_peer *peer);
