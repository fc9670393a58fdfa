#!/usr/bin/env python3
"""The played EHRs do what their vendors do: without that, tests against them would prove nothing.

Each sentence names a line of the vendors' constraints.  Run by ctest as `emulators`.
"""
import base64
import email.utils
import http.client
import http.server
import json
import pathlib
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback

FOLDER = pathlib.Path(__file__).resolve().parent
CERTS = tempfile.TemporaryDirectory(prefix="lifeline-ehr-")


class Ehr:
    """One played EHR, as a context manager."""

    def __init__(self, mode, faults="", seed=1):
        self.process = subprocess.Popen(
            [sys.executable, FOLDER / "fake_ehr.py", "--until-eof", "--make-certs", CERTS.name,
             "--mode", mode, "--faults", faults, "--seed", str(seed)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        _, port, self.base = self.process.stdout.readline().split()
        self.port = int(port)
        self.context = ssl.create_default_context(cafile=f"{CERTS.name}/ca.pem")
        self.context.load_cert_chain(f"{CERTS.name}/client.pem", f"{CERTS.name}/client.key")

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(5)

    def raw(self, method, path, body=None, headers=None):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10,
                                                 context=self.context)
        connection.request(method, path, json.dumps(body) if body is not None else None,
                           {"Accept": "application/fhir+json", **(headers or {})})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        try:
            parsed = json.loads(data) if data else None
        except ValueError:
            parsed = data.decode()
        return answer.status, parsed, dict(answer.getheaders())

    def send(self, method, path, body=None, **headers):
        return self.raw(method, f"{self.base}/{path}", body,
                        {name.replace("_", "-"): value for name, value in headers.items()})

    def control(self, what, body=None):
        status, answer, _ = self.raw("GET" if body is None else "POST", f"/control/{what}", body)
        is_(status, 200)
        return answer


def is_(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {got!r}, wanted {wanted!r}")


def issue_of(answer):
    return answer[1]["issue"][0]


def epic_code(answer):
    return issue_of(answer)["details"]["coding"][0]["code"]


def attachment(text="salvage therapy ordered", kind="text/plain; charset=utf-8"):
    return {"contentType": kind, "data": base64.b64encode(text.encode()).decode()}


def communication(**changes):
    return {"resourceType": "Communication", "status": "completed", "priority": "routine",
            "category": [{"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/communication-category",
                "code": "notification"}]}],
            "identifier": [{"system": "urn:x", "value": "c1"}],
            "subject": {"reference": "Patient/p1"}, "topic": {"text": "Salvage therapy"},
            "sender": {"reference": "Practitioner/1"},
            "recipient": [{"reference": "Group/oncology-pool"}],
            "payload": [{"contentAttachment": attachment()}], **changes}


def document(**changes):
    return {"resourceType": "DocumentReference", "status": "current", "docStatus": "final",
            "type": {"coding": [{"system": "http://loinc.org", "code": "11506-3"}]},
            "identifier": [{"system": "urn:x", "value": "d1"}],
            "subject": {"reference": "Patient/p1"}, "date": "2026-01-01T10:00:00Z",
            "author": [{"reference": "Practitioner/1"}],
            "content": [{"attachment": attachment()}],
            "context": {"period": {"end": "2026-01-01T10:00:00Z"}}, **changes}


def without(resource, member):
    return {name: value for name, value in resource.items() if name != member}


# --- Epic ------------------------------------------------------------------------------------------

def test_epic_unadvertised_write():
    """Epic 1: an unadvertised write answers 405 not-supported"""
    with Ehr("epic-like") as ehr:
        for kind in ("Flag", "CarePlan", "Provenance"):
            answer = ehr.send("POST", kind, {"resourceType": kind})
            is_((answer[0], issue_of(answer)["code"]), (405, "not-supported"))
        rest = ehr.send("GET", "metadata")[1]["rest"][0]["resource"]
        offers = {r["type"]: {i["code"] for i in r["interaction"]} for r in rest}
        is_(offers["Flag"], {"read", "search-type"})
        is_("create" in offers["Communication"] and "update" in offers["DocumentReference"], True)
        is_({r[name] for r in rest for name in ("conditionalCreate", "conditionalUpdate")}, {False})


