#!/usr/bin/env python3
"""FHIR over HTTP, letter by letter: formats, status codes, tags, preferences, and that /metadata and what is
done agree (sections A1 to A3 and A6 of the requirements)."""
import json

import support
from support import FHIR_JSON, Lifeline, Pki, condition, equal, order, outcome_is, patient, send, status_is

pki = Pki("general-hospital", "other-hospital")


def test_media_types():
    """A1.1, A1.2: bodies under either JSON type; another type is 415, an impossible answer 406"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()
    for number, kind in enumerate(("application/fhir+json", "application/json", "application/fhir+json; charset=utf-8",
                                   "application/fhir+json; fhirVersion=4.0")):
        reply = send(connection, "PUT", f"/fhir/Patient/p{number}", patient(f"p{number}"), {"Content-Type": kind})
        equal(status_is(reply, 201).headers["content-type"], "application/fhir+json; charset=utf-8", kind)
    versioned = send(connection, "GET", "/fhir/Patient/p0", headers={"Accept": "application/fhir+json; fhirVersion=4.0"})
    equal(versioned.headers["content-type"], "application/fhir+json; fhirVersion=4.0; charset=utf-8")
    outcome_is(send(connection, "POST", "/fhir/Patient", b"a,b\n", {"Content-Type": "text/csv"}), 415, "not-supported")
    outcome_is(send(connection, "GET", "/fhir/Patient/p0", headers={"Accept": "application/fhir+xml"}), 406,
               "not-supported")
    for method, path, body in (("GET", "/fhir/metadata", None), ("GET", "/fhir/Patient/p0/_history", None)):
        outcome_is(send(connection, method, path, body, {"Accept": "text/turtle"}), 406)


def test_format_parameter():
    """A1.3: _format comes before Accept, encoded or not"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()
    send(connection, "PUT", "/fhir/Patient/p1", patient("p1"))
    for text in ("json", "application/json", "application/fhir%2Bjson", "application/fhir+json", "text/json"):
        reply = send(connection, "GET", f"/fhir/Patient/p1?_format={text}", headers={"Accept": "application/fhir+xml"})
        status_is(reply, 200)
    outcome_is(send(connection, "GET", "/fhir/Patient/p1?_format=xml"), 406)


def test_other_versions():
    """A1.5: a version that is not offered is refused, in the body and in the answer"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()
    kind = "application/fhir+json; fhirVersion=3.0"
    outcome_is(send(connection, "POST", "/fhir/Patient", patient("x"), {"Content-Type": kind}), 415)
    outcome_is(send(connection, "GET", "/fhir/Patient?_id=x", headers={"Accept": kind}), 406)


def test_head():
    """A1.6: HEAD has the headers of GET and no body, for reads, versions, searches and /metadata"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()
    send(connection, "PUT", "/fhir/Patient/p1", patient("p1"))
    for path in ("/Patient/p1", "/Patient/p1/_history/1", "/Patient?_id=p1", "/metadata", "/Patient/nobody"):
        whole, head = (send(connection, method, "/fhir" + path) for method in ("GET", "HEAD"))
        equal((head.status, head.body), (whole.status, b""), path)
        for name in ("etag", "last-modified", "content-type", "content-length"):
            equal(head.headers.get(name), whole.headers.get(name), f"{path}: {name}")


