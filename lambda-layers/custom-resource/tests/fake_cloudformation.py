"""The presigned URL on loopback: takes the answers, and can refuse them."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakeResponseUrl:
    SECRET = "X-Amz-Signature=5ec2e7"

    def __init__(self):
        self.attempts, self.answers, self.raw, self.statuses = 0, [], [], []
        self.content_types, self.paths = [], []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fake.attempts += 1
                fake.paths.append(self.path)
                status = fake.statuses.pop(0) if fake.statuses else 200
                if status == 200:
                    fake.raw.append(body)
                    fake.answers.append(json.loads(body))
                    fake.content_types.append(self.headers.get("Content-Type"))
                self.send_response(status)
                if status == 307:
                    self.send_header("Location", f"{fake.url}&redirected=1")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/answer?{self.SECRET}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
