"""Black-box test of the program qsp: blackbox.py QSP HOSTILE_PEER SUITE. Standard library only."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from program import PATIENCE, QSP, first_line, free_port, process, qsp, serving, wait_for_text, wait_until

HOSTILE, SUITE = sys.argv[2:4]
RC155 = ["--profile", "rc155", "--insecure"]


def error_lines(done):
    """The lines of stderr that are not the profile's warning."""
    lines = done.stderr.decode("ascii").splitlines()
    return [line for line in lines if not line.startswith("qsp: warning: rc155")]


def server(*args):
    return serving(*RC155, *args)


def connect(port, *args, stdin=b"hello\n"):
    return qsp("connect", f"127.0.0.1:{port}", *RC155, *args, stdin=stdin)


class Case(unittest.TestCase):
    def assert_fails(self, done, told, code=1):
        """Exit code and exactly one line that says what happened."""
        self.assertEqual(done.returncode, code, done.stderr)
        lines = error_lines(done)
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], r"^qsp: error: .*" + told)

    def assert_serves(self, port):
        done = connect(port, stdin=b"still there?\n" * 1000)
        self.assertEqual(done.returncode, 0, done.stderr)


class Usage(Case):
    def test_version_and_help_succeed(self):
        self.assertRegex(qsp("version").stdout, rb"^qsp \d+\.\d+\.\d+ with OpenSSL 3\.")
        self.assertIn("crypto", json.loads(qsp("version", "--json").stdout))
        for verb in (["serve"], ["connect"], ["bench", "rekey"], ["bench", "sessions"], ["fuzz", "rekey"], ["version"]):
            done = qsp(*verb, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stdout.decode(), r"Examples?:\n")

    def test_wrong_usage_exits_with_2(self):
        for args in (
            [],
            ["nonsense"],
            ["serve", "--nonsense"],
            ["serve", *RC155, "--listen", "127.0.0.1:99999"],
            ["serve", *RC155, "--threads", "0"],
            ["serve", *RC155, "--max-sessions", "0"],
            ["serve", *RC155, "--log-level", "shout"],
            ["connect"],
            ["connect", "127.0.0.1:0", *RC155],
            ["connect", "not a host", *RC155],
            ["connect", "127.0.0.1", *RC155, "--window", "5"],
            ["bench"],
            ["bench", "rekey", "--profile", "rc155", "--loops", "0"],
            ["fuzz", "rekey", "--profile", "rc155", "--mutate-prob", "2"],
        ):
            done = qsp(*args)
            self.assertEqual(done.returncode, 2, (args, done.stderr))
            self.assertTrue(done.stderr or done.stdout, args)

    # SPEC §11.
    def test_an_insecure_profile_needs_the_flag_and_is_warned_of(self):
        for verb in (["serve"], ["connect", "127.0.0.1"]):
            self.assert_fails(qsp(*verb, "--profile", "rc155"), "no security.*--insecure", code=2)
            self.assert_fails(qsp(*verb, "--profile", "rc154"), "no profile 'rc154'", code=2)
            self.assert_fails(qsp(*verb), "--key FILE is needed", code=2)
        done = connect(free_port())
        self.assertRegex(done.stderr.decode(), r"(?m)^qsp: warning: rc155 gives no security: whoever records")

    def test_the_client_cannot_lead_rekeys(self):
        self.assert_fails(connect(1, "--rekey-after", "5"), "the server leads rekeys", code=2)

    def test_bench_and_fuzz_print_the_fields_of_the_specification(self):
        text = qsp("bench", "rekey", "--profile", "rc155", "--loops", "20", "--warmup", "5").stdout.decode()
        for field in ("loops: 20", "warmup: 5", "elapsed_sec: ", "ops_per_sec: ", "final_epoch: 26"):
            self.assertIn(field, text)
        self.assertEqual(json.loads(qsp("bench", "rekey", "--profile", "rc155", "--json").stdout)["final_epoch"], 2051)
        args = ("fuzz", "rekey", "--profile", "rc155", "--cases", "3", "--steps", "50", "--seed", "7")
        text = qsp(*args).stdout.decode()
        for field in ("cases: 3", "steps/case: 50", "mutate_prob: 0.15", "seed: 7", "result: OK"):
            self.assertIn(field, text)
        self.assertEqual(qsp(*args, "--json").stdout, qsp(*args, "--json").stdout, "the same seed, another run")

    def test_bench_sessions_tells_memory(self):
        result = json.loads(qsp("bench", "sessions", "--profile", "rc155", "--sessions", "100", "--json").stdout)
        self.assertEqual(result["sessions"], 100)
        # Under AddressSanitizer malloc's own figures stay zero.
        self.assertGreater(max(result["allocated_bytes_per_session"], result["resident_bytes_per_session"]), 500)
        self.assertLess(result["allocated_bytes_per_session"], 20_000)


