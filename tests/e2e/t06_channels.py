#!/usr/bin/env python3
"""Every EHR is told by what it takes: the played vendors of tests/support, through the front door."""
import base64
import contextlib
import json

import support
from support import Lifeline, Pki, PlayedEhr, SAMPLES, equal, status_is, wait_until

pki = Pki()
SITE = {"recipients": ["Group/oncology-pool"], "sender": "Practitioner/pool-doctor",
        "author": "Practitioner/pool-doctor", "message_delay_ms": 0}


@contextlib.contextmanager
def told(mode, faults="", sample="ovarian-platinum-resistant.json", change=bytes, **site):
    """A gateway that has told a played EHR of one patient: (gateway, ehr, rows of the outbox)."""
    ehr = PlayedEhr(pki, mode, faults)
    gateway = Lifeline(pki).send_to(ehr.base, **{**SITE, **site}).start()
    try:
        status_is(gateway.curl("", body=change((SAMPLES / sample).read_bytes())), 200)
        yield gateway, ehr, wait_until(lambda: at_rest(gateway), "the outbox to come to rest", 90)
    finally:
        gateway.kill()
        ehr.stop()


def with_encounter(bundle):
    """All its orders were made at one visit."""
    bundle = json.loads(bundle)
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "MedicationRequest":
            entry["resource"]["encounter"] = {"reference": "Encounter/visit-7"}
    return json.dumps(bundle).encode()


def at_rest(gateway):
    rows = gateway.outbox()
    return rows if rows and all(row["state"] in ("settled", "dead") for row in rows) else None


def by_kind(rows):
    return {row["kind"]: (row["state"], row["lastError"]) for row in rows}


def text_of(attachment):
    return base64.b64decode(attachment["data"]).decode()


def retract(gateway, at_once=True):
    """Everything that spoke for a later line was entered in error."""
    changed = []
    for entry in json.loads((SAMPLES / "ovarian-platinum-resistant.json").read_text())["entry"]:
        resource = entry["resource"]
        if "-pld-" in resource["id"]:
            resource["status"] = "entered-in-error"
        elif resource["id"].endswith("-recurrence"):
            resource["verificationStatus"]["coding"][0]["code"] = "entered-in-error"
            del resource["clinicalStatus"]
        else:
            continue
        changed.append(resource)
    for part in [changed] if at_once else [[resource] for resource in changed]:
        status_is(gateway.curl("", body=support.transaction(*part)), 200)


def test_epic():
    """W2.epic.1: Epic takes no Flag: one Communication to the pool, and no unadvertised write is tried"""
    with told("epic-like") as (_, ehr, rows):
        equal(by_kind(rows), {"flag": ("settled", "told-by communication"),
                              "careplan": ("settled", "told-by communication"),
                              "communication": ("settled", "not-kept identifier"),
                              "document": ("settled", "told-by communication")})
        state = ehr.state()
        equal([(e["method"], e["type"], e["status"]) for e in state["log"]],
              [("POST", "Communication", 201)])
        message = ehr.stored("Communication")[0]
        text = text_of(message["payload"][0]["contentAttachment"])
        for words in ("Salvage therapy ordered", "Regimen: ", "Trial eligibility", "does not say that"):
            assert words in text, text


def test_epic_note():
    """W2.epic.5: a note in the chart, plain text, with author, encounter and type; withdrawn in its place"""
    with told("epic-like", channels=["document"], change=with_encounter) as (gateway, ehr, rows):
        equal(by_kind(rows), {"document": ("settled", "")})
        note = ehr.stored("DocumentReference")[0]
        equal(note["context"]["encounter"], [{"reference": "Encounter/visit-7"}])
        equal(note["author"], [{"reference": "Practitioner/pool-doctor"}])
        retract(gateway)
        wait_until(lambda: [d["status"] for d in ehr.stored("DocumentReference")] ==
                   ["entered-in-error"], "the note to be entered-in-error", 60)


def test_oracle():
    """W2.oracle.1, W2.oracle.2, W2.oracle.4.ignored: both within its rules; what it forgets is told"""
    with told("oracle-like", channels=["communication+document"]) as (_, ehr, rows):
        equal(by_kind(rows), {"communication": ("settled", "not-kept identifier"),
                              "document": ("settled", "not-kept identifier,description")})
        equal([(e["type"], e["status"]) for e in ehr.state()["log"]],
              [("Communication", 201), ("DocumentReference", 201)])
        note = ehr.stored("DocumentReference")[0]
        assert "identifier" not in note, "Oracle forgets what it does not support"


