#!/usr/bin/env python3
"""Ports for servers that have to be told theirs, because others must know it before they start.
usage: tools/ports.py COUNT    prints the first of COUNT free ports in a row and keeps them until it is killed

A port that was free a moment ago is anybody's: the system gives it to the next connection. These are below the range from which
it gives, and whoever chooses through here holds a lock on the whole block of them until it ends."""
import fcntl
import os
import random
import signal
import socket
import sys

BLOCK = 8  # ports that are locked together
LOWEST = 15_000

_left = []  # ports of the last block that nobody was given yet


def _first_of_the_systems_own():
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
            return int(file.read().split()[0])
    except (OSError, ValueError):
        return 32_768


def _lock(block):
    """Whether the block is now this process's."""
    folder = f"/tmp/qsp-ports-{os.getuid()}"
    os.makedirs(folder, mode=0o700, exist_ok=True)
    file = os.open(os.path.join(folder, str(block)), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return False
    return True  # the descriptor stays open, and so the lock is held, for as long as this process lives


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def reserve(count):
    """The first of `count` ports in a row, which stay this process's until it ends."""
    if count > BLOCK:
        raise ValueError(f"{BLOCK} ports in a row at most")
    if count > len(_left):
        end = _first_of_the_systems_own()
        blocks = list(range(LOWEST if LOWEST + BLOCK <= end else 1024, end - BLOCK + 1, BLOCK))
        random.SystemRandom().shuffle(blocks)
        for block in blocks:
            if _lock(block) and all(map(_is_free, range(block, block + BLOCK))):
                _left[:] = range(block, block + BLOCK)
                break
        else:
            raise RuntimeError("no free ports")
    given = _left[:count]
    del _left[:count]
    return given[0]


if __name__ == "__main__":
    print(reserve(int(sys.argv[1])), flush=True)
    signal.pause()
