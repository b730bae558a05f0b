"""Results that cannot be written end with 1 and a message, in every verb; standard error that cannot be written never
matters. And JSON is UTF-8 whatever a file is called: output_test.py QSP."""

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import tempfile
import unittest

from program import PATIENCE, QSP, World, free_ports, main, qsp, wait_until

LOST = r"(?m)^qsp: error: cannot write the result to standard output: "
# What a shell does to the streams of a program, and what is then said of the result.
LOST_RESULTS = {">/dev/full": "No space left on device", ">&-": "it is closed"}
LOST_LOGS = ("2>/dev/full", "2>&-")
SERVERS = ("serve", "kme serve", "e91 link", "e91 alice")
# They print nothing on standard output.
SILENT = ("e91 bob", "e91 feed")
# Their figures take long; they print them as the others do.
SLOW = ("e91 bench", "bench primitives")
# What they ask a running KME is tested with them; here they fail before they have a result.
ASKING = ("kme status", "kme inject", "kme import", "kme check", "kme load", "connect")


def verbs(*path):
    """Every verb that does something, as its words, out of the help."""
    listed = qsp(*path, "--help").stdout.decode().split("Subcommands:\n")
    if len(listed) == 1:
        return [" ".join(path)]
    names = re.findall(r"(?m)^  ([a-z0-9]\S*)(?: |$)", listed[1].split("\n\n")[0])
    return [verb for name in names if (*path, name) != ("help",) for verb in verbs(*path, name)]


def shell(streams, *args, **options):
    return subprocess.Popen(["sh", "-c", f'exec "$@" {streams}', "sh", QSP, *args], stdin=subprocess.DEVNULL, **options)


