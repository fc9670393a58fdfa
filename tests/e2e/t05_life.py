#!/usr/bin/env python3
"""Life of the process: restart, drain, overload, reload, health, and wrong configurations."""
import json
import os
import signal
import subprocess
import threading
import time

import support
from support import (BINARY, Lifeline, Pki, equal, order, outcome_is, patient, send, status_is,
                     wait_until)

pki = Pki()


def test_restart():
    """what was acknowledged is there after a restart, with its version"""
    gateway = Lifeline(pki).start()
    status_is(gateway.curl("/Patient/p1", method="PUT", body=patient("p1")), 201)
    status_is(gateway.curl("/Patient/p1", method="PUT", body={**patient("p1"), "birthDate": "1960"}),
              200)
    gateway.stop()
    gateway.start()
    equal(status_is(gateway.curl("/Patient/p1"), 200).json["meta"]["versionId"], "2")
    assert "whole" in gateway.run("audit", "verify").stdout


def test_drain():
    """SIGTERM under load: every request that was taken is answered, and what was answered is there"""
    gateway = Lifeline(pki).start()
    done, failed, ends = [], [], threading.Event()

    def push(worker):
        connection, number = gateway.connect(), 0
        while not ends.is_set():
            number += 1
            oid = f"w{worker}-{number}"
            try:
                reply = send(connection, "PUT", f"/fhir/MedicationRequest/{oid}",
                             order(oid, f"p{worker}"))
            except OSError:
                return  # refused or closed between requests: that is what a drain does
            except Exception:  # noqa: BLE001 -- http.client raises its own kinds for the same
                return
            if reply.status == 201:
                done.append(oid)
            elif reply.status != 503:
                failed.append(reply)
    workers = [threading.Thread(target=push, args=(w,)) for w in range(8)]
    for worker in workers:
        worker.start()
    wait_until(lambda: len(done) > 50, "some load")
    gateway.process.send_signal(signal.SIGTERM)
    equal(gateway.process.wait(support.PATIENCE_S * 3), 0, "exit status")
    gateway.process = None
    ends.set()
    for worker in workers:
        worker.join()
    assert not failed, failed[:3]
    gateway.start()
    connection = gateway.connect()
    for oid in done:
        status_is(send(connection, "GET", f"/fhir/MedicationRequest/{oid}"), 200)
    assert "whole" in gateway.run("audit", "verify").stdout


def test_overload():
    """when the queue is full the answer is 503 with Retry-After, at once"""
    gateway = Lifeline(pki, limits={"queue": 1, "batch": 1}, loops=2).start()
    seen, slowest = {}, [0.0]
    ends = time.monotonic() + 30

    def push(worker):
        connection, number = gateway.connect(), 0
        while time.monotonic() < ends and 503 not in seen:
            number += 1
            oid = f"w{worker}-{number}"
            started = time.monotonic()
            reply = send(connection, "PUT", f"/fhir/MedicationRequest/{oid}",
                         order(oid, f"p{worker}"))
            if reply.status == 503:
                slowest[0] = max(slowest[0], time.monotonic() - started)
                seen[503] = reply
            else:
                seen[reply.status] = reply
    workers = [threading.Thread(target=push, args=(w,)) for w in range(32)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert set(seen) <= {201, 503}, seen
    assert 503 in seen, "the queue never was full"
    assert int(seen[503].headers["retry-after"]) >= 1, seen[503].headers
    outcome_is(seen[503], 503, "throttled")
    assert slowest[0] < 5, f"a refusal took {slowest[0]:.1f} s"
    status_is(gateway.curl("/metadata"), 200)


def test_health():
    """live and ready are answered, healthcheck agrees, metrics count"""
    gateway = Lifeline(pki).start()
    equal(gateway.admin("/health/live")[0], 200)
    equal(gateway.admin("/health/ready")[0], 200)
    equal(gateway.run("healthcheck").stdout.strip(), "ready")
    status_is(gateway.curl("/Patient/p1", method="PUT", body=patient("p1")), 201)

    def counted():
        text = gateway.admin("/metrics")[1]
        return 'lifeline_http_requests_total{interaction="update",code="2xx"} 1' in text
    wait_until(counted, "the request in the metrics")
    gateway.stop()
    equal(gateway.run("healthcheck", check=False).returncode, 1)


def test_reload():
    """SIGHUP takes new certificates for new connections; open ones go on"""
    own = Pki("general-hospital", folder=support.scratch_folder() / "own")
    gateway = Lifeline(own).start()
    connection = gateway.connect()
    status_is(send(connection, "GET", "/fhir/metadata"), 200)
    serial = subprocess.run(["openssl", "x509", "-in", own.file("server.pem"), "-noout", "-serial"],
                            capture_output=True, text=True, check=True).stdout
    os.remove(own.file("server.pem"))
    Pki("general-hospital", folder=own.folder)
    gateway.process.send_signal(signal.SIGHUP)

    def shown():
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}",
                               "-cert", own.file("general-hospital.pem"), "-key",
                               own.file("general-hospital.key")], input="", capture_output=True,
                              text=True, check=False)
        read = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=done.stdout,
                              capture_output=True, text=True, check=False).stdout
        return read and read != serial
    wait_until(shown, "the new certificate to be shown")
    status_is(send(connection, "GET", "/fhir/metadata"), 200)


