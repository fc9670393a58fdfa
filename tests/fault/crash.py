#!/usr/bin/env python3
"""kill -9 under load at random instants, again and again on one database.

In every round some clients push transactions (a patient in relapse of AML, whose Flag must reach the EHR),
single creates and updates over mutual TLS; the gateway is killed at a random instant and started again.  Then:

  - every resource whose 2xx a client read is there, with the version it was told, exactly once
  - the audit chain is whole, and holds a record for each of them
and in the end, when the outbox is settled:
  - each acknowledged patient has exactly one Flag at the EHR, and no Flag was ever created twice

The EHR is tests/support/fake_ehr.py, by default without anything conditional (--ehr-mode).

usage: tests/fault/crash.py [--rounds 25] [--clients 8] [--seed N] [--ehr-mode plain] [--quiet]
"""
import argparse
import json
import pathlib
import random
import ssl
import subprocess
import sys
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import support  # noqa: E402
from support import Lifeline, Pki, condition, order, patient, send  # noqa: E402

SETTLE_SECONDS = 600         # the least that the EHR gets to take what is left when the killing ends
SETTLE_SECONDS_PATIENT = 0.1 # and so much more for each patient: the EHR is Python, the backlog ours


class Ehr:
    """The fake EHR as a process of its own: it outlives the gateway."""

    def __init__(self, pki, mode):
        self.pki = pki
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "tests/support/fake_ehr.py", "--port", "0", "--cert",
             pki.file("ehr.pem"), "--key", pki.file("ehr.key"), "--client-ca", pki.file("ca.pem"),
             "--mode", mode, "--until-eof"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])
        self.base = f"https://127.0.0.1:{self.port}/fhir"
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def state(self):
        context = self.pki.context("server")
        with urllib.request.urlopen(f"https://127.0.0.1:{self.port}/control/state",
                                    context=context, timeout=300) as reply:
            return json.load(reply)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def relapsed_patient(pid):
    """AML: first course, relapse, second course.  Small, and surely salvage."""
    resources = [patient(pid), condition(f"{pid}-c0", pid, "C92.00", "active", "2023-01-05"),
                 condition(f"{pid}-c1", pid, "C92.02", "relapse", "2024-01-22")]
    for number, (code, day) in enumerate((("3041", "2023-01-09"), ("3109", "2023-01-09"),
                                          ("24698", "2024-02-05"), ("3041", "2024-02-05"),
                                          ("5650", "2024-02-05"))):
        resources.append(order(f"{pid}-m{number}", pid, code, day, text="drug"))
    return support.transaction(*resources)


class Client(threading.Thread):
    """Pushes until the gateway is gone; keeps what was acknowledged."""

    def __init__(self, gateway, name):
        super().__init__(daemon=True)
        self.gateway, self.name = gateway, name
        self.acknowledged = {}  # "Type/id" -> version
        self.patients = []      # with a whole acknowledged transaction
        self.odd = []

    def push(self, connection, number):
        pid = f"{self.name}-p{number}"
        bundle = relapsed_patient(pid)
        reply = send(connection, "POST", "/fhir", bundle)
        if reply.status != 200:
            self.note(reply)
            return
        for entry in reply.json["entry"]:
            self.keep(entry["response"]["location"])
        self.patients.append(pid)
        reply = send(connection, "POST", "/fhir/MedicationRequest", order(None, pid, "3041",
                                                                          "2023-02-20"))
        if reply.status == 201:
            self.keep(reply.headers["location"])
        else:
            self.note(reply)
        changed = {**patient(pid), "birthDate": "1960"}
        reply = send(connection, "PUT", f"/fhir/Patient/{pid}", changed)
        if reply.status == 200:
            self.acknowledged[f"Patient/{pid}"] = 2
        else:
            self.note(reply)

    def keep(self, location):
        parts = location.split("/")
        self.acknowledged[f"{parts[-4]}/{parts[-3]}"] = int(parts[-1])

    def note(self, reply):
        if reply.status != 503:
            self.odd.append(repr(reply))

    def run(self):
        number = 0
        try:
            connection = self.gateway.connect(timeout=30)
            while True:
                number += 1
                self.push(connection, number)
        except (OSError, ssl.SSLError):
            return  # the gateway is gone: that is the test
        except Exception as error:  # noqa: BLE001 -- http.client's kinds for a cut connection
            if type(error).__module__ != "http.client":
                self.odd.append(f"{type(error).__name__}: {error}")