class Echo(Case):
    def test_lines_and_files_come_back(self):
        with server("--rekey-after", "3") as (port, _, _), tempfile.TemporaryDirectory() as folder:
            for size in (0, 1, 65_536, 65_537, 5_000_000):
                sent, back = os.path.join(folder, "sent"), os.path.join(folder, "back")
                with open(sent, "wb") as file:
                    file.write(os.urandom(size))
                done = connect(port, "--send", sent, "--output", back, "--json")
                self.assertEqual(done.returncode, 0, done.stderr)
                account = json.loads(done.stdout)
                self.assertEqual((account["ok"], account["compared_bytes"]), (True, size))
                with open(sent, "rb") as a, open(back, "rb") as b:
                    self.assertTrue(a.read() == b.read())
            self.assertGreater(account["rekeys"], 0)
            done = connect(port, stdin=b"one\ntwo\n")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout.decode(), r"(?m)^received  8 bytes, of which 8 compared equal$")
            self.assertRegex(done.stdout.decode(), r"(?m)^closed    NORMAL$")
            self.assertNotIn(b"\x1b", done.stdout + done.stderr, "colour without a terminal")

    @staticmethod
    def read_some(reader):
        """What is there; nothing while no writer has opened the pipe yet."""
        try:
            fresh = os.read(reader, 4096)
        except BlockingIOError:
            return b""
        if not fresh:
            time.sleep(0.05)
        return fresh

    def test_lines_are_echoed_one_by_one_before_the_input_ends(self):
        with server() as (port, _, _), tempfile.TemporaryDirectory() as folder:
            # A file is there when all has come; a pipe takes each line as it comes.
            back = os.path.join(folder, "back")
            os.mkfifo(back)
            reader = os.open(back, os.O_RDONLY | os.O_NONBLOCK)
            self.addCleanup(os.close, reader)
            command = [QSP, "connect", f"127.0.0.1:{port}", *RC155, "--output", back]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
                for i in range(5):
                    line = b"line %d\n" % i
                    client.stdin.write(line)
                    client.stdin.flush()
                    echoed = b""
                    while echoed != line:
                        self.assertTrue(select.select([reader], [], [], PATIENCE)[0], "a line never came")
                        fresh = self.read_some(reader)
                        echoed += fresh
                        self.assertTrue(line.startswith(echoed), echoed)
                client.communicate(timeout=PATIENCE)
                self.assertEqual(client.returncode, 0)

    def wait_for_rekey(self, server, client):
        """Until both ends have a session: one that answers a rekey. The server alone has one earlier.
        The echo of the one frame comes before the rekey, so nothing is on its way any more."""
        client.stdin.write(b"one frame")
        client.stdin.flush()
        while json.loads(server.stdout.readline())["event"] != "rekeyed":
            pass

    def test_an_interrupted_client_closes_normally(self):
        with server("--json", "--rekey-after", "1") as (port, running, log):
            command = [QSP, "connect", f"127.0.0.1:{port}", *RC155, "--json"]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
                self.wait_for_rekey(running, client)
                client.send_signal(signal.SIGINT)
                client.wait(PATIENCE)  # while its input is still open
                account = json.loads(client.communicate(timeout=PATIENCE)[0])
                self.assertEqual((client.returncode, account["closed"]), (0, "NORMAL"))
            wait_for_text(log, "closed by the peer: NORMAL: interrupted")

    def test_a_stopped_server_closes_normally_and_exits_with_0(self):
        for stop in (signal.SIGINT, signal.SIGTERM):
            with server("--json", "--rekey-after", "1") as (port, running, _):
                command = [QSP, "connect", f"127.0.0.1:{port}", *RC155]
                with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
                    self.wait_for_rekey(running, client)
                    running.send_signal(stop)
                    self.assertEqual(running.wait(PATIENCE), 0)
                    self.assertEqual(json.loads(running.stdout.read().splitlines()[-1]), {"event": "stopped", "cut_off": 0})
                    client.wait(PATIENCE)  # told by the CLOSE, though its input is still open
                    self.assertEqual(client.returncode, 1)
                    self.assertRegex(client.stderr.read().decode(), r"the peer closed the session \(NORMAL: the server is stopping\)")

    def test_a_second_signal_ends_the_server_at_once(self):
        with server() as (port, running, log):
            with socket.create_connection(("127.0.0.1", port)) as stubborn:
                self.handshake_by_hand(stubborn)
                wait_for_text(log, "established")
                running.send_signal(signal.SIGTERM)
                wait_for_text(log, "a second signal")
                running.send_signal(signal.SIGTERM)
                self.assertEqual(running.wait(PATIENCE), 1, "it waited for the peer, cut it off and ended in good order")

    def test_server_events_are_lines_of_json(self):
        with process(QSP, "serve", "--listen", "127.0.0.1:0", *RC155, "--json", "--rekey-after", "2") as (running, _):
            listening = json.loads(first_line(running))
            self.assertEqual(listening["event"], "listening")
            port = int(listening["address"].rsplit(":", 1)[1])
            self.assertEqual(connect(port, stdin=b"x" * 300_000).returncode, 0)
            running.send_signal(signal.SIGTERM)
            events = [json.loads(line) for line in running.communicate(timeout=PATIENCE)[0].splitlines()]
            self.assertEqual([e["event"] for e in events if e["event"] != "rekeyed"], ["established", "closed", "stopped"])
            closed = next(e for e in events if e["event"] == "closed")
            self.assertEqual((closed["reason"], closed["by_peer"], closed["received_bytes"]), ("NORMAL", True, 300_000))

    @staticmethod
    def handshake_by_hand(stream):
        hello = b"CHLO" + bytes(32)
        stream.sendall(bytes([1, 0]) + bytes(16) + len(hello).to_bytes(4, "big") + hello)
        answer = b""
        while len(answer) < 22 + 44:
            answer += stream.recv(100)


