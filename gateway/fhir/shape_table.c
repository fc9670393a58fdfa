#include "fhir/shape.h"

/* Elements of the top level that R4's StructureDefinitions mark as required (min > 0) and as part
 * of a summary (isSummary); id and meta always stay. */
/* clang-format off */
static const struct row {
    enum fhir_type type;
    const char *required, *summary;
} rows[] = {
    { FHIR_PATIENT,
      "",
      "identifier active name telecom gender birthDate deceased* address managingOrganization "
      "link" },
    { FHIR_MEDICATION_REQUEST,
      "status intent medication* subject",
      "status intent priority doNotPerform reported* medication* subject authoredOn requester "
      "performerType instantiatesCanonical instantiatesUri basedOn groupIdentifier" },
    { FHIR_CONDITION,
      "subject",
      "identifier clinicalStatus verificationStatus code bodySite subject encounter onset* "
      "recordedDate recorder asserter" },
    { FHIR_MEDICATION,
      "",
      "identifier code status manufacturer amount" },
    { FHIR_FLAG,
      "status code subject",
      "identifier status category code subject period encounter author" },
    { FHIR_CARE_PLAN,
      "status intent subject",
      "identifier instantiatesCanonical instantiatesUri basedOn replaces partOf status intent "
      "category title description subject encounter period created author addresses" },
    { FHIR_PROVENANCE,
      "target recorded agent",
      "target recorded" },
    { FHIR_MEDICATION_ADMINISTRATION,
      "status medication* subject effective*",
      "instantiates partOf status medication* subject effective* performer" },
    { FHIR_MEDICATION_STATEMENT,
      "status medication* subject",
      "identifier basedOn partOf status category medication* subject context effective* "
      "dateAsserted" },
    { FHIR_MEDICATION_DISPENSE,
      "status medication*",
      "status medication* subject whenPrepared" },
    { FHIR_OBSERVATION,
      "status code",
      "identifier basedOn partOf status code subject focus encounter effective* issued "
      "performer value* hasMember derivedFrom component" },
    { FHIR_PROCEDURE,
      "status subject",
      "identifier instantiatesCanonical instantiatesUri basedOn partOf status statusReason "
      "category code subject encounter performed* recorder asserter performer location "
      "reasonCode reasonReference bodySite outcome" },
    { FHIR_AUDIT_EVENT,
      "type recorded agent source",
      "type subtype action recorded outcome outcomeDesc purposeOfEvent" },
    { FHIR_COMMUNICATION,
      "status",
      "identifier instantiatesCanonical instantiatesUri basedOn partOf status statusReason "
      "priority subject encounter reasonCode reasonReference" },
    { FHIR_DOCUMENT_REFERENCE,
      "status content",
      "masterIdentifier identifier status docStatus type category subject date author "
      "relatesTo description securityLabel content context" },
};
/* clang-format on */

static const struct row *row_of(enum fhir_type type)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].type == type)
            return &rows[i];
    return NULL;
}

const char *fhir_required_elements(enum fhir_type type)
{
    const struct row *row = row_of(type);
    return row != NULL ? row->required : "";
}

const char *fhir_summary_elements(enum fhir_type type)
{
    const struct row *row = row_of(type);
    return row != NULL ? row->summary : "";
}
