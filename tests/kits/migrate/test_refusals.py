"""What is refused, in words that say what to do; nothing is written then, neither to the source nor to the target."""

import contextlib
import os
import sqlite3
import subprocess
import sys

from alembic import command
from mlflow.store.db.utils import InitialBase, _get_alembic_config
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import create_engine

from case import Case, state_of
from migration import settings
from migration.target import Target

EMPTY = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"


class Refusals(Case):
    def kit(self, name, source=None, artifacts=None, **target):
        database = target.pop("database", None) or self.postgres.new(name)
        return self.setting.kit(name, database, self.sqlite(source), artifacts, **target)

    def refused(self, folder, name, status, *words, arguments=()):
        """It ends with words, and leaves the target as empty as it was."""
        before = self.postgres.ask(EMPTY, name)
        outcome = self.setting.run(folder, *arguments)
        self.ends(outcome, status, "error: ", *words)
        self.assertEqual(self.postgres.ask(EMPTY, name), before)
        self.assertFalse((folder / "work").exists())
        return outcome

    def test_a_dry_run_changes_nothing(self):
        copied = self.setting.folder / "never copied"
        folder = self.kit("dry", artifacts={"artifactsTo": str(copied)})
        outcome = self.setting.run(folder, "--dry-run")
        self.ends(outcome, 0, "rows in")
        report = outcome.report("dry-run.json")
        self.assertEqual(report["rows"]["runs"], 7)
        self.assertGreater(report["artifacts"]["bytes"], 1000)
        self.assertEqual(self.postgres.ask(EMPTY, "dry"), "0")
        self.assertFalse(copied.exists())

    def test_a_target_that_holds_something(self):
        name = "not empty"
        folder = self.kit(name)
        self.postgres.ask("CREATE TABLE thesis (chapter text)", name)
        self.refused(folder, name, 3, "is not empty: it holds thesis", "hint: name a database of its own")
        self.postgres.ask("CREATE TABLE formwork_migration (source text)", name)
        self.refused(folder, name, 3, "thesis")
        self.postgres.ask("DROP TABLE thesis, formwork_migration; CREATE VIEW seen AS SELECT 1", name)
        self.refused(folder, name, 3, "seen")

    def test_a_target_that_mlflow_uses(self):
        """Refused; a database that only a new server has seen is replaced when that is asked for."""
        name = "of a server"
        folder = self.kit(name)
        # What a server does when it starts.
        SqlAlchemyStore(self.postgres.uri(name), "file:///nowhere").engine.dispose()
        self.refused(folder, name, 3, "it holds MLflow's tables", "--replace-fresh")
        columns = "input_uuid, source_type, source_id, destination_type, destination_id"
        self.postgres.ask(f"INSERT INTO inputs ({columns}) VALUES ('1', 'a', 'b', 'c', 'd')", name)
        self.refused(folder, name, 3, "was used already: rows in inputs (1)", arguments=["--replace-fresh"])
        self.postgres.ask("DELETE FROM inputs", name)
        outcome = self.setting.run(folder, "--replace-fresh")
        self.ends(outcome, 0)
        self.assertEqual(outcome.report()["target_was"], "fresh")
        self.assertEqual(self.postgres.ask("SELECT count(*) FROM runs", name), "7")

    def test_another_migration_at_work(self):
        name = "locked"
        folder = self.kit(name)
        with Target(settings.read(folder / "kit.toml").target) as other:
            other.lock()
            self.refused(folder, name, 3, "another migration is at work")
        self.ends(self.setting.run(folder, "--dry-run"), 0)

    def test_a_source_of_another_schema(self):
        copy = self.setting.changed_source("other schema", "UPDATE alembic_version SET version_num = 'bd07f7e963c5'")
        name = "other schema"
        self.refused(self.kit(name, copy), name, 3, "the schema of", "is bd07f7e963c5", "--upgrade-copy")

    def test_a_source_of_an_older_schema_is_upgraded_as_a_copy(self):
        if not self.slow:
            self.skipTest("--slow was not given")
        copy = self.setting.folder / "old" / "mlflow.db"
        copy.parent.mkdir()
        old = create_engine(f"sqlite:///{copy}")
        InitialBase.metadata.create_all(old)
        command.upgrade(_get_alembic_config(str(old.url)), "bd07f7e963c5")
        old.dispose()
        before = state_of(copy.parent)
        folder = self.kit("old", copy)
        self.refused(folder, "old", 3, "is bd07f7e963c5")
        self.ends(self.setting.run(folder, "--upgrade-copy"), 0)
        self.assertEqual(state_of(copy.parent), before)

    def test_a_source_that_somebody_uses(self):
        copy = self.setting.changed_source("used")
        folder = self.kit("used", copy)
        writer = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN IMMEDIATE'); print(flush=True); input()"
        reader = "import sys; f = open(sys.argv[1], 'rb'); print(flush=True); input()"
        for program, words in ((writer, "locked by a writer"), (reader, "it is open in process")):
            command = [sys.executable, "-c", program, copy]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
                process.stdout.readline()
                self.refused(folder, "used", 3, "is in use", words, "stop the MLflow server")
                process.communicate(b"\n")

    def test_rows_in_a_log_that_was_left_are_carried(self):
        """A server in WAL mode that was killed leaves its last rows beside the database."""
        copy = self.setting.changed_source("log", "PRAGMA journal_mode = WAL")
        left = (
            "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA wal_autocheckpoint = 0')\n"
            "c.execute(\"UPDATE experiments SET name = 'from the log' WHERE experiment_id = 0\"); c.commit(); os._exit(0)"
        )
        subprocess.run([sys.executable, "-c", left, copy], check=True)
        before = state_of(copy.parent)
        self.assertTrue(any(it.endswith("-wal") for it in before), before)
        folder = self.kit("log", copy)
        self.ends(self.setting.run(folder), 0)
        self.assertEqual(
            self.postgres.ask("SELECT name FROM experiments WHERE experiment_id = 0", "log"), "from the log"
        )
        self.assertEqual(state_of(copy.parent), before, "the log is where it was")

    def test_values_that_do_not_fit(self):
        """All of them at once, each with its row: SQLite keeps what PostgreSQL refuses."""
        long = "/" + "x" * 300
        copy = self.setting.changed_source(
            "values",
            f"UPDATE runs SET artifact_uri = '{long}' WHERE name = 'run 1'",
            "UPDATE tags SET value = 'a' || char(0) || 'b' WHERE key = 'k'",
            "UPDATE params SET value = CAST(x'ff41' AS TEXT) WHERE key = 'marks'",
            "UPDATE metrics SET step = 'many' WHERE key = 'loss' AND step = 1",
            "UPDATE evaluation_dataset_records SET inputs = '{\"q\": NaN}'",
        )
        name = "values"
        words = [
            "runs.artifact_uri of run_uuid=",
            "it has 301 characters, and PostgreSQL's column takes 200",
            "a zero character",
        ]
        words += [
            "it is not UTF-8",
            "in a column of whole numbers",
            "NaN is no value of JSON",
            "mend these rows in a copy",
        ]
        outcome = self.refused(self.kit(name, copy), name, 1, *words)
        self.assertNotIn("Traceback", outcome.words)

    def test_rows_whose_parents_are_gone(self):
        copy = self.setting.changed_source("orphans", "DELETE FROM runs WHERE name = 'run 1'")
        self.refused(self.kit("orphans", copy), "orphans", 1, "hang in the air", "missing row of runs")

    def test_files_that_are_no_database_of_mlflow(self):
        folder = self.setting.folder / "no database"
        folder.mkdir()
        (folder / "text").write_text("no database at all\n" * 100)
        sqlite3.connect(folder / "other.db").execute("CREATE TABLE t (a)").connection.close()
        damaged = self.setting.changed_source("damaged")
        with open(damaged, "r+b") as file:
            file.seek(4096 * 3)
            file.write(os.urandom(4096 * 20))
        name = "no database"
        for path, words in (
            (folder / "text", "cannot be read as SQLite"),
            (folder / "other.db", "no database of MLflow"),
        ):
            self.refused(self.kit(name, path), name, 1, words)
        outcome = self.refused(self.kit(name, damaged), name, 1)
        self.assertTrue("is damaged" in outcome.words or "cannot be read" in outcome.words, outcome.words)

    def test_artifacts_from_places_that_nobody_named(self):
        """A location is a text: whoever may write to the registry could have named any folder of the machine."""
        copy = self.setting.changed_source(
            "outside", "UPDATE model_versions SET source = '/etc' WHERE name = 'of a run'"
        )
        copied = self.setting.folder / "copied from outside"
        name = "outside"
        mlruns = str(self.setting.source() / "mlruns")
        folder = self.kit(name, copy, {"artifactsTo": str(copied), "artifactsFrom": [mlruns]})
        self.refused(folder, name, 1, "outside of artifactsFrom: /etc")
        # Nor through a link.
        link = self.setting.folder / "a link"
        with contextlib.suppress(FileExistsError):
            link.symlink_to("/etc")
        copy = self.setting.changed_source(
            "outside", f"UPDATE model_versions SET source = '{link}' WHERE name = 'of a run'"
        )
        folder = self.kit(name, copy, {"artifactsTo": str(copied), "artifactsFrom": [mlruns, str(link.parent)]})
        self.refused(folder, name, 1, f"outside of artifactsFrom: {link}")
        self.assertFalse(copied.exists())

    def test_settings_that_are_wrong(self):
        folder = self.kit("settings")
        text = (folder / "kit.toml").read_text()
        cases = {
            "databaseTls = 'prefer'": "one of verify-full, verify-ca, require, disable",
            "databasePort = 'x'": "which is no port",
            "pasword = 'x'": "unknown settings",
        }
        for line, words in cases.items():
            name = line.split(" ")[0]
            kept = [it for it in text.splitlines() if not it.startswith(name + " ")]
            (folder / "kit.toml").write_text("\n".join([*kept, line]))
            self.ends(self.setting.run(folder), 10, words)
        (folder / "kit.toml").write_text(text.replace("mlflow.db", "nothing.db"))
        self.ends(self.setting.run(folder), 10, "sourceDatabase names", "which is not there")
        (folder / "kit.toml").write_text(text + "artifactsTo = 'mlflow-artifacts:/'\n")
        self.ends(self.setting.run(folder), 10, "which is no store")

    def test_a_target_that_cannot_be_trusted(self):
        """A certificate of nobody's, a password that others can read, and a wrong one."""
        name = "trust"
        folder = self.kit(name)
        text = (folder / "kit.toml").read_text()
        (folder / "kit.toml").write_text(text.replace("databaseCertificates", "# "))
        self.refused(folder, name, 1, "certificate verify failed")
        (folder / "kit.toml").write_text(text.replace("'localhost'", "'db.example.com'"))
        self.refused(folder, name, 1, "db.example.com")
        (folder / "kit.toml").write_text(text.replace("verify-full", "disable"))
        self.refused(folder, name, 1, "no encryption")
        (folder / "kit.toml").write_text(text)
        self.setting.passwords.chmod(0o644)
        try:
            self.refused(folder, name, 10, "can be read by others", "chmod 600")
        finally:
            self.setting.passwords.chmod(0o600)
        os.environ["PGPASSWORD"] = "of somebody else"
        try:
            outcome = self.refused(folder, name, 1, "password authentication failed")
            self.assertNotIn("somebody else", outcome.words)
        finally:
            del os.environ["PGPASSWORD"]
