#!/usr/bin/env python3
"""SMART Backend Services: one fetch for all, renewed early, never shown to anybody else."""
import json
import stat

import support
from support import Lifeline, Pki, PlayedEhr, SAMPLES, equal, status_is, wait_until

pki = Pki()
SCOPE = "system/Flag.crus system/CarePlan.crus"


def smart_ehr(mode="hapi-like", faults="", secret=None):
    options = ("--smart", "lifeline-client") + (("--smart-secret", secret) if secret else ())
    return PlayedEhr(pki, mode, faults, options=options)


def gateway_for(ehr, algorithm="ES384", **site):
    gateway = Lifeline(pki)
    keys = gateway.folder / "keys"
    keys.mkdir()
    gateway.settings["keys_folder"] = str(keys)
    gateway.send_to(ehr.base, smart_client_id="lifeline-client", smart_scope=SCOPE,
                    smart_algorithm=algorithm, **site)
    gateway.config_file.write_text(json.dumps(gateway.settings))
    gateway.run("keys", "new", "--algorithm", algorithm)
    return gateway.start()


def push(gateway, pid="sample-ovarian"):
    bundle = (SAMPLES / "ovarian-platinum-resistant.json").read_text()
    status_is(gateway.curl("", body=bundle.replace("sample-ovarian", pid)), 200)


def at_rest(gateway, state="settled"):
    rows = gateway.outbox()
    return rows and all(row["state"] == state for row in rows)


def smart(ehr):
    return json.loads(ehr.control("smart"))


def silence(gateway, ehr):
    """Neither a token nor an assertion is in the log, the audit or the outbox."""
    seen = gateway.log_text() + json.dumps(gateway.audit()) + json.dumps(gateway.outbox())
    assert "opaque-" not in seen and "eyJ" not in seen, "a secret was written down"


def test_flow():
    """discovery, a signed assertion, an opaque token: many patients, one token request (ES384 and RS384)"""
    for algorithm in ("ES384", "RS384"):
        ehr = smart_ehr()
        gateway = gateway_for(ehr, algorithm)
        for number in range(6):
            push(gateway, f"p{number}")
        wait_until(lambda: at_rest(gateway), "the outbox to come to rest", 60)
        state = smart(ehr)
        equal((state["requests"], state["most_at_once"]), (1, 1))
        equal(len(ehr.stored("Flag")), 6)
        silence(gateway, ehr)
        gateway.stop()
        ehr.stop()


def test_renewed():
    """a token is renewed before it expires; revoked ones are fetched anew, once, and nothing is lost"""
    ehr = smart_ehr()
    ehr.control("smart", {"seconds": 3})
    gateway = gateway_for(ehr)
    push(gateway, "p1")
    wait_until(lambda: at_rest(gateway), "rest", 30)
    ehr.control("smart", {"seconds": 300, "revoke": True})
    for number in range(2, 8):
        push(gateway, f"p{number}")
    wait_until(lambda: at_rest(gateway), "rest", 60)
    state = smart(ehr)
    equal(state["most_at_once"], 1)
    assert 2 <= state["requests"] <= 3, state["requests"]
    equal(ehr.control("count?type=Flag").split()[:2], ["stored=7", "creates=7"])
    gateway.stop()
    ehr.stop()


def test_refused():
    """an authorization server that refuses is asked again later; rows keep their place and nothing is sent"""
    ehr = smart_ehr()
    ehr.control("smart", {"refusals": 2})
    gateway = gateway_for(ehr)
    push(gateway)
    wait_until(lambda: smart(ehr)["requests"] >= 1, "a request", 10)
    equal([row["state"] for row in gateway.outbox() if row["kind"] == "flag"], ["pending"])
    wait_until(lambda: at_rest(gateway), "rest", 60)
    equal(smart(ehr)["requests"], 3)
    gateway.stop()
    ehr.stop()


def test_secret():
    """a client secret as the alternative"""
    ehr = smart_ehr(secret="s3cret")
    secret = support.scratch_folder() / "secret"
    secret.write_text("s3cret\n")
    gateway = gateway_for(ehr, smart_secret_file=str(secret))
    push(gateway)
    wait_until(lambda: at_rest(gateway), "rest", 30)
    equal(smart(ehr)["assertions"], [])
    assert "s3cret" not in gateway.log_text()
    gateway.stop()
    ehr.stop()


