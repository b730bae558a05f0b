#!/usr/bin/env python3
"""formal/results.txt is about the model as it stands, and each query of the model has failed where it must.

usage: results_test.py FORMAL-FOLDER
A change of the model or of run.sh's cases makes this fail until they have been run again: what is claimed of a case is only what
came out for that very text."""

import itertools
import pathlib
import re
import subprocess
import sys
import unittest

FORMAL = pathlib.Path(sys.argv.pop(1))
LINE = re.compile(r"(?P<status>\S+) +(?P<got>\S+) +want (?P<want>\S+) +(?P<seconds>\d+s|-)  (?P<digest>[0-9a-f]{12})  (?P<flags>.*)")
# Cases whose verdicts are of a text of the model before this one, with the queries that it had then.
EARLIER = 16
# How the queries end that deny what has to be reachable.
SANITY = ("==> event(Corrupt(s)) || event(Corrupt(c)).", "==> event(Corrupt(a)) || event(Corrupt(b)).")


def cases():
    said = subprocess.run(["bash", FORMAL / "run.sh", "--cases"], capture_output=True, text=True, check=True).stdout
    return [tuple(line.split(None, 2)) if not line.startswith("#") else line for line in said.splitlines()]


def results():
    lines = (FORMAL / "results.txt").read_text().splitlines()
    return [line if line.startswith("#") else LINE.fullmatch(line) for line in lines]


def queries(flags):
    """The queries that a case asks, in order; none for an equivalence."""
    given = [] if flags == "(none)" else flags.split()
    text = subprocess.run(["cpp", "-P", "-w", "-undef", *given, FORMAL / "qsp1.pv.in"], capture_output=True, text=True, check=True).stdout
    text = re.sub(r"\(\*.*?\*\)", "", text, flags=re.DOTALL)
    return [" ".join(query.split()) for query in re.findall(r"^query\s.*?\.\s*$", text, flags=re.DOTALL | re.MULTILINE)]


class Results(unittest.TestCase):
    def test_every_case_has_its_line_in_order(self):
        told = [line if isinstance(line, str) else (line["want"], line["digest"], line["flags"]) for line in results()]
        self.assertEqual(told, cases())

    def test_what_is_told_came_out_as_expected(self):
        for line in results():
            if isinstance(line, str):
                continue
            with self.subTest(line["flags"]):
                self.assertIn(line["status"], ("ok", "earlier"))
                if line["status"] == "ok":
                    self.assertEqual(line["got"], line["want"])

    def test_no_more_cases_than_said_wait_for_a_run(self):
        waiting = [line for line in results() if not isinstance(line, str) and line["status"] == "earlier"]
        self.assertEqual(len(waiting), EARLIER)
        page = (FORMAL.parent / "docs/formal.md").read_text()
        counted = sum(not isinstance(line, str) for line in results())
        self.assertIn(f"{counted - EARLIER} of {counted} cases", page)

    def test_every_query_fails_in_some_variant(self):
        """A query that nothing makes fail may say nothing, and so may a claim that never holds."""
        verdicts = {}
        for line in results():
            if isinstance(line, str) or line["status"] != "ok":
                continue
            asked = queries(line["flags"])
            if asked:
                self.assertEqual(len(asked), len(line["got"]), line["flags"])
            for query, verdict in zip(asked, line["got"]):
                verdicts.setdefault(query, set()).add(verdict)
        self.assertGreater(len(verdicts), 30)
        for query, came_out in verdicts.items():
            with self.subTest(query):
                self.assertIn("f", came_out)
                if not query.endswith(SANITY):
                    self.assertIn("t", came_out)

    def test_every_flag_is_used_and_explained(self):
        model = (FORMAL / "qsp1.pv.in").read_text()
        head = model[:model.index("*)\n#")]
        flags = set(re.findall(r"(?:#ifn?def |defined\()(\w+)", model)) | set(re.findall(r"#if (\w+) ==", model))
        used = set(itertools.chain.from_iterable(re.findall(r"-D(\w+)", case[2]) for case in cases() if not isinstance(case, str)))
        self.assertEqual(used - flags, set())
        self.assertEqual({flag for flag in flags if not re.search(rf"\b{flag}\b", head)}, set())
        # They leak or restrict what other flags do as well, and are there for whoever asks more.
        self.assertEqual(flags - used, {"LEAK_XP2", "ONLY_F"})


if __name__ == "__main__":
    unittest.main()
