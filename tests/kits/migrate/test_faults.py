"""Each fault of a recipe with pgloader (schema first, then `data only, truncate, reset no sequences`, with foreign keys
switched off): that it is one, and that the migration is without it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import mlflow

from case import Case
from setting import PASSWORD

RECIPE = """LOAD DATABASE FROM sqlite://{source} INTO postgresql://mlflow@unix:{socket}:{port}/{database}
WITH data only, truncate, reset no sequences, downcase identifiers
SET PostgreSQL PARAMETERS {parameters}work_mem = '16MB', search_path = 'public';
"""


class Faults(Case):
    @classmethod
    def setUpClass(cls):
        """One migrated database for all: what is broken in it is mended again."""
        source = {"sourceDatabase": str(cls.setting.source() / "mlflow.db")}
        cls.folder = cls.setting.kit("faults", cls.setting.postgres.new("faults"), source)
        outcome = cls.setting.run(cls.folder)
        assert outcome.status == 0, outcome.words
        cls.first = outcome

    def ask(self, statement):
        return self.postgres.ask(statement, "faults")

    def verify(self):
        return self.setting.run(self.folder, "--verify")

    def test_what_it_reports(self):
        report = self.first.report()
        self.assertEqual(report["rows"]["runs"], 7)
        self.assertEqual(report["target_was"], "empty")
        self.assertGreater(report["verified"]["foreign_keys"], 50)
        self.assertIn("locations stay local", self.first.words, "no store was named")
        self.assertNotIn(
            "formwork_migration", self.ask("SELECT relname FROM pg_class WHERE relname = 'formwork_migration'")
        )

    def test_foreign_keys_stay_on_and_need_no_right(self):
        """The recipe's `session_replication_role` is the administrator's; the migration ran as `app`."""
        refused = self.postgres._ask("SET ROLE app; SET session_replication_role = 'replica'", "faults")
        self.assertIn("permission denied", refused.stderr)
        self.assertEqual(self.ask("SELECT rolsuper FROM pg_roles WHERE rolname = 'app'"), "f")
        self.assertEqual(self.ask("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND NOT convalidated"), "0")
        self.ends(self.verify(), 0)

    def test_foreign_keys_that_are_off_are_found(self):
        self.ask("ALTER TABLE runs DISABLE TRIGGER ALL")
        try:
            self.ends(self.verify(), 5, "the foreign keys of runs are switched off")
        finally:
            self.ask("ALTER TABLE runs ENABLE TRIGGER ALL")

    def test_sequences_go_on_after_the_last_number(self):
        last = self.ask("SELECT max(experiment_id) FROM experiments")
        mlflow.set_tracking_uri(self.postgres.uri("faults"))
        made = mlflow.MlflowClient().create_experiment("the next")
        self.assertGreater(int(made), int(last))
        self.ask(f"DELETE FROM experiments WHERE experiment_id = {made}")

    def test_sequences_that_were_not_set_are_found(self):
        self.ask("SELECT setval('experiments_experiment_id_seq', 1)")
        try:
            mlflow.set_tracking_uri(self.postgres.uri("faults"))
            with self.assertRaisesRegex(mlflow.exceptions.MlflowException, "already exists"):
                mlflow.MlflowClient().create_experiment("never seen before")
            self.ends(self.verify(), 5, "experiments_experiment_id_seq would give")
        finally:
            self.ask("SELECT setval('experiments_experiment_id_seq', 100)")

    def test_a_row_that_is_missing_is_found(self):
        rows = self.ask("SELECT count(*) FROM params")
        self.ask(
            "CREATE TABLE kept AS SELECT * FROM params; DELETE FROM params WHERE ctid = (SELECT min(ctid) FROM params)"
        )
        try:
            self.ends(self.verify(), 5, f"params has {int(rows) - 1} rows, not {rows}")
        finally:
            self.ask("TRUNCATE params; INSERT INTO params SELECT * FROM kept; DROP TABLE kept")

    def test_a_value_that_changed_is_found(self):
        """Counts alone say nothing of it: a value in a row, and two values that have changed places."""
        changes = {
            "tags.value": "UPDATE tags SET value = value || ' ' WHERE ctid = (SELECT min(ctid) FROM tags)",
            "latest_metrics.value": "UPDATE latest_metrics SET value = value + 1e-9 WHERE key = 'value' AND value = 1.1",
            "runs.name": "UPDATE runs SET name = CASE name WHEN 'run 1' THEN 'run 2' ELSE 'run 1' END "
            "WHERE experiment_id = 2 AND name IN ('run 1', 'run 2')",
        }
        tables = [column.split(".")[0] for column in changes]
        for table in tables:
            self.ask(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")
        self.ask("; ".join(changes.values()))
        try:
            outcome = self.verify()
            self.ends(outcome, 5, *[f"{column} has other values" for column in changes])
            self.assertEqual(outcome.words.count("has other values"), len(changes), outcome.words)
        finally:
            for table in tables:
                fill = f"DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}; DROP TABLE kept_{table}"
                self.ask(f"ALTER TABLE {table} DISABLE TRIGGER ALL; {fill}; ALTER TABLE {table} ENABLE TRIGGER ALL")
        self.ends(self.verify(), 0)

    def test_the_driver_is_named(self):
        """The recipe's `postgresql://` is whatever driver SQLAlchemy prefers, which need not be there."""
        from sqlalchemy import create_engine

        with self.assertRaisesRegex(ModuleNotFoundError, "psycopg"):
            create_engine("postgresql://app@localhost/faults")

    def test_the_recipe_shows_its_password(self):
        """As the recipe has it: the address with its password is an argument, and everybody sees it."""
        uri = f"postgresql+pg8000://app:{PASSWORD[0]}hidden@127.0.0.1:1/none"
        process = subprocess.Popen([sys.executable, "-m", "mlflow", "db", "upgrade", uri], stderr=subprocess.DEVNULL)
        try:
            words = b""
            while b"mlflow" not in words and process.poll() is None:
                words = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            self.assertIn(b"hidden", words)
        finally:
            process.kill()
            process.wait()

    def test_the_recipe_itself(self):
        """The real program, where it is installed: refused as the user of the application, and broken as administrator."""
        program = shutil.which("pgloader")
        if program is None or not self.slow:
            self.skipTest("pgloader is not installed" if program is None else "--slow was not given")
        name = "recipe"
        self.postgres.ask(f'DROP DATABASE IF EXISTS "{name}"')
        self.postgres.ask(f'CREATE DATABASE "{name}"')
        administrator = self.postgres.uri(name).replace("app@", f"{self.postgres.USER}@")
        environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
        subprocess.run(
            [sys.executable, "-m", "mlflow", "db", "upgrade", administrator],
            check=True,
            env=environment,
            capture_output=True,
        )
        recipe = self.setting.folder / "migration.load"
        place = {
            "source": self.setting.source() / "mlflow.db",
            "socket": self.postgres.folder,
            "port": self.postgres.port,
        }
        recipe.write_text(RECIPE.format(**place, database=name, parameters="session_replication_role = 'replica', "))
        loaded = subprocess.run([program, recipe], capture_output=True, text=True, timeout=200)
        self.assertEqual(loaded.returncode, 0, loaded.stdout + loaded.stderr)
        mlflow.set_tracking_uri(administrator)
        with self.assertRaisesRegex(mlflow.exceptions.MlflowException, "already exists"):
            mlflow.MlflowClient().create_experiment("never seen before")
