#!/usr/bin/env python3
"""FHIR messages at $process-message: taken as a whole, answered by a message, once (checklist B)."""
import support
from support import Lifeline, Pki, condition, equal, order, outcome_is, patient, status_is

pki = Pki("general-hospital", "other-hospital")
EVENTS = "https://ehr.example/events"
DOOR = "/$process-message"


def started():
    tenants = [{"name": name, "identities": [f"cn:{name}"], "base_urls": [], "destinations": [],
                "message_events": [f"{EVENTS}|ordered", "urn:example:corrected"]}
               for name in ("general-hospital", "other-hospital")]
    return Lifeline(pki, tenants=tenants).start()


def message(*resources, header="h1", identifier="b1", event="ordered", **more):
    head = {"resourceType": "MessageHeader", "id": header, "source": {"endpoint": "https://ehr.example/fhir"},
            "eventCoding": {"system": EVENTS, "code": event}, **more}
    bundle = {"resourceType": "Bundle", "type": "message", "timestamp": "2024-05-22T08:00:00Z",
              "entry": [{"fullUrl": f"urn:uuid:00000000-0000-4000-8000-{i:012}", "resource": resource}
                        for i, resource in enumerate((head, *resources))]}
    if identifier:
        bundle["identifier"] = {"system": "urn:example:messages", "value": identifier}
    return bundle


def reply_is(reply, code, to="h1"):
    """a Bundle of type message whose header answers ours; returns the first issue of its details"""
    status_is(reply, 200)
    equal((reply.json["resourceType"], reply.json["type"]), ("Bundle", "message"))
    head, outcome = reply.json["entry"]
    response = head["resource"]["response"]
    equal((head["resource"]["resourceType"], response["identifier"], response["code"]),
          ("MessageHeader", to, code))
    equal(response["details"]["reference"], outcome["fullUrl"])
    equal(head["resource"]["destination"][0]["endpoint"], "https://ehr.example/fhir")
    assert head["resource"]["id"] != to
    return outcome["resource"]["issue"][0]


def test_a_message_is_taken():
    """B1, B2, B6: what a message carries is stored, derived and audited; the reply answers its header"""
    gateway = started()
    practitioner = {"resourceType": "Practitioner", "id": "d1"}
    reply = gateway.curl(DOOR, body=message(patient("p1"), practitioner, condition("c1", "p1"),
                                            order("m1", "p1")))
    issue = reply_is(reply, "ok")
    equal(issue["severity"], "information")
    assert "3 resources" in issue["diagnostics"] and "1 of types" in issue["diagnostics"], issue
    equal(reply.json["entry"][0]["resource"]["eventCoding"], {"system": EVENTS, "code": "ordered"})
    for name in ("Patient/p1", "Condition/c1", "MedicationRequest/m1"):
        status_is(gateway.curl("/" + name), 200)
    equal(len(status_is(gateway.curl("/Patient/p1/$lines-of-therapy"), 200).json["parameter"]) > 0, True)
    record = next(r for r in gateway.audit() if r.get("path", "").endswith(DOOR))
    equal([(e["action"], e["resource"]) for e in record["entries"]],
          [("create", "Patient/p1"), ("create", "Condition/c1"), ("create", "MedicationRequest/m1")])


def test_events():
    """B1: an event that is not agreed on is a fatal error; eventUri serves as well"""
    gateway = started()
    issue = reply_is(gateway.curl(DOOR, body=message(patient("p1"), event="admitted")), "fatal-error")
    equal(issue["expression"], ["Bundle.entry[0].resource.event"])
    status_is(gateway.curl("/Patient/p1"), 404)
    bundle = message(patient("p1"), identifier="b2")
    del bundle["entry"][0]["resource"]["eventCoding"]
    bundle["entry"][0]["resource"]["eventUri"] = "urn:example:corrected"
    reply_is(gateway.curl(DOOR, body=bundle), "ok")