class HostileServer(Case):
    """Everything that can be wrong at the other end of `qsp connect`."""

    def test_nobody_is_there(self):
        self.assert_fails(connect(free_port()), "refused the connection")
        self.assert_fails(qsp("connect", "no-such-host.invalid", *RC155), "no such host: no-such-host.invalid")
        self.assert_fails(connect(1, "--send", "/nonexistent"), "cannot open /nonexistent")
        self.assert_fails(connect(1, "--output", "/nonexistent/x"), "/nonexistent/x: cannot be written")

    def test_a_failure_is_told_in_json_too(self):
        done = connect(free_port(), "--json")
        account = json.loads(done.stdout)
        self.assertEqual((account["ok"], done.returncode), (False, 1))
        self.assertIn("refused", account["error"])

    def trap(self, scenario, *args, stdin=b"x" * 200_000):
        with process(HOSTILE, "trap", scenario) as (running, _):
            done = connect(int(first_line(running)), *args, stdin=stdin)
            running.wait(PATIENCE)
            return done

    def test_every_breach_ends_with_one_line(self):
        for scenario, told in (
            ("hello-garbage", "does not speak profile rc155 .PROTOCOL_ERROR"),
            ("hello-eof", "ended the connection during the handshake"),
            ("garbage", "the session failed .PROTOCOL_ERROR"),
            ("stop-mid-frame", "connection lost"),
            ("huge-length", "PROTOCOL_ERROR: frame header: payload_len"),
            ("unknown-type", "PROTOCOL_ERROR: frame header: unknown type"),
            ("flags", "PROTOCOL_ERROR: frame header: flags"),
            ("wrong-session", "PROTOCOL_ERROR"),
            ("wrong-epoch", "EPOCH_MISMATCH"),
            ("altered", "AEAD_DECRYPT_FAILED"),
            ("wrong-echo", "the echo differs from what was sent"),
            ("reorder", "PROTOCOL_ERROR"),
            # A client opens every REKEY frame under the label of an INIT; so an ACK fails to open.
            ("ack-without-init", "AEAD_DECRYPT_FAILED"),
            ("two-inits", "(PROTOCOL_ERROR|EPOCH_MISMATCH)"),
            ("eof-without-close", "(connection lost|echo differs)"),
            ("close-then-data", r"the peer closed the session \(NORMAL\) before all was"),
            ("close-with-escapes", r"the peer closed the session \(INTERNAL_ERROR: \\x1b\[31mred\\x0asecond line\)"),
        ):
            with self.subTest(scenario):
                self.assert_fails(self.trap(scenario), told)

    def test_a_replayed_echo_is_refused(self):
        # The first copy is a true echo, the second is the same frame again.
        done = self.trap("replay", stdin=b"hello" * 2)
        self.assert_fails(done, "(PROTOCOL_ERROR|connection lost|echo differs)")

    def test_a_silent_server_is_given_up(self):
        self.assert_fails(self.trap("hello-silence"), "did not finish the handshake in time")


