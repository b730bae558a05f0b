#!/usr/bin/env python3
"""`qsp bench` as a program: its fields, tables and errors. usage: program.py QSP. No figure is judged."""
import json
import subprocess
import sys
import unittest

QSP = sys.argv[1]


def qsp(*args, limit=None):
    command = [QSP, "bench", *args]
    if limit is not None:
        command = ["/bin/sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh", *command]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False, text=True)


class Bench(unittest.TestCase):
    def result(self, *args):
        done = qsp(*args, "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""), args)
        return json.loads(done.stdout)

    def assert_figures(self, result, *names):
        for name in names:
            self.assertGreater(result[name], 0, name)

    def test_handshake(self):
        result = self.result("handshake", "--loops", "2")
        self.assertEqual(result["loops"], 2)
        self.assert_figures(result, "qsp_per_sec", "tls_per_sec", "primitives_per_sec", "ratio_to_tls", "ratio_to_primitives")

    def primitives(self, *args):
        done = qsp("primitives", "--time", "1ms", "--json", *args)
        # SLH-DSA alone may take so long that a line of progress is due.
        self.assertRegex(done.stderr, r"^(qsp: [^:]*, \d+ s\n)*$")
        self.assertEqual(done.returncode, 0)
        return json.loads(done.stdout)

    def test_primitives(self):
        result = self.primitives()
        names = [library["name"] for library in result["libraries"]]
        self.assertEqual(names[0], "openssl")
        self.assertEqual(len(result["rows"]), len({row["name"] for row in result["rows"]}))
        for row in result["rows"]:
            self.assert_figures(row, "openssl_us")
            self.assertIn(row["preferred"], ("openssl", "awslc"))
            self.assertEqual("ratio" in row, len(names) == 2 and not row["name"].startswith("SLH-DSA"), row["name"])
        told = {row["name"] for row in result["rows"]}
        self.assertLessEqual({"X25519MLKEM768 generate", "ML-DSA-65 sign", "Ed25519 verify", "AES-256-GCM seal, open 64 bytes",
                              "ChaCha20-Poly1305 seal, open 65,536 bytes", "ChaCha20-Poly1305 set key", "SHA-256 64 bytes",
                              "HKDF extract", "random 32 bytes"}, told)
        alone = self.primitives("--provider", "openssl")
        self.assertEqual([library["name"] for library in alone["libraries"]], ["openssl"])
        self.assertFalse(any(row["wrong"] or "ratio" in row for row in alone["rows"]))

    def test_a_measurement_says_what_it_ran_on(self):
        for verb in (["handshake", "--loops", "1"], ["seal", "--size", "64", "--bytes", "64"], ["rekey", "--loops", "1"]):
            self.assertRegex(self.result(*verb, "--provider", "openssl")["provider"], r"^OpenSSL \S+$")

    def test_seal(self):
        rows = self.result("seal", "--size", "64", "--size", "65536", "--bytes", "200000")["rows"]
        self.assertEqual([(row["size"], row["loops"]) for row in rows], [(64, 3125), (65536, 3)])
        for row in rows:
            self.assert_figures(row, "qsp_mb_per_sec", "bare_mb_per_sec", "evp_mb_per_sec", "tls_mb_per_sec", "ratio_to_bare", "ratio_to_evp",
                                "ratio_to_tls")

    def test_rekey(self):
        rows = self.result("rekey", "--loops", "20")["rows"]
        self.assertEqual([row["form"] for row in rows], ["light", "kem", "kem+qkd"])
        for row in rows:
            self.assertEqual((row["loops"], row["final_epoch"]), (20, 21))
            self.assert_figures(row, "rekeys_per_sec", "primitives_per_sec", "ratio_to_primitives")

    def test_rekey_of_rc155_keeps_its_fields(self):
        result = self.result("rekey", "--profile", "rc155", "--loops", "20", "--warmup", "5")
        self.assertEqual(list(result), ["loops", "warmup", "elapsed_sec", "ops_per_sec", "final_epoch", "total_ns_per_rekey",
                                        "primitives_ns_per_rekey", "ratio"])
        self.assertEqual((result["loops"], result["warmup"], result["final_epoch"]), (20, 5, 26))

    def test_sessions(self):
        for profile in ("1.0", "rc155"):
            result = self.result("sessions", "--profile", profile, "--sessions", "50")
            self.assertEqual(result["sessions"], 50)
            # Under AddressSanitizer malloc's own figures stay zero.
            self.assertGreater(max(result["allocated_bytes_per_end"], result["resident_bytes_per_end"]), 250, profile)
            self.assertLess(result["allocated_bytes_per_end"], 16 * 1024, profile)

    def test_sessions_need_descriptors(self):
        done = qsp("sessions", "--sessions", "500", limit=200)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^qsp: error: 500 sessions need 628 open files in each process, and 200 are allowed: .*\n$")

    def test_loopback(self):
        result = self.result("loopback", "--bytes", "1000000")
        self.assertEqual(result["bytes"], 1_000_000)
        self.assert_figures(result, "qsp_mb_per_sec", "tls_mb_per_sec", "ratio_to_tls")
        self.assertEqual("openssl_mb_per_sec" in result, "why_no_openssl" not in result)
        pipes = result["pipes"]
        self.assertEqual([row["name"] for row in pipes["rows"]],
                         ["up, --forward", "down, --forward", "up, --exec", "down, --exec"])
        self.assertEqual("stunnel" in pipes, "why_no_stunnel" not in pipes)

    def test_pipes(self):
        result = self.result("loopback", "--bytes", "30000000", "--only-pipes")
        self.assertNotIn("qsp_mb_per_sec", result)
        for row in result["pipes"]["rows"]:
            # A transfer of so few bytes may take no longer than a start, and then there is no figure.
            self.assert_figures(row, *(name for name in row if name != "name"))

    def test_tables_are_aligned(self):
        for args, rows in ((("handshake", "--loops", "1"), 4), (("seal", "--bytes", "1"), 6), (("rekey", "--loops", "1"), 4),
                           (("sessions", "--sessions", "1"), 3)):
            done = qsp(*args)
            self.assertEqual(done.returncode, 0, done.stderr)
            table = done.stdout.split("\n\n")[0].splitlines()
            self.assertEqual(len(table), rows, args)
            self.assertEqual(len({len(line) for line in table}), 1, table)

    def test_help_has_examples(self):
        for verb in ("handshake", "seal", "rekey", "sessions", "loopback"):
            done = qsp(verb, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stdout, rf"Examples:\n  qsp bench {verb}")

    def test_wrong_usage_exits_with_2(self):
        for args in ((), ("handshake", "--loops", "0"), ("handshake", "--loops", "-1"), ("seal", "--size", "0"),
                     ("seal", "--size", "65537"), ("seal", "--bytes", "0"), ("rekey", "--loops", "0"),
                     ("rekey", "--profile", "rc154"), ("sessions", "--sessions", "0"), ("loopback", "--bytes", "0")):
            done = qsp(*args)
            self.assertEqual(done.returncode, 2, args)
            self.assertTrue(done.stderr, args)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
