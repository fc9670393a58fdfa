/* A signed head is one line of JSON of fixed form.  What is signed is a heading, so that a
 * signature given for another purpose is never one for us, and the statement without it. */
#include <openssl/evp.h>
#include <stdio.h>

#include "audit/audit_int.h"
#include "audit/key_int.h"
#include "base/date.h"

#define HEADING "lifeline audit head\n"
#define SIGNATURE_TEXT_LEN 88 /* base64 of 64 bytes */

struct statement {
    int64_t seq;
    struct sha256 hash;
    struct slice time, key;
    struct slice head; /* all before `,"signature"` */
    unsigned char signature[KEY_SIGNATURE_BYTES];
};

static bool signature_parse(struct slice text, unsigned char out[KEY_SIGNATURE_BYTES])
{
    unsigned char bytes[KEY_SIGNATURE_BYTES + 2], again[SIGNATURE_TEXT_LEN + 1];
    if (text.len != SIGNATURE_TEXT_LEN || EVP_DecodeBlock(bytes, (const unsigned char *)text.at,
                                                          SIGNATURE_TEXT_LEN) != (int)sizeof bytes)
        return false;
    /* one text per signature: OpenSSL's decoder is lenient */
    EVP_EncodeBlock(again, bytes, KEY_SIGNATURE_BYTES);
    if (memcmp(again, text.at, SIGNATURE_TEXT_LEN) != 0)
        return false;
    memcpy(out, bytes, KEY_SIGNATURE_BYTES);
    return true;
}

static bool statement_parse(struct slice text, struct statement *out)
{
    struct slice rest = text;
    if (!audit_take(&rest, SLICE("{\"seq\":")) || !audit_take_number(&rest, &out->seq) ||
        !audit_take(&rest, SLICE(",\"hash\":\"")) || !audit_take_hash(&rest, &out->hash) ||
        !audit_take(&rest, SLICE("\",\"time\":\"")))
        return false;
    out->time = slice_take_until(&rest, '"');
    if (!audit_take(&rest, SLICE(",\"key\":\"")))
        return false;
    out->key = slice_take_until(&rest, '"');
    out->head = (struct slice){ text.at, text.len - rest.len };
    if (!audit_take(&rest, SLICE(",\"signature\":\"")))
        return false;
    struct slice signature = slice_take_until(&rest, '"');
    return slice_is(rest, "}") && signature_parse(signature, out->signature);
}

/* HEADING and the statement up to its signature, in `bytes`; empty when it is too long. */
static struct slice signed_text(struct slice head, char bytes[AUDIT_STATEMENT_MAX])
{
    size_t heading = sizeof HEADING - 1;
    if (head.len > AUDIT_STATEMENT_MAX - heading)
        return SLICE("");
    memcpy(bytes, HEADING, heading);
    memcpy(bytes + heading, head.at, head.len);
    return (struct slice){ bytes, heading + head.len };
}

bool audit_sign(const struct audit_key *key, const struct audit_head *head, int64_t time_ms,
                struct buffer *out, struct err *err)
{
    char hex[SHA256_HEX_SIZE], time[INSTANT_TEXT_SIZE], bytes[AUDIT_STATEMENT_MAX];
    size_t start = out->len;
    buffer_format(out, "{\"seq\":%lld,\"hash\":\"%s\",\"time\":\"%s\",\"key\":\"%s\"",
                  (long long)head->seq, sha256_hex(&head->hash, hex), instant_format(time_ms, time),
                  audit_key_id(key));
    if (buffer_overflowed(out))
        return err_fail(err, ERR_TOO_LARGE, "audit head", "no room for the statement");
    struct slice text = signed_text((struct slice){ out->at + start, out->len - start }, bytes);
    unsigned char signature[KEY_SIGNATURE_BYTES], encoded[SIGNATURE_TEXT_LEN + 1];
    if (!key_sign(key, text, signature, err))
        return false;
    EVP_EncodeBlock(encoded, signature, KEY_SIGNATURE_BYTES);
    buffer_format(out, ",\"signature\":\"%s\"}", (const char *)encoded);
    if (buffer_overflowed(out))
        return err_fail(err, ERR_TOO_LARGE, "audit head", "no room for the statement");
    return true;
}

bool audit_statement_seq(struct slice statement, int64_t *seq, struct err *err)
{
    struct statement parsed;
    if (!statement_parse(statement, &parsed))
        return err_fail(err, ERR_CORRUPT, "signed head", "the statement cannot be read");
    *seq = parsed.seq;
    return true;
}

static bool signature_check(const struct audit_key *key, const struct statement *statement,
                            struct err *err)
{
    char bytes[AUDIT_STATEMENT_MAX], where[48];
    snprintf(where, sizeof where, "signed head %lld", (long long)statement->seq);
    struct slice text = signed_text(statement->head, bytes);
    enum key_answer answer = key_check(key, statement->key, text, statement->signature);
    if (answer == KEY_UNKNOWN)
        return err_fail(err, ERR_CORRUPT, where, "it is signed by a key that was not given");
    if (answer == KEY_BAD)
        return err_fail(err, ERR_CORRUPT, where, "the signature is wrong");
    return true;
}

bool audit_check_signature(const struct audit_key *key, struct slice statement,
                           const struct sha256 *hash_at_seq, struct err *err)
{
    struct statement parsed;
    if (!statement_parse(statement, &parsed))
        return err_fail(err, ERR_CORRUPT, "signed head", "the statement cannot be read");
    if (!signature_check(key, &parsed, err))
        return false;
    if (!sha256_equal(&parsed.hash, hash_at_seq))
        return err_fail(err, ERR_CORRUPT, "signed head",
                        "record %lld has another hash than was signed", (long long)parsed.seq);
    return true;
}

bool audit_verify_statement(struct audit_verifier *verifier, const struct audit_key *key,
                            struct slice text)
{
    struct statement statement;
    struct err err;
    int64_t last = verifier->head.seq;
    if (verifier->fault != AUDIT_OK)
        return false;
    if (!statement_parse(text, &statement) || statement.seq < last)
        return audit_set_fault(verifier, AUDIT_BAD_SIGNATURE, last,
                               "a signed head behind record %lld cannot be read or is misplaced",
                               (long long)last);
    if (key != NULL && !signature_check(key, &statement, &err))
        return audit_set_fault(verifier, AUDIT_BAD_SIGNATURE, statement.seq,
                               "the head signed at record %lld: %s", (long long)statement.seq,
                               err.what);
    if (verifier->suspect.is_open) /* the chain did not come so far: the suspect says why */
        return true;
    if (statement.seq > last)
        return audit_set_fault(verifier, AUDIT_TRUNCATED, last + 1,
                               "a head was signed at record %lld, the last one is %lld",
                               (long long)statement.seq, (long long)last);
    if (!sha256_equal(&statement.hash, &verifier->head.hash)) {
        if (verifier->rewritten_seq == 0) {
            verifier->rewritten_seq = last;
            verifier->rewritten_after = verifier->signed_seq;
        }
        return true;
    }
    verifier->signatures++;
    if (key != NULL)
        verifier->signed_seq = last;
    return true;
}
