#!/usr/bin/env python3
"""The library is installed into a prefix; every example is built against it, with CMake and with pkg-config, shared and static, and
each pair of programs talks. usage: see the arguments below; tests/install/CMakeLists.txt has them."""

import argparse
import fcntl
import os
import pathlib
import re
import shlex
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

arguments = argparse.ArgumentParser()
for name in ("--program", "--build", "--source", "--cmake", "--generator", "--compiler", "--openssl", "--crypto", "--kinds", "--pkg-config", "--components", "--flags"):
    arguments.add_argument(name, required=True)
given = arguments.parse_args()

os.umask(0o022)  # keys and pins that others may write are refused
INSIDE = "QSP_EXAMPLES_INSIDE"
UNSHARE = ["unshare", "--user", "--map-root-user", "--net", "--fork", "--kill-child"]
PATIENCE = 120
PORT = 7155  # the examples'
PASSPHRASE = "correct horse"  # Alice's in examples/keys
# The sources are compiled for archives and for shared libraries, and by every run of this test, from the same texts.
LAUNCHER = [found] if (found := shutil.which("ccache")) else []

EXAMPLES = {  # what alice prints, what bob prints, and the packages that a program of it is linked with
    "tcp": (r"alice received: hello alice\n", r"bob received: hello bob\n", ["qsp-tcp", "qsp-identity", "qsp-openssl"]),
    "asio": (r"alice received: hello alice\n", r"bob received: hello bob\n", ["qsp-tcp", "qsp-identity", "qsp-openssl"]),
    "poll": (r"alice received: hello alice\n", r"bob received: hello bob\n", ["qsp-identity", "qsp-openssl"]),
    "qkd": (r"alice received: hello alice\nalice: QKD key [0-9a-f-]{36}, KEM yes, 49 keys left\n", r"bob received: hello bob\n",
            ["qsp-tcp", "qsp-qkd", "qsp-identity", "qsp-openssl"]),
    "keys": (r"alice: bob is qsp1:[0-9a-f]{64}\nalice: a key of 32 bytes from epoch 2\nalice: the same\n", r"bob: alice calls\n",
             ["qsp-tcp", "qsp-identity", "qsp-openssl"]),
}


def enter_namespaces():
    """The examples' port is free in a network of their own. Where the system permits none, the machine's has to do."""
    tried = subprocess.run([*UNSHARE, "true"], capture_output=True, check=False) if shutil.which("unshare") else None
    if tried is not None and tried.returncode == 0:
        os.execvpe(UNSHARE[0], [*UNSHARE, sys.executable, "-B", *sys.argv], {**os.environ, INSIDE: "1"})


def bring_up_loopback():
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14s", b"lo", 1, b""))  # SIOCSIFFLAGS, IFF_UP


