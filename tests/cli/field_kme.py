"""A KME for the tests that answers as KMEs in the field do: each call in the words, the form and the TLS that a script says. It
serves both ends of a link; nothing of it is shared with src/kme."""
import base64
import contextlib
import json
import os
import socket
import ssl
import threading
import uuid


def reply(status, body=b"", head=(), length=True):
    """An answer of HTTP/1.1 with a length, or of HTTP/1.0 that ends with the connection."""
    lines = [f"HTTP/1.{1 if length else 0} {status} x", "Connection: close", *head, *([f"Content-Length: {len(body)}"] if length else [])]
    return "\r\n".join([*lines, "", ""]).encode() + body


def words(status, text):
    return reply(status, json.dumps({"message": text}).encode())


class FieldKme:
    """`script` has a list of answers for "enc_keys" and "dec_keys", given one after the other; then each call gets its key. What
    `form` makes of a container (bytes) is sent. `calls` lists what was asked; `given` counts the keys that enc_keys gave out."""

    def __init__(self, lab_folder, script=None, form=lambda body: reply(200, body), clean=True, tls=None, refuse_post=None, stored=500):
        self.script = {call: list(answers) for call, answers in (script or {}).items()}
        self.form, self.clean, self.refuse_post, self.stored = form, clean, refuse_post, stored
        self.keys, self.calls, self.given, self.lock = {}, [], 0, threading.Lock()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(lab_folder / "kme-a/cert.pem", lab_folder / "kme-a/key.pem")
        context.load_verify_locations(lab_folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        if tls:
            context.maximum_version = tls
        self.context = context
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(plain,), daemon=True).start()

    def serve(self, plain):
        # Wrapping takes the socket over, and closes it where the handshake fails.
        with contextlib.suppress(OSError), self.context.wrap_socket(plain, server_side=True) as tls:
            text = b""
            while b"\r\n\r\n" not in text:
                piece = tls.recv(4096)
                if not piece:
                    return
                text += piece
            header, _, body = text.partition(b"\r\n\r\n")
            length = next((int(line[15:]) for line in header.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
            while len(body) < length:
                body += tls.recv(4096)
            method, target, _ = header.split(b"\r\n")[0].decode().split(" ")
            tls.sendall(self.answer(method, target, body))
            if self.clean:
                tls.unwrap()

    def answer(self, method, target, body):
        call = target.partition("?")[0].rpartition("/")[2]
        with self.lock:
            if call == "status":
                sizes = {"key_size": 256, "stored_key_count": self.stored, "max_key_count": 1000, "max_key_per_request": 1,
                         "max_key_size": 256, "min_key_size": 256, "max_SAE_ID_count": 0}
                names = dict.fromkeys(("source_KME_ID", "target_KME_ID", "master_SAE_ID", "slave_SAE_ID"), "x")
                return reply(200, json.dumps(names | sizes).encode())
            self.calls.append((call, method))
            if method == "POST" and self.refuse_post:
                return reply(self.refuse_post)
            if call == "enc_keys":
                key_id = str(uuid.uuid4())
                self.keys[key_id] = base64.b64encode(os.urandom(32)).decode()
                scripted = self.script.get(call)
                if scripted:
                    return scripted.pop(0)
                self.given += 1
            else:
                key_id = json.loads(body)["key_IDs"][0]["key_ID"] if method == "POST" else target.rpartition("=")[2]
                scripted = self.script.get(call)
                if scripted:
                    return scripted.pop(0)
            return self.form(json.dumps({"keys": [{"key_ID": key_id, "key": self.keys[key_id]}]}).encode())

    def count(self, call):
        with self.lock:
            return sum(asked == call for asked, _ in self.calls)