def test_epic_codes():
    """Epic 2: errors are numbers inside OperationOutcome, 59141 for a duplicate among them"""
    with Ehr("epic-like") as ehr:
        is_(ehr.send("POST", "DocumentReference", document())[0], 201)
        is_(epic_code(ehr.send("POST", "DocumentReference", document())), "59141")
        is_(epic_code(ehr.send("POST", "DocumentReference", without(document(), "author"))), "59101")
        other = document(type={"coding": [{"system": "http://loinc.org", "code": "34117-2"}]})
        is_(epic_code(ehr.send("POST", "DocumentReference", other)), "59187")
        ehr.control("faults", {"code": 4135, "code_count": 1})
        is_(epic_code(ehr.send("POST", "DocumentReference", document(date="x"))), "4135")


def test_epic_search():
    """Epic: a search needs a patient, and `identifier` has no effect although it is declared"""
    with Ehr("epic-like") as ehr:
        is_(ehr.send("POST", "DocumentReference", document())[0], 201)
        is_(ehr.send("GET", "DocumentReference?identifier=urn:x|nothing")[0], 400)
        found = ehr.send("GET", "DocumentReference?patient=p1&identifier=urn:x|nothing")[1]
        is_(found["total"], 1)


def test_epic_merge():
    """Epic 2: a merged patient is 4107, and the Patient names the one that survives"""
    with Ehr("epic-like") as ehr:
        ehr.control("merge", {"from": "Patient/p1", "to": "Patient/p2"})
        is_(epic_code(ehr.send("POST", "DocumentReference", document())), "4107")
        link = ehr.send("GET", "Patient/p1")[1]["link"]
        is_(link, [{"other": {"reference": "Patient/p2"}, "type": "replaced-by"}])


# --- Oracle Health ---------------------------------------------------------------------------------

ORACLE_COMMUNICATIONS = (
    ("status", communication(status="in-progress")),
    ("category", communication(category=[{"coding": [{"system": "urn:x", "code": "alert"}]}])),
    ("priority", communication(priority="stat")),
    ("sender", without(communication(), "sender")),
    ("recipient", communication(recipient=[])),
    ("recipient of another type", communication(recipient=[{"reference": "Organization/1"}])),
    ("topic", communication(topic={"text": "x", "coding": [{"code": "y"}]})),
    ("two payloads", communication(payload=[{"contentAttachment": attachment()}] * 2)),
    ("payload as a string", communication(payload=[{"contentString": "x"}])),
    ("without a charset", communication(payload=[{"contentAttachment": attachment(kind="text/plain")}])),
)
ORACLE_DOCUMENTS = (
    ("docStatus", document(docStatus="preliminary")),
    ("LOINC and proprietary type", document(type={"coding": [
        {"system": "http://loinc.org", "code": "11506-3"}, {"system": "urn:x", "code": "1"}]})),
    ("two contents", document(content=[{"attachment": attachment()}] * 2)),
    ("content type", document(content=[{"attachment": attachment(kind="image/png; charset=utf-8")}])),
    ("context.period.end", without(document(), "context")),
    ("a date without time", document(date="2026-01-01")),
)


def test_oracle_contents():
    """Oracle 1, 2, 4: what a Communication and a DocumentReference must be; modifier extensions 422"""
    with Ehr("oracle-like") as ehr:
        is_(ehr.send("POST", "Communication", communication())[0], 201)
        is_(ehr.send("POST", "DocumentReference", document())[0], 201)
        for name, body in ORACLE_COMMUNICATIONS:
            is_((name, ehr.send("POST", "Communication", body)[0]), (name, 422))
        for name, body in ORACLE_DOCUMENTS:
            is_((name, ehr.send("POST", "DocumentReference", body)[0]), (name, 422))
        is_(ehr.send("POST", "Communication", communication(modifierExtension=[{}]))[0], 422)
        is_(ehr.send("POST", "Flag", {"resourceType": "Flag"})[0], 404)


def test_oracle_updates():
    """Oracle 4: an update needs If-Match, a stale one is 409, and unsupported members are forgotten"""
    with Ehr("oracle-like") as ehr:
        ident = ehr.send("POST", "DocumentReference", document())[2]["Location"].split("/")[-3]
        stored = ehr.send("GET", f"DocumentReference/{ident}")[1]
        is_(("identifier" in stored, "content" in stored), (False, True))
        path = f"DocumentReference/{ident}"
        is_(ehr.send("PUT", path, document(id=ident))[0], 412)
        is_(ehr.send("PUT", path, document(id=ident), If_Match='W/"9"')[0], 409)
        is_(ehr.send("PUT", path, document(id=ident), If_Match='W/"1"')[0], 200)


