#!/usr/bin/env python3
"""Every patient of ../shared/corpora through `lifeline lines`, and what became of every drug.

1. Runs `lifeline lines --format json` and `lifeline codes --each` over every set, and prints a table: patients,
   resources refused, codes known and unknown, lines and verdicts.
2. Every MedicationRequest of a drug that makes lines must be in exactly one line of its history, or in
   `notInLine` with its rule.  (A drug that two diseases may claim is in one line of each; both are marked.)
3. Coverage: an independent judge (judge.py) says which resources are antineoplastic, endocrine or antiretroviral,
   and of what; at least 98 % must be read as the same ingredients.  The rest is listed.

SKIPPED when the folders are not there.

usage: tests/corpora/lines.py [--folder ../shared/corpora] [--reference ../shared/reference] [--set NAME]
"""
import argparse
import collections
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from judge import Judge

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("LIFELINE_BINARY", ROOT / "build" / "lifeline"))
AS_OF = "2026-01-01"
NOT_FHIR = ("synthea-modules-ground-truth",)
ORDERS = ("MedicationRequest", "MedicationOrder")
DRUG_TYPES = ORDERS + ("MedicationAdministration", "MedicationStatement", "MedicationDispense")
LEAST = 0.98


# --- the files ------------------------------------------------------------------------------------

def texts_of(folder):
    """(name, bytes) of each file of a set, unpacked."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".md":
            data = path.read_bytes()
            name = path.name[:-3] if path.suffix == ".gz" else path.name
            yield name, gzip.decompress(data) if path.suffix == ".gz" else data


def documents(data):
    """The JSON documents of a file: one, or one per line."""
    text = data.decode("utf-8-sig", "replace")
    try:
        yield json.loads(text)
        return
    except (ValueError, RecursionError):
        pass
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except (ValueError, RecursionError):
            continue


def resources(document):
    """Resources of a document, also those inside Bundles."""
    if not isinstance(document, dict):
        return
    if document.get("resourceType") == "Bundle":
        for entry in document.get("entry") or []:
            if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
                resource = dict(entry["resource"])
                if "fullUrl" in entry:
                    resource["_url"] = entry["fullUrl"]
                yield from resources(resource) if resource.get("resourceType") == "Bundle" else [resource]
    elif "resourceType" in document:
        yield document


def named(data):
    """(data, whether it is a Bundle that speaks for itself).  Entries of a Bundle that have neither an id nor a fullUrl get an id, so that
    both sides call them the same."""
    try:
        bundle = json.loads(data.decode("utf-8-sig"))
        nameless = [entry["resource"] for entry in bundle["entry"]
                    if "resource" in entry and "fullUrl" not in entry and "id" not in entry["resource"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return data, b'"Bundle"' in data[:4000]
    for number, resource in enumerate(nameless):
        resource["id"] = f"nameless-{number}"
    is_whole = bundle.get("resourceType") == "Bundle" and bundle.get("type") != "searchset"
    return (json.dumps(bundle).encode() if nameless else data), is_whole


def groups_of(folder):
    """Inputs of one run each: a Bundle speaks for itself; single resources, NDJSON and the pages of a search of a set
    belong together."""
    together = []
    for name, data in texts_of(folder):
        data, is_bundle = named(data)
        if is_bundle and not name.endswith(".ndjson"):
            yield [(name, data)]
        else:
            together.append((name, data))
    if together:
        yield together


# --- what Lifeline says ---------------------------------------------------------------------------

def run(folder, *arguments):
    files = sorted(str(path) for path in folder.iterdir())
    done = subprocess.run([str(BINARY), *arguments, *files], capture_output=True, text=True, errors="replace",
                          timeout=600)
    if done.returncode not in (0, 1):
        raise AssertionError(f"lifeline {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-300:]}")
    return done.stdout, [line for line in done.stderr.splitlines() if line.strip()]


def ask(group):
    """(reports, refusals, rows of codes) of one input."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for number, (file, data) in enumerate(group):
            (folder / f"{number:04d}-{file}").write_bytes(data)
        out, refused = run(folder, "lines", "--format", "json", "--as-of", AS_OF)
        codes, _ = run(folder, "codes", "--each")
    reports = [json.loads(line) for line in out.splitlines()]
    rows = [line.split("\t") for line in codes.splitlines()[1:]]
    return reports, refused, rows


# --- one line each, or a reason -------------------------------------------------------------------

def without_version(reference):
    return reference.split("/_history/")[0]


