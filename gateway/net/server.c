/* net/server.c -- what all gates have in common: settings, certificates, port, life. */
#include <uv.h>

#include "base/pool.h"
#include "net/net_int.h"

/* --- certificates and ticket keys ------------------------------------------------------------- */

/* A new context or a new key on its way to a gate. */
struct gate_news {
    struct loop_task task;
    struct gate *gate;
    SSL_CTX *tls; /* NULL: only the key is new */
    struct tls_ticket_key key;
};

static void gate_take_news(struct loop_task *task)
{
    struct gate_news *news = CONTAINER_OF(task, struct gate_news, task);
    struct gate *gate = news->gate;
    if (news->tls != NULL) {
        SSL_CTX_free(gate->tls); /* handshakes that run keep theirs */
        gate->tls = news->tls;
    }
    if (!tls_context_is_shared(&gate->server->settings.tls))
        tls_context_set_ticket_key(gate->tls, &news->key);
    OPENSSL_cleanse(&news->key, sizeof news->key);
    pool_free(news);
}

static void gate_send_news(struct gate *gate, SSL_CTX *tls, const struct tls_ticket_key *key)
{
    struct gate_news *news = pool_new(sizeof *news);
    *news = (struct gate_news){ { gate_take_news, NULL }, gate, tls, *key };
    loop_post(gate->loop, &news->task);
}

static void ticket_key_new(struct tls_ticket_key *key)
{
    CHECK(uv_random(NULL, NULL, key->bytes, sizeof key->bytes, 0, NULL) == 0);
}

static void on_rotation(uv_timer_t *timer)
{
    struct server *server = CONTAINER_OF(timer, struct server, rotation);
    struct tls_ticket_key key;
    ticket_key_new(&key);
    for (unsigned i = 0; i < server->gate_count; i++)
        gate_send_news(&server->gates[i], NULL, &key);
    OPENSSL_cleanse(&key, sizeof key);
}

static bool has_tickets(const struct server *server)
{
    const struct tls_settings *tls = &server->settings.tls;
    return !tls->is_plain && !tls_context_is_shared(tls);
}

void server_rotation_start(struct server *server)
{
    const uint64_t period_ms = NET_TICKET_KEY_S * UINT64_C(1000);
    CHECK(uv_timer_init(loop_uv(server->gates[0].loop), &server->rotation) == 0);
    if (has_tickets(server))
        uv_timer_start(&server->rotation, on_rotation, period_ms, period_ms);
}

void server_rotation_stop(struct server *server)
{
    uv_close((uv_handle_t *)&server->rotation, NULL);
}

static void contexts_free(SSL_CTX **contexts, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        SSL_CTX_free(contexts[i]);
    pool_free(contexts);
}

/* One context per gate, or references to one; all of them or none. */
static bool contexts_new(const struct server *server, SSL_CTX ***out, struct err *err)
{
    const struct tls_settings *tls = &server->settings.tls;
    SSL_CTX **contexts = pool_new(server->gate_count * sizeof(SSL_CTX *));
    for (unsigned i = 0; i < server->gate_count; i++) {
        if (i > 0 && tls_context_is_shared(tls)) {
            CHECK(SSL_CTX_up_ref(contexts[0]) == 1);
            contexts[i] = contexts[0];
        } else if (!tls_context_new(tls, &contexts[i], err)) {
            contexts_free(contexts, i);
            return false;
        }
    }
    *out = contexts;
    return true;
}

bool server_reload_tls(struct server *server, struct err *err)
{
    SSL_CTX **contexts;
    struct tls_ticket_key key;
    if (server->settings.tls.is_plain)
        return true;
    if (!contexts_new(server, &contexts, err))
        return false;
    ticket_key_new(&key);
    for (unsigned i = 0; i < server->gate_count; i++)
        gate_send_news(&server->gates[i], contexts[i], &key);
    OPENSSL_cleanse(&key, sizeof key);
    pool_free(contexts);
    return true;
}

