"""Makes the databases ready before the server starts.

Every task runs this first. Two tasks that start together would otherwise make the same tables at the same time; here the
second one waits for a lock of the database itself, and finds the work done. Arguments: the name of the database of runs,
where artifacts lie, and the name of the database of users if MLflow keeps users. The host, the user and the password come
from libpq's own variables.
"""

import subprocess
import sys
from contextlib import closing

import psycopg2
from psycopg2 import sql

# Any number that no other program takes in this database.
LOCK = 6_350_741_022


def url(database):
    # The driver is named: what SQLAlchemy takes without a name has changed between its versions.
    return f"postgresql+psycopg2:///{database}"


def mlflow(*arguments):
    subprocess.run([sys.executable, "-m", *arguments], check=True)


def make_database(cursor, name):
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    if cursor.fetchone() is None:
        cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def make_first_experiment(database, artifacts):
    # A server makes it when it starts, and each of its processes tries to.
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore(url(database), artifacts)


def main(runs, artifacts, users=None):
    with closing(psycopg2.connect(dbname=runs)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        mlflow("mlflow", "db", "upgrade", url(runs))
        make_first_experiment(runs, artifacts)
        if users is not None:
            make_database(cursor, users)
            mlflow("mlflow.server.auth", "db", "upgrade", "--url", url(users))


if __name__ == "__main__":
    main(*sys.argv[1:])
