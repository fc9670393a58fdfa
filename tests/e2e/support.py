"""What the end-to-end tests share: certificates, a running gateway, curl, and a small test runner.

Only the standard library, curl and openssl.  A test is a function called test_..., its docstring is the
sentence that is printed; it fails by raising.  A file ends with `support.main(globals())`.
"""
import atexit
import contextlib
import datetime
import email.utils
import hashlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("LIFELINE_BINARY", ROOT / "build" / "lifeline")).resolve()
SAMPLES = ROOT / "gateway" / "samples"
FHIR_JSON = "application/fhir+json"
# Sanitizers and busy machines are slow; a wait that is too short is a false alarm.
PATIENCE_S = float(os.environ.get("LIFELINE_TEST_PATIENCE", "20"))

_started = []


def scratch_folder():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lifeline-e2e-"))
    if not os.environ.get("LIFELINE_TEST_KEEP"):
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what, seconds=None):
    """Polls until condition() is true; its last value is returned."""
    limit = time.monotonic() + (seconds or PATIENCE_S)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > limit:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.05)


class Pki:
    """Development certificates; one set per run of a file."""

    def __init__(self, *clients, folder=None):
        self.folder = folder or scratch_folder() / "pki"
        self.clients = clients or ("general-hospital", "other-hospital")
        subprocess.run([ROOT / "certs/make-dev-certs.sh", "-d", self.folder, *self.clients],
                       check=True, stdout=subprocess.DEVNULL)

    def file(self, name):
        return str(self.folder / name)

    def context(self, client="general-hospital"):
        """An ssl context that trusts the CA and shows a client certificate (None: shows none)."""
        context = ssl.create_default_context(cafile=self.file("ca.pem"))
        if client:
            context.load_cert_chain(self.file(f"{client}.pem"), self.file(f"{client}.key"))
        return context


def record(body):
    """Keeps what was answered, once, where LIFELINE_TEST_RECORD says: the validator reads it there."""
    folder = os.environ.get("LIFELINE_TEST_RECORD")
    if folder and body.startswith(b'{"resourceType"'):
        (pathlib.Path(folder) / f"{hashlib.sha256(body).hexdigest()[:24]}.json").write_bytes(body)


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        record(body)

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"HTTP {self.status} {self.body[:300]!r}"


