"""Runs the program qsp, whose path is the first argument of every black-box test. Standard library only."""

import base64
import contextlib
import json
import os
import pathlib
import re
import select
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tools"))
import ports  # noqa: E402

QSP = sys.argv[1]
os.umask(0o022)  # what others may write is not trusted
# Seconds for anything that has to happen: so many that only what never happens takes so long, however loaded the machine is.
PATIENCE = 90


def qsp(*args, stdin=b"", env=None):
    return subprocess.run([QSP, *args], input=stdin, capture_output=True, timeout=PATIENCE, env=env, check=False)


def help_of(*words):
    done = qsp(*words, "--help")
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


@contextlib.contextmanager
def process(*command):
    """A process that does not outlive the block: (process, its log so far)."""
    with tempfile.TemporaryFile() as log:
        running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        try:
            yield running, lambda: os.pread(log.fileno(), 1 << 24, 0).decode()
        finally:
            if running.poll() is None:
                running.kill()
            running.wait(PATIENCE)
            running.stdout.close()


def first_line(running):
    if not select.select([running.stdout], [], [], PATIENCE)[0]:
        raise AssertionError("the process says nothing")
    return running.stdout.readline().decode().strip()


@contextlib.contextmanager
def serving(*args):
    """A server on a port of the system's choice: (port, process, log)."""
    with process(QSP, "serve", "--listen", "127.0.0.1:0", *args) as (running, log):
        line = first_line(running)
        found = re.fullmatch(r".*127\.0\.0\.1:(\d+).*", line)
        if not found:
            raise AssertionError(f"no port in {line!r}: {log()}")
        yield int(found[1]), running, log


def free_port():
    """A port on which nobody listens, nor will, unless this process does."""
    return ports.reserve(1)


def free_ports(count):
    """The first of `count` ports in a row on which nobody listens now."""
    for _ in range(200):
        first = free_port()
        with contextlib.ExitStack() as held:
            try:
                for port in range(first, first + count):
                    probe = held.enter_context(socket.socket())
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
                return first
            except (OSError, OverflowError):
                continue
    raise AssertionError("no free ports")


def wait_until(holds, what):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"it never came: {what}")
        time.sleep(0.01)


def peak_memory(pid):
    """The most memory that a running process has had resident, in bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) * 1024


class World:
    """Alice, who dials, and bob, who serves: keys and pins in a folder of their own."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="qsp-")
        for name in ("alice", "bob", "mallory"):
            self.keygen(name)
        self.pin("bob.toml", name="alice", connect=True)
        self.pin("alice.toml", name="bob", serve=True)

    def close(self):
        self._folder.cleanup()

    def path(self, name):
        return os.path.join(self._folder.name, name)

    def write(self, name, content, mode=0o600):
        with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(content)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def keygen(self, name, *args):
        made = qsp("keygen", "--out", self.path(f"{name}.key"), *args)
        if made.returncode != 0:
            raise AssertionError(made.stderr)

    def pin(self, file, **pin):
        """Writes a peers file with one peer, whose key is `key_file` or NAME.key.pub."""
        pin = {"key_file": f"{pin['name']}.key.pub", **pin}
        # What JSON says of texts, truth and lists of texts, TOML says too.
        lines = [f"{field} = {json.dumps(value)}\n" for field, value in pin.items()]
        self.write(file, ("[[peer]]\n" + "".join(lines)).encode())

    def pads(self, link, keys=100):
        """The two copies of a pad: alice's and bob's file."""
        both = self.path(f"{link}-alice.pad"), self.path(f"{link}-bob.pad")
        made = qsp("pad", "create", "--keys", str(keys), "--link", link, *both)
        if made.returncode != 0:
            raise AssertionError(made.stderr)
        return both

    def server(self, *args, keys=("bob",), peers="bob.toml"):
        return serving("--key", *(self.path(f"{key}.key") for key in keys), "--peers", self.path(peers), *args)

    def dialler(self, target, *args, key="alice", peers="alice.toml", peer="bob"):
        """The command line of a client; a number is a port of this machine."""
        address = f"127.0.0.1:{target}" if isinstance(target, int) else target
        return [QSP, "connect", address, "--key", self.path(f"{key}.key"), "--peers", self.path(peers), "--peer", peer, *args]

    def connect(self, target, *args, stdin=b"", **how):
        return subprocess.run(self.dialler(target, *args, **how), input=stdin, capture_output=True, timeout=PATIENCE, check=False)

    @contextlib.contextmanager
    def client(self, target, *args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **how):
        """A client that runs beside the test, and not after it."""
        running = subprocess.Popen(self.dialler(target, *args, **how), stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)
        try:
            yield running
        finally:
            if running.poll() is None:
                running.kill()
            running.wait(PATIENCE)
            for stream in (running.stdin, running.stdout, running.stderr):
                with contextlib.suppress(OSError):
                    if stream:
                        stream.close()


def wait_for_session(client):
    """Reads what a client says until it has a session: the server, whose log is the other place to look, has one earlier."""
    said = b""
    while b"QSP 1.0 with" not in said:
        line = client.stderr.readline()
        if not line:
            raise AssertionError(f"no session: {said}")
        said += line


def error_lines(done):
    return [line for line in done.stderr.decode("ascii").splitlines() if line.startswith("qsp: error: ")]


def assert_nothing_of(secrets, text):
    """No piece of any secret stands in `text`: as it is, in hexadecimal or in base64."""
    folded = re.sub(rb"\s", b"", text).lower()
    for secret in secrets:
        # Any eight bytes in a row would be too many.
        for at in range(0, len(secret) - 7, 8):
            piece = secret[at : at + 8]
            if piece in text or piece.hex().encode() in folded:
                raise AssertionError(f"bytes {at} to {at + 8} of a secret are written")
        # Base64 at each of its three phases.
        for phase in range(3):
            encoded = base64.b64encode(secret[phase : phase + (len(secret) - phase) // 3 * 3])
            for at in range(0, len(encoded) - 11, 12):
                if encoded[at : at + 12].lower() in folded:
                    raise AssertionError(f"base64 of a secret is written, from byte {phase + at // 4 * 3}")


def wait_for_text(log, told, times=1):
    """Waits until a process's log has it so often: what another process saw may be written after this one saw its effect."""
    wait_until(lambda: len(re.findall(told, log())) >= times, f"{told!r} in the log")


class Case(unittest.TestCase):
    """A test with ends of its own."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)

    def assert_succeeds(self, done):
        self.assertEqual((done.returncode, error_lines(done)), (0, []), done.stderr)

    def assert_fails(self, done, told, code=1):
        """Exit code and exactly one error line, which says what happened. Returns that line."""
        self.assertEqual(done.returncode, code, done.stderr)
        lines = error_lines(done)
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertRegex(lines[0], told)
        return lines[0]


def main():
    del sys.argv[1]
    unittest.main()
