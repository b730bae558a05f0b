#!/usr/bin/env python3
"""`cmake --install` takes what was built, and whoever may run the installed program can."""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from elf import Elf, problems

arguments = argparse.ArgumentParser()
for name in ("--program", "--build", "--cmake", "--readelf"):
    arguments.add_argument(name, required=True)
given = arguments.parse_args()

NOBODY = 65534


class Installed(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        os.chmod(self.folder.name, 0o755)
        self.prefix = pathlib.Path(self.folder.name) / "prefix"
        done = subprocess.run([given.cmake, "--install", given.build, "--strip", "--prefix", str(self.prefix)],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.program = self.prefix / "bin" / "qsp"

    def test_it_is_the_program_alone(self):
        files = [str(path.relative_to(self.prefix)) for path in self.prefix.rglob("*") if not path.is_dir()]
        self.assertEqual(files, ["bin/qsp"])

    def test_it_is_hardened(self):
        self.assertEqual([], list(problems(Elf(given.readelf, self.program))))

    def test_it_runs_where_it_was_not_built(self):
        done = subprocess.run([str(self.program), "version"], cwd="/", env={}, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("OpenSSL", done.stdout)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "only root can become another user")
    def test_another_user_runs_it(self):
        done = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", str(self.program), "version"],
                              cwd="/", env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
