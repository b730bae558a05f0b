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

    def test_openssl_is_for_the_provider_and_the_yardsticks(self):
        self.assertTrue(self.breaches("src/net/a.cpp", "#include <openssl/evp.h>\n"))
        self.assertEqual([], self.breaches("src/bench/a.cpp", "#include <openssl/ssl.h>\n"))

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
        self.assertTrue(self.breaches("src/cli/serve.cpp", "#include <CLI/CLI.hpp>\n"))
        self.assertTrue(self.breaches("src/net/a.hpp", "#include <CLI/App.hpp>\n"))
        self.assertTrue(self.breaches("src/net/a.cpp", "#include <toml++/toml.h>\n"))

    def test_a_folder_without_a_room_is_refused(self):
        self.assertTrue(self.breaches("src/elsewhere/a.cpp", ""))


if __name__ == "__main__":
    unittest.main()
