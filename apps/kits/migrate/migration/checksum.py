"""A checksum of each column of a table, the same for the same rows in any order.

Two databases sort texts differently, so rows are not compared in an order. Each value is hashed with its row's key and
the hashes are added: a value that changed, moved to another row or went missing changes the sum.
"""

from hashlib import blake2b

from migration.tables import NULL, number

WIDTH = 1 << 128


class Checksum:
    """Adds up the rows of one table."""

    def __init__(self, table):
        self.table, self.rows = table, 0
        self.sums = [0] * len(table.columns)
        self.keys = [place for place, it in enumerate(table.columns) if it.is_key]
        self.numbers = [place for place, it in enumerate(table.columns) if it.kind == "number"]

    def add(self, fields):
        """A row: the fields as COPY writes them, in the order of the table's columns."""
        key = blake2b(b"\t".join([fields[place] for place in self.keys]), digest_size=16)
        for place, value in enumerate(fields):
            state = key.copy()
            state.update(b"\t" + value)
            self.sums[place] = (self.sums[place] + int.from_bytes(state.digest(), "big")) % WIDTH
        self.rows += 1

    def add_line(self, line):
        """A row as PostgreSQL has written it."""
        fields = line.split(b"\t")
        for place in self.numbers:
            if fields[place] != NULL:
                # PostgreSQL writes the shortest text of a number too, in another form than Python.
                fields[place] = number(float(fields[place]))
        self.add(fields)

    def columns(self):
        """Each column's name and checksum."""
        return {it.name: f"{sum_:032x}" for it, sum_ in zip(self.table.columns, self.sums, strict=True)}
