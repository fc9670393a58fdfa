#!/usr/bin/env python3
"""A small FHIR server over TLS that plays an EHR, and misbehaves when it is told to.

It keeps Flag, CarePlan, Communication, DocumentReference and Provenance in memory.  Only Python's standard library is
used; test certificates are made with the openssl command.

  fake_ehr.py --port 0 --make-certs DIR [--mode hapi|plain|...|epic-like|oracle-like|meditech-like|athena-like|hapi-like]
  fake_ehr.py --port 8443 --cert server.pem --key server.key [--client-ca ca.pem]
              [--faults drop=1,fail=2] [--seed 7] [--token TOKEN]

The first line on standard output is "PORT <number> <base>"; the base URL is https://127.0.0.1:<number><base>.
It ends on SIGTERM, or when its standard input is closed (--until-eof).

Modes: what each offers, refuses and forgets is a row of ehr_vendors.py.

Faults are counters that apply to the next so many writes, or values that stay (*).  They are given
on the command line as name=number[,...], or sent to POST /control/faults as a JSON object:
  drop              carried out, and the connection is closed without an answer
  lose              closed without an answer, and not carried out
  gateway           carried out, and answered with 504
  truncate          carried out, and the answer breaks off in the middle
  fail              500, not carried out
  throttle_seconds  429 with Retry-After: 1
  throttle_date     429 with Retry-After as an HTTP date, two seconds ahead
  conflict          412, or what this vendor answers to another version
  invalid           422 with an OperationOutcome
  redirect          307 to another host, which counts who comes (/control/trap)
  unauthorized      401 (to any request)
  expired           so many connections get a certificate that has expired
  code, code_count  Epic's error number `code`, to the next `code_count` writes
  slow_ms *         every request takes that much longer
  lag_ms *          searches do not show records younger than that
  skew_s *          the EHR's clock is that far ahead
  chaos *           that many percent of all writes get a random one of: drop lose gateway fail
                    conflict throttle_seconds; the order follows from --seed
  storm *           that many percent of all requests, also reads, get any of the above

Control, on the same port:
  GET  /control/state                  JSON: resources, per identity {creates, updates, stored}, log
  GET  /control/count?type=Flag[&identity=X]   text: stored=1 creates=1 updates=0 requests=3
  GET  /control/log[?patient=Patient/p1]       text: one line per write: "PUT Flag 201 Patient/p1"
  GET  /control/smart                  JSON: token requests, the most at once, assertions
  GET  /control/verify                 text: "ok", or what no storm may bring about
  GET  /control/words?type=Flag        text: one line per patient: the last words that were written
  GET  /control/trap                   text: "hits=0 tokens=0" of the host that redirects point to
  GET  /control/notified               text: one line per notification: "200 in-time"
  POST /control/faults {"drop": 1}
  POST /control/edit   {"type": "Flag", "identity": "X", "set": {"status": "inactive"}}
                       as a user would: a new version; "ahead_s" moves its lastUpdated ahead
  POST /control/copy   {"type": "Flag", "identity": "X"}       a second record of the same identity
  POST /control/delete {"type": "Flag", "identity": "X"}
  POST /control/merge  {"from": "Patient/p1", "to": "Patient/p2"}   the first is the second from now on
  POST /control/notify {"url": "https://...", "focus": "MedicationRequest/1"}   an id-only notification,
                       which must be answered within two seconds (athenahealth)
  POST /control/smart  {"seconds": 2, "refusals": 1, "revoke": true}   of its tokens
  POST /control/pause  {"ms": 2000}    the port is closed for so long: connections are refused
  POST /control/reset                  forgets records, counts and faults
"""
import argparse
import copy
import datetime
import http.server
import json
import os
import pathlib
import signal
import socket
import ssl
import sys
import threading
import time
import urllib.parse

import ehr_certs
import ehr_control
import ehr_faults
import ehr_smart
import ehr_vendors
from ehr_vendors import Refusal, TYPES, VENDORS



