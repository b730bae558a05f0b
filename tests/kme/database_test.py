#!/usr/bin/env python3
"""Two KMEs whose databases stand on another machine, with somebody on the way who reads along, takes TLS away, or shows other
certificates; and a reload of all files in the middle of a load.
usage: QSP=… database_test.py"""
import base64
import http.client
import json
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from kme_crash_test import Worker
from kme_lab import PATIENCE, QSP, Authority, Lab, Postgres, free_ports, wait_for, wait_for_line

PASSWORD = "correct-horse-battery"
ASKS_FOR_TLS = bytes.fromhex("0000000804d2162f")  # SSLRequest
ENC, BODY = "/api/v1/keys/bob/enc_keys", '{"number": 4}'


class OnTheWay:
    """Between the KMEs and the database: keeps every byte of both directions. Whoever connects while `downgrade` is set is told that
    the server has no TLS, and then gets the server itself, in the clear."""

    def __init__(self, server):
        self.server, self.downgrade = server, False
        self.streams = []  # (from the client, from the server) of each connection
        self.listener = socket.create_server(("127.0.0.1", free_ports(1)))
        self.port = self.listener.getsockname()[1]
        self.open, self.sockets = threading.Event(), []
        self.open.set()
        self.holds_at, self.passed = None, 0
        self.held = threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        seen = (bytearray(), bytearray())
        self.streams.append(seen)
        if self.downgrade:
            request = client.recv(len(ASKS_FOR_TLS), socket.MSG_WAITALL)
            seen[0].extend(request)
            if request == ASKS_FOR_TLS:
                client.sendall(b"N")
        with client, socket.create_connection(("127.0.0.1", self.server)) as server:
            self.sockets += [client, server]
            back = threading.Thread(target=self.carry, args=(server, client, seen[1]), daemon=True)
            back.start()
            self.carry(client, server, seen[0])
            back.join()

    def carry(self, source, sink, seen):
        try:
            while chunk := source.recv(65536):
                seen.extend(chunk)
                self.passed += len(chunk)
                if self.holds_at is not None and self.passed >= self.holds_at:
                    self.holds_at = None
                    self.open.clear()
                    self.held.set()
                self.open.wait()
                sink.sendall(chunk)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def hold_after(self, size):
        """Lets no byte through any more, once so many have passed from now on. Returns when that is so."""
        self.holds_at = self.passed + size
        if not self.held.wait(PATIENCE):
            raise AssertionError("nobody asks the database for anything")

    def cut(self):
        for end in self.sockets:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.sockets.clear()

    def close(self):
        self.listener.close()
        self.open.set()
        self.cut()

    def everything(self):
        return b"\n".join(bytes(part) for stream in self.streams for part in stream)


def is_tls_alone(stream):
    """Whether all that passed is the question for TLS, the answer, and records of TLS, of which the last may be cut."""
    client, server = map(bytes, stream)
    if not ASKS_FOR_TLS.startswith(client[:8]) or not b"S".startswith(server[:1]):
        return False
    for stream, at in ((client, len(ASKS_FOR_TLS)), (server, 1)):
        while at + 5 <= len(stream):
            if stream[at] not in (20, 21, 22, 23) or stream[at + 1] != 3:
                return False
            at += 5 + int.from_bytes(stream[at + 3:at + 5], "big")
    return True


class Server(Postgres):
    """With TLS and a password, which its clients send as it is."""

    def __init__(self, root):
        super().__init__()
        self.root, self.port = root, free_ports(1)
        data = self.folder / "data"
        self.run("psql", "-q", "-h", self.folder, "-d", "postgres", "-c", f"CREATE ROLE kme LOGIN PASSWORD '{PASSWORD}'",
                 *(word for kme in "ab" for word in ("-c", f"ALTER DATABASE kme_{kme} OWNER TO kme")))
        (data / "pg_hba.conf").write_text("local all postgres trust\nhost all kme 127.0.0.1/32 password\n")
        self.run("pg_ctl", "-D", data, "-w", "-m", "fast", "stop")
        self.use(Authority(root / "nobody").issue("nobody", "serverAuth"), reload=False)
        self.run("pg_ctl", "-D", data, "-w", "-l", self.folder / "log", "-o", f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self.folder}"
                 " -c ssl=on -c log_connections=on", "start")

    def use(self, files, reload=True):
        """Shows this certificate to whoever connects from now on."""
        for file, name in zip(files, ("server.crt", "server.key")):
            there = self.folder / "data" / name
            shutil.copy(file, there)
            shutil.chown(there, "postgres")
            there.chmod(0o600)
        if reload:
            told = self.log().count("received SIGHUP")
            self.run("pg_ctl", "-D", self.folder / "data", "reload")
            wait_for(lambda: self.log().count("received SIGHUP") > told)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")