def test_oracle_pages_and_formats():
    """Oracle 5 and formats: a record may come on two pages; other formats are 406 without a body"""
    with Ehr("oracle-like") as ehr:
        for number in range(4):
            body = document(content=[{"attachment": attachment(str(number))}])
            is_(ehr.send("POST", "DocumentReference", body)[0], 201)
        seen, path = [], f"{ehr.base}/DocumentReference?patient=p1"
        while path:
            page = ehr.raw("GET", path)[1]
            seen += [e["resource"]["id"] for e in page["entry"]]
            path = next((link["url"].split(str(ehr.port))[1] for link in page["link"]), None)
        is_((len(set(seen)), len(seen) > 4), (4, True))
        is_(ehr.send("GET", "metadata", Accept="text/html")[:2], (406, None))


# --- MEDITECH, athenahealth, HAPI ------------------------------------------------------------------

def test_meditech():
    """MEDITECH: only Communication is taken, recipients come from an operation, it throttles at will"""
    with Ehr("meditech-like") as ehr:
        choices = ehr.send("GET", "Communication/$get-recipient-choices")[1]["entry"]
        is_({e["resource"]["resourceType"] for e in choices}, {"Practitioner", "Group"})
        is_(ehr.send("POST", "DocumentReference", document())[0], 405)
        stranger = communication(recipient=[{"reference": "Group/nobody"}])
        statuses = {ehr.send("POST", "Communication", communication())[0] for _ in range(40)}
        is_(statuses, {201, 429})
        is_(ehr.send("POST", "Communication", stranger)[0] in (422, 429), True)


class Listener(http.server.BaseHTTPRequestHandler):
    delay_s = 0.0

    def do_POST(self):
        time.sleep(self.delay_s)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass


def test_athena():
    """athenahealth: nothing is taken; its id-only notification must be answered within two seconds"""
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    with Ehr("athena-like") as ehr:
        for kind in ("Flag", "CarePlan", "Communication", "DocumentReference"):
            is_((kind, ehr.send("POST", kind, {"resourceType": kind})[0] in (404, 405)), (kind, True))
        wish = {"url": f"http://127.0.0.1:{listener.server_address[1]}/", "focus": "Condition/1"}
        ehr.control("notify", wish)
        Listener.delay_s = 2.2
        ehr.control("notify", wish)
        is_(ehr.control("notified").split("\n")[:2], ["200 in-time", "200 late-or-refused"])
    listener.shutdown()


def test_hapi():
    """HAPI takes everything, conditionally too"""
    with Ehr("hapi-like") as ehr:
        flag = {"resourceType": "Flag", "identifier": [{"system": "urn:x", "value": "1"}]}
        is_([ehr.send("PUT", "Flag?identifier=urn:x|1", flag)[0] for _ in range(2)], [201, 200])
        is_(ehr.send("POST", "Flag", flag, If_None_Exist="identifier=urn:x|1")[0], 200)
        is_(ehr.send("POST", "Communication", communication())[0], 201)


# --- chaos -----------------------------------------------------------------------------------------

def outcome(ehr):
    try:
        return ehr.send("PUT", "Flag/1", {"resourceType": "Flag", "id": "1"})[0]
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__


def test_chaos_is_seeded():
    """the same seed brings the same storm, another seed another one"""
    def storm(seed):
        with Ehr("hapi-like", "storm=60", seed) as ehr:
            return [outcome(ehr) for _ in range(25)]
    first = storm(7)
    is_(storm(7), first)
    is_(storm(8) != first, True)


def test_chaos_kinds():
    """truncated answers, redirects, expired certificates, 401 storms and a clock that is ahead"""
    with Ehr("hapi-like", "truncate=1") as ehr:
        is_(outcome(ehr) in ("IncompleteRead", "ConnectionResetError"), True)
        is_("stored=1" in ehr.control("count?type=Flag"), True)
        ehr.control("faults", {"redirect": 1})
        status, _, headers = ehr.send("PUT", "Flag/1", {"resourceType": "Flag", "id": "1"})
        is_((status, headers["Location"].startswith("https://localhost:")), (307, True))
        is_(ehr.control("trap").strip(), "hits=0 tokens=0")
        ehr.control("faults", {"unauthorized": 2})
        is_([outcome(ehr) for _ in range(3)], [401, 401, 200])
        ehr.control("faults", {"expired": 1})
        is_([outcome(ehr), outcome(ehr)], ["SSLCertVerificationError", 200])
        ehr.control("faults", {"skew_s": 86400})
        date = email.utils.parsedate_to_datetime(ehr.send("GET", "metadata")[2]["Date"]).timestamp()
        is_(abs(date - time.time() - 86400) < 60, True)


def main():
    failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_"):
            continue
        try:
            test()
            print(f"ok      {test.__doc__}")
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"FAILED  {test.__doc__}")
            traceback.print_exc()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
