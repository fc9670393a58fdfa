/* Signed heads: what the chain alone cannot tell, because who holds the store can write it anew. */
#include "audit_keys.h"

#define RECORDS 50

static void a_statement_reads_as_promised(void **state)
{
    (void)state;
    static struct chain chain;
    struct buffer out;
    struct err err;
    int64_t seq;
    char expected[256], hex[SHA256_HEX_SIZE];
    chain_build(&chain, 3);
    buffer_init(&out, 4096);
    test_sign(&chain, 3, 0, &out);
    snprintf(expected, sizeof expected,
             "{\"seq\":3,\"hash\":\"%s\",\"time\":\"2026-11-23T08:30:00.123Z\","
             "\"key\":\"21fe31dfa154a261\",\"signature\":\"",
             sha256_hex(&chain.head.hash, hex));
    assert_memory_equal(out.at, expected, strlen(expected));
    assert_int_equal(out.len, strlen(expected) + 88 + 2);
    assert_true(audit_statement_seq(buffer_slice(&out), &seq, &err));
    assert_int_equal(seq, 3);
    buffer_fini(&out);
}

static void every_byte_of_a_statement_is_guarded(void **state)
{
    (void)state;
    static struct chain chain;
    struct buffer out;
    struct err err;
    chain_build(&chain, 3);
    buffer_init(&out, 4096);
    test_sign(&chain, 3, 0, &out);
    struct audit_key *key = test_key(0, false);
    struct slice statement = buffer_slice(&out);
    assert_true(audit_check_signature(key, statement, &chain.head.hash, &err));
    for (size_t i = 0; i < out.len; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            out.at[i] = (char)(out.at[i] ^ (char)(1 << bit));
            assert_false(audit_check_signature(key, statement, &chain.head.hash, &err));
            out.at[i] = (char)(out.at[i] ^ (char)(1 << bit));
        }
    for (size_t len = 0; len < out.len; len++)
        assert_false(
            audit_check_signature(key, (struct slice){ out.at, len }, &chain.head.hash, &err));
    assert_false(audit_check_signature(key, statement, &chain.rows[1].hash, &err));
    audit_key_free(key);
    buffer_fini(&out);
}

static void keys_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "no key",
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n",
        /* P-256 */
        "-----BEGIN PUBLIC KEY-----\n"
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEu22cT6M0ZouZdzWQMq252QLvRm4C\n"
        "G2mAQTeQpnffG0GQYegRlt7NFQ9sQdfJXkI7LYQF4hnVbKmx73QrY1RNJQ==\n"
        "-----END PUBLIC KEY-----\n",
    };
    struct audit_key *key = NULL;
    struct err err;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_false(audit_key_read(slice_of(texts[i]), false, &key, &err));
        assert_false(audit_key_read(slice_of(texts[i]), true, &key, &err));
        assert_null(key);
    }
}

static void a_public_key_cannot_sign(void **state)
{
    (void)state;
    struct audit_key *key = test_key(0, false);
    struct buffer out;
    struct err err;
    buffer_init(&out, 4096);
    assert_false(audit_sign(key, &(struct audit_head){ 1, { { 1 } } }, 0, &out, &err));
    buffer_fini(&out);
    audit_key_free(key);
}

static void old_public_keys_stay_with_the_present_one(void **state)
{
    (void)state;
    static struct chain chain;
    struct buffer pem, first, second;
    struct audit_key *keys, *private_key;
    struct err err;
    chain_build(&chain, 3);
    buffer_init(&pem, 4096);
    private_key = test_key(1, true);
    assert_true(audit_key_public(private_key, &pem, &err)); /* as the exporter writes it */
    test_key_pem(0, false, &pem);
    assert_true(audit_key_read(buffer_slice(&pem), false, &keys, &err));
    assert_string_equal(audit_key_id(keys), "39f713d0a644253f");
    buffer_init(&first, 4096);
    buffer_init(&second, 4096);
    test_sign(&chain, 3, 0, &first);
    test_sign(&chain, 3, 1, &second);
    assert_true(audit_check_signature(keys, buffer_slice(&first), &chain.head.hash, &err));
    assert_true(audit_check_signature(keys, buffer_slice(&second), &chain.head.hash, &err));
    audit_key_free(keys);
    audit_key_free(private_key);
    buffer_fini(&pem);
    buffer_fini(&first);
    buffer_fini(&second);
}

