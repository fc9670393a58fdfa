#!/usr/bin/env python3
"""Histories of a type and of everything, $everything, $validate, and that /metadata and what is done agree."""
import support
from support import FHIR_JSON, Lifeline, Pki, condition, equal, order, outcome_is, patient, send, status_is

pki = Pki()
PATCH = {"Content-Type": "application/json-patch+json"}


def pages_of(connection, path, on_first=lambda: None):
    """(entries, pages); `on_first` runs between the first page and the second"""
    entries, pages = [], 0
    while path:
        page = status_is(send(connection, "GET", path), 200).json
        entries += page.get("entry", [])
        pages += 1
        links = {link["relation"]: link["url"] for link in page["link"]}
        path = "/fhir" + links["next"].split("/fhir", 1)[1] if "next" in links else None
        if pages == 1:
            on_first()
    return entries, pages


def told(entries):
    return [(entry["request"]["method"], entry["fullUrl"].split("/fhir/")[1],
             entry["response"].get("etag", "")[3:-1]) for entry in entries]


def test_histories():
    """A2.6: the history of a type and of everything, the newest first; pages hold still under writes"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()
    for name in ("p1", "p2", "p3"):
        send(connection, "PUT", f"/fhir/Patient/{name}", patient(name))
    send(connection, "PUT", "/fhir/Condition/c1", condition("c1", "p1"))
    send(connection, "PUT", "/fhir/Patient/p1", {**patient("p1"), "birthDate": "1960"})
    send(connection, "DELETE", "/fhir/Patient/p2")
    wanted = [("DELETE", "Patient/p2", "2"), ("PUT", "Patient/p1", "2"), ("PUT", "Patient/p3", "1"),
              ("PUT", "Patient/p2", "1"), ("PUT", "Patient/p1", "1")]
    whole = [*wanted[:2], ("PUT", "Condition/c1", "1"), *wanted[2:]]
    equal(told(pages_of(connection, "/fhir/Patient/_history")[0]), wanted)
    equal(told(pages_of(connection, "/fhir/_history")[0]), whole)

    def meanwhile():
        send(connection, "PUT", "/fhir/Patient/late", patient("late"))
        send(connection, "PUT", "/fhir/Patient/p3", {**patient("p3"), "birthDate": "1961"})
    entries, pages = pages_of(connection, "/fhir/_history?_count=2", meanwhile)
    equal((told(entries), pages), (whole, 3))
    since = next(entry["response"]["lastModified"] for entry in entries if entry["fullUrl"].endswith("Condition/c1"))
    recent = told(pages_of(connection, f"/fhir/_history?_since={since}")[0])
    assert ("PUT", "Condition/c1", "1") in recent and len(recent) < 8, recent
    for wrong in ("_count=x", "_since=soon", "_page=zz"):
        outcome_is(send(connection, "GET", f"/fhir/_history?{wrong}"), 400, "invalid")


def test_everything():
    """A5.9, A7.3: the patient, what is about the patient and nobody else, and the Medications, by pages"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()
    by_reference = order("m2", "p1")
    del by_reference["medicationCodeableConcept"]
    by_reference["medicationReference"] = {"reference": "Medication/drug"}
    for resource in (patient("p1"), patient("p2"), condition("c1", "p1"), condition("c2", "p2"), order("m1", "p1"),
                     {"resourceType": "Medication", "id": "drug", "code": {"text": "carboplatin"}}, by_reference):
        send(connection, "PUT", f"/fhir/{resource['resourceType']}/{resource['id']}", resource)
    send(connection, "DELETE", "/fhir/MedicationRequest/m1")
    found = status_is(send(connection, "GET", "/fhir/Patient/p1/$everything"), 200).json
    equal((sorted(entry["resource"]["id"] for entry in found["entry"]), found["total"]), (["c1", "drug", "m2", "p1"], 4))
    entries, pages = pages_of(connection, "/fhir/Patient/p1/$everything?_count=3")
    equal((sorted(entry["resource"]["id"] for entry in entries), pages), (["c1", "drug", "m2", "p1"], 2))
    entries, pages = pages_of(connection, "/fhir/Patient/p1/$everything?_count=1&_since=2001-01-01T00:00:00%2B02:00")
    equal((len(entries), pages), (4, 4), "the zone of _since survives into the next link")
    some = send(connection, "GET", "/fhir/Patient/p1/$everything?_type=Condition,Patient").json
    equal(sorted(entry["resource"]["id"] for entry in some["entry"]), ["c1", "p1"])
    outcome_is(send(connection, "GET", "/fhir/Patient/nobody/$everything"), 404)
    outcome_is(send(connection, "GET", "/fhir/Patient/p1/$everything?_type=Spaceship"), 400)


