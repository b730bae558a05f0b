"""What tools/setup-awslc takes, and what ./dev does where it gets none: stand-ins for the mirror, and a library of a few lines."""

import os
import re
import shutil
import signal
import subprocess
import time
import unittest

from dev_test import PATIENCE, Door

FUNCTIONS = """ml_dsa_65_keypair_internal ml_dsa_65_sign_internal ml_dsa_65_verify ml_kem_768_keypair_deterministic ml_kem_768_check_pk
 ml_kem_768_encapsulate_deterministic ml_kem_768_decapsulate""".split()

# Enough for tools/awslc-probe.c: a signature is its hedge, over and over.
ML_DSA = """#include <stddef.h>
#include <stdint.h>
#include <openssl/base.h>
#define MLDSA65_KEYGEN_SEED_BYTES 32
#define MLDSA65_SIGNATURE_SEED_BYTES 32
#define MLDSA65_PUBLIC_KEY_BYTES 1952
#define MLDSA65_PRIVATE_KEY_BYTES 4032
#define MLDSA65_SIGNATURE_BYTES 3309
OPENSSL_EXPORT int ml_dsa_65_keypair_internal(uint8_t*, uint8_t*, const uint8_t*);
OPENSSL_EXPORT int ml_dsa_65_sign_internal(const uint8_t*, uint8_t*, size_t*, const uint8_t*, size_t, const uint8_t*, size_t, const uint8_t*);
OPENSSL_EXPORT int ml_dsa_65_verify(const uint8_t*, const uint8_t*, size_t, const uint8_t*, size_t, const uint8_t*, size_t);
"""
ML_KEM = """#include <stddef.h>
#include <stdint.h>
#include <openssl/base.h>
#define MLKEM768_KEYGEN_SEED_LEN 64
#define MLKEM768_ENCAPS_SEED_LEN 32
#define MLKEM768_PUBLIC_KEY_BYTES 1184
#define MLKEM768_SECRET_KEY_BYTES 2400
#define MLKEM768_CIPHERTEXT_BYTES 1088
#define MLKEM768_SHARED_SECRET_LEN 32
OPENSSL_EXPORT int ml_kem_768_keypair_deterministic(uint8_t*, size_t*, uint8_t*, size_t*, const uint8_t*);
OPENSSL_EXPORT int ml_kem_768_check_pk(const uint8_t*, size_t);
OPENSSL_EXPORT int ml_kem_768_encapsulate_deterministic(uint8_t*, size_t*, uint8_t*, size_t*, const uint8_t*, const uint8_t*);
OPENSSL_EXPORT int ml_kem_768_decapsulate(uint8_t*, size_t*, const uint8_t*, const uint8_t*);
"""
CRYPTO = """#include <string.h>
#include "fipsmodule/ml_dsa/ml_dsa.h"
#include "fipsmodule/ml_kem/ml_kem.h"
int ml_dsa_65_keypair_internal(uint8_t *p, uint8_t *s, const uint8_t *z) { memset(p, z[0], 1); memset(s, z[0], 1); return 1; }
int ml_dsa_65_sign_internal(const uint8_t *k, uint8_t *s, size_t *n, const uint8_t *m, size_t mn, const uint8_t *p, size_t pn,
                            const uint8_t *r) { memset(s, r[0], *n); return k && m && mn && p && pn; }
int ml_dsa_65_verify(const uint8_t *k, const uint8_t *s, size_t n, const uint8_t *m, size_t mn, const uint8_t *c, size_t cn)
{ for (size_t i = 1; i < n; ++i) if (s[i] != s[0]) return 0; return k && m && mn && c && cn; }
int ml_kem_768_keypair_deterministic(uint8_t *p, size_t *pn, uint8_t *s, size_t *sn, const uint8_t *z)
{ memset(p, z[0], *pn); memset(s, z[0], *sn); return 0; }
int ml_kem_768_check_pk(const uint8_t *p, size_t n) { return !p || !n; }
int ml_kem_768_encapsulate_deterministic(uint8_t *c, size_t *cn, uint8_t *s, size_t *sn, const uint8_t *p, const uint8_t *z)
{ memset(c, z[0], *cn); memset(s, p[0], *sn); return 0; }
int ml_kem_768_decapsulate(uint8_t *s, size_t *sn, const uint8_t *c, const uint8_t *k) { memset(s, k[0] + 0 * c[0], *sn); return 0; }
"""
BUILD = """cmake_minimum_required(VERSION 3.20)
project(small LANGUAGES C)
add_compile_options(-fvisibility=hidden)
include_directories(include "${BORINGSSL_PREFIX_HEADERS}")
add_subdirectory(crypto)
"""


