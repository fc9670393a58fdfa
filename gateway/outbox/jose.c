#include "outbox/jose.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/base64.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/pool.h"

#define COORDINATE_BYTES 48 /* of P-384 */
#define RSA_BITS 3072
#define NUMBER_MAX 1024 /* bytes of a modulus: 8192 bits */

struct jose_key {
    EVP_PKEY *pkey;
    enum jose_algorithm algorithm;
    char id[JOSE_KEY_ID_SIZE];
};

static const char *const algorithms[] = { "RS384", "ES384" };

const char *jose_algorithm_name(enum jose_algorithm algorithm)
{
    CHECK((size_t)algorithm < COUNT_OF(algorithms));
    return algorithms[algorithm];
}

enum jose_algorithm jose_key_algorithm(const struct jose_key *key) { return key->algorithm; }

const char *jose_key_id(const struct jose_key *key) { return key->id; }

static bool failed(struct err *err, const char *what)
{
    return err_fail(err, ERR_STORAGE, "key", "OpenSSL cannot %s", what);
}

/* --- the public half ----------------------------------------------------------------------- */

/* A number of the key in base64url; of coordinates with all their bytes, of others without leading
 * zeros, as the RFCs want it. */
static struct slice number_of(const struct jose_key *key, const char *name, int bytes,
                              struct arena *arena)
{
    unsigned char raw[NUMBER_MAX];
    BIGNUM *number = NULL;
    struct slice out = SLICE("");
    if (EVP_PKEY_get_bn_param(key->pkey, name, &number) != 1)
        return out;
    int len = bytes > 0 ? bytes : BN_num_bytes(number);
    if (len <= (int)sizeof raw && BN_bn2binpad(number, raw, len) == len)
        out = base64url_encode((struct slice){ (const char *)raw, (size_t)len }, arena);
    BN_free(number);
    return out;
}

/* The required members in alphabetical order, which is what a thumbprint is made of. */
static struct slice required_members(const struct jose_key *key, struct arena *arena)
{
    if (key->algorithm == JOSE_RS384)
        return arena_format(arena, "\"e\":\"%.*s\",\"kty\":\"RSA\",\"n\":\"%.*s\"",
                            SLICE_ARGS(number_of(key, OSSL_PKEY_PARAM_RSA_E, 0, arena)),
                            SLICE_ARGS(number_of(key, OSSL_PKEY_PARAM_RSA_N, 0, arena)));
    struct slice x = number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, COORDINATE_BYTES, arena);
    struct slice y = number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, COORDINATE_BYTES, arena);
    return arena_format(arena, "\"crv\":\"P-384\",\"kty\":\"EC\",\"x\":\"%.*s\",\"y\":\"%.*s\"",
                        SLICE_ARGS(x), SLICE_ARGS(y));
}

static bool name_key(struct jose_key *key, struct err *err)
{
    struct arena arena;
    arena_init(&arena, 1 << 16);
    struct slice members = required_members(key, &arena);
    struct sha256 digest = sha256_of_one(arena_format(&arena, "{%.*s}", SLICE_ARGS(members)));
    struct slice id =
        base64url_encode((struct slice){ (const char *)digest.bytes, sizeof digest.bytes }, &arena);
    bool is_named = !arena_overflowed(&arena) && id.len == JOSE_KEY_ID_SIZE - 1;
    if (is_named)
        memcpy(key->id, id.at, JOSE_KEY_ID_SIZE);
    arena_fini(&arena);
    return is_named || failed(err, "name the key");
}

bool jose_write_jwks(struct jose_key *const *keys, unsigned count, struct buffer *out)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    buffer_add(out, SLICE("{\"keys\":["));
    for (unsigned i = 0; i < count; i++)
        buffer_format(out,
                      "%s{%.*s,\"kid\":\"%s\",\"alg\":\"%s\",\"use\":\"sig\","
                      "\"key_ops\":[\"verify\"]}",
                      i > 0 ? "," : "", SLICE_ARGS(required_members(keys[i], &arena)), keys[i]->id,
                      jose_algorithm_name(keys[i]->algorithm));
    buffer_add(out, SLICE("]}"));
    bool is_done = !arena_overflowed(&arena) && !buffer_overflowed(out);
    arena_fini(&arena);
    return is_done;
}

/* --- keys ---------------------------------------------------------------------------------- */

static bool is_p384(EVP_PKEY *pkey)
{
    char group[32] = "";
    size_t len = 0;
    return EVP_PKEY_get_group_name(pkey, group, sizeof group, &len) == 1 &&
           strcmp(group, "secp384r1") == 0;
}

