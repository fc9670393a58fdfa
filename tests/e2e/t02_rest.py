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


def search_ids(gateway, path, **options):
    """The ids on all pages, in order; and how many pages there were."""
    ids, pages = [], 0
    while path:
        found = status_is(gateway.curl(path, **options), 200).json
        ids += [entry["resource"]["id"] for entry in found.get("entry", ())
                if entry["search"]["mode"] == "match"]
        links = {link["relation"]: link["url"] for link in found["link"]}
        path = links["next"].split("/fhir", 1)[1] if "next" in links else None
        options, pages = {}, pages + 1
    return ids, pages


def test_search_parameters():
    """A5: orders are found by what they say, by GET and by a posted form, alone and combined"""
    gateway = Lifeline(pki).start()
    gateway.curl("/Patient/p1", method="PUT",
                 body={**patient("p1"), "identifier": [{"system": "urn:mrn", "value": "7"}]})
    for number, (status, day) in enumerate((("active", "2024-01-05"), ("stopped", "2024-02-05"),
                                            ("active", "2024-03-05"))):
        body = {**order(f"m{number}", "p1", "3041", day), "status": status,
                "identifier": [{"system": "urn:o", "value": str(number)}]}
        status_is(gateway.curl(f"/MedicationRequest/m{number}", method="PUT", body=body), 201)
    for query, wanted in (("patient=p1&status=active", ["m0", "m2"]),
                          ("patient=p1&status:not=active", ["m1"]),
                          ("patient=Patient/p1&authoredon=ge2024-02-01", ["m1", "m2"]),
                          ("patient=p1&intent=order&status=active,stopped", ["m0", "m1", "m2"]),
                          ("patient.identifier=urn:mrn%7C7&status=stopped", ["m1"]),
                          ("identifier=urn:o%7C2", ["m2"]),
                          ("status=stopped", ["m1"]),
                          ("_id=m2,m0", ["m0", "m2"]),
                          ("code=http://www.nlm.nih.gov/research/umls/rxnorm%7C3041&patient=p1",
                           ["m0", "m1", "m2"])):
        equal(search_ids(gateway, f"/MedicationRequest?{query}")[0], wanted, query)
    form = gateway.curl("/MedicationRequest/_search", method="POST", body=b"patient=p1&status=active",
                        headers={"Content-Type": "application/x-www-form-urlencoded"})
    equal([entry["resource"]["id"] for entry in status_is(form, 200).json["entry"]], ["m0", "m2"])


def test_search_answers_what_it_understood():
    """A5.7: a parameter that is not offered is passed over and told, or refused when asked to be strict"""
    gateway = Lifeline(pki).start()
    gateway.curl("/Flag/f1", method="PUT", body={
        "resourceType": "Flag", "id": "f1", "status": "active", "code": {"text": "salvage"},
        "subject": {"reference": "Patient/p1"}})
    lenient = status_is(gateway.curl("/Flag?patient=p1&colour=red"), 200).json
    equal([entry["search"]["mode"] for entry in lenient["entry"]], ["match", "outcome"])
    assert "colour" not in lenient["link"][0]["url"], lenient["link"]
    strict = gateway.curl("/Flag?patient=p1&colour=red", headers={"Prefer": "handling=strict"})
    assert 400 <= strict.status < 500, strict
    outcome_is(gateway.curl("/Flag?status:text=x"), 400, "invalid")


def test_search_pages_hold_still():
    """A5.8: pages are of the moment of the first one: nothing comes twice, what is new comes on none"""
    gateway = Lifeline(pki).start()
    names = [f"m{number:02}" for number in range(25)]
    for name in names:
        status_is(gateway.curl(f"/MedicationRequest/{name}", method="PUT",
                               body=order(name, "p1", "3041", "2024-01-05")), 201)
    for query in ("patient=p1&_count=10", "status=completed&_count=10"):
        first = status_is(gateway.curl(f"/MedicationRequest?{query}"), 200).json
        equal(len(first["entry"]), 10)
        link = [link["url"] for link in first["link"] if link["relation"] == "next"][0]
        late = f"late{query[0]}"
        gateway.curl(f"/MedicationRequest/{late}", method="PUT",
                     body=order(late, "p1", "3041", "2024-01-06"))
        gateway.curl("/MedicationRequest/m03", method="PUT",
                     body=order("m03", "p1", "3041", "2024-01-07" if query[0] == "p" else "2024-01-08"))
        rest, pages = search_ids(gateway, link.split("/fhir", 1)[1])
        got = [entry["resource"]["id"] for entry in first["entry"]] + rest
        equal([name for name in got if name.startswith("m")], names, query)
        assert late not in got, got
        equal(pages, 2)


def test_include_medication():
    """A5.2: an order brings the Medication it refers to"""
    gateway = Lifeline(pki).start()
    gateway.curl("/Medication/med", method="PUT", body={
        "resourceType": "Medication", "id": "med", "code": {"text": "carboplatin"}})
    body = order("m1", "p1", "3041", "2024-01-05")
    del body["medicationCodeableConcept"]
    body["medicationReference"] = {"reference": "Medication/med"}
    status_is(gateway.curl("/MedicationRequest/m1", method="PUT", body=body), 201)
    found = gateway.curl("/MedicationRequest?patient=p1&_include=MedicationRequest:medication").json
    equal([(entry["resource"]["id"], entry["search"]["mode"]) for entry in found["entry"]],
          [("m1", "match"), ("med", "include")])
    equal(found["total"], 1)


