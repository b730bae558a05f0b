"""QSP 1.0 with QKD keys from pads: what is mixed in, and what follows where a key is missing."""

import base64
import json
import os
import re
import signal

from program import PATIENCE, Case, assert_nothing_of, main, wait_for_text, wait_until

ALICE = ("--sae-id", "SAE-alice")
BOB = ("--sae-id", "SAE-bob")
PAD_HEADER, PAD_RECORD = 256, 40  # docs/pad.md, "Format"


class QkdCase(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for policy in ("required", "preferred"):
            cls.world.pin(f"bob-{policy}.toml", name="alice", connect=True, qkd=policy, sae_id="SAE-alice")
            cls.world.pin(f"alice-{policy}.toml", name="bob", serve=True, qkd=policy, sae_id="SAE-bob")

    def server(self, policy, pad, *args):
        pads = ("--pad", f"SAE-alice={pad}") if pad else ()
        return self.world.server(*BOB, "--qkd", policy, *pads, *args, peers=f"bob-{policy}.toml")

    def connect(self, port, policy, pad, *args, stdin=b""):
        pads = ("--pad", f"SAE-bob={pad}") if pad else ()
        return self.world.connect(port, *ALICE, *pads, *args, stdin=stdin, peers=f"alice-{policy}.toml")


def crc64(data):
    """CRC-64/XZ."""
    crc = 2**64 - 1
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xC96C5795D7870F42 if crc & 1 else 0)
    return crc ^ 2**64 - 1


def in_epochs(client, count):
    """Passes what it takes for so many rekeys, with `--rekey-bytes 1000` at the server, and closes the input."""
    for _ in range(count):
        client.stdin.write(bytes(3000))
        client.stdin.flush()
        client.stdout.read(3000)


class Required(QkdCase):
    def test_every_epoch_has_a_key_of_its_own(self):
        alice, bob = self.world.pads("epochs")
        with self.server("required", bob, "--rekey-bytes", "1000", "--json") as (port, server, log):
            with self.world.client(port, *ALICE, "--pad", f"SAE-bob={alice}", peers="alice-required.toml") as client:
                for rekeys in range(1, 5):
                    in_epochs(client, 1)
                    wait_until(lambda: log().count("epoch ") >= rekeys, "a rekey")
                client.stdin.close()
                self.assertEqual(client.wait(PATIENCE), 0)
            server.send_signal(signal.SIGTERM)
            events = [json.loads(line) for line in server.communicate(timeout=PATIENCE)[0].splitlines()]
        epochs = [event for event in events if event["event"] in ("established", "rekeyed")]
        self.assertEqual([event["epoch"] for event in epochs], list(range(1, len(epochs) + 1)))
        self.assertGreaterEqual(len(epochs), 5)
        self.assertEqual({event["peer"] for event in epochs}, {"alice"})
        key_ids = [event["key_id"] for event in epochs]
        self.assertEqual(len(set(key_ids) - {None}), len(epochs), key_ids)

    def test_without_a_pad_at_one_end_it_is_refused_with_the_reason(self):
        alice, bob = self.world.pads("one-end")
        with self.server("required", bob) as (port, _, _):
            self.assert_fails(self.connect(port, "required", None), "peer 'bob' requires QKD, and there is no source", code=2)
        with self.server("preferred", None) as (port, _, log):
            self.assert_fails(self.connect(port, "required", alice), "refused the session .QKD_UNAVAILABLE")
            wait_for_text(log, "no QKD key for SAE SAE-alice")

    def test_policies_that_differ_are_refused(self):
        alice, bob = self.world.pads("differ")
        with self.server("required", bob) as (port, _, _):
            self.assert_fails(self.world.connect(port), "HANDSHAKE_FAILED")
        with self.world.server() as (port, _, _):
            self.assert_fails(self.connect(port, "required", alice), "HANDSHAKE_FAILED")

    def test_a_pad_that_is_used_up_ends_the_session_at_the_hard_life_of_its_epoch(self):
        # Two keys, one for each end to hand out: alice's goes into the handshake, bob's into the one rekey.
        alice, bob = self.world.pads("short", keys=2)
        timers = ("--dangerous-short-timers", "--rekey-timer", "1", "--rekey-interval", "1")
        with self.server("required", bob, *timers) as (port, _, log):
            with self.world.client(port, *ALICE, "--pad", f"SAE-bob={alice}", peers="alice-required.toml") as client:
                client.wait(PATIENCE)
                self.assertEqual(client.returncode, 1)
                self.assertRegex(client.stderr.read().decode(), r"(?m)^qsp: error: the peer closed the session .QKD_UNAVAILABLE")
            wait_for_text(log, "no QKD key for SAE SAE-alice")
            self.assert_fails(self.connect(port, "required", alice), "QKD_UNAVAILABLE")

    def test_pads_of_two_links_make_no_session(self):
        alice, _ = self.world.pads("one-link")
        _, bob = self.world.pads("other-link")
        with self.server("required", bob) as (port, _, _):
            self.assert_fails(self.connect(port, "required", alice), "QKD_UNAVAILABLE")

    def test_a_key_that_differs_at_the_ends_makes_no_session(self):
        alice, bob = self.world.pads("differing")
        with open(alice, "r+b") as pad:
            pad.seek(12)
            pad_id = pad.read(16)  # which is the ID of its first key as well
            key = os.urandom(32)
            pad.seek(PAD_HEADER)
            pad.write(key + crc64(pad_id + key).to_bytes(8, "big"))
        with self.server("required", bob) as (port, _, log):
            self.assert_fails(self.connect(port, "required", alice), "HANDSHAKE_FAILED")
            wait_for_text(log, "HANDSHAKE_FAILED")
            self.assert_succeeds(self.connect(port, "required", alice))  # with the next key


