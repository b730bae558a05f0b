"""AES-256-GCM (SP 800-38D) and ChaCha20-Poly1305 (RFC 8439) in plain Python, for checking test vectors.

Slow, and not in constant time: never for real keys.
"""

import hmac
import struct


def _xtime(a):
    return ((a << 1) ^ (0x11B if a & 0x80 else 0)) & 0xFF


def _make_sbox():
    sbox, p, q = [0x63] * 256, 1, 1
    while True:  # p runs through all non-zero bytes, q through their inverses
        p ^= _xtime(p)
        for shift in (1, 2, 4):
            q ^= (q << shift) & 0xFF
        q ^= 0x09 if q & 0x80 else 0
        rotations = q
        for turn in range(1, 5):
            rotations ^= ((q << turn) | (q >> (8 - turn))) & 0xFF
        sbox[p] = rotations ^ 0x63
        if p == 1:
            return bytes(sbox)


SBOX = _make_sbox()
TIMES2 = bytes(_xtime(a) for a in range(256))
SHIFT_ROWS = [0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11]


def aes256_round_keys(key):
    words, rcon = [key[i:i + 4] for i in range(0, 32, 4)], 1
    for i in range(8, 60):
        word = words[-1]
        if i % 8 == 0:
            word = bytes(SBOX[b] for b in word[1:] + word[:1])
            word = bytes([word[0] ^ rcon]) + word[1:]
            rcon = _xtime(rcon)
        elif i % 8 == 4:
            word = bytes(SBOX[b] for b in word)
        words.append(bytes(a ^ b for a, b in zip(words[i - 8], word)))
    return [b"".join(words[i:i + 4]) for i in range(0, 60, 4)]


def aes256_block(round_keys, block):
    state = [a ^ b for a, b in zip(block, round_keys[0])]
    for number, round_key in enumerate(round_keys[1:], 1):
        state = [SBOX[state[i]] for i in SHIFT_ROWS]
        if number < 14:
            mixed = []
            for column in range(0, 16, 4):
                a, b, c, d = state[column:column + 4]
                every = a ^ b ^ c ^ d
                mixed += [a ^ every ^ TIMES2[a ^ b], b ^ every ^ TIMES2[b ^ c], c ^ every ^ TIMES2[c ^ d], d ^ every ^ TIMES2[d ^ a]]
            state = mixed
        state = [a ^ b for a, b in zip(state, round_key)]
    return bytes(state)


def _pad16(data):
    return data + bytes(-len(data) % 16)


def _ghash(h, data):
    h, y = int.from_bytes(h, "big"), 0
    for offset in range(0, len(data), 16):
        x, v, y = y ^ int.from_bytes(data[offset:offset + 16], "big"), h, 0
        for bit in range(127, -1, -1):
            if x >> bit & 1:
                y ^= v
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
    return y.to_bytes(16, "big")


def _xor(data, stream):
    return bytes(a ^ b for a, b in zip(data, stream))


def _gcm(key, nonce, data):
    """The keystream applied to `data`, and the tag as a function of (aad, ciphertext)."""
    keys = aes256_round_keys(key)
    blocks = -(-len(data) // 16)
    stream = b"".join(aes256_block(keys, nonce + struct.pack(">I", 2 + i)) for i in range(blocks))

    def tag(aad, ciphertext):
        lengths = struct.pack(">QQ", 8 * len(aad), 8 * len(ciphertext))
        digest = _ghash(aes256_block(keys, bytes(16)), _pad16(aad) + _pad16(ciphertext) + lengths)
        return _xor(digest, aes256_block(keys, nonce + b"\0\0\0\1"))

    return _xor(data, stream), tag


def chacha20_block(key, nonce, counter):
    start = struct.unpack("<16I", b"expand 32-byte k" + key + struct.pack("<I", counter) + nonce)
    s = list(start)

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            word = s[z] ^ s[x]
            s[z] = (word << turn | word >> (32 - turn)) & 0xFFFFFFFF

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(s, start)))


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for offset in range(0, len(data), 16):
        total = (total + int.from_bytes(data[offset:offset + 16] + b"\1", "little")) * r % ((1 << 130) - 5)
    return ((total + int.from_bytes(key[16:], "little")) & ((1 << 128) - 1)).to_bytes(16, "little")


def _chacha(key, nonce, data):
    stream = b"".join(chacha20_block(key, nonce, 1 + i) for i in range(-(-len(data) // 64)))

    def tag(aad, ciphertext):
        lengths = struct.pack("<QQ", len(aad), len(ciphertext))
        return poly1305(chacha20_block(key, nonce, 0)[:32], _pad16(aad) + _pad16(ciphertext) + lengths)

    return _xor(data, stream), tag


CIPHERS = {2: _gcm, 29: _chacha}


def aead_seal(code, key, nonce, aad, plaintext):
    ciphertext, tag = CIPHERS[code](key, nonce, plaintext)
    return ciphertext + tag(aad, ciphertext)


def aead_open(code, key, nonce, aad, sealed):
    """The plaintext, or None where the tag is wrong."""
    if len(sealed) < 16:
        return None
    plaintext, tag = CIPHERS[code](key, nonce, sealed[:-16])
    return plaintext if hmac.compare_digest(tag(aad, sealed[:-16]), sealed[-16:]) else None