def test_one_bad_entry():
    """B2: one bad entry and nothing of the message is stored; the reply names the entry"""
    gateway = started()
    bad = order("m1", "p1")
    del bad["status"]
    issue = reply_is(gateway.curl(DOOR, body=message(patient("p1"), {"resourceType": "Practitioner"}, bad)),
                     "fatal-error")
    equal(issue["expression"], ["Bundle.entry[3].resource.status"])
    status_is(gateway.curl("/Patient/p1"), 404)


def test_references():
    """resources without an id are created; references between entries follow"""
    gateway = started()
    person = {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "7"}]}
    drug = order(None, "x")
    drug["subject"]["reference"] = "urn:uuid:00000000-0000-4000-8000-000000000001"
    reply_is(gateway.curl(DOOR, body=message(person, drug)), "ok")
    pid = gateway.curl("/Patient?identifier=urn:mrn%7C7").json["entry"][0]["resource"]["id"]
    equal(gateway.curl(f"/MedicationRequest?patient={pid}").json["total"], 1)


def test_reliable_cache():
    """B3: the same message again has the same answer and changes nothing"""
    gateway = started()
    first = gateway.curl(DOOR, body=message(patient("p1"), order("m1", "p1")))
    reply_is(first, "ok")
    status_is(gateway.curl("/MedicationRequest/m1", method="DELETE"), 204)
    again = gateway.curl(DOOR, body=message(patient("p1"), order("m1", "p1")))
    equal(again.json, first.json)
    status_is(gateway.curl("/MedicationRequest/m1"), 410)
    refused = gateway.curl(DOOR, body=message(event="admitted", identifier="b9", header="h9"))
    reply_is(refused, "fatal-error", to="h9")
    equal(gateway.curl(DOOR, body=message(event="admitted", identifier="b9", header="h9")).json,
          refused.json, "a refusal is an answer, too")


def test_resubmission():
    """B3: a known header in a new Bundle is worked again; a known Bundle with a new header is refused"""
    gateway = started()
    reply_is(gateway.curl(DOOR, body=message(patient("p1"), order("m1", "p1"))), "ok")
    reply_is(gateway.curl(DOOR, body=message(patient("p1"), order("m1", "p1"), identifier="b2")), "ok")
    equal(gateway.curl("/MedicationRequest/m1").json["meta"]["versionId"], "1",
          "what has not changed has no new version")
    issue = reply_is(gateway.curl(DOOR, body=message(patient("p2"), header="h2")), "fatal-error", to="h2")
    equal(issue["expression"], ["Bundle.identifier"])
    status_is(gateway.curl("/Patient/p2"), 404)


def test_cache_outlives_a_kill():
    """A6.4, A7.2, B4: the cache is durable, and as long as /metadata says"""
    gateway = started()
    first = gateway.curl(DOOR, body=message(patient("p1")))
    reply_is(first, "ok")
    gateway.kill()
    gateway.start()
    equal(gateway.curl(DOOR, body=message(patient("p1"))).json, first.json)
    (messaging,) = gateway.curl("/metadata").json["messaging"]
    assert messaging["reliableCache"] >= 24 * 60, messaging
    assert messaging["endpoint"][0]["address"].endswith(DOOR), messaging


def test_other_tenants_do_not_share():
    """two tenants may use the same identifiers; nothing crosses"""
    gateway = started()
    reply_is(gateway.curl(DOOR, body=message(patient("p1"))), "ok")
    reply_is(gateway.curl(DOOR, body=message(patient("p9")), client="other-hospital"), "ok")
    status_is(gateway.curl("/Patient/p9", client="other-hospital"), 200)
    status_is(gateway.curl("/Patient/p9"), 404)


def test_what_is_no_message():
    """what has no header cannot be answered by a message: an OperationOutcome says what is missing"""
    gateway = started()
    outcome_is(gateway.curl(DOOR, body=support.transaction(patient("p1"))), 422)
    bundle = message(patient("p1"))
    outcome_is(gateway.curl("", body=bundle), 422)
    del bundle["entry"][0]
    outcome_is(gateway.curl(DOOR, body=bundle), 400, expression="Bundle.entry[0].resource")
    outcome_is(gateway.curl(DOOR + "?async=true", body=message(patient("p1"))), 422)
    outcome_is(gateway.curl(DOOR), 405)


if __name__ == "__main__":
    support.main(globals())