class SaeIds(QkdCase):
    """What the two ends call themselves and each other: the end that refuses tells both, and nothing of it reaches a terminal as it came."""

    def test_a_server_that_calls_itself_otherwise(self):
        alice, bob = self.world.pads("sae-server")
        own = "SAE-\x1b[31mbob\\"
        with self.world.server("--sae-id", own, "--qkd", "required", "--pad", f"SAE-alice={bob}", peers="bob-required.toml") as (port, _, _):
            done = self.connect(port, "required", alice, "--json")
        line = self.assert_fails(done, r"failed .HANDSHAKE_FAILED.: the server's SAE ID is 'SAE-\\x1b\[31mbob\\\\', but 'bob' is pinned with 'SAE-bob': compare its --sae-id with sae_id in .*alice-required\.toml$")
        self.assertNotIn(b"\x1b", done.stderr)
        account = next(json.loads(text) for text in done.stderr.splitlines() if text.startswith(b"{"))
        self.assertEqual("qsp: error: " + account["error"], line)

    def test_a_client_that_calls_itself_otherwise(self):
        alice, bob = self.world.pads("sae-client")
        told = r"HANDSHAKE_FAILED: .*the caller presented qsp1:[0-9a-f]{64}, pinned as 'alice'; its SAE ID is 'SAE-\\x1b\[31malice', and the pin has 'SAE-alice'"
        with self.server("required", bob, "--json") as (port, server, log):
            done = self.world.connect(port, "--sae-id", "SAE-\x1b[31malice", "--pad", f"SAE-bob={alice}", peers="alice-required.toml")
            self.assert_fails(done, "refused the session .HANDSHAKE_FAILED")
            self.assertNotIn("SAE-alice", done.stderr.decode())
            wait_for_text(log, told)
            self.assertNotIn("\x1b", log())
            server.send_signal(signal.SIGTERM)
            events = [json.loads(line) for line in server.communicate(timeout=PATIENCE)[0].splitlines()]
        self.assertRegex(next(event["why"] for event in events if event["event"] == "strangers"), told)


class Budget(QkdCase):
    # SPEC §5.7, §5.8: LIMIT in a handshake in which a key was asked for.
    def test_the_eleventh_quick_client_waits_for_the_next_key_or_is_told_how_long(self):
        alice, bob = self.world.pads("budget")
        with self.server("required", bob) as (port, _, log):
            told = rf"127\.0\.0\.1:{port}'s budget of QKD keys is spent, or it has no room now .LIMIT: 10 handshakes at once, then one every 10 s.: wait 10 s"
            quick = [self.connect(port, "required", alice, "--retry-for", "9s") for _ in range(10)]
            while quick[-1].returncode == 0 and len(quick) < 20:  # a slow machine may have earned one meanwhile
                quick.append(self.connect(port, "required", alice, "--retry-for", "9s"))
            for done in quick[:10]:
                self.assert_succeeds(done)
            self.assert_fails(quick[-1], told)
            waited = self.connect(port, "required", alice)
            self.assert_succeeds(waited)
            self.assertEqual(waited.stderr.decode().count(f"127.0.0.1:{port}'s budget of QKD keys is spent, or it has no room now: trying again in 10.0 s"), 1)
            self.assertRegex(log(), r"the QKD budget for SAE SAE-alice is spent: the next fetch is free in \d+ s")


