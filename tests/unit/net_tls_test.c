/* TLS: versions, client certificates and their names, resumption, reload, and who is turned away. */
#include "net_fixture.h"

#define GET_PEER "GET /peer HTTP/1.1\r\nHost: a\r\n\r\n"
#define NAMES "200 keep [1|ehr one|urn:ehr:1|ehr.example|64]\n"
#define NOBODY "200 keep [0||||0]\n"

static const struct tls_case {
    const char *name;
    enum client_auth client_auth;
    struct client_options options;
    const char *reply;   /* NULL: no exchange takes place */
    const char *failure; /* what the failure callback hears, in part */
} cases[] = {
    { "no client certificate asked for", CLIENT_AUTH_OFF, { 0 }, NOBODY, NULL },
    { "one offered unasked is not looked at",
      CLIENT_AUTH_OFF,
      { .certificate = "client" },
      NOBODY,
      NULL },
    { "requested and given", CLIENT_AUTH_REQUEST, { .certificate = "client" }, NAMES, NULL },
    { "requested and not given", CLIENT_AUTH_REQUEST, { 0 }, NOBODY, NULL },
    { "requested, and given by a stranger",
      CLIENT_AUTH_REQUEST,
      { .certificate = "stranger" },
      NULL,
      "unable to get local issuer certificate" },
    { "required and given", CLIENT_AUTH_REQUIRE, { .certificate = "client" }, NAMES, NULL },
    { "required and given, TLS 1.2",
      CLIENT_AUTH_REQUIRE,
      { .certificate = "client", .version = TLS1_2_VERSION },
      NAMES,
      NULL },
    { "a certificate without names still has a fingerprint",
      CLIENT_AUTH_REQUIRE,
      { .certificate = "bare" },
      "200 keep [1||||64]\n",
      NULL },
    { "required and not given",
      CLIENT_AUTH_REQUIRE,
      { 0 },
      NULL,
      "peer did not return a certificate" },
    { "required and not given, TLS 1.2",
      CLIENT_AUTH_REQUIRE,
      { .version = TLS1_2_VERSION },
      NULL,
      "peer did not return a certificate" },
    { "required, and given by a stranger",
      CLIENT_AUTH_REQUIRE,
      { .certificate = "stranger" },
      NULL,
      "unable to get local issuer certificate" },
    { "a server's certificate is not a client's",
      CLIENT_AUTH_REQUIRE,
      { .certificate = "server" },
      NULL,
      "certificate purpose" },
    { "TLS 1.3", CLIENT_AUTH_OFF, { .version = TLS1_3_VERSION }, NOBODY, NULL },
    { "TLS 1.2", CLIENT_AUTH_OFF, { .version = TLS1_2_VERSION }, NOBODY, NULL },
    { "TLS 1.1", CLIENT_AUTH_OFF, { .version = TLS1_1_VERSION }, NULL, "unsupported protocol" },
    { "TLS 1.2 without forward secrecy",
      CLIENT_AUTH_OFF,
      { .version = TLS1_2_VERSION, .suites = "AES128-GCM-SHA256" },
      NULL,
      "no shared cipher" },
    { "TLS 1.2 without AEAD",
      CLIENT_AUTH_OFF,
      { .version = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-AES128-SHA256" },
      NULL,
      "no shared cipher" },
    { "ALPN http/1.1", CLIENT_AUTH_OFF, { .alpn = "\x02h2\x08http/1.1" }, NOBODY, NULL },
    { "ALPN without http/1.1",
      CLIENT_AUTH_OFF,
      { .alpn = "\x02h2" },
      NULL,
      "no application protocol" },
};

static void peer_is_seen_as(void **state)
{
    const struct tls_case *c = *state;
    struct fixture fixture;
    struct client client;
    char text[512] = "";
    struct text out = TEXT(text);

    fixture_init(&fixture);
    fixture.settings.tls.client_auth = c->client_auth;
    fixture_start(&fixture);
    bool is_open = client_open(&client, &fixture, &c->options);
    if (is_open) { /* with TLS 1.3 a client hears of its rejection only when it reads */
        client_send_text(&client, GET_PEER);
        if (!client_reply(&client, false, &out))
            out.used = 0;
    }
    if (c->reply != NULL) {
        assert_string_equal(c->reply, text);
        assert_int_equal(0, atomic_load(&fixture.failures));
    } else {
        await_number(&fixture.failures, 1);
        assert_int_equal(0, out.used);
        if (strstr(fixture.failure, c->failure) == NULL)
            assert_string_equal(c->failure, fixture.failure);
        assert_int_equal(1, server_counts(fixture.server).handshake_failures);
        assert_int_equal(0, server_counts(fixture.server).requests);
    }
    client_close(&client);
    fixture_stop(&fixture);
}

static void plain_http_on_a_tls_port_is_closed(void **state)
{
    struct fixture fixture;
    struct client client;
    (void)state;
    fixture_init(&fixture);
    fixture_start(&fixture);
    assert_true(client_open(&client, &fixture, &(struct client_options){ .is_plain = true }));
    client_send_text(&client, GET_PEER);
    assert_true(client_is_at_end(&client)); /* no answer, no redirect */
    await_number(&fixture.failures, 1);
    assert_string_equal("not TLS", fixture.failure);
    client_close(&client);
    fixture_stop(&fixture);
}

static void a_connection_without_a_byte_is_no_failure(void **state)
{
    struct fixture fixture;
    struct client client;
    (void)state;
    fixture_init(&fixture);
    fixture_start(&fixture);
    client_connect(&client, server_port(fixture.server));
    await_open(&fixture, 1);
    client_close(&client);
    await_open(&fixture, 0);
    assert_int_equal(0, server_counts(fixture.server).handshake_failures);
    fixture_stop(&fixture);
}

static void a_handshake_broken_off_is_a_failure(void **state)
{
    struct fixture fixture;
    struct client client;
    (void)state;
    fixture_init(&fixture);
    fixture_start(&fixture);
    client_connect(&client, server_port(fixture.server));
    client_send_text(&client, "\x16\x03\x01");
    usleep(20000);
    client_close(&client);
    await_number(&fixture.failures, 1);
    assert_string_equal("the peer broke the handshake off", fixture.failure);
    await_open(&fixture, 0);
    fixture_stop(&fixture);
}

static void renegotiation_is_refused(void **state)
{
    struct fixture fixture;
    struct client client;
    (void)state;
    fixture_init(&fixture);
    fixture_start(&fixture);
    assert_true(
        client_open(&client, &fixture, &(struct client_options){ .version = TLS1_2_VERSION }));
    SSL_renegotiate(client.ssl);
    assert_int_not_equal(1, SSL_do_handshake(client.ssl));
    client_close(&client);
    fixture_stop(&fixture);
}

/* Two loops: a session made on one must be known on the other.  Also: a resumed client is the same
 * client, with all its names. */
static void sessions_are_resumed(void **state)
{
    const enum client_auth modes[] = { CLIENT_AUTH_OFF, CLIENT_AUTH_REQUIRE };
    const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct client_options options = { .certificate = "client", .version = versions[i % 2] };
        struct fixture fixture;
        struct client client;
        fixture_init(&fixture);
        fixture.loop_count = 2;
        fixture.settings.tls.client_auth = modes[i / 2];
        fixture_start(&fixture);
        for (int round = 0; round < 6; round++) {
            assert_true(client_open(&client, &fixture, &options));
            client_send_text(&client, GET_PEER);
            assert_reply(&client, i < 2 ? NOBODY : NAMES);
            assert_int_equal(round > 0, SSL_session_reused(client.ssl));
            SSL_SESSION_free(options.session);
            options.session = SSL_get1_session(client.ssl); /* a ticket of TLS 1.3 is used once */
            SSL_shutdown(client.ssl);
            client_close(&client);
        }
        SSL_SESSION_free(options.session);
        fixture_stop(&fixture);
    }
}

