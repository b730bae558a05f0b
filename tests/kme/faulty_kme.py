"""A small KME of its own, after GS QKD 014, that can be told to break one rule at a time. It serves both ends of a link in one
process, over mutual TLS. Nothing of it is shared with src/kme: what the probe finds is compared with somebody else's reading."""
import base64
import http.server
import json
import os
import ssl
import threading
import urllib.parse
import uuid

NOT_FOUND = "one or more keys specified are not found on KME"
MULTIPLE = "size shall be a multiple of 8"
EXTENSION = "not all extension_mandatory parameters are supported"


class Refusal(Exception):
    def __init__(self, status, message):
        self.status, self.message = status, message


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.handle_call(None)

    def do_POST(self):
        self.handle_call(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def handle_call(self, body):
        kme, url = self.server.kme, urllib.parse.urlsplit(self.path)
        caller = dict(x[0] for x in self.connection.getpeercert()["subject"])["commonName"]
        _, _, _, _, sae, call = map(urllib.parse.unquote, url.path.split("/"))
        try:
            status, answer = 200, getattr(kme, call)(caller, sae, body, urllib.parse.parse_qs(url.query))
        except Refusal as refusal:
            status, answer = refusal.status, {"message": refusal.message}
        text = b"" if status == 401 else json.dumps(answer).encode()
        if status == 400 and "no-error-body" in kme.faults:
            text = b""
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if "not-json-type" in kme.faults else "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class Kme:
    key_size, min_size, max_size, per_request, sae_count = 256, 64, 1024, 10, 2

    def __init__(self, faults):
        self.faults = set(faults)
        self.given = {}  # key_ID: (master, slave, key)
        self.last = None

    def status(self, master, slave, _body, _query):
        status = {"source_KME_ID": "a", "target_KME_ID": "b", "master_SAE_ID": master, "slave_SAE_ID": slave,
                  "key_size": self.key_size, "stored_key_count": 500, "max_key_count": 1000, "max_key_per_request": self.per_request,
                  "max_key_size": self.max_size, "min_key_size": self.min_size, "max_SAE_ID_count": self.sae_count}
        if "status-lacks-member" in self.faults:
            del status["max_SAE_ID_count"]
        if "status-text-number" in self.faults:
            status["key_size"] = "256"
        if "status-wrong-slave" in self.faults:
            status["slave_SAE_ID"] = "somebody"
        if "status-sizes" in self.faults:
            status["min_key_size"] = 512
        return status

    def enc_keys(self, master, slave, body, query):
        if body is None:
            request = {name: int(values[0]) for name, values in query.items() if name in ("number", "size")}
            if "get-ignores-parameters" in self.faults:
                request = {}
        elif not body:
            if "post-needs-body" in self.faults:
                raise Refusal(400, "no body")
            request = {}
        else:
            try:
                request = json.loads(body)
            except ValueError:
                raise Refusal(200 if "takes-garbage" in self.faults else 400, "not JSON")
        if slave != "bob":
            raise Refusal(404 if "unknown-slave-404" in self.faults else 400, "no such SAE")
        number, size = request.get("number", 1), request.get("size", self.key_size)
        if not isinstance(number, int) or not isinstance(size, int):
            raise Refusal(500 if "wrong-type-500" in self.faults else 400, "not a number")
        if "strict-members" in self.faults and set(request) - {"number", "size", "extension_mandatory"}:
            raise Refusal(400, "unknown member")
        if request.get("extension_mandatory") and "takes-any-extension" not in self.faults:
            raise Refusal(400, "I know none" if "own-words" in self.faults else EXTENSION)
        if size % 8:
            if "rounds-sizes" not in self.faults:
                raise Refusal(400, MULTIPLE)
            size -= size % 8
        bounded = "no-bounds" not in self.faults
        if bounded and not (self.min_size <= size <= self.max_size and 1 <= number <= self.per_request):
            raise Refusal(400, "out of bounds")
        if bounded and len(request.get("additional_slave_SAE_IDs", [])) > self.sae_count:
            raise Refusal(400, "too many SAEs")
        if "size-ignored" in self.faults:
            size = self.key_size
        return {"keys": [self.make_key(master, slave, size) for _ in range(number)]}

    def make_key(self, master, slave, size):
        key_id, key = str(uuid.uuid4()), os.urandom(size // 8)
        if "same-key" in self.faults:
            key = bytes(size // 8)
        if "same-id" in self.faults and self.last:
            key_id = self.last
        if "odd-id" in self.faults:
            key_id = "key-" + key_id[:8]
        self.last = key_id
        self.given[key_id] = (master, slave, key)
        text = base64.b64encode(key).decode()
        return {"key_ID": key_id, "key": text.rstrip("=") if "no-padding" in self.faults else text}

    def dec_keys(self, slave, master, body, query):
        ids = query.get("key_ID", []) if body is None else [item["key_ID"] for item in json.loads(body)["key_IDs"]]
        if body is None and "no-get-dec" in self.faults:
            raise Refusal(405, "POST only")
        if not ids and "takes-no-ids" not in self.faults:
            raise Refusal(400, "no key_ID")
        found = []
        for key_id in ids:
            if key_id not in self.given:
                if "not-found-404" in self.faults:
                    raise Refusal(404, NOT_FOUND)
                raise Refusal(400, "gone" if "own-words" in self.faults else NOT_FOUND)
            if self.given[key_id][:2] != (master, slave) and "anybody" not in self.faults:
                raise Refusal(401, "")
            found.append(self.given[key_id][2])
            if "half-done" in self.faults:
                del self.given[key_id]
        if "delivers-again" not in self.faults:
            for key_id in ids:
                self.given.pop(key_id, None)
        if "other-bytes" in self.faults:
            found = [bytes(len(key)) for key in found]
        return {"keys": [{"key_ID": i, "key": base64.b64encode(k).decode()} for i, k in zip(ids, found)]}


class Server:
    """Listens on 127.0.0.1 with the laboratory's certificates of kme-a; a context manager."""

    def __init__(self, lab_folder, faults=()):
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.kme = Kme(faults)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(lab_folder / "kme-a/cert.pem", lab_folder / "kme-a/key.pem")
        context.load_verify_locations(lab_folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.http.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()
