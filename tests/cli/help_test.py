"""Every verb's help, read as a stranger would: help_test.py QSP."""

import json
import os
import re
import shlex
import subprocess
import unittest

from program import PATIENCE, QSP, help_of, main, qsp

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # of the sources, as its examples have it
VERBS = {}  # "kme serve": its help


def commands_in(text):
    listed = text.split("Subcommands:\n")
    return re.findall(r"(?m)^  ([a-z0-9]\S*)(?: |$)", listed[1].split("\n\n")[0]) if len(listed) > 1 else []


def collect(*words):
    VERBS[" ".join(words)] = text = help_of(*words)
    for name in commands_in(text):
        if name != "help":
            collect(*words, name)


class Help(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        collect()

    def each(self):
        yield from VERBS.items()

    @staticmethod
    def descriptions(text):
        """(what is described, its description in one line) of options, positionals and commands."""
        found, current = [], None
        for line in text.split("\nExamples:")[0].splitlines():
            if re.match(r"  \S", line):
                name, _, told = line.strip().partition("  ")
                current = [name, told.strip()]
                found.append(current)
            elif current is not None and re.match(r" {20,}\S", line):
                current[1] += " " + line.strip()
            else:
                current = None
        return [tuple(each) for each in found]

    def test_has_examples_and_exit_codes(self):
        for _, text in self.each():
            self.assertRegex(text, r"(?m)^Examples:\n  \S")
            self.assertRegex(text, r"(?m)^Exit codes:\n  0  .*\n  1  .*\n  2  ")
            self.assertIn("--json, --log-level LEVEL, --options FILE and --provider LIBRARY", text + VERBS[""])

    def test_says_what_it_means(self):
        for verb, text in self.each():
            self.assertNotRegex(text, r"(?i)\blikewise\b|\bthe same\b|\bditto\b|\bas --[a-z0-9-]+$")
            self.assertNotRegex(text, "…,|, …")
            for name, told in self.descriptions(text):
                self.assertTrue(told or " " in name, f"{verb}: {name} is not described")
                self.assertNotRegex(told, r"(?i)(,|:|;|\b(a|an|the|of|to|and|or|with|for|against|from|in|on|at|by|as|its|is|are))$",
                                    f"{name} is cut off: {told!r}")

    def test_marks_what_is_required(self):
        for verb in ("serve", "connect", "keygen", "fingerprint", "pad create", "pad status", "kme serve", "kme lab", "kme status",
                     "kme inject", "kme import", "kme check", "kme load", "e91 link", "e91 alice", "e91 bob", "e91 feed", "e91 lab",
                     "e91 audit", "e91 compare", "e91 sweep"):
            with self.subTest(verb=verb):
                done = qsp(*verb.split(), *(["localhost"] if verb == "connect" else []))
                self.assertEqual(done.returncode, 2, done.stderr)
                name = re.search(r"(--[a-z0-9-]+|\b[A-Z]+)\b[^:]* (?:is|are) (?:required|needed)", done.stderr.decode())[1]
                line = re.search(rf"(?m)^  .*{re.escape(name)}\b.*$", VERBS[verb])[0]
                self.assertRegex(line, "(?i)required")

    def test_names_what_is_missing_as_the_help_does(self):
        """Every verb without arguments: the positionals and options that its help marks REQUIRED, in its words."""
        found = 0
        for verb, text in self.each():
            required = re.findall(r"(?m)^  (\S+)(?: \S+)* REQUIRED\b", text)
            if "CONFIG" in required:  # which has a name as well
                required.remove("--config")
            if not required:
                continue
            with self.subTest(verb=verb):
                found += 1
                done = qsp(*verb.split())
                self.assertEqual(done.returncode, 2)
                last = f" and {required[-1]}" if len(required) > 1 else required[-1]
                told = ", ".join(required[:-1]) + last + (" are" if len(required) > 1 else " is") + " required"
                self.assertEqual(done.stderr.decode(), f"qsp: error: qsp {verb}: {told} (see: qsp {verb} --help)\n")
        self.assertGreater(found, 15)

    NUMBERS = "UINT|INT|FLOAT|TIME|SIZE|KEYS"
    OTHERS = ("TEXT|FILE|DIR|HOST:PORT|NAME|ID|URL|COMMAND|FAULT|SAE-ID=FILE")

    def numeric_options(self):
        """Every verb and option whose value is a number."""
        for verb, text in self.each():
            for name, kind in re.findall(r"(?m)^  (?:-\w,)?(--[a-z0-9-]+) ([A-Z][A-Z:=-]*[A-Z])", text.split("\nExamples:")[0]):
                # A new word for values has to be put into one of the two lists.
                self.assertRegex(kind.split(":")[0] if kind not in self.OTHERS else kind, f"^({self.NUMBERS}|{self.OTHERS})$", f"{verb} {name}")
                if re.match(f"({self.NUMBERS})\\b", kind):
                    yield verb.split(), name

    def test_every_number_out_of_range_is_answered_with_the_range(self):
        options = list(self.numeric_options())
        self.assertGreater(len(options), 60)
        for verb, name in options:
            with self.subTest(verb=verb, name=name):
                for value in ("-99999999999999999999999", "99999999999999999999999"):
                    done = qsp(*verb, f"{name}={value}", "--help")
                    told = done.stderr.decode()
                    self.assertEqual(done.returncode, 2, told)
                    if "takes a size: " in told:  # which is a whole number, and none below 0
                        self.assertNotEqual(value[0], "9")
                        continue
                    bounds = re.fullmatch(rf"qsp: error: qsp {' '.join(verb)}: {name}: takes a (?:whole number|number|time|size) from (\S+) to (\S+), not '{value}' .see: .*\n", told)
                    self.assertTrue(bounds, told)
                    for bound in bounds.groups():
                        self.assertLessEqual(len(bound), 20, told)
                for bound in bounds.groups():  # which are the bounds indeed
                    self.assertEqual(qsp(*verb, f"{name}={bound}", "--help").returncode, 0, (verb, name, bound))
                for value in ("x", "0x10", "7" * 500):
                    done = qsp(*verb, f"{name}={value}", "--help")
                    self.assertEqual(done.returncode, 2, value)
                    self.assertLess(len(done.stderr), 250, done.stderr)
                    self.assertRegex(done.stderr.decode(), f"{name}: (takes a|is empty)")

    def test_a_whole_number_is_decimal(self):
        self.assertEqual(json.loads(qsp("bench", "handshake", "--loops", "010", "--json").stdout)["loops"], 10)

    def test_tells_the_default_port_and_the_algorithms(self):
        for verb in ("serve", "connect"):
            self.assertIn("7155", VERBS[verb].split("Examples:")[0])
            for algorithm in ("X25519MLKEM768", "SecP384r1MLKEM1024", "ChaCha20-Poly1305"):
                self.assertIn(algorithm, VERBS[verb])
        self.assertIn("SLH-DSA-SHA2-128s", VERBS["serve"])

    def test_one_name_for_what_a_kme_needs(self):
        for verb in ("serve", "connect", "kme import", "kme check", "kme load", "e91 alice", "e91 bob"):
            for option in ("--kme-cert", "--kme-key", "--kme-ca", "--kme-crl", "--kme-name", "--kme-tls12"):
                self.assertRegex(VERBS[verb], rf"(?m)^  {option}\b", verb)

    def test_examples_are_commands_of_the_program(self):
        for verb, text in self.each():
            examples = text.split("\nExamples:\n")[1].split("\n\n")[0].replace("\\\n", " ")
            self.assertIn("qsp", examples)
            for command in re.findall(r"(?:^ +|[|&] )(qsp .*?)(?=$| [|&]+ |  #)", examples, re.MULTILINE):
                words = shlex.split(command)[1:]
                options = [word.split("=")[0] for word in words if word.startswith("--")]
                told = next(VERBS[name] for name in sorted(VERBS, key=len, reverse=True) if words[: len(name.split())] == name.split())
                for option in options:
                    self.assertRegex(told + VERBS[""], rf"(?m)^(  )?(\S+,)*{re.escape(option)}\b", command)
                # Whatever is wrong with its files, its words are understood.
                done = subprocess.run([QSP, *words, "--help"], cwd=ROOT, capture_output=True, timeout=PATIENCE, check=False)
                self.assertEqual(done.returncode, 0, (command, done.stderr))


main()