static bool open_tls(struct server *server, struct err *err)
{
    SSL_CTX **contexts;
    struct tls_ticket_key key;
    if (server->settings.tls.is_plain)
        return true;
    if (!contexts_new(server, &contexts, err))
        return false;
    ticket_key_new(&key);
    for (unsigned i = 0; i < server->gate_count; i++) {
        server->gates[i].tls = contexts[i];
        if (has_tickets(server))
            tls_context_set_ticket_key(contexts[i], &key);
    }
    OPENSSL_cleanse(&key, sizeof key);
    pool_free(contexts);
    return true;
}

/* --- life ------------------------------------------------------------------------------------- */

static char *text_copy(const char *text)
{
    if (text == NULL)
        return NULL;
    size_t size = strlen(text) + 1;
    char *copy = pool_new(size);
    memcpy(copy, text, size);
    return copy;
}

static struct server *server_new(const struct server_settings *settings, struct loop **loops,
                                 unsigned loop_count)
{
    struct server *server = pool_new(sizeof *server);
    server->settings = *settings;
    server->limits = settings->limits;
    server->address = text_copy(settings->address);
    server->certificate_file = text_copy(settings->tls.certificate_file);
    server->key_file = text_copy(settings->tls.key_file);
    server->client_ca_file = text_copy(settings->tls.client_ca_file);
    server->settings.address = server->address;
    server->settings.tls.certificate_file = server->certificate_file;
    server->settings.tls.key_file = server->key_file;
    server->settings.tls.client_ca_file = server->client_ca_file;
    server->bio_method = tls_bio_method();
    server->gate_count = loop_count;
    server->gates = pool_new(loop_count * sizeof *server->gates);
    for (unsigned i = 0; i < loop_count; i++)
        gate_init(&server->gates[i], server, loops[i]);
    return server;
}

static bool bind_gates(struct server *server, struct err *err)
{
    server->port = server->settings.port;
    for (unsigned i = 0; i < server->gate_count; i++) {
        if (!gate_bind(&server->gates[i], server->port, err))
            return false;
        server->port = gate_port(&server->gates[0]); /* the others join the first */
    }
    return true;
}

bool server_open(const struct server_settings *settings, struct loop **loops, unsigned loop_count,
                 struct server **out, struct err *err)
{
    CHECK(loop_count > 0);
    CHECK(settings->handler != NULL);
    struct server *server = server_new(settings, loops, loop_count);
    if (!open_tls(server, err) || !bind_gates(server, err)) {
        server_close(server);
        return false;
    }
    for (unsigned i = 0; i < loop_count; i++)
        loop_post(loops[i], &server->gates[i].open_task);
    *out = server;
    return true;
}

uint16_t server_port(const struct server *server) { return server->port; }

void server_drain(struct server *server, unsigned grace_ms, void (*done)(void *arg), void *arg)
{
    server->drain_grace_ms = grace_ms; /* the mailbox's mutex hands these over */
    server->drained = done;
    server->drained_arg = arg;
    for (unsigned i = 0; i < server->gate_count; i++)
        loop_post(server->gates[i].loop, &server->gates[i].drain_task);
}

static uint64_t count_of(const _Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

struct server_counts server_counts(const struct server *server)
{
    struct server_counts sum = { 0 };
    for (unsigned i = 0; i < server->gate_count; i++) {
        const struct gate_counts *counts = &server->gates[i].counts;
        sum.accepted += count_of(&counts->accepted);
        sum.open += count_of(&counts->open);
        sum.handshake_failures += count_of(&counts->handshake_failures);
        sum.requests += count_of(&counts->requests);
        sum.refused_busy += count_of(&counts->refused_busy);
        sum.timeouts += count_of(&counts->timeouts);
    }
    return sum;
}

void server_close(struct server *server)
{
    for (unsigned i = 0; i < server->gate_count; i++)
        gate_fini(&server->gates[i]);
    pool_free(server->gates);
    BIO_meth_free(server->bio_method);
    pool_free(server->address);
    pool_free(server->certificate_file);
    pool_free(server->key_file);
    pool_free(server->client_ca_file);
    pool_free(server);
}
