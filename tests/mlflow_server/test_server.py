"""A real client, real users, and the faults that recipes for MLflow on ECS have."""

import base64
import json
import os
import subprocess
import sys
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from processes.child import clean_environment
from surroundings import ADMINISTRATOR_PASSWORD, CURRENT, DATABASE_PASSWORD

CLIENT = Path(__file__).resolve().parent / "client.py"
ADMINISTRATOR = ("admin", ADMINISTRATOR_PASSWORD)


def ask(server, path, user=None, host=None, body=None):
    """The status of an answer, and its text."""
    request = urllib.request.Request(server.url + path, json.dumps(body).encode() if body is not None else None)
    request.add_header("Content-Type", "application/json")
    if host:
        request.add_header("Host", host)
    if user:
        request.add_header("Authorization", "Basic " + base64.b64encode(":".join(user).encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


# A machine with much to do takes long to migrate tables; alone it takes seconds.
START = 300
SEARCH = "/api/2.0/mlflow/experiments/search?max_results=10"


class Server(unittest.TestCase):
    """One server for all; tests that need one of their own start it."""

    @classmethod
    def setUpClass(cls):
        cls.around = CURRENT[-1]
        # Two tasks that start together on an empty database.
        first, second = cls.around.prepare("first"), cls.around.prepare("second")
        try:
            cls.prepared = [first.wait(START), second.wait(START)]
            cls.words = first.last_words() + second.last_words()
        finally:
            first.stop()
            second.stop()
        cls.server = cls.around.serve("server") if cls.prepared == [0, 0] else None

    @classmethod
    def tearDownClass(cls):
        if cls.server:
            cls.server.stop()

    def setUp(self):
        self.assertIsNotNone(self.server, f"{self.prepared}: {self.words}")

    def test_two_tasks_may_start_together(self):
        self.assertEqual(self.prepared, [0, 0], self.words)
        ran = self.around.postgres.run("SELECT count(*) FROM experiments WHERE name = 'Default'", "mlflow")
        self.assertEqual(ran, "1", "the first experiment was made once")

    def test_a_task_that_starts_later_finds_the_work_done(self):
        again = self.around.prepare("again")
        try:
            self.assertEqual(again.wait(START), 0, again.last_words())
        finally:
            again.stop()

    def test_health_is_told_to_everybody_whatever_the_host(self):
        for host in (None, "10.20.1.7:5000", "evil.example.com"):
            self.assertEqual(ask(self.server, "/health", host=host), (200, "OK"), host)

    def test_nobody_is_let_in_without_the_right_password(self):
        self.assertEqual(ask(self.server, SEARCH)[0], 401)
        self.assertEqual(ask(self.server, SEARCH, ("admin", "password1234"))[0], 401)
        self.assertEqual(ask(self.server, SEARCH, ADMINISTRATOR)[0], 200)

    def test_other_hosts_are_refused(self):
        self.assertEqual(ask(self.server, SEARCH, ADMINISTRATOR, host="evil.example.com")[0], 403)

    def test_no_password_is_seen_in_logs_or_among_the_processes(self):
        seen = self.server.last_words() + self.words
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if os.getpgid(int(process.name)) == self.server.pid:
                    seen += (process / "cmdline").read_text(errors="replace")
            except (OSError, ValueError):
                pass
        self.assertIn("postgresql+psycopg2:///mlflow", seen)
        for password in (DATABASE_PASSWORD, ADMINISTRATOR_PASSWORD):
            self.assertNotIn(password, seen)
        written = (self.around.folder / "server/auth.ini").read_text()
        self.assertNotIn(ADMINISTRATOR_PASSWORD, written)

    def test_the_database_is_reached_over_tls(self):
        asked = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'mlflow'"
        self.assertEqual(self.around.postgres.run(asked), "t")

    def test_a_client_logs_a_run_with_files_and_a_model_and_reads_them_back(self):
        self.client("write-and-read", ADMINISTRATOR, "runs")
        with_prefix = sorted(it.name for it in (self.around.folder / "storage/s3").rglob("note.txt*"))
        self.assertTrue(with_prefix, "the file is in the bucket")

    def test_a_reader_cannot_write_to_what_is_anothers_and_users_outlive_their_server(self):
        reader = ("reader", "a long enough password")
        made = ask(self.server, "/api/2.0/mlflow/users/create", ADMINISTRATOR, body=dict(zip(("username", "password"), reader)))
        self.assertEqual(made[0], 200, made)
        body = {"name": "of-the-administrator"}
        made = ask(self.server, "/api/2.0/mlflow/experiments/create", ADMINISTRATOR, body=body)
        self.assertEqual(made[0], 200, made)
        experiment = json.loads(made[1])["experiment_id"]
        run = {"experiment_id": experiment, "start_time": 1}
        self.assertEqual(ask(self.server, "/api/2.0/mlflow/runs/create", reader, body=run)[0], 403)
        self.assertEqual(ask(self.server, f"/api/2.0/mlflow/experiments/get?experiment_id={experiment}", reader)[0], 200)
        other = self.around.serve("other")
        try:
            self.assertEqual(ask(other, SEARCH, reader)[0], 200, "the other server knows the user")
            self.assertEqual(ask(other, "/api/2.0/mlflow/runs/create", reader, body=run)[0], 403)
        finally:
            other.stop()

    def test_a_server_takes_the_memory_that_is_counted_on(self):
        total = 0
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if os.getpgid(int(process.name)) == self.server.pid:
                    status = (process / "status").read_text()
                    total += int(status.split("VmRSS:")[1].split()[0]) // 1024
            except (OSError, ValueError, IndexError):
                pass
        print(f"the server takes {total} MiB", file=sys.stderr)
        self.assertLess(total, 256 + 2 * 320 + 256, "two processes, their parent and some room")

    def client(self, what, user, name):
        folder = self.around.folder / f"client-{name}"
        folder.mkdir()
        environment = clean_environment(
            HOME=folder, TMPDIR=folder, MLFLOW_TRACKING_URI=self.server.url, MLFLOW_TRACKING_USERNAME=user[0],
            MLFLOW_TRACKING_PASSWORD=user[1], MLFLOW_HTTP_REQUEST_MAX_RETRIES=1,
            # The emulator of S3 does not take the addresses that the server would sign for the client.
            MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD="false",
        )  # fmt: skip
        done = subprocess.run(
            [sys.executable, CLIENT, what], env=environment, cwd=folder, capture_output=True, text=True, timeout=START
        )
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:] + self.server.last_words())


if __name__ == "__main__":
    unittest.main()
