/* fhir/search.h -- which searches are offered, what a query asks for, and whether a resource is it.
 *
 * What      one table of parameters (search_table.c): /metadata declares it, queries are read and
 *           resources judged by it.  Searches, conditional creates, updates and deletions all
 *           ask here.  Finding candidates is the caller's: fhir_search_anchor() tells by which
 *           index they are found.
 * Owns      slices borrow from the query or live in `arena`.
 * Errors    ERR_INVALID (a value or modifier that cannot be read), ERR_UNSUPPORTED (a parameter or
 *           modifier that is not offered).  The text names the parameter, never its value.
 * Thread    any.
 * Rules     FHIR R4 search: tokens, references, dates with prefixes and the ranges that partial
 *           dates stand for; checklist A5.2 to A5.7.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "domain/fhir_type.h"

#define FHIR_CRITERIA_MAX 16
#define FHIR_ALTERNATIVES_MAX 16
#define FHIR_COUNT_MAX 1000
#define FHIR_COUNT_DEFAULT 100

enum fhir_search_kind { SEARCH_TOKEN, SEARCH_REFERENCE, SEARCH_DATE };

/* How a value stands in the resource. */
enum fhir_search_shape {
    SHAPE_NONE,
    SHAPE_RESOURCE_ID, /* _id: not in the body but in its row */
    SHAPE_UPDATED,     /* _lastUpdated: the same */
    SHAPE_CODE,        /* a string */
    SHAPE_CONCEPT,     /* .coding[].system and .code */
    SHAPE_IDENTIFIER,  /* .system and .value */
    SHAPE_REFERENCE,   /* .reference and .identifier */
    SHAPE_MOMENT,      /* date, dateTime or instant */
    SHAPE_PERIOD,      /* .start and .end */
};

#define FHIR_SEARCH_PLACES 3
struct fhir_search_row {
    const char *name;
    uint32_t types; /* 1 << enum fhir_type */
    enum fhir_search_kind kind;
    struct {
        enum fhir_search_shape shape;
        const char *path; /* as json_path() tells it: "identifier[]" */
    } places[FHIR_SEARCH_PLACES];
    const char *system; /* of a SHAPE_CODE */
};

/* The rows of a type, one after another: begin with NULL; NULL at the end. */
const struct fhir_search_row *fhir_search_next(enum fhir_type type,
                                               const struct fhir_search_row *row);
const char *fhir_search_kind_name(enum fhir_search_kind kind); /* "token" */

enum fhir_modifier { MODIFIER_NONE, MODIFIER_NOT, MODIFIER_MISSING, MODIFIER_IDENTIFIER };
enum fhir_prefix {
    PREFIX_EQ,
    PREFIX_NE,
    PREFIX_GT,
    PREFIX_GE,
    PREFIX_LT,
    PREFIX_LE,
    PREFIX_SA,
    PREFIX_EB,
    PREFIX_AP
};

/* One of the values that commas separate. */
struct fhir_alternative {
    struct slice system, code; /* token; reference: code is the local reference */
    bool has_system, has_code; /* "|code" has an empty system */
    enum fhir_prefix prefix;
    int64_t low_ms, high_ms; /* the first moment, and the one behind the last */
};

struct fhir_criterion {
    const struct fhir_search_row *row;
    enum fhir_modifier modifier;
    bool wants_missing;         /* :missing=true */
    bool by_patient_identifier; /* patient.identifier */
    struct fhir_alternative *alternatives;
    unsigned count;
};

/* What a query asks for. */
struct fhir_search {
    enum fhir_type type;
    struct fhir_criterion criteria[FHIR_CRITERIA_MAX];
    unsigned criterion_count;
    unsigned count; /* of matches on a page */
    bool has_count, wants_total;
    bool include_medication;
    int64_t after, until; /* of the page: keys; until 0 on the first one */
    struct slice used;    /* the query without what was ignored and without the page */
    struct slice ignored; /* the first parameter that is not offered; empty when none */
};

struct fhir_search_bases {
    const struct slice *urls;
    unsigned count;
};

/* `is_strict`: a parameter that is not offered is an error and not passed over. */
bool fhir_search_parse(enum fhir_type type, struct slice query, bool is_strict,
                       const struct fhir_search_bases *bases, struct arena *arena,
                       struct fhir_search *out, struct err *err) MUST_USE;

/* By which index the candidates are found; the criterion is NULL when all of the type are. */
enum fhir_anchor { ANCHOR_NONE, ANCHOR_ID, ANCHOR_IDENTIFIER, ANCHOR_PATIENT };
enum fhir_anchor fhir_search_anchor(const struct fhir_search *search,
                                    const struct fhir_criterion **criterion);

/* A candidate: what its row says, and its body. */
struct fhir_candidate {
    struct slice id;
    int64_t updated_ms;
    struct slice body;
};
bool fhir_search_matches(const struct fhir_search *search, const struct fhir_candidate *candidate,
                         const struct fhir_search_bases *bases, struct arena *arena, bool *out,
                         struct err *err) MUST_USE;

/* A page's token in a URL: "after-until" in hexadecimal; it holds no patient data. */
struct slice fhir_search_page_format(int64_t after, int64_t until, struct arena *arena);
