#!/usr/bin/env python3
"""What the runner of the documentation's commands must notice. usage: runner_test.py"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import page
from run_page import Run
from terminal import Terminal


def blocks(text):
    return page.read("page.md", text)


def run(text):
    """A run of a page with these contents."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        made = Run("page.md", blocks(text), pathlib.Path(folder), environment)
        made.all()
        return made


class Pages(unittest.TestCase):
    def refused(self, text, told):
        with self.assertRaisesRegex(page.PageError, told):
            blocks(text)

    def test_a_block_says_what_it_is(self):
        self.refused("```\nls\n```\n", "page.md:1: a block of nothing")
        self.refused("```bash\nls\n```\n", "a block of bash")
        self.refused("text\n\n    ls\n", "page.md:3: an indented block")
        self.refused("```sh\nls\n", "without an end")

    def test_what_is_indented_below_an_item_is_text(self):
        self.assertEqual(blocks("- an item\n  of two lines\n\n  and a paragraph\n    - deeper\n"), [])

    def test_a_reader_can_run_every_block(self):
        for command in ("qsp connect HOST:1", "qsp serve …", "qsp connect host:PORT", "curl 'x?key_ID=KEY-ID'"):
            with self.subTest(command):
                self.refused(f"```sh\n{command}\n```\n", "write it out")
        self.assertEqual(len(blocks("```sh\necho $HOST \"$FILE\"\n```\n")), 1)

    def test_other_languages_are_parsed(self):
        self.refused("```toml\na = \n```\n", "no toml")
        self.refused("```json\n{\n```\n", "no json")

    def test_output_stands_below_its_commands(self):
        self.refused("```output\nx\n```\n", "no commands above")
        self.refused("```sh\nls\n```\n# Next\n```output\nx\n```\n", "no commands above")

    def test_a_note_is_for_the_block_below(self):
        self.refused("<!-- not run: why -->\n", "no block behind")
        self.refused("<!-- not run: why -->\n```toml\n```\n", "says nothing")

    def test_commands_go_on_behind_a_backslash(self):
        self.assertEqual(page.commands("a \\\n  b\n# no command\nc\n"), ["a \\\n  b", "c"])


class Outputs(unittest.TestCase):
    def test_outputs_are_the_same_line_for_line(self):
        self.assertIsNone(page.differs("a\nb\n", "a\nb\n"))
        for printed in ("a\n", "a\nb\nc\n", "a\nc\n", "x\na\nb\n", ""):
            with self.subTest(printed):
                self.assertIsNotNone(page.differs("a\nb\n", printed))

    def test_dots_stand_for_what_varies(self):
        self.assertIsNone(page.differs("id …, 3 keys\n", "id 77a, 3 keys\n"))
        self.assertIsNotNone(page.differs("id …, 3 keys\n", "id 77a, 4 keys\n"))
        self.assertIsNone(page.differs("a\n…\nz\n", "a\nb\nc\nz\n"))
        self.assertIsNotNone(page.differs("a\n…\nz\n", "a\nb\n"))
        self.assertIsNotNone(page.differs("1.5 (…)\n", "125 (x)\n"))

    def test_lines_of_the_log_count_where_one_is_shown(self):
        log = "2026-01-02T03:04:05.678+00:00 info x\n"
        self.assertIsNone(page.differs("a\n", log + "a\n" + log))
        self.assertIsNone(page.differs("a\n", "qsp: block 2 of 3, 12 s\na\n"))
        self.assertIsNotNone(page.differs(log + "a\n", "a\n"))
        self.assertIsNone(page.differs("… info x\na\n", log + "a\n"))
        self.assertIsNotNone(page.differs("… info y\na\n", log + "a\n"))
        self.assertIsNotNone(page.differs("… info x\na\n", "a\n"))


