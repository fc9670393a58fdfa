#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "audit/audit_int.h"
#include "audit/key_int.h"
#include "base/pool.h"

struct audit_key {
    unsigned count;
    bool is_private;
    struct {
        EVP_PKEY *pkey;
        char id[AUDIT_KEY_ID_SIZE];
    } keys[AUDIT_KEYS_MAX];
};

/* A key file under a pass phrase is refused rather than asked for on a terminal. */
static int no_pass_phrase(char *buffer, int size, int is_writing, void *ctx)
{
    (void)buffer, (void)size, (void)is_writing, (void)ctx;
    return 0;
}

static bool key_add(struct audit_key *key, EVP_PKEY *pkey)
{
    unsigned char raw[32];
    size_t len = sizeof raw;
    if (EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519 ||
        EVP_PKEY_get_raw_public_key(pkey, raw, &len) != 1 || len != sizeof raw) {
        EVP_PKEY_free(pkey);
        return false;
    }
    char hex[SHA256_HEX_SIZE];
    struct sha256 digest = sha256_of_one((struct slice){ (const char *)raw, sizeof raw });
    sha256_hex(&digest, hex);
    memcpy(key->keys[key->count].id, hex, AUDIT_KEY_ID_SIZE - 1);
    key->keys[key->count++].pkey = pkey;
    return true;
}

bool audit_key_read(struct slice pem, bool is_private, struct audit_key **out, struct err *err)
{
    if (pem.len == 0 || pem.len > INT32_MAX)
        return err_fail(err, ERR_VALUE, "audit key", "expected a key in PEM");
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    CHECK(bio != NULL);
    struct audit_key *key = pool_new(sizeof *key);
    key->is_private = is_private;
    bool is_good = true;
    EVP_PKEY *pkey;
    while (is_good && key->count < (is_private ? 1 : AUDIT_KEYS_MAX) &&
           (pkey = is_private ? PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL)
                              : PEM_read_bio_PUBKEY(bio, NULL, no_pass_phrase, NULL)) != NULL)
        is_good = key_add(key, pkey);
    BIO_free(bio);
    if (is_good && key->count > 0) {
        *out = key;
        return true;
    }
    audit_key_free(key);
    return err_fail(err, ERR_VALUE, "audit key", "expected an Ed25519 %s key in PEM",
                    is_private ? "private" : "public");
}

void audit_key_free(struct audit_key *key)
{
    if (key == NULL)
        return;
    for (unsigned i = 0; i < key->count; i++)
        EVP_PKEY_free(key->keys[i].pkey);
    pool_free(key);
}

const char *audit_key_id(const struct audit_key *key) { return key->keys[0].id; }

bool audit_key_public(const struct audit_key *key, struct buffer *out, struct err *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    CHECK(bio != NULL);
    bool is_good = true;
    for (unsigned i = 0; i < key->count; i++)
        is_good = is_good && PEM_write_bio_PUBKEY(bio, key->keys[i].pkey) == 1;
    char *at = NULL;
    long len = BIO_get_mem_data(bio, &at);
    if (is_good && len > 0)
        buffer_add(out, (struct slice){ at, (size_t)len });
    BIO_free(bio);
    if (!is_good || buffer_overflowed(out))
        return err_fail(err, ERR_TOO_LARGE, "audit key", "the public key cannot be written");
    return true;
}

bool key_sign(const struct audit_key *key, struct slice text,
              unsigned char out[KEY_SIGNATURE_BYTES], struct err *err)
{
    if (!key->is_private)
        return err_fail(err, ERR_VALUE, "audit key", "a public key cannot sign");
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    CHECK(ctx != NULL);
    size_t len = KEY_SIGNATURE_BYTES;
    bool is_signed = EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->keys[0].pkey) == 1 &&
                     EVP_DigestSign(ctx, out, &len, (const unsigned char *)text.at, text.len) == 1;
    EVP_MD_CTX_free(ctx);
    if (!is_signed || len != KEY_SIGNATURE_BYTES)
        return err_fail(err, ERR_CORRUPT, "audit key", "signing failed");
    return true;
}

static EVP_PKEY *key_by_id(const struct audit_key *key, struct slice id)
{
    for (unsigned i = 0; i < key->count; i++)
        if (slice_is(id, key->keys[i].id))
            return key->keys[i].pkey;
    return NULL;
}

enum key_answer key_check(const struct audit_key *key, struct slice id, struct slice text,
                          const unsigned char signature[KEY_SIGNATURE_BYTES])
{
    EVP_PKEY *pkey = key_by_id(key, id);
    if (pkey == NULL)
        return KEY_UNKNOWN;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    CHECK(ctx != NULL);
    bool is_good = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
                   EVP_DigestVerify(ctx, signature, KEY_SIGNATURE_BYTES,
                                    (const unsigned char *)text.at, text.len) == 1;
    EVP_MD_CTX_free(ctx);
    return is_good ? KEY_GOOD : KEY_BAD;
}
