"""`qsp serve` on SIGHUP: pins and keys are read anew, all or nothing, and only those who lost their place are closed."""

import contextlib
import json
import os
import signal

from program import PATIENCE, Case, main, process, qsp, wait_until, QSP, first_line


class ReloadCase(Case):
    def setUp(self):
        self.pins("served.toml", alice={"key": "alice"})

    def pins(self, file, **peers):
        """Writes a peers file: NAME={"key": KEY, and what else its pin says}."""
        text = ""
        for name, pin in peers.items():
            fields = {"name": name, "key_file": f"{pin.pop('key')}.key.pub", "connect": True, **pin}
            text += "[[peer]]\n" + "".join(f"{field} = {json.dumps(value)}\n" for field, value in fields.items())
        self.world.write(file, text.encode())

    def serve(self, *args):
        return qsp("serve", "--listen", "127.0.0.1:0", "--key", self.world.path("bob.key"), "--peers", self.world.path("served.toml"), *args)

    @contextlib.contextmanager
    def server(self, *args, keys=("bob",)):
        with self.world.server(*args, keys=keys, peers="served.toml") as (port, server, log):
            def reload(told="reloaded: "):
                before = log().count(told)
                server.send_signal(signal.SIGHUP)
                wait_until(lambda: log().count(told) > before or server.poll() is not None, told)
                self.assertIsNone(server.poll(), log())
                return log()
            yield port, reload, server

    def assert_goes_on(self, client):
        client.stdin.write(b"ping")
        client.stdin.flush()
        self.assertEqual(client.stdout.read(4), b"ping")

    def assert_is_closed(self, client, why):
        client.wait(PATIENCE)
        self.assertEqual(client.returncode, 1)
        self.assertRegex(client.stderr.read().decode(), f"(?m)^qsp: error: the peer closed the session .NORMAL: {why}")