def test_json_of_fhir():
    """A1.7: JSON that FHIR forbids is 400 with its path; what it allows comes back as it was"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()

    def put(body):
        return send(connection, "PUT", "/fhir/Patient/p1", body.encode() if isinstance(body, str) else body)
    start = '{"resourceType":"Patient","id":"p1",'
    for what, rest, path in (("a trailing comma", '"gender":"female",}', None),
                             ("a key twice", '"gender":"female","gender":"male"}', "gender"),
                             ("an empty string", '"gender":""}', "gender"),
                             ("an empty array", '"identifier":[]}', "identifier"),
                             ("an empty object", '"identifier":[{}]}', "identifier"),
                             ("a null element", '"birthDate":null}', "birthDate"),
                             ("a string for a boolean", '"deceasedBoolean":"true"}', "deceasedBoolean"),
                             ("a day that does not exist", '"deceasedDateTime":"1970-02-30"}', "deceasedDateTime"),
                             ("two documents", '"gender":"male"}{}', None)):
        try:
            outcome_is(put(start + rest), 400, expression=path)
        except AssertionError as error:
            raise AssertionError(f"{what}: {error}") from None
    outcome_is(put(b'{"resourceType":"Patient","id":"p1","name":[{"text":"\xff"}]}'), 400)
    good = (start + '"_birthDate":{"extension":[{"url":"https://ehr.example/time","valueDecimal":1.0500}]},'
            '"birthDate":"1970-01-01","name":[{"text":"A\\u00e9\\ud83d\\ude00"}]}')
    status_is(put(good), 201)
    text = send(connection, "GET", "/fhir/Patient/p1").body.decode()
    assert '"valueDecimal":1.0500' in text, text
    read = json.loads(text)
    equal((read["_birthDate"]["extension"][0]["url"], read["name"][0]["text"]),
          ("https://ehr.example/time", "A\u00e9\U0001f600"))


def test_unknown_paths_and_verbs():
    """A1.9, A1.10: unknown is 404; known without the interaction is 405 with Allow, as OPTIONS tells"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()
    for path in ("/Spaceship", "/Spaceship/1", "/Patient/p1/extra/path", "/Patient/p1/$unknown", "/x", "/patient/p1"):
        outcome_is(send(connection, "GET", "/fhir" + path), 404, "not-found")
    for method, path in (("PATCH", "/Patient"), ("POST", "/Patient/p1"), ("PUT", "/metadata"), ("DELETE", "")):
        reply = send(connection, method, "/fhir" + path, b"{}")
        outcome_is(reply, 405, "not-supported")
        allowed = send(connection, "OPTIONS", "/fhir" + path)
        equal(status_is(allowed, 204).headers["allow"], reply.headers["allow"], path)
        assert method not in reply.headers["allow"].split(", "), reply.headers
    # Another origin is told nothing that would let a browser in.
    preflight = send(connection, "OPTIONS", "/fhir/Patient/p1", headers={
        "Origin": "https://app.example", "Access-Control-Request-Method": "GET"})
    assert not any(name.startswith("access-control") for name in preflight.headers), preflight.headers


def test_each_refusal_has_its_status():
    """A1.11, A1.12: 400, 403, 404, 405, 406, 409, 410, 412, 413, 415 and 422, each an OperationOutcome"""
    gateway = Lifeline(pki, limits={"body_bytes": 20000}).start()
    connection = gateway.connect()
    send(connection, "PUT", "/fhir/Patient/p1", patient("p1"))
    send(connection, "PUT", "/fhir/Patient/gone", patient("gone"))
    send(connection, "DELETE", "/fhir/Patient/gone")
    changed = {**patient("p1"), "birthDate": "1960"}
    unknown = {**patient("p1"), "modifierExtension": [{"url": "u", "valueBoolean": True}]}
    for status, code, method, path, body, headers in (
            (400, "structure", "PUT", "/Patient/p1", b"{", {}),
            (400, "value", "PUT", "/Patient/p1", {**patient("p1"), "deceasedDateTime": "soon"}, {}),
            (404, "not-found", "GET", "/Patient/nobody", None, {}),
            (405, "not-supported", "POST", "/Patient/p1", b"{}", {}),
            (406, "not-supported", "GET", "/Patient/p1", None, {"Accept": "text/csv"}),
            (410, "deleted", "GET", "/Patient/gone", None, {}),
            (412, "conflict", "PUT", "/Patient/p1", changed, {"If-Match": 'W/"7"'}),
            (415, "not-supported", "PUT", "/Patient/p1", b"{}", {"Content-Type": "text/plain"}),
            (422, "extension", "PUT", "/Patient/p1", unknown, {}),
            (422, "not-supported", "POST", "", {"resourceType": "Bundle", "type": "collection"}, {})):
        issue = outcome_is(send(connection, method, "/fhir" + path, body, headers), status, code)
        assert issue["diagnostics"].endswith("."), issue
        for word in ("sqlite", "lane", "arena", ".c:"):
            assert word not in issue["diagnostics"], issue
    outcome_is(gateway.curl("/Patient/p1", client="other-hospital"), 403, "forbidden")
    big = {**patient("p1"), "name": [{"text": "x" * 30000}]}
    outcome_is(gateway.curl("/Patient/p1", method="PUT", body=big), 413, "too-long")


