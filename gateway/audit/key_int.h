/* audit/key_int.h -- Ed25519 over bytes: what sign.c asks of key.c. */
#pragma once

#include "audit/audit.h"

#define KEY_SIGNATURE_BYTES 64

enum key_answer { KEY_GOOD, KEY_BAD, KEY_UNKNOWN };

bool key_sign(const struct audit_key *key, struct slice text,
              unsigned char out[KEY_SIGNATURE_BYTES], struct err *err) MUST_USE;
/* KEY_UNKNOWN when no key has this id. */
enum key_answer key_check(const struct audit_key *key, struct slice id, struct slice text,
                          const unsigned char signature[KEY_SIGNATURE_BYTES]);
