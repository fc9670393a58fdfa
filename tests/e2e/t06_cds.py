#!/usr/bin/env python3
"""CDS Hooks: what a clinician is shown at patient-view and while orders are written (checklist K)."""
import json
import pathlib
import uuid

import support
from support import Lifeline, Pki, condition, equal, order, outcome_is, patient, status_is, transaction

pki = Pki("general-hospital", "other-hospital")
SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "gateway" / "samples"
JSON = {"Content-Type": "application/json"}


def call(gateway, hook, pid, path="/cds-services/lifeline", **more):
    body = {"hook": hook, "hookInstance": str(uuid.UUID(int=7)),
            "context": {"userId": "Practitioner/1", "patientId": pid, **more.pop("context", {})}, **more}
    return gateway.curl(f"https://127.0.0.1:{gateway.port}{path}", body=body, headers=JSON)


def push_sample(gateway, name):
    bundle = json.loads((SAMPLES / name).read_text())
    status_is(gateway.curl("", body=bundle), 200)
    return next(entry["resource"]["id"] for entry in bundle["entry"]
                if entry["resource"]["resourceType"] == "Patient")


def orders_of(pid, *drafts):
    return {"resourceType": "Bundle", "type": "collection",
            "entry": [{"resource": {**order(None, pid, code, "2024-06-03", text), "status": "draft"}}
                      for code, text in drafts]}


def relapsed_aml(pid):
    return [patient(pid), condition(f"{pid}-c0", pid, "C92.00", "active", "2023-01-05"),
            condition(f"{pid}-c1", pid, "C92.02", "relapse", "2024-05-22"),
            order(f"{pid}-m0", pid, "3041", "2023-01-09", "cytarabine"),
            order(f"{pid}-m1", pid, "3109", "2023-01-09", "daunorubicin")]


FLAG_IDA = (("24698", "fludarabine"), ("3041", "cytarabine"), ("5650", "idarubicin"))


def test_discovery():
    """K1, K2, K3: one service for three hooks, with the prefetch it can use"""
    gateway = Lifeline(pki).start()
    reply = status_is(gateway.curl(f"https://127.0.0.1:{gateway.port}/cds-services"), 200)
    assert reply.headers["content-type"].startswith("application/json"), reply.headers
    services = reply.json["services"]
    equal(sorted(service["hook"] for service in services),
          ["order-select", "order-sign", "patient-view"])
    equal({service["id"] for service in services}, {"lifeline"})
    for service in services:
        assert service["description"] and service["title"], service
        assert all("{{context.patientId}}" in query for query in service["prefetch"].values())
    equal(gateway.curl(f"https://127.0.0.1:{gateway.port}/cds-services", method="POST", body={},
                       headers=JSON).headers["allow"], "GET, HEAD")
    outcome_is(call(gateway, "patient-view", "p1", "/cds-services/other"), 404)


def test_patient_view():
    """K6, K8, K9: a patient on salvage therapy has one card, from what is stored; others have none"""
    gateway = Lifeline(pki).start()
    salvage = push_sample(gateway, "dlbcl-rchop-rice-cart.json")
    other = push_sample(gateway, "nsclc-maintenance.json")
    reply = status_is(call(gateway, "patient-view", salvage), 200)
    (card,) = reply.json["cards"]
    assert 0 < len(card["summary"]) < 140 and "salvage" in card["summary"], card
    equal(card["indicator"], "info")
    assert card["source"]["label"] and "ordered" in card["detail"], card
    assert "SAL-" in card["detail"] and "/_history/" in card["detail"], card["detail"]
    assert all(reason["display"] for reason in card["overrideReasons"])
    uuid.UUID(card["uuid"])
    equal(list(reply.json), ["cards"], "no actions of the system")
    assert not any(key in card for key in ("suggestions", "links")), card
    equal(call(gateway, "patient-view", salvage).json, reply.json, "the same call, the same cards")
    equal(status_is(call(gateway, "patient-view", other), 200).json, {"cards": []})


def test_prefetch():
    """K6: a patient of whom nothing is stored needs prefetch; with it, nothing is stored either"""
    gateway = Lifeline(pki).start()
    outcome_is(call(gateway, "patient-view", "new"), 412, "conflict")
    resources = relapsed_aml("new") + [order(f"s{n}", "new", code, "2024-06-03", text)
                                       for n, (code, text) in enumerate(FLAG_IDA)]
    prefetch = {"patient": resources[0], "nothing": None, "orders": {
        "resourceType": "Bundle", "type": "searchset",
        "entry": [{"resource": resource} for resource in resources[1:]]}}
    (card,) = status_is(call(gateway, "patient-view", "new", prefetch=prefetch), 200).json["cards"]
    assert card["summary"].startswith("On record: line ") and "2 (salvage" in card["summary"], card
    # Orders of somebody else, in the same Bundle, say nothing of this patient.
    foreign = {"orders": {"resourceType": "Bundle", "type": "searchset", "entry": [
        {"resource": resource} for resource in relapsed_aml("else")]}}
    equal(status_is(call(gateway, "patient-view", "new", prefetch=foreign), 200).json, {"cards": []})
    status_is(gateway.curl("/Patient/new"), 404)
    equal(gateway.curl("/MedicationRequest?patient=new").json["total"], 0)


