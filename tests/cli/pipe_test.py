"""`qsp connect` as a pipe: what comes out is what went in, each direction ends by itself, and memory is bounded."""

import json
import os
import re
import signal
import subprocess
import threading
import time

from program import PATIENCE, QSP, Case, free_port, main, peak_memory, serving, wait_for_session, wait_for_text, wait_until

MIB = 1024 * 1024
# The program, its libraries and a session take some 20 MiB; SPEC §7.7 lets 4 MiB wait for the application, twice in the
# worst case, while the memory that holds it grows. 32 MiB that were taken in would not fit.
# A sanitizer keeps what was freed for a while, and a shadow of everything.
MEMORY = (200 if "ASAN_OPTIONS" in os.environ else 40) * MIB


class Pipe(Case):
    def test_a_folder_comes_back_as_it_was(self):
        tree, back = self.world.path("tree"), self.world.path("back")
        os.makedirs(os.path.join(tree, "empty"))
        os.makedirs(back)
        for i in range(50):
            with open(os.path.join(tree, f"file {i}"), "wb") as file:
                file.write(os.urandom(i * 5000))
        with self.world.server() as (port, _, _):
            pack = subprocess.Popen(["tar", "c", "-C", tree, "."], stdout=subprocess.PIPE)
            with self.world.client(port, stdin=pack.stdout) as client:
                pack.stdout.close()
                unpacked = subprocess.run(["tar", "x", "-C", back], stdin=client.stdout, timeout=PATIENCE, check=False)
                self.assertEqual((unpacked.returncode, client.wait(PATIENCE), pack.wait(PATIENCE)), (0, 0, 0))
        self.assertEqual(subprocess.run(["diff", "-r", tree, back], timeout=PATIENCE, check=False).returncode, 0)

    def test_64_mib_pass_both_ways_at_once_through_rekeys(self):
        data = os.urandom(64 * MIB)
        with self.world.server("--rekey-bytes", str(MIB), "--log-level", "debug") as (port, server, log):
            with self.world.client(port) as client:
                def feed():
                    # How many epochs fit into a stream is up to the machine; so each of the first parts waits for its own.
                    for part in range(4):
                        client.stdin.write(data[part * 2 * MIB : (part + 1) * 2 * MIB])
                        client.stdin.flush()
                        wait_for_text(log, f"sends in epoch {part + 2}")
                    client.stdin.write(data[4 * 2 * MIB :])
                    client.stdin.close()

                feeding = threading.Thread(target=feed)
                feeding.start()
                self.assertTrue(client.stdout.read() == data, "the echo differs")
                feeding.join(PATIENCE)
                self.assertEqual(client.wait(PATIENCE), 0, client.stderr.read())
            wait_for_text(log, r"closed( by the peer)?: NORMAL; 67108864 bytes in, 67108864 out")
            self.assertLess(peak_memory(server.pid), MEMORY)

    def test_the_end_of_the_input_does_not_cut_off_what_the_peer_still_sends(self):
        command = "cat >/dev/null; sleep 0.3; head -c 20000000 /dev/zero; sleep 0.3; echo end"
        with self.world.server("--exec", command) as (port, _, _):
            done = self.world.connect(port, stdin=b"short")
            self.assert_succeeds(done)
            self.assertTrue(done.stdout == bytes(20_000_000) + b"end\n")

    def test_an_empty_input_is_a_whole_session(self):
        with self.world.server() as (port, _, _):
            done = self.world.connect(port)
            self.assert_succeeds(done)
            self.assertEqual(done.stdout, b"")

    def test_standard_streams_that_are_closed_end_with_an_error(self):
        with self.world.server() as (port, _, _):
            for closed in ("<&-", ">&-"):
                with self.subTest(closed):
                    command = ["sh", "-c", f'"$@" {closed}', "sh", *self.world.dialler(port)]
                    done = subprocess.run(command, input=b"x", capture_output=True, timeout=PATIENCE, check=False)
                    self.assert_fails(done, "cannot (read the input|write the output): Bad file descriptor")

    def test_a_reader_that_leaves_ends_the_session(self):
        with self.world.server("--exec", "yes") as (port, _, log):
            command = self.world.dialler(port)
            line = '"$@" 2>errors | head -c 100; cat errors >&2'
            done = subprocess.run(["sh", "-c", line, "sh", *command], stdin=subprocess.DEVNULL, capture_output=True,
                                  cwd=self.world.path(""), timeout=PATIENCE, check=False)
            self.assertEqual(done.stdout, b"y\n" * 50)
            self.assertRegex(done.stderr.decode(), "qsp: error: cannot write the output: Broken pipe")
            wait_until(lambda: "closed by the peer: INTERNAL_ERROR: cannot write the output" in log(), "its log")

    def test_a_reader_that_pauses_holds_the_peer_up_in_bounded_memory(self):
        with self.world.server("--exec", f"head -c {32 * MIB} /dev/zero") as (port, server, _):
            with self.world.client(port, stdin=subprocess.DEVNULL) as client:
                time.sleep(2)
                self.assertIsNone(client.poll(), "it ended though nobody read its output")
                peaks = peak_memory(server.pid), peak_memory(client.pid)
                self.assertTrue(client.stdout.read() == bytes(32 * MIB))
                self.assertEqual(client.wait(PATIENCE), 0, client.stderr.read())
            self.assertLess(max(peaks), MEMORY)

    def test_a_server_that_pauses_holds_the_client_up_in_bounded_memory(self):
        go = self.world.path("go")
        with self.world.server("--exec", f"until [ -e {go} ]; do sleep 0.1; done; wc -c") as (port, server, _):
            with self.world.client(port) as client:
                feed = threading.Thread(target=lambda: (client.stdin.write(bytes(32 * MIB)), client.stdin.close()))
                feed.start()
                time.sleep(1.5)
                self.assertTrue(feed.is_alive(), "32 MiB were taken though nobody read them")
                self.world.write("go", b"")
                feed.join(PATIENCE)
                self.assertEqual(int(client.stdout.read()), 32 * MIB)
                self.assertLess(peak_memory(server.pid), MEMORY)
                self.assertEqual(client.wait(PATIENCE), 0, client.stderr.read())

    def test_a_signal_ends_a_client_whose_output_nobody_reads(self):
        with self.world.server("--exec", f"head -c {MIB} /dev/zero") as (port, server, log):
            with self.world.client(port, stdin=subprocess.DEVNULL) as client:
                wait_until(lambda: "closed" in log(), "the end of the session")
                time.sleep(0.2)
                self.assertIsNone(client.poll(), "its output still waits")
                client.send_signal(signal.SIGTERM)
                self.assertNotEqual(client.wait(PATIENCE), 0)

    def test_an_interrupted_client_tells_the_peer_and_fails(self):
        with self.world.server() as (port, _, log):
            with self.world.client(port) as client:
                wait_for_session(client)
                client.send_signal(signal.SIGINT)
                client.wait(PATIENCE)  # while its input is still open
                self.assertEqual(client.returncode, 1)
                self.assertIn("qsp: error: interrupted", client.stderr.read().decode())
            wait_until(lambda: "closed by the peer: NORMAL: interrupted, truncated" in log(), "its end in the log")

    EPOCH = r"epoch (\d+): fresh KEM key, no QKD key; (\S+ frames \(\S+ bytes\)) out, (\S+ \(\S+\)) in(; not confirmed)?"

    def epochs(self, text):
        return [int(epoch) for epoch, _, _, _ in re.findall(self.EPOCH, text)]

    def test_each_epoch_is_told_once_at_both_ends(self):
        data = os.urandom(3 * MIB)
        for args, count in ((("--rekey-bytes", "65536"), 12), (("--rekey-bytes", str(8 * MIB)), 12)):
            for how in ((), ("--check-echo",)):
                with self.subTest(args=args, how=how), self.world.server(*args) as (port, _, log):
                    for _ in range(count):
                        before = len(log())
                        done = self.world.connect(port, *how, stdin=data)
                        self.assert_succeeds(done)
                        wait_until(lambda: "closed" in log()[before:], "the end of the session")
                        here, there = done.stderr.decode(), log()[before:]
                        # What the client began, and the server had not confirmed at the end, it may not have heard of.
                        confirmed = [int(found[0]) for found in re.findall(self.EPOCH, here) if not found[3]]
                        self.assertEqual(self.epochs(here), list(range(1, len(self.epochs(here)) + 1)), here)
                        self.assertEqual(self.epochs(there), list(range(1, len(self.epochs(there)) + 1)), there)
                        self.assertGreaterEqual(len(confirmed), len(self.epochs(here)) - 1, here)
                        self.assertIn(self.epochs(there), (confirmed, self.epochs(here)), here + there)

    def test_an_epoch_counts_the_same_at_both_ends(self):
        with self.world.server() as (port, _, log):
            done = self.world.connect(port, stdin=b"x" * 1000)
            self.assert_succeeds(done)
            wait_until(lambda: "closed" in log(), "the end of the session")
            here, there = re.findall(self.EPOCH, done.stderr.decode()), re.findall(self.EPOCH, log())
        self.assertEqual(len(here), 1)
        self.assertEqual((here[0][0], there[0][0]), ("1", "1"))
        # The server's last word may cross the client's.
        self.assertLessEqual(int(here[0][2].split()[0]), int(there[0][1].split()[0]), "frames to the client")

    def test_a_peer_that_is_killed_is_a_lost_connection(self):
        for how in ((), ("--check-echo",)):
            with self.subTest(how=how), self.world.server() as (port, server, _):
                with self.world.client(port, *how) as client:
                    client.stdin.write(b"hello")
                    client.stdin.flush()
                    if not how:
                        self.assertEqual(client.stdout.read(5), b"hello")
                    else:
                        wait_for_session(client)
                    server.kill()
                    server.wait(PATIENCE)
                    client.stdin.close()
                    client.wait(PATIENCE)
                    errors = client.stderr.read().decode()
                self.assertEqual(client.returncode, 1)
                self.assertRegex(errors, "qsp: error: connection lost(: Connection reset by peer)?: what came is genuine but incomplete")
                self.assertNotIn("PROTOCOL_ERROR", errors)

    def test_a_client_that_is_killed_is_a_lost_connection_and_json_keeps_the_reason(self):
        with self.world.server("--json") as (port, server, log):
            with self.world.client(port) as client:
                wait_until(lambda: "established" in log(), "the session")
                client.kill()
                client.wait(PATIENCE)
                wait_until(lambda: "connection lost, what came is genuine but incomplete" in log(), "its end in the log")
            self.assertNotIn("PROTOCOL_ERROR", log())
            events = [json.loads(server.stdout.readline()) for _ in range(2)]
            self.assertEqual((events[1]["event"], events[1]["reason"], events[1]["truncated"]), ("closed", "PROTOCOL_ERROR", True))

    def test_an_account_goes_to_a_file_where_stdout_is_the_peers_data(self):
        with self.world.server() as (port, _, _):
            for name, check in (("pipe.json", ()), ("echo.json", ("--check-echo",))):
                done = self.world.connect(port, "--account", self.world.path(name), *check, stdin=b"some data")
                self.assert_succeeds(done)
                account = json.loads(self.world.read(name))
                self.assertEqual((account["ok"], account["sent_bytes"], account["received_bytes"]), (True, 9, 9))
                self.assertFalse(check == () and done.stdout != b"some data")
            done = self.world.connect(port, "--account", self.world.path("pipe.json"), stdin=b"some data")
            self.assert_fails(done, "--account .*pipe.json: ")

    def test_an_account_is_whole_or_not_there(self):
        account = self.world.path("killed.json")
        with self.world.server() as (port, _, log):
            for number, seen in ((signal.SIGKILL, False), (signal.SIGINT, True)):
                with self.subTest(number), self.world.client(port, "--account", account) as client:
                    established = len(re.findall("established", log()))
                    client.stdin.write(b"x")
                    client.stdin.flush()
                    self.assertEqual(client.stdout.read(1), b"x")
                    self.assertFalse(os.path.exists(account), "it is there before the session is over")
                    client.send_signal(number)
                    client.wait(PATIENCE)
                    self.assertEqual(os.path.exists(account), seen, established)
        told = json.loads(self.world.read("killed.json"))
        self.assertEqual((told["ok"], told["sent_bytes"], told["error"]), (False, 1, "interrupted: the peer may have more data"))
        self.assertEqual([name for name in os.listdir(self.world.path("")) if name.startswith(".")], [])

    def full_server(self):
        return self.world.server("--exec", "cat", "--max-sessions", "1")

    def dials_again(self, client, times):
        """What the client says until it has been refused so often."""
        said = b""
        while said.count(b"is full: trying again in") < times:
            line = client.stderr.readline()
            self.assertTrue(line, said)
            said += line
        return said

    def test_an_account_tells_of_every_dial(self):
        with self.full_server() as (port, _, log), self.world.client(port) as first:
            wait_until(lambda: "established" in log(), "the first session")
            told = self.world.path("dials.json")
            with self.world.client(port, "--account", told, "--retry-for", "10m", "--json") as second:
                self.dials_again(second, 2)
                first.communicate(b"", timeout=PATIENCE)
                self.assertEqual(second.communicate(b"hello", timeout=PATIENCE)[0], b"hello")
                self.assertEqual(second.returncode, 0)
        lines = [json.loads(line) for line in self.world.read("dials.json").splitlines()]
        self.assertGreaterEqual(len(lines), 3)
        for line in lines[:-1]:
            self.assertEqual((line["ok"], line["closed"], line["sent_bytes"]), (False, "LIMIT", 0))
            self.assertRegex(line["error"], r"127\.0\.0\.1:\d+ is full")
        self.assertEqual((lines[-1]["ok"], lines[-1]["closed"], lines[-1]["received_bytes"]), (True, "NORMAL", 5))

    def test_an_account_of_dials_that_a_signal_ends_is_whole(self):
        with self.full_server() as (port, _, log), self.world.client(port) as first:
            wait_until(lambda: "established" in log(), "the first session")
            with self.world.client(port, "--account", self.world.path("ended.json"), "--retry-for", "10m") as second:
                said = self.dials_again(second, 3)
                second.send_signal(signal.SIGINT)
                said += second.stderr.read()
                self.assertEqual(second.wait(PATIENCE), 1)
            self.assertIn(b"qsp: error: interrupted before there was a session\n", said)
            first.communicate(b"", timeout=PATIENCE)
        lines = [json.loads(line) for line in self.world.read("ended.json").splitlines()]
        self.assertEqual(len(lines), said.count(b"trying again in") + 1)
        self.assertEqual({line["closed"] for line in lines[:-1]}, {"LIMIT"})
        self.assertEqual((lines[-1]["ok"], lines[-1]["error"]), (False, "interrupted before there was a session"))

    def assert_epochs_agree(self, server, client, account):
        """A session that goes on until its server has told of a new epoch: what each end says was its last one."""
        client.stdin.write(bytes(256 << 10))
        client.stdin.flush()
        events = [json.loads(server.stdout.readline())]
        while events[-1]["event"] != "rekeyed":
            events.append(json.loads(server.stdout.readline()))
        stdout, errors = client.communicate(bytes(1), timeout=PATIENCE)
        self.assertEqual(client.returncode, 0, errors)
        server.send_signal(signal.SIGTERM)
        events += [json.loads(line) for line in server.stdout.read().splitlines()]
        epochs = [event["epoch"] for event in events if event["event"] in ("established", "rekeyed")]
        closed = next(event for event in events if event["event"] == "closed")
        self.assertGreater(epochs[-1], 1)
        self.assertEqual(closed["epoch"], epochs[-1])
        # A rekey that the client has answered, and whose DONE it did not see, is an epoch here and not there.
        self.assertIn(account(stdout)["final_epoch"], (closed["epoch"], closed["epoch"] + 1))

    def test_the_end_of_a_session_names_its_last_epoch(self):
        # In a pipe, stdout is the peer's data, which nobody reads here.
        for how in ({"stdout": subprocess.DEVNULL}, "--check-echo"):
            with self.subTest(how=how), self.world.server("--rekey-bytes", "65536", "--json") as (port, server, _):
                told = self.world.path(f"epochs-{len(how)}.json")
                args, kept = (("--check-echo",), {}) if how == "--check-echo" else ((), how)
                with self.world.client(port, "--account", told, *args, **kept) as client:
                    self.assert_epochs_agree(server, client, lambda _: json.loads(self.world.read(told)))
        rc155 = ("--profile", "rc155", "--insecure")
        with serving(*rc155, "--rekey-after", "3", "--json") as (port, server, _):
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            with subprocess.Popen([QSP, "connect", f"127.0.0.1:{port}", *rc155, "--json"], **pipes) as client:
                self.assert_epochs_agree(server, client, json.loads)

    def test_json_accounts_for_every_dial_on_stderr(self):
        with self.world.server("--rekey-bytes", "65536") as (port, _, _):
            done = self.world.connect(port, "--json", "--log-level", "off", stdin=bytes(1_000_000))
            account = json.loads(done.stderr)
            self.assertEqual((account["ok"], account["error"], account["peer"], account["closed"]), (True, None, "bob", "NORMAL"))
            self.assertEqual((account["sent_bytes"], account["received_bytes"]), (1_000_000, 1_000_000))
            self.assertGreater(account["final_epoch"], 1)
        refused = self.world.connect(free_port(), "--json").stderr.splitlines()
        account = json.loads(refused[0])
        self.assertEqual(account["ok"], False)
        self.assertEqual("qsp: error: " + account["error"], refused[1].decode())


if __name__ == "__main__":
    main()
