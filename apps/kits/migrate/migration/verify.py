"""Compares the target with what the source demands, and uses it as MLflow will."""

import io
import uuid

from mlflow.store.db.utils import _get_latest_schema_revision, _get_schema_version
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from migration.checksum import Checksum
from migration.problem import FAILED, Problem
from migration.tables import names, quoted

FOREIGN_KEYS = """
SELECT count(*), count(*) FILTER (WHERE NOT convalidated) FROM pg_constraint
WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
"""
TRIGGERS = """
SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE t.tgisinternal AND t.tgenabled = 'D' AND c.relnamespace = current_schema()::regnamespace
"""


class Lines(io.RawIOBase):
    """Takes COPY's output and gives each row on."""

    def __init__(self, take):
        self.take, self.rest = take, b""

    def writable(self):
        return True

    def write(self, data):
        *rows, self.rest = (self.rest + bytes(data)).split(b"\n")
        for row in rows:
            self.take(row)
        return len(data)


def verify(target, tables, expected, progress, use):
    """Collects all differences; `use` also makes an experiment, and takes it away again."""
    differences = []
    wanted, found = _get_latest_schema_revision(), _get_schema_version(target.engine)
    if found != wanted:
        differences.append(f"the schema is {found}, not {wanted}")
    for table in tables:
        checksum = read(target, table, progress)
        differences += compared(expected[table.name], checksum)
    keys, unchecked = target.ask(FOREIGN_KEYS)[0]
    if unchecked or not keys:
        differences.append(f"of {keys} foreign keys {unchecked} are not checked")
    differences += [f"the foreign keys of {name} are switched off" for (name,) in target.ask(TRIGGERS)]
    sequences = target.sequences()
    differences += [it for sequence in sequences if (it := behind(target, *sequence))]
    if differences:
        hint = "nothing of the source was changed; a second run begins again"
        raise Problem("the target is not what it has to be:\n" + "\n".join(differences), hint, FAILED)
    if use:
        make_experiment(target)
    return {"foreign_keys": keys, "sequences": len(sequences), "experiment_made_and_removed": use}


def read(target, table, progress):
    checksum = Checksum(table)

    def take(line):
        checksum.add_line(line)
        progress.count(table.name, checksum.rows)

    with target.engine.connect() as session:
        cursor = session.connection.driver_connection.cursor()
        statement = f"COPY (SELECT {names(table.columns)} FROM {quoted(table.name)}) TO STDOUT"
        cursor.execute(statement, stream=Lines(take))
        cursor.close()
    return checksum


def compared(wanted, found):
    name = wanted.table.name
    if wanted.rows != found.rows:
        return [f"{name} has {found.rows} rows, not {wanted.rows}"]
    right, columns = wanted.columns(), found.columns()
    return [f"{name}.{column} has other values" for column in right if right[column] != columns[column]]


def behind(target, table, column, sequence):
    """Why the next value of a sequence would meet one that is in use."""
    last, called = target.ask(f"SELECT last_value, is_called FROM {sequence}")[0]
    greatest = target.ask(f"SELECT max({quoted(column)}) FROM {quoted(table)}")[0][0]
    following = last + 1 if called else last
    if greatest is not None and following <= greatest:
        return f"{sequence} would give {following} next, and {table}.{column} is at {greatest} already"
    return None


def make_experiment(target):
    """What fails first after a careless migration: a new experiment whose number is taken."""
    name = f"formwork migration {uuid.uuid4()}"
    try:
        store = SqlAlchemyStore(target.uri, "file:///nowhere")
        identity = store.create_experiment(name)
        if store.get_experiment(identity).name != name:
            raise Problem(f"the experiment {identity} is not the one that was made", status=FAILED)
    except Problem:
        raise
    except Exception as error:
        raise Problem(f"MLflow cannot make an experiment in the target: {error}", status=FAILED) from error
    finally:
        with target.engine.begin() as session:
            for statement in (
                "DELETE FROM experiment_tags WHERE experiment_id = (SELECT experiment_id FROM experiments WHERE name = %s)",
                "DELETE FROM experiments WHERE name = %s",
            ):
                session.exec_driver_sql(statement, (name,))


def mentions(target, tables, roots):
    """How often a moved place is still named, in texts that are the user's own (the source of a data set, a tag)."""
    found = {}
    if not roots:
        return found
    patterns = ["%" + root.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "/%" for root in roots]
    for table in tables:
        for column in table.columns:
            if column.kind in ("text", "json"):
                statement = f"SELECT count(*) FROM {quoted(table.name)} WHERE {quoted(column.name)}::text LIKE ANY(%s)"
                with target.engine.connect() as session:
                    if count := session.exec_driver_sql(statement, (patterns,)).scalar():
                        found[f"{table.name}.{column.name}"] = count
    return found
