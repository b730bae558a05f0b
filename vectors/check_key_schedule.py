#!/usr/bin/env python3
"""Checks QSP 1.0 test vectors (vectors/README.md) against docs/SPEC.md, independently of the C++ code.

Usage: check_key_schedule.py [--verbose] FILE...      one line per mismatch; exit 1 if there is any, 2 for a file that cannot be read
"""

import argparse
import json
import pathlib
import sys

from checker import Checker
from vector_file import BadFile


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Checks QSP 1.0 test vectors against docs/SPEC.md.")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--verbose", action="store_true", help="also print each file's suite and description")
    options = parser.parse_args(arguments)
    status = 0
    for path in options.files:
        try:
            checker = Checker(json.loads(path.read_text(encoding="utf-8"))).run()
            checker.same("name", checker.v["name"], path.stem)
        except (OSError, ValueError, BadFile) as error:
            print(f"{path}: cannot be read: {error}")
            status = 2
            continue
        for line in checker.mismatches:
            print(f"{path}: {line}")
        status = max(status, 1 if checker.mismatches else 0)
        covered = ", ".join(f"{count} {what}" for what, count in sorted(checker.covered.items()) if count)
        print(f"{path}: {'MISMATCH' if checker.mismatches else 'ok'}: {len(checker.v['epochs'])} epochs, {covered}")
        if options.verbose:
            suite = ", ".join(checker.v["suite"][part]["name"] for part in ("kem", "sig_client", "sig_server", "aead"))
            print(f"    {suite}, qkd_mode {checker.v['qkd_mode']}: {checker.v['description']}")
    return status


if __name__ == "__main__":
    sys.exit(main())