def run(*command, cwd=None, env=None):
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def listening(port):
    wanted = f":{port:04X} "
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(wanted in line and line.split()[3] == "0A" for line in lines)


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = pathlib.Path(tempfile.mkdtemp(prefix="qsp-install-")).resolve()
        os.environ |= {"CCACHE_BASEDIR": str(cls.top), "CCACHE_NOHASHDIR": "1"}
        cls.prefix = cls.top / "a prefix"
        run(given.cmake, "--install", given.build, "--component", "library", "--prefix", cls.prefix)
        cls.kinds = given.kinds.split(",")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.top)

    def keys(self, folder, name):
        """The files that the programs of an example expect beside them."""
        folder.mkdir(mode=0o700)
        for who, other, right in (("alice", "bob", "serve"), ("bob", "alice", "connect")):
            encrypted = []
            if name == "keys" and who == "alice":
                passphrase = folder / "passphrase"
                passphrase.write_text(PASSPHRASE + "\n")
                passphrase.chmod(0o600)
                encrypted = ["--passphrase-file", passphrase]
            run(given.program, "keygen", "--out", folder / f"{who}.key", *encrypted)
            (folder / f"{who}.toml").write_text(f'[[peer]]\nname = "{other}"\nkey_file = "{other}.key.pub"\n{right} = true\n')

    def talk(self, name, programs, env=None):
        """Bob serves, Alice calls; both end well and print what they should."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.top)) / "keys"
        self.keys(folder, name)
        said = {}
        with open(folder / "bob.out", "w+", encoding="utf-8") as out:
            bob = subprocess.Popen([programs["bob"]], cwd=folder, env=env, stdout=out, stderr=subprocess.STDOUT)
            try:
                until = time.monotonic() + PATIENCE
                while not listening(PORT) and bob.poll() is None and time.monotonic() < until:
                    time.sleep(0.01)
                alice = subprocess.run([programs["alice"]], cwd=folder, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)
                status = bob.wait(timeout=PATIENCE)
            finally:
                bob.kill()
                bob.wait()
            out.seek(0)
            said["bob"], said["alice"] = out.read(), alice.stdout
        wanted_alice, wanted_bob, _ = EXAMPLES[name]
        self.assertEqual((alice.returncode, status), (0, 0), f"{name}: alice: {alice.stdout}{alice.stderr} bob: {said['bob']}")
        self.assertRegex(said["alice"], f"^{wanted_alice}$")
        self.assertRegex(said["bob"], f"^{wanted_bob}$")

    def configure(self, source, build, kind, *more):
        return [given.cmake, "-S", source, "-B", build, "-G", given.generator, f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DOPENSSL_ROOT_DIR={given.openssl}",
                "-DOPENSSL_USE_STATIC_LIBS=" + ("ON" if given.crypto.endswith(".a") else "OFF"), f"-DCMAKE_CXX_COMPILER={given.compiler}",
                f"-DCMAKE_CXX_COMPILER_LAUNCHER={';'.join(LAUNCHER)}",
                f"-DCMAKE_CXX_FLAGS={given.flags}", f"-Dqsp_SHARED_LIBS={'ON' if kind == 'shared' else 'OFF'}", *more]

    def test_with_cmake(self):
        for kind in self.kinds:
            build = self.top / f"cmake-{kind}"
            run(*self.configure(pathlib.Path(given.source) / "examples", build, kind))
            run(given.cmake, "--build", build)
            said = run(build / "minimal")
            self.assertRegex(said, r"^received: hello bob\nreceived: hello alice\nsession [1-9]\d*, epoch 1\n$")
            self.assertEqual("libqsp.so.1" in run("readelf", "-d", build / "minimal"), kind == "shared")
            for name in EXAMPLES:
                with self.subTest(f"{kind}: {name}"):
                    self.talk(name, {who: build / name / f"{name}_{who}" for who in ("alice", "bob")})

    def test_each_example_is_a_project_of_its_own(self):
        for name in EXAMPLES:
            with self.subTest(name):
                run(*self.configure(pathlib.Path(given.source) / "examples" / name, self.top / f"alone-{name}", self.kinds[0]))

    def pkg_config(self, *what):
        # No path of the system's: what is found is what was installed.
        env = {**os.environ, "PKG_CONFIG_LIBDIR": str(self.prefix / self.libdir() / "pkgconfig"), "PKG_CONFIG_PATH": ""}
        return shlex.split(run(given.pkg_config, *what, env=env))

    def libdir(self):
        return next(path.parent.parent for path in self.prefix.rglob("qsp.pc")).relative_to(self.prefix)

    def link(self, kind, *packages):
        """How a program is linked, as pkg-config says."""
        libraries = self.prefix / self.libdir()
        if kind == "shared":
            return [*self.pkg_config("--libs", *packages), f"-Wl,-rpath,{libraries}"]
        archives = self.top / "archives"  # where the linker finds archives and nothing else
        if not archives.exists():
            archives.mkdir()
            for path in [*libraries.glob("*.a"), pathlib.Path(given.crypto)]:
                (archives / path.name).symlink_to(path)
        return [f"-L{archives}", *[word for word in self.pkg_config("--static", "--libs", *packages) if not word.startswith("-L")]]

    def test_with_pkg_config(self):
        for name, (_, _, packages) in EXAMPLES.items():
            programs = {kind: {} for kind in self.kinds}
            for who in ("alice", "bob"):
                source = pathlib.Path(given.source) / "examples" / name / f"{who}.cpp"
                made = self.top / f"{name}-{who}.o"
                run(*LAUNCHER, given.compiler, "-std=c++23", *given.flags.split(), *self.pkg_config("--cflags", *packages), "-c", source, "-o", made, cwd=self.top)
                for kind in self.kinds:
                    programs[kind][who] = self.top / f"{name}-{who}-{kind}"
                    run(given.compiler, *given.flags.split(), made, "-o", programs[kind][who], *self.link(kind, *packages))
            for kind in self.kinds:
                with self.subTest(f"{kind}: {name}"):
                    self.talk(name, programs[kind])

    @unittest.skipUnless("awslc" in given.components, "built without AWS-LC")
    def test_aws_lc_comes_with_the_library(self):
        """Beside OpenSSL in one program, whose sources see the headers of neither."""
        source = pathlib.Path(given.source) / "tests/install/awslc"
        for kind in self.kinds:
            build = self.top / f"awslc-{kind}"
            run(*self.configure(source, build, kind))
            run(given.cmake, "--build", build)
            self.assertEqual(run(build / "both"), "each signs what the other verifies\n")
            run(given.compiler, "-std=c++23", *given.flags.split(), *self.pkg_config("--cflags", "qsp-awslc"), source / "both.cpp",
                "-o", build / "by-pkg-config", *self.link(kind, "qsp-awslc", "qsp-openssl"))
            self.assertEqual(run(build / "by-pkg-config"), "each signs what the other verifies\n")
        self.assertTrue((self.prefix / "share/doc/qsp/LICENSE.AWS-LC").is_file())
        self.assertFalse((self.prefix / "include/openssl").exists() or (self.prefix / "include/aws-lc").exists())

    def find(self, components, *options):
        project = pathlib.Path(tempfile.mkdtemp(dir=self.top))
        (project / "CMakeLists.txt").write_text(f"cmake_minimum_required(VERSION 3.25)\nproject(p LANGUAGES CXX)\nfind_package(qsp {components})\n"
                                                'message(STATUS "found: ${qsp_FOUND}")\n')
        return subprocess.run([*map(str, self.configure(project, project / "build", self.kinds[0], *options))], capture_output=True, text=True, check=False)

    def test_a_component_that_there_is_not_is_named_with_those_that_there_are(self):
        done = self.find("REQUIRED COMPONENTS core warp")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"qsp has no component warp: it has {given.components}.", re.sub(r"\s+", " ", done.stderr))
        self.assertEqual(self.find("COMPONENTS core OPTIONAL_COMPONENTS warp").returncode, 0)

    def test_another_major_version_is_not_taken(self):
        self.assertNotEqual(self.find("2.0 REQUIRED COMPONENTS core").returncode, 0)
        self.assertEqual(self.find("1.0 REQUIRED COMPONENTS core").returncode, 0)

    def test_the_core_needs_no_openssl(self):
        done = self.find("REQUIRED COMPONENTS core", "-DCMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON")
        self.assertEqual(done.returncode, 0, done.stderr)
        for path in self.prefix.rglob("libqsp.so"):
            self.assertNotRegex(run("readelf", "-d", path), "libcrypto|libssl")


if __name__ == "__main__":
    if INSIDE in os.environ:
        bring_up_loopback()
    else:
        enter_namespaces()
    unittest.main(argv=sys.argv[:1])
