/* HTTP over real sockets, plain and TLS: what a client sends and what it gets. */
#include "net_fixture.h"

#define HOST "Host: a\r\n"

static const struct exchange_case {
    const char *name, *sent;
    const char *replies; /* "close" on the last line: then the connection ends */
    bool is_head;        /* the last reply answers HEAD */
} cases[] = {
    { "one GET", "GET /x HTTP/1.1\r\n" HOST "\r\n", "200 keep [GET /x ]\n", false },
    { "a POST with a body", "POST /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
      "200 keep [POST /x abc]\n", false },
    { "a chunked body",
      "POST /x HTTP/1.1\r\n" HOST
      "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
      "200 keep [POST /x abc]\n", false },
    { "three pipelined requests",
      "GET /1 HTTP/1.1\r\n" HOST "\r\nPOST /2 HTTP/1.1\r\n" HOST
      "Content-Length: 1\r\n\r\nxGET /3 HTTP/1.1\r\n" HOST "\r\n",
      "200 keep [GET /1 ]\n200 keep [POST /2 x]\n200 keep [GET /3 ]\n", false },
    { "pipelined behind one that takes its time",
      "GET /later HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n"
      "GET /later HTTP/1.1\r\n" HOST "\r\nGET /4 HTTP/1.1\r\n" HOST "\r\n",
      "200 keep [GET /later ]\n200 keep [GET /2 ]\n200 keep [GET /later ]\n200 keep [GET /4 ]\n",
      false },
    { "HEAD keeps the length", "HEAD /x HTTP/1.1\r\n" HOST "\r\n", "200 keep (8)\n", true },
    { "HTTP/1.0 ends", "GET /x HTTP/1.0\r\n\r\n", "200 close [GET /x ]\n", false },
    { "HTTP/1.0 may stay",
      "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /y HTTP/1.0\r\n\r\n",
      "200 keep [GET /x ]\n200 close [GET /y ]\n", false },
    { "Connection: close ends, what follows is not served",
      "GET /x HTTP/1.1\r\n" HOST "Connection: close\r\n\r\nGET /y HTTP/1.1\r\n" HOST "\r\n",
      "200 close [GET /x ]\n", false },
    { "the handler may end it", "GET /close HTTP/1.1\r\n" HOST "\r\n", "200 close [GET /close ]\n",
      false },
    { "a reply of many records", "GET /big HTTP/1.1\r\n" HOST "\r\nGET /x HTTP/1.1\r\n" HOST "\r\n",
      "200 keep <3145728>\n200 keep [GET /x ]\n", false },
    { "broken HTTP is refused, with a body", "GET /x HTTP/1.1\nHost: a\n\n",
      "400 close [refused: headers]\n", false },
    { "a refusal behind a good request", "GET /x HTTP/1.1\r\n" HOST "\r\nNONSENSE\r\n\r\n",
      "200 keep [GET /x ]\n501 close [refused: request line]\n", false },
    { "a body announced too long", "POST /x HTTP/1.1\r\n" HOST "Content-Length: 102401\r\n\r\n",
      "413 close [refused: body]\n", false },
    { "the same with Expect: no 100",
      "POST /x HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 102401\r\n\r\n",
      "413 close [refused: body]\n", false },
    { "length and coding together",
      "POST /x HTTP/1.1\r\n" HOST
      "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
      "400 close [refused: header Content-Length]\n", false },
};

static void replies_read_as(const struct exchange_case *c, bool is_plain, size_t step)
{
    struct fixture fixture;
    struct client client;
    char text[2048] = "";
    struct text out = TEXT(text);

    fixture_init(&fixture);
    fixture.settings.tls.is_plain = is_plain;
    fixture_start(&fixture);
    assert_true(client_open(&client, &fixture, &(struct client_options){ .is_plain = is_plain }));
    for (struct slice rest = slice_of(c->sent); rest.len > 0;) {
        size_t part = rest.len < step ? rest.len : step;
        client_send(&client, (struct slice){ rest.at, part });
        rest = slice_skip(rest, part);
    }
    for (const char *line = c->replies; *line != '\0'; line = strchr(line, '\n') + 1) {
        if (!client_reply(&client, c->is_head, &out))
            break;
    }
    assert_string_equal(c->replies, text);
    if (strstr(text, " close ") != NULL)
        assert_true(client_is_at_end(&client));
    client_close(&client);
    fixture_stop(&fixture);
}

static void exchange_reads_as(void **state)
{
    replies_read_as(*state, false, SIZE_MAX);
    replies_read_as(*state, false, 5);
    replies_read_as(*state, true, SIZE_MAX);
    replies_read_as(*state, true, 5);
}

