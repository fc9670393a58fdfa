/* The words of SMART Backend Services, and keys that are read, named and signed with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "outbox/jose.h"
#include "outbox/smart.h"

static const struct token_case {
    const char *name, *body, *expected; /* expected NULL: refused */
} tokens[] = {
    { "a token with its life",
      "{\"access_token\":\"abc\",\"token_type\":\"bearer\",\"expires_in\":120}", "abc 120" },
    { "Bearer in capitals, the life as a text",
      "{\"access_token\":\"a.b-c_d\",\"token_type\":\"Bearer\",\"expires_in\":\"60\"}",
      "a.b-c_d 60" },
    { "no life given: five minutes", "{\"access_token\":\"abc\"}", "abc 300" },
    { "a life of a thousand years is cut", "{\"access_token\":\"abc\",\"expires_in\":31536000000}",
      "abc 86400" },
    { "another type", "{\"access_token\":\"abc\",\"token_type\":\"mac\"}", NULL },
    { "no token", "{\"token_type\":\"bearer\"}", NULL },
    { "a token that would break a header", "{\"access_token\":\"a\\r\\nHost: x\"}", NULL },
    { "a page", "<html>", NULL },
};

static void token_reads_as(void **state)
{
    const struct token_case *c = *state;
    struct smart_token token;
    struct arena arena;
    struct err err;
    char text[96];
    arena_init(&arena, 1 << 16);
    bool is_read = smart_read_token(slice_of(c->body), &arena, &token, &err);
    assert_int_equal(c->expected != NULL, is_read);
    if (is_read) {
        snprintf(text, sizeof text, "%.*s %lld", SLICE_ARGS(token.token), (long long)token.seconds);
        assert_string_equal(c->expected, text);
    }
    arena_fini(&arena);
}

static void the_endpoint_is_https(void **state)
{
    struct arena arena;
    struct slice url;
    struct err err;
    (void)state;
    arena_init(&arena, 1 << 16);
    assert_true(smart_read_configuration(SLICE("{\"token_endpoint\":\"https://a/t\"}"), &arena,
                                         &url, &err));
    assert_true(slice_is(url, "https://a/t"));
    assert_false(
        smart_read_configuration(SLICE("{\"token_endpoint\":\"http://a/t\"}"), &arena, &url, &err));
    assert_int_equal(ERR_UNSUPPORTED, err.code);
    assert_false(smart_read_configuration(SLICE("{}"), &arena, &url, &err));
    arena_fini(&arena);
}

static void a_request_is_a_form(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 16);
    struct slice form =
        smart_write_request(SLICE("system/Flag.crus a"), SLICE(""), SLICE("h.b.s"), &arena);
    assert_string_equal("grant_type=client_credentials&scope=system%2FFlag.crus%20a"
                        "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type"
                        "%3Ajwt-bearer&client_assertion=h.b.s",
                        form.at);
    form = smart_write_request(SLICE("a"), SLICE("me&1"), SLICE(""), &arena);
    assert_true(slice_is(form, "grant_type=client_credentials&scope=a&client_id=me%261"));
    form = smart_write_request(SLICE("a"), SLICE(""), SLICE(""), &arena);
    assert_string_equal("grant_type=client_credentials&scope=a", form.at);
    arena_fini(&arena);
}

static void a_token_is_renewed_before_it_expires(void **state)
{
    (void)state;
    assert_int_equal(240000, smart_renew_at_ms(0, 300));
    assert_int_equal(290000, smart_expires_ms(0, 300));
    for (int64_t seconds = 1; seconds < 4000; seconds++)
        assert_true(smart_renew_at_ms(0, seconds) <= smart_expires_ms(0, seconds));
}

/* --- keys ------------------------------------------------------------------------------------ */

static void a_key_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (enum jose_algorithm algorithm = JOSE_RS384; algorithm <= JOSE_ES384; algorithm++) {
        struct jose_key *made = NULL, *read = NULL;
        struct buffer pem, jwks;
        struct err err;
        buffer_init(&pem, 1 << 16);
        buffer_init(&jwks, 1 << 16);
        assert_true(jose_key_make(algorithm, &made, &err));
        assert_true(jose_key_write(made, &pem, &err));
        assert_true(jose_key_read(buffer_slice(&pem), &read, &err));
        assert_string_equal(jose_key_id(made), jose_key_id(read));
        assert_int_equal(algorithm, jose_key_algorithm(read));
        assert_true(jose_write_jwks(&read, 1, &jwks));
        buffer_add_char(&jwks, '\0');
        assert_non_null(strstr(jwks.at, jose_key_id(made)));
        assert_null(strstr(jwks.at, "\"d\""));
        jose_key_free(made);
        jose_key_free(read);
        buffer_fini(&pem);
        buffer_fini(&jwks);
    }
}

/* Whether a signature is right is checked by others (tests/interop/smart.mjs). */
static void an_assertion_says_who_and_until_when(void **state)
{
    struct jose_key *key = NULL;
    struct arena arena;
    struct slice rest, head, body, out;
    struct err err;
    (void)state;
    arena_init(&arena, 1 << 20);
    assert_true(jose_key_make(JOSE_ES384, &key, &err));
    const struct jose_claims claims = { SLICE("client"), SLICE("https://a/t"), SLICE("id-1"),
                                        1000 };
    assert_true(jose_sign_assertion(key, &claims, &arena, &rest, &err));
    assert_true(base64_decode(slice_take_until(&rest, '.'), &arena, &head));
    assert_true(base64_decode(slice_take_until(&rest, '.'), &arena, &body));
    assert_true(base64_decode(rest, &arena, &out));
    assert_int_equal(96, out.len); /* r and s, 48 bytes each */
    assert_true(slice_starts(head, SLICE("{\"alg\":\"ES384\",\"typ\":\"JWT\",\"kid\":\"")));
    assert_true(slice_is(body, "{\"iss\":\"client\",\"sub\":\"client\",\"aud\":\"https://a/t\","
                               "\"jti\":\"id-1\",\"iat\":1000,\"nbf\":1000,\"exp\":1240}"));
    jose_key_free(key);
    arena_fini(&arena);
}

static void other_keys_are_refused(void **state)
{
    static const char p256[] = "-----BEGIN PRIVATE KEY-----\n"
                               "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQ5qt1X8xU1mZ\n"
                               "-----END PRIVATE KEY-----\n";
    struct jose_key *key = NULL;
    struct err err;
    (void)state;
    assert_false(jose_key_read(slice_of(p256), &key, &err));
    assert_false(jose_key_read(SLICE("nonsense"), &key, &err));
    assert_int_equal(ERR_INVALID, err.code);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(the_endpoint_is_https),
        cmocka_unit_test(a_request_is_a_form),
        cmocka_unit_test(a_token_is_renewed_before_it_expires),
        cmocka_unit_test(a_key_is_read_as_it_was_written),
        cmocka_unit_test(an_assertion_says_who_and_until_when),
        cmocka_unit_test(other_keys_are_refused),
    };
    struct CMUnitTest tests[COUNT_OF(tokens) + COUNT_OF(others)];
    for (size_t i = 0; i < COUNT_OF(tokens); i++)
        tests[i] = (struct CMUnitTest){ .name = tokens[i].name,
                                        .test_func = token_reads_as,
                                        .initial_state = (void *)(uintptr_t)&tokens[i] };
    memcpy(tests + COUNT_OF(tokens), others, sizeof others);
    return cmocka_run_group_tests_name("outbox_smart", tests, NULL, NULL);
}
