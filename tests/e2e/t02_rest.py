#!/usr/bin/env python3
"""FHIR REST over mutual TLS: versions, conditions of a change, searches, and how refusals read."""
import support
from support import Lifeline, Pki, condition, equal, order, outcome_is, patient, status_is

pki = Pki()


def test_create_read_update_delete():
    """a resource lives: created, read, changed, read as it was, deleted, gone"""
    gateway = Lifeline(pki).start()
    created = status_is(gateway.curl("/Patient", body=patient("ignored")), 201)
    location = created.headers["location"]
    assert "/Patient/" in location and location.endswith("/_history/1"), location
    equal(created.headers["etag"], 'W/"1"')
    assert "last-modified" in created.headers
    pid = location.split("/")[-3]

    read = status_is(gateway.curl(f"/Patient/{pid}"), 200)
    equal((read.json["id"], read.json["meta"]["versionId"]), (pid, "1"))
    changed = {**patient(pid), "birthDate": "1960"}
    updated = status_is(gateway.curl(f"/Patient/{pid}", method="PUT", body=changed,
                                     headers={"If-Match": 'W/"1"'}), 200)
    equal(updated.headers["etag"], 'W/"2"')
    equal(status_is(gateway.curl(f"/Patient/{pid}"), 200).json["birthDate"], "1960")
    first = status_is(gateway.curl(f"/Patient/{pid}/_history/1"), 200)
    assert "birthDate" not in first.json

    assert gateway.curl(f"/Patient/{pid}", method="DELETE").status in (200, 204)
    outcome_is(gateway.curl(f"/Patient/{pid}"), 410, "deleted")


def test_lost_update():
    """a change that rests on an old version is refused"""
    gateway = Lifeline(pki).start()
    for year in ("1960", "1961"):
        gateway.curl("/Patient/p1", method="PUT", body={**patient("p1"), "birthDate": year})
    reply = gateway.curl("/Patient/p1", method="PUT", body=patient("p1"),
                         headers={"If-Match": 'W/"1"'})
    outcome_is(reply, 412, "conflict")
    equal(gateway.curl("/Patient/p1").json["birthDate"], "1961")


def test_same_again():
    """the same resource sent again is no new version"""
    gateway = Lifeline(pki).start()
    for status in (201, 200, 200):
        reply = status_is(gateway.curl("/Patient/p1", method="PUT", body=patient("p1")), status)
        equal(reply.headers["etag"], 'W/"1"')


def test_unknown_elements_are_kept():
    """what Lifeline does not know comes back as it was sent, number for number"""
    gateway = Lifeline(pki).start()
    body = ('{"resourceType":"MedicationRequest","id":"m1","status":"active","intent":"order",'
            '"medicationCodeableConcept":{"text":"carboplatin"},"subject":{"reference":"Patient/p1"},'
            '"extension":[{"url":"https://ehr.example/x","valueDecimal":1.10}],"local":{"a":[1.50,2]}}')
    status_is(gateway.curl("/MedicationRequest/m1", method="PUT", body=body), 201)
    text = status_is(gateway.curl("/MedicationRequest/m1"), 200).body.decode()
    assert '"valueDecimal":1.10' in text and '"local":{"a":[1.50,2]}' in text, text


def test_search():
    """resources are found by id, identifier and patient"""
    gateway = Lifeline(pki).start()
    gateway.curl("/Patient/p1", method="PUT", body=patient("p1"))
    flag = {"resourceType": "Flag", "id": "f1", "status": "active",
            "identifier": [{"system": "urn:x", "value": "1"}],
            "code": {"text": "salvage"}, "subject": {"reference": "Patient/p1"}}
    status_is(gateway.curl("/Flag/f1", method="PUT", body=flag), 201)
    for query in ("_id=f1", "identifier=urn:x%7C1", "patient=p1", "patient=Patient/p1",
                  "subject=Patient/p1"):
        found = status_is(gateway.curl(f"/Flag?{query}"), 200).json
        equal((found["resourceType"], found["type"], found["total"]), ("Bundle", "searchset", 1), query)
        equal(found["entry"][0]["resource"]["id"], "f1", query)
    equal(gateway.curl("/Flag?patient=nobody").json["total"], 0)