def check_orders(report, made_of):
    """Faults of a patient: orders of drugs that make lines which are nowhere, or in two lines of one history."""
    faults, places = [], collections.Counter()
    left_out = {entry["resource"]: entry["rule"] for entry in report["notInLine"]}
    for history in report["histories"]:
        own = collections.Counter(without_version(order) for line in history["lines"] for order in line["sources"])
        faults += [f"{order}: in {count} lines of {history['disease']}" for order, count in own.items() if count > 1]
        places.update(own.keys())
        if any(places[order] > 1 for order in own) and not history["ambiguous"]:
            faults.append(f"{history['disease']}: shares an order and is not marked ambiguous")
    for order in made_of:
        if places[order] == 0 and order not in left_out:
            faults.append(f"{order}: in no line, and no reason is given")
        if places[order] > 0 and order in left_out:
            faults.append(f"{order}: in a line and in notInLine")
    return faults


# --- what the judge says --------------------------------------------------------------------------

def concept_of(resource):
    concept = resource.get("medicationCodeableConcept")
    medication = resource.get("medication")
    if concept is None and isinstance(medication, dict):
        concept = medication.get("concept")
    return concept if isinstance(concept, dict) else None


def reference_of(resource):
    reference = resource.get("medicationReference")
    medication = resource.get("medication")
    if reference is None and isinstance(medication, dict):
        reference = medication.get("reference")
    return reference.get("reference") if isinstance(reference, dict) else None


def spelled(concepts):
    """(codings, texts) of several concepts."""
    codings, texts = [], []
    for concept in concepts:
        if not isinstance(concept, dict):
            continue
        for coding in concept.get("coding") or []:
            if isinstance(coding, dict):
                codings.append((coding.get("system"), str(coding.get("code") or "")))
                texts.append(coding.get("display") or "")
        texts.insert(0, concept.get("text") or "")
    return codings, [text for text in texts if isinstance(text, str) and text]


def of_medication(medication):
    codings, texts = spelled([medication.get("code")])
    parts = [part.get("itemCodeableConcept") or (part.get("item") or {}).get("concept")
             for part in medication.get("ingredient") or [] if isinstance(part, dict)]
    more_codings, more_texts = spelled(parts)
    return codings, texts, more_codings, more_texts


class Expected:
    """What the judge expects of the drugs of one input."""

    def __init__(self, judge, group):
        self.judge, self.drugs, self.seen = judge, {}, {}
        everything = [resource for _, data in group for document in documents(data) for resource in resources(document)]
        medications = {}
        for resource in everything:
            if resource.get("resourceType") == "Medication":
                for name in (f"Medication/{resource.get('id')}", resource.get("_url")):
                    medications[name] = resource
        for resource in everything:
            if resource.get("resourceType") in DRUG_TYPES:
                self._take(resource, medications)

    def _take(self, resource, medications):
        kind = resource["resourceType"].replace("MedicationOrder", "MedicationRequest")
        name = resource.get("id") or str(resource.get("_url", "")).split("/")[-1].split(":")[-1]
        concept, reference = concept_of(resource), reference_of(resource)
        if concept is not None:
            codings, texts = spelled([concept])
            verdict = self.judge.judge(codings, texts)
        elif reference:
            verdict, codings, texts = self._by_reference(resource, reference, medications)
        else:
            return
        self.drugs[f"{kind}/{name}"] = verdict
        self.seen[f"{kind}/{name}"] = (codings, texts)

    def _by_reference(self, resource, reference, medications):
        if reference.startswith("#"):
            contained = [inner for inner in resource.get("contained") or [] if inner.get("id") == reference[1:]]
            medication = contained[0] if contained else None
        else:
            tail = "/".join(reference.split("/_history/")[0].split("/")[-2:])
            medication = medications.get(reference) or medications.get(tail)
        if medication is None:
            return (None, "no Medication"), [], []
        codings, texts, more_codings, more_texts = of_medication(medication)
        verdict = self.judge.judge(codings, texts)
        if verdict[0] is None:
            verdict = self.judge.judge(more_codings, [" + ".join(more_texts)])
        return verdict, codings + more_codings, texts + more_texts


# --- one set --------------------------------------------------------------------------------------

class Sums(collections.Counter):
    COLUMNS = ("inputs", "patients", "refused", "drugs", "unknown", "conditions", "unknownC", "histories", "lines",
               "salvage", "orders", "inLine", "reasoned", "judged", "agree")