class Runs(unittest.TestCase):
    def passes(self, text, ran=1):
        made = run(text)
        self.assertEqual((made.failures, made.ran), ([], ran))
        return made

    def fails(self, text, told):
        made = run(text)
        self.assertEqual(len(made.failures), 1, made.failures)
        self.assertRegex(made.failures[0], told)

    def test_a_command_that_fails_fails(self):
        self.fails("```sh\nfalse\ntrue\n```\n", r"page.md:1: exit codes \[1\]")
        self.fails("```sh\nno-such-program\n```\n", r"\[127\]")
        self.fails("```sh\nfalse | true\n```\n", r"\[1\]")
        self.fails("```sh\nif true; then\n```\n", "exit codes")
        self.passes("```sh\ntrue | true\n```\n")

    def test_a_page_may_say_that_a_command_fails(self):
        self.passes("```sh\n(exit 3)   # refused: exit code 3\ntrue\n```\n")
        self.fails("```sh\ntrue   # refused: exit code 3\n```\n", r"exit codes \[\] of")

    def test_output_is_compared(self):
        self.passes("```sh\necho a\n```\nprints\n```output\na\n```\n")
        self.fails("```sh\necho a\n```\n```output\nb\n```\n", "it shows")

    def test_blocks_share_a_shell_and_its_folder(self):
        self.passes("```sh\nx=1; mkdir f; cd f\n```\n## Next\n```sh\necho $x $(basename $PWD)\n```\n```output\n1 f\n```\n", ran=2)

    def test_machines_have_folders_of_their_own(self):
        self.passes("On Alice's machine:\n```sh\ntouch a\n```\nOn Bob's machine:\n```sh\nls\n```\n```output\n```\n"
                    "Back on Alice's machine:\n```sh\nls\n```\n```output\na\n```\n", ran=3)

    def test_what_is_there_first(self):
        self.passes("<!-- first: touch before -->\n```sh\nls\n```\n```output\nbefore\n```\n")
        self.fails("<!-- first: false -->\n```sh\nls\n```\n", "what comes first failed")

    def test_what_is_not_run_is_told(self):
        made = self.passes("<!-- not run: it takes a day -->\n```sh\nfalse HOST\n```\n", ran=0)
        self.assertEqual(made.left_out, ["page.md:2: not run: it takes a day"])

    def test_a_terminal_of_its_own_runs_beside_until_its_section_ends(self):
        server = "trap 'rm up; exit 0' INT; touch up; echo listening; while :; do sleep 0.05; done"
        with_it = f"## One\nIn a terminal of its own:\n```sh\nbash -c \"{server}\"\n```\nand here:\n```sh\nls\n```\n```output\nup\n```\n"
        self.passes(with_it + "### Deeper\n```sh\nls\n```\n```output\nup\n```\n## Two\n```sh\nls\n```\n```output\n```\n", ran=4)

    def test_a_terminal_shows_nothing_of_one_before_it(self):
        outputs = []
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(20):
                terminal = Terminal(folder, folder, {"PATH": os.environ["PATH"]})
                terminal.start("echo listening")
                outputs.append(terminal.output)
                terminal.finish()
                terminal.close()
                del terminal  # its address is free for the next
        self.assertEqual(len(set(outputs)), len(outputs))

    def test_each_command_in_a_terminal_of_its_own(self):
        self.passes("Each in a terminal of its own:\n```sh\necho listening; sleep 100\ntouch second; echo listening; sleep 100\n```\n"
                    "then\n```sh\nls\n```\n```output\nsecond\n```\n", ran=2)

    def test_without_namespaces_a_page_is_skipped_and_says_why(self):
        program = pathlib.Path(__file__).with_name("run_page.py")
        done = subprocess.run([sys.executable, "-B", program, "qsp", ".", "README.md"], capture_output=True, text=True, check=False,
                              env={"PATH": "/nonexistent"})
        self.assertEqual(done.returncode, 77)
        self.assertIn("skipped: this system permits no user namespaces", done.stdout)

    def test_a_program_beside_that_failed_is_noticed(self):
        self.fails("In another terminal:\n```sh\nfalse\n```\n", r"exit codes \[1\]")


if __name__ == "__main__":
    unittest.main()
