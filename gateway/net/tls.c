#include "net/tls_int.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

/* --- the BIO ---------------------------------------------------------------------------------- */

static int bio_read(BIO *bio, char *room, int size)
{
    struct tls *tls = BIO_get_data(bio);
    size_t take = tls->in.len < (size_t)size ? tls->in.len : (size_t)size;
    BIO_clear_retry_flags(bio);
    if (take == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(room, tls->in.at, take);
    tls->in = slice_skip(tls->in, take);
    return (int)take;
}

static int bio_write(BIO *bio, const char *bytes, int len)
{
    struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    buffer_add(tls->out, (struct slice){ bytes, (size_t)len });
    return buffer_overflowed(tls->out) ? -1 : len;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *tls_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "lifeline");
    CHECK(method != NULL);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_ctrl);
    return method;
}

/* --- one connection --------------------------------------------------------------------------- */

void tls_open(struct tls *tls, SSL_CTX *context, const BIO_METHOD *method, struct buffer *out)
{
    BIO *bio = BIO_new(method);
    CHECK(bio != NULL);
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    *tls = (struct tls){ .ssl = SSL_new(context), .out = out };
    CHECK(tls->ssl != NULL);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_accept_state(tls->ssl);
}

void tls_close(struct tls *tls)
{
    if (tls->ssl == NULL)
        return;
    /* A session whose connection just ended, however, may be resumed; one that failed may not. */
    if (!tls->has_failed)
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(tls->ssl);
    tls->ssl = NULL;
}

static enum tls_status status_of(struct tls *tls, int result)
{
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_NONE:
        return TLS_OK;
    case SSL_ERROR_WANT_READ:
        return TLS_MORE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_END;
    default:
        tls->has_failed = true;
        return TLS_FAILED;
    }
}

enum tls_status tls_handshake(struct tls *tls)
{
    ERR_clear_error(); /* SSL_get_error() looks at the thread's queue */
    return status_of(tls, SSL_do_handshake(tls->ssl));
}

enum tls_status tls_read(struct tls *tls, char *room, struct slice *plain)
{
    size_t len = 0;
    ERR_clear_error();
    int result = SSL_read_ex(tls->ssl, room, TLS_RECORD_MAX, &len);
    *plain = (struct slice){ room, len };
    return status_of(tls, result);
}

enum tls_status tls_write(struct tls *tls, struct slice plain)
{
    size_t written = 0;
    if (tls->ssl == NULL) {
        buffer_add(tls->out, plain);
        return buffer_overflowed(tls->out) ? TLS_FAILED : TLS_OK;
    }
    if (plain.len == 0)
        return TLS_OK;
    ERR_clear_error();
    int result = SSL_write_ex(tls->ssl, plain.at, plain.len, &written);
    return status_of(tls, result);
}

void tls_notify_end(struct tls *tls)
{
    if (tls->ssl == NULL || tls->has_failed || !SSL_is_init_finished(tls->ssl))
        return;
    ERR_clear_error();
    SSL_shutdown(tls->ssl);
}

const char *tls_reason(const struct tls *tls)
{
    unsigned long code = ERR_peek_error();
    long verified = SSL_get_verify_result(tls->ssl);
    if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK)
        return X509_verify_cert_error_string(verified);
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    return reason != NULL ? reason : "the handshake broke off";
}