class Small(Door):
    """A mirror that has small libraries, which are built as AWS-LC is."""

    def setUp(self):
        super().setUp()
        del self.environment["QSP_AWSLC"]
        self.project(more='set(ROOT "$ENV{AWSLC_ROOT_DIR}" CACHE STRING "" FORCE)')
        self.stand_in("apt-get", """
            echo "$*" >>"$STATE/apt"
            case "$*" in
              *indextargets*) echo http://mirror.invalid/debian/ ;;
              *update*) test ! -e "$STATE/no-network" ;;
              *source*) for package; do :; done; version=${package#*=}; test -d "$STATE/$version" && touch "rust-aws-lc-sys_$version.dsc" ;;
            esac""")
        self.stand_in("apt-cache", 'case "$*" in *showsrc*) ls "$STATE" | sed -n "s/^[0-9].*/Version: &/p" ;; esac')
        self.stand_in("dpkg-source", 'dsc=${2##*_}; echo "$dsc" >>"$STATE/unpacked"; cp -r "$STATE/${dsc%.dsc}" "$3"')
        self.cache = self.top / ".cache/qsp"
        self.root = self.cache / "awslc"

    def version(self, version, code="", build=""):
        tree = self.top / version
        for name, text in {
            "aws-lc/CMakeLists.txt": BUILD + build, "aws-lc/LICENSE": "small\n",
            "aws-lc/crypto/CMakeLists.txt": "add_library(crypto STATIC crypto.c)\n",
            "aws-lc/crypto/crypto.c": CRYPTO + code, "aws-lc/crypto/internal.h": "",
            "aws-lc/crypto/fipsmodule/ml_dsa/ml_dsa.h": ML_DSA, "aws-lc/crypto/fipsmodule/ml_kem/ml_kem.h": ML_KEM,
            "aws-lc/third_party/jitterentropy/jitterentropy-library/jitterentropy.h": "", "aws-lc/include/openssl/evp.h": "",
            "aws-lc/include/openssl/base.h": '#include <openssl/boringssl_prefix_symbols.h>\n#define AWSLC_VERSION_NUMBER_STRING "5.0.0"\n'
                                             '#define OPENSSL_EXPORT __attribute__((visibility("default")))\n',
            "generated-include/openssl/boringssl_prefix_symbols_asm.h": "",
            "generated-include/openssl/boringssl_prefix_symbols.h": "#define BORINGSSL_PREFIX aws_lc\n#define ADD(a, b) INNER(a, b)\n#define INNER(a, b) a##_##b\n"
                                                                    + "".join(f"#define {name} ADD(BORINGSSL_PREFIX, {name})\n" for name in FUNCTIONS),
        }.items():
            file = tree / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def setup_awslc(self, *arguments, **more):
        return subprocess.run([self.clone / "tools/setup-awslc", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE, env=self.environment | more, check=False)

    def assert_taken(self, done, package):
        self.assertEqual((done.returncode, done.stdout), (0, f"{self.root}\n"), done.stderr)
        number = re.match(r"[\d.]+", package)[0].replace(".", "_")
        self.assertEqual((self.root / "awslc.version").read_text(), f"version 5.0.0\npackage {package}\nprefix qsp_awslc_{number}\n")
        self.assertEqual(sorted(os.listdir(self.cache)), ["awslc", "awslc.lock", "awslc.log"])

    def assert_alone(self, done, why):
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        last = done.stderr.rstrip("\n").rsplit("\n", 1)[-1]
        self.assertRegex(last, f"^awslc: {why}.*; the program is built on OpenSSL alone$")


class Awslc(Small):
    def test_the_newest_version_is_built_once(self):
        self.version("0.9.0+dfsg-1")
        self.version("0.10.0+dfsg-1")
        self.assert_taken(self.setup_awslc(), "0.10.0+dfsg-1")
        (self.top / "apt").unlink()
        self.assert_taken(self.setup_awslc(), "0.10.0+dfsg-1")
        self.assertEqual(self.asked_of_apt(), "")
        self.assert_passes(self.dev("build"))
        self.assertEqual(self.setting("ROOT"), str(self.root))

    def test_a_cache_with_blanks_in_its_name(self):
        self.version("0.9.0-1")
        done = self.setup_awslc(XDG_CACHE_HOME=str(self.top / "q s p"))
        self.assertEqual(done.stdout, f"{self.top}/q s p/qsp/awslc\n", done.stderr)
        self.assertNotIn(str(self.top).encode(), (self.top / "q s p/qsp/awslc/lib/libqsp_awslc_crypto.a").read_bytes())

    def test_a_version_that_does_not_serve_gives_way_to_an_older_one(self):
        self.version("0.9.0-1")
        for number, (what, fault) in enumerate({
            "does not compile": {"code": "#error no\n"},
            "is not configured": {"build": "message(FATAL_ERROR no)\n"},
            "has a name without the prefix": {"code": "int CRYPTO_open(void) { return 0; }\n"},
            "shows a name": {"code": '__attribute__((visibility("default"))) int qsp_awslc_1_4_0_open(void);\nint qsp_awslc_1_4_0_open(void) { return 0; }\n'},
            "asks the process for a function": {"code": "extern int hook(void) __attribute__((weak));\nint qsp_awslc_1_5_0_ask(void);\n"
                                                         "int qsp_awslc_1_5_0_ask(void) { return hook ? hook() : 0; }\n"},
            "signs without a hedge": {"code": "", "hedge": "r[0]"},
        }.items(), 1):
            with self.subTest(what):
                version = f"1.{number}.0-1"
                hedge = fault.pop("hedge", None)
                self.version(version, **fault)
                if hedge:
                    file = self.top / version / "aws-lc/crypto/crypto.c"
                    file.write_text(file.read_text().replace(hedge, "1 + 0 * r[0]"))
                done = self.setup_awslc()
                self.assertIn(f"awslc: version {version} does not build here", done.stderr)
                self.assert_taken(done, "0.9.0-1")
                shutil.rmtree(self.root)
                shutil.rmtree(self.top / version)

    def test_two_at_once_build_it_once(self):
        self.version("0.9.0-1")
        runs = [subprocess.Popen([self.clone / "tools/setup-awslc"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                 text=True, env=self.environment) for _ in range(3)]
        self.assertEqual([run.communicate(timeout=PATIENCE)[0] for run in runs], [f"{self.root}\n"] * 3)
        self.assertEqual((self.top / "unpacked").read_text().count("\n"), 1)

    def test_a_run_that_was_killed_leaves_nothing_half_done(self):
        self.version("0.9.0-1", build=f'execute_process(COMMAND sh -c "touch {self.top}/begun; until test -e {self.top}/go; do sleep 0.05; done")\n')
        first = subprocess.Popen([self.clone / "tools/setup-awslc"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 env=self.environment)
        deadline = time.monotonic() + PATIENCE
        while not (self.top / "begun").exists():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        first.send_signal(signal.SIGKILL)
        first.wait(PATIENCE)
        self.assertFalse(self.root.exists())
        (self.top / "go").touch()
        (self.top / "no-network").touch()
        self.assert_taken(self.setup_awslc(), "0.9.0-1")


class Alone(Small):
    def test_without_it_the_program_is_built_and_told_why(self):
        (self.top / "no-network").touch()
        done = self.dev("build")
        self.assert_passes(done)
        self.assertRegex(done.stderr, rf"awslc: cannot read the mirror's index \(network\?\) \(log: {self.cache}/awslc.log\); the program is built on OpenSSL alone\n")
        self.assertEqual(self.setting("ROOT"), "OFF")

    def test_what_failed_is_tried_again_after_an_hour_or_when_asked(self):
        (self.top / "no-network").touch()
        self.assert_alone(self.setup_awslc(), "cannot read the mirror's index")
        (self.top / "apt").unlink()
        self.assert_alone(self.setup_awslc(), "cannot read the mirror's index.*tried again an hour after")
        self.assertEqual(self.asked_of_apt(), "")
        self.version("0.9.0-1")
        (self.top / "no-network").unlink()
        self.assert_alone(self.setup_awslc(), "cannot read the mirror's index")
        long_ago = time.time() - 3700
        os.utime(self.cache / "awslc.failed", (long_ago, long_ago))
        self.assert_taken(self.setup_awslc(), "0.9.0-1")
        shutil.rmtree(self.root)
        (self.cache / "awslc.failed").write_text("no\n")
        done = self.dev("setup")
        self.assert_passes(done)
        self.assertIn(f"AWS-LC: {self.root}\n", done.stdout)

    def test_a_mirror_without_it(self):
        self.assert_alone(self.setup_awslc(), "the mirror gives no source of AWS-LC that builds here")
        self.stand_in("apt-get", "exit 100")
        self.assert_alone(self.setup_awslc("--again"), "apt names no Debian mirror")

    def test_switched_off(self):
        for settings in ({"QSP_AWSLC": "off"}, {"AWSLC_ROOT_DIR": "OFF"}):
            self.assert_alone(self.setup_awslc(**settings), ".* is set")
            self.assert_passes(self.dev("build", **settings))
            self.assertEqual(self.setting("ROOT"), "OFF")
        self.assertEqual(self.asked_of_apt(), "")

    def test_a_root_that_lacks_something_is_refused(self):
        self.version("0.9.0-1")
        self.assert_taken(self.setup_awslc(), "0.9.0-1")
        self.assertEqual(self.setup_awslc(AWSLC_ROOT_DIR=str(self.root)).stdout, f"{self.root}\n")
        for name in ("include/aws-lc/ml_dsa.h", "lib/libqsp_awslc_crypto.a", "awslc.version"):
            with self.subTest(name):
                root = self.top / "partial"
                shutil.copytree(self.root, root)
                (root / name).unlink()
                done = self.dev("build", AWSLC_ROOT_DIR=str(root))
                self.assert_fails(done, "AWS-LC")
                self.assertIn(f"no {name}", done.stderr)
                shutil.rmtree(root)
        file = self.root / "awslc.version"
        file.write_text(file.read_text().replace("qsp_awslc", "aws_lc"))
        self.assertEqual(self.setup_awslc(AWSLC_ROOT_DIR=str(self.root)).returncode, 1)


if __name__ == "__main__":
    unittest.main()
