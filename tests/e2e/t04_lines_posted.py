#!/usr/bin/env python3
"""The whole way: sample patients in, lines and verdicts out, Flags and CarePlans at the EHR, audited."""
import json
import re
import subprocess
import sys

import support
from support import Lifeline, Pki, SAMPLES, ehr_for, equal, status_is, wait_until

pki = Pki()


def push(gateway, name):
    status_is(gateway.curl("", body=(SAMPLES / name).read_bytes()), 200)


def settled(gateway, count):
    rows = gateway.outbox()
    dead = [row for row in rows if row["state"] == "dead"]
    assert not dead, f"given up: {dead}"
    return len(rows) >= count and all(row["state"] == "settled" for row in rows) and rows


def flags(ehr, pid):
    found = ehr.curl(f"/Flag?patient={pid}", client="server")
    return [entry["resource"] for entry in status_is(found, 200).json.get("entry", [])]


def test_samples():
    """seven of eight patients are on salvage therapy: their Flags reach the EHR, the last has none"""
    ehr = ehr_for(pki).start()
    gateway = Lifeline(pki).send_to(ehr).start()
    files = sorted(path.name for path in SAMPLES.glob("*.json"))
    equal(len(files), 8)
    for name in files:
        push(gateway, name)
    wait_until(lambda: settled(gateway, 14), "seven Flags and CarePlans to be settled", 60)
    for key in ("dlbcl", "hodgkin", "aml", "ovarian", "myeloma", "hiv", "esrd"):
        found = flags(ehr, f"sample-{key}")
        equal([f["status"] for f in found], ["active"], f"Flags of {key}")
        plans = status_is(ehr.curl(f"/CarePlan?patient=sample-{key}", client="server"), 200).json
        equal(plans["total"], 1, f"CarePlans of {key}")
    equal(flags(ehr, "sample-nsclc"), [])
    gateway.stop()
    ehr.stop()
    for each in (gateway, ehr):
        assert "whole" in each.run("audit", "verify").stdout
    records = gateway.audit()
    kinds = {record["kind"] for record in records}
    for kind in ("start", "stop", "request", "delivery"):
        assert kind in kinds, f"no {kind} record: {kinds}"
    # A derivation that a request causes is told in the record of that request.
    derived = {who for record in records for who in re.findall(r"Patient/sample-\w+", json.dumps(
        record.get("detail", {}).get("derived", "")) if "derived" in record.get("detail", {}) else "")}
    equal(len(derived), 8, f"patients whose derivation is audited ({derived})")


def test_lines_are_those_of_the_command():
    """$lines-of-therapy and `lifeline lines` say the same of the same patient"""
    gateway = Lifeline(pki).start()
    name = "ovarian-platinum-resistant.json"
    push(gateway, name)
    online = status_is(gateway.curl("/Patient/sample-ovarian/$lines-of-therapy"), 200).json
    offline = subprocess.run([support.BINARY, "lines", "--format", "json", "--mappings",
                              support.ROOT / "mappings", SAMPLES / name],
                             capture_output=True, text=True, check=True)
    wanted = json.loads(offline.stdout)
    text = json.dumps(online)
    for line in wanted["histories"][0]["lines"]:
        assert line["id"] in text, f"line {line['number']} has another identity online"


