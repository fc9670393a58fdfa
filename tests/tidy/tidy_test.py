#!/usr/bin/env python3
"""Feeds tidy.py small bad trees: a check that cannot complain is no check."""
import pathlib
import tempfile
import unittest

import tidy

RULES = """# comment
base    :             : openssl/evp.h
therapy : base        :
store   : base        : sqlite3.h
app     : *           : uv.h
"""
HEADER = "/* therapy/x.h -- what it is for.\n */\n#pragma once\n"


class TidyTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.write("tests/tidy/rules.txt", RULES)

    def write(self, name, text):
        path = pathlib.Path(self.folder.name, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def complaints(self, check):
        tree = tidy.Tree(self.folder.name)
        check(tree)
        return tree.complaints

    def says(self, check, *expected):
        self.assertEqual(self.complaints(check), list(expected))

    # --- the architecture ---

    def test_a_module_includes_only_what_it_may(self):
        self.write("gateway/therapy/x.c", '#include "base/err.h"\n#include "store/store.h"\n')
        self.says(tidy.check_includes, "gateway/therapy/x.c:2: therapy/ may not include store/ "
                                       "(tests/tidy/rules.txt)")

    def test_a_private_header_stays_in_its_folder(self):
        self.write("gateway/store/x.c", '#include "base/arena_int.h"\n#include "store/x_int.h"\n')
        self.says(tidy.check_includes, 'gateway/store/x.c:1: "base/arena_int.h" is private to base/')

    def test_a_library_has_owners(self):
        self.write("gateway/therapy/x.c", "#include <sqlite3.h>\n#include <string.h>\n")
        self.write("gateway/store/x.c", "#include <sqlite3.h>\n")
        self.says(tidy.check_includes, "gateway/therapy/x.c:1: therapy/ may not include <sqlite3.h>")

    def test_commands_may_include_what_app_may(self):
        self.write("gateway/main.c", '#include "store/store.h"\n#include <uv.h>\n#include <sqlite3.h>\n')
        self.says(tidy.check_includes, "gateway/main.c:3: app/ may not include <sqlite3.h>")

    def test_a_folder_without_rules_is_named(self):
        self.write("gateway/novel/x.c", "\n")
        self.says(tidy.check_includes, "gateway/novel/x.c:1: novel/ is not in tests/tidy/rules.txt")

    def test_a_broken_rule_is_named(self):
        self.write("tests/tidy/rules.txt", "base\n")
        self.says(tidy.load_rules, "tests/tidy/rules.txt:1: expected: module : modules : outside headers")

    def test_cmake_links_no_more_than_the_rules_allow(self):
        self.write("CMakeLists.txt", "lifeline_module(base)\nlifeline_module(therapy base\n  store LIBS m)\n")
        self.says(tidy.check_linked, "CMakeLists.txt:2: therapy links store, which rules.txt forbids")

    # --- calls ---

    def test_banned_calls(self):
        self.write("gateway/base/x.c", "x = strcpy(a, b);\ny = my_strcpy(a);\n/* strcpy( */\n")
        self.says(tidy.check_calls, "gateway/base/x.c:1: strcpy() is banned")

    def test_words_in_strings_are_no_calls(self):
        self.write("gateway/base/x.c", 'say("atoi(x)");\n')
        self.says(tidy.check_calls)

    def test_only_base_allocates(self):
        self.write("gateway/base/x.c", "p = malloc(1);\n")
        self.write("gateway/store/x.c", "p = malloc(1);\nrow->free(p);\n")
        self.says(tidy.check_calls, "gateway/store/x.c:1: malloc() outside of base/: use an arena or a pool")

    def test_pure_modules_know_no_clock(self):
        self.write("gateway/therapy/x.c", "now = clock_gettime(0, &t);\n")
        self.write("gateway/store/x.c", "now = clock_gettime(0, &t);\n")
        self.says(tidy.check_calls, "gateway/therapy/x.c:1: clock_gettime() in therapy/, which is pure")

    # --- sizes and shape ---

    def test_a_file_of_600_lines_is_the_longest(self):
        self.write("gateway/base/ok.c", "\n" * 600)
        self.write("gateway/base/x.c", "\n" * 601)
        self.says(tidy.check_sizes, "gateway/base/x.c:1: 601 lines; split it (limit 600)")

    def test_a_function_of_60_lines_is_the_longest(self):
        self.write("gateway/base/ok.c", "int f(void)\n{\n" + "    a;\n" * 60 + "}\n")
        self.write("gateway/base/x.c", "int f(void)\n{\n" + "    a;\n" * 61 + "}\n")
        self.says(tidy.check_sizes, "gateway/base/x.c:2: function of 61 lines (limit 60)")

    def test_a_line_of_100_characters_is_the_longest_outside_of_tables(self):
        self.write("gateway/base/ok.c", "x" * 100 + "\n/* clang-format off */\n" + "x" * 120 +
                   "\n/* clang-format on */\n")
        self.write("gateway/base/x.c", "x" * 101 + "\n")
        self.says(tidy.check_sizes, "gateway/base/x.c:1: line of 101 characters (limit 100)")

    def test_a_header_says_what_it_is_for(self):
        self.write("gateway/therapy/x.h", HEADER)
        self.write("gateway/therapy/y.h", HEADER)
        self.write("gateway/therapy/z.h", "/* therapy/z.h -- a thing. */\n")
        self.says(tidy.check_headers,
                  "gateway/therapy/y.h:1: a header begins with '/* therapy/y.h -- what it is for'",
                  "gateway/therapy/z.h:1: #pragma once is missing")

    # --- what is written ---

    def test_left_over_words(self):
        word = "TO" + "DO"
        self.write("gateway/base/x.c", f"/* {word}: later */\n/* mastodon{word.lower()} */\n")
        self.says(tidy.check_words, f"gateway/base/x.c:1: '{word}' is left over")

    def test_paths_of_one_machine(self):
        self.write("README.md", "see /" + "home/me/x\nsee ../shared and a/" + "home/x\n")
        self.says(tidy.check_words, "README.md:1: a path of one machine: /" + "home/...")

    def test_host_names_of_registries(self):
        host = "quay" + ".io"
        self.write("docker/compose.yaml", f"image: {host}/x\n")
        self.says(tidy.check_words, "docker/compose.yaml:1: a package registry's host name")

    def test_every_rule_has_a_test(self):
        self.write("gateway/therapy/x.c", "/* LOT-004, LOT-005 */\n")
        self.write("tests/golden/a.md", "LOT-004 LOT-005x\n")
        self.says(tidy.check_requirements, "gateway/therapy/x.c:1: LOT-005 has no test that names it")

    def test_every_folder_explains_itself(self):
        self.write("gateway/base/x.c", "\n")
        self.write("gateway/store/x.c", "\n")
        self.write("gateway/store/README.md", "\n")
        self.says(tidy.check_readmes,
                  "gateway/base:1: README.md is missing: what is here, and how does it hang together")

    def test_build_folders_are_not_looked_at(self):
        self.write("build/gateway/x.c", "TO" + "DO\n")
        self.write("gateway/node_modules/x.js", "TO" + "DO\n")
        self.says(tidy.check_words)

    @unittest.skipIf(tidy.shutil.which("clang-format") is None, "clang-format is not installed")
    def test_badly_formatted_code_is_named_once(self):
        self.write(".clang-format", "BasedOnStyle: LLVM\n")
        self.write("gateway/base/x.c", "int   a;\nint   b;\n")
        self.says(tidy.check_format, "gateway/base/x.c:1: run clang-format -i")


if __name__ == "__main__":
    unittest.main()
