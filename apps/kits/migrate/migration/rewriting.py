"""All that is changed in rows on their way: the locations of artifacts, and numbers that do not fit."""

from migration.locations import Locations
from migration.numbers import Numbers


class Rewriting:
    """Gives each table's function that changes a row."""

    def __init__(self, connection, source, artifacts):
        self.numbers = Numbers(connection)
        self.locations = Locations(connection, source, artifacts, self.numbers)

    def in_row(self, table, columns):
        """A function that changes a row of a table, or nothing if all of its rows stay."""
        number, locate = (it.in_row(table, columns) for it in (self.numbers, self.locations))
        return (lambda row: locate(number(row))) if number and locate else number or locate