def test_tags_and_times():
    """A2.1, A2.2: ETag and Last-Modified are those of meta; who knows the version gets 304"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()
    created = status_is(send(connection, "POST", "/fhir/Patient", patient("x")), 201)
    path = created.headers["location"].split(str(gateway.port))[1]
    instance = path.split("/_history")[0]
    updated = send(connection, "PUT", instance, {**created.json, "birthDate": "1960"})
    for reply, version in ((created, "1"), (updated, "2"), (send(connection, "GET", instance), "2"),
                           (send(connection, "GET", path), "1")):
        equal((reply.headers["etag"], reply.json["meta"]["versionId"]), (f'W/"{version}"', version))
        equal(reply.headers["last-modified"].endswith(" GMT"), True)
    seconds = support.http_date(updated.json["meta"]["lastUpdated"])
    equal(updated.headers["last-modified"], seconds)
    for headers, status in (({"If-None-Match": 'W/"2"'}, 304), ({"If-None-Match": 'W/"1"'}, 200),
                            ({"If-Modified-Since": seconds}, 304),
                            ({"If-Modified-Since": "Thu, 01 Jan 2015 00:00:00 GMT"}, 200)):
        reply = status_is(send(connection, "GET", instance, headers=headers), status)
        equal(not reply.body, status == 304)
        equal(reply.headers["etag"], 'W/"2"')


def test_gone_and_versions():
    """A2.3, A2.4: unknown is 404 and deleted 410; each version is read, the deletion is none"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()
    outcome_is(send(connection, "GET", "/fhir/Condition/c1"), 404)
    for onset in ("2022-01-03", "2022-01-04"):
        send(connection, "PUT", "/fhir/Condition/c1", condition("c1", "p1", onset=onset))
    send(connection, "DELETE", "/fhir/Condition/c1")
    outcome_is(send(connection, "GET", "/fhir/Condition/c1"), 410)
    for version, onset in (("1", "2022-01-03"), ("2", "2022-01-04")):
        read = status_is(send(connection, "GET", f"/fhir/Condition/c1/_history/{version}"), 200)
        equal((read.json["onsetDateTime"], read.headers["etag"]), (onset, f'W/"{version}"'))
    outcome_is(send(connection, "GET", "/fhir/Condition/c1/_history/3"), 410)
    for version in ("4", "0", "x", "99999999999"):
        outcome_is(send(connection, "GET", f"/fhir/Condition/c1/_history/{version}"), 404)


def test_create():
    """A3.1: id, version and time of a POST are the server's, and the answer tells them"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()
    body = {**patient("mine"), "meta": {"versionId": "77", "lastUpdated": "2001-01-01T00:00:00Z",
                                        "source": "urn:ehr:1"}}
    reply = status_is(send(connection, "POST", "/fhir/Patient", body), 201)
    read = reply.json
    assert read["id"] != "mine" and read["meta"]["versionId"] == "1", read
    assert not read["meta"]["lastUpdated"].startswith("2001"), read
    equal(read["meta"]["source"], "urn:ehr:1")
    equal(reply.headers["location"], f"{gateway.base}/Patient/{read['id']}/_history/1")
    status_is(send(connection, "GET", "/fhir/Patient/mine"), 404)


def test_update():
    """A3.2: without an id, with another, of what is there, of what is new; creation can be switched off"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()
    nameless = {"resourceType": "Patient", "gender": "female"}
    outcome_is(send(connection, "PUT", "/fhir/Patient/p1", nameless), 400, expression="id")
    outcome_is(send(connection, "PUT", "/fhir/Patient/p1", patient("p2")), 400, expression="id")
    new = status_is(send(connection, "PUT", "/fhir/Patient/p1", patient("p1")), 201)
    assert new.headers["location"].endswith("/Patient/p1/_history/1"), new.headers
    status_is(send(connection, "PUT", "/fhir/Patient/p1", {**patient("p1"), "birthDate": "1960"}), 200)
    declared = {r["type"]: r["updateCreate"] for r in gateway.curl("/metadata").json["rest"][0]["resource"]}
    assert declared["Patient"], declared
    strict = Lifeline(pki, update_creates=False).start()
    outcome_is(strict.curl("/Patient/p1", method="PUT", body=patient("p1")), 405)
    assert not any(r.get("updateCreate") for r in strict.curl("/metadata").json["rest"][0]["resource"])