class HostileClient(Case):
    """Everything that can be wrong at the other end of `qsp serve`: it goes on serving, and says what it saw."""

    def test_every_breach_ends_its_own_session_only(self):
        with server("--rekey-after", "2", "--max-handshakes-per-source", "64") as (port, running, log):
            ends = 0
            for scenario, end in (
                ("hello-garbage", "END"),
                ("hello-eof", "END"),
                ("garbage", "PROTOCOL_ERROR"),
                ("stop-mid-frame", "END"),
                ("huge-length", "PROTOCOL_ERROR"),
                ("unknown-type", "PROTOCOL_ERROR"),
                ("flags", "PROTOCOL_ERROR"),
                ("wrong-session", "PROTOCOL_ERROR"),
                ("wrong-epoch", "EPOCH_MISMATCH"),
                ("altered", "AEAD_DECRYPT_FAILED"),
                ("replay", "PROTOCOL_ERROR"),
                ("reorder", "PROTOCOL_ERROR"),
                ("init", "PROTOCOL_ERROR"),
                ("two-inits", "PROTOCOL_ERROR"),
                ("ack-without-init", "PROTOCOL_ERROR"),
                ("wrong-confirm", "REKEY_FAILED"),
                ("close-then-data", "END"),
                ("close-with-escapes", "END"),
                ("eof-without-close", "END"),
            ):
                with self.subTest(scenario):
                    done = subprocess.run([HOSTILE, "attack", str(port), scenario], capture_output=True, timeout=PATIENCE, check=False)
                    self.assertEqual((done.returncode, done.stdout.decode().strip()), (0, end), done.stderr)
                    self.assertIsNone(running.poll(), "the server died")
                    self.assert_serves(port)
                    ends += 2
                    wait_until(lambda ends=ends: log().count(" closed") >= ends, "the ends in the log")
                    self.assertEqual(log().count(" closed"), ends)
            self.assertNotIn("\x1b", log())
            self.assertRegex(log(), r"warn session \w+ of [\d.:]+ closed: PROTOCOL_ERROR, truncated|PROTOCOL_ERROR: .*truncated")

    def test_the_port_in_use_is_told(self):
        with server() as (port, _, _):
            done = qsp("serve", "--listen", f"127.0.0.1:{port}", *RC155)
            self.assert_fails(done, f"cannot listen on 127.0.0.1:{port}: the port is in use")

    def test_silent_connections_give_way_and_are_logged(self):
        with server("--max-handshakes-per-source", "2") as (port, _, log):
            silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
            try:
                silent[0].settimeout(PATIENCE)
                self.assertEqual(silent[0].recv(1), b"")
                wait_for_text(log, "closed 1 connection for others: they had sent nothing whole")
                silent[1].close()
                wait_until(lambda: connect(port).returncode == 0, "room for another handshake")
            finally:
                for stream in silent:
                    stream.close()


if __name__ == "__main__":
    name = {"usage": "Usage", "echo": "Echo", "hostile_server": "HostileServer", "hostile_client": "HostileClient"}[SUITE]
    unittest.main(argv=[sys.argv[0], name])
