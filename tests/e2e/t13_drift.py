#!/usr/bin/env python3
"""What is settled stays looked after: edits and deletions at the destination are noticed and told."""
import json
import re

import support
from support import Lifeline, Pki, PlayedEhr, SAMPLES, equal, status_is, wait_until

pki = Pki()


def settled(gateway):
    rows = gateway.outbox()
    return rows and all(row["state"] == "settled" for row in rows)


def metric(gateway, name):
    return int(re.search(rf"^{re.escape(name)} (\d+)$", gateway.admin("/metrics")[1], re.M)[1])


def row_of(gateway, kind):
    return next(row for row in gateway.outbox() if row["kind"] == kind)


def withdrawn(bundle):
    """What spoke for a later line, entered in error."""
    for resource in (entry["resource"] for entry in bundle["entry"]):
        if "-pld-" in resource["id"]:
            yield dict(resource, status="entered-in-error")
        elif resource["id"].endswith("-recurrence"):
            resource["verificationStatus"]["coding"][0]["code"] = "entered-in-error"
            del resource["clinicalStatus"]
            yield resource


def drifted(gateway, how):
    return metric(gateway, f'lifeline_records_drifted_total{{how="{how}"}}')


def test_drift():
    """an edit is noticed and stays, a deletion is noticed and told; something new goes over the edit"""
    bundle = (SAMPLES / "ovarian-platinum-resistant.json").read_text()
    ehr = PlayedEhr(pki, "hapi-like")
    gateway = Lifeline(pki).send_to(ehr.base, check_every_s=1, check_per_minute=6000).start()
    status_is(gateway.curl("", body=bundle), 200)
    wait_until(lambda: settled(gateway), "rest", 30)
    wait_until(lambda: metric(gateway, "lifeline_records_checked_total") >= 4, "two rounds", 30)
    equal((drifted(gateway, "edited"), drifted(gateway, "deleted")), (0, 0))
    flag, plan = row_of(gateway, "flag"), row_of(gateway, "careplan")
    ehr.control("edit", {"type": "Flag", "identity": flag["identity"], "set": {"status": "inactive"}})
    ehr.control("delete", {"type": "CarePlan", "identity": plan["identity"]})
    wait_until(lambda: (drifted(gateway, "edited"), drifted(gateway, "deleted")) == (1, 1), "both to be noticed", 30)
    wait_until(lambda: row_of(gateway, "careplan")["lastError"] == "target-deleted", "the row to say so", 10)
    equal(row_of(gateway, "flag")["lastError"], "target-edited")
    said = gateway.run("outbox", "explain", str(plan["key"])).stdout
    assert "deleted" in said, said
    seen = metric(gateway, "lifeline_records_checked_total")
    wait_until(lambda: metric(gateway, "lifeline_records_checked_total") > seen + 1, "more rounds", 30)
    equal((drifted(gateway, "edited"), drifted(gateway, "deleted")), (1, 1), "told once")
    equal([f["status"] for f in ehr.stored("Flag")], ["inactive"], "the person's edit stays")
    equal(ehr.stored("CarePlan"), [], "what was deleted does not come back by itself")
    looks = [r for r in gateway.audit() if "drift" in str(r)]
    assert any("edited" in str(r) for r in looks) and any("deleted" in str(r) for r in looks), looks[-3:]
    # New evidence: the orders of the later line were errors.
    status_is(gateway.curl("", body=support.transaction(*withdrawn(json.loads(bundle)))), 200)
    wait_until(lambda: [f["status"] for f in ehr.stored("Flag")] == ["entered-in-error"], "the Flag to change", 30)
    equal(ehr.stored("CarePlan"), [], "there is nothing left to withdraw")
    gateway.stop()
    ehr.stop()


def test_rate():
    """no more records a minute are looked at than the destination is asked to bear, and none when it is off"""
    bundle = (SAMPLES / "ovarian-platinum-resistant.json").read_text()
    ehr = PlayedEhr(pki, "hapi-like")
    gateway = Lifeline(pki).send_to(ehr.base, check_every_s=0).start()
    status_is(gateway.curl("", body=bundle), 200)
    wait_until(lambda: settled(gateway), "rest", 30)
    requests = ehr.state()["requests"]
    gateway.stop()
    gateway.settings["destinations"][0].update(check_every_s=1, check_per_minute=60)
    gateway.start()
    support.time.sleep(4.5)
    looks = ehr.state()["requests"] - requests
    assert 2 <= looks <= 7, looks  # one a second, and /metadata
    gateway.stop()
    ehr.stop()


if __name__ == "__main__":
    support.main(globals())
