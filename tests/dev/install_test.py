"""`./dev install`: where the program goes, who says so, and how it goes away again."""

import os
import unittest

import dev_test

PROGRAM = """
file(WRITE ${CMAKE_BINARY_DIR}/qsp "#!/bin/sh\\necho qsp\\n")
install(PROGRAMS ${CMAKE_BINARY_DIR}/qsp DESTINATION bin COMPONENT program)
install(FILES ${CMAKE_BINARY_DIR}/libqsp.a DESTINATION lib COMPONENT library EXCLUDE_FROM_ALL)
"""


class Install(dev_test.Door):
    def setUp(self):
        super().setUp()
        self.project(more=PROGRAM)

    def test_into_a_prefix_and_away_again(self):
        prefix = self.top / "some where"
        done = self.dev("install", str(prefix))
        self.assert_passes(done)
        self.assertIn(f"installed: {prefix}/bin/qsp\n", done.stdout)
        self.assertIn("is not in PATH", done.stdout)
        self.assertEqual((prefix / "bin/qsp").stat().st_mode & 0o777, 0o755)
        self.assertEqual([path.name for path in prefix.rglob("*") if path.is_file()], ["qsp"])

        self.assert_passes(self.dev("install", "--remove", str(prefix)))
        self.assertFalse((prefix / "bin/qsp").exists())
        self.assert_fails(self.dev("install", "--remove", str(prefix)), "there is no .* to remove")

    def test_in_path_there_is_nothing_to_add(self):
        prefix = self.top / "prefix"
        done = self.dev("install", str(prefix), PATH=f"{prefix}/bin:{self.environment['PATH']}")
        self.assert_passes(done)
        self.assertNotIn("note:", done.stdout)

    def test_another_qsp_that_comes_first_is_named(self):
        prefix = self.top / "prefix"
        self.stand_in("qsp", "exit 0")
        done = self.dev("install", str(prefix), PATH=f"{self.environment['PATH']}:{prefix}/bin")
        self.assert_passes(done)
        self.assertIn(f"`qsp` is {self.top / 'bin/qsp'}", done.stdout)

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere, and installs into /usr/local")
    def test_a_user_s_own_folder_is_the_default(self):
        self.assert_passes(self.dev("install"))
        self.assertTrue((self.top / ".local/bin/qsp").exists())

    def test_usage(self):
        for arguments in (["--bogus"], ["a", "b"]):
            self.assertEqual(self.dev("install", *arguments).returncode, 2, arguments)


if __name__ == "__main__":
    unittest.main()
