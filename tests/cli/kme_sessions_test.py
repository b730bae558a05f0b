"""Sessions whose QKD keys come from KMEs: two real ones, whose keys the tests have brought and so know, and what follows where a
KME is slow, down, empty, strict or wrong."""

import base64
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
import uuid

from field_kme import FieldKme, reply, words
from program import PATIENCE, QSP, Case, assert_nothing_of, free_port, main, qsp, wait_for_text, wait_until

os.environ["QSP"] = QSP
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "kme"))
from kme_lab import Lab  # noqa: E402

POLICIES = ("none", "preferred", "required")


class FedLab(Lab):
    """Two KMEs that have no keys but those that a test brings to both."""

    def __init__(self):
        def fed(name, text):
            producer = 'producer = "random"' if name == "kme-a" else 'producer = "peer"'
            return text.replace(producer, 'producer = "feed"\nfeeders = ["alice"]')

        super().__init__(edit=fed)
        self.brought = {}
        try:
            for kme in (self.a, self.b):
                kme.start("--allow-fault-injection")
        except BaseException:
            self.__exit__()
            raise

    def bring(self, count):
        """`count` keys, half of them for each side to hand out."""
        keys = {}
        for i in range(count):
            keys[str(uuid.UUID(bytes=os.urandom(15) + bytes([i % 2])))] = os.urandom(32)
        file = self.root / "keys.json"
        entries = [{"key_ID": key_id, "key": base64.b64encode(key).decode()} for key_id, key in keys.items()]
        file.write_text(json.dumps({"keys": entries}))
        file.chmod(0o600)
        for kme in (self.a, self.b):
            url = f"https://127.0.0.1:{kme.port}"
            done = qsp("kme", "import", url, "a-b", str(file), "--kme-ca", str(self.folder / "ca.pem"), *self.side("alice"))
            if done.returncode != 0:
                raise AssertionError(done.stderr)
        self.brought.update(keys)
        for kme in (self.a, self.b):
            wait_until(lambda kme=kme: kme.status()["links"][0]["ready"] >= count // 2, "keys at both ends")


def keys_of(lab, sae, kme=None, own=None, url=None):
    """The options of an end that is `sae` at `kme`, by the certificate of `own`; `url` for a KME that is not there."""
    kme = kme or (lab.a if sae == "alice" else lab.b)
    own = own or lab.folder / sae
    return ("--sae-id", sae, "--kme", url or f"https://127.0.0.1:{kme.port}", "--kme-ca", str(lab.folder / "ca.pem"),
            "--kme-cert", str(own / "cert.pem"), "--kme-key", str(own / "key.pem"))


class KmeCase(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for policy in POLICIES:
            pin = {} if policy == "none" else {"qkd": policy}
            cls.world.pin(f"bob-{policy}.toml", name="alice", connect=True, **pin, **({"sae_id": "alice"} if pin else {}))
            cls.world.pin(f"alice-{policy}.toml", name="bob", serve=True, **pin, **({"sae_id": "bob"} if pin else {}))

    @classmethod
    def make_lab(cls, keys):
        lab = FedLab()
        cls.addClassCleanup(lab.__exit__)
        if keys:
            lab.bring(keys)
        return lab

    def server(self, policy, options, *args, **how):
        return self.world.server("--qkd", policy, *options, *args, peers=f"bob-{policy}.toml", **how)

    def connect(self, port, policy, options, *args, stdin=b"hello", **how):
        return self.world.connect(port, *options, *args, stdin=stdin, peers=f"alice-{policy}.toml", **how)

    @contextlib.contextmanager
    def session(self, policy, bob, alice, *args):
        """An established session that has echoed something: (client, server's log)."""
        with self.server(policy, bob, "--json", *args) as (port, _, log):
            with self.world.client(port, *alice, peers=f"alice-{policy}.toml") as client:
                self.echo(client, 10)
                yield client, log

    def echo(self, client, size):
        client.stdin.write(bytes(size))
        client.stdin.flush()
        self.assertEqual(len(client.stdout.read(size)), size, "the session has ended")

    def ended(self, client):
        """The exit code and what was said, of a client that ends by itself."""
        code = client.wait(PATIENCE)
        return code, client.stderr.read().decode()


class Policies(KmeCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab = cls.make_lab(100)

    def test_each_policy_meets_each(self):
        mixed = {(c, s) for c in ("preferred", "required") for s in ("preferred", "required")}
        refused = {("none", "required"), ("required", "none")}
        for server in POLICIES:
            with self.server(server, keys_of(self.lab, "bob")) as (port, _, log):
                for client in POLICIES:
                    with self.subTest(client=client, server=server):
                        done = self.connect(port, client, keys_of(self.lab, "alice"), "--json")
                        if (client, server) in refused:
                            self.assert_fails(done, "HANDSHAKE_FAILED.*policies of both ends")
                            continue
                        self.assert_succeeds(done)
                        said = done.stderr.decode()
                        account = json.loads(said.splitlines()[-1])
                        self.assertEqual(account["qkd_mixed"], (client, server) in mixed, said)
                        degraded = client == "preferred" and server == "none"
                        self.assertEqual("epoch 1 is WITHOUT a QKD key, which is preferred here" in said, degraded, said)
                self.assertEqual("epoch 1 is WITHOUT a QKD key" in log(), server == "preferred", log())

    def test_both_ends_name_the_key_of_each_epoch_and_the_metrics_count_them(self):
        metrics = free_port()
        args = ("--rekey-bytes", "1000", "--metrics-port", str(metrics), "--json")
        with self.server("required", keys_of(self.lab, "bob"), *args) as (port, server, log):
            with self.world.client(port, *keys_of(self.lab, "alice"), peers="alice-required.toml") as client:
                for rekeys in range(1, 4):
                    self.echo(client, 3000)
                    wait_until(lambda: len(re.findall("session .* epoch [0-9]+: ", log())) >= rekeys, "a rekey")
                client.stdin.close()
                code, said = self.ended(client)
                self.assertEqual(code, 0, said)
            wait_until(lambda: "closed" in log(), "the end of the session")
            with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=PATIENCE) as answer:
                counts = dict(re.findall(r"(?m)^(qsp_\S+) (\d+)$", answer.read().decode()))
            server.send_signal(signal.SIGTERM)
            events = [json.loads(line) for line in server.communicate(timeout=PATIENCE)[0].splitlines()]
        epochs = {e["epoch"]: e["key_id"] for e in events if e["event"] in ("established", "rekeyed")}
        self.assertGreaterEqual(len(epochs), 4)
        self.assertEqual(len(set(epochs.values())), len(epochs), "a key came twice")
        self.assertLessEqual(set(epochs.values()), set(self.lab.brought))
        told = {int(epoch): key_id for epoch, key_id in re.findall(r"epoch (\d+): fresh KEM key, QKD key ([0-9a-f-]{36})", said)}
        self.assertEqual(told, epochs)
        self.assertIn("QKD mixed in", said)
        self.assertEqual(counts['qsp_epochs_total{qkd="mixed"}'], str(len(epochs)))
        for nothing in ('qsp_epochs_total{qkd="none"}', "qsp_epochs_degraded_total", "qsp_qkd_unavailable_total"):
            self.assertEqual(counts[nothing], "0", nothing)


class HandshakeWithoutKey(KmeCase):
    """Each end's KME fails in its own way, without a fault injected: all cases at once, for most wait for a deadline."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab, cls.empty = cls.make_lab(100), cls.make_lab(0)

    def expired(self):
        """A folder with a certificate of alice's that the laboratory's CA gave, and that was valid for no time at all."""
        program = shutil.which("openssl")
        if not program:
            self.skipTest("there is no program openssl")
        folder = self.lab.root / "expired"
        folder.mkdir()
        subprocess.run([program, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=alice",
                        "-keyout", folder / "key.pem", "-out", folder / "request.pem"], check=True, capture_output=True)
        (folder / "key.pem").chmod(0o600)
        subprocess.run([program, "x509", "-req", "-in", folder / "request.pem", "-CA", self.lab.folder / "ca.pem", "-CAkey",
                        self.lab.folder / "ca-key.pem", "-set_serial", "7", "-days", "0", "-out", folder / "cert.pem"],
                       check=True, capture_output=True)
        time.sleep(1.1)  # until the second of its end has passed
        return folder

    def run_case(self, policy, alice, bob):
        """(what alice's end was, bob's log, metrics)"""
        metrics = free_port()
        with self.server(policy, bob, "--metrics-port", str(metrics)) as (port, _, log):
            done = self.connect(port, policy, alice)
            wait_until(lambda: "closed" in log(), "the end at the server")
            with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=PATIENCE) as answer:
                return done, log(), answer.read().decode()

    def test_it_ends_with_the_reason_or_goes_on_without_and_says_so(self):
        lab, empty = self.lab, self.empty
        alice, bob = keys_of(lab, "alice"), keys_of(lab, "bob")
        nowhere = f"https://127.0.0.1:{free_port()}"
        # What fails, at whose end, and what that end's log says of it.
        cases = {
            "alice's KME is down": (keys_of(lab, "alice", url=nowhere), bob, "no key in time: .*127.0.0.1"),
            "bob's KME is down": (alice, keys_of(lab, "bob", url=nowhere), "no key in time: .*127.0.0.1"),
            "alice's KME is empty": (keys_of(empty, "alice"), bob, "no key in time: .*(answered 503|no answer in time)"),
            "bob's KME has another link": (alice, keys_of(empty, "bob"), "no key in time: .*answered 400|the answer was lost"),
            "alice is another SAE": (keys_of(lab, "alice", own=lab.folder / "kme-b"), bob, "answered 401 .does the KME know"),
            "bob is another SAE": (alice, keys_of(lab, "bob", own=lab.folder / "kme-a"), "answered 401 .does the KME know"),
            "alice has another CA's certificate": (keys_of(lab, "alice", own=empty.folder / "alice"), bob, "certificate"),
            "bob has another CA's certificate": (alice, keys_of(lab, "bob", own=empty.folder / "bob"), "certificate"),
            "alice's certificate has expired": (keys_of(lab, "alice", own=self.expired()), bob, "certificate"),
        }
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            runs = {(name, policy): pool.submit(self.run_case, policy, *ends)
                    for name, (*ends, _) in cases.items() for policy in ("required", "preferred")}
        # Where a loaded machine was too slow for anybody to hear the reason, the run says nothing of it: alone, once more.
        too_late = "no (answer|connection was free) in time|deadline had passed|TIMEOUT|timed out"
        for (name, policy), run in runs.items():
            with self.subTest(name, policy=policy):
                done, log, metrics = run.result()
                *ends, reason = cases[name]
                other = "bob" if name.startswith("alice") else "alice"
                expected = f"no QKD key for SAE {other}: .*({reason})"
                for _ in range(3):
                    said = done.stderr.decode()
                    failing = said if name.startswith("alice") else log
                    if re.search(expected, failing) or not re.search(too_late, said + log):
                        break
                    done, log, metrics = self.run_case(policy, *ends)
                self.assertRegex(failing, expected)
                if policy == "required":
                    line = self.assert_fails(done, "QKD_UNAVAILABLE")
                    whose = "this end's KME or pad" if name.startswith("alice") else "the other end's log, its KME or its pad"
                    self.assertIn(whose, line)
                    self.assertNotIn("WITHOUT", said + log)
                    # Whose own KME failed has its own reason; the other end is told it after the signatures alone.
                    self.assertRegex(metrics, r"(?m)^qsp_qkd_unavailable_total 1$")
                    self.assertRegex(metrics, r"(?m)^qsp_sessions_established_total 0$")
                else:
                    self.assert_succeeds(done)
                    self.assertEqual(done.stdout, b"hello")
                    self.assertRegex(said, "QKD_UNAVAILABLE.*dialling again WITHOUT a QKD key")
                    for text in (said, log):
                        self.assertRegex(text, "warning .*epoch 1 is WITHOUT a QKD key, which is preferred here")
                    self.assertRegex(metrics, r"(?m)^qsp_epochs_degraded_total 1$")
                    self.assertRegex(metrics, r'(?m)^qsp_epochs_total{qkd="none"} 1$')


class Faults(KmeCase):
    """Faults that the KMEs were told to have."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab = cls.make_lab(300)

    def setUp(self):
        for kme in (self.lab.a, self.lab.b):
            kme.inject("--clear")
        self.alice, self.bob = keys_of(self.lab, "alice"), keys_of(self.lab, "bob")

    def test_slow_kmes_are_waited_for(self):
        for kme in (self.lab.a, self.lab.b):
            kme.inject("--latency", "700ms")
        with self.session("required", self.bob, self.alice, "--rekey-bytes", "1000") as (client, log):
            self.echo(client, 3000)
            wait_until(lambda: "epoch 1: " in log(), "the rekey")
            client.stdin.close()
            code, said = self.ended(client)
            self.assertEqual(code, 0, said)
            self.assertRegex(said, "epoch 2: fresh KEM key, QKD key ")

    def test_a_key_that_differs_ends_the_handshake_and_is_no_reason_to_go_without(self):
        for policy in ("required", "preferred"):
            for kme in (self.lab.a, self.lab.b):
                with self.subTest(policy=policy, kme=kme.name), self.server(policy, self.bob) as (port, _, log):
                    kme.inject("--on", "wrong-bytes")
                    done = self.connect(port, policy, self.alice)
                    kme.inject("--clear")
                    self.assert_fails(done, "refused the session .HANDSHAKE_FAILED.*compare keys")
                    wait_for_text(log, "HANDSHAKE_FAILED")
                    self.assertNotIn("WITHOUT", done.stderr.decode() + log())
                    self.assert_succeeds(self.connect(port, policy, self.alice))

    def test_a_key_that_differs_ends_the_session_at_its_rekey(self):
        for policy in ("required", "preferred"):
            with self.subTest(policy), self.session(policy, self.bob, self.alice, "--rekey-bytes", "1000") as (client, log):
                self.lab.b.inject("--on", "wrong-bytes")
                client.stdin.write(bytes(3000))
                client.stdin.flush()
                code, said = self.ended(client)
                self.lab.b.inject("--clear")
                self.assertEqual(code, 1)
                self.assertRegex(said, r"(?m)^qsp: error: the peer closed the session .REKEY_FAILED")
                wait_for_text(log, "closed: REKEY_FAILED")

    def test_a_lost_answer_costs_its_key_and_another_one_is_asked_for_where_that_helps(self):
        self.lab.b.inject("--on", "lose-answers")
        with self.server("required", self.bob) as (port, _, log):
            self.assert_fails(self.connect(port, "required", self.alice), "refused the session .QKD_UNAVAILABLE")
            wait_for_text(log, "no QKD key for SAE alice: the answer was lost, and the key with it")
            self.lab.b.inject("--clear")
            self.lab.a.inject("--on", "lose-answers")
            before = self.lab.a.status()["keys_given"]
            done = self.connect(port, "required", self.alice)
            self.lab.a.inject("--clear")
            # SPEC §5.7: once more, and no more often. A loaded machine may not have come to that.
            burned = self.lab.a.status()["keys_given"] - before
            self.assertIn(burned, (1, 2))
            line = self.assert_fails(done, "QKD_UNAVAILABLE")
            self.assertIn("this end's KME or pad", line)
            self.assertRegex(done.stderr.decode(), f"no QKD key for SAE bob: .*; {burned} keys? may be burned")

    def test_a_lost_answer_at_a_rekey_makes_an_epoch_without_where_that_may_be(self):
        with self.session("preferred", self.bob, self.alice, "--rekey-bytes", "1000") as (client, log):
            self.lab.a.inject("--on", "lose-answers")
            self.echo(client, 3000)
            wait_until(lambda: "epoch 2 is WITHOUT a QKD key" in log(), "an epoch without")
            self.lab.a.inject("--clear")
            self.echo(client, 3000)
            wait_until(lambda: "epoch 2: fresh KEM key, no QKD key" in log(), "the epoch after it")
            client.stdin.close()
            code, said = self.ended(client)
            self.assertEqual(code, 0, said)
            self.assertRegex(said, "no QKD key for SAE bob: the answer was lost")
            self.assertRegex(said, "warning .*epoch 2 is WITHOUT a QKD key, which is preferred here")
            self.assertRegex(said, "epoch 3: fresh KEM key, QKD key ")

    def test_an_outage_ends_what_demands_keys_at_the_hard_life_and_marks_each_epoch_of_what_prefers_them(self):
        timers = ("--dangerous-short-timers", "--rekey-timer", "1", "--rekey-interval", "1")
        with self.session("preferred", self.bob, self.alice, *timers) as (preferring, preferred_log):
            with self.session("required", self.bob, self.alice, *timers) as (demanding, log):
                self.lab.b.inject("--on", "unavailable")
                code, said = self.ended(demanding)
                self.assertEqual(code, 1)
                self.assertRegex(said, r"(?m)^qsp: error: the peer closed the session .QKD_UNAVAILABLE")
                wait_for_text(log, "no QKD key for SAE alice: no key in time: KME .* answered 503")
                self.assertNotIn("WITHOUT", said)
            wait_until(lambda: len(re.findall("epoch [0-9]+ is WITHOUT", preferred_log())) >= 2, "two epochs without")
            self.lab.b.inject("--clear")
            without = set(re.findall("epoch ([0-9]+) is WITHOUT", preferred_log()))
            last = max(map(int, without))
            wait_until(lambda: re.search(f"epoch ({last + 1}|{last + 2}): fresh KEM key, QKD key", preferred_log()), "a key again")
            self.assertEqual(without, set(re.findall("epoch ([0-9]+): fresh KEM key, no QKD key", preferred_log())) & without)
            self.assertIsNone(preferring.poll())


class InTheField(KmeCase):
    """KMEs whose words, forms and TLS are not ours (SPEC §5.7)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab = cls.make_lab(0)

    def meet(self, kme, *args, policy="required"):
        """(what alice's end was, bob's log), both ends with that KME."""
        with self.server(policy, keys_of(self.lab, "bob", url=kme.url), *args) as (port, _, log):
            done = self.connect(port, policy, (*keys_of(self.lab, "alice", url=kme.url), *args))
            return done, log()

    # SPEC §5.7: each further enc_keys is logged.
    def test_not_there_yet_and_not_enough_in_other_words_are_waited_for_and_told(self):
        script = {"enc_keys": [words(400, "key pool is empty"), reply(502)],
                  "dec_keys": [words(400, "no such key so far"), reply(401), words(409, "busy"), reply(200, b'{"keys":[]}')]}
        with FieldKme(self.lab.folder, script) as kme:
            done, log = self.meet(kme)
            self.assert_succeeds(done)
            said = done.stderr.decode()
            self.assertRegex(said, "no QKD key for SAE bob yet: KME .* answered 400: key pool is empty; asking again, call 2 of enc_keys")
            self.assertRegex(said, "answered 502; asking again, call 3 of enc_keys.*; 1 key may be burned")
            self.assertEqual((kme.count("enc_keys"), kme.count("dec_keys")), (3, 5))

    # SPEC §5.7: Retry-After.
    def test_a_kme_is_left_alone_for_as_long_as_it_wants(self):
        date = ["Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: Sun, 06 Nov 1994 08:49:38 GMT"]
        script = {"enc_keys": [reply(503, head=["Retry-After: 1"])], "dec_keys": [reply(429, head=date)]}
        with FieldKme(self.lab.folder, script) as kme:
            began = time.monotonic()
            done, log = self.meet(kme)
            self.assert_succeeds(done)
            self.assertGreaterEqual(time.monotonic() - began, 2)
            self.assertRegex(done.stderr.decode(), r"answered 503 .it asks to wait 1 s.; asking again")
        with FieldKme(self.lab.folder, {"enc_keys": [reply(503, head=["Retry-After: 3600"])]}) as kme:
            done, _ = self.meet(kme)
            self.assertIn("this end's KME or pad", self.assert_fails(done, "QKD_UNAVAILABLE"))
            self.assertRegex(done.stderr.decode(), "no key in time: KME .* answered 503 .it asks to wait 3600 s.")
            self.assertEqual(kme.count("enc_keys"), 1)

    # SPEC §5.7: wherever a key may be burned.
    def test_an_enc_keys_whose_session_ends_meanwhile_is_told_once(self):
        held = threading.Event()
        self.addCleanup(held.set)
        with FieldKme(self.lab.folder, form=lambda body: (held.wait(PATIENCE), reply(200, body))[1]) as kme:
            bob, alice = (keys_of(self.lab, sae, url=kme.url) for sae in ("bob", "alice"))
            with self.server("required", bob) as (port, _, _), self.world.client(port, *alice, peers="alice-required.toml") as client:
                wait_until(lambda: kme.given == 1, "enc_keys")
                client.send_signal(signal.SIGTERM)
                _, said = self.ended(client)
        self.assertEqual(len(re.findall("nobody waits any more for the QKD key for SAE bob .*; 1 key may be burned", said)), 1, said)
        self.assertEqual(said.count("burned"), 1, said)

    def test_post_refused_is_asked_by_get(self):
        for status in (404, 405, 415, 501):
            with self.subTest(status), FieldKme(self.lab.folder, refuse_post=status) as kme:
                done, _ = self.meet(kme)
                self.assert_succeeds(done)

    def test_a_body_that_ends_with_the_connection_is_taken_where_its_end_is_sure(self):
        def form(body):
            return reply(200, body, length=False)
        with FieldKme(self.lab.folder, form=form) as kme:
            self.assert_succeeds(self.meet(kme)[0])
        with FieldKme(self.lab.folder, form=form, clean=False) as kme:
            done, _ = self.meet(kme)
            self.assert_fails(done, "QKD_UNAVAILABLE")
            self.assertRegex(done.stderr.decode(), "--kme-unclean-end.*; 1 key may be burned")
            self.assertEqual(kme.given, 1, "asked again for what would be the same")
            self.assert_succeeds(self.meet(kme, "--kme-unclean-end")[0])

    # SPEC §5.7: with how many keys may be burned.
    def test_what_is_wrong_with_an_answers_form_costs_one_key_and_is_named(self):
        large = b'{"keys":[],"x":"' + bytes(70_000).replace(b"\0", b"x") + b'"}'
        for form, named in ((lambda body: reply(200, body, ["Content-Encoding: gzip"]), "Content-Encoding gzip"),
                            (lambda body: reply(200, large), "larger than allowed"),
                            (lambda body: reply(200, body, ["Content-Length: 3"]), "no HTTP/1.1"),
                            (lambda body: reply(200, body, ["X: " + "x" * 20_000]), "header fields are too large")):
            with self.subTest(named), FieldKme(self.lab.folder, form=form) as kme:
                done, _ = self.meet(kme)
                self.assertIn("this end's KME or pad", self.assert_fails(done, "QKD_UNAVAILABLE"))
                self.assertRegex(done.stderr.decode(), f"no QKD key for SAE bob: .*{named}.*; 1 key may be burned")
                self.assertEqual(kme.given, 1)

    def test_tls_that_does_not_meet_is_told_with_the_option_and_not_tried_again(self):
        with FieldKme(self.lab.folder, tls=ssl.TLSVersion.TLSv1_2) as kme:
            done, _ = self.meet(kme)
            self.assert_fails(done, "QKD_UNAVAILABLE")
            self.assertRegex(done.stderr.decode(), "no QKD key for SAE bob: (?!no key in time).*--kme-tls12")
            self.assert_succeeds(self.meet(kme, "--kme-tls12")[0])

    def test_what_a_kme_says_is_escaped_once(self):
        with FieldKme(self.lab.folder, {"enc_keys": [words(403, "a\nb\\c \x1b[31m")]}) as kme:
            done, _ = self.meet(kme)
            self.assertIn(r"answered 403: a\x0ab\\c \x1b[31m (", done.stderr.decode())

    # SPEC §5.7: whatever does not plainly say no.
    def test_keys_that_are_called_simulated_as_a_text_are_told(self):
        def form(body):
            return reply(200, body.replace(b'"key":', b'"key_extension":{"simulated":"true"},"key":'))
        with FieldKme(self.lab.folder, form=form) as kme:
            done, log = self.meet(kme)
            self.assert_succeeds(done)
            for text in (done.stderr.decode(), log):
                self.assertRegex(text, "warning .*are SIMULATED")

    def test_a_supply_of_0_is_not_believed_of_a_kme_that_gives_keys(self):
        floor = ("--rekey-interval", "1", "--rekey-timer", "60", "--qkd-rekey-max", "60")
        with FieldKme(self.lab.folder, stored=0) as kme:
            with self.session("required", keys_of(self.lab, "bob", url=kme.url), keys_of(self.lab, "alice", url=kme.url),
                              *floor) as (client, log):
                wait_until(lambda: len(re.findall("session .* epoch [0-9]+: ", log())) >= 2, "two rekeys at full pace")
                self.assertNotIn("is low", log())
                self.assertIsNone(client.poll())


class Pace(KmeCase):
    def test_rekeys_slow_down_while_keys_are_few_and_no_longer_when_more_come(self):
        lab = self.make_lab(100)
        metrics = free_port()
        floor = ("--rekey-interval", "1", "--rekey-timer", "60", "--qkd-rekey-max", "60", "--qkd-low-supply", "150")

        def slowed():
            with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=PATIENCE) as answer:
                return re.search(r"(?m)^qsp_qkd_slowed_peers (\d+)$", answer.read().decode())[1]

        with self.session("required", keys_of(lab, "bob"), keys_of(lab, "alice"), *floor, "--metrics-port", str(metrics)) as (client, log):
            low = r"supply of QKD keys for SAE alice is low, \d+ left: rekey every 3\.?\d* s instead of 1 s"
            wait_until(lambda: re.search(low, log()), "the slow pace")
            self.assertEqual(slowed(), "1")
            lab.bring(300)
            wait_until(lambda: "supply of QKD keys for SAE alice has recovered: rekey every 1 s again" in log(), "the full pace")
            self.assertEqual(slowed(), "0")
            self.assertIsNone(client.poll())

    def test_a_floor_that_cannot_be_is_refused_with_what_can(self):
        kme = ("--sae-id", "bob", "--kme", "https://127.0.0.1:1", "--kme-ca", "x", "--kme-cert", "x", "--kme-key", "x")
        key = ("--key", self.world.path("bob.key"), "--peers", self.world.path("bob-required.toml"))
        for floor in ("119", "181"):
            self.assert_fails(qsp("serve", *key, *kme, "--qkd-rekey-max", floor), "takes a time from 2m .* to 3m", code=2)
        self.assert_fails(qsp("serve", *key, "--qkd-rekey-max", "150s"), "give --kme URL too", code=2)
        self.assert_fails(qsp("serve", *key, "--qkd-low-supply", "150"), "give --kme URL too", code=2)


class Secrets(KmeCase):
    def test_nothing_secret_is_written_by_anybody_at_the_most_talkative_level(self):
        lab = self.make_lab(60)
        passphrase = b"correct horse battery staple"
        self.world.write("pass", passphrase + b"\n")
        self.world.keygen("locked", "--passphrase-file", self.world.path("pass"))
        self.world.pin("alice-locked.toml", name="bob", key_file="locked.key.pub", serve=True, qkd="required", sae_id="bob")
        talk = ("--log-level", "trace", "--json")
        said = []
        with self.server("required", keys_of(lab, "bob"), "--passphrase-file", self.world.path("pass"), "--rekey-bytes", "1000", *talk,
                         keys=["locked", "bob"]) as (port, server, log):
            alice = (*keys_of(lab, "alice"), *talk)
            with self.world.client(port, *alice, peers="alice-locked.toml") as client:
                for rekeys in range(1, 3):
                    self.echo(client, 3000)
                    wait_until(lambda: len(re.findall("session .* epoch [0-9]+: ", log())) >= rekeys, "a rekey")
                said.append(client.communicate(timeout=PATIENCE)[1])
            said.append(self.world.connect(port, *alice, key="mallory", peers="alice-locked.toml").stderr)
            for fault in ("wrong-bytes", "lose-answers"):
                lab.b.inject("--on", fault)
                said.append(self.world.connect(port, *alice, peers="alice-locked.toml").stderr)
                lab.b.inject("--clear")
            server.send_signal(signal.SIGTERM)
            said += [server.communicate(timeout=PATIENCE)[0], log().encode()]
        for kme in (lab.a, lab.b):
            kme.process.send_signal(signal.SIGTERM)
            said += [kme.process.communicate(timeout=PATIENCE)[0], kme.log.read_bytes()]
        text = b"\n".join(said)
        used = set(re.findall(rb'"key_id":"([0-9a-f-]{36})"', text))
        self.assertGreaterEqual(len(used & {key_id.encode() for key_id in lab.brought}), 3, "hardly a QKD key was used")

        secrets = [*lab.brought.values(), passphrase]
        pems = [self.world.read(f"{name}.key") for name in ("alice", "bob", "locked", "mallory")]
        pems += [(lab.folder / owner / "key.pem").read_bytes() for owner in ("alice", "bob", "kme-a", "kme-b")]
        for pem in pems:
            secrets.append(base64.b64decode(b"".join(line for line in pem.splitlines() if not line.startswith(b"-"))))
        assert_nothing_of(secrets, text)


if __name__ == "__main__":
    main()
