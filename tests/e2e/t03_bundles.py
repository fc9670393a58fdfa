#!/usr/bin/env python3
"""Transactions are all or nothing, batches entry by entry, and urn:uuid references are followed."""
import json

import support
from support import (Lifeline, Pki, condition, equal, order, outcome_is, patient, status_is,
                     transaction)

pki = Pki()


def test_transaction():
    """a transaction stores all its entries and answers each in order"""
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
    """one bad entry undoes the whole transaction"""
    gateway = Lifeline(pki).start()
    bad = order("m1", "p1")
    del bad["status"]
    reply = gateway.curl("", body=transaction(patient("p1"), bad))
    issue = outcome_is(reply, 400)
    assert "entry[1]" in json.dumps(issue), issue
    status_is(gateway.curl("/Patient/p1"), 404)


def test_batch_is_not():
    """a batch answers entry by entry: one bad entry costs only itself"""
    gateway = Lifeline(pki).start()
    bad = order("m1", "p1")
    del bad["status"]
    reply = gateway.curl("", body=transaction(patient("p1"), bad, order("m2", "p1"), kind="batch"))
    status_is(reply, 200)
    equal([e["response"]["status"][:3] for e in reply.json["entry"]], ["201", "400", "201"])
    equal(reply.json["entry"][1]["response"]["outcome"]["resourceType"], "OperationOutcome")
    status_is(gateway.curl("/Patient/p1"), 200)


def test_urn_uuid():
    """references by urn:uuid become references to what was created"""
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
    """deletes come before creates, whatever their order in the Bundle"""
    gateway = Lifeline(pki).start()
    status_is(gateway.curl("/Patient/p1", method="PUT", body=patient("p1")), 201)
    bundle = transaction(patient("p2"))
    bundle["entry"].append({"request": {"method": "DELETE", "url": "Patient/p1"}})
    status_is(gateway.curl("", body=bundle), 200)
    status_is(gateway.curl("/Patient/p1"), 410)
    status_is(gateway.curl("/Patient/p2"), 200)


def test_too_many_entries():
    """a Bundle beyond the limit is refused before anything is stored"""
    gateway = Lifeline(pki, limits={"bundle_entries": 3}).start()
    reply = gateway.curl("", body=transaction(*[patient(f"p{i}") for i in range(4)]))
    outcome_is(reply, 413)
    status_is(gateway.curl("/Patient/p0"), 404)


if __name__ == "__main__":
    support.main(globals())
