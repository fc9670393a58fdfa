#!/usr/bin/env python3
"""The tables that clinicians own: what `check` tells, a site's overlay, and everybody derived again when they change."""
import json
import random
import subprocess
import sys
import time

import support
from support import BINARY, Lifeline, Pki, condition, ehr_for, equal, order, patient, scratch_folder, status_is
from support import transaction, wait_until

pki = Pki()

ALIASES = "text\tingredients\troute\tsource\n"
REGIMENS = "name\tdisease\tcomponents\tuses\texclusive\tsource\tchange\n"
R_CHOP = (("rituximab", "121191"), ("cyclophosphamide", "3002"), ("doxorubicin", "3639"), ("vincristine", "11202"))


def overlay_with(**tables):
    folder = scratch_folder() / "overlay"
    folder.mkdir(exist_ok=True)
    for name, text in tables.items():
        (folder / f"{name}.tsv").write_text(text)
    return folder


def command(*words):
    return subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, check=False)


def history(pid):
    """R-CHOP, a relapse, and then an order that only this site's tables know."""
    site = order(f"{pid}-x", pid, day="2023-05-08", text="Siteplatin 7")
    site["medicationCodeableConcept"] = {"text": "Siteplatin 7"}
    first = [order(f"{pid}-{name}", pid, code, "2022-01-17", name) for name, code in R_CHOP]
    return transaction(patient(pid), condition(f"{pid}-c", pid),
                       condition(f"{pid}-r", pid, status="relapse", onset="2023-04-20"), *first, site)


def records(gateway):
    text = gateway.run("audit", "list", "--json", "--last", "100000").stdout
    return [json.loads(line) for line in text.splitlines()]


def passes(gateway):
    details = [record.get("detail") or {} for record in records(gateway) if record["kind"] == "config"]
    return [detail for detail in details if "pass" in detail]


def test_check_tells_what_never_decides():
    """check names the row of an overlay that can never decide anything; with --strict it is a fault"""
    overlay = overlay_with(regimens=REGIMENS +
                           "Twin\thodgkin\tbleomycin;dacarbazine;doxorubicin;vinblastine\tsalvage\tno\tours\t\n")
    mild = command("check", "--mappings", support.ROOT / "mappings", "--overlay", overlay)
    equal(mild.returncode, 0)
    assert "overlay/regimens.tsv:2: components: 'Twin' is never found: 'ABVD'" in mild.stderr, mild.stderr
    equal(command("check", "--strict", "--mappings", support.ROOT / "mappings", "--overlay", overlay).returncode, 1)
    equal(command("check", "--strict", "--mappings", support.ROOT / "mappings").returncode, 0, "our own tables")


def test_overlay_faults_name_its_file():
    """a fault of an overlay names the overlay's file and line; serve refuses to start with it"""
    overlay = overlay_with(aliases=ALIASES + "# a remark\nSiteplatin\tcarboplatim\tsystemic\tours\n")
    told = command("check", "--mappings", support.ROOT / "mappings", "--overlay", overlay)
    equal(told.returncode, 1)
    assert "overlay/aliases.tsv:3: ingredients: 'carboplatim' is not an ingredient" in told.stderr, told.stderr
    gateway = Lifeline(pki, mappings_overlay=str(overlay)).start(wait=False)
    equal(gateway.process.wait(30), 1)
    gateway.process = None
    assert "overlay/aliases.tsv:3" in gateway.log_text(), gateway.log_text()


def test_words_of_postings_are_checked():
    """outputs.tsv of an overlay replaces ours as a whole, and check names its faults"""
    overlay = overlay_with(outputs="kind\tkey\ttext\tsource\nprompt\tone\t\tours\n")
    told = command("check", "--mappings", support.ROOT / "mappings", "--overlay", overlay)
    equal(told.returncode, 1)
    assert "outputs.tsv:2: text: the text is missing" in told.stderr, told.stderr


