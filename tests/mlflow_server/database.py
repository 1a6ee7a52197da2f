"""PostgreSQL as RDS has it: a user who is no superuser, and whoever comes over the network has TLS and a password."""

import os
import shutil

from processes.child import free_port
from processes.postgres import SETTINGS, Postgres

RULES = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"


class Database(Postgres):
    """A running server on a port of loopback. The role `mlflow` owns the database of that name."""

    USER = "postgres"

    def __init__(self, log, certificates, password):
        self.certificates, self.port = certificates, free_port()
        self.settings = SETTINGS | {"listen_addresses": "127.0.0.1", "ssl": "on"}
        super().__init__(log)
        try:
            quoted = password.replace("'", "''")
            self.run(f"CREATE ROLE mlflow LOGIN CREATEDB PASSWORD '{quoted}'")
            self.run("CREATE DATABASE mlflow OWNER mlflow")
        except BaseException:
            self.stop()
            raise

    def run(self, statement, database="postgres"):
        """Runs a statement as the superuser, and gives what it prints."""
        asked = self._ask(statement, database)
        if asked.returncode:
            raise RuntimeError(f"PostgreSQL refused a statement: {asked.stderr}")
        return asked.stdout.strip()

    def _make(self):
        super()._make()
        (self.data / "pg_hba.conf").write_text(RULES)
        # The names that PostgreSQL looks for by itself.
        for source, name in ((self.certificates.chain, "server.crt"), (self.certificates.key, "server.key")):
            copy = self.data / name
            shutil.copy(source, copy)
            copy.chmod(0o600)
            if self._become:
                os.chown(copy, self._become.pw_uid, self._become.pw_gid)
