/* base/hash.h -- digests and table hashes. */
#pragma once

#include "base/check.h"
#include "base/slice.h"

#define SHA256_BYTES 32
#define SHA256_HEX_SIZE 65

struct sha256 {
    unsigned char bytes[SHA256_BYTES];
};

/* Digest of the concatenation of `count` slices. */
struct sha256 sha256_of(const struct slice *parts, size_t count);
struct sha256 sha256_of_one(struct slice bytes);
/* Lower-case hex into out[SHA256_HEX_SIZE]; returns out. */
const char *sha256_hex(const struct sha256 *digest, char *out);
/* A name-based UUID (RFC 9562, version 8) of a digest; returns out. */
#define UUID_TEXT_SIZE 37
const char *sha256_uuid(const struct sha256 *digest, char out[UUID_TEXT_SIZE]);
bool sha256_equal(const struct sha256 *a, const struct sha256 *b);

/* A fast hash for tables in memory; not for anything that is stored or secret. */
uint64_t table_hash(struct slice bytes);
