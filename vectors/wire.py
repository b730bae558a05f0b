"""Algorithms, messages and frame headers of QSP 1.0 as bytes (SPEC §2, §3, §5, §7.1), for checking test vectors."""

import collections
import re
import struct

from key_schedule import lp

Kem = collections.namedtuple("Kem", "name share ciphertext secret private")
Sig = collections.namedtuple("Sig", "name parts size")  # parts: (OID in DER, size of the public key)

KEMS = {
    0x11EC: Kem("X25519MLKEM768", 1216, 1120, 64, 64 + 32),
    0x11EB: Kem("SecP256r1MLKEM768", 1249, 1153, 64, 32 + 64),
    0x11ED: Kem("SecP384r1MLKEM1024", 1665, 1665, 80, 48 + 64),
    0x0200: Kem("ML-KEM-512", 800, 768, 32, 64),
    0x0201: Kem("ML-KEM-768", 1184, 1088, 32, 64),
    0x0202: Kem("ML-KEM-1024", 1568, 1568, 32, 64),
}
_NIST_SIG = bytes.fromhex("6086480165030403")  # 2.16.840.1.101.3.4.3
_ED25519 = (bytes.fromhex("2b6570"), 32)
_ML_DSA_65 = (_NIST_SIG + b"\x12", 1952)
SIGS = {
    0x0807: Sig("Ed25519", [_ED25519], 64),
    0x0904: Sig("ML-DSA-44", [(_NIST_SIG + b"\x11", 1312)], 2420),
    0x0905: Sig("ML-DSA-65", [_ML_DSA_65], 3309),
    0x0906: Sig("ML-DSA-87", [(_NIST_SIG + b"\x13", 2592)], 4627),
    0x0911: Sig("SLH-DSA-SHA2-128s", [(_NIST_SIG + b"\x14", 32)], 7856),
    0xFE05: Sig("Ed25519+ML-DSA-65", [_ED25519, _ML_DSA_65], 64 + 3309),
}
AEADS = {2: "AES-256-GCM", 29: "ChaCha20-Poly1305"}
LABELS = {1: b"hs", 2: b"app", 3: b"rekey", 4: b"close"}
SEALED_MAX = {1: 16384, 2: 65552, 3: 8192, 4: 1200}
MESSAGES = [("CLIENT_HELLO", "client"), ("SERVER_HELLO", "server"), ("SERVER_AUTH", "server"), ("CLIENT_AUTH", "client"), ("SERVER_FINISH", "server")]
UUID = re.compile(rb"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def spki_der(sig, public_key):
    def der(tag, body):
        size = len(body)
        length = bytes([size]) if size < 128 else lp(8, size.to_bytes((size.bit_length() + 7) // 8, "big"))
        return bytes([tag]) + (length if size < 128 else bytes([0x80 | length[0]]) + length[1:]) + body

    out, rest = b"", public_key
    for oid, size in sig.parts:
        out += der(0x30, der(0x30, der(6, oid)) + der(3, b"\0" + rest[:size]))
        rest = rest[size:]
    return out


class ParseError(Exception):
    pass


class Cursor:
    """Big-endian fields of a view, never past its end."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        if self.at + size > len(self.data):
            raise ParseError("message is too short")
        self.at += size
        return self.data[self.at - size:self.at]

    def u(self, bits):
        return int.from_bytes(self.take(bits // 8), "big")

    def lp(self, bits, low=0, high=65535):
        size = self.u(bits)
        if not low <= size <= high:
            raise ParseError(f"length {size} is not {low}…{high}")
        return self.take(size)

    def list(self, item):
        count = self.u(8)
        if not 1 <= count <= 8:
            raise ParseError(f"list of {count} items")
        items = [item() for _ in range(count)]
        keys = [i[0] if isinstance(i, tuple) else i for i in items]
        if len(set(keys)) != count:
            raise ParseError("item repeated in a list")
        return items

    def extensions(self):
        inner, found = Cursor(self.lp(16)), {}
        while inner.at < len(inner.data):
            kind = inner.u(16)
            if found and kind <= max(found):
                raise ParseError("extension types do not ascend")
            found[kind] = inner.lp(16)
        return found

    def finish(self):
        if self.at != len(self.data):
            raise ParseError(f"{len(self.data) - self.at} bytes are left over")


def whole(data, read):
    cursor = Cursor(data)
    value = read(cursor)
    cursor.finish()
    return value


def _key_id(cursor):
    key_id = cursor.lp(8, 36, 36)
    if not UUID.fullmatch(key_id):
        raise ParseError("key_ID is no UUID")
    return key_id.decode()


def parse_message(kind, mode, plaintext):
    """The fields of handshake message `kind` (1 … 5), with up_to_signature and up_to_confirm as offsets (SPEC §5.1, §5.4)."""
    c, m = Cursor(plaintext), {}
    if c.u(8) != kind or c.u(24) != len(plaintext) - 4:
        raise ParseError("message header is wrong")
    if kind == 1:
        if c.take(4) != b"QSP1":
            raise ParseError("magic is wrong")
        m["versions"] = c.list(lambda: c.u(16))
        m["nonce"] = c.take(32)
        m["kem_shares"] = dict(c.list(lambda: (c.u(16), c.lp(16))))
        m["sig_offers"] = c.list(lambda: c.u(16))
        m["aead_offers"] = c.list(lambda: c.u(16))
        m["qkd_offer"] = c.u(8)
        if m["qkd_offer"] > 2:
            raise ParseError("qkd_offer above 2")
    elif kind == 2:
        m["version"], m["nonce"], m["session_id"] = c.u(16), c.take(32), c.take(8)
        m["kem"], m["sig"], m["aead"], m["qkd_mode"] = c.u(16), c.u(16), c.u(16), c.u(8)
        if m["qkd_mode"] > 1:
            raise ParseError("qkd_mode above 1")
        m["kem_ct"] = c.lp(16)
    elif kind in (3, 4):
        m["identity"] = c.take(32)
        if kind == 3:
            m["sig_offers"] = c.list(lambda: c.u(16))
        else:
            m["sig"] = c.u(16)
        m["sae_id"] = c.lp(8, 1, 255) if mode else b""
        m["key_id"] = _key_id(c) if mode and kind == 4 else ""
    m["extensions"] = c.extensions()
    if 1 in m["extensions"]:
        if kind not in (1, 3):
            raise ParseError("extension 1 out of place")
        names = (lambda x: x.list(lambda: x.lp(8, 1, 255))) if kind == 1 else (lambda x: [x.lp(8, 1, 255)])
        m["applications"] = whole(m["extensions"][1], names)
    m["up_to_signature"] = c.at
    if kind in (3, 4):
        m["signature"] = c.lp(16)
    m["up_to_confirm"] = c.at
    if kind in (4, 5):
        m["confirm"] = c.take(32)
    c.finish()
    return m


def parse_rekey(plaintext):
    """The fields of a rekey message (SPEC §7.1)."""
    c = Cursor(plaintext)
    if c.take(4) != b"RK10":
        raise ParseError("magic is wrong")
    m = {"t": c.u(8), "new_epoch": c.u(32)}
    if m["t"] == 1:
        m["material"], m["share"] = c.take(32), c.lp(16)
        key_id = c.lp(8, 0, 36)
        if key_id and not UUID.fullmatch(key_id):
            raise ParseError("key_ID is no UUID")
        m["key_id"] = key_id.decode()
    elif m["t"] == 2:
        m["confirm"], m["ciphertext"] = c.take(32), c.lp(16)
    elif m["t"] == 4 and c.u(16) != 60:
        raise ParseError("reason of NAK is not 60")
    elif not 1 <= m["t"] <= 5:
        raise ParseError("unknown message")
    c.finish()
    return m


Header = collections.namedtuple("Header", "type flags session_id epoch seq payload_len")


def parse_header(frame):
    return Header(*struct.unpack(">BBQIII", frame[:22]))


def nonce_of(epoch, n):
    return struct.pack(">IQ", epoch, n)
