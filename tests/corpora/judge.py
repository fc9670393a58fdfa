"""What a drug's codes and text mean, judged without Lifeline's tables and code: from the verified
reference tables (../shared/reference) and the words of the text.

A second opinion, not a better one: where both disagree a person looks.  It reads more than Lifeline may
ship (SNOMED CT substances), so that it also tells what Lifeline does not know.
"""
import csv
import gzip
import re

SYSTEMS = (("rxnorm", "rxnorm"), ("2.16.840.1.113883.6.88", "rxnorm"), ("/ndc", "ndc"),
           ("2.16.840.1.113883.6.69", "ndc"), ("atc", "atc"), ("snomed", "snomed"),
           ("2.16.840.1.113883.6.96", "snomed"), ("ciel", "ciel"))

# Words beside a drug's name that make its order no systemic exposure.
LOCAL = re.compile(r"\b(cream|creme|ointment|salbe|topical|ophthalmic|eye|augentropfen|otic|nasal|nasenspray|"
                   r"vaginal|intravitreal|inhal\w*|enema|gel|lotion|mouthwash)\b", re.I)
# International names tell what kind of drug they are by their stem.  A text with one of these that nobody could
# read is a drug that was missed.
STEMS = re.compile(r"\b[a-z]{2,}(mab|tinib|fenib|ciclib|lisib|parib|zomib|degib|sidenib|platine?|taxel|rubicine?|citabine?|"
                   r"lidomide?|fosfamide?|poside?|tecan|trexate?|trexed|blastine?|cristine?|relbine?|mustine?|stozole?|"
                   r"trozole?|relix|utamide?|oxifene?|navir|gravir|vudine?|virine?|tegravir)\b", re.I)

# What follows these words is not what is ordered.
BEFORE = re.compile(r"\b(for|before|after|prior|instead of|allerg\w+|without|until|following|no)\b", re.I)


def rows(path):
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8")
    with opened as file:
        yield from csv.DictReader(file)


def split(cell):
    return [part.strip() for part in (cell or "").split(";") if part.strip()]


def plain(text):
    return " ".join(re.findall(r"[a-z0-9\u0080-\uffff]+", text.lower()))


class Judge:
    def __init__(self, folder):
        self.codes, self.words, self.group, self.parents = {}, {}, {}, {}
        self.carriers = set()  # they bring an antibody under the skin, and are no therapy
        for row in rows(folder / "drugs.csv"):
            self._add_drug(row)
        for row in rows(folder / "combos.csv"):
            parts = frozenset(split(row["components"]))
            for code in split(row["rxnorm_min"]):
                self.codes["rxnorm", code] = (2, parts, False)
            for code in split(row["atc"]):
                self.codes["atc", code.upper()] = (1, parts, False)
            for brand in split(row["brands"]):
                self.words.setdefault(plain(brand), parts)
        for row in rows(folder / "rxnorm_products.csv"):
            kind = 0 if row["tty"] == "IN" else 2
            self.codes["rxnorm", row["rxcui"]] = (kind, frozenset(split(row["ingredients"])), row["local_route"] == "Y")
        for row in rows(folder / "ndc_ingredient.csv.gz"):
            self.codes["ndc", row["ndc11"]] = (2, frozenset(split(row["ingredients"])), row["local_route"] == "Y")
        for row in rows(folder / "ciel_arv.csv"):
            self.codes["ciel", row["ciel_concept_id"]] = (1, frozenset([row["ingredient"]]), False)
        self.longest = max(len(words.split()) for words in self.words)
        # In other languages a name differs by its last vowel: etoposid, cisplatino, doxorubicine.
        self.stems = {}
        for words, parts in self.words.items():
            if " " not in words and len(words) > 6:
                self.stems.setdefault(words.rstrip("aeo"), parts)

    def _add_drug(self, row):
        name = row["ingredient"]
        alone = frozenset([name])
        self.group[name] = row["group"]
        if "permeation enhancer" in row["class"]:
            self.carriers.add(name)
        if row["parent"]:
            self.parents[name] = row["parent"]
        for code in split(row["rxnorm_in"]):
            self.codes.setdefault(("rxnorm", code), (0, alone, False))
        for code in split(row["other_rxcuis"]):
            self.codes.setdefault(("rxnorm", code), (2, alone, False))
        for code in split(row["atc"]) + split(row["atc_legacy"]):
            self.codes.setdefault(("atc", code.upper()), (1, alone, False))
        for code in split(row["atc_other_routes"]):
            self.codes.setdefault(("atc", code.upper()), (1, alone, True))
        for code in split(row["snomed_substance"]):
            self.codes.setdefault(("snomed", code), (1, alone, False))
        for text in [name] + split(row["aliases"]) + split(row["brand_names"]):
            if len(plain(text)) > 3:
                self.words.setdefault(plain(text), alone)

    def of_interest(self, drugs):
        return any(self.group.get(drug) in ("antineoplastic", "endocrine", "antiretroviral") for drug in drugs)

    # --- codes ------------------------------------------------------------------------------------

    def _code(self, system, code):
        kind = next((kind for part, kind in SYSTEMS if part in (system or "").lower()), None)
        if kind == "ndc":
            parts = code.split("-")
            code = (parts[0].zfill(5) + parts[1].zfill(4) + parts[2].zfill(2)) if len(parts) == 3 else code
        if kind == "ciel":
            code = code.rstrip("A")
        return self.codes.get((kind, code.strip().upper() if kind == "atc" else code.strip()))

    def by_codes(self, codings):
        """The set of ingredients, or None without a known code: the most precise kind of code decides."""
        found = [self._code(system, code) for system, code in codings if code]
        found = [entry for entry in found if entry]
        if not found:
            return None
        best = max(kind for kind, _, _ in found)
        drugs = frozenset().union(*(parts for kind, parts, _ in found if kind == best))
        return frozenset() if any(local for _, _, local in found) else (drugs - self.carriers or drugs)

    # --- text -------------------------------------------------------------------------------------

    def by_text(self, *texts):
        """The set of ingredients that the longest known words of the texts name, or None."""
        for text in texts:
            words = plain(BEFORE.split(text)[0]).split()
            found, at = set(), 0
            while at < len(words):
                for length in range(min(self.longest, len(words) - at), 0, -1):
                    parts = self.words.get(" ".join(words[at:at + length]))
                    if not parts and length == 1 and len(words[at]) > 6:
                        parts = self.stems.get(words[at].rstrip("aeo"))
                    if parts:
                        found |= parts
                        at += length - 1
                        break
                at += 1
            if found:
                return frozenset() if LOCAL.search(text) else frozenset(found)
        return None

    def is_suspect(self, texts):
        """A name that speaks of a drug of interest, by its stem alone."""
        return any(STEMS.search(BEFORE.split(text)[0]) for text in texts)

    def judge(self, codings, texts):
        """(ingredients or None, how): codes first, then text."""
        drugs = self.by_codes(codings)
        if drugs is not None:
            return drugs, "code"
        drugs = self.by_text(*texts)
        return drugs, "text" if drugs is not None else "unknown"
