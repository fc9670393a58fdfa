/* outbox/jose.h -- the keys by which we are known to authorization servers: assertions and JWKS.
 *
 * What      private keys of RSA (RS384) and of the curve P-384 (ES384), the two that SMART Backend
 *           Services asks for.  A key is named by its thumbprint (RFC 7638), so that no name has to
 *           be kept anywhere.  OpenSSL does the cryptography; only what goes around it is here.
 * Owns      a key is freed with jose_key_free(); what is written lives in `arena`.
 * Errors    ERR_INVALID for a PEM that is no such key; ERR_STORAGE when OpenSSL fails.
 * Thread    any; a key is immutable.
 * Rules     SMART App Launch 2.2, client authentication: asymmetric; RFC 7515, 7517, 7523, 7638.
 */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"

enum jose_algorithm { JOSE_RS384, JOSE_ES384 };

#define JOSE_KEY_ID_SIZE 44        /* base64url of a SHA-256, and NUL */
#define JOSE_ASSERTION_SECONDS 240 /* below the five minutes that servers allow */

struct jose_key;

/* From a PEM with a private key. */
bool jose_key_read(struct slice pem, struct jose_key **out, struct err *err) MUST_USE;
bool jose_key_make(enum jose_algorithm algorithm, struct jose_key **out, struct err *err) MUST_USE;
void jose_key_free(struct jose_key *key);
/* PKCS #8, not encrypted: the file's mode protects it. */
bool jose_key_write(const struct jose_key *key, struct buffer *pem, struct err *err) MUST_USE;

enum jose_algorithm jose_key_algorithm(const struct jose_key *key);
const char *jose_algorithm_name(enum jose_algorithm algorithm); /* "RS384" */
const char *jose_key_id(const struct jose_key *key);

/* {"keys":[..]} with the public halves. */
bool jose_write_jwks(struct jose_key *const *keys, unsigned count, struct buffer *out) MUST_USE;

struct jose_claims {
    struct slice client_id; /* iss and sub */
    struct slice audience;  /* the token endpoint */
    struct slice id;        /* jti: never used twice */
    int64_t now_s;
};
/* The compact form of a client assertion, with iat, nbf, exp and jti. */
bool jose_sign_assertion(const struct jose_key *key, const struct jose_claims *claims,
                         struct arena *arena, struct slice *out, struct err *err) MUST_USE;
