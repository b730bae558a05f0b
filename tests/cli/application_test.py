"""`qsp serve --exec` and `--forward`: what a session is connected to, and how each side ends it."""

import contextlib
import os
import resource
import signal
import socket
import threading
import time

from program import PATIENCE, Case, free_port, main, wait_until

MIB = 1024 * 1024


class Exec(Case):
    def test_the_command_reads_and_writes_the_sessions_data(self):
        with self.world.server("--exec", "tr a-z A-Z; echo $QSP_PEER") as (port, _, _):
            done = self.world.connect(port, stdin=b"hello\n")
            self.assert_succeeds(done)
            self.assertEqual(done.stdout, b"HELLO\nalice\n")

    def test_large_output_is_complete_with_and_without_pauses(self):
        # What the pipe holds when the command ends has to come too, however the socket took what was before it.
        for command in ("head -c 20000000 /dev/zero", "cat >/dev/null; head -c 20000000 /dev/zero; echo -n end"):
            with self.world.server("--exec", command) as (port, _, _):
                for _ in range(3):
                    done = self.world.connect(port, stdin=b"short")
                    self.assert_succeeds(done)
                    self.assertEqual(len(done.stdout.removesuffix(b"end")), 20_000_000)

    def test_a_command_that_fails_does_not_pass_for_complete(self):
        for command, status in (("echo part; exit 3", 3), ("echo part; kill -9 $$", 137), ("/nonexistent", 127)):
            with self.subTest(command), self.world.server("--exec", command) as (port, _, _):
                done = self.world.connect(port)
                self.assert_fails(done, f"INTERNAL_ERROR: the command ended with status {status}.*not complete")
                self.assertEqual(done.stdout, b"part\n" if "part" in command else b"")

    def test_a_command_that_ends_early_ends_a_client_that_would_go_on_for_ever(self):
        for command in ("head -c 10; exit 0", "exec <&-; head -c 300000 /dev/zero", "true"):
            with self.subTest(command), self.world.server("--exec", command) as (port, _, _):
                with open("/dev/zero", "rb") as endless, self.world.client(port, stdin=endless) as client:
                    out, errors = client.communicate(timeout=PATIENCE)
                self.assertEqual(client.returncode, 1)
                self.assertIn("(NORMAL: the application has ended) before all was sent", errors.decode())
                self.assertEqual(len(out), {"h": 10, "e": 300_000, "t": 0}[command[0]])

    def test_a_command_that_never_reads_still_says_all_it_has_to(self):
        with self.world.server("--exec", f"head -c {8 * MIB} /dev/zero; sleep 0.5") as (port, _, _):
            done = self.world.connect(port, stdin=bytes(100_000))
            self.assertEqual(len(done.stdout), 8 * MIB)
            self.assert_succeeds(done)

    def test_a_command_inherits_its_three_streams_only(self):
        with self.world.server("--exec", "exec ls /proc/self/fd") as (port, _, _):
            with self.world.client(port):  # another session, whose socket is none of this one's business
                done = self.world.connect(port)
                self.assert_succeeds(done)
                # The fourth is the folder that ls reads.
                self.assertEqual(done.stdout.split(), [b"0", b"1", b"2", b"3"])

    def test_the_command_ends_with_its_session(self):
        with self.world.server("--exec", "echo $$; exec sleep 1000") as (port, _, _):
            with self.world.client(port) as client:
                command = int(client.stdout.readline())
                client.kill()
                client.wait(PATIENCE)
                wait_until(lambda: not os.path.exists(f"/proc/{command}"), "the end of the command")

    def test_a_command_has_the_descriptors_that_the_server_was_given(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard - 1, hard))
        try:
            with self.world.server("--exec", "ulimit -n") as (port, _, _):
                self.assertEqual(self.world.connect(port).stdout, b"%d\n" % (hard - 1))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    # A command and what it started, both deaf to SIGTERM, which say their process ids.
    DEAF = "trap '' TERM; (trap '' TERM; exec sleep 1000) & echo $$ $!; while :; do sleep 1; done"

    @contextlib.contextmanager
    def deaf_command(self, *args):
        with self.world.server("--exec", self.DEAF, *args) as (port, server, _), self.world.client(port) as client:
            processes = [int(word) for word in client.stdout.readline().split()]
            self.assertEqual(len(processes), 2)
            try:
                yield server, client, processes
            finally:
                for process in filter(alive, processes):
                    os.kill(process, signal.SIGKILL)

    def assert_all_end(self, processes):
        wait_until(lambda: not any(map(alive, processes)), "the end of the command and all that it started")

    def test_a_command_that_ignores_sigterm_is_killed_with_all_that_it_started(self):
        with self.deaf_command() as (server, client, processes):
            client.kill()
            self.assert_all_end(processes)
            self.assertIsNone(server.poll())

    def test_what_a_command_leaves_behind_ends_with_its_session(self):
        with self.world.server("--exec", "sleep 1000 >/dev/null & echo $!") as (port, _, _):
            done = self.world.connect(port)
            self.assert_succeeds(done)
            self.assert_all_end([int(done.stdout)])

    def test_no_command_outlives_a_server_that_is_stopped(self):
        with self.deaf_command() as (server, _, processes):
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait(PATIENCE), 0)
            self.assertEqual([process for process in processes if alive(process)], [])

    def test_no_command_outlives_a_server_that_is_stopped_at_once(self):
        with self.deaf_command() as (server, _, processes):
            server.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            server.send_signal(signal.SIGTERM)
            self.assertNotEqual(server.wait(PATIENCE), 0)
            self.assert_all_end(processes)

    def test_no_command_outlives_a_server_that_is_killed(self):
        with self.deaf_command() as (server, _, processes):
            server.kill()
            server.wait(PATIENCE)
            self.assert_all_end(processes)


