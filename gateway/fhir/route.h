/* fhir/route.h -- what a request asks for, from one table that /metadata is generated from as well.
 *
 * Errors    ERR_NOT_FOUND (unknown path or type), ERR_METHOD (known type, interaction not offered:
 *           *allow then lists what is), ERR_NOT_ACCEPTABLE, ERR_MEDIA_TYPE.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "domain/fhir_type.h"
#include "http/message.h"

/* clang-format off */
#define FHIR_INTERACTION_TABLE(X)                                            \
    /*  name              code in CapabilityStatement */                     \
    X(CAPABILITIES,       "capabilities")                                    \
    X(BUNDLE,             "transaction") /* and batch: the body decides */   \
    X(READ,               "read")                                            \
    X(VREAD,              "vread")                                           \
    X(HISTORY,            "history-instance")                                \
    X(HISTORY_TYPE,       "history-type")                                    \
    X(HISTORY_SYSTEM,     "history-system")                                  \
    X(CREATE,             "create")                                          \
    X(UPDATE,             "update")                                          \
    X(CONDITIONAL_UPDATE, "update")                                          \
    X(PATCH,              "patch")                                           \
    X(DELETE,             "delete")                                          \
    X(CONDITIONAL_DELETE, "delete")                                          \
    X(SEARCH,             "search-type")                                     \
    X(OPERATION,          "operation")                                       \
    X(OPTIONS,            "options") /* HTTP's: which verbs are offered here */
/* clang-format on */

enum fhir_interaction {
#define X(name, code) FHIR_DO_##name,
    FHIR_INTERACTION_TABLE(X)
#undef X
};
#define X(name, code) +1
enum { FHIR_INTERACTION_COUNT = 0 FHIR_INTERACTION_TABLE(X) };
#undef X

/* POST of a Bundle of type "message": FHIR_DO_BUNDLE with this operation. */
#define FHIR_PROCESS_MESSAGE "$process-message"

/* Operations that are offered; the rows that tell where are in route.c. */
#define FHIR_LINES_OF_THERAPY "$lines-of-therapy"
#define FHIR_EVERYTHING "$everything"
#define FHIR_VALIDATE "$validate"

struct fhir_route {
    enum fhir_interaction interaction;
    enum fhir_type type;
    struct slice id, version;
    struct slice operation; /* "$lines-of-therapy" */
    bool is_head;           /* HEAD: as GET, the server drops the body */
};

/* `path` is behind the base ("/fhir" or "/{tenant}/fhir"), e.g. "/Patient/p1". */
bool fhir_route(enum http_verb verb, struct slice path, struct slice query, struct arena *arena,
                struct fhir_route *out, struct slice *allow, struct err *err) MUST_USE;
/* A Bundle entry's request. */
bool fhir_route_entry(enum http_verb verb, struct slice url, struct arena *arena,
                      struct fhir_route *out, struct slice *query, struct err *err) MUST_USE;
/* True when identifiers of the type are indexed by the store. */
bool fhir_type_is_identified(enum fhir_type type);

/* What a request's body is: a resource, the parameters of a posted search, a JSON Patch, or a
 * resource a line. */
enum fhir_body { FHIR_BODY_RESOURCE, FHIR_BODY_FORM, FHIR_BODY_PATCH, FHIR_BODY_LINES };
enum fhir_body fhir_body_of(enum http_verb verb, enum fhir_interaction interaction);
/* True for a POST whose body is application/fhir+ndjson. */
bool fhir_is_in_lines(const struct http_request *request);
/* Formats: request body and wanted reply.  ERR_MEDIA_TYPE / ERR_NOT_ACCEPTABLE. */
struct fhir_format {
    bool is_pretty;
    bool has_version; /* the answer's fhirVersion was asked for */
};
bool fhir_negotiate(const struct http_request *request, enum fhir_body body, struct arena *arena,
                    struct fhir_format *out, struct err *err) MUST_USE;