class Pins(ReloadCase):
    def test_a_new_peer_is_admitted_and_a_running_session_does_not_notice(self):
        with self.server("--threads", "3") as (port, reload, _):
            with self.world.client(port) as alice:
                self.assert_goes_on(alice)
                self.assert_fails(self.world.connect(port, key="mallory"), "refused the session")
                self.pins("served.toml", alice={"key": "alice"}, carol={"key": "mallory"})
                self.assertRegex(reload(), r"reloaded: 2 peers; added: carol; own keys as before; 0 sessions closed")
                for _ in range(4):  # on every thread
                    self.assert_succeeds(self.world.connect(port, key="mallory"))
                self.assert_goes_on(alice)
                alice.stdin.close()
                self.assertEqual(alice.wait(PATIENCE), 0)

    def test_a_peer_that_is_pinned_no_more_is_closed_and_the_others_are_not(self):
        self.pins("served.toml", alice={"key": "alice"}, carol={"key": "mallory"})
        with self.server("--threads", "2") as (port, reload, _):
            with self.world.client(port) as alice, self.world.client(port) as too, self.world.client(port, key="mallory") as carol:
                for client in (alice, too, carol):
                    self.assert_goes_on(client)
                self.pins("served.toml", carol={"key": "mallory"})
                self.assertRegex(reload(), r"reloaded: 1 peer; removed: alice; own keys as before; 2 sessions closed")
                for client in (alice, too):
                    self.assert_is_closed(client, "this peer is not pinned any more")
                self.assert_goes_on(carol)
                self.assert_fails(self.world.connect(port), "refused the session")

    def test_the_last_peer_is_revoked_by_a_file_that_says_so_and_not_by_an_empty_one(self):
        with self.server() as (port, reload, _):
            with self.world.client(port) as alice:
                self.assert_goes_on(alice)
                self.world.write("served.toml", b"")
                self.assertRegex(reload("reload failed"), r"holds no peer; add a \[\[peer\]\] table, or write peer = \[\]")
                self.assert_goes_on(alice)
                self.world.write("served.toml", b"peer = []\n")
                self.assertRegex(reload(), r"reloaded: 0 peers; removed: alice; own keys as before; 1 session closed")
                self.assert_is_closed(alice, "this peer is not pinned any more")
                self.assert_fails(self.world.connect(port), "refused the session")

    def test_a_peer_whose_key_or_rights_changed_is_closed(self):
        for pin, why in (({"key": "mallory"}, "this peer is pinned with another key now"),
                         ({"key": "alice", "connect": False, "serve": True}, "this peer may not connect any more")):
            self.pins("served.toml", alice={"key": "alice"})
            with self.subTest(why), self.server() as (port, reload, _), self.world.client(port) as alice:
                self.assert_goes_on(alice)
                self.pins("served.toml", alice=pin)
                self.assertIn("changed: alice", reload())
                self.assert_is_closed(alice, why)
        self.pins("served.toml", alice={"key": "alice"})
        with self.server() as (port, reload, _), self.world.client(port) as alice:
            self.assert_goes_on(alice)
            self.pins("served.toml", dave={"key": "alice"})
            reload()
            self.assert_is_closed(alice, "this key is pinned to another peer now|this peer is not pinned any more")

    def test_a_session_without_qkd_is_closed_where_its_peer_now_needs_it(self):
        _, bob = self.world.pads("reload")
        with self.server("--sae-id", "SAE-bob", "--qkd", "preferred", "--pad", f"SAE-alice={bob}") as (port, reload, _), self.world.client(port) as alice:
            self.assert_goes_on(alice)
            self.pins("served.toml", alice={"key": "alice", "qkd": "required", "sae_id": "SAE-alice"})
            reload()
            self.assert_is_closed(alice, "QKD is required for this peer now")

    # SPEC §4.
    def test_an_sae_id_that_is_shared_or_this_ends_own_is_refused_at_start_and_at_reload(self):
        """SPEC §4: no two pinned peers may share an SAE ID, and none may have this end's own."""
        carol = {"key": "mallory", "sae_id": "SAE-carol"}
        self.pins("served.toml", alice={"key": "alice", "sae_id": "SAE-alice"}, carol=dict(carol))
        shared = 'served.toml:10:10: peer "carol", field "sae_id": is pinned to peer "alice" of line 1 already'
        own = r'served.toml:6:1: peer "carol", field "sae_id": is this end.s own SAE ID .--sae-id.'
        with self.server("--sae-id", "SAE-bob") as (port, reload, _), self.world.client(port) as alice:
            self.assert_goes_on(alice)
            self.pins("served.toml", alice={"key": "alice", "sae_id": "SAE-carol"}, carol=dict(carol))
            self.assertRegex(reload("reload failed"), f"everything stays as it was: .*{shared}")
            self.assert_fails(self.serve("--sae-id", "SAE-bob"), shared)
            self.pins("served.toml", alice={"key": "alice", "sae_id": "SAE-alice"}, carol=carol | {"sae_id": "SAE-bob"})
            self.assertRegex(reload("reload failed"), f"everything stays as it was: .*{own}")
            self.assert_fails(self.serve("--sae-id", "SAE-bob"), own)
            self.assert_goes_on(alice)
        self.world.pin("dialled.toml", name="bob", key_file="bob.key.pub", serve=True, sae_id="SAE-alice")
        self.assert_fails(self.world.connect(9, "--sae-id", "SAE-alice", peers="dialled.toml"),
                          'dialled.toml:1:1: peer "bob", field "sae_id": is this end.s own SAE ID')

    def test_what_does_not_load_changes_nothing_and_says_why(self):
        with self.server("--json") as (port, reload, server), self.world.client(port) as alice:
            self.assert_goes_on(alice)
            for content, why in ((b"[[peer]]\nname = 1\n", "served.toml:2"), (None, "served.toml: cannot open")):
                if content is None:
                    os.unlink(self.world.path("served.toml"))
                else:
                    self.world.write("served.toml", content)
                self.assertRegex(reload("reload failed"), f"reload failed, and everything stays as it was: .*{why}")
                self.assert_goes_on(alice)
                self.assert_succeeds(self.world.connect(port))
            self.pins("served.toml", alice={"key": "alice", "qkd": "required", "sae_id": "SAE-alice"})
            self.assertRegex(reload("reload failed"), "requires QKD, which this listener has switched off")
            self.pins("served.toml", alice={"key": "alice"})
            os.chmod(self.world.path("served.toml"), 0o666)
            self.assertRegex(reload("reload failed"), "chmod go-w")
            self.assert_goes_on(alice)
            server.send_signal(signal.SIGTERM)
            events = [json.loads(line) for line in server.communicate(timeout=PATIENCE)[0].splitlines()]
            self.assertEqual([e["event"] for e in events].count("reload_failed"), 4)


