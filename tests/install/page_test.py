#!/usr/bin/env python3
"""Each listing of docs/embedding.md is a file of examples/, whole, and no program is longer than the page says.

usage: page_test.py SOURCE"""

import pathlib
import re
import sys
import unittest

SOURCE = pathlib.Path(sys.argv[1])
MOST_LINES = 40


class Page(unittest.TestCase):
    def setUp(self):
        text = (SOURCE / "docs/embedding.md").read_text()
        self.listings = dict(re.findall(r"(?m)^`(examples/\S+)`:\n```(?:cpp|cmake)\n((?:.*\n)*?)```$", text))
        self.fences = re.findall(r"(?m)^```(cpp|cmake)$", text)

    def test_the_listings_are_the_files(self):
        self.assertEqual(len(self.listings), len(self.fences), "a listing without its file's name above it")
        for name, listing in self.listings.items():
            with self.subTest(name):
                self.assertEqual(listing, (SOURCE / name).read_text())

    def test_every_program_is_on_the_page_and_short(self):
        programs = {str(path.relative_to(SOURCE)) for path in (SOURCE / "examples").glob("*/*.?pp")}
        self.assertGreaterEqual(len(programs), 10)
        self.assertEqual(programs - set(self.listings), set())
        for name in programs:
            self.assertLessEqual(len((SOURCE / name).read_text().splitlines()), MOST_LINES, name)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
