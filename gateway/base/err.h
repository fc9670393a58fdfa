/* base/err.h -- how an operation failed, told to programs, peers and people at once.
 *
 * What      every function that can fail returns bool and takes `struct err *err` last.  On false,
 *           *err is filled and out-parameters are untouched.
 * Errors    messages never hold patient data: `where` names the place, `what` never quotes a value
 *           that came from a resource (mapping and config files may be quoted: they hold none).
 */
#pragma once

#include "base/check.h"

/* The one table of errors: HTTP status, FHIR issue type and retry advice follow from the code; what
 * each means to a sender is told in fhir/ERRORS.md, which a test holds to this table. */
/* clang-format off */
#define ERR_TABLE(X)                                                              \
    /* code          http  FHIR issue type     retrying may help */               \
    X(OK,            200,  "informational",    false)                             \
    X(STRUCTURE,     400,  "structure",        false) /* not JSON, or not FHIR's JSON */ \
    X(INVALID,       400,  "invalid",          false)                             \
    X(REQUIRED,      400,  "required",         false)                             \
    X(VALUE,         400,  "value",            false)                             \
    X(LOGIN,         401,  "login",            false)                             \
    X(FORBIDDEN,     403,  "forbidden",        false)                             \
    X(NOT_FOUND,     404,  "not-found",        false)                             \
    X(METHOD,        405,  "not-supported",    false)                             \
    X(NOT_ACCEPTABLE,406,  "not-supported",    false)                             \
    X(TIMEOUT,       408,  "timeout",          true)                              \
    X(CONFLICT,      409,  "conflict",         true)                              \
    X(DELETED,       410,  "deleted",          false)                             \
    X(PRECONDITION,  412,  "conflict",         false)                             \
    X(MULTIPLE,      412,  "multiple-matches", false)                             \
    X(TOO_LARGE,     413,  "too-long",         false)                             \
    X(TOO_COSTLY,    413,  "too-costly",       false)                             \
    X(MEDIA_TYPE,    415,  "not-supported",    false)                             \
    X(EXPECTATION,   417,  "not-supported",    false)                             \
    X(UNSUPPORTED,   422,  "not-supported",    false)                             \
    X(EXTENSION,     422,  "extension",        false) /* unknown modifier extension */ \
    X(BUSINESS,      422,  "business-rule",    false)                             \
    X(HEADERS,       431,  "too-long",         false)                             \
    X(STORAGE,       500,  "exception",        true)                              \
    X(CORRUPT,       500,  "exception",        false)                             \
    X(UNKNOWN_VERB,  501,  "not-supported",    false) /* or a transfer coding we lack */ \
    X(PEER,          502,  "transient",        true)                              \
    X(BUSY,          503,  "throttled",        true)                              \
    X(DRAINING,      503,  "transient",        true)                              \
    X(HTTP_VERSION,  505,  "not-supported",    false)
/* clang-format on */

enum err_code {
#define X(code, http, issue, retry) ERR_##code,
    ERR_TABLE(X)
#undef X
};

struct err {
    enum err_code code;
    char where[160]; /* "Bundle.entry[3].resource.status", "mappings/drugs.tsv:14" */
    char what[200];  /* one lower-case sentence, no full stop, no patient data */
};

/* Fills *err and returns false, so that failing is one line: `return err_fail(err, ...);`. */
bool err_fail(struct err *err, enum err_code code, const char *where, const char *format, ...)
    PRINTF_LIKE(4, 5);

const char *err_name(enum err_code code);
int err_http_status(enum err_code code);
const char *err_fhir_issue(enum err_code code);
bool err_is_retryable(enum err_code code);
