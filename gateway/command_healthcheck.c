/* Asks the admin listener of the same configuration that the gateway runs with, so that a changed
 * port cannot make the answer a lie. */
#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/text.h"
#include "command.h"

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

/* The status of GET /health/ready; 0 when there was no whole answer. */
static int ask(int fd)
{
    static const char request[] =
        "GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char reply[512];
    size_t used = 0;

    if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) != (ssize_t)sizeof request - 1)
        return 0;
    while (used < sizeof reply - 1) {
        ssize_t got = recv(fd, reply + used, sizeof reply - 1 - used, 0);
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    reply[used] = '\0';
    if (used < 12 || memcmp(reply, "HTTP/1.1 ", 9) != 0)
        return 0;
    return (reply[9] - '0') * 100 + (reply[10] - '0') * 10 + (reply[11] - '0');
}

static int check_health(const struct config *config, unsigned timeout_ms)
{
    int fd = connect_to(&config->admin, timeout_ms);

    if (fd < 0) {
        fprintf(stderr, "nothing answers at %s port %u\n", config->admin.address,
                config->admin.port);
        return EXIT_REFUSED;
    }
    int status = ask(fd);
    close(fd);
    if (status == 200) {
        puts("ready");
        return EXIT_DONE;
    }
    if (status == 0)
        fprintf(stderr, "no whole answer within %u ms\n", timeout_ms);
    else
        fprintf(stderr, "not ready: HTTP %d\n", status);
    return EXIT_REFUSED;
}

int command_healthcheck(int argc, char **argv)
{
    const char *file = NULL;
    unsigned timeout_ms = 2000;
    const struct option_row rows[] = {
        COMMAND_CONFIG_OPTION(&file),
        { "--timeout-ms", "N", OPTION_NUMBER, &timeout_ms, NULL,
          "how long to wait for the answer (default: 2000)" },
    };
    const struct command_page page = {
        .name = "lifeline healthcheck",
        .about = "Asks a running gateway whether it is ready, at the admin address of the same\n"
                 "configuration.  Exit status: 0 ready, 1 not.",
        .options = rows,
        .option_count = COUNT_OF(rows),
    };
    struct operands operands;
    struct config config;
    struct arena arena;
    int status = EXIT_DONE;

    if (!options_read(&page, argc, argv, &operands, &status))
        return status;
    arena_init(&arena, CONFIG_ARENA_BYTES);
    status =
        command_config(file, &arena, &config) ? check_health(&config, timeout_ms) : EXIT_REFUSED;
    arena_fini(&arena);
    return status;
}
