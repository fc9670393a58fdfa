#!/usr/bin/env python3
"""Patients that are merged: what is posted moves to the one that survives, and back when that was an error."""
import json

import support
from support import Lifeline, Pki, PlayedEhr, SAMPLES, equal, status_is, wait_until

pki = Pki()
OLD, KEPT = "Patient/sample-ovarian", "Patient/kept"


def settled(gateway):
    rows = gateway.outbox()
    return rows and all(row["state"] == "settled" for row in rows)


def put(gateway, resource, wanted=(200, 201)):
    reply = gateway.curl(f"/{resource['resourceType']}/{resource['id']}", body=resource, method="PUT")
    assert reply.status in wanted, reply
    wait_until(lambda: settled(gateway), "rest", 60)


def patient(name, **more):
    return {"resourceType": "Patient", "id": name.split("/")[1], "gender": "female", **more}


def merged_into(survivor):
    return {"active": False, "link": [{"other": {"reference": survivor}, "type": "replaced-by"}]}


def flags(ehr):
    return sorted((f["subject"]["reference"], f["status"]) for f in ehr.stored("Flag"))


def start(mode="hapi-like", **site):
    ehr = PlayedEhr(pki, mode)
    gateway = Lifeline(pki).send_to(ehr.base, **site).start()
    status_is(gateway.curl("", body=(SAMPLES / "ovarian-platinum-resistant.json").read_bytes()), 200)
    return ehr, gateway


def lines(gateway, name):
    reply = status_is(gateway.curl(f"/{name}/$lines-of-therapy"), 200)
    return reply.body.decode()


def test_merge():
    """Patient.link replaced-by: Flag and CarePlan become those of the survivor, as new versions of the same records"""
    ehr, gateway = start()
    wait_until(lambda: settled(gateway), "rest", 60)
    put(gateway, patient(KEPT))
    put(gateway, patient(OLD, **merged_into(KEPT)))
    equal(flags(ehr), [(KEPT, "active")])
    equal([p["subject"]["reference"] for p in ehr.stored("CarePlan")], [KEPT])
    for kind in ("Flag", "CarePlan"):
        equal(len(ehr.stored(kind)), 1)
        equal(ehr.stored(kind)[0]["meta"]["versionId"], "2", kind)
    moved = [r for r in gateway.outbox() if r["lastError"] == "moved"]
    equal({r["patient"] for r in moved}, {OLD})
    assert "carboplatin" in lines(gateway, KEPT), "the survivor has the lines"
    # What is corrected under the old name is true of the survivor.
    bundle = json.loads((SAMPLES / "ovarian-platinum-resistant.json").read_text())
    wrong = [dict(e["resource"], status="entered-in-error") for e in bundle["entry"] if "-pld-" in e["resource"]["id"]]
    status_is(gateway.curl("", body=support.transaction(*wrong)), 200)
    wait_until(lambda: flags(ehr) and flags(ehr)[0][1] != "active", "the survivor's Flag to end", 30)
    equal([name for name, _ in flags(ehr)], [KEPT])
    gateway.stop()
    ehr.stop()


def test_taken_back():
    """a merge that was an error is taken back: each has what is theirs, and the survivor's Flag ends"""
    ehr, gateway = start()
    wait_until(lambda: settled(gateway), "rest", 60)
    put(gateway, patient(OLD, **merged_into(KEPT)))  # a survivor that nobody has spoken of yet
    equal(flags(ehr), [(KEPT, "active")])
    put(gateway, patient(OLD))
    equal(flags(ehr), [(KEPT, "inactive"), (OLD, "active")])
    gateway.stop()
    ehr.stop()


def test_ring():
    """patients that are said to replace each other are left as they are"""
    ehr, gateway = start()
    wait_until(lambda: settled(gateway), "rest", 60)
    put(gateway, patient(KEPT, **merged_into(OLD)))
    put(gateway, patient(OLD, **merged_into(KEPT)))
    put(gateway, patient(OLD, **merged_into(OLD)))
    equal(flags(ehr), [(OLD, "active")])
    gateway.stop()
    ehr.stop()


def test_chain():
    """merged again, and again: the last survivor has all, once"""
    ehr, gateway = start()
    wait_until(lambda: settled(gateway), "rest", 60)
    put(gateway, patient(OLD, **merged_into("Patient/second")))
    put(gateway, patient("Patient/second", **merged_into("Patient/third")))
    equal(flags(ehr), [("Patient/third", "active")])
    equal(ehr.control("count?type=Flag").split()[0], "stored=1")
    gateway.stop()
    ehr.stop()


def test_while_down():
    """merged while the destination does not answer: at the end one Flag is active, the survivor's"""
    ehr, gateway = start()
    wait_until(lambda: settled(gateway), "rest", 60)
    ehr.control("faults", {"fail": 4})
    text = (SAMPLES / "ovarian-platinum-resistant.json").read_text()
    order = next(e["resource"] for e in json.loads(text)["entry"] if "-pld-" in e["resource"]["id"])
    del order["dosageInstruction"]
    later = dict(order, authoredOn="2024-01-20")  # the line starts on another day
    status_is(gateway.curl(f"/MedicationRequest/{order['id']}", body=later, method="PUT"), 200)
    wait_until(lambda: any(row["state"] == "pending" for row in gateway.outbox()), "something to wait", 10)
    status_is(gateway.curl(f"/{OLD}", body=patient(OLD, **merged_into(KEPT)), method="PUT"), 200)
    wait_until(lambda: settled(gateway), "rest", 90)
    equal([who for who, status in flags(ehr) if status == "active"], [KEPT])
    gateway.stop()
    ehr.stop()


def test_epic():
    """where messages are the way, the survivor's chart gets its own"""
    ehr, gateway = start("epic-like", recipients=["Group/oncology-pool"], message_delay_ms=0)
    wait_until(lambda: settled(gateway), "rest", 60)
    ehr.control("merge", {"from": OLD, "to": KEPT})
    put(gateway, patient(OLD, **merged_into(KEPT)))
    equal([m["subject"]["reference"] for m in ehr.stored("Communication")], [OLD, KEPT])
    gateway.stop()
    ehr.stop()


if __name__ == "__main__":
    support.main(globals())
