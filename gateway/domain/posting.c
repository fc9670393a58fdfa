#include "domain/posting.h"

static const struct {
    const char *name;
    enum fhir_type type;
} kinds[] = {
    [POSTING_FLAG] = { "flag", FHIR_FLAG },
    [POSTING_CARE_PLAN] = { "careplan", FHIR_CARE_PLAN },
    [POSTING_PROVENANCE] = { "provenance", FHIR_PROVENANCE },
};

enum fhir_type posting_type(enum posting_kind kind)
{
    CHECK((size_t)kind < COUNT_OF(kinds));
    return kinds[kind].type;
}

const char *posting_kind_name(enum posting_kind kind)
{
    CHECK((size_t)kind < COUNT_OF(kinds));
    return kinds[kind].name;
}