def test_samples_come_out_right():
    """the table of gateway/samples/README.md holds for the offline command"""
    lines = subprocess.run([support.BINARY, "lines", "--format", "json", "--mappings",
                            support.ROOT / "mappings", *sorted(SAMPLES.glob("*.json"))],
                           capture_output=True, text=True, check=True)
    checked = subprocess.run([sys.executable, SAMPLES / "check.py"], input=lines.stdout,
                             capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_retraction():
    """when the relapse was entered in error and the later orders too, the Flag is taken back"""
    ehr = ehr_for(pki).start()
    gateway = Lifeline(pki).send_to(ehr).start()
    push(gateway, "ovarian-platinum-resistant.json")
    wait_until(lambda: settled(gateway, 2), "the Flag to be settled", 60)
    equal([f["status"] for f in flags(ehr, "sample-ovarian")], ["active"])
    for entry in json.loads((SAMPLES / "ovarian-platinum-resistant.json").read_text())["entry"]:
        resource = entry["resource"]
        if "-pld-" in resource["id"]:
            resource["status"] = "entered-in-error"
        elif resource["id"].endswith("-recurrence"):
            resource["verificationStatus"]["coding"][0]["code"] = "entered-in-error"
            del resource["clinicalStatus"]
        else:
            continue
        status_is(gateway.curl("/" + entry["request"]["url"], method="PUT", body=resource), 200)
    wait_until(lambda: settled(gateway, 2) and
               [f["status"] for f in flags(ehr, "sample-ovarian")] == ["entered-in-error"],
               "the Flag to be entered-in-error", 60)


def test_ehr_comes_back():
    """while the EHR is down nothing is lost; once it is back the Flag arrives, once"""
    ehr = ehr_for(pki)
    gateway = Lifeline(pki).send_to(ehr).start()
    push(gateway, "aml-7plus3-flag-ida.json")
    wait_until(lambda: any(row["attempts"] > 0 for row in gateway.outbox()), "a failed attempt")
    gateway.stop()
    ehr.start()
    gateway.start()
    wait_until(lambda: settled(gateway, 2), "the postings to be settled", 90)
    equal([f["status"] for f in flags(ehr, "sample-aml")], ["active"])


def test_unmapped_is_visible():
    """a drug and a condition that no mapping knows are counted and listed, never dropped"""
    gateway = Lifeline(pki).start()
    strange = support.order("m1", "p1", rxnorm="99999999", text="zyxwvutinib")
    status_is(gateway.curl("/MedicationRequest/m1", method="PUT", body=strange), 201)
    status_is(gateway.curl("/Condition/c1", method="PUT",
                           body=support.condition("c1", "p1", code="QQ1.2")), 201)
    listed = wait_until(lambda: gateway.run("unmapped").stdout, "the list of unmapped codes")
    assert "99999999" in listed and "QQ1.2" in listed, listed


def test_what_became_of_the_orders():
    """administrations, dispenses, statements, Observations and Procedures count through the door too"""
    gateway = Lifeline(pki).start()
    chop = {"rituximab": "121191", "doxorubicin": "3639"}

    def put(resource, status=201):
        url = f"/{resource['resourceType']}/{resource['id']}"
        return status_is(gateway.curl(url, method="PUT", body=resource), status)

    def told(kind, name, drug, code, **more):
        return {"resourceType": kind, "id": name, "status": "completed", **more,
                "subject": {"reference": "Patient/p1"}, "medicationCodeableConcept": {
                    "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code}],
                    "text": drug}}

    def lines():
        found = status_is(gateway.curl("/Patient/p1/$lines-of-therapy?asOf=2024-06-01"), 200).json
        return json.dumps(found, sort_keys=True)

    put({"resourceType": "Patient", "id": "p1"})
    put(support.condition("c1", "p1", code="C83.30", onset="2023-01-01"))
    for drug, code in chop.items():
        put(told("MedicationAdministration", f"a-{drug}", drug, code,
                 effectiveDateTime="2023-01-10T09:00:00+01:00"))
    put(told("MedicationDispense", "d1", "ibrutinib", "1442981", whenHandedOver="2023-11-01",
             daysSupply={"value": 30, "unit": "d"}))
    put({"resourceType": "Observation", "id": "weight", "status": "final",
         "subject": {"reference": "Patient/p1"},
         "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
         "valueQuantity": {"value": 71.5, "unit": "kg"}})
    text = lines()
    assert "administered" in text and "dispensed" in text, text
    assert "NEW_AGENT_AFTER_RELAPSE" not in text, text
    put({"resourceType": "Observation", "id": "status", "status": "final",
         "subject": {"reference": "Patient/p1"}, "focus": [{"reference": "Condition/c1"}],
         "effectiveDateTime": "2023-10-20",
         "code": {"coding": [{"system": "http://loinc.org", "code": "97509-4"}]},
         "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct",
                                              "code": "271299001"}]}})
    assert "NEW_AGENT_AFTER_RELAPSE" in lines()
    status_is(gateway.curl("/Observation/status", method="DELETE"), 204)
    equal(lines(), text, "what was deleted was never there")
    put({"resourceType": "Procedure", "id": "cells", "status": "completed",
         "subject": {"reference": "Patient/p1"}, "performedDateTime": "2024-02-01",
         "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-pcs", "code": "XW033H7"}]}})
    assert "CELL_THERAPY" in lines() and "axicabtagene ciloleucel" in lines()
    for wrong in ({"resourceType": "MedicationAdministration", "id": "w1", "status": "active"},
                  {"resourceType": "Observation", "id": "w2", "status": "final"}):
        url = f"/{wrong['resourceType']}/{wrong['id']}"
        status_is(gateway.curl(url, method="PUT", body=wrong), 400)


if __name__ == "__main__":
    support.main(globals())
