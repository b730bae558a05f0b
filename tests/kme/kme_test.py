#!/usr/bin/env python3
"""Two KMEs of a laboratory, from outside: the standard's calls, who may make them, what happens when parts fail.
usage: QSP=… kme_test.py"""
import base64
import http.client
import json
import pathlib
import resource
import signal
import ssl
import subprocess
import sys
import threading
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from kme_lab import PATIENCE, QSP, Authority, Lab, wait_for, wait_for_line

ENC, DEC, STATUS = "/api/v1/keys/bob/enc_keys", "/api/v1/keys/alice/dec_keys", "/api/v1/keys/bob/status"
NOT_FOUND = {"message": "one or more keys specified are not found on KME"}


def ids_body(keys):
    return json.dumps({"key_IDs": [{"key_ID": key["key_ID"]} for key in keys]})


class OperatorsPort:
    """What the port beside the standard's answers."""

    def admin(self, kme, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{kme.port + 2}{path}", timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def wait_for_health(self, kme, expected):
        end = time.monotonic() + 20
        while self.admin(kme, "/healthz")[0] != expected:
            self.assertLess(time.monotonic(), end, self.admin(kme, "/healthz"))
            time.sleep(0.1)


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


class Alone(unittest.TestCase):
    def test_inject_is_refused_where_it_is_not_allowed(self):
        with Lab() as lab:
            lab.a.start()
            ran = subprocess.run([QSP, "kme", "inject", str(lab.a.config), "--on", "disk-full"], capture_output=True)
            self.assertEqual(ran.returncode, 1)
            self.assertIn(b"--allow-fault-injection", ran.stderr)

    def test_a_lab_is_never_made_over_something(self):
        with Lab() as lab:
            ran = subprocess.run([QSP, "kme", "lab", str(lab.folder)], capture_output=True)
            self.assertEqual(ran.returncode, 1)
            self.assertIn(b"does not exist yet", ran.stderr)

    def test_what_is_wrong_with_a_configuration_is_said_with_file_line_and_field(self):
        for old, new, words in (("port = ", "prot = ", 'field "prot"'), ('side = "a"', 'side = "c"', 'field "side"'),
                                ("pool = 2000", "pool = 1", 'field "pool"'), ('id = "alice"', 'id = "bob"', '"bob" is there twice'),
                                ('certificate = "cert.pem"', 'certificate = "none.pem"', "none.pem"),
                                ("[[link]]", "[link]", 'field "link"'), ('store = "sqlite:keys.db"', 'store = "x"', "sqlite:FILE"),
                                ("kme_id = ", "= ", "kme.toml:"),
                                ('id = "alice"', 'id = "kme-b"', "is the name of the KME at the other end of link"),
                                ('id = "alice"', 'id = "kme-a"', "is the name of this KME"),
                                ('store = "sqlite:keys.db"', 'store = "postgresql://k@db.example/k?sslmode=require"', "verify-full"), ('store = ', 'extra = 1\nstore = ', 'field "extra"')):
            with self.subTest(new), Lab(edit=lambda _, text: text.replace(old, new, 1)) as lab:
                ran = subprocess.run([QSP, "kme", "serve", str(lab.a.config)], capture_output=True, timeout=PATIENCE)
                errors = [line for line in ran.stderr.decode().splitlines() if "error" in line]
                self.assertEqual((ran.returncode, len(errors)), (1, 1), ran.stderr)
                self.assertIn(words, errors[0])

    def test_a_key_file_that_others_may_read_is_refused(self):
        with Lab() as lab:
            (lab.folder / "kme-a/key.pem").chmod(0o644)
            ran = subprocess.run([QSP, "kme", "serve", str(lab.a.config)], capture_output=True, timeout=PATIENCE)
            self.assertEqual(ran.returncode, 1)
            self.assertIn(b"key.pem", ran.stderr)

    def test_a_configuration_with_a_password_is_for_its_owner_alone(self):
        def with_password(_, text):
            return text.replace("sqlite:keys.db", "postgresql://kme:hunter2@/keys?host=/nonexistent", 1)
        with Lab(edit=with_password) as lab:
            for mode in (0o644, 0o640):
                lab.a.config.chmod(mode)
                ran = subprocess.run([QSP, "kme", "serve", str(lab.a.config)], capture_output=True, text=True, timeout=PATIENCE)
                self.assertEqual(ran.returncode, 1)
                self.assertIn("chmod 600", ran.stderr)
                self.assertNotIn("hunter2", ran.stderr)
            lab.a.config.chmod(0o600)
            ran = subprocess.run([QSP, "kme", "serve", str(lab.a.config)], capture_output=True, text=True, timeout=PATIENCE)
            self.assertNotIn("chmod", ran.stderr)

    def test_a_reload_counts_for_the_peer_that_is_dialled_and_changes_all_or_nothing(self):
        def with_list(_, text):
            return text.replace("[[sae]]", 'revoked = "crl.pem"\n\n[[sae]]', 1)
        with Lab(edit=with_list) as lab:
            authority = Authority.of(lab)
            for kme in ("kme-a", "kme-b"):
                (lab.folder / kme / "crl.pem").write_text(authority.revoke())
            lab.a.start()
            lab.b.start()
            lab.wait_for_keys(lab.a)
            crl = lab.folder / "kme-a/crl.pem"
            crl.write_text("no list")
            lab.a.process.send_signal(signal.SIGHUP)
            wait_for_line(lab.a.log, "the old certificates stay")
            lab.wait_for_keys(lab.a)
            crl.write_text(authority.revoke(lab.folder / "kme-b/cert.pem"))
            lab.a.process.send_signal(signal.SIGHUP)
            wait_for_line(lab.a.log, "are read anew")
            # kme-b's own list still admits kme-a, and its certificate is what kme-a dials.
            wait_for(lambda: not lab.a.status()["links"][0]["peer_reachable"])
            wait_for(lambda: "revoked" in lab.a.status()["links"][0]["problem"])
            wait_for(lambda: not lab.b.status()["links"][0]["peer_reachable"])

    def test_a_store_restored_from_a_backup_gives_no_key_again(self):
        for restored, forth in (("a", True), ("b", False)):
            with self.subTest(restored), Lab() as lab:
                kme = getattr(lab, restored)
                enc, sae = (ENC, "alice") if forth else ("/api/v1/keys/alice/enc_keys", "bob")
                lab.a.start()
                lab.b.start()
                lab.wait_for_keys(kme, 900)

                def take(number):
                    status, answer = lab.call(kme, sae, "POST", enc, json.dumps({"number": number}))
                    self.assertEqual(status, 200)
                    return {key["key_ID"] for key in answer["keys"]}

                kme.stop()
                store = kme.config.parent / "keys.db"
                backup = {file: file.read_bytes() for file in store.parent.glob("keys.db*")}
                kme.start()
                lab.wait_for_keys(kme, 900)
                given = take(100)
                wait_for(lambda: kme.status()["links"][0]["unannounced"] == 0)
                kme.stop(signal.SIGKILL)
                for file in store.parent.glob("keys.db*"):
                    file.unlink()
                for file, content in backup.items():
                    file.write_bytes(content)
                    file.chmod(0o600)
                kme.start()
                lab.wait_for_keys(kme, 900)
                again = set().union(*(take(100) for _ in range(9)))
                self.assertEqual(given & again, set())
                self.assertIn("restored from a backup", kme.log.read_text())

    def test_a_peer_remembers_over_a_restart_that_keys_are_simulated(self):
        with Lab() as lab:
            lab.a.start()
            lab.b.start()
            lab.wait_for_keys(lab.b)
            lab.a.stop()
            lab.b.stop()
            lab.b.start()
            wait_for(lambda: lab.b.status()["links"][0]["simulated"])

    def test_it_stops_cleanly_when_told(self):
        with Lab() as lab:
            for how in (signal.SIGTERM, signal.SIGINT):
                lab.a.start()
                self.assertEqual(lab.a.stop(how), 0)

    def test_with_nothing_under_way_it_stops_at_once(self):
        with Lab() as lab:
            lab.a.start()
            lab.b.start()
            lab.wait_for_keys(lab.a)
            # The grace for answers under way is 2 s; the shortest of a few, for a machine that is busy.
            took = []
            for _ in range(5):
                before = time.monotonic()
                self.assertEqual(lab.a.stop(), 0)
                took.append(time.monotonic() - before)
                lab.a.start()
            self.assertLess(min(took), 1)

    def test_status_waits_for_keys_where_it_is_told(self):
        with Lab() as lab:
            def status(*arguments):
                return subprocess.run([QSP, "kme", "status", str(lab.a.config), *arguments], capture_output=True, timeout=60, text=True)
            lab.a.start()
            alone = status("--wait", "1")
            self.assertEqual(alone.returncode, 1)
            self.assertIn("waited 1 s in vain: link a-b: the peer does not answer", alone.stderr)
            lab.a.stop()
            late = threading.Timer(0.5, lambda: (lab.a.start(), lab.b.start()))
            late.start()
            try:
                waited = status("--wait", "30")
            finally:
                late.join()
            self.assertEqual(waited.returncode, 0, waited.stderr)
            self.assertRegex(waited.stdout, r"(?m)^  [1-9]\d* ready")
            lab.a.config.write_text("kme_id = 1\n")
            self.assertEqual(status("--wait", "30").returncode, 1)

    def test_an_sae_that_asks_too_often_is_slowed_down(self):
        def slow(_, text):
            return text.replace("store = ", "requests_per_second = 1\nstore = ", 1)
        with Lab(edit=slow) as lab:
            lab.a.start()
            connection = lab.connection(lab.a, "alice")
            self.assertEqual(lab.call(lab.a, "alice", "GET", STATUS, connection=connection)[0], 200)
            # However slow the machine is, at some time two calls come within a second.
            answers = iter(lambda: lab.call(lab.a, "alice", "GET", STATUS, connection=connection)[0], 503)
            self.assertLess(sum(1 for _ in zip(range(1000), answers)), 1000, "503 never came")

    def test_an_sae_that_asks_for_too_many_keys_is_slowed_down(self):
        def slow(_, text):
            return text.replace("store = ", "keys_per_second = 1\nmax_keys_per_request = 4\nstore = ", 1)
        with Lab(edit=slow) as lab:
            lab.a.start()
            lab.b.start()
            lab.wait_for_keys(lab.a)
            # 64 at once, and one a second: a call costs as many as it asks for.
            answers = [lab.call(lab.a, "alice", "POST", ENC, json.dumps({"number": 4}))[0] for _ in range(16)]
            self.assertEqual(set(answers), {200})
            for _ in range(1000):
                status, answer = lab.call(lab.a, "alice", "POST", ENC, json.dumps({"number": 4}))
                if status != 200:
                    break
            self.assertEqual(status, 503)
            self.assertIn("too many keys", answer["message"])

    def test_keys_from_a_file_are_ready_once_both_sides_have_them(self):
        def fed(name, text):
            producer = 'producer = "random"' if name == "kme-a" else 'producer = "peer"'
            return text.replace(producer, 'producer = "feed"\nfeeders = ["alice"]')
        with Lab(edit=fed) as lab:
            keys = [{"key_ID": f"00000000-0000-4000-8000-{i:012x}", "key": base64.b64encode(bytes([i + 1]) * 32).decode()}
                    for i in range(8)]
            file = lab.root / "keys.json"
            file.write_text(json.dumps({"keys": keys}))
            file.chmod(0o600)
            lab.a.start()
            lab.b.start()

            def bring(kme):
                subprocess.run([QSP, "kme", "import", f"https://127.0.0.1:{kme.port}", "a-b", str(file), "--kme-ca",
                                str(lab.folder / "ca.pem"), *lab.side("alice")], check=True, capture_output=True, timeout=PATIENCE)
            bring(lab.a)
            time.sleep(1)
            self.assertEqual(lab.a.status()["links"][0]["ready"], 0)
            bring(lab.b)
            bring(lab.b)
            lab.wait_for_keys(lab.a, 4)
            lab.wait_for_keys(lab.b, 4)
            given = lab.call(lab.a, "alice", "GET", ENC + "?number=4")[1]
            self.assertEqual(lab.call(lab.b, "bob", "POST", DEC, ids_body(given["keys"])), (200, given))
            known = {key["key_ID"]: key["key"] for key in keys}
            self.assertTrue(all(known[key["key_ID"]] == key["key"] for key in given["keys"]))
            self.assertNotIn("key_extension", given["keys"][0])
            self.assertEqual(lab.call(lab.a, "alice", "GET", ENC)[0], 503)


class StoreOnDisk(OperatorsPort, unittest.TestCase):
    """What becomes of a KME whose key store is damaged, or has no room."""

    def serve(self, lab):
        ran = subprocess.run([QSP, "kme", "serve", str(lab.a.config)], capture_output=True, timeout=20)
        self.assertEqual(ran.returncode, 1, ran.stderr)
        return ran.stderr.decode()

    def test_an_empty_or_damaged_file_is_no_new_store_and_says_what_to_do(self):
        with Lab() as lab:
            store = lab.folder / "kme-a/keys.db"
            store.touch(0o600)
            self.assertRegex(self.serve(lab), r"keys\.db: is empty.*rm .*/keys\.db")
            store.unlink()
            lab.a.start()
            lab.a.stop()
            whole = store.read_bytes()
            store.write_bytes(b"")
            self.assertRegex(self.serve(lab), r"keys\.db: is empty.*rm .*/keys\.db")
            for damaged in (b"x" * 4096, b"y" * 100 + whole[100:], whole[:100] + b"z" * (len(whole) - 100)):
                store.write_bytes(damaged)
                with self.subTest(damaged[:4]):
                    self.assertRegex(self.serve(lab), r"keys\.db: is damaged .*never with a backup: mv .*/keys\.db ")
            store.write_bytes(whole)
            lab.a.start()

    def test_a_full_disk_shows_at_its_own_end_until_there_is_room_again(self):
        with Lab() as lab:
            lab.a.start()
            lab.b.start()
            lab.wait_for_keys(lab.a, 300)
            self.wait_for_health(lab.a, 200)
            soft, hard = resource.prlimit(lab.a.process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(lab.a.process.pid, resource.RLIMIT_FSIZE, (4096, hard))
            self.assertEqual(lab.call(lab.a, "alice", "GET", ENC)[0], 503)
            self.wait_for_health(lab.a, 503)
            self.assertIn("key store: full", self.admin(lab.a, "/healthz")[1])
            self.assertIn("\nqsp_kme_store_full 1\n", self.admin(lab.a, "/metrics")[1])
            store = lab.a.status()["store"]
            self.assertEqual((store["ok"], store["full"]), (False, True))
            told = subprocess.run([QSP, "kme", "status", str(lab.a.config)], capture_output=True, timeout=20, check=True)
            self.assertIn(b"\nkey store: full: ", told.stdout)
            self.assertNotIn("key store", self.admin(lab.b, "/healthz")[1])
            time.sleep(3)  # some rounds, each of which would like to say it again
            self.assertEqual(lab.a.log.read_text().count("the key store is full"), 1)
            resource.prlimit(lab.a.process.pid, resource.RLIMIT_FSIZE, (soft, hard))
            self.wait_for_health(lab.a, 200)
            self.assertIn("\nqsp_kme_store_full 0\n", self.admin(lab.a, "/metrics")[1])
            self.assertEqual(lab.a.status()["store"], {"ok": True, "full": False, "problem": ""})
            self.assertEqual(lab.a.log.read_text().count("the key store works again"), 1)
            self.assertEqual(lab.call(lab.a, "alice", "GET", ENC)[0], 200)

    def test_a_feed_that_stands_still_is_as_old_as_its_last_block(self):
        def fed(name, text):
            producer = 'producer = "random"' if name == "kme-a" else 'producer = "peer"'
            return text.replace(producer, 'producer = "feed"\nfeeders = ["alice"]')
        with Lab(edit=fed) as lab:
            lab.a.start()
            report = {"state": "running", "reason": "", "s": -2.7, "qber": 0.02, "rate": 900, "block_age": 180, "blocks": 4,
                      "keys": 40, "aborted": {}, "simulated": True}
            self.assertEqual(lab.call(lab.a, "alice", "POST", "/link/v1/a-b/state", json.dumps(report))[0], 200)
            feed = lab.a.status()["links"][0]["feed"]
            self.assertTrue(180 <= feed["age"] < 190 and 0 <= feed["report_age"] < 10, feed)
            told = subprocess.run([QSP, "kme", "status", str(lab.a.config)], capture_output=True, timeout=20, check=True)
            self.assertRegex(told.stdout.decode(), r"feed running; its last block 18\d s ago, said \d s ago: S -2\.700")
            self.assertRegex(self.admin(lab.a, "/metrics")[1], r'\nqsp_kme_feed_block_age_seconds\{link="a-b"\} 18\d')
            link = lab.call(lab.a, "alice", "GET", STATUS)[1]["status_extension"]["link"]
            self.assertTrue(180 <= link["age"] < 190, link)


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
