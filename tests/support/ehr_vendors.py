"""What the EHRs that fake_ehr.py plays will take, as tables.

An offer is what /metadata says of a type: letters (c create, r read, u update, s search, p patch) and search
parameters.  Rules refuse what a vendor refuses; `ignored` is what it forgets without a word.

The vendors are played after what their own CapabilityStatements say (Epic sandbox "May 2026", Oracle Health R4,
MEDITECH Greenfield R4, athenahealth R4, all captured in July and August 2026) and after their documentation; what
such a statement does not say is the hardest reading, since a gateway that copes with it copes with the others.
"""
import base64
import dataclasses
import json
import re

TYPES = ("Flag", "CarePlan", "Communication", "DocumentReference", "Provenance",
         "QuestionnaireResponse")
EPIC_SYSTEM = "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369"


class Refusal(Exception):
    """An answer other than success; `vendor_code` is the number that Epic puts into its OperationOutcome."""

    def __init__(self, status, code, text, vendor_code=None, empty=False):
        super().__init__(text)
        self.status, self.code, self.text = status, code, text
        self.vendor_code, self.empty = vendor_code, empty


@dataclasses.dataclass(frozen=True)
class Offer:
    letters: str = ""
    params: tuple = ()
    ignored_params: tuple = ()  # declared, and without effect
    conditional_create: bool = False
    conditional_update: bool = False
    update_create: bool = False
    operations: tuple = ()


@dataclasses.dataclass(frozen=True)
class Vendor:
    software: str
    types: dict
    base: str = "/fhir"
    rules: dict = dataclasses.field(default_factory=dict)    # type -> ((sentence, test, vendor code), ...)
    ignored: dict = dataclasses.field(default_factory=dict)  # type -> members that are not stored
    stale_status: int = 412          # to an If-Match of another version
    needs_if_match: bool = False
    json_only: bool = False          # 406 with an empty body to anybody else
    numeric_codes: bool = False      # Epic: error numbers in OperationOutcome.issue.details
    refuses_duplicates: bool = False  # Epic: 59141
    repeats_on_pages: bool = False   # Oracle: a record may come on two pages
    page_size: int = 100
    throttle_percent: int = 0        # MEDITECH: at will
    needs_search_patient: bool = False
    search_needs: dict = dataclasses.field(default_factory=dict)  # type -> parameter


# --- rules ---------------------------------------------------------------------------------------

def codes_of(concept):
    return {(c.get("system", ""), c.get("code", "")) for c in concept.get("coding", [])}


def attachments(resource):
    payload = [p.get("contentAttachment") for p in resource.get("payload", [])]
    return [a for a in payload + [c.get("attachment") for c in resource.get("content", [])] if a]


def has_data(attachment, kinds):
    kind, _, parameter = attachment.get("contentType", "").partition(";")
    try:
        base64.b64decode(attachment.get("data", ""), validate=True).decode("utf-8")
    except ValueError:
        return False
    return bool(attachment.get("data")) and kind in kinds and "utf-8" in parameter.lower()


def references(resource, member, *types):
    value = resource.get(member, [])
    return [r.get("reference", "") for r in (value if isinstance(value, list) else [value])
            if r.get("reference", "").split("/")[0] in types]


def has_time(text):
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)", text or ""))


HL7_CATEGORY = "http://terminology.hl7.org/CodeSystem/communication-category"
ORACLE_TEXT = ("text/plain", "text/xhtml", "application/xhtml+xml")
ORACLE_DOCUMENTS = ORACLE_TEXT + ("application/pdf", "text/rtf", "text/html", "text/xml", "application/xml")

