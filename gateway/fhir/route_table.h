/* fhir/route_table.h -- what is offered for which type: routing and /metadata both read this. */
#pragma once

#include "fhir/route.h"

#define DOES(name) (UINT32_C(1) << FHIR_DO_##name)

/* clang-format off */
#define FHIR_SEARCH_TABLE(X)                                  \
    /*  name          parameter      type in /metadata */     \
    X(ID,             "_id",         "token")                 \
    X(IDENTIFIER,     "identifier",  "token")                 \
    X(PATIENT,        "patient",     "reference")             \
    X(SUBJECT,        "subject",     "reference")
/* clang-format on */

enum fhir_search {
#define X(name, parameter, type) FHIR_BY_##name,
    FHIR_SEARCH_TABLE(X)
#undef X
        FHIR_SEARCH_COUNT
};
#define BY(name) (UINT32_C(1) << FHIR_BY_##name)

struct fhir_offer {
    enum fhir_type type;
    uint32_t interactions; /* DOES() bits */
    uint32_t searches;     /* BY() bits */
    const char *operation; /* "$lines-of-therapy"; NULL without one */
    const char *documentation;
};

extern const struct fhir_offer fhir_offers[];
extern const unsigned fhir_offer_count;

/* NULL when nothing is offered for the type. */
const struct fhir_offer *fhir_offer_of(enum fhir_type type);
const char *fhir_interaction_code(enum fhir_interaction interaction);
