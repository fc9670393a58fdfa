#include "fhir/search.h"

/* All that is searched.  A parameter is offered for the types of its row; rows of one name and
 * different paths stand one after another. */

#define T(name) (UINT32_C(1) << FHIR_##name)
#define DRUG_USE                                                                      \
    (T(MEDICATION_REQUEST) | T(MEDICATION_ADMINISTRATION) | T(MEDICATION_STATEMENT) | \
     T(MEDICATION_DISPENSE))
#define CLINICAL (DRUG_USE | T(CONDITION) | T(OBSERVATION) | T(PROCEDURE))
#define OUTPUTS (T(FLAG) | T(CARE_PLAN))
#define OF_PATIENT (CLINICAL | OUTPUTS | T(COMMUNICATION) | T(DOCUMENT_REFERENCE))
#define ALL (OF_PATIENT | T(PATIENT) | T(MEDICATION) | T(PROVENANCE))

#define FHIR_SYSTEM "http://hl7.org/fhir/"
#define THO_SYSTEM "http://terminology.hl7.org/CodeSystem/"
#define ONE(shape, path)        \
    {                           \
        {                       \
            SHAPE_##shape, path \
        }                       \
    }

/* clang-format off */
static const struct fhir_search_row rows[] = {
    { "_id",           ALL, SEARCH_TOKEN, ONE(RESOURCE_ID, ""), NULL },
    { "_lastUpdated",  ALL, SEARCH_DATE,  ONE(UPDATED, ""), NULL },
    { "identifier",    ALL & ~T(PROVENANCE), SEARCH_TOKEN, ONE(IDENTIFIER, "identifier[]"), NULL },
    { "patient",       OF_PATIENT, SEARCH_REFERENCE, ONE(REFERENCE, "subject"), NULL },
    { "subject",       OF_PATIENT, SEARCH_REFERENCE, ONE(REFERENCE, "subject"), NULL },
    { "encounter",     T(MEDICATION_REQUEST) | T(CONDITION) | T(OBSERVATION) | T(PROCEDURE) |
                       OUTPUTS | T(COMMUNICATION), SEARCH_REFERENCE, ONE(REFERENCE, "encounter"), NULL },
    { "context",       T(MEDICATION_ADMINISTRATION) | T(MEDICATION_STATEMENT) | T(MEDICATION_DISPENSE),
                       SEARCH_REFERENCE, ONE(REFERENCE, "context"), NULL },
    { "target",        T(PROVENANCE), SEARCH_REFERENCE, ONE(REFERENCE, "target[]"), NULL },
    { "recorded",      T(PROVENANCE), SEARCH_DATE, ONE(MOMENT, "recorded"), NULL },

    { "status",        T(MEDICATION_REQUEST), SEARCH_TOKEN, ONE(CODE, "status"),
                       FHIR_SYSTEM "CodeSystem/medicationrequest-status" },
    { "status",        T(MEDICATION_ADMINISTRATION), SEARCH_TOKEN, ONE(CODE, "status"),
                       THO_SYSTEM "medication-admin-status" },
    { "status",        T(MEDICATION_STATEMENT), SEARCH_TOKEN, ONE(CODE, "status"),
                       FHIR_SYSTEM "CodeSystem/medication-statement-status" },
    { "status",        T(MEDICATION_DISPENSE), SEARCH_TOKEN, ONE(CODE, "status"),
                       THO_SYSTEM "medicationdispense-status" },
    { "status",        T(OBSERVATION), SEARCH_TOKEN, ONE(CODE, "status"), FHIR_SYSTEM "observation-status" },
    { "status",        T(PROCEDURE) | T(COMMUNICATION), SEARCH_TOKEN, ONE(CODE, "status"),
                       FHIR_SYSTEM "event-status" },
    { "status",        T(FLAG), SEARCH_TOKEN, ONE(CODE, "status"), FHIR_SYSTEM "flag-status" },
    { "status",        T(CARE_PLAN), SEARCH_TOKEN, ONE(CODE, "status"), FHIR_SYSTEM "request-status" },
    { "status",        T(DOCUMENT_REFERENCE), SEARCH_TOKEN, ONE(CODE, "status"),
                       FHIR_SYSTEM "document-reference-status" },
    { "intent",        T(MEDICATION_REQUEST), SEARCH_TOKEN, ONE(CODE, "intent"),
                       FHIR_SYSTEM "CodeSystem/medicationrequest-intent" },
    { "intent",        T(CARE_PLAN), SEARCH_TOKEN, ONE(CODE, "intent"), FHIR_SYSTEM "request-intent" },

    { "code",          DRUG_USE, SEARCH_TOKEN, ONE(CONCEPT, "medicationCodeableConcept"), NULL },
    { "code",          T(CONDITION) | T(OBSERVATION) | T(PROCEDURE) | T(MEDICATION), SEARCH_TOKEN,
                       ONE(CONCEPT, "code"), NULL },
    { "medication",    DRUG_USE, SEARCH_REFERENCE, ONE(REFERENCE, "medicationReference"), NULL },
    { "authoredon",    T(MEDICATION_REQUEST), SEARCH_DATE, ONE(MOMENT, "authoredOn"), NULL },
    { "effective-time", T(MEDICATION_ADMINISTRATION), SEARCH_DATE,
                       { { SHAPE_MOMENT, "effectiveDateTime" }, { SHAPE_PERIOD, "effectivePeriod" } }, NULL },
    { "effective",     T(MEDICATION_STATEMENT), SEARCH_DATE,
                       { { SHAPE_MOMENT, "effectiveDateTime" }, { SHAPE_PERIOD, "effectivePeriod" } }, NULL },
    { "whenhandedover", T(MEDICATION_DISPENSE), SEARCH_DATE, ONE(MOMENT, "whenHandedOver"), NULL },

    { "category",      T(CONDITION) | T(OBSERVATION) | OUTPUTS, SEARCH_TOKEN, ONE(CONCEPT, "category[]"), NULL },
    { "clinical-status", T(CONDITION), SEARCH_TOKEN, ONE(CONCEPT, "clinicalStatus"), NULL },
    { "verification-status", T(CONDITION), SEARCH_TOKEN, ONE(CONCEPT, "verificationStatus"), NULL },
    { "onset-date",    T(CONDITION), SEARCH_DATE,
                       { { SHAPE_MOMENT, "onsetDateTime" }, { SHAPE_PERIOD, "onsetPeriod" } }, NULL },
    { "recorded-date", T(CONDITION), SEARCH_DATE, ONE(MOMENT, "recordedDate"), NULL },
    { "date",          T(OBSERVATION), SEARCH_DATE,
                       { { SHAPE_MOMENT, "effectiveDateTime" }, { SHAPE_PERIOD, "effectivePeriod" },
                         { SHAPE_MOMENT, "effectiveInstant" } }, NULL },
    { "date",          T(PROCEDURE), SEARCH_DATE,
                       { { SHAPE_MOMENT, "performedDateTime" }, { SHAPE_PERIOD, "performedPeriod" } }, NULL },
    { "date",          OUTPUTS, SEARCH_DATE, ONE(PERIOD, "period"), NULL },
    { "date",          T(DOCUMENT_REFERENCE), SEARCH_DATE, ONE(MOMENT, "date"), NULL },
    { "sent",          T(COMMUNICATION), SEARCH_DATE, ONE(MOMENT, "sent"), NULL },
};
/* clang-format on */

const struct fhir_search_row *fhir_search_next(enum fhir_type type,
                                               const struct fhir_search_row *row)
{
    for (row = row == NULL ? rows : row + 1; row < rows + COUNT_OF(rows); row++)
        if ((row->types >> type & 1) != 0)
            return row;
    return NULL;
}

const char *fhir_search_kind_name(enum fhir_search_kind kind)
{
    static const char *const names[] = {
        [SEARCH_TOKEN] = "token", [SEARCH_REFERENCE] = "reference", [SEARCH_DATE] = "date"
    };
    return names[kind];
}