ORACLE_RULES = {
    "Communication": (
        ("status must be completed", lambda r: r.get("status") == "completed", None),
        ("category must be notification, reminder or SNOMED 312853008",
         lambda r: len(r.get("category", [])) == 1 and codes_of(r["category"][0]) and
         codes_of(r["category"][0]) <= {(HL7_CATEGORY, "notification"), (HL7_CATEGORY, "reminder"),
                                        ("http://snomed.info/sct", "312853008")}, None),
        ("priority must be routine or urgent", lambda r: r.get("priority") in ("routine", "urgent"), None),
        ("sender must be a Practitioner", lambda r: references(r, "sender", "Practitioner"), None),
        ("at least one recipient, Practitioner or Group",
         lambda r: r.get("recipient") and
         len(references(r, "recipient", "Practitioner", "Group")) == len(r["recipient"]), None),
        ("subject must be a Patient", lambda r: references(r, "subject", "Patient"), None),
        ("topic must be text only", lambda r: set(r.get("topic", {})) == {"text"}, None),
        ("exactly one payload, an attachment of text in UTF-8",
         lambda r: len(r.get("payload", [])) == 1 and len(attachments(r)) == 1 and
         has_data(attachments(r)[0], ORACLE_TEXT), None),
    ),
    "DocumentReference": (
        ("status must be current", lambda r: r.get("status") in ("current", "entered-in-error"), None),
        ("docStatus must be final or amended", lambda r: r.get("docStatus") in ("final", "amended"), None),
        ("type must be LOINC or proprietary, not both",
         lambda r: len({s.startswith("http://loinc.org") for s, _ in codes_of(r.get("type", {}))}) == 1, None),
        ("one content entry with inline data of an accepted type",
         lambda r: len(r.get("content", [])) == 1 and has_data(attachments(r)[0], ORACLE_DOCUMENTS), None),
        ("context.period.end is required, with a time",
         lambda r: has_time(r.get("context", {}).get("period", {}).get("end")), None),
        ("all dates must have a time",
         lambda r: all(has_time(t) for t in [r.get("date"), *r.get("context", {}).get("period", {}).values()]
                       if t is not None), None),
        ("subject must be a Patient", lambda r: references(r, "subject", "Patient"), None),
    ),
    "Provenance": (("target is required", lambda r: r.get("target"), None),),
}

EPIC_RULES = {
    "DocumentReference": (
        ("subject must be a Patient", lambda r: references(r, "subject", "Patient"), 59100),
        ("an author is required", lambda r: references(r, "author", "Practitioner", "Organization"), 59101),
        ("this note type is not mapped here",
         lambda r: ("http://loinc.org", "11506-3") in codes_of(r.get("type", {})), 59187),
        ("one content of plain text",
         lambda r: len(r.get("content", [])) == 1 and has_data(attachments(r)[0], ("text/plain",)), 59102),
        ("status must be current or entered-in-error",
         lambda r: r.get("status") in ("current", "entered-in-error"), 59105),
    ),
    "Communication": (
        ("subject must be a Patient", lambda r: references(r, "subject", "Patient"), 59100),
        ("a recipient is required", lambda r: r.get("recipient"), 59108),
        ("one payload", lambda r: len(r.get("payload", [])) == 1, 59102),
        ("status must be completed", lambda r: r.get("status") == "completed", 59105),
    ),
}

MEDITECH_RULES = {
    "Communication": (
        ("subject must be a Patient", lambda r: references(r, "subject", "Patient"), None),
        ("recipients must be among the recipient choices",
         lambda r: r.get("recipient") and all(e.get("reference") in RECIPIENT_CHOICES
                                              for e in r["recipient"]), None),
        ("one payload of text",
         lambda r: len(r.get("payload", [])) == 1 and
         (r["payload"][0].get("contentString") or attachments(r)), None),
    ),
}
RECIPIENT_CHOICES = ("Practitioner/pool-doctor", "Group/oncology-pool")


# --- the vendors -----------------------------------------------------------------------------------

def everywhere(letters, provenance_letters=None, **more):
    """The same offer for all that a plain FHIR server stores."""
    searches = "s" in letters
    record = Offer(letters, ("identifier", "patient") if searches else (), **more)
    letters = letters if provenance_letters is None else provenance_letters
    provenance = Offer(letters, ("target",) if searches else (), **more)
    return {**{name: record for name in ("Flag", "CarePlan", "Communication", "DocumentReference")},
            "Provenance": provenance, "Patient": Offer("rs")}


HAPI = everywhere("crus", conditional_create=True, conditional_update=True, update_create=True)

