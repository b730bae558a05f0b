#!/usr/bin/env python3
"""No name of AWS-LC's can be taken for one of OpenSSL's, or for one of another AWS-LC in the same process.
usage: see the arguments below; tests/awslc/CMakeLists.txt has them."""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import unittest

arguments = argparse.ArgumentParser()
for name in ("--archive", "--prefix", "--readelf", "--openssl", "--pq", "--objects"):
    arguments.add_argument(name, required=True)
given = arguments.parse_args()


def symbols(path, table="--syms"):
    """(name, type, binding, visibility, whether it is defined) of the symbols that more than one file can see."""
    done = subprocess.run([given.readelf, "--wide", table, str(path)], capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"})
    for line in done.stdout.splitlines():
        columns = line.split()
        if len(columns) >= 8 and re.fullmatch(r"\d+:", columns[0]) and columns[4] in ("GLOBAL", "WEAK", "UNIQUE"):
            yield columns[7].partition("@")[0], columns[3], columns[4], columns[5], columns[6] != "UND"


def libraries_of(path):
    done = subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=True)
    return re.findall(r"=> (/\S+)", done.stdout)


class Names(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.symbols = list(symbols(given.archive))
        cls.defined = {name for name, *_, defined in cls.symbols if defined}

    def test_all_bear_the_prefix(self):
        self.assertGreater(len(self.defined), 3000)
        self.assertEqual([], sorted(name for name in self.defined if not name.startswith(given.prefix + "_")))

    def test_all_are_hidden(self):
        self.assertEqual([], sorted(name for name, _, _, visibility, defined in self.symbols if defined and visibility != "HIDDEN"))

    def test_nothing_is_asked_of_whatever_is_in_the_process(self):
        self.assertEqual([], sorted({name for name, _, binding, _, defined in self.symbols if not defined and binding == "WEAK"}))
        needed = {name for name, *_, defined in self.symbols if not defined and not name.startswith(given.prefix + "_")}
        self.assertEqual([], sorted(name for name in needed if re.match(r"[A-Z][A-Z0-9a-z]*_[A-Za-z]", name) and name != "_GLOBAL_OFFSET_TABLE_"))

    def test_none_is_in_a_library_that_comes_into_the_same_process(self):
        libraries = {*given.openssl.split(","), given.pq, *libraries_of(given.pq), *libraries_of(given.objects.split(";")[0])}
        self.assertTrue({"libcrypto", "libssl", "libpq"} <= {pathlib.Path(path).name.partition(".")[0] for path in libraries}, libraries)
        for path in sorted(libraries):
            with self.subTest(path):
                table = "--syms" if path.endswith(".a") else "--dyn-syms"
                others = {name for name, *_, defined in symbols(path, table) if defined}
                self.assertTrue(others or "ld-linux" in path)
                self.assertEqual(set(), others & self.defined)

    def test_no_program_or_library_shows_one_or_asks_for_one(self):
        bare = {name.removeprefix(given.prefix + "_") for name in self.defined}
        for path in given.objects.split(";"):
            with self.subTest(path):
                found = list(symbols(path, "--dyn-syms"))
                self.assertTrue(found)
                self.assertEqual([], sorted(name for name, *_ in found if "awslc_" in name and name.startswith(given.prefix)))
                if pathlib.Path(path).name.startswith("libqsp-awslc"):
                    self.assertEqual([], sorted(name for name, *_ in found if name in bare))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
