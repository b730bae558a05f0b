"""Recomputes a session of a vector file: what does not agree with the specification is a mismatch."""

import collections
import struct

from aead import aead_open
from key_schedule import expand, hkdf_extract, lp, mac, sha256, transcript
from vector_file import SCHEMA, load
from wire import (AEADS, KEMS, LABELS, MESSAGES, SEALED_MAX, SIGS, Header, ParseError, nonce_of, parse_header, parse_message, parse_rekey,
                  spki_der)

OPEN_MAX = 2048  # frames of other types above this size are not opened: the ciphers here are slow

# Where a frame stood in the session: what its receiver needs to judge another one in its place.
Slot = collections.namedtuple("Slot", "sender frame n key epochs awaits_done app_allowed kind confirm")


class Checker:
    """One vector file. `mismatches` are lines, `covered` counts what was checked."""

    def __init__(self, vector):
        self.v = load(vector, SCHEMA)
        self.mismatches, self.covered = [], collections.Counter()
        self.n = {"client": 0, "server": 0}
        self.slots, self.exporters, self.ended, self.closed = {}, {}, set(), set()

    def expect(self, where, ok, why="is wrong"):
        self.covered["values"] += 1
        if not ok:
            self.mismatches.append(f"{where}: {why}")
        return ok

    def same(self, where, found, want):
        if isinstance(found, bytes) and isinstance(want, bytes):
            return self.expect(where, found == want, f"is {found.hex()[:64] or 'empty'}, want {want.hex()[:64] or 'empty'}")
        return self.expect(where, found == want, f"is {found!r}, want {want!r}")

    def run(self):
        v = self.v
        self.same("format", v["format"], "qsp-vectors-1")
        known = [(v["suite"]["kem"]["code"], {c: k.name for c, k in KEMS.items()}), (v["suite"]["aead"]["code"], AEADS)]
        known += [(v["suite"][s]["code"], {c: k.name for c, k in SIGS.items()}) for s in ("sig_client", "sig_server")]
        for (code, table), name in zip(known, ("kem", "aead", "sig_client", "sig_server")):
            if not self.same(f"suite.{name}", v["suite"][name]["name"], table.get(code)):
                return self
        self.kem, self.aead = KEMS[v["suite"]["kem"]["code"]], v["suite"]["aead"]["code"]
        try:
            self.check_keys()
            secret = self.check_handshake()
            for index in range(len(v["epochs"])):
                secret = self.check_epoch(index, secret)
            for index in range(len(v["exports"])):
                self.check_export(index)
            for index in range(len(v["failing"])):
                self.check_failing(index)
        except ParseError as error:
            self.mismatches.append(f"{self.place}: {error}")
        return self

    def check_keys(self):
        self.place = "keys"
        for end in ("client", "server"):
            key, sig = self.v["keys"][end], SIGS[self.v["suite"]["sig_" + end]["code"]]
            self.same(f"keys.{end}.public_key length", len(key["public_key"]), sum(size for _, size in sig.parts))
            if "private_key" in key:
                size = 64 if sig.name.startswith("SLH-DSA") else 32 * len(sig.parts)
                self.same(f"keys.{end}.private_key length", len(key["private_key"]), size)
            self.same(f"keys.{end}.spki", key["spki"], spki_der(sig, key["public_key"]))
            self.same(f"keys.{end}.identity", key["identity"], sha256(key["spki"]))
            self.expect(f"keys.{end}.sae_id", bool(key["sae_id"]) == bool(self.v["qkd_mode"]), "is there in mode 1 only")

    # ------------------------------------------------------------------------------------------------------------- frames

    def check_frame(self, where, sender, frame, plaintext, want, key):
        """A frame's header, count and content. `want` is (type, flags, epoch); `key` is None where it is clear."""
        kind, flags, epoch = want
        n = self.n[sender]
        self.n[sender] += 1
        if not self.expect(f"{where}.frame", len(frame) >= 22, "is shorter than its header"):
            return
        session_id = 0 if epoch == 0 and sender == "client" and n == 0 else int.from_bytes(self.v["session_id"], "big")
        header = Header(kind, flags, session_id, epoch, n & 0xFFFFFFFF, len(plaintext) + (16 if key else 0))
        for name, found, wanted in zip(Header._fields, parse_header(frame), header):
            self.same(f"{where}.frame {name}", found, wanted)
        self.same(f"{where}.frame length", len(frame), 22 + header.payload_len)
        self.expect(f"{where}.frame", header.payload_len <= SEALED_MAX[kind], "is too long")
        self.covered["frames"] += 1
        if key is None:
            self.same(f"{where}.frame payload", frame[22:], plaintext)
        elif kind == 1 or len(frame) <= OPEN_MAX:
            opened = aead_open(self.aead, key, nonce_of(epoch, n), LABELS[kind] + frame[:22], frame[22:])
            if self.expect(f"{where}.frame", opened is not None, "does not open"):
                self.same(f"{where}.plaintext", plaintext, opened)
            self.covered["frames opened"] += 1

    # ---------------------------------------------------------------------------------------------------------- handshake

    def parse_messages(self):
        messages, parsed = self.v["handshake"]["messages"], []
        self.same("handshake.messages", [(m["name"], m["from"]) for m in messages], MESSAGES)
        if len(messages) != 5:
            raise ParseError("not five messages")
        for kind, message in enumerate(messages, 1):
            self.place = message["name"]
            parsed.append(parse_message(kind, self.v["qkd_mode"], message["plaintext"]))
        return parsed

    def check_negotiation(self, ch, sh, sa, ca):
        v, suite = self.v, self.v["suite"]
        kem, sig_s, sig_c = suite["kem"]["code"], suite["sig_server"]["code"], suite["sig_client"]["code"]
        self.expect("version", sh["version"] == 0x0100 and 0x0100 in ch["versions"])
        for name, chosen, want, offered in (("kem", sh["kem"], kem, ch["kem_shares"]), ("sig_server", sh["sig"], sig_s, ch["sig_offers"]),
                                            ("aead", sh["aead"], self.aead, ch["aead_offers"]),
                                            ("sig_client", ca["sig"], sig_c, sa["sig_offers"])):
            self.same(f"chosen {name}", chosen, want)
            self.expect(f"chosen {name}", chosen in offered, "was not offered")
        self.same("share length", len(ch["kem_shares"].get(kem, b"")), self.kem.share)
        self.same("kem_ct length", len(sh["kem_ct"]), self.kem.ciphertext)
        self.same("SERVER_AUTH signature length", len(sa["signature"]), SIGS[sig_s].size)
        self.same("CLIENT_AUTH signature length", len(ca["signature"]), SIGS[sig_c].size)
        self.same("session_id", v["session_id"], sh["session_id"])
        self.expect("session_id", any(sh["session_id"]), "is 0")
        self.same("qkd_offer", v["qkd_offer"], ch["qkd_offer"])
        self.same("qkd_mode", v["qkd_mode"], sh["qkd_mode"])
        self.expect("qkd_mode", v["qkd_mode"] == 0 if v["qkd_offer"] == 0 else v["qkd_mode"] == 1 or v["qkd_offer"] == 1,
                    "contradicts qkd_offer")
        for end, message in (("server", sa), ("client", ca)):
            self.same(f"{end}'s identity", message["identity"], v["keys"][end]["identity"])
            self.same(f"{end}'s SAE ID", message["sae_id"], v["keys"][end]["sae_id"].encode())
        self.same("handshake.key_id", v["handshake"]["key_id"], ca["key_id"])
        self.expect("application protocol", all(a in ch.get("applications", []) for a in sa.get("applications", [])), "was not offered")

    def derive_handshake(self, parsed):
        """Every value of SPEC §5.5 from ss, qkd_key, session_id and the messages."""
        h = self.v["handshake"]
        ch, sh, sa, ca, sf = (m["plaintext"] for m in h["messages"])
        d = {"th_ch_sh": transcript(ch, sh)}
        d["hs_secret"] = hkdf_extract(sha256(b"qsp1 handshake"), lp(32, h["ss"]))
        d["c_hs"] = expand(d["hs_secret"], "c hs", d["th_ch_sh"])
        d["s_hs"] = expand(d["hs_secret"], "s hs", d["th_ch_sh"])
        d["th_sa"] = transcript(ch, sh, sa[:parsed[2]["up_to_signature"]])
        d["sig_s_input"] = b"QSP/1.0 server auth\0" + d["th_sa"]
        d["th_ca"] = transcript(ch, sh, sa, ca[:parsed[3]["up_to_signature"]])
        d["sig_c_input"] = b"QSP/1.0 client auth\0" + d["th_ca"]
        d["th4"] = transcript(ch, sh, sa, ca[:parsed[3]["up_to_confirm"]])
        d["derived"] = expand(d["hs_secret"], "derived", d["th4"])
        d["master"] = hkdf_extract(d["derived"], lp(32, h["qkd_key"]))
        d["c_finished"] = expand(d["master"], "c finished", d["th4"])
        d["s_finished"] = expand(d["master"], "s finished", d["th4"])
        d["confirm_c"] = mac(d["c_finished"], d["th4"])
        d["th_sf"] = transcript(ch, sh, sa, ca, sf[:parsed[4]["up_to_confirm"]])
        d["confirm_s"] = mac(d["s_finished"], d["th_sf"])
        d["epoch_secret_1"] = expand(d["master"], "epoch", self.v["session_id"] + struct.pack(">I", 1) + d["th4"])
        return d

    def check_handshake(self):
        h, mode = self.v["handshake"], self.v["qkd_mode"]
        parsed = self.parse_messages()
        self.check_negotiation(*parsed[:4])
        self.client_hello = parsed[0]
        self.place = "handshake"
        self.same("handshake.ss length", len(h["ss"]), self.kem.secret)
        self.same("handshake.qkd_key length", len(h["qkd_key"]), 32 * mode)
        self.check_private_key("handshake", h)
        derived = self.derive_handshake(parsed)
        for name, value in derived.items():
            self.same(f"handshake.{name}", h[name], value)
        self.same("CLIENT_AUTH confirm", parsed[3]["confirm"], derived["confirm_c"])
        self.same("SERVER_FINISH confirm", parsed[4]["confirm"], derived["confirm_s"])
        for index, ((name, sender), message) in enumerate(zip(MESSAGES, h["messages"])):
            key = None if index < 2 else derived["c_hs" if sender == "client" else "s_hs"]
            confirm = {3: derived["confirm_c"], 4: derived["confirm_s"]}.get(index)
            self.slots[0, index] = Slot(sender, message["frame"], self.n[sender], {0: key}, {0}, False, False, index + 1, confirm)
            self.check_frame(name, sender, message["frame"], message["plaintext"], (1, 0, 0), key)
        return derived["epoch_secret_1"]

    def check_private_key(self, where, holder):
        if "kem_private_key" in holder:
            self.same(f"{where}.kem_private_key length", len(holder["kem_private_key"]), self.kem.private)

    # ------------------------------------------------------------------------------------------------------------- epochs

    def check_epoch(self, index, secret):
        """Checks one epoch under the recomputed `secret`; returns the next one's, or None."""
        e, where = self.v["epochs"][index], f"epochs[{index}]"
        self.place = where
        self.same(f"{where}.epoch", e["epoch"], index + 1)
        if secret is None:
            raise ParseError("no rekey leads here")
        keys = {name: expand(secret, label, b"") for name, label in
                (("c_key", "c key"), ("s_key", "s key"), ("ratchet", "ratchet"), ("exporter", "exporter"))}
        for name, value in {"epoch_secret": secret, **keys}.items():
            self.same(f"{where}.{name}", e[name], value)
        self.exporters[index + 1] = keys["exporter"]
        last = index + 1 == len(self.v["epochs"])
        self.expect(f"{where}.rekey", ("rekey" in e) != last, "is there in every epoch but the last")
        following, confirm = (None, None) if "rekey" not in e else self.check_rekey(where, index, keys["ratchet"])
        self.check_epoch_frames(where, index, keys, confirm)
        return following

    def check_epoch_frames(self, where, index, keys, confirm):
        e, epoch, committed = self.v["epochs"][index], index + 1, False
        first = {"client": False, "server": epoch > 1}
        for i, f in enumerate(e["frames"]):
            at, sender = f"{where}.frames[{i}]", f["from"]
            self.place = at
            if sender not in self.n or f["type"] not in (2, 3, 4):
                raise ParseError("unknown sender or type")
            self.same(f"{at}.n", f["n"], self.n[sender])
            key = keys["c_key" if sender == "client" else "s_key"]
            self.expect(at, f["flags"] in ((0, 1) if f["type"] == 2 else (0,)), "has flags that are not allowed")
            self.expect(at, not (f["type"] == 2 and sender in self.ended), "is APP_DATA after END")
            self.expect(at, sender not in self.closed, "follows its sender's CLOSE")
            self.expect(at, not (sender == "client" and committed), "is the client's, behind its ACK")
            known = {epoch: key}
            if first[sender]:  # the client awaits DONE and still accepts the epoch before
                known[epoch - 1] = self.previous_s_key
            message = self.check_content(at, f, epoch, first[sender])
            is_ack = message.get("t") == 2
            self.slots[epoch, i] = Slot(sender, f["frame"], self.n[sender], known, set(known), first[sender], sender not in self.ended,
                                        f["type"] * 10, confirm if is_ack else None)
            self.check_frame(at, sender, f["frame"], f["plaintext"], (f["type"], f["flags"], epoch), key)
            committed |= is_ack
            first[sender] = False
            if f["flags"]:
                self.ended.add(sender)
            if f["type"] == 4:
                self.closed.add(sender)
        self.expect(where, not first["server"], "has no DONE")
        self.previous_s_key = keys["s_key"]

    def check_content(self, at, f, epoch, done_awaited):
        """Whether a REKEY or CLOSE plaintext is lawful here; returns the rekey message's fields."""
        if f["type"] == 4:
            self.expect(f"{at}.plaintext", 2 <= len(f["plaintext"]) <= 1026, "is no CLOSE")
        message = parse_rekey(f["plaintext"]) if f["type"] == 3 else {}
        if message:
            t = message["t"]
            self.expect(at, (t in (1, 5)) == (f["from"] == "server"), f"is rekey message {t} of the wrong end")
            self.same(f"{at} new_epoch", message["new_epoch"], epoch if t == 5 else epoch + 1)
        if self.expect(at, (message.get("t") == 5) == done_awaited, "is DONE out of place, or DONE is missing"):
            self.covered["rekeys finished"] += done_awaited
        return message

    def check_rekey(self, where, index, ratchet):
        """Recomputes SPEC §7.2; returns the next epoch's secret and the confirm."""
        e, r, where = self.v["epochs"][index], self.v["epochs"][index]["rekey"], f"{where}.rekey"
        following = self.v["epochs"][index + 1]["frames"] if index + 1 < len(self.v["epochs"]) else []
        self.place = where
        init, ack, done = (parse_rekey(r[name]) for name in ("init", "ack", "done"))
        self.same(f"{where} messages", [init["t"], ack["t"], done["t"]], [1, 2, 5])
        for name, frames, t in (("init", reversed(e["frames"]), 1), ("ack", reversed(e["frames"]), 2), ("done", following, 5)):
            sent = next((f["plaintext"] for f in frames if f["type"] == 3 and f["plaintext"][4:5] == bytes([t])), b"")
            self.same(f"{where}.{name}", r[name], sent)
        self.same(f"{where}.material", r["material"], init.get("material"))
        self.same(f"{where}.key_id", r["key_id"], init.get("key_id"))
        self.same(f"{where}.qkd_key length", len(r["qkd_key"]), 32 if r["key_id"] else 0)
        self.expect(f"{where}.key_id", bool(self.v["qkd_mode"]) or not r["key_id"], "is there in mode 0")
        sizes = self.kem[1:4] if init.get("share") else (0, 0, 0)
        self.same(f"{where} sizes of share, ciphertext, ss", (len(init.get("share", b"")), len(ack.get("ciphertext", b"")), len(r["ss"])), sizes)
        self.check_private_key(where, r)
        thr = transcript(r["init"], r["ack"][:9], r["ack"][41:])
        prk = hkdf_extract(ratchet, lp(32, r["qkd_key"]) + lp(32, r["ss"]) + lp(32, r["material"]))
        secret = expand(prk, "epoch", self.v["session_id"] + struct.pack(">I", index + 2) + thr)
        confirm = mac(expand(secret, "rekey confirm", b""), thr)
        for name, value in (("thr", thr), ("prk", prk), ("confirm", confirm)):
            self.same(f"{where}.{name}", r[name], value)
        self.same(f"{where}.ack confirm", ack.get("confirm"), confirm)
        self.covered["rekeys"] += 1
        return secret, confirm

    def check_export(self, index):
        x, where = self.v["exports"][index], f"exports[{index}]"
        self.place = where
        label, exporter = x["label"].encode(), self.exporters.get(x["epoch"])
        if self.expect(where, exporter is not None and len(label) <= 200 and 1 <= x["size"] <= 8160, "is out of bounds"):
            self.same(f"{where}.key", x["key"], expand(exporter, b"export " + label, sha256(x["context"]), x["size"]))
            self.covered["exports"] += 1

    # ------------------------------------------------------------------------------------------------------ failing frames

    def check_failing(self, index):
        x, where = self.v["failing"][index], f"failing[{index}]"
        self.place = where
        slot = self.slots.get((x["epoch"], x["frame_index"]))
        if not self.expect(where, slot is not None, "names no frame") or not self.same(f"{where}.from", x["from"], slot.sender):
            return
        self.expect(f"{where}.altered_frame", x["altered_frame"] != slot.frame, "is the original")
        reason = self.judge(x["altered_frame"], slot)
        self.covered["failing frames"] += 1
        if reason is None:
            self.covered["reasons not derived"] += 1
        else:
            self.same(f"{where}.reason", x["reason"], reason)

    def judge(self, frame, slot):
        """The receiver's reason to refuse a frame (SPEC §2.5, then its content), or None where this checker cannot tell."""
        if len(frame) < 22:
            return None
        h, handshake = parse_header(frame), 0 in slot.epochs and slot.kind < 10
        clear = handshake and slot.kind <= 2
        low = 16 if not clear else 4
        wants_id = 0 if slot.kind == 1 else int.from_bytes(self.v["session_id"], "big")
        checks = (
            (h.type in LABELS and h.flags & ~(h.type == 2) == 0 and (h.type == 1) == handshake, "PROTOCOL_ERROR"),
            (h.type != 2 or slot.app_allowed, "PROTOCOL_ERROR"),
            (h.type in SEALED_MAX and low <= h.payload_len <= SEALED_MAX[h.type], "PROTOCOL_ERROR"),
            (h.session_id == wants_id or slot.kind == 2, "PROTOCOL_ERROR"),
            (h.epoch in slot.epochs, "EPOCH_MISMATCH"),
            (not slot.awaits_done or h.epoch != max(slot.epochs) or h.type == 3, "PROTOCOL_ERROR"),
            (h.seq == slot.n & 0xFFFFFFFF, "PROTOCOL_ERROR"))
        for ok, reason in checks:
            if not ok:
                return reason
        if h.payload_len != len(frame) - 22:
            return None
        plaintext = frame[22:]
        if not clear:
            plaintext = aead_open(self.aead, slot.key[h.epoch], nonce_of(h.epoch, slot.n), LABELS[h.type] + frame[:22], frame[22:])
        return "AEAD_DECRYPT_FAILED" if plaintext is None else self.judge_content(plaintext, h, slot)

    def choice_refused(self, sh, session_id):
        """Whether a client refuses this SERVER_HELLO for what it chose (SPEC §5.6, second check of SH)."""
        ch, offer = self.client_hello, self.v["qkd_offer"]
        offered = (sh["version"] == 0x0100 and sh["kem"] in ch["kem_shares"] and sh["sig"] in ch["sig_offers"] and sh["aead"] in ch["aead_offers"]
                   and (offer == 1 or sh["qkd_mode"] == offer // 2) and len(sh["kem_ct"]) == KEMS[sh["kem"]].ciphertext)
        return not offered or not any(sh["session_id"]) or sh["session_id"] != session_id.to_bytes(8, "big")

    def judge_content(self, plaintext, header, slot):
        try:
            if header.type == 1:
                message = parse_message(slot.kind, self.v["qkd_mode"], plaintext)
                wrong = slot.confirm is not None and message["confirm"] != slot.confirm
                if slot.kind == 2:
                    wrong = self.choice_refused(message, header.session_id)
                return "HANDSHAKE_FAILED" if wrong else None
            if header.type == 3:
                message = parse_rekey(plaintext)
                to_client = slot.sender == "server"
                if (message["t"] in (1, 5)) != to_client or message["new_epoch"] != header.epoch + (message["t"] != 5):
                    return "PROTOCOL_ERROR"
                if to_client and (message["t"] == 5) != slot.awaits_done:
                    return "PROTOCOL_ERROR"
                wrong = message["t"] == 2 and slot.confirm is not None and message["confirm"] != slot.confirm
                return "REKEY_FAILED" if wrong else None
            if header.type == 4 and not 2 <= len(plaintext) <= 1026:
                return "PROTOCOL_ERROR"
        except ParseError:
            return "PROTOCOL_ERROR"
        return None
