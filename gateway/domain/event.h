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
    X(WHO_HIV,      "http://smart.who.int/hiv/CodeSystem/HIVConcepts")                  \
    X(ICD10PCS,     "http://hl7.org/fhir/sid/icd-10-pcs")
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

/* Every type has its own words; fhir/read_status.c reduces them to these. */
enum order_status {
    STATUS_ABSENT,
    STATUS_ACTIVE, /* also in-progress, preliminary */
    STATUS_ON_HOLD,
    STATUS_CANCELLED,
    STATUS_COMPLETED, /* also final, amended, corrected */
    STATUS_ENTERED_IN_ERROR,
    STATUS_STOPPED,
    STATUS_DRAFT, /* also intended, preparation, registered */
    STATUS_UNKNOWN,
    STATUS_NOT_DONE, /* not-done, not-taken, declined */
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
    STOP_INTERACTION,
    STOP_PREGNANCY,
    STOP_COINFECTION, /* tuberculosis */
    STOP_NEW_DRUG,    /* a better one became available, a programme changed */
    STOP_COMPLETED,   /* course finished as planned */
    STOP_PATIENT,     /* refusal, lost, moved */
    STOP_DEATH,
    STOP_OTHER,
};

enum treatment_intent {
    TREATMENT_UNKNOWN,
    TREATMENT_CURATIVE,
    TREATMENT_PALLIATIVE,
    TREATMENT_OTHER,
};

/* What a Procedure means to the engine: the words of column `kind` in mappings/procedures.tsv. */
/* clang-format off */
#define PROCEDURE_TABLE(X)                                                              \
    X(NONE,                    "")                                                      \
    X(TRANSPLANT_AUTOLOGOUS,   "transplant_autologous")  /* blood stem cells */         \
    X(TRANSPLANT_ALLOGENEIC,   "transplant_allogeneic")                                 \
    X(TRANSPLANT_CELLS,        "transplant_cells")       /* whose cells is not told */  \
    X(APHERESIS,               "apheresis")              /* collection of cells */      \
    X(CELL_THERAPY,            "cell_therapy")                                          \
    X(RADIOTHERAPY,            "radiotherapy")                                          \
    X(CHEMORADIATION,          "chemoradiation")                                        \
    X(CHEMOTHERAPY,            "chemotherapy")           /* no drug is named */         \
    X(SURGERY,                 "surgery")                /* of a cancer */              \
    X(HAEMODIALYSIS,           "haemodialysis")                                         \
    X(PERITONEAL_DIALYSIS,     "peritoneal_dialysis")                                   \
    X(DIALYSIS,                "dialysis")               /* which one is not told */    \
    X(KIDNEY_TRANSPLANT,       "kidney_transplant")                                     \
    X(DIALYSIS_ACCESS,         "dialysis_access")
/* clang-format on */

enum procedure_kind {
#define X(name, word) PROCEDURE_##name,
    PROCEDURE_TABLE(X)
#undef X
        PROCEDURE_KIND_COUNT
};

/* What an Observation tells: the words of column `kind` in mappings/observations.tsv. */
/* clang-format off */
#define OBSERVATION_TABLE(X)                                                            \
    X(NONE,            "")                                                              \
    X(DISEASE_STATUS,  "disease_status")   /* mCODE: what became of the cancer */       \
    X(HIV_VIRAL_LOAD,  "hiv_viral_load")   /* copies per millilitre */                  \
    X(HIV_VIRAL_LOAD_LOG, "hiv_viral_load_log") /* its decimal logarithm */             \
    X(HIV_FAILURE,     "hiv_failure")      /* of therapy; the value may say which */    \
    X(HIV_VIROLOGICAL_FAILURE, "hiv_virological_failure")                               \
    X(HIV_WEAK_FAILURE, "hiv_weak_failure") /* clinical or immunological */
/* clang-format on */

enum observation_kind {
#define X(name, word) OBSERVATION_##name,
    OBSERVATION_TABLE(X)
#undef X
        OBSERVATION_KIND_COUNT
};

/* What a coded (or worded) value says: the words of column `meaning` in
 * mappings/observation_values.tsv. */
/* clang-format off */
#define FINDING_TABLE(X)                                                                \
    X(NONE,            "")                                                              \
    X(IMPROVED,        "improved")                                                      \
    X(STABLE,          "stable")                                                        \
    X(WORSENED,        "worsened")                                                      \
    X(REMISSION,       "remission")                                                     \
    X(UNDETERMINED,    "undetermined")                                                  \
    X(NOT_DETECTED,    "not_detected")                                                  \
    X(DETECTED,        "detected")                                                      \
    X(VIROLOGICAL_FAILURE, "virological_failure")                                       \
    X(WEAK_FAILURE,    "weak_failure")     /* clinical or immunological */              \
    X(NEGATED,         "negated")          /* no, absent */
/* clang-format on */

enum finding_value {
#define X(name, word) FINDING_##name,
    FINDING_TABLE(X)
#undef X
        FINDING_VALUE_COUNT
};

enum comparator {
    COMPARATOR_NONE,
    COMPARATOR_LESS,
    COMPARATOR_LESS_OR_EQUAL,
    COMPARATOR_GREATER_OR_EQUAL,
    COMPARATOR_GREATER,
};