static void a_body_is_asked_for_with_100(void **state)
{
    struct fixture fixture;
    struct client client;
    (void)state;
    fixture_init(&fixture);
    fixture_start(&fixture);
    assert_true(client_open(&client, &fixture, &(struct client_options){ 0 }));
    client_send_text(&client, "POST /x HTTP/1.1\r\n" HOST
                              "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_true(client_receive(&client));
    assert_string_equal("HTTP/1.1 100 Continue\r\n\r\n", client.bytes);
    client_drop(&client, client.len);
    client_send_text(&client, "ab");
    assert_reply(&client, "200 keep [POST /x ab]\n");
    client_close(&client);
    fixture_stop(&fixture);
}

static void a_long_body_arrives_whole(void **state)
{
    static char body[100 * 1024];
    static char echo[sizeof body + 64];
    struct fixture fixture;
    struct client client;
    struct text out = TEXT(echo);
    (void)state;
    fixture_init(&fixture);
    fixture_start(&fixture);
    assert_true(client_open(&client, &fixture, &(struct client_options){ 0 }));
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)('a' + i % 26);
    client_send_text(&client, "POST /x HTTP/1.1\r\n" HOST "Content-Length: 102400\r\n\r\n");
    client_send(&client, (struct slice){ body, sizeof body });
    assert_true(client_reply(&client, false, &out));
    assert_string_equal("200 keep <102408>\n", echo);
    client_close(&client);
    fixture_stop(&fixture);
}

/* The client is still sending when the refusal comes: it must be able to read it. */
static void a_refusal_survives_what_is_still_being_sent(void **state)
{
    static char body[1024 * 1024];
    struct fixture fixture;
    struct client client;
    (void)state;
    fixture_init(&fixture);
    fixture_start(&fixture);
    memset(body, 'x', sizeof body);
    for (int is_plain = 0; is_plain < 2; is_plain++) {
        if (is_plain == 1) {
            fixture_stop(&fixture);
            fixture_init(&fixture);
            fixture.settings.tls.is_plain = true;
            fixture_start(&fixture);
        }
        assert_true(
            client_open(&client, &fixture, &(struct client_options){ .is_plain = is_plain == 1 }));
        client_send_text(&client, "POST /x HTTP/1.1\r\n" HOST "Content-Length: 1048576\r\n\r\n");
        client_send(&client, (struct slice){ body, sizeof body });
        assert_reply(&client, "413 close [refused: body]\n");
        client_close(&client);
    }
    fixture_stop(&fixture);
}

static void a_long_head_gets_431(void **state)
{
    char head[1200];
    struct fixture fixture;
    struct client client;
    (void)state;
    fixture_init(&fixture);
    fixture_start(&fixture);
    assert_true(client_open(&client, &fixture, &(struct client_options){ 0 }));
    memset(head, 'a', sizeof head);
    memcpy(head, "GET /", 5);
    client_send(&client, (struct slice){ head, sizeof head });
    assert_reply(&client, "431 close [refused: headers]\n");
    assert_true(client_is_at_end(&client));
    client_close(&client);
    fixture_stop(&fixture);
}

/* Thousands of requests in one go: neither the stack nor the memory may grow with them. */
static void many_pipelined_requests_are_answered_in_order(void **state)
{
    const char *const paths[] = { "/x", "/later" };
    enum { REQUESTS = 2000 };
    static char sent[REQUESTS * 40];
    (void)state;
    for (size_t p = 0; p < COUNT_OF(paths); p++) {
        struct fixture fixture;
        struct client client;
        struct text text = TEXT(sent);
        fixture_init(&fixture);
        fixture_start(&fixture);
        assert_true(client_open(&client, &fixture, &(struct client_options){ 0 }));
        for (int i = 0; i < REQUESTS; i++)
            text_add(&text, "GET %s HTTP/1.1\r\n" HOST "\r\n", paths[p]);
        client_send(&client, text_slice(&text));
        for (int i = 0; i < REQUESTS; i++)
            assert_reply(&client, p == 0 ? "200 keep [GET /x ]\n" : "200 keep [GET /later ]\n");
        assert_int_equal(REQUESTS, server_counts(fixture.server).requests);
        client_close(&client);
        fixture_stop(&fixture);
    }
}

