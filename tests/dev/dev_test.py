"""What ./dev does and says on a machine that is not as it should be: the real script, cmake and ctest over a project of a few
lines; stand-ins for the commands that would change the machine. Standard library only."""

import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

SOURCE = pathlib.Path(__file__).parents[2]
PATIENCE = 300

PROJECT = """cmake_minimum_required(VERSION 3.25)
project(door LANGUAGES NONE)
option(QSP_TESTS "" ON)
option(QSP_WERROR "" OFF)
enable_testing()
add_custom_target(qsp ALL COMMAND {build})
add_custom_target(fuzzers)
add_test(NAME door.opens COMMAND true)
add_test(NAME door.jams COMMAND sh -c "{test}")
{more}
"""


class Door(unittest.TestCase):
    """A clone in a folder with blanks and letters beyond ASCII, whose packages are all installed unless a test says otherwise."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="qsp-dev-")
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        self.clone = self.top / "Zoë Müller" / "q s p"
        self.clone.mkdir(parents=True)
        shutil.copy2(SOURCE / "dev", self.clone)
        shutil.copy2(SOURCE / "CMakePresets.json", self.clone)
        shutil.copytree(SOURCE / "tools", self.clone / "tools")
        self.project()
        self.stand_in("dpkg-query", """
            for package; do :; done
            grep -qx "$package" "$STATE/missing" 2>/dev/null && exit 1
            case "$*" in *Version*) echo 1.83.0 ;; *) echo "install ok installed" ;; esac""")
        self.stand_in("dpkg", 'case $1 in --compare-versions) exec /usr/bin/dpkg "$@" ;; esac')
        self.stand_in("apt-get", 'echo "$*" >>"$STATE/apt"; echo "E: no network"; exit 100')
        self.stand_in("apt-cache", "exit 0")
        self.stand_in("sudo", "exit 1")
        openssl = self.top / "openssl" / "include" / "openssl"
        openssl.mkdir(parents=True)
        (openssl / "opensslv.h").write_text('# define OPENSSL_VERSION_STR "3.5.1"\n')
        kept = {name: value for name, value in os.environ.items() if name not in ("CI", "QSP_WERROR", "XDG_CACHE_HOME", "CDPATH", "AWSLC_ROOT_DIR")}
        self.environment = kept | {
            "PATH": f"{self.top / 'bin'}:{os.environ['PATH']}", "STATE": str(self.top), "HOME": str(self.top),
            "OPENSSL_ROOT_DIR": str(self.top / "openssl"), "QSP_AWSLC": "off"}

    def stand_in(self, name, script):
        (self.top / "bin").mkdir(exist_ok=True)
        file = self.top / "bin" / name
        file.write_text("#!/bin/sh\n" + script + "\n")
        file.chmod(0o755)

    def project(self, build="true", test="exit 0", more=""):
        (self.clone / "CMakeLists.txt").write_text(PROJECT.format(build=build, test=test, more=more))

    def missing(self, *packages):
        (self.top / "missing").write_text("".join(f"{package}\n" for package in packages))

    def dev(self, *arguments, without=(), **more):
        environment = {name: value for name, value in (self.environment | more).items() if name not in without}
        return subprocess.run([self.clone / "dev", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE, env=environment, check=False)

    def setting(self, name):
        return re.search(rf"(?m)^{name}:\w+=(.*)$", (self.clone / "build/release/CMakeCache.txt").read_text())[1]

    def asked_of_apt(self):
        file = self.top / "apt"
        return file.read_text() if file.exists() else ""

    def assert_passes(self, done):
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def assert_fails(self, done, step, log=None):
        """The last line names the step and, where there is one, a log that is there."""
        self.assertNotIn(done.returncode, (0, 2), done.stdout)
        last = done.stderr.rstrip("\n").rsplit("\n", 1)[-1]
        self.assertRegex(last, f"^dev: (failed: )?{step}")
        if log is not None:
            named = re.search("; log: (.*)$", last)
            self.assertTrue(named, last)
            self.assertRegex(pathlib.Path(named[1]).read_text(), log)


class Failures(Door):
    def test_a_failing_configuration(self):
        self.project(more="message(FATAL_ERROR glue)")
        self.assert_fails(self.dev("build"), "configuring release", "glue")

    def test_a_failing_compilation(self):
        self.project(build="echo splinters && false")
        self.assert_fails(self.dev("build"), "compiling release", "splinters")

    def test_failing_tests_are_named(self):
        self.project(test="echo rust; exit 1", more="add_test(NAME door.falls COMMAND false)")
        for command, kind in (("test", "release"), ("asan", "asan")):
            with self.subTest(command):
                self.assert_fails(self.dev(command), rf"tests \({kind}\): door.(jams door.falls|falls door.jams)", "rust")
        self.assert_fails(self.dev("test", "jams"), r"tests \(release\): door.jams;")
        self.assert_passes(self.dev("test", "opens"))
        self.assert_fails(self.dev("test", "no.such"), r"tests \(release\)", "No tests")

    def test_a_failing_run_of_many_is_named_and_the_logs_of_all_are_kept(self):
        self.project(test="echo turn >>$ENV{STATE}/turns; test `wc -l <$ENV{STATE}/turns` != 3")
        done = self.dev("test", "--repeat", "5")
        self.assert_fails(done, r"run 3 of 5: tests \(release\): door.jams", "door.jams")
        self.assertEqual(sorted(os.listdir(self.clone / "build/repeat")), ["1.log", "2.log", "3.log"])
        done = self.dev("test", "--repeat", "2")
        self.assert_passes(done)
        self.assertEqual(done.stdout.count("tests passed"), 2)

    def test_a_failing_fuzz_target(self):
        target = self.clone / "build/fuzz/fuzz/fuzz_lock"
        target.parent.mkdir(parents=True)
        target.write_text("#!/bin/sh\necho picked\nexit 77\n")
        target.chmod(0o755)
        self.assert_fails(self.dev("fuzz", "1"), "fuzz fuzz_lock", "picked")

    def test_a_wrong_format(self):
        subprocess.run(["git", "init", "-q", self.clone], check=True)
        (self.clone / "door.cpp").write_text("int  main( ){}\n")
        self.stand_in("clang-format-19", "echo door.cpp:1: ugly; exit 1")
        self.assert_fails(self.dev("fmt", "--check"), "format", "ugly")

    def test_a_failing_program(self):
        program = self.clone / "build/release/qsp"
        self.project(build=f"cp '{self.top}/bin/false' '{program}'")
        self.stand_in("false", "echo no bench >&2; exit 3")
        done = self.dev("bench", "seal")
        self.assert_fails(done, r"bench seal \(exit 3\)")
        self.assertEqual(done.returncode, 3)
        shutil.copy2(self.top / "bin" / "false", self.clone / "tools/demo")
        self.assert_fails(self.dev("demo"), "demo", "no bench")

    def test_a_failing_openssl(self):
        self.assert_fails(self.dev("build", OPENSSL_ROOT_DIR="/nowhere"), "OpenSSL")

    def test_usage(self):
        for arguments in (("open",), ("test", "--many"), ("test", "--repeat"), ("test", "--repeat", "0"), ("test", "a", "b"), ("fresh", "11")):
            with self.subTest(arguments):
                self.assertEqual(self.dev(*arguments).returncode, 2)


class Packages(Door):
    TESTS = ("libgtest-dev", "libntl-dev", "postgresql", "spin", "clang-19", "clang-format-19")

    def test_the_program_needs_none_of_the_tests_packages(self):
        self.missing(*self.TESTS)
        self.project(more='if(QSP_TESTS)\nmessage(FATAL_ERROR "the tests are configured")\nendif()')
        self.assert_passes(self.dev("build"))
        self.assertEqual(self.setting("QSP_TESTS"), "OFF")
        self.assertEqual(self.asked_of_apt(), "")
        self.assert_fails(self.dev("test"), "installing Debian's packages", "no network")
        self.assertRegex(self.asked_of_apt(), "(?m)^.* install .*libgtest-dev libntl-dev postgresql spin *$")
        self.assertNotIn("clang", self.asked_of_apt())

    def test_the_tests_join_the_same_build_and_stay_in_it(self):
        for command, expected in (("build", "OFF"), ("test", "ON"), ("build", "ON")):
            self.assert_passes(self.dev(command))
            self.assertEqual(self.setting("QSP_TESTS"), expected, command)

    def test_boost_is_the_one_that_can_be_installed(self):
        for candidate, expected in (("(none)", "libboost-dev"), ("1.81.0-5", "libboost1.81-dev")):
            with self.subTest(candidate):
                self.missing("libboost-dev", "libboost1.81-dev")
                # A package that others name is known, as apt-cache show tells, and still not there.
                self.stand_in("apt-cache", f"""
                    if [ "$1" != show ]; then
                      printf "libboost1.81-dev:\\n  Candidate: {candidate}\\n"
                      sleep 0.2
                      echo "  Version table:"  # nobody may have stopped reading by now
                    fi""")
                self.assert_fails(self.dev("build"), "installing Debian's packages")
                self.assertRegex(self.asked_of_apt().splitlines()[-1], f" {expected}( |$)")

    def test_without_a_way_to_become_root_the_line_says_what_to_install(self):
        self.missing("libpq-dev")
        self.stand_in("id", "echo 1000")
        done = self.dev("build")
        self.assert_fails(done, ".*no way to become root.*apt-get install --no-install-recommends libpq-dev")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_sudo_is_used_where_it_is(self):
        self.missing("libpq-dev")
        self.stand_in("id", "echo 1000")
        self.stand_in("sudo", 'echo "$*" >>"$STATE/sudo"; [ "$1" = -n ] || exec "$@"')
        self.stand_in("apt-get", 'case "$*" in *install*) rm -f "$STATE/missing" ;; esac')
        self.assert_passes(self.dev("build"))
        self.assertRegex((self.top / "sudo").read_text(), "apt-get .* install .*libpq-dev")

    def test_an_installation_that_was_cut_off_is_finished_first(self):
        self.missing("libpq-dev")
        self.stand_in("id", "echo 0")
        self.stand_in("dpkg", 'case $1 in --configure) echo "$*" >>"$STATE/configured" ;; esac')
        self.stand_in("apt-get", 'case "$*" in *install*) [ -e "$STATE/configured" ] && rm -f "$STATE/missing" ;; esac')
        self.assert_passes(self.dev("build"))


class Surroundings(Door):
    def test_no_reader_leaves_a_pipe_early(self):
        """Under pipefail the writer's SIGPIPE would be the pipe's status, in the runs in which the writer is late."""
        for file in (SOURCE / "dev", *sorted((SOURCE / "tools").iterdir()), *sorted((SOURCE / "formal").glob("*.sh"))):
            text = file.read_text() if file.is_file() else ""
            if "pipefail" in text or file.name == "debian-mirrors":
                self.assertEqual([], re.findall(r".*\|\s*(?:head|grep\s+(?:-\w*[qm]|--quiet)).*", text), file)

    def test_warnings_are_errors_where_that_is_asked_for_alone(self):
        self.assert_passes(self.dev("build"))
        self.assertEqual(self.setting("QSP_WERROR"), "OFF")
        for name, value in (("CI", "true"), ("QSP_WERROR", "1")):
            shutil.rmtree(self.clone / "build")
            self.assert_passes(self.dev("build", **{name: value}))
            self.assertEqual(self.setting("QSP_WERROR"), "ON", name)

    def test_no_home_and_no_streams(self):
        self.assert_passes(self.dev("build", without=("HOME",)))
        self.assert_passes(self.dev("build", HOME="/proc/nowhere"))
        for closed in ("<&-", "<&- >&-", "<&- >&- 2>&-"):
            done = subprocess.run(["sh", "-c", f"./dev build {closed}"], cwd=self.clone, env=self.environment, timeout=PATIENCE,
                                  capture_output=True, text=True, check=False)
            self.assert_passes(done)

    def test_a_bare_root_asks_for_what_it_needs(self):
        self.stand_in("debootstrap", "exit 1")
        self.stand_in("unshare", "exit 1")
        self.stand_in("id", "echo 0")
        self.assertRegex(self.dev("fresh", "13").stderr, r"^fresh: this machine gives no namespaces.*\n$")
        self.stand_in("unshare", "exit 0")
        self.assertRegex(self.dev("fresh", "13", "--in", "/").stderr, r"^fresh: --in /: not a root of Debian 13.*\n$")
        self.stand_in("id", "echo 1000")
        self.assertRegex(self.dev("fresh", "13").stderr, r"^fresh: needs root, or sudo.*\n$")

    def test_a_dumb_terminal_gets_plain_lines(self):
        for terminal, fancy in (("dumb", False), ("xterm", True)):
            ours, theirs = pty.openpty()
            done = subprocess.run([self.clone / "dev", "build"], stdin=theirs, stdout=theirs, stderr=theirs, timeout=PATIENCE,
                                  env=self.environment | {"TERM": terminal}, check=False)
            said = os.read(ours, 1 << 16)
            os.close(ours)
            os.close(theirs)
            self.assertEqual(done.returncode, 0, said)
            self.assertEqual(b"\033" in said, fancy, terminal)

    def test_a_build_whose_run_was_killed_is_waited_for(self):
        begun, go, done = (self.top / name for name in ("begun", "go", "done"))
        (self.top / "slow.sh").write_text(f"touch {begun}\nuntil test -e {go}; do sleep 0.05; done\ntouch {done}\n")
        self.project(build=f"sh {self.top}/slow.sh")
        first = subprocess.Popen([self.clone / "dev", "build"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, env=self.environment)
        deadline = time.monotonic() + PATIENCE
        while not begun.exists():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        first.send_signal(signal.SIGKILL)
        first.wait(PATIENCE)
        self.project()
        with subprocess.Popen([self.clone / "dev", "build"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              env=self.environment) as second:
            for line in second.stdout:
                if "another run builds here" in line:
                    break
            self.assertFalse(done.exists())
            go.touch()
            second.communicate(timeout=PATIENCE)
        self.assertEqual(second.returncode, 0)
        self.assertTrue(done.exists(), "two builds at once in one folder")


if __name__ == "__main__":
    unittest.main()
