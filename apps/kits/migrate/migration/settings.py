"""The settings of a migration: a TOML file, with PostgreSQL's own variables for what it leaves out.

A password is not among them. It comes from a secret of AWS Secrets Manager, from PGPASSWORD or from a password file, and
stays in this process: it is in no file that is written, no command line and no message.
"""

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:
    # Python 3.10.
    import tomli as tomllib

from migration.problem import USAGE, Problem

# The ways in which libpq may ask for TLS, without the two that leave it to chance.
MODES = ("verify-full", "verify-ca", "require", "disable")
KEYS = (
    "sourceDatabase", "sourceFileStore", "workingDirectory", "servedArtifacts", "databaseHost", "databaseAddress",
    "databasePort", "databaseName", "databaseUser", "databaseTls", "databaseCertificates", "databaseSecret",
    "artifactsFrom", "artifactsTo", "artifactLocations", "artifactsComparedBy",
)  # fmt: skip
# Stores that files are put into; a server's own schemes are no place for a copy that has to be there before the server.
STORES = ("s3", "gs", "wasbs", "abfss", "file")


@dataclass
class Source:
    """Where the data is now."""

    database: Path | None
    file_store: Path | None
    # Where the client or the server was started: relative locations begin there.
    working_directory: Path
    # What a server was given as `--artifacts-destination`: `mlflow-artifacts:` locations are beneath it.
    served_artifacts: Path | None


@dataclass
class Target:
    """The PostgreSQL database."""

    host: str
    # Where to connect instead of the host, whose name is still the one that the certificate must have: a tunnel.
    address: str | None
    port: int
    database: str
    user: str
    sslmode: str
    sslrootcert: Path | None
    secret_arn: str | None

    @property
    def is_socket(self):
        return self.host.startswith("/")

    def password(self):
        """The password, or nothing where the server asks for none."""
        if self.secret_arn:
            return password_of_secret(self.secret_arn, self.user)
        return os.environ.get("PGPASSWORD") or password_of_file(self)

    def __str__(self):
        return f"{self.user}@{self.host}:{self.port}/{self.database}"


@dataclass
class Artifacts:
    """Which files are carried, whither, and what the database then says of them."""

    to: str | None
    locations: str | None
    # Only what lies beneath these folders is carried: a location is a text that any client could have written.
    allowed: list[Path] = field(default_factory=list)
    verify: str = "sizes"


@dataclass
class Settings:
    """All settings, and the folder that snapshot and report are written to."""

    source: Source
    target: Target
    artifacts: Artifacts
    folder: Path

    @property
    def work(self):
        return self.folder / "work"


def read(path):
    """Reads and checks a settings file; relative paths in it begin at its folder."""
    path = Path(path).resolve()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Problem(f"cannot read the settings {path}: {error}", status=USAGE) from error
    if unknown := [name for name in values if name not in KEYS]:
        raise Problem(f"unknown settings in {path}: {', '.join(unknown)}", f"known are {', '.join(KEYS)}", USAGE)
    # An empty text is a setting that was left out.
    values = {name: value for name, value in values.items() if value not in ("", [])}
    folder = path.parent
    source = source_of(values, folder)
    target, artifacts = target_of(values, folder), artifacts_of(values, source, folder)
    return Settings(source, target, artifacts, folder)


def source_of(values, folder):
    place = places(values, folder)
    database, file_store = place("sourceDatabase"), place("sourceFileStore")
    if (database is None) == (file_store is None):
        raise Problem("name one source: sourceDatabase or sourceFileStore", status=USAGE)
    beside = (database or file_store).parent
    return Source(database, file_store, place("workingDirectory") or beside, place("servedArtifacts"))


