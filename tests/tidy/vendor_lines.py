#!/usr/bin/env python3
"""Each line of vendor_lines.tsv is named by a test, and no test names a line that is not there."""
import pathlib
import re
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
# Not preceded or followed by what could make it another id.
ID = re.compile(r"\bW2(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)+")


def read_lines(text):
    """id -> why it is open, or an empty text."""
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return {row[0]: row[2] if len(row) > 2 else "" for row in rows[1:]}


def named_in(texts):
    """id -> names of the files that name it."""
    found = {}
    for name, text in texts.items():
        for match in ID.finditer(text):
            found.setdefault(match.group(), set()).add(name)
    return found


def faults(lines, named):
    out = [f"{line}: no test names it" for line, why in lines.items() if not why and line not in named]
    out += [f"{line}: is called open, and {', '.join(sorted(named[line]))} names it"
            for line, why in lines.items() if why and line in named]
    out += [f"{line}: named by {', '.join(sorted(files))}, and no such line is in the table"
            for line, files in named.items() if line not in lines]
    return out


def test_sources():
    tests = FOLDER.parent
    files = [*tests.glob("unit/*_test.c"), *tests.glob("unit/*_stories.h"), *tests.glob("fault/*_test.c"), *tests.glob("e2e/t*.py"),
             tests / "support/ehr_test.py"]
    return {str(file.relative_to(tests)): file.read_text() for file in files}


def main():
    lines, named = read_lines((FOLDER / "vendor_lines.tsv").read_text()), named_in(test_sources())
    found = faults(lines, named)
    for fault in found:
        print(f"FAILED  {fault}")
    for line, why in lines.items():
        if why:
            print(f"OPEN    {line}: {why}")
    print(f"{len(lines) - sum(map(bool, lines.values()))} lines of vendors, each named by a test"
          if not found else f"{len(found)} lines without a test, or tests without a line")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    # The check itself: a line without a test, an open one with a test and an unknown one are found.
    assert len(faults({"W2.a.1": "", "W2.a.2": "why"}, {"W2.a.2": {"x"}, "W2.a.3": {"x"}})) == 3
    assert not faults({"W2.a.1": "", "W2.a.2": "why"}, {"W2.a.1": {"x"}})
    assert named_in({"f": '"W2.a.1, W2.b-c.9.d: x"'}) == {"W2.a.1": {"f"}, "W2.b-c.9.d": {"f"}}
    main()
