"""What readelf says of a program or a shared object."""
import os
import pathlib
import re
import stat
import subprocess


class Elf:
    def __init__(self, readelf, path):
        self.path = pathlib.Path(path)
        done = subprocess.run([readelf, "--wide", "--file-header", "--program-headers", "--dynamic", "--dyn-syms", str(path)],
                              capture_output=True, check=True, text=True, env={**os.environ, "LC_ALL": "C"})
        self.text = done.stdout

    def type(self):
        return re.search(r"^\s*Type:\s+(\w+)", self.text, re.MULTILINE).group(1)

    def run_paths(self):
        """The elements of RUNPATH and RPATH, that of the folder in which the file stands by its name."""
        found = re.findall(r"\((?:RUNPATH|RPATH)\)\s+Library (?:runpath|rpath): \[(.*)\]", self.text)
        return [element.replace("$ORIGIN", str(self.path.resolve().parent)) for value in found for element in value.split(":")]

    def needed(self):
        return re.findall(r"\(NEEDED\)\s+Shared library: \[(.*)\]", self.text)

    def has_segment(self, name):
        return re.search(rf"^\s*{name}\s", self.text, re.MULTILINE) is not None

    def stack_flags(self):
        found = re.search(r"^\s*GNU_STACK\s+(?:0x\w+\s+){5}([RWE ]+?)\s+0x", self.text, re.MULTILINE)
        return found.group(1).replace(" ", "") if found else "none"

    def binds_now(self):
        return re.search(r"\(BIND_NOW\)|\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*\bNOW\b", self.text) is not None

    def _symbols(self, defined):
        for line in self.text.splitlines():
            columns = line.split()
            if len(columns) >= 8 and re.fullmatch(r"\d+:", columns[0]) and (columns[6] != "UND") == defined:
                yield columns[7].partition("@")[0]

    def imports(self):
        return set(self._symbols(defined=False))

    def exports(self):
        return set(self._symbols(defined=True))


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def writable_by_others(folder):
    """The folder, or one above it, in which somebody else than its owner and root may put another one."""
    folder = pathlib.Path(folder)
    for part in (folder, *folder.parents):
        if not part.exists():
            continue
        mode = part.stat().st_mode
        if mode & (stat.S_IWGRP | stat.S_IWOTH) and not mode & stat.S_ISVTX:
            return part
    return None


def problems(elf, program=True):
    """What Debian's hardening asks for and this file lacks, one text each."""
    if elf.type() != "DYN":
        yield f"is of type {elf.type()}: not position-independent"
    if not elf.has_segment("GNU_RELRO"):
        yield "has no RELRO"
    if not elf.binds_now():
        yield "does not bind all symbols at the start, so that RELRO is partial"
    if elf.stack_flags() != "RW":
        yield f"has a stack with the flags {elf.stack_flags()}"
    for element in elf.run_paths():
        if not element:
            yield "has an empty element in RUNPATH: the folder in which it is started"
        elif not element.startswith("/"):
            yield f"has the relative element {element} in RUNPATH"
        elif writable_by_others(element):
            yield f"has {element} in RUNPATH, and others may write to {writable_by_others(element)}"
