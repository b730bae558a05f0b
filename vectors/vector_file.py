"""What a file of test vectors holds (vectors/README.md), and reading it."""

import re

BYTES, TEXT, INT = "bytes", str, int  # types of fields in a vector file; a "?" in front of a name: may be absent
NAMED = {"code": INT, "name": TEXT}
KEY = {"?private_key": BYTES, "public_key": BYTES, "spki": BYTES, "identity": BYTES, "sae_id": TEXT}
_SECRETS = ("ss qkd_key hs_secret c_hs s_hs th_ch_sh th_sa sig_s_input th_ca sig_c_input th4 derived master c_finished s_finished "
            "confirm_c th_sf confirm_s epoch_secret_1").split()
SCHEMA = {
    "format": TEXT, "name": TEXT, "description": TEXT, "qkd_offer": INT, "qkd_mode": INT, "session_id": BYTES,
    "suite": {"kem": NAMED, "sig_client": NAMED, "sig_server": NAMED, "aead": NAMED},
    "keys": {"client": KEY, "server": KEY},
    "handshake": {"messages": [{"name": TEXT, "from": TEXT, "plaintext": BYTES, "frame": BYTES}], "?kem_private_key": BYTES,
                  "key_id": TEXT, **{name: BYTES for name in _SECRETS}},
    "epochs": [{
        "epoch": INT, **{name: BYTES for name in "epoch_secret c_key s_key ratchet exporter".split()},
        "frames": [{"from": TEXT, "type": INT, "flags": INT, "n": INT, "plaintext": BYTES, "frame": BYTES}],
        "?rekey": {"?kem_private_key": BYTES, "key_id": TEXT,
                   **{name: BYTES for name in "init ack done material ss qkd_key thr prk confirm".split()}}}],
    "exports": [{"epoch": INT, "label": TEXT, "context": BYTES, "size": INT, "key": BYTES}],
    "failing": [{"description": TEXT, "epoch": INT, "frame_index": INT, "from": TEXT, "altered_frame": BYTES, "reason": TEXT}],
}


class BadFile(Exception):
    pass


def load(value, schema, where=""):
    """`value` with its bytes decoded. Raises BadFile where it is not what the schema says."""
    if schema is BYTES:
        if not isinstance(value, str) or not re.fullmatch(r"([0-9a-f]{2})*", value):
            raise BadFile(f"{where}: not lower-case hexadecimal bytes")
        return bytes.fromhex(value)
    if isinstance(schema, list):
        if not isinstance(value, list):
            raise BadFile(f"{where}: not an array")
        return [load(item, schema[0], f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(schema, dict):
        if not isinstance(value, dict):
            raise BadFile(f"{where}: not an object")
        names = {name.lstrip("?"): kind for name, kind in schema.items()}
        absent = [n for n in schema if n[0] != "?" and n not in value] + [n for n in value if n not in names]
        if absent:
            raise BadFile(f"{where}: missing or unknown: {', '.join(absent)}")
        return {name: load(item, names[name], f"{where}.{name}".lstrip(".")) for name, item in value.items()}
    if not isinstance(value, schema) or isinstance(value, bool) or (schema is INT and value < 0):
        raise BadFile(f"{where}: not {'text' if schema is TEXT else 'an integer from 0'}")
    return value
