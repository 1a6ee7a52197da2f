"""The source: a snapshot of the SQLite database or of the file store, made without touching the original.

SQLite changes files even when it only reads (a write-ahead log is folded in, a journal rolled back). So the files are
copied as they are and SQLite opens the copy. That is only right while nobody writes, which is looked at before, and
compared after: a server that goes on would have its last rows left behind.
"""

import contextlib
import fcntl
import io
import os
import shutil
import sqlite3
from pathlib import Path

from migration.problem import REFUSED, Problem

BESIDE = ("", "-wal", "-journal")
# SQLite's byte that a writer locks, and the length of its range (https://www.sqlite.org/lockingv3.html).
RESERVED = 0x40000001
SHARED_LENGTH = 512


def snapshot(source, work, upgrade):
    """Makes the snapshot and gives its path, with a function that tells whether the source has changed since."""
    work.mkdir(mode=0o700, exist_ok=True)
    copy = work / "snapshot.db"
    for ending in (*BESIDE, "-shm"):
        Path(f"{copy}{ending}").unlink(missing_ok=True)
    if source.file_store:
        before = state_of_folder(source.file_store)
        carry_file_store(source.file_store, copy)
        changed = lambda: state_of_folder(source.file_store) != before  # noqa: E731
    else:
        before = copy_database(source.database, copy)
        changed = lambda: state_of(source.database) != before  # noqa: E731
    examine_file(copy, source)
    check_version(copy, source, upgrade)
    return copy, changed


def connect(path):
    """A connection that only reads; texts come as bytes, as not all that SQLite takes as a text is one."""
    connection = sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True)
    connection.text_factory = bytes
    return connection


def copy_database(database, copy):
    refuse_writers(database)
    size = sum(Path(f"{database}{it}").stat().st_size for it in BESIDE if Path(f"{database}{it}").exists())
    free = shutil.disk_usage(copy.parent).free
    if size > free:
        raise Problem(f"the snapshot of {database} takes {size} bytes, and {copy.parent} has {free} left")
    before = state_of(database)
    for ending in BESIDE:
        if Path(f"{database}{ending}").exists():
            shutil.copyfile(f"{database}{ending}", f"{copy}{ending}")
            os.chmod(f"{copy}{ending}", 0o600)
    if state_of(database) != before:
        raise writes(database, "it changed while it was copied")
    return before


def refuse_writers(database):
    """A program that has the database open would go on writing into the old one."""
    with open(database, "rb") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB, SHARED_LENGTH, RESERVED)
        except OSError:
            raise writes(database, "it is locked by a writer") from None
    users = programs_with(database)
    if users:
        raise writes(database, f"it is open in {', '.join(users)}")


def writes(database, how):
    hint = (
        "stop the MLflow server and the clients that use it, or migrate a copy made by "
        f"`sqlite3 {database} '.backup copy.db'`, without what is written later"
    )
    return Problem(f"the source {database} is in use: {how}", hint, REFUSED)


def programs_with(path):
    """The programs that have a file open, where the system tells (Linux)."""
    wanted, found = os.path.realpath(path), []
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            if any(os.path.realpath(it) == wanted for it in (process / "fd").iterdir()):
                name = (process / "comm").read_text().strip()
                found.append(f"process {process.name} ({name})")
        except OSError:
            continue
    return found


def state_of(database):
    """What changes when somebody writes."""
    states = {}
    for ending in BESIDE:
        try:
            found = os.stat(f"{database}{ending}")
            # A log that is empty or missing holds nothing either way.
            if found.st_size:
                states[ending] = (found.st_size, found.st_mtime_ns)
        except FileNotFoundError:
            pass
    return states


def state_of_folder(folder):
    """What changes when somebody writes to a file store: the files of metadata, not the artifacts."""
    newest, count = 0, 0
    for place, folders, files in os.walk(folder):
        folders[:] = [it for it in folders if it != "artifacts"]
        for name in files:
            newest, count = max(newest, os.stat(os.path.join(place, name)).st_mtime_ns), count + 1
    return newest, count


def carry_file_store(folder, copy):
    """MLflow's own migration of a file store leads to SQLite only; it is the first half of the way."""
    from mlflow.exceptions import MlflowException
    from mlflow.store.fs2db import migrate

    try:
        # It prints advice about the SQLite database, which is only half of the way.
        with contextlib.redirect_stdout(io.StringIO()):
            migrate(folder, f"sqlite:///{copy}", progress=False)
    except MlflowException as error:
        hint = "name the folder that holds `mlruns`, or that folder itself"
        raise Problem(f"the file store {folder} cannot be read: {error.message}", hint) from error


def examine_file(copy, source):
    """Refuses what SQLite itself would not vouch for."""
    try:
        # Opened for writing: SQLite rolls back what a killed program has left behind.
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
            orphans = connection.execute("PRAGMA foreign_key_check").fetchmany(5)
    except sqlite3.DatabaseError as error:
        raise Problem(f"{source.database or source.file_store} cannot be read as SQLite: {error}") from error
    if found != ["ok"]:
        hint = "`sqlite3 mlflow.db .recover | sqlite3 new.db` saves what can be read"
        raise Problem(f"{source.database} is damaged: {'; '.join(found)}", hint)
    if orphans:
        rows = ", ".join(f"row {row} of {table} names a missing row of {parent}" for table, row, parent, _ in orphans)
        hint = "delete these rows in a copy of the database (`PRAGMA foreign_key_check` lists all) and migrate the copy"
        raise Problem(f"rows of {source.database} hang in the air: {rows}", hint)


def check_version(copy, source, upgrade):
    """The schema has to be the one of the MLflow that makes the target's; a snapshot may be upgraded, the source not."""
    import mlflow
    from mlflow.store.db.utils import (
        _get_latest_schema_revision,
        _get_schema_version,
        _upgrade_db,
        create_sqlalchemy_engine,
    )

    engine = create_sqlalchemy_engine(f"sqlite:///{copy}")
    found, wanted = _get_schema_version(engine), _get_latest_schema_revision()
    if found != wanted and upgrade and found is not None:
        try:
            _upgrade_db(engine)
            found = _get_schema_version(engine)
        except Exception as error:
            raise Problem(f"the copy of {source.database} cannot be upgraded from {found}: {error}") from error
    engine.dispose()
    if found is None:
        raise Problem(f"{source.database} is no database of MLflow: it has no schema version")
    if found != wanted:
        hint = (
            "--upgrade-copy upgrades the snapshot and leaves the source as it is; "
            f"a schema newer than that of MLflow {mlflow.__version__} needs a newer MLflow here"
        )
        message = f"the schema of {source.database} is {found}, that of MLflow {mlflow.__version__} is {wanted}"
        raise Problem(message, hint, REFUSED)
