"""A PostgreSQL of this run alone, on a Unix socket, without care for its data after the run."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from processes.child import Child, clean_environment

# Newest first.
PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda it: int(it.parent.name), reverse=True)
# MLflow 3.0 compares numbers with texts. Its usual driver sends texts without a type; ours, chosen for its licence, has one.
TEXT_AS_NUMBER = "CREATE CAST (varchar AS integer) WITH INOUT AS IMPLICIT"
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
}


def program(name):
    for place in PLACES:
        if (place / name).is_file():
            return place / name
    found = shutil.which(name)
    if found is None:
        raise RuntimeError(f"PostgreSQL's {name} is not there\nhint: install PostgreSQL (Debian: postgresql)")
    return Path(found)


class Postgres:
    """A running server. It never runs as root: root's one is the user postgres's, or else nobody's."""

    USER = "mlflow"
    # What others who need it otherwise may change: the port names the socket too.
    settings, port = SETTINGS, 5432

    def __init__(self, log):
        # Beneath the system's folder of temporary files, which every user reaches, and short: a socket's path is limited.
        self.folder = Path(tempfile.mkdtemp(prefix="formwork-pg-"))
        self.data = self.folder / "data"
        self._become = self._other_user() if os.geteuid() == 0 else None
        if self._become:
            os.chown(self.folder, self._become.pw_uid, self._become.pw_gid)
        self.child = None
        try:
            self._make()
            command = [program("postgres"), "-D", self.data, "-k", self.folder, "-p", self.port]
            for name, value in self.settings.items():
                command += ["-c", f"{name}={value}"]
            self.child = Child("PostgreSQL", command, clean_environment(), log, self.folder, before=self._switch)
            self.child.until(self.socket.exists)
            self.child.until(lambda: self._ask("SELECT 1").returncode == 0)
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def database(self, name):
        """Makes a database and gives its URI."""
        for statement, database in ((f'CREATE DATABASE "{name}"', "postgres"), (TEXT_AS_NUMBER, name)):
            asked = self._ask(statement, database)
            if asked.returncode:
                raise RuntimeError(f"cannot make the database {name}: {asked.stderr}")
        return f"postgresql+pg8000://{self.USER}@/{name}?unix_sock={self.socket}"

    @property
    def socket(self):
        return self.folder / f".s.PGSQL.{self.port}"

    def stop(self):
        if self.child:
            self.child.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def _other_user():
        names = {it.pw_name: it for it in pwd.getpwall()}
        return names.get("postgres") or names["nobody"]

    def _switch(self):
        if self._become:
            os.setgroups([])
            os.setgid(self._become.pw_gid)
            os.setuid(self._become.pw_uid)

    def _run(self, *command):
        return subprocess.run(
            [str(word) for word in command], env=clean_environment(), cwd=self.folder, capture_output=True, text=True,
            preexec_fn=self._switch, timeout=60,
        )  # fmt: skip

    def _make(self):
        made = self._run(
            program("initdb"), "-D", self.data, "-U", self.USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr}")

    def _ask(self, statement, database="postgres"):
        place = ["-h", self.folder, "-p", self.port, "-U", self.USER, "-d", database]
        return self._run(program("psql"), *place, "-qAtc", statement)
