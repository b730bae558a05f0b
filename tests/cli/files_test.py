"""The program's care with files: who may have written what it trusts."""

import os
import tempfile

from program import Case, main, qsp


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


if __name__ == "__main__":
    main()