def test_oracle_update():
    """W2.oracle.4.if-match: a note is updated with If-Match, and 409 means another version"""
    with told("oracle-like", channels=["document"]) as (gateway, ehr, _):
        ehr.control("faults", {"conflict": 1})
        retract(gateway)
        wait_until(lambda: [d["status"] for d in ehr.stored("DocumentReference")] ==
                   ["entered-in-error"], "the note to be entered-in-error", 60)
        equal([e["status"] for e in ehr.state()["log"]], [201, 409, 200])


def test_oracle_lost_answer():
    """W2.oracle.5.pages, W2.oracle.5.lost: a POST without an answer is looked for, over pages, never repeated"""
    for channel, kind in (("document", "DocumentReference"), ("communication", "Communication")):
        with told("oracle-like", "drop=1", channels=[channel]) as (_, ehr, rows):
            equal([row["state"] for row in rows], ["settled"])
            equal(len(ehr.stored(kind)), 1)


def test_meditech():
    """W2.meditech.message, W2.meditech.throttle: only Communication, though it throttles at will"""
    with told("meditech-like", "throttle_seconds=1") as (_, ehr, rows):
        equal(by_kind(rows)["communication"], ("settled", ""))
        equal(len(ehr.stored("Communication")), 1)


def test_athena():
    """W2.athena.write: athenahealth takes nothing: the row of the Flag says so, and nothing was tried"""
    with told("athena-like") as (_, ehr, rows):
        kinds = by_kind(rows)
        equal(kinds["flag"], ("dead", "permanent no-channel"))
        equal(kinds["communication"], ("settled", "told-by nothing"))
        equal(ehr.state()["log"], [])


def test_other_channels():
    """an EHR that begins to take Flags after an upgrade gets those that it could not be told before"""
    ehr = PlayedEhr(pki, "athena-like")
    gateway = Lifeline(pki).send_to(ehr.base, **SITE).start()
    status_is(gateway.curl("", body=(SAMPLES / "ovarian-platinum-resistant.json").read_bytes()), 200)
    wait_until(lambda: at_rest(gateway), "rest", 30)
    equal(by_kind(gateway.outbox())["flag"], ("dead", "permanent no-channel"))
    gateway.stop()
    ehr.stop()
    ehr = PlayedEhr(pki, "hapi-like")
    gateway.settings["destinations"][0]["base_url"] = ehr.base
    gateway.start()
    other = (SAMPLES / "hodgkin-abvd-bv-ice.json").read_bytes()  # something to say, so that it is asked
    status_is(gateway.curl("", body=other), 200)
    wait_until(lambda: len(ehr.stored("Flag")) == 2, "both Flags", 30)
    wait_until(lambda: at_rest(gateway), "rest", 30)
    equal({f["subject"]["reference"] for f in ehr.stored("Flag")},
          {"Patient/sample-ovarian", "Patient/sample-hodgkin"})
    gateway.kill()
    ehr.stop()


def test_hapi():
    """a server that takes everything: Flag and CarePlan, and no message beside them"""
    with told("hapi-like", wants_provenance=True) as (_, ehr, rows):
        kinds = {(row["kind"], row["state"], row["lastError"]) for row in rows}
        equal(kinds, {("flag", "settled", ""), ("careplan", "settled", ""),
                      ("provenance", "settled", ""), ("document", "settled", "told-by flag+careplan"),
                      ("communication", "settled", "told-by flag+careplan")})
        equal(sorted(r["resourceType"] for r in ehr.state()["resources"]),
              ["CarePlan", "Flag", "Provenance", "Provenance"])


def test_withdrawn_by_message():
    """what was said by message is withdrawn by message, once"""
    with told("meditech-like") as (gateway, ehr, _):
        retract(gateway)
        wait_until(lambda: len(ehr.stored("Communication")) == 2, "a second message", 60)
        text = text_of(ehr.stored("Communication")[1]["payload"][0]["contentAttachment"])
        assert text.startswith("No longer so: "), text
        wait_until(lambda: at_rest(gateway), "rest")
        equal(len(ehr.stored("Communication")), 2)


def test_changes_become_one_message():
    """while one thing after the other is corrected, nobody's inbox is filled: one message says how it ends"""
    with told("meditech-like", message_delay_ms=3000) as (gateway, ehr, _):
        retract(gateway, at_once=False)
        wait_until(lambda: at_rest(gateway), "rest", 60)
        equal(len(ehr.stored("Communication")), 2)


