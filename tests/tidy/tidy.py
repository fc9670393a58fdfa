#!/usr/bin/env python3
"""What the compiler cannot check: the architecture, sizes, banned calls, and what the repo may say.

Every complaint reads "file:line: what is wrong".  Run as `ctest -R tidy`, or: tidy.py [FOLDER].
Each check is a function of a Tree, so that tidy_test.py can feed it small bad trees.
"""
import pathlib
import re
import shutil
import subprocess
import sys

FILE_MAX, FUNCTION_MAX, LINE_MAX, PARAMETERS_MAX = 600, 60, 100, 5

# Headers that belong to somebody: rules.txt says to whom.
OUTSIDE = ("uv.h", "openssl/", "yajl/", "sqlite3.h", "libpq-fe.h", "curl/", "zstd.h", "zdict.h", "zlib.h",
           "llhttp.h", "nghttp2/")
PURE = {"domain", "http", "auth", "mapping", "therapy", "plan", "cds", "audit", "fhir"}
COMMANDS = "app"  # gateway/*.c may include what app/ may

BANNED = re.compile(r"(?<![\w.>])(strcpy|strcat|strncpy|strncat|sprintf|vsprintf|strtok|gets|atoi|atol|"
                    r"gmtime|localtime|ctime|asctime|assert|alloca)\s*\(")
ALLOCATES = re.compile(r"(?<![\w.>])(malloc|calloc|realloc|free|strdup|strndup|asprintf)\s*\(")
IMPURE = re.compile(r"(?<![\w.>])(time|clock|clock_gettime|gettimeofday|rand|random|srand|getrandom|"
                    r"printf|fprintf|puts|fopen|open|read|write|close|getenv|socket|send|recv|"
                    r"pthread_\w+|uv_\w+|clock_wall_ms|clock_monotonic_ns)\s*\(")
RULE_ID = re.compile(r"\b(?:LOT|SAL|EXP|EVD|PLAN|AUD)-\d{3}\b")

# Written in halves, so that this file does not complain about itself.
FORBIDDEN_WORDS = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "for " + "now", "st" + "ub")
MACHINE_PATHS = ("/" + "work/", "/" + "home/", "/" + "root/", "/" + "Users/")
REGISTRIES = ("docker" + ".io", "ghcr" + ".io", "quay" + ".io", "gcr" + ".io", "registry." + "npmjs",
              "npmjs" + ".org", "pypi" + ".org", "deb." + "debian.org", "hub." + "docker")

TEXT_SUFFIXES = {".c", ".h", ".py", ".sh", ".md", ".txt", ".json", ".tsv", ".yaml", ".yml", ".mjs",
                 ".js", ".cmake", ".lua", ".html", ".css", ""}
SKIPPED_FOLDERS = {".git", "node_modules", "__pycache__", "dev"}
# Data and generated seeds say what they must; rules of style are for what people write.
DATA_FOLDERS = ("mappings/", "tests/fuzz/", "tests/golden/", "gateway/samples/")


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.complaints = []
        self.skipped = []

    def complain(self, path, line, what):
        self.complaints.append(f"{path.relative_to(self.root)}:{line}: {what}")

    def name(self, path):
        return path.relative_to(self.root).as_posix()

    def files(self, *suffixes, under=""):
        """Files that belong to the repo, without build folders and what was installed."""
        base = self.root / under
        if not base.is_dir():
            return
        for path in sorted(base.rglob("*")):
            parts = path.relative_to(self.root).parts
            if not path.is_file() or any(p in SKIPPED_FOLDERS for p in parts[:-1]):
                continue
            if parts[0].startswith("build"):
                continue
            if not suffixes or path.suffix in suffixes:
                yield path

    def lines(self, path):
        return path.read_text(errors="replace").splitlines()


