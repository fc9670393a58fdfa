#!/usr/bin/env python3
"""Compares `lifeline lines --format json` (standard input, one patient per line) with the table of
README.md.  Prints a row per patient; exit status 0 when all are right, else 1."""
import json
import pathlib
import sys


def expected_rows():
    text = (pathlib.Path(__file__).parent / "README.md").read_text()
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 7 and cells[0].endswith(".json"):
            yield dict(zip(("file", "patient", "disease", "lines", "drugs", "salvage", "grade"),
                           cells))


def faults_of(want, report):
    """What is wrong with a patient, as short phrases."""
    histories = [h for h in report.get("histories", []) if h["disease"] == want["disease"]]
    if len(histories) != 1:
        found = ", ".join(h["disease"] for h in report.get("histories", [])) or "none"
        return [f"no history of {want['disease']} (found: {found})"]
    lines, verdict = histories[0]["lines"], histories[0]["verdict"]
    drugs = "+".join(lines[-1]["ingredients"]) if lines else ""
    checks = (
        ("lines", len(lines), int(want["lines"])),
        ("last line", drugs, want["drugs"]),
        ("salvage", verdict["salvage"], want["salvage"] == "yes"),
        ("grade", verdict.get("grade") or "NONE", want["grade"]),
        ("unmapped", len(report.get("unmapped", [])), 0),
        ("unattributed", len(report.get("unattributed", [])), 0),
    )
    return [f"{what} is {got}, not {wanted}" for what, got, wanted in checks if got != wanted]


def main():
    reports = {}
    for line in sys.stdin:
        if line.strip():
            report = json.loads(line)
            reports[report["patient"].split("/")[-1]] = report
    wrong = 0
    for want in expected_rows():
        report = reports.get(want["patient"])
        faults = faults_of(want, report) if report else ["no report"]
        wrong += bool(faults)
        verdict = "salvage" if want["salvage"] == "yes" else "not salvage"
        print(f"  {'wrong' if faults else 'right'}  {want['patient']:<16} {want['lines']} "
              f"line{'s' if want['lines'] != '1' else ' '}  {verdict:<12} "
              f"{'; '.join(faults) if faults else want['drugs']}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
