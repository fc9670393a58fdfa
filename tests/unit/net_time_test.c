/* Time limits and the drain: who is cut off, who is waited for. */
#include "net_fixture.h"

#include "net/deadline.h"

#define HOST "Host: a\r\n"

static const struct timeout_case {
    const char *name, *sent;
    unsigned header_ms, body_ms, idle_ms;
    const char *reply; /* "": the connection just ends */
    unsigned timeouts;
} cases[] = {
    { "no request at all", "", 9000, 9000, 100, "", 0 },
    { "half a request line", "GET /x", 100, 9000, 9000, "408 close [refused: request]\n", 1 },
    { "headers that never end", "GET /x HTTP/1.1\r\n" HOST, 100, 9000, 9000,
      "408 close [refused: request]\n", 1 },
    { "a body that never ends", "POST /x HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabc", 9000,
      100, 9000, "408 close [refused: request]\n", 1 },
    { "a second request that never ends", "GET /x HTTP/1.1\r\n" HOST "\r\nGET", 100, 9000, 9000,
      "200 keep [GET /x ]\n408 close [refused: request]\n", 1 },
    { "silence after a reply", "GET /x HTTP/1.1\r\n" HOST "\r\n", 9000, 9000, 100,
      "200 keep [GET /x ]\n", 0 },
};

static void times_out_as(void **state)
{
    const struct timeout_case *c = *state;
    struct fixture fixture;
    struct client client;
    char text[256] = "";
    struct text out = TEXT(text);
    fixture_init(&fixture);
    fixture.settings.limits.header_ms = c->header_ms;
    fixture.settings.limits.body_ms = c->body_ms;
    fixture.settings.limits.idle_ms = c->idle_ms;
    fixture_start(&fixture);
    assert_true(client_open(&client, &fixture, &(struct client_options){ 0 }));
    client_send_text(&client, c->sent);
    while (client_reply(&client, false, &out)) {
    }
    assert_string_equal(c->reply, text);
    assert_true(client_is_at_end(&client));
    assert_int_equal(c->timeouts, server_counts(fixture.server).timeouts);
    client_close(&client);
    fixture_stop(&fixture);
}

static int64_t now_ms(void) { return clock_monotonic_ns() / 1000000; }

/* One byte now and then does not buy time. */
static void a_header_that_trickles_is_cut_off(void **state)
{
    struct fixture fixture;
    struct client client;
    int64_t start = now_ms();
    (void)state;
    fixture_init(&fixture);
    fixture.settings.limits.header_ms = 200;
    fixture_start(&fixture);
    assert_true(client_open(&client, &fixture, &(struct client_options){ 0 }));
    client_send_text(&client, "GET /");
    for (int i = 0; i < 100 && server_counts(fixture.server).timeouts == 0; i++) {
        client_send_text(&client, "a");
        usleep(30000);
    }
    assert_int_equal(1, server_counts(fixture.server).timeouts);
    assert_in_range(now_ms() - start, 190, 2500);
    assert_reply(&client, "408 close [refused: request]\n");
    client_close(&client);
    fixture_stop(&fixture);
}

static void a_handshake_that_stalls_is_cut_off(void **state)
{
    const char *const sent[] = { "", "\x16\x03\x01" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sent); i++) {
        struct fixture fixture;
        struct client client;
        fixture_init(&fixture);
        fixture.settings.limits.handshake_ms = 100;
        fixture_start(&fixture);
        client_connect(&client, server_port(fixture.server));
        client_send_text(&client, sent[i]);
        assert_true(client_is_at_end(&client));
        await_number(&fixture.failures, 1);
        assert_string_equal("the handshake took too long", fixture.failure);
        assert_int_equal(1, server_counts(fixture.server).timeouts);
        client_close(&client);
        fixture_stop(&fixture);
    }
}

static void a_peer_that_does_not_read_is_cut_off(void **state)
{
    struct fixture fixture;
    struct client client;
    (void)state;
    fixture_init(&fixture);
    fixture.settings.limits.body_ms = 200;
    fixture_start(&fixture);
    assert_true(client_open(&client, &fixture, &(struct client_options){ 0 }));
    for (int i = 0; i < 8; i++) /* 24 MiB, more than any socket buffer takes */
        client_send_text(&client, "GET /big HTTP/1.1\r\n" HOST "\r\n");
    await_open(&fixture, 0);
    assert_int_equal(1, server_counts(fixture.server).timeouts);
    client_close(&client);
    fixture_stop(&fixture);
}

static void a_handler_may_take_its_time(void **state)
{
    struct fixture fixture;
    struct client client;
    (void)state;
    fixture_init(&fixture);
    fixture.settings.limits.header_ms = fixture.settings.limits.idle_ms = 100;
    fixture_start(&fixture);
    assert_true(client_open(&client, &fixture, &(struct client_options){ 0 }));
    client_send_text(&client, "GET /hold HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n");
    await_number(&fixture.held, 1);
    usleep(300000);
    loop_post(fixture.loops[0], &fixture.release);
    assert_reply(&client, "200 keep [GET /hold ]\n");
    assert_reply(&client, "200 keep [GET /2 ]\n");
    client_close(&client);
    fixture_stop(&fixture);
}

