#!/usr/bin/env python3
"""Searches: every parameter of each type, the forms of values, and what a set says (section A5 of the requirements)."""
import support
from support import Lifeline, Pki, condition, equal, order, outcome_is, patient, send, status_is

pki = Pki()
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def ids_of(reply):
    return [entry["resource"]["id"] for entry in status_is(reply, 200).json.get("entry", ())
            if entry["search"]["mode"] == "match"]


class Searcher:
    """A gateway with resources in it; asks by GET and by a posted form, which must agree."""

    def __init__(self, *resources):
        self.gateway = Lifeline(pki).start()
        self.connection = self.gateway.connect()
        for resource in resources:
            path = f"/fhir/{resource['resourceType']}/{resource['id']}"
            status_is(send(self.connection, "PUT", path, resource), 201)

    def ids(self, kind, query):
        strict = {"Prefer": "handling=strict"}
        got = ids_of(send(self.connection, "GET", f"/fhir/{kind}?{query}", headers=strict))
        posted = send(self.connection, "POST", f"/fhir/{kind}/_search", query.encode(), {**FORM, **strict})
        equal(ids_of(posted), got, f"{query} posted")
        return got

    def all(self, kind, *cases):
        for query, wanted in cases:
            equal(self.ids(kind, query), wanted, f"{kind}?{query}")


def test_every_parameter_of_every_type():
    """A5.1: what /metadata declares for a type is answered by GET and by a posted form, strictly"""
    searcher = Searcher(patient("p1"))
    samples = {"token": "x", "reference": "Patient/p1", "date": "ge2020"}
    types = searcher.gateway.curl("/metadata").json["rest"][0]["resource"]
    asked = 0
    for offer in types:
        for parameter in offer.get("searchParam", ()):
            searcher.ids(offer["type"], f"{parameter['name']}={samples[parameter['type']]}")
            asked += 1
    assert asked > 60, asked


def test_common_parameters():
    """A5.2: _id, _lastUpdated, _count, _sort, _total"""
    searcher = Searcher(*[order(f"m{number}", "p1", "3041", f"2024-0{number}-05") for number in (1, 2, 3)])
    connection = searcher.connection
    searcher.all("MedicationRequest", ("_id=m2", ["m2"]), ("_id=m3,m1", ["m1", "m3"]),
                 ("_lastUpdated=gt2020-01-01&patient=p1", ["m1", "m2", "m3"]),
                 ("_lastUpdated=lt2020-01-01&patient=p1", []), ("patient=p1&_count=2", ["m1", "m2"]),
                 ("patient=p1&_total=accurate", ["m1", "m2", "m3"]))
    whole = send(connection, "GET", "/fhir/MedicationRequest?patient=p1&_count=0").json
    equal((whole["total"], "entry" in whole), (3, False))
    for wrong in ("_count=many", "_count=-1"):
        outcome_is(send(connection, "GET", f"/fhir/MedicationRequest?patient=p1&{wrong}"), 400, "invalid")


def test_orders():
    """A5.3: by patient, status, intent, date, code, encounter and identifier, and combined"""
    def one(oid, pid, status, day, **more):
        return {**order(oid, pid, "3041", day), "status": status, **more}
    searcher = Searcher(
        one("m1", "p1", "active", "2024-01-05", encounter={"reference": "Encounter/e1"}),
        one("m2", "p1", "stopped", "2024-02-05", identifier=[{"system": "urn:o", "value": "2"}]),
        one("m3", "p2", "active", "2024-03-05", intent="plan"))
    searcher.all("MedicationRequest", ("patient=p1", ["m1", "m2"]), ("subject=Patient/p2", ["m3"]),
                 ("status=active", ["m1", "m3"]), ("intent=plan", ["m3"]), ("authoredon=2024-02", ["m2"]),
                 (f"code={RXNORM}%7C3041&patient=p1", ["m1", "m2"]), ("encounter=Encounter/e1", ["m1"]),
                 ("identifier=urn:o%7C2", ["m2"]), ("patient=p1&intent=order", ["m1", "m2"]),
                 ("patient=p1&intent=order&status=active", ["m1"]), ("patient=p2&intent=order", []))