def curl(url, *options, body=None, headers=None, method=None, pki=None, client="general-hospital",
         check=True):
    """One request with the curl program.  Returns a Reply; with check=False None when curl failed."""
    folder = scratch_folder()
    command = ["curl", "--silent", "--show-error", "--max-time", str(int(PATIENCE_S * 3)),
               "--dump-header", folder / "head", "--output", folder / "body",
               "--write-out", "%{http_code}"]
    if pki:
        command += ["--cacert", pki.file("ca.pem")]
        if client:
            command += ["--cert", pki.file(f"{client}.pem"), "--key", pki.file(f"{client}.key")]
    if method:
        command += ["--request", method]
    headers = dict(headers or {})
    if body is not None:
        data = body if isinstance(body, (bytes, str)) else json.dumps(body)
        (folder / "send").write_bytes(data.encode() if isinstance(data, str) else data)
        command += ["--data-binary", f"@{folder / 'send'}"]
        headers.setdefault("Content-Type", FHIR_JSON)
        headers.setdefault("Expect", "")
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}" if value else f"{name}:"]
    done = subprocess.run([str(word) for word in [*command, *options, url]], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        if check:
            raise AssertionError(f"curl: {done.stderr.strip()}")
        return None
    head = {}
    for line in (folder / "head").read_text().splitlines():
        if line.startswith("HTTP/"):
            head = {}
        elif ":" in line:
            name, value = line.split(":", 1)
            head[name.strip().lower()] = value.strip()
    content = (folder / "body").read_bytes() if (folder / "body").exists() else b""
    shutil.rmtree(folder, ignore_errors=True)
    return Reply(int(done.stdout), head, content)


class Lifeline:
    """A gateway of its own: generated configuration, temporary store, free ports."""

    def __init__(self, pki, folder=None, name="gateway", certificate="server", **changes):
        self.pki, self.name = pki, name
        self.folder = pathlib.Path(folder or scratch_folder())
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, self.admin_port = free_port(), free_port()
        self.base = f"https://127.0.0.1:{self.port}/fhir"  # needs no /etc/hosts
        self.process = None
        self.settings = {
            "listen": {"address": "127.0.0.1", "port": self.port, "base_url": self.base},
            "tls": {"certificate_file": pki.file(f"{certificate}.pem"),
                    "key_file": pki.file(f"{certificate}.key"),
                    "client_ca_file": pki.file("ca.pem"), "client_auth": "require"},
            "store": {"kind": "sqlite", "path": str(self.folder / "lifeline.db"), "cache_mb": 32},
            "mappings_folder": str(ROOT / "mappings"),
            "tenants": [{"name": "general-hospital", "identities": ["cn:general-hospital"],
                         "base_urls": ["https://ehr.example/fhir"], "destinations": []}],
            "destinations": [],
            "posting": {"instance_uri": f"urn:lifeline:test:{name}"},
            "audit": {"signing_key_file": pki.file("audit.key"), "sign_seconds": 1},
            "admin": {"address": "127.0.0.1", "port": self.admin_port},
            "shutdown_grace_ms": 10000,
        }
        for key, value in changes.items():
            if isinstance(value, dict) and isinstance(self.settings.get(key), dict):
                self.settings[key].update(value)
            else:
                self.settings[key] = value

    def send_to(self, other, name="ehr", **more):
        """Posts Flags and CarePlans to another Lifeline that plays the EHR."""
        self.settings["destinations"].append({
            "name": name, "base_url": other if isinstance(other, str) else other.base,
            "ca_file": self.pki.file("ca.pem"), "certificate_file": self.pki.file("server.pem"),
            "key_file": self.pki.file("server.key"), **more})
        self.settings["tenants"][0]["destinations"].append(name)
        return self

    @property
    def config_file(self):
        return self.folder / "lifeline.json"

    def start(self, wait=True, environment=None):
        if not BINARY.exists():
            raise AssertionError(f"{BINARY} is not built")
        self.config_file.write_text(json.dumps(self.settings, indent=1))
        self.log = open(self.folder / "log.jsonl", "ab")
        self.process = subprocess.Popen([BINARY, "serve", "--config", self.config_file],
                                        stdout=self.log, stderr=self.log,
                                        env={**os.environ, **(environment or {})})
        _started.append(self)
        if wait:
            self.wait_ready()
        return self

    def log_text(self):
        return (self.folder / "log.jsonl").read_text(errors="replace")

    def admin(self, path):
        """(status, body) from the admin listener; None while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=5) as r:
                return r.status, r.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return None

    def wait_ready(self):
        def is_ready():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n"
                                     + self.log_text()[-3000:])
            answer = self.admin("/health/ready")
            return answer and answer[0] == 200
        wait_until(is_ready, f"{self.name} to be ready", PATIENCE_S * 2)

    def stop(self, expect=0):
        """SIGTERM, and the exit status must be the expected one."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE_S * 3)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not stop") from None
        self.process = None
        if expect is not None and status != expect:
            raise AssertionError(f"{self.name} ended with {status}:\n{self.log_text()[-3000:]}")

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def curl(self, path, *options, **more):
        url = path if path.startswith("https:") else self.base + path
        return curl(url, *options, pki=more.pop("pki", self.pki), **more)

    def connect(self, client="general-hospital", timeout=None):
        """A keep-alive connection of the standard library, for many requests."""
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout or PATIENCE_S * 3,
                                           context=self.pki.context(client))

    def run(self, *words, check=True):
        """An offline command on this gateway's configuration."""
        done = subprocess.run([BINARY, *words, "--config", self.config_file], capture_output=True,
                              text=True, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(words)} ended with {done.returncode}:\n"
                                 f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done

    def outbox(self, state=None):
        only = ("--state", state) if state else ()
        text = self.run("outbox", "list", "--json", *only).stdout
        return [json.loads(line) for line in text.splitlines()]

    def audit(self):
        text = self.run("audit", "list", "--json").stdout
        return [json.loads(line) for line in text.splitlines()]


class PlayedEhr:
    """tests/support/fake_ehr.py as a process of its own: any of its modes, with its faults."""

    def __init__(self, pki, mode, faults="", seed=1, options=()):
        self.pki, self.name = pki, mode
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "tests/support/fake_ehr.py", "--cert",
             pki.file("ehr.pem"), "--key", pki.file("ehr.key"), "--client-ca", pki.file("ca.pem"),
             "--mode", mode, "--faults", faults, "--seed", str(seed), "--until-eof",
             *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        _, port, path = self.process.stdout.readline().split()
        self.base = f"https://127.0.0.1:{port}{path}"
        self.control_url = f"https://127.0.0.1:{port}/control/"
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        _started.append(self)

    def log_text(self):
        return json.dumps(self.state()["log"][-20:], indent=1) if self.process else ""

    def control(self, what, body=None):
        answer = curl(self.control_url + what, pki=self.pki, client="server", body=body)
        return status_is(answer, 200).body.decode()

    def state(self):
        return json.loads(self.control("state"))

    def stored(self, kind):
        return [r for r in self.state()["resources"] if r["resourceType"] == kind]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(5)
        self.process = None

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def ehr_for(pki, **changes):
    """A second Lifeline in the part of the EHR: it stores what the gateway posts."""
    return Lifeline(pki, name="ehr", certificate="ehr",
                    tenants=[{"name": "gateways", "identities": ["cn:lifeline.example"]}],
                    posting={"instance_uri": "urn:lifeline:test:ehr"}, **changes)


