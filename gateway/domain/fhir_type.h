/* domain/fhir_type.h -- the FHIR resource types that Lifeline knows, with what it does with each.
 *
 * What      one table; the numbers are stored, so rows are only ever added at the end.
 */
#pragma once

#include "base/check.h"
#include "base/slice.h"

/* clang-format off */
#define FHIR_TYPE_TABLE(X)                                                             \
    /*  name                      stored number   part of the timeline */              \
    X(NONE,                     "",                        0, false)                   \
    X(PATIENT,                  "Patient",                 1, true)                    \
    X(MEDICATION_REQUEST,       "MedicationRequest",       2, true)                    \
    X(CONDITION,                "Condition",               3, true)                    \
    X(MEDICATION,               "Medication",              4, false)                   \
    X(FLAG,                     "Flag",                    5, false)                   \
    X(CARE_PLAN,                "CarePlan",                6, false)                   \
    X(PROVENANCE,               "Provenance",              7, false)                   \
    X(MEDICATION_ADMINISTRATION,"MedicationAdministration",8, true)                    \
    X(MEDICATION_STATEMENT,     "MedicationStatement",     9, true)                    \
    X(MEDICATION_DISPENSE,      "MedicationDispense",      10, true)                   \
    X(OBSERVATION,              "Observation",             11, true)                   \
    X(PROCEDURE,                "Procedure",               12, true)                   \
    X(AUDIT_EVENT,              "AuditEvent",              13, false)                  \
    X(COMMUNICATION,            "Communication",           14, false)                  \
    X(DOCUMENT_REFERENCE,       "DocumentReference",       15, false)                  \
    X(BUNDLE,                   "Bundle",                  16, false)                  \
    X(OPERATION_OUTCOME,        "OperationOutcome",        17, false)                  \
    X(OPERATION_DEFINITION,     "OperationDefinition",     18, false)
/* clang-format on */

enum fhir_type {
#define X(name, text, number, timeline) FHIR_##name = (number),
    FHIR_TYPE_TABLE(X)
#undef X
};
#define FHIR_TYPE_COUNT 19

/* "MedicationRequest"; "" for FHIR_NONE. */
const char *fhir_type_name(enum fhir_type type);
/* FHIR_NONE when the name is not in the table. */
enum fhir_type fhir_type_of(struct slice name);
/* True when resources of the type become events of a patient's timeline. */
bool fhir_type_is_timeline(enum fhir_type type);