class Keys(ReloadCase):
    def test_a_new_key_serves_new_sessions_and_the_old_ones_live_on(self):
        self.world.keygen("rolled")
        self.world.keygen("next")
        self.world.pin("alice-rolled.toml", name="bob", key_file="rolled.key.pub", serve=True)
        self.world.pin("alice-next.toml", name="bob", key_file="next.key.pub", serve=True)
        with self.server("--threads", "2", keys=["rolled"]) as (port, reload, _):
            with self.world.client(port, peers="alice-rolled.toml") as old:
                self.assert_goes_on(old)
                self.assert_fails(self.world.connect(port, peers="alice-next.toml"), "failed|refused")
                os.replace(self.world.path("next.key"), self.world.path("rolled.key"))
                self.assertRegex(reload(), r"1 peer as before; own keys now: qsp1:[0-9a-f]{64}; 0 sessions closed")
                self.assert_goes_on(old)
                for _ in range(3):
                    self.assert_succeeds(self.world.connect(port, peers="alice-next.toml"))
                self.assert_fails(self.world.connect(port, peers="alice-rolled.toml"), "failed|refused")
                self.assert_goes_on(old)

    def test_the_passphrase_file_is_read_anew_too(self):
        passphrase = self.world.write("locked.pass", b"correct horse\n")
        self.world.keygen("locked", "--passphrase-file", passphrase)
        other = self.world.write("other.pass", b"battery staple\n")
        self.world.keygen("relocked", "--passphrase-file", other)
        self.world.pin("alice-relocked.toml", name="bob", key_file="relocked.key.pub", serve=True)
        with self.server("--passphrase-file", passphrase, keys=["locked"]) as (port, reload, _):
            os.replace(self.world.path("relocked.key"), self.world.path("locked.key"))
            self.assertRegex(reload("reload failed"), r"locked\.key: .*passphrase")
            os.replace(other, passphrase)
            self.assertIn("own keys now", reload())
            self.assert_succeeds(self.world.connect(port, peers="alice-relocked.toml"))


class Storms(ReloadCase):
    def test_any_number_of_signals_under_load_costs_nobody_a_session(self):
        with self.server("--threads", "2") as (port, reload, server):
            with self.world.client(port) as steady:
                for _ in range(10):
                    for _ in range(5):
                        server.send_signal(signal.SIGHUP)
                    done = self.world.connect(port, stdin=bytes(100_000))
                    self.assert_succeeds(done)
                    self.assertEqual(len(done.stdout), 100_000)
                    self.assert_goes_on(steady)
                reload()

    def test_a_profile_without_pins_says_that_there_is_nothing_to_read(self):
        with process(QSP, "serve", "--listen", "127.0.0.1:0", "--profile", "rc155", "--insecure") as (server, log):
            first_line(server)
            server.send_signal(signal.SIGHUP)
            wait_until(lambda: "has neither keys nor pins" in log() or server.poll() is not None, "an answer")
            self.assertIsNone(server.poll())


class Hangup(ReloadCase):
    def test_a_client_ends_its_session_in_good_order(self):
        with self.world.server() as (port, _, log), self.world.client(port) as alice:
            self.assert_goes_on(alice)
            alice.send_signal(signal.SIGHUP)
            self.assertEqual(alice.wait(PATIENCE), 1)
            wait_until(lambda: "closed by the peer: NORMAL: interrupted" in log(), "the CLOSE")


class NoSource(ReloadCase):
    """A policy that no session could meet is refused at the start, by both verbs."""

    def test_of_the_listener(self):
        self.assert_fails(self.serve("--qkd", "required", "--sae-id", "SAE-bob"), "--qkd required.*give --kme URL, or --pad", code=2)

    def test_of_a_pin(self):
        self.pins("served.toml", alice={"key": "alice", "qkd": "required", "sae_id": "SAE-alice"})
        own = ("--sae-id", "SAE-bob", "--qkd", "preferred")
        self.assert_fails(self.serve(*own), "peer 'alice' requires QKD.*give --kme URL, or --pad", code=2)
        _, pad = self.world.pads("of-another")
        self.assert_fails(self.serve(*own, "--pad", f"SAE-carol={pad}"), "peer 'alice' requires QKD.*give --kme URL, or --pad", code=2)
        self.assert_fails(self.serve("--sae-id", "SAE-bob", "--pad", f"SAE-alice={pad}"), "peer 'alice' requires QKD.*switched off: give --qkd", code=2)
        self.world.pin("dialled.toml", name="bob", serve=True, qkd="required", sae_id="SAE-bob")
        self.assert_fails(self.world.connect(9, "--sae-id", "SAE-alice", peers="dialled.toml"), "peer 'bob' requires QKD.*give --kme", code=2)

    def test_of_a_pin_that_only_serves_does_not_concern_a_server(self):
        self.pins("served.toml", alice={"key": "alice"}, carol={"key": "mallory", "connect": False, "serve": True, "qkd": "required", "sae_id": "C"})
        with self.server() as (port, _, _):
            self.assert_succeeds(self.world.connect(port))


if __name__ == "__main__":
    main()