static void a_peer_may_leave_while_its_request_is_worked_on(void **state)
{
    struct fixture fixture;
    struct client client;
    (void)state;
    fixture_init(&fixture);
    fixture_start(&fixture);
    assert_true(client_open(&client, &fixture, &(struct client_options){ 0 }));
    client_send_text(&client, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    await_number(&fixture.held, 1);
    const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
    setsockopt(client.handle, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    client_close(&client);
    usleep(50000); /* the reset arrives; the exchange must stay */
    assert_int_equal(1, server_counts(fixture.server).open);
    loop_post(fixture.loops[0], &fixture.release);
    await_open(&fixture, 0);
    fixture_stop(&fixture);
}

static void a_peer_that_has_only_finished_sending_gets_its_reply(void **state)
{
    struct fixture fixture;
    struct client client;
    (void)state;
    fixture_init(&fixture);
    fixture.settings.tls.is_plain = true;
    fixture_start(&fixture);
    assert_true(client_open(&client, &fixture, &(struct client_options){ .is_plain = true }));
    client_send_text(&client, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    await_number(&fixture.held, 1);
    shutdown(client.handle, SHUT_WR);
    usleep(20000);
    loop_post(fixture.loops[0], &fixture.release);
    assert_reply(&client, "200 close [GET /hold ]\n");
    assert_true(client_is_at_end(&client));
    client_close(&client);
    await_open(&fixture, 0);
    fixture_stop(&fixture);
}

static void connections_past_the_limit_are_closed_and_counted(void **state)
{
    struct fixture fixture;
    struct client first, second;
    (void)state;
    fixture_init(&fixture);
    fixture.settings.limits.connections_max = 1;
    fixture_start(&fixture);
    assert_true(client_open(&first, &fixture, &(struct client_options){ 0 }));
    client_connect(&second, server_port(fixture.server));
    assert_true(client_is_at_end(&second));
    client_close(&second);
    assert_int_equal(1, server_counts(fixture.server).refused_busy);
    client_send_text(&first, "GET /x HTTP/1.1\r\n" HOST "\r\n"); /* the first is not disturbed */
    assert_reply(&first, "200 keep [GET /x ]\n");
    client_close(&first);
    await_open(&fixture, 0);
    assert_true(client_open(&second, &fixture, &(struct client_options){ 0 }));
    client_close(&second);
    fixture_stop(&fixture);
}

static void replies_carry_date_and_type(void **state)
{
    struct fixture fixture;
    struct client client;
    (void)state;
    fixture_init(&fixture);
    fixture_start(&fixture);
    assert_true(client_open(&client, &fixture, &(struct client_options){ 0 }));
    client_send_text(&client, "GET /x HTTP/1.1\r\n\r\n");
    assert_true(client_receive(&client));
    assert_non_null(strstr(client.bytes, "\r\nDate: "));
    assert_non_null(strstr(client.bytes, " GMT\r\n"));
    assert_non_null(
        strstr(client.bytes, "\r\nContent-Type: application/fhir+json; charset=utf-8\r\n"));
    client_close(&client);
    fixture_stop(&fixture);
}

static void two_loops_share_a_port(void **state)
{
    struct fixture fixture;
    struct client clients[16];
    (void)state;
    fixture_init(&fixture);
    fixture.loop_count = 2;
    fixture_start(&fixture);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        assert_true(client_open(&clients[i], &fixture, &(struct client_options){ 0 }));
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        client_send_text(&clients[i], "GET /later HTTP/1.1\r\n" HOST "\r\n");
        assert_reply(&clients[i], "200 keep [GET /later ]\n");
        client_close(&clients[i]);
    }
    assert_int_equal(16, server_counts(fixture.server).accepted);
    fixture_stop(&fixture);
}

static void a_port_in_use_is_an_error(void **state)
{
    struct fixture fixture;
    struct server *second;
    struct loop *loop;
    struct err err;
    (void)state;
    fixture_init(&fixture);
    fixture_start(&fixture);
    assert_true(loop_open("test", &loop, &err));
    fixture.settings.port = server_port(fixture.server);
    assert_false(server_open(&fixture.settings, &loop, 1, &second, &err));
    assert_int_equal(ERR_CONFLICT, err.code);
    fixture.settings.address = "localhost";
    assert_false(server_open(&fixture.settings, &loop, 1, &second, &err));
    assert_string_equal("this is not an IPv4 or IPv6 address", err.what);
    loop_close(loop);
    fixture_stop(&fixture);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(a_body_is_asked_for_with_100),
        cmocka_unit_test(a_long_body_arrives_whole),
        cmocka_unit_test(a_refusal_survives_what_is_still_being_sent),
        cmocka_unit_test(a_long_head_gets_431),
        cmocka_unit_test(many_pipelined_requests_are_answered_in_order),
        cmocka_unit_test(a_peer_may_leave_while_its_request_is_worked_on),
        cmocka_unit_test(a_peer_that_has_only_finished_sending_gets_its_reply),
        cmocka_unit_test(connections_past_the_limit_are_closed_and_counted),
        cmocka_unit_test(replies_carry_date_and_type),
        cmocka_unit_test(two_loops_share_a_port),
        cmocka_unit_test(a_port_in_use_is_an_error),
    };
    struct CMUnitTest tests[COUNT_OF(cases) + COUNT_OF(others)];
    if (!has_openssl_command())
        return 0;
    for (size_t i = 0; i < COUNT_OF(cases); i++) /* one reported test per row */
        tests[i] = (struct CMUnitTest){ .name = cases[i].name,
                                        .test_func = exchange_reads_as,
                                        .initial_state = (void *)(uintptr_t)&cases[i] };
    memcpy(tests + COUNT_OF(cases), others, sizeof others);
    return cmocka_run_group_tests_name("net_http", tests, make_certificates, remove_certificates);
}
