"""What the tests of the migration stand on: a PostgreSQL with TLS and passwords, sources by real clients, and the kit."""

import contextlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
KIT = REPOSITORY / "apps/kits/migrate"
sys.path[:0] = [str(KIT), str(REPOSITORY / "tests/proxy")]

import migrate as program  # noqa: E402
from processes.certificates import Certificates  # noqa: E402
from processes.child import Child, clean_environment, free_port  # noqa: E402
from processes.postgres import SETTINGS, Postgres  # noqa: E402
from processes.servers import Emulator  # noqa: E402

# Of the signs that a generated password has in RDS, and one that is a percent-encoding by chance.
PASSWORD = "p#?%41:&+[]{}<>=!$*()-_^~,;|'"
KEY = "c2VjcmV0IG9mIHRoZSB3ZWJob29rcyBvZiB0ZXN0cyE="


class SecurePostgres(Postgres):
    """As on RDS: TLS and a password over the network, and a user who is no administrator. The socket is the tests' own."""

    def __init__(self, log, certificates):
        self.port, self.certificates = free_port(), certificates
        self.settings = SETTINGS | {"listen_addresses": "127.0.0.1", "port": str(self.port), "ssl": "on"}
        super().__init__(log)
        self.ask(f"CREATE ROLE app LOGIN PASSWORD $${PASSWORD}$$")

    def _make(self):
        super()._make()
        self.settings |= {"ssl_cert_file": "server.pem", "ssl_key_file": "server.key"}
        for name, source in (("server.pem", self.certificates.chain), ("server.key", self.certificates.key)):
            shutil.copyfile(source, self.data / name)
            os.chmod(self.data / name, 0o600)
            if self._become:
                os.chown(self.data / name, self._become.pw_uid, self._become.pw_gid)
        rules = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
        (self.data / "pg_hba.conf").write_text(rules)

    def ask(self, statement, database="postgres"):
        asked = self._ask(statement, database)
        if asked.returncode:
            raise RuntimeError(asked.stderr)
        return asked.stdout.strip()

    def new(self, name):
        """A database that belongs to the user of the application."""
        self.ask(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.ask(f'CREATE DATABASE "{name}" OWNER app')
        return name

    def uri(self, name):
        """For an MLflow that stands beside it, as the same user."""
        return f"postgresql+pg8000://app@/{name}?unix_sock={self.socket}"


@dataclass
class Outcome:
    status: int
    words: str
    folder: Path

    def report(self, name="report.json"):
        return json.loads((self.folder / name).read_text())


class Setting:
    """Started once for all tests."""

    def __init__(self):
        self.stack = contextlib.ExitStack()
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="formwork-migrate-")))
        self.certificates = Certificates(self.folder / "certificates")
        self.postgres = self.stack.enter_context(SecurePostgres(self.folder / "postgres.log", self.certificates))
        self.passwords = self.folder / "pgpass"
        escaped = PASSWORD.replace("\\", "\\\\").replace(":", "\\:")
        self.passwords.write_text(f"# of the tests\nlocalhost:*:*:app:{escaped}\n")
        self.passwords.chmod(0o600)
        os.environ |= {"PGPASSFILE": str(self.passwords), "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": KEY}
        # A download that fails is told soon.
        os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "2"
        self._sources = {}

    def close(self):
        self.stack.close()

    def environment(self, **more):
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return clean_environment(HOME=home, MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY=KEY, PGPASSFILE=self.passwords, **more)

    def source(self, kind="sqlite"):
        """A folder with a store that a real client has filled; it is made once, and copied for whoever changes it."""
        if kind not in self._sources:
            folder = self.folder / f"source of {kind}"
            folder.mkdir()
            uri = f"sqlite:///{folder}/mlflow.db" if kind == "sqlite" else f"{folder}/mlruns"
            environment = self.environment(MLFLOW_ALLOW_FILE_STORE="true")
            made = subprocess.run(
                [sys.executable, HERE / "make_source.py", uri], env=environment, cwd=folder, capture_output=True, text=True,
                timeout=300,
            )  # fmt: skip
            if made.returncode:
                raise RuntimeError(made.stderr[-3000:])
            self._sources[kind] = folder
        return self._sources[kind]

    def changed_source(self, name, *statements):
        """A copy of the source that somebody has changed behind MLflow's back."""
        copy = self.folder / name / "mlflow.db"
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(self.source() / "mlflow.db", copy)
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
        return copy

    def kit(self, name, database, source, artifacts=None, **target):
        """The kit in a folder of its own, with its settings."""
        folder = self.folder / f"kit {name}"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(KIT, folder, ignore=shutil.ignore_patterns("__pycache__", ".venv"))
        values = {"databaseHost": "localhost", "databaseAddress": "127.0.0.1", "databasePort": self.postgres.port}
        values |= {"databaseName": database, "databaseUser": "app", "databaseTls": "verify-full"}
        values |= {"databaseCertificates": str(self.certificates.authority)} | source | (artifacts or {}) | target
        (folder / "kit.toml").write_text("".join(f"{name} = {toml(value)}\n" for name, value in values.items()))
        return folder

    def run(self, folder, *arguments):
        """The program in this process: most of a run's time is the loading of MLflow."""
        words, before = io.StringIO(), sys.argv
        sys.argv = ["migrate.py", "--settings", str(folder / "kit.toml"), *arguments]
        try:
            with contextlib.redirect_stderr(words):
                status = program.main()
        finally:
            sys.argv = before
        return Outcome(status, words.getvalue(), folder)

    def start(self, folder, *arguments):
        """The program as a process of its own."""
        command = [sys.executable, folder / "migrate.py", *arguments]
        return subprocess.Popen(command, env=self.environment(), cwd="/", stderr=subprocess.PIPE, text=True)

    def server(self, database, *arguments):
        """MLflow on the target."""
        port = free_port()
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", 1]
        command += ["--backend-store-uri", self.postgres.uri(database), *arguments]
        more = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        folder = self.folder / f"server of {database}"
        folder.mkdir(exist_ok=True)
        server = Child("MLflow", command, self.environment(**more), folder / "log", folder)
        server.url = f"http://127.0.0.1:{port}"
        return server

    def storage(self, python):
        """An emulator of S3."""
        return Emulator(Path(python).absolute(), self.folder / "storage")


def toml(value):
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return str(value) if isinstance(value, int) else "'" + str(value) + "'"