static bool keep(EVP_PKEY *pkey, struct jose_key **out, struct err *err)
{
    bool is_rsa = EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA && EVP_PKEY_get_bits(pkey) >= 2048;
    bool is_ec = EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC && is_p384(pkey);
    if (!is_rsa && !is_ec) {
        EVP_PKEY_free(pkey);
        return err_fail(err, ERR_INVALID, "key",
                        "a key must be of RSA with 2048 bits or more, or of the curve P-384");
    }
    struct jose_key *key = pool_new(sizeof *key);
    key->pkey = pkey;
    key->algorithm = is_rsa ? JOSE_RS384 : JOSE_ES384;
    if (!name_key(key, err)) {
        jose_key_free(key);
        return false;
    }
    *out = key;
    return true;
}

bool jose_key_read(struct slice pem, struct jose_key **out, struct err *err)
{
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    EVP_PKEY *pkey = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"") : NULL;
    BIO_free(bio);
    if (pkey == NULL)
        return err_fail(err, ERR_INVALID, "key", "this is no PEM of a private key");
    return keep(pkey, out, err);
}

bool jose_key_make(enum jose_algorithm algorithm, struct jose_key **out, struct err *err)
{
    EVP_PKEY *pkey = algorithm == JOSE_RS384
                         ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS)
                         : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
    return pkey != NULL ? keep(pkey, out, err) : failed(err, "make a key");
}

void jose_key_free(struct jose_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    pool_free(key);
}

bool jose_key_write(const struct jose_key *key, struct buffer *pem, struct err *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    bool is_done = bio != NULL &&
                   PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) == 1;
    long len = is_done ? BIO_get_mem_data(bio, &bytes) : 0;
    if (len > 0)
        buffer_add(pem, (struct slice){ bytes, (size_t)len });
    BIO_free(bio);
    return len > 0 || failed(err, "write the key");
}

/* --- signing ------------------------------------------------------------------------------- */

/* JOSE has r and s one after the other with all their bytes; OpenSSL has them in DER. */
static bool plain_signature(const unsigned char *der, size_t len, unsigned char *out)
{
    const unsigned char *at = der;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)len);
    const BIGNUM *r = NULL, *s = NULL;
    if (pair == NULL)
        return false;
    ECDSA_SIG_get0(pair, &r, &s);
    bool is_done = BN_bn2binpad(r, out, COORDINATE_BYTES) == COORDINATE_BYTES &&
                   BN_bn2binpad(s, out + COORDINATE_BYTES, COORDINATE_BYTES) == COORDINATE_BYTES;
    ECDSA_SIG_free(pair);
    return is_done;
}

static bool sign(const struct jose_key *key, struct slice text, struct arena *arena,
                 struct slice *out)
{
    unsigned char raw[NUMBER_MAX], plain[2 * COORDINATE_BYTES];
    size_t len = sizeof raw;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_signed =
        context != NULL && EVP_DigestSignInit(context, NULL, EVP_sha384(), NULL, key->pkey) == 1 &&
        EVP_DigestSign(context, raw, &len, (const unsigned char *)text.at, text.len) == 1;
    EVP_MD_CTX_free(context);
    if (is_signed && key->algorithm == JOSE_ES384)
        is_signed = plain_signature(raw, len, plain);
    if (!is_signed)
        return false;
    *out = key->algorithm == JOSE_ES384
               ? base64url_encode((struct slice){ (const char *)plain, sizeof plain }, arena)
               : base64url_encode((struct slice){ (const char *)raw, len }, arena);
    return true;
}

static struct slice write_claims(const struct jose_claims *claims, struct arena *arena)
{
    struct buffer buffer;
    struct json_writer json;
    buffer_init(&buffer, 1 << 16);
    json_writer_init(&json, &buffer, false);
    json_object(&json);
    json_put(&json, "iss", claims->client_id);
    json_put(&json, "sub", claims->client_id);
    json_put(&json, "aud", claims->audience);
    json_put(&json, "jti", claims->id);
    json_put_integer(&json, "iat", claims->now_s);
    json_put_integer(&json, "nbf", claims->now_s);
    json_put_integer(&json, "exp", claims->now_s + JOSE_ASSERTION_SECONDS);
    json_object_end(&json);
    struct slice out = base64url_encode(buffer_slice(&buffer), arena);
    buffer_fini(&buffer);
    return out;
}

bool jose_sign_assertion(const struct jose_key *key, const struct jose_claims *claims,
                         struct arena *arena, struct slice *out, struct err *err)
{
    struct slice header = arena_format(arena, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}",
                                       jose_algorithm_name(key->algorithm), key->id);
    struct slice text =
        arena_format(arena, "%.*s.%.*s", SLICE_ARGS(base64url_encode(header, arena)),
                     SLICE_ARGS(write_claims(claims, arena)));
    struct slice signature;
    if (!sign(key, text, arena, &signature))
        return failed(err, "sign");
    *out = arena_format(arena, "%.*s.%.*s", SLICE_ARGS(text), SLICE_ARGS(signature));
    return !arena_overflowed(arena) || failed(err, "sign within the memory there is");
}
