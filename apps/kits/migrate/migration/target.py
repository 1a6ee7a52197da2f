"""The PostgreSQL database: how it is reached, whether it is ours to fill, and the marker of an unfinished migration."""

import hashlib
import socket
import ssl

import sqlalchemy
from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.legacy import Connection
from sqlalchemy.dialects.postgresql.pg8000 import PGDialect_pg8000

from migration.problem import FAILED, REFUSED, Problem
from migration.tables import known_names, quoted

MARKER = "formwork_migration"
# Seconds for a connection to begin.
WAIT = 30
# A length of 8 and the code of the request (PostgreSQL's protocol, "SSLRequest").
TLS_REQUEST = bytes((0, 0, 0, 8, 4, 210, 22, 47))
# Relations that a database may hold of its own accord belong to extensions.
RELATIONS = """
SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
    AND (d.deptype = 'e' OR (c.relkind = 'S' AND d.deptype IN ('a', 'i'))))
ORDER BY 1
"""
SEQUENCES = """
SELECT t.relname, a.attname, s.oid::regclass::text FROM pg_class s
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype IN ('a', 'i')
  JOIN pg_class t ON t.oid = d.refobjid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE s.relkind = 'S' AND t.relnamespace = current_schema()::regnamespace ORDER BY 1, 2
"""
# What MLflow itself writes into a new database before anybody uses it.
FRESH = {
    "experiments": "SELECT count(*) FROM experiments WHERE experiment_id <> 0",
    "workspaces": "SELECT count(*) FROM workspaces WHERE name <> 'default'",
    "experiment_tags": "SELECT count(*) FROM experiment_tags WHERE experiment_id <> 0",
    "scheduler_leases": "SELECT 0",
    "job_locks": "SELECT 0",
}


