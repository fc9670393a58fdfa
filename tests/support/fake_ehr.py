#!/usr/bin/env python3
"""A small FHIR server over TLS that plays an EHR, and misbehaves when it is told to.

It keeps Flag, CarePlan and Provenance in memory.  Only Python's standard library is used; test
certificates are made with the openssl command.

  fake_ehr.py --port 0 --make-certs DIR [--mode hapi|plain|upsert|minimal|read-only]
  fake_ehr.py --port 8443 --cert server.pem --key server.key [--client-ca ca.pem]
              [--faults drop=1,fail=2] [--seed 7] [--token TOKEN]

The first line on standard output is "PORT <number>"; the base URL is https://127.0.0.1:<number>/fhir.
It ends on SIGTERM, or when its standard input is closed (--until-eof).

Modes:
  hapi       conditional update and create, update-creates, search by identifier
  plain      create, update of what exists, search by identifier; nothing conditional
  upsert     as plain, and PUT of an unknown id creates it (as Lifeline itself)
  minimal    create and update only: no search, nothing conditional
  read-only  nothing can be written

Faults are counters that apply to the next so many writes, or values that stay (*).  They are given
on the command line as name=number[,...], or sent to POST /control/faults as a JSON object:
  drop              carried out, and the connection is closed without an answer
  lose              closed without an answer, and not carried out
  gateway           carried out, and answered with 504
  fail              500, not carried out
  throttle_seconds  429 with Retry-After: 1
  throttle_date     429 with Retry-After as an HTTP date, two seconds ahead
  conflict          412
  invalid           422 with an OperationOutcome
  unauthorized      401 (to any request)
  slow_ms *         every request takes that much longer
  lag_ms *          searches do not show records younger than that
  chaos *           that many percent of all writes get a random one of: drop lose gateway fail
                    conflict throttle_seconds; the order follows from --seed

Control, on the same port:
  GET  /control/state                  JSON: resources, per identity {creates, updates, stored}, log
  GET  /control/count?type=Flag[&identity=X]   text: stored=1 creates=1 updates=0 requests=3
  GET  /control/log[?patient=Patient/p1]       text: one line per write: "PUT Flag 201 Patient/p1"
  POST /control/faults {"drop": 1}
  POST /control/edit   {"type": "Flag", "identity": "X", "set": {"status": "inactive"}}
                       as a user would: a new version; "ahead_s" moves its lastUpdated ahead
  POST /control/copy   {"type": "Flag", "identity": "X"}       a second record of the same identity
  POST /control/delete {"type": "Flag", "identity": "X"}
  POST /control/pause  {"ms": 2000}    the port is closed for so long: connections are refused
  POST /control/reset                  forgets records, counts and faults
"""
import argparse
import copy
import datetime
import email.utils
import http.server
import json
import os
import pathlib
import random
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

TYPES = ("Flag", "CarePlan", "Provenance")
COUNTERS = ("drop", "lose", "gateway", "fail", "throttle_seconds", "throttle_date", "conflict",
            "invalid", "unauthorized")
VALUES = ("slow_ms", "lag_ms", "chaos")
CHAOS = ("drop", "lose", "gateway", "fail", "conflict", "throttle_seconds")
MODES = {
    #             update, conditional, update-creates, search
    "hapi":      (True,   True,        True,           True),
    "plain":     (True,   False,       False,          True),
    "upsert":    (True,   False,       True,           True),
    "minimal":   (True,   False,       False,          False),
    "read-only": (False,  False,       False,          True),
}


