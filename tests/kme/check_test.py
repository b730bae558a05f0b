#!/usr/bin/env python3
"""`qsp kme check` passes a KME that keeps to GS QKD 014, ours and another, and finds each rule that one breaks.
usage: QSP=… check_test.py"""
import json
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import faulty_kme
from kme_lab import PATIENCE, QSP, Lab

# What is broken, and words of a rule whose test must fail for it.
FAULTS = {
    "not-json-type": "answers are JSON",
    "status-lacks-member": "all its members",
    "status-text-number": "all its members",
    "status-wrong-slave": "names master and slave",
    "status-sizes": "fit together",
    "post-needs-body": "POST enc_keys without a body",
    "get-ignores-parameters": "GET enc_keys with number and size",
    "size-ignored": "POST enc_keys with number and size",
    "strict-members": "unknown members",
    "takes-any-extension": "extension_mandatory",
    "own-words": "once; then it is not found",
    "rounds-sizes": "no multiple of 8",
    "no-bounds": "max_key_per_request",
    "takes-garbage": "no JSON",
    "wrong-type-500": "wrong type",
    "no-error-body": "no JSON",
    "unknown-slave-404": "unknown slave",
    "same-key": "no key comes twice",
    "same-id": "key_ID of its own",
    "odd-id": "POST enc_keys without a body",
    "no-padding": "POST enc_keys without a body",
    "no-get-dec": "GET dec_keys",
    "takes-no-ids": "empty list",
    "not-found-404": "unknown key_ID",
    "anybody": "not named",
    "half-done": "keeps the others",
    "delivers-again": "once; then",
    "other-bytes": "POST dec_keys gives",
}


class Check(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()

    @classmethod
    def tearDownClass(cls):
        cls.lab.__exit__()

    def check(self, url, slave_url):
        lab = self.lab
        ran = subprocess.run(
            [QSP, "--json", "kme", "check", url, "--kme-ca", str(lab.folder / "ca.pem"), "--sae-id", "alice", *lab.side("alice"),
             "--slave", "bob", "--slave-url", slave_url, *lab.side("bob", slave=True)], capture_output=True, timeout=PATIENCE)
        self.assertTrue(ran.stdout, ran.stderr)
        return ran.returncode, json.loads(ran.stdout)

    def test_a_lawful_kme_passes(self):
        with faulty_kme.Server(self.lab.folder) as server:
            code, result = self.check(server.url, server.url)
        self.assertEqual((code, result["failed"], result["not_testable"]), (0, 0, 0), result)

    def test_each_broken_rule_is_found(self):
        for fault, words in FAULTS.items():
            with self.subTest(fault), faulty_kme.Server(self.lab.folder, [fault]) as server:
                code, result = self.check(server.url, server.url)
                failed = [line["rule"] for line in result["lines"] if line["verdict"] == "FAIL"]
                self.assertEqual(code, 1)
                self.assertTrue(any(words in rule for rule in failed), failed)

    def test_our_own_kme_passes_every_rule(self):
        lab = self.lab
        lab.a.start()
        lab.b.start()
        lab.wait_for_keys(lab.a)
        code, result = self.check(f"https://127.0.0.1:{lab.a.port}", f"https://127.0.0.1:{lab.b.port}")
        self.assertEqual((code, result["failed"], result["not_testable"]), (0, 0, 0), result)
        self.assertGreaterEqual(result["passed"], 31)

    def test_without_the_slave_dec_keys_is_not_testable(self):
        lab = self.lab
        with faulty_kme.Server(lab.folder) as server:
            ran = subprocess.run([QSP, "kme", "check", server.url, "--kme-ca", str(lab.folder / "ca.pem"), "--sae-id", "alice",
                                  *lab.side("alice"), "--slave", "bob"], capture_output=True, timeout=PATIENCE)
        self.assertEqual(ran.returncode, 0, ran.stdout)
        self.assertIn(b"not testable 5.3", ran.stdout)

    def test_a_kme_that_is_not_there_is_one_error(self):
        ran = subprocess.run([QSP, "kme", "check", "https://127.0.0.1:1", "--kme-ca", str(self.lab.folder / "ca.pem"), "--sae-id",
                              "alice", *self.lab.side("alice"), "--slave", "bob"], capture_output=True, timeout=PATIENCE)
        self.assertEqual(ran.returncode, 1)
        self.assertEqual(ran.stderr.count(b"\n"), 1, ran.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=1)
