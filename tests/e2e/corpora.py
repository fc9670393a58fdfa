#!/usr/bin/env python3
"""Posts every file of ../shared/corpora: real FHIR that nobody here wrote, some of it broken.

Each resource must be accepted, or refused with an OperationOutcome that names an issue and says a
sentence.  An HTTP 5xx, an empty refusal, a hang or a crash fails.  Prints counts by set and outcome.
SKIPPED when the folder is not there.

usage: tests/e2e/corpora.py [--folder ../shared/corpora] [--set NAME] [--reasons] [--limit LINES]
"""
import argparse
import collections
import gzip
import json
import pathlib
import sys
import urllib.parse

import support
from support import Lifeline, Pki, ROOT, send



def documents(path):
    """The bytes of each document of a file: one, or one per line of NDJSON."""
    data = path.read_bytes()
    name = path.name
    if name.endswith(".gz"):
        data, name = gzip.decompress(data), name[:-3]
    if name.endswith(".ndjson"):
        yield from (line for line in data.split(b"\n") if line.strip())
    else:
        yield data


def target_of(data):
    """Where a client would send this document: (method, path)."""
    try:
        resource = json.loads(data)
        kind = resource.get("resourceType")
    except (ValueError, AttributeError, RecursionError, UnicodeDecodeError):
        return "POST", "/fhir"
    if not isinstance(kind, str) or kind == "Bundle":
        return "POST", "/fhir"
    kind = urllib.parse.quote(kind, safe="")
    if isinstance(resource.get("id"), str) and resource["id"]:
        return "PUT", f"/fhir/{kind}/{urllib.parse.quote(resource['id'], safe='')}"
    return "POST", f"/fhir/{kind}"


def fault_of(reply):
    """What is wrong with an answer; None when it is an acceptance or a precise refusal."""
    if reply.status >= 500:
        return f"HTTP {reply.status}: {reply.body[:200]!r}"
    if reply.status < 300:
        return None
    try:
        outcome = reply.json
        issue = outcome["issue"][0]
        if outcome["resourceType"] == "OperationOutcome" and issue["code"] and issue["diagnostics"]:
            return None
        return f"HTTP {reply.status} with an outcome that says nothing: {reply.body[:200]!r}"
    except (ValueError, KeyError, IndexError):
        return f"HTTP {reply.status} without an OperationOutcome: {reply.body[:200]!r}"


def reason_of(reply):
    issue = reply.json["issue"][0]
    return f"{reply.status} {issue['code']}: {issue['diagnostics'][:100]}"


class Poster:
    """A keep-alive connection that is made again when the gateway closes it."""

    def __init__(self, gateway):
        self.gateway, self.connection = gateway, None

    def send(self, method, path, data):
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = self.gateway.connect(timeout=60)
            try:
                reply = send(self.connection, method, path, data)
                if reply.headers.get("connection", "").lower() == "close":
                    self.connection = None
                return reply
            except TimeoutError:
                raise AssertionError(f"{method} {path}: no answer within 60 s") from None
            except Exception:  # noqa: BLE001 -- http.client's kinds for a closed connection
                self.connection = None
                if attempt == 2 or self.gateway.process.poll() is not None:
                    raise


def post_set(poster, folder, counts, reasons, faults, limit):
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name == "README.md":
            continue
        counts["files"] += 1
        for number, data in enumerate(documents(path), 1):
            if limit and number > limit:
                break
            method, target = target_of(data)
            reply = poster.send(method, target, data)
            fault = fault_of(reply)
            counts["posted"] += 1
            counts[f"{reply.status // 100}xx"] += 1
            if fault:
                faults.append(f"{folder.name}/{path.name}:{number}: {fault}")
            elif reply.status >= 400:
                reasons[reason_of(reply)] += 1
            elif reply.status < 300 and b'"batch-response"' in reply.body[:200]:
                counts["batches"] += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT.parent / "shared" / "corpora")
    parser.add_argument("--set", help="only this one")
    parser.add_argument("--reasons", action="store_true", help="print why documents were refused")
    parser.add_argument("--limit", type=int, default=0, help="at most so many lines of an NDJSON file")
    options = parser.parse_args()
    if not options.folder.is_dir():
        print(f"SKIPPED corpora: {options.folder.name}/ is not there")
        return 0

    gateway = Lifeline(Pki("general-hospital"), limits={"body_bytes": 64 * 1024 * 1024})
    total, reasons, faults = collections.Counter(), collections.Counter(), []
    print(f"{'set':<32}{'files':>7}{'posted':>8}{'accepted':>10}{'refused':>9}{'faults':>8}")
    with support.cleanup():
        gateway.start()
        poster = Poster(gateway)
        for folder in sorted(p for p in options.folder.iterdir() if p.is_dir()):
            if options.set and folder.name != options.set:
                continue
            counts, before = collections.Counter(), len(faults)
            try:
                post_set(poster, folder, counts, reasons, faults, options.limit)
            except Exception as error:  # noqa: BLE001 -- whatever it was, it is a finding
                faults.append(f"{folder.name}: {type(error).__name__}: {error}")
            print(f"{folder.name:<32}{counts['files']:>7}{counts['posted']:>8}{counts['2xx']:>10}"
                  f"{counts['4xx']:>9}{len(faults) - before:>8}", flush=True)
            total.update(counts)
            if gateway.process.poll() is not None:
                faults.append(f"the gateway ended with {gateway.process.returncode}")
                print(gateway.log_text()[-3000:])
                break
        if gateway.process.poll() is None:
            gateway.stop()
            verified = gateway.run("audit", "verify", check=False)
            if verified.returncode != 0:
                faults.append(f"audit: {verified.stdout}")
    if options.reasons:
        for reason, count in reasons.most_common():
            print(f"{count:>7}  {reason}")
    for fault in faults[:50]:
        print(f"FAULT {fault}")
    print(f"corpora: {total['files']} files, {total['posted']} documents: {total['2xx']} accepted, "
          f"{total['4xx']} refused with a reason, {len(faults)} faults")
    if total["posted"] == 0:
        print("FAILED  corpora: nothing was posted")
        return 1
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
