#!/usr/bin/env python3
"""Operators: every row says what it waits for; what is stuck is replayed, edited, dropped, paused, and audited."""
import json
import urllib.error
import urllib.request

import support
from support import Lifeline, Pki, PlayedEhr, SAMPLES, equal, status_is, wait_until

pki = Pki()
WHO = ("--by", "A. Moor", "--reason", "the test wants it")


def gateway_for(ehr, **site):
    gateway = Lifeline(pki).send_to(ehr.base, **site)
    token = gateway.folder / "operator-token"
    token.write_text("let-me-in\n")
    gateway.settings["admin"]["token_file"] = str(token)
    return gateway.start()


def push(gateway, pid="sample-ovarian"):
    bundle = (SAMPLES / "ovarian-platinum-resistant.json").read_text()
    status_is(gateway.curl("", body=bundle.replace("sample-ovarian", pid)), 200)


def row_of(gateway, kind, pid="sample-ovarian"):
    rows = [r for r in gateway.outbox() if r["kind"] == kind and r["patient"] == f"Patient/{pid}"]
    return rows[0] if rows else {"state": "none", "lastError": ""}


def until(gateway, kind, state, pid="sample-ovarian"):
    wait_until(lambda: row_of(gateway, kind, pid)["state"] == state, f"the {kind} to be {state}", 30)
    return row_of(gateway, kind, pid)


def ask(gateway, method, path, body=None, token="let-me-in", kind="application/json"):
    """(status, answer) of the admin listener."""
    request = urllib.request.Request(f"http://127.0.0.1:{gateway.admin_port}{path}", method=method,
                                     data=json.dumps(body).encode() if body is not None else None)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", kind)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def admin_records(gateway):
    return [r for r in gateway.audit() if r["kind"] == "admin" and "operation" in r.get("detail", {})]


def test_replay():
    """what was refused says why; replayed it arrives, once, and the log says who did it and why"""
    ehr = PlayedEhr(pki, "hapi-like", "invalid=2")
    gateway = gateway_for(ehr)
    push(gateway)
    flag = until(gateway, "flag", "dead")
    until(gateway, "careplan", "dead")
    equal(flag["lastError"], "permanent business-rule")
    for words in ("refuses it, and would again", "HTTP 422", "given up after 1 attempt"):
        assert words in gateway.run("outbox", "explain", str(flag["key"])).stdout, words
    shown = json.loads(gateway.run("outbox", "show", str(flag["key"])).stdout)
    equal(shown["body"]["resourceType"], "Flag")
    refused = gateway.run("outbox", "replay", str(flag["key"]), check=False)
    assert refused.returncode == 2 and "--by" in refused.stderr, refused
    equal(json.loads(gateway.run("outbox", "replay", str(flag["key"]), *WHO).stdout), {"changed": 1})
    until(gateway, "flag", "settled")
    equal(row_of(gateway, "careplan")["state"], "dead")
    done = gateway.run("outbox", "replay", "--state", "dead", "--word", "permanent", *WHO)
    equal(json.loads(done.stdout), {"changed": 1})
    until(gateway, "careplan", "settled")
    equal(ehr.control("count?type=Flag").split()[0], "stored=1")
    records = admin_records(gateway)
    equal([(r["actor"], r["detail"]["operation"], r["detail"]["reason"], r["patient"])
           for r in records],
          [("A. Moor", "replay", "the test wants it", "Patient/sample-ovarian")] * 2)
    gateway.stop()
    assert "whole" in gateway.run("audit", "verify").stdout
    ehr.stop()


def test_edit():
    """a row is replayed with another body, which must keep its identifier"""
    ehr = PlayedEhr(pki, "hapi-like", "invalid=1")
    gateway = gateway_for(ehr)
    push(gateway)
    key = str(until(gateway, "flag", "dead")["key"])
    body = json.loads(gateway.run("outbox", "show", key).stdout)["body"]
    body["code"]["text"] = "as the site wants it"
    file = gateway.folder / "body.json"
    file.write_text(json.dumps({**body, "identifier": []}))
    refused = gateway.run("outbox", "replay", key, "--body", str(file), *WHO, check=False)
    assert refused.returncode == 1 and "identifier" in refused.stderr, refused
    file.write_text(json.dumps(body))
    gateway.run("outbox", "replay", key, "--body", str(file), *WHO)
    until(gateway, "flag", "settled")
    equal([f["code"]["text"] for f in ehr.stored("Flag")], ["as the site wants it"])
    record = admin_records(gateway)[-1]
    equal(record["detail"]["operation"], "edit")
    gateway.kill()
    ehr.stop()


def test_resend():
    """what was settled and has been lost there since is looked at again, and written where it is missing"""
    ehr = PlayedEhr(pki, "plain")
    gateway = gateway_for(ehr)
    push(gateway)
    flag = until(gateway, "flag", "settled")
    until(gateway, "careplan", "settled")
    ehr.control("delete", {"type": "Flag", "identity": flag["identity"]})
    gateway.run("outbox", "replay", "--state", "settled", "--destination", "ehr", *WHO)
    wait_until(lambda: len(ehr.stored("Flag")) == 1, "the Flag to be there again", 60)
    until(gateway, "careplan", "settled")
    equal(ehr.control("count?type=CarePlan").split()[:3], ["stored=1", "creates=1", "updates=0"])
    gateway.kill()
    ehr.stop()


