#include "domain/event.h"

#include "base/hash.h"
#include "base/text.h"

static const char *const system_uris[CODE_SYSTEM_COUNT] = {
#define X(name, uri) [CODE_##name] = uri,
    CODE_SYSTEM_TABLE(X)
#undef X
};

/* Other spellings that real senders use: OIDs, older URIs, national editions of one system. */
static const struct {
    const char *uri;
    enum code_system system;
} other_spellings[] = {
    { "urn:oid:2.16.840.1.113883.6.88", CODE_RXNORM },
    { "urn:oid:2.16.840.1.113883.6.69", CODE_NDC },
    { "http://www.nlm.nih.gov/research/umls/ndc", CODE_NDC },
    { "urn:oid:2.16.840.1.113883.6.73", CODE_ATC },
    { "http://fhir.de/CodeSystem/dimdi/atc", CODE_ATC },
    { "http://fhir.de/CodeSystem/bfarm/atc", CODE_ATC },
    { "urn:oid:2.16.840.1.113883.6.96", CODE_SNOMED },
    { "urn:oid:2.16.840.1.113883.6.90", CODE_ICD10CM },
    { "http://terminology.hl7.org/CodeSystem/icd10-CM", CODE_ICD10CM },
    { "urn:oid:2.16.840.1.113883.6.3", CODE_ICD10 },
    { "http://www.cms.gov/Medicare/Coding/ICD10", CODE_ICD10PCS },
    { "urn:oid:2.16.840.1.113883.6.4", CODE_ICD10PCS },
    { "http://fhir.de/CodeSystem/dimdi/icd-10-gm", CODE_ICD10GM },
    { "urn:oid:1.2.276.0.76.5.409", CODE_ICD10GM },
    { "http://hl7.org/fhir/sid/icd-o-3", CODE_ICDO3 },
    { "urn:oid:2.16.840.1.113883.6.43.1", CODE_ICDO3 },
    { "urn:oid:2.16.840.1.113883.6.1", CODE_LOINC },
    { "urn:oid:2.16.840.1.113883.6.103", CODE_ICD9CM },
    { "urn:oid:2.16.840.1.113883.6.42", CODE_ICD9CM },
    { "http://openconceptlab.org/orgs/CIEL/sources/CIEL", CODE_CIEL },
    { "urn:oid:2.16.840.1.113883.3.7201", CODE_CIEL },
};

/* The part behind "http://" or "https://", or the whole. */
static struct slice without_scheme(struct slice uri)
{
    if (slice_starts(uri, SLICE("https://")))
        return slice_skip(uri, 8);
    return slice_starts(uri, SLICE("http://")) ? slice_skip(uri, 7) : uri;
}

static struct slice spelling_of(struct slice uri)
{
    uri = without_scheme(uri);
    if (uri.len > 0 && uri.at[uri.len - 1] == '/')
        uri.len--;
    return uri;
}

#define SPELLINGS 128 /* a power of two */
_Static_assert(2 * (COUNT_OF(other_spellings) + CODE_SYSTEM_COUNT) < SPELLINGS, "more are needed");

/* Open addressing, filled before main() and only read afterwards: every coding of every resource is
 * asked for, and most are of systems that we do not know. */
static struct spelling {
    struct slice uri;
    enum code_system system; /* CODE_OTHER: free */
} spellings[SPELLINGS];

static struct spelling *spelling_at(struct slice uri)
{
    size_t at = table_hash(uri) % SPELLINGS;
    while (spellings[at].system != CODE_OTHER && !slice_eq(spellings[at].uri, uri))
        at = (at + 1) % SPELLINGS;
    return &spellings[at];
}

static void add_spelling(const char *uri, enum code_system system)
{
    struct slice spelling = spelling_of(slice_of(uri));
    struct spelling *place = spelling_at(spelling);
    if (place->system == CODE_OTHER)
        *place = (struct spelling){ spelling, system };
}

__attribute__((constructor)) static void fill_spellings(void)
{
    for (unsigned i = CODE_OTHER + 1; i < CODE_SYSTEM_COUNT; i++)
        add_spelling(system_uris[i], (enum code_system)i);
    for (size_t i = 0; i < COUNT_OF(other_spellings); i++)
        add_spelling(other_spellings[i].uri, other_spellings[i].system);
}

enum code_system code_system_of(struct slice uri)
{
    return uri.len > 0 ? spelling_at(spelling_of(uri))->system : CODE_OTHER;
}

const char *code_system_uri(enum code_system system)
{
    CHECK((size_t)system < COUNT_OF(system_uris));
    return system_uris[system];
}

bool event_is_drug_use(const struct event *event)
{
    return event->type == FHIR_MEDICATION_ADMINISTRATION ||
           event->type == FHIR_MEDICATION_STATEMENT || event->type == FHIR_MEDICATION_DISPENSE;
}

bool event_was_done(const struct event *event)
{
    return event->status != STATUS_ENTERED_IN_ERROR && event->status != STATUS_NOT_DONE &&
           event->status != STATUS_DRAFT && event->status != STATUS_CANCELLED;
}

const char *event_proof(const struct event *event)
{
    if (event->type == FHIR_MEDICATION_ADMINISTRATION)
        return "administered";
    if (event->type == FHIR_MEDICATION_DISPENSE)
        return "dispensed";
    return event->type == FHIR_MEDICATION_STATEMENT || event->reported ? "reported" : "ordered";
}

struct slice event_reference(const struct event *event, char out[EVENT_REFERENCE_SIZE])
{
    struct text text = { out, EVENT_REFERENCE_SIZE, 0 };
    text_add_slice(&text, slice_of(fhir_type_name(event->type))); /* a report has hundreds */
    text_add_slice(&text, SLICE("/"));
    text_add_slice(&text, event->id);
    if (event->version > 0) {
        text_add_slice(&text, SLICE("/_history/"));
        text_add_number(&text, event->version);
    }
    return text_slice(&text);
}
