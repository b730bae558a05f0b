"""A laboratory of two KMEs as real processes, for tests: `qsp kme lab`, `qsp kme serve` twice, and calls as an SAE."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tools"))
from ports import reserve as free_ports  # noqa: E402

QSP = os.environ["QSP"]
# Seconds for anything that has to happen: so many that only what never happens takes so long, however loaded the machine is.
PATIENCE = 90
# The standard's calls of alice at her KME and of bob at his, and what a KME says of a key that it does not have.
ENC, DEC, STATUS = "/api/v1/keys/bob/enc_keys", "/api/v1/keys/alice/dec_keys", "/api/v1/keys/bob/status"
NOT_FOUND = {"message": "one or more keys specified are not found on KME"}


def wait_for(holds):
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise AssertionError("it never came")
        time.sleep(0.05)


def wait_for_line(log, text):
    wait_for(lambda: text in log.read_text(errors="replace"))


def ids_body(keys):
    return json.dumps({"key_IDs": [{"key_ID": key["key_ID"]} for key in keys]})


def fed_by_alice(name, text):
    """A KME's configuration with keys from feeders in place of its own."""
    producer = 'producer = "random"' if name == "kme-a" else 'producer = "peer"'
    return text.replace(producer, 'producer = "feed"\nfeeders = ["alice"]')


class Authority:
    """A CA, through the program openssl."""

    def __init__(self, folder, ca=None, key=None):
        """Of a folder that is made here; of these files, or new ones."""
        folder.mkdir()
        self.folder, self.ca, self.key = folder, ca or folder / "ca.pem", key or folder / "ca-key.pem"
        (folder / "index.txt").write_text("")
        (folder / "crlnumber").write_text("01\n")
        (folder / "openssl.cnf").write_text(
            "[ca]\ndefault_ca = own\n[own]\ndatabase = index.txt\ncrlnumber = crlnumber\nnew_certs_dir = .\nrand_serial = yes\n"
            "unique_subject = no\ndefault_md = sha256\ndefault_crl_days = 1\ndefault_days = 1\npolicy = any\n[any]\ncommonName = supplied\n"
            "[req]\ndistinguished_name = none\n[none]\n[root]\nbasicConstraints = critical,CA:true\nkeyUsage = critical,keyCertSign,cRLSign\n")
        if ca is None:
            self.openssl("req", "-x509", "-config", "openssl.cnf", "-extensions", "root", *self.new_key(self.key), "-days", "1",
                         "-subj", "/CN=An authority", "-out", str(self.ca))

    @classmethod
    def of(cls, lab):
        return cls(lab.folder / "authority", lab.folder / "ca.pem", lab.folder / "ca-key.pem")

    @staticmethod
    def new_key(file):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(file)]

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def sign(self, *what):
        self.openssl("ca", "-batch", "-config", "openssl.cnf", "-cert", str(self.ca), "-keyfile", str(self.key), *what)

    def issue(self, name, usage, days=(0, 1)):
        """The files of a certificate for this name, valid from and until so many days from now; its key has mode 0600."""
        file = self.folder / f"{len(list(self.folder.iterdir()))}-{name}"
        certificate, key = file.with_suffix(".crt"), file.with_suffix(".key")
        (self.folder / "extensions").write_text(f"subjectAltName = DNS:{name}\nextendedKeyUsage = {usage}\n")
        self.openssl("req", "-new", "-config", "openssl.cnf", *self.new_key(key), "-subj", f"/CN={name}", "-out", "request")
        begins, ends = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() - 60 + 86400 * day)) for day in days)
        self.sign("-in", "request", "-extfile", "extensions", "-notext", "-startdate", begins, "-enddate", ends, "-out", str(certificate))
        key.chmod(0o600)
        return certificate, key

    def revoke(self, certificate=None):
        """A list of all that were revoked, this one among them."""
        if certificate:
            self.sign("-revoke", str(certificate))
        self.sign("-gencrl", "-out", "crl.pem")
        return (self.folder / "crl.pem").read_text()


