#!/usr/bin/env python3
"""A check that cannot complain is no check: table.py on small inputs."""
import pathlib
import tempfile
import unittest

import table

ROWS = [("A1.1", "M", "formats", ""), ("A1.2", "S", "refusals", "not done: nobody asks"), ("K1", "M", "discovery", "")]


class TableTest(unittest.TestCase):
    def test_where_rows_are_named(self):
        for text, rows in (('"""A1.1, K1: formats"""', ["A1.1", "K1"]), ('{ "A1.1: a row", VERB_GET }', ["A1.1"]),
                           ("/* K1: one service\n", ["K1"]), (" * A3.8: six cases\n", ["A3.8"]),
                           ('{ "C83.3", "D1" }', []), ("see A1.1 for more", []), ("# B3: the cache", ["B3"])):
            self.assertEqual(table.mentions_of(text), rows, text)

    def test_a_row_without_test_and_reason(self):
        self.assertEqual(table.complaints_of(ROWS, {"A1.1": ["t"]}), ["K1 has neither a test nor a reason"])
        self.assertEqual(table.complaints_of(ROWS, {"A1.1": ["t"], "K1": ["t"]}), [])

    def test_a_test_of_a_row_that_is_not_there(self):
        tests = {"A1.1": ["t"], "K1": ["t"], "A9.9": ["u"]}
        self.assertEqual(table.complaints_of(ROWS, tests), ["u: there is no row A9.9"])

    def test_rows_that_cannot_be_read(self):
        for text in ("A1.1\tM\twhat", "A1.1\tX\twhat\t", "A1.1\tM\t\t"):
            with self.assertRaises(ValueError):
                table.read_rows(text)

    def test_how_the_tests_ended(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "gcc.log").write_text(
                " 3/9 Test  #3: fhir_read_test ...........   Passed    0.1 sec\n"
                " 4/9 Test  #4: fhir_route_test ..........***Failed    0.1 sec\n")
            pathlib.Path(folder, "e2e.log").write_text("t02_rest: 20 passed, 0 failed, 0 skipped\n"
                                                       "t06_cds: 7 passed, 1 failed, 0 skipped\n")
            self.assertEqual(table.results_of(folder), {"fhir_read_test": "passed", "fhir_route_test": "FAILED",
                                                        "t02_rest": "passed", "t06_cds": "FAILED"})

    def test_a_stale_table_is_seen(self):
        page = f"# Tests\n{table.BEGIN}\nold\n{table.END}\nmore\n"
        lines = table.table(ROWS, {"A1.1": ["t"]})
        self.assertNotEqual(table.spliced(page, lines), page)
        self.assertEqual(table.spliced(table.spliced(page, lines), lines), table.spliced(page, lines))


if __name__ == "__main__":
    unittest.main()
