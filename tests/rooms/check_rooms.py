#!/usr/bin/env python3
"""Checks the dependency rule of docs/architecture.md against what the sources include.

usage: check_rooms.py SOURCE_DIR ROOM_RULES

ROOM_RULES is what the build wrote from qsp_room(): "room: used used …" a line. Exit 1 and one line per breach.
"""
import pathlib
import re
import sys

# Rooms of the core do no I/O: they get bytes, time and randomness as arguments.
CORE = {"base", "wire", "crypto", "schedule", "record", "handshake", "channel", "rc155"}
FORBIDDEN_HEADERS = re.compile(
    r"^(openssl/|boost/|sys/|netinet/|arpa/|netdb|unistd|poll|fcntl|signal|csignal|pthread|thread|jthread|mutex|shared_mutex"
    r"|condition_variable|future|stop_token|semaphore|latch|barrier|atomic|ctime|time\.h|fstream|iostream|filesystem|cstdio|stdio)"
)
# Who may name OpenSSL: the provider, TLS, the yardsticks, and the test vectors, whose keys are written as PEM.
OPENSSL_ROOMS = {"crypto/openssl", "https", "bench", "vectors"}
FORBIDDEN_WORDS = re.compile(r"\b(steady_clock|system_clock|high_resolution_clock|std::this_thread|getenv|std::random_device)\b")
# Headers that cost every source seconds to compile: one source includes each, the others its declarations.
ONE_SOURCE = {"CLI/": "src/cli/command.cpp", "toml++/": "src/config/toml.cpp"}
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.MULTILINE)
SOURCES = {".cpp", ".hpp"}


def read_rules(path):
    rules = {}
    for line in path.read_text().splitlines():
        room, _, used = line.partition(":")
        rules[room] = set(used.replace(";", " ").split())
    return rules


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


def breaches(source_dir, rules):
    for file in sorted((source_dir / "src").rglob("*")) + sorted((source_dir / "include").rglob("*")):
        if file.suffix not in SOURCES:
            continue
        text = file.read_text()
        public = (source_dir / "include") in file.parents
        room = None if public else room_of(file.relative_to(source_dir / "src").as_posix(), rules)
        where = file.relative_to(source_dir)
        core = public or room in CORE
        if not public and room is None:
            if file.relative_to(source_dir / "src").parts[0] != "cli":
                yield f"{where}: belongs to no room"
            continue
        for header in INCLUDE.findall(text):
            if core and FORBIDDEN_HEADERS.match(header):
                yield f"{where}: the core must not include <{header}>"
            elif header.startswith("openssl/") and room not in OPENSSL_ROOMS:
                yield f"{where}: room {room} must not include <{header}>"
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
        for word in FORBIDDEN_WORDS.findall(text) if core else ():
            yield f"{where}: the core must not use {word}"


def main():
    source_dir, rules = pathlib.Path(sys.argv[1]), read_rules(pathlib.Path(sys.argv[2]))
    missing = {"base", "wire", "crypto", "rc155"} - rules.keys()
    found = [f"rule list lacks {room}" for room in sorted(missing)] + list(breaches(source_dir, rules))
    print("\n".join(found) or f"{len(rules)} rooms keep to their rules")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