def test_mutual_tls():
    """mutual TLS at the token endpoint: the certificate is shown there too, and may be all that is asked for"""
    ehr = smart_ehr()
    gateway = gateway_for(ehr)
    push(gateway)
    wait_until(lambda: at_rest(gateway), "rest", 30)
    equal(set(smart(ehr)["peers"]), {"lifeline.example"})
    gateway.stop()
    ehr.stop()
    ehr = PlayedEhr(pki, "hapi-like", options=("--smart", "lifeline-client", "--smart-certificate", "lifeline.example"))
    gateway = Lifeline(pki).send_to(ehr.base, smart_client_id="lifeline-client", smart_scope=SCOPE,
                                    smart_by_certificate=True).start()
    push(gateway)
    wait_until(lambda: at_rest(gateway), "rest", 30)
    equal((smart(ehr)["assertions"], smart(ehr)["peers"]), ([], ["lifeline.example"]))
    gateway.stop()
    # Another certificate of the same authority is not us: no token, and nothing is sent.
    gateway.settings["destinations"][0].update(certificate_file=pki.file("other-hospital.pem"),
                                               key_file=pki.file("other-hospital.key"))
    gateway.start()
    flags = len(ehr.stored("Flag"))
    push(gateway, "p2")
    wait_until(lambda: len(smart(ehr)["peers"]) > 1, "another request", 30)
    equal((smart(ehr)["peers"][1], len(ehr.stored("Flag"))), ("other-hospital", flags))
    equal({r["state"] for r in gateway.outbox() if r["patient"] == "Patient/p2"}, {"pending"})
    gateway.stop()
    ehr.stop()


def test_no_other_host():
    """a redirect to another host is not followed: the token is shown to nobody else"""
    ehr = smart_ehr(faults="redirect=2")
    gateway = gateway_for(ehr)
    push(gateway)
    wait_until(lambda: at_rest(gateway), "rest", 60)
    equal(ehr.control("trap").strip(), "hits=0 tokens=0")
    gateway.stop()
    ehr.stop()


def test_keys():
    """W2.epic.4: keys are only their owner's; the new one is published at once and signs after a day; JWKS is public"""
    ehr = smart_ehr()
    gateway = gateway_for(ehr)
    folder = gateway.folder / "keys"
    first = next(folder.iterdir())
    equal(stat.S_IMODE(first.stat().st_mode), 0o600)
    gateway.stop()
    old = first.stat().st_mtime - 90000
    support.os.utime(first, (old, old))
    gateway.run("keys", "new", "--algorithm", "ES384")
    listed = gateway.run("keys", "list").stdout.splitlines()
    equal(["signs" in line for line in listed], [True, False])
    gateway.start()
    served = status_is(gateway.curl(f"https://127.0.0.1:{gateway.port}/.well-known/jwks.json"), 200).json
    equal(served, json.loads(gateway.run("keys", "jwks").stdout))
    equal([(k["kty"], k["crv"], k["alg"], k["use"]) for k in served["keys"]],
          [("EC", "P-384", "ES384", "sig")] * 2)
    assert "d" not in served["keys"][0], "the private half is out"
    push(gateway)
    wait_until(lambda: at_rest(gateway), "rest", 30)
    gateway.stop()
    first.chmod(0o644)
    refused = gateway.run("keys", "list", check=False)
    assert refused.returncode == 1 and "chmod" in refused.stderr, refused.stderr
    ehr.stop()


def test_probe():
    """`lifeline check --probe` fetches a token too, and says what was wrong with it"""
    ehr = smart_ehr("epic-like")
    gateway = gateway_for(ehr, recipients=["Group/oncology-pool"])
    said = gateway.run("check", "--probe", "--quiet").stdout
    assert "communication  sent" in said, said
    ehr.control("smart", {"refusals": 1})
    done = gateway.run("check", "--probe", "--quiet", check=False)
    equal(done.returncode, 1)
    assert "token endpoint: HTTP 401" in done.stdout, done.stdout
    gateway.kill()
    ehr.stop()


if __name__ == "__main__":
    support.main(globals())
