"""A page of documentation as the test reads it: its blocks of commands and of output, where each is to run, and when the
programs that were started in other terminals end.

What a page says, and what the test makes of it:

  ```sh                  commands: run as they stand, each block in the shell that ran the ones before
  ```output              what the block of commands above prints. "…" in a line stands for anything, a line "…" for any lines;
                         lines of the log, which begin with a time, and of progress, which end with one, count only where
                         one is shown ("… info" begins one whose time is left out)
  ```toml ```json        are parsed; ```text is neither run nor compared
  ```cpp ```cmake        are listings of files, with which tests/install compares them. There are no other blocks.
  "in a terminal of its own", "in another terminal", in the paragraph above a block
                         the block runs beside those that follow, and is interrupted (Ctrl-C) where the section ends
  "each in a terminal of its own"
                         likewise, and each of its commands for itself
  "on Bob's machine", in the paragraph above a block
                         it runs in the shell and folder of that machine; those after it too, until another is named
  "&" at the end of a line
                         the reader waits as for a terminal before going on
  "exit code 1", in a comment at the end of a command
                         the command fails so, and has to

and, not to be seen on the rendered page, in front of a block:

  <!-- first: COMMANDS -->   what is there before: these commands run in the same shell, first
  <!-- not run: REASON -->   the block is not run
"""

import dataclasses
import json
import re
import tomllib

RUN, OUTPUT, PLAIN = "sh", "output", "text"
PARSERS = {"toml": tomllib.loads, "json": json.loads}
LANGUAGES = {RUN, OUTPUT, PLAIN, "cpp", "cmake", *PARSERS}

EACH = re.compile(r"\beach in a terminal of its own\b", re.IGNORECASE)
BESIDE = re.compile(r"\bin (a terminal of its own|another terminal)\b", re.IGNORECASE)
MACHINE = re.compile(r"\bon (\w+)['’]s machine\b", re.IGNORECASE)
CODE = re.compile(r"(?m)\s#.*\bexit code (\d+)")
# What a reader would have to fill in.
PLACEHOLDER = re.compile(r"…|\.\.\.|(?<![\w$\"'-])(HOST|PORT|FILE|DIR|KEY-ID|NAME|PATH)(?![\w=])")
LOG = re.compile(r"\d{4}-\d\d-\d\dT[\d:.+-]+ |… (info|warning|error) |qsp: .*, \d+ s$")


DEEPEST = 100


class PageError(Exception):
    """The page breaks a rule of the above."""


@dataclasses.dataclass
class Block:
    line: int
    language: str
    text: str
    depth: int  # of the heading it stands under
    ends: int  # sections of this depth and deeper have ended since the block before
    before: str = ""  # the paragraph above
    heading: str = ""
    first: str = ""
    not_run: str = ""

    @property
    def machine(self):
        found = MACHINE.findall(self.before)
        return found[-1].lower() if found else None

    @property
    def beside(self):
        return bool(BESIDE.search(self.before))

    def terminals(self):
        """The commands that get a terminal of their own."""
        return commands(self.text) if EACH.search(self.before) else [self.text]

    def exit_codes(self):
        """Of the commands that fail, in their order."""
        return [code for code in map(int, CODE.findall(self.text)) if code != 0]


def commands(text):
    """A block's commands; one may go on behind a backslash."""
    joined = re.findall(r"(?m)^(?:.*\\\n)*.*$", text)
    return [command for command in joined if command.strip() and not command.lstrip().startswith("#")]


class Reader:
    def __init__(self, name, text):
        self._name, self._lines = name, text.splitlines()
        self._depth, self._ends, self._heading = 0, DEEPEST, ""
        self._paragraph, self._over = [], True
        self._notes = {}
        self.blocks = []

    def fail(self, line, what):
        raise PageError(f"{self._name}:{line}: {what}")

    def read(self):
        at = 0
        while at < len(self._lines):
            line = self._lines[at]
            if fence := re.match(r"( *)```(.*)$", line):
                at = self._take_block(at, len(fence[1]), fence[2].strip())
            elif note := re.fullmatch(r" *<!-- (first|not run): (.*) -->", line):
                self._notes[note[1]] = note[2]
                at += 1
            else:
                self._take_line(at + 1, line)
                at += 1
        if self._notes:
            self.fail(at, "a note about a block, and no block behind it")
        return self.blocks

    def _take_line(self, number, line):
        if heading := re.match(r"(#+) ", line):
            self._depth, self._heading = len(heading[1]), line.lstrip("# ")
            self._ends = min(self._ends, self._depth)
            self._paragraph = []
        elif not line.strip():
            self._over = True
        else:
            # Indented code would be neither run nor seen to be left out; what is indented below an item is text.
            if self._over and re.match(r"    +\S", line) and not re.match(r" *[-*\d]", line):
                self.fail(number, "an indented block: put it between ``` lines and say what it is")
            if self._over:
                self._paragraph = []
            self._over = False
            self._paragraph.append(line.strip())

    def _take_block(self, at, indent, language):
        end = next((n for n in range(at + 1, len(self._lines)) if self._lines[n].strip() == "```"), None)
        if end is None:
            self.fail(at + 1, "a block without an end")
        if language not in LANGUAGES:
            self.fail(at + 1, f"a block of {language or 'nothing'}; say which of {', '.join(sorted(LANGUAGES))} it is")
        text = "".join(line[indent:] + "\n" for line in self._lines[at + 1 : end])
        block = Block(at + 1, language, text, self._depth, self._ends, " ".join(self._paragraph), self._heading,
                      self._notes.pop("first", ""), self._notes.pop("not run", ""))
        self._check(block)
        self.blocks.append(block)
        self._over, self._ends = True, DEEPEST
        if language == RUN:
            self._paragraph = []
        return end + 1

    def _check(self, block):
        if self._notes or (block.language != RUN and (block.first or block.not_run)):
            self.fail(block.line, "a note that says nothing about this block")
        if block.language == RUN and not block.not_run:
            if found := PLACEHOLDER.search(block.text):
                self.fail(block.line, f"{found[0]} is nothing that a reader can run: write it out")
        if block.language == OUTPUT:
            above = self.blocks[-1] if self.blocks else None
            if above is None or above.language != RUN or block.ends < DEEPEST:
                self.fail(block.line, "output, and no commands above it")
        if parse := PARSERS.get(block.language):
            try:
                parse(block.text)
            except ValueError as error:
                self.fail(block.line, f"no {block.language}: {error}")


def read(name, text):
    return Reader(name, text).read()


def differs(shown, printed):
    """What is wrong with a block of output, or None."""
    if not any(LOG.match(line) for line in shown.splitlines()):
        printed = "".join(line for line in printed.splitlines(keepends=True) if not LOG.match(line))
    pattern = ""
    for line in shown.splitlines():
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(re.escape(piece.rstrip() if last else piece)
                                  for piece, last in _pieces(line)) + r"[ \t]*\n"
    if re.fullmatch(pattern, printed if printed.endswith("\n") or not printed else printed + "\n"):
        return None
    return f"it shows\n{shown}and prints\n{printed}"


def _pieces(line):
    pieces = line.split("…")
    return [(piece, at == len(pieces) - 1) for at, piece in enumerate(pieces)]
