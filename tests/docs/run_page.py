#!/usr/bin/env python3
"""Runs the commands of a page of documentation as a reader would paste them, and compares what they print with what the page
shows. What it understands of a page: page.py.

usage: run_page.py QSP SOURCE PAGE                     PAGE from SOURCE
       run_page.py QSP SOURCE --of 'COMMAND' PAGE      PAGE from the folder in which COMMAND made it
                              --under REGEX            only what stands under headings that match

It runs in namespaces of its own, so that ports are free, the names of the examples (*.example) are this machine, and nothing
outlives it. Exit code 77, which CTest takes for "skipped", where the system does not permit that."""

import argparse
import fcntl
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

import page
from terminal import END, Stuck, Terminal

os.umask(0o022)  # qsp trusts no file that others may write

# What a reader takes to look at what came of a block, where programs run in the background that have to do something about it.
READ = 0.5
INSIDE = "QSP_DOCS_INSIDE"
SKIPPED = 77
UNSHARE = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def enter_namespaces():
    tried = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True, check=False) if shutil.which("unshare") else None
    if tried is None or tried.returncode != 0:
        why = tried.stderr.strip() if tried else "there is no program unshare"
        print(f"skipped: this system permits no user namespaces, which keep the examples' ports and names apart ({why})")
        sys.exit(SKIPPED)
    os.execvpe(UNSHARE[0], [*UNSHARE, sys.executable, "-B", *sys.argv], {**os.environ, INSIDE: "1"})


def set_up_network(names, scratch):
    with socket.socket() as any_socket:
        flags = struct.pack("16sH14s", b"lo", 1, b"")  # IFF_UP
        fcntl.ioctl(any_socket, 0x8914, flags)  # SIOCSIFFLAGS
    hosts = scratch / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {' '.join(sorted(names))}\n::1 localhost\n")
    subprocess.run(["mount", "--bind", str(hosts), "/etc/hosts"], check=True)