def test_history():
    """A2.5: the versions of a resource, the newest first, with how each came about"""
    gateway = Lifeline(pki).start()
    for year in ("1960", "1961", "1962"):
        gateway.curl("/Patient/p1", method="PUT", body={**patient("p1"), "birthDate": year})
    gateway.curl("/Patient/p1", method="DELETE")
    history = status_is(gateway.curl("/Patient/p1/_history"), 200).json
    equal((history["type"], history["total"]), ("history", 4))
    equal([(entry["request"]["method"], entry["response"]["status"][:3],
            entry.get("resource", {}).get("birthDate")) for entry in history["entry"]],
          [("DELETE", "204", None), ("PUT", "200", "1962"), ("PUT", "200", "1961"),
           ("PUT", "201", "1960")])
    outcome_is(gateway.curl("/Patient/p1/_history/4"), 410)
    pages, path = [], "/Patient/p1/_history?_count=3"
    while path:
        page = status_is(gateway.curl(path), 200).json
        pages.append(len(page["entry"]))
        links = {link["relation"]: link["url"] for link in page["link"]}
        path = links["next"].split("/fhir", 1)[1] if "next" in links else None
    equal(pages, [3, 1])
    since = history["entry"][1]["response"]["lastModified"]
    recent = gateway.curl(f"/Patient/p1/_history?_since={since}").json["entry"]
    assert 2 <= len(recent) <= 4, recent
    outcome_is(gateway.curl("/Patient/nobody/_history"), 404)


def test_conditional_create():
    """A3.7: If-None-Exist: none creates, one answers 200 with what is there, many are refused"""
    gateway = Lifeline(pki).start()
    body = {**order(None, "p1", "3041", "2024-01-05"),
            "identifier": [{"system": "urn:o", "value": "1"}]}
    condition_of = {"If-None-Exist": "identifier=urn:o%7C1"}
    first = status_is(gateway.curl("/MedicationRequest", body=body, headers=condition_of), 201)
    again = status_is(gateway.curl("/MedicationRequest", body={**body, "status": "stopped"},
                                   headers=condition_of), 200)
    equal((again.headers["location"], again.headers["etag"]), (first.headers["location"], 'W/"1"'))
    equal(again.json["status"], body["status"], "nothing was written")
    status_is(gateway.curl("/MedicationRequest", body=body), 201)
    outcome_is(gateway.curl("/MedicationRequest", body=body, headers=condition_of), 412,
               "multiple-matches")
    outcome_is(gateway.curl("/MedicationRequest", body=body, headers={"If-None-Exist": "colour=red"}),
               422)
    outcome_is(gateway.curl("/MedicationRequest", body=body, headers={"If-None-Exist": "status=active"}),
               422)


def test_conditional_update_and_delete():
    """A3.8, A3.9: none, one and many, with and without an id in the body"""
    gateway = Lifeline(pki).start()
    path = "/MedicationRequest?identifier=urn:o%7C1"
    body = {**order("m1", "p1", "3041", "2024-01-05"),
            "identifier": [{"system": "urn:o", "value": "1"}]}
    named = status_is(gateway.curl(path, method="PUT", body=body), 201)
    assert "/MedicationRequest/m1/" in named.headers["location"], named.headers
    nameless = {key: value for key, value in body.items() if key != "id"}
    equal(status_is(gateway.curl(path, method="PUT", body={**nameless, "status": "stopped"}),
                    200).headers["etag"], 'W/"2"')
    equal(status_is(gateway.curl(path, method="PUT", body={**body, "status": "completed"}),
                    200).headers["etag"], 'W/"3"')
    outcome_is(gateway.curl(path, method="PUT", body={**body, "id": "m2"}), 400, "invalid")
    status_is(gateway.curl("/MedicationRequest", body=nameless), 201)
    outcome_is(gateway.curl(path, method="PUT", body=nameless), 412, "multiple-matches")
    outcome_is(gateway.curl(path, method="DELETE"), 412, "multiple-matches")
    status_is(gateway.curl("/MedicationRequest/m1", method="DELETE"), 204)
    status_is(gateway.curl(path, method="DELETE"), 204)
    equal(gateway.curl(path).json["total"], 0)
    status_is(gateway.curl(path, method="DELETE"), 204)


