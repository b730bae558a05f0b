#!/usr/bin/env python3
"""Tests of check_key_schedule.py: its primitives against published vectors, and its checks against a session made up here."""

import copy
import functools
import pathlib
import random
import re
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import aead  # noqa: E402
import checker  # noqa: E402
import key_schedule as ks  # noqa: E402
import wire  # noqa: E402
from vector_file import BadFile  # noqa: E402

B = bytes.fromhex
checker.aead_open = functools.lru_cache(maxsize=None)(aead.aead_open)  # the same frames are opened again and again below


class Published(unittest.TestCase):
    def test_hkdf_gives_rfc_5869_appendix_a(self):
        prk = ks.hkdf_extract(bytes(range(13)), B("0b" * 22))
        self.assertEqual(prk.hex(), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5")
        okm = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        self.assertEqual(ks.hkdf_expand(prk, bytes(range(0xF0, 0xFA)), 42).hex(), okm)
        prk = ks.hkdf_extract(b"", B("0b" * 22))  # A.3: no salt, no info
        self.assertEqual(prk.hex(), "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04")
        okm = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        self.assertEqual(ks.hkdf_expand(prk, b"", 42).hex(), okm)

    def test_aes_256_gives_fips_197_appendix_c3(self):
        keys = aead.aes256_round_keys(bytes(range(32)))
        block = aead.aes256_block(keys, B("00112233445566778899aabbccddeeff"))
        self.assertEqual(block.hex(), "8ea2b7ca516745bfeafc49904b496089")

    def test_gcm_gives_the_specification_s_cases_13_14_and_16(self):
        self.assertEqual(aead.aead_seal(2, bytes(32), bytes(12), b"", b"").hex(), "530f8afbc74536b9a963b4f1c4cb738b")
        self.assertEqual(aead.aead_seal(2, bytes(32), bytes(12), b"", bytes(16)).hex(),
                         "cea7403d4d606b6e074ec5d3baf39d18" "d0d1c8a799996bf0265b98b5d48ab919")
        key = B("feffe9928665731c6d6a8f9467308308" * 2)
        plaintext = B("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39")
        aad = B("feedfacedeadbeeffeedfacedeadbeefabaddad2")
        sealed = aead.aead_seal(2, key, B("cafebabefacedbaddecaf888"), aad, plaintext)
        self.assertEqual(sealed.hex(), "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                                       "76fc6ece0f4e1768cddf8853bb2d551b")

    def test_poly1305_gives_rfc_8439_section_2_5_2(self):
        key = B("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b")
        self.assertEqual(aead.poly1305(key, b"Cryptographic Forum Research Group").hex(), "a8061dc1305136c6c22b8baf0c0127a9")

    def test_chacha20_poly1305_gives_rfc_8439_section_2_8_2(self):
        text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
        sealed = aead.aead_seal(29, bytes(range(0x80, 0xA0)), B("070000004041424344454647"), B("50515253c0c1c2c3c4c5c6c7"), text)
        self.assertEqual(sealed[:16].hex(), "d31a8d34648e60db7b86afbc53ef7ec2")
        self.assertEqual(sealed[-16:].hex(), "1ae10b594f09e26a7e902ecbd0600691")

    def test_an_altered_bit_does_not_open(self):
        for code in (2, 29):
            sealed = aead.aead_seal(code, bytes(32), bytes(12), b"aad", b"some text over one block")
            self.assertEqual(aead.aead_open(code, bytes(32), bytes(12), b"aad", sealed), b"some text over one block")
            for bit in range(8 * len(sealed)):
                altered = bytearray(sealed)
                altered[bit // 8] ^= 1 << bit % 8
                self.assertIsNone(aead.aead_open(code, bytes(32), bytes(12), b"aad", bytes(altered)))
            self.assertIsNone(aead.aead_open(code, bytes(32), bytes(12), b"aae", sealed))
            self.assertIsNone(aead.aead_open(code, bytes(32), bytes(12), b"aad", sealed[:15]))


class Made:
    """A session with made-up KEM secrets and signatures, as a vector. Formulas are written out once more, from SPEC §5 to §7."""

    def __init__(self, kem=0x11EC, sig_c=0x0905, sig_s=0x0904, aead_code=2, mode=1):
        self.random = random.Random(f"{kem} {sig_c} {sig_s} {aead_code} {mode}")
        self.kem, self.aead, self.mode = wire.KEMS[kem], aead_code, mode
        self.session_id = self.bytes(8)
        self.n = {"client": 0, "server": 0}
        self.v = {
            "format": "qsp-vectors-1", "name": "made", "description": "made up",
            "suite": {"kem": {"code": kem, "name": self.kem.name}, "aead": {"code": aead_code, "name": wire.AEADS[aead_code]},
                      "sig_client": {"code": sig_c, "name": wire.SIGS[sig_c].name}, "sig_server": {"code": sig_s, "name": wire.SIGS[sig_s].name}},
            "qkd_offer": mode, "qkd_mode": mode, "session_id": self.session_id.hex(),
            "keys": {"client": self.key(sig_c, "alice"), "server": self.key(sig_s, "bob")}, "epochs": [], "exports": [], "failing": []}
        secret = self.handshake(kem, sig_c, sig_s)
        secret = self.epoch(1, secret, light=False)
        secret = self.epoch(2, secret, light=True)
        self.epoch(3, secret, light=None)

    def bytes(self, size):
        return self.random.randbytes(size)

    def key(self, sig, sae_id):
        raw = self.bytes(sum(size for _, size in wire.SIGS[sig].parts))
        spki = wire.spki_der(wire.SIGS[sig], raw)
        return {"public_key": raw.hex(), "spki": spki.hex(), "identity": ks.sha256(spki).hex(), "sae_id": sae_id if self.mode else ""}

    def frame(self, sender, kind, flags, epoch, plaintext, key, session_id=None):
        n = self.n[sender]
        self.n[sender] += 1
        size = len(plaintext) + (16 if key else 0)
        header = struct.pack(">BB", kind, flags) + (session_id or self.session_id) + struct.pack(">III", epoch, n & 0xFFFFFFFF, size)
        label = {1: b"hs", 2: b"app", 3: b"rekey", 4: b"close"}[kind]
        return n, header + (aead.aead_seal(self.aead, key, struct.pack(">IQ", epoch, n), label + header, plaintext) if key else plaintext)

    def handshake(self, kem, sig_c, sig_s):
        ss, qkd_key = self.bytes(self.kem.secret), self.bytes(32 * self.mode)
        key_id = "01234567-89ab-cdef-0123-456789abcdef" if self.mode else ""
        no_extensions, sae = b"\0\0", lambda end: ks.lp(8, self.v["keys"][end]["sae_id"].encode()) if self.mode else b""
        identity = {end: B(self.v["keys"][end]["identity"]) for end in ("client", "server")}
        header = lambda kind, size: struct.pack(">I", kind << 24 | size)
        u16 = lambda x: struct.pack(">H", x)
        ch = b"QSP1" + b"\1\1\0" + self.bytes(32) + b"\1" + u16(kem) + ks.lp(16, self.bytes(self.kem.share)) + b"\2" + u16(sig_s) + u16(0x0906 if sig_s != 0x0906 else 0x0905)
        ch += b"\1" + u16(self.aead) + bytes([self.mode]) + ks.lp(16, u16(1) + ks.lp(16, b"\2\4echo\4chat"))
        ch = header(1, len(ch)) + ch
        sh = u16(0x0100) + self.bytes(32) + self.session_id + u16(kem) + u16(sig_s) + u16(self.aead) + bytes([self.mode])
        sh += ks.lp(16, self.bytes(self.kem.ciphertext)) + no_extensions
        sh = header(2, len(sh)) + sh
        t_ch_sh = ks.transcript(ch, sh)
        hs = ks.mac(ks.sha256(b"qsp1 handshake"), struct.pack(">I", len(ss)), ss)
        c_hs, s_hs = ks.expand(hs, "c hs", t_ch_sh), ks.expand(hs, "s hs", t_ch_sh)
        signature = self.bytes(wire.SIGS[sig_s].size)
        sa = identity["server"] + b"\1" + u16(sig_c) + sae("server") + ks.lp(16, u16(1) + ks.lp(16, b"\4chat"))
        sa_start = header(3, len(sa) + 2 + len(signature)) + sa
        sa = sa_start + ks.lp(16, signature)
        signature = self.bytes(wire.SIGS[sig_c].size)
        ca = identity["client"] + u16(sig_c) + sae("client") + (ks.lp(8, key_id.encode()) if self.mode else b"") + no_extensions
        ca_start = header(4, len(ca) + 2 + len(signature) + 32) + ca
        th4 = ks.transcript(ch, sh, sa, ca_start, ks.lp(16, signature))
        derived = ks.expand(hs, "derived", th4)
        master = ks.mac(derived, struct.pack(">I", len(qkd_key)), qkd_key)
        c_finished, s_finished = ks.expand(master, "c finished", th4), ks.expand(master, "s finished", th4)
        confirm_c = ks.mac(c_finished, th4)
        ca = ca_start + ks.lp(16, signature) + confirm_c
        sf_start = header(5, 34) + no_extensions
        th_sf = ks.transcript(ch, sh, sa, ca, sf_start)
        confirm_s = ks.mac(s_finished, th_sf)
        th_sa, th_ca = ks.transcript(ch, sh, sa_start), ks.transcript(ch, sh, sa, ca_start)
        secret = ks.expand(master, "epoch", self.session_id + b"\0\0\0\1" + th4)
        self.master_keys = {"c_hs": c_hs, "s_hs": s_hs}
        messages = []
        for (name, sender), plaintext, key in zip(wire.MESSAGES, (ch, sh, sa, ca, sf_start + confirm_s), (None, None, s_hs, c_hs, s_hs)):
            _, frame = self.frame(sender, 1, 0, 0, plaintext, key, bytes(8) if name == "CLIENT_HELLO" else None)
            messages.append({"name": name, "from": sender, "plaintext": plaintext.hex(), "frame": frame.hex()})
        values = {"ss": ss, "qkd_key": qkd_key, "hs_secret": hs, "c_hs": c_hs, "s_hs": s_hs, "th_ch_sh": t_ch_sh, "th_sa": th_sa,
                  "sig_s_input": b"QSP/1.0 server auth\0" + th_sa, "th_ca": th_ca, "sig_c_input": b"QSP/1.0 client auth\0" + th_ca,
                  "th4": th4, "derived": derived, "master": master, "c_finished": c_finished, "s_finished": s_finished,
                  "confirm_c": confirm_c, "th_sf": th_sf, "confirm_s": confirm_s, "epoch_secret_1": secret}
        self.v["handshake"] = {"messages": messages, "key_id": key_id, **{k: x.hex() for k, x in values.items()}}
        return secret

    def add(self, e, keys, sender, kind, plaintext, flags=0):
        n, frame = self.frame(sender, kind, flags, e["epoch"], plaintext, keys["c_key" if sender == "client" else "s_key"])
        e["frames"].append({"from": sender, "type": kind, "flags": flags, "n": n, "plaintext": plaintext.hex(), "frame": frame.hex()})

    def epoch(self, number, secret, light):
        keys = {name: ks.expand(secret, label, b"") for name, label in
                (("c_key", "c key"), ("s_key", "s key"), ("ratchet", "ratchet"), ("exporter", "exporter"))}
        e = {"epoch": number, "epoch_secret": secret.hex(), **{k: x.hex() for k, x in keys.items()}, "frames": []}
        self.v["epochs"].append(e)
        self.v["exports"].append({"epoch": number, "label": "ipsec", "context": "c0ffee", "size": 48,
                                  "key": ks.expand(keys["exporter"], "export ipsec", ks.sha256(B("c0ffee")), 48).hex()})
        if number > 1:
            self.add(e, keys, "server", 3, b"RK10\5" + struct.pack(">I", number))
        self.add(e, keys, "client", 2, b"hello")
        self.add(e, keys, "server", 2, b"")
        if light is None:
            self.add(e, keys, "client", 2, b"bye", flags=1)
            self.add(e, keys, "server", 2, b"", flags=1)
            self.add(e, keys, "server", 4, b"\0\0done")
            self.add(e, keys, "client", 4, b"\0\0")
            return None
        return self.rekey(e, keys, light)

    def rekey(self, e, keys, light):
        following = struct.pack(">I", e["epoch"] + 1)
        key_id = "AAAAAAAA-0000-4000-8000-0123456789ab" if self.mode else ""
        material, qkd_key, ss = self.bytes(32), self.bytes(32 * self.mode), b"" if light else self.bytes(self.kem.secret)
        init = b"RK10\1" + following + material + ks.lp(16, b"" if light else self.bytes(self.kem.share)) + ks.lp(8, key_id.encode())
        ciphertext = ks.lp(16, b"" if light else self.bytes(self.kem.ciphertext))
        thr = ks.sha256(b"QSP/1.0", init, b"RK10\2", following, ciphertext)
        prk = ks.mac(keys["ratchet"], *(struct.pack(">I", len(x)) + x for x in (qkd_key, ss, material)))
        secret = ks.expand(prk, "epoch", self.session_id + following + thr)
        confirm = ks.mac(ks.expand(secret, "rekey confirm", b""), thr)
        ack = b"RK10\2" + following + confirm + ciphertext
        self.add(e, keys, "client", 3, b"RK10\3" + following)
        if self.mode:  # an INIT that the client cannot serve, and its NAK
            self.add(e, keys, "server", 3, b"RK10\1" + following + bytes(32) + b"\0\0" + ks.lp(8, key_id.encode()))
            self.add(e, keys, "client", 3, b"RK10\4" + following + b"\0\x3c")
        self.add(e, keys, "server", 3, init)
        self.add(e, keys, "server", 2, b"on its way")
        self.add(e, keys, "client", 3, ack)
        e["rekey"] = {"init": init.hex(), "ack": ack.hex(), "done": (b"RK10\5" + following).hex(), "material": material.hex(), "ss": ss.hex(),
                      "qkd_key": qkd_key.hex(), "key_id": key_id, "thr": thr.hex(), "prk": prk.hex(), "confirm": confirm.hex()}
        return secret

    def fail(self, epoch, index, altered, reason):
        original = self.original(epoch, index)
        self.v["failing"].append({"description": "x", "epoch": epoch, "frame_index": index, "from": original["from"],
                                  "altered_frame": altered.hex(), "reason": reason})

    def original(self, epoch, index):
        return (self.v["epochs"][epoch - 1]["frames"] if epoch else self.v["handshake"]["messages"])[index]


def mismatches(vector):
    return checker.Checker(vector).run().mismatches


def flip(text):
    return ("1" if text[0] == "0" else "0") + text[1:]


def leaves(value, path=()):
    """Paths of every text and number in a vector."""
    if isinstance(value, (dict, list)):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, path + (name,))
    else:
        yield path


class Session(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = Made()

    def altered(self, path, change):
        vector = copy.deepcopy(self.made.v)
        holder = vector
        for name in path[:-1]:
            holder = holder[name]
        holder[path[-1]] = change(holder[path[-1]])
        return vector

    def test_a_right_session_passes_in_every_suite(self):
        suites = [dict(kem=kem) for kem in wire.KEMS] + [dict(sig_c=sig, sig_s=sig) for sig in wire.SIGS] + [dict(aead_code=29), dict(mode=0)]
        for suite in suites:
            checked = checker.Checker(Made(**suite).v).run()
            self.assertEqual(checked.mismatches, [], suite)
            self.assertEqual((checked.covered["rekeys"], checked.covered["rekeys finished"], checked.covered["exports"]), (2, 2, 3))

    def test_every_altered_field_is_noticed(self):
        unchecked = {"description"}
        for path in leaves(self.made.v):
            if path[-1] in unchecked or path == ("name",):
                continue
            vector = self.altered(path, lambda x: x + 1 if isinstance(x, int) else flip(x) if re.match("[0-9a-f]", x) else x + "00")
            try:
                found = mismatches(vector)
            except BadFile:
                continue
            self.assertTrue(found, path)

    def test_an_altered_length_is_noticed(self):
        for path in leaves(self.made.v):
            holder = self.made.v
            for name in path:
                holder = holder[name]
            if isinstance(holder, str) and len(holder) >= 16 and "key_id" not in path:
                self.assertTrue(mismatches(self.altered(path, lambda x: x[:-2])), path)

    def test_missing_unknown_and_misspelt_fields_are_refused(self):
        for change in (lambda v: v.pop("session_id"), lambda v: v.update(extra=1), lambda v: v.update(session_id="AA" * 8),
                       lambda v: v["handshake"].pop("th4"), lambda v: v.update(qkd_mode=True), lambda v: v["epochs"][0]["frames"][0].pop("n")):
            vector = copy.deepcopy(self.made.v)
            change(vector)
            with self.assertRaises(BadFile):
                mismatches(vector)

    def test_an_epoch_or_frame_left_out_is_noticed(self):
        for change in (lambda v: v["epochs"].pop(), lambda v: v["epochs"].pop(1), lambda v: v["epochs"][1].pop("rekey"),
                       lambda v: v["epochs"][1]["frames"].pop(0), lambda v: v["epochs"][0]["frames"].pop(1),
                       lambda v: v["handshake"]["messages"].pop()):
            vector = copy.deepcopy(self.made.v)
            change(vector)
            self.assertTrue(mismatches(vector))


class Behaviour(unittest.TestCase):
    """Well-sealed sessions that break a rule of conduct."""

    def find(self, made, text):
        self.assertTrue(any(text in line for line in mismatches(made.v)), mismatches(made.v))

    def end_with(self, *frames):
        made = Made(mode=0)
        e = made.v["epochs"][2]
        keys = {name: B(e[name]) for name in ("c_key", "s_key")}
        for frame in frames:
            made.add(e, keys, *frame)
        return made

    def test_data_after_close_is_noticed(self):
        self.find(self.end_with(("client", 4, b"\0\0")), "follows its sender's CLOSE")

    def test_data_after_end_is_noticed(self):
        self.find(self.end_with(("client", 2, b"more")), "APP_DATA after END")

    def test_a_rekey_message_of_the_wrong_end_is_noticed(self):
        self.find(self.end_with(("client", 3, b"RK10\5\0\0\0\3")), "of the wrong end")

    def test_a_second_done_is_noticed(self):
        self.find(self.end_with(("server", 3, b"RK10\5\0\0\0\3")), "DONE out of place")


class Failing(unittest.TestCase):
    def setUp(self):
        self.made = Made(mode=0)

    def put(self, epoch, index, offset, data, reason, wrong="NORMAL"):
        """The frame with `data` at `offset`: the checker derives `reason`, and nothing else will do."""
        frame = B(self.made.original(epoch, index)["frame"])
        offset %= len(frame)
        self.check(epoch, index, frame[:offset] + data + frame[offset + len(data):], reason, wrong)

    def check(self, epoch, index, altered, reason, wrong="NORMAL"):
        for given, ok in ((reason, True), (wrong, False)):
            self.made.v["failing"] = []
            self.made.fail(epoch, index, altered, given)
            self.assertEqual(not mismatches(self.made.v), ok, (epoch, index, given, mismatches(self.made.v)))

    def test_each_header_check_gives_its_reason(self):
        for offset, data, reason in ((0, b"\5", "PROTOCOL_ERROR"), (1, b"\2", "PROTOCOL_ERROR"), (0, b"\1", "PROTOCOL_ERROR"),
                                     (18, b"\xff", "PROTOCOL_ERROR"), (2, b"\xff\xff", "PROTOCOL_ERROR"), (10, b"\1", "EPOCH_MISMATCH"),
                                     (14, b"\1", "PROTOCOL_ERROR"), (-1, b"\0\0"[:1], "AEAD_DECRYPT_FAILED"), (1, b"\1", "AEAD_DECRYPT_FAILED")):
            self.put(1, 0, offset, data, reason)

    def test_the_handshake_gives_its_reasons(self):
        self.put(0, 0, 26, b"QSP2", "PROTOCOL_ERROR")
        self.put(0, 1, 2, b"\0\0\0\1", "HANDSHAKE_FAILED")  # session_id of the header alone
        self.put(0, 1, 22 + 38, bytes(8), "HANDSHAKE_FAILED")
        self.put(0, 1, 22 + 46, b"\2\1", "HANDSHAKE_FAILED")  # a KEM that was not offered
        self.put(0, 1, 22 + 52, b"\1", "HANDSHAKE_FAILED")  # QKD, where none was offered
        self.put(0, 1, 22 + 52, b"\2", "PROTOCOL_ERROR")
        self.put(0, 0, 2, b"\1", "PROTOCOL_ERROR")
        self.put(0, 2, 60, b"\0\0\0\0", "AEAD_DECRYPT_FAILED")
        self.put(0, 3, 10, b"\1", "EPOCH_MISMATCH")
        self.put(0, 4, 0, b"\2", "PROTOCOL_ERROR")

    def test_done_may_come_under_no_other_key_or_type(self):
        self.put(2, 0, 0, b"\2", "PROTOCOL_ERROR")
        self.put(2, 0, 13, b"\1", "AEAD_DECRYPT_FAILED")  # the old epoch is still accepted there
        self.put(2, 0, 13, b"\3", "EPOCH_MISMATCH")

    def resealed(self, epoch, index, plaintext, key):
        f = self.made.original(epoch, index)
        n = f.get("n", 1)
        header = B(f["frame"])[:18] + struct.pack(">I", len(plaintext) + 16)
        label = wire.LABELS[header[0]]
        return header + aead.aead_seal(2, key, struct.pack(">IQ", epoch, n), label + header, plaintext)

    def test_wrong_confirms_sealed_again_give_their_reasons(self):
        ack_index = max(i for i, f in enumerate(self.made.v["epochs"][0]["frames"]) if f["type"] == 3)
        ack = bytearray(B(self.made.original(1, ack_index)["plaintext"]))
        ack[9] ^= 1
        key = B(self.made.v["epochs"][0]["c_key"])
        self.check(1, ack_index, self.resealed(1, ack_index, bytes(ack), key), "REKEY_FAILED", "PROTOCOL_ERROR")
        ack[8] ^= 1
        self.check(1, ack_index, self.resealed(1, ack_index, bytes(ack), key), "PROTOCOL_ERROR", "REKEY_FAILED")
        ca = bytearray(B(self.made.original(0, 3)["plaintext"]))
        ca[-1] ^= 1
        self.check(0, 3, self.resealed(0, 3, bytes(ca), self.made.master_keys["c_hs"]), "HANDSHAKE_FAILED")

    def test_a_replay_is_a_protocol_error(self):
        self.check(3, 1, B(self.made.original(2, 1)["frame"]), "EPOCH_MISMATCH", "PROTOCOL_ERROR")
        frames = self.made.v["epochs"][0]["frames"]
        later = next(i for i, f in enumerate(frames) if f["from"] == "client" and i > 0)
        self.check(1, later, B(frames[0]["frame"]), "PROTOCOL_ERROR", "AEAD_DECRYPT_FAILED")

    def test_the_original_frame_is_no_failing_one(self):
        self.made.fail(1, 0, B(self.made.original(1, 0)["frame"]), "PROTOCOL_ERROR")
        self.assertTrue(mismatches(self.made.v))


if __name__ == "__main__":
    unittest.main()
