#!/usr/bin/env python3
"""TLS and HTTP as the network sees them: who may come in, and how much of our patience they get."""
import socket
import ssl
import subprocess
import time

import support
from support import Lifeline, Pki, curl, equal, outcome_is, send, status_is

pki = Pki()


def raw(gateway, data, seconds=5.0):
    """Sends bytes over TLS and returns what comes back until the gateway closes or time is up."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=seconds) as plain:
        with pki.context().wrap_socket(plain, server_hostname="localhost") as tls:
            tls.sendall(data)
            got = b""
            try:
                while chunk := tls.recv(65536):
                    got += chunk
            except (TimeoutError, ssl.SSLError, ConnectionError):
                pass
            return got


def test_metadata():
    """A6.1: a client with a certificate reads the CapabilityStatement"""
    gateway = Lifeline(pki).start()
    reply = status_is(gateway.curl("/metadata"), 200)
    equal(reply.json["resourceType"], "CapabilityStatement")
    equal(reply.json["fhirVersion"], "4.0.1")
    assert reply.headers["content-type"].startswith("application/fhir+json"), reply.headers
    offered = {r["type"] for r in reply.json["rest"][0]["resource"]}
    for kind in ("MedicationRequest", "Condition", "Medication", "Patient"):
        assert kind in offered, f"{kind} is not offered: {offered}"


def test_no_certificate():
    """without a client certificate there is no connection"""
    gateway = Lifeline(pki).start()
    assert gateway.curl("/metadata", client=None, check=False) is None


def test_foreign_certificate():
    """a certificate of another authority is refused in the handshake"""
    foreign = Pki("general-hospital", folder=support.scratch_folder() / "foreign")
    gateway = Lifeline(pki).start()
    reply = curl(gateway.base + "/metadata", "--insecure", pki=None, client=None,
                 check=False)
    assert reply is None
    done = subprocess.run(["curl", "--silent", "--cacert", pki.file("ca.pem"), "--cert",
                           foreign.file("general-hospital.pem"), "--key",
                           foreign.file("general-hospital.key"), gateway.base + "/metadata"],
                          capture_output=True, check=False)
    assert done.returncode != 0 and not done.stdout, done


def test_unknown_tenant():
    """a good certificate that no tenant names is forbidden, with an OperationOutcome"""
    gateway = Lifeline(pki).start()
    outcome_is(gateway.curl("/Patient/p1", client="other-hospital"), 403, "forbidden")


def test_old_protocols():
    """W2.oracle.6: TLS 1.0 and 1.1 are refused, 1.2 and 1.3 work"""
    gateway = Lifeline(pki).start()
    for option in ("--tlsv1.2 --tls-max 1.2", "--tlsv1.3"):
        status_is(gateway.curl("/metadata", *option.split()), 200)
    for option in ("--tlsv1.0 --tls-max 1.0", "--tlsv1.1 --tls-max 1.1"):
        reply = gateway.curl("/metadata", *option.split(), "--ciphers", "DEFAULT:@SECLEVEL=0",
                             check=False)
        assert reply is None, f"{option} was accepted"


def test_plain_http():
    """plain HTTP on the TLS port gets no answer that could be taken for one"""
    gateway = Lifeline(pki).start()
    reply = curl(f"http://localhost:{gateway.port}/fhir/metadata", check=False)
    assert reply is None, reply


def test_keep_alive_and_pipelining():
    """many requests on one connection, also sent ahead, are answered in order"""
    gateway = Lifeline(pki).start()
    connection = gateway.connect()
    for _ in range(20):
        status_is(send(connection, "GET", "/fhir/metadata"), 200)
    ask = "GET /fhir/Patient/{} HTTP/1.1\r\nHost: localhost\r\n{}\r\n"
    got = raw(gateway, (ask.format("a", "") + ask.format("b", "") +
                        ask.format("c", "Connection: close\r\n")).encode())
    equal(got.count(b"HTTP/1.1 404"), 3, "answers to three pipelined requests")


def test_head():
    """HEAD is GET without the body"""
    gateway = Lifeline(pki).start()
    reply = status_is(send(gateway.connect(), "HEAD", "/fhir/metadata"), 200)
    assert int(reply.headers["content-length"]) > 100 and not reply.body


def test_expect_continue():
    """Expect: 100-continue is answered before the body is sent"""
    gateway = Lifeline(pki).start()
    head = (b"PUT /fhir/Patient/p1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
            b"application/fhir+json\r\nExpect: 100-continue\r\nContent-Length: 40\r\n\r\n")
    got = raw(gateway, head, seconds=2)
    assert got.startswith(b"HTTP/1.1 100"), got
    gateway.curl("/Patient/p1", body=support.patient("p1"), method="PUT",
                 headers={"Expect": "100-continue"})


def test_chunked_body():
    """a chunked body is read like any other"""
    gateway = Lifeline(pki).start()
    reply = gateway.curl("/Patient/p1", method="PUT", body=support.patient("p1"),
                         headers={"Transfer-Encoding": "chunked"})
    status_is(reply, 201)


def test_body_limit():
    """a body beyond the limit is 413, and the connection survives or ends, never hangs"""
    gateway = Lifeline(pki, limits={"body_bytes": 20000}).start()
    big = {**support.patient("p1"), "name": [{"text": "x" * 30000}]}
    outcome_is(gateway.curl("/Patient/p1", method="PUT", body=big), 413, "too-long")
    status_is(gateway.curl("/metadata"), 200)


def test_header_limit():
    """headers beyond the limit are 431"""
    gateway = Lifeline(pki, limits={"header_bytes": 2048}).start()
    reply = gateway.curl("/metadata", headers={"X-Padding": "x" * 4000})
    status_is(reply, 431)


def test_slow_headers():
    """who does not finish the headers in time is cut off"""
    gateway = Lifeline(pki, limits={"header_ms": 500, "idle_ms": 700}).start()
    started = time.monotonic()
    raw(gateway, b"GET /fhir/metadata HTTP/1.1\r\nHost: ", seconds=10)
    took = time.monotonic() - started
    assert took < 8, f"the connection was kept for {took:.1f} s"


def test_smuggling():
    """a request with two lengths is refused and the connection closed"""
    gateway = Lifeline(pki).start()
    for bad in (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                b"Content-Length: 5\r\nContent-Length: 6\r\n"):
        got = raw(gateway, b"POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\n" + bad +
                  b"\r\n0\r\n\r\nGET /fhir/metadata HTTP/1.1\r\nHost: localhost\r\n\r\n", 3)
        assert b" 400 " in got.split(b"\r\n")[0] and got.count(b"HTTP/1.1") == 1, got[:300]


if __name__ == "__main__":
    support.main(globals())
