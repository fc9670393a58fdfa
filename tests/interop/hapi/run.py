#!/usr/bin/env python3
"""HAPI FHIR's own JPA server as the destination: it validates every request and enforces references.

Its packages come by Maven (pom.xml) and stay in Maven's own cache.  SKIPPED, with the reason, where there
is no Java 17 or no Maven, or a package cannot be had."""
import atexit
import contextlib
import copy
import json
import pathlib
import re
import shutil
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "e2e"))
import support  # noqa: E402
from support import Lifeline, Pki, SAMPLES, equal, status_is, wait_until  # noqa: E402

OVARIAN = SAMPLES / "ovarian-platinum-resistant.json"
TARGET = support.ROOT / "build-hapi"
DOWNLOAD_S = 900  # for some 330 packages, the first time
STARTING_S = 180

pki = Pki()


class Hapi:
    """The server as a process of its own: mutual TLS on a free port of loopback, H2 in memory."""

    def __init__(self):
        keys = str(pki.folder / "ehr.p12")
        subprocess.run(["openssl", "pkcs12", "-export", "-in", pki.file("ehr.pem"), "-inkey",
                        pki.file("ehr.key"), "-out", keys, "-passout", "pass:test-only"], check=True)
        classpath = f"{TARGET / 'classes'}:{(TARGET / 'classpath').read_text().strip()}"
        self.name, self.log = "HAPI", open(pki.folder / "hapi.log", "wb")
        self.process = subprocess.Popen(
            ["java", "-Xmx1500m", "-XX:TieredStopAtLevel=1", "-cp", classpath, "hapi.HapiServer", keys,
             pki.file("ca.pem")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        atexit.register(self.kill)  # not of one test alone
        giving_up = threading.Timer(STARTING_S, self.process.kill)
        giving_up.start()
        for line in self.process.stdout:
            if line.startswith("PORT "):
                self.base = f"https://127.0.0.1:{line.split()[1]}/fhir"
                break
        else:
            raise AssertionError(f"HAPI did not start:\n{self.log_text()[-3000:]}")
        giving_up.cancel()
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def log_text(self):
        return (pki.folder / "hapi.log").read_text(errors="replace")

    def curl(self, path, **more):
        return support.curl(self.base + path, pki=pki, client="server", **more)

    def search(self, kind, pid):
        found = status_is(self.curl(f"/{kind}?patient=Patient/{pid}&_total=accurate"), 200).json
        resources = [entry["resource"] for entry in found.get("entry", [])]
        equal(found["total"], len(resources), f"{kind} of {pid} on one page")
        return resources

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def install():
    """None when the server is compiled and its packages are there, else why not."""
    for program in ("java", "javac", "mvn"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    try:
        done = subprocess.run(
            ["mvn", "--batch-mode", "--quiet", "compile", "dependency:build-classpath",
             f"-Dmdep.outputFile={TARGET / 'classpath'}"],
            cwd=HERE, capture_output=True, text=True, check=False, timeout=DOWNLOAD_S)
    except subprocess.TimeoutExpired:
        return f"Maven did not bring the packages within {DOWNLOAD_S} s"
    if done.returncode == 0:
        return None
    said = [line for line in done.stdout.splitlines() if line.startswith("[ERROR]")]
    if any("Compilation failure" in line for line in said):
        raise AssertionError("the server of this test does not compile:\n" + done.stdout[-3000:])
    return "Maven could not bring the packages: " + (said or ["?"])[0][:300]


def record_of(path):
    """The EHR's own chart: what the sample says, as transaction entries."""
    bundle = json.loads(path.read_text())
    return {**bundle, "entry": [copy.deepcopy(entry) for entry in bundle["entry"]]}


def settled(gateway):
    rows = gateway.outbox()
    dead = [(row["kind"], row["lastError"]) for row in rows if row["state"] == "dead"]
    equal(dead, [], "given up")
    return rows if rows and all(row["state"] == "settled" for row in rows) else None


@contextlib.contextmanager
def posting_to(hapi, path, **site):
    """A gateway that knows a patient whose chart HAPI holds too."""
    gateway = Lifeline(pki, name=path.stem).send_to(hapi.base, **site).start()
    try:
        status_is(hapi.curl("", body=record_of(path)), 200)
        status_is(gateway.curl("", body=path.read_bytes()), 200)
        wait_until(lambda: settled(gateway), "the outbox to be settled", 90)
        yield gateway
    finally:
        gateway.kill()


def one(hapi, kind, pid, status):
    """The only record of its kind, which must be in this state."""
    found = hapi.search(kind, pid)
    equal([r["status"] for r in found], [status], f"{kind} of {pid} in HAPI")
    return found[0]


def test_hapi_validates():
    """HAPI refuses what the R4 definitions do not allow, and what points to nobody"""
    flag = {"resourceType": "Flag", "status": "active", "code": {"text": "x"},
            "subject": {"reference": "Patient/nobody"}}
    told = json.dumps(status_is(hapi.curl("/Flag", body=flag), 400).json)
    assert "nobody" in told, told
    told = json.dumps(status_is(hapi.curl("/Flag", body={**flag, "status": "on"}), 422).json)
    assert "status" in told.lower(), told


def test_probe():
    """`lifeline check --probe` reads in HAPI's own /metadata that it takes Flags and CarePlans"""
    gateway = Lifeline(pki).send_to(hapi.base)
    gateway.config_file.write_text(json.dumps(gateway.settings))
    told = gateway.run("check", "--probe").stdout
    for kind in ("flag", "careplan"):
        assert re.search(rf"^  {kind} +sent, by conditional update$", told, re.MULTILINE), told


def test_life_of_a_flag():
    """Flag, CarePlan and Provenance arrive valid, change in their place, are retracted, and exist once"""
    with posting_to(hapi, OVARIAN, wants_provenance=True) as gateway:
        flag = one(hapi, "Flag", "sample-ovarian", "active")
        plan = one(hapi, "CarePlan", "sample-ovarian", "active")
        equal(flag["meta"]["versionId"], "1", "one write made the Flag")
        for record in (flag, plan):
            about = f"{record['resourceType']}/{record['id']}"
            found = status_is(hapi.curl(f"/Provenance?target={about}&_total=accurate"), 200).json
            assert found["total"] >= 1, f"no Provenance of {about}"
        for entry in record_of(OVARIAN)["entry"]:
            resource = entry["resource"]
            if "-pld-" in resource["id"]:
                resource["status"] = "entered-in-error"
            elif resource["id"].endswith("-recurrence"):
                resource["verificationStatus"]["coding"][0]["code"] = "entered-in-error"
                del resource["clinicalStatus"]
            else:
                continue
            status_is(gateway.curl("/" + entry["request"]["url"], method="PUT", body=resource), 200)
        wait_until(lambda: settled(gateway) and
                   [r["status"] for r in hapi.search("Flag", "sample-ovarian")] == ["entered-in-error"],
                   "the Flag to be entered-in-error", 90)
        retracted = one(hapi, "Flag", "sample-ovarian", "entered-in-error")
        equal(retracted["id"], flag["id"], "the same record")
        gone = one(hapi, "CarePlan", "sample-ovarian", "entered-in-error")
        equal(gone["id"], plan["id"], "the same record")


def test_samples_arrive():
    """the other samples' Flags and CarePlans pass HAPI's validation too; all of them exist once"""
    flagged = 0
    for path in sorted(SAMPLES.glob("*.json")):
        if path == OVARIAN or "nsclc" in path.name:
            continue
        pid = next(entry["resource"]["id"] for entry in json.loads(path.read_text())["entry"]
                   if entry["resource"]["resourceType"] == "Patient")
        with posting_to(hapi, path):
            one(hapi, "Flag", pid, "active")
            one(hapi, "CarePlan", pid, "active")
        flagged += 1
    equal(flagged, 6, "samples that are on salvage therapy")


def test_killed_gateway():
    """a gateway that forgot what it had posted finds its records in HAPI again and makes no second ones"""
    path = SAMPLES / "aml-7plus3-flag-ida.json"
    with posting_to(hapi, path) as gateway:
        before = one(hapi, "Flag", "sample-aml", "active")
        gateway.kill()
        for file in gateway.folder.glob("lifeline.db*"):
            file.unlink()
        gateway.start()
        status_is(gateway.curl("", body=path.read_bytes()), 200)
        wait_until(lambda: settled(gateway), "the outbox to be settled", 90)
        equal(one(hapi, "Flag", "sample-aml", "active")["id"], before["id"], "the same record")
        one(hapi, "CarePlan", "sample-aml", "active")


if __name__ == "__main__":
    reason = install()
    if reason:
        print(f"SKIPPED HAPI: {reason}")
        sys.exit(0)
    hapi = Hapi()
    support.main(globals())
