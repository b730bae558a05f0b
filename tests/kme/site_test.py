#!/usr/bin/env python3
"""Two KMEs of one site share a store in PostgreSQL: no key is given twice, one of them leads, and the other takes over.
usage: QSP=… site_test.py"""
import json
import pathlib
import shutil
import signal
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from kme_lab import PATIENCE, Kme, Lab, Postgres, free_ports

ENC, DEC = "/api/v1/keys/bob/enc_keys", "/api/v1/keys/alice/dec_keys"


class Site(unittest.TestCase):
    def setUp(self):
        self.postgres = Postgres()
        self.addCleanup(self.postgres.stop)
        self.lab = Lab(store_of=lambda kme: self.postgres.url(kme) if kme == "kme-a" else "sqlite:keys.db")
        self.addCleanup(self.lab.__exit__)
        lab, port = self.lab, free_ports(2)
        shutil.copytree(lab.folder / "kme-a", lab.folder / "kme-a2")
        self.second = Kme(lab, "kme-a2", port)
        self.addCleanup(self.second.stop, signal.SIGKILL)
        text = self.second.config.read_text()
        text = text.replace(f"port = {lab.a.port}\n", f"port = {port}\n", 1).replace(f"admin_port = {lab.a.port + 2}", f"admin_port = {port + 1}")
        self.second.config.write_text(text)
        there = lab.b.config.read_text()
        lab.b.config.write_text(there.replace(f'"https://127.0.0.1:{lab.a.port}"', f'"https://127.0.0.1:{lab.a.port}", "https://127.0.0.1:{port}"'))
        for kme in (lab.a, lab.b, self.second):
            kme.start()
        lab.wait_for_keys(lab.a, 500)

    def give(self, kme, count, keys):
        """Asks until there were so many answers with keys; those without are for who asks faster than the link fills up."""
        connection, end = self.lab.connection(kme, "alice"), time.monotonic() + PATIENCE
        while count > 0 and time.monotonic() < end:
            status, answer = self.lab.call(kme, "alice", "POST", ENC, '{"number":4}', connection)
            if status == 200:
                keys += answer["keys"]
                count -= 1
            else:
                time.sleep(0.05)
        connection.close()

    def test_no_key_is_given_twice_and_the_second_takes_over(self):
        lab, first, second = self.lab, [], []
        leaders = [kme.status()["links"][0]["leading"] for kme in (lab.a, self.second)]
        self.assertEqual(sorted(leaders), [False, True])
        threads = [threading.Thread(target=self.give, args=(kme, 60, keys)) for kme, keys in ((lab.a, first), (self.second, second))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        given = {key["key_ID"]: key["key"] for key in first + second}
        self.assertEqual((len(first), len(second)), (240, 240))
        self.assertEqual(len(given), len(first) + len(second))
        # Whichever instance gave a key, the other site has it.
        for keys in (first[-4:], second[-4:]):
            body = json.dumps({"key_IDs": [{"key_ID": key["key_ID"]} for key in keys]})
            status, redeemed = lab.call(lab.b, "bob", "POST", DEC, body)
            self.assertEqual((status, [key["key"] for key in redeemed["keys"]]), (200, [key["key"] for key in keys]))

        leader, other = (lab.a, self.second) if leaders[0] else (self.second, lab.a)
        leader.stop(signal.SIGKILL)
        end = time.monotonic() + PATIENCE
        while not other.status()["links"][0]["leading"] and time.monotonic() < end:
            time.sleep(0.2)
        self.assertTrue(other.status()["links"][0]["leading"])
        lab.wait_for_keys(other, 900)
        more = []
        self.give(other, 10, more)
        self.assertEqual(len(more), 40)
        self.assertFalse(set(given) & {key["key_ID"] for key in more})


if __name__ == "__main__":
    unittest.main(verbosity=1)
