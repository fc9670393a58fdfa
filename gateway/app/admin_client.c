#include "app/admin_client.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/text.h"

/* An address that listens everywhere is asked on loopback. */
static const char *address_to_ask(const char *listens_on)
{
    if (strcmp(listens_on, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(listens_on, "::") == 0 ? "::1" : listens_on;
}

static int connect_to(const struct config_address *admin, unsigned timeout_ms)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    const struct timeval limit = { timeout_ms / 1000, (suseconds_t)(timeout_ms % 1000) * 1000 };
    struct addrinfo *found = NULL;
    char port[8];
    int fd = -1;

    text_add(&TEXT(port), "%u", admin->port);
    if (getaddrinfo(address_to_ask(admin->address), port, &hints, &found) != 0)
        return -1;
    for (struct addrinfo *each = found; each != NULL && fd < 0; each = each->ai_next) {
        fd = socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC, each->ai_protocol);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        if (connect(fd, each->ai_addr, each->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

static bool send_all(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes = slice_skip(bytes, (size_t)sent);
    }
    return true;
}

static bool write_request(int fd, const struct admin_request *request)
{
    struct buffer out;
    buffer_init(&out, (size_t)16 * 1024 * 1024);
    buffer_format(&out, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
                  request->method, request->path);
    if (request->token.len > 0)
        buffer_format(&out, "Authorization: Bearer %.*s\r\n", SLICE_ARGS(request->token));
    if (request->body.len > 0)
        buffer_format(&out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                      request->body.len);
    buffer_add(&out, SLICE("\r\n"));
    buffer_add(&out, request->body);
    bool is_sent = !buffer_overflowed(&out) && send_all(fd, buffer_slice(&out));
    buffer_fini(&out);
    return is_sent;
}

/* The listener ends the connection behind its answer. */
static bool read_answer(int fd, struct buffer *out)
{
    for (;;) {
        char *room = buffer_room(out, 64 * 1024);
        ssize_t got = room != NULL ? recv(fd, room, 64 * 1024, 0) : -1;
        if (got <= 0)
            return got == 0;
        buffer_grew(out, (size_t)got);
    }
}

/* Leaves the body in `out`. */
static int take_status(struct buffer *out)
{
    struct slice all = buffer_slice(out);
    const char *end = all.len > 0 ? memmem(all.at, all.len, "\r\n\r\n", 4) : NULL;
    if (end == NULL || !slice_starts(all, SLICE("HTTP/1.1 ")) || all.len < 12)
        return 0;
    int status = (all.at[9] - '0') * 100 + (all.at[10] - '0') * 10 + (all.at[11] - '0');
    size_t head = (size_t)(end - all.at) + 4;
    memmove(out->at, out->at + head, out->len - head);
    out->len -= head;
    return status;
}

bool admin_ask(const struct config_address *admin, const struct admin_request *request, int *status,
               struct buffer *out, struct err *err)
{
    int fd = connect_to(admin, request->timeout_ms);
    if (fd < 0)
        return err_fail(err, ERR_STORAGE, "", "nothing answers at %s port %u", admin->address,
                        admin->port);
    bool is_whole = write_request(fd, request) && read_answer(fd, out);
    close(fd);
    *status = is_whole ? take_status(out) : 0;
    return *status != 0 ||
           err_fail(err, ERR_STORAGE, "", "no whole answer within %u ms", request->timeout_ms);
}