VENDORS = {
    # Without a name: FHIR servers that offer more or less.
    "hapi": Vendor("", HAPI),
    "plain": Vendor("", everywhere("crus", "crs")),
    "upsert": Vendor("", everywhere("crus", update_create=True)),
    "minimal": Vendor("", everywhere("cru", "cr")),
    "read-only": Vendor("", everywhere("rs")),
    "create-only": Vendor("", everywhere("crs")),
    "hapi-like": Vendor("HAPI FHIR Server", HAPI),
    "epic-like": Vendor(
        "Epic", {
            "Flag": Offer("rs", ("patient", "subject", "category", "status", "identifier")),
            "CarePlan": Offer("rs", ("patient", "subject", "category", "identifier")),
            # `identifier` is in the statement, without a word, and has no effect.
            "Communication": Offer("crs", ("patient", "subject", "category", "identifier"),
                                   ("identifier",)),
            "DocumentReference": Offer("crus", ("patient", "subject", "type", "category", "date",
                                                "identifier"), ("identifier",)),
            "Provenance": Offer("r"), "Patient": Offer("rs"),
        },
        base="/interconnect/api/FHIR/R4", rules=EPIC_RULES, numeric_codes=True,
        refuses_duplicates=True, page_size=3, needs_search_patient=True,
        ignored={"Communication": ("identifier", "meta"), "DocumentReference": ("meta",)}),
    "oracle-like": Vendor(
        "Oracle Health", {
            "CarePlan": Offer("rs", ("patient", "category", "date")),
            "Communication": Offer("crsp", ("category", "received", "recipient")),
            "DocumentReference": Offer("crus", ("patient", "type", "category", "date", "period")),
            "Provenance": Offer("crs", ("target",)), "Patient": Offer("rs"),
        },
        base="/r4/ec2458f2-1e24-41c8-b71b-0e701af7583d", rules=ORACLE_RULES, stale_status=409,
        needs_if_match=True, json_only=True, repeats_on_pages=True, page_size=2,
        search_needs={"Communication": "recipient"},
        ignored={"Communication": ("identifier", "meta", "text"),
                 "DocumentReference": ("identifier", "meta", "text", "description", "relatesTo")}),
    "meditech-like": Vendor(
        "Interoperability Services: US Core STU6 FHIR R4", {
            "CarePlan": Offer("rs", ("patient", "category", "status")),
            "Communication": Offer("crs", ("patient", "subject", "recipient", "sender", "sent"),
                                   operations=("get-recipient-choices",)),
            "DocumentReference": Offer("rs", ("patient", "type")),
            "Provenance": Offer("r"), "Patient": Offer("rs"),
        },
        base="/v2/uscore/STU6", rules=MEDITECH_RULES, throttle_percent=10,
        ignored={"Communication": ("meta",)}),
    "athena-like": Vendor(
        "athenahealth", {
            "CarePlan": Offer("rs", ("patient", "category")),
            "DocumentReference": Offer("rs", ("patient", "category")),
            "Provenance": Offer("rs", ("target",)), "Patient": Offer("rs"),
            "QuestionnaireResponse": Offer("c"),
        },
        base="/fhir/r4", json_only=True),
}


def check(vendor, kind, resource):
    """Raises the first refusal that the vendor's rules have for this body."""
    if "{{" in json.dumps(resource):
        raise Refusal(422, "value", "a token was left in the body")
    if vendor.software == "Oracle Health" and "modifierExtension" in resource:
        raise Refusal(422, "extension", "unknown modifier extension")
    for sentence, holds, code in vendor.rules.get(kind, ()):
        if not holds(resource):
            raise Refusal(422 if code is None else 400, "business-rule", sentence, code)


def stored_form(vendor, kind, resource):
    """What the vendor keeps of it."""
    return {name: value for name, value in resource.items() if name not in vendor.ignored.get(kind, ())}


def statement(vendor):
    """The CapabilityStatement."""
    words = {"c": "create", "r": "read", "u": "update", "s": "search-type", "p": "patch"}
    resources = []
    for kind, offer in vendor.types.items():
        resources.append({
            "type": kind, "interaction": [{"code": words[letter]} for letter in offer.letters],
            "conditionalCreate": offer.conditional_create,
            "conditionalUpdate": offer.conditional_update, "updateCreate": offer.update_create,
            "searchParam": [{"name": name, "type": "token"} for name in offer.params],
            "operation": [{"name": name, "definition": f"urn:operation:{name}"}
                          for name in offer.operations]})
    text = {"resourceType": "CapabilityStatement", "status": "active", "kind": "instance",
            "fhirVersion": "4.0.1", "format": ["json"],
            "rest": [{"mode": "server", "resource": resources}]}
    if vendor.software == "Oracle Health":
        text["publisher"] = vendor.software  # its statement has no software
    elif vendor.software:
        text["software"] = {"name": vendor.software, "version": "emulated"}
    return text
