#!/usr/bin/env python3
"""Which test proves which row of the requirements (rows.tsv).

    table.py                 checks: every M row has a test or says what is open, every row that a test names
                             exists, and the table in tests/README.md is what the tests say
    table.py --write         brings the table in tests/README.md up to date
    table.py --results LOGS  the same table with how the tests of the last run ended, from the logs of
                             tests/run; fails when a test of an M row did not pass

A test names rows at the beginning of what it says: "A3.8, A3.9: none, one and many" as the sentence of a
Python test, the name of a row of a C table, or a comment before a C test.
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
README = TESTS / "README.md"
BEGIN, END = "<!-- requirements: written by requirements/table.py -->", "<!-- end of requirements -->"
ROW = r"(?:[ABCD]\d+\.\d+|[BK]\d+)"
MENTION = re.compile(rf"""(?:"{{1,3}}|'|/\*\s+|\*\s+|//\s+|\#\s+)({ROW}(?:, {ROW})*): """)
SUFFIXES = {".py", ".c", ".mjs"}


def read_rows(text):
    """[(row, level, what, gap)]"""
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 4 or fields[1] not in ("M", "S") or not fields[2]:
            raise ValueError(f"rows.tsv:{number}: expected row, M or S, what, gap")
        rows.append(tuple(fields))
    return rows


def mentions_of(text):
    """The rows that a test source names."""
    return [row for found in MENTION.findall(text) for row in found.split(", ")]


def read_tests(folder):
    """{row: [name of the test file]}; the names of what cannot be told apart by its stem have their folder."""
    tests = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix not in SUFFIXES or path.parent == HERE or "node_modules" in path.parts:
            continue
        for row in mentions_of(path.read_text(errors="replace")):
            if path.stem not in tests.setdefault(row, []):
                tests[row].append(path.stem)
    return tests


def complaints_of(rows, tests):
    known = {row for row, *_ in rows}
    bad = [f"{', '.join(names)}: there is no row {row}" for row, names in sorted(tests.items())
           if row not in known]
    bad += [f"{row} has neither a test nor a reason" for row, _, _, gap in rows
            if not gap and row not in tests]
    return bad


def table(rows, tests, result=None):
    """The lines of the table; `result` tells how a test ended."""
    lines = ["| row | | what | tests | " + ("result" if result else "state") + " |", "|---|---|---|---|---|"]
    for row, level, what, gap in rows:
        names = tests.get(row, [])
        state = "tested" if names else ""
        if result and names:
            state = ", ".join(sorted({result(name) for name in names}))
        if gap:
            state = f"{state}; {gap}" if state else gap
        lines.append(f"| {row} | {level} | {what} | {' '.join(f'`{name}`' for name in names)} | {state} |")
    must = [row for row in rows if row[1] == "M"]
    done = sum(1 for row in must if row[0] in tests and not row[3])
    lines += ["", f"{done} of {len(must)} M rows are tested whole."]
    return lines


def spliced(readme, lines):
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + "\n\n" + "\n".join(lines) + "\n\n" + END + after


def results_of(logs):
    """{stem: passed or FAILED} from what ctest and the scripts printed."""
    ended = {}
    for path in sorted(pathlib.Path(logs).glob("*.log")):
        for line in path.read_text(errors="replace").splitlines():
            ctest = re.match(r"\s*\d+/\d+ Test +#\d+: (\w+) \.+ *(\**\w+)", line)
            script = re.match(r"(\w+): \d+ passed, (\d+) failed, \d+ skipped$", line)
            if ctest:
                note(ended, ctest[1], ctest[2] == "Passed")
            elif script:
                note(ended, script[1], script[2] == "0")
    return ended


def note(ended, name, is_good):
    ended[name] = "passed" if is_good and ended.get(name) != "FAILED" else "FAILED"


def main(words):
    rows, tests = read_rows((HERE / "rows.tsv").read_text()), read_tests(TESTS)
    bad = complaints_of(rows, tests)
    if words[:1] == ["--results"]:
        ended = results_of(words[1])
        print("\n".join(table(rows, tests, lambda name: ended.get(name, "not run"))))
        bad += [f"{row}: {name} failed" for row, level, *_ in rows for name in tests.get(row, ())
                if level == "M" and ended.get(name) == "FAILED"]
    else:
        readme = README.read_text()
        wanted = spliced(readme, table(rows, tests))
        if words == ["--write"]:
            README.write_text(wanted)
        elif readme != wanted:
            bad.append("the table in tests/README.md is stale: tests/requirements/table.py --write")
    for line in bad:
        print(f"FAILED {line}")
    if not bad:
        print(f"ok {len(rows)} rows, {sum(map(len, tests.values()))} places where a test names one")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
