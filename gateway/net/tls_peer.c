/* net/tls_peer.c -- who presented the certificate.  Called only after OpenSSL has verified it:
 * trust comes before identity.  A name that does not fit, or holds a NUL or a control character, is
 * left out rather than cut: half a name could be somebody else's. */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "net/tls_int.h"

static void keep_name(struct slice name, char *out, size_t size)
{
    if (name.len == 0 || name.len >= size)
        return;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.at[i];
        if (c < ' ' || c == 0x7f)
            return;
    }
    memcpy(out, name.at, name.len);
    out[name.len] = '\0';
}

static void read_common_name(X509 *certificate, struct net_peer *peer)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0)
        return;
    unsigned char *text = NULL;
    int len =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (len > 0)
        keep_name((struct slice){ (const char *)text, (size_t)len }, peer->subject_cn,
                  sizeof peer->subject_cn);
    OPENSSL_free(text);
}

static void read_alternative_names(X509 *certificate, struct net_peer *peer)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool has_uri = false, has_dns = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) { /* -1 without names */
        int type;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
        if (type != GEN_URI && type != GEN_DNS)
            continue;
        struct slice text = { (const char *)ASN1_STRING_get0_data(value),
                              (size_t)ASN1_STRING_length(value) };
        if (type == GEN_URI && !has_uri) {
            has_uri = true;
            keep_name(text, peer->san_uri, sizeof peer->san_uri);
        } else if (type == GEN_DNS && !has_dns) {
            has_dns = true;
            keep_name(text, peer->san_dns, sizeof peer->san_dns);
        }
    }
    GENERAL_NAMES_free(names);
}

static void read_fingerprint(const X509 *certificate, struct net_peer *peer)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    CHECK(X509_digest(certificate, EVP_sha256(), digest, &len) == 1);
    CHECK(2 * len + 1 == sizeof peer->fingerprint);
    for (unsigned i = 0; i < len; i++) {
        peer->fingerprint[2 * i] = digits[digest[i] >> 4];
        peer->fingerprint[2 * i + 1] = digits[digest[i] & 15];
    }
    peer->fingerprint[2 * len] = '\0';
}

void tls_read_peer(const struct tls *tls, struct net_peer *peer)
{
    X509 *certificate = SSL_get1_peer_certificate(tls->ssl);
    if (certificate == NULL)
        return;
    CHECK(SSL_get_verify_result(tls->ssl) == X509_V_OK);
    read_common_name(certificate, peer);
    read_alternative_names(certificate, peer);
    read_fingerprint(certificate, peer);
    peer->has_certificate = true;
    X509_free(certificate);
    ERR_clear_error();
}
