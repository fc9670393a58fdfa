#include "fhir/read_take.h"

/* All we read.  To read a new element, add a row; paths that are not here are ignored, as FHIR
 * asks.  Rows of arrays exist so that an object in their place is refused and not overlooked. */

#define PATIENT TYPE_BIT(FHIR_PATIENT)
#define ORDER TYPE_BIT(FHIR_MEDICATION_REQUEST)
#define CONDITION TYPE_BIT(FHIR_CONDITION)
#define MEDICATION TYPE_BIT(FHIR_MEDICATION)
#define PROCEDURE TYPE_BIT(FHIR_PROCEDURE)
#define OBSERVATION TYPE_BIT(FHIR_OBSERVATION)
#define ADMINISTRATION TYPE_BIT(FHIR_MEDICATION_ADMINISTRATION)
#define STATEMENT TYPE_BIT(FHIR_MEDICATION_STATEMENT)
#define DISPENSE TYPE_BIT(FHIR_MEDICATION_DISPENSE)
#define DRUG_USE (ORDER | ADMINISTRATION | STATEMENT | DISPENSE)
#define EFFECTIVE (ADMINISTRATION | STATEMENT | OBSERVATION)
#define BASED                                                                                    \
    (ORDER | PROCEDURE | OBSERVATION | TYPE_BIT(FHIR_CARE_PLAN) | TYPE_BIT(FHIR_COMMUNICATION) | \
     STATEMENT)
#define REASONED (ORDER | PROCEDURE | ADMINISTRATION | STATEMENT)
#define WITH_SUBJECT                                                        \
    (DRUG_USE | CONDITION | PROCEDURE | OBSERVATION | TYPE_BIT(FHIR_FLAG) | \
     TYPE_BIT(FHIR_CARE_PLAN) | TYPE_BIT(FHIR_COMMUNICATION) | TYPE_BIT(FHIR_DOCUMENT_REFERENCE))
#define IDENTIFIED (PATIENT | MEDICATION | WITH_SUBJECT)
#define STATED (IDENTIFIED & ~(PATIENT | CONDITION))

#define RESOURCE(member) offsetof(struct fhir_resource, member)
#define EVENT(member) offsetof(struct event, member)
#define DRAFT(member) offsetof(struct draft, member)

#define KIND(path, kind, types)              \
    {                                        \
        path, JSON_##kind, types, NULL, 0, 0 \
    }
#define CODINGS(path, types)                                                                 \
    KIND(path ".coding", ARRAY, types),                                                      \
        { path ".coding[].system", JSON_STRING, types, take_text, DRAFT(coding_system), 0 }, \
        { path ".coding[].code", JSON_STRING, types, take_text, DRAFT(coding_code), 0 },     \
    {                                                                                        \
        path ".coding[].display", JSON_STRING, types, take_text, DRAFT(coding_display), 0    \
    }
#define CONCEPT_PARTS(path, types)                                                     \
    CODINGS(path, types), { path ".coding[]", JSON_OBJECT, types, take_coding, 0, 0 }, \
    {                                                                                  \
        path ".text", JSON_STRING, types, take_first_text, DRAFT(concept_text), 0      \
    }
#define CONCEPT(path, types, offset, has) \
    { path, JSON_OBJECT, types, take_event_concept, offset, has }, CONCEPT_PARTS(path, types)
#define IDENTIFIER_PARTS(path, types)                                               \
    { path ".system", JSON_STRING, types, take_text, DRAFT(identifier_system), 0 }, \
    {                                                                               \
        path ".value", JSON_STRING, types, take_text, DRAFT(identifier_value), 0    \
    }
#define QUANTITY(path, types, take, offset)                                         \
    { path, JSON_OBJECT, types, take, offset, 0 },                                  \
        { path ".value", JSON_NUMBER, types, take_text, DRAFT(quantity_value), 0 }, \
        { path ".unit", JSON_STRING, types, take_text, DRAFT(quantity_unit), 0 },   \
    {                                                                               \
        path ".code", JSON_STRING, types, take_text, DRAFT(quantity_code), 0        \
    }
#define DATE(path, types, member)                             \
    {                                                         \
        path, JSON_STRING, types, take_date, EVENT(member), 0 \
    }