class Database(unittest.TestCase):
    def setUp(self):
        self.lab = Lab()
        self.addCleanup(self.lab.__exit__)
        self.server = Server(self.lab.root)
        self.addCleanup(self.server.stop)
        self.way = OnTheWay(self.server.port)
        self.addCleanup(self.way.close)
        self.addCleanup(lambda: [kme.stop(signal.SIGKILL) for kme in (self.lab.a, self.lab.b)])
        self.authority = Authority(self.lab.root / "db")
        self.list = self.lab.root / "db-crl.pem"
        self.list.write_text(self.authority.revoke())
        self.good = self.authority.issue("db.test", "serverAuth")
        for kme in (self.lab.a, self.lab.b):
            text = kme.config.read_text().replace("sqlite:keys.db", self.url(kme.name))
            kme.config.write_text(text)
            kme.config.chmod(0o600)

    def url(self, kme):
        # The second host, which nothing can reach, makes it another machine's.
        return (f"postgresql://kme:{PASSWORD}@/kme_{kme[-1]}?host=db.test,db.test&hostaddr=127.0.0.1,255.255.255.255"
                f"&port={self.way.port},{self.way.port}&sslrootcert={self.authority.ca}&sslcrl={self.list}")

    def refusal(self, kme):
        """What a KME says that does not start."""
        ran = subprocess.run([QSP, "kme", "serve", str(kme.config)], capture_output=True, timeout=PATIENCE)
        self.assertEqual(ran.returncode, 1, ran.stderr)
        self.assertNotIn(PASSWORD.encode(), ran.stderr)
        return ran.stderr.decode()

    def enc(self, kme=None):
        return self.lab.call(kme or self.lab.a, "alice", "POST", ENC, BODY)

    def reload(self):
        for kme in (self.lab.a, self.lab.b):
            told = kme.log.read_text().count("are read anew")
            kme.process.send_signal(signal.SIGHUP)
            wait_for(lambda: kme.log.read_text().count("are read anew") > told)

    def expect_nothing_in_clear(self, keys=()):
        for stream in self.way.streams:
            self.assertTrue(is_tls_alone(stream), stream[0][:200])
        for kme in (self.lab.a, self.lab.b):
            if kme.log.exists():
                self.assertNotIn(PASSWORD, kme.log.read_text())
        self.assertFalse(self.readable(keys))

    def expect_nothing_but_the_question(self, streams):
        """Whoever has connected just now has not asked yet."""
        said = {bytes(client) for client, _ in streams}
        self.assertEqual(said - {b""}, {ASKS_FOR_TLS})

    def readable(self, keys):
        """Of the password and these keys (Base64), those that somebody on the way could read."""
        seen = self.way.everything()
        lower = seen.lower()
        forms = [PASSWORD.encode()] + [form for key in keys for form in (key.encode(), base64.b64decode(key), base64.b64decode(key).hex().encode())]
        return [form for form in forms if form in seen or form in lower]

    def test_whoever_takes_tls_away_gets_neither_password_nor_key(self):
        lab, way = self.lab, self.way
        self.server.use(self.good)
        way.downgrade = True
        self.assertIn("SSL", self.refusal(lab.a))
        self.assertTrue(way.streams)
        self.expect_nothing_but_the_question(way.streams)

        way.downgrade = False
        lab.a.start()
        lab.b.start()
        lab.wait_for_keys(lab.a)
        status, given = self.enc()
        self.assertEqual(status, 200)
        way.downgrade = True
        before = len(way.streams)
        way.cut()
        wait_for(lambda: len(way.streams) > before + 4)
        # The first call may find a connection of before, and lose it.
        wait_for(lambda: "SSL" in lab.a.status()["store"]["problem"])
        self.assertEqual(self.enc()[0], 503)
        self.expect_nothing_but_the_question(way.streams[before:])
        way.downgrade = False
        wait_for(lambda: lab.a.status()["store"]["ok"] and lab.b.status()["store"]["ok"])
        lab.wait_for_keys(lab.a)
        status, more = self.enc()
        self.assertEqual(status, 200)
        # Bytes of a connection that was told "N" are none of TLS's; there was nothing but the question for it.
        way.streams = [stream for stream in way.streams if stream[0] not in (b"", ASKS_FOR_TLS)]
        self.expect_nothing_in_clear([key["key"] for key in given["keys"] + more["keys"]])

    def test_whoever_is_told_that_it_is_dangerous_can_be_read_along(self):
        # What the test above must not see, this one sees.
        lab = self.lab
        for kme in (lab.a, lab.b):
            kme.config.write_text("dangerous_unverified_database = true\n" + kme.config.read_text().replace("&sslrootcert=", "&sslmode=prefer&sslrootcert="))
        self.server.use(self.good)
        self.way.downgrade = True
        lab.a.start()
        lab.b.start()
        lab.wait_for_keys(lab.a)
        status, given = self.enc()
        self.assertEqual(status, 200)
        seen = self.readable([key["key"] for key in given["keys"]])
        self.assertEqual(len(seen), 1 + len(given["keys"]), seen)
        self.assertFalse(all(map(is_tls_alone, self.way.streams)))

    def test_a_certificate_that_is_not_the_servers_own_gets_no_password(self):
        revoked = self.authority.issue("db.test", "serverAuth")
        self.list.write_text(self.authority.revoke(revoked[0]))
        stranger = Authority(self.lab.root / "stranger").issue("db.test", "serverAuth")
        for what, files, said in (("wrong name", self.authority.issue("other.test", "serverAuth"), "does not match host name"),
                                  ("expired", self.authority.issue("db.test", "serverAuth", (-2, -1)), "expired|certificate verify failed"),
                                  ("not yet", self.authority.issue("db.test", "serverAuth", (1, 2)), "certificate verify failed"),
                                  ("revoked", revoked, "certificate verify failed"),
                                  ("another authority's", stranger, "certificate verify failed")):
            with self.subTest(what):
                self.server.use(files)
                self.assertRegex(self.refusal(self.lab.a), said)
        self.expect_nothing_in_clear()
        self.assertNotIn("connection authorized: user=kme", self.server.log())
        self.server.use(self.good)
        self.lab.a.start()
        self.assertIn("connection authorized: user=kme", self.server.log())
        self.expect_nothing_in_clear()

    def test_a_reload_in_the_middle_of_a_load(self):
        lab, way, pairs = self.lab, self.way, 2000
        saes = Authority.of(lab)
        carol = lab.folder / "carol"
        carol.mkdir()
        for file, name in zip(saes.issue("carol", "clientAuth"), ("cert.pem", "key.pem")):
            shutil.copy(file, carol / name)
        for kme, added in ((lab.a, '[[sae]]\nid = "carol"\n\n'), (lab.b, "")):
            text = kme.config.read_text().replace("[[link]]", added + "[[link]]").replace('peer_saes = ["alice"]', 'peer_saes = ["alice", "carol"]')
            kme.config.write_text(text.replace("[[sae]]", 'revoked = "crl.pem"\n\n[[sae]]', 1))
            (kme.config.parent / "crl.pem").write_text(saes.revoke())
        self.server.use(self.good)
        lab.a.start()
        lab.b.start()
        lab.wait_for_keys(lab.a, 500)

        idle, busy = lab.connection(lab.a, "carol"), lab.connection(lab.a, "carol")
        for connection in (idle, busy):
            self.addCleanup(connection.close)
            self.assertEqual(lab.call(lab.a, "carol", "POST", ENC, BODY, connection)[0], 200)
        renewed = self.authority.issue("db.test", "serverAuth")
        old_lists = self.authority.revoke(self.good[0]), saes.revoke(carol / "cert.pem")
        stop = threading.Event()
        workers = [Worker(lab, forth, 4, stop) for forth in (True, False)]
        for worker in workers:
            worker.start()
        load = subprocess.Popen([QSP, "--json", "kme", "load", *lab.sides(), "--pairs", str(pairs)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(load.kill)
        # Transactions are under way at both ends, and none of them can end.
        way.hold_after(200_000)
        self.assertIsNone(load.poll(), "it ended before the reload")
        busy.request("POST", ENC, BODY, {"Content-Type": "application/json"})
        self.server.use(renewed)
        self.list.write_text(old_lists[0])
        for kme in (lab.a, lab.b):
            (kme.config.parent / "crl.pem").write_text(old_lists[1])
        before = len(way.streams)
        self.reload()
        way.open.set()

        for connection in (idle, busy):
            with self.assertRaises((http.client.HTTPException, OSError)):
                if connection is idle:
                    connection.request("POST", ENC, BODY, {"Content-Type": "application/json"})
                connection.getresponse()
        with self.assertRaises((ssl.SSLError, http.client.HTTPException, OSError)):
            lab.call(lab.a, "carol", "POST", ENC, BODY)
        said, errors = load.communicate(timeout=PATIENCE * 4)
        self.assertEqual(load.returncode, 0, errors)
        result = json.loads(said)
        stop.set()
        for worker in workers:
            worker.join(timeout=PATIENCE)
        self.assertEqual([worker.wrong for worker in workers], [[], []])
        given = [key for worker in workers for key in worker.given]
        self.assertEqual(len(dict(given)), len(given), "a key was given twice")
        self.assertEqual(len({key for _, key in given}), len(given), "a key was given twice, under two names")
        redeemed = [key for worker in workers for key in worker.redeemed]
        self.assertTrue(redeemed)
        self.assertLessEqual(set(redeemed), set(given))
        self.assertEqual(result["pairs"], pairs, result)
        self.assertGreaterEqual(len(way.streams), before + 2, "the databases were not asked anew")
        self.expect_nothing_in_clear([key for _, key in given[:20] + given[-20:]])

        # The new certificate is withdrawn as well, and no other comes in its place.
        self.list.write_text(self.authority.revoke(renewed[0]))
        self.reload()
        self.assertEqual(self.enc()[0], 503)
        self.assertIn("certificate verify failed", lab.a.status()["store"]["problem"])
        self.server.use(self.authority.issue("db.test", "serverAuth"))
        wait_for(lambda: lab.a.status()["store"]["ok"] and lab.b.status()["store"]["ok"])
        lab.wait_for_keys(lab.a)
        self.assertEqual(self.enc()[0], 200)
        self.expect_nothing_in_clear()


if __name__ == "__main__":
    unittest.main(verbosity=1)