def test_shapes():
    """A1.4: _summary and _elements leave out, and say so; _pretty lays out"""
    gateway = Lifeline(pki).start()
    body = {**order("m1", "p1", "3041", "2024-01-05"), "note": [{"text": "n"}],
            "meta": {"tag": [{"code": "own"}]},
            "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}}
    status_is(gateway.curl("/MedicationRequest/m1", method="PUT", body=body), 201)

    def read(query, path="/MedicationRequest/m1"):
        return status_is(gateway.curl(f"{path}?{query}"), 200).json
    whole = read("_summary=false")
    assert [tag["code"] for tag in whole["meta"]["tag"]] == ["own"] and "note" in whole, whole
    summary = read("_summary=true")
    assert "note" not in summary and "text" not in summary, summary
    equal(sorted(tag["code"] for tag in summary["meta"]["tag"]), ["SUBSETTED", "own"])
    for wanted in ("status", "intent", "medicationCodeableConcept", "subject", "authoredOn"):
        assert wanted in summary, (wanted, summary)
    text = read("_summary=text")
    assert "text" in text and "note" not in text and "status" in text, text
    data = read("_summary=data")
    assert "text" not in data and "note" in data, data
    few = read("_elements=note")
    equal(sorted(few), ["id", "intent", "medicationCodeableConcept", "meta", "note", "resourceType",
                        "status", "subject"])
    found = read("patient=p1&_elements=note", "/MedicationRequest")["entry"][0]["resource"]
    assert "authoredOn" not in found and "note" in found, found
    count = read("patient=p1&_summary=count", "/MedicationRequest")
    equal((count["total"], "entry" in count, len(count["link"])), (1, False, 1))
    outcome_is(gateway.curl("/MedicationRequest/m1?_summary=short"), 400, "invalid")
    pretty = status_is(gateway.curl("/MedicationRequest/m1?_pretty=true"), 200)
    assert b'\n  "status": ' in pretty.body, pretty.body[:200]
    equal(pretty.json, whole)


def test_json_patch():
    """A3.11: a JSON Patch changes what it names, under If-Match; a failed test changes nothing"""
    gateway = Lifeline(pki).start()
    body = {**order("m1", "p1", "3041", "2024-01-05"), "status": "active",
            "note": [{"text": "first"}]}
    status_is(gateway.curl("/MedicationRequest/m1", method="PUT", body=body), 201)

    def patch(*operations, headers=None, name="m1"):
        return gateway.curl(f"/MedicationRequest/{name}", method="PATCH", body=list(operations),
                            headers={"Content-Type": "application/json-patch+json", **(headers or {})})
    stop = {"op": "replace", "path": "/status", "value": "stopped"}
    done = status_is(patch({"op": "test", "path": "/status", "value": "active"}, stop,
                           {"op": "add", "path": "/note/-", "value": {"text": "second"}}), 200)
    equal((done.json["status"], [note["text"] for note in done.json["note"]], done.headers["etag"]),
          ("stopped", ["first", "second"], 'W/"2"'))
    outcome_is(patch({"op": "test", "path": "/status", "value": "active"}, stop), 422, "business-rule")
    outcome_is(patch({"op": "remove", "path": "/nothing"}), 422, "business-rule")
    outcome_is(patch({"op": "replace", "path": "/status", "value": "perhaps"}), 400, "value")
    outcome_is(patch({"op": "remove", "path": "/status"}), 400, "required")
    outcome_is(patch({"op": "replace", "path": "/id", "value": "m2"}), 400, "invalid")
    outcome_is(patch({"op": "paint", "path": "/id"}), 400, "invalid")
    outcome_is(patch(stop, headers={"If-Match": 'W/"1"'}), 412, "conflict")
    outcome_is(patch(stop, name="nobody"), 404)
    outcome_is(patch(stop, headers={"Content-Type": "application/fhir+json"}), 415)
    equal(status_is(patch(stop), 200).headers["etag"], 'W/"2"', "nothing changed")


def test_options():
    """A1.10: OPTIONS tells what may be done here"""
    gateway = Lifeline(pki).start()
    reply = status_is(gateway.curl("/Patient/p1", method="OPTIONS"), 204)
    equal(reply.headers["allow"], "OPTIONS, GET, HEAD, PUT, DELETE, PATCH")


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
    outcome_is(gateway.curl("/Patient/p1", method="POST", body="{}"), 405)
    outcome_is(gateway.curl("/Patient", body="<Patient/>",
                            headers={"Content-Type": "application/fhir+xml"}), 415)


def test_medication_arrives_later():
    """A7.4: an order that refers to a Medication is understood once the Medication arrives"""
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
    """A5.10: one tenant's resources do not exist for another"""
    gateway = Lifeline(pki)
    gateway.settings["tenants"].append({"name": "other", "identities": ["cn:other-hospital"]})
    gateway.start()
    status_is(gateway.curl("/Patient/p1", method="PUT", body=patient("p1")), 201)
    status_is(gateway.curl("/Patient/p1", client="other-hospital"), 404)
    for query in ("", "?_id=p1", "?_total=accurate", "?_summary=count"):
        found = status_is(gateway.curl(f"/Patient{query}", client="other-hospital"), 200).json
        equal((found["total"], "entry" in found), (0, False), query)
    status_is(gateway.curl("/Patient/p1", method="PUT", body=patient("p1"),
                           client="other-hospital"), 201)
    equal(gateway.curl("/Patient/p1").json["meta"]["versionId"], "1")


if __name__ == "__main__":
    support.main(globals())