def test_preconditions():
    """A3.3, A3.4: If-Match compares weakly, * is no version; If-None-Match: * only creates"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()

    def put(year, **headers):
        return send(connection, "PUT", "/fhir/Patient/p1", {**patient("p1"), "birthDate": year},
                    {name.replace("_", "-"): value for name, value in headers.items()})
    status_is(put("1950", If_None_Match="*"), 201)
    outcome_is(put("1951", If_None_Match="*"), 412)
    status_is(put("1952", If_Match='W/"1"'), 200)
    status_is(put("1953", If_Match='"2"'), 200)
    outcome_is(put("1954", If_Match='W/"2"'), 412, "conflict")
    outcome_is(put("1954", If_Match="*"), 412)
    outcome_is(send(connection, "PUT", "/fhir/Patient/p2", patient("p2"), {"If-Match": 'W/"1"'}), 412)
    careful = Lifeline(pki, if_match_required=True).start()
    status_is(careful.curl("/Patient/p1", method="PUT", body=patient("p1")), 201)
    changed = {**patient("p1"), "birthDate": "1960"}
    outcome_is(careful.curl("/Patient/p1", method="PUT", body=changed), 400, "required")
    status_is(careful.curl("/Patient/p1", method="PUT", body=changed, headers={"If-Match": 'W/"1"'}), 200)
    outcome_is(careful.curl("/Patient/p1", method="DELETE"), 400, "required")


def test_conflicts():
    """A3.5: what one entry of a transaction excludes of another is 409"""
    gateway = Lifeline(pki).start()
    person = {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "9"}]}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": person, "request": {"method": "POST", "url": "Patient"}},
        {"resource": person, "request": {"method": "POST", "url": "Patient",
                                         "ifNoneExist": "identifier=urn:mrn%7C9"}}]}
    outcome_is(gateway.curl("", body=bundle), 409, "conflict")


def test_preferences():
    """A3.6: what create, update, patch and entries of a Bundle answer with, for each preference"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()
    send(connection, "PUT", "/fhir/Patient/p1", patient("p1"))
    add = [{"op": "add", "path": "/active", "value": True}]
    asks = (("POST", "/fhir/Patient", patient("x"), {}), ("PUT", "/fhir/Patient/p1", patient("p1"), {}),
            ("PATCH", "/fhir/Patient/p1", add, {"Content-Type": "application/json-patch+json"}))
    for method, path, body, headers in asks:
        for prefer, wanted in (("return=minimal", None), ("return=representation", "Patient"),
                               ("return=OperationOutcome", "OperationOutcome"), ("colour=red", "Patient")):
            reply = send(connection, method, path, body, {**headers, "Prefer": prefer})
            assert reply.status in (200, 201) and reply.headers["etag"], reply
            equal(reply.json["resourceType"] if reply.body else None, wanted, f"{method} {prefer}")
    entry = {"resource": {**patient("p1"), "birthDate": "1961"}, "request": {"method": "PUT", "url": "Patient/p1"}}
    for prefer, has_resource in (("return=minimal", False), ("return=representation", True)):
        reply = send(connection, "POST", "/fhir", {"resourceType": "Bundle", "type": "batch", "entry": [entry]},
                     {"Prefer": prefer})
        equal("resource" in reply.json["entry"][0], has_resource, prefer)
    outcome_is(send(connection, "GET", "/fhir/Patient?colour=red", headers={"Prefer": "handling=strict"}), 400)
    status_is(send(connection, "GET", "/fhir/Patient?colour=red", headers={"Prefer": "handling=lenient"}), 200)


def test_deleting_twice():
    """A3.10: deleting what is not there, or no more, is no fault"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()
    send(connection, "PUT", "/fhir/Patient/p1", patient("p1"))
    for name in ("p1", "p1", "nobody"):
        assert send(connection, "DELETE", f"/fhir/Patient/{name}").status in (200, 204)
    equal(len(gateway.curl("/Patient/p1/_history").json["entry"]), 2)


def test_the_same_again():
    """A3.12: a thousand resends are one version, and each is answered like the first"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()
    body = order("m1", "p1")
    first = status_is(send(connection, "PUT", "/fhir/MedicationRequest/m1", body), 201)
    for _ in range(1000):
        again = send(connection, "PUT", "/fhir/MedicationRequest/m1", body)
        equal((again.status, again.headers["etag"], again.headers["last-modified"], again.body),
              (200, first.headers["etag"], first.headers["last-modified"], first.body))
    equal(gateway.curl("/MedicationRequest/m1/_history").json["total"], 1)


def test_what_is_kept_and_what_is_refused():
    """A3.13: source, tags, labels and extensions come back; what could change the meaning is refused"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()
    meta = {"source": "urn:ehr:1", "profile": ["https://ehr.example/p"],
            "tag": [{"system": "urn:t", "code": "a"}],
            "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
    body = {**order("m1", "p1"), "meta": meta, "extension": [{"url": "https://ehr.example/x", "valueString": "y"}]}
    status_is(send(connection, "PUT", "/fhir/MedicationRequest/m1", body), 201)
    read = send(connection, "GET", "/fhir/MedicationRequest/m1").json
    equal(({name: read["meta"][name] for name in meta}, read["extension"]), (meta, body["extension"]))
    modifier = [{"url": "https://ehr.example/not", "valueBoolean": True}]
    for change in ({"modifierExtension": modifier}, {"implicitRules": "https://ehr.example/rules"},
                   {"dosageInstruction": [{"modifierExtension": modifier}]}):
        reply = send(connection, "PUT", "/fhir/MedicationRequest/m2", {**order("m2", "p1"), **change})
        outcome_is(reply, 422, "extension", next(iter(change)))


if __name__ == "__main__":
    support.main(globals())
