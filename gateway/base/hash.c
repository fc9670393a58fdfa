#include "base/hash.h"

#include <openssl/evp.h>
#include <pthread.h>

/* One context per thread: making one costs more than hashing a small record.  The digest is
 * shared; the key only serves to free a context when its thread ends. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_thread_end;
static EVP_MD *md;

static void free_context(void *ctx) { EVP_MD_CTX_free(ctx); }

static void make_shared(void)
{
    md = EVP_MD_fetch(NULL, "SHA256", NULL);
    CHECK(md != NULL);
    CHECK(pthread_key_create(&at_thread_end, free_context) == 0);
}

static EVP_MD_CTX *my_context(void)
{
    static _Thread_local EVP_MD_CTX *ctx;
    if (ctx == NULL) {
        CHECK(pthread_once(&once, make_shared) == 0);
        ctx = EVP_MD_CTX_new();
        CHECK(ctx != NULL);
        CHECK(pthread_setspecific(at_thread_end, ctx) == 0);
    }
    return ctx;
}

#define GATHERED_MAX 512

/* The parts in one piece, when they are few bytes: a call of OpenSSL costs more than copying them.
 */
static struct slice gather(const struct slice *parts, size_t count, char *out)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > GATHERED_MAX - used)
            return (struct slice){ NULL, 0 };
        if (parts[i].len > 0)
            memcpy(out + used, parts[i].at, parts[i].len);
        used += parts[i].len;
    }
    return (struct slice){ out, used };
}

struct sha256 sha256_of(const struct slice *parts, size_t count)
{
    EVP_MD_CTX *ctx = my_context();
    struct sha256 out;
    char gathered[GATHERED_MAX];
    struct slice whole = count > 1 ? gather(parts, count, gathered) : (struct slice){ NULL, 0 };
    CHECK(EVP_DigestInit_ex(ctx, md, NULL) == 1);
    if (whole.at != NULL)
        CHECK(EVP_DigestUpdate(ctx, whole.at, whole.len) == 1);
    for (size_t i = 0; whole.at == NULL && i < count; i++)
        CHECK(EVP_DigestUpdate(ctx, parts[i].at, parts[i].len) == 1);
    CHECK(EVP_DigestFinal_ex(ctx, out.bytes, NULL) == 1);
    return out;
}

struct sha256 sha256_of_one(struct slice bytes) { return sha256_of(&bytes, 1); }

const char *sha256_uuid(const struct sha256 *digest, char out[UUID_TEXT_SIZE])
{
    char hex[SHA256_HEX_SIZE];
    sha256_hex(digest, hex);
    snprintf(out, UUID_TEXT_SIZE, "%.8s-%.4s-8%.3s-a%.3s-%.12s", hex, hex + 8, hex + 13, hex + 17,
             hex + 20);
    return out;
}

const char *sha256_hex(const struct sha256 *digest, char *out)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        out[2 * i] = hex[digest->bytes[i] >> 4];
        out[2 * i + 1] = hex[digest->bytes[i] & 15];
    }
    out[2 * SHA256_BYTES] = '\0';
    return out;
}

bool sha256_equal(const struct sha256 *a, const struct sha256 *b)
{
    return memcmp(a->bytes, b->bytes, SHA256_BYTES) == 0;
}

uint64_t table_hash(struct slice bytes)
{
    uint64_t hash = UINT64_C(0x9e3779b97f4a7c15) ^ bytes.len;
    const char *at = bytes.at;
    size_t left = bytes.len;
    for (; left >= 8; at += 8, left -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 32;
    }
    uint64_t tail = 0;
    if (left > 0)
        memcpy(&tail, at, left);
    hash = (hash ^ tail) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ hash >> 29;
}
