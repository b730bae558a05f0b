#!/usr/bin/env python3
"""A KME's life, with a laboratory for each test: configuration, start, reload, a store that is old, damaged or full, and the end.
usage: QSP=… life_test.py"""
import base64
import json
import pathlib
import resource
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from kme_lab import DEC, ENC, PATIENCE, QSP, STATUS, Authority, Lab, OperatorsPort, fed_by_alice, ids_body, wait_for, wait_for_line


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
        with Lab(edit=fed_by_alice) as lab:
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
        with Lab(edit=fed_by_alice) as lab:
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


if __name__ == "__main__":
    unittest.main(verbosity=1)