def audited(gateway, after):
    """("Type/id" -> number of records of an accepted change, last seq) of the records behind `after`."""
    found, last = {}, after
    text = gateway.run("audit", "list", "--json", "--after", str(after)).stdout
    for line in text.splitlines():
        record = json.loads(line)
        last = record["seq"]
        if record.get("kind") != "request" or record.get("outcome") != "success":
            continue
        for entry in record.get("entries", []):
            if entry["action"] in ("create", "update"):
                found[entry["resource"]] = found.get(entry["resource"], 0) + 1
    return found, last


def check_resources(gateway, acknowledged, violations):
    connection = gateway.connect()
    for name, version in acknowledged.items():
        reply = send(connection, "GET", f"/fhir/{name}")
        if reply.status != 200:
            violations.append(f"{name} was acknowledged and is HTTP {reply.status}")
            continue
        stored = int(reply.json["meta"]["versionId"])
        # An update may have been stored whose answer was lost: one more than told is no violation.
        if not version <= stored <= version + (1 if name.startswith("Patient/") else 0):
            violations.append(f"{name} was acknowledged as version {version} and is {stored}")


def one_round(gateway, clients, chance, last_seq, everyone):
    """Returns (acknowledged resources, violations, last audit seq)."""
    violations = []
    for client in clients:
        client.start()
    time.sleep(chance.uniform(0.05, 1.5))
    gateway.kill()
    for client in clients:
        client.join(30)
        violations += [f"odd answer: {odd}" for odd in client.odd]
    gateway.start()

    acknowledged = {}
    for client in clients:
        acknowledged.update(client.acknowledged)
        everyone.update(client.patients)
    check_resources(gateway, acknowledged, violations)
    records, last_seq = audited(gateway, last_seq)
    violations += [f"{name} has no audit record" for name in acknowledged if name not in records]
    verified = gateway.run("audit", "verify", check=False)
    if verified.returncode != 0:
        violations.append(f"audit: {verified.stdout.strip()} {verified.stderr.strip()}")
    return len(acknowledged), violations, last_seq


def check_flags(gateway, ehr, everyone):
    """Waits for the outbox, then looks at every identity that the EHR ever saw."""
    def settled():
        time.sleep(0.5)  # a long list of what waits is work for both of us
        return not any(gateway.outbox(state) for state in ("pending", "unknown"))
    support.wait_until(settled, "the outbox to be settled",
                       SETTLE_SECONDS + SETTLE_SECONDS_PATIENT * len(everyone))
    violations = [f"given up: {row['patient']} {row['kind']}"
                  for row in gateway.outbox("dead")]
    state = ehr.state()
    flags = {}
    for resource in state["resources"]:
        if resource["resourceType"] == "Flag":
            who = resource["subject"]["reference"].split("/")[-1]
            flags[who] = flags.get(who, 0) + 1
    violations += [f"{who} has {count} Flags at the EHR" for who, count in flags.items()
                   if count != 1]
    violations += [f"{who} was acknowledged and has no Flag" for who in everyone
                   if who not in flags]
    violations += [f"{identity} was created {counts['creates']} times"
                   for identity, counts in state["identities"].items() if counts["creates"] > 1]
    return len(flags), violations


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=None, help="repeats the instants of a run")
    parser.add_argument("--ehr-mode", default="plain")
    parser.add_argument("--quiet", action="store_true", help="only the end of it")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(1 << 31)
    chance = random.Random(seed)
    print(f"crash: {options.rounds} rounds, seed {seed}", flush=True)

    pki = Pki("general-hospital")
    ehr = Ehr(pki, options.ehr_mode)
    gateway = Lifeline(pki).send_to(ehr.base)
    total, violations, last_seq, everyone = 0, [], 0, set()
    try:
        gateway.start()
        for number in range(1, options.rounds + 1):
            clients = [Client(gateway, f"r{number}c{c}") for c in range(options.clients)]
            count, found, last_seq = one_round(gateway, clients, chance, last_seq, everyone)
            total += count
            violations += [f"round {number}: {what}" for what in found]
            if not options.quiet or found:
                print(f"round {number}: {count} acknowledged, {len(found)} violations", flush=True)
        if total == 0:
            violations.append("nothing was ever acknowledged: this was no test")
        flags, found = check_flags(gateway, ehr, everyone)
        violations += found
        gateway.stop()
    finally:
        gateway.kill()
        ehr.stop()
    for what in violations[:50]:
        print(f"VIOLATION {what}")
    print(f"crash: {options.rounds} rounds, {total} acknowledged resources, {len(everyone)} patients, "
          f"{flags} Flags at the EHR, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
