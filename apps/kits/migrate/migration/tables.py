"""MLflow's tables, and each kind of value: how SQLite keeps it, and how PostgreSQL's COPY writes it.

SQLite holds a column to no type and no length. What PostgreSQL would refuse is found here, with the name of the row,
before anything is written. The text form of COPY is the common language: rows are loaded in it, read back in it, and
compared in it.
"""

import datetime
import json
import re
from dataclasses import dataclass

import mlflow.store.db.utils  # noqa: F401  (it makes all tables known)
import sqlalchemy
from mlflow.store.db.base_sql_model import Base
from mlflow.store.tracking.dbmodels.initial_models import Base as InitialBase

VERSION_TABLE = "alembic_version"
NULL = b"\\N"
ESCAPES = {ord("\\"): "\\\\", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}


@dataclass
class Column:
    """A column: `kind` says how its values are read and written."""

    name: str
    kind: str
    # The characters of a text, or the bits of a number.
    size: int | None
    nullable: bool
    computed: bool
    is_key: bool

    def written(self, value):
        """A value of SQLite as COPY writes it; a ValueError says why PostgreSQL would refuse it."""
        if value is None:
            if not self.nullable:
                raise ValueError("it is empty, which this column does not allow")
            return NULL
        return WRITERS[self.kind](value, self.size)


@dataclass
class Table:
    """A table and its columns, in the order of the metadata."""

    name: str
    columns: list

    @property
    def stored(self):
        """The columns that are loaded; the others are computed by the database."""
        return [it for it in self.columns if not it.computed]

    def select(self, columns):
        return f"SELECT {names(columns)} FROM {quoted(self.name)}"


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def names(columns):
    return ", ".join(quoted(it.name) for it in columns)


def of_mlflow(connection):
    """The tables in an order in which each follows those that it refers to, with the lengths that the snapshot declares."""
    tables = []
    for table in Base.metadata.sorted_tables:
        info = connection.execute(f"PRAGMA table_xinfo({quoted(table.name)})").fetchall()
        declared = {row[1].decode(): (row[2].decode(), bool(row[3])) for row in info}
        missing = [it.name for it in table.columns if it.name not in declared]
        more = declared.keys() - {it.name for it in table.columns}
        if missing or more:
            raise ValueError(f"the table {table.name} is not MLflow's: columns {sorted({*missing, *more})}")
        tables.append(Table(table.name, [column_of(it, *declared[it.name]) for it in table.columns]))
    return tables


def column_of(column, declared, not_null):
    kind, size = kind_of(column.type)
    if kind == "text" and (length := re.search(r"\((\d+)\)", declared)):
        # The migrations have left some columns shorter than the models say.
        size = min(int(length[1]), size or int(length[1]))
    return Column(column.name, kind, size, not not_null, column.computed is not None, column.primary_key)


def kind_of(kind):
    # A column that MLflow encrypts is carried as it is: whoever has the key can read it there too.
    if isinstance(kind, sqlalchemy.types.TypeDecorator):
        kind = kind.impl_instance
    for base, name, size in KINDS:
        if isinstance(kind, base):
            return name, kind.length if name == "text" else size
    raise ValueError(f"a column of the kind {kind!r} is not known")


# The first that fits: a BigInteger is an Integer too.
KINDS = (
    (sqlalchemy.BigInteger, "integer", 64),
    (sqlalchemy.SmallInteger, "integer", 16),
    (sqlalchemy.Integer, "integer", 32),
    (sqlalchemy.Boolean, "boolean", None),
    (sqlalchemy.Float, "number", None),
    (sqlalchemy.JSON, "json", None),
    (sqlalchemy.Date, "date", None),
    (sqlalchemy.LargeBinary, "bytes", None),
    (sqlalchemy.String, "text", None),
)


def known_names():
    """All names that MLflow's own migrations give to tables, for a look at what a target holds."""
    return {*Base.metadata.tables, *InitialBase.metadata.tables, VERSION_TABLE}


def write_text(value, size):
    text = text_of(value)
    if "\0" in text:
        raise ValueError("it holds a zero character, which PostgreSQL cannot keep")
    if size and len(text) > size:
        raise ValueError(f"it has {len(text)} characters, and PostgreSQL's column takes {size}")
    return text.translate(ESCAPES).encode()


def text_of(value):
    """A text; numbers that were written into a column of texts have become texts in SQLite already."""
    if not isinstance(value, bytes):
        raise ValueError(f"it is the number {value!r} in a column of texts")
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ValueError(f"it is not UTF-8: {value[:40]!r}") from None


def write_json(value, size):
    text = text_of(value)
    try:
        json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        raise ValueError(f"it is no JSON: {error}") from None
    return write_text(value, size)


def _no_constant(name):
    raise ValueError(f"{name} is no value of JSON")


def write_integer(value, size):
    if not isinstance(value, int):
        raise ValueError(f"it is {shown(value)} in a column of whole numbers")
    if not -(2 ** (size - 1)) <= value < 2 ** (size - 1):
        raise ValueError(f"it is {value}, and PostgreSQL's column takes {size} bits")
    return b"%d" % value


def write_boolean(value, _):
    if value not in (0, 1):
        raise ValueError(f"it is {shown(value)}, neither true nor false")
    return b"t" if value else b"f"


def write_number(value, _):
    if not isinstance(value, (int, float)):
        raise ValueError(f"it is {shown(value)} in a column of numbers")
    return number(float(value))


def number(value):
    """A number in a form that Python and PostgreSQL read as the same 64 bits."""
    return repr(value).encode()


def write_date(value, _):
    text = text_of(value)
    try:
        return datetime.date.fromisoformat(text).isoformat().encode()
    except ValueError:
        raise ValueError(f"it is {text!r}, which is no date") from None


def write_bytes(value, _):
    if not isinstance(value, bytes):
        raise ValueError(f"it is {shown(value)} in a column of bytes")
    return b"\\\\x" + value.hex().encode()


def shown(value):
    return repr(value.decode(errors="replace") if isinstance(value, bytes) else value)[:60]


WRITERS = {
    "text": write_text,
    "json": write_json,
    "integer": write_integer,
    "boolean": write_boolean,
    "number": write_number,
    "date": write_date,
    "bytes": write_bytes,
}
