"""`qsp connect --output FILE`: FILE is replaced by what is whole, or stays as it was; and never one that the run needs."""

import os
import signal
import subprocess

from program import PATIENCE, QSP, Case, free_port, main, qsp, wait_for_session

MIB = 1024 * 1024


class Output(Case):
    def setUp(self):
        self.old = self.world.write("out", b"the old one")
        self.before = self.files()

    def files(self):
        return sorted(os.listdir(self.world.path("")))

    def assert_untouched(self):
        self.assertEqual(self.world.read("out"), b"the old one")
        self.assertEqual(self.files(), self.before, "something is left behind")

    def test_what_came_whole_takes_the_place_of_what_was_there(self):
        data = os.urandom(3 * MIB)
        os.chmod(self.old, 0o604)
        with self.world.server() as (port, _, _):
            for name in ("out", "new"):
                self.assert_succeeds(self.world.connect(port, "--output", self.world.path(name), stdin=data))
                self.assertTrue(self.world.read(name) == data)
        self.assertEqual(os.stat(self.old).st_mode & 0o777, 0o604)
        self.assertEqual(os.stat(self.world.path("new")).st_mode & 0o777, 0o600)
        os.unlink(self.world.path("new"))
        self.assertEqual(self.files(), self.before)

    def test_a_link_stays_and_a_device_is_written_in_place(self):
        os.symlink("out", self.world.path("link"))
        with self.world.server() as (port, _, _):
            self.assert_succeeds(self.world.connect(port, "--output", self.world.path("link"), stdin=b"new"))
            self.assert_succeeds(self.world.connect(port, "--output", "/dev/null", stdin=b"new"))
            self.assert_fails(self.world.connect(port, "--output", "/dev/full", stdin=b"new"), "cannot write the echo: No space")
        self.assertTrue(os.path.islink(self.world.path("link")))
        self.assertEqual(self.world.read("out"), b"new")
        os.unlink(self.world.path("link"))

    def test_a_run_that_fails_leaves_the_old_file(self):
        self.assert_fails(self.world.connect(free_port(), "--output", self.old), "refused.*out is as it was")
        self.assert_untouched()
        with self.world.server("--exec", "head -c 3; exit 1") as (port, _, _):
            self.assert_fails(self.world.connect(port, "--output", self.old, stdin=b"a" * 10), "out is as it was")
        self.assert_untouched()

    def test_a_run_that_is_ended_leaves_the_old_file(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number), self.world.server() as (port, _, _):
                with open("/dev/zero", "rb") as endless, self.world.client(port, "--output", self.old, stdin=endless) as client:
                    wait_for_session(client)
                    client.send_signal(number)
                    self.assertNotEqual(client.wait(PATIENCE), 0)
            self.assert_untouched()

    def test_what_the_run_reads_is_never_its_output(self):
        world = self.world
        world.write("passphrase", b"x")
        world.write("options.toml", b'log-level = "off"\n')
        pad, _ = world.pads("link")
        os.link(world.path("alice.key"), world.path("hard"))
        os.symlink("alice.key", world.path("soft"))
        cases = [("alice.key", "private key"), ("hard", "private key"), ("soft", "private key"), ("alice.key.pub", "public key"),
                 ("alice.toml", "peers file"), (pad, "pad"),
                 ("passphrase", "passphrase file"), ("options.toml", "option file"), ("out", "file to send")]
        args = ("--passphrase-file", world.path("passphrase"), "--pad", f"SAE-bob={pad}", "--sae-id", "SAE-alice",
                "--config", world.path("options.toml"), "--send", self.old)
        before = {name: world.read(name) for name in self.files()}
        for name, what in cases:
            with self.subTest(name):
                done = world.connect(free_port(), *args, "--output", world.path(name))
                self.assert_fails(done, f"--output .*{what}.*would be overwritten", code=2)
        self.assertEqual({name: world.read(name) for name in self.files()}, before)
        # Who is pinned is known once the peers file was read.
        done = world.connect(free_port(), "--output", world.path("bob.key.pub"))
        self.assert_fails(done, "--output .*pinned public key.*would be overwritten", code=2)
        with open(self.old, "rb") as file:
            done = subprocess.run(self.world.dialler(free_port(), "--output", self.old), stdin=file, capture_output=True,
                                  timeout=PATIENCE, check=False)
        self.assert_fails(done, "is the input, and would be overwritten", code=2)
        self.assertEqual({name: world.read(name) for name in self.files()}, before)


class OtherVerbs(Case):
    def test_a_fifo_without_a_reader_holds_nothing_up_and_an_account_is_no_output(self):
        fifo = self.world.path("fifo")
        os.mkfifo(fifo)
        with self.world.server() as (port, _, _):
            self.assert_fails(self.world.connect(port, "--output", fifo, stdin=b"hello"), "fifo: is a FIFO or device that nobody has open for reading")
            both = self.world.path("both")
            self.assert_fails(self.world.connect(port, "--output", both, "--account", both, stdin=b"hello"), "--output and --account are one file", code=2)
            self.assertFalse(os.path.exists(both))

    def test_no_verb_replaces_what_it_cannot_write_whole(self):
        world = self.world
        world.write("out", b"old")
        # A verb that makes secrets never takes the place of a file.
        for verb in (("keygen", "--out"), ("pad", "create", "--keys", "100", "--link", "x", world.path("fresh.pad"))):
            with self.subTest(verb[0]):
                self.assertEqual(qsp(*verb, world.path("out")).returncode, 1)
                self.assertEqual(world.read("out"), b"old")
        # The others make the new file first; here the folder takes it, and the run is stopped by its own options.
        for option in ("--report", "--transcript"):
            with self.subTest(option):
                done = qsp("e91", "run", "--loss-db", "200", "--block-bits", "1000000", option, world.path("out"))
                self.assertEqual(done.returncode, 1)
                self.assertEqual(world.read("out"), b"old")

    def test_a_run_that_is_killed_keeps_the_old_report_and_transcript(self):
        self.world.write("report", b"old")
        self.world.write("said", b"old")
        before = sorted(os.listdir(self.world.path("")))
        args = ("--blocks", "1000000", "--report", self.world.path("report"), "--transcript", self.world.path("said"))
        with subprocess.Popen([QSP, "e91", "run", *args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            # Enough for the first block to be under way; whatever it has come to, nothing may have changed.
            try:
                running.wait(1)
            except subprocess.TimeoutExpired:
                running.kill()
        self.assertEqual((self.world.read("report"), self.world.read("said")), (b"old", b"old"))
        self.assertEqual(sorted(os.listdir(self.world.path(""))), before)


if __name__ == "__main__":
    main()
