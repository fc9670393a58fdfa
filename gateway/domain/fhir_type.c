#include "domain/fhir_type.h"

static const struct {
    const char *name;
    bool is_timeline;
} types[FHIR_TYPE_COUNT] = {
#define X(name, text, number, timeline) [number] = { text, timeline },
    FHIR_TYPE_TABLE(X)
#undef X
};

const char *fhir_type_name(enum fhir_type type)
{
    CHECK((size_t)type < COUNT_OF(types));
    return types[type].name;
}

enum fhir_type fhir_type_of(struct slice name)
{
    for (size_t i = 1; i < COUNT_OF(types); i++)
        if (slice_is(name, types[i].name))
            return (enum fhir_type)i;
    return FHIR_NONE;
}

bool fhir_type_is_timeline(enum fhir_type type)
{
    CHECK((size_t)type < COUNT_OF(types));
    return types[type].is_timeline;
}
