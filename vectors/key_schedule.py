"""The primitives of the key schedule (SPEC §3.4), for checking test vectors."""

import hashlib
import hmac
import struct


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def hkdf_extract(salt, ikm):
    return mac(salt or bytes(32), ikm)


def hkdf_expand(prk, info, size):
    out = block = b""
    for counter in range(1, -(-size // 32) + 1):
        block = mac(prk, block, info, bytes([counter]))
        out += block
    return out[:size]


def lp(bits, data):
    return len(data).to_bytes(bits // 8, "big") + data


def expand(secret, label, context, size=32):
    label = label.encode() if isinstance(label, str) else label
    return hkdf_expand(secret, struct.pack(">H", size) + lp(8, b"qsp1 " + label) + lp(8, context), size)


def transcript(*messages):
    return sha256(b"QSP/1.0", *messages)