def test_lines_take_the_overlay():
    """lines with an overlay reads the site's drug, and names another rule set"""
    file = scratch_folder() / "p.json"
    file.write_text(json.dumps(history("p1")))
    overlay = overlay_with(aliases=ALIASES + "Siteplatin\tcarboplatin\tsystemic\tours\n")
    plain, told = (json.loads(command("lines", "--format", "json", *more, file).stdout)
                   for more in ((), ("--overlay", overlay)))
    assert plain["ruleSet"] != told["ruleSet"]
    equal([entry["text"] for entry in plain["unmapped"]], ["Siteplatin 7"])
    equal(told["unmapped"], [])
    equal(told["histories"][0]["lines"][-1]["ingredients"], ["carboplatin"])


def test_changed_mappings_reach_everybody():
    """a new overlay is read for patients without news: the Flag goes out, recorded, and only once"""
    ehr = ehr_for(pki).start()
    gateway = Lifeline(pki).send_to(ehr).start()
    status_is(gateway.curl("", body=json.dumps(history("p1")).encode()), 200)
    status_is(gateway.curl("", body=json.dumps(transaction(
        patient("p2"), condition("p2-c", "p2"), order("p2-a", "p2"))).encode()), 200)
    equal(gateway.outbox(), [], "before")
    gateway.stop()
    gateway.settings["mappings_overlay"] = str(
        overlay_with(aliases=ALIASES + "Siteplatin\tcarboplatin\tsystemic\tours\n"))
    gateway.start()
    wait_until(lambda: any(p["pass"] == "end" for p in passes(gateway)), "the pass to end")
    wait_until(lambda: gateway.outbox() and all(row["state"] == "settled" for row in gateway.outbox()),
               "the Flag to be settled")
    found = status_is(ehr.curl("/Flag?patient=p1", client="server"), 200).json
    equal(found["total"], 1, "Flags of p1")
    told = passes(gateway)
    equal([p["pass"] for p in told][-2:], ["begin", "end"])
    equal(told[-1]["derived"], 2)
    derived = [record for record in records(gateway) if record["kind"] == "derive"]
    equal([record["patient"] for record in derived], ["Patient/p1"], "only what changed is recorded by patient")
    count = len(told)
    gateway.stop()
    gateway.start()
    gateway.stop()
    equal(len(passes(gateway)), count, "the next start has nothing to do")
    assert "whole" in gateway.run("audit", "verify").stdout
    ehr.stop()


def test_pass_survives_kills():
    """killed again and again, the pass goes on where it stood: everybody is derived once, and requests go through"""
    patients, dice = 1200, random.Random(7)
    gateway = Lifeline(pki).start()
    for first in range(0, patients, 200):
        entries = [entry for n in range(first, first + 200) for entry in history(f"k{n}")["entry"]]
        status_is(gateway.curl("", body=json.dumps({"resourceType": "Bundle", "type": "transaction",
                                                    "entry": entries}).encode()), 200)
    gateway.stop()
    before = len(passes(gateway))
    gateway.settings["mappings_overlay"] = str(
        overlay_with(aliases=ALIASES + "Siteplatin\tcarboplatin\tsystemic\tours\n"))
    kills = 0
    for attempt in range(20):
        gateway.start(wait=False)
        wait_until(lambda: gateway.admin("/health/ready") is not None or gateway.process.poll() is not None,
                   "the gateway to listen")
        time.sleep(dice.uniform(0, 0.05))
        is_over = any(p["pass"] == "end" for p in passes(gateway)[before:])
        gateway.kill()
        if is_over:
            break
        kills += len(passes(gateway)) > before  # it had begun
    gateway.start()
    status_is(gateway.curl("", body=json.dumps(transaction(patient("new"))).encode()), 200)
    wait_until(lambda: passes(gateway)[-1]["pass"] == "end", "the pass to end", 60)
    gateway.stop()
    told = passes(gateway)[before:]
    equal([p["pass"] for p in told], ["begin", "end"])
    assert kills > 0, "no kill fell into the pass"
    assert told[-1]["derived"] in (patients, patients + 1), told[-1]  # "new" may have come in time
    derived = [record["patient"] for record in records(gateway) if record["kind"] == "derive"]
    equal(sorted(derived), sorted(f"Patient/k{n}" for n in range(patients)), "each changed patient is recorded once")
    assert "whole" in gateway.run("audit", "verify").stdout


if __name__ == "__main__":
    support.main(globals())
