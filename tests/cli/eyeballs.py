"""Dials a name whose first address swallows packets, with every client of the program. Run by door_test.py, where /etc/hosts says that
two.test is ::1 and 127.0.0.1."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

from program import PATIENCE, QSP, World, first_line, free_port, process

NAME = "two.test"


@contextlib.contextmanager
def black_hole(port):
    """[::1]:port swallows packets: its backlog is full, and nobody accepts."""
    with contextlib.ExitStack() as stack:
        deaf = stack.enter_context(socket.socket(socket.AF_INET6))
        deaf.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        deaf.bind(("::1", port))
        deaf.listen(0)
        for _ in range(4):
            caller = stack.enter_context(socket.socket(socket.AF_INET6))
            caller.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                caller.connect(("::1", port))
        yield


def timed(what, command, stdin=b""):
    began = time.monotonic()
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=PATIENCE, check=False)
    took = time.monotonic() - began
    print(f"{what}: {took:.2f} s", file=sys.stderr)
    assert done.returncode == 0, (what, done.stderr)
    # A quarter of a second for the black hole, where it was 10 s for the dial; the rest is for a busy machine.
    assert took < 3, (what, took)
    return done


def sessions(world):
    with world.server("--exec", "cat") as (port, _, _), black_hole(port):
        done = timed("connect", world.dialler(f"{NAME}:{port}"), b"hello")
        assert done.stdout == b"hello", done
    with socket.create_server(("127.0.0.1", 0)) as target:
        port = target.getsockname()[1]
        with black_hole(port), world.server("--forward", f"{NAME}:{port}") as (through, _, log):
            began = time.monotonic()
            with world.client(through) as client:
                stream, _ = target.accept()
                took = time.monotonic() - began
                stream.close()
                client.communicate(b"", timeout=PATIENCE)
            print(f"serve --forward: {took:.2f} s", file=sys.stderr)
            assert took < 3, log()
    nobody = free_port()
    with black_hole(nobody):
        failed = subprocess.run(world.dialler(f"{NAME}:{nobody}"), capture_output=True, timeout=PATIENCE, check=False)
        line = failed.stderr.decode()
        assert f"[::1]:{nobody}: no answer" in line and f"127.0.0.1:{nobody}: refused, nothing listens there" in line, line


def kmes():
    with tempfile.TemporaryDirectory(prefix="qsp-") as folder:
        lab = os.path.join(folder, "lab")
        subprocess.run([QSP, "kme", "lab", lab], check=True, capture_output=True)
        config = os.path.join(lab, "kme-a", "kme.toml")
        with open(config, encoding="utf-8") as file:
            text = re.sub(r"(?m)^(admin_)?port *=.*$", lambda found: f"{found[1] or ''}port = 0", file.read())
        with open(config, "w", encoding="utf-8") as file:
            file.write(text)
        with process(QSP, "--json", "kme", "serve", config) as (running, _):
            port = json.loads(first_line(running))["port"]
            with black_hole(port):
                files = [f"--{what}={os.path.join(lab, file)}" for what, file in (("cert", "alice/cert.pem"), ("key", "alice/key.pem"), ("ca", "ca.pem"))]
                # Without the other KME there are no keys to be had; what counts is that it is answered.
                done = timed("KME client", [QSP, "kme", "check", f"https://{NAME}:{port}", *files, "--server-name", "127.0.0.1", "--sae-id", "alice",
                                            "--slave", "bob"])
                assert b"answers 200: status 200" in done.stdout, done


def main():
    world = World()
    try:
        sessions(world)
        kmes()
    finally:
        world.close()


main()