/* A decimal as it was sent: the value is digits / 10^scale. */
struct quantity {
    bool is_stated;
    enum comparator comparator;
    int64_t digits;
    int32_t scale;     /* 0 to 18 */
    struct slice unit; /* its code, or its words where it has none */
};

/* What the engine asks of every order stands together at the front: a patient may have thousands,
 * and then a cache line less for each is what counts. */
struct event {
    enum fhir_type type;
    uint32_t version;     /* Lifeline's version number */
    struct slice id;      /* logical id */
    int64_t resource_key; /* the store's key; 0 offline */

    /* Filled by mapping_resolve(); not stored. */
    const struct drug *const *drugs; /* ingredients, sorted by index, distinct */
    unsigned drug_count;             /* at most EVENT_DRUGS_MAX */
    unsigned local_count; /* of `drugs` when their form is no exposure: then drug_count is 0 */
    bool is_unmapped;     /* no code and no text of the medication or condition was known */
    bool is_conflicting;  /* codes of one concept disagree about the ingredients */
    const struct condition_code *meanings; /* Condition.code */
    unsigned meaning_count;
    const struct condition_code *reasons; /* reasonCode */
    unsigned reason_count;
    enum stop_reason stop_reason;   /* statusReason */
    enum stop_reason change_reason; /* a code of reasonCode that says why a regimen was changed */
    enum procedure_kind procedure;  /* Procedure.code */
    enum observation_kind observation; /* Observation.code */
    enum finding_value finding;        /* Observation.value */

    /* MedicationRequest (and its relatives) */
    enum order_status status;
    enum order_intent intent;
    enum treatment_intent treatment_intent;
    bool do_not_perform, reported;
    bool medication_resolved; /* codes come from the referenced Medication */
    struct date_span authored_on;
    struct date_span bounds_start, bounds_end; /* the earliest and the latest over all dosages */
    struct date_span first_timing_event, last_timing_event;
    struct date_span validity_end;
    struct date_span status_changed; /* meta.lastUpdated as the source sent it, or a status date */
    int32_t bounds_days;             /* boundsDuration or boundsRange.high in days; 0 when absent */
    int32_t repeat_days;             /* count x period in days; 0 when absent */
    int32_t supply_days;         /* expectedSupplyDuration, daysSupply; 0 when absent or negative */
    int32_t doses_per_1000_days; /* timing: 2000 is twice a day; the most of all dosages, or 0 */
    unsigned reason_reference_count, based_on_count;
    const struct slice *reason_references; /* "Condition/c1"; at most EVENT_REFERENCES_MAX */
    const struct slice *based_on;    /* "MedicationRequest/o", "CarePlan/p"; also the request of an
                                   * administration, the authorizingPrescription of a dispense */
    struct slice group_identifier;   /* "system|value" */
    struct slice prior_prescription; /* "MedicationRequest/m0" */
    struct slice encounter;          /* "Encounter/e1": where it was ordered */
    struct slice protocol;           /* instantiatesCanonical or instantiatesUri, the first */
    struct concept medication;       /* own, contained or, once resolved, the referenced one's */
    struct concept status_reason;
    struct concept reason_code;
    struct slice medication_reference; /* "Medication/m1", resolved or not */
    struct quantity dose;              /* one dose, of the first dosage that states one */

    /* Condition */
    struct concept code;
    enum clinical_status clinical_status;
    enum verification_status verification_status;
    struct date_span onset, abatement;
    struct date_span recorded; /* also issued, dateAsserted */

    /* What has happened: administrations, statements, dispenses, Procedures, Observations */
    struct date_span effective;     /* effective[x], performed[x], whenHandedOver: the start */
    struct date_span effective_end; /* of a period that says it */

    /* Observation; its code is in `code` */
    struct quantity value;
    bool value_is_false;          /* valueBoolean: what the code names is not so */
    struct concept value_concept; /* valueCodeableConcept; valueString is its text */
    const struct slice *focus;    /* "Condition/c1"; at most EVENT_REFERENCES_MAX */
    unsigned focus_count;

    /* Patient */
    struct date_span deceased; /* DATE_ABSENT while alive or unknown */
    bool is_deceased;
    struct slice replaced_by; /* link.other of type replaced-by */
};

enum code_system code_system_of(struct slice uri); /* also https:// and urn:oid: forms */
const char *code_system_uri(enum code_system system);

/* Administration, statement or dispense: it tells of a drug, and may fulfil an order. */
bool event_is_drug_use(const struct event *event);
/* A Procedure or administration that took place (or goes on); an Observation that holds. */
bool event_was_done(const struct event *event);
/* What a resource of the type proves about a drug: "ordered", "administered", "reported" or
 * "dispensed". */
const char *event_proof(const struct event *event);

/* "MedicationRequest/m7/_history/1" into out; returns the slice. */
#define EVENT_REFERENCE_SIZE 160
struct slice event_reference(const struct event *event, char out[EVENT_REFERENCE_SIZE]);

/* A compact row for the store; event_unpack() borrows its slices from `packed`.  The format is
 * versioned and keeps what it can read: see event_pack.c. */
void event_pack(const struct event *event, struct buffer *out);
bool event_unpack(struct slice packed, struct arena *arena, struct event *out,
                  struct err *err) MUST_USE;
