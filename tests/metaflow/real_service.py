"""The real metadata service on PostgreSQL, for runs that are given its source.

FORMWORK_METAFLOW_SERVICE_SOURCE names a folder with the sources of Netflix/metaflow-service, and
FORMWORK_METAFLOW_SERVICE_PYTHON a Python that has its packages. Its schema is made by its own SQL files, since its
program for that is not in every registry.
"""

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path

from processes.child import Child, clean_environment, free_port
from processes.postgres import Postgres

MIGRATIONS = "services/migration_service/migration_files"


class RealService:
    """The service, reached by whoever is inside; in front of it stands no API that would ask for a key."""

    def __init__(self, source, folder):
        self._source, self._folder, self._stack = Path(source), folder, ExitStack()
        self.inside = self.outside = free_port()

    def __enter__(self):
        try:
            database = self._stack.enter_context(Postgres(self._folder / "postgres.log"))
            url = database.database("metaflow")
            self._migrate(database)
            environment = clean_environment(
                MF_METADATA_DB_HOST=database.folder, MF_METADATA_DB_PORT=5432, MF_METADATA_DB_USER=database.USER,
                MF_METADATA_DB_PSWD="none", MF_METADATA_DB_NAME="metaflow", MF_METADATA_HOST="127.0.0.1",
                MF_METADATA_PORT=self.inside, PYTHONPATH=self._source,
            )  # fmt: skip
            assert "metaflow" in url
            python = os.environ.get("FORMWORK_METAFLOW_SERVICE_PYTHON", "python3")
            command = [python, "-m", "services.metadata_service.server"]
            log = self._folder / "service.log"
            self._child = self._stack.enter_context(Child("metadata service", command, environment, log, self._source))
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_):
        self._stack.close()

    def until_answers(self, url):
        self._child.until_answers(url)

    def _migrate(self, database):
        files = sorted((self._source / MIGRATIONS).glob("*.sql"), key=lambda it: int(it.name.partition("_")[0]))
        if not files:
            raise RuntimeError(f"{self._source} has no {MIGRATIONS}/*.sql")
        for file in files:
            up = file.read_text().partition("-- +goose Up")[2].partition("-- +goose Down")[0]
            subprocess.run(
                ["psql", "-v", "ON_ERROR_STOP=1", "-q", "-h", database.folder, "-U", database.USER, "metaflow"],
                input=up, text=True, check=True, env=clean_environment(), capture_output=True,
            )  # fmt: skip