/* --- drain ------------------------------------------------------------------------------------- */

static void a_drain_lets_idle_connections_go_and_finishes_the_others(void **state)
{
    struct fixture fixture;
    struct client idle, busy, half;
    (void)state;
    fixture_init(&fixture);
    fixture.loop_count = 2;
    fixture_start(&fixture);
    assert_true(client_open(&idle, &fixture, &(struct client_options){ 0 }));
    assert_true(client_open(&busy, &fixture, &(struct client_options){ 0 }));
    assert_true(client_open(&half, &fixture, &(struct client_options){ 0 }));
    client_send_text(&idle, "GET /x HTTP/1.1\r\n" HOST "\r\n");
    assert_reply(&idle, "200 keep [GET /x ]\n");
    client_send_text(&half, "POST /x HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\na");
    usleep(20000);
    client_send_text(&busy, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    assert_reply(&busy, "200 keep [GET /later ]\n");
    client_send_text(&busy, "POST /later HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\na");
    usleep(20000);

    fixture_drain(&fixture, 10000);
    assert_true(client_is_at_end(&idle));
    usleep(150000);
    assert_int_equal(0, atomic_load(&fixture.drained)); /* it waits for the two */
    assert_false(client_can_connect(server_port(fixture.server)));
    client_send_text(&half, "b");
    assert_reply(&half, "200 close [POST /x ab]\n");
    assert_true(client_is_at_end(&half));
    client_close(&half);
    client_send_text(&busy, "b");
    assert_reply(&busy, "200 close [POST /later ab]\n");
    client_close(&busy);
    client_close(&idle);
    fixture_join(&fixture);
}

static void a_drain_waits_for_the_handler(void **state)
{
    struct fixture fixture;
    struct client client;
    (void)state;
    fixture_init(&fixture);
    fixture_start(&fixture);
    assert_true(client_open(&client, &fixture, &(struct client_options){ 0 }));
    client_send_text(&client, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    await_number(&fixture.held, 1);
    fixture_drain(&fixture, 10000);
    usleep(150000);
    assert_int_equal(0, atomic_load(&fixture.drained));
    loop_post(fixture.loops[0], &fixture.release);
    assert_reply(&client, "200 close [GET /hold ]\n");
    client_close(&client);
    fixture_join(&fixture);
}

static void a_drain_ends_with_its_grace(void **state)
{
    struct fixture fixture;
    struct client client;
    int64_t start;
    (void)state;
    fixture_init(&fixture);
    fixture_start(&fixture);
    assert_true(client_open(&client, &fixture, &(struct client_options){ 0 }));
    client_send_text(&client, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    await_number(&fixture.held, 1);
    start = now_ms();
    fixture_drain(&fixture, 200);
    fixture_join(&fixture); /* frees the exchange that no handler finished */
    assert_in_range(now_ms() - start, 190, 2500);
    client_close(&client);
}

/* --- the lists behind it ----------------------------------------------------------------------- */

static void deadlines_come_due_in_order(void **state)
{
    struct deadlines deadlines;
    struct deadline first, second, patient;
    (void)state;
    deadlines_init(&deadlines);
    deadlines.limit_ms[DEADLINE_HEADER] = 100;
    deadline_add(&deadlines, &first, DEADLINE_HEADER, 1000);
    deadline_add(&deadlines, &second, DEADLINE_HEADER, 1050);
    deadline_add(&deadlines, &patient, DEADLINE_NONE, 0);
    assert_null(deadline_due(&deadlines, 1099));
    assert_ptr_equal(&first, deadline_due(&deadlines, 1100));
    deadline_set(&deadlines, &first, DEADLINE_HEADER, 1100); /* behind the second now */
    assert_ptr_equal(&second, deadline_due(&deadlines, 1199));
    deadline_remove(&second);
    assert_null(deadline_due(&deadlines, 1199));
    assert_ptr_equal(&first, deadline_due(&deadlines, 1200));
    assert_ptr_equal(&patient, deadline_first(&deadlines, DEADLINE_NONE));
    assert_null(deadline_first(&deadlines, DEADLINE_IDLE));
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(a_header_that_trickles_is_cut_off),
        cmocka_unit_test(a_handshake_that_stalls_is_cut_off),
        cmocka_unit_test(a_peer_that_does_not_read_is_cut_off),
        cmocka_unit_test(a_handler_may_take_its_time),
        cmocka_unit_test(a_drain_lets_idle_connections_go_and_finishes_the_others),
        cmocka_unit_test(a_drain_waits_for_the_handler),
        cmocka_unit_test(a_drain_ends_with_its_grace),
        cmocka_unit_test(deadlines_come_due_in_order),
    };
    struct CMUnitTest tests[COUNT_OF(cases) + COUNT_OF(others)];
    if (!has_openssl_command())
        return 0;
    for (size_t i = 0; i < COUNT_OF(cases); i++) /* one reported test per row */
        tests[i] = (struct CMUnitTest){ .name = cases[i].name,
                                        .test_func = times_out_as,
                                        .initial_state = (void *)(uintptr_t)&cases[i] };
    memcpy(tests + COUNT_OF(cases), others, sizeof others);
    return cmocka_run_group_tests_name("net_time", tests, make_certificates, remove_certificates);
}