def test_cannot_reconcile():
    """where a lost message cannot be looked for, the operator looks: dropped it stays, replayed it is sent again"""
    ehr = PlayedEhr(pki, "minimal", "drop=2")
    gateway = gateway_for(ehr, channels=["communication"], message_delay_ms=0, sender="Practitioner/1",
                          recipients=["Group/oncology-pool"])
    for pid in ("p1", "p2"):
        push(gateway, pid)
        row = until(gateway, "communication", "dead", pid)
        equal(row["lastError"], "unknown cannot-reconcile")
    equal(len(ehr.stored("Communication")), 2)
    gateway.run("outbox", "drop", "--patient", "Patient/p1", *WHO)
    gateway.run("outbox", "replay", "--patient", "Patient/p2", *WHO)
    until(gateway, "communication", "settled", "p1")
    until(gateway, "communication", "settled", "p2")
    equal([m["subject"]["reference"] for m in ehr.stored("Communication")],
          ["Patient/p1", "Patient/p2", "Patient/p2"])
    gateway.kill()
    ehr.stop()


def test_pause():
    """a paused destination is sent nothing, also after a restart; resumed, it gets what is wanted by then"""
    ehr = PlayedEhr(pki, "hapi-like")
    gateway = gateway_for(ehr)
    gateway.run("outbox", "pause", "ehr", *WHO)
    push(gateway)
    flag = until(gateway, "flag", "pending")
    explained = gateway.run("outbox", "explain", str(flag["key"])).stdout
    assert "paused by A. Moor: the test wants it" in explained, explained
    gateway.stop()
    gateway.start()
    push(gateway, "other")
    equal(ehr.state()["requests"], 0)
    gateway.run("outbox", "resume", "ehr", *WHO)
    until(gateway, "flag", "settled")
    until(gateway, "flag", "settled", "other")
    gateway.kill()
    ehr.stop()


def test_drop():
    """what is dropped is not sent; something new is"""
    ehr = PlayedEhr(pki, "hapi-like", "fail=1000")
    gateway = gateway_for(ehr, channels=["flag"])
    push(gateway)
    wait_until(lambda: row_of(gateway, "flag")["lastError"].startswith("transient"), "a failure", 30)
    gateway.run("outbox", "drop", "--patient", "Patient/sample-ovarian", *WHO)
    flag = until(gateway, "flag", "settled")
    equal(flag["lastError"], "dropped")
    assert "An operator gave it up" in flag["explanation"], flag
    gateway.kill()
    ehr.stop()


def test_over_http():
    """the same over the admin listener: with the operators' token only, and JSON only"""
    ehr = PlayedEhr(pki, "hapi-like", "invalid=1")
    gateway = gateway_for(ehr, channels=["flag"])
    push(gateway)
    key = until(gateway, "flag", "dead")["key"]
    why = {"by": "A. Moor", "reason": "x"}
    for token in (None, "let-me-inn", "", "let-me-i"):
        equal(ask(gateway, "GET", "/outbox", token=token)[0], 401)
        equal(ask(gateway, "POST", f"/outbox/{key}/replay", why, token=token)[0], 401)
    status, rows = ask(gateway, "GET", "/outbox?state=dead&destination=ehr")
    equal((status, [json.loads(line)["key"] for line in rows.splitlines()]), (200, [key]))
    equal(ask(gateway, "GET", "/outbox?word=nonsense"), (200, ""))
    equal(json.loads(ask(gateway, "GET", f"/outbox/{key}")[1])["body"]["resourceType"], "Flag")
    for method, path, body, wanted in (
            ("GET", "/outbox/999999", None, 404), ("POST", "/outbox/999999/replay", why, 404),
            ("POST", f"/outbox/{key}/explode", why, 404), ("GET", f"/outbox/{key}/replay", None, 405),
            ("POST", f"/outbox/{key}/replay", {"by": "A. Moor"}, 422),
            ("POST", f"/outbox/{key}/replay", {"by": "line\nbreak", "reason": "x"}, 422),
            ("POST", f"/outbox/{key}/edit", why, 422), ("POST", "/outbox/replay", why, 422),
            ("POST", "/destinations/ehr/replay", why, 404)):
        equal((path, ask(gateway, method, path, body)[0]), (path, wanted))
    equal(ask(gateway, "POST", f"/outbox/{key}/replay", why, kind="text/plain")[0], 422)
    equal(admin_records(gateway), [])
    equal(ask(gateway, "POST", f"/outbox/{key}/replay", why), (200, '{"changed":1}\n'))
    until(gateway, "flag", "settled")
    gateway.stop()
    ehr.stop()


def test_without_token():
    """without admin.token_file operators have no endpoints"""
    gateway = Lifeline(pki).start()
    equal(ask(gateway, "GET", "/outbox")[0], 404)
    refused = gateway.run("outbox", "replay", "1", *WHO, check=False)
    assert refused.returncode == 1 and "admin.token_file" in refused.stderr, refused
    gateway.stop()


if __name__ == "__main__":
    support.main(globals())
