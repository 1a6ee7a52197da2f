"""The kit's store as it would decide: who may do what by the identities of the kit, in front of an emulator that asks nobody.

It reads the file that the real store reads. Signatures are not its matter: that somebody without a key, or with the key of
another, gets no further, is.
"""

import http.client
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

ACCOUNT = "111122223333"
ANYBODY = f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20200101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
# What is the gate's own matter with its two sides.
GATES_OWN = ("host", "connection", "transfer-encoding", "content-length", "expect")
READING = {"GET": "Read", "HEAD": "Read", "PUT": "Write", "POST": "Write", "DELETE": "Write"}


def allowed(identities, key, method, path):
    """Whether the actions of a key have this request."""
    actions = identities.get(key)
    if actions is None:
        return False
    bucket, _, name = path.strip("/").partition("/")
    if "Admin" in actions:
        return True
    if not name:
        return method in ("GET", "HEAD") and f"List:{bucket}" in actions
    return f"{READING[method]}:{bucket}" in actions


class Gate:
    """Use it in a `with`; `identities` None lets everybody through, as a store without them does."""

    def __init__(self, upstream, identities):
        self.asked = []
        gate, to = self, urlsplit(upstream)
        known = None
        if identities is not None:
            found = json.loads(identities.read_text())["identities"]
            known = {key["accessKey"]: it["actions"] for it in found for key in it["credentials"]}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self):
                body = self.body()
                path = urlsplit(self.path)
                signed = self.headers.get("Authorization", "") + path.query
                key = re.search(r"Credential=([A-Za-z0-9]+)", signed)
                key = key and key[1]
                gate.asked.append((key, self.command, path.path))
                if known is not None and not allowed(known, key, self.command, path.path):
                    self.say(403, b"<Error><Code>AccessDenied</Code></Error>", {"Content-Type": "application/xml"})
                    return
                onward = http.client.HTTPConnection(to.hostname, to.port, timeout=60)
                # The emulator takes the account from the key: all keys here are of one.
                headers = {k: v for k, v in self.headers.items() if k.lower() not in GATES_OWN}
                if key:
                    headers = {k: v.replace(key, ACCOUNT) for k, v in headers.items()}
                else:
                    headers["Authorization"] = ANYBODY
                onward.request(self.command, self.path, body, headers)
                answer = onward.getresponse()
                kept = {k: v for k, v in answer.getheaders() if k.lower() not in GATES_OWN}
                length = answer.getheader("Content-Length")
                data = answer.read()
                self.say(answer.status, data, kept, length)
                onward.close()

            def body(self):
                if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                    length = int(self.headers.get("Content-Length") or 0)
                    return self.rfile.read(length) if length else None
                parts = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer

            def say(self, status, data, headers, length=None):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", length if self.command == "HEAD" and length else str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
