/* domain/event.h -- an admitted resource version, reduced to what the engine reads.
 *
 * What      one struct for every resource type of the timeline; members that a type does not have
 *           stay zero.  Codes are kept as sent: mapping them is a later, repeatable step, so that a
 *           better mapping re-reads old orders.  Nothing here names a person.
 * Owns      slices borrow from the arena (or row) that the event was read from.
 * Rules     RULES_SPEC 3 (orders), 6 (evidence).
 */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/date.h"
#include "domain/disease.h"
#include "domain/drug.h"
#include "domain/fhir_type.h"

#define EVENT_CODINGS_MAX 16
#define EVENT_DRUGS_MAX 12
#define EVENT_REFERENCES_MAX 8
#define EVENT_TEXT_MAX 120 /* longer text is cut: it serves alias look-up only */

/* Code systems that mappings know; others keep their URI. */
/* clang-format off */
#define CODE_SYSTEM_TABLE(X)                                                            \
    X(OTHER,        "")                                                                 \
    X(RXNORM,       "http://www.nlm.nih.gov/research/umls/rxnorm")                      \
    X(NDC,          "http://hl7.org/fhir/sid/ndc")                                      \
    X(ATC,          "http://www.whocc.no/atc")                                          \
    X(SNOMED,       "http://snomed.info/sct")                                           \
    X(ICD10CM,      "http://hl7.org/fhir/sid/icd-10-cm")                                \
    X(ICD10,        "http://hl7.org/fhir/sid/icd-10")                                   \
    X(ICD10GM,      "http://fhir.de/CodeSystem/bfarm/icd-10-gm")                        \
    X(ICDO3,        "http://terminology.hl7.org/CodeSystem/icd-o-3")                    \
    X(LOINC,        "http://loinc.org")                                                 \
    X(CIEL,         "https://openconceptlab.org/orgs/CIEL/sources/CIEL")                \
    X(ICD9CM,       "http://hl7.org/fhir/sid/icd-9-cm")                                 \
    X(WHO_HIV,      "http://smart.who.int/hiv/CodeSystem/HIVConcepts")
/* clang-format on */

enum code_system {
#define X(name, uri) CODE_##name,
    CODE_SYSTEM_TABLE(X)
#undef X
        CODE_SYSTEM_COUNT
};

struct coding {
    enum code_system system;
    struct slice system_uri; /* CODE_OTHER: as sent */
    struct slice code;
};

/* A CodeableConcept. */
struct concept {
    const struct coding *codings;
    unsigned count;    /* at most EVENT_CODINGS_MAX */
    struct slice text; /* text, or a display where there is no text; at most EVENT_TEXT_MAX bytes */
};

enum order_status {
    STATUS_ABSENT,
    STATUS_ACTIVE,
    STATUS_ON_HOLD,
    STATUS_CANCELLED,
    STATUS_COMPLETED,
    STATUS_ENTERED_IN_ERROR,
    STATUS_STOPPED,
    STATUS_DRAFT,
    STATUS_UNKNOWN,
};

enum order_intent {
    INTENT_ABSENT,
    INTENT_PROPOSAL,
    INTENT_PLAN,
    INTENT_ORDER,
    INTENT_ORIGINAL_ORDER,
    INTENT_REFLEX_ORDER,
    INTENT_FILLER_ORDER,
    INTENT_INSTANCE_ORDER,
    INTENT_OPTION,
};

enum clinical_status {
    CLINICAL_ABSENT,
    CLINICAL_ACTIVE,
    CLINICAL_RECURRENCE,
    CLINICAL_RELAPSE,
    CLINICAL_INACTIVE,
    CLINICAL_REMISSION,
    CLINICAL_RESOLVED,
    CLINICAL_UNKNOWN,
};

enum verification_status {
    VERIFICATION_ABSENT,
    VERIFICATION_UNCONFIRMED,
    VERIFICATION_PROVISIONAL,
    VERIFICATION_DIFFERENTIAL,
    VERIFICATION_CONFIRMED,
    VERIFICATION_REFUTED,
    VERIFICATION_ENTERED_IN_ERROR,
};