class Target:
    """A connection to the target that holds its lock until the program ends."""

    errors = (DatabaseError, InterfaceError, sqlalchemy.exc.DBAPIError, OSError)

    def __init__(self, settings):
        self.settings = settings
        self._password = settings.password()
        # One place for the password and the certificates: neither is in an address that MLflow could log.
        sqlalchemy.event.listen(PGDialect_pg8000, "do_connect", self._connect)
        self.uri = str(sqlalchemy.URL.create("postgresql+pg8000", settings.user, database=settings.database))
        self.engine = create_sqlalchemy_engine(self.uri)
        try:
            self._lock = self._first_connection()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._lock.close()
        self.close()

    def close(self):
        self.engine.dispose()
        sqlalchemy.event.remove(PGDialect_pg8000, "do_connect", self._connect)

    def _connect(self, _dialect, _record, _arguments, parameters):
        settings = self.settings
        parameters.update(password=self._password, application_name="formwork migration")
        if settings.is_socket:
            parameters["unix_sock"] = f"{settings.host}/.s.PGSQL.{settings.port}"
            return None
        # The driver's `connect` takes no socket, its connection does. Its own TLS asks scramp for what 1.5 no longer has.
        return Connection(**parameters, sock=opened(settings), ssl_context=False)

    def _first_connection(self):
        try:
            connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            version = connection.exec_driver_sql("SELECT current_setting('server_version_num')::int / 10000").scalar()
        except self.errors as error:
            hint = "look at databaseHost, databasePort, databaseUser, databaseTls and the password"
            raise Problem(f"cannot reach {self.settings}: {self.words(error)}", hint) from None
        if version < 12:
            raise Problem(f"{self.settings} is PostgreSQL {version}; 12 is the oldest that MLflow's schema takes")
        return connection

    def lock(self):
        """Takes the lock, which ends with this program whatever ends it."""
        number = int.from_bytes(hashlib.sha256(MARKER.encode()).digest()[:7], "big")
        if not self._lock.exec_driver_sql(f"SELECT pg_try_advisory_lock({number})").scalar():
            message = f"another migration is at work on {self.settings}"
            raise Problem(message, "wait for its end; if it was killed, PostgreSQL notices within moments", REFUSED)

    def relations(self):
        """The names of all that the schema holds."""
        return [row[0] for row in self._lock.exec_driver_sql(RELATIONS)]

    def sequences(self, session=None):
        """Each sequence that gives a column its values: table, column, and the sequence as SQL names it."""
        return [tuple(row) for row in (session or self._lock).exec_driver_sql(SEQUENCES)]

    def ask(self, statement):
        return self._lock.exec_driver_sql(statement).fetchall()

    def examine(self, replace_fresh):
        """Says whether the target is ours to fill: `empty`, `unfinished` or `fresh`; refuses it otherwise."""
        found = self.relations()
        foreign = [it for it in found if it not in known_names() | {MARKER}]
        if not found:
            self._may_create()
            return "empty"
        if foreign:
            names = ", ".join(foreign[:8]) + (" ..." if len(foreign) > 8 else "")
            hint = "name a database of its own, that only the migration and then MLflow use"
            raise Problem(f"{self.settings} is not empty: it holds {names}", hint, REFUSED)
        if MARKER in found:
            return "unfinished"
        if replace_fresh:
            self._refuse_used(found)
            return "fresh"
        hint = (
            "a migration that has ended well is compared by --verify; a database that a new server has made and nobody "
            "has used is replaced with --replace-fresh; any other is not overwritten: name an empty one"
        )
        raise Problem(f"{self.settings} is not empty: it holds MLflow's tables", hint, REFUSED)

    def _may_create(self):
        statement = "SELECT has_schema_privilege(current_schema(), 'CREATE')"
        if not self._lock.exec_driver_sql(statement).scalar():
            user, database = quoted(self.settings.user), quoted(self.settings.database)
            hint = f"as the administrator: ALTER DATABASE {database} OWNER TO {user}"
            raise Problem(f"the user {self.settings.user} may create no tables in {self.settings.database}", hint)

    def _refuse_used(self, found):
        used = []
        for table in found:
            count = self.ask(FRESH.get(table, f"SELECT count(*) FROM {quoted(table)}"))[0][0]
            if count and table != "alembic_version":
                used.append(f"{table} ({count})")
        if used:
            raise Problem(
                f"{self.settings} was used already: rows in {', '.join(used)}", "name an empty database", REFUSED
            )
        others = self.ask(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend' AND application_name <> 'formwork migration'"
        )[0][0]
        if others:
            hint = "stop the MLflow server of the target (set its desired count to 0)"
            raise Problem(f"{others} other connections use {self.settings}", hint, REFUSED)

    def begin(self, source):
        """Takes away what an unfinished migration has made, and leaves a marker of this one. Both or neither."""
        with self.engine.begin() as session:
            found = self.relations()
            if foreign := [it for it in found if it not in known_names() | {MARKER}]:
                raise Problem(f"{self.settings} has got {', '.join(foreign)} meanwhile", status=REFUSED)
            if found:
                # In one statement, and without CASCADE: what others have hung on these tables is not ours to drop.
                session.exec_driver_sql(f"DROP TABLE {', '.join(quoted(it) for it in found)}")
            session.exec_driver_sql(f"CREATE TABLE {MARKER} (source text NOT NULL, started timestamptz NOT NULL)")
            session.exec_driver_sql(f"INSERT INTO {MARKER} VALUES (%s, now())", (str(source),))

    def create_schema(self):
        """MLflow makes its own schema, as `mlflow db upgrade` would."""
        try:
            _initialize_tables(self.engine)
        except self.errors as error:
            raise Problem(f"MLflow's schema cannot be made: {self.words(error)}", status=FAILED) from error

    def end(self):
        """Takes the marker away: the database is what MLflow would have made."""
        with self.engine.begin() as session:
            session.exec_driver_sql(f"DROP TABLE {MARKER}")
        self._lock.exec_driver_sql("ANALYZE")

    @staticmethod
    def words(error):
        """The server's message in an error of whatever layer."""
        error = getattr(error, "orig", None) or error
        found = error.args[0] if error.args else error
        if isinstance(found, dict):
            return " ".join(found[it] for it in ("M", "D", "W") if it in found).replace("\n", " ")
        return str(error)


def opened(settings):
    """A socket to the server, encrypted as `sslmode` says; nothing is verified less than asked for."""
    place = socket.create_connection((settings.address or settings.host, settings.port), WAIT)
    try:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if settings.sslmode != "disable":
            place.sendall(TLS_REQUEST)
            if place.recv(1) != b"S":
                raise InterfaceError("the server speaks no TLS")
            place = context(settings).wrap_socket(place, server_hostname=settings.host)
        place.settimeout(None)
    except BaseException:
        place.close()
        raise
    return place


def context(settings):
    root = settings.sslrootcert
    found = ssl.create_default_context(cafile=root and str(root))
    found.check_hostname = settings.sslmode == "verify-full"
    # As libpq does it: a certificate authority that was named is asked.
    if settings.sslmode == "require" and not root:
        found.verify_mode = ssl.CERT_NONE
    return found
