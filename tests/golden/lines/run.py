#!/usr/bin/env python3
"""`lifeline lines` as a tool: what it reads, what it refuses, that threads and grouping change nothing, and that
memory does not grow with the number of patients.

    run.py LIFELINE SAMPLES_FOLDER     prints "ok" lines; exit status 1 when anything is wrong
"""
import gzip
import json
import os
import pathlib
import pty
import subprocess
import sys
import tempfile
import time

LIFELINE, SAMPLES = sys.argv[1], pathlib.Path(sys.argv[2])
DRUGS = (("rituximab", "121191"), ("doxorubicin", "3639"), ("cyclophosphamide", "3002"), ("study drug Q", None))


def run(*words, text=None, threads=2):
    return subprocess.run([LIFELINE, "lines", "--as-of", "2026-03-01", "--threads", str(threads),
                           *map(str, words)], input=text, capture_output=True, timeout=300, check=False)


def good(*words, text=None, threads=2):
    done = run(*words, text=text, threads=threads)
    assert done.returncode == 0, f"{words}: status {done.returncode}: {done.stderr.decode()[:300]}"
    return done.stdout


def resources(number, orders=4):
    """The resources of one invented patient."""
    who = {"reference": f"Patient/p{number}"}
    yield {"resourceType": "Patient", "id": f"p{number}"}
    yield {"resourceType": "Condition", "id": f"c{number}", "subject": who, "recordedDate": "2022-01-01",
           "clinicalStatus": {"coding": [{"code": "active", "system":
                              "http://terminology.hl7.org/CodeSystem/condition-clinical"}]},
           "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "C83.30"}]}}
    for order in range(orders):
        name, code = DRUGS[order % 4]
        concept = {"text": name}
        if code:
            concept["coding"] = [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code}]
        yield {"resourceType": "MedicationRequest", "id": f"m{number}-{order}", "status": "completed",
               "intent": "order", "subject": who, "authoredOn": f"2022-{1 + number % 12:02}-{1 + order % 28:02}",
               "medicationCodeableConcept": concept, "note": [{"text": "x" * 300}]}


def write_lines(path, patients, **more):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8") as out:
        for number in range(patients):
            for resource in resources(number, **more):
                out.write(json.dumps(resource) + "\n")
    return path


# A child is counted from the size of who started it: somebody small has to.
MEASURE = """import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))"""


def peak_kib(*words):
    done = subprocess.run([sys.executable, "-S", "-c", MEASURE, LIFELINE, "lines", "--as-of", "2026-03-01",
                           *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300,
                          check=True)
    return int(done.stderr)


# --- tests ------------------------------------------------------------------------------------------

def any_number_of_threads_gives_the_same_bytes(place):
    cohort = write_lines(place / "cohort.ndjson", 3000)
    for output in ("text", "json", "csv", "svg", "html"):
        words = ("--format", output, cohort)
        first = good(*words, threads=1)
        assert len(first) > 100000, f"{output}: {len(first)} bytes"
        for threads in (2, 7):
            assert good(*words, threads=threads) == first, f"{output}, {threads} threads"
            assert good("--grouped", *words, threads=threads) == first, f"{output}, grouped, {threads} threads"


def a_bulk_export_says_the_same_as_grouped_lines(place):
    cohort = write_lines(place / "cohort.ndjson", 500)
    folder = place / "export"
    folder.mkdir()
    for kind in ("Patient", "Condition", "MedicationRequest"):
        with open(folder / f"{kind}.ndjson", "w", encoding="utf-8") as out:
            out.writelines(json.dumps(r) + "\n" for n in range(500) for r in resources(n)
                           if r["resourceType"] == kind)
    (folder / "notes.txt").write_text("not FHIR")
    (folder / ".hidden.json").write_text("{")
    grouped = good("--grouped", "--format", "json", cohort).splitlines()
    assert sorted(good("--format", "json", folder).splitlines()) == sorted(grouped)
    refused = run("--grouped", "--format", "json", folder)
    assert refused.returncode == 1 and b"MedicationRequest.ndjson:1: " in refused.stderr, refused.stderr[:300]
    assert b"not grouped by patient" in refused.stderr


def gzip_folders_and_standard_input_read_like_files(place):
    plain, packed = write_lines(place / "a.ndjson", 300), write_lines(place / "b.ndjson.gz", 300)
    wanted = good("--format", "csv", plain)
    assert wanted.count(b"\n") > 300
    assert good("--format", "csv", packed) == wanted
    assert good("--format", "csv", "-", text=plain.read_bytes()) == wanted
    assert good("--format", "csv", "-", text=packed.read_bytes()) == wanted
    samples = sorted(SAMPLES.glob("*.json"))
    assert good("--format", "json", SAMPLES) == good("--format", "json", *samples)
    one_per_line = b"".join(json.dumps(json.loads(path.read_text())).encode() + b"\n" for path in samples)
    assert good("--format", "json", "-", text=one_per_line) == good("--format", "json", *samples)
    assert good("--grouped", "--format", "json", "-", text=one_per_line) == good("--format", "json", *samples)


def what_is_refused_is_named_with_its_line(place):
    lines = [json.dumps(r) for n in range(3) for r in resources(n)]
    lines[7] = '{"resourceType":"Condition","id":'
    lines[9] = '{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order"}'
    broken = place / "broken.ndjson"
    broken.write_text("\n".join(lines) + "\n")
    done = run("--format", "csv", broken)
    assert done.returncode == 1, done.returncode
    told = done.stderr.decode().splitlines()
    assert [line.split(": ")[0] for line in told] == [f"{broken}:8", f"{broken}:10"], told
    assert b"Patient/p2" in done.stdout, "the rest is used"
    pretty = place / "pretty.json"
    entries = [{"resource": dict(r, subject=None)} for r in list(resources(1))[2:3]]
    pretty.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}, indent=1))
    done = run(pretty)
    assert done.returncode == 1 and f"{pretty}:".encode() in done.stderr, done.stderr
    short = place / "short.ndjson.gz"
    short.write_bytes(gzip.compress("\n".join(lines[:7]).encode() + os.urandom(5000))[:-2000])
    done = run(short)
    assert done.returncode == 1 and str(short).encode() in done.stderr, done.stderr
    done = run(place / "missing.json", SAMPLES)
    assert done.returncode == 1 and b"missing.json: cannot be opened" in done.stderr
    assert b"sample-dlbcl" in done.stdout