/* Why an order was stopped (statusReason), reduced by the table of therapy/RULES.md. */
enum stop_reason {
    STOP_NONE,
    STOP_PROGRESSION, /* progression, relapse, failure, no response */
    STOP_TOXICITY,
    STOP_SHORTAGE, /* supply, formulary, insurance */
    STOP_SIMPLIFICATION,
    STOP_COMPLETED, /* course finished as planned */
    STOP_PATIENT,   /* refusal, lost, moved */
    STOP_DEATH,
    STOP_OTHER,
};

enum treatment_intent {
    TREATMENT_UNKNOWN,
    TREATMENT_CURATIVE,
    TREATMENT_PALLIATIVE,
    TREATMENT_OTHER,
};

/* What a Procedure means to the engine. */
enum procedure_kind {
    PROCEDURE_NONE,
    PROCEDURE_TRANSPLANT_AUTOLOGOUS,
    PROCEDURE_TRANSPLANT_ALLOGENEIC,
    PROCEDURE_APHERESIS, /* collection of cells for a cell therapy */
    PROCEDURE_CELL_THERAPY,
    PROCEDURE_RADIOTHERAPY,
    PROCEDURE_SURGERY,
};

struct event {
    enum fhir_type type;
    struct slice id;      /* logical id */
    uint32_t version;     /* Lifeline's version number */
    int64_t resource_key; /* the store's key; 0 offline */

    /* MedicationRequest (and its relatives) */
    struct concept medication;         /* own, contained or, once resolved, the referenced one's */
    struct slice medication_reference; /* "Medication/m1", resolved or not */
    bool medication_resolved;          /* codes come from the referenced Medication */
    enum order_status status;
    enum order_intent intent;
    bool do_not_perform, reported;
    struct date_span authored_on;
    struct date_span bounds_start, bounds_end; /* the earliest and the latest over all dosages */
    struct date_span first_timing_event, last_timing_event;
    int32_t bounds_days; /* boundsDuration or boundsRange.high in days; 0 when absent */
    int32_t repeat_days; /* count x period in days; 0 when absent */
    int32_t supply_days; /* expectedSupplyDuration; 0 when absent, negatives arrive as 0 */
    struct date_span validity_end;
    struct date_span status_changed; /* meta.lastUpdated as the source sent it, or a status date */
    struct concept status_reason;
    struct concept reason_code;
    const struct slice *reason_references; /* "Condition/c1"; at most EVENT_REFERENCES_MAX */
    unsigned reason_reference_count;
    const struct slice *based_on; /* "MedicationRequest/o", "CarePlan/p" */
    unsigned based_on_count;
    struct slice group_identifier;   /* "system|value" */
    struct slice prior_prescription; /* "MedicationRequest/m0" */
    struct slice protocol;           /* instantiatesCanonical or instantiatesUri, the first */
    enum treatment_intent treatment_intent;

    /* Condition */
    struct concept code;
    enum clinical_status clinical_status;
    enum verification_status verification_status;
    struct date_span onset, abatement, recorded;

    /* Procedure */
    enum procedure_kind procedure;
    struct date_span performed;

    /* Patient */
    struct date_span deceased; /* DATE_ABSENT while alive or unknown */
    bool is_deceased;
    struct slice replaced_by; /* link.other of type replaced-by */

    /* Filled by mapping_resolve(); not stored. */
    const struct drug *const *drugs; /* ingredients, sorted by index, distinct */
    unsigned drug_count;             /* at most EVENT_DRUGS_MAX */
    bool is_unmapped;    /* no code and no text of the medication or condition was known */
    bool is_conflicting; /* codes of one concept disagree about the ingredients */
    const struct condition_code *meanings; /* Condition.code */
    unsigned meaning_count;
    const struct condition_code *reasons; /* reasonCode */
    unsigned reason_count;
    enum stop_reason stop_reason;
};

enum code_system code_system_of(struct slice uri); /* also https:// and urn:oid: forms */
const char *code_system_uri(enum code_system system);

/* "MedicationRequest/m7/_history/1" into out; returns the slice. */
#define EVENT_REFERENCE_SIZE 160
struct slice event_reference(const struct event *event, char out[EVENT_REFERENCE_SIZE]);

/* A compact row for the store; event_unpack() borrows its slices from `packed`.  The format is
 * versioned and keeps what it can read: see event_pack.c. */
void event_pack(const struct event *event, struct buffer *out);
bool event_unpack(struct slice packed, struct arena *arena, struct event *out,
                  struct err *err) MUST_USE;
