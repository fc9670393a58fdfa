#!/usr/bin/env python3
"""Many clients want the same thing at the same moment; what comes out must be one of the results that
one client after another could have had.

In every round all clients start together, and one of three things is raced for:

  create       If-None-Exist of one identifier: one 201, all others 200 with the same Location, one resource
  update       PUT with If-Match of the version all have read: one 200, all others 412, one new version
  transaction  two resources changed together, each with ifMatch: all or nothing, so both always carry the
               mark of one winner, and there is one winner

usage: tests/fault/race.py [--rounds 60] [--clients 64] [--seed N]
"""
import argparse
import pathlib
import random
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import support  # noqa: E402
from support import Lifeline, Pki, patient, send  # noqa: E402


# A3.3, A3.7, A4.7: none of 64 clients is answered as if it had been alone when it was not.


class Racers:
    """One connection and one thread a client; a round is one request of each."""

    def __init__(self, gateway, count):
        self.barrier = threading.Barrier(count + 1)
        self.ask = None  # (number) -> (method, path, body, headers)
        self.replies = [None] * count
        self.is_over = False
        self.threads = [threading.Thread(target=self.run, args=(gateway, number), daemon=True)
                        for number in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, gateway, number):
        connection = gateway.connect(timeout=60)
        connection.connect()
        while True:
            self.barrier.wait(120)
            if self.is_over:
                return
            self.replies[number] = send(connection, *self.ask(number))
            self.barrier.wait(120)

    def race(self, ask):
        self.ask = ask
        self.barrier.wait(120)
        self.barrier.wait(120)
        return self.replies

    def stop(self):
        self.is_over = True
        self.barrier.wait(120)


def statuses(replies):
    counts = {}
    for reply in replies:
        counts[reply.status] = counts.get(reply.status, 0) + 1
    return counts


def race_create(racers, admin, number):
    value = f"round-{number}"
    body = {"resourceType": "Patient", "identifier": [{"system": "urn:race", "value": value}]}
    replies = racers.race(lambda who: ("POST", "/fhir/Patient", {**body, "birthDate": str(1900 + who)},
                                       {"If-None-Exist": f"identifier=urn:race%7C{value}"}))
    found = send(admin, "GET", f"/fhir/Patient?identifier=urn:race%7C{value}").json
    places = {reply.headers.get("location") for reply in replies}
    wanted = {201: 1, 200: len(replies) - 1} if len(replies) > 1 else {201: 1}
    if statuses(replies) != wanted or len(places) != 1 or found["total"] != 1:
        return f"create: {statuses(replies)}, {len(places)} locations, {found['total']} stored"
    return None


def race_update(racers, admin, number):
    name = f"u{number}"
    send(admin, "PUT", f"/fhir/Patient/{name}", patient(name))
    replies = racers.race(lambda who: ("PUT", f"/fhir/Patient/{name}",
                                       {**patient(name), "birthDate": str(1900 + who)},
                                       {"If-Match": 'W/"1"'}))
    winners = [who for who, reply in enumerate(replies) if reply.status == 200]
    stored = send(admin, "GET", f"/fhir/Patient/{name}").json
    if statuses(replies) != {200: 1, **({412: len(replies) - 1} if len(replies) > 1 else {})} or \
            stored["meta"]["versionId"] != "2" or stored["birthDate"] != str(1900 + winners[0]):
        return f"update: {statuses(replies)}, version {stored['meta']['versionId']}"
    return None


def race_transaction(racers, admin, number):
    names = [f"t{number}a", f"t{number}b"]
    for name in names:
        send(admin, "PUT", f"/fhir/Patient/{name}", patient(name))

    def ask(who):
        order = names if who % 2 else names[::-1]
        return ("POST", "/fhir", {"resourceType": "Bundle", "type": "transaction", "entry": [
            {"resource": {**patient(name), "birthDate": str(1900 + who)},
             "request": {"method": "PUT", "url": f"Patient/{name}", "ifMatch": 'W/"1"'}}
            for name in order]})
    replies = racers.race(ask)
    stored = [send(admin, "GET", f"/fhir/Patient/{name}").json for name in names]
    marks = {(one["birthDate"], one["meta"]["versionId"]) for one in stored}
    winners = [who for who, reply in enumerate(replies) if reply.status == 200]
    if len(winners) != 1 or marks != {(str(1900 + winners[0]), "2")} or \
            statuses(replies).get(412, 0) != len(replies) - 1:
        return f"transaction: {statuses(replies)}, {marks}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(1 << 31)
    chance = random.Random(seed)
    print(f"race: {options.rounds} rounds of {options.clients} clients, seed {seed}", flush=True)
    pki = Pki("general-hospital")
    with support.cleanup():
        gateway = Lifeline(pki).start()
        racers = Racers(gateway, options.clients)
        admin = gateway.connect(timeout=60)
        violations = []
        for number in range(options.rounds):
            race = chance.choice((race_create, race_update, race_transaction))
            found = race(racers, admin, number)
            if found:
                violations.append(f"round {number}: {found}")
            if (number + 1) % 1000 == 0:
                print(f"{number + 1} rounds, {len(violations)} violations", flush=True)
        racers.stop()
        if gateway.run("audit", "verify", check=False).returncode != 0:
            violations.append("the audit chain is broken")
    for what in violations[:50]:
        print(f"VIOLATION {what}")
    print(f"race: {options.rounds} rounds of {options.clients} clients, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