static void server_name(struct client *client, char *name, size_t size)
{
    X509 *certificate = SSL_get1_peer_certificate(client->ssl);
    assert_non_null(certificate);
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, (int)size);
    X509_free(certificate);
}

static void copy_file(const char *from, const char *to)
{
    char command[300];
    snprintf(command, sizeof command, "cp '%s' '%s'", certificate_path(from), certificate_path(to));
    assert_int_equal(0, system(command));
}

static void a_reload_changes_the_certificate_of_later_handshakes(void **state)
{
    struct fixture fixture;
    struct client before, after;
    struct err err;
    char name[64];
    (void)state;
    copy_file("server.pem", "used.pem");
    copy_file("server.key", "used.key");
    fixture_init(&fixture);
    fixture.settings.tls.certificate_file = certificate_path("used.pem");
    fixture.settings.tls.key_file = certificate_path("used.key");
    fixture_start(&fixture);
    assert_true(client_open(&before, &fixture, &(struct client_options){ 0 }));
    server_name(&before, name, sizeof name);
    assert_string_equal("localhost", name);

    copy_file("server2.pem", "used.pem"); /* half a change: the key is not its key */
    assert_false(server_reload_tls(fixture.server, &err));
    assert_int_equal(ERR_INVALID, err.code);
    assert_true(client_open(&after, &fixture, &(struct client_options){ 0 }));
    server_name(&after, name, sizeof name);
    assert_string_equal("localhost", name);
    client_close(&after);

    copy_file("server2.key", "used.key");
    assert_true(server_reload_tls(fixture.server, &err));
    usleep(20000); /* the loops take their new contexts */
    assert_true(client_open(&after, &fixture, &(struct client_options){ 0 }));
    server_name(&after, name, sizeof name);
    assert_string_equal("second", name);
    client_send_text(&before, GET_PEER); /* a connection that stands is not touched */
    assert_reply(&before, NOBODY);
    client_close(&before);
    client_close(&after);
    fixture_stop(&fixture);
}

