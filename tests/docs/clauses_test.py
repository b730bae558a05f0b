#!/usr/bin/env python3
"""Every sentence of the specification with MUST in it, and every row of its Appendix B, has a test that names it.

usage: clauses_test.py SOURCE

docs/clauses.md is the table. A row of it names a section, quotes words of the sentence, and lists tests as FILE Suite.name,
FILE being below tests/ and without its ending. Each of them has to exist and to name the section (§2.2), or the row of
Appendix B (B 4), in the comment above it or, in Python, in its docstring.
"""

import pathlib
import re
import sys
import unittest

SOURCE = pathlib.Path(sys.argv[1])
NOT_NORMATIVE = re.compile(r"^(1|9|10|A|B)(\.|$)")
TEST = re.compile(r"`(\S+) (\w+)\.(\w+)`")


def units(text):
    """(section, text) of each paragraph, item of a list and row of a table; blocks of code are left out."""
    section, lines, code = "", [], False
    for line in [*text.splitlines(), ""]:
        heading = re.match(r"#+ (?:Appendix )?([\dAB][\d.]*)\.? ", line)
        own = line.startswith(("#", "|", "```")) or not line.strip()
        if (own or re.match(r"\s*(- |\d+\. )", line)) and lines:
            yield section, " ".join(lines)
            lines = []
        if line.startswith("```"):
            code = not code
        elif heading:
            section = heading[1].rstrip(".")
        elif code or line.startswith("#"):
            continue
        elif line.startswith("|"):
            yield section, line
        elif line.strip():
            lines.append(line.strip())


def demands(text):
    """(section, sentence) of each sentence with MUST."""
    for section, unit in units(text):
        for sentence in re.split(r"(?<=[.])\s+(?=[A-Z*\"(])", unit):
            if section and not NOT_NORMATIVE.match(section) and re.search(r"\bMUST\b", sentence):
                yield section, sentence


def comment_above(file, suite, name):
    """What stands above the test, with its docstring; None where there is no such test."""
    path = next(filter(pathlib.Path.is_file, (SOURCE / f"tests/{file}{end}" for end in (".cpp", ".py"))), None)
    if path is None:
        return None
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".cpp":
        found = re.search(rf"((?:^[ \t]*//.*\n)*)^TEST(?:_F|_P)?\({suite}, {name}\)", text, re.MULTILINE)
        return found and found[1]
    own = re.search(rf"^class {suite}\b.*?(?=^class |\Z)", text, re.MULTILINE | re.DOTALL)
    found = own and re.search(rf'((?:^    #.*\n)*)^    def {name}\(.*\n(\s+""".*?""")?', own[0], re.MULTILINE | re.DOTALL)
    return found and found[1] + (found[2] or "")


def names(comment, clause):
    """Whether the comment names §2.2, and not only §2.21, or B 2 and not B 22; lists go on: §2.2, §3 and B 4, 5."""
    return re.search(rf"(?<![\d.]){re.escape(clause)}(?![\d]|\.\d)", comment) is not None


class Clauses(unittest.TestCase):
    def setUp(self):
        self.spec = (SOURCE / "docs/SPEC.md").read_text(encoding="utf-8")
        self.page = (SOURCE / "docs/clauses.md").read_text(encoding="utf-8")
        self.rows = []
        for line in self.page.splitlines():
            row = re.match(r"\| (§[\d.]+|B \d+) \| (.*?) \| (.*) \|$", line)
            if row:
                self.rows.append((row[1], row[2], TEST.findall(row[3])))

    def test_every_demand_of_the_specification_has_a_row_and_every_row_a_demand(self):
        demanded = list(demands(self.spec))
        self.assertGreater(len(demanded), 50)
        quoted = [(clause[1:], words) for clause, words, _ in self.rows if clause.startswith("§")]
        for section, sentence in demanded:
            self.assertTrue(any(section == own and words in sentence for own, words in quoted), f"docs/clauses.md has no row for §{section}: {sentence}")
        for own, words in quoted:
            fits = [sentence for section, sentence in demanded if section == own and words in sentence]
            self.assertEqual(len(fits), 1, f"docs/clauses.md, §{own}: {words}: fits {len(fits)} sentences with MUST in docs/SPEC.md")

    def test_every_row_of_appendix_b_has_a_row(self):
        appendix = self.spec[self.spec.index("## Appendix B"):]
        questions = dict(re.findall(r"(?m)^\| (\d+) \| (.*?) \|", appendix))
        told = {clause[2:]: words for clause, words, _ in self.rows if clause.startswith("B ")}
        self.assertEqual(told, questions)

    def test_every_test_is_there_and_names_its_clause(self):
        for clause, words, tests in self.rows:
            self.assertTrue(tests, f"{clause}: {words}: names no test")
            for file, suite, name in tests:
                comment = comment_above(file, suite, name)
                self.assertIsNotNone(comment, f"{clause}: there is no test {file} {suite}.{name}")
                self.assertTrue(names(comment, clause), f"{file}: the comment above {suite}.{name} does not name {clause}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
