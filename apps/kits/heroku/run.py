#!/usr/bin/env python3
"""Runs MLflow behind nginx in one dyno: `serve` does it, `upgrade` brings the tables up to date, `check` looks only.

Whatever ends, everything ends, so that Heroku starts the dyno anew. No password is on a command line, and the children's
environment has neither that of the database nor that of the users.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

FOLDER = Path(__file__).resolve().parent
SCRATCH = Path(os.environ.get("MLFLOW_KIT_SCRATCH", "/tmp"))
# Heroku ends what is left 30 seconds after its first signal.
PATIENCE = 25
WRONG_SETTINGS = 78

FOR_TABLES = {"DATABASE_URL": "comes with the add-on: heroku addons:create heroku-postgresql"}
FOR_SERVING = FOR_TABLES | {
    "PORT": "is set by Heroku",
    "S3_LOCATION": "is where artifacts go, such as s3://bucket/prefix",
    "AWS_ACCESS_KEY_ID": "is the key that reaches this place",
    "AWS_SECRET_ACCESS_KEY": "is the key's other half",
    "BASIC_AUTH_USER": "is the name that people sign in with",
    "BASIC_AUTH_PASSWORD": "is their password",
}
# The first that is set counts; the second is set by heroku labs:enable runtime-dyno-metadata.
HOSTS = ("MLFLOW_HOSTS", "HEROKU_APP_DEFAULT_DOMAIN_NAME")
# They stay in this process.
SECRET = ("DATABASE_URL", "BASIC_AUTH_PASSWORD")


class Wrong(Exception):
    """Settings that cannot be used; the text has one line for each."""


def missing(wanted, environment):
    """A line for each variable that is not set."""
    return [f"{name} is not set: it {why}" for name, why in wanted.items() if not environment.get(name)]


def preflight(environment, serving=True):
    """Looks for all that is missing, and tells it at once."""
    lines = missing(FOR_SERVING if serving else FOR_TABLES, environment)
    if serving:
        if not any(environment.get(name) for name in HOSTS):
            lines.append(f"{HOSTS[0]} is not set: it is the name of the app's address, without https://")
        if environment.get("PORT") and not environment["PORT"].isdigit():
            lines.append(f"PORT is {environment['PORT']!r}, which is no port")
        if ":" in environment.get("BASIC_AUTH_USER", ""):
            lines.append("BASIC_AUTH_USER has a colon, which ends a name")
        location = environment.get("S3_LOCATION")
        if location and not location.startswith("s3://"):
            lines.append(f"S3_LOCATION is {location!r}, and has to begin with s3://")
    if lines:
        raise Wrong("\n".join(lines))


def database(url):
    """What libpq wants to know of a database, from its URL; its password stands apart."""
    try:
        parts = urlsplit(url)
        scheme = parts.scheme.split("+")[0]
        if scheme not in ("postgres", "postgresql"):
            raise Wrong(f"DATABASE_URL begins with {scheme!r}, not with postgres:// or postgresql://")
        known = {"PGHOST": parts.hostname, "PGPORT": str(parts.port or 5432), "PGUSER": unquote(parts.username or "")}
    except ValueError:
        # The message of the library has a part of the URL, which may be one of the password.
        raise Wrong("DATABASE_URL cannot be read: special signs of a password have to be percent-encoded") from None
    known["PGDATABASE"] = unquote(parts.path.lstrip("/"))
    lines = [f"DATABASE_URL has no {what}" for what, name in
             (("host", "PGHOST"), ("user", "PGUSER"), ("database", "PGDATABASE")) if not known[name]]  # fmt: skip
    if lines:
        raise Wrong("\n".join(lines))
    # Heroku's databases speak TLS with certificates of their own making.
    known["PGSSLMODE"] = "require"
    known |= {f"PG{name.upper()}": value for name, value in parse_qsl(parts.query) if name in ("sslmode", "sslrootcert")}
    return known, unquote(parts.password or "")


def write_private(path, text):
    """A file that nobody else can read, from its first moment."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path


def environment_of_mlflow(environment):
    """The environment of MLflow: where its database is, and no password."""
    known, password = database(environment["DATABASE_URL"])
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    known["PGPASSFILE"] = str(write_private(SCRATCH / f"pgpass-{os.getpid()}", f"*:*:*:*:{escaped}\n"))
    kept = {name: value for name, value in environment.items() if name not in SECRET}
    usual = {
        # The smallest plan has 20 connections: one process with 5 and 5 more leaves half of them to others.
        "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": "5",
        "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW": "5",
        "MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE": "1800",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_X_FRAME_OPTIONS": "DENY",
        "MALLOC_ARENA_MAX": "2",
    }
    hosts = [host.strip() for host in next(environment[it] for it in HOSTS if environment.get(it)).split(",")]
    own = {
        "MLFLOW_SERVER_ALLOWED_HOSTS": ",".join(hosts),
        "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": ",".join(f"https://{host}" for host in hosts),
    }
    return usual | kept | known | own


