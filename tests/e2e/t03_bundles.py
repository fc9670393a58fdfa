#!/usr/bin/env python3
"""Transactions are all or nothing, batches entry by entry, and urn:uuid references are followed."""
import json

import support
from support import (Lifeline, Pki, condition, equal, order, outcome_is, patient, status_is,
                     transaction)

pki = Pki()


def test_transaction():
    """A4.2: a transaction stores all its entries and answers each in order"""
    gateway = Lifeline(pki).start()
    bundle = transaction(patient("p1"), condition("c1", "p1"), order("m1", "p1"))
    reply = status_is(gateway.curl("", body=bundle), 200)
    equal((reply.json["type"], len(reply.json["entry"])), ("transaction-response", 3))
    for entry, name in zip(reply.json["entry"], ("Patient/p1", "Condition/c1",
                                                 "MedicationRequest/m1")):
        assert entry["response"]["status"].startswith("201"), entry
        assert name in entry["response"]["location"], entry
        status_is(gateway.curl("/" + name), 200)


def test_transaction_is_atomic():
    """A4.2: one bad entry undoes the whole transaction"""
    gateway = Lifeline(pki).start()
    bad = order("m1", "p1")
    del bad["status"]
    reply = gateway.curl("", body=transaction(patient("p1"), bad))
    issue = outcome_is(reply, 400)
    assert "entry[1]" in json.dumps(issue), issue
    status_is(gateway.curl("/Patient/p1"), 404)


def test_batch_is_not():
    """A4.8: a batch answers entry by entry: one bad entry costs only itself"""
    gateway = Lifeline(pki).start()
    bad = order("m1", "p1")
    del bad["status"]
    reply = gateway.curl("", body=transaction(patient("p1"), bad, order("m2", "p1"), kind="batch"))
    status_is(reply, 200)
    equal([e["response"]["status"][:3] for e in reply.json["entry"]], ["201", "400", "201"])
    equal(reply.json["entry"][1]["response"]["outcome"]["resourceType"], "OperationOutcome")
    status_is(gateway.curl("/Patient/p1"), 200)


def entry_of(resource, method, url, full_url=None, **request):
    entry = {"request": {"method": method, "url": url, **request}}
    if resource:
        entry["resource"] = resource
    if full_url:
        entry["fullUrl"] = full_url
    return entry


def bundle_of(*entries, kind="transaction"):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


PERSON = "urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9"