def output_goes_to_a_file_that_is_whole(place):
    file = place / "board.html"
    assert good(SAMPLES, "--output", file) == b""
    assert file.read_bytes() == good(SAMPLES, "--format", "html")
    assert not (place / "board.html.part").exists()
    done = run(SAMPLES, "--output", place / "no-such-folder/board.html")
    assert done.returncode == 1 and b"cannot be written" in done.stderr, done.stderr
    done = subprocess.run(f"'{LIFELINE}' lines --format json '{SAMPLES}' >/dev/full", shell=True,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 1 and b"standard output: cannot be written" in done.stderr, done.stderr


def what_is_unknown_is_counted_over_the_whole_run(place):
    cohort = write_lines(place / "cohort.ndjson", 50, orders=8)
    row = {"count": 100, "kind": "drug", "system": "", "code": "", "text": "study drug Q", "read_as": ""}
    assert [json.loads(line) for line in good("--unmapped", "--format", "json", cohort).splitlines()] == [row]
    assert good("--unmapped", "--format", "csv", cohort).splitlines()[1] == b'100,"drug","","","study drug Q",""'
    table = good("--unmapped", cohort)
    assert b"100\tdrug\t\t\tstudy drug Q\t\n" in table
    codes = subprocess.run([LIFELINE, "codes", "--unmapped", cohort], capture_output=True, timeout=60, check=True)
    assert codes.stdout == table
    assert run("--unmapped", "--format", "html", cohort).returncode == 2


def questions_of_two_answers_are_the_same_on_any_thread(place):
    cohort = write_lines(place / "cohort.ndjson", 300)
    for words in (("--compare", "merck21"), ("--since", "2022-03-01"), ("--compare", "raj15", "--format", "json")):
        one = good(*words, cohort, threads=1)
        assert one.count(b"Patient/p") >= 300, f"{words}: {len(one)} bytes"
        assert good(*words, "--grouped", cohort, threads=4) == one, words


def a_wrong_command_line_is_status_two(_place):
    for words in (["--format", "xml", SAMPLES], ["--as-of", "2026-02-30", SAMPLES], [], ["--threads", "x", SAMPLES],
                  ["--rules", "nobody", SAMPLES], ["--since", "2024-01-01", "--compare", "merck21", SAMPLES],
                  ["--compare", "merck21", "--format", "html", SAMPLES]):
        done = run(*words)
        assert done.returncode == 2 and done.stderr and not done.stdout, (words, done)


def is_sanitized():
    """AddressSanitizer keeps what was freed, so its memory says nothing of ours."""
    return "libasan" in subprocess.run(["ldd", LIFELINE], capture_output=True, text=True, check=False).stdout


def memory_does_not_grow_with_the_number_of_patients(place):
    if is_sanitized():
        print("SKIPPED memory does not grow: the binary is built with AddressSanitizer", flush=True)
        return
    few, many = write_lines(place / "few.ndjson", 1000), write_lines(place / "many.ndjson", 20000)
    for output, threads, most in (("json", 1, 1.06), ("json", 2, 1.4), ("html", 1, 1.06)):
        words = ("--grouped", "--format", output, "--threads", threads)
        small = min(peak_kib(*words, few) for _ in range(3))
        large = peak_kib(*words, many)
        print(f"   {output}, {threads} threads: {small} KiB for 1,000 patients, {large} KiB for 20,000 (grouped)")
        assert large < small * most, f"{output}, {threads} threads: {small} -> {large} KiB"


def a_terminal_shows_how_far_it_is(_place):
    lines = ["\n".join(json.dumps(r) for r in resources(n, orders=40)) + "\n" for n in range(200)]
    terminal, other = pty.openpty()
    child = subprocess.Popen([LIFELINE, "lines", "--grouped", "-"], stdin=subprocess.PIPE, stderr=other,
                             stdout=subprocess.DEVNULL, env=dict(os.environ, TERM="xterm"))
    os.close(other)
    child.stdin.write("".join(lines[:150]).encode())
    child.stdin.flush()
    time.sleep(1.3)
    child.stdin.write("".join(lines[150:]).encode())
    child.stdin.close()
    shown = b""
    try:
        while block := os.read(terminal, 65536):
            shown += block
    except OSError:
        pass # the terminal's way to say that nobody writes any more
    assert child.wait(timeout=60) == 0
    assert b"MB/s" in shown and b"reading" in shown, shown[-200:]
    assert shown.endswith(b"\r\x1b[K"), "the line is gone at the end"
    assert run(SAMPLES).stderr == b"", "nothing but a terminal gets a bar"


def main():
    tests = [test for name, test in list(globals().items())
             if callable(test) and getattr(test, "__code__", None) and test.__code__.co_varnames[:1] in
             (("place",), ("_place",))]
    wrong = 0
    for test in tests:
        with tempfile.TemporaryDirectory() as place:
            title = test.__name__.replace("_", " ")
            try:
                test(pathlib.Path(place))
                print(f"ok {title}", flush=True)
            except AssertionError as fault:
                wrong += 1
                print(f"FAILED {title}: {fault!r}"[:600], flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
