#!/usr/bin/env python3
"""`lifeline lines` in every format, read back by parsers that nobody here wrote: CSV, JSON, XML (SVG) and
HTML.  The formats must agree with one another, and what came from outside must not become markup.

    formats.py LIFELINE SAMPLES_FOLDER STORIES     prints "ok" lines; exit status 1 when anything is wrong
"""
import csv
import html.parser
import io
import json
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

COLUMNS = ["patient", "disease", "number", "numberMin", "numberMax", "start", "end", "ingredients", "regimen",
           "setting", "opened_by", "closed_by", "salvage", "grade"]
SVG = "{http://www.w3.org/2000/svg}"
VOID = {"meta", "br", "input", "img", "link", "hr"}
HOSTILE = '</title><script>alert("1")</script>&\'\u0007,"x"\u2028é'

LIFELINE, SAMPLES, STORIES = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]


def output_of(command, text=None):
    done = subprocess.run(command, input=text, encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=120, check=False)
    assert done.returncode == 0, f"{command[:4]}: status {done.returncode}: {done.stderr[:300]}"
    return done.stdout


def of_files(*words, text=None):
    """What `lifeline lines` prints of these files in a format."""
    return lambda form: output_of([LIFELINE, "lines", "--as-of", "2026-03-01", "--format", form, *words], text)


def of_stories(form):
    """The stories that clinicians review, each as a patient."""
    return output_of([STORIES, form])


def hostile_bundle():
    """A patient, drug and disease text that try to break out of every format."""
    reference = {"reference": HOSTILE}
    order = {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": reference}
    entries = [
        {"resourceType": "Condition", "id": "c1", "subject": reference, "recordedDate": "2024-01-01",
         "clinicalStatus": {"coding": [{"code": "active", "system":
                            "http://terminology.hl7.org/CodeSystem/condition-clinical"}]},
         "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "C83.30"}]}},
        dict(order, id="m1", authoredOn="2024-01-08", medicationCodeableConcept={"text": "doxorubicin"}),
        dict(order, id="m2", authoredOn="2024-01-08", medicationCodeableConcept={"text": HOSTILE}),
    ]
    return json.dumps({"resourceType": "Bundle", "type": "collection",
                       "entry": [{"fullUrl": f"http://ehr.example/{r['resourceType']}/{r['id']}", "resource": r}
                                 for r in entries]})


class Page(html.parser.HTMLParser):
    """Tags must nest, ids be unique, and nothing may be fetched from elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.tags, self.text = [], [], [], []
        self.links = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"
        assert len(self.ids) == len(set(self.ids)), "an id comes twice"
        missing = [link for link in self.links if link[1:] not in self.ids]
        assert not missing, f"links to nowhere: {missing[:3]}"

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), f"<{tag} {name}>"
            assert name not in ("src", "srcset", "xlink:href", "background"), f"<{tag} {name}>"
            if name == "id":
                self.ids.append(value)
            if name == "href":
                assert value.startswith("#"), value
                self.links.append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


def reports_of(printed):
    return [json.loads(line) for line in printed("json").split("\n") if line]


def csv_has_a_row_per_line(printed, reports):
    rows = list(csv.reader(io.StringIO(printed("csv"), newline="")))
    assert rows[0] == COLUMNS, rows[0]
    wanted = []
    for report in reports:
        for history in report["histories"]:
            for line in history["lines"]:
                verdict = history["verdict"]
                rests = verdict["line"] == line["number"]
                wanted.append([
                    report["patient"], history["disease"], str(line["number"]), str(line["numberMin"]),
                    "" if line["numberMax"] is None else str(line["numberMax"]), line["start"], line["end"] or "",
                    ";".join(line["ingredients"]), line["regimen"] or "", line["setting"],
                    *(f"{b['rule']} {b['reason']}" if b else "" for b in (line["openedBy"], line["closedBy"])),
                    str(verdict["salvage"]).lower() if rests else "", verdict["grade"] if rests else ""])
    assert rows[1:] == wanted


def svg_is_xml_with_names_for_all(printed, reports):
    root = ET.fromstring(printed("svg"))
    drawings = [svg for svg in root.iter(SVG + "svg") if svg.get("role") == "img"]
    histories = sum(max(len(report["histories"]), 1) for report in reports)
    nothing = sum((text.text or "").endswith(": no line of therapy is on record") for text in root.iter(SVG + "text"))
    assert len(drawings) + nothing == histories, f"{len(drawings)} drawings, {nothing} without, of {histories}"
    assert nothing <= sum(sum(not h["lines"] for h in r["histories"]) or not r["histories"] for r in reports)
    ids = {e.get("id") for e in root.iter() if e.get("id")}
    for drawing in drawings:
        assert set(drawing.get("aria-labelledby").split()) <= ids
        assert drawing.find(SVG + "title").text and drawing.find(SVG + "desc").text
    said = " ".join(root.itertext())
    assert said.count("SALVAGE: line") == sum(h["verdict"]["salvage"] for r in reports for h in r["histories"])
    used = set(re.findall(r"url\(#([^)]+)\)", ET.tostring(root, encoding="unicode")))
    assert used and used <= ids, used - ids


def html_nests_and_fetches_nothing(printed, reports):
    text = printed("html")
    page = Page(text)
    assert "script" not in page.tags and "http:" not in re.sub(r"<code>.*?</code>", "", text)
    assert page.tags.count("section") == 1 + len(reports)
    said = "".join(page.text)
    assert all(report["patient"].replace("\u0007", "\ufffd") in said for report in reports)
    assert text.count('scope="col"') > 8 and '<html lang="en">' in text
    assert text.count("<caption>") >= sum(1 for r in reports for h in r["histories"] if h["lines"])


def main():
    samples = [str(path) for path in sorted(SAMPLES.glob("*.json"))]
    wrong = 0
    for name, printed, least in (("samples", of_files(*samples), 6),
                                 ("hostile text", of_files("-", text=hostile_bundle()), 1),
                                 ("stories", of_stories, 300)):
        reports = reports_of(printed)
        assert len(reports) >= least, f"{name}: {len(reports)} patients"
        for check in (csv_has_a_row_per_line, svg_is_xml_with_names_for_all, html_nests_and_fetches_nothing):
            title = f"{name}: {check.__name__.replace('_', ' ')}"
            try:
                check(printed, reports)
                print(f"ok {title}")
            except (AssertionError, ET.ParseError, csv.Error) as fault:
                wrong += 1
                print(f"FAILED {title}: {fault!r}"[:600])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
