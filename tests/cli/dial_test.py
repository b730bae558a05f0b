"""`qsp connect` to whatever may stand at the other end: it always ends, with exit code 1 and one line that says what to do."""

import concurrent.futures
import contextlib
import socket
import threading
import time

from program import PATIENCE, Case, free_port, main, serving, wait_for_text

REMEDY = r"check|compare|start|give|see"


@contextlib.contextmanager
def impostor(*talks):
    """A TCP server on this machine; each of `talks` has one connection, in turn, and the last stays open until all is over."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def accept():
            with contextlib.suppress(OSError):
                for number, talk in enumerate(talks, 1):
                    stream, _ = listener.accept()
                    with stream:
                        talk(stream)
                        if number == len(talks):
                            over.wait(PATIENCE)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE)


def silent(stream):
    pass


def close(stream):
    stream.shutdown(socket.SHUT_RDWR)


def reset(stream):
    stream.recv(1)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    stream.close()


def close_mid_frame(stream):
    stream.recv(1)
    # The header of a HANDSHAKE frame of 1000 bytes, and some of them.
    stream.sendall(bytes([1, 0]) + bytes(16) + (1000).to_bytes(4, "big") + bytes(100))
    time.sleep(0.1)
    stream.shutdown(socket.SHUT_RDWR)


def trickle(stream):
    with contextlib.suppress(OSError):
        for byte in bytes([1, 0]) + bytes(16) + (1000).to_bytes(4, "big"):
            stream.sendall(bytes([byte]))
            time.sleep(1)


def web(stream):
    stream.recv(1 << 16)
    stream.sendall(b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nConnection: close\r\n\r\n")
    stream.shutdown(socket.SHUT_RDWR)


class Dial(Case):
    def assert_ends(self, done, told):
        """One line on stderr in all, which says what happened, where, and what to do."""
        line = self.assert_fails(done, told)
        self.assertEqual(done.stderr.decode().splitlines(), [line])
        self.assertRegex(line, REMEDY)
        self.assertRegex(line, r"127\.0\.0\.1:\d+|no-such-host|bob")
        self.assertEqual(done.stdout, b"")

    def dial_impostor(self, talk):
        with impostor(talk) as port:
            return self.world.connect(port, stdin=b"secret")

    def test_nobody_listens(self):
        self.assert_ends(self.world.connect(free_port()), "refused the connection: nothing listens there")

    def test_the_name_does_not_resolve(self):
        self.assert_ends(self.world.connect("no-such-host.invalid"), "no such host: no-such-host.invalid")

    def test_a_peer_that_says_too_little_is_given_up_in_time(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for done in pool.map(self.dial_impostor, [silent, trickle, lambda stream: stream.sendall(b"\1")]):
                self.assert_ends(done, "did not finish the handshake in time: check that it is a qsp server of profile 1.0")

    def test_the_time_for_dialling_ends_the_last_handshake_too(self):
        with self.world.server("--max-sessions", "1") as (port, _, log), self.world.client(port) as first:
            wait_for_text(log, "established")
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as stranger:
                no_room = b"".join(iter(lambda: stranger.recv(4096), b""))
            first.communicate(b"", timeout=PATIENCE)

        def full(stream):
            stream.sendall(no_room)
            stream.shutdown(socket.SHUT_WR)
            while stream.recv(1 << 16):
                pass

        with impostor(full, silent) as port:
            done = self.world.connect(port, "--retry-for", "8s")
            self.assert_fails(done, r"127\.0\.0\.1:\d+ did not finish the handshake in the time that --retry-for left; before that, 127\.0\.0\.1:\d+ is full: give it more")
            self.assertEqual(done.stderr.count(b"is full: trying again"), 1)
        # The limit of a handshake alone is 10 s.
        with impostor(silent) as port:
            self.assert_ends(self.world.connect(port, "--retry-for", "3s"), "did not finish the handshake in the time that --retry-for left: give it more")

    def test_a_peer_that_breaks_off(self):
        for talk in (close, reset, close_mid_frame):
            with self.subTest(talk.__name__):
                self.assert_ends(self.dial_impostor(talk), "ended the connection during the handshake")

    def test_a_peer_that_speaks_something_else(self):
        self.assert_ends(self.dial_impostor(lambda stream: stream.sendall(bytes(range(255, 0, -1)) * 300)), "does not speak profile 1.0 .PROTOCOL_ERROR")

    def test_a_peer_that_speaks_something_well_known_is_named_at_once(self):
        for talk, name in (
            (web, "an HTTP"),
            (lambda stream: stream.sendall(b"SSH-2.0-x\r\n"), "an SSH"),
            (lambda stream: stream.sendall(b"\x15\x03\x03\x00\x02\x02\x32"), "a TLS"),
        ):
            began = time.monotonic()
            self.assert_ends(self.dial_impostor(talk), f"is {name} server, not a qsp server: check the address")
            self.assertLess(time.monotonic() - began, 5)

    # SPEC §11.
    def test_a_server_of_another_profile(self):
        with serving("--profile", "rc155", "--insecure") as (port, _, _):
            self.assert_ends(self.world.connect(port), "profile")

    def test_a_server_of_another_identity(self):
        self.world.pin("deceived.toml", name="bob", key_file="mallory.key.pub", serve=True)
        with self.world.server() as (port, _, _):
            self.assert_ends(self.world.connect(port, peers="deceived.toml"), "failed .HANDSHAKE_FAILED")

    def test_a_server_that_does_not_know_the_client(self):
        with self.world.server() as (port, _, log):
            done = self.world.connect(port, key="mallory")
            self.assert_ends(done, "refused the session .HANDSHAKE_FAILED")
            wait_for_text(log, "HANDSHAKE_FAILED")

    def test_a_server_without_a_common_suite(self):
        with self.world.server("--kem", "ML-KEM-1024") as (port, _, _):
            self.assert_ends(self.world.connect(port), "refused the session .NO_COMMON_SUITE")

    def test_an_unknown_algorithm_is_answered_with_those_that_there_are(self):
        done = self.world.connect(free_port(), "--kem", "ML-KEM-7")
        self.assert_fails(done, "--kem: there is no algorithm 'ML-KEM-7'; there are .*, ML-KEM-1024", code=2)

    def test_what_is_wrong_here_is_told_before_anybody_is_dialled(self):
        self.world.pin("client-only.toml", name="bob", connect=True)
        self.world.write("open.key", self.world.read("alice.key"), 0o644)
        port = free_port()
        for how, told in (
            ({"peer": "carol"}, "alice.toml: there is no peer named 'carol'"),
            ({"peers": "client-only.toml"}, "peer 'bob' is not to be dialled .serve = true allows it"),
            ({"peers": "missing.toml"}, "missing.toml"),
            ({"key": "open"}, r"open\.key.*chmod 600"),
            ({"key": "missing"}, r"missing\.key"),
        ):
            with self.subTest(told):
                self.assert_fails(self.world.connect(port, **how), told)


if __name__ == "__main__":
    main()