class Kme:
    def __init__(self, lab, name, port):
        self.lab, self.name, self.port = lab, name, port
        self.config = lab.folder / name / "kme.toml"
        self.log = lab.folder / f"{name}.log"
        self.process = None

    def start(self, *arguments):
        """Starts it and waits until it listens."""
        log = open(self.log, "ab")
        self.process = subprocess.Popen(
            [QSP, "--json", "--log-level", "trace", "kme", "serve", str(self.config), *arguments],
            stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL)
        log.close()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} did not start: {self.log.read_text()[-600:]}")
        return json.loads(line)

    def stop(self, how=signal.SIGTERM):
        if self.process is None:
            return None
        self.process.send_signal(how)
        code = self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()
        self.process = None
        return code

    def status(self):
        ran = subprocess.run([QSP, "--json", "kme", "status", str(self.config)], capture_output=True, timeout=PATIENCE)
        if ran.returncode != 0:
            raise RuntimeError(ran.stderr.decode())
        return json.loads(ran.stdout)

    def inject(self, *arguments):
        subprocess.run([QSP, "kme", "inject", str(self.config), *arguments], check=True, capture_output=True, timeout=PATIENCE)


class Postgres:
    """A server of its own in a folder of its own, reached over a socket there."""

    def __init__(self):
        binaries = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        if not binaries:
            raise SystemExit("no PostgreSQL is installed (package postgresql)")
        self.bin, self.folder = binaries[-1], pathlib.Path(tempfile.mkdtemp(prefix="qsp-pg-"))
        shutil.chown(self.folder, "postgres")
        self.run("initdb", "-D", self.folder / "data", "-A", "trust", "--no-sync")
        self.run("pg_ctl", "-D", self.folder / "data", "-w", "-o", f"-c listen_addresses= -k {self.folder}", "-l", self.folder / "log",
                 "start")
        for name in ("a", "b"):
            self.run("createdb", "-h", self.folder, f"kme_{name}")

    def run(self, program, *arguments):
        subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", str(self.bin / program),
                        *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def url(self, kme):
        return f"postgresql://postgres@/kme_{kme[-1]}?host={self.folder}"

    def stop(self):
        self.run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


class Lab:
    """Use as a context manager: everything is stopped and removed at its end."""

    def __init__(self, store_of=None, edit=None):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="qsp-kme-"))
        self.folder = self.root / "lab"
        port = free_ports(4)
        subprocess.run([QSP, "kme", "lab", str(self.folder), "--port", str(port)], check=True, capture_output=True)
        self.a, self.b = Kme(self, "kme-a", port), Kme(self, "kme-b", port + 1)
        for kme in (self.a, self.b):
            text = kme.config.read_text()
            if store_of:
                text = text.replace("sqlite:keys.db", store_of(kme.name))
            kme.config.write_text(edit(kme.name, text) if edit else text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for kme in (self.a, self.b):
            kme.stop(signal.SIGKILL)
        shutil.rmtree(self.root, ignore_errors=True)

    def wait_for_keys(self, kme, least=100, seconds=PATIENCE):
        """Until enc_keys can give that many at `kme`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            link = kme.status()["links"][0]
            if link["peer_reachable"] and link["ready"] >= least:
                return
            time.sleep(0.1)
        raise RuntimeError(f"{kme.name}: no {least} keys in {seconds} s: {kme.status()}")

    def connection(self, kme, sae):
        context = ssl.create_default_context(cafile=self.folder / "ca.pem")
        if sae:
            context.load_cert_chain(self.folder / sae / "cert.pem", self.folder / sae / "key.pem")
        return http.client.HTTPSConnection("127.0.0.1", kme.port, context=context, timeout=PATIENCE)

    def call(self, kme, sae, method, target, body=None, connection=None):
        """(status, parsed body or None)"""
        own = connection or self.connection(kme, sae)
        try:
            own.request(method, target, body=body, headers={"Content-Type": "application/json"} if body else {})
            answer = own.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            if connection is None:
                own.close()

    def side(self, sae, slave=False):
        """The options of `qsp kme check` and `load` that name an SAE's files."""
        files = [str(self.folder / sae / "cert.pem"), str(self.folder / sae / "key.pem")]
        names = ("--slave-cert", "--slave-key") if slave else ("--kme-cert", "--kme-key")
        return [names[0], files[0], names[1], files[1]]

    def sides(self):
        return [f"https://127.0.0.1:{self.a.port}", "--kme-ca", str(self.folder / "ca.pem"), "--sae-id", "alice",
                *self.side("alice"), "--slave", "bob", "--slave-url", f"https://127.0.0.1:{self.b.port}",
                *self.side("bob", slave=True)]


class OperatorsPort:
    """What the port beside the standard's answers, for a TestCase."""

    def admin(self, kme, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{kme.port + 2}{path}", timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def wait_for_health(self, kme, expected):
        end = time.monotonic() + 20
        while self.admin(kme, "/healthz")[0] != expected:
            self.assertLess(time.monotonic(), end, self.admin(kme, "/healthz"))
            time.sleep(0.1)