def instant(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def identity_of(resource):
    for identifier in resource.get("identifier", []):
        return identifier.get("value", "")
    return resource.get("target", [{}])[0].get("reference", "")


def patient_of(resource):
    return resource.get("subject", {}).get("reference", "")


def words_of(resource):
    """What a person reads first."""
    return (resource.get("code", {}).get("text") or resource.get("topic", {}).get("text") or
            resource.get("description", ""))


def content_of(resource):
    """What makes two messages or documents the same to a vendor that refuses duplicates."""
    return json.dumps([patient_of(resource), resource.get("payload"), resource.get("content")])


class State:
    """All records, what happened to them, and what is to go wrong next."""

    def __init__(self, mode, seed):
        self.mode, self.vendor = mode, VENDORS[mode]
        self.faults = ehr_faults.Faults(seed)
        self.lock = threading.RLock()
        self.pause_ms = 0
        self.trap = self.smart = None
        self.reset()

    def reset(self):
        self.resources = {name: {} for name in TYPES}
        self.tally = {}
        self.log = []
        self.faults.reset()
        self.requests = 0
        self.next_id = 100
        self.merged = {}
        self.notified = []

    def new_id(self):
        self.next_id += 1
        return str(self.next_id)

    def store(self, kind, ident, resource, ahead_s=0):
        """A new version of kind/ident; returns (resource, whether it was created).  `_` members stay inside."""
        current = self.resources[kind].get(ident)
        version = int(current["meta"]["versionId"]) + 1 if current else 1
        now = datetime.datetime.fromtimestamp(self.faults.now() + ahead_s, datetime.timezone.utc)
        identity = identity_of(resource) or (current or {}).get("_identity", "")
        kept = copy.deepcopy(ehr_vendors.stored_form(self.vendor, kind, resource))
        kept["id"] = ident
        kept["meta"] = dict(kept.get("meta", {}), versionId=str(version), lastUpdated=instant(now))
        kept["_at"] = current["_at"] if current else time.monotonic()
        kept["_identity"] = identity
        self.resources[kind][ident] = kept
        entry = self.tally.setdefault((kind, identity), {"creates": 0, "updates": 0})
        entry["updates" if current else "creates"] += 1
        return kept, current is None

    def find(self, kind, identity):
        return [r for r in self.resources[kind].values() if r["_identity"] == identity]

    def public(self, resource):
        return {name: value for name, value in resource.items() if not name.startswith("_")}


class Hangup(Exception):
    """Closes the connection without an answer."""


class Handler(ehr_control.Control, http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "FakeEHR/1"
    disable_nagle_algorithm = True

    def log_message(self, *arguments):
        pass

    def date_time_string(self, timestamp=None):
        return super().date_time_string(self.server.state.faults.now() if timestamp is None else timestamp)

    # --- answers ---------------------------------------------------------------------------

    def answer(self, status, body=None, headers=(), kind="application/fhir+json", cut=False):
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        if data:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) + (100 if cut else 0)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data[:len(data) // 2] if cut else data)
        if cut:
            self.hang_up()

    def refuse(self, refusal, headers=()):
        if refusal.empty:
            self.answer(refusal.status, None, headers)
            return
        issue = {"severity": "error" if refusal.status != 401 else "fatal", "code": refusal.code,
                 "diagnostics": refusal.text}
        if refusal.vendor_code is not None and self.server.state.vendor.numeric_codes:
            issue["code"] = "processing"  # the number alone says what is wrong
            issue["details"] = {"coding": [{"system": ehr_vendors.EPIC_SYSTEM,
                                            "code": str(refusal.vendor_code)}], "text": refusal.text}
        self.answer(refusal.status, {"resourceType": "OperationOutcome", "issue": [issue]}, headers)

    def peer(self):
        """The common name of the client's certificate."""
        subject = (self.connection.getpeercert() or {}).get("subject", ())
        return next((value for part in subject for name, value in part if name == "commonName"), "")

    def hang_up(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    # --- dispatch --------------------------------------------------------------------------

    def do_GET(self):
        self.dispatch()

    do_PUT = do_POST = do_DELETE = do_PATCH = do_GET

    def dispatch(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length) if length else b""
        url = urllib.parse.urlsplit(self.path)
        self.query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
        base = self.server.state.vendor.base + "/"
        smart = self.server.state.smart
        origin = f"https://{self.headers.get('Host')}"
        try:
            if smart and url.path == ehr_smart.PATH:
                status, answer = smart.answer(self.body, self.headers.get("Authorization"), origin, self.peer())
                self.answer(status, answer, kind="application/json")
                return
            if smart and url.path == base + ".well-known/smart-configuration":
                self.answer(200, smart.configuration(origin), kind="application/json")
                return
            if url.path.startswith("/control/"):
                self.control(url.path[len("/control/"):])
            elif url.path.startswith(base):
                self.fhir(url.path[len(base):].strip("/"))
            else:
                raise Refusal(404, "not-found", "no such path")
        except Refusal as refusal:
            self.refuse(refusal)
        except Hangup:
            self.hang_up()

    def fhir(self, path):
        state = self.server.state
        is_read = self.command == "GET"
        with state.lock:
            state.requests += 1
            slow_ms = state.faults.value("slow_ms")
            refused = state.faults.take("unauthorized")
            fault = state.faults.take_read() if is_read else None
        if slow_ms:
            time.sleep(slow_ms / 1000)
        if state.vendor.json_only and "json" not in self.headers.get("Accept", ""):
            raise Refusal(406, "not-supported", "JSON only", empty=True)
        token = self.server.token
        if state.smart and not state.smart.is_good(self.headers.get("Authorization")):
            raise Refusal(401, "login", "who are you")
        if refused or (token and self.headers.get("Authorization") != f"Bearer {token}"):
            raise Refusal(401, "login", "who are you")
        if fault and fault != "truncate":
            self.fail_with(fault)
            return
        if path == "metadata":
            self.answer(200, ehr_vendors.statement(state.vendor), cut=fault == "truncate")
            return
        parts = path.split("/")
        if parts[0] not in state.vendor.types or len(parts) > 2:
            raise Refusal(404, "not-supported", "no such type")
        if is_read:
            self.read(parts, fault)
        else:
            self.write(parts)

    # --- reading ---------------------------------------------------------------------------

    def read(self, parts, fault):
        state = self.server.state
        offer = state.vendor.types[parts[0]]
        with state.lock:
            if len(parts) == 2 and parts[1].lstrip("$") in offer.operations:
                self.answer(200, {"resourceType": "Bundle", "type": "collection", "entry": [
                    {"resource": dict(zip(("resourceType", "id"), choice.split("/")))}
                    for choice in ehr_vendors.RECIPIENT_CHOICES]})
                return
            if len(parts) == 2:
                self.answer(*self.read_one(parts, offer), cut=fault == "truncate")
                return
            if "s" not in offer.letters:
                raise Refusal(405, "not-supported", "no search")
            lag_s = state.faults.value("lag_ms") / 1000
            found = [r for r in self.search(parts[0]) if time.monotonic() - r["_at"] >= lag_s]
            self.answer(200, self.page(parts[0], found), cut=fault == "truncate")

    def read_one(self, parts, offer):
        state = self.server.state
        name = "/".join(parts)
        if parts[0] == "Patient":
            link = [{"other": {"reference": state.merged[name]}, "type": "replaced-by"}] \
                if name in state.merged else []
            return 200, {"resourceType": "Patient", "id": parts[1], "active": not link, "link": link}
        resource = state.resources[parts[0]].get(parts[1])
        if "r" not in offer.letters:
            raise Refusal(405, "not-supported", "no read")
        if resource is None:
            raise Refusal(404, "not-found", "no such record")
        headers = self.version_headers(parts[0], resource)
        if self.headers.get("If-None-Match") == headers[0][1]:
            return 304, None, headers
        return 200, state.public(resource), headers

    def page(self, kind, found):
        """Pages of a vendor may repeat the last record of the page before."""
        vendor = self.server.state.vendor
        first = int(self.query.get("_page", ["0"])[0])
        links = []
        if first + vendor.page_size < len(found):
            step = vendor.page_size - (1 if vendor.repeats_on_pages else 0)
            query = {**{n: v[0] for n, v in self.query.items()}, "_page": str(first + step)}
            links.append({"relation": "next", "url": f"https://{self.headers.get('Host')}{vendor.base}/"
                                                     f"{kind}?{urllib.parse.urlencode(query)}"})
        shown = found[first:first + vendor.page_size]
        return {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": links,
                "entry": [{"resource": self.server.state.public(r)} for r in shown]}

    def search(self, kind):
        state = self.server.state
        vendor, offer = state.vendor, state.vendor.types[kind]
        names = set(self.query)
        if vendor.needs_search_patient and not names & {"patient", "subject", "_id"}:
            raise Refusal(400, "required", "a patient is needed", 59100)
        if vendor.search_needs.get(kind, "") not in names | {""}:
            raise Refusal(422, "required", f"{vendor.search_needs[kind]} is needed")
        found = list(state.resources[kind].values())
        for name, values in self.query.items():
            if name not in offer.params or name in offer.ignored_params:
                continue
            value = values[0].rpartition("|")[2]
            if name in ("patient", "subject"):
                self.check_merged("Patient/" + value.rpartition("/")[2])
                found = [r for r in found
                         if patient_of(r).rpartition("/")[2] == value.rpartition("/")[2]]
            elif name == "identifier":
                system = values[0].rpartition("|")[0]
                found = [r for r in found if any(
                    i.get("value") == value and system in ("", i.get("system"))
                    for i in r.get("identifier", []))]
            elif name == "target":
                found = [r for r in found
                         if any(t.get("reference") == value for t in r.get("target", []))]
            elif name == "recipient":
                found = [r for r in found
                         if any(e.get("reference") == value for e in r.get("recipient", []))]
            elif name == "received":
                found = [r for r in found if values[0][:2] == "ge" and
                         r["meta"]["lastUpdated"][:10] >= values[0][2:12]]
            elif name in ("category", "type"):
                concepts = lambda r: r.get(name, []) if isinstance(r.get(name), list) else [r.get(name, {})]
                found = [r for r in found
                         if any(c.get("code") == value for k in concepts(r) for c in k.get("coding", []))]
        return found

    def check_merged(self, patient):
        if patient in self.server.state.merged:
            raise Refusal(404, "not-found", "this patient was merged into another", 4107)

    def version_headers(self, kind, resource):
        version = resource["meta"]["versionId"]
        return [("ETag", f'W/"{version}"'),
                ("Location", f"https://{self.headers.get('Host')}{self.server.state.vendor.base}/{kind}/"
                             f"{resource['id']}/_history/{version}")]

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
        with state.lock:
            fault = state.faults.take_write()
            status, stored = 0, None
            try:
                if fault and fault not in ehr_faults.AFTER:
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
                                  "words": words_of(resource),
                                  "version": stored["meta"]["versionId"] if stored else "",
                                  "request_id": self.headers.get("X-Request-Id", ""),
                                  "user_agent": self.headers.get("User-Agent", "")})
            if fault == "drop":
                raise Hangup
            if fault == "gateway":
                raise Refusal(504, "timeout", "the proxy gave up")
            self.answer(status, None, self.version_headers(kind, stored), cut=fault == "truncate")

    def fail_with(self, fault):
        state = self.server.state
        if fault == "lose":
            raise Hangup
        if fault == "fail":
            raise Refusal(500, "exception", "out of order")
        if fault == "conflict":
            raise Refusal(state.vendor.stale_status, "conflict", "another version")
        if fault == "invalid":
            raise Refusal(422, "business-rule", "refused by a rule")
        if fault == "unauthorized":
            raise Refusal(401, "login", "who are you")
        if fault == "slow":
            time.sleep(0.2)
            raise Refusal(503, "timeout", "too slow")
        if fault == "redirect":
            port = state.trap.server_address[1]
            self.answer(307, None, [("Location", f"https://localhost:{port}{self.path}")])
            return 307
        self.refuse(Refusal(429, "throttled", "not so fast"), [("Retry-After", state.faults.retry_after(fault))])
        return 429

    def carry_out(self, kind, parts, resource):
        state = self.server.state
        vendor, offer = state.vendor, state.vendor.types[kind]
        letter = {"POST": "c", "PUT": "u", "PATCH": "p"}.get(self.command, "d")
        if letter not in offer.letters or letter in "pd":
            raise Refusal(405, "not-supported", "not offered here")
        if vendor.throttle_percent > state.faults.random.randrange(100):
            raise Refusal(429, "throttled", "as we please")
        code = state.faults.take_code()
        if code:
            raise Refusal(400, "processing", "as the test wants", code)
        self.check_merged(patient_of(resource))
        ehr_vendors.check(vendor, kind, resource)
        if self.command == "POST":
            return self.create(kind, resource, offer)
        if len(parts) == 1:
            if not offer.conditional_update:
                raise Refusal(405, "not-supported", "no conditional update")
            found = self.search(kind)
            if len(found) > 1:
                raise Refusal(412, "multiple-matches", "several records match")
            ident = found[0]["id"] if found else state.new_id()
        else:
            ident = parts[1]
            if resource.get("id") != ident:
                raise Refusal(400, "invalid", "the id of the body differs")
            if ident not in state.resources[kind] and not offer.update_create:
                raise Refusal(404, "not-found", "no such record")
        self.check_if_match(kind, ident)
        stored, is_new = state.store(kind, ident, resource)
        return (201 if is_new else 200), stored

    def create(self, kind, resource, offer):
        state = self.server.state
        condition = self.headers.get("If-None-Exist")
        if condition and offer.conditional_create:
            self.query = urllib.parse.parse_qs(condition)
            found = self.search(kind)
            if len(found) > 1:
                raise Refusal(412, "multiple-matches", "several records match")
            if found:
                return 200, found[0]
        if state.vendor.refuses_duplicates and any(
                content_of(r) == content_of(resource) for r in state.resources[kind].values()):
            raise Refusal(400, "processing", "this is here already", 59141)
        stored, _ = state.store(kind, state.new_id(), resource)
        return 201, stored

    def check_if_match(self, kind, ident):
        state = self.server.state
        wanted = self.headers.get("If-Match")
        current = state.resources[kind].get(ident)
        if not wanted and state.vendor.needs_if_match and current:
            raise Refusal(412, "required", "If-Match is required")
        if wanted and (current is None or wanted != f'W/"{current["meta"]["versionId"]}"'):
            raise Refusal(state.vendor.stale_status, "conflict", "another version")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, port, contexts, state, token):
        super().__init__(("127.0.0.1", port), Handler)
        self.context, self.expired_context = contexts
        self.state, self.token = state, token

    def finish_request(self, request, client_address):
        """The handshake belongs to the connection's thread, so that a slow one delays nobody."""
        request.settimeout(60)
        with self.state.lock:
            is_expired = self.state.faults.take_handshake()
        context = self.expired_context if is_expired and self.expired_context else self.context
        try:
            tls = context.wrap_socket(request, server_side=True)
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


