"""Loads the rows: COPY into MLflow's own schema, all tables in one transaction, with their sequences.

Foreign keys, checks and indexes stay on. The tables come in an order in which each follows those that it refers to, so
no right is needed to switch them off (`session_replication_role` is the administrator's). A load that breaks off
leaves no row.
"""

import itertools

from migration.examine import rows
from migration.problem import FAILED, Problem
from migration.tables import quoted, names

BATCH = 500


def load(target, connection, tables, rewriting, progress):
    """Fills the tables and sets their sequences."""
    try:
        with target.engine.begin() as session:
            # The schema's own migrations have written rows (a default workspace) that the source has as well.
            session.exec_driver_sql(f"TRUNCATE {', '.join(quoted(it.name) for it in tables)}")
            for table in tables:
                cursor = session.connection.driver_connection.cursor()
                statement = f"COPY {quoted(table.name)} ({names(table.stored)}) FROM STDIN"
                cursor.execute(statement, stream=lines(connection, table, rewriting, progress))
                cursor.close()
            for table, column, sequence in target.sequences(session):
                session.exec_driver_sql(set_sequence(table, column, sequence))
    except target.errors as error:
        raise Problem(f"PostgreSQL refused the rows: {target.words(error)}", "nothing was loaded", FAILED) from error


def lines(connection, table, rewriting, progress):
    """The rows in COPY's form, some hundred at a time."""
    columns = table.stored
    found = enumerate(rows(connection, table, columns, rewriting), 1)
    while batch := list(itertools.islice(found, BATCH)):
        written = (
            b"\t".join([column.written(value) for column, value in zip(columns, row, strict=True)]) for _, row in batch
        )
        yield b"\n".join(written) + b"\n"
        progress.count(table.name, batch[-1][0])


def set_sequence(table, column, sequence):
    """The next value of a sequence is the one after the greatest in use; a new one begins with 1."""
    greatest = f"(SELECT max({quoted(column)}) FROM {quoted(table)})"
    return f"SELECT setval('{sequence}', coalesce({greatest}, 1), {greatest} IS NOT NULL)"
