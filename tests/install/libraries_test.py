#!/usr/bin/env python3
"""What is installed: headers that stand alone, and libraries that show what the headers offer and nothing else."""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "hardening"))
from elf import Elf, problems

arguments = argparse.ArgumentParser()
for name in ("--build", "--source", "--cmake", "--compiler", "--readelf", "--kinds", "--components"):
    arguments.add_argument(name, required=True)
given = arguments.parse_args()

COMPONENTS = {"qsp" if name == "core" else f"qsp-{name}" for name in given.components.split(" ")}
# Namespaces of the public headers; all others are rooms.
PUBLIC = {"crypto", "keysource", "tcp"}


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.prefix = pathlib.Path(cls.folder.name) / "prefix"
        subprocess.run([given.cmake, "--install", given.build, "--component", "library", "--prefix", cls.prefix], check=True, capture_output=True)
        cls.headers = sorted((cls.prefix / "include/qsp").glob("*.hpp"))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def libraries(self):
        if "shared" not in given.kinds:
            self.skipTest("under a sanitizer there are archives only")
        found = {path.name: path for path in self.prefix.rglob("*.so")}
        self.assertEqual(set(found), {f"lib{name}.so" for name in COMPONENTS})
        return found

    def test_every_header_compiles_alone(self):
        self.assertIn("version.hpp", [path.name for path in self.headers])
        for header in self.headers:
            with self.subTest(header.name):
                done = subprocess.run([given.compiler, "-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{self.prefix}/include",
                                       "-include", f"qsp/{header.name}", "-x", "c++", "/dev/null"], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_header_of_all_has_every_header_of_the_core(self):
        beside = {"openssl", "awslc", "identity", "qkd", "tcp", "asio", "failure", "qsp"}
        included = set(re.findall(r'#include "qsp/(\w+)\.hpp"', (self.prefix / "include/qsp/qsp.hpp").read_text()))
        self.assertEqual(included, {path.stem for path in self.headers} - beside)

    def test_the_version_is_the_projects(self):
        project = re.search(r"project\(qsp VERSION (\S+)", (pathlib.Path(given.source) / "CMakeLists.txt").read_text())[1]
        self.assertIn(f'kVersion = "{project}"', (self.prefix / "include/qsp/version.hpp").read_text())
        for path in self.prefix.rglob("*.pc"):
            self.assertIn(f"Version: {project}\n", path.read_text())

    def test_there_is_a_package_for_each_component_and_it_names_no_folder_of_this_machine(self):
        found = {path.stem: path.read_text() for path in self.prefix.rglob("*.pc")}
        self.assertEqual(set(found), COMPONENTS)
        for text in [*found.values(), *(path.read_text() for path in self.prefix.rglob("*.cmake"))]:
            for folder in (given.build, given.source, str(self.prefix)):
                self.assertNotIn(folder, text)

    def test_libraries_have_a_soname_and_are_hardened(self):
        for name, path in self.libraries().items():
            elf = Elf(given.readelf, path.resolve())
            self.assertRegex(elf.text, rf"\(SONAME\)\s+Library soname: \[{re.escape(name)}\.1\]")
            self.assertEqual([], list(problems(elf)), name)
            others = {needed for needed in elf.needed() if needed.startswith("libqsp")}
            self.assertEqual(others, set() if name == "libqsp.so" else {"libqsp.so.1"})

    def test_libraries_show_what_the_headers_offer_and_nothing_else(self):
        offered = " ".join(path.read_text() for path in self.headers)
        for name, path in self.libraries().items():
            shown = Elf(given.readelf, path.resolve()).exports() - {"QSP_1"}
            self.assertTrue(shown, name)
            plain = subprocess.run(["c++filt"], input="\n".join(sorted(shown)), capture_output=True, text=True, check=True).stdout
            for symbol in plain.splitlines():
                with self.subTest(f"{name}: {symbol}"):
                    found = re.match(r"(?:typeinfo for |typeinfo name for |vtable for )?qsp::((?:[\w~]+(?:\[abi:\w+\])?::)*)([\w~]+)", symbol)
                    self.assertIsNotNone(found)
                    outer = [part for part in found[1].split("::") if part]
                    self.assertTrue(not outer or outer[0] in PUBLIC or re.search(rf"\b(class|struct) QSP_EXPORT {outer[0]}\b|\b{outer[0]} \{{", offered))
                    self.assertRegex(offered, rf"\b{re.escape(found[2].lstrip('~'))}\b")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