def test_conditions():
    """A5.4: by patient, category, status, code, dates, encounter and identifier"""
    category = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-category",
                             "code": "problem-list-item"}]}]
    searcher = Searcher(
        {**condition("c1", "p1", "C83.38", "active", "2022-01-03"), "category": category,
         "encounter": {"reference": "Encounter/e1"}, "recordedDate": "2022-01-04"},
        {**condition("c2", "p1", "C90.00", "remission", "2023-01-03"),
         "identifier": [{"system": "urn:c", "value": "2"}], "recordedDate": "2023-01-04"})
    searcher.all("Condition", ("patient=p1", ["c1", "c2"]), ("category=problem-list-item", ["c1"]),
                 ("clinical-status=remission", ["c2"]), ("patient=p1&code=C90.00", ["c2"]),
                 ("onset-date=lt2022-06", ["c1"]), ("recorded-date=2023", ["c2"]),
                 ("encounter=Encounter/e1", ["c1"]), ("identifier=urn:c%7C2", ["c2"]))


def test_flags_and_care_plans():
    """A5.5: by patient, identifier, status, date, category and encounter"""
    common = {"subject": {"reference": "Patient/p1"}, "status": "active",
              "identifier": [{"system": "urn:f", "value": "1"}], "encounter": {"reference": "Encounter/e1"},
              "period": {"start": "2024-01-01", "end": "2024-02-01"},
              "category": [{"coding": [{"system": "urn:cat", "code": "clinical"}]}]}
    searcher = Searcher({"resourceType": "Flag", "id": "f1", "code": {"text": "salvage"}, **common},
                        {"resourceType": "CarePlan", "id": "k1", "intent": "plan", **common})
    for kind, found in (("Flag", ["f1"]), ("CarePlan", ["k1"])):
        searcher.all(kind, ("patient=p1", found), ("identifier=urn:f%7C1", found), ("status=active", found),
                     ("status=completed", []), ("date=2024-01-15", []), ("date=le2024-01-15", found),
                     ("category=urn:cat%7Cclinical", found), ("encounter=Encounter/e1", found))


def test_forms_of_values():
    """A5.6: tokens, modifiers, references, one chain, prefixes of dates, lists and repetition"""
    orders = [{**order("m1", "p1", "3041", "2024-01-05"), "identifier": [{"value": "bare"}]},
              {**order("m2", "p1", "3041", "2024-01-20"), "status": "active",
               "identifier": [{"system": "urn:o", "value": "a,b"}]},
              {**order("m3", "p1", "5650", "2024-02-05"), "status": "stopped", "encounter": {
                  "identifier": {"system": "urn:e", "value": "9"}, "reference": "Encounter/e1"}}]
    searcher = Searcher({**patient("p1"), "identifier": [{"system": "urn:mrn", "value": "7"}]}, *orders)
    base = searcher.gateway.base
    status_system = "http://hl7.org/fhir/CodeSystem/medicationrequest-status"
    searcher.all(
        "MedicationRequest",
        ("code=3041", ["m1", "m2"]), (f"code={RXNORM}%7C5650", ["m3"]), (f"code={RXNORM}%7C", ["m1", "m2", "m3"]),
        ("code=%7C3041", []), ("identifier=%7Cbare", ["m1"]), ("identifier=urn:o%7Ca%5C,b", ["m2"]),
        (f"status={status_system}%7Cactive", ["m2"]), ("status:not=active&patient=p1", ["m1", "m3"]),
        ("encounter:missing=true&patient=p1", ["m1", "m2"]), ("encounter:missing=false&patient=p1", ["m3"]),
        ("encounter:identifier=urn:e%7C9", ["m3"]), ("subject:Patient=p1&status=active", ["m2"]),
        ("patient=p1&status=active", ["m2"]), ("patient=Patient/p1&status=active", ["m2"]),
        (f"patient={base}/Patient/p1&status=active", ["m2"]),
        ("patient.identifier=urn:mrn%7C7&status=active", ["m2"]),
        ("status=active,stopped&patient=p1", ["m2", "m3"]),
        ("authoredon=ge2024-01-10&authoredon=lt2024-02", ["m2"]),
        *((f"patient=p1&authoredon={prefix}", wanted) for prefix, wanted in (
            ("2024-01-05", ["m1"]), ("eq2024-01", ["m1", "m2"]), ("ne2024-01", ["m3"]), ("gt2024-01-05", ["m2", "m3"]),
            ("ge2024-01-05", ["m1", "m2", "m3"]), ("lt2024-01-20", ["m1"]), ("le2024-01-20", ["m1", "m2"]),
            ("sa2024-01", ["m3"]), ("eb2024-02", ["m1", "m2"]))))
    for wrong in ("authoredon=xx2024", "authoredon=soon", "status:above=x", "encounter:missing=maybe"):
        outcome_is(send(searcher.connection, "GET", f"/fhir/MedicationRequest?patient=p1&{wrong}"), 400)


if __name__ == "__main__":
    support.main(globals())
