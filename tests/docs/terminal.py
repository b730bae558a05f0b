"""A shell in which a reader pastes blocks of commands, and what came of each."""

import itertools
import os
import pathlib
import select
import signal
import subprocess
import time

# A block that takes longer is stuck, also on a busy machine. A reader waits a moment between starting a server and using it: until it is ready, or
# has said what it has to say.
PATIENCE = 600
READY, QUIET, START = b"listen", 0.5, 10
END = 10


class Stuck(Exception):
    pass


class Terminal:
    """bash, whose blocks read nothing or, with `typed`, from somebody who types nothing."""

    # The number of the next block, which nothing else in the scratch folder has: a file of an earlier terminal would be
    # taken for what a block has said until the shell empties it.
    _blocks = itertools.count()

    def __init__(self, folder, scratch, environment, typed=False):
        self._scratch, self._typed = pathlib.Path(scratch), typed
        done, their_done = os.pipe()
        # With job control, programs in the background are as they are for somebody at a terminal; without, an interrupt
        # reaches what runs in front.
        self._shell = subprocess.Popen(["bash", "--norc", "--noprofile", *([] if typed else ["-m"]), "-s", str(their_done)],
                                       cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, pass_fds=[their_done], start_new_session=True)
        os.close(their_done)
        self._done = done
        if typed:
            self._silence = os.pipe()
        # An interrupt is for what runs in front, not for the shell.
        self._say("set -o pipefail; trap : INT" if typed else "set -o pipefail")

    def _say(self, line):
        self._shell.stdin.write(line.encode() + b"\n")
        self._shell.stdin.flush()

    def start(self, text):
        """Begins a block; its output goes to a file, whose path is returned."""
        name = self._scratch / str(next(self._blocks))
        self.output, self._failures = name.with_suffix(".out"), name.with_suffix(".failed")
        self._failures.touch()
        # One line for each command that fails, which in a terminal does not stop the next.
        name.write_text(f"trap 'echo $? >>{self._failures}' ERR\n{text}\ntrap - ERR\n")
        source = f"/proc/{os.getpid()}/fd/{self._silence[0]}" if self._typed else "/dev/null"
        self._say(f". {name} <{source} >{self.output} 2>&1; [ $? = 0 ] || echo 2 >>{self._failures}; echo >&$1")

    def said(self):
        return self.output.read_bytes() if self.output.exists() else b""

    def ended(self, patience=0):
        return bool(select.select([self._done], [], [], patience)[0])

    def finish(self, patience=PATIENCE):
        """Waits for the block's end: (what it printed, the exit codes of the commands that failed)."""
        if not self.ended(patience):
            raise Stuck(f"the block did not end within {patience} s")
        if not os.read(self._done, 1):
            raise Stuck("the block ended the shell")
        failed = [int(line) for line in self._failures.read_text().split()]
        return self.said().decode(errors="replace"), failed

    def settle(self):
        """Waits as a reader does before turning to the next terminal."""
        until, length, changed = time.monotonic() + START, -1, time.monotonic()
        while time.monotonic() < until and not self.ended():
            said = self.said()
            if READY in said:
                return
            if len(said) != length:
                length, changed = len(said), time.monotonic()
            elif said and time.monotonic() - changed > QUIET:
                return
            time.sleep(0.02)

    def interrupt(self):
        """Ctrl-C, for what runs in front."""
        os.killpg(self._shell.pid, signal.SIGINT)

    def close(self):
        if self._shell.poll() is None:
            os.killpg(self._shell.pid, signal.SIGKILL)
        self._shell.wait()
        self._shell.stdin.close()
        os.close(self._done)
        if self._typed:
            for end in self._silence:
                os.close(end)