class Table(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        cls.all = verbs()
        cls.world.pads("a-b")
        cls.lab = cls.world.path("lab")
        made = qsp("e91", "lab", cls.lab, "--port", str(free_ports(6)))
        assert made.returncode == 0, made.stderr
        qsp("e91", "run", *cls.small(), "--transcript", cls.world.path("transcript"))
        cls.publish()
        cls.count = 0

    @classmethod
    def publish(cls):
        """A link whose published figure is what the theory says, so that it fits."""
        with open(f"{cls.lab}/link.toml", encoding="utf-8") as file:
            link = file.read()
        qber = 0.01
        for _ in range(2):
            told = f'reference = "x"\nqber = {qber}\n'
            cls.world.write("published.toml", link.replace("[source]\n", "[source]\n" + told).encode())
            done = qsp("e91", "compare", "--coincidences", "100000", "--seed", "x", cls.world.path("published.toml"), "--json")
            qber = json.loads(done.stdout)["links"][0]["figures"][0]["theory"]

    @staticmethod
    def small():
        return ("--distance", "0", "--mean-pairs", "0.05", "--block-bits", "20000", "--blocks", "1", "--seed", "a small run")

    def new(self):
        Table.count += 1
        return self.world.path(f"new-{Table.count}")

    def arguments(self, verb):
        """A quick run that succeeds and prints something."""
        key = ("--key", self.world.path("bob.key"), "--peers", self.world.path("bob.toml"))
        station = ("--config", f"{self.lab}/e91-alice/e91.toml")
        given = {
            "serve": ("--listen", "127.0.0.1:0", *key),
            "bench handshake": ("--loops", "1"),
            "bench seal": ("--size", "64", "--bytes", "64"),
            "bench rekey": ("--loops", "1"),
            "bench sessions": ("--sessions", "1"),
            "bench loopback": ("--bytes", "1000"),
            "fuzz rekey": ("--profile", "rc155", "--cases", "1", "--steps", "5"),
            "keygen": ("--out", self.new()),
            "fingerprint": (self.world.path("bob.key.pub"),),
            "pad create": ("--keys", "16", "--link", "x", self.new(), self.new()),
            "pad status": (self.world.path("a-b-alice.pad"),),
            "kme serve": (f"{self.lab}/kme-a/kme.toml",),
            "kme lab": (self.new(),),
            "e91 run": self.small(),
            "e91 sweep": ("--over", "distance", "--to", "1", "--steps", "1", "--coincidences", "0", "--blocks", "0"),
            "e91 compare": ("--coincidences", "100000", "--seed", "x", self.world.path("published.toml")),
            "e91 audit": (self.world.path("transcript"),),
            "e91 link": ("--config", f"{self.lab}/link/e91.toml", "--listen", "127.0.0.1:0"),
            "e91 alice": (*station, "--listen", "127.0.0.1:0"),
            "e91 lab": (self.new(),),
            "vectors": (),
            "version": (),
        }
        return (*verb.split(), *given[verb])

    def table(self):
        for verb in self.all:
            if verb in (*SILENT, *ASKING, *SLOW):
                continue
            # A KME's only result is the event of its start; its log goes to standard error.
            forms = [["--json"]] if verb == "kme serve" else [[], ["--json"]]
            for form in forms:
                yield verb, form

    def test_the_table_has_every_verb(self):
        for verb in self.all:
            if verb not in (*SILENT, *ASKING, *SLOW):
                self.assertTrue(self.arguments(verb))
        for verb in (*SILENT, *ASKING, *SLOW):
            self.assertIn(verb, self.all)

    def test_a_result_that_cannot_be_written_is_a_failure(self):
        for verb, form in self.table():
            for streams, reason in LOST_RESULTS.items():
                with self.subTest(verb=verb, form=form, streams=streams):
                    with shell(streams, *self.arguments(verb), *form, stderr=subprocess.PIPE) as running:
                        said = running.communicate(timeout=PATIENCE)[1].decode()
                    self.assertEqual(running.returncode, 1, said)
                    self.assertRegex(said, LOST + reason + "$")

    def test_help_that_cannot_be_written_is_a_failure(self):
        for verb in ("", "kme", *self.all):
            with self.subTest(verb=verb):
                with shell(">/dev/full", *verb.split(), "--help", stderr=subprocess.PIPE) as running:
                    said = running.communicate(timeout=PATIENCE)[1].decode()
                self.assertEqual(running.returncode, 1, said)
                self.assertRegex(said, LOST)

    def test_a_log_that_cannot_be_written_does_not_matter(self):
        for verb, form in self.table():
            for streams in LOST_LOGS:
                with self.subTest(verb=verb, form=form, streams=streams):
                    with shell(streams, *self.arguments(verb), *form, stdout=subprocess.PIPE) as running:
                        if verb in SERVERS:
                            self.assertTrue(select.select([running.stdout], [], [], PATIENCE)[0])
                            self.assertIn(b"listening", running.stdout.readline())
                            running.send_signal(signal.SIGTERM)
                        out = running.communicate(timeout=PATIENCE)[0]
                        if verb not in SERVERS:
                            self.assertTrue(out)
                    self.assertEqual(running.returncode, 0)

    def test_errors_that_cannot_be_told_leave_the_exit_code(self):
        for streams in LOST_LOGS:
            for args, code in ((("version", "--nonsense"), 2), (("fingerprint", "/nowhere"), 1), (("kme", "status", "/nowhere"), 1)):
                with self.subTest(args=args, streams=streams):
                    with shell(streams, *args, stdout=subprocess.DEVNULL) as running:
                        self.assertEqual(running.wait(PATIENCE), code)

    def test_a_reader_that_has_seen_enough_is_no_news(self):
        with shell("", "e91", "run", *self.small(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            running.stdout.close()
            running.stdout = None
            said = running.communicate(timeout=PATIENCE)[1].decode()
        self.assertEqual(running.returncode, 1)
        self.assertNotIn("error", said)

    def test_a_server_outlives_the_reader_of_its_events(self):
        key = ("--key", self.world.path("bob.key"), "--peers", self.world.path("bob.toml"))
        with shell("", "serve", "--json", "--listen", "127.0.0.1:0", *key, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            port = int(json.loads(running.stdout.readline())["address"].rsplit(":")[-1])
            running.stdout.close()
            running.stdout = None
            for _ in range(2):
                done = self.world.connect(port, "--check-echo", stdin=b"hello\n")
                self.assertEqual(done.returncode, 0, done.stderr)
            running.send_signal(signal.SIGTERM)
            running.communicate(timeout=PATIENCE)
        self.assertEqual(running.returncode, 1, "its events could not be written")


class Asking(unittest.TestCase):
    """The verbs that ask others: a server that echoes, and two KMEs."""

    def assert_lost(self, *args):
        for streams, reason in LOST_RESULTS.items():
            for form in ([], ["--json"]):
                with self.subTest(args=args, form=form, streams=streams):
                    with shell(streams, *args, *form, stderr=subprocess.PIPE) as running:
                        said = running.communicate(timeout=PATIENCE)[1].decode()
                    self.assertEqual(running.returncode, 1, said)
                    self.assertRegex(said, LOST + reason + "$")

    def test_connect(self):
        world = World()
        self.addCleanup(world.close)
        with world.server() as (port, _, _):
            self.assert_lost(*world.dialler(port, "--check-echo")[1:])

    def test_kme(self):
        with tempfile.TemporaryDirectory() as folder:
            lab, port = os.path.join(folder, "lab"), free_ports(6)
            self.assertEqual(qsp("kme", "lab", lab, "--port", str(port)).returncode, 0)
            configs = [os.path.join(lab, kme, "kme.toml") for kme in ("kme-a", "kme-b")]
            with contextlib.ExitStack() as both:
                for config in configs:
                    # What cannot be logged does not keep a KME from its work.
                    running = both.enter_context(shell("2>&-", "kme", "serve", config, "--allow-fault-injection", "--json",
                                                       stdout=subprocess.PIPE))
                    both.callback(running.terminate)
                    self.assertIn(b"listening", running.stdout.readline())

                def has_keys():
                    done = qsp("kme", "status", configs[0], "--json")
                    return done.returncode == 0 and json.loads(done.stdout)["links"][0]["ready"] > 100

                wait_until(has_keys, "keys")
                url, other = (f"https://127.0.0.1:{each}" for each in (port, port + 1))
                sides = (url, "--sae-id", "alice", "--kme-ca", f"{lab}/ca.pem", "--kme-cert", f"{lab}/alice/cert.pem",
                         "--kme-key", f"{lab}/alice/key.pem", "--slave", "bob", "--slave-url", other,
                         "--slave-cert", f"{lab}/bob/cert.pem", "--slave-key", f"{lab}/bob/key.pem")
                self.assert_lost("kme", "status", configs[0])
                self.assert_lost("kme", "inject", configs[0], "--clear")
                self.assert_lost("kme", "load", *sides, "--pairs", "1")
                self.assert_lost("kme", "check", *sides)


class Json(unittest.TestCase):
    def test_is_utf8_whatever_a_file_is_called(self):
        with tempfile.TemporaryDirectory() as folder:
            name = os.path.join(os.fsencode(folder), b"k\xff\xc3\xa4\xed\xa0\x80.key")
            made = qsp("keygen", "--out", name, "--json")
            self.assertEqual(made.returncode, 0, made.stderr)
            # A character stays one; a byte that is none, and a surrogate's three, are told as text tells them.
            self.assertTrue(json.loads(made.stdout.decode())["private_key"].endswith(r"/k\xffä\xed\xa0\x80.key"), made.stdout)
            shown = qsp("fingerprint", name + b".pub", "--json")
            self.assertIn(r"k\xffä", json.loads(shown.stdout.decode())["keys"][0]["file"])
            pads = [os.path.join(os.fsencode(folder), side) for side in (b"\xfe.pad", b"b.pad")]
            made = qsp("pad", "create", "--keys", "16", "--link", b"\xff\"\\", *pads, "--json")
            self.assertEqual(json.loads(made.stdout.decode())["link"], '\\xff"\\')
            self.assertIn(r"\xfe.pad", json.loads(qsp("pad", "status", pads[0], "--json").stdout.decode())["file"])


main()
