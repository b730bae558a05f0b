"""The program's care with files: who may have written what it trusts, and what it leaves behind where it fails."""

import os
import pathlib
import resource
import signal
import subprocess
import tempfile
import unittest

from program import PATIENCE, QSP, Case, main, qsp, wait_until


class Trusted(Case):
    """Files that say whom to trust, or what to do, are refused where others could have written them."""

    def assert_refused(self, file, *command):
        mode = os.stat(file).st_mode & 0o777
        for bit in (0o020, 0o002):
            os.chmod(file, mode | bit)
            with self.subTest(command=command[0], file=file, bit=oct(bit)):
                done = qsp(*command)
                self.assertNotEqual(done.returncode, 0)
                self.assertRegex(done.stderr.decode(), f"run: chmod go-w .*{os.path.basename(file)}\n")
        os.chmod(file, mode)
        folder = os.path.dirname(file)
        mode = os.stat(folder).st_mode & 0o7777
        os.chmod(folder, 0o777)
        done = qsp(*command)
        os.chmod(folder, mode)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("run: chmod o-w ", done.stderr.decode())

    def test_pins(self):
        world = self.world
        self.assert_refused(world.path("bob.toml"), "serve", "--listen", "127.0.0.1:0", "--key", world.path("bob.key"), "--peers", world.path("bob.toml"))
        self.assert_refused(world.path("alice.toml"), *world.dialler(9)[1:])
        self.assert_refused(world.path("bob.key.pub"), *world.dialler(9)[1:])

    def test_option_files(self):
        options = self.world.write("options.toml", f'key = "{self.world.path("bob.key")}"\n'.encode())
        self.assert_refused(options, "serve", "--listen", "127.0.0.1:0", "--config", options)

    def test_configurations_and_authorities_of_laboratories(self):
        with tempfile.TemporaryDirectory(prefix="qsp-") as folder:
            lab = f"{folder}/lab"
            self.assertEqual(qsp("e91", "lab", lab, "--port", "20000").returncode, 0)
            self.assert_refused(f"{lab}/kme-a/kme.toml", "kme", "serve", f"{lab}/kme-a/kme.toml")
            self.assert_refused(f"{lab}/ca.pem", "kme", "serve", f"{lab}/kme-a/kme.toml")
            self.assert_refused(f"{lab}/link/e91.toml", "e91", "link", "--config", f"{lab}/link/e91.toml")
            self.assert_refused(f"{lab}/link/peers.toml", "e91", "link", "--config", f"{lab}/link/e91.toml")

    def test_laboratories_trust_what_they_made_whatever_the_umask(self):
        with tempfile.TemporaryDirectory(prefix="qsp-") as folder:
            subprocess.run([QSP, "e91", "lab", f"{folder}/lab"], check=True, capture_output=True, preexec_fn=lambda: os.umask(0))
            for path in pathlib.Path(folder, "lab").rglob("*"):
                self.assertEqual(path.stat().st_mode & 0o022, 0, path)


class MadeInPart(unittest.TestCase):
    """What could not be made whole is not there at all."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="qsp-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def commands(self):
        at = str(self.folder / "made")
        return {"kme lab": ("kme", "lab", at), "e91 lab": ("e91", "lab", at), "keygen": ("keygen", "--out", at),
                "pad create": ("pad", "create", "--keys", "5000", "--link", "l", at, at + "2")}

    def test_where_a_file_may_not_grow(self):
        # As on a full disk, and after ever more of what there is to write.
        for name, command in self.commands().items():
            failed = 0
            for limit in (0, 100, 300, 500, 700, 900, 1500, 2500, 3500, 4500, 6000, 100_000):
                done = subprocess.run([QSP, *command], capture_output=True, timeout=PATIENCE, check=False,
                                      preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
                left = sorted(path.name for path in self.folder.iterdir())
                if done.returncode == 0:
                    break
                failed += 1
                with self.subTest(name, limit=limit):
                    self.assertEqual((done.returncode, left), (1, []), done.stderr)
                    self.assertIn(b"File too large", done.stderr)
            self.assertGreater(failed, 1, name)
            subprocess.run(["rm", "-rf", *map(str, self.folder.iterdir())], check=True)

    def test_where_a_signal_ends_it(self):
        first, second = self.folder / "a.pad", self.folder / "b.pad"
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            making = subprocess.Popen([QSP, "pad", "create", "--keys", "8000000", "--link", "l", first, second],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_until(second.exists, "the second file")
            making.send_signal(number)
            self.assertEqual(making.wait(PATIENCE), -number)
            self.assertEqual(list(self.folder.iterdir()), [])

    def test_what_was_there_before_stays(self):
        second = self.folder / "b.pad"
        second.write_text("somebody's")
        done = qsp("pad", "create", "--keys", "100", "--link", "l", str(self.folder / "a.pad"), str(second))
        self.assertEqual(done.returncode, 1)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["b.pad"])
        self.assertEqual(second.read_text(), "somebody's")


if __name__ == "__main__":
    main()
