#!/usr/bin/env python3
"""check_rooms.py must notice each kind of breach. usage: test_check_rooms.py"""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check_rooms

RULES = {"base": set(), "wire": {"base"}, "crypto": {"base"}, "crypto/openssl": {"crypto"}, "crypto/routed": {"crypto/openssl"}, "net": {"wire"}, "bench": {"net"}, "cli": {"net"}}


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

    def test_files_that_keep_the_rules_pass(self):
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
        self.assertEqual([], self.breaches("include/qsp/asio.hpp", "#include <boost/asio/post.hpp>\n#include <mutex>\n"))
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

    def test_one_room_makes_the_provider(self):
        call = "auto made = crypto::make_openssl_provider();\n"
        for lawful in ("src/crypto/routed/a.cpp", "src/crypto/openssl/a.cpp", "include/qsp/openssl.hpp"):
            self.assertEqual([], self.breaches(lawful, call), lawful)
        for other in ("src/net/a.cpp", "src/crypto/a.cpp", "src/bench/a.hpp"):
            self.assertEqual(1, len(self.breaches(other, call)), other)
            self.assertEqual(1, len(self.breaches(other, call.replace("openssl", "awslc"))), other)

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


class CheckHouse(unittest.TestCase):
    def breaches(self, files):
        """Of a tree with these files, {path: text}."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, text in files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            return list(check_rooms.house_breaches(root))

    def expect_one(self, words, files):
        found = self.breaches(files)
        self.assertEqual(1, len(found), found)
        self.assertIn(words, found[0])

    def test_a_source_is_named_by_the_nearest_list(self):
        room = "qsp_room(wire TEMPLATES SOURCES a.cpp\n  deep/b.cpp # c.cpp\n  USES base LIBRARIES fmt::fmt)\nadd_executable(qsp main.cpp)\n"
        named = {"src/wire/CMakeLists.txt": room, "src/wire/a.cpp": "", "src/wire/deep/b.cpp": "", "src/wire/main.cpp": ""}
        self.assertEqual([], self.breaches(named))
        self.expect_one("src/wire/c.cpp: stands in", named | {"src/wire/c.cpp": ""})
        self.expect_one("src/wire/b.cpp: stands in", named | {"src/wire/b.cpp": ""})
        self.expect_one("src/wire/deep/a.cpp: stands in", named | {"src/wire/deep/a.cpp": ""})
        self.expect_one("src/wire/fmt.cpp: stands in", named | {"src/wire/fmt.cpp": ""})
        self.expect_one("src/wire/deep/b.cpp: stands in", named | {"src/wire/deep/CMakeLists.txt": "qsp_room(deep SOURCES)\n"})
        self.expect_one("src/alone/a.cpp: stands in", {"src/alone/a.cpp": ""})

    def test_what_is_no_source_of_a_list_names_none(self):
        for text in ("set_source_files_properties(a.cpp PROPERTIES X 1)", "qsp_room(wire SOURCES b.cpp USES a.cpp)",
                     "# qsp_room(wire SOURCES a.cpp)"):
            self.expect_one("src/wire/a.cpp: stands in", {"src/wire/CMakeLists.txt": text, "src/wire/a.cpp": ""})

    def test_a_long_file_is_a_breach_wherever_it_stands(self):
        for path in ("include/qsp/a.hpp", "tests/a/b_test.py", "tests/CMakeLists.txt", "fuzz/a.cpp", "examples/tcp/a.cpp", "tools/soak",
                     "tools/ports.py", "vectors/a.py", "cmake/a.cmake", "formal/run.sh", "dev"):
            self.expect_one(f"{path}: has 451 lines", {path: 451 * "\n"})
            self.assertEqual([], self.breaches({path: 450 * "\n"}), path)
        for path in ("docs/SPEC.md", "tools/mutants/a.toml", "vectors/qsp1/a.json"):
            self.assertEqual([], self.breaches({path: 451 * "\n"}), path)

    def test_a_long_function_is_a_breach(self):
        for path in ("src/base/a.hpp", "include/qsp/a.hpp"):
            for form in ("int f(int a) {\n%s}\n", "template <class T>\nint f(int a,\n      int b) {\n%s}\n", "A::A()\n    : a_(1) {\n%s}\n",
                         "class A {\n public:\n  int f() {\n%s  }\n};\n", "template <class T>\nstruct A : B {\n  A() {\n%s  }\n};\n"):
                signature = form.split("%s")[0].splitlines()
                began = next(i for i, line in enumerate(signature) if "(" in line)
                body = (58 - (len(signature) - 1 - began)) * "    x();\n"
                self.assertEqual([], self.breaches({path: form % body}), form)
                self.expect_one(f"{path}:{began + 1}: a function of 61 lines", {path: form % (body + "    x();\n")})

    def test_a_text_in_a_function_is_part_of_it(self):
        self.expect_one("a function of 65 lines", {"src/base/a.hpp": 'void f() {\n  g(\n      R"md(\n' + 60 * "}\n" + ')md", 1);\n}\n'})

    def test_a_condition_of_the_preprocessor_ends_no_function(self):
        self.expect_one("a.hpp:1: a function of 64 lines", {"src/base/a.hpp": "void f() {\n" + 60 * "  x();\n" + "#if X\n#endif\n}\n"})

    def test_a_long_function_is_told_once_and_its_blocks_are_not(self):
        self.expect_one("a.hpp:1:", {"src/base/a.hpp": "void f() {\n  for (;;) {\n" + 70 * "    x();\n" + "  }\n}\n"})

    def test_a_long_type_table_or_namespace_is_no_function(self):
        for form in ("class A {\n%s};\n", "enum class A {\n%s};\n", "constexpr std::array kAll{\n%s};\n", "namespace a {\n%s}\n",
                     "namespace a {\n%s}  // namespace a\n", 'constexpr auto kText = R"(\n%s)";\n', 'extern "C" {\n%s}\n'):
            self.assertEqual([], self.breaches({"src/base/a.hpp": form % (70 * "    1,\n")}), form)

    def test_names_of_tests_are_in_snake_case(self):
        for macro in ("TEST", "TEST_F", "TEST_P", "TYPED_TEST"):
            for path in ("tests/base/a_test.cpp", "tests/base/a.hpp", "examples/a.cpp"):
                for name in ("gives_2_keys", "DISABLED_waits", "one"):
                    self.assertEqual([], self.breaches({path: f"{macro}(Suite, {name}) {{}}\n"}), name)
                for name in ("GivesKeys", "gives_Keys", "gives__keys", "DISABLED_Waits", "_one", "one_"):
                    self.expect_one(f"{path}: Suite.{name}", {path: f"{macro}(Suite, {name}) {{}}\n"})
        self.expect_one("Suite.Long", {"tests/a_test.cpp": "TEST_F(Suite,\n       Long) {}\n"})


if __name__ == "__main__":
    unittest.main()
