/* app/keys.h -- the folder of private keys by which we are known to authorization servers.
 *
 * What      every *.pem of keys_folder is published in our JWKS, so that a new key is known before
 *           it is used and an old one as long as somebody may still check with it.  The newest
 *           that has been there for KEYS_PUBLISH_SECONDS signs; when none has, the oldest.
 * Owns      keys_close() frees the keys.
 * Errors    ERR_INVALID names the file that is no such key.
 * Thread    start-up; afterwards any reader.
 */
#pragma once

#include "base/buffer.h"
#include "outbox/jose.h"

#define KEYS_MAX 16
#define KEYS_PUBLISH_SECONDS (24 * 3600)

struct keys {
    struct jose_key *list[KEYS_MAX]; /* oldest first */
    char names[KEYS_MAX][80];        /* of files */
    int64_t made_s[KEYS_MAX];
    unsigned count;
};

/* NULL is a folder without keys. */
bool keys_open(const char *folder, struct keys *out, struct err *err) MUST_USE;
void keys_close(struct keys *keys);
/* The one to sign with; NULL when there is none of that algorithm. */
const struct jose_key *keys_signing(const struct keys *keys, enum jose_algorithm algorithm,
                                    int64_t now_s);
