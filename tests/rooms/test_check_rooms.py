#!/usr/bin/env python3
"""check_rooms.py must notice each kind of breach. usage: test_check_rooms.py"""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check_rooms

RULES = {"base": set(), "wire": {"base"}, "crypto": {"base"}, "crypto/openssl": {"crypto"}, "net": {"wire"}, "bench": {"net"}, "cli": {"net"}}


class CheckRooms(unittest.TestCase):
    def breaches(self, path, text):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            file = root / path
            (root / "src").mkdir()
            (root / "include").mkdir()
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            return list(check_rooms.breaches(root, RULES))

    def test_lawful_files_pass(self):
        self.assertEqual([], self.breaches("src/wire/a.cpp", '#include <span>\n#include "base/b.hpp"\n#include "qsp/bytes.hpp"\n'))
        self.assertEqual([], self.breaches("src/crypto/openssl/a.cpp", "#include <openssl/evp.h>\n"))
        self.assertEqual([], self.breaches("src/net/a.cpp", "#include <thread>\nstd::chrono::steady_clock::now();\n"))

    def test_core_headers_and_words_are_refused(self):
        for header in ("openssl/evp.h", "boost/asio.hpp", "sys/socket.h", "thread", "mutex", "fstream", "ctime"):
            self.assertTrue(self.breaches("src/wire/a.cpp", f"#include <{header}>\n"), header)
            self.assertTrue(self.breaches("include/qsp/a.hpp", f"#include <{header}>\n"), header)
        self.assertTrue(self.breaches("src/base/a.cpp", "auto t = std::chrono::steady_clock::now();\n"))

    def test_who_includes_a_library_is_seen(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, header in {"bench/a.cpp": "openssl/ssl.h", "net/b.hpp": "boost/asio.hpp", "net/c.cpp": "boost/url.hpp"}.items():
                (root / "src" / path).parent.mkdir(parents=True, exist_ok=True)
                (root / "src" / path).write_text(f"#include <{header}>\n")
            (root / "include").mkdir()
            included = {prefix: set() for prefix in check_rooms.LIBRARIES}
            self.assertEqual([], list(check_rooms.breaches(root, RULES, included)))
        self.assertEqual({"openssl/": {"bench"}, "boost/": {"net"}, "CLI/": set(), "toml++/": set()}, included)

    def test_one_public_header_is_for_asio(self):
        self.assertEqual([], self.breaches("include/qsp/asio.hpp", "#include <boost/asio/post.hpp>\n"))
        self.assertTrue(self.breaches("include/qsp/asio.hpp", "#include <openssl/evp.h>\n"))
        self.assertTrue(self.breaches("include/qsp/tcp.hpp", "#include <boost/asio/post.hpp>\n"))

    def test_a_room_reaches_only_what_it_names(self):
        self.assertTrue(self.breaches("src/base/a.cpp", '#include "wire/frame.hpp"\n'))
        self.assertTrue(self.breaches("src/crypto/a.cpp", '#include "crypto/openssl/provider.hpp"\n'))
        self.assertTrue(self.breaches("include/qsp/a.hpp", '#include "wire/frame.hpp"\n'))
        self.assertEqual([], self.breaches("src/net/a.cpp", '#include "base/b.hpp"\n'))

    def test_public_functions_return_what_must_be_used(self):
        self.assertTrue(self.breaches("include/qsp/a.hpp", "std::expected<int, Error> f();\n"))
        self.assertEqual([], self.breaches("include/qsp/a.hpp", "Result<int> f();\n"))
        self.assertEqual([], self.breaches("include/qsp/error.hpp", "class Result : public std::expected<T, E> {};\n"))

    def test_slow_headers_are_for_one_source(self):
        self.assertEqual([], self.breaches("src/cli/command.cpp", "#include <CLI/CLI.hpp>\n"))
        self.assertTrue(self.breaches("src/cli/session/serve.cpp", "#include <CLI/CLI.hpp>\n"))
        self.assertTrue(self.breaches("src/net/a.hpp", "#include <CLI/App.hpp>\n"))
        self.assertTrue(self.breaches("src/net/a.cpp", "#include <toml++/toml.h>\n"))

    def test_a_folder_without_a_room_is_refused(self):
        self.assertTrue(self.breaches("src/elsewhere/a.cpp", ""))


PAGE = """
| room | holds | uses |
|---|---|---|
| `base` | errors | – |
| `wire` | frames, `all` of them | base |
| `bench` | yardsticks | base, wire |
| `cli` | the verbs | all |

Rooms of the core (`%s`) get bytes.

| headers | of | for |
|---|---|---|
| `openssl/` | OpenSSL | `bench`, whose yardsticks they are |
| `boost/` | Boost | `cli` and `bench` |
| `CLI/` | CLI11 | `cli` |
| `toml++/` | toml++ | `cli` |
""" % " ".join(sorted(check_rooms.CORE))
PAGE_RULES = {"base": set(), "wire": {"base"}, "bench": {"base", "wire"}, "cli": {"bench", "wire"}}
INCLUDED = {"openssl/": {"bench"}, "boost/": {"cli", "bench"}, "CLI/": {"cli"}, "toml++/": {"cli"}}


class CheckPage(unittest.TestCase):
    def breaches(self, page=PAGE, rules=None, included=None):
        return list(check_rooms.page_breaches(check_rooms.Page(page), rules or PAGE_RULES, included or INCLUDED))

    def expect_one(self, words, **changed):
        found = self.breaches(**changed)
        self.assertEqual(1, len(found), found)
        self.assertIn(words, found[0])

    def without(self, line):
        self.assertIn(line, PAGE)
        return PAGE.replace(line, "")

    def test_a_page_that_says_what_is_so_passes(self):
        self.assertEqual([], self.breaches())

    def test_a_row_that_is_missing_or_too_many_is_a_breach(self):
        self.expect_one("no row for room wire", page=self.without("| `wire` | frames, `all` of them | base |\n"))
        self.expect_one("no row for room net", rules=PAGE_RULES | {"net": {"wire"}})
        self.expect_one("a row for wire, which is no room", rules={k: v for k, v in PAGE_RULES.items() if k != "wire"})

    def test_a_use_that_is_missing_or_too_many_is_a_breach(self):
        self.expect_one("bench uses net", rules=PAGE_RULES | {"bench": {"base", "wire", "net"}})
        self.expect_one("says that room bench uses wire", rules=PAGE_RULES | {"bench": {"base"}})
        self.expect_one("says that room bench uses net", page=PAGE.replace("base, wire |", "base, wire, net |"))
        self.expect_one("base uses wire", rules=PAGE_RULES | {"base": {"wire"}})

    def test_a_library_in_a_room_that_is_not_listed_is_a_breach(self):
        for prefix, name in check_rooms.LIBRARIES.items():
            self.expect_one(f"room wire includes headers of {name}", included=INCLUDED | {prefix: INCLUDED[prefix] | {"wire"}})

    def test_a_room_that_is_listed_for_a_library_in_vain_is_a_breach(self):
        self.expect_one("lists bench for headers of Boost", included=INCLUDED | {"boost/": {"cli"}})
        self.expect_one("lists wire for headers of CLI11", page=PAGE.replace("CLI11 | `cli`", "CLI11 | `cli`, `wire`"))

    def test_a_library_that_the_page_leaves_out_is_a_breach(self):
        self.expect_one("who may include <CLI/", page=self.without("| `CLI/` | CLI11 | `cli` |\n"))

    def test_the_core_is_what_the_page_calls_so(self):
        self.expect_one("lists the core as", page=PAGE.replace(" wire`)", "`)"))
        self.expect_one("lists the core as", page=PAGE.replace("Rooms of the core", "Others"))

    def test_a_page_without_tables_does_not_pass(self):
        self.assertGreater(len(self.breaches(page="")), 4)


if __name__ == "__main__":
    unittest.main()