class Trap(http.server.ThreadingHTTPServer):
    """Another host: whoever follows a redirect comes here, and may bring a token along."""
    daemon_threads = True

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.hits += 1
            self.server.tokens += "Authorization" in self.headers
            self.send_error(404)

        do_PUT = do_POST = do_GET

        def log_message(self, *arguments):
            pass

    def __init__(self, context):
        super().__init__(("127.0.0.1", 0), Trap.Handler)
        self.hits = self.tokens = 0
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request, client_address):
        pass


def tls_context(options, cert=None, key=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(cert or options.cert, key or options.key)
    if options.client_ca:
        context.load_verify_locations(options.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def contexts(options):
    """For connections, and for those that are to see a certificate that has expired."""
    expired = options.make_certs and options.make_certs / "expired.pem"
    return tls_context(options), expired and tls_context(options, str(expired),
                                                         str(expired.with_suffix(".key")))


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
    parser.add_argument("--mode", choices=sorted(VENDORS), default="hapi")
    parser.add_argument("--faults", default="", help="name=number[,name=number]")
    parser.add_argument("--seed", type=int, default=1, help="of chaos")
    parser.add_argument("--token", help="a bearer token that every request must carry")
    parser.add_argument("--smart", metavar="CLIENT",
                        help="tokens of its own authorization server, for this client")
    parser.add_argument("--smart-secret", help="... which shows this secret instead of a signature")
    parser.add_argument("--smart-certificate", help="... which is known by this common name of its certificate")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input ends")
    options = parser.parse_args()
    if options.make_certs:
        if not (options.make_certs / "client.pem").exists():
            ehr_certs.make(options.make_certs)
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
        state.faults.set(ehr_faults.parse(options.faults))
    except ValueError as error:
        sys.exit(f"fake_ehr: {error}")
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if options.until_eof:
        threading.Thread(target=end_with_parent, daemon=True).start()
    if options.smart:
        state.smart = ehr_smart.Smart(options.smart, options.smart_secret, options.smart_certificate)
    state.trap = Trap(tls_context(options))
    threading.Thread(target=state.trap.serve_forever, daemon=True).start()
    port = options.port
    while True:
        server = Server(port, contexts(options), state, options.token)
        if not state.pause_ms:
            port = server.server_address[1]
            print(f"PORT {port} {state.vendor.base}", flush=True)
        state.pause_ms = 0
        try:
            server.serve_forever(poll_interval=0.05)
        except KeyboardInterrupt:
            return
        server.server_close()
        time.sleep(state.pause_ms / 1000)


if __name__ == "__main__":
    main()