/* One way for orders and dispenses to write a dosage, another one for statements. */
#define DOSAGE(path, types)                                                                  \
    KIND(path, ARRAY, types), KIND(path "[].timing", OBJECT, types),                         \
        KIND(path "[].timing.event", ARRAY, types),                                          \
        { path "[].timing.event[]", JSON_STRING, types, take_timing_event, 0, 0 },           \
        { path "[].timing.code", JSON_OBJECT, types, take_timing_code, 0, 0 },               \
        CONCEPT_PARTS(path "[].timing.code", types), REPEAT(path "[].timing.repeat", types), \
        QUANTITY(path "[].doseQuantity", types, take_dose, 0),                               \
        QUANTITY(path "[].doseAndRate[].doseQuantity", types, take_dose, 0)
#define REPEAT(path, types)                                                                        \
    { path, JSON_OBJECT, types, take_repeat, 0, 0 },                                               \
        { path ".boundsPeriod.start", JSON_STRING, types, take_earliest, EVENT(bounds_start), 0 }, \
        { path ".boundsPeriod.end", JSON_STRING, types, take_latest, EVENT(bounds_end), 0 },       \
        QUANTITY(path ".boundsDuration", types, take_longest, EVENT(bounds_days)),                 \
        QUANTITY(path ".boundsRange.high", types, take_longest, EVENT(bounds_days)),               \
        { path ".count", JSON_NUMBER, types, take_text, DRAFT(repeat_count), 0 },                  \
        { path ".frequency", JSON_NUMBER, types, take_text, DRAFT(repeat_frequency), 0 },          \
        { path ".period", JSON_NUMBER, types, take_text, DRAFT(repeat_period), 0 },                \
        { path ".periodUnit", JSON_STRING, types, take_text, DRAFT(repeat_unit), 0 },              \
        { path ".when", JSON_ARRAY, types, take_repeat_times, 0, 0 },                              \
    {                                                                                              \
        path ".timeOfDay", JSON_ARRAY, types, take_repeat_times, 0, 0                              \
    }