def without_comments(text):
    """The code with comments and strings blanked, line by line the same."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text).splitlines()


# --- the architecture -----------------------------------------------------------------------------

def load_rules(tree):
    rules = {}
    path = tree.root / "tests/tidy/rules.txt"
    if not path.is_file():
        return rules
    for number, line in enumerate(tree.lines(path), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [part.split() for part in line.split(":")]
        if len(fields) != 3 or len(fields[0]) != 1:
            tree.complain(path, number, "expected: module : modules : outside headers")
            continue
        rules[fields[0][0]] = (set(fields[1]) | {fields[0][0]}, set(fields[2]))
    return rules


def check_includes(tree):
    rules = load_rules(tree)
    for path in tree.files(".c", ".h", under="gateway"):
        parts = path.relative_to(tree.root / "gateway").parts
        module = parts[0] if len(parts) > 1 else COMMANDS
        if module not in rules:
            tree.complain(path, 1, f"{module}/ is not in tests/tidy/rules.txt")
            continue
        inner, outer = rules[module]
        for number, line in enumerate(tree.lines(path), 1):
            match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)', line)
            if not match:
                continue
            target = match[1]
            owner = target.split("/")[0]
            if owner in rules and "/" in target:
                if target.endswith("_int.h") and owner != module:
                    tree.complain(path, number, f'"{target}" is private to {owner}/')
                if owner not in inner and "*" not in inner:
                    tree.complain(path, number,
                                  f"{module}/ may not include {owner}/ (tests/tidy/rules.txt)")
            elif target.startswith(OUTSIDE) and target not in outer:
                tree.complain(path, number, f"{module}/ may not include <{target}>")


def check_linked(tree):
    """CMake links what rules.txt allows, so the linker agrees with the include rule."""
    rules = load_rules(tree)
    path = tree.root / "CMakeLists.txt"
    if not path.is_file():
        return
    text = path.read_text()
    for match in re.finditer(r"^lifeline_module\(([^)]*)\)", text, re.M):
        words = match[1].split()
        number = text[:match.start()].count("\n") + 1
        inner = words[1:words.index("LIBS")] if "LIBS" in words else words[1:]
        allowed = rules.get(words[0])
        if allowed is None:
            tree.complain(path, number, f"{words[0]} is not in tests/tidy/rules.txt")
        elif "*" not in allowed[0]:
            for extra in sorted(set(inner) - allowed[0]):
                tree.complain(path, number, f"{words[0]} links {extra}, which rules.txt forbids")


def check_calls(tree):
    for path in tree.files(".c", ".h", under="gateway"):
        parts = path.relative_to(tree.root / "gateway").parts
        module = parts[0] if len(parts) > 1 else COMMANDS
        for number, line in enumerate(without_comments(path.read_text(errors="replace")), 1):
            if match := BANNED.search(line):
                tree.complain(path, number, f"{match[1]}() is banned")
            if module != "base" and (match := ALLOCATES.search(line)):
                tree.complain(path, number, f"{match[1]}() outside of base/: use an arena or a pool")
            if module in PURE and (match := IMPURE.search(line)):
                tree.complain(path, number, f"{match[1]}() in {module}/, which is pure")


# --- sizes and shape ------------------------------------------------------------------------------

def check_sizes(tree):
    for path in tree.files(".c", ".h", under="gateway"):
        lines = tree.lines(path)
        if len(lines) > FILE_MAX:
            tree.complain(path, 1, f"{len(lines)} lines; split it (limit {FILE_MAX})")
        table = False  # tables between clang-format off and on may be wider
        for number, line in enumerate(lines, 1):
            if "clang-format off" in line or "clang-format on" in line:
                table = "clang-format off" in line
            if len(line) > LINE_MAX and not table:
                tree.complain(path, number, f"line of {len(line)} characters (limit {LINE_MAX})")
        check_functions(tree, path, lines)


def check_functions(tree, path, lines):
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start - 1 > FUNCTION_MAX:
                tree.complain(path, start, f"function of {number - start - 1} lines "
                                           f"(limit {FUNCTION_MAX})")
            start = None


HEADER_WORDS = ("What", "Owns", "Errors", "Thread", "Rules", "Testing", "Backends")


def check_headers(tree):
    for path in tree.files(".h", under="gateway"):
        name = path.relative_to(tree.root / "gateway").as_posix()
        lines = tree.lines(path)
        first = lines[0] if lines else ""
        if not re.match(rf"/\* {re.escape(name)} -- \S", first):
            tree.complain(path, 1, f"a header begins with '/* {name} -- what it is for'")
        if not any(re.match(r"#pragma once", line) for line in lines):
            tree.complain(path, 1, "#pragma once is missing")


# --- what is written ------------------------------------------------------------------------------

def check_words(tree):
    for path in tree.files(*TEXT_SUFFIXES):
        name = tree.name(path)
        if name.startswith(DATA_FOLDERS) or path.name in ("package-lock.json",):
            continue
        for number, line in enumerate(tree.lines(path), 1):
            for word in FORBIDDEN_WORDS:
                if re.search(rf"\b{re.escape(word)}\b", line):
                    tree.complain(path, number, f"'{word}' is left over")
            for place in MACHINE_PATHS:
                if re.search(rf"(?<![\w.~/-]){re.escape(place)}", line):
                    tree.complain(path, number, f"a path of one machine: {place}...")
            for host in REGISTRIES:
                if host in line:
                    tree.complain(path, number, "a package registry's host name")


def check_requirements(tree):
    """Every rule id that gateway/ or mappings/ speaks of is cited by at least one test."""
    tested = set()
    for path in tree.files(under="tests"):
        if path.suffix in (".c", ".h", ".md", ".py", ".json", ".expect", ".txt", ".jsonl"):
            tested.update(RULE_ID.findall(path.read_text(errors="replace")))
    told = set()
    for path in list(tree.files(".c", ".h", ".md", under="gateway")):
        for number, line in enumerate(tree.lines(path), 1):
            for missing in sorted(set(RULE_ID.findall(line)) - tested - told):
                told.add(missing)
                tree.complain(path, number, f"{missing} has no test that names it")


def check_readmes(tree):
    folders = {path.parent for path in tree.files(".c", ".h", ".py", ".sh", ".tsv", ".mjs")
               if tree.name(path).split("/")[0] in ("gateway", "tests", "mappings", "certs", "docker")}
    for folder in sorted(folders):
        name = folder.relative_to(tree.root).as_posix()
        has_one = (folder / "README.md").is_file() or name == "gateway" and \
            (folder / "ARCHITECTURE.md").is_file()
        inside_told = any((tree.root / up / "README.md").is_file()
                          for up in [p.as_posix() for p in pathlib.Path(name).parents]
                          if up.startswith("tests"))
        if not has_one and not (name.startswith("tests/") and inside_told):
            tree.complain(folder, 1, "README.md is missing: what is here, and how does it hang together")


def check_format(tree):
    tool = shutil.which("clang-format") or shutil.which("clang-format-14")
    if tool is None:
        tree.skipped.append("formatting: clang-format is not installed")
        return
    paths = [p for folder in ("gateway", "tests") for p in tree.files(".c", ".h", under=folder)]
    for start in range(0, len(paths), 50):
        done = subprocess.run([tool, "--dry-run", *map(str, paths[start:start + 50])],
                              capture_output=True, text=True, cwd=tree.root, check=False)
        seen = set()
        for line in done.stderr.splitlines():
            match = re.match(r"(.+?):(\d+):\d+: warning: .*clang-format-violations", line)
            if match and match[1] not in seen:
                seen.add(match[1])
                tree.complain(pathlib.Path(match[1]).resolve(), match[2], "run clang-format -i")


CHECKS = (check_includes, check_linked, check_calls, check_sizes, check_headers, check_words,
          check_requirements, check_readmes, check_format)


def main(root):
    tree = Tree(root)
    for check in CHECKS:
        check(tree)
    for what in tree.skipped:
        print(f"SKIPPED {what}")
    print("\n".join(sorted(tree.complaints)) or "tidy")
    return 1 if tree.complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "."))
