#!/usr/bin/env python3
"""Runs the tests of constant time under valgrind's memcheck, and shows where a secret decided a branch or an address.

usage: run.py VALGRIND PROGRAM COMPILER FLAGS

The program counts what memcheck reports in each of its tests. That it can fail is asked twice: by its own tests of code that
leaks, and here, of valgrind itself.
"""
import re
import subprocess
import sys
import tempfile

LEAK = "early_exit"


def run(valgrind, program, chosen, log):
    command = [valgrind, "--tool=memcheck", "--error-limit=no", "--expensive-definedness-checks=yes", "--num-callers=12", f"--log-file={log}", program]
    return subprocess.run(command + ["--gtest_brief=1", f"--gtest_filter={chosen}"], check=False).returncode


def reports(log):
    """What memcheck reported, under the name of the test that it was in."""
    with open(log, encoding="utf-8", errors="replace") as file:
        text = re.sub(r"^==\d+== ?|^\*\*\d+\*\* ?", "", file.read(), flags=re.MULTILINE)
    return re.split(r"\n(?:ERROR SUMMARY|HEAP SUMMARY)", text, maxsplit=1)[0]


def main():
    valgrind, program, compiler, flags = sys.argv[1:]
    version = subprocess.run([valgrind, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    print(f"{version}; the release's code: {compiler}, {flags}", flush=True)
    with tempfile.NamedTemporaryFile(prefix="qsp-constant-time-") as log:
        failed = run(valgrind, program, "-Leaks.*", log.name)
        if failed:
            print(reports(log.name))
            return 1
        failed = run(valgrind, program, "Leaks.*", log.name)
        found = reports(log.name)
    if failed or not re.search(rf"Conditional jump or move depends on uninitialised value\(s\)\n\s+at 0x[0-9A-F]+: .*{LEAK}", found):
        print(found)
        print("code that leaks was not reported as it must be")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