static const struct settings_case {
    const char *name, *certificate, *key, *client_ca;
    enum client_auth client_auth;
    enum err_code code;
    const char *what;
} settings_cases[] = {
    { "no such certificate", "none.pem", "server.key", NULL, CLIENT_AUTH_OFF, ERR_INVALID,
      "the certificate does not load" },
    { "no such key", "server.pem", "none.key", NULL, CLIENT_AUTH_OFF, ERR_INVALID,
      "the key does not load" },
    { "a key of another certificate", "server.pem", "server2.key", NULL, CLIENT_AUTH_OFF,
      ERR_INVALID, "the key does not load" },
    { "no client CA", "server.pem", "server.key", NULL, CLIENT_AUTH_REQUIRE, ERR_REQUIRED,
      "client certificates need a client CA file" },
    { "no such client CA", "server.pem", "server.key", "none.pem", CLIENT_AUTH_REQUEST, ERR_INVALID,
      "the client CA does not load" },
};

static void settings_are_refused(void **state)
{
    const struct settings_case *c = *state;
    struct fixture fixture;
    struct loop *loop;
    struct err err;
    fixture_init(&fixture);
    fixture.settings.tls = (struct tls_settings){
        .certificate_file = certificate_path(c->certificate),
        .key_file = certificate_path(c->key),
        .client_ca_file = c->client_ca != NULL ? certificate_path(c->client_ca) : NULL,
        .client_auth = c->client_auth,
    };
    assert_true(loop_open("test", &loop, &err));
    assert_false(server_open(&fixture.settings, &loop, 1, &fixture.server, &err));
    assert_int_equal(c->code, err.code);
    assert_memory_equal(c->what, err.what, strlen(c->what));
    loop_close(loop);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(plain_http_on_a_tls_port_is_closed),
        cmocka_unit_test(a_connection_without_a_byte_is_no_failure),
        cmocka_unit_test(a_handshake_broken_off_is_a_failure),
        cmocka_unit_test(renegotiation_is_refused),
        cmocka_unit_test(sessions_are_resumed),
        cmocka_unit_test(a_reload_changes_the_certificate_of_later_handshakes),
    };
    struct CMUnitTest tests[COUNT_OF(cases) + COUNT_OF(settings_cases) + COUNT_OF(others)];
    size_t n = 0;
    if (!has_openssl_command())
        return 0;
    for (size_t i = 0; i < COUNT_OF(cases); i++) /* one reported test per row */
        tests[n++] = (struct CMUnitTest){ .name = cases[i].name,
                                          .test_func = peer_is_seen_as,
                                          .initial_state = (void *)(uintptr_t)&cases[i] };
    for (size_t i = 0; i < COUNT_OF(settings_cases); i++)
        tests[n++] = (struct CMUnitTest){ .name = settings_cases[i].name,
                                          .test_func = settings_are_refused,
                                          .initial_state = (void *)(uintptr_t)&settings_cases[i] };
    memcpy(tests + n, others, sizeof others);
    return cmocka_run_group_tests_name("net_tls", tests, make_certificates, remove_certificates);
}
