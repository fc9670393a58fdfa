#include "domain/posting.h"

static const struct {
    const char *name;
    enum fhir_type type;
} kinds[] = {
    [POSTING_FLAG] = { "flag", FHIR_FLAG },
    [POSTING_CARE_PLAN] = { "careplan", FHIR_CARE_PLAN },
    [POSTING_PROVENANCE] = { "provenance", FHIR_PROVENANCE },
    [POSTING_COMMUNICATION] = { "communication", FHIR_COMMUNICATION },
    [POSTING_DOCUMENT] = { "document", FHIR_DOCUMENT_REFERENCE },
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

enum posting_kind posting_kind_of(struct slice name)
{
    for (size_t i = POSTING_FLAG; i < COUNT_OF(kinds); i++)
        if (slice_is(name, kinds[i].name))
            return (enum posting_kind)i;
    return (enum posting_kind)0;
}

void posting_identity(struct slice tenant, struct slice patient, struct slice disease,
                      enum posting_kind kind, char out[SHA256_HEX_SIZE])
{
    /* The lengths are implied by separators that none of the parts can hold. */
    const struct slice parts[] = { SLICE("posting\n"), tenant,
                                   SLICE("\n"),        patient,
                                   SLICE("\n"),        disease,
                                   SLICE("\n"),        slice_of(posting_kind_name(kind)) };
    struct sha256 digest = sha256_of(parts, COUNT_OF(parts));
    sha256_hex(&digest, out);
}

void posting_kinds_write(unsigned set, struct text *out)
{
    bool is_first = true;
    for (enum posting_kind kind = POSTING_FLAG; kind < POSTING_KINDS; kind++) {
        if ((set & POSTING_BIT(kind)) == 0)
            continue;
        text_add(out, "%s%s", is_first ? "" : "+", posting_kind_name(kind));
        is_first = false;
    }
    if (is_first)
        text_add(out, "nothing");
}
