#!/usr/bin/env python3
"""Two processes, one on each cryptographic library, understand each other whatever they agree on, and a key file is the
same to both. Without AWS-LC in the program there is nothing to try: exit code 77.
usage: providers_test.py QSP"""
import itertools
import json
import subprocess
import sys
import unittest

from program import PATIENCE, QSP, World, qsp

VERSION = json.loads(qsp("version", "--json").stdout)
if not VERSION["awslc"]:
    print("this program is built without AWS-LC")
    sys.exit(77)
LIBRARIES = ("openssl", "awslc")
WHO = {"openssl": "OpenSSL ", "awslc": "AWS-LC "}
LACKING = {("awslc", "SLH-DSA-SHA2-128s")}
DATA = bytes(range(256)) * 300


def names(what):
    return [row if isinstance(row, str) else row["name"] for row in VERSION[what]]


def client_command(world, port, library, signature, *args):
    return ["env", f"QSP_PROVIDER={library}",
            *world.dialler(port, "--check-echo", "--log-level", "debug", *args, key=f"alice-{signature}", peers=f"alice-{signature}.toml")]


class Providers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        for at, signature in enumerate(names("signatures")):
            # Keys of both makers, read by both.
            maker = ["openssl" if signature == "SLH-DSA-SHA2-128s" else LIBRARIES[at % 2]]
            for name in ("alice", "bob"):
                cls.world.keygen(f"{name}-{signature}", "--alg", signature, "--provider", *maker)
            cls.world.pin(f"bob-{signature}.toml", name="alice", connect=True, key_file=f"alice-{signature}.key.pub")
            cls.world.pin(f"alice-{signature}.toml", name="bob", serve=True, key_file=f"bob-{signature}.key.pub")

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def session(self, port, libraries, signature, kem, aead):
        """One session with rekeys, whose echo is compared."""
        done = subprocess.run(client_command(self.world, port, libraries[1], signature, "--kem", kem, "--aead", aead),
                              input=DATA, capture_output=True, timeout=PATIENCE, check=False)
        told = done.stderr.decode()
        self.assertEqual(done.returncode, 0, told)
        self.assertIn(f": {kem}, {signature} here, {signature} there, {aead}, no QKD", told)
        self.assertIn(f"cryptography by {WHO[libraries[1]]}", told)
        self.assertRegex(told, r"epoch 2: fresh KEM key")

    def test_every_kem_signature_and_aead_in_both_roles(self):
        tried = 0
        for serving, dialling in (LIBRARIES, LIBRARIES[::-1]):
            for signature in names("signatures"):
                if {(serving, signature), (dialling, signature)} & LACKING:
                    continue
                with self.world.server("--provider", serving, "--log-level", "debug", "--accept-signature", signature, "--rekey-after", "2", "--kem",
                                       *names("kems"), "--aead", *names("aeads"), keys=(f"bob-{signature}",),
                                       peers=f"bob-{signature}.toml") as (port, _, log):
                    for kem, aead in itertools.product(names("kems"), names("aeads")):
                        with self.subTest(serving=serving, signature=signature, kem=kem, aead=aead):
                            self.session(port, (serving, dialling), signature, kem, aead)
                            tried += 1
                    self.assertIn(f"cryptography by {WHO[serving]}", log())
                    self.assertNotIn(f"cryptography by {WHO[dialling]}", log())
        lacking = sum(signature in names("signatures") for _, signature in LACKING)
        self.assertEqual(tried, 2 * (len(names("signatures")) - lacking) * len(names("kems")) * len(names("aeads")))

    def test_what_a_library_lacks_is_refused_by_name(self):
        for library, signature in LACKING:
            refused = qsp("serve", "--listen", "127.0.0.1:0", "--provider", library, "--key",
                          self.world.path(f"bob-{signature}.key"), "--peers", self.world.path(f"bob-{signature}.toml"))
            self.assertEqual(refused.returncode, 1)
            self.assertIn(signature, refused.stderr.decode())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
