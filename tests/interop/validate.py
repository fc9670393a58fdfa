#!/usr/bin/env python3
"""What Lifeline emits against the official R4 definitions, by validate.mjs: the planner's golden files
(tests/golden/plan) and every answer that the end-to-end tests get.

Also shows that the validator finds what is wrong: broken copies must be refused.  Installs the npm
packages when they are not there; SKIPPED, with the reason, where they cannot be had."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PACKAGES = HERE / "node_modules" / "@medplum"
GOLDEN = sorted((HERE.parent / "golden" / "plan").glob("*.json"))

# What is done to a good file, and the word that the complaint must have.
BREAKS = [
    ("no status", "dlbcl-refractory-flag.json", lambda r: r.pop("status"), "status"),
    ("a status that does not exist", "dlbcl-refractory-flag.json",
     lambda r: r.update(status="on"), "Flag.status"),
    ("an unknown element", "dlbcl-refractory-flag.json", lambda r: r.update(colour="red"), "colour"),
    ("a code that does not exist", "dlbcl-refractory-flag.json",
     lambda r: r["category"][0]["coding"][0].update(code="cancer"), "flag-category"),
    ("a day that does not exist", "dlbcl-refractory-careplan.json",
     lambda r: r.update(period={"start": "2026-13-02"}), "CarePlan.period.start"),
    ("one of what may be many", "dlbcl-refractory-careplan.json",
     lambda r: r.update(note={"text": "one"}), "CarePlan.note"),
    ("a Provenance of nothing", "dlbcl-refractory-provenance-of-flag.json",
     lambda r: r.pop("target"), "target"),
]


def install():
    """None when the packages are installed, else why they are not."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "node or npm is not installed"
    if (PACKAGES / "core").is_dir() and (PACKAGES / "definitions").is_dir():
        return None
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"],
                          cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    return "npm could not install the validator: " + (done.stderr.strip().splitlines() or ["?"])[-1]


def validate(files):
    return subprocess.run(["node", HERE / "validate.mjs", *files], capture_output=True, text=True,
                          check=False)


def check_breaks(folder):
    bad = 0
    for name, source, harm, word in BREAKS:
        resource = json.loads((HERE.parent / "golden" / "plan" / source).read_text())
        harm(resource)
        path = pathlib.Path(folder) / "broken.json"
        path.write_text(json.dumps(resource))
        done = validate([path])
        is_found = done.returncode == 1 and word in done.stdout
        bad += not is_found
        print(("ok " if is_found else "FAILED ") + f"the validator refuses {name}")
        if not is_found:
            print(done.stdout + done.stderr)
    return bad


# Tests whose answers are recorded and validated.
RECORDED = ("t02_rest.py", "t03_bundles.py", "t04_lines_posted.py", "t12_protocol.py", "t11_search.py")
FEWEST_ANSWERS = 100


def is_deliberate(body):
    """t02 stores an element that FHIR does not know, to see that it comes back."""
    return b'"local":{"a":[1.50,2]}' in body


def check_answers(folder):
    environment = {**os.environ, "LIFELINE_TEST_RECORD": folder}
    for script in RECORDED:
        done = subprocess.run([sys.executable, HERE.parent / "e2e" / script], env=environment,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"FAILED {script}, whose answers are validated\n{done.stdout[-2000:]}")
            return 1
    answers = [path for path in sorted(pathlib.Path(folder).glob("*.json"))
               if not is_deliberate(path.read_bytes())]
    done = validate(answers)
    bad = [line for line in done.stdout.splitlines() if not line.startswith("ok ")]
    is_good = done.returncode == 0 and len(answers) >= FEWEST_ANSWERS
    print(("ok " if is_good else "FAILED ") + f"{len(answers)} answers of the end-to-end tests")
    print("\n".join(bad[:40]))
    return not is_good


def main():
    reason = install()
    if reason:
        print(f"SKIPPED validation of the postings: {reason}")
        return 0
    if not GOLDEN:
        print("FAILED no postings to validate")
        return 1
    done = validate(GOLDEN)
    print(done.stdout.replace(str(HERE.parent.parent) + "/", ""), end="")
    print(done.stderr, end="", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        bad = check_breaks(folder)
    with tempfile.TemporaryDirectory() as folder:
        bad += check_answers(folder)
    return 1 if done.returncode != 0 or bad else 0


if __name__ == "__main__":
    sys.exit(main())