def target_of(values, folder):
    def value(name, variable, default=None):
        found = values.get(name) or os.environ.get(variable) or default
        if found is None:
            raise Problem(f"{name} is not set", f"set it, or the variable {variable}", USAGE)
        return found

    host = value("databaseHost", "PGHOST")
    port = str(value("databasePort", "PGPORT", "5432"))
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise Problem(f"databasePort is {port!r}, which is no port", status=USAGE)
    local = host.startswith("/") or host in ("localhost", "127.0.0.1", "::1")
    mode = value("databaseTls", "PGSSLMODE", "disable" if local else "verify-full")
    if mode not in MODES:
        raise Problem(f"databaseTls is {mode!r}", f"it is one of {', '.join(MODES)}", USAGE)
    root = values.get("databaseCertificates") or os.environ.get("PGSSLROOTCERT")
    root = None if root is None else (folder / Path(root).expanduser()).resolve()
    if root and not root.is_file():
        raise Problem(f"databaseCertificates names {root}, which is not there", status=USAGE)
    address = values.get("databaseAddress") or os.environ.get("PGHOSTADDR")
    user, database = value("databaseUser", "PGUSER"), value("databaseName", "PGDATABASE")
    return Target(host, address, int(port), database, user, mode, root, values.get("databaseSecret"))


def artifacts_of(values, source, folder):
    to, locations = values.get("artifactsTo"), values.get("artifactLocations")
    if locations and not to:
        raise Problem("artifactLocations is set without artifactsTo", "say where the files go", USAGE)
    if to:
        scheme = to.split(":", 1)[0] if ":" in to else "file"
        if scheme not in STORES:
            hint = f"name the store itself ({', '.join(STORES)} or a folder); artifactLocations may be `mlflow-artifacts:/`"
            raise Problem(f"artifactsTo is {to!r}, which is no store", hint, USAGE)
        if ":" not in to:
            to = str((folder / Path(to).expanduser()).resolve())
        to = to.rstrip("/")
    allowed = values.get("artifactsFrom")
    if allowed is None:
        allowed = [source.working_directory / "mlruns", source.served_artifacts, source.file_store]
    allowed = [(folder / Path(it).expanduser()).resolve() for it in allowed if it]
    verify = values.get("artifactsComparedBy", "sizes")
    if verify not in ("sizes", "contents"):
        raise Problem(f"artifactsComparedBy is {verify!r}", "it is `sizes` or `contents`", USAGE)
    return Artifacts(to, locations or to, allowed, verify)


def places(values, folder):
    """Gives a reader of paths."""

    def place(name):
        if values.get(name) is None:
            return None
        path = (folder / Path(values[name]).expanduser()).resolve()
        if not path.exists():
            raise Problem(f"{name} names {path}, which is not there", status=USAGE)
        return path

    return place


def password_of_secret(arn, user):
    """The password in a secret that holds an object, as those of databases do."""
    import boto3

    region = arn.split(":")[3] if arn.count(":") > 3 else None
    try:
        text = boto3.client("secretsmanager", region_name=region).get_secret_value(SecretId=arn)["SecretString"]
        secret = json.loads(text)
        found = secret["password"]
    except Exception as error:
        # The text of a secret that is no JSON would be in the error's message.
        reason = type(error).__name__ if isinstance(error, (ValueError, KeyError)) else error
        raise Problem(f"cannot read the password in the secret {arn}: {reason}", status=USAGE) from None
    if secret.get("username", user) != user:
        raise Problem(f"the secret {arn} is of the user {secret['username']!r}, not of {user!r}", status=USAGE)
    return found


def password_of_file(target):
    """The password in PGPASSFILE or ~/.pgpass, by libpq's rules: the first line that fits, and nobody else may read it."""
    path = Path(os.environ.get("PGPASSFILE") or Path.home() / ".pgpass")
    if not path.is_file():
        return None
    if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise Problem(f"the password file {path} can be read by others", f"chmod 600 {path}", USAGE)
    host = "localhost" if target.is_socket else target.host
    wanted = [host, str(target.port), target.database, target.user]
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = fields_of(line)
        if not line.startswith("#") and len(fields) == 5:
            if all(found in ("*", it) for found, it in zip(fields, wanted, strict=False)):
                return fields[4]
    return None


def fields_of(line):
    """The fields of a line of a password file, in which a backslash takes the next character as it is."""
    fields, escaped = [""], False
    for character in line:
        if escaped or character not in "\\:":
            fields[-1] += character
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            fields.append("")
    return fields