def person(value, **more):
    return {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": value}], **more}


def order_for(reference, value=None):
    resource = order(None, "x")
    resource["subject"]["reference"] = reference
    if value:
        resource["identifier"] = [{"system": "urn:o", "value": value}]
    return resource


def test_conditional_create_in_a_transaction():
    """A4.7: ifNoneExist in a transaction: what refers to the entry follows to what was there"""
    gateway = Lifeline(pki).start()
    bundle = bundle_of(entry_of(order_for(PERSON), "POST", "MedicationRequest"),
                       entry_of(person("7"), "POST", "Patient", PERSON,
                                ifNoneExist="identifier=urn:mrn%7C7"))
    first = status_is(gateway.curl("", body=bundle), 200).json
    equal([entry["response"]["status"][:3] for entry in first["entry"]], ["201", "201"])
    again = status_is(gateway.curl("", body=bundle), 200).json
    equal([entry["response"]["status"][:3] for entry in again["entry"]], ["201", "200"])
    equal(again["entry"][1]["response"]["location"], first["entry"][1]["response"]["location"])
    pid = "/".join(first["entry"][1]["response"]["location"].split("/")[-4:-2])
    equal(gateway.curl(f"/MedicationRequest?patient={pid}").json["total"], 2)
    equal(gateway.curl("/Patient?identifier=urn:mrn%7C7").json["total"], 1)


def test_conditional_references():
    """A4.6: Type?query in a reference: none or many fail the transaction, one is put in its place"""
    gateway = Lifeline(pki).start()
    gateway.curl("/Patient/p1", method="PUT", body={**person("7"), "id": "p1"})
    wanted = "Patient?identifier=urn:mrn|7"
    bundle = bundle_of(entry_of(order_for(wanted), "POST", "MedicationRequest"))
    done = status_is(gateway.curl("", body=bundle), 200).json
    location = "/".join(done["entry"][0]["response"]["location"].split("/")[-4:-2])
    equal(gateway.curl(f"/{location}").json["subject"]["reference"], "Patient/p1")
    nobody = bundle_of(entry_of(order_for("Patient?identifier=urn:mrn|8"), "POST", "MedicationRequest"))
    outcome_is(gateway.curl("", body=nobody), 412)
    new = bundle_of(entry_of(order_for("Patient?identifier=urn:mrn|8"), "POST", "MedicationRequest"),
                    entry_of({**person("8"), "id": "p8"}, "PUT", "Patient/p8"))
    status_is(gateway.curl("", body=new), 200)
    equal(gateway.curl("/MedicationRequest?patient=p8").json["total"], 1)
    gateway.curl("/Patient/p2", method="PUT", body={**person("7"), "id": "p2"})
    outcome_is(gateway.curl("", body=bundle), 412, "multiple-matches")
    batch = status_is(gateway.curl("", body={**bundle, "type": "batch"}), 200).json
    assert batch["entry"][0]["response"]["status"].startswith("400"), batch
    outcome_is(gateway.curl("/MedicationRequest", body=order_for(wanted)), 400, "invalid")


def test_one_identity_twice():
    """A4.4: one resource written twice fails the whole transaction, however it is named"""
    gateway = Lifeline(pki).start()
    gateway.curl("/Patient/p1", method="PUT", body={**person("7"), "id": "p1"})
    named = entry_of({**person("7"), "id": "p1"}, "PUT", "Patient/p1")
    conditional = entry_of(person("7", birthDate="1960"), "PUT", "Patient?identifier=urn:mrn%7C7")
    create = entry_of(person("9"), "POST", "Patient", ifNoneExist="identifier=urn:mrn%7C9")
    for entries in ((named, named), (named, conditional), (conditional, conditional),
                    (create, create),
                    (conditional, entry_of(None, "DELETE", "Patient?identifier=urn:mrn%7C7"))):
        outcome_is(gateway.curl("", body=bundle_of(*entries)), 400, "invalid")
    # A plain create may not slip past a condition of its neighbour.
    outcome_is(gateway.curl("", body=bundle_of(entry_of(person("9"), "POST", "Patient"), create)), 409)
    equal(gateway.curl("/Patient?identifier=urn:mrn%7C9").json["total"], 0)
    equal(gateway.curl("/Patient/p1").json["meta"]["versionId"], "1")


def test_preconditions_of_entries():
    """A4.7: ifMatch, ifNoneMatch and ifModifiedSince hold for their entry"""
    gateway = Lifeline(pki).start()
    first = gateway.curl("/Patient/p1", method="PUT", body={**person("7"), "id": "p1"})
    changed = {**person("7", birthDate="1960"), "id": "p1"}
    stale = entry_of(changed, "PUT", "Patient/p1", ifMatch='W/"3"')
    outcome_is(gateway.curl("", body=bundle_of(stale)), 412)
    batch = status_is(gateway.curl("", body=bundle_of(
        stale, entry_of(changed, "PUT", "Patient/p1", ifMatch='W/"1"'),
        entry_of(changed, "PUT", "Patient/p1", ifNoneMatch="*"), kind="batch")), 200).json
    equal([entry["response"]["status"][:3] for entry in batch["entry"]], ["412", "200", "412"])
    reads = status_is(gateway.curl("", body=bundle_of(
        entry_of(None, "GET", "Patient/p1", ifNoneMatch='W/"2"'),
        entry_of(None, "GET", "Patient/p1", ifNoneMatch='W/"1"'),
        entry_of(None, "GET", "Patient/p1", ifModifiedSince="2999-01-01T00:00:00Z"),
        entry_of(None, "GET", "Patient/p1", ifModifiedSince="2001-01-01T00:00:00Z"))), 200).json
    equal([entry["response"]["status"][:3] for entry in reads["entry"]], ["304", "200", "304", "200"])
    assert first.status == 201


def test_circular_references():
    """A4.5: entries that refer to each other in a circle are stored with their new ids"""
    gateway = Lifeline(pki).start()
    a, b = "urn:uuid:6f0f8f0e-8c5d-4f3b-9d8e-1f7a1d9a0b11", "urn:uuid:6f0f8f0e-8c5d-4f3b-9d8e-1f7a1d9a0b12"
    first, second = order_for("Patient/p1"), order_for("Patient/p1")
    first["basedOn"], second["priorPrescription"] = [{"reference": b}], {"reference": a}
    done = status_is(gateway.curl("", body=bundle_of(
        entry_of(first, "POST", "MedicationRequest", a),
        entry_of(second, "POST", "MedicationRequest", b))), 200).json
    names = ["/".join(entry["response"]["location"].split("/")[-4:-2]) for entry in done["entry"]]
    equal(gateway.curl(f"/{names[0]}").json["basedOn"][0]["reference"], names[1])
    equal(gateway.curl(f"/{names[1]}").json["priorPrescription"]["reference"], names[0])


def test_urn_uuid():
    """A4.5: references by urn:uuid become references to what was created"""
    gateway = Lifeline(pki).start()
    patient_url = "urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9"
    order_url = "urn:uuid:6f0f8f0e-8c5d-4f3b-9d8e-1f7a1d9a0b11"
    resource = order(None, "p1")
    resource["subject"]["reference"] = patient_url
    person = patient("x")
    del person["id"]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"fullUrl": order_url, "resource": resource,
         "request": {"method": "POST", "url": "MedicationRequest"}},
        {"fullUrl": patient_url, "resource": person,
         "request": {"method": "POST", "url": "Patient"}}]}
    reply = status_is(gateway.curl("", body=bundle), 200)
    places = [e["response"]["location"] for e in reply.json["entry"]]
    pid = places[1].split("Patient/")[1].split("/")[0]
    oid = places[0].split("MedicationRequest/")[1].split("/")[0]
    stored = status_is(gateway.curl(f"/MedicationRequest/{oid}"), 200).json
    equal(stored["subject"]["reference"], f"Patient/{pid}")


