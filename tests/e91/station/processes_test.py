#!/usr/bin/env python3
"""An E91 link as processes: link, two stations and two KMEs, end to end, attacked, and with any of them killed.
usage: QSP=… processes_test.py"""
import base64
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "kme"))
from kme_lab import PATIENCE, QSP, Kme, Lab, free_ports


class Process:
    """One of `qsp e91 …`, with a log."""

    def __init__(self, folder, name, *arguments):
        self.name, self.arguments, self.log, self.process = name, arguments, folder / f"{name}.log", None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([QSP, "--log-level", "debug", "--json", "e91", *self.arguments],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop(self, how=signal.SIGTERM):
        if self.process is None:
            return None
        self.process.send_signal(how)
        code = self.process.wait(timeout=PATIENCE)
        self.process = None
        return code

    def text(self):
        return self.log.read_text() if self.log.exists() else ""


class E91Lab(Lab):
    """`qsp e91 lab` with blocks and pools so small that a laptop is done with each in no time."""

    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="qsp-e91-"))
        self.folder = self.root / "lab"
        port = free_ports(6)
        subprocess.run([QSP, "e91", "lab", str(self.folder), "--port", str(port)], check=True, capture_output=True)
        self.a, self.b = Kme(self, "kme-a", port), Kme(self, "kme-b", port + 1)
        for kme in (self.a, self.b):
            kme.config.write_text(kme.config.read_text().replace("pool = 2000", "pool = 40"))
        for file in (self.folder / "e91-alice/e91.toml", self.folder / "feed.toml"):
            file.write_text(file.read_text().replace("block-bits = 100000", "block-bits = 60000"))
        link = self.folder / "link.toml"
        link.write_text(link.read_text().replace('"spdc"', '"single"').replace("mean_pairs = 0.02", "mean_pairs = 0.5"))
        self.eve = self.folder / "eve"
        self.link = Process(self.folder, "link", "link", "--config", str(self.folder / "link/e91.toml"))
        self.alice = Process(self.folder, "alice-station", "alice", "--config", str(self.folder / "e91-alice/e91.toml"))
        self.bob = Process(self.folder, "bob-station", "bob", "--config", str(self.folder / "e91-bob/e91.toml"))
        self.feed = Process(self.folder, "feed", "feed", "--config", str(self.folder / "feed.toml"))
        self.given = []

    def __exit__(self, *arguments):
        for process in (self.link, self.alice, self.bob, self.feed):
            process.stop(signal.SIGKILL)
        super().__exit__(*arguments)

    def give(self, kme, sae, other):
        """One key to the master `sae` and its slave: how many the pair had in common, 0 or 1."""
        status, answer = self.call(kme, sae, "GET", f"/api/v1/keys/{other}/enc_keys")
        if status != 200:
            return 0
        key = answer["keys"][0]
        self.given.append(key)
        there = self.b if kme is self.a else self.a
        got = self.call(there, other, "GET", f"/api/v1/keys/{sae}/dec_keys?key_ID={key['key_ID']}")
        if got != (200, {"keys": [key]}):
            raise AssertionError(f"the other end has {got[0]} and no such key")
        return 1

    def give_some(self, count):
        """That many keys from each side to the other, as they come."""
        for kme, sae, other in ((self.a, "alice", "bob"), (self.b, "bob", "alice")):
            end, done = time.monotonic() + PATIENCE, 0
            while done < count:
                if time.monotonic() > end:
                    raise AssertionError(f"{done} of {count} keys at {kme.name}: {self.tail()}")
                if not self.give(kme, sae, other):
                    time.sleep(0.1)
                    continue
                done += 1

    def drain(self, seconds=PATIENCE):
        """Takes keys at both sides until there are none."""
        end, empty = time.monotonic() + seconds, 0
        while empty < 3:
            if time.monotonic() > end:
                raise AssertionError("keys do not run out")
            some = self.give(self.a, "alice", "bob") + self.give(self.b, "bob", "alice")
            empty = 0 if some else empty + 1
            if not some:
                time.sleep(0.2)

    def feed_state(self, kme):
        return kme.status()["links"][0].get("feed") or {}

    def wait_for(self, what, condition, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.1)
        raise AssertionError(f"waited in vain for {what}: {self.tail()}")

    def tail(self):
        return "".join(f"\n--- {p.name}\n{p.text()[-1200:]}" for p in (self.link, self.alice, self.bob, self.feed))