def make_certs(folder):
    """A CA, a server certificate for localhost and 127.0.0.1, and a client certificate."""
    folder.mkdir(parents=True, exist_ok=True)

    def openssl(*arguments):
        subprocess.run(("openssl",) + arguments, check=True, cwd=folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=Test CA", "-addext", "keyUsage=critical,keyCertSign")
    for name, extensions in (
            ("server", "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"),
            ("client", "extendedKeyUsage=clientAuth\n")):
        (folder / f"{name}.ext").write_text(extensions)
        openssl("req", "-new", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem")


def instant(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def identity_of(resource):
    for identifier in resource.get("identifier", []):
        return identifier.get("value", "")
    return resource.get("target", [{}])[0].get("reference", "")


def patient_of(resource):
    return resource.get("subject", {}).get("reference", "")


class State:
    """All records, what happened to them, and what is to go wrong next."""

    def __init__(self, mode, seed):
        self.mode = mode
        self.random = random.Random(seed)
        self.lock = threading.RLock()
        self.pause_ms = 0
        self.reset()

    def reset(self):
        self.resources = {name: {} for name in TYPES}
        self.tally = {}
        self.log = []
        self.faults = {name: 0 for name in COUNTERS + VALUES}
        self.requests = 0
        self.next_id = 100

    def set_faults(self, faults):
        unknown = set(faults) - set(COUNTERS + VALUES)
        if unknown:
            raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
        self.faults.update({name: int(value) for name, value in faults.items()})

    def take_fault(self, names):
        """The first of these faults that is armed; its counter goes down."""
        for name in names:
            if self.faults[name] > 0:
                self.faults[name] -= 1
                return name
        if self.faults["chaos"] > 0 and names != ("unauthorized",):
            if self.random.randrange(100) < self.faults["chaos"]:
                return self.random.choice(CHAOS)
        return None

    def new_id(self):
        self.next_id += 1
        return str(self.next_id)

    def store(self, kind, ident, resource, ahead_s=0):
        """A new version of kind/ident; returns (resource, whether it was created)."""
        current = self.resources[kind].get(ident)
        version = int(current["meta"]["versionId"]) + 1 if current else 1
        now = datetime.datetime.now(datetime.timezone.utc)
        resource = copy.deepcopy(resource)
        resource["id"] = ident
        resource["meta"] = dict(resource.get("meta", {}))
        resource["meta"]["versionId"] = str(version)
        resource["meta"]["lastUpdated"] = instant(now + datetime.timedelta(seconds=ahead_s))
        resource["_at"] = current["_at"] if current else time.monotonic()
        self.resources[kind][ident] = resource
        entry = self.tally.setdefault((kind, identity_of(resource)), {"creates": 0, "updates": 0})
        entry["updates" if current else "creates"] += 1
        return resource, current is None

    def find(self, kind, identity, system=None):
        found = []
        for resource in self.resources[kind].values():
            for identifier in resource.get("identifier", []):
                if identifier.get("value") == identity and system in (None,
                                                                      identifier.get("system")):
                    found.append(resource)
                    break
        return found

    def public(self, resource):
        return {name: value for name, value in resource.items() if name != "_at"}

    def capability(self):
        update, conditional, update_creates, search = MODES[self.mode]
        resources = []
        for kind in TYPES:
            codes = ["read", "search-type"] if search else ["read"]
            if update:
                codes.append("create")
                if kind != "Provenance" or update_creates:
                    codes.append("update")
            names = [] if not search else ["target"] if kind == "Provenance" else ["identifier"]
            resources.append({"type": kind, "interaction": [{"code": code} for code in codes],
                              "conditionalCreate": conditional, "conditionalUpdate": conditional,
                              "updateCreate": update_creates,
                              "searchParam": [{"name": name, "type": "token"} for name in names]})
        return {"resourceType": "CapabilityStatement", "status": "active", "kind": "instance",
                "fhirVersion": "4.0.1", "format": ["json"],
                "rest": [{"mode": "server", "resource": resources}]}


class Refusal(Exception):
    def __init__(self, status, code, text):
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


class Hangup(Exception):
    """Closes the connection without an answer."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "FakeEHR/1"
    disable_nagle_algorithm = True

    def log_message(self, *arguments):
        pass

    # --- answers ---------------------------------------------------------------------------

    def answer(self, status, body=None, headers=(), kind="application/fhir+json"):
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        if data:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status, code, text, headers=()):
        self.answer(status, {"resourceType": "OperationOutcome", "issue": [
            {"severity": "error", "code": code, "diagnostics": text}]}, headers)

    def hang_up(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    # --- dispatch --------------------------------------------------------------------------

    def do_GET(self):
        self.dispatch()

    def do_PUT(self):
        self.dispatch()

    def do_POST(self):
        self.dispatch()

    def do_DELETE(self):
        self.dispatch()

    def dispatch(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length) if length else b""
        url = urllib.parse.urlsplit(self.path)
        self.query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
        try:
            if url.path.startswith("/control/"):
                self.control(url.path[len("/control/"):])
            elif url.path.startswith("/fhir/"):
                self.fhir(url.path[len("/fhir/"):].strip("/"))
            else:
                raise Refusal(404, "not-found", "no such path")
        except Refusal as refusal:
            self.refuse(refusal.status, refusal.code, refusal.text)
        except Hangup:
            self.hang_up()

    def fhir(self, path):
        state = self.server.state
        with state.lock:
            state.requests += 1
            slow_ms = state.faults["slow_ms"]
            refused = state.take_fault(("unauthorized",))
        if slow_ms:
            time.sleep(slow_ms / 1000)
        token = self.server.token
        if refused or (token and self.headers.get("Authorization") != f"Bearer {token}"):
            raise Refusal(401, "login", "who are you")
        if path == "metadata":
            self.answer(200, state.capability())
            return
        parts = path.split("/")
        if parts[0] not in TYPES or len(parts) > 2:
            raise Refusal(404, "not-supported", "no such type")
        if self.command == "GET":
            self.read(parts)
        else:
            self.write(parts)

    # --- reading ---------------------------------------------------------------------------

    def read(self, parts):
        state = self.server.state
        with state.lock:
            if len(parts) == 2:
                resource = state.resources[parts[0]].get(parts[1])
                if resource is None:
                    raise Refusal(404, "not-found", "no such record")
                resource = state.public(resource)
                self.answer(200, resource, self.version_headers(parts[0], resource))
                return
            if not MODES[state.mode][3]:
                raise Refusal(405, "not-supported", "no search")
            found = self.search(parts[0])
            lag_s = state.faults["lag_ms"] / 1000
            found = [r for r in found if time.monotonic() - r["_at"] >= lag_s]
            self.answer(200, {"resourceType": "Bundle", "type": "searchset", "total": len(found),
                              "entry": [{"resource": state.public(r)} for r in found]})

    def search(self, kind):
        state = self.server.state
        if "target" in self.query and kind == "Provenance":
            target = self.query["target"][0]
            return [r for r in state.resources[kind].values()
                    if any(t.get("reference") == target for t in r.get("target", []))]
        if "identifier" not in self.query:
            return list(state.resources[kind].values())
        system, _, value = self.query["identifier"][0].rpartition("|")
        return state.find(kind, value, system or None)

    def version_headers(self, kind, resource):
        version = resource["meta"]["versionId"]
        return [("ETag", f'W/"{version}"'),
                ("Location", f"https://{self.headers.get('Host')}/fhir/{kind}/{resource['id']}"
                             f"/_history/{version}")]

    # --- writing ---------------------------------------------------------------------------

    def write(self, parts):
        state = self.server.state
        kind = parts[0]
        try:
            resource = json.loads(self.body)
        except ValueError:
            raise Refusal(400, "structure", "not JSON") from None
        if resource.get("resourceType") != kind:
            raise Refusal(400, "invalid", "the body is of another type")
        if "{{" in json.dumps(resource):
            raise Refusal(422, "value", "a token was left in the body")
        with state.lock:
            fault = state.take_fault(("lose", "fail", "throttle_seconds", "throttle_date",
                                      "conflict", "invalid", "drop", "gateway"))
            status = 0
            try:
                if fault in ("lose", "fail", "throttle_seconds", "throttle_date", "conflict",
                             "invalid"):
                    status = self.fail_with(fault)
                    return
                status, stored = self.carry_out(kind, parts, resource)
            except Refusal as refusal:
                status = refusal.status
                raise
            finally:
                state.log.append({"method": self.command, "type": kind, "status": status,
                                  "patient": patient_of(resource), "fault": fault,
                                  "identity": identity_of(resource), "path": self.path,
                                  "request_id": self.headers.get("X-Request-Id", ""),
                                  "user_agent": self.headers.get("User-Agent", "")})
            if fault == "drop":
                raise Hangup
            if fault == "gateway":
                raise Refusal(504, "timeout", "the proxy gave up")
            self.answer(status, None, self.version_headers(kind, stored))

    def fail_with(self, fault):
        if fault == "lose":
            raise Hangup
        if fault == "fail":
            raise Refusal(500, "exception", "out of order")
        if fault == "conflict":
            raise Refusal(412, "conflict", "another version")
        if fault == "invalid":
            raise Refusal(422, "business-rule", "refused by a rule")
        after = "1"
        if fault == "throttle_date":
            after = email.utils.formatdate(time.time() + 2, usegmt=True)
        self.refuse(429, "throttled", "not so fast", [("Retry-After", after)])
        return 429

    def carry_out(self, kind, parts, resource):
        state = self.server.state
        update, conditional, update_creates, _ = MODES[state.mode]
        if not update:
            raise Refusal(405, "not-supported", "read only")
        if self.command == "POST":
            return self.create(kind, resource, conditional)
        if kind == "Provenance" and not update_creates:
            raise Refusal(405, "not-supported", "no update of Provenance")
        if len(parts) == 1:
            if not conditional:
                raise Refusal(405, "not-supported", "no conditional update")
            found = self.search(kind)
            if len(found) > 1:
                raise Refusal(412, "multiple-matches", "several records match")
            ident = found[0]["id"] if found else state.new_id()
        else:
            ident = parts[1]
            if resource.get("id") != ident:
                raise Refusal(400, "invalid", "the id of the body differs")
            if ident not in state.resources[kind] and not update_creates:
                raise Refusal(404, "not-found", "no such record")
        self.check_if_match(kind, ident)
        stored, is_new = state.store(kind, ident, resource)
        return (201 if is_new else 200), stored

    def create(self, kind, resource, conditional):
        state = self.server.state
        condition = self.headers.get("If-None-Exist")
        if condition and conditional:
            self.query = urllib.parse.parse_qs(condition)
            found = self.search(kind)
            if len(found) > 1:
                raise Refusal(412, "multiple-matches", "several records match")
            if found:
                return 200, found[0]
        stored, _ = state.store(kind, state.new_id(), resource)
        return 201, stored

    def check_if_match(self, kind, ident):
        wanted = self.headers.get("If-Match")
        current = self.server.state.resources[kind].get(ident)
        if wanted and (current is None or wanted != f'W/"{current["meta"]["versionId"]}"'):
            raise Refusal(412, "conflict", "another version")

    # --- control ---------------------------------------------------------------------------

    def control(self, what):
        state = self.server.state
        with state.lock:
            if self.command == "GET":
                text = {"state": self.show_state, "count": self.show_count,
                        "log": self.show_log}.get(what)
                if text is None:
                    raise Refusal(404, "not-found", "no such control")
                self.answer(200, text().encode(), kind="text/plain")
                return
            wish = json.loads(self.body or b"{}")
            act = {"faults": state.set_faults, "edit": self.edit, "copy": self.copy,
                   "delete": self.delete, "pause": self.pause,
                   "reset": lambda _: state.reset()}.get(what)
            if act is None:
                raise Refusal(404, "not-found", "no such control")
            try:
                act(wish)
            except (KeyError, IndexError, ValueError) as error:
                raise Refusal(400, "invalid", str(error)) from None
        self.answer(200, b"ok\n", kind="text/plain")
        if what == "pause":
            threading.Thread(target=self.server.shutdown).start()

    def the_one(self, wish):
        return self.server.state.find(wish["type"], wish["identity"])[0]

    def edit(self, wish):
        state = self.server.state
        resource = dict(state.public(self.the_one(wish)), **wish.get("set", {}))
        state.store(wish["type"], resource["id"], resource, wish.get("ahead_s", 0))

    def copy(self, wish):
        state = self.server.state
        state.store(wish["type"], state.new_id(), state.public(self.the_one(wish)))

    def delete(self, wish):
        state = self.server.state
        del state.resources[wish["type"]][self.the_one(wish)["id"]]

    def pause(self, wish):
        self.server.state.pause_ms = int(wish["ms"])
        self.close_connection = True

    def tally(self, kind, identity):
        state = self.server.state
        total = {"stored": 0, "creates": 0, "updates": 0}
        for (of_kind, of_identity), entry in state.tally.items():
            if of_kind == kind and identity in (None, of_identity):
                total["creates"] += entry["creates"]
                total["updates"] += entry["updates"]
        total["stored"] = sum(1 for r in state.resources[kind].values()
                              if identity in (None, identity_of(r)))
        return total

    def show_state(self):
        state = self.server.state
        stored, identities = {}, {}
        for kind in TYPES:
            for resource in state.resources[kind].values():
                key = kind, identity_of(resource)
                stored[key] = stored.get(key, 0) + 1
        for (kind, identity), entry in state.tally.items():
            identities[f"{kind} {identity}"] = {"stored": stored.get((kind, identity), 0),
                                                "creates": entry["creates"],
                                                "updates": entry["updates"]}
        return json.dumps({
            "mode": state.mode, "requests": state.requests, "identities": identities,
            "resources": [state.public(r) for kind in TYPES
                          for r in state.resources[kind].values()],
            "log": state.log}, indent=1) + "\n"

    def show_count(self):
        identity = self.query.get("identity", [None])[0]
        total = self.tally(self.query["type"][0], identity)
        return (f"stored={total['stored']} creates={total['creates']} "
                f"updates={total['updates']} requests={self.server.state.requests}\n")

    def show_log(self):
        patient = self.query.get("patient", [None])[0]
        return "".join(f"{e['method']} {e['type']} {e['status']} {e['patient']}\n"
                       for e in self.server.state.log if patient in (None, e["patient"]))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, port, context, state, token):
        super().__init__(("127.0.0.1", port), Handler)
        self.context, self.state, self.token = context, state, token

    def finish_request(self, request, client_address):
        """The handshake belongs to the connection's thread, so that a slow one delays nobody."""
        request.settimeout(60)
        try:
            tls = self.context.wrap_socket(request, server_side=True)
        except OSError:
            return
        try:
            self.RequestHandlerClass(tls, client_address, self)
        finally:
            try:
                tls.close()
            except OSError:
                pass

    def handle_error(self, request, client_address):
        if os.environ.get("FAKE_EHR_VERBOSE"):
            super().handle_error(request, client_address)


def tls_context(options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(options.cert, options.key)
    if options.client_ca:
        context.load_verify_locations(options.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def parse_faults(text):
    faults = {}
    for part in filter(None, re.split(r"[,\s]+", text or "")):
        name, _, number = part.partition("=")
        faults[name] = int(number or 1)
    return faults


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0],
                                     epilog="See the head of this file for modes and faults.")
    parser.add_argument("--port", type=int, default=0, help="0: any free port, which is printed")
    parser.add_argument("--cert", help="PEM of the server's certificate")
    parser.add_argument("--key", help="PEM of its key")
    parser.add_argument("--client-ca", help="PEM: clients must have a certificate of this CA")
    parser.add_argument("--make-certs", metavar="DIR", type=pathlib.Path,
                        help="make ca.pem, server.* and client.* in DIR and use them; "
                             "client certificates are then required")
    parser.add_argument("--mode", choices=sorted(MODES), default="hapi")
    parser.add_argument("--faults", default="", help="name=number[,name=number]")
    parser.add_argument("--seed", type=int, default=1, help="of chaos")
    parser.add_argument("--token", help="a bearer token that every request must carry")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input ends")
    options = parser.parse_args()
    if options.make_certs:
        if not (options.make_certs / "client.pem").exists():
            make_certs(options.make_certs)
        options.cert = options.cert or str(options.make_certs / "server.pem")
        options.key = options.key or str(options.make_certs / "server.key")
        options.client_ca = options.client_ca or str(options.make_certs / "ca.pem")
    if not options.cert or not options.key:
        parser.error("--cert and --key, or --make-certs")
    return options


def end_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)


def main():
    options = parse_options()
    state = State(options.mode, options.seed)
    try:
        state.set_faults(parse_faults(options.faults))
    except ValueError as error:
        sys.exit(f"fake_ehr: {error}")
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if options.until_eof:
        threading.Thread(target=end_with_parent, daemon=True).start()
    port = options.port
    while True:
        server = Server(port, tls_context(options), state, options.token)
        if not state.pause_ms:
            port = server.server_address[1]
            print(f"PORT {port}", flush=True)
        state.pause_ms = 0
        try:
            server.serve_forever(poll_interval=0.05)
        except KeyboardInterrupt:
            return
        server.server_close()
        time.sleep(state.pause_ms / 1000)


if __name__ == "__main__":
    main()
