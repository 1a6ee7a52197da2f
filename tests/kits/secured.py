"""PostgreSQL as a kit meets it: by TCP with a password, and TLS."""

import os
import shutil

from processes.child import free_port
from processes.postgres import SETTINGS, Postgres


class Database(Postgres):
    """A server that asks for passwords on its port; its socket is ours."""

    HOST = "127.0.0.1"

    def __init__(self, log, certificates):
        self.certificates, self.port = certificates, free_port()
        self.settings = SETTINGS | {"listen_addresses": self.HOST, "ssl": "on"}
        super().__init__(log)

    def _make(self):
        super()._make()
        for name, source in (("server.crt", self.certificates.chain), ("server.key", self.certificates.key)):
            target = self.data / name
            shutil.copyfile(source, target)
            os.chmod(target, 0o600)
            if self._become:
                os.chown(target, self._become.pw_uid, self._become.pw_gid)
        rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        (self.data / "pg_hba.conf").write_text(rules)

    def make(self, user, password):
        """A user with a database of the same name, as the image of PostgreSQL makes them."""
        quoted = password.replace("'", "''")
        for statement in (f"CREATE ROLE \"{user}\" LOGIN PASSWORD '{quoted}'", f'CREATE DATABASE "{user}" OWNER "{user}"'):
            self.ask(statement)

    def ask(self, statement, database="postgres"):
        asked = self._ask(statement, database)
        if asked.returncode:
            raise RuntimeError(f"{statement.split(' PASSWORD')[0]}: {asked.stderr}")
        return asked.stdout.strip()