def test_drafts():
    """K5: orders that are being written are judged as orders of today, and never stored"""
    gateway = Lifeline(pki).start()
    status_is(gateway.curl("", body=transaction(*relapsed_aml("p1"))), 200)
    equal(status_is(call(gateway, "patient-view", "p1"), 200).json, {"cards": []})
    for hook in ("order-select", "order-sign"):
        reply = call(gateway, hook, "p1", context={"draftOrders": orders_of("p1", *FLAG_IDA),
                                                   "selections": []})
        (card,) = status_is(reply, 200).json["cards"]
        assert card["summary"].startswith("With these orders: line "), card
        assert "2 (salvage" in card["summary"] and "FLAG-IDA" in card["summary"], card
    supportive = call(gateway, "order-sign", "p1", context={
        "draftOrders": orders_of("p1", ("26225", "ondansetron"))})
    equal(status_is(supportive, 200).json, {"cards": []})
    equal(gateway.curl("/MedicationRequest?patient=p1").json["total"], 2)
    equal(status_is(call(gateway, "patient-view", "p1"), 200).json, {"cards": []})


def test_calls_that_are_wrong():
    """K4: what is missing or broken is named; what is unknown is tolerated"""
    gateway = Lifeline(pki).start()
    push_sample(gateway, "dlbcl-rchop-rice-cart.json")
    url = f"https://127.0.0.1:{gateway.port}/cds-services/lifeline"
    for body, expression in ((b"{", None), (b"[]", None), ({"hook": "patient-view"}, None),
                             ({"hook": "appointment-book", "hookInstance": "x",
                               "context": {"patientId": "p"}}, "hook"),
                             ({"hook": "patient-view", "hookInstance": "x", "context": {}},
                              "context.patientId"),
                             ({"hook": "patient-view", "hookInstance": "x",
                               "context": {"patientId": 7}}, "context.patientId")):
        outcome_is(gateway.curl(url, body=body, headers=JSON), 400, expression=expression)
    odd = {"hook": "patient-view", "hookInstance": "x", "colour": {"a": [1]}, "extension": None,
           "context": {"patientId": "Patient/sample-dlbcl", "userId": None}, "prefetch": None}
    equal(len(status_is(gateway.curl(url, body=odd, headers=JSON), 200).json["cards"]), 1)


def test_feedback():
    """K10, K13: what was said of a card is in the audit log, without the comment"""
    gateway = Lifeline(pki).start()
    feedback = {"feedback": [
        {"card": str(uuid.UUID(int=1)), "outcome": "overridden", "outcomeTimestamp": "2026-11-30T08:00:00Z",
         "overrideReason": {"reason": {"code": "known"}, "userComment": "Zaphod knows"}},
        {"card": str(uuid.UUID(int=2)), "outcome": "accepted", "acceptedSuggestions": [],
         "outcomeTimestamp": "2026-11-30T08:00:01Z"}]}
    url = f"https://127.0.0.1:{gateway.port}/cds-services/lifeline/feedback"
    for _ in range(2):
        equal(status_is(gateway.curl(url, body=feedback, headers=JSON), 200).body, b"")
    records = [record for record in gateway.audit() if "feedback" in (record.get("detail") or {})]
    equal(len(records), 2)
    first = records[0]["detail"]["feedback"]
    equal([(one["outcome"], one.get("reason"), one["hasComment"]) for one in first],
          [("overridden", "known", True), ("accepted", None, False)])
    assert "Zaphod" not in json.dumps(records)
    outcome_is(gateway.curl(url, body={"feedback": []}, headers=JSON), 400, "required")
    outcome_is(gateway.curl(url, body={"feedback": [{"card": "x", "outcome": "maybe"}]}, headers=JSON),
               400, "invalid")
    assert gateway.run("audit", "verify").returncode == 0


def test_tenants_are_apart():
    """K6: nobody sees cards of another tenant's patients"""
    gateway = Lifeline(pki)
    gateway.settings["tenants"].append({"name": "other", "identities": ["cn:other-hospital"]})
    gateway.start()
    pid = push_sample(gateway, "dlbcl-rchop-rice-cart.json")
    body = {"hook": "patient-view", "hookInstance": "x", "context": {"patientId": pid}}
    url = f"https://127.0.0.1:{gateway.port}/cds-services/lifeline"
    equal(len(status_is(gateway.curl(url, body=body, headers=JSON), 200).json["cards"]), 1)
    outcome_is(gateway.curl(url, body=body, headers=JSON, client="other-hospital"), 412)


if __name__ == "__main__":
    support.main(globals())
