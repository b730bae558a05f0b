#!/usr/bin/env python3
"""Checks the dependency rule of docs/architecture.md against the build, what the sources include against both, and the house's rules.

usage: check_rooms.py SOURCE_DIR ROOM_RULES

ROOM_RULES is what the build wrote from qsp_room(): "room: used used …" a line. The tables of the page must say just that, and who
includes which library's headers. The house's rules are for files, functions and the names of tests. Exit 1 and one line per breach.
"""
import pathlib
import re
import sys

# Rooms of the core do no I/O: they get bytes, time and randomness as arguments.
CORE = {"base", "wire", "crypto", "schedule", "record", "record/stream", "handshake", "channel", "rc155"}
FORBIDDEN_HEADERS = re.compile(
    r"^(openssl/|boost/|sys/|netinet/|arpa/|netdb|unistd|poll|fcntl|signal|csignal|pthread|thread|jthread|mutex|shared_mutex"
    r"|condition_variable|future|stop_token|semaphore|latch|barrier|atomic|ctime|time\.h|fstream|iostream|filesystem|cstdio|stdio)"
)
# Libraries whose headers are for the rooms that the page lists, by where their headers stand.
LIBRARIES = {"openssl/": "OpenSSL", "boost/": "Boost", "CLI/": "CLI11", "toml++/": "toml++"}
PAGE = "docs/architecture.md"
# The one public header that shows a library's types, since it is made for that, and has threads to keep apart.
DOORS = {"include/qsp/asio.hpp": ("boost/", "mutex", "thread")}
FORBIDDEN_WORDS = re.compile(r"\b(steady_clock|system_clock|high_resolution_clock|std::this_thread|getenv|std::random_device)\b")
# Headers that cost every source seconds to compile: one source includes each, the others its declarations.
ONE_SOURCE = {"CLI/": "src/cli/command.cpp", "toml++/": "src/config/toml.cpp"}
# The one room that makes the program's provider, and those that define the functions with which it does.
MAKES_PROVIDER, DEFINE_PROVIDERS = "crypto/routed", ("crypto/openssl", "crypto/awslc")
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.MULTILINE)
SOURCES = {".cpp", ".hpp"}
# The house's rules, and the folders whose files they bind.
FILE_LINES, FUNCTION_LINES = 450, 60
HOUSE = ("src", "include", "tests", "fuzz", "examples", "tools", "vectors", "cmake", "formal")
TEST = re.compile(r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST)\(\s*(\w+)\s*,\s*(\w+)", re.MULTILINE)
SNAKE_CASE = re.compile(r"(DISABLED_)?[a-z][a-z0-9]*(_[a-z0-9]+)*")
RAW_TEXT = re.compile(r'R"(\w*)\(.*?\)\1"', re.DOTALL)


def read_rules(path):
    rules = {}
    for line in path.read_text().splitlines():
        room, _, used = line.partition(":")
        rules[room] = set(used.replace(";", " ").split())
    return rules


class Page:
    """What docs/architecture.md says: what each room uses (None: all), the rooms of the core, and who includes which library."""

    def __init__(self, text):
        self.uses = {names[0]: self._uses(last) for names, last in self._table(text, "room")}
        self.libraries = {names[0]: set(self._names(last)) for names, last in self._table(text, "headers")}
        core = re.search(r"^Rooms of the core \(`([^`]*)`\)", text, re.MULTILINE)
        self.core = set(core[1].split()) if core else set()

    @staticmethod
    def _names(cell):
        return re.findall(r"`([^`]+)`", cell)

    @staticmethod
    def _uses(cell):
        used = {name.strip() for name in cell.split(",")}
        return None if used == {"all"} else used - {"–"}

    def _table(self, text, title):
        """The names in the first cell and the text of the last one, of each row of the table whose first column has this title."""
        found = re.search(rf"^\| {title} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
        cells = [line.strip("|").split("|") for line in found[1].splitlines()] if found else []
        return [(self._names(row[0]), row[-1].strip()) for row in cells if self._names(row[0])]


def page_breaches(page, rules, included):
    """Where the page and the build differ. `included` has the rooms that include each library's headers."""
    for room in sorted(rules.keys() - page.uses.keys()):
        yield f"{PAGE}: has no row for room {room}"
    for room in sorted(page.uses.keys() - rules.keys()):
        yield f"{PAGE}: has a row for {room}, which is no room"
    for room in sorted(page.uses.keys() & rules.keys()):
        told = page.uses[room]
        for used in sorted(rules[room] - told) if told is not None else ():
            yield f"{PAGE}: room {room} uses {used}, and its row does not say so"
        for used in sorted(told - rules[room]) if told is not None else ():
            yield f"{PAGE}: says that room {room} uses {used}, which it does not"
    if page.core != CORE:
        yield f"{PAGE}: lists the core as {' '.join(sorted(page.core))}, which is {' '.join(sorted(CORE))}"
    for prefix, name in LIBRARIES.items():
        told = page.libraries.get(prefix)
        if told is None:
            yield f"{PAGE}: does not say who may include <{prefix}…>"
            continue
        for room in sorted(included[prefix] - told):
            yield f"{PAGE}: room {room} includes headers of {name}, and is not listed for it"
        for room in sorted(told - included[prefix]):
            yield f"{PAGE}: lists {room} for headers of {name}, and it includes none"


def closure(room, rules):
    reached, todo = set(), [room]
    while todo:
        current = todo.pop()
        if current not in reached:
            reached.add(current)
            todo.extend(rules.get(current, ()))
    return reached


def room_of(path, rules):
    """The innermost room whose folder holds a path relative to src/, or None."""
    folder = pathlib.PurePosixPath(path).parent
    for candidate in (folder, *folder.parents):
        if str(candidate) in rules:
            return str(candidate)
    return None


def breaches(source_dir, rules, included=None):
    """What the sources include against the rules; `included` takes the rooms that include each library's headers."""
    for file in sorted((source_dir / "src").rglob("*")) + sorted((source_dir / "include").rglob("*")):
        if file.suffix not in SOURCES:
            continue
        text = file.read_text()
        public = (source_dir / "include") in file.parents
        room = None if public else room_of(file.relative_to(source_dir / "src").as_posix(), rules)
        where = file.relative_to(source_dir)
        core = public or room in CORE
        door = DOORS.get(where.as_posix())
        if not public and room is None:
            if file.relative_to(source_dir / "src").parts[0] != "cli":
                yield f"{where}: belongs to no room"
            continue
        for header in INCLUDE.findall(text):
            if core and FORBIDDEN_HEADERS.match(header) and not (door and header.startswith(door)):
                yield f"{where}: the core must not include <{header}>"
            for prefix in LIBRARIES if included is not None and room else ():
                if header.startswith(prefix):
                    included[prefix].add(room)
            for prefix, source in ONE_SOURCE.items():
                if header.startswith(prefix) and where.as_posix() != source:
                    yield f"{where}: only {source} may include <{header}>, which is slow to compile"
            other = room_of(header, rules)
            if other is None or header.startswith("qsp/"):
                continue
            if public:
                yield f"{where}: a public header must not include the private {header}"
            elif other not in closure(room, rules):
                yield f"{where}: room {room} must not use room {other} ({header})"
        if public and file.name != "error.hpp" and "std::expected" in text:
            yield f"{where}: a public header returns qsp::Result, which must not be dropped, and never std::expected"
        made = None if public or room in (MAKES_PROVIDER, *DEFINE_PROVIDERS) else re.search(r"\bmake_(?:openssl|awslc)_provider\b", text)
        if made:
            yield f"{where}: only room {MAKES_PROVIDER} calls {made[0]}; the others call crypto::make_provider"
        for word in FORBIDDEN_WORDS.findall(text) if core else ():
            yield f"{where}: the core must not use {word}"


def house_files(source_dir):
    """Whatever somebody wrote to be run or compiled."""
    for folder in HOUSE:
        for file in sorted((source_dir / folder).rglob("*")):
            script = folder == "tools" and file.parent == source_dir / folder and not file.suffix
            if file.is_file() and (script or file.suffix in SOURCES | {".py", ".sh", ".cmake"} or file.name == "CMakeLists.txt"):
                yield file
    if (source_dir / "dev").is_file():
        yield source_dir / "dev"


def listed_sources(text):
    """The sources that a CMakeLists.txt names: of its rooms, behind SOURCES, and of its programs."""
    listed = set()
    for command, arguments in re.findall(r"(\w+)\s*\(([^()]*)\)", re.sub(r"#.*", "", text)):
        open_list = command == "add_executable"
        for word in arguments.split():
            if re.fullmatch(r"[A-Z_]+", word):
                open_list = word == "SOURCES"
            elif open_list:
                listed.add(word)
    return listed


def long_functions(text):
    """(line, lines) of each function that is too long. The layout is clang-format's: a function ends with a brace alone in its line, as
    far in as it began, at the margin or in a class; what is deeper is part of one."""
    text = RAW_TEXT.sub(lambda raw: "\n" * raw[0].count("\n") + 8 * " ", text)
    head, in_type = {0: (0, ""), 2: (0, "")}, False
    for number, line in enumerate(text.splitlines(), 1):
        code = line.lstrip(" ")
        depth = len(line) - len(code)
        if depth not in head or not code or code.startswith("#"):
            continue
        if not code.startswith("}"):
            head[depth] = (number, code)
            if depth == 0:
                in_type = re.match(r"(class|struct|union)\b", code) is not None
            continue
        began, first = head[depth]
        if code == "}" and (depth == 0 or in_type) and not first.startswith(("namespace", "extern")) and number - began >= FUNCTION_LINES:
            yield began, number - began + 1


def house_breaches(source_dir):
    """Where files, functions and the names of tests break the house's rules."""
    for file in house_files(source_dir):
        where, text = file.relative_to(source_dir), file.read_text(encoding="utf-8")
        folder = where.parts[0]
        if text.count("\n") > FILE_LINES:
            yield f"{where}: has {text.count(chr(10))} lines; no file has more than {FILE_LINES}"
        if folder == "src" and file.suffix == ".cpp":
            # A static library without one of its sources fails only where somebody else links it.
            home = next(up for up in file.parents if (up / "CMakeLists.txt").is_file() or up == source_dir)
            lists = home / "CMakeLists.txt"
            if home == source_dir or file.relative_to(home).as_posix() not in listed_sources(lists.read_text(encoding="utf-8")):
                yield f"{where}: stands in the SOURCES of no CMakeLists.txt"
        if folder in {"src", "include"} and file.suffix in SOURCES:
            for line, lines in long_functions(text):
                yield f"{where}:{line}: a function of {lines} lines; none has more than {FUNCTION_LINES}"
        if folder in {"tests", "examples"} and file.suffix in SOURCES:
            for suite, name in TEST.findall(text):
                if not SNAKE_CASE.fullmatch(name):
                    yield f"{where}: {suite}.{name} is not in snake_case"


def main():
    source_dir, rules = pathlib.Path(sys.argv[1]), read_rules(pathlib.Path(sys.argv[2]))
    missing = {"base", "wire", "crypto", "rc155"} - rules.keys()
    included = {prefix: set() for prefix in LIBRARIES}
    found = [f"rule list lacks {room}" for room in sorted(missing)] + list(breaches(source_dir, rules, included))
    found += page_breaches(Page((source_dir / PAGE).read_text(encoding="utf-8")), rules, included)
    found += house_breaches(source_dir)
    print("\n".join(found) or f"{len(rules)} rooms and all files keep to their rules")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