def http_date(instant):
    """The second of a FHIR instant as HTTP writes it."""
    moment = datetime.datetime.fromisoformat(instant.replace("Z", "+00:00"))
    return email.utils.format_datetime(moment.replace(microsecond=0), usegmt=True)


def send(connection, method, path, body=None, headers=None):
    """One request on a keep-alive connection."""
    data = json.dumps(body).encode() if body is not None and not isinstance(body, bytes) else body
    connection.request(method, path, data,
                       {"Content-Type": FHIR_JSON, "Accept": FHIR_JSON, **(headers or {})})
    answer = connection.getresponse()
    return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())


def patient(pid):
    return {"resourceType": "Patient", "id": pid, "gender": "female"}


def condition(cid, pid, code="C83.38", status="active", onset="2022-01-03"):
    return {"resourceType": "Condition", "id": cid,
            "clinicalStatus": {"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                "code": status}]},
            "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code}]},
            "subject": {"reference": f"Patient/{pid}"}, "onsetDateTime": onset}


def order(oid, pid, rxnorm="40048", day="2022-01-17", text="carboplatin"):
    resource = {"resourceType": "MedicationRequest", "status": "completed", "intent": "order",
                "medicationCodeableConcept": {
                    "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                                "code": rxnorm}], "text": text},
                "subject": {"reference": f"Patient/{pid}"}, "authoredOn": day,
                "dosageInstruction": [{"timing": {"repeat": {
                    "boundsPeriod": {"start": day, "end": day}}}}]}
    if oid:
        resource["id"] = oid
    return resource


def transaction(*resources, kind="transaction"):
    return {"resourceType": "Bundle", "type": kind, "entry": [
        {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}}
        for r in resources]}


def equal(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what + ': ' if what else ''}got {got!r}, wanted {wanted!r}")


def status_is(reply, wanted):
    if reply.status != wanted:
        raise AssertionError(f"wanted HTTP {wanted}, got {reply!r}")
    return reply


def outcome_is(reply, status, code=None, expression=None):
    """An OperationOutcome that names the issue, and the element where one is to blame."""
    status_is(reply, status)
    equal(reply.json.get("resourceType"), "OperationOutcome", "resourceType")
    issue = reply.json["issue"][0]
    if issue.get("severity") not in ("error", "fatal"):
        raise AssertionError(f"severity: {issue}")
    if not issue.get("diagnostics"):
        raise AssertionError(f"an outcome needs a sentence: {issue}")
    if code and issue.get("code") != code:
        raise AssertionError(f"issue code: got {issue.get('code')!r}, wanted {code!r}: {issue}")
    if expression and expression not in (issue.get("expression") or [""])[0]:
        raise AssertionError(f"expression: {expression!r} is not in {issue}")
    return issue


class Skip(Exception):
    """A test that cannot run here; the text says why."""


def skip(reason):
    raise Skip(reason)


def need(program):
    if shutil.which(program) is None:
        skip(f"{program} is not installed")


@contextlib.contextmanager
def cleanup():
    try:
        yield
    finally:
        for gateway in _started:
            gateway.kill()
        _started.clear()


def main(names):
    """Runs the test functions of a file; words on the command line choose some of them."""
    title = pathlib.Path(names["__file__"]).stem
    chosen = [word for word in sys.argv[1:] if not word.startswith("-")]
    tests = [(name, test) for name, test in names.items()
             if name.startswith("test_") and callable(test) and
             (not chosen or any(word in name for word in chosen))]
    failed = skipped = 0
    for name, test in tests:
        sentence = (test.__doc__ or name).strip().splitlines()[0]
        started = time.monotonic()
        with cleanup():
            try:
                test()
                print(f"ok      {title}: {sentence} ({time.monotonic() - started:.1f} s)", flush=True)
            except Skip as reason:
                skipped += 1
                print(f"SKIPPED {title}: {sentence}: {reason}", flush=True)
            except Exception:  # noqa: BLE001 -- whatever it was, the test failed
                failed += 1
                print(f"FAILED  {title}: {sentence}\n{traceback.format_exc()}", flush=True)
                for gateway in _started:
                    print(f"--- end of the log of {gateway.name}:\n{gateway.log_text()[-2000:]}")
    if not tests:
        print(f"FAILED  {title}: no test to run")
        sys.exit(1)
    print(f"{title}: {len(tests) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)
