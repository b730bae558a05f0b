"""`qsp serve` with several peers: who is admitted, who is held off, and how it stops."""

import json
import os
import signal
import socket

from program import PATIENCE, Case, main, qsp, wait_for_session, wait_for_text, wait_until

MIB = 1024 * 1024


class Stop(Case):
    def test_a_signal_ends_every_session_normally_and_the_server_with_0(self):
        for stop in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(stop), self.world.server("--json") as (port, server, log):
                with self.world.client(port) as idle, self.world.client(port) as busy:
                    busy.stdin.write(bytes(MIB))
                    busy.stdin.flush()
                    self.assertEqual(len(busy.stdout.read(MIB)), MIB)
                    wait_until(lambda: log().count("established") == 2, "two sessions")
                    server.send_signal(stop)
                    for client in (idle, busy):
                        client.wait(PATIENCE)  # while its input is open
                        self.assertEqual(client.returncode, 1)
                        self.assertIn("(NORMAL: the server is stopping)", client.stderr.read().decode())
                    self.assertEqual(server.wait(PATIENCE), 0)
                events = [json.loads(line) for line in server.stdout.read().splitlines()]
                self.assertEqual(events[-1], {"event": "stopped", "cut_off": 0})
                self.assertEqual([(e["reason"], e["by_peer"]) for e in events if e["event"] == "closed"], [("NORMAL", False)] * 2)

    def test_a_peer_that_does_not_answer_is_cut_off_in_time(self):
        with self.world.server() as (port, server, _):
            with self.world.client(port) as client:
                wait_for_session(client)
                client.send_signal(signal.SIGSTOP)
                server.send_signal(signal.SIGTERM)
                self.assertEqual(server.wait(PATIENCE), 0)

    def test_what_runs_for_a_session_ends_with_the_server(self):
        with self.world.server("--exec", "echo $$; exec sleep 1000") as (port, server, _):
            with self.world.client(port) as client:
                command = int(client.stdout.readline())
                server.send_signal(signal.SIGTERM)
                self.assertEqual(server.wait(PATIENCE), 0)
                wait_until(lambda: not os.path.exists(f"/proc/{command}"), "the end of the command")


class Limits(Case):
    def silent(self, port, count):
        streams = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
        for stream in streams:
            self.addCleanup(stream.close)
            stream.settimeout(PATIENCE)
        return streams

    def assert_established_goes_on(self, client):
        client.stdin.write(b"ping")
        client.stdin.flush()
        self.assertEqual(client.stdout.read(4), b"ping")

    def test_one_session_too_many_is_refused_until_another_ends(self):
        with self.world.server("--max-sessions", "2") as (port, _, log):
            with self.world.client(port) as first, self.world.client(port) as second:
                wait_until(lambda: log().count("established") == 2, "two sessions")
                self.assert_fails(self.world.connect(port, "--retry-for", "0"), "is full: it has no room for another session.*see its log")
                wait_for_text(log, "refused 1 connection: too many sessions")
                self.assert_established_goes_on(first)
                second.stdin.close()
                self.assertEqual(second.wait(PATIENCE), 0)
                wait_until(lambda: self.world.connect(port).returncode == 0, "room for another session")

    def test_silent_connections_do_not_lock_out_an_established_session(self):
        for option in ("--max-handshakes-per-source", "--max-handshakes"):
            with self.subTest(option), self.world.server(option, "3") as (port, _, log):
                with self.world.client(port) as client:
                    self.assert_established_goes_on(client)
                    silent = self.silent(port, 4)
                    # A HANDSHAKE frame with an ALERT that says LIMIT (SPEC §5.8): the first goes for the fourth.
                    self.assertEqual(silent[0].recv(100)[0], 1)
                    self.assertEqual(silent[0].recv(100), b"")
                    wait_for_text(log, "closed 1 connection for others: they had sent nothing whole")
                    self.assert_established_goes_on(client)
                    self.assert_succeeds(self.world.connect(port, "--retry-for", "0"))

    def test_a_client_that_is_killed_mid_transfer_takes_nobody_with_it(self):
        with self.world.server() as (port, server, log):
            with self.world.client(port) as steady, open("/dev/zero", "rb") as endless:
                with self.world.client(port, stdin=endless) as victim:
                    self.assertEqual(len(victim.stdout.read(MIB)), MIB)
                    victim.kill()
                    victim.wait(PATIENCE)
                wait_until(lambda: "truncated" in log(), "the end of the victim's session")
                self.assert_established_goes_on(steady)
                self.assertEqual(self.world.connect(port, stdin=b"x").stdout, b"x")
                self.assertIsNone(server.poll())


class Keys(Case):
    def test_an_encrypted_key_is_opened_by_its_passphrase_file(self):
        passphrase = self.world.write("pass", b"correct horse\n")
        self.world.keygen("locked", "--passphrase-file", passphrase)
        self.world.pin("locked.toml", name="bob", key_file="locked.key.pub", serve=True)
        with self.world.server("--passphrase-file", passphrase, "--threads", "2", keys=["locked"]) as (port, _, _):
            done = self.world.connect(port, stdin=b"hello", peers="locked.toml")
            self.assert_succeeds(done)
            self.assertEqual(done.stdout, b"hello")
        wrong = self.world.write("wrong", b"incorrect horse\n")
        self.assert_refused(r"locked\.key: .*passphrase", "--passphrase-file", wrong, key="locked")

    def test_files_that_others_may_read_are_refused_with_the_remedy(self):
        self.world.write("bob-open.key", self.world.read("bob.key"), 0o640)
        self.assert_refused(r"bob-open\.key.*chmod 600", key="bob-open")
        readable = self.world.write("readable", b"secret\n", 0o644)
        self.assert_refused(r"readable.*chmod 600", "--passphrase-file", readable, key="bob")

    def assert_refused(self, told, *args, key):
        done = qsp("serve", "--listen", "127.0.0.1:0", "--key", self.world.path(f"{key}.key"), "--peers",
                   self.world.path("bob.toml"), *args)
        self.assert_fails(done, told)

    # SPEC Appendix B 1.
    def test_while_a_key_is_rolled_clients_of_the_old_and_of_the_new_pin_connect(self):
        self.world.keygen("next", "--alg", "Ed25519+ML-DSA-65")
        self.world.pin("next.toml", name="bob", key_file="next.key.pub", serve=True)
        self.world.pin("both.toml", name="bob", key_file=["next.key.pub", "bob.key.pub"], serve=True)
        with self.world.server(keys=["next", "bob"]) as (port, _, _):
            for peers, used in (("alice.toml", "ML-DSA-65 there"), ("next.toml", r"Ed25519\+ML-DSA-65 there"), ("both.toml", r"Ed25519\+ML-DSA-65 there")):
                done = self.world.connect(port, peers=peers)
                self.assert_succeeds(done)
                self.assertRegex(done.stderr.decode(), ", " + used)


if __name__ == "__main__":
    main()
