#!/usr/bin/env python3
"""Two KMEs of a laboratory, from outside: the standard's calls, who may make them, what happens when parts fail.
usage: QSP=… kme_test.py"""
import base64
import http.client
import pathlib
import signal
import ssl
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from kme_lab import DEC, ENC, NOT_FOUND, PATIENCE, QSP, STATUS, Lab, OperatorsPort, ids_body


class Running(OperatorsPort, unittest.TestCase):
    """Both KMEs run, and keys are there."""

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        for kme in (cls.lab.a, cls.lab.b):
            kme.start("--allow-fault-injection")
        cls.lab.wait_for_keys(cls.lab.a, 300)

    @classmethod
    def tearDownClass(cls):
        cls.lab.__exit__()

    def setUp(self):
        self.lab.a.inject("--clear")
        self.lab.b.inject("--clear")

    def enc(self, method="GET", query="", body=None, sae="alice"):
        return self.lab.call(self.lab.a, sae, method, ENC + query, body)

    def dec(self, keys, sae="bob", method="POST"):
        if method == "GET":
            return self.lab.call(self.lab.b, sae, "GET", f"{DEC}?key_ID={keys[0]['key_ID']}")
        return self.lab.call(self.lab.b, sae, "POST", DEC, ids_body(keys))

    def test_a_key_reaches_both_ends_once(self):
        for enc in ({}, {"method": "POST"}, {"method": "POST", "body": "{}"}, {"query": "?number=3&size=512"},
                    {"method": "POST", "body": '{"number": 2, "size": 64}'}):
            for method in ("GET", "POST"):
                with self.subTest(enc=enc, dec=method):
                    status, given = self.enc(**enc)
                    self.assertEqual(status, 200)
                    keys = given["keys"][:1] if method == "GET" else given["keys"]
                    self.assertEqual(self.dec(keys, method=method), (200, {"keys": keys}))
                    self.assertEqual(self.dec(keys, method=method), (400, NOT_FOUND))
                    self.assertTrue(all(key["key_extension"] == {"simulated": True} for key in keys))

    def test_sizes_are_what_was_asked(self):
        for bits in (64, 256, 264, 4096):
            _, given = self.enc(query=f"?size={bits}")
            self.assertEqual(len(base64.b64decode(given["keys"][0]["key"], validate=True)) * 8, bits)

    def test_status_counts_what_is_left(self):
        _, before = self.lab.call(self.lab.a, "alice", "GET", STATUS)
        self.assertEqual((before["master_SAE_ID"], before["slave_SAE_ID"]), ("alice", "bob"))
        self.assertLessEqual(before["stored_key_count"], before["max_key_count"])
        self.assertTrue(before["status_extension"]["simulated"])

    def test_who_is_nobody_here_gets_401_without_a_body(self):
        for target in (ENC, STATUS, DEC):
            self.assertEqual(self.lab.call(self.lab.a, "bob", "GET", target)[0], 401)
            self.assertEqual(self.lab.call(self.lab.a, "kme-b", "GET", target), (401, None))

    def test_without_a_certificate_no_call_is_heard(self):
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.lab.call(self.lab.a, None, "GET", STATUS)

    def test_a_key_for_somebody_else_is_401_and_stays(self):
        lab = self.lab
        _, given = self.enc()
        # kme-a's own certificate is an SAE's neither here nor there; alice is none at kme-b.
        self.assertEqual(self.dec(given["keys"], sae="alice"), (401, None))
        self.assertEqual(self.dec(given["keys"]), (200, given))
        status, _ = lab.call(lab.b, "bob", "POST", "/api/v1/keys/bob/dec_keys", ids_body(given["keys"]))
        self.assertEqual(status, 400)

    def test_the_link_between_the_kmes_is_for_them_alone(self):
        for what in ("keys", "ids", "grants", "wanted"):
            for sae in ("alice", "bob"):
                self.assertEqual(self.lab.call(self.lab.a, sae, "POST", f"/link/v1/a-b/{what}", '{"ids":[]}')[0], 401)
        self.assertEqual(self.lab.call(self.lab.a, "kme-b", "POST", "/link/v1/other/ids", '{"ids":[]}')[0], 401)
        self.assertEqual(self.lab.call(self.lab.a, "kme-b", "POST", "/link/v1/a-b/ids", '{"ids":[]}'), (200, {"ids": []}))
        # kme-a draws the keys: it takes none from its peer.
        self.assertEqual(self.lab.call(self.lab.a, "kme-b", "POST", "/link/v1/a-b/keys", '{"keys":[]}')[0], 400)

    def test_bad_requests_are_refused_in_words(self):
        for method, query, body in (("GET", "?size=65", None), ("GET", "?number=0", None), ("GET", "?number=x", None),
                                    ("GET", "?number=1&number=1", None), ("POST", "", "["), ("POST", "", '{"number":1,"number":2}'),
                                    ("POST", "", '{"number":-1}'), ("POST", "", '{"size":1e9}'), ("POST", "", '{"number":129}'),
                                    ("POST", "", '{"additional_slave_SAE_IDs":["nobody"]}'),
                                    ("POST", "", '{"extension_mandatory":[{"a":"b"}]}'), ("PUT", "", "{}")):
            status, answer = self.enc(method=method, query=query, body=body)
            self.assertEqual(status, 400, (method, query, body))
            self.assertTrue(answer["message"])
        self.assertEqual(self.lab.call(self.lab.a, "alice", "GET", "/api/v1/keys/nobody/enc_keys")[0], 400)
        self.assertEqual(self.lab.call(self.lab.a, "alice", "GET", "/other")[0], 400)

    def test_what_would_be_ignored_is_refused(self):
        for method, query, body in (("POST", "?number=2", '{"number": 1}'), ("GET", "?number=1", '{"number": 2}'), ("POST", "?x=1", "{}")):
            status, answer = self.enc(method, query, body)
            self.assertEqual(status, 400, (method, query))
            self.assertRegex(answer["message"], "takes")

    def test_the_operators_port_is_not_for_web_pages_of_elsewhere(self):
        port = self.lab.a.port + 2
        for headers, expected in (({}, 200), ({"Host": "evil.example"}, 403), ({"Origin": "http://evil.example"}, 403),
                                  ({"Origin": f"http://127.0.0.1:{port}"}, 200)):
            for method, path in (("GET", "/status"), ("POST", "/faults")):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
                connection.request(method, path, body="{}" if method == "POST" else None, headers=headers)
                self.assertEqual(connection.getresponse().status, expected, (headers, path))
                connection.close()

    def test_the_operators_port_tells_health_and_metrics(self):
        self.wait_for_health(self.lab.a, 200)  # whatever a rehearsal before this one did to it
        self.assertEqual(self.admin(self.lab.a, "/healthz"), (200, "ok\n"))
        status, text = self.admin(self.lab.a, "/metrics")
        self.assertEqual(status, 200)
        for line in ('qsp_kme_peer_reachable{link="a-b"} 1', 'qsp_kme_answers_total{call="enc_keys",status="200"}'):
            self.assertIn(line, text)
        self.assertEqual(self.admin(self.lab.a, "/nothing")[0], 404)

    def test_faults_of_a_rehearsal_show_and_go(self):
        self.lab.a.inject("--on", "unavailable")
        self.assertEqual(self.enc()[0], 503)
        self.lab.a.inject("--clear", "--on", "disk-full")
        self.assertEqual(self.enc()[0], 503)
        self.lab.a.inject("--clear", "--on", "lose-answers")
        with self.assertRaises((http.client.HTTPException, OSError)):
            self.enc()
        self.lab.a.inject("--clear", "--latency", "300ms")
        started = time.monotonic()
        self.assertEqual(self.enc()[0], 200)
        self.assertGreaterEqual(time.monotonic() - started, 0.3)
        self.lab.a.inject("--clear", "--on", "wrong-bytes")
        _, given = self.enc()
        status, redeemed = self.dec(given["keys"])
        self.assertEqual(status, 200)
        self.assertNotEqual(redeemed, given)
        self.lab.a.inject("--clear")
        self.assertEqual(self.enc()[0], 200)
        self.wait_for_health(self.lab.a, 200)

    def test_a_clock_that_jumps_ahead_expires_keys_and_nothing_is_given_twice(self):
        _, given = self.enc()
        self.lab.b.inject("--clock-offset", "3h")
        self.assertEqual(self.dec(given["keys"]), (400, NOT_FOUND))

    def test_a_peer_that_is_down_makes_503_and_comes_back(self):
        lab = self.lab
        _, given = self.enc()
        lab.b.stop(signal.SIGKILL)
        end = time.monotonic() + PATIENCE
        while self.enc()[0] != 503 and time.monotonic() < end:
            time.sleep(0.2)
        status, answer = self.enc()
        self.assertEqual(status, 503)
        self.assertIn("not reachable", answer["message"])
        self.assertEqual(self.admin(lab.a, "/healthz")[0], 503)
        lab.b.start("--allow-fault-injection")
        lab.wait_for_keys(lab.a)
        self.assertEqual(self.dec(given["keys"]), (200, given))

    def test_a_second_process_on_one_store_is_refused(self):
        ran = subprocess.run([QSP, "kme", "serve", str(self.lab.a.config)], capture_output=True, timeout=PATIENCE)
        self.assertEqual(ran.returncode, 1)
        self.assertIn(b"another process has this key store open", ran.stderr)


