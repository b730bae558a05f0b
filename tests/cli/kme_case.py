"""Sessions whose QKD keys come from KMEs, for tests: two real KMEs, whose keys a test has brought and so knows."""

import base64
import contextlib
import json
import os
import pathlib
import sys
import uuid

from program import PATIENCE, QSP, Case, qsp, wait_until

os.environ["QSP"] = QSP
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "kme"))
from kme_lab import Lab, fed_by_alice  # noqa: E402

POLICIES = ("none", "preferred", "required")


class FedLab(Lab):
    """Two KMEs that have no keys but those that a test brings to both."""

    def __init__(self):
        super().__init__(edit=fed_by_alice)
        self.brought = {}
        try:
            for kme in (self.a, self.b):
                kme.start("--allow-fault-injection")
        except BaseException:
            self.__exit__()
            raise

    def bring(self, count):
        """`count` keys, half of them for each side to hand out."""
        keys = {}
        for i in range(count):
            keys[str(uuid.UUID(bytes=os.urandom(15) + bytes([i % 2])))] = os.urandom(32)
        file = self.root / "keys.json"
        entries = [{"key_ID": key_id, "key": base64.b64encode(key).decode()} for key_id, key in keys.items()]
        file.write_text(json.dumps({"keys": entries}))
        file.chmod(0o600)
        for kme in (self.a, self.b):
            url = f"https://127.0.0.1:{kme.port}"
            done = qsp("kme", "import", url, "a-b", str(file), "--kme-ca", str(self.folder / "ca.pem"), *self.side("alice"))
            if done.returncode != 0:
                raise AssertionError(done.stderr)
        self.brought.update(keys)
        for kme in (self.a, self.b):
            wait_until(lambda kme=kme: kme.status()["links"][0]["ready"] >= count // 2, "keys at both ends")


def keys_of(lab, sae, kme=None, own=None, url=None):
    """The options of an end that is `sae` at `kme`, by the certificate of `own`; `url` for a KME that is not there."""
    kme = kme or (lab.a if sae == "alice" else lab.b)
    own = own or lab.folder / sae
    return ("--sae-id", sae, "--kme", url or f"https://127.0.0.1:{kme.port}", "--kme-ca", str(lab.folder / "ca.pem"),
            "--kme-cert", str(own / "cert.pem"), "--kme-key", str(own / "key.pem"))


class KmeCase(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for policy in POLICIES:
            pin = {} if policy == "none" else {"qkd": policy}
            cls.world.pin(f"bob-{policy}.toml", name="alice", connect=True, **pin, **({"sae_id": "alice"} if pin else {}))
            cls.world.pin(f"alice-{policy}.toml", name="bob", serve=True, **pin, **({"sae_id": "bob"} if pin else {}))

    @classmethod
    def make_lab(cls, keys):
        lab = FedLab()
        cls.addClassCleanup(lab.__exit__)
        if keys:
            lab.bring(keys)
        return lab

    def server(self, policy, options, *args, **how):
        return self.world.server("--qkd", policy, *options, *args, peers=f"bob-{policy}.toml", **how)

    def connect(self, port, policy, options, *args, stdin=b"hello", **how):
        return self.world.connect(port, *options, *args, stdin=stdin, peers=f"alice-{policy}.toml", **how)

    @contextlib.contextmanager
    def session(self, policy, bob, alice, *args):
        """An established session that has echoed something: (client, server's log)."""
        with self.server(policy, bob, "--json", *args) as (port, _, log):
            with self.world.client(port, *alice, peers=f"alice-{policy}.toml") as client:
                self.echo(client, 10)
                yield client, log

    def echo(self, client, size):
        client.stdin.write(bytes(size))
        client.stdin.flush()
        self.assertEqual(len(client.stdout.read(size)), size, "the session has ended")

    def ended(self, client):
        """The exit code and what was said, of a client that ends by itself."""
        code = client.wait(PATIENCE)
        return code, client.stderr.read().decode()