/* clang-format off */
static const struct path_row rows[] = {
    /* every resource */
    { "resourceType", JSON_STRING, ALL_TYPES, take_type, 0, 0 },
    { "id", JSON_STRING, ALL_TYPES, take_id, 0, 0 },
    KIND("meta", OBJECT, ALL_TYPES),
    KIND("meta.versionId", STRING, ALL_TYPES),
    DATE("meta.lastUpdated", ALL_TYPES, status_changed),
    { "implicitRules", JSON_STRING, ALL_TYPES, take_implicit_rules, 0, 0 },
    KIND("text", OBJECT, IDENTIFIED),
    KIND("contained", ARRAY, ALL_TYPES),
    KIND("extension", ARRAY, ALL_TYPES),
    KIND("identifier", ARRAY, IDENTIFIED),
    { "identifier[]", JSON_OBJECT, IDENTIFIED, take_own_identifier, 0, 0 },
    IDENTIFIER_PARTS("identifier[]", IDENTIFIED),
    { "status", JSON_STRING, STATED, take_text, DRAFT(status), HAS_STATUS },
    { "_status", JSON_OBJECT, STATED, NULL, 0, HAS_STATUS },
    { "subject", JSON_OBJECT, WITH_SUBJECT, NULL, 0, HAS_SUBJECT },
    { "subject.reference", JSON_STRING, WITH_SUBJECT, take_subject, 0, 0 },
    { "subject.identifier", JSON_OBJECT, WITH_SUBJECT, take_subject_identifier, 0, 0 },
    IDENTIFIER_PARTS("subject.identifier", WITH_SUBJECT),

    /* orders and what becomes of them */
    CONCEPT("medicationCodeableConcept", DRUG_USE, EVENT(medication), HAS_MEDICATION_CONCEPT),
    { "medicationReference", JSON_OBJECT, DRUG_USE, NULL, 0, HAS_MEDICATION_REFERENCE },
    { "medicationReference.reference", JSON_STRING, DRUG_USE, take_medication_reference, 0, 0 },
    { "intent", JSON_STRING, ORDER | TYPE_BIT(FHIR_CARE_PLAN), take_text, DRAFT(intent), HAS_INTENT },
    { "_intent", JSON_OBJECT, ORDER | TYPE_BIT(FHIR_CARE_PLAN), NULL, 0, HAS_INTENT },
    { "doNotPerform", JSON_BOOL, ORDER, take_bool, EVENT(do_not_perform), 0 },
    { "reportedBoolean", JSON_BOOL, ORDER, take_bool, EVENT(reported), 0 },
    { "reportedReference", JSON_OBJECT, ORDER, take_present, EVENT(reported), 0 },
    DATE("authoredOn", ORDER, authored_on),
    CONCEPT("statusReason", ORDER | PROCEDURE, EVENT(status_reason), 0),
    { "reasonCode", JSON_ARRAY, REASONED, take_event_concept, EVENT(reason_code), 0 },
    KIND("reasonCode[]", OBJECT, REASONED),
    CONCEPT_PARTS("reasonCode[]", REASONED),
    KIND("reasonReference", ARRAY, REASONED),
    { "reasonReference[].reference", JSON_STRING, REASONED, take_reason_reference, 0, 0 },
    KIND("basedOn", ARRAY, BASED),
    { "basedOn[].reference", JSON_STRING, BASED, take_based_on, 0, 0 },
    { "groupIdentifier", JSON_OBJECT, ORDER, take_group_identifier, 0, 0 },
    IDENTIFIER_PARTS("groupIdentifier", ORDER),
    KIND("priorPrescription", OBJECT, ORDER),
    { "priorPrescription.reference", JSON_STRING, ORDER, take_event_reference, EVENT(prior_prescription), 0 },
    KIND("encounter", OBJECT, ORDER),
    { "encounter.reference", JSON_STRING, ORDER, take_event_reference, EVENT(encounter), 0 },
    KIND("instantiatesCanonical", ARRAY, ORDER),
    { "instantiatesCanonical[]", JSON_STRING, ORDER, take_canonical, 0, 0 },
    KIND("instantiatesUri", ARRAY, ORDER),
    { "instantiatesUri[]", JSON_STRING, ORDER, take_event_reference_once, EVENT(protocol), 0 },
    { "extension[]", JSON_OBJECT, DRUG_USE, take_extension, 0, 0 },
    { "extension[].url", JSON_STRING, DRUG_USE, take_text, DRAFT(extension_url), 0 },
    { "extension[].valueCodeableConcept.coding[].code", JSON_STRING, DRUG_USE, take_text, DRAFT(extension_code), 0 },
    DOSAGE("dosageInstruction", ORDER | DISPENSE),
    KIND("dispenseRequest", OBJECT, ORDER),
    QUANTITY("dispenseRequest.expectedSupplyDuration", ORDER, take_longest, EVENT(supply_days)),
    DATE("dispenseRequest.validityPeriod.end", ORDER, validity_end),

    /* what has become of the order: given, told, handed over */
    { "statusReason[]", JSON_OBJECT, ADMINISTRATION | STATEMENT, take_first_concept, EVENT(status_reason), 0 },
    CONCEPT_PARTS("statusReason[]", ADMINISTRATION | STATEMENT),
    CONCEPT("statusReasonCodeableConcept", DISPENSE, EVENT(status_reason), 0),
    KIND("request", OBJECT, ADMINISTRATION),
    { "request.reference", JSON_STRING, ADMINISTRATION, take_based_on, 0, 0 },
    KIND("authorizingPrescription", ARRAY, DISPENSE),
    { "authorizingPrescription[].reference", JSON_STRING, DISPENSE, take_based_on, 0, 0 },
    KIND("derivedFrom", ARRAY, STATEMENT),
    { "derivedFrom[].reference", JSON_STRING, STATEMENT, take_based_on, 0, 0 },
    DATE("effectiveDateTime", EFFECTIVE, effective),
    KIND("effectivePeriod", OBJECT, EFFECTIVE),
    DATE("effectivePeriod.start", EFFECTIVE, effective),
    DATE("effectivePeriod.end", EFFECTIVE, effective_end),
    DATE("dateAsserted", STATEMENT, recorded),
    DATE("whenPrepared", DISPENSE, recorded),
    DATE("whenHandedOver", DISPENSE, effective),
    QUANTITY("daysSupply", DISPENSE, take_days_supply, 0),
    DOSAGE("dosage", STATEMENT),
    QUANTITY("dosage.dose", ADMINISTRATION, take_dose, 0),

    /* Procedure */
    DATE("performedDateTime", PROCEDURE, effective),
    KIND("performedPeriod", OBJECT, PROCEDURE),
    DATE("performedPeriod.start", PROCEDURE, effective),
    DATE("performedPeriod.end", PROCEDURE, effective_end),

    /* Observation */
    DATE("effectiveInstant", OBSERVATION, effective),
    DATE("issued", OBSERVATION, recorded),
    KIND("focus", ARRAY, OBSERVATION),
    { "focus[].reference", JSON_STRING, OBSERVATION, take_focus, 0, 0 },
    QUANTITY("valueQuantity", OBSERVATION, take_value_quantity, 0),
    { "valueQuantity.comparator", JSON_STRING, OBSERVATION, take_text, DRAFT(quantity_comparator), 0 },
    { "valueInteger", JSON_NUMBER, OBSERVATION, take_value_integer, 0, 0 },
    { "valueBoolean", JSON_BOOL, OBSERVATION, take_false, EVENT(value_is_false), 0 },
    CONCEPT("valueCodeableConcept", OBSERVATION, EVENT(value_concept), 0),
    { "valueString", JSON_STRING, OBSERVATION, take_value_string, 0, 0 },

    /* Condition; the codes of Medication, Observation and Procedure share its path */
    { "code", JSON_OBJECT, CONDITION | MEDICATION | OBSERVATION | PROCEDURE, take_code, 0, HAS_CODE },
    CONCEPT_PARTS("code", CONDITION | MEDICATION | OBSERVATION | PROCEDURE),
    KIND("clinicalStatus", OBJECT, CONDITION),
    CODINGS("clinicalStatus", CONDITION),
    { "clinicalStatus.coding[]", JSON_OBJECT, CONDITION, take_clinical_status, 0, 0 },
    KIND("verificationStatus", OBJECT, CONDITION),
    CODINGS("verificationStatus", CONDITION),
    { "verificationStatus.coding[]", JSON_OBJECT, CONDITION, take_verification_status, 0, 0 },
    DATE("onsetDateTime", CONDITION, onset),
    DATE("onsetPeriod.start", CONDITION, onset),
    DATE("abatementDateTime", CONDITION, abatement),
    { "abatementPeriod.start", JSON_STRING, CONDITION, take_latest, EVENT(abatement), 0 },
    { "abatementPeriod.end", JSON_STRING, CONDITION, take_latest, EVENT(abatement), 0 },
    DATE("recordedDate", CONDITION, recorded),

    /* Medication */
    { "ingredient", JSON_ARRAY, MEDICATION, take_ingredients, 0, 0 },
    { "ingredient[].itemCodeableConcept", JSON_OBJECT, MEDICATION, take_ingredient, 0, 0 },
    CONCEPT_PARTS("ingredient[].itemCodeableConcept", MEDICATION),

    /* Patient */
    { "deceasedBoolean", JSON_BOOL, PATIENT, take_bool, EVENT(is_deceased), 0 },
    { "deceasedDateTime", JSON_STRING, PATIENT, take_deceased, EVENT(deceased), 0 },
    KIND("link", ARRAY, PATIENT),
    { "link[]", JSON_OBJECT, PATIENT, take_link, 0, 0 },
    { "link[].type", JSON_STRING, PATIENT, take_text, DRAFT(link_type), 0 },
    { "link[].other.reference", JSON_STRING, PATIENT, take_link_other, 0, 0 },
};
/* clang-format on */

static struct json_paths paths;
static struct json_step *resource_paths;

/* Filled before main() and only read afterwards: no thread sees it half done. */
__attribute__((constructor)) static void fill_paths(void)
{
    resource_paths = json_paths_root(&paths);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        json_paths_add(&paths, resource_paths, rows[i].path, (unsigned)i + 1);
    json_paths_finish(&paths);
}

const struct json_step *fhir_resource_paths(void) { return resource_paths; }

const struct path_row *const fhir_path_rows = rows;
