/* Keys for the tests of audit/, made anew in memory: the first two of RFC 8032, section 7.1. */
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "audit_chain.h"

static inline void test_key_pem(unsigned which, bool is_private, struct buffer *out)
{
    static const unsigned char seeds[2][32] = {
        { 0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a,
          0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32,
          0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60 },
        { 0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3,
          0x46, 0xec, 0x11, 0x4e, 0x0f, 0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab,
          0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb },
    };
    EVP_PKEY *pkey =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seeds[which], sizeof seeds[0]);
    BIO *bio = BIO_new(BIO_s_mem());
    char *at;
    assert_non_null(pkey);
    assert_int_equal(is_private ? PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL)
                                : PEM_write_bio_PUBKEY(bio, pkey),
                     1);
    long len = BIO_get_mem_data(bio, &at);
    buffer_add(out, (struct slice){ at, (size_t)len });
    BIO_free(bio);
    EVP_PKEY_free(pkey);
}

static inline struct audit_key *test_key(unsigned which, bool is_private)
{
    struct audit_key *key = NULL;
    struct buffer pem;
    struct err err;
    buffer_init(&pem, 4096);
    test_key_pem(which, is_private, &pem);
    if (!audit_key_read(buffer_slice(&pem), is_private, &key, &err))
        fail_msg("%s: %s", err.where, err.what);
    buffer_fini(&pem);
    return key;
}

/* The head of the first `count` records, signed. */
static inline void test_sign(const struct chain *chain, unsigned count, unsigned which,
                             struct buffer *out)
{
    struct audit_head head = { count, chain->rows[count - 1].hash };
    struct audit_key *key = test_key(which, true);
    struct err err;
    assert_true(audit_sign(key, &head, CHAIN_START_MS, out, &err));
    audit_key_free(key);
}
