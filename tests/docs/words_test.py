#!/usr/bin/env python3
"""What the documentation and the help texts say of the program's words is so. usage: words_test.py QSP SOURCE"""

import functools
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import page

QSP, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
PAGES = sorted([SOURCE / "README.md", SOURCE / "vectors/README.md", *(SOURCE / "docs").glob("*.md")])
# Options of other programs that the pages show.
FOREIGN = {"curl": {"--cacert", "--cert"}, "cmake": {"--install", "--component", "--prefix", "--build"}, "pkg-config": {"--cflags", "--libs", "--static"}, "tools/mutate": {"--page"}, "./dev": {"--all", "--remove", "--repeat", "--keep", "--check"}}
# Few blocks are not run, and each says why.
MOST_LEFT_OUT = 4

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


@functools.cache
def help_of(*verbs):
    done = subprocess.run([QSP, *verbs, "--help"], capture_output=True, text=True, timeout=30, check=False)
    return done.stdout if done.returncode == 0 else None


def verbs_below(*verbs):
    """Every verb with verbs below it, and every one without."""
    text = help_of(*verbs)
    yield verbs
    listed = re.search(r"(?ms)^(?:SUBCOMMANDS|Subcommands):$(.*?)(?:^\S|\Z)", text)
    for name in re.findall(r"(?m)^  ([a-z0-9]+)\b", listed[1]) if listed else []:
        yield from verbs_below(*verbs, name)


@functools.cache
def options_of(*verbs):
    """Of a verb and of those above it, without what its examples say."""
    text = "".join(help_of(*verbs[:depth]) for depth in range(len(verbs) + 1))
    return set(OPTION.findall(re.sub(r"(?ms)^Examples?:$.*?(?=^\S|\Z)", "", text))) | {"--help"}


@functools.cache
def all_verbs():
    found = set(verbs_below())
    if len(found) < 20:
        raise AssertionError(f"the help texts list only {found}")
    return found


def commands_in(text):
    """Each `qsp …` as it stands between back quotes or in a block of commands, joined where it goes on behind a backslash."""
    spans = re.findall(r"`(qsp [^`]+)`", re.sub(r"(?ms)^ *```.*?^ *```$", "", text))
    blocks = re.findall(r"(?ms)^ *```sh\n(.*?)^ *```$", text)
    lines = [re.sub(r"\s#.*", "", line) for block in blocks for line in re.sub(r"\\\n", " ", block).splitlines()]
    return spans + [found for line in lines for found in re.findall(r"(?<!\S)qsp .*?(?=$| \| | && |  #)", line)]


def verb_of(command):
    words, verbs = command.split()[1:], ()
    for word in words:
        if verbs + (word,) not in all_verbs():
            break
        verbs += (word,)
    return verbs


class Words(unittest.TestCase):
    def check(self, where, command):
        verbs = verb_of(command)
        first = command.split()[1]
        if not verbs:
            self.assertTrue(first.startswith("-"), f"{where}: `{command}`: there is no verb {first}")
        for option in OPTION.findall(command):
            self.assertIn(option, options_of(*verbs), f"{where}: `{command}`")

    def test_the_commands_of_the_pages_have_their_verbs_and_options(self):
        for path in PAGES:
            with self.subTest(path.name):
                for command in commands_in(path.read_text()):
                    self.check(path.name, command)

    def test_every_option_that_a_page_names_exists(self):
        known = set().union(*(options_of(*verbs) for verbs in all_verbs()), *FOREIGN.values())
        for path in PAGES:
            with self.subTest(path.name):
                self.assertEqual(set(OPTION.findall(re.sub(r"(?m)^<!--.*-->$", "", path.read_text()))) - known, set())

    def test_the_examples_of_the_help_texts_have_their_verbs_and_options(self):
        for verbs in all_verbs():
            text = re.sub(r"\\\n", " ", help_of(*verbs))
            for found in re.findall(r"(?m)^ +(?:.*[|&] )?(qsp .*?)(?= \| | && |  #|$)", text):
                if not re.search(r"(?m)^Usage", found):
                    with self.subTest(found):
                        self.check("help", found)

    def test_no_recipe_sends_the_folder_in_which_keys_lie(self):
        texts = {path.name: path.read_text() for path in PAGES}
        texts |= {" ".join(("qsp", *verbs, "--help")): help_of(*verbs) for verbs in all_verbs()}
        for name, text in texts.items():
            with self.subTest(name):
                self.assertEqual(re.findall(r"tar (?:-?c\w*) \.", text), [])

    def sample(self, name):
        """The first sample of TOML on a page, with what is left out in it filled in."""
        text = (SOURCE / "docs" / name).read_text()
        found = next(block for block in page.read(name, text) if block.language == "toml")
        return found.text.replace('fingerprint = "…"', f'fingerprint = "{64 * "0"}"')

    def test_the_samples_of_configurations_are_read(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)

            def run(*arguments):
                return subprocess.run([QSP, *arguments], cwd=folder, capture_output=True, text=True, timeout=30, check=False)
            (folder / "peers.toml").write_text(self.sample("peers.md"))
            run("keygen", "--out", "bob.key")
            pins = run("fingerprint", "peers.toml")
            self.assertEqual((pins.returncode, pins.stderr), (0, ""))
            (folder / "kme.toml").write_text(self.sample("kme.md"))
            asked = run("kme", "status", "kme.toml")
            self.assertIn("is the KME of kme.toml running?", asked.stderr)
            self.assertNotIn("warning", asked.stderr)

    def test_the_chart_of_the_readme_is_what_its_command_writes(self):
        text = (SOURCE / "README.md").read_text()
        commands = [command for command in commands_in(text) if "--plot" in command]
        charts = re.findall(r"!\[[^\]]+\]\((docs/\S+\.svg)\)", text)
        self.assertEqual((len(commands), len(charts)), (1, 1))
        chart = SOURCE / charts[0]
        with tempfile.TemporaryDirectory() as name:
            subprocess.run([QSP, *commands[0].split()[1:]], cwd=name, stdout=subprocess.DEVNULL, timeout=300, check=True)
            self.assertEqual((pathlib.Path(name) / "plots" / chart.name).read_text(), chart.read_text())

    def test_few_blocks_are_not_run(self):
        left_out = [f"{path.name}:{block.line}: {block.not_run}" for path in PAGES
                    for block in page.read(path.name, path.read_text()) if block.not_run]
        print("\n".join(["not run:", *left_out]))
        self.assertLessEqual(len(left_out), MOST_LEFT_OUT)


if __name__ == "__main__":
    del sys.argv[1:3]
    os.umask(0o022)  # files that say whom to trust may be written by their user alone
    unittest.main()
