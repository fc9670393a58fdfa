/* outbox/transport.c
 *
 *   curl: "watch socket 7 for reading" -> on_socket() -> uv_poll     -> on_ready() --+
 *   curl: "call me in 40 ms"           -> on_timer()  -> uv_timer    -> on_due()   --+--> act()
 *   act() lets curl work, and hands finished exchanges to their owners.
 */
#include "outbox/transport.h"

#include "base/pool.h"

struct watch {
    uv_poll_t poll;
    struct transport *transport;
    curl_socket_t socket;
};

static void collect(struct transport *transport)
{
    int left = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(transport->multi, &left)) != NULL;) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result; /* the message dies with the removal */
        CURL *easy = message->easy_handle;
        struct transport_call *call = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&call);
        curl_multi_remove_handle(transport->multi, easy);
        call->done(call, code);
    }
}

static void act(struct transport *transport, curl_socket_t socket, int events)
{
    int running = 0;
    curl_multi_socket_action(transport->multi, socket, events, &running);
    collect(transport);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = CONTAINER_OF(poll, struct watch, poll);
    int flags = status < 0 ? CURL_CSELECT_ERR : 0;
    flags |= (events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0;
    flags |= (events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0;
    act(watch->transport, watch->socket, flags);
}

static void on_watch_closed(uv_handle_t *handle)
{
    pool_free(CONTAINER_OF(handle, struct watch, poll));
}

static struct watch *watch_new(struct transport *transport, curl_socket_t socket)
{
    struct watch *watch = pool_new(sizeof *watch);
    watch->transport = transport;
    watch->socket = socket;
    CHECK(uv_poll_init_socket(transport->uv, &watch->poll, socket) == 0);
    curl_multi_assign(transport->multi, socket, watch);
    return watch;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *arg, void *socket_arg)
{
    struct transport *transport = arg;
    struct watch *watch = socket_arg;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL) {
            uv_poll_stop(&watch->poll);
            curl_multi_assign(transport->multi, socket, NULL);
            uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
        }
        return 0;
    }
    if (watch == NULL)
        watch = watch_new(transport, socket);
    int events = (what & CURL_POLL_IN) != 0 ? UV_READABLE : 0;
    events |= (what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0;
    uv_poll_start(&watch->poll, events, on_ready);
    return 0;
}

static void on_due(uv_timer_t *timer)
{
    act(CONTAINER_OF(timer, struct transport, timer), CURL_SOCKET_TIMEOUT, 0);
}

/* curl may not be called from here, so even "now" goes through the timer. */
static int on_timer(CURLM *multi, long wait_ms, void *arg)
{
    struct transport *transport = arg;
    (void)multi;
    if (wait_ms < 0)
        uv_timer_stop(&transport->timer);
    else
        uv_timer_start(&transport->timer, on_due, (uint64_t)wait_ms, 0);
    return 0;
}

bool transport_open(struct transport *transport, uv_loop_t *uv, struct err *err)
{
    transport->uv = uv;
    transport->multi = curl_multi_init();
    if (transport->multi == NULL)
        return err_fail(err, ERR_STORAGE, "outbox", "libcurl does not start");
    CHECK(uv_timer_init(uv, &transport->timer) == 0);
    curl_multi_setopt(transport->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(transport->multi, CURLMOPT_SOCKETDATA, transport);
    curl_multi_setopt(transport->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(transport->multi, CURLMOPT_TIMERDATA, transport);
    return true;
}

bool transport_add(struct transport *transport, struct transport_call *call, struct err *err)
{
    curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
    CURLMcode code = curl_multi_add_handle(transport->multi, call->easy);
    if (code != CURLM_OK)
        return err_fail(err, ERR_PEER, "outbox", "%s", curl_multi_strerror(code));
    return true;
}

void transport_remove(struct transport *transport, struct transport_call *call)
{
    curl_multi_remove_handle(transport->multi, call->easy);
}

void transport_close(struct transport *transport)
{
    curl_multi_cleanup(transport->multi);
    transport->multi = NULL;
    uv_close((uv_handle_t *)&transport->timer, NULL);
}