class Secrets(unittest.TestCase):
    def test_no_key_shows_in_a_log_at_any_level(self):
        with Lab() as lab:
            lab.a.start()
            lab.b.start()
            lab.wait_for_keys(lab.a)
            used = []
            for _ in range(5):
                given = lab.call(lab.a, "alice", "GET", ENC + "?number=8")[1]
                lab.call(lab.b, "bob", "POST", DEC, ids_body(given["keys"]))
                used += [base64.b64decode(key["key"]) for key in given["keys"]]
            pems = [(lab.folder / owner / "key.pem").read_bytes() for owner in ("alice", "bob", "kme-a", "kme-b")]
            seen = b"".join(path.read_bytes() for path in (lab.a.log, lab.b.log))
            lab.a.stop()
            lab.b.stop()
            self.assertGreater(len(seen), 100)
            for key in used:
                for form in (key, key.hex().encode(), key.hex().upper().encode(), base64.b64encode(key).rstrip(b"="), base64.b64encode(key[3:]).rstrip(b"=")[:20]):
                    self.assertNotIn(form, seen)
            for pem in pems:
                self.assertNotIn(pem.splitlines()[1], seen)
            # What was given is overwritten in the store, too.
            for kme in (lab.a, lab.b):
                for file in (lab.folder / kme.name).glob("keys.db*"):
                    content = file.read_bytes()
                    for key in used:
                        self.assertNotIn(key.hex().encode(), content.lower(), file)


if __name__ == "__main__":
    unittest.main(verbosity=1)
