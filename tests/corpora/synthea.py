#!/usr/bin/env python3
"""Synthea's state machines say which drugs a patient gets, and in which order: the ground truth of its patients.

1. Every drug code of every module is read by `lifeline codes`; the judge must agree.
2. Every way through a module gives a sequence of drugs that make lines.  For each patient of the Synthea sets, the
   drugs of the lines must be such a sequence of the modules of the disease, and a module that never changes the
   drugs must give one line.  What differs is told in the table with the reason by which the line was opened.

It fails on a drug code that is read wrong, and on drugs in a line that no way through the modules gives.
SKIPPED when the folders are not there.

usage: tests/corpora/synthea.py [--folder ../shared/corpora] [--reference ../shared/reference]
"""
import argparse
import collections
import json
import pathlib
import sys

import lines
from judge import Judge

MODULES = {  # disease of a history -> modules that treat it
    "lung": ("lung_cancer", "veteran_lung_cancer"), "nsclc": ("lung_cancer", "veteran_lung_cancer"),
    "sclc": ("lung_cancer", "veteran_lung_cancer"), "crc": ("colorectal_cancer",),
    "prostate": ("veteran_prostate_cancer",), "breast": ("breast_cancer",), "aml": ("acute_myeloid_leukemia",),
}
SEQUENCE_MAX = 4  # longer ways are told apart by their drugs alone: there are too many


def load_modules(folder):
    return {path.stem: json.loads(path.read_text(encoding="utf-8"))["states"]
            for path in sorted(folder.glob("*.json"))}


# --- the drugs of a module ------------------------------------------------------------------------

def drug_states(modules):
    """(module, state, code, display) of every order of a drug."""
    for module, states in modules.items():
        for name, state in states.items():
            if state["type"] == "MedicationOrder":
                for code in state["codes"]:
                    yield module, name, str(code["code"]), code["display"]