def test_order_of_verbs():
    """A4.3: deletes come before creates, whatever their order in the Bundle"""
    gateway = Lifeline(pki).start()
    status_is(gateway.curl("/Patient/p1", method="PUT", body=patient("p1")), 201)
    bundle = transaction(patient("p2"))
    bundle["entry"].append({"request": {"method": "DELETE", "url": "Patient/p1"}})
    status_is(gateway.curl("", body=bundle), 200)
    status_is(gateway.curl("/Patient/p1"), 410)
    status_is(gateway.curl("/Patient/p2"), 200)


def test_order_of_entries_does_not_matter():
    """A4.3: entries in any order come to the same, and are answered in their own"""
    gateway = Lifeline(pki).start()
    status_is(gateway.curl("/Patient/gone", method="PUT", body=patient("gone")), 201)
    entries = [entry_of(None, "GET", "Patient/p1"), entry_of(patient("p1"), "PUT", "Patient/p1"),
               entry_of(order_for(PERSON), "POST", "MedicationRequest"), entry_of(person("7"), "POST", "Patient", PERSON),
               entry_of(None, "DELETE", "Patient/gone")]
    wanted = dict(zip(map(id, entries), ("200", "201", "201", "201", "204")))
    for turn in range(3):
        shuffled = entries[turn:] + entries[:turn]
        answer = status_is(gateway.curl("", body=bundle_of(*shuffled)), 200).json
        equal([entry["response"]["status"][:3] for entry in answer["entry"]], [wanted[id(e)] for e in shuffled])
        for name in ("Patient/p1", "Patient/gone"):
            gateway.curl(f"/{name}", method="DELETE")
        status_is(gateway.curl("/Patient/gone", method="PUT", body=patient("gone")), 201)


def test_entries_that_are_incomplete():
    """A4.1: an entry needs method and url, and a resource where one belongs"""
    gateway = Lifeline(pki).start()
    whole = entry_of(patient("p1"), "PUT", "Patient/p1")
    for change, expression in (({"request": None}, "entry[1].request"),
                               ({"request": {"method": "PUT"}}, "entry[1].request"),
                               ({"request": {"url": "Patient/p1"}}, "entry[1].request"),
                               ({"request": {"method": "FLY", "url": "Patient/p1"}}, "entry[1].request"),
                               ({"resource": None}, "entry[1].resource")):
        bad = {name: value for name, value in {**whole, **change}.items() if value is not None}
        for kind in ("transaction", "batch"):
            reply = gateway.curl("", body=bundle_of(entry_of(patient("p0"), "PUT", "Patient/p0"), bad, kind=kind))
            if kind == "transaction":
                outcome_is(reply, 400, expression=expression)
            else:
                equal([e["response"]["status"][:3] for e in status_is(reply, 200).json["entry"]], ["201", "400"])
        gateway.curl("/Patient/p0", method="DELETE")
        status_is(gateway.curl("/Patient/p1"), 404)


def test_entries_of_a_batch_are_apart():
    """A4.8: an entry of a batch that refers to another one is refused, and only it"""
    gateway = Lifeline(pki).start()
    batch = bundle_of(entry_of(order_for(PERSON), "POST", "MedicationRequest"),
                      entry_of(person("7"), "POST", "Patient", PERSON),
                      entry_of(None, "GET", "Patient/nobody"), kind="batch")
    answer = status_is(gateway.curl("", body=batch), 200).json
    equal([entry["response"]["status"][:3] for entry in answer["entry"]], ["400", "201", "404"])


def test_bundles_of_other_types():
    """A4.9: what is no transaction and no batch is refused with the reason"""
    gateway = Lifeline(pki).start()
    for kind in ("collection", "document", "history", "searchset"):
        issue = outcome_is(gateway.curl("", body={"resourceType": "Bundle", "type": kind}), 422, "not-supported")
        assert "transaction" in issue["diagnostics"], issue


def test_too_many_entries():
    """A4.11: a Bundle beyond the limit is refused before anything is stored"""
    gateway = Lifeline(pki, limits={"bundle_entries": 3}).start()
    reply = gateway.curl("", body=transaction(*[patient(f"p{i}") for i in range(4)]))
    outcome_is(reply, 413)
    status_is(gateway.curl("/Patient/p0"), 404)


if __name__ == "__main__":
    support.main(globals())