def test_conditional_update():
    """a Flag is made and then changed by its identifier, never twice"""
    gateway = Lifeline(pki).start()
    flag = {"resourceType": "Flag", "status": "active", "code": {"text": "salvage"},
            "identifier": [{"system": "urn:x", "value": "1"}],
            "subject": {"reference": "Patient/p1"}}
    path = "/Flag?identifier=urn:x%7C1"
    status_is(gateway.curl(path, method="PUT", body=flag), 201)
    status_is(gateway.curl(path, method="PUT", body={**flag, "status": "inactive"}), 200)
    found = gateway.curl(path).json
    equal((found["total"], found["entry"][0]["resource"]["status"]), (1, "inactive"))


def test_preferences():
    """Prefer decides what a change answers with; HEAD and _format are understood"""
    gateway = Lifeline(pki).start()
    minimal = gateway.curl("/Patient/p1", method="PUT", body=patient("p1"),
                           headers={"Prefer": "return=minimal"})
    assert not minimal.body, minimal
    whole = gateway.curl("/Patient/p1", method="PUT", body=patient("p1"),
                         headers={"Prefer": "return=representation"})
    equal(whole.json["resourceType"], "Patient")
    status_is(gateway.curl("/Patient/p1?_format=json"), 200)
    outcome_is(gateway.curl("/Patient/p1", headers={"Accept": "application/fhir+xml"}), 406)


def test_refusals():
    """every refusal is an OperationOutcome that names the element and quotes no patient data"""
    gateway = Lifeline(pki).start()
    good = order("m1", "p1")
    secret = "Zaphod-Beeblebrox"
    cases = (
        ("broken JSON", b'{"resourceType":"Patient",', 400, None, None),
        ("not an object", b"[]", 400, None, None),
        ("duplicate key", b'{"resourceType":"Patient","id":"p1","id":"p2"}', 400, None, None),
        ("wrong type of resource", patient("m1"), 400, None, None),
        ("other id than the URL's", {**good, "id": "m2"}, 400, None, None),
        ("no status", {k: v for k, v in good.items() if k != "status"}, 400, "required", "status"),
        ("unknown status", {**good, "status": secret}, 400, None, "status"),
        ("no subject", {k: v for k, v in good.items() if k != "subject"}, 400, "required", "subject"),
        ("a date that is none", {**good, "authoredOn": secret}, 400, "value", "authoredOn"),
        ("modifierExtension", {**good, "modifierExtension": [{"url": "u", "valueBoolean": True}]},
         422, "extension", "modifierExtension"),
    )
    for what, body, status, code, expression in cases:
        reply = gateway.curl("/MedicationRequest/m1", method="PUT", body=body)
        try:
            outcome_is(reply, status, code, expression)
        except AssertionError as error:
            raise AssertionError(f"{what}: {error}") from None
        assert secret.encode() not in reply.body, f"{what}: the outcome quotes the value"
    outcome_is(gateway.curl("/MedicationRequest/m1"), 404, "not-found")
    outcome_is(gateway.curl("/Spaceship/1"), 404)
    outcome_is(gateway.curl("/Patient/p1", method="PATCH", body="{}"), 405)
    outcome_is(gateway.curl("/Patient", body="<Patient/>",
                            headers={"Content-Type": "application/fhir+xml"}), 415)


def test_medication_arrives_later():
    """an order that refers to a Medication is understood once the Medication arrives"""
    gateway = Lifeline(pki).start()
    gateway.curl("/Patient/p1", method="PUT", body=patient("p1"))
    gateway.curl("/Condition/c1", method="PUT", body=condition("c1", "p1"))
    later = order("m1", "p1")
    del later["medicationCodeableConcept"]
    later["medicationReference"] = {"reference": "Medication/drug"}
    status_is(gateway.curl("/MedicationRequest/m1", method="PUT", body=later), 201)
    drug = {"resourceType": "Medication", "id": "drug", "code": {"coding": [
        {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "121191"}]}}
    status_is(gateway.curl("/Medication/drug", method="PUT", body=drug), 201)
    report = gateway.curl("/Patient/p1/$lines-of-therapy")
    status_is(report, 200)
    assert b"rituximab" in report.body, report


def test_tenants_do_not_meet():
    """one tenant's resources do not exist for another"""
    gateway = Lifeline(pki)
    gateway.settings["tenants"].append({"name": "other", "identities": ["cn:other-hospital"]})
    gateway.start()
    status_is(gateway.curl("/Patient/p1", method="PUT", body=patient("p1")), 201)
    status_is(gateway.curl("/Patient/p1", client="other-hospital"), 404)
    status_is(gateway.curl("/Patient/p1", method="PUT", body=patient("p1"),
                           client="other-hospital"), 201)
    equal(gateway.curl("/Patient/p1").json["meta"]["versionId"], "1")


if __name__ == "__main__":
    support.main(globals())