def test_log_has_no_patient_data():
    """nothing of a patient is ever in the log, whatever is sent"""
    canary = "Quetzalcoatlus-4711"
    gateway = Lifeline(pki, log={"level": "debug"}).start()
    named = {**patient("p1"), "name": [{"text": canary}], "identifier": [{"value": canary}]}
    gateway.curl("/Patient/p1", method="PUT", body=named)
    gateway.curl(f"/Patient/{canary}", method="PUT", body=named)
    gateway.curl(f"/Patient?identifier={canary}")
    gateway.curl("/Patient/p1", method="PUT", body={**named, "gender": canary})
    gateway.curl(f"/{canary}/x")
    gateway.stop()
    text = gateway.log_text()
    assert canary not in text, "the log quotes what was sent"
    for line in text.splitlines():
        json.loads(line)


def test_wrong_configuration():
    """every mistake of a configuration is told at once, with its line, and nothing starts"""
    gateway = Lifeline(pki, loops="two", listen={"prot": 1}, update_creates=1)
    gateway.config_file.write_text(json.dumps(gateway.settings, indent=1))
    for command in ("check", "serve"):
        done = gateway.run(command, check=False)
        equal(done.returncode, 1, command)
        for wanted in ("listen.prot: no such key; did you mean 'listen.port'?", "loops: must be",
                       "update_creates: must be"):
            assert wanted in done.stderr, done.stderr


def test_check():
    """a good configuration is explained"""
    gateway = Lifeline(pki)
    gateway.config_file.write_text(json.dumps(gateway.settings))
    text = gateway.run("check").stdout
    for wanted in ("requires a client certificate", "cn:general-hospital", "rule set sha256:"):
        assert wanted in text, text


def test_help():
    """every command has a help page, and a mistyped one is met with a hint"""
    for words in ([], ["serve"], ["lines"], ["check"], ["audit"], ["audit", "list"],
                  ["audit", "verify"], ["audit", "export"], ["outbox"], ["outbox", "list"],
                  ["unmapped"], ["healthcheck"], ["version"]):
        done = subprocess.run([BINARY, *words, "--help"], capture_output=True, text=True,
                              check=False)
        equal(done.returncode, 0, " ".join(words))
        assert "Usage: lifeline" in done.stdout, done.stdout
    done = subprocess.run([BINARY, "sevre"], capture_output=True, text=True, check=False)
    equal(done.returncode, 2)
    assert "did you mean 'lifeline serve'?" in done.stderr, done.stderr


def test_audit_tampering_shows():
    """a record changed in the database is named by verify, and an export verifies on its own"""
    gateway = Lifeline(pki).start()
    for number in range(5):
        gateway.curl(f"/Patient/p{number}", method="PUT", body=patient(f"p{number}"))
    gateway.stop()
    folder = str(gateway.folder / "export")
    gateway.run("audit", "export", folder)
    key = ["--export", folder, "--key", pki.file("audit-public.pem")]
    done = subprocess.run([BINARY, "audit", "verify", *key], capture_output=True, text=True,
                          check=False)
    equal((done.returncode, "whole" in done.stdout), (0, True), done.stdout + done.stderr)
    file = next(gateway.folder.glob("export/*.ndjson"))
    file.write_text(file.read_text().replace('"success"', '"serious"', 1))
    done = subprocess.run([BINARY, "audit", "verify", *key], capture_output=True, text=True,
                          check=False)
    equal(done.returncode, 1)
    assert "BROKEN" in done.stdout, done.stdout


if __name__ == "__main__":
    support.main(globals())
