"""The migration server of Metaflow's metadata service on loopback: its routes and answers, without a database."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSIONS = ["20200603104139", "20230118020300", "20260706000003"]


class FakeService:
    """Answers as the service does, of which each answer was seen from the real one (version 2.5.1)."""

    def __init__(self, version=VERSIONS[0], known=None):
        self.version, self.known = version, list(known or VERSIONS)
        self.calls, self.faults = [], []
        # Whether a migration that was begun ends: the server may cut the connection first.
        self.upgrade_works, self.cuts_upgrade, self.questions_until_done = True, False, 0
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                fake.calls.append(f"GET {self.path}")
                if fake.faults:
                    return self._send(fake.faults.pop(0), "no task")
                if self.path == "/ping":
                    return self._send(200, "pong")
                if self.path == "/db_schema_status":
                    return self._send(200, json.dumps(fake.status()))
                return self._send(404, "404: Not Found")

            def do_PATCH(self):
                fake.calls.append(f"PATCH {self.path}")
                if fake.cuts_upgrade:
                    self.close_connection = True
                    self.connection.close()
                    return None
                if not fake.upgrade_works:
                    return self._send(500, "upgrade failed")
                fake.version = fake.known[-1]
                return self._send(200, "upgrade success")

            def _send(self, status, text):
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def status(self):
        if self.cuts_upgrade and "PATCH /upgrade" in self.calls:
            self.questions_until_done -= 1
            if self.questions_until_done <= 0:
                self.version = self.known[-1]
        # The service gives every migration as missing when it does not know where the tables are.
        known = self.known
        unapplied = known[known.index(self.version) + 1 :] if self.version in known else known
        return {
            "is_up_to_date": not unapplied,
            "current_version": self.version,
            "migration_in_progress": False,
            "db_schema_versions": known,
            "unapplied_migrations": unapplied,
        }

    def close(self):
        self._server.shutdown()
        self._server.server_close()