def test_validate():
    """A7.1: what is wrong with a resource is the answer, and nothing is stored"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()
    good = order("m1", "p1")
    bad = {name: value for name, value in good.items() if name != "status"}

    def ask(body, path="/fhir/MedicationRequest/$validate"):
        return status_is(send(connection, "POST", path, body), 200).json["issue"]
    equal(ask(good)[0]["severity"], "information")
    issue = ask(bad)[0]
    equal((issue["severity"], issue["code"], issue["expression"]), ("error", "required", ["MedicationRequest.status"]))
    wrapped = {"resourceType": "Parameters", "parameter": [
        {"name": "mode", "valueCode": "create"}, {"name": "profile", "valueUri": "https://ehr.example/p"},
        {"name": "resource", "resource": bad}]}
    equal([one["severity"] for one in ask(wrapped)], ["error", "warning"])
    equal(ask(good, "/fhir/MedicationRequest/m2/$validate?mode=update")[0]["severity"], "error")
    equal(ask({"resourceType": "Parameters", "parameter": [{"name": "mode", "valueCode": "delete"}]},
              "/fhir/MedicationRequest/m1/$validate")[0]["code"], "not-found")
    outcome_is(send(connection, "GET", "/fhir/MedicationRequest/m1"), 404)
    outcome_is(send(connection, "POST", "/fhir/MedicationRequest/$validate", b"{"), 400, "structure")
    outcome_is(send(connection, "POST", "/fhir/MedicationRequest/$validate?mode=dream", good), 400)


def test_operation_definition():
    """A7.4: what our own operation takes and gives is told where /metadata says"""
    gateway = Lifeline(pki).start()
    person = next(one for one in gateway.curl("/metadata").json["rest"][0]["resource"] if one["type"] == "Patient")
    url = next(one["definition"] for one in person["operation"] if one["name"] == "lines-of-therapy")
    definition = status_is(gateway.curl(url), 200).json
    equal((definition["url"], definition["code"], definition["instance"]), (url, "lines-of-therapy", True))
    outcome_is(gateway.curl("/OperationDefinition/other"), 404)


def test_metadata_and_what_is_done():
    """A6.2: every interaction is probed for every type: declared is done, undeclared is refused"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()
    rest = gateway.curl("/metadata").json["rest"][0]
    offers = {one["type"]: one for one in rest["resource"]}
    probes = {"read": ("GET", "/x", None), "vread": ("GET", "/x/_history/1", None),
              "history-instance": ("GET", "/x/_history", None), "history-type": ("GET", "/_history", None),
              "create": ("POST", "", {}), "update": ("PUT", "/x", {}), "patch": ("PATCH", "/x", []),
              "delete": ("DELETE", "/x", None), "search-type": ("GET", "?_id=x", None)}
    for kind in (*offers, "Practitioner", "Encounter", "Bundle", "AuditEvent", "Subscription", "ValueSet"):
        offer = offers.get(kind, {})
        declared = {one["code"] for one in offer.get("interaction", ())}
        assert declared <= set(probes), declared
        for code, (method, rest_of_path, body) in probes.items():
            headers = PATCH if code == "patch" else {}
            reply = send(connection, method, f"/fhir/{kind}{rest_of_path}", body, headers)
            text = reply.body.decode()
            is_refused = reply.status == 405 or (reply.status == 404 and "not offered" in text) or \
                (reply.status == 404 and "nothing at this path" in text)
            equal(not is_refused, code in declared, f"{kind} {code}: {reply}")
        for name in ("everything", "validate", "lines-of-therapy", "expunge", "match"):
            has = name in {one["name"] for one in offer.get("operation", ())}
            reply = send(connection, "POST", f"/fhir/{kind}/x/${name}", {"resourceType": "Parameters"})
            equal("not offered" not in reply.body.decode(), has, f"{kind} ${name}: {reply}")
    declared = {one["code"] for one in rest["interaction"]}
    equal(declared, {"transaction", "batch", "history-system"})
    status_is(send(connection, "GET", "/fhir/_history"), 200)
    for kind in ("transaction", "batch"):
        status_is(send(connection, "POST", "/fhir", {"resourceType": "Bundle", "type": kind}), 200)
    outcome_is(send(connection, "GET", "/fhir?_type=Patient"), 405)


if __name__ == "__main__":
    support.main(globals())