class Run:
    """A reader at work on one page."""

    def __init__(self, name, blocks, root, environment):
        self._name, self._blocks, self._root, self._environment = name, blocks, root, environment
        self._machines, self._machine = {}, "here"
        self._beside = []  # (block, the output that is shown, terminal)
        self._in_background = False
        self._scratch = root / "scratch"
        self._scratch.mkdir(exist_ok=True)
        self.failures, self.left_out, self.ran = [], [], 0

    def folder(self):
        path = self._root / self._machine
        path.mkdir(exist_ok=True)
        return path

    def _open(self, typed=False, folder=None):
        return Terminal(folder or self.folder(), self._scratch, {**self._environment, "HOME": str(self.folder())}, typed)

    def _shell(self):
        if self._machine not in self._machines:
            self._machines[self._machine] = self._open()
        return self._machines[self._machine]

    def _fail(self, block, what, said=""):
        self.failures.append(f"{self._name}:{block.line}: {what}\n" + "".join(f"    {line}\n" for line in block.text.splitlines()) +
                             (f"  printed:\n{said}" if said else ""))

    def all(self):
        for at, block in enumerate(self._blocks):
            if any(each.depth >= block.ends for each, _, _ in self._beside):
                self._end_of_section()
            if block.language != page.RUN:
                continue
            if block.not_run:
                self.left_out.append(f"{self._name}:{block.line}: not run: {block.not_run}")
                continue
            follows = self._blocks[at + 1] if at + 1 < len(self._blocks) else None
            shown = follows.text if follows and follows.language == page.OUTPUT else None
            self._machine = block.machine or self._machine
            try:
                self._run(block, shown)
            except Stuck as stuck:
                self._fail(block, str(stuck), self._said())
                break
            if self.failures:
                self.failures[-1] += self._said()
                break
        self._end_of_section()
        for terminal in self._machines.values():
            terminal.close()

    def _said(self):
        """What stands on the screens, for whoever has to find out."""
        screens = [(f"{self._name}:{block.line}", each) for block, _, each in self._beside]
        return "".join(f"  terminal {name}:\n{each.said().decode(errors='replace')[-3000:]}\n" for name, each in screens)

    def _run(self, block, shown):
        self.ran += 1
        shell = self._shell()
        if block.first:
            shell.start(block.first)
            said, failed = shell.finish()
            if failed:
                return self._fail(block, f"what comes first failed: {block.first}", said)
        if block.beside:
            return self._run_beside(block, shown, shell)
        shell.start(block.text)
        said, failed = shell.finish()
        self._check(block, shown, said, failed)
        if re.search(r"(?m)(?<!&)&$", block.text):
            self._in_background = True
            shell.settle()
        elif self._in_background:
            time.sleep(READ)

    def _check(self, block, shown, said, failed):
        if failed != block.exit_codes():
            return self._fail(block, f"exit codes {failed} of commands that failed, not {block.exit_codes()}", said)
        if shown is not None and (wrong := page.differs(shown, said)):
            self._fail(block, wrong)

    def _run_beside(self, block, shown, shell):
        # A new terminal is opened in the folder in which the reader is.
        shell.start("pwd")
        folder = shell.finish()[0].strip()
        for command in block.terminals():
            terminal = self._open(typed=True, folder=folder)
            terminal.start(command)
            terminal.settle()
            self._beside.append((block, shown, terminal))

    def _end_of_section(self):
        """Ctrl-C in every terminal, the last first: each ends, and in good order."""
        for block, shown, terminal in reversed(self._beside):
            by_itself = terminal.ended()
            if not by_itself:
                terminal.interrupt()
            try:
                said, failed = terminal.finish(END)
                if by_itself:
                    self._check(block, shown, said, failed)
                elif shown is not None and (wrong := page.differs(shown, said)):
                    self._fail(block, wrong)
                elif not set(failed) <= {1, 130}:
                    self._fail(block, f"interrupted, it ended with {failed}", said)
            except Stuck as stuck:
                self._fail(block, f"interrupted, but {stuck}", terminal.said().decode(errors="replace"))
            terminal.close()
        self._beside = []


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("qsp")
    parser.add_argument("source")
    parser.add_argument("page")
    parser.add_argument("--of", default="")
    parser.add_argument("--under", default="")
    options = parser.parse_args()
    if INSIDE not in os.environ:
        enter_namespaces()

    with tempfile.TemporaryDirectory(prefix="qsp-docs-") as name:
        root = pathlib.Path(name)
        programs = root / "bin"
        programs.mkdir()
        (programs / "qsp").symlink_to(pathlib.Path(options.qsp).resolve())
        source = pathlib.Path(options.source).resolve()
        environment = {"PATH": f"{programs}:{os.environ['PATH']}", "LANG": "C.UTF-8", "TERM": "dumb", "QSP_SOURCE": str(source),
                       **{key: value for key, value in os.environ.items() if key.startswith(("ASAN_", "UBSAN_", "TSAN_"))}}
        if options.of:
            (root / "here").mkdir()
            subprocess.run(options.of, shell=True, check=True, cwd=root / "here", env=environment, stdout=subprocess.DEVNULL)
            source = root / "here"
        text = (source / options.page).read_text()
        set_up_network(set(re.findall(r"\b[a-z][a-z0-9-]*\.example\b", text)), root)
        try:
            blocks = [block for block in page.read(options.page, text) if re.search(options.under, block.heading)]
        except page.PageError as error:
            sys.exit(str(error))
        run = Run(options.page, blocks, root, environment)
        run.all()
        print("".join(line + "\n" for line in [*run.left_out, *run.failures]), end="")
        print(f"{options.page}: {run.ran} blocks run, {len(run.left_out)} left out, {len(run.failures)} wrong")
        sys.exit(1 if run.failures else 0)


if __name__ == "__main__":
    main()
