/* fhir/route_table.h -- what is offered for which type: routing and /metadata both read this.  By
 * which parameters a type is searched: search_table.c. */
#pragma once

#include "fhir/route.h"

#define DOES(name) (UINT32_C(1) << FHIR_DO_##name)

struct fhir_offer {
    enum fhir_type type;
    uint32_t interactions; /* DOES() bits */
    const char *documentation;
};

struct fhir_operation {
    const char *name;       /* "$validate" */
    uint32_t types;         /* 1 << enum fhir_type */
    bool on_type;           /* Type/$name */
    bool on_instance;       /* Type/id/$name */
    bool by_get;            /* asks only: GET does as well as POST */
    const char *definition; /* canonical URL; NULL: served here, OperationDefinition/name */
    const char *documentation;
};
extern const struct fhir_operation fhir_operations[];
extern const unsigned fhir_operation_count;

extern const struct fhir_offer fhir_offers[];
extern const unsigned fhir_offer_count;

/* NULL when nothing is offered for the type. */
const struct fhir_offer *fhir_offer_of(enum fhir_type type);
const char *fhir_interaction_code(enum fhir_interaction interaction);
