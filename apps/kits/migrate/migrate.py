"""Carries an MLflow database from SQLite or a file store to PostgreSQL, with its artifacts.

    python migrate.py --dry-run    # looks at everything and changes nothing
    python migrate.py              # migrates; after a break, starts again
    python migrate.py --verify     # compares source and target once more

The settings are in kit.toml beside this file. The source is never changed.
"""

import argparse
import contextlib
import json
import logging
import os
import shutil
import signal
import sys
import time
from pathlib import Path

# Before anything of MLflow is loaded.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
sys.dont_write_bytecode = True

from migration import artifacts, examine, load, settings, source, tables, verify
from migration.problem import USAGE, Problem
from migration.progress import Progress, write_report
from migration.rewriting import Rewriting
from migration.target import Target

STEPS = 7


class Arguments(argparse.ArgumentParser):
    def error(self, message):
        raise Problem(message, "--help tells the options", USAGE)


def arguments():
    parser = Arguments(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")
    what.add_argument("--verify", action="store_true", help="compare the target with the source, and change nothing")
    parser.add_argument(
        "--upgrade-copy", action="store_true", help="bring the snapshot of an older source to this schema"
    )
    fresh = "replace a database that a new MLflow server has made and nobody has used"
    parser.add_argument("--replace-fresh", action="store_true", help=fresh)
    beside = Path(__file__).resolve().parent
    parser.add_argument("--settings", default=beside / "kit.toml", help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="the report on the standard output too")
    return parser.parse_args()


def main():
    report, path, status = {"started": now()}, None, 0
    try:
        asked = arguments()
        chosen = settings.read(asked.settings)
        path = chosen.folder / ("dry-run.json" if asked.dry_run else "verify.json" if asked.verify else "report.json")
        Migration(chosen, asked, report).run()
        report["result"] = "ok"
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        report |= {"result": "failed", "problem": str(problem)}
        status = problem.status
    report["ended"] = now()
    # A run that was refused before it began leaves the report of the one that has been.
    if path and (status == 0 or report.get("begun")):
        write_report(path, report)
    if "asked" in locals() and asked.json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
    return status


class Migration:
    """The steps, in their order."""

    def __init__(self, chosen, asked, report):
        self.settings, self.asked, self.report = chosen, asked, report
        self.progress = Progress(STEPS)

    def run(self):
        self.progress.step("look at the target")
        self.report["target"] = str(self.settings.target)
        try:
            with Target(self.settings.target) as target:
                target.lock()
                if not self.asked.verify:
                    self.report["target_was"] = target.examine(self.asked.replace_fresh)
                self.carry(target)
        finally:
            shutil.rmtree(self.settings.work, ignore_errors=True)

    def carry(self, target):
        asked, report, step = self.asked, self.report, self.progress.step
        step("look at the source")
        connection, changed = self.open_source()
        with contextlib.closing(connection):
            expected = self.examine_source(connection)
            if asked.dry_run:
                return
            if not asked.verify:
                self.fill(target, connection)
        step("compare")
        report["verified"] = verify.verify(target, self.tables, expected, self.progress, use=not asked.verify)
        report["old_places_still_named"] = verify.mentions(target, self.tables, self.rewriting.locations.old_roots())
        if changed():
            hint = "stop what writes to the source, and migrate again into an empty database"
            raise Problem("the source was written to during the migration: its last rows are not in the target", hint)
        if not asked.verify:
            step("end")
            target.end()

    def open_source(self):
        place = self.settings.source
        self.report["source"] = str(place.database or place.file_store)
        copy, changed = source.snapshot(place, self.settings.work, self.asked.upgrade_copy)
        return source.connect(copy), changed

    def examine_source(self, connection):
        self.tables = tables.of_mlflow(connection)
        self.rewriting = Rewriting(connection, self.settings.source, self.settings.artifacts)
        leaves, staying = self.rewriting.locations.leaves(connection)
        self.plan = artifacts.Plan(leaves, self.settings.artifacts.allowed)
        self.report["artifacts"] = self.plan.summary() | {"locations_that_stay": staying}
        expected = examine.examine(connection, self.tables, self.rewriting, self.progress)
        self.report["new_experiment_ids"] = self.rewriting.numbers.new
        self.report["rows"] = {name: it.rows for name, it in expected.items() if it.rows}
        self.plan.refuse_outside()
        self.tell()
        return expected

    def tell(self):
        """What the user should know before, and what nobody asked for."""
        found = self.report["artifacts"]
        rows = sum(self.report["rows"].values())
        say(f"{rows} rows in {len(self.report['rows'])} tables; {found['files']} files of {found['bytes']} bytes")
        if self.report["new_experiment_ids"]:
            say(
                f"note: {len(self.report['new_experiment_ids'])} experiments get new numbers, as theirs do not fit (see the report)"
            )
        if found["missing"]:
            say(f"note: {len(found['missing'])} places of artifacts hold no files (see the report)")
        if found["links_left_out"]:
            say(
                f"note: {len(found['links_left_out'])} links to folders, or out of artifactsFrom, are left out (see the report)"
            )
        local = sum(
            number
            for kind, number in found["locations_that_stay"].items()
            if kind in ("folder", "file", "mlflow-artifacts")
        )
        if local:
            say(f"warning: {local} locations stay local; set artifactsTo (and servedArtifacts) to carry their files")

    def fill(self, target, connection):
        step, report = self.progress.step, self.report
        step("copy the artifacts")
        target.begin(report["source"])
        report["begun"] = True
        report["artifacts"] |= artifacts.copy(self.plan, self.settings.artifacts, self.progress)
        step("make the schema")
        target.create_schema()
        step("load the rows")
        start = time.monotonic()
        load.load(target, connection, self.tables, self.rewriting, self.progress)
        report["seconds_of_loading"] = round(time.monotonic() - start, 3)


def say(text):
    print(text, file=sys.stderr)


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


if __name__ == "__main__":
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    # The finally blocks run: the snapshot goes, the server rolls back.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
