"""One look at every value of the snapshot: does it fit into PostgreSQL, and what is its checksum?"""

from migration.checksum import Checksum
from migration.problem import Problem

SHOWN = 20


def rows(connection, table, columns, rewriting):
    """The rows of a table with all that is changed on their way, as SQLite's values."""
    rewrite = rewriting.in_row(table.name, columns)
    found = connection.execute(table.select(columns))
    return map(rewrite, found) if rewrite else found


def examine(connection, tables, rewriting, progress):
    """The checksums of all tables as they have to be in the target.

    All values that PostgreSQL would refuse are told at once.
    """
    checksums, problems, count = {}, [], 0
    for table in tables:
        checksum = checksums[table.name] = Checksum(table)
        for row in rows(connection, table, table.columns, rewriting):
            fields = []
            for column, value in zip(table.columns, row, strict=True):
                try:
                    fields.append(column.written(value))
                except ValueError as error:
                    count += 1
                    if len(problems) < SHOWN:
                        problems.append(f"{table.name}.{column.name} of {key_of(table, row)}: {error}")
                    fields.append(b"")
            checksum.add(fields)
            progress.count(table.name, checksum.rows)
    if problems:
        more = f"\n... and {count - len(problems)} more" if count > len(problems) else ""
        hint = "mend these rows in a copy of the database, and migrate the copy"
        raise Problem(f"{count} values do not fit into PostgreSQL:\n" + "\n".join(problems) + more, hint)
    return checksums


def key_of(table, row):
    keys = [(it.name, row[place]) for place, it in enumerate(table.columns) if it.is_key]
    values = (f"{name}={value.decode(errors='replace') if isinstance(value, bytes) else value}" for name, value in keys)
    return ", ".join(values) or "a row"