class Preferred(QkdCase):
    # SPEC §5.9.
    def test_without_a_key_it_dials_again_and_warns_in_every_epoch(self):
        alice, bob = self.world.pads("preferred")
        for server_pad, client_pad in ((bob, None), (None, alice)):
            with self.server("preferred", server_pad, "--rekey-bytes", "1000") as (port, _, log):
                pads = ("--pad", f"SAE-bob={client_pad}") if client_pad else ()
                with self.world.client(port, *ALICE, *pads, peers="alice-preferred.toml") as client:
                    in_epochs(client, 2)
                    wait_until(lambda: "epoch 2 is WITHOUT a QKD key" in log(), "the warning of the second epoch")
                    errors = client.communicate(timeout=PATIENCE)[1].decode()
                    self.assertEqual(client.returncode, 0, errors)
                self.assertEqual(errors.count("dialling again WITHOUT a QKD key"), 1)
                self.assertRegex(errors, "QKD_UNAVAILABLE.*dialling again WITHOUT a QKD key")
                for text in (errors, log()):
                    self.assertRegex(text, "warning .*epoch 1 is WITHOUT a QKD key")
                    self.assertRegex(text, "warning .*epoch 2 is WITHOUT a QKD key")

    def test_with_keys_at_both_ends_they_are_used(self):
        alice, bob = self.world.pads("both")
        with self.server("preferred", bob) as (port, _, _):
            done = self.connect(port, "preferred", alice)
            self.assert_succeeds(done)
            self.assertNotIn("WITHOUT", done.stderr.decode())

    def test_any_other_failure_is_no_reason_to_go_without(self):
        alice, bob = self.world.pads("stranger")
        with self.server("preferred", bob) as (port, _, _):
            done = self.world.connect(port, *ALICE, "--pad", f"SAE-bob={alice}", key="mallory", peers="alice-preferred.toml")
            self.assert_fails(done, "refused the session .HANDSHAKE_FAILED")
            self.assertNotIn("WITHOUT", done.stderr.decode())


class Secrets(QkdCase):
    def test_nothing_secret_is_written_at_the_most_talkative_level(self):
        passphrase = "correct horse battery staple"
        self.world.write("pass", passphrase.encode() + b"\n")
        self.world.keygen("locked", "--passphrase-file", self.world.path("pass"))
        self.world.pin("alice-locked.toml", name="bob", key_file="locked.key.pub", serve=True, qkd="required", sae_id="SAE-bob")
        alice, bob = self.world.pads("secrets", keys=40)
        pad = self.world.read("secrets-alice.pad")
        said = []
        pads = ("--pad", f"SAE-alice={bob}", "--passphrase-file", self.world.path("pass"))
        talk = ("--log-level", "trace", "--json")
        with self.world.server(*BOB, "--qkd", "required", *pads, "--rekey-bytes", "1000", *talk, keys=["locked", "bob"],
                               peers="bob-required.toml") as (port, server, log):
            for key in ("alice", "mallory"):
                done = self.world.connect(port, *ALICE, "--pad", f"SAE-bob={alice}", *talk, key=key, stdin=bytes(9000), peers="alice-locked.toml")
                said += [done.stderr]
            server.send_signal(signal.SIGTERM)
            said += [server.communicate(timeout=PATIENCE)[0], log().encode()]
        text = b"\n".join(said)
        used = set(re.findall(rb'"key_id":"([0-9a-f-]{36})"', text))
        self.assertTrue(used, "no QKD key was used")

        # The last 62 bits of an ID are the number of its key (docs/pad.md).
        secrets = [pad[at : at + 32] for at in (PAD_HEADER + PAD_RECORD * (int(uuid.replace(b"-", b""), 16) & (2**62 - 1)) for uuid in used)]
        for name in ("alice", "mallory", "bob", "locked"):
            body = b"".join(line for line in self.world.read(f"{name}.key").splitlines() if not line.startswith(b"-"))
            secrets.append(base64.b64decode(body))
        self.assertNotIn(passphrase.encode(), text)
        assert_nothing_of(secrets, text)


if __name__ == "__main__":
    main()