def tell_codes(rows, sums):
    read_as = {}
    for _, resource, _, _, meaning in rows:
        kind = "conditions" if resource.startswith("Condition/") else "drugs"
        sums[kind] += 1
        sums["unknownC" if kind == "conditions" else "unknown"] += meaning == ""
        if kind == "drugs":
            read_as[resource] = meaning
    return read_as


def drugs_of(meaning):
    return frozenset() if meaning in ("", "no exposure") else frozenset(meaning.split(";"))


def run_group(judge, group, sums, faults, rest):
    reports, refused, rows = ask(group)
    expected = Expected(judge, group)
    read_as = tell_codes(rows, sums)
    sums["inputs"] += 1
    sums["patients"] += len(reports)
    sums["refused"] += len(refused)
    by_patient = collections.defaultdict(set)
    for patient, resource, _, _, meaning in rows:
        if resource.startswith("Medication") and judge.of_interest(drugs_of(meaning)):
            by_patient[patient].add(resource)
    for report in reports:
        orders = by_patient[report["patient"]]
        faults += [f"{group[0][0]}: {report['patient']}: {fault}" for fault in check_orders(report, orders)]
        sums["histories"] += len(report["histories"])
        sums["lines"] += sum(len(history["lines"]) for history in report["histories"])
        sums["salvage"] += sum(history["verdict"]["salvage"] for history in report["histories"])
        left_out = {entry["resource"] for entry in report["notInLine"]}
        sums["orders"] += len(orders)
        sums["reasoned"] += len(orders & left_out)
        sums["inLine"] += len(orders - left_out)
    for resource, (drugs, how) in expected.drugs.items():
        if resource not in read_as:
            continue # what was refused is told in its own column
        codings, texts = expected.seen[resource]
        is_missed = drugs is None and read_as[resource] == "" and judge.is_suspect(texts)
        if not is_missed and (drugs is None or not judge.of_interest(drugs)):
            continue
        drugs = drugs or {"?"}
        sums["judged"] += 1
        if drugs_of(read_as[resource]) == drugs:
            sums["agree"] += 1
        else:
            rest[(how, "; ".join(sorted(drugs)), read_as[resource] or "unknown",
                  str(codings[:3]), (texts or [""])[0][:80])] += 1


def print_row(name, sums):
    print(f"{name:<28}" + "".join(f"{sums[column]:>{max(len(column), 6) + 1}}" for column in Sums.COLUMNS), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT.parent / "shared" / "corpora")
    parser.add_argument("--reference", type=pathlib.Path, default=ROOT.parent / "shared" / "reference")
    parser.add_argument("--set", help="only this one")
    options = parser.parse_args()
    for folder in (options.folder, options.reference):
        if not folder.is_dir():
            print(f"SKIPPED corpora: {folder.name}/ is not there")
            return 0

    judge, total, faults, rest = Judge(options.reference), Sums(), [], collections.Counter()
    print(f"{'set':<28}" + "".join(f"{column:>{max(len(column), 6) + 1}}" for column in Sums.COLUMNS))
    for folder in sorted(path for path in options.folder.iterdir() if path.is_dir()):
        if folder.name in NOT_FHIR or (options.set and folder.name != options.set):
            continue
        sums = Sums()
        for group in groups_of(folder):
            try:
                run_group(judge, group, sums, faults, rest)
            except (AssertionError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
                faults.append(f"{folder.name}/{group[0][0]}: {type(error).__name__}: {error}")
        print_row(folder.name, sums)
        total.update(sums)
    print_row("all", total)
    for (how, drugs, seen, codings, text), count in rest.most_common(100):
        print(f"{count:>5}  by {how}: {drugs} -- read as: {seen} -- {codings} {text}")
    for fault in faults[:50]:
        print(f"FAULT {fault}")
    share = total["agree"] / total["judged"] if total["judged"] else 0
    print(f"corpora: {total['patients']} patients, {total['lines']} lines, {total['salvage']} salvage verdicts; of "
          f"{total['orders']} orders of drugs that make lines {total['inLine']} are in one, {total['reasoned']} have a "
          f"reason why not; {total['agree']} of {total['judged']} resources ({share:.2%}) are read as the judge reads "
          f"them; {len(faults)} faults")
    if total["judged"] == 0 or (not options.set and share < LEAST):
        print(f"FAILED  corpora: fewer than {LEAST:.0%} of the drugs are read right")
        return 1
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
