#!/usr/bin/env python3
"""NDJSON posted to the base: a result for each line, however long the upload (D2.3, D2.4, A4.11)."""
import http.client
import json
import os
import socket

import support
from support import Lifeline, Pki, condition, equal, order, outcome_is, patient, status_is, wait_until

pki = Pki()
TYPE = {"Content-Type": "application/fhir+ndjson"}
SMALL = {"limits": {"body_bytes": 65536}}


def ndjson(*resources):
    return "".join(r if isinstance(r, str) else json.dumps(r) + "\n" for r in resources)


def results_of(text):
    return [json.loads(line) for line in text.splitlines()]


def post(gateway, body, headers=None, chunked=False, client="general-hospital"):
    """A client that does not read while it sends."""
    connection = http.client.HTTPSConnection("127.0.0.1", gateway.port, context=pki.context(client), timeout=60)
    connection.request("POST", "/fhir", body=body, headers={**TYPE, **(headers or {})}, encode_chunked=chunked)
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply, text


def endless_line(gateway):
    """sends a line without an end until it is refused"""
    raw = socket.create_connection(("127.0.0.1", gateway.port))
    with pki.context().wrap_socket(raw, server_hostname="127.0.0.1") as sender:
        sender.settimeout(30)
        sender.sendall(b"POST /fhir HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+ndjson\r\n"
                       b"Content-Length: 900000000\r\n\r\n")
        try:
            for _ in range(64):
                sender.sendall(b"x" * 65536)
        except OSError:
            pass  # refused meanwhile
        text = b""
        while piece := sender.recv(65536):
            text += piece
            if b'"issue"' in text:
                break
    return int(text.split()[1]), text.decode()


def people(count, pad=0):
    for i in range(count):
        yield (json.dumps({**patient(f"p{i}"), "name": [{"text": "x" * pad}]}) + "\n").encode()


def rss_kb(gateway, what="VmHWM"):
    with open(f"/proc/{gateway.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(what))


def test_a_result_for_each_line():
    """D2.3: each line is stored and answered by its number; empty lines are passed over"""
    gateway = Lifeline(pki).start()
    nameless = {key: value for key, value in order("x", "p1").items() if key != "id"}
    reply, text = post(gateway, ndjson(patient("p1"), "\n", condition("c1", "p1"), "  \r\n", nameless)[:-1])
    equal((reply.status, reply.headers["Content-Type"]), (200, "application/fhir+ndjson"))
    results = results_of(text)
    equal([(r["line"], r["status"]) for r in results], [(1, 201), (3, 201), (5, 201)])
    equal([r["location"] for r in results[:2]], ["Patient/p1/_history/1", "Condition/c1/_history/1"])
    status_is(gateway.curl("/" + results[2]["location"]), 200)
    again = results_of(post(gateway, ndjson(patient("p1")))[1])
    equal([(r["status"], r["location"]) for r in again], [(200, "Patient/p1/_history/1")])


def test_one_bad_line():
    """D2.4: what is wrong with a line is told of it, with its place in the resource, and costs no other"""
    gateway = Lifeline(pki).start()
    bad = order("m1", "p1")
    del bad["status"]
    reply, text = post(gateway, ndjson(patient("p1"), bad, '{"resourceType":\n', {"resourceType": "Practitioner"},
                                       {"resourceType": "Bundle", "type": "batch"}, order("m2", "p1")))
    equal(reply.status, 200)
    results = results_of(text)
    equal([(r["line"], r["status"]) for r in results],
          [(1, 201), (2, 400), (3, 400), (4, 404), (5, 404), (6, 201)])
    issue = results[1]["outcome"]["issue"][0]
    equal((issue["severity"], issue["expression"]), ("error", ["MedicationRequest.status"]))
    equal(results[3]["outcome"]["issue"][0]["code"], "not-found")
    status_is(gateway.curl("/MedicationRequest/m2"), 200)


def test_longer_than_any_body():
    """A4.11: an upload may be longer than limits.body_bytes, chunked or with a length; only a line may not"""
    gateway = Lifeline(pki, **SMALL).start()
    for chunked in (False, True):
        body = people(4000, pad=700)
        if not chunked:
            body = b"".join(body)
        reply, text = post(gateway, body, chunked=chunked,
                           headers={"Transfer-Encoding": "chunked"} if chunked else None)
        equal(reply.status, 200)
        results = results_of(text)
        equal([r["line"] for r in results], list(range(1, 4001)))
        equal({r["status"] for r in results}, {200} if chunked else {201})
    ranges = [r["detail"]["lines"] for r in gateway.audit() if "lines" in r.get("detail", {})]
    assert len(ranges) > 2, ranges
    equal(ranges[0][0], 1)
    for before, after in zip(ranges, ranges[1:]):
        assert after[0] in (before[1] + 1, 1), ranges
    long = b'{"resourceType":"Patient","id":"' + b"x" * 70000 + b'"}\n'
    equal([r["status"] for r in results_of(post(gateway, long + ndjson(patient("p1")).encode())[1])], [413, 200])
    status, text = endless_line(gateway)
    equal(status, 413)
    assert "A line of the body is longer than 65536 bytes" in text, text
    gateway.stop()


def test_memory_does_not_follow_length():
    """A4.11: forty times the upload does not take forty times the memory"""
    if any(mark in support.BINARY.read_bytes() for mark in (b"__asan_init", b"__tsan_init")):
        support.skip("the binary is built with a sanitizer, which keeps freed memory")
    gateway = Lifeline(pki).start()
    post(gateway, people(2000, pad=1800))
    before = rss_kb(gateway)
    lines = 20000
    reply, text = post(gateway, people(lines, pad=1800), headers={"Transfer-Encoding": "chunked"}, chunked=True)
    equal((reply.status, text.count("\n")), (200, lines))
    grown = rss_kb(gateway) - before
    assert grown < 40000, f"{grown} KB more for {lines * 2} KB of lines"


def test_a_sender_that_leaves():
    """what came before the sender left is stored; nothing else of the upload is kept"""
    gateway = Lifeline(pki).start()
    raw = socket.create_connection(("127.0.0.1", gateway.port))
    sender = pki.context().wrap_socket(raw, server_hostname="127.0.0.1")
    sender.sendall(b"POST /fhir HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+ndjson\r\n"
                   b"Content-Length: 900000000\r\n\r\n")
    for line in people(1500, pad=1800):
        sender.sendall(line)
    wait_until(lambda: gateway.curl("/Patient/p3").status == 200, "the first part is stored")
    sender.close()
    status_is(gateway.curl("/Patient/p4"), 200)
    wait_until(lambda: "deleted" not in " ".join(
        os.readlink(f"/proc/{gateway.process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{gateway.process.pid}/fd")),
        "the file of results is closed")
    gateway.stop()


def test_who_may_not():
    """a caller without a tenant is refused at once, whatever it goes on to send"""
    stranger = Pki("general-hospital", "stranger")
    gateway = Lifeline(stranger).start()
    outcome_is(gateway.curl("", body=ndjson(patient("p1")), headers=TYPE, client="stranger"), 403)
    outcome_is(gateway.curl("/Patient", body=ndjson(patient("p1")), headers=TYPE), 415)


if __name__ == "__main__":
    support.main(globals())