/* Statements at records 20 and 40 (and at `extra`), signed before the harm was done. */
static struct audit_verifier verify_signed(const struct chain *signed_chain,
                                           const struct chain *chain, unsigned signer)
{
    static const unsigned signed_at[] = { 20, 40 };
    struct audit_verifier verifier;
    struct audit_key *key = test_key(0, false);
    struct buffer statements[2];
    for (size_t i = 0; i < 2; i++) {
        buffer_init(&statements[i], 4096);
        test_sign(signed_chain, signed_at[i], signer, &statements[i]);
    }
    audit_verify_start(&verifier);
    bool goes_on = true;
    unsigned next = 0;
    for (unsigned i = 0; i < chain->count && goes_on; i++) {
        goes_on = audit_verify_row(&verifier, chain->rows[i].seq, chain_line(&chain->rows[i]),
                                   &chain->rows[i].hash);
        if (goes_on && next < 2 && verifier.head.seq == signed_at[next])
            goes_on = audit_verify_statement(&verifier, key, buffer_slice(&statements[next++]));
    }
    for (; goes_on && next < 2; next++)
        goes_on = audit_verify_statement(&verifier, key, buffer_slice(&statements[next]));
    bool is_good = audit_verify_end(&verifier, &chain->head);
    assert_int_equal(is_good, audit_is_whole(&verifier));
    for (size_t i = 0; i < 2; i++)
        buffer_fini(&statements[i]);
    audit_key_free(key);
    return verifier;
}

static void a_whole_chain_agrees_with_its_signatures(void **state)
{
    (void)state;
    static struct chain chain;
    chain_build(&chain, RECORDS);
    struct audit_verifier verifier = verify_signed(&chain, &chain, 0);
    assert_fault(&verifier, AUDIT_OK, 0, 0);
    assert_int_equal(verifier.signatures, 2);
    assert_int_equal(verifier.signed_seq, 40);
}

static void a_chain_written_anew_with_its_head_is_caught(void **state)
{
    (void)state;
    static struct chain whole, chain;
    chain_build(&whole, RECORDS);
    for (unsigned at = 0; at < RECORDS; at++) {
        chain = whole;
        chain_forge(&chain, at, true);
        struct audit_verifier verifier = verify_signed(&whole, &chain, 0);
        if (at < 40)
            assert_fault(&verifier, AUDIT_REWRITTEN, at < 20 ? 20 : 40, at);
        else /* what no signature covers yet can be written anew: sign often */
            assert_fault(&verifier, AUDIT_OK, 0, at);
    }
}

static void a_tail_cut_with_its_head_is_caught(void **state)
{
    (void)state;
    static struct chain whole, chain;
    chain_build(&whole, RECORDS);
    for (unsigned count = 1; count < 40; count++) {
        chain = whole;
        chain.count = count;
        chain.head = (struct audit_head){ count, chain.rows[count - 1].hash };
        struct audit_verifier verifier = verify_signed(&whole, &chain, 0);
        assert_fault(&verifier, AUDIT_TRUNCATED, count + 1, count);
    }
}

static void a_chain_signed_by_another_key_is_caught(void **state)
{
    (void)state;
    static struct chain chain;
    chain_build(&chain, RECORDS);
    struct audit_verifier verifier = verify_signed(&chain, &chain, 1);
    assert_fault(&verifier, AUDIT_BAD_SIGNATURE, 20, 0);
}

static void other_faults_keep_their_names_beside_signatures(void **state)
{
    (void)state;
    static struct chain whole, chain;
    chain_build(&whole, RECORDS);
    for (unsigned at = 0; at + 1 < RECORDS; at++) {
        chain = whole;
        chain_remove(&chain, at);
        struct audit_verifier verifier = verify_signed(&whole, &chain, 0);
        assert_fault(&verifier, AUDIT_REMOVED, at + 1, at);
        chain = whole;
        chain.rows[at].line[200] ^= 2;
        verifier = verify_signed(&whole, &chain, 0);
        assert_fault(&verifier, AUDIT_EDITED, at + 1, at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_reads_as_promised),
        cmocka_unit_test(every_byte_of_a_statement_is_guarded),
        cmocka_unit_test(keys_that_are_none_are_refused),
        cmocka_unit_test(a_public_key_cannot_sign),
        cmocka_unit_test(old_public_keys_stay_with_the_present_one),
        cmocka_unit_test(a_whole_chain_agrees_with_its_signatures),
        cmocka_unit_test(a_chain_written_anew_with_its_head_is_caught),
        cmocka_unit_test(a_tail_cut_with_its_head_is_caught),
        cmocka_unit_test(a_chain_signed_by_another_key_is_caught),
        cmocka_unit_test(other_faults_keep_their_names_beside_signatures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
