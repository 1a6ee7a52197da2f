"""New numbers for experiments whose own do not fit.

A file store numbers experiments with 18 digits. SQLite takes them; MLflow's columns in PostgreSQL have 32 bits. Such an
experiment gets the next free number, wherever its old one stands as a number of an experiment, and the report has the
map of both.
"""

import sqlalchemy
from mlflow.store.db.base_sql_model import Base

GREATEST = 2**31 - 1
# The table that links things of all kinds by texts: a column with an id, and the one with its kind.
LINKS = "entity_associations"
KINDS = {"source_id": "source_type", "destination_id": "destination_type"}
EXPERIMENT = b"experiment"


class Numbers:
    """The map of old numbers to new ones; empty where all fit."""

    def __init__(self, connection):
        found = connection.execute(
            "SELECT experiment_id FROM experiments ORDER BY creation_time, experiment_id"
        ).fetchall()
        numbers = [number for (number,) in found]
        after = max((it for it in numbers if it <= GREATEST), default=0)
        large = [it for it in numbers if it > GREATEST]
        self.new = {old: after + place for place, old in enumerate(large, 1)}

    def of(self, number):
        return self.new.get(number, number)

    def in_row(self, table, columns):
        """A function that puts new numbers into a row of a table, or nothing if it has none."""
        if not self.new:
            return None
        names = [it.name for it in columns]
        if table == LINKS:
            links = [(names.index(column), names.index(kind)) for column, kind in KINDS.items()]
            return lambda row: self._linked(row, links)
        places = [names.index(it.name) for it in Base.metadata.tables[table].columns if is_number(it)]
        if not places:
            return None

        def rewrite(row):
            row = list(row)
            for place in places:
                row[place] = self.of(row[place])
            return row

        return rewrite

    def _linked(self, row, links):
        row = list(row)
        for place, kind in links:
            if row[kind] == EXPERIMENT and row[place].isdigit():
                row[place] = str(self.of(int(row[place]))).encode()
        return row


def is_number(column):
    return column.name == "experiment_id" and isinstance(column.type, sqlalchemy.Integer)
