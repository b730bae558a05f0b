#!/usr/bin/env python3
"""Two KMEs are killed again and again while SAEs use them. Whatever died when: no key is given twice at one end, what both ends
got under one key_ID is equal, and afterwards the two stores agree.
usage: QSP=… kme_crash_test.py [--keys N] [--store sqlite|postgresql] [--per-call N]"""
import argparse
import http.client
import json
import pathlib
import random
import signal
import ssl
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from kme_lab import PATIENCE, Lab, Postgres

ENC, DEC = "/api/v1/keys/bob/enc_keys", "/api/v1/keys/alice/dec_keys"
BACK_ENC, BACK_DEC = "/api/v1/keys/alice/enc_keys", "/api/v1/keys/bob/dec_keys"


class Worker(threading.Thread):
    """Gives keys at one end and redeems them at the other, and remembers every answer."""

    def __init__(self, lab, forth, per_call, stop):
        super().__init__(daemon=True)
        self.lab, self.per_call, self.halt = lab, per_call, stop
        self.enc, self.dec = (ENC, DEC) if forth else (BACK_ENC, BACK_DEC)
        self.ends = ((lab.a, "alice"), (lab.b, "bob")) if forth else ((lab.b, "bob"), (lab.a, "alice"))
        self.given, self.redeemed, self.lost_calls, self.wrong = [], [], 0, []
        self.connections = {}

    def ask(self, end, target, body):
        """The parsed answer of 200, None for a refusal; raises OSError where the answer is lost."""
        kme, sae = self.ends[end]
        if end not in self.connections:
            self.connections[end] = self.lab.connection(kme, sae)
        try:
            status, answer = self.lab.call(kme, sae, "POST", target, body, self.connections[end])
        except (OSError, ssl.SSLError, http.client.HTTPException) as error:
            self.connections.pop(end).close()
            raise OSError(str(error))
        if status not in (200, 400, 503):
            self.wrong.append(f"{target} answers {status}")
        return answer if status == 200 else None

    def run(self):
        while not self.halt.is_set():
            try:
                given = self.ask(0, self.enc, json.dumps({"number": self.per_call}))
            except OSError:
                self.lost_calls += 1
                continue
            if given is None:
                time.sleep(0.05)
                continue
            self.given += [(key["key_ID"], key["key"]) for key in given["keys"]]
            self.redeem([key["key_ID"] for key in given["keys"]])
        for connection in self.connections.values():
            connection.close()

    def redeem(self, ids):
        body = json.dumps({"key_IDs": [{"key_ID": key_id} for key_id in ids]})
        for _ in range(200):
            try:
                redeemed = self.ask(1, self.dec, body)
            except OSError:
                time.sleep(0.05)
                continue
            if redeemed is not None:
                self.redeemed += [(key["key_ID"], key["key"]) for key in redeemed["keys"]]
                return
            time.sleep(0.05)


def settle(lab):
    """Waits until nothing is on its way between the two stores; their links. What the first said may be old when the second is asked, so
    they have to agree."""
    end = time.monotonic() + PATIENCE
    while True:
        a, b = lab.a.status()["links"][0], lab.b.status()["links"][0]
        quiet = all(link["fresh"] == 0 and link["unannounced"] == 0 and link["peer_reachable"] for link in (a, b))
        full = a["ready"] == b["ready"] == a["peer_keys"] == b["peer_keys"] == a["pool"] // 2
        if (quiet and full) or time.monotonic() > end:
            return a, b
        time.sleep(0.3)


def check(lab, workers):
    wrong = [text for worker in workers for text in worker.wrong]
    for worker in workers:
        given, redeemed = dict(worker.given), dict(worker.redeemed)
        if len(given) != len(worker.given):
            wrong.append("a key was given twice")
        if len(redeemed) != len(worker.redeemed):
            wrong.append("a key was redeemed twice")
        wrong += [f"{key_id} differs at the two ends" for key_id, key in redeemed.items() if given.get(key_id) != key]
    everywhere = [key_id for worker in workers for key_id, _ in worker.given]
    if len(set(everywhere)) != len(everywhere):
        wrong.append("a key was given at both ends")
    a, b = settle(lab)
    for owner, other, name in ((a, b, "kme-a"), (b, a, "kme-b")):
        if owner["fresh"] or owner["unannounced"]:
            wrong.append(f"{name}: something is still on its way: {owner}")
        if owner["ready"] != other["peer_keys"]:
            wrong.append(f"{name} has {owner['ready']} keys ready, and its peer knows of {other['peer_keys']}")
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--keys", type=int, default=3000)
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--per-call", type=int, default=8)
    options = parser.parse_args()
    postgres = Postgres() if options.store == "postgresql" else None
    try:
        return run(options, postgres)
    finally:
        if postgres:
            postgres.stop()


def run(options, postgres):
    with Lab(store_of=(lambda kme: postgres.url(kme)) if postgres else None) as lab:
        lab.a.start()
        lab.b.start()
        lab.wait_for_keys(lab.a)
        stop = threading.Event()
        workers = [Worker(lab, forth, options.per_call, stop) for forth in (True, True, False)]
        for worker in workers:
            worker.start()
        kills = 0
        draw = random.Random(1)
        while sum(len(worker.given) for worker in workers) < options.keys:
            time.sleep(draw.uniform(0.05, 1.2))
            for kme in draw.choice(((lab.a,), (lab.b,), (lab.a, lab.b))):
                kme.stop(signal.SIGKILL)
                kills += 1
                time.sleep(draw.uniform(0, 0.3))
                kme.start()
        time.sleep(1)
        stop.set()
        for worker in workers:
            worker.join(timeout=PATIENCE)
        wrong = check(lab, workers)
        given = sum(len(worker.given) for worker in workers)
        redeemed = sum(len(worker.redeemed) for worker in workers)
        lost = sum(worker.lost_calls for worker in workers)
        print(f"{options.store}: {kills} kills; {given} keys given, {redeemed} of them redeemed and equal; {lost} calls lost their answer")
        for text in wrong:
            print("VIOLATION:", text)
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