class ThreeProcesses(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = E91Lab()
        try:
            for kme in (cls.lab.a, cls.lab.b):
                kme.start()
            for process in (cls.lab.link, cls.lab.alice, cls.lab.bob):
                process.start()
            cls.lab.wait_for_keys(cls.lab.a, 5)
            cls.lab.wait_for_keys(cls.lab.b, 5)
        except BaseException:
            print(cls.lab.tail())
            cls.lab.__exit__()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.lab.__exit__()

    def test_1_keys_of_a_block_are_the_same_at_both_kmes(self):
        self.lab.give_some(30)
        self.assertTrue(all(key["key_extension"] == {"simulated": True} for key in self.lab.given))

    def test_2_what_the_stations_see_is_told(self):
        lab = self.lab
        for kme, sae, other in ((lab.a, "alice", "bob"), (lab.b, "bob", "alice")):
            feed = lab.feed_state(kme)
            self.assertEqual((feed["state"], feed["simulated"]), ("running", True))
            # S is -2.76 and scatters by 0.037 from block to block: 9.6 standard deviations, by chance once in 10^21 blocks.
            # The QBER is 1.3 %, of some 60,000 bits.
            self.assertLess(feed["s"], -2.4)
            self.assertLess(feed["qber"], 0.06)
            self.assertLess(feed["age"], PATIENCE)
            self.assertGreater(feed["keys"], 0)
            _, status = lab.call(kme, sae, "GET", f"/api/v1/keys/{other}/status")
            extension = status["status_extension"]
            self.assertEqual((extension["simulated"], extension["link"]["state"]), (True, "running"))
            with urllib.request.urlopen(f"http://127.0.0.1:{kme.port + 2}/metrics", timeout=PATIENCE) as answer:
                metrics = answer.read().decode()
            for name in ("chsh_s", "qber", "report_age_seconds", "keys_total", "blocks_total"):
                self.assertIn(f'qsp_kme_feed_{name}{{link="a-b"}}', metrics)
            told = subprocess.run([QSP, "kme", "status", str(kme.config)], capture_output=True, text=True, timeout=PATIENCE)
            self.assertIn("feed running", told.stdout)

    def test_3_only_a_feeder_reports(self):
        report = json.dumps({"state": "running", "reason": "", "rate": 1, "blocks": 1, "keys": 1, "aborted": {}, "simulated": False})
        for sae in ("alice", "e91-bob", "kme-b"):
            status, _ = self.lab.call(self.lab.a, sae, "POST", "/link/v1/a-b/state", report)
            self.assertIn(status, (400, 401), sae)
        self.assertEqual(self.lab.call(self.lab.a, "e91-alice", "POST", "/link/v1/a-b/state", "{}")[0], 400)
        # A feeder brings keys and reports; what the KMEs tell each other is not for it.
        self.assertEqual(self.lab.call(self.lab.a, "e91-alice", "POST", "/link/v1/a-b/ids", '{"ids":[]}')[0], 401)

    def test_4_an_attack_ends_the_keys_and_its_end_brings_them_back(self):
        lab = self.lab
        lab.eve.write_text("intercept:1\n")
        lab.drain()
        for kme in (lab.a, lab.b):
            lab.wait_for("the alarm", lambda kme=kme: lab.feed_state(kme).get("state") == "aborting")
            feed = lab.feed_state(kme)
            # 1.41, and scatters by 0.048: 9 standard deviations, by chance once in 10^18 blocks.
            self.assertLess(abs(feed["s"]), 1.85)
            self.assertGreater(sum(feed["aborted"].values()), 0)
            self.assertTrue(feed["reason"])
        self.assertEqual(lab.call(lab.a, "alice", "GET", "/api/v1/keys/bob/enc_keys")[0], 503)
        lab.eve.write_text("none\n")
        lab.give_some(5)
        lab.wait_for("the all-clear", lambda: lab.feed_state(lab.a).get("state") == "running")
        self.assertIn("Eve: intercept:1", lab.link.text())
        for station in (lab.alice, lab.bob):
            self.assertEqual(station.text().count("info paired with"), 1, station.text()[-1500:])

    def test_5_whatever_is_killed_comes_back(self):
        lab = self.lab
        for process in (lab.link, lab.alice, lab.bob):
            with self.subTest(killed=process.name):
                process.stop(signal.SIGKILL)
                lab.drain()
                self.assertNotEqual(lab.feed_state(lab.b if process is not lab.bob else lab.a).get("state"), "running")
                process.start()
                lab.give_some(3)

    def test_6_a_kme_that_is_killed_is_waited_for(self):
        lab = self.lab
        lab.b.stop(signal.SIGKILL)
        time.sleep(0.5)
        lab.b.start()
        lab.wait_for("the peer", lambda: lab.a.status()["links"][0]["peer_reachable"])
        lab.give_some(25)

    def test_7_whoever_is_not_pinned_is_refused(self):
        lab = self.lab
        config = (lab.folder / "e91-bob/e91.toml").read_text().replace("e91-bob/qsp.key", "bob/qsp.key")
        (lab.folder / "stranger.toml").write_text(config)
        stranger = Process(lab.folder, "stranger", "bob", "--config", str(lab.folder / "stranger.toml"))
        stranger.start()
        try:
            lab.wait_for("the refusal", lambda: "HANDSHAKE_FAILED" in stranger.text())
            time.sleep(1)
        finally:
            stranger.stop()
        self.assertNotIn("paired", stranger.text())
        # A station that is pinned, but by another name than its part: Bob's key where Alice is expected.
        config = (lab.folder / "e91-bob/e91.toml").read_text() + 'link-peer = "alice"\n'
        config = re.sub('^alice = .*', 'alice = "127.0.0.1:1"', config, flags=re.MULTILINE)
        (lab.folder / "wrong.toml").write_text(config)
        wrong = Process(lab.folder, "wrong", "bob", "--config", str(lab.folder / "wrong.toml"))
        wrong.start()
        try:
            lab.wait_for("another refusal", lambda: "HANDSHAKE_FAILED" in wrong.text() or "AEAD" in wrong.text())
        finally:
            wrong.stop()
        lab.give_some(2)

    def test_8_no_log_holds_a_key_and_all_stop_in_good_order(self):
        lab = self.lab
        for process in (lab.bob, lab.alice, lab.link):
            self.assertEqual(process.stop(), 0, process.text()[-600:])
        text = "".join(p.text() for p in (lab.link, lab.alice, lab.bob)) + lab.a.log.read_text() + lab.b.log.read_text()
        self.assertGreater(len(lab.given), 50)
        for key in lab.given:
            self.assertNotIn(key["key"][:20], text)
            self.assertNotIn(base64.b64decode(key["key"]).hex()[:24], text)

    def test_9_one_process_does_the_same(self):
        lab = self.lab
        for process in (lab.bob, lab.alice, lab.link):
            process.stop()
        lab.drain()
        lab.feed.start()
        lab.give_some(10)
        lab.eve.write_text("intercept:1\n")
        lab.drain()
        lab.wait_for("the alarm", lambda: lab.feed_state(lab.a).get("state") == "aborting")
        lab.eve.write_text("none\n")
        lab.give_some(3)
        self.assertEqual(lab.feed.stop(), 0)


class Usage(unittest.TestCase):
    def run_qsp(self, *arguments):
        return subprocess.run([QSP, "e91", *arguments], capture_output=True, text=True, timeout=PATIENCE)

    def test_help_has_examples(self):
        for verb in ("link", "alice", "bob", "feed", "lab"):
            told = self.run_qsp(verb, "--help")
            self.assertEqual(told.returncode, 0)
            self.assertIn("Example", told.stdout)

    def test_what_is_wrong_is_said_with_a_remedy(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="qsp-e91-"))
        try:
            made = self.run_qsp("lab", str(folder / "lab"))
            self.assertEqual(made.returncode, 0, made.stderr)
            self.assertEqual((folder / "lab/link/qsp.key").stat().st_mode & 0o777, 0o600)
            again = self.run_qsp("lab", str(folder / "lab"))
            self.assertEqual((again.returncode, "is there already" in again.stderr), (1, True))
            config = ["--config", str(folder / "lab/link/e91.toml")]
            self.assertEqual(self.run_qsp("link", *config, "--eve", "nobody").returncode, 2)
            missing = self.run_qsp("link", *config, "--link-file", str(folder / "none.toml"))
            self.assertEqual((missing.returncode, "none.toml" in missing.stderr), (1, True))
            self.assertEqual(self.run_qsp("link").returncode, 2)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    unittest.main()