EPIC_NUMBERS = (
    (59100, "dead", "permanent processing 59100"), (59187, "dead", "site-build processing 59187"),
    (4134, "dead", "policy processing 4134"), (4107, "dead", "merged"),
    (4135, "pending", "quota processing 4135"), (59177, "settled", "not-kept identifier"))


def test_epic_numbers():
    """W2.epic.2.content, W2.epic.2.site, W2.epic.2.policy, W2.epic.2.quota, W2.epic.2.transient: numbers decide"""
    ehr = PlayedEhr(pki, "epic-like")
    gateway = Lifeline(pki).send_to(ehr.base, **SITE).start()
    bundle = (SAMPLES / "ovarian-platinum-resistant.json").read_text()
    for number, state, error in EPIC_NUMBERS:
        ehr.control("faults", {"code": number, "code_count": 1})
        status_is(gateway.curl("", body=bundle.replace("sample-ovarian", f"p{number}")), 200)

        def came_to():
            rows = [row for row in gateway.outbox()
                    if row["kind"] == "communication" and row["patient"] == f"Patient/p{number}"]
            return any((r["state"], r["lastError"]) == (state, error) for r in rows)
        wait_until(came_to, f"{number} to be {state} {error}", 30)
    posts = [e for e in ehr.state()["log"] if e["method"] == "POST"]
    equal(len(posts), len(EPIC_NUMBERS) + 1, "only what is transient is sent again")
    gateway.kill()
    ehr.stop()


def test_epic_merged():
    """W2.epic.2.merged: 4107: the patient that survives is told instead, once, also after a lost answer"""
    bundle = (SAMPLES / "ovarian-platinum-resistant.json").read_bytes()
    ehr = PlayedEhr(pki, "epic-like", "drop=1")
    ehr.control("merge", {"from": "Patient/sample-ovarian", "to": "Patient/kept"})
    gateway = Lifeline(pki).send_to(ehr.base, **SITE).start()
    status_is(gateway.curl("", body=bundle), 200)
    rows = wait_until(lambda: at_rest(gateway), "rest", 60)
    equal(by_kind(rows)["communication"], ("settled", "followed-merge"))
    equal([m["subject"]["reference"] for m in ehr.stored("Communication")], ["Patient/kept"])
    said = gateway.run("outbox", "explain", str(next(r["key"] for r in rows if r["kind"] == "communication")))
    assert "replaced-by" in said.stdout, said.stdout
    gateway.kill()
    ehr.stop()


def test_meditech_choices():
    """W2.meditech.choices, W2.meditech.us-core: `check --probe` tells whom messages may be sent to"""
    ehr = PlayedEhr(pki, "meditech-like")
    gateway = Lifeline(pki).send_to(ehr.base, recipients=["Group/oncology-pool"])
    gateway.config_file.write_text(json.dumps(gateway.settings))
    said = gateway.run("check", "--probe", "--quiet").stdout
    assert "messages may be sent to: Practitioner/pool-doctor, Group/oncology-pool" in said, said
    assert "speaks US Core STU6" in said, said
    gateway.settings["destinations"][0]["recipients"] = ["Group/oncology-pool", "Group/nobody"]
    gateway.config_file.write_text(json.dumps(gateway.settings))
    done = gateway.run("check", "--probe", "--quiet", check=False)
    equal(done.returncode, 1)
    assert "Its recipient Group/nobody is not among them" in done.stdout, done.stdout
    ehr.stop()


def test_probe():
    """`lifeline check --probe` tells what each destination would be sent, and why"""
    ehrs = {mode: PlayedEhr(pki, mode) for mode in ("epic-like", "hapi-like")}
    gateway = Lifeline(pki)
    for mode, ehr in ehrs.items():
        gateway.send_to(ehr.base, name=mode, **SITE)
    gateway.config_file.write_text(json.dumps(gateway.settings))
    said = gateway.run("check", "--probe", "--quiet").stdout
    epic, hapi = said.split("Destination hapi-like")
    for part, words in ((epic, "and is Epic"), (epic, "flag           not sent: create is not offered"),
                        (epic, "communication  sent, by search, then create"),
                        (epic, "document       not sent: a rung above it is"),
                        (hapi, "flag           sent, by conditional update")):
        assert words in part, said
    gateway.send_to("https://127.0.0.1:1/fhir", name="nobody")
    gateway.config_file.write_text(json.dumps(gateway.settings))
    done = gateway.run("check", "--probe", "--quiet", check=False)
    equal(done.returncode, 1)
    assert "unreachable" in done.stdout, done.stdout
    for ehr in ehrs.values():
        equal(ehr.state()["log"], [])
        ehr.stop()


if __name__ == "__main__":
    support.main(globals())
