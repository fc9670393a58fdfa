/* http/message.h -- one HTTP request and one reply, as values.
 *
 * Owns      slices of a request borrow from the connection until the reply is finished; slices of a
 *           reply must live in the exchange's arena (or be static).
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#define HTTP_HEADERS_MAX 64

/* clang-format off */
#define HTTP_METHOD_TABLE(X) \
    X(GET) X(HEAD) X(POST) X(PUT) X(DELETE) X(PATCH) X(OPTIONS) X(OTHER)
/* clang-format on */

enum http_verb {
#define X(name) VERB_##name,
    HTTP_METHOD_TABLE(X)
#undef X
};
const char *http_verb_name(enum http_verb verb);

struct http_header {
    struct slice name, value;
};

struct http_request {
    enum http_verb verb;
    struct slice target; /* as sent: "/fhir/Patient?_id=1" */
    struct slice path;   /* before '?', not decoded */
    struct slice query;  /* behind '?', not decoded */
    struct http_header headers[HTTP_HEADERS_MAX];
    unsigned header_count;
    struct slice body;
};

struct http_reply {
    int status;
    struct http_header headers[16];
    unsigned header_count; /* Content-Length, Date and Connection are added by the server */
    struct slice body;
    bool close; /* end the connection after this reply */
};

/* The first header of that name (case-insensitive), or an empty slice with at == NULL. */
struct slice http_header_find(const struct http_request *request, const char *name);
/* A line break in `value` is a programmer error: check what a peer had a say in. */
void http_reply_header(struct http_reply *reply, const char *name, struct slice value);
/* Percent-decoding into `arena`; '+' becomes a space when `is_query`. */
bool http_decode(struct slice text, bool is_query, struct arena *arena, struct slice *out,
                 struct err *err) MUST_USE;
/* The next name=value of a query, decoded (or as sent, where it cannot be); false at the end. */
bool http_query_next(struct slice *query, struct arena *arena, struct slice *name,
                     struct slice *value);
