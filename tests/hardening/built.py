#!/usr/bin/env python3
"""Every program and shared object of a build is hardened as Debian's own packages are."""
import argparse
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from elf import Elf, is_elf, problems

arguments = argparse.ArgumentParser()
for name in ("--program", "--folder", "--readelf"):
    arguments.add_argument(name, required=True)
arguments.add_argument("--fortified", choices=("yes", "no"), required=True)
given = arguments.parse_args()

# Names of OpenSSL's functions: what a library in the same process would be bound to, did the program offer them.
OPENSSL = re.compile(r"(SSL|EVP|CRYPTO|OPENSSL|OSSL|ERR|BIO|BN|RAND|PEM|ASN1|X509|EC|RSA)_")


def built():
    """The programs and shared objects below a folder; a build may have made a part of them only."""
    for root, folders, files in os.walk(given.folder):
        # A build within the build, as that of the examples by the installed library, has settings of its own.
        folders[:] = [name for name in folders if name not in ("CMakeFiles", "Testing", "_deps")
                      and not os.path.exists(os.path.join(root, name, "CMakeCache.txt"))]
        for path in (pathlib.Path(root) / name for name in files):
            if path.suffix not in (".o", ".a", ".gch", ".pch") and path.is_file() and not path.is_symlink() and is_elf(path):
                yield path


class Built(unittest.TestCase):
    program = Elf(given.readelf, given.program)

    def test_everything_is_hardened(self):
        paths = list(built())
        self.assertIn(pathlib.Path(given.program), paths)
        self.assertEqual([], [f"{path} {problem}" for path in paths for problem in problems(Elf(given.readelf, path))])

    def test_stack_and_buffers_are_guarded(self):
        imports = self.program.imports()
        self.assertIn("__stack_chk_fail", imports)
        if given.fortified == "yes":
            self.assertTrue({"__memcpy_chk", "__read_chk", "__snprintf_chk", "__memset_chk"} & imports, "nothing is fortified")

    @unittest.skipUnless(platform.machine() == "x86_64", "the instruction is x86's")
    def test_branches_have_marked_targets(self):
        start = subprocess.run(["nm", given.program], capture_output=True, text=True, check=False).stdout
        main = re.search(r"^([0-9a-f]+) T main$", start, re.MULTILINE)
        if main is None:
            self.skipTest("the program has no symbols")
        listing = subprocess.run(["objdump", "-d", f"--start-address=0x{main[1]}", f"--stop-address={int(main[1], 16) + 4:#x}",
                                  given.program], capture_output=True, text=True, check=True)
        self.assertIn("endbr64", listing.stdout)

    def test_no_function_of_openssl_is_offered_to_libraries(self):
        self.assertEqual([], sorted(name for name in self.program.exports() if OPENSSL.match(name)))

    def test_libraries_are_bound_to_their_own_openssl(self):
        done = subprocess.run([given.program, "version"], capture_output=True, text=True, check=True,
                              env={**os.environ, "LD_DEBUG": "bindings"})
        bound = [line for line in done.stderr.splitlines()
                 if (found := re.search(r"binding file (\S+) \[0\] to (\S+) \[0\]: .* symbol `(\w+)'", line))
                 and OPENSSL.match(found[3]) and pathlib.Path(found[2]).name == "qsp"]
        self.assertIn("binding file", done.stderr)
        self.assertEqual([], bound)

    def test_an_openssl_within_reads_its_settings_and_modules_where_root_alone_writes(self):
        """Nothing is found where it is the system's: the program only asks it."""
        within = pathlib.Path(given.program).read_bytes()
        for path in re.findall(rb"(/[ -~]*/(?:ossl-modules|engines-3))\0", within):
            self.assertRegex(path, rb"^/usr/lib/")
        self.assertEqual([], re.findall(rb"/(?:home|root|tmp|build)/[ -~]*/ssl\0", within))

    def test_no_library_is_taken_from_the_current_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in self.program.needed():
                (pathlib.Path(folder) / name).write_text("planted")
            done = subprocess.run([given.program, "version"], cwd=folder, capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