def read_codes(modules):
    """code -> what Lifeline reads it as: one order for each code."""
    codes = sorted({code for _, _, code, _ in drug_states(modules)})
    orders = [{"resourceType": "MedicationRequest", "id": code, "status": "completed", "intent": "order",
               "subject": {"reference": "Patient/p"}, "authoredOn": "2020-01-01", "medicationCodeableConcept": {
                   "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code}]}}
              for code in codes]
    text = "\n".join(json.dumps(order) for order in orders).encode()
    _, _, rows = lines.ask([("codes.ndjson", text)])
    return {resource.split("/")[1]: lines.drugs_of(meaning) for _, resource, _, _, meaning in rows}


# --- ways through a module ------------------------------------------------------------------------

def targets(state):
    """Names of the states that may follow."""
    found = []
    for key in ("direct_transition",):
        if key in state:
            found.append(state[key])
    for key in ("distributed_transition", "conditional_transition", "complex_transition", "lookup_table_transition",
                "type_of_care_transition"):
        entries = state.get(key) or []
        entries = entries.values() if isinstance(entries, dict) else entries
        for entry in entries:
            if isinstance(entry, str):
                found.append(entry)
            elif isinstance(entry, dict):
                found += [entry["transition"]] if "transition" in entry else []
                found += [inner["transition"] for inner in entry.get("distributions") or []]
    return found


def sequences(modules, name, makes_lines, read_as):
    """The sequences of drugs, each once in the order of its first order, that ways through a module can give."""
    states, ends = modules[name], set()
    todo, seen = [("Initial", ())], set()
    while todo:
        at, drugs = todo.pop()
        if (at, drugs) in seen or len(drugs) > SEQUENCE_MAX or at not in states:
            continue
        seen.add((at, drugs))
        state = states[at]
        ways = [drugs]
        if state["type"] == "MedicationOrder":
            new = [drug for code in state["codes"] for drug in sorted(read_as.get(str(code["code"]), ()))
                   if makes_lines(drug) and drug not in drugs]
            ways = [drugs + tuple(new)]
        elif state["type"] == "CallSubmodule":
            inner = state["submodule"].split("/")[-1]
            if inner in modules and inner != name:
                ways = [drugs + tuple(drug for drug in way if drug not in drugs)
                        for way in sequences(modules, inner, makes_lines, read_as)]
        following = targets(state)
        for way in ways:
            if not following:
                ends.add(way)
            todo += [(target, way) for target in following]
    ends |= {drugs for _, drugs in seen}  # a patient may be anywhere on the way
    return ends


# --- patients -------------------------------------------------------------------------------------

def histories(folder):
    """(patient, history) of every cancer with lines in the Synthea sets."""
    for path in sorted(folder.iterdir()):
        if not path.is_dir() or not path.name.startswith("synthea-") or path.name in lines.NOT_FHIR:
            continue
        for group in lines.groups_of(path):
            for report in lines.ask(group)[0]:
                for history in report["histories"]:
                    if history["disease"] in MODULES and history["lines"]:
                        yield f"{path.name} {report['patient']}", history


def drugs_in_order(history):
    """(drugs, batches): the new drugs of each line, in the order of the lines."""
    found, batches = [], []
    for line in history["lines"]:
        new = [drug for drug in line["ingredients"] if drug not in found]
        found += new
        batches += [frozenset(new)] if new else []
    return found, batches


def is_way(way, batches):
    """Whether a way gives these drugs, line by line; within a line they may come in any order."""
    at = 0
    for batch in batches:
        if frozenset(way[at:at + len(batch)]) != batch:
            return False
        at += len(batch)
    return at == len(way)


def is_given(drugs, batches, ways):
    if len(drugs) > SEQUENCE_MAX:
        return frozenset(drugs) <= frozenset().union(*ways)
    return any(is_way(way, batches) for way in ways)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--folder", type=pathlib.Path, default=lines.ROOT.parent / "shared" / "corpora")
    parser.add_argument("--reference", type=pathlib.Path, default=lines.ROOT.parent / "shared" / "reference")
    options = parser.parse_args()
    truth = options.folder / "synthea-modules-ground-truth"
    for folder in (truth, options.reference):
        if not folder.is_dir():
            print(f"SKIPPED synthea: {folder.name}/ is not there")
            return 0
    judge, modules, faults = Judge(options.reference), load_modules(truth), []
    read_as = read_codes(modules)

    print(f"{'module':<28}{'drug codes':>11}{'of interest':>12}{'read right':>11}")
    counts = collections.defaultdict(collections.Counter)
    for module, state, code, display in drug_states(modules):
        drugs = judge.by_codes([("rxnorm", code)])
        drugs = drugs if drugs is not None else judge.by_text(display)
        counts[module]["codes"] += 1
        if drugs is None or not judge.of_interest(drugs):
            continue
        counts[module]["interest"] += 1
        if read_as.get(code, frozenset()) == drugs:
            counts[module]["right"] += 1
        else:
            faults.append(f"{module} {state}: {code} {display} is read as {sorted(read_as.get(code, ()))}")
    for module, count in counts.items():
        print(f"{module:<28}{count['codes']:>11}{count['interest']:>12}{count['right']:>11}")

    def makes_lines(drug):
        return judge.group.get(drug) in ("antineoplastic", "endocrine")

    ways = {name: sequences(modules, name, makes_lines, read_as)
            for name in sorted({name for names in MODULES.values() for name in names})}
    table, reasons = collections.defaultdict(collections.Counter), collections.defaultdict(collections.Counter)
    for patient, history in histories(options.folder):
        names = MODULES[history["disease"]]
        drugs, batches = drugs_in_order(history)
        key = (names[0], " + ".join(drugs))
        table[key]["patients"] += 1
        table[key]["one"] += len(history["lines"]) == 1
        table[key]["more"] += len(history["lines"]) > 1
        for line in history["lines"][1:]:
            reasons[key][f"{line['openedBy']['reason']}: {'+'.join(line['ingredients'])}"] += 1
        if not is_given(drugs, batches, [way for name in names for way in ways[name]]):
            table[key]["foreign"] += 1
            faults.append(f"{patient}: {history['disease']}: no way through {', '.join(names)} gives {', '.join(drugs)}")
    print(f"\n{'module':<26}{'drugs of the lines':<52}{'patients':>9}{'one line':>9}{'more':>6}{'foreign':>8}")
    for (module, drugs), count in sorted(table.items()):
        print(f"{module:<26}{drugs:<52}{count['patients']:>9}{count['one']:>9}{count['more']:>6}{count['foreign']:>8}")
        for reason, times in reasons[module, drugs].most_common():
            print(f"{'':<26}    {times} x {reason}")
    for fault in faults:
        print(f"FAULT {fault}")
    total = sum(count["patients"] for count in table.values())
    print(f"synthea: {len(read_as)} drug codes of {len(modules)} modules, {total} treated cancers, "
          f"{sum(count['one'] for count in table.values())} with one line; {len(faults)} faults")
    if total == 0 or not read_as:
        print("FAILED  synthea: nothing was compared")
        return 1
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