def store_uri(environment):
    """The driver is named: without it, SQLAlchemy takes one that is not installed."""
    return f"postgresql+psycopg2:///{environment['PGDATABASE']}"


def mlflow_port(port):
    """MLflow's usual port, or the next one: Heroku may give out any, also this one. None of those that the system takes
    for connections, as MLflow listens some seconds later only."""
    for inner in range(5000, 5100):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", inner))
            except OSError:
                continue
        if inner != port:
            return inner
    raise Wrong("none of the ports 5000 to 5099 is free for MLflow")


def users(environment):
    """The file of users. The password goes to htpasswd by its input, and is hashed by bcrypt."""
    path = write_private(SCRATCH / f"users-{os.getpid()}", "")
    command = ["htpasswd", "-i", "-B", str(path), environment["BASIC_AUTH_USER"]]
    password = environment["BASIC_AUTH_PASSWORD"]
    made = subprocess.run(command, input=password, text=True, capture_output=True, check=False)
    if made.returncode:
        raise Wrong(f"htpasswd cannot take BASIC_AUTH_USER or BASIC_AUTH_PASSWORD: {made.stderr.strip()}")
    return path


def nginx_configuration(port, mlflow, users_file):
    """The template with the ports of this dyno. nginx's own variables stay as they are."""
    text = (FOLDER / "nginx.conf").read_text(encoding="utf-8")
    filled = {"@PORT@": str(port), "@MLFLOW_PORT@": str(mlflow), "@USERS@": str(users_file), "@SCRATCH@": str(SCRATCH)}
    for name, value in filled.items():
        text = text.replace(name, value)
    return write_private(SCRATCH / f"nginx-{os.getpid()}.conf", text)


class Children:
    """The programs of this dyno, which live and die together."""

    def __init__(self):
        self.running = {}
        self.asked_to_end = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_end)

    def _ask_to_end(self, *_):
        self.asked_to_end = True

    def start(self, name, command, environment):
        self.running[name] = subprocess.Popen(command, env=environment, start_new_session=True)

    def until_one_ends(self):
        """The name and the exit status of the first one that ends; nothing when we were asked to end."""
        while not self.asked_to_end:
            for name, child in self.running.items():
                if child.poll() is not None:
                    return name, child.returncode
            time.sleep(0.1)
        return None

    def end(self):
        """Ends all: asks first, and then does it, together with what they have started themselves."""
        for name, child in self.running.items():
            if child.poll() is None:
                # nginx finishes what it answers when it is asked so.
                child.send_signal(signal.SIGQUIT if name == "nginx" else signal.SIGTERM)
        limit = time.monotonic() + PATIENCE
        for child in self.running.values():
            try:
                child.wait(max(0.1, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            child.wait()


def serve(environment):
    preflight(environment)
    port = int(environment["PORT"])
    inner = mlflow_port(port)
    quiet = {name: value for name, value in environment.items() if name in ("PATH", "LANG", "TZ")}
    configuration = nginx_configuration(port, inner, users(environment))
    of_mlflow = environment_of_mlflow(environment)
    server = ["mlflow", "server", "--backend-store-uri", store_uri(of_mlflow)]
    server += ["--serve-artifacts", "--artifacts-destination", environment["S3_LOCATION"]]
    server += ["--default-artifact-root", "mlflow-artifacts:/", "--host", "127.0.0.1", "--port", str(inner)]
    server += ["--workers", environment.get("MLFLOW_WORKERS", "1")]
    children = Children()
    try:
        children.start("MLflow", server, of_mlflow)
        children.start("nginx", ["nginx", "-e", "stderr", "-c", str(configuration), "-g", "daemon off;"], quiet)
        ended = children.until_one_ends()
    finally:
        children.end()
    if ended is None:
        return 0
    name, status = ended
    print(f"run: {name} ended with {status}, and with it the dyno", file=sys.stderr)
    return 1


def upgrade(environment):
    preflight(environment, serving=False)
    # Names are for serving; the tables know none.
    of_mlflow = environment_of_mlflow(environment | {HOSTS[0]: "localhost"})
    return subprocess.run(["mlflow", "db", "upgrade", store_uri(of_mlflow)], env=of_mlflow, check=False).returncode


def check(environment):
    preflight(environment)
    database(environment["DATABASE_URL"])
    lines = [f"{program} is not in the image" for program in ("mlflow", "nginx", "htpasswd") if not shutil.which(program)]
    if lines:
        raise Wrong("\n".join(lines))
    print("everything that is needed is set")
    return 0


def main(words):
    verbs = {"serve": serve, "upgrade": upgrade, "check": check}
    if len(words) != 1 or words[0] not in verbs:
        print(f"usage: run.py {' | '.join(verbs)}", file=sys.stderr)
        return 64
    try:
        return verbs[words[0]](dict(os.environ))
    except Wrong as wrong:
        for line in str(wrong).splitlines():
            print(f"error: {line}", file=sys.stderr)
        print("hint: heroku config shows what is set; README.md says how to set it", file=sys.stderr)
        return WRONG_SETTINGS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