def alive(process):
    """A process that is over, and that nobody waited for, is not."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextlib.contextmanager
def target(talk):
    """A TCP server that has `talk` do each connection; yields its address and how many there were."""
    count = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    stream, _ = listener.accept()
                    count.append(1)
                    threading.Thread(target=run, args=(stream,), daemon=True).start()

        def run(stream):
            with stream, contextlib.suppress(OSError):
                stream.settimeout(PATIENCE)
                talk(stream)

        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", count
        listener.shutdown(socket.SHUT_RDWR)


def read_to_end(stream):
    return b"".join(iter(lambda: stream.recv(1 << 20), b""))


class Forward(Case):
    def test_each_session_has_a_connection_of_its_own(self):
        def shout(stream):
            stream.sendall(read_to_end(stream).upper())

        with target(shout) as (address, count), self.world.server("--forward", address) as (port, _, _):
            for text in (b"one", b"two", b"x" * 5 * MIB):
                done = self.world.connect(port, stdin=text)
                self.assert_succeeds(done)
                self.assertTrue(done.stdout == text.upper())
            self.assertEqual(len(count), 3)

    def test_a_target_that_is_not_there_is_told(self):
        with self.world.server("--forward", f"127.0.0.1:{free_port()}") as (port, _, log):
            self.assert_fails(self.world.connect(port), "cannot forward: .*refused the connection")
            wait_until(lambda: "cannot forward" in log(), "the reason in the log")

    def test_a_target_that_ends_first_still_gets_all(self):
        got = []

        def end_first(stream):
            stream.sendall(b"bye")
            stream.shutdown(socket.SHUT_WR)
            got.append(read_to_end(stream))

        with target(end_first) as (address, _), self.world.server("--forward", address) as (port, _, _):
            with self.world.client(port) as client:
                self.assertEqual(client.stdout.read(), b"bye")
                client.communicate(bytes(5 * MIB), PATIENCE)
                self.assertEqual(client.returncode, 0)
            wait_until(lambda: got, "the target's end")
            self.assertEqual(len(got[0]), 5 * MIB)

    def test_a_client_that_ends_first_still_gets_all(self):
        def end_last(stream):
            read_to_end(stream)
            for _ in range(20):
                stream.sendall(bytes(MIB // 4))

        with target(end_last) as (address, _), self.world.server("--forward", address) as (port, _, _):
            done = self.world.connect(port, stdin=b"question")
            self.assert_succeeds(done)
            self.assertEqual(len(done.stdout), 5 * MIB)

    def test_a_target_that_is_cut_off_does_not_pass_for_complete(self):
        def break_off(stream):
            stream.sendall(b"part")
            stream.recv(1)
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

        with target(break_off) as (address, _), self.world.server("--forward", address) as (port, _, _):
            done = self.world.connect(port, stdin=b"question")
            self.assertEqual(done.stdout, b"part")
            self.assert_fails(done, "Connection reset by peer.*not complete")

    def test_a_target_that_ends_and_hangs_up_ends_a_client_that_would_go_on_for_ever(self):
        def hang_up(stream):
            stream.shutdown(socket.SHUT_WR)
            time.sleep(0.3)

        with target(hang_up) as (address, _), self.world.server("--forward", address) as (port, _, _):
            with open("/dev/zero", "rb") as endless, self.world.client(port, stdin=endless) as client:
                _, errors = client.communicate(timeout=PATIENCE)
            self.assertEqual(client.returncode, 1, errors)
            self.assertIn("the application has ended", errors.decode())


if __name__ == "__main__":
    main()
